/* SPDX-License-Identifier: MIT
 * agents: see agents.h.  The endpoints /send, /poll, /requests, /cancel; the hooks of Claude Code and Codex are in
 * agents_hook.c, what all calls have in common in agents_call.c. */
#include "bot/agents.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "bot/agents_call.h"
#include "bot/auth.h"
#include "router/ask.h"
#include <stdlib.h>
#include <string.h>

enum { POLL_WAIT_MAX_S = 60, LIST_MAX = 200, REASON_UNITS_MAX = 300 };

/* --- POST /send --- */

struct sending {
    struct arena *arena;
    struct agent_request request;
    const char *message_id;
    bool again;
};

static enum status send_write(struct db *db, void *arg, struct error *e)
{
    struct sending *s = arg;
    struct agent_request r = s->request; /* may run more than once */
    int64_t now_ms;
    if (db_now_ms(db, &now_ms, e) || ask_put(db, s->arena, &r, &s->again, now_ms, e) ||
        ask_message_id(db, s->arena, &r, &s->message_id, e))
        return e->status;
    s->request.code = r.code;
    return OK;
}

static struct json_object *send_json(const char *request_id, const char *message_id, const char *code)
{
    struct json_object *o = json_object_new_object();
    json_set_str(o, "message_id", message_id);
    json_set_str(o, "request_id", request_id);
    if (code)
        json_set_str(o, "code", code);
    return o;
}

/* c->body holds the code from here on: the words of the question are no longer needed. */
static void send_ended(struct waiter *w, const struct agent_request *r, const char *message_id)
{
    struct call *c = call_of(w);
    (void)r;
    call_finish_json(c, 200, send_json(c->name, message_id, c->body));
}

static void send_wait(struct call *c, const struct sending *s)
{
    free(c->name);
    free(c->body);
    c->name = xstrdup(s->request.request_id);
    c->body = s->request.code ? xstrdup(s->request.code) : NULL;
    if (s->message_id) {
        call_finish_json(c, 200, send_json(c->name, s->message_id, c->body));
        return;
    }
    struct waiting *room = c->agents->waiting;
    c->waiter = (struct waiter){ .request_id = c->name, .wants = WAIT_CARD, .ended = send_ended };
    waiting_enter(room, &c->waiter); /* from here on the room's: it ends in two seconds at the latest */
    waiting_wake(room);              /* the card may have gone out before */
}

static void send_run(struct desk_job *job)
{
    struct call *c = (struct call *)job;
    struct arena *a = arena_new();
    struct sending s = { .arena = a };
    struct json_object *body;
    struct error e = { 0 };
    enum status st = json_parse_in(a, c->body, strlen(c->body), &body, &e);
    if (st == OK)
        st = ask_read(a, body, "send", &s.request, &e);
    if (st == OK)
        st = store_write(c->agents->store, send_write, &s, &e);
    if (st == ST_UNKNOWN) /* idempotent by its request_id */
        st = store_write(c->agents->store, send_write, &s, &e);
    if (st == OK) {
        store_hint(c->agents->store, HINT_OUTBOX);
        send_wait(c, &s);
    } else {
        call_finish_error(c, &e);
    }
    arena_free(a);
}

static void answer_done(struct request *r, enum deferred_why why, void *arg)
{
    struct call *c = arg;
    if (why == DEFERRED_DONE) {
        call_answer(r, c);
        call_confirm(r, c);
    } else {
        request_error(r, 503, "steward is stopping; please try again");
    }
}

static const struct deferred_ops send_ops = { .answer = answer_done, .release = call_free };

/* Any Content-Type will do: the bearer secret already proves that no web page made a browser post this. */
struct json_object *agents_body(struct request *r)
{
    struct slice body = request_body(r);
    struct json_object *o = NULL;
    struct error e = { 0 };
    if (json_parse_in(request_arena(r), body.data, body.len, &o, &e))
        request_error(r, 400, "The body is not JSON: %s", e.text);
    else if (!json_object_is_type(o, json_type_object))
        request_error(r, 400, "The body must be a JSON object");
    else
        return o;
    return NULL;
}

static void on_send(struct request *r, void *arg)
{
    if (agents_body(r)) /* answers 400 itself */
        call_start(call_new(arg, NULL, request_body(r)), r, send_run, &send_ops, DEFERRED_NO_TIMEOUT);
}

/* --- GET /poll --- */

static void poll_resume(struct call *c)
{
    deferred_finish(c->deferred);
}

static void poll_ended(struct waiter *w, const struct agent_request *r, const char *message_id)
{
    struct call *c = call_of(w);
    (void)message_id;
    if (r) {
        call_carries(c, r->id);
        call_set_json(c, 200, ask_json(r));
    }
    call_drop(c);
}

/* *over: there is an answer in *o. */
static enum status poll_look(struct call *c, struct json_object **o, int64_t *over_id, struct error *e)
{
    struct arena *a = arena_new();
    struct agent_request r;
    struct db *db;
    bool found = false;
    enum status s = store_read_begin_settled(c->agents->store, &db, e);
    if (s == OK) {
        s = request_by_name(db, a, c->name, &r, &found, e);
        store_read_end(c->agents->store, db);
    }
    if (s == OK && !found)
        s = fail(e, ST_NOT_FOUND, "There is no request \"%s\"", c->name);
    if (s == OK) {
        *over_id = r.state != REQUEST_OPEN ? r.id : 0;
        *o = ask_json(&r);
    }
    arena_free(a);
    return s;
}

static void poll_run(struct desk_job *job)
{
    struct call *c = (struct call *)job;
    struct json_object *o = NULL;
    struct error e = { 0 };
    int64_t over_id = 0;
    c->resume = poll_resume;
    atomic_store(&c->holds, 1);
    if (c->held)
        call_park(c, c->name, poll_ended); /* before looking: no end falls between */
    enum status s = poll_look(c, &o, &over_id, &e);
    bool mine = !c->held; /* to answer; else the room's hold must be had first */
    if (c->held && (s || over_id) && call_unpark(c)) {
        mine = true;
        atomic_fetch_sub(&c->holds, 1);
    }
    if (mine && s) {
        call_set_error(c, &e);
    } else if (mine) {
        if (over_id)
            call_carries(c, over_id);
        call_set_json(c, 200, json_object_get(o));
    }
    json_object_put(o);
    call_drop(c);
}

static void poll_answer(struct request *r, enum deferred_why why, void *arg)
{
    struct call *c = arg;
    if (why == DEFERRED_DONE && c->text) {
        call_answer(r, c);
        if (c->code == 200)
            call_confirm(r, c);
        return;
    }
    struct json_object *o = json_object_new_object();
    json_set_str(o, "status", "waiting");
    json_set_str(o, "request_id", c->name);
    request_json(r, 200, o);
}

static const struct deferred_ops poll_ops = { .answer = poll_answer, .gone = call_gone, .release = call_free };

static bool name_given(struct request *r, const char *name)
{
    if (name && *name && strlen(name) <= ASK_ID_BYTES_MAX)
        return true;
    request_error(r, 400, "request_id is missing or too long");
    return false;
}

static void on_poll(struct request *r, void *arg)
{
    const char *name = request_query(r, "request_id"), *wait = request_query(r, "wait");
    char *end = NULL;
    double seconds = wait ? strtod(wait, &end) : 0;
    if (!name_given(r, name))
        return;
    if (wait && (end == wait || *end || !(seconds >= 0))) {
        request_error(r, 400, "wait must be seconds, 0 to %d", POLL_WAIT_MAX_S);
        return;
    }
    int64_t wait_ms = seconds > POLL_WAIT_MAX_S ? POLL_WAIT_MAX_S * 1000 : (int64_t)(seconds * 1000);
    struct call *c = call_new(arg, name, (struct slice){ 0 });
    c->held = wait_ms > 0;
    call_start(c, r, poll_run, &poll_ops, wait_ms);
}

/* --- GET /requests --- */

static void requests_run(struct desk_job *job)
{
    struct call *c = (struct call *)job;
    struct arena *a = arena_new();
    struct json_object *o = json_object_new_object(), *list = json_object_new_array();
    struct agent_request *r;
    struct error e = { 0 };
    struct db *db;
    int count = 0;
    json_set(o, "requests", list);
    enum status s = store_read_begin_settled(c->agents->store, &db, &e);
    if (s == OK) {
        s = requests_list(db, a, c->all ? REQUESTS_ALL : REQUESTS_OPEN, 0, LIST_MAX + 1, &r, &count, &e);
        store_read_end(c->agents->store, db);
    }
    for (int i = 0; s == OK && i < count && i < LIST_MAX; i++)
        json_push(list, ask_list_json(&r[i]));
    json_set_bool(o, "more", count > LIST_MAX); /* a list that was cut says so */
    arena_free(a);
    if (s == OK) {
        call_finish_json(c, 200, o);
        return;
    }
    json_object_put(o);
    call_finish_error(c, &e);
}

static void on_requests(struct request *r, void *arg)
{
    const char *all = request_query(r, "all");
    struct call *c = call_new(arg, NULL, (struct slice){ 0 });
    c->all = all && strcmp(all, "0") != 0;
    call_start(c, r, requests_run, &send_ops, DEFERRED_NO_TIMEOUT);
}

/* --- POST /cancel --- */

struct cancelling {
    struct arena *arena;
    const char *name, *reason;
    struct agent_request request;
};

static enum status cancel_write(struct db *db, void *arg, struct error *e)
{
    struct cancelling *x = arg;
    int64_t now_ms;
    return db_now_ms(db, &now_ms, e) ? e->status
                                     : ask_cancel(db, x->arena, x->name, x->reason, "agent", now_ms, &x->request, e);
}

enum status agents_cancel(struct agents *agents, struct arena *a, const char *name, const char *reason,
                          struct agent_request *request, struct error *e)
{
    struct cancelling x = { .arena = a, .name = name, .reason = reason };
    enum status s = store_write(agents->store, cancel_write, &x, e);
    if (s == ST_UNKNOWN)
        s = store_write(agents->store, cancel_write, &x, e);
    if (s == OK) {
        store_hint(agents->store, HINT_OUTBOX);
        store_hint(agents->store, HINT_REQUESTS);
        *request = x.request;
    }
    return s;
}

static void cancel_run(struct desk_job *job)
{
    struct call *c = (struct call *)job;
    struct arena *a = arena_new();
    struct agent_request r;
    struct error e = { 0 };
    if (agents_cancel(c->agents, a, c->name, c->body, &r, &e)) {
        call_finish_error(c, &e);
    } else {
        if (r.state == REQUEST_RESPONDED) /* too late, but the asking side hears the answer */
            call_carries(c, r.id);
        call_finish_json(c, 200, ask_json(&r));
    }
    arena_free(a);
}

static void on_cancel(struct request *r, void *arg)
{
    struct json_object *body = agents_body(r);
    if (!body)
        return;
    const char *name = json_str(body, "request_id", NULL), *reason = json_str(body, "reason", NULL);
    if (!name_given(r, name))
        return;
    struct call *c = call_new(arg, name, (struct slice){ 0 });
    if (reason && *reason) {
        reason = text_unspoof(request_arena(r), text_clean(request_arena(r), reason, strlen(reason)));
        c->body = xstrndup(reason, text_prefix_utf16(reason, strlen(reason), REASON_UNITS_MAX));
    }
    call_start(c, r, cancel_run, &send_ops, DEFERRED_NO_TIMEOUT);
}

/* --- life --- */

enum status agents_start(struct store *store, struct server *server, struct agents **out, struct error *e)
{
    static const struct route rows[] = {
        { "POST", "/send", auth_bearer, on_send },
        { "GET", "/poll", auth_bearer, on_poll },
        { "GET", "/requests", auth_bearer, on_requests },
        { "POST", "/cancel", auth_bearer, on_cancel },
        { "POST", "/hooks/claude", auth_bearer, agents_on_hook_claude },
        { "POST", "/hooks/codex", auth_bearer, agents_on_hook_codex },
        { 0 },
    };
    struct agents *a = *out = xcalloc(1, sizeof *a);
    a->store = store;
    if (desk_start(&a->desk, e) || waiting_start(store, &a->waiting, e))
        return e->status;
    server_routes(server, rows, a);
    return OK;
}

int64_t agents_waiting(struct agents *a)
{
    return waiting_count(a->waiting);
}

void agents_stop(struct agents *a)
{
    if (!a)
        return;
    desk_stop(a->desk);
    waiting_stop(a->waiting);
}

void agents_free(struct agents *a)
{
    if (!a)
        return;
    desk_free(a->desk);
    waiting_free(a->waiting);
    free(a);
}
