/* SPDX-License-Identifier: MIT
 * turn_model: the path through a language model: one answer after another, and what becomes of each.  A message that
 * only writes costs one call: the calls of the answer are validated together, executed in one transaction, and
 * confirmed from the rows.  What a later round needs is recorded before the model is asked again (turn_talk.h). */
#include "base/json.h"
#include "router/prompt.h"
#include "router/tool_rows.h"
#include "router/turn_talk.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

/* --- the tools as the model sees them: made once, frozen --- */

enum { MODEL_TOOLS_MAX = 24 };
static struct model_tool model_tools[MODEL_TOOLS_MAX];
static int model_tool_count;
static pthread_once_t model_tools_once = PTHREAD_ONCE_INIT;

static void model_tools_make(void)
{
    for (int i = 0; tool_table[i]; i++) {
        assert(i < MODEL_TOOLS_MAX);
        model_tools[model_tool_count++] =
            (struct model_tool){ tool_table[i]->name, tool_table[i]->doc, tool_schema(tool_table[i]) };
    }
}

static const char *note_html(struct turn *t, const char *words)
{
    struct reply r;
    reply_init(&r, t->arena);
    reply_italic(&r, words);
    return arena_strdup(t->arena, buf_str(&r.html));
}

/* --- one answer of the model --- */

/* Validate every call; the first refusal is kept in *why and nothing runs. */
static bool all_valid(struct turn *t, const struct model_reply *r, int *bad, struct error *why)
{
    turn_clear_calls(t);
    for (int i = 0; i < r->call_count; i++) {
        const struct model_call *c = &r->calls[i];
        *bad = i;
        if (!c->arguments) {
            fail(why, ST_INVALID, "the arguments are not a JSON object: %.200s",
                 c->arguments_text ? c->arguments_text : "");
            return false;
        }
        if (turn_add_call(t, c->name, c->arguments, why))
            return false;
    }
    return true;
}

static enum status ask_person(struct turn *t, const struct error *why, struct error *e)
{
    turn_clear_calls(t);
    t->act = NULL;
    t->outcome = "asked";
    turn_say(t, "I could not work that out: %s. Could you say it in other words?", why->text);
    return turn_finish(t, e);
}

/* The person asked to see something, and nothing suggests that more is to follow. */
static bool is_plain_listing(struct turn *t)
{
    struct when_options o = turn_when_options(t);
    struct parse p = { 0 };
    parse_sentence(t->arena, t->text, &o, &p);
    if (p.kind != PARSE_CALLS)
        return false;
    for (int i = 0; i < p.call_count; i++) {
        const struct tool *tool = tool_find(p.calls[i].tool);
        if (!tool || tool->policy != TOOL_READS)
            return false;
    }
    return true;
}

static void copy_items(struct json_object *to, struct json_object *from)
{
    for (size_t i = 0; from && i < json_object_array_length(from); i++)
        json_push(to, json_object_get(json_object_array_get_idx(from, i)));
}

static struct json_object *without_items(struct json_object *found)
{
    struct json_object *rest = json_object_new_object();
    json_object_object_foreach(found, key, value)
    {
        if (strcmp(key, "evidence") != 0)
            json_set(rest, key, json_object_get(value));
    }
    return rest;
}

/* What the questions of one answer found; several are answered together, in the person's own words. */
static struct json_object *gather_evidence(struct turn *t, const char **query)
{
    struct json_object *found = NULL, *items = json_object_new_array(), *parts = json_object_new_array();
    for (int i = 0; i < t->call_count; i++) {
        if (t->args[i].tool != &tool_ask_question)
            continue;
        found = t->data[i];
        *query = json_object_array_length(parts) ? t->text : arg_text(&t->args[i], "query");
        copy_items(items, json_at(found, "evidence"));
        json_push(parts, without_items(found));
    }
    bool several = json_object_array_length(parts) > 1;
    struct json_object *all = json_keep(t->arena, json_object_new_object());
    json_set(all, "evidence", items);
    json_set(all, "figures", parts);
    return several ? all : found;
}

/* Questions: the rows that may answer are looked up and recorded, then a second conversation without tools phrases it.
 */
static enum status answer_question(struct turn *t, struct talk *k, const struct model_reply *r, struct error *e)
{
    struct json_object *step = talk_step(t, r);
    const char *query = t->text;
    /* What the questions render is the answer without a model, used when the second call fails. */
    if (turn_read_calls(t, &t->fallback, e))
        return e->status;
    struct json_object *evidence = gather_evidence(t, &query);
    json_set(step, "evidence", json_object_get(evidence));
    json_set_str(step, "query", query);
    json_set_str(step, "fallback", buf_str(&t->fallback.html));
    t->skip_reads = true;
    enum status s = talk_record(t, k, step, r, e);
    t->skip_reads = false;
    if (s)
        return s;
    return turn_answer(t, evidence, query, e);
}

static enum status look_up(struct turn *t, struct talk *k, const struct model_reply *r, struct error *e)
{
    struct reply before = t->lead;
    reply_init(&t->lead, t->arena);
    if (turn_read_calls(t, &t->lead, e))
        return e->status;
    t->listing = t->lead;
    t->lead = before;
    return talk_record(t, k, talk_step(t, r), r, e);
}

/* Words without calls: small talk, a question back, or the end of a look-up. */
static enum status speak(struct turn *t, const struct model_reply *r, struct error *e)
{
    turn_clear_calls(t);
    t->act = NULL;
    if (r->stop == MODEL_STOP_REFUSED)
        turn_say(t, "The model declined to answer that. Nothing was changed.");
    else if (*r->text)
        turn_say(t, "%s", r->text);
    else if (reply_empty(&t->listing))
        turn_say(t, "I have nothing to say to that. Could you put it in other words?");
    if (!reply_empty(&t->listing))
        reply_append(&t->lead, &t->listing);
    return turn_finish(t, e);
}

enum next { NEXT_ROUND, NEXT_DONE };

static enum status on_reply(struct turn *t, struct talk *k, const struct model_reply *r, enum next *next,
                            struct error *e)
{
    struct error why = { 0 };
    int bad = 0;
    *next = NEXT_DONE;
    if (r->too_many_calls) {
        fail(&why, ST_LIMIT, "one message can hold at most %d actions", TURN_CALLS_MAX);
        return ask_person(t, &why, e);
    }
    if (r->call_count == 0)
        return speak(t, r, e);
    if (!all_valid(t, r, &bad, &why)) {
        if (k->repairs > 0 || !r->raw)
            return ask_person(t, &why, e);
        *next = NEXT_ROUND;
        return talk_refuse(t, k, r, bad, &why, e);
    }
    if (t->has_question)
        return answer_question(t, k, r, e);
    if (!t->reads_only || is_plain_listing(t))
        return turn_run_calls(t, e);
    *next = NEXT_ROUND;
    return look_up(t, k, r, e);
}

/* --- when there is no model to ask --- */

/* What was done or looked up so far, and why it ends there. */
static enum status stop_here(struct turn *t, const char *why, struct error *e)
{
    t->act = NULL;
    t->tail = note_html(t, why);
    if (!reply_empty(&t->listing))
        reply_append(&t->lead, &t->listing);
    if (!reply_empty(&t->fallback))
        reply_append(&t->lead, &t->fallback);
    return turn_finish(t, e);
}

/* A refused answer or a look-up has done nothing yet: the parser reads the message as if it were new.  why NULL: it
 * was said before. */
static enum status without_model(struct turn *t, const char *why, struct error *e)
{
    t->report->path = "parser";
    t->act = NULL;
    if (!reply_empty(&t->lead))
        return stop_here(t, why ? arena_printf(t->arena, "%s; I stopped here.", why) : "I stopped here.", e);
    if (why)
        t->tail = note_html(t, arena_printf(t->arena, "%s; the built-in parser read this.", why));
    return turn_by_parser(t, e);
}

static enum status rounds(struct turn *t, struct talk *k, struct error *e)
{
    struct model_request q = {
        .system = prompt_system(),
        .tools = model_tools,
        .tool_count = model_tool_count,
        .output_tokens_max = MODEL_OUTPUT_TOKENS_MAX,
    };
    while (t->round < TURN_ROUNDS_MAX) {
        struct model_reply r = { 0 };
        enum next next;
        q.messages = k->message;
        q.message_count = k->count;
        enum status s = model_step(t->env->models, t->env->http, t->arena, &q, k->provider, t->env->cancel, &r, e);
        turn_note_usage(t, &r,
                        s == OK ? "ok" : "failed"); /* also of a call that was cut off: written by the give-back */
        if (s == ST_SHUTDOWN)
            return s;
        t->report->rounds++;
        if (s)
            return without_model(t, arena_printf(t->arena, "No language model answered just now (%s)", e->text), e);
        if (r.stop == MODEL_STOP_TRUNCATED || r.stop == MODEL_STOP_OTHER)
            return without_model(t, "The model's answer came incomplete, so nothing of it was used", e);
        if (r.failed_provider)
            t->tail = note_html(t, arena_printf(t->arena, "%s; %s answered instead.",
                                                r.failed_sentence ? r.failed_sentence : r.failed_provider, r.model));
        s = on_reply(t, k, &r, &next, e);
        if (s || next == NEXT_DONE)
            return s;
    }
    return stop_here(t, "I stopped here: this took more steps than one message may.", e);
}

enum status turn_by_model(struct turn *t, struct error *e)
{
    struct talk *k = arena_alloc(t->arena, sizeof *k);
    bool over, first;
    pthread_once(&model_tools_once, model_tools_make);
    t->report->path = "model";
    if (talk_open(t, k, e) || turn_over_limit(t, &over, &first, e))
        return e->status;
    if (over)
        return without_model(t, first ? "Today's token limit is used up until midnight" : NULL, e);
    if (t->env->typing)
        t->env->typing(t->env->arg, &t->in, true);
    enum status s = k->resume_answer ? turn_answer(t, k->evidence, k->query, e) : rounds(t, k, e);
    if (t->env->typing)
        t->env->typing(t->env->arg, &t->in, false);
    return s;
}
