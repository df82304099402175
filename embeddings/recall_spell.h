/* SPDX-License-Identifier: MIT
 * recall_spell: does a text hold what a query's words were meant to be?  For words that stand in no row as they are
 * written: misspelt ones.  Pure; any thread. */
#ifndef EMBEDDINGS_RECALL_SPELL_H
#define EMBEDDINGS_RECALL_SPELL_H

#include "embeddings/analyzer.h"

enum { SPELL_WORDS_MAX = 24 };

struct spell {
    struct analyzer *analyzer;
    const char *known[SPELL_WORDS_MAX], *unknown[SPELL_WORDS_MAX]; /* stems; surfaces */
    size_t known_count, unknown_count;
};
/* The part of the query's words in the text: known ones by their stem, unknown ones within one edit (two from 8 letters
 * on; swapped neighbours are one), from 4 letters on.  *mended: the part of the unknown ones alone. */
double spell_match(const struct spell *, struct arena *, const char *text, double *mended);
/* Edits between two words as above, counted up to max + 1. */
size_t spell_distance(const char *a, const char *b, size_t max);

#endif
