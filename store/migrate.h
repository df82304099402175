/* SPDX-License-Identifier: MIT
 * migrate: brings the schema up to date from the files embedded in the binary,
 * migrations/NNNN_name.<sqlite|postgres>.sql, numbered 0001, 0002 … without gaps and never changed once
 * released.  Each runs in a transaction of its own, under a lock, so that several instances may start at
 * once.  Called by store_open(), before other threads exist. */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include "base/asset.h"
#include "store/db.h"

/* Apply what is missing; db is a writer outside of any transaction.  Refused with a sentence that says what
 * to do: ST_CONFLICT when an applied migration is not the one this program knows, or the schema is newer
 * than the program. */
enum status MUST_CHECK migrate(struct db *, struct error *);
/* The same with another table of files (tests). */
enum status MUST_CHECK migrate_from(struct db *, const struct asset *table, struct error *);
/* Nothing is applied: ST_CONFLICT as above; ST_INVALID: no schema of ours at all. */
enum status MUST_CHECK migrate_check(struct db *, struct error *);

#endif
