/* SPDX-License-Identifier: MIT
 * db_sqlite_restore: a backup put in a database's place.  Everything is proved on a copy beside the database first;
 * then the old file is kept under another name and the copy renamed over it, so that at every instant one of the two
 * is the database.  Called by the commands' thread, with the server's lock held.
 * Must never leave the old file's log (-wal) beside the new file: SQLite would play it back into it. */
#include "store/db_sqlite.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/limits.h"
#include "store/migrate.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { KEPT_NAMES_MAX = 100 }; /* restores within one second */

/* --- proving the copy --- */

/* Every cache of vectors names the database it was made from; the restored one is another. */
static enum status name_anew(struct db *db, struct error *e)
{
    enum status st = db_begin(db, e);
    if (st == OK)
        st = db_run(db, e, "UPDATE vector_state SET database_id = lower(hex(randomblob(8))) WHERE id = 1");
    return st == OK ? db_commit(db, e) : st;
}

static enum status prove(const char *partial, struct error *e)
{
    char url[PATH_MAX + 16];
    struct db *db = NULL;
    snprintf(url, sizeof url, "sqlite://%s", partial);
    enum status st = db_open(url, true, &db, e);
    if (st == OK)
        st = migrate_check(db, e);
    if (st == OK)
        st = name_anew(db, e);
    db_close(db); /* the only connection: its log is folded in and removed */
    return st;
}

/* --- the old database --- */

static void suffixed(char out[PATH_MAX + 8], const char *path, const char *suffix)
{
    snprintf(out, PATH_MAX + 8, "%s%s", path, suffix);
}

/* Fold the log into the file.  *damaged: it cannot be read, so the log stays what it is. */
static enum status fold(const char *path, bool *damaged, struct error *e)
{
    sqlite3 *raw = NULL;
    int logged = 0, moved = 0;
    char wal[PATH_MAX + 8];
    int code = sqlite3_open_v2(path, &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_busy_timeout(raw, 2000);
    if (code == SQLITE_OK) /* reads the file, as the checkpoint alone does not */
        code = sqlite3_exec(raw, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_wal_checkpoint_v2(raw, NULL, SQLITE_CHECKPOINT_TRUNCATE, &logged, &moved);
    bool busy = (code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED;
    *damaged = code != SQLITE_OK && !busy;
    if (*damaged) /* what is left stays as it is, for whoever wants to save something from it */
        sqlite3_db_config(raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close(raw);
    suffixed(wal, path, "-wal");
    if (busy || (!*damaged && access(wal, F_OK) == 0)) /* the last connection removes the log */
        return fail(e, ST_BUSY, "another program has %s open: close it first", path);
    return OK;
}

/* A second name for the old file; *kept as "" when it holds nothing. */
static enum status keep(const char *path, char kept[PATH_MAX], struct error *e)
{
    struct stat st;
    struct tm t;
    char stamp[32];
    time_t now = (time_t)(clock_wall_ms() / 1000);
    kept[0] = '\0';
    if (stat(path, &st) != 0 || st.st_size == 0)
        return OK;
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &t));
    for (int i = 1; i <= KEPT_NAMES_MAX; i++) {
        char more[16] = "";
        if (i > 1)
            snprintf(more, sizeof more, "-%d", i);
        if (snprintf(kept, PATH_MAX, "%s.before-restore-%s%s", path, stamp, more) >= PATH_MAX - 8)
            return fail(e, ST_LIMIT, "%s: the path is longer than the system allows", path);
        if (link(path, kept) == 0)
            return OK;
        if (errno == EEXIST)
            continue;
        if ((errno == EPERM || errno == EOPNOTSUPP) && access(kept, F_OK) != 0 && rename(path, kept) == 0)
            return OK; /* a file system without links */
        break;
    }
    return fail(e, ST_UNAVAILABLE, "%s cannot be kept as %s: %s", path, kept, strerror(errno));
}

/* A damaged file's log moves along with it. */
static enum status keep_log(const char *path, const char *kept, struct error *e)
{
    char from[PATH_MAX + 8], to[PATH_MAX + 8];
    suffixed(from, path, "-wal");
    suffixed(to, kept, "-wal");
    if (rename(from, to) != 0 && errno != ENOENT)
        return fail(e, ST_UNAVAILABLE, "%s cannot be moved: %s", from, strerror(errno));
    suffixed(from, path, "-shm");
    unlink(from);
    return OK;
}

static enum status exchange(struct sqlite_copy *c, const char *path, struct backup_report *r, struct error *e)
{
    bool damaged = false;
    if (fold(path, &damaged, e) != OK || keep(path, r->kept, e) != OK)
        return e->status;
    if (damaged && keep_log(path, r->kept, e) != OK)
        return e->status;
    if (rename(c->to_path, path) != 0)
        return fail(e, ST_UNAVAILABLE, "%s cannot be replaced: %s; the database from before is %s", path,
                    strerror(errno), *r->kept ? r->kept : "empty");
    c->to_path[0] = '\0';
    return sqlite_sync_folder(path, e);
}

static enum status restore_locked(const struct backup_options *o, const char *path, struct backup_report *r,
                                  struct error *e)
{
    struct sqlite_copy c = { .fd = -1 };
    struct stat mine, theirs;
    if (stat(path, &mine) == 0 && stat(o->file, &theirs) == 0 && mine.st_dev == theirs.st_dev &&
        mine.st_ino == theirs.st_ino)
        return fail(e, ST_INVALID, "%s is the database itself", o->file);
    enum status st = sqlite_copy_begin(&c, o->file, path, o, e);
    if (st == OK)
        st = sqlite_copy_run(&c, r, e);
    if (st == OK)
        st = prove(c.to_path, e);
    if (st == OK && fsync(c.fd) != 0)
        st = fail(e, ST_UNAVAILABLE, "%s could not be put on disk: %s", c.to_path, strerror(errno));
    if (st == OK)
        st = exchange(&c, path, r, e);
    sqlite_copy_end(&c);
    return st;
}

enum status sqlite_restore(const struct backup_options *o, struct backup_report *report, struct error *e)
{
    const char *path;
    int lock_fd = -1;
    if (sqlite_path(o->url, &path, e) != OK)
        return e->status;
    bool fresh = access(path, F_OK) != 0;
    enum status st = sqlite_lock_server(o->url, &lock_fd, e); /* makes an empty file where there was none */
    char *full = st == OK ? realpath(path, NULL) : NULL;
    if (full)
        st = restore_locked(o, full, report, e);
    if (full && st != OK && fresh)
        unlink(full);
    free(full);
    if (lock_fd >= 0)
        close(lock_fd);
    return st;
}
