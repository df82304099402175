/* SPDX-License-Identifier: MIT
 * embedder: see embedder.h.  Hints wake it; looking every POLL_INTERVAL_MS is the truth. */
#include "bot/embedder.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/thread.h"
#include "embeddings/vectorizer.h"
#include "router/question_search.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    PRUNE_INTERVAL_MS = 10 * 60 * 1000,
    SAVE_INTERVAL_MS = 5 * 60 * 1000,
    SAVE_CHANGES_MIN = 500, /* new vectors that make a snapshot worth its writing */
    COMPLAIN_INTERVAL_MS = 60000,
    LANE_STACK_BYTES = 512 * KIB,
    GATHER_MS = 100, /* after news: a reply goes out first, and rows that come together are embedded together */
};
#define FOREIGN_KEEP_MS                                                                                                \
    (7LL * 24 * 3600 * 1000) /* vectors of another model, of deleted rows: undo reaches back a day */

struct lane {
    struct store *store;
    const struct config *config;
    struct intake *intake; /* whose pressure it gives way to */
    struct memory memory;
    struct vectorizer vectorizer;
    pthread_t thread;
    volatile bool stop;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake;
    bool news;
    struct lane_counters counters;
    int64_t caught_up_ms; /* monotonic: the last time that nothing was missing */

    /* --- the thread's --- */
    int64_t position; /* of the feed, over all users */
    bool rests;       /* nothing is loaded, for nothing has changed since the snapshot and nobody uses the program */
    int64_t pruned_at_ms, saved_at_ms, complained_at_ms, step_at_ms;
    int64_t saved_embedded;
};

static bool stopping(const struct lane *l)
{
    return __atomic_load_n(&l->stop, __ATOMIC_RELAXED);
}

static void complain(struct lane *l, const char *what, const struct error *e)
{
    pthread_mutex_lock(&l->lock);
    l->counters.failures++;
    memcpy(l->counters.error, e->text, sizeof l->counters.error);
    pthread_mutex_unlock(&l->lock);
    if (l->complained_at_ms && clock_mono_ms() - l->complained_at_ms < COMPLAIN_INTERVAL_MS)
        return; /* one outage, one story */
    l->complained_at_ms = clock_mono_ms();
    log_event(LOG_WARN, "embedder", F_STR("doing", what), F_ERR(e));
}

/* --- the index follows the rows --- */

/* After a start whose snapshot is complete nothing is read: one who sleeps takes no memory.  The first sign of use
 * loads everybody's rows, beside the message that gave it. */
static void rest(struct lane *l)
{
    struct error e = { 0 };
    struct db *db;
    if (store_read_begin(l->store, &db, &e) != OK)
        return;
    l->rests = recall_rests(l->memory.recall, db, &l->position);
    store_read_end(l->store, db);
}

static void rise(struct lane *l)
{
    l->rests = false;
    l->position = 0;
}

static enum status refresh(struct lane *l, struct error *e)
{
    struct arena *arena = arena_new();
    int64_t *user, next;
    size_t count = 0;
    struct db *db;
    enum status st = store_read_begin(l->store, &db, e);
    if (st == OK) {
        st = feed_users(db, arena, l->position, &user, &count, &next, e);
        store_read_end(l->store, db);
    }
    for (size_t i = 0; i < count && st == OK && !stopping(l);
         i++) { /* a snapshot each: the first reading may take seconds */
        st = store_read_begin(l->store, &db, e);
        if (st != OK)
            break;
        st = recall_sync(l->memory.recall, db, user[i], e);
        store_read_end(l->store, db);
        if (st == ST_LIMIT) { /* more rows than an index holds: searching says so itself */
            complain(l, "indexing", e);
            st = OK;
        }
    }
    if (st == OK && !stopping(l))
        l->position = next;
    arena_free(arena);
    return st;
}

/* --- upkeep --- */

static enum status prune(struct db *db, void *arg, struct error *e)
{
    struct lane *l = arg;
    int64_t now_ms;
    enum status st = db_now_ms(db, &now_ms, e);
    if (st == OK)
        st = vectors_prune(db, embedder_model(l->memory.embedder), now_ms - FOREIGN_KEEP_MS, e);
    return st == OK ? feed_prune(db, e) : st;
}

static void settle(void *store)
{
    store_settle(store);
}

static void save(struct lane *l)
{
    struct error e = { 0 };
    int64_t embedded = l->vectorizer.embedded;
    l->saved_at_ms = clock_mono_ms();
    const struct recall_saving what = { .position = l->position, .settle = settle, .arg = l->store };
    if (recall_save(l->memory.recall, &what, &e) != OK)
        complain(l, "saving the snapshot", &e);
    else
        l->saved_embedded = embedded;
}

static void upkeep(struct lane *l)
{
    struct error e = { 0 };
    int64_t now_ms = clock_mono_ms();
    if (memory_account(&l->memory, l->store, &e) != OK)
        complain(l, "the ledger", &e);
    if (now_ms - l->pruned_at_ms > PRUNE_INTERVAL_MS) {
        l->pruned_at_ms = now_ms;
        if (store_write_relaxed(l->store, prune, l, &e) != OK)
            complain(l, "pruning", &e);
    }
    if (l->vectorizer.embedded - l->saved_embedded >= SAVE_CHANGES_MIN && now_ms - l->saved_at_ms > SAVE_INTERVAL_MS)
        save(l);
}

/* --- the thread --- */

/* True: there is news. */
static bool lane_wait(struct lane *l, int64_t wait_ms)
{
    int64_t until_ms = clock_mono_ms() + wait_ms;
    pthread_mutex_lock(&l->lock);
    while (!l->news && !stopping(l) && condition_wait_until(&l->wake, &l->lock, until_ms))
        continue;
    bool told = l->news;
    pthread_mutex_unlock(&l->lock);
    if (told && !stopping(l))
        clock_sleep_ms(GATHER_MS);
    pthread_mutex_lock(&l->lock);
    l->news = false;
    pthread_mutex_unlock(&l->lock);
    return told;
}

/* Also with nothing to embed: questions are embedded too. */
static bool over_limit(struct lane *l)
{
    struct error e = { 0 };
    struct db *db;
    bool over = false;
    if (l->config->daily_token_limit <= 0 || store_read_begin(l->store, &db, &e) != OK)
        return false;
    if (vectorizer_limit(&l->vectorizer, db, &over, &e) != OK)
        over = false;
    store_read_end(l->store, db);
    return over;
}

static void account(struct lane *l, enum status st, const struct vectorizer_step *step, const struct error *e)
{
    bool limited = step->limited || over_limit(l);
    query_vectors_stop(l->memory.vectors, limited);
    if (step->wait_ms > 0)
        l->step_at_ms = clock_mono_ms() + step->wait_ms;
    if (st != OK && st != ST_SHUTDOWN)
        complain(l, "embedding", e);
    pthread_mutex_lock(&l->lock);
    l->counters.limited = limited;
    if (step->idle)
        l->caught_up_ms = clock_mono_ms();
    l->counters.embedded = l->vectorizer.embedded;
    l->counters.tokens = l->vectorizer.tokens;
    if (st == OK && step->embedded > 0)
        l->counters.error[0] = '\0';
    pthread_mutex_unlock(&l->lock);
}

/* True: there may be more to do at once. */
static bool work(struct lane *l)
{
    struct error e = { 0 };
    struct vectorizer_step step;
    enum status st = refresh(l, &e);
    if (st != OK) {
        complain(l, "reading", &e);
        return false;
    }
    upkeep(l);
    if (clock_mono_ms() < l->step_at_ms)
        return false;
    st = vectorizer_run(&l->vectorizer, &step, &e);
    account(l, st, &step, &e);
    if (step.embedded > 0)
        store_hint(l->store, HINT_ROWS); /* other instances take the vectors up */
    if (step.idle)
        vectorizer_rest(&l->vectorizer);
    return !step.idle && step.wait_ms == 0;
}

/* Searching reads the newest rows by itself: the lane may lag behind, and acknowledging posts may not. */
static void give_way(struct lane *l)
{
    enum { STEP_MS = 50, STEPS_MAX = 60 };
    for (int i = 0; i < STEPS_MAX && intake_pressed(l->intake) && !stopping(l); i++)
        clock_sleep_ms(STEP_MS);
}

static void *lane_main(void *arg)
{
    struct lane *l = arg;
    l->vectorizer.http = http_new();
    l->pruned_at_ms = l->saved_at_ms = clock_mono_ms();
    rest(l);
    while (!stopping(l)) {
        give_way(l);
        if (!work(l) && lane_wait(l, POLL_INTERVAL_MS) && l->rests)
            rise(l);
    }
    vectorizer_rest(&l->vectorizer);
    struct error e = { 0 };
    if (memory_account(&l->memory, l->store, &e) != OK)
        complain(l, "the ledger", &e);
    save(l);
    http_free(l->vectorizer.http);
    return NULL;
}

void lane_wake(struct lane *l)
{
    pthread_mutex_lock(&l->lock);
    bool wake = !l->news;
    l->news = true;
    pthread_mutex_unlock(&l->lock);
    if (wake)
        pthread_cond_signal(&l->wake);
}

static enum status start_thread(struct lane *l, struct error *e)
{
    condition_init(&l->wake);
    pthread_mutex_init(&l->lock, NULL);
    const struct thread_start what = {
        .name = "embedder", .stack_bytes = LANE_STACK_BYTES, .run = lane_main, .arg = l
    };
    return thread_start(&l->thread, &what, e);
}

enum status lane_start(struct store *store, const struct config *config, struct intake *intake, struct lane **out,
                       struct error *e)
{
    struct lane *l = xcalloc(1, sizeof *l);
    *out = NULL;
    l->store = store;
    l->config = config;
    l->intake = intake;
    l->caught_up_ms = clock_mono_ms();
    enum status st = memory_open(&l->memory, config, store, e);
    if (st == OK) {
        l->vectorizer = (struct vectorizer){ .store = store,
                                             .recall = l->memory.recall,
                                             .embedder = l->memory.embedder,
                                             .cancel = &l->stop,
                                             .zone = config->zone,
                                             .daily_token_limit = config->daily_token_limit };
        search_use(l->memory.recall, l->memory.vectors);
        st = start_thread(l, e);
    }
    if (st != OK) {
        search_use(NULL, NULL);
        memory_close(&l->memory);
        free(l);
        return st;
    }
    *out = l;
    return OK;
}

void lane_stop(struct lane *l)
{
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    __atomic_store_n(&l->stop, true, __ATOMIC_RELAXED);
    pthread_cond_signal(&l->wake);
    pthread_mutex_unlock(&l->lock);
    pthread_join(l->thread, NULL);
    search_use(NULL, NULL);
}

void lane_free(struct lane *l)
{
    if (!l)
        return;
    memory_close(&l->memory);
    pthread_cond_destroy(&l->wake);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

void lane_count(struct lane *l, struct lane_counters *out)
{
    pthread_mutex_lock(&l->lock);
    *out = l->counters;
    int64_t caught_up_ms = l->caught_up_ms;
    pthread_mutex_unlock(&l->lock);
    recall_usage(l->memory.recall, &out->recall);
    out->lag_ms = out->recall.wanted > 0 ? clock_mono_ms() - caught_up_ms : 0;
    out->times = embedder_times(l->memory.embedder);
    out->provider = embedder_provider(l->memory.embedder);
    out->model = embedder_model(l->memory.embedder);
    out->builtin = embedder_local(l->memory.embedder);
}
