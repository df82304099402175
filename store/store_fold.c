/* SPDX-License-Identifier: MIT
 * store_fold: folds SQLite's log (WAL) into the database file beside the writer: the writer would stand still for it,
 * for as long as the disk takes for 16 MB.  A thread with a connection of its own, both made when first needed.
 * Under load the log never stands still long enough to be folded whole and begun anew: beyond a second bound the
 * writer folds the few pages that are left, and waits a moment for readers, who keep it too.
 * Must never let the log grow without bound, nor begin to fold a log that is folded whole: the next transaction may
 * begin it anew in the same moment, and SQLite before 3.51.3 then takes pages for folded that are not
 * (https://sqlite.org/wal.html#walresetbug). */
#include "store/store_internal.h"
#include "base/arena.h"
#include "base/log.h"
#include "base/thread.h"
#include <stdlib.h>

enum {
    /* A message touches the same few pages again and again: folding at 16 MB instead of 4 writes them once instead of
     * four times. */
    LOG_FOLD_PAGES = 4000,
    LOG_STEP_PAGES = 1000, /* what the log must have grown by since the thread folded last */
    LOG_PAGES_MAX = 4 * LOG_FOLD_PAGES,
    LOG_TRY_PAGES = 128, /* between two attempts of the writer */
    PASSES_MAX = 4,      /* of the thread: each has fewer pages left to do */
    LEFT_FEW = 32,
};

struct fold {
    struct store *store;
    pthread_t thread;
    pthread_mutex_t pass; /* held while somebody folds: SQLite lets one at a time, and sends the other away */
    int64_t times_whole;  /* the writer has folded the whole log; guarded by pass */
    pthread_mutex_t lock; /* guards what follows, up to folded */
    pthread_cond_t wake;
    bool wanted, stopping;
    int64_t wanted_after, wanted_pages; /* times_whole and the log's pages then: what the thread was asked for */
    int64_t folded;                     /* pages of this log that the thread has folded */
    /* of whoever has the write connection: pages in the log … */
    bool started;
    int64_t pages;    /* … after the newest commit */
    int64_t asked_at; /* … when the thread was last asked */
    int64_t tried_at; /* … when the writer tried */
};

static enum status fold_locked(struct fold *f, struct db *db, bool anew, int64_t *pages, int64_t *left)
{
    struct error e = { 0 };
    enum status st = db->driver->log_fold(db, anew, pages, left, &e);
    if (anew)
        f->times_whole++; /* also when readers keep it: its pages may all be folded */
    if (st == ST_LOST)
        disk_failed(&e);
    if (st != OK && st != ST_BUSY) /* busy: a long reader, a backup, another program */
        log_event(LOG_WARN, "folding the database's log", F_ERR(&e));
    return st;
}

static enum status fold_pass(struct fold *f, struct db *db, bool anew, int64_t *left)
{
    int64_t pages;
    pthread_mutex_lock(&f->pass);
    enum status st = fold_locked(f, db, anew, &pages, left);
    pthread_mutex_unlock(&f->pass);
    return st;
}

static void note_folded(struct fold *f, int64_t pages)
{
    pthread_mutex_lock(&f->lock);
    f->folded = pages;
    pthread_mutex_unlock(&f->lock);
}

static void fold_passes(struct fold *f, struct db *db, int64_t asked_after)
{
    int64_t pages = 0, left = 0;
    bool go_on = true;
    for (int i = 0; i < PASSES_MAX && go_on && (i == 0 || left > LEFT_FEW); i++) {
        pthread_mutex_lock(&f->pass);
        go_on = f->times_whole == asked_after && fold_locked(f, db, false, &pages, &left) == OK;
        pthread_mutex_unlock(&f->pass);
        if (go_on)
            note_folded(f, pages - left);
    }
}

void fold_whole(struct fold *f, struct db *db)
{
    int64_t left = 0;
    if (fold_pass(f, db, false, &left) == OK && left > 0)
        log_event(LOG_INFO, "the database's log is in use by another program", F_INT("pages", left));
}

static void *fold_main(void *arg)
{
    struct fold *f = arg;
    struct db *db = NULL;
    pthread_mutex_lock(&f->lock);
    for (;;) {
        while (!f->wanted && !f->stopping)
            pthread_cond_wait(&f->wake, &f->lock);
        if (f->stopping)
            break;
        f->wanted = false;
        if (f->wanted_pages <= f->folded) /* by the pass before: nothing may be left */
            continue;
        int64_t asked_after = f->wanted_after;
        pthread_mutex_unlock(&f->lock);
        struct error e = { 0 };
        if (db && db->broken) {
            db_close(db);
            db = NULL;
        }
        if (db || store_connect(f->store, true, &db, &e) == OK)
            fold_passes(f, db, asked_after);
        else
            log_event(LOG_WARN, "folding the database's log", F_ERR(&e));
        pthread_mutex_lock(&f->lock);
    }
    pthread_mutex_unlock(&f->lock);
    db_close(db);
    return NULL;
}

struct fold *fold_new(struct store *s)
{
    struct fold *f = xcalloc(1, sizeof *f);
    f->store = s;
    pthread_mutex_init(&f->pass, NULL);
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->wake, NULL);
    return f;
}

void fold_free(struct fold *f)
{
    if (!f)
        return;
    pthread_mutex_lock(&f->lock);
    f->stopping = true;
    pthread_cond_signal(&f->wake);
    pthread_mutex_unlock(&f->lock);
    if (f->started)
        pthread_join(f->thread, NULL);
    pthread_cond_destroy(&f->wake);
    pthread_mutex_destroy(&f->lock);
    pthread_mutex_destroy(&f->pass);
    free(f);
}

static void fold_ask(struct fold *f)
{
    f->asked_at = f->pages;
    pthread_mutex_lock(&f->lock);
    f->wanted = true;
    f->wanted_after = f->times_whole; /* only who has the connection, as we have, changes it */
    f->wanted_pages = f->pages;
    pthread_cond_signal(&f->wake);
    pthread_mutex_unlock(&f->lock);
    const struct thread_start what = { .name = "fold", .run = fold_main, .arg = f };
    f->started = f->started || thread_start(&f->thread, &what, NULL) == OK;
}

void fold_note(struct fold *f, struct db *db)
{
    if (db->log_pages < f->pages) { /* the log was begun anew */
        f->asked_at = f->tried_at = 0;
        pthread_mutex_lock(&f->lock);
        f->wanted = false;
        f->folded = 0; /* the thread may note a pass over the old one afterwards: this one is then folded later */
        pthread_mutex_unlock(&f->lock);
    }
    f->pages = db->log_pages;
    if (f->pages >= LOG_FOLD_PAGES && f->pages >= f->asked_at + LOG_STEP_PAGES)
        fold_ask(f);
    if (f->pages >= LOG_PAGES_MAX && f->pages >= f->tried_at + LOG_TRY_PAGES) {
        int64_t left;
        bool stays = fold_pass(f, db, true, &left) == ST_BUSY; /* waits for the thread's */
        f->tried_at = f->pages + (stays ? LOG_STEP_PAGES : 0);
    }
}
