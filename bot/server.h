/* SPDX-License-Identifier: MIT
 * server: the HTTP/1.1 server: one event-loop thread, its listener, its connections and its end.
 * Everything that waits (database, models) happens elsewhere and comes back through server_post();
 * the loop itself never blocks.  Routes are rows of bot/route.h. */
#ifndef BOT_SERVER_H
#define BOT_SERVER_H

#include "base/status.h"
#include "bot/route.h"
#include <stdint.h>

struct server;

struct server_options {
    const char *bind;          /* IPv4, IPv6 (with or without brackets) or a host name */
    int port;                  /* 0 = any free one, see server_port() */
    const char *notify_secret; /* what auth_bearer compares with; NULL = not set */
    bool public;               /* PUBLIC_URL names another machine than this one: see auth_came_by_proxy() */
};

/* The strings must outlive the server. */
struct server *server_new(const struct server_options *);
/* Before server_start: add the rows up to the one with a NULL path; `arg` goes to their functions. */
void server_routes(struct server *, const struct route *rows, void *arg);
/* Bind, listen and run the loop in its own thread; returns when it accepts.  ST_UNAVAILABLE (port taken, address not
 * ours) or ST_INVALID (BIND is not an address), with a sentence that says what to do.  Raises the soft limit of open
 * files to the hard one. */
enum status MUST_CHECK server_start(struct server *, struct error *);
int server_port(const struct server *); /* after server_start */

/* Stop accepting, end streams, answer held polls, let begun requests finish, close the rest when `within_ms` has
 * passed; then the loop thread has ended.  Whoever owes a deferred answer may still call deferred_finish() until
 * server_free(): it only releases. */
void server_drain(struct server *, int64_t within_ms);
void server_free(struct server *); /* drains first when that was not done; NULL is fine */

/* Run task->run on the loop thread, in order of posting, at most once per posting; any thread.  The task
 * belongs to the server until run() begins.  After the loop has ended tasks run in server_free(). */
struct loop_task {
    void (*run)(struct loop_task *);
    struct loop_task *next; /* the server's own */
};
void server_post(struct server *, struct loop_task *);

/* Called on the loop thread about every SERVER_TICK_MS / once when draining begins.  Before server_start. */
enum { SERVER_TICK_MS = 250, SERVER_HOOKS_MAX = 8 };
/* Called on the loop thread after each round of events: what the requests of one round left for another thread can be
 * handed over together.  Before server_start. */
void server_on_round(struct server *, void (*fn)(void *arg), void *arg);
void server_on_tick(struct server *, void (*fn)(void *arg), void *arg);
void server_on_drain(struct server *, void (*fn)(void *arg), void *arg);

struct server_counters {
    int64_t connections, connections_total, accept_errors; /* open now; ever; refused for lack of descriptors */
    int64_t requests, deferred, streams;                   /* open now */
    int64_t wrong_secrets, shed;                           /* ever; connections closed for the memory of their input */
    int64_t answers[6];                                    /* by hundred: answers[2] = 2xx */
};
void server_count(struct server *, struct server_counters *); /* any thread */

#endif
