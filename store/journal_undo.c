/* SPDX-License-Identifier: MIT
 * journal_undo: a turn undone as one step.  Called by the turn for "undo" in words or by button, inside its
 * transaction, on worker threads.  Everything happens in a savepoint: an undo that cannot be done whole is not done.
 * It never touches a column that the undone turn did not change. */
#include "base/json.h"
#include "base/limits.h"
#include "store/journal.h"
#include "store/journal_row.h"
#include <string.h>

struct turn {
    int64_t id, user_id, created_at;
    const char *summary;
};
struct step {
    const struct journal_table *table;
    int64_t row_id;
    struct json_object *diff; /* NULL: the turn inserted the row */
};
struct undo {
    struct db *db;
    struct arena *arena;
    struct turn turn;
    struct step *steps; /* newest first */
    int count;
    int64_t now_ms;
};

static enum status turn_find(struct undo *u, int64_t user_id, int64_t turn_id, bool *found, struct error *e)
{
    bool undone = false;
    struct stmt *s = db_query(u->db,
                              "SELECT inbox_id, created_at, summary, undone_at FROM turns WHERE user_id = $1"
                              " AND (inbox_id = $2 OR ($2 = 0 AND undone_at IS NULL))"
                              " ORDER BY created_at DESC, inbox_id DESC LIMIT 1",
                              p_int(user_id), p_int(turn_id));
    *found = db_step(s);
    if (*found) {
        undone = !db_is_null(s, 3);
        u->turn = (struct turn){ .id = db_int(s, 0),
                                 .user_id = user_id,
                                 .created_at = db_int(s, 1),
                                 .summary = arena_strdup(u->arena, db_text(s, 2)) };
    }
    enum status st = db_done(s, e);
    if (st)
        return st;
    if (!*found)
        return turn_id ? fail(e, ST_NOT_FOUND, "There is nothing to undo there.") : OK;
    if (undone)
        return fail(e, ST_NOT_FOUND, "That was already undone.");
    if (u->turn.created_at >= u->now_ms - UNDO_WINDOW_MS)
        return OK;
    *found = false;
    return turn_id ? fail(e, ST_NOT_FOUND, "That was more than 24 hours ago and can no longer be undone.") : OK;
}

/* A row that several rounds of the turn changed is one step: from before the first to after the last. */
static void step_merge(struct step *newer, struct json_object *older)
{
    if (!older || !newer->diff) {
        newer->diff = NULL;
        return;
    }
    json_object_object_foreach(older, column, pair)
    {
        struct json_object *later = json_object_object_get(newer->diff, column);
        if (later)
            json_object_array_put_idx(later, 0, json_object_get(json_object_array_get_idx(pair, 0)));
        else
            json_set(newer->diff, column, json_object_get(pair));
    }
}

static enum status step_add(struct undo *u, const char *table, int64_t row_id, const char *before, struct error *e)
{
    struct step step = { .table = journal_table(table), .row_id = row_id };
    if (!step.table)
        return fail(e, ST_INTERNAL, "the journal names table %s", table);
    enum status st = before ? json_parse_in(u->arena, before, strlen(before), &step.diff, e) : OK;
    if (st)
        return st;
    for (int i = 0; i < u->count; i++)
        if (u->steps[i].row_id == row_id && u->steps[i].table == step.table) {
            step_merge(&u->steps[i], step.diff);
            return OK;
        }
    u->steps = arena_room(u->arena, u->steps, (size_t)u->count, sizeof *u->steps);
    u->steps[u->count++] = step;
    return OK;
}

static enum status steps_load(struct undo *u, struct error *e)
{
    enum status st = OK;
    struct stmt *s =
        db_query(u->db, "SELECT table_name, row_id, before FROM journal WHERE inbox_id = $1 ORDER BY seq DESC",
                 p_int(u->turn.id));
    while (!st && db_step(s))
        st = step_add(u, db_text(s, 0), db_int(s, 1), db_text_or_null(s, 2), e);
    enum status done = db_done(s, st ? NULL : e);
    return st ? st : done;
}

/* A later turn, not undone, that changed what this step would restore. */
static enum status later_turn(struct undo *u, const struct step *step, const char **summary, struct error *e)
{
    enum status st = OK;
    *summary = NULL;
    struct stmt *s = db_query(u->db,
                              "SELECT t.summary, j.before FROM turns t JOIN journal j ON j.inbox_id = t.inbox_id"
                              " WHERE t.user_id = $1 AND t.undone_at IS NULL AND t.inbox_id <> $2"
                              " AND (t.created_at > $3 OR (t.created_at = $3 AND t.inbox_id > $2))"
                              " AND j.table_name = $4 AND j.row_id = $5 ORDER BY t.created_at DESC, t.inbox_id DESC",
                              p_int(u->turn.user_id), p_int(u->turn.id), p_int(u->turn.created_at),
                              p_text(step->table->name), p_int(step->row_id));
    while (!st && !*summary && db_step(s)) {
        const char *text = db_text_or_null(s, 1);
        struct json_object *other = NULL;
        if (text)
            st = json_parse_in(u->arena, text, strlen(text), &other, e);
        if (!st && (!step->diff || !other || journal_row_overlap(step->table, step->diff, other)))
            *summary = arena_strdup(u->arena, db_text(s, 0));
    }
    enum status done = db_done(s, st ? NULL : e);
    return st ? st : done;
}

static enum status step_check(struct undo *u, const struct step *step, struct error *e)
{
    const char *summary;
    struct json_object *row;
    bool found;
    enum status st = later_turn(u, step, &summary, e);
    if (st)
        return st;
    if (summary)
        return fail(e, ST_CONFLICT, "It was changed again since (%s); undo that first.", summary);
    if (!step->diff)
        return OK;
    st = journal_row_read(u->db, u->arena, step->table, step->row_id, u->turn.user_id, &row, &found, e);
    if (st)
        return st;
    if (!found || journal_row_changed(step->table, step->diff, row))
        return fail(e, ST_CONFLICT, "It was changed again since, so it cannot be undone.");
    return OK;
}

/* Does undoing this step take the row away?  Those go first: a unique key may want the place. */
static bool step_removes(const struct step *step)
{
    struct json_object *pair = step->diff ? json_object_object_get(step->diff, "deleted_at") : NULL;
    return !step->diff || (pair && json_object_array_get_idx(pair, 0));
}

static enum status step_undo(struct undo *u, const struct step *step, struct error *e)
{
    if (step->diff)
        return journal_row_restore(u->db, step->table, step->row_id, u->turn.user_id, step->diff, e);
    return db_run(u->db, e,
                  arena_printf(u->arena,
                               "UPDATE %s SET deleted_at = $1 WHERE id = $2 AND %s = $3 AND deleted_at IS NULL",
                               step->table->name, step->table->owner),
                  p_int(u->now_ms), p_int(step->row_id), p_int(u->turn.user_id));
}

static enum status mark_undone(struct undo *u, struct error *e)
{
    int64_t changed;
    enum status st = db_run_changed(u->db, &changed, e,
                                    "UPDATE turns SET undone_at = $1 WHERE inbox_id = $2 AND user_id = $3"
                                    " AND undone_at IS NULL",
                                    p_int(u->now_ms), p_int(u->turn.id), p_int(u->turn.user_id));
    if (!st && !changed)
        return fail(e, ST_NOT_FOUND, "That was already undone.");
    return st;
}

static enum status undo_all(struct undo *u, struct error *e)
{
    enum status st = mark_undone(u, e); /* first: it locks the turn against a second undo */
    if (!st)
        st = steps_load(u, e);
    for (int i = 0; !st && i < u->count; i++)
        st = step_check(u, &u->steps[i], e);
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; !st && i < u->count; i++)
            if (step_removes(&u->steps[i]) == (pass == 0))
                st = step_undo(u, &u->steps[i], e);
    if (st == ST_EXISTS)
        return fail(e, ST_CONFLICT, "Another entry has taken its place since; delete that one first.");
    return st;
}

enum status journal_undo(struct db *db, struct arena *arena, int64_t user_id, int64_t turn_id, int64_t now_ms,
                         struct undo_result *out, struct error *e)
{
    bool found = false;
    struct undo u = { .db = db, .arena = arena, .now_ms = now_ms };
    *out = (struct undo_result){ .summary = "" };
    enum status st = turn_find(&u, user_id, turn_id, &found, e);
    if (st || !found)
        return st;
    if ((st = db_savepoint(db, e)))
        return st;
    st = undo_all(&u, e);
    if (st) {
        db_savepoint_rollback(db);
        return st;
    }
    *out = (struct undo_result){ .inbox_id = u.turn.id, .summary = u.turn.summary, .rows = u.count };
    return db_savepoint_release(db, e);
}
