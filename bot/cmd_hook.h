/* SPDX-License-Identifier: MIT
 * cmd_hook: `steward hook claude|codex`: a coding agent runs it at a permission prompt with the call as JSON on
 * standard input; it asks the person through the server and prints the decision.  argv[0] is the command's name. Exit
 * code 0 with a decision or none; 2 when not even the event can be read (the agents take that for a no). */
#ifndef BOT_CMD_HOOK_H
#define BOT_CMD_HOOK_H

extern const char cmd_hook_help[]; /* see command.h */
int cmd_hook(int argc, char **argv);

#endif
