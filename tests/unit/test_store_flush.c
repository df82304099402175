/* SPDX-License-Identifier: MIT
 * What SQLite's commits and the disk have to do with each other: who waits for the disk and who does not, what happens
 * when it fails, and how large the log becomes.  fdatasync() is the test's own: it counts, stands still or fails. */
#include "base/limits.h"
#include "tests/unit/store_fixture.h"
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sysexits.h>

enum { LOG_HEADER_BYTES = 32, PAGE_BYTES = 4096 + 24 }; /* of the log */

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

static enum status write_pages(struct db *db, void *arg, struct error *e)
{
    static const char page[3900] = { 1 };
    const int *pages = arg;
    for (int i = 0; i < *pages; i++)
        if (db_run(db, e, "INSERT INTO pages (b) VALUES ($1)", p_blob(page, sizeof page)))
            return e->status;
    return OK;
}

static void file_of(struct store *store, char path[FIXTURE_URL_BYTES])
{
    struct db *db;
    ck_ok(store_read_begin(store, &db, e));
    struct stmt *s = db_query(db, "SELECT file FROM pragma_database_list WHERE name = 'main'");
    ck_assert(db_step(s));
    snprintf(path, FIXTURE_URL_BYTES, "%s", db_text(s, 0));
    ck_ok(db_done(s, e));
    store_read_end(store, db);
}

static int64_t log_bytes(struct store *store)
{
    struct stat st;
    char path[FIXTURE_URL_BYTES], log[FIXTURE_URL_BYTES + 8];
    file_of(store, path);
    snprintf(log, sizeof log, "%s-wal", path);
    return stat(log, &st) == 0 ? st.st_size : -1;
}

static void file_copy(const char *from, const char *to)
{
    char command[2 * FIXTURE_URL_BYTES + 64];
    snprintf(command, sizeof command, "cp '%s' '%s'", from, to);
    ck_assert_int_eq(system(command), 0);
}

/* A file that grows costs a flush one more trip to the disk: so it grows by many pages at a time, before they are
 * needed.  What is behind the last commit must not disturb whoever reads the log after a crash. */
START_TEST(the_log_grows_ahead)
{
    enum { WRITES = 120 };
    int pages = 10;
    char path[FIXTURE_URL_BYTES], copy[FIXTURE_URL_BYTES + 8], log[FIXTURE_URL_BYTES + 8],
        log_copy[FIXTURE_URL_BYTES + 16];
    char url[FIXTURE_URL_BYTES + 32];
    struct store *store = fixture_open_table(DB_SQLITE);
    ck_ok(store_write(store, write_script, "CREATE TABLE pages (b BLOB)", e));
    int64_t begin = log_bytes(store), before = begin;
    for (int i = 0; i < WRITES; i++) {
        ck_ok(store_write(store, write_pages, &pages, e));
        int64_t bytes = log_bytes(store), least = (int64_t)(i + 1) * pages * PAGE_BYTES;
        ck_assert(bytes == before || bytes >= before + MIB - PAGE_BYTES);
        ck_assert_int_eq((bytes - LOG_HEADER_BYTES) % PAGE_BYTES, 0);
        ck_assert_int_ge(bytes, least);
        ck_assert_int_le(bytes, begin + 2 * least + 2 * MIB);
        before = bytes;
    }
    file_of(store, path);
    snprintf(copy, sizeof copy, "%s.copy", path);
    snprintf(log, sizeof log, "%s-wal", path);
    snprintf(log_copy, sizeof log_copy, "%s-wal", copy);
    file_copy(path, copy);
    file_copy(log, log_copy); /* as a crash leaves them */
    store_close(store);
    snprintf(url, sizeof url, "sqlite://%s", copy);
    store = fixture_open_url(url);
    ck_assert_int_eq(read_int(store, "SELECT count(*) FROM pages"), WRITES * pages);
    ck_assert_int_eq(read_int(store, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
    ck_ok(store_write(store, write_pages, &pages, e));
    store_close(store);
}
END_TEST

/* There is no space to grow ahead into: what fits is used, and nothing else changes. */
START_TEST(a_log_that_cannot_grow_ahead)
{
    enum { WRITES_MAX = 100 };
    int pages = 10, written = 0;
    struct rlimit limit = { .rlim_cur = MIB + 100 * KIB, .rlim_max = RLIM_INFINITY };
    struct store *store = fixture_open_table(DB_SQLITE);
    ck_ok(store_write(store, write_script, "CREATE TABLE pages (b BLOB)", e));
    int64_t begin = log_bytes(store);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    while (written < WRITES_MAX && store_write(store, write_pages, &pages, &(struct error){ 0 }) == OK)
        written++;
    ck_assert_int_ge(log_bytes(store), (int64_t)limit.rlim_cur - 100 * KIB);
    ck_assert_int_ge(begin + written * pages * 2 * PAGE_BYTES, MIB);
    ck_assert_int_lt(written, WRITES_MAX);
    ck_assert_int_eq(read_int(store, "SELECT count(*) FROM pages"), written * pages);
    limit.rlim_cur = RLIM_INFINITY;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    for (int i = 0; i < 30; i++, written++)
        ck_ok(store_write(store, write_pages, &pages, e));
    ck_assert_int_eq(read_int(store, "SELECT count(*) FROM pages"), written * pages);
    ck_assert_int_gt(log_bytes(store), 2 * MIB);
    store_close(store);
}
END_TEST

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
    enum { WRITES = 500, READERS = 4, PAGES_MAX = 16000 };
    int pages = 100;
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
        ck_ok(store_write_relaxed(store, write_pages, &pages, e));
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
    ck_assert_int_eq(read_int(store, "SELECT count(*) FROM pages"), pages * WRITES);
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
    tcase_add_test(t, the_log_grows_ahead);
    tcase_add_test(t, a_log_that_cannot_grow_ahead);
    tcase_add_test(t, the_log_stays_small);
    suite_add_tcase(suite, t);
    return fixture_main(suite, false);
}
