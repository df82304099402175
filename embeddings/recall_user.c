/* SPDX-License-Identifier: MIT
 * recall_user: one person's live index: read whole once, then kept true by the change feed.  Called under the user's
 * lock, with a transaction of the caller.  A row that comes again from the feed is read again: that is harmless. */
#include "embeddings/recall_internal.h"
#include "base/hash.h"
#include "base/limits.h"
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BRIEF_BYTES_MAX = 400,  /* a chat turn; longer notes stand for themselves */
    TRIM_DOCUMENTS = 10000, /* reading so many rows leaves megabytes worth giving back */
};

/* --- items --- */

static uint64_t mix(uint64_t h)
{
    h ^= h >> 33;
    h *= 0xFF51AFD7ED558CCDu;
    return h ^ (h >> 33);
}

struct item *recall_item(struct recall_user *u, int64_t key)
{
    for (size_t i = mix((uint64_t)key); u->slots > 0; i++) {
        struct item *item = &u->slot[i & (u->slots - 1)];
        if (item->key == key)
            return item;
        if (item->key == 0)
            break;
    }
    return NULL;
}

static struct item *free_slot(struct recall_user *u, int64_t key)
{
    size_t i = mix((uint64_t)key);
    while (u->slot[i & (u->slots - 1)].key != 0)
        i++;
    u->used++;
    return &u->slot[i & (u->slots - 1)];
}

static void items_grow(struct recall_user *u)
{
    struct item *old = u->slot;
    size_t slots = u->slots, room = 64;
    while (room < atomic_load(&u->documents) * 2 + 2)
        room *= 2;
    u->slot = xcalloc(room, sizeof *u->slot);
    u->slots = room;
    u->used = 0;
    for (size_t i = 0; i < slots; i++)
        if (old[i].key > 0)
            *free_slot(u, old[i].key) = old[i];
    free(old);
}

static void want(struct recall_user *u, int64_t key)
{
    atomic_fetch_add(&u->wanted, 1);
    if (u->wants < WANT_MAX)
        u->want[u->wants++] = key;
    else
        u->wants_more = true;
}

static struct item *item_add(struct recall_user *u, int64_t key)
{
    if (u->used * 4 >= u->slots * 3)
        items_grow(u);
    struct item *item = free_slot(u, key);
    *item = (struct item){ .key = key };
    atomic_fetch_add(&u->documents, 1);
    want(u, key);
    return item;
}

/* The counters follow the flags. */
static void item_mark(struct recall_user *u, struct item *item, bool fresh, bool given_up)
{
    bool wanted = !item->fresh && !item->given_up, wants = !fresh && !given_up;
    if (wanted && !wants)
        atomic_fetch_sub(&u->wanted, 1);
    if (!wanted && wants)
        want(u, item->key);
    if (item->given_up && !given_up)
        atomic_fetch_sub(&u->given_up, 1);
    if (!item->given_up && given_up)
        atomic_fetch_add(&u->given_up, 1);
    item->fresh = fresh;
    item->given_up = given_up;
}

/* --- what filters need --- */

static int32_t day_of(const char *text, int64_t *at_ms)
{
    struct civil at;
    char head[20];
    size_t len = strnlen(text, sizeof head - 1);
    memcpy(head, text, len);
    head[len] = '\0';
    if (!civil_parse(head, &at)) {
        *at_ms = 0;
        return MATRIX_DAY_NONE;
    }
    int64_t seconds = civil_seconds(&at);
    *at_ms = seconds * 1000;
    return (int32_t)(seconds >= 0 ? seconds / 86400 : -((86399 - seconds) / 86400));
}

static uint16_t category_of(struct recall_user *u, const char *path)
{
    if (!path)
        return 0;
    for (size_t i = u->categories; i-- > 0;)
        if (strcmp(u->category[i], path) == 0)
            return (uint16_t)(i + 1);
    if (u->categories == UINT16_MAX - 1)
        return 0; /* 65,534 renames in one life of the process */
    u->category = xrealloc(u->category, (u->categories + 1) * sizeof *u->category);
    u->category[u->categories++] = xstrdup(path);
    return (uint16_t)u->categories;
}

struct matrix_item recall_matrix_item(const struct recall_user *u, const struct item *item)
{
    return (struct matrix_item){ .user = u->user_id,
                                 .id = item_id(item->key),
                                 .type = (uint32_t)item_type(item->key),
                                 .day = item->day,
                                 .category = item->category,
                                 .done = item->completed };
}

/* --- one row --- */

/* "task 83", "note 21", "sleep log 4": "sleep 4 hours" names no row. */
static void index_words(struct recall_user *u, struct arena *arena, const struct recall_row *row, struct item *item)
{
    const char *text =
        arena_printf(arena, "%s\n%s %s", row->content, row->category ? row->category : "", row->date ? row->date : "");
    uint64_t hash = mix(hash_bytes(text, strlen(text)));
    if (item->words_hash == hash)
        return;
    lexical_add(u->lexical, item->key,
                arena_printf(arena, "%s %s%lld", recall_type_name(row->type), row->type < RECALL_HEALTH ? "" : "log ",
                             (long long)row->id),
                text);
    item->words_hash = hash;
}

static uint64_t short_hash(const char *hash)
{
    char head[17];
    snprintf(head, sizeof head, "%.16s", hash);
    return strtoull(head, NULL, 16);
}

static struct item *index_row(struct recall_user *u, struct arena *arena, const struct recall_row *row)
{
    int64_t key = item_key(row->type, row->id), ignored;
    struct item *item = recall_item(u, key);
    char hash[VECTOR_HASH_BYTES];
    if (!item)
        item = item_add(u, key);
    index_words(u, arena, row, item);
    vector_hash(vector_text(arena, row), hash);
    if (item->hash != short_hash(hash)) {
        item->hash = short_hash(hash);
        item_mark(u, item, item->fresh, false);
    }
    item->day = day_of(row->created_date, &item->created_ms);
    item->dated = row->date != NULL;
    if (row->date)
        item->day = day_of(row->date, &ignored);
    item->category = category_of(u, row->category);
    item->completed = row->completed;
    item->brief = row->type == RECALL_NOTE && strlen(row->content) <= BRIEF_BYTES_MAX;
    free(u->note);
    u->note = NULL;
    return item;
}

static void matrix_drop(struct recall *r, const struct recall_user *u, int64_t key)
{
    struct matrix *m = atomic_load(&r->matrix);
    struct error ignored;
    if (m && matrix_remove(m, u->user_id, (uint32_t)item_type(key), item_id(key), &ignored) != OK)
        return; /* it was not there */
}

static void forget_row(struct recall *r, struct recall_user *u, int64_t key)
{
    struct item *item = recall_item(u, key);
    matrix_drop(r, u, key);
    if (!item)
        return;
    (void)lexical_remove(u->lexical, key);
    item_mark(u, item, true, false); /* not wanted any more */
    *item = (struct item){ .key = -1 };
    atomic_fetch_sub(&u->documents, 1);
    free(u->note);
    u->note = NULL;
}

static void put_vector(struct recall *r, struct recall_user *u, struct item *item, const float *values)
{
    struct matrix *m = recall_matrix(r);
    struct matrix_item description = recall_matrix_item(u, item);
    struct error ignored;
    bool in = m && matrix_put(m, &description, values, &ignored) == OK;
    item_mark(u, item, in, !in); /* not in: a foreign hand wrote it, or the matrix is full */
}

/* The vector of an indexed row, as the database has it now. */
static enum status refresh_vector(struct recall *r, struct recall_user *u, struct db *db, struct arena *arena,
                                  struct item *item, bool rewritten, struct error *error)
{
    const char *hash = NULL;
    float *values = NULL;
    bool found;
    if (!r->options.model)
        return OK;
    enum status st = vector_get(db, arena, recall_type_name(item_type(item->key)), item_id(item->key), r->options.model,
                                r->options.dimensions, &hash, &values, &found, error);
    if (st != OK)
        return st;
    struct matrix *m = atomic_load(&r->matrix);
    struct matrix_item description = recall_matrix_item(u, item);
    struct error ignored;
    if (!found || short_hash(hash) != item->hash) {
        matrix_drop(r, u, item->key);
        item_mark(u, item, false, item->given_up);
    } else if (rewritten || !item->fresh || !m || matrix_set(m, &description, &ignored) != OK) {
        put_vector(r, u, item, values);
    }
    return OK;
}

static enum status apply(struct recall *r, struct recall_user *u, struct db *db, const struct feed_change *c,
                         struct error *error)
{
    struct arena *arena = arena_new();
    struct recall_row row;
    bool found;
    enum status st = recall_row_get(db, arena, u->user_id, c->type, c->id, &row, &found, error);
    if (st == OK && !found)
        forget_row(r, u, item_key(c->type, c->id));
    else if (st == OK)
        st = refresh_vector(r, u, db, arena, index_row(u, arena, &row), c->vector, error);
    arena_free(arena);
    return st;
}

/* --- all rows --- */

void recall_user_clear(struct recall *r, struct recall_user *u)
{
    struct matrix *m = atomic_load(&r->matrix);
    if (m && !u->trusted)
        matrix_remove_user(m, u->user_id);
    lexical_free(u->lexical);
    for (size_t i = 0; i < u->categories; i++)
        free(u->category[i]);
    free(u->category);
    free(u->slot);
    free(u->note);
    u->lexical = NULL;
    u->category = NULL;
    u->slot = NULL;
    u->note = NULL;
    u->categories = u->slots = u->used = 0;
    u->loaded = false;
    atomic_store(&u->documents, 0);
    atomic_store(&u->wanted, 0);
    u->wants = 0;
    u->wants_more = false;
    atomic_store(&u->given_up, 0);
}

struct loading {
    struct recall *r;
    struct recall_user *u;
    size_t missing;
};

/* Names and hashes: which items are in the matrix already? */
static bool take_hash(const struct vector *v, void *arg)
{
    struct loading *l = arg;
    int type = recall_type_find(v->type);
    struct item *item = type >= 0 ? recall_item(l->u, item_key(type, v->id)) : NULL;
    struct matrix *m = atomic_load(&l->r->matrix);
    struct error ignored;
    if (!item || short_hash(v->hash) != item->hash)
        return true;
    struct matrix_item description = recall_matrix_item(l->u, item);
    bool in = l->u->trusted && m && matrix_set(m, &description, &ignored) == OK;
    item_mark(l->u, item, in, false);
    l->missing += !in;
    return true;
}

static bool take_values(const struct vector *v, void *arg)
{
    struct loading *l = arg;
    int type = recall_type_find(v->type);
    struct item *item = type >= 0 ? recall_item(l->u, item_key(type, v->id)) : NULL;
    if (item && !item->fresh && short_hash(v->hash) == item->hash)
        put_vector(l->r, l->u, item, v->values);
    return true;
}

/* What the snapshot holds of this user and has changed since is taken out. */
static enum status distrust_changes(struct recall *r, struct recall_user *u, struct db *db, struct error *error)
{
    struct arena *arena = arena_new();
    struct feed_change *change;
    size_t count;
    int64_t next;
    bool lost;
    enum status st = feed_read(db, arena, u->user_id, r->mark, &change, &count, &next, &lost, error);
    u->trusted = st == OK && !lost;
    for (size_t i = 0; u->trusted && i < count; i++)
        matrix_drop(r, u, item_key(change[i].type, change[i].id));
    arena_free(arena);
    return st;
}

static enum status load_vectors(struct recall *r, struct recall_user *u, struct db *db, struct error *error)
{
    struct loading l = { r, u, 0 };
    if (!r->options.model)
        return OK;
    enum status st = vector_each(db, u->user_id, r->options.model, r->options.dimensions, true, take_hash, &l, error);
    if (st == OK && l.missing > 0)
        st = vector_each(db, u->user_id, r->options.model, r->options.dimensions, false, take_values, &l, error);
    return st;
}

static enum status load_rows(struct recall_user *u, struct db *db, struct error *error)
{
    struct arena *arena = arena_new();
    struct recall_row *row;
    size_t count;
    enum status st = recall_rows(db, arena, u->user_id, RECALL_ALL, &row, &count, error);
    u->lexical = lexical_new(NULL);
    for (size_t i = 0; st == OK && i < count; i++) {
        struct arena *scratch = arena_new();
        index_row(u, scratch, &row[i]);
        arena_free(scratch);
    }
    arena_free(arena);
    if (count > TRIM_DOCUMENTS)
        malloc_trim(0);
    return st;
}

enum status recall_user_load(struct recall *r, struct recall_user *u, struct db *db, struct error *error)
{
    enum status st = OK;
    recall_load(r, db);
    u->trusted = u->trusted || (!u->met && r->mark > 0);
    u->met = true;
    if (u->trusted) /* the first time, on top of a snapshot */
        st = distrust_changes(r, u, db, error);
    recall_user_clear(r, u);
    if (st == OK)
        st = feed_position(db, &u->position, error);
    if (st == OK)
        st = feed_window(db, u->user_id, u->position, &u->window_count, &u->window_newest, error);
    if (st == OK)
        st = load_rows(u, db, error);
    if (st == OK)
        st = load_vectors(r, u, db, error);
    u->trusted = false;
    if (st != OK)
        recall_user_clear(r, u);
    u->loaded = st == OK;
    atomic_fetch_add(&r->loads, 1);
    return st;
}

/* Too many changes to look at one by one: are they those of the last reading of all rows? */
static enum status nothing_new(const struct recall_user *u, struct db *db, bool *known, struct error *error)
{
    int64_t count = 0, newest = 0;
    bool reaches = false;
    enum status st = feed_reaches(db, u->position, &reaches, error);
    if (st == OK)
        st = feed_window(db, u->user_id, u->position, &count, &newest, error);
    *known = st == OK && reaches && count == u->window_count && newest == u->window_newest && count > 0;
    return st;
}

enum status recall_user_sync(struct recall *r, struct recall_user *u, struct db *db, struct error *error)
{
    struct arena *arena;
    struct feed_change *change;
    size_t count = 0;
    int64_t next;
    bool lost, known = false;
    if (!u->loaded)
        return recall_user_load(r, u, db, error);
    arena = arena_new();
    enum status st = feed_read(db, arena, u->user_id, u->position, &change, &count, &next, &lost, error);
    if (st == OK && lost) {
        arena_free(arena);
        st = nothing_new(u, db, &known, error);
        return st != OK || known ? st : recall_user_load(r, u, db, error);
    }
    for (size_t i = 0; i < count && st == OK; i++)
        st = apply(r, u, db, &change[i], error);
    if (st == OK)
        u->position = next;
    arena_free(arena);
    return st;
}

enum status recall_fill(struct recall *r, struct db *db, int64_t user_id, size_t max, struct error *error)
{
    struct recall_user *u = recall_user_of(r, user_id);
    float values[EMBED_BUILTIN_DIMENSIONS];
    enum status st = OK;
    pthread_mutex_lock(&u->lock);
    for (size_t i = 0; i < u->slots && max > 0 && st == OK; i++) {
        struct item *item = &u->slot[i];
        struct arena *arena = arena_new();
        struct recall_row row;
        bool found = false;
        if (item->key > 0 && !item->fresh && !item->given_up)
            st = recall_row_get(db, arena, user_id, item_type(item->key), item_id(item->key), &row, &found, error);
        if (st == OK && found) {
            embed_builtin(vector_text(arena, &row), values);
            put_vector(r, u, item, values);
            max--;
        }
        arena_free(arena);
    }
    pthread_mutex_unlock(&u->lock);
    return st;
}

/* --- sessions --- */

static int compare_notes(const void *a, const void *b)
{
    const struct session_note *x = a, *y = b;
    if (x->created_ms != y->created_ms)
        return x->created_ms < y->created_ms ? -1 : 1;
    return x->key < y->key ? -1 : x->key > y->key;
}

void recall_user_sessions(struct recall_user *u)
{
    if (u->note)
        return;
    u->note = xmalloc((atomic_load(&u->documents) + 1) * sizeof *u->note);
    u->notes = 0;
    for (size_t i = 0; i < u->slots; i++)
        if (u->slot[i].key > 0 && u->slot[i].brief)
            u->note[u->notes++] = (struct session_note){ u->slot[i].created_ms, u->slot[i].key };
    qsort(u->note, u->notes, sizeof *u->note, compare_notes);
}
