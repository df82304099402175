/* SPDX-License-Identifier: MIT
 * agents_hook_store: see agents_hook.h.  A hook's questions become requests, each with a name by which the same hook
 * finds it again.  Desk threads; database work only. */
#include "bot/agents_hook.h"

#include "base/clock.h"
#include "base/hex.h"
#include "base/json.h"
#include "router/ask.h"
#include <openssl/rand.h>
#include <string.h>

static struct json_object *buttons_json(const struct hook_question *q)
{
    struct json_object *list = json_object_new_array();
    for (int i = 0; i < q->button_count; i++) {
        struct json_object *b = json_object_new_object();
        json_set_str(b, "label", q->buttons[i].label);
        json_set_str(b, "value", q->buttons[i].value);
        if (q->buttons[i].style)
            json_set_str(b, "style", q->buttons[i].style);
        json_set_bool(b, "safe", q->buttons[i].safe);
        json_push(list, b);
    }
    return list;
}

static struct json_object *ask_body(struct arena *a, const struct hook *hook, const char *type, const char *message,
                                    const char *details, const char *details_name)
{
    struct json_object *o = json_keep(a, json_object_new_object());
    json_set_str(o, "project", hook->project);
    json_set_str(o, "type", type);
    json_set_str(o, "message", message);
    if (details)
        json_set_str(o, "details", details);
    if (details && details_name)
        json_set_str(o, "details_name", details_name);
    return o;
}

static struct json_object *question_body(struct arena *a, const struct call *c, const struct hook *hook, int i)
{
    const struct hook_question *q = &hook->questions[i];
    int64_t left_s = (c->hook->until_ms - clock_mono_ms()) / 1000;
    struct json_object *o = ask_body(a, hook, "blocking", q->message, q->details, q->details_name);
    json_set(o, "buttons", buttons_json(q));
    json_set_bool(o, "multi", q->multi);
    json_set_int(o, "expires_in", left_s > 1 ? left_s : 1);
    return o;
}

struct storing {
    struct arena *arena;
    struct agent_request request[HOOK_QUESTIONS_MAX];
    int count;
};

static enum status store_questions(struct db *db, void *arg, struct error *e)
{
    struct storing *s = arg;
    int64_t now_ms;
    if (db_now_ms(db, &now_ms, e))
        return e->status;
    for (int i = 0; i < s->count; i++) {
        struct agent_request r = s->request[i]; /* may run more than once */
        bool again;
        if (ask_put(db, s->arena, &r, &again, now_ms, e))
            return e->status;
    }
    return OK;
}

/* A name per question.  The same call of the agent has the same name when it can be told; else it is new each time. */
static const char *base_name(struct arena *a, const struct call *c, const struct hook *hook)
{
    unsigned char random[8];
    char hex[2 * sizeof random + 1];
    const char *key = c->hook->key ? arena_printf(a, "hook:%s", c->hook->key) : hook_key(a, hook);
    if (c->hook->key || hook_has_call_id(hook) || RAND_bytes(random, sizeof random) != 1)
        return key;
    hex_put(hex, random, sizeof random);
    return arena_printf(a, "%s:%s", key, hex);
}

/* The time left is part of the question only the first time: a repeated post finds its rows by name. */
static const char *hash_of(struct arena *a, struct json_object *body)
{
    struct json_object *o = json_keep(a, json_object_new_object());
    json_object_object_foreach(body, key, value)
    {
        if (strcmp(key, "expires_in") != 0)
            json_object_object_add(o, key, json_object_get(value));
    }
    return json_canonical(a, o);
}

const char *hook_origin(struct arena *a, const struct hook *hook)
{
    return arena_printf(a, "%s:%s", hook->dialect == HOOK_CLAUDE ? "claude" : "codex", hook->session);
}

enum status hook_store(struct call *c, struct arena *a, const struct hook *hook, struct error *e)
{
    struct storing s = { .arena = a };
    const char *base = base_name(a, c, hook);
    bool ask = hook->kind == HOOK_ASK;
    s.count = ask ? hook->question_count : 1;
    for (int i = 0; i < s.count; i++) {
        struct json_object *body =
            ask ? question_body(a, c, hook, i)
                : ask_body(a, hook, hook->type, hook->message, hook->details, hook->details_name);
        json_set_str(body, "request_id", arena_printf(a, "%s:%d", base, i + 1));
        if (ask_read(a, body, hook_origin(a, hook), &s.request[i], e))
            return e->status;
        s.request[i].content_hash = ask_hash(a, hash_of(a, body));
    }
    enum status st = store_write(c->agents->store, store_questions, &s, e);
    if (st == ST_UNKNOWN)
        st = store_write(c->agents->store, store_questions, &s, e);
    if (st)
        return st;
    store_hint(c->agents->store, HINT_OUTBOX);
    for (; ask && c->hook->count < s.count; c->hook->count++)
        c->hook->names[c->hook->count] = xstrdup(s.request[c->hook->count].request_id);
    return OK;
}
