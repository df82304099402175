/* SPDX-License-Identifier: MIT
 * text: UTF-8 as people and Telegram count it.  Unicode properties come from ICU.
 * Any thread; pure. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/arena.h"
#include "base/buf.h"
#include <stddef.h>

bool text_valid(const char *s, size_t len);         /* well-formed UTF-8, no NUL */
size_t text_utf16_units(const char *s, size_t len); /* of valid UTF-8 */
/* Bytes of the longest prefix of at most `units` UTF-16 units that ends at a grapheme border. */
size_t text_prefix_utf16(const char *s, size_t len, size_t units);
char *text_trim(char *s); /* in place, Unicode white space; returns the start */
/* Case-folded, compatibility-normalised, accents kept; for comparing names.  Arena-owned. */
const char *text_fold(struct arena *, const char *s);
bool text_equal_fold(const char *a, const char *b); /* same under text_fold */
/* Replace invalid sequences and NULs by U+FFFD and drop other C0 controls except \n \t. Arena-owned. */
const char *text_clean(struct arena *, const char *s, size_t len);
/* Drop, in place, what is no character: the half of one that a precision ("%.40s") has cut. */
void text_whole(char *s);
/* Make bidi controls and invisible characters visible as ⟨U+202E⟩; for text that asks for trust. */
const char *text_unspoof(struct arena *, const char *s);

#endif
