/* SPDX-License-Identifier: MIT
 * requests: see requests.h.  Called by router/ask*.c inside turns, by the agents' endpoints and by the scheduler. */
#include "store/requests.h"

#include "store/audit.h"

#include <string.h>

static const char *const state_name[] = { "open", "responded", "expired", "cancelled", "told" };

const char *request_state_name(enum request_state s)
{
    return state_name[s];
}

static enum request_state state_of(const char *name)
{
    for (int i = 0; i < (int)(sizeof state_name / sizeof *state_name); i++)
        if (strcmp(state_name[i], name) == 0)
            return (enum request_state)i;
    return REQUEST_CANCELLED;
}

enum status requests_lock(struct db *db, struct error *e)
{
    return audit_lock(db, e); /* one lock for both: no order to get wrong */
}

enum status request_insert(struct db *db, struct agent_request *r, struct error *e)
{
    struct stmt *s = db_query(
        db,
        "INSERT INTO requests (request_id, content_hash, origin, project, type, message, details, details_name, "
        "buttons,"
        " multi, code, numbers, approvers, quorum, quiet, remind_every_ms, next_remind_at, expires_at, default_answer,"
        " state, created_at, finished_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,"
        " CAST($16 AS BIGINT), CAST($17 AS BIGINT), CAST($18 AS BIGINT), $19, $20, $21, CAST($22 AS BIGINT))"
        " RETURNING id",
        p_text(r->request_id), p_text(r->content_hash), p_text(r->origin), p_text(r->project), p_text(r->type),
        p_text(r->message), p_text(r->details), p_text(r->details_name), p_text(r->buttons), p_int(r->multi),
        p_text(r->code), p_text(r->numbers), p_text(r->approvers), p_int(r->quorum), p_text(r->quiet),
        p_int_or_null(r->remind_every_ms), p_int_or_null(r->next_remind_at_ms), p_int_or_null(r->expires_at_ms),
        p_text(r->default_answer), p_text(request_state_name(r->state)), p_int(r->created_at_ms),
        p_int_or_null(r->finished_at_ms));
    while (db_step(s))
        r->id = db_int(s, 0);
    r->version = 1;
    return db_done(s, e);
}

#define SELECT(words)                                                                                                  \
    "SELECT id, request_id, content_hash, origin, project, type, " words ", multi, "                                   \
    "quiet, code, numbers, approvers, quorum, chosen, remind_every_ms, next_remind_at, reminded, expires_at, "         \
    "default_answer, state, response, responses, label, free_text, answered_by, answered_name, how, reason, "          \
    "away_from, away_until, version, created_at, finished_at, fetched_at FROM requests "
#define COLUMNS SELECT("message, details, details_name, buttons")
#define WITHOUT_WORDS SELECT("'', NULL, NULL, '[]'")

static void request_read(struct stmt *s, struct arena *a, struct agent_request *r)
{
    int c = 0;
    *r = (struct agent_request){ .id = db_int(s, c++) };
    r->request_id = arena_strdup(a, db_text(s, c++));
    r->content_hash = arena_strdup(a, db_text(s, c++));
    r->origin = arena_strdup(a, db_text(s, c++));
    r->project = arena_strdup(a, db_text(s, c++));
    r->type = arena_strdup(a, db_text(s, c++));
    r->message = arena_strdup(a, db_text(s, c++));
    r->details = arena_strdup(a, db_text_or_null(s, c++));
    r->details_name = arena_strdup(a, db_text_or_null(s, c++));
    r->buttons = arena_strdup(a, db_text(s, c++));
    r->multi = db_int(s, c++) != 0;
    r->quiet = arena_strdup(a, db_text_or_null(s, c++));
    r->code = arena_strdup(a, db_text_or_null(s, c++));
    r->numbers = arena_strdup(a, db_text_or_null(s, c++));
    r->approvers = arena_strdup(a, db_text_or_null(s, c++));
    r->quorum = (int)db_int(s, c++);
    r->chosen = arena_strdup(a, db_text_or_null(s, c++));
    r->remind_every_ms = db_int(s, c++);
    r->next_remind_at_ms = db_int(s, c++);
    r->reminded = (int)db_int(s, c++);
    r->expires_at_ms = db_int(s, c++);
    r->default_answer = arena_strdup(a, db_text_or_null(s, c++));
    r->state = state_of(db_text(s, c++));
    r->response = arena_strdup(a, db_text_or_null(s, c++));
    r->responses = arena_strdup(a, db_text_or_null(s, c++));
    r->label = arena_strdup(a, db_text_or_null(s, c++));
    r->free_text = db_int(s, c++) != 0;
    r->answered_by = db_int(s, c++);
    r->answered_name = arena_strdup(a, db_text_or_null(s, c++));
    r->how = arena_strdup(a, db_text_or_null(s, c++));
    r->reason = arena_strdup(a, db_text_or_null(s, c++));
    r->away_from_ms = db_int(s, c++);
    r->away_until_ms = db_int(s, c++);
    r->version = db_int(s, c++);
    r->created_at_ms = db_int(s, c++);
    r->finished_at_ms = db_int(s, c++);
    r->fetched_at_ms = db_int(s, c++);
}

static enum status request_one(struct stmt *s, struct arena *a, struct agent_request *r, bool *found, struct error *e)
{
    *found = false;
    while (db_step(s)) {
        *found = true;
        request_read(s, a, r);
    }
    return db_done(s, e);
}

enum status request_by_name(struct db *db, struct arena *a, const char *request_id, struct agent_request *r,
                            bool *found, struct error *e)
{
    return request_one(db_query(db, COLUMNS "WHERE request_id = $1", p_text(request_id)), a, r, found, e);
}

enum status request_by_id(struct db *db, struct arena *a, int64_t id, struct agent_request *r, bool *found,
                          struct error *e)
{
    return request_one(db_query(db, COLUMNS "WHERE id = $1", p_int(id)), a, r, found, e);
}

enum status request_update(struct db *db, struct agent_request *r, struct error *e)
{
    int64_t changed = 0;
    if (db_run_changed(
            db, &changed, e,
            "UPDATE requests SET chosen = $2, reminded = $3, next_remind_at = CAST($4 AS BIGINT),"
            " away_from = CAST($5 AS BIGINT), away_until = CAST($6 AS BIGINT), state = $7, response = $8,"
            " responses = $9, label = $10, free_text = $11, answered_by = CAST($12 AS BIGINT), answered_name = $13,"
            " how = $14, reason = $15, finished_at = CAST($16 AS BIGINT), version = version + 1"
            " WHERE id = $1 AND state = 'open' AND version = $17",
            p_int(r->id), p_text(r->chosen), p_int(r->reminded), p_int_or_null(r->next_remind_at_ms),
            p_int_or_null(r->away_from_ms), p_int_or_null(r->away_until_ms), p_text(request_state_name(r->state)),
            p_text(r->response), p_text(r->responses), p_text(r->label), p_int(r->free_text),
            p_int_or_null(r->answered_by), p_text(r->answered_name), p_text(r->how), p_text(r->reason),
            p_int_or_null(r->finished_at_ms), p_int(r->version)))
        return e->status;
    r->version++;
    return changed ? OK : fail(e, ST_CONFLICT, "the request has changed meanwhile");
}

enum status request_fetched(struct db *db, int64_t id, int64_t now_ms, bool *first, struct error *e)
{
    int64_t changed = 0;
    if (db_run_changed(db, &changed, e,
                       "UPDATE requests SET fetched_at = $2 WHERE id = $1 AND fetched_at IS NULL AND state <> 'open'",
                       p_int(id), p_int(now_ms)))
        return e->status;
    *first = changed > 0;
    return OK;
}

/* $1 an instant, $2 how many; both are used in every one. */
static const char *const list_sql[] = {
    [REQUESTS_OPEN] = COLUMNS "WHERE state = 'open' AND $1 >= 0 ORDER BY id LIMIT $2",
    [REQUESTS_ALL] = COLUMNS "WHERE type = 'blocking' AND $1 >= 0 ORDER BY id DESC LIMIT $2",
    [REQUESTS_EXPIRED] = COLUMNS "WHERE state = 'open' AND expires_at <= $1 ORDER BY expires_at LIMIT $2",
    [REQUESTS_REMIND] = COLUMNS "WHERE state = 'open' AND next_remind_at <= $1 ORDER BY next_remind_at LIMIT $2",
    [REQUESTS_FINISHED] = WITHOUT_WORDS "WHERE finished_at >= $1 AND type = 'blocking' ORDER BY finished_at LIMIT $2",
};

enum status requests_list(struct db *db, struct arena *a, enum request_list which, int64_t at_ms, int max,
                          struct agent_request **rows, int *count, struct error *e)
{
    *rows = arena_alloc(a, (size_t)max * sizeof **rows);
    *count = 0;
    struct stmt *s = db_query(db, list_sql[which], p_int(at_ms), p_int(max));
    while (db_step(s))
        if (*count < max)
            request_read(s, a, &(*rows)[(*count)++]);
    return db_done(s, e);
}

enum status requests_prune(struct db *db, int64_t before_ms, struct error *e)
{
    static const char *const sql[] = {
        "DELETE FROM request_votes WHERE request_id IN (SELECT id FROM requests WHERE finished_at < $1)",
        "DELETE FROM cards WHERE request_id IN (SELECT id FROM requests WHERE finished_at < $1)",
        "DELETE FROM requests WHERE finished_at < $1",
    };
    for (size_t i = 0; i < sizeof sql / sizeof *sql; i++)
        if (db_run(db, e, sql[i], p_int(before_ms)))
            return e->status;
    return OK;
}

/* --- votes --- */

enum status vote_add(struct db *db, int64_t request_id, const struct vote *v, int64_t now_ms, bool *added,
                     struct error *e)
{
    int64_t changed = 0;
    if (db_run_changed(db, &changed, e,
                       "INSERT INTO request_votes (request_id, voter, name, option, at) VALUES ($1, $2, $3, $4, $5)"
                       " ON CONFLICT (request_id, voter) DO UPDATE SET option = EXCLUDED.option, at = EXCLUDED.at"
                       " WHERE request_votes.option <> EXCLUDED.option",
                       p_int(request_id), p_int(v->voter), p_text(v->name), p_int(v->option), p_int(now_ms)))
        return e->status;
    *added = changed > 0;
    return OK;
}

enum status vote_list(struct db *db, struct arena *a, int64_t request_id, struct vote **votes, int *count,
                      struct error *e)
{
    enum { VOTES_MAX = 64 }; /* allowed people are fewer */
    *votes = arena_alloc(a, VOTES_MAX * sizeof **votes);
    *count = 0;
    struct stmt *s =
        db_query(db, "SELECT voter, name, option FROM request_votes WHERE request_id = $1 ORDER BY at, voter",
                 p_int(request_id));
    while (db_step(s))
        if (*count < VOTES_MAX)
            (*votes)[(*count)++] = (struct vote){ db_int(s, 0), arena_strdup(a, db_text(s, 1)), (int)db_int(s, 2) };
    return db_done(s, e);
}
