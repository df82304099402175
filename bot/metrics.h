/* SPDX-License-Identifier: MIT
 * metrics: GET /metrics in Prometheus' text format.  Whoever has numbers registers a collector; it runs on the loop
 * thread when somebody asks, must not block, and reads counters that are atomic or copied under a short lock.
 *
 *     static void collect(void *arg, struct metrics_page *p)
 *     {
 *         metrics_gauge(p, "steward_intake_queue", "Updates waiting for their commit", NULL, intake_depth(arg));
 *     } */
#ifndef BOT_METRICS_H
#define BOT_METRICS_H

#include "base/histogram.h"
#include "bot/server.h"

struct metrics;
struct metrics_page;

enum { METRICS_COLLECTORS_MAX = 16, METRICS_LABELS_BYTES = 512 };

struct metrics *metrics_new(struct server *); /* adds the route and the server's own numbers; before server_start */
void metrics_free(struct metrics *);          /* after server_free */
void metrics_collect(struct metrics *, void (*fn)(void *arg, struct metrics_page *),
                     void *arg); /* before server_start */

/* In a collector.  labels: `outcome="ok"` or NULL; rows of one name must follow each other.  No label's values may be
 * without a bound: nothing from a message, no id. */
void metrics_counter(struct metrics_page *, const char *name, const char *help, const char *labels, double value);
void metrics_gauge(struct metrics_page *, const char *name, const char *help, const char *labels, double value);
/* In seconds, whatever the name: `name` ends with _seconds. */
void metrics_histogram(struct metrics_page *, const char *name, const char *help, const char *labels,
                       const struct histogram *);
/* `name="value",` … with values escaped: metrics_labels(out, name, value, …).  What does not fit is left out whole.
 * Returns out. */
#define metrics_labels(out, ...) metrics_labels_of((out), (const char *const[]){ __VA_ARGS__, NULL })
const char *metrics_labels_of(char out[METRICS_LABELS_BYTES], const char *const *names_and_values);

#endif
