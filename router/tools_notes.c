/* SPDX-License-Identifier: MIT
 * tools_notes: saving, listing, changing and deleting notes.  Run by the turn inside its transaction (the list: on a
 * read connection) on a worker thread.  Finding an answer in notes is ask_question's. */
#include "base/json.h"
#include "base/limits.h"
#include "router/match.h"
#include "router/render.h"
#include "router/task_find.h"
#include "router/tool_rows.h"
#include "store/categories.h"
#include <string.h>

enum {
    LIST_DEFAULT = 15, /* lines: one screen of a phone */
    LIST_MAX = 100,
    CHOICES_MAX = 8,
    BUTTON_UNITS_MAX = 40,
};

static struct tool_result *confirmed(struct tool_ctx *ctx, const char *title, const struct note *n)
{
    struct tool_result *result = tool_ok(ctx);
    render_note(tool_reply(result), title, n);
    json_set(tool_data(result), "note", render_note_json(n));
    return result;
}

/* --- add_note --- */

static enum status insert(struct tool_ctx *ctx, struct note *n, const char *category, struct error *e)
{
    struct category c;
    char now[CIVIL_TEXT_BYTES];
    enum status st = category_ensure(ctx->db, ctx->arena, ctx->user->id, category, ctx->now_ms, &c, e);
    if (st)
        return st;
    n->category_id = c.id;
    n->created_date = arena_strdup(ctx->arena, clock_format_utc(ctx->now_ms, now));
    st = note_insert(ctx->db, ctx->arena, ctx->user->id, n, n, e);
    if (!st)
        st = journal_inserted(ctx->journal, "notes", n->id, e);
    if (!st)
        journal_note(ctx->journal, "saved note %lld", (long long)n->id);
    return st;
}

static struct tool_result *run_add(struct tool_ctx *ctx, const struct tool_args *args)
{
    struct error e;
    struct note n = { .content = arg_text(args, "content") };
    if (insert(ctx, &n, arg_text(args, "category"), &e))
        return tool_status(ctx, &e);
    return confirmed(ctx, arena_printf(ctx->arena, "✓ Note saved in %s", n.category), &n);
}

/* --- list_notes --- */

struct listing {
    const char *words, *where;
    int limit;
    struct note *list;
    int count;     /* in the list */
    int64_t total; /* there are */
};

static void filter_words(struct tool_ctx *ctx, struct listing *l)
{
    struct match *m = match_new(ctx->arena, l->words);
    int n = 0;
    for (int i = 0; i < l->count; i++)
        if (match_grade(m, l->list[i].content) != MATCH_NONE)
            l->list[n++] = l->list[i];
    l->total = l->count = n;
}

/* NULL: the list holds the wanted notes, newest first. */
static struct tool_result *notes_wanted(struct tool_ctx *ctx, const char *category, struct listing *l)
{
    struct category c = { 0 };
    struct error e;
    bool found = true;
    if (category && category_find(ctx->db, ctx->arena, ctx->user->id, category, &c, &found, &e))
        return tool_status(ctx, &e);
    if (!found)
        return tool_fail(ctx, "You have no category “%s”.", category);
    l->where = c.id ? arena_printf(ctx->arena, " in %s", c.path) : "";
    struct note_filter f = { .category_id = c.id, .limit = l->words ? 0 : l->limit };
    if (note_list(ctx->db, ctx->arena, ctx->user->id, &f, &l->list, &l->count, &e))
        return tool_error(ctx, &e);
    if (l->words)
        filter_words(ctx, l);
    else if (note_count(ctx->db, ctx->user->id, &f, &l->total, &e))
        return tool_error(ctx, &e);
    return NULL;
}

static void list_data(struct json_object *data, const struct listing *l, int shown)
{
    struct json_object *rows = json_object_new_array();
    for (int i = 0; i < shown; i++)
        json_push(rows, render_note_json(&l->list[i]));
    json_set_int(data, "total", l->total);
    json_set_int(data, "shown", shown);
    json_set(data, "notes", rows);
}

static struct tool_result *run_list(struct tool_ctx *ctx, const struct tool_args *args)
{
    struct listing l = { .words = arg_text(args, "query"), .limit = (int)arg_number(args, "limit", LIST_DEFAULT) };
    struct tool_result *answer = notes_wanted(ctx, arg_text(args, "category"), &l);
    if (answer)
        return answer;
    struct tool_result *result = tool_ok(ctx);
    struct reply *r = tool_reply(result);
    int shown = l.count < l.limit ? l.count : l.limit;
    const char *about = l.words ? arena_printf(ctx->arena, " about “%s”", l.words) : "";
    list_data(tool_data(result), &l, shown);
    if (!l.total) {
        reply_printf(r, "No notes%s%s yet.", l.where, about);
        return result;
    }
    reply_bold(
        r, arena_printf(ctx->arena, "%lld note%s%s%s", (long long)l.total, l.total == 1 ? "" : "s", l.where, about));
    reply_line(r);
    for (int i = 0; i < shown; i++)
        render_note_line(ctx, r, &l.list[i]);
    if (shown < l.total)
        reply_printf(r, "… and %lld more", (long long)(l.total - shown));
    return result;
}

/* --- update_note --- */

static struct tool_result *ask_which(struct tool_ctx *ctx, const struct tool_args *args, const struct note *list,
                                     const int *index, int count)
{
    struct error e;
    int shown = count < CHOICES_MAX ? count : CHOICES_MAX;
    if (pick_put(ctx, args, "note_id", &e))
        return tool_error(ctx, &e);
    struct tool_result *r = tool_ask(ctx, "%d notes match. Which one?", count);
    for (int i = 0; i < shown; i++)
        reply_button(tool_reply(r), false,
                     arena_printf(ctx->arena, "%lld · %s", (long long)list[index[i]].id,
                                  render_line(ctx->arena, list[index[i]].content, BUTTON_UNITS_MAX)),
                     "pick:%lld:%lld", (long long)list[index[i]].id, (long long)pick_turn(ctx));
    return r;
}

static struct tool_result *by_words(struct tool_ctx *ctx, const struct tool_args *args, const char *words,
                                    struct note *out)
{
    struct error e;
    struct note_filter all = { 0 };
    struct note *list;
    int count, n = 0;
    if (note_list(ctx->db, ctx->arena, ctx->user->id, &all, &list, &count, &e))
        return tool_error(ctx, &e);
    int *hits = arena_alloc(ctx->arena, sizeof *hits * (size_t)(count + 1));
    struct match *m = match_new(ctx->arena, words);
    enum match_grade best = MATCH_PART;
    for (int i = 0; i < count; i++) {
        enum match_grade grade = match_grade(m, list[i].content);
        if (grade < best)
            continue;
        n = grade > best ? 0 : n;
        best = grade;
        hits[n++] = i;
    }
    if (!n)
        return tool_fail(ctx, "I found no note like “%s”.", render_line(ctx->arena, words, BUTTON_UNITS_MAX));
    if (n > 1)
        return ask_which(ctx, args, list, hits, n);
    *out = list[hits[0]];
    return NULL;
}

/* NULL: *out is the note. */
static struct tool_result *note_find(struct tool_ctx *ctx, const struct tool_args *args, struct note *out)
{
    struct error e;
    bool found = false;
    const char *words = arg_text(args, "content");
    int64_t given = arg_integer(args, "note_id", 0), id = given ? given : words ? match_id(words) : 0;
    if (!given && !words)
        return tool_ask(ctx, "Which note? Tell me its ID or some of its words.");
    if (id && note_get(ctx->db, ctx->arena, ctx->user->id, id, out, &found, &e))
        return tool_error(ctx, &e);
    if (found)
        return NULL;
    if (given)
        return tool_fail(ctx, "There is no note %lld.", (long long)given);
    return by_words(ctx, args, words, out);
}

static struct tool_result *deleted(struct tool_ctx *ctx, const struct note *n)
{
    struct error e;
    if (journal_changing(ctx->journal, "notes", n->id, &e) ||
        note_delete(ctx->db, ctx->user->id, n->id, ctx->now_ms, &e))
        return tool_status(ctx, &e);
    journal_note(ctx->journal, "deleted note %lld", (long long)n->id);
    return confirmed(ctx, "🗑 Note deleted", n);
}

static enum status save(struct tool_ctx *ctx, const struct tool_args *args, struct note *n, struct error *e)
{
    struct category c;
    enum status st = OK;
    const char *text = arg_text(args, "new_content");
    if (!text && arg_get(args, "note_id")->present)
        text = arg_text(args, "content");
    n->content = text ? text : n->content;
    if (arg_get(args, "category")->present) {
        st = category_ensure(ctx->db, ctx->arena, ctx->user->id, arg_text(args, "category"), ctx->now_ms, &c, e);
        n->category_id = st ? n->category_id : c.id;
    }
    if (!st)
        st = journal_changing(ctx->journal, "notes", n->id, e);
    if (!st)
        st = note_save(ctx->db, ctx->arena, ctx->user->id, n, n, e);
    if (!st)
        journal_note(ctx->journal, "changed note %lld", (long long)n->id);
    return st;
}

static struct tool_result *run_update(struct tool_ctx *ctx, const struct tool_args *args)
{
    struct error e;
    struct note n = { 0 };
    bool by_id = arg_get(args, "note_id")->present, remove = arg_flag(args, "delete", false);
    bool changes = arg_get(args, "new_content")->present || arg_get(args, "category")->present ||
                   (by_id && arg_get(args, "content")->present);
    if (!remove && !changes)
        return tool_fail(ctx, "What should change in the note: its text, its category, or should it go?");
    struct tool_result *answer = note_find(ctx, args, &n);
    if (answer)
        return answer;
    if (remove)
        return deleted(ctx, &n);
    return save(ctx, args, &n, &e) ? tool_status(ctx, &e) : confirmed(ctx, "✓ Note updated", &n);
}

/* --- the rows --- */

const struct tool tool_add_note = {
    "add_note",
    TOOL_WRITES,
    "Keep something worth remembering: a fact, an idea, a link. Not for things to do (add_task) and not for sleep, "
    "exercise, water, sauna or weight (log_*).",
    { { "content", ARG_TEXT, ARG_REQUIRED, 0, NOTE_CONTENT_BYTES_MAX, NULL, NULL, "" },
      { "category", ARG_TEXT, 0, 0, CATEGORY_NAME_BYTES_MAX, NULL, NULL, "\"Work/Projects\": one below another." } },
    run_add,
};

const struct tool tool_list_notes = {
    "list_notes",
    TOOL_READS,
    "List notes, newest first. To answer a question from them use ask_question.",
    { { "query", ARG_TEXT, 0, 0, TASK_CONTENT_BYTES_MAX, NULL, NULL, "Words in them." },
      { "category", ARG_TEXT, 0, 0, CATEGORY_NAME_BYTES_MAX, NULL, NULL, "" },
      { "limit", ARG_INTEGER, 0, 1, LIST_MAX, NULL, NULL, "Default 15." } },
    run_list,
};

const struct tool tool_update_note = {
    "update_note",
    TOOL_DESTRUCTIVE,
    "Change a note's text or category, or delete it; named by note_id, or by its words in content.",
    { { "note_id", ARG_INTEGER, 0, 1, TOOL_ID_MAX, NULL, NULL, "" },
      { "content", ARG_TEXT, 0, 0, NOTE_CONTENT_BYTES_MAX, NULL, NULL, "" },
      { "new_content", ARG_TEXT, 0, 0, NOTE_CONTENT_BYTES_MAX, NULL, NULL, "Whole." },
      { "category", ARG_TEXT, 0, 0, CATEGORY_NAME_BYTES_MAX, NULL, NULL, "" },
      { "delete", ARG_BOOL, 0, 0, 0, NULL, NULL, "" } },
    run_update,
};
