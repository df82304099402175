/* SPDX-License-Identifier: MIT
 * pending: what the bot has asked a person and waits for, one per chat and user: a new question replaces
 * the old one.  Rows, so that a question survives a restart.  All functions run inside a transaction. */
#ifndef STORE_PENDING_H
#define STORE_PENDING_H

#include "base/arena.h"
#include "store/db.h"

enum { PENDING_KEEP_MS = 15 * 60 * 1000 }; /* an answer that comes later is a new sentence */

struct pending_key {
    const char *channel;
    int64_t chat_id, user_id;
};
struct pending {
    const char *kind;    /* "edit_date", "pick" … */
    const char *payload; /* JSON */
    int64_t expires_at_ms;
};

enum status MUST_CHECK pending_put(struct db *, const struct pending_key *, const char *kind, const char *payload,
                                   int64_t expires_at_ms, struct error *);
/* The live question, if any: *found false when there is none or it has expired.  Strings are arena-owned. */
enum status MUST_CHECK pending_get(struct db *, struct arena *, const struct pending_key *, int64_t now_ms,
                                   struct pending *, bool *found, struct error *);
/* Forget it; no row is not an error. */
enum status MUST_CHECK pending_clear(struct db *, const struct pending_key *, struct error *);

#endif
