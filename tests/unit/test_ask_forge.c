/* SPDX-License-Identifier: MIT
 * Forged, replayed and borrowed buttons: none is taken. */
#include "tests/unit/ask_fixture.h"

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

int main(void)
{
    Suite *suite = suite_create("ask_forge");
    TCase *c = tcase_create("rows"), *pure = tcase_create("pure");
    ask_setup(&settings);
    tcase_add_checked_fixture(pure, no_store, no_end);
    tcase_add_test(pure, every_flipped_bit_of_a_token_is_refused);
    suite_add_tcase(suite, pure);
    tcase_add_checked_fixture(c, begin, end);
    tcase_set_timeout(c, 4 * FIXTURE_TEST_S);
    tcase_add_loop_test(c, no_forged_tap_is_taken, DB_SQLITE, DB_POSTGRES + 1);
    suite_add_tcase(suite, c);
    return fixture_main(suite, false);
}
