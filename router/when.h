/* SPDX-License-Identifier: MIT
 * when: English date and time phrases → wall-clock dates, relative to a given now.  Pure; any thread.
 * Conventions: a weekday name that is today means today + 7; "next X" is X of the next calendar week; "next
 * week" is +7 days; "next month" is the 1st; morning 06:00, afternoon 15:00, evening 20:00, tonight 22:00; a
 * date without a year is the next to come; an impossible date is not a date. */
#ifndef ROUTER_WHEN_H
#define ROUTER_WHEN_H

#include "base/arena.h"
#include "base/clock.h"

struct when_options {
    struct civil now; /* with hour and minute */
    bool day_first;   /* 3/4 is the 3rd of April; false: March 4 */
    bool past;        /* logs: "friday", "march 3" mean the last one, not the next */
};
/* True for every language tag but en-US (and empty, which is taken as en-US): see facts on conventions. */
bool when_day_first(const char *language);

struct when {
    struct civil at;   /* hour -1 = a whole day */
    size_t begin, end; /* bytes of the phrase in the text, with its preposition ("by friday") */
    bool has_date, has_time;
    const char *repeat; /* RFC 5545 rule ("FREQ=WEEKLY;BYDAY=TU,TH") or NULL; `at` is the first one */
    bool approximate;   /* "next month": a guess a person may want to see */
};

/* The whole text is one phrase ("next friday at 5pm", "2026-11-21", "in 20 minutes"). */
bool when_parse(struct arena *, const char *phrase, const struct when_options *, struct when *out);
/* Find the phrase inside a sentence ("call mom next friday at 5pm about the may report"); false = none.  Prefers
 * the longest sure phrase; a lone number, "may" as a verb, a phone number or a version are not dates. */
bool when_find(struct arena *, const char *sentence, const struct when_options *, struct when *out);

/* A period in a question: "last week", "in October", "since monday", "yesterday", "2026", "the last 30 days".
 * from and to are whole days, both inclusive. */
struct when_range {
    struct civil from, to;
    size_t begin, end;
    const char *words; /* the phrase, arena-owned: "last week" */
};
bool when_find_range(struct arena *, const char *sentence, const struct when_options *, struct when_range *out);

/* Next occurrence of a rule strictly after `after` (libical); false = the rule has ended or is not one. */
bool when_next(const char *repeat, const struct civil *first, const struct civil *after, struct civil *out);

/* "Sat 2026-11-21 (tomorrow)", "Fri 2026-11-27 17:00 (in 7 days)"; arena-owned. */
const char *when_describe(struct arena *, const struct civil *at, const struct civil *now);
/* "every Tuesday and Thursday"; arena-owned. */
const char *when_describe_repeat(struct arena *, const char *repeat);

#endif
