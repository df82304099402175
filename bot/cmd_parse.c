/* SPDX-License-Identifier: MIT
 * cmd_parse: `steward parse` and `steward when`; see cmd_parse.h.  One sentence from the arguments, or JSON lines on
 * stdin, one answer line each, flushed.  A bad line answers with an error and never ends the run. */
#include "bot/cmd_parse.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "router/parse.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct command {
    const char *name, *argument;
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

static const struct command command_parse = { "parse", "SENTENCE", answer_parse };
static const struct command command_when = { "when", "PHRASE", answer_when };

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

static struct json_object *answer_line(struct arena *arena, const struct command *command, const char *line, size_t len,
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
    return command->answer(arena, text, &options);
}

static int run_stdin(const struct command *command, const char *now)
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
            print_line(arena, answer_line(arena, command, line, (size_t)len, now));
        }
        arena_free(arena);
    }
    free(line);
    return 0;
}

static int usage(const struct command *command)
{
    fprintf(stderr,
            "usage: steward %s [--now YYYY-MM-DDTHH:MM] %s\n       steward %s [--now YYYY-MM-DDTHH:MM] --stdin\n",
            command->name, command->argument, command->name);
    return 2;
}

static int run_once(const struct command *command, const char *now, int count, char **words)
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
        print_line(arena, command->answer(arena, buf_str(&text), &options));
    else
        fprintf(stderr, "steward %s: %s\n", command->name, error.text);
    arena_free(arena);
    buf_release(&text);
    return status == OK ? 0 : 2;
}

static int run(const struct command *command, int argc, char **argv)
{
    const char *now = NULL;
    bool from_stdin = false;
    int i = 1;
    for (; i < argc; i++) {
        if (strcmp(argv[i], "--stdin") == 0) {
            from_stdin = true;
        } else if (strcmp(argv[i], "--now") == 0 && i + 1 < argc) {
            now = argv[++i];
        } else if (strncmp(argv[i], "--now=", 6) == 0) {
            now = argv[i] + 6;
        } else {
            i += strcmp(argv[i], "--") == 0;
            break;
        }
    }
    if (from_stdin && i == argc)
        return run_stdin(command, now);
    if (from_stdin || i == argc || strncmp(argv[i], "--", 2) == 0)
        return usage(command);
    return run_once(command, now, argc - i, argv + i);
}

int cmd_parse(int argc, char **argv)
{
    return run(&command_parse, argc, argv);
}

int cmd_when(int argc, char **argv)
{
    return run(&command_when, argc, argv);
}
