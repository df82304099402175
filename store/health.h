/* SPDX-License-Identifier: MIT
 * health: sleep, exercise, water, sauna and body rows, described by one table (columns, bounds, units) that
 * also drives the export file, questions and searches.  One sleep row per user and day.  Called inside a
 * transaction or on a read connection; any thread. */
#ifndef STORE_HEALTH_H
#define STORE_HEALTH_H

#include "base/arena.h"
#include "store/db.h"

enum health_kind { HEALTH_SLEEP, HEALTH_EXERCISE, HEALTH_WATER, HEALTH_SAUNA, HEALTH_BODY, HEALTH_KINDS };

/* Bounds of one log, inclusive; the tool rows and the import check the same ones. */
#define SLEEP_HOURS_MIN 0.25
#define SLEEP_HOURS_MAX 24.0
#define EXERCISE_MINUTES_MIN 1.0
#define EXERCISE_MINUTES_MAX 1440.0
#define WATER_ML_MIN 1.0
#define WATER_ML_MAX 10000.0
#define SAUNA_MINUTES_MIN 1.0
#define SAUNA_MINUTES_MAX 240.0
#define SAUNA_CELSIUS_MIN 30.0
#define SAUNA_CELSIUS_MAX 130.0
#define BODY_WEIGHT_KG_MIN 20.0
#define BODY_WEIGHT_KG_MAX 350.0
#define BODY_FAT_PERCENT_MIN 2.0
#define BODY_FAT_PERCENT_MAX 75.0
#define BODY_MUSCLE_KG_MIN 5.0
#define BODY_MUSCLE_KG_MAX 150.0
enum {
    HEALTH_VALUES_MAX = 3,
    HEALTH_NOTES_BYTES_MAX = 2048,   /* a remark beside a number, not a diary: that is a note */
    HEALTH_ACTIVITY_BYTES_MAX = 128, /* "trail running", in any script */
};

struct health_value {
    const char *column; /* "hours" */
    double min, max;
    const char *unit; /* "hours", "minutes", "ml", "kg", "%", "°C" */
    bool required;
};
struct health_table {
    const char *name;  /* "sleep": export type, tool argument */
    const char *title; /* "Sleep" */
    const char *table; /* "sleep_logs" */
    struct health_value value[HEALTH_VALUES_MAX];
    int value_count;
    bool has_activity, has_notes;
};
extern const struct health_table health_tables[HEALTH_KINDS];
bool health_kind_find(const char *name, enum health_kind *out);

struct health_log {
    enum health_kind kind;
    int64_t id;
    const char *date; /* YYYY-MM-DD */
    double value[HEALTH_VALUES_MAX];
    bool has[HEALTH_VALUES_MAX];
    const char *activity;     /* exercise; NULL otherwise */
    const char *notes;        /* NULL = none */
    const char *created_date; /* YYYY-MM-DDTHH:MM:SSZ */
};

/* Insert; fills log->id.  A second sleep row of a day is ST_EXISTS. */
enum status MUST_CHECK health_insert(struct db *, int64_t user_id, struct health_log *, struct error *);
/* Overwrite values, activity and notes of the row log->id. */
enum status MUST_CHECK health_update(struct db *, int64_t user_id, const struct health_log *, struct error *);
/* Soft delete.  ST_NOT_FOUND when it is not the user's or already gone. */
enum status MUST_CHECK health_delete(struct db *, int64_t user_id, enum health_kind, int64_t id, int64_t now_ms,
                                     struct error *);

/* Which rows; NULL dates are open ends.  Order: date, then id; or the reverse. */
struct health_query {
    enum health_kind kind;
    int64_t user_id;
    int64_t id;            /* 0 = any */
    const char *from, *to; /* YYYY-MM-DD, inclusive */
    bool newest_first;
    int limit; /* 0 = HEALTH_ROWS_MAX */
};
enum { HEALTH_ROWS_MAX = 1000000 }; /* as an import; a question's period decides what is really read */
/* Call row() for each; strings live until it returns.  row() returns false to stop early. */
enum status MUST_CHECK health_each(struct db *, const struct health_query *,
                                   bool (*row)(const struct health_log *, void *arg), void *arg, struct error *);
/* The first row of the query, copied to the arena; *found tells. */
enum status MUST_CHECK health_first(struct db *, struct arena *, const struct health_query *, struct health_log *,
                                    bool *found, struct error *);
/* The user's distinct activity types, arena-owned, at most max. */
enum status MUST_CHECK health_activities(struct db *, struct arena *, int64_t user_id, const char **out, size_t max,
                                         size_t *count, struct error *);

#endif
