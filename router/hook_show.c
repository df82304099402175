/* SPDX-License-Identifier: MIT
 * hook_show: what a tool call looks like to the person who decides about it.
 * One row per tool; a tool without a row is shown as JSON.  Called by the dialects, pure.  Nothing of the input is left
 * out: a member no row speaks of is shown by its name.  Everything goes through hook_clean(). */
#include "base/buf.h"
#include "base/secrets.h"
#include "base/text.h"
#include "router/hook_internal.h"
#include <string.h>

enum { TITLE_UNITS_MAX = 200 };

/* --- text of strangers --- */

const char *hook_clean(struct arena *arena, const char *s)
{
    return text_unspoof(arena, text_mask_secrets(arena, s));
}

/* s cut at `units`, with an ellipsis when something is missing. */
static const char *shorten(struct arena *arena, const char *s, size_t units)
{
    size_t len = strlen(s);
    if (text_utf16_units(s, len) <= units)
        return s;
    return arena_printf(arena, "%.*s…", (int)text_prefix_utf16(s, len, units - 1), s);
}

const char *hook_label(struct arena *arena, const char *s, size_t units)
{
    char *line = arena_strdup(arena, hook_clean(arena, s));
    for (char *p = line; *p; p++) {
        if (*p == '\n' || *p == '\t')
            *p = ' ';
    }
    return shorten(arena, text_trim(line), units);
}

const char *hook_agent(struct arena *arena, const struct hook *hook)
{
    const char *type = json_str(hook->body, "agent_type", "");
    return *type ? arena_printf(arena, "%s (%s)", hook->agent, hook_label(arena, type, HOOK_LABEL_UNITS_MAX))
                 : hook->agent;
}

/* NULL when it did not fit: what asks for trust is shown whole or not at all. */
static const char *detach_text(struct arena *arena, struct buf *b)
{
    const char *s = b->overflow ? NULL : arena_strndup(arena, buf_str(b), b->len);
    buf_release(b);
    return s;
}

void hook_compose(struct arena *arena, const char *title, const char *text, const char **message, const char **details,
                  const char **details_name)
{
    text = hook_clean(arena, text);
    *message = arena_printf(arena, "%s%s%s", title, *text ? "\n" : "", text);
    if (text_utf16_units(*message, strlen(*message)) <= HOOK_MESSAGE_UNITS_MAX)
        return;
    *message = shorten(arena, *message, HOOK_MESSAGE_UNITS_MAX);
    *details = *details ? arena_printf(arena, "%s\n\n%s", text, *details) : text;
    if (!*details_name)
        *details_name = "message.md";
}

const char *hook_pretty(struct arena *arena, struct json_object *o)
{
    const int spread = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE;
    const char *s = o ? json_object_to_json_string_ext(o, spread) : "null";
    if (strlen(s) > HOOK_TEXT_BYTES_MAX / 2) /* deep arrays are mostly indentation */
        return json_text(arena, o);
    return arena_strdup(arena, s);
}

/* --- renderers --- */

static size_t line_bytes(const char *s)
{
    return strcspn(s, "\n");
}

/* The line after the one at s; NULL after the last. */
static const char *next_line(const char *s)
{
    s += line_bytes(s);
    return *s ? s + 1 : NULL;
}

static bool same_line(const char *a, const char *b)
{
    return line_bytes(a) == line_bytes(b) && memcmp(a, b, line_bytes(a)) == 0;
}

static size_t count_lines(const char *s)
{
    size_t n = 0;
    for (; s; s = next_line(s))
        n++;
    return n;
}

static void put_lines(struct buf *b, char sign, const char **s, size_t count)
{
    for (; *s && count > 0; count--, *s = next_line(*s)) {
        buf_putc(b, sign);
        buf_put(b, *s, line_bytes(*s));
        buf_putc(b, '\n');
    }
}

/* Lines both texts end with, at most `max`. */
static size_t common_tail(const char *a, const char *b, size_t max)
{
    size_t i = strlen(a), j = strlen(b), lines = 0;
    while (lines < max) {
        size_t a_end = i, b_end = j;
        while (i > 0 && a[i - 1] != '\n')
            i--;
        while (j > 0 && b[j - 1] != '\n')
            j--;
        if (a_end - i != b_end - j || memcmp(a + i, b + j, a_end - i) != 0)
            break;
        lines++;
        if (i == 0 || j == 0)
            break;
        i--;
        j--;
    }
    return lines;
}

/* What both begin and end with once, the rest as taken away and put in. */
static void put_diff(struct arena *arena, struct buf *b, const char *before, const char *after)
{
    before = text_mask_secrets(arena, before); /* here: afterwards a key has signs in front of its lines */
    after = text_mask_secrets(arena, after);
    size_t old_left = count_lines(before), new_left = count_lines(after), head = 0;
    size_t least = old_left < new_left ? old_left : new_left;
    for (const char *p = before, *q = after; head < least && same_line(p, q); p = next_line(p), q = next_line(q))
        head++;
    size_t tail = common_tail(before, after, least - head);
    const char *p = before, *q = after;
    put_lines(b, ' ', &p, head);
    for (size_t i = 0; i < head; i++)
        q = next_line(q);
    put_lines(b, '-', &p, old_left - head - tail);
    put_lines(b, '+', &q, new_left - head - tail);
    put_lines(b, ' ', &p, tail);
}

static void put_edit(struct arena *arena, struct buf *b, struct json_object *edit)
{
    buf_puts(b, json_flag(edit, "replace_all", false) ? "@@ every place @@\n" : "@@ @@\n");
    put_diff(arena, b, json_str(edit, "old_string", ""), json_str(edit, "new_string", ""));
}

static void put_path(struct buf *b, struct json_object *input)
{
    const char *path = json_str(input, "file_path", "");
    buf_printf(b, "--- %s\n+++ %s\n", path, path);
}

static const char *render_edit(struct arena *arena, struct json_object *input)
{
    struct buf b = BUF_INIT(HOOK_TEXT_BYTES_MAX);
    if (!json_str(input, "old_string", NULL) || !json_str(input, "new_string", NULL))
        return hook_pretty(arena, input);
    put_path(&b, input);
    put_edit(arena, &b, input);
    return detach_text(arena, &b);
}

static const char *render_edits(struct arena *arena, struct json_object *input)
{
    struct json_object *edits = json_at(input, "edits");
    struct buf b = BUF_INIT(HOOK_TEXT_BYTES_MAX);
    if (!json_object_is_type(edits, json_type_array))
        return hook_pretty(arena, input);
    put_path(&b, input);
    for (size_t i = 0; i < json_object_array_length(edits); i++) {
        struct json_object *edit = json_object_array_get_idx(edits, i);
        if (json_str(edit, "old_string", NULL) && json_str(edit, "new_string", NULL))
            put_edit(arena, &b, edit);
        else
            buf_printf(&b, "%s\n", hook_pretty(arena, edit));
    }
    return detach_text(arena, &b);
}

/* A word of a command line, in quotes when a shell would need them. */
static void put_word(struct buf *b, const char *word)
{
    const char *plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@%+,";
    if (*word && !word[strspn(word, plain)]) {
        buf_puts(b, word);
        return;
    }
    buf_putc(b, '\'');
    for (; *word; word++)
        buf_puts(b, *word == '\'' ? "'\\''" : (char[]){ *word, '\0' });
    buf_putc(b, '\'');
}

/* A command is text; some versions give its words. */
static const char *render_command(struct arena *arena, struct json_object *input)
{
    struct json_object *command = json_at(input, "command");
    struct buf b = BUF_INIT(HOOK_TEXT_BYTES_MAX);
    if (json_object_is_type(command, json_type_string))
        return json_object_get_string(command);
    if (!json_object_is_type(command, json_type_array))
        return hook_pretty(arena, input);
    for (size_t i = 0; i < json_object_array_length(command); i++) {
        struct json_object *word = json_object_array_get_idx(command, i);
        if (i > 0)
            buf_putc(&b, ' ');
        put_word(&b,
                 json_object_is_type(word, json_type_string) ? json_object_get_string(word) : json_text(arena, word));
    }
    return detach_text(arena, &b);
}

static const char *render_json(struct arena *arena, struct json_object *input)
{
    return hook_pretty(arena, input);
}

/* --- the table --- */

static const struct hook_tool tool_table[] = {
    { "Bash", "wants to run a command", "command.sh", "command", "description", render_command, false, false },
    { "PowerShell", "wants to run a command", "command.ps1", "command", "description", render_command, false, false },
    { "shell", "wants to run a command", "command.sh", "command", "description", render_command, false, false },
    { "apply_patch", "wants to edit files", "edit.diff", "command", "description", render_command, false, false },
    { "Edit", "wants to edit a file", "edit.diff", "old_string", "file_path", render_edit, false, false },
    { "MultiEdit", "wants to edit a file", "edit.diff", "edits", "file_path", render_edits, false, false },
    { "Write", "wants to write a file", "content.txt", "content", "file_path", NULL, false, false },
    { "NotebookEdit", "wants to edit a notebook", "cell.txt", "new_source", "notebook_path", NULL, false, false },
    { "Read", "wants to read a file", NULL, NULL, "file_path", NULL, false, false },
    { "WebFetch", "wants to fetch a web page", NULL, NULL, "url", NULL, false, false },
    { "WebSearch", "wants to search the web", NULL, NULL, "query", NULL, false, false },
    { "Task", "wants to start a subagent", "prompt.md", "prompt", "description", NULL, false, false },
    { "Agent", "wants to start a subagent", "prompt.md", "prompt", "description", NULL, false, false },
    { "ExitPlanMode", "has a plan", "plan.md", "plan", NULL, NULL, true, false },
    { "AskUserQuestion", "asks", NULL, NULL, NULL, NULL, true, true },
};

const struct hook_tool *hook_tool_find(const char *name)
{
    for (size_t i = 0; name && i < sizeof tool_table / sizeof *tool_table; i++) {
        if (strcmp(tool_table[i].name, name) == 0)
            return &tool_table[i];
    }
    return NULL;
}

/* mcp__server__tool is shown as the two names it holds. */
static const char *unknown_title(struct arena *arena, const struct hook *hook)
{
    static const char mcp[] = "mcp__";
    const char *server = hook->tool + sizeof mcp - 1, *agent = hook_agent(arena, hook);
    const char *tool = strncmp(hook->tool, mcp, sizeof mcp - 1) == 0 ? strstr(server, "__") : NULL;
    if (!tool || tool == server || !tool[2])
        return arena_printf(arena, "%s wants to use %s", agent, hook_label(arena, hook->tool, TITLE_UNITS_MAX));
    return arena_printf(arena, "%s wants to use %s of %s (MCP)", agent, hook_label(arena, tool + 2, TITLE_UNITS_MAX),
                        hook_label(arena, arena_strndup(arena, server, (size_t)(tool - server)), TITLE_UNITS_MAX));
}

/* Is the member shown by its row already? */
static bool is_shown(const struct hook_tool *tool, const char *name, struct json_object *value)
{
    if (tool->why && strcmp(name, tool->why) == 0)
        return json_object_is_type(value, json_type_string);
    if (tool->render == render_edit && (strcmp(name, "new_string") == 0 || strcmp(name, "replace_all") == 0))
        return true;
    return tool->details && strcmp(name, tool->details) == 0 &&
           (tool->render || json_object_is_type(value, json_type_string));
}

/* "name: value" for each member the row does not speak of; too many of them, or long ones, go with the details. */
static void put_rest(struct arena *arena, struct buf *b, const struct hook_tool *tool, struct json_object *input)
{
    json_object_object_foreach(input, name, value)
    {
        if (is_shown(tool, name, value))
            continue;
        buf_printf(b, "%s%s: %s", b->len ? "\n" : "", name,
                   json_object_is_type(value, json_type_string) ? json_object_get_string(value)
                                                                : json_text(arena, value));
    }
}

static const struct hook_tool unknown_tool = { "", "", "input.json", NULL, NULL, render_json, false, false };

/* The text under the title: why, what else the input holds, the note. */
static const char *reason_of(struct arena *arena, const struct hook_tool *tool, struct json_object *input,
                             const char *note)
{
    struct buf b = BUF_INIT(HOOK_TEXT_BYTES_MAX);
    if (tool->why)
        buf_puts(&b, json_str(input, tool->why, NULL));
    if (tool->render != render_json)
        put_rest(arena, &b, tool, input);
    if (note && *note)
        buf_printf(&b, "%s%s", b.len ? "\n" : "", note);
    return detach_text(arena, &b);
}

enum status hook_show_tool(struct arena *arena, const struct hook *hook, const char *note, struct hook_question *q,
                           struct error *e)
{
    struct json_object *input = json_at(hook->body, "tool_input");
    const struct hook_tool *tool = hook_tool_find(hook->tool);
    const char *title =
        tool ? arena_printf(arena, "%s %s", hook_agent(arena, hook), tool->title) : unknown_title(arena, hook);
    if (!tool)
        tool = &unknown_tool;
    const char *details = tool->render    ? tool->render(arena, input)
                          : tool->details ? json_str(input, tool->details, "")
                                          : "";
    const char *reason = reason_of(arena, tool, input, note);
    if (!details || !reason)
        return fail(e, ST_LIMIT, "The hook's \"tool_input\" is too large to be shown whole.");
    q->details = *details ? hook_clean(arena, details) : NULL;
    q->details_name = q->details ? tool->details_name : NULL;
    hook_compose(arena, title, reason, &q->message, &q->details, &q->details_name);
    if (q->details && strlen(q->details) > HOOK_TEXT_BYTES_MAX)
        return fail(e, ST_LIMIT, "The hook's \"tool_input\" is too large to be shown whole.");
    return OK;
}
