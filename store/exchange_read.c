/* SPDX-License-Identifier: MIT
 * exchange_read: one column's value out of an import file, checked against the same bounds as the tools'.  Every
 * refusal is a sentence for the person who wrote the file. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "store/exchange_row.h"
#include "store/health_text.h"
#include <libical/ical.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_MS = 24 * 3600 * 1000, YEAR_MIN = 1900, YEAR_MAX = 2200 };

static enum status read_text(struct arena *arena, const struct exchange_column *c, struct json_object *json,
                             struct exchange_value *v, struct error *error)
{
    if (!json_object_is_type(json, json_type_string))
        return fail(error, ST_INVALID, "%s must be a text", c->name);
    size_t len = (size_t)json_object_get_string_len(json);
    const char *s = json_object_get_string(json);
    if (strlen(s) != len || !text_valid(s, len))
        return fail(error, ST_INVALID, "%s holds a byte that is not text", c->name);
    if (c->max > 0 && (double)len > c->max)
        return fail(error, ST_INVALID, "%s is %zu bytes long; at most %.0f are kept", c->name, len, c->max);
    v->text = arena_strndup(arena, s, len);
    if (c->required && !*text_trim(arena_strdup(arena, v->text)))
        return fail(error, ST_INVALID, "%s is empty", c->name);
    return OK;
}

static enum status read_number(struct arena *arena, const struct exchange_column *c, struct json_object *json,
                               struct exchange_value *v, struct error *error)
{
    if (!json_object_is_type(json, json_type_double) && !json_object_is_type(json, json_type_int))
        return fail(error, ST_INVALID, "%s must be a number", c->name);
    v->number = json_object_get_double(json);
    if (!isfinite(v->number) || v->number < c->min || v->number > c->max)
        return fail(error, ST_INVALID, "%s is %s; it must be %s to %s %s", c->name, figure_exact(arena, v->number),
                    figure_exact(arena, c->min), figure_exact(arena, c->max), c->unit);
    return OK;
}

static enum status read_flag(const struct exchange_column *c, struct json_object *json, struct exchange_value *v,
                             struct error *error)
{
    bool number = json_object_is_type(json, json_type_int);
    v->integer = number ? json_object_get_int64(json) : json_object_get_boolean(json);
    if ((!number && !json_object_is_type(json, json_type_boolean)) || v->integer < 0 || v->integer > 1)
        return fail(error, ST_INVALID, "%s must be true or false", c->name);
    return OK;
}

/* "2026-11-20", "2026-11-20T09:14:05Z", "2026-11-20 09:14:05.123+02:00" → UTC; without an offset it is UTC. */
static bool instant_parse(const char *s, struct civil *at)
{
    char head[20] = "";
    size_t len = strlen(s), n = len < 19 ? len : 19;
    if (len == 17 && s[16] == 'Z')
        n = 16;
    memcpy(head, s, n);
    if (!civil_parse(head, at) || (n != 19 && n != 16 && n != 10))
        return false;
    if (at->hour < 0)
        at->hour = at->minute = at->second = 0;
    s += n;
    if (*s == '.')
        s += 1 + strspn(s + 1, "0123456789");
    if (*s == '\0' || strcmp(s, "Z") == 0)
        return true;
    int hours, minutes, used = 0;
    if ((*s != '+' && *s != '-') || n != 19 || sscanf(s + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 ||
        s[1 + used] != '\0' || hours < 0 || hours > 15 || minutes < 0 || minutes > 59)
        return false;
    civil_add_minutes(at, (*s == '+' ? -1 : 1) * (hours * 60 + minutes));
    return true;
}

static const char *instant_text(struct arena *arena, const struct civil *at)
{
    return arena_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02dZ", at->year, at->month, at->day, at->hour, at->minute,
                        at->second);
}

static enum status read_date(struct arena *arena, const struct exchange_column *c, struct json_object *json,
                             int64_t now_ms, struct exchange_value *v, struct error *error)
{
    struct civil at;
    const char *s = json_object_get_string(json);
    bool instant = c->type == COLUMN_INSTANT || c->type == COLUMN_MS;
    bool valid = json_object_is_type(json, json_type_string) && (instant ? instant_parse(s, &at) : civil_parse(s, &at));
    if (!valid || at.year < YEAR_MIN || at.year > YEAR_MAX || (c->type == COLUMN_DAY && at.hour >= 0))
        return fail(error, ST_INVALID, "%s must be a date such as %s", c->name,
                    instant                 ? "2026-11-20T09:14:05Z"
                    : c->type == COLUMN_DAY ? "2026-11-20"
                                            : "2026-11-20 or 2026-11-20T17:00");
    char text[CIVIL_TEXT_BYTES], tomorrow[CIVIL_TEXT_BYTES];
    v->text = instant ? instant_text(arena, &at) : arena_strdup(arena, civil_format(&at, text));
    /* A day east of Greenwich begins before UTC's: up to tomorrow's date is not the future somewhere. */
    if (c->type == COLUMN_DAY && strncmp(v->text, clock_format_utc(now_ms + DAY_MS, tomorrow), 10) > 0)
        return fail(error, ST_INVALID, "%s is %s, which lies in the future", c->name, v->text);
    return c->type == COLUMN_MS ? zone_to_instant("UTC", &at, &v->integer, error) : OK;
}

static enum status read_ms(struct arena *arena, const struct exchange_column *c, struct json_object *json,
                           struct exchange_value *v, struct error *error)
{
    if (!json_object_is_type(json, json_type_int))
        return read_date(arena, c, json, 0, v, error);
    v->integer = json_object_get_int64(json);
    if (v->integer < 0 || v->integer > (int64_t)(YEAR_MAX - 1970) * 366 * DAY_MS)
        return fail(error, ST_INVALID, "%s must be milliseconds since 1970 or a date such as 2026-11-20T09:14:05Z",
                    c->name);
    return OK;
}

static enum status read_rule(struct arena *arena, const struct exchange_column *c, struct json_object *json,
                             struct exchange_value *v, struct error *error)
{
    enum status st = read_text(arena, c, json, v, error);
    if (st != OK)
        return st;
    struct icalrecurrencetype rule = icalrecurrencetype_from_string(v->text);
    bool valid = rule.freq != ICAL_NO_RECURRENCE;
    free(rule.rscale);
    return valid ? OK : fail(error, ST_INVALID, "%s is not a rule such as FREQ=WEEKLY;BYDAY=TU", c->name);
}

enum status exchange_value_read(struct arena *arena, const struct exchange_column *c, struct json_object *json,
                                int64_t now_ms, struct exchange_value *v, struct error *error)
{
    *v = (struct exchange_value){ .given = true, .null = !json };
    if (!json)
        return c->required ? fail(error, ST_INVALID, "%s is missing", c->name) : OK;
    switch (c->type) {
    case COLUMN_NUMBER:
        return read_number(arena, c, json, v, error);
    case COLUMN_FLAG:
        return read_flag(c, json, v, error);
    case COLUMN_MS:
        return read_ms(arena, c, json, v, error);
    case COLUMN_RULE:
        return read_rule(arena, c, json, v, error);
    case COLUMN_DAY:
    case COLUMN_WHEN:
    case COLUMN_INSTANT:
        return read_date(arena, c, json, now_ms, v, error);
    default:
        return read_text(arena, c, json, v, error);
    }
}
