/* SPDX-License-Identifier: MIT
 * vectors_file: see vectors_file.h.  The frame is walked here, byte by byte; every value inside goes through the strict
 * JSON parser. */
#include "store/vectors_file.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scan {
    const char *text;
    size_t len, at;
};

static long line_at(const char *text, size_t at)
{
    long line = 1;
    for (size_t i = 0; i < at; i++)
        line += text[i] == '\n';
    return line;
}

static enum status bad(const struct scan *s, size_t at, const char *why, struct error *error)
{
    return fail(error, ST_INVALID, "line %ld (byte %zu): %s", line_at(s->text, at), at, why);
}

static char next(struct scan *s)
{
    while (s->at < s->len && strchr(" \t\r\n", s->text[s->at]) && s->text[s->at])
        s->at++;
    return s->at < s->len ? s->text[s->at] : '\0';
}

/* The end of the value that begins at `at`; 0 = it has none. */
static size_t value_end(const struct scan *s, size_t at)
{
    long depth = 0;
    bool string = false;
    for (size_t i = at; i < s->len; i++) {
        char c = s->text[i];
        if (string) {
            if (c == '\\')
                i++;
            string = c != '"';
        } else if (c == '"') {
            string = true;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth < 0) {
            return i; /* a bare value ends before its container does */
        } else if (c == ',' && depth == 0) {
            return i;
        }
        if (depth == 0 && !string && (c == '}' || c == ']' || c == '"'))
            return i + 1;
    }
    return 0;
}

static enum status take_value(struct scan *s, struct arena *arena, struct json_object **out, struct error *error)
{
    struct error why;
    (void)next(s);
    size_t begin = s->at, end = value_end(s, begin);
    if (end == 0)
        return bad(s, s->len, "the file ends inside a value", error);
    if (json_parse_in(arena, s->text + begin, end - begin, out, &why) != OK)
        return bad(s, begin, why.text, error);
    s->at = end;
    return OK;
}

static enum status expect(struct scan *s, char c, const char *why, struct error *error)
{
    if (next(s) != c)
        return bad(s, s->at, why, error);
    s->at++;
    return OK;
}

static enum status skip_value(struct scan *s, struct error *error)
{
    (void)next(s);
    size_t end = value_end(s, s->at);
    if (end == 0)
        return bad(s, s->len, "the file ends inside a value", error);
    s->at = end;
    return OK;
}

static enum status read_member(struct scan *s, struct arena *arena, struct json_object **metadata, size_t *items_at,
                               struct error *error)
{
    struct json_object *key = NULL;
    enum status st = next(s) == '"' ? take_value(s, arena, &key, error) : bad(s, s->at, "a name was expected", error);
    if (st == OK)
        st = expect(s, ':', "a colon was expected", error);
    if (st != OK)
        return st;
    const char *name = json_object_get_string(key);
    if (strcmp(name, "metadata") == 0 && !*metadata)
        return take_value(s, arena, metadata, error);
    if (strcmp(name, "items") == 0 && *items_at == 0) {
        if (next(s) != '[')
            return bad(s, s->at, "\"items\" must be a list", error);
        *items_at = s->at;
    }
    return skip_value(s, error);
}

static enum status read_metadata(struct vectors_file *f, struct arena *arena, const struct scan *s,
                                 struct json_object *metadata, struct error *error)
{
    int64_t dimensions = json_int(metadata, "dimensions", 0);
    f->model = arena_strdup(arena, json_str(metadata, "model", ""));
    f->provider = arena_strdup(arena, json_str(metadata, "provider", ""));
    f->created_at = arena_strdup(arena, json_str(metadata, "created_at", ""));
    if (!*f->model || strlen(f->model) > 100)
        return bad(s, 0, "\"metadata\" must name the model, in at most 100 bytes", error);
    if (dimensions < 1 || dimensions > VECTOR_DIMENSIONS_MAX)
        return bad(s, 0, "\"metadata\" must hold the dimensions, 1 to 4096", error);
    f->dimensions = (size_t)dimensions;
    return OK;
}

enum status vectors_file_open(struct vectors_file *f, struct arena *arena, const char *text, size_t len,
                              struct error *error)
{
    struct scan s = { text, len, 0 };
    struct json_object *metadata = NULL;
    *f = (struct vectors_file){ .text = text, .len = len };
    enum status st = expect(&s, '{', "a vector file is one JSON object", error);
    bool more = st == OK && next(&s) != '}';
    while (st == OK && more) {
        st = read_member(&s, arena, &metadata, &f->items_at, error);
        more = st == OK && next(&s) == ',';
        s.at += more;
    }
    if (st == OK)
        st = expect(&s, '}', "the object does not end here as it should", error);
    if (st == OK && next(&s) != '\0')
        st = bad(&s, s.at, "something follows the object", error);
    if (st == OK && (!json_object_is_type(metadata, json_type_object) || f->items_at == 0))
        st = bad(&s, 0, "\"metadata\" or \"items\" is missing", error);
    return st == OK ? read_metadata(f, arena, &s, metadata, error) : st;
}

/* --- items --- */

static const char *read_name(struct vectors_item *item)
{
    const char *id = json_str(item->json, "id", ""), *sign = strrchr(id, '_');
    char type[32], *end;
    if (!sign || (size_t)(sign - id) >= sizeof type)
        return "\"id\" must be like \"task_83\"";
    memcpy(type, id, (size_t)(sign - id));
    type[sign - id] = '\0';
    item->type = recall_type_find(type);
    item->id = strtoll(sign + 1, &end, 10);
    if (item->type < 0 || *end || end == sign + 1 || item->id <= 0 || item->id >= (int64_t)1 << 56)
        return "\"id\" must be like \"task_83\"";
    if (strcmp(json_str(item->json, "type", type), type) != 0)
        return "\"type\" and \"id\" do not agree";
    return *json_str(item->json, "content", "") ? NULL : "\"content\" is missing";
}

static const char *read_numbers(struct vectors_item *item, struct arena *arena, size_t dimensions)
{
    struct json_object *list = json_at(item->json, "embedding");
    bool zero = true;
    if (!json_object_is_type(list, json_type_array))
        return "\"embedding\" is missing";
    if (json_object_array_length(list) != dimensions)
        return "\"embedding\" has another length than \"dimensions\"";
    item->values = arena_alloc(arena, dimensions * sizeof *item->values);
    for (size_t i = 0; i < dimensions; i++) {
        struct json_object *number = json_object_array_get_idx(list, i);
        if (!json_object_is_type(number, json_type_double) && !json_object_is_type(number, json_type_int))
            return "\"embedding\" holds something that is no number";
        item->values[i] = (float)json_object_get_double(number);
        if (!isfinite(item->values[i]))
            return "\"embedding\" holds a number that does not fit";
        zero &= item->values[i] == 0;
    }
    return zero ? "\"embedding\" is all zero" : NULL;
}

static enum status read_item(const struct vectors_file *f, struct scan *s, struct arena *arena,
                             struct vectors_item *item, struct error *error)
{
    (void)next(s);
    size_t begin = s->at;
    enum status st = take_value(s, arena, &item->json, error);
    if (st != OK)
        return st;
    const char *why = json_object_is_type(item->json, json_type_object) ? read_name(item) : "an item must be an object";
    if (!why)
        why = read_numbers(item, arena, f->dimensions);
    if (!why)
        return OK;
    const char *id = json_str(item->json, "id", "");
    return bad(s, begin, *id ? arena_printf(arena, "%.60s: %s", id, why) : why, error);
}

enum status vectors_file_each(const struct vectors_file *f,
                              enum status (*fn)(struct vectors_item *, struct arena *, void *arg, struct error *),
                              void *arg, struct error *error)
{
    struct scan s = { f->text, f->len, f->items_at + 1 };
    enum status st = OK;
    long line = line_at(f->text, f->items_at);
    size_t counted = f->items_at;
    bool more = next(&s) != ']';
    while (st == OK && more) {
        struct arena *arena = arena_new();
        struct vectors_item item = { 0 };
        (void)next(&s);
        for (; counted < s.at; counted++)
            line += f->text[counted] == '\n';
        item.line = line;
        st = read_item(f, &s, arena, &item, error);
        if (st == OK)
            st = fn(&item, arena, arg, error);
        arena_free(arena);
        more = st == OK && next(&s) == ',';
        s.at += more;
    }
    return st == OK ? expect(&s, ']', "a comma or the end of the list was expected", error) : st;
}

const char *vectors_number(float value, char out[32])
{
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(out, 32, "%.*g", digits, (double)value);
        if ((float)strtod(out, NULL) == value)
            break;
    }
    return out;
}
