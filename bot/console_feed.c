/* SPDX-License-Identifier: MIT
 * console_feed: the loop's side of the console pages.  Everything runs on the loop thread except
 * console_feed_changed(), console_feed_typing() and the hint, which only post. */
#include "bot/console_feed.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "bot/console_reader.h"
#include "bot/deferred.h"
#include "bot/stream.h"
#include "router/turn.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FEED_PAGES_MAX = 64,            /* one person's tabs and devices, and room */
    PAGE_PENDING_BYTES_MAX = 65536, /* a page with more unread is left alone until it has caught up */
    HEARTBEAT_MS = 20000,           /* proxies cut connections that are silent for 30–60 s */
    TOASTS_SEEN = 2 * TOASTS_MAX,
};

struct page {
    struct page *next;
    struct console_feed *feed;
    struct stream *stream;
    int64_t id;     /* jobs name it by this: it may be gone when they come back */
    int64_t cursor; /* version; -1 = nothing yet */
    bool ready, opening;
};

/* A post that is under way at most once. */
struct bell {
    struct loop_task task;
    atomic_bool posted;
    struct console_feed *feed;
};

struct console_feed {
    struct server *server;
    struct store *store;
    struct console_reader *reader;
    struct page *pages;
    int page_count;
    int64_t page_ids;
    bool reading, again; /* a news job is under way; look once more after it */
    bool trouble;
    bool login; /* the page offers to log out */
    int64_t polled_ms, beat_ms;
    int64_t toast_seen[TOASTS_SEEN];
    int toast_next;
    struct bell changed, typing;
    atomic_bool typing_on;
};

struct first_job {
    struct reader_job job; /* first */
    struct console_feed *feed;
    int64_t page_id;
};

struct news_job {
    struct reader_job job; /* first */
    struct console_feed *feed;
};

static void feed_look(struct console_feed *);

static void job_prepare(struct reader_job *job, struct console_feed *f, void (*back)(struct loop_task *))
{
    job->server = f->server;
    job->task.run = back;
    buf_init(&job->text, FEED_EVENTS_BYTES_MAX);
}

static void job_free(struct reader_job *job)
{
    buf_release(&job->text);
    free(job);
}

static void page_event(struct page *p, const char *event, struct json_object *data) /* takes data */
{
    struct buf b = BUF_INIT(4 * KIB);
    buf_printf(&b, "event: %s\ndata: %s\n\n", event,
               json_object_to_json_string_ext(data, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    if (!b.overflow && stream_pending(p->stream) < PAGE_PENDING_BYTES_MAX)
        (void)stream_write(p->stream, b.data, b.len); /* a passing notice: a page that is behind does without */
    buf_release(&b);
    json_object_put(data);
}

static void feed_trouble(struct console_feed *f, const struct reader_job *job)
{
    bool trouble = job->status != OK;
    if (trouble == f->trouble || job->status == ST_SHUTDOWN)
        return;
    f->trouble = trouble;
    for (struct page *p = f->pages; p; p = p->next) {
        struct json_object *o = json_object_new_object();
        if (trouble)
            json_set_str(o, "error", "The database does not answer; trying again");
        page_event(p, trouble ? "trouble" : "fine", o);
    }
}

/* --- opening --- */

static void page_opened(struct loop_task *t)
{
    struct first_job *first = (struct first_job *)t; /* the task is the job's first member */
    struct console_feed *f = first->feed;
    struct page *p = f->pages;
    while (p && p->id != first->page_id)
        p = p->next;
    feed_trouble(f, &first->job);
    if (p) {
        p->opening = false;
        if (first->job.status == OK && stream_write(p->stream, first->job.text.data, first->job.text.len)) {
            p->cursor = first->job.version;
            p->ready = true;
        }
    }
    job_free(&first->job);
    feed_look(f);
}

/* Tried again by the tick when it fails. */
static void page_open(struct page *p)
{
    struct first_job *first = xcalloc(1, sizeof *first);
    job_prepare(&first->job, p->feed, page_opened);
    first->feed = p->feed;
    first->page_id = p->id;
    first->job.after = p->cursor;
    first->job.read = reader_first;
    p->opening = console_reader_put(p->feed->reader, &first->job);
    if (!p->opening)
        job_free(&first->job);
}

static void on_page_drained(struct stream *stream, void *arg)
{
    struct page *p = arg;
    (void)stream;
    if (p->feed->again)
        feed_look(p->feed);
}

static void on_page_closed(void *arg)
{
    struct page *p = arg, **at = &p->feed->pages;
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    p->feed->page_count--;
    free(p);
}

static int64_t cursor_of(struct request *r)
{
    const char *text = request_header(r, "last-event-id");
    if (!text || !*text)
        text = request_query(r, "after");
    char *end;
    long long v = text ? strtoll(text, &end, 10) : -1;
    return text && *text && *end == '\0' && v >= 0 ? v : -1;
}

static struct json_object *hello(const struct console_feed *f)
{
    struct json_object *o = json_object_new_object(), *commands = json_object_new_array();
    for (const struct command_info *c = command_menu(); c->name; c++) {
        struct json_object *row = json_object_new_array();
        char name[64];
        snprintf(name, sizeof name, "/%s", c->name);
        json_push(row, json_object_new_string(name));
        json_push(row, json_object_new_string(c->description));
        json_push(commands, row);
    }
    json_set_bool(o, "login", f->login);
    json_set(o, "commands", commands);
    return o;
}

void console_feed_open(struct console_feed *f, struct request *r)
{
    static const struct stream_ops ops = { on_page_drained, on_page_closed };
    if (f->page_count >= FEED_PAGES_MAX) {
        request_set_header(r, "retry-after", "10");
        request_error(r, 503, "%d console pages are open already", FEED_PAGES_MAX);
        return;
    }
    struct page *p = xcalloc(1, sizeof *p);
    p->feed = f;
    p->id = ++f->page_ids;
    p->cursor = cursor_of(r);
    p->next = f->pages;
    f->pages = p;
    f->page_count++;
    request_set_header(r, "x-accel-buffering", "no");
    p->stream = request_stream(r, "text/event-stream; charset=utf-8", &ops, p);
    page_event(p, "hello", hello(f));
    page_open(p);
}

/* --- news --- */

static bool page_takes(const struct page *p)
{
    return p->ready && stream_pending(p->stream) < PAGE_PENDING_BYTES_MAX;
}

static void page_news(struct page *p, const struct reader_job *job)
{
    if (!page_takes(p) || p->cursor < job->after)
        return; /* it fell behind meanwhile: the next look begins at its cursor */
    for (int i = 0; i < job->row_count; i++) {
        const struct feed_event *row = &job->row[i];
        if (row->id <= p->cursor)
            continue;
        if (!stream_write(p->stream, job->text.data + row->begin, row->end - row->begin))
            return;
        p->cursor = row->id;
    }
}

static bool toast_is_new(struct console_feed *f, int64_t outbox_id)
{
    for (int i = 0; i < TOASTS_SEEN; i++)
        if (f->toast_seen[i] == outbox_id)
            return false;
    f->toast_seen[f->toast_next] = outbox_id;
    f->toast_next = (f->toast_next + 1) % TOASTS_SEEN;
    return true;
}

static void feed_toasts(struct console_feed *f, const struct reader_job *job)
{
    for (int i = 0; i < job->toast_count; i++) {
        const struct feed_event *toast = &job->toast[i];
        if (!toast_is_new(f, toast->id))
            continue;
        for (struct page *p = f->pages; p; p = p->next)
            if (page_takes(p))
                (void)stream_write(p->stream, job->text.data + toast->begin, toast->end - toast->begin);
    }
}

static void feed_news(struct loop_task *t)
{
    struct news_job *news = (struct news_job *)t; /* the task is the job's first member */
    struct console_feed *f = news->feed;
    f->reading = false;
    feed_trouble(f, &news->job);
    if (news->job.status == OK) {
        for (struct page *p = f->pages; p; p = p->next)
            page_news(p, &news->job);
        feed_toasts(f, &news->job);
    }
    bool again = f->again || (news->job.status == OK && news->job.full);
    f->again = false;
    job_free(&news->job);
    if (again)
        feed_look(f);
}

/* Read what the page that is furthest behind has not seen, leaving out those that do not take any more. */
static void feed_look(struct console_feed *f)
{
    int64_t after = -1;
    for (struct page *p = f->pages; p; p = p->next)
        if (page_takes(p) && (after < 0 || p->cursor < after))
            after = p->cursor;
    f->again = f->reading || (after < 0 && f->pages);
    if (after < 0 || f->reading)
        return;
    struct news_job *news = xcalloc(1, sizeof *news);
    job_prepare(&news->job, f, feed_news);
    news->feed = f;
    news->job.after = after;
    news->job.read = reader_news;
    f->reading = console_reader_put(f->reader, &news->job);
    if (!f->reading)
        job_free(&news->job);
}

/* --- from other threads --- */

static void bell_ring(struct bell *b)
{
    if (!atomic_exchange(&b->posted, true))
        server_post(b->feed->server, &b->task);
}

static void on_changed(struct loop_task *t)
{
    struct bell *b = (struct bell *)t;
    atomic_store(&b->posted, false);
    feed_look(b->feed);
}

static void on_typing(struct loop_task *t)
{
    struct bell *b = (struct bell *)t;
    atomic_store(&b->posted, false);
    for (struct page *p = b->feed->pages; p; p = p->next) {
        struct json_object *o = json_object_new_object();
        json_set_bool(o, "on", atomic_load(&b->feed->typing_on));
        page_event(p, "typing", o);
    }
}

void console_feed_changed(struct console_feed *f)
{
    bell_ring(&f->changed);
    store_hint(f->store, HINT_ROWS);
}

void console_feed_typing(struct console_feed *f, bool on)
{
    atomic_store(&f->typing_on, on);
    bell_ring(&f->typing);
}

static void on_hint(enum hint hint, void *arg)
{
    if (hint == HINT_ROWS)
        bell_ring(&((struct console_feed *)arg)->changed);
}

static void on_tick(void *arg)
{
    struct console_feed *f = arg;
    int64_t now_ms = clock_mono_ms();
    if (now_ms - f->polled_ms >= POLL_INTERVAL_MS) {
        f->polled_ms = now_ms;
        for (struct page *p = f->pages; p; p = p->next)
            if (!p->ready && !p->opening)
                page_open(p);
        feed_look(f);
    }
    if (now_ms - f->beat_ms >= HEARTBEAT_MS) {
        f->beat_ms = now_ms;
        for (struct page *p = f->pages; p; p = p->next)
            if (stream_pending(p->stream) == 0)
                (void)stream_write(p->stream, ": beat\n\n", 8);
    }
}

/* --- life --- */

enum status console_feed_start(struct server *server, struct store *store, bool login, struct console_feed **out,
                               struct error *e)
{
    struct console_feed *f = xcalloc(1, sizeof *f);
    enum status s = console_reader_start(store, &f->reader, e);
    if (s != OK) {
        free(f);
        return s;
    }
    f->server = server;
    f->store = store;
    f->login = login;
    f->changed = (struct bell){ .task.run = on_changed, .feed = f };
    f->typing = (struct bell){ .task.run = on_typing, .feed = f };
    server_on_tick(server, on_tick, f);
    store_on_hint(store, on_hint, f);
    *out = f;
    return OK;
}

void console_feed_stop(struct console_feed *f)
{
    console_reader_stop(f->reader);
}

void console_feed_free(struct console_feed *f)
{
    console_reader_free(f->reader);
    free(f);
}

struct console_reader *console_feed_reader(struct console_feed *f)
{
    return f->reader;
}
