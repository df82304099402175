/* SPDX-License-Identifier: MIT
 * fault: makes the Nth call at a border of the program (a database statement, a network call) fail, for tests.
 * The drivers' wrapper (store/db_fault.c) and http.c ask before each call, from any thread.  The test and the program
 * share a small file, named by STEWARD_FAULT_FILE: the test writes what shall fail, the program counts.
 * Only the program that `make build/steward-faults` links has any of it: elsewhere fault_next() is a constant. */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum fault_border { FAULT_OFF, FAULT_DATABASE, FAULT_NETWORK };

enum fault_kind {
    FAULT_NONE,
    FAULT_ERROR,      /* a definite failure: nothing happened, and the other side says so (disk full, refused) */
    FAULT_BUSY,       /* database: a deadlock or a lock that was not to be had */
    FAULT_TIMEOUT,    /* it took too long: a statement is undone, of a network call nobody knows */
    FAULT_BEFORE,     /* the connection broke before the effect; the caller cannot tell it from the next */
    FAULT_AFTER,      /* the connection broke after the effect */
    FAULT_KILL,       /* the program dies before the call, as by kill -9 */
    FAULT_KILL_AFTER, /* network: behind it, before anybody heard of its answer */
};

/* The file's content, in this machine's byte order; tests/flow/flow_faults.py writes the same. */
struct fault_plan {
    _Atomic int64_t border; /* written last by the test; FAULT_OFF = count nothing */
    int64_t kind;
    int64_t first, times;  /* calls number first … first + times - 1 fail; the first call is number 1 */
    _Atomic int64_t count; /* calls so far */
    _Atomic int64_t fired; /* those that failed */
    char what[256];        /* the last one that failed, for the reader of a failed test */
};

#ifdef STEWARD_FAULTS
enum fault_kind fault_next(enum fault_border, const char *what); /* what: a name of the call, cut to fit */
void fault_behind(enum fault_kind);                              /* the call has had its effect */
/* STEWARD_BROKEN_ORDER=1: as if sends began before they were recorded; shows that the crash schedule would notice. */
bool fault_broken_order(void);
#else
static inline enum fault_kind fault_next(enum fault_border border, const char *what)
{
    (void)border, (void)what;
    return FAULT_NONE;
}
static inline void fault_behind(enum fault_kind kind)
{
    (void)kind;
}
static inline bool fault_broken_order(void)
{
    return false;
}
#endif

#endif
