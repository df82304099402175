/* SPDX-License-Identifier: MIT
 * matrix_index: (type, id) → position, for the writer alone.
 * An open-addressing table of positions without keys: the keys are in the segments.  4.7 to 7 bytes an
 * item.  The list given must be the one the positions refer to. */
#ifndef EMBEDDINGS_MATRIX_INDEX_H
#define EMBEDDINGS_MATRIX_INDEX_H

#include <stdbool.h>
#include <stdint.h>

struct segment_list;

struct key_index {
    uint32_t *at; /* position + 1; 0 = empty */
    uint32_t capacity, count;
};

void key_index_release(struct key_index *);
/* false = not there. */
bool key_index_find(const struct key_index *, const struct segment_list *, uint32_t type, int64_t id,
                    uint32_t *position);
/* The key must not be there. */
void key_index_add(struct key_index *, const struct segment_list *, uint32_t type, int64_t id, uint32_t position);
/* The entry of that key that says `from` says `to` from now on. */
void key_index_move(struct key_index *, uint32_t type, int64_t id, uint32_t from, uint32_t to);
/* The key must be there, at that position. */
void key_index_remove(struct key_index *, const struct segment_list *, uint32_t type, int64_t id, uint32_t position);

#endif
