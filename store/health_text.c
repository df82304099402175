/* SPDX-License-Identifier: MIT
 * health_text: see health_text.h. */
#include "store/health_text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *figure_number(struct arena *arena, double value, int decimals)
{
    char text[64];
    int n = snprintf(text, sizeof text, "%.*f", decimals, value);
    if (n < 0 || (size_t)n >= sizeof text)
        return arena_printf(arena, "%.6g", value);
    if (strchr(text, '.')) {
        while (text[n - 1] == '0')
            text[--n] = '\0';
        if (text[n - 1] == '.')
            text[--n] = '\0';
    }
    return arena_strdup(arena, strcmp(text, "-0") == 0 ? "0" : text);
}

const char *figure_exact(struct arena *arena, double value)
{
    char text[64] = "";
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    return arena_strdup(arena, text);
}

/* "1 h 5 min", "45 min" */
static const char *figure_minutes(struct arena *arena, double minutes)
{
    if (minutes < 60 && fabs(minutes - round(minutes)) > 0.05)
        return arena_printf(arena, "%s min", figure_number(arena, minutes, 1));
    long whole = lround(minutes);
    if (whole < 60)
        return arena_printf(arena, "%ld min", whole);
    if (whole % 60 == 0)
        return arena_printf(arena, "%ld h", whole / 60);
    return arena_printf(arena, "%ld h %ld min", whole / 60, whole % 60);
}

const char *figure_unit(struct arena *arena, double value, const char *unit)
{
    if (strcmp(unit, "hours") == 0)
        return figure_minutes(arena, (double)lround(value * 60));
    if (strcmp(unit, "minutes") == 0)
        return figure_minutes(arena, value);
    if (strcmp(unit, "ml") == 0 && value >= 1000)
        return arena_printf(arena, "%s l", figure_number(arena, value / 1000, 2));
    if (strcmp(unit, "ml") == 0)
        return arena_printf(arena, "%s ml", figure_number(arena, value, 0));
    return arena_printf(arena, "%s %s", figure_number(arena, value, 1), unit);
}

const char *figure_change(struct arena *arena, double change, const char *unit)
{
    const char *size = figure_unit(arena, fabs(change), unit);
    if (strcmp(size, figure_unit(arena, 0, unit)) == 0)
        return "no change";
    return arena_printf(arena, "%s%s", change < 0 ? "−" : "+", size);
}

const char *health_phrase(struct arena *arena, const struct health_log *log)
{
    const struct health_table *t = &health_tables[log->kind];
    static const char *const word[HEALTH_VALUES_MAX] = { "", " fat", " muscle" };
    const char *text = log->activity ? log->activity : "";
    for (int i = 0; i < t->value_count && i < HEALTH_VALUES_MAX; i++) {
        if (!log->has[i])
            continue;
        const char *joint = !*text ? "" : log->kind == HEALTH_SAUNA ? " at " : ", ";
        text = arena_printf(arena, "%s%s%s%s", text, joint, figure_unit(arena, log->value[i], t->value[i].unit),
                            log->kind == HEALTH_BODY ? word[i] : "");
    }
    return text;
}

/* Words a person may search with although the row does not hold them. */
static const char *const sentence_head[HEALTH_KINDS] = {
    [HEALTH_SLEEP] = "Sleep", [HEALTH_EXERCISE] = "Exercise", [HEALTH_WATER] = "Water",
    [HEALTH_SAUNA] = "Sauna", [HEALTH_BODY] = "Body weight",
};

const char *health_sentence(struct arena *arena, const struct health_log *log)
{
    const char *text = arena_printf(arena, "%s: %s", sentence_head[log->kind], health_phrase(arena, log));
    if (log->kind == HEALTH_SLEEP)
        text = arena_printf(arena, "%s (%s h)", text, figure_number(arena, log->value[0], 2));
    return log->notes && *log->notes ? arena_printf(arena, "%s. %s", text, log->notes) : text;
}
