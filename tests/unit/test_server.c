/* SPDX-License-Identifier: MIT
 * The web server over real sockets: routing, answers, secrets, bounds, addresses. */
#include "tests/unit/server_fixture.h"

static void on_inject(struct request *r, void *arg)
{
    (void)arg;
    request_set_header(r, "x-good", "fine");
    request_set_header(r, "x-evil", "a\r\nx-injected: 1");
    request_error(r, 400, "%s", "quote \" and line\nbreak");
}
static const struct route rows[] = {
    { "POST", "/echo", auth_none, on_echo },
    { "GET", "/ask", auth_none, on_ask },
    { "GET", "/inject", auth_none, on_inject },
    { "GET", "/secret", auth_bearer, on_ask },
    { "GET", "/metrics", auth_local_or_bearer, on_ask },
    { 0 },
};

static void up(void)
{
    server_up(rows);
}

START_TEST(routes_by_path_and_method)
{
    const char *r = call("GET /nothing", "", "");
    has(r, "HTTP/1.1 404 ");
    has(r, "{\"error\":\"");
    has(r, "application/json");
    r = call("GET /echo", "", "");
    has(r, "HTTP/1.1 405 ");
    has(r, "allow: POST\r\n");
    r = call("POST /ask", "", "");
    has(r, "allow: GET, HEAD\r\n");
    has(call("GET /ask/", "", ""), " 404 ");
    has(call("GET /askance", "", ""), " 404 ");
    has(call("GET /ask?q=1", "", ""), "\"q\":\"1\"");
    /* A path means what it says: no second spelling gets past a proxy's rule. */
    has(call("GET /x/../ask?q=1", "", ""), " 404 ");
    has(call("GET /%61sk?q=1", "", ""), " 404 ");
    has(call("GET /x%2f..%2fask", "", ""), " 404 ");
}
END_TEST

START_TEST(answers_are_complete)
{
    const char *r = call("GET /ask?x=1&q=a%20b%26+c&q=2", "", "");
    has(r, " 200 ");
    has(r, "Content-Length: ");
    has(r, "x-content-type-options: nosniff");
    has(r, "cache-control: no-store");
    has(r, "\"q\":\"a b& c\"");
    r = call("HEAD /ask", "", "");
    has(r, " 200 ");
    has(r, "Content-Length: ");
    ck_assert_ptr_eq(strstr(r, "\r\n\r\n") + 4, strchr(r, '\0'));
    r = call("GET /inject", "", "");
    has(r, "x-good: fine");
    has_not(r, "x-injected");
    has(r, "{\"error\":\"quote \\\" and line\\nbreak\"}");
}
END_TEST

START_TEST(an_error_keeps_the_connection)
{
    int fd = dial();
    put(fd, "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
    has(get(fd, "}"), " 404 ");
    put(fd, "GET /ask?q=again HTTP/1.1\r\nHost: x\r\n\r\n");
    has(get(fd, "}"), "\"q\":\"again\"");
    close(fd);
}
END_TEST

START_TEST(bodies_are_json_or_refused)
{
    const char *json = "Content-Type: application/json\r\n";
    has(call("POST /echo", json, "{\"a\":[1,2]}"), "{\"a\":[1,2]}");
    has(call("POST /echo", "Content-Type: Application/JSON; charset=utf-8\r\n", "{\"a\":1}"), "{\"a\":1}");
    has(call("POST /echo", json, "{\"a\":"), " 400 ");
    has(call("POST /echo", json, "[1]"), " 400 ");
    has(call("POST /echo", "Content-Type: text/plain\r\n", "{}"), " 415 ");
    has(call("POST /echo", "", "{}"), " 415 ");
    int fd = dial();
    put(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n");
    const char *r = get(fd, NULL);
    has(r, " 413 ");
    has(r, "{\"error\":\"");
    close(fd);
}
END_TEST

START_TEST(secrets)
{
    ck_assert(secret_equal("abc", "abc"));
    ck_assert(!secret_equal("abc", "abd"));
    ck_assert(!secret_equal("abc", "ab"));
    ck_assert(!secret_equal("abc", "abcd"));
    ck_assert(!secret_equal("abc", ""));
    has(call("GET /secret", "Authorization: Bearer hunter2-secret\r\n", ""), " 200 ");
    has(call("GET /secret", "authorization: bearer hunter2-secret\r\n", ""), " 200 ");
    has(call("GET /secret", "Authorization: Bearer hunter2-secreT\r\n", ""), " 401 ");
    has(call("GET /secret", "Authorization: Basic hunter2-secret\r\n", ""), " 401 ");
    has(call("GET /secret", "", ""), " 401 ");
    has(call("GET /metrics", "", ""), " 200 ");
    has(call("GET /metrics", "X-Forwarded-For: 9.9.9.9\r\n", ""), " 401 ");
    has(call("GET /metrics", "X-Forwarded-For: 9.9.9.9\r\nAuthorization: Bearer hunter2-secret\r\n", ""), " 200 ");
}
END_TEST

/* Wrong secrets of one address; the last answer. */
static const char *guess(const char *from, const char *secret, int times)
{
    char headers[256];
    const char *r = "";
    snprintf(headers, sizeof headers, "X-Forwarded-For: %s\r\nAuthorization: Bearer %s\r\n", from, secret);
    for (int i = 0; i < times; i++)
        r = call("GET /secret", headers, "");
    return r;
}

START_TEST(guessing_is_limited_and_the_owner_is_not)
{
    log_set_fd(-1);
    has(guess("203.0.113.5", "wrong", 10), " 401 ");
    const char *r = guess("203.0.113.5", "wrong", 1);
    has(r, "retry-after: ");
    has(guess("203.0.113.5", "hunter2-secret", 1), " 200 "); /* the right one from the very same address */
    has(guess("203.0.113.5", "wrong", 1), " 429 ");
    has(guess("203.0.113.6", "wrong", 1), " 401 ");
}
END_TEST

/* More bodies than the bound, none of them complete: the largest go, a small request gets through. */
START_TEST(unanswered_input_is_bounded)
{
    enum { BODY = 3 * MIB + MIB / 2, COUNT = 2 * HTTP_INPUT_BYTES_MAX / BODY };
    static const char head[] = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3900000\r\n\r\n";
    static char body[BODY];
    int fds[COUNT], small = dial();
    log_set_fd(-1);
    put(small, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{");
    for (int i = 0; i < COUNT; i++) {
        fds[i] = dial();
        put(fds[i], head);
        size_t sent = 0;
        for (ssize_t n = 1; sent < sizeof body && n > 0; sent += n > 0 ? (size_t)n : 0)
            n = write(fds[i], body + sent, sizeof body - sent); /* fails when it was shed */
    }
    struct server_counters c = { 0 };
    for (int i = 0; i < 2000 && c.shed == 0; i++) {
        clock_sleep_ms(5);
        server_count(server, &c);
    }
    ck_assert_int_gt(c.shed, 0);
    ck_assert_int_lt(c.shed, COUNT);
    put(small, "}");
    has(get(small, "{}"), " 200 ");
    for (int i = 0; i < COUNT; i++)
        close(fds[i]);
    close(small);
}
END_TEST

START_TEST(who_is_asking)
{
    const char *r = call("GET /ask", "Origin: http://localhost\r\nSec-Fetch-Site: same-origin\r\n", "");
    has(r, "\"here\":true,\"local\":true,\"origin\":true");
    has(call("GET /ask", "Origin: http://evil.example\r\n", ""), "\"origin\":false");
    has(call("GET /ask", "Origin: null\r\n", ""), "\"origin\":false");
    has(call("GET /ask", "", ""), "\"origin\":false");
    has(call("GET /ask", "Origin: http://localhost\r\nSec-Fetch-Site: cross-site\r\n", ""), "\"origin\":false");
    r = call("GET /ask", "X-Forwarded-For: 1.1.1.1, 203.0.113.5\r\n", "");
    has(r, "\"client\":\"203.0.113.5\"");
    has(r, "\"here\":false");
    has(call("GET /ask", "X-Forwarded-For: 2001:db8:1:2:3:4:5:6\r\n", ""), "\"client\":\"2001:db8:1:2::\"");
    has(call("GET /ask", "X-Forwarded-For: nonsense\r\n", ""), "\"client\":\"127.0.0.1\"");
    /* A proxy may add a line of its own below what the client made up. */
    has(call("GET /ask", "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 203.0.113.5\r\n", ""),
        "\"client\":\"203.0.113.5\"");
    int fd = dial();
    put(fd, "GET /ask HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\nConnection: close\r\n\r\n");
    has(get(fd, NULL), "\"local\":false");
    close(fd);
}
END_TEST

START_TEST(a_bad_address_is_named)
{
    struct error e;
    const struct server_options bad[] = {
        { .bind = "127.0.0.1", .port = server_port(server) },
        { .bind = "not an address", .port = 0 },
        { .bind = "203.0.113.77", .port = 0 },
        { .bind = "127.0.0.1", .port = 70000 },
    };
    static const char *const words[] = { "PORT", "BIND", "BIND", "PORT" };
    for (int i = 0; i < 4; i++) {
        struct server *s = server_new(&bad[i]);
        ck_assert_int_ne(server_start(s, &e), OK);
        has(e.text, words[i]);
        server_free(s);
    }
    const struct server_options six = { .bind = "[::1]", .port = 0 };
    struct server *s = server_new(&six);
    enum status st = server_start(s, &e);
    ck_assert_msg(st == OK || st == ST_INVALID, "%s", e.text); /* a machine may have no IPv6 */
    server_free(s);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("server");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, up, server_down);
    tcase_add_test(t, routes_by_path_and_method);
    tcase_add_test(t, answers_are_complete);
    tcase_add_test(t, an_error_keeps_the_connection);
    tcase_add_test(t, bodies_are_json_or_refused);
    tcase_add_test(t, secrets);
    tcase_add_test(t, guessing_is_limited_and_the_owner_is_not);
    tcase_add_test(t, unanswered_input_is_bounded);
    tcase_add_test(t, who_is_asking);
    tcase_add_test(t, a_bad_address_is_named);
    return run_suite("server", t);
}
