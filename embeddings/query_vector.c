/* SPDX-License-Identifier: MIT
 * query_vector: see query_vector.h. */
#include "embeddings/query_vector.h"
#include "base/clock.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { HTTP_KEPT_MAX = 4 /* connections kept for the next query */ };

struct kept {
    char *text;
    float *vector;
};
struct query_vectors {
    struct embedder *embedder;
    pthread_mutex_t lock; /* of what follows; never held over a call */
    struct http *http[HTTP_KEPT_MAX];
    int http_count;
    struct kept kept[QUERY_KEPT_MAX];
    int next;
    int64_t pause_until_ms; /* monotonic */
    struct query_call call[QUERY_CALLS_MAX];
    size_t call_count;
    atomic_bool stopped;
};

struct query_vectors *query_vectors_new(struct embedder *embedder)
{
    struct query_vectors *q = xcalloc(1, sizeof *q);
    q->embedder = embedder;
    pthread_mutex_init(&q->lock, NULL);
    return q;
}

void query_vectors_free(struct query_vectors *q)
{
    if (!q)
        return;
    for (int i = 0; i < q->http_count; i++)
        http_free(q->http[i]);
    for (int i = 0; i < QUERY_KEPT_MAX; i++) {
        free(q->kept[i].text);
        free(q->kept[i].vector);
    }
    pthread_mutex_destroy(&q->lock);
    free(q);
}

static size_t vector_bytes(const struct query_vectors *q)
{
    return embedder_dimensions(q->embedder) * sizeof(float);
}

/* Under the lock. */
static const float *find_kept(const struct query_vectors *q, const char *text)
{
    for (int i = 0; i < QUERY_KEPT_MAX; i++)
        if (q->kept[i].text && strcmp(q->kept[i].text, text) == 0)
            return q->kept[i].vector;
    return NULL;
}

static void keep(struct query_vectors *q, const char *text, const float *vector)
{
    struct kept *k = &q->kept[q->next];
    q->next = (q->next + 1) % QUERY_KEPT_MAX;
    free(k->text);
    free(k->vector);
    k->text = xstrdup(text);
    k->vector = xmalloc(vector_bytes(q));
    memcpy(k->vector, vector, vector_bytes(q));
}

static bool call_allowed(const struct query_vectors *q)
{
    return !atomic_load(&q->stopped) && clock_mono_ms() >= q->pause_until_ms;
}

bool query_vectors_local(const struct query_vectors *q)
{
    return embedder_local(q->embedder);
}

bool query_vector_calls(struct query_vectors *q, const char *text)
{
    if (!q || embedder_local(q->embedder))
        return false;
    pthread_mutex_lock(&q->lock);
    bool calls = call_allowed(q) && !find_kept(q, text);
    pthread_mutex_unlock(&q->lock);
    return calls;
}

static struct http *take_http(struct query_vectors *q)
{
    pthread_mutex_lock(&q->lock);
    struct http *h = q->http_count > 0 ? q->http[--q->http_count] : NULL;
    pthread_mutex_unlock(&q->lock);
    return h ? h : http_new();
}

/* Under the lock. */
static void note_call(struct query_vectors *q, const struct embed_result *r, bool answered)
{
    struct query_call c = { r->tokens, r->elapsed_ms, answered };
    if (q->call_count < QUERY_CALLS_MAX) {
        q->call[q->call_count++] = c;
        return;
    }
    q->call[QUERY_CALLS_MAX - 1].tokens += c.tokens; /* the tokens of the day stay true */
    q->call[QUERY_CALLS_MAX - 1].elapsed_ms += c.elapsed_ms;
}

static bool ask_server(struct query_vectors *q, struct arena *arena, const char *text, float *out)
{
    const char *cut = embed_cut(arena, text, QUERY_TOKENS_MAX);
    struct http *http = take_http(q);
    struct embed_result result;
    struct error why;
    enum status st = embedder_embed(q->embedder, http, &cut, 1, QUERY_PATIENCE_MS, NULL, out, &result, &why);
    pthread_mutex_lock(&q->lock);
    note_call(q, &result, st == OK);
    if (q->http_count < HTTP_KEPT_MAX) {
        q->http[q->http_count++] = http;
        http = NULL;
    }
    if (st == OK) {
        keep(q, text, out);
    } else {
        int64_t pause_ms = result.retry_after_ms > QUERY_PAUSE_MS ? result.retry_after_ms : QUERY_PAUSE_MS;
        q->pause_until_ms = clock_mono_ms() + pause_ms;
    }
    pthread_mutex_unlock(&q->lock);
    http_free(http);
    return st == OK;
}

const float *query_vector(struct query_vectors *q, struct arena *arena, const char *text, bool may_call)
{
    if (!q || !*text)
        return NULL;
    float *out = arena_alloc(arena, vector_bytes(q));
    if (embedder_local(q->embedder)) {
        embed_builtin(text, out);
        return out;
    }
    pthread_mutex_lock(&q->lock);
    const float *kept = find_kept(q, text);
    if (kept)
        memcpy(out, kept, vector_bytes(q));
    bool call = may_call && call_allowed(q);
    pthread_mutex_unlock(&q->lock);
    if (kept)
        return out;
    return call && ask_server(q, arena, text, out) ? out : NULL;
}

void query_vectors_stop(struct query_vectors *q, bool stop)
{
    atomic_store(&q->stopped, stop);
}

size_t query_vectors_calls(struct query_vectors *q, struct query_call out[QUERY_CALLS_MAX])
{
    pthread_mutex_lock(&q->lock);
    size_t count = q->call_count;
    memcpy(out, q->call, count * sizeof *out);
    pthread_mutex_unlock(&q->lock);
    return count;
}

/* The last one may have grown meanwhile: what was added stays. */
void query_vectors_forget(struct query_vectors *q, const struct query_call *written, size_t count)
{
    pthread_mutex_lock(&q->lock);
    bool grown = count == QUERY_CALLS_MAX && q->call[count - 1].tokens > written[count - 1].tokens;
    if (grown) {
        q->call[count - 1].tokens -= written[count - 1].tokens;
        q->call[count - 1].elapsed_ms -= written[count - 1].elapsed_ms;
        count--;
    }
    q->call_count -= count;
    memmove(q->call, q->call + count, q->call_count * sizeof *q->call);
    pthread_mutex_unlock(&q->lock);
}
