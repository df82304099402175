/* SPDX-License-Identifier: MIT
 * reminders: tasks whose moment has come.  Inside a write transaction of the caller. */
#ifndef STORE_REMINDERS_H
#define STORE_REMINDERS_H

#include "base/arena.h"
#include "store/journal.h"

struct reminder {
    int64_t task_id, user_id;
    const char *content, *due_date, *repeat; /* due_date, repeat: NULL = none */
    int64_t remind_at_ms;
    const char *channel; /* where the task was made; NULL = not known */
    int64_t chat_id;
};

/* Who can be reminded: the people of these Telegram ids, and the owner (user 1) on the console page, of what was noted
 * there.  Without Telegram the owner hears everything there, and nobody else anything. */
struct reminder_people {
    bool telegram;
    const int64_t *telegram_ids; /* count of them; may be NULL when there are none */
    int count;
};

/* Mark up to max due reminders of those people as fired and return them, the earliest first: the mark and the message
 * that the caller puts into the outbox are one transaction, so each fires exactly once, also with several instances.
 * Whoever cannot be reminded keeps their rows as they are.  What is returned lives in the arena. */
enum status MUST_CHECK reminders_take(struct db *, struct arena *, const struct reminder_people *, int64_t now_ms,
                                      int max, struct reminder **, int *count, struct error *);
/* The person moved to another zone: reminders keep their wall-clock time.  Journaled, so that undo moves them back. */
enum status MUST_CHECK reminders_move_zone(struct journal *, struct arena *, const char *from, const char *to,
                                           struct error *);

#endif
