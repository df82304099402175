/* SPDX-License-Identifier: MIT
 * Statements, values, savepoints and sticky errors, each test on SQLite and on PostgreSQL. */
#include "base/limits.h"
#include "tests/unit/store_fixture.h"
#include <math.h>

/* --- values --- */

static enum status values_write(struct db *db, void *arg, struct error *e)
{
    (void)arg;
    static const char zeros[] = { 0, 1, 0, (char)0xff, '\\', 0 };
    char *large = xmalloc(MIB + 1);
    memset(large, 'x', MIB);
    large[MIB] = '\0';
    const char *sql = "INSERT INTO t (id, n, r, s, b) VALUES ($1, $2, $3, $4, $5)";
    enum status st = db_run(db, e, sql, p_int(1), p_int(INT64_MAX), p_real(0.1), p_text(""), p_blob(NULL, 0));
    if (st == OK)
        st = db_run(db, e, sql, p_int(2), p_int(INT64_MIN), p_real(-1.7976931348623157e308), p_text("grüße 🎉"),
                    p_blob(zeros, sizeof zeros));
    if (st == OK)
        st = db_run(db, e, sql, p_int(3), p_null(), p_null(), p_text(NULL), p_null());
    if (st == OK)
        st = db_run(db, e, sql, p_int(4), p_int(0), p_real(80), p_text(large), p_blob(large, MIB));
    if (st == OK)
        st = db_run(db, e, sql, p_int(5), p_int(-1), p_real(5e-324), p_text_len("abcdef", 3), p_null());
    free(large);
    return st;
}

START_TEST(values_come_back)
{
    struct store *store = fixture_open_table(_i);
    struct db *db;
    size_t len;
    ck_ok(store_write(store, values_write, NULL, e));
    ck_ok(store_read_begin(store, &db, e));
    struct stmt *s = db_query(db, "SELECT n, r, s, b FROM t ORDER BY id");
    ck_assert_int_eq(db_columns(s), 4);
    ck_assert_str_eq(db_column_name(s, 1), "r");

    ck_assert(db_step(s));
    ck_assert_int_eq(db_int(s, 0), INT64_MAX);
    ck_assert(db_real(s, 1) == 0.1);
    ck_assert_str_eq(db_text(s, 2), "");
    ck_assert(!db_is_null(s, 2) && !db_is_null(s, 3));
    ck_assert_ptr_nonnull(db_blob(s, 3, &len));
    ck_assert_uint_eq(len, 0);

    ck_assert(db_step(s));
    ck_assert_int_eq(db_int(s, 0), INT64_MIN);
    ck_assert(db_real(s, 1) == -1.7976931348623157e308);
    ck_assert_str_eq(db_text(s, 2), "grüße 🎉");
    ck_assert_mem_eq(db_blob(s, 3, &len), ((char[]){ 0, 1, 0, (char)0xff, '\\', 0 }), 6);
    ck_assert_uint_eq(len, 6);

    ck_assert(db_step(s));
    for (int i = 0; i < 4; i++)
        ck_assert(db_is_null(s, i));
    ck_assert_int_eq(db_int(s, 0), 0);
    ck_assert_str_eq(db_text(s, 2), "");
    ck_assert_ptr_null(db_text_or_null(s, 2));

    ck_assert(db_step(s));
    ck_assert(db_real(s, 1) == 80 && db_int(s, 1) == 80);
    ck_assert_uint_eq(strlen(db_text(s, 2)), MIB);
    ck_assert_ptr_nonnull(db_blob(s, 3, &len));
    ck_assert_uint_eq(len, MIB);
    ck_assert_mem_eq(db_blob(s, 3, &len), db_text(s, 2), MIB);

    ck_assert(db_step(s));
    ck_assert(db_real(s, 1) == 5e-324);
    ck_assert_str_eq(db_text(s, 2), "abc");
    ck_assert(!db_step(s));
    ck_ok(db_done(s, e));
    store_read_end(store, db);
    store_close(store);
}
END_TEST

static enum status write_bad_value(struct db *db, void *arg, struct error *e)
{
    return db_run_params(db, NULL, e, "INSERT INTO t (id, s) VALUES (1, $1)", arg, 1);
}

START_TEST(bad_values_are_refused)
{
    struct store *store = fixture_open_table(_i);
    char *large = xcalloc(1, DB_ROW_BYTES_MAX + 2);
    memset(large, 'x', DB_ROW_BYTES_MAX + 1);
    ck_is(store_write(store, write_bad_value, &(struct param[]){ p_text_len("a\0b", 3) }, e), ST_INVALID, "NUL");
    ck_is(store_write(store, write_bad_value, &(struct param[]){ p_text("\xc3(") }, e), ST_INVALID, "UTF-8");
    ck_is(store_write(store, write_bad_value, &(struct param[]){ p_text("\xed\xa0\x80") }, e), ST_INVALID, "UTF-8");
    ck_is(store_write(store, write_bad_value, &(struct param[]){ p_real(NAN) }, e), ST_INVALID, "finite");
    ck_is(store_write(store, write_bad_value, &(struct param[]){ p_real(INFINITY) }, e), ST_INVALID, "finite");
    ck_is(store_write(store, write_bad_value, &(struct param[]){ p_text(large) }, e), ST_LIMIT, "too large");
    ck_assert_int_eq(read_int(store, "SELECT count(*) FROM t"), 0);
    free(large);
    store_close(store);
}
END_TEST

static enum status write_numbered(struct db *db, void *arg, struct error *e)
{
    int64_t *seen = arg;
    bool found;
    enum status st = db_run(db, e, "INSERT INTO t (n, id) VALUES ($2, $1)", p_int(1), p_int(20));
    if (st == OK)
        st = db_run(db, e, "UPDATE t SET n = $3 + $3, s = $2 WHERE id = $1", p_int(1), p_text("two"), p_int(7));
    if (st == OK)
        st = db_get_int(db, seen, &found, e, "SELECT n FROM t WHERE s = $1 AND ($2 = 0 OR id = $2)", p_text("two"),
                        p_int(1));
    if (st == OK && !found)
        st = fail(e, ST_NOT_FOUND, "the row");
    return st;
}

START_TEST(parameters_go_by_number)
{
    struct store *store = fixture_open_table(_i);
    int64_t seen = 0;
    ck_ok(store_write(store, write_numbered, &seen, e));
    ck_assert_int_eq(seen, 14);
    store_close(store);
}
END_TEST

START_TEST(types_of_results)
{
    struct store *store = fixture_open(_i);
    struct db *db;
    ck_ok(store_read_begin(store, &db, e));
    struct stmt *s = db_query(db,
                              "SELECT 1 = 1, 1 = 2, sum(v), avg(v), CAST($1 AS BIGINT) IS NULL, $2, -2.9e0 "
                              "FROM (SELECT CAST(3 AS BIGINT) AS v UNION ALL SELECT 4) AS x",
                              p_null(), p_text("as text"));
    ck_assert(db_step(s));
    ck_assert_int_eq(db_int(s, 0), 1);
    ck_assert_int_eq(db_int(s, 1), 0);
    ck_assert_str_eq(db_text(s, 0), "1");
    ck_assert_int_eq(db_int(s, 2), 7);
    ck_assert(db_real(s, 3) == 3.5);
    ck_assert_int_eq(db_int(s, 4), 1);
    ck_assert_str_eq(db_text(s, 5), "as text");
    ck_assert_int_eq(db_int(s, 6), -2);
    ck_ok(db_done(s, e));
    store_read_end(store, db);
    store_close(store);
}
END_TEST

/* --- statements --- */

static enum status write_changes(struct db *db, void *arg, struct error *e)
{
    int64_t *n = arg;
    enum status st = db_run_changed(db, &n[0], e, "INSERT INTO t (id, n) VALUES (1, 1), (2, 1), (3, 2)");
    if (st == OK)
        st = db_run_changed(db, &n[1], e, "UPDATE t SET s = 'x' WHERE n = $1", p_int(1));
    if (st == OK)
        st = db_run_changed(db, &n[2], e, "SELECT id FROM t");
    if (st == OK)
        st = db_run_changed(db, &n[3], e, "DELETE FROM t WHERE id = $1", p_int(99));
    if (st == OK)
        st = db_run_changed(db, &n[4], e, "UPDATE t SET n = n + 10 RETURNING id");
    if (st == OK)
        st = db_run_changed(db, &n[5], e, "INSERT INTO t (id) VALUES (1) ON CONFLICT DO NOTHING");
    return st;
}

START_TEST(changes_are_counted)
{
    struct store *store = fixture_open_table(_i);
    int64_t n[6] = { 9, 9, 9, 9, 9, 9 };
    ck_ok(store_write(store, write_changes, n, e));
    ck_assert_mem_eq(n, ((int64_t[]){ 3, 2, 0, 0, 3, 0 }), sizeof n);
    store_close(store);
}
END_TEST

/* Only the first row of a RETURNING is read: the others must change too. */
static enum status write_returning(struct db *db, void *arg, struct error *e)
{
    struct stmt *s = db_query(db, "INSERT INTO t (id, n) VALUES (5, 1), (6, 1), (7, 1) RETURNING id");
    *(int64_t *)arg = db_step(s) ? db_int(s, 0) : 0;
    return db_done(s, e);
}

START_TEST(returning_read_in_part)
{
    struct store *store = fixture_open_table(_i);
    int64_t first = 0;
    ck_ok(store_write(store, write_returning, &first, e));
    ck_assert_int_eq(first, 5);
    ck_assert_int_eq(read_int(store, "SELECT count(*) FROM t"), 3);
    store_close(store);
}
END_TEST

START_TEST(statements_nest)
{
    struct store *store = fixture_open_table(_i);
    struct db *db;
    int64_t sum = 0, n = 0;
    ck_ok(store_write(store, write_script, "INSERT INTO t (id, n) VALUES (1, 10), (2, 20), (3, 30)", e));
    ck_ok(store_read_begin(store, &db, e));
    struct stmt *s = db_query(db, "SELECT id FROM t ORDER BY id");
    while (db_step(s)) {
        struct stmt *same = db_query(db, "SELECT id FROM t ORDER BY id"); /* the cached one is in use */
        ck_assert(db_step(same));
        ck_assert_int_eq(db_int(same, 0), 1);
        ck_ok(db_get_int(db, &n, NULL, e, "SELECT n FROM t WHERE id = $1", p_int(db_int(s, 0))));
        sum += n;
        ck_ok(db_done(same, e));
    }
    ck_ok(db_done(s, e));
    ck_assert_int_eq(sum, 60);
    store_read_end(store, db);
    store_close(store);
}
END_TEST

START_TEST(more_statements_than_the_cache_holds)
{
    struct store *store = fixture_open(_i);
    struct db *db;
    ck_ok(store_read_begin(store, &db, e));
    struct stmt *kept = db_query(db, "SELECT 4711");
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < DB_STATEMENTS_MAX + 40; i++) {
            char sql[64];
            int64_t value = 0;
            snprintf(sql, sizeof sql, "SELECT %d + CAST($1 AS BIGINT)", i);
            ck_ok(db_get_int(db, &value, NULL, e, sql, p_int(1)));
            ck_assert_int_eq(value, i + 1);
        }
    }
    ck_assert(db_step(kept));
    ck_assert_int_eq(db_int(kept, 0), 4711);
    ck_ok(db_done(kept, e));
    store_read_end(store, db);
    store_close(store);
}
END_TEST

static enum status write_many_columns(struct db *db, void *arg, struct error *e)
{
    (void)arg;
    struct stmt *s = db_query(db, "SELECT 1, 2");
    while (db_step(s))
        ck_assert_int_eq(db_int(s, 2), 0);
    return db_done(s, e);
}

static enum status write_left_open(struct db *db, void *arg, struct error *e)
{
    (void)arg;
    (void)e;
    struct stmt *s = db_query(db, "INSERT INTO t (id) VALUES (1) RETURNING id");
    (void)db_step(s);
    return OK;
}

START_TEST(defects_are_told)
{
    struct store *store = fixture_open_table(_i);
    ck_is(store_write(store, write_many_columns, NULL, e), ST_INTERNAL, "column 2 was asked of a row of 2");
    ck_is(store_write(store, write_left_open, NULL, e), ST_INTERNAL, "left a statement open");
    ck_is(store_write(store, write_script, "SELEC 1", e), ST_INTERNAL, "syntax");
    ck_assert_int_eq(read_int(store, "SELECT count(*) FROM t"), 0);
    store_close(store);
}
END_TEST

START_TEST(a_long_statement_is_stopped)
{
    char url[FIXTURE_URL_BYTES];
    struct db *db;
    int64_t n = 0;
    fixture_url(_i, url);
    ck_ok(db_open(url, true, &db, e));
    ck_ok(db->driver->set_timeout(db, 50, e));
    ck_is(db_get_int(
              db, &n, NULL, e,
              db_dialect(db, "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c",
                         "SELECT 1 FROM pg_sleep(600)")),
          ST_UNAVAILABLE, "");
    ck_ok(db_get_int(db, &n, NULL, e, "SELECT 5"));
    ck_assert_int_eq(n, 5);
    db_close(db);
}
END_TEST

/* --- errors --- */

static enum status write_ignoring(struct db *db, void *arg, struct error *e)
{
    (void)arg;
    (void)e;
    struct error ignored;
    ck_assert_int_eq(db_run(db, &ignored, "INSERT INTO t (id) VALUES (1)"), OK);
    ck_assert_int_eq(db_run(db, &ignored, "INSERT INTO t (id) VALUES (1)"), ST_EXISTS);
    ck_assert_int_eq(db_run(db, &ignored, "INSERT INTO t (id) VALUES (2)"), ST_EXISTS);
    ck_assert_int_eq(db_savepoint(db, &ignored), ST_EXISTS);
    return OK;
}

START_TEST(errors_stick)
{
    struct store *store = fixture_open_table(_i);
    ck_is(store_write(store, write_ignoring, NULL, e), ST_EXISTS, "");
    ck_assert_int_eq(read_int(store, "SELECT count(*) FROM t"), 0);
    ck_ok(store_write(store, write_script, "INSERT INTO t (id) VALUES (1)", e));

    struct db *db;
    ck_ok(store_read_begin(store, &db, e));
    struct stmt *s = db_query(db, "SELECT nonsense FROM t");
    ck_assert(!db_step(s));
    ck_assert(!db_step(s));
    ck_assert_int_eq(db_int(s, 0), 0);
    ck_assert_str_eq(db_text(s, 0), "");
    ck_assert_int_eq(db_columns(s), 0);
    ck_is(db_done(s, e), ST_INTERNAL, "nonsense");
    store_read_end(store, db);
    store_close(store);
}
END_TEST

START_TEST(constraints_have_a_status)
{
    struct store *store = fixture_open(_i);
    ck_ok(store_write(store, write_script,
                      "CREATE TABLE c (id BIGINT PRIMARY KEY, u TEXT UNIQUE, n TEXT NOT NULL DEFAULT '', "
                      "k BIGINT CHECK (k > 0), f BIGINT REFERENCES c (id));"
                      "INSERT INTO c (id, u) VALUES (1, 'one')",
                      e));
    ck_is(store_write(store, write_script, "INSERT INTO c (id) VALUES (1)", e), ST_EXISTS, "");
    ck_is(store_write(store, write_script, "INSERT INTO c (id, u) VALUES (2, 'one')", e), ST_EXISTS, "");
    ck_is(store_write(store, write_script, "INSERT INTO c (id, n) VALUES (2, NULL)", e), ST_INVALID, "");
    ck_is(store_write(store, write_script, "INSERT INTO c (id, k) VALUES (2, 0)", e), ST_INVALID, "");
    ck_is(store_write(store, write_script, "INSERT INTO c (id, f) VALUES (2, 77)", e), ST_INVALID, "");
    ck_ok(store_write(store, write_script, "INSERT INTO c (id, f) VALUES (2, 1)", e));
    ck_is(store_write(store, write_script, "DELETE FROM c WHERE id = 1", e), ST_INVALID, "");
    store_close(store);
}
END_TEST

static enum status write_savepoints(struct db *db, void *arg, struct error *e)
{
    (void)arg;
    enum status st = db_run(db, e, "INSERT INTO t (id) VALUES (1)");
    if (st == OK)
        st = db_savepoint(db, e);
    if (st == OK)
        st = db_run(db, e, "INSERT INTO t (id) VALUES (2)");
    if (st == OK)
        st = db_savepoint(db, e);
    if (st != OK)
        return st;
    ck_assert_int_eq(db_run(db, e, "INSERT INTO t (id) VALUES (2)"), ST_EXISTS);
    db_savepoint_rollback(db); /* the inner one: the failure is forgotten, row 2 stays */
    st = db_run(db, e, "INSERT INTO t (id) VALUES (3)");
    if (st == OK)
        st = db_savepoint_release(db, e);
    if (st == OK)
        st = db_savepoint(db, e);
    if (st == OK)
        st = db_run(db, e, "DELETE FROM t");
    if (st == OK)
        st = db_savepoint(db, e);
    if (st == OK)
        st = db_savepoint_release(db, e);
    db_savepoint_rollback(db);
    return st == OK ? db_run(db, e, "INSERT INTO t (id) VALUES (4)") : st;
}

START_TEST(savepoints_nest)
{
    struct store *store = fixture_open_table(_i);
    ck_ok(store_write(store, write_savepoints, NULL, e));
    ck_assert_int_eq(read_int(store, "SELECT sum(id * 10 + 1) FROM t"), 10 + 20 + 30 + 40 + 4);
    store_close(store);
}
END_TEST

/* --- many rows --- */

static enum status write_many(struct db *db, void *arg, struct error *e)
{
    int64_t *changed = arg;
    struct param rows[] = {
        p_int(1), p_text("a"), p_int(2), p_text(NULL), p_int(1), p_text("again"), p_int(3), p_null()
    };
    enum status st =
        db_run_many(db, "INSERT INTO t (id, s) VALUES ($1, $2) ON CONFLICT DO NOTHING", rows, 4, 2, changed, e);
    return st == OK ? db_run(db, e, "INSERT INTO t (id) VALUES ($1)", p_int(4)) : st;
}

static enum status write_many_failing(struct db *db, void *arg, struct error *e)
{
    (void)arg;
    struct param rows[] = { p_int(10), p_int(11), p_int(10), p_int(12) };
    return db_run_many(db, "INSERT INTO t (id) VALUES ($1)", rows, 4, 1, NULL, e);
}

static enum status write_many_survived(struct db *db, void *arg, struct error *e)
{
    enum status st = db_savepoint(db, e);
    if (st == OK && write_many_failing(db, arg, e) == ST_EXISTS)
        db_savepoint_rollback(db);
    return st == OK ? db_run(db, e, "INSERT INTO t (id) VALUES (20)") : st;
}

START_TEST(many_rows)
{
    struct store *store = fixture_open_table(_i);
    int64_t changed[4] = { 9, 9, 9, 9 };
    ck_ok(store_write(store, write_many, changed, e));
    ck_assert_mem_eq(changed, ((int64_t[]){ 1, 1, 0, 1 }), sizeof changed);
    ck_is(store_write(store, write_many_failing, NULL, e), ST_EXISTS, "");
    ck_assert_int_eq(read_int(store, "SELECT count(*) FROM t"), 4);
    ck_ok(store_write(store, write_many_survived, NULL, e));
    ck_assert_int_eq(read_int(store, "SELECT max(id) FROM t"), 20);
    store_close(store);
}
END_TEST

/* More than the driver sends in one go, with answers too small to fill any buffer. */
enum { SMALL_ROWS = 1000 };
static enum status write_many_small(struct db *db, void *arg, struct error *e)
{
    int64_t *changed = arg;
    struct param rows[SMALL_ROWS];
    for (int i = 0; i < SMALL_ROWS; i++)
        rows[i] = p_int(i / 2);
    return db_run_many(db, "INSERT INTO t (id) VALUES ($1) ON CONFLICT DO NOTHING", rows, SMALL_ROWS, 1, changed, e);
}

START_TEST(many_small_rows)
{
    struct store *store = fixture_open_table(_i);
    int64_t changed[SMALL_ROWS];
    ck_ok(store_write(store, write_many_small, changed, e));
    for (int i = 0; i < SMALL_ROWS; i++)
        ck_assert_int_eq(changed[i], i % 2 == 0);
    ck_assert_int_eq(read_int(store, "SELECT count(*) FROM t"), SMALL_ROWS / 2);
    store_close(store);
}
END_TEST

/* More than the sockets hold, in both directions: a driver that only sends would wait for ever. */
enum { LARGE_ROWS = 1500, LARGE_BYTES = 16 * KIB };
static enum status write_many_large(struct db *db, void *arg, struct error *e)
{
    char *text = arg;
    struct param *rows = xcalloc(2 * LARGE_ROWS, sizeof *rows);
    for (int i = 0; i < LARGE_ROWS; i++) {
        rows[2 * i] = p_int(i);
        rows[2 * i + 1] = p_text(text);
    }
    enum status st = db_run_many(db, "INSERT INTO t (id, s) VALUES ($1, $2) RETURNING s", rows, LARGE_ROWS, 2, NULL, e);
    free(rows);
    return st;
}

START_TEST(many_large_rows)
{
    struct store *store = fixture_open_table(_i);
    char *text = xcalloc(1, LARGE_BYTES + 1);
    memset(text, 'y', LARGE_BYTES);
    ck_ok(store_write(store, write_many_large, text, e));
    ck_assert_int_eq(read_int(store, "SELECT sum(length(s)) FROM t"), (int64_t)LARGE_ROWS * LARGE_BYTES);
    free(text);
    store_close(store);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store");
    TCase *both = tcase_create("both databases");
    tcase_set_timeout(both, FIXTURE_TEST_S);
    tcase_add_loop_test(both, values_come_back, 0, 2);
    tcase_add_loop_test(both, bad_values_are_refused, 0, 2);
    tcase_add_loop_test(both, parameters_go_by_number, 0, 2);
    tcase_add_loop_test(both, types_of_results, 0, 2);
    tcase_add_loop_test(both, changes_are_counted, 0, 2);
    tcase_add_loop_test(both, returning_read_in_part, 0, 2);
    tcase_add_loop_test(both, statements_nest, 0, 2);
    tcase_add_loop_test(both, more_statements_than_the_cache_holds, 0, 2);
    tcase_add_loop_test(both, defects_are_told, 0, 2);
    tcase_add_loop_test(both, a_long_statement_is_stopped, 0, 2);
    tcase_add_loop_test(both, errors_stick, 0, 2);
    tcase_add_loop_test(both, constraints_have_a_status, 0, 2);
    tcase_add_loop_test(both, savepoints_nest, 0, 2);
    tcase_add_loop_test(both, many_rows, 0, 2);
    tcase_add_loop_test(both, many_small_rows, 0, 2);
    tcase_add_loop_test(both, many_large_rows, 0, 2);
    suite_add_tcase(suite, both);
    return fixture_main(suite, false);
}
