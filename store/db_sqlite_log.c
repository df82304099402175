/* SPDX-License-Identifier: MIT
 * db_sqlite_log: the log (WAL): how it reaches the disk, how it is folded into the file, how its file grows.  Called
 * by whoever has the write connection, and by store_flush.c and store_fold.c in threads of their own.
 * Nobody takes POSIX locks on the log (they are on FILE-shm), so that closing a descriptor of it drops none. */
#include "store/db_sqlite.h"
#include "base/limits.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    READERS_WAIT_MS = 100, /* for a log that shall begin anew; the writer stands still meanwhile */
    /* The format: https://sqlite.org/fileformat2.html#walformat */
    LOG_HEADER_BYTES = 32,
    FRAME_HEADER_BYTES = 24,
    /* Room is made so much at a time, when less than … is left, and never beyond … */
    ROOM_BYTES = 1 * MIB,
    ROOM_LEFT_BYTES = MIB / 4,
    ROOM_END_BYTES = 64 * MIB,
};

static int log_grew(void *arg, sqlite3 *raw, const char *name, int pages)
{
    struct db *base = arg;
    (void)raw, (void)name;
    base->wrote = true;
    base->log_pages = pages;
    return SQLITE_OK;
}

static int64_t page_bytes(sqlite3 *raw)
{
    sqlite3_stmt *s = NULL;
    bool row = sqlite3_prepare_v2(raw, "PRAGMA page_size", -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW;
    int64_t bytes = row ? sqlite3_column_int64(s, 0) : 0;
    sqlite3_finalize(s);
    return bytes;
}

enum status sqlite_log_open(struct db *base, int *fd, struct error *e)
{
    struct sqlite *db = sqlite_of(base);
    sqlite3_wal_hook(db->raw, log_grew, base);
    db->log_frame_bytes = FRAME_HEADER_BYTES + page_bytes(db->raw);
    const char *log = sqlite3_filename_wal(sqlite3_db_filename(db->raw, "main"));
    *fd = open(log, O_RDWR | O_CLOEXEC);
    return *fd >= 0 ? OK : fail(e, ST_UNAVAILABLE, "cannot open the database's log %s: %s", log, strerror(errno));
}

/* What SQLite itself does at a commit with synchronous=FULL. */
enum status sqlite_log_flush(int fd, struct error *e)
{
    while (fdatasync(fd) != 0)
        if (errno != EINTR)
            return fail(e, ST_UNAVAILABLE, "the database's log cannot be brought to the disk: %s%s", strerror(errno),
                        errno == ENOSPC || errno == EDQUOT ? sqlite_advice(SQLITE_FULL) : "");
    return OK;
}

/* Written, not only reserved: what fallocate() reserves costs its first writer as much as a file that grows. */
static off_t zeros_append(int fd, off_t at, off_t end)
{
    static char zeros[64 * 1024];
    for (ssize_t n = 1; at < end && n > 0; at += n > 0 ? n : 0)
        n = pwrite(fd, zeros, end - at < (off_t)sizeof zeros ? (size_t)(end - at) : sizeof zeros, at);
    return at;
}

/* Zeros behind the end are safe because nobody else lengthens the file meanwhile, and because SQLite takes a frame of
 * them for what is left of an older log: no frame has page number 0.  A file that ends inside a frame is left alone:
 * the zeros could complete what a full disk has cut off, and a failed commit would come back. */
void sqlite_log_room(struct db *base, int fd)
{
    struct sqlite *db = sqlite_of(base);
    struct stat st;
    off_t frame = db->log_frame_bytes, wanted = LOG_HEADER_BYTES + base->log_pages * frame + ROOM_LEFT_BYTES;
    if (wanted <= db->log_bytes || fstat(fd, &st) != 0)
        return;
    db->log_bytes = st.st_size;
    off_t end = st.st_size > 0 ? st.st_size : LOG_HEADER_BYTES;
    if (wanted > end && end + ROOM_BYTES <= ROOM_END_BYTES && end >= LOG_HEADER_BYTES &&
        (end - LOG_HEADER_BYTES) % frame == 0)
        db->log_bytes = zeros_append(fd, st.st_size, end + ROOM_BYTES / frame * frame);
}

enum status sqlite_log_fold(struct db *base, bool anew, int64_t *pages, int64_t *left, struct error *e)
{
    struct sqlite *db = sqlite_of(base);
    int all = 0, folded = 0;
    if (anew)
        sqlite3_busy_timeout(db->raw, READERS_WAIT_MS);
    int code = sqlite3_wal_checkpoint_v2(db->raw, "main", anew ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE,
                                         &all, &folded);
    if (anew)
        sqlite3_busy_timeout(db->raw, DB_BUSY_TIMEOUT_MS);
    *pages = all;
    *left = all - folded;
    if (code == SQLITE_OK)
        return OK;
    bool refused = sqlite3_extended_errcode(db->raw) == SQLITE_IOERR_FSYNC;
    enum status st = sqlite_fail(db, code, e);
    return refused ? (e->status = ST_LOST) : st;
}
