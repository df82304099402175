/* SPDX-License-Identifier: MIT
 * health: GET /health.  A thread of its own really asks the database once a second; the route answers from what it
 * found, so that a database that hangs cannot hang the web server. */
#ifndef BOT_HEALTH_H
#define BOT_HEALTH_H

#include "bot/server.h"
#include "store/store.h"

struct health;

enum { HEALTH_PARTS_MAX = 8 }; /* the database is the first */

/* One section of the answer, e.g. "telegram" or "queues".  `report` fills it on the loop thread from state that is at
 * hand; false with a sentence in *why: the program cannot do its job, the answer is 503. */
struct health_part {
    const char *name;
    bool (*report)(void *arg, struct json_object *section, struct error *why);
    void *arg;
};

/* mode: "webhook", "polling" or "console".  Starts the checking thread and adds the route: before server_start. */
enum status MUST_CHECK health_start(struct server *, struct store *, const char *mode, struct health **,
                                    struct error *);
void health_add(struct health *, const struct health_part *); /* before server_start */
/* fn runs on the checking thread after each check that found the database well: for figures that need a read.  One fn.
 */
void health_on_check(struct health *, void (*fn)(void *arg), void *arg);
void health_stop(struct health *); /* joins the thread; after server_drain, before store_close.  NULL is fine */
void health_free(struct health *); /* after server_free */

#endif
