/* SPDX-License-Identifier: MIT
 * test_http: the client against a server that misbehaves on demand.  The path of a request chooses
 * what the server does with it. */
#include "base/http.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 32, REQUEST_BYTES_MAX = 3 << 20 };

/* --- the server --- */

static struct {
    int listener, port;
    pthread_t acceptor;
    pthread_t thread[CONNECTIONS_MAX];
    int fd[CONNECTIONS_MAX];
    atomic_int connections; /* accepted */
    atomic_int closed;      /* by the server */
    atomic_int requests;    /* read whole */
    atomic_bool stop;
    pthread_mutex_t lock;
    char line[256]; /* of the last request */
    char head[2048];
    size_t body_len;
} server;

struct script {
    const char *path;
    const char *answer; /* NULL = none */
    bool close;         /* the connection, afterwards */
    int hang_ms;        /* before the answer */
};

static const struct script scripts[] = {
    { "/ok", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello", false, 0 },
    { "/ok-then-close", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true, 0 },
    { "/empty", "HTTP/1.1 204 No Content\r\n\r\n", false, 0 },
    { "/error", "HTTP/1.1 400 Bad Request\r\nContent-Length: 4\r\n\r\nnope", false, 0 },
    { "/continue", "HTTP/1.1 103 Early Hints\r\nretry-after: 9\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
      false, 0 },
    { "/redirect", "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n", false, 0 },
    { "/nul", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na\1b", false, 0 },
    { "/chunked",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nT: x\r\n\r\n", false,
      0 },
    { "/chunked-big",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n"
      "0123456789012345678901234567890123456789012345678901234567890123\r\n0\r\n\r\n",
      false, 0 },
    { "/big",
      "HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n"
      "0123456789012345678901234567890123456789012345678901234567890123",
      false, 0 },
    { "/close", NULL, true, 0 },
    { "/half-head", "HTTP/1.1 200 OK\r\nContent-", true, 0 },
    { "/half-body", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhel", true, 0 },
    { "/half-chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", true, 0 },
    { "/garbage", "SSH-2.0-OpenSSH_9.2\r\n\r\n", true, 0 },
    { "/slow", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true, 20000 },
    { "/slow-body", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhel", false, 0 },
    { "/retry-seconds", "HTTP/1.1 429 X\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", false, 0 },
    { "/retry-decimal", "HTTP/1.1 429 X\r\nretry-after: 1.5\r\nContent-Length: 0\r\n\r\n", false, 0 },
    { "/retry-ms",
      "HTTP/1.1 429 X\r\nRetry-After: 7\r\nRetry-After-Ms: 250.5\r\nX-Should-Retry: true\r\nContent-Length: 0\r\n\r\n",
      false, 0 },
    { "/retry-bad-ms",
      "HTTP/1.1 429 X\r\nRetry-After: 7\r\nRetry-After-Ms: soon\r\nX-Should-Retry: false\r\nContent-Length: 0\r\n\r\n",
      false, 0 },
    { "/retry-negative", "HTTP/1.1 429 X\r\nRetry-After: -7\r\nX-Should-Retry: maybe\r\nContent-Length: 0\r\n\r\n",
      false, 0 },
    { "/retry-past", "HTTP/1.1 503 X\r\nRetry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\nContent-Length: 0\r\n\r\n", false,
      0 },
    { "/retry-garbage", "HTTP/1.1 503 X\r\nRetry-After: a while\r\nContent-Length: 0\r\n\r\n", false, 0 },
    { "/retry-huge", "HTTP/1.1 503 X\r\nRetry-After: 1e300\r\nContent-Length: 0\r\n\r\n", false, 0 },
};

/* Up to `len` bytes into p until `done` says enough; the count. */
static size_t read_request(int fd, char *p, size_t len)
{
    size_t used = 0, want = 0;
    while (used < len) {
        ssize_t n = recv(fd, p + used, len - used, 0);
        if (n <= 0)
            return 0;
        used += (size_t)n;
        p[used] = '\0';
        char *end = strstr(p, "\r\n\r\n");
        if (!end)
            continue;
        const char *field = strcasestr(p, "content-length:");
        want = (size_t)(end + 4 - p) + (field && field < end ? strtoul(field + 15, NULL, 10) : 0);
        if (used >= want)
            return want;
    }
    return 0;
}

static void note_request(const char *p, size_t len)
{
    size_t head = (size_t)(strstr(p, "\r\n\r\n") - p) + 4;
    pthread_mutex_lock(&server.lock);
    snprintf(server.line, sizeof server.line, "%.*s", (int)strcspn(p, "\r"), p);
    snprintf(server.head, sizeof server.head, "%.*s", (int)head, p);
    server.body_len = len - head;
    pthread_mutex_unlock(&server.lock);
    atomic_fetch_add(&server.requests, 1);
}

static void pause_ms(int ms)
{
    for (int waited = 0; waited < ms && !atomic_load(&server.stop); waited += 10)
        clock_sleep_ms(10);
}

/* false = close the connection */
static bool answer(int fd, const char *request)
{
    char path[256] = "", date[256];
    const char *text = NULL;
    sscanf(request, "%*s %255s", path);
    const char *proxied = strstr(path, "://"), *only = proxied ? strchr(proxied + 3, '/') : path;
    if (strncmp(request, "CONNECT ", 8) == 0) {
        text = "HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n";
        (void)!write(fd, text, strlen(text));
        return false;
    }
    if (only && strcmp(only, "/retry-date") == 0) {
        time_t soon = time(NULL) + 60;
        struct tm tm;
        strftime(path, sizeof path, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&soon, &tm));
        snprintf(date, sizeof date, "HTTP/1.1 503 X\r\nRetry-After: %.60s\r\nContent-Length: 0\r\n\r\n", path);
        return write(fd, date, strlen(date)) > 0;
    }
    for (size_t i = 0; only && i < sizeof scripts / sizeof *scripts; i++) {
        const struct script *s = &scripts[i];
        const char *step = strrchr(only, '/');
        if (strcmp(s->path, step) != 0)
            continue;
        pause_ms(s->hang_ms);
        if (s->answer && !atomic_load(&server.stop))
            (void)!send(fd, s->answer, strlen(s->answer), MSG_NOSIGNAL);
        return !s->close;
    }
    return false;
}

static void *serve(void *p)
{
    int fd = *(int *)p;
    char *request = malloc(REQUEST_BYTES_MAX + 1);
    size_t len;
    while ((len = read_request(fd, request, REQUEST_BYTES_MAX)) > 0) {
        note_request(request, len);
        if (!answer(fd, request))
            break;
    }
    free(request);
    shutdown(fd, SHUT_RDWR);
    atomic_fetch_add(&server.closed, 1);
    return NULL;
}

static void *accept_all(void *p)
{
    int fd;
    while ((fd = accept(server.listener, NULL, NULL)) >= 0) {
        int i = atomic_load(&server.connections);
        ck_assert_int_lt(i, CONNECTIONS_MAX);
        server.fd[i] = fd;
        atomic_store(&server.connections, i + 1);
        pthread_create(&server.thread[i], NULL, serve, &server.fd[i]);
    }
    return p;
}

static int listen_somewhere(int *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    ck_assert_int_eq(listen(fd, 16), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

/* --- the client under test --- */

static struct http *http;
static struct arena *arena;
static struct http_reply reply;
static struct error err;

static void start(void)
{
    static const char *const names[] = { "http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
    memset(&server, 0, sizeof server);
    pthread_mutex_init(&server.lock, NULL);
    server.listener = listen_somewhere(&server.port);
    pthread_create(&server.acceptor, NULL, accept_all, NULL);
    http_global_init(NULL);
    http = http_new();
    arena = arena_new();
}

static void stop(void)
{
    atomic_store(&server.stop, true);
    shutdown(server.listener, SHUT_RDWR);
    pthread_join(server.acceptor, NULL);
    for (int i = 0; i < atomic_load(&server.connections); i++) {
        shutdown(server.fd[i], SHUT_RDWR);
        pthread_join(server.thread[i], NULL);
        close(server.fd[i]);
    }
    close(server.listener);
    http_free(http);
    arena_free(arena);
}

static const char *url_of(const char *path)
{
    return arena_printf(arena, "http://127.0.0.1:%d%s", server.port, path);
}

static enum status call(const char *url, const char *body, int64_t timeout_ms)
{
    struct http_request r = {
        .url = url, .body = body, .body_len = body ? strlen(body) : 0, .timeout_ms = timeout_ms, .reply_bytes_max = 63
    };
    memset(&err, 0, sizeof err);
    return http_call(http, arena, &r, &reply, &err);
}

static enum status post(const char *path)
{
    return call(url_of(path), "{\"a\":1}", 5000);
}

static enum status get(const char *path)
{
    return call(url_of(path), NULL, 5000);
}

START_TEST(http_whole_answers)
{
    ck_assert_int_eq(post("/ok"), OK);
    ck_assert_int_eq(reply.code, 200);
    ck_assert_str_eq(reply.body, "hello");
    ck_assert_uint_eq(reply.body_len, 5);
    ck_assert_str_eq(reply.content_type, "text/plain");
    ck_assert_int_eq(reply.retry_after_ms, -1);
    ck_assert_int_eq(reply.should_retry, -1);
    ck_assert_uint_eq(server.body_len, 7);
    ck_assert_str_eq(server.line, "POST /ok HTTP/1.1");
    ck_assert_ptr_null(strcasestr(server.head, "expect:"));
    ck_assert_int_eq(get("/ok"), OK);
    ck_assert_str_eq(server.line, "GET /ok HTTP/1.1");
    ck_assert_int_eq(get("/empty"), OK);
    ck_assert_int_eq(reply.code, 204);
    ck_assert_str_eq(reply.body, "");
    ck_assert_str_eq(reply.content_type, "");
    ck_assert_int_eq(post("/error"), OK);
    ck_assert_int_eq(reply.code, 400);
    ck_assert_str_eq(reply.body, "nope");
    ck_assert_int_eq(get("/chunked"), OK);
    ck_assert_str_eq(reply.body, "hello world");
    ck_assert_int_eq(get("/nul"), OK);
    ck_assert_uint_eq(reply.body_len, 3);
    ck_assert_int_eq(get("/continue"), OK);
    ck_assert_str_eq(reply.body, "ok");
    ck_assert_int_eq(reply.code, 200);
    ck_assert_int_eq(reply.retry_after_ms, -1); /* the hint was the interim answer's */
    ck_assert_int_eq(get("/redirect"), OK);
    ck_assert_int_eq(reply.code, 302);
    /* One kept connection served them all. */
    ck_assert_int_eq(atomic_load(&server.connections), 1);
}
END_TEST

START_TEST(http_methods_headers_and_large_bodies)
{
    const char *const headers[] = { "content-type: application/json", "authorization: Bearer sk-12345", NULL };
    size_t len = 2 << 20;
    char *body = malloc(len);
    memset(body, 'x', len);
    struct http_request r = { .method = "PUT",
                              .url = url_of("/ok"),
                              .headers = headers,
                              .body = body,
                              .body_len = len,
                              .timeout_ms = 10000,
                              .reply_bytes_max = 100 };
    ck_assert_int_eq(http_call(http, arena, &r, &reply, &err), OK);
    ck_assert_str_eq(server.line, "PUT /ok HTTP/1.1");
    ck_assert_uint_eq(server.body_len, len);
    ck_assert_ptr_nonnull(strstr(server.head, "authorization: Bearer sk-12345\r\n"));
    ck_assert_ptr_nonnull(strstr(server.head, "content-type: application/json\r\n"));
    free(body);
    /* Nothing of one call stays for the next. */
    ck_assert_int_eq(get("/ok"), OK);
    ck_assert_ptr_null(strcasestr(server.head, "authorization"));
    ck_assert_str_eq(server.line, "GET /ok HTTP/1.1");
    r = (struct http_request){ .method = "DELETE", .url = url_of("/ok"), .timeout_ms = 5000, .reply_bytes_max = 100 };
    ck_assert_int_eq(http_call(http, arena, &r, &reply, &err), OK);
    ck_assert_str_eq(server.line, "DELETE /ok HTTP/1.1");
    r = (struct http_request){ .url = url_of("/ok"), .body = "", .timeout_ms = 5000, .reply_bytes_max = 100 };
    ck_assert_int_eq(http_call(http, arena, &r, &reply, &err), OK);
    ck_assert_str_eq(server.line, "POST /ok HTTP/1.1");
    ck_assert_ptr_nonnull(strcasestr(server.head, "content-length: 0\r\n"));
}
END_TEST

START_TEST(http_limit)
{
    ck_assert_int_eq(post("/big"), ST_LIMIT);
    ck_assert_int_eq(reply.code, 0);
    ck_assert_int_eq(post("/chunked-big"), ST_LIMIT);
    struct http_request r = { .url = url_of("/big"), .timeout_ms = 5000, .reply_bytes_max = 64 };
    ck_assert_int_eq(http_call(http, arena, &r, &reply, &err), OK);
    ck_assert_uint_eq(reply.body_len, 64);
}
END_TEST

static const char *const unknowns[] = { "/close", "/half-head", "/half-body", "/half-chunk", "/garbage" };

START_TEST(http_sent_without_a_whole_answer_is_unknown)
{
    ck_assert_int_eq(post(unknowns[_i]), ST_UNKNOWN);
    ck_assert_int_eq(reply.code, 0);
    ck_assert_ptr_null(reply.body);
    ck_assert_int_eq(atomic_load(&server.requests), 1);
    /* The handle is good for the next call. */
    ck_assert_int_eq(post("/ok"), OK);
}
END_TEST

START_TEST(http_a_kept_connection_that_dies_sends_once)
{
    /* libcurl would repeat a POST here by itself; the first may have been carried out. */
    ck_assert_int_eq(post("/ok"), OK);
    ck_assert_int_eq(post("/close"), ST_UNKNOWN);
    ck_assert_int_eq(atomic_load(&server.requests), 2);
    ck_assert_ptr_nonnull(strstr(err.text, "ended too early"));
    /* The same without a body. */
    struct http_request r = { .method = "POST", .url = url_of("/close"), .timeout_ms = 5000, .reply_bytes_max = 100 };
    ck_assert_int_eq(post("/ok"), OK);
    ck_assert_int_eq(http_call(http, arena, &r, &reply, &err), ST_UNKNOWN);
    ck_assert_int_eq(atomic_load(&server.requests), 4);
}
END_TEST

START_TEST(http_a_kept_connection_found_closed_is_replaced)
{
    ck_assert_int_eq(post("/ok-then-close"), OK);
    while (atomic_load(&server.closed) == 0)
        clock_sleep_ms(1);
    ck_assert_int_eq(post("/ok"), OK);
    ck_assert_int_eq(atomic_load(&server.connections), 2);
    ck_assert_int_eq(atomic_load(&server.requests), 2);
}
END_TEST

START_TEST(http_not_sent_is_unavailable)
{
    int port;
    close(listen_somewhere(&port));
    ck_assert_int_eq(call(arena_printf(arena, "http://127.0.0.1:%d/x", port), "{}", 5000), ST_UNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(err.text, "cannot be reached"));
    ck_assert_int_eq(call("http://no-such-host.invalid/x", "{}", 5000), ST_UNAVAILABLE);
    /* A TLS handshake with something that does not speak TLS. */
    ck_assert_int_eq(call(arena_printf(arena, "https://127.0.0.1:%d/ok", server.port), "{}", 1500), ST_UNAVAILABLE);
    ck_assert_int_eq(atomic_load(&server.requests), 0);
    /* A listener whose queue is full and that never accepts leaves the connection half open. */
    struct http_request r = { .url = "http://[100::1]:9/x",
                              .body = "{}",
                              .body_len = 2,
                              .timeout_ms = 3000,
                              .connect_timeout_ms = 200,
                              .reply_bytes_max = 10 };
    ck_assert_int_eq(http_call(http, arena, &r, &reply, &err), ST_UNAVAILABLE);
}
END_TEST

START_TEST(http_timeouts)
{
    ck_assert_int_eq(call(url_of("/slow"), "{}", 300), ST_UNKNOWN);
    ck_assert_ptr_nonnull(strstr(err.text, "within 300 ms"));
    ck_assert_int_eq(call(url_of("/slow-body"), "{}", 300), ST_UNKNOWN);
    ck_assert_int_eq(call(url_of("/ok"), "{}", 5000), OK);
}
END_TEST

static volatile bool cancelled;

static void *cancel_soon(void *p)
{
    clock_sleep_ms(200);
    __atomic_store_n(&cancelled, true, __ATOMIC_RELAXED);
    return p;
}

START_TEST(http_cancel)
{
    pthread_t thread;
    struct http_request r = { .url = url_of("/slow"),
                              .body = "{}",
                              .body_len = 2,
                              .timeout_ms = 15000,
                              .reply_bytes_max = 10,
                              .cancel = &cancelled };
    cancelled = false;
    pthread_create(&thread, NULL, cancel_soon, NULL);
    ck_assert_int_eq(http_call(http, arena, &r, &reply, &err), ST_SHUTDOWN);
    pthread_join(thread, NULL);
    /* Already cancelled: nothing is sent. */
    int before = atomic_load(&server.requests);
    ck_assert_int_eq(http_call(http, arena, &r, &reply, &err), ST_SHUTDOWN);
    ck_assert_int_eq(atomic_load(&server.requests), before);
}
END_TEST

START_TEST(http_retry_headers)
{
    static const struct {
        const char *path;
        int64_t ms;
        int should;
    } cases[] = { { "/retry-seconds", 7000, -1 }, { "/retry-decimal", 1500, -1 },       { "/retry-ms", 251, 1 },
                  { "/retry-bad-ms", 7000, 0 },   { "/retry-negative", -1, -1 },        { "/retry-past", 0, -1 },
                  { "/retry-garbage", -1, -1 },   { "/retry-huge", 7 * 86400000LL, -1 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_int_eq(get(cases[i].path), OK);
        ck_assert_msg(reply.retry_after_ms == cases[i].ms, "%s: %lld", cases[i].path, (long long)reply.retry_after_ms);
        ck_assert_int_eq(reply.should_retry, cases[i].should);
    }
    ck_assert_int_eq(get("/retry-date"), OK);
    ck_assert_int_gt(reply.retry_after_ms, 20000);
    ck_assert_int_le(reply.retry_after_ms, 60000);
}
END_TEST

START_TEST(http_errors_keep_secrets)
{
    const char *token = "123456:AAEsecret";
    int port;
    close(listen_somewhere(&port));
    const char *urls[5];
    urls[0] = arena_printf(arena, "http://127.0.0.1:%d/bot%s/sendMessage?key=%s", port, token, token);
    urls[1] = arena_printf(arena, "http://127.0.0.1:%d/bot%s", port, token);
    urls[2] = arena_printf(arena, "http://user:%s@127.0.0.1:%d/x#%s", token, port, token);
    urls[3] = arena_printf(arena, "ftp://127.0.0.1:%d/bot%s/x", port, token);
    urls[4] = arena_printf(arena, "http://127.0.0.1:%d/bot%s/a b", port, token);
    for (size_t i = 0; i < 5; i++) {
        ck_assert_int_ne(call(urls[i], "{}", 2000), OK);
        ck_assert_msg(!strstr(err.text, "secret"), "%s", err.text);
        ck_assert_uint_gt(strlen(err.text), 10);
    }
    ck_assert_int_eq(call(urls[0], "{}", 2000), ST_UNAVAILABLE);
    ck_assert_msg(strstr(err.text, "(sendMessage)") && strstr(err.text, "http://127.0.0.1:"), "%s", err.text);
    ck_assert_int_eq(call(urls[3], "{}", 2000), ST_INVALID);
    ck_assert_int_eq(call(url_of(arena_printf(arena, "/bot%s/close", token)), "{}", 2000), ST_UNKNOWN);
    ck_assert_ptr_null(strstr(err.text, "secret"));
    const char *const headers[] = { "x-api-key: secret\r\nX-Evil: 1", NULL };
    struct http_request r = { .url = url_of("/ok"), .headers = headers, .timeout_ms = 1000, .reply_bytes_max = 10 };
    ck_assert_int_eq(http_call(http, arena, &r, &reply, &err), ST_INVALID);
    ck_assert_ptr_null(strstr(err.text, "secret"));
    ck_assert_int_eq(call("not a url", NULL, 1000), ST_INVALID);
    ck_assert_int_eq(call("", NULL, 1000), ST_INVALID);
    ck_assert_int_eq(call("file:///etc/passwd", NULL, 1000), ST_INVALID);
}
END_TEST

START_TEST(http_proxy_for_all_but_loopback)
{
    int dead;
    close(listen_somewhere(&dead));
    setenv("http_proxy", arena_printf(arena, "http://127.0.0.1:%d", dead), 1);
    setenv("no_proxy", "example.org", 1);
    http_global_init(NULL);
    ck_assert_int_eq(get("/ok"), OK);
    ck_assert_int_eq(call(arena_printf(arena, "http://localhost:%d/ok", server.port), NULL, 5000), OK);
    ck_assert_int_eq(call("http://steward.invalid/ok", "{}", 2000), ST_UNAVAILABLE);
    setenv("http_proxy", arena_printf(arena, "http://127.0.0.1:%d", server.port), 1);
    setenv("https_proxy", arena_printf(arena, "http://127.0.0.1:%d", server.port), 1);
    ck_assert_int_eq(call("http://steward.invalid/ok", "{}", 2000), OK);
    ck_assert_str_eq(server.line, "POST http://steward.invalid/ok HTTP/1.1");
    /* A proxy that opens no tunnel has not passed our request on. */
    ck_assert_int_eq(call("https://steward.invalid/ok", "{}", 2000), ST_UNAVAILABLE);
    ck_assert_str_eq(server.line, "CONNECT steward.invalid:443 HTTP/1.1");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http");
    TCase *tcase = tcase_create("http");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, start, stop);
    tcase_add_test(tcase, http_whole_answers);
    tcase_add_test(tcase, http_methods_headers_and_large_bodies);
    tcase_add_test(tcase, http_limit);
    tcase_add_loop_test(tcase, http_sent_without_a_whole_answer_is_unknown, 0, sizeof unknowns / sizeof *unknowns);
    tcase_add_test(tcase, http_a_kept_connection_that_dies_sends_once);
    tcase_add_test(tcase, http_a_kept_connection_found_closed_is_replaced);
    tcase_add_test(tcase, http_not_sent_is_unavailable);
    tcase_add_test(tcase, http_timeouts);
    tcase_add_test(tcase, http_cancel);
    tcase_add_test(tcase, http_retry_headers);
    tcase_add_test(tcase, http_errors_keep_secrets);
    tcase_add_test(tcase, http_proxy_for_all_but_loopback);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
