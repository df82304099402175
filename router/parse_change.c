/* SPDX-License-Identifier: MIT
 * parse_change: sentences that complete, delete, move, rename tasks, and undo.  One table of patterns; called by
 * parse.c; pure.  A deletion of things outside the task list ("delete my account", "remove the photo") is not ours. */
#include "router/parse_scan.h"
#include "base/json.h"
#include <string.h>

static const char determiners[] =
    "the|a|an|my|our|that|this|those|these|all the|task|the task|reminder|the reminder|my reminder|item|the item|"
    "the task to|task to|reminder to|the reminder to|my reminder to|the reminder for|reminder for|my reminder for|"
    "the reminder about|my reminder about|task called|the task called|the todo|todo|the one about|off|it called|"
    "the event called|the item called|item called|the list called|with|my task|my task to";

/* "the report" → "report"; "task called 'x'" → "x". */
static struct span bare(const struct sentence *s, struct span span)
{
    span = parse_trim(s->words, span);
    int n = parse_verb(s, span, determiners);
    if (n && span.begin + n < span.end)
        span.begin += n;
    return parse_trim(s->words, span);
}

static bool pronoun(const struct sentence *s, struct span span)
{
    return parse_verb(s, span,
                      "it|them|that|this|that one|this one|these|those|something|some|one|the last one|something "
                      "else|a task|task|a reminder|reminder|tasks|an item") == span.end - span.begin;
}

/* Name the task: by number when the span is one, else by its words.  False: nothing to go by. */
static bool name_task(struct sentence *s, struct json_object *arguments, struct span span)
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

static enum route one_task(struct sentence *s, const char *tool, struct span span, const char *ask)
{
    span = parse_trim(s->words, span);
    if (span.begin >= span.end || pronoun(s, span)) {
        parse_call(s, tool);
        return parse_asks(s, ask, "content");
    }
    struct json_object *arguments = parse_call(s, tool);
    if (!arguments)
        return ROUTE_NEVER;
    return name_task(s, arguments, span) ? ROUTE_DONE : ROUTE_NO;
}

static const char ask_done[] = "Which task is done?";
static const char ask_delete[] = "Which task should I delete?";
static const char ask_change[] = "Which task should I change?";
static const char ask_date[] = "To which date should I move it?";

static enum route ids_or_words(struct sentence *s, const char *tool, struct span span, const char *ask)
{
    int64_t id[PARSE_CALLS_MAX];
    int count = 0, i = span.begin;
    span = parse_trim(s->words, span);
    i = span.begin + token_any(words_at(s->words, span.begin), "tasks|items|todos|numbers");
    while (i < span.end && count < PARSE_CALLS_MAX) { /* "tasks 3, 5 and 8" */
        int n = pattern_id(s->words, i, span.end, true, &id[count]);
        if (!n)
            break;
        count++;
        i += n;
        while (i < span.end && (token_punct(words_at(s->words, i), ",&+") || token_is(words_at(s->words, i), "and")))
            i++;
    }
    if (count < 2 || i != span.end || s->parse->call_count + count > PARSE_CALLS_MAX)
        return one_task(s, tool, span, ask);
    for (int k = 0; k < count; k++)
        json_set_int(parse_call(s, tool), "task_id", id[k]);
    return ROUTE_DONE;
}

/* Cut "on my to do list" and a closing date off a name. */
static struct span name_only(const struct sentence *s, struct span span)
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
    span = name_only(s, span);
    return ids_or_words(s, "complete_task", span, ask_done);
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

static const char elsewhere[] =
    "account|accounts|photo|photos|picture|pictures|email|emails|mail|mails|message|messages|song|songs|playlist|"
    "file|files|contact|contacts|alarm|alarms|app|apps|note|notes|history|data|folder|cache|chat|chats|yourself|"
    "sleep|weight|log|logs|entry|database|everyone|comment|post|tweet|podcast|track|cookies|browser|subscription|"
    "stain|stains|makeup|clothes|shoes|jacket|coat|clear|throat|snow|air|sky|table|desk|path|way";

static enum route delete_from(struct sentence *s, const struct match *m)
{
    struct span span = m->capture[1];
    if (parse_verb(s, span,
                   "everything|all|all of it|all tasks|all items|all of them|all the items|all the tasks|every "
                   "task|every item|all my tasks|everything off|all things") == span.end - span.begin) {
        struct json_object *arguments = parse_call(s, "delete_task");
        if (!arguments)
            return ROUTE_NEVER;
        json_set_bool(arguments, "all", true);
        const char *category = parse_category(s, m->category);
        if (category)
            json_set_str(arguments, "category", category);
        return ROUTE_DONE;
    }
    s->category = m->category;
    span = parse_trim(s->words, span);
    if (span.end > span.begin && token_is(words_at(s->words, span.end - 1), "off"))
        span.end--;
    int scheduled = parse_find(s, span, "scheduled|planned");
    if (scheduled > span.begin + 1)
        span.end = scheduled;
    span = name_only(s, span);
    for (int i = span.begin; i + 1 < span.end; i++) /* "the may 11 event called baby shower" */
        if (token_any(words_at(s->words, i), "called|named"))
            span.begin = i + 1;
    return ids_or_words(s, "delete_task", span, ask_delete);
}

static enum route delete_which(struct sentence *s, const struct match *m)
{
    (void)m;
    parse_call(s, "delete_task");
    return parse_asks(s, ask_delete, "content");
}

static enum route delete_all(struct sentence *s, const struct match *m)
{
    struct json_object *arguments = parse_call(s, "delete_task");
    if (!arguments)
        return ROUTE_NEVER;
    json_set_bool(arguments, "all", true);
    const char *category = m->list ? parse_category(s, m->category) : NULL;
    if (category)
        json_set_str(arguments, "category", category);
    return ROUTE_DONE;
}

static enum route delete_bare(struct sentence *s, const struct match *m)
{
    struct span span = parse_trim(s->words, m->capture[1]);
    if (span.end - span.begin > 10 || parse_has(s, span, elsewhere) || parse_has(s, span, "from|if|when|not"))
        return ROUTE_NO;
    return ids_or_words(s, "delete_task", span, ask_delete);
}

/* "remove the milk carton from the fridge" is no deletion; only a sure name of ours is. */
static enum route remove_bare(struct sentence *s, const struct match *m)
{
    struct span span = parse_trim(s->words, m->capture[1]);
    if (span.end - span.begin > 6)
        return ROUTE_NO;
    return delete_bare(s, m);
}

static enum route cancel(struct sentence *s, const struct match *m)
{
    struct span span = m->capture[1];
    int noun =
        parse_find(s, span,
                   "appointment|appointments|meeting|meetings|reminder|reminders|event|task|tasks|call|session|checkup|"
                   "interview|date|party|lunch|dinner|todo");
    int64_t id;
    if (noun < 0 && !pattern_id(s->words, span.begin, span.end, false, &id))
        return ROUTE_NO;
    struct due due;
    parse_due(s, span, false, &due);
    for (int k = due.cuts - 1; k >= 0; k--)
        if (due.cut[k].end == parse_trim(s->words, span).end)
            span.end = due.cut[k].begin;
    int scheduled = parse_find(s, span, "scheduled|that|i|for|on|at|from");
    if (scheduled > noun && noun >= 0)
        span.end = scheduled;
    int called = parse_find(s, span, "called|named");
    if (called > span.begin)
        span.begin = called + 1;
    return one_task(s, "delete_task", span, ask_delete);
}

/* {1} to {2}: a date when {2} is one; otherwise a new wording, when the sentence says it is about a task. */
static enum route put_date(struct sentence *s, struct span task, struct span when)
{
    struct due due;
    parse_due(s, when, false, &due);
    struct json_object *arguments = parse_call(s, "update_task");
    if (!arguments)
        return ROUTE_NEVER;
    if (pronoun(s, task))
        return parse_set_due(s, arguments, &due, "due_date"), parse_asks(s, ask_change, "content");
    if (!name_task(s, arguments, task))
        return ROUTE_NO;
    parse_set_due(s, arguments, &due, "due_date");
    return ROUTE_DONE;
}

static enum route move_to(struct sentence *s, const struct match *m)
{
    struct span when = parse_trim(s->words, m->capture[2]), task = m->capture[1];
    if (!parse_all_date(s, when))
        return ROUTE_NO;
    struct due due; /* "move my dentist appointment on monday to friday": the old date is no part of the name */
    parse_due(s, task, false, &due);
    if (due.cuts == 1 && due.cut[0].end == parse_trim(s->words, task).end && due.cut[0].begin > task.begin)
        task.end = due.cut[0].begin;
    if (token_any(words_at(s->words, task.end - 1), "from|back|out|forward|up") && task.end - task.begin > 1)
        task.end--;
    return put_date(s, task, when);
}

/* "push task 5 back by 2 days": relative to a date only the task knows. */
static enum route move_by(struct sentence *s, const struct match *m)
{
    struct json_object *arguments = parse_call(s, "update_task");
    if (arguments)
        name_task(s, arguments, m->capture[1]);
    return parse_asks(s, ask_date, "due_date");
}

static enum route snooze(struct sentence *s, const struct match *m)
{
    struct span when = parse_trim(s->words, m->capture[2]);
    const char *text = parse_text(s, when);
    struct when found;
    if (*text && !when_parse(s->arena, text, s->options, &found) &&
        !when_parse(s->arena, arena_printf(s->arena, "in %s", text), s->options, &found))
        return ROUTE_NO;
    struct json_object *arguments = parse_call(s, "update_task");
    if (!arguments)
        return ROUTE_NEVER;
    bool named = !pronoun(s, m->capture[1]) && name_task(s, arguments, m->capture[1]);
    if (!*text)
        return parse_asks(s, ask_date, "due_date");
    struct due due = { .found = true, .at = found.at };
    parse_set_due(s, arguments, &due, "due_date");
    return named ? ROUTE_DONE : parse_asks(s, ask_change, "content");
}

static enum route rename_to(struct sentence *s, const struct match *m)
{
    struct json_object *arguments = parse_call(s, "update_task");
    if (!arguments)
        return ROUTE_NEVER;
    if (!name_task(s, arguments, m->capture[1]))
        return ROUTE_NO;
    struct span wording = parse_trim(s->words, m->capture[2]);
    wording.begin += parse_verb(s, wording, "say|be|read") * (wording.end - wording.begin > 1);
    json_set_str(arguments, "new_content", parse_text(s, wording));
    return ROUTE_DONE;
}

/* "edit task 5: …". */
static enum route rename_numbered(struct sentence *s, const struct match *m)
{
    int64_t id;
    int n = pattern_id(s->words, m->capture[1].begin, m->capture[1].end, true, &id);
    return n && m->capture[1].begin + n == m->capture[1].end ? rename_to(s, m) : ROUTE_NO;
}

/* "change task 5 to …": a date moves it, words rename it; without a number only a date is sure. */
static enum route change_to(struct sentence *s, const struct match *m)
{
    int64_t id;
    struct span task = parse_trim(s->words, m->capture[1]);
    if (parse_all_date(s, m->capture[2]))
        return put_date(s, task, m->capture[2]);
    int n = pattern_id(s->words, task.begin, task.end, false, &id);
    return n && task.begin + n == task.end ? rename_to(s, m) : ROUTE_NO;
}

static enum route move_category(struct sentence *s, const struct match *m)
{
    const char *category = parse_category(s, m->list ? m->category : m->capture[2]);
    if (!category)
        return ROUTE_NO;
    struct json_object *arguments = parse_call(s, "update_task");
    if (!arguments)
        return ROUTE_NEVER;
    if (!name_task(s, arguments, m->capture[1]))
        return ROUTE_NO;
    json_set_str(arguments, "category", category);
    return ROUTE_DONE;
}

/* "set task 5 to friday", "move task 5 to work": only with a number it is surely about a task. */
static enum route set_numbered(struct sentence *s, const struct match *m)
{
    int64_t id;
    struct span task = parse_trim(s->words, m->capture[1]), to = parse_trim(s->words, m->capture[2]);
    int n = pattern_id(s->words, task.begin, task.end, true, &id);
    if (!n || task.begin + n != task.end)
        return ROUTE_NO;
    if (parse_all_date(s, to))
        return put_date(s, task, to);
    return token_is(words_at(s->words, 0), "set") || to.end - to.begin > 2 ? ROUTE_NO : move_category(s, m);
}

static enum route undo(struct sentence *s, const struct match *m)
{
    (void)m;
    return parse_call(s, "undo") ? ROUTE_DONE : ROUTE_NEVER;
}

#define DELETE "delete|remove|erase|drop|scratch|strike|cross|discard|clear|cancel|dismiss|pull|kick|get"
#define OFF "(from / off / off of / out of / on / of / from off)"
#define DONE "done|complete|completed|finished|checked|closed"
static const struct {
    const char *pattern;
    enum route (*route)(struct sentence *, const struct match *);
} rules[] = {
    { "undo [that / it / this / the last / my last / last / all of that] [one / change / action / thing / entry / log "
      "/ task / message]",
      undo },
    { "(take that back / revert that / revert it / revert / revert the last change / never mind that / scratch that / "
      "undo last / roll that back / reverse that)",
      undo },
    /* done */
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
    /* bulk */
    { "(delete / remove / erase / clear / wipe / empty / drop / cancel / reset / purge) [out / off / up] [everything / "
      "all / all of / all items / every item] [my / the / of my] [open / existing / current] "
      "(tasks / todos / reminders / lists / to dos)",
      delete_all },
    { "(delete / remove / erase / clear / wipe / empty / reset / blank / purge / clean / get rid / trash / nuke) [out "
      "/ off / of / up] [everything / all / all of / all items / all tasks / every item / all the items / the whole / "
      "the entire] "
      "[from / on / off / in / of / out of / that is on / that's on] @list",
      delete_all },
    { "get rid of|off (everything / all / all items) (on / from / in) @list", delete_all },
    { "(delete / remove / erase / clear / wipe) (everything / all / all of it / them all / all of them)", delete_all },
    { "make @list [go] blank|empty|clear", delete_all },
    { "[i want] @list [to be] (cleared / emptied / wiped / blank / gone)", delete_all },
    { "start @list (over / from scratch / fresh / anew)", delete_all },
    /* delete */
    { "i no longer need|want|have [to] {1} [so / ; / please] take|remove|delete|cross|get|scratch (it / that / them) "
      "[off / of / from / out] [of] [@list]",
      delete_from },
    { "i don't need|want|have [to] {1} [anymore] [so / ; / please] take|remove|delete|cross|get|scratch (it / that / "
      "them) [off / of / from / out] [of] [@list]",
      delete_from },
    { "[you] (take / pull / kick) {1} (off / off of / out of / from / of) @list", delete_from },
    { "take {1} off", delete_from },
    { "(on / from / off) @list [please] (delete / remove / cross off / cross / drop / erase / take off / scratch) {1}",
      delete_from },
    { "(cross / scratch / strike) (off / out) {1} [(from / off / on / off of) @list]", delete_from },
    { "take off {1} (from / off / of) @list", delete_from },
    { DELETE " [off / out / rid of] {1} " OFF " @list", delete_from },
    { "get rid of [the / my] (task / reminder / item) {1}", delete_from },
    { "(delete / remove / erase / cancel / drop / dismiss) [the / my / a / that] (task / reminder / todo / item) "
      "[called / named / about / to / for / :] {1}",
      delete_bare },
    { "(delete / remove / erase / cancel / drop / clear) [the / my] (task / reminder / item / last item / last task / "
      "last reminder)",
      delete_which },
    { "cancel|delete|remove {1}", cancel },
    { "delete|erase {1}", delete_bare },
    { "remove {1}", remove_bare },
    { "(delete / remove / erase)", delete_which },
    /* move, rename */
    { "rename {1} (to / as / into) {2}", rename_to },
    { "(change / edit / update / set / make) [the] (text / name / title / wording / content) of {1} to {2}",
      rename_to },
    { "edit|update|change|rename {1} : {2}", rename_numbered },
    { "(change / move / set / update / push / make) [the] [due] (date / deadline / time / day / due date / reminder) "
      "(of / for / on) {1} to|for|at {2}",
      move_to },
    { "(move / push / shift / reschedule / postpone / delay / defer / bump / put off / bring forward / push back / "
      "bring / carry / hold / kick) {1} (to / until / till / for / forward to / back to / over to / out to) {2}",
      move_to },
    { "(move / push / shift / postpone / delay / defer / bump / put off / extend) {1} [back / forward / out] by {2}",
      move_by },
    { "(reschedule / postpone / delay / defer) {1}", move_by },
    { "snooze {1} (for / until / till / to / by / another) {2}", snooze },
    { "snooze {1}", move_by },
    { "(move / put / file / assign) {1} (to / into / in / under) [the / my] category {2}", move_category },
    { "(move / put / file / assign) {1} (to / into / in / under) [the / my] {2} category", move_category },
    { "(move / shift) {1} (to / into / onto) @list", move_category },
    { "(set / change) [the] category of {1} to {2}", move_category },
    { "make {1} due [on / at / by] {2}", move_to },
    { "(change / update / edit) {1} to {2}", change_to },
    { "(set / make / move) {1} (to / for) {2}", set_numbered },
};

enum route parse_change(struct sentence *s, struct span span)
{
    struct match m;
    if (parse_is_question(s, span))
        return ROUTE_NO;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        int calls = s->parse->call_count;
        if (!pattern_match(s->words, span, rules[i].pattern, &m))
            continue;
        enum route route = rules[i].route(s, &m);
        if (route != ROUTE_NO)
            return route;
        s->parse->call_count = calls;
    }
    return ROUTE_NO;
}
