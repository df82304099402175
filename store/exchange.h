/* SPDX-License-Identifier: MIT
 * exchange: a person's rows as JSON Lines, out and in again.  One line is one row:
 *     {"type":"task","id":83,"content":"Buy bread","category":"Home/Shopping","due_date":"2026-11-21",…}
 * Columns that are null are left out; categories go by their path.  The order is fixed: categories by depth and
 * name, then tasks, notes, sleep, exercise, water, sauna, body by id.  Deleted rows and chat addresses (where a
 * reminder goes) stay behind.  An export read into an empty database and exported again is the same, byte by byte.
 *
 * Import is all or nothing.  An id is kept when the database has no row of that number, else a new one is given.  A
 * line whose columns (the id aside, created_date only when given) equal a row the person already has is counted and not
 * added: reading a file twice adds nothing, and each existing row absorbs one line only. */
#ifndef STORE_EXCHANGE_H
#define STORE_EXCHANGE_H

#include "base/buf.h"
#include "store/store.h"

enum exchange_kind {
    EXCHANGE_CATEGORY,
    EXCHANGE_TASK,
    EXCHANGE_NOTE,
    EXCHANGE_SLEEP,
    EXCHANGE_EXERCISE,
    EXCHANGE_WATER,
    EXCHANGE_SAUNA,
    EXCHANGE_BODY,
    EXCHANGE_KINDS
};

struct exchange_count {
    int64_t rows;
    int64_t kind[EXCHANGE_KINDS];
};

/* Hand every line (with its newline) to write(), which returns false when it cannot go on: ST_INTERNAL.  Read one
 * snapshot: call on a fresh read connection. */
enum status MUST_CHECK exchange_stream(struct db *, int64_t user_id,
                                       bool (*write)(void *arg, const char *line, size_t bytes), void *arg,
                                       struct exchange_count *, struct error *);
/* Into a buffer, for a chat's document; out->overflow tells that it did not fit. */
enum status MUST_CHECK exchange_export(struct db *, int64_t user_id, struct buf *out, struct exchange_count *,
                                       struct error *);

struct import; /* a file, read and checked, not yet written; one thread */

struct import *import_new(int64_t now_ms);
void import_free(struct import *); /* NULL is fine */
/* One line without its newline; empty lines are skipped.  The error names the line by number.  ST_LIMIT: a line over
 * EXPORT_LINE_BYTES_MAX or more than IMPORT_ROWS_MAX rows. */
enum status MUST_CHECK import_line(struct import *, const char *line, size_t bytes, struct error *);
int64_t import_rows(const struct import *);

struct import_result {
    int64_t added[EXCHANGE_KINDS]; /* rows written */
    int64_t present;               /* lines that equal a row already there */
    int64_t renumbered;            /* rows whose id was taken */
};
/* Write everything in one transaction, or nothing.  progress() may be NULL; it is called from the writer's thread. */
enum status MUST_CHECK import_write(struct store *, struct import *, int64_t user_id,
                                    void (*progress)(void *arg, int64_t done, int64_t total), void *arg,
                                    struct import_result *, struct error *);
/* The same inside a transaction of the caller. */
enum status MUST_CHECK import_apply(struct db *, struct import *, int64_t user_id,
                                    void (*progress)(void *arg, int64_t done, int64_t total), void *arg,
                                    struct import_result *, struct error *);

#endif
