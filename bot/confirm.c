/* SPDX-License-Identifier: MIT
 * confirm: has the other end received what was answered?  A write into a socket says nothing about that: the peer may
 * be gone without a word.  The kernel knows which bytes were acknowledged, so a duplicate of the socket is asked: at
 * every tick, and when libh2o closes the connection.  Loop thread. */
#include "bot/loop.h"

#include "base/clock.h"
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { CONFIRM_MAX_MS = 60000 }; /* TCP_USER_TIMEOUT ends the connection by then */

struct confirm {
    h2o_linklist_t link;           /* in server->confirms */
    struct connection *connection; /* NULL once closed */
    int fd;
    int64_t deadline_ms;
    void (*confirmed)(void *arg);
    void (*dropped)(void *arg);
    void *arg;
};

enum verdict { CONFIRM_WAIT, CONFIRM_YES, CONFIRM_NO };

static enum verdict look(const struct confirm *c)
{
    struct tcp_info info = { 0 };
    socklen_t len = sizeof info, error_len = sizeof(int);
    int unacknowledged = 0, error = 0;
    if (getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0 ||
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &error_len) != 0 || error)
        return CONFIRM_NO;
    if (info.tcpi_state == TCP_CLOSE) /* over in good order after our own end, or reset */
        return c->connection ? CONFIRM_NO : CONFIRM_YES;
    return ioctl(c->fd, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged == 0 ? CONFIRM_YES : CONFIRM_WAIT;
}

static void finish(struct confirm *c, bool yes)
{
    if (c->connection)
        c->connection->confirm = NULL;
    h2o_linklist_unlink(&c->link);
    close(c->fd);
    (yes ? c->confirmed : c->dropped)(c->arg);
    free(c);
}

static void check(struct confirm *c, int64_t now_ms)
{
    enum verdict v = look(c);
    if (v != CONFIRM_WAIT || now_ms > c->deadline_ms)
        finish(c, v == CONFIRM_YES);
}

void request_confirm(struct request *r, void (*confirmed)(void *), void (*dropped)(void *), void *arg)
{
    struct connection *connection = r->h2o->conn->callbacks->get_socket(r->h2o->conn)->on_close.data;
    if (connection->confirm) /* whoever asks again has read the answer before */
        finish(connection->confirm, true);
    int fd = dup(request_fd(r));
    if (fd < 0) { /* there are no descriptors left */
        dropped(arg);
        return;
    }
    struct confirm *c = xcalloc(1, sizeof *c);
    *c = (struct confirm){ .connection = connection, .fd = fd, .confirmed = confirmed, .dropped = dropped, .arg = arg };
    c->deadline_ms = clock_mono_ms() + CONFIRM_MAX_MS;
    connection->confirm = c;
    h2o_linklist_insert(&r->server->confirms, &c->link);
}

/* libh2o has closed its side; ours must not keep the peer waiting for the end. */
void confirm_closed(struct connection *connection)
{
    struct confirm *c = connection->confirm;
    if (!c)
        return;
    enum verdict v = look(c);
    c->connection = NULL;
    connection->confirm = NULL;
    if (v == CONFIRM_WAIT)
        shutdown(c->fd, SHUT_WR);
    else
        finish(c, v == CONFIRM_YES);
}

void confirm_tick(struct server *s, int64_t now_ms)
{
    h2o_linklist_t *next;
    for (h2o_linklist_t *l = s->confirms.next; l != &s->confirms; l = next) {
        next = l->next;
        check(H2O_STRUCT_FROM_MEMBER(struct confirm, link, l), now_ms);
    }
}

void confirm_drop_all(struct server *s)
{
    h2o_linklist_t *next;
    for (h2o_linklist_t *l = s->confirms.next; l != &s->confirms; l = next) {
        next = l->next;
        finish(H2O_STRUCT_FROM_MEMBER(struct confirm, link, l), false);
    }
}
