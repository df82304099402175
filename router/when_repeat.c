/* SPDX-License-Identifier: MIT
 * when_repeat: recurrences: words → an RFC 5545 rule, and the rule's next occurrence through libical.  The rule for
 * words is called by when_phrase.c, when_next() by the scheduler on any thread; pure. */
#include "router/when_scan.h"
#include <libical/ical.h>
#include <string.h>

enum { OCCURRENCES_MAX = 20000 }; /* steps of one search; a rule that needs more is none of ours */

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

static struct icaltimetype to_ical(const struct civil *c)
{
    struct icaltimetype t = icaltime_null_time();
    t.year = c->year, t.month = c->month, t.day = c->day;
    t.is_date = c->hour < 0;
    if (c->hour >= 0)
        t.hour = c->hour, t.minute = c->minute, t.second = c->second;
    return t;
}

static struct civil from_ical(struct icaltimetype t)
{
    return (struct civil){ .year = t.year,
                           .month = t.month,
                           .day = t.day,
                           .hour = t.is_date ? -1 : t.hour,
                           .minute = t.is_date ? 0 : t.minute,
                           .second = t.is_date ? 0 : t.second };
}

/* First occurrence after `after` (inclusive: or equal). */
static bool search(const char *rule, const struct civil *first, const struct civil *after, bool inclusive,
                   struct civil *out)
{
    struct icalrecurrencetype type = icalrecurrencetype_from_string(rule);
    if (type.freq == ICAL_NO_RECURRENCE)
        return false;
    icalrecur_iterator *it = icalrecur_iterator_new(type, to_ical(first));
    if (!it)
        return false;
    if (type.count == 0 && civil_compare(after, first) > 0)
        icalrecur_iterator_set_start(it, to_ical(after));
    bool found = false;
    for (int step = 0; step < OCCURRENCES_MAX && !found; step++) {
        struct icaltimetype t = icalrecur_iterator_next(it);
        if (icaltime_is_null_time(t))
            break;
        *out = from_ical(t);
        int order = civil_compare(out, after);
        found = order > 0 || (inclusive && order == 0);
    }
    icalrecur_iterator_free(it);
    return found && out->year <= WHEN_YEAR_MAX;
}

bool when_next(const char *repeat, const struct civil *first, const struct civil *after, struct civil *out)
{
    struct civil from = *first, past = *after;
    if (!repeat || !civil_valid(first) || !civil_valid(after))
        return false;
    if (from.hour < 0)
        past.hour = -1; /* whole days compare as days */
    else if (past.hour < 0)
        past.hour = past.minute = past.second = 0;
    return search(repeat, &from, &past, false, out);
}

bool when_repeat_first(const struct scan *s, struct phrase *p)
{
    struct civil now = s->options->now, from = p->has_date ? p->date : when_today(s), after = from, found;
    if (strstr(p->repeat, "LY") &&
        (strncmp(p->repeat, "FREQ=HOURLY", 11) == 0 || strncmp(p->repeat, "FREQ=MINUTELY", 13) == 0)) {
        if (!p->has_time)
            return when_next(p->repeat, &now, &now, &p->at);
    }
    bool timed = p->has_time || p->has_daypart;
    if (timed) {
        from.hour = p->hour, from.minute = p->minute, from.second = p->second;
        if (!p->has_time)
            from.hour = p->daypart / 100, from.minute = p->daypart % 100, from.second = 0;
        after = p->has_date && civil_compare(&from, &now) > 0 ? from : now;
    }
    /* The first one ignores the interval: "every 2 weeks on monday" starts next Monday. */
    char *rule = arena_strdup(s->arena, p->repeat);
    char *interval = strstr(rule, ";INTERVAL=");
    if (interval) {
        const char *rest = interval + 1 + strcspn(interval + 1, ";");
        memmove(interval, rest, strlen(rest) + 1);
    }
    const char *days = strstr(rule, "FREQ=WEEKLY;BYDAY=");
    bool few_days = days && strlen(days) < strlen("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR");
    bool inclusive = timed ? after.hour != now.hour || p->has_date : !few_days || p->has_date;
    if (!search(rule, &from, &after, inclusive, &found))
        return false;
    p->at = found;
    return true;
}
