/* SPDX-License-Identifier: MIT
 * notes: statements on the table `notes`.  Called by the note tools and by export, inside their transaction, on worker
 * threads.  Searching notes is not here (store/recall). */
#include "store/notes.h"
#include "store/categories.h"

#define NOTE_COLUMNS "id, content, category_id, " CATEGORY_PATH_SQL("notes") ", created_date"
#define NOTE_WHERE                                                                                                     \
    " FROM notes WHERE user_id = $1 AND deleted_at IS NULL AND ($2 = 0 OR " CATEGORY_UNDER_SQL("notes", "$2") ")"

static struct param p_id(int64_t id)
{
    return id ? p_int(id) : p_null();
}

static void note_read(struct stmt *s, struct arena *arena, struct note *out)
{
    *out = (struct note){ .id = db_int(s, 0),
                          .content = arena_strdup(arena, db_text(s, 1)),
                          .category_id = db_int(s, 2),
                          .category = arena_strdup(arena, db_text_or_null(s, 3)),
                          .created_date = arena_strdup(arena, db_text(s, 4)) };
}

static enum status note_take(struct stmt *s, struct arena *arena, struct note *out, bool *found, struct error *e)
{
    *found = db_step(s);
    if (*found)
        note_read(s, arena, out);
    return db_done(s, e);
}

static enum status not_found(int64_t id, struct error *e)
{
    return fail(e, ST_NOT_FOUND, "There is no note %lld.", (long long)id);
}

enum status note_insert(struct db *db, struct arena *arena, int64_t user_id, const struct note *in, struct note *out,
                        struct error *e)
{
    bool found;
    struct stmt *s = db_query(db,
                              "INSERT INTO notes (user_id, content, category_id, created_date)"
                              " VALUES ($1, $2, CAST($3 AS BIGINT), $4) RETURNING " NOTE_COLUMNS,
                              p_int(user_id), p_text(in->content), p_id(in->category_id), p_text(in->created_date));
    enum status st = note_take(s, arena, out, &found, e);
    return !st && !found ? fail(e, ST_INTERNAL, "the new note's row did not come back") : st;
}

enum status note_get(struct db *db, struct arena *arena, int64_t user_id, int64_t id, struct note *out, bool *found,
                     struct error *e)
{
    return note_take(
        db_query(db, "SELECT " NOTE_COLUMNS " FROM notes WHERE id = $1 AND user_id = $2 AND deleted_at IS NULL",
                 p_int(id), p_int(user_id)),
        arena, out, found, e);
}

enum status note_save(struct db *db, struct arena *arena, int64_t user_id, const struct note *in, struct note *out,
                      struct error *e)
{
    bool found;
    struct stmt *s = db_query(db,
                              "UPDATE notes SET content = $3, category_id = CAST($4 AS BIGINT)"
                              " WHERE id = $1 AND user_id = $2 AND deleted_at IS NULL RETURNING " NOTE_COLUMNS,
                              p_int(in->id), p_int(user_id), p_text(in->content), p_id(in->category_id));
    enum status st = note_take(s, arena, out, &found, e);
    return !st && !found ? not_found(in->id, e) : st;
}

enum status note_delete(struct db *db, int64_t user_id, int64_t id, int64_t now_ms, struct error *e)
{
    int64_t changed;
    enum status st = db_run_changed(db, &changed, e,
                                    "UPDATE notes SET deleted_at = $1 WHERE id = $2 AND user_id = $3"
                                    " AND deleted_at IS NULL",
                                    p_int(now_ms), p_int(id), p_int(user_id));
    return !st && !changed ? not_found(id, e) : st;
}

enum status note_list(struct db *db, struct arena *arena, int64_t user_id, const struct note_filter *f,
                      struct note **list, int *count, struct error *e)
{
    int limit = f->limit > 0 && f->limit < NOTES_LIST_MAX ? f->limit : NOTES_LIST_MAX;
    int n = 0;
    struct note *rows = NULL;
    struct stmt *s = db_query(db, "SELECT " NOTE_COLUMNS NOTE_WHERE " ORDER BY id DESC LIMIT $3", p_int(user_id),
                              p_int(f->category_id), p_int(limit));
    while (n < limit && db_step(s)) {
        rows = arena_room(arena, rows, (size_t)n, sizeof *rows);
        note_read(s, arena, &rows[n++]);
    }
    *list = rows;
    *count = n;
    return db_done(s, e);
}

enum status note_count(struct db *db, int64_t user_id, const struct note_filter *f, int64_t *count, struct error *e)
{
    bool found;
    return db_get_int(db, count, &found, e, "SELECT COUNT(*)" NOTE_WHERE, p_int(user_id), p_int(f->category_id));
}
