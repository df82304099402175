/* SPDX-License-Identifier: MIT
 * The two queues on both databases: duplicates, order per lane, fencing, rescue, parking, reminders. */
#include "tests/unit/store_fixture.h"

#include "base/limits.h"
#include "store/history.h"
#include "store/inbox.h"
#include "store/outbox.h"
#include "store/reminders.h"
#include "store/usage.h"

static struct arena *arena;

/* As the server opens it: whoever is not alive is known to be dead. */
static struct store *open_server(int kind)
{
    char url[FIXTURE_URL_BYTES];
    struct store *store;
    struct store_options o = { .url = url, .exclusive = true };
    fixture_url(kind, url);
    ck_ok(store_open(&o, &store, e));
    return store;
}

static void begin(void)
{
    arena = arena_new();
}
static void end(void)
{
    arena_free(arena);
}

struct put {
    struct inbox_update update[16];
    size_t count;
    int64_t stored;
};
static enum status write_put(struct db *db, void *arg, struct error *e)
{
    struct put *p = arg;
    return inbox_put(db, p->update, p->count, 1000, &p->stored, e);
}

static void put(struct store *s, const char *key, const char *lane, bool tap)
{
    struct put p = { .update = { { "telegram", key, lane, "{\"update_id\":1}", tap } }, .count = 1 };
    ck_ok(store_write(s, write_put, &p, e));
    ck_assert_int_eq(p.stored, 1);
}

static struct inbox_claim claim_as(struct store *s, int64_t owner_id, bool tap)
{
    struct inbox_claim c = { .arena = arena, .owner_id = owner_id, .tap = tap, .crashes_max = INBOX_CRASHES_MAX };
    ck_ok(store_write(s, inbox_claim, &c, e));
    return c;
}

static struct inbox_claim claim(struct store *s)
{
    return claim_as(s, store_owner_id(s), false);
}

struct settle {
    int64_t id, token;
    int what; /* 0 done, 1 hold, 2 give back */
};
static enum status write_settle(struct db *db, void *arg, struct error *e)
{
    struct settle *x = arg;
    if (x->what == 1)
        return inbox_hold(db, x->id, x->token, 9e15, e);
    if (x->what == 2)
        return inbox_give_back(db, x->id, x->token, 0, e);
    return inbox_done(db, x->id, x->token, "ok", 2000, e);
}

static enum status write_give_back_late(struct db *db, void *arg, struct error *e)
{
    const struct inbox_row *row = arg;
    return inbox_give_back(db, row->id, row->token, 9000000000000000, e);
}

static enum status write_sql(struct db *db, void *arg, struct error *e)
{
    return db_run(db, e, arg);
}

static void run_sql(struct store *s, const char *sql)
{
    char text[256];
    snprintf(text, sizeof text, "%s", sql);
    ck_ok(store_write(s, write_sql, text, e));
}

START_TEST(duplicates_are_no_ops)
{
    struct store *s = open_server(_i);
    struct put p = { .count = 3 };
    p.update[0] = (struct inbox_update){ "telegram", "1", "chat:telegram:1", "a", false };
    p.update[1] = (struct inbox_update){ "telegram", "1", "chat:telegram:1", "b", false };
    p.update[2] = (struct inbox_update){ "console", "1", "chat:console:0", "c", false };
    ck_ok(store_write(s, write_put, &p, e));
    ck_assert_int_eq(p.stored, 2);
    ck_ok(store_write(s, write_put, &p, e));
    ck_assert_int_eq(p.stored, 0);
    ck_assert_int_eq(read_int(s, "SELECT COUNT(*) FROM inbox"), 2);
    store_close(s);
}
END_TEST

START_TEST(lanes_keep_their_order)
{
    struct store *s = open_server(_i);
    put(s, "1", "chat:telegram:1", false);
    put(s, "2", "chat:telegram:1", false);
    put(s, "3", "chat:telegram:2", false);
    put(s, "4", "tap:telegram:1", true);
    struct inbox_claim a = claim(s), b = claim(s), c = claim(s), tap = claim_as(s, store_owner_id(s), true);
    ck_assert(a.found && b.found && !c.found && tap.found);
    ck_assert_str_eq(a.row.update_key, "1");
    ck_assert_str_eq(b.row.update_key, "3");
    ck_assert_str_eq(tap.row.update_key, "4");
    struct settle done = { a.row.id, a.row.token, 0 };
    ck_ok(store_write(s, write_settle, &done, e));
    c = claim(s);
    ck_assert(c.found);
    ck_assert_str_eq(c.row.update_key, "2");
    store_close(s);
}
END_TEST

START_TEST(a_head_that_waits_holds_its_lane)
{
    struct store *s = open_server(_i);
    put(s, "1", "chat:telegram:1", false);
    put(s, "2", "chat:telegram:1", false);
    struct inbox_claim a = claim(s);
    ck_assert(a.found && a.more); /* the second one is there, behind it */
    ck_ok(store_write(s, write_give_back_late, &a.row, e));
    ck_assert(!claim(s).found);
    put(s, "3", "chat:telegram:2", false);
    struct inbox_claim b = claim(s);
    ck_assert_str_eq(b.row.update_key, "3");
    ck_assert(b.more);
    ck_assert(!claim(s).found);
    run_sql(s, "UPDATE inbox SET run_at = 2000 WHERE update_key = '1'"); /* due, and later than the one behind it */
    ck_assert_str_eq(claim(s).row.update_key, "1");
    ck_assert(!claim(s).found);
    store_close(s);
}
END_TEST

/* Whatever bytes a row has, and however many rows there are. */
START_TEST(a_batch_is_taken_in_as_it_is)
{
    struct store *s = open_server(_i);
    struct put p = { .count = 16 };
    for (size_t i = 0; i < p.count; i++)
        p.update[i] = (struct inbox_update){ "telegram", arena_printf(arena, "%zu", i % 13),
                                             arena_printf(arena, "chat:telegram:%zu", i),
                                             i == 5 ? "a\x1f"
                                                      "b"
                                                    : "\"{},\\",
                                             i == 7 };
    for (int round = 0; round < 2; round++) {
        ck_ok(store_write(s, write_put, &p, e));
        ck_assert_int_eq(p.stored, round == 0 ? 13 : 0);
    }
    ck_assert_int_eq(read_int(s, "SELECT COUNT(*) FROM inbox WHERE update_key = '5' AND length(body) = 3"), 1);
    ck_assert_int_eq(read_int(s, "SELECT COUNT(*) FROM inbox WHERE lane = 'chat:telegram:' || update_key"), 13);
    ck_assert_int_eq(read_int(s, "SELECT COUNT(*) FROM inbox WHERE tap = 1 AND update_key = '7'"), 1);
    p.update[5].body = "{}"; /* without the separator: the way of most batches */
    for (size_t i = 0; i < p.count; i++)
        p.update[i].channel = "console";
    ck_ok(store_write(s, write_put, &p, e));
    ck_assert_int_eq(p.stored, 13);
    ck_assert_int_eq(read_int(s, "SELECT COUNT(*) FROM inbox WHERE body = '\"{},\\'"), 24);
    ck_assert_int_eq(read_int(s, "SELECT COUNT(*) FROM inbox WHERE received_at = 1000 AND run_at = 1000"), 26);
    store_close(s);
}
END_TEST

START_TEST(a_stale_token_changes_nothing)
{
    struct store *s = open_server(_i);
    put(s, "1", "chat:telegram:1", false);
    struct inbox_claim a = claim(s);
    struct settle x = { a.row.id, a.row.token, 2 };
    ck_ok(store_write(s, write_settle, &x, e));
    struct inbox_claim b = claim(s);
    ck_assert(b.found && b.row.token > a.row.token);
    for (x.what = 0; x.what < 3; x.what++)
        ck_is(store_write(s, write_settle, &x, e), ST_LOST, "another worker");
    ck_assert_int_eq(read_int(s, "SELECT COUNT(*) FROM inbox WHERE state = 'running'"), 1);
    struct settle mine = { b.row.id, b.row.token, 1 };
    ck_ok(store_write(s, write_settle, &mine, e));
    mine.what = 0;
    ck_ok(store_write(s, write_settle, &mine, e));
    ck_is(store_write(s, write_settle, &mine, e), ST_LOST, "another worker");
    store_close(s);
}
END_TEST

struct rescue {
    int64_t now_ms, rescued, retried;
    struct inbox_row *parked;
    int parked_count;
};
static enum status write_rescue(struct db *db, void *arg, struct error *e)
{
    struct rescue *r = arg;
    if (inbox_rescue(db, arena, r->now_ms, &r->rescued, &r->parked, &r->parked_count, e))
        return e->status;
    return inbox_last_try(db, r->now_ms, &r->retried, e);
}

START_TEST(dead_owners_rows_come_back_and_poison_is_parked)
{
    enum { DEAD = 77777 };
    struct store *s = open_server(_i);
    put(s, "1", "chat:telegram:1", false);
    put(s, "2", "chat:telegram:2", false);
    struct inbox_claim living = claim(s);
    ck_assert_str_eq(living.row.update_key, "1");
    for (int crash = 1; crash <= INBOX_CRASHES_MAX + 1; crash++) {
        struct inbox_claim dead = claim_as(s, DEAD, false);
        ck_assert_msg(dead.found, "crash %d", crash);
        ck_assert_str_eq(dead.row.update_key, "2");
        struct rescue r = { .now_ms = dead.now_ms };
        ck_ok(store_write(s, write_rescue, &r, e));
        ck_assert_int_eq(r.rescued, 1); /* the living one's row is left alone */
        ck_assert_int_eq(r.parked_count, crash >= INBOX_CRASHES_MAX);
        if (crash == INBOX_CRASHES_MAX) {
            ck_assert(!claim(s).found);
            struct rescue later = { .now_ms = dead.now_ms + INBOX_LAST_TRY_MS };
            ck_ok(store_write(s, write_rescue, &later, e));
            ck_assert_int_eq(later.retried, 1);
            ck_ok(store_write(s, write_script, "UPDATE inbox SET run_at = 0 WHERE state = 'available'", e));
        }
    }
    struct rescue last = { .now_ms = INT64_MAX / 2 };
    ck_ok(store_write(s, write_rescue, &last, e)); /* takes the living one's row too: its lease has ended */
    ck_assert_int_eq(last.rescued, 1);
    ck_assert_int_eq(last.retried, 0);
    ck_assert_int_eq(read_int(s, "SELECT COUNT(*) FROM inbox WHERE state = 'parked' AND crashes = 4"), 1);
    store_close(s);
}
END_TEST

START_TEST(young_processes_leave_suspects)
{
    struct store *s = open_server(_i);
    put(s, "1", "chat:telegram:1", false);
    ck_ok(store_write(s, write_script, "UPDATE inbox SET crashes = 2", e));
    struct inbox_claim c = { .arena = arena, .owner_id = 1, .crashes_max = 1 };
    ck_ok(store_write(s, inbox_claim, &c, e));
    ck_assert(!c.found);
    ck_assert(claim(s).found);
    store_close(s);
}
END_TEST

/* --- outbox --- */

struct out {
    struct outbox_row row;
    int64_t id;
};
static enum status write_out(struct db *db, void *arg, struct error *e)
{
    struct out *o = arg;
    return outbox_put(db, &o->row, 1000, &o->id, e);
}

static int64_t out(struct store *s, int64_t chat_id, const char *kind, int priority, const char *dedupe_key)
{
    struct out o = { .row = { .channel = "telegram",
                              .chat_id = chat_id,
                              .kind = kind,
                              .priority = priority,
                              .payload = "{}",
                              .dedupe_key = dedupe_key } };
    ck_ok(store_write(s, write_out, &o, e));
    return o.id;
}

static struct outbox_claim take(struct store *s, int max, const int64_t *skip, int skip_count)
{
    struct outbox_claim c = { .arena = arena,
                              .owner_id = store_owner_id(s),
                              .channels = ",telegram,",
                              .max = max,
                              .skip_chats = skip,
                              .skip_count = skip_count };
    ck_ok(store_write(s, outbox_claim, &c, e));
    return c;
}

static enum status write_sent(struct db *db, void *row, struct error *e)
{
    return outbox_sent(db, row, 55, 3000, e);
}

START_TEST(outbox_claims_heads_by_priority)
{
    struct store *s = open_server(_i);
    int64_t first = out(s, 1, "message", 2, NULL), second = out(s, 1, "message", 0, NULL);
    int64_t other = out(s, 2, "message", 1, NULL), tap = out(s, 1, "tap", 0, NULL);
    ck_assert_int_eq(out(s, 3, "message", 2, "once") != 0, 1);
    ck_assert_int_eq(out(s, 3, "message", 2, "once"), 0); /* the same reply a second time */
    const int64_t skip[] = { 3, 12 };
    struct outbox_claim c = take(s, 10, skip, 2);
    ck_assert_int_eq(c.count, 3);
    ck_assert_int_eq(c.rows[0].id, second); /* it overtakes what matters less */
    ck_assert_int_eq(c.rows[1].id, tap);
    ck_assert_int_eq(c.rows[2].id, other);
    ck_assert_int_eq(take(s, 10, skip, 2).count, 0);
    ck_ok(store_write(s, write_sent, &c.rows[0], e));
    struct outbox_claim next = take(s, 10, NULL, 0);
    ck_assert_int_eq(next.count, 2);
    ck_assert_int_eq(next.rows[0].id, first);
    ck_is(store_write(s, write_sent, &c.rows[0], e), ST_LOST, "another sender");
    ck_assert_int_eq(read_int(s, "SELECT message_id FROM outbox WHERE state = 'sent'"), 55);
    store_close(s);
}
END_TEST

static enum status write_out_rescue(struct db *db, void *rescued, struct error *e)
{
    return outbox_rescue(db, 5000, rescued, e);
}

START_TEST(an_interrupted_send_is_marked)
{
    struct store *s = open_server(_i);
    out(s, 1, "message", 2, NULL);
    struct outbox_claim c = { .arena = arena, .owner_id = 88888, .channels = ",telegram,", .max = 1 };
    ck_ok(store_write(s, outbox_claim, &c, e));
    ck_assert_int_eq(c.count, 1);
    int64_t rescued = 0;
    ck_ok(store_write(s, write_out_rescue, &rescued, e));
    ck_assert_int_eq(rescued, 1);
    struct outbox_claim again = take(s, 1, NULL, 0);
    ck_assert_int_eq(again.count, 1);
    ck_assert_int_eq(again.rows[0].unknowns, 1);
    ck_is(store_write(s, write_sent, &c.rows[0], e), ST_LOST, "another sender"); /* the zombie's late word */
    store_close(s);
}
END_TEST

/* --- history, usage, reminders --- */

static enum status write_history(struct db *db, void *arg, struct error *e)
{
    struct history_key k = { "telegram", 1, 1 };
    (void)arg;
    for (int i = 0; i < 10; i++) {
        char text[32];
        snprintf(text, sizeof text, "turn %d", i);
        if (history_add(db, &k, i % 2 == 0, text, i, i % 2 == 0 ? 100 + i : 0, i, e))
            return e->status;
    }
    struct usage u = { .provider = "p", .model = "m", .outcome = "ok", .input_tokens = 5, .output_tokens = 7 };
    return usage_add(db, &u, 1000, e);
}

START_TEST(history_is_bounded_and_begins_with_the_person)
{
    struct store *s = open_server(_i);
    struct history_key k = { "telegram", 1, 1 }, other = { "telegram", 1, 2 };
    struct history_turn *t;
    const char *text;
    struct db *db;
    int n;
    struct usage_day day;
    ck_ok(store_write(s, write_history, NULL, e));
    ck_ok(store_read_begin(s, &db, e));
    ck_ok(history_recent(db, arena, &k, 5, 1000, &t, &n, e));
    ck_assert_int_eq(n, 4);
    ck_assert(t[0].from_user);
    ck_assert_str_eq(t[0].text, "turn 6");
    ck_ok(history_recent(db, arena, &k, 8, 13, &t, &n, e)); /* bytes for two turns */
    ck_assert_int_eq(n, 2);
    ck_ok(history_recent(db, arena, &other, 8, 1000, &t, &n, e));
    ck_assert_int_eq(n, 0);
    ck_ok(history_of_message(db, arena, &k, 104, &text, e));
    ck_assert_str_eq(text, "turn 4");
    ck_ok(history_of_inbox(db, arena, &k, 4, &text, e));
    ck_assert_str_eq(text, "turn 4");
    ck_ok(history_of_inbox(db, arena, &other, 4, &text, e));
    ck_assert_ptr_null(text);
    ck_ok(usage_today(db, "UTC", 86399999, &day, e));
    ck_assert_int_eq(day.tokens, 12);
    ck_ok(usage_today(db, "UTC", 86400000, &day, e));
    ck_assert_int_eq(day.tokens, 0);
    store_read_end(s, db);
    store_close(s);
}
END_TEST

static enum status write_prune(struct db *db, void *before_ms, struct error *e)
{
    const int64_t *at_ms = before_ms;
    if (step_put(db, 1, 0, "{}", 4, e) || step_put(db, 2, 0, "{}", 6, e) || step_put(db, 2, 1, "{}", 7, e) ||
        history_prune(db, *at_ms, e))
        return e->status;
    return inbox_prune(db, *at_ms, e);
}

START_TEST(what_is_old_is_forgotten)
{
    struct store *s = open_server(_i);
    int64_t before_ms = 5;
    ck_ok(store_write(s, write_history, NULL, e));
    ck_ok(store_write(s, write_prune, &before_ms, e));
    ck_assert_int_eq(read_int(s, "SELECT count(*) FROM history"), 5);
    ck_assert_int_eq(read_int(s, "SELECT min(created_at) FROM history"), 5);
    ck_assert_int_eq(read_int(s, "SELECT count(*) FROM turn_steps"), 2);
    ck_ok(store_write(s, write_script, "DELETE FROM turn_steps", e));
    before_ms = 100; /* all of it */
    ck_ok(store_write(s, write_prune, &before_ms, e));
    ck_assert_int_eq(read_int(s, "SELECT count(*) FROM history"), 0);
    ck_assert_int_eq(read_int(s, "SELECT count(*) FROM turn_steps"), 0);
    store_close(s);
}
END_TEST

static struct reminder_people reminded;

static enum status write_take(struct db *db, void *count, struct error *e)
{
    struct reminder *r;
    return reminders_take(db, arena, &reminded, 1000, 10, &r, count, e);
}

static enum status write_move(struct db *db, void *arg, struct error *e)
{
    struct journal j = { .db = db, .inbox_id = 5, .user_id = 1, .now_ms = 1000 };
    (void)arg;
    if (reminders_move_zone(&j, arena, "Europe/Berlin", "America/New_York", e))
        return e->status;
    return journal_close(&j, e);
}

START_TEST(reminders_fire_once_and_move_with_the_zone)
{
    struct store *s = open_server(_i);
    int fired = 0;
    ck_ok(store_write(
        s, write_script,
        "INSERT INTO users (id, created_at) VALUES (1, 0);"
        "INSERT INTO tasks (user_id, content, created_date, remind_at, completed) VALUES (1, 'due', 'x', 900, 0);"
        "INSERT INTO tasks (user_id, content, created_date, remind_at, completed) VALUES (1, 'done', 'x', 900, 1);"
        "INSERT INTO tasks (user_id, content, created_date, remind_at, completed) VALUES (1, 'later', 'x', "
        "1795176000000, 0);"
        "INSERT INTO tasks (user_id, content, created_date, remind_at, completed) VALUES (2, 'other', 'x', "
        "1795176000000, 0)",
        e));
    ck_ok(store_write(s, write_take, &fired, e));
    ck_assert_int_eq(fired, 1);
    ck_ok(store_write(s, write_take, &fired, e));
    ck_assert_int_eq(fired, 0);
    ck_ok(store_write(s, write_move, NULL, e));
    ck_assert_int_eq(read_int(s, "SELECT remind_at FROM tasks WHERE content = 'later'"), 1795176000000 + 6 * 3600000LL);
    ck_assert_int_eq(read_int(s, "SELECT remind_at FROM tasks WHERE content = 'other'"), 1795176000000);
    store_close(s);
}
END_TEST

static const char *who_is_reminded(struct store *s, struct reminder_people people)
{
    static const char reset[] = "UPDATE tasks SET reminded_at = NULL";
    int fired;
    struct db *db;
    const char *all = "";
    reminded = people;
    ck_ok(store_write(s, write_script, (void *)reset, e));
    ck_ok(store_write(s, write_take, &fired, e));
    ck_ok(store_read_begin(s, &db, e));
    struct stmt *q = db_query(db, "SELECT content FROM tasks WHERE reminded_at IS NOT NULL ORDER BY id");
    while (db_step(q))
        all = arena_printf(arena, "%s%s ", all, db_text(q, 0));
    ck_ok(db_done(q, e));
    store_read_end(s, db);
    return all;
}

START_TEST(only_who_can_be_reminded_is)
{
#define TASK(user, channel, chat, name)                                                                                \
    "INSERT INTO tasks (user_id, content, created_date, remind_at, channel, chat_id, completed) VALUES (" user         \
    ", '" name "', 'x', 900, " channel ", " chat ", 0);"
    static const int64_t owner[] = { 42 }, both[] = { 42, 7 }, other[] = { 7 }, similar[] = { 4, 2, 420, 142 };
    struct store *s = open_server(_i);
    ck_ok(store_write(s, write_script,
                      "INSERT INTO users (id, telegram_id, created_at) VALUES (1, 42, 0);"
                      "INSERT INTO users (id, telegram_id, created_at) VALUES (2, 7, 0);" /* */
                      TASK("1", "'telegram'", "42", "o-chat") TASK("1", "'console'", "0", "o-console")
                          TASK("1", "NULL", "NULL", "o-nowhere") TASK("2", "'telegram'", "7", "p-chat")
                              TASK("2", "'telegram'", "-100", "p-group") TASK("2", "NULL", "NULL", "p-nowhere"),
                      e));
    ck_assert_str_eq(who_is_reminded(s, (struct reminder_people){ true, both, 2 }),
                     "o-chat o-console o-nowhere p-chat p-group p-nowhere ");
    ck_assert_str_eq(who_is_reminded(s, (struct reminder_people){ true, owner, 1 }), "o-chat o-console o-nowhere ");
    ck_assert_str_eq(who_is_reminded(s, (struct reminder_people){ true, other, 1 }),
                     "o-console p-chat p-group p-nowhere ");
    ck_assert_str_eq(who_is_reminded(s, (struct reminder_people){ true, similar, 4 }), "o-console ");
    ck_assert_str_eq(who_is_reminded(s, (struct reminder_people){ true, NULL, 0 }), "o-console ");
    ck_assert_str_eq(who_is_reminded(s, (struct reminder_people){ false, both, 2 }), "o-chat o-console o-nowhere ");
    store_close(s);
#undef TASK
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("queue");
    TCase *c = tcase_create("queue");
    tcase_add_checked_fixture(c, begin, end);
    tcase_set_timeout(c, FIXTURE_TEST_S);
    tcase_add_loop_test(c, duplicates_are_no_ops, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, lanes_keep_their_order, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_head_that_waits_holds_its_lane, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_batch_is_taken_in_as_it_is, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_stale_token_changes_nothing, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, dead_owners_rows_come_back_and_poison_is_parked, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, young_processes_leave_suspects, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, outbox_claims_heads_by_priority, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, an_interrupted_send_is_marked, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, history_is_bounded_and_begins_with_the_person, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, what_is_old_is_forgotten, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, reminders_fire_once_and_move_with_the_zone, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, only_who_can_be_reminded_is, DB_SQLITE, DB_POSTGRES + 1);
    suite_add_tcase(suite, c);
    return fixture_main(suite, false);
}
