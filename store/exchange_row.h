/* SPDX-License-Identifier: MIT
 * exchange_row: the columns of the export file and their values, shared by export and import.  Only
 * store/exchange*.c include this. */
#ifndef STORE_EXCHANGE_ROW_H
#define STORE_EXCHANGE_ROW_H

#include "base/json.h"
#include "store/exchange.h"

enum exchange_column_type {
    COLUMN_TEXT,     /* max = bytes */
    COLUMN_CATEGORY, /* a path; the row holds category_id */
    COLUMN_NUMBER,   /* min..max */
    COLUMN_FLAG,     /* 0 or 1; true or false in the file */
    COLUMN_DAY,      /* YYYY-MM-DD, not in the future */
    COLUMN_WHEN,     /* YYYY-MM-DD or YYYY-MM-DDTHH:MM */
    COLUMN_INSTANT,  /* YYYY-MM-DDTHH:MM:SSZ */
    COLUMN_MS,       /* milliseconds since 1970; the file may also hold an instant */
    COLUMN_RULE,     /* RFC 5545 recurrence */
};
struct exchange_column {
    const char *name;
    enum exchange_column_type type;
    bool required;
    double min, max;
    const char *unit;
};
enum { EXCHANGE_COLUMNS_MAX = 9 };
struct exchange_table {
    const char *name;  /* "task" */
    const char *table; /* "tasks" */
    bool has_id;
    int created; /* index of created_date */
    int column_count;
    struct exchange_column column[EXCHANGE_COLUMNS_MAX];
};
extern const struct exchange_table exchange_tables[EXCHANGE_KINDS];

struct exchange_value {
    bool given, null; /* given: the line named it */
    const char *text; /* TEXT, CATEGORY, DAY, WHEN, INSTANT, RULE */
    double number;    /* NUMBER */
    int64_t integer;  /* FLAG, MS */
};
struct exchange_row {
    enum exchange_kind kind;
    int64_t id;                   /* 0 = none given */
    struct exchange_value *value; /* column_count of them */
};

enum { LINE_WHOLE, LINE_WITHOUT_ID, LINE_WITHOUT_ID_AND_CREATED };
/* The line of a row without newline, all columns in order, nulls left out; arena-owned. */
const char *exchange_line(struct arena *, const struct exchange_row *, int form);

/* All living rows of a kind with an id, by id; the row lives until the callback returns false or OK to go on. */
enum status MUST_CHECK exchange_each(struct db *, int64_t user_id, enum exchange_kind,
                                     bool (*row)(const struct exchange_row *, void *arg), void *arg, struct error *);

/* One column's value out of JSON.  The error says what is wrong, without the line's number. */
enum status MUST_CHECK exchange_value_read(struct arena *, const struct exchange_column *, struct json_object *,
                                           int64_t now_ms, struct exchange_value *, struct error *);

#endif
