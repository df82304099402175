/* SPDX-License-Identifier: MIT
 * The web server over real sockets: routing, answers, secrets, deferred answers whose client leaves, streams, draining.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "bot/auth.h"
#include "bot/deferred.h"
#include "bot/server.h"
#include "bot/stream.h"
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CLIENTS = 300, STREAM_CHUNK = 60000 };

static struct server *server;
static atomic_int answered, gone, released, closed, drained, task_sum;
static struct deferred *parked[CLIENTS];
static atomic_int parked_count;
static struct stream *the_stream;

/* --- handlers --- */

static void on_echo(struct request *r, void *arg)
{
    struct json_object *in = request_json_body(r);
    (void)arg;
    if (in)
        request_json(r, 200, json_object_get(in));
}

static void on_ask(struct request *r, void *arg)
{
    struct json_object *o = json_object_new_object();
    (void)arg;
    json_set_str(o, "q", request_query(r, "q"));
    json_set_str(o, "client", request_client(r));
    json_set_bool(o, "here", request_from_here(r));
    json_set_bool(o, "local", request_host_is_local(r));
    json_set_bool(o, "origin", request_same_origin(r));
    request_json(r, 200, o);
}

static void on_inject(struct request *r, void *arg)
{
    (void)arg;
    request_set_header(r, "x-good", "fine");
    request_set_header(r, "x-evil", "a\r\nx-injected: 1");
    request_error(r, 400, "%s", "quote \" and line\nbreak");
}

static void park_answer(struct request *r, enum deferred_why why, void *arg)
{
    static const char *const words[] = {
        [DEFERRED_DONE] = "done", [DEFERRED_TIMEOUT] = "timeout", [DEFERRED_LEFT] = "left", [DEFERRED_DRAIN] = "drain"
    };
    struct json_object *o = json_object_new_object();
    (void)arg;
    json_set_str(o, "why", words[why]);
    atomic_fetch_add(&answered, 1);
    request_json(r, 200, o);
}

static void park_gone(void *arg)
{
    (void)arg;
    atomic_fetch_add(&gone, 1);
}

static void park_release(void *arg)
{
    free(arg);
    atomic_fetch_add(&released, 1);
}

static void on_park(struct request *r, void *arg)
{
    static const struct deferred_ops ops = { park_answer, park_gone, park_release };
    const char *wait = request_query(r, "wait");
    struct deferred *d = request_defer(r, &ops, xmalloc(16), wait ? atoi(wait) : DEFERRED_NO_TIMEOUT);
    (void)arg;
    parked[atomic_load(&parked_count)] = d; /* handlers run one at a time */
    atomic_fetch_add(&parked_count, 1);
}

static void on_drained(struct stream *st, void *arg)
{
    (void)st, (void)arg;
    atomic_fetch_add(&drained, 1);
}

static void on_closed(void *arg)
{
    (void)arg;
    atomic_fetch_add(&closed, 1);
}

static void on_stream(struct request *r, void *arg)
{
    static const struct stream_ops ops = { on_drained, on_closed };
    (void)arg;
    the_stream = request_stream(r, "text/event-stream", &ops, NULL);
}

static void stream_fill(struct loop_task *t)
{
    static char chunk[STREAM_CHUNK];
    memset(chunk, 'x', sizeof chunk);
    for (int i = 0; i < 2 * STREAM_PENDING_BYTES_MAX / STREAM_CHUNK; i++)
        stream_write(the_stream, chunk, sizeof chunk);
    ck_assert(!stream_write(the_stream, chunk, sizeof chunk));
    ck_assert_uint_le(stream_pending(the_stream), 2 * STREAM_PENDING_BYTES_MAX);
    free(t);
}

static void stream_word(struct loop_task *t)
{
    static const char *const words[] = { "data: one\n\n", "data: two\n\n", "data: three\n\n" };
    for (int i = 0; i < 3; i++) /* the second while the first is being sent */
        ck_assert(stream_write(the_stream, words[i], strlen(words[i])));
    free(t);
}

static void post(void (*run)(struct loop_task *))
{
    struct loop_task *t = xcalloc(1, sizeof *t);
    t->run = run;
    server_post(server, t);
}

static const struct route rows[] = {
    { "POST", "/echo", auth_none, on_echo },
    { "GET", "/ask", auth_none, on_ask },
    { "GET", "/inject", auth_none, on_inject },
    { "GET", "/park", auth_none, on_park },
    { "GET", "/stream", auth_none, on_stream },
    { "GET", "/secret", auth_bearer, on_ask },
    { "GET", "/metrics", auth_local_or_bearer, on_ask },
    { 0 },
};

static void up(void)
{
    struct error e;
    struct server_options o = { .bind = "127.0.0.1", .port = 0, .notify_secret = "hunter2-secret" };
    signal(SIGPIPE, SIG_IGN);
    answered = gone = released = closed = drained = parked_count = task_sum = 0;
    server = server_new(&o);
    server_routes(server, rows, NULL);
    ck_assert_msg(server_start(server, &e) == OK, "%s", e.text);
}

static void down(void)
{
    server_free(server);
}

/* --- a client --- */

static int dial(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)server_port(server)) };
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static void put(int fd, const char *text)
{
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* What came until `until` was seen or the other side closed. */
static const char *get(int fd, const char *until)
{
    static char text[1 << 16];
    size_t n = 0;
    text[0] = '\0';
    while (n + 1 < sizeof text && !(until && strstr(text, until))) {
        ssize_t k = read(fd, text + n, sizeof text - 1 - n);
        if (k <= 0)
            break;
        n += (size_t)k;
        text[n] = '\0';
    }
    return text;
}

static const char *call(const char *head, const char *headers, const char *body)
{
    char text[8192];
    snprintf(text, sizeof text,
             "%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n%s", head,
             strlen(body), headers, body);
    int fd = dial();
    put(fd, text);
    const char *reply = get(fd, NULL);
    close(fd);
    return reply;
}

static void wait_for(atomic_int *what, int value)
{
    for (int i = 0; i < 2000 && atomic_load(what) != value; i++)
        clock_sleep_ms(5);
    ck_assert_int_eq(atomic_load(what), value);
}

#define has(reply, part) ck_assert_msg(strstr((reply), (part)) != NULL, "no \"%s\" in:\n%s", (part), (reply))
#define has_not(reply, part) ck_assert_msg(strstr((reply), (part)) == NULL, "\"%s\" in:\n%s", (part), (reply))

/* --- tests --- */

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

static void *finish_all(void *arg)
{
    int n = atomic_load(&parked_count);
    (void)arg;
    for (int i = 0; i < n; i++)
        deferred_finish(parked[i]);
    return NULL;
}

START_TEST(deferred_answers_from_another_thread)
{
    int fd[CLIENTS];
    pthread_t t;
    for (int i = 0; i < CLIENTS; i++) {
        fd[i] = dial();
        put(fd[i], "GET /park HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    wait_for(&parked_count, CLIENTS);
    for (int i = 0; i < CLIENTS; i += 3)
        close(fd[i]); /* these do not wait */
    pthread_create(&t, NULL, finish_all, NULL);
    for (int i = 0; i < CLIENTS; i++) {
        if (i % 3 == 0)
            continue;
        has(get(fd[i], "}"), "\"why\":\"done\"");
        close(fd[i]);
    }
    pthread_join(t, NULL);
    wait_for(&released, CLIENTS);
    ck_assert_int_eq(atomic_load(&answered) + atomic_load(&gone), CLIENTS);
}
END_TEST

/* A socket whose request waits stays polled and is not read: nothing may be lost, answered out of turn, or spin. */
START_TEST(what_comes_before_the_answer_is_read_after_it)
{
    enum { LARGE = 40000 };
    static const char park[] = "GET /park HTTP/1.1\r\nHost: x\r\n\r\n";
    static const char head[] = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                               "Content-Length: 40000\r\n\r\n{\"large\":\"";
    static char body[LARGE + 1 - 10]; /* what the head has of it: {"large":" */
    struct timespec before, after;
    int fd = dial();
    memset(body, 'a', sizeof body - 1);
    memcpy(body + sizeof body - 3, "\"}", 2);
    for (int round = 0; round < 3; round++) {
        put(fd, park);
        wait_for(&parked_count, round + 1);
        put(fd, "GET /ask?q=sec");
        put(fd, "ond HTTP/1.1\r\nHost: x\r\n\r\n");
        put(fd, head);
        put(fd, body);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
        clock_sleep_ms(200);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
        ck_assert_int_lt((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000, 100);
        deferred_finish(parked[round]);
        const char *reply = get(fd, "aaa\"}");
        const char *first = strstr(reply, "\"why\":\"done\""), *second = strstr(reply, "\"q\":\"second\"");
        ck_assert(first && second && first < second);
        has(second, "{\"large\":\"aaa");
        wait_for(&released, round + 1);
    }
    close(fd);
}
END_TEST

START_TEST(a_held_poll_ends_with_its_time_or_its_client)
{
    int a = dial(), b = dial();
    put(a, "GET /park?wait=300 HTTP/1.1\r\nHost: x\r\n\r\n");
    has(get(a, "}"), "\"why\":\"timeout\"");
    put(b, "GET /park?wait=60000 HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_for(&parked_count, 2);
    close(b);
    wait_for(&gone, 2);
    finish_all(NULL);
    wait_for(&released, 2);
    close(a);
}
END_TEST

START_TEST(draining_answers_held_polls_and_waits_for_work)
{
    int a = dial(), b = dial(), idle = dial();
    pthread_t t;
    put(a, "GET /park?wait=60000 HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_for(&parked_count, 1);
    put(b, "GET /park HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_for(&parked_count, 2);
    struct server_counters c;
    server_count(server, &c);
    ck_assert_int_eq(c.deferred, 2);
    pthread_create(&t, NULL, (void *(*)(void *))(void *)finish_all, NULL);
    server_drain(server, 5000);
    has(get(a, "}"), "\"why\":\"d"); /* drain or done, whichever came first */
    const char *r = get(b, "}");
    has(r, "\"why\":\"done\"");
    ck_assert_int_eq(read(idle, &(char){ 0 }, 1), 0);
    pthread_join(t, NULL);
    server_free(server);
    server = NULL;
    ck_assert_int_eq(atomic_load(&released), 2);
    close(a), close(b), close(idle);
}
END_TEST

START_TEST(draining_does_not_wait_for_ever)
{
    int a = dial();
    put(a, "GET /park HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_for(&parked_count, 1);
    server_drain(server, 1000); /* nobody finishes it */
    has(get(a, "}"), "\"why\":\"drain\"");
    deferred_finish(parked[0]); /* late, after the loop's end: released all the same */
    server_free(server);
    server = NULL;
    ck_assert_int_eq(atomic_load(&released), 1);
    close(a);
}
END_TEST

START_TEST(streams_write_and_notice_the_end)
{
    int fd = dial();
    put(fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    const char *r = get(fd, ": hello\n\n");
    has(r, "text/event-stream");
    post(stream_word);
    r = get(fd, "three");
    ck_assert(strstr(r, "one") < strstr(r, "two") && strstr(r, "two") < strstr(r, "three"));
    close(fd);
    wait_for(&closed, 1);
}
END_TEST

START_TEST(a_stream_nobody_reads_is_bounded)
{
    int fd = dial();
    put(fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    get(fd, ": hello\n\n");
    for (int i = 0; i < 4; i++)
        post(stream_fill); /* far more than the socket's own buffers take: asserts the refusal */
    clock_sleep_ms(300);
    struct server_counters c;
    server_count(server, &c);
    ck_assert_int_eq(c.streams, 1);
    close(fd);
    wait_for(&closed, 1);
}
END_TEST

START_TEST(draining_ends_streams)
{
    int fd = dial();
    put(fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    get(fd, ": hello\n\n");
    server_drain(server, 2000);
    has(get(fd, NULL), "0\r\n\r\n");
    ck_assert_int_eq(atomic_load(&closed), 1);
    close(fd);
}
END_TEST

static void task_count(struct loop_task *t)
{
    atomic_fetch_add(&task_sum, 1);
    free(t);
}
static void *task_poster(void *arg)
{
    for (int i = 0; i < 2000; i++)
        post(task_count);
    return arg;
}

START_TEST(posts_of_many_threads_all_run)
{
    pthread_t t[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, task_poster, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    wait_for(&task_sum, 8000);
    server_drain(server, 1000);
    post(task_count); /* after the end: runs when the server is freed */
    server_free(server);
    server = NULL;
    ck_assert_int_eq(atomic_load(&task_sum), 8001);
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
    Suite *s = suite_create("server");
    TCase *t = tcase_create("server");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, up, down);
    tcase_add_test(t, routes_by_path_and_method);
    tcase_add_test(t, answers_are_complete);
    tcase_add_test(t, an_error_keeps_the_connection);
    tcase_add_test(t, bodies_are_json_or_refused);
    tcase_add_test(t, secrets);
    tcase_add_test(t, guessing_is_limited_and_the_owner_is_not);
    tcase_add_test(t, unanswered_input_is_bounded);
    tcase_add_test(t, who_is_asking);
    tcase_add_test(t, deferred_answers_from_another_thread);
    tcase_add_test(t, what_comes_before_the_answer_is_read_after_it);
    tcase_add_test(t, a_held_poll_ends_with_its_time_or_its_client);
    tcase_add_test(t, draining_answers_held_polls_and_waits_for_work);
    tcase_add_test(t, draining_does_not_wait_for_ever);
    tcase_add_test(t, streams_write_and_notice_the_end);
    tcase_add_test(t, a_stream_nobody_reads_is_bounded);
    tcase_add_test(t, draining_ends_streams);
    tcase_add_test(t, posts_of_many_threads_all_run);
    tcase_add_test(t, a_bad_address_is_named);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
