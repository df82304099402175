/* SPDX-License-Identifier: MIT
 * matrix_threads: see the header.  The helpers sleep between jobs and hold no lock while they work. */
#include "embeddings/matrix_threads.h"
#include "base/arena.h"
#include "base/thread.h"
#include <pthread.h>
#include <stdlib.h>

enum { HELPER_STACK_BYTES = 256 * 1024 };

struct threads {
    pthread_mutex_t busy; /* held by the caller whose job runs */
    pthread_mutex_t lock;
    pthread_cond_t start, finish;
    unsigned helpers, running, started;
    unsigned long job; /* number of the job at hand */
    bool stop;
    void (*fn)(void *ctx, unsigned worker);
    void *ctx;
    pthread_t thread[];
};

static void *helper(void *arg)
{
    struct threads *t = arg;
    unsigned long seen = 0;
    pthread_mutex_lock(&t->lock);
    unsigned self = ++t->started;
    for (;;) {
        while (!t->stop && t->job == seen)
            pthread_cond_wait(&t->start, &t->lock);
        if (t->stop)
            break;
        seen = t->job;
        pthread_mutex_unlock(&t->lock);
        t->fn(t->ctx, self);
        pthread_mutex_lock(&t->lock);
        if (--t->running == 0)
            pthread_cond_signal(&t->finish);
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

struct threads *threads_new(unsigned helpers)
{
    if (!helpers)
        return NULL;
    struct threads *t = xcalloc(1, sizeof *t + helpers * sizeof *t->thread);
    pthread_mutex_init(&t->busy, NULL);
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->start, NULL);
    pthread_cond_init(&t->finish, NULL);
    for (; t->helpers < helpers; t->helpers++) {
        const struct thread_start what = {
            .name = "matrix", .number = (int)t->helpers + 1, .stack_bytes = HELPER_STACK_BYTES, .run = helper, .arg = t
        };
        if (thread_start(&t->thread[t->helpers], &what, NULL))
            break;
    }
    if (t->helpers)
        return t;
    threads_free(t);
    return NULL;
}

void threads_free(struct threads *t)
{
    if (!t)
        return;
    pthread_mutex_lock(&t->lock);
    t->stop = true;
    pthread_cond_broadcast(&t->start);
    pthread_mutex_unlock(&t->lock);
    for (unsigned i = 0; i < t->helpers; i++)
        pthread_join(t->thread[i], NULL);
    pthread_mutex_destroy(&t->busy);
    pthread_mutex_destroy(&t->lock);
    pthread_cond_destroy(&t->start);
    pthread_cond_destroy(&t->finish);
    free(t);
}

unsigned threads_count(const struct threads *t)
{
    return t ? t->helpers + 1 : 1;
}

bool threads_run(struct threads *t, void (*fn)(void *ctx, unsigned worker), void *ctx)
{
    if (!t || pthread_mutex_trylock(&t->busy) != 0)
        return false;
    pthread_mutex_lock(&t->lock);
    t->fn = fn;
    t->ctx = ctx;
    t->running = t->helpers;
    t->job++;
    pthread_cond_broadcast(&t->start);
    pthread_mutex_unlock(&t->lock);
    fn(ctx, 0);
    pthread_mutex_lock(&t->lock);
    while (t->running)
        pthread_cond_wait(&t->finish, &t->lock);
    pthread_mutex_unlock(&t->lock);
    pthread_mutex_unlock(&t->busy);
    return true;
}
