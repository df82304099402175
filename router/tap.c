/* SPDX-License-Identifier: MIT
 * tap: callback data to tool calls.  Called by the turn for every pressed button, inside its transaction, on a worker
 * thread.  Data is foreign: every form is checked, every row is looked up as the user's, and only a tap can set
 * rows_confirmed. */
#include "router/tap.h"
#include "base/json.h"
#include "router/match.h"
#include "router/render.h"
#include "router/task_due.h"
#include "router/tool_rows.h"
#include "store/categories.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    TITLE_UNITS = 60,
    TAP_PARTS_MAX = 4,
    TAP_BYTES_MAX = 64,
    ID_DIGITS_MAX = 15,
    PERSON_ROWS_MAX = 1000000,
    SNOOZE_MINUTES_MAX = 7 * 24 * 60
};

struct tap {
    struct tool_ctx *ctx;
    char text[TAP_BYTES_MAX + 1];
    char *part[TAP_PARTS_MAX]; /* [0] is the word; later ones hold ':' only in the last */
    int parts;
};

/* --- reading --- */

static int64_t read_number(const char *s)
{
    size_t digits = strspn(s, "0123456789");
    return digits && digits <= ID_DIGITS_MAX && !s[digits] ? strtoll(s, NULL, 10) : -1;
}

static int64_t tap_id(const struct tap *tap, int part)
{
    return part < tap->parts ? read_number(tap->part[part]) : -1;
}

/* Split at ':' into at most `most` parts; the last keeps the rest ("setdate:83:2026-11-21T17:00"). */
static void tap_split(struct tap *tap, int most)
{
    char *p = tap->text;
    tap->parts = 0;
    while (p && tap->parts < most) {
        tap->part[tap->parts++] = p;
        p = tap->parts < most ? strchr(p, ':') : NULL;
        if (p)
            *p++ = '\0';
    }
}

static struct tool_result *tap_stale(struct tool_ctx *ctx)
{
    return tool_fail(ctx, "I do not know this button any more; please write what you would like.");
}

/* --- calls --- */

static struct json_object *arguments_new(struct tool_ctx *ctx, const char *id_name, int64_t id)
{
    struct json_object *o = json_keep(ctx->arena, json_object_new_object());
    if (id_name)
        json_set_int(o, id_name, id);
    return o;
}

static struct tool_result *call(struct tool_ctx *ctx, const struct tool *tool, struct json_object *arguments)
{
    struct tool_args args;
    struct error e;
    if (tool_validate(tool, ctx, arguments, &args, &e))
        return tool_fail(ctx, "%s", e.text);
    return tool->run(ctx, &args);
}

static struct tool_result *tap_done(struct tap *tap)
{
    return call(tap->ctx, &tool_complete_task, arguments_new(tap->ctx, "task_id", tap_id(tap, 1)));
}

static struct tool_result *tap_reopen(struct tap *tap)
{
    struct json_object *o = arguments_new(tap->ctx, "task_id", tap_id(tap, 1));
    json_set_bool(o, "reopen", true);
    return call(tap->ctx, &tool_update_task, o);
}

static struct tool_result *tap_delete(struct tap *tap)
{
    return call(tap->ctx, &tool_delete_task, arguments_new(tap->ctx, "task_id", tap_id(tap, 1)));
}

static struct tool_result *tap_delete_note(struct tap *tap)
{
    struct json_object *o = arguments_new(tap->ctx, "note_id", tap_id(tap, 1));
    json_set_bool(o, "delete", true);
    return call(tap->ctx, &tool_update_note, o);
}

static struct tool_result *tap_delete_log(struct tap *tap)
{
    struct json_object *o = arguments_new(tap->ctx, "log_id", tap_id(tap, 2));
    json_set_str(o, "kind", tap->part[1]);
    return call(tap->ctx, &tool_delete_log, o);
}

static struct tool_result *tap_delete_all(struct tap *tap)
{
    struct tool_ctx *ctx = tap->ctx;
    struct json_object *o = arguments_new(ctx, NULL, 0);
    struct category c;
    struct error e;
    bool found;
    int64_t category_id = tap_id(tap, 1), count = tap_id(tap, 2);
    if (count < 1 || count > PERSON_ROWS_MAX)
        return tap_stale(ctx);
    if (category_id && category_by_id(ctx->db, ctx->arena, ctx->user->id, category_id, &c, &found, &e))
        return tool_error(ctx, &e);
    if (category_id && !found)
        return tool_fail(ctx, "You have no such category.");
    json_set_bool(o, "all", true);
    if (category_id)
        json_set_str(o, "category", c.path);
    ctx->rows_confirmed = count;
    struct tool_result *r = call(ctx, &tool_delete_task, o);
    ctx->rows_confirmed = 0;
    return r;
}

static struct tool_result *tap_keep(struct tap *tap)
{
    struct tool_result *r = tool_ok(tap->ctx);
    reply_text(tool_reply(r), "All right, nothing was changed.");
    return r;
}

/* --- dates --- */

static void date_button(struct tool_ctx *ctx, struct tool_result *r, bool same_row, const char *text, int64_t id,
                        int days)
{
    struct civil day = ctx->now;
    day.hour = -1, day.minute = day.second = 0;
    civil_add_days(&day, days);
    reply_button(tool_reply(r), same_row, text, "setdate:%lld:%s", (long long)id, due_text(ctx->arena, &day));
}

static struct tool_result *tap_date(struct tap *tap)
{
    struct tool_ctx *ctx = tap->ctx;
    struct pending_key key = { ctx->channel, ctx->chat_id, ctx->user->id };
    struct task t;
    struct error e;
    bool found;
    int64_t id = tap_id(tap, 1);
    if (task_get(ctx->db, ctx->arena, ctx->user->id, id, &t, &found, &e))
        return tool_error(ctx, &e);
    if (!found)
        return tool_fail(ctx, "There is no task %lld.", (long long)id);
    if (pending_put(ctx->db, &key, "edit_date", arena_printf(ctx->arena, "{\"task_id\":%lld}", (long long)id),
                    ctx->now_ms + PENDING_KEEP_MS, &e))
        return tool_error(ctx, &e);
    struct tool_result *r =
        tool_ask(ctx, "When is “%s” due? Tap, or send me a date.", render_line(ctx->arena, t.content, TITLE_UNITS));
    date_button(ctx, r, false, "Today", id, 0);
    date_button(ctx, r, true, "Tomorrow", id, 1);
    date_button(ctx, r, false, "Next week", id, 7);
    reply_button(tool_reply(r), true, "No date", "setdate:%lld:none", (long long)id);
    return r;
}

static struct tool_result *tap_set_date(struct tap *tap)
{
    struct tool_ctx *ctx = tap->ctx;
    struct pending_key key = { ctx->channel, ctx->chat_id, ctx->user->id };
    struct civil day;
    struct error e;
    if (strcmp(tap->part[2], "none") != 0 && !civil_parse(tap->part[2], &day))
        return tap_stale(ctx);
    if (pending_clear(ctx->db, &key, &e))
        return tool_error(ctx, &e);
    struct json_object *o = arguments_new(ctx, "task_id", tap_id(tap, 1));
    json_set_str(o, "due_date", tap->part[2]);
    return call(ctx, &tool_update_task, o);
}

/* "snooze:ID:MINUTES": the reminder again, later. */
static struct tool_result *tap_snooze(struct tap *tap)
{
    struct tool_ctx *ctx = tap->ctx;
    struct civil at;
    struct error e;
    int64_t minutes = tap_id(tap, 2);
    if (minutes < 1 || minutes > SNOOZE_MINUTES_MAX)
        return tap_stale(ctx);
    if (zone_to_civil(ctx->user->zone, ctx->now_ms + minutes * 60000, &at, &e))
        return tool_status(ctx, &e);
    char text[CIVIL_TEXT_BYTES];
    struct json_object *o = arguments_new(ctx, "task_id", tap_id(tap, 1));
    json_set_str(o, "when", civil_format(&at, text));
    return call(ctx, &tool_set_reminder, o);
}

/* --- picks --- */

/* The kept call with the picked id in it; false = the row is not such a call. */
static bool pick_call(struct tool_ctx *ctx, const struct pending *p, int64_t id, struct tap_call *out)
{
    struct json_object *o;
    struct error ignored;
    if (strcmp(p->kind, "pick") != 0 || json_parse_in(ctx->arena, p->payload, strlen(p->payload), &o, &ignored))
        return false;
    const char *id_name = json_str(o, "id", NULL);
    out->turn = json_int(o, "turn", 0);
    out->tool = tool_find(json_str(o, "tool", NULL));
    out->arguments = json_at(o, "arguments");
    if (!out->tool || !out->arguments || !id_name)
        return false;
    json_set_int(out->arguments, id_name, id);
    return true;
}

static struct tool_result *tap_pick(struct tap *tap)
{
    struct tool_ctx *ctx = tap->ctx;
    struct pending_key key = { ctx->channel, ctx->chat_id, ctx->user->id };
    struct pending p;
    struct tap_call picked;
    struct error e;
    bool found;
    if (pending_get(ctx->db, ctx->arena, &key, ctx->now_ms, &p, &found, &e))
        return tool_error(ctx, &e);
    if (!found || !pick_call(ctx, &p, tap_id(tap, 1), &picked) || picked.turn != tap_id(tap, 2))
        return tool_fail(ctx, "That question is no longer open; please say it again.");
    if (pending_clear(ctx->db, &key, &e))
        return tool_error(ctx, &e);
    return call(ctx, picked.tool, picked.arguments);
}

bool tap_answer(struct tool_ctx *ctx, const struct pending *p, const char *text, struct tap_call *out)
{
    struct when_options options = { .now = ctx->now, .day_first = when_day_first(ctx->user->language) };
    struct when when;
    struct json_object *o;
    struct error ignored;
    if (!strcmp(p->kind, "pick"))
        return match_id(text) && pick_call(ctx, p, match_id(text), out);
    if (strcmp(p->kind, "edit_date") != 0 || json_parse_in(ctx->arena, p->payload, strlen(p->payload), &o, &ignored))
        return false;
    if (strcasecmp(text, "none") != 0 && strcasecmp(text, "no date") != 0 &&
        !when_parse(ctx->arena, text, &options, &when))
        return false;
    out->tool = &tool_update_task;
    out->arguments = arguments_new(ctx, "task_id", json_int(o, "task_id", -1));
    json_set_str(out->arguments, "due_date", text);
    return true;
}

/* --- looking --- */

static struct tool_result *show_task(struct tool_ctx *ctx, int64_t id)
{
    struct task t;
    struct error e;
    bool found;
    if (task_get(ctx->db, ctx->arena, ctx->user->id, id, &t, &found, &e))
        return tool_error(ctx, &e);
    if (!found)
        return tool_fail(ctx, "There is no task %lld.", (long long)id);
    struct tool_result *r = tool_ok(ctx);
    const char *where = t.category ? arena_printf(ctx->arena, " in %s", t.category) : "";
    render_task(ctx, tool_reply(r), arena_printf(ctx->arena, t.completed ? "✓ Done%s" : "Task%s", where), &t);
    if (t.completed)
        reply_button(tool_reply(r), false, "Reopen", "reopen:%lld", (long long)id);
    else
        render_task_buttons(tool_reply(r), &t);
    reply_button(tool_reply(r), true, "Delete", "del:%lld", (long long)id);
    json_set(tool_data(r), "task", render_task_json(ctx, &t));
    return r;
}

static struct tool_result *show_note(struct tool_ctx *ctx, int64_t id)
{
    struct note n;
    struct error e;
    bool found;
    if (note_get(ctx->db, ctx->arena, ctx->user->id, id, &n, &found, &e))
        return tool_error(ctx, &e);
    if (!found)
        return tool_fail(ctx, "There is no note %lld.", (long long)id);
    struct tool_result *r = tool_ok(ctx);
    render_note(tool_reply(r), n.category ? arena_printf(ctx->arena, "Note in %s", n.category) : "Note", &n);
    reply_button(tool_reply(r), false, "Delete", "delnote:%lld", (long long)id);
    json_set(tool_data(r), "note", render_note_json(&n));
    return r;
}

static struct tool_result *tap_show(struct tap *tap)
{
    if (!strcmp(tap->part[1], "task"))
        return show_task(tap->ctx, tap_id(tap, 2));
    if (!strcmp(tap->part[1], "note"))
        return show_note(tap->ctx, tap_id(tap, 2));
    return tap_stale(tap->ctx);
}

/* --- undo --- */

struct tool_result *tap_undo(struct tool_ctx *ctx, int64_t turn_id)
{
    struct undo_result undone;
    struct error e;
    if (journal_undo(ctx->db, ctx->arena, ctx->user->id, turn_id, ctx->now_ms, &undone, &e))
        return tool_status(ctx, &e);
    if (!undone.inbox_id)
        return tool_fail(ctx, "There is nothing to undo from the last 24 hours.");
    struct tool_result *r = tool_ok(ctx);
    reply_printf(tool_reply(r), "↩️ Undone: %s", undone.summary);
    json_set_str(tool_data(r), "undone", undone.summary);
    json_set_int(tool_data(r), "rows", undone.rows);
    return r;
}

static struct tool_result *tap_undo_turn(struct tap *tap)
{
    int64_t turn_id = tap_id(tap, 1);
    return turn_id > 0 ? tap_undo(tap->ctx, turn_id) : tap_stale(tap->ctx);
}

/* --- the table --- */

static const struct tap_row {
    const char *word;
    int parts;   /* with the word; the last may hold ':' */
    int id_part; /* which part is an id; 0 = none */
    int id_min;  /* delall's category 0 means all */
    struct tool_result *(*run)(struct tap *);
} tap_table[] = {
    { "done", 2, 1, 1, tap_done },           { "reopen", 2, 1, 1, tap_reopen },
    { "del", 2, 1, 1, tap_delete },          { "date", 2, 1, 1, tap_date },
    { "setdate", 3, 1, 1, tap_set_date },    { "pick", 3, 1, 1, tap_pick },
    { "snooze", 3, 1, 1, tap_snooze },       { "show", 3, 2, 1, tap_show },
    { "delnote", 2, 1, 1, tap_delete_note }, { "dellog", 3, 2, 1, tap_delete_log },
    { "delall", 3, 1, 0, tap_delete_all },   { "keep", 1, 0, 0, tap_keep },
    { "undo", 2, 1, 1, tap_undo_turn },
};

struct tool_result *tap_run(struct tool_ctx *ctx, const char *data)
{
    struct tap tap = { .ctx = ctx };
    size_t len = data ? strlen(data) : 0, word = data ? strcspn(data, ":") : 0;
    if (!len || len > TAP_BYTES_MAX)
        return tap_stale(ctx);
    memcpy(tap.text, data, len);
    for (size_t i = 0; i < sizeof tap_table / sizeof *tap_table; i++) {
        const struct tap_row *row = &tap_table[i];
        if (strlen(row->word) != word || strncmp(row->word, data, word) != 0)
            continue;
        tap_split(&tap, row->parts);
        if (tap.parts != row->parts || (row->id_part && tap_id(&tap, row->id_part) < row->id_min))
            return tap_stale(ctx);
        return row->run(&tap);
    }
    return tap_stale(ctx);
}
