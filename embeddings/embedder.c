/* SPDX-License-Identifier: MIT
 * embedder: see embedder.h.  One call per try: repeating is the caller's, who knows whether somebody waits. */
#include "embeddings/embedder.h"
#include "base/clock.h"
#include "base/host.h"
#include "base/json.h"
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct embedder {
    const struct embed_provider *provider; /* NULL = built in */
    struct embed_options options;
    char owner[HOST_BYTES_MAX];     /* whose server it is, see host_owner() */
    atomic_bool without_dimensions; /* the server refused the parameter once */
    struct embedder_times times;
};

enum status embedder_new(const struct embed_options *o, struct embedder **out, struct error *error)
{
    *out = NULL;
    if (o->base_url && (!o->model || strlen(o->model) > EMBED_MODEL_BYTES_MAX))
        return fail(error, ST_INVALID, "EMBEDDING_MODEL has at most %d bytes.", EMBED_MODEL_BYTES_MAX);
    struct embedder *e = xcalloc(1, sizeof *e);
    if (o->base_url) {
        e->provider = &embed_openai;
        host_owner(o->base_url, "api.openai.com", "openai", e->owner);
        e->options = (struct embed_options){ .base_url = xstrdup(o->base_url),
                                             .api_key = o->api_key ? xstrdup(o->api_key) : NULL,
                                             .model = xstrdup(o->model),
                                             .dimensions = o->dimensions };
    } else {
        e->options =
            (struct embed_options){ .model = xstrdup(EMBED_BUILTIN_MODEL), .dimensions = EMBED_BUILTIN_DIMENSIONS };
    }
    *out = e;
    return OK;
}

void embedder_free(struct embedder *e)
{
    if (!e)
        return;
    free((char *)e->options.base_url);
    free((char *)e->options.api_key);
    free((char *)e->options.model);
    free(e);
}

const char *embedder_model(const struct embedder *e)
{
    return e->options.model;
}

const char *embedder_provider(const struct embedder *e)
{
    return e->provider ? e->owner : "builtin";
}

uint32_t embedder_dimensions(const struct embedder *e)
{
    return e->options.dimensions;
}

bool embedder_local(const struct embedder *e)
{
    return e->provider == NULL;
}

enum status embed_normalise(float *v, size_t dimensions, struct error *error)
{
    double norm = 0;
    for (size_t i = 0; i < dimensions; i++) {
        if (!isfinite(v[i]))
            return fail(error, ST_INVALID, "the embedding holds a number that is not finite");
        norm += (double)v[i] * v[i];
    }
    if (norm <= 0)
        return fail(error, ST_INVALID, "the embedding is all zero");
    norm = sqrt(norm);
    for (size_t i = 0; i < dimensions; i++)
        v[i] = (float)(v[i] / norm);
    return OK;
}

/* --- sizes --- */

static size_t thirds(unsigned char c) /* of a token, in thirds; continuation bytes are counted with the first */
{
    return c < 0x80 ? 1 : c >= 0xC0 ? 6 : 0;
}

size_t embed_tokens(const char *text)
{
    size_t sum = 0;
    for (const char *p = text; *p; p++)
        sum += thirds((unsigned char)*p);
    return sum / 3 + 1;
}

const char *embed_cut(struct arena *arena, const char *text, size_t tokens)
{
    size_t sum = 0;
    for (const char *p = text; *p; p++) {
        sum += thirds((unsigned char)*p);
        if (sum / 3 + 1 > tokens)
            return arena_strndup(arena, text, (size_t)(p - text));
    }
    return text;
}

/* --- a server's answer --- */

static enum status read_refusal(const struct embedder *e, struct arena *arena, const struct http_reply *r,
                                bool *about_dimensions, struct embed_result *result, struct error *error)
{
    struct json_object *root = NULL;
    struct error ignored;
    if (r->body_len < 65536 && json_parse_in(arena, r->body, r->body_len, &root, &ignored) != OK)
        root = NULL;
    const char *message = json_str(root, "error.message", json_str(root, "message", json_str(root, "error", "")));
    const char *param = json_str(root, "error.param", "");
    *about_dimensions = (r->code == 400 || r->code == 422) &&
                        (strcmp(param, "dimensions") == 0 || strstr(message, "dimension") != NULL);
    result->retry_after_ms = r->retry_after_ms;
    bool passing = r->code == 408 || r->code == 409 || r->code == 425 || r->code == 429 || r->code >= 500;
    bool spent = strcmp(json_str(root, "error.code", ""), "insufficient_quota") == 0;
    result->refused = r->code == 400 || r->code == 413 || r->code == 422;
    const char *host = strstr(e->options.base_url, "://");
    host = host ? host + 3 : e->options.base_url;
    return fail(error, passing && !spent ? (r->code == 429 ? ST_BUSY : ST_UNAVAILABLE) : ST_INVALID,
                "the embedding server %.*s refused (HTTP %d)%s%.200s", (int)strcspn(host, "/"), host, r->code,
                *message ? ": " : "", message);
}

struct job {
    struct embedder *embedder;
    struct http *http;
    struct arena *arena;
    const char *const *texts;
    size_t count;
    int64_t timeout_ms;
    const volatile bool *cancel;
    float *out;
};

static enum status call_once(struct job *j, bool without_dimensions, bool *about_dimensions,
                             struct embed_result *result, struct error *error)
{
    struct embedder *e = j->embedder;
    struct embed_call call;
    struct http_reply r;
    e->provider->build(&e->options, j->arena, j->texts, j->count, without_dimensions, &call);
    struct http_request q = { .url = call.url,
                              .headers = call.headers,
                              .body = call.body,
                              .body_len = call.body_len,
                              .timeout_ms = j->timeout_ms,
                              .connect_timeout_ms = j->timeout_ms < 2000 ? j->timeout_ms : 2000,
                              .reply_bytes_max = EMBED_REPLY_BYTES_MAX,
                              .cancel = j->cancel };
    *about_dimensions = false;
    enum status st = http_call(j->http, j->arena, &q, &r, error);
    if (st == ST_UNKNOWN) { /* embedding twice is harmless */
        error->status = ST_UNAVAILABLE;
        return ST_UNAVAILABLE;
    }
    if (st != OK)
        return st;
    if (r.code != 200)
        return read_refusal(e, j->arena, &r, about_dimensions, result, error);
    st = e->provider->parse(&e->options, j->arena, r.body, r.body_len, j->count, j->out, &result->tokens, error);
    for (size_t i = 0; i < j->count && st == OK; i++) {
        st = embed_normalise(j->out + i * e->options.dimensions, e->options.dimensions, error);
        result->refused |= st != OK;
    }
    return st;
}

enum status embedder_embed(struct embedder *e, struct http *http, const char *const *texts, size_t count,
                           int64_t timeout_ms, const volatile bool *cancel, float *out, struct embed_result *result,
                           struct error *error)
{
    bool about_dimensions, without = atomic_load(&e->without_dimensions);
    *result = (struct embed_result){ .retry_after_ms = -1 };
    if (!e->provider) {
        for (size_t i = 0; i < count; i++)
            embed_builtin(texts[i], out + i * EMBED_BUILTIN_DIMENSIONS);
        return OK;
    }
    struct arena *arena = arena_new();
    struct job j = { e, http, arena, texts, count, timeout_ms, cancel, out };
    int64_t begin_us = clock_mono_us();
    enum status st = call_once(&j, without, &about_dimensions, result, error);
    if (about_dimensions && !without) {
        result->refused = false;
        st = call_once(&j, true, &about_dimensions, result, error);
        if (st == OK)
            atomic_store(&e->without_dimensions, true);
    }
    arena_free(arena);
    int64_t elapsed_us = clock_mono_us() - begin_us;
    result->elapsed_ms = elapsed_us / 1000; /* also of a call without an answer */
    histogram_observe(&e->times.call, elapsed_us);
    atomic_fetch_add(st == OK ? &e->times.answered : &e->times.failed, 1);
    atomic_fetch_add(&e->times.tokens, result->tokens);
    return st;
}

const struct embedder_times *embedder_times(const struct embedder *e)
{
    return &e->times;
}
