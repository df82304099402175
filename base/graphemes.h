/* SPDX-License-Identifier: MIT
 * graphemes: walk over the user-perceived characters of a UTF-8 text, by ICU's rules
 * (a family emoji, a flag, a letter with its accents are one each).  Any thread. */
#ifndef BASE_GRAPHEMES_H
#define BASE_GRAPHEMES_H

#include <stddef.h>
#include <unicode/ubrk.h>
#include <unicode/utext.h>

struct graphemes {
    UText text;
    UBreakIterator *iterator; /* the thread's own; one walk at a time per thread */
    size_t at, len;
};

/* s must outlive the walk.  Malformed bytes count as one grapheme each. */
void graphemes_open(struct graphemes *, const char *s, size_t len);
/* Byte offset of the end of the next grapheme; at the end of the text it stays there. */
size_t graphemes_next(struct graphemes *);
void graphemes_close(struct graphemes *);

#endif
