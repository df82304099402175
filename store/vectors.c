/* SPDX-License-Identifier: MIT
 * vectors: see vectors.h. */
#include "store/vectors.h"

#include "base/hex.h"
#include "store/categories.h"
#include "store/health_text.h"
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_ROWS = 1000 /* PostgreSQL holds a result in memory: 1.5 MB of 384 dimensions */ };

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "vectors are stored little-endian: swap the bytes in vector_put() and read_vector() on this machine"
#endif

const char *vector_text(struct arena *arena, const struct recall_row *row)
{
    if (!row->category || strcmp(row->category, CATEGORY_DEFAULT) == 0)
        return row->content;
    return arena_printf(arena, "%s\n%s", row->content, row->category);
}

void vector_hash(const char *text, char out[VECTOR_HASH_BYTES])
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned bytes = 0;
    if (EVP_Digest(text, strlen(text), sum, &bytes, EVP_sha256(), NULL) != 1)
        abort(); /* out of memory, or an OpenSSL without SHA-256 */
    hex_put(out, sum, VECTOR_HASH_BYTES / 2);
}

enum status vector_put(struct db *db, const char *model, const struct vector *v, int64_t now_ms, struct error *error)
{
    return db_run(db, error,
                  "INSERT INTO vectors (item_type, item_id, model, user_id, dimensions, hash, vector, updated_at)"
                  " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (item_type, item_id, model) DO UPDATE SET"
                  " user_id = excluded.user_id, dimensions = excluded.dimensions, hash = excluded.hash,"
                  " vector = excluded.vector, updated_at = excluded.updated_at",
                  p_text(v->type), p_int(v->id), p_text(model), p_int(v->user_id), p_int((int64_t)v->dimensions),
                  p_text(v->hash), p_blob(v->values, v->dimensions * sizeof *v->values), p_int(now_ms));
}

/* NULL when the blob is not `dimensions` numbers long: a foreign hand wrote it. */
static float *read_vector(struct stmt *s, int column, struct arena *arena, size_t dimensions)
{
    size_t bytes;
    const void *blob = db_blob(s, column, &bytes);
    if (bytes != dimensions * sizeof(float))
        return NULL;
    float *values = arena_alloc(arena, bytes);
    memcpy(values, blob, bytes);
    return values;
}

enum status vector_get(struct db *db, struct arena *arena, const char *type, int64_t id, const char *model,
                       size_t dimensions, const char **hash, float **values, bool *found, struct error *error)
{
    struct stmt *s = db_query(db,
                              "SELECT hash, vector FROM vectors WHERE item_type = $1 AND item_id = $2 AND model = $3"
                              " AND dimensions = $4",
                              p_text(type), p_int(id), p_text(model), p_int((int64_t)dimensions));
    *found = false;
    if (db_step(s)) {
        *hash = arena_strdup(arena, db_text(s, 0));
        *values = read_vector(s, 1, arena, dimensions);
        *found = *values != NULL;
    }
    return db_done(s, error);
}

static enum status read_page(struct db *db, struct arena *arena, int64_t user_id, const char *model, size_t dimensions,
                             bool without_values, struct vector *after, struct vector *page, size_t *count,
                             struct error *error)
{
    struct stmt *s = db_query(db,
                              without_values ? "SELECT item_type, item_id, hash FROM vectors WHERE user_id = $1"
                                               " AND model = $2 AND dimensions = $3 AND (item_type > $4 OR"
                                               " (item_type = $4 AND item_id > $5))"
                                               " ORDER BY item_type, item_id LIMIT $6"
                                             : "SELECT item_type, item_id, hash, vector FROM vectors WHERE"
                                               " user_id = $1 AND model = $2 AND dimensions = $3 AND (item_type > $4 OR"
                                               " (item_type = $4 AND item_id > $5))"
                                               " ORDER BY item_type, item_id LIMIT $6",
                              p_int(user_id), p_text(model), p_int((int64_t)dimensions), p_text(after->type),
                              p_int(after->id), p_int(PAGE_ROWS));
    *count = 0;
    while (*count < PAGE_ROWS && db_step(s)) {
        page[(*count)++] = (struct vector){ .type = arena_strdup(arena, db_text(s, 0)),
                                            .id = db_int(s, 1),
                                            .user_id = user_id,
                                            .hash = arena_strdup(arena, db_text(s, 2)),
                                            .values = without_values ? NULL : read_vector(s, 3, arena, dimensions),
                                            .dimensions = dimensions };
    }
    return db_done(s, error);
}

enum status vector_each(struct db *db, int64_t user_id, const char *model, size_t dimensions, bool without_values,
                        bool (*fn)(const struct vector *, void *arg), void *arg, struct error *error)
{
    char type[32] = "";
    struct vector after = { .type = type };
    for (size_t count = PAGE_ROWS; count == PAGE_ROWS;) {
        struct arena *arena = arena_new();
        struct vector *page = arena_alloc(arena, PAGE_ROWS * sizeof *page);
        enum status st = read_page(db, arena, user_id, model, dimensions, without_values, &after, page, &count, error);
        bool more = st == OK;
        for (size_t i = 0; more && i < count; i++)
            if (without_values || page[i].values)
                more = fn(&page[i], arg);
        if (count > 0) {
            snprintf(type, sizeof type, "%s", page[count - 1].type);
            after.id = page[count - 1].id;
        }
        arena_free(arena);
        if (!more)
            return st;
    }
    return OK;
}

enum status vector_model(struct db *db, struct arena *arena, int64_t user_id, const char **model, size_t *dimensions,
                         struct error *error)
{
    struct stmt *s =
        db_query(db,
                 "SELECT model, dimensions FROM vectors WHERE user_id = $1 GROUP BY model, dimensions"
                 " ORDER BY count(*) DESC, CASE WHEN model LIKE 'builtin%' THEN 1 ELSE 0 END, model LIMIT 1",
                 p_int(user_id));
    *model = NULL;
    if (db_step(s)) {
        *model = arena_strdup(arena, db_text(s, 0));
        *dimensions = (size_t)db_int(s, 1);
    }
    return db_done(s, error);
}

enum status vectors_prune(struct db *db, const char *model, int64_t before_ms, struct error *error)
{
    char sql[256];
    enum status st = OK;
    for (int type = 0; type < RECALL_TYPES && st == OK; type++) {
        const char *table = type == RECALL_TASK   ? "tasks"
                            : type == RECALL_NOTE ? "notes"
                                                  : health_tables[type - RECALL_HEALTH].table;
        snprintf(sql, sizeof sql,
                 "DELETE FROM vectors WHERE item_type = $1 AND item_id IN (SELECT id FROM %s WHERE deleted_at < $2)",
                 table);
        st = db_run(db, error, sql, p_text(recall_type_name(type)), p_int(before_ms));
    }
    if (st == OK)
        st = db_run(db, error,
                    /* the inner list comes from the index alone: a walk through the rows reads every vector */
                    "DELETE FROM vectors WHERE (item_type, item_id, model) IN (SELECT f.item_type, f.item_id, f.model"
                    " FROM vectors f WHERE f.model <> $1) AND updated_at < $2 AND EXISTS (SELECT 1 FROM vectors v WHERE"
                    " v.item_type = vectors.item_type AND v.item_id = vectors.item_id AND v.model = $1)",
                    p_text(model), p_int(before_ms));
    return st;
}

/* --- rows --- */

int recall_type_find(const char *name)
{
    for (int type = 0; type < RECALL_TYPES; type++)
        if (strcmp(recall_type_name(type), name) == 0)
            return type;
    return -1;
}

static enum status get_content(struct db *db, struct arena *arena, int64_t user_id, int type, int64_t id,
                               struct recall_row *row, bool *found, struct error *error)
{
    const char *sql = type == RECALL_TASK
                          ? "SELECT t.content, " CATEGORY_PATH_SQL("t") ", t.created_date, t.due_date, t.completed"
                                                                        " FROM tasks t WHERE t.id = $1"
                                                                        " AND t.user_id = $2 AND t.deleted_at IS NULL"
                          : "SELECT n.content, " CATEGORY_PATH_SQL("n") ", n.created_date, NULL, 0 FROM notes n"
                                                                        " WHERE n.id = $1 AND n.user_id = $2"
                                                                        " AND n.deleted_at IS NULL";
    struct stmt *s = db_query(db, sql, p_int(id), p_int(user_id));
    *found = db_step(s);
    if (*found)
        *row = (struct recall_row){
            .type = type,
            .id = id,
            .content = arena_strdup(arena, db_text(s, 0)),
            .category = arena_strdup(arena, db_text_or_null(s, 1)),
            .created_date = arena_strdup(arena, db_text(s, 2)),
            .date = arena_strdup(arena, db_text_or_null(s, 3)),
            .completed = db_int(s, 4) != 0,
        };
    return db_done(s, error);
}

enum status recall_row_get(struct db *db, struct arena *arena, int64_t user_id, int type, int64_t id,
                           struct recall_row *row, bool *found, struct error *error)
{
    if (type < RECALL_HEALTH)
        return get_content(db, arena, user_id, type, id, row, found, error);
    struct health_query q = { .kind = (enum health_kind)(type - RECALL_HEALTH), .user_id = user_id, .id = id };
    struct health_log log;
    enum status st = health_first(db, arena, &q, &log, found, error);
    if (st == OK && *found)
        *row = (struct recall_row){ .type = type,
                                    .id = id,
                                    .content = health_sentence(arena, &log),
                                    .date = log.date,
                                    .created_date = log.created_date };
    return st;
}
