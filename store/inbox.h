/* SPDX-License-Identifier: MIT
 * inbox: what came in, as rows: durable before it is acknowledged, one row per (channel, update_key).  Workers
 * claim the head of each lane with a fencing token; a rescue returns the rows of dead workers. */
#ifndef STORE_INBOX_H
#define STORE_INBOX_H

#include "base/arena.h"
#include "store/store.h"

struct inbox_update {
    const char *channel, *update_key, *lane, *body; /* NUL-terminated */
    bool tap;
};
/* Take in a batch inside a write; *stored: how many are new, a duplicate has no effect.  INBOX_NOW: as the database's
 * clock says.  Rows are written, except that behind staged messages others are staged too (inbox_stage.c), and then a
 * duplicate counts as new until a claim unfolds it. */
enum { INBOX_NOW = -1 };
enum status MUST_CHECK inbox_put(struct db *, const struct inbox_update *, size_t count, int64_t now_ms,
                                 int64_t *stored, struct error *);
/* The same for a flood: messages are staged, which costs a fraction; taps and what the console sent become rows. */
enum status MUST_CHECK inbox_put_flood(struct db *, const struct inbox_update *, size_t count, int64_t now_ms,
                                       int64_t *stored, struct error *);

struct inbox_row {
    int64_t id;
    const char *channel, *update_key, *lane, *body;
    bool tap;
    int crashes;
    int64_t token, received_at_ms;
};
struct inbox_claim {
    struct arena *arena;
    int64_t owner_id, now_ms;
    bool tap;             /* the tap lane, or the others */
    int crashes_max;      /* rows that crashed more often are left for later */
    bool found;           /* out */
    bool more;            /* out: other rows wait, perhaps behind this one */
    bool staged;          /* out: when none was found: some may be staged all the same */
    struct inbox_row row; /* out, arena-owned */
};
enum status inbox_claim(struct db *, void *claim, struct error *); /* a write_fn */

/* Finish a claimed row in the turn's transaction; ST_LOST when the token is stale: roll back. */
enum status MUST_CHECK inbox_done(struct db *, int64_t id, int64_t token, const char *outcome, int64_t now_ms,
                                  struct error *);
/* Check the token without finishing (a turn's intermediate commit). */
enum status MUST_CHECK inbox_hold(struct db *, int64_t id, int64_t token, int64_t lease_until_ms, struct error *);
/* Give back unfinished (shutdown, provider pause): no crash is counted. */
enum status MUST_CHECK inbox_give_back(struct db *, int64_t id, int64_t token, int64_t run_at_ms, struct error *);
/* Undo a claim whose COMMIT got no answer; waits for that COMMIT when it is still under way.  ST_LOST: the claim did
 * not happen. */
enum status MUST_CHECK inbox_unclaim(struct db *, int64_t id, int64_t token, int64_t now_ms, struct error *);
/* Rows of dead owners or ended leases: available again with crashes + 1, or parked at INBOX_CRASHES_MAX.  parked[]: ids
 * and bodies of rows parked now, for the message to the owner (arena-owned). */
enum status MUST_CHECK inbox_rescue(struct db *, struct arena *, int64_t now_ms, int64_t *rescued,
                                    struct inbox_row **parked, int *parked_count, struct error *);
/* A parked row gets one more try INBOX_LAST_TRY_MS later: three crashes may have been somebody killing the program, and
 * then the message must still be answered.  After that it stays parked. */
enum status MUST_CHECK inbox_last_try(struct db *, int64_t now_ms, int64_t *retried, struct error *);
enum status MUST_CHECK inbox_prune(struct db *, int64_t before_ms, struct error *);

#endif
