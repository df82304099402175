/* SPDX-License-Identifier: MIT
 * remind: renders a due reminder from its row.  Called by the scheduler inside a write. */
#include "router/remind.h"

#include "base/json.h"
#include "router/reply.h"
#include "router/turn.h"
#include "router/when.h"
#include "store/outbox.h"
#include "store/reminders.h"
#include "store/users.h"

#include <inttypes.h>
#include <string.h>

enum { LATE_MS = 90 * 1000 }; /* under this nobody calls it late */

static void say_late(struct reply *r, int64_t late_ms)
{
    int64_t minutes = late_ms / 60000;
    reply_line(r);
    if (minutes < 60)
        reply_printf(r, "late by %" PRId64 " min", minutes);
    else if (minutes < 48 * 60)
        reply_printf(r, "late by %" PRId64 " h %" PRId64 " min", minutes / 60, minutes % 60);
    else
        reply_printf(r, "late by %" PRId64 " days", minutes / (24 * 60));
}

static struct reply render(struct arena *a, const struct reminder *m, const struct user *u, int64_t now_ms,
                           struct error *e)
{
    struct reply r;
    struct civil now, due;
    reply_init(&r, a);
    reply_bold(&r, "⏰ Reminder");
    reply_line(&r);
    reply_text(&r, m->content);
    if (m->due_date && civil_parse(m->due_date, &due) && zone_to_civil(u->zone, now_ms, &now, e) == OK) {
        reply_line(&r);
        reply_printf(&r, "Due: %s", when_describe(a, &due, &now));
    }
    if (now_ms - m->remind_at_ms > LATE_MS)
        say_late(&r, now_ms - m->remind_at_ms);
    reply_line(&r);
    reply_printf(&r, "ID %" PRId64, m->task_id);
    reply_button(&r, false, "✓ Done", "done:%" PRId64, m->task_id);
    reply_button(&r, true, "In 1 hour", "snooze:%" PRId64 ":60", m->task_id);
    reply_button(&r, true, "Tomorrow", "snooze:%" PRId64 ":1440", m->task_id);
    return r;
}

/* A task may be as long as a whole message: with what stands around it, it needs two. */
static enum status put_parts(struct db *db, struct arena *a, struct outbox_row *row, const struct reply *r,
                             const char *key, int64_t now_ms, struct error *e)
{
    enum { PARTS_MAX = 4 };
    const char **part;
    size_t parts;
    struct json_object *whole = json_keep(a, reply_json(r));
    if (html_split(a, buf_str(&r->html), turn_text_units_max(row->channel), PARTS_MAX, &part, &parts, e))
        return e->status;
    for (size_t i = 0; i < parts; i++) {
        struct json_object *payload = json_keep(a, json_object_new_object());
        json_set_str(payload, "html", part[i]);
        if (i + 1 == parts)
            json_set(payload, "buttons", json_object_get(json_at(whole, "buttons")));
        row->payload = json_text(a, payload);
        row->dedupe_key = arena_printf(a, "%s:%zu", key, i);
        if (outbox_put(db, row, now_ms, NULL, e))
            return e->status;
    }
    return OK;
}

static enum status fire_one(struct db *db, struct arena *a, const char *zone, const struct reminder *m, int64_t now_ms,
                            struct error *e)
{
    struct user u;
    if (user_by_id(db, a, m->user_id, zone, &u, e))
        return e->status;
    bool known = m->channel && *m->channel;
    struct outbox_row row = {
        .channel = known               ? m->channel
                   : u.private_chat_id ? "telegram"
                                       : "console",
        .chat_id = known ? m->chat_id : u.private_chat_id,
        .kind = "message",
        .priority = 1,
    };
    struct reply r = render(a, m, &u, now_ms, e);
    const char *key = arena_printf(a, "remind:%" PRId64 ":%" PRId64, m->task_id, m->remind_at_ms);
    return put_parts(db, a, &row, &r, key, now_ms, e);
}

enum status remind_fire(struct db *db, struct arena *a, const char *zone, int64_t now_ms, int *fired, struct error *e)
{
    struct reminder *due;
    if (reminders_take(db, a, now_ms, REMIND_BATCH_MAX, &due, fired, e))
        return e->status;
    for (int i = 0; i < *fired; i++)
        if (fire_one(db, a, zone, &due[i], now_ms, e))
            return e->status;
    return OK;
}
