/* SPDX-License-Identifier: MIT
 * words: a sentence as tokens, and what single English words mean (numbers, weekdays, months, units).
 * Shared by the date parser (when*.c) and the sentence parser (parse*.c).  Pure; any thread; every token knows
 * its bytes in the source, so that a person's own words can be cut out unchanged. */
#ifndef ROUTER_WORDS_H
#define ROUTER_WORDS_H

#include "base/arena.h"
#include <stddef.h>
#include <stdint.h>

enum token_kind {
    TOKEN_END,     /* before the first and after the last */
    TOKEN_WORD,    /* letters with inner apostrophes */
    TOKEN_NUMBER,  /* ASCII digits only: "7.5" is three tokens */
    TOKEN_PART,    /* a vulgar fraction character: ½ ¼ ¾ */
    TOKEN_PUNCT,   /* one ASCII punctuation character (dashes of all kinds are '-') */
    TOKEN_NEWLINE, /* one or more line ends */
    TOKEN_SYMBOL,  /* emoji and everything else */
};

struct token {
    enum token_kind kind;
    size_t begin, end; /* bytes in the source */
    const char *text;  /* lower case, apostrophes ASCII, common slips corrected ("tommorow", "whats") */
    bool glued;        /* no white space before it */
    bool possessive;   /* "tomorrow's": text keeps the 's, classes are those of the word */
    char punct;        /* PUNCT: the character */
    int digits;        /* NUMBER: how many */
    int64_t number;    /* NUMBER: its value, at most 10^15 */
    double part;       /* PART: 0.5 … */
    int lexeme;        /* first row of the lexicon, -1 = none */
};

struct words {
    const char *source;
    struct token *token; /* arena-owned */
    int count;
};

/* source must outlive the result; invalid UTF-8 becomes SYMBOL tokens. */
void words_split(struct arena *, const char *source, struct words *out);
/* Token i, or an END token outside 0 … count-1; never NULL. */
const struct token *words_at(const struct words *, int i);
bool token_is(const struct token *, const char *word);     /* text equal */
bool token_any(const struct token *, const char *words);   /* "on|at|by" */
bool token_punct(const struct token *, const char *chars); /* a PUNCT out of chars */

enum word_class {
    CLASS_CARDINAL, /* one … nineteen, twenty … ninety: the value */
    CLASS_MULTIPLE, /* hundred, thousand */
    CLASS_ORDINAL,  /* first … thirtieth */
    CLASS_WEEKDAY,  /* 0 = Monday */
    CLASS_WEEKDAYS, /* "mondays": 0 = Monday */
    CLASS_MONTH,    /* 1 … 12 */
    CLASS_UNIT,     /* enum time_unit */
    CLASS_PERIODIC, /* "daily", "weekly": enum time_unit */
    CLASS_DAYPART,  /* its usual time, as 100 * hour + minute */
    CLASS_DAY,      /* today 0, tomorrow 1, yesterday -1 */
    CLASS_COUNT
};
enum time_unit {
    UNIT_SECOND,
    UNIT_MINUTE,
    UNIT_HOUR,
    UNIT_DAY,
    UNIT_WORKDAY,
    UNIT_WEEK,
    UNIT_FORTNIGHT,
    UNIT_MONTH,
    UNIT_QUARTER,
    UNIT_YEAR,
    UNIT_DECADE
};
bool token_class(const struct token *, enum word_class, int *value);

/* A whole number in digits or words ("21", "twenty one", "two thousand and eighteen"); tokens used, 0 = none. */
int words_cardinal(const struct words *, int i, int64_t *value);
/* "1st", "21 st", "first", "twenty first", "the" not included; tokens used, 0 = none. */
int words_ordinal(const struct words *, int i, int *value);
/* An amount: "7.5", "7,5", "1,500", "1/2", "2 1/2", "½", "a", "an", "a couple of", "half a", "seven and a half",
 * "three quarters of an"; tokens used, 0 = none. */
int words_amount(const struct words *, int i, double *value);
/* A length of time: "7h30", "1h 20 min", "an hour and a half", "90 minutes", "seven and a half hours"; minutes, which
 * may have a fraction.  "7 hours 30" counts the 30 as minutes.  Tokens used, 0 = none. */
int words_duration(const struct words *, int i, double *minutes);

#endif
