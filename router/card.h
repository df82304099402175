/* SPDX-License-Identifier: MIT
 * card: the messages that show requests.  A request has one card per place (Telegram; the console page); whatever
 * changes of the request changes its version, and card_refresh() brings the cards after: a card that still waits in the
 * outbox is rewritten there, one that was sent is edited, one that is being sent is edited when that has ended.
 * All functions run inside a transaction that holds requests_lock(). */
#ifndef ROUTER_CARD_H
#define ROUTER_CARD_H

#include "router/ask.h"
#include "router/reply.h"
#include "store/cards.h"
#include "store/outbox.h"

/* Put the first cards of a new request into the outbox. */
enum status MUST_CHECK card_post(struct db *, struct arena *, const struct agent_request *, int64_t now_ms,
                                 struct error *);
/* The request has a new version: show it. */
enum status MUST_CHECK card_refresh(struct db *, struct arena *, const struct agent_request *, int64_t now_ms,
                                    struct error *);
/* A reminder begins with it; ask_find.c knows one by it. */
#define CARD_NAG_LEAD "⏰ Still waiting: "
/* "Still waiting", as a reply to the card, with sound.  *said false: not in quiet hours. */
enum status MUST_CHECK card_nag(struct db *, struct arena *, const struct agent_request *, int64_t now_ms, bool *said,
                                struct error *);
/* Of a request's cards: the one in Telegram, else the first; NULL = there are none. */
const struct card *card_main(const struct card *, int count);
/* One message to where cards go. */
enum status MUST_CHECK card_tell(struct db *, struct arena *, const struct reply *, const char *dedupe_key,
                                 int64_t now_ms, struct error *);

/* Called when a row with a dedupe_key "card:…" (a card's, or that of the file beside it) was settled
 * (bot/sender_settle.c), in that transaction.  Parked: a question or an alarm goes to the owner's private chat when the
 * chat refuses it; a card whose file cannot be sent says so. */
enum status MUST_CHECK card_sent(struct db *, struct arena *, const struct outbox_row *, int64_t message_id,
                                 bool ambiguous, int64_t now_ms, struct error *);
/* A tap came from this message, though the sending of the card got no answer: now it is known where it stands. */
enum status MUST_CHECK card_seen(struct db *, struct arena *, const struct agent_request *, struct card *,
                                 int64_t message_id, int64_t now_ms, struct error *);
enum status MUST_CHECK card_parked(struct db *, struct arena *, const struct outbox_row *, const char *why,
                                   int64_t now_ms, struct error *);

/* --- card_text.c: pure --- */
enum card_file_fate {
    CARD_FILE_GOES,    /* it is there, or on its way */
    CARD_FILE_REFUSED, /* it could not be sent */
    CARD_FILE_UNSURE,  /* its sends got no answer */
};
struct card_view {
    const struct agent_request *request;
    const struct card *card;
    const struct vote *votes;
    int vote_count;
    const char *zone; /* for times on the card */
    int64_t now_ms;
    enum card_file_fate file; /* of the file beside it, if there is one */
};
/* The whole card; details that do not fit are left to a file (card_file). */
void card_render(struct arena *, const struct card_view *, struct reply *);
/* The text of the file that holds what the card cannot: NULL when everything is on the card, and for a heartbeat, which
 * is cut short: the next one is never far. */
const char *card_file(struct arena *, const struct agent_request *, const char **name);

#endif
