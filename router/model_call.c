/* SPDX-License-Identifier: MIT
 * model_call: tool calls as models really write them: arguments as a string or an object, ids missing or doubled, a
 * call printed as text, reasoning left in the content.  One lenient pass escapes raw control characters; nothing is
 * guessed, completed or closed.  Pure; called by the rows' parse functions on worker threads. */
#include "router/provider.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>

enum { CALL_NAME_BYTES_MAX = 64 }; /* both vendors' own bound of a tool name */

/* --- text --- */

/* Copies text to `out` without whole <think>…</think> blocks; an open one at the start swallows the rest. */
static void strip_blocks(struct buf *out, const char *s)
{
    static const char open[] = "<think>", close[] = "</think>";
    const char *first_close = strstr(s, close), *first_open = strstr(s, open);
    if (first_close && (!first_open || first_close < first_open))
        s = first_close + sizeof close - 1; /* some chat templates put the opening tag into the prompt */
    for (;;) {
        const char *begin = strstr(s, open);
        const char *end = begin ? strstr(begin, close) : NULL;
        if (!end)
            break;
        buf_put(out, s, (size_t)(begin - s));
        s = end + sizeof close - 1;
    }
    if (strncmp(s + strspn(s, " \t\r\n"), open, sizeof open - 1) != 0)
        buf_puts(out, s);
}

const char *model_text_visible(struct arena *arena, const char *text, size_t len)
{
    struct buf out = BUF_INIT(MODEL_REPLY_BYTES_MAX);
    strip_blocks(&out, text_clean(arena, text, len));
    char *copy = arena_strdup(arena, buf_str(&out));
    buf_release(&out);
    return text_trim(copy);
}

/* --- arguments --- */

static void escape_controls(struct buf *out, const char *s, size_t len)
{
    bool inside = false, escaped = false;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (inside && c < 0x20) {
            buf_printf(out, "\\u%04x", c);
            escaped = false;
            continue;
        }
        if (c == '"' && !escaped)
            inside = !inside;
        escaped = inside && c == '\\' && !escaped;
        buf_putc(out, (char)c);
    }
}

static struct json_object *parse_lenient(struct arena *arena, const char *s, size_t len)
{
    struct json_object *value = NULL;
    if (json_parse_in(arena, s, len, &value, NULL) == OK)
        return value;
    struct buf out = BUF_INIT(MODEL_REPLY_BYTES_MAX);
    escape_controls(&out, s, len);
    if (out.overflow || json_parse_in(arena, buf_str(&out), out.len, &value, NULL) != OK)
        value = NULL;
    buf_release(&out);
    return value;
}

/* Newer models keep a newline at the end of string arguments. */
static void trim_newlines(struct json_object *value)
{
    switch (json_object_get_type(value)) {
    case json_type_string: {
        const char *s = json_object_get_string(value);
        int len = json_object_get_string_len(value), keep = len;
        while (keep > 0 && (s[keep - 1] == '\n' || s[keep - 1] == '\r'))
            keep--;
        if (keep < len) {
            char *copy = xstrndup(s, (size_t)keep);
            json_object_set_string_len(value, copy, keep);
            free(copy);
        }
        break;
    }
    case json_type_array:
        for (size_t i = 0; i < json_object_array_length(value); i++)
            trim_newlines(json_object_array_get_idx(value, i));
        break;
    case json_type_object: {
        json_object_object_foreach(value, key, member)
        {
            (void)key;
            trim_newlines(member);
        }
        break;
    }
    default:
        break;
    }
}

static struct json_object *copy_of(struct arena *arena, struct json_object *value)
{
    struct json_object *copy = NULL;
    if (json_object_deep_copy(value, &copy, NULL) != 0)
        return NULL;
    return json_keep(arena, copy);
}

void model_call_arguments(struct arena *arena, struct json_object *given, struct model_call *call)
{
    call->arguments = NULL;
    call->arguments_text = "{}";
    struct json_object *value = NULL;
    if (json_object_is_type(given, json_type_string)) {
        const char *s = json_object_get_string(given);
        size_t len = (size_t)json_object_get_string_len(given);
        call->arguments_text = text_clean(arena, s, len);
        bool blank = strspn(s, " \t\r\n") == len;
        bool null = !blank && strcmp(s, "null") == 0;
        value = blank || null ? NULL : parse_lenient(arena, s, len);
        if (!blank && !null && !value)
            return;
    } else if (given) {
        value = copy_of(arena, given);
        call->arguments_text = json_text(arena, value);
    }
    if (!value)
        value = json_keep(arena, json_object_new_object());
    if (!json_object_is_type(value, json_type_object))
        return;
    trim_newlines(value);
    call->arguments = value;
}

/* --- calls --- */

static bool id_taken(const struct model_reply *reply, const char *id)
{
    for (int i = 0; i < reply->call_count; i++)
        if (strcmp(reply->calls[i].id, id) == 0)
            return true;
    return false;
}

static const char *call_id(struct arena *arena, const struct model_reply *reply, const char *id)
{
    if (id && *id && !id_taken(reply, id))
        return arena_strdup(arena, id);
    for (int n = reply->call_count + 1;; n++) {
        const char *made = arena_printf(arena, "call_%d", n);
        if (!id_taken(reply, made))
            return made;
    }
}

/* An unknown name goes back to the model inside its own step, where both vendors check its letters. */
static const char *call_name(struct arena *arena, const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    char *copy = arena_strndup(arena, name, strnlen(name, CALL_NAME_BYTES_MAX));
    for (char *p = copy + strspn(copy, letters); *p; p += strspn(p, letters))
        *p = '_';
    return copy;
}

struct model_call *model_call_add(struct arena *arena, struct model_reply *reply, const char *id, const char *name,
                                  struct json_object *given)
{
    if (reply->call_count >= MODEL_CALLS_MAX) {
        reply->too_many_calls = true;
        return NULL;
    }
    struct model_call *call = &reply->calls[reply->call_count];
    call->id = call_id(arena, reply, id);
    call->name = call_name(arena, name);
    model_call_arguments(arena, given, call);
    reply->call_count++;
    return call;
}

/* --- calls printed as text --- */

static bool tool_known(const struct model_request *request, const char *name)
{
    for (int i = 0; name && i < request->tool_count; i++)
        if (strcmp(request->tools[i].name, name) == 0)
            return true;
    return false;
}

/* One printed call: {"name":…,"arguments"|"parameters"|"input":{…}}, perhaps inside {"function":…}. */
static bool recover_one(struct arena *arena, const struct model_request *request, struct json_object *object,
                        struct model_reply *reply)
{
    if (json_object_is_type(json_at(object, "function"), json_type_object))
        object = json_at(object, "function");
    const char *name = json_str(object, "name", NULL);
    if (!json_object_is_type(object, json_type_object) || !tool_known(request, name))
        return false;
    static const char *const keys[] = { "arguments", "parameters", "input" };
    struct json_object *given = NULL;
    for (size_t i = 0; i < sizeof keys / sizeof *keys && !given; i++)
        given = json_at(object, keys[i]);
    if (!given && json_object_object_length(object) > 1)
        return false;
    struct model_call *call = model_call_add(arena, reply, NULL, name, given);
    return call && call->arguments;
}

static bool recover_json(struct arena *arena, const struct model_request *request, const char *s, size_t len,
                         struct model_reply *reply)
{
    if (len == 0 || (*s != '{' && *s != '['))
        return false;
    struct json_object *value = parse_lenient(arena, s, len);
    if (!json_object_is_type(value, json_type_array))
        return value && recover_one(arena, request, value, reply);
    size_t n = json_object_array_length(value);
    for (size_t i = 0; i < n; i++)
        if (!recover_one(arena, request, json_object_array_get_idx(value, i), reply))
            return false;
    return n > 0;
}

/* The inside of a code fence, or of one <tool_call> tag; *rest is what follows.  NULL = s has no such wrapping. */
static char *unwrap(char *s, char **rest)
{
    const char *close = NULL;
    char *inside = NULL;
    if (strncmp(s, "```", 3) == 0) {
        inside = s + strcspn(s, "\n{[");
        close = "```";
    } else if (strncmp(s, "<tool_call>", 11) == 0) {
        inside = s + 11;
        close = "</tool_call>";
    }
    char *end = inside ? strstr(inside, close) : NULL;
    if (!end)
        return NULL;
    *rest = text_trim(end + strlen(close));
    *end = '\0';
    return text_trim(inside);
}

static bool recover_all(struct arena *arena, const struct model_request *request, char *s, struct model_reply *reply)
{
    char *rest = NULL, *inside = unwrap(s, &rest);
    if (!inside)
        return recover_json(arena, request, s, strlen(s), reply);
    while (inside) {
        if (!recover_json(arena, request, inside, strlen(inside), reply))
            return false;
        s = rest;
        if (!*s)
            return true;
        inside = unwrap(s, &rest);
    }
    return false;
}

bool model_call_recover(struct arena *arena, const struct model_request *request, const char *text,
                        struct model_reply *reply)
{
    struct model_reply draft = *reply;
    if (request->tool_count == 0 || !recover_all(arena, request, text_trim(arena_strdup(arena, text)), &draft))
        return false;
    *reply = draft;
    return true;
}
