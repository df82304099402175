/* SPDX-License-Identifier: MIT
 * hook: reading, keying and judging what all dialects have in common.
 * Called by the routes of the agents' hooks; pure, on any thread.  The events of each dialect are rows in hook_claude.c
 * and hook_codex.c; this file never names one. */
#include "router/hook.h"
#include "base/hex.h"
#include "base/text.h"
#include "router/hook_internal.h"
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct dialect_row {
    const char *name;  /* in keys */
    const char *agent; /* to people */
    const char *event_keys[2];
    const struct hook_event *events;
};

/* Codex' notify names its event "type"; its hooks speak as Claude's do. */
static const struct dialect_row dialect_table[] = {
    [HOOK_CLAUDE] = { "claude", "Claude", { "hook_event_name", NULL }, hook_claude_events },
    [HOOK_CODEX] = { "codex", "Codex", { "hook_event_name", "type" }, hook_codex_events },
};

static const struct hook_event *find_event(const struct hook *hook)
{
    for (const struct hook_event *row = dialect_table[hook->dialect].events; row->name; row++) {
        if (strcmp(row->name, hook->event) == 0)
            return row;
    }
    return NULL;
}

/* --- reading --- */

enum status hook_may_text(struct json_object *body, const char *key, const char **out, struct error *e)
{
    struct json_object *member = json_at(body, key);
    *out = NULL;
    if (member && !json_object_is_type(member, json_type_string))
        return fail(e, ST_INVALID, "The hook's \"%s\" must be text.", key);
    *out = json_str(body, key, NULL);
    return OK;
}

enum status hook_need_text(struct json_object *body, const char *key, const char **out, struct error *e)
{
    enum status s = hook_may_text(body, key, out, e);
    if (s != OK)
        return s;
    return *out && **out ? OK : fail(e, ST_INVALID, "The hook's \"%s\" is missing.", key);
}

static enum status need_id(struct json_object *body, const char *key, const char **out, struct error *e)
{
    enum status s = hook_need_text(body, key, out, e);
    if (s == OK && strlen(json_str(body, key, "")) > HOOK_ID_BYTES_MAX)
        return fail(e, ST_LIMIT, "The hook's \"%s\" is longer than %d bytes.", key, HOOK_ID_BYTES_MAX);
    return s;
}

enum status hook_read_tool(struct hook *hook, struct error *e)
{
    const char *call;
    enum status s = need_id(hook->body, "tool_name", &hook->tool, e);
    if (s == OK && json_has(hook->body, "tool_use_id"))
        s = need_id(hook->body, "tool_use_id", &call, e);
    if (s != OK)
        return s;
    if (!json_object_is_type(json_at(hook->body, "tool_input"), json_type_object))
        return fail(e, ST_INVALID, "The hook's \"tool_input\" must be an object.");
    return OK;
}

static const char *project_of(struct arena *arena, const char *cwd, const char *override)
{
    char *path = arena_strdup(arena, override && *override ? override : cwd ? cwd : "");
    size_t len = strlen(path);
    while (len > 0 && strchr("/\\", path[len - 1]))
        path[--len] = '\0';
    const char *name = path;
    for (const char *p = path; !(override && *override) && *p; p++) {
        if (*p == '/' || *p == '\\') /* agents run on Windows, too */
            name = p + 1;
    }
    name = hook_label(arena, name, HOOK_PROJECT_UNITS_MAX);
    return *name ? name : "unknown";
}

static enum status read_event_name(struct hook *hook, struct error *e)
{
    const struct dialect_row *row = &dialect_table[hook->dialect];
    const char *key = row->event_keys[0];
    if (!json_has(hook->body, key) && row->event_keys[1])
        key = row->event_keys[1];
    return need_id(hook->body, key, &hook->event, e);
}

static enum status read_from(struct arena *arena, enum hook_dialect dialect, const char *agent,
                             struct json_object *body, const char *project, struct hook *out, struct error *e)
{
    const char *cwd;
    *out = (struct hook){ .dialect = dialect, .agent = agent, .session = "", .event = "", .body = body };
    if (!json_object_is_type(body, json_type_object))
        return fail(e, ST_INVALID, "A hook's body must be a JSON object.");
    enum status s = hook_may_text(body, "cwd", &cwd, e);
    if (s == OK)
        s = read_event_name(out, e);
    if (s != OK)
        return s;
    out->project = project_of(arena, cwd, project);
    const struct hook_event *row = find_event(out);
    if (!row)
        return OK;
    if (row->session_required || json_has(body, row->session_key))
        s = need_id(body, row->session_key, &out->session, e);
    return s == OK ? row->read(arena, out, e) : s;
}

enum status hook_read(struct arena *arena, enum hook_dialect dialect, struct json_object *body, const char *project,
                      struct hook *out, struct error *e)
{
    return read_from(arena, dialect, dialect_table[dialect].agent, body, project, out, e);
}

enum status hook_read_as(struct arena *arena, enum hook_dialect dialect, const char *agent, struct json_object *body,
                         const char *project, struct hook *out, struct error *e)
{
    const char *name = agent ? hook_label(arena, agent, HOOK_LABEL_UNITS_MAX) : "";
    return read_from(arena, dialect, *name ? name : "An agent", body, project, out, e);
}

bool hook_wait_for_next(struct arena *arena, struct hook *hook)
{
    const struct hook_event *row = find_event(hook);
    return row && row->wait_for_next && hook->kind == HOOK_TELL && row->wait_for_next(arena, hook);
}

void hook_add_button(struct hook_question *q, const char *label, const char *value, const char *style, bool safe)
{
    if (q->button_count < HOOK_BUTTONS_MAX)
        q->buttons[q->button_count++] = (struct hook_button){ label, value, style, safe };
}

/* --- keys --- */

static void digest_text(EVP_MD_CTX *ctx, const char *s)
{
    EVP_DigestUpdate(ctx, s, strlen(s) + 1); /* with its NUL: where one text ends is part of the digest */
}

bool hook_has_call_id(const struct hook *hook)
{
    return hook->tool && json_str(hook->body, "tool_use_id", NULL);
}

const char *hook_key(struct arena *arena, const struct hook *hook)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned bytes = 0;
    char hex[2 * EVP_MAX_MD_SIZE + 1];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!ctx || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1)
        abort(); /* out of memory */
    digest_text(ctx, hook->session);
    digest_text(ctx, hook->event);
    digest_text(ctx, hook->tool ? hook->tool : "");
    if (hook_has_call_id(hook))
        digest_text(ctx, json_str(hook->body, "tool_use_id", ""));
    else
        digest_text(ctx, json_canonical(arena, hook->tool ? json_at(hook->body, "tool_input") : hook->body));
    EVP_DigestFinal_ex(ctx, digest, &bytes);
    EVP_MD_CTX_free(ctx);
    hex_put(hex, digest, bytes);
    return arena_printf(arena, "%s:%s", dialect_table[hook->dialect].name, hex);
}

/* --- deciding --- */

const char *hook_by(struct arena *arena, const char *what, const struct hook_answer *a)
{
    return arena_printf(arena, "%s%s%s in %s", what, a->by ? " by " : "", a->by ? a->by : "",
                        a->via ? a->via : "Telegram");
}

static const struct hook_button *find_button(const struct hook_question *q, const char *value)
{
    for (int i = 0; i < q->button_count; i++) {
        if (value && strcmp(q->buttons[i].value, value) == 0)
            return &q->buttons[i];
    }
    return NULL;
}

const char *hook_no_answer(struct arena *arena, const struct hook_answer *a)
{
    switch (a->outcome) {
    case HOOK_EXPIRED:
        return "Denied: the request expired without an answer.";
    case HOOK_TIMEOUT:
        return "Denied: nobody answered before the hook's own time limit.";
    case HOOK_CANCELLED:
        return a->why && *a->why ? arena_printf(arena, "Denied: the request was withdrawn (%s).", a->why)
                                 : "Denied: the request was withdrawn.";
    case HOOK_ANSWERED:
        return a->value && a->value[strspn(a->value, " \t\r\n")] ? NULL : "Denied: the answer was empty.";
    }
    return "Denied: the answer could not be read.";
}

struct hook_verdict hook_judge(struct arena *arena, const struct hook *hook, const struct hook_answer *answers,
                               int count)
{
    struct hook_verdict v = { 0 };
    v.sentence = count < 1 ? "Denied: no answer came." : hook_no_answer(arena, answers);
    if (v.sentence)
        return v;
    const struct hook_button *button = find_button(&hook->questions[0], answers->value);
    if (answers->free_text) {
        v.sentence = answers->value;
    } else if (!button) {
        v.sentence = "Denied: the answer is none of the choices.";
    } else {
        v.allowed = !button->safe;
        v.value = button->value;
        v.sentence = hook_by(arena, v.allowed ? "approved" : "denied", answers);
    }
    return v;
}

struct json_object *hook_output(const struct hook *hook, struct json_object **inner)
{
    struct json_object *out = json_object_new_object();
    *inner = json_object_new_object();
    json_set_str(*inner, "hookEventName", hook->event);
    json_set(out, "hookSpecificOutput", *inner);
    return out;
}

struct json_object *hook_input_copy(const struct hook *hook)
{
    return json_object_get(json_at(hook->body, "tool_input"));
}

struct json_object *hook_decide(struct arena *arena, const struct hook *hook, const struct hook_answer *answers,
                                int count)
{
    const struct hook_event *row = find_event(hook);
    if (hook->kind != HOOK_ASK || !row || !row->decide)
        return NULL;
    return json_keep(arena, row->decide(arena, hook, answers, count));
}
