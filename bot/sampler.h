/* SPDX-License-Identifier: MIT
 * sampler: gauges that only the database knows (how much waits, for how long), asked once a second in one read by the
 * health check's thread, shown by /metrics from memory.  A scrape therefore never waits for the database, and nobody
 * asks when nobody scrapes.
 *
 * Another gauge is one row:
 *
 *     static enum status read_jobs(struct db *db, const char *arg, int64_t now_ms, double *value, struct error *e);
 *     static const struct sampler_row row = { "steward_jobs_waiting", "Jobs that wait", NULL, read_jobs, NULL };
 *     sampler_add(sampler, &row, 1); */
#ifndef BOT_SAMPLER_H
#define BOT_SAMPLER_H

#include "bot/health.h"
#include "bot/metrics.h"
#include "store/store.h"

struct sampler;

enum { SAMPLER_ROWS_MAX = 32 };

struct sampler_row {
    const char *name, *help, *labels; /* as of metrics_gauge(); rows of one name follow each other */
    enum status (*read)(struct db *, const char *arg, int64_t now_ms, double *value, struct error *);
    const char *arg;
};

/* Starts with the queues' rows.  Before server_start; free after health_stop. */
struct sampler *sampler_new(struct store *, struct health *, struct metrics *);
void sampler_free(struct sampler *); /* NULL is fine */
/* The rows must outlive the sampler.  Before server_start. */
void sampler_add(struct sampler *, const struct sampler_row *rows, int count);

#endif
