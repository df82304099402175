/* SPDX-License-Identifier: MIT
 * Statements that go along with the next round trip (db_run_later), on both databases: they run in their order, with
 * what their parameters were, once, and no failure of theirs is lost. */
#include "tests/unit/store_fixture.h"

static char url[FIXTURE_URL_BYTES];
static struct db *db;

static void open_table(int kind)
{
    fixture_url(kind, url);
    ck_ok(db_open(url, true, &db, e));
    ck_ok(db_begin(db, e));
    ck_ok(write_table(db, NULL, e));
    ck_ok(db_commit(db, e));
}

static int64_t count(void)
{
    int64_t n = -1;
    ck_ok(db_get_int(db, &n, NULL, e, "SELECT count(*) FROM t"));
    return n;
}

static enum status later(int64_t id, const char *text, struct error *e)
{
    return db_run_later(db, e, "INSERT INTO t (id, s, r, b) VALUES ($1, $2, $3, $4)", p_int(id), p_text(text),
                        p_real(0.5), p_blob("x", 1));
}

START_TEST(they_run_with_the_commit)
{
    open_table(_i);
    char text[] = "first";
    ck_ok(db_begin(db, e));
    ck_ok(later(1, text, e));
    memcpy(text, "wrong", sizeof text); /* what it pointed to is the caller's */
    ck_ok(later(2, NULL, e));
    ck_ok(db_commit(db, e));
    ck_assert_int_eq(count(), 2);
    int64_t n = 0;
    ck_ok(
        db_get_int(db, &n, NULL, e, "SELECT count(*) FROM t WHERE (id = 1 AND s = 'first' AND r = 0.5) OR s IS NULL"));
    ck_assert_int_eq(n, 2);
    ck_ok(db_begin(db, e)); /* alone, and relaxed */
    ck_ok(db_run_later(db, e, "DELETE FROM t"));
    ck_ok(db_commit(db, e));
    ck_assert_int_eq(count(), 0);
    db_close(db);
}
END_TEST

START_TEST(they_run_before_what_comes_after)
{
    open_table(_i);
    ck_ok(db_begin(db, e));
    for (int i = 1; i <= 100; i++) /* more than are kept */
        ck_ok(later(i, "a", e));
    ck_assert_int_eq(count(), 100);
    ck_ok(later(101, "b", e));
    struct param rows[] = { p_int(102), p_int(103) };
    int64_t changed[2] = { 0 };
    ck_ok(db_run_many(db, "INSERT INTO t (id, s) SELECT $1, s FROM t WHERE id = 101", rows, 2, 1, changed, e));
    ck_assert_int_eq(changed[0] + changed[1], 2);
    ck_ok(later(104, "c", e));
    ck_ok(db_script(db, "UPDATE t SET n = 1 WHERE id = 104", e));
    ck_ok(later(105, "d", e));
    ck_ok(db_commit(db, e));
    ck_assert_int_eq(count(), 105);
    int64_t n = 0;
    ck_ok(db_get_int(db, &n, NULL, e, "SELECT n FROM t WHERE id = 104"));
    ck_assert_int_eq(n, 1);
    db_close(db);
}
END_TEST

START_TEST(a_failure_is_told_at_the_latest_by_the_commit)
{
    open_table(_i);
    struct error told = { 0 };
    ck_ok(db_begin(db, e));
    ck_ok(later(1, "a", e));
    if (later(1, "again", &told) == OK)
        ck_assert_int_eq(db_commit(db, &told), ST_EXISTS);
    else
        db_rollback(db);
    ck_assert_int_eq(told.status, ST_EXISTS);
    ck_assert_int_eq(count(), 0);
    ck_ok(db_begin(db, e));
    ck_ok(later(2, "a", e));
    ck_assert_int_eq(later(2, "again", &told), _i == DB_POSTGRES ? OK : ST_EXISTS); /* put off, or run at once */
    struct stmt *s = db_query(db, "SELECT 1 FROM t"); /* or by the next one, and then by all that follow */
    ck_assert(!db_step(s));
    ck_assert_int_eq(db_done(s, &told), ST_EXISTS);
    ck_assert_int_eq(db_commit(db, &told), ST_EXISTS);
    ck_assert_int_eq(count(), 0);
    ck_is(later(3, "not \xff UTF-8", e), ST_INVALID, "");
    db_rollback(db);
    db_close(db);
}
END_TEST

START_TEST(what_is_rolled_back_never_runs)
{
    open_table(_i);
    ck_ok(db_begin(db, e));
    ck_ok(later(1, "a", e));
    db_rollback(db);
    ck_assert_int_eq(count(), 0);
    ck_ok(db_begin(db, e));
    ck_ok(later(1, "before", e));
    ck_ok(db_savepoint(db, e));
    ck_ok(later(2, "inside", e));
    db_savepoint_rollback(db);
    ck_ok(db_savepoint(db, e));
    ck_ok(later(3, "kept", e));
    ck_ok(db_savepoint_release(db, e));
    ck_ok(later(4, "after", e));
    ck_ok(db_commit(db, e));
    ck_assert_int_eq(count(), 3);
    int64_t n = -1;
    ck_ok(db_get_int(db, &n, NULL, e, "SELECT count(*) FROM t WHERE id = 2"));
    ck_assert_int_eq(n, 0);
    db_close(db);
}
END_TEST

/* What failed inside it is forgotten with it. */
START_TEST(a_savepoint_survives_their_failure)
{
    open_table(_i);
    struct error told = { 0 };
    ck_ok(db_begin(db, e));
    ck_ok(later(1, "a", e));
    ck_ok(db_savepoint(db, e));
    if (later(1, "again", &told) == OK)
        ck_assert_int_eq(db_savepoint_release(db, &told), ST_EXISTS);
    db_savepoint_rollback(db);
    ck_ok(later(2, "b", e));
    ck_ok(db_commit(db, e));
    ck_assert_int_eq(count(), 2);
    db_close(db);
}
END_TEST

START_TEST(outside_a_transaction_they_run_at_once)
{
    open_table(_i);
    ck_ok(later(1, "a", e));
    ck_assert_int_eq(count(), 1);
    db_close(db);
}
END_TEST

/* The server ends while it runs COMMIT with what goes along: whether it happened, nobody knows. */
START_TEST(a_connection_cut_in_the_commit_leaves_it_open)
{
    open_table(DB_POSTGRES);
    ck_ok(db_begin(db, e));
    ck_ok(
        db_script(db,
                  "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS "
                  "$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(10); RETURN NULL; END $$;"
                  "CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
                  " EXECUTE FUNCTION cut()",
                  e));
    ck_ok(db_commit(db, e));
    ck_ok(db_begin(db, e));
    ck_ok(later(1, "a", e));
    ck_is(db_commit(db, e), ST_UNKNOWN, "may have happened");
    db_close(db);
    ck_ok(db_open(url, true, &db, e));
    ck_assert_int_eq(count(), 0);
    db_close(db);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store_later");
    TCase *c = tcase_create("store_later");
    tcase_set_timeout(c, FIXTURE_TEST_S);
    tcase_add_loop_test(c, they_run_with_the_commit, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, they_run_before_what_comes_after, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_failure_is_told_at_the_latest_by_the_commit, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, what_is_rolled_back_never_runs, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, a_savepoint_survives_their_failure, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_loop_test(c, outside_a_transaction_they_run_at_once, DB_SQLITE, DB_POSTGRES + 1);
    tcase_add_test(c, a_connection_cut_in_the_commit_leaves_it_open);
    suite_add_tcase(suite, c);
    return fixture_main(suite, false);
}
