/* SPDX-License-Identifier: MIT
 * journal_row: which tables and columns can be undone, and their rows as JSON.  Called by journal.c and
 * journal_undo.c inside a transaction.  All SQL names come from the table below, never from a row. */
#include "store/journal_row.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/limits.h"
#include <string.h>

enum { SQL_BYTES_MAX = 1 * KIB }; /* the longest statement here has under 400 */

#define T(n)                                                                                                           \
    {                                                                                                                  \
        n, COLUMN_TEXT, false                                                                                          \
    }
#define I(n)                                                                                                           \
    {                                                                                                                  \
        n, COLUMN_INT, false                                                                                           \
    }
#define R(n)                                                                                                           \
    {                                                                                                                  \
        n, COLUMN_REAL, false                                                                                          \
    }

static const struct journal_table table_list[] = {
    { "tasks",
      "user_id",
      { T("content"),
        I("category_id"),
        T("due_date"),
        I("completed"),
        T("completed_date"),
        T("repeat"),
        I("remind_at"),
        { "reminded_at", COLUMN_INT, true },
        T("channel"),
        I("chat_id"),
        I("deleted_at") } },
    { "notes", "user_id", { T("content"), I("category_id"), I("deleted_at") } },
    { "sleep_logs", "user_id", { T("date"), R("hours"), T("notes"), I("deleted_at") } },
    { "exercise_logs",
      "user_id",
      { T("date"), T("activity_type"), R("duration_minutes"), T("notes"), I("deleted_at") } },
    { "water_logs", "user_id", { T("date"), R("amount_ml"), I("deleted_at") } },
    { "sauna_logs", "user_id", { T("date"), R("duration_minutes"), R("temperature_c"), T("notes"), I("deleted_at") } },
    { "inbody_measurements",
      "user_id",
      { T("date"), R("weight_kg"), R("body_fat_percent"), R("muscle_kg"), I("deleted_at") } },
    { "users", "id", { T("zone") } },
};

const struct journal_table *journal_table(const char *name)
{
    for (size_t i = 0; i < sizeof table_list / sizeof *table_list; i++)
        if (!strcmp(table_list[i].name, name))
            return &table_list[i];
    return NULL;
}

static struct json_object *value_read(struct stmt *s, int column, enum column_type type)
{
    if (db_is_null(s, column))
        return NULL;
    switch (type) {
    case COLUMN_INT:
        return json_object_new_int64(db_int(s, column));
    case COLUMN_REAL:
        return json_object_new_double(db_real(s, column));
    default:
        return json_object_new_string(db_text(s, column));
    }
}

static struct param value_param(struct json_object *v, enum column_type type)
{
    if (!v)
        return p_null();
    switch (type) {
    case COLUMN_INT:
        return p_int(json_object_get_int64(v));
    case COLUMN_REAL:
        return p_real(json_object_get_double(v));
    default:
        return p_text(json_object_get_string(v));
    }
}

static bool value_equal(struct json_object *a, struct json_object *b, enum column_type type)
{
    if (!a || !b)
        return a == b;
    if (type == COLUMN_INT)
        return json_object_get_int64(a) == json_object_get_int64(b);
    if (type == COLUMN_REAL) {
        double x = json_object_get_double(a), y = json_object_get_double(b);
        return !(x < y) && !(x > y);
    }
    return !strcmp(json_object_get_string(a), json_object_get_string(b));
}

enum status journal_row_read(struct db *db, struct arena *arena, const struct journal_table *t, int64_t row_id,
                             int64_t user_id, struct json_object **row, bool *found, struct error *e)
{
    struct buf sql = BUF_INIT(SQL_BYTES_MAX);
    buf_puts(&sql, "SELECT ");
    for (const struct journal_column *c = t->columns; c->name; c++)
        buf_printf(&sql, "%s%s", c == t->columns ? "" : ", ", c->name);
    buf_printf(&sql, " FROM %s WHERE id = $1 AND %s = $2%s", t->name, t->owner, db_dialect(db, "", " FOR UPDATE"));
    struct stmt *s = db_query(db, buf_str(&sql), p_int(row_id), p_int(user_id));
    *found = db_step(s);
    *row = json_keep(arena, json_object_new_object());
    for (int i = 0; *found && t->columns[i].name; i++)
        json_set(*row, t->columns[i].name, value_read(s, i, t->columns[i].type));
    enum status st = db_done(s, e);
    buf_release(&sql);
    return st;
}

struct json_object *journal_row_diff(struct arena *arena, const struct journal_table *t, struct json_object *before,
                                     struct json_object *after)
{
    struct json_object *diff = json_keep(arena, json_object_new_object());
    for (const struct journal_column *c = t->columns; c->name; c++) {
        struct json_object *a = json_object_object_get(before, c->name), *b = json_object_object_get(after, c->name);
        if (value_equal(a, b, c->type))
            continue;
        struct json_object *pair = json_object_new_array();
        json_push(pair, json_object_get(a));
        json_push(pair, json_object_get(b));
        json_set(diff, c->name, pair);
    }
    return diff;
}

const char *journal_row_changed(const struct journal_table *t, struct json_object *diff, struct json_object *row)
{
    for (const struct journal_column *c = t->columns; c->name; c++) {
        struct json_object *pair = json_object_object_get(diff, c->name);
        if (pair && !c->background &&
            !value_equal(json_object_array_get_idx(pair, 1), json_object_object_get(row, c->name), c->type))
            return c->name;
    }
    return NULL;
}

bool journal_row_overlap(const struct journal_table *t, struct json_object *diff, struct json_object *other)
{
    for (const struct journal_column *c = t->columns; c->name; c++)
        if (!c->background && json_object_object_get(diff, c->name) && json_object_object_get(other, c->name))
            return true;
    return false;
}

enum status journal_row_restore(struct db *db, const struct journal_table *t, int64_t row_id, int64_t user_id,
                                struct json_object *diff, struct error *e)
{
    static const char *const casts[] = { "TEXT", "BIGINT", "DOUBLE PRECISION" };
    struct buf sql = BUF_INIT(SQL_BYTES_MAX);
    struct param params[JOURNAL_COLUMNS_MAX + 2] = { p_int(row_id), p_int(user_id) };
    size_t n = 2;
    buf_printf(&sql, "UPDATE %s SET ", t->name);
    for (const struct journal_column *c = t->columns; c->name; c++) {
        struct json_object *pair = json_object_object_get(diff, c->name);
        if (!pair)
            continue;
        params[n++] = value_param(json_object_array_get_idx(pair, 0), c->type);
        buf_printf(&sql, "%s%s = CAST($%zu AS %s)", n > 3 ? ", " : "", c->name, n, casts[c->type]);
    }
    buf_printf(&sql, " WHERE id = $1 AND %s = $2", t->owner);
    enum status st = n > 2 ? db_run_params(db, NULL, e, buf_str(&sql), params, n) : OK;
    buf_release(&sql);
    return st;
}
