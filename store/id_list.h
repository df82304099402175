/* SPDX-License-Identifier: MIT
 * id_list: a list of ids as one text parameter, which both databases take, prepared once for any number of ids.
 * Pure; any thread. */
#ifndef STORE_ID_LIST_H
#define STORE_ID_LIST_H

#include "base/arena.h"
#include <stdint.h>

/* ",7,42,", and "," of none; arena-owned.  In SQL: $1 LIKE '%,' || CAST(id AS TEXT) || ',%', which no index helps: a
 * filter for few rows. */
const char *id_list(struct arena *, const int64_t *ids, int count); /* ids may be NULL when count is 0 */

#endif
