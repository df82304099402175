/* SPDX-License-Identifier: MIT
 * sender: see sender.h.  Its threads settle the last row and claim the next in one transaction, so that a busy sender
 * pays one commit per message; the network call lies between two transactions, never inside one. */
#include "bot/sender.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "bot/pacer.h"
#include "bot/sender_settle.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SKIP_CHATS_MAX = 512,          /* chats held back by pacing in one claim; one too many is claimed and given back */
    ALARMS_MAX = 64,               /* own appointments (retry_after); one too many is met by polling */
    NO_MESSENGER_PAUSE_MS = 60000, /* rows of a channel that is switched off */
    SETTLE_PAUSE_CAP_MS = 1000,
    SETTLE_DEFECTS_MAX = 5,    /* tries of a result the database refuses for good */
    AWAY_UNHEALTHY_MS = 10000, /* so long without a claim is worth an alarm */
};

struct worker {
    struct sender *sender;
    struct http *http;
    pthread_t thread;
    int64_t row_id; /* in flight; 0 = none; under sender->lock */
};

struct sender {
    struct store *store;
    const struct messengers *messengers;
    char channels[256]; /* ",telegram," */
    struct worker worker[SENDER_THREADS];
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t change;
    struct pacer pacer;
    struct sender_counters counters;
    bool poke;     /* there may be work: one thread should look */
    unsigned news; /* grows with every wake from outside */
    bool stopping;
    bool denied;
    bool away; /* the last claim failed */
    int running;
    int64_t look_at_ms;   /* when one thread looks again without a poke; monotonic, as all here */
    int64_t give_up_ms;   /* end of the drain */
    int64_t last_look_ms; /* the last claim that worked */
    int64_t alarm[ALARMS_MAX];
    int alarm_count;
    /* A claim whose COMMIT got no answer may have left rows that no thread knows of.  Claims hold `claims` for reading
     * from the transaction to the entry in row_id; the repair holds it for writing. */
    pthread_rwlock_t claims;
    bool orphans; /* under lock */
    struct histogram times;
};

/* One write: the last row's result and the next row. */
struct turnover {
    struct job *job;
    bool want;
    struct outbox_claim claim;
};

static enum status turnover_write(struct db *db, void *arg, struct error *e)
{
    struct turnover *t = arg;
    if (settle_write(db, t->job, e))
        return e->status;
    return t->want ? outbox_claim(db, &t->claim, e) : OK;
}

/* ---- waiting and waking ---- */

void sender_wake(struct sender *s)
{
    pthread_mutex_lock(&s->lock);
    s->poke = true;
    s->news++;
    pthread_mutex_unlock(&s->lock);
    pthread_cond_signal(&s->change);
}

static void on_hint(enum hint hint, void *arg)
{
    if (hint == HINT_OUTBOX)
        sender_wake(arg);
}

static void look_by(struct sender *s, int64_t at_ms) /* locked */
{
    if (at_ms < s->look_at_ms) {
        s->look_at_ms = at_ms;
        pthread_cond_signal(&s->change);
    }
}

static void alarm_add(struct sender *s, int64_t at_ms) /* locked */
{
    if (s->alarm_count < ALARMS_MAX)
        s->alarm[s->alarm_count++] = at_ms;
    look_by(s, at_ms);
}

/* The next look when nothing else happens; drops the alarms that are over. */
static int64_t next_look(struct sender *s, int64_t now_ms) /* locked */
{
    int64_t at_ms = now_ms + POLL_INTERVAL_MS;
    for (int i = 0; i < s->alarm_count;) {
        if (s->alarm[i] <= now_ms) {
            s->alarm[i] = s->alarm[--s->alarm_count];
            continue;
        }
        if (s->alarm[i] < at_ms)
            at_ms = s->alarm[i];
        i++;
    }
    return at_ms;
}

static void wait_until(struct sender *s, int64_t at_ms) /* locked */
{
    struct timespec at = { .tv_sec = at_ms / 1000, .tv_nsec = at_ms % 1000 * 1000000 };
    pthread_cond_timedwait(&s->change, &s->lock, &at);
}

static void wait_for_work(struct sender *s)
{
    pthread_mutex_lock(&s->lock);
    while (!s->stopping && !s->poke && clock_mono_ms() < s->look_at_ms)
        wait_until(s, s->look_at_ms);
    s->poke = false;
    s->look_at_ms = next_look(s, clock_mono_ms());
    pthread_mutex_unlock(&s->lock);
}

/* Sleep, unless the drain ends first. */
static void pause_ms(struct sender *s, int64_t ms)
{
    int64_t until_ms = clock_mono_ms() + ms;
    pthread_mutex_lock(&s->lock);
    while (clock_mono_ms() < until_ms && !(s->stopping && clock_mono_ms() >= s->give_up_ms))
        wait_until(s, s->stopping && s->give_up_ms < until_ms ? s->give_up_ms : until_ms);
    pthread_mutex_unlock(&s->lock);
}

/* ---- settling ---- */

static void count_settled(struct sender *s, const struct job *job) /* locked */
{
    struct sender_counters *c = &s->counters;
    const struct send_result *r = &job->result;
    c->sent += job->settled_as == SETTLE_SENT || job->settled_as == SETTLE_DELIVER;
    c->retried += job->settled_as == SETTLE_RETRY;
    c->parked += job->settled_as == SETTLE_PARK;
    c->unknown += r->outcome == SEND_UNKNOWN;
    c->floods += r->flooded;
    c->denied += r->outcome == SEND_DENIED;
    c->migrated += r->migrated_to_chat_id != 0;
    c->lost += job->lost;
    if (r->outcome == SEND_DENIED)
        s->denied = true;
    else if (job->settled_as == SETTLE_SENT && !job->messenger->transactional)
        s->denied = false;
}

/* The result is on disk. */
static void job_end(struct worker *w, struct job *job)
{
    struct sender *s = w->sender;
    if (!job->arena)
        return;
    pthread_mutex_lock(&s->lock);
    w->row_id = 0;
    count_settled(s, job);
    if (job->settled_as == SETTLE_RETRY || job->settled_as == SETTLE_LATER || job->settled_as == SETTLE_UNKNOWN)
        alarm_add(s, clock_mono_ms() + job->wait_ms);
    pthread_mutex_unlock(&s->lock);
    settle_log(job);
    if (job->of_request && !job->lost)
        store_hint(s->store, HINT_REQUESTS);
    if (job->settled_as == SETTLE_DELIVER && !job->lost && job->messenger->delivered)
        job->messenger->delivered(job->messenger->self);
    arena_free(job->arena);
    memset(job, 0, sizeof *job);
}

static bool drained(struct sender *s)
{
    pthread_mutex_lock(&s->lock);
    bool over = s->stopping && clock_mono_ms() >= s->give_up_ms;
    pthread_mutex_unlock(&s->lock);
    return over;
}

/* A result whose write failed: again until it is on disk.  What was sent must not be sent twice because the database
 * was away for a while.  Given up only when the program stops or the database refuses it for good; then the rescue
 * calls the outcome unknown. */
static void settle_insist(struct worker *w, struct job *job, struct error *e)
{
    struct sender *s = w->sender;
    int64_t wait_ms = 50;
    int defects = 0;
    log_event(LOG_WARN, "settle_waits", F_INT("outbox_id", job->row.id), F_STR("outcome", settle_name(job->settle)),
              F_ERR(e));
    while (!drained(s) && defects < SETTLE_DEFECTS_MAX) {
        pause_ms(s, wait_ms);
        wait_ms = wait_ms * 2 < SETTLE_PAUSE_CAP_MS ? wait_ms * 2 : SETTLE_PAUSE_CAP_MS;
        pthread_mutex_lock(&s->lock);
        s->counters.settle_retries++;
        pthread_mutex_unlock(&s->lock);
        struct turnover t = { .job = job };
        enum status status = store_write(s->store, turnover_write, &t, e);
        if (status == OK) {
            job_end(w, job);
            return;
        }
        defects += status != ST_UNKNOWN && !status_row(status)->retry;
    }
    log_event(LOG_ERROR, "settle_failed", F_INT("outbox_id", job->row.id), F_STR("outcome", settle_name(job->settle)),
              F_ERR(e));
    pthread_mutex_lock(&s->lock);
    w->row_id = 0;
    pthread_mutex_unlock(&s->lock);
    arena_free(job->arena);
    memset(job, 0, sizeof *job);
}

/* ---- claiming ---- */

/* Rows claimed by a COMMIT that got no answer go back to the queue: nobody began to send them. */
static void repair_orphans(struct sender *s)
{
    struct settle_orphans o = { .owner_id = store_owner_id(s->store), .channels = s->channels };
    struct error e = { 0 };
    pthread_rwlock_wrlock(&s->claims);
    pthread_mutex_lock(&s->lock);
    bool needed = s->orphans;
    for (int i = 0; i < SENDER_THREADS; i++)
        o.keep[i] = s->worker[i].row_id;
    pthread_mutex_unlock(&s->lock);
    if (needed && store_write(s->store, settle_orphans_write, &o, &e) == OK) {
        pthread_mutex_lock(&s->lock);
        s->orphans = false;
        pthread_mutex_unlock(&s->lock);
    }
    pthread_rwlock_unlock(&s->claims);
}

/* Chats that pacing leaves out of a claim, wholly or for what matters little. */
struct held_back {
    int64_t chats[SKIP_CHATS_MAX], low[SKIP_CHATS_MAX];
    int count, low_count;
    int64_t soonest_ms; /* until the first of them is free; 0 = there is none */
};

static void hold_back(struct sender *s, int64_t now_ms, struct held_back *held) /* locked */
{
    int64_t low_ms;
    held->count = (int)pacer_blocked(&s->pacer, false, now_ms, held->chats, SKIP_CHATS_MAX, &held->soonest_ms);
    held->low_count = (int)pacer_blocked(&s->pacer, true, now_ms, held->low, SKIP_CHATS_MAX, &low_ms);
    if (low_ms > 0 && (held->soonest_ms == 0 || low_ms < held->soonest_ms))
        held->soonest_ms = low_ms;
}

/* May this thread claim a row now? */
static bool claim_prepare(struct sender *s, struct held_back *held)
{
    bool orphans;
    pthread_mutex_lock(&s->lock);
    orphans = s->orphans;
    pthread_mutex_unlock(&s->lock);
    if (orphans)
        repair_orphans(s);

    pthread_mutex_lock(&s->lock);
    int64_t now_ms = clock_mono_ms(), wait_ms = 0;
    bool may = !s->stopping && !s->orphans;
    if (may && (wait_ms = pacer_reserve(&s->pacer, now_ms)) > 0) {
        may = false;
        look_by(s, now_ms + wait_ms);
    }
    if (may)
        hold_back(s, now_ms, held);
    pthread_mutex_unlock(&s->lock);
    return may;
}

/* Take over the claimed row, or note when to look again. */
static bool claim_accept(struct worker *w, const struct outbox_claim *claim, int64_t soonest_ms, struct job *next)
{
    struct sender *s = w->sender;
    int64_t now_ms = clock_mono_ms();
    pthread_mutex_lock(&s->lock);
    s->away = false;
    s->last_look_ms = now_ms;
    if (claim->count) {
        *next = (struct job){ .arena = claim->arena, .row = claim->rows[0] };
        next->messenger = messenger_find(s->messengers, next->row.channel);
        w->row_id = next->row.id;
        if (claim->next_run_at_ms > 0 && claim->next_run_at_ms <= claim->now_ms) { /* more: the next thread looks */
            s->poke = true;
            pthread_cond_signal(&s->change);
        }
    } else {
        pacer_cancel(&s->pacer);
        if (soonest_ms > 0)
            look_by(s, now_ms + soonest_ms);
        if (claim->next_run_at_ms > claim->now_ms)
            look_by(s, now_ms + claim->next_run_at_ms - claim->now_ms);
    }
    pthread_mutex_unlock(&s->lock);
    return claim->count > 0;
}

static void claim_failed(struct sender *s, enum status status, const struct error *e)
{
    pthread_mutex_lock(&s->lock);
    pacer_cancel(&s->pacer);
    s->orphans |= status == ST_UNKNOWN;
    bool first = !s->away;
    s->away = true;
    pthread_mutex_unlock(&s->lock);
    if (first && status != ST_SHUTDOWN)
        log_event(LOG_WARN, "outbox_away", F_ERR(e));
}

static unsigned news_so_far(struct sender *s)
{
    pthread_mutex_lock(&s->lock);
    unsigned news = s->news;
    pthread_mutex_unlock(&s->lock);
    return news;
}

/* A row put while our settling was under way was invisible to our claim, and whoever was woken for it found its chat
 * occupied by the row we were settling: one more look. */
static void look_once_more(struct sender *s, unsigned news_before)
{
    pthread_mutex_lock(&s->lock);
    s->poke |= s->news != news_before;
    pthread_mutex_unlock(&s->lock);
}

/* Write the result of *job (if there is one) and claim the next row into *next.  false: there is none now. */
static bool turn_over(struct worker *w, struct job *job, struct job *next)
{
    struct sender *s = w->sender;
    struct held_back held = { 0 };
    struct turnover t = { .job = job };
    struct error e = { 0 };
    t.want = claim_prepare(s, &held);
    if (!t.want && !job->arena)
        return false;
    if (t.want) {
        t.claim.arena = arena_new();
        t.claim.owner_id = store_owner_id(s->store);
        t.claim.channels = s->channels;
        t.claim.max = 1;
        t.claim.skip_chats = held.chats;
        t.claim.skip_count = held.count;
        t.claim.skip_low_chats = held.low;
        t.claim.skip_low_count = held.low_count;
        pthread_rwlock_rdlock(&s->claims);
    }
    unsigned news = news_so_far(s);
    bool settles = job->arena, found = false;
    enum status status = store_write(s->store, turnover_write, &t, &e);
    if (status == OK)
        job_end(w, job);
    if (t.want && status == OK)
        found = claim_accept(w, &t.claim, held.soonest_ms, next);
    else if (t.want)
        claim_failed(s, status, &e);
    if (t.want)
        pthread_rwlock_unlock(&s->claims);
    if (!found)
        arena_free(t.claim.arena);
    if (settles && !found)
        look_once_more(s, news);
    if (job->arena)
        settle_insist(w, job, &e);
    return found;
}

/* ---- sending ---- */

static enum pace pace_of(const struct outbox_row *row)
{
    if (strcmp(row->kind, "tap") == 0)
        return PACE_TAP;
    return strcmp(row->kind, "edit") == 0 ? PACE_EDIT : PACE_MESSAGE;
}

/* Spend or return the reservation; milliseconds to wait when the chat's turn has not come. */
static int64_t take_turn(struct sender *s, const struct job *job, bool sends)
{
    int64_t wait_ms = 0;
    pthread_mutex_lock(&s->lock);
    if (sends && job->messenger->paced)
        wait_ms = pacer_take(&s->pacer, pace_of(&job->row), job->row.priority >= OUTBOX_LOW, job->row.chat_id,
                             clock_mono_ms());
    else
        pacer_cancel(&s->pacer);
    pthread_mutex_unlock(&s->lock);
    return wait_ms;
}

static void send_row(struct worker *w, struct job *job)
{
    const struct messenger *m = job->messenger;
    int64_t begin_us = clock_mono_us();
    m->send(m->self, w->http, job->arena, &job->row, false, &job->result);
    histogram_observe(&w->sender->times, clock_mono_us() - begin_us);
    if (job->result.outcome == SEND_PLAIN) {
        struct error why = { 0 };
        memcpy(why.text, job->result.error, sizeof job->result.error);
        log_event(LOG_WARN, "send_plain", F_INT("outbox_id", job->row.id), F_ERR(&why));
        pthread_mutex_lock(&w->sender->lock);
        w->sender->counters.plain++;
        pthread_mutex_unlock(&w->sender->lock);
        memset(&job->result, 0, sizeof job->result);
        m->send(m->self, w->http, job->arena, &job->row, true, &job->result);
    }
    settle_decide(job);
}

static void handle(struct worker *w, struct job *job)
{
    struct sender *s = w->sender;
    const struct messenger *m = job->messenger;
    bool worn_out = job->row.unknowns >= SENDER_RESCUES_MAX;
    pthread_mutex_lock(&s->lock);
    bool stopping = s->stopping;
    pthread_mutex_unlock(&s->lock);
    int64_t wait_ms = take_turn(s, job, m && !m->transactional && !worn_out && !stopping);
    if (!m || stopping || wait_ms > 0) { /* not begun: given back */
        job->result.outcome = SEND_RETRY;
        job->settle = SETTLE_LATER;
        job->wait_ms = m ? wait_ms : NO_MESSENGER_PAUSE_MS;
    } else if (m->transactional) {
        job->settle = SETTLE_DELIVER;
    } else if (worn_out) {
        memcpy(job->result.error, "its sender has died too often", sizeof "its sender has died too often");
        job->settle = SETTLE_PARK;
    } else {
        send_row(w, job);
    }
}

static void *sender_thread(void *arg)
{
    struct worker *w = arg;
    struct sender *s = w->sender;
    struct job job = { 0 };
    for (;;) {
        struct job next = { 0 };
        if (turn_over(w, &job, &next)) {
            job = next;
            handle(w, &job);
            continue;
        }
        pthread_mutex_lock(&s->lock);
        bool stopping = s->stopping;
        pthread_mutex_unlock(&s->lock);
        if (stopping)
            break;
        wait_for_work(s);
    }
    pthread_mutex_lock(&s->lock);
    s->running--;
    pthread_cond_broadcast(&s->change);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* ---- life ---- */

static void sender_init(struct sender *s, const struct sender_options *options)
{
    pthread_condattr_t attr;
    s->store = options->store;
    s->messengers = options->messengers;
    size_t n = (size_t)snprintf(s->channels, sizeof s->channels, ",");
    for (int i = 0; i < s->messengers->count; i++)
        n += (size_t)snprintf(s->channels + n, sizeof s->channels - n, "%s,", s->messengers->row[i]->channel);
    pthread_mutex_init(&s->lock, NULL);
    pthread_rwlock_init(&s->claims, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&s->change, &attr);
    pthread_condattr_destroy(&attr);
    pacer_init(&s->pacer, false);
    s->last_look_ms = clock_mono_ms();
    s->look_at_ms = s->last_look_ms;
}

enum status sender_start(const struct sender_options *options, struct sender **out, struct error *e)
{
    struct sender *s = *out = xcalloc(1, sizeof *s);
    sender_init(s, options);
    store_on_hint(s->store, on_hint, s);
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, WORKER_STACK_BYTES);
    int failed = 0;
    for (int i = 0; i < options->threads && i < SENDER_THREADS && !failed; i++) {
        struct worker *w = &s->worker[i];
        w->sender = s;
        w->http = http_new();
        pthread_mutex_lock(&s->lock);
        failed = pthread_create(&w->thread, &attr, sender_thread, w);
        s->running += !failed;
        pthread_mutex_unlock(&s->lock);
        if (failed)
            http_free(w->http);
    }
    pthread_attr_destroy(&attr);
    if (s->running > 0)
        return OK;
    sender_free(s);
    *out = NULL;
    return fail(e, ST_INTERNAL, "no thread could be started for sending: %s", strerror(failed));
}

void sender_stop(struct sender *s)
{
    pthread_mutex_lock(&s->lock);
    int started = s->running;
    s->stopping = true;
    s->give_up_ms = clock_mono_ms() + SENDER_DRAIN_MS;
    pthread_cond_broadcast(&s->change);
    while (s->running > 0 && clock_mono_ms() < s->give_up_ms)
        wait_until(s, s->give_up_ms);
    bool late = s->running > 0;
    pthread_mutex_unlock(&s->lock);
    for (int i = 0; late && i < s->messengers->count; i++)
        if (s->messengers->row[i]->hurry)
            s->messengers->row[i]->hurry(s->messengers->row[i]->self);
    for (int i = 0; i < started; i++) {
        pthread_join(s->worker[i].thread, NULL);
        http_free(s->worker[i].http);
    }
}

void sender_free(struct sender *s)
{
    if (!s)
        return;
    pacer_release(&s->pacer);
    pthread_cond_destroy(&s->change);
    pthread_rwlock_destroy(&s->claims);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

const struct histogram *sender_times(const struct sender *s)
{
    return &s->times;
}

void sender_count(struct sender *s, struct sender_counters *out)
{
    pthread_mutex_lock(&s->lock);
    *out = s->counters;
    pthread_mutex_unlock(&s->lock);
}

bool sender_healthy(struct sender *s, struct error *why)
{
    pthread_mutex_lock(&s->lock);
    bool denied = s->denied;
    bool away = s->away && clock_mono_ms() - s->last_look_ms > AWAY_UNHEALTHY_MS;
    pthread_mutex_unlock(&s->lock);
    if (denied)
        (void)fail(why, ST_DENIED, "Telegram refuses the bot token");
    else if (away)
        (void)fail(why, ST_UNAVAILABLE, "the outbox cannot be read");
    return !denied && !away;
}
