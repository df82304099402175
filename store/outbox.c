/* SPDX-License-Identifier: MIT
 * outbox: the queue of what goes out; claiming is outbox_claim.c.  Every function runs inside a store_write() of its
 * caller: the turn (put), sender threads (settle) and the scheduler (rescue, prune).  A claimed row is in state
 * 'sending': from then on a crash leaves its outcome unknown, and the rescue says so. */
#include "store/outbox.h"

#include "base/fault.h"
#include "store/id_list.h"
#include "store/store.h"

enum status outbox_raise_topic(struct db *db, int64_t topic_id, int priority, struct error *e)
{
    return db_run(db, e,
                  "UPDATE outbox SET priority = $2 WHERE topic_id = $1 AND kind = 'topic' AND state = 'available'"
                  " AND priority > $2",
                  p_int(topic_id), p_int(priority));
}

enum status outbox_put(struct db *db, const struct outbox_row *r, int64_t now_ms, int64_t *id, struct error *e)
{
    struct stmt *s = db_query(
        db,
        "INSERT INTO outbox (channel, chat_id, thread_id, kind, priority, payload, dedupe_key, "
        "run_at, inbox_id, created_at, topic_id)"
        " VALUES ($1, $2, CAST($3 AS BIGINT), $4, $5, $6, $7, $8, CAST($9 AS BIGINT), $10, CAST($11 AS BIGINT))"
        " ON CONFLICT (dedupe_key) DO NOTHING RETURNING id",
        p_text(r->channel), p_int(r->chat_id), p_int_or_null(r->topic_id ? 0 : r->thread_id), p_text(r->kind),
        p_int(r->priority), p_text(r->payload), p_text(r->dedupe_key), p_int(r->run_at_ms ? r->run_at_ms : now_ms),
        p_int_or_null(r->inbox_id), p_int(now_ms), p_int_or_null(r->topic_id));
    int64_t got = 0;
    while (db_step(s))
        got = db_int(s, 0);
    if (id)
        *id = got;
    if (db_done(s, e))
        return e->status;
    return got && r->topic_id ? outbox_raise_topic(db, r->topic_id, r->priority, e) : OK;
}

enum status outbox_replace(struct db *db, int64_t id, const char *payload, int priority, int64_t *changed,
                           struct error *e)
{
    int64_t topic_id = 0;
    bool found;
    *changed = 0;
    if (db_get_int(db, &topic_id, &found, e,
                   "UPDATE outbox SET payload = $2, priority = $3 WHERE id = $1 AND state = 'available'"
                   " RETURNING COALESCE(topic_id, 0)",
                   p_int(id), p_text(payload), p_int(priority)))
        return e->status;
    *changed = found;
    return found && topic_id ? outbox_raise_topic(db, topic_id, priority, e) : OK;
}

enum status outbox_withdraw(struct db *db, int64_t id, int64_t *changed, struct error *e)
{
    return db_run_changed(db, changed, e, "DELETE FROM outbox WHERE id = $1 AND state = 'available' AND unknowns = 0",
                          p_int(id));
}

/* Every settling statement names the token: a sender that lost its lease changes nothing. */
#define SETTLE(set)                                                                                                    \
    "UPDATE outbox SET " set ", owner_id = NULL, lease_until = NULL WHERE id = $1 AND token = $2 AND state = "         \
    "'sending'"

static enum status settle(struct db *db, const struct outbox_row *r, const char *sql, struct param third,
                          struct param fourth, struct error *e)
{
    int64_t changed = 0;
    if (db_run_changed(db, &changed, e, sql, p_int(r->id), p_int(r->token), third, fourth))
        return e->status;
    return changed ? OK : fail(e, ST_LOST, "another sender has taken this message over");
}

enum status outbox_sent(struct db *db, const struct outbox_row *r, int64_t message_id, int64_t now_ms, struct error *e)
{
    return settle(db, r, SETTLE("state = 'sent', message_id = CAST($3 AS BIGINT), finished_at = $4"),
                  p_int_or_null(message_id), p_int(now_ms), e);
}

enum status outbox_retry(struct db *db, const struct outbox_row *r, int64_t run_at_ms, const char *why, struct error *e)
{
    return settle(db, r, SETTLE("state = 'available', attempts = attempts + 1, run_at = $3, last_error = $4"),
                  p_int(run_at_ms), p_text(why), e);
}

enum status outbox_unknown(struct db *db, const struct outbox_row *r, int64_t run_at_ms, const char *why,
                           struct error *e)
{
    return settle(db, r, SETTLE("state = 'available', unknowns = unknowns + 1, run_at = $3, last_error = $4"),
                  p_int(run_at_ms), p_text(why), e);
}

enum status outbox_park(struct db *db, const struct outbox_row *r, const char *why, int64_t now_ms, struct error *e)
{
    return settle(db, r, SETTLE("state = 'parked', last_error = $3, finished_at = $4"), p_text(why), p_int(now_ms), e);
}

enum status outbox_give_back(struct db *db, const struct outbox_row *r, int64_t run_at_ms, const char *why,
                             struct error *e)
{
    return settle(db, r, SETTLE("state = 'available', run_at = $3, last_error = COALESCE($4, last_error)"),
                  p_int(run_at_ms), p_text(why), e);
}

enum status outbox_sent_late(struct db *db, const struct outbox_row *r, int64_t message_id, int64_t now_ms,
                             int64_t *changed, struct error *e)
{
    return db_run_changed(
        db, changed, e,
        "UPDATE outbox SET state = 'sent', message_id = CAST($2 AS BIGINT), finished_at = $3 WHERE id = $1"
        " AND state = 'available'",
        p_int(r->id), p_int_or_null(message_id), p_int(now_ms));
}

enum status outbox_give_back_orphans(struct db *db, int64_t owner_id, const char *channels, const int64_t *keep,
                                     int keep_count, struct error *e)
{
    struct arena *a = arena_new();
    enum status s = OK;
    /* The COMMIT of that claim may be under way still: what it changes looks available, and is locked. */
    if (db_kind(db) == DB_POSTGRES)
        s = db_run(db, e,
                   "SELECT id FROM outbox WHERE state = 'available' AND $1 LIKE '%,' || channel || ',%' FOR UPDATE",
                   p_text(channels));
    if (s == OK)
        s = db_run(db, e,
                   "UPDATE outbox SET state = 'available', token = token + 1, owner_id = NULL, lease_until = NULL"
                   " WHERE state = 'sending' AND owner_id = $1 AND $2 LIKE '%,' || channel || ',%'"
                   " AND $3 NOT LIKE '%,' || CAST(id AS TEXT) || ',%'",
                   p_int(owner_id), p_text(channels), p_text(id_list(a, keep, keep_count)));
    arena_free(a);
    return s;
}

enum status outbox_move_chat(struct db *db, const char *channel, int64_t from, int64_t to, struct error *e)
{
    return db_run(
        db, e,
        "UPDATE outbox SET chat_id = $3 WHERE channel = $1 AND chat_id = $2 AND state IN ('available', 'sending')",
        p_text(channel), p_int(from), p_int(to));
}

static enum status rescue_where(struct db *db, int64_t owner_id, int64_t now_ms, int64_t *rescued, struct error *e)
{
    int64_t changed = 0;
    enum status s = db_run_changed(
        db, &changed, e,
        "UPDATE outbox SET state = 'available', unknowns = unknowns + $3, token = token + 1, run_at = $2,"
        " owner_id = NULL, lease_until = NULL, last_error = 'the program stopped while sending'"
        " WHERE state = 'sending' AND (owner_id = $1 OR lease_until < $2)",
        p_int(owner_id), p_int(now_ms), p_int(fault_broken_order() ? 0 : 1));
    *rescued += changed;
    return s;
}

enum status outbox_rescue(struct db *db, int64_t now_ms, int64_t *rescued, struct error *e)
{
    int64_t gone[STORE_OWNERS_MAX];
    int owners;
    *rescued = 0;
    if (store_owners_gone(db, "SELECT DISTINCT owner_id FROM outbox WHERE state = 'sending' AND owner_id IS NOT NULL",
                          gone, &owners, e))
        return e->status;
    for (int i = 0; i < owners; i++)
        if (rescue_where(db, gone[i], now_ms, rescued, e))
            return e->status;
    return rescue_where(db, -1, now_ms, rescued, e);
}

enum status outbox_prune(struct db *db, int64_t before_ms, struct error *e)
{
    return db_run(db, e, "DELETE FROM outbox WHERE finished_at < $1 AND state = 'sent'", p_int(before_ms));
}
