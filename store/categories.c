/* SPDX-License-Identifier: MIT
 * categories: names to rows and back.  Called by the tools and by import, inside their transaction, on worker threads.
 * Every statement names the user: a category of another person does not exist here. */
#include "store/categories.h"
#include "base/limits.h"
#include "base/text.h"
#include <string.h>

struct path {
    const char *name[CATEGORY_DEPTH_MAX];
    int depth;
};

/* One name as it is kept: no white space around, none doubled, no "#" or quotes around it. */
static const char *name_clean(struct arena *arena, const char *s, size_t len)
{
    const char *clean = text_clean(arena, s, len);
    char *out = text_trim(arena_strdup(arena, clean)), *to = out;
    for (const char *from = out; *from; from++) {
        bool space = *from == ' ' || *from == '\t' || *from == '\n';
        if (!space)
            *to++ = *from;
        else if (to > out && to[-1] != ' ')
            *to++ = ' ';
    }
    *to = '\0';
    while (*out == '#' || *out == '"' || *out == '\'')
        out++;
    for (size_t n = strlen(out); n > 0 && (out[n - 1] == '"' || out[n - 1] == '\''); n--)
        out[n - 1] = '\0';
    return text_trim(out);
}

static enum status path_parse(struct arena *arena, const char *text, struct path *out, struct error *e)
{
    *out = (struct path){ 0 };
    text = text && *text ? text : CATEGORY_DEFAULT;
    if (strlen(text) > CATEGORY_NAME_BYTES_MAX)
        return fail(e, ST_INVALID, "A category's name has at most %d bytes.", CATEGORY_NAME_BYTES_MAX);
    for (;;) {
        size_t len = strcspn(text, "/>");
        const char *name = name_clean(arena, text, len);
        if (*name && out->depth == CATEGORY_DEPTH_MAX)
            return fail(e, ST_INVALID, "Categories go at most %d levels deep.", CATEGORY_DEPTH_MAX);
        if (*name)
            out->name[out->depth++] = name;
        if (!text[len])
            break;
        text += len + 1;
    }
    return out->depth ? OK : fail(e, ST_INVALID, "A category needs a name.");
}

/* The folded path of the first `depth` names. */
static const char *path_key(struct arena *arena, const struct path *p, int depth)
{
    const char *key = text_fold(arena, p->name[0]);
    for (int i = 1; i < depth; i++)
        key = arena_printf(arena, "%s/%s", key, text_fold(arena, p->name[i]));
    return key;
}

#define CATEGORY_SELECT                                                                                                \
    "SELECT c.id, COALESCE(c.parent_id, 0), COALESCE(g.name || '/', '') || COALESCE(p.name || '/', '') || c.name"      \
    " FROM categories c LEFT JOIN categories p ON p.id = c.parent_id"                                                  \
    " LEFT JOIN categories g ON g.id = p.parent_id WHERE c.user_id = $1"

static void category_read(struct stmt *s, struct arena *arena, struct category *out)
{
    *out =
        (struct category){ .id = db_int(s, 0), .parent_id = db_int(s, 1), .path = arena_strdup(arena, db_text(s, 2)) };
}

static enum status category_take(struct stmt *s, struct arena *arena, struct category *out, bool *found,
                                 struct error *e)
{
    *found = db_step(s);
    if (*found)
        category_read(s, arena, out);
    return db_done(s, e);
}

static enum status by_key(struct db *db, struct arena *arena, int64_t user_id, const char *key, struct category *out,
                          bool *found, struct error *e)
{
    return category_take(db_query(db, CATEGORY_SELECT " AND c.name_key = $2", p_int(user_id), p_text(key)), arena, out,
                         found, e);
}

/* A last name alone ("projects" for Work/Projects), when exactly one category ends in it. */
static enum status by_last_name(struct db *db, struct arena *arena, int64_t user_id, const char *key,
                                struct category *out, bool *found, struct error *e)
{
    struct category *list;
    int count, hits = 0;
    enum status st = category_list(db, arena, user_id, &list, &count, e);
    for (int i = 0; !st && i < count; i++) {
        const char *slash = strrchr(list[i].path, '/');
        if (slash && !strcmp(text_fold(arena, slash + 1), key) && ++hits)
            *out = list[i];
    }
    *found = hits == 1;
    return st;
}

enum status category_find(struct db *db, struct arena *arena, int64_t user_id, const char *name, struct category *out,
                          bool *found, struct error *e)
{
    struct path p;
    *found = false;
    enum status st = path_parse(arena, name, &p, e);
    if (st)
        return st;
    const char *key = path_key(arena, &p, p.depth);
    st = by_key(db, arena, user_id, key, out, found, e);
    if (st || *found || p.depth > 1)
        return st;
    return by_last_name(db, arena, user_id, key, out, found, e);
}

static enum status category_insert(struct db *db, int64_t user_id, const char *name, const char *key, int64_t parent_id,
                                   int64_t now_ms, struct error *e)
{
    int64_t count;
    bool found;
    enum status st =
        db_get_int(db, &count, &found, e, "SELECT COUNT(*) FROM categories WHERE user_id = $1", p_int(user_id));
    if (st)
        return st;
    if (count >= CATEGORIES_MAX)
        return fail(e, ST_LIMIT, "You have %d categories already; please use one of those.", CATEGORIES_MAX);
    return db_run(db, e,
                  "INSERT INTO categories (user_id, name, name_key, parent_id, created_at)"
                  " VALUES ($1, $2, $3, CAST($4 AS BIGINT), $5) ON CONFLICT (user_id, name_key) DO NOTHING",
                  p_int(user_id), p_text(name), p_text(key), parent_id ? p_int(parent_id) : p_null(), p_int(now_ms));
}

enum status category_ensure(struct db *db, struct arena *arena, int64_t user_id, const char *name, int64_t now_ms,
                            struct category *out, struct error *e)
{
    struct path p;
    bool found;
    enum status st = category_find(db, arena, user_id, name, out, &found, e);
    if (st || found)
        return st;
    if ((st = path_parse(arena, name, &p, e)))
        return st;
    int64_t parent_id = 0;
    for (int depth = 1; depth <= p.depth; depth++) {
        const char *key = path_key(arena, &p, depth);
        st = by_key(db, arena, user_id, key, out, &found, e);
        if (!st && !found)
            st = category_insert(db, user_id, p.name[depth - 1], key, parent_id, now_ms, e);
        if (!st && !found)
            st = by_key(db, arena, user_id, key, out, &found, e);
        if (st)
            return st;
        if (!found)
            return fail(e, ST_INTERNAL, "the new category's row is not there");
        parent_id = out->id;
    }
    return OK;
}

enum status category_by_id(struct db *db, struct arena *arena, int64_t user_id, int64_t id, struct category *out,
                           bool *found, struct error *e)
{
    return category_take(db_query(db, CATEGORY_SELECT " AND c.id = $2", p_int(user_id), p_int(id)), arena, out, found,
                         e);
}

enum status category_list(struct db *db, struct arena *arena, int64_t user_id, struct category **list, int *count,
                          struct error *e)
{
    struct category *rows = arena_alloc(arena, sizeof *rows * CATEGORIES_MAX);
    int n = 0;
    struct stmt *s =
        db_query(db, CATEGORY_SELECT " ORDER BY c.name_key LIMIT $2", p_int(user_id), p_int(CATEGORIES_MAX));
    while (n < CATEGORIES_MAX && db_step(s))
        category_read(s, arena, &rows[n++]);
    *list = rows;
    *count = n;
    return db_done(s, e);
}
