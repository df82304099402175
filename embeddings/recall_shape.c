/* SPDX-License-Identifier: MIT
 * recall_shape: what happens to a scored list: neighbours in a conversation gain, age counts where it was asked for,
 * what is said twice is shown once.  Under the user's lock; pure but for the index. */
#include "embeddings/recall_find.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    COLLAPSE_MAX = 50,    /* best hits compared with each other */
    SESSION_MS = 1800000, /* a pause this long ends a session */
    SESSION_MAX = 100,    /* more notes in one are an import, not a conversation */
};
#define NEXT_SHARE 0.5 /* of a note's score, for the note after it in a session; LoCoMo10: recall@10 55.8 -> 65.8 */
#define PREVIOUS_SHARE 0.25
#define DUPLICATE_COSINE 0.97
#define HALF_LIFE_DAYS 30.0

/* --- sessions --- */

static struct candidate *candidate_of(struct find *f, int64_t key, size_t known)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->list[i].key == key)
            return &f->list[i];
    const struct item *item = recall_item(f->user, key);
    if (!item || !recall_admits(f, item) || f->count >= known + 2 * RECALL_SOURCES_MAX)
        return NULL;
    f->list[f->count] = (struct candidate){ .key = key };
    return &f->list[f->count++];
}

static bool same_session(const struct recall_user *u, size_t a, size_t b)
{
    return b < u->notes && a < u->notes && llabs(u->note[b].created_ms - u->note[a].created_ms) <= SESSION_MS;
}

/* Notes of the session around `at`, counted up to SESSION_MAX + 1. */
static size_t session_size(const struct recall_user *u, size_t at)
{
    size_t n = 1;
    for (size_t i = at; n <= SESSION_MAX && i > 0 && same_session(u, i, i - 1); i--)
        n++;
    for (size_t i = at; n <= SESSION_MAX && same_session(u, i, i + 1); i++)
        n++;
    return n;
}

static size_t note_place(const struct recall_user *u, int64_t key, int64_t created_ms)
{
    size_t low = 0, high = u->notes;
    while (low < high) {
        size_t mid = (low + high) / 2;
        bool before =
            u->note[mid].created_ms != created_ms ? u->note[mid].created_ms < created_ms : u->note[mid].key < key;
        if (before)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

void recall_spread(struct find *f)
{
    size_t known = f->count, sources = known < RECALL_SOURCES_MAX ? known : RECALL_SOURCES_MAX;
    struct recall_user *u = f->user;
    struct candidate source[RECALL_SOURCES_MAX];
    recall_user_sessions(u);
    qsort(f->list, known, sizeof *f->list, recall_compare_scores);
    memcpy(source, f->list, sources * sizeof *source);
    for (size_t i = 0; i < sources; i++) {
        const struct item *item = recall_item(u, source[i].key);
        if (!item || !item->brief || source[i].named)
            continue;
        size_t at = note_place(u, item->key, item->created_ms);
        if (at >= u->notes || session_size(u, at) > SESSION_MAX)
            continue;
        struct candidate *next = same_session(u, at, at + 1) ? candidate_of(f, u->note[at + 1].key, known) : NULL;
        if (next)
            next->score += NEXT_SHARE * source[i].score;
        struct candidate *before =
            at > 0 && same_session(u, at, at - 1) ? candidate_of(f, u->note[at - 1].key, known) : NULL;
        if (before)
            before->score += PREVIOUS_SHARE * source[i].score;
    }
}

/* --- recency, only when asked for --- */

void recall_weigh_by_age(struct find *f)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct item *item = recall_item(f->user, f->list[i].key);
        int64_t at_ms = !item ? 0 : item->dated ? item->day * (int64_t)86400000 : item->created_ms;
        double days = (double)(f->query->now_ms - at_ms) / 86400000.0;
        f->list[i].score *= 0.5 + 0.5 * exp2(-fmax(0, days) / HALF_LIFE_DAYS);
    }
}

/* --- doubles --- */

/* Hits that say the same as a better one.  One Gram matrix of the best. */
void recall_collapse(struct find *f, struct matrix *m)
{
    uint32_t d = f->recall->options.dimensions;
    size_t n = f->count < COLLAPSE_MAX ? f->count : COLLAPSE_MAX, kept = 0, with = 0;
    float *rows = m ? arena_alloc(f->arena, n * d * sizeof *rows) : NULL;
    float *gram = m ? arena_alloc(f->arena, n * n * sizeof *gram) : NULL;
    size_t place[COLLAPSE_MAX];
    uint64_t hash[COLLAPSE_MAX];
    bool drop[COLLAPSE_MAX] = { 0 };
    struct error ignored;
    for (size_t i = 0; i < n; i++) {
        int64_t key = f->list[i].key;
        const struct item *item = recall_item(f->user, key);
        hash[i] = item ? item->hash : 0;
        place[i] = SIZE_MAX;
        if (m && matrix_get(m, f->user->user_id, (uint32_t)item_type(key), item_id(key), NULL, rows + with * d,
                            &ignored) == OK)
            place[i] = with++;
    }
    bool compared = with > 1 && matrix_gram(rows, with, d, gram, &ignored) == OK;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i && !drop[i]; j++) {
            bool same = compared && place[i] != SIZE_MAX && place[j] != SIZE_MAX &&
                        gram[place[i] * with + place[j]] >= (float)DUPLICATE_COSINE;
            bool notes = item_type(f->list[i].key) == RECALL_NOTE && item_type(f->list[j].key) == RECALL_NOTE;
            drop[i] = !drop[j] && notes && !f->list[i].named && (same || hash[i] == hash[j]);
        }
    for (size_t i = 0; i < f->count; i++)
        if (i >= n || !drop[i])
            f->list[kept++] = f->list[i];
    f->count = kept;
}
