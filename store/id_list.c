/* SPDX-License-Identifier: MIT
 * id_list: see id_list.h. */
#include "store/id_list.h"
#include <inttypes.h>
#include <stdio.h>

enum { ID_BYTES_MAX = sizeof "-9223372036854775808," }; /* with the NUL */

const char *id_list(struct arena *arena, const int64_t *ids, int count)
{
    char *list = arena_alloc(arena, 1 + (size_t)count * (ID_BYTES_MAX - 1) + 1), *end = list;
    *end++ = ',';
    for (int i = 0; i < count; i++)
        end += snprintf(end, ID_BYTES_MAX, "%" PRId64 ",", ids[i]);
    return list;
}
