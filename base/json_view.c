/* SPDX-License-Identifier: MIT
 * json_view: see json_view.h.  Everything but json_view_open() trusts that the text is JSON: json_lint.c has walked all
 * of it, so every string and container has its end.  Must never be given another text. */
#include "base/json_view.h"
#include "base/json_lint.h"
#include <stdlib.h>
#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *space_skip(const char *p, const char *end)
{
    while (p < end && is_space(*p))
        p++;
    return p;
}

enum status json_view_open(const char *text, size_t len, struct json_view *out, struct error *e)
{
    struct json_lint lint;
    enum status st = json_lint(text, len, &lint, e);
    if (st == OK)
        st = json_lint_keys(text, len, &lint, e);
    if (st != OK)
        return st;
    *out = (struct json_view){ space_skip(text, text + len), text + len };
    return OK;
}

/* Behind the closing quote of the string whose opening one is at p. */
static const char *string_skip(const char *p)
{
    for (p++; *p != '"'; p++)
        p += *p == '\\';
    return p + 1;
}

/* Behind the value at p. */
static const char *value_skip(const char *p, const char *end)
{
    static const signed char nesting[256] = { ['{'] = 1, ['['] = 1, ['}'] = -1, [']'] = -1 };
    int depth = 0;
    do {
        if (*p == '"') {
            p = string_skip(p);
            continue;
        }
        depth += nesting[(unsigned char)*p++];
    } while (depth > 0);
    if (p[-1] == '"' || p[-1] == '}' || p[-1] == ']')
        return p;
    while (p < end && !is_space(*p) && *p != ',' && *p != '}' && *p != ']') /* a number or a word */
        p++;
    return p;
}

/* Is this key, with its quotes, the name? */
static bool key_is(const char *key, size_t len, const char *name)
{
    size_t name_len = strlen(name);
    if (len == name_len + 2 && memcmp(key + 1, name, name_len) == 0)
        return true;
    return memchr(key, '\\', len) && json_lint_key_is(key, len, name);
}

struct json_view json_view_member(struct json_view object, const char *name)
{
    const struct json_view none = { NULL, NULL };
    if (!object.at || *object.at != '{')
        return none;
    const char *end = object.end, *p = space_skip(object.at + 1, end);
    while (*p != '}') {
        const char *key = p, *key_end = string_skip(p);
        p = space_skip(key_end, end);
        p = space_skip(p + 1, end); /* the colon */
        if (key_is(key, (size_t)(key_end - key), name))
            return *p == 'n' ? none : (struct json_view){ p, end };
        p = space_skip(value_skip(p, end), end);
        if (*p == ',')
            p = space_skip(p + 1, end);
    }
    return none;
}

bool json_view_int(struct json_view v, int64_t *out)
{
    char digits[24]; /* the lint lets no longer whole number through */
    size_t len = 0;
    if (!v.at || !(*v.at == '-' || (*v.at >= '0' && *v.at <= '9')))
        return false;
    while (v.at + len < v.end && len < sizeof digits && strchr("-+.eE0123456789", v.at[len]))
        len++;
    if (len == sizeof digits)
        return false;
    memcpy(digits, v.at, len);
    digits[len] = '\0';
    if (digits[strcspn(digits, ".eE")] != '\0')
        return false;
    *out = strtoll(digits, NULL, 10);
    return true;
}
