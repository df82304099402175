/* SPDX-License-Identifier: MIT
 * analyzer: text → folded, stemmed words, for the lexical index and for understanding questions.  Case and accents are
 * folded, English stems by Porter, runs of scripts without spaces become bigrams, and numbers with inner
 * punctuation ("81.4", "2026-11-20") also yield one joined word.  A `struct analyzer` is one thread's. */
#ifndef EMBEDDINGS_ANALYZER_H
#define EMBEDDINGS_ANALYZER_H

#include "base/arena.h"

struct analyzer; /* the stemmer */

struct analyzer *analyzer_new(void);
void analyzer_free(struct analyzer *); /* NULL is fine */

struct word {
    const char *surface; /* folded, accents stripped */
    const char *stem;    /* = surface where nothing was cut */
    size_t begin, end;   /* bytes in the text */
    bool number;         /* digits only */
    bool joined;         /* an extra word over the numbers before it; not counted in lengths */
    bool stop;           /* says nothing about the subject ("the", "what", "did", "my") */
};
/* All words of the text, in order; arena-owned. */
size_t analyzer_split(struct analyzer *, struct arena *, const char *text, struct word **out);

/* At most bytes_max bytes of the text around the place that holds most of the query's words, cut at
 * words, with "…" where something was left out.  Arena-owned; the text itself when it is short enough. */
const char *analyzer_excerpt(struct analyzer *, struct arena *, const char *text, const char *query, size_t bytes_max);

#endif
