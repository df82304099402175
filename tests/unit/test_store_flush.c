/* SPDX-License-Identifier: MIT
 * What SQLite's commits and the disk have to do with each other: who waits for the disk and who does not, what happens
 * when it fails, and how large the log becomes.  fdatasync() is the test's own: it counts, stands still or fails. */
#include "base/limits.h"
#include "tests/unit/store_fixture.h"
#include <errno.h>
#include <sys/syscall.h>
#include <sysexits.h>

/* --- the disk --- */

static atomic_int flushes; /* of a log, that have returned */
static atomic_bool disk_stands, disk_fails;

static bool is_log(int fd)
{
    char link[64], path[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path);
    return n > 4 && memcmp(path + n - 4, "-wal", 4) == 0;
}

int fdatasync(int fd) /* the program's, and SQLite's */
{
    if (!is_log(fd))
        return (int)syscall(SYS_fdatasync, fd);
    while (atomic_load(&disk_stands))
        clock_sleep_ms(1);
    if (atomic_load(&disk_fails)) {
        errno = EIO;
        return -1;
    }
    int code = (int)syscall(SYS_fdatasync, fd);
    atomic_fetch_add(&flushes, 1);
    return code;
}

static enum status write_row(struct db *db, void *arg, struct error *e)
{
    (void)arg;
    return db_run(db, e, "INSERT INTO t (n) VALUES (1)");
}

static enum status write_nothing(struct db *db, void *arg, struct error *e)
{
    (void)db, (void)arg, (void)e;
    return OK;
}

/* --- one thread that writes or reads --- */

struct caller {
    struct store *store;
    pthread_t thread;
    void (*call)(struct caller *);
    int64_t saw;
    atomic_bool back;
};

static void call_write(struct caller *c)
{
    ck_ok(store_write(c->store, write_row, NULL, e));
}

static void call_relaxed(struct caller *c)
{
    ck_ok(store_write_relaxed(c->store, write_row, NULL, e));
}

static void count_rows(struct caller *c, struct db *db)
{
    ck_ok(db_get_int(db, &c->saw, NULL, e, "SELECT count(*) FROM t"));
    store_read_end(c->store, db);
}

static void call_read(struct caller *c)
{
    struct db *db;
    ck_ok(store_read_begin(c->store, &db, e));
    count_rows(c, db);
}

static void call_read_settled(struct caller *c)
{
    struct db *db;
    ck_ok(store_read_begin_settled(c->store, &db, e));
    count_rows(c, db);
}

static void *caller_main(void *arg)
{
    struct caller *c = arg;
    c->call(c);
    atomic_store(&c->back, true);
    return NULL;
}

static void caller_start(struct caller *c, struct store *store, void (*call)(struct caller *))
{
    *c = (struct caller){ .store = store, .call = call };
    ck_assert_int_eq(pthread_create(&c->thread, NULL, caller_main, c), 0);
}

static void caller_join(struct caller *c)
{
    pthread_join(c->thread, NULL);
    ck_assert(atomic_load(&c->back));
}

static int rows_seen(struct store *store)
{
    return (int)read_int(store, "SELECT count(*) FROM t");
}

/* --- tests --- */

START_TEST(a_write_returns_from_the_disk)
{
    struct store *store = fixture_open_table(DB_SQLITE);
    for (int i = 0; i < 10; i++) {
        int before = atomic_load(&flushes);
        ck_ok(store_write(store, write_row, NULL, e));
        ck_assert_int_gt(atomic_load(&flushes), before);
    }
    int before = atomic_load(&flushes);
    ck_ok(store_write_relaxed(store, write_row, NULL, e));
    ck_assert_int_eq(atomic_load(&flushes), before);
    ck_ok(store_write(store, write_nothing, NULL, e)); /* what it may have seen is not on disk yet */
    ck_assert_int_gt(atomic_load(&flushes), before);
    before = atomic_load(&flushes);
    ck_ok(store_write(store, write_nothing, NULL, e)); /* now it is */
    ck_assert_int_eq(atomic_load(&flushes), before);
    store_close(store);
}
END_TEST

/* While the disk stands still others commit and relaxed writes end; nobody else is answered. */
START_TEST(a_disk_that_stands_holds_back_answers_alone)
{
    enum { WRITERS = 8 };
    struct store *store = fixture_open_table(DB_SQLITE);
    struct caller writer[WRITERS], relaxed, reader, settled;
    atomic_store(&disk_stands, true);
    for (int i = 0; i < WRITERS; i++)
        caller_start(&writer[i], store, call_write);
    until(rows_seen(store) == WRITERS);
    caller_start(&relaxed, store, call_relaxed);
    caller_join(&relaxed);
    caller_start(&reader, store, call_read);
    caller_join(&reader);
    ck_assert_int_eq(reader.saw, WRITERS + 1);
    caller_start(&settled, store, call_read_settled);
    clock_sleep_ms(50);
    for (int i = 0; i < WRITERS; i++)
        ck_assert(!atomic_load(&writer[i].back));
    ck_assert(!atomic_load(&settled.back));
    int before = atomic_load(&flushes);
    atomic_store(&disk_stands, false);
    for (int i = 0; i < WRITERS; i++)
        caller_join(&writer[i]);
    caller_join(&settled);
    ck_assert_int_eq(settled.saw, WRITERS + 1);
    ck_assert_int_le(atomic_load(&flushes) - before, 3); /* shared: not one for each */
    store_close(store);
}
END_TEST

/* The system may have dropped what it could not write and say "fine" the next time. */
START_TEST(a_disk_that_fails_ends_the_program)
{
    struct store *store = fixture_open_table(DB_SQLITE);
    ck_ok(store_write(store, write_row, NULL, e));
    atomic_store(&disk_fails, true);
    ck_ok(store_write(store, write_row, NULL, e));
    ck_abort_msg("the program went on");
}
END_TEST

/* A process died between its commit and the disk: who comes after it shows the row, so must have it on disk. */
START_TEST(a_start_flushes_what_the_dead_have_committed)
{
    char url[FIXTURE_URL_BYTES];
    fixture_url(DB_SQLITE, url);
    struct store *store = fixture_open_url(url);
    ck_ok(store_write(store, write_table, NULL, e));
    store_close(store);
    pid_t pid = fork();
    if (pid == 0) {
        atomic_store(&disk_stands, false);
        struct store_options o = { .url = url };
        struct error e;
        if (store_open(&o, &store, &e) == OK && store_write_relaxed(store, write_row, NULL, &e) == OK)
            _exit(0);
        _exit(1);
    }
    int status = -1;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    int before = atomic_load(&flushes);
    store = fixture_open_url(url);
    ck_assert_int_gt(atomic_load(&flushes), before);
    ck_assert_int_eq(rows_seen(store), 1);
    store_close(store);
}
END_TEST

static enum status write_page(struct db *db, void *arg, struct error *e)
{
    static const char page[3900] = { 1 };
    (void)arg;
    for (int i = 0; i < 100; i++)
        if (db_run(db, e, "INSERT INTO pages (b) VALUES ($1)", p_blob(page, sizeof page)))
            return e->status;
    return OK;
}

static int64_t log_bytes(struct store *store)
{
    struct db *db;
    struct stat st;
    char path[FIXTURE_URL_BYTES];
    ck_ok(store_read_begin(store, &db, e));
    struct stmt *s = db_query(db, "SELECT file FROM pragma_database_list WHERE name = 'main'");
    ck_assert(db_step(s));
    snprintf(path, sizeof path, "%s-wal", db_text(s, 0));
    ck_ok(db_done(s, e));
    store_read_end(store, db);
    return stat(path, &st) == 0 ? st.st_size : -1;
}

struct reading {
    struct store *store;
    pthread_t thread;
    atomic_bool *over;
    int64_t reads;
};

static void *reading_main(void *arg)
{
    struct reading *r = arg;
    while (!atomic_load(r->over)) {
        struct db *db;
        int64_t n;
        ck_ok(store_read_begin_settled(r->store, &db, e));
        ck_ok(db_get_int(db, &n, NULL, e, "SELECT count(*) FROM t"));
        clock_sleep_ms(2);
        store_read_end(r->store, db);
        r->reads++;
    }
    return NULL;
}

/* Writes without a pause, beside readers that overlap, so that at no moment the log is in nobody's use. */
START_TEST(the_log_stays_small)
{
    enum { WRITES = 500, READERS = 4, PAGE_BYTES = 4096 + 24, PAGES_MAX = 16000 };
    struct store *store = fixture_open_table(DB_SQLITE);
    struct reading reading[READERS];
    atomic_bool over = false;
    int64_t largest = 0;
    ck_ok(store_write(store, write_script, "CREATE TABLE pages (b BLOB)", e));
    for (int i = 0; i < READERS; i++) {
        reading[i] = (struct reading){ .store = store, .over = &over };
        ck_assert_int_eq(pthread_create(&reading[i].thread, NULL, reading_main, &reading[i]), 0);
    }
    for (int i = 0; i < WRITES; i++) {
        ck_ok(store_write_relaxed(store, write_page, NULL, e));
        int64_t bytes = log_bytes(store);
        largest = bytes > largest ? bytes : largest;
    }
    atomic_store(&over, true);
    for (int i = 0; i < READERS; i++) {
        pthread_join(reading[i].thread, NULL);
        ck_assert_int_gt(reading[i].reads, 0);
    }
    ck_assert_int_lt(largest, (int64_t)(PAGES_MAX + 4000) * PAGE_BYTES);
    ck_assert_int_gt(largest, (int64_t)PAGES_MAX / 4 * PAGE_BYTES); /* the log was in use at all */
    ck_assert_int_eq(read_int(store, "SELECT count(*) FROM pages"), 100 * WRITES);
    store_close(store);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store: commits and the disk");
    TCase *t = tcase_create("SQLite");
    tcase_set_timeout(t, FIXTURE_TEST_S);
    tcase_add_test(t, a_write_returns_from_the_disk);
    tcase_add_test(t, a_disk_that_stands_holds_back_answers_alone);
    tcase_add_exit_test(t, a_disk_that_fails_ends_the_program, EX_IOERR);
    tcase_add_test(t, a_start_flushes_what_the_dead_have_committed);
    tcase_add_test(t, the_log_stays_small);
    suite_add_tcase(suite, t);
    return fixture_main(suite, false);
}
