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

static void blas_init(void)
{
    /* Looked up by name: the reference BLAS has no such function */
    void (*set_threads)(int);
    *(void **)&set_threads = dlsym(RTLD_DEFAULT, "openblas_set_num_threads");
    if (set_threads)
        set_threads(1);
    sem_init(&places, 0, CALLERS_MAX);
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
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)m, (int)n, (int)d, 1, a, (int)d, b, (int)d, 0, out,
                (int)ldo);
    sem_post(&places);
}

void blas_product(const float *a, size_t m, size_t d, const float *x, float *out)
{
    blas_enter();
    cblas_sgemv(CblasRowMajor, CblasNoTrans, (int)m, (int)d, 1, a, (int)d, x, 1, 0, out, 1);
    sem_post(&places);
}

float blas_error(size_t d)
{
    double unit = 0x1p-24, n = (double)d + 2; /* two more: alpha × and + beta × */
    return (float)(n * unit / (1 - n * unit) * (1 + 1e-5));
}
