/* SPDX-License-Identifier: MIT
 * db_sqlite_backup: a SQLite database copied into another file while others write to it, and the proof that the copy
 * is whole.  SQLite's online backup reads through a connection that holds one read transaction from the first page to
 * the last count, so the copy is one instant and never starts over; writers go on (the log grows meanwhile).
 * Called by the commands' thread.  Must never touch the source, nor leave a file under the final name that was not
 * checked. */
#include "store/db_sqlite.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/limits.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    STEP_PAGES = 512, /* of 4 KiB: a step is about 1 ms and the progress stays smooth */
    TABLES_MAX = 256, /* the schema has about 40 */
    TABLE_NAME_BYTES = 128,
};

struct table_count {
    char name[TABLE_NAME_BYTES];
    int64_t rows;
};

static enum status raw_fail(sqlite3 *raw, int code, const char *path, struct error *e)
{
    if ((code & 0xff) == SQLITE_NOMEM)
        abort();
    int kind = code & 0xff;
    enum status st = kind == SQLITE_NOTADB || kind == SQLITE_CORRUPT ? ST_INVALID
                     : kind == SQLITE_BUSY || kind == SQLITE_LOCKED  ? ST_BUSY
                                                                     : ST_UNAVAILABLE;
    const char *words = kind == SQLITE_FULL ? "the disk is full" : raw ? sqlite3_errmsg(raw) : sqlite3_errstr(code);
    return fail(e, st, "%s: %s", path, words);
}

/* --- reading --- */

static int get_int(sqlite3 *raw, const char *sql, int64_t *value)
{
    sqlite3_stmt *s = NULL;
    int code = sqlite3_prepare_v2(raw, sql, -1, &s, NULL);
    if (code == SQLITE_OK && (code = sqlite3_step(s)) == SQLITE_ROW) {
        *value = sqlite3_column_int64(s, 0);
        code = SQLITE_OK;
    }
    sqlite3_finalize(s);
    return code;
}

static int count_rows(sqlite3 *raw, struct table_count *t)
{
    char *sql = sqlite3_mprintf("SELECT count(*) FROM \"%w\"", t->name);
    int code = get_int(raw, sql, &t->rows);
    sqlite3_free(sql);
    return code;
}

/* The names of all tables of our own, or SQLITE_TOOBIG. */
static int list_tables(sqlite3 *raw, struct table_count *t, int *count)
{
    sqlite3_stmt *s = NULL;
    int code = sqlite3_prepare_v2(
        raw, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'", -1, &s,
        NULL);
    *count = 0;
    while (code == SQLITE_OK && (code = sqlite3_step(s)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(s, 0);
        if (*count == TABLES_MAX || strlen(name) >= TABLE_NAME_BYTES) {
            code = SQLITE_TOOBIG;
            break;
        }
        snprintf(t[(*count)++].name, TABLE_NAME_BYTES, "%s", name);
        code = SQLITE_OK;
    }
    sqlite3_finalize(s);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static enum status check_integrity(sqlite3 *raw, const char *path, struct error *e)
{
    sqlite3_stmt *s = NULL;
    int code = sqlite3_prepare_v2(raw, "PRAGMA integrity_check(1)", -1, &s, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(s);
    const char *words = code == SQLITE_ROW ? (const char *)sqlite3_column_text(s, 0) : NULL;
    enum status st = OK;
    if (!words)
        st = raw_fail(raw, code, path, e);
    else if (strcmp(words, "ok") != 0)
        st = fail(e, ST_INVALID, "%s is damaged: %s", path, words);
    sqlite3_finalize(s);
    return st;
}

/* --- the copy --- */

enum status sqlite_sync_folder(const char *path, struct error *e)
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = fd >= 0 && fsync(fd) == 0;
    int why = errno;
    if (fd >= 0)
        close(fd);
    return done ? OK : fail(e, ST_UNAVAILABLE, "the folder of %s could not be written: %s", path, strerror(why));
}

static enum status open_source(struct sqlite_copy *c, struct error *e)
{
    int64_t tables = 0;
    int code = sqlite3_open_v2(c->from_path, &c->from, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_busy_timeout(c->from, DB_BUSY_TIMEOUT_MS);
    if (code == SQLITE_OK)
        code = sqlite3_exec(c->from, "PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; BEGIN", NULL, NULL, NULL);
    if (code == SQLITE_OK) /* the snapshot begins with the first reading */
        code = get_int(
            c->from, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migrations'", &tables);
    if (code != SQLITE_OK) { /* closing must not fold a damaged file's log: somebody may want to save what is left */
        sqlite3_db_config(c->from, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        return raw_fail(c->from, code, c->from_path, e);
    }
    if (tables == 0)
        return fail(e, ST_INVALID, "%s is not a database of steward", c->from_path);
    return OK;
}

static enum status open_partial(struct sqlite_copy *c, const char *to_path, struct error *e)
{
    if (snprintf(c->to_path, sizeof c->to_path, "%s.partial", to_path) >= (int)sizeof c->to_path - 16) {
        c->to_path[0] = '\0';
        return fail(e, ST_LIMIT, "%s: the path is longer than the system allows", to_path);
    }
    c->fd = open(c->to_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat st;
    enum status s = OK;
    if (c->fd < 0)
        s = fail(e, ST_UNAVAILABLE, "%s cannot be written: %s", c->to_path, strerror(errno));
    else if (flock(c->fd, LOCK_EX | LOCK_NB) != 0)
        s = fail(e, ST_BUSY, "%s is being written by another process: wait for it", c->to_path);
    else if (fstat(c->fd, &st) != 0 || !S_ISREG(st.st_mode) || ftruncate(c->fd, 0) != 0)
        s = fail(e, ST_UNAVAILABLE, "%s cannot be written: it is no regular file, or the disk refuses", c->to_path);
    if (s != OK)
        c->to_path[0] = '\0'; /* not ours to remove */
    return s;
}

enum status sqlite_copy_begin(struct sqlite_copy *c, const char *from_path, const char *to_path,
                              const struct backup_options *options, struct error *e)
{
    struct stat st;
    *c = (struct sqlite_copy){ .from_path = from_path, .fd = -1, .options = options };
    if (stat(from_path, &st) != 0)
        return fail(e, ST_NOT_FOUND, "%s: %s", from_path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return fail(e, ST_INVALID, "%s is not a regular file", from_path);
    if (open_source(c, e) != OK)
        return e->status;
    return open_partial(c, to_path, e);
}

static int copy_pages(struct sqlite_copy *c, sqlite3 *to)
{
    sqlite3_backup *b = sqlite3_backup_init(to, "main", c->from, "main");
    if (!b)
        return sqlite3_errcode(to);
    int code, shown = -1;
    while ((code = sqlite3_backup_step(b, STEP_PAGES)) == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED) {
        int all = sqlite3_backup_pagecount(b), left = sqlite3_backup_remaining(b);
        int percent = all > 0 ? (int)((int64_t)(all - left) * 100 / all) : 100;
        if (code != SQLITE_OK)
            clock_sleep_ms(5);
        else if (percent != shown && c->options->progress)
            c->options->progress(c->options->arg, percent);
        shown = percent;
    }
    int ended = sqlite3_backup_finish(b);
    if (code == SQLITE_DONE && shown != 100 && c->options->progress)
        c->options->progress(c->options->arg, 100);
    return code == SQLITE_DONE ? ended : code;
}

/* The pages, and a file that needs no other beside it. */
static enum status copy_write(struct sqlite_copy *c, struct error *e)
{
    sqlite3 *to = NULL;
    int code = sqlite3_open_v2(c->to_path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(to, "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = copy_pages(c, to);
    if (code == SQLITE_OK) /* the source's header says WAL */
        code = sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    enum status st = code == SQLITE_OK ? OK : raw_fail(to, code, c->to_path, e);
    sqlite3_close(to);
    if (st == OK && fsync(c->fd) != 0)
        st = fail(e, ST_UNAVAILABLE, "%s could not be put on disk: %s", c->to_path, strerror(errno));
    return st;
}

static int report_fill(sqlite3 *raw, struct backup_report *r)
{
    enum { STAGING_SINCE = 6 }; /* the migration; a file to restore may be older */
    int64_t staged = 0;
    int code = get_int(raw, "SELECT coalesce(max(version), 0) FROM schema_migrations", &r->schema_version);
    if (code == SQLITE_OK)
        code = get_int(raw, "SELECT count(*) FROM inbox WHERE state IN ('available', 'running')", &r->inbox_waiting);
    if (code == SQLITE_OK && r->schema_version >= STAGING_SINCE)
        code = get_int(raw, "SELECT coalesce(sum(posts), 0) FROM inbox_staging", &staged);
    r->inbox_waiting += staged;
    if (code == SQLITE_OK)
        code = get_int(raw, "SELECT count(*) FROM outbox WHERE state IN ('available', 'sending')", &r->outbox_waiting);
    return code;
}

/* Read back from the disk: whole, and row for row as many as in the source's snapshot. */
static enum status copy_compare(struct sqlite_copy *c, sqlite3 *to, struct table_count *tables, struct backup_report *r,
                                struct error *e)
{
    int code = list_tables(c->from, tables, &r->tables);
    for (int i = 0; i < r->tables && code == SQLITE_OK; i++) {
        struct table_count theirs = tables[i];
        code = count_rows(c->from, &tables[i]);
        if (code != SQLITE_OK)
            break;
        if (count_rows(to, &theirs) != SQLITE_OK || theirs.rows != tables[i].rows)
            return fail(e, ST_INTERNAL, "%s: the copy of the table %s has other rows than the database", c->to_path,
                        theirs.name);
        r->rows += theirs.rows;
    }
    return code == SQLITE_OK ? OK : raw_fail(c->from, code, c->from_path, e);
}

static enum status copy_check(struct sqlite_copy *c, struct backup_report *r, struct error *e)
{
    sqlite3 *to = NULL;
    struct stat st;
    struct table_count *tables = xcalloc(TABLES_MAX, sizeof *tables);
    int code = sqlite3_open_v2(c->to_path, &to, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    enum status s = code == SQLITE_OK ? check_integrity(to, c->to_path, e) : raw_fail(to, code, c->to_path, e);
    if (s == OK)
        s = copy_compare(c, to, tables, r, e);
    if (s == OK && (code = report_fill(to, r)) != SQLITE_OK)
        s = raw_fail(to, code, c->to_path, e);
    sqlite3_close(to);
    free(tables);
    r->bytes = fstat(c->fd, &st) == 0 ? st.st_size : 0;
    return s;
}

enum status sqlite_copy_run(struct sqlite_copy *c, struct backup_report *r, struct error *e)
{
    enum status st = copy_write(c, e);
    return st == OK ? copy_check(c, r, e) : st;
}

void sqlite_copy_end(struct sqlite_copy *c)
{
    sqlite3_close(c->from); /* ends its transaction */
    if (c->to_path[0])
        unlink(c->to_path);
    if (c->fd >= 0)
        close(c->fd);
    *c = (struct sqlite_copy){ .fd = -1 };
}

/* --- the backup --- */

/* Never onto the database itself or what belongs to it. */
static enum status target_check(const char *database, const struct backup_options *o, struct error *e)
{
    static const char *const suffix[] = { "", "-wal", "-shm", ".lock" };
    struct stat mine, theirs;
    char path[PATH_MAX + 8];
    if (stat(o->file, &theirs) != 0)
        return errno == ENOENT ? OK : fail(e, ST_UNAVAILABLE, "%s: %s", o->file, strerror(errno));
    for (size_t i = 0; i < sizeof suffix / sizeof *suffix; i++) {
        snprintf(path, sizeof path, "%s%s", database, suffix[i]);
        if (stat(path, &mine) == 0 && mine.st_dev == theirs.st_dev && mine.st_ino == theirs.st_ino)
            return fail(e, ST_INVALID, "%s is the database itself: name another file", o->file);
    }
    if (!S_ISREG(theirs.st_mode))
        return fail(e, ST_INVALID, "%s is there and is no regular file", o->file);
    return o->force ? OK : fail(e, ST_EXISTS, "%s is there already: name another file, or say --force", o->file);
}

/* Under its final name, unless somebody else has taken that meanwhile. */
static enum status publish(struct sqlite_copy *c, struct error *e)
{
    const struct backup_options *o = c->options;
    int failed =
        o->force ? rename(c->to_path, o->file) : renameat2(AT_FDCWD, c->to_path, AT_FDCWD, o->file, RENAME_NOREPLACE);
    if (failed && errno == EINVAL && access(o->file, F_OK) != 0) /* a file system without that flag */
        failed = rename(c->to_path, o->file);
    if (failed)
        return fail(e, errno == EEXIST ? ST_EXISTS : ST_UNAVAILABLE, "%s cannot be made: %s", o->file, strerror(errno));
    c->to_path[0] = '\0';
    return sqlite_sync_folder(o->file, e);
}

enum status sqlite_backup(const struct backup_options *o, struct backup_report *report, struct error *e)
{
    const char *path;
    struct sqlite_copy c = { .fd = -1 };
    if (sqlite_path(o->url, &path, e) != OK || target_check(path, o, e) != OK)
        return e->status;
    enum status st = sqlite_copy_begin(&c, path, o->file, o, e);
    if (st == OK)
        st = sqlite_copy_run(&c, report, e);
    if (st == OK)
        st = publish(&c, e);
    sqlite_copy_end(&c);
    return st;
}
