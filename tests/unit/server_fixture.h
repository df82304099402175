/* SPDX-License-Identifier: MIT
 * A web server over real sockets and a client of it, for test_server.c and test_server_wait.c; one test per process. */
#ifndef TESTS_UNIT_SERVER_FIXTURE_H
#define TESTS_UNIT_SERVER_FIXTURE_H

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "bot/auth.h"
#include "bot/server.h"
#include <arpa/inet.h>
#include <check.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

static struct server *server;

static UNUSED void server_up(const struct route *rows)
{
    struct error e;
    struct server_options o = { .bind = "127.0.0.1", .port = 0, .notify_secret = "hunter2-secret" };
    signal(SIGPIPE, SIG_IGN);
    server = server_new(&o);
    server_routes(server, rows, NULL);
    ck_assert_msg(server_start(server, &e) == OK, "%s", e.text);
}

static UNUSED void server_down(void)
{
    server_free(server);
}

/* --- handlers that both need --- */

static UNUSED void on_echo(struct request *r, void *arg)
{
    struct json_object *in = request_json_body(r);
    (void)arg;
    if (in)
        request_json(r, 200, json_object_get(in));
}

static UNUSED void on_ask(struct request *r, void *arg)
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
/* --- a client --- */

static UNUSED int dial(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)server_port(server)) };
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static UNUSED void put(int fd, const char *text)
{
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* What came until `until` was seen or the other side closed. */
static UNUSED const char *get(int fd, const char *until)
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

static UNUSED const char *call(const char *head, const char *headers, const char *body)
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

static UNUSED void wait_for(atomic_int *what, int value)
{
    for (int i = 0; i < 2000 && atomic_load(what) != value; i++)
        clock_sleep_ms(5);
    ck_assert_int_eq(atomic_load(what), value);
}

#define has(reply, part) ck_assert_msg(strstr((reply), (part)) != NULL, "no \"%s\" in:\n%s", (part), (reply))
#define has_not(reply, part) ck_assert_msg(strstr((reply), (part)) == NULL, "\"%s\" in:\n%s", (part), (reply))

static UNUSED int run_suite(const char *name, TCase *t)
{
    Suite *s = suite_create(name);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}

#endif
