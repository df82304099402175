/* SPDX-License-Identifier: MIT
 * words_lexicon: the table behind token_class() (words_lexicon.c) and the slips people make (words_spelling.c).  Used
 * by words.c alone; pure, any thread. */
#ifndef ROUTER_WORDS_LEXICON_H
#define ROUTER_WORDS_LEXICON_H

#include <stdbool.h>

/* Row of the first meaning of a lower-case word, -1 = none. */
int lexicon_find(const char *word);
/* The word a person meant ("tommorow" → "tomorrow", "whats" → "what's"); itself when it is no slip we know. */
const char *lexicon_correct(const char *word);

/* Are the tables in the order that their search needs?  For the unit test. */
bool lexicon_sorted(void);
bool spelling_sorted(void);

#endif
