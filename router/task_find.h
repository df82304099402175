/* SPDX-License-Identifier: MIT
 * task_find: the one task a person means, by id or by words.  Shared by the task tools. */
#ifndef ROUTER_TASK_FIND_H
#define ROUTER_TASK_FIND_H

#include "router/tool.h"
#include "store/tasks.h"

struct task_find {
    const char *question;  /* "Which task is done?" */
    const char *button;    /* data of a candidate's button is button:ID ("done", "del"); "pick": the call is kept as a
                              pending row until the tap */
    enum task_state state; /* which tasks count when words are given */
};

/* By task_id, else by content.  NULL: *out is the task.  Otherwise the answer to give: no such task, near ones, which
 * of several, or that nothing was named. */
struct tool_result *task_find(struct tool_ctx *, const struct tool_args *, const struct task_find *, struct task *out);

/* Keep a call until the person has picked one of several rows: the pending row "pick", with the arguments as they were
 * checked, but for id_name and content, which the pick replaces. */
/* The turn that asks: part of the buttons' data, so that a button of an older question is known as such. */
int64_t pick_turn(const struct tool_ctx *);
enum status MUST_CHECK pick_put(struct tool_ctx *, const struct tool_args *, const char *id_name, struct error *);

#endif
