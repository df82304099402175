/* SPDX-License-Identifier: MIT
 * desk: see desk.h. */
#include "bot/desk.h"

#include "base/arena.h"
#include "base/limits.h"
#include "base/thread.h"
#include <pthread.h>
#include <stdlib.h>

struct desk {
    pthread_mutex_t lock;
    pthread_cond_t change;
    struct desk_job *head, **tail;
    int queued, started;
    bool stop;
    pthread_t thread[DESK_THREADS];
};

static struct desk_job *desk_take(struct desk *d)
{
    pthread_mutex_lock(&d->lock);
    while (!d->head && !d->stop)
        pthread_cond_wait(&d->change, &d->lock);
    struct desk_job *job = d->head;
    if (job) {
        d->head = job->next;
        if (!d->head)
            d->tail = &d->head;
        d->queued--;
    }
    pthread_mutex_unlock(&d->lock);
    return job;
}

static void *desk_main(void *arg)
{
    struct desk_job *job;
    while ((job = desk_take(arg)))
        job->run(job);
    return NULL;
}

bool desk_post(struct desk *d, struct desk_job *job)
{
    pthread_mutex_lock(&d->lock);
    bool taken = !d->stop && d->queued < DESK_QUEUE_MAX;
    if (taken) {
        job->next = NULL;
        *d->tail = job;
        d->tail = &job->next;
        d->queued++;
        pthread_cond_signal(&d->change);
    }
    pthread_mutex_unlock(&d->lock);
    return taken;
}

enum status desk_start(struct desk **out, struct error *e)
{
    struct desk *d = *out = xcalloc(1, sizeof *d);
    d->tail = &d->head;
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->change, NULL);
    for (; d->started < DESK_THREADS; d->started++) {
        const struct thread_start what = {
            .name = "desk", .number = d->started + 1, .stack_bytes = WORKER_STACK_BYTES, .run = desk_main, .arg = d
        };
        if (thread_start(&d->thread[d->started], &what, e))
            return e->status;
    }
    return OK;
}

void desk_stop(struct desk *d)
{
    if (!d)
        return;
    pthread_mutex_lock(&d->lock);
    d->stop = true;
    pthread_cond_broadcast(&d->change);
    pthread_mutex_unlock(&d->lock);
    for (int i = 0; i < d->started; i++)
        pthread_join(d->thread[i], NULL);
    d->started = 0;
}

void desk_free(struct desk *d)
{
    if (!d)
        return;
    pthread_cond_destroy(&d->change);
    pthread_mutex_destroy(&d->lock);
    free(d);
}
