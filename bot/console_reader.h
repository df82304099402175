/* SPDX-License-Identifier: MIT
 * console_reader: the thread that reads the database for the console pages, one job after the other, and the text of
 * the events.  Jobs are made on the loop thread and come back to it. */
#ifndef BOT_CONSOLE_READER_H
#define BOT_CONSOLE_READER_H

#include "base/buf.h"
#include "bot/server.h"
#include "store/store.h"

enum {
    READER_JOBS_MAX = 128, /* pages that open, files that are fetched */
    FEED_BATCH_ROWS = 200,
    FEED_FIRST_ROWS = 100, /* what a page shows when it opens */
    FEED_WAITING_MAX = 20,
    FEED_EVENTS_BYTES_MAX = 1024 * 1024, /* one batch: FEED_BATCH_ROWS of about 5 KB, or a few at their largest */
    TOAST_WINDOW_MS = 15000,             /* an answer to a tap is of interest for so long */
    TOASTS_MAX = 32,                     /* taps of one person within that window */
};

/* A row's event inside the batch's text. */
struct feed_event {
    int64_t id; /* version; of a toast: the outbox row */
    size_t begin, end;
};

struct reader_job {
    struct loop_task task;   /* back to the loop */
    struct reader_job *next; /* the reader's own */
    /* Reader thread; db is a read connection. */
    enum status (*read)(struct reader_job *, struct db *, struct error *);
    struct server *server; /* where `task` is posted */
    enum status status;    /* of read(), or of getting a connection */
    struct error error;

    int64_t after;    /* in: cursor; -1 = the newest rows */
    int64_t version;  /* out: cursor after the batch */
    bool reset, full; /* out: the cursor is from another database / there is more */
    struct buf text;  /* out: events */
    struct feed_event row[FEED_BATCH_ROWS], toast[TOASTS_MAX];
    int row_count, toast_count;
};

/* read functions */
enum status reader_first(struct reader_job *, struct db *, struct error *); /* a page opens */
enum status reader_news(struct reader_job *, struct db *, struct error *);  /* what is above `after`, and toasts */

struct console_reader;
enum status MUST_CHECK console_reader_start(struct store *, struct console_reader **, struct error *);
void console_reader_stop(struct console_reader *); /* jobs not begun come back with ST_SHUTDOWN */
void console_reader_free(struct console_reader *);
bool console_reader_put(struct console_reader *, struct reader_job *); /* false: too many, or stopping */

#endif
