/* SPDX-License-Identifier: MIT
 * blas: see the header. */
#include "embeddings/blas.h"
#include <cblas.h>
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>

enum { CALLERS_MAX = 4 }; /* OpenBLAS 0.3.21 has 128 buffers; more callers than cores gain nothing */

static sem_t places;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct {
    __typeof__(cblas_sgemm) *sgemm;
} blas; /* NULL: there is none on this machine */

/* Loaded at the first use: most processes never need it, and its Fortran runtime costs 2.5 MB, a constructor that reads
 * the CPU's topology, and a hook into printf (libquadmath's) that slows every formatting down. */
static void blas_init(void)
{
    sem_init(&places, 0, CALLERS_MAX);
    void *library = dlopen("libblas.so.3", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return;
    /* Looked up by name: the reference BLAS has no such function */
    void (*set_threads)(int);
    *(void **)&set_threads = dlsym(library, "openblas_set_num_threads");
    if (set_threads)
        set_threads(1);
    *(void **)&blas.sgemm = dlsym(library, "cblas_sgemm");
}

/* The same products without a library: several times slower, and within the same bound. */
static float plain_product(const float *a, const float *b, size_t d)
{
    float sum = 0;
    for (size_t i = 0; i < d; i++)
        sum += a[i] * b[i];
    return sum;
}

static void blas_enter(void)
{
    pthread_once(&once, blas_init);
    while (sem_wait(&places) != 0)
        ; /* interrupted by a signal */
}

void blas_products(const float *a, size_t m, const float *b, size_t n, size_t d, float *out, size_t ldo)
{
    blas_enter();
    if (blas.sgemm)
        blas.sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)m, (int)n, (int)d, 1, a, (int)d, b, (int)d, 0, out,
                   (int)ldo);
    for (size_t i = 0; !blas.sgemm && i < m; i++)
        for (size_t j = 0; j < n; j++)
            out[i * ldo + j] = plain_product(a + i * d, b + j * d, d);
    sem_post(&places);
}

float blas_error(size_t d)
{
    double unit = 0x1p-24, n = (double)d + 2; /* two more: alpha × and + beta × */
    return (float)(n * unit / (1 - n * unit) * (1 + 1e-5));
}
