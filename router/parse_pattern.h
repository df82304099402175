/* SPDX-License-Identifier: MIT
 * parse_pattern: the small pattern language of the sentence tables, matched against tokens.
 *
 *   remind|reminds      one of these words          @list   a list by name ("my shopping list"); its category is kept
 *   [a b / c]           optional: "a b" or "c"      @name   a list by its bare name ("shopping", "errands")
 *   (a b / c)           one of them                 @id     a task number: "83", "#83", "task 83", "number 83"
 *   {1} … {4}           capture, one token or       : ;     that character; a dash between spaces is a colon
 *                       more, as few as possible;
 *                       {1?} may be empty
 *
 * Commas between elements are read over.  The whole span must match, but for closing punctuation.  Pure; every match
 * stops after MATCH_STEPS_MAX steps, so no text can make it slow. */
#ifndef ROUTER_PARSE_PATTERN_H
#define ROUTER_PARSE_PATTERN_H

#include "router/words.h"

enum { CAPTURES_MAX = 4 };

struct span {
    int begin, end; /* tokens, end exclusive */
};

struct match {
    struct span capture[CAPTURES_MAX + 1]; /* by number; index 0 unused */
    struct span category;                  /* of @list or @name; empty = the to-do list itself */
    bool list;                             /* @list or @name took part */
    int64_t id;                            /* of @id; 0 = none */
};

bool pattern_match(const struct words *, struct span, const char *pattern, struct match *out);
/* A list by name at i; tokens used, 0 = none.  *category is the part that names it. */
int pattern_list(const struct words *, int i, int end, struct span *category);
/* "83", "#83", "task 83", "number 83", "task number 83"; a bare number only when `bare`.  Tokens used. */
int pattern_id(const struct words *, int i, int end, bool bare, int64_t *id);

#endif
