/* SPDX-License-Identifier: MIT
 * Agents' requests on both databases: tokens, forged taps, what a body may say, votes, ticks, numbers, time, cards that
 * may stand there twice, and the audit log. */
#include "tests/unit/store_fixture.h"

#include "base/json.h"
#include "router/ask.h"
#include "router/ask_token.h"
#include "router/card.h"
#include "store/audit.h"
#include "store/outbox.h"

enum { OWNER = 7, BOB = 43, EVE = 66, NOW_MS = 1000000000 };

static struct arena *arena;
static struct store *store;
static const int64_t people[] = { OWNER, BOB };
static struct ask_settings settings = { .telegram = true, .allowed = people, .allowed_count = 2, .zone = "UTC" };

static void begin(void)
{
    arena = arena_new();
}
static void end(void)
{
    store_close(store);
    arena_free(arena);
}

static enum status write_key(struct db *db, void *key, struct error *e)
{
    return ask_key(db, key, e);
}

static void open_store(int kind)
{
    char url[FIXTURE_URL_BYTES];
    fixture_url(kind, url);
    struct store_options o = { .url = url, .exclusive = true };
    ck_ok(store_open(&o, &store, e));
    ck_ok(store_write(store, write_key, settings.key, e));
    ask_setup(&settings);
}

static void run_sql(const char *sql)
{
    ck_ok(store_write(store, write_script, (void *)(uintptr_t)sql, e));
}

static const char *read_text(const char *sql)
{
    struct db *db;
    const char *out = NULL;
    ck_ok(store_read_begin(store, &db, e));
    struct stmt *s = db_query(db, sql);
    while (db_step(s))
        out = arena_strdup(arena, db_text(s, 0));
    ck_ok(db_done(s, e));
    store_read_end(store, db);
    ck_assert_msg(out, "no row: %s", sql);
    return out;
}

/* --- asking --- */

static enum status reads(const char *body, struct agent_request *r, struct error *e)
{
    struct json_object *o;
    if (json_parse_in(arena, body, strlen(body), &o, e))
        return e->status;
    return ask_read(arena, o, "send", r, e);
}

static enum status write_put(struct db *db, void *arg, struct error *e)
{
    struct agent_request r = *(struct agent_request *)arg;
    bool again;
    return ask_put(db, arena, &r, &again, NOW_MS, e) ? e->status : (*(struct agent_request *)arg = r, OK);
}

#define BODY(more) "{\"project\":\"p\",\"type\":\"blocking\",\"message\":\"Deploy?\"" more "}"
#define YES_NO ",\"buttons\":[\"Yes\",\"No\"]"

/* The stored request. */
static struct agent_request ask(const char *body)
{
    struct agent_request r;
    ck_ok(reads(body, &r, e));
    ck_ok(store_write(store, write_put, &r, e));
    return r;
}

static enum status write_sent(struct db *db, void *arg, struct error *e)
{
    struct outbox_row row = { .kind = "message" };
    const struct agent_request *r = arg;
    bool found;
    if (db_get_int(db, &row.id, &found, e,
                   "SELECT outbox_id FROM cards WHERE request_id = $1 AND channel = 'telegram' AND kind = 'request'",
                   p_int(r->id)) ||
        db_run(db, e, "UPDATE outbox SET state = 'sent', message_id = $2, finished_at = 1 WHERE id = $1", p_int(row.id),
               p_int(100 + r->id)))
        return e->status;
    return card_sent(db, arena, &row, 100 + r->id, false, NOW_MS, e);
}

/* The stored request, with its card as message 100 + id in the owner's chat. */
static struct agent_request ask_shown(const char *body)
{
    struct agent_request r = ask(body);
    ck_ok(store_write(store, write_sent, &r, e));
    return r;
}

static const char *nonce_of(const struct agent_request *r)
{
    return read_text(arena_printf(
        arena, "SELECT nonce FROM cards WHERE channel = 'telegram' AND kind = 'request' AND request_id = %lld",
        (long long)r->id));
}

static const char *token(const char *nonce, enum ask_verb verb, int a, int b)
{
    struct ask_token t = { .verb = verb, .a = a, .b = b };
    char *out = arena_alloc(arena, ASK_TOKEN_BYTES);
    snprintf(t.nonce, sizeof t.nonce, "%s", nonce);
    ask_token_write(settings.key, &t, out);
    return out;
}

/* --- answering --- */

struct tap {
    const char *data;
    struct ask_voice voice;
    enum ask_outcome outcome;
    const char *says;
    struct agent_request r;
};

static enum status write_tap(struct db *db, void *arg, struct error *e)
{
    struct tap *t = arg;
    return ask_tap(db, arena, t->data, &t->voice, NOW_MS, &t->outcome, &t->says, &t->r, e);
}

static struct ask_voice voice(int64_t id, int64_t message_id)
{
    return (struct ask_voice){ .id = id,
                               .name = id == OWNER ? "Ada" : "Bob",
                               .how = "tap",
                               .channel = "telegram",
                               .chat_id = OWNER,
                               .message_id = message_id };
}

static enum ask_outcome tap_by(const struct agent_request *r, int64_t id, enum ask_verb verb, int a, int b)
{
    struct tap t = { .data = token(nonce_of(r), verb, a, b), .voice = voice(id, 100 + r->id) };
    ck_ok(store_write(store, write_tap, &t, e));
    return t.outcome;
}

static enum ask_outcome tap(const struct agent_request *r, enum ask_verb verb, int a, int b)
{
    return tap_by(r, OWNER, verb, a, b);
}

struct words {
    int64_t id;
    const char *text;
    struct ask_voice voice;
    enum ask_outcome outcome;
};

static enum status write_words(struct db *db, void *arg, struct error *e)
{
    struct words *w = arg;
    const char *says;
    struct agent_request r;
    return ask_text(db, arena, w->id, w->text, &w->voice, NOW_MS, &w->outcome, &says, &r, e);
}

static enum ask_outcome say_by(const struct agent_request *r, int64_t id, const char *text)
{
    struct words w = { .id = r->id, .text = text, .voice = voice(id, 0) };
    ck_ok(store_write(store, write_words, &w, e));
    return w.outcome;
}

static struct agent_request again(const struct agent_request *r)
{
    struct db *db;
    struct agent_request now;
    bool found;
    ck_ok(store_read_begin(store, &db, e));
    ck_ok(request_by_id(db, arena, r->id, &now, &found, e));
    store_read_end(store, db);
    ck_assert(found);
    return now;
}

/* --- tokens --- */

START_TEST(every_flipped_bit_of_a_token_is_refused)
{
    unsigned char key[32] = "a key that is not the right one";
    struct ask_token t = { .nonce = "00112233445566778899aabbccddeeff", .verb = ASK_NUMBER, .a = 11, .b = 99 }, back;
    char data[ASK_TOKEN_BYTES + 2];
    ask_token_write(settings.key, &t, data);
    ck_assert_int_lt((int)strlen(data), 64);
    ck_assert(ask_is_tap(data) && ask_token_read(settings.key, data, &back));
    ck_assert_str_eq(back.nonce, t.nonce);
    ck_assert(back.verb == ASK_NUMBER && back.a == 11 && back.b == 99);
    ck_assert(!ask_token_read(key, data, &back));
    for (size_t i = 0; i < strlen(data); i++)
        for (int bit = 0; bit < 8; bit++) {
            data[i] = (char)(data[i] ^ 1 << bit);
            ck_assert_msg(!ask_token_read(settings.key, data, &back), "byte %zu bit %d", i, bit);
            data[i] = (char)(data[i] ^ 1 << bit);
        }
    strcat(data, "A");
    ck_assert(!ask_token_read(settings.key, data, &back));
    data[strlen(data) - 2] = '\0';
    ck_assert(!ask_token_read(settings.key, data, &back));
    ck_assert(!ask_token_read(settings.key, "", &back) && !ask_token_read(settings.key, "ask:", &back) &&
              !ask_token_read(settings.key, NULL, &back));
}
END_TEST

struct forging {
    const char *open_nonce, *bobs_nonce, *over_nonce, *card_token, *other_token;
    int64_t open_message, bobs_message, over_message;
    unsigned random;
    int count, from;
    int tally[4];
};

static unsigned next(struct forging *f)
{
    f->random = f->random * 1664525u + 1013904223u;
    return f->random >> 8;
}

/* One attempt of some kind; every one of them is somebody else's, somewhere else, too late, or made up. */
static struct tap forge(struct forging *f, int i)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char *data = arena_strdup(arena, f->card_token);
    struct tap t = { .data = data, .voice = voice(OWNER, f->open_message) };
    size_t len = strlen(data);
    unsigned char other[32];
    struct ask_token parts = { .verb = ASK_CHOOSE };
    switch (i % 10) {
    case 0: /* one letter is another */
        data[4 + next(f) % (len - 4)] = alphabet[next(f) % 64];
        if (strcmp(data, f->card_token) == 0)
            data[4] = data[4] == 'A' ? 'B' : 'A';
        break;
    case 1: /* made up, of the right length */
        for (size_t k = 4; k < len; k++)
            data[k] = alphabet[next(f) % 64];
        break;
    case 2: /* this card, signed for another */
        memcpy(data + len - 21, f->other_token + len - 21, 21);
        break;
    case 3: /* signed with another key */
        for (size_t k = 0; k < sizeof other; k++)
            other[k] = (unsigned char)next(f);
        snprintf(parts.nonce, sizeof parts.nonce, "%s", f->open_nonce);
        ask_token_write(other, &parts, data);
        break;
    case 4: /* cut off, or with something behind */
        t.data = next(f) % 2 ? arena_strndup(arena, data, next(f) % len)
                             : arena_printf(arena, "%s%c", data, alphabet[next(f) % 64]);
        break;
    case 5: /* another person's question */
        t.data = token(f->bobs_nonce, ASK_CHOOSE, (int)(next(f) % 2), 0);
        t.voice = voice(next(f) % 2 ? OWNER : EVE, f->bobs_message);
        break;
    case 6: /* a copy of the card in another chat */
        t.voice.chat_id = -(int64_t)(1 + next(f));
        break;
    case 7: /* another message, or another messenger */
        t.voice.message_id = f->open_message + 1 + next(f) % 1000;
        if (next(f) % 2)
            t.voice = (struct ask_voice){ OWNER, "Ada", "console", "console", 0, 0 };
        break;
    case 8: /* answered already */
        t.data = token(f->over_nonce, ASK_CHOOSE, (int)(next(f) % 2), 0);
        t.voice.message_id = f->over_message;
        break;
    default: /* signed here, for what this card does not have */
        t.data = token(f->open_nonce, "cn+-sb"[next(f) % 6], 2 + (int)(next(f) % 250), (int)(next(f) % 256));
        break;
    }
    return t;
}

static enum status write_forged(struct db *db, void *arg, struct error *e)
{
    struct forging *f = arg;
    struct arena *whole = arena;
    unsigned random = f->random;
    int tally[4] = { 0 };
    enum status s = OK;
    arena = arena_new();
    for (int i = f->from; i < f->from + f->count && s == OK; i++) {
        struct tap t = forge(f, i);
        s = write_tap(db, &t, e);
        tally[t.outcome]++;
        ck_assert_msg(s || t.outcome == ASK_REFUSED || (t.outcome == ASK_OVER && i % 10 == 8),
                      "kind %d was taken for %d: %s", i % 10, t.outcome, t.says ? t.says : "");
    }
    arena_free(arena);
    arena = whole;
    if (s)
        f->random = random;
    for (int k = 0; k < 4 && s == OK; k++)
        f->tally[k] += tally[k];
    return s;
}

START_TEST(no_forged_tap_is_taken)
{
    enum { BATCH = 500 };
    const int all = _i == DB_SQLITE ? 100000 : 20000; /* a round trip costs more than the look at it */
    open_store(_i);
    struct agent_request open = ask_shown(BODY(YES_NO)), bobs = ask_shown(BODY(YES_NO ",\"approvers\":[43]")),
                         over = ask_shown(BODY(YES_NO));
    ck_assert_int_eq(tap(&over, ASK_CHOOSE, 0, 0), ASK_ANSWERED);
    struct forging f = {
        .open_nonce = nonce_of(&open), .bobs_nonce = nonce_of(&bobs), .over_nonce = nonce_of(&over), .random = 20261120
    };
    f.card_token = token(f.open_nonce, ASK_CHOOSE, 0, 0);
    f.other_token = token(f.over_nonce, ASK_CHOOSE, 0, 0);
    f.open_message = 100 + open.id;
    f.bobs_message = 100 + bobs.id;
    f.over_message = 100 + over.id;
    f.count = BATCH;
    for (f.from = 0; f.from < all; f.from += BATCH)
        ck_ok(store_write_relaxed(store, write_forged, &f, e));
    ck_assert_int_eq(f.tally[ASK_REFUSED] + f.tally[ASK_OVER], all);
    ck_assert_int_eq(f.tally[ASK_OVER], all / 10);
    ck_assert_int_eq(
        read_int(store, "SELECT COUNT(*) FROM requests WHERE state = 'open' AND version = 1 AND chosen IS NULL"), 2);
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM requests WHERE response = 'Yes' AND answered_by = 7"), 1);
    ck_assert_int_eq(tap(&open, ASK_CHOOSE, 1, 0), ASK_ANSWERED); /* and the real one still is */
    ck_assert_int_eq(tap_by(&bobs, BOB, ASK_CHOOSE, 0, 0), ASK_ANSWERED);
}
END_TEST

/* --- what a body may say --- */

START_TEST(durations_and_bounds)
{
    static const struct {
        const char *more;
        int64_t expires_ms, remind_ms;
    } good[] = {
        { "", ASK_EXPIRES_DEFAULT_MS, 0 },
        { ",\"expires_in\":90", 90000, 0 },
        { ",\"expires_in\":\"90s\"", 90000, 0 },
        { ",\"expires_in\":\"1.5h\"", 5400000, 0 },
        { ",\"expires_in\":\"2d\",\"remind_every\":\"10m\"", 172800000, 600000 },
        { ",\"expires_in\":\"never\",\"remind_every\":\"never\"", -1, 0 },
        { ",\"expires_in\":null", ASK_EXPIRES_DEFAULT_MS, 0 },
    };
    static const struct {
        const char *body, *word;
    } bad[] = {
        { BODY(",\"expires_in\":\"367d\""), "expires_in" },
        { BODY(",\"expires_in\":\"nan\""), "expires_in" },
        { BODY(",\"expires_in\":\"inf\""), "expires_in" },
        { BODY(",\"expires_in\":\"1h30\""), "expires_in" },
        { BODY(",\"expires_in\":1e300"), "expires_in" },
        { BODY(",\"expires_in\":true"), "expires_in" },
        { BODY(",\"expires_in\":[1]"), "expires_in" },
        { BODY(",\"expires_in\":\"\""), "expires_in" },
        { BODY(",\"remind_every\":59"), "remind_every" },
        { BODY(",\"quiet\":\"22-22\""), "quiet" },
        { BODY(",\"quiet\":7"), "quiet" },
        { BODY(YES_NO ",\"quorum\":3"), "quorum" },
        { BODY(YES_NO ",\"quorum\":1.5"), "quorum" },
        { BODY(YES_NO ",\"quorum\":2,\"multi\":true"), "multi" },
        { BODY(YES_NO ",\"risk\":\"high\",\"multi\":true"), "risk" },
        { BODY(YES_NO ",\"approvers\":[43,66]"), "approvers[1]" },
        { BODY(YES_NO ",\"approvers\":[43],\"quorum\":2"), "quorum" },
        { BODY(YES_NO ",\"risk\":\"high\",\"default\":\"Yes\""), "default" },
        { BODY(YES_NO ",\"risk\":\"high\",\"default\":\"anything\""), "default" },
        { BODY(YES_NO ",\"quorum\":2,\"default\":\"Yes\""), "default" },
        { BODY(",\"buttons\":[{\"label\":\"\\u200b\\u200b\"},\" \"]"), "buttons[1]" },
        { BODY(",\"buttons\":[[]]"), "buttons[0]" },
        { "[]", "object" },
    };
    struct agent_request r;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ck_ok(reads(arena_printf(arena, "{\"type\":\"blocking\",\"message\":\"m\"%s}", good[i].more), &r, e));
        ck_assert_int_eq(r.expires_at_ms, good[i].expires_ms);
        ck_assert_int_eq(r.remind_every_ms, good[i].remind_ms);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_is(reads(bad[i].body, &r, e), ST_INVALID, bad[i].word);
    ck_ok(reads(
        BODY(YES_NO ",\"risk\":\"high\",\"default\":\"No\",\"details\":\"d\",\"details_name\":\"../a\\n\\\"b\\u202e\""),
        &r, e));
    ck_assert_str_eq(r.default_answer, "No");
    ck_assert_str_eq(r.details_name, ".._a__b⟨U+202E⟩");
    ck_assert(ask_has(r.numbers, atoi(r.code)) && strlen(r.numbers) == 13);
}
END_TEST

START_TEST(quiet_hours_are_read_strictly)
{
    static const struct {
        const char *text;
        int from, until;
    } good[] = {
        { "22:00-07:00", 1320, 420 }, { "22-7", 1320, 420 }, { "00:00-24:00", 0, 1440 }, { "9:30-17", 570, 1020 }
    };
    static const char *const bad[] = { "",        "-",       "22:00",        "22:00-", "22:00-22:00", "25-7",
                                       "22:60-7", "24:30-7", "22:00-07:00x", "x22-7",  "22:000-7",    "-1-7" };
    int from, until;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ck_ok(ask_quiet_parse(good[i].text, &from, &until, e));
        ck_assert_int_eq(from, good[i].from);
        ck_assert_int_eq(until, good[i].until);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(ask_quiet_parse(bad[i], &from, &until, NULL) == ST_INVALID, "%s", bad[i]);
}
END_TEST

START_TEST(the_same_question_is_one)
{
    open_store(_i);
    struct agent_request first = ask(BODY(YES_NO ",\"request_id\":\"one\",\"risk\":\"high\"")), other;
    struct agent_request second = ask(BODY(YES_NO ",\"risk\":\"high\",\"request_id\":\"one\""));
    ck_assert_int_eq(first.id, second.id);
    ck_assert_str_eq(first.code, second.code);
    ck_ok(reads(BODY(",\"request_id\":\"one\",\"buttons\":[\"Yes\"]"), &other, e));
    ck_is(store_write(store, write_put, &other, e), ST_CONFLICT, "one");
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM audit WHERE event = 'asked'"), 1);
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM cards"), 2);
}
END_TEST

/* --- one answer --- */

START_TEST(the_first_answer_stands)
{
    open_store(_i);
    struct agent_request r = ask_shown(BODY(YES_NO));
    ck_assert_int_eq(tap(&r, ASK_CHOOSE, 0, 0), ASK_ANSWERED);
    ck_assert_int_eq(tap_by(&r, BOB, ASK_CHOOSE, 1, 0), ASK_OVER);
    ck_assert_int_eq(say_by(&r, BOB, "No"), ASK_OVER);
    ck_assert_str_eq(again(&r).response, "Yes");
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM audit WHERE event = 'answered'"), 1);
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM audit WHERE event = 'late'"), 2);
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM outbox WHERE kind = 'edit' AND payload LIKE '%✅%'"), 1);
}
END_TEST

START_TEST(words_mean_what_a_button_says)
{
    open_store(_i);
    struct agent_request r =
        ask_shown(BODY(",\"buttons\":[{\"label\":\"No\",\"value\":\"Yes\"},{\"label\":\"Yes\",\"value\":\"No\"}]"));
    ck_assert_int_eq(say_by(&r, OWNER, "yes"), ASK_ANSWERED);
    ck_assert_str_eq(again(&r).response, "No"); /* what the button "Yes" stands for */
    r = ask_shown(BODY(",\"multi\":true,\"buttons\":[\"A, B\",\"C\",\"D\"]"));
    ck_assert_int_eq(say_by(&r, OWNER, "a, b"), ASK_ANSWERED);
    ck_assert_str_eq(again(&r).responses, "[\"A, B\"]");
    r = ask_shown(BODY(",\"multi\":true,\"buttons\":[\"A\",\"B\",\"C\"]"));
    ck_assert_int_eq(say_by(&r, OWNER, "C, a"), ASK_ANSWERED);
    ck_assert_str_eq(again(&r).responses, "[\"A\",\"C\"]");
    r = ask_shown(BODY(",\"multi\":true,\"buttons\":[\"A\",\"B\"]"));
    ck_assert_int_eq(say_by(&r, OWNER, "A, or what you like"), ASK_ANSWERED);
    ck_assert(again(&r).free_text && !again(&r).responses);
    r = ask_shown(BODY(YES_NO ",\"approvers\":[43]"));
    ck_assert_int_eq(say_by(&r, OWNER, "Yes"), ASK_REFUSED);
    char *longest = arena_alloc(arena, ASK_ANSWER_BYTES_MAX + 2);
    memset(longest, 'x', ASK_ANSWER_BYTES_MAX + 1);
    ck_assert_int_eq(say_by(&r, BOB, longest), ASK_REFUSED);
    ck_assert_int_eq(again(&r).state, REQUEST_OPEN);
}
END_TEST

START_TEST(a_number_cannot_be_got_around)
{
    open_store(_i);
    struct agent_request r = ask_shown(BODY(",\"buttons\":[\"Go\",\"Stop\",\"No\"],\"risk\":\"high\""));
    int code = atoi(r.code);
    ck_assert_int_eq(tap(&r, ASK_NUMBER, 0, code), ASK_REFUSED); /* before the button */
    ck_assert_int_eq(say_by(&r, OWNER, "Go"), ASK_REFUSED);
    ck_assert_int_eq(say_by(&r, OWNER, "go ahead"), ASK_REFUSED);
    ck_assert_int_eq(tap(&r, ASK_TICK, 0, 0), ASK_REFUSED);
    ck_assert_int_eq(tap(&r, ASK_SUBMIT, 0, 0), ASK_REFUSED);
    ck_assert_int_eq(tap(&r, ASK_CHOOSE, 0, 0), ASK_NOTED);
    ck_assert_int_eq(tap(&r, ASK_NUMBER, 1, code), ASK_REFUSED); /* for another button */
    ck_assert_int_eq(tap(&r, ASK_BACK, 0, 0), ASK_NOTED);
    ck_assert_int_eq(tap(&r, ASK_NUMBER, 0, code), ASK_REFUSED); /* an old number after Back */
    ck_assert_int_eq(tap(&r, ASK_CHOOSE, 1, 0), ASK_NOTED);      /* "Stop" may be the deed */
    ck_assert_int_eq(again(&r).state, REQUEST_OPEN);
    ck_assert_int_eq(tap(&r, ASK_NUMBER, 1, code == 99 ? 10 : 99),
                     ask_has(r.numbers, code == 99 ? 10 : 99) ? ASK_ANSWERED : ASK_REFUSED);
    if (again(&r).state == REQUEST_OPEN) {
        ck_assert_int_eq(tap(&r, ASK_NUMBER, 1, code), ASK_ANSWERED);
        ck_assert_str_eq(again(&r).response, "Stop");
    }
    r = ask_shown(BODY(YES_NO ",\"risk\":\"high\""));
    int wrong = atoi(r.numbers + 1) == atoi(r.code)
                    ? atoi(strrchr(arena_strndup(arena, r.numbers, strlen(r.numbers) - 1), ',') + 1)
                    : atoi(r.numbers + 1);
    ck_assert_int_eq(tap(&r, ASK_CHOOSE, 0, 0), ASK_NOTED);
    ck_assert_int_eq(tap(&r, ASK_NUMBER, 0, wrong), ASK_ANSWERED);
    ck_assert_int_eq(again(&r).state, REQUEST_CANCELLED);
    ck_assert_int_eq(tap(&r, ASK_NUMBER, 0, atoi(r.code)), ASK_OVER);
    r = ask_shown(BODY(YES_NO ",\"risk\":\"high\""));
    ck_assert_int_eq(say_by(&r, OWNER, "no"), ASK_ANSWERED);
}
END_TEST

START_TEST(a_quorum_counts_people)
{
    open_store(_i);
    struct agent_request r = ask_shown(BODY(",\"buttons\":[\"Blue\",\"Green\",\"No\"],\"quorum\":2"));
    ck_assert_int_eq(tap(&r, ASK_CHOOSE, 0, 0), ASK_NOTED);
    ck_assert_int_eq(tap(&r, ASK_CHOOSE, 0, 0), ASK_REFUSED);
    ck_assert_int_eq(say_by(&r, OWNER, "blue"), ASK_REFUSED);
    ck_assert_int_eq(say_by(&r, BOB, "whatever"), ASK_REFUSED);
    ck_assert_int_eq(tap_by(&r, BOB, ASK_CHOOSE, 1, 0), ASK_NOTED);
    ck_assert_int_eq(again(&r).state, REQUEST_OPEN);
    ck_assert_int_eq(say_by(&r, OWNER, "Green"), ASK_ANSWERED); /* who changes their mind has one vote still */
    ck_assert_str_eq(again(&r).response, "Green");
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM request_votes"), 2);
    r = ask_shown(BODY(",\"buttons\":[\"Go\",\"No\"],\"quorum\":2,\"risk\":\"high\""));
    ck_assert_int_eq(tap(&r, ASK_CHOOSE, 0, 0), ASK_NOTED);
    ck_assert_int_eq(tap(&r, ASK_NUMBER, 0, atoi(r.code)), ASK_NOTED);
    ck_assert_int_eq(tap_by(&r, BOB, ASK_NUMBER, 0, atoi(r.code)), ASK_REFUSED); /* their own button first */
    ck_assert_int_eq(tap_by(&r, BOB, ASK_CHOOSE, 0, 0), ASK_NOTED);
    ck_assert_int_eq(tap_by(&r, BOB, ASK_NUMBER, 0, atoi(r.code)), ASK_ANSWERED);
    r = ask_shown(BODY(",\"buttons\":[\"Go\",\"No\"],\"quorum\":2"));
    ck_assert_int_eq(tap_by(&r, BOB, ASK_CHOOSE, 1, 0), ASK_ANSWERED); /* one refusal is enough */
}
END_TEST

START_TEST(ticks_say_what_is_not_that_it_changes)
{
    open_store(_i);
    struct agent_request r = ask_shown(BODY(",\"multi\":true,\"buttons\":[\"A\",\"B\",\"C\"]"));
    ck_assert_int_eq(tap(&r, ASK_SUBMIT, 0, 0), ASK_REFUSED);
    ck_assert_int_eq(tap(&r, ASK_CHOOSE, 0, 0), ASK_REFUSED);
    for (int i = 0; i < 3; i++) /* the same press, delivered again and again */
        ck_assert_int_eq(tap(&r, ASK_TICK, 2, 0), ASK_NOTED);
    ck_assert_str_eq(again(&r).chosen, ",2,");
    ck_assert_int_eq(tap(&r, ASK_TICK, 0, 0), ASK_NOTED);
    ck_assert_int_eq(tap(&r, ASK_UNTICK, 2, 0), ASK_NOTED);
    ck_assert_int_eq(tap(&r, ASK_UNTICK, 2, 0), ASK_NOTED);
    ck_assert_str_eq(again(&r).chosen, ",0,");
    ck_assert_int_eq(tap(&r, ASK_TICK, 3, 0), ASK_REFUSED);
    ck_assert_int_eq(tap(&r, ASK_SUBMIT, 0, 0), ASK_ANSWERED);
    ck_assert_str_eq(again(&r).responses, "[\"A\"]");
}
END_TEST

/* --- time --- */

struct clock_work {
    int64_t now_ms;
    int count;
};

static enum status write_expire(struct db *db, void *arg, struct error *e)
{
    struct clock_work *w = arg;
    return ask_expire(db, arena, w->now_ms, &w->count, e);
}

static enum status write_remind(struct db *db, void *arg, struct error *e)
{
    struct clock_work *w = arg;
    return ask_remind(db, arena, w->now_ms, &w->count, e);
}

static enum status write_heal(struct db *db, void *arg, struct error *e)
{
    struct clock_work *w = arg;
    return ask_heal(db, arena, w->now_ms, &w->count, e);
}

static int at(write_fn fn, int64_t now_ms)
{
    struct clock_work w = { .now_ms = now_ms };
    ck_ok(store_write(store, fn, &w, e));
    return w.count;
}

START_TEST(time_answers_with_the_default)
{
    open_store(_i);
    struct agent_request
        none = ask_shown(BODY(YES_NO ",\"expires_in\":5")),
        one = ask_shown(BODY(
            ",\"buttons\":[{\"label\":\"Later\",\"value\":\"l\"},\"Now\"],\"expires_in\":5,\"default\":\"Later\"")),
        several = ask_shown(BODY(",\"buttons\":[\"A\",\"B\"],\"multi\":true,\"expires_in\":5,\"default\":\"B\"")),
        never = ask_shown(BODY(YES_NO ",\"expires_in\":\"never\""));
    ck_assert_int_eq(at(write_expire, NOW_MS + 4999), 0);
    ck_assert_int_eq(at(write_expire, NOW_MS + 5000), 3);
    ck_assert_int_eq(at(write_expire, INT64_MAX / 2), 0);
    ck_assert_int_eq(again(&none).state, REQUEST_EXPIRED);
    struct agent_request r = again(&one);
    ck_assert_str_eq(r.response, "l");
    ck_assert_str_eq(r.label, "Later");
    ck_assert_str_eq(r.how, "default");
    ck_assert_str_eq(again(&several).responses, "[\"B\"]");
    ck_assert_int_eq(again(&never).state, REQUEST_OPEN);
    ck_assert_int_eq(tap(&none, ASK_CHOOSE, 0, 0), ASK_OVER);
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM outbox WHERE kind = 'edit' AND payload LIKE '%⌛%'"), 3);
}
END_TEST

START_TEST(a_quiet_night_uses_no_reminders_up)
{
    open_store(_i);
    struct agent_request r = ask_shown(BODY(",\"remind_every\":60,\"quiet\":true"));
    for (int i = 1; i <= 60; i++)
        ck_assert_int_eq(at(write_remind, NOW_MS + i * 60000), 1);
    ck_assert_int_eq(again(&r).reminded, 0);
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM outbox WHERE payload LIKE '%Still waiting%'"), 0);
    run_sql("UPDATE requests SET quiet = 'off'");
    ck_assert_int_eq(at(write_remind, NOW_MS + 61 * 60000), 1);
    ck_assert_int_eq(again(&r).reminded, 1);
    ck_assert_int_eq(
        read_int(store, "SELECT COUNT(*) FROM outbox WHERE channel = 'telegram' AND payload LIKE '%Still waiting%'"),
        1);
    for (int i = 62; i < 120; i++)
        at(write_remind, NOW_MS + i * 60000);
    ck_assert_int_eq(again(&r).reminded, ASK_REMINDS_MAX);
    /* However many reminders there are, the card itself is brought to its end. */
    ck_assert_int_eq(tap(&r, ASK_CHOOSE, 0, 0), ASK_REFUSED);
    ck_assert_int_eq(say_by(&r, OWNER, "fine"), ASK_ANSWERED);
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM outbox WHERE kind = 'edit' AND payload LIKE '%fine%'"), 1);
}
END_TEST

START_TEST(late_words_answer_nothing_that_was_asked_after_them)
{
    open_store(_i);
    struct agent_request r = ask_shown(BODY(",\"request_id\":\"q\""));
    run_sql("INSERT INTO topics (channel, chat_id, project, name, thread_id, state, created_at)"
            " VALUES ('telegram', -5, 'p', 'p', 9, 'open', 1);"
            "UPDATE cards SET topic_id = 1, chat_id = -5 WHERE channel = 'telegram'");
    struct ask_words w = { .channel = "telegram", .chat_id = -5, .thread_id = 9 };
    static const int64_t said[] = { 0, NOW_MS, NOW_MS - 1 };
    for (int i = 0; i < 3; i++) {
        struct db *db;
        int64_t id;
        bool several, over;
        w.said_by_ms = said[i];
        ck_ok(store_read_begin(store, &db, e));
        ck_ok(ask_find(db, arena, &w, &id, &several, &over, e));
        store_read_end(store, db);
        ck_assert_int_eq(id, i < 2 ? r.id : 0);
    }
}
END_TEST

/* --- cards that may or do stand there --- */

struct ending {
    int64_t outbox_id;
    const char *kind;
    int unknowns;
};

static enum status write_parked(struct db *db, void *arg, struct error *e)
{
    const struct ending *x = arg;
    struct outbox_row row = { .id = x->outbox_id, .kind = x->kind, .unknowns = x->unknowns };
    if (db_run(db, e, "UPDATE outbox SET state = 'parked', unknowns = $2, finished_at = $3 WHERE id = $1",
               p_int(x->outbox_id), p_int(x->unknowns), p_int(NOW_MS)))
        return e->status;
    return card_parked(db, arena, &row, "it was refused", NOW_MS, e);
}

START_TEST(a_card_whose_sends_got_no_answer_can_be_tapped)
{
    open_store(_i);
    struct agent_request r = ask(BODY(YES_NO));
    struct ending x = { read_int(store, "SELECT outbox_id FROM cards WHERE channel = 'telegram'"), "message", 2 };
    ck_ok(store_write(store, write_parked, &x, e));
    ck_assert_int_eq(at(write_heal, NOW_MS + 1000), 0); /* not again at once */
    struct tap t = { .data = token(nonce_of(&r), ASK_CHOOSE, 0, 0), .voice = voice(OWNER, 555) };
    ck_ok(store_write(store, write_tap, &t, e));
    ck_assert_int_eq(t.outcome, ASK_ANSWERED);
    ck_assert_int_eq(read_int(store, "SELECT message_id FROM cards WHERE channel = 'telegram'"), 555);
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM outbox WHERE kind = 'edit' AND payload LIKE '%555%'"), 1);
    r = ask(BODY(YES_NO ",\"request_id\":\"second\""));
    x.outbox_id = read_int(store, "SELECT MAX(outbox_id) FROM cards WHERE channel = 'telegram' AND request_id = 2");
    ck_ok(store_write(store, write_parked, &x, e));
    ck_assert_int_eq(at(write_heal, NOW_MS + 301000), 1); /* nobody has tapped it: once more, and it says so */
    ck_assert_int_eq(
        read_int(store, "SELECT COUNT(*) FROM outbox WHERE state = 'available' AND payload LIKE '%Sent again%'"), 1);
    ck_assert_int_eq(at(write_heal, NOW_MS + 302000), 0);
}
END_TEST

START_TEST(a_tap_on_a_card_that_is_sent_again_stops_that)
{
    open_store(_i);
    struct agent_request r = ask(BODY(YES_NO));
    run_sql("UPDATE outbox SET unknowns = 1 WHERE channel = 'telegram'");
    struct tap t = { .data = token(nonce_of(&r), ASK_CHOOSE, 0, 0), .voice = voice(OWNER, 555) };
    ck_ok(store_write(store, write_tap, &t, e));
    ck_assert_int_eq(t.outcome, ASK_ANSWERED);
    ck_assert_int_eq(
        read_int(store,
                 "SELECT COUNT(*) FROM outbox WHERE kind = 'message' AND channel = 'telegram' AND state = 'available'"),
        0);
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM outbox WHERE kind = 'edit' AND payload LIKE '%555%'"), 1);
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM audit WHERE event = 'shown'"), 1);
    r = ask(BODY(YES_NO ",\"request_id\":\"sending\""));
    run_sql("UPDATE outbox SET state = 'sending', owner_id = 1, lease_until = 1 WHERE kind = 'message' AND channel = "
            "'telegram' AND state = 'available'");
    t = (struct tap){ .data = token(nonce_of(&r), ASK_CHOOSE, 0, 0), .voice = voice(OWNER, 556) };
    ck_ok(store_write(store, write_tap, &t, e));
    ck_assert_int_eq(t.outcome, ASK_ANSWERED);
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM cards WHERE message_id = 556"),
                     0); /* its sender will tell */
    ck_ok(store_write(store, write_sent, &r, e));
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM outbox WHERE kind = 'edit' AND payload LIKE '%✅%'"), 2);
}
END_TEST

START_TEST(a_refused_edit_leaves_the_buttons_alive)
{
    open_store(_i);
    struct agent_request r = ask_shown(BODY(",\"multi\":true,\"buttons\":[\"A\",\"B\"]"));
    ck_assert_int_eq(tap(&r, ASK_TICK, 0, 0), ASK_NOTED);
    struct ending x = { read_int(store, "SELECT outbox_id FROM cards WHERE channel = 'telegram'"), "edit", 0 };
    ck_ok(store_write(store, write_parked, &x, e));
    ck_assert_int_eq(tap(&r, ASK_TICK, 1, 0), ASK_NOTED);
    ck_assert_int_eq(tap(&r, ASK_SUBMIT, 0, 0), ASK_ANSWERED);
    ck_assert_str_eq(again(&r).response, "A, B");
}
END_TEST

START_TEST(a_group_that_refuses_hands_over_to_the_owner_once)
{
    settings.notify_chat_id = -99;
    open_store(_i);
    settings.notify_chat_id = 0;
    struct agent_request r = ask(BODY(",\"buttons\":[\"Yes\",\"No\"],\"remind_every\":60"));
    struct ending x = { read_int(store, "SELECT outbox_id FROM cards WHERE channel = 'telegram'"), "message", 0 };
    ck_ok(store_write(store, write_parked, &x, e));
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM cards WHERE chat_id = 7 AND retired = 0"), 1);
    ck_assert_int_eq(read_int(store, "SELECT retired FROM cards WHERE chat_id = -99"), 1);
    at(write_remind, NOW_MS + 60000); /* to where the question is now */
    ck_assert_int_eq(
        read_int(store, "SELECT COUNT(*) FROM outbox WHERE chat_id = 7 AND payload LIKE '%Still waiting%'"), 1);
    (void)r;
}
END_TEST

START_TEST(a_card_that_was_never_seen_takes_its_file_along)
{
    open_store(_i);
    char *body = arena_alloc(arena, 20000), *p = body;
    p += sprintf(p, "{\"type\":\"blocking\",\"message\":\"m\",\"request_id\":\"big\",\"details\":\"");
    memset(p, 'x', 9000);
    strcpy(p + 9000, "\"}");
    struct agent_request r = ask(body);
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM outbox WHERE kind = 'document'"), 2);
    ck_assert_int_eq(say_by(&r, OWNER, "ok"), ASK_ANSWERED);
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM outbox"), 0);
}
END_TEST

/* --- what a person reads --- */

static size_t shown_units(struct agent_request *r, int64_t message_id)
{
    struct card c = {
        .kind = "request", .channel = "telegram", .nonce = "00112233445566778899aabbccddeeff", .message_id = message_id
    };
    struct vote votes[32];
    struct reply out;
    char name[65];
    memset(name, 'n', 64);
    name[64] = '\0';
    for (int i = 0; i < 32; i++)
        votes[i] = (struct vote){ i + 1, name, 0 };
    struct card_view v = { r, &c, votes, 32, "UTC", NOW_MS };
    card_render(arena, &v, &out);
    ck_assert_int_le(out.button_count, 13);
    const char *html = buf_str(&out.html);
    ck_assert(strlen(html) < HTML_PART_BYTES_MAX);
    ck_assert(!strstr(html, "<script") && !strstr(html, "\xe2\x80\xae"));
    return strlen(html_to_plain(arena, html)); /* all of it is ASCII but for signs: bytes bound the units */
}

START_TEST(no_card_is_too_long_or_a_trick)
{
    settings.notify_chat_id = 0;
    ask_setup(&settings);
    static const size_t sizes[] = { 1, 2399, 2400, 2401, 32000 };
    for (size_t m = 0; m < 5; m++)
        for (size_t d = 0; d < 5; d++) {
            char *message = arena_alloc(arena, 33000), *details = arena_alloc(arena, 33000);
            memset(message, '<', sizes[m]);
            memset(details, '&', sizes[d]);
            struct agent_request r = {
                .request_id = "x", .origin = "send", .project = "pppppppppppppppppppppppppppppppp", .type = "blocking"
            };
            r.message = message;
            r.details = details;
            r.buttons = "[{\"label\":\"<script>\",\"value\":\"v\"},{\"label\":\"B\",\"value\":\"w\"}]";
            r.quorum = 2;
            r.expires_at_ms = NOW_MS + 1;
            r.away_from_ms = r.away_until_ms = NOW_MS;
            r.default_answer = "\xe2\x80\xae<script>";
            ck_assert_msg(shown_units(&r, 0) < 4096 - 64, "%zu and %zu", sizes[m], sizes[d]);
            r.state = REQUEST_RESPONDED;
            r.response = message;
            r.free_text = true;
            r.answered_name = "<script>";
            r.how = "reply";
            ck_assert(shown_units(&r, 5) < 4096 - 64);
        }
}
END_TEST

/* --- the log --- */

START_TEST(the_log_is_one_chain)
{
    open_store(_i);
    struct agent_request r = ask_shown(BODY(YES_NO));
    struct audit_row *rows;
    struct db *db;
    char hash[AUDIT_HASH_CHARS + 1], zeros[AUDIT_HASH_CHARS + 1];
    int count;
    ck_assert_int_eq(tap(&r, ASK_CHOOSE, 0, 0), ASK_ANSWERED);
    ck_ok(store_read_begin(store, &db, e));
    ck_ok(audit_read(db, arena, 0, NULL, 100, &rows, &count, e));
    store_read_end(store, db);
    static const char *const events[] = { "asked", "shown", "tapped", "answered" };
    ck_assert_int_eq(count, 4);
    memset(zeros, '0', AUDIT_HASH_CHARS);
    zeros[AUDIT_HASH_CHARS] = '\0';
    for (int i = 0; i < count; i++) {
        ck_assert_str_eq(rows[i].event, events[i]);
        ck_assert_int_eq(rows[i].seq, i + 1);
        ck_assert_str_eq(rows[i].previous, i ? rows[i - 1].hash : zeros);
        audit_hash(&rows[i], hash);
        ck_assert_str_eq(rows[i].hash, hash);
        struct audit_row changed[] = { rows[i], rows[i], rows[i], rows[i], rows[i], rows[i] };
        changed[0].seq++;
        changed[1].at_ms++;
        changed[2].actor = "nobody";
        changed[3].detail = "{}";
        changed[4].event = arena_printf(arena, "%s%.1s", rows[i].event, rows[i].actor); /* moved over the border */
        changed[4].actor = rows[i].actor + 1;
        changed[5].request_id = "another";
        for (int k = 0; k < 6; k++) {
            audit_hash(&changed[k], hash);
            ck_assert_msg(strcmp(rows[i].hash, hash) != 0 || (k == 3 && strcmp(rows[i].detail, "{}") == 0),
                          "row %d, change %d", i, k);
        }
    }
    struct error e = { 0 };
    ck_assert(store_write(store, write_script, (void *)(uintptr_t) "UPDATE audit SET actor = 'x' WHERE seq = 1", &e) !=
              OK);
    ck_assert(store_write(store, write_script, (void *)(uintptr_t) "DELETE FROM audit WHERE seq = 2", &e) != OK);
}
END_TEST

static void no_store(void)
{
    arena = arena_new();
}
static void no_end(void)
{
    arena_free(arena);
}

int main(void)
{
    Suite *suite = suite_create("ask");
    TCase *pure = tcase_create("pure"), *c = tcase_create("rows");
    ask_setup(&settings);
    tcase_add_checked_fixture(pure, no_store, no_end);
    tcase_add_test(pure, every_flipped_bit_of_a_token_is_refused);
    tcase_add_test(pure, durations_and_bounds);
    tcase_add_test(pure, quiet_hours_are_read_strictly);
    tcase_add_test(pure, no_card_is_too_long_or_a_trick);
    suite_add_tcase(suite, pure);
    tcase_add_checked_fixture(c, begin, end);
    tcase_set_timeout(c, 4 * FIXTURE_TEST_S);
    tcase_add_loop_test(c, no_forged_tap_is_taken, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, the_same_question_is_one, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, the_first_answer_stands, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, words_mean_what_a_button_says, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_number_cannot_be_got_around, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_quorum_counts_people, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, ticks_say_what_is_not_that_it_changes, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, time_answers_with_the_default, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_quiet_night_uses_no_reminders_up, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, late_words_answer_nothing_that_was_asked_after_them, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_card_whose_sends_got_no_answer_can_be_tapped, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_tap_on_a_card_that_is_sent_again_stops_that, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_refused_edit_leaves_the_buttons_alive, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_group_that_refuses_hands_over_to_the_owner_once, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_card_that_was_never_seen_takes_its_file_along, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, the_log_is_one_chain, DB_SQLITE, DB_POSTGRES + 1);
    suite_add_tcase(suite, c);
    return fixture_main(suite, false);
}
