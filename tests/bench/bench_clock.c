/* SPDX-License-Identifier: MIT
 * bench_clock: a library to preload: the program's clocks run BENCH_CLOCK_SPEED times faster, and its waits are that
 * many times shorter, so that an hour of its life takes some minutes.  For tests/bench/bench_chatter.py; whoever talks
 * to the program lives in real time. */
#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { CLOCKS = 12, WALL_S_MIN = 1000000000 };

static int64_t speed = 1, begin_ns[CLOCKS];
static int (*real_timedwait)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);

static int64_t ns_of(const struct timespec *t)
{
    return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

static struct timespec timespec_of(int64_t ns)
{
    return (struct timespec){ .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };
}

static int64_t real_ns(clockid_t id)
{
    struct timespec t = { 0 };
    syscall(SYS_clock_gettime, id, &t);
    return ns_of(&t);
}

__attribute__((constructor)) static void begin(void)
{
    const char *text = getenv("BENCH_CLOCK_SPEED");
    for (int i = 0; i < CLOCKS; i++)
        begin_ns[i] = real_ns(i);
    speed = text && atoi(text) > 0 ? atoi(text) : 1;
    /* The newest of its versions: the oldest knows no monotonic clock. */
    *(void **)&real_timedwait = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    if (!real_timedwait)
        *(void **)&real_timedwait = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
}

/* A thread's and a process' time of work is what it is. */
static int runs_faster(clockid_t id)
{
    return id >= 0 && id < CLOCKS && id != CLOCK_PROCESS_CPUTIME_ID && id != CLOCK_THREAD_CPUTIME_ID;
}

/* What an appointment of the program is by the real clock; rounded up, or it would come a moment too early. */
static struct timespec appointment(clockid_t id, const struct timespec *t)
{
    return timespec_of(begin_ns[id] + (ns_of(t) - begin_ns[id] + speed - 1) / speed);
}

static int shorter_ms(int ms)
{
    return ms <= 0 ? ms : (int)((ms + speed - 1) / speed);
}

/* --- what the program calls --- */

int clock_gettime(clockid_t id, struct timespec *t)
{
    int64_t ns = real_ns(id);
    *t = timespec_of(runs_faster(id) ? begin_ns[id] + (ns - begin_ns[id]) * speed : ns);
    return 0;
}

int gettimeofday(struct timeval *t, void *zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *t = (struct timeval){ .tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000 };
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}

int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *lock, const struct timespec *until)
{
    struct timespec at = appointment(until->tv_sec > WALL_S_MIN ? CLOCK_REALTIME : CLOCK_MONOTONIC, until);
    return real_timedwait(cond, lock, &at);
}

int clock_nanosleep(clockid_t id, int flags, const struct timespec *t, struct timespec *left)
{
    struct timespec at = flags & TIMER_ABSTIME ? appointment(id, t) : timespec_of(ns_of(t) / speed);
    return (int)syscall(SYS_clock_nanosleep, id, flags, &at, left) == 0 ? 0 : 4 /* EINTR */;
}

int nanosleep(const struct timespec *t, struct timespec *left)
{
    struct timespec at = timespec_of(ns_of(t) / speed);
    return (int)syscall(SYS_nanosleep, &at, left);
}

int usleep(useconds_t us)
{
    struct timespec at = timespec_of((int64_t)us * 1000 / speed);
    return (int)syscall(SYS_nanosleep, &at, NULL);
}

int epoll_wait(int fd, struct epoll_event *events, int max, int timeout_ms)
{
    return epoll_pwait(fd, events, max, shorter_ms(timeout_ms), NULL);
}

int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    struct timespec wait = timespec_of((int64_t)shorter_ms(timeout_ms) * 1000000);
    return ppoll(fds, count, timeout_ms < 0 ? NULL : &wait, NULL);
}
