/* SPDX-License-Identifier: MIT
 * db_sqlite_open: from a sqlite:// URL to a connection, the server's lock on the file, and the words for
 * what can go wrong.  Called through db.c, any thread.
 * Must never open() and close() the database file itself once SQLite may have it open in this process:
 * that would drop SQLite's own locks (POSIX locks belong to the process, not to the descriptor). */
#include "store/db_sqlite.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/limits.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PROGRESS_STEPS = 20000, /* virtual machine steps between two looks at the clock: well under 1 ms */
};

/* --- errors --- */

static enum status sqlite_status(int code)
{
    switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        return ST_EXISTS;
    }
    switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
        return ST_INVALID;
    case SQLITE_TOOBIG:
        return ST_LIMIT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ST_BUSY;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_INTERRUPT:
    case SQLITE_PROTOCOL:
        return ST_UNAVAILABLE;
    }
    return ST_INTERNAL;
}

const char *sqlite_advice(int code)
{
    switch (code & 0xff) {
    case SQLITE_FULL:
        return ": the disk is full, or the database reached its largest size; free space and it goes on";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ": another program holds the database's write lock; close it or try again";
    case SQLITE_INTERRUPT:
        return ": the statement took too long and was stopped";
    case SQLITE_NOTADB:
        return ": the file is not a SQLite database; move it away or set DATABASE_URL to another path";
    case SQLITE_CORRUPT:
        return ": the file is damaged; restore it from a backup, or save what `sqlite3 FILE .recover` finds";
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
        return ": the file and its directory must be writable (SQLite keeps FILE-wal and FILE-shm beside it)";
    case SQLITE_IOERR:
        return ": reading or writing the disk failed";
    }
    return "";
}

enum status sqlite_fail(struct sqlite *db, int code, struct error *e)
{
    code = db->raw ? sqlite3_extended_errcode(db->raw) : code;
    if ((code & 0xff) == SQLITE_NOMEM)
        abort();
    if ((code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB)
        db->base.broken = true;
    if (db->base.in_transaction && sqlite3_get_autocommit(db->raw))
        db->base.lost = true;
    return fail(e, sqlite_status(code), "database: %s%s", db->raw ? sqlite3_errmsg(db->raw) : sqlite3_errstr(code),
                sqlite_advice(code));
}

/* --- the path --- */

enum status sqlite_path(const char *url, const char **path, struct error *e)
{
    *path = url + strlen("sqlite://");
    if (**path == '\0' || strcmp(*path, "/") == 0)
        return fail(e, ST_INVALID,
                    "DATABASE_URL names no file: write sqlite:///absolute/path or sqlite://relative/path");
    if (strcmp(*path, ":memory:") == 0 || strcmp(*path, "/:memory:") == 0)
        return fail(e, ST_INVALID,
                    "a database in memory would lose every message at the next restart: "
                    "set DATABASE_URL to a file, as in sqlite://steward.db");
    if (strchr(*path, '?'))
        return fail(e, ST_INVALID, "DATABASE_URL: a SQLite path takes no options after a question mark");
    if (strlen(*path) >= PATH_MAX - 16)
        return fail(e, ST_LIMIT, "DATABASE_URL: the path is longer than the system allows");
    return OK;
}

static enum status path_open_failed(const char *path, int error, struct error *e)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return fail(e, ST_NOT_FOUND, "cannot create the database %s: its directory does not exist; make it first",
                    path);
    case EACCES:
    case EPERM:
    case EROFS:
        return fail(e, ST_DENIED, "cannot create the database %s: the directory is not writable for this user", path);
    case ENOSPC:
    case EDQUOT:
        return fail(e, ST_UNAVAILABLE, "cannot create the database %s: the disk is full", path);
    }
    return fail(e, ST_UNAVAILABLE, "cannot create the database %s: %s", path, strerror(error));
}

/* Make the file when it is missing, readable by its owner alone, and give its canonical path, so that two
 * spellings share one lock. */
static enum status path_ensure(const char *path, char full[PATH_MAX], struct error *e)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0 && errno != EEXIST)
            return path_open_failed(path, errno, e);
        if (fd >= 0)
            close(fd);
    } else if (!S_ISREG(st.st_mode)) {
        return fail(e, ST_INVALID, "the database %s is not a regular file; set DATABASE_URL to another path", path);
    }
    if (!realpath(path, full))
        return fail(e, ST_UNAVAILABLE, "the database %s: %s", path, strerror(errno));
    return OK;
}

/* --- opening --- */

static int progress_check(void *arg)
{
    struct sqlite *db = arg;
    return db->deadline_ms && clock_mono_ms() > db->deadline_ms;
}

static enum status open_failed(struct sqlite *db, int code, const char *path, struct error *e)
{
    int why = db->raw ? sqlite3_extended_errcode(db->raw) : code;
    enum status st = sqlite_fail(db, code, e);
    if ((why & 0xff) == SQLITE_NOTADB)
        st = ST_INVALID;
    else if ((why & 0xff) == SQLITE_READONLY || (why & 0xff) == SQLITE_CANTOPEN)
        st = ST_DENIED;
    char words[ERROR_TEXT_BYTES_MAX];
    snprintf(words, sizeof words, "%s", e->text);
    return fail(e, st, "cannot open the database %s: %s", path, words);
}

static const char writer_setup[] =
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=FULL;"
    "PRAGMA foreign_keys=ON;"
    "PRAGMA trusted_schema=OFF;"
    "PRAGMA temp_store=MEMORY;"
    "PRAGMA wal_autocheckpoint=4000;" /* as LOG_FOLD_PAGES, for a connection without a store */
    "PRAGMA journal_size_limit=67108864";
static const char reader_setup[] = "PRAGMA query_only=ON;"
                                   "PRAGMA trusted_schema=OFF;"
                                   "PRAGMA temp_store=MEMORY;"
                                   /* Half a megabyte each, not two: the system's cache has the file as well, and memory
                                    * went on growing until every reader had met enough pages. */
                                   "PRAGMA cache_size=-512";

/* Changing to WAL while another process does the same answers BUSY at once, past the busy timeout. */
static int setup_run(sqlite3 *raw, const char *sql)
{
    int64_t deadline_ms = clock_mono_ms() + DB_BUSY_TIMEOUT_MS;
    int code;
    while ((code = sqlite3_exec(raw, sql, NULL, NULL, NULL)) != SQLITE_OK) {
        if ((code & 0xff) != SQLITE_BUSY || clock_mono_ms() > deadline_ms)
            break;
        clock_sleep_ms(5);
    }
    return code;
}

static bool mode_is_wal(sqlite3 *raw)
{
    sqlite3_stmt *s = NULL;
    bool wal = sqlite3_prepare_v2(raw, "PRAGMA journal_mode", -1, &s, NULL) == SQLITE_OK &&
               sqlite3_step(s) == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(s, 0), "wal") == 0;
    sqlite3_finalize(s);
    return wal;
}

static enum status open_setup(struct sqlite *db, bool writer, const char *path, struct error *e)
{
    int flags = writer ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
    int code = sqlite3_open_v2(path, &db->raw, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK && writer && sqlite3_db_readonly(db->raw, "main") == 1)
        return fail(e, ST_DENIED, "cannot open the database %s: the file is not writable for this user", path);
    if (code == SQLITE_OK) {
        sqlite3_extended_result_codes(db->raw, 1);
        sqlite3_busy_timeout(db->raw, DB_BUSY_TIMEOUT_MS);
        sqlite3_progress_handler(db->raw, PROGRESS_STEPS, progress_check, db);
        code = setup_run(db->raw, writer ? writer_setup : reader_setup);
    }
    if (code != SQLITE_OK)
        return open_failed(db, code, path, e);
    if (!mode_is_wal(db->raw))
        return fail(e, ST_UNAVAILABLE,
                    "the database %s lies on a file system that SQLite cannot share between connections (a network "
                    "one?): set DATABASE_URL to a path on a local disk",
                    path);
    db->durable = true;
    return OK;
}

enum status sqlite_open(const char *url, bool writer, struct db **out, struct error *e)
{
    const char *path;
    char full[PATH_MAX];
    struct error local = { 0 };
    e = e ? e : &local;
    if (sqlite_path(url, &path, e) != OK || path_ensure(path, full, e) != OK)
        return e->status;
    struct sqlite *db = xcalloc(1, sizeof *db);
    enum status st = open_setup(db, writer, full, e);
    if (st != OK) {
        sqlite3_close(db->raw);
        free(db);
        return st;
    }
    *out = &db->base;
    return OK;
}

/* --- the server's lock --- */

static enum status lock_taken(int fd, const char *lock, const char *path, struct error *e)
{
    char holder[32] = "";
    ssize_t n = pread(fd, holder, sizeof holder - 1, 0);
    holder[n > 0 ? n : 0] = '\0';
    holder[strcspn(holder, "\n")] = '\0';
    return fail(
        e, ST_BUSY,
        "another steward (process %s) already serves the database %s and holds %s: stop it first, or give this one "
        "another DATABASE_URL",
        *holder ? holder : "unknown", path, lock);
}

enum status sqlite_lock_server(const char *url, int *fd, struct error *e)
{
    const char *path;
    char full[PATH_MAX], lock[PATH_MAX + 8];
    if (sqlite_path(url, &path, e) != OK || path_ensure(path, full, e) != OK)
        return e->status;
    snprintf(lock, sizeof lock, "%s.lock", full);
    *fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0)
        return fail(e, ST_DENIED, "cannot open the lock file %s: %s", lock, strerror(errno));
    struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    if (fcntl(*fd, F_OFD_SETLK, &whole) != 0) {
        enum status st = errno == EAGAIN || errno == EACCES
                             ? lock_taken(*fd, lock, full, e)
                             : fail(e, ST_UNAVAILABLE, "cannot lock %s: %s", lock, strerror(errno));
        close(*fd);
        *fd = -1;
        return st;
    }
    if (ftruncate(*fd, 0) == 0) /* the number is for people only */
        dprintf(*fd, "%ld\n", (long)getpid());
    return OK;
}
