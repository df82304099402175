/* SPDX-License-Identifier: MIT
 * head: what the HTTP library lets through and a careful server does not: a request that two parties may read
 * differently.  Pure; the route table asks it once for every request, before anything else looks at it. */
#ifndef BOT_HEAD_H
#define BOT_HEAD_H

#include <stdbool.h>
#include <stddef.h>

/* `bytes` begin with a request head that the library has parsed (more may follow it).  NULL: its meaning is plain;
 * else a sentence for the sender.  After a fault the connection must close: what follows may be read differently too.
 * So it must after a body in chunks, whose framing the library judges leniently and does not show. */
const char *head_fault(const char *bytes, size_t len, bool *chunked);

#endif
