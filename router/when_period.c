/* SPDX-License-Identifier: MIT
 * when_period: rules for days counted inside a period (last friday in october, the 5th last day of may, end of month)
 * and for periods used as a date (next week, this weekend, in march).  Called by when_phrase.c; pure. */
#include "router/when_scan.h"
#include <string.h>

struct month {
    int year, month;
    bool year_given;
};

static struct month month_from_now(const struct scan *s, int months)
{
    struct civil c = when_today(s);
    c.day = 1;
    civil_add_months(&c, months);
    return (struct month){ c.year, c.month, true };
}

static int month_days(int year, int month)
{
    struct civil c = { .year = year, .month = month, .day = 31, .hour = -1 };
    while (!civil_valid(&c))
        c.day--;
    return c.day;
}

/* "of the month", "in october [2015]", "next month", "of this month"; tokens used. */
static int month_at(const struct scan *s, int i, struct month *out)
{
    const struct words *w = s->words;
    int n = token_any(words_at(w, i), "of|in"), month, year;
    bool the = token_is(words_at(w, i + n), "the");
    n += the;
    const struct token *t = words_at(w, i + n), *next = words_at(w, i + n + 1);
    if (token_is(next, "month") && token_any(t, "next|coming|following|this|current|last|previous")) {
        *out = month_from_now(s, token_any(t, "next|coming|following") ? 1 : token_any(t, "this|current") ? 0 : -1);
        return n + 2;
    }
    if (token_is(t, "month") && n) {
        *out = month_from_now(s, 0);
        return n + 1;
    }
    if (!token_class(t, CLASS_MONTH, &month) || the)
        return 0;
    *out = (struct month){ when_today(s).year, month, false };
    int comma = token_punct(next, ",");
    int used = when_year(w, i + n + 1 + comma, &year);
    if (!used)
        return n + 1;
    *out = (struct month){ year, month, true };
    return n + 1 + comma + used;
}

/* The k-th (k < 0: from the end) day of that kind in a month; kind 0–6 weekday, 7 any day, 8 working day; 0 = none. */
static int nth_day(int year, int month, int k, int kind)
{
    int last = month_days(year, month), seen = 0;
    for (int step = 0; step < last; step++) {
        struct civil c = { .year = year, .month = month, .day = k > 0 ? 1 + step : last - step, .hour = -1 };
        int weekday = civil_weekday(&c);
        seen += kind == 7 || (kind == 8 ? weekday < 5 : weekday == kind);
        if (seen == (k > 0 ? k : -k))
            return c.day;
    }
    return 0;
}

/* Without a year: the next such day to come. */
static bool put_nth(const struct scan *s, struct month m, int k, int kind, struct phrase *p)
{
    struct civil today = when_today(s);
    for (int step = 0; step < 3; step++) {
        int year = m.year + (s->options->past ? -step : step);
        int day = nth_day(year, m.month, k, kind);
        if (!day || !when_set_date(p, year, m.month, day))
            return false;
        int order = civil_compare(&p->date, &today);
        if (m.year_given || (s->options->past ? order <= 0 : order >= 0))
            return true;
    }
    return false;
}

/* "first", "last", "2nd last", "second to last"; tokens used, *k negative from the end. */
static int rank(const struct words *w, int i, int *k)
{
    if (token_any(words_at(w, i), "last|final"))
        return *k = -1, 1;
    if (token_is(words_at(w, i), "penultimate"))
        return *k = -2, 1;
    int n = words_ordinal(w, i, k);
    if (!n)
        return 0;
    int to = token_is(words_at(w, i + n), "to");
    if (token_is(words_at(w, i + n + to), "last")) {
        *k = -*k;
        return n + to + 1;
    }
    return n;
}

static int nth_of_month(const struct scan *s, int i, struct phrase *p)
{
    const struct words *w = s->words;
    int n = token_is(words_at(w, i), "the"), k, kind;
    int used = rank(w, i + n, &k);
    if (!used || k == 0 || k > 31 || k < -31)
        return 0;
    n += used;
    if (token_is(words_at(w, i + n), "day"))
        kind = 7, n++;
    else if (token_any(words_at(w, i + n), "weekday|workday"))
        kind = 8, n++;
    else if (token_any(words_at(w, i + n), "business|working|work") && token_is(words_at(w, i + n + 1), "day"))
        kind = 8, n += 2;
    else if (token_class(words_at(w, i + n), CLASS_WEEKDAY, &kind))
        n++;
    else
        return 0;
    struct month m;
    used = month_at(s, i + n, &m);
    if (!used && kind == 7 && token_any(words_at(w, i + n), "of|in") &&
        token_any(words_at(w, i + n + 1), "the|this|next") && token_is(words_at(w, i + n + 2), "year")) {
        int year = when_today(s).year + token_is(words_at(w, i + n + 1), "next");
        return when_set_date(p, year, k > 0 ? 1 : 12, k > 0 ? k : 31) && (k == 1 || k == -1) ? n + 3 : 0;
    }
    return used && put_nth(s, m, k, kind, p) ? n + used : 0;
}

/* What an "end of" or "start of" may be about; tokens used. */
static int edge_of_period(const struct scan *s, int i, bool end, struct phrase *p)
{
    const struct words *w = s->words;
    struct month m;
    int used = month_at(s, i, &m);
    if (used)
        return put_nth(s, m, end ? -1 : 1, 7, p) ? used : 0;
    int n = token_is(words_at(w, i), "of");
    n += token_any(words_at(w, i + n), "the|my");
    int ahead = token_any(words_at(w, i + n), "next|coming|following") ? 1 : 0;
    n += ahead || token_any(words_at(w, i + n), "this");
    const struct token *t = words_at(w, i + n);
    struct civil c = when_week_start(s, ahead);
    if (token_any(t, "month")) {
        m = month_from_now(s, ahead);
        return put_nth(s, m, end ? -1 : 1, 7, p) ? n + 1 : 0;
    }
    if (token_is(t, "week"))
        civil_add_days(&c, end ? 4 : 0); /* the working week: people mean Friday */
    else if (token_is(t, "weekend"))
        civil_add_days(&c, end ? 6 : 5);
    else if (token_is(t, "year"))
        c = (struct civil){
            .year = when_today(s).year + ahead, .month = end ? 12 : 1, .day = end ? 31 : 1, .hour = -1
        };
    else
        return 0;
    struct civil today = when_today(s);
    if (token_is(t, "week") && !ahead && civil_compare(&c, &today) < 0)
        civil_add_days(&c, end ? 2 : 7);
    p->flags |= PHRASE_APPROXIMATE;
    return when_set_date(p, c.year, c.month, c.day) ? n + 1 : 0;
}

static int edge(const struct scan *s, int i, struct phrase *p)
{
    const struct words *w = s->words;
    int n = token_is(words_at(w, i), "the");
    const struct token *t = words_at(w, i + n);
    struct month m;
    if (token_any(t, "eom|eoy|eow")) {
        struct civil today = when_today(s);
        bool week = t->text[2] == 'w';
        if (!week)
            return when_set_date(p, today.year, t->text[2] == 'm' ? today.month : 12,
                                 t->text[2] == 'm' ? month_days(today.year, today.month) : 31)
                       ? n + 1
                       : 0;
        struct civil c = when_week_start(s, 0);
        civil_add_days(&c, civil_weekday(&today) > 4 ? 6 : 4);
        return when_set_date(p, c.year, c.month, c.day) ? n + 1 : 0;
    }
    if (token_any(t, "mid|middle")) {
        n++;
        n += token_punct(words_at(w, i + n), "-");
        int used = month_at(s, i + n, &m);
        p->flags |= PHRASE_APPROXIMATE;
        return used && put_nth(s, m, 15, 7, p) ? n + used : 0;
    }
    bool end = token_any(t, "end"), start = token_any(t, "start|beginning");
    if (!end && !start)
        return 0;
    if (!token_is(words_at(w, i + n + 1), "of")) {
        int month;
        if (!end || !token_class(words_at(w, i + n + 1), CLASS_MONTH, &month))
            return 0; /* "end november" */
    }
    int used = edge_of_period(s, i + n + 1, end, p);
    return used ? n + 1 + used : 0;
}

int when_rule_nth(const struct scan *s, int i, struct phrase *p)
{
    struct phrase other = *p;
    int n = nth_of_month(s, i, p), m = edge(s, i, &other);
    if (m > n)
        *p = other;
    return m > n ? m : n;
}

static bool week_word(const struct token *t)
{
    return token_is(t, "week");
}

/* "next week", "the week after next", "this weekend", "last month", "next year". */
static int named_period(const struct scan *s, int i, struct phrase *p)
{
    const struct words *w = s->words;
    int n = token_is(words_at(w, i), "the");
    const struct token *t = words_at(w, i + n), *unit = words_at(w, i + n + 1);
    struct civil c = when_today(s);
    if (n && (token_any(t, "week|weekend|month")) && token_is(unit, "after") &&
        token_is(words_at(w, i + n + 2), "next")) {
        if (token_is(t, "month")) {
            struct month m = month_from_now(s, 2);
            return when_set_date(p, m.year, m.month, 1) ? n + 3 : 0;
        }
        if (token_is(t, "weekend")) {
            c = when_week_start(s, 2);
            civil_add_days(&c, 5);
        } else {
            civil_add_days(&c, 14);
        }
        return when_set_date(p, c.year, c.month, c.day) ? n + 3 : 0;
    }
    bool next = token_any(t, "next|coming|following|upcoming"), last = token_any(t, "last|past|previous"),
         this = token_is(t, "this");
    this |= this && token_any(unit, "coming|past");
    if (n && token_is(t, "weekend"))
        this = true, unit = t, n--;
    if (!next && !last && !this)
        return 0;
    int step = next ? 1 : last ? -1 : 0;
    if (token_is(unit, "weekend")) {
        bool now = civil_weekday(&c) >= 5;
        struct civil saturday = when_week_start(s, step);
        civil_add_days(&saturday, 5);
        c = step == 0 && now ? c : saturday;
    } else if (week_word(unit) && step) {
        civil_add_days(&c, 7 * step);
    } else if (token_is(unit, "month") && step) {
        struct month m = month_from_now(s, step);
        c.year = m.year, c.month = m.month, c.day = 1;
    } else if (token_is(unit, "quarter") && step > 0) {
        struct month m = month_from_now(s, 3 - (c.month - 1) % 3);
        c.year = m.year, c.month = m.month, c.day = 1;
    } else if (token_is(unit, "year") && step) {
        c.year += step, c.month = 1, c.day = 1;
    } else if (this && s->whole && token_any(unit, "week|month|year")) {
        c = when_today(s);
    } else {
        return 0;
    }
    p->flags |=
        PHRASE_APPROXIMATE | PHRASE_PERIOD | (last ? PHRASE_OLD : 0) | (unit->possessive ? PHRASE_POSSESSIVE : 0);
    return when_set_date(p, c.year, c.month, c.day) ? n + 2 : 0;
}

/* "in march", "by june 2027", "next may", "in 2027". */
static int bare_month(const struct scan *s, int i, struct phrase *p)
{
    const struct words *w = s->words;
    int n = token_any(words_at(w, i), "in|next|this|by|before|until|till|since|early|late"), month, year = 0;
    bool next = token_is(words_at(w, i), "next");
    n += n && token_any(words_at(w, i + n), "early|late|mid");
    if (token_is(words_at(w, i), "in") && (token_class(words_at(w, i + 1), CLASS_MONTH, &month) == false)) {
        int used = words_at(w, i + 1)->kind == TOKEN_NUMBER ? when_year(w, i + 1, &year) : 0;
        p->flags |= PHRASE_APPROXIMATE | PHRASE_PERIOD;
        return used && !words_at(w, i + 2)->glued && when_set_date(p, year, 1, 1) ? 2 : 0;
    }
    const struct token *t = words_at(w, i + n);
    if (!token_class(t, CLASS_MONTH, &month) || (!n && token_any(t, "mon")))
        return 0;
    int day;
    if (!n && (words_at(w, i - 1)->kind == TOKEN_NUMBER || words_ordinal(w, i - 1, &day) ||
               token_any(words_at(w, i - 1), "st|nd|rd|th|of")))
        return 0; /* "29 feb 2027": the day was impossible, so is the rest */
    int used = when_year(w, i + n + 1, &year);
    if (!n && !used && !s->whole)
        return 0;
    if (!used && words_at(w, i + n + 1)->kind == TOKEN_NUMBER)
        return 0; /* "march 3:30", "may 45" */
    struct civil today = when_today(s);
    if (!used)
        year = today.year +
               (s->options->past ? -(month > today.month) : month < today.month || (next && month == today.month));
    p->flags |= PHRASE_APPROXIMATE | PHRASE_PERIOD;
    return when_set_date(p, year, month, 1) ? n + 1 + used : 0;
}

int when_rule_period(const struct scan *s, int i, struct phrase *p)
{
    int n = named_period(s, i, p);
    return n ? n : bare_month(s, i, p);
}
