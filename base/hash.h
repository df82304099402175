/* SPDX-License-Identifier: MIT
 * hash: 64-bit FNV-1a (Fowler, Noll, Vo; draft-eastlake-fnv), for tables in memory: fast for short keys, and no defence
 * against somebody who chooses them, so a table of foreign keys must stand a long chain.  Pure; any thread. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from h. */
static inline uint64_t hash_more(uint64_t h, const void *bytes, size_t len)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * 1099511628211u;
    return h;
}

static inline uint64_t hash_bytes(const void *bytes, size_t len)
{
    return hash_more(14695981039346656037u, bytes, len);
}

#endif
