/* SPDX-License-Identifier: MIT
 * histogram: see histogram.h. */
#include "base/histogram.h"

const int64_t histogram_bound_us[HISTOGRAM_BOUNDS] = { 500,     1000,     2500,     5000,    10000,   25000,
                                                       50000,   100000,   250000,   500000,  1000000, 2500000,
                                                       5000000, 10000000, 30000000, 60000000 };

void histogram_observe(struct histogram *h, int64_t us)
{
    int i = 0;
    us = us > 0 ? us : 0;
    while (i < HISTOGRAM_BOUNDS && us > histogram_bound_us[i])
        i++;
    atomic_fetch_add_explicit(&h->bucket[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->sum_us, (uint64_t)us, memory_order_relaxed);
}
