/* SPDX-License-Identifier: MIT
 * tasks: statements on the table `tasks`.  Called by the task tools and by export, inside their transaction, on worker
 * threads.  It decides nothing: dates, repeats and reminders come worked out. */
#include "store/tasks.h"
#include "store/categories.h"

#define TASK_COLUMNS                                                                                                   \
    "id, content, category_id, " CATEGORY_PATH_SQL(                                                                    \
        "tasks") ", due_date, created_date, completed, "                                                               \
                 "completed_date, repeat, remind_at, reminded_at, channel, chat_id"

static const char *text_or_null(struct stmt *s, int column, struct arena *arena)
{
    return arena_strdup(arena, db_text_or_null(s, column));
}

static struct param p_id(int64_t id)
{
    return id ? p_int(id) : p_null();
}

static void task_read(struct stmt *s, struct arena *arena, struct task *out)
{
    *out = (struct task){ .id = db_int(s, 0),
                          .content = arena_strdup(arena, db_text(s, 1)),
                          .category_id = db_int(s, 2),
                          .category = text_or_null(s, 3, arena),
                          .due_date = text_or_null(s, 4, arena),
                          .created_date = arena_strdup(arena, db_text(s, 5)),
                          .completed = db_int(s, 6) != 0,
                          .completed_date = text_or_null(s, 7, arena),
                          .repeat = text_or_null(s, 8, arena),
                          .remind_at_ms = db_int(s, 9),
                          .reminded_at_ms = db_int(s, 10),
                          .channel = text_or_null(s, 11, arena),
                          .chat_id = db_int(s, 12) };
}

static enum status task_take(struct stmt *s, struct arena *arena, struct task *out, bool *found, struct error *e)
{
    *found = db_step(s);
    if (*found)
        task_read(s, arena, out);
    return db_done(s, e);
}

static enum status not_found(int64_t id, struct error *e)
{
    return fail(e, ST_NOT_FOUND, "There is no task %lld.", (long long)id);
}

enum status task_insert(struct db *db, struct arena *arena, int64_t user_id, const struct task *in, struct task *out,
                        struct error *e)
{
    bool found;
    struct stmt *s = db_query(
        db,
        "INSERT INTO tasks (user_id, content, category_id, due_date, created_date, completed, completed_date, repeat,"
        " remind_at, reminded_at, channel, chat_id) VALUES ($1, $2, CAST($3 AS BIGINT), $4, $5, $6, $7, $8,"
        " CAST($9 AS BIGINT), CAST($10 AS BIGINT), $11, CAST($12 AS BIGINT)) RETURNING " TASK_COLUMNS,
        p_int(user_id), p_text(in->content), p_id(in->category_id), p_text(in->due_date), p_text(in->created_date),
        p_int(in->completed), p_text(in->completed_date), p_text(in->repeat), p_id(in->remind_at_ms),
        p_id(in->reminded_at_ms), p_text(in->channel), p_id(in->chat_id));
    enum status st = task_take(s, arena, out, &found, e);
    return !st && !found ? fail(e, ST_INTERNAL, "the new task's row did not come back") : st;
}

enum status task_get(struct db *db, struct arena *arena, int64_t user_id, int64_t id, struct task *out, bool *found,
                     struct error *e)
{
    return task_take(
        db_query(db, "SELECT " TASK_COLUMNS " FROM tasks WHERE id = $1 AND user_id = $2 AND deleted_at IS NULL",
                 p_int(id), p_int(user_id)),
        arena, out, found, e);
}

enum status task_save(struct db *db, struct arena *arena, int64_t user_id, const struct task *in, struct task *out,
                      struct error *e)
{
    bool found;
    struct stmt *s =
        db_query(db,
                 "UPDATE tasks SET content = $3, category_id = CAST($4 AS BIGINT), due_date = $5, completed = $6,"
                 " completed_date = $7, repeat = $8, remind_at = CAST($9 AS BIGINT), reminded_at = CAST($10 AS BIGINT),"
                 " channel = $11, chat_id = CAST($12 AS BIGINT) WHERE id = $1 AND user_id = $2 AND deleted_at IS NULL"
                 " RETURNING " TASK_COLUMNS,
                 p_int(in->id), p_int(user_id), p_text(in->content), p_id(in->category_id), p_text(in->due_date),
                 p_int(in->completed), p_text(in->completed_date), p_text(in->repeat), p_id(in->remind_at_ms),
                 p_id(in->reminded_at_ms), p_text(in->channel), p_id(in->chat_id));
    enum status st = task_take(s, arena, out, &found, e);
    return !st && !found ? not_found(in->id, e) : st;
}

enum status task_delete(struct db *db, int64_t user_id, int64_t id, int64_t now_ms, struct error *e)
{
    int64_t changed;
    enum status st = db_run_changed(db, &changed, e,
                                    "UPDATE tasks SET deleted_at = $1 WHERE id = $2 AND user_id = $3"
                                    " AND deleted_at IS NULL",
                                    p_int(now_ms), p_int(id), p_int(user_id));
    return !st && !changed ? not_found(id, e) : st;
}

#define TASK_WHERE                                                                                                     \
    " FROM tasks WHERE user_id = $1 AND deleted_at IS NULL AND ($2 < 0 OR completed = $2)"                             \
    " AND ($3 = 0 OR " CATEGORY_UNDER_SQL("tasks",                                                                     \
                                          "$3") ")"                                                                    \
                                                " AND (CAST($4 AS TEXT) IS NULL OR substr(due_date, 1, 10) >= $4)"     \
                                                " AND (CAST($5 AS TEXT) IS NULL OR substr(due_date, 1, 10) <= $5)"     \
                                                " AND (CAST($6 AS TEXT) IS NULL OR due_date < CASE WHEN "              \
                                                "length(due_date) = 10 THEN substr($6, 1, 10) ELSE $6 END)"            \
                                                " AND ($7 = 0 OR due_date IS NULL)"

#define TASK_WHERE_PARAMS(user_id, f)                                                                                  \
    p_int(user_id), p_int((f)->state == TASKS_ALL ? -1 : (f)->state == TASKS_DONE), p_int((f)->category_id),           \
        p_text((f)->due_from), p_text((f)->due_to), p_text((f)->overdue_at), p_int((f)->undated)

enum status task_list(struct db *db, struct arena *arena, int64_t user_id, const struct task_filter *f,
                      struct task **list, int *count, struct error *e)
{
    int limit = f->limit > 0 && f->limit < TASKS_LIST_MAX ? f->limit : TASKS_LIST_MAX;
    int n = 0;
    struct task *rows = NULL;
    struct stmt *s = db_query(db,
                              "SELECT " TASK_COLUMNS TASK_WHERE
                              " ORDER BY completed, CASE WHEN completed = 1 THEN completed_date END DESC,"
                              " CASE WHEN due_date IS NULL THEN 1 ELSE 0 END, due_date, id LIMIT $8",
                              TASK_WHERE_PARAMS(user_id, f), p_int(limit));
    while (n < limit && db_step(s)) {
        rows = arena_room(arena, rows, (size_t)n, sizeof *rows);
        task_read(s, arena, &rows[n++]);
    }
    *list = rows;
    *count = n;
    return db_done(s, e);
}

enum status task_count(struct db *db, int64_t user_id, const struct task_filter *f, int64_t *count, struct error *e)
{
    bool found;
    return db_get_int(db, count, &found, e, "SELECT COUNT(*)" TASK_WHERE, TASK_WHERE_PARAMS(user_id, f));
}
