/* SPDX-License-Identifier: MIT
 * deferred: requests that wait.  Everything here runs on the loop thread except deferred_finish(), which only posts; so
 * no lock and no reference count: the request's side and the worker's side meet on the loop. */
#include "bot/deferred.h"

#include "base/clock.h"
#include "bot/loop.h"
#include <assert.h>

struct deferred {
    struct loop_task task;
    h2o_linklist_t link; /* in server->deferreds while request != NULL */
    struct server *server;
    struct request *request; /* NULL: answered, or the client has left */
    const struct deferred_ops *ops;
    void *arg;
    int64_t deadline_ms; /* monotonic; 0 = none */
    struct watch watch;
    h2o_socket_t *quiet; /* see quiet_start(); NULL = not */
};

/* libh2o stops polling a socket whose request is put aside: two epoll_ctl for each post.  Instead the socket stays
 * polled and nothing is read from it; what the client sends before its answer waits in the kernel.
 * https://github.com/h2o/h2o/blob/v2.2.5/lib/common/socket/evloop.c.h: read_on_ready() */
static void on_input_too_early(h2o_socket_t *sock, const char *err)
{
    (void)err;
    h2o_socket_read_stop(sock);
}

static void quiet_start(struct deferred *d)
{
    d->quiet = d->request->h2o->conn->callbacks->get_socket(d->request->h2o->conn);
    h2o_socket_dont_read(d->quiet, 1);
    h2o_socket_read_start(d->quiet, on_input_too_early);
}

static void quiet_end(struct deferred *d)
{
    if (!d->quiet)
        return;
    h2o_socket_read_stop(d->quiet);
    h2o_socket_dont_read(d->quiet, 0);
    d->quiet = NULL;
}

/* The two sides part; returns the request. */
static struct request *deferred_detach(struct deferred *d)
{
    struct request *r = d->request;
    watch_stop(d->server, &d->watch);
    quiet_end(d);
    h2o_linklist_unlink(&d->link);
    atomic_fetch_sub(&d->server->deferred_now, 1);
    d->request = NULL;
    r->deferred = NULL;
    return r;
}

static void deferred_answer(struct deferred *d, enum deferred_why why)
{
    struct request *r = deferred_detach(d);
    d->ops->answer(r, why, d->arg);
    if (why != DEFERRED_DONE && d->ops->gone)
        d->ops->gone(d->arg);
}

void deferred_request_gone(struct deferred *d)
{
    deferred_detach(d);
    if (d->ops->gone)
        d->ops->gone(d->arg);
}

/* libh2o does not read while a request is pending: an answer makes it find the dead connection. */
static void deferred_hung_up(void *arg)
{
    struct deferred *d = arg;
    d->request->h2o->http1_is_persistent = 0;
    deferred_answer(d, DEFERRED_LEFT);
}

struct deferred *request_defer(struct request *r, const struct deferred_ops *ops, void *arg, int64_t wait_ms)
{
    struct deferred *d = xcalloc(1, sizeof *d);
    assert(!r->answered && !r->deferred);
    d->server = r->server;
    d->request = r;
    d->ops = ops;
    d->arg = arg;
    d->watch = (struct watch){ .fd = -1, .hung_up = deferred_hung_up, .arg = d };
    r->deferred = d;
    h2o_linklist_insert(&r->server->deferreds, &d->link);
    atomic_fetch_add(&r->server->deferred_now, 1);
    if (wait_ms > 0) {
        d->deadline_ms = r->server->draining ? 1 : clock_mono_ms() + wait_ms;
        watch_start(r->server, &d->watch, request_fd(r));
    } else {
        quiet_start(d);
    }
    return d;
}

static void deferred_settle(struct loop_task *t)
{
    struct deferred *d = H2O_STRUCT_FROM_MEMBER(struct deferred, task, t);
    if (d->request)
        deferred_answer(d, DEFERRED_DONE);
    if (d->ops->release)
        d->ops->release(d->arg);
    free(d);
}

void deferred_finish(struct deferred *d)
{
    d->task.run = deferred_settle;
    server_post(d->server, &d->task);
}

void deferred_tick(struct server *s, int64_t now_ms)
{
    h2o_linklist_t *next;
    int answered = 0;
    for (h2o_linklist_t *l = s->deferreds.next; l != &s->deferreds && answered < LOOP_TASKS_PER_TURN; l = next) {
        struct deferred *d = H2O_STRUCT_FROM_MEMBER(struct deferred, link, l);
        next = l->next;
        if (d->deadline_ms == 0 || d->deadline_ms > now_ms)
            continue;
        deferred_answer(d, s->draining ? DEFERRED_DRAIN : DEFERRED_TIMEOUT);
        answered++;
    }
}

void deferred_drain(struct server *s, bool all)
{
    h2o_linklist_t *next;
    for (h2o_linklist_t *l = s->deferreds.next; l != &s->deferreds; l = next) {
        struct deferred *d = H2O_STRUCT_FROM_MEMBER(struct deferred, link, l);
        next = l->next;
        if (all || d->deadline_ms != 0)
            deferred_answer(d, DEFERRED_DRAIN);
    }
}
