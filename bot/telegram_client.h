/* SPDX-License-Identifier: MIT
 * telegram_client: one bot at one Bot API server: its address, its token, and what it told us to wait for.  Shared by
 * sender threads, the turn's typing indicator, the poller and the registrar; every function: any thread.
 *
 * The token is part of every URL; it appears in no error, log line or argument of ours. */
#ifndef BOT_TELEGRAM_CLIENT_H
#define BOT_TELEGRAM_CLIENT_H

#include "bot/messenger.h"
#include "bot/telegram.h"
#include <pthread.h>

enum {
    TELEGRAM_SEND_TIMEOUT_MS = 30000,      /* Telegram answers a send in well under a second; uploads take longer */
    TELEGRAM_TYPING_TIMEOUT_MS = 2000,     /* an indicator nobody should wait for */
    TELEGRAM_REPLY_BYTES_MAX = 256 * 1024, /* an answer repeats the message sent, with entities */
    TELEGRAM_PAUSES_MAX = 256,             /* chats under a retry_after at one time */
};

struct telegram {
    char *base; /* https://api.telegram.org */
    char *token;
    bool unpaced;            /* a server of one's own */
    volatile bool cancel;    /* ends calls under way: hurry() */
    pthread_mutex_t lock;    /* guards what follows; monotonic milliseconds */
    int64_t paused_until_ms; /* the whole bot */
    struct telegram_pause {
        int64_t chat_id, until_ms;
    } pause[TELEGRAM_PAUSES_MAX];
    int pause_count;
    bool suspect; /* the last call got no answer: ask getMe before trusting it with a message */
    int failures; /* in a row */
};

struct telegram *telegram_new(const char *base, const char *token, bool unpaced);
void telegram_free(struct telegram *);

/* One call.  `chat_id` is the chat it is about (0: none), for the memory of 429 answers.  Returns http_call()'s status;
 * *answer is filled when it is OK and zeroed otherwise.  Blocks up to timeout_ms; cancel may be NULL. */
enum status telegram_call(struct telegram *, struct http *, struct arena *, const struct telegram_request *,
                          int64_t chat_id, int64_t timeout_ms, const volatile bool *cancel, struct telegram_answer *,
                          struct error *);

/* Milliseconds Telegram told us to leave this chat (0: the bot as a whole) alone; 0 = none. */
int64_t telegram_pause_ms(struct telegram *, int64_t chat_id);
/* Leave the whole bot alone for this long (a refused token, an outage). */
void telegram_pause_all(struct telegram *, int64_t ms);
/* Copy s to out with the token blotted out. */
void telegram_mask(const struct telegram *, const char *s, char *out, size_t out_bytes);

/* Fill *m: rows are sent to this bot.  *m and the bot live as long as each other. */
void telegram_messenger_init(struct telegram *, struct messenger *m);

#endif
