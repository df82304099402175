/* SPDX-License-Identifier: MIT
 * mcp_calls: see mcp_calls.h.  The threads of the calls send, wait and withdraw; the reader's thread begins and cancels
 * them.  Whoever writes holds the lock; nobody holds it over a call to the server. */
#include "bot/mcp_calls.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/thread.h"
#include "bot/agent_option.h"
#include "bot/mcp_tools.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    REASON_UNITS_MAX = 200, /* of a withdrawn question, for the card: UTF-16 units */
    NOTE_BYTES_MAX = 80,    /* what a sign of life says beside the time */
    WRITE_BYTES = 4096,     /* fits into a pipe that poll() says has room */
    WRITE_SLICE_MS = 100,   /* how soon a stuck write sees a signal */
    STUCK_MS = 2000,        /* how long a client that ended may take to read on */
    WITHDRAW_PAUSE_MS = 2000,
    END_MS = AGENT_CANCEL_MS + 2000, /* the call in progress ends within a second, then it is withdrawn */
    BUSY_CODE = -32600,              /* invalid request: the id is taken */
};
#define STANDING_PATIENCE_MS ((int64_t)365 * 24 * 3600 * 1000) /* a question that stands outlives every outage */

struct open_call {
    struct mcp_calls *all;
    struct arena *arena; /* NULL = the slot is free */
    struct mcp_call call;
    volatile bool cancel; /* ends what the thread waits for; then it withdraws and gives no answer */
    char reason[3 * REASON_UNITS_MAX + 1];
    char note[NOTE_BYTES_MAX];
    bool stands;         /* the question has reached the server */
    int64_t begin_ms;    /* clock_mono_ms() */
    int64_t progress_ms; /* when the last sign of life was given */
    int64_t progress;    /* and its number */
};

struct mcp_calls {
    struct mcp_calls_options options;
    pthread_mutex_t lock; /* guards everything below and the output */
    pthread_cond_t change;
    struct open_call slot[MCP_CALLS_MAX];
    int open;
    bool output_gone;
    volatile bool ending; /* set without the lock: whoever writes to a reader that does not read holds it */
};

struct mcp_calls *mcp_calls_new(const struct mcp_calls_options *options)
{
    struct mcp_calls *m = xcalloc(1, sizeof *m);
    m->options = *options;
    pthread_mutex_init(&m->lock, NULL);
    condition_init(&m->change);
    return m;
}

static bool is_set(const volatile bool *flag)
{
    return __atomic_load_n(flag, __ATOMIC_RELAXED);
}

/* ---- the output; the lock is held ---- */

/* The client has closed its end; there may be more to read. */
static bool input_ended(const struct mcp_calls *m)
{
    struct pollfd p = { .fd = m->options.input, .events = POLLRDHUP };
    return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLRDHUP | POLLERR));
}

/* A reader may be slow or stopped; when it wants an end, it gets it. */
static bool give_up(const struct mcp_calls *m, int64_t stuck_ms)
{
    return is_set(m->options.stop) || (stuck_ms >= STUCK_MS && (is_set(&m->ending) || input_ended(m)));
}

static void write_bytes(struct mcp_calls *m, const char *s, size_t len)
{
    int64_t moved_ms = clock_mono_ms();
    while (len > 0 && !m->output_gone) {
        struct pollfd p = { .fd = m->options.output, .events = POLLOUT };
        if (poll(&p, 1, WRITE_SLICE_MS) <= 0) {
            m->output_gone = give_up(m, clock_mono_ms() - moved_ms);
            continue;
        }
        ssize_t n = write(m->options.output, s, len < WRITE_BYTES ? len : WRITE_BYTES);
        if (n >= 0) {
            s += n;
            len -= (size_t)n;
            moved_ms = clock_mono_ms();
        } else if (errno != EINTR && errno != EAGAIN) {
            m->output_gone = true;
        }
    }
}

static void write_line(struct mcp_calls *m, const char *line)
{
    write_bytes(m, line, strlen(line));
    write_bytes(m, "\n", 1);
}

bool mcp_calls_write(struct mcp_calls *m, const char *line)
{
    pthread_mutex_lock(&m->lock);
    write_line(m, line);
    bool gone = m->output_gone;
    pthread_mutex_unlock(&m->lock);
    return !gone;
}

/* "waiting for an answer, 2 min" */
static void write_progress(struct mcp_calls *m, struct open_call *c)
{
    struct arena *a = arena_new();
    int64_t now_ms = clock_mono_ms(), waited_ms = now_ms - c->begin_ms, seconds = waited_ms / 1000;
    const char *what = c->stands ? "waiting for an answer" : "reaching the server";
    const char *words = seconds > 0 ? arena_printf(a, "%s, %s%s", what, agent_duration_text(a, seconds * 1000), c->note)
                                    : arena_printf(a, "%s%s", what, c->note);
    c->progress = seconds > c->progress ? seconds : c->progress + 1;
    c->progress_ms = now_ms;
    write_line(m, mcp_progress_line(a, &c->call, c->progress, words));
    arena_free(a);
}

bool mcp_calls_tick(struct mcp_calls *m)
{
    if (pthread_mutex_trylock(&m->lock)) /* somebody writes; the reader's thread must go on to see the end of input */
        return true;
    for (struct open_call *c = m->slot; c < m->slot + MCP_CALLS_MAX; c++)
        if (c->arena && c->call.progress_token && !c->cancel &&
            clock_mono_ms() - c->progress_ms >= m->options.progress_ms)
            write_progress(m, c);
    bool gone = m->output_gone;
    pthread_mutex_unlock(&m->lock);
    return !gone;
}

/* ---- one call; its thread ---- */

/* The server has the question; `answer` is that of POST /send. */
static void note_standing(struct open_call *c, struct json_object *answer)
{
    const char *code = json_str(answer, "code", NULL);
    pthread_mutex_lock(&c->all->lock);
    bool first = !c->stands;
    c->stands = true;
    if (code)
        snprintf(c->note, sizeof c->note, "; the number to confirm on the phone is %.20s", code);
    if ((first || code) && c->call.progress_token && !c->cancel)
        write_progress(c->all, c);
    pthread_mutex_unlock(&c->all->lock);
    if (code) /* also for a host that shows no progress */
        fprintf(stderr, "steward mcp: the number to confirm on the phone is %.20s\n", code);
}

static bool is_answered(struct json_object *state)
{
    return strcmp(json_str(state, "status", ""), "responded") == 0;
}

/* Send and wait; *sent counts the requests that the server may know. */
static enum status follow(struct open_call *c, struct agent *g, const struct mcp_plan *plan, struct mcp_outcome *out,
                          int *sent, int *settled, struct error *e)
{
    for (int i = 0; i < plan->count; i++) {
        g->perhaps_sent = false;
        enum status s = agent_send(g, c->arena, plan->request[i].body, &out->state[i], e);
        *sent += s == OK || g->perhaps_sent;
        if (s != OK)
            return s;
        if (c->call.tool->waits)
            note_standing(c, out->state[i]);
    }
    g->patience_ms = STANDING_PATIENCE_MS;
    for (int i = 0; i < plan->count && c->call.tool->waits; i++) {
        enum status s = agent_wait(g, c->arena, plan->request[i].request_id, &out->state[i], e);
        if (s != OK)
            return s;
        *settled = i + 1;
        if (!is_answered(out->state[i])) /* one question without an answer decides: the others are withdrawn */
            break;
    }
    return OK;
}

/* Until the server has taken it back, but not for ever, and once only when everything ends. */
static enum status withdraw_one(struct open_call *c, struct agent *g, const char *request_id, const char *reason,
                                struct error *e)
{
    int64_t until_ms = clock_mono_ms() + c->all->options.patience_ms;
    for (;;) {
        struct json_object *state;
        enum status s = agent_cancel(g, c->arena, request_id, reason, c->all->options.hurry, &state, e);
        bool away = s == ST_UNAVAILABLE || s == ST_UNKNOWN || s == ST_BUSY;
        if (!away || clock_mono_ms() >= until_ms)
            return s == ST_NOT_FOUND ? OK : s;
        for (int64_t next_ms = clock_mono_ms() + WITHDRAW_PAUSE_MS; clock_mono_ms() < next_ms;) {
            if (is_set(&c->all->ending))
                return s;
            clock_sleep_ms(WRITE_SLICE_MS);
        }
    }
}

static void withdraw(struct open_call *c, struct agent *g, const struct mcp_plan *plan, int from, int to)
{
    pthread_mutex_lock(&c->all->lock);
    const char *reason = arena_strdup(c->arena, *c->reason ? c->reason : "The agent asks no longer.");
    pthread_mutex_unlock(&c->all->lock);
    for (int i = from; i < to; i++) {
        struct error e = { 0 };
        if (withdraw_one(c, g, plan->request[i].request_id, reason, &e))
            fprintf(stderr, "steward mcp: a question could not be withdrawn: %s\n", e.text);
    }
}

static void ask(struct open_call *c, const struct mcp_plan *plan, struct mcp_outcome *out)
{
    struct agent g = *c->all->options.agent;
    struct error e = { 0 };
    int sent = 0, settled = 0;
    g.http = http_new();
    g.cancel = &c->cancel;
    g.patience_ms = c->all->options.patience_ms;
    if (follow(c, &g, plan, out, &sent, &settled, &e))
        out->failure = arena_strdup(c->arena, e.text);
    if (c->call.tool->waits && settled < sent)
        withdraw(c, &g, plan, settled, sent);
    agent_close(&g);
}

/* Answer, unless the client wants none any more, and give the slot back. */
static void finish(struct open_call *c, struct json_object *result)
{
    struct mcp_calls *m = c->all;
    const char *line = mcp_result_line(c->arena, &c->call, result);
    struct arena *arena = c->arena;
    /* Before the lock: standard error may be a pipe that nobody empties. */
    log_event(LOG_INFO, "mcp_call", F_STR("tool", c->call.tool->name),
              F_STR("outcome", is_set(&c->cancel) ? "cancelled" : "answered"),
              F_INT("ms", clock_mono_ms() - c->begin_ms));
    pthread_mutex_lock(&m->lock);
    if (!c->cancel)
        write_line(m, line);
    c->arena = NULL;
    m->open--;
    arena_free(arena);
    pthread_cond_broadcast(&m->change);
    pthread_mutex_unlock(&m->lock); /* the last touch: m may be freed after it */
}

static void *call_main(void *arg)
{
    struct open_call *c = arg;
    const struct mcp_calls_options *o = &c->all->options;
    struct mcp_outcome outcome = { .failure = NULL };
    struct mcp_plan plan;
    struct error e = { 0 };
    char id[AGENT_ID_BYTES];
    agent_id_new(id);
    if (mcp_tool_plan(c->arena, &c->call, o->project, id, &plan, &e))
        outcome.failure = e.text;
    else if (o->failure)
        outcome.failure = o->failure;
    else
        ask(c, &plan, &outcome);
    finish(c, mcp_tool_result(c->arena, &c->call, &plan, &outcome));
    return NULL;
}

/* ---- the reader's side ---- */

static struct open_call *find(struct mcp_calls *m, const char *id)
{
    for (struct open_call *c = m->slot; c < m->slot + MCP_CALLS_MAX; c++)
        if (id ? c->arena && strcmp(c->call.id, id) == 0 : !c->arena)
            return c;
    return NULL;
}

static void answer_failure(struct mcp_calls *m, struct arena *arena, const struct mcp_call *call, const char *failure)
{
    const struct mcp_plan plan = { .count = 0 };
    const struct mcp_outcome outcome = { .failure = failure };
    write_line(m, mcp_result_line(arena, call, mcp_tool_result(arena, call, &plan, &outcome)));
}

/* The lock is held; false: answered, and the arena is not taken. */
static bool begin(struct mcp_calls *m, struct arena *arena, const struct mcp_call *call)
{
    struct open_call *c = find(m, NULL);
    if (find(m, call->id)) {
        write_line(m, mcp_error_line(arena, call->id, BUSY_CODE, "This id belongs to a request that is still open."));
        return false;
    }
    if (!c) {
        answer_failure(m, arena, call,
                       arena_printf(arena, "%d calls are open already; wait for an answer first.", MCP_CALLS_MAX));
        return false;
    }
    *c = (struct open_call){ .all = m, .arena = arena, .call = *call, .begin_ms = clock_mono_ms() };
    c->progress_ms = c->begin_ms;
    m->open++;
    const struct thread_start what = { .name = "mcp call", .run = call_main, .arg = c };
    if (thread_start(NULL, &what, NULL) == OK)
        return true;
    c->arena = NULL;
    m->open--;
    answer_failure(m, arena, call, "The system gives no thread for this call.");
    return false;
}

void mcp_calls_begin(struct mcp_calls *m, struct arena *arena, const struct mcp_call *call)
{
    pthread_mutex_lock(&m->lock);
    bool taken = begin(m, arena, call);
    pthread_mutex_unlock(&m->lock);
    if (!taken)
        arena_free(arena);
}

static void cancel(struct open_call *c, const char *reason)
{
    size_t len = text_prefix_utf16(reason, strlen(reason), REASON_UNITS_MAX);
    if (!c->cancel) /* the first reason is the one */
        snprintf(c->reason, sizeof c->reason, "%.*s", (int)len, reason);
    __atomic_store_n(&c->cancel, true, __ATOMIC_RELAXED);
}

void mcp_calls_cancel(struct mcp_calls *m, const char *id, const char *reason)
{
    pthread_mutex_lock(&m->lock);
    struct open_call *c = find(m, id);
    if (c)
        cancel(c, *reason ? reason : "The agent withdrew the question.");
    pthread_mutex_unlock(&m->lock);
}

bool mcp_calls_end(struct mcp_calls *m, const char *reason)
{
    int64_t until_ms = clock_mono_ms() + END_MS;
    __atomic_store_n(&m->ending, true, __ATOMIC_RELAXED);
    pthread_mutex_lock(&m->lock);
    for (struct open_call *c = m->slot; c < m->slot + MCP_CALLS_MAX; c++)
        if (c->arena)
            cancel(c, reason);
    while (m->open > 0 && clock_mono_ms() < until_ms)
        (void)condition_wait_until(&m->change, &m->lock, until_ms);
    bool all = m->open == 0;
    pthread_mutex_unlock(&m->lock);
    if (!all)
        return false;
    pthread_cond_destroy(&m->change);
    pthread_mutex_destroy(&m->lock);
    free(m);
    return true;
}
