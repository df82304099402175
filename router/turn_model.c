/* SPDX-License-Identifier: MIT
 * turn_model: the path through a language model.  A message that only writes costs one call: the calls of the answer
 * are validated together, executed in one transaction, and confirmed from the rows.  What a later round needs is
 * recorded first, so that a turn which was interrupted goes on from its steps and asks nothing twice. */
#include "base/json.h"
#include "router/prompt.h"
#include "router/tool_rows.h"
#include "router/turn_internal.h"
#include "store/categories.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

struct talk { /* the conversation of one turn */
    struct model_message message[MODEL_MESSAGES_MAX];
    int count;
    int repairs;
    const char *provider; /* the one that began; NULL before the first answer */
    bool resume_answer;   /* the last step left evidence to answer from */
    struct json_object *evidence;
    const char *query;
};

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

/* --- the conversation --- */

static void say(struct talk *k, struct model_message m)
{
    if (k->count < MODEL_MESSAGES_MAX)
        k->message[k->count++] = m;
}

/* Roles must alternate: neighbours of one role become one message. */
static void say_history(struct turn *t, struct talk *k, const struct history_turn *h, int count)
{
    for (int i = 0; i < count; i++) {
        enum model_role role = h[i].from_user ? MODEL_USER : MODEL_ASSISTANT;
        struct model_message *last = k->count ? &k->message[k->count - 1] : NULL;
        if (last && last->role == role)
            last->text = arena_printf(t->arena, "%s\n\n%s", last->text, h[i].text);
        else
            say(k, (struct model_message){ .role = role, .text = h[i].text });
    }
}

static void say_now(struct turn *t, struct talk *k, const char *const *categories, int category_count)
{
    struct prompt_turn p = {
        .now = t->now,
        .zone = t->user.zone,
        .categories = categories,
        .category_count = category_count,
        .text = t->text,
        .replied = t->in.quoted,
        .replied_is_ours = t->in.quoted != NULL,
    };
    const char *text = prompt_user(t->arena, &p);
    struct model_message *last = k->count ? &k->message[k->count - 1] : NULL;
    if (last && last->role == MODEL_USER) /* an earlier message that got no answer */
        last->text = arena_printf(t->arena, "%s\n\n%s", last->text, text);
    else
        say(k, (struct model_message){ .role = MODEL_USER, .text = text });
}

static void say_step(struct turn *t, struct talk *k, struct json_object *step)
{
    struct json_object *rows = json_at(step, "results");
    int n = rows ? (int)json_object_array_length(rows) : 0;
    struct model_result *results = arena_alloc(t->arena, (size_t)(n + 1) * sizeof *results);
    for (int i = 0; i < n; i++) {
        struct json_object *r = json_object_array_get_idx(rows, (size_t)i);
        results[i] =
            (struct model_result){ json_str(r, "id", ""), json_str(r, "text", ""), json_flag(r, "is_error", false) };
    }
    say(k, (struct model_message){ .role = MODEL_ASSISTANT, .raw = json_at(step, "raw") });
    say(k, (struct model_message){ .role = MODEL_RESULTS, .results = results, .result_count = n });
    k->provider = json_str(step, "provider", NULL);
    k->repairs += json_flag(step, "repair", false);
    k->evidence = json_at(step, "evidence");
    k->query = json_str(step, "query", NULL);
    k->resume_answer = k->evidence != NULL;
}

/* What an earlier life of this turn rendered comes first in the reply. */
static void take_lead(struct turn *t, struct json_object *step)
{
    const char *html = json_str(step, "html", "");
    struct json_object *buttons = json_at(step, "buttons");
    reply_gap(&t->lead);
    buf_puts(&t->lead.html, html);
    for (size_t i = 0; buttons && i < json_object_array_length(buttons); i++) {
        struct json_object *row = json_object_array_get_idx(buttons, i);
        for (size_t j = 0; j < json_object_array_length(row); j++) {
            struct json_object *b = json_object_array_get_idx(row, j);
            reply_button(&t->lead, j > 0, json_str(b, "text", ""), "%s", json_str(b, "data", ""));
        }
    }
}

static enum status load(struct turn *t, struct talk *k, struct error *e)
{
    struct db *db;
    struct history_turn *history;
    const char **step;
    struct category *category = NULL;
    int turns, steps, categories = 0;
    if (store_read_begin(t->env->store, &db, e))
        return e->status;
    enum status s = history_recent(db, t->arena, &t->key, HISTORY_TURNS_MAX, HISTORY_BYTES_MAX, &history, &turns, e);
    if (s == OK)
        s = category_list(db, t->arena, t->user.id, &category, &categories, e);
    if (s == OK)
        s = steps_load(db, t->arena, t->row->id, &step, &steps, e);
    store_read_end(t->env->store, db);
    if (s)
        return s;
    say_history(t, k, history, turns);
    const char **names = arena_alloc(t->arena, ((size_t)categories + 1) * sizeof *names);
    for (int i = 0; i < categories; i++)
        names[i] = category[i].path;
    say_now(t, k, names, categories);
    for (int i = 0; i < steps; i++) {
        struct json_object *o;
        if (json_parse_in(t->arena, step[i], strlen(step[i]), &o, e))
            return e->status;
        say_step(t, k, o);
        take_lead(t, o);
        const char *fallback = json_str(o, "fallback", NULL);
        if (fallback)
            buf_puts(&t->fallback.html, fallback);
        t->round++;
    }
    return OK;
}

void turn_note_usage(struct turn *t, const struct model_reply *r, const char *outcome)
{
    t->report->model_ms += r->elapsed_ms;
    t->report->input_tokens += r->input_tokens;
    t->report->output_tokens += r->output_tokens;
    for (int i = 0; i < r->asked_count && t->usage_count < TURN_USAGE_MAX; i++)
        t->usage[t->usage_count++] = (struct usage){
            .inbox_id = t->row->id,
            .provider = r->asked[i].provider,
            .model = r->asked[i].model,
            .outcome = r->asked[i].answered ? outcome : "failed",
            .input_tokens = r->asked[i].input_tokens,
            .cached_tokens = r->asked[i].cached_tokens,
            .output_tokens = r->asked[i].output_tokens,
            .elapsed_ms = r->asked[i].elapsed_ms,
        };
}

static const char *note_html(struct turn *t, const char *words)
{
    struct reply r;
    reply_init(&r, t->arena);
    reply_italic(&r, words);
    return arena_strdup(t->arena, buf_str(&r.html));
}

/* --- recording --- */

static struct json_object *step_json(struct turn *t, const struct model_reply *r)
{
    struct json_object *step = json_keep(t->arena, json_object_new_object());
    json_set_str(step, "provider", r->provider);
    json_set(step, "raw", json_object_get(r->raw));
    return step;
}

static void push_result(struct json_object *results, const char *id, const char *text, bool is_error)
{
    struct json_object *o = json_object_new_object();
    json_set_str(o, "id", id);
    json_set_str(o, "text", text);
    json_set_bool(o, "is_error", is_error);
    json_push(results, o);
}

/* One result per call, told from what the calls did; a call that did not run says so. */
static struct json_object *results_json(struct turn *t, const struct model_reply *r)
{
    struct json_object *results = json_object_new_array();
    for (int i = 0; i < r->call_count; i++) {
        bool known = i < t->call_count && t->data[i];
        push_result(results, r->calls[i].id, known ? json_text(t->arena, t->data[i]) : "{\"status\":\"later\"}",
                    known && t->call_outcome[i] != TOOL_OK);
    }
    return results;
}

struct step_plan {
    struct json_object *step;
    const struct model_reply *reply;
};

/* Inside the transaction: run the writes, then put what they said into the step that is recorded with them. */
static enum status act_step_calls(struct turn *t, struct tool_ctx *ctx, struct error *e)
{
    struct step_plan *p = t->act_arg;
    if (!t->reads_only && turn_act_calls(t, ctx, e))
        return e->status;
    struct json_object *whole = json_keep(t->arena, reply_json(&t->reply));
    json_set(p->step, "results", results_json(t, p->reply));
    json_set_str(p->step, "html", buf_str(&t->reply.html));
    if (json_has(whole, "buttons"))
        json_set(p->step, "buttons", json_object_get(json_at(whole, "buttons")));
    t->step = json_text(t->arena, p->step);
    return OK;
}

static enum status record(struct turn *t, struct talk *k, struct json_object *step, const struct model_reply *r,
                          struct error *e)
{
    struct step_plan *plan = arena_alloc(t->arena, sizeof *plan); /* t may carry it on when the step fails */
    struct reply before = t->lead;
    *plan = (struct step_plan){ step, r };
    t->act = act_step_calls;
    t->act_arg = plan;
    reply_init(&t->lead, t->arena); /* the step holds what this round adds, not what came before */
    if (turn_step(t, e))
        return e->status;
    t->act = NULL;
    t->lead = before;
    take_lead(t, step);
    say_step(t, k, step);
    return OK;
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

static enum status repair(struct turn *t, struct talk *k, const struct model_reply *r, int bad, const struct error *why,
                          struct error *e)
{
    struct json_object *step = step_json(t, r), *results = json_object_new_array();
    turn_clear_calls(t);
    for (int i = 0; i < r->call_count; i++)
        push_result(results, r->calls[i].id,
                    i == bad
                        ? arena_printf(t->arena, "Refused: %s. Correct the arguments, or ask the person.", why->text)
                        : "Not executed, because another call of the same answer was refused. Repeat it with the "
                          "corrected one.",
                    true);
    json_set(step, "results", results);
    json_set_bool(step, "repair", true);
    t->act = NULL;
    t->step = json_text(t->arena, step);
    if (turn_step(t, e))
        return e->status;
    say_step(t, k, step);
    return OK;
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
    struct when_options o = { .now = t->now, .day_first = when_day_first(t->user.language) };
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
    struct json_object *step = step_json(t, r);
    const char *query = t->text;
    /* What the questions render is the answer without a model, used when the second call fails. */
    if (turn_read_calls(t, &t->fallback, e))
        return e->status;
    struct json_object *evidence = gather_evidence(t, &query);
    json_set(step, "evidence", json_object_get(evidence));
    json_set_str(step, "query", query);
    json_set_str(step, "fallback", buf_str(&t->fallback.html));
    t->skip_reads = true;
    enum status s = record(t, k, step, r, e);
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
    return record(t, k, step_json(t, r), r, e);
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
        return repair(t, k, r, bad, &why, e);
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

/* A refused answer or a look-up has done nothing yet: the parser reads the message as if it were new. */
/* why NULL: it was said before. */
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
    if (load(t, k, e) || turn_over_limit(t, &over, &first, e))
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
