/* SPDX-License-Identifier: MIT
 * inbox_stage: taking in a flood.  A row of the inbox costs three indexes, which order, claims and "nothing twice"
 * need, but not before somebody claims: in a flood the committer writes a whole batch as one row without them, and a
 * claim that finds nothing to take unfolds the oldest of them, in its own transaction.
 *
 * Order in a lane: what is staged came after what stands in the inbox.  So while anything is staged, by whatever
 * instance, inbox_put() stages too.  Two lanes are never staged: taps have a worker of their own, which must not wait
 * behind messages, and the console's page shows what waits.  A duplicate is staged like any other and falls to the
 * inbox's key when it is unfolded. */
#include "store/inbox_row.h"

#include "base/decimal.h"
#include "base/limits.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROW_BYTES_FULL = 256 * KIB, /* a row that has so many takes no further post */
    ROW_POSTS_MAX = 4096,       /* of any row, whoever wrote it */
    HEAD_BYTES = 24,            /* room for a body's length and the separators */
    /* Unfolded between two looks for a message: others wait for it. */
    UNFOLD_POSTS = 256,
    UNFOLD_ROWS = 16,
    UNFOLD_BYTES = 4 * MIB,
};
_Static_assert(INTAKE_BATCH_MAX <= (int)ROW_POSTS_MAX, "a batch must be readable");
#define SEPARATOR '\x1f' /* not in a channel, a key or a lane: these are ours */

bool inbox_stageable(const struct inbox_update *u)
{
    return !u->tap && strcmp(u->channel, "console") != 0;
}

enum status inbox_staged_any(struct db *db, bool *any, struct error *e)
{
    int64_t id;
    return db_get_int(db, &id, any, e, "SELECT id FROM inbox_staging ORDER BY id LIMIT 1");
}

/* --- in --- */

static size_t update_bytes(const struct inbox_update *u)
{
    return strlen(u->channel) + strlen(u->update_key) + strlen(u->lane) + strlen(u->body) + HEAD_BYTES;
}

static char *part_put(char *to, const char *part)
{
    to = stpcpy(to, part);
    *to++ = SEPARATOR;
    return to;
}

/* channel, key, lane, the body's length in bytes, the body: five parts, of which the last may hold anything. */
static size_t update_write(char *to, const struct inbox_update *u)
{
    size_t len = strlen(u->body);
    char *p = part_put(part_put(part_put(to, u->channel), u->update_key), u->lane);
    p = decimal_put(p, (int64_t)len);
    *p++ = SEPARATOR;
    memcpy(p, u->body, len);
    return (size_t)(p - to) + len;
}

/* As many as fit into one row; at least one. */
static size_t stage_fit(const struct inbox_update *u, size_t count, size_t *bytes)
{
    size_t n = 0;
    for (*bytes = 0; n < count && n < INTAKE_BATCH_MAX && (n == 0 || *bytes < ROW_BYTES_FULL); n++)
        *bytes += update_bytes(&u[n]);
    return n;
}

enum status inbox_stage_rows(struct db *db, const struct inbox_update *u, size_t count, int64_t now_ms, struct error *e)
{
    enum status st = OK;
    if (now_ms == INBOX_NOW && db_kind(db) == DB_SQLITE)
        st = db_now_ms(db, &now_ms, e);
    while (count > 0 && st == OK) {
        size_t bytes, len = 0, n = stage_fit(u, count, &bytes);
        char *text = xmalloc(bytes + 1);
        for (size_t i = 0; i < n; i++)
            len += update_write(text + len, &u[i]);
        st = db_run_later(db, e,
                          db_dialect(db, "INSERT INTO inbox_staging (posts, updates, received_at) VALUES ($1, $2, $3)",
                                     "INSERT INTO inbox_staging (posts, updates, received_at) VALUES ($1, $2,"
                                     " CASE WHEN $3 = -1 THEN (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
                                     " ELSE $3 END)"),
                          p_int((int64_t)n), p_text_len(text, len), p_int(now_ms));
        free(text);
        u += n;
        count -= n;
    }
    return st;
}

/* --- out --- */

struct staged {
    int64_t id, posts, received_at_ms;
    char *text; /* arena-owned; its separators become NULs */
};

static enum status oldest_read(struct db *db, struct arena *a, struct staged *out, struct error *e)
{
    out->id = 0;
    struct stmt *s = db_query(db, "SELECT id, posts, received_at, updates FROM inbox_staging ORDER BY id LIMIT 1");
    while (db_step(s))
        *out = (struct staged){ db_int(s, 0), db_int(s, 1), db_int(s, 2), arena_strdup(a, db_text(s, 3)) };
    return db_done(s, e);
}

static bool posts_plausible(const struct staged *row)
{
    return row->posts > 0 && row->posts <= ROW_POSTS_MAX;
}

/* The next part of *at, which moves behind its separator; NULL: there is none. */
static char *part_next(char **at)
{
    char *part = *at, *end = strchr(part, SEPARATOR);
    if (!end)
        return NULL;
    *end = '\0';
    *at = end + 1;
    return part;
}

/* False: *at does not begin with an update. */
static bool update_read(struct arena *a, char **at, const char *text_end, struct inbox_update *out)
{
    char *length, *end;
    *out = (struct inbox_update){ 0 };
    if (!(out->channel = part_next(at)) || !(out->update_key = part_next(at)) || !(out->lane = part_next(at)) ||
        !(length = part_next(at)))
        return false;
    unsigned long long len = strtoull(length, &end, 10);
    if (end == length || *end || len > (size_t)(text_end - *at))
        return false;
    out->body = arena_strndup(a, *at, len);
    *at += len;
    return true;
}

/* What this program never writes: kept for a person to look at, instead of standing before all that comes after. */
static enum status set_aside(struct db *db, const struct staged *row, int64_t now_ms, struct error *e)
{
    char name[64];
    snprintf(name, sizeof name, "staging:%lld:%lld", (long long)row->id, (long long)now_ms);
    log_event(LOG_ERROR, "a staged row cannot be read", F_INT("id", row->id));
    return db_run(
        db, e,
        "INSERT INTO inbox (channel, update_key, lane, body, state, run_at, received_at, finished_at, outcome)"
        " SELECT 'staging', $2, $2, updates, 'parked', $3, received_at, $3, 'parked' FROM inbox_staging"
        " WHERE id = $1",
        p_int(row->id), p_text(name), p_int(now_ms));
}

static enum status staged_unfold(struct db *db, struct arena *a, const struct staged *row, int64_t now_ms,
                                 struct error *e)
{
    size_t count = 0, all = posts_plausible(row) ? (size_t)row->posts : 0;
    struct inbox_update *u = arena_alloc(a, (all + 1) * sizeof *u);
    char *at = row->text, *end = at + strlen(at);
    while (count < all && update_read(a, &at, end, &u[count]))
        count++;
    if (all == 0 || count < all || at != end)
        return set_aside(db, row, now_ms, e);
    int64_t stored = 0, at_ms = row->received_at_ms < now_ms ? row->received_at_ms : now_ms; /* a clock set back */
    return inbox_put_rows(db, u, count, at_ms, &stored, e);
}

/* One at a time, or two instances could give later posts the smaller ids.  *mine false: another one is at it. */
static enum status unfold_lock(struct db *db, bool *mine, struct error *e)
{
    int64_t got = 1;
    enum status st = OK;
    if (db_kind(db) == DB_POSTGRES)
        st = db_get_int(db, &got, NULL, e, "SELECT pg_try_advisory_xact_lock(7310868736)");
    *mine = got != 0;
    return st;
}

/* *bytes = 0: nothing is staged. */
static enum status unfold_oldest(struct db *db, int64_t now_ms, size_t *bytes, int64_t *posts, struct error *e)
{
    struct arena *a = arena_new();
    struct staged row;
    *bytes = 0;
    enum status st = oldest_read(db, a, &row, e);
    if (st == OK && row.id) {
        *bytes = strlen(row.text) + 1;
        *posts += posts_plausible(&row) ? row.posts : 1;
        st = staged_unfold(db, a, &row, now_ms, e);
        if (st == OK)
            st = db_run_later(db, e, "DELETE FROM inbox_staging WHERE id = $1", p_int(row.id));
    }
    arena_free(a);
    return st;
}

enum status inbox_unfold(struct db *db, int64_t now_ms, int64_t *posts, bool *others, struct error *e)
{
    bool any = false, mine = false;
    *posts = 0;
    *others = false;
    enum status st = inbox_staged_any(db, &any, e);
    if (st == OK && any)
        st = unfold_lock(db, &mine, e);
    *others = st == OK && any && !mine;
    size_t all = 0, bytes = mine;
    for (int rows = 0; st == OK && bytes > 0 && rows < UNFOLD_ROWS && *posts < UNFOLD_POSTS && all < UNFOLD_BYTES;
         rows++) {
        st = unfold_oldest(db, now_ms, &bytes, posts, e);
        all += bytes;
    }
    return st;
}
