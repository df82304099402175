/* SPDX-License-Identifier: MIT
 * console_reader: one thread, blocking reads, so that the loop never waits for a database. */
#include "bot/console_reader.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/thread.h"
#include "store/console_messages.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct console_reader {
    struct store *store;
    pthread_t thread;
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t wake;
    struct reader_job *head, **tail;
    int count;
    bool stopping, joined;
};

/* --- the text of events --- */

/* Takes the object. */
static void put_event(struct buf *b, const char *event, int64_t id, struct json_object *data)
{
    if (event)
        buf_printf(b, "event: %s\n", event);
    if (id)
        buf_printf(b, "id: %lld\n", (long long)id);
    buf_printf(b, "data: %s\n\n",
               json_object_to_json_string_ext(data, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(data);
}

static struct json_object *parse_or_null(const char *text)
{
    struct json_object *o = NULL;
    return text && json_parse(text, strlen(text), &o, NULL) == OK ? o : NULL;
}

static struct json_object *message_json(const struct console_message *m)
{
    struct json_object *o = json_object_new_object();
    json_set_int(o, "id", m->id);
    json_set_int(o, "version", m->version);
    json_set_str(o, "author", m->from_user ? "user" : "bot");
    json_set_int(o, "at", m->created_at_ms);
    json_set_str(o, "html", m->html);
    if (m->buttons)
        json_set(o, "buttons", parse_or_null(m->buttons));
    if (m->key)
        json_set_str(o, "key", m->key);
    return o;
}

static void put_first(const struct console_message *m, void *arg)
{
    put_event(&((struct reader_job *)arg)->text, NULL, 0, message_json(m));
}

static void put_waiting(const char *update_key, const char *body, int64_t received_at_ms, void *arg)
{
    struct json_object *update = parse_or_null(body), *o = json_object_new_object();
    json_set_str(o, "key", update_key);
    json_set_str(o, "text", json_str(update, "message.text", ""));
    json_set_int(o, "at", received_at_ms);
    put_event(&((struct reader_job *)arg)->text, "pending", 0, o);
    json_object_put(update);
}

/* A row that does not fit ends the batch; the cursor stays before it.  One that would never fit is passed over. */
static void put_news(const struct console_message *m, void *arg)
{
    struct reader_job *job = arg;
    struct feed_event *row = &job->row[job->row_count];
    if (job->text.overflow)
        return;
    *row = (struct feed_event){ .id = m->version, .begin = job->text.len };
    put_event(&job->text, NULL, m->version, message_json(m));
    row->end = job->text.overflow ? row->begin : job->text.len;
    if (job->text.overflow && job->row_count > 0)
        return;
    job->row_count++;
    job->version = m->version;
}

static void put_toast(int64_t outbox_id, const char *payload, void *arg)
{
    struct reader_job *job = arg;
    struct json_object *o = parse_or_null(payload);
    if (!json_has(o, "text") || job->toast_count == TOASTS_MAX) {
        json_object_put(o);
        return;
    }
    struct feed_event *toast = &job->toast[job->toast_count];
    toast->id = outbox_id;
    toast->begin = job->text.len;
    put_event(&job->text, "toast", 0, o);
    toast->end = job->text.len;
    if (!job->text.overflow)
        job->toast_count++;
}

/* --- jobs --- */

enum status reader_first(struct reader_job *job, struct db *db, struct error *e)
{
    int64_t newest = 0;
    enum status s = job->after < 0 ? OK : console_message_version(db, &newest, e);
    if (s != OK)
        return s;
    job->version = job->after;
    job->reset = job->after > newest; /* another database than the page knows */
    if (job->reset)
        buf_puts(&job->text, "event: reset\ndata: {}\n\n");
    size_t begin = job->text.len;
    for (int rows = FEED_FIRST_ROWS; rows > 0 && s == OK && (job->after < 0 || job->reset); rows /= 4) {
        s = console_message_latest(db, rows, &job->version, put_first, job, e);
        if (!job->text.overflow)
            break;
        job->text.len = begin; /* very long messages: fewer of them */
        job->text.overflow = false;
    }
    if (s == OK)
        s = console_message_waiting(db, FEED_WAITING_MAX, put_waiting, job, e);
    if (s != OK)
        return s;
    buf_printf(&job->text, "event: ready\nid: %lld\ndata: {}\n\n", (long long)job->version);
    return job->text.overflow ? fail(e, ST_LIMIT, "The newest messages are too long to show") : OK;
}

enum status reader_news(struct reader_job *job, struct db *db, struct error *e)
{
    int64_t now_ms;
    enum status s = db_now_ms(db, &now_ms, e);
    if (s == OK)
        s = console_message_toasts(db, now_ms - TOAST_WINDOW_MS, put_toast, job, e);
    if (s != OK)
        return s;
    job->version = job->after;
    s = console_message_since(db, job->after, FEED_BATCH_ROWS, put_news, job, e);
    job->full = job->row_count == FEED_BATCH_ROWS || (job->text.overflow && job->row_count > 0);
    return s;
}

static void job_run(struct console_reader *rd, struct reader_job *job)
{
    struct db *db;
    job->status = store_read_begin_settled(rd->store, &db, &job->error);
    if (job->status != OK)
        return;
    job->status = job->read(job, db, &job->error);
    store_read_end(rd->store, db);
}

static void *reader_main(void *arg)
{
    struct console_reader *rd = arg;
    pthread_mutex_lock(&rd->lock);
    for (;;) {
        while (!rd->head && !rd->stopping)
            pthread_cond_wait(&rd->wake, &rd->lock);
        struct reader_job *job = rd->head;
        if (!job)
            break;
        rd->head = job->next;
        if (!rd->head)
            rd->tail = &rd->head;
        rd->count--;
        bool stopping = rd->stopping;
        pthread_mutex_unlock(&rd->lock);
        if (stopping)
            job->status = fail(&job->error, ST_SHUTDOWN, "The server is stopping");
        else
            job_run(rd, job);
        server_post(job->server, &job->task);
        pthread_mutex_lock(&rd->lock);
    }
    pthread_mutex_unlock(&rd->lock);
    return NULL;
}

enum status console_reader_start(struct store *store, struct console_reader **out, struct error *e)
{
    struct console_reader *rd = xcalloc(1, sizeof *rd);
    rd->store = store;
    rd->tail = &rd->head;
    pthread_mutex_init(&rd->lock, NULL);
    pthread_cond_init(&rd->wake, NULL);
    if (thread_start(&rd->thread, &(struct thread_start){ .name = "console reader", .run = reader_main, .arg = rd },
                     e)) {
        free(rd);
        return e->status;
    }
    *out = rd;
    return OK;
}

bool console_reader_put(struct console_reader *rd, struct reader_job *job)
{
    pthread_mutex_lock(&rd->lock);
    bool room = !rd->stopping && rd->count < READER_JOBS_MAX;
    if (room) {
        job->next = NULL;
        *rd->tail = job;
        rd->tail = &job->next;
        rd->count++;
        pthread_cond_signal(&rd->wake);
    }
    pthread_mutex_unlock(&rd->lock);
    return room;
}

void console_reader_stop(struct console_reader *rd)
{
    if (rd->joined)
        return;
    pthread_mutex_lock(&rd->lock);
    rd->stopping = true;
    pthread_cond_signal(&rd->wake);
    pthread_mutex_unlock(&rd->lock);
    pthread_join(rd->thread, NULL);
    rd->joined = true;
}

void console_reader_free(struct console_reader *rd)
{
    pthread_cond_destroy(&rd->wake);
    pthread_mutex_destroy(&rd->lock);
    free(rd);
}
