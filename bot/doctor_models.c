/* SPDX-License-Identifier: MIT
 * doctor_models: each model is asked for a word, the embedding server for a vector; like every call they are rows of
 * the ledger.  See doctor.h. */
#include "bot/doctor.h"

#include "base/clock.h"
#include "bot/embedder_memory.h"
#include "bot/serve.h"
#include "router/provider.h"

#include <stdlib.h>

enum { EMBEDDING_TIMEOUT_MS = 20000, WORD_TOKENS_MAX = 256 };

static enum status write_usage(struct db *db, void *usage, struct error *e)
{
    int64_t now_ms;
    enum status st = db_now_ms(db, &now_ms, e);
    return st == OK ? usage_add(db, usage, now_ms, e) : st;
}

static void account(struct doctor *d, struct usage *u)
{
    struct error ignored;
    if (d->store)
        (void)!store_write(d->store, write_usage, u, &ignored);
}

static void account_model(struct doctor *d, const struct model_reply *r)
{
    for (int i = 0; i < r->asked_count; i++) {
        struct usage u = { .provider = r->asked[i].provider,
                           .model = r->asked[i].model,
                           .outcome = r->asked[i].answered ? "ok" : "failed",
                           .input_tokens = r->asked[i].input_tokens,
                           .cached_tokens = r->asked[i].cached_tokens,
                           .output_tokens = r->asked[i].output_tokens,
                           .elapsed_ms = r->asked[i].elapsed_ms };
        account(d, &u);
    }
}

static void check_model(struct doctor *d, struct model_set *set, int i)
{
    struct error e = { 0 };
    struct model_message m = { .role = MODEL_USER, .text = "Reply with the word OK." };
    struct model_request q = {
        .system = "Reply in one word.", .messages = &m, .message_count = 1, .output_tokens_max = WORD_TOKENS_MAX
    };
    struct model_reply r;
    if (model_step(set, d->http, d->arena, &q, set->endpoint[i].provider->name, NULL, &r, &e))
        doctor_failure(d, "model", "%s (meanwhile the built-in parser reads messages)", e.text);
    else
        doctor_ok(d, "model", "%s at %s answers (%lld ms)", set->endpoint[i].model, set->endpoint[i].base_url,
                  (long long)r.elapsed_ms);
    account_model(d, &r);
}

static void check_embedding(struct doctor *d)
{
    struct error e = { 0 };
    struct embedder *embedder;
    struct embed_result result = { 0 };
    const char *text = "Where is the wifi password?";
    if (memory_embedder(&d->config, &embedder, &e)) {
        doctor_failure(d, "embeddings", "%s", e.text);
        return;
    }
    if (embedder_local(embedder)) {
        doctor_ok(d, "embeddings",
                  "built in; a server (EMBEDDING_API_KEY or EMBEDDING_BASE_URL) finds by meaning, not only by words");
        embedder_free(embedder);
        return;
    }
    float *vector = xcalloc(embedder_dimensions(embedder), sizeof *vector);
    enum status st = embedder_embed(embedder, d->http, &text, 1, EMBEDDING_TIMEOUT_MS, NULL, vector, &result, &e);
    if (st == OK)
        doctor_ok(d, "embeddings", "%s at %s answers: %u dimensions (%lld ms)", embedder_model(embedder),
                  d->config.embedding_base_url, embedder_dimensions(embedder), (long long)result.elapsed_ms);
    else
        doctor_failure(d, "embeddings", "%s (meanwhile rows are found by words alone)", e.text);
    struct usage u = { .provider = embedder_provider(embedder),
                       .model = embedder_model(embedder),
                       .outcome = st == OK ? "ok" : "failed",
                       .input_tokens = result.tokens,
                       .elapsed_ms = result.elapsed_ms };
    account(d, &u);
    free(vector);
    embedder_free(embedder);
}

static void check_limit(struct doctor *d)
{
    struct error e = { 0 };
    struct usage_day day;
    struct db *db;
    if (d->config.daily_token_limit <= 0 || !d->store || store_read_begin(d->store, &db, &e) != OK)
        return;
    enum status st = usage_today(db, d->config.zone, clock_wall_ms(), &day, &e);
    store_read_end(d->store, db);
    if (st != OK)
        doctor_warning(d, "limit", "%s", e.text);
    else if (day.tokens >= d->config.daily_token_limit)
        doctor_warning(d, "limit",
                       "today's %lld tokens are used up: until midnight the built-in parser reads messages; raise "
                       "DAILY_TOKEN_LIMIT if that is too little",
                       (long long)d->config.daily_token_limit);
    else
        doctor_ok(d, "limit", "%lld of %lld tokens used today", (long long)day.tokens,
                  (long long)d->config.daily_token_limit);
}

void doctor_models(struct doctor *d)
{
    struct model_set set;
    struct error e = { 0 };
    if (models_from_config(&d->config, &set, &e)) {
        doctor_failure(d, "model", "%s", e.text);
        return;
    }
    if (set.count == 0)
        doctor_warning(d, "model",
                       "none: the built-in parser reads messages; ANTHROPIC_API_KEY or OPENAI_API_KEY adds one");
    for (int i = 0; i < set.count; i++)
        check_model(d, &set, i);
    check_embedding(d);
    check_limit(d);
}
