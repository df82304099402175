/* SPDX-License-Identifier: MIT
 * embedder_memory: see embedder_memory.h.  A snapshot is a cache of the person's data: its folder is theirs alone,
 * never a shared one. */
#include "bot/embedder_memory.h"
#include "store/usage.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum status memory_embedder(const struct config *c, struct embedder **out, struct error *e)
{
    struct embed_options o = { .base_url = c->embedding_server ? c->embedding_base_url : NULL,
                               .api_key = c->embedding_api_key,
                               .model = c->embedding_model,
                               .dimensions = (uint32_t)c->embedding_dimensions };
    return embedder_new(&o, out, e);
}

static void place_sqlite(struct memory *m, const struct config *c, struct arena *arena)
{
    const char *path = strstr(c->database_url, "://") + 3, *slash = strrchr(path, '/');
    m->folder = slash ? xstrndup(path, (size_t)(slash - path) + 1) : xstrdup(".");
    m->snapshot = xstrdup(arena_printf(arena, "%s.vectors", path));
}

static void place_cache(struct memory *m, const char *database_id, struct arena *arena)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (!cache || *cache != '/')
        cache = home && *home == '/' ? arena_printf(arena, "%s/.cache", home) : NULL;
    if (!cache)
        return;
    const char *folder = arena_printf(arena, "%s/steward", cache);
    struct stat s;
    mkdir(cache, 0700);
    mkdir(folder, 0700);
    if (lstat(folder, &s) != 0 || !S_ISDIR(s.st_mode) || s.st_uid != geteuid() || access(folder, W_OK) != 0)
        return;
    m->folder = xstrdup(folder);
    m->snapshot = xstrdup(arena_printf(arena, "%s/%s.vectors", folder, database_id));
}

enum status memory_open(struct memory *m, const struct config *c, struct store *store, struct error *e)
{
    struct arena *arena = arena_new();
    const char *database_id = "";
    struct db *db = NULL;
    *m = (struct memory){ 0 };
    enum status st = memory_embedder(c, &m->embedder, e);
    if (st == OK)
        st = store_read_begin(store, &db, e);
    if (st == OK)
        st = feed_database_id(db, arena, &database_id, e);
    if (st == OK && store_kind(store) == DB_SQLITE)
        place_sqlite(m, c, arena);
    else if (st == OK)
        place_cache(m, database_id, arena);
    if (st == OK) {
        struct recall_options o = { .model = embedder_model(m->embedder),
                                    .dimensions = embedder_dimensions(m->embedder),
                                    .cache = m->folder,
                                    .snapshot = m->snapshot };
        m->recall = recall_new(&o);
        m->vectors = query_vectors_new(m->embedder);
    }
    if (db)
        store_read_end(store, db);
    arena_free(arena);
    if (st != OK)
        memory_close(m);
    return st;
}

struct accounting {
    struct memory *memory;
    struct query_call call[QUERY_CALLS_MAX];
    size_t count;
};

static enum status account_write(struct db *db, void *arg, struct error *e)
{
    struct accounting *a = arg;
    int64_t now_ms;
    enum status st = db_now_ms(db, &now_ms, e);
    for (size_t i = 0; i < a->count && st == OK; i++) {
        struct usage u = { .provider = embedder_provider(a->memory->embedder),
                           .model = embedder_model(a->memory->embedder),
                           .outcome = a->call[i].answered ? "ok" : "failed",
                           .input_tokens = a->call[i].tokens,
                           .elapsed_ms = a->call[i].elapsed_ms };
        st = usage_add(db, &u, now_ms, e);
    }
    return st;
}

enum status memory_account(struct memory *m, struct store *store, struct error *e)
{
    struct accounting a = { .memory = m };
    a.count = query_vectors_calls(m->vectors, a.call);
    if (a.count == 0)
        return OK;
    enum status st = store_write_relaxed(store, account_write, &a, e);
    if (st == OK)
        query_vectors_forget(m->vectors, a.call, a.count);
    return st;
}

void memory_close(struct memory *m)
{
    query_vectors_free(m->vectors);
    recall_free(m->recall);
    embedder_free(m->embedder);
    free(m->folder);
    free(m->snapshot);
    *m = (struct memory){ 0 };
}
