/* SPDX-License-Identifier: MIT
 * pacer: see pacer.h.  The chat's pace is a bucket written as one time ("due": when the bucket would be full again);
 * the group's minute and the second of all are exact sliding windows, because a bucket of 20 that refills in a minute
 * lets 39 pass in some minutes. */
#include "bot/pacer.h"

#include "base/arena.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct pacer_chat {
    int64_t chat_id;
    int64_t due_ms; /* grows by one interval per message; may run ahead of now by burst - 1 intervals */
    /* groups only: a ring of the last sends */
    int64_t group_ms[SEND_GROUP_PER_MINUTE];
    int head, count;
    int64_t low_ms[SEND_GROUP_LOW_PER_MINUTE]; /* those of them that matter little */
    int low_head, low_count;
};

/* Telegram's groups and channels have negative ids. */
static bool is_group(const struct pacer_chat *c)
{
    return c->chat_id < 0;
}

void pacer_init(struct pacer *p)
{
    memset(p, 0, sizeof *p);
}

void pacer_release(struct pacer *p)
{
    free(p->chats);
    memset(p, 0, sizeof *p);
}

/* Drop what left the window from a ring of `size`. */
static void ring_expire(const int64_t *ring, int size, int *head, int *count, int64_t before_ms)
{
    while (*count && ring[*head] <= before_ms) {
        *head = (*head + 1) % size;
        --*count;
    }
}

static void ring_push(int64_t *ring, int size, int head, int *count, int64_t now_ms)
{
    assert(*count < size);
    ring[(head + *count) % size] = now_ms;
    ++*count;
}

int64_t pacer_reserve(struct pacer *p, int64_t now_ms)
{
    ring_expire(p->sent_ms, SEND_GLOBAL_PER_SECOND, &p->head, &p->count, now_ms - PACER_GLOBAL_WINDOW_MS);
    int excess = p->count + p->reserved - (SEND_GLOBAL_PER_SECOND - 1);
    if (excess <= 0) {
        p->reserved++;
        return 0;
    }
    if (excess > p->count) /* all slots are reserved: a moment until the others have sent */
        return 1;
    int64_t leaves = p->sent_ms[(p->head + excess - 1) % SEND_GLOBAL_PER_SECOND];
    return leaves + PACER_GLOBAL_WINDOW_MS - now_ms;
}

void pacer_cancel(struct pacer *p)
{
    assert(p->reserved > 0);
    p->reserved--;
}

static int64_t max64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t wait_for_pace(const struct pacer_chat *c, int64_t now_ms)
{
    return max64(0, c->due_ms - (SEND_CHAT_BURST - 1) * (int64_t)SEND_CHAT_INTERVAL_MS - now_ms);
}

static int64_t wait_for_group(struct pacer_chat *c, int64_t now_ms)
{
    if (!is_group(c))
        return 0;
    ring_expire(c->group_ms, SEND_GROUP_PER_MINUTE, &c->head, &c->count, now_ms - PACER_GROUP_WINDOW_MS);
    return c->count < SEND_GROUP_PER_MINUTE ? 0 : c->group_ms[c->head] + PACER_GROUP_WINDOW_MS - now_ms;
}

static int64_t wait_for_low(struct pacer_chat *c, int64_t now_ms)
{
    if (!is_group(c))
        return 0;
    ring_expire(c->low_ms, SEND_GROUP_LOW_PER_MINUTE, &c->low_head, &c->low_count, now_ms - PACER_GROUP_WINDOW_MS);
    return c->low_count < SEND_GROUP_LOW_PER_MINUTE ? 0 : c->low_ms[c->low_head] + PACER_GROUP_WINDOW_MS - now_ms;
}

/* Nothing of the chat's past matters any more. */
static bool forgettable(struct pacer_chat *c, int64_t now_ms)
{
    (void)wait_for_group(c, now_ms);
    return c->due_ms <= now_ms && c->count == 0;
}

static void forget_old(struct pacer *p, int64_t now_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->chat_count; i++)
        if (!forgettable(&p->chats[i], now_ms))
            p->chats[kept++] = p->chats[i];
    p->chat_count = kept;
}

/* The chat's entry, made when missing; NULL when the table is full of chats that still matter. */
static struct pacer_chat *chat_find(struct pacer *p, int64_t chat_id, int64_t now_ms)
{
    for (size_t i = 0; i < p->chat_count; i++)
        if (p->chats[i].chat_id == chat_id)
            return &p->chats[i];
    if (p->chat_count == p->chat_capacity)
        forget_old(p, now_ms);
    if (p->chat_count == PACER_CHATS_MAX)
        return NULL;
    if (p->chat_count == p->chat_capacity) {
        p->chat_capacity = p->chat_capacity ? p->chat_capacity * 2 : 64;
        p->chats = xrealloc(p->chats, p->chat_capacity * sizeof *p->chats);
    }
    struct pacer_chat *c = &p->chats[p->chat_count++];
    *c = (struct pacer_chat){ .chat_id = chat_id };
    return c;
}

int64_t pacer_take(struct pacer *p, enum pace pace, bool low, int64_t chat_id, int64_t now_ms)
{
    pacer_cancel(p);
    if (pace == PACE_TAP)
        return 0;
    struct pacer_chat *c = chat_find(p, chat_id, now_ms);
    if (!c)
        return SEND_CHAT_INTERVAL_MS;
    int64_t wait_ms = wait_for_group(c, now_ms);
    if (pace == PACE_MESSAGE)
        wait_ms = max64(wait_ms, wait_for_pace(c, now_ms));
    if (low)
        wait_ms = max64(wait_ms, wait_for_low(c, now_ms));
    if (wait_ms > 0)
        return wait_ms;
    ring_expire(p->sent_ms, SEND_GLOBAL_PER_SECOND, &p->head, &p->count, now_ms - PACER_GLOBAL_WINDOW_MS);
    ring_push(p->sent_ms, SEND_GLOBAL_PER_SECOND, p->head, &p->count, now_ms);
    if (is_group(c))
        ring_push(c->group_ms, SEND_GROUP_PER_MINUTE, c->head, &c->count, now_ms);
    if (is_group(c) && low)
        ring_push(c->low_ms, SEND_GROUP_LOW_PER_MINUTE, c->low_head, &c->low_count, now_ms);
    if (pace == PACE_MESSAGE)
        c->due_ms = max64(c->due_ms, now_ms) + SEND_CHAT_INTERVAL_MS;
    return 0;
}

size_t pacer_blocked(struct pacer *p, bool low, int64_t now_ms, int64_t *chat_ids, size_t max, int64_t *soonest_ms)
{
    size_t found = 0;
    *soonest_ms = 0;
    for (size_t i = 0; i < p->chat_count; i++) {
        struct pacer_chat *c = &p->chats[i];
        int64_t wait_ms = max64(wait_for_group(c, now_ms), wait_for_pace(c, now_ms));
        if (low)
            wait_ms = wait_ms > 0 ? 0 : wait_for_low(c, now_ms);
        if (wait_ms <= 0)
            continue;
        if (*soonest_ms == 0 || wait_ms < *soonest_ms)
            *soonest_ms = wait_ms;
        if (found < max)
            chat_ids[found++] = c->chat_id;
    }
    return found;
}
