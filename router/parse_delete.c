/* SPDX-License-Identifier: MIT
 * parse_delete: sentences that take tasks off the list, one or all.  One table of patterns; called by parse_change.c;
 * pure.  A deletion of things outside the list ("delete my account", "remove the photo") is not ours. */
#include "router/parse_scan.h"
#include "base/json.h"
#include <string.h>

static const char ask_delete[] = "Which task should I delete?";

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
    span = parse_name_only(s, span);
    for (int i = span.begin; i + 1 < span.end; i++) /* "the may 11 event called baby shower" */
        if (token_any(words_at(s->words, i), "called|named"))
            span.begin = i + 1;
    return parse_tasks_named(s, "delete_task", span, ask_delete);
}

/* "delete my note about the boiler", "delete note 5". */
static enum route delete_note(struct sentence *s, const struct match *m)
{
    struct span span = parse_trim(s->words, m->capture[1]);
    struct json_object *arguments = parse_call(s, "update_note");
    int64_t id;
    if (!arguments)
        return ROUTE_NEVER;
    json_set_bool(arguments, "delete", true);
    if (pattern_id(s->words, span.begin, span.end, true, &id) == span.end - span.begin)
        json_set_int(arguments, "note_id", id);
    else
        json_set_str(arguments, "content", parse_text(s, span));
    return ROUTE_DONE;
}

static enum route delete_which(struct sentence *s, const struct match *m)
{
    (void)m;
    parse_call(s, "delete_task");
    return parse_asks(s, ask_delete, "content");
}

static enum route delete_id(struct sentence *s, const struct match *m)
{
    struct json_object *arguments = parse_call(s, "delete_task");
    if (arguments)
        json_set_int(arguments, "task_id", m->id);
    return arguments ? ROUTE_DONE : ROUTE_NEVER;
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

/* "completed tasks", "old reminders": a set that no call can name. */
static bool names_many(const struct sentence *s, struct span span)
{
    span = parse_trim(s->words, span);
    return span.end - span.begin > 1 &&
           token_any(words_at(s->words, span.end - 1), "tasks|reminders|todos|items|notes");
}

static enum route delete_bare(struct sentence *s, const struct match *m)
{
    struct span span = parse_trim(s->words, m->capture[1]);
    if (span.end - span.begin > 10 || names_many(s, span) || parse_has(s, span, elsewhere) ||
        parse_has(s, span, "from|if|when|not"))
        return ROUTE_NO;
    return parse_tasks_named(s, "delete_task", span, ask_delete);
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
                   "interview|date|party|lunch|dinner|todo|haircut|dentist|doctor|doctor's|vet|physio|gym|yoga|"
                   "class|lesson|exam|gp|optician|hairdresser|viewing|practice|training");
    int64_t id;
    if (names_many(s, span))
        return ROUTE_NO;
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
    return parse_tasks_named(s, "delete_task", span, ask_delete);
}

/* "stop reminding me about the vitamins". */
static enum route forget(struct sentence *s, const struct match *m)
{
    static const char other[] = "it|that|this|everything|all|him|her|them|me|you|what|how|to|yesterday|today|past|i";
    struct span span = parse_trim(s->words, m->capture[1]);
    if (span.end - span.begin > 5 || token_any(words_at(s->words, span.begin), other))
        return ROUTE_NO;
    return parse_tasks_named(s, "delete_task", span, ask_delete);
}

#define DELETE "delete|remove|erase|drop|scratch|strike|cross|discard|clear|cancel|dismiss|pull|kick|get"
#define OFF "(from / off / off of / out of / on / of / from off)"
static const struct parse_rule rules[] = {
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
    { "(delete / remove / erase / clear / empty / wipe) (all / all my / all the / everything in / everything from) "
      "@name "
      "[list / items / tasks / things / reminders]",
      delete_all },
    { "(delete / remove / erase / clear / empty / wipe) [my / the] @name items|tasks|reminders", delete_all },
    { "(clear / empty / wipe) my|the @name", delete_all },
    { "get rid of|off (everything / all / all items) (on / from / in) @list", delete_all },
    { "(delete / remove / erase / clear / wipe) (everything / all / all of it / them all / all of them)", delete_all },
    { "make @list [go] blank|empty|clear", delete_all },
    { "[i want] @list [to be] (cleared / emptied / wiped / blank / gone)", delete_all },
    { "start @list (over / from scratch / fresh / anew)", delete_all },
    /* delete */
    { "(delete / remove / erase / bin / scrap) [the / my / that] note [number / #] [about / on / for / regarding / "
      "with / "
      "called / saying / that says / :] {1}",
      delete_note },
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
    { "(delete / remove / erase / cancel / drop / dismiss / scrap / bin / kill / ditch) [the / my / a / that] (task / "
      "reminder / todo / item) "
      "[called / named / about / to / for / :] {1}",
      delete_bare },
    { "(delete / remove / erase / cancel / drop / clear) [the / my] (task / reminder / item / last item / last task / "
      "last reminder)",
      delete_which },
    { "(cancel / delete / remove / call off / scrap / ditch / axe / bin / drop) {1}", cancel },
    { "call {1} off", cancel },
    { "(stop / quit) (reminding me|us) (about / of / to) {1}", forget },
    { "delete|erase {1}", delete_bare },
    { "remove {1}", remove_bare },
    { "(delete / remove / erase)", delete_which },
    { "bin|trash|drop|scrap|kill|del|ditch @id", delete_id },
};

enum route parse_delete(struct sentence *s, struct span span)
{
    return parse_apply(s, span, rules, sizeof rules / sizeof *rules);
}
