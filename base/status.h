/* SPDX-License-Identifier: MIT
 * status: the one error vocabulary of steward.
 * Every fallible function returns an `enum status` by value; the words a person
 * reads travel beside it in a `struct error` owned by the caller.  Libraries
 * never log: the top of a thread logs once, when it gives up. */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#include <stdbool.h>

enum status {
    OK = 0,
    ST_INVALID,     /* the input is wrong; the same input fails again */
    ST_NOT_FOUND,   /* no such row, route, model */
    ST_EXISTS,      /* a unique key is taken */
    ST_CONFLICT,    /* same id, other content; or the row changed meanwhile */
    ST_DENIED,      /* wrong secret, not allowed */
    ST_LIMIT,       /* too large, too many, too deep: a bound of base/limits.h */
    ST_BUSY,        /* locked or rate limited; try again after a pause */
    ST_UNAVAILABLE, /* database or remote away; nothing happened */
    ST_UNKNOWN,     /* a network call whose outcome is not known */
    ST_LOST,        /* lease lost: another worker owns the row now */
    ST_SHUTDOWN,    /* the program is stopping */
    ST_INTERNAL,    /* a defect or a broken environment (disk full, corrupt file) */
    ST_COUNT
};

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))

enum { ERROR_TEXT_BYTES_MAX = 512 };

struct error {
    enum status status;
    char text[ERROR_TEXT_BYTES_MAX]; /* one sentence for a person; never a secret */
};

/* Set *e (when not NULL) to status s and the formatted sentence; returns s, so that
 * `return fail(e, ST_INVALID, "…")` reads as one step.  Over-long text is cut at a
 * UTF-8 border, and so are words that a precision ("%.40s") has cut. */
enum status fail(struct error *e, enum status s, const char *fmt, ...) PRINTF(3, 4);

/* Put "what: " before the text already in *e; returns e->status. */
enum status fail_context(struct error *e, const char *fmt, ...) PRINTF(2, 3);

struct status_row {
    const char *name;     /* for logs: "unavailable" */
    int http;             /* HTTP status code of an answer that carries it */
    bool retry;           /* may the same call succeed later, unchanged? */
    const char *sentence; /* for the user, when no better text exists */
};
/* The table row of s; never NULL. */
const struct status_row *status_row(enum status s);

#endif
