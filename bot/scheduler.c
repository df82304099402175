/* SPDX-License-Identifier: MIT
 * scheduler: a table of jobs with their intervals.  A job that fails is tried at its next turn: nothing here is the
 * only copy of anything. */
#include "bot/scheduler.h"

#include "base/clock.h"
#include "base/footprint.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/thread.h"
#include "router/ask.h"
#include "router/remind.h"
#include "router/reply.h"
#include "store/clock_step.h"
#include "store/history.h"
#include "store/inbox.h"
#include "store/outbox.h"
#include "store/usage.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOOK_INTERVAL_MS = 1000,
    PRUNE_INTERVAL_MS = 10 * 60 * 1000,
    TRIM_INTERVAL_MS = 30 * 1000,
    ALIVE_INTERVAL_MS = 10 * 1000, /* far below ASK_AWAY_MS */
    OUTBOX_KEEP_MS =
        2 * 24 * 3600 * 1000, /* a tap looks its card up here; after two days a result comes as a new message */
};
#define REQUESTS_KEEP_MS (90LL * 24 * 3600 * 1000) /* a poll that comes later hears 404; the audit log stays */
#define USAGE_KEEP_MS (400LL * 24 * 3600 * 1000)   /* a year can be compared with the one before */
#define HISTORY_KEEP_MS (90LL * 24 * 3600 * 1000)  /* the model sees far less; /undo and edits look back a day */

enum { JOBS_MAX = 8 };

struct scheduler {
    struct scheduler_options options;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop;
    int64_t last_run_ms[JOBS_MAX];
    struct clock_look look; /* of the last rescue */
    int64_t complained_at_ms;
    struct scheduler_counters counters;
};

/* One run of a job inside its transaction. */
struct job_run {
    struct scheduler *s;
    struct arena *arena;
    int64_t now_ms;
    int64_t count, parked;  /* out */
    struct clock_look look; /* out */
};

static enum status tell_owner(struct db *db, struct job_run *r, const struct inbox_row *row, struct error *e)
{
    const struct reminder_people *p = &r->s->options.people;
    int64_t chat_id = 0; /* the console page, until the owner has written to the bot */
    bool found;
    if (p->telegram && p->count &&
        db_get_int(db, &chat_id, &found, e, "SELECT COALESCE(private_chat_id, 0) FROM users WHERE telegram_id = $1",
                   p_int(p->telegram_ids[0])))
        return e->status;
    struct reply reply;
    reply_init(&reply, r->arena);
    reply_bold(&reply, "⚠ A message was set aside");
    reply_line(&reply);
    reply_printf(
        &reply,
        "Working on message %" PRId64
        " (%s) was cut off %d times by a stop of the program, so I set it aside. Nothing of it was executed. %s",
        row->id, row->channel, row->crashes,
        row->crashes == INBOX_CRASHES_MAX ? "I will try it once more in a moment."
                                          : "It is kept in the inbox table; I will not try it again.");
    struct outbox_row out = {
        .channel = chat_id ? "telegram" : "console",
        .chat_id = chat_id,
        .kind = "message",
        .priority = 2,
        .payload = json_text(r->arena, json_keep(r->arena, reply_json(&reply))),
        .dedupe_key = arena_printf(r->arena, "parked:%" PRId64 ":%d", row->id, row->crashes),
    };
    return outbox_put(db, &out, r->now_ms, NULL, e);
}

static enum status job_rescue(struct db *db, void *arg, struct error *e)
{
    struct job_run *r = arg;
    int64_t in = 0, out = 0, again = 0;
    struct inbox_row *parked;
    int parked_count;
    if (clock_follow(db, &r->s->look, &r->look, e) || db_now_ms(db, &r->now_ms, e) ||
        inbox_rescue(db, r->arena, r->now_ms, &in, &parked, &parked_count, e) ||
        outbox_rescue(db, r->now_ms, &out, e) || inbox_last_try(db, r->now_ms, &again, e))
        return e->status;
    for (int i = 0; i < parked_count; i++)
        if (tell_owner(db, r, &parked[i], e))
            return e->status;
    r->count = in + out + again;
    r->parked = parked_count;
    return OK;
}

static enum status job_remind(struct db *db, void *arg, struct error *e)
{
    struct job_run *r = arg;
    int fired;
    if (db_now_ms(db, &r->now_ms, e) ||
        remind_fire(db, r->arena, &r->s->options.people, r->s->options.zone, r->now_ms, &fired, e))
        return e->status;
    r->count = fired;
    return OK;
}

static enum status job_prune(struct db *db, void *arg, struct error *e)
{
    struct job_run *r = arg;
    if (db_now_ms(db, &r->now_ms, e) || inbox_prune(db, r->now_ms - INBOX_KEEP_MS, e) ||
        outbox_prune(db, r->now_ms - OUTBOX_KEEP_MS, e) || history_prune(db, r->now_ms - HISTORY_KEEP_MS, e) ||
        usage_prune(db, r->now_ms - USAGE_KEEP_MS, e) || requests_prune(db, r->now_ms - REQUESTS_KEEP_MS, e))
        return e->status;
    return OK;
}

static enum status job_requests(struct db *db, void *arg, struct error *e)
{
    struct job_run *r = arg;
    int expired, reminded;
    if (db_now_ms(db, &r->now_ms, e) || ask_expire(db, r->arena, r->now_ms, &expired, e) ||
        ask_remind(db, r->arena, r->now_ms, &reminded, e))
        return e->status;
    r->count = expired + reminded;
    return OK;
}

static enum status job_alive(struct db *db, void *arg, struct error *e)
{
    struct job_run *r = arg;
    int shown, healed;
    int64_t away_ms;
    if (db_now_ms(db, &r->now_ms, e) || ask_alive(db, r->arena, r->now_ms, &away_ms, &shown, e) ||
        ask_heal(db, r->arena, r->now_ms, &healed, e))
        return e->status;
    r->count = shown + healed;
    return OK;
}

static const struct job {
    const char *name;
    write_fn run;
    int64_t interval_ms;
} job_table[] = {
    { "rescue", job_rescue, RESCUE_INTERVAL_MS }, { "remind", job_remind, 1000 },
    { "requests", job_requests, 1000 },           { "alive", job_alive, ALIVE_INTERVAL_MS },
    { "prune", job_prune, PRUNE_INTERVAL_MS },
};
enum { JOB_COUNT = sizeof job_table / sizeof job_table[0] };
_Static_assert((int)JOB_COUNT <= (int)JOBS_MAX, "last_run_ms has a place for every job");

static void complain(struct scheduler *s, const struct job *job, const struct error *e)
{
    pthread_mutex_lock(&s->lock);
    s->counters.errors++;
    pthread_mutex_unlock(&s->lock);
    if (s->complained_at_ms && clock_mono_ms() - s->complained_at_ms < 10000)
        return; /* one outage, one story */
    s->complained_at_ms = clock_mono_ms();
    log_event(LOG_WARN, "scheduler", F_STR("job", job->name), F_ERR(e));
}

static void job_account(struct scheduler *s, const struct job *job, const struct job_run *r)
{
    pthread_mutex_lock(&s->lock);
    if (job->run == job_rescue) {
        s->counters.rescued += r->count;
        s->look = r->look;
    }
    if (job->run == job_remind)
        s->counters.reminders += r->count;
    s->counters.parked += r->parked;
    pthread_mutex_unlock(&s->lock);
    if (r->parked)
        log_event(LOG_ERROR, "parked", F_INT("messages", r->parked));
}

static void job_do(struct scheduler *s, const struct job *job)
{
    struct job_run r = { .s = s, .arena = arena_new() };
    struct error e = { 0 };
    if (store_write(s->options.store, job->run, &r, &e))
        complain(s, job, &e);
    else {
        job_account(s, job, &r);
        if (r.count)
            s->options.woke(s->options.arg);
    }
    arena_free(r.arena);
}

static bool scheduler_wait(struct scheduler *s)
{
    int64_t look_at_ms = clock_mono_ms() + LOOK_INTERVAL_MS;
    pthread_mutex_lock(&s->lock);
    while (!s->stop && condition_wait_until(&s->wake, &s->lock, look_at_ms))
        continue;
    bool go_on = !s->stop;
    pthread_mutex_unlock(&s->lock);
    return go_on;
}

static void *scheduler_main(void *arg)
{
    struct scheduler *s = arg;
    int64_t trimmed_ms = clock_mono_ms();
    while (scheduler_wait(s)) {
        if (clock_mono_ms() - trimmed_ms >= TRIM_INTERVAL_MS) {
            footprint_give_back();
            trimmed_ms = clock_mono_ms();
        }
        for (int i = 0; i < JOB_COUNT; i++) {
            int64_t now_ms = clock_mono_ms();
            if (now_ms - s->last_run_ms[i] + 50 < job_table[i].interval_ms)
                continue;
            s->last_run_ms[i] = now_ms;
            job_do(s, &job_table[i]);
        }
    }
    return NULL;
}

enum status scheduler_start(const struct scheduler_options *options, struct scheduler **out, struct error *e)
{
    struct scheduler *s = xcalloc(1, sizeof *s);
    s->options = *options;
    condition_init(&s->wake);
    pthread_mutex_init(&s->lock, NULL);
    job_do(s, &job_table[0]);
    for (int i = 0; i < JOB_COUNT; i++) /* an absence is told of at once */
        s->last_run_ms[i] = job_table[i].run == job_alive ? 0 : clock_mono_ms();
    if (thread_start(&s->thread, &(struct thread_start){ .name = "scheduler", .run = scheduler_main, .arg = s }, e)) {
        free(s);
        return e->status;
    }
    *out = s;
    return OK;
}

void scheduler_count(struct scheduler *s, struct scheduler_counters *out)
{
    pthread_mutex_lock(&s->lock);
    *out = s->counters;
    pthread_mutex_unlock(&s->lock);
}

void scheduler_stop(struct scheduler *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
