/* SPDX-License-Identifier: MIT
 * setup_hooks: see setup_hooks.h.  TOML is not parsed here: a key is looked for by line, and where that is not certain
 * a person is asked to do it. */
#include "bot/setup_hooks.h"
#include <stdio.h>
#include <string.h>

enum {
    HOLD_S = 86400, /* a person may sleep over it */
    NOTICE_S = 60,
    MARGIN_S = 10, /* our own no comes before the agent stops waiting */
};

static const struct row {
    enum setup_agent agent;
    const char *event, *matcher;
    int timeout_s;
} row_table[] = {
    { SETUP_CLAUDE, "PermissionRequest", "*", HOLD_S },
    { SETUP_CLAUDE, "PreToolUse", "AskUserQuestion|ExitPlanMode", HOLD_S },
    { SETUP_CLAUDE, "Notification", NULL, NOTICE_S },
    { SETUP_CLAUDE, "Stop", NULL, HOLD_S },
    { SETUP_CODEX, "PermissionRequest", NULL, HOLD_S },
};

static const char *agent_name(enum setup_agent agent)
{
    return agent == SETUP_CLAUDE ? "claude" : "codex";
}

/* --- JSON --- */

static struct json_object *http_hook(const struct setup_hooks *s, const struct row *row)
{
    char text[512];
    struct json_object *o = json_object_new_object(), *headers = json_object_new_object(),
                       *allowed = json_object_new_array();
    json_set_str(o, "type", "http");
    snprintf(text, sizeof text, "%s/hooks/%s", s->url, agent_name(s->agent));
    json_set_str(o, "url", text);
    json_set_str(headers, "Authorization", "Bearer $CLAUDE_NOTIFY_SECRET");
    snprintf(text, sizeof text, "%d", row->timeout_s);
    json_set_str(headers, "X-Steward-Timeout", text);
    json_set(o, "headers", headers);
    json_push(allowed, json_object_new_string("CLAUDE_NOTIFY_SECRET"));
    json_set(o, "allowedEnvVars", allowed);
    json_set_int(o, "timeout", row->timeout_s);
    return o;
}

static struct json_object *command_hook(const struct setup_hooks *s, const struct row *row)
{
    struct arena *a = arena_new();
    struct json_object *o = json_object_new_object();
    json_set_str(o, "type", "command");
    json_set_str(
        o, "command",
        arena_printf(a, "%s hook %s --timeout %d", s->program, agent_name(s->agent), row->timeout_s - MARGIN_S));
    json_set_int(o, "timeout", row->timeout_s);
    arena_free(a);
    return o;
}

/* Ours, in whatever form and with whatever options somebody gave it. */
static bool is_ours(struct json_object *hook, const struct setup_hooks *s)
{
    char text[32];
    const char *command = json_str(hook, "command", ""), *url = json_str(hook, "url", "");
    snprintf(text, sizeof text, " hook %s", agent_name(s->agent));
    const char *program = strstr(command, s->program);
    program = program ? program : strstr(command, "steward");
    if (program && strstr(program, text))
        return true;
    size_t n = (size_t)snprintf(text, sizeof text, "/hooks/%s", agent_name(s->agent)), len = strlen(url);
    return len > n && strcmp(url + len - n, text) == 0;
}

static bool has_ours(struct json_object *groups, const struct setup_hooks *s)
{
    for (size_t i = 0; i < json_object_array_length(groups); i++) {
        struct json_object *hooks = json_at(json_object_array_get_idx(groups, i), "hooks");
        if (!json_object_is_type(hooks, json_type_array))
            continue;
        for (size_t k = 0; k < json_object_array_length(hooks); k++)
            if (is_ours(json_object_array_get_idx(hooks, k), s))
                return true;
    }
    return false;
}

static struct json_object *member(struct json_object *o, const char *key, enum json_type type)
{
    struct json_object *m = NULL;
    if (json_object_object_get_ex(o, key, &m) && m)
        return json_object_is_type(m, type) ? m : NULL;
    m = type == json_type_array ? json_object_new_array() : json_object_new_object();
    json_set(o, key, m);
    return m;
}

static enum status event_merge(const struct setup_hooks *s, const struct row *row, struct json_object *hooks,
                               struct setup_change *change, struct error *e)
{
    struct json_object *groups = member(hooks, row->event, json_type_array);
    if (!groups)
        return fail(e, ST_INVALID, "\"hooks.%s\" is not a list there; nothing was changed.", row->event);
    if (has_ours(groups, s)) {
        change->kept[change->kept_count++] = row->event;
        return OK;
    }
    struct json_object *group = json_object_new_object(), *list = json_object_new_array();
    if (row->matcher)
        json_set_str(group, "matcher", row->matcher);
    json_push(list, s->url ? http_hook(s, row) : command_hook(s, row));
    json_set(group, "hooks", list);
    json_push(groups, group);
    change->added[change->added_count++] = row->event;
    return OK;
}

enum status setup_hooks_merge(const struct setup_hooks *s, struct json_object *settings, struct setup_change *change,
                              struct error *e)
{
    struct json_object *hooks = member(settings, "hooks", json_type_object);
    *change = (struct setup_change){ 0 };
    if (!hooks)
        return fail(e, ST_INVALID, "\"hooks\" is not an object there; nothing was changed.");
    for (size_t i = 0; i < sizeof row_table / sizeof row_table[0]; i++)
        if (row_table[i].agent == s->agent && event_merge(s, &row_table[i], hooks, change, e))
            return e->status;
    return OK;
}

const char *setup_json_text(struct arena *a, struct json_object *o)
{
    return arena_printf(a, "%s\n",
                        json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
                                                              JSON_C_TO_STRING_NOSLASHESCAPE));
}

/* --- TOML --- */

/* A JSON string is a TOML basic string. */
static const char *quoted(struct arena *a, const char *text)
{
    return json_text(a, json_keep(a, json_object_new_string(text)));
}

const char *setup_toml_notify(struct arena *a, const char *program_path)
{
    return arena_printf(a, "notify = [%s, \"hook\", \"codex\"]\n", quoted(a, program_path));
}

const char *setup_toml_mcp(struct arena *a, const char *program_path)
{
    return arena_printf(a,
                        "[mcp_servers.steward]\n"
                        "command = %s\n"
                        "args = [\"mcp\"]\n"
                        "env_vars = [\"CLAUDE_NOTIFY_URL\", \"CLAUDE_NOTIFY_SECRET\", \"CLAUDE_NOTIFY_SECRET_FILE\", "
                        "\"CLAUDE_PROJECT\"]\n"
                        "tool_timeout_sec = %d\n",
                        quoted(a, program_path), HOLD_S);
}

/* The first line that could be `key =`, in whatever table or string it stands; NULL = none. */
static const char *toml_line(const char *text, const char *key)
{
    size_t n = strlen(key);
    for (const char *line = text; *line;) {
        const char *p = line + strspn(line, " \t");
        char quote = *p == '"' || *p == '\'' ? *p++ : '\0';
        if (strncmp(p, key, n) == 0) {
            p += n;
            p += quote && *p == quote;
            p += strspn(p, " \t");
            if (*p == '=' || *p == '.')
                return line;
        }
        const char *end = strchr(line, '\n');
        line = end ? end + 1 : "";
    }
    return NULL;
}

void setup_toml_merge(struct arena *a, const char *old, const char *program_path, struct setup_toml *t)
{
    const char *notify = toml_line(old, "notify");
    *t = (struct setup_toml){ .text = old };
    if (notify) {
        const char *line = arena_strndup(a, notify, strcspn(notify, "\n"));
        if ((!strstr(line, "steward") && !strstr(line, quoted(a, program_path))) || !strstr(line, "codex"))
            t->notify_by_hand = line;
    } else {
        /* At the top: below a [table] it would be a key of that table. */
        t->text = arena_printf(a, "%s%s", setup_toml_notify(a, program_path), t->text);
        t->notify_added = true;
    }
    if (strstr(old, "mcp_servers.steward"))
        return;
    if (toml_line(old, "mcp_servers")) {
        t->mcp_by_hand = setup_toml_mcp(a, program_path);
        return;
    }
    size_t len = strlen(t->text);
    t->text = arena_printf(a, "%s%s\n%s", t->text, len && t->text[len - 1] != '\n' ? "\n" : "",
                           setup_toml_mcp(a, program_path));
    t->mcp_added = true;
}
