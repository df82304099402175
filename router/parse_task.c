/* SPDX-License-Identifier: MIT
 * parse_task: sentences that say outright that something is to be remembered as a task: reminders, "add … to my list",
 * "task: …", "don't forget to …".  One table of patterns; called by parse.c; pure. */
#include "router/parse_scan.h"
#include "base/json.h"
#include <string.h>

static bool empty_content(const struct sentence *s, const char *content)
{
    static const char *const nothing[] = {
        "",           "something",   "do something", "it",      "this",   "that",  "stuff",        "later",
        "again",      "me",          "this later",   "an item", "item",   "items", "a new item",   "new item",
        "some items", "some things", "them",         "things",  "a task", "task",  "things to do", "at a later time",
        "anything"
    };
    (void)s;
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++)
        if (strcasecmp(content, nothing[i]) == 0)
            return true;
    return false;
}

/* "buy milk #shopping": a hashtag at the end names the category; returns the shortened span. */
static struct span hashtag(const struct sentence *s, struct span span, struct span *category)
{
    const struct words *w = s->words;
    if (span.end - span.begin >= 3 && token_punct(words_at(w, span.end - 2), "#") && words_at(w, span.end - 1)->glued &&
        words_at(w, span.end - 1)->kind == TOKEN_WORD) {
        *category = (struct span){ span.end - 1, span.end };
        span.end -= 2;
    }
    return span;
}

static enum route put_task(struct sentence *s, const char *content, struct span category, const struct due *due)
{
    struct json_object *arguments = parse_call(s, "add_task");
    if (!arguments)
        return ROUTE_NEVER;
    json_set_str(arguments, "content", content);
    const char *name = parse_category(s, category);
    if (name)
        json_set_str(arguments, "category", name);
    parse_set_due(s, arguments, due, "due_date");
    s->category = category;
    return ROUTE_DONE;
}

/* A task whose words and date stand in one span. */
static enum route task_from(struct sentence *s, struct span span, struct span category, const char *ask)
{
    struct due due;
    span = hashtag(s, parse_trim(s->words, span), &category);
    parse_due(s, span, false, &due);
    const char *content = parse_content(s, span, &due);
    if (empty_content(s, content)) {
        if (due.found) {
            struct json_object *arguments = parse_call(s, "add_task");
            if (arguments)
                parse_set_due(s, arguments, &due, "due_date");
        }
        return parse_asks(s, ask, "content");
    }
    return put_task(s, content, category, &due);
}

static const char ask_reminder[] = "What should I remind you of?";
static const char ask_task[] = "What should I put on the list?";

/* Words that only lead over to the thing: "for me to", "that i need to". */
static struct span skip_lead(const struct sentence *s, struct span span)
{
    static const char lead[] =
        "for me to|for us to|that i need to|that i have to|that i should|that i must|i need to|i have to|"
        "to remind me to|to remind me of|to remind me about|to remind me that|to remind me|me to|that says|"
        "saying|called|named|to|that|about|of|for|regarding|for me|for us|me that|me about|me of|alarm for me to|alarm "
        "to|"
        "again to|later to|later about|that there's|that there is|i've got to|i got to|i gotta|on|us to|us about|us "
        "that|with";
    for (int k = 0; k < 4; k++) {
        span = parse_trim(s->words, span);
        int n = parse_verb(s, span, lead);
        struct span rest = { span.begin + n, span.end };
        if (n && token_is(words_at(s->words, span.begin), "on") && k == 0) /* "on friday to …" is a date */
            return span;
        if (!n)
            return span;
        span = rest;
    }
    return span;
}

/* "remind me …": {1} is everything behind the command, the date may stand anywhere in it. */
static enum route remind(struct sentence *s, const struct match *m)
{
    struct span span = parse_trim(s->words, m->capture[1]);
    if (span.begin >= span.end)
        return parse_asks(s, ask_reminder, "content");
    const struct token *first = words_at(s->words, span.begin);
    if (token_any(first, "what|who|whom|whose|where|how|why|which") ||
        (token_is(first, "when") && token_any(words_at(s->words, span.begin + 1), "is|are|was|did|do|does|my|the")) ||
        (token_is(first, "if") && parse_has(s, span, "i've|already|did")))
        return ROUTE_NO; /* "remind me what I wanted" asks */
    if (parse_verb(s, span,
                   "more often|less often|better|properly|too much|too often|so often|of you|of him|of her|of home|of "
                   "my mom") == span.end - span.begin)
        return ROUTE_NEVER;
    struct due due;
    parse_due(s, span, false, &due);
    struct span rest = span;
    for (int k = 0; k < due.cuts; k++)
        if (due.cut[k].begin == rest.begin)
            rest.begin = due.cut[k].end;
    rest = skip_lead(s, rest);
    if (due.cuts && rest.begin >= due.cut[0].begin && rest.begin < due.cut[0].end)
        rest.begin = due.cut[0].end; /* "that tomorrow is trash day" */
    if (token_is(words_at(s->words, rest.begin), "is") && due.cuts && rest.begin == due.cut[0].end)
        rest.begin++;
    struct due inside = due;
    inside.cuts = 0;
    for (int k = 0; k < due.cuts; k++)
        if (due.cut[k].begin >= rest.begin)
            inside.cut[inside.cuts++] = due.cut[k];
    struct span category = { 0, 0 };
    rest = hashtag(s, rest, &category);
    const char *content = parse_content(s, rest, &inside);
    if (empty_content(s, content)) {
        struct json_object *arguments = parse_call(s, "add_task");
        if (arguments)
            parse_set_due(s, arguments, &due, "due_date");
        return parse_asks(s, ask_reminder, "content");
    }
    return put_task(s, content, category, &due);
}

/* "the next time it rains, remind me to close the windows"; "tomorrow at 5 remind me to …". */
static enum route remind_after(struct sentence *s, const struct match *m)
{
    struct span before = parse_trim(s->words, m->capture[1]);
    if (parse_all_date(s, before)) {
        struct due due, own;
        struct span rest = skip_lead(s, m->capture[2]);
        parse_due(s, before, false, &due);
        parse_due(s, rest, false, &own);
        if (due.found && own.found && due.at.hour < 0 && own.at.hour >= 0)
            due.at.hour = own.at.hour, due.at.minute = own.at.minute;
        else
            own.cuts = 0;
        const char *content = parse_content(s, rest, &own);
        return empty_content(s, content) ? parse_asks(s, ask_reminder, "content")
                                         : put_task(s, content, (struct span){ 0, 0 }, &due);
    }
    if (parse_verb(s, before, "the next time|next time|when|whenever|if|once|after|before|as soon as") == 0)
        return ROUTE_NO;
    const char *what = parse_content(s, skip_lead(s, m->capture[2]), NULL);
    const char *condition = parse_text(s, before);
    if (empty_content(s, what))
        return parse_asks(s, ask_reminder, "content");
    struct due none = { 0 };
    return put_task(s, arena_printf(s->arena, "%s %s", what, condition), (struct span){ 0, 0 }, &none);
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
    return task_from(s, span, (struct span){ 0, 0 }, ask_reminder);
}

/* "is milk on my shopping list, if not add it". */
static enum route add_missing(struct sentence *s, const struct match *m)
{
    struct due none = { 0 };
    const char *content = parse_content(s, m->capture[1], NULL);
    return empty_content(s, content) ? parse_asks(s, ask_task, "content") : put_task(s, content, m->category, &none);
}

/* "i want milk on my list", but not "i want to hear what is on my list". */
static enum route add_wanted(struct sentence *s, const struct match *m)
{
    if (token_any(words_at(s->words, m->capture[1].begin), "to|you|for|what|what's"))
        return ROUTE_NO;
    return add_missing(s, m);
}

/* What may stand behind "… to my list": a date, or a reason that is read over. */
static bool harmless_tail(const struct sentence *s, struct span tail)
{
    tail = parse_trim(s->words, tail);
    return tail.begin >= tail.end || parse_all_date(s, tail) ||
           parse_verb(s, tail,
                      "as|because|since|so|before|when|if|while|please|too|as well|already|again|also|now|thanks|thank "
                      "you|for me|to buy|to do|asap|i") > 0;
}

/* "milk, eggs and bread": three or more items by commas become that many tasks. */
static enum route several_items(struct sentence *s, struct span span, struct span category, const struct due *due)
{
    struct span item[PARSE_CALLS_MAX];
    int count = 0, begin = span.begin;
    const struct words *w = s->words;
    for (int i = span.begin; i <= span.end; i++) {
        bool comma = i < span.end && token_punct(words_at(w, i), ",") && !words_at(w, i + 1)->glued;
        bool and = count > 0 && i < span.end && token_is(words_at(w, i), "and");
        if (i < span.end && !comma && !and)
            continue;
        if (i > begin) {
            if (count == PARSE_CALLS_MAX || i - begin > 4)
                return ROUTE_NO;
            item[count++] = (struct span){ begin, i };
        }
        begin = i + 1;
    }
    bool commas_alone =
        count == 2 && token_punct(words_at(w, item[0].end), ",") && !token_is(words_at(w, item[1].begin), "and");
    if ((count < 3 && !commas_alone) || s->parse->call_count + count > PARSE_CALLS_MAX)
        return ROUTE_NO;
    for (int k = 0; k < count; k++)
        if (empty_content(s, parse_content(s, item[k], NULL)))
            return ROUTE_NO;
    for (int k = 0; k < count; k++)
        put_task(s, parse_content(s, item[k], NULL), category, due);
    return ROUTE_DONE;
}

static enum route add_to_list(struct sentence *s, const struct match *m)
{
    struct span thing = parse_trim(s->words, m->capture[1]);
    if (!harmless_tail(s, m->capture[2]) || parse_find(s, thing, "if") >= 0 || parse_has(s, thing, "remove|delete"))
        return ROUTE_NO;
    if (parse_verb(s, thing, "it|them|that|this") == thing.end - thing.begin)
        return parse_asks(s, ask_task, "content");
    struct due due, tail;
    parse_due(s, thing, false, &due);
    parse_due(s, m->capture[2], false, &tail);
    if (!due.found && tail.found) {
        due = tail;
        due.cuts = 0;
    }
    if (!due.cuts && several_items(s, thing, m->category, &due) == ROUTE_DONE) {
        s->category = m->category;
        return ROUTE_DONE;
    }
    const char *content = parse_content(s, thing, &due);
    if (token_any(words_at(s->words, thing.begin), "i") && parse_verb(s, thing, "i need|i want") &&
        thing.end - thing.begin > 2)
        content = parse_content(s, (struct span){ thing.begin + 2, thing.end }, &due);
    if (empty_content(s, content))
        return parse_asks(s, ask_task, "content");
    return put_task(s, content, m->category, &due);
}

/* "do i have X on my list, if not add it", "i no longer have soda; add it to my list". */
static enum route add_it(struct sentence *s, const struct match *m)
{
    struct span thing = parse_trim(s->words, m->capture[1]);
    static const char want[] =
        "i'd like to get|i'd like to buy|i would like to get|i'd like|i need to get|i need to buy|i need|we need|"
        "we're out of|we are out of|i'm out of|i am out of|i want to buy|i want|get|buy|i ran out of|we ran out of|i'm "
        "running low on|"
        "we're running low on|i'm almost out of|we're almost out of|there's no more|there is no more";
    int n = parse_verb(s, thing, want);
    if (!n && !m->capture[3].end)
        return ROUTE_NO;
    thing.begin += n;
    int stop = parse_find(s, thing, "while|when|because|since|so");
    if (stop > thing.begin)
        thing.end = stop;
    struct due due = { 0 };
    const char *content = parse_content(s, thing, &due);
    return empty_content(s, content) ? parse_asks(s, ask_task, "content") : put_task(s, content, m->category, &due);
}

/* "task: …", "todo …", "new task …". */
static enum route task_named(struct sentence *s, const struct match *m)
{
    if (m->list)
        return ROUTE_NO;
    struct span span = skip_lead(s, m->capture[1]);
    const struct token *first = words_at(s->words, span.begin);
    if (token_any(first, "list|lists|done|is|are|was|has|number|id") || first->kind == TOKEN_NUMBER ||
        token_punct(first, "#"))
        return ROUTE_NO;
    return task_from(s, span, (struct span){ 0, 0 }, ask_task);
}

/* "add 500 ml water", "add a 30 min run" are logs. */
static bool is_log(const struct sentence *s, struct span span)
{
    struct parse scratch = { .kind = PARSE_NONE };
    struct sentence probe = *s;
    probe.parse = &scratch;
    return parse_exercise(&probe, span) == ROUTE_DONE || parse_water(&probe, span) == ROUTE_DONE ||
           parse_sauna(&probe, span) == ROUTE_DONE || parse_sleep(&probe, span) == ROUTE_DONE ||
           parse_body(&probe, span) == ROUTE_DONE;
}

/* "add milk", "add call mom tomorrow": short, and not to anything else. */
static enum route add_bare(struct sentence *s, const struct match *m)
{
    struct span span = parse_trim(s->words, m->capture[1]);
    const struct token *first = words_at(s->words, span.begin);
    static const char elsewhere[] =
        "email|contact|contacts|photo|photos|playlist|song|music|friend|account|cart|basket|subtitles|number|numbers|"
        "up|alarm|timer|event|note|notes|filter|window|font|user|group|chat|channel|member|line|page|comment|tip|"
        "favorites|favourites|money|funds|credit|library|queue|bookmark|category";
    const struct token *second = words_at(s->words, span.begin + 1);
    bool sum = first->kind == TOKEN_NUMBER && (second->kind != TOKEN_WORD || token_any(second, "and|to|plus|with"));
    if (span.end - span.begin > 10 || sum || parse_has(s, span, elsewhere) || parse_has(s, span, "to|into") ||
        s->question)
        return ROUTE_NO;
    int64_t v;
    if (words_cardinal(s->words, span.begin, &v) && (span.end - span.begin < 2 || token_any(second, "and|plus|to")))
        return ROUTE_NO;
    if (is_log(s, span))
        return ROUTE_NO;
    struct span category = s->category;
    struct due due;
    parse_due(s, span, false, &due);
    if (!due.cuts && several_items(s, span, category, &due) == ROUTE_DONE)
        return ROUTE_DONE;
    return task_from(s, span, category, ask_task);
}

/* "… and add bread to it": the list named before. */
static enum route add_there(struct sentence *s, const struct match *m)
{
    struct due due;
    if (!s->head)
        return ROUTE_NO;
    parse_due(s, m->capture[1], false, &due);
    const char *content = parse_content(s, m->capture[1], &due);
    return empty_content(s, content) ? ROUTE_NO : put_task(s, content, s->category, &due);
}

/* "buy milk in the shopping category", "in category work: finish slides". */
static enum route in_category(struct sentence *s, const struct match *m)
{
    struct due due;
    parse_due(s, m->capture[1], false, &due);
    const char *content = parse_content(s, m->capture[1], &due);
    return empty_content(s, content) ? ROUTE_NO : put_task(s, content, m->capture[2], &due);
}

static enum route just_ask_reminder(struct sentence *s, const struct match *m)
{
    (void)m;
    return parse_asks(s, ask_reminder, "content");
}

static enum route just_ask_task(struct sentence *s, const struct match *m)
{
    (void)m;
    return parse_asks(s, ask_task, "content");
}

static enum route never(struct sentence *s, const struct match *m)
{
    (void)s, (void)m;
    return ROUTE_NEVER;
}

#define ADD "add|put|place|include|insert|stick|throw|write|jot|append|enter|log|pop|chuck|ad"
#define ON "to|on|onto|in|into|for"
#define MAKE "set|create|make|add|put|schedule|give|send|get|setup|start|leave|have"
#define REMINDER "reminder|reminders|remainder"
static const struct parse_rule rules[] = {
    { "[please] don't remind|add|put|create|set|make {1?}", never },
    { "i don't need|want [a / any / the / your / more] reminder|reminders", never },
    { "(stop / quit / cease) reminding {1?}", never },
    /* reminders */
    { "(remind me|us / remindme) [again / also] {1?}", remind },
    { "(reminder / remind / reminders) : {1}", remind },
    { "(reminder / remind) (to / for / about / of) {1}", remind },
    { "event|new|quick reminder [please] [:] {1?}", remind },
    { "remember to {1}", remind },
    { "remember [:] @list {1?}", never },
    { "i need|want|would|have|ought to [like] [to] be reminded {1?}", remind },
    { "i want|need|would|'d to [like to] get reminded {1?}", remind },
    { "i need|want|would|'d [like] [you] [to] [set / have / make / create] [a / an / another] reminder [please] {1?}",
      remind },
    { "i'd like [to set / to have / to make] [a / an / another] reminder [please] {1?}", remind },
    { MAKE " [up] [me / us] [a / an / another / the / some / and event / yourself a] [new / daily / weekly / "
           "quick] " REMINDER " [alarm / alarms / please / note] {1?}",
      remind },
    { "[i] don't|dont let me|us forget {1}", remind },
    { "[i] don't want to forget {1}", remind },
    { "i mustn't|shouldn't|can't|cannot forget {1}", remind },
    { "i must|should|can not forget {1}", remind },
    { "[please] don't forget [to tell|remind me / that i need|have] {1}", remind },
    { "[please] never forget {1}", never },
    { "help me remember to|about {1}", remind },
    { "make sure (i have / we have / there is / there are / there's / i've got) {1} on @list", add_missing },
    { "i|we (need / want / would like / 'd like) {1} [added / put / to be added] (to / on / in) @list", add_wanted },
    { "make sure [that] i|we [don't forget to] {1}", remind },
    { "make sure i remember to {1}", remind },
    { "make sure to {1}", remind },
    { "i need|have|want|must|should [to] remember to {1}", remind },
    { "tell|ping|nudge|notify|alert|prompt|poke me|us to {1}", remind },
    { "ping|nudge|poke me|us {1}", remind },
    { MAKE " and|an|a [an / a] event for|on {1} to remind me|us {2}", remind_after },
    { "{1} remind me|us [please] to|about|that|of {2}", remind_after },
    { "{1} (remind me / remind us / remind it / remind me about it / remind me of it / remind me of that / remind me "
      "then)",
      remind_suffix },
    { "{1} set a reminder [for it / for that / please]", remind_suffix },
    /* lists */
    { "(is / are / do i have / do we have / have i got / did i put / did i add / does my list have) {1} (on / in) "
      "@list if not [please / then] "
      "add|put (it / them / that) {2?}",
      add_missing },
    { "add|put {1} if (it is / it's / they are / they're / it isn't / they aren't) [not] [already] on|in @list "
      "[already]",
      add_missing },
    { "{1} [so / then / please] add|put (it / them / that / those) to|on|in|onto @list {2?}", add_it },
    { ADD " [down] {1} (to / on / onto / in / into / on to / under) @list {2?}", add_to_list },
    { "(to / on / onto / in / into) @list [:] [please / can you / could you / i want to / i need to] " ADD " [:] {1}",
      add_to_list },
    { "[for] @list : {1}", add_to_list },
    { ADD " (to / on / onto / in / into) @list [:] [that] {1}", add_to_list },
    { "{1} (needs / need / should / has / have / must) [to] (be / go) [added / put] (on / in / to) @list",
      add_to_list },
    { "@list [please] (add / put) {1}", add_to_list },
    { "add|put {1} (to / on / in) (it / there / that one / that list / the same list)", add_there },
    { "{1} (goes / go) (on / to / onto) @list", add_to_list },
    { "add|put|include {1} (in / to / under) [the / my] category {2}", in_category },
    { "add|put|include {1} (in / to / under) [the / my] {2} category", in_category },
    { "(create / make / start / new) [me] [a / an] [new] @list", just_ask_task },
    /* tasks by name */
    { "(add / create / make / put / new / set / insert / record) [a / an / another / the / new / this / me a / up a] "
      "(task / tasks / todo / todos / chore / errand / to do) [please]",
      just_ask_task },
    { "(add / create / make / put / new / set / insert / record / enter) [a / an / another / the / new / this / me a / "
      "up a] [new] (task / todo / chore / errand / action item) "
      "[:] {1}",
      task_named },
    { "(new / create / add / make / set up / put) [a / an] [new] [calendar] event [called / named / for / on / :] {1}",
      task_named },
    { "event : {1}", task_named },
    { "mark (my / the) calendar (for / with / that) {1}", task_named },
    { "(task / todo / tasks / todos) [:] {1}", task_named },
    { "to do : {1}", task_named },
    { "add : {1}", task_named },
    { "add|append {1}", add_bare },
    /* a reminder without a thing */
    { "i|i'd need|want|would|like [like] [to set / to make / to have / to create] [a / an] reminder",
      just_ask_reminder },
    { "i need|want to make|set|create|have [a / an] reminder", just_ask_reminder },
    { "reminder|remind [please]", just_ask_reminder },
    { "add|put [a / an] (item / items / something / one / thing / new item) [(to / on) @list]", just_ask_task },
};

enum route parse_task(struct sentence *s, struct span span)
{
    return parse_apply(s, span, rules, sizeof rules / sizeof *rules);
}
