/* SPDX-License-Identifier: MIT
 * json: json-c behind a strict gate, and lookups that read well.
 * json_lint.c decides whether the text is JSON; only then json-c builds the tree.  Called
 * by everything that meets foreign bytes, on any thread; one tree belongs to one thread at a
 * time (json-c keeps the printed text inside the object). */
#include "base/json.h"
#include "base/buf.h"
#include "base/json_lint.h"
#include "base/limits.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PATH_STEP_BYTES_MAX = 128,     /* longest member name a path can hold */
    CANONICAL_BYTES_MAX = 16 * MIB /* whatever can be stored as one value */
};

/* Run json-c over text that json_lint() has passed. */
static enum status build_tree(const char *text, size_t len, struct json_object **out, struct error *e)
{
    struct json_tokener *tok = json_tokener_new_ex(JSON_DEPTH_MAX + 1); /* json-c counts the scalar too */
    if (!tok)
        return fail(e, ST_INTERNAL, "Out of memory while reading JSON.");
    json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *root = json_tokener_parse_ex(tok, text, (int)len);
    enum json_tokener_error err = json_tokener_get_error(tok);
    if (err == json_tokener_continue) { /* a bare number ends only at the NUL */
        root = json_tokener_parse_ex(tok, "", 1);
        err = json_tokener_get_error(tok);
    }
    size_t at = json_tokener_get_parse_end(tok);
    json_tokener_free(tok);
    if (err != json_tokener_success) {
        json_object_put(root);
        return fail(e, ST_INVALID, "Not valid JSON at byte %zu: %s.", at, json_tokener_error_desc(err));
    }
    *out = root;
    return OK;
}

enum status json_parse(const char *text, size_t len, struct json_object **out, struct error *e)
{
    struct json_lint lint;
    struct json_object *root = NULL;
    char *patched = NULL;
    *out = NULL;
    enum status s = json_lint(text, len, &lint, e);
    if (s == OK)
        s = json_lint_keys(text, len, &lint, e); /* of two equal ones json-c would keep the last */
    if (s != OK)
        return s;
    if (lint.nul_escapes > 0)
        text = patched = json_lint_without_nul(text, len);
    s = build_tree(text, len, &root, e);
    if (s == OK)
        *out = root;
    else
        json_object_put(root);
    free(patched);
    return s;
}

static void put_object(void *o)
{
    json_object_put(o);
}

struct json_object *json_keep(struct arena *arena, struct json_object *o)
{
    if (o)
        arena_defer(arena, put_object, o);
    return o;
}

enum status json_parse_in(struct arena *arena, const char *text, size_t len, struct json_object **out, struct error *e)
{
    enum status s = json_parse(text, len, out, e);
    if (s == OK)
        json_keep(arena, *out);
    return s;
}

/* --- lookups --- */

static struct json_object *step_into(struct json_object *o, const char *step)
{
    struct json_object *next = NULL;
    if (json_object_is_type(o, json_type_object)) {
        json_object_object_get_ex(o, step, &next);
    } else if (json_object_is_type(o, json_type_array) && step[strspn(step, "0123456789")] == '\0' &&
               strlen(step) <= 9) {
        next = json_object_array_get_idx(o, (size_t)atol(step)); /* NULL beyond the end */
    }
    return next;
}

struct json_object *json_at(struct json_object *o, const char *path)
{
    char step[PATH_STEP_BYTES_MAX];
    while (o) {
        size_t len = strcspn(path, ".");
        if (len == 0 || len >= sizeof step)
            return NULL;
        memcpy(step, path, len);
        step[len] = '\0';
        o = step_into(o, step);
        if (path[len] == '\0')
            return o;
        path += len + 1;
    }
    return NULL;
}

const char *json_str(struct json_object *o, const char *path, const char *fallback)
{
    o = json_at(o, path);
    return json_object_is_type(o, json_type_string) ? json_object_get_string(o) : fallback;
}

int64_t json_int(struct json_object *o, const char *path, int64_t fallback)
{
    o = json_at(o, path);
    if (!json_object_is_type(o, json_type_int))
        return fallback;
    int64_t value = json_object_get_int64(o);
    /* json-c holds up to UINT64_MAX and clamps it on the way out. */
    if (value == INT64_MAX && json_object_get_uint64(o) > INT64_MAX)
        return fallback;
    return value;
}

double json_num(struct json_object *o, const char *path, double fallback)
{
    o = json_at(o, path);
    if (!json_object_is_type(o, json_type_int) && !json_object_is_type(o, json_type_double))
        return fallback;
    return json_object_get_double(o);
}

bool json_flag(struct json_object *o, const char *path, bool fallback)
{
    o = json_at(o, path);
    return json_object_is_type(o, json_type_boolean) ? json_object_get_boolean(o) : fallback;
}

bool json_has(struct json_object *o, const char *path)
{
    return json_at(o, path) != NULL;
}

const char *json_text(struct arena *arena, struct json_object *o)
{
    const int flags = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
    size_t len = 0;
    const char *s = json_object_to_json_string_length(o, flags, &len);
    return arena_strndup(arena, s ? s : "null", s ? len : 4);
}

/* --- setters --- */

void json_set(struct json_object *o, const char *key, struct json_object *value)
{
    if (json_object_object_add(o, key, value) != 0)
        abort(); /* out of memory, or an object inside itself */
}

void json_push(struct json_object *array, struct json_object *value)
{
    if (json_object_array_add(array, value) != 0)
        abort();
}

static int by_name(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static void canonical_put(struct arena *a, struct buf *out, struct json_object *o);

static void canonical_object(struct arena *a, struct buf *out, struct json_object *o)
{
    size_t count = (size_t)json_object_object_length(o), n = 0;
    const char **names = arena_alloc(a, (count + 1) * sizeof *names);
    json_object_object_foreach(o, key, value)
    {
        (void)value;
        names[n++] = key;
    }
    qsort(names, n, sizeof *names, by_name);
    buf_putc(out, '{');
    for (size_t i = 0; i < n; i++) {
        struct json_object *name = json_object_new_string(names[i]);
        buf_puts(out, i ? "," : "");
        buf_puts(out, json_object_to_json_string_ext(name, JSON_C_TO_STRING_NOSLASHESCAPE));
        json_object_put(name);
        buf_putc(out, ':');
        canonical_put(a, out, json_object_object_get(o, names[i]));
    }
    buf_putc(out, '}');
}

static void canonical_put(struct arena *a, struct buf *out, struct json_object *o)
{
    if (json_object_is_type(o, json_type_object)) {
        canonical_object(a, out, o);
        return;
    }
    if (!json_object_is_type(o, json_type_array)) {
        buf_puts(out, json_text(a, o));
        return;
    }
    buf_putc(out, '[');
    for (size_t i = 0; i < json_object_array_length(o); i++) {
        buf_puts(out, i ? "," : "");
        canonical_put(a, out, json_object_array_get_idx(o, i));
    }
    buf_putc(out, ']');
}

const char *json_canonical(struct arena *a, struct json_object *o)
{
    struct buf out;
    buf_init_in(&out, a, CANONICAL_BYTES_MAX);
    canonical_put(a, &out, o);
    return buf_str(&out);
}

void json_set_str(struct json_object *o, const char *key, const char *s)
{
    json_set(o, key, s ? json_object_new_string(s) : NULL);
}

void json_set_int(struct json_object *o, const char *key, int64_t value)
{
    json_set(o, key, json_object_new_int64(value));
}

void json_set_num(struct json_object *o, const char *key, double value)
{
    if (!isfinite(value)) { /* JSON has no word for it */
        json_set(o, key, NULL);
        return;
    }
    /* The shortest text that reads back the same: 81.4, not 81.400000000000006. */
    char text[32];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    json_set(o, key, json_object_new_double_s(value, text));
}

void json_set_bool(struct json_object *o, const char *key, bool value)
{
    json_set(o, key, json_object_new_boolean(value));
}
