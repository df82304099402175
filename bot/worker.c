/* SPDX-License-Identifier: MIT
 * worker: claim, run, log, again.  A worker that found a row and saw others waiting wakes the next one before it starts
 * on it, so a burst spreads over the threads without a stampede; one thread of each lane looks every POLL_INTERVAL_MS,
 * because hints may be lost. */
#include "bot/worker.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    SUSPECT_DELAY_MS = 300,
};

struct lane { /* messages, or taps */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    unsigned news; /* grows with every wake: a waiter that saw an older value looks again */
};

struct worker {
    struct workers *all;
    pthread_t thread;
    bool tap;
    bool polls; /* the one of its lane that looks without being told */
};

struct workers {
    struct worker_options options;
    int64_t started_ms; /* monotonic */
    struct lane lane[2];
    struct worker *worker;
    int count, started;
    volatile bool stop;
    pthread_mutex_t count_lock;
    struct worker_counters counters;
    struct worker_times times;
};

const char *const worker_path_name[WORKER_PATHS] = { "model", "parser", "command", "tap", "other" };

/* Read by workers, and through turn_env.cancel by whoever waits on the network. */
static bool stopping(const struct workers *w)
{
    return __atomic_load_n(&w->stop, __ATOMIC_RELAXED);
}

static struct lane *lane_of(struct workers *w, bool tap)
{
    return &w->lane[tap];
}

void workers_wake(struct workers *w, bool tap)
{
    struct lane *l = lane_of(w, tap);
    pthread_mutex_lock(&l->lock);
    l->news++;
    pthread_mutex_unlock(&l->lock);
    pthread_cond_signal(&l->wake); /* outside: the woken one would wait for the lock at once */
}

/* A message that was cut off by a crash is not taken up in the first moments of a new process: when something kills the
 * program right after each start, the same few messages would be hit again and again and be taken for the cause. */
static int crashes_allowed(const struct workers *w)
{
    int64_t up_ms = clock_mono_ms() - w->started_ms;
    return up_ms < SUSPECT_DELAY_MS ? 0 : up_ms < 2 * SUSPECT_DELAY_MS ? 1 : INBOX_CRASHES_MAX;
}

static int64_t look_again_ms(const struct workers *w)
{
    return crashes_allowed(w) < INBOX_CRASHES_MAX ? SUSPECT_DELAY_MS / 2 : POLL_INTERVAL_MS;
}

static void wait_for_news(struct worker *me, unsigned *seen)
{
    struct lane *l = lane_of(me->all, me->tap);
    int64_t look_at_ms = clock_mono_ms() + look_again_ms(me->all);
    pthread_mutex_lock(&l->lock);
    while (l->news == *seen && !stopping(me->all)) {
        if (!me->polls)
            pthread_cond_wait(&l->wake, &l->lock);
        else if (!condition_wait_until(&l->wake, &l->lock, look_at_ms))
            break;
    }
    *seen = l->news;
    pthread_mutex_unlock(&l->lock);
}

static void time_turn(struct workers *w, const struct turn_report *r)
{
    int path = 0;
    while (path < WORKER_OTHER && strcmp(worker_path_name[path], r->path) != 0)
        path++;
    histogram_observe(&w->times.turn[path], r->total_ms * 1000);
    if (r->calls > 0)
        histogram_observe(&w->times.tools, r->tool_ms * 1000);
}

static void count_turn(struct workers *w, const struct turn_report *r)
{
    pthread_mutex_lock(&w->count_lock);
    struct worker_counters *c = &w->counters;
    c->failed += r->end == TURN_FAILED;
    c->given_back += r->end == TURN_GIVEN_BACK;
    c->lost += r->end == TURN_LOST;
    pthread_mutex_unlock(&w->count_lock);
}

static void log_turn(const struct inbox_row *row, const struct turn_report *r)
{
    log_event(*r->error ? LOG_WARN : LOG_INFO, "turn", F_INT("inbox_id", row->id), F_STR("channel", row->channel),
              F_STR("update", row->update_key), F_STR("lane", row->lane), F_STR("path", r->path),
              F_STR("outcome", r->outcome), F_INT("total_ms", r->total_ms), F_INT("model_ms", r->model_ms),
              F_INT("tool_ms", r->tool_ms), F_INT("db_ms", r->db_ms), F_INT("calls", r->calls),
              F_INT("rounds", r->rounds), F_INT("input_tokens", r->input_tokens),
              F_INT("output_tokens", r->output_tokens), F_STR("error", r->error));
}

static void run_row(struct worker *me, struct turn_env *env, const struct inbox_row *row)
{
    struct workers *w = me->all;
    struct turn_report report;
    turn_run(env, row, &report);
    log_turn(row, &report);
    count_turn(w, &report);
    time_turn(w, &report);
    w->options.settled(w->options.settled_arg, &report);
}

static enum status unclaim_write(struct db *db, void *arg, struct error *e)
{
    const struct inbox_claim *claim = arg;
    return inbox_unclaim(db, claim->row.id, claim->row.token, claim->now_ms, e);
}

/* The COMMIT of a claim got no answer.  If it happened the row is ours, nobody works on it, and only the end of its
 * lease would free it: so it is given back, however long the database is away. */
static void claim_undo(struct worker *me, struct inbox_claim *claim)
{
    enum { PAUSE_MS = 50, PAUSE_MS_MAX = 1000 };
    struct error e = { 0 };
    int64_t pause_ms = PAUSE_MS;
    enum status s;
    while (claim->found && (s = store_write_relaxed(me->all->options.env.store, unclaim_write, claim, &e)) &&
           s != ST_LOST && !stopping(me->all)) {
        clock_sleep_ms(pause_ms);
        pause_ms = pause_ms * 2 < PAUSE_MS_MAX ? pause_ms * 2 : PAUSE_MS_MAX;
    }
}

/* Before a message while posts come in floods: acknowledging them comes first.  Bounded, so that a flood without an end
 * is answered too, a message a second by each worker; by each at another pace, or all would come back at once. */
static void give_way(const struct worker *me)
{
    enum { STEP_MS = 125, STEPS_MIN = 5, PACES = 7 };
    struct intake *intake = me->tap ? NULL : me->all->options.intake;
    int steps = STEPS_MIN + (int)(me - me->all->worker) % PACES;
    for (int i = 0; i < steps && intake && intake_pressed(intake) && !stopping(me->all); i++)
        clock_sleep_ms(STEP_MS);
}

/* True when a row was found and run. */
static bool claim_and_run(struct worker *me, struct turn_env *env)
{
    struct workers *w = me->all;
    give_way(me);
    struct arena *arena = arena_new();
    struct inbox_claim claim = { .arena = arena,
                                 .owner_id = store_owner_id(w->options.env.store),
                                 .tap = me->tap,
                                 .crashes_max = crashes_allowed(w) };
    struct error e = { 0 };
    enum status s = store_write_relaxed(w->options.env.store, inbox_claim, &claim, &e);
    if (s == OK && !me->tap && w->options.intake)
        intake_claimed(w->options.intake, claim.found, claim.staged);
    if (s == OK && claim.more)
        workers_wake(w, me->tap);
    if (s == OK && claim.found)
        run_row(me, env, &claim.row);
    else if (s == ST_UNKNOWN)
        claim_undo(me, &claim);
    else if (s)
        clock_sleep_ms(200); /* the health check tells the story of an outage once; here is only the pause */
    arena_free(arena);
    return s == OK && claim.found;
}

static void *worker_main(void *arg)
{
    struct worker *me = arg;
    struct turn_env env = me->all->options.env;
    unsigned seen = 0;
    env.http = http_new();
    env.cancel = &me->all->stop;
    while (!stopping(me->all))
        if (!claim_and_run(me, &env))
            wait_for_news(me, &seen);
    http_free(env.http);
    return NULL;
}

static void lane_init(struct lane *l)
{
    condition_init(&l->wake);
    pthread_mutex_init(&l->lock, NULL);
}

enum status workers_start(const struct worker_options *options, struct workers **out, struct error *e)
{
    struct workers *w = xcalloc(1, sizeof *w);
    int threads = options->threads ? options->threads : WORKERS_DEFAULT;
    w->options = *options;
    w->started_ms = clock_mono_ms();
    w->count = threads + 1;
    w->worker = xcalloc((size_t)w->count, sizeof *w->worker);
    lane_init(&w->lane[0]);
    lane_init(&w->lane[1]);
    pthread_mutex_init(&w->count_lock, NULL);
    for (int i = 0; i < w->count; i++) {
        struct worker *one = &w->worker[i];
        *one = (struct worker){ .all = w, .tap = i == 0, .polls = i <= 1 };
        const struct thread_start what = { .name = i ? "worker" : "taps",
                                           .number = i, /* the one for taps is the only one */
                                           .stack_bytes = WORKER_STACK_BYTES,
                                           .run = worker_main,
                                           .arg = one };
        if (thread_start(&one->thread, &what, e)) {
            workers_stop(w);
            workers_free(w);
            return e->status;
        }
        w->started++;
    }
    *out = w;
    return OK;
}

void workers_count(struct workers *w, struct worker_counters *out)
{
    pthread_mutex_lock(&w->count_lock);
    *out = w->counters;
    pthread_mutex_unlock(&w->count_lock);
}

const struct worker_times *workers_times(const struct workers *w)
{
    return &w->times;
}

void workers_stop(struct workers *w)
{
    if (!w)
        return;
    for (int i = 0; i < 2; i++) {
        pthread_mutex_lock(&w->lane[i].lock);
        __atomic_store_n(&w->stop, true, __ATOMIC_RELAXED);
        pthread_cond_broadcast(&w->lane[i].wake);
        pthread_mutex_unlock(&w->lane[i].lock);
    }
    for (int i = 0; i < w->started; i++)
        pthread_join(w->worker[i].thread, NULL);
}

void workers_free(struct workers *w)
{
    if (!w)
        return;
    for (int i = 0; i < 2; i++) {
        pthread_cond_destroy(&w->lane[i].wake);
        pthread_mutex_destroy(&w->lane[i].lock);
    }
    pthread_mutex_destroy(&w->count_lock);
    free(w->worker);
    free(w);
}
