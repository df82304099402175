/* SPDX-License-Identifier: MIT
 * sender: see sender.h.  Here: when threads wait and wake, how a claimed row is sent, how the sender lives and ends.
 * What they read and write between two sends is in sender_turnover.c: the network call lies between two transactions,
 * never inside one. */
#include "bot/sender_internal.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/thread.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NO_MESSENGER_PAUSE_MS = 60000, /* rows of a channel that is switched off */
    AWAY_UNHEALTHY_MS = 10000,     /* so long without a claim is worth an alarm */
};

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

void sender_look_by(struct sender *s, int64_t at_ms) /* locked */
{
    if (at_ms < s->look_at_ms) {
        s->look_at_ms = at_ms;
        pthread_cond_signal(&s->change);
    }
}

void sender_alarm(struct sender *s, int64_t at_ms) /* locked */
{
    if (s->alarm_count < SENDER_ALARMS_MAX)
        s->alarm[s->alarm_count++] = at_ms;
    sender_look_by(s, at_ms);
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

static void wait_for_work(struct sender *s)
{
    pthread_mutex_lock(&s->lock);
    while (!s->stopping && !s->poke && clock_mono_ms() < s->look_at_ms)
        condition_wait_until(&s->change, &s->lock, s->look_at_ms);
    s->poke = false;
    s->look_at_ms = next_look(s, clock_mono_ms());
    pthread_mutex_unlock(&s->lock);
}

void sender_pause(struct sender *s, int64_t ms)
{
    int64_t until_ms = clock_mono_ms() + ms;
    pthread_mutex_lock(&s->lock);
    while (clock_mono_ms() < until_ms && !(s->stopping && clock_mono_ms() >= s->give_up_ms))
        condition_wait_until(&s->change, &s->lock, s->stopping && s->give_up_ms < until_ms ? s->give_up_ms : until_ms);
    pthread_mutex_unlock(&s->lock);
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

static void send_row(struct sender_thread *me, struct job *job)
{
    const struct messenger *m = job->messenger;
    int64_t begin_us = clock_mono_us();
    m->send(m->self, me->http, job->arena, &job->row, false, &job->result);
    histogram_observe(&me->sender->times, clock_mono_us() - begin_us);
    if (job->result.outcome == SEND_PLAIN) {
        struct error why = { 0 };
        memcpy(why.text, job->result.error, sizeof job->result.error);
        log_event(LOG_WARN, "send_plain", F_INT("outbox_id", job->row.id), F_ERR(&why));
        pthread_mutex_lock(&me->sender->lock);
        me->sender->counters.plain++;
        pthread_mutex_unlock(&me->sender->lock);
        memset(&job->result, 0, sizeof job->result);
        m->send(m->self, me->http, job->arena, &job->row, true, &job->result);
    }
    settle_decide(job);
}

static void handle(struct sender_thread *me, struct job *job)
{
    struct sender *s = me->sender;
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
        send_row(me, job);
    }
}

static void *sender_main(void *arg)
{
    struct sender_thread *me = arg;
    struct sender *s = me->sender;
    struct job job = { 0 };
    for (;;) {
        struct job next = { 0 };
        if (sender_turnover(me, &job, &next)) {
            job = next;
            handle(me, &job);
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
    s->store = options->store;
    s->messengers = options->messengers;
    size_t n = (size_t)snprintf(s->channels, sizeof s->channels, ",");
    for (int i = 0; i < s->messengers->count; i++)
        n += (size_t)snprintf(s->channels + n, sizeof s->channels - n, "%s,", s->messengers->row[i]->channel);
    pthread_mutex_init(&s->lock, NULL);
    pthread_rwlock_init(&s->claims, NULL);
    condition_init(&s->change);
    pacer_init(&s->pacer);
    s->last_look_ms = clock_mono_ms();
    s->look_at_ms = s->last_look_ms;
}

enum status sender_start(const struct sender_options *options, struct sender **out, struct error *e)
{
    struct sender *s = *out = xcalloc(1, sizeof *s);
    sender_init(s, options);
    pthread_mutex_lock(&s->lock);
    for (; s->running < options->threads && s->running < SENDER_THREADS; s->running++) {
        struct sender_thread *t = &s->thread[s->running];
        const struct thread_start what = { .name = options->name,
                                           .number = options->threads > 1 ? s->running + 1 : 0,
                                           .stack_bytes = WORKER_STACK_BYTES,
                                           .run = sender_main,
                                           .arg = t };
        t->sender = s;
        t->http = http_new();
        if (thread_start(&t->thread, &what, e)) {
            http_free(t->http);
            break;
        }
    }
    bool some = s->running > 0;
    pthread_mutex_unlock(&s->lock);
    if (some) {
        store_on_hint(s->store, on_hint, s);
        return OK;
    }
    sender_free(s);
    *out = NULL;
    return e->status;
}

void sender_stop(struct sender *s)
{
    pthread_mutex_lock(&s->lock);
    int started = s->running;
    s->stopping = true;
    s->give_up_ms = clock_mono_ms() + SENDER_DRAIN_MS;
    pthread_cond_broadcast(&s->change);
    while (s->running > 0 && clock_mono_ms() < s->give_up_ms)
        condition_wait_until(&s->change, &s->lock, s->give_up_ms);
    bool late = s->running > 0;
    pthread_mutex_unlock(&s->lock);
    for (int i = 0; late && i < s->messengers->count; i++)
        if (s->messengers->row[i]->hurry)
            s->messengers->row[i]->hurry(s->messengers->row[i]->self);
    for (int i = 0; i < started; i++) {
        pthread_join(s->thread[i].thread, NULL);
        http_free(s->thread[i].http);
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
