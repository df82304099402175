/* SPDX-License-Identifier: MIT
 * outbox_claim: taking the heads of chats' lanes.  Called by sender threads inside store_write().  It runs for every
 * message and whenever a sender is woken, so it must never read the backlog: first it looks at the front of the queue,
 * and only when all of that belongs to chats that cannot be served now, at the head of each lane. */
#include "store/outbox.h"

#include "base/limits.h"
#include "store/id_list.h"

#include <stdlib.h>
#include <string.h>

/* How far the front reaches, and how many more heads are found than wanted, since others may hold their locks. */
#define FRONT_ROWS "64"
#define SPARE_HEADS "16"

/* Pieces about a row j, or a lane j.  ORDER BY … LIMIT 1, here and below, where EXISTS or MIN would do: it makes
 * PostgreSQL go by the index, however small the table was when the statement was planned. */
#define SERVED " $6 LIKE '%,' || j.channel || ',%' "
#define PACED " $4 LIKE '%,' || CAST(j.chat_id AS TEXT) || ',%' "
#define PACED_LOW " (j.priority >= $8 AND $7 LIKE '%,' || CAST(j.chat_id AS TEXT) || ',%') "
#define BUSY " (j.channel, j.chat_id) IN (SELECT b.channel, b.chat_id FROM busy b) "
/* The row of its chat that goes before all others, but for those whose topic has no thread yet (a row that makes one
 * waits for nothing). */
#define HEAD                                                                                                           \
    " (SELECT f.id FROM outbox f WHERE f.channel = j.channel AND f.chat_id = j.chat_id AND f.kind <> 'tap'"            \
    " AND f.state IN ('available', 'sending') AND NOT (f.topic_id IS NOT NULL AND f.kind <> 'topic'"                   \
    " AND EXISTS (SELECT 1 FROM topics t WHERE t.id = f.topic_id AND t.state = 'wanted'))"                             \
    " ORDER BY f.rank, f.id LIMIT 1) "

/* What is being sent is little: read once, not per row. */
#define WITH_BUSY                                                                                                      \
    "busy AS MATERIALIZED (SELECT s.channel, s.chat_id FROM outbox s WHERE s.state = 'sending' AND s.kind <> 'tap')"
#define WITH_FRONT                                                                                                     \
    "front AS (SELECT w.id, w.channel, w.chat_id, w.kind, w.priority, w.run_at FROM outbox w"                          \
    " WHERE w.state = 'available' ORDER BY w.priority, w.run_at, w.id LIMIT " FRONT_ROWS ")"
/* A subquery keeps its order; should a database mix it, what matters less may go first, and nothing worse. */
#define WITH_NEAR                                                                                                      \
    "near AS (SELECT j.id FROM front j WHERE j.run_at <= $1 AND" SERVED "AND (j.kind = 'tap' OR (NOT" PACED            \
    "AND NOT" PACED_LOW "AND NOT" BUSY "AND j.id =" HEAD ")) LIMIT $5 + " SPARE_HEADS ")"
/* From chat to chat by the index on lanes, however many rows each has. */
#define WITH_CHANNELS                                                                                                  \
    "channels (channel) AS (SELECT (SELECT o.channel FROM outbox o WHERE o.state IN ('available', 'sending')"          \
    " ORDER BY o.channel LIMIT 1) UNION ALL SELECT (SELECT o.channel FROM outbox o WHERE o.channel > c.channel"        \
    " AND o.state IN ('available', 'sending') ORDER BY o.channel LIMIT 1) FROM channels c"                             \
    " WHERE c.channel IS NOT NULL)"
#define WITH_LANES                                                                                                     \
    "lanes (channel, chat_id) AS (SELECT j.channel, (SELECT o.chat_id FROM outbox o WHERE o.channel = j.channel"       \
    " AND o.state IN ('available', 'sending') ORDER BY o.chat_id LIMIT 1) FROM channels j WHERE" SERVED                \
    "UNION ALL SELECT l.channel, (SELECT o.chat_id FROM outbox o WHERE o.channel = l.channel"                          \
    " AND o.chat_id > l.chat_id AND o.state IN ('available', 'sending') ORDER BY o.chat_id LIMIT 1) FROM lanes l"      \
    " WHERE l.chat_id IS NOT NULL)"
#define WITH_FAR                                                                                                       \
    "far (id) AS (SELECT" HEAD "FROM lanes j WHERE j.chat_id IS NOT NULL AND NOT" PACED "AND NOT" BUSY                 \
    "UNION ALL SELECT u.id FROM (SELECT j.id FROM outbox j WHERE j.state = 'available' AND j.priority = 0"             \
    " AND j.run_at <= $1 AND j.kind = 'tap' AND" SERVED "ORDER BY j.run_at, j.id LIMIT $5) u)"

/* The claim itself, from `ids`.  "+" and "|| ''" keep other indexes away: the ids are to be looked up, not met on a
 * walk through the queue.  $6 is ",channel,channel," of the channels to serve.  Rows of kind 'tap' answer a spinner on
 * the phone and wait for nobody.  $4 and $7 are the chats that pacing holds back, wholly and for what matters as little
 * as $8 (OUTBOX_LOW). */
#define CLAIM(with, ids, in, end, lock)                                                                                \
    "WITH RECURSIVE " WITH_BUSY ", " with ", head AS MATERIALIZED (SELECT j.id FROM outbox j WHERE j.id " in           \
    "SELECT c.id FROM " ids " c" end                                                                                   \
    " AND j.state || '' = 'available' AND +j.run_at <= $1 AND (j.kind = 'tap' OR NOT" PACED_LOW                        \
    ") ORDER BY +j.priority, j.run_at, j.id LIMIT $5" lock ")"                                                         \
    " UPDATE outbox SET state = 'sending', token = token + 1, owner_id = $2, lease_until = $3,"                        \
    " thread_id = CASE WHEN topic_id IS NULL THEN thread_id ELSE (SELECT t.thread_id FROM topics t"                    \
    " WHERE t.id = outbox.topic_id AND t.state = 'open') END WHERE id " in "SELECT h.id FROM head h" end               \
    " RETURNING id, channel, chat_id, thread_id, kind, payload, priority, dedupe_key, inbox_id, attempts, unknowns,"   \
    " token, run_at, topic_id"
#define CLAIM_SQLITE(with, ids) CLAIM(with, ids, "IN (", ")", "")
/* An array makes PostgreSQL look up each id in the index; a join may read the table along it. */
#define CLAIM_POSTGRES(with, ids) CLAIM(with, ids, "= ANY (ARRAY(", "))", " FOR UPDATE OF j SKIP LOCKED")

struct claim_sql {
    const char *sqlite, *postgres;
};
static const struct claim_sql claim_near = { CLAIM_SQLITE(WITH_FRONT ", " WITH_NEAR, "near"),
                                             CLAIM_POSTGRES(WITH_FRONT ", " WITH_NEAR, "near") };
static const struct claim_sql claim_far = { CLAIM_SQLITE(WITH_CHANNELS ", " WITH_LANES ", " WITH_FAR, "far"),
                                            CLAIM_POSTGRES(WITH_CHANNELS ", " WITH_LANES ", " WITH_FAR, "far") };

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

static enum status claim_heads(struct db *db, const struct claim_sql *sql, struct outbox_claim *c, struct error *e)
{
    struct stmt *s = db_query(db, db_dialect(db, sql->sqlite, sql->postgres), p_int(c->now_ms), p_int(c->owner_id),
                              p_int(c->now_ms + LEASE_MS), p_text(id_list(c->arena, c->skip_chats, c->skip_count)),
                              p_int(c->max), p_text(c->channels),
                              p_text(id_list(c->arena, c->skip_low_chats, c->skip_low_count)), p_int(OUTBOX_LOW));
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
        db_run_changed(db, &changed, e,
                       "UPDATE outbox SET state = 'available', owner_id = NULL, lease_until = NULL WHERE id = $1 AND"
                       " (CAST($2 AS BIGINT) = 0 OR (channel, chat_id) IN (SELECT f.channel, f.chat_id FROM outbox f"
                       " WHERE f.state = 'sending' AND f.id <> $1 AND f.kind <> 'tap'))",
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

static enum status claim_try(struct db *db, const struct claim_sql *sql, struct outbox_claim *c, struct error *e)
{
    enum { TRIES = 3 }; /* after that many lost races somebody else is at work anyway */
    const int64_t *skip = c->skip_chats;
    int skip_count = c->skip_count;
    for (int i = 0; i < TRIES; i++) {
        if (claim_heads(db, sql, c, e))
            return e->status;
        if (db_kind(db) == DB_SQLITE || c->count == 0)
            break;
        if (claim_confirm_all(db, c, e))
            return e->status;
        if (c->count > 0)
            break;
    }
    c->skip_chats = skip; /* a write may run again */
    c->skip_count = skip_count;
    return OK;
}

/* *full: rows wait behind the front. */
static enum status front_look(struct db *db, struct outbox_claim *c, bool *full, struct error *e)
{
    struct stmt *s =
        db_query(db,
                 "SELECT COUNT(*) = " FRONT_ROWS ", MIN(CASE WHEN $1 LIKE '%,' || w.channel || ',%' THEN w.run_at END)"
                 " FROM (SELECT o.run_at, o.channel FROM outbox o WHERE o.state = 'available'"
                 " ORDER BY o.priority, o.run_at, o.id LIMIT " FRONT_ROWS ") w",
                 p_text(c->channels));
    *full = false;
    if (db_step(s)) {
        *full = db_int(s, 0) != 0;
        c->next_run_at_ms = db_int(s, 1);
    }
    return db_done(s, e);
}

enum status outbox_claim(struct db *db, void *arg, struct error *e)
{
    struct outbox_claim *c = arg;
    bool full = false;
    c->count = 0;
    c->next_run_at_ms = 0;
    if (db_now_ms(db, &c->now_ms, e))
        return e->status;
    c->rows = arena_alloc(c->arena, (size_t)c->max * sizeof *c->rows);
    if (claim_try(db, &claim_near, c, e) || front_look(db, c, &full, e))
        return e->status;
    if (c->count > 0 || !full)
        return OK;
    if (claim_try(db, &claim_far, c, e))
        return e->status;
    if (c->count > 0) /* behind a front that cannot be served there may be more */
        c->next_run_at_ms = c->now_ms;
    return OK;
}
