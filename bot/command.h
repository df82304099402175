/* SPDX-License-Identifier: MIT
 * command: what the program's commands have in common: how options are read and what is said when something is wrong.
 * For main.c and cmd_*.c, on the main thread.
 *
 * Each command has one help text, which begins with its usage: a line "usage: steward …", and further forms indented by
 * seven spaces.  `steward help`, --help and wrong usage all show parts of it. */
#ifndef BOT_COMMAND_H
#define BOT_COMMAND_H

#include "base/status.h"

enum { COMMAND_DONE = 0, COMMAND_FAILED = 1, COMMAND_MISUSED = 2 }; /* exit codes */

/* The value of "--name VALUE" or "--name=VALUE" at argv[*i] (*i moves on to the value); NULL = another option, or no
 * value.  Borrowed from argv. */
const char *command_option(int argc, char **argv, int *i, const char *name);

/* "steward NAME: TEXT" on standard error, one line, secrets masked.  Returns COMMAND_FAILED. */
int command_failed(const char *name, const char *text);
/* The same of arguments that are wrong, and the usage below it; fmt NULL: the usage alone.  Returns COMMAND_MISUSED. */
int command_misused(const char *name, const char *help, const char *fmt, ...) PRINTF(3, 4);
/* Only the usage, on standard error. */
void command_usage(const char *help);

#endif
