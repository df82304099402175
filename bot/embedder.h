/* SPDX-License-Identifier: MIT
 * embedder: the background lane of memory: one thread that keeps the index of every user true, embeds what is missing
 * or stale, writes the snapshot and prunes.  Nothing waits for it: rows are found by words at once, by meaning when it
 * is done. */
#ifndef BOT_EMBEDDER_H
#define BOT_EMBEDDER_H

#include "bot/embedder_memory.h"
#include "bot/intake.h"

struct lane;

/* Opens the memory and makes it the one of router/question_search.h; reads and embeds in the background.
 * It gives way to the intake while posts come in floods. */
enum status MUST_CHECK lane_start(struct store *, const struct config *, struct intake *, struct lane **,
                                  struct error *);
void lane_wake(struct lane *); /* rows may have changed.  Any thread, never blocks */
void lane_stop(struct lane *); /* after the workers: ends a call under way, saves the snapshot, joins.  NULL is fine */
void lane_free(struct lane *); /* after store_close(): until then a hint may wake it */

struct lane_counters {
    bool limited; /* DAILY_TOKEN_LIMIT is reached: no server is asked until midnight */
    struct recall_usage recall;
    int64_t embedded, tokens, failures;
    int64_t lag_ms; /* since when rows wait for their vector; 0 = none does */
    const char *provider, *model;
    const struct embedder_times *times; /* of the calls to its server */
    bool builtin;
    char error[ERROR_TEXT_BYTES_MAX]; /* of the last call; "" = it went well */
};
void lane_count(struct lane *, struct lane_counters *);

#endif
