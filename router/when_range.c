/* SPDX-License-Identifier: MIT
 * when_range: periods in questions: last week, in October, since monday, the last 30 days, 2026, between a and b.
 * Called by parse_question.c and the ask_question tool; any thread; pure. */
#include "router/when_scan.h"
#include <string.h>

struct period {
    struct civil from, to;
};

static struct civil plus(struct civil c, int days)
{
    civil_add_days(&c, days);
    return c;
}

static struct period month_period(int year, int month)
{
    struct civil first = { .year = year, .month = month, .day = 1, .hour = -1 }, next = first;
    civil_add_months(&next, 1);
    return (struct period){ first, plus(next, -1) };
}

static struct period year_period(int year)
{
    return (struct period){ { .year = year, .month = 1, .day = 1, .hour = -1 },
                            { .year = year, .month = 12, .day = 31, .hour = -1 } };
}

/* "this week", "last month", "next year", "this weekend". */
static int calendar_period(const struct scan *s, int i, struct period *out)
{
    const struct words *w = s->words;
    int n = token_any(words_at(w, i), "in|during|over|for|from|within");
    n += token_is(words_at(w, i + n), "the");
    const struct token *t = words_at(w, i + n), *unit = words_at(w, i + n + 1);
    int step = token_any(t, "this|current")         ? 0
               : token_any(t, "last|past|previous") ? -1
               : token_any(t, "next|coming")        ? 1
                                                    : 9;
    struct civil today = when_today(s), c = today;
    if (step == 9)
        return 0;
    if (token_is(unit, "week")) {
        *out = (struct period){ when_week_start(s, step), plus(when_week_start(s, step), 6) };
    } else if (token_is(unit, "weekend")) {
        int back = step == -1 && civil_weekday(&today) < 5 ? -1 : step;
        *out = (struct period){ plus(when_week_start(s, back), 5), plus(when_week_start(s, back), 6) };
    } else if (token_is(unit, "month")) {
        c.day = 1;
        civil_add_months(&c, step);
        *out = month_period(c.year, c.month);
    } else if (token_is(unit, "quarter")) {
        c.day = 1;
        civil_add_months(&c, step * 3 - (c.month - 1) % 3);
        out->from = c;
        civil_add_months(&c, 3);
        out->to = plus(c, -1);
    } else if (token_is(unit, "year")) {
        *out = year_period(today.year + step);
    } else {
        return 0;
    }
    return n + 2;
}

/* "the last 30 days", "past two weeks", "in the last three months", "next 7 days". */
static int counted_period(const struct scan *s, int i, struct period *out)
{
    const struct words *w = s->words;
    int n = token_any(words_at(w, i), "in|during|over|for|within"), unit;
    n += token_is(words_at(w, i + n), "the");
    const struct token *t = words_at(w, i + n);
    bool back = token_any(t, "last|past|previous"), ahead = token_any(t, "next|coming");
    double v;
    if (!back && !ahead)
        return 0;
    n++;
    int used = words_amount(w, i + n, &v);
    if (!used || v < 1 || v > 3650 || !token_class(words_at(w, i + n + used), CLASS_UNIT, &unit) || unit < UNIT_DAY)
        return 0;
    struct civil today = when_today(s), other = today;
    int count = (int)v, sign = back ? -1 : 1;
    if (unit == UNIT_DAY || unit == UNIT_WORKDAY)
        civil_add_days(&other, sign * (count - 1));
    else if (unit == UNIT_WEEK || unit == UNIT_FORTNIGHT)
        civil_add_days(&other, sign * (count * (unit == UNIT_WEEK ? 7 : 14) - 1));
    else if (unit <= UNIT_DECADE) {
        int months = unit == UNIT_MONTH ? 1 : unit == UNIT_QUARTER ? 3 : unit == UNIT_YEAR ? 12 : 120;
        if ((double)count * months > 24000)
            return 0;
        civil_add_months(&other, sign * count * months);
        civil_add_days(&other, -sign);
    }
    *out = back ? (struct period){ other, today } : (struct period){ today, other };
    return n + used + 1;
}

/* "in october", "october 2025", "last october", "in 2025", "2025". */
static int month_or_year(const struct scan *s, int i, struct period *out)
{
    const struct words *w = s->words;
    bool placed = token_any(words_at(w, i), "in|during|last|this|since|for|of|from"),
         last = token_is(words_at(w, i), "last");
    int n = placed, month, year;
    last |= placed && token_is(words_at(w, i + n), "last");
    n += placed && token_any(words_at(w, i + n), "last|early|late|all");
    struct civil today = when_today(s);
    if (token_class(words_at(w, i + n), CLASS_MONTH, &month) && !token_is(words_at(w, i + n), "mon")) {
        int used = when_year(w, i + n + 1, &year);
        const struct token *next = words_at(w, i + n + 1);
        if (!used && (next->kind == TOKEN_NUMBER || (!placed && strlen(words_at(w, i + n)->text) <= 5)))
            return 0; /* "may 5", "march" alone */
        if (!used)
            year = today.year - (month > today.month || (last && month == today.month));
        *out = month_period(year, month);
        return n + 1 + used;
    }
    if (!placed || words_at(w, i + n)->kind != TOKEN_NUMBER || !when_year(w, i + n, &year) ||
        words_at(w, i + n + 1)->glued)
        return 0;
    *out = year_period(year);
    return n + 1;
}

/* One day or a period at i. */
static int simple(const struct scan *s, int i, struct period *out)
{
    int n = counted_period(s, i, out);
    if (!n)
        n = calendar_period(s, i, out);
    struct phrase p = { 0 };
    struct period other;
    int lead = token_any(words_at(s->words, i), "on|for|from|at");
    lead += token_any(words_at(s->words, i + lead), "the") && lead;
    int used = n ? 0 : when_anchor(s, i + lead, &p);
    if (!used && !n)
        used = when_rule_relative(s, i + lead, &p);
    int m = n ? 0 : month_or_year(s, i, &other);
    if (m && m >= used + (used ? lead : 0)) {
        *out = other;
        return m;
    }
    if (!used || (p.flags & (PHRASE_PERIOD)) || ((p.flags & PHRASE_WEAK) && !lead))
        return n;
    p.date.hour = -1;
    *out = (struct period){ p.date, p.date };
    return lead + used;
}

/* "since monday", "between monday and friday", "from march 1 to march 8". */
static int compound(const struct scan *s, int i, struct period *out)
{
    const struct words *w = s->words;
    struct period a, b;
    const struct token *t = words_at(w, i);
    if (token_is(t, "since")) {
        int n = simple(s, i + 1, &a);
        struct civil today = when_today(s);
        if (!n || civil_compare(&a.from, &today) > 0)
            return 0;
        *out = (struct period){ a.from, today };
        return n + 1;
    }
    if (!token_any(t, "between|from"))
        return 0;
    int n = simple(s, i + 1, &a);
    if (!n || !token_any(words_at(w, i + 1 + n), "and|to|until|till|through"))
        return 0;
    int m = simple(s, i + 2 + n, &b);
    if (!m || civil_compare(&a.from, &b.to) > 0)
        return 0;
    *out = (struct period){ a.from, b.to };
    return 2 + n + m;
}

bool when_find_range(struct arena *arena, const char *sentence, const struct when_options *options,
                     struct when_range *out)
{
    struct words w;
    struct when_options past = *options;
    past.past = true;
    words_split(arena, sentence, &w);
    struct scan s = { .arena = arena, .words = &w, .options = &past };
    for (int i = 0; i < w.count; i++) {
        struct period p = { 0 };
        int n = compound(&s, i, &p);
        if (!n)
            n = simple(&s, i, &p);
        if (!n)
            continue;
        *out = (struct when_range){ p.from, p.to, words_at(&w, i)->begin, words_at(&w, i + n - 1)->end, NULL };
        out->words = arena_strndup(arena, sentence + out->begin, out->end - out->begin);
        return true;
    }
    return false;
}
