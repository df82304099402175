/* SPDX-License-Identifier: MIT
 * typing: a small list of chats at work.  The indicator is shown after TYPING_DELAY_MS (most turns are done by then)
 * and again before Telegram takes it away after 5 s. */
#include "bot/typing.h"

#include "base/clock.h"
#include "base/thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    TYPING_DELAY_MS = 400,
    TYPING_REPEAT_MS = 4000,
    TYPING_MAX = 64, /* turns at work at one time are bounded by the worker threads, far below */
};

struct at_work {
    const char *channel;
    int64_t chat_id, thread_id;
    int64_t next_ms; /* monotonic */
    int turns;
};

struct typing {
    const struct messengers *messengers;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop;
    struct at_work chat[TYPING_MAX];
    int count;
};

static struct at_work *chat_find(struct typing *t, const char *channel, int64_t chat_id, int64_t thread_id)
{
    for (int i = 0; i < t->count; i++) {
        struct at_work *c = &t->chat[i];
        if (c->chat_id == chat_id && c->thread_id == thread_id && !strcmp(c->channel, channel))
            return c;
    }
    return NULL;
}

void typing_set(struct typing *t, const char *channel, int64_t chat_id, int64_t thread_id, bool on)
{
    const struct messenger *m = messenger_find(t->messengers, channel);
    if (!m || !m->typing)
        return;
    pthread_mutex_lock(&t->lock);
    struct at_work *c = chat_find(t, channel, chat_id, thread_id);
    if (on && !c && t->count < TYPING_MAX) {
        c = &t->chat[t->count++];
        *c = (struct at_work){ m->channel, chat_id, thread_id, clock_mono_ms() + TYPING_DELAY_MS, 0 };
    }
    if (c) {
        c->turns += on ? 1 : -1;
        if (c->turns <= 0)
            *c = t->chat[--t->count];
        pthread_cond_signal(&t->wake);
    }
    pthread_mutex_unlock(&t->lock);
}

/* The chat whose turn it is to be shown, or how long to wait for one.  The lock is held. */
static bool next_due(struct typing *t, struct at_work *out, int64_t *wait_ms)
{
    int64_t now_ms = clock_mono_ms();
    *wait_ms = 3600 * 1000;
    for (int i = 0; i < t->count; i++) {
        struct at_work *c = &t->chat[i];
        if (c->next_ms <= now_ms) {
            c->next_ms = now_ms + TYPING_REPEAT_MS;
            *out = *c;
            return true;
        }
        if (c->next_ms - now_ms < *wait_ms)
            *wait_ms = c->next_ms - now_ms;
    }
    return false;
}

static void show(struct typing *t, struct http *http, const struct at_work *c)
{
    const struct messenger *m = messenger_find(t->messengers, c->channel);
    struct arena *arena = arena_new();
    m->typing(m->self, http, arena, c->chat_id, c->thread_id);
    arena_free(arena);
}

static void *typing_main(void *arg)
{
    struct typing *t = arg;
    struct http *http = http_new();
    pthread_mutex_lock(&t->lock);
    while (!t->stop) {
        struct at_work due;
        int64_t wait_ms;
        if (next_due(t, &due, &wait_ms)) {
            pthread_mutex_unlock(&t->lock);
            show(t, http, &due);
            pthread_mutex_lock(&t->lock);
            continue;
        }
        condition_wait_until(&t->wake, &t->lock, clock_mono_ms() + wait_ms);
    }
    pthread_mutex_unlock(&t->lock);
    http_free(http);
    return NULL;
}

enum status typing_start(const struct messengers *messengers, struct typing **out, struct error *e)
{
    struct typing *t = xcalloc(1, sizeof *t);
    t->messengers = messengers;
    condition_init(&t->wake);
    pthread_mutex_init(&t->lock, NULL);
    if (thread_start(&t->thread, &(struct thread_start){ .name = "typing", .run = typing_main, .arg = t }, e)) {
        free(t);
        return e->status;
    }
    *out = t;
    return OK;
}

void typing_stop(struct typing *t)
{
    if (!t)
        return;
    pthread_mutex_lock(&t->lock);
    t->stop = true;
    pthread_cond_signal(&t->wake);
    pthread_mutex_unlock(&t->lock);
    pthread_join(t->thread, NULL);
    pthread_cond_destroy(&t->wake);
    pthread_mutex_destroy(&t->lock);
    free(t);
}
