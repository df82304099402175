/* SPDX-License-Identifier: MIT
 * parse_done: sentences that report a task as done: "done with bread", "mark 83 as done", "I've bought the milk".  One
 * table of patterns; called by parse_change.c; pure.  News about life ("done with work", "I bought a car") is none. */
#include "router/parse_scan.h"
#include "base/json.h"
#include <string.h>

static const char ask_done[] = "Which task is done?";

/* "finished my run in 30 minutes" reports sport. */
static bool is_sport(const struct sentence *s, struct span span)
{
    struct parse scratch = { .kind = PARSE_NONE };
    struct sentence probe = *s;
    probe.parse = &scratch;
    span.begin = span.begin > 0 ? span.begin - 1 : 0;
    return parse_exercise(&probe, span) != ROUTE_NO;
}

static enum route complete(struct sentence *s, const struct match *m)
{
    struct span span = parse_trim(s->words, m->capture[1]);
    if (m->id) {
        struct json_object *arguments = parse_call(s, "complete_task");
        if (arguments)
            json_set_int(arguments, "task_id", m->id);
        return arguments ? ROUTE_DONE : ROUTE_NEVER;
    }
    static const char tail[] = "just now|already|today|now|finally|this morning|last night|yesterday|for today";
    for (int i = span.begin + 1; i < span.end; i++)
        if (parse_verb(s, (struct span){ i, span.end }, tail) == span.end - i) {
            span.end = i;
            break;
        }
    if (parse_verb(s, span,
                   "eating|dinner|lunch|breakfast|work|school|you|him|her|for today|for the day|talking|life|this "
                   "shit|him|today|now") == span.end - span.begin &&
        span.end > span.begin)
        return ROUTE_NO; /* "done with work" is news, not a task */
    if (parse_verb(s, span, "for|at|in|on|up|from|until|before|after|to|by|a|an|some|another|two|three|lots of|many") &&
        !token_is(words_at(s->words, span.begin), "a task"))
        return ROUTE_NO; /* "I bought a new car" is news */
    if (parse_has(s, span, "if|when|not|never|by|until|before") || s->question)
        return ROUTE_NO;
    if (is_sport(s, span))
        return ROUTE_NO;
    span = parse_name_only(s, span);
    return parse_tasks_named(s, "complete_task", span, ask_done);
}

/* "laundry done", "paid rent": a few words and no doubt. */
static enum route complete_brief(struct sentence *s, const struct match *m)
{
    struct span span = parse_trim(s->words, m->capture[1]);
    static const char doubt[] = "not|almost|nearly|get|be|well|half|when|i|i'm|all|are|you|we|have|has|getting|things|"
                                "over|is|was|were|no|never|will|it|that|this|what|how|who|job|nicely|"
                                "off|him|her|me|back|again|money|attention|nothing|something|anything|everything";
    if (span.end - span.begin > 3 || parse_has(s, span, doubt) ||
        (words_at(s->words, span.begin)->kind == TOKEN_NUMBER && span.end - span.begin > 1))
        return ROUTE_NO;
    return complete(s, m);
}

static enum route complete_chore(struct sentence *s, const struct match *m)
{
    if (!parse_verb(s, m->capture[1],
                    "dishes|laundry|shopping|groceries|taxes|homework|chores|vacuuming|ironing|washing up|cleaning"))
        return ROUTE_NO;
    return complete(s, m);
}

/* "finished my to-do list": all of them is no single task. */
static enum route complete_which(struct sentence *s, const struct match *m)
{
    (void)m;
    parse_call(s, "complete_task");
    return parse_asks(s, ask_done, "content");
}

#define DONE "done|complete|completed|finished"
static const struct parse_rule rules[] = {
    { "(i'm / i am / we're) (done / finished) with @list", complete_which },
    { "(i have / i've / i / i'm) [just / already / finally] (finished / completed / did / done / done with / finished "
      "with / have done) {1} [so / and / you can / please / so please] "
      "(cross / check / take / tick / mark / remove / scratch / delete / get) (it / that / them) [off / done / out / "
      "as done / from / as complete / complete] [of / from / on] [@list]",
      complete },
    { "{1} (is / are) [now / already] done [so / and / you can / please] (cross / check / take / tick / mark / remove "
      "/ scratch / delete) (it / that / them) "
      "[off / done / out / as done / from / complete] [of / from / on] [@list]",
      complete },
    { "mark|set|check|tick [off] {1} as|is " DONE, complete },
    { "mark {1} " DONE, complete },
    { "mark|check|tick {1} off [of / from / on] @list", complete },
    { "mark|check|tick off {1} (from / on / off / in) @list", complete },
    { "mark|check|tick off {1}", complete },
    { "(ticked / checked / crossed) off {1}", complete },
    { "tick|check @id", complete },
    { "[i] [just / finally] got {1} done", complete_brief },
    { "check|tick {1} off", complete },
    { "mark " DONE " [:] {1}", complete },
    { "cross off @id", complete },
    { "complete|finish|close [the / my] task|todo|item|reminder [number] {1}", complete },
    { "complete [: / #] {1}", complete },
    { "(i'm / i am / i'm all / we're) done|finished with {1}", complete },
    { "(done / finished / all done / completed) (with / :) {1}", complete },
    { "done @id", complete },
    { "(i have / i've / i) [just / already / finally] (finished / completed / done) {1}", complete },
    { "[just / finally / already] (finished / completed) {1}", complete },
    { "@id [is / are] [now / already] " DONE, complete },
    { "@id [is / are] [now / already] " DONE " [now]", complete },
    { "task|todo|item|reminder {1} is [now / already / all] " DONE, complete },
    { "{1} (is / are / got) [now / already / all / finally] " DONE, complete },
    { "{1} : done", complete },
    { "(i've / i have) [just / already / finally] (bought / paid / called / sent / cleaned / picked up / emailed / "
      "booked / submitted / washed / fixed / "
      "returned / mailed / renewed / watered / fed / cooked / ordered / taken out / written / done) {1}",
      complete },
    { "(i / we) [just / already / finally] (bought / paid / called / sent / cleaned / picked up / emailed / submitted "
      "/ washed / fixed / returned / "
      "mailed / renewed / watered) {1}",
      complete },
    { "[just / already / finally] (bought / paid / picked up / submitted / mailed / renewed) the|my {1}", complete },
    { "[i] [just / already / finally] did the|my {1}", complete_chore },
    { "[just / already / finally] (bought / paid / called / picked up / submitted / mailed / renewed / returned / "
      "emailed / booked / cleaned / washed / fed / watered) {1}",
      complete_brief },
    { "{1} (done / finished / completed / complete / bought / paid / sent / submitted)", complete_brief },
};

enum route parse_done(struct sentence *s, struct span span)
{
    return parse_apply(s, span, rules, sizeof rules / sizeof *rules);
}
