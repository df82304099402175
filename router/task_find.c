/* SPDX-License-Identifier: MIT
 * task_find: ids and words to a row.  Called by the task tools inside the turn's transaction, on worker threads.  Only
 * rows of the user in the wanted state are looked at; nothing but the pending row of a question is written. */
#include "router/task_find.h"
#include "base/json.h"
#include "router/match.h"
#include "router/render.h"
#include "router/task_due.h"
#include "store/pending.h"
#include <string.h>

enum {
    CHOICES_MAX = 8,     /* buttons of one question: what fits a phone's screen */
    SUGGESTIONS_MAX = 3, /* near misses */
    BUTTON_UNITS_MAX = 40
};

struct search {
    struct tool_ctx *ctx;
    const struct tool_args *args;
    const struct task_find *how;
    struct task *list;
    int count;
};

/* --- what is kept for a pick --- */

static struct json_object *arg_json(struct arena *arena, const struct arg *arg, const struct arg_value *v)
{
    if (v->cleared)
        return json_object_new_string("none");
    switch (arg->type) {
    case ARG_NUMBER:
        return json_object_new_double(v->number);
    case ARG_INTEGER:
        return json_object_new_int64((int64_t)v->number);
    case ARG_BOOL:
        return json_object_new_boolean(v->boolean);
    case ARG_DATE:
    case ARG_WHEN: /* "in ten minutes" means ten minutes from when it was said */
        return json_object_new_string(v->repeat ? v->text : due_text(arena, &v->when));
    default:
        return json_object_new_string(v->text);
    }
}

int64_t pick_turn(const struct tool_ctx *ctx)
{
    return ctx->journal ? ctx->journal->inbox_id : 0;
}

enum status pick_put(struct tool_ctx *ctx, const struct tool_args *args, const char *id_name, struct error *e)
{
    struct json_object *o = json_keep(ctx->arena, json_object_new_object());
    struct json_object *kept = json_object_new_object();
    struct pending_key key = { ctx->channel, ctx->chat_id, ctx->user->id };
    for (int i = 0; args->tool->args[i].name; i++) {
        const struct arg *arg = &args->tool->args[i];
        const struct arg_value *v = &args->value[i];
        if ((v->present || v->cleared) && strcmp(arg->name, id_name) != 0 && strcmp(arg->name, "content") != 0)
            json_set(kept, arg->name, arg_json(ctx->arena, arg, v));
    }
    json_set_str(o, "tool", args->tool->name);
    json_set_str(o, "id", id_name);
    json_set(o, "arguments", kept);
    json_set_int(o, "turn", pick_turn(ctx));
    return pending_put(ctx->db, &key, "pick", json_text(ctx->arena, o), ctx->now_ms + PENDING_KEEP_MS, e);
}

/* --- questions --- */

static void choice_button(struct search *s, struct tool_result *r, const struct task *t)
{
    const char *line = render_line(s->ctx->arena, t->content, BUTTON_UNITS_MAX);
    const char *which =
        strcmp(s->how->button, "pick") ? "" : arena_printf(s->ctx->arena, ":%lld", (long long)pick_turn(s->ctx));
    const char *day = t->due_date ? render_day_text(s->ctx->arena, t->due_date, &s->ctx->now) : NULL;
    reply_button(tool_reply(r), false,
                 arena_printf(s->ctx->arena, "%lld · %s%s%s", (long long)t->id, line, day ? " · " : "", day ? day : ""),
                 "%s:%lld%s", s->how->button, (long long)t->id, which);
}

static void choices_data(struct search *s, struct tool_result *r, const int *index, int count)
{
    struct json_object *list = json_object_new_array();
    for (int i = 0; i < count; i++)
        json_push(list, render_task_json(s->ctx, &s->list[index[i]]));
    json_set(tool_data(r), "candidates", list);
}

static struct tool_result *ask_which(struct search *s, const char *words, const int *index, int count)
{
    struct error e;
    int shown = count < CHOICES_MAX ? count : CHOICES_MAX;
    if (!strcmp(s->how->button, "pick") && pick_put(s->ctx, s->args, "task_id", &e))
        return tool_error(s->ctx, &e);
    struct tool_result *r = words ? tool_ask(s->ctx, "%d tasks match “%s”. %s", count,
                                             render_line(s->ctx->arena, words, BUTTON_UNITS_MAX), s->how->question)
                                  : tool_ask(s->ctx, "%s", s->how->question);
    if (shown < count)
        reply_printf(tool_reply(r), " Here are the first %d.", shown);
    for (int i = 0; i < shown; i++)
        choice_button(s, r, &s->list[index[i]]);
    choices_data(s, r, index, shown);
    return r;
}

/* Nothing was named: offer what there is. */
static struct tool_result *ask_unnamed(struct search *s)
{
    int index[CHOICES_MAX], n = 0;
    for (; n < CHOICES_MAX && n < s->count; n++)
        index[n] = n;
    if (!n)
        return tool_fail(s->ctx, "You have no %s tasks.", s->how->state == TASKS_DONE ? "completed" : "open");
    return ask_which(s, NULL, index, n);
}

/* --- near misses --- */

/* Is it there, but in the other state?  Then that is the better word than "not found". */
static struct tool_result *other_state(struct search *s, struct match *m, const char *words)
{
    struct task_filter f = { .state = s->how->state == TASKS_OPEN ? TASKS_DONE : TASKS_OPEN };
    struct task *list;
    int count;
    struct error e;
    if (s->how->state == TASKS_ALL)
        return NULL;
    if (task_list(s->ctx->db, s->ctx->arena, s->ctx->user->id, &f, &list, &count, &e))
        return tool_error(s->ctx, &e);
    for (int i = 0; i < count; i++)
        if (match_grade(m, list[i].content) >= MATCH_WORDS)
            return tool_fail(s->ctx, "There is no %s task like “%s”; task %lld “%s” is %s.",
                             f.state == TASKS_DONE ? "open" : "completed",
                             render_line(s->ctx->arena, words, BUTTON_UNITS_MAX), (long long)list[i].id,
                             render_line(s->ctx->arena, list[i].content, BUTTON_UNITS_MAX),
                             f.state == TASKS_DONE ? "already done" : "still open");
    return NULL;
}

/* The nearest few, best first; returns how many. */
static int nearest(struct search *s, struct match *m, int out[SUGGESTIONS_MAX])
{
    double score[SUGGESTIONS_MAX];
    int n = 0;
    for (int i = 0; i < s->count; i++) {
        double near = match_nearness(m, s->list[i].content);
        int at = n;
        if (near < MATCH_NEAR)
            continue;
        while (at > 0 && score[at - 1] < near)
            at--;
        if (at == SUGGESTIONS_MAX)
            continue;
        n += n < SUGGESTIONS_MAX;
        for (int k = n - 1; k > at; k--) {
            score[k] = score[k - 1];
            out[k] = out[k - 1];
        }
        score[at] = near;
        out[at] = i;
    }
    return n;
}

static struct tool_result *not_found(struct search *s, struct match *m, const char *words)
{
    int near[SUGGESTIONS_MAX];
    struct tool_result *r = other_state(s, m, words);
    if (r)
        return r;
    int n = nearest(s, m, near);
    const char *line = render_line(s->ctx->arena, words, BUTTON_UNITS_MAX);
    const char *state = s->how->state == TASKS_DONE ? "completed " : s->how->state == TASKS_OPEN ? "open " : "";
    if (!n)
        return tool_fail(s->ctx, "I found no %stask like “%s”.", state, line);
    const char *list = "";
    for (int i = 0; i < n; i++)
        list = arena_printf(s->ctx->arena, "%s%s%lld “%s”", list,
                            i == 0       ? ""
                            : i == n - 1 ? " or "
                                         : ", ",
                            (long long)s->list[near[i]].id,
                            render_line(s->ctx->arena, s->list[near[i]].content, BUTTON_UNITS_MAX));
    r = tool_fail(s->ctx, "I found no %stask like “%s”. Did you mean %s?", state, line, list);
    for (int i = 0; i < n && strcmp(s->how->button, "pick") != 0; i++)
        choice_button(s, r, &s->list[near[i]]);
    choices_data(s, r, near, n);
    return r;
}

/* --- the search --- */

static struct tool_result *by_id(struct tool_ctx *ctx, int64_t id, struct task *out)
{
    struct error e;
    bool found;
    if (task_get(ctx->db, ctx->arena, ctx->user->id, id, out, &found, &e))
        return tool_error(ctx, &e);
    return found ? NULL : tool_fail(ctx, "There is no task %lld.", (long long)id);
}

static struct tool_result *by_words(struct search *s, const char *words, struct task *out)
{
    int *hits = arena_alloc(s->ctx->arena, sizeof *hits * (size_t)(s->count + 1)), n = 0;
    enum match_grade best = MATCH_PART;
    struct match *m = match_new(s->ctx->arena, words);
    for (int i = 0; i < s->count; i++) {
        enum match_grade grade = match_grade(m, s->list[i].content);
        if (grade < best)
            continue;
        if (grade > best)
            n = 0;
        best = grade;
        hits[n++] = i;
    }
    if (n == 0)
        return not_found(s, m, words);
    if (n > 1)
        return ask_which(s, words, hits, n);
    *out = s->list[hits[0]];
    return NULL;
}

struct tool_result *task_find(struct tool_ctx *ctx, const struct tool_args *args, const struct task_find *how,
                              struct task *out)
{
    struct search s = { .ctx = ctx, .args = args, .how = how };
    struct task_filter f = { .state = how->state };
    struct error e;
    bool found = false;
    const char *words = arg_text(args, "content");
    int64_t id = arg_integer(args, "task_id", 0);
    if (id)
        return by_id(ctx, id, out);
    id = words ? match_id(words) : 0;
    if (id && task_get(ctx->db, ctx->arena, ctx->user->id, id, out, &found, &e))
        return tool_error(ctx, &e);
    if (found)
        return NULL;
    if (task_list(ctx->db, ctx->arena, ctx->user->id, &f, &s.list, &s.count, &e))
        return tool_error(ctx, &e);
    return words ? by_words(&s, words, out) : ask_unnamed(&s);
}
