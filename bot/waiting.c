/* SPDX-License-Identifier: MIT
 * waiting: see waiting.h.  The lock guards the table alone; no database work is done under it, and ended() is called
 * outside of it. */
#include "bot/waiting.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/thread.h"
#include "router/ask.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    BUCKETS = 4096,         /* about 3 in each at 10,000 */
    OVERLAP_MS = 20000,     /* an end becomes visible this long after its finished_at at most: a statement's time */
    NEWS_OVERLAP_MS = 1000, /* most do within milliseconds: so far back for a hint; the tick finds the others */
    PAGE = 500,             /* ends read at once */
    RELOOK_MS = 60000,      /* whoever waits longer is looked up by name: nothing hangs on one mechanism */
    RELOOK_PER_TICK = 200,
    TICK_MS = 1000,
};

struct waiting {
    struct store *store;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t change;
    struct waiter *bucket[BUCKETS];
    int64_t count, cards; /* inside; of these, waiting for a card */
    int relook_bucket;
    bool news, stop;
};

static unsigned bucket_of(const char *name)
{
    return (unsigned)(hash_bytes(name, strlen(name)) % BUCKETS); /* a flood of equal buckets costs a list walk */
}

void waiting_enter(struct waiting *w, struct waiter *x)
{
    unsigned b = bucket_of(x->request_id);
    pthread_mutex_lock(&w->lock);
    x->entered_ms = clock_mono_ms();
    x->inside = true;
    x->next = w->bucket[b];
    w->bucket[b] = x;
    w->count++;
    w->cards += x->wants == WAIT_CARD;
    pthread_mutex_unlock(&w->lock);
}

static bool take_out(struct waiting *w, struct waiter *x) /* locked */
{
    if (!x->inside)
        return false;
    struct waiter **at = &w->bucket[bucket_of(x->request_id)];
    while (*at != x)
        at = &(*at)->next;
    *at = x->next;
    x->inside = false;
    w->count--;
    w->cards -= x->wants == WAIT_CARD;
    return true;
}

bool waiting_leave(struct waiting *w, struct waiter *x)
{
    pthread_mutex_lock(&w->lock);
    bool was = take_out(w, x);
    pthread_mutex_unlock(&w->lock);
    return was;
}

static bool waiting_inside(struct waiting *w)
{
    pthread_mutex_lock(&w->lock);
    bool any = w->count > 0;
    pthread_mutex_unlock(&w->lock);
    return any;
}

int64_t waiting_count(struct waiting *w)
{
    pthread_mutex_lock(&w->lock);
    int64_t n = w->count - w->cards;
    pthread_mutex_unlock(&w->lock);
    return n;
}

void waiting_wake(struct waiting *w)
{
    pthread_mutex_lock(&w->lock);
    w->news = true;
    pthread_cond_signal(&w->change);
    pthread_mutex_unlock(&w->lock);
}

/* Everybody who waits for this request leaves, as a list. */
static struct waiter *take_all(struct waiting *w, const char *request_id, enum waiter_wants wants)
{
    struct waiter *out = NULL, *next;
    pthread_mutex_lock(&w->lock);
    for (struct waiter *x = w->bucket[bucket_of(request_id)]; x; x = next) {
        next = x->next;
        if (x->wants != wants || strcmp(x->request_id, request_id) != 0)
            continue;
        take_out(w, x);
        x->next = out;
        out = x;
    }
    pthread_mutex_unlock(&w->lock);
    return out;
}

static void call_all(struct waiter *list, const struct agent_request *r, const char *message_id)
{
    struct waiter *next;
    for (; list; list = next) {
        next = list->next;
        list->ended(list, r, message_id);
    }
}

/* --- looking --- */

/* What has ended lately: a window, because commits become visible a little out of order. */
static enum status look_at_ends(struct waiting *w, struct db *db, int64_t overlap_ms, struct error *e)
{
    int64_t now_ms, from_ms;
    int count = PAGE;
    if (db_now_ms(db, &now_ms, e))
        return e->status;
    from_ms = now_ms - overlap_ms;
    while (count == PAGE) {
        struct arena *a = arena_new();
        struct agent_request *r;
        enum status s = requests_list(db, a, REQUESTS_FINISHED, from_ms, PAGE, &r, &count, e);
        for (int i = 0; s == OK && i < count; i++)
            call_all(take_all(w, r[i].request_id, WAIT_END), &r[i], NULL);
        if (s == OK && count == PAGE)
            from_ms = r[PAGE - 1].finished_at_ms > from_ms ? r[PAGE - 1].finished_at_ms : from_ms + 1;
        arena_free(a);
        if (s)
            return s;
    }
    return OK;
}

/* Names of those who wait for a card, or who have waited long; at most max.  Copies: they may leave meanwhile. */
static int names_of(struct waiting *w, struct arena *a, enum waiter_wants wants, const char **names, int max)
{
    int count = 0;
    int64_t before_ms = clock_mono_ms() - RELOOK_MS;
    pthread_mutex_lock(&w->lock);
    for (int i = 0; i < BUCKETS && count < max && (wants == WAIT_END || w->cards); i++) {
        int b = (w->relook_bucket + i) % BUCKETS;
        for (struct waiter *x = w->bucket[b]; x && count < max; x = x->next) {
            if (x->wants != wants || (wants == WAIT_END && x->entered_ms > before_ms))
                continue;
            if (wants == WAIT_END)
                x->entered_ms = clock_mono_ms();
            names[count++] = arena_strdup(a, x->request_id);
        }
    }
    w->relook_bucket = (w->relook_bucket + 1) % BUCKETS;
    pthread_mutex_unlock(&w->lock);
    return count;
}

static enum status look_by_name(struct waiting *w, struct db *db, struct arena *a, const char *name,
                                enum waiter_wants wants, struct error *e)
{
    struct agent_request r;
    const char *message_id = NULL;
    bool found;
    if (request_by_name(db, a, name, &r, &found, e) || !found)
        return e->status;
    if (wants == WAIT_CARD && ask_message_id(db, a, &r, &message_id, e))
        return e->status;
    if (wants == WAIT_CARD ? message_id != NULL : r.state != REQUEST_OPEN)
        call_all(take_all(w, name, wants), &r, message_id);
    return OK;
}

static enum status look_by_names(struct waiting *w, struct db *db, enum waiter_wants wants, struct error *e)
{
    struct arena *a = arena_new();
    const char *names[RELOOK_PER_TICK];
    int count = names_of(w, a, wants, names, RELOOK_PER_TICK);
    enum status s = OK;
    for (int i = 0; i < count && s == OK; i++)
        s = look_by_name(w, db, a, names[i], wants, e);
    arena_free(a);
    return s;
}

/* widely: as the tick does, for whatever a hint has not told. */
static void look(struct waiting *w, bool widely)
{
    struct error e = { 0 };
    struct db *db;
    if (store_read_begin_settled(w->store, &db, &e))
        return; /* the next tick looks again; /health tells of the outage */
    enum status s = look_at_ends(w, db, widely ? OVERLAP_MS : NEWS_OVERLAP_MS, &e);
    if (s == OK)
        s = look_by_names(w, db, WAIT_CARD, &e);
    if (s == OK && widely)
        s = look_by_names(w, db, WAIT_END, &e);
    store_read_end(w->store, db);
    if (s && s != ST_UNAVAILABLE && s != ST_SHUTDOWN)
        log_event(LOG_WARN, "waiting", F_ERR(&e));
}

static bool wait_for_news(struct waiting *w, int64_t tick_at_ms)
{
    pthread_mutex_lock(&w->lock);
    while (!w->stop && !w->news && condition_wait_until(&w->change, &w->lock, tick_at_ms))
        continue;
    w->news = false;
    bool go_on = !w->stop;
    pthread_mutex_unlock(&w->lock);
    return go_on;
}

/* Whoever waits for a card waits briefly; at the end nobody waits any more. */
static void end_late(struct waiting *w, bool all)
{
    struct waiter *out = NULL, *next;
    int64_t before_ms = clock_mono_ms() - WAITING_CARD_MS;
    pthread_mutex_lock(&w->lock);
    for (int b = 0; b < BUCKETS && (w->cards || all); b++)
        for (struct waiter *x = w->bucket[b]; x; x = next) {
            next = x->next;
            if (!all && (x->wants != WAIT_CARD || x->entered_ms > before_ms))
                continue;
            take_out(w, x);
            x->next = out;
            out = x;
        }
    pthread_mutex_unlock(&w->lock);
    call_all(out, NULL, NULL);
}

static void *waiting_main(void *arg)
{
    struct waiting *w = arg;
    int64_t tick_at_ms = clock_mono_ms() + TICK_MS;
    while (wait_for_news(w, tick_at_ms)) {
        int64_t now_ms = clock_mono_ms();
        bool tick = now_ms >= tick_at_ms;
        if (tick)
            tick_at_ms = now_ms + TICK_MS;
        end_late(w, false);
        if (waiting_inside(w))
            look(w, tick);
    }
    return NULL;
}

static void on_hint(enum hint hint, void *arg)
{
    if (hint == HINT_REQUESTS)
        waiting_wake(arg);
}

enum status waiting_start(struct store *store, struct waiting **out, struct error *e)
{
    struct waiting *w = *out = xcalloc(1, sizeof *w);
    w->store = store;
    pthread_mutex_init(&w->lock, NULL);
    condition_init(&w->change);
    const struct thread_start what = {
        .name = "waiting room", .stack_bytes = WORKER_STACK_BYTES, .run = waiting_main, .arg = w
    };
    w->started = thread_start(&w->thread, &what, e) == OK;
    if (!w->started)
        return e->status;
    store_on_hint(store, on_hint, w);
    return OK;
}

void waiting_stop(struct waiting *w)
{
    if (!w || !w->started)
        return;
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_cond_signal(&w->change);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    end_late(w, true);
    w->started = false;
}

void waiting_free(struct waiting *w)
{
    if (!w)
        return;
    pthread_cond_destroy(&w->change);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
