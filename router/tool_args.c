/* SPDX-License-Identifier: MIT
 * tool_args: one call's arguments checked and coerced against its table row, before any handler runs.  Called by the
 * turn for every call of an answer before the first is executed; worker threads.  It writes nothing and asks the
 * database nothing; everything wrong is said in one sentence a model or a person can act on. */
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "router/quantity.h"
#include "router/tool.h"
#include "router/when.h"
#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#define UNBOUNDED 1e9 /* an upper bound of an id, not worth saying */

enum {
    WHEN_YEARS_BACK = 1,   /* a due date further back is a misread year */
    WHEN_YEARS_AHEAD = 10, /* and further ahead as well */
    DATE_YEAR_MIN = 1900,  /* logs and questions may look far back */
    SHOWN_BYTES_MAX = 40,  /* of a wrong value quoted in an error */
};

struct check {
    struct tool_ctx *ctx;
    const struct arg *arg;
    struct arg_value *value;
    struct buf *problems;
};

static void problem(struct check *c, const char *fmt, ...) PRINTF(2, 3);
static void problem(struct check *c, const char *fmt, ...)
{
    va_list ap;
    buf_puts(c->problems, c->problems->len ? "; " : "");
    va_start(ap, fmt);
    buf_vprintf(c->problems, fmt, ap);
    va_end(ap);
}

/* A wrong value as it is quoted back: short, whole characters. */
static const char *shown(struct check *c, const char *s)
{
    size_t len = strlen(s), keep = text_prefix_utf16(s, len, SHOWN_BYTES_MAX);
    return arena_printf(c->ctx->arena, "\"%.*s%s\"", (int)keep, s, keep < len ? "…" : "");
}

/* The value as trimmed, clean text; numbers are taken as their text.  NULL: another type. */
static const char *as_text(struct check *c, struct json_object *v)
{
    switch (json_object_get_type(v)) {
    case json_type_string: {
        const char *clean = text_clean(c->ctx->arena, json_object_get_string(v), (size_t)json_object_get_string_len(v));
        return text_trim(arena_strdup(c->ctx->arena, clean));
    }
    case json_type_int:
    case json_type_double:
        return arena_strdup(c->ctx->arena, json_object_get_string(v));
    default:
        return NULL;
    }
}

static bool is_clear_word(const char *s)
{
    static const char *const words[] = { "", "none", "null", "never", "no date", "clear", "remove" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcasecmp(s, words[i]))
            return true;
    return false;
}

static void check_text(struct check *c, const char *s)
{
    size_t max = c->arg->max > 0 ? (size_t)c->arg->max : MESSAGE_BYTES_MAX;
    if (strlen(s) > max)
        problem(c, "%s is too long: %zu bytes, at most %zu", c->arg->name, strlen(s), max);
    else
        *c->value = (struct arg_value){ .present = true, .text = s };
}

/* --- numbers --- */

static bool within_bounds(struct check *c, double n)
{
    const struct arg *a = c->arg;
    if (a->min >= a->max || (n >= a->min && n <= a->max))
        return true;
    if (a->max >= UNBOUNDED)
        problem(c, "%s must be at least %g; got %g", a->name, a->min, n);
    else
        problem(c, "%s must be between %g and %g%s%s; got %g", a->name, a->min, a->max, a->unit ? " " : "",
                a->unit ? a->unit : "", n);
    return false;
}

/* Ids as people and search results write them: "#83", "task_83". */
static const char *skip_id_prefix(const char *s)
{
    const char *p = s + strspn(s, "abcdefghijklmnopqrstuvwxyz");
    if (p > s && *p == '_')
        return p + 1;
    return *s == '#' ? s + 1 : s;
}

static void check_number(struct check *c, struct json_object *v)
{
    const struct arg *a = c->arg;
    double n = 0;
    enum json_type type = json_object_get_type(v);
    if (type == json_type_int || type == json_type_double) {
        n = json_object_get_double(v);
    } else {
        const char *s = as_text(c, v);
        if (!s || !quantity_parse(a->type == ARG_INTEGER ? skip_id_prefix(s) : s, a->unit, &n)) {
            problem(c, "%s must be a number%s%s; got %s", a->name, a->unit ? " in " : "", a->unit ? a->unit : "",
                    shown(c, json_object_to_json_string(v)));
            return;
        }
    }
    if (!isfinite(n) || (a->type == ARG_INTEGER && (fabs(n) > 9e15 || floor(n) != n))) {
        problem(c, "%s must be a whole number; got %g", a->name, n);
        return;
    }
    if (within_bounds(c, n))
        *c->value = (struct arg_value){ .present = true, .number = n };
}

/* --- dates --- */

static struct when_options when_options_of(struct check *c)
{
    return (struct when_options){ .now = c->ctx->now,
                                  .day_first = when_day_first(c->ctx->user->language),
                                  .past = (c->arg->flags & ARG_PAST) != 0 };
}

static bool read_when(struct check *c, const char *s, struct when *w)
{
    *w = (struct when){ 0 };
    if (civil_parse(s, &w->at))
        return civil_valid(&w->at);
    struct when_options options = when_options_of(c);
    return when_parse(c->ctx->arena, s, &options, w);
}

static bool year_fits(struct check *c, const struct civil *at)
{
    int from = c->arg->type == ARG_WHEN ? c->ctx->now.year - WHEN_YEARS_BACK : DATE_YEAR_MIN;
    int to = c->ctx->now.year + WHEN_YEARS_AHEAD;
    if (at->year >= from && at->year <= to)
        return true;
    problem(c, "%s must lie in the years %d to %d; got %d", c->arg->name, from, to, at->year);
    return false;
}

static void check_when(struct check *c, const char *s)
{
    struct when w;
    if (!read_when(c, s, &w)) {
        problem(c, "%s is not a date I understand: %s (use YYYY-MM-DD%s)", c->arg->name, shown(c, s),
                c->arg->type == ARG_WHEN ? " or YYYY-MM-DDTHH:MM, local time" : "");
        return;
    }
    if (c->arg->type == ARG_DATE)
        w.at.hour = -1, w.at.minute = w.at.second = 0;
    if (!year_fits(c, &w.at))
        return;
    if ((c->arg->flags & ARG_PAST) && civil_days_between(&c->ctx->now, &w.at) > 0) {
        char text[CIVIL_TEXT_BYTES];
        problem(c, "%s must not be in the future; got %s", c->arg->name, civil_format(&w.at, text));
        return;
    }
    *c->value = (struct arg_value){ .present = true, .text = s, .when = w.at, .repeat = w.repeat };
}

/* A rule as a model writes it, in capitals and without its "RRULE:"; NULL when the text is not one. */
static const char *as_rule(struct check *c, const char *s)
{
    char *rule = arena_strdup(c->ctx->arena, strncasecmp(s, "RRULE:", 6) ? s : s + 6);
    for (char *p = rule; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    return strncmp(rule, "FREQ=", 5) ? NULL : rule;
}

static void check_repeat(struct check *c, const char *s)
{
    struct when w = { 0 };
    struct civil first = c->ctx->now, next;
    const char *rule = as_rule(c, s);
    struct when_options options = when_options_of(c);
    if (rule && when_next(rule, &first, &first, &next))
        w.repeat = rule;
    else if (!rule && !(when_parse(c->ctx->arena, s, &options, &w) && w.repeat) &&
             !when_parse(c->ctx->arena, arena_printf(c->ctx->arena, "every %s", s), &options, &w))
        w.repeat = NULL;
    if (!w.repeat)
        problem(c, "%s is not a repetition I understand: %s (for example \"every tuesday\")", c->arg->name,
                shown(c, s));
    else
        *c->value = (struct arg_value){ .present = true, .text = s, .when = w.at, .repeat = w.repeat };
}

/* --- flags and choices --- */

static void check_bool(struct check *c, struct json_object *v)
{
    const char *s =
        json_object_get_type(v) == json_type_boolean ? (json_object_get_boolean(v) ? "true" : "false") : as_text(c, v);
    bool yes = s && (!strcasecmp(s, "true") || !strcasecmp(s, "yes") || !strcmp(s, "1"));
    bool no = s && (!strcasecmp(s, "false") || !strcasecmp(s, "no") || !strcmp(s, "0"));
    if (yes || no)
        *c->value = (struct arg_value){ .present = true, .boolean = yes };
    else
        problem(c, "%s must be true or false", c->arg->name);
}

static void check_choice(struct check *c, const char *s)
{
    struct buf list = BUF_INIT(KIB);
    for (const char *p = c->arg->choices; *p;) {
        size_t len = strcspn(p, "|");
        if (strlen(s) == len && !strncasecmp(p, s, len))
            *c->value = (struct arg_value){ .present = true, .text = arena_strndup(c->ctx->arena, p, len) };
        buf_printf(&list, "%s%.*s", list.len ? ", " : "", (int)len, p);
        p += len + (p[len] == '|');
    }
    if (!c->value->present)
        problem(c, "%s must be one of %s; got %s", c->arg->name, buf_str(&list), shown(c, s));
    buf_release(&list);
}

/* --- the call --- */

static void check_words(struct check *c, const char *s)
{
    switch (c->arg->type) {
    case ARG_TEXT:
        check_text(c, s);
        break;
    case ARG_DATE:
    case ARG_WHEN:
        check_when(c, s);
        break;
    case ARG_REPEAT:
        check_repeat(c, s);
        break;
    default:
        check_choice(c, s);
    }
}

static void check_value(struct check *c, struct json_object *v)
{
    bool is_words = c->arg->type != ARG_NUMBER && c->arg->type != ARG_INTEGER && c->arg->type != ARG_BOOL;
    bool is_string = json_object_get_type(v) == json_type_string;
    const char *s = is_words || is_string ? as_text(c, v) : "?";
    if (!s) {
        problem(c, "%s must be text", c->arg->name);
    } else if ((c->arg->flags & ARG_CLEARABLE) && is_string && is_clear_word(s)) {
        c->value->cleared = true;
    } else if (!*s) {
        return; /* as absent */
    } else if (is_words) {
        check_words(c, s);
    } else if (c->arg->type == ARG_BOOL) {
        check_bool(c, v);
    } else {
        check_number(c, v);
    }
}

static void check_unknown(struct check *c, const struct tool *tool, struct json_object *arguments)
{
    json_object_object_foreach(arguments, key, v)
    {
        const struct arg *a = tool->args;
        while (a->name && strcmp(a->name, key) != 0)
            a++;
        if (a->name)
            continue;
        (void)v;
        problem(c, "%s has no argument %s; it takes", tool->name, shown(c, key));
        for (a = tool->args; a->name; a++)
            buf_printf(c->problems, "%s %s", a == tool->args ? "" : ",", a->name);
    }
}

enum status tool_validate(const struct tool *tool, struct tool_ctx *ctx, struct json_object *arguments,
                          struct tool_args *out, struct error *e)
{
    struct buf problems = BUF_INIT(ERROR_TEXT_BYTES_MAX);
    struct check c = { .ctx = ctx, .problems = &problems };
    *out = (struct tool_args){ .tool = tool };
    if (arguments && json_object_get_type(arguments) != json_type_object)
        return fail(e, ST_INVALID, "the arguments of %s must be a JSON object", tool->name);
    if (arguments)
        check_unknown(&c, tool, arguments);
    for (int i = 0; tool->args[i].name; i++) {
        assert(i < TOOL_ARGS_MAX);
        struct json_object *v = NULL;
        size_t before = problems.len;
        c.arg = &tool->args[i];
        c.value = &out->value[i];
        if (arguments && json_object_object_get_ex(arguments, c.arg->name, &v) && v)
            check_value(&c, v);
        if (!c.value->present && !c.value->cleared && problems.len == before && (c.arg->flags & ARG_REQUIRED))
            problem(&c, "%s needs %s", tool->name, c.arg->name);
    }
    enum status s = problems.len ? fail(e, ST_INVALID, "%s", buf_str(&problems)) : OK;
    buf_release(&problems);
    return s;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_value(const struct arg *arg, const struct arg_value *a, const struct arg_value *b)
{
    bool words = arg->type == ARG_TEXT || arg->type == ARG_CHOICE; /* a date's are only where it comes from */
    return a->present == b->present && a->cleared == b->cleared && a->boolean == b->boolean &&
           fabs(a->number - b->number) < 1e-9 && civil_compare(&a->when, &b->when) == 0 &&
           same_text(a->repeat, b->repeat) && (!words || same_text(a->text, b->text));
}

bool tool_args_equal(const struct tool_args *a, const struct tool_args *b)
{
    bool equal = a->tool == b->tool;
    for (int i = 0; equal && a->tool->args[i].name; i++)
        equal = same_value(&a->tool->args[i], &a->value[i], &b->value[i]);
    return equal;
}
