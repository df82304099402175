/* SPDX-License-Identifier: MIT
 * fuzz_parse: any bytes through the sentence parser; every call it makes must carry arguments in valid UTF-8 and within
 * the bounds of the logs. */
#include "base/json.h"
#include "base/text.h"
#include "router/parse.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void in_bounds(struct json_object *arguments, const char *name, double min, double max)
{
    double v = json_num(arguments, name, min);
    if (!(v >= min && v <= max))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 64 * 1024)
        return 0;
    struct arena *arena = arena_new();
    char *text = arena_strndup(arena, (const char *)data, size);
    struct when_options options = { .now = { 2026, 11, 20, 9, 30, 0 } };
    struct parse p;
    parse_sentence(arena, text, &options, &p);
    if ((p.kind == PARSE_CALLS) != (p.call_count > 0 && p.kind != PARSE_ASK) || p.call_count > PARSE_CALLS_MAX ||
        (p.kind == PARSE_ASK && !p.ask))
        abort();
    for (int i = 0; i < p.call_count && p.kind == PARSE_CALLS; i++) {
        in_bounds(p.calls[i].arguments, "hours", 0.25, 24);
        in_bounds(p.calls[i].arguments, "duration_minutes", 1, 1440);
        in_bounds(p.calls[i].arguments, "amount_ml", 1, 10000);
        in_bounds(p.calls[i].arguments, "weight_kg", 20, 350);
        in_bounds(p.calls[i].arguments, "temperature_c", 30, 130);
        const char *content = json_str(p.calls[i].arguments, "content", "x");
        if (!*content || !text_valid(content, strlen(content)))
            abort();
    }
    json_text(arena, parse_json(arena, &p));
    if (p.kind == PARSE_ASK && p.call_count > 0)
        parse_answer(arena, text, &options, &p.calls[0], p.ask_argument);
    arena_free(arena);
    return 0;
}
