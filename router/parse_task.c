/* SPDX-License-Identifier: MIT
 * parse_task: sentences that say outright that something is a task: "add … to my list", "task: …", "shopping: …".  One
 * table of patterns; called by parse.c after parse_remind(); pure. */
#include "router/parse_scan.h"
#include "base/json.h"
#include <string.h>

bool parse_is_nothing(const char *content)
{
    static const char *const nothing[] = {
        "",           "something",   "do something", "it",      "this",   "that",  "stuff",        "later",
        "again",      "me",          "this later",   "an item", "item",   "items", "a new item",   "new item",
        "some items", "some things", "them",         "things",  "a task", "task",  "things to do", "at a later time",
        "anything"
    };
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++)
        if (strcasecmp(content, nothing[i]) == 0)
            return true;
    return false;
}

/* "buy milk #shopping": a hashtag at the end names the category; returns the shortened span. */
struct span parse_hashtag(const struct sentence *s, struct span span, struct span *category)
{
    const struct words *w = s->words;
    if (span.end - span.begin >= 3 && token_punct(words_at(w, span.end - 2), "#") && words_at(w, span.end - 1)->glued &&
        words_at(w, span.end - 1)->kind == TOKEN_WORD) {
        *category = (struct span){ span.end - 1, span.end };
        span.end -= 2;
    }
    return span;
}

static enum route put_one(struct sentence *s, const char *content, struct span category, const struct due *due)
{
    struct json_object *arguments = parse_call(s, "add_task");
    if (!arguments)
        return ROUTE_NEVER;
    json_set_str(arguments, "content", content);
    const char *name = parse_category(s, category);
    if (name)
        json_set_str(arguments, "category", name);
    parse_set_due(s, arguments, due, "due_date");
    return ROUTE_DONE;
}

enum route parse_put_task(struct sentence *s, const char *content, struct span category, const struct due *due)
{
    enum route route = put_one(s, content, category, due);
    for (int k = 0; k < due->also_count && route == ROUTE_DONE; k++) {
        struct due other = *due;
        other.at = due->also[k];
        route = put_one(s, content, category, &other);
    }
    s->category = category;
    return route;
}

/* A task whose words and date stand in one span. */
enum route parse_task_from(struct sentence *s, struct span span, struct span category, const char *ask)
{
    struct due due;
    span = parse_hashtag(s, parse_trim(s->words, span), &category);
    parse_due(s, span, false, &due);
    const char *content = parse_content(s, span, &due);
    if (parse_is_nothing(content)) {
        if (due.found) {
            struct json_object *arguments = parse_call(s, "add_task");
            if (arguments)
                parse_set_due(s, arguments, &due, "due_date");
        }
        return parse_asks(s, ask, "content");
    }
    return parse_put_task(s, content, category, &due);
}

static const char ask_task[] = "What should I put on the list?";

/* Words that only lead over to the thing: "for me to", "that i need to". */
struct span parse_skip_lead(const struct sentence *s, struct span span)
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
        struct span rest = { span.begin + n, span.end }, category;
        if (n && token_is(words_at(s->words, span.begin), "on") && k == 0) /* "on friday to …" is a date */
            return span;
        if (token_any(words_at(s->words, span.begin), "to|on|in")) { /* "… to my list to buy firewood" */
            int list = pattern_list(s->words, span.begin + 1, span.end, &category);
            rest.begin += list ? 1 + list - n : 0;
        }
        if (!n)
            return span;
        span = rest;
    }
    return span;
}

/* "is milk on my shopping list, if not add it". */
static enum route add_missing(struct sentence *s, const struct match *m)
{
    struct due none = { 0 };
    const char *content = parse_content(s, m->capture[1], NULL);
    return parse_is_nothing(content) ? parse_asks(s, ask_task, "content")
                                     : parse_put_task(s, content, m->category, &none);
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
        if (parse_is_nothing(parse_content(s, item[k], NULL)) || parse_verb(s, item[k], "please|thanks"))
            return ROUTE_NO;
    for (int k = 0; k < count; k++)
        parse_put_task(s, parse_content(s, item[k], NULL), category, due);
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
    int lead = parse_verb(s, thing, "i need|i want|we need|a task|the task|task|a new task|a todo|todo|an item|item");
    thing.begin += lead < thing.end - thing.begin ? lead : 0;
    int64_t id;
    if (pattern_id(s->words, thing.begin, thing.end, true, &id) == thing.end - thing.begin)
        return ROUTE_NO; /* "put task 5 in work" moves it */
    const char *content = parse_content(s, thing, &due);
    if (parse_is_nothing(content))
        return parse_asks(s, ask_task, "content");
    return parse_put_task(s, content, m->category, &due);
}

/* "eggs and flour to the shopping list": no verb at all. */
static enum route bare_to_list(struct sentence *s, const struct match *m)
{
    static const char verbs[] =
        "i|i'm|i've|you|he|she|we|they|it|it's|this|that|there|who|what|how|is|was|are|were|be|has|have|had|go|goes|"
        "went|going|back|look|looked|looking|listen|listening|according|thanks|reply|move|moved|moving|switch|remove|"
        "removed|delete|deleted|refer|change|take|took|get|got|come|came|next|close|similar|due|want|wants|need|needs|"
        "add|added|adds|put|wrote|write|no|not|nothing|anything|everything|something|don't|didn't|send|sent|share|show|"
        "thing|things|item|items|task|tasks|much|many|more|if|when|done|still|so|too|very|what's|who's|where's|"
        "which|any|love|hate|like|sucks|great|good|bad|busy|hard";
    struct span thing = parse_trim(s->words, m->capture[1]);
    if (s->question || thing.end - thing.begin > 12 || parse_has(s, thing, verbs) || parse_is_question(s, thing))
        return ROUTE_NO;
    return add_to_list(s, m);
}

/* "bread on my list" says what is there; "bread on my list please" asks for it. */
static enum route bare_on_list(struct sentence *s, const struct match *m)
{
    return s->please ? bare_to_list(s, m) : ROUTE_NO;
}

/* "do i have X on my list, if not add it", "i no longer have soda; add it to my list". */
static enum route add_it(struct sentence *s, const struct match *m)
{
    struct span thing = parse_trim(s->words, m->capture[1]);
    static const char want[] =
        "i'd like to get|i'd like to buy|i would like to get|i'd like|i need to get|i need to buy|i need|we need|"
        "we're out of|we are out of|i'm out of|i am out of|i want to buy|i want|get|buy|i ran out of|we ran out of|i'm "
        "running low on|i am running low on|we're running low on|we are running low on|running low on|we're low on|"
        "we are low on|i'm low on|out of|i'm almost out of|we're almost out of|we are almost out of|we're nearly out "
        "of|i'm nearly out of|there's no more|there is no more";
    int n = parse_verb(s, thing, want);
    if (!n && !m->capture[3].end)
        return ROUTE_NO;
    thing.begin += n;
    int stop = parse_find(s, thing, "while|when|because|since|so");
    if (stop > thing.begin)
        thing.end = stop;
    struct due due = { 0 };
    const char *content = parse_content(s, thing, &due);
    return parse_is_nothing(content) ? parse_asks(s, ask_task, "content")
                                     : parse_put_task(s, content, m->category, &due);
}

/* `add "wash the car" to Work on sunday`: the marks say where the content ends. */
static enum route quoted_task(struct sentence *s, struct span span)
{
    const struct words *w = s->words;
    struct span category = { 0, 0 };
    const struct token *open = words_at(w, span.begin);
    int close = span.begin + 1;
    if (!token_punct(open, "\"'"))
        return ROUTE_NO;
    while (close < span.end && !(words_at(w, close)->kind == TOKEN_PUNCT && words_at(w, close)->punct == open->punct))
        close++;
    struct span content = { span.begin + 1, close }, tail = parse_trim(w, (struct span){ close + 1, span.end });
    if (close >= span.end || content.begin >= content.end)
        return ROUTE_NO;
    if (token_any(words_at(w, tail.begin), "to|in|into|under") && words_at(w, tail.begin + 1)->kind == TOKEN_WORD &&
        (tail.end - tail.begin == 2 || parse_all_date(s, (struct span){ tail.begin + 2, tail.end }))) {
        category = (struct span){ tail.begin + 1, tail.begin + 2 };
        tail.begin += 2;
    }
    struct due due = { 0 };
    if (tail.begin < tail.end && !parse_all_date(s, tail))
        return ROUTE_NO;
    parse_due(s, tail, false, &due);
    return parse_put_task(s, parse_text(s, content), category, &due);
}

/* "task: …", "todo …", "new task …". */
static enum route task_named(struct sentence *s, const struct match *m)
{
    if (m->list)
        return ROUTE_NO;
    struct span span = parse_skip_lead(s, m->capture[1]);
    const struct token *first = words_at(s->words, span.begin);
    if (token_any(first, "list|lists|done|is|are|was|has|number|id|due|overdue|left|complete|completed|finished") ||
        first->kind == TOKEN_NUMBER || token_punct(first, "#"))
        return ROUTE_NO;
    struct span period = m->capture[1];
    int64_t id;
    if (pattern_id(s->words, period.begin - 1, period.end, false, &id))
        return ROUTE_NO; /* "task four is done" */
    if (period.end - period.begin <= 4 && token_any(words_at(s->words, period.begin), "for|on|in|this|next|from") &&
        (parse_all_date(s, period) || parse_has(s, period, "week|weekend|month|today|tomorrow")))
        return ROUTE_NO; /* "todos for this week" */
    enum route quoted = quoted_task(s, span);
    return quoted == ROUTE_NO ? parse_task_from(s, span, (struct span){ 0, 0 }, ask_task) : quoted;
}

/* "add 500 ml water", "add a 30 min run" are logs. */
static bool is_log(const struct sentence *s, struct span span)
{
    static enum route (*const logs[])(struct sentence *, struct span) = { parse_exercise, parse_water, parse_sauna,
                                                                          parse_sleep, parse_body };
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++)
        if (parse_rehearse(s, span, logs[i]) == ROUTE_DONE)
            return true;
    return false;
}

/* "add milk", "add call mom tomorrow": short, and not to anything else. */
static enum route add_bare(struct sentence *s, const struct match *m)
{
    struct span span = parse_trim(s->words, m->capture[1]);
    enum route quoted = s->question ? ROUTE_NO : quoted_task(s, span);
    if (quoted != ROUTE_NO)
        return quoted;
    const struct token *first = words_at(s->words, span.begin);
    static const char elsewhere[] =
        "email|contact|contacts|photo|photos|playlist|song|music|friend|account|cart|basket|subtitles|number|numbers|"
        "alarm|timer|event|note|notes|filter|window|font|user|group|chat|channel|member|line|page|comment|tip|"
        "favorites|favourites|money|funds|credit|library|queue|bookmark|category";
    const struct token *second = words_at(s->words, span.begin + 1);
    bool sum = first->kind == TOKEN_NUMBER && (second->kind != TOKEN_WORD || token_any(second, "and|to|plus|with"));
    if (span.end - span.begin > 12 || sum || token_is(first, "up") || parse_has(s, span, elsewhere) ||
        parse_has(s, span, "to|into") || s->question)
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
    return parse_task_from(s, span, category, ask_task);
}

/* "… and add bread to it": the list named before. */
static enum route add_there(struct sentence *s, const struct match *m)
{
    struct due due;
    if (!s->head)
        return ROUTE_NO;
    parse_due(s, m->capture[1], false, &due);
    const char *content = parse_content(s, m->capture[1], &due);
    return parse_is_nothing(content) ? ROUTE_NO : parse_put_task(s, content, s->category, &due);
}

/* "put me down for a haircut on dec 1". */
static enum route put_down(struct sentence *s, const struct match *m)
{
    struct due due;
    parse_due(s, m->capture[1], false, &due);
    const char *content = parse_content(s, m->capture[1], &due);
    return due.found && !parse_is_nothing(content) ? parse_put_task(s, content, (struct span){ 0, 0 }, &due) : ROUTE_NO;
}

/* "put \"fix bike\" down for saturday". */
static enum route put_down_on(struct sentence *s, const struct match *m)
{
    struct due due;
    parse_due(s, m->capture[2], false, &due);
    const char *content = parse_content(s, m->capture[1], NULL);
    return parse_all_date(s, m->capture[2]) && !parse_is_nothing(content)
               ? parse_put_task(s, content, (struct span){ 0, 0 }, &due)
               : ROUTE_NO;
}

/* "buy milk in the shopping category", "in category work: finish slides". */
static enum route in_category(struct sentence *s, const struct match *m)
{
    struct due due;
    parse_due(s, m->capture[1], false, &due);
    const char *content = parse_content(s, m->capture[1], &due);
    return parse_is_nothing(content) ? ROUTE_NO : parse_put_task(s, content, m->capture[2], &due);
}

static enum route just_ask_task(struct sentence *s, const struct match *m)
{
    (void)m;
    return parse_asks(s, ask_task, "content");
}

#define ADD                                                                                                            \
    "add|adding|put|putting|place|include|insert|stick|throw|write|jot|append|enter|log|pop|chuck|bung|shove|whack|ad"
static const struct parse_rule rules[] = {
    { "make sure (i have / we have / there is / there are / there's / i've got) {1} on @list", add_missing },
    { "i|we (need / want / would like / 'd like) {1} [added / put / to be added] (to / on / in) @list", add_wanted },
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
    { ADD " [down] {1} (to / on / onto / in / into / under) [the / my] @name {2?}", add_to_list },
    { "(to / on / onto / in / into) @list [:] [please / can you / could you / i want to / i need to] " ADD " [:] {1}",
      add_to_list },
    { "[for] @list : {1}", add_to_list },
    { "[for] @name : {1}", bare_to_list },
    { ADD " (to / on / onto / in / into) @list [:] [that] {1}", add_to_list },
    { "{1} (needs / need / should / has / have / must) [to] (be / go) [added / put] (on / in / to) @list",
      add_to_list },
    { "@list [please] (add / put) {1}", add_to_list },
    { "{1} (to / onto) @list {2?}", bare_to_list },
    { "{1} on @list {2?}", bare_on_list },
    { "put|pencil me|us (down / in) for {1}", put_down },
    { "put|pencil {1} (down / in) (for / on) {2}", put_down_on },
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
    { "(another / one more / next / new / a new / one last) (task / todo / thing / item) : {1}", task_named },
    { "(task / todo / tasks / todos) [:] {1}", task_named },
    { "to do : {1}", task_named },
    { "add : {1}", task_named },
    { "add|append {1}", add_bare },
    { "add|put [a / an] (item / items / something / one / thing / new item) [(to / on) @list]", just_ask_task },
};

enum route parse_task(struct sentence *s, struct span span)
{
    return parse_apply(s, span, rules, sizeof rules / sizeof *rules);
}
