/* SPDX-License-Identifier: MIT
 * card_internal: what card.c (bringing cards after their requests), card_file.c (the file beside a card) and
 * card_settle.c (what became of them) share.  All inside the caller's transaction, under requests_lock(). */
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
    enum card_file_fate file; /* of the card that was rendered last */
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

/* What its rows matter in the outbox. */
int card_priority(const struct agent_request *, bool is_edit);
enum status MUST_CHECK carding_audit(struct carding *, const struct card *, const char *event, const char *why);

/* --- the file beside a card (card_file.c) --- */
/* What does not fit on the card goes ahead of it as a file; nothing when everything fits. */
enum status MUST_CHECK carding_put_file(struct carding *, const struct card *);
/* Nobody has seen its card: take it back while it waits. */
enum status MUST_CHECK carding_withdraw_file(struct carding *, const struct card *);
/* Fills x->file. */
enum status MUST_CHECK carding_look_at_file(struct carding *, const struct card *);
/* The row of a file was parked: its card says so.  The work is for no request yet. */
enum status MUST_CHECK card_file_parked(const struct carding *, const struct outbox_row *, const char *why);

#endif
