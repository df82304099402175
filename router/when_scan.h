/* SPDX-License-Identifier: MIT
 * when_scan: the inside of the date parser, shared by when*.c; parse*.c uses when_all() alone.
 *
 * A phrase is built from parts.  Each part has a rule: a function that looks at the tokens from i on, fills the fields
 * it knows and returns how many tokens it used (0 = not mine).  The longest rule wins; when_phrase() joins parts
 * ("friday" + "at 5" + "in the afternoon") and resolve() turns the fields into one wall-clock time.
 * Pure; any thread; no rule looks further ahead than its own grammar, so a scan is linear. */
#ifndef ROUTER_WHEN_SCAN_H
#define ROUTER_WHEN_SCAN_H

#include "router/when.h"
#include "router/words.h"

enum phrase_flag {
    PHRASE_WEAK = 1,            /* a date only in good company: "sun", "may", "the second" */
    PHRASE_APPROXIMATE = 2,     /* "next month", "this weekend" */
    PHRASE_POSSESSIVE = 4,      /* "tomorrow's": describes a thing, it is not a due date */
    PHRASE_MOMENT = 8,          /* date and time come from an offset: "in two hours" */
    PHRASE_EXACT_HOUR = 16,     /* am/pm was said, or the 24 h clock is certain */
    PHRASE_NEXT_MIDNIGHT = 32,  /* "midnight", "this afternoon at 12" */
    PHRASE_LEAD = 64,           /* begins with a preposition: "on friday", "by 6pm" */
    PHRASE_TODAY_PART = 128,    /* "this afternoon": the daypart names today */
    PHRASE_AT_NIGHT = 256,      /* "at night": small hours are meant as such */
    PHRASE_VAGUE_WEEKDAY = 512, /* a weekday that a following calendar date explains: "Fri, Jul 18" */
    PHRASE_OLD = 1024,          /* the words point back: "ago", "last friday", "yesterday" */
    PHRASE_PERIOD = 2048,       /* a stretch, not a day: "last week" */
    PHRASE_COLON = 4096,        /* the time was written with a colon or dot */
};

enum { MORE_TIMES_MAX = 2 };

struct more_time { /* "at 8 and 20": another time of the same day */
    int hour, minute;
    bool exact; /* as PHRASE_EXACT_HOUR */
};

struct phrase {
    int begin, end; /* tokens, end exclusive */
    unsigned flags;
    bool has_date, has_time, has_daypart;
    struct civil date;
    int hour, minute, second;
    int daypart; /* 100 * hour + minute */
    const char *repeat;
    struct more_time more[MORE_TIMES_MAX];
    int more_count;
    int score;                         /* when_all(): how sure this is the phrase of the sentence */
    struct civil at;                   /* the answer; hour -1 = a whole day */
    struct civil also[MORE_TIMES_MAX]; /* one for each of `more` */
};

struct scan {
    struct arena *arena;
    const struct words *words;
    const struct when_options *options;
    bool whole; /* the text is one phrase: weak parts count */
};

enum { WHEN_YEAR_MIN = 1900, WHEN_YEAR_MAX = 2199, WHEN_SPAN_DAYS_MAX = 80000 }; /* "in 10^9 days" is not a date */

/* --- rules: tokens used, 0 = not mine --- */
int when_rule_named_day(const struct scan *, int i, struct phrase *);     /* today, the day after tomorrow */
int when_rule_weekday(const struct scan *, int i, struct phrase *);       /* next friday, monday of next week */
int when_rule_month_day(const struct scan *, int i, struct phrase *);     /* nov 21st, the third of march 2027 */
int when_rule_month_ordinal(const struct scan *, int i, struct phrase *); /* the 21st, 15th of next month */
int when_rule_numeric(const struct scan *, int i, struct phrase *);       /* 2026-11-21, 21.11.2026, 21/11 */
int when_rule_nth(const struct scan *, int i, struct phrase *);           /* last friday in october, end of month */
int when_rule_period(const struct scan *, int i, struct phrase *);        /* next week, this weekend, in march */
int when_rule_relative(const struct scan *, int i, struct phrase *); /* in 3 days, a week from friday, 2 days ago */
int when_rule_holiday(const struct scan *, int i, struct phrase *);  /* christmas, new year's eve */
int when_rule_time(const struct scan *, int i, struct phrase *);     /* 5pm, 17h30, half past five, noon */
int when_rule_daypart(const struct scan *, int i, struct phrase *);  /* this morning, in the evening, at night */
int when_rule_repeat(const struct scan *, int i, struct phrase *);   /* every tuesday and thursday, daily */

/* The end of the recurrence that p already has: "until friday", "for two weeks". */
int when_rule_repeat_end(const struct scan *, int i, struct phrase *);

/* The longest date rule at i (no times, no repeats). */
int when_date_part(const struct scan *, int i, struct phrase *);
/* A calendar date or weekday at i that a relative rule may build on ("from friday", "before christmas"). */
int when_anchor(const struct scan *, int i, struct phrase *);
/* A whole phrase at i, resolved; tokens used. */
int when_phrase(const struct scan *, int i, struct phrase *);
/* Every phrase of the sentence in order, scored; returns how many (at most max). */
int when_all(const struct scan *, struct phrase *out, int max);

/* --- helpers of the rules --- */
struct civil when_today(const struct scan *);
struct civil when_day(const struct scan *, int offset_days);
/* Set a whole day; false (and nothing set) when it is not a date or out of range. */
bool when_set_date(struct phrase *, int year, int month, int day);
/* The next (options->past: the last) such day; false = never valid. */
bool when_pick_year(const struct scan *, int month, int day, struct phrase *);
struct civil when_week_start(const struct scan *, int weeks); /* Monday of this week + weeks */
/* A year in digits or words at i ("2027", "two thousand and eighteen"); tokens used. */
int when_year(const struct words *, int i, int *year);
/* First rule date on or after (options: strictly after) now for a repeat; used by the repeat rule and by resolve. */
bool when_repeat_first(const struct scan *, struct phrase *);

#endif
