/* SPDX-License-Identifier: MIT
 * parse_answer: the next message after a question of ours fills the missing argument ("How long?" – "30 minutes").
 * Called by the turn on a worker thread; pure.  Words that do not fit are left to parse_sentence(). */
#include "router/parse.h"
#include "router/parse_scan.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include <string.h>

enum { ANSWER_TOKENS_MAX = 60 };

static bool answer_number(const struct words *w, double *value)
{
    int i = 0;
    while (
        token_any(words_at(w, i), "about|around|it|was|is|i|roughly|for|only|just|like|approximately|at|my|weight|to"))
        i++;
    int n = words_amount(w, i, value);
    return n && w->count - i - n <= 3;
}

/* "30", "30 min", "half an hour" as minutes; a bare number counts in `bare` minutes. */
static bool answer_minutes(const struct words *w, double bare, double *minutes)
{
    for (int i = 0; i < w->count && i < 4; i++)
        if (words_duration(w, i, minutes))
            return true;
    const struct token *t = words_at(w, 0), *rest = words_at(w, 2);
    if (w->count >= 3 && t->kind == TOKEN_NUMBER && token_punct(words_at(w, 1), ":") && rest->kind == TOKEN_NUMBER &&
        bare == 60) {
        *minutes = (double)t->number * 60 + (double)rest->number;
        return true;
    }
    double v;
    if (!answer_number(w, &v))
        return false;
    *minutes = v * bare;
    return true;
}

static bool set_number(struct parse_call *call, const char *argument, double value, double min, double max,
                       int decimals)
{
    value = parse_round(value, decimals);
    if (!(value >= min && value <= max))
        return false;
    if (decimals)
        json_set_num(call->arguments, argument, value);
    else
        json_set_int(call->arguments, argument, (int64_t)value);
    return true;
}

static bool answer_amount(struct arena *arena, const struct words *w, const struct when_options *options,
                          struct parse_call *call, const char *argument)
{
    double v;
    if (strcmp(argument, "hours") == 0)
        return answer_minutes(w, 60, &v) && set_number(call, argument, v / 60, 0.25, 24, 2);
    if (strcmp(argument, "duration_minutes") == 0)
        return answer_minutes(w, 1, &v) &&
               set_number(call, argument, v, 1, parse_calls_tool(call, &tool_log_sauna) ? 240 : 1440, 0);
    if (strcmp(argument, "amount_ml") == 0) {
        struct parse other;
        parse_sentence(arena, arena_printf(arena, "drank %s of water", w->source), options, &other);
        if (other.kind == PARSE_CALLS && other.call_count == 1 && parse_calls_tool(&other.calls[0], &tool_log_water)) {
            json_set_int(call->arguments, argument, json_int(other.calls[0].arguments, argument, 0));
            return true;
        }
        return answer_number(w, &v) && set_number(call, argument, v < 20 ? v * 250 : v, 1, 10000, 0);
    }
    if (strcmp(argument, "temperature_c") == 0)
        return answer_number(w, &v) && set_number(call, argument, v, 30, 130, 0);
    if (strcmp(argument, "weight_kg") == 0) {
        bool pounds = false;
        for (int i = 0; i < w->count; i++)
            pounds |= token_any(words_at(w, i), "lb|lbs|pounds|pound");
        return answer_number(w, &v) && set_number(call, argument, pounds ? v * 0.45359237 : v, 20, 350, 2);
    }
    if (strcmp(argument, "body_fat_percent") == 0)
        return answer_number(w, &v) && set_number(call, argument, v, 2, 75, 2);
    return strcmp(argument, "muscle_kg") == 0 && answer_number(w, &v) && set_number(call, argument, v, 5, 150, 2);
}

static bool answer_date(struct arena *arena, const char *text, const struct when_options *options,
                        struct parse_call *call)
{
    struct when when;
    char iso[CIVIL_TEXT_BYTES];
    if (!when_parse(arena, text, options, &when))
        return false;
    json_set_str(call->arguments, "due_date", civil_format(&when.at, iso));
    return true;
}

/* Free words fill a content; a new command, a question or "never mind" does not. */
static bool answer_content(struct sentence *s, struct span span, struct parse_call *call)
{
    int64_t id;
    struct due due = { 0 };
    bool names = !parse_calls_tool(call, &tool_add_task) && !parse_calls_tool(call, &tool_add_note);
    int n = pattern_id(s->words, span.begin, span.end, true, &id);
    if (names && n && span.begin + n == span.end) {
        json_set_int(call->arguments, "task_id", id);
        return true;
    }
    if (s->question || parse_is_question(s, span) || parse_rehearse(s, span, parse_chat) == ROUTE_CHAT ||
        parse_rehearse(s, span, parse_route_commands) != ROUTE_NO)
        return false;
    bool task = parse_calls_tool(call, &tool_add_task);
    if (task)
        parse_due(s, span, false, &due);
    const char *content = parse_calls_tool(call, &tool_add_note) ? parse_text(s, span) : parse_content(s, span, &due);
    if (!*content)
        return false;
    json_set_str(call->arguments, "content", content);
    if (due.found)
        parse_set_due(s, call->arguments, &due, "due_date");
    return true;
}

bool parse_answer(struct arena *arena, const char *text, const struct when_options *options,
                  struct parse_call *unfinished, const char *argument)
{
    struct words words;
    if (!argument || !unfinished->arguments || strlen(text) > MESSAGE_BYTES_MAX || !text_valid(text, strlen(text)))
        return false;
    words_split(arena, text, &words);
    struct parse scratch = { .kind = PARSE_NONE };
    struct sentence s = { .arena = arena, .words = &words, .options = options, .parse = &scratch };
    struct span span = parse_trim(&words, (struct span){ 0, words.count });
    for (int i = span.end; i < words.count; i++)
        s.question |= token_punct(words_at(&words, i), "?");
    if (span.begin >= span.end || span.end - span.begin > ANSWER_TOKENS_MAX)
        return false;
    if (strcmp(argument, "content") == 0)
        return answer_content(&s, span, unfinished);
    if (strcmp(argument, "due_date") == 0)
        return answer_date(arena, text, options, unfinished);
    return answer_amount(arena, &words, options, unfinished, argument);
}
