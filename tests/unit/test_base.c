/* SPDX-License-Identifier: MIT
 * test_base: status, arena, buf and log. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/decimal.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include <check.h>
#undef fail /* check has a macro of that name */
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- status --- */

START_TEST(status_every_row_is_filled)
{
    for (int s = OK; s < ST_COUNT; s++) {
        const struct status_row *row = status_row((enum status)s);
        ck_assert_ptr_nonnull(row->name);
        ck_assert_ptr_nonnull(row->sentence);
        ck_assert_int_ge(row->http, 200);
        for (int t = OK; t < s; t++)
            ck_assert_str_ne(row->name, status_row((enum status)t)->name);
    }
    ck_assert_ptr_eq(status_row((enum status)99), status_row(ST_INTERNAL));
    ck_assert_ptr_eq(status_row((enum status) - 1), status_row(ST_INTERNAL));
}
END_TEST

START_TEST(status_fail_sets_and_returns)
{
    struct error e = { 0 };
    ck_assert_int_eq(fail(&e, ST_BUSY, "try %d", 7), ST_BUSY);
    ck_assert_int_eq(e.status, ST_BUSY);
    ck_assert_str_eq(e.text, "try 7");
    ck_assert_int_eq(fail_context(&e, "row %s", "x"), ST_BUSY);
    ck_assert_str_eq(e.text, "row x: try 7");
    ck_assert_int_eq(fail(NULL, ST_LOST, "nobody listens"), ST_LOST);
}
END_TEST

START_TEST(status_long_text_is_cut_at_a_utf8_border)
{
    /* Every alignment of 2, 3 and 4 byte sequences against the end. */
    static const char *const units[] = { "é", "€", "😀" };
    for (size_t u = 0; u < 3; u++) {
        for (int shift = 0; shift < 4; shift++) {
            struct buf b = BUF_INIT(4096);
            struct error e;
            for (int i = 0; i < shift; i++)
                buf_putc(&b, 'x');
            while (b.len < 700)
                buf_puts(&b, units[u]);
            (void)fail(&e, ST_INVALID, "%s", buf_str(&b));
            size_t len = strlen(e.text);
            ck_assert(text_valid(e.text, len));
            ck_assert_uint_gt(len, ERROR_TEXT_BYTES_MAX - 6);
            ck_assert_uint_lt(len, ERROR_TEXT_BYTES_MAX);
            (void)fail_context(&e, "%s", "in the test");
            ck_assert(text_valid(e.text, strlen(e.text)));
            buf_release(&b);
        }
    }
}
END_TEST

/* --- arena --- */

START_TEST(arena_memory_is_zeroed_aligned_and_apart)
{
    struct arena *a = arena_new();
    unsigned char *before = NULL;
    size_t before_len = 0;
    for (size_t bytes = 0; bytes < 40000; bytes = bytes * 3 / 2 + 1) {
        unsigned char *p = arena_alloc(a, bytes);
        ck_assert_uint_eq((uintptr_t)p % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < bytes; i++)
            ck_assert_uint_eq(p[i], 0);
        memset(p, 0xA5, bytes);
        for (size_t i = 0; i < before_len; i++)
            ck_assert_uint_eq(before[i], 0xA5);
        before = p;
        before_len = bytes;
    }
    arena_free(a);
}
END_TEST

START_TEST(arena_lists_grow_and_keep_what_they_hold)
{
    struct arena *a = arena_new();
    int64_t *list = NULL, *before = NULL;
    size_t moves = 0;
    for (size_t n = 0; n < 1000; n++, before = list) {
        list = arena_room(a, list, n, sizeof *list);
        moves += list != before;
        list[n] = (int64_t)n * 7;
    }
    for (size_t n = 0; n < 1000; n++)
        ck_assert_int_eq(list[n], (int64_t)n * 7);
    ck_assert_uint_eq(moves, 7); /* room for 16, 32, 64, 128, 256, 512, 1024 */
    arena_free(a);
}
END_TEST

START_TEST(arena_strings)
{
    struct arena *a = arena_new();
    ck_assert_ptr_null(arena_strdup(a, NULL));
    ck_assert_str_eq(arena_strdup(a, "hello"), "hello");
    ck_assert_str_eq(arena_strndup(a, "hello", 3), "hel");
    ck_assert_str_eq(arena_strndup(a, "hello", 30), "hello");
    ck_assert_str_eq(arena_printf(a, "%s-%05d", "a", 42), "a-00042");
    char *large = arena_printf(a, "%*d", 100000, 1);
    ck_assert_uint_eq(strlen(large), 100000);
    arena_free(a);
    arena_free(NULL);
}
END_TEST

static char order[8];

static void note(void *p)
{
    strcat(order, p);
}

static void note_and_defer(void *p)
{
    strcat(order, "d");
    arena_defer(p, note, "e");
}

START_TEST(decimals_are_what_printf_writes)
{
    static const int64_t fixed[] = { 0, 1, 9, 10, 99, 100, INT64_MAX, INT64_MIN, INT64_MIN + 1, -1, -9, -10 };
    char got[DECIMAL_BYTES_MAX], wanted[DECIMAL_BYTES_MAX];
    uint64_t number = 1;
    for (size_t i = 0; i < 1000; i++) {
        int64_t value = i < sizeof fixed / sizeof fixed[0] ? fixed[i] : (int64_t)(number >> (i % 64));
        number = number * 6364136223846793005u + 1442695040888963407u;
        snprintf(wanted, sizeof wanted, "%" PRId64, value);
        ck_assert_ptr_eq(decimal_put(got, value), got + strlen(wanted));
        ck_assert_str_eq(got, wanted);
    }
}
END_TEST

START_TEST(arena_deferred_run_backwards_once)
{
    struct arena *a = arena_new();
    order[0] = '\0';
    arena_defer(a, note, "a");
    arena_defer(a, note_and_defer, a);
    arena_defer(a, note, "b");
    arena_defer(a, note, "c");
    ck_assert_str_eq(order, "");
    arena_free(a);
    ck_assert_str_eq(order, "cbdea");
}
END_TEST

/* --- buf --- */

START_TEST(buf_grows_up_to_its_maximum)
{
    struct buf b = BUF_INIT(1000);
    ck_assert_str_eq(buf_str(&b), "");
    for (int i = 0; i < 1000; i++)
        buf_putc(&b, (char)('a' + i % 26));
    ck_assert(!b.overflow);
    ck_assert_uint_eq(b.len, 1000);
    ck_assert_uint_eq(strlen(buf_str(&b)), 1000);
    ck_assert_uint_le(b.capacity, 1001);
    buf_putc(&b, 'z');
    ck_assert(b.overflow);
    ck_assert_uint_eq(b.len, 1000);
    buf_clear(&b);
    ck_assert(!b.overflow);
    ck_assert_str_eq(buf_str(&b), "");
    buf_release(&b);
    buf_puts(&b, "again");
    ck_assert_str_eq(buf_str(&b), "again");
    buf_release(&b);
}
END_TEST

START_TEST(buf_overflow_stays_and_leaves_whole_writes_out)
{
    struct buf b;
    buf_init(&b, 10);
    buf_puts(&b, "12345");
    buf_printf(&b, "%s", "678901");
    ck_assert(b.overflow);
    buf_puts(&b, "x"); /* would fit, but the text would have a hole */
    ck_assert_str_eq(buf_str(&b), "12345");
    buf_puts(&b, NULL);
    char *s = buf_detach(&b);
    ck_assert_str_eq(s, "12345");
    free(s);
    ck_assert_ptr_null(b.data);
    s = buf_detach(&b);
    ck_assert_str_eq(s, "");
    free(s);
}
END_TEST

START_TEST(buf_in_an_arena_needs_no_release)
{
    struct arena *a = arena_new();
    struct buf b;
    buf_init_in(&b, a, 100000);
    for (int i = 0; i < 5000; i++)
        buf_printf(&b, "%d,", i);
    ck_assert_int_eq(strncmp(buf_str(&b), "0,1,2,3,", 8), 0);
    ck_assert_str_eq(buf_str(&b) + b.len - 10, "4998,4999,");
    arena_free(a);
}
END_TEST

START_TEST(buf_takes_any_bytes)
{
    struct buf b = BUF_INIT(64);
    buf_put(&b, "a\0b", 3);
    buf_put(&b, NULL, 0);
    ck_assert_uint_eq(b.len, 3);
    ck_assert_mem_eq(b.data, "a\0b", 4);
    buf_release(&b);
}
END_TEST

/* --- log --- */

static int log_pipe[2];

static void log_open(void)
{
    ck_assert_int_eq(pipe(log_pipe), 0);
    log_set_fd(log_pipe[1]);
    log_set_level(LOG_DEBUG);
}

static void log_close(void)
{
    log_set_fd(STDERR_FILENO);
    close(log_pipe[0]);
    close(log_pipe[1]);
}

/* What was logged since the last call. */
static const char *logged(void)
{
    static char text[65536];
    size_t used = 0;
    ck_assert_int_eq(write(log_pipe[1], "\1", 1), 1);
    do {
        ssize_t n = read(log_pipe[0], text + used, sizeof text - used);
        ck_assert_int_gt(n, 0);
        used += (size_t)n;
    } while (text[used - 1] != '\1');
    text[used - 1] = '\0';
    return text;
}

static struct json_object *logged_json(struct arena *a)
{
    struct error e;
    struct json_object *o = NULL;
    const char *line = logged();
    ck_assert_msg(json_parse_in(a, line, strlen(line), &o, &e) == OK, "%s: %s", e.text, line);
    ck_assert_int_eq(line[strlen(line) - 1], '\n');
    ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
    return o;
}

START_TEST(log_line_is_json_with_all_fields)
{
    struct arena *a = arena_new();
    struct error err;
    (void)fail(&err, ST_BUSY, "too \"busy\"");
    log_event(LOG_WARN, "turn", F_INT("update_id", -7), F_STR("text", "a\n\t\x01\"\\é😀\xFF"), F_NUM("ms", 1.5),
              F_NUM("bad", NAN), F_STR("none", NULL), F_ERR(&err));
    struct json_object *o = logged_json(a);
    ck_assert_str_eq(json_str(o, "level", ""), "warn");
    ck_assert_str_eq(json_str(o, "event", ""), "turn");
    ck_assert_int_eq(json_int(o, "update_id", 0), -7);
    ck_assert_str_eq(json_str(o, "text", ""), "a\n\t\x01\"\\é😀\xEF\xBF\xBD");
    ck_assert_double_eq(json_num(o, "ms", 0), 1.5);
    ck_assert(json_object_object_get_ex(o, "bad", NULL) && !json_has(o, "bad"));
    ck_assert(json_object_object_get_ex(o, "none", NULL) && !json_has(o, "none"));
    ck_assert_str_eq(json_str(o, "error", ""), "too \"busy\"");
    const char *ts = json_str(o, "ts", "");
    ck_assert_uint_eq(strlen(ts), 24);
    ck_assert_int_eq(ts[10], 'T');
    ck_assert_int_eq(ts[19], '.');
    ck_assert_int_eq(ts[23], 'Z');
    arena_free(a);
}
END_TEST

START_TEST(log_levels)
{
    enum log_level level;
    ck_assert(log_level_parse("warn", &level) && level == LOG_WARN);
    ck_assert(log_level_parse("DEBUG", &level) && level == LOG_DEBUG);
    ck_assert(!log_level_parse("loud", &level));
    ck_assert(!log_level_parse(NULL, &level));
    log_set_level(LOG_WARN);
    log_event(LOG_INFO, "quiet", F_INT("n", 1));
    ck_assert_str_eq(logged(), "");
    log_event(LOG_ERROR, "loud", F_INT("n", 1));
    ck_assert_ptr_nonnull(strstr(logged(), "\"event\":\"loud\""));
    log_set_fd(-1);
    log_event(LOG_ERROR, "nowhere", F_INT("n", 1));
    log_set_fd(log_pipe[1]);
    ck_assert_str_eq(logged(), "");
}
END_TEST

START_TEST(log_masks_secrets_everywhere)
{
    char out[64];
    log_secret("123456:AAE-\"quoted\\secret");
    log_secret("short");
    log_secret(NULL);
    log_secret("123456:AAE-\"quoted\\secret"); /* twice is once */
    log_secret("123456");                      /* part of another: the longer one is masked whole */
    log_event(LOG_INFO, "https://x/bot123456:AAE-\"quoted\\secret/send",
              F_STR("key 123456:AAE-\"quoted\\secret", "short 123456:AAE-\"quoted\\secret123456:AAE-\"quoted\\secret"));
    const char *line = logged();
    ck_assert_ptr_null(strstr(line, "quoted"));
    ck_assert_ptr_null(strstr(line, "123456"));
    ck_assert_ptr_nonnull(strstr(line, "\"event\":\"https://x/bot***/send\",\"key ***\":\"short ******\""));

    log_mask("a 123456 b", out, sizeof out);
    ck_assert_str_eq(out, "a *** b");
    log_mask("12345", out, sizeof out);
    ck_assert_str_eq(out, "12345");
    log_mask("123456", out, 3);
    ck_assert_str_eq(out, "");
    log_mask("abc", out, 3);
    ck_assert_str_eq(out, "ab");
    for (size_t room = 1; room < 12; room++) {
        log_mask("a€😀é", out, room);
        ck_assert(text_valid(out, strlen(out)));
        ck_assert_uint_lt(strlen(out), room);
    }
}
END_TEST

START_TEST(log_long_fields_end_in_an_ellipsis)
{
    struct arena *a = arena_new();
    struct buf b = BUF_INIT(20000);
    while (b.len < 10000)
        buf_puts(&b, "€\x01");
    log_event(LOG_INFO, "long", F_STR("text", buf_str(&b)), F_INT("after", 1));
    struct json_object *o = logged_json(a);
    const char *text = json_str(o, "text", "");
    ck_assert_uint_gt(strlen(text), 1000);
    ck_assert_str_eq(text + strlen(text) - 3, "…");
    ck_assert_int_eq(json_int(o, "after", 0), 1);

    struct field many[12];
    for (size_t i = 0; i < 12; i++)
        many[i] = F_STR("f", buf_str(&b));
    log_fields(LOG_INFO, "huge", many, 12);
    ck_assert_str_eq(json_str(logged_json(a), "event", ""), "log_line_too_long");
    buf_release(&b);
    arena_free(a);
}
END_TEST

static void *log_many(void *p)
{
    for (int i = 0; i < 200; i++) {
        log_event(LOG_INFO, "thread", F_INT("i", i));
        log_secret(i % 2 ? "concurrent-secret" : "another-secret");
    }
    return p;
}

static void *read_lines(void *p)
{
    FILE *f = fdopen(dup(log_pipe[0]), "r");
    char line[512];
    for (int i = 0; i < 800; i++) {
        struct json_object *o = NULL;
        if (!fgets(line, sizeof line, f) || json_parse(line, strlen(line), &o, NULL) != OK)
            break;
        *(int *)p += json_int(o, "i", -1) >= 0;
        json_object_put(o);
    }
    fclose(f);
    return NULL;
}

START_TEST(log_lines_of_threads_do_not_mix)
{
    pthread_t thread[4], reader;
    int good = 0;
    ck_assert_int_eq(pthread_create(&reader, NULL, read_lines, &good), 0);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, log_many, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    pthread_join(reader, NULL);
    ck_assert_int_eq(good, 800);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base");
    TCase *plain = tcase_create("memory"), *log = tcase_create("log");
    tcase_add_test(plain, status_every_row_is_filled);
    tcase_add_test(plain, status_fail_sets_and_returns);
    tcase_add_test(plain, status_long_text_is_cut_at_a_utf8_border);
    tcase_add_test(plain, arena_memory_is_zeroed_aligned_and_apart);
    tcase_add_test(plain, arena_lists_grow_and_keep_what_they_hold);
    tcase_add_test(plain, arena_strings);
    tcase_add_test(plain, decimals_are_what_printf_writes);
    tcase_add_test(plain, arena_deferred_run_backwards_once);
    tcase_add_test(plain, buf_grows_up_to_its_maximum);
    tcase_add_test(plain, buf_overflow_stays_and_leaves_whole_writes_out);
    tcase_add_test(plain, buf_in_an_arena_needs_no_release);
    tcase_add_test(plain, buf_takes_any_bytes);
    tcase_add_checked_fixture(log, log_open, log_close);
    tcase_add_test(log, log_line_is_json_with_all_fields);
    tcase_add_test(log, log_levels);
    tcase_add_test(log, log_masks_secrets_everywhere);
    tcase_add_test(log, log_long_fields_end_in_an_ellipsis);
    tcase_add_test(log, log_lines_of_threads_do_not_mix);
    suite_add_tcase(suite, plain);
    suite_add_tcase(suite, log);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
