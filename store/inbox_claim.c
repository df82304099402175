/* SPDX-License-Identifier: MIT
 * inbox_claim: taking the head of a lane: the oldest due row of which no earlier row of its lane is unfinished.
 * Called by workers inside store_write().  PostgreSQL finds it in one statement, side by side with other claims, by an
 * index on lanes.  SQLite has one writer, so nothing changes between two statements: the queue is walked by id, and the
 * first row of a lane that is met is its head; its index grows at one end only, which makes taking in cheap.
 * Who finds no message to take unfolds what a flood has left (inbox_stage.c) and looks again. */
#include "store/inbox_row.h"

#include "base/hash.h"
#include "base/limits.h"

#include <string.h>

enum { LOOKS_MAX = 4 }; /* in one transaction, which others wait for: behind a chat's backlog a look may be long */

/* --- PostgreSQL --- */

/* How far the front of the queue reaches, and how many more heads are found than the one that is wanted, since other
 * workers may hold their locks. */
#define FRONT_ROWS "64"
#define HEADS "16"

/* MATERIALIZED is a fence: without it a planner may run the subquery once per row and claim more than one.  ORDER BY …
 * LIMIT 1 where EXISTS or MIN would do makes the planner go by the index, whatever the table's size was when the
 * statement was planned; "+" and "|| ''" keep it from walking through the queue until it meets the ids; an array is
 * looked up, where it might read the table along a join. */
#define HEAD                                                                                                           \
    "(SELECT f.id FROM inbox f WHERE f.lane = l.lane AND f.state IN ('available', 'running') ORDER BY f.id LIMIT 1)"
#define CLAIM(with, ids)                                                                                               \
    "WITH RECURSIVE " with ", head AS MATERIALIZED (SELECT j.id FROM inbox j WHERE j.id = ANY (ARRAY(" ids "))"        \
    " AND j.state || '' = 'available' AND j.tap = $1 AND +j.run_at <= $2 AND j.crashes <= $5"                          \
    " ORDER BY +j.run_at, j.id LIMIT 1 FOR UPDATE OF j SKIP LOCKED)"                                                   \
    " UPDATE inbox SET state = 'running', token = token + 1, owner_id = $3, lease_until = $4"                          \
    " WHERE inbox.id = (SELECT h.id FROM head h) RETURNING " INBOX_COLUMNS                                             \
    ", COALESCE((SELECT n.id FROM inbox n WHERE n.state = 'available' AND n.tap = $1 AND n.run_at <= $2"               \
    " AND n.id <> inbox.id ORDER BY n.run_at, n.id LIMIT 1),"                                                          \
    " (SELECT g.id FROM inbox_staging g WHERE $1 = 0 ORDER BY g.id LIMIT 1))"
/* Of the front of the queue, those that are heads. */
#define FRONT                                                                                                          \
    "front AS MATERIALIZED (SELECT w.id, w.lane, w.crashes FROM inbox w WHERE w.state = 'available' AND w.tap = $1"    \
    " AND w.run_at <= $2 ORDER BY w.run_at, w.id LIMIT " FRONT_ROWS ")"                                                \
    ", near AS MATERIALIZED (SELECT l.id FROM front l WHERE l.crashes <= $5 AND l.id = " HEAD " LIMIT " HEADS ")"
/* When the whole front belongs to lanes whose head is at work: from lane to lane, however many rows each has. */
#define LANES                                                                                                          \
    "lanes (lane) AS (SELECT (SELECT o.lane FROM inbox o WHERE o.state IN ('available', 'running')"                    \
    " ORDER BY o.lane LIMIT 1) UNION ALL SELECT (SELECT o.lane FROM inbox o WHERE o.lane > l.lane"                     \
    " AND o.state IN ('available', 'running') ORDER BY o.lane LIMIT 1) FROM lanes l WHERE l.lane IS NOT NULL)"
static const char claim_sql[] =
    CLAIM(FRONT ", " LANES, "SELECT c.id FROM near c UNION ALL SELECT " HEAD " FROM lanes l WHERE l.lane IS NOT NULL"
                            " AND NOT EXISTS (SELECT 1 FROM near) AND (SELECT COUNT(*) FROM front) = " FRONT_ROWS);

static enum status claim_at_once(struct db *db, struct inbox_claim *c, struct error *e)
{
    struct stmt *s = db_query(db, claim_sql, p_int(c->tap), p_int(c->now_ms), p_int(c->owner_id),
                              p_int(c->now_ms + LEASE_MS), p_int(c->crashes_max));
    while (db_step(s)) {
        inbox_row_read(s, c->arena, &c->row);
        c->found = true;
        c->more = db_int(s, INBOX_COLUMN_COUNT) != 0;
    }
    return db_done(s, e);
}

/* --- SQLite --- */

enum { LANE_BUCKETS = 128 };

/* Lanes that nobody may take from: one of their rows is running, or their head is not due. */
struct lane_set {
    struct arena *arena;
    struct lane_node {
        struct lane_node *next;
        char *lane;
    } * bucket[LANE_BUCKETS];
};

static struct lane_node **lane_bucket(struct lane_set *set, const char *lane)
{
    return &set->bucket[hash_bytes(lane, strlen(lane)) % LANE_BUCKETS];
}

static bool lane_known(struct lane_set *set, const char *lane)
{
    for (struct lane_node *n = *lane_bucket(set, lane); n; n = n->next)
        if (strcmp(n->lane, lane) == 0)
            return true;
    return false;
}

static void lane_note(struct lane_set *set, const char *lane)
{
    struct lane_node **at = lane_bucket(set, lane), *n = arena_alloc(set->arena, sizeof *n);
    n->lane = arena_strdup(set->arena, lane);
    n->next = *at;
    *at = n;
}

static enum status lanes_running(struct db *db, struct lane_set *set, struct error *e)
{
    struct stmt *s = db_query(db, "SELECT lane FROM inbox WHERE state = 'running'");
    while (db_step(s))
        lane_note(set, db_text(s, 0));
    return db_done(s, e);
}

/* Walks the queue, not further than to the head and one row behind it; *id stays 0 when no lane has a head to take. */
static enum status head_find(struct db *db, struct lane_set *set, struct inbox_claim *c, int64_t *id, struct error *e)
{
    struct stmt *s =
        db_query(db, "SELECT id, lane, run_at, crashes FROM inbox WHERE state = 'available' AND tap = $1 ORDER BY id",
                 p_int(c->tap));
    while (!(*id && c->more) && db_step(s)) {
        bool due = db_int(s, 2) <= c->now_ms, blocked = lane_known(set, db_text(s, 1));
        if (*id || blocked)
            c->more |= due;
        else if (due && db_int(s, 3) <= c->crashes_max)
            *id = db_int(s, 0);
        else
            lane_note(set, db_text(s, 1));
    }
    return db_done(s, e);
}

static enum status claim_by_walk(struct db *db, struct inbox_claim *c, struct error *e)
{
    struct lane_set set = { .arena = c->arena };
    int64_t id = 0;
    if (lanes_running(db, &set, e) || head_find(db, &set, c, &id, e))
        return e->status;
    c->more &= id != 0; /* as of the row that was taken */
    if (!id)
        return OK;
    struct stmt *s = db_query(db,
                              "UPDATE inbox SET state = 'running', token = token + 1, owner_id = $2, lease_until = $3"
                              " WHERE id = $1 RETURNING " INBOX_COLUMNS,
                              p_int(id), p_int(c->owner_id), p_int(c->now_ms + LEASE_MS));
    while (db_step(s)) {
        inbox_row_read(s, c->arena, &c->row);
        c->found = true;
    }
    if (db_done(s, e))
        return e->status;
    return c->more || c->tap ? OK : inbox_staged_any(db, &c->more, e);
}

/* --- either --- */

static enum status claim_once(struct db *db, struct inbox_claim *c, struct error *e)
{
    c->found = c->more = c->staged = false;
    return db_kind(db) == DB_SQLITE ? claim_by_walk(db, c, e) : claim_at_once(db, c, e);
}

enum status inbox_claim(struct db *db, void *arg, struct error *e)
{
    struct inbox_claim *c = arg;
    int64_t posts = 1;
    bool others = false, unfolded = false;
    if (db_now_ms(db, &c->now_ms, e) || claim_once(db, c, e))
        return e->status;
    for (int looks = 1; !c->found && !c->tap && posts > 0 && looks < LOOKS_MAX; looks++) {
        if (inbox_unfold(db, c->now_ms, &posts, &others, e) || (posts > 0 && claim_once(db, c, e)))
            return e->status;
        unfolded |= posts > 0;
    }
    c->more |= unfolded && !c->found; /* and more may be staged */
    c->staged = others || c->more;
    return OK;
}
