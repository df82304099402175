/* SPDX-License-Identifier: MIT
 * tools_tasks_list: the list of tasks, grouped by when they are due.  Run by the turn on a worker thread, often on a
 * read-only connection: it writes nothing. */
#include "base/json.h"
#include "base/limits.h"
#include "router/match.h"
#include "router/render.h"
#include "router/task_due.h"
#include "router/tool_rows.h"
#include "router/when.h"
#include "store/categories.h"
#include <string.h>
#include <strings.h>

enum {
    LIST_DEFAULT = 20, /* lines: one screen of a phone and a bit */
    LIST_MAX = 100,
    LIST_BUTTONS = 6, /* Done buttons, three in a row */
    BUTTONS_IN_ROW = 3,
};

struct listing {
    struct tool_ctx *ctx;
    const struct tool_args *args;
    struct task_filter filter;
    const char *due;   /* ", due today": for the title; "" = any */
    const char *where; /* " in Work"; "" = any */
    struct task *list;
    int count, shown;
};

/* --- what is asked for --- */

static const char *day_text(struct tool_ctx *ctx, const struct civil *at)
{
    struct civil day = *at;
    day.hour = -1;
    return due_text(ctx->arena, &day);
}

static void filter_days(struct listing *l, const struct civil *from, int days, const char *words)
{
    struct civil to = *from;
    to.hour = -1;
    civil_add_days(&to, days - 1);
    l->filter.due_from = day_text(l->ctx, from);
    l->filter.due_to = day_text(l->ctx, &to);
    l->due = words;
}

/* A phrase: a period ("this month", "last week") or one day ("friday"). */
static bool filter_phrase(struct listing *l, const char *due)
{
    struct when_options options = { .now = l->ctx->now, .day_first = when_day_first(l->ctx->user->language) };
    struct when_range range;
    struct when when;
    if (when_parse(l->ctx->arena, due, &options, &when)) {
        filter_days(l, &when.at, 1,
                    arena_printf(l->ctx->arena, " due %s",
                                 render_day_text(l->ctx->arena, day_text(l->ctx, &when.at), &l->ctx->now)));
        return true;
    }
    if (!when_find_range(l->ctx->arena, due, &options, &range))
        return false;
    l->filter.due_from = day_text(l->ctx, &range.from);
    l->filter.due_to = day_text(l->ctx, &range.to);
    l->due = arena_printf(l->ctx->arena, " due %s", range.words);
    return true;
}

static bool is_word(const char *s, const char *a, const char *b)
{
    return !strcasecmp(s, a) || !strcasecmp(s, b);
}

static bool filter_due(struct listing *l, const char *due)
{
    struct civil day = l->ctx->now;
    day.hour = -1, day.minute = day.second = 0;
    if (!due || is_word(due, "all", "any")) {
        return true;
    } else if (is_word(due, "none", "no date")) {
        l->filter.undated = true;
        l->due = " without a date";
    } else if (!strcasecmp(due, "overdue")) {
        l->filter.overdue_at = due_text(l->ctx->arena, &l->ctx->now);
        l->due = " overdue";
    } else if (!strcasecmp(due, "today")) {
        filter_days(l, &day, 1, " due today");
    } else if (!strcasecmp(due, "tomorrow")) {
        civil_add_days(&day, 1);
        filter_days(l, &day, 1, " due tomorrow");
    } else if (is_word(due, "week", "this week")) {
        filter_days(l, &day, 7, " due in the next 7 days");
    } else {
        return filter_phrase(l, due);
    }
    return true;
}

/* NULL: the filter stands. */
static struct tool_result *filter_make(struct listing *l)
{
    struct tool_ctx *ctx = l->ctx;
    struct category c;
    struct error e;
    bool found;
    const char *status = arg_text(l->args, "status"), *name = arg_text(l->args, "category");
    const char *due = arg_text(l->args, "due");
    l->due = l->where = "";
    l->filter.state = !status || !strcmp(status, "open") ? TASKS_OPEN
                      : !strcmp(status, "done")          ? TASKS_DONE
                                                         : TASKS_ALL;
    if (!filter_due(l, due))
        return tool_fail(ctx, "I do not understand “%s” as a date. Try today, tomorrow, week, overdue or none.", due);
    if (!name)
        return NULL;
    if (category_find(ctx->db, ctx->arena, ctx->user->id, name, &c, &found, &e))
        return tool_status(ctx, &e);
    if (!found)
        return tool_fail(ctx, "You have no category “%s”.", name);
    l->filter.category_id = c.id;
    l->where = arena_printf(ctx->arena, " in %s", c.path);
    return NULL;
}

/* Keep what the words match, in the task or in the name of its category. */
static void filter_words(struct listing *l, const char *words)
{
    struct match *m = match_new(l->ctx->arena, words);
    int n = 0;
    for (int i = 0; i < l->count; i++)
        if (match_grade(m, l->list[i].content) != MATCH_NONE ||
            (l->list[i].category && match_grade(m, l->list[i].category) != MATCH_NONE))
            l->list[n++] = l->list[i];
    l->count = n;
}

/* --- how it is shown --- */

enum group { GROUP_OVERDUE, GROUP_TODAY, GROUP_TOMORROW, GROUP_LATER, GROUP_UNDATED, GROUP_DONE, GROUP_COUNT };
static const char *const group_name[GROUP_COUNT] = { "Overdue", "Today", "Tomorrow", "Later", "No date", "Done" };

static enum group group_of(struct listing *l, const struct task *t)
{
    struct civil due;
    if (t->completed)
        return GROUP_DONE;
    if (!t->due_date || !civil_parse(t->due_date, &due))
        return GROUP_UNDATED;
    if (task_overdue(l->ctx, t))
        return GROUP_OVERDUE;
    int days = civil_days_between(&l->ctx->now, &due);
    return days == 0 ? GROUP_TODAY : days == 1 ? GROUP_TOMORROW : GROUP_LATER;
}

/* By group, within one as the store gave them: this morning's task is overdue, today's without a time is not. */
static void group_sort(struct listing *l)
{
    struct task *sorted = arena_alloc(l->ctx->arena, sizeof *sorted * (size_t)(l->count + 1));
    int n = 0;
    for (int group = 0; group < GROUP_COUNT; group++)
        for (int i = 0; i < l->count; i++)
            if ((int)group_of(l, &l->list[i]) == group)
                sorted[n++] = l->list[i];
    l->list = sorted;
}

static void render_groups(struct listing *l, struct reply *r)
{
    int group = -1;
    for (int i = 0; i < l->shown; i++) {
        int next = (int)group_of(l, &l->list[i]);
        if (next != group) {
            reply_gap(r);
            reply_bold(r, group_name[next]);
            reply_line(r);
        }
        group = next;
        render_task_line(l->ctx, r, &l->list[i]);
    }
    if (l->shown < l->count) {
        reply_gap(r);
        reply_printf(r, "… and %d more", l->count - l->shown);
    }
}

static void render_done_buttons(struct listing *l, struct reply *r)
{
    int n = 0;
    for (int i = 0; i < l->shown && n < LIST_BUTTONS; i++)
        if (!l->list[i].completed) {
            reply_button(r, n % BUTTONS_IN_ROW != 0, arena_printf(l->ctx->arena, "✓ %lld", (long long)l->list[i].id),
                         "done:%lld", (long long)l->list[i].id);
            n++;
        }
}

static const char *state_word(const struct listing *l)
{
    return l->filter.state == TASKS_OPEN ? "open " : l->filter.state == TASKS_DONE ? "completed " : "";
}

static void render_list(struct listing *l, struct reply *r)
{
    reply_bold(r, arena_printf(l->ctx->arena, "%d %stask%s%s%s", l->count, state_word(l), l->count == 1 ? "" : "s",
                               l->due, l->where));
    render_groups(l, r);
    render_done_buttons(l, r);
}

static void render_empty(struct listing *l, struct reply *r)
{
    const char *words = arg_text(l->args, "query");
    const char *about = words ? arena_printf(l->ctx->arena, " about “%s”", words) : "";
    bool all_clear = l->filter.state == TASKS_OPEN && !words && !*l->where && !*l->due;
    reply_printf(r, "No %stasks%s%s%s.%s", state_word(l), l->due, l->where, about,
                 all_clear ? " Enjoy the quiet!" : "");
}

/* Who asks for today wants to know what should have been done before, too. */
static enum status render_leftovers(struct listing *l, struct reply *r, struct error *e)
{
    int64_t count = 0;
    const char *due = arg_text(l->args, "due");
    struct civil midnight = l->ctx->now;
    midnight.hour = midnight.minute = 0;
    struct task_filter f = { .state = TASKS_OPEN,
                             .category_id = l->filter.category_id,
                             .overdue_at = due_text(l->ctx->arena, &midnight) };
    if (!due || strcasecmp(due, "today") != 0 || l->filter.state == TASKS_DONE)
        return OK;
    enum status st = task_count(l->ctx->db, l->ctx->user->id, &f, &count, e);
    if (!st && count) {
        reply_gap(r);
        reply_printf(r, "And %lld from earlier days: see overdue.", (long long)count);
    }
    return st;
}

static void list_data(struct listing *l, struct json_object *data)
{
    struct json_object *list = json_object_new_array();
    for (int i = 0; i < l->shown; i++)
        json_push(list, render_task_json(l->ctx, &l->list[i]));
    json_set_int(data, "total", l->count);
    json_set_int(data, "shown", l->shown);
    json_set(data, "tasks", list);
}

static struct tool_result *run_list(struct tool_ctx *ctx, const struct tool_args *args)
{
    struct error e;
    struct listing l = { .ctx = ctx, .args = args };
    struct tool_result *answer = filter_make(&l);
    if (answer)
        return answer;
    if (task_list(ctx->db, ctx->arena, ctx->user->id, &l.filter, &l.list, &l.count, &e))
        return tool_error(ctx, &e);
    if (arg_text(args, "query"))
        filter_words(&l, arg_text(args, "query"));
    group_sort(&l);
    int limit = (int)arg_number(args, "limit", LIST_DEFAULT);
    l.shown = l.count < limit ? l.count : limit;
    struct tool_result *result = tool_ok(ctx);
    struct reply *r = tool_reply(result);
    list_data(&l, tool_data(result));
    if (l.count)
        render_list(&l, r);
    else
        render_empty(&l, r);
    return render_leftovers(&l, r, &e) ? tool_error(ctx, &e) : result;
}

const struct tool tool_list_tasks = {
    "list_tasks",
    TOOL_READS,
    "List tasks by due date. A question about what tasks say is ask_question.",
    { { "status", ARG_CHOICE, 0, 0, 0, NULL, "open|done|all", "Default: open." },
      { "category", ARG_TEXT, 0, 0, CATEGORY_NAME_BYTES_MAX, NULL, NULL, "" },
      { "due", ARG_TEXT, 0, 0, CATEGORY_NAME_BYTES_MAX, NULL, NULL,
        "today, tomorrow, week, overdue, none (without a date), all, or a date or period." },
      { "query", ARG_TEXT, 0, 0, TASK_CONTENT_BYTES_MAX, NULL, NULL, "Words in them." },
      { "limit", ARG_INTEGER, 0, 1, LIST_MAX, NULL, NULL, "Default 20." } },
    run_list,
};
