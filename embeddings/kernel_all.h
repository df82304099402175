/* SPDX-License-Identifier: MIT
 * kernel_all: what the kernel files of one architecture share; included by kernel*.c alone. */
#ifndef EMBEDDINGS_KERNEL_ALL_H
#define EMBEDDINGS_KERNEL_ALL_H

#include "embeddings/kernel.h"

#if defined(__x86_64__)
extern const struct kernel kernel_avx2, kernel_avxvnni, kernel_avx512, kernel_avx512_narrow;
double kernel_dot_avx2(const float *a, const float *b, size_t n);
uint64_t kernel_match_avx2(const struct kernel_match *, const uint32_t *packed, size_t n);
uint64_t kernel_member_avx2(const uint32_t *set, size_t count, const uint32_t *values, size_t n);
uint64_t kernel_bounds_avx2(const struct kernel_bounds *, const struct kernel_row *, const int32_t *sums, size_t n,
                            float *upper);
#elif defined(__aarch64__)
extern const struct kernel kernel_neon, kernel_neon_dot;
#endif

static inline uint64_t kernel_mask_low(size_t n)
{
    return n >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << n) - 1;
}

/* Row i of a call, by index or in sequence. */
static inline const uint8_t *kernel_row_at(const uint8_t *codes, size_t stride, const uint32_t *index, size_t i)
{
    return codes + (index ? index[i] : i) * stride;
}

#endif
