/* SPDX-License-Identifier: MIT
 * parse_change: how sentences name the tasks they change (by number, by words), undo, and the three families of
 * changes in order.  Called by parse.c; pure. */
#include "router/parse_scan.h"
#include "base/json.h"
#include <string.h>

static const char determiners[] =
    "the|a|an|my|our|that|this|those|these|all the|task|the task|reminder|the reminder|my reminder|item|the item|"
    "the task to|task to|reminder to|the reminder to|my reminder to|the reminder for|reminder for|my reminder for|"
    "the reminder about|my reminder about|task called|the task called|the todo|todo|the one about|off|it called|"
    "the event called|the item called|item called|the list called|with|my task|my task to";

/* "the ironing, thank god", "call mom, I did it": a remark behind the name. */
static struct span without_remark(const struct sentence *s, struct span span)
{
    for (int i = span.begin + 1; i + 1 < span.end; i++)
        if (token_punct(words_at(s->words, i), ",;-(") && !words_at(s->words, i + 1)->glued &&
            token_any(words_at(s->words, i + 1), "i|i've|it|it's|that|that's|we|thank|thanks|phew|finally|yay|lol|so|"
                                                 "because|already|at|woohoo|hooray|please|they|he|she|my|this|hurray"))
            return (struct span){ span.begin, i };
    return span;
}

/* "the report" → "report"; "task called 'x'" → "x". */
static struct span bare(const struct sentence *s, struct span span)
{
    span = parse_trim(s->words, without_remark(s, parse_trim(s->words, span)));
    int n = parse_verb(s, span, determiners);
    if (n && span.begin + n < span.end)
        span.begin += n;
    span = parse_unquote(s->words, parse_trim(s->words, span));
    if (span.end - span.begin > 1 && words_at(s->words, span.begin)->possessive)
        span.begin++; /* "tomorrow's haircut" */
    if (span.end - span.begin > 1 && token_any(words_at(s->words, span.end - 1), "task|reminder|todo"))
        span.end--; /* "the report task" */
    return parse_trim(s->words, span);
}

bool parse_pronoun(const struct sentence *s, struct span span)
{
    return parse_verb(s, span,
                      "it|them|that|this|that one|this one|these|those|something|some|one|the last one|something "
                      "else|a task|task|a reminder|reminder|tasks|an item|everything|all|all tasks|all of them|all my "
                      "tasks|them all|that's|it's") == span.end - span.begin;
}

/* Name the task: by number when the span is one, else by its words.  False: nothing to go by. */
bool parse_name_task(struct sentence *s, struct json_object *arguments, struct span span)
{
    int64_t id;
    span = parse_trim(s->words, span);
    if (span.begin >= span.end)
        return false;
    int n = pattern_id(s->words, span.begin, span.end, true, &id);
    if (n && span.begin + n == span.end) {
        json_set_int(arguments, "task_id", id);
        return true;
    }
    span = bare(s, span);
    const char *content = parse_text(s, span);
    if (!*content)
        return false;
    json_set_str(arguments, "content", content);
    return true;
}

enum route parse_one_task(struct sentence *s, const char *tool, struct span span, const char *ask)
{
    span = parse_trim(s->words, span);
    if (span.begin >= span.end || parse_pronoun(s, span)) {
        parse_call(s, tool);
        return parse_asks(s, ask, "content");
    }
    struct json_object *arguments = parse_call(s, tool);
    if (!arguments)
        return ROUTE_NEVER;
    return parse_name_task(s, arguments, span) ? ROUTE_DONE : ROUTE_NO;
}

int parse_ids(const struct sentence *s, struct span span, int64_t id[PARSE_CALLS_MAX])
{
    int count = 0;
    span = parse_trim(s->words, span);
    int i = span.begin + token_any(words_at(s->words, span.begin), "tasks|items|todos|numbers|reminders");
    while (i < span.end && count < PARSE_CALLS_MAX) {
        int n = pattern_id(s->words, i, span.end, true, &id[count]);
        if (!n)
            break;
        count++;
        i += n;
        while (i < span.end && (token_punct(words_at(s->words, i), ",&+") || token_is(words_at(s->words, i), "and")))
            i++;
    }
    return i == span.end ? count : 0;
}

enum route parse_tasks_named(struct sentence *s, const char *tool, struct span span, const char *ask)
{
    int64_t id[PARSE_CALLS_MAX];
    int count = parse_ids(s, span, id);
    if (count < 2 || s->parse->call_count + count > PARSE_CALLS_MAX)
        return parse_one_task(s, tool, span, ask);
    for (int k = 0; k < count; k++)
        json_set_int(parse_call(s, tool), "task_id", id[k]);
    return ROUTE_DONE;
}

/* Cut "on my to do list" and a closing date off a name. */
struct span parse_name_only(const struct sentence *s, struct span span)
{
    struct span category;
    struct due due;
    for (int i = span.begin + 1; i + 1 < span.end; i++)
        if (token_any(words_at(s->words, i), "on|from|off|of|in") &&
            pattern_list(s->words, i + 1, span.end, &category) == span.end - i - 1) {
            span.end = i;
            break;
        }
    parse_due(s, span, false, &due);
    if (due.cuts == 1 && due.cut[0].end == span.end && due.cut[0].begin > span.begin)
        span.end = due.cut[0].begin;
    return span;
}

static enum route undo(struct sentence *s, const struct match *m)
{
    (void)m;
    return parse_call(s, "undo") ? ROUTE_DONE : ROUTE_NEVER;
}

/* "remove the due date from task 3": the word for no date is the tool's. */
static enum route clear_date(struct sentence *s, const struct match *m)
{
    struct json_object *arguments = parse_call(s, "update_task");
    if (!arguments)
        return ROUTE_NEVER;
    bool named = !parse_pronoun(s, m->capture[1]) && parse_name_task(s, arguments, m->capture[1]);
    json_set_str(arguments, "due_date", "none");
    return named ? ROUTE_DONE : parse_asks(s, "Which task should I change?", "content");
}

static const struct parse_rule rules[] = {
    { "(remove / delete / clear / drop / take / cancel) [the] [due] (date / deadline / due date) (from / of / off / on "
      "/ "
      "for) {1}",
      clear_date },
    { "(that's / that was / this is / this was / that is) (wrong / a mistake / not right / incorrect / my mistake) "
      "[please] undo [it / that / this]",
      undo },
    { "undo [that / it / this / the last / my last / last / that last / this last / all of that] [one / change / "
      "action / thing / entry / log "
      "/ task / message]",
      undo },
    { "(take that back / revert that / revert it / revert / revert the last change / never mind that / scratch that / "
      "undo last / roll that back / reverse that)",
      undo },
};

enum route parse_change(struct sentence *s, struct span span)
{
    static enum route (*const families[])(struct sentence *, struct span) = { parse_done, parse_delete, parse_update };
    if (parse_is_question(s, span))
        return ROUTE_NO;
    enum route route = parse_apply(s, span, rules, sizeof rules / sizeof *rules);
    for (size_t i = 0; i < sizeof families / sizeof *families && route == ROUTE_NO; i++)
        route = families[i](s, span);
    return route;
}
