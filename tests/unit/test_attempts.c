/* SPDX-License-Identifier: MIT
 * Allowances of wrong secrets: per client, coming back with time, in a table that does not grow. */
#include "bot/attempts.h"
#include <check.h>
#include <stdio.h>

enum { AT_ONCE = 3, INTERVAL_MS = 5000 };

static struct attempts *a;

static void up(void)
{
    a = attempts_new(AT_ONCE, INTERVAL_MS);
}

static void down(void)
{
    attempts_free(a);
}

static void use_up(const char *client, int64_t now_ms)
{
    for (int i = 0; i < AT_ONCE; i++)
        attempts_failed(a, client, now_ms);
}

START_TEST(an_allowance_is_used_up_and_comes_back)
{
    int64_t t = 1000000;
    for (int i = 0; i < AT_ONCE; i++) {
        ck_assert_int_eq(attempts_wait_s(a, "x", t), 0);
        attempts_failed(a, "x", t);
    }
    ck_assert_int_ge(attempts_wait_s(a, "x", t), INTERVAL_MS / 1000);
    ck_assert_int_gt(attempts_wait_s(a, "x", t + INTERVAL_MS - 1), 0);
    ck_assert_int_eq(attempts_wait_s(a, "x", t + INTERVAL_MS), 0);
    attempts_failed(a, "x", t + INTERVAL_MS);
    ck_assert_int_gt(attempts_wait_s(a, "x", t + INTERVAL_MS), 0);
    /* A long rest gives back all of it and no more. */
    t += 1000 * INTERVAL_MS;
    use_up("x", t);
    ck_assert_int_gt(attempts_wait_s(a, "x", t), 0);
}
END_TEST

START_TEST(the_wait_that_is_told_is_enough)
{
    use_up("x", 0);
    for (int64_t t = 0; t < INTERVAL_MS; t += 7)
        ck_assert_int_eq(attempts_wait_s(a, "x", t + attempts_wait_s(a, "x", t) * 1000), 0);
}
END_TEST

START_TEST(failing_on_while_limited_does_not_prolong_it)
{
    use_up("x", 0);
    attempts_failed(a, "x", 0);
    ck_assert_int_eq(attempts_wait_s(a, "x", INTERVAL_MS), 0);
}
END_TEST

START_TEST(others_are_not_concerned)
{
    char name[16];
    use_up("x", 0);
    for (int i = 0; i < ATTEMPTS_CLIENTS_MAX / 2; i++) {
        snprintf(name, sizeof name, "c%d", i);
        ck_assert_int_eq(attempts_wait_s(a, name, 1), 0);
        attempts_failed(a, name, 1);
    }
    ck_assert_int_gt(attempts_wait_s(a, "x", 1), 0);
}
END_TEST

START_TEST(a_full_table_forgets_the_one_idle_longest)
{
    char name[16];
    use_up("old", 0);
    use_up("busy", 1);
    for (int i = 0; i < ATTEMPTS_CLIENTS_MAX - 2; i++) {
        snprintf(name, sizeof name, "c%d", i);
        attempts_failed(a, name, 2);
    }
    ck_assert_int_gt(attempts_wait_s(a, "old", 3), 0);
    attempts_failed(a, "one more", 3);
    ck_assert_int_eq(attempts_wait_s(a, "old", 3), 0);
    ck_assert_int_gt(attempts_wait_s(a, "busy", 3), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("attempts");
    TCase *t = tcase_create("attempts");
    tcase_add_checked_fixture(t, up, down);
    tcase_add_test(t, an_allowance_is_used_up_and_comes_back);
    tcase_add_test(t, the_wait_that_is_told_is_enough);
    tcase_add_test(t, failing_on_while_limited_does_not_prolong_it);
    tcase_add_test(t, others_are_not_concerned);
    tcase_add_test(t, a_full_table_forgets_the_one_idle_longest);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
