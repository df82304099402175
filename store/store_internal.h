/* SPDX-License-Identifier: MIT
 * store_internal: what the files of the store share: the pool of connections, the writer thread of SQLite,
 * the hints between instances.  Included by store/store*.c only. */
#ifndef STORE_STORE_INTERNAL_H
#define STORE_STORE_INTERNAL_H

#include "store/driver.h"
#include "store/store.h"
#include <pthread.h>
#include <stdatomic.h>

enum {
    STORE_POOL_MAX = 64,            /* connections of one pool; a PostgreSQL server allows 100 by default */
    STORE_WRITERS_MAX = 8,          /* PostgreSQL write connections: 16 gain 25 % over 8 and cost twice the memory */
    STORE_BATCH_MAX = 256,          /* write functions per commit: beyond it the gain is under 5 % */
    STORE_TRIES_MAX = 5,            /* runs of a write that meets serialisation failures or deadlocks */
    STORE_AWAY_PAUSE_MS = 100,      /* first pause after a failed connect; doubles */
    STORE_AWAY_PAUSE_MS_MAX = 2000, /* a returned server is found within this */
    HINT_INTERVAL_MS = 50,          /* one NOTIFY per topic: each takes an instance-wide lock at its commit */
    HINT_LISTENERS_MAX = 8
};

/* --- pool (store_pool.c): connections, each used by one thread at a time.  Any thread. --- */
struct pool {
    struct store *store;
    bool writer;
    int max;
    pthread_mutex_t lock;
    pthread_cond_t freed;
    struct db *idle[STORE_POOL_MAX]; /* the last one given back is taken first: its caches are warm */
    int idle_count;
    int open_count; /* idle, taken and being opened */
    int opening;
    int64_t retry_at_ms; /* while the server is away: no attempt before; monotonic */
    int64_t pause_ms;
    struct error away; /* why; status OK = the last attempt succeeded */
};
void pool_init(struct pool *, struct store *, bool writer, int max);
void pool_release(struct pool *); /* every connection was given back */
/* Take a connection.  ST_BUSY: none was free for DB_BUSY_TIMEOUT_MS; ST_UNAVAILABLE at once while the
 * server is known to be away. */
enum status MUST_CHECK pool_take(struct pool *, struct db **, struct error *);
void pool_give(struct pool *, struct db *); /* rolls back what is open; closes a broken one */

/* --- writer (store_writer.c): the thread that owns SQLite's only write connection --- */
struct writer;
struct writer *writer_start(struct store *, struct db *); /* takes the connection */
void writer_stop(struct writer *);                        /* after what is queued; NULL is fine */
/* relaxed: the commit need not be on disk when it returns. */
enum status writer_run(struct writer *, write_fn, void *arg, bool relaxed, struct error *);
int64_t writer_depth(struct writer *);

/* --- flush (store_flush.c): which commits are on disk, where the driver lets commits and the disk go apart.  Commits
 * are numbered in their order.  begins, ended, attach: whoever has the write connection; the others any thread. --- */
struct flush;
struct flush *flush_new(const struct db_driver *, struct histogram *times);
void flush_free(struct flush *); /* NULL is fine */
/* From now on db's commits are flushed here; what the log holds already is on disk when it returns. */
enum status MUST_CHECK flush_attach(struct flush *, struct db *, struct error *);
void flush_room(const struct flush *, struct db *); /* driver.h: log_room; by whoever has the write connection */
int64_t flush_commit_begins(struct flush *);
void flush_commit_ended(struct flush *, int64_t commit, bool wrote); /* well or not */
void flush_wait(struct flush *, int64_t commit);                     /* until it is on disk */
void flush_settle(struct flush *);                                   /* all that a reader may have seen by now */

/* Ends the program with EX_IOERR: what is on disk is not known any more. */
_Noreturn void disk_failed(const struct error *);

/* --- fold (store_fold.c): keeps SQLite's log small, beside the writer --- */
struct fold;
struct fold *fold_new(struct store *);
void fold_free(struct fold *); /* stops its thread; NULL is fine */
/* All of it, at once: at the start, when a process that died may have left a log that the disk refused. */
void fold_whole(struct fold *, struct db *);
/* After each commit, with its connection, by whoever has it. */
void fold_note(struct fold *, struct db *);

/* --- hints (store_hint.c) --- */
struct hints;
struct hints *hints_start(struct store *); /* a thread and a connection where the driver has hints */
void hints_stop(struct hints *);           /* NULL is fine */

struct store {
    char *url;
    const struct db_driver *driver;
    int64_t owner_id;
    int lock_fd; /* the server's lock; -1 = none */
    struct pool readers;
    struct pool writers;   /* unused with a writer thread */
    struct writer *writer; /* NULL: each write runs on a connection of its caller's */
    struct fold *fold;
    struct flush *flush; /* NULL: a commit is on disk when it returns */
    struct hints *hints;
    atomic_bool closing;
    atomic_bool doubtful; /* the last commit failed: store_check() writes to find out */
    atomic_llong commits, writes, errors, reconnects;
    struct store_times times;
};

/* A connection that knows its store's owner id. */
enum status MUST_CHECK store_connect(struct store *, bool writer, struct db **, struct error *);
/* Run fn on a connection that is inside a transaction (or savepoint): a failure that fn swallowed, or a
 * statement it left open, is its failure. */
enum status store_call(struct db *, write_fn, void *arg, struct error *);

#endif
