/* SPDX-License-Identifier: MIT
 * remind: renders a due reminder from its row.  Called by the scheduler inside a write. */
#include "router/remind.h"

#include "base/json.h"
#include "router/reply.h"
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
    reply_text(r, ": I was not running when it fell due.");
}

static struct json_object *render(struct arena *a, const struct reminder *m, const struct user *u, int64_t now_ms,
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
    return json_keep(a, reply_json(&r));
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
        .payload = json_text(a, render(a, m, &u, now_ms, e)),
        .dedupe_key = arena_printf(a, "remind:%" PRId64 ":%" PRId64, m->task_id, m->remind_at_ms),
    };
    return outbox_put(db, &row, now_ms, NULL, e);
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
