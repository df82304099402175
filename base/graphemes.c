/* SPDX-License-Identifier: MIT
 * graphemes: ICU's character break iterator over UTF-8, one iterator kept per thread.
 * Called by text.c and the reply splitter on any thread.  A text is never copied. */
#include "base/graphemes.h"
#include "base/arena.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_key_t iterator_key;
static pthread_once_t iterator_once = PTHREAD_ONCE_INIT;
static _Thread_local UBreakIterator *iterator; /* the key exists for its destructor alone */

static void iterator_free(void *p)
{
    ubrk_close(p);
    iterator = NULL;
}

static void iterator_key_init(void)
{
    if (pthread_key_create(&iterator_key, iterator_free) != 0)
        abort();
}

static UBreakIterator *iterator_get(void)
{
    if (!iterator) {
        UErrorCode err = U_ZERO_ERROR;
        pthread_once(&iterator_once, iterator_key_init);
        iterator = ubrk_open(UBRK_CHARACTER, "en", NULL, 0, &err);
        if (U_FAILURE(err)) { /* the library's own data is missing: nothing can be measured */
            fprintf(stderr, "steward: ICU cannot open its break rules (%s)\n", u_errorName(err));
            abort();
        }
        pthread_setspecific(iterator_key, iterator);
    }
    return iterator;
}

void graphemes_open(struct graphemes *g, const char *s, size_t len)
{
    static const UText empty = UTEXT_INITIALIZER;
    UErrorCode err = U_ZERO_ERROR;
    g->text = empty;
    g->iterator = iterator_get();
    g->at = 0;
    g->len = len;
    utext_openUTF8(&g->text, s, (int64_t)len, &err);
    ubrk_setUText(g->iterator, &g->text, &err);
    if (U_FAILURE(err))
        abort(); /* only out of memory can do this */
    ubrk_first(g->iterator);
}

size_t graphemes_next(struct graphemes *g)
{
    int32_t next = ubrk_next(g->iterator);
    g->at = next == UBRK_DONE ? g->len : (size_t)next;
    return g->at;
}

void graphemes_close(struct graphemes *g)
{
    UErrorCode err = U_ZERO_ERROR;
    /* The iterator holds a shallow clone of the text: let go of the caller's bytes. */
    ubrk_setText(g->iterator, NULL, 0, &err);
    utext_close(&g->text);
}
