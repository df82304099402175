/* SPDX-License-Identifier: MIT
 * asset: files embedded in the binary at build time (migrations, the console page). */
#ifndef BASE_ASSET_H
#define BASE_ASSET_H

#include <stddef.h>

struct asset {
    const char *name; /* path in the source tree: "migrations/0001_start.sqlite.sql" */
    const char *data; /* NUL-terminated */
    size_t len;       /* without the NUL */
};
extern const struct asset asset_table[]; /* sorted by name within a folder; ends with a NULL name */

#endif
