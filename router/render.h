/* SPDX-License-Identifier: MIT
 * render: rows as people read them: the card of one task or note, the line of a list, and the JSON a model is
 * told.  Always from the row that was read back, never from what was asked for.  Pure; any thread. */
#ifndef ROUTER_RENDER_H
#define ROUTER_RENDER_H

#include "router/tool.h"
#include "store/notes.h"
#include "store/tasks.h"

/* "Sat 21 Nov", "Sat 21 Nov 17:00", with the year when it is not this one; arena-owned. */
const char *render_day(struct arena *, const struct civil *at, const struct civil *now);
/* The same of a column's text; the text itself when it is not a date. */
const char *render_day_text(struct arena *, const char *date, const struct civil *now);
/* The first line, cut to at most `units` UTF-16 units with "…"; arena-owned. */
const char *render_line(struct arena *, const char *content, size_t units);

/* Title (bold), content, Due, repeat, reminder, ID. */
void render_task(struct tool_ctx *, struct reply *, const char *title, const struct task *);
/* Beside each other: Done and Edit date. */
void render_task_buttons(struct reply *, const struct task *);
/* "83 · Buy bread · Sat 21 Nov" */
void render_task_line(struct tool_ctx *, struct reply *, const struct task *);
struct json_object *render_task_json(struct tool_ctx *, const struct task *); /* the caller owns it */

void render_note(struct reply *, const char *title, const struct note *);
/* "21 · The wifi password is … · Fri 20 Nov" */
void render_note_line(struct tool_ctx *, struct reply *, const struct note *);
struct json_object *render_note_json(const struct note *); /* the caller owns it */

#endif
