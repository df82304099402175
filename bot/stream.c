/* SPDX-License-Identifier: MIT
 * stream: server-sent events over libh2o, which aborts when h2o_send() is called while a send is under way and spins
 * when it is called with nothing: hence two buffers and the in-flight flag.  Loop thread. */
#include "bot/stream.h"

#include "base/buf.h"
#include "bot/loop.h"
#include <assert.h>
#include <sys/socket.h>

struct stream {
    h2o_generator_t generator; /* first: libh2o hands it back */
    h2o_linklist_t link;
    struct request *request;
    const struct stream_ops *ops;
    void *arg;
    struct buf filling, sending;
    bool in_flight, ending, ended;
    struct watch watch;
};

static void stream_pump(struct stream *st)
{
    if (st->in_flight || st->ended)
        return;
    if (st->filling.len == 0) {
        if (st->ending) {
            st->ended = true;
            h2o_send(st->request->h2o, NULL, 0, H2O_SEND_STATE_FINAL);
        }
        return;
    }
    struct buf idle = st->sending;
    st->sending = st->filling;
    st->filling = idle;
    h2o_iovec_t v = h2o_iovec_init(st->sending.data, st->sending.len);
    st->in_flight = true;
    h2o_send(st->request->h2o, &v, 1, H2O_SEND_STATE_IN_PROGRESS);
}

static void stream_proceed(h2o_generator_t *generator, h2o_req_t *h2o)
{
    struct stream *st = (struct stream *)generator;
    (void)h2o;
    st->in_flight = false;
    buf_clear(&st->sending);
    stream_pump(st);
    if (!st->in_flight && !st->ending && st->ops->drained)
        st->ops->drained(st, st->arg);
}

static void stream_hung_up(void *arg)
{
    struct stream *st = arg;
    if (st->in_flight) /* nothing may be sent now: make the write fail */
        shutdown(request_fd(st->request), SHUT_RDWR);
    stream_end(st);
}

struct stream *request_stream(struct request *r, const char *type, const struct stream_ops *ops, void *arg)
{
    static const char hello[] = ": hello\n\n";
    struct stream *st = xcalloc(1, sizeof *st);
    assert(!r->answered && !r->stream);
    st->generator.proceed = stream_proceed;
    st->request = r;
    st->ops = ops;
    st->arg = arg;
    buf_init(&st->filling, STREAM_PENDING_BYTES_MAX);
    buf_init(&st->sending, STREAM_PENDING_BYTES_MAX);
    st->watch = (struct watch){ .fd = -1, .hung_up = stream_hung_up, .arg = st };
    r->stream = st;
    r->h2o->http1_is_persistent = 0;
    h2o_linklist_insert(&r->server->streams, &st->link);
    atomic_fetch_add(&r->server->streams_now, 1);
    request_begin_answer(r, 200, type);
    h2o_start_response(r->h2o, &st->generator);
    stream_write(st, hello, sizeof hello - 1);
    watch_start(r->server, &st->watch, request_fd(r));
    if (r->server->draining)
        stream_end(st);
    return st;
}

bool stream_write(struct stream *st, const void *bytes, size_t len)
{
    if (st->ending || len > STREAM_PENDING_BYTES_MAX - st->filling.len)
        return false;
    buf_put(&st->filling, bytes, len);
    stream_pump(st);
    return true;
}

size_t stream_pending(const struct stream *st)
{
    return st->filling.len + (st->in_flight ? st->sending.len : 0);
}

void stream_end(struct stream *st)
{
    st->ending = true;
    stream_pump(st);
}

void stream_end_all(struct server *s)
{
    h2o_linklist_t *next;
    for (h2o_linklist_t *l = s->streams.next; l != &s->streams; l = next) {
        next = l->next;
        stream_end(H2O_STRUCT_FROM_MEMBER(struct stream, link, l));
    }
}

void stream_request_gone(struct stream *st)
{
    struct server *s = st->request->server;
    watch_stop(s, &st->watch);
    h2o_linklist_unlink(&st->link);
    atomic_fetch_sub(&s->streams_now, 1);
    st->ops->closed(st->arg);
    buf_release(&st->filling);
    buf_release(&st->sending);
    free(st);
}
