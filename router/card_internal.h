/* SPDX-License-Identifier: MIT
 * card_internal: what card.c (bringing cards after their requests) and card_settle.c (what became of them) share. */
#ifndef ROUTER_CARD_INTERNAL_H
#define ROUTER_CARD_INTERNAL_H

#include "router/card.h"

/* One piece of work on cards. */
struct carding {
    struct db *db;
    struct arena *a;
    const struct agent_request *r;
    int64_t now_ms;
    const char *zone;
    bool silent;
    struct error *e;
};

struct place {
    const char *channel;
    int64_t chat_id;
};

/* Fills zone and silent: the owner's clock and quiet hours. */
enum status MUST_CHECK carding_open(struct carding *);
/* Bring one card after its request. */
enum status MUST_CHECK carding_show(struct carding *, struct card *);
/* A new card at a place; kind: "request", "notice", "heartbeat". */
enum status MUST_CHECK carding_post(struct carding *, const struct place *, const char *kind);

#endif
