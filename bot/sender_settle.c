/* SPDX-License-Identifier: MIT
 * sender_settle: see sender_settle.h.  Called on sender threads inside their write transactions; does nothing but
 * database work, and must stand being run twice. */
#include "bot/sender_settle.h"

#include "base/limits.h"
#include "base/log.h"
#include "router/card.h"
#include "store/chats.h"
#include "store/requests.h"
#include "store/topics.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BACKOFF_BASE_MS = 1000,
    BACKOFF_CAP_MS = 300000, /* five minutes: a person still remembers what they asked */
    UNKNOWN_PAUSE_MS = 2000, /* time for a broken connection or a restarting server to recover */
};

int64_t settle_backoff_ms(int attempts)
{
    int64_t ceiling_ms = BACKOFF_CAP_MS;
    if (attempts < 16 && ((int64_t)BACKOFF_BASE_MS << attempts) < ceiling_ms)
        ceiling_ms = (int64_t)BACKOFF_BASE_MS << attempts;
    uint32_t random = arc4random();
    return ceiling_ms / 10 + random % (ceiling_ms - ceiling_ms / 10 + 1);
}

static void later(struct job *job, enum settle_kind kind, int64_t wait_ms)
{
    job->settle = kind;
    job->wait_ms = wait_ms;
}

static void decide_retry(struct job *job)
{
    const struct send_result *r = &job->result;
    if (r->blameless || r->migrated_to_chat_id || r->topic_lost)
        later(job, SETTLE_LATER, r->wait_ms);
    else if (job->row.attempts + 1 >= SEND_ATTEMPTS_MAX)
        job->settle = SETTLE_PARK;
    else
        later(job, SETTLE_RETRY, r->wait_ms > 0 ? r->wait_ms : settle_backoff_ms(job->row.attempts));
}

void settle_decide(struct job *job)
{
    switch (job->result.outcome) {
    case SEND_OK:
        job->settle = SETTLE_SENT;
        return;
    case SEND_RETRY:
        decide_retry(job);
        return;
    case SEND_DENIED:
        later(job, SETTLE_LATER, job->result.wait_ms);
        return;
    case SEND_UNKNOWN:
        if (job->row.unknowns + 1 >= SEND_UNKNOWN_MAX)
            job->settle = SETTLE_PARK;
        else
            later(job, SETTLE_UNKNOWN, UNKNOWN_PAUSE_MS);
        return;
    case SEND_PLAIN: /* the plain form was refused as well */
    case SEND_REJECTED:
        job->settle = SETTLE_PARK;
        return;
    }
}

/* ---- statements ---- */

enum status settle_orphans_write(struct db *db, void *arg, struct error *e)
{
    const struct settle_orphans *o = arg;
    return outbox_give_back_orphans(db, o->owner_id, o->channels, o->keep, SENDER_THREADS, e);
}

/* ---- who else wants to know ---- */

#define CARD_KEY "card:" /* how router/card.c begins the dedupe_key of its rows */

static bool is_topic(const struct outbox_row *row)
{
    return strcmp(row->kind, "topic") == 0;
}

static bool is_card(const struct outbox_row *row)
{
    return row->dedupe_key && strncmp(row->dedupe_key, CARD_KEY, strlen(CARD_KEY)) == 0;
}

/* The topic's row is written before the outbox's, here as everywhere (store/topics.c). */
static enum status topic_settled(struct db *db, struct job *job, enum topic_refusal refusal, int64_t now_ms,
                                 struct error *e)
{
    int64_t changed = 0;
    if (refusal != TOPIC_POSSIBLE)
        return topic_refused(db, job->row.topic_id, refusal, now_ms, e);
    enum status s = topic_made(db, job->row.topic_id, job->result.message_id, &changed, e);
    job->leaked = s == OK && changed == 0;
    return s;
}

static enum status told_sent(struct db *db, struct job *job, int64_t message_id, int64_t now_ms, struct error *e)
{
    job->of_request = is_card(&job->row);
    if (!job->of_request)
        return OK;
    return card_sent(db, job->arena, &job->row, message_id, job->row.unknowns > 0, now_ms, e);
}

static enum status sent(struct db *db, struct job *job, int64_t now_ms, struct error *e)
{
    if (is_topic(&job->row) && topic_settled(db, job, job->result.topic_refused, now_ms, e))
        return e->status;
    int64_t message_id = job->result.message_id;
    enum status s = outbox_sent(db, &job->row, message_id, now_ms, e);
    return s == OK ? told_sent(db, job, message_id, now_ms, e) : s;
}

static enum status park(struct db *db, struct job *job, const char *why, int64_t now_ms, struct error *e)
{
    if (is_topic(&job->row) && topic_settled(db, job, TOPIC_FAILED, now_ms, e))
        return e->status;
    enum status s = outbox_park(db, &job->row, why, now_ms, e);
    job->of_request = s == OK && is_card(&job->row);
    return job->of_request ? card_parked(db, job->arena, &job->row, why, now_ms, e) : s;
}

/* ---- the settlements ---- */

static enum status deliver(struct db *db, struct job *job, int64_t now_ms, struct error *e)
{
    const struct messenger *m = job->messenger;
    int64_t message_id = 0;
    if (db_savepoint(db, e))
        return e->status;
    enum status s = m->deliver(m->self, db, job->arena, &job->row, &message_id, e);
    if (s == OK)
        s = outbox_sent(db, &job->row, message_id, now_ms, e);
    if (s == OK)
        s = told_sent(db, job, message_id, now_ms, e);
    if (s == OK)
        s = db_savepoint_release(db, e); /* where a failure of what was put off comes to light */
    if (s == OK) {
        job->result.message_id = message_id;
        return OK;
    }
    if (s == ST_UNAVAILABLE || s == ST_UNKNOWN || s == ST_SHUTDOWN)
        return s; /* the whole write fails and is tried again */
    db_savepoint_rollback(db);
    if (s == ST_LOST)
        return s;
    snprintf(job->result.error, sizeof job->result.error, "%.*s", (int)sizeof job->result.error - 1, e->text);
    bool again = s == ST_BUSY && job->row.attempts + 1 < SEND_ATTEMPTS_MAX;
    job->settled_as = again ? SETTLE_RETRY : SETTLE_PARK;
    if (again)
        return outbox_retry(db, &job->row, now_ms + settle_backoff_ms(job->row.attempts), job->result.error, e);
    return park(db, job, job->result.error, now_ms, e);
}

/* A row that goes back to the queue, and what its refusal says about the chat. */
static enum status give_back(struct db *db, struct job *job, int64_t now_ms, const char *why, struct error *e)
{
    const struct outbox_row *row = &job->row;
    int64_t new_id = job->result.migrated_to_chat_id;
    if (new_id && chat_moved(db, row->channel, row->chat_id, new_id, e))
        return e->status;
    if (job->result.topic_lost && topic_lost(db, job->arena, row->topic_id, row->thread_id, row->priority, now_ms, e))
        return e->status;
    return outbox_give_back(db, row, now_ms + job->wait_ms, why, e);
}

static enum status write_one(struct db *db, struct job *job, int64_t now_ms, struct error *e)
{
    const struct outbox_row *row = &job->row;
    const char *why = *job->result.error ? job->result.error : NULL;
    switch (job->settle) {
    case SETTLE_NONE:
        return OK;
    case SETTLE_SENT:
        return sent(db, job, now_ms, e);
    case SETTLE_RETRY:
        return outbox_retry(db, row, now_ms + job->wait_ms, why, e);
    case SETTLE_LATER:
        return give_back(db, job, now_ms, why, e);
    case SETTLE_UNKNOWN:
        return outbox_unknown(db, row, now_ms + job->wait_ms, why, e);
    case SETTLE_PARK:
        return park(db, job, why ? why : "refused", now_ms, e);
    case SETTLE_DELIVER:
        return deliver(db, job, now_ms, e);
    }
    return fail(e, ST_INTERNAL, "unknown settlement %d", (int)job->settle);
}

/* Whoever changes a request may then wait for the row of its card: so the lock of the requests comes first, here too.
 */
static bool touches_requests(const struct job *job)
{
    bool settled = job->settle == SETTLE_SENT || job->settle == SETTLE_PARK || job->settle == SETTLE_DELIVER;
    return (settled && is_card(&job->row)) || job->result.migrated_to_chat_id;
}

enum status settle_write(struct db *db, struct job *job, struct error *e)
{
    int64_t now_ms = 0, changed = 0;
    job->lost = job->of_request = job->leaked = false;
    job->settled_as = job->settle;
    if (job->settle == SETTLE_NONE)
        return OK;
    if (db_now_ms(db, &now_ms, e))
        return e->status;
    if (touches_requests(job) && requests_lock(db, e))
        return e->status;
    enum status s = write_one(db, job, now_ms, e);
    if (s != ST_LOST)
        return s;
    job->lost = true;
    if (job->settle == SETTLE_SENT) {
        if (outbox_sent_late(db, &job->row, job->result.message_id, now_ms, &changed, e))
            return e->status;
        job->lost = changed == 0;
    }
    return job->lost || job->settle != SETTLE_SENT ? OK : told_sent(db, job, job->result.message_id, now_ms, e);
}

/* ---- words ---- */

const char *settle_name(enum settle_kind kind)
{
    static const char *const name[] = {
        [SETTLE_NONE] = "none",         [SETTLE_SENT] = "sent",       [SETTLE_RETRY] = "retry",
        [SETTLE_LATER] = "later",       [SETTLE_UNKNOWN] = "unknown", [SETTLE_PARK] = "parked",
        [SETTLE_DELIVER] = "delivered",
    };
    return name[kind];
}

void settle_log(const struct job *job)
{
    const struct send_result *r = &job->result;
    if (job->leaked || (is_topic(&job->row) && job->settled_as == SETTLE_SENT && job->row.unknowns > 0))
        log_event(LOG_WARN, "topic_leak", F_INT("chat_id", job->row.chat_id), F_INT("thread_id", r->message_id),
                  F_STR("reason", job->leaked ? "made twice" : "made again: the first attempt got no answer"));
    if (is_topic(&job->row) && !job->lost && r->topic_refused != TOPIC_POSSIBLE)
        log_event(LOG_WARN, "topic_refused", F_INT("chat_id", job->row.chat_id), F_STR("reason", r->error));
    if (job->lost)
        log_event(LOG_WARN, "send_lost", F_INT("outbox_id", job->row.id),
                  F_STR("outcome", settle_name(job->settled_as)));
    else if (job->settled_as == SETTLE_PARK || r->outcome == SEND_UNKNOWN || r->outcome == SEND_DENIED || r->flooded)
        log_event(job->settled_as == SETTLE_PARK || r->outcome == SEND_DENIED ? LOG_ERROR : LOG_WARN, "send",
                  F_INT("outbox_id", job->row.id), F_STR("channel", job->row.channel),
                  F_INT("chat_id", job->row.chat_id), F_STR("kind", job->row.kind),
                  F_STR("outcome", settle_name(job->settled_as)), F_INT("attempts", job->row.attempts),
                  F_INT("unknowns", job->row.unknowns), F_INT("wait_ms", job->wait_ms), F_STR("reason", r->error));
}
