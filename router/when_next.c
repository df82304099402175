/* SPDX-License-Identifier: MIT
 * when_next: the occurrences of an RFC 5545 rule, through libical.  when_next() is called by the tasks' tools and the
 * reminders on any thread, when_repeat_first() by when_phrase.c; pure. */
#include "router/when_scan.h"
#include <libical/ical.h>
#include <string.h>

enum { OCCURRENCES_MAX = 20000 }; /* steps of one search; a rule that needs more is none of ours */

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
    const char *days = strncmp(rule, "FREQ=WEEKLY", 11) == 0 ? strstr(rule, ";BYDAY=") : NULL;
    bool few_days = days && strcspn(days + 1, ";") < strlen("BYDAY=MO,TU,WE,TH,FR");
    bool inclusive = timed ? after.hour != now.hour || p->has_date : !few_days || p->has_date;
    if (!search(rule, &from, &after, inclusive, &found))
        return false;
    p->at = found;
    return true;
}
