/* SPDX-License-Identifier: MIT
 * when_day: rules for days by name: today, the day after tomorrow, next friday, monday of next week; and the small
 * calendar helpers every rule uses.  Called by when_phrase.c; pure. */
#include "router/when_scan.h"
#include <string.h>

struct civil when_today(const struct scan *s)
{
    struct civil c = s->options->now;
    c.hour = -1;
    c.minute = c.second = 0;
    return c;
}

struct civil when_day(const struct scan *s, int offset_days)
{
    struct civil c = when_today(s);
    civil_add_days(&c, offset_days);
    return c;
}

struct civil when_week_start(const struct scan *s, int weeks)
{
    struct civil c = when_today(s);
    civil_add_days(&c, weeks * 7 - civil_weekday(&c));
    return c;
}

bool when_set_date(struct phrase *p, int year, int month, int day)
{
    struct civil c = { .year = year, .month = month, .day = day, .hour = -1 };
    if (year < WHEN_YEAR_MIN || year > WHEN_YEAR_MAX || !civil_valid(&c))
        return false;
    p->date = c;
    p->has_date = true;
    return true;
}

bool when_pick_year(const struct scan *s, int month, int day, struct phrase *p)
{
    struct civil today = when_today(s);
    for (int step = 0; step <= 8; step++) { /* a 29th of February is at most 8 years away */
        struct phrase tried = *p;
        int year = today.year + (s->options->past ? -step : step);
        if (!when_set_date(&tried, year, month, day))
            continue;
        int order = civil_compare(&tried.date, &today);
        if (s->options->past ? order <= 0 : order >= 0) {
            *p = tried;
            return true;
        }
    }
    return false;
}

int when_year(const struct words *w, int i, int *year)
{
    const struct token *t = words_at(w, i);
    int64_t v = 0, low = 0;
    int n = 0;
    if (t->kind == TOKEN_NUMBER) {
        n = t->digits == 4;
        v = t->number;
    } else if (t->kind == TOKEN_WORD) {
        n = words_cardinal(w, i, &v);
        int used = n && v >= 19 && v <= 21 ? words_cardinal(w, i + n, &low) : 0; /* "twenty twenty six" */
        if (used && low >= 10 && low <= 99) {
            v = v * 100 + low;
            n += used;
        }
    }
    *year = (int)v;
    return n && v >= WHEN_YEAR_MIN && v <= WHEN_YEAR_MAX ? n : 0;
}

static void put_day(struct phrase *p, struct civil day)
{
    p->has_date = true;
    p->date = day;
}

/* "the day after tomorrow", "day before yesterday". */
static int around_day(const struct scan *s, int i, struct phrase *p)
{
    const struct words *w = s->words;
    int n = token_is(words_at(w, i), "the"), v;
    if (!n && token_any(words_at(w, i), "a"))
        n = 1;
    if (!token_is(words_at(w, i + n), "day") || !token_any(words_at(w, i + n + 1), "after|before"))
        return 0;
    int step = token_is(words_at(w, i + n + 1), "after") ? 1 : -1;
    if (!token_class(words_at(w, i + n + 2), CLASS_DAY, &v))
        return 0;
    put_day(p, when_day(s, v + step));
    if (v + step < 0)
        p->flags |= PHRASE_OLD;
    return n + 3;
}

int when_rule_named_day(const struct scan *s, int i, struct phrase *p)
{
    const struct words *w = s->words;
    int n = around_day(s, i, p), v;
    if (n)
        return n;
    if (token_is(words_at(w, i), "last") && token_is(words_at(w, i + 1), "night")) {
        put_day(p, when_day(s, -1));
        p->has_daypart = true;
        p->daypart = 2200;
        p->flags |= PHRASE_OLD;
        return 2;
    }
    if (token_any(words_at(w, i), "later|earlier|sometime") && token_class(words_at(w, i + 1), CLASS_DAY, &v) &&
        v >= 0) {
        n = 1;
    } else if (token_is(words_at(w, i), "first") && token_is(words_at(w, i + 1), "thing")) {
        n = 2 + token_is(words_at(w, i + 2), "in") + token_is(words_at(w, i + 3), "the");
        if (token_any(words_at(w, i + n), "morning") && n > 2) { /* "first thing in the morning" */
            put_day(p, when_day(s, s->options->now.hour >= 6));
            p->has_daypart = true;
            p->daypart = 600;
            return n + 1;
        }
        n = 2;
        p->has_daypart = true;
        p->daypart = 600;
    }
    const struct token *t = words_at(w, i + n);
    if (!token_class(t, CLASS_DAY, &v))
        return 0;
    put_day(p, when_day(s, v));
    int part;
    if (token_class(t, CLASS_DAYPART, &part)) { /* tonight */
        p->has_daypart = true;
        p->daypart = part;
    }
    if (v < 0)
        p->flags |= PHRASE_OLD;
    if (t->possessive || token_is(t, "tomorrows"))
        p->flags |= PHRASE_POSSESSIVE;
    return n + 1;
}

enum mode { MODE_BARE, MODE_THIS, MODE_NEXT, MODE_LAST, MODE_COMING };

static bool mode_word(const struct token *t, enum mode *mode)
{
    *mode = token_is(t, "this")                         ? MODE_THIS
            : token_is(t, "next")                       ? MODE_NEXT
            : token_any(t, "last|past|previous")        ? MODE_LAST
            : token_any(t, "coming|upcoming|following") ? MODE_COMING
                                                        : MODE_BARE;
    return *mode != MODE_BARE;
}

/* Behind the weekday: "next week", "of this week", "last week", "week" (British: a week later). */
static int week_behind(const struct words *w, int i, int *weeks)
{
    int n = token_any(words_at(w, i), "of|in");
    n += n && token_is(words_at(w, i + n), "the");
    enum mode mode;
    if (mode_word(words_at(w, i + n), &mode) && token_any(words_at(w, i + n + 1), "week")) {
        *weeks = mode == MODE_LAST ? -1 : mode == MODE_THIS ? 0 : 1;
        return n + 2;
    }
    if (token_is(words_at(w, i), "after") && token_is(words_at(w, i + 1), "next"))
        return *weeks = 2, 2;
    return 0;
}

static struct civil weekday_of(const struct scan *s, enum mode mode, int weekday)
{
    struct civil today = when_today(s);
    int ahead = (weekday - civil_weekday(&today) + 7) % 7;
    if (mode == MODE_BARE && s->options->past)
        mode = MODE_LAST;
    if (mode == MODE_NEXT) {
        struct civil c = when_week_start(s, 1);
        civil_add_days(&c, weekday);
        return c;
    }
    if (mode == MODE_LAST)
        return when_day(s, ahead == 0 ? -7 : ahead - 7);
    if (mode == MODE_THIS) {
        if (s->options->past && ahead > 0 && weekday < civil_weekday(&today))
            return when_day(s, ahead - 7);
        return when_day(s, ahead);
    }
    return when_day(s, ahead == 0 ? 7 : ahead);
}

/* "next week on friday", "next week friday". */
static int week_before(const struct scan *s, int i, struct phrase *p)
{
    const struct words *w = s->words;
    enum mode mode;
    int weekday;
    if (!mode_word(words_at(w, i), &mode) || !token_is(words_at(w, i + 1), "week"))
        return 0;
    int n = 2 + token_punct(words_at(w, i + 2), ",");
    n += token_is(words_at(w, i + n), "on");
    if (!token_class(words_at(w, i + n), CLASS_WEEKDAY, &weekday))
        return 0;
    struct civil c = when_week_start(s, mode == MODE_LAST ? -1 : mode == MODE_THIS ? 0 : 1);
    civil_add_days(&c, weekday);
    put_day(p, c);
    return n + 1;
}

/* "next week's friday" is rare; "the weekend" is a period. */
int when_rule_weekday(const struct scan *s, int i, struct phrase *p)
{
    const struct words *w = s->words;
    enum mode mode = MODE_BARE, again;
    int n = week_before(s, i, p), weekday, weeks;
    if (n)
        return n;
    n = token_is(words_at(w, i), "the") && mode_word(words_at(w, i + 1), &mode);
    if (mode_word(words_at(w, i + n), &mode))
        n++;
    if ((mode == MODE_THIS || mode == MODE_LAST) && mode_word(words_at(w, i + n), &again))
        n++, mode = again; /* "this coming friday", "this past friday" */
    const struct token *t = words_at(w, i + n);
    if (!token_class(t, CLASS_WEEKDAY, &weekday))
        return 0;
    if (token_punct(words_at(w, i + n + 1), ".") && strlen(t->text) <= 4 && words_at(w, i + n + 1)->glued &&
        words_at(w, i + n + 2)->kind != TOKEN_END)
        n++;
    int behind = mode == MODE_BARE || mode == MODE_THIS ? week_behind(w, i + n + 1, &weeks) : 0;
    if (behind) {
        struct civil c = when_week_start(s, weeks);
        civil_add_days(&c, weekday);
        put_day(p, c);
        return n + 1 + behind;
    }
    put_day(p, weekday_of(s, mode, weekday));
    if (mode == MODE_BARE && token_is(words_at(w, i + n + 1), "week")) { /* "friday week" */
        civil_add_days(&p->date, 7);
        return n + 2;
    }
    if (mode == MODE_LAST)
        p->flags |= PHRASE_OLD;
    if (t->possessive)
        p->flags |= PHRASE_POSSESSIVE;
    if (mode == MODE_BARE && token_any(t, "sun|sat|mon|wed"))
        p->flags |= PHRASE_WEAK;
    p->flags |= PHRASE_VAGUE_WEEKDAY;
    return n + 1;
}
