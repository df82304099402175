/* SPDX-License-Identifier: MIT
 * exchange_import: an import file, line by line, into checked rows.  Touches no database, so that a bad line is found
 * before anything is locked. */
#include "store/exchange_import.h"
#include "base/clock.h"
#include "base/limits.h"
#include "store/categories.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_MAX 9007199254740991LL /* 2^53 - 1: what every JSON reader keeps exactly */

struct import *import_new(int64_t now_ms)
{
    struct import *im = xcalloc(1, sizeof *im);
    im->arena = arena_new();
    im->now_ms = now_ms;
    return im;
}

void import_free(struct import *im)
{
    if (!im)
        return;
    arena_free(im->arena);
    free(im->row);
    free(im);
}

int64_t import_rows(const struct import *im)
{
    return (int64_t)im->count;
}

static enum status kind_read(struct json_object *o, enum exchange_kind *kind, struct error *error)
{
    struct json_object *type;
    if (!json_object_is_type(o, json_type_object))
        return fail(error, ST_INVALID, "not a JSON object");
    if (!json_object_object_get_ex(o, "type", &type) || !json_object_is_type(type, json_type_string))
        return fail(error, ST_INVALID, "\"type\" is missing");
    char known[128] = "";
    for (int k = 0; k < EXCHANGE_KINDS; k++) {
        if (strcmp(exchange_tables[k].name, json_object_get_string(type)) == 0) {
            *kind = (enum exchange_kind)k;
            return OK;
        }
        size_t n = strlen(known);
        snprintf(known + n, sizeof known - n, "%s%s", k ? ", " : "", exchange_tables[k].name);
    }
    return fail(error, ST_INVALID, "unknown type \"%.40s\"; known are %s", json_object_get_string(type), known);
}

static int column_find(const struct exchange_table *t, const char *name)
{
    for (int i = 0; i < t->column_count; i++)
        if (strcmp(t->column[i].name, name) == 0)
            return i;
    return -1;
}

static enum status unknown_column(const struct exchange_table *t, const char *name, struct error *error)
{
    char known[256] = "";
    for (int i = 0; i < t->column_count; i++) {
        size_t n = strlen(known);
        snprintf(known + n, sizeof known - n, "%s%s", i ? ", " : t->has_id ? "id, " : "", t->column[i].name);
    }
    return fail(error, ST_INVALID, "a %s has no column \"%.40s\"; it has %s", t->name, name, known);
}

static enum status id_read(struct json_object *json, int64_t *id, struct error *error)
{
    if (!json)
        return OK;
    *id = json_object_get_int64(json);
    if (!json_object_is_type(json, json_type_int) || *id < 1 || *id > ID_MAX)
        return fail(error, ST_INVALID, "id must be a whole number from 1 to %lld", ID_MAX);
    return OK;
}

/* What a column left out means. */
static void defaults(struct import *im, const struct exchange_table *t, struct exchange_row *row)
{
    char now[CIVIL_TEXT_BYTES];
    for (int i = 0; i < t->column_count; i++) {
        struct exchange_value *v = &row->value[i];
        if (!v->given && t->column[i].type == COLUMN_CATEGORY)
            v->text = CATEGORY_DEFAULT; /* an explicit null is filed nowhere */
        else if (!v->given || v->null)
            v->null = t->column[i].type != COLUMN_FLAG;
    }
    struct exchange_value *created = &row->value[t->created];
    if (created->null) {
        created->text = arena_strdup(im->arena, clock_format_utc(im->now_ms, now));
        created->null = created->given = false;
    }
}

static enum status columns_read(struct import *im, struct json_object *o, struct exchange_row *row, struct error *error)
{
    const struct exchange_table *t = &exchange_tables[row->kind];
    enum status st = OK;
    json_object_object_foreach(o, name, value)
    {
        int i = column_find(t, name);
        if (strcmp(name, "type") == 0)
            continue;
        if (t->has_id && strcmp(name, "id") == 0)
            st = id_read(value, &row->id, error);
        else if (i < 0)
            st = unknown_column(t, name, error);
        else
            st = exchange_value_read(im->arena, &t->column[i], value, im->now_ms, &row->value[i], error);
        if (st != OK)
            return st;
    }
    bool measured = row->kind != EXCHANGE_BODY;
    for (int i = 0; i < t->column_count; i++) {
        measured |= t->column[i].type == COLUMN_NUMBER && row->value[i].given && !row->value[i].null;
        if (t->column[i].required && !row->value[i].given)
            return fail(error, ST_INVALID, "%s is missing", t->column[i].name);
    }
    if (!measured)
        return fail(error, ST_INVALID, "a body row needs weight_kg, body_fat_percent or muscle_kg");
    defaults(im, t, row);
    return OK;
}

static struct import_row *row_push(struct import *im)
{
    if (im->count == im->capacity) {
        im->capacity = im->capacity ? im->capacity * 2 : 256;
        im->row = xrealloc(im->row, im->capacity * sizeof *im->row);
    }
    struct import_row *row = &im->row[im->count];
    *row = (struct import_row){ .line = im->lines };
    return row;
}

static enum status line_read(struct import *im, const char *line, size_t bytes, struct error *error)
{
    if (bytes > EXPORT_LINE_BYTES_MAX)
        return fail(error, ST_LIMIT, "longer than %d bytes", EXPORT_LINE_BYTES_MAX);
    if (im->count >= IMPORT_ROWS_MAX)
        return fail(error, ST_LIMIT, "more than %d rows; split the file", IMPORT_ROWS_MAX);
    struct json_object *o = NULL;
    struct import_row *row = row_push(im);
    enum status st = json_parse(line, bytes, &o, error);
    if (st == OK)
        st = kind_read(o, &row->row.kind, error);
    if (st == OK) {
        int columns = exchange_tables[row->row.kind].column_count;
        row->row.value = arena_alloc(im->arena, (size_t)columns * sizeof *row->row.value);
        st = columns_read(im, o, &row->row, error);
    }
    if (st == OK)
        im->count++;
    json_object_put(o);
    return st;
}

enum status import_line(struct import *im, const char *line, size_t bytes, struct error *error)
{
    im->lines++;
    if (im->lines == 1 && bytes >= 3 && memcmp(line, "\xEF\xBB\xBF", 3) == 0) {
        line += 3; /* a byte order mark, as some editors write */
        bytes -= 3;
    }
    while (bytes > 0 && strchr(" \t\r\n", line[bytes - 1]) && line[bytes - 1])
        bytes--;
    if (bytes == 0)
        return OK;
    if (line_read(im, line, bytes, error) != OK)
        return fail_context(error, "line %lld", (long long)im->lines);
    return OK;
}
