/* SPDX-License-Identifier: MIT
 * What a claim costs when much waits, on both databases: a claim runs for every message, so it must not read the queue.
 * The statements are prepared while the tables are empty and known to be so: their plans must be good for what comes.
 */
#include "tests/unit/store_fixture.h"

#include "base/limits.h"
#include "store/db_sqlite.h"
#include "store/inbox.h"
#include "store/outbox.h"

enum {
    WARM_UP = 8, /* PostgreSQL keeps a plan from the sixth run on */
    /* What may be read: in proportion to the chats, which are 51.  The queue has 20,050 rows. */
    ROWS_MAX = 1000,
    STEPS_MAX = 60000, /* of SQLite's virtual machine: some 20 a row */
};

static struct arena *arena;
static char url[FIXTURE_URL_BYTES];

/* An empty database, and a connection of our own. */
static struct db *open_empty(int kind)
{
    struct db *db;
    arena = arena_new();
    fixture_url(kind, url);
    store_close(fixture_open_url(url));
    ck_ok(db_open(url, true, &db, e));
    if (kind == DB_POSTGRES) {
        ck_ok(db_script(db, "VACUUM ANALYZE inbox", e));
        ck_ok(db_script(db, "VACUUM ANALYZE outbox", e));
        ck_ok(db_script(db, "ALTER TABLE inbox SET (autovacuum_enabled = false)", e));
        ck_ok(db_script(db, "ALTER TABLE outbox SET (autovacuum_enabled = false)", e));
    }
    return db;
}

static void close_it(struct db *db)
{
    db_close(db);
    arena_free(arena);
}

/* Rows read of a table in this transaction, or steps since the last call. */
static int64_t cost_so_far(struct db *db, const char *table)
{
    int64_t cost = 0;
    if (db_kind(db) == DB_SQLITE) {
        sqlite3 *raw = sqlite_of(db)->raw;
        for (sqlite3_stmt *s = sqlite3_next_stmt(raw, NULL); s; s = sqlite3_next_stmt(raw, s))
            cost += sqlite3_stmt_status(s, SQLITE_STMTSTATUS_VM_STEP, true);
        return cost;
    }
    ck_ok(db_get_int(db, &cost, NULL, e,
                     "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = $1",
                     p_text(table)));
    return cost;
}

static void check_cost(struct db *db, const char *table, int64_t before)
{
    int64_t cost = cost_so_far(db, table) - (db_kind(db) == DB_SQLITE ? 0 : before);
    int64_t most = db_kind(db) == DB_SQLITE ? STEPS_MAX : ROWS_MAX;
    ck_assert_msg(cost > 0 && cost <= most, "a claim read %lld of %s; at most %lld", (long long)cost, table,
                  (long long)most);
}

#define COUNT_TO(last) "WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < " last ") "

/* --- what goes out --- */

static struct outbox_claim claim_out(struct db *db, const char *channels, bool checked)
{
    struct outbox_claim c = { .arena = arena, .owner_id = 7, .channels = channels, .max = 1 };
    ck_ok(db_begin(db, e));
    int64_t before = checked ? cost_so_far(db, "outbox") : 0;
    ck_ok(outbox_claim(db, &c, e));
    if (checked)
        check_cost(db, "outbox", before);
    ck_ok(db_commit(db, e));
    return c;
}

/* A chat whose head is being sent, and behind its rows those of others. */
static void fill_outbox(struct db *db, const char *channel)
{
    ck_ok(db_run(db, e,
                 COUNT_TO("20000") "INSERT INTO outbox (channel, chat_id, kind, payload, state, run_at, created_at)"
                                   " SELECT 'telegram', 1, 'message', '{}',"
                                   " CASE WHEN n = 1 THEN 'sending' ELSE 'available' END, n, 1 FROM g"));
    ck_ok(db_run(db, e,
                 COUNT_TO("50") "INSERT INTO outbox (channel, chat_id, kind, payload, run_at, created_at)"
                                " SELECT $1, 100 + n, 'message', '{}', 30000 + n, 1 FROM g",
                 p_text(channel)));
}

START_TEST(a_sender_reads_no_backlog)
{
    struct db *db = open_empty(_i);
    for (int i = 0; i < WARM_UP; i++)
        ck_assert_int_eq(claim_out(db, ",telegram,", false).count, 0);
    fill_outbox(db, "telegram");
    for (int i = 0; i < WARM_UP; i++) { /* also those of which the first in the queue is being sent */
        struct outbox_claim c = claim_out(db, ",telegram,", true);
        ck_assert_int_eq(c.count, 1);
        ck_assert_int_eq(c.rows[0].chat_id, 101 + i);
        ck_assert_int_gt(c.next_run_at_ms, 0);
    }
    close_it(db);
}
END_TEST

START_TEST(a_sender_reads_no_backlog_of_another_channel)
{
    struct db *db = open_empty(_i);
    for (int i = 0; i < WARM_UP; i++)
        ck_assert_int_eq(claim_out(db, ",console,", false).count, 0);
    fill_outbox(db, "console");
    struct outbox_claim c = claim_out(db, ",console,", true);
    ck_assert_int_eq(c.count, 1);
    ck_assert_int_eq(c.rows[0].chat_id, 101);
    close_it(db);
}
END_TEST

/* Far behind: a chat that pacing holds back, one whose head is not due, a tap, a row that waits for its topic. */
START_TEST(far_behind_the_same_order_holds)
{
    struct db *db = open_empty(_i);
    fill_outbox(db, "telegram");
    ck_ok(db_run(db, e, "UPDATE outbox SET run_at = 9000000000000 WHERE chat_id = 101"));
    ck_ok(db_run(db, e,
                 "INSERT INTO outbox (channel, chat_id, kind, payload, run_at, created_at)"
                 " VALUES ('telegram', 101, 'message', '{}', 1, 1)"));
    ck_ok(db_run(db, e,
                 "INSERT INTO topics (id, channel, chat_id, project, name, state, created_at)"
                 " VALUES (1, 'telegram', 102, 'p', 'p', 'wanted', 1)"));
    ck_ok(db_run(db, e, "UPDATE outbox SET topic_id = 1 WHERE chat_id = 102"));
    ck_ok(db_run(db, e, "UPDATE outbox SET priority = 3 WHERE chat_id = 104"));
    int64_t held = 103, low = 104;
    struct outbox_claim c = { .arena = arena,
                              .owner_id = 7,
                              .channels = ",telegram,",
                              .max = 2,
                              .skip_chats = &held,
                              .skip_count = 1,
                              .skip_low_chats = &low,
                              .skip_low_count = 1 };
    ck_ok(outbox_claim(db, &c, e));
    ck_assert_int_eq(c.count, 2);
    ck_assert_int_eq(c.rows[0].chat_id, 105);
    ck_assert_int_eq(c.rows[1].chat_id, 106);
    ck_ok(db_run(db, e,
                 "INSERT INTO outbox (channel, chat_id, kind, payload, priority, run_at, created_at)"
                 " VALUES ('telegram', 1, 'message', '{}', 0, 2, 1), ('telegram', 1, 'tap', '{}', 0, 3, 1)"));
    c.max = 1;
    ck_ok(outbox_claim(db, &c, e));
    ck_assert_int_eq(c.count, 1);
    ck_assert_str_eq(c.rows[0].kind, "tap");
    close_it(db);
}
END_TEST

/* A front that is not due hides others that are: who finds one tells that there may be more, or one thread would send
 * them all. */
START_TEST(who_finds_one_far_behind_calls_the_next)
{
    struct db *db = open_empty(_i);
    ck_ok(db_run(db, e,
                 COUNT_TO("100") "INSERT INTO outbox (channel, chat_id, kind, payload, priority, run_at, created_at)"
                                 " SELECT 'telegram', 1, 'message', '{}', 0, 9000000000000, 1 FROM g"));
    ck_ok(db_run(db, e,
                 COUNT_TO("2") "INSERT INTO outbox (channel, chat_id, kind, payload, priority, run_at, created_at)"
                               " SELECT 'telegram', 100 + n, 'message', '{}', 2, 10, 1 FROM g"));
    for (int i = 0; i < 3; i++) {
        struct outbox_claim c = claim_out(db, ",telegram,", false);
        ck_assert_int_eq(c.count, i < 2);
        ck_assert_int_eq(c.next_run_at_ms <= c.now_ms, i < 2);
    }
    close_it(db);
}
END_TEST

/* --- what came in --- */

static struct inbox_claim claim_in(struct db *db, bool checked)
{
    struct inbox_claim c = { .arena = arena, .owner_id = 7, .crashes_max = INBOX_CRASHES_MAX };
    ck_ok(db_begin(db, e));
    int64_t before = checked ? cost_so_far(db, "inbox") : 0;
    ck_ok(inbox_claim(db, &c, e));
    if (checked)
        check_cost(db, "inbox", before);
    ck_ok(db_commit(db, e));
    return c;
}

/* SQLite walks the queue, as inbox_claim.c says why: there only what is found is looked at. */
START_TEST(a_worker_reads_no_backlog)
{
    struct db *db = open_empty(_i);
    for (int i = 0; i < WARM_UP; i++)
        ck_assert(!claim_in(db, false).found);
    ck_ok(db_run(db, e,
                 COUNT_TO("20000") "INSERT INTO inbox (channel, update_key, lane, body, state, run_at, received_at)"
                                   " SELECT 'telegram', 'a' || n, 'chat:telegram:1', '{}',"
                                   " CASE WHEN n = 1 THEN 'running' ELSE 'available' END, n, 1 FROM g"));
    ck_ok(db_run(db, e,
                 COUNT_TO("50") "INSERT INTO inbox (channel, update_key, lane, body, run_at, received_at)"
                                " SELECT 'telegram', 'b' || n, 'chat:telegram:' || (100 + n), '{}', 30000 + n, 1"
                                " FROM g"));
    ck_ok(db_run(db, e, "UPDATE inbox SET run_at = 9000000000000 WHERE lane = 'chat:telegram:101'"));
    for (int i = 0; i < WARM_UP; i++) {
        char lane[32];
        struct inbox_claim c = claim_in(db, _i == DB_POSTGRES);
        snprintf(lane, sizeof lane, "chat:telegram:%d", 102 + i);
        ck_assert(c.found && c.more);
        ck_assert_str_eq(c.row.lane, lane);
    }
    close_it(db);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("backlog");
    TCase *c = tcase_create("backlog");
    tcase_set_timeout(c, FIXTURE_TEST_S);
    tcase_add_loop_test(c, a_sender_reads_no_backlog, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_sender_reads_no_backlog_of_another_channel, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, far_behind_the_same_order_holds, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, who_finds_one_far_behind_calls_the_next, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_worker_reads_no_backlog, DB_SQLITE, DB_POSTGRES + 1);
    suite_add_tcase(suite, c);
    return fixture_main(suite, false);
}
