/* SPDX-License-Identifier: MIT
 * loop: the one thread of the web server: accepts, runs posted tasks, ticks, watches for hang-ups, drains.
 * One thread is enough: it answers 50,000 updates a second, and Telegram sends at most 100 at a time.
 * It must never block: no database, no file, no lock held for longer than a few instructions. */
#include "bot/loop.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/thread.h"
#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    ACCEPTS_PER_TURN = 16,
    ACCEPT_RETRY_MS = 50, /* without descriptors epoll would report the listener for ever */
    HANGUPS_PER_TURN = 64,
    LOOP_TASKS_ROUNDS = 4,  /* looks at what is posted, per turn */
    WRITE_STALL_MS = 60000, /* a client that does not read is dropped by the kernel after this */
    DRAIN_CLOSE_MS = 500,   /* of the drain's time, for closing what is left */
};

/* --- tasks --- */

/* What is posted, at most so many, in one grip of the lock: its posters must not wait for it task by task. */
static struct loop_task *tasks_take(struct server *s, int count)
{
    pthread_mutex_lock(&s->lock);
    struct loop_task *head = s->task_head, **end = &s->task_head;
    for (; *end && count > 0; count--)
        end = &(*end)->next;
    s->task_head = *end;
    if (!s->task_head)
        s->task_tail = &s->task_head;
    if (end != &s->task_head)
        *end = NULL;
    s->wake_sent = head != NULL; /* whoever took something looks again */
    pthread_mutex_unlock(&s->lock);
    return head;
}

static void tasks_run(struct server *s)
{
    for (int rounds = 0; rounds < LOOP_TASKS_ROUNDS; rounds++) {
        struct loop_task *next = tasks_take(s, LOOP_TASKS_PER_TURN / LOOP_TASKS_ROUNDS);
        if (!next)
            return;
        for (struct loop_task *t; (t = next);) {
            next = t->next;
            t->run(t);
        }
    }
    h2o_timeout_link(s->ctx.loop, &s->ctx.zero_timeout, &s->more_entry);
}

static void on_more(h2o_timeout_entry_t *entry)
{
    tasks_run(H2O_STRUCT_FROM_MEMBER(struct server, more_entry, entry));
}

static void on_wake(h2o_multithread_receiver_t *r, h2o_linklist_t *messages)
{
    struct server *s = H2O_STRUCT_FROM_MEMBER(struct server, receiver, r);
    (void)messages; /* there is one: the wake-up */
    h2o_linklist_unlink(&s->wake.link);
    tasks_run(s);
}

/* --- hang-ups --- */

void watch_start(struct server *s, struct watch *w, int fd)
{
    struct epoll_event ev = { .events = EPOLLRDHUP | EPOLLONESHOT, .data.ptr = w };
    w->fd = epoll_ctl(s->watch_epoll, EPOLL_CTL_ADD, fd, &ev) == 0 ? fd : -1;
}

void watch_stop(struct server *s, struct watch *w)
{
    if (w->fd >= 0)
        epoll_ctl(s->watch_epoll, EPOLL_CTL_DEL, w->fd, NULL);
    w->fd = -1;
}

static void on_watch(h2o_socket_t *sock, const char *err)
{
    struct server *s = sock->data;
    struct epoll_event ev;
    (void)err;
    /* One at a time: what one hang-up sets off may stop the watch of another. */
    for (int i = 0; i < HANGUPS_PER_TURN && epoll_wait(s->watch_epoll, &ev, 1, 0) == 1; i++) {
        struct watch *w = ev.data.ptr;
        w->hung_up(w->arg);
    }
}

/* --- connections --- */

static void on_accept(h2o_socket_t *, const char *);

static void accept_pause(struct server *s)
{
    h2o_socket_read_stop(s->listener);
    if (!h2o_timeout_is_linked(&s->retry_entry))
        h2o_timeout_link(s->ctx.loop, &s->retry_timeout, &s->retry_entry);
}

static void on_accept_retry(h2o_timeout_entry_t *entry)
{
    struct server *s = H2O_STRUCT_FROM_MEMBER(struct server, retry_entry, entry);
    if (s->listener)
        h2o_socket_read_start(s->listener, on_accept);
}

static void on_connection_closed(void *data)
{
    struct connection *c = data;
    confirm_closed(c);
    atomic_fetch_sub(&c->server->connections_now, 1);
    h2o_linklist_unlink(&c->link);
    free(c);
}

static void connection_new(struct server *s, h2o_socket_t *sock)
{
    struct connection *c = xcalloc(1, sizeof *c);
    unsigned int stall = WRITE_STALL_MS;
    c->server = s;
    c->sock = sock;
    c->fd = h2o_socket_get_fd(sock);
    setsockopt(c->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &stall, sizeof stall);
    h2o_linklist_insert(&s->connections, &c->link);
    atomic_fetch_add(&s->connections_now, 1);
    atomic_fetch_add(&s->connections_total, 1);
    sock->on_close.cb = on_connection_closed;
    sock->on_close.data = c;
    h2o_accept(&s->accept, sock);
}

static void on_accept(h2o_socket_t *listener, const char *err)
{
    struct server *s = listener->data;
    if (err)
        return;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        if (atomic_load(&s->connections_now) >= s->connections_max) {
            accept_pause(s);
            return;
        }
        h2o_socket_t *sock = h2o_evloop_socket_accept(listener);
        if (!sock) {
            if (errno != EAGAIN && errno != ECONNABORTED) {
                atomic_fetch_add(&s->accept_errors, 1);
                accept_pause(s);
            }
            return;
        }
        connection_new(s, sock);
    }
}

/* --- ticks and the end --- */

/* Make libh2o see an end on every connection left, so that it frees them. */
static void connections_shutdown(struct server *s)
{
    for (h2o_linklist_t *l = s->connections.next; l != &s->connections; l = l->next)
        shutdown(H2O_STRUCT_FROM_MEMBER(struct connection, link, l)->fd, SHUT_RDWR);
}

void loop_drain(struct server *s)
{
    s->draining = true;
    h2o_socket_read_stop(s->listener);
    h2o_socket_close(s->listener); /* closes the descriptor too */
    s->listener = NULL;
    s->listener_fd = -1;
    s->ctx.shutdown_requested = 1; /* h2o_context_request_shutdown() would leave HTTP/2's timer behind for good */
    for (int i = 0; i < s->drain_count; i++)
        s->drains[i].fn(s->drains[i].arg);
    deferred_drain(s, false);
    stream_end_all(s);
}

static void drain_tick(struct server *s, int64_t now_ms)
{
    if (now_ms >= s->drain_deadline_ms - DRAIN_CLOSE_MS)
        deferred_drain(s, true);
    if (atomic_load(&s->requests_now) == 0 || now_ms >= s->drain_deadline_ms - DRAIN_CLOSE_MS / 2)
        connections_shutdown(s);
    if (h2o_linklist_is_empty(&s->connections) || now_ms >= s->drain_deadline_ms)
        s->drained = true;
}

static void on_tick(h2o_timeout_entry_t *entry)
{
    struct server *s = H2O_STRUCT_FROM_MEMBER(struct server, tick_entry, entry);
    int64_t now_ms = clock_mono_ms();
    deferred_tick(s, now_ms);
    confirm_tick(s, now_ms);
    pressure_tick(s);
    for (int i = 0; i < s->tick_count; i++)
        s->ticks[i].fn(s->ticks[i].arg);
    if (s->draining)
        drain_tick(s, now_ms);
    h2o_timeout_link(s->ctx.loop, &s->tick_timeout, &s->tick_entry);
}

/* --- the thread --- */

static void loop_up(struct server *s)
{
    h2o_context_init(&s->ctx, h2o_evloop_create(), &s->conf);
    s->accept.ctx = &s->ctx;
    s->accept.hosts = s->conf.hosts;
    h2o_multithread_register_receiver(s->ctx.queue, &s->receiver, on_wake);
    h2o_timeout_init(s->ctx.loop, &s->tick_timeout, SERVER_TICK_MS);
    h2o_timeout_init(s->ctx.loop, &s->retry_timeout, ACCEPT_RETRY_MS);
    s->tick_entry.cb = on_tick;
    s->retry_entry.cb = on_accept_retry;
    s->more_entry.cb = on_more;
    h2o_timeout_link(s->ctx.loop, &s->tick_timeout, &s->tick_entry);
    s->watcher = h2o_evloop_socket_create(s->ctx.loop, s->watch_epoll, H2O_SOCKET_FLAG_DONT_READ);
    s->watcher->data = s;
    h2o_socket_read_start(s->watcher, on_watch);
    s->listener = h2o_evloop_socket_create(s->ctx.loop, s->listener_fd, H2O_SOCKET_FLAG_DONT_READ);
    s->listener->data = s;
    h2o_socket_read_start(s->listener, on_accept);
}

static void loop_down(struct server *s)
{
    pthread_mutex_lock(&s->lock);
    s->loop_up = false;
    pthread_mutex_unlock(&s->lock);
    deferred_drain(s, true);
    confirm_drop_all(s);
    h2o_timeout_unlink(&s->tick_entry);
    h2o_timeout_unlink(&s->retry_entry);
    h2o_timeout_unlink(&s->more_entry);
    h2o_socket_close(s->watcher);
    if (h2o_linklist_is_linked(&s->wake.link))
        h2o_linklist_unlink(&s->wake.link);
    h2o_multithread_unregister_receiver(s->ctx.queue, &s->receiver);
    if (!h2o_linklist_is_empty(&s->connections))
        return; /* a client that could not be closed in time still points into the context: the process ends now */
    h2o_timeout_dispose(s->ctx.loop, &s->tick_timeout);
    h2o_timeout_dispose(s->ctx.loop, &s->retry_timeout);
    h2o_loop_t *loop = s->ctx.loop;
    h2o_context_dispose(&s->ctx);
    h2o_evloop_destroy(loop);
}

/* h2o counts by the wall clock.  When that was set back, what was linked before would not be due for the length of the
 * step, held polls and our own tick among it: it is counted from now.  Each list is in the order of linking. */
static void timers_follow_clock(h2o_loop_t *loop)
{
    uint64_t now = h2o_now(loop);
    for (h2o_linklist_t *t = loop->_timeouts.next; t != &loop->_timeouts; t = t->next) {
        h2o_linklist_t *entries = &H2O_STRUCT_FROM_MEMBER(h2o_timeout_t, _link, t)->_entries;
        for (h2o_linklist_t *n = entries->next; n != entries; n = n->next) {
            h2o_timeout_entry_t *entry = H2O_STRUCT_FROM_MEMBER(h2o_timeout_entry_t, _link, n);
            if (entry->registered_at <= now)
                break;
            entry->registered_at = now;
        }
    }
}

struct loop_birth {
    struct server *server;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool up;
};

static void *loop_main(void *arg)
{
    struct loop_birth *birth = arg;
    struct server *s = birth->server;
    loop_up(s);
    pthread_mutex_lock(&s->lock);
    s->loop_up = true;
    pthread_mutex_unlock(&s->lock);
    pthread_mutex_lock(&birth->lock);
    birth->up = true;
    pthread_cond_signal(&birth->changed);
    pthread_mutex_unlock(&birth->lock);
    while (!s->drained) {
        if (h2o_evloop_run(s->ctx.loop, 4 * SERVER_TICK_MS) != 0 && errno != EINTR) {
            log_event(LOG_ERROR, "server loop ended", F_STR("error", strerror(errno)));
            break;
        }
        for (int i = 0; i < s->round_count; i++)
            s->rounds[i].fn(s->rounds[i].arg);
        timers_follow_clock(s->ctx.loop);
    }
    loop_down(s);
    return NULL;
}

enum status loop_start(struct server *s, struct error *e)
{
    struct loop_birth birth = { .server = s, .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };
    s->watch_epoll = epoll_create1(EPOLL_CLOEXEC);
    if (s->watch_epoll < 0)
        return fail(e, ST_INTERNAL, "The web server cannot be started: %s", strerror(errno));
    if (thread_start(&s->thread, &(struct thread_start){ .name = "loop", .run = loop_main, .arg = &birth }, e))
        return e->status;
    pthread_mutex_lock(&birth.lock);
    while (!birth.up)
        pthread_cond_wait(&birth.changed, &birth.lock);
    pthread_mutex_unlock(&birth.lock);
    return OK;
}
