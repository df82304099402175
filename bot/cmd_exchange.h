/* SPDX-License-Identifier: MIT
 * cmd_exchange: `steward export [--user ID] [FILE]` and `steward import [--user ID] [FILE]`.  argv[0] is the command's
 * name; the value is the exit code: 0 done, 1 failed with a word on stderr, 2 wrong usage. */
#ifndef BOT_CMD_EXCHANGE_H
#define BOT_CMD_EXCHANGE_H

extern const char cmd_export_help[], cmd_import_help[]; /* see command.h */
int cmd_export(int argc, char **argv);
int cmd_import(int argc, char **argv);

#endif
