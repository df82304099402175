/* SPDX-License-Identifier: MIT
 * buf: a growing byte buffer with a maximum, always NUL-terminated.
 * A write that would pass the maximum is left out whole and sets `overflow`, after which nothing
 * more is written: write freely, check once at the end.  One thread at a time. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/status.h"
#include <stdarg.h>
#include <stddef.h>

struct arena;

struct buf {
    char *data; /* NUL-terminated once anything was written; see buf_str() */
    size_t len; /* bytes without the NUL */
    size_t capacity;
    size_t bytes_max;    /* 0 is not allowed: every buffer has a bound */
    bool overflow;       /* something did not fit; what is there is a prefix */
    struct arena *arena; /* where the memory comes from; NULL = malloc */
};

#define BUF_INIT(max)                                                                                                  \
    {                                                                                                                  \
        .bytes_max = (max)                                                                                             \
    }

void buf_init(struct buf *, size_t bytes_max);
void buf_init_in(struct buf *, struct arena *, size_t bytes_max); /* memory of the arena: no release needed */
void buf_release(struct buf *);                                   /* free; the struct may be used again */
void buf_clear(struct buf *);                                     /* keep the memory, drop the content */
void buf_put(struct buf *, const void *bytes, size_t len);
void buf_puts(struct buf *, const char *s); /* NULL writes nothing */
void buf_putc(struct buf *, char c);
void buf_printf(struct buf *, const char *fmt, ...) PRINTF(2, 3);
void buf_vprintf(struct buf *, const char *fmt, va_list ap) PRINTF(2, 0);
const char *buf_str(const struct buf *); /* never NULL: "" when empty */
char *buf_detach(struct buf *);          /* the caller frees (unless the arena owns it); never NULL */

#endif
