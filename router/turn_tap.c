/* SPDX-License-Identifier: MIT
 * turn_tap: a pressed button.  Most are tool matters (tap.h); "keep:KIND:ROW" takes up a message that was only offered
 * back before, from the person's own history. */
#include "base/json.h"
#include "router/ask.h"
#include "router/tap.h"
#include "router/turn_internal.h"

#include <stdlib.h>
#include <string.h>

static enum status act_tap(struct turn *t, struct tool_ctx *ctx, struct error *e)
{
    t->worst = TOOL_OK;
    struct tool_result *r = tap_run(ctx, t->in.callback_data);
    enum tool_outcome o = tool_outcome(r);
    if (o == TOOL_ERROR) {
        *e = *tool_result_error(r);
        return e->status;
    }
    if (o == TOOL_FAIL && t->in.kind == IN_TAP) { /* said in the toast alone: the card is still right */
        const char *why = html_to_plain(t->arena, buf_str(&tool_reply(r)->html));
        t->toast = why;
        t->worst = o;
        return OK;
    }
    turn_append_result(t, &t->reply, r, true);
    return OK;
}

static enum status kept_text(struct turn *t, int64_t inbox_id, const char **text, struct error *e)
{
    struct db *db;
    if (store_read_begin(t->env->store, &db, e))
        return e->status;
    enum status s = history_of_inbox(db, t->arena, &t->key, inbox_id, text, e);
    store_read_end(t->env->store, db);
    return s;
}

static const struct keep {
    const char *word, *tool, *argument;
    bool once;
} keep_table[] = {
    { "note:", "add_note", "content", true },
    { "task:", "add_task", "content", true },
    { "find:", "ask_question", "query", false },
};
enum { KEEP_COUNT = sizeof keep_table / sizeof keep_table[0], KEPT_ROUND = 100 /* above any round of a turn */ };

struct kept {
    int64_t inbox_id; /* the message that was offered back */
    int round;
};

/* The mark stands beside the steps of the message itself, so that a second tap on the same button finds it. */
static enum status act_keep(struct turn *t, struct tool_ctx *ctx, struct error *e)
{
    const struct kept *kept = t->act_arg;
    bool before;
    t->worst = TOOL_OK;
    if (step_exists(ctx->db, kept->inbox_id, kept->round, &before, e))
        return e->status;
    if (before) {
        t->toast = "I did that already.";
        return OK;
    }
    if (step_put(ctx->db, kept->inbox_id, kept->round, "{}", t->now_ms, e))
        return e->status;
    return turn_act_calls(t, ctx, e);
}

static enum status keep_run(struct turn *t, int which, const char *digits, struct error *e)
{
    const struct keep *k = &keep_table[which];
    struct kept *kept = arena_alloc(t->arena, sizeof *kept);
    struct error why = { 0 };
    const char *text = NULL;
    *kept = (struct kept){ strtoll(digits, NULL, 10), KEPT_ROUND + which };
    if (kept_text(t, kept->inbox_id, &text, e))
        return e->status;
    if (!text) {
        t->toast = "I no longer have that message. Please send it again.";
        return turn_finish(t, e);
    }
    struct json_object *args = json_keep(t->arena, json_object_new_object());
    json_set_str(args, k->argument, text);
    if (turn_add_call(t, k->tool, args, &why)) {
        t->toast = arena_printf(t->arena, "I did nothing: %s.", why.text);
        return turn_finish(t, e);
    }
    if (!k->once)
        return turn_run_calls(t, e);
    t->act = act_keep;
    t->act_arg = kept;
    return turn_finish(t, e);
}

static enum status tap_keep(struct turn *t, const char *rest, struct error *e)
{
    for (int i = 0; i < KEEP_COUNT; i++)
        if (strncmp(rest, keep_table[i].word, strlen(keep_table[i].word)) == 0)
            return keep_run(t, i, rest + strlen(keep_table[i].word), e);
    t->act = act_tap;
    return turn_finish(t, e);
}

enum status turn_show_item(struct turn *t, struct error *e)
{
    t->act = act_tap;
    return turn_finish(t, e);
}

enum status turn_by_tap(struct turn *t, struct error *e)
{
    if (ask_is_tap(t->in.callback_data))
        return turn_by_ask_tap(t, e);
    if (strncmp(t->in.callback_data, "keep:", 5) == 0)
        return tap_keep(t, t->in.callback_data + 5, e);
    t->act = act_tap;
    return turn_finish(t, e);
}
