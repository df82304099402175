/* SPDX-License-Identifier: MIT
 * audit: what happened to requests, append-only; each row holds the SHA-256 of the one before it, so that a row that
 * was changed or taken out later shows.  (What was cut off at the end shows only against a hash that somebody kept:
 * `steward audit verify` prints it.)  All functions run inside a transaction; on PostgreSQL writers wait for each
 * other until their commit. */
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include "base/arena.h"
#include "store/db.h"
#include <json-c/json.h>

enum { AUDIT_HASH_CHARS = 64 };

struct audit_row {
    int64_t seq, at_ms;
    const char *request_id, *event, *actor, *detail; /* detail: JSON text */
    const char *previous, *hash;                     /* 64 hex digits; previous of the first row: 64 zeros */
};

/* Until the end of the transaction nobody else appends (PostgreSQL; SQLite has one writer). */
enum status MUST_CHECK audit_lock(struct db *, struct error *);

/* Append one event.  detail may be NULL ({}); it is not kept. */
enum status MUST_CHECK audit_add(struct db *, const char *request_id, const char *event, const char *actor,
                                 struct json_object *detail, int64_t now_ms, struct error *);

/* The hash a row must have: SHA-256 over previous, seq, at, request_id, event, actor, detail, each followed by a NUL.
 */
void audit_hash(const struct audit_row *, char out[AUDIT_HASH_CHARS + 1]);

/* Up to max rows after a seq, oldest first; request_id NULL = of all.  Arena-owned. */
enum status MUST_CHECK audit_read(struct db *, struct arena *, int64_t after_seq, const char *request_id, int max,
                                  struct audit_row **rows, int *count, struct error *);

#endif
