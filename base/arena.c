/* SPDX-License-Identifier: MIT
 * arena: a list of malloc'ed blocks, handed out front to back.
 * Every turn, request and batch owns one; the owner's thread is the only caller.
 * Large requests get a block of their own, so sanitizers still see their ends. */
#include "base/arena.h"
#include <assert.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_BYTES = 8 * 1024,     /* a typical turn needs one or two */
    BLOCK_BYTES_MAX = 64 * 1024 /* blocks double up to here */
};

struct block {
    struct block *next;
    size_t used, capacity;
    alignas(max_align_t) char data[];
};

struct deferred {
    struct deferred *next;
    void (*fn)(void *);
    void *object;
};

struct arena {
    struct block *blocks; /* the newest first; only it is filled further */
    struct deferred *deferred;
    size_t block_bytes;
};

static void out_of_memory(size_t bytes)
{
    fprintf(stderr, "steward: out of memory (%zu bytes wanted)\n", bytes);
    abort();
}

void *xmalloc(size_t bytes)
{
    void *p = malloc(bytes ? bytes : 1);
    if (!p)
        out_of_memory(bytes);
    return p;
}

void *xcalloc(size_t count, size_t bytes)
{
    void *p = count && bytes ? calloc(count, bytes) : calloc(1, 1);
    if (!p)
        out_of_memory(bytes);
    return p;
}

void *xrealloc(void *old, size_t bytes)
{
    void *p = realloc(old, bytes ? bytes : 1);
    if (!p)
        out_of_memory(bytes);
    return p;
}

char *xstrdup(const char *s)
{
    return xstrndup(s, strlen(s));
}

char *xstrndup(const char *s, size_t bytes)
{
    size_t len = strnlen(s, bytes);
    char *copy = xmalloc(len + 1);
    memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

struct arena *arena_new(void)
{
    return arena_new_for(BLOCK_BYTES);
}

struct arena *arena_new_for(size_t bytes)
{
    struct arena *a = xcalloc(1, sizeof *a);
    a->block_bytes = bytes < BLOCK_BYTES ? bytes : BLOCK_BYTES;
    return a;
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    /* A clean-up may defer another: take them one by one. */
    while (a->deferred) {
        struct deferred *d = a->deferred;
        a->deferred = d->next;
        d->fn(d->object);
    }
    while (a->blocks) {
        struct block *b = a->blocks;
        a->blocks = b->next;
        free(b);
    }
    free(a);
}

static struct block *block_new(size_t capacity)
{
    if (capacity > SIZE_MAX - sizeof(struct block))
        out_of_memory(capacity);
    struct block *b = xmalloc(sizeof *b + capacity);
    b->used = 0;
    b->capacity = capacity;
    b->next = NULL;
    return b;
}

/* A block of its own goes behind the current one, which stays open for small requests. */
static void *alloc_large(struct arena *a, size_t bytes)
{
    struct block *b = block_new(bytes);
    b->used = bytes;
    if (a->blocks) {
        b->next = a->blocks->next;
        a->blocks->next = b;
    } else {
        a->blocks = b;
    }
    return memset(b->data, 0, bytes);
}

void *arena_alloc(struct arena *a, size_t bytes)
{
    const size_t align = alignof(max_align_t);
    if (bytes > SIZE_MAX - align)
        out_of_memory(bytes);
    bytes = bytes ? (bytes + align - 1) / align * align : align;
    if (bytes > BLOCK_BYTES / 4 && (!a->blocks || bytes > a->blocks->capacity - a->blocks->used))
        return alloc_large(a, bytes);
    if (!a->blocks || bytes > a->blocks->capacity - a->blocks->used) {
        struct block *b = block_new(a->block_bytes > bytes ? a->block_bytes : bytes);
        if (a->block_bytes < BLOCK_BYTES)
            a->block_bytes = BLOCK_BYTES;
        else if (a->block_bytes < BLOCK_BYTES_MAX)
            a->block_bytes *= 2;
        b->next = a->blocks;
        a->blocks = b;
    }
    void *p = a->blocks->data + a->blocks->used;
    a->blocks->used += bytes;
    return memset(p, 0, bytes);
}

void *arena_room(struct arena *a, void *list, size_t count, size_t item_bytes)
{
    enum { LEAST = 16 };
    if (count > 0 && (count < LEAST || (count & (count - 1)) != 0))
        return list;
    size_t room = count ? count * 2 : LEAST;
    if (room > SIZE_MAX / item_bytes)
        out_of_memory(SIZE_MAX);
    void *grown = arena_alloc(a, room * item_bytes);
    return count ? memcpy(grown, list, count * item_bytes) : grown;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return s ? arena_strndup(a, s, strlen(s)) : NULL;
}

char *arena_strndup(struct arena *a, const char *s, size_t bytes)
{
    if (!s)
        return NULL;
    size_t len = strnlen(s, bytes);
    char *copy = arena_alloc(a, len + 1);
    memcpy(copy, s, len);
    return copy;
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
    va_list again;
    assert(fmt != NULL);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0)
        return arena_strdup(a, "");
    char *s = arena_alloc(a, (size_t)n + 1);
    vsnprintf(s, (size_t)n + 1, fmt, ap);
    return s;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *s = arena_vprintf(a, fmt, ap);
    va_end(ap);
    return s;
}

void arena_defer(struct arena *a, void (*fn)(void *), void *object)
{
    struct deferred *d = arena_alloc(a, sizeof *d);
    d->fn = fn;
    d->object = object;
    d->next = a->deferred;
    a->deferred = d;
}
