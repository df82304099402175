/* SPDX-License-Identifier: MIT
 * vectors_feed: what has changed since a position.  Triggers write the feed in the transaction of the change, so no
 * present or future writer can forget it, and every instance on one database sees the same.  Inside a read transaction
 * of the caller.
 *
 * A position is opaque and belongs to one snapshot: everything visible in it is below, everything that commits later is
 * at or above.  On PostgreSQL transactions commit out of order, so what was seen may come again: applying a change
 * means "read the row again", which is harmless. */
#ifndef STORE_VECTORS_FEED_H
#define STORE_VECTORS_FEED_H

#include "store/vectors.h"

enum {
    FEED_KEEP_ROWS = 50000, /* some 2 MB; who is further behind reads everything again */
    FEED_READ_MAX = 5000,   /* of one user; from here on reading all rows is cheaper */
};

struct feed_change {
    int type; /* as recall_row.type */
    int64_t id;
    bool vector; /* its vector was written too */
};

/* The position of the snapshot of this transaction. */
enum status MUST_CHECK feed_position(struct db *, int64_t *position, struct error *);
/* A user's changes since `from`, each item once, by (type, id); *next is the snapshot's position.  *lost: the feed no
 * longer reaches back that far, or there are more than FEED_READ_MAX: read everything. */
enum status MUST_CHECK feed_read(struct db *, struct arena *, int64_t user_id, int64_t from,
                                 struct feed_change **changes, size_t *count, int64_t *next, bool *lost,
                                 struct error *);
/* How many changes of the user stand at or above `from`, and the newest: the same twice = nothing has happened since,
 * even where a long transaction of somebody else holds positions back. */
enum status MUST_CHECK feed_window(struct db *, int64_t user_id, int64_t from, int64_t *count, int64_t *newest,
                                   struct error *);
/* Users with a change since `from`; at from = 0 all users.  *lost likewise (then all users). */
enum status MUST_CHECK feed_users(struct db *, struct arena *, int64_t from, int64_t **user_id, size_t *count,
                                  int64_t *next, struct error *);
/* True: `from` is still in reach. */
enum status MUST_CHECK feed_reaches(struct db *, int64_t from, bool *reaches, struct error *);
/* In a write: keep the newest FEED_KEEP_ROWS. */
enum status MUST_CHECK feed_prune(struct db *, struct error *);

/* Names this database in the files made from it; arena-owned. */
enum status MUST_CHECK feed_database_id(struct db *, struct arena *, const char **id, struct error *);

/* Who embeds: one process at a time.  In a write.  *ours false: another living one does. */
enum status MUST_CHECK feed_lease(struct db *, int64_t owner_id, int64_t now_ms, int64_t until_ms, bool *ours,
                                  struct error *);
enum status MUST_CHECK feed_lease_end(struct db *, int64_t owner_id, struct error *);

#endif
