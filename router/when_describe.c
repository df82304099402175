/* SPDX-License-Identifier: MIT
 * when_describe: dates and rules as a person reads them.  Called where replies are rendered; any thread; pure. */
#include "router/when.h"
#include <stdlib.h>
#include <string.h>

static const char *distance(struct arena *arena, int days)
{
    switch (days) {
    case 0:
        return "today";
    case 1:
        return "tomorrow";
    case -1:
        return "yesterday";
    default:
        return days > 0 ? arena_printf(arena, "in %d days", days) : arena_printf(arena, "%d days ago", -days);
    }
}

const char *when_describe(struct arena *arena, const struct civil *at, const struct civil *now)
{
    const char *day =
        arena_printf(arena, "%.3s %04d-%02d-%02d", civil_weekday_name[civil_weekday(at)], at->year, at->month, at->day);
    if (at->hour >= 0)
        day = arena_printf(arena, "%s %02d:%02d", day, at->hour, at->minute);
    return arena_printf(arena, "%s (%s)", day, distance(arena, civil_days_between(now, at)));
}

/* The value behind "NAME=" in a rule, or NULL; arena-owned. */
static const char *rule_value(struct arena *arena, const char *rule, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = rule; p; p = strchr(p, ';')) {
        p += *p == ';';
        if (strncmp(p, name, n) == 0 && p[n] == '=')
            return arena_strndup(arena, p + n + 1, strcspn(p + n + 1, ";"));
    }
    return NULL;
}

static const char *ordinal(struct arena *arena, int n)
{
    if (n == -1)
        return "last";
    if (n < -1)
        return arena_printf(arena, "%s last", ordinal(arena, -n));
    const char *end = n % 100 >= 11 && n % 100 <= 13 ? "th"
                      : n % 10 == 1                  ? "st"
                      : n % 10 == 2                  ? "nd"
                      : n % 10 == 3                  ? "rd"
                                                     : "th";
    return arena_printf(arena, "%d%s", n, end);
}

/* "TU,TH" → "Tuesday and Thursday"; "1MO" → "1st Monday". */
static const char *weekday_words(struct arena *arena, const char *days)
{
    static const char codes[] = "MOTUWETHFRSASU";
    const char *out = "";
    if (strcmp(days, "MO,TU,WE,TH,FR") == 0)
        return "weekday";
    if (strcmp(days, "SA,SU") == 0)
        return "weekend day";
    while (*days) {
        char *end;
        long nth = strtol(days, &end, 10);
        size_t len = strcspn(end, ",");
        int day = -1;
        for (int d = 0; d < 7 && len == 2; d++)
            if (strncmp(end, codes + (size_t)(2 * d), 2) == 0)
                day = d;
        if (day < 0)
            return NULL;
        days = end + len + (end[len] == ',');
        const char *name = nth ? arena_printf(arena, "%s %s", ordinal(arena, (int)nth), civil_weekday_name[day])
                               : civil_weekday_name[day];
        out = arena_printf(arena, "%s%s%s", out, !*out ? "" : *days ? ", " : " and ", name);
    }
    return out;
}

/* "every day" without its end. */
static const char *describe_endless(struct arena *arena, const char *repeat)
{
    static const char *const unit[][2] = { { "MINUTELY", "minute" }, { "HOURLY", "hour" },   { "DAILY", "day" },
                                           { "WEEKLY", "week" },     { "MONTHLY", "month" }, { "YEARLY", "year" } };
    const char *freq = rule_value(arena, repeat, "FREQ"), *interval = rule_value(arena, repeat, "INTERVAL"),
               *days = rule_value(arena, repeat, "BYDAY"), *month_day = rule_value(arena, repeat, "BYMONTHDAY"),
               *month = rule_value(arena, repeat, "BYMONTH"), *name = NULL;
    for (size_t i = 0; freq && i < sizeof unit / sizeof *unit; i++)
        if (strcmp(freq, unit[i][0]) == 0)
            name = unit[i][1];
    if (!name)
        return arena_strdup(arena, repeat);
    int every = interval ? atoi(interval) : 1, m = month ? atoi(month) : 0;
    const char *each =
        every > 1 ? arena_printf(arena, "every %d %ss", every, name) : arena_printf(arena, "every %s", name);
    const char *words = days ? weekday_words(arena, days) : NULL;
    if (words && strcmp(freq, "WEEKLY") == 0)
        return every > 1 ? arena_printf(arena, "%s on %s", each, words) : arena_printf(arena, "every %s", words);
    if (words)
        return arena_printf(arena, "%s on the %s", each, words);
    if (month_day && m >= 1 && m <= 12)
        return arena_printf(arena, "%s on %s %d", each, civil_month_name[m - 1], atoi(month_day));
    if (month_day)
        return arena_printf(arena, "%s on the %s%s", each, ordinal(arena, atoi(month_day)),
                            atoi(month_day) < 0 ? " day" : "");
    return each;
}

const char *when_describe_repeat(struct arena *arena, const char *repeat)
{
    const char *text = describe_endless(arena, repeat), *until = rule_value(arena, repeat, "UNTIL");
    if (!until || strlen(until) < strlen("20261127"))
        return text;
    return arena_printf(arena, "%s until %.4s-%.2s-%.2s", text, until, until + 4, until + 6);
}
