/* SPDX-License-Identifier: MIT
 * blas: the matrix products that BLAS does for us; the only file that knows cblas.h.
 * Works with OpenBLAS, with the reference BLAS, and slowly with none; libblas.so.3 is loaded at the first call.
 * OpenBLAS is told to use one thread the first time (its pool would fight ours: throughput fell ninefold), and few
 * callers are let in at once: it aborts the process when its buffers run out, and its threaded build serialises them
 * anyway.  Any thread; may wait. */
#ifndef EMBEDDINGS_BLAS_H
#define EMBEDDINGS_BLAS_H

#include <stddef.h>

/* out[i × ldo + j] = <a_i, b_j>; a is m × d, b is n × d, row-major, without gaps. */
void blas_products(const float *a, size_t m, const float *b, size_t n, size_t d, float *out, size_t ldo);
/* The largest |computed - true| of one inner product of unit vectors in fp32, whatever the order of summation and
 * whether fused or not: Higham, "Accuracy and Stability of Numerical Algorithms", 2nd ed., (3.5). */
float blas_error(size_t d);

#endif
