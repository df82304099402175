/* SPDX-License-Identifier: MIT
 * buf: the growing byte buffer behind replies, request bodies and SQL texts.
 * Its owner's thread is the only caller.  It never grows past bytes_max: what does not
 * fit is left out whole and `overflow` says so. */
#include "base/arena.h"
#include "base/buf.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUF_BYTES_START = 128 };

void buf_init(struct buf *b, size_t bytes_max)
{
    assert(bytes_max > 0);
    memset(b, 0, sizeof *b);
    b->bytes_max = bytes_max;
}

void buf_init_in(struct buf *b, struct arena *arena, size_t bytes_max)
{
    buf_init(b, bytes_max);
    b->arena = arena;
}

void buf_release(struct buf *b)
{
    if (!b->arena)
        free(b->data);
    *b = (struct buf){ .bytes_max = b->bytes_max, .arena = b->arena };
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->overflow = false;
    if (b->data)
        b->data[0] = '\0';
}

/* Room for `more` bytes and the NUL; false = over the maximum, from now on for every write. */
static bool buf_reserve(struct buf *b, size_t more)
{
    assert(b->bytes_max > 0);
    if (b->overflow || more > b->bytes_max - b->len) {
        b->overflow = true;
        return false;
    }
    size_t need = b->len + more + 1;
    if (need <= b->capacity)
        return true;
    size_t capacity = b->capacity ? b->capacity : BUF_BYTES_START;
    while (capacity < need)
        capacity = capacity < b->bytes_max / 2 ? capacity * 2 : b->bytes_max + 1;
    if (b->arena) { /* what is left behind adds up to less than the new piece */
        char *data = arena_alloc(b->arena, capacity);
        if (b->len > 0)
            memcpy(data, b->data, b->len);
        b->data = data;
    } else {
        b->data = xrealloc(b->data, capacity);
    }
    b->capacity = capacity;
    return true;
}

void buf_put(struct buf *b, const void *bytes, size_t len)
{
    if (!buf_reserve(b, len))
        return;
    if (len > 0)
        memcpy(b->data + b->len, bytes, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void buf_puts(struct buf *b, const char *s)
{
    if (s)
        buf_put(b, s, strlen(s));
}

void buf_putc(struct buf *b, char c)
{
    buf_put(b, &c, 1);
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0 || !buf_reserve(b, (size_t)n))
        return;
    vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
    b->len += (size_t)n;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(b, fmt, ap);
    va_end(ap);
}

const char *buf_str(const struct buf *b)
{
    return b->data ? b->data : "";
}

char *buf_detach(struct buf *b)
{
    char *s = b->data ? b->data : b->arena ? arena_strdup(b->arena, "") : xstrdup("");
    b->data = NULL;
    buf_release(b);
    return s;
}
