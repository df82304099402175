/* SPDX-License-Identifier: MIT
 * cmd_reindex: `steward reindex [--force]`: embed what is missing or stale, now, with a progress line; --force:
 * everything anew.  Works beside a running server. */
#ifndef BOT_CMD_REINDEX_H
#define BOT_CMD_REINDEX_H

extern const char cmd_reindex_help[]; /* see command.h */
int cmd_reindex(int argc, char **argv);

#endif
