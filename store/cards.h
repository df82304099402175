/* SPDX-License-Identifier: MIT
 * cards: the messages that show requests.  A card knows its newest outbox row and, once that was sent, its message; its
 * nonce is what the buttons are bound to.  All functions run inside a transaction that holds requests_lock(). */
#ifndef STORE_CARDS_H
#define STORE_CARDS_H

#include "base/arena.h"
#include "store/db.h"

/* Live cards of one request or of one message: two places, and milestones that share one. */
enum { CARDS_OF_ONE_MAX = 16 };

struct card {
    int64_t id;
    const char *kind;   /* "request", "heartbeat"; "notice": stays as it is (reminders too), unless its file is lost */
    int64_t request_id; /* of a heartbeat: the newest */
    const char *project, *channel;
    int64_t chat_id, topic_id; /* topic 0 = none */
    const char *nonce;         /* 32 hex digits */
    int64_t outbox_id;         /* the newest row that shows it; 0 = none yet */
    int64_t message_id;        /* 0 = it was not sent, or nobody knows where it stands */
    bool ambiguous;            /* it may stand there twice: a send got no answer */
    bool retired;              /* a newer card has taken its place, or nobody has seen it */
    int64_t version;           /* of the request, as put into the outbox; 0 = to be shown anew */
    int64_t sent_version;      /* … as it was sent last; 0 = not where it belongs now */
};
/* Sets id and nonce (arena-owned). */
enum status MUST_CHECK card_insert(struct db *, struct arena *, struct card *, int64_t now_ms, struct error *);
/* Writes back everything but kind and place. */
enum status MUST_CHECK card_update(struct db *, const struct card *, struct error *);
/* Cards of a request that are not retired, reminders last; at most max. */
enum status MUST_CHECK cards_of_request(struct db *, struct arena *, int64_t request_id, int max, struct card *,
                                        int *count, struct error *);
/* One card, also a retired one (not of a heartbeat); *found false: none. */
enum status MUST_CHECK card_by_nonce(struct db *, struct arena *, const char *nonce, struct card *, bool *found,
                                     struct error *);
enum status MUST_CHECK card_by_message(struct db *, struct arena *, const char *channel, int64_t chat_id,
                                       int64_t message_id, struct card *, bool *found, struct error *);
enum status MUST_CHECK card_of_heartbeat(struct db *, struct arena *, const char *channel, int64_t chat_id,
                                         const char *project, struct card *, bool *found, struct error *);
/* Every card whose newest outbox row is this one (milestones share a message); at most max. */
enum status MUST_CHECK cards_of_outbox(struct db *, struct arena *, int64_t outbox_id, int max, struct card *,
                                       int *count, struct error *);

#endif
