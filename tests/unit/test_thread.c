/* SPDX-License-Identifier: MIT
 * Threads: their names, signals and stacks, and waits that go by the monotonic clock. */
#include "base/clock.h"
#include "base/thread.h"
#include <check.h>
#include <signal.h>
#include <string.h>

struct seen {
    char name[32];
    sigset_t blocked;
    size_t stack_bytes;
};

static void *look(void *arg)
{
    struct seen *s = arg;
    pthread_attr_t attributes;
    pthread_getname_np(pthread_self(), s->name, sizeof s->name);
    pthread_sigmask(SIG_SETMASK, NULL, &s->blocked);
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstacksize(&attributes, &s->stack_bytes);
    pthread_attr_destroy(&attributes);
    return s;
}

static struct seen of(struct thread_start what)
{
    struct seen s;
    struct error e = { 0 };
    pthread_t thread;
    void *returned;
    what.run = look;
    what.arg = &s;
    ck_assert_msg(thread_start(&thread, &what, &e) == OK, "%s", e.text);
    pthread_join(thread, &returned);
    ck_assert_ptr_eq(returned, &s);
    return s;
}

START_TEST(a_thread_has_its_name)
{
    ck_assert_str_eq(of((struct thread_start){ .name = "loop" }).name, "loop");
    ck_assert_str_eq(of((struct thread_start){ .name = "worker", .number = 16 }).name, "worker 16");
    ck_assert_str_eq(of((struct thread_start){ .name = "fifteen letters" }).name, "fifteen letters");
}
END_TEST

START_TEST(a_name_is_cut_and_its_number_is_not)
{
    ck_assert_str_eq(of((struct thread_start){ .name = "sixteen lettersX" }).name, "sixteen letters");
    ck_assert_str_eq(of((struct thread_start){ .name = "fifteen letters", .number = 12 }).name, "fifteen lett 12");
}
END_TEST

START_TEST(signals_stay_with_the_starter)
{
    struct seen s = of((struct thread_start){ .name = "deaf" });
    ck_assert_int_eq(sigismember(&s.blocked, SIGTERM), 1);
    ck_assert_int_eq(sigismember(&s.blocked, SIGINT), 1);
    sigset_t mine;
    pthread_sigmask(SIG_SETMASK, NULL, &mine);
    ck_assert_int_eq(sigismember(&mine, SIGTERM), 0);
}
END_TEST

START_TEST(a_stack_is_as_large_as_asked)
{
    enum {
        STACK_BYTES = 512 * 1024,
        ADDED_BYTES_MAX = 1024 * 1024
    }; /* a sanitizer adds its own part, or has a least size */
    size_t small = of((struct thread_start){ .name = "small", .stack_bytes = STACK_BYTES }).stack_bytes;
    size_t twice = of((struct thread_start){ .name = "twice", .stack_bytes = 2 * STACK_BYTES }).stack_bytes;
    ck_assert_uint_ge(small, STACK_BYTES);
    ck_assert_uint_le(small, STACK_BYTES + ADDED_BYTES_MAX);
    ck_assert_uint_ge(twice, 2 * STACK_BYTES);
    ck_assert_uint_gt(twice, small);
    ck_assert_uint_ne(of((struct thread_start){ .name = "usual" }).stack_bytes, small);
}
END_TEST

static struct {
    pthread_mutex_t lock;
    pthread_cond_t change;
    bool done;
} room = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void *say_done(void *arg)
{
    pthread_mutex_lock(&room.lock);
    room.done = true;
    pthread_cond_signal(&room.change);
    pthread_mutex_unlock(&room.lock);
    return arg;
}

START_TEST(a_detached_thread_runs_and_wakes_a_waiter)
{
    struct error e = { 0 };
    condition_init(&room.change);
    pthread_mutex_lock(&room.lock);
    ck_assert_int_eq(thread_start(NULL, &(struct thread_start){ .name = "free", .run = say_done }, &e), OK);
    int64_t until_ms = clock_mono_ms() + 20000;
    while (!room.done && condition_wait_until(&room.change, &room.lock, until_ms))
        continue;
    ck_assert(room.done);
    pthread_mutex_unlock(&room.lock);
}
END_TEST

START_TEST(a_wait_ends_at_its_moment)
{
    condition_init(&room.change);
    pthread_mutex_lock(&room.lock);
    int64_t at_ms = clock_mono_ms() + 1015; /* crosses a second */
    while (condition_wait_until(&room.change, &room.lock, at_ms))
        continue;
    ck_assert_int_ge(clock_mono_ms(), at_ms);
    ck_assert_int_lt(clock_mono_ms(), at_ms + 20000);
    ck_assert(!condition_wait_until(&room.change, &room.lock, at_ms)); /* what is over is not waited for */
    pthread_mutex_unlock(&room.lock);
}
END_TEST

START_TEST(a_thread_that_the_system_refuses_is_named)
{
    struct error e = { 0 };
    pthread_t thread;
    struct thread_start huge = { .name = "huge", .number = 7, .stack_bytes = (size_t)1 << 62, .run = look };
    ck_assert_int_eq(thread_start(&thread, &huge, &e), ST_INTERNAL);
    ck_assert_ptr_nonnull(strstr(e.text, "\"huge 7\""));
    ck_assert_int_eq(thread_start(&thread, &huge, NULL), ST_INTERNAL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("thread");
    TCase *c = tcase_create("thread");
    tcase_add_test(c, a_thread_has_its_name);
    tcase_add_test(c, a_name_is_cut_and_its_number_is_not);
    tcase_add_test(c, signals_stay_with_the_starter);
    tcase_add_test(c, a_stack_is_as_large_as_asked);
    tcase_add_test(c, a_detached_thread_runs_and_wakes_a_waiter);
    tcase_add_test(c, a_wait_ends_at_its_moment);
    tcase_add_test(c, a_thread_that_the_system_refuses_is_named);
    tcase_set_timeout(c, 60);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
