/* SPDX-License-Identifier: MIT
 * match: which rows a person means by words ("done with bread").  Grades, best first: the same text; every word
 * occurs (letter case and English endings aside); every word begins a word, or the whole is a part of the text.
 * Pure; one thread per struct. */
#ifndef ROUTER_MATCH_H
#define ROUTER_MATCH_H

#include "base/arena.h"
#include <stdint.h>

struct match;

enum match_grade { MATCH_NONE, MATCH_PART, MATCH_WORDS, MATCH_EXACT };

struct match *match_new(struct arena *, const char *words); /* lives in the arena */
enum match_grade match_grade(struct match *, const char *text);
/* 0 to 1: how near a text is that does not match; over MATCH_NEAR it is worth suggesting. */
double match_nearness(struct match *, const char *text);
#define MATCH_NEAR 0.3 /* "bred" and "Buy bread" share about a third of their letter triples */

/* An id written as words: "83", "#83", "task 83"; 0 = none. */
int64_t match_id(const char *words);

#endif
