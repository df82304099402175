/* SPDX-License-Identifier: MIT
 * ask_answer: a tap or words meet a request.  Called by turn_ask.c inside the turn's transaction, so that "this update
 * is done" and "this is the answer" are one commit.  Whoever comes second is told who was first. */
#include "router/ask.h"
#include "router/ask_token.h"
#include "router/card.h"

#include "base/json.h"
#include "base/text.h"
#include "store/audit.h"
#include "store/pending.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One answer under way. */
struct answering {
    struct db *db;
    struct arena *a;
    const struct ask_voice *voice;
    int64_t now_ms;
    struct agent_request *r;
    struct ask_option option[ASK_BUTTONS_MAX];
    int option_count;
    enum ask_outcome outcome;
    const char *says;
    struct error *e;
};

static enum status say(struct answering *x, enum ask_outcome outcome, const char *says)
{
    x->outcome = outcome;
    x->says = says;
    return OK;
}

static const char *actor(struct answering *x)
{
    if (strcmp(x->voice->channel, "telegram") != 0)
        return "console";
    return arena_printf(x->a, "telegram:%lld", (long long)x->voice->id);
}

static enum status audit(struct answering *x, const char *event, const char *name, const char *value)
{
    struct json_object *detail = json_keep(x->a, json_object_new_object());
    if (name)
        json_set_str(detail, name, value);
    json_set_str(detail, "how", x->voice->how);
    return audit_add(x->db, x->r->request_id, event, actor(x), detail, x->now_ms, x->e);
}

/* --- how it may end --- */

static enum status say_over(struct answering *x)
{
    const struct agent_request *r = x->r;
    if (r->state == REQUEST_RESPONDED)
        return say(x, ASK_OVER,
                   arena_printf(x->a, "Already answered by %s: %s", r->answered_name ? r->answered_name : "nobody",
                                r->label ? r->label : r->response));
    return say(x, ASK_OVER,
               r->state == REQUEST_EXPIRED     ? "Too late: this request has expired."
               : r->state == REQUEST_CANCELLED ? "This request was withdrawn."
                                               : "There is nothing to answer here.");
}

static enum status changed(struct answering *x)
{
    return request_update(x->db, x->r, x->e) ? x->e->status : card_refresh(x->db, x->a, x->r, x->now_ms, x->e);
}

static enum status respond(struct answering *x, const char *response, const char *label, bool free_text)
{
    struct agent_request *r = x->r;
    r->state = REQUEST_RESPONDED;
    r->response = response;
    r->label = label;
    r->free_text = free_text;
    r->answered_by = x->voice->id;
    r->answered_name = x->voice->name;
    r->how = x->voice->how;
    r->finished_at_ms = x->now_ms;
    /* The log cannot forget: a person's own words stand in it as their hash. */
    if (changed(x) ||
        audit(x, "answered", free_text ? "response_hash" : "response", free_text ? ask_hash(x->a, response) : response))
        return x->e->status;
    return say(x, ASK_ANSWERED, arena_printf(x->a, "✓ %s", label ? label : "Answered"));
}

static enum status cancel_wrong_number(struct answering *x)
{
    x->r->state = REQUEST_CANCELLED;
    x->r->reason = "wrong number";
    x->r->finished_at_ms = x->now_ms;
    if (changed(x) || audit(x, "cancelled", "reason", "wrong number"))
        return x->e->status;
    return say(x, ASK_ANSWERED, "That is not the number. The request is withdrawn.");
}

/* --- choosing --- */

static enum status vote(struct answering *x, int option)
{
    struct vote mine = { x->voice->id, x->voice->name, option }, *votes;
    const struct ask_option *o = &x->option[option];
    bool added;
    int count, same = 0;
    if (vote_add(x->db, x->r->id, &mine, x->now_ms, &added, x->e))
        return x->e->status;
    if (!added)
        return say(x, ASK_REFUSED, "You have voted for this already.");
    if (vote_list(x->db, x->a, x->r->id, &votes, &count, x->e))
        return x->e->status;
    for (int i = 0; i < count; i++)
        same += votes[i].option == option;
    if (same >= x->r->quorum)
        return respond(x, o->value, o->label, false);
    x->r->chosen = NULL;
    if (audit(x, "voted", "option", o->value) || changed(x))
        return x->e->status;
    return say(
        x, ASK_NOTED,
        arena_printf(x->a, "✓ %s: %d of %d. %d more needed.", o->label, same, x->r->quorum, x->r->quorum - same));
}

/* The option is meant for certain: it counts. */
static enum status decide(struct answering *x, int option)
{
    const struct ask_option *o = &x->option[option];
    if (x->r->quorum > 1 && !o->safe)
        return vote(x, option);
    return respond(x, o->value, o->label, false);
}

static enum status choose(struct answering *x, int option)
{
    if (option >= x->option_count || x->r->multi)
        return say(x, ASK_REFUSED, "This button is no longer valid.");
    if (!x->r->code || x->option[option].safe)
        return decide(x, option);
    x->r->chosen = arena_printf(x->a, ",%d,", option);
    if (changed(x))
        return x->e->status;
    return say(x, ASK_NOTED, "Pick the number that the asking side shows.");
}

static enum status pick_number(struct answering *x, int option, int number)
{
    if (!x->r->code || option >= x->option_count || !ask_has(x->r->chosen, option) || !ask_has(x->r->numbers, number))
        return say(x, ASK_REFUSED, "This button is no longer valid.");
    return number == atoi(x->r->code) ? decide(x, option) : cancel_wrong_number(x);
}

static enum status back(struct answering *x)
{
    if (x->r->multi || !x->r->chosen)
        return say(x, ASK_REFUSED, "This button is no longer valid.");
    x->r->chosen = NULL;
    return changed(x) ? x->e->status : say(x, ASK_NOTED, NULL);
}

/* --- several choices --- */

static enum status tick(struct answering *x, int option, bool on)
{
    const char *list = ",";
    if (!x->r->multi || option >= x->option_count)
        return say(x, ASK_REFUSED, "This button is no longer valid.");
    if (ask_has(x->r->chosen, option) == on)
        return say(x, ASK_NOTED, NULL);
    for (int i = 0; i < x->option_count; i++)
        if (i == option ? on : ask_has(x->r->chosen, i))
            list = arena_printf(x->a, "%s%d,", list, i);
    x->r->chosen = list[1] ? list : NULL;
    return changed(x) ? x->e->status : say(x, ASK_NOTED, NULL);
}

static enum status submit(struct answering *x)
{
    struct json_object *values = json_keep(x->a, json_object_new_array());
    const char *value = "", *label = "";
    if (!x->r->multi)
        return say(x, ASK_REFUSED, "This button is no longer valid.");
    if (!x->r->chosen)
        return say(x, ASK_REFUSED, "Choose at least one first.");
    for (int i = 0; i < x->option_count; i++) {
        if (!ask_has(x->r->chosen, i))
            continue;
        json_push(values, json_object_new_string(x->option[i].value));
        value = arena_printf(x->a, "%s%s%s", value, *value ? ", " : "", x->option[i].value);
        label = arena_printf(x->a, "%s%s%s", label, *label ? ", " : "", x->option[i].label);
    }
    x->r->responses = json_text(x->a, values);
    return respond(x, value, label, false);
}

/* --- a tap --- */

/* The page has no way to reply to one message: the next one is the answer. */
static enum status ask_to_write(struct answering *x)
{
    struct pending_key key = { x->voice->channel, x->voice->chat_id, 1 };
    if (strcmp(x->voice->channel, "console") != 0)
        return say(x, ASK_REFUSED, "Reply to the message with your words.");
    if (pending_put(x->db, &key, "ask", arena_printf(x->a, "{\"request\":%lld}", (long long)x->r->id),
                    x->now_ms + PENDING_KEEP_MS, x->e))
        return x->e->status;
    return say(x, ASK_NOTED, "Write your answer: the next message goes to the agent.");
}

/* What was pressed, before anything comes of it. */
static enum status audit_tap(struct answering *x, const struct ask_token *t)
{
    bool names = t->verb == ASK_CHOOSE || t->verb == ASK_TICK || t->verb == ASK_UNTICK || t->verb == ASK_NUMBER;
    const char *label = names && t->a < x->option_count ? x->option[t->a].label : NULL;
    const char *what = t->verb == ASK_TICK     ? "ticked"
                       : t->verb == ASK_UNTICK ? "unticked"
                       : t->verb == ASK_NUMBER ? "number for"
                       : t->verb == ASK_CHOOSE ? "option"
                                               : "button";
    return audit(x, "tapped", what,
                 label                   ? label
                 : t->verb == ASK_SUBMIT ? "send"
                 : t->verb == ASK_BACK   ? "back"
                                         : "answer in words");
}

static enum status act(struct answering *x, const struct ask_token *t)
{
    if (audit_tap(x, t))
        return x->e->status;
    switch (t->verb) {
    case ASK_CHOOSE:
        return choose(x, t->a);
    case ASK_NUMBER:
        return pick_number(x, t->a, t->b);
    case ASK_BACK:
        return back(x);
    case ASK_TICK:
    case ASK_UNTICK:
        return tick(x, t->a, t->verb == ASK_TICK);
    case ASK_SUBMIT:
        return submit(x);
    case ASK_WRITE:
        return ask_to_write(x);
    }
    return say(x, ASK_REFUSED, "This button is no longer valid.");
}

/* The button belongs to this card, in this chat, on this message. */
static bool fits(const struct card *c, const struct ask_voice *v)
{
    bool place = strcmp(c->channel, v->channel) == 0 && c->chat_id == v->chat_id;
    bool message = !c->message_id || !v->message_id || c->ambiguous || c->message_id == v->message_id;
    return place && message && !c->retired;
}

static bool may_answer(const struct answering *x)
{
    return !x->r->approvers || ask_has(x->r->approvers, x->voice->id);
}

static enum status answer(struct answering *x, bool known)
{
    if (!known)
        return say(x, ASK_REFUSED, "This button is no longer valid.");
    if (x->r->state != REQUEST_OPEN)
        return audit(x, "late", NULL, NULL) ? x->e->status : say_over(x);
    if (!may_answer(x))
        return audit(x, "refused", "reason", "not an approver")
                   ? x->e->status
                   : say(x, ASK_REFUSED, "This request is for other people to answer.");
    x->option_count = ask_options(x->a, x->r, x->option);
    return OK;
}

bool ask_is_tap(const char *data)
{
    return data && strncmp(data, "ask:", 4) == 0;
}

enum status ask_tap(struct db *db, struct arena *a, const char *data, const struct ask_voice *v, int64_t now_ms,
                    enum ask_outcome *outcome, const char **says, struct agent_request *r, struct error *e)
{
    struct answering x = { .db = db, .a = a, .voice = v, .now_ms = now_ms, .r = r, .e = e };
    struct ask_token token;
    struct card card;
    bool found = false;
    memset(r, 0, sizeof *r);
    if (ask_token_read(ask_settings()->key, data, &token)) {
        if (requests_lock(db, e) || card_by_nonce(db, a, token.nonce, &card, &found, e))
            return e->status;
        found = found && fits(&card, v);
        if (found && request_by_id(db, a, card.request_id, r, &found, e))
            return e->status;
    }
    x.outcome = ASK_ANSWERED;
    x.says = NULL;
    enum status s = found ? card_seen(db, a, r, &card, v->message_id, now_ms, e) : OK;
    if (s == OK)
        s = answer(&x, found);
    if (s == OK && !x.says)
        s = act(&x, &token);
    *outcome = x.outcome;
    *says = x.says;
    return s;
}

/* --- words --- */

/* What a button says counts before what it stands for: the person sees only the former. */
static int option_named(const struct answering *x, const char *text)
{
    for (int i = 0; i < x->option_count; i++)
        if (text_equal_fold(x->option[i].label, text))
            return i;
    for (int i = 0; i < x->option_count; i++)
        if (text_equal_fold(x->option[i].value, text))
            return i;
    return -1;
}

/* "SQLite, Postgres" for a card with several choices; false: these are words of the person's own. */
static bool tick_named(struct answering *x, const char *text)
{
    const char *list = ",";
    char *copy = arena_strdup(x->a, text), *save = NULL;
    int whole = option_named(x, text); /* a label may hold a comma */
    if (whole >= 0) {
        x->r->chosen = arena_printf(x->a, ",%d,", whole);
        return true;
    }
    for (char *part = strtok_r(copy, ",", &save); part; part = strtok_r(NULL, ",", &save)) {
        int i = option_named(x, text_trim(part));
        if (i < 0)
            return false;
        if (!ask_has(list, i))
            list = arena_printf(x->a, "%s%d,", list, i);
    }
    x->r->chosen = list;
    return list[1] != '\0';
}

static enum status words(struct answering *x, const char *text)
{
    int named = option_named(x, text);
    if (x->r->multi && tick_named(x, text))
        return submit(x);
    if (x->r->code && (named < 0 || !x->option[named].safe))
        return say(x, ASK_REFUSED, "This one needs its number: please use the buttons.");
    if (named >= 0 && !x->r->multi)
        return decide(x, named);
    if (x->r->quorum > 1)
        return say(x, ASK_REFUSED, "This one needs several people: please vote with the buttons.");
    return respond(x, text, NULL, true);
}

enum status ask_text(struct db *db, struct arena *a, int64_t id, const char *text, const struct ask_voice *v,
                     int64_t now_ms, enum ask_outcome *outcome, const char **says, struct agent_request *r,
                     struct error *e)
{
    struct answering x = { .db = db, .a = a, .voice = v, .now_ms = now_ms, .r = r, .e = e };
    bool found;
    if (requests_lock(db, e) || request_by_id(db, a, id, r, &found, e))
        return e->status;
    enum status s = answer(&x, found);
    if (s == OK && !x.says && strlen(text) > ASK_ANSWER_BYTES_MAX)
        s = say(&x, ASK_REFUSED, "That answer is too long (over 16 KiB).");
    if (s == OK && !x.says)
        s = words(&x, text);
    *outcome = x.outcome;
    *says = x.says;
    return s;
}
