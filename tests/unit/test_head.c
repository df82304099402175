/* SPDX-License-Identifier: MIT
 * What is refused of a request head although the HTTP library takes it. */
#include "base/limits.h"
#include "bot/head.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

/* `why` is part of the sentence; NULL: nothing is wrong. */
static const struct row {
    const char *head, *why;
} rows[] = {
    { "GET / HTTP/1.1\r\nHost: localhost:8080\r\n\r\n", NULL },
    { "\r\nGET / HTTP/1.1\r\nHost:\tlocalhost\t\r\n\r\n", NULL },
    { "GET / HTTP/1.1\r\nhOST: [::1]:8080\r\nX-Forwarded-For: a\r\nX-Forwarded-For: b\r\n\r\n", NULL },
    { "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n\r\n",
      NULL }, /* proxies add */
    { "GET / HTTP/1.0\r\n\r\n", NULL },
    { "GET / HTTP/1.1\r\nHost:\r\n\r\n", NULL },
    { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", NULL },
    { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nHost: a\r\n\n\n", NULL }, /* the body is no head */
    { "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", NULL },
    { "GET / HTTP/1.1\r\nHost: a\r\nX-Host: b\r\nHosts: c\r\n\r\n", NULL },
    { "GET / HTTP/1.1\r\n\r\n", "Host header is missing" },
    { "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "came twice" },
    { "GET / HTTP/1.1\r\nHost: a\r\nHOST: b\r\n\r\n", "came twice" },
    { "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "not the name" },
    { "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "not the name" },
    { "GET / HTTP/1.1\r\nHost: x@a\r\n\r\n", "not the name" },
    { "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", "not the name" },
    { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}", "came twice" },
    { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\ncontent-length: 5\r\n\r\n{}", "came twice" },
    { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", "not both" },
    { "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "came twice" },
    { "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.0" },
    { "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n", "came twice" },
    { "GET / HTTP/1.1\r\nHost: a\r\nX-Telegram-Bot-Api-Secret-Token: a\r\nx-telegram-bot-api-secret-token: b\r\n\r\n",
      "came twice" },
    { "GET / HTTP/1.1\r\nHost: a\r\nX-A: a\r\n b\r\n\r\n", "folded" },
    { "GET / HTTP/1.1\r\nHost: a\r\nX-A: a\r\n\tb\r\n\r\n", "folded" },
    { "GET / HTTP/1.1\r\nHost\r\n\r\n", "no colon" },
    { "GET / HTTP/1.1\nHost: a\n\n", "bare line feed" },
    { "GET / HTTP/1.1\r\nHost: a\nX-A: b\r\n\r\n", "bare line feed" },
    { "GET / HTTP/1.1\r\nHost: a\r\n\n", "bare line feed" },
    { "GET / HTTP/1.1\r\nHost: a\r\n", "does not end" },
    { "", "does not end" },
};

static const char *fault_of(const char *text, size_t len, bool *chunked)
{
    char *exact = malloc(len ? len : 1); /* so that a sanitizer sees a byte read too far */
    ck_assert_ptr_nonnull(exact);
    memcpy(exact, text, len);
    const char *fault = head_fault(exact, len, chunked);
    free(exact);
    return fault;
}

START_TEST(heads)
{
    const struct row *row = &rows[_i];
    bool chunked;
    const char *fault = fault_of(row->head, strlen(row->head), &chunked);
    if (!row->why)
        ck_assert_msg(!fault, "%s: %s", row->head, fault);
    else
        ck_assert_msg(fault && strstr(fault, row->why), "%s: %s", row->head, fault ? fault : "nothing");
}
END_TEST

START_TEST(chunks_are_told)
{
    bool chunked = true;
    static const char plain[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n";
    static const char chunks[] = "POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: chunked\r\n\r\n";
    ck_assert_ptr_null(head_fault(plain, sizeof plain - 1, &chunked));
    ck_assert(!chunked);
    ck_assert_ptr_null(head_fault(chunks, sizeof chunks - 1, &chunked));
    ck_assert(chunked);
}
END_TEST

START_TEST(a_large_head_is_refused_and_a_large_body_is_not)
{
    static const char begin[] = "GET / HTTP/1.1\r\nHost: a\r\nX-A: ", end[] = "\r\n\r\n";
    bool chunked;
    size_t size = HTTP_HEAD_BYTES_MAX + sizeof begin + sizeof end;
    char *text = malloc(size);
    ck_assert_ptr_nonnull(text);
    memset(text, 'a', size);
    memcpy(text, begin, sizeof begin - 1);
    memcpy(text + size - (sizeof end - 1), end, sizeof end - 1);
    const char *fault = head_fault(text, size, &chunked);
    ck_assert(fault && strstr(fault, "too large"));
    memcpy(text + sizeof begin - 1, end, sizeof end - 1);
    ck_assert_ptr_null(head_fault(text, size, &chunked));
    free(text);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("head");
    TCase *t = tcase_create("head");
    tcase_add_loop_test(t, heads, 0, sizeof rows / sizeof rows[0]);
    tcase_add_test(t, chunks_are_told);
    tcase_add_test(t, a_large_head_is_refused_and_a_large_body_is_not);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
