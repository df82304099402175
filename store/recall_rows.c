/* SPDX-License-Identifier: MIT
 * recall_rows: see recall_rows.h. */
#include "store/recall_rows.h"
#include "store/categories.h"
#include "store/health_text.h"
#include <string.h>

struct rows {
    struct arena *arena;
    struct recall_row *row;
    size_t count;
    bool full;
};

const char *recall_type_name(int type)
{
    if (type < RECALL_HEALTH)
        return type == RECALL_TASK ? "task" : "note";
    return health_tables[type - RECALL_HEALTH].name;
}

unsigned recall_mask(const char *name)
{
    static const struct {
        const char *name;
        unsigned mask;
    } names[] = {
        { "all", RECALL_ALL }, { "tasks", RECALL_TASKS }, { "notes", RECALL_NOTES }, { "health", RECALL_LOGS }
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i].name, name) == 0)
            return names[i].mask;
    return 0;
}

static struct recall_row *rows_push(struct rows *r)
{
    r->row = arena_room(r->arena, r->row, r->count, sizeof *r->row);
    r->full |= r->count >= RECALL_ROWS_MAX;
    return &r->row[r->count++];
}

static enum status read_contents(struct db *db, struct rows *rows, int type, int64_t user_id, struct error *error)
{
    const char *sql = type == RECALL_TASK ? "SELECT t.id, t.content, " CATEGORY_PATH_SQL(
                                                "t") ", t.created_date, t.due_date,"
                                                     " t.completed FROM tasks t"
                                                     " WHERE t.user_id = $1 AND t.deleted_at IS NULL ORDER BY t.id"
                                          : "SELECT n.id, n.content, " CATEGORY_PATH_SQL(
                                                "n") ", n.created_date, NULL, 0"
                                                     " FROM notes n"
                                                     " WHERE n.user_id = $1 AND n.deleted_at IS NULL ORDER BY n.id";
    struct stmt *s = db_query(db, sql, p_int(user_id));
    while (!rows->full && db_step(s))
        *rows_push(rows) = (struct recall_row){
            .type = type,
            .id = db_int(s, 0),
            .content = arena_strdup(rows->arena, db_text(s, 1)),
            .category = arena_strdup(rows->arena, db_text_or_null(s, 2)),
            .created_date = arena_strdup(rows->arena, db_text(s, 3)),
            .date = arena_strdup(rows->arena, db_text_or_null(s, 4)),
            .completed = db_int(s, 5) != 0,
        };
    return db_done(s, error);
}

static bool read_log(const struct health_log *log, void *arg)
{
    struct rows *rows = arg;
    *rows_push(rows) = (struct recall_row){
        .type = RECALL_HEALTH + (int)log->kind,
        .id = log->id,
        .content = health_sentence(rows->arena, log),
        .date = arena_strdup(rows->arena, log->date),
        .created_date = arena_strdup(rows->arena, log->created_date),
    };
    return !rows->full;
}

enum status recall_rows(struct db *db, struct arena *arena, int64_t user_id, unsigned mask, struct recall_row **out,
                        size_t *count, struct error *error)
{
    struct rows rows = { .arena = arena };
    enum status st = OK;
    for (int type = 0; type < RECALL_TYPES && st == OK; type++) {
        if (!(mask & RECALL_BIT(type)))
            continue;
        struct health_query q = { .kind = (enum health_kind)(type - RECALL_HEALTH), .user_id = user_id };
        st = type < RECALL_HEALTH ? read_contents(db, &rows, type, user_id, error)
                                  : health_each(db, &q, read_log, &rows, error);
    }
    *out = rows.row;
    *count = rows.count;
    if (st == OK && rows.full)
        return fail(error, ST_LIMIT, "There are more than %d rows to search; narrow the search to one type.",
                    RECALL_ROWS_MAX);
    return st;
}
