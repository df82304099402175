/* SPDX-License-Identifier: MIT
 * when_repeat: recurrences: words → an RFC 5545 rule ("every other tuesday until christmas").  Called by when_phrase.c;
 * pure. */
#include "router/when_scan.h"
#include <string.h>

static const char *const day_code[7] = { "MO", "TU", "WE", "TH", "FR", "SA", "SU" };

struct recurrence {
    const char *freq;
    int interval;
    unsigned weekdays;    /* bit 0 = Monday */
    int nth;              /* "first monday": 1; "last": -1; 0 = every */
    int month_day, month; /* 0 = none */
};

static const char *rule_text(struct arena *a, const struct recurrence *r)
{
    const char *out = arena_printf(a, "FREQ=%s", r->freq), *comma = "";
    if (r->interval > 1)
        out = arena_printf(a, "%s;INTERVAL=%d", out, r->interval);
    if (r->month)
        out = arena_printf(a, "%s;BYMONTH=%d", out, r->month);
    if (r->month_day)
        out = arena_printf(a, "%s;BYMONTHDAY=%d", out, r->month_day);
    if (r->weekdays)
        out = arena_printf(a, "%s;BYDAY=", out);
    for (int d = 0; d < 7; d++)
        if (r->weekdays & (1u << d)) {
            out = r->nth ? arena_printf(a, "%s%s%d%s", out, comma, r->nth, day_code[d])
                         : arena_printf(a, "%s%s%s", out, comma, day_code[d]);
            comma = ",";
        }
    return out;
}

static const char *unit_freq(int unit, int *interval)
{
    switch (unit) {
    case UNIT_MINUTE:
        return "MINUTELY";
    case UNIT_HOUR:
        return "HOURLY";
    case UNIT_DAY:
        return "DAILY";
    case UNIT_FORTNIGHT:
        *interval *= 2;
        return "WEEKLY";
    case UNIT_WEEK:
        return "WEEKLY";
    case UNIT_QUARTER:
        *interval *= 3;
        return "MONTHLY";
    case UNIT_MONTH:
        return "MONTHLY";
    case UNIT_YEAR:
        return "YEARLY";
    default:
        return NULL;
    }
}

/* "tuesday thursday and saturday", "mondays, wednesdays", "weekday(s)", "weekend(s)"; tokens used. */
static int weekday_list(const struct words *w, int i, bool plural_only, unsigned *days)
{
    int n = 0;
    *days = 0;
    for (int k = 0; k < 7; k++) {
        int glue = n ? token_punct(words_at(w, i + n), ",/&+") : 0, day;
        glue += n && token_any(words_at(w, i + n + glue), "and|or");
        glue += n && token_is(words_at(w, i + n + glue), "every");
        glue += n && token_is(words_at(w, i + n + glue), "on");
        const struct token *t = words_at(w, i + n + glue);
        if (token_any(t, plural_only ? "weekdays|workdays" : "weekday|weekdays|workday|workdays"))
            *days |= 0x1f;
        else if (token_any(t, plural_only ? "weekends" : "weekend|weekends"))
            *days |= 0x60;
        else if (token_class(t, CLASS_WEEKDAYS, &day) || (!plural_only && token_class(t, CLASS_WEEKDAY, &day)))
            *days |= 1u << day;
        else
            break;
        n += glue + 1;
    }
    return n;
}

/* "on monday", "on the 15th", "on march 3", "on the first monday" behind a frequency; tokens used. */
static int placed(const struct scan *s, int i, struct recurrence *r)
{
    const struct words *w = s->words;
    int n = token_any(words_at(w, i), "on|of"), day, month, used;
    n += token_is(words_at(w, i + n), "the");
    unsigned days;
    if (n && strcmp(r->freq, "WEEKLY") == 0 && (used = weekday_list(w, i + n, false, &days))) {
        r->weekdays = days;
        return n + used;
    }
    if (n && strcmp(r->freq, "MONTHLY") == 0) {
        bool last = token_is(words_at(w, i + n), "last");
        used = last ? 1 : words_ordinal(w, i + n, &day);
        if (used && (token_class(words_at(w, i + n + used), CLASS_WEEKDAY, &month))) {
            r->nth = last ? -1 : day;
            r->weekdays = 1u << month;
            return r->nth <= 5 ? n + used + 1 : 0;
        }
        if (used && (last || (day >= 1 && day <= 31))) {
            r->month_day = last ? -1 : day;
            return n + used + (token_is(words_at(w, i + n + used), "day"));
        }
        if (words_at(w, i + n)->kind == TOKEN_NUMBER && words_at(w, i + n)->number >= 1 &&
            words_at(w, i + n)->number <= 31 && !token_punct(words_at(w, i + n + 1), ":")) {
            r->month_day = (int)words_at(w, i + n)->number;
            return n + 1;
        }
    }
    if (strcmp(r->freq, "YEARLY") == 0) {
        struct phrase p = { 0 };
        used = when_rule_month_day(s, i + n, &p);
        if (used) {
            r->month = p.date.month;
            r->month_day = p.date.day;
            return n + used;
        }
    }
    return 0;
}

/* Behind "every": "other", "second", "3"; *interval set; tokens used. */
static int every_count(const struct words *w, int i, int *interval)
{
    int64_t v;
    int ordinal, unit, n;
    *interval = 1;
    if (token_any(words_at(w, i), "other|alternate"))
        return *interval = 2, 1;
    if (token_any(words_at(w, i), "single"))
        return 1;
    if (token_any(words_at(w, i), "couple") && token_is(words_at(w, i + 1), "of"))
        return *interval = 2, 2;
    if (token_any(words_at(w, i), "few"))
        return *interval = 3, 1;
    n = words_cardinal(w, i, &v);
    if (n && v >= 1 && v <= 999 && token_class(words_at(w, i + n), CLASS_UNIT, &unit)) {
        *interval = (int)v;
        return n;
    }
    n = words_ordinal(w, i, &ordinal);
    if (n && ordinal >= 2 && ordinal <= 99 && token_class(words_at(w, i + n), CLASS_UNIT, &unit)) {
        *interval = ordinal;
        return n;
    }
    return 0;
}

/* "every first monday [of the month]", "every 15th [of the month]", "every march 3". */
static int every_date(const struct scan *s, int i, struct recurrence *r)
{
    const struct words *w = s->words;
    struct phrase p = { 0 };
    int n = when_rule_month_day(s, i, &p), day = 0, weekday;
    if (n) {
        *r = (struct recurrence){ .freq = "YEARLY", .month = p.date.month, .month_day = p.date.day };
        return n;
    }
    bool last = token_is(words_at(w, i), "last");
    n = last ? 1 : words_ordinal(w, i, &day);
    if (!n || (!last && (day < 1 || day > 31)))
        return 0;
    *r = (struct recurrence){ .freq = "MONTHLY" };
    bool of_month;
    if (token_class(words_at(w, i + n), CLASS_WEEKDAY, &weekday)) {
        of_month = token_any(words_at(w, i + n + 1), "of|in");
        if (!of_month && day == 2) { /* "every second friday" is every other one */
            *r = (struct recurrence){ .freq = "WEEKLY", .interval = 2, .weekdays = 1u << weekday };
            return n + 1;
        }
        r->nth = last ? -1 : day;
        r->weekdays = 1u << weekday;
        n++;
        if (r->nth > 5)
            return 0;
    } else {
        n += token_is(words_at(w, i + n), "day");
        of_month = token_any(words_at(w, i + n), "of|in");
        if (last && !of_month)
            return 0;
        r->month_day = last ? -1 : day;
    }
    if (token_any(words_at(w, i + n), "of|in") && token_any(words_at(w, i + n + 1), "the|each|every|a") &&
        token_is(words_at(w, i + n + 2), "month"))
        return n + 3;
    return of_month && token_any(words_at(w, i + n), "of|in") ? 0 : n;
}

static int every(const struct scan *s, int i, struct recurrence *r, struct phrase *p)
{
    const struct words *w = s->words;
    int n = 1, unit, part;
    unsigned days;
    if (!token_any(words_at(w, i), "every|each") || token_any(words_at(w, i + 1), "time|one|of"))
        return 0;
    int used = every_date(s, i + n, r);
    if (used)
        return n + used;
    *r = (struct recurrence){ .interval = 1 };
    n += every_count(w, i + n, &r->interval);
    used = weekday_list(w, i + n, false, &days);
    if (used) {
        r->freq = "WEEKLY";
        r->weekdays = days;
        return n + used;
    }
    const struct token *t = words_at(w, i + n);
    if (token_class(t, CLASS_DAYPART, &part) && !token_any(t, "noon|midday|tonight|noontime")) {
        r->freq = "DAILY";
        p->has_daypart = true;
        p->daypart = part;
        return n + 1;
    }
    if (!token_class(t, CLASS_UNIT, &unit) || (strlen(t->text) < 3 && !t->glued) || token_is(t, "sec"))
        return 0;
    r->freq = unit == UNIT_WORKDAY ? "WEEKLY" : unit_freq(unit, &r->interval);
    if (!r->freq)
        return 0;
    if (unit == UNIT_WORKDAY)
        r->weekdays = 0x1f;
    n++;
    if (unit == UNIT_DAY && token_any(words_at(w, i + n), "except|but") &&
        (used = weekday_list(w, i + n + 1, false, &days)) && days != 0x7f) {
        *r = (struct recurrence){ .freq = "WEEKLY", .weekdays = 0x7f & ~days };
        return n + 1 + used;
    }
    return n + placed(s, i + n, r);
}

/* "daily", "weekly on friday", "monthly on the 1st", "once a week". */
static int periodic(const struct scan *s, int i, struct recurrence *r)
{
    const struct words *w = s->words;
    int n = 1, unit;
    *r = (struct recurrence){ .interval = 1 };
    if (token_is(words_at(w, i), "once") && token_any(words_at(w, i + 1), "a|per|every|each") &&
        token_class(words_at(w, i + 2), CLASS_UNIT, &unit))
        n = 3;
    else if (!token_class(words_at(w, i), CLASS_PERIODIC, &unit))
        return 0;
    const struct token *next = words_at(w, i + n);
    int v;
    if (n == 1 && next->kind == TOKEN_WORD && i > 0 && !s->whole &&
        !token_any(next, "at|on|in|by|from|to|for|starting|and|please") && !token_class(next, CLASS_DAYPART, &v))
        return 0; /* "write the weekly report" */
    r->freq = unit_freq(unit, &r->interval);
    return r->freq ? n + placed(s, i + n, r) : 0;
}

/* "15th of every month", "the first monday of each month", "on the last day of every month". */
static int of_every_month(const struct scan *s, int i, struct recurrence *r)
{
    const struct words *w = s->words;
    int n = token_is(words_at(w, i), "the"), day = 0, weekday;
    bool last = token_is(words_at(w, i + n), "last");
    int used = last ? 1 : words_ordinal(w, i + n, &day);
    if (!used)
        return 0;
    n += used;
    *r = (struct recurrence){ .freq = "MONTHLY" };
    if (token_class(words_at(w, i + n), CLASS_WEEKDAY, &weekday)) {
        r->nth = last ? -1 : day;
        r->weekdays = 1u << weekday;
        n++;
    } else {
        n += token_is(words_at(w, i + n), "day");
        r->month_day = last ? -1 : day;
    }
    if (token_any(words_at(w, i + n), "of|in") && token_any(words_at(w, i + n + 1), "every|each|the") &&
        token_is(words_at(w, i + n + 2), "month") && r->nth <= 5 && day <= 31 && (last || day >= 1))
        return token_is(words_at(w, i + n + 1), "the") ? 0 : n + 3;
    return 0;
}

int when_rule_repeat(const struct scan *s, int i, struct phrase *p)
{
    struct recurrence r;
    unsigned days;
    int n = every(s, i, &r, p);
    if (!n)
        n = periodic(s, i, &r);
    if (!n)
        n = of_every_month(s, i, &r);
    if (!n && (n = weekday_list(s->words, i, true, &days)))
        r = (struct recurrence){ .freq = "WEEKLY", .weekdays = days };
    if (n)
        p->repeat = rule_text(s->arena, &r);
    return n;
}

/* "for two weeks", "for the next 10 days": the last of them, counted from the first that is to come; tokens used. */
static int counted_end(const struct scan *s, int i, const struct phrase *p, struct civil *last)
{
    const struct words *w = s->words;
    double count;
    int n = 1, unit;
    if (!token_is(words_at(w, i), "for"))
        return 0;
    n += token_is(words_at(w, i + n), "the");
    n += token_any(words_at(w, i + n), "next|coming");
    int used = words_amount(w, i + n, &count);
    if (!used || count < 1 || count > 999 || !token_class(words_at(w, i + n + used), CLASS_UNIT, &unit))
        return 0;
    *last = when_today(s);
    bool passed = p->has_time && p->hour * 60 + p->minute <= s->options->now.hour * 60 + s->options->now.minute;
    civil_add_days(last, passed);
    if (unit == UNIT_DAY || unit == UNIT_WEEK)
        civil_add_days(last, (int)count * (unit == UNIT_WEEK ? 7 : 1) - 1);
    else if (unit == UNIT_MONTH || unit == UNIT_YEAR)
        civil_add_months(last, (int)count * (unit == UNIT_YEAR ? 12 : 1));
    else
        return 0; /* "every monday for 2 hours" */
    return n + used + 1;
}

int when_rule_repeat_end(const struct scan *s, int i, struct phrase *p)
{
    const struct words *w = s->words;
    struct phrase end = { 0 };
    if (!p->repeat || strstr(p->repeat, "UNTIL="))
        return 0;
    int n = counted_end(s, i, p, &end.date);
    if (!n) {
        int lead = token_is(words_at(w, i), "up") && token_is(words_at(w, i + 1), "to") ? 2
                   : token_any(words_at(w, i), "until|till|til|through")                ? 1
                                                                                        : 0;
        int used = lead ? when_anchor(s, i + lead, &end) : 0;
        if (!used && lead && token_is(words_at(w, i + lead), "the") && (used = when_anchor(s, i + lead + 1, &end)))
            lead++;
        if (!used && lead && (used = when_date_part(s, i + lead - 1, &end)))
            lead--; /* "until march": the rule wants its preposition */
        n = used ? lead + used : 0;
    }
    struct civil today = when_today(s);
    if (!n || civil_days_between(&today, &end.date) < 1)
        return 0;
    /* the whole last day, on the wall clock that the due date goes by */
    p->repeat =
        arena_printf(s->arena, "%s;UNTIL=%04d%02d%02dT235959", p->repeat, end.date.year, end.date.month, end.date.day);
    return n;
}
