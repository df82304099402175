/* SPDX-License-Identifier: MIT
 * task_due: what a due date brings with it: the reminder's instant, and the next time of a repeating task.  Works on
 * a `struct task` in memory; nothing is written. */
#ifndef ROUTER_TASK_DUE_H
#define ROUTER_TASK_DUE_H

#include "router/tool.h"
#include "store/tasks.h"

enum { REMIND_HOUR = 9 }; /* of a day without a time: the start of most people's working day */

enum remind {
    REMIND_KEEP, /* one that is there moves along; a date that gains a time gains a reminder */
    REMIND_AUTO, /* when the date has a time */
    REMIND_YES,  /* also for a whole day, at REMIND_HOUR */
    REMIND_NO,
};

/* "2026-11-21" or "2026-11-21T17:00"; arena-owned. */
const char *due_text(struct arena *, const struct civil *);
/* Give the task a due date (NULL takes it away, with its repeat and reminder) and settle the reminder, in the user's
 * zone.  A reminder that would lie in the past is not set: nothing fires retroactively. */
enum status MUST_CHECK task_set_due(struct tool_ctx *, struct task *, const struct civil *due, enum remind,
                                    struct error *);
/* A reminder at a moment of its own (a whole day: REMIND_HOUR).  *past true: it has passed, nothing is changed. */
enum status MUST_CHECK task_set_reminder(struct tool_ctx *, struct task *, const struct civil *when, bool *past,
                                         struct error *);
/* The next occurrence of a repeating task after its due date and after now; false = there is none. */
bool task_next_due(struct tool_ctx *, const struct task *, struct civil *next);
/* Is the due date over? */
bool task_overdue(struct tool_ctx *, const struct task *);

#endif
