/* SPDX-License-Identifier: MIT
 * outbox: the queue of what goes out.  Every function runs inside a store_write() of its caller: the turn (put), sender
 * threads (claim, settle) and the scheduler (rescue, prune).  A claimed row is in state 'sending': from then on a crash
 * leaves its outcome unknown, and the rescue says so. */
#include "store/outbox.h"

#include "base/fault.h"
#include "base/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct param int_or_null(int64_t v)
{
    return v ? p_int(v) : p_null();
}

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
        p_text(r->channel), p_int(r->chat_id), int_or_null(r->topic_id ? 0 : r->thread_id), p_text(r->kind),
        p_int(r->priority), p_text(r->payload), p_text(r->dedupe_key), p_int(r->run_at_ms ? r->run_at_ms : now_ms),
        int_or_null(r->inbox_id), p_int(now_ms), int_or_null(r->topic_id));
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

/* Its topic has no thread yet (and the row is not the one that makes it). */
#define WAITS(row)                                                                                                     \
    row ".topic_id IS NOT NULL AND " row ".kind <> 'topic'"                                                            \
        " AND EXISTS (SELECT 1 FROM topics t WHERE t.id = " row ".topic_id AND t.state = 'wanted')"
#define BEFORE(order)                                                                                                  \
    " AND NOT EXISTS (SELECT 1 FROM outbox f WHERE f.channel = j.channel AND f.chat_id = j.chat_id AND f.kind <> "     \
    "'tap' AND f.state IN ('available', 'sending') AND " order " AND NOT (" WAITS("f") "))"
/* Nothing of its chat is being sent or goes before it.  What is being sent is little: asked for once, not per row.  Two
 * terms for "before", because SQLite takes a comparison of pairs for one of their first halves when it looks into an
 * index. */
#define HEAD_OF_LANE                                                                                                   \
    " AND (j.channel, j.chat_id) NOT IN (SELECT s.channel, s.chat_id FROM outbox s WHERE s.state = 'sending'"          \
    " AND s.kind <> 'tap')" BEFORE("f.rank < j.rank") BEFORE("f.rank = j.rank AND f.id < j.id")

/* $6 is ",channel,channel," of the channels to serve.  The head of each chat's lane; rows of kind 'tap' answer a
 * spinner on the phone and wait for nobody.  $4 and $7 are ",chat,chat," of the chats that pacing holds back, $8 is
 * OUTBOX_LOW. */
#define CLAIM(lock)                                                                                                    \
    "WITH head AS MATERIALIZED (SELECT j.id FROM outbox j WHERE j.state = 'available' AND j.run_at <= $1"              \
    " AND $6 LIKE '%,' || j.channel || ',%'"                                                                           \
    " AND (j.kind = 'tap' OR ($4 NOT LIKE '%,' || CAST(j.chat_id AS TEXT) || ',%'"                                     \
    " AND (j.priority < $8 OR $7 NOT LIKE '%,' || CAST(j.chat_id AS TEXT) || ',%') AND NOT (" WAITS(                   \
        "j") ")" HEAD_OF_LANE "))"                                                                                     \
             " ORDER BY j.priority, j.run_at, j.id LIMIT $5" lock ")"                                                  \
             " UPDATE outbox SET state = 'sending', token = token + 1, owner_id = $2, lease_until = $3,"               \
             " thread_id = CASE WHEN topic_id IS NULL THEN thread_id ELSE (SELECT t.thread_id FROM topics t"           \
             " WHERE t.id = outbox.topic_id AND t.state = 'open') END FROM head"                                       \
             " WHERE outbox.id = head.id RETURNING outbox.id, channel, chat_id, thread_id, kind, payload, priority, "  \
             "dedupe_key,"                                                                                             \
             " inbox_id, attempts, unknowns, token, run_at, topic_id"

static void row_read(struct stmt *s, struct arena *a, struct outbox_row *r)
{
    r->id = db_int(s, 0);
    r->channel = arena_strdup(a, db_text(s, 1));
    r->chat_id = db_int(s, 2);
    r->thread_id = db_int(s, 3);
    r->kind = arena_strdup(a, db_text(s, 4));
    r->payload = arena_strdup(a, db_text(s, 5));
    r->priority = (int)db_int(s, 6);
    r->dedupe_key = arena_strdup(a, db_text_or_null(s, 7));
    r->inbox_id = db_int(s, 8);
    r->attempts = (int)db_int(s, 9);
    r->unknowns = (int)db_int(s, 10);
    r->token = db_int(s, 11);
    r->run_at_ms = db_int(s, 12);
    r->topic_id = db_int(s, 13);
}

static int by_priority_then_id(const void *x, const void *y)
{
    const struct outbox_row *a = x, *b = y;
    if (a->priority != b->priority)
        return a->priority < b->priority ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

/* ",7,9," */
static const char *id_list(struct arena *a, const int64_t *ids, int count)
{
    char *list = arena_alloc(a, 2 + (size_t)count * 22);
    size_t n = 0;
    list[n++] = ',';
    for (int i = 0; i < count; i++)
        n += (size_t)snprintf(list + n, 22, "%lld,", (long long)ids[i]);
    return list;
}

static enum status claim_heads(struct db *db, struct outbox_claim *c, struct error *e)
{
    struct stmt *s = db_query(
        db, db_dialect(db, CLAIM(""), CLAIM(" FOR UPDATE OF j SKIP LOCKED")), p_int(c->now_ms), p_int(c->owner_id),
        p_int(c->now_ms + LEASE_MS), p_text(id_list(c->arena, c->skip_chats, c->skip_count)), p_int(c->max),
        p_text(c->channels), p_text(id_list(c->arena, c->skip_low_chats, c->skip_low_count)), p_int(OUTBOX_LOW));
    c->count = 0;
    while (db_step(s))
        if (c->count < c->max)
            row_read(s, c->arena, &c->rows[c->count++]);
    if (db_done(s, e))
        return e->status;
    qsort(c->rows, (size_t)c->count, sizeof *c->rows, by_priority_then_id); /* RETURNING promises no order */
    return OK;
}

/* Two claims that run at once on PostgreSQL do not see each other's rows: a row that has just come in may overtake one
 * that another sender is taking at this moment.  So every claim locks its chat and looks again; the lock is only tried,
 * and who does not get it stands back. */
static enum status claim_confirm(struct db *db, const struct outbox_row *r, bool *ours, struct error *e)
{
    int64_t locked = 0, changed = 0;
    bool found;
    if (db_get_int(db, &locked, &found, e,
                   "SELECT CASE WHEN pg_try_advisory_xact_lock(hashtextextended($1 || ' ' || CAST($2 AS TEXT), 20))"
                   " THEN 1 ELSE 0 END",
                   p_text(r->channel), p_int(r->chat_id)) ||
        db_run_changed(
            db, &changed, e,
            "UPDATE outbox SET state = 'available', owner_id = NULL, lease_until = NULL WHERE id = $1 AND (CAST($2 AS"
            " BIGINT) = 0 OR EXISTS (SELECT 1 FROM outbox f WHERE f.state = 'sending' AND f.id <> $1 AND f.channel = "
            "outbox.channel AND f.chat_id = outbox.chat_id AND f.kind <> 'tap'))",
            p_int(r->id), p_int(locked)))
        return e->status;
    *ours = changed == 0;
    return OK;
}

/* What stays; the chats of the others are left to those who are at work there. */
static enum status claim_confirm_all(struct db *db, struct outbox_claim *c, struct error *e)
{
    int64_t *skip = arena_alloc(c->arena, (size_t)(c->skip_count + c->count) * sizeof *skip);
    int kept = 0, skipped = c->skip_count;
    if (skipped)
        memcpy(skip, c->skip_chats, (size_t)skipped * sizeof *skip);
    for (int i = 0; i < c->count; i++) {
        bool ours = true;
        if (strcmp(c->rows[i].kind, "tap") != 0 && claim_confirm(db, &c->rows[i], &ours, e))
            return e->status;
        if (ours)
            c->rows[kept++] = c->rows[i];
        else
            skip[skipped++] = c->rows[i].chat_id;
    }
    c->count = kept;
    c->skip_chats = skip;
    c->skip_count = skipped;
    return OK;
}

enum status outbox_claim(struct db *db, void *arg, struct error *e)
{
    enum { TRIES = 3 }; /* after that many lost races somebody else is at work anyway */
    struct outbox_claim *c = arg;
    c->count = 0;
    c->next_run_at_ms = 0;
    if (db_now_ms(db, &c->now_ms, e))
        return e->status;
    c->rows = arena_alloc(c->arena, (size_t)c->max * sizeof *c->rows);
    const int64_t *skip = c->skip_chats;
    int skip_count = c->skip_count;
    for (int i = 0; i < TRIES && c->count == 0; i++) {
        if (claim_heads(db, c, e))
            return e->status;
        if (db_kind(db) == DB_SQLITE || c->count == 0)
            break;
        if (claim_confirm_all(db, c, e))
            return e->status;
    }
    c->skip_chats = skip; /* a write may run again */
    c->skip_count = skip_count;
    bool found;
    return db_get_int(
        db, &c->next_run_at_ms, &found, e,
        "SELECT COALESCE(MIN(run_at), 0) FROM outbox WHERE state = 'available' AND $1 LIKE '%,' || channel || ',%'",
        p_text(c->channels));
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
                  int_or_null(message_id), p_int(now_ms), e);
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
        p_int(r->id), int_or_null(message_id), p_int(now_ms));
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
    enum { OWNERS_MAX = 64 };
    int64_t owner[OWNERS_MAX];
    int owners = 0;
    *rescued = 0;
    struct stmt *s =
        db_query(db, "SELECT DISTINCT owner_id FROM outbox WHERE state = 'sending' AND owner_id IS NOT NULL");
    while (db_step(s))
        if (owners < OWNERS_MAX)
            owner[owners++] = db_int(s, 0);
    if (db_done(s, e))
        return e->status;
    for (int i = 0; i < owners; i++) {
        bool alive = true;
        if (store_owner_alive(db, owner[i], &alive, e))
            return e->status;
        if (!alive && rescue_where(db, owner[i], now_ms, rescued, e))
            return e->status;
    }
    return rescue_where(db, -1, now_ms, rescued, e);
}

enum status outbox_prune(struct db *db, int64_t before_ms, struct error *e)
{
    return db_run(db, e, "DELETE FROM outbox WHERE finished_at < $1 AND state = 'sent'", p_int(before_ms));
}
