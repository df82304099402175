/* SPDX-License-Identifier: MIT
 * agents_hook: POST /hooks/claude and /hooks/codex.  A hook becomes one request per question; when all have ended the
 * decision is made from their rows and the body that was posted, in the agent's own dialect (router/hook.h).
 *
 * Without "X-Steward-Attach: keep" the connection is the request: it is held until the end, and when the agent leaves
 * (answered in its terminal, stopped) the cards are withdrawn.  With it the requests survive the connection: the answer
 * after HOLD_MS is 202 and the same body with the same X-Steward-Request attaches again.
 *
 * Fails closed: before the hook's own time-out, and when steward stops, a permission is denied in so many words.
 *
 * Here: how the call is read, held, answered and left; its rows are made in agents_hook_store.c. */
#include "bot/agents_hook.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "router/ask.h"
#include "router/hook.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
    HOLD_MS = 55000,         /* under the time-outs of proxies */
    TIMEOUT_DEFAULT_S = 600, /* of a hook, by both vendors' documentation */
    TIMEOUT_MAX_S = 7 * 24 * 3600,
    TIMEOUT_MARGIN_S = 10, /* the explicit refusal must arrive before the agent gives up */
};

_Static_assert((int)CALL_ANSWERS_MAX >= (int)HOOK_QUESTIONS_MAX, "a call has a place for every answer");

void hook_call_free(struct hook_call *h)
{
    if (!h)
        return;
    for (int i = 0; i < h->count; i++)
        free(h->names[i]);
    free(h->project);
    free(h->key);
    free(h->refusal);
    free(h);
}

/* --- reading --- */

static enum status read_hook(struct arena *a, const struct call *c, struct hook *hook, struct error *e)
{
    struct json_object *body;
    if (json_parse_in(a, c->body, strlen(c->body), &body, e) ||
        hook_read(a, c->hook->dialect, body, c->hook->project, hook, e))
        return e->status;
    if (c->hook->wait_next)
        (void)hook_wait_for_next(a, hook);
    return OK;
}

static char *decision(struct arena *a, const struct hook *hook, const struct hook_answer *answers, int count)
{
    struct json_object *o = hook_decide(a, hook, answers, count);
    return xstrdup(o ? json_text(a, o) : "");
}

static char *refusal(struct arena *a, const struct hook *hook)
{
    struct hook_answer none[HOOK_QUESTIONS_MAX];
    for (int i = 0; i < HOOK_QUESTIONS_MAX; i++)
        none[i] = (struct hook_answer){ .outcome = HOOK_TIMEOUT };
    return decision(a, hook, none, hook->question_count);
}

/* --- looking --- */

static struct hook_answer answer_of(const struct agent_request *r)
{
    struct hook_answer x = { .outcome = HOOK_CANCELLED, .why = r->reason };
    if (r->state == REQUEST_EXPIRED)
        x.outcome = HOOK_EXPIRED;
    if (r->state != REQUEST_RESPONDED)
        return x;
    return (struct hook_answer){ .outcome = HOOK_ANSWERED,
                                 .value = r->response,
                                 .free_text = r->free_text,
                                 .by = r->answered_name,
                                 .via = strcmp(r->how, "console") == 0 ? "the console page" : NULL };
}

/* The first that is still open, or -1: then answers are complete. */
static enum status look(struct call *c, struct arena *a, struct hook_answer *answers, int *open, struct error *e)
{
    struct db *db;
    *open = -1;
    c->id_count = 0;
    if (store_read_begin_settled(c->agents->store, &db, e))
        return e->status;
    enum status s = OK;
    for (int i = 0; i < c->hook->count && s == OK && *open < 0; i++) {
        struct agent_request r;
        bool found = false;
        s = request_by_name(db, a, c->hook->names[i], &r, &found, e);
        if (s == OK && !found)
            s = fail(e, ST_NOT_FOUND, "the request is gone");
        if (s == OK && r.state == REQUEST_OPEN)
            *open = i;
        else if (s == OK)
            answers[i] = answer_of(&r);
        if (s == OK && r.state != REQUEST_OPEN)
            call_carries(c, r.id);
    }
    store_read_end(c->agents->store, db);
    return s;
}

static void finish_text(struct call *c, char *text)
{
    c->code = 200;
    c->text = text;
    deferred_finish(c->deferred);
}

/* --- leaving --- */

/* The agent waits no more: its cards must not stay live on the phone. */
static void withdraw_run(struct desk_job *job)
{
    struct call *c = (struct call *)job;
    struct agent_request r;
    struct error e = { 0 };
    for (int i = 0; i < c->hook->count; i++) {
        struct arena *a = arena_new();
        if (agents_cancel(c->agents, a, c->hook->names[i], "the agent is no longer waiting", &r, &e) &&
            e.status != ST_SHUTDOWN)
            log_event(LOG_WARN, "hook_withdraw", F_ERR(&e));
        arena_free(a);
    }
    deferred_finish(c->deferred);
}

static void withdraw(struct call *c)
{
    c->job.run = withdraw_run;
    if (c->hook->keep || c->hook->count == 0 || !desk_post(c->agents->desk, &c->job))
        deferred_finish(c->deferred);
}

/* --- waiting --- */

static void wait_run(struct desk_job *job);

/* Out of the room, and nobody else looks at it: gone, or at the desk it shows whether there are more questions. */
static void hook_resume(struct call *c)
{
    if (atomic_load(&c->gone)) {
        withdraw(c);
        return;
    }
    c->job.run = wait_run;
    if (!desk_post(c->agents->desk, &c->job))
        deferred_finish(c->deferred);
}

static void hook_ended(struct waiter *w, const struct agent_request *r, const char *message_id)
{
    (void)r, (void)message_id;
    call_drop(call_of(w));
}

static void conclude(struct call *c, struct arena *a, const struct hook_answer *answers)
{
    struct hook hook;
    struct error e = { 0 };
    if (read_hook(a, c, &hook, &e))
        call_finish_error(c, &e);
    else
        finish_text(c, decision(a, &hook, answers, c->hook->count));
}

/* In the room for the first open question, which is then looked at once more: it may have ended in between. */
static void wait_for(struct call *c, struct arena *a, struct hook_answer *answers, int open)
{
    struct error e = { 0 };
    int before = open;
    c->resume = hook_resume;
    call_park(c, c->hook->names[open], hook_ended);
    enum status s = look(c, a, answers, &open, &e);
    if (s == OK && open != before && call_unpark(c))
        atomic_fetch_sub(&c->holds, 1);
    call_drop(c); /* a look that failed is repeated by the room within a minute */
}

static void wait_run(struct desk_job *job)
{
    struct call *c = (struct call *)job;
    struct hook_answer answers[HOOK_QUESTIONS_MAX] = { 0 };
    struct arena *a = arena_new();
    struct error e = { 0 };
    int open;
    if (look(c, a, answers, &open, &e))
        call_finish_error(c, &e);
    else if (open < 0)
        conclude(c, a, answers);
    else
        wait_for(c, a, answers, open);
    arena_free(a);
}

static bool session_is_asked(struct call *c, struct arena *a, const struct hook *hook)
{
    int64_t n = 0;
    bool found;
    struct db *db;
    struct error e = { 0 };
    if (store_read_begin_settled(c->agents->store, &db, &e))
        return false;
    enum status s = db_get_int(db, &n, &found, &e, "SELECT COUNT(*) FROM requests WHERE state = 'open' AND origin = $1",
                               p_text(hook_origin(a, hook)));
    store_read_end(c->agents->store, db);
    return s == OK && n > 0;
}

static void hook_run(struct desk_job *job)
{
    struct call *c = (struct call *)job;
    struct arena *a = arena_new();
    struct hook hook = { 0 };
    struct error e = { 0 };
    enum status s = read_hook(a, c, &hook, &e);
    bool silent = s == OK && (hook.kind == HOOK_NOTHING ||
                              (hook.kind == HOOK_TELL && hook.drop_if_asked && session_is_asked(c, a, &hook)));
    if (s == OK && hook.kind == HOOK_ASK)
        atomic_store(&c->hook->refusal, refusal(a, &hook));
    if (s == OK && !silent)
        s = hook_store(c, a, &hook, &e);
    if (s)
        call_finish_error(c, &e);
    else if (silent || hook.kind != HOOK_ASK)
        finish_text(c, xstrdup(""));
    else
        wait_run(job);
    arena_free(a);
}

/* --- the loop's side --- */

static void answer_text(struct request *r, int code, const char *text)
{
    request_answer(r, code, "application/json; charset=utf-8", text, strlen(text));
}

static void hook_answer(struct request *r, enum deferred_why why, void *arg)
{
    struct call *c = arg;
    const char *no = atomic_load(&c->hook->refusal);
    if (why == DEFERRED_DONE && c->text) {
        call_answer(r, c);
        if (c->code == 200)
            call_confirm(r, c);
    } else if (c->hook->keep && (why == DEFERRED_TIMEOUT || why == DEFERRED_LEFT) &&
               clock_mono_ms() < c->hook->until_ms - 250) {
        answer_text(r, 202, "{\"status\":\"waiting\"}");
    } else if (no && !(c->hook->keep && why == DEFERRED_DRAIN)) {
        answer_text(r, 200, no);
    } else {
        request_set_header(r, "retry-after", "2");
        request_error(r, 503, "steward cannot ask now; please try again");
    }
}

static const struct deferred_ops hook_ops = { .answer = hook_answer, .gone = call_gone, .release = call_free };

static bool key_is_valid(const char *key)
{
    if (!*key || strlen(key) > ASK_ID_BYTES_MAX - 16)
        return false;
    for (; *key; key++)
        if (!isalnum((unsigned char)*key) && !strchr("._:-", *key))
            return false;
    return true;
}

static int64_t timeout_ms(struct request *r)
{
    const char *given = request_header(r, "x-steward-timeout");
    long seconds = given ? strtol(given, NULL, 10) : TIMEOUT_DEFAULT_S;
    if (seconds < 1 || seconds > TIMEOUT_MAX_S)
        seconds = seconds < 1 ? TIMEOUT_DEFAULT_S : TIMEOUT_MAX_S;
    long margin = seconds > 4 * TIMEOUT_MARGIN_S ? TIMEOUT_MARGIN_S : seconds / 4;
    return (seconds - margin) * 1000;
}

static void on_hook(struct request *r, struct agents *agents, enum hook_dialect dialect)
{
    const char *keep = request_header(r, "x-steward-attach"), *key = request_header(r, "x-steward-request"),
               *project = request_header(r, "x-steward-project"), *next = request_header(r, "x-steward-next");
    if (!agents_body(r))
        return;
    if (key && !key_is_valid(key)) {
        request_error(r, 400, "X-Steward-Request may hold letters, digits and . _ : - only");
        return;
    }
    int64_t wait_ms = timeout_ms(r);
    struct call *c = call_new(agents, NULL, request_body(r));
    c->hook = xcalloc(1, sizeof *c->hook);
    c->hook->dialect = dialect;
    c->hook->keep = keep && strcmp(keep, "keep") == 0;
    c->hook->key = key ? xstrdup(key) : NULL;
    c->hook->project = project && *project ? xstrdup(project) : NULL;
    c->hook->wait_next = next != NULL;
    c->hook->until_ms = clock_mono_ms() + wait_ms;
    call_start(c, r, hook_run, &hook_ops, c->hook->keep && wait_ms > HOLD_MS ? HOLD_MS : wait_ms);
}

void agents_on_hook_claude(struct request *r, void *agents)
{
    on_hook(r, agents, HOOK_CLAUDE);
}

void agents_on_hook_codex(struct request *r, void *agents)
{
    on_hook(r, agents, HOOK_CODEX);
}
