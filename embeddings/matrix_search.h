/* SPDX-License-Identifier: MIT
 * matrix_search: what single and batch searches share; for matrix_search.c and matrix_batch.c alone. */
#ifndef EMBEDDINGS_MATRIX_SEARCH_H
#define EMBEDDINGS_MATRIX_SEARCH_H

#include "embeddings/matrix_view.h"

/* What the float arithmetic of a bound may be wrong by: about six roundings of numbers under 2 (1.5e-6), unit
 * vectors that are 1e-7 long or short, and the score's own rounding to fp32. */
#define BOUND_SLACK 8e-6f

enum status MUST_CHECK matrix_query_check(const struct matrix_query *, struct error *);
struct kernel_bounds matrix_bounds(const struct matrix *, const struct segment *, const struct kernel_query *,
                                   float step, float error);
/* One query on an open view; adds to the trace. */
void matrix_search_view(struct matrix *, struct view *, const struct view_filter *, const struct matrix_query *,
                        const struct kernel_query *, struct matrix_hit *hits, size_t *count, struct matrix_trace *);

#endif
