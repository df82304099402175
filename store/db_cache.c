/* SPDX-License-Identifier: MIT
 * db_cache: see db_cache.h.  A linear walk over 256 hashes is faster than what the statement does next,
 * and has no rehashing and no tombstones. */
#include "store/db_cache.h"
#include "base/arena.h"
#include "base/hash.h"
#include <stdlib.h>

void *cache_find(struct cache *c, const void *key, size_t key_bytes)
{
    uint64_t h = hash_bytes(key, key_bytes);
    for (int i = 0; i < c->count; i++) {
        struct cache_entry *entry = &c->entry[i];
        if (c->hash[i] != h || entry->key_bytes != key_bytes || memcmp(entry->key, key, key_bytes) != 0)
            continue;
        entry->used = ++c->tick;
        return entry->value;
    }
    return NULL;
}

static int cache_oldest(const struct cache *c)
{
    int oldest = 0;
    for (int i = 1; i < c->count; i++)
        if (c->entry[i].used < c->entry[oldest].used)
            oldest = i;
    return oldest;
}

void *cache_put(struct cache *c, const void *key, size_t key_bytes, void *value)
{
    int at = c->count;
    void *evicted = NULL;
    if (at == DB_STATEMENTS_MAX) {
        at = cache_oldest(c);
        evicted = c->entry[at].value;
        free(c->entry[at].key);
    } else {
        c->count++;
    }
    char *copy = xmalloc(key_bytes ? key_bytes : 1);
    memcpy(copy, key, key_bytes);
    c->hash[at] = hash_bytes(key, key_bytes);
    c->entry[at] = (struct cache_entry){ .key = copy, .key_bytes = key_bytes, .value = value, .used = ++c->tick };
    return evicted;
}

void cache_clear(struct cache *c, void (*release)(void *value))
{
    for (int i = 0; i < c->count; i++) {
        free(c->entry[i].key);
        if (release)
            release(c->entry[i].value);
    }
    c->count = 0;
}
