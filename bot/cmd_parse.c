/* SPDX-License-Identifier: MIT
 * cmd_parse: `steward parse` and `steward when`; see cmd_parse.h.  One sentence from the arguments, or JSON lines on
 * stdin, one answer line each, flushed.  A bad line answers with an error and never ends the run. */
#include "bot/cmd_parse.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "bot/command.h"
#include "router/parse.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char cmd_parse_help[] = "usage: steward parse [--now YYYY-MM-DDTHH:MM] SENTENCE\n"
                              "       steward parse [--now YYYY-MM-DDTHH:MM] --stdin\n"
                              "What the built-in parser makes of a sentence: the tool it would call, as JSON.\n"
                              "\n"
                              "  --now     the wall-clock time it is said at; without it the time in TZ\n"
                              "  --stdin   JSON lines {\"text\", \"now\"?} in, a JSON line each out\n";
const char cmd_when_help[] = "usage: steward when [--now YYYY-MM-DDTHH:MM] PHRASE\n"
                             "       steward when [--now YYYY-MM-DDTHH:MM] --stdin\n"
                             "The date a phrase means, as JSON.\n"
                             "\n"
                             "  --now     the wall-clock time it is said at; without it the time in TZ\n"
                             "  --stdin   JSON lines {\"text\", \"now\"?} in, a JSON line each out\n";

/* What the two commands differ in. */
struct asking {
    const char *name, *help;
    struct json_object *(*answer)(struct arena *, const char *text, const struct when_options *);
};

static struct json_object *answer_parse(struct arena *arena, const char *text, const struct when_options *options)
{
    struct parse parse;
    parse_sentence(arena, text, options, &parse);
    return parse_json(arena, &parse);
}

static struct json_object *answer_when(struct arena *arena, const char *text, const struct when_options *options)
{
    struct when when;
    char iso[CIVIL_TEXT_BYTES];
    struct json_object *out = json_keep(arena, json_object_new_object());
    if (!when_parse(arena, text, options, &when) && !when_find(arena, text, options, &when)) {
        json_set_str(out, "date", NULL);
        return out;
    }
    json_set_str(out, when.has_time ? "datetime" : "date", civil_format(&when.at, iso));
    return out;
}

static const struct asking asking_parse = { "parse", cmd_parse_help, answer_parse };
static const struct asking asking_when = { "when", cmd_when_help, answer_when };

/* `now` as given, else the local clock in TZ. */
static enum status options_at(const char *now, struct when_options *options, struct error *error)
{
    *options = (struct when_options){ 0 };
    if (now) {
        if (!civil_parse(now, &options->now) || options->now.hour < 0)
            return fail(error, ST_INVALID, "now must look like 2026-11-20T09:30, not \"%s\".", now);
        return OK;
    }
    const char *zone = getenv("TZ");
    zone = zone && *zone ? zone + (*zone == ':') : "UTC";
    return zone_to_civil(zone, clock_wall_ms(), &options->now, error);
}

static void print_line(struct arena *arena, struct json_object *object)
{
    printf("%s\n", json_text(arena, object));
    fflush(stdout);
}

static struct json_object *error_object(struct arena *arena, const struct error *error)
{
    struct json_object *out = json_keep(arena, json_object_new_object());
    json_set_str(out, "error", error->text);
    return out;
}

static enum status check_text(const char *text, struct error *error)
{
    if (!text)
        return fail(error, ST_INVALID, "The line needs a \"text\".");
    if (strlen(text) > MESSAGE_BYTES_MAX)
        return fail(error, ST_LIMIT, "The text is longer than %d bytes.", MESSAGE_BYTES_MAX);
    if (!text_valid(text, strlen(text)))
        return fail(error, ST_INVALID, "The text is not valid UTF-8.");
    return OK;
}

static struct json_object *answer_line(struct arena *arena, const struct asking *asking, const char *line, size_t len,
                                       const char *now)
{
    struct error error = { 0 };
    struct json_object *object;
    struct when_options options;
    if (json_parse_in(arena, line, len, &object, &error) != OK)
        return error_object(arena, &error);
    if (!json_object_is_type(object, json_type_object)) {
        fail(&error, ST_INVALID, "The line must be a JSON object with a \"text\".");
        return error_object(arena, &error);
    }
    const char *text = json_str(object, "text", NULL), *line_now = json_str(object, "now", now);
    if (check_text(text, &error) != OK || options_at(line_now, &options, &error) != OK)
        return error_object(arena, &error);
    return asking->answer(arena, text, &options);
}

static int run_stdin(const struct asking *asking, const char *now)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t len;
    while ((len = getline(&line, &capacity, stdin)) >= 0) {
        while (len > 0 && strchr("\r\n", line[len - 1]))
            line[--len] = 0;
        if (len == 0)
            continue;
        struct arena *arena = arena_new();
        if (len > EXPORT_LINE_BYTES_MAX) {
            struct error error = { 0 };
            fail(&error, ST_LIMIT, "The line is longer than %d bytes.", EXPORT_LINE_BYTES_MAX);
            print_line(arena, error_object(arena, &error));
        } else {
            print_line(arena, answer_line(arena, asking, line, (size_t)len, now));
        }
        arena_free(arena);
    }
    free(line);
    return 0;
}

static int run_once(const struct asking *asking, const char *now, int count, char **words)
{
    struct buf text = BUF_INIT(MESSAGE_BYTES_MAX + 1);
    struct when_options options;
    struct error error = { 0 };
    for (int i = 0; i < count; i++)
        buf_printf(&text, "%s%s", i ? " " : "", words[i]);
    struct arena *arena = arena_new();
    enum status status = text.overflow ? fail(&error, ST_LIMIT, "The text is longer than %d bytes.", MESSAGE_BYTES_MAX)
                                       : check_text(buf_str(&text), &error);
    if (status == OK)
        status = options_at(now, &options, &error);
    if (status == OK)
        print_line(arena, asking->answer(arena, buf_str(&text), &options));
    else
        (void)command_failed(asking->name, error.text);
    arena_free(arena);
    buf_release(&text);
    return status == OK ? COMMAND_DONE : COMMAND_MISUSED;
}

static int run(const struct asking *asking, int argc, char **argv)
{
    const char *now = NULL;
    bool from_stdin = false;
    int i = 1;
    for (; i < argc; i++) {
        const char *value;
        if (strcmp(argv[i], "--stdin") == 0) {
            from_stdin = true;
        } else if ((value = command_option(argc, argv, &i, "--now"))) {
            now = value;
        } else {
            i += strcmp(argv[i], "--") == 0;
            break;
        }
    }
    if (from_stdin && i == argc)
        return run_stdin(asking, now);
    if (from_stdin || i == argc)
        return command_misused(asking->name, asking->help, NULL);
    if (strncmp(argv[i], "--", 2) == 0)
        return command_misused(asking->name, asking->help, "%s is not understood here, or its value is missing.",
                               argv[i]);
    return run_once(asking, now, argc - i, argv + i);
}

int cmd_parse(int argc, char **argv)
{
    return run(&asking_parse, argc, argv);
}

int cmd_when(int argc, char **argv)
{
    return run(&asking_when, argc, argv);
}
