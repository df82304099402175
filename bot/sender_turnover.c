/* SPDX-License-Identifier: MIT
 * sender_turnover: the database work of a sender thread between two sends.  The last row is settled and the next one
 * claimed in one transaction, so that a busy sender pays one commit per message.  Called by sender.c; must never touch
 * the network, nor give up a result while the program runs and the database may still take it. */
#include "bot/sender_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include <string.h>

enum {
    SKIP_CHATS_MAX = 512, /* chats held back by pacing in one claim; one too many is claimed and given back */
    SETTLE_PAUSE_CAP_MS = 1000,
    SETTLE_DEFECTS_MAX = 5, /* tries of a result the database refuses for good */
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
static void job_end(struct sender_thread *me, struct job *job)
{
    struct sender *s = me->sender;
    if (!job->arena)
        return;
    pthread_mutex_lock(&s->lock);
    me->row_id = 0;
    count_settled(s, job);
    if (job->settled_as == SETTLE_RETRY || job->settled_as == SETTLE_LATER || job->settled_as == SETTLE_UNKNOWN)
        sender_alarm(s, clock_mono_ms() + job->wait_ms);
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
static void settle_insist(struct sender_thread *me, struct job *job, struct error *e)
{
    struct sender *s = me->sender;
    int64_t wait_ms = 50;
    int defects = 0;
    log_event(LOG_WARN, "settle_waits", F_INT("outbox_id", job->row.id), F_STR("outcome", settle_name(job->settle)),
              F_ERR(e));
    while (!drained(s) && defects < SETTLE_DEFECTS_MAX) {
        sender_pause(s, wait_ms);
        wait_ms = wait_ms * 2 < SETTLE_PAUSE_CAP_MS ? wait_ms * 2 : SETTLE_PAUSE_CAP_MS;
        pthread_mutex_lock(&s->lock);
        s->counters.settle_retries++;
        pthread_mutex_unlock(&s->lock);
        struct turnover t = { .job = job };
        enum status status = store_write(s->store, turnover_write, &t, e);
        if (status == OK) {
            job_end(me, job);
            return;
        }
        defects += status != ST_UNKNOWN && !status_row(status)->retry;
    }
    log_event(LOG_ERROR, "settle_failed", F_INT("outbox_id", job->row.id), F_STR("outcome", settle_name(job->settle)),
              F_ERR(e));
    pthread_mutex_lock(&s->lock);
    me->row_id = 0;
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
        o.keep[i] = s->thread[i].row_id;
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
        sender_look_by(s, now_ms + wait_ms);
    }
    if (may)
        hold_back(s, now_ms, held);
    pthread_mutex_unlock(&s->lock);
    return may;
}

/* Take over the claimed row, or note when to look again. */
static bool claim_accept(struct sender_thread *me, const struct outbox_claim *claim, int64_t soonest_ms,
                         struct job *next)
{
    struct sender *s = me->sender;
    int64_t now_ms = clock_mono_ms();
    pthread_mutex_lock(&s->lock);
    s->away = false;
    s->last_look_ms = now_ms;
    if (claim->count) {
        *next = (struct job){ .arena = claim->arena, .row = claim->rows[0] };
        next->messenger = messenger_find(s->messengers, next->row.channel);
        me->row_id = next->row.id;
        if (claim->next_run_at_ms > 0 && claim->next_run_at_ms <= claim->now_ms) { /* more: the next thread looks */
            s->poke = true;
            pthread_cond_signal(&s->change);
        }
    } else {
        pacer_cancel(&s->pacer);
        if (soonest_ms > 0)
            sender_look_by(s, now_ms + soonest_ms);
        if (claim->next_run_at_ms > claim->now_ms)
            sender_look_by(s, now_ms + claim->next_run_at_ms - claim->now_ms);
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
bool sender_turnover(struct sender_thread *me, struct job *job, struct job *next)
{
    struct sender *s = me->sender;
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
        job_end(me, job);
    if (t.want && status == OK)
        found = claim_accept(me, &t.claim, held.soonest_ms, next);
    else if (t.want)
        claim_failed(s, status, &e);
    if (t.want)
        pthread_rwlock_unlock(&s->claims);
    if (!found)
        arena_free(t.claim.arena);
    if (settles && !found)
        look_once_more(s, news);
    if (job->arena)
        settle_insist(me, job, &e);
    return found;
}
