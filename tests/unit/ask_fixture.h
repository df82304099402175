/* SPDX-License-Identifier: MIT
 * ask_fixture: agents' requests in a database of either kind: asking, showing, tapping, saying.  Made for one
 * test executable at a time: include it once. */
#ifndef TESTS_UNIT_ASK_FIXTURE_H
#define TESTS_UNIT_ASK_FIXTURE_H

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

static UNUSED void begin(void)
{
    arena = arena_new();
}
static UNUSED void end(void)
{
    store_close(store);
    arena_free(arena);
}

static UNUSED enum status write_key(struct db *db, void *key, struct error *e)
{
    return ask_key(db, key, e);
}

static UNUSED void open_store(int kind)
{
    char url[FIXTURE_URL_BYTES];
    fixture_url(kind, url);
    struct store_options o = { .url = url, .exclusive = true };
    ck_ok(store_open(&o, &store, e));
    ck_ok(store_write(store, write_key, settings.key, e));
    ask_setup(&settings);
}

static UNUSED void run_sql(const char *sql)
{
    ck_ok(store_write(store, write_script, (void *)(uintptr_t)sql, e));
}

static UNUSED const char *read_text(const char *sql)
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

static UNUSED enum status reads(const char *body, struct agent_request *r, struct error *e)
{
    struct json_object *o;
    if (json_parse_in(arena, body, strlen(body), &o, e))
        return e->status;
    return ask_read(arena, o, "send", r, e);
}

static UNUSED enum status write_put(struct db *db, void *arg, struct error *e)
{
    struct agent_request r = *(struct agent_request *)arg;
    bool again;
    return ask_put(db, arena, &r, &again, NOW_MS, e) ? e->status : (*(struct agent_request *)arg = r, OK);
}

#define BODY(more) "{\"project\":\"p\",\"type\":\"blocking\",\"message\":\"Deploy?\"" more "}"
#define YES_NO ",\"buttons\":[\"Yes\",\"No\"]"

/* The stored request. */
static UNUSED struct agent_request ask(const char *body)
{
    struct agent_request r;
    ck_ok(reads(body, &r, e));
    ck_ok(store_write(store, write_put, &r, e));
    return r;
}

static UNUSED enum status write_sent(struct db *db, void *arg, struct error *e)
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
static UNUSED struct agent_request ask_shown(const char *body)
{
    struct agent_request r = ask(body);
    ck_ok(store_write(store, write_sent, &r, e));
    return r;
}

static UNUSED const char *nonce_of(const struct agent_request *r)
{
    return read_text(arena_printf(
        arena, "SELECT nonce FROM cards WHERE channel = 'telegram' AND kind = 'request' AND request_id = %lld",
        (long long)r->id));
}

static UNUSED const char *token(const char *nonce, enum ask_verb verb, int a, int b)
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

static UNUSED enum status write_tap(struct db *db, void *arg, struct error *e)
{
    struct tap *t = arg;
    return ask_tap(db, arena, t->data, &t->voice, NOW_MS, &t->outcome, &t->says, &t->r, e);
}

static UNUSED struct ask_voice voice(int64_t id, int64_t message_id)
{
    return (struct ask_voice){ .id = id,
                               .name = id == OWNER ? "Ada" : "Bob",
                               .how = "tap",
                               .channel = "telegram",
                               .chat_id = OWNER,
                               .message_id = message_id };
}

static UNUSED enum ask_outcome tap_by(const struct agent_request *r, int64_t id, enum ask_verb verb, int a, int b)
{
    struct tap t = { .data = token(nonce_of(r), verb, a, b), .voice = voice(id, 100 + r->id) };
    ck_ok(store_write(store, write_tap, &t, e));
    return t.outcome;
}

static UNUSED enum ask_outcome tap(const struct agent_request *r, enum ask_verb verb, int a, int b)
{
    return tap_by(r, OWNER, verb, a, b);
}

struct words {
    int64_t id;
    const char *text;
    struct ask_voice voice;
    enum ask_outcome outcome;
};

static UNUSED enum status write_words(struct db *db, void *arg, struct error *e)
{
    struct words *w = arg;
    const char *says;
    struct agent_request r;
    return ask_text(db, arena, w->id, w->text, &w->voice, NOW_MS, &w->outcome, &says, &r, e);
}

static UNUSED enum ask_outcome say_by(const struct agent_request *r, int64_t id, const char *text)
{
    struct words w = { .id = r->id, .text = text, .voice = voice(id, 0) };
    ck_ok(store_write(store, write_words, &w, e));
    return w.outcome;
}

static UNUSED struct agent_request again(const struct agent_request *r)
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

/* --- without a database --- */

static UNUSED void no_store(void)
{
    arena = arena_new();
}
static UNUSED void no_end(void)
{
    arena_free(arena);
}

#endif
