/* SPDX-License-Identifier: MIT
 * journal: before-images while a turn runs, differences once it is over.  Called by the tools inside the turn's
 * transaction, on worker threads.  While the turn runs an entry reads {"was": {column: value}}; journal_close() turns
 * it into {column: [before, after]} of the columns that differ; an inserted row's entry is null. */
#include "store/journal.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/limits.h"
#include "store/journal_row.h"
#include <stdarg.h>
#include <string.h>

static enum status put(struct journal *j, const char *table, int64_t row_id, const char *before, struct error *e)
{
    if (j->seq == 0) {
        bool found;
        int64_t next = 0;
        enum status st =
            db_get_int(j->db, &next, &found, e, "SELECT COALESCE(MAX(seq) + 1, 0) FROM journal WHERE inbox_id = $1",
                       p_int(j->inbox_id));
        if (st)
            return st;
        j->seq = (int)next;
    }
    int seq = j->seq++;
    return db_run_later(j->db, e,
                        "INSERT INTO journal (inbox_id, seq, table_name, row_id, before) VALUES ($1, $2, $3, $4, $5)",
                        p_int(j->inbox_id), p_int(seq), p_text(table), p_int(row_id), p_text(before));
}

enum status journal_inserted(struct journal *j, const char *table, int64_t row_id, struct error *e)
{
    if (!journal_table(table))
        return fail(e, ST_INTERNAL, "table %s is not journaled", table);
    return put(j, table, row_id, NULL, e);
}

/* The row was inserted or changed earlier in this turn: the first image is the one undo needs. */
static enum status noted_already(struct journal *j, const char *table, int64_t row_id, bool *noted, struct error *e)
{
    int64_t one;
    return db_get_int(j->db, &one, noted, e,
                      "SELECT 1 FROM journal WHERE inbox_id = $1 AND table_name = $2 AND row_id = $3"
                      " AND (before IS NULL OR before LIKE '{\"was\":%') LIMIT 1",
                      p_int(j->inbox_id), p_text(table), p_int(row_id));
}

enum status journal_changing(struct journal *j, const char *table, int64_t row_id, struct error *e)
{
    const struct journal_table *t = journal_table(table);
    struct json_object *row = NULL;
    bool noted, found;
    if (!t)
        return fail(e, ST_INTERNAL, "table %s is not journaled", table);
    enum status st = noted_already(j, table, row_id, &noted, e);
    if (st || noted)
        return st;
    struct arena *arena = arena_new();
    st = journal_row_read(j->db, arena, t, row_id, j->user_id, &row, &found, e);
    if (!st && !found)
        st = fail(e, ST_NOT_FOUND, "There is no row %lld in %s.", (long long)row_id, table);
    if (!st) {
        struct json_object *entry = json_keep(arena, json_object_new_object());
        json_set(entry, "was", json_object_get(row));
        st = put(j, table, row_id, json_text(arena, entry), e);
    }
    arena_free(arena);
    return st;
}

void journal_note(struct journal *j, const char *fmt, ...)
{
    if (!j->summary)
        return;
    va_list ap;
    buf_puts(j->summary, j->summary->len ? ", " : "");
    va_start(ap, fmt);
    buf_vprintf(j->summary, fmt, ap);
    va_end(ap);
}

/* --- the end of a turn --- */

struct entry {
    int64_t seq, row_id;
    const struct journal_table *table;
    struct json_object *was;
};
enum { ENTRIES_MAX = 20000 }; /* rows one turn may change: "delete all" over the longest list (TASKS_LIST_MAX) */

static enum status open_entries(struct journal *j, struct arena *arena, struct entry **list, int *count,
                                struct error *e)
{
    enum status st = OK;
    int n = 0;
    struct entry *rows = NULL;
    struct stmt *s = db_query(j->db,
                              "SELECT seq, table_name, row_id, before FROM journal"
                              " WHERE inbox_id = $1 AND before LIKE '{\"was\":%' ORDER BY seq LIMIT $2",
                              p_int(j->inbox_id), p_int(ENTRIES_MAX + 1));
    while (!st && db_step(s)) {
        if (n == ENTRIES_MAX) {
            st = fail(e, ST_LIMIT, "One message can change at most %d rows.", ENTRIES_MAX);
            break;
        }
        rows = arena_room(arena, rows, (size_t)n, sizeof *rows);
        struct json_object *entry;
        const char *text = db_text(s, 3);
        st = json_parse_in(arena, text, strlen(text), &entry, e);
        if (!st)
            rows[n++] = (struct entry){ .seq = db_int(s, 0),
                                        .table = journal_table(db_text(s, 1)),
                                        .row_id = db_int(s, 2),
                                        .was = json_at(entry, "was") };
    }
    enum status done = db_done(s, st ? NULL : e);
    *list = rows;
    *count = n;
    return st ? st : done;
}

/* Replace an entry's image by what differs, or drop it when nothing does. */
static enum status settle(struct journal *j, struct arena *arena, const struct entry *entry, struct error *e)
{
    bool found;
    struct json_object *now = NULL;
    enum status st = journal_row_read(j->db, arena, entry->table, entry->row_id, j->user_id, &now, &found, e);
    if (st)
        return st;
    struct json_object *diff = found ? journal_row_diff(arena, entry->table, entry->was, now) : NULL;
    if (!diff || json_object_object_length(diff) == 0)
        return db_run(j->db, e, "DELETE FROM journal WHERE inbox_id = $1 AND seq = $2", p_int(j->inbox_id),
                      p_int(entry->seq));
    return db_run(j->db, e, "UPDATE journal SET before = $1 WHERE inbox_id = $2 AND seq = $3",
                  p_text(json_text(arena, diff)), p_int(j->inbox_id), p_int(entry->seq));
}

static enum status turn_put(struct journal *j, struct error *e)
{
    int64_t rows = 0;
    bool found;
    enum status st =
        db_get_int(j->db, &rows, &found, e, "SELECT COUNT(*) FROM journal WHERE inbox_id = $1", p_int(j->inbox_id));
    if (st || !rows)
        return st;
    const char *words = j->summary && j->summary->len ? buf_str(j->summary) : "your last change";
    return db_run_later(j->db, e,
                        "INSERT INTO turns (inbox_id, user_id, summary, created_at) VALUES ($1, $2, $3, $4)"
                        " ON CONFLICT (inbox_id) DO UPDATE SET summary = turns.summary || ', ' || excluded.summary,"
                        " created_at = excluded.created_at",
                        p_int(j->inbox_id), p_int(j->user_id), p_text(words), p_int(j->now_ms));
}

enum status journal_close(struct journal *j, struct error *e)
{
    if (j->seq == 0)
        return OK;
    struct arena *arena = arena_new();
    struct entry *list;
    int count;
    enum status st = open_entries(j, arena, &list, &count, e);
    for (int i = 0; !st && i < count; i++)
        st = settle(j, arena, &list[i], e);
    if (!st)
        st = turn_put(j, e);
    arena_free(arena);
    return st;
}
