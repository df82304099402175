/* SPDX-License-Identifier: MIT
 * usage: see usage.h.  A turn's rows are written in its transaction; the embedder's and the commands' in their own. */
#include "store/usage.h"

#include "base/clock.h"
#include <stdio.h>
#include <string.h>

enum status usage_add(struct db *db, const struct usage *u, int64_t now_ms, struct error *e)
{
    return db_run_later(db, e,
                        "INSERT INTO usage (at, inbox_id, provider, model, input_tokens, cached_tokens, output_tokens, "
                        "elapsed_ms, outcome)"
                        " VALUES ($1, CAST($2 AS BIGINT), $3, $4, $5, $6, $7, $8, $9)",
                        p_int(now_ms), u->inbox_id ? p_int(u->inbox_id) : p_null(), p_text(u->provider),
                        p_text(u->model), p_int(u->input_tokens), p_int(u->cached_tokens), p_int(u->output_tokens),
                        p_int(u->elapsed_ms), p_text(u->outcome));
}

enum status usage_today(struct db *db, const char *zone, int64_t now_ms, struct usage_day *day, struct error *e)
{
    struct civil midnight;
    *day = (struct usage_day){ 0 };
    if (zone_to_civil(zone, now_ms, &midnight, e))
        return e->status;
    midnight.hour = midnight.minute = midnight.second = 0;
    if (zone_to_instant(zone, &midnight, &day->midnight_ms, e))
        return e->status;
    return db_get_int(db, &day->tokens, NULL, e,
                      "SELECT CAST(COALESCE(SUM(input_tokens + output_tokens), 0) AS BIGINT) FROM usage WHERE at >= $1",
                      p_int(day->midnight_ms));
}

static void sum_read(struct stmt *s, struct arena *a, struct usage_sum *u)
{
    *u = (struct usage_sum){ .provider = arena_strdup(a, db_text(s, 0)),
                             .model = arena_strdup(a, db_text(s, 1)),
                             .period = (int)db_int(s, 2),
                             .day = db_int(s, 3),
                             .calls = db_int(s, 4),
                             .failed = db_int(s, 5),
                             .input_tokens = db_int(s, 6),
                             .cached_tokens = db_int(s, 7),
                             .output_tokens = db_int(s, 8),
                             .elapsed_ms = db_int(s, 9) };
}

enum status usage_sums(struct db *db, struct arena *arena, const int64_t *since_ms, int periods, struct usage_sum **out,
                       int *count, struct error *e)
{
    int room = 0;
    int64_t since[USAGE_PERIODS_MAX];
    for (int i = 0; i < USAGE_PERIODS_MAX; i++)
        since[i] = since_ms[i < periods ? i : periods - 1];
    *out = NULL;
    *count = 0;
    struct stmt *s = db_query(
        db,
        "SELECT provider, model, period, day, COUNT(*), CAST(SUM(failed) AS BIGINT), CAST(SUM(input_tokens) AS BIGINT),"
        " CAST(SUM(cached_tokens) AS BIGINT), CAST(SUM(output_tokens) AS BIGINT), CAST(SUM(elapsed_ms) AS BIGINT)"
        " FROM (SELECT u.*, CASE WHEN at >= $3 THEN 2 WHEN at >= $2 THEN 1 ELSE 0 END AS period, at / 86400000 AS day,"
        " CASE WHEN outcome = 'ok' THEN 0 ELSE 1 END AS failed FROM usage u WHERE at >= $1) w"
        " GROUP BY provider, model, period, day ORDER BY provider, model, period, day",
        p_int(since[0]), p_int(since[1]), p_int(since[2]));
    while (db_step(s)) {
        if (*count == room) {
            struct usage_sum *more = arena_alloc(arena, (size_t)(room = room ? room * 2 : 64) * sizeof *more);
            if (*count)
                memcpy(more, *out, (size_t)*count * sizeof *more);
            *out = more;
        }
        sum_read(s, arena, &(*out)[*count]);
        (*out)[*count].period = (*out)[*count].period < periods ? (*out)[*count].period : periods - 1;
        (*count)++;
    }
    return db_done(s, e);
}

enum status usage_prune(struct db *db, int64_t before_ms, struct error *e)
{
    return db_run(db, e, "DELETE FROM usage WHERE at < $1", p_int(before_ms));
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
