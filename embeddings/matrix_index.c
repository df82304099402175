/* SPDX-License-Identifier: MIT
 * matrix_index: see the header.  Linear probing, deletion by shifting back (Knuth, TAOCP 3, 6.4, algorithm R). */
#include "embeddings/matrix_index.h"
#include "base/arena.h"
#include "embeddings/matrix_view.h"
#include <stdlib.h>

enum { INDEX_CAPACITY_MIN = 16 };

/* splitmix64's finaliser (Steele, Lea, Flood 2014): ids are small and consecutive. */
static uint64_t key_hash(uint32_t type, int64_t id)
{
    uint64_t z = (uint64_t)id * 16 + type + 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static uint32_t home(const struct key_index *x, uint32_t type, int64_t id)
{
    return (uint32_t)((key_hash(type, id) >> 32) * x->capacity >> 32);
}
static uint32_t after(const struct key_index *x, uint32_t i)
{
    return i + 1 == x->capacity ? 0 : i + 1;
}

static void key_at(const struct segment_list *list, uint32_t position, uint32_t *type, int64_t *id)
{
    const struct segment *s = list->segment[position >> SEGMENT_SHIFT];
    uint32_t row = position & (SEGMENT_ROWS_MAX - 1);
    *type = item_type(s->packed[row]);
    *id = s->id[row];
}

void key_index_release(struct key_index *x)
{
    free(x->at);
    *x = (struct key_index){ 0 };
}

bool key_index_find(const struct key_index *x, const struct segment_list *list, uint32_t type, int64_t id,
                    uint32_t *position)
{
    if (!x->count)
        return false;
    for (uint32_t i = home(x, type, id); x->at[i]; i = after(x, i)) {
        uint32_t t;
        int64_t found;
        key_at(list, x->at[i] - 1, &t, &found);
        if (t == type && found == id) {
            *position = x->at[i] - 1;
            return true;
        }
    }
    return false;
}

static void put(struct key_index *x, uint32_t type, int64_t id, uint32_t position)
{
    uint32_t i = home(x, type, id);
    while (x->at[i])
        i = after(x, i);
    x->at[i] = position + 1;
}

/* At most 85 % full; by half again, since the table counts in the memory of every item. */
static void grow(struct key_index *x, const struct segment_list *list)
{
    struct key_index wider = { .count = x->count };
    wider.capacity = x->capacity ? x->capacity + x->capacity / 2 : INDEX_CAPACITY_MIN;
    wider.at = xcalloc(wider.capacity, sizeof *wider.at);
    for (uint32_t i = 0; i < x->capacity; i++)
        if (x->at[i]) {
            uint32_t type;
            int64_t id;
            key_at(list, x->at[i] - 1, &type, &id);
            put(&wider, type, id, x->at[i] - 1);
        }
    free(x->at);
    *x = wider;
}

void key_index_add(struct key_index *x, const struct segment_list *list, uint32_t type, int64_t id, uint32_t position)
{
    if ((uint64_t)(x->count + 1) * 100 > (uint64_t)x->capacity * 85)
        grow(x, list);
    put(x, type, id, position);
    x->count++;
}

static uint32_t entry_of(const struct key_index *x, uint32_t type, int64_t id, uint32_t position)
{
    uint32_t i = home(x, type, id);
    while (x->at[i] != position + 1)
        i = after(x, i);
    return i;
}

void key_index_move(struct key_index *x, uint32_t type, int64_t id, uint32_t from, uint32_t to)
{
    x->at[entry_of(x, type, id, from)] = to + 1;
}

void key_index_remove(struct key_index *x, const struct segment_list *list, uint32_t type, int64_t id,
                      uint32_t position)
{
    uint32_t hole = entry_of(x, type, id, position);
    for (uint32_t i = after(x, hole); x->at[i]; i = after(x, i)) {
        uint32_t t;
        int64_t key;
        key_at(list, x->at[i] - 1, &t, &key);
        uint32_t h = home(x, t, key);
        bool between = hole < i ? h > hole && h <= i : h > hole || h <= i;
        if (between)
            continue;
        x->at[hole] = x->at[i];
        hole = i;
    }
    x->at[hole] = 0;
    x->count--;
}
