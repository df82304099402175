/* SPDX-License-Identifier: MIT
 * db_sqlite: what the files of the SQLite driver share: statements (db_sqlite.c), opening, locking, error
 * texts (db_sqlite_open.c), the log (db_sqlite_log.c), copying (db_sqlite_backup.c, db_sqlite_restore.c).  Included by
 * these only. */
#ifndef STORE_DB_SQLITE_H
#define STORE_DB_SQLITE_H

#include "store/db_cache.h"
#include <limits.h>
#include <sqlite3.h>

struct sqlite {
    struct db base;
    sqlite3 *raw;
    struct cache cache;      /* SQL text → struct prepared */
    bool durable;            /* PRAGMA synchronous is FULL */
    int64_t deadline_ms;     /* of the running statement, monotonic; 0 = none */
    int64_t log_frame_bytes; /* a page in the log */
    int64_t log_bytes;       /* the size of its file, when it was last looked at */
};

static inline struct sqlite *sqlite_of(struct db *db)
{
    return (struct sqlite *)db;
}

enum status sqlite_open(const char *url, bool writer, struct db **, struct error *);
enum status sqlite_lock_server(const char *url, int *fd, struct error *);
/* db_sqlite_log.c; driver.h: log_open, log_flush, log_room, log_fold.  The log (WAL) keeps its file as long as a
 * connection is open. */
enum status sqlite_log_open(struct db *, int *fd, struct error *);
enum status sqlite_log_flush(int fd, struct error *);
void sqlite_log_room(struct db *, int fd);
enum status sqlite_log_fold(struct db *, bool anew, int64_t *pages, int64_t *left, struct error *);
enum status sqlite_path(const char *url, const char **path, struct error *); /* as it stands in the URL */

/* db_sqlite_backup.c, db_sqlite_restore.c */
enum status sqlite_backup(const struct backup_options *, struct backup_report *, struct error *);
enum status sqlite_restore(const struct backup_options *, struct backup_report *, struct error *);
/* A copy under way: pages of one file's snapshot into another file, and the proof that they arrived. */
struct sqlite_copy {
    sqlite3 *from; /* a read transaction is open from _begin to _end: one instant, however much is written */
    const char *from_path;
    char to_path[PATH_MAX]; /* the partial file; "" = none */
    int fd;                 /* of the partial file, flocked; -1 = none */
    const struct backup_options *options;
};
/* ST_INVALID: not a database; ST_NOT_FOUND: no file. */
enum status sqlite_copy_begin(struct sqlite_copy *, const char *from_path, const char *to_path,
                              const struct backup_options *, struct error *);
/* Copy and check: integrity, the same number of rows in every table; on disk when it returns. */
enum status sqlite_copy_run(struct sqlite_copy *, struct backup_report *, struct error *);
void sqlite_copy_end(struct sqlite_copy *); /* removes the partial file, unless it was renamed (to_path "") */
enum status sqlite_sync_folder(const char *path, struct error *); /* of a file, so that its name is on disk */
/* What a person can do about it; "" when nothing is known. */
const char *sqlite_advice(int code);
/* Words for the connection's newest error; also finds out whether the transaction is gone. */
enum status sqlite_fail(struct sqlite *, int code, struct error *);

#endif
