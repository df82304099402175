/* SPDX-License-Identifier: MIT
 * matrix_threads: helpers that share out one large scan.
 * One job at a time: a search that finds them busy runs alone rather than wait. */
#ifndef EMBEDDINGS_MATRIX_THREADS_H
#define EMBEDDINGS_MATRIX_THREADS_H

#include <stdbool.h>

struct threads;

/* `helpers` threads beside the caller; NULL when none is wanted or none can be started. */
struct threads *threads_new(unsigned helpers);
void threads_free(struct threads *);            /* no job running; NULL is fine */
unsigned threads_count(const struct threads *); /* helpers + 1; NULL = 1 */

/* fn(ctx, 0) on the caller and fn(ctx, 1 …) on the helpers, all returned when this returns true.  false: busy
 * with another caller's job (or t is NULL), nothing was called. */
bool threads_run(struct threads *t, void (*fn)(void *ctx, unsigned worker), void *ctx);

#endif
