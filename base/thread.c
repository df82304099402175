/* SPDX-License-Identifier: MIT
 * thread: see thread.h. */
#include "base/thread.h"

#include "base/arena.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What the new thread needs of its starter; the thread frees it. */
struct birth {
    char name[THREAD_NAME_BYTES_MAX + 1];
    void *(*run)(void *arg);
    void *arg;
};

static void *thread_main(void *arg)
{
    struct birth b = *(struct birth *)arg;
    free(arg);
    pthread_setname_np(pthread_self(), b.name);
    return b.run(b.arg);
}

/* Cuts the word, never the number. */
static void name_write(char out[THREAD_NAME_BYTES_MAX + 1], const struct thread_start *what)
{
    char number[12] = ""; /* " 2147483647" */
    if (what->number > 0)
        snprintf(number, sizeof number, " %d", what->number);
    size_t digits = strlen(number), word = strnlen(what->name, THREAD_NAME_BYTES_MAX - digits);
    memcpy(out, what->name, word);
    memcpy(out + word, number, digits + 1);
}

enum status thread_start(pthread_t *thread, const struct thread_start *what, struct error *e)
{
    struct birth *b = xcalloc(1, sizeof *b);
    b->run = what->run;
    b->arg = what->arg;
    name_write(b->name, what);

    pthread_t unjoined;
    pthread_attr_t attributes;
    sigset_t all, before;
    pthread_attr_init(&attributes);
    if (what->stack_bytes)
        pthread_attr_setstacksize(&attributes, what->stack_bytes);
    if (!thread)
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* the new thread inherits it */
    int failed = pthread_create(thread ? thread : &unjoined, &attributes, thread_main, b);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (!failed)
        return OK;
    enum status s = fail(e, ST_INTERNAL, "The thread \"%s\" cannot be started: %s", b->name, strerror(failed));
    free(b);
    return s;
}

void condition_init(pthread_cond_t *c)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(c, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool condition_wait_until(pthread_cond_t *c, pthread_mutex_t *lock, int64_t at_ms)
{
    struct timespec at = { .tv_sec = at_ms / 1000, .tv_nsec = at_ms % 1000 * 1000000 };
    return pthread_cond_timedwait(c, lock, &at) == 0;
}
