/* SPDX-License-Identifier: MIT
 * db_postgres_link: a PostgreSQL connection: the URL, connecting, waiting for answers with a deadline, and
 * the words for what can go wrong.  Called by the other files of the driver, by the thread that holds the
 * connection.  Must never let the URL's password into an error, nor wait without an end. */
#include "store/db_postgres.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/limits.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

/* --- errors --- */

struct sqlstate_row {
    const char *prefix;
    enum status status;
    const char *advice;
};
static const struct sqlstate_row sqlstate_table[] = {
    /* the first matching row counts */
    { "23505", ST_EXISTS, "" },
    { "23", ST_INVALID, "" },
    { "22", ST_INVALID, "" },
    { "40001", ST_BUSY, "" },
    { "40P01", ST_BUSY, "" },
    { "55P03", ST_BUSY, ": another transaction holds the rows" },
    { "53100", ST_UNAVAILABLE, ": the database server's disk is full; free space there and it goes on" },
    { "53300", ST_UNAVAILABLE, ": raise max_connections of the server, or run fewer instances" },
    { "53", ST_UNAVAILABLE, "" },
    { "57", ST_UNAVAILABLE, "" },
    { "58", ST_UNAVAILABLE, "" },
    { "08", ST_UNAVAILABLE, "" },
    { "25P03", ST_UNAVAILABLE, "" },
    { "28", ST_DENIED, ": check user and password in DATABASE_URL" },
    { "3D000", ST_NOT_FOUND, ": create the database, or name another one in DATABASE_URL" },
    { "42501", ST_DENIED, "" },
    { "", ST_INTERNAL, "" },
};

static const struct sqlstate_row *sqlstate_find(const char *state)
{
    const struct sqlstate_row *row = sqlstate_table;
    while (strncmp(state, row->prefix, strlen(row->prefix)) != 0)
        row++;
    return row;
}

/* After these a connection is of no use although the socket still lives: the statement names we remember
 * or the plans behind them are gone. */
static bool sqlstate_is_fatal(const char *state)
{
    static const char *const fatal[] = { "57P01", "57P02", "57P03", "57P05", "25P03", "26000", "0A000", NULL };
    for (int i = 0; fatal[i]; i++)
        if (strcmp(state, fatal[i]) == 0)
            return true;
    return false;
}

/* One line, without the password. */
static void words_clean(const char *password, const char *from, char *out, size_t out_bytes)
{
    char *copy = xstrdup(from ? from : ""); /* masked before it is cut, or half a password might stay */
    size_t len = password ? strlen(password) : 0;
    for (char *p = copy; len && (p = strstr(p, password)); p += len)
        memset(p, '*', len);
    snprintf(out, out_bytes, "%s", copy);
    free(copy);
    for (char *p = out; *p; p++)
        if (*p == '\n' || *p == '\t' || *p == '\r')
            *p = ' ';
    for (size_t n = strlen(out); n && out[n - 1] == ' ';)
        out[--n] = '\0';
}

enum status pg_fail(struct pg *db, const PGresult *res, struct error *e)
{
    char words[ERROR_TEXT_BYTES_MAX];
    const char *state = res ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
    const char *primary = res ? PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    if (PQstatus(db->raw) == CONNECTION_BAD)
        db->base.broken = true;
    if (!state || !primary) { /* from libpq, not from the server; the detail fields would show row contents */
        words_clean(db->password, PQerrorMessage(db->raw), words, sizeof words);
        enum status st = db->base.broken ? ST_UNAVAILABLE : ST_INTERNAL;
        return fail(e, st, "database: %s", *words ? words : "the connection to PostgreSQL was lost");
    }
    if (sqlstate_is_fatal(state))
        db->base.broken = true;
    words_clean(db->password, primary, words, sizeof words);
    const struct sqlstate_row *row = sqlstate_find(state);
    return fail(e, db->base.broken ? ST_UNAVAILABLE : row->status, "database: %s%s", words, row->advice);
}

enum status pg_no_answer(struct pg *db, const PGresult *res, struct error *e)
{
    if (res || !db->base.broken)
        return pg_fail(db, res, e);
    return fail(e, ST_UNAVAILABLE, "database: no answer within %lld s; the connection was given up",
                (long long)((db->base.timeout_ms + PG_ANSWER_GRACE_MS) / 1000));
}

/* --- waiting --- */

int64_t pg_deadline(const struct pg *db)
{
    return db->base.timeout_ms ? clock_mono_ms() + db->base.timeout_ms + PG_ANSWER_GRACE_MS : 0;
}

static int wait_ms(int64_t deadline_ms)
{
    if (!deadline_ms)
        return -1; /* the server's own timeouts and TCP's end it */
    int64_t left = deadline_ms - clock_mono_ms();
    return left > 0 ? (int)left : 0;
}

bool pg_poll(struct pg *db, bool unsent, int64_t deadline_ms)
{
    struct pollfd p = { .fd = PQsocket(db->raw), .events = (short)(POLLIN | (unsent ? POLLOUT : 0)) };
    if (p.fd < 0)
        return false;
    int n = poll(&p, 1, wait_ms(deadline_ms));
    if (n == 0 || (n < 0 && errno != EINTR)) {
        db->base.broken = true;
        return false;
    }
    return n < 0 || !(p.revents & ~POLLOUT) || PQconsumeInput(db->raw);
}

bool pg_wait(struct pg *db, int64_t deadline_ms)
{
    for (;;) {
        int unsent = PQflush(db->raw);
        if (unsent < 0 || (unsent == 0 && !PQisBusy(db->raw)))
            return true; /* a failed link: PQgetResult tells */
        if (!pg_poll(db, unsent > 0, deadline_ms))
            return !db->base.broken; /* a link that hung up: PQgetResult tells */
    }
}

PGresult *pg_collect(struct pg *db)
{
    int64_t deadline_ms = pg_deadline(db);
    PGresult *kept = NULL;
    for (;;) {
        if (!pg_wait(db, deadline_ms)) {
            PQclear(kept);
            return NULL;
        }
        PGresult *res = PQgetResult(db->raw);
        if (!res)
            return kept;
        if (kept && PQresultStatus(kept) == PGRES_FATAL_ERROR) {
            PQclear(res);
        } else {
            PQclear(kept);
            kept = res;
        }
        if (PQstatus(db->raw) == CONNECTION_BAD)
            return kept; /* would go on for ever */
    }
}

enum status pg_exec(struct pg *db, const char *sql, struct error *e)
{
    if (!PQsendQuery(db->raw, sql))
        return pg_fail(db, NULL, e);
    PGresult *res = pg_collect(db);
    if (!res && db->base.broken)
        return fail(e, ST_UNAVAILABLE, "database: no answer for %lld s; the connection was given up",
                    (long long)((db->base.timeout_ms + PG_ANSWER_GRACE_MS) / 1000));
    ExecStatusType got = PQresultStatus(res);
    enum status st =
        got == PGRES_COMMAND_OK || got == PGRES_TUPLES_OK || got == PGRES_EMPTY_QUERY ? OK : pg_fail(db, res, e);
    PQclear(res);
    return st;
}

bool pg_alive(struct db *base)
{
    struct pg *db = pg_of(base);
    for (int i = 0; i < 2; i++) { /* a farewell and the hang-up behind it */
        struct pollfd p = { .fd = PQsocket(db->raw), .events = POLLIN };
        if (p.fd < 0 || PQstatus(db->raw) != CONNECTION_OK)
            return false;
        if (poll(&p, 1, 0) <= 0)
            return true;
        if (!PQconsumeInput(db->raw))
            return false;
        (void)PQisBusy(db->raw); /* parses what came */
    }
    return PQstatus(db->raw) == CONNECTION_OK;
}

/* --- connecting --- */

/* libpq takes the first '@' and '/' it meets for a border: with an unencoded one in the password the rest
 * of the password would be taken for a host name, and shown in errors. */
static bool url_is_ambiguous(const char *url)
{
    const char *rest = strstr(url, "://") + 3;
    size_t query = strcspn(rest, "?");
    const char *at = memchr(rest, '@', query);
    if (!at)
        return false;
    const char *slash = memchr(rest, '/', query);
    return (slash && slash < at) || memchr(at + 1, '@', query - (size_t)(at + 1 - rest));
}

static enum status url_password(const char *url, char **password, struct error *e)
{
    *password = NULL;
    if (url_is_ambiguous(url))
        return fail(
            e, ST_INVALID,
            "DATABASE_URL cannot be read: write the characters @ / : %% of the password as %%40 %%2F %%3A %%25");
    char *words = NULL; /* libpq's own words may quote the password */
    PQconninfoOption *options = PQconninfoParse(url, &words);
    PQfreemem(words);
    if (!options)
        return fail(e, ST_INVALID,
                    "DATABASE_URL is not a PostgreSQL URL: write postgres://user:password@host:5432/database, "
                    "with special characters of the password percent-encoded and known options only");
    for (const PQconninfoOption *o = options; o->keyword; o++)
        if (strcmp(o->keyword, "password") == 0 && o->val && *o->val)
            *password = xstrdup(o->val);
    PQconninfoFree(options);
    return OK;
}

static void notice_drop(void *arg, const PGresult *res)
{
    (void)arg;
    (void)res;
}

static PGconn *link_connect(const char *url)
{
    /* What stands before "dbname" (the URL) is a default that the URL may override. */
    static const char *const keys[] = { "connect_timeout",  "keepalives_idle",  "keepalives_interval",
                                        "keepalives_count", "tcp_user_timeout", "application_name",
                                        "dbname",           "client_encoding",  NULL };
    const char *const values[] = { "5", "10", "5", "3", "25000", "steward", url, "UTF8", NULL };
    return PQconnectdbParams(keys, values, 1);
}

static enum status link_setup(struct pg *db, struct error *e)
{
    char sql[640];
    /* A write holds its transaction for milliseconds; one idle for longer than a statement may take is a
     * thread that will never come back to it.
     * A prepared statement keeps the plan that was best for the table's size of that hour, and that of an empty queue
     * is to read all of it: so no plan reads a table that an index could answer for, nor sorts what one has in order.
     * (jit: a table without an index counts as so dear that it would be compiled for each time.) */
    snprintf(sql, sizeof sql,
             "SET statement_timeout=%d; SET lock_timeout=%d; SET idle_in_transaction_session_timeout=%d; "
             "SET TimeZone='UTC'; SET bytea_output='hex'; SET default_transaction_isolation='%s'; "
             "SET default_transaction_read_only=%s; "
             "SET enable_seqscan=off; SET enable_bitmapscan=off; SET jit=off",
             DB_STATEMENT_TIMEOUT_MS, DB_BUSY_TIMEOUT_MS, 2 * DB_STATEMENT_TIMEOUT_MS,
             db->base.writer ? "read committed" : "repeatable read", db->base.writer ? "off" : "on");
    return pg_exec(db, sql, e);
}

enum status pg_open(const char *url, bool writer, struct db **out, struct error *e)
{
    struct error local = { 0 };
    e = e ? e : &local;
    struct pg *db = xcalloc(1, sizeof *db);
    db->base.writer = writer;
    db->base.timeout_ms = DB_STATEMENT_TIMEOUT_MS;
    enum status st = url_password(url, &db->password, e);
    if (st != OK) {
        free(db);
        return st;
    }
    db->raw = link_connect(url);
    if (!db->raw)
        abort(); /* out of memory */
    if (PQstatus(db->raw) != CONNECTION_OK) {
        char words[ERROR_TEXT_BYTES_MAX];
        words_clean(db->password, PQerrorMessage(db->raw), words, sizeof words);
        st = fail(e, ST_UNAVAILABLE, "PostgreSQL cannot be reached: %s", words);
    } else if (PQserverVersion(db->raw) < 130000) {
        st = fail(e, ST_INVALID, "PostgreSQL %d is too old: 13 or newer is needed", PQserverVersion(db->raw) / 10000);
    } else {
        PQsetnonblocking(db->raw, 1);
        PQsetNoticeReceiver(db->raw, notice_drop, NULL);
        st = link_setup(db, e);
    }
    if (st != OK)
        pg_close(&db->base);
    else
        *out = &db->base;
    return st;
}

void pg_close(struct db *base)
{
    struct pg *db = pg_of(base);
    pg_later_drop(base);
    cache_clear(&db->cache, free);
    PQfinish(db->raw);
    if (db->password)
        explicit_bzero(db->password, strlen(db->password));
    free(db->password);
    free(db);
}
