/* SPDX-License-Identifier: MIT
 * cmd_setup: `steward setup claude|codex [--write] [--http]`: prints the settings that make a coding agent ask through
 * steward, or merges them into the agent's own files.  argv[0] is the command's name; exit code 0 done, 1 failed,
 * 2 wrong usage. */
#ifndef BOT_CMD_SETUP_H
#define BOT_CMD_SETUP_H

extern const char cmd_setup_help[]; /* see command.h */
int cmd_setup(int argc, char **argv);

#endif
