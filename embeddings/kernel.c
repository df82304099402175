/* SPDX-License-Identifier: MIT
 * kernel: choosing one, quantising queries and rows, and the portable loops that every other kernel is
 * compared with.  Called by the matrix; pure. */
#include "embeddings/kernel.h"
#include "embeddings/kernel_all.h"
#include <math.h>
#include <string.h>

static const struct kernel *const kernel_table[] = {
#if defined(__x86_64__)
    &kernel_avx512,        &kernel_avxvnni,
    &kernel_avx512_narrow, &kernel_avx2,
#elif defined(__aarch64__)
    &kernel_neon_dot,
    &kernel_neon,
#endif
    &kernel_portable,      NULL,
};

const struct kernel *kernel_at(size_t i)
{
    size_t at = 0;
    while (at < i && kernel_table[at])
        at++;
    return kernel_table[at];
}

const struct kernel *kernel_find(const char *name)
{
    const struct kernel *k;
    for (size_t i = 0; (k = kernel_at(i)); i++)
        if ((!name || strcmp(name, k->name) == 0) && k->usable())
            return k;
    return NULL;
}

/* --- queries --- */

size_t kernel_query_bytes(uint32_t dimensions)
{
    return 5 * (size_t)kernel_stride(dimensions); /* q16, hi, lo, q8 */
}

static double missed(double q, float step, int rounded)
{
    double d = q - (double)step * rounded;
    return d * d;
}

/* A length from its square, rounded up. */
static float length_up(double square)
{
    return (float)(sqrt(square) * (1 + 1e-6) + 1e-12);
}

void kernel_query_init(struct kernel_query *k, const float *unit, uint32_t dimensions, void *memory)
{
    uint32_t stride = kernel_stride(dimensions);
    memset(memory, 0, kernel_query_bytes(dimensions));
    k->unit = unit;
    k->q16 = memory;
    k->hi = (int8_t *)memory + 2 * stride;
    k->lo = k->hi + stride;
    k->q8 = k->lo + stride;
    double largest = 0, sum = 0;
    for (uint32_t i = 0; i < dimensions; i++) {
        largest = fmax(largest, fabs((double)unit[i]));
        sum += fabs((double)unit[i]);
    }
    /* Room for rounding every entry up, so that the integer sums cannot leave int32 */
    double step = fmax(largest / KERNEL_Q16_MAX, sum / (KERNEL_Q16_SUM_MAX - (double)dimensions));
    k->step16 = (float)(step * (1 + 1e-6)) + 1e-30f;
    k->step8 = (float)(largest / 127 * (1 + 1e-6)) + 1e-30f;
    int32_t sum16 = 0, sum8 = 0;
    double missed16 = 0, missed8 = 0;
    for (uint32_t i = 0; i < dimensions; i++) {
        k->q16[i] = (int16_t)lrint(unit[i] / (double)k->step16);
        k->q8[i] = (int8_t)lrint(unit[i] / (double)k->step8);
        int hi = (k->q16[i] + 128) >> 8;
        k->hi[i] = (int8_t)hi;
        k->lo[i] = (int8_t)(k->q16[i] - 256 * hi);
        sum16 += k->q16[i];
        sum8 += k->q8[i];
        missed16 += missed(unit[i], k->step16, k->q16[i]);
        missed8 += missed(unit[i], k->step8, k->q8[i]);
    }
    k->sum16 = (uint32_t)sum16 * 128u;
    k->sum8 = (uint32_t)sum8 * 128u;
    k->error16 = length_up(missed16);
    k->error8 = length_up(missed8);
}

/* --- rows --- */

float kernel_encode(const float *x, const float *mean, uint32_t dimensions, uint8_t *codes, struct kernel_row *row)
{
    float largest = 0;
    for (uint32_t i = 0; i < dimensions; i++) {
        float d = fabsf(x[i] - mean[i]);
        largest = d > largest ? d : largest;
    }
    float scale = largest / 127, inverse = scale > 1e-30f ? 1 / scale : 0;
    double lost = 0;
    int64_t square = 0;
    for (uint32_t i = 0; i < dimensions; i++) {
        /* Round half away by the offset trick: any choice is right, the residual tells what it cost */
        float scaled = (x[i] - mean[i]) * inverse + 128.5f;
        int c = (int)(scaled < 1 ? 1 : scaled > 255 ? 255 : scaled) - 128;
        codes[i] = (uint8_t)(c + 128);
        square += c * c;
        double d = (double)x[i] - mean[i] - (double)scale * c;
        lost += d * d;
    }
    memset(codes + dimensions, 128, kernel_stride(dimensions) - dimensions);
    row->scale = scale;
    row->resid = (float)(sqrt(lost) * (1 + 1e-6) + 1e-9);
    return (float)(scale * sqrt((double)square) * (1 + 1e-6) + 1e-9);
}

/* --- the portable kernel --- */

static bool always(void)
{
    return true;
}

static void portable_scan(const uint8_t *codes, size_t stride, const uint32_t *index, size_t n,
                          const struct kernel_query *q, int32_t *out)
{
    for (size_t i = 0; i < n; i++) {
        const uint8_t *row = kernel_row_at(codes, stride, index, i);
        uint32_t sum = 0;
        for (size_t j = 0; j < stride; j++)
            sum += (uint32_t)(row[j] * q->q16[j]);
        out[i] = (int32_t)(sum - q->sum16);
    }
}

static uint64_t portable_bounds(const struct kernel_bounds *b, const struct kernel_row *row, const int32_t *sums,
                                size_t n, float *upper)
{
    uint64_t mask = 0;
    for (size_t i = 0; i < n; i++) {
        float t = row[i].scale * b->step;
        upper[i] = b->base + t * (float)sums[i] + (row[i].resid + b->slack);
        mask |= (uint64_t)(upper[i] >= b->threshold) << i;
    }
    return mask;
}

static uint64_t portable_match(const struct kernel_match *m, const uint32_t *packed, size_t n)
{
    uint64_t mask = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t p = packed[i];
        bool hit = (p >> KERNEL_DAY_SHIFT) - m->day_from <= m->day_span && (p & m->state_mask) == m->state &&
                   (m->types >> (p >> KERNEL_TYPE_SHIFT & KERNEL_TYPE_MASK) & 1);
        mask |= (uint64_t)hit << i;
    }
    return mask;
}

static uint64_t portable_member(const uint32_t *set, size_t count, const uint32_t *values, size_t n)
{
    uint64_t mask = 0;
    for (size_t i = 0; i < n; i++) {
        bool hit = false;
        for (size_t j = 0; j < count && !hit; j++)
            hit = values[i] == set[j];
        mask |= (uint64_t)hit << i;
    }
    return mask;
}

static double portable_dot(const float *a, const float *b, size_t n)
{
    double s[8] = { 0 };
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (size_t j = 0; j < 8; j++)
            s[j] += (double)a[i + j] * (double)b[i + j];
    for (size_t j = 0; i + j < n; j++)
        s[j] += (double)a[i + j] * (double)b[i + j];
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

const struct kernel kernel_portable = {
    .name = "portable",
    .usable = always,
    .scan = portable_scan,
    .bounds = portable_bounds,
    .match = portable_match,
    .member = portable_member,
    .dot = portable_dot,
};
