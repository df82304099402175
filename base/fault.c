/* SPDX-License-Identifier: MIT
 * fault: the shared file and the counting; see fault.h.  Called at the borders, by any thread.
 * Must never be linked into the program that people run: the file is empty there. */
#include "base/fault.h"

#ifdef STEWARD_FAULTS
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static struct fault_plan *plan; /* NULL = no file was named */

static void plan_map(void)
{
    const char *path = getenv("STEWARD_FAULT_FILE");
    if (!path)
        return;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    void *at = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) {
        fprintf(stderr, "steward: STEWARD_FAULT_FILE cannot be used\n");
        abort(); /* a test that injects nothing would pass */
    }
    close(fd);
    plan = at;
}

enum fault_kind fault_next(enum fault_border border, const char *what)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, plan_map);
    if (!plan || atomic_load(&plan->border) != border)
        return FAULT_NONE;
    int64_t number = atomic_fetch_add(&plan->count, 1) + 1;
    if (number < plan->first || number >= plan->first + plan->times)
        return FAULT_NONE;
    snprintf(plan->what, sizeof plan->what, "%s", what);
    atomic_fetch_add(&plan->fired, 1);
    if (plan->kind == FAULT_KILL)
        kill(getpid(), SIGKILL);
    return (enum fault_kind)plan->kind;
}

void fault_behind(enum fault_kind kind)
{
    if (kind == FAULT_KILL_AFTER)
        kill(getpid(), SIGKILL);
}

bool fault_broken_order(void)
{
    return getenv("STEWARD_BROKEN_ORDER") != NULL;
}
#endif
