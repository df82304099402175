/* SPDX-License-Identifier: MIT
 * turn_parser: the path without a model: the built-in parser's calls, its questions, and the answers to them.
 * Also what happens with words nobody understood: they are offered back, never guessed at. */
#include "base/json.h"
#include "router/tap.h"
#include "router/turn_internal.h"

#include <ctype.h>
#include <string.h>

static enum status act_not_understood(struct turn *t, struct tool_ctx *ctx, struct error *e)
{
    (void)ctx, (void)e;
    t->worst = TOOL_ASK;
    reply_text(&t->reply, "I'm not sure what to do with that. Should I keep it?");
    reply_button(&t->reply, false, "Save as note", "keep:note:%lld", (long long)t->row->id);
    reply_button(&t->reply, true, "Add as task", "keep:task:%lld", (long long)t->row->id);
    reply_button(&t->reply, true, "Search for it", "keep:find:%lld", (long long)t->row->id);
    return OK;
}

static enum status act_undo(struct turn *t, struct tool_ctx *ctx, struct error *e)
{
    struct tool_result *r = tap_undo(ctx, 0);
    if (tool_outcome(r) == TOOL_ERROR) {
        *e = *tool_result_error(r);
        return e->status;
    }
    turn_append_result(t, &t->reply, r, true);
    return OK;
}

enum status turn_undo(struct turn *t, struct error *e)
{
    t->act = act_undo;
    return turn_finish(t, e);
}

/* Does it stand there as a word of its own?  "no" is not in "good afternoon". */
static bool has_word(const char *text, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = strcasestr(text, word); p; p = strcasestr(p + 1, word))
        if ((p == text || !isalpha((unsigned char)p[-1])) && !isalpha((unsigned char)p[n]))
            return true;
    return false;
}

#define HELLO "Hello. Tell me what to remember: a task, a note, your sleep, or ask me something. /help shows examples."

static const char *small_talk(const char *text)
{
    static const struct {
        const char *word, *answer;
    } table[] = {
        { "thank", "You're welcome." },
        { "thanks", "You're welcome." },
        { "thx", "You're welcome." },
        { "bye", "Bye. Everything is on file." },
        { "goodbye", "Bye. Everything is on file." },
        { "night", "Good night." },
        { "morning", "Good morning. /tasks shows what is on your list." },
        { "how are you", "All in order here. What can I note down for you?" },
        { "yes", "There is nothing open that I asked about. What would you like to do?" },
        { "no", "All right, nothing was changed." },
        { "hi", HELLO },
        { "hello", HELLO },
        { "hey", HELLO },
        { "afternoon", HELLO },
        { "evening", HELLO },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (has_word(text, table[i].word))
            return table[i].answer;
    return "I keep tasks, notes and health logs. /help shows what you can tell me.";
}

/* The complete calls of a message whose first one lacks a piece: done together, once the answer comes. */
static struct json_object *calls_json(const struct parse *p, int from)
{
    struct json_object *calls = json_object_new_array();
    for (int i = from; i < p->call_count; i++) {
        struct json_object *one = json_object_new_object();
        json_set_str(one, "tool", p->calls[i].tool);
        json_set(one, "arguments", json_object_get(p->calls[i].arguments));
        json_push(calls, one);
    }
    return calls;
}

static enum status ask(struct turn *t, const struct parse *p, struct error *e)
{
    t->outcome = "asked";
    turn_say(t, "%s", p->ask);
    if (p->call_count > 0 && p->ask_argument) {
        struct json_object *payload = json_keep(t->arena, json_object_new_object());
        json_set_str(payload, "tool", p->calls[0].tool);
        json_set(payload, "arguments", json_object_get(p->calls[0].arguments));
        json_set_str(payload, "argument", p->ask_argument);
        json_set(payload, "then", calls_json(p, 1));
        t->pending_kind = "ask";
        t->pending_payload = json_text(t->arena, payload);
    }
    return turn_finish(t, e);
}

/* A call the tools refuse (a bound, a date) is told to the person; nothing of the message is executed. */
static enum status refuse(struct turn *t, const struct error *why, struct error *e)
{
    turn_clear_calls(t);
    t->outcome = "asked";
    turn_say(t, "I did nothing: %s.", why->text);
    return turn_finish(t, e);
}

static enum status add_calls(struct turn *t, const struct parse *p, struct error *why)
{
    for (int i = 0; i < p->call_count; i++)
        if (turn_add_call(t, p->calls[i].tool, p->calls[i].arguments, why))
            return why->status;
    return OK;
}

enum status turn_by_parser(struct turn *t, struct error *e)
{
    struct when_options o = turn_when_options(t);
    struct parse p = { 0 };
    struct error why = { 0 };
    turn_clear_calls(t);
    parse_sentence(t->arena, t->text, &o, &p);
    switch (p.kind) {
    case PARSE_CHAT:
        turn_say(t, "%s", small_talk(t->text));
        return turn_finish(t, e);
    case PARSE_NONE:
        t->outcome = "not understood";
        t->act = act_not_understood;
        return turn_finish(t, e);
    case PARSE_ASK:
        return ask(t, &p, e);
    case PARSE_CALLS:
        break;
    }
    if (p.call_count == 1 && !strcmp(p.calls[0].tool, "undo"))
        return turn_undo(t, e);
    if (add_calls(t, &p, &why))
        return refuse(t, &why, e);
    return turn_run_calls(t, e);
}

/* --- answers to questions --- */

static enum status load_pending(struct turn *t, struct pending *p, bool *found, struct error *e)
{
    struct db *db;
    struct pending_key key = { t->key.channel, t->key.chat_id, t->key.user_id };
    if (store_read_begin(t->env->store, &db, e))
        return e->status;
    enum status s = pending_get(db, t->arena, &key, t->now_ms, p, found, e);
    store_read_end(t->env->store, db);
    return s;
}

/* "weight 80" is no answer to "how many hours did you sleep?", although a number stands in it. */
static bool says_something_else(struct turn *t, const char *tool)
{
    struct when_options o = turn_when_options(t);
    struct parse p = { 0 };
    parse_sentence(t->arena, t->text, &o, &p);
    if (p.kind == PARSE_ASK && p.call_count == 0)
        return true;
    for (int i = 0; (p.kind == PARSE_ASK || p.kind == PARSE_CALLS) && i < p.call_count; i++) {
        const struct tool *other = tool_find(p.calls[i].tool);
        if (other && other->policy != TOOL_READS && strcmp(other->name, tool) != 0)
            return true;
    }
    return false;
}

static bool answer_of_parser(struct turn *t, const struct pending *p, struct parse *out)
{
    struct json_object *payload;
    struct error ignored;
    struct when_options o = turn_when_options(t);
    if (json_parse_in(t->arena, p->payload, strlen(p->payload), &payload, &ignored))
        return false;
    out->calls[0] = (struct parse_call){ json_str(payload, "tool", ""), json_at(payload, "arguments") };
    out->call_count = 1;
    struct json_object *then = json_at(payload, "then");
    for (size_t i = 0; then && i < json_object_array_length(then) && out->call_count < PARSE_CALLS_MAX; i++) {
        struct json_object *one = json_object_array_get_idx(then, i);
        out->calls[out->call_count++] = (struct parse_call){ json_str(one, "tool", ""), json_at(one, "arguments") };
    }
    const char *argument = json_str(payload, "argument", "");
    if (strcmp(argument, "content") != 0 &&
        says_something_else(t, out->calls[0].tool)) /* free words may say anything */
        return false;
    return parse_answer(t->arena, t->text, &o, &out->calls[0], argument);
}

static bool answer_of_tool(struct turn *t, const struct pending *p, struct parse *out)
{
    struct tool_ctx ctx = turn_tool_ctx(t, NULL, NULL);
    struct tap_call tap = { 0 };
    if (!tap_answer(&ctx, p, t->text, &tap))
        return false;
    out->calls[0] = (struct parse_call){ tap.tool->name, tap.arguments };
    out->call_count = 1;
    return true;
}

bool turn_take_pending(struct turn *t, enum status *result, struct error *e)
{
    struct pending p;
    struct parse answer = { 0 };
    struct error why = { 0 };
    bool found = false;
    *result = load_pending(t, &p, &found, e);
    if (*result)
        return true;
    if (!found)
        return false;
    t->clear_pending = true; /* answered, or the person went on to something else */
    bool answered = strcmp(p.kind, "ask") == 0 ? answer_of_parser(t, &p, &answer) : answer_of_tool(t, &p, &answer);
    if (!answered)
        return false;
    t->report->path = "answer";
    if (add_calls(t, &answer, &why)) { /* keep asking: the question is still open */
        t->clear_pending = false;
        *result = refuse(t, &why, e);
        return true;
    }
    *result = turn_run_calls(t, e);
    return true;
}
