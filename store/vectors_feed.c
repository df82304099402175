/* SPDX-License-Identifier: MIT
 * vectors_feed: see vectors_feed.h.  On SQLite one writer commits at a time, so ids are in commit order and a position
 * is the next id.  On PostgreSQL a position is the snapshot's xmin: every transaction below it has ended. */
#include "store/vectors_feed.h"
#include "store/store.h"
#include <stdlib.h>
#include <string.h>

enum status feed_position(struct db *db, int64_t *position, struct error *error)
{
    return db_get_int(db, position, NULL, error,
                      db_dialect(db, "SELECT COALESCE(max(id), 0) + 1 FROM row_changes",
                                 "SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS TEXT) AS BIGINT)"));
}

enum status feed_reaches(struct db *db, int64_t from, bool *reaches, struct error *error)
{
    int64_t pruned = 0, now = 0;
    enum status st = db_get_int(db, &pruned, NULL, error, "SELECT pruned FROM vector_state WHERE id = 1");
    if (st == OK)
        st = feed_position(db, &now, error);
    *reaches = from >= pruned && from <= now; /* above: the position is of another life of this database */
    return st;
}

static int compare_changes(const void *a, const void *b)
{
    const struct feed_change *x = a, *y = b;
    if (x->type != y->type)
        return x->type < y->type ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static size_t unique(struct feed_change *c, size_t count)
{
    size_t kept = 0;
    if (count > 1)
        qsort(c, count, sizeof *c, compare_changes);
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && compare_changes(&c[kept - 1], &c[i]) == 0)
            c[kept - 1].vector |= c[i].vector;
        else
            c[kept++] = c[i];
    }
    return kept;
}

enum status feed_read(struct db *db, struct arena *arena, int64_t user_id, int64_t from, struct feed_change **changes,
                      size_t *count, int64_t *next, bool *lost, struct error *error)
{
    bool reaches;
    *count = 0;
    *lost = false;
    enum status st = feed_position(db, next, error);
    if (st != OK)
        return st;
    struct stmt *s = db_query(db,
                              db_dialect(db,
                                         "SELECT item_type, item_id, vector FROM row_changes WHERE user_id = $1"
                                         " AND id >= $2 LIMIT $3",
                                         "SELECT item_type, item_id, vector FROM row_changes WHERE user_id = $1"
                                         " AND xact >= $2 LIMIT $3"),
                              p_int(user_id), p_int(from), p_int(FEED_READ_MAX + 1));
    size_t n = 0;
    struct feed_change *list = NULL;
    while (db_step(s)) {
        list = arena_room(arena, list, n, sizeof *list);
        list[n] = (struct feed_change){ recall_type_find(db_text(s, 0)), db_int(s, 1), db_int(s, 2) != 0 };
        n += list[n].type >= 0;
    }
    st = db_done(s, error);
    if (st == OK)
        st = feed_reaches(db, from, &reaches, error);
    if (st != OK)
        return st;
    *lost = !reaches || n > FEED_READ_MAX;
    *count = unique(list, n);
    *changes = list;
    return OK;
}

enum status feed_window(struct db *db, int64_t user_id, int64_t from, int64_t *count, int64_t *newest,
                        struct error *error)
{
    struct stmt *s = db_query(db,
                              db_dialect(db,
                                         "SELECT count(*), COALESCE(max(id), 0) FROM row_changes WHERE user_id = $1"
                                         " AND id >= $2",
                                         "SELECT count(*), COALESCE(max(id), 0) FROM row_changes WHERE user_id = $1"
                                         " AND xact >= $2"),
                              p_int(user_id), p_int(from));
    *count = *newest = 0;
    if (db_step(s)) {
        *count = db_int(s, 0);
        *newest = db_int(s, 1);
    }
    return db_done(s, error);
}

enum status feed_users(struct db *db, struct arena *arena, int64_t from, int64_t **user_id, size_t *count,
                       int64_t *next, struct error *error)
{
    bool reaches = false;
    enum status st = feed_position(db, next, error);
    if (st == OK && from > 0)
        st = feed_reaches(db, from, &reaches, error);
    if (st != OK)
        return st;
    struct stmt *s = db_query(db,
                              !reaches ? "SELECT id FROM users WHERE $1 = $1"
                                       /* "+": or SQLite walks the whole index by user, to be spared the sorting */
                                       : db_dialect(db, "SELECT DISTINCT +user_id FROM row_changes WHERE id >= $1",
                                                    "SELECT DISTINCT user_id FROM row_changes WHERE xact >= $1"),
                              p_int(from));
    size_t n = 0;
    int64_t *list = NULL;
    while (db_step(s)) {
        list = arena_room(arena, list, n, sizeof *list);
        list[n++] = db_int(s, 0);
    }
    *user_id = list;
    *count = n;
    return db_done(s, error);
}

enum status feed_prune(struct db *db, struct error *error)
{
    int64_t last = 0, before = 0;
    enum status st = db_get_int(db, &last, NULL, error, "SELECT COALESCE(max(id), 0) FROM row_changes");
    int64_t cut = last - FEED_KEEP_ROWS;
    if (st != OK || cut <= 0)
        return st;
    st = db_get_int(db, &before, NULL, error,
                    db_dialect(db, "SELECT COALESCE(max(id), 0) + 1 FROM row_changes WHERE id <= $1",
                               "SELECT COALESCE(max(xact), 0) + 1 FROM row_changes WHERE id <= $1"),
                    p_int(cut));
    if (st == OK)
        st = db_run(db, error, "UPDATE vector_state SET pruned = $1 WHERE id = 1 AND pruned < $1", p_int(before));
    if (st == OK)
        st = db_run(db, error, "DELETE FROM row_changes WHERE id <= $1", p_int(cut));
    return st;
}

enum status feed_database_id(struct db *db, struct arena *arena, const char **id, struct error *error)
{
    struct stmt *s = db_query(db, "SELECT database_id FROM vector_state WHERE id = 1");
    *id = db_step(s) ? arena_strdup(arena, db_text(s, 0)) : "";
    return db_done(s, error);
}

enum status feed_lease(struct db *db, int64_t owner_id, int64_t now_ms, int64_t until_ms, bool *ours,
                       struct error *error)
{
    struct stmt *s = db_query(db, db_dialect(db, "SELECT owner_id, lease_until FROM vector_state WHERE id = 1",
                                             "SELECT owner_id, lease_until FROM vector_state WHERE id = 1 FOR UPDATE"));
    bool alive = false, found = db_step(s);
    int64_t holder = found ? db_int(s, 0) : 0, until = found ? db_int(s, 1) : 0;
    enum status st = db_done(s, error);
    *ours = false;
    if (st == OK && holder != owner_id && until > now_ms)
        st = store_owner_alive(db, holder, &alive, error);
    if (st != OK || alive)
        return st;
    *ours = true;
    return db_run(db, error, "UPDATE vector_state SET owner_id = $1, lease_until = $2 WHERE id = 1", p_int(owner_id),
                  p_int(until_ms));
}

enum status feed_lease_end(struct db *db, int64_t owner_id, struct error *error)
{
    return db_run(db, error, "UPDATE vector_state SET lease_until = 0 WHERE id = 1 AND owner_id = $1", p_int(owner_id));
}
