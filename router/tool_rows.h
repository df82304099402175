/* SPDX-License-Identifier: MIT
 * tool_rows: every tool's row, defined in the file of its family (tools_*.c) and listed in tool.c's
 * table.  A new tool is one row here, one in the table and one function. */
#ifndef ROUTER_TOOL_ROWS_H
#define ROUTER_TOOL_ROWS_H

#include "router/tool.h"

#define TOOL_ID_MAX 9007199254740991.0 /* of an argument that is an id: 2^53 - 1, what a JSON number holds exactly */

extern const struct tool tool_add_task; /* tools_tasks.c */
extern const struct tool tool_update_task;
extern const struct tool tool_set_reminder;
extern const struct tool tool_list_tasks;    /* tools_tasks_list.c */
extern const struct tool tool_complete_task; /* tools_tasks_close.c */
extern const struct tool tool_delete_task;
extern const struct tool tool_add_note; /* tools_notes.c */
extern const struct tool tool_list_notes;
extern const struct tool tool_update_note;
extern const struct tool tool_log_sleep; /* tools_health.c */
extern const struct tool tool_log_exercise;
extern const struct tool tool_log_water;
extern const struct tool tool_log_sauna;
extern const struct tool tool_log_body;
extern const struct tool tool_delete_log;
extern const struct tool tool_ask_question; /* tools_question.c */

#endif
