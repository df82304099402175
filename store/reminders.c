/* SPDX-License-Identifier: MIT
 * reminders: called by the scheduler every second, and by /timezone. */
#include "store/reminders.h"

#include "base/clock.h"
#include "store/id_list.h"
#include <stdlib.h>

static int by_moment(const void *x, const void *y)
{
    const struct reminder *a = x, *b = y;
    if (a->remind_at_ms != b->remind_at_ms)
        return a->remind_at_ms < b->remind_at_ms ? -1 : 1;
    return a->task_id < b->task_id ? -1 : a->task_id > b->task_id;
}

enum status reminders_take(struct db *db, struct arena *a, const struct reminder_people *people, int64_t now_ms,
                           int max, struct reminder **out, int *count, struct error *e)
{
    struct reminder *r = arena_alloc(a, (size_t)max * sizeof *r);
    int n = 0;
    struct stmt *s = db_query(
        db,
        "UPDATE tasks SET reminded_at = $1 WHERE id IN (SELECT t.id FROM tasks t JOIN users u ON u.id = t.user_id"
        " WHERE t.remind_at <= $1 AND t.remind_at IS NOT NULL AND t.reminded_at IS NULL AND t.completed = 0"
        " AND t.deleted_at IS NULL AND ($3 LIKE '%,' || u.telegram_id || ',%'"
        " OR (u.id = 1 AND ($4 = 0 OR u.telegram_id IS NULL OR t.channel = 'console')))"
        " ORDER BY t.remind_at, t.id LIMIT $2)"
        " AND reminded_at IS NULL RETURNING id, user_id, content, due_date, repeat, remind_at, channel, chat_id",
        p_int(now_ms), p_int(max), p_text(id_list(a, people->telegram_ids, people->telegram ? people->count : 0)),
        p_int(people->telegram));
    while (db_step(s)) {
        if (n == max)
            continue;
        r[n++] = (struct reminder){
            .task_id = db_int(s, 0),
            .user_id = db_int(s, 1),
            .content = arena_strdup(a, db_text(s, 2)),
            .due_date = arena_strdup(a, db_text_or_null(s, 3)),
            .repeat = arena_strdup(a, db_text_or_null(s, 4)),
            .remind_at_ms = db_int(s, 5),
            .channel = arena_strdup(a, db_text_or_null(s, 6)),
            .chat_id = db_int(s, 7),
        };
    }
    qsort(r, (size_t)n, sizeof *r, by_moment); /* RETURNING promises no order */
    *out = r;
    *count = n;
    return db_done(s, e);
}

enum status reminders_move_zone(struct journal *j, struct arena *a, const char *from, const char *to, struct error *e)
{
    enum { MOVED_MAX = 1000 }; /* open reminders of one person */
    struct moved {
        int64_t id, at_ms;
    } *m = arena_alloc(a, MOVED_MAX * sizeof *m);
    int n = 0;
    struct stmt *s =
        db_query(j->db,
                 "SELECT id, remind_at FROM tasks WHERE user_id = $1 AND remind_at IS NOT NULL AND reminded_at IS NULL"
                 " AND deleted_at IS NULL ORDER BY remind_at LIMIT $2",
                 p_int(j->user_id), p_int(MOVED_MAX));
    while (db_step(s))
        m[n++] = (struct moved){ db_int(s, 0), db_int(s, 1) };
    if (db_done(s, e))
        return e->status;
    for (int i = 0; i < n; i++) {
        struct civil wall;
        int64_t at_ms;
        if (zone_to_civil(from, m[i].at_ms, &wall, e) || zone_to_instant(to, &wall, &at_ms, e) ||
            journal_changing(j, "tasks", m[i].id, e) ||
            db_run(j->db, e, "UPDATE tasks SET remind_at = $3 WHERE id = $1 AND user_id = $2", p_int(m[i].id),
                   p_int(j->user_id), p_int(at_ms)))
            return e->status;
    }
    return OK;
}
