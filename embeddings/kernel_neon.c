/* SPDX-License-Identifier: MIT
 * kernel_neon: aarch64, with and without the byte dot product (SDOT).  Codes are made signed again by
 * flipping their top bit, so that no offset is left to subtract. */
#include "embeddings/kernel.h"
#include "embeddings/kernel_all.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#include <sys/auxv.h>

enum { HWCAP_DOT = 1 << 20 }; /* HWCAP_ASIMDDP of the kernel's ABI */

static bool neon_usable(void)
{
    return true;
}
static bool neon_dot_usable(void)
{
    return (getauxval(AT_HWCAP) & HWCAP_DOT) != 0;
}

static inline int8x16_t signed_codes(const uint8_t *p)
{
    return vreinterpretq_s8_u8(veorq_u8(vld1q_u8(p), vdupq_n_u8(0x80)));
}

static void neon_scan(const uint8_t *codes, size_t stride, const uint32_t *index, size_t n,
                      const struct kernel_query *q, int32_t *out)
{
    for (size_t i = 0; i < n; i++) {
        const uint8_t *row = kernel_row_at(codes, stride, index, i);
        int32x4_t a = vdupq_n_s32(0), b = a;
        for (size_t j = 0; j < stride; j += 16) {
            int8x16_t c = signed_codes(row + j);
            int16x8_t low = vmovl_s8(vget_low_s8(c)), high = vmovl_high_s8(c);
            int16x8_t q0 = vld1q_s16(q->q16 + j), q1 = vld1q_s16(q->q16 + j + 8);
            a = vmlal_s16(a, vget_low_s16(low), vget_low_s16(q0));
            b = vmlal_high_s16(b, low, q0);
            a = vmlal_s16(a, vget_low_s16(high), vget_low_s16(q1));
            b = vmlal_high_s16(b, high, q1);
        }
        out[i] = vaddvq_s32(vaddq_s32(a, b));
    }
}

__attribute__((target("arch=armv8.2-a+dotprod"))) static void neon_dot_scan(const uint8_t *codes, size_t stride,
                                                                            const uint32_t *index, size_t n,
                                                                            const struct kernel_query *q, int32_t *out)
{
    for (size_t i = 0; i < n; i++) {
        const uint8_t *row = kernel_row_at(codes, stride, index, i);
        int32x4_t h0 = vdupq_n_s32(0), l0 = h0, h1 = h0, l1 = h0;
        for (size_t j = 0; j < stride; j += 32) {
            int8x16_t a = signed_codes(row + j), b = signed_codes(row + j + 16);
            h0 = vdotq_s32(h0, a, vld1q_s8(q->hi + j));
            l0 = vdotq_s32(l0, a, vld1q_s8(q->lo + j));
            h1 = vdotq_s32(h1, b, vld1q_s8(q->hi + j + 16));
            l1 = vdotq_s32(l1, b, vld1q_s8(q->lo + j + 16));
        }
        int32x4_t h = vshlq_n_s32(vaddq_s32(h0, h1), 8);
        out[i] = vaddvq_s32(vaddq_s32(h, vaddq_s32(l0, l1)));
    }
}

static uint64_t neon_bounds(const struct kernel_bounds *b, const struct kernel_row *row, const int32_t *sums, size_t n,
                            float *upper)
{
    static const uint32_t bit[4] = { 1, 2, 4, 8 };
    float32x4_t base = vdupq_n_f32(b->base), threshold = vdupq_n_f32(b->threshold);
    uint32x4_t bits = vld1q_u32(bit);
    uint64_t mask = 0;
    for (size_t i = 0; i < n; i += 4) {
        float32x4x2_t r = vld2q_f32(&row[i].scale);
        float32x4_t sum = vcvtq_f32_s32(vld1q_s32(sums + i));
        float32x4_t score = vaddq_f32(base, vmulq_f32(vmulq_n_f32(r.val[0], b->step), sum));
        float32x4_t u = vaddq_f32(score, vaddq_f32(r.val[1], vdupq_n_f32(b->slack)));
        vst1q_f32(upper + i, u);
        mask |= (uint64_t)vaddvq_u32(vandq_u32(vcgeq_f32(u, threshold), bits)) << i;
    }
    return mask & kernel_mask_low(n);
}

static double neon_dot(const float *a, const float *b, size_t n)
{
    float64x2_t s[4] = { vdupq_n_f64(0), vdupq_n_f64(0), vdupq_n_f64(0), vdupq_n_f64(0) };
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (size_t j = 0; j < 4; j++)
            s[j] = vfmaq_f64(s[j], vcvt_f64_f32(vld1_f32(a + i + 2 * j)), vcvt_f64_f32(vld1_f32(b + i + 2 * j)));
    double t[8];
    for (size_t j = 0; j < 4; j++)
        vst1q_f64(t + 2 * j, s[j]);
    for (size_t j = 0; i + j < n; j++)
        t[j] += (double)a[i + j] * (double)b[i + j];
    return ((t[0] + t[4]) + (t[2] + t[6])) + ((t[1] + t[5]) + (t[3] + t[7]));
}

static uint64_t neon_match(const struct kernel_match *m, const uint32_t *packed, size_t n)
{
    return kernel_portable.match(m, packed, n);
}
static uint64_t neon_member(const uint32_t *set, size_t count, const uint32_t *values, size_t n)
{
    return kernel_portable.member(set, count, values, n);
}

#define NEON_KERNEL(id, text, may, scan_of)                                                                            \
    const struct kernel id = {                                                                                         \
        .name = (text),                                                                                                \
        .usable = (may),                                                                                               \
        .scan = (scan_of),                                                                                             \
        .bounds = neon_bounds,                                                                                         \
        .match = neon_match,                                                                                           \
        .member = neon_member,                                                                                         \
        .dot = neon_dot,                                                                                               \
    }

NEON_KERNEL(kernel_neon, "neon", neon_usable, neon_scan);
NEON_KERNEL(kernel_neon_dot, "neondot", neon_dot_usable, neon_dot_scan);
#endif
