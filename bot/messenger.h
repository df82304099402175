/* SPDX-License-Identifier: MIT
 * messenger: a place where a person chats: Telegram, the console page.  The sender's threads hand outbox rows to
 * the messenger of their channel.  A new messenger is one file that fills a `struct messenger`, and one messenger_add()
 * at start. */
#ifndef BOT_MESSENGER_H
#define BOT_MESSENGER_H

#include "base/arena.h"
#include "base/http.h"
#include "store/outbox.h"
#include "store/store.h"
#include "store/topics.h"

enum send_outcome {
    SEND_OK,       /* delivered (or harmless: "message is not modified", a tap too old to answer) */
    SEND_RETRY,    /* definitely not delivered; again after wait_ms */
    SEND_PLAIN,    /* the formatting was refused: once more as plain text */
    SEND_REJECTED, /* definitely not delivered and never will be: park */
    SEND_UNKNOWN,  /* may or may not have been delivered */
    SEND_DENIED,   /* the whole channel is refused (401): nothing goes out, raise an alarm, look again later */
};
struct send_result {
    enum send_outcome outcome;
    int64_t message_id;      /* of a new message; kind 'topic': of the thread; 0 */
    int64_t wait_ms;         /* RETRY: at least this long (retry_after); 0 = the sender's own back-off */
    bool wait_whole_channel; /* a 429 about the bot, not about one chat */
    bool flooded;            /* a 429 was answered (counted) */
    bool blameless; /* RETRY for no fault of the row (rate limit, Telegram unreachable): no attempt is counted */
    enum topic_refusal topic_refused; /* kind 'topic', OK: it cannot be made */
    bool topic_lost;                  /* RETRY: the thread of the row's topic is gone */
    int64_t migrated_to_chat_id;      /* group upgraded: rewrite the chat id and retry; 0 */
    char error[256];                  /* no secrets */
};

struct messenger {
    const char *channel;   /* "telegram" */
    size_t text_units_max; /* visible UTF-16 units of one message: the turn splits at it */
    bool paced;            /* the rate limits of base/limits.h apply */
    bool transactional;    /* delivery is a database write: deliver() runs inside the transaction that marks the row
                              sent, so nothing is ever ambiguous */
    /* Network delivery (transactional == false): sender threads.  Fills *result (zeroed by the caller). */
    void (*send)(void *self, struct http *, struct arena *, const struct outbox_row *, bool plain,
                 struct send_result *);
    /* Transactional delivery.  May be run more than once, as every write. */
    enum status (*deliver)(void *self, struct db *, struct arena *, const struct outbox_row *, int64_t *message_id,
                           struct error *);
    void (*delivered)(void *self); /* after the commit: wake the pages; may be NULL */
    /* "typing…", best effort: returns within about 2 s, reports nothing.  May be NULL.  Any thread with its own http.
     */
    void (*typing)(void *self, struct http *, struct arena *, int64_t chat_id, int64_t thread_id);
    /* The program is stopping: calls under way end within about a second (outcome unknown).  May be NULL.  Any thread.
     */
    void (*hurry)(void *self);
    void *self;
};

/* The messengers of this process: filled at start, constant while threads run. */
enum { MESSENGERS_MAX = 4 }; /* Telegram, the console, and room */
struct messengers {
    const struct messenger *row[MESSENGERS_MAX];
    int count;
};
/* The messenger must outlive the set.  A second one for a channel, or one too many, is a defect: asserted. */
void messenger_add(struct messengers *, const struct messenger *);
const struct messenger *messenger_find(const struct messengers *, const char *channel); /* NULL = none */

#endif
