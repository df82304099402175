/* SPDX-License-Identifier: MIT
 * histogram: durations counted by size, for /metrics.  One scale for everything that is timed, from a fast commit to a
 * model that hangs.  Zeros are an empty histogram.  Any thread; counting is two relaxed atomic additions and no lock,
 * so a reader may see a count a moment before its sum. */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

enum { HISTOGRAM_BOUNDS = 16 };
extern const int64_t histogram_bound_us[HISTOGRAM_BOUNDS]; /* upper bounds, inclusive, ascending; 0.5 ms … 60 s */

struct histogram {
    _Atomic uint64_t bucket[HISTOGRAM_BOUNDS + 1]; /* not cumulative; the last is above every bound */
    _Atomic uint64_t sum_us;
};
void histogram_observe(struct histogram *, int64_t us); /* below zero counts as zero */

#endif
