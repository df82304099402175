/* SPDX-License-Identifier: MIT
 * test_snapshot: a matrix survives its file; a damaged, foreign or half-written file is refused with a reason; being
 * killed while saving leaves the old file or the new one. */
#include "embeddings/snapshot.h"
#include "tests/unit/matrix_fixture.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { D = 40, N = 900 };
static char folder[] = "/tmp/steward-snapshot-XXXXXX", path[128], side[140];
static const struct matrix_options options = { .model = "test", .dimensions = D };

static void set_up(void)
{
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/matrix", folder);
    snprintf(side, sizeof side, "%s.new", path);
}
static void tear_down(void)
{
    unlink(path);
    unlink(side);
    rmdir(folder);
}

static void save(struct matrix *m, int64_t mark)
{
    struct error e = { 0 };
    ck_assert_msg(snapshot_save(m, &(struct snapshot_saving){ .path = path, .state = { .mark = mark } }, &e) == OK,
                  "%s", e.text);
    ck_assert_int_ne(access(side, F_OK), 0);
}

static struct matrix *load(int64_t *mark)
{
    struct error e = { 0 };
    struct matrix *m;
    struct snapshot_state state, seen;
    ck_assert_msg(snapshot_load(path, &options, &m, &state, &e) == OK, "%s", e.text);
    ck_assert_msg(snapshot_peek(path, &options, &seen, &e) == OK, "%s", e.text);
    ck_assert_int_eq(seen.mark, state.mark);
    ck_assert_int_eq(seen.complete, state.complete);
    *mark = state.mark;
    return m;
}

static void refused(enum status want, const struct matrix_options *o)
{
    struct error e = { 0 };
    struct matrix *m;
    struct snapshot_state state;
    ck_assert_int_eq(snapshot_load(path, o, &m, &state, &e), want);
    ck_assert_ptr_null(m);
    ck_assert_msg(strlen(e.text) > 20, "no reason");
}

static void same(struct matrix *a, struct matrix *b, const float *x)
{
    struct matrix_hit h[2][30];
    struct matrix_trace t[2];
    for (uint32_t i = 0; i < 20; i++) {
        size_t n = search(a, NULL, 30, x + i * D, h[0], &t[0]);
        hits_equal(h[1], search(b, NULL, 30, x + i * D, h[1], &t[1]), h[0], n, "loaded");
        ck_assert_uint_eq(t[0].matched, t[1].matched);
    }
}

START_TEST(test_round_trip)
{
    float *x = vectors_make(CLUSTERED, N, D);
    struct matrix *m = matrix_made(D, NULL, 1), *other;
    int64_t mark;
    matrix_fill(m, x, N);
    for (uint32_t i = 0; i < 100; i++)
        ck_assert_int_eq(matrix_remove(m, 1, i % 3, i + 1, NULL), OK);
    for (int64_t user = 2; user < 9; user++)
        matrix_put_ok(m, &(struct matrix_item){ .user = user, .id = 7, .type = 3 }, x);
    save(m, 4711);
    other = load(&mark);
    ck_assert_int_eq(mark, 4711);
    same(m, other, x);
    /* It lives on: written, saved, loaded again, while the first file is still mapped */
    for (uint32_t i = 0; i < N; i += 3) {
        struct matrix_item item = item_of(i);
        matrix_put_ok(m, &item, x + (N - 1 - i) * D);
        matrix_put_ok(other, &item, x + (N - 1 - i) * D);
    }
    ck_assert_int_eq(matrix_remove(m, 4, 3, 7, NULL), OK);
    ck_assert_int_eq(matrix_remove(other, 4, 3, 7, NULL), OK);
    same(m, other, x);
    save(other, 4712);
    matrix_free(m);
    m = load(&mark);
    ck_assert_int_eq(mark, 4712);
    same(m, other, x);
    ck_assert_int_eq(matrix_get(m, 5, 3, 7, NULL, NULL, NULL), OK);
    ck_assert_int_eq(matrix_get(m, 4, 3, 7, NULL, NULL, NULL), ST_NOT_FOUND);
    matrix_free(m);
    matrix_free(other);
    free(x);
}
END_TEST

START_TEST(test_empty)
{
    struct matrix *m = matrix_made(D, NULL, 1);
    int64_t mark;
    save(m, -1);
    matrix_free(m);
    m = load(&mark);
    ck_assert_int_eq(mark, -1);
    matrix_put_ok(m, &(struct matrix_item){ .user = 1, .id = 1 }, (float[D]){ 1 });
    matrix_free(m);
}
END_TEST

START_TEST(test_foreign)
{
    refused(ST_NOT_FOUND, &options);
    struct matrix *m = matrix_made(D, NULL, 1);
    save(m, 1);
    matrix_free(m);
    struct matrix_options o = options;
    o.model = "tests";
    refused(ST_CONFLICT, &o);
    o = options;
    o.dimensions = D + 1;
    refused(ST_CONFLICT, &o);
    ck_assert_int_eq(truncate(path, 100), 0);
    refused(ST_INVALID, &options);
    ck_assert_int_eq(truncate(path, 0), 0);
    refused(ST_INVALID, &options);
}
END_TEST

/* Any flipped bit, any missing tail. */
START_TEST(test_damage)
{
    float *x = vectors_make(CLUSTERED, N, D);
    struct matrix *m = matrix_made(D, NULL, 1);
    struct stat st;
    int64_t mark;
    matrix_fill(m, x, N);
    save(m, 1);
    matrix_free(m);
    ck_assert_int_eq(stat(path, &st), 0);
    int fd = open(path, O_RDWR);
    uint32_t header_bytes = 64; /* magic … mark; the page behind the header is not used */
    for (int round = 0; round < 300; round++) {
        off_t at = round < 60 ? round : 65536 + (off_t)random_below((uint32_t)st.st_size - 65536);
        uint8_t byte, flipped;
        ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
        flipped = byte ^ (uint8_t)(1u << random_below(8));
        ck_assert_int_eq(pwrite(fd, &flipped, 1, at), 1);
        struct matrix *damaged;
        struct snapshot_state state;
        enum status s = snapshot_load(path, &options, &damaged, &state, NULL);
        /* The gap between the codes and the page of the rows means nothing */
        ck_assert_msg(s == ST_INVALID || (s == OK && byte == 0 && at >= header_bytes), "byte %lld", (long long)at);
        matrix_free(damaged);
        ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
    }
    close(fd);
    matrix_free(load(&mark));
    for (off_t bytes = st.st_size - 1; bytes > 0; bytes = bytes * 3 / 4) {
        ck_assert_int_eq(truncate(path, bytes), 0);
        refused(ST_INVALID, &options);
    }
    free(x);
}
END_TEST

START_TEST(test_complete_or_not)
{
    struct matrix *m = matrix_made(D, NULL, 1);
    struct snapshot_state state = { 0 };
    struct error e;
    struct matrix_options other = options;
    for (int complete = 0; complete < 2; complete++) {
        const struct snapshot_saving what = { .path = path, .state = { .mark = 70 + complete, .complete = complete } };
        ck_assert_int_eq(snapshot_save(m, &what, &e), OK);
        ck_assert_int_eq(snapshot_peek(path, &options, &state, &e), OK);
        ck_assert_int_eq(state.mark, 70 + complete);
        ck_assert_int_eq(state.complete, complete);
    }
    other.model = "another";
    ck_assert_int_eq(snapshot_peek(path, &other, &state, &e), ST_CONFLICT);
    matrix_free(m);
}
END_TEST

START_TEST(test_cannot_save)
{
    struct matrix *m = matrix_made(D, NULL, 1);
    struct error e;
    ck_assert_int_eq(snapshot_save(m, &(struct snapshot_saving){ .path = "/nowhere/at/all" }, &e), ST_INTERNAL);
    int64_t mark;
    save(m, 8);
    int fd = open(side, O_RDWR | O_CREAT, 0600);
    ck_assert_int_eq(lockf(fd, F_TLOCK, 0), 0); /* not the lock that counts */
    close(fd);
    save(m, 9);
    matrix_free(m);
    m = load(&mark);
    ck_assert_int_eq(mark, 9);
    matrix_free(m);
}
END_TEST

/* Saves again and again until killed. */
static void saver(const float *x)
{
    struct matrix *m = matrix_made(D, NULL, 1);
    matrix_fill(m, x, N);
    for (int64_t mark = 1;; mark++)
        if (snapshot_save(m, &(struct snapshot_saving){ .path = path, .state = { .mark = mark } }, NULL) != OK)
            _exit(1);
}

START_TEST(test_killed)
{
    enum { ROUNDS = 40, ROUNDS_MAX = 400 };
    float *x = vectors_make(CLUSTERED, N, D);
    struct matrix *m = matrix_made(D, NULL, 1), *loaded;
    int64_t mark, last = 0;
    matrix_fill(m, x, N);
    save(m, 0);
    for (int round = 0; round < ROUNDS || (last == 0 && round < ROUNDS_MAX); round++) { /* on a busy machine: longer */
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0)
            saver(x);
        nanosleep(&(struct timespec){ .tv_nsec = (long)random_below(40 + 2 * round) * 1000000 }, NULL);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        loaded = load(&mark);
        same(m, loaded, x);
        last = mark > last ? mark : last;
        matrix_free(loaded);
    }
    ck_assert_int_gt(last, 0); /* it was killed between saves and within them */
    save(m, 77);
    matrix_free(load(&mark));
    ck_assert_int_eq(mark, 77);
    matrix_free(m);
    free(x);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("snapshot");
    TCase *t = tcase_create("snapshot");
    tcase_set_timeout(t, 300);
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, test_round_trip);
    tcase_add_test(t, test_empty);
    tcase_add_test(t, test_foreign);
    tcase_add_test(t, test_damage);
    tcase_add_test(t, test_complete_or_not);
    tcase_add_test(t, test_cannot_save);
    tcase_add_test(t, test_killed);
    suite_add_tcase(s, t);
    return run_suite(s);
}
