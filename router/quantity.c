/* SPDX-License-Identifier: MIT
 * quantity: amounts with units.  Called by tool_args.c for every number that came as text.  It knows spellings and
 * factors, no bounds: those are the tool's. */
#include "router/quantity.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct unit {
    const char *of;   /* the unit a tool asks for */
    const char *name; /* how people write it */
    double factor;    /* 1 name = factor × of */
} unit_table[] = {
    { "hours", "h", 1 },
    { "hours", "hr", 1 },
    { "hours", "hrs", 1 },
    { "hours", "hour", 1 },
    { "hours", "hours", 1 },
    { "hours", "m", 1.0 / 60 },
    { "hours", "min", 1.0 / 60 },
    { "hours", "mins", 1.0 / 60 },
    { "hours", "minute", 1.0 / 60 },
    { "hours", "minutes", 1.0 / 60 },
    { "minutes", "m", 1 },
    { "minutes", "min", 1 },
    { "minutes", "mins", 1 },
    { "minutes", "minute", 1 },
    { "minutes", "minutes", 1 },
    { "minutes", "h", 60 },
    { "minutes", "hr", 60 },
    { "minutes", "hrs", 60 },
    { "minutes", "hour", 60 },
    { "minutes", "hours", 60 },
    { "minutes", "s", 1.0 / 60 },
    { "minutes", "sec", 1.0 / 60 },
    { "minutes", "seconds", 1.0 / 60 },
    { "ml", "ml", 1 },
    { "ml", "milliliter", 1 },
    { "ml", "milliliters", 1 },
    { "ml", "millilitre", 1 },
    { "ml", "millilitres", 1 },
    { "ml", "cl", 10 },
    { "ml", "dl", 100 },
    { "ml", "l", 1000 },
    { "ml", "lt", 1000 },
    { "ml", "liter", 1000 },
    { "ml", "liters", 1000 },
    { "ml", "litre", 1000 },
    { "ml", "litres", 1000 },
    { "ml", "glass", 250 },
    { "ml", "glasses", 250 },
    { "ml", "cup", 250 },
    { "ml", "cups", 250 },
    { "ml", "oz", 29.5735 },
    { "ml", "ounce", 29.5735 },
    { "ml", "ounces", 29.5735 },
    { "kg", "kg", 1 },
    { "kg", "kgs", 1 },
    { "kg", "kilo", 1 },
    { "kg", "kilos", 1 },
    { "kg", "kilogram", 1 },
    { "kg", "kilograms", 1 },
    { "kg", "g", 0.001 },
    { "kg", "lb", 0.45359237 },
    { "kg", "lbs", 0.45359237 },
    { "kg", "pound", 0.45359237 },
    { "kg", "pounds", 0.45359237 },
    { "%", "%", 1 },
    { "%", "percent", 1 },
    { "°C", "°", 1 },
    { "°C", "°c", 1 },
    { "°C", "c", 1 },
    { "°C", "celsius", 1 },
    { "°C", "degrees", 1 },
};

enum { NUMBER_BYTES_MAX = 24, UNIT_BYTES_MAX = 16, PARTS_MAX = 3 }; /* "1 h 30 min 20 s" is as long as it gets */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void skip_space(const char **p)
{
    while (**p == ' ' || **p == '\t')
        ++*p;
}

/* "1,500" has a thousands comma, "7,5" a decimal one. */
static bool comma_groups(const char *p)
{
    return is_digit(p[1]) && is_digit(p[2]) && is_digit(p[3]) && !is_digit(p[4]);
}

static bool read_number(const char **p, double *out)
{
    char digits[NUMBER_BYTES_MAX];
    size_t n = 0;
    const char *s = *p;
    bool point = false, any = false;
    if (*s == '-' || *s == '+')
        digits[n++] = *s++;
    for (; n + 1 < sizeof digits; s++) {
        if (is_digit(*s)) {
            digits[n++] = *s;
            any = true;
        } else if (any && *s == ',' && !point && comma_groups(s)) {
            continue;
        } else if (!point && (*s == '.' || *s == ',') && is_digit(s[1])) {
            digits[n++] = '.';
            point = true;
        } else {
            break;
        }
    }
    digits[n] = '\0';
    *out = any ? strtod(digits, NULL) : 0;
    *p = s;
    return any && !is_digit(*s);
}

/* Letters, %, and the bytes of ° (C2 B0). */
static void read_unit(const char **p, char out[UNIT_BYTES_MAX])
{
    size_t n = 0;
    while ((**p >= 'a' && **p <= 'z') || (**p >= 'A' && **p <= 'Z') || **p == '%' || (unsigned char)**p >= 0x80) {
        if (n + 1 < UNIT_BYTES_MAX)
            out[n++] = **p;
        ++*p;
    }
    out[n] = '\0';
}

static const struct unit *unit_find(const char *of, const char *name)
{
    for (size_t i = 0; i < sizeof unit_table / sizeof *unit_table; i++)
        if (!strcmp(unit_table[i].of, of) && !strcasecmp(unit_table[i].name, name))
            return &unit_table[i];
    return NULL;
}

static bool is_fahrenheit(const char *of, const char *name)
{
    return !strcmp(of, "°C") && (!strcasecmp(name, "f") || !strcasecmp(name, "°f") || !strcasecmp(name, "fahrenheit"));
}

/* "7:30" after the 7: minutes of the hour, in `hour` (one hour in the wanted unit). */
static bool read_clock(const char **p, double hour, double *total)
{
    const char *s = *p;
    if (*s != ':' || !is_digit(s[1]) || !is_digit(s[2]) || is_digit(s[3]) || s[1] > '5')
        return false;
    *total = *total * hour + ((s[1] - '0') * 10 + (s[2] - '0')) * hour / 60;
    *p = s + 3;
    return true;
}

/* One "number unit" of the text; *hours tells that the part before was in hours, so that "7h30" works. */
static bool read_part(const char **p, const char *of, bool first, bool *hours, double *total)
{
    double number;
    char name[UNIT_BYTES_MAX];
    const struct unit *hour = of ? unit_find(of, "h") : NULL;
    if (!read_number(p, &number))
        return false;
    if (first && hour && read_clock(p, hour->factor, &number)) {
        *total = number;
        return true;
    }
    skip_space(p);
    read_unit(p, name);
    if (!*name) {
        double factor = first ? 1 : *hours && number < 60 ? hour->factor / 60 : 0;
        *total += number * factor;
        *hours = false;
        return factor > 0;
    }
    if (of && is_fahrenheit(of, name)) {
        *total = (number - 32) * 5 / 9;
        return first;
    }
    const struct unit *u = of ? unit_find(of, name) : NULL;
    if (!u)
        return false;
    *hours = hour && u->name[0] == 'h';
    *total += number * u->factor;
    return true;
}

bool quantity_parse(const char *text, const char *unit, double *out)
{
    bool hours = false;
    double total = 0;
    for (int part = 0; part < PARTS_MAX; part++) {
        skip_space(&text);
        if (part > 0 && !strncasecmp(text, "and ", 4))
            text += 4;
        skip_space(&text);
        if (!read_part(&text, unit, part == 0, &hours, &total))
            return false;
        skip_space(&text);
        if (!*text) {
            *out = total;
            return true;
        }
    }
    return false;
}
