/* SPDX-License-Identifier: MIT
 * pressure: bounds the memory of what was received and not yet answered.  Loop thread, at every tick.
 * libh2o hands over a request when its whole body is here, so that anybody can make the process hold bodies before a
 * secret is compared.  When all of it together passes the bound, the connections that hold most are closed;
 * Telegram's updates are a few KiB and gone in milliseconds. */
#include "bot/loop.h"

#include "base/limits.h"
#include "base/log.h"

static size_t input_bytes(const struct connection *c)
{
    return c->sock->input ? c->sock->input->size : 0;
}

static struct connection *connection_at(h2o_linklist_t *l)
{
    return H2O_STRUCT_FROM_MEMBER(struct connection, link, l);
}

/* Closes those above `floor_bytes` until `surplus` is gone; what it could not close. */
static int64_t shed(struct server *s, int64_t surplus, size_t floor_bytes)
{
    for (h2o_linklist_t *l = s->connections.next; surplus > 0 && l != &s->connections; l = l->next) {
        struct connection *c = connection_at(l);
        if (input_bytes(c) < floor_bytes || c->shed)
            continue;
        c->shed = true;
        surplus -= (int64_t)input_bytes(c);
        shutdown(c->fd, SHUT_RDWR); /* libh2o sees an end and frees it */
        atomic_fetch_add(&s->shed_total, 1);
    }
    return surplus;
}

void pressure_tick(struct server *s)
{
    int64_t total = 0;
    for (h2o_linklist_t *l = s->connections.next; l != &s->connections; l = l->next)
        total += connection_at(l)->shed ? 0 : (int64_t)input_bytes(connection_at(l));
    int64_t surplus = total - HTTP_INPUT_BYTES_MAX;
    if (surplus <= 0)
        return;
    log_event(LOG_WARN, "too much input at once", F_INT("bytes", total), F_INT("connections", s->connections_now));
    for (size_t floor_bytes = MIB; surplus > 0 && floor_bytes >= KIB; floor_bytes /= 4)
        surplus = shed(s, surplus, floor_bytes);
}
