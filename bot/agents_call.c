/* SPDX-License-Identifier: MIT
 * agents_call: see agents_call.h.  Called by agents.c and agents_hook.c, on the loop thread, the desk's and the waiting
 * room's; must never wait on the loop thread, nor touch a call after its last hold or deferred_finish(). */
#include "bot/agents_call.h"

#include "base/json.h"
#include "base/log.h"
#include "router/ask.h"
#include <stdlib.h>
#include <string.h>

/* --- from the loop to the desk --- */

struct call *call_new(struct agents *a, const char *name, struct slice body)
{
    struct call *c = xcalloc(1, sizeof *c);
    c->agents = a;
    c->name = name ? xstrdup(name) : NULL;
    c->body = body.data ? xstrndup(body.data, body.len) : NULL;
    c->waiter.request_id = c->name;
    return c;
}

void call_free(void *arg)
{
    struct call *c = arg;
    hook_call_free(c->hook);
    free(c->name);
    free(c->body);
    free(c->text);
    free(c);
}

void call_start(struct call *c, struct request *r, void (*run)(struct desk_job *), const struct deferred_ops *ops,
                int64_t wait_ms)
{
    c->job.run = run;
    c->deferred = request_defer(r, ops, c, wait_ms);
    if (!desk_post(c->agents->desk, &c->job))
        call_finish_error(c, &(struct error){ ST_BUSY, "Too many requests at once; please try again" });
}

/* --- the waiting room --- */

struct call *call_of(struct waiter *w)
{
    return (struct call *)((char *)w - offsetof(struct call, waiter));
}

void call_park(struct call *c, const char *request_id,
               void (*ended)(struct waiter *, const struct agent_request *, const char *))
{
    /* The loop may be asking at this moment whether it is inside (call_gone): that field is the room's. */
    c->waiter.request_id = request_id;
    c->waiter.wants = WAIT_END;
    c->waiter.ended = ended;
    atomic_store(&c->holds, 2);
    waiting_enter(c->agents->waiting, &c->waiter);
    if (atomic_load(&c->gone) && call_unpark(c))
        call_drop(c); /* the desk still has its own */
}

bool call_unpark(struct call *c)
{
    return waiting_leave(c->agents->waiting, &c->waiter);
}

void call_drop(struct call *c)
{
    if (atomic_fetch_sub(&c->holds, 1) == 1)
        c->resume(c);
}

void call_gone(void *arg)
{
    struct call *c = arg;
    atomic_store(&c->gone, true);
    if (call_unpark(c))
        call_drop(c);
}

/* --- the answer --- */

void call_set_json(struct call *c, int code, struct json_object *o)
{
    c->code = code;
    c->text = xstrdup(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(o);
}

void call_finish_json(struct call *c, int code, struct json_object *o)
{
    call_set_json(c, code, o);
    deferred_finish(c->deferred);
}

void call_set_error(struct call *c, const struct error *e)
{
    struct json_object *o = json_object_new_object();
    json_set_str(o, "error", *e->text ? e->text : status_row(e->status)->sentence);
    call_set_json(c, e->status == ST_LIMIT ? 429 : e->status == ST_BUSY ? 503 : status_row(e->status)->http, o);
}

void call_finish_error(struct call *c, const struct error *e)
{
    call_set_error(c, e);
    deferred_finish(c->deferred);
}

void call_answer(struct request *r, struct call *c)
{
    if (c->code == 503 || c->code == 429)
        request_set_header(r, "retry-after", "2");
    request_answer(r, c->code, "application/json; charset=utf-8", c->text, strlen(c->text));
}

/* --- what the answer meant to the asking side --- */

struct fetched {
    struct desk_job job;
    struct agents *agents;
    int64_t ids[CALL_ANSWERS_MAX];
    int count;
};

static enum status fetched_write(struct db *db, void *arg, struct error *e)
{
    const struct fetched *f = arg;
    int64_t now_ms;
    if (db_now_ms(db, &now_ms, e))
        return e->status;
    for (int i = 0; i < f->count; i++)
        if (ask_fetched(db, f->ids[i], now_ms, e))
            return e->status;
    return OK;
}

static void fetched_run(struct desk_job *job)
{
    struct fetched *f = (struct fetched *)job;
    struct error e = { 0 };
    if (store_write_relaxed(f->agents->store, fetched_write, f, &e) && e.status != ST_SHUTDOWN)
        log_event(LOG_WARN, "fetched", F_INT("request", f->ids[0]), F_ERR(&e));
    free(f);
}

/* The other end has acknowledged every byte of the answer. */
static void on_confirmed(void *arg)
{
    struct fetched *f = arg;
    if (!desk_post(f->agents->desk, &f->job))
        free(f);
}

void call_carries(struct call *c, int64_t id)
{
    if (c->id_count < CALL_ANSWERS_MAX)
        c->ids[c->id_count++] = id;
}

void call_confirm(struct request *r, struct call *c)
{
    if (!c->id_count)
        return;
    struct fetched *f = xcalloc(1, sizeof *f);
    *f = (struct fetched){ .job.run = fetched_run, .agents = c->agents, .count = c->id_count };
    memcpy(f->ids, c->ids, sizeof f->ids);
    request_confirm(r, on_confirmed, free, f);
}
