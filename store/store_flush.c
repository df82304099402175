/* SPDX-License-Identifier: MIT
 * store_flush: brings commits to the disk while the next ones are being made.  A commit of SQLite's writer only reaches
 * the log; whoever has to answer for one waits here until the log was flushed after it.  The first who waits flushes,
 * for all commits that are complete by then (group commit without a thread of its own).
 * Must never say that a commit is on disk before an fdatasync() that began after it has returned. */
#include "store/store_internal.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include <assert.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

struct flush {
    const struct db_driver *driver;
    struct histogram *times;
    pthread_mutex_t lock;
    pthread_cond_t change;
    int fd;
    bool running;
    int64_t begun, complete, durable; /* the newest commit's number; commits have numbers 1, 2, 3, … */
};

struct flush *flush_new(const struct db_driver *driver, struct histogram *times)
{
    struct flush *f = xcalloc(1, sizeof *f);
    f->driver = driver;
    f->times = times;
    f->fd = -1;
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->change, NULL);
    return f;
}

void flush_free(struct flush *f)
{
    if (!f)
        return;
    if (f->fd >= 0)
        close(f->fd);
    pthread_cond_destroy(&f->change);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

/* The system may have dropped what it could not write, and says "fine" when asked again.  What was not answered for may
 * be lost, what was is not; a start writes everything that the log holds to the file anew (store_prepare). */
void disk_failed(const struct error *e)
{
    log_event(LOG_ERROR, "the program ends: the disk did not take what was written, and a start writes it anew",
              F_ERR(e));
    _exit(EX_IOERR);
}

/* Flush what is complete; lock held, let go meanwhile. */
static void flush_run(struct flush *f)
{
    struct error e = { 0 };
    int64_t upto = f->complete;
    f->running = true;
    pthread_mutex_unlock(&f->lock);
    int64_t begin_us = clock_mono_us();
    if (f->driver->log_flush(f->fd, &e))
        disk_failed(&e);
    histogram_observe(f->times, clock_mono_us() - begin_us);
    pthread_mutex_lock(&f->lock);
    f->running = false;
    f->durable = upto;
    pthread_cond_broadcast(&f->change);
}

static void flush_wait_locked(struct flush *f, int64_t commit)
{
    assert(commit <= f->begun);
    while (f->durable < commit)
        if (f->running || f->complete == f->durable)
            pthread_cond_wait(&f->change, &f->lock);
        else
            flush_run(f);
}

void flush_wait(struct flush *f, int64_t commit)
{
    pthread_mutex_lock(&f->lock);
    flush_wait_locked(f, commit);
    pthread_mutex_unlock(&f->lock);
}

void flush_settle(struct flush *f)
{
    pthread_mutex_lock(&f->lock);
    flush_wait_locked(f, f->begun);
    pthread_mutex_unlock(&f->lock);
}

enum status flush_attach(struct flush *f, struct db *db, struct error *e)
{
    int fd;
    if (f->driver->log_open(db, &fd, e))
        return e->status;
    if (f->driver->log_flush(fd, e)) { /* commits of a process that died before it could */
        close(fd);
        return e->status;
    }
    flush_settle(f); /* the old log, before it is let go */
    pthread_mutex_lock(&f->lock);
    if (f->fd >= 0)
        close(f->fd);
    f->fd = fd;
    pthread_mutex_unlock(&f->lock);
    db->flushed_apart = true;
    return OK;
}

void flush_room(const struct flush *f, struct db *db)
{
    if (db->flushed_apart && f->driver->log_room)
        f->driver->log_room(db, f->fd); /* without the lock: only who has the connection attaches another one */
}

int64_t flush_commit_begins(struct flush *f)
{
    pthread_mutex_lock(&f->lock);
    int64_t commit = ++f->begun;
    pthread_mutex_unlock(&f->lock);
    return commit;
}

void flush_commit_ended(struct flush *f, int64_t commit, bool wrote)
{
    pthread_mutex_lock(&f->lock);
    if (!wrote && f->durable == commit - 1)
        f->durable = commit;
    f->complete = commit;
    pthread_cond_broadcast(&f->change); /* a reader may wait for it; without a waiter it costs nothing */
    pthread_mutex_unlock(&f->lock);
}
