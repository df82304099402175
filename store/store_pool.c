/* SPDX-License-Identifier: MIT
 * store_pool: connections that are opened when needed, kept, and replaced when they broke.
 * Called by store.c in the caller's thread.
 * Must never let callers queue up behind a server that is away: while an attempt to connect has just
 * failed, or the first one after a pause is under way, everyone else gets its words at once. */
#include "store/store_internal.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/thread.h"
#include <stdlib.h>

void pool_init(struct pool *p, struct store *store, bool writer, int max)
{
    *p = (struct pool){ .store = store, .writer = writer };
    p->max = max < STORE_POOL_MAX ? max : STORE_POOL_MAX;
    p->pause_ms = STORE_AWAY_PAUSE_MS;
    pthread_mutex_init(&p->lock, NULL);
    condition_init(&p->freed);
}

void pool_release(struct pool *p)
{
    for (int i = 0; i < p->idle_count; i++)
        db_close(p->idle[i]);
    p->idle_count = 0;
    pthread_cond_destroy(&p->freed);
    pthread_mutex_destroy(&p->lock);
}

static void pool_came_back(struct pool *p)
{
    if (p->away.status != OK)
        atomic_fetch_add(&p->store->reconnects, 1);
    p->away = (struct error){ 0 };
    p->pause_ms = STORE_AWAY_PAUSE_MS;
}

static void pool_went_away(struct pool *p, const struct error *why)
{
    p->away = *why;
    p->retry_at_ms = clock_mono_ms() + p->pause_ms;
    p->pause_ms = p->pause_ms * 2 < STORE_AWAY_PAUSE_MS_MAX ? p->pause_ms * 2 : STORE_AWAY_PAUSE_MS_MAX;
}

/* Open one more; the lock is held on entry and exit, not meanwhile. */
static enum status pool_open(struct pool *p, struct db **db, struct error *e)
{
    struct error why = { 0 };
    p->open_count++;
    p->opening++;
    pthread_mutex_unlock(&p->lock);
    enum status st = store_connect(p->store, p->writer, db, &why);
    pthread_mutex_lock(&p->lock);
    p->opening--;
    if (st == OK) {
        pool_came_back(p);
    } else {
        p->open_count--;
        pool_went_away(p, &why);
        *e = why;
    }
    pthread_cond_broadcast(&p->freed); /* those who wait: take what is idle, or hear why not */
    return st;
}

/* An idle connection that still lives; NULL when there is none. */
static struct db *pool_idle(struct pool *p)
{
    while (p->idle_count > 0) {
        struct db *db = p->idle[--p->idle_count];
        if (db_alive(db))
            return db;
        db_close(db);
        p->open_count--;
        atomic_fetch_add(&p->store->reconnects, 1);
    }
    return NULL;
}

static bool pool_may_open(const struct pool *p)
{
    if (p->open_count >= p->max)
        return false;
    return p->away.status == OK || (p->opening == 0 && clock_mono_ms() >= p->retry_at_ms);
}

static enum status pool_wait(struct pool *p, int64_t until_ms, struct error *e)
{
    if (p->away.status != OK && p->open_count == p->opening) { /* nobody has one that could be given back */
        *e = p->away;
        return e->status;
    }
    if (!condition_wait_until(&p->freed, &p->lock, until_ms))
        return fail(e, ST_BUSY, "all %d database connections are in use", p->max);
    return OK;
}

enum status pool_take(struct pool *p, struct db **db, struct error *e)
{
    int64_t until_ms = clock_mono_ms() + DB_BUSY_TIMEOUT_MS;
    enum status st = OK;
    pthread_mutex_lock(&p->lock);
    while (!(*db = pool_idle(p)) && st == OK) {
        if (pool_may_open(p)) {
            st = pool_open(p, db, e);
            break;
        }
        st = pool_wait(p, until_ms, e);
    }
    pthread_mutex_unlock(&p->lock);
    return *db ? OK : st;
}

void pool_give(struct pool *p, struct db *db)
{
    if (db->in_transaction)
        db_rollback(db);
    db_close_statements(db);
    bool broken = db->broken;
    if (broken) {
        db_close(db);
        atomic_fetch_add(&p->store->reconnects, 1);
    }
    pthread_mutex_lock(&p->lock);
    if (broken)
        p->open_count--;
    else
        p->idle[p->idle_count++] = db;
    pthread_cond_signal(&p->freed);
    pthread_mutex_unlock(&p->lock);
}
