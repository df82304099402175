/* SPDX-License-Identifier: MIT
 * exchange_export: rows → JSON Lines; see exchange.h. */
#include "base/clock.h"
#include "store/categories.h"
#include "store/exchange_row.h"
#include <stdlib.h>
#include <string.h>

struct output {
    bool (*write)(void *arg, const char *line, size_t bytes);
    void *arg;
    struct exchange_count *count;
    bool failed;
};

static bool put(const struct exchange_row *row, void *arg)
{
    struct output *out = arg;
    struct arena *scratch = arena_new();
    const char *line = arena_printf(scratch, "%s\n", exchange_line(scratch, row, LINE_WHOLE));
    out->failed = !out->write(out->arg, line, strlen(line));
    arena_free(scratch);
    out->count->rows++;
    out->count->kind[row->kind]++;
    return !out->failed;
}

struct named {
    const char *key, *name, *parent, *created;
    int depth;
};

static int compare_named(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    return x->depth != y->depth ? x->depth - y->depth : strcmp(x->key, y->key);
}

static const char *created_text(struct arena *arena, int64_t at_ms)
{
    char text[CIVIL_TEXT_BYTES];
    return arena_strdup(arena, clock_format_utc(at_ms, text));
}

/* "Work/Projects" → name and parent. */
static void path_split(struct arena *arena, const char *path, struct named *n)
{
    const char *slash = strrchr(path, '/');
    n->name = slash ? slash + 1 : path;
    n->parent = slash ? arena_strndup(arena, path, (size_t)(slash - path)) : NULL;
    for (const char *p = path; *p; p++)
        n->depth += *p == '/';
}

/* Parents before children, in byte order, whatever the database's collation is. */
static enum status put_categories(struct db *db, int64_t user_id, struct output *out, struct error *error)
{
    struct arena *arena = arena_new();
    struct named *list = arena_alloc(arena, CATEGORIES_MAX * sizeof *list);
    size_t count = 0;
    struct stmt *s =
        db_query(db,
                 "SELECT x.name_key, " CATEGORY_PATH_SQL(
                     "x") ", x.created_at FROM (SELECT id AS category_id, name_key, created_at FROM categories"
                          " WHERE user_id = $1) x",
                 p_int(user_id));
    while (count < CATEGORIES_MAX && db_step(s)) {
        struct named *n = &list[count++];
        n->key = arena_strdup(arena, db_text(s, 0));
        path_split(arena, arena_strdup(arena, db_text(s, 1)), n);
        n->created = created_text(arena, db_int(s, 2));
    }
    enum status st = db_done(s, error);
    qsort(list, count, sizeof *list, compare_named);
    for (size_t i = 0; i < count && st == OK && !out->failed; i++) {
        struct exchange_value value[] = { { .text = list[i].name },
                                          { .text = list[i].parent, .null = !list[i].parent },
                                          { .text = list[i].created } };
        struct exchange_row row = { .kind = EXCHANGE_CATEGORY, .value = value };
        (void)put(&row, out);
    }
    arena_free(arena);
    return st;
}

enum status exchange_stream(struct db *db, int64_t user_id, bool (*write)(void *arg, const char *line, size_t bytes),
                            void *arg, struct exchange_count *count, struct error *error)
{
    struct output out = { .write = write, .arg = arg, .count = count };
    *count = (struct exchange_count){ 0 };
    enum status st = put_categories(db, user_id, &out, error);
    for (int kind = EXCHANGE_TASK; kind < EXCHANGE_KINDS && st == OK && !out.failed; kind++)
        st = exchange_each(db, user_id, (enum exchange_kind)kind, put, &out, error);
    if (st == OK && out.failed)
        return fail(error, ST_INTERNAL, "The export could not be written.");
    return st;
}

static bool put_buf(void *arg, const char *line, size_t bytes)
{
    buf_put(arg, line, bytes);
    return !((struct buf *)arg)->overflow;
}

enum status exchange_export(struct db *db, int64_t user_id, struct buf *out, struct exchange_count *count,
                            struct error *error)
{
    enum status st = exchange_stream(db, user_id, put_buf, out, count, error);
    return st != OK && out->overflow ? OK : st;
}
