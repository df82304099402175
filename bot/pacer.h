/* SPDX-License-Identifier: MIT
 * pacer: when may the next message go out?  Telegram's limits as numbers: about one message a second in one chat with
 * short bursts, 20 a minute in one group, 30 a second over all.  Pure: time comes in as monotonic milliseconds that
 * never decrease, nothing sleeps, nothing locks (the sender locks around it).
 *
 * A send takes two steps, because a thread must not claim a row it may not send: reserve one of the 30 first, claim a
 * row, then take (which spends the reservation) or cancel.
 *   message: counts against its chat, its group's minute and the second of all.
 *   edit:    counts against the group's minute and the second of all, not against the chat's pace.
 *   tap:     answers to button taps are free.
 * Of a group's minute, messages and edits that matter little get SEND_GROUP_LOW_PER_MINUTE at most, so that a question
 * finds room at once however much is told. */
#ifndef BOT_PACER_H
#define BOT_PACER_H

#include "base/limits.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PACER_MARGIN_MS = 100, /* windows are this much longer: on the way two requests may come closer together */
    PACER_GROUP_WINDOW_MS = 60000 + PACER_MARGIN_MS,
    PACER_GLOBAL_WINDOW_MS = 1000 + PACER_MARGIN_MS,
    PACER_CHATS_MAX = 4096, /* chats remembered: 30/s × 60 s of different groups is 1,800 */
};

enum pace { PACE_TAP, PACE_EDIT, PACE_MESSAGE };

struct pacer_chat; /* one chat's recent past */
struct pacer {
    int64_t sent_ms[SEND_GLOBAL_PER_SECOND]; /* ring: when the last ones went */
    int head, count, reserved;
    struct pacer_chat *chats;
    size_t chat_count, chat_capacity;
};

void pacer_init(struct pacer *);
void pacer_release(struct pacer *);

/* 0: one of the global slots is reserved; else nothing is, and this many ms must pass first. */
int64_t pacer_reserve(struct pacer *, int64_t now_ms);
void pacer_cancel(struct pacer *); /* the reservation was not needed */
/* Spend the reservation on this chat.  0: send now.  Else the reservation is given back and nothing may be sent to this
 * chat for that many ms. */
int64_t pacer_take(struct pacer *, enum pace, bool low, int64_t chat_id, int64_t now_ms);

/* Chats to which no message may go now, up to max of them; *soonest_ms = ms until the first of all blocked ones may
 * (0 when none is blocked).  low: the chats of the rest to which nothing may go that matters little. */
size_t pacer_blocked(struct pacer *, bool low, int64_t now_ms, int64_t *chat_ids, size_t max, int64_t *soonest_ms);

#endif
