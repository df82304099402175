/* SPDX-License-Identifier: MIT
 * inbox_row: how a row of the inbox is read, shared by inbox.c and inbox_claim.c; nobody else includes it. */
#ifndef STORE_INBOX_ROW_H
#define STORE_INBOX_ROW_H

#include "store/inbox.h"

#define INBOX_COLUMNS                                                                                                  \
    "inbox.id, inbox.channel, inbox.update_key, inbox.lane, inbox.body, inbox.tap, inbox.crashes, inbox.token, "       \
    "inbox.received_at"
enum { INBOX_COLUMN_COUNT = 9 };

/* From a statement whose first columns are INBOX_COLUMNS. */
void inbox_row_read(struct stmt *, struct arena *, struct inbox_row *);

#endif
