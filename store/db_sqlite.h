/* SPDX-License-Identifier: MIT
 * db_sqlite: what the files of the SQLite driver share: statements (db_sqlite.c) and opening, locking,
 * error texts (db_sqlite_open.c).  Included by these two only. */
#ifndef STORE_DB_SQLITE_H
#define STORE_DB_SQLITE_H

#include "store/db_cache.h"
#include <sqlite3.h>

struct sqlite {
    struct db base;
    sqlite3 *raw;
    struct cache cache;  /* SQL text → struct prepared */
    bool durable;        /* PRAGMA synchronous is FULL */
    int64_t deadline_ms; /* of the running statement, monotonic; 0 = none */
};

static inline struct sqlite *sqlite_of(struct db *db)
{
    return (struct sqlite *)db;
}

enum status sqlite_open(const char *url, bool writer, struct db **, struct error *);
enum status sqlite_lock_server(const char *url, int *fd, struct error *);
/* Words for the connection's newest error; also finds out whether the transaction is gone. */
enum status sqlite_fail(struct sqlite *, int code, struct error *);

#endif
