/* SPDX-License-Identifier: MIT
 * store_writer: SQLite's one write connection, and who may use it.  A store_write() that finds it free runs its
 * function right there, in the caller's thread: nothing is gained by waking another.  While the connection is in use
 * writes queue up, and the writer thread then runs all of them in one transaction, each in a savepoint of its own
 * (group commit).  The disk is waited for without the connection, in the thread of a member (store_flush.c).  The queue
 * needs no bound: each member is a blocked thread. Must never answer a member before the commit, nor let one member's
 * failure reach another. */
#include "store/store_internal.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/thread.h"
#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>

struct write_job { /* lives on the stack of the thread that waits for it */
    write_fn fn;
    void *arg;
    bool relaxed;
    bool answered; /* status stands; the writer thread's own note */
    enum status status;
    struct error error;
    int64_t commit;           /* the transaction that has it */
    struct write_job *others; /* this one flushes its commit and lets these go afterwards */
    sem_t done;               /* its thread may go on: nobody else touches the job any more */
    struct write_job *next;
};

struct writer {
    struct store *store;
    struct db *db;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t queued;
    struct write_job *first, **last;
    int64_t depth; /* calls that have not returned */
    bool busy;     /* somebody uses the connection; not under the lock while it lasts */
    bool stopping;
};

static _Thread_local bool inside_write;

static void job_answer(struct write_job *job, enum status status, const struct error *e)
{
    job->answered = true;
    job->status = status;
    if (status != OK)
        job->error = *e;
}

static void batch_answer(struct write_job **jobs, int count, enum status status, const struct error *e)
{
    for (int i = 0; i < count; i++)
        if (!jobs[i]->answered)
            job_answer(jobs[i], status, e);
}

/* Run one member; its failure undoes its own rows alone. */
static void batch_member(struct db *db, struct write_job *job, bool alone)
{
    struct error e = { 0 };
    enum status st = alone ? OK : db_savepoint(db, &e);
    bool inside = !alone && st == OK;
    if (st == OK)
        st = store_call(db, job->fn, job->arg, &e);
    while (inside && db->savepoints > 1) /* set by the function and left open */
        db->savepoints--;
    if (st == OK && inside)
        st = db_savepoint_release(db, &e);
    else if (inside)
        db_savepoint_rollback(db);
    if (st != OK)
        job_answer(job, st, &e);
}

/* False: a member's failure took the whole transaction with it; those without an answer must run again. */
static bool batch_members(struct db *db, struct write_job **jobs, int count, bool alone, int *left)
{
    *left = 0;
    for (int i = 0; i < count; i++) {
        if (jobs[i]->answered)
            continue;
        batch_member(db, jobs[i], alone);
        if (db->lost || db->broken)
            return false;
        if (!jobs[i]->answered)
            (*left)++;
    }
    return true;
}

static void batch_commit(struct writer *w, struct write_job **jobs, int count)
{
    struct error e = { 0 };
    int64_t commit = flush_commit_begins(w->store->flush);
    enum status st = db_commit(w->db, &e);
    flush_commit_ended(w->store->flush, commit, st != OK || w->db->wrote);
    if (w->db->wrote)
        fold_note(w->store->fold, w->db);
    if (st != OK && st != ST_UNAVAILABLE) {
        char words[ERROR_TEXT_BYTES_MAX];
        memcpy(words, e.text, sizeof words);
        st = fail(&e, ST_UNAVAILABLE, "the commit failed, nothing was written: %s", words);
    }
    atomic_store(&w->store->doubtful, st != OK);
    atomic_fetch_add(&w->store->commits, st == OK);
    for (int i = 0; i < count; i++)
        if (!jobs[i]->answered)
            jobs[i]->commit = commit;
    batch_answer(jobs, count, st, &e);
}

/* The connection, opened anew after an I/O error. */
static enum status writer_ready(struct writer *w, struct error *e)
{
    if (w->db && !w->db->broken)
        return OK;
    db_close(w->db);
    w->db = NULL;
    atomic_fetch_add(&w->store->reconnects, 1);
    enum status st = store_connect(w->store, true, &w->db, e);
    if (st == OK)
        st = flush_attach(w->store->flush, w->db, e);
    if (st != OK) {
        db_close(w->db);
        w->db = NULL;
    }
    return st;
}

static void batch_run(struct writer *w, struct write_job **jobs, int count)
{
    for (;;) { /* each round but the last answers at least one member */
        struct error e = { 0 };
        int waiting = 0, left = 0;
        bool durable = false;
        for (int i = 0; i < count; i++) {
            waiting += !jobs[i]->answered;
            durable |= !jobs[i]->answered && !jobs[i]->relaxed;
        }
        if (waiting == 0)
            return;
        enum status st = writer_ready(w, &e);
        if (st == OK)
            st = durable ? db_begin(w->db, &e) : db_begin_relaxed(w->db, &e);
        if (st == OK)
            flush_room(w->store->flush, w->db);
        if (st != OK) {
            atomic_store(&w->store->doubtful, true);
            batch_answer(jobs, count, ST_UNAVAILABLE, &e);
            return;
        }
        bool whole = batch_members(w->db, jobs, count, waiting == 1, &left);
        if (whole && left > 0)
            batch_commit(w, jobs, count);
        else
            db_rollback(w->db);
    }
}

/* Take what is queued, up to the bound, and the connection; waits for both.  0 = stopping and nothing left. */
static int writer_next(struct writer *w, struct write_job *jobs[STORE_BATCH_MAX])
{
    int count = 0;
    pthread_mutex_lock(&w->lock);
    while (w->busy || (!w->first && !w->stopping))
        pthread_cond_wait(&w->queued, &w->lock);
    while (w->first && count < STORE_BATCH_MAX) {
        jobs[count++] = w->first;
        w->first = w->first->next;
    }
    if (!w->first)
        w->last = &w->first;
    w->busy = count > 0;
    pthread_mutex_unlock(&w->lock);
    return count;
}

static void writer_use(struct writer *w, struct write_job **jobs, int count)
{
    inside_write = true;
    batch_run(w, jobs, count);
    inside_write = false;
    pthread_mutex_lock(&w->lock);
    w->busy = false;
    if (w->first || w->stopping)
        pthread_cond_signal(&w->queued);
    pthread_mutex_unlock(&w->lock);
}

static bool job_must_last(const struct write_job *job)
{
    return job->status == OK && !job->relaxed;
}

/* Those who need the disk go in a chain: the first one's thread flushes. */
static void batch_release(struct write_job **jobs, int count)
{
    struct write_job *first = NULL;
    for (int i = 0; i < count; i++) {
        struct write_job *job = jobs[i];
        if (!job_must_last(job)) {
            sem_post(&job->done);
        } else if (!first) {
            first = job;
        } else {
            job->others = first->others;
            first->others = job;
        }
    }
    if (first)
        sem_post(&first->done);
}

/* In the thread of a job that has been released. */
static void job_finish(struct writer *w, struct write_job *job)
{
    if (job_must_last(job))
        flush_wait(w->store->flush, job->commit);
    for (struct write_job *other = job->others, *next; other; other = next) {
        next = other->others; /* it is gone when its thread goes on */
        other->others = NULL;
        sem_post(&other->done);
    }
}

static void *writer_main(void *arg)
{
    struct writer *w = arg;
    struct write_job *jobs[STORE_BATCH_MAX];
    for (int count; (count = writer_next(w, jobs)) > 0;) {
        writer_use(w, jobs, count);
        batch_release(jobs, count);
    }
    return NULL;
}

struct writer *writer_start(struct store *store, struct db *db)
{
    struct writer *w = xcalloc(1, sizeof *w);
    w->store = store;
    w->db = db;
    w->last = &w->first;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->queued, NULL);
    if (thread_start(&w->thread, &(struct thread_start){ .name = "writer", .run = writer_main, .arg = w }, NULL))
        abort(); /* no thread at start: the machine is out of memory or processes */
    return w;
}

void writer_stop(struct writer *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_signal(&w->queued);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    pthread_mutex_lock(&w->lock);
    while (w->depth > 0) /* who was queued may still wait for the disk */
        pthread_cond_wait(&w->queued, &w->lock);
    pthread_mutex_unlock(&w->lock);
    db_close(w->db);
    pthread_cond_destroy(&w->queued);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

enum entry { ENTRY_REFUSED, ENTRY_AT_ONCE, ENTRY_QUEUED };

/* Take the connection when it is free, else a place in the queue. */
static enum entry writer_enter(struct writer *w, struct write_job *job)
{
    pthread_mutex_lock(&w->lock);
    enum entry entry = w->stopping ? ENTRY_REFUSED : w->busy || w->first ? ENTRY_QUEUED : ENTRY_AT_ONCE;
    bool wake = entry == ENTRY_QUEUED && !w->busy; /* whoever uses the connection looks at the queue afterwards */
    w->depth += entry != ENTRY_REFUSED;
    if (entry == ENTRY_AT_ONCE) {
        w->busy = true;
    } else if (entry == ENTRY_QUEUED) {
        *w->last = job;
        w->last = &job->next;
    }
    if (wake)
        pthread_cond_signal(&w->queued);
    pthread_mutex_unlock(&w->lock);
    return entry;
}

static void writer_leave(struct writer *w)
{
    pthread_mutex_lock(&w->lock);
    w->depth--;
    if (w->stopping)
        pthread_cond_signal(&w->queued);
    pthread_mutex_unlock(&w->lock);
}

enum status writer_run(struct writer *w, write_fn fn, void *arg, bool relaxed, struct error *e)
{
    struct write_job job = { .fn = fn, .arg = arg, .relaxed = relaxed }, *alone = &job;
    if (inside_write)
        return fail(e, ST_INTERNAL, "store_write() was called inside a write function");
    sem_init(&job.done, 0, 0);
    enum entry entry = writer_enter(w, &job);
    if (entry == ENTRY_REFUSED)
        fail(&job.error, job.status = ST_SHUTDOWN, "the program is stopping");
    else if (entry == ENTRY_AT_ONCE)
        writer_use(w, &alone, 1);
    else
        while (sem_wait(&job.done) != 0 && errno == EINTR)
            ;
    if (entry != ENTRY_REFUSED) {
        job_finish(w, &job);
        writer_leave(w);
    }
    sem_destroy(&job.done);
    if (job.status != OK && e)
        *e = job.error;
    return job.status;
}

int64_t writer_depth(struct writer *w)
{
    pthread_mutex_lock(&w->lock);
    int64_t depth = w->depth;
    pthread_mutex_unlock(&w->lock);
    return depth;
}
