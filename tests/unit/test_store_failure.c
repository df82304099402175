/* SPDX-License-Identifier: MIT
 * The store when the world fails: full disks, missing and foreign files, servers that stop and come back. */
#include "tests/unit/store_fixture.h"
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/resource.h>

/* --- URLs --- */

START_TEST(urls_are_refused_with_a_reason)
{
    static const struct {
        const char *url, *words;
    } row[] = {
        { "mysql://x", "no known kind" },
        { "steward.db", "no known kind" },
        { "", "no known kind" },
        { "sqlite://", "names no file" },
        { "sqlite://:memory:", "memory" },
        { "sqlite:///:memory:", "memory" },
        { "sqlite:///tmp/x.db?mode=ro", "no options" },
        { "postgres://u:s3/cret@host/db", "%40" },
        { "postgres://u:s3@cret@host/db", "%40" },
        { "postgres://u:s3cret@host/db?nonsense=1", "known options" },
        { "postgres://u:s3cret@[::1/db", "not a PostgreSQL URL" },
        { "postgres://u:s3cret@host:port/db", "" },
        { "postgres://u:s3cret@/db?host=/nonexistent", "cannot be reached" },
        { "postgres:///db?host=/nonexistent/s3cret&password=s3cret", "cannot be reached" },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct store *store;
        struct error e = { 0 };
        struct store_options o = { .url = row[i].url };
        ck_assert_int_ne(store_open(&o, &store, &e), OK);
        ck_assert_ptr_null(store);
        ck_assert_msg(strstr(e.text, row[i].words), "%s: %s", row[i].url, e.text);
        ck_assert_msg(!strstr(e.text, "s3") && !strstr(e.text, "cret"), "%s: %s", row[i].url, e.text);
    }
}
END_TEST

/* --- SQLite: the file --- */

static enum status write_large_row(struct db *db, void *arg, struct error *e)
{
    return db_run(db, e, "INSERT INTO t (id, b) VALUES ($1, zeroblob(200000))", p_int(*(int64_t *)arg));
}

static enum status write_small_row(struct db *db, void *arg, struct error *e)
{
    return db_run(db, e, "INSERT INTO t (id) VALUES ($1)", p_int(*(int64_t *)arg));
}

START_TEST(full_disk)
{
    struct store *store = fixture_open_table(DB_SQLITE);
    int64_t id = 1, first_refused = 0;
    struct error last = { 0 };
    ck_ok(store_write(store, write_script, "PRAGMA max_page_count = 400", e));
    for (; id < 20 && !first_refused; id++)
        if (store_write(store, write_large_row, &id, &last) != OK)
            first_refused = id;
    ck_assert_int_gt(first_refused, 1);
    ck_assert_int_eq(last.status, ST_UNAVAILABLE);
    ck_assert_msg(strstr(last.text, "full") != NULL, "%s", last.text);
    ck_assert_int_eq(read_int(store, "SELECT count(*) FROM t"), first_refused - 1);
    ck_ok(store_write(store, write_script, "PRAGMA max_page_count = 4000", e)); /* somebody made room */
    ck_ok(store_write(store, write_large_row, &first_refused, e));
    ck_ok(store_check(store, e));
    ck_assert_int_eq(read_int(store, "SELECT count(*) FROM t"), first_refused);
    store_close(store);
}
END_TEST

static bool fixture_limit_files(int64_t bytes) /* -1 = none */
{
    struct rlimit limit = { .rlim_cur = bytes < 0 ? RLIM_INFINITY : (rlim_t)bytes, .rlim_max = RLIM_INFINITY };
    return setrlimit(RLIMIT_FSIZE, &limit) == 0;
}

/* The commit itself meets the full disk: a file size limit, as a quota would. */
START_TEST(full_disk_at_the_commit)
{
    struct store *store = fixture_open_table(DB_SQLITE);
    int64_t id = 1;
    ck_ok(store_write(store, write_large_row, &id, e));
    ck_ok(store_write(store, write_script, "PRAGMA cache_spill = OFF", e)); /* nothing is written before */
    signal(SIGXFSZ, SIG_IGN);
    ck_assert(fixture_limit_files(250000));
    id = 2;
    ck_is(store_write(store, write_large_row, &id, e), ST_UNAVAILABLE, "");
    ck_is(store_check(store, e), ST_UNAVAILABLE, ""); /* really writes, now that there is a doubt */
    ck_assert(fixture_limit_files(-1));
    ck_ok(store_check(store, e));
    ck_ok(store_write(store, write_large_row, &id, e));
    ck_assert_int_eq(read_int(store, "SELECT count(*) FROM t"), 2);
    store_close(store);
}
END_TEST

static enum status open_path(const char *path, struct error *e)
{
    char url[FIXTURE_URL_BYTES];
    struct store *store;
    snprintf(url, sizeof url, "sqlite://%s/%s", fixture_dir, path);
    struct store_options o = { .url = url };
    enum status st = store_open(&o, &store, e);
    store_close(store);
    return st;
}

static void file_make(const char *name, const char *text, mode_t mode)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", fixture_dir, name);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    for (int i = 0; *text && i < 200; i++)
        fputs(text, f);
    fclose(f);
    ck_assert_int_eq(chmod(path, mode), 0);
}

START_TEST(files_that_cannot_be_opened)
{
    char path[256];
    ck_is(open_path("missing/steward.db", e), ST_NOT_FOUND, "does not exist");
    file_make("letter.db", "Dear database, this is not one of yours.\n", 0644);
    ck_is(open_path("letter.db", e), ST_INVALID, "not a SQLite database");
    snprintf(path, sizeof path, "%s/folder.db", fixture_dir);
    ck_assert_int_eq(mkdir(path, 0755), 0);
    ck_is(open_path("folder.db", e), ST_INVALID, "not a regular file");
    file_make("file", "", 0644);
    ck_is(open_path("file/steward.db", e), ST_NOT_FOUND, "does not exist");
}
END_TEST

START_TEST(new_files_are_private)
{
    static const char *const suffix[] = { "", "-wal", "-shm", ".lock" };
    char url[FIXTURE_URL_BYTES], path[FIXTURE_URL_BYTES + 8];
    struct store *store;
    struct stat st;
    umask(0);
    fixture_url(DB_SQLITE, url);
    struct store_options o = { .url = url, .exclusive = true };
    ck_ok(store_open(&o, &store, e));
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s%s", url + strlen("sqlite://"), suffix[i]);
        ck_assert_msg(stat(path, &st) == 0, "%s", path);
        ck_assert_int_eq(st.st_mode & 0777, 0600);
    }
    store_close(store);
}
END_TEST

/* Root may write everywhere: look as somebody else. */
static void become_nobody(void)
{
    const struct passwd *nobody = getpwnam("nobody");
    if (getuid() == 0 && nobody)
        ck_assert(setgid(nobody->pw_gid) == 0 && setuid(nobody->pw_uid) == 0);
}

START_TEST(directories_that_cannot_be_written)
{
    char path[256];
    ck_ok(open_path("shared.db", e));
    snprintf(path, sizeof path, "%s/shared.db", fixture_dir);
    ck_assert_int_eq(chmod(path, 0666), 0); /* the file would be writable, its directory is not */
    ck_ok(open_path("fixed.db", e));
    snprintf(path, sizeof path, "%s/fixed.db", fixture_dir);
    ck_assert_int_eq(chmod(path, 0444), 0);
    ck_assert_int_eq(chmod(fixture_dir, 0555), 0);
    pid_t child = fork();
    if (child == 0) {
        become_nobody();
        ck_is(open_path("new.db", e), ST_DENIED, "not writable");
        ck_is(open_path("fixed.db", e), ST_DENIED, "writable");
        ck_is(open_path("shared.db", e), ST_DENIED, "directory must be writable");
        _exit(0);
    }
    int code = -1;
    ck_assert_int_eq(waitpid(child, &code, 0), child);
    ck_assert_int_eq(chmod(fixture_dir, 0755), 0);
    ck_assert_int_eq(code, 0);
}
END_TEST

/* --- SQLite: other processes --- */

START_TEST(one_server_per_file)
{
    char url[FIXTURE_URL_BYTES], go;
    struct store *store = NULL, *second = NULL;
    int ready[2];
    fixture_url(DB_SQLITE, url);
    struct store_options server = { .url = url, .exclusive = true }, command = { .url = url };
    ck_assert_int_eq(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct error e;
        if (store_open(&server, &store, &e) == OK && write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    ck_assert_int_eq(read(ready[0], &go, 1), 1);
    ck_is(store_open(&server, &second, e), ST_BUSY, ".lock");
    ck_is(store_open(&server, &second, e), ST_BUSY, "already serves");
    ck_ok(store_open(&command, &second, e)); /* a command beside the server is welcome */
    ck_ok(store_write(second, write_table, NULL, e));
    store_close(second);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_ok(store_open(&server, &second, e)); /* the kernel dropped the lock */
    ck_is(store_open(&server, &store, e), ST_BUSY, "already serves");
    ck_assert_int_eq(read_int(second, "SELECT count(*) FROM t"), 0);
    store_close(second);
}
END_TEST

START_TEST(another_program_holds_the_write_lock)
{
    char url[FIXTURE_URL_BYTES];
    struct db *other;
    int64_t id = 1;
    fixture_url(DB_SQLITE, url);
    struct store *store = fixture_open_url(url);
    ck_ok(store_write(store, write_table, NULL, e));
    ck_ok(db_open(url, true, &other, e));
    ck_ok(db_begin(other, e));
    ck_is(store_write(store, write_small_row, &id, e), ST_UNAVAILABLE, "another program");
    ck_ok(db_commit(other, e));
    ck_ok(store_write(store, write_small_row, &id, e));
    db_close(other);
    store_close(store);
}
END_TEST

/* --- PostgreSQL: connections and servers that go away --- */

static void pg_kill_all(const char *url)
{
    struct db *admin;
    ck_ok(db_open(url, true, &admin, e));
    ck_ok(db_run(admin, e,
                 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                 "WHERE datname = current_database() AND pid <> pg_backend_pid()"));
    db_close(admin);
}

struct cut { /* a write whose connection is cut in the middle of its first runs */
    const char *url;
    int cuts, runs;
};

static enum status write_cut(struct db *db, void *arg, struct error *e)
{
    struct cut *c = arg;
    enum status st = db_run(db, e, "INSERT INTO t (id) VALUES (1)");
    if (c->runs++ < c->cuts)
        pg_kill_all(c->url);
    return st == OK ? db_run(db, e, "INSERT INTO t (id) VALUES (2)") : st;
}

START_TEST(a_connection_cut_in_a_transaction)
{
    char url[FIXTURE_URL_BYTES];
    fixture_url(DB_POSTGRES, url);
    struct store *store = fixture_open_url(url);
    ck_ok(store_write(store, write_table, NULL, e));
    struct cut once = { .url = url, .cuts = 1 }, always = { .url = url, .cuts = 100 };
    ck_ok(store_write(store, write_cut, &once, e));
    ck_assert_int_eq(once.runs, 2);
    ck_assert_int_eq(read_int(store, "SELECT count(*) FROM t"), 2);
    ck_ok(store_write(store, write_script, "DELETE FROM t", e));
    ck_is(store_write(store, write_cut, &always, e), ST_UNAVAILABLE, "");
    ck_assert_int_eq(always.runs, 2);
    ck_assert_int_eq(read_int(store, "SELECT count(*) FROM t"), 0);
    store_close(store);
}
END_TEST

/* The last statement went well, then the connection is cut: COMMIT is never sent. */
static enum status write_cut_at_end(struct db *db, void *arg, struct error *e)
{
    struct cut *c = arg;
    enum status st = db_run(db, e, "INSERT INTO t (id) VALUES (1)");
    if (c->runs++ < c->cuts)
        pg_kill_all(c->url);
    clock_sleep_ms(50);
    return st;
}

START_TEST(a_connection_cut_before_the_commit)
{
    char url[FIXTURE_URL_BYTES];
    fixture_url(DB_POSTGRES, url);
    struct store *store = fixture_open_url(url);
    ck_ok(store_write(store, write_table, NULL, e));
    struct cut once = { .url = url, .cuts = 1 };
    ck_ok(store_write(store, write_cut_at_end, &once, e));
    ck_assert_int_eq(once.runs, 2);
    ck_assert_int_eq(read_int(store, "SELECT count(*) FROM t"), 1);
    store_close(store);
}
END_TEST

static enum status write_count_runs(struct db *db, void *arg, struct error *e)
{
    (*(int *)arg)++;
    return db_run(db, e, "INSERT INTO t (id) VALUES (1)");
}

START_TEST(a_connection_cut_in_the_commit)
{
    struct store *store = fixture_open_table(DB_POSTGRES);
    int runs = 0;
    ck_ok(store_write(
        store, write_script, /* the server's end dies while it works on COMMIT */
        "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(10); RETURN NULL; END $$;"
        "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION die()",
        e));
    ck_is(store_write(store, write_count_runs, &runs, e), ST_UNKNOWN, "may have happened");
    ck_assert_int_eq(runs, 1);
    ck_ok(store_write(store, write_script, "DROP TRIGGER die ON t", e));
    ck_assert_int_eq(read_int(store, "SELECT count(*) FROM t"), 0);
    store_close(store);
}
END_TEST

START_TEST(idle_connections_are_replaced_unseen)
{
    char url[FIXTURE_URL_BYTES];
    struct db *reader[4];
    int runs = 0;
    fixture_url(DB_POSTGRES, url);
    struct store *store = fixture_open_url(url);
    ck_ok(store_write(store, write_table, NULL, e));
    for (int i = 0; i < 4; i++)
        ck_ok(store_read_begin(store, &reader[i], e));
    for (int i = 0; i < 4; i++)
        store_read_end(store, reader[i]);
    pg_kill_all(url);
    ck_ok(store_write(store, write_count_runs, &runs, e));
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(read_int(store, "SELECT count(*) FROM t"), 1);
    store_close(store);
}
END_TEST

static void pg_server(const char *verb)
{
    char command[64], dir[80];
    snprintf(command, sizeof command, "tests/pgtmp %s", verb);
    snprintf(dir, sizeof dir, "%s/pg", fixture_dir);
    ck_assert(fixture_shell(command, dir));
}

static enum status write_owner_alive(struct db *db, void *arg, struct error *e)
{
    int64_t *id = arg;
    bool alive = false;
    enum status st = store_owner_alive(db, *id, &alive, e);
    *id = alive;
    return st;
}

START_TEST(a_server_stops_and_comes_back)
{
    char url[FIXTURE_URL_BYTES];
    fixture_url(DB_POSTGRES, url);
    struct store *store = fixture_open_url(url), *other = fixture_open_url(url);
    struct error last;
    ck_ok(store_write(store, write_table, NULL, e));
    for (int64_t round = 0; round < 2; round++) {
        int64_t id = 10 * round + 1;
        ck_ok(store_write(store, write_small_row, &id, e));
        pg_server("halt");
        id++;
        for (int i = 0; i < 50; i++) {
            struct db *db;
            ck_is(store_write(store, write_small_row, &id, e), ST_UNAVAILABLE, "");
            ck_is(store_read_begin(store, &db, e), ST_UNAVAILABLE, "");
            ck_is(store_check(store, e), ST_UNAVAILABLE, "");
        }
        pg_server("resume");
        while (store_write(store, write_small_row, &id, &last) != OK) /* the test's timeout ends this */
            clock_sleep_ms(20);
        struct db *db;
        while (store_read_begin(store, &db, &last) != OK)
            clock_sleep_ms(20);
        store_read_end(store, db);
        ck_ok(store_check(store, e));
        ck_assert_int_eq(read_int(store, "SELECT count(*) FROM t"), 2 * round + 2);
    }
    for (int64_t alive = 0; !alive; clock_sleep_ms(20)) { /* announced anew by the listener */
        alive = store_owner_id(other);
        if (store_write(store, write_owner_alive, &alive, &last) != OK)
            alive = 0;
    }
    struct store_counters c;
    store_count(store, &c);
    ck_assert_int_gt(c.reconnects, 0);
    store_close(other);
    store_close(store);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store: failures");
    TCase *tc = tcase_create("failures");
    tcase_set_timeout(tc, FIXTURE_TEST_S);
    tcase_add_test(tc, urls_are_refused_with_a_reason);
    tcase_add_test(tc, full_disk);
    tcase_add_test(tc, full_disk_at_the_commit);
    tcase_add_test(tc, files_that_cannot_be_opened);
    tcase_add_test(tc, new_files_are_private);
    tcase_add_test(tc, directories_that_cannot_be_written);
    tcase_add_test(tc, one_server_per_file);
    tcase_add_test(tc, another_program_holds_the_write_lock);
    tcase_add_test(tc, a_connection_cut_in_a_transaction);
    tcase_add_test(tc, a_connection_cut_before_the_commit);
    tcase_add_test(tc, a_connection_cut_in_the_commit);
    tcase_add_test(tc, idle_connections_are_replaced_unseen);
    tcase_add_test(tc, a_server_stops_and_comes_back);
    suite_add_tcase(suite, tc);
    return fixture_main(suite, true);
}
