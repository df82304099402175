/* SPDX-License-Identifier: MIT
 * server: the public face of the web server: set-up before the loop runs, posting to it, its end.
 * Called by main; server_post() and server_count() by any thread.  The loop itself is loop.c. */
#include "bot/loop.h"

#include "base/clock.h"
#include "base/limits.h"
#include "bot/listener.h"
#include <assert.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    WRONG_SECRETS_AT_ONCE = 10,        /* a mistyped secret is tried a few times, … */
    WRONG_SECRETS_INTERVAL_MS = 6000,  /* … a scanner goes on for ever */
    FD_RESERVE = 256,                  /* descriptors kept for database, models and files */
    HTTP_READ_BYTES_MAX = 4 * 1048576, /* read this far, so that the sender of a body over HTTP_BODY_BYTES_MAX gets
                                          its 413 instead of a reset; beyond it the connection closes */
};

struct server *server_new(const struct server_options *o)
{
    struct server *s = xcalloc(1, sizeof *s);
    s->options = *o;
    s->port = o->port;
    s->listener_fd = s->watch_epoll = -1;
    s->task_tail = &s->task_head;
    s->wrong_secrets = attempts_new(WRONG_SECRETS_AT_ONCE, WRONG_SECRETS_INTERVAL_MS);
    pthread_mutex_init(&s->lock, NULL);
    h2o_linklist_init_anchor(&s->connections);
    h2o_linklist_init_anchor(&s->deferreds);
    h2o_linklist_init_anchor(&s->confirms);
    h2o_linklist_init_anchor(&s->streams);
    return s;
}

void server_routes(struct server *s, const struct route *rows, void *arg)
{
    assert(!s->started);
    for (; rows->path; rows++) {
        assert(s->route_count < ROUTES_MAX);
        s->routes[s->route_count++] = (struct route_entry){ rows, arg };
    }
}

static void hook_add(struct server_hook *hooks, int *count, void (*fn)(void *), void *arg)
{
    assert(*count < SERVER_HOOKS_MAX);
    hooks[(*count)++] = (struct server_hook){ fn, arg };
}

void server_on_tick(struct server *s, void (*fn)(void *), void *arg)
{
    hook_add(s->ticks, &s->tick_count, fn, arg);
}

void server_on_round(struct server *s, void (*fn)(void *), void *arg)
{
    hook_add(s->rounds, &s->round_count, fn, arg);
}

void server_on_drain(struct server *s, void (*fn)(void *), void *arg)
{
    hook_add(s->drains, &s->drain_count, fn, arg);
}

static void descriptors_raise(struct server *s)
{
    struct rlimit r = { 1024, 1024 };
    if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
        r.rlim_cur = r.rlim_max;
        setrlimit(RLIMIT_NOFILE, &r);
        getrlimit(RLIMIT_NOFILE, &r);
    }
    rlim_t room = r.rlim_cur > 2 * FD_RESERVE ? r.rlim_cur - FD_RESERVE : r.rlim_cur / 2;
    s->connections_max = room < HTTP_CONNECTIONS_MAX ? (int)room : HTTP_CONNECTIONS_MAX;
}

static void configure(struct server *s)
{
    h2o_config_init(&s->conf);
    s->conf.server_name = h2o_iovec_init(H2O_STRLIT("steward"));
    s->conf.max_request_entity_size = HTTP_READ_BYTES_MAX;
    s->conf.http1.req_timeout = HTTP_REQUEST_TIMEOUT_MS;
    s->conf.http1.upgrade_to_http2 = 0; /* 2.2.5 knows no defence against rapid resets */
    h2o_hostconf_t *host = h2o_config_register_host(&s->conf, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    h2o_pathconf_t *path = h2o_config_register_path(host, "/", 0);
    h2o_create_handler(path, sizeof(h2o_handler_t))->on_req = route_dispatch;
    h2o_create_filter(&host->fallback_path, sizeof(h2o_filter_t))->on_setup_ostream = route_error_filter;
}

enum status server_start(struct server *s, struct error *e)
{
    enum status st = listener_open(s->options.bind, &s->port, &s->listener_fd, e);
    if (st != OK)
        return st;
    descriptors_raise(s);
    configure(s);
    s->started = loop_start(s, e) == OK;
    return s->started ? OK : e->status;
}

int server_port(const struct server *s)
{
    return s->port;
}

void server_post(struct server *s, struct loop_task *t)
{
    t->next = NULL;
    pthread_mutex_lock(&s->lock);
    *s->task_tail = t;
    s->task_tail = &t->next;
    bool wake = s->loop_up && !s->wake_sent;
    /* Sent under the lock: the loop's end takes the same lock, so the receiver is alive here. */
    if (wake) {
        s->wake_sent = true;
        h2o_multithread_send_message(&s->receiver, &s->wake);
    }
    pthread_mutex_unlock(&s->lock);
}

static void drain_begin(struct loop_task *t)
{
    struct server *s = H2O_STRUCT_FROM_MEMBER(struct server, drain_task, t);
    if (!s->joined) /* else the loop had ended by itself */
        loop_drain(s);
}

void server_drain(struct server *s, int64_t within_ms)
{
    if (!s->started || s->joined)
        return;
    s->drain_task.run = drain_begin;
    s->drain_deadline_ms = clock_mono_ms() + within_ms; /* read by the loop after the post */
    server_post(s, &s->drain_task);
    pthread_join(s->thread, NULL);
    s->joined = true;
}

void server_free(struct server *s)
{
    if (!s)
        return;
    server_drain(s, DRAIN_MS);
    for (struct loop_task *t; (t = s->task_head);) { /* releases what came after the loop's end */
        s->task_head = t->next;
        if (!s->task_head)
            s->task_tail = &s->task_head;
        t->run(t);
    }
    if (s->listener_fd >= 0)
        close(s->listener_fd);
    if (s->started)
        h2o_config_dispose(&s->conf);
    pthread_mutex_destroy(&s->lock);
    attempts_free(s->wrong_secrets);
    free(s);
}

void server_count(struct server *s, struct server_counters *c)
{
    *c = (struct server_counters){
        .connections = atomic_load(&s->connections_now),
        .connections_total = atomic_load(&s->connections_total),
        .accept_errors = atomic_load(&s->accept_errors),
        .requests = atomic_load(&s->requests_now),
        .deferred = atomic_load(&s->deferred_now),
        .streams = atomic_load(&s->streams_now),
        .wrong_secrets = atomic_load(&s->wrong_secrets_total),
        .shed = atomic_load(&s->shed_total),
    };
    for (int i = 0; i < 6; i++)
        c->answers[i] = atomic_load(&s->answers[i]);
}
