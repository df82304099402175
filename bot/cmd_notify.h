/* SPDX-License-Identifier: MIT
 * cmd_notify: `steward notify TYPE MESSAGE [BUTTON…]`, also called as claude-notify: asks, waits, prints the answer
 * alone on stdout.  argv[0] is the command's name.  The exit codes are in its --help. */
#ifndef BOT_CMD_NOTIFY_H
#define BOT_CMD_NOTIFY_H

extern const char cmd_notify_help[]; /* see command.h */
int cmd_notify(int argc, char **argv);

#endif
