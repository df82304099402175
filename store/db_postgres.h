/* SPDX-License-Identifier: MIT
 * db_postgres: what the files of the PostgreSQL driver share: statements (db_postgres.c), the connection
 * and its waits and error texts (db_postgres_link.c), pipelines (db_postgres_many.c).  Included by these only. */
#ifndef STORE_DB_POSTGRES_H
#define STORE_DB_POSTGRES_H

#include "store/db_cache.h"
#include <libpq-fe.h>

enum {
    PG_ANSWER_GRACE_MS = 5000, /* beyond the server's own statement_timeout before we hang up */
    PG_PARAMS_MAX = 1000,      /* of one statement; the protocol's bound is 65535 */
    PG_NAME_BYTES = 24,        /* of a prepared statement: "s" and a number */
    PG_LATER_MAX = 16          /* statements that wait for the next one */
};

struct pg_params { /* of one execution, in the binary format */
    int count;
    const char **values;
    int *bytes;
    int *formats;
    unsigned char (*numbers)[8]; /* what values of ints and reals point to */
};

struct pg_later { /* a statement that goes along with the next one; its values are its own */
    char name[PG_NAME_BYTES];
    struct pg_params params;
};

struct pg {
    struct db base;
    PGconn *raw;
    struct cache cache; /* SQL text and parameter types → statement name */
    unsigned prepared;  /* statements prepared so far, for names */
    bool begin_unsent;  /* a writer's BEGIN, which goes with its first statement: a round trip less */
    bool begin_relaxed; /* …of a transaction whose commit need not survive power loss */
    struct pg_later later[PG_LATER_MAX];
    int later_count;
    char *password; /* to mask it in errors; NULL = none */
};

static inline struct pg *pg_of(struct db *db)
{
    return (struct pg *)db;
}

/* --- the link (db_postgres_link.c) --- */
enum status pg_open(const char *url, bool writer, struct db **, struct error *);
void pg_close(struct db *);
bool pg_alive(struct db *);
/* Wait until PQgetResult() will not block, sending what is queued meanwhile.  False: the connection was
 * given up (broken is set) because no answer came in time. */
bool pg_wait(struct pg *, int64_t deadline_ms);
/* One poll of the link and one read when something is there; false: it hung up, or the deadline came (then
 * broken is set). */
bool pg_poll(struct pg *, bool unsent, int64_t deadline_ms);
int64_t pg_deadline(const struct pg *); /* monotonic; 0 = none */
/* The last result of what was sent, the first failed one if any; NULL when the link broke.  Drains. */
PGresult *pg_collect(struct pg *);
/* Simple query protocol: several statements, no parameters, rows dropped. */
enum status pg_exec(struct pg *, const char *sql, struct error *);
/* Words and status for a failed result (NULL: for the connection); sets broken when it is gone. */
enum status pg_fail(struct pg *, const PGresult *, struct error *);
/* Words and status when the answer is a failure, or none came in time (NULL). */
enum status pg_no_answer(struct pg *, const PGresult *, struct error *);

/* --- what goes along with the next round trip (db_postgres_later.c) --- */
static inline bool pg_waits(const struct pg *db)
{
    return db->begin_unsent || db->later_count > 0;
}
/* Send what waits, then the prepared statement (params NULL: none), then the command (or NULL), all at once.  The last
 * one's result or the first failed one, as pg_collect(). */
PGresult *pg_send_along(struct pg *, const char *name, const struct pg_params *, const char *command);
/* Send what waits, for what cannot take it along. */
enum status pg_send_waiting(struct pg *, struct error *);
enum status pg_run_later(struct db *, const char *sql, const struct param *, size_t count, struct error *);
void pg_later_drop(struct db *); /* what waits and was not sent; not the BEGIN */

/* --- prepared statements and parameters (db_postgres.c) --- */
void pg_params_init(struct pg_params *, size_t count);
void pg_params_set(struct pg_params *, const struct param *);
void pg_params_release(struct pg_params *);
/* Name of the prepared statement for this text and these types (one enum param_type each). */
enum status pg_prepare(struct pg *, const char *sql, const unsigned char *types, size_t count, const char **name,
                       struct error *);
enum status pg_prepare_for(struct pg *, const char *sql, const struct param *, size_t count, const char **name,
                           struct error *); /* the types of these */
enum status pg_run_many(struct db *, const char *sql, const struct param *, size_t rows, size_t columns,
                        int64_t *changed, struct error *);

/* --- db_postgres_dump.c --- */
const char *pg_backup_lines(struct arena *, const char *url, const char *file, bool restore);

#endif
