/* SPDX-License-Identifier: MIT
 * turn_talk: see turn_talk.h. */
#include "router/turn_talk.h"

#include "base/json.h"
#include "router/prompt.h"
#include "store/categories.h"

#include <string.h>

/* --- what the model is told --- */

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

enum status talk_open(struct turn *t, struct talk *k, struct error *e)
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

/* --- recording --- */

struct json_object *talk_step(struct turn *t, const struct model_reply *r)
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

enum status talk_record(struct turn *t, struct talk *k, struct json_object *step, const struct model_reply *r,
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

enum status talk_refuse(struct turn *t, struct talk *k, const struct model_reply *r, int bad, const struct error *why,
                        struct error *e)
{
    struct json_object *step = talk_step(t, r), *results = json_object_new_array();
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
