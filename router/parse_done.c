/* SPDX-License-Identifier: MIT
 * parse_done: sentences that report a task as done: "done with bread", "mark 83 as done", "I've bought the milk".  One
 * table of patterns; called by parse_change.c; pure.  News about life ("done with work", "I bought a car") is none. */
#include "router/parse_scan.h"
#include "base/json.h"
#include <string.h>

static const char ask_done[] = "Which task is done?";

/* "finished my run in 30 minutes", "finished a bottle of water" report no task. */
static bool reports_health(const struct sentence *s, struct span span)
{
    span.begin = span.begin > 0 ? span.begin - 1 : 0;
    return parse_rehearse(s, span, parse_exercise) != ROUTE_NO || parse_rehearse(s, span, parse_water) != ROUTE_NO;
}

/* "the bill this morning": when it was done is no part of the name. */
static struct span without_moment(const struct sentence *s, struct span span)
{
    static const char when[] = "just now|already|today|now|finally|this morning|this afternoon|this evening|last night|"
                               "yesterday|for today|at last|earlier|earlier today|tonight|by the way";
    for (int i = span.begin + 1; i < span.end; i++)
        if (parse_verb(s, (struct span){ i, span.end }, when) == span.end - i)
            return (struct span){ span.begin, i };
    return span;
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
    span = parse_trim(s->words, without_moment(s, span));
    if (parse_verb(s, span,
                   "eating|dinner|lunch|breakfast|work|school|you|him|her|for today|for the day|talking|life|this "
                   "shit|him|today|now") == span.end - span.begin &&
        span.end > span.begin)
        return ROUTE_NO; /* "done with work" is news, not a task */
    if (parse_verb(s, span,
                   "for|with|at|in|on|up|from|until|before|after|to|by|a|an|some|another|two|three|lots of|many") &&
        !token_is(words_at(s->words, span.begin), "a task"))
        return ROUTE_NO; /* "I bought a new car" is news */
    if (parse_has(s, span, "if|when|not|never|by|until|before|wrong|great|terrible|amazing") || s->question)
        return ROUTE_NO;
    if (reports_health(s, span))
        return ROUTE_NO;
    span = parse_name_only(s, span);
    return parse_tasks_named(s, "complete_task", span, ask_done);
}

/* "laundry done", "paid rent": a few words and no doubt. */
static enum route complete_brief(struct sentence *s, const struct match *m)
{
    struct span span = parse_trim(s->words, without_moment(s, parse_trim(s->words, m->capture[1])));
    static const char doubt[] = "not|almost|nearly|get|be|well|half|when|i|i'm|all|are|you|we|have|has|getting|things|"
                                "over|is|was|were|no|never|will|it|that|this|what|how|who|job|nicely|"
                                "off|him|her|me|back|again|money|attention|nothing|something|anything|everything|"
                                "mind|minds|job|deal|idea|message|joke|point|flu|cold|hint|feeling|blues|here|there|"
                                "thanks|good|better|worse|so|too|sure|right|them|fun|someone|somebody|lucky|lost|"
                                "sick|drunk|stuck|mad|angry|fat|older|covid|news|hang|picture|memo|gist|chance|day|"
                                "that's|it's|he's|she's|at";
    int64_t id[PARSE_CALLS_MAX];
    if (parse_ids(s, span, id) > 1)
        return parse_tasks_named(s, "complete_task", span, ask_done); /* "6 and 9 done" */
    int most = token_any(words_at(s->words, span.begin), "the|my|our") ? 5 : 3;
    if (span.end - span.begin > most || parse_has(s, span, doubt) ||
        (words_at(s->words, span.begin)->kind == TOKEN_NUMBER && span.end - span.begin > 1))
        return ROUTE_NO;
    return complete(s, m);
}

static enum route complete_chore(struct sentence *s, const struct match *m)
{
    if (!parse_has(s, m->capture[1],
                   "dishes|laundry|shopping|groceries|taxes|homework|chores|vacuuming|hoovering|ironing|washing|"
                   "cleaning|bin|bins|trash|rubbish|garbage|recycling|compost|gardening|dusting|mopping"))
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
/* What a person reports to have done; "made", "read" and "saw" are news more often than tasks. */
#define DEED                                                                                                           \
    "bought|paid|called|phoned|rang|sent|cleaned|emailed|texted|messaged|booked|ordered|submitted|washed|fixed|"       \
    "repaired|returned|mailed|posted|renewed|watered|fed|cooked|baked|written|wrote|hoovered|vacuumed|mopped|swept|"   \
    "dusted|ironed|folded|mowed|tidied|sorted|organised|organized|packed|unpacked|wrapped|signed|filed|printed|"       \
    "scanned|replaced|emptied|refilled|defrosted|descaled|painted|assembled|installed|arranged|collected|fetched|"     \
    "delivered|donated|recycled|uploaded|wiped|raked|shovelled|pruned|registered|confirmed|scheduled / picked up / "   \
    "dropped off / put away / put out / taken out / took out / thrown out / threw out / handed in / filled in / "      \
    "filled out / filled up / set up / backed up / topped up / sorted out / cleaned up / tidied up / cleaned out / "   \
    "hung up / sent off"
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
    { "(i've / i have / we've / we have) [just / already / finally] (" DEED ") {1}", complete },
    { "(i / we) [just / already / finally] (" DEED ") the|my|our {1}", complete },
    { "(i / we) [just / already / finally] (" DEED ") {1}", complete_brief },
    { "[i] [just / already / finally] did the|my {1}", complete_chore },
    { "[i / i've / i have / we] [just / already / finally] (took / taken / put) {1} (out / away)", complete_chore },
    { "[i / i've / i have / we] [just / already / finally] (picked / topped / filled / cleaned / wrapped / tidied) {1} "
      "up",
      complete_brief },
    { "[i / i've / i have / we] [just / already / finally] (dropped / sent / handed / filled) {1} (off / in / out)",
      complete_brief },
    { "[i / i've / i have / we] [just / already / finally] (done / got the / got my / got some) {1}", complete_brief },
    { "[just / already / finally] (" DEED ") {1}", complete_brief },
    { "that's {1} (done / sorted / finished / completed)", complete_brief },
    { "{1} (done / finished / completed / complete / bought / paid / sent / submitted)", complete_brief },
};

enum route parse_done(struct sentence *s, struct span span)
{
    return parse_apply(s, span, rules, sizeof rules / sizeof *rules);
}
