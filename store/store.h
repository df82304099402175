/* SPDX-License-Identifier: MIT
 * store: the database as the program sees it: write transactions, read connections, migrations.
 *
 * A write is a function that runs inside a transaction.  SQLite has one write connection: a write that finds it free
 * runs in its caller's thread, those that come meanwhile are run by the writer thread, many per commit, each in a
 * savepoint (group commit); on PostgreSQL each runs in its own transaction on a pooled connection of the calling
 * thread, and the server groups the commits.  store_write() returns when the commit is on disk.  On SQLite other
 * readers see it a moment before.  No transaction spans a network call other than to the database: a write function
 * does nothing but database work.
 *
 * All functions: any thread.  PostgreSQL is used with session state (prepared statements, advisory locks,
 * LISTEN): a pooler in between must run in session mode; PgBouncer's transaction mode is not supported. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/histogram.h"
#include "store/db.h"

struct store;

struct store_options {
    const char *url; /* sqlite:///abs, sqlite://relative, postgres://…, postgresql://… */
    int readers_max; /* 0 = DB_READERS_MAX */
    bool exclusive;  /* the server: refuse when another server runs on the same SQLite file */
};

/* Open, migrate (under a lock, see migrate.h) and start the writer.  The error says what to do. */
enum status MUST_CHECK store_open(const struct store_options *, struct store **, struct error *);
/* Waits for writes under way.  Reads must have ended and no thread may be about to call in.  NULL is fine. */
void store_close(struct store *);

/* Return OK to commit, anything else to roll back; the status comes back from store_write().
 * It may be run more than once (serialisation failure, a lost connection before COMMIT was sent, a
 * neighbour's failure that ended the whole batch's transaction): keep results in *arg and reset them at the
 * start.  On SQLite it may run in another thread, on PostgreSQL it runs in the caller's.  It must not call
 * store_write().  A failed statement that it ignores outside of a savepoint fails the write (see db.h). */
typedef enum status (*write_fn)(struct db *, void *arg, struct error *);

/* Run fn in a transaction and wait until it is durable (survives power loss).
 * ST_UNAVAILABLE, ST_BUSY: nothing happened (database away or full; locks or connections taken for too
 * long, deadlocks that came back).  ST_UNKNOWN: the connection broke while COMMIT was under way: make the
 * function idempotent and call again.  ST_SHUTDOWN: after store_close() has begun. */
enum status MUST_CHECK store_write(struct store *, write_fn, void *arg, struct error *);
/* As store_write, but the commit need only survive kill -9 (claims, marks that a rescue repeats). */
enum status MUST_CHECK store_write_relaxed(struct store *, write_fn, void *arg, struct error *);

/* Until everything that any reader of this process can have seen survives power loss. */
void store_settle(struct store *);

/* A read-only connection (its own transaction snapshot starts at the first query and ends with the
 * release).  Waits at most DB_BUSY_TIMEOUT_MS for a free one; ST_UNAVAILABLE at once while the server is
 * away.  Hold it briefly: never across a network call. */
enum status MUST_CHECK store_read_begin(struct store *, struct db **, struct error *);
/* As store_read_begin(), and what this process has written of the rows it shows survives power loss: for what is told
 * outside without being written again (an agent's poll, the console page). */
enum status MUST_CHECK store_read_begin_settled(struct store *, struct db **, struct error *);
void store_read_end(struct store *, struct db *);

enum db_kind store_kind(const struct store *);
/* A real round trip through the write path, for /health; a real write when the last commit failed. */
enum status MUST_CHECK store_check(struct store *, struct error *);
struct store_counters {
    int64_t commits, writes, errors, reconnects, queue_depth;
};
void store_count(struct store *, struct store_counters *);
/* How long writes took (from the call to its return), reads (from store_read_begin to store_read_end), and on SQLite
 * the disk, each time the log was flushed. */
struct store_times {
    struct histogram write, read, flush;
};
const struct store_times *store_times(const struct store *);

/* Milliseconds by the database's clock (PostgreSQL: the server's, so that instances agree;
 * SQLite: ours, never running backwards).  For leases and due times; call inside a write or read. */
enum status MUST_CHECK db_now_ms(struct db *, int64_t *now_ms, struct error *);

/* Hints: "there is something new under this topic".  Listeners of this process are called at once, in the
 * thread that calls store_hint(); those of other instances by LISTEN/NOTIFY (nothing on SQLite), at most one
 * NOTIFY per 50 ms and topic, sent outside any transaction of ours.  A hint may be lost; polling is the
 * truth.  Call it after the commit. */
enum hint { HINT_INBOX, HINT_TAPS, HINT_OUTBOX, HINT_REQUESTS, HINT_ROWS, HINT_COUNT };
void store_hint(struct store *, enum hint);
/* fn is called whenever a hint arrives from this or another instance, and for every topic when the listening
 * connection was lost and is back; from any thread.  It must return quickly (wake somebody) and not call the
 * store.  Register before traffic starts; at most 8 listeners. */
void store_on_hint(struct store *, void (*fn)(enum hint, void *arg), void *arg);

/* This process's owner id for claims, random per process: alive as long as the process lives (PostgreSQL: a
 * session advisory lock; SQLite: the server lock on the file, see `exclusive`). */
int64_t store_owner_id(struct store *);
/* Inside a write: does the process with this owner id live?  Our own always does.  SQLite: with the server
 * lock every other one is dead, without it (a command beside the server) every one counts as alive.
 * PostgreSQL: probed; an owner whose server connection broke looks dead until it is back, so fence the
 * rows with a token. */
enum status MUST_CHECK store_owner_alive(struct db *, int64_t owner_id, bool *alive, struct error *);
/* Inside a write: of the owners in a query's first column, those that do not live.  Looks at no more than the bound. */
enum { STORE_OWNERS_MAX = 64 };
enum status MUST_CHECK store_owners_gone(struct db *, const char *sql, int64_t gone[STORE_OWNERS_MAX], int *count,
                                         struct error *);

#endif
