/* SPDX-License-Identifier: MIT
 * agent_client: see agent_client.h.  agent_call() is the one loop that tries again; what is above it only makes
 * requests and reads answers. */
#include "bot/agent_client.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "bot/agent_option.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RETRY_FIRST_MS = 5000,
    RETRY_MS_MAX = 30000,
    RETRY_AFTER_MS_MAX = 5 * 60000, /* a longer Retry-After is looked at again then */
    AGENT_HEADERS_MAX = 12,
    SLICE_MS = 100, /* how soon a pause sees a signal */
    TRY_MS = 15000,
    GRACE_MS = 1000,      /* a server that settles at the same deadline may still say so */
    HOOK_HOLD_MS = 60000, /* the server holds 55 s */
    SECRET_BYTES_MAX = 4096,
    TOLD_BYTES_MAX = 300, /* of a server's sentence */
};

static const char not_steward[] = "answers, but not as steward does: is the URL right?";

/* --- settings --- */

static const char *env_given(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

enum status agent_url(struct arena *a, const char **out, struct error *e)
{
    const char *given = env_given("CLAUDE_NOTIFY_URL"), *port = env_given("PORT");
    int64_t number;
    if (!given && port && !agent_number_read(port, 1, 65535, &number))
        return fail(e, ST_INVALID, "PORT must be a number from 1 to 65535.");
    char *url = given ? arena_strdup(a, given) : arena_printf(a, "http://127.0.0.1:%s", port ? port : "8080");
    if ((strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) || strpbrk(url, " \t\r\n\"<>?#"))
        return fail(e, ST_INVALID,
                    "CLAUDE_NOTIFY_URL must be the address of steward, such as https://steward.example.");
    size_t n = strlen(url);
    while (n > 0 && url[n - 1] == '/')
        url[--n] = '\0';
    if (n > 5 && strcmp(url + n - 5, "/send") == 0)
        url[n -= 5] = '\0';
    while (n > 0 && url[n - 1] == '/')
        url[--n] = '\0';
    *out = url;
    return OK;
}

static enum status secret_find(struct arena *a, const char **out, struct error *e)
{
    const char *given = env_given("CLAUDE_NOTIFY_SECRET"), *path = env_given("CLAUDE_NOTIFY_SECRET_FILE");
    size_t len;
    if (!given && path) {
        if (agent_read_file(a, path, SECRET_BYTES_MAX, &given, &len, e))
            return fail(e, ST_DENIED, "The file that CLAUDE_NOTIFY_SECRET_FILE names cannot be read.");
    } else if (!given) {
        given = env_given("NOTIFY_SECRET");
    }
    char *secret = text_trim(arena_strdup(a, given ? given : ""));
    if (!*secret)
        return fail(e, ST_DENIED,
                    "There is no secret: set CLAUDE_NOTIFY_SECRET to the value of NOTIFY_SECRET at the server.");
    for (const char *p = secret; *p; p++)
        if ((unsigned char)*p <= ' ' || *p == 127)
            return fail(e, ST_DENIED,
                        "The secret holds a space or control character; was a line break pasted with it?");
    log_secret(secret);
    *out = secret;
    return OK;
}

enum status agent_open(struct agent *g, const char *who, struct arena *a, struct error *e)
{
    const char *secret = NULL;
    *g = (struct agent){ .who = who, .deadline_ms = AGENT_NEVER, .patience_ms = 10 * 60000 };
    g->project = env_given("CLAUDE_PROJECT");
    if (agent_url(a, &g->url, e) || secret_find(a, &secret, e))
        return e->status;
    g->authorization = arena_printf(a, "authorization: Bearer %s", secret);
    http_global_init(env_given("SSL_CERT_FILE"));
    g->http = http_new();
    return OK;
}

void agent_close(struct agent *g)
{
    http_free(g->http);
    g->http = NULL;
}

/* --- telling --- */

/* What the server said, as one line that cannot steer a terminal. */
static const char *sentence(struct arena *a, const char *text)
{
    char *line = arena_strdup(a, text_unspoof(a, text_clean(a, text, strlen(text))));
    for (char *p = line; *p; p++)
        if (*p == '\n' || *p == '\t')
            *p = ' ';
    line[text_prefix_utf16(line, strlen(line), TOLD_BYTES_MAX)] = '\0';
    return line;
}

static void tell_trouble(struct agent *g, const char *kind, const struct error *e)
{
    bool same = g->trouble && strcmp(g->trouble, kind) == 0;
    g->trouble = kind;
    if (!same && !g->silent)
        fprintf(stderr, "%s: %s Trying again.\n", g->who, e->text);
}

static void tell_recovery(struct agent *g)
{
    if (g->trouble && !g->silent)
        fprintf(stderr, "%s: steward answers again.\n", g->who);
    g->trouble = NULL;
}

/* --- pauses --- */

static bool is_set(const volatile bool *flag)
{
    return flag && __atomic_load_n(flag, __ATOMIC_RELAXED);
}

static bool is_over(const struct agent *g)
{
    return is_set(g->cancel) || is_set(g->hurry);
}

/* Not all of those who wait for a restarted server come back in the same moment: 80 to 120 %.  OpenSSL's generator has
 * a state for each thread, which outlives a thread that ends with the program. */
static int64_t jittered(int64_t ms)
{
    return ms * (80 + (int64_t)arc4random_uniform(41)) / 100;
}

static int64_t retry_ms(int failures, int64_t retry_after_ms)
{
    int64_t ms = RETRY_FIRST_MS;
    for (int i = 1; i < failures && ms < RETRY_MS_MAX; i++)
        ms = ms * 3 / 2;
    ms = jittered(ms < RETRY_MS_MAX ? ms : RETRY_MS_MAX);
    if (retry_after_ms < 0)
        return ms;
    if (retry_after_ms > RETRY_AFTER_MS_MAX)
        return RETRY_AFTER_MS_MAX;
    return retry_after_ms + jittered(500);
}

static void pause_until(const struct agent *g, int64_t at_ms)
{
    for (int64_t now = clock_mono_ms(); now < at_ms && !is_over(g); now = clock_mono_ms())
        clock_sleep_ms(at_ms - now < SLICE_MS ? at_ms - now : SLICE_MS);
}

/* The same words under another status. */
static enum status again(struct error *e, enum status s)
{
    return e->status = s;
}

/* What the tries of one call have come to. */
struct trouble {
    int failures;
    int64_t since_ms; /* clock_mono_ms() of the first */
};

/* After a failure, before the next try: OK, or why there is none. */
static enum status pause_before_retry(struct agent *g, struct trouble *t, int64_t retry_after_ms, struct error *e)
{
    int64_t now = clock_mono_ms();
    if (t->failures++ == 0)
        t->since_ms = now;
    int64_t at = now + retry_ms(t->failures, retry_after_ms), last = t->since_ms + g->patience_ms;
    if (now >= last || is_set(g->hurry))
        return again(e, ST_UNAVAILABLE);
    at = at < last ? at : last; /* the last try is at the end of the patience */
    pause_until(g, at < g->deadline_ms ? at : g->deadline_ms);
    if (is_set(g->cancel))
        return fail(e, ST_SHUTDOWN, "Stopped.");
    if (clock_mono_ms() >= g->deadline_ms)
        return again(e, ST_BUSY);
    return is_set(g->hurry) ? again(e, ST_UNAVAILABLE) : OK;
}

/* --- one call, however many tries --- */

struct agent_call {
    const char *path; /* "/send" */
    const char *body; /* NULL = GET */
    size_t body_len;
    int64_t hold_ms;         /* how long the server may keep it */
    const char *const *more; /* headers, NULL-terminated; NULL = none */
    const volatile bool *cancel;
};

static enum status call_once(struct agent *g, struct arena *a, const struct agent_call *c, int64_t timeout_ms,
                             struct http_reply *reply, struct error *e)
{
    const char *headers[AGENT_HEADERS_MAX + 1] = { g->authorization, "accept: application/json" };
    size_t n = 2;
    if (c->body)
        headers[n++] = "content-type: application/json";
    for (const char *const *h = c->more; h && *h && n < AGENT_HEADERS_MAX; h++)
        headers[n++] = *h;
    struct http_request r = { .url = arena_printf(a, "%s%s", g->url, c->path),
                              .headers = headers,
                              .body = c->body,
                              .body_len = c->body ? c->body_len : 0,
                              .timeout_ms = timeout_ms,
                              .reply_bytes_max = AGENT_REPLY_BYTES_MAX,
                              .cancel = c->cancel };
    enum status s = http_call(g->http, a, &r, reply, e);
    if (s != ST_UNAVAILABLE && s != ST_INVALID)
        g->perhaps_sent = true;
    return s;
}

/* The "error" of steward's own answer; NULL = not one. */
static const char *refusal(struct arena *a, const struct http_reply *reply)
{
    struct json_object *o = NULL;
    struct error ignored;
    if (json_parse_in(a, reply->body, reply->body_len, &o, &ignored) != OK || !json_object_is_type(o, json_type_object))
        return NULL;
    const char *text = json_str(o, "error", NULL);
    return text ? sentence(a, text) : NULL;
}

static bool is_answer(struct arena *a, const struct http_reply *reply)
{
    struct json_object *o = NULL;
    struct error ignored;
    return reply->body_len == 0 || (json_parse_in(a, reply->body, reply->body_len, &o, &ignored) == OK &&
                                    json_object_is_type(o, json_type_object));
}

static const struct {
    int code;
    enum status status;
    const char *words;
} refusal_table[] = {
    { 400, ST_INVALID, "The server refused the request" },
    { 401, ST_DENIED, "The server refused the secret" },
    { 403, ST_DENIED, "The server refused the secret" },
    { 404, ST_NOT_FOUND, "The server does not know it" },
    { 409, ST_CONFLICT, "The request id is taken by another request" },
    { 413, ST_LIMIT, "The request is too large for the server" },
};

/* OK: reply is the answer.  ST_BUSY: try again, *kind says why (a constant).  Else final. */
static enum status judge(struct agent *g, struct arena *a, const struct http_reply *r, const char **kind,
                         struct error *e)
{
    const char *said = refusal(a, r);
    if (r->code >= 200 && r->code < 300 && is_answer(a, r))
        return OK;
    if (r->code >= 500 || r->code == 429 || r->code == 408) {
        *kind = r->code == 429 ? "429" : "5xx";
        return fail(e, ST_BUSY, "The server answers %d%s%s", r->code, said ? ": " : ".", said ? said : "");
    }
    for (size_t i = 0; i < sizeof refusal_table / sizeof refusal_table[0]; i++)
        if (r->code == refusal_table[i].code && (said || r->code == 401))
            return fail(e, refusal_table[i].status, "%s: %s", refusal_table[i].words, said ? said : "401.");
    *kind = "odd";
    /* A proxy's page, while the server behind it is replaced. */
    return fail(e, g->reached ? ST_BUSY : ST_INVALID, "The server at CLAUDE_NOTIFY_URL %s (HTTP %d)", not_steward,
                r->code);
}

static int64_t timeout_of(const struct agent *g, const struct agent_call *c)
{
    int64_t most = (g->try_ms ? g->try_ms : TRY_MS) + c->hold_ms, left = g->deadline_ms - clock_mono_ms();
    if (left >= most)
        return most;
    /* A deadline is when waiting ends, not when an answer on its way is thrown away. */
    left = left > 0 ? left + GRACE_MS : GRACE_MS;
    return most < left ? most : left;
}

/* OK: *body is a JSON object's text, or empty.  Memory of failed tries is given back at once. */
static enum status agent_call(struct agent *g, struct arena *a, struct agent_call *c, const char **body,
                              struct error *e)
{
    struct http_reply reply;
    struct trouble trouble = { 0 };
    const char *kind = "away";
    c->cancel = g->cancel;
    for (;;) {
        struct arena *scratch = arena_new();
        int64_t retry_after_ms = -1;
        enum status s = call_once(g, scratch, c, timeout_of(g, c), &reply, e);
        if (s == OK) {
            retry_after_ms = reply.retry_after_ms;
            s = judge(g, scratch, &reply, &kind, e);
        } else if (s == ST_UNAVAILABLE || s == ST_UNKNOWN) {
            kind = "away";
            s = ST_BUSY;
        }
        if (s == OK)
            *body = arena_strndup(a, reply.body, reply.body_len);
        arena_free(scratch);
        if (s == OK) {
            tell_recovery(g);
            g->reached = true;
        }
        if (s != ST_BUSY)
            return s;
        tell_trouble(g, kind, e);
        if (pause_before_retry(g, &trouble, retry_after_ms, e))
            return e->status;
    }
}

static enum status call_json(struct agent *g, struct arena *a, struct agent_call *c, struct json_object **answer,
                             struct error *e)
{
    const char *text = "";
    enum status s = agent_call(g, a, c, &text, e);
    if (s == OK)
        s = json_parse_in(a, text, strlen(text), answer, e);
    if (s == OK && !json_object_is_type(*answer, json_type_object))
        s = fail(e, ST_INVALID, "The server at CLAUDE_NOTIFY_URL %s", not_steward);
    return s;
}

/* --- the calls --- */

enum status agent_send(struct agent *g, struct arena *a, struct json_object *body, struct json_object **answer,
                       struct error *e)
{
    const char *text = json_text(a, body);
    struct agent_call c = { .path = "/send", .body = text, .body_len = strlen(text) };
    if (c.body_len > HTTP_BODY_BYTES_MAX)
        return fail(e, ST_LIMIT, "The request is larger than %d KiB.", HTTP_BODY_BYTES_MAX / 1024);
    return call_json(g, a, &c, answer, e);
}

/* How long this poll is to be held: whole seconds, not past the deadline. */
static int poll_wait_s(const struct agent *g)
{
    if (g->deadline_ms == AGENT_NEVER)
        return AGENT_POLL_WAIT_S;
    int64_t left_s = (g->deadline_ms - clock_mono_ms() + 999) / 1000;
    return left_s >= AGENT_POLL_WAIT_S ? AGENT_POLL_WAIT_S : left_s > 0 ? (int)left_s : 0;
}

enum status agent_wait(struct agent *g, struct arena *a, const char *request_id, struct json_object **answer,
                       struct error *e)
{
    int early = 0; /* polls in a row that were not held */
    for (;;) {
        struct arena *scratch = arena_new();
        int wait_s = poll_wait_s(g);
        int64_t begin_ms = clock_mono_ms();
        struct agent_call c = { .hold_ms = wait_s * 1000 };
        const char *text = "", *path = arena_printf(scratch, "/poll?request_id=%s&wait=%d", request_id, wait_s);
        c.path = path;
        struct json_object *o = NULL;
        enum status s = agent_call(g, scratch, &c, &text, e);
        if (s == OK)
            s = json_parse_in(scratch, text, strlen(text), &o, e);
        const char *status = s == OK ? json_str(o, "status", "") : "";
        bool waiting = strcmp(status, "waiting") == 0;
        if (s == OK && !*status)
            s = fail(e, ST_INVALID, "The server at CLAUDE_NOTIFY_URL %s", not_steward);
        if (s == OK && !waiting)
            s = json_parse_in(a, text, strlen(text), answer, e);
        arena_free(scratch);
        if (!waiting)
            return s;
        if (clock_mono_ms() >= g->deadline_ms)
            return fail(e, ST_BUSY, "There was no answer in time.");
        /* Something on the way does not hold: ask at the pace of retries. */
        early = clock_mono_ms() - begin_ms < wait_s * 1000 / 4 ? early + 1 : 0;
        if (early > 0)
            pause_until(g, begin_ms + (early < 3 ? SLICE_MS : retry_ms(early, -1)));
        if (is_set(g->cancel))
            return fail(e, ST_SHUTDOWN, "Stopped.");
    }
}

enum status agent_cancel(struct agent *g, struct arena *a, const char *request_id, const char *reason,
                         const volatile bool *cancel, struct json_object **answer, struct error *e)
{
    struct json_object *body = json_keep(a, json_object_new_object());
    struct http_reply reply;
    const char *kind;
    json_set_str(body, "request_id", request_id);
    json_set_str(body, "reason", reason);
    const char *text = json_text(a, body);
    struct agent_call c = { .path = "/cancel", .body = text, .body_len = strlen(text), .cancel = cancel };
    enum status s = call_once(g, a, &c, AGENT_CANCEL_MS, &reply, e);
    if (s == OK)
        s = judge(g, a, &reply, &kind, e);
    if (s == OK)
        s = json_parse_in(a, reply.body, reply.body_len, answer, e);
    return s;
}

enum status agent_hook_post(struct agent *g, struct arena *a, const struct agent_hook *h, const char **decision,
                            struct error *e)
{
    for (;;) {
        struct arena *scratch = arena_new();
        int64_t left_s = (h->until_ms - clock_mono_ms()) / 1000;
        const char *headers[6] = {
            arena_printf(scratch, "x-steward-request: %s", h->request_id), "x-steward-attach: keep",
            arena_printf(scratch, "x-steward-timeout: %lld", (long long)(left_s > 1 ? left_s : 1))
        };
        size_t n = 3;
        if (g->project)
            headers[n++] = arena_printf(scratch, "x-steward-project: %s", g->project);
        if (h->next)
            headers[n++] = "x-steward-next: ask";
        struct agent_call c = { .path = arena_printf(scratch, "/hooks/%s", h->dialect),
                                .body = h->body,
                                .body_len = h->body_len,
                                .hold_ms = HOOK_HOLD_MS,
                                .more = headers };
        struct json_object *o = NULL;
        const char *text = "";
        int64_t begin_ms = clock_mono_ms();
        enum status s = agent_call(g, scratch, &c, &text, e);
        if (s == OK && *text)
            s = json_parse_in(scratch, text, strlen(text), &o, e);
        bool waiting = s == OK && strcmp(json_str(o, "status", ""), "waiting") == 0;
        if (s == OK && !waiting)
            *decision = arena_strdup(a, text);
        arena_free(scratch);
        if (!waiting)
            return s;
        if (clock_mono_ms() >= g->deadline_ms)
            return fail(e, ST_BUSY, "There was no answer in time.");
        if (clock_mono_ms() - begin_ms < 1000) /* it should have been held */
            pause_until(g, begin_ms + RETRY_FIRST_MS);
        if (is_set(g->cancel))
            return fail(e, ST_SHUTDOWN, "Stopped.");
    }
}
