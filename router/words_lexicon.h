/* SPDX-License-Identifier: MIT
 * words_lexicon: the table behind token_class(), and the slips people make.  Used by words.c alone. */
#ifndef ROUTER_WORDS_LEXICON_H
#define ROUTER_WORDS_LEXICON_H

#include <stdbool.h>

/* Row of the first meaning of a lower-case word, -1 = none. */
int lexicon_find(const char *word);
/* The word a person meant ("tommorow" → "tomorrow", "whats" → "what's"); itself when it is none of the slips. */
const char *lexicon_correct(const char *word);

/* Are both tables in the order that the search needs?  For the unit test. */
bool lexicon_sorted(void);

#endif
