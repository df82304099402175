/* SPDX-License-Identifier: MIT
 * thread: how every thread of the program is started, and how a thread waits for a moment or a change.
 *
 * A thread carries a short name, which `top -H`, gdb and /proc/PID/task/TID/comm show ("loop", "worker 3"), and
 * receives no signals: those belong to the main thread.  Any thread may call these. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include "base/status.h"
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

enum { THREAD_NAME_BYTES_MAX = 15 }; /* the kernel's; what is longer is cut */

struct thread_start {
    const char *name;   /* the number follows it, with a space; copied */
    int number;         /* from 1, among threads of the same name; 0 = it is the only one */
    size_t stack_bytes; /* 0 = the system's (8 MiB, as a rule) */
    void *(*run)(void *arg);
    void *arg;
};

/* thread: what to join; NULL = detached, nobody joins it.  Fails with ST_INTERNAL and a sentence that names the thread
 * when the system gives no more of them; the error may be NULL. */
enum status MUST_CHECK thread_start(pthread_t *thread, const struct thread_start *, struct error *);

/* A condition whose timed waits go by clock_mono_ms(), which no step of the wall clock touches. */
void condition_init(pthread_cond_t *);
/* Like pthread_cond_timedwait() on such a condition: false when clock_mono_ms() is at_ms or later.  It may also wake
 * for nothing, so the caller looks at what it waits for. */
bool condition_wait_until(pthread_cond_t *, pthread_mutex_t *, int64_t at_ms);

#endif
