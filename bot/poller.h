/* SPDX-License-Identifier: MIT
 * poller: updates fetched by long polling, for a bot without a public address.  One thread; each batch is one write
 * transaction into the same inbox the webhook fills.
 *
 * The offset lives in memory only.  Telegram keeps an update until a getUpdates with a higher offset arrives, and that
 * call is made after the commit: a crash in between brings the same updates again, and the inbox's unique key makes the
 * second copy a no-op.  A stored offset could only be older (no gain) or newer (a loss). */
#ifndef BOT_POLLER_H
#define BOT_POLLER_H

#include "bot/telegram_client.h"
#include "store/store.h"

struct poller;

struct poller_options {
    struct telegram *telegram;
    struct store *store;
    /* After a commit that stored something: wake the workers.  Poller thread; must not block. */
    void (*stored)(void *arg, bool tap);
    void *arg;
};

struct poller_state {
    bool ok;            /* the last getUpdates was answered */
    int64_t last_ok_ms; /* wall clock; 0 = never */
    int64_t accepted;   /* updates since the start, duplicates included */
    int64_t ignored;    /* that steward has no use for, or cannot read */
    char error[256];    /* of the last call; "" */
};

/* Waits for nothing: the first call is the thread's. */
enum status MUST_CHECK poller_start(const struct poller_options *, struct poller **, struct error *);
void poller_state(struct poller *, struct poller_state *); /* any thread */
void poller_stop(struct poller *); /* ends the poll under way (about a second), joins, frees; NULL is fine */

#endif
