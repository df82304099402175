/* SPDX-License-Identifier: MIT
 * stream: an answer without an end (server-sent events).  Loop thread only.
 * Writes are buffered twice (one buffer is being sent, one filled) and bounded; a client that has left is noticed by
 * its hang-up, one that stopped reading by the kernel's TCP_USER_TIMEOUT. */
#ifndef BOT_STREAM_H
#define BOT_STREAM_H

#include "bot/route.h"

struct stream;

enum { STREAM_PENDING_BYTES_MAX = 2 * 1024 * 1024 }; /* several full batches of the console feed */

struct stream_ops {
    void (*drained)(struct stream *, void *arg); /* everything written was handed to the kernel; may be NULL */
    void (*closed)(void *arg);                   /* the last call: the stream is gone */
};

/* In a handler, instead of an answer: sends 200 and the headers set so far. */
struct stream *request_stream(struct request *, const char *type, const struct stream_ops *, void *arg);
/* false: it would exceed STREAM_PENDING_BYTES_MAX (or the stream is ending) and nothing was taken. */
bool stream_write(struct stream *, const void *bytes, size_t len);
size_t stream_pending(const struct stream *); /* bytes not yet handed to the kernel */
void stream_end(struct stream *);             /* after what is pending; closed() follows */

#endif
