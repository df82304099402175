/* SPDX-License-Identifier: MIT
 * inbox_row: what inbox.c, inbox_put.c, inbox_stage.c and inbox_claim.c share; nobody else includes it. */
#ifndef STORE_INBOX_ROW_H
#define STORE_INBOX_ROW_H

#include "store/inbox.h"

#define INBOX_COLUMNS                                                                                                  \
    "inbox.id, inbox.channel, inbox.update_key, inbox.lane, inbox.body, inbox.tap, inbox.crashes, inbox.token, "       \
    "inbox.received_at"
enum { INBOX_COLUMN_COUNT = 9 };

/* From a statement whose first columns are INBOX_COLUMNS. */
void inbox_row_read(struct stmt *, struct arena *, struct inbox_row *);

/* Insert them as rows of the inbox, whatever is staged; *stored grows by those that are new. */
enum status MUST_CHECK inbox_put_rows(struct db *, const struct inbox_update *, size_t count, int64_t now_ms,
                                      int64_t *stored, struct error *);

/* May it be staged: not a tap, and nothing of the console's. */
bool inbox_stageable(const struct inbox_update *);
enum status MUST_CHECK inbox_staged_any(struct db *, bool *any, struct error *);
/* Write stageable ones into the staging table; now_ms may be INBOX_NOW. */
enum status MUST_CHECK inbox_stage_rows(struct db *, const struct inbox_update *, size_t count, int64_t now_ms,
                                        struct error *);
/* The oldest staged rows, a few of them, become rows of the inbox.  *posts: how many they held, 0 when nothing is
 * staged or *others: another instance or worker is at it. */
enum status MUST_CHECK inbox_unfold(struct db *, int64_t now_ms, int64_t *posts, bool *others, struct error *);

#endif
