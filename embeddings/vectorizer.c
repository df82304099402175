/* SPDX-License-Identifier: MIT
 * vectorizer: see vectorizer.h. */
#include "embeddings/vectorizer.h"
#include "base/clock.h"
#include "store/usage.h"
#include <stdlib.h>
#include <string.h>

enum {
    CALL_TIMEOUT_MS = 60000,
    LEASE_MS_MAX = 90000, /* one call and its write, and room; renewed at every step */
    PAUSE_MS_MIN = 500,
    PAUSE_MS_MAX = 60000,
    SETTINGS_PAUSE_MS = 60000, /* wrong key or model: the settings must change */
    ELSEWHERE_PAUSE_MS = 1000,
    LIMIT_PAUSE_MS = 60000,
};

struct batch {
    struct vectorizer *v;
    struct arena *arena;
    struct recall_wanted item[EMBED_BATCH_MAX];
    const char *text[EMBED_BATCH_MAX];
    char hash[EMBED_BATCH_MAX][VECTOR_HASH_BYTES];
    size_t count;
    float *values;
    struct embed_result result;
    bool ours;
};

/* --- the lease --- */

static enum status take_lease(struct db *db, void *arg, struct error *error)
{
    struct batch *b = arg;
    int64_t now_ms;
    enum status st = db_now_ms(db, &now_ms, error);
    return st != OK ? st : feed_lease(db, store_owner_id(b->v->store), now_ms, now_ms + LEASE_MS_MAX, &b->ours, error);
}

static enum status end_lease(struct db *db, void *arg, struct error *error)
{
    return feed_lease_end(db, store_owner_id(arg), error);
}

void vectorizer_rest(struct vectorizer *v)
{
    struct error ignored;
    if (v->leased && store_write_relaxed(v->store, end_lease, v->store, &ignored) == OK)
        v->leased = false;
}

/* --- a batch --- */

static enum status sync_users(struct batch *b, struct db *db, struct error *error)
{
    int64_t last = 0;
    enum status st = OK;
    for (size_t i = 0; i < b->count && st == OK; i++) {
        if (b->item[i].user_id != last)
            st = recall_sync(b->v->recall, db, b->item[i].user_id, error);
        last = b->item[i].user_id;
    }
    return st;
}

enum status vectorizer_limit(const struct vectorizer *v, struct db *db, bool *reached, struct error *error)
{
    struct usage_day day;
    int64_t now_ms;
    *reached = false;
    if (v->daily_token_limit <= 0 || embedder_local(v->embedder))
        return OK;
    if (db_now_ms(db, &now_ms, error) || usage_today(db, v->zone, now_ms, &day, error))
        return error->status;
    *reached = day.tokens >= v->daily_token_limit;
    return OK;
}

/* The rows as they are now; what has gone is left to the feed. */
static enum status read_texts(struct batch *b, struct db *db, struct error *error)
{
    size_t kept = 0, tokens = 0;
    for (size_t i = 0; i < b->count; i++) {
        struct recall_row row;
        bool found;
        enum status st =
            recall_row_get(db, b->arena, b->item[i].user_id, b->item[i].type, b->item[i].id, &row, &found, error);
        if (st != OK)
            return st;
        if (!found)
            continue;
        const char *text = vector_text(b->arena, &row);
        vector_hash(text, b->hash[kept]);
        b->text[kept] = embed_cut(b->arena, text, EMBED_TEXT_TOKENS_MAX);
        b->item[kept] = b->item[i];
        tokens += embed_tokens(b->text[kept]);
        if (kept > 0 && tokens > EMBED_BATCH_TOKENS_MAX)
            break;
        kept++;
    }
    b->count = kept;
    return OK;
}

static enum status read_batch(struct batch *b, bool *limited, struct error *error)
{
    struct vectorizer *v = b->v;
    struct db *db;
    enum status st = store_read_begin(v->store, &db, error);
    if (st != OK)
        return st;
    st = sync_users(b, db, error); /* another process may have done some of them */
    b->count = recall_wanted(v->recall, b->item, v->batch);
    if (st == OK)
        st = vectorizer_limit(v, db, limited, error);
    if (st == OK)
        st = read_texts(b, db, error);
    store_read_end(v->store, db);
    return st;
}

static enum status write_usage(struct batch *b, struct db *db, const char *outcome, int64_t now_ms, struct error *error)
{
    struct usage usage = { .provider = embedder_provider(b->v->embedder),
                           .model = embedder_model(b->v->embedder),
                           .outcome = outcome,
                           .input_tokens = b->result.tokens,
                           .elapsed_ms = b->result.elapsed_ms };
    return embedder_local(b->v->embedder) ? OK : usage_add(db, &usage, now_ms, error);
}

static enum status write_failure(struct db *db, void *arg, struct error *error)
{
    int64_t now_ms;
    enum status st = db_now_ms(db, &now_ms, error);
    return st == OK ? write_usage(arg, db, "failed", now_ms, error) : st;
}

static enum status write_batch(struct db *db, void *arg, struct error *error)
{
    struct batch *b = arg;
    struct vectorizer *v = b->v;
    size_t d = embedder_dimensions(v->embedder);
    int64_t now_ms;
    enum status st = db_now_ms(db, &now_ms, error);
    for (size_t i = 0; i < b->count && st == OK; i++) {
        struct vector one = { .type = recall_type_name(b->item[i].type),
                              .id = b->item[i].id,
                              .user_id = b->item[i].user_id,
                              .hash = b->hash[i],
                              .values = b->values + i * d,
                              .dimensions = d };
        st = vector_put(db, embedder_model(v->embedder), &one, now_ms, error);
    }
    return st == OK ? write_usage(b, db, "ok", now_ms, error) : st;
}

/* --- what went wrong --- */

static void on_failure(struct batch *b, enum status st, struct vectorizer_step *step)
{
    struct vectorizer *v = b->v;
    if (b->result.refused && b->count == 1)
        recall_give_up(v->recall, &b->item[0]);
    if (b->result.refused) { /* one of them is the cause: find it by halves */
        v->batch = b->count > 1 ? b->count / 2 : EMBED_BATCH_MAX;
        return;
    }
    v->pause_ms = v->pause_ms ? v->pause_ms * 2 : PAUSE_MS_MIN;
    v->pause_ms = v->pause_ms < PAUSE_MS_MAX ? v->pause_ms : PAUSE_MS_MAX;
    step->wait_ms = b->result.retry_after_ms > v->pause_ms ? b->result.retry_after_ms : v->pause_ms;
    if (st == ST_INVALID)
        step->wait_ms = SETTINGS_PAUSE_MS;
}

static enum status embed_and_write(struct batch *b, struct vectorizer_step *step, struct error *error)
{
    struct vectorizer *v = b->v;
    b->values = xmalloc(b->count * embedder_dimensions(v->embedder) * sizeof *b->values);
    enum status st = embedder_embed(v->embedder, v->http, b->text, b->count, CALL_TIMEOUT_MS, v->cancel, b->values,
                                    &b->result, error);
    struct error ignored;
    if (st == OK)
        st = store_write(v->store, write_batch, b, error);
    else if (st != ST_SHUTDOWN)
        (void)!store_write_relaxed(v->store, write_failure, b, &ignored);
    free(b->values);
    if (st != OK) {
        on_failure(b, st, step);
        return st;
    }
    v->pause_ms = 0;
    v->batch = v->batch * 2 < EMBED_BATCH_MAX ? v->batch * 2 : EMBED_BATCH_MAX;
    v->tokens += b->result.tokens;
    v->embedded += (int64_t)b->count;
    step->embedded = b->count;
    struct db *db;
    if (store_read_begin(v->store, &db, error) != OK)
        return OK; /* written; the next step brings the index up */
    (void)!sync_users(b, db, &ignored);
    store_read_end(v->store, db);
    return OK;
}

enum status vectorizer_run(struct vectorizer *v, struct vectorizer_step *step, struct error *error)
{
    *step = (struct vectorizer_step){ 0 };
    if (v->batch == 0)
        v->batch = EMBED_BATCH_MAX;
    struct batch *b = xcalloc(1, sizeof *b);
    b->v = v;
    b->arena = arena_new();
    b->result.retry_after_ms = -1;
    b->count = recall_wanted(v->recall, b->item, v->batch);
    step->idle = b->count == 0;
    enum status st = step->idle ? OK : store_write_relaxed(v->store, take_lease, b, error);
    v->leased |= b->ours;
    if (st == OK && !step->idle && !b->ours) {
        step->elsewhere = true;
        step->wait_ms = ELSEWHERE_PAUSE_MS;
    } else if (st == OK && !step->idle) {
        st = read_batch(b, &step->limited, error);
        if (st == OK && step->limited)
            step->wait_ms = LIMIT_PAUSE_MS;
        else if (st == OK && b->count > 0)
            st = embed_and_write(b, step, error);
    }
    if (st != OK && step->wait_ms == 0 && !b->result.refused)
        step->wait_ms = PAUSE_MS_MIN;
    arena_free(b->arena);
    free(b);
    return st;
}
