/* SPDX-License-Identifier: MIT
 * tap: what a pressed button does.  Callback data is a word and arguments ("done:83", "undo:17"), always
 * checked: it comes from outside and may be old, forged or another person's.  Called by the turn inside its
 * transaction, on a worker thread. */
#ifndef ROUTER_TAP_H
#define ROUTER_TAP_H

#include "router/tool.h"
#include "router/when.h"
#include "store/pending.h"

/* Run a tap.  Never NULL, never silent: data that is malformed, unknown or names a row the person does not
 * have is a TOOL_FAIL with a sentence.  ctx->journal must be set: most taps write.
 *
 *     done:ID reopen:ID del:ID       complete, reopen, delete a task
 *     date:ID                        ask for a new date (buttons, and a pending "edit_date")
 *     setdate:ID:YYYY-MM-DD|none     change or clear it
 *     snooze:ID:MINUTES              remind again later
 *     pick:ID:TURN                   the choice among several matches of the pending "pick" call that TURN asked
 *     delnote:ID                     delete a note
 *     dellog:KIND:ID                 delete a health log row (handed to delete_log)
 *     delall:CATEGORY_ID|0:COUNT     delete all open tasks, if they are still COUNT
 *     keep                           leave all as it is
 *     show:task:ID show:note:ID      show one row
 *     undo:TURN                      undo a turn (its inbox id) */
struct tool_result *tap_run(struct tool_ctx *, const char *data);

/* Does the person's text answer a pending question of a tool (kinds "edit_date", "pick")?  Then *call is the tool
 * call to make; false = the text is a new sentence.  Questions of the built-in parser are not handled here. */
struct tap_call {
    const struct tool *tool;
    struct json_object *arguments; /* arena-owned */
    int64_t turn;                  /* that asked; 0 = none */
};
bool tap_answer(struct tool_ctx *, const struct pending *, const char *text, struct tap_call *call);

/* "undo" in words or by button; turn_id 0 = the newest.  As a tool result, ready to send. */
struct tool_result *tap_undo(struct tool_ctx *, int64_t turn_id);

#endif
