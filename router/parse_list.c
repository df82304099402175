/* SPDX-License-Identifier: MIT
 * parse_list: sentences that want to see tasks or notes: "show my shopping list", "what's due this week", "is milk on
 * my list", "when is my dentist appointment".  Reads only.  Called by parse.c; pure. */
#include "router/parse_scan.h"
#include "base/json.h"
#include <string.h>

/* "next week", "this weekend" as days, since the words alone may also mean one day; NULL = no such period. */
static const char *period_filter(const struct sentence *s, struct span span)
{
    char from[CIVIL_TEXT_BYTES], to[CIVIL_TEXT_BYTES];
    struct when_range range;
    for (int i = span.begin; i + 1 < span.end; i++)
        if (token_any(words_at(s->words, i), "next|this|coming") &&
            token_any(words_at(s->words, i + 1), "week|weekend|month|quarter|year") &&
            !(token_is(words_at(s->words, i), "this") && token_is(words_at(s->words, i + 1), "week")) &&
            when_find_range(s->arena, parse_text(s, (struct span){ i, i + 2 }), s->options, &range))
            return arena_printf(s->arena, "from %s to %s", civil_format(&range.from, from),
                                civil_format(&range.to, to));
    return NULL;
}

static void set_due_filter(struct sentence *s, struct json_object *arguments, struct span span)
{
    char iso[CIVIL_TEXT_BYTES];
    struct due due;
    const char *period = period_filter(s, span);
    if (parse_has(s, span, "overdue|late|missed"))
        json_set_str(arguments, "due", "overdue");
    else if (period)
        json_set_str(arguments, "due", period);
    else if (parse_has(s, span, "week|week's"))
        json_set_str(arguments, "due", "week");
    else if (parse_has(s, span, "today|today's|tonight"))
        json_set_str(arguments, "due", "today");
    else if (parse_has(s, span, "tomorrow|tomorrow's|tomorrows"))
        json_set_str(arguments, "due", "tomorrow");
    else {
        parse_due(s, span, false, &due);
        if (!due.found || due.repeat)
            return;
        due.at.hour = -1;
        json_set_str(arguments, "due", civil_format(&due.at, iso));
    }
}

static enum route list_tasks(struct sentence *s, struct span span, struct span category, const char *query)
{
    struct json_object *arguments = parse_call(s, "list_tasks");
    if (!arguments)
        return ROUTE_NEVER;
    if (parse_has(s, span, "completed|finished|done|closed") &&
        !parse_has(s, span, "need|not|isn't|aren't|undone|be|get|to"))
        json_set_str(arguments, "status", "done");
    const char *name = parse_category(s, category);
    if (name)
        json_set_str(arguments, "category", name);
    set_due_filter(s, arguments, span);
    if (query && *query)
        json_set_str(arguments, "query", query);
    return ROUTE_DONE;
}

/* A list anywhere in the span, or by its bare name at the end ("… for work"); its category, empty = none. */
static struct span list_inside(const struct sentence *s, struct span span)
{
    struct span category = { 0, 0 };
    struct match m;
    for (int i = span.begin; i < span.end; i++)
        if (pattern_list(s->words, i, span.end, &category) && category.begin < category.end)
            return category;
    span = parse_trim(s->words, span);
    if (span.end - span.begin > 2 && token_any(words_at(s->words, span.end - 2), "for|in|under|on") &&
        pattern_match(s->words, (struct span){ span.end - 1, span.end }, "@name", &m))
        return m.category;
    return (struct span){ 0, 0 };
}

static enum route show(struct sentence *s, struct span span, const struct match *m)
{
    if (token_any(words_at(s->words, span.begin), "check|search|scan") && m->category.begin > 0 &&
        token_is(words_at(s->words, m->category.begin - 1), "for")) /* "check my list for laundry" */
        return list_tasks(s, span, (struct span){ 0, 0 }, parse_text(s, (struct span){ m->category.begin, span.end }));
    return list_tasks(s, span, m->category, NULL);
}

/* "is milk on my shopping list", "did I put … on my list", "does my list have … on it". */
static enum route on_list(struct sentence *s, struct span span, const struct match *m)
{
    struct span thing = parse_trim(s->words, m->capture[1]);
    int n = parse_verb(
        s, thing,
        "the|any|a|an|some|an item called|a task called|there|there any|there a|there an|there an item called");
    if (n < thing.end - thing.begin)
        thing.begin += n;
    const char *query =
        parse_verb(s, thing, "anything|items|things|something|tasks|stuff|what|left") == thing.end - thing.begin
            ? NULL
            : parse_text(s, thing);
    return list_tasks(s, query ? (struct span){ 0, 0 } : span, m->category, query);
}

/* "when is my dentist appointment": an event we may hold as a task. */
static enum route my_event(struct sentence *s, struct span span, const struct match *m)
{
    struct span thing = parse_trim(s->words, m->capture[1]);
    static const char events[] = "appointment|appointments|meeting|meetings|reminder|reminders|event|events|task|tasks|"
                                 "call|interview|exam|deadline|"
                                 "lunch|dinner|birthday|flight|visit|class|lesson|session|checkup|party|conference|"
                                 "trip|anniversary|due|dentist|doctor";
    if (!parse_has(s, thing, events))
        return ROUTE_NO;
    struct due due;
    parse_due(s, thing, false, &due);
    const char *query = parse_content(s, thing, &due);
    int n = parse_verb(s, thing, "next|my next|my|the next|the|my upcoming|upcoming");
    if (n && n < thing.end - thing.begin)
        query = parse_content(s, (struct span){ thing.begin + n, thing.end },
                              due.cuts && due.cut[0].begin >= thing.begin + n ? &due : NULL);
    bool general = parse_verb(s, (struct span){ thing.begin + n, thing.end },
                              "appointment|appointments|meetings|reminder|reminders|event|events|task|tasks|due") ==
                   thing.end - thing.begin - n;
    return list_tasks(s, span, (struct span){ 0, 0 }, general ? NULL : query);
}

static enum route notes(struct sentence *s, struct span span, const struct match *m)
{
    (void)span;
    struct json_object *arguments = parse_call(s, "list_notes");
    if (!arguments)
        return ROUTE_NEVER;
    if (m->capture[1].end > m->capture[1].begin) {
        const char *query = parse_text(s, m->capture[1]);
        if (*query)
            json_set_str(arguments, "query", query);
    }
    return ROUTE_DONE;
}

/* "open my recipes notes": a category of one or two words. */
static enum route notes_in(struct sentence *s, struct span span, const struct match *m)
{
    (void)span;
    static const char other[] = "latest|last|recent|newest|first|old|oldest|new|about|on|from|other|these|those|all|my|"
                                "the|of|some|any|today's|yesterday's|and|to|me|make|take|how";
    const char *category = parse_category(s, m->capture[1]);
    if (!category || m->capture[1].end - m->capture[1].begin > 2 || parse_has(s, m->capture[1], other))
        return ROUTE_NO;
    struct json_object *arguments = parse_call(s, "list_notes");
    if (arguments)
        json_set_str(arguments, "category", category);
    return arguments ? ROUTE_DONE : ROUTE_NEVER;
}

static enum route category_tasks(struct sentence *s, struct span span, const struct match *m)
{
    int v;
    const struct token *first = words_at(s->words, m->capture[1].begin);
    static const char status[] =
        "completed|finished|done|open|pending|overdue|remaining|due|upcoming|current|today's|tomorrow's|all|urgent|"
        "late|outstanding|active|next|incomplete|unfinished|old|new|my|the|closed";
    struct span category = { 0, 0 };
    if (!token_any(first, status) && !token_class(first, CLASS_DAY, &v) && m->capture[1].end - m->capture[1].begin <= 2)
        category = m->capture[1];
    return list_tasks(s, span, category, NULL);
}

#define SHOW                                                                                                           \
    "show|list|read|display|view|see|check|open|tell|give|bring|bing|recite|review|hear|pull|get|print|send|read|"     \
    "inform|run|go|look|find|name|share|present|remind"
#define ME "[me / us / out / up / back / over / off / through / to see / me up / of me]"
#define ALL                                                                                                            \
    "[all / all of / everything / the / my / all my / all the / what's / what is / what are / what tasks are / of / "  \
    "entire / whole / complete]"
#define TASKS                                                                                                          \
    "(tasks / todos / reminders / to dos / to do / todo / task / appointments / meetings / events / agenda / "         \
    "deadlines / chores / errands)"
static const struct {
    const char *pattern;
    enum route (*route)(struct sentence *, struct span, const struct match *);
} rules[] = {
    /* notes */
    { "[can you / can i / could i / may i / let me / i want to / i need to / i'd like to] ("
      "show / list / read / display / view / see / open / give / get / find / search / tell"
      ") " ME " [all / all of] [of] [my / the] (notes / notebook) [please / to me]",
      notes },
    { "[can you] (show / list / read / display / view / see / open / give / get / find / search / look up / pull "
      "up) " ME " [all / all of] [of] [my / the / any] (note / notes) (about / on / for / regarding / with / "
      "containing / called / from / mentioning / of) {1}",
      notes },
    { "[all / all of] [my / the] notes", notes },
    { "[(" SHOW ")] " ME " [my / the / all / all my] notes (in / under) [the / my] [category] {1} [category]",
      notes_in },
    { "(" SHOW ") " ME " [my / the / all / all my] {1} notes", notes_in },
    { "(what / which) notes are (in / under) [the / my] {1}", notes_in },
    { "[my / the] notes (about / on / for / regarding / with / containing) {1}", notes },
    { "(what / which) notes (do i have / have i [got / made / written / taken] / are there / did i make|write|take) "
      "[(about / on / for / regarding) {1}]",
      notes },
    { "what (are / is in) my notes", notes },
    { "(do i have / are there / have i got) [any] notes [(about / on / for / regarding) {1}]", notes },
    /* is it there? */
    { "(is / are) {1} (on / in / part of) @list [already / yet / today]", on_list },
    { "(do i have / do we have / have i got / did i put / did i add / did i include / did i list / did i write / did i "
      "make a note / have i put / have i added / have we got / "
      "did you add / did you put / did we put / is there / are there / did i already add|put) {1} (on / in / to / onto "
      "/ into) @list [already / yet] {2?}",
      on_list },
    { "(do i have / did i make a note / have i / did i note / did i) on @list [to / a note to] {1}", on_list },
    { "(did i make a note on) @list to {1}", on_list },
    { "(does / has / do) @list (have / contain / include / got) {1} (on it / in it)", on_list },
    { "(does / do) @list (have / contain / include) {1}", on_list },
    { "(on / in) @list is there {1}", on_list },
    { "look to see if i have {1} on @list", on_list },
    { "(check / see / tell me / let me know / check to see / look to see / find out) (if / whether) {1} (is / are) (on "
      "/ in) @list",
      on_list },
    { "(check / see / tell me / let me know / check to see / look to see) (if / whether) (i have / there is / there "
      "are / i put / i added / we have / i've got) {1} (on / in / to) @list",
      on_list },
    { "(did i tell you / did i ask you) to remind me (about / to / of) {1}", on_list },
    { "(do i have / have i set / did i set / is there) [a / any] reminder|reminders (for / about / to) {1}", on_list },
    /* what is there? */
    { "(" SHOW ") " ME " [all / all of / everything on / everything in / what's in / what's on] [my / the] @name "
      "[list / tasks / please]",
      show },
    { "[(" SHOW ")] " ME " (what / which / all / everything / what's) [tasks / things / items / stuff / todos] [that] "
      "[is / are / that's] (in / on / under) [the / my] [category] @name",
      show },
    { "(" SHOW ") " ME " (everything / all / stuff / things) [that / that's / that is / which is / i've / i / i have] "
      "(done / completed / finished / overdue / open / pending / due) {1?}",
      show },
    { "(" SHOW ") " ME " (what's / what is / what / everything) {1?} (on / in) @list {2?}", show },
    { "(tasks / todos / reminders / things / stuff) (due / for / on / in / left / overdue) {1?}", show },
    { "[" SHOW "] " ME " " ALL " @list {1?}", show },
    { "(what / which / how many) {1?} (on / in / to) @list {2?}", show },
    { "(what's / what / what is / what are / who is) {1?} (on / in) @list {2?}", show },
    { "(what is / what's / what are / which are) @list {1?}", show },
    { "@list (contains / has / includes) what {1?}", show },
    { "how long is @list", show },
    { "{1?} (let me / can i / may i / i need to / i want to / i'd like to / i would like to / want to / need to / "
      "could i) (see / hear / know / check / view / read / look at / get / go over / review / have) {2?} @list {3?}",
      show },
    { "(let me know / tell me / inform me of / inform me / read / recite / go over / go through / let's go over / "
      "let's go through / hear / know / show me / give me / list / run through / read out) {1} (on / in / of / off) "
      "@list {2?}",
      show },
    { "what " TASKS " {1?}", show },
    { "(any / got any / have i any) [new / open / more / other] " TASKS " {1?}", show },
    { "(" SHOW ") " ME
      " [all / all of / the / my / all my / all the / of my / about my / what] [the / my] [pending / open / active / "
      "upcoming / current / outstanding / remaining / completed / done / finished / overdue / urgent / incomplete / "
      "unfinished / today's / tomorrow's / next / late / due / schedule for] "
      "[today's / tomorrow's / my] " TASKS " {1?}",
      show },
    { "(show / list / see / view / display / give) " ME
      " [all / my / the / all my] {1} (tasks / todos / reminders) {2?}",
      category_tasks },
    { "[all / my / the / all my] [open / pending / completed / overdue / upcoming / done / finished] " TASKS
      " [please / list / for me / due / for / on / this / next / today / tomorrow / week / month / today's / by] "
      "[today / tomorrow / week / month / the]",
      show },
    { "(go / run / let's go / let's run) (through / over) [all / my / the] [my / the / all] [pending / open / "
      "upcoming] " TASKS,
      show },
    { "(overdue / late) [tasks / items / todos / stuff]", show },
    { "what|what's|anything [is / are / tasks are / do i have / things are] (due / overdue / late / left / pending / "
      "outstanding) {1?}",
      show },
    { "(is / are) (there / anything / there anything / any / there any) [tasks / task / thing / things / items] (due / "
      "overdue / late / left / pending / planned / scheduled) {1?}",
      show },
    { "(what / what all / what else / what stuff / what things) (do i / do we / should i / must i / have i / have i "
      "got / did i / am i supposed) (have / need / got / supposed / still have / still need / want) [got] [left] [to] "
      "(do / remember / get done / finish / complete) {1?}",
      show },
    { "(what / what all / what else) (do / have) i (have / got / have planned / have going on / have on) (today / "
      "tomorrow / tonight / this week / on / for / next / planned / going / due / left / coming / scheduled / to) {1?}",
      show },
    { "what|what's (am i / is on / is planned / on / up / is / is next / is left / is coming up / planned / next / "
      "should i be) (doing / today / tomorrow / for / planned / scheduled / next / left / coming / the agenda / due / "
      "up / on) {1?}",
      show },
    { "what's (next / left / due / pending / open / on today / on tomorrow / on for / planned / planned for / "
      "scheduled / coming up / up next / on the agenda / for today / overdue) {1?}",
      show },
    { "what are the (thing / things / tasks / stuff) (i / that i / i've / that) {1}", show },
    { "what (did / was / were / have) (i / the thing / the things / things) {1?} (want / wanted / trying / told / tell "
      "/ ask / asked / need / supposed / list / listed / put / going) {2?} (to remember / you to / remember / in my "
      "reminders / to do / on my list / not to forget) {3?}",
      show },
    { "remind me what i {1} (to remember / to do / to get / to buy) {2?}", show },
    { "list the things i {1?}", show },
    { "(what / which) [lists / categories] (do i have / are there / have i got / are available)", show },
    { "(do i have / have i got / do we have / is there / are there / have i) [any / anything / something / an / a / "
      "any of / any upcoming] [other] "
      "(appointments / appointment / meetings / meeting / events / event / tasks / task / reminders / reminder / plans "
      "/ planned / scheduled / due / deadlines / birthdays / on / today / tomorrow / to do / left / things to do) {1?}",
      show },
    { "(do i need to be reminded of / do i need to do / am i busy / am i free / do i have time) {1?}", show },
    { "tell me about my (events / appointments / tasks / meetings / day / schedule / week / plans) {1?}", show },
    { "(how many) (tasks / todos / items / reminders / things / appointments / meetings) (do i have / are / have i / "
      "did i) {1?}",
      show },
    { "(when's / when is / when are / when do i have / what time is / what time's / what day is / at what time is / "
      "how long will / how long is / where is / where's) [my / the / our / next] {1} [that] [(i have / be / scheduled "
      "/ planned)] [with {2}]",
      my_event },
    { "(what's / what is) my next {1}", my_event },
    { "what [all / else / things] (do i / do we / should i / am i supposed to / should we / did i) [still] [need to / "
      "have to / want to / need] (buy / get / pick up / purchase) {1?}",
      show },
    { "what [all / else] do i|we [still] need (from / at) [the] {1}", show },
    { "tell me that list {1?}", show },
    { "(what / which) lists {1?}", show },
    { "(please) show {1?} list {2?}", show },
};

/* Whole sentences of a word or three. */
static const char *const brief[] = {
    "[show / my / the / see / all / view] (tasks / todos / todo / to dos / task list / agenda / schedule / reminders / "
    "lists / list / my list / my lists / my tasks / my day) [please / for] [today / tomorrow / this week / next week / "
    "all]",
    "(what's / what is / how's / how is / how does / what does) my (day / week / schedule / agenda / plan / "
    "morning / afternoon / evening / calendar) [look / looking] [like] [today / tomorrow / this week / for] [today / "
    "tomorrow / this week / next week]",
    "(what should i do / what to do / what do i need to do / what do i have to do / what must i do / what do i do) "
    "[next / now / today / tomorrow / this week / this weekend / first]",
    "(plan / plans) for (today / tomorrow / this week)",
    "(today / tomorrow / this week / today's / due today / due tomorrow / due this week / overdue) [tasks / list / "
    "agenda / plan]",
    "i want|need to know what i (have / need) to do {1?}",
};

enum route parse_list(struct sentence *s, struct span span)
{
    struct match m;
    for (size_t i = 0; i < sizeof brief / sizeof *brief; i++)
        if (pattern_match(s->words, span, brief[i], &m))
            return list_tasks(s, span, (struct span){ 0, 0 }, NULL);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (!pattern_match(s->words, span, rules[i].pattern, &m))
            continue;
        if (rules[i].route == show && m.category.begin == m.category.end)
            m.category = list_inside(s, span);
        enum route route = rules[i].route(s, span, &m);
        if (route != ROUTE_NO)
            return route;
    }
    return ROUTE_NO;
}
