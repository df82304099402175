/* SPDX-License-Identifier: MIT
 * kernel_avx2: x86-64 with AVX2, with and without the VNNI byte products in 256 bits.
 * Compiled with function-level targets: the program itself stays baseline.  The tail of a dot product
 * goes through the same eight lanes as the rest. */
#include "embeddings/kernel.h"
#include "embeddings/kernel_all.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

static bool avx2_usable(void)
{
    return __builtin_cpu_supports("avx2") != 0;
}

/* Four sums of eight lanes each. */
AVX2 static inline __m128i sum_four(__m256i a, __m256i b, __m256i c, __m256i d)
{
    __m256i s = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
    return _mm_add_epi32(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
}

AVX2 static inline __m256i madd_16(__m256i sum, const uint8_t *row, const int16_t *q)
{
    __m256i bytes = _mm256_cvtepu8_epi16(_mm_load_si128((const __m128i *)row));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(bytes, _mm256_load_si256((const __m256i *)q)));
}

/* One row in eight lanes.  Row after row, not several at once: one ascending stream is what the hardware fetches ahead.
 */
AVX2 static inline __m256i scan_row(const uint8_t *row, size_t stride, const int16_t *q)
{
    __m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
    for (size_t j = 0; j < stride; j += 64) {
        a = madd_16(a, row + j, q + j);
        b = madd_16(b, row + j + 16, q + j + 16);
        c = madd_16(c, row + j + 32, q + j + 32);
        d = madd_16(d, row + j + 48, q + j + 48);
    }
    return _mm256_add_epi32(_mm256_add_epi32(a, b), _mm256_add_epi32(c, d));
}

AVX2 static void avx2_scan(const uint8_t *codes, size_t stride, const uint32_t *index, size_t n,
                           const struct kernel_query *q, int32_t *out)
{
    const __m128i offset = _mm_set1_epi32((int)q->sum16);
    for (size_t i = 0; i < n; i += 4) {
        __m256i s[4];
        int32_t four[4];
        for (size_t r = 0; r < 4; r++)
            s[r] = scan_row(kernel_row_at(codes, stride, index, i + r < n ? i + r : n - 1), stride, q->q16);
        _mm_storeu_si128((__m128i *)four, _mm_sub_epi32(sum_four(s[0], s[1], s[2], s[3]), offset));
        for (size_t r = 0; r < 4 && i + r < n; r++)
            out[i + r] = four[r];
    }
}

AVX2 uint64_t kernel_bounds_avx2(const struct kernel_bounds *b, const struct kernel_row *row, const int32_t *sums,
                                 size_t n, float *upper)
{
    __m256 base = _mm256_set1_ps(b->base), step = _mm256_set1_ps(b->step), slack = _mm256_set1_ps(b->slack);
    __m256 threshold = _mm256_set1_ps(b->threshold);
    uint64_t mask = 0;
    for (size_t i = 0; i < n; i += 8) {
        __m256 low = _mm256_loadu_ps(&row[i].scale), high = _mm256_loadu_ps(&row[i + 4].scale);
        __m256i even = _mm256_castps_si256(_mm256_shuffle_ps(low, high, 0x88));
        __m256i odd = _mm256_castps_si256(_mm256_shuffle_ps(low, high, 0xdd));
        __m256 scale = _mm256_castsi256_ps(_mm256_permute4x64_epi64(even, 0xd8));
        __m256 resid = _mm256_castsi256_ps(_mm256_permute4x64_epi64(odd, 0xd8));
        __m256 sum = _mm256_cvtepi32_ps(_mm256_loadu_si256((const __m256i *)(sums + i)));
        __m256 score = _mm256_add_ps(base, _mm256_mul_ps(_mm256_mul_ps(scale, step), sum));
        __m256 u = _mm256_add_ps(score, _mm256_add_ps(resid, slack));
        _mm256_storeu_ps(upper + i, u);
        mask |= (uint64_t)(unsigned)_mm256_movemask_ps(_mm256_cmp_ps(u, threshold, _CMP_GE_OQ)) << i;
    }
    return mask & kernel_mask_low(n);
}

AVX2 uint64_t kernel_match_avx2(const struct kernel_match *m, const uint32_t *packed, size_t n)
{
    __m256i from = _mm256_set1_epi32((int)m->day_from), span = _mm256_set1_epi32((int)m->day_span);
    __m256i types = _mm256_set1_epi32((int)m->types), one = _mm256_set1_epi32(1);
    __m256i state_mask = _mm256_set1_epi32((int)m->state_mask), state = _mm256_set1_epi32((int)m->state);
    uint64_t mask = 0;
    for (size_t i = 0; i < n; i += 8) {
        __m256i p = _mm256_loadu_si256((const __m256i *)(packed + i));
        __m256i day = _mm256_sub_epi32(_mm256_srli_epi32(p, KERNEL_DAY_SHIFT), from);
        __m256i type = _mm256_and_si256(_mm256_srli_epi32(p, KERNEL_TYPE_SHIFT), _mm256_set1_epi32(KERNEL_TYPE_MASK));
        __m256i hit = _mm256_cmpeq_epi32(_mm256_min_epu32(day, span), day);
        hit = _mm256_and_si256(hit, _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_srlv_epi32(types, type), one), one));
        hit = _mm256_and_si256(hit, _mm256_cmpeq_epi32(_mm256_and_si256(p, state_mask), state));
        mask |= (uint64_t)(unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(hit)) << i;
    }
    return mask & kernel_mask_low(n);
}

AVX2 uint64_t kernel_member_avx2(const uint32_t *set, size_t count, const uint32_t *values, size_t n)
{
    uint64_t mask = 0;
    for (size_t i = 0; i < n; i += 8) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(values + i)), hit = _mm256_setzero_si256();
        for (size_t j = 0; j < count; j++)
            hit = _mm256_or_si256(hit, _mm256_cmpeq_epi32(v, _mm256_set1_epi32((int)set[j])));
        mask |= (uint64_t)(unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(hit)) << i;
    }
    return mask & kernel_mask_low(n);
}

AVX2 double kernel_dot_avx2(const float *a, const float *b, size_t n)
{
    __m256d low = _mm256_setzero_pd(), high = low;
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        __m256d p = _mm256_mul_pd(_mm256_cvtps_pd(_mm_loadu_ps(a + i)), _mm256_cvtps_pd(_mm_loadu_ps(b + i)));
        __m256d r = _mm256_mul_pd(_mm256_cvtps_pd(_mm_loadu_ps(a + i + 4)), _mm256_cvtps_pd(_mm_loadu_ps(b + i + 4)));
        low = _mm256_add_pd(low, p);
        high = _mm256_add_pd(high, r);
    }
    double s[8];
    _mm256_storeu_pd(s, low);
    _mm256_storeu_pd(s + 4, high);
    for (size_t j = 0; i + j < n; j++)
        s[j] += (double)a[i + j] * (double)b[i + j];
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

const struct kernel kernel_avx2 = {
    .name = "avx2",
    .usable = avx2_usable,
    .scan = avx2_scan,
    .bounds = kernel_bounds_avx2,
    .match = kernel_match_avx2,
    .member = kernel_member_avx2,
    .dot = kernel_dot_avx2,
};

/* VPDPBUSD in 256 bits exists twice, in VEX form (AVX-VNNI) and in EVEX form (AVX-512 VNNI with VL): one body. */
#define NARROW_SCAN(name, features, DPBUSD)                                                                            \
    __attribute__((target(features))) static void name(const uint8_t *codes, size_t stride, const uint32_t *index,     \
                                                       size_t n, const struct kernel_query *q, int32_t *out)           \
    {                                                                                                                  \
        for (size_t i = 0; i < n; i++) {                                                                               \
            const uint8_t *row = kernel_row_at(codes, stride, index, i);                                               \
            __m256i h0 = _mm256_setzero_si256(), l0 = h0, h1 = h0, l1 = h0;                                            \
            for (size_t j = 0; j < stride; j += 64) {                                                                  \
                __m256i a = _mm256_load_si256((const __m256i *)(row + j));                                             \
                __m256i b = _mm256_load_si256((const __m256i *)(row + j + 32));                                        \
                h0 = DPBUSD(h0, a, _mm256_load_si256((const __m256i *)(q->hi + j)));                                   \
                l0 = DPBUSD(l0, a, _mm256_load_si256((const __m256i *)(q->lo + j)));                                   \
                h1 = DPBUSD(h1, b, _mm256_load_si256((const __m256i *)(q->hi + j + 32)));                              \
                l1 = DPBUSD(l1, b, _mm256_load_si256((const __m256i *)(q->lo + j + 32)));                              \
            }                                                                                                          \
            __m256i h = _mm256_slli_epi32(_mm256_add_epi32(h0, h1), 8);                                                \
            __m256i s = _mm256_add_epi32(h, _mm256_add_epi32(l0, l1));                                                 \
            __m128i t = _mm_add_epi32(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));                      \
            t = _mm_add_epi32(t, _mm_shuffle_epi32(t, 0x4e));                                                          \
            t = _mm_add_epi32(t, _mm_shuffle_epi32(t, 0xb1));                                                          \
            out[i] = (int32_t)((uint32_t)_mm_cvtsi128_si32(t) - q->sum16);                                             \
        }                                                                                                              \
    }

NARROW_SCAN(avxvnni_scan, "avx2,avxvnni", _mm256_dpbusd_avx_epi32)
NARROW_SCAN(avx512_narrow_scan, "avx2,avx512vl,avx512vnni", _mm256_dpbusd_epi32)

/* CPUID.(7,1):EAX bit 4; older compilers do not know the name. */
static bool avxvnni_usable(void)
{
    unsigned a = 0, b = 0, c = 7, d = 0;
    __asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(0), "c"(0));
    if (a < 7 || !avx2_usable())
        return false;
    __asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(7), "c"(1));
    return a >> 4 & 1;
}

static bool avx512_narrow_usable(void)
{
    return avx2_usable() && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
}

#define NARROW_KERNEL(id, text, may, scan_of)                                                                          \
    const struct kernel id = {                                                                                         \
        .name = (text),                                                                                                \
        .usable = (may),                                                                                               \
        .scan = (scan_of),                                                                                             \
        .bounds = kernel_bounds_avx2,                                                                                  \
        .match = kernel_match_avx2,                                                                                    \
        .member = kernel_member_avx2,                                                                                  \
        .dot = kernel_dot_avx2,                                                                                        \
    }

NARROW_KERNEL(kernel_avxvnni, "avxvnni", avxvnni_usable, avxvnni_scan);
NARROW_KERNEL(kernel_avx512_narrow, "avx512vnni256", avx512_narrow_usable, avx512_narrow_scan);
#endif
