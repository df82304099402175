/* SPDX-License-Identifier: MIT
 * Time and absences, and cards that may or do stand there: what is sent again, refused, handed over; their files. */
#include "tests/unit/ask_fixture.h"

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

static enum status write_alive(struct db *db, void *arg, struct error *e)
{
    struct clock_work *w = arg;
    int64_t away_ms;
    return ask_alive(db, arena, w->now_ms, &away_ms, &w->count, e);
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

START_TEST(nobody_is_nagged_who_was_removed)
{
    struct ask_settings later = settings;
    open_store(_i);
    struct agent_request r = ask_shown(BODY(",\"remind_every\":60"));
    memcpy(later.key, settings.key, sizeof later.key);
    later.allowed = people + 1;
    later.allowed_count = 1;
    ask_setup(&later);
    ck_assert_int_eq(at(write_remind, NOW_MS + 60000), 1);
    ck_assert_int_eq(again(&r).reminded, 0);
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM outbox WHERE payload LIKE '%Still waiting%'"), 0);
    ask_setup(&settings); /* and back */
    ck_assert_int_eq(at(write_remind, NOW_MS + 120000), 1);
    ck_assert_int_eq(again(&r).reminded, 1);
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM outbox WHERE payload LIKE '%Still waiting%'"), 1);
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

/* More than one batch: requests that are in the database already, with cards that stand in the owner's chat. */
static void many_shown(int count)
{
    ask_shown(BODY(YES_NO));
    run_sql(arena_printf(
        arena,
        "INSERT INTO requests (request_id, content_hash, origin, project, type, message, state, created_at)"
        " WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
        " SELECT 'n' || i, 'h', 'send', 'p', 'blocking', 'Which?', 'open', %d FROM n;"
        "INSERT INTO cards (kind, request_id, project, channel, chat_id, nonce, message_id, version,"
        " created_at) SELECT 'request', id, 'p', 'telegram', %d, 'nonce' || id, 1000 + id, 1, 1"
        " FROM requests WHERE message = 'Which?'",
        count - 1, NOW_MS, OWNER));
}

START_TEST(after_an_absence_every_card_is_shown_anew)
{
    enum { COUNT = 450, AWAY_MS = 600000 };
    open_store(_i);
    ck_assert_int_eq(at(write_alive, NOW_MS), 0);
    many_shown(COUNT);
    run_sql(arena_printf(arena, "UPDATE requests SET created_at = %d WHERE request_id = 'n1'", NOW_MS + AWAY_MS - 1));
    int64_t now_ms = NOW_MS + AWAY_MS;
    int batch, shown = 0, calls = 0;
    for (; (batch = at(write_alive, now_ms)) > 0 && calls < 10; calls++, now_ms += 10000) {
        ck_assert_int_le(batch, 200);
        shown += batch;
    }
    ck_assert_int_eq(shown, COUNT - 1); /* one was asked while the taps came through again */
    ck_assert_int_eq(calls, 3);
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM outbox WHERE kind = 'edit' AND payload LIKE '%I was away%'"),
                     COUNT - 1);
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM requests WHERE away_from = 1000000000"), COUNT - 1);
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM outbox WHERE payload LIKE '%could not hear%'"), 1);
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM outbox WHERE payload LIKE '%and 439 more%'"), 1);
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM settings WHERE name = 'away'"), 0);
}
END_TEST

START_TEST(two_absences_are_told_together)
{
    enum { COUNT = 250, AWAY_MS = 600000, AGAIN_MS = NOW_MS + 2 * AWAY_MS };
    open_store(_i);
    ck_assert_int_eq(at(write_alive, NOW_MS), 0);
    many_shown(COUNT);
    run_sql(arena_printf(arena, "UPDATE requests SET created_at = %d WHERE request_id = 'n1'", NOW_MS + AWAY_MS));
    ck_assert_int_eq(at(write_alive, NOW_MS + AWAY_MS), 200); /* and off again, before the rest */
    ck_assert_int_eq(at(write_alive, AGAIN_MS), 200);
    ck_assert_int_eq(at(write_alive, AGAIN_MS + 10000), 50);
    ck_assert_int_eq(
        read_int(store, arena_printf(arena, "SELECT COUNT(*) FROM requests WHERE away_from = %d AND away_until = %d",
                                     NOW_MS, AGAIN_MS)),
        COUNT);
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM outbox WHERE payload LIKE '%could not hear%'"), 2);
    ck_assert_int_eq(at(write_alive, AGAIN_MS + 20000), 0);
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
    struct stmt *s = db_query(db, "SELECT dedupe_key FROM outbox WHERE id = $1", p_int(x->outbox_id));
    while (db_step(s))
        row.dedupe_key = arena_strdup(arena, db_text(s, 0));
    if (db_done(s, e) ||
        db_run(db, e, "UPDATE outbox SET state = 'parked', unknowns = $2, finished_at = $3 WHERE id = $1",
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

START_TEST(a_card_that_never_gets_an_answer_is_not_posted_for_ever)
{
    open_store(_i);
    struct agent_request r = ask(BODY(YES_NO ",\"expires_in\":\"never\""));
    static const int minutes[] = { 5, 10, 20, 40, 80, 160, 320, 360, 360 };
    int64_t now_ms = NOW_MS;
    for (size_t i = 0; i < sizeof minutes / sizeof *minutes; i++) {
        struct ending x = { read_int(store, "SELECT MAX(outbox_id) FROM cards WHERE channel = 'telegram'"), "message",
                            1 };
        ck_ok(store_write(store, write_parked, &x, e));
        run_sql(arena_printf(arena, "UPDATE outbox SET finished_at = %lld WHERE id = %lld", (long long)now_ms,
                             (long long)x.outbox_id));
        now_ms += minutes[i] * 60000;
        ck_assert_msg(at(write_heal, now_ms - 1) == 0, "pause %zu is too short", i + 1);
        ck_assert_msg(at(write_heal, now_ms) == 1, "pause %zu is too long", i + 1);
    }
    struct ending last = { read_int(store, "SELECT MAX(outbox_id) FROM cards WHERE channel = 'telegram'"), "message",
                           1 };
    ck_ok(store_write(store, write_parked, &last, e));
    ck_assert_int_eq(at(write_heal, now_ms + 30LL * 24 * 3600 * 1000), 0);   /* the last try: no more of this */
    run_sql("UPDATE cards SET outbox_id = NULL WHERE channel = 'telegram'"); /* but a new place is a new matter */
    ck_assert_int_eq(at(write_heal, now_ms), 1);
    ck_assert_int_eq(say_by(&r, OWNER, "Yes"), ASK_ANSWERED);
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

/* A body whose details go into a file. */
static const char *with_file(const char *id, const char *type, const char *more)
{
    char *details = arena_alloc(arena, 9001);
    memset(details, 'x', 9000);
    return arena_printf(arena, "{\"type\":\"%s\",\"message\":\"m\",\"request_id\":\"%s\",\"details\":\"%s\"%s}", type,
                        id, details, more);
}

START_TEST(a_card_that_was_never_seen_takes_its_file_along)
{
    open_store(_i);
    struct agent_request r = ask(with_file("big", "blocking", ""));
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM outbox WHERE kind = 'document'"), 2);
    ck_assert_int_eq(say_by(&r, OWNER, "ok"), ASK_ANSWERED);
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM outbox"), 0);
}
END_TEST

static void park_file(int unknowns)
{
    struct ending x = { read_int(store, "SELECT MAX(id) FROM outbox WHERE channel = 'telegram' AND kind = 'document'"),
                        "document", unknowns };
    ck_ok(store_write(store, write_parked, &x, e));
}

#define REFUSED "could not be sent here. Read it on the console page"
#define UNSURE "not known whether this file arrived here"
static int64_t rows_with(const char *kind, const char *words)
{
    return read_int(
        store,
        arena_printf(arena, "SELECT COUNT(*) FROM outbox WHERE kind = '%s' AND payload LIKE '%%%s%%'", kind, words));
}

START_TEST(a_card_whose_file_was_refused_says_so)
{
    open_store(_i);
    struct agent_request r = ask(with_file("waits", "blocking", YES_NO));
    ck_assert_int_eq(rows_with("message", "Complete in"), 2);
    park_file(0);
    ck_assert_int_eq(rows_with("message", REFUSED), 1);       /* the card waits still: it goes out with the truth */
    ck_assert_int_eq(rows_with("message", "Complete in"), 1); /* the console's, whose file is there */
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM audit WHERE event = 'file not shown'"), 1);
    ck_ok(store_write(store, write_sent, &r, e));
    ck_assert_int_eq(tap(&r, ASK_CHOOSE, 0, 0), ASK_ANSWERED);
    ck_assert_int_eq(rows_with("edit", REFUSED), 1); /* as long as the card stands */
    ask_shown(with_file("sent", "blocking", YES_NO));
    park_file(1);
    ck_assert_int_eq(rows_with("edit", UNSURE), 1);
    r = ask_shown(with_file("over", "blocking", YES_NO));
    ck_assert_int_eq(tap(&r, ASK_CHOOSE, 0, 0), ASK_ANSWERED);
    run_sql("UPDATE outbox SET state = 'sent', finished_at = 1 WHERE kind = 'edit'");
    park_file(1);
    ck_assert_int_eq(rows_with("edit", UNSURE), 2);
    ck_assert_int_eq(again(&r).state, REQUEST_RESPONDED);
}
END_TEST

START_TEST(a_message_whose_file_was_refused_says_so_alone)
{
    open_store(_i);
    ask(with_file("first", "milestone", ""));
    ask("{\"type\":\"milestone\",\"message\":\"done\",\"request_id\":\"second\"}");
    park_file(0);
    ck_assert_int_eq(rows_with("message", "could not be sent here. Ask the agent for it"), 1);
    ck_assert_int_eq(rows_with("message", "done"), 1);
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM outbox WHERE kind = 'message'"), 2);
}
END_TEST

START_TEST(a_heartbeat_has_no_file_and_names_none)
{
    open_store(_i);
    ask(with_file("first", "heartbeat", ""));
    ck_assert_int_eq(read_int(store, "SELECT COUNT(*) FROM outbox WHERE kind = 'document'"), 0);
    ck_assert_int_eq(rows_with("message", "Complete in"), 0);
    ck_assert_int_eq(rows_with("message", "xxx…"), 1);
    ck_assert_int_lt(read_int(store, "SELECT MAX(LENGTH(payload)) FROM outbox"), 1000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ask_cards");
    TCase *c = tcase_create("rows");
    ask_setup(&settings);
    tcase_add_checked_fixture(c, begin, end);
    tcase_set_timeout(c, 4 * FIXTURE_TEST_S);
    tcase_add_loop_test(c, time_answers_with_the_default, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_quiet_night_uses_no_reminders_up, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, nobody_is_nagged_who_was_removed, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, late_words_answer_nothing_that_was_asked_after_them, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_card_whose_sends_got_no_answer_can_be_tapped, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_tap_on_a_card_that_is_sent_again_stops_that, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_refused_edit_leaves_the_buttons_alive, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_group_that_refuses_hands_over_to_the_owner_once, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_card_that_was_never_seen_takes_its_file_along, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, after_an_absence_every_card_is_shown_anew, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, two_absences_are_told_together, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_card_that_never_gets_an_answer_is_not_posted_for_ever, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_card_whose_file_was_refused_says_so, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_message_whose_file_was_refused_says_so_alone, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_heartbeat_has_no_file_and_names_none, DB_SQLITE, DB_POSTGRES + 1);
    suite_add_tcase(suite, c);
    return fixture_main(suite, false);
}
