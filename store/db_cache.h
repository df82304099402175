/* SPDX-License-Identifier: MIT
 * db_cache: prepared statements by their text, bounded, least recently used goes first.
 * Part of a connection; used by the drivers, by the thread that holds the connection. */
#ifndef STORE_DB_CACHE_H
#define STORE_DB_CACHE_H

#include "store/driver.h"

struct cache {
    uint64_t hash[DB_STATEMENTS_MAX]; /* apart from the entries: a look-up reads 2 KiB in one go */
    struct cache_entry {
        char *key;
        size_t key_bytes;
        void *value;
        uint64_t used; /* tick of the last use */
    } entry[DB_STATEMENTS_MAX];
    int count;
    uint64_t tick;
};

void *cache_find(struct cache *, const void *key, size_t key_bytes); /* NULL = not there */
/* Add a value; returns the one that had to make room, or NULL. */
void *cache_put(struct cache *, const void *key, size_t key_bytes, void *value);
void cache_clear(struct cache *, void (*release)(void *value)); /* release may be NULL */

#endif
