/* SPDX-License-Identifier: MIT
 * users: the people of an instance.  Called at the start of every turn, inside its transaction, on worker threads.
 * Row 1 is the owner's for good: it is made before anybody else's, so that no other person can ever get it. */
#include "store/users.h"
#include "base/clock.h"
#include <string.h>

enum { OWNER_ID = 1 };

#define USER_COLUMNS "id, telegram_id, name, language, zone, private_chat_id"

static void user_read(struct stmt *s, struct arena *arena, const char *default_zone, struct user *out)
{
    const char *zone = db_text(s, 4);
    *out = (struct user){ .id = db_int(s, 0),
                          .telegram_id = db_int(s, 1),
                          .name = arena_strdup(arena, db_text(s, 2)),
                          .language = arena_strdup(arena, db_text(s, 3)),
                          .zone = arena_strdup(arena, *zone ? zone : default_zone),
                          .private_chat_id = db_int(s, 5) };
}

/* The row of a query with USER_COLUMNS, if there is one; finishes the statement. */
static enum status user_take(struct stmt *s, struct arena *arena, const char *default_zone, struct user *out,
                             bool *found, struct error *e)
{
    *found = db_step(s);
    if (*found)
        user_read(s, arena, default_zone, out);
    return db_done(s, e);
}

/* Make row 1 when it is missing.  PostgreSQL's identity counter does not see an explicit id: step it once. */
static enum status owner_ensure(struct db *db, struct error *e)
{
    bool found;
    int64_t changed, id;
    enum status st = db_get_int(db, &id, &found, e, "SELECT id FROM users WHERE id = $1", p_int(OWNER_ID));
    if (st || found)
        return st;
    st = db_run_changed(db, &changed, e, "INSERT INTO users (id, created_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                        p_int(OWNER_ID), p_int(clock_wall_ms()));
    if (st || !changed || db_kind(db) == DB_SQLITE)
        return st;
    return db_get_int(db, &id, &found, e, "SELECT nextval(pg_get_serial_sequence('users', 'id'))");
}

static enum status by_telegram(struct db *db, struct arena *arena, int64_t telegram_id, const char *default_zone,
                               struct user *out, bool *found, struct error *e)
{
    return user_take(db_query(db, "SELECT " USER_COLUMNS " FROM users WHERE telegram_id = $1", p_int(telegram_id)),
                     arena, default_zone, out, found, e);
}

enum status user_of_telegram(struct db *db, struct arena *arena, int64_t telegram_id, bool owner,
                             const char *default_zone, struct user *out, struct error *e)
{
    bool found;
    enum status st = by_telegram(db, arena, telegram_id, default_zone, out, &found, e);
    if (st || found)
        return st;
    if ((st = owner_ensure(db, e)))
        return st;
    if (owner) {
        st = user_take(db_query(db,
                                "UPDATE users SET telegram_id = $1 WHERE id = $2 AND telegram_id IS NULL"
                                " RETURNING " USER_COLUMNS,
                                p_int(telegram_id), p_int(OWNER_ID)),
                       arena, default_zone, out, &found, e);
        if (st || found)
            return st;
    }
    st = db_run(db, e,
                "INSERT INTO users (telegram_id, created_at) VALUES ($1, $2) ON CONFLICT (telegram_id) DO NOTHING",
                p_int(telegram_id), p_int(clock_wall_ms()));
    if (!st)
        st = by_telegram(db, arena, telegram_id, default_zone, out, &found, e);
    if (!st && !found)
        return fail(e, ST_INTERNAL, "the new user's row is not there");
    return st;
}

enum status user_owner(struct db *db, struct arena *arena, const char *default_zone, struct user *out, struct error *e)
{
    enum status st = owner_ensure(db, e);
    return st ? st : user_by_id(db, arena, OWNER_ID, default_zone, out, e);
}

enum status user_by_id(struct db *db, struct arena *arena, int64_t id, const char *default_zone, struct user *out,
                       struct error *e)
{
    bool found;
    enum status st = user_take(db_query(db, "SELECT " USER_COLUMNS " FROM users WHERE id = $1", p_int(id)), arena,
                               default_zone, out, &found, e);
    if (!st && !found)
        return fail(e, ST_NOT_FOUND, "There is no user %lld.", (long long)id);
    return st;
}

enum status user_touch(struct db *db, const struct user *before, const char *name, const char *language,
                       int64_t private_chat_id, struct error *e)
{
    name = name ? name : before->name;
    language = language ? language : before->language;
    private_chat_id = private_chat_id ? private_chat_id : before->private_chat_id;
    if (!strcmp(name, before->name) && !strcmp(language, before->language) &&
        private_chat_id == before->private_chat_id)
        return OK;
    return db_run(
        db, e, "UPDATE users SET name = $1, language = $2, private_chat_id = CAST($3 AS BIGINT) WHERE id = $4",
        p_text(name), p_text(language), private_chat_id ? p_int(private_chat_id) : p_null(), p_int(before->id));
}

enum status user_suggest_zone(struct db *db, int64_t id, const char *zone, struct error *e)
{
    return db_run(db, e, "UPDATE users SET zone = $2 WHERE id = $1 AND zone = ''", p_int(id), p_text(zone));
}

enum status user_set_zone(struct db *db, int64_t id, const char *zone, struct error *e)
{
    int64_t changed;
    enum status st =
        db_run_changed(db, &changed, e, "UPDATE users SET zone = $1 WHERE id = $2", p_text(zone), p_int(id));
    if (!st && !changed)
        return fail(e, ST_NOT_FOUND, "There is no user %lld.", (long long)id);
    return st;
}

enum status stranger_first(struct db *db, int64_t telegram_id, int64_t now_ms, bool *first, struct error *e)
{
    int64_t changed = 0;
    enum status st = db_run_changed(db, &changed, e,
                                    "INSERT INTO strangers (telegram_id, first_seen_at) VALUES ($1, $2)"
                                    " ON CONFLICT (telegram_id) DO NOTHING",
                                    p_int(telegram_id), p_int(now_ms));
    *first = changed > 0;
    return st;
}
