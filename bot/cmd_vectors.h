/* SPDX-License-Identifier: MIT
 * cmd_vectors: `steward export --vectors FILE` and `steward import --vectors FILE`. */
#ifndef BOT_CMD_VECTORS_H
#define BOT_CMD_VECTORS_H

#include <stdint.h>

/* For cmd_exchange.c.  The value is the exit code: 0 done, 1 failed with a word on stderr. */
int cmd_vectors_export(int64_t telegram_id, const char *file); /* NULL = stdout */
int cmd_vectors_import(int64_t telegram_id, const char *file); /* NULL = stdin */

#endif
