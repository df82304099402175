/* SPDX-License-Identifier: MIT
 * embedder: texts to unit vectors.  A provider is one row of pure functions (a request in, an HTTP request out; an
 * answer in, vectors out); the built-in one computes them.  Every vector that leaves here has the declared length, is
 * finite, not zero, and of length one (normalised in double).  A `struct embedder` is shared by all threads. */
#ifndef EMBEDDINGS_EMBEDDER_H
#define EMBEDDINGS_EMBEDDER_H

#include "base/histogram.h"
#include "base/http.h"
#include <stdint.h>

enum {
    EMBED_BATCH_MAX = 128,            /* texts of one request: servers take 2,048, an answer stays under 3 MB */
    EMBED_BATCH_TOKENS_MAX = 100000,  /* by embed_tokens(); OpenAI takes 300,000 */
    EMBED_TEXT_TOKENS_MAX = 8000,     /* of one text; OpenAI takes 8,192; what is longer is cut */
    EMBED_REPLY_BYTES_MAX = 64 << 20, /* 128 texts × 4,096 dimensions × up to 25 characters, and room */
    EMBED_BUILTIN_DIMENSIONS = 384,
    EMBED_MODEL_BYTES_MAX = 100,
};
#define EMBED_BUILTIN_MODEL "builtin-hash-1"

struct embed_options {
    const char *base_url, *api_key; /* base_url NULL = the built-in embedder; api_key NULL = none */
    const char *model;
    uint32_t dimensions;
};
struct embedder;

/* Strings are copied.  ST_INVALID: a model name over EMBED_MODEL_BYTES_MAX. */
enum status MUST_CHECK embedder_new(const struct embed_options *, struct embedder **, struct error *);
void embedder_free(struct embedder *); /* NULL is fine */
const char *embedder_model(const struct embedder *);
const char *embedder_provider(const struct embedder *); /* whose server: "openai", "local", a host, "builtin" */
uint32_t embedder_dimensions(const struct embedder *);
bool embedder_local(const struct embedder *); /* no network, no cost */

struct embed_result {
    int64_t tokens; /* as the server counted them; 0 = it did not say */
    int64_t elapsed_ms;
    int64_t retry_after_ms; /* of a failure; -1 = not given */
    bool refused;           /* this request will never work (a text it cannot take); others may */
};
/* count (at most EMBED_BATCH_MAX) texts → out[count × dimensions].  ST_UNAVAILABLE, ST_BUSY: try later; ST_INVALID: see
 * refused, or the settings do not fit the server (the error says how); ST_SHUTDOWN: *cancel turned true. */
enum status MUST_CHECK embedder_embed(struct embedder *, struct http *, const char *const *texts, size_t count,
                                      int64_t timeout_ms, const volatile bool *cancel, float *out,
                                      struct embed_result *, struct error *);

/* Calls to the server since the start; all zero for the built-in embedder. */
struct embedder_times {
    struct histogram call;
    _Atomic int64_t answered, failed, tokens;
};
const struct embedder_times *embedder_times(const struct embedder *);

/* A stated upper estimate of a text's tokens: one per 3 ASCII bytes, two per other character. */
size_t embed_tokens(const char *text);
/* The longest prefix of at most `tokens`, ending at a character; arena-owned, the text itself when it fits. */
const char *embed_cut(struct arena *, const char *text, size_t tokens);

/* --- the rows --- */

struct embed_call {
    const char *url, *body;
    size_t body_len;
    const char *headers[4]; /* NULL-terminated; arena memory, never logged */
};
struct embed_provider {
    const char *name;
    void (*build)(const struct embed_options *, struct arena *, const char *const *texts, size_t count,
                  bool without_dimensions, struct embed_call *);
    /* An answer of HTTP 200 → vectors as they are, not normalised, checked for count and length. */
    enum status (*parse)(const struct embed_options *, struct arena *, const char *body, size_t len, size_t count,
                         float *out, int64_t *tokens, struct error *);
};
extern const struct embed_provider embed_openai;

/* One text by feature hashing; see embed_builtin.c for the formula.  Pure; any thread. */
void embed_builtin(const char *text, float out[EMBED_BUILTIN_DIMENSIONS]);

/* Divide by the length, in double.  ST_INVALID: not finite, or zero. */
enum status MUST_CHECK embed_normalise(float *vector, size_t dimensions, struct error *);

#endif
