/* SPDX-License-Identifier: MIT
 * remind: see remind.h.  Renders due reminders from their rows. */
#include "router/remind.h"

#include "base/json.h"
#include "base/text.h"
#include "router/reply.h"
#include "router/turn.h"
#include "router/when.h"
#include "store/outbox.h"
#include "store/users.h"

#include <inttypes.h>
#include <string.h>

enum {
    LATE_MS = 90 * 1000,         /* under this nobody calls it late */
    STALE_MS = 24 * 3600 * 1000, /* beyond this several are one list */
    LISTED_UNITS_MAX = 120,      /* of a task in a list */
};

/* The run of one remind_fire(). */
struct firing {
    struct db *db;
    struct arena *a;
    const struct reminder_people *people;
    const char *zone;
    int64_t now_ms;
    struct error *e;
};

/* One reminder, whom it is for, and where they hear it. */
struct due {
    const struct reminder *m;
    struct user user;
    const char *channel;
    int64_t chat_id;
    bool told;
};

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

/* When the task itself is due, in words; NULL = it has no date. */
static const char *due_words(struct firing *f, const struct due *d)
{
    struct civil now, due;
    if (!d->m->due_date || !civil_parse(d->m->due_date, &due) ||
        zone_to_civil(d->user.zone, f->now_ms, &now, f->e) != OK)
        return NULL;
    return when_describe(f->a, &due, &now);
}

static struct reply render(struct firing *f, const struct due *d)
{
    struct reply r;
    const char *due = due_words(f, d);
    reply_init(&r, f->a);
    reply_bold(&r, "⏰ Reminder");
    reply_line(&r);
    reply_text(&r, d->m->content);
    if (due) {
        reply_line(&r);
        reply_printf(&r, "Due: %s", due);
    }
    if (f->now_ms - d->m->remind_at_ms > LATE_MS)
        say_late(&r, f->now_ms - d->m->remind_at_ms);
    reply_line(&r);
    reply_printf(&r, "ID %" PRId64, d->m->task_id);
    reply_button(&r, false, "✓ Done", "done:%" PRId64, d->m->task_id);
    reply_button(&r, true, "In 1 hour", "snooze:%" PRId64 ":60", d->m->task_id);
    reply_button(&r, true, "Tomorrow", "snooze:%" PRId64 ":1440", d->m->task_id);
    return r;
}

static void list_one(struct firing *f, struct reply *r, const struct due *d)
{
    const char *line = arena_strndup(f->a, d->m->content, strcspn(d->m->content, "\n")), *due = due_words(f, d);
    size_t cut = text_prefix_utf16(line, strlen(line), LISTED_UNITS_MAX);
    reply_line(r);
    reply_printf(r, "• %.*s%s%s%s (ID %" PRId64 ")", (int)cut, line, strlen(d->m->content) > cut ? "…" : "",
                 due ? ", due " : "", due ? due : "", d->m->task_id);
}

/* A task may be as long as a whole message: with what stands around it, it needs two. */
static enum status put_parts(struct firing *f, const struct due *d, const struct reply *r, const char *key)
{
    enum { PARTS_MAX = 4 };
    const char **part;
    size_t parts;
    struct outbox_row row = { .channel = d->channel, .chat_id = d->chat_id, .kind = "message", .priority = 1 };
    struct json_object *whole = json_keep(f->a, reply_json(r));
    if (html_split(f->a, buf_str(&r->html), turn_text_units_max(row.channel), PARTS_MAX, &part, &parts, f->e))
        return f->e->status;
    for (size_t i = 0; i < parts; i++) {
        struct json_object *payload = json_keep(f->a, json_object_new_object());
        json_set_str(payload, "html", part[i]);
        if (i + 1 == parts)
            json_set(payload, "buttons", json_object_get(json_at(whole, "buttons")));
        row.payload = json_text(f->a, payload);
        row.dedupe_key = arena_printf(f->a, "%s:%zu", key, i);
        if (outbox_put(f->db, &row, f->now_ms, NULL, f->e))
            return f->e->status;
    }
    return OK;
}

static enum status fire_one(struct firing *f, struct due *d)
{
    struct reply r = render(f, d);
    d->told = true;
    return put_parts(f, d, &r, arena_printf(f->a, "remind:%" PRId64 ":%" PRId64, d->m->task_id, d->m->remind_at_ms));
}

static bool is_stale(const struct firing *f, const struct due *d)
{
    return f->now_ms - d->m->remind_at_ms > STALE_MS;
}

static bool is_listed_with(const struct firing *f, const struct due *first, const struct due *d)
{
    return !d->told && is_stale(f, d) && d->user.id == first->user.id && d->chat_id == first->chat_id &&
           strcmp(d->channel, first->channel) == 0;
}

/* What is stale of the first one's person and chat, in one message. */
static enum status fire_list(struct firing *f, struct due *first, int count)
{
    struct reply r;
    const char *key = arena_printf(f->a, "reminds:%" PRId64 ":%" PRId64, first->m->task_id, first->m->remind_at_ms);
    reply_init(&r, f->a);
    reply_bold(&r, "⏰ Reminders from while I could not reach you");
    for (struct due *d = first; d < first + count; d++)
        if (is_listed_with(f, first, d)) {
            list_one(f, &r, d);
            d->told = true;
        }
    reply_gap(&r);
    reply_text(&r, "They are still open: /tasks shows them.");
    return put_parts(f, first, &r, key);
}

static enum status due_open(struct firing *f, const struct reminder *m, struct due *d)
{
    *d = (struct due){ .m = m, .channel = "console" };
    if (user_by_id(f->db, f->a, m->user_id, f->zone, &d->user, f->e))
        return f->e->status;
    if (!f->people->telegram)
        return OK;
    if (m->channel && *m->channel) {
        d->channel = m->channel;
        d->chat_id = m->chat_id;
    } else if (d->user.private_chat_id || d->user.id != 1) { /* the console page is the owner's alone */
        d->channel = "telegram";
        d->chat_id = d->user.private_chat_id ? d->user.private_chat_id : d->user.telegram_id; /* they are the same */
    }
    return OK;
}

enum status remind_fire(struct db *db, struct arena *a, const struct reminder_people *people, const char *default_zone,
                        int64_t now_ms, int *fired, struct error *e)
{
    struct firing f = { .db = db, .a = a, .people = people, .zone = default_zone, .now_ms = now_ms, .e = e };
    struct reminder *taken;
    if (reminders_take(db, a, people, now_ms, REMIND_BATCH_MAX, &taken, fired, e))
        return e->status;
    struct due *due = arena_alloc(a, (size_t)(*fired + 1) * sizeof *due);
    for (int i = 0; i < *fired; i++)
        if (due_open(&f, &taken[i], &due[i]))
            return e->status;
    for (int i = 0; i < *fired; i++) {
        int alike = 0;
        if (due[i].told)
            continue;
        for (int k = i; k < *fired && is_stale(&f, &due[i]); k++)
            alike += is_listed_with(&f, &due[i], &due[k]);
        if (alike > 1 ? fire_list(&f, &due[i], *fired - i) : fire_one(&f, &due[i]))
            return e->status;
    }
    return OK;
}
