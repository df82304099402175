/* SPDX-License-Identifier: MIT
 * kernel_avx512: x86-64 with AVX-512 VNNI (VPDPBUSD, 64 byte products an instruction).
 * One query: row after row, so that the loads form the one ascending stream which the hardware fetches ahead by
 * itself.  Four rows at a time with software prefetch measured half as fast (Zen 4).  A batch: 64 rows interleaved
 * once, then 4 queries × 64 rows in 16 accumulators that need no sums across lanes. */
#include "embeddings/kernel.h"
#include "embeddings/kernel_all.h"

#if defined(__x86_64__)
#include <immintrin.h>

/* Registers in arrays need their loops unrolled.  clang does that by itself and warns where, unoptimised, it does not.
 */
#ifdef __clang__
#define UNROLL
#else
#define UNROLL _Pragma("GCC unroll 4")
#endif

/* Not under AddressSanitizer: gcc 12 aligns the stack of a function it watches to 32 bytes (PR 110027), and the
 * registers spilled there want 64.  The same loops are watched in kernel_avx2.c. */
#define AVX512 __attribute__((target("avx2,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni"), no_sanitize("address")))

static bool avx512_usable(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vnni");
}

AVX512 static inline __m256i halves(__m512i v)
{
    return _mm256_add_epi32(_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64(v, 1));
}

AVX512 static inline __m128i sum_four(const __m512i s[4])
{
    __m256i a = _mm256_hadd_epi32(halves(s[0]), halves(s[1])), b = _mm256_hadd_epi32(halves(s[2]), halves(s[3]));
    __m256i c = _mm256_hadd_epi32(a, b);
    return _mm_add_epi32(_mm256_castsi256_si128(c), _mm256_extracti128_si256(c, 1));
}

/* 256 × hi + lo in sixteen lanes. */
AVX512 static inline __m512i scan_row(const uint8_t *row, size_t stride, const struct kernel_query *q)
{
    __m512i h0 = _mm512_setzero_si512(), l0 = h0, h1 = h0, l1 = h0;
    size_t j = 0;
    for (; j + 128 <= stride; j += 128) {
        __m512i a = _mm512_load_si512(row + j), b = _mm512_load_si512(row + j + 64);
        h0 = _mm512_dpbusd_epi32(h0, a, _mm512_load_si512(q->hi + j));
        l0 = _mm512_dpbusd_epi32(l0, a, _mm512_load_si512(q->lo + j));
        h1 = _mm512_dpbusd_epi32(h1, b, _mm512_load_si512(q->hi + j + 64));
        l1 = _mm512_dpbusd_epi32(l1, b, _mm512_load_si512(q->lo + j + 64));
    }
    if (j < stride) {
        __m512i a = _mm512_load_si512(row + j);
        h0 = _mm512_dpbusd_epi32(h0, a, _mm512_load_si512(q->hi + j));
        l0 = _mm512_dpbusd_epi32(l0, a, _mm512_load_si512(q->lo + j));
    }
    return _mm512_add_epi32(_mm512_slli_epi32(_mm512_add_epi32(h0, h1), 8), _mm512_add_epi32(l0, l1));
}

AVX512 static void avx512_scan(const uint8_t *codes, size_t stride, const uint32_t *index, size_t n,
                               const struct kernel_query *q, int32_t *out)
{
    const __m128i offset = _mm_set1_epi32((int)q->sum16);
    for (size_t i = 0; i < n; i += 4) {
        __m512i s[4];
        UNROLL
        for (size_t r = 0; r < 4; r++)
            s[r] = scan_row(kernel_row_at(codes, stride, index, i + r < n ? i + r : n - 1), stride, q);
        __m128i sums = _mm_sub_epi32(sum_four(s), offset);
        if (n - i >= 4)
            _mm_storeu_si128((__m128i *)(out + i), sums);
        else
            _mm_mask_storeu_epi32(out + i, (__mmask8)((1u << (n - i)) - 1), sums);
    }
}

AVX512 static uint64_t avx512_bounds(const struct kernel_bounds *b, const struct kernel_row *row, const int32_t *sums,
                                     size_t n, float *upper)
{
    const __m512i even = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
    const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
    __m512 base = _mm512_set1_ps(b->base), step = _mm512_set1_ps(b->step), slack = _mm512_set1_ps(b->slack);
    __m512 threshold = _mm512_set1_ps(b->threshold);
    uint64_t mask = 0;
    for (size_t i = 0; i < n; i += 16) {
        __m512 low = _mm512_loadu_ps(&row[i].scale), high = _mm512_loadu_ps(&row[i + 8].scale);
        __m512 scale = _mm512_permutex2var_ps(low, even, high), resid = _mm512_permutex2var_ps(low, odd, high);
        __m512 sum = _mm512_cvtepi32_ps(_mm512_loadu_si512(sums + i));
        __m512 score = _mm512_add_ps(base, _mm512_mul_ps(_mm512_mul_ps(scale, step), sum));
        __m512 u = _mm512_add_ps(score, _mm512_add_ps(resid, slack));
        _mm512_storeu_ps(upper + i, u);
        mask |= (uint64_t)_mm512_cmp_ps_mask(u, threshold, _CMP_GE_OQ) << i;
    }
    return mask & kernel_mask_low(n);
}

/* Group g holds dimensions 4g … 4g+3 of rows 0 … 63, four bytes a row. */
AVX512 static void avx512_interleave(const uint8_t *codes, size_t stride, uint8_t *out)
{
    const __m512i rows = _mm512_mullo_epi32(_mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
                                            _mm512_set1_epi32((int)stride));
    for (size_t g = 0; g < stride / 4; g++)
        for (size_t r = 0; r < KERNEL_BLOCK_ROWS; r += 16)
            _mm512_store_si512(out + g * 256 + r * 4, _mm512_i32gather_epi32(rows, codes + r * stride + g * 4, 1));
}

AVX512 static inline __m512i broadcast(const int8_t *four)
{
    int32_t v;
    __builtin_memcpy(&v, four, sizeof v);
    return _mm512_set1_epi32(v);
}

AVX512 static void avx512_tile(const uint8_t *interleaved, size_t stride,
                               const struct kernel_query *const query[KERNEL_TILE_QUERIES],
                               int32_t out[KERNEL_TILE_QUERIES][KERNEL_BLOCK_ROWS])
{
    __m512i s[4][4];
    for (size_t t = 0; t < 4; t++)
        for (size_t r = 0; r < 4; r++)
            s[t][r] = _mm512_set1_epi32((int)(0u - query[t]->sum8));
    const int8_t *q0 = query[0]->q8, *q1 = query[1]->q8, *q2 = query[2]->q8, *q3 = query[3]->q8;
    for (size_t j = 0; j < stride; j += 4) {
        const uint8_t *group = interleaved + j * KERNEL_BLOCK_ROWS;
        __m512i row[4], q[4] = { broadcast(q0 + j), broadcast(q1 + j), broadcast(q2 + j), broadcast(q3 + j) };
        UNROLL
        for (size_t r = 0; r < 4; r++)
            row[r] = _mm512_load_si512(group + 64 * r);
        UNROLL
        for (size_t t = 0; t < 4; t++)
            UNROLL
        for (size_t r = 0; r < 4; r++)
            s[t][r] = _mm512_dpbusd_epi32(s[t][r], row[r], q[t]);
    }
    for (size_t t = 0; t < 4; t++)
        for (size_t r = 0; r < 4; r++)
            _mm512_storeu_si512(&out[t][16 * r], s[t][r]);
}

const struct kernel kernel_avx512 = {
    .name = "avx512vnni",
    .usable = avx512_usable,
    .scan = avx512_scan,
    .bounds = avx512_bounds,
    .match = kernel_match_avx2,
    .member = kernel_member_avx2,
    .interleave = avx512_interleave,
    .tile = avx512_tile,
    .dot = kernel_dot_avx2,
};
#endif
