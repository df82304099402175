/* SPDX-License-Identifier: MIT
 * cmd_parse: `steward parse` and `steward when`: what the built-in parsers make of a sentence.  Main thread;
 * they open no database and no network. */
#ifndef BOT_CMD_PARSE_H
#define BOT_CMD_PARSE_H

extern const char cmd_parse_help[], cmd_when_help[]; /* see command.h */
/* argv[0] is the command's name.  Exit codes: 0 answered (also "none"), 2 wrong usage. */
int cmd_parse(int argc, char **argv);
int cmd_when(int argc, char **argv);

#endif
