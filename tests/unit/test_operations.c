/* SPDX-License-Identifier: MIT
 * The pure parts of operations: histograms and their page, prices, whose server it is, the doctor's judgement. */
#include "base/histogram.h"
#include "base/host.h"
#include "bot/doctor.h"
#include "bot/metrics.h"
#include "router/price.h"
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void assert_counts(const struct histogram *h, int bucket, unsigned count)
{
    for (int i = 0; i <= HISTOGRAM_BOUNDS; i++)
        ck_assert_uint_eq(h->bucket[i], i == bucket ? count : 0);
}

START_TEST(histogram_bounds_are_inclusive)
{
    for (int i = 0; i < HISTOGRAM_BOUNDS; i++) {
        struct histogram h = { 0 };
        histogram_observe(&h, histogram_bound_us[i]);
        assert_counts(&h, i, 1);
        ck_assert_uint_eq(h.sum_us, (uint64_t)histogram_bound_us[i]);
        struct histogram above = { 0 };
        histogram_observe(&above, histogram_bound_us[i] + 1);
        assert_counts(&above, i + 1, 1);
        ck_assert(i == 0 || histogram_bound_us[i] > histogram_bound_us[i - 1]);
    }
    struct histogram odd = { 0 };
    histogram_observe(&odd, -5);
    histogram_observe(&odd, 0);
    assert_counts(&odd, 0, 2);
    ck_assert_uint_eq(odd.sum_us, 0);
}
END_TEST

START_TEST(labels_are_escaped_and_never_cut)
{
    char out[METRICS_LABELS_BYTES], long_value[METRICS_LABELS_BYTES];
    ck_assert_str_eq(metrics_labels(out, NULL), "");
    ck_assert_str_eq(metrics_labels(out, "a", "x", "b", "y\"\\\nz"), "a=\"x\",b=\"y\\\"\\\\ z\"");
    memset(long_value, 'v', sizeof long_value - 1);
    long_value[sizeof long_value - 1] = '\0';
    ck_assert_str_eq(metrics_labels(out, "a", "x", "b", long_value, "c", "z"), "a=\"x\",c=\"z\"");
}
END_TEST

/* --- prices --- */

static double price(const char *provider, const char *model, int64_t day, int64_t input, int64_t cached, int64_t output)
{
    struct price_tokens t = { input, cached, output };
    double dollars = 0;
    return price_add(provider, model, day, &t, &dollars) ? dollars : -1;
}

static void assert_near(double a, double b)
{
    ck_assert_msg(fabs(a - b) < 1e-9, "%g is not %g", a, b);
}

START_TEST(a_price_is_by_model_and_kind_of_token)
{
    enum { DAY = 20777 }; /* 2026-11-20 */
    assert_near(price("anthropic", "claude-haiku-5-5", DAY, 1000000, 0, 0), 0.10);
    assert_near(price("anthropic", "claude-haiku-5-5", DAY, 1000000, 1000000, 0), 0.01);
    assert_near(price("anthropic", "claude-haiku-5-5", DAY, 0, 0, 1000000), 0.50);
    assert_near(price("anthropic", "claude-haiku-5-5-20261007", DAY, 1000000, 0, 0), 0.10);
    assert_near(price("openai", "gpt-6-luna", DAY, 1000000, 0, 1000000), 0.60);
    assert_near(price("anthropic", "claude-haiku-5-5", DAY, 10, 1000000, 0), 10 * 0.01 / 1e6); /* never below zero */
    ck_assert(price("anthropic", "claude-haiku-5-55", DAY, 1, 0, 0) < 0);
    ck_assert(price("anthropic", "claude-haiku-5-5-mini", DAY, 1, 0, 0) < 0);
    ck_assert(price("openai", "claude-haiku-5-5", DAY, 1, 0, 0) < 0);
    ck_assert(price("openrouter.ai", "gpt-6-luna", DAY, 1, 0, 0) < 0);
    ck_assert(price("openai", "", DAY, 1, 0, 0) < 0);
    assert_near(price("local", "whatever", DAY, 1000000, 0, 1000000), 0);
    assert_near(price("anthropic", "claude-haiku-5-5", 0, 1000000, 0, 0), 0.10); /* before the first price: that one */
}
END_TEST

START_TEST(every_price_has_a_date_and_an_order)
{
    for (const struct price *p = price_table; p->provider; p++) {
        ck_assert_uint_eq(strlen(p->since), 10);
        ck_assert_msg(strcmp(p->since, PRICE_TABLE_DATE) <= 0, "%s: a price from the future", p->model);
        ck_assert(p->input > 0 && p->cached > 0 && p->cached <= p->input && p->output >= 0);
        for (const struct price *q = p + 1; q->provider; q++)
            ck_assert_msg(strcmp(p->model, q->model) != 0 || strcmp(p->since, q->since) > 0, "%s: newer rows first",
                          p->model);
    }
}
END_TEST

/* --- whose server --- */

START_TEST(a_host_is_found_in_a_url)
{
    static const struct {
        const char *url, *host;
    } row[] = {
        { "https://api.openai.com/v1", "api.openai.com" },
        { "http://localhost:11434/v1", "localhost" },
        { "http://user:pa@ss@10.0.0.1:80", "10.0.0.1" },
        { "http://[::1]:8080/v1", "::1" },
        { "http://host", "host" },
        { "https://h/x@y.com", "h" },
        { "no url", "" },
        { "http:///x", "" },
    };
    char out[HOST_BYTES_MAX];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        ck_assert_int_eq(host_of_url(row[i].url, out), *row[i].host != '\0');
        ck_assert_str_eq(out, row[i].host);
    }
    ck_assert(!host_of_url(NULL, out));
}
END_TEST

START_TEST(local_is_what_nobody_else_can_reach)
{
    static const char *const local[] = { "localhost",  "127.0.0.1",  "127.9.9.9",   "10.1.2.3", "192.168.0.9",
                                         "172.16.0.1", "172.31.9.9", "169.254.1.1", "::1",      "fd00::1",
                                         "fe80::1",    "ollama",     "nas.local",   "x.LAN",    "db.internal" };
    static const char *const far[] = { "api.openai.com", "172.32.0.1",  "172.15.0.1", "8.8.8.8", "11.0.0.1",
                                       "2001:db8::1",    "192.169.0.1", "local.com",  ".local",  "",
                                       "internal.io",    "::2" };
    char out[HOST_BYTES_MAX];
    for (size_t i = 0; i < sizeof local / sizeof *local; i++)
        ck_assert_msg(host_is_local(local[i]), "%s", local[i]);
    for (size_t i = 0; i < sizeof far / sizeof *far; i++)
        ck_assert_msg(!host_is_local(far[i]), "%s", far[i]);
    ck_assert_str_eq(host_owner("https://API.OpenAI.com/v1", "api.openai.com", "openai", out), "openai");
    ck_assert_str_eq(host_owner("http://10.0.0.1/v1", "api.openai.com", "openai", out), "local");
    ck_assert_str_eq(host_owner("https://openrouter.ai/api/v1", "api.openai.com", "openai", out), "openrouter.ai");
    ck_assert_str_eq(host_owner("nonsense", "api.openai.com", "openai", out), "unknown");
}
END_TEST

/* --- the doctor --- */

START_TEST(the_doctor_judges_disk_and_clock)
{
    const int64_t mib = 1024 * 1024;
    ck_assert_int_eq(doctor_judge_disk(0), DOCTOR_FAILURE);
    ck_assert_int_eq(doctor_judge_disk(DOCTOR_DISK_FULL_MIB * mib - 1), DOCTOR_FAILURE);
    ck_assert_int_eq(doctor_judge_disk(DOCTOR_DISK_FULL_MIB * mib), DOCTOR_WARNING);
    ck_assert_int_eq(doctor_judge_disk(DOCTOR_DISK_LOW_MIB * mib - 1), DOCTOR_WARNING);
    ck_assert_int_eq(doctor_judge_disk(DOCTOR_DISK_LOW_MIB * mib), DOCTOR_OK);
    ck_assert_int_eq(doctor_judge_disk(INT64_MAX), DOCTOR_OK);
    ck_assert_int_eq(doctor_judge_skew(DOCTOR_SKEW_MS_MAX), DOCTOR_OK);
    ck_assert_int_eq(doctor_judge_skew(-DOCTOR_SKEW_MS_MAX), DOCTOR_OK);
    ck_assert_int_eq(doctor_judge_skew(DOCTOR_SKEW_MS_MAX + 1), DOCTOR_WARNING);
    ck_assert_int_eq(doctor_judge_skew(-DOCTOR_SKEW_MS_MAX - 1), DOCTOR_WARNING);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("operations");
    TCase *c = tcase_create("pure");
    tcase_add_test(c, histogram_bounds_are_inclusive);
    tcase_add_test(c, labels_are_escaped_and_never_cut);
    tcase_add_test(c, a_price_is_by_model_and_kind_of_token);
    tcase_add_test(c, every_price_has_a_date_and_an_order);
    tcase_add_test(c, a_host_is_found_in_a_url);
    tcase_add_test(c, local_is_what_nobody_else_can_reach);
    tcase_add_test(c, the_doctor_judges_disk_and_clock);
    suite_add_tcase(s, c);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
