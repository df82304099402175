/* SPDX-License-Identifier: MIT
 * cmd_search: `steward search [--json] [--limit N] [--type tasks|notes|health] [--user ID] QUERY…` and `--stdin`, one
 * query a line.  argv[0] is the command's name; exit code 0 done, 1 failed, 2 wrong usage. */
#ifndef BOT_CMD_SEARCH_H
#define BOT_CMD_SEARCH_H

extern const char cmd_search_help[]; /* see command.h */
int cmd_search(int argc, char **argv);

#endif
