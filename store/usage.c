/* SPDX-License-Identifier: MIT
 * usage: one row per model call, written in the turn's transaction. */
#include "store/usage.h"

#include <stdio.h>

enum status usage_add(struct db *db, const struct usage *u, int64_t now_ms, struct error *e)
{
    return db_run(db, e,
                  "INSERT INTO usage (at, inbox_id, provider, model, input_tokens, cached_tokens, output_tokens, "
                  "elapsed_ms, outcome)"
                  " VALUES ($1, CAST($2 AS BIGINT), $3, $4, $5, $6, $7, $8, $9)",
                  p_int(now_ms), u->inbox_id ? p_int(u->inbox_id) : p_null(), p_text(u->provider), p_text(u->model),
                  p_int(u->input_tokens), p_int(u->cached_tokens), p_int(u->output_tokens), p_int(u->elapsed_ms),
                  p_text(u->outcome));
}

enum status usage_tokens_since(struct db *db, int64_t since_ms, int64_t *tokens, struct error *e)
{
    bool found;
    return db_get_int(db, tokens, &found, e,
                      "SELECT CAST(COALESCE(SUM(input_tokens + output_tokens), 0) AS BIGINT) FROM usage WHERE at >= $1",
                      p_int(since_ms));
}

enum status usage_limit_told(struct db *db, int64_t *at_ms, struct error *e)
{
    bool found;
    return db_get_int(db, at_ms, &found, e,
                      "SELECT COALESCE(MAX(CAST(value AS BIGINT)), 0) FROM settings WHERE name = 'token_limit_told'");
}

enum status usage_limit_tell(struct db *db, int64_t now_ms, struct error *e)
{
    char at[24];
    snprintf(at, sizeof at, "%lld", (long long)now_ms);
    return db_run(db, e,
                  "INSERT INTO settings (name, value) VALUES ('token_limit_told', $1)"
                  " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                  p_text(at));
}
