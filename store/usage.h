/* SPDX-License-Identifier: MIT
 * usage: the ledger: one row per call to a model or an embedding server, and what follows from it: the day's limit and
 * the sums for /usage.  Inside a transaction of the caller. */
#ifndef STORE_USAGE_H
#define STORE_USAGE_H

#include "base/arena.h"
#include "store/db.h"

struct usage {
    int64_t inbox_id;                                               /* 0 = none */
    const char *provider, *model, *outcome;                         /* outcome: "ok", "failed" */
    int64_t input_tokens, cached_tokens, output_tokens, elapsed_ms; /* input includes cached */
};
enum status MUST_CHECK usage_add(struct db *, const struct usage *, int64_t now_ms, struct error *);
/* When a person was last told that the day's tokens are used up (0 = never), and that they are told now. */
enum status MUST_CHECK usage_limit_told(struct db *, int64_t *at_ms, struct error *);
enum status MUST_CHECK usage_limit_tell(struct db *, int64_t now_ms, struct error *);

/* The day of a DAILY_TOKEN_LIMIT: from midnight in the server's zone. */
struct usage_day {
    int64_t midnight_ms, tokens; /* input and output */
};
enum status MUST_CHECK usage_today(struct db *, const char *zone, int64_t now_ms, struct usage_day *, struct error *);

/* Sums of the calls since an instant, by model, period and UTC day (a price has a date).  A period is the newest of
 * `since_ms` (ascending; since_ms[0] is the oldest asked for) that the call falls into. */
struct usage_sum {
    const char *provider, *model; /* arena-owned */
    int period;                   /* index into since_ms */
    int64_t day;                  /* of the epoch */
    int64_t calls, failed, input_tokens, cached_tokens, output_tokens, elapsed_ms;
};
enum { USAGE_PERIODS_MAX = 3 };
enum status MUST_CHECK usage_sums(struct db *, struct arena *, const int64_t *since_ms, int periods,
                                  struct usage_sum **out, int *count, struct error *);
/* Drop rows older than an instant. */
enum status MUST_CHECK usage_prune(struct db *, int64_t before_ms, struct error *);

#endif
