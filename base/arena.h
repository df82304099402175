/* SPDX-License-Identifier: MIT
 * arena: memory that lives as long as one message, request or batch.
 * One owner, one thread at a time.  Nothing is freed singly; arena_free() runs the
 * deferred clean-ups (curl handles, PGresults, json objects) last-in first-out and
 * then drops everything.  Out of memory aborts the process: every effect is in the
 * database, so a restart resumes (see ARCHITECTURE.md, "memory"). */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/status.h"
#include <stdarg.h>
#include <stddef.h>

struct arena;

struct arena *arena_new(void);
struct arena *arena_new_for(size_t bytes); /* about so many will be asked for: a small one costs less */
void arena_free(struct arena *);           /* NULL is fine */

void *arena_alloc(struct arena *, size_t bytes);                  /* zeroed, aligned for any type */
char *arena_strdup(struct arena *, const char *s);                /* NULL gives NULL */
char *arena_strndup(struct arena *, const char *s, size_t bytes); /* NUL appended */
char *arena_printf(struct arena *, const char *fmt, ...) PRINTF(2, 3);
char *arena_vprintf(struct arena *, const char *fmt, va_list ap) PRINTF(2, 0);

/* Room for one more item in a list that has `count`: the list itself, or a copy of twice the size when it is full,
 * which it is at 0 and at each power of two from 16 on.  Only for a list that has grown item by item this way (NULL at
 * first); the old copy stays until the arena goes. */
void *arena_room(struct arena *, void *list, size_t count, size_t item_bytes);

/* Call fn(object) when the arena is freed. */
void arena_defer(struct arena *, void (*fn)(void *), void *object);

/* malloc family that aborts with a word on stderr instead of returning NULL. */
void *xmalloc(size_t bytes);
void *xcalloc(size_t count, size_t bytes);
void *xrealloc(void *p, size_t bytes);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t bytes);

#endif
