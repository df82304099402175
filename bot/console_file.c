/* SPDX-License-Identifier: MIT
 * console_file: the document is read by the reader thread while the request waits.  Loop thread. */
#include "bot/console_file.h"

#include "base/json.h"
#include "bot/deferred.h"
#include "store/console_messages.h"
#include <stdlib.h>
#include <string.h>

struct file_job {
    struct reader_job job; /* first */
    struct deferred *deferred;
    struct arena *arena;
    int64_t outbox_id;
    const char *filename, *content; /* out; NULL = not there */
};

static enum status read_document(struct reader_job *job, struct db *db, struct error *e)
{
    struct file_job *f = (struct file_job *)job;
    const char *payload;
    struct json_object *o;
    enum status s = console_message_document(db, f->arena, f->outbox_id, &payload, e);
    if (s != OK || !payload)
        return s;
    s = json_parse_in(f->arena, payload, strlen(payload), &o, e);
    if (s != OK)
        return s;
    f->filename = json_str(o, "filename", "steward.txt");
    f->content = json_str(o, "content", "");
    return OK;
}

static void set_filename(struct request *r, const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    char value[200] = "attachment; filename=\"";
    size_t n = strlen(value);
    for (; *name && n < sizeof value - 2; name++)
        value[n++] = strchr(plain, *name) ? *name : '_';
    value[n] = '"';
    value[n + 1] = '\0';
    request_set_header(r, "content-disposition", value);
}

static void answer(struct request *r, enum deferred_why why, void *arg)
{
    struct file_job *f = arg;
    if (why != DEFERRED_DONE || f->job.status != OK) {
        struct error e;
        (void)fail(&e, ST_UNAVAILABLE, "The file cannot be read just now");
        request_fail(r, &e);
    } else if (!f->content) {
        request_error(r, 404, "This file is no longer kept; ask for it again");
    } else {
        set_filename(r, f->filename);
        request_answer(r, 200, "text/plain; charset=utf-8", f->content, strlen(f->content));
    }
}

static void release(void *arg)
{
    struct file_job *f = arg;
    arena_free(f->arena);
    free(f);
}

static void file_read(struct loop_task *t)
{
    deferred_finish(((struct file_job *)t)->deferred); /* the task is the first member of the first */
}

void console_file_send(struct console_reader *reader, struct request *r)
{
    static const struct deferred_ops ops = { answer, NULL, release };
    const char *id = request_query(r, "id");
    struct file_job *f = xcalloc(1, sizeof *f);
    f->outbox_id = id ? strtoll(id, NULL, 10) : 0;
    f->arena = arena_new();
    f->job.server = request_server(r);
    f->job.task.run = file_read;
    f->job.read = read_document;
    f->deferred = request_defer(r, &ops, f, DEFERRED_NO_TIMEOUT);
    if (console_reader_put(reader, &f->job))
        return;
    f->job.status = ST_BUSY;
    deferred_finish(f->deferred);
}
