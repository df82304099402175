/* SPDX-License-Identifier: MIT
 * parse_remind: sentences that ask to be reminded: "remind me …", "don't let me forget …", "set a daily reminder …",
 * and those that ask not to be.  One table of patterns; called by parse.c before parse_task(); pure. */
#include "router/parse_scan.h"
#include "base/json.h"
#include <string.h>

static const char ask_reminder[] = "What should I remind you of?";

/* "remind me yesterday to call bob": the thing is clear, its day has passed. */
static enum route remind_when(struct sentence *s, struct span thing)
{
    struct json_object *arguments = parse_call(s, "add_task");
    const char *content = parse_content(s, thing, NULL);
    if (!arguments)
        return ROUTE_NEVER;
    if (parse_is_nothing(content))
        return parse_asks(s, ask_reminder, "content");
    json_set_str(arguments, "content", content);
    return parse_asks(s, "That day has passed. When should I remind you?", "due_date");
}

/* "remind me …": {1} is everything behind the command, the date may stand anywhere in it. */
static enum route remind(struct sentence *s, const struct match *m)
{
    struct span span = parse_trim(s->words, m->capture[1]);
    if (span.begin >= span.end)
        return parse_asks(s, ask_reminder, "content");
    const struct token *first = words_at(s->words, span.begin);
    if (token_any(first, "what|what's|who|who's|whom|whose|where|where's|when's|how|how's|why|which") ||
        (token_is(first, "when") && token_any(words_at(s->words, span.begin + 1), "is|are|was|did|do|does|my|the")) ||
        (token_is(first, "if") && parse_has(s, span, "i've|already|did")))
        return ROUTE_NO; /* "remind me what I wanted" asks */
    if (parse_verb(s, span,
                   "more often|less often|better|properly|too much|too often|so often|of you|of him|of her|of home|of "
                   "my mom") == span.end - span.begin)
        return ROUTE_NEVER;
    int passed = parse_past_day(s, span);
    if (passed)
        return remind_when(s, parse_skip_lead(s, (struct span){ span.begin + passed, span.end }));
    struct due due;
    parse_due(s, span, false, &due);
    struct span rest = span;
    for (int k = 0; k < due.cuts; k++)
        if (due.cut[k].begin == rest.begin)
            rest.begin = due.cut[k].end;
    rest = parse_skip_lead(s, rest);
    if (due.cuts && rest.begin >= due.cut[0].begin && rest.begin < due.cut[0].end)
        rest.begin = due.cut[0].end; /* "that tomorrow is trash day" */
    if (token_is(words_at(s->words, rest.begin), "is") && due.cuts && rest.begin == due.cut[0].end)
        rest.begin++;
    struct due inside = parse_due_from(&due, rest.begin);
    struct span category = { 0, 0 };
    rest = parse_hashtag(s, rest, &category);
    const char *content = parse_content(s, rest, &inside);
    if (parse_is_nothing(content)) {
        struct json_object *arguments = parse_call(s, "add_task");
        if (arguments)
            parse_set_due(s, arguments, &due, "due_date");
        return parse_asks(s, ask_reminder, "content");
    }
    return parse_put_task(s, content, category, &due);
}

/* "set a daily reminder at 9pm to journal": {1} is the rhythm. */
static enum route remind_periodic(struct sentence *s, const struct match *m)
{
    struct span thing = parse_trim(s->words, m->capture[2]);
    struct due due;
    struct when when;
    parse_due(s, thing, false, &due);
    const char *rhythm = parse_text(s, m->capture[1]), *time = due.cuts ? parse_text(s, due.cut[0]) : "";
    if (due.cuts > 1 || due.repeat ||
        !when_parse(s->arena, arena_printf(s->arena, "%s %s", rhythm, time), s->options, &when) || !when.repeat)
        return ROUTE_NO;
    const char *content = parse_content(s, thing, &due);
    due = (struct due){ .found = true, .dated = true, .at = when.at, .repeat = when.repeat };
    if (!parse_is_nothing(content))
        return parse_put_task(s, content, (struct span){ 0, 0 }, &due);
    struct json_object *arguments = parse_call(s, "add_task");
    if (arguments)
        parse_set_due(s, arguments, &due, "due_date");
    return parse_asks(s, ask_reminder, "content");
}

/* "ask me tomorrow about the loan". */
static enum route remind_on(struct sentence *s, const struct match *m)
{
    struct match whole = *m;
    whole.capture[1].end = m->capture[2].end;
    return parse_all_date(s, m->capture[1]) ? remind(s, &whole) : ROUTE_NO;
}

/* "give me a shout at 3 to leave", but not "… if you need anything". */
static enum route nudge(struct sentence *s, const struct match *m)
{
    struct due due;
    parse_due(s, m->capture[1], false, &due);
    return due.found || token_any(words_at(s->words, m->capture[1].begin), "to|about") ? remind(s, m) : ROUTE_NO;
}

/* "the next time it rains, remind me to close the windows"; "tomorrow at 5 remind me to …". */
static enum route remind_after(struct sentence *s, const struct match *m)
{
    struct span before = parse_trim(s->words, m->capture[1]);
    if (parse_all_date(s, before)) {
        struct due due, own;
        struct span rest = parse_skip_lead(s, m->capture[2]);
        parse_due(s, before, false, &due);
        parse_due(s, rest, false, &own);
        if (due.found && own.found && due.at.hour < 0 && own.at.hour >= 0)
            due.at.hour = own.at.hour, due.at.minute = own.at.minute;
        else
            own.cuts = 0;
        const char *content = parse_content(s, rest, &own);
        return parse_is_nothing(content) ? parse_asks(s, ask_reminder, "content")
                                         : parse_put_task(s, content, (struct span){ 0, 0 }, &due);
    }
    if (parse_verb(s, before, "the next time|next time|when|whenever|if|once|after|before|as soon as") == 0)
        return ROUTE_NO;
    const char *what = parse_content(s, parse_skip_lead(s, m->capture[2]), NULL);
    const char *condition = parse_text(s, before);
    if (parse_is_nothing(what))
        return parse_asks(s, ask_reminder, "content");
    struct due none = { 0 };
    return parse_put_task(s, arena_printf(s->arena, "%s %s", what, condition), (struct span){ 0, 0 }, &none);
}

/* "{1}, remind me": the thing stands first. */
static enum route remind_suffix(struct sentence *s, const struct match *m)
{
    struct span span = m->capture[1];
    if (parse_is_question(s, span))
        return ROUTE_NO;
    static const char own[] =
        "i have a|i have an|i have|i've got a|i've got|i need to|i have to|there's a|there is a|we have a|we have";
    span.begin += parse_verb(s, span, own);
    span = parse_trim(s->words, span);
    while (span.end > span.begin && token_any(words_at(s->words, span.end - 1), "please|so|and|can|could|you|then"))
        span = parse_trim(s->words, (struct span){ span.begin, span.end - 1 });
    if (parse_has(s, span,
                  "you|he|she|they|forgot|forget|didn't|don't|needn't|never|failed|who|nobody|supposed|no|stop"))
        return ROUTE_NO; /* "you forgot to remind me" */
    return parse_task_from(s, span, (struct span){ 0, 0 }, ask_reminder);
}

static enum route just_ask_reminder(struct sentence *s, const struct match *m)
{
    (void)m;
    return parse_asks(s, ask_reminder, "content");
}

static enum route never(struct sentence *s, const struct match *m)
{
    (void)s, (void)m;
    return ROUTE_NEVER;
}

/* "make sure I have the tickets", but "make sure I have eggs on my list" is for the list. */
static enum route make_sure(struct sentence *s, const struct match *m)
{
    return parse_names_list(s, m->capture[1]) ? ROUTE_NO : remind(s, m);
}

#define NUDGE "nudge|ping|shout|poke|buzz|prod|bell|kick / heads up / ring"
#define MAKE "stick|pop|set|create|make|add|put|schedule|give|send|get|setup|start|leave|have"
#define REMINDER "reminder|reminders|remainder"
static const struct parse_rule rules[] = {
    { "(don't / never) remind|add|put|create|set|make|delete|remove {1?}", never },
    { "i don't need|want [to] [be] [a / any / the / your / more] reminder|reminders|reminded|reminding {1?}", never },
    { "(stop / quit / cease) reminding me|us", never },
    { "(no need / you don't need / you don't have / you needn't / i don't want you / i don't need you) [to] "
      "remind|add|put|create|set|delete|remove {1?}",
      never },
    { "(remind|reminding|reminded me|us / remindme) [again / also] {1?}", remind },
    { "(give / send) me [a / another / the] [little / quick] (" NUDGE ") {1}", nudge },
    { "(reminder / remind / reminders) : {1}", remind },
    { "(reminder / remind) (to / for / about / of) {1}", remind },
    { "event|new|quick reminder [please] [:] {1?}", remind },
    { "remember to {1}", remind },
    { "remember [that] (i / we) (need to / have to / must / should / ought to / want to) {1}", remind },
    { "remember [:] @list {1?}", never },
    { "(i / i'd / we) [need / want / would / have / ought] [to] [like / love] [to] (be / get) reminded {1?}", remind },
    { "[i] (need / want / could do with / would like) (reminding / a reminder) {1?}", remind },
    { "i need|want|would|'d [like] [you] [to] [set / have / make / create] [a / an / another] reminder [please] {1?}",
      remind },
    { "i'd like [to set / to have / to make] [a / an / another] reminder [please] {1?}", remind },
    { MAKE " [up] [me / us] [a / an / another / the] [new] {1} " REMINDER " [for me] {2?}", remind_periodic },
    { MAKE " [up] [me / us] [a / an / another / the / some / and event / yourself a] [new / quick] " REMINDER
           " [alarm / alarms / please / note / in] {1?}",
      remind },
    { "[i] don't let me|us forget {1}", remind },
    { "[i] don't want to forget {1}", remind },
    { "[i / we] mustn't|shouldn't|can't forget {1}", remind },
    { "[please] don't forget [:] [to tell|remind me / that i need|have] {1}", remind },
    { "[please] never forget {1}", never },
    { "help me remember to|about {1}", remind },
    { "make sure [that] i|we [don't forget to] {1}", make_sure },
    { "make sure i remember to {1}", remind },
    { "make sure to {1}", remind },
    { "[i / we] [really] (need to / have to / want to / must / should / gotta / got to / ought to / i've got to) "
      "remember to {1}",
      remind },
    { "tell|notify|alert|prompt me|us to {1}", remind },
    { "ask|tell|notify|alert|prompt me|us {1} (to / about / that) {2}", remind_on },
    { "ping|nudge|poke|buzz|prod|shout me|us {1}", remind },
    { MAKE " and|an|a [an / a] event for|on {1} to remind me|us {2}", remind_after },
    { "{1} remind me|us [please] to|about|that|of {2}", remind_after },
    { "{1} (remind me / remind us / remind it / remind me about it / remind me of it / remind me of that / remind me "
      "then)",
      remind_suffix },
    { "{1} set a reminder [for it / for that / please]", remind_suffix },
    /* a reminder without a thing */
    { "i|i'd need|want|would|like [like] [to set / to make / to have / to create] [a / an] reminder",
      just_ask_reminder },
    { "i need|want to make|set|create|have [a / an] reminder", just_ask_reminder },
    { "reminder|remind [please]", just_ask_reminder },
};

enum route parse_remind(struct sentence *s, struct span span)
{
    return parse_apply(s, span, rules, sizeof rules / sizeof *rules);
}
