/* SPDX-License-Identifier: MIT
 * exchange_row: see exchange_row.h. */
#include "store/exchange_row.h"
#include "base/limits.h"
#include "store/categories.h"
#include "store/health_text.h"
#include <stdio.h>
#include <string.h>

#define CREATED                                                                                                        \
    {                                                                                                                  \
        "created_date", COLUMN_INSTANT, false, 0, 0, NULL                                                              \
    }
#define CATEGORY                                                                                                       \
    {                                                                                                                  \
        "category", COLUMN_CATEGORY, false, 0, CATEGORY_NAME_BYTES_MAX, NULL                                           \
    }
#define DAY                                                                                                            \
    {                                                                                                                  \
        "date", COLUMN_DAY, true, 0, 0, NULL                                                                           \
    }
#define NOTES                                                                                                          \
    {                                                                                                                  \
        "notes", COLUMN_TEXT, false, 0, HEALTH_NOTES_BYTES_MAX, NULL                                                   \
    }

const struct exchange_table exchange_tables[EXCHANGE_KINDS] = {
    [EXCHANGE_CATEGORY] = { "category",
                            "categories",
                            false,
                            2,
                            3,
                            { { "name", COLUMN_TEXT, true, 0, CATEGORY_NAME_BYTES_MAX, NULL },
                              { "parent", COLUMN_TEXT, false, 0, CATEGORY_NAME_BYTES_MAX, NULL },
                              CREATED } },
    [EXCHANGE_TASK] = { "task",
                        "tasks",
                        true,
                        3,
                        9,
                        { { "content", COLUMN_TEXT, true, 0, TASK_CONTENT_BYTES_MAX, NULL },
                          CATEGORY,
                          { "due_date", COLUMN_WHEN, false, 0, 0, NULL },
                          CREATED,
                          { "completed", COLUMN_FLAG, false, 0, 0, NULL },
                          { "completed_date", COLUMN_INSTANT, false, 0, 0, NULL },
                          { "repeat", COLUMN_RULE, false, 0, 256, NULL },
                          { "remind_at", COLUMN_MS, false, 0, 0, NULL },
                          { "reminded_at", COLUMN_MS, false, 0, 0, NULL } } },
    [EXCHANGE_NOTE] = { "note",
                        "notes",
                        true,
                        2,
                        3,
                        { { "content", COLUMN_TEXT, true, 0, NOTE_CONTENT_BYTES_MAX, NULL }, CATEGORY, CREATED } },
    [EXCHANGE_SLEEP] = { "sleep",
                         "sleep_logs",
                         true,
                         3,
                         4,
                         { DAY,
                           { "hours", COLUMN_NUMBER, true, SLEEP_HOURS_MIN, SLEEP_HOURS_MAX, "hours" },
                           NOTES,
                           CREATED } },
    [EXCHANGE_EXERCISE] = { "exercise",
                            "exercise_logs",
                            true,
                            4,
                            5,
                            { DAY,
                              { "activity_type", COLUMN_TEXT, true, 0, HEALTH_ACTIVITY_BYTES_MAX, NULL },
                              { "duration_minutes", COLUMN_NUMBER, true, EXERCISE_MINUTES_MIN, EXERCISE_MINUTES_MAX,
                                "minutes" },
                              NOTES,
                              CREATED } },
    [EXCHANGE_WATER] = { "water",
                         "water_logs",
                         true,
                         2,
                         3,
                         { DAY, { "amount_ml", COLUMN_NUMBER, true, WATER_ML_MIN, WATER_ML_MAX, "ml" }, CREATED } },
    [EXCHANGE_SAUNA] = { "sauna",
                         "sauna_logs",
                         true,
                         4,
                         5,
                         { DAY,
                           { "duration_minutes", COLUMN_NUMBER, true, SAUNA_MINUTES_MIN, SAUNA_MINUTES_MAX, "minutes" },
                           { "temperature_c", COLUMN_NUMBER, false, SAUNA_CELSIUS_MIN, SAUNA_CELSIUS_MAX, "°C" },
                           NOTES,
                           CREATED } },
    [EXCHANGE_BODY] = { "body",
                        "inbody_measurements",
                        true,
                        4,
                        5,
                        { DAY,
                          { "weight_kg", COLUMN_NUMBER, false, BODY_WEIGHT_KG_MIN, BODY_WEIGHT_KG_MAX, "kg" },
                          { "body_fat_percent", COLUMN_NUMBER, false, BODY_FAT_PERCENT_MIN, BODY_FAT_PERCENT_MAX, "%" },
                          { "muscle_kg", COLUMN_NUMBER, false, BODY_MUSCLE_KG_MIN, BODY_MUSCLE_KG_MAX, "kg" },
                          CREATED } },
};

static struct json_object *value_json(struct arena *arena, enum exchange_column_type type,
                                      const struct exchange_value *v)
{
    switch (type) {
    case COLUMN_NUMBER:
        return json_object_new_double_s(v->number, figure_exact(arena, v->number));
    case COLUMN_FLAG:
        return json_object_new_boolean(v->integer != 0);
    case COLUMN_MS:
        return json_object_new_int64(v->integer);
    default:
        return json_object_new_string(v->text);
    }
}

const char *exchange_line(struct arena *arena, const struct exchange_row *row, int form)
{
    const struct exchange_table *t = &exchange_tables[row->kind];
    struct json_object *o = json_object_new_object();
    json_set_str(o, "type", t->name);
    if (t->has_id && row->id && form == LINE_WHOLE)
        json_set_int(o, "id", row->id);
    for (int i = 0; i < t->column_count; i++) {
        const struct exchange_value *v = &row->value[i];
        if (form == LINE_WITHOUT_ID_AND_CREATED && i == t->created)
            continue;
        if (!v->null)
            json_set(o, t->column[i].name, value_json(arena, t->column[i].type, v));
        else if (t->column[i].type == COLUMN_CATEGORY)
            json_set_str(o, t->column[i].name, NULL); /* left out would mean General */
    }
    const char *line =
        arena_strdup(arena, json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(o);
    return line;
}

static void value_load(struct stmt *s, int column, enum exchange_column_type type, struct exchange_value *v)
{
    *v = (struct exchange_value){ .given = true, .null = db_is_null(s, column) };
    if (type == COLUMN_NUMBER)
        v->number = db_real(s, column);
    else if (type == COLUMN_FLAG || type == COLUMN_MS)
        v->integer = db_int(s, column);
    else
        v->text = db_text(s, column);
}

enum status exchange_each(struct db *db, int64_t user_id, enum exchange_kind kind,
                          bool (*row)(const struct exchange_row *, void *arg), void *arg, struct error *error)
{
    const struct exchange_table *t = &exchange_tables[kind];
    char names[1024] = "", sql[1536];
    for (int i = 0; i < t->column_count; i++) {
        size_t n = strlen(names);
        bool category = t->column[i].type == COLUMN_CATEGORY;
        snprintf(names + n, sizeof names - n, ", %s%s", category ? "" : "x.",
                 category ? CATEGORY_PATH_SQL("x") : t->column[i].name);
    }
    snprintf(sql, sizeof sql, "SELECT x.id%s FROM %s x WHERE x.user_id = $1 AND x.deleted_at IS NULL ORDER BY x.id",
             names, t->table);
    struct exchange_value value[EXCHANGE_COLUMNS_MAX];
    struct exchange_row r = { .kind = kind, .value = value };
    struct stmt *s = db_query(db, sql, p_int(user_id));
    while (db_step(s)) {
        r.id = db_int(s, 0);
        for (int i = 0; i < t->column_count; i++)
            value_load(s, i + 1, t->column[i].type, &value[i]);
        if (!row(&r, arg))
            break;
    }
    return db_done(s, error);
}
