/* SPDX-License-Identifier: MIT
 * kernel: the inner loops of the matrix, once per instruction set, chosen at run time.
 * Every kernel computes the same integers: codes are signed bytes kept as code + 128, a query is quantised to 16
 * bits (and, for batches, to 8), and all sums are exact in int32.  Pure functions, any thread; no allocation.
 *
 *   row    x = mean + scale × c + e,  c in [-127, 127]^d,  |e| = resid       (matrix_segment.h)
 *   query  q = step × Q + f,          |f| = error                             (struct kernel_query)
 *   so     <q,x> = <q,mean> + scale × step × <Q,c>  ± (|q| resid + error × |scale × c|)   by Cauchy-Schwarz. */
#ifndef EMBEDDINGS_KERNEL_H
#define EMBEDDINGS_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    KERNEL_ALIGN = 64,      /* codes of a row start here and are padded to it: one cache line, one zmm register */
    KERNEL_BLOCK_ROWS = 64, /* rows of one call: a 64-bit mask, and 25 KB of codes at 384 dimensions (L1) */
    KERNEL_TILE_QUERIES = 4,
    KERNEL_Q16_MAX = 127 * 256,    /* |Q| so that Q = 256 × hi + lo with both in a signed byte */
    KERNEL_Q16_SUM_MAX = 16900000, /* sum of |Q|: × 127 it stays under 2^31 */
};

/* One query in the forms the kernels want.  All arrays have stride entries, zero beyond the dimensions. */
struct kernel_query {
    const float *unit; /* the query itself, length one */
    int16_t *q16;      /* Q */
    int8_t *hi, *lo;   /* Q = 256 × hi + lo */
    int8_t *q8;        /* the coarse form, |q8| <= 127 */
    uint32_t sum16;    /* 128 × sum of Q, modulo 2^32: what the + 128 of the codes adds */
    uint32_t sum8;
    float step16, step8;
    float error16, error8; /* |q - step × Q|, rounded up */
};

/* Bytes of memory kernel_query_init() wants; aligned to KERNEL_ALIGN. */
size_t kernel_query_bytes(uint32_t dimensions);
/* unit: dimensions floats that outlive the query. */
void kernel_query_init(struct kernel_query *, const float *unit, uint32_t dimensions, void *memory);

static inline uint32_t kernel_stride(uint32_t dimensions)
{
    return (dimensions + KERNEL_ALIGN - 1) / KERNEL_ALIGN * KERNEL_ALIGN;
}

/* What a row's certificate is made of. */
struct kernel_row {
    float scale, resid;
};

struct kernel_bounds {
    float base;      /* <q, mean> */
    float step;      /* the query's */
    float slack;     /* error × radius of the segment, and the rounding of this arithmetic */
    float threshold; /* rows whose upper bound is below cannot be among the best */
};

/* Packed description of a row: day (22 bits, 0 = none) | type (4 bits) | done (1 bit) | 5 bits zero. */
struct kernel_match {
    uint32_t day_from, day_span; /* day - day_from <= day_span, unsigned */
    uint32_t types;              /* bit per type */
    uint32_t state_mask, state;  /* (packed & mask) == state */
};
enum { KERNEL_DAY_SHIFT = 10, KERNEL_TYPE_SHIFT = 6, KERNEL_TYPE_MASK = 15, KERNEL_DONE = 1 << 5 };

struct kernel {
    const char *name;
    bool (*usable)(void);
    /* out[i] = <Q16, c> of row index[i] (index NULL: row i), n <= KERNEL_BLOCK_ROWS. */
    void (*scan)(const uint8_t *codes, size_t stride, const uint32_t *index, size_t n, const struct kernel_query *,
                 int32_t *out);
    /* upper[i] = base + scale × step × sums[i] + resid + slack; bit i: upper[i] >= threshold, for i < n <= 64.
     * Reads and writes 64 entries whatever n is. */
    uint64_t (*bounds)(const struct kernel_bounds *, const struct kernel_row *, const int32_t *sums, size_t n,
                       float *upper);
    /* Bit i: packed[i] matches; n <= 64; reads 64 entries. */
    uint64_t (*match)(const struct kernel_match *, const uint32_t *packed, size_t n);
    /* Bit i: values[i] is one of set; n <= 64; reads 64 entries. */
    uint64_t (*member)(const uint32_t *set, size_t count, const uint32_t *values, size_t n);
    /* The batch: NULL when this instruction set gains nothing over BLAS.  interleave: 64 rows as stride/4 groups of
     * 64 × 4 bytes; tile: out[t][i] = <q8 of query t, c of row i> for four queries and 64 rows. */
    void (*interleave)(const uint8_t *codes, size_t stride, uint8_t *out);
    void (*tile)(const uint8_t *interleaved, size_t stride, const struct kernel_query *const query[KERNEL_TILE_QUERIES],
                 int32_t out[KERNEL_TILE_QUERIES][KERNEL_BLOCK_ROWS]);
    /* <a, b> in double: eight partial sums, lane j over the entries with index = j mod 8 in ascending order, then
     * ((0+4)+(2+6))+((1+5)+(3+7)).  The product of two floats is exact in double, so fused or not is the same. */
    double (*dot)(const float *a, const float *b, size_t n);
};

extern const struct kernel kernel_portable;
/* By name, NULL name = the fastest usable here; NULL when unknown or not usable on this CPU. */
const struct kernel *kernel_find(const char *name);
/* Number i of the kernels of this architecture, fastest first, usable or not; NULL after the last. */
const struct kernel *kernel_at(size_t i);

/* Codes of one row: scale and codes of x - mean, and the length of what they miss, rounded up.  Returns |scale × c|
 * rounded up. */
float kernel_encode(const float *x, const float *mean, uint32_t dimensions, uint8_t *codes, struct kernel_row *);

#endif
