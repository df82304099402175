/* SPDX-License-Identifier: MIT
 * cards: the messages that show requests.  A card knows its newest outbox row and, once that was sent, its message; its
 * nonce is what the buttons are bound to.  All functions run inside a transaction that holds requests_lock(). */
#ifndef STORE_CARDS_H
#define STORE_CARDS_H

#include "base/arena.h"
#include "store/db.h"

enum {
    CARDS_OF_ONE_MAX = 16
}; /* live cards of one request or one message: two places, and milestones that share one */

struct card {
    int64_t id;
    const char *kind; /* "request", "notice", "heartbeat" */
    int64_t request_id;
    const char *project, *channel;
    int64_t chat_id, topic_id; /* topic 0 = none */
    const char *nonce;         /* 32 hex digits */
    int64_t outbox_id, message_id;
    bool ambiguous, retired;
    int64_t version, sent_version;
};
enum status MUST_CHECK card_insert(struct db *, struct arena *, struct card *, int64_t now_ms,
                                   struct error *);                                   /* sets id, nonce */
enum status MUST_CHECK card_update(struct db *, const struct card *, struct error *); /* all but kind and place */
/* Cards of a request that are not retired, reminders last; at most max. */
enum status MUST_CHECK cards_of_request(struct db *, struct arena *, int64_t request_id, int max, struct card *,
                                        int *count, struct error *);
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
