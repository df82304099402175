/* SPDX-License-Identifier: MIT
 * mcp_id: finds the id in a line that is not JSON as we read it.  Called for refused lines only, on the reader's
 * thread. It follows strings and brackets and nothing else; what it gives back has passed the strict reader. */
#include "bot/mcp.h"

#include "base/json.h"
#include <string.h>

struct scan {
    const char *at, *end;
};

/* Behind the string that begins at s->at; false = it does not end. */
static bool skip_string(struct scan *s)
{
    for (s->at++; s->at < s->end; s->at++) {
        if (*s->at == '\\')
            s->at++;
        else if (*s->at == '"')
            break;
    }
    if (s->at >= s->end)
        return false;
    s->at++;
    return true;
}

static void skip_space(struct scan *s)
{
    while (s->at < s->end && strchr(" \t\r\n", *s->at) && *s->at)
        s->at++;
}

/* The value at s->at as JSON text when it is a whole string or number that reads well. */
static const char *read_id(struct arena *arena, struct scan *s)
{
    const char *begin = s->at;
    if (s->at >= s->end)
        return NULL;
    if (*s->at == '"') {
        if (!skip_string(s))
            return NULL;
    } else {
        while (s->at < s->end && strchr("-0123456789", *s->at) && *s->at)
            s->at++;
    }
    size_t len = (size_t)(s->at - begin);
    struct json_object *o = NULL;
    skip_space(s);
    bool whole = s->at < s->end && (*s->at == ',' || *s->at == '}');
    if (!whole || len == 0 || len > MCP_ID_BYTES_MAX || json_parse_in(arena, begin, len, &o, NULL) || !o)
        return NULL;
    return json_text(arena, o);
}

/* At a string of the outermost object: is it the key "id"?  Then its value. */
static bool is_id_key(struct scan *s)
{
    static const char key[] = "\"id\"";
    bool same = (size_t)(s->end - s->at) >= sizeof key - 1 && memcmp(s->at, key, sizeof key - 1) == 0;
    if (!skip_string(s))
        return false;
    skip_space(s);
    return same && s->at < s->end && *s->at == ':';
}

const char *mcp_salvage_id(struct arena *arena, const char *line, size_t len)
{
    struct scan s = { .at = line, .end = line + len };
    int depth = 0;
    skip_space(&s);
    if (s.at >= s.end || *s.at != '{')
        return NULL;
    while (s.at < s.end) {
        if (*s.at == '"' && depth == 1) {
            if (is_id_key(&s)) {
                s.at++;
                skip_space(&s);
                return read_id(arena, &s);
            }
        } else if (*s.at == '"') {
            if (!skip_string(&s))
                return NULL;
        } else {
            depth += *s.at == '{' || *s.at == '[';
            depth -= *s.at == '}' || *s.at == ']';
            if (depth == 0 && !strchr(" \t\r\n", *s.at))
                return NULL; /* behind it */
            s.at++;
        }
    }
    return NULL;
}
