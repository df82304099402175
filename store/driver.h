/* SPDX-License-Identifier: MIT
 * driver: what a database driver provides to db.c.  A new database is one table of these functions and
 * one row in db.c.  Included by store/db*.c, store/store*.c and store/migrate.c only.
 *
 * A driver reports each failure once, as a status and a sentence, and sets db->broken when the connection
 * is of no more use; what a failure means for the transaction is decided in db.c, alike for all drivers. */
#ifndef STORE_DRIVER_H
#define STORE_DRIVER_H

#include "store/backup.h"
#include "store/db.h"
#include <string.h>

struct db {
    const struct db_driver *driver;
    struct stmt *open; /* unfinished statements, newest first */
    int savepoints;    /* depth, for their names */
    bool writer;
    bool in_transaction;
    bool broken;           /* the connection is gone or useless: close it */
    bool lost;             /* the database ended the transaction by itself; only db_rollback() helps */
    struct error failure;  /* first failure of this transaction or savepoint; status OK = none */
    int64_t timeout_ms;    /* of one statement; 0 = none */
    int64_t owner_id;      /* of this process, see store_owner_alive() */
    int64_t read_since_us; /* of a reader: when it was taken, monotonic */
    bool wrote;            /* the newest transaction left something in the log (drivers with log_flush) */
    int64_t log_pages;     /* after it */
    bool flushed_apart;    /* a durable commit only reaches the log; who answers for it calls log_flush() */
    bool owner_alone;      /* claims of other owner ids are dead by definition (server lock on the file) */
};

struct stmt {
    struct db *db;
    struct stmt *older; /* in db->open */
    bool inert;         /* never reached the driver */
    bool row;           /* a row is there */
    enum status status; /* sticky */
    struct error error;
};

struct db_driver {
    enum db_kind kind;
    const char *scheme[3]; /* "sqlite://"; NULL after the last */
    enum status (*open)(const char *url, bool writer, struct db **, struct error *);
    void (*close)(struct db *);

    /* Runs the statement up to its first row; *out is freed by finish(). */
    enum status (*query)(struct db *, const char *sql, const struct param *, size_t count, struct stmt **out,
                         struct error *);
    bool (*step)(struct stmt *); /* sets stmt->status and stmt->error on failure */
    bool (*is_null)(struct stmt *, int);
    int64_t (*get_int)(struct stmt *, int);
    double (*get_real)(struct stmt *, int);
    const char *(*get_text)(struct stmt *, int);
    const void *(*get_blob)(struct stmt *, int, size_t *);
    int (*columns)(struct stmt *);
    const char *(*column_name)(struct stmt *, int);
    int64_t (*changes)(struct stmt *);
    enum status (*finish)(struct stmt *, struct error *); /* frees; the error of what was not stepped through */
    enum status (*run_many)(struct db *, const char *sql, const struct param *, size_t rows, size_t columns,
                            int64_t *changed, struct error *);
    enum status (*script)(struct db *, const char *sql, struct error *);
    /* Keep a statement until the next one or the commit, and forget what is kept.  NULL: statements cost no round trip.
     */
    enum status (*run_later)(struct db *, const char *sql, const struct param *, size_t count, struct error *);
    void (*later_drop)(struct db *);

    /* durable: the commit survives power loss; else it survives kill -9 only. */
    enum status (*begin)(struct db *, bool durable, struct error *);
    enum status (*commit)(struct db *, struct error *); /* ST_UNKNOWN when the connection broke meanwhile */
    enum status (*rollback)(struct db *, struct error *);
    /* Where a commit can be made durable apart from it, beside what the connection does next: log_open gives a
     * descriptor (the caller closes it), log_flush makes all that was committed before the call survive power loss;
     * any thread.  log_room, inside a transaction that has written nothing yet, lengthens the log's file ahead of
     * what is going to be written: then a flush is one trip to the disk less, as nothing but data has changed.  What
     * it cannot do stays undone.  NULL: not this way. */
    enum status (*log_open)(struct db *, int *fd, struct error *);
    enum status (*log_flush)(int fd, struct error *);
    void (*log_room)(struct db *, int fd);
    /* Fold the log into the file, beside readers and the writer; *pages: in the log when it began, *left: of them, what
     * readers kept from being folded.  anew: with the
     * writer's connection, wait a moment for readers too, so that the log can begin anew; ST_BUSY when they stay.
     * ST_LOST: the disk refused what was written. */
    enum status (*log_fold)(struct db *, bool anew, int64_t *pages, int64_t *left, struct error *);
    enum status (*set_timeout)(struct db *, int64_t timeout_ms, struct error *);
    bool (*alive)(struct db *); /* without a round trip: has the other side hung up? */
    enum status (*now_ms)(struct db *, int64_t *now_ms, struct error *);
    /* Is the process behind an owner id of another process alive?  Inside a transaction. */
    enum status (*owner_alive)(struct db *, int64_t owner_id, bool *alive, struct error *);
    /* Take the server's lock on the database; *fd is closed to give it back.  NULL: many may serve. */
    enum status (*lock_server)(const char *url, int *fd, struct error *);

    /* Hints between processes; NULL where there is only one.  hear: announce owner_id and listen to the
     * channels (NULL after the last).  hear_fd: becomes readable when something came.  heard: the next
     * channel of another process, NULL when there is none (now). */
    enum status (*hear)(struct db *, int64_t owner_id, const char *const *channels, struct error *);
    int (*hear_fd)(struct db *);
    bool (*heard)(struct db *, char *channel, size_t channel_bytes);

    /* store/backup.h: either the two, or the lines of the database's own tools; NULL = not this way. */
    enum status (*backup)(const struct backup_options *, struct backup_report *, struct error *);
    enum status (*restore)(const struct backup_options *, struct backup_report *, struct error *);
    const char *(*backup_lines)(struct arena *, const char *url, const char *file, bool restore);
};

extern const struct db_driver sqlite_driver, postgres_driver;

/* The driver, or in a program built for it one around it whose statements fail when a test says so (base/fault.h). */
#ifdef STEWARD_FAULTS
const struct db_driver *db_fault_wrap(const struct db_driver *);
#else
static inline const struct db_driver *db_fault_wrap(const struct db_driver *driver)
{
    return driver;
}
#endif

enum {
    DB_STATEMENTS_MAX = 256,     /* prepared statements kept per connection: the program has about 150 */
    DB_MIGRATION_MS = 600 * 1000 /* longest statement of a migration */
};

/* The driver of a URL; NULL with a sentence when no driver knows its scheme. */
const struct db_driver *db_driver_of(const char *url, struct error *);
enum status MUST_CHECK db_open(const char *url, bool writer, struct db **, struct error *);
void db_close(struct db *); /* NULL is fine; rolls back */
/* As db_begin(), but the commit need not survive power loss. */
enum status MUST_CHECK db_begin_relaxed(struct db *, struct error *);
/* Finish statements left open by a write function; true when there were none. */
bool db_close_statements(struct db *);

static inline size_t param_bytes(const struct param *p) /* of a TEXT or BLOB */
{
    return p->len || p->type == PARAM_BLOB || !p->bytes ? p->len : strlen(p->bytes);
}

#endif
