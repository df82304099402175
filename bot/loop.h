/* SPDX-License-Identifier: MIT
 * loop: the inside of the server, shared by server.c, request.c, route.c, deferred.c and stream.c; nobody else includes
 * it. All fields belong to the loop thread but those under `lock` and the atomic counters.  The context, its queue and
 * every socket are created in the loop thread: libh2o's buffers are tied to thread-local recycle lists. */
#ifndef BOT_LOOP_H
#define BOT_LOOP_H

#define H2O_USE_EPOLL 1
#include <h2o.h>

#include "base/arena.h"
#include "bot/attempts.h"
#include "bot/server.h"
#include <pthread.h>
#include <stdatomic.h>

enum {
    ROUTES_MAX = 64,          /* the table of CONTRACT has 15 */
    LOOP_TASKS_PER_TURN = 256 /* releasing 10,000 polls in one go would hold the loop for 150 ms */
};

struct route_entry {
    const struct route *row;
    void *arg;
};
struct server_hook {
    void (*fn)(void *arg);
    void *arg;
};

/* Tells when the peer of a socket hangs up while libh2o does not read from it. */
struct watch {
    int fd; /* -1 = off */
    void (*hung_up)(void *arg);
    void *arg;
};

struct confirm; /* confirm.c: an answer whose receipt is looked for */

/* An accepted socket; freed when libh2o closes it. */
struct connection {
    h2o_linklist_t link;
    struct server *server;
    h2o_socket_t *sock;
    struct confirm *confirm; /* NULL = none */
    int fd;
    bool shed; /* see pressure.c */
};

struct server {
    struct server_options options;
    struct route_entry routes[ROUTES_MAX];
    size_t route_count;
    struct attempts *wrong_secrets; /* of bearers and of the webhook */
    bool clients_hidden;            /* what comes from this machine may come from anywhere: see auth_came_by_proxy() */
    struct server_hook ticks[SERVER_HOOKS_MAX], drains[SERVER_HOOKS_MAX], rounds[SERVER_HOOKS_MAX];
    int tick_count, drain_count, round_count;

    h2o_globalconf_t conf;
    h2o_context_t ctx;
    h2o_accept_ctx_t accept;
    h2o_socket_t *listener; /* NULL once draining */
    h2o_socket_t *watcher;  /* a second epoll inside the loop's own */
    int listener_fd, watch_epoll, port;
    int connections_max;
    h2o_timeout_t tick_timeout, retry_timeout;
    h2o_timeout_entry_t tick_entry, retry_entry, more_entry;
    h2o_linklist_t connections, deferreds, streams, confirms;
    bool draining, drained;
    int64_t drain_deadline_ms;
    struct loop_task drain_task;

    pthread_t thread;
    bool started, joined;
    h2o_multithread_receiver_t receiver;
    h2o_multithread_message_t wake;

    pthread_mutex_t lock; /* guards the rest */
    struct loop_task *task_head, **task_tail;
    bool wake_sent; /* a wake-up is under way or the rest of a long queue is scheduled */
    bool loop_up;   /* between the loop's start and its end */

    atomic_llong connections_now, connections_total, accept_errors, requests_now, deferred_now, streams_now;
    atomic_llong wrong_secrets_total, shed_total;
    atomic_llong answers[6];
};

struct request {
    h2o_req_t *h2o;
    struct server *server;
    struct arena *arena;       /* NULL until asked for */
    struct deferred *deferred; /* at most one of the two */
    struct stream *stream;
    bool answered, cache_control_set;
};

/* route.c */
int route_dispatch(h2o_handler_t *, h2o_req_t *);
void route_error_filter(h2o_filter_t *, h2o_req_t *, h2o_ostream_t **slot); /* libh2o's own 400, 413, 417 as JSON */
/* request.c */
struct request *request_new(struct server *, h2o_req_t *);
/* The headers every answer has; then the body is sent by the caller. */
void request_begin_answer(struct request *, int code, const char *type);
int request_fd(const struct request *);
const char *http_reason(int code);
/* deferred.c */
void deferred_request_gone(struct deferred *);
void deferred_tick(struct server *, int64_t now_ms);
void deferred_drain(struct server *, bool all); /* held polls; all: also what waits for other threads */
/* confirm.c */
void confirm_closed(struct connection *);
void confirm_tick(struct server *, int64_t now_ms);
void confirm_drop_all(struct server *);
/* pressure.c */
void pressure_tick(struct server *);
/* stream.c */
void stream_request_gone(struct stream *);
void stream_end_all(struct server *);
/* loop.c */
enum status MUST_CHECK loop_start(struct server *, struct error *); /* returns when it accepts */
void loop_drain(struct server *);
void watch_start(struct server *, struct watch *, int fd);
void watch_stop(struct server *, struct watch *);

#endif
