/* SPDX-License-Identifier: MIT
 * recall: see recall.h.  Here: the users, the matrix and its snapshot, and what the background lane asks. */
#include "embeddings/recall.h"
#include "base/arena.h"
#include "embeddings/recall_internal.h"
#include "embeddings/snapshot.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct recall *recall_new(const struct recall_options *o)
{
    struct recall *r = xcalloc(1, sizeof *r);
    r->options = (struct recall_options){ .model = o->model ? xstrdup(o->model) : NULL,
                                          .dimensions = o->dimensions,
                                          .cache = o->cache ? xstrdup(o->cache) : NULL,
                                          .snapshot = o->snapshot ? xstrdup(o->snapshot) : NULL };
    pthread_mutex_init(&r->lock, NULL);
    return r;
}

void recall_free(struct recall *r)
{
    if (!r)
        return;
    matrix_free(atomic_load(&r->matrix));
    atomic_store(&r->matrix, NULL);
    for (struct recall_user *u = r->users, *next; u; u = next) {
        next = u->next;
        recall_user_clear(r, u);
        pthread_mutex_destroy(&u->lock);
        free(u);
    }
    pthread_mutex_destroy(&r->lock);
    free((char *)r->options.model);
    free((char *)r->options.cache);
    free((char *)r->options.snapshot);
    free((char *)r->matrix_name);
    free(r);
}

static struct recall_user *first_user(struct recall *r)
{
    pthread_mutex_lock(&r->lock);
    struct recall_user *u = r->users; /* users are only ever added in front */
    pthread_mutex_unlock(&r->lock);
    return u;
}

struct recall_user *recall_user_of(struct recall *r, int64_t user_id)
{
    pthread_mutex_lock(&r->lock);
    struct recall_user *u = r->users;
    while (u && u->user_id != user_id)
        u = u->next;
    if (!u) {
        u = xcalloc(1, sizeof *u);
        u->user_id = user_id;
        pthread_mutex_init(&u->lock, NULL);
        u->next = r->users;
        r->users = u;
    }
    pthread_mutex_unlock(&r->lock);
    atomic_store(&u->used_at_ms, clock_mono_ms());
    return u;
}

/* Too many documents in memory: drop the user not asked for longest, unless it is this one. */
static void make_room(struct recall *r, const struct recall_user *keep)
{
    struct recall_user *oldest = NULL;
    uint64_t sum = 0;
    pthread_mutex_lock(&r->lock);
    for (struct recall_user *u = r->users; u; u = u->next) {
        uint64_t documents = atomic_load(&u->documents);
        sum += documents;
        if (u != keep && documents > 0 && (!oldest || atomic_load(&u->used_at_ms) < atomic_load(&oldest->used_at_ms)))
            oldest = u;
    }
    pthread_mutex_unlock(&r->lock);
    if (sum <= RECALL_DOCUMENTS_MAX || !oldest || pthread_mutex_trylock(&oldest->lock) != 0)
        return;
    recall_user_clear(r, oldest);
    pthread_mutex_unlock(&oldest->lock);
}

enum status recall_sync(struct recall *r, struct db *db, int64_t user_id, struct error *error)
{
    struct recall_user *u = recall_user_of(r, user_id);
    pthread_mutex_lock(&u->lock);
    enum status st = recall_user_sync(r, u, db, error);
    pthread_mutex_unlock(&u->lock);
    make_room(r, u);
    return st;
}

/* --- the matrix and its snapshot --- */

static struct matrix_options matrix_options_of(const struct recall *r)
{
    return (struct matrix_options){ .model = r->matrix_name ? r->matrix_name : r->options.model,
                                    .dimensions = r->options.dimensions,
                                    .rows_dir = r->options.cache,
                                    .threads = 2 };
}

struct matrix *recall_matrix(struct recall *r)
{
    pthread_mutex_lock(&r->lock);
    struct matrix *m = atomic_load(&r->matrix);
    if (!m && r->options.model) {
        struct matrix_options o = matrix_options_of(r);
        struct error ignored;
        if (matrix_new(&o, &m, &ignored) != OK) {
            o.rows_dir = NULL; /* a folder that cannot be written to: in memory then */
            if (matrix_new(&o, &m, &ignored) != OK)
                m = NULL;
        }
        atomic_store(&r->matrix, m);
    }
    pthread_mutex_unlock(&r->lock);
    return m;
}

/* Names database and model, as the snapshot does; under the lock. */
static bool name_matrix(struct recall *r, struct db *db)
{
    struct arena *arena = arena_new();
    const char *id = NULL;
    struct error ignored;
    if (!r->matrix_name && r->options.model && feed_database_id(db, arena, &id, &ignored) == OK)
        r->matrix_name = xstrdup(arena_printf(arena, "%s:%s", id, r->options.model));
    arena_free(arena);
    return r->matrix_name != NULL;
}

bool recall_rests(struct recall *r, struct db *db, int64_t *position)
{
    struct snapshot_state state = { 0 };
    struct error ignored;
    bool reaches = false;
    pthread_mutex_lock(&r->lock);
    struct matrix_options o = { 0 };
    bool named = name_matrix(r, db) && r->options.snapshot;
    if (named)
        o = matrix_options_of(r);
    pthread_mutex_unlock(&r->lock);
    if (!named || snapshot_peek(r->options.snapshot, &o, &state, &ignored) != OK || !state.complete ||
        state.mark <= 0 || feed_reaches(db, state.mark, &reaches, &ignored) != OK)
        return false;
    *position = state.mark;
    return reaches;
}

void recall_load(struct recall *r, struct db *db)
{
    struct matrix *m = NULL;
    struct snapshot_state state = { 0 };
    struct error ignored;
    bool reaches = false;
    pthread_mutex_lock(&r->lock);
    if (!r->begun && name_matrix(r, db) && r->options.snapshot) {
        struct matrix_options o = matrix_options_of(r);
        if (snapshot_load(r->options.snapshot, &o, &m, &state, &ignored) != OK)
            m = NULL; /* none, of another database or model, or damaged: everything is read from the database */
        if (m && (feed_reaches(db, state.mark, &reaches, &ignored) != OK || !reaches || state.mark <= 0)) {
            matrix_free(m);
            m = NULL;
        }
    }
    r->begun = true;
    if (m) {
        r->mark = state.mark;
        atomic_store(&r->matrix, m);
    }
    pthread_mutex_unlock(&r->lock);
}

enum status recall_save(struct recall *r, const struct recall_saving *what, struct error *error)
{
    struct matrix *m = atomic_load(&r->matrix);
    struct matrix_usage usage;
    int64_t mark = what->position;
    uint64_t missing = 0;
    if (!m || !r->options.snapshot || !r->matrix_name)
        return OK;
    matrix_usage(m, &usage);
    if (usage.items == 0)
        return OK;
    for (struct recall_user *u = first_user(r); u; u = u->next) {
        pthread_mutex_lock(&u->lock);
        int64_t position = u->loaded ? u->position : r->mark;
        mark = position < mark ? position : mark;
        missing += atomic_load(&u->wanted) + atomic_load(&u->given_up) + !u->loaded;
        pthread_mutex_unlock(&u->lock);
    }
    if (mark <= 0)
        return OK; /* somebody's rows are being read for the first time */
    const struct snapshot_saving saving = { .path = r->options.snapshot,
                                            .state = { .mark = mark, .complete = missing == 0 },
                                            .settle = what->settle,
                                            .arg = what->arg };
    return snapshot_save(m, &saving, error);
}

/* --- what the lane asks --- */

static bool item_wanted(const struct item *item)
{
    return item && item->key > 0 && !item->fresh && !item->given_up;
}

/* There were more than the list holds: the items tell; it begins anew when few are left. */
static void wants_refill(struct recall_user *u)
{
    u->wants = 0;
    u->wants_more = false;
    for (size_t i = 0; i < u->slots && !u->wants_more; i++)
        if (item_wanted(&u->slot[i])) {
            u->wants_more = u->wants == WANT_MAX;
            if (!u->wants_more)
                u->want[u->wants++] = u->slot[i].key;
        }
}

static int compare_keys(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Drops from the list what is not wanted any more, and what is in it twice. */
static void wants_tidy(struct recall_user *u)
{
    size_t kept = 0;
    qsort(u->want, u->wants, sizeof u->want[0], compare_keys);
    for (size_t i = 0; i < u->wants; i++)
        if (item_wanted(recall_item(u, u->want[i])) && (kept == 0 || u->want[kept - 1] != u->want[i]))
            u->want[kept++] = u->want[i];
    u->wants = kept;
}

static size_t wanted_of(struct recall_user *u, struct recall_wanted *out, size_t max)
{
    size_t count = 0;
    pthread_mutex_lock(&u->lock);
    wants_tidy(u);
    if (u->wants_more && u->wants < max)
        wants_refill(u);
    for (; count < u->wants && count < max; count++)
        out[count] = (struct recall_wanted){ u->user_id, item_type(u->want[count]), item_id(u->want[count]) };
    pthread_mutex_unlock(&u->lock);
    return count;
}

size_t recall_wanted(struct recall *r, struct recall_wanted *out, size_t max)
{
    size_t count = 0;
    if (!r->options.model)
        return 0;
    for (struct recall_user *u = first_user(r); u && count < max; u = u->next)
        if (atomic_load(&u->wanted) > 0)
            count += wanted_of(u, out + count, max - count);
    return count;
}

size_t recall_wanted_count(struct recall *r)
{
    size_t count = 0;
    for (struct recall_user *u = first_user(r); u && r->options.model; u = u->next)
        count += atomic_load(&u->wanted);
    return count;
}

void recall_give_up(struct recall *r, const struct recall_wanted *w)
{
    struct recall_user *u = recall_user_of(r, w->user_id);
    pthread_mutex_lock(&u->lock);
    struct item *item = recall_item(u, item_key(w->type, w->id));
    if (item && !item->fresh && !item->given_up) {
        item->given_up = true;
        atomic_fetch_sub(&u->wanted, 1);
        atomic_fetch_add(&u->given_up, 1);
    }
    pthread_mutex_unlock(&u->lock);
}

void recall_want_all(struct recall *r)
{
    for (struct recall_user *u = first_user(r); u; u = u->next) {
        pthread_mutex_lock(&u->lock);
        for (size_t i = 0; i < u->slots; i++)
            u->slot[i].fresh = u->slot[i].given_up = false;
        atomic_store(&u->wanted, atomic_load(&u->documents));
        u->wants_more = true;
        atomic_store(&u->given_up, 0);
        pthread_mutex_unlock(&u->lock);
    }
}

void recall_usage(struct recall *r, struct recall_usage *out)
{
    struct matrix *m = atomic_load(&r->matrix);
    struct matrix_usage usage = { 0 };
    *out = (struct recall_usage){ .loads = atomic_load(&r->loads) };
    if (m)
        matrix_usage(m, &usage);
    out->vectors = usage.items;
    for (struct recall_user *u = first_user(r); u; u = u->next) {
        out->users++;
        out->documents += atomic_load(&u->documents);
        out->wanted += r->options.model ? atomic_load(&u->wanted) : 0;
        out->given_up += atomic_load(&u->given_up);
    }
}
