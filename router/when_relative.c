/* SPDX-License-Identifier: MIT
 * when_relative: rules for offsets: in 3 days, an hour and a half from now, two weeks ago, 2 days after next friday,
 * three fridays from now, +1 day 2 hours.  Called by when_phrase.c; pure.  Spans of days give whole days, spans with
 * hours or minutes give a moment; absurd spans are not dates. */
#include "router/when_scan.h"
#include <math.h>
#include <string.h>

struct span {
    double months, days, workdays, minutes;
    bool clock;  /* has hours, minutes or seconds */
    int unit;    /* of the last part */
    int weekday; /* "three fridays": 0 … 6, else -1 */
    double weekdays;
};

/* A unit behind an amount; single letters only when glued to digits ("5m", "2h"). */
static int span_unit(const struct words *w, int i, int *unit)
{
    const struct token *t = words_at(w, i);
    if (token_any(t, "business|working|work") && token_any(words_at(w, i + 1), "day|days")) {
        *unit = UNIT_WORKDAY;
        return 2;
    }
    if (!token_class(t, CLASS_UNIT, unit))
        return 0;
    if (t->text[1] == 0 && t->text[0] != 'h' && !t->glued)
        return 0;
    return 1;
}

static void span_add(struct span *s, int unit, double v)
{
    switch (unit) {
    case UNIT_SECOND:
    case UNIT_MINUTE:
    case UNIT_HOUR:
        s->clock = true;
        s->minutes += v * (unit == UNIT_HOUR ? 60 : unit == UNIT_MINUTE ? 1 : 1.0 / 60);
        break;
    case UNIT_DAY:
        s->days += v;
        break;
    case UNIT_WORKDAY:
        s->workdays += v;
        break;
    case UNIT_WEEK:
    case UNIT_FORTNIGHT:
        s->days += v * (unit == UNIT_WEEK ? 7 : 14);
        break;
    default:
        s->months += v * (unit == UNIT_MONTH ? 1 : unit == UNIT_QUARTER ? 3 : unit == UNIT_YEAR ? 12 : 120);
    }
}

/* "an hour and a half", "a week and a half": the half of what stood before. */
static int span_half(const struct words *w, int i, int unit, struct span *s)
{
    if (!token_is(words_at(w, i), "and") || !token_any(words_at(w, i + 1), "a|one") ||
        !token_any(words_at(w, i + 2), "half|quarter"))
        return 0;
    span_add(s, unit, token_is(words_at(w, i + 2), "half") ? 0.5 : 0.25);
    return 3;
}

static int span_part(const struct words *w, int i, struct span *s)
{
    double v;
    int unit, weekday, n = words_amount(w, i, &v);
    if (!n)
        return 0;
    n += token_punct(words_at(w, i + n), "-");
    n += token_any(words_at(w, i + n), "more|full|whole");
    if (token_class(words_at(w, i + n), CLASS_WEEKDAYS, &weekday)) {
        s->weekday = weekday;
        s->weekdays = v;
        return n + 1;
    }
    int used = span_unit(w, i + n, &unit);
    if (!used)
        return 0;
    n += used;
    s->unit = unit;
    span_add(s, unit, v);
    const struct token *rest = words_at(w, i + n);
    if (unit == UNIT_HOUR && rest->glued && rest->kind == TOKEN_NUMBER && rest->digits == 2 && rest->number < 60) {
        span_add(s, UNIT_MINUTE, (double)rest->number); /* "1h30" */
        s->unit = UNIT_MINUTE;
        return n + 1;
    }
    return n + span_half(w, i + n, unit, s);
}

/* One to four parts: "2 years 21 days", "1d 2hr 5min", "1 hour and 20 minutes". */
static int span_at(const struct words *w, int i, struct span *s)
{
    *s = (struct span){ .weekday = -1 };
    int n = span_part(w, i, s);
    if (!n && token_is(words_at(w, i), "hour") && token_is(words_at(w, i + 1), "and")) {
        s->clock = true;
        s->minutes = 60;
        n = 1 + span_half(w, i + 1, UNIT_HOUR, s);
    }
    for (int part = 1; n && part < 4; part++) {
        int glue = token_is(words_at(w, i + n), "and") || token_punct(words_at(w, i + n), ",");
        struct span tried = *s;
        int used = words_at(w, i + n + glue)->kind == TOKEN_NUMBER || words_at(w, i + n + glue)->kind == TOKEN_WORD
                       ? span_part(w, i + n + glue, &tried)
                       : 0;
        if (!used || tried.weekday != s->weekday || tried.unit >= s->unit)
            break; /* "22 min 2 days ago" are two spans: units only get smaller */
        *s = tried;
        n += glue + used;
    }
    return n;
}

static bool span_sane(const struct span *s)
{
    double days =
        fabs(s->months) * 31 + fabs(s->days) + fabs(s->workdays) * 2 + fabs(s->minutes) / 1440 + s->weekdays * 7;
    return isfinite(days) && days <= WHEN_SPAN_DAYS_MAX;
}

static void add_workdays(struct civil *c, int count)
{
    int step = count < 0 ? -1 : 1;
    for (int left = count * step; left > 0;) {
        civil_add_days(c, step);
        left -= civil_weekday(c) < 5;
    }
}

/* base + sign * span as a whole day; the whole days of fractions too ("a week and a half" = 11 days, rounded up). */
static bool span_day(const struct span *s, int sign, struct civil base, struct phrase *p)
{
    if (!span_sane(s))
        return false;
    if (s->weekday >= 0) {
        int ahead = (s->weekday - civil_weekday(&base) + 7) % 7;
        int first = sign > 0 ? (ahead ? ahead : 7) : (ahead ? ahead - 7 : -7);
        civil_add_days(&base, first + sign * 7 * ((int)s->weekdays - 1));
        return when_set_date(p, base.year, base.month, base.day);
    }
    double months = s->months, days = s->days;
    days += (months - floor(months)) * 30; /* "two and a half months" */
    civil_add_months(&base, sign * (int)floor(months));
    civil_add_days(&base, sign * (int)ceil(days));
    add_workdays(&base, sign * (int)s->workdays);
    return when_set_date(p, base.year, base.month, base.day);
}

/* now + sign * span. */
static bool span_apply(const struct scan *scan, const struct span *s, int sign, struct phrase *p)
{
    if (!span_sane(s))
        return false;
    if (sign < 0)
        p->flags |= PHRASE_OLD;
    bool part_of_day = s->days != floor(s->days) && s->months == 0 && s->workdays == 0 && s->weekday < 0 && s->days < 7;
    if (!s->clock && !part_of_day)
        return span_day(s, sign, when_today(scan), p);
    struct phrase day = { 0 };
    struct span whole = *s;
    whole.days = part_of_day ? 0 : s->days;
    if (!span_day(&whole, sign, when_today(scan), &day))
        return false;
    struct civil c = scan->options->now;
    c.year = day.date.year, c.month = day.date.month, c.day = day.date.day;
    double minutes = s->minutes + (part_of_day ? s->days * 1440 : 0);
    int64_t seconds = (int64_t)llround(minutes * 60);
    int64_t whole_minutes = seconds / 60 + (seconds % 60 >= 30); /* reminders know minutes; "in a sec" is now */
    civil_add_minutes(&c, sign * whole_minutes);
    if (!when_set_date(p, c.year, c.month, c.day))
        return false;
    p->has_time = true;
    p->hour = c.hour, p->minute = c.minute, p->second = c.second;
    p->flags |= PHRASE_MOMENT | PHRASE_EXACT_HOUR;
    return true;
}

/* "from now", "later", "hence", "'s time" behind a span: +1; "ago", "back": -1; tokens used. */
static int direction(const struct words *w, int i, int *sign)
{
    const struct token *t = words_at(w, i);
    *sign = 1;
    if (token_is(t, "from") && (token_any(words_at(w, i + 1), "now|today") ||
                                (token_is(words_at(w, i + 1), "this") && token_any(words_at(w, i + 2), "moment|day"))))
        return token_is(words_at(w, i + 1), "this") ? 3 : 2;
    if (token_any(t, "later|hence|ahead"))
        return 1;
    if (token_is(t, "time") || (token_punct(t, "'") && token_is(words_at(w, i + 1), "time")))
        return token_is(t, "time") ? 1 : 2;
    *sign = -1;
    if (token_any(t, "ago|back|earlier") || (token_is(t, "before") && token_is(words_at(w, i + 1), "now")))
        return token_is(t, "before") ? 2 : 1;
    return 0;
}

/* "2 days after next friday", "a week from friday", "three weeks before thanksgiving", "a week on friday". */
static int anchored(const struct scan *scan, int i, const struct span *s, struct phrase *p)
{
    const struct words *w = scan->words;
    const struct token *t = words_at(w, i);
    if (s->clock || s->weekday >= 0 || !token_any(t, "after|from|before|past|on"))
        return 0;
    if (token_is(t, "on") && (s->months != 0 || fmod(s->days, 7) != 0))
        return 0;
    struct phrase anchor = { 0 };
    int n = 1 + token_is(words_at(w, i + 1), "the");
    int used = when_anchor(scan, i + 1, &anchor);
    if (used)
        n = 1;
    else
        used = n > 1 ? when_anchor(scan, i + n, &anchor) : 0;
    if (!used || !span_day(s, token_is(t, "before") ? -1 : 1, anchor.date, p))
        return 0;
    return n + used;
}

/* "next 2 days", "the coming 5 days", "next hour", "last 3 weeks". */
static int counted(const struct scan *scan, int i, struct phrase *p)
{
    const struct words *w = scan->words;
    int n = token_is(words_at(w, i), "the"), unit;
    const struct token *t = words_at(w, i + n);
    bool ahead = token_any(t, "next|coming|following"), back = token_any(t, "last|past|previous");
    struct span s;
    if (!ahead && !back)
        return 0;
    n++;
    int used = span_at(w, i + n, &s);
    if (used && s.weekday < 0)
        return span_apply(scan, &s, back ? -1 : 1, p) ? n + used : 0;
    if (ahead && token_class(words_at(w, i + n), CLASS_UNIT, &unit) && unit <= UNIT_HOUR &&
        strlen(words_at(w, i + n)->text) > 3) {
        s = (struct span){ .weekday = -1 };
        span_add(&s, unit, 1);
        return span_apply(scan, &s, 1, p) ? n + 1 : 0;
    }
    return 0;
}

/* "+1 day 2 hour", "now + 40minutes", "-3 days". */
static int signed_span(const struct scan *scan, int i, struct phrase *p)
{
    const struct words *w = scan->words;
    int n = token_is(words_at(w, i), "now");
    if (!token_punct(words_at(w, i + n), "+-") || (!n && words_at(w, i)->glued))
        return 0;
    int sign = words_at(w, i + n)->punct == '+' ? 1 : -1;
    n++;
    if (sign < 0 && !words_at(w, i + n)->glued)
        return 0;
    struct span s;
    int used = span_at(w, i + n, &s);
    return used && s.weekday < 0 && span_apply(scan, &s, sign, p) ? n + used : 0;
}

/* "the day after christmas", "the week before easter". */
static int neighbour(const struct scan *scan, int i, struct phrase *p)
{
    const struct words *w = scan->words;
    struct span s = { .weekday = -1 };
    int unit;
    if (!token_is(words_at(w, i), "the") || !token_any(words_at(w, i + 1), "day|week|month") ||
        !token_any(words_at(w, i + 2), "after|before") || !token_class(words_at(w, i + 1), CLASS_UNIT, &unit))
        return 0;
    span_add(&s, unit, 1);
    int used = anchored(scan, i + 2, &s, p);
    return used ? 2 + used : 0;
}

int when_rule_relative(const struct scan *scan, int i, struct phrase *p)
{
    const struct words *w = scan->words;
    int n = counted(scan, i, p), sign;
    if (n || (n = neighbour(scan, i, p)))
        return n;
    if (n || (n = signed_span(scan, i, p)))
        return n;
    if (scan->whole && token_any(words_at(w, i), "now") && i + 1 == w->count) {
        struct span none = { .clock = true, .weekday = -1 };
        return span_apply(scan, &none, 1, p) ? 1 : 0;
    }
    bool in = token_any(words_at(w, i), "in|within");
    bool after = token_is(words_at(w, i), "after");
    n = in || after;
    n += in && token_any(words_at(w, i + n), "about|around|another|just|like|roughly|approximately|exactly");
    if (in && token_is(words_at(w, i + n), "the") && token_any(words_at(w, i + n + 1), "next|coming"))
        n += 2;
    struct span s;
    int used = span_at(w, i + n, &s);
    if (!used)
        return 0;
    n += used;
    int behind = direction(w, i + n, &sign);
    if (behind && !(sign < 0 && in))
        return span_apply(scan, &s, sign, p) ? n + behind : 0;
    behind = anchored(scan, i + n, &s, p);
    if (behind)
        return n + behind;
    if ((!in && !after) || (s.weekday >= 0 && !in))
        return 0;
    return span_apply(scan, &s, 1, p) ? n : 0;
}
