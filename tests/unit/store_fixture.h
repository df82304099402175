/* SPDX-License-Identifier: MIT
 * store_fixture: a fresh database of either kind for each test of the store.
 * SQLite: a file in a temporary directory.  PostgreSQL: a database of its own on the server of
 * STEWARD_TEST_PG, or on a private one that tests/pgtmp starts for the run; without PostgreSQL the run fails. */
#ifndef TESTS_UNIT_STORE_FIXTURE_H
#define TESTS_UNIT_STORE_FIXTURE_H

#include "base/arena.h"
#include "base/clock.h"
#include "store/driver.h"
#include "store/store.h"
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#undef fail /* check.h has an old macro of this name; ours is a function of base/status.h */
#define UNUSED __attribute__((unused))
enum { FIXTURE_URL_BYTES = 1024, FIXTURE_WAIT_MS = 20000, FIXTURE_TEST_S = 120 };

static char fixture_dir[64];               /* of the run */
static char fixture_pg[FIXTURE_URL_BYTES]; /* the server's URL */
static bool fixture_pg_ours;
static int fixture_pid; /* of the run: tests are its children */

static UNUSED bool fixture_shell(const char *what, const char *dir)
{
    char command[256];
    snprintf(command, sizeof command, "%s %s", what, dir);
    return system(command) == 0;
}

/* On a server that is not ours: leave nothing behind. */
static UNUSED void fixture_drop(void)
{
    char like[64], sql[128], name[64];
    struct db *db;
    snprintf(like, sizeof like, "steward_test_%d_%%", fixture_pid);
    while (db_open(fixture_pg, true, &db, NULL) == OK) {
        struct stmt *s = db_query(db, "SELECT datname FROM pg_database WHERE datname LIKE $1 LIMIT 1", p_text(like));
        bool more = db_step(s);
        snprintf(name, sizeof name, "%s", db_text(s, 0));
        snprintf(sql, sizeof sql, "DROP DATABASE %s WITH (FORCE)", name);
        more = db_done(s, NULL) == OK && more && db_script(db, sql, NULL) == OK;
        db_close(db);
        if (!more)
            break;
    }
}

static UNUSED void fixture_stop(void)
{
    char pg[80];
    snprintf(pg, sizeof pg, "%s/pg", fixture_dir);
    if (fixture_pg_ours)
        fixture_shell("tests/pgtmp stop", pg);
    else if (*fixture_pg)
        fixture_drop();
    fixture_shell("rm -rf", fixture_dir);
}

/* own_server: a cluster that the test may stop, even when STEWARD_TEST_PG names one. */
static UNUSED bool fixture_start(bool own_server)
{
    const char *given = getenv("STEWARD_TEST_PG");
    fixture_pid = (int)getpid();
    snprintf(fixture_dir, sizeof fixture_dir, "/tmp/steward-test-XXXXXX");
    if (!mkdtemp(fixture_dir) || chmod(fixture_dir, 0755) != 0)
        return false;
    if (given && !own_server) {
        snprintf(fixture_pg, sizeof fixture_pg, "%s", given);
        return true;
    }
    char command[128];
    snprintf(command, sizeof command, "PGTMP_PARENT=%d tests/pgtmp start %s/pg", (int)getpid(), fixture_dir);
    fixture_pg_ours = true;
    FILE *f = popen(command, "r");
    bool ok = f && fgets(fixture_pg, sizeof fixture_pg, f);
    if (f && pclose(f) != 0)
        ok = false;
    fixture_pg[strcspn(fixture_pg, "\n")] = '\0';
    return ok;
}

/* The URL of a new, empty database. */
static UNUSED void fixture_url(int kind, char url[FIXTURE_URL_BYTES])
{
    static int number;
    number++;
    if (kind == DB_SQLITE) {
        snprintf(url, FIXTURE_URL_BYTES, "sqlite://%s/%d-%d.db", fixture_dir, (int)getpid(), number);
        return;
    }
    struct db *db;
    struct error e;
    char name[64], sql[128];
    snprintf(name, sizeof name, "steward_test_%d_%d_%d", fixture_pid, (int)getpid(), number);
    snprintf(sql, sizeof sql, "CREATE DATABASE %s", name);
    ck_assert_msg(db_open(fixture_pg, true, &db, &e) == OK, "%s", e.text);
    ck_assert_msg(db_script(db, sql, &e) == OK, "%s", e.text);
    db_close(db);
    size_t path = strcspn(fixture_pg, "?");
    const char *query = fixture_pg + path;
    while (path > 0 && fixture_pg[path - 1] != '/')
        path--;
    snprintf(url, FIXTURE_URL_BYTES, "%.*s%s%s", (int)path, fixture_pg, name, query);
}

static UNUSED struct store *fixture_open_url(const char *url)
{
    struct store *store;
    struct error e;
    struct store_options o = { .url = url };
    enum status st = store_open(&o, &store, &e);
    ck_assert_msg(st == OK, "%s", e.text);
    return store;
}

static UNUSED struct store *fixture_open(int kind)
{
    char url[FIXTURE_URL_BYTES];
    fixture_url(kind, url);
    return fixture_open_url(url);
}

#define ck_ok(call)                                                                                                    \
    do {                                                                                                               \
        struct error ck_e = { 0 }, *e = &ck_e;                                                                         \
        enum status ck_st = (call);                                                                                    \
        ck_assert_msg(ck_st == OK, "%s: status %d: %s", #call, ck_st, ck_e.text);                                      \
    } while (0)
#define ck_is(call, want, words)                                                                                       \
    do {                                                                                                               \
        struct error ck_e = { 0 }, *e = &ck_e;                                                                         \
        enum status ck_st = (call);                                                                                    \
        ck_assert_msg(ck_st == (want) && strstr(ck_e.text, (words)), "%s: status %d: %s", #call, ck_st, ck_e.text);    \
    } while (0)

/* The test's own time limit ends a wait that has no end. */
#define until(condition)                                                                                               \
    while (!(condition))                                                                                               \
    clock_sleep_ms(5)

static UNUSED enum status write_script(struct db *db, void *sql, struct error *e)
{
    return db_script(db, sql, e);
}

/* A table of every type: t(id, n, r, s, b). */
static UNUSED enum status write_table(struct db *db, void *arg, struct error *e)
{
    (void)arg;
    return db_script(
        db,
        db_dialect(db, "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, r REAL, s TEXT, b BLOB) STRICT",
                   "CREATE TABLE t (id BIGINT PRIMARY KEY, n BIGINT, r DOUBLE PRECISION, s TEXT, b BYTEA)"),
        e);
}

static UNUSED struct store *fixture_open_table(int kind)
{
    struct store *store = fixture_open(kind);
    ck_ok(store_write(store, write_table, NULL, e));
    return store;
}

static UNUSED int64_t read_int(struct store *store, const char *sql)
{
    struct db *db;
    int64_t value = -1;
    ck_ok(store_read_begin(store, &db, e));
    ck_ok(db_get_int(db, &value, NULL, e, sql));
    store_read_end(store, db);
    return value;
}

static UNUSED int fixture_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed;
}

static UNUSED int fixture_main(Suite *suite, bool own_server)
{
    int failed = 1;
    if (fixture_start(own_server))
        failed = fixture_run(suite);
    else
        fprintf(stderr, "no PostgreSQL for the tests of the store: see tests/pgtmp\n");
    fixture_stop();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
