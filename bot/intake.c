/* SPDX-License-Identifier: MIT
 * intake: the committer thread.  What arrives while it waits for the disk with one batch collects and is the next, so
 * the cost of a commit is shared: a second committer would halve the batches, and costs more than the waiting that it
 * saves.  The web server's loop only appends to the queue. */
#include "bot/intake.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    WORTH_A_COMMIT = 8,     /* posts: the committer begins with them while the loop still reads others … */
    WORTH_PRESSED = 32,     /* … and in a flood, where a commit costs more than a moment's wait … */
    GATHER_MS = 1,          /* … waits for them so long at most */
    PRESSED_BATCH_MIN = 16, /* posts that waited for one commit: more than people write, fewer than Telegram's 40 */
    PRESSED_MS = 50,
    PRESSED_BACKLOG_MIN = 128, /* and messages that nobody has taken up yet: else the workers keep pace */
};

struct intake {
    struct store *store;
    pthread_t thread;
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t wake;
    struct intake_item *head, **tail;
    int depth, wanted; /* fewer than wanted do not wake the committer */
    bool stopping;
    int64_t failed_at_ms; /* monotonic; 0 = the last batch went well */
    struct error failure;
    atomic_llong pressed_until_ms; /* monotonic */
    atomic_llong backlog;          /* messages stored here and not yet claimed, about */
    void (*stored)(void *arg, bool tap);
    void *stored_arg;
};

struct batch {
    struct inbox_update update[INTAKE_BATCH_MAX];
    struct intake_item *item[INTAKE_BATCH_MAX];
    size_t count;
    bool flood;
    int64_t stored; /* of them, new */
};

static enum status batch_write(struct db *db, void *arg, struct error *e)
{
    struct batch *b = arg;
    return (b->flood ? inbox_put_flood : inbox_put)(db, b->update, b->count, INBOX_NOW, &b->stored, e);
}

/* Lock held. */
static void wait_for_more(struct intake *in)
{
    int64_t until_ms = clock_mono_ms() + GATHER_MS;
    in->wanted = WORTH_PRESSED;
    while (in->depth < in->wanted && !in->stopping && condition_wait_until(&in->wake, &in->lock, until_ms))
        ;
    in->wanted = 1;
}

/* Take what is queued, at most one batch; false when stopping and nothing is left. */
static bool batch_take(struct intake *in, struct batch *b)
{
    pthread_mutex_lock(&in->lock);
    while (!in->head && !in->stopping)
        pthread_cond_wait(&in->wake, &in->lock);
    if (intake_pressed(in))
        wait_for_more(in);
    b->count = 0;
    while (in->head && b->count < INTAKE_BATCH_MAX) {
        struct intake_item *item = in->head;
        in->head = item->next;
        b->item[b->count] = item;
        b->update[b->count++] = item->update;
    }
    if (!in->head)
        in->tail = &in->head;
    in->depth -= (int)b->count;
    pthread_mutex_unlock(&in->lock);
    return b->count > 0;
}

/* An outcome that is not known (the connection broke during COMMIT) is asked for again: the key makes it idempotent. */
static enum status batch_commit(struct intake *in, struct batch *b, struct error *e)
{
    enum { TRIES = 2 };
    enum status s = OK;
    for (int i = 0; i < TRIES; i++) {
        s = store_write(in->store, batch_write, b, e);
        if (s != ST_UNKNOWN)
            break;
    }
    return s;
}

static void batch_report(struct intake *in, struct batch *b, bool ok)
{
    int64_t taps = 0, others = 0, stored = ok ? b->stored : 0;
    for (size_t i = 0; i < b->count; i++)
        ++*(b->update[i].tap ? &taps : &others);
    atomic_fetch_add_explicit(&in->backlog, others < stored ? others : stored, memory_order_relaxed);
    for (size_t i = 0; i < b->count; i++)
        b->item[i]->done(b->item[i], ok ? INTAKE_STORED : INTAKE_FAILED);
    if (in->stored && stored && others)
        in->stored(in->stored_arg, false);
    if (in->stored && stored && taps)
        in->stored(in->stored_arg, true);
}

static void note_outcome(struct intake *in, bool ok, const struct error *e)
{
    pthread_mutex_lock(&in->lock);
    in->failed_at_ms = ok ? 0 : clock_mono_ms();
    in->failure = *e;
    pthread_mutex_unlock(&in->lock);
}

bool intake_healthy(struct intake *in, struct error *why)
{
    pthread_mutex_lock(&in->lock);
    bool ok = !in->failed_at_ms || clock_mono_ms() - in->failed_at_ms > INTAKE_FAILED_MS;
    if (!ok && why)
        *why = in->failure;
    pthread_mutex_unlock(&in->lock);
    return ok;
}

bool intake_pressed(struct intake *in)
{
    return atomic_load_explicit(&in->backlog, memory_order_relaxed) >= PRESSED_BACKLOG_MIN &&
           atomic_load_explicit(&in->pressed_until_ms, memory_order_relaxed) > clock_mono_ms();
}

void intake_claimed(struct intake *in, bool found, bool staged)
{
    if (found)
        atomic_fetch_sub_explicit(&in->backlog, 1, memory_order_relaxed);
    else if (!staged) /* whatever was counted is done, or another instance has it */
        atomic_store_explicit(&in->backlog, 0, memory_order_relaxed);
}

static void *intake_main(void *arg)
{
    struct intake *in = arg;
    struct batch *b = xcalloc(1, sizeof *b);
    int64_t complained_at_ms = 0;
    while (batch_take(in, b)) {
        struct error e = { 0 };
        if (b->count >= PRESSED_BATCH_MIN)
            atomic_store_explicit(&in->pressed_until_ms, clock_mono_ms() + PRESSED_MS, memory_order_relaxed);
        b->flood = b->count >= PRESSED_BATCH_MIN && intake_pressed(in);
        bool ok = batch_commit(in, b, &e) == OK;
        if (!ok && (!complained_at_ms ||
                    clock_mono_ms() - complained_at_ms > 5000)) { /* an outage is one story, not one line per batch */
            complained_at_ms = clock_mono_ms();
            log_event(LOG_ERROR, "intake", F_ERR(&e), F_INT("updates", (int64_t)b->count));
        }
        note_outcome(in, ok, &e);
        batch_report(in, b, ok);
    }
    free(b);
    return NULL;
}

enum status intake_start(struct store *store, struct intake **out, struct error *e)
{
    struct intake *in = xcalloc(1, sizeof *in);
    in->store = store;
    in->tail = &in->head;
    pthread_mutex_init(&in->lock, NULL);
    condition_init(&in->wake);
    in->wanted = 1;
    if (thread_start(&in->thread, &(struct thread_start){ .name = "committer", .run = intake_main, .arg = in }, e)) {
        intake_free(in);
        return e->status;
    }
    *out = in;
    return OK;
}

void intake_on_stored(struct intake *in, void (*fn)(void *, bool), void *arg)
{
    in->stored = fn;
    in->stored_arg = arg;
}

bool intake_submit(struct intake *in, struct intake_item *item)
{
    item->next = NULL;
    pthread_mutex_lock(&in->lock);
    bool taken = !in->stopping && in->depth < INTAKE_QUEUE_MAX;
    if (taken) {
        *in->tail = item;
        in->tail = &item->next;
        in->depth++;
    }
    bool worth = in->depth == (in->wanted > 1 ? in->wanted : WORTH_A_COMMIT);
    pthread_mutex_unlock(&in->lock);
    if (worth)
        pthread_cond_signal(&in->wake);
    return taken;
}

void intake_flush(void *arg)
{
    struct intake *in = arg;
    pthread_mutex_lock(&in->lock);
    bool enough = in->depth >= in->wanted;
    pthread_mutex_unlock(&in->lock);
    if (enough)
        pthread_cond_signal(&in->wake); /* outside: the committer would wait for the lock at once */
}

int intake_depth(struct intake *in)
{
    pthread_mutex_lock(&in->lock);
    int depth = in->depth;
    pthread_mutex_unlock(&in->lock);
    return depth;
}

void intake_stop(struct intake *in)
{
    if (!in)
        return;
    pthread_mutex_lock(&in->lock);
    in->stopping = true;
    pthread_cond_signal(&in->wake);
    pthread_mutex_unlock(&in->lock);
    pthread_join(in->thread, NULL);
}

void intake_free(struct intake *in)
{
    if (!in)
        return;
    pthread_cond_destroy(&in->wake);
    pthread_mutex_destroy(&in->lock);
    free(in);
}
