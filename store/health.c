/* SPDX-License-Identifier: MIT
 * health: see health.h.  SQL text is made only from the names in health_tables; values are parameters. */
#include "store/health.h"
#include <stdio.h>
#include <string.h>

const struct health_table health_tables[HEALTH_KINDS] = {
    [HEALTH_SLEEP] = { "sleep",
                       "Sleep",
                       "sleep_logs",
                       { { "hours", SLEEP_HOURS_MIN, SLEEP_HOURS_MAX, "hours", true } },
                       1,
                       false,
                       true },
    [HEALTH_EXERCISE] = { "exercise",
                          "Exercise",
                          "exercise_logs",
                          { { "duration_minutes", EXERCISE_MINUTES_MIN, EXERCISE_MINUTES_MAX, "minutes", true } },
                          1,
                          true,
                          true },
    [HEALTH_WATER] = { "water",
                       "Water",
                       "water_logs",
                       { { "amount_ml", WATER_ML_MIN, WATER_ML_MAX, "ml", true } },
                       1,
                       false,
                       false },
    [HEALTH_SAUNA] = { "sauna",
                       "Sauna",
                       "sauna_logs",
                       { { "duration_minutes", SAUNA_MINUTES_MIN, SAUNA_MINUTES_MAX, "minutes", true },
                         { "temperature_c", SAUNA_CELSIUS_MIN, SAUNA_CELSIUS_MAX, "°C", false } },
                       2,
                       false,
                       true },
    [HEALTH_BODY] = { "body",
                      "Body",
                      "inbody_measurements",
                      { { "weight_kg", BODY_WEIGHT_KG_MIN, BODY_WEIGHT_KG_MAX, "kg", false },
                        { "body_fat_percent", BODY_FAT_PERCENT_MIN, BODY_FAT_PERCENT_MAX, "%", false },
                        { "muscle_kg", BODY_MUSCLE_KG_MIN, BODY_MUSCLE_KG_MAX, "kg", false } },
                      3,
                      false,
                      false },
};

enum { SQL_BYTES = 512, PARAMS_MAX = 16 };

bool health_kind_find(const char *name, enum health_kind *out)
{
    for (int k = 0; k < HEALTH_KINDS; k++)
        if (strcmp(health_tables[k].name, name) == 0) {
            *out = (enum health_kind)k;
            return true;
        }
    return false;
}

/* Columns that a person's log fills, in the order of log_params(). */
static int log_columns(const struct health_table *t, const char *out[PARAMS_MAX])
{
    int n = 0;
    for (int i = 0; i < t->value_count; i++)
        out[n++] = t->value[i].column;
    if (t->has_activity)
        out[n++] = "activity_type";
    if (t->has_notes)
        out[n++] = "notes";
    return n;
}

static int log_params(const struct health_log *log, struct param *out)
{
    const struct health_table *t = &health_tables[log->kind];
    int n = 0;
    for (int i = 0; i < t->value_count; i++)
        out[n++] = log->has[i] ? p_real(log->value[i]) : p_null();
    if (t->has_activity)
        out[n++] = p_text(log->activity);
    if (t->has_notes)
        out[n++] = p_text(log->notes);
    return n;
}

/* A number may be null: the cast tells PostgreSQL what kind of null it is. */
static bool is_number(const struct health_table *t, int column)
{
    return column < t->value_count;
}

enum status health_insert(struct db *db, int64_t user_id, struct health_log *log, struct error *error)
{
    const struct health_table *t = &health_tables[log->kind];
    const char *column[PARAMS_MAX];
    struct param p[PARAMS_MAX] = { p_int(user_id), p_text(log->date), p_text(log->created_date) };
    int n = log_columns(t, column);
    (void)log_params(log, p + 3);
    char names[SQL_BYTES / 2] = "", marks[SQL_BYTES / 2] = "", sql[2 * SQL_BYTES];
    for (int i = 0; i < n; i++) {
        size_t a = strlen(names), b = strlen(marks);
        snprintf(names + a, sizeof names - a, ", %s", column[i]);
        snprintf(marks + b, sizeof marks - b, is_number(t, i) ? ", CAST($%d AS DOUBLE PRECISION)" : ", $%d", i + 4);
    }
    snprintf(sql, sizeof sql, "INSERT INTO %s (user_id, date, created_date%s) VALUES ($1, $2, $3%s) RETURNING id",
             t->table, names, marks);
    bool found;
    return db_get_int_params(db, &log->id, &found, error, sql, p, (size_t)n + 3);
}

enum status health_update(struct db *db, int64_t user_id, const struct health_log *log, struct error *error)
{
    const struct health_table *t = &health_tables[log->kind];
    const char *column[PARAMS_MAX];
    struct param p[PARAMS_MAX] = { p_int(user_id), p_int(log->id) };
    int n = log_columns(t, column);
    (void)log_params(log, p + 2);
    char sets[SQL_BYTES] = "", sql[2 * SQL_BYTES];
    for (int i = 0; i < n; i++) {
        size_t a = strlen(sets);
        snprintf(sets + a, sizeof sets - a, is_number(t, i) ? "%s%s = CAST($%d AS DOUBLE PRECISION)" : "%s%s = $%d",
                 i ? ", " : "", column[i], i + 3);
    }
    snprintf(sql, sizeof sql, "UPDATE %s SET %s WHERE user_id = $1 AND id = $2 AND deleted_at IS NULL", t->table, sets);
    int64_t changed = 0;
    enum status st = db_run_params(db, &changed, error, sql, p, (size_t)n + 2);
    if (st == OK && changed == 0)
        return fail(error, ST_NOT_FOUND, "There is no %s log with ID %lld.", t->name, (long long)log->id);
    return st;
}

enum status health_delete(struct db *db, int64_t user_id, enum health_kind kind, int64_t id, int64_t now_ms,
                          struct error *error)
{
    const struct health_table *t = &health_tables[kind];
    char sql[SQL_BYTES];
    snprintf(sql, sizeof sql, "UPDATE %s SET deleted_at = $3 WHERE user_id = $1 AND id = $2 AND deleted_at IS NULL",
             t->table);
    int64_t changed = 0;
    enum status st = db_run_changed(db, &changed, error, sql, p_int(user_id), p_int(id), p_int(now_ms));
    if (st == OK && changed == 0)
        return fail(error, ST_NOT_FOUND, "There is no %s log with ID %lld.", t->name, (long long)id);
    return st;
}

static void read_log(struct stmt *s, enum health_kind kind, struct health_log *log)
{
    const struct health_table *t = &health_tables[kind];
    *log = (struct health_log){ .kind = kind, .id = db_int(s, 0) };
    log->date = db_text(s, 1);
    log->created_date = db_text(s, 2);
    int column = 3;
    for (int i = 0; i < t->value_count; i++, column++) {
        log->has[i] = !db_is_null(s, column);
        log->value[i] = db_real(s, column);
    }
    if (t->has_activity)
        log->activity = db_text(s, column++);
    if (t->has_notes)
        log->notes = db_text_or_null(s, column);
}

enum status health_each(struct db *db, const struct health_query *q, bool (*row)(const struct health_log *, void *arg),
                        void *arg, struct error *error)
{
    const struct health_table *t = &health_tables[q->kind];
    const char *column[PARAMS_MAX], *order = q->newest_first ? " DESC" : "";
    int n = log_columns(t, column);
    char names[SQL_BYTES / 2] = "", sql[2 * SQL_BYTES];
    for (int i = 0; i < n; i++) {
        size_t a = strlen(names);
        snprintf(names + a, sizeof names - a, ", %s", column[i]);
    }
    snprintf(sql, sizeof sql,
             "SELECT id, date, created_date%s FROM %s WHERE user_id = $1 AND deleted_at IS NULL"
             " AND date >= $2 AND date <= $3%s ORDER BY date%s, id%s LIMIT $4",
             names, t->table, q->id ? " AND id = $5" : "", order, order);
    struct param p[] = { p_int(q->user_id), p_text(q->from ? q->from : ""), p_text(q->to ? q->to : "9999-12-31"),
                         p_int(q->limit ? q->limit : HEALTH_ROWS_MAX), p_int(q->id) };
    struct stmt *s = db_query_params(db, sql, p, q->id ? 5 : 4);
    struct health_log log;
    while (db_step(s)) {
        read_log(s, q->kind, &log);
        if (!row(&log, arg))
            break;
    }
    return db_done(s, error);
}

struct first {
    struct arena *arena;
    struct health_log *log;
    bool found;
};

static bool keep_first(const struct health_log *log, void *arg)
{
    struct first *f = arg;
    *f->log = *log;
    f->log->date = arena_strdup(f->arena, log->date);
    f->log->created_date = arena_strdup(f->arena, log->created_date);
    f->log->activity = arena_strdup(f->arena, log->activity);
    f->log->notes = arena_strdup(f->arena, log->notes);
    f->found = true;
    return false;
}

enum status health_first(struct db *db, struct arena *arena, const struct health_query *q, struct health_log *log,
                         bool *found, struct error *error)
{
    struct health_query one = *q;
    struct first f = { .arena = arena, .log = log };
    one.limit = 1;
    enum status st = health_each(db, &one, keep_first, &f, error);
    *found = f.found;
    return st;
}

enum status health_activities(struct db *db, struct arena *arena, int64_t user_id, const char **out, size_t max,
                              size_t *count, struct error *error)
{
    *count = 0;
    struct stmt *s = db_query(db,
                              "SELECT activity_type, count(*) FROM exercise_logs WHERE user_id = $1"
                              " AND deleted_at IS NULL GROUP BY activity_type ORDER BY 2 DESC, 1 LIMIT $2",
                              p_int(user_id), p_int((int64_t)max));
    while (*count < max && db_step(s))
        out[(*count)++] = arena_strdup(arena, db_text(s, 0));
    return db_done(s, error);
}
