/* SPDX-License-Identifier: MIT
 * fuzz_when: any bytes through the date parser, the period finder, the describers and the recurrence search. */
#include "router/when.h"
#include "base/text.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct arena *arena, const char *text, const struct when *w, const struct when_options *options)
{
    struct civil next;
    if (!civil_valid(&w->at) || w->begin > w->end || w->end > strlen(text))
        abort();
    when_describe(arena, &w->at, &options->now);
    if (!w->repeat)
        return;
    when_describe_repeat(arena, w->repeat);
    if (when_next(w->repeat, &w->at, &w->at, &next) && civil_compare(&next, &w->at) <= 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 64 * 1024)
        return 0;
    struct arena *arena = arena_new();
    char *text = arena_strndup(arena, (const char *)data + 1, size - 1);
    struct when_options options = { .now = { 2026, 11, 20, 9, 30, 0 }, .day_first = data[0] & 1, .past = data[0] & 2 };
    struct when w;
    struct when_range range;
    struct civil next;
    if (data[0] & 4)
        options.now = (struct civil){ 2024, 2, 29, 23, 59, 0 };
    if (when_parse(arena, text, &options, &w))
        check(arena, text, &w, &options);
    if (when_find(arena, text, &options, &w))
        check(arena, text, &w, &options);
    if (when_find_range(arena, text, &options, &range) &&
        (civil_compare(&range.from, &range.to) > 0 || range.end > strlen(text)))
        abort();
    if (data[0] & 8) {
        when_next(text, &options.now, &options.now, &next);
        when_describe_repeat(arena, text);
    }
    arena_free(arena);
    return 0;
}
