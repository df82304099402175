/* SPDX-License-Identifier: MIT
 * turn_tap: a pressed button.  Most are tool matters (tap.h); "keep:KIND:ROW" takes up a message that was only offered
 * back before, from the person's own history. */
#include "base/json.h"
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
    enum status s = history_of_inbox(db, t->arena, t->user.id, inbox_id, text, e);
    store_read_end(t->env->store, db);
    return s;
}

static enum status tap_keep(struct turn *t, const char *rest, struct error *e)
{
    static const struct {
        const char *word, *tool, *argument;
    } kinds[] = {
        { "note:", "add_note", "content" },
        { "task:", "add_task", "content" },
        { "find:", "ask_question", "query" },
    };
    struct error why = { 0 };
    const char *text = NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t n = strlen(kinds[i].word);
        if (strncmp(rest, kinds[i].word, n) != 0)
            continue;
        if (kept_text(t, strtoll(rest + n, NULL, 10), &text, e))
            return e->status;
        if (!text)
            break;
        struct json_object *args = json_keep(t->arena, json_object_new_object());
        json_set_str(args, kinds[i].argument, text);
        if (turn_add_call(t, kinds[i].tool, args, &why)) {
            t->toast = arena_printf(t->arena, "I did nothing: %s.", why.text);
            return turn_finish(t, e);
        }
        return turn_run_calls(t, e);
    }
    t->toast = "I no longer have that message. Please send it again.";
    return turn_finish(t, e);
}

enum status turn_show_item(struct turn *t, struct error *e)
{
    t->act = act_tap;
    return turn_finish(t, e);
}

enum status turn_by_tap(struct turn *t, struct error *e)
{
    if (strncmp(t->in.callback_data, "keep:", 5) == 0)
        return tap_keep(t, t->in.callback_data + 5, e);
    t->act = act_tap;
    return turn_finish(t, e);
}
