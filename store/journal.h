/* SPDX-License-Identifier: MIT
 * journal: before-images of every change a turn makes, so that a turn can be undone as one step
 * within UNDO_WINDOW_MS, also after a restart.  All functions run inside the turn's transaction.
 * Only tables and columns named in journal.c's own table are journaled; names never come from
 * outside.  What a turn changed is settled at its end, by comparing with the rows as they are then: undo gives back
 * those columns and no others, and refuses when somebody changed them since. */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "base/arena.h"
#include "store/db.h"

struct journal {
    struct db *db;
    int64_t inbox_id; /* the turn */
    int64_t user_id;
    int64_t now_ms;
    int seq;             /* next sequence number; 0 = go on after what earlier rounds of the turn wrote.  The unique key
                            (inbox_id, seq) lets no two writers interleave */
    struct buf *summary; /* words for "undone: …", e.g. "added task 83"; may be NULL */
};

/* After an INSERT: remember that the row is new (undo marks it deleted). */
enum status MUST_CHECK journal_inserted(struct journal *, const char *table, int64_t row_id, struct error *);
/* Before an UPDATE or a soft delete: remember the row as it is. */
enum status MUST_CHECK journal_changing(struct journal *, const char *table, int64_t row_id, struct error *);
/* Add "added task 83"-like words for the undo's confirmation. */
void journal_note(struct journal *, const char *fmt, ...) PRINTF(2, 3);
/* At the end of a turn, or of each round that writes: settles what was changed and writes the turns row (a later round
 * adds its words to it).  No-op when nothing was journaled or nothing differs. */
enum status MUST_CHECK journal_close(struct journal *, struct error *);

struct undo_result {
    int64_t inbox_id;    /* the turn that was undone; 0 = there was nothing to undo */
    const char *summary; /* what it had done */
    int rows;
};
/* Undo the user's newest turn that is not undone (turn_id 0) or exactly that one.  ST_NOT_FOUND with a
 * sentence when it is older than the window, already undone, or another user's; ST_CONFLICT with a sentence when a
 * later change stands in the way.  In both cases nothing has changed. */
enum status MUST_CHECK journal_undo(struct db *, struct arena *, int64_t user_id, int64_t turn_id, int64_t now_ms,
                                    struct undo_result *, struct error *);

#endif
