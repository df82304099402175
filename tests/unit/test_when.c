/* SPDX-License-Identifier: MIT
 * test_when: the date parser on Friday 2026-11-20 at 09:30: phrases, past logs, day-first users, rules, periods, and
 * what people read.  A NULL means: this is not a date. */
#include "router/when.h"
#include "router/words.h"
#include "router/words_lexicon.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

struct sample {
    const char *text, *wanted;
};

static const struct when_options friday = { .now = { 2026, 11, 20, 9, 30, 0 } };
static struct arena *arena;

static void set_up(void)
{
    arena = arena_new();
}

static void tear_down(void)
{
    arena_free(arena);
}

static const char *resolve(const char *text, const struct when_options *options, struct when *w)
{
    static char iso[CIVIL_TEXT_BYTES];
    if (!when_parse(arena, text, options, w) && !when_find(arena, text, options, w))
        return NULL;
    ck_assert(civil_valid(&w->at));
    ck_assert(w->begin <= w->end && w->end <= strlen(text));
    return civil_format(&w->at, iso);
}

static void check_table(const struct sample *table, size_t count, const struct when_options *options)
{
    for (size_t i = 0; i < count; i++) {
        struct when w;
        const char *got = resolve(table[i].text, options, &w);
        bool same = got && table[i].wanted ? strcmp(got, table[i].wanted) == 0 : got == table[i].wanted;
        ck_assert_msg(same, "\"%s\": wanted %s, got %s", table[i].text, table[i].wanted ? table[i].wanted : "no date",
                      got ? got : "no date");
    }
}

static const struct sample phrases[] = {
    { "at 3", "2026-11-20T15:00" },
    { "at 3am", "2026-11-21T03:00" },
    { "3 in the AM", "2026-11-21T03:00" },
    { "@ 3pm", "2026-11-20T15:00" },
    { "15 o'clock", "2026-11-20T15:00" },
    { "quarter past 3pm", "2026-11-20T15:15" },
    { "at 20 past 3pm", "2026-11-20T15:20" },
    { "quarter to noon", "2026-11-20T11:45" },
    { "a quarter past noon", "2026-11-20T12:15" },
    { "at 7:30 PM on Fri, Sep 20", "2027-09-20T19:30" },
    { "Fri, Jul 18, 2014 07:00 PM", "2014-07-18T19:00" },
    { "in half an hour", "2026-11-20T10:00" },
    { "in an hour and a half", "2026-11-20T11:00" },
    { "in about half an hour", "2026-11-20T10:00" },
    { "in a few hours", "2026-11-20T12:30" },
    { "in 24 hours", "2026-11-21T09:30" },
    { "three days from today", "2026-11-23" },
    { "three weeks ago", "2026-10-30" },
    { "the first Monday of this month", "2026-11-02" },
    { "2 sundays ago", "2026-11-08" },
    { "christmas", "2026-12-25" },
    { "new year's eve", "2026-12-31" },
    { "thanksgiving day", "2026-11-26" },
    { "black friday", "2026-11-27" },
    { "easter 2018", "2018-04-01" },
    { "mother's day", "2027-05-09" },
    { "last night", "2026-11-19T22:00" },
    { "ASAP", NULL },
    { "eod", "2026-11-20T23:59" },
    { "EOM", "2026-11-30" },
    { "eoy", "2026-12-31" },
    { "now", "2026-11-20T09:30" },
    { "the day after tomorrow at 5pm", "2026-11-22T17:00" },
    { "monday of last week", "2026-11-09" },
    { "last day of october 2015", "2015-10-31" },
    { "first tuesday of october", "2027-10-05" },
    { "third tuesday of september 2014", "2014-09-16" },
    { "thursday the fifteenth", "2027-04-15" },
    { "friday the 13th", "2027-08-13" },
    { "14april 2015", "2015-04-14" },
    { "8/31/74", "1974-08-31" },
    { "2/15", "2027-02-15" },
    { "the week after next", "2026-12-04" },
    { "Xmas at 6 pm", "2026-12-25T18:00" },
    { "by the end of next month", "2026-12-31" },
    { "tonight at midnight", "2026-11-21T00:00" },
    { "midnight", "2026-11-21T00:00" },
    { "21.11.2026", "2026-11-21" },
    { "21/11", "2026-11-21" },
    { "21/11 at 5pm", "2026-11-21T17:00" },
    { "21.11.", "2026-11-21" },
    { "Feb 30", NULL },
    { "25:00", NULL },
    { "2026-02-30", NULL },
    { "31.4.2026", NULL },
    { "29 feb", "2028-02-29" },
    { "29 feb 2027", NULL },
    { "31 november", NULL },
    { "next friday 12:30", "2026-11-27T12:30" },
    { "15 minutes from now", "2026-11-20T09:45" },
    { "half an hour ago", "2026-11-20T09:00" },
    { "2 weeks after 02/02", "2027-02-16" },
    { "noon tomorrow", "2026-11-21T12:00" },
    { "day before yesterday", "2026-11-18" },
    { "six weeks from wednesday", "2027-01-06" },
    { "1 month 21 days ago", "2026-09-29" },
    { "oct. 2 at 5", "2027-10-02T17:00" },
    { "tonight around 7", "2026-11-20T19:00" },
    { "half past 7 at night", "2026-11-20T19:30" },
    { "17h30", "2026-11-20T17:30" },
    { "5.30pm", "2026-11-20T17:30" },
    { "by friday", "2026-11-27" },
    { "before 6pm", "2026-11-20T18:00" },
    { "a week from friday", "2026-12-04" },
    { "two days after tomorrow", "2026-11-23" },
    { "in a fortnight", "2026-12-04" },
    { "end of month", "2026-11-30" },
    { "first monday of december", "2026-12-07" },
    { "half past 5", "2026-11-20T17:30" },
    { "quarter to six", "2026-11-20T17:45" },
    { "5ish", NULL },
    { "friday week", "2026-12-04" },
    { "a week on friday", "2026-12-04" },
    { "tomorrow at 5", "2026-11-21T17:00" },
    { "tomorrow at 9", "2026-11-21T09:00" },
    { "at 9", "2026-11-20T21:00" },
    { "at 10", "2026-11-20T10:00" },
    { "in 999999999999 days", NULL },
    { "in two and a half hours", "2026-11-20T12:00" },
    { "this weekend", "2026-11-21" },
    { "next weekend", "2026-11-28" },
    { "next month", "2026-12-01" },
    { "next year", "2027-01-01" },
    { "in march", "2027-03-01" },
    { "by june 2027", "2027-06-01" },
    { "the 1st of next month", "2026-12-01" },
    { "20th", "2026-11-20" },
    { "november 19", "2027-11-19" },
    { "this friday", "2026-11-20" },
    { "this monday", "2026-11-23" },
    { "last monday", "2026-11-16" },
    { "coming sunday", "2026-11-22" },
    { "next sunday", "2026-11-29" },
    { "sunday", "2026-11-22" },
    { "tomorrow from 2 to 4pm", "2026-11-21T14:00" },
    { "let's meet between 3 and 4pm tomorrow", "2026-11-21T15:00" },
    { "wed 3 dec 14:00", "2026-12-03T14:00" },
    { "2026-11-21 17:00", "2026-11-21T17:00" },
    { "2026-11-21T17:00", "2026-11-21T17:00" },
    { "2026/11/21", "2026-11-21" },
    { "Nov 21st 2026 at 5 p.m.", "2026-11-21T17:00" },
    { "call +49 170 1234567", NULL },
    { "version 1.2.3", NULL },
    { "it costs $5.30", NULL },
    { "buy 3/4 inch screws", NULL },
    { "24/7 support", NULL },
    { "flight LH 1234", NULL },
    { "between 5 and 10 people", NULL },
    { "10 to 8 people", NULL },
    { "i may go", NULL },
    { "sat down", NULL },
    { "the second book", NULL },
    { "first of all", NULL },
    { "buy 2 may be more", NULL },
    { "at 5 percent", NULL },
    { "pay 2026 dollars", NULL },
    { "12:75", NULL },
    { "23:60", NULL },
    { "24:00", "2026-11-21T00:00" },
    { "5 p.m.", "2026-11-20T17:00" },
    { "tomorrow evening", "2026-11-21T20:00" },
    { "monday morning", "2026-11-23T06:00" },
    { "friday night", "2026-11-27T22:00" },
    { "in the morning", "2026-11-21T06:00" },
    { "this evening", "2026-11-20T20:00" },
    { "tonight", "2026-11-20T22:00" },
    { "later", NULL },
    { "in three days time", "2026-11-23" },
    { "in 2 weeks' time", "2026-12-04" },
    { "10 minutes before midnight", "2026-11-20T23:50" },
    { "five in the morning", "2026-11-21T05:00" },
    { "7 in the evening tomorrow", "2026-11-21T19:00" },
    { "the end of december", "2026-12-31" },
    { "mid january", "2027-01-15" },
    { "due 12/5", "2026-12-05" },
    { "on 3.4.", "2027-04-03" },
    { "21-Nov-2026", "2026-11-21" },
    { "saturday after next", "2026-12-05" },
    { "yesterday at 5pm", "2026-11-19T17:00" },
    { "two years ago", "2024-11-20" },
    { "half past twelve", "2026-11-20T12:30" },
    { "quarter to one", "2026-11-20T12:45" },
    { "twenty to nine tonight", "2026-11-20T20:40" },
    { "at six thirty tomorrow", "2026-11-21T18:30" },
    { "by end of day friday", "2026-11-27T23:59" },
    { "the day after christmas", "2026-12-26" },
    { "two days before christmas", "2026-12-23" },
    { "thanksgiving 2027", "2027-11-25" },
    { "call mom friday about saturday", "2026-11-27" },
    { "call mom next friday at 5pm about the may report", "2026-11-27T17:00" },
    { "the meeting from 3 to 4pm on tuesday", "2026-11-24T15:00" },
    { "every tuesday thursday and saturday at 8", "2026-11-21T08:00" },
    { "every day", "2026-11-20" },
    { "every 2 weeks on monday", "2026-11-23" },
    { "monthly on the 1st", "2026-12-01" },
    { "fifteenth of every month", "2026-12-15" },
    { "every morning", "2026-11-21T06:00" },
    { "every weekday at 7:30", "2026-11-23T07:30" },
    { "on mondays and wednesdays", "2026-11-23" },
    { "every other friday", "2026-11-27" },
    { "last friday of every month", "2026-11-27" },
    { "every year on march 3", "2027-03-03" },
    { "every 30 minutes", "2026-11-20T10:00" },
    { "every monday and thursday at 18:30", "2026-11-23T18:30" },
    { "weekdays at 9", "2026-11-23T09:00" },
    { "daily at 8am", "2026-11-21T08:00" },
    { "every 3 months", "2026-11-20" },
    { "every day except sunday", "2026-11-20" },
    { "write the weekly report", NULL },
};

START_TEST(test_phrases)
{
    check_table(phrases, COUNT(phrases), &friday);
}
END_TEST

START_TEST(test_past)
{
    static const struct sample table[] = {
        { "friday", "2026-11-13" },      { "monday", "2026-11-16" },
        { "march 3", "2026-03-03" },     { "december 3", "2025-12-03" },
        { "the 25th", "2026-10-25" },    { "the 5th", "2026-11-05" },
        { "8pm", "2026-11-19T20:00" },   { "8am", "2026-11-20T08:00" },
        { "last friday", "2026-11-13" }, { "this morning", "2026-11-20T06:00" },
    };
    struct when_options options = friday;
    options.past = true;
    check_table(table, COUNT(table), &options);
}
END_TEST

START_TEST(test_day_first)
{
    static const struct sample table[] = {
        { "3/4", "2027-04-03" },  { "3/4/2027", "2027-04-03" },      { "12-11-2026", "2026-11-12" },
        { "4/25", "2027-04-25" }, { "at 5:30", "2026-11-21T05:30" }, { "at 5", "2026-11-20T17:00" },
    };
    struct when_options options = friday;
    check_table((const struct sample[]){ { "3/4", "2027-03-04" }, { "at 5:30", "2026-11-20T17:30" } }, 2, &options);
    options.day_first = true;
    check_table(table, COUNT(table), &options);
    ck_assert(when_day_first("de"));
    ck_assert(when_day_first("en-GB"));
    ck_assert(!when_day_first("en-US"));
    ck_assert(!when_day_first(""));
    ck_assert(!when_day_first(NULL));
}
END_TEST

/* The bytes of a phrase, with its preposition, are what a caller cuts out. */
START_TEST(test_bytes)
{
    static const struct sample table[] = {
        { "call mom next friday at 5pm about the may report", "next friday at 5pm" },
        { "finish the slides by friday please", "by friday" },
        { "café at noon tomorrow", "at noon tomorrow" },
        { "pay rent on the 1st", "on the 1st" },
        { "water plants every 3 days", "every 3 days" },
        { "in 20 minutes check the oven", "in 20 minutes" },
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct when w;
        ck_assert(when_find(arena, table[i].text, &friday, &w));
        ck_assert_str_eq(arena_strndup(arena, table[i].text + w.begin, w.end - w.begin), table[i].wanted);
    }
}
END_TEST

START_TEST(test_whole_phrase_only)
{
    struct when w;
    ck_assert(when_parse(arena, "next friday at 5pm", &friday, &w));
    ck_assert(!when_parse(arena, "call mom next friday", &friday, &w));
    ck_assert(!when_parse(arena, "friday call mom", &friday, &w));
    ck_assert(!when_parse(arena, "", &friday, &w));
    ck_assert(when_parse(arena, "friday.", &friday, &w));
}
END_TEST

START_TEST(test_rules)
{
    static const struct {
        const char *text, *rule, *words;
    } table[] = {
        { "every tuesday and thursday", "FREQ=WEEKLY;BYDAY=TU,TH", "every Tuesday and Thursday" },
        { "every tuesday, thursday and saturday at 8", "FREQ=WEEKLY;BYDAY=TU,TH,SA",
          "every Tuesday, Thursday and Saturday" },
        { "daily", "FREQ=DAILY", "every day" },
        { "every 2 weeks on monday", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "every 2 weeks on Monday" },
        { "every other friday", "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR", "every 2 weeks on Friday" },
        { "weekdays", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "every weekday" },
        { "every weekend", "FREQ=WEEKLY;BYDAY=SA,SU", "every weekend day" },
        { "monthly on the 1st", "FREQ=MONTHLY;BYMONTHDAY=1", "every month on the 1st" },
        { "the fifteenth of every month", "FREQ=MONTHLY;BYMONTHDAY=15", "every month on the 15th" },
        { "the last day of every month", "FREQ=MONTHLY;BYMONTHDAY=-1", "every month on the last day" },
        { "every first monday of the month", "FREQ=MONTHLY;BYDAY=1MO", "every month on the 1st Monday" },
        { "last friday of every month", "FREQ=MONTHLY;BYDAY=-1FR", "every month on the last Friday" },
        { "every year on march 3", "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=3", "every year on March 3" },
        { "every 30 minutes", "FREQ=MINUTELY;INTERVAL=30", "every 30 minutes" },
        { "every 3 months", "FREQ=MONTHLY;INTERVAL=3", "every 3 months" },
        { "mondays", "FREQ=WEEKLY;BYDAY=MO", "every Monday" },
        { "every morning", "FREQ=DAILY", "every day" },
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct when w;
        ck_assert_msg(when_parse(arena, table[i].text, &friday, &w) && w.repeat, "\"%s\" is a rule", table[i].text);
        ck_assert_str_eq(w.repeat, table[i].rule);
        ck_assert_str_eq(when_describe_repeat(arena, w.repeat), table[i].words);
    }
}
END_TEST

static void check_next(const char *rule, const char *first, const char *after, const char *wanted)
{
    struct civil a, b, out;
    char iso[CIVIL_TEXT_BYTES];
    ck_assert(civil_parse(first, &a) && civil_parse(after, &b));
    bool found = when_next(rule, &a, &b, &out);
    ck_assert_msg(found == (wanted != NULL), "%s after %s: found %d", rule, after, found);
    if (wanted)
        ck_assert_str_eq(civil_format(&out, iso), wanted);
}

START_TEST(test_next)
{
    check_next("FREQ=DAILY", "2026-11-20T09:00", "2026-11-20T09:00", "2026-11-21T09:00");
    check_next("FREQ=DAILY", "2026-11-20", "2026-11-20T23:00", "2026-11-21");
    check_next("FREQ=WEEKLY;BYDAY=TU,TH", "2026-11-24T08:00", "2026-11-24T08:00", "2026-11-26T08:00");
    check_next("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "2026-11-23", "2026-11-23", "2026-12-07");
    check_next("FREQ=MONTHLY;BYMONTHDAY=31", "2026-01-31", "2026-01-31", "2026-03-31");
    check_next("FREQ=MONTHLY;BYMONTHDAY=-1", "2026-01-31", "2026-01-31", "2026-02-28");
    check_next("FREQ=MONTHLY;BYDAY=-1FR", "2026-11-27", "2026-11-27", "2026-12-25");
    check_next("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2024-02-29", "2024-02-29", "2028-02-29");
    check_next("FREQ=HOURLY;INTERVAL=2", "2026-11-20T09:00", "2026-11-20T23:30", "2026-11-21T01:00");
    check_next("FREQ=DAILY;COUNT=2", "2026-11-20", "2026-11-21", NULL);
    check_next("FREQ=DAILY", "2016-01-01T07:00", "2026-11-20T09:30", "2026-11-21T07:00");
    check_next("nonsense", "2026-11-20", "2026-11-20", NULL);
    check_next("", "2026-11-20", "2026-11-20", NULL);
}
END_TEST

START_TEST(test_ranges)
{
    static const struct {
        const char *text, *from, *to, *words;
    } table[] = {
        { "how much did i sleep last week", "2026-11-09", "2026-11-15", "last week" },
        { "what did i do this week", "2026-11-16", "2026-11-22", "this week" },
        { "how far did i run in october", "2026-10-01", "2026-10-31", "in october" },
        { "water since monday", "2026-11-16", "2026-11-20", "since monday" },
        { "sleep yesterday", "2026-11-19", "2026-11-19", "yesterday" },
        { "weight in 2025", "2025-01-01", "2025-12-31", "in 2025" },
        { "average over the last 30 days", "2026-10-22", "2026-11-20", "over the last 30 days" },
        { "saunas in the past two weeks", "2026-11-07", "2026-11-20", "in the past two weeks" },
        { "runs last month", "2026-10-01", "2026-10-31", "last month" },
        { "runs this year", "2026-01-01", "2026-12-31", "this year" },
        { "between march 1 and march 8", "2026-03-01", "2026-03-08", "between march 1 and march 8" },
        { "how did i sleep on monday", "2026-11-16", "2026-11-16", "on monday" },
        { "december 2025 runs", "2025-12-01", "2025-12-31", "december 2025" },
    };
    struct when_range r;
    for (size_t i = 0; i < COUNT(table); i++) {
        char from[CIVIL_TEXT_BYTES], to[CIVIL_TEXT_BYTES];
        ck_assert_msg(when_find_range(arena, table[i].text, &friday, &r), "\"%s\" has a period", table[i].text);
        ck_assert_msg(strcmp(civil_format(&r.from, from), table[i].from) == 0 &&
                          strcmp(civil_format(&r.to, to), table[i].to) == 0,
                      "\"%s\": got %s … %s", table[i].text, from, to);
        ck_assert_str_eq(r.words, table[i].words);
    }
    ck_assert(!when_find_range(arena, "what is the wifi password", &friday, &r));
    ck_assert(!when_find_range(arena, "how may i help", &friday, &r));
}
END_TEST

START_TEST(test_describe)
{
    struct civil now = friday.now;
    ck_assert_str_eq(when_describe(arena, &(struct civil){ 2026, 11, 21, -1, 0, 0 }, &now),
                     "Sat 2026-11-21 (tomorrow)");
    ck_assert_str_eq(when_describe(arena, &(struct civil){ 2026, 11, 27, 17, 0, 0 }, &now),
                     "Fri 2026-11-27 17:00 (in 7 days)");
    ck_assert_str_eq(when_describe(arena, &(struct civil){ 2026, 11, 20, -1, 0, 0 }, &now), "Fri 2026-11-20 (today)");
    ck_assert_str_eq(when_describe(arena, &(struct civil){ 2026, 11, 17, -1, 0, 0 }, &now),
                     "Tue 2026-11-17 (3 days ago)");
    ck_assert_str_eq(when_describe_repeat(arena, "FREQ=SECONDLY"), "FREQ=SECONDLY");
    ck_assert_str_eq(when_describe_repeat(arena, "FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20261225T235959"),
                     "every Monday and Wednesday until 2026-12-25");
}
END_TEST

START_TEST(test_words)
{
    static const struct {
        const char *text;
        double minutes;
    } durations[] = {
        { "7h30", 450 },
        { "7h", 420 },
        { "7.5 hours", 450 },
        { "seven and a half hours", 450 },
        { "an hour and a half", 90 },
        { "half an hour", 30 },
        { "1h 20 min", 80 },
        { "7 hours 30", 450 },
        { "90 minutes", 90 },
        { "30-minute", 30 },
        { "1½ hours", 90 },
        { "three quarters of an hour", 45 },
        { "7,5 h", 450 },
        { "1 hour and 5 minutes", 65 },
    };
    ck_assert(lexicon_sorted());
    ck_assert(spelling_sorted());
    for (size_t i = 0; i < COUNT(durations); i++) {
        struct words w;
        double minutes = 0;
        words_split(arena, durations[i].text, &w);
        int n = words_duration(&w, 0, &minutes);
        ck_assert_msg(n == w.count && minutes == durations[i].minutes, "\"%s\": %d of %d tokens, %g minutes",
                      durations[i].text, n, w.count, minutes);
    }
    struct words w;
    int64_t v = 0;
    words_split(arena, "two thousand and eighteen", &w);
    ck_assert_int_eq(words_cardinal(&w, 0, &v), 4);
    ck_assert_int_eq(v, 2018);
}
END_TEST

/* A recurrence with an end has its last day, and nothing behind it. */
START_TEST(test_end)
{
    struct when w;
    struct civil next;
    ck_assert(when_parse(arena, "every day at 9 until friday", &friday, &w));
    ck_assert_str_eq(w.repeat, "FREQ=DAILY;UNTIL=20261127T235959");
    ck_assert(civil_compare(&w.at, &(struct civil){ 2026, 11, 21, 9, 0, 0 }) == 0);
    ck_assert(when_next(w.repeat, &w.at, &(struct civil){ 2026, 11, 26, 9, 0, 0 }, &next));
    ck_assert(civil_compare(&next, &(struct civil){ 2026, 11, 27, 9, 0, 0 }) == 0);
    ck_assert(!when_next(w.repeat, &w.at, &next, &next));
    ck_assert(when_parse(arena, "every tuesday for the next 3 weeks", &friday, &w));
    ck_assert_str_eq(w.repeat, "FREQ=WEEKLY;BYDAY=TU;UNTIL=20261210T235959");
    ck_assert(!when_parse(arena, "every day until yesterday", &friday, &w));
}
END_TEST

/* Chat spellings and one wrong letter in the long words; words that only look alike stay what they are. */
START_TEST(test_spelling)
{
    static const char *const typed[][2] = {
        { "tommorow", "tomorrow" }, { "wensday", "wednesday" }, { "febuary", "february" },    { "rember", "remember" },
        { "saterday", "saturday" }, { "remidner", "reminder" }, { "2moro", "tomorrow" },      { "do not", "don't" },
        { "can not", "can't" },     { "abt", "about" },         { "reminded", "reminded" },   { "sundae", "sundae" },
        { "rewind", "rewind" },     { "money", "money" },       { "remainder", "remainder" },
    };
    for (size_t i = 0; i < COUNT(typed); i++) {
        struct words w;
        words_split(arena, typed[i][0], &w);
        ck_assert_int_eq(w.count, 1);
        ck_assert_str_eq(words_at(&w, 0)->text, typed[i][1]);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("when");
    TCase *t = tcase_create("when");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_phrases);
    tcase_add_test(t, test_past);
    tcase_add_test(t, test_day_first);
    tcase_add_test(t, test_bytes);
    tcase_add_test(t, test_whole_phrase_only);
    tcase_add_test(t, test_rules);
    tcase_add_test(t, test_next);
    tcase_add_test(t, test_ranges);
    tcase_add_test(t, test_describe);
    tcase_add_test(t, test_words);
    tcase_add_test(t, test_end);
    tcase_add_test(t, test_spelling);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    SRunner *runner = srunner_create(suite());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
