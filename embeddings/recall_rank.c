/* SPDX-License-Identifier: MIT
 * recall_rank: one search: the best rows by words and the best by meaning become one list.
 *
 * Words: BM25 with boosts, divided by the best.  Meaning: cosine, brought to 0–1 between the least and the most of the
 * candidates (a fixed weight on two normalised scores does better than reciprocal ranks).  Then neighbours of a
 * session take part of a score, "latest" weighs by age, and rows that a floor or the database itself does not let
 * through are left out.  Without a vector the BM25 order stands as it is.
 *
 * Evidence by meaning: a cosine says nothing by itself (some models give 0.6 to any two texts), so a hit must stand out
 * from what the query has in common with rows taken at random, by SPREAD standard deviations, and reach the model's own
 * least. */
#include "base/text.h"
#include "embeddings/analyzer.h"
#include "embeddings/recall_find.h"
#include "store/categories.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    POOL_MIN = 200,         /* candidates of each kind */
    SPELL_CHECKED_MAX = 50, /* best guesses for misspelt words */
    SAMPLE = 64,            /* rows taken at random */
    SAMPLE_MIN = 12,        /* fewer say nothing about a spread */
};
#define SPREAD 3.5

/* How far the two kinds are trusted, by model. */
static const struct trust {
    const char *model; /* prefix; "" = any */
    double weight;     /* of meaning, the rest is words' */
    double unknown;    /* added to it when no word of the query stands in any row; for a part of them, that part */
    double cosine_min; /* of evidence; not for one that knows letters alone: there the words decide */
} trusts[] = {
    /* It knows letters, not meaning: on CACM MAP falls from .374 to .368 at 0.05.  Misspelt words need it. */
    { "builtin", 0.001, 0.6, 0 },
    { "text-embedding-3-", 0.6, 0, 0.30 },
    { "", 0.6, 0, 0.35 },
};

/* --- filters --- */

/* The category itself, one below it, or its last name alone. */
static bool in_category(const char *path, const char *wanted)
{
    const char *last = strrchr(path, '/');
    size_t len = strlen(wanted);
    return text_equal_fold(path, wanted) || (last && text_equal_fold(last + 1, wanted)) ||
           (strncasecmp(path, wanted, len) == 0 && path[len] == '/');
}

static int64_t border_ms(const char *zone, const struct civil *day, int add_days)
{
    struct civil at = *day;
    int64_t ms;
    struct error ignored;
    at.hour = -1;
    civil_add_days(&at, add_days);
    if (zone_to_instant(zone ? zone : "UTC", &at, &ms, &ignored) != OK)
        ms = civil_seconds(&at) * 1000;
    return ms;
}

static int32_t day_number(const struct civil *day)
{
    struct civil at = *day;
    at.hour = -1;
    int64_t seconds = civil_seconds(&at);
    return (int32_t)(seconds >= 0 ? seconds / 86400 : -((86399 - seconds) / 86400));
}

static void filters_init(struct find *f)
{
    const struct recall_filter *q = &f->query->filter;
    struct recall_user *u = f->user;
    f->mask = q->mask ? q->mask : RECALL_ALL;
    f->day_from = q->from ? day_number(q->from) : MATRIX_DAY_MIN;
    f->day_to = q->to ? day_number(q->to) : MATRIX_DAY_MAX;
    f->ms_from = q->from ? border_ms(f->query->zone, q->from, 0) : INT64_MIN;
    f->ms_to = q->to ? border_ms(f->query->zone, q->to, 1) : INT64_MAX;
    if (!q->category)
        return;
    f->category = arena_alloc(f->arena, (u->categories + 1) * sizeof *f->category);
    f->category_list = arena_alloc(f->arena, (u->categories + 1) * sizeof *f->category_list);
    for (size_t i = 0; i <= u->categories; i++) {
        f->category[i] = in_category(i ? u->category[i - 1] : CATEGORY_DEFAULT, q->category);
        if (f->category[i])
            f->category_list[f->category_count++] = (int64_t)i;
    }
}

bool recall_admits(const struct find *f, const struct item *item)
{
    if (!(f->mask & RECALL_BIT(item_type(item->key))) || (f->category && !f->category[item->category]))
        return false;
    if (item->dated)
        return item->day >= f->day_from && item->day <= f->day_to;
    return item->created_ms >= f->ms_from && item->created_ms < f->ms_to;
}

static bool admit(int64_t key, void *arg)
{
    const struct find *f = arg;
    const struct item *item = recall_item(f->user, key);
    return item && recall_admits(f, item);
}

/* --- candidates --- */

static size_t pool_size(const struct find *f)
{
    return f->query->limit > POOL_MIN ? f->query->limit : POOL_MIN;
}

static void find_words(struct find *f)
{
    struct lexical_hit *hit;
    size_t limit = pool_size(f);
    size_t n = lexical_search(f->user->lexical, f->arena, f->query->text, limit, admit, f, &hit);
    f->list = arena_alloc(f->arena, (n + MATRIX_HITS_MAX + 2 * RECALL_SOURCES_MAX + 1) * sizeof *f->list);
    for (size_t i = 0; i < n; i++)
        f->list[i] = (struct candidate){ .key = hit[i].key,
                                         .words = hit[i].score,
                                         .score = hit[i].score,
                                         .coverage = hit[i].coverage,
                                         .named = hit[i].named };
    f->count = f->lexical_count = n;
}

static double cosine_of(const struct find *f, const struct matrix *matrix, int64_t key, float *room)
{
    struct error ignored;
    double sum = 0;
    if (matrix_get((struct matrix *)matrix, f->user->user_id, (uint32_t)item_type(key), item_id(key), NULL, room,
                   &ignored) != OK)
        return NAN;
    for (uint32_t i = 0; i < f->recall->options.dimensions; i++)
        sum += (double)room[i] * f->query->vector[i];
    return sum;
}

static int compare_keys(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    return x->key < y->key ? -1 : x->key > y->key;
}

int recall_compare_scores(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return compare_keys(a, b);
}

static void merge_hits(struct find *f, const struct matrix_hit *hit, size_t hits)
{
    size_t known = f->count;
    qsort(f->list, known, sizeof *f->list, compare_keys);
    for (size_t i = 0; i < hits; i++) {
        struct candidate c = { .key = item_key((int)hit[i].type, hit[i].id), .cosine = hit[i].score };
        struct candidate *same = bsearch(&c, f->list, known, sizeof c, compare_keys);
        const struct item *item = recall_item(f->user, c.key);
        if (same)
            same->cosine = c.cosine;
        else if (item && item->fresh && recall_admits(f, item))
            f->list[f->count++] = c;
    }
}

/* Days of rows without one of their own are UTC days here: ask for a day more on either side, admits() decides. */
static enum status find_meaning(struct find *f, struct matrix *m, struct error *error)
{
    const struct recall_filter *q = &f->query->filter;
    struct matrix_filter filter = { .types = f->mask };
    if (q->from || q->to) {
        filter.dated = true;
        filter.day_from = f->day_from > MATRIX_DAY_MIN ? f->day_from - 1 : MATRIX_DAY_MIN;
        filter.day_to = f->day_to < MATRIX_DAY_MAX ? f->day_to + 1 : MATRIX_DAY_MAX;
    }
    if (f->category && f->category_count <= MATRIX_CATEGORIES_MAX) {
        filter.categories = f->category_list;
        filter.categories_count = f->category_count;
        if (f->category_count == 0)
            return OK; /* nothing is filed there */
    }
    size_t limit = pool_size(f), count = 0;
    struct matrix_query mq = { .user = f->user->user_id,
                               .k = (uint32_t)(limit < MATRIX_HITS_MAX ? limit : MATRIX_HITS_MAX),
                               .filter = &filter };
    struct matrix_hit *hit = arena_alloc(f->arena, mq.k * sizeof *hit);
    enum status st = matrix_search(m, &mq, f->query->vector, hit, &count, NULL, error);
    if (st == OK)
        merge_hits(f, hit, count);
    return st;
}

/* --- scores --- */

/* What this query has in common with rows it was not made for. */
static void take_sample(struct find *f, const struct matrix *m, float *room)
{
    double sum = 0, squares = 0;
    size_t step = f->user->slots / SAMPLE + 1;
    for (size_t i = 0; i < f->user->slots; i += step) {
        size_t at = i;
        while (at < f->user->slots && at < i + step && (f->user->slot[at].key <= 0 || !f->user->slot[at].fresh))
            at++;
        if (at >= f->user->slots || at >= i + step)
            continue;
        double c = cosine_of(f, m, f->user->slot[at].key, room);
        if (!isfinite(c))
            continue;
        sum += c;
        squares += c * c;
        f->sampled++;
    }
    if (f->sampled == 0)
        return;
    f->mean = sum / (double)f->sampled;
    double variance = squares / (double)f->sampled - f->mean * f->mean;
    f->deviation = variance > 0 ? sqrt(variance) : 0;
}

static bool stands_out(const struct find *f, double cosine)
{
    if (cosine < f->trust->cosine_min)
        return false;
    return f->sampled < SAMPLE_MIN || cosine >= f->mean + SPREAD * f->deviation || cosine >= 0.9;
}

/* Sorts the query's words into those some row holds and those none does: misspelt, or never written here. */
static void sort_words(struct find *f)
{
    struct word *word;
    struct lexical_hit *hit;
    struct spell *s = &f->spell;
    size_t count = analyzer_split(s->analyzer, f->arena, f->query->text, &word);
    for (size_t i = 0; i < count && s->known_count + s->unknown_count < SPELL_WORDS_MAX; i++) {
        if (word[i].stop || word[i].joined)
            continue;
        if (lexical_search(f->user->lexical, f->arena, word[i].surface, 1, NULL, NULL, &hit) > 0)
            s->known[s->known_count++] = word[i].stem;
        else
            s->unknown[s->unknown_count++] = word[i].surface;
    }
}

static double unknown_part(const struct find *f)
{
    size_t all = f->spell.known_count + f->spell.unknown_count;
    return all > 0 ? (double)f->spell.unknown_count / (double)all : 0;
}

/* The built-in embedder only guesses: its best are read, and what they hold of the words as they were meant decides. */
static enum status check_spelling(struct find *f, struct db *db, struct error *error)
{
    enum status st = OK;
    qsort(f->list, f->count, sizeof *f->list, recall_compare_scores);
    for (size_t i = 0; i < f->count && i < SPELL_CHECKED_MAX && st == OK; i++) {
        struct candidate *c = &f->list[i];
        struct arena *scratch = arena_new();
        struct recall_row row;
        bool found;
        st = recall_row_get(db, scratch, f->user->user_id, item_type(c->key), item_id(c->key), &row, &found, error);
        if (st == OK && found) {
            double mended, match = spell_match(&f->spell, scratch, row.content, &mended);
            c->score += mended * unknown_part(f);
            c->coverage = match > c->coverage ? match : c->coverage;
        }
        arena_free(scratch);
    }
    return st;
}

static void fuse(struct find *f, const struct matrix *m)
{
    float *room = arena_alloc(f->arena, f->recall->options.dimensions * sizeof *room);
    double words_max = 0, least = 1, most = -1, weight = f->trust->weight;
    if (f->trust->unknown > 0) {
        sort_words(f);
        weight += f->trust->unknown * pow(unknown_part(f), 3); /* one odd word among ten is no misspelling */
    }
    for (size_t i = 0; i < f->count; i++) {
        struct candidate *c = &f->list[i];
        const struct item *item = recall_item(f->user, c->key);
        if (c->cosine == 0 && item && item->fresh) {
            double cosine = cosine_of(f, m, c->key, room);
            c->cosine = isfinite(cosine) ? cosine : 0;
        }
        words_max = c->words > words_max && !c->named ? c->words : words_max;
        if (item && item->fresh) {
            least = c->cosine < least ? c->cosine : least;
            most = c->cosine > most ? c->cosine : most;
        }
    }
    take_sample(f, m, room);
    if (f->sampled >= SAMPLE_MIN && f->mean > least)
        least = f->mean;
    for (size_t i = 0; i < f->count; i++) {
        struct candidate *c = &f->list[i];
        double words = words_max > 0 ? fmin(c->words / words_max, 1) : c->named;
        double meaning = most > least ? fmax(0, (c->cosine - least) / (most - least)) : c->cosine >= most;
        c->score = (1 - weight) * words + weight * meaning + c->named;
        c->near = f->trust->unknown <= 0 && stands_out(f, c->cosine);
    }
}

/* --- what comes out --- */

static void keep_evidence(struct find *f, double floor)
{
    size_t kept = 0;
    for (size_t i = 0; i < f->count; i++)
        if (f->list[i].coverage >= floor || f->list[i].named || f->list[i].near)
            f->list[kept++] = f->list[i];
    f->count = kept;
}

/* The rows themselves decide: what is not there is no hit. */
static enum status read_rows(struct find *f, struct db *db, struct recall_hit **out, size_t *count, struct error *error)
{
    size_t limit = f->query->limit < f->count ? f->query->limit : f->count;
    struct recall_hit *hit = *out = arena_alloc(f->arena, (limit + 1) * sizeof *hit);
    *count = 0;
    for (size_t i = 0; i < f->count && *count < limit; i++) {
        const struct candidate *c = &f->list[i];
        bool found;
        hit[*count] =
            (struct recall_hit){ .score = c->score, .coverage = c->coverage, .cosine = c->cosine, .named = c->named };
        enum status st = recall_row_get(db, f->arena, f->user->user_id, item_type(c->key), item_id(c->key),
                                        &hit[*count].row, &found, error);
        if (st != OK)
            return st;
        *count += found;
    }
    return OK;
}

static const struct trust *trust_in(const char *model)
{
    const struct trust *t = trusts;
    while (strncmp(model ? model : "", t->model, strlen(t->model)) != 0)
        t++;
    return t;
}

static enum status rank(struct find *f, struct db *db, struct error *error)
{
    const struct recall_query *q = f->query;
    struct matrix *m = q->vector ? atomic_load(&f->recall->matrix) : NULL;
    enum status st = OK;
    find_words(f);
    if (m) {
        st = find_meaning(f, m, error);
        if (st == OK)
            fuse(f, m);
        if (st == OK && f->spell.unknown_count > 0)
            st = check_spelling(f, db, error);
    }
    if (st != OK)
        return st;
    recall_spread(f);
    if (q->now_ms)
        recall_weigh_by_age(f);
    qsort(f->list, f->count, sizeof *f->list, recall_compare_scores);
    if (q->floor > 0) {
        keep_evidence(f, q->floor);
        recall_collapse(f, atomic_load(&f->recall->matrix));
    }
    return OK;
}

enum status recall_find(struct recall *r, struct db *db, struct arena *arena, const struct recall_query *q,
                        struct recall_hit **hits, size_t *count, struct error *error)
{
    struct recall_user *u = recall_user_of(r, q->user_id);
    struct find f = { .recall = r, .user = u, .query = q, .arena = arena, .trust = trust_in(r->options.model) };
    enum status st = OK;
    *count = 0;
    pthread_mutex_lock(&u->lock);
    bool passing = q->as_it_is && !u->loaded; /* read inside a transaction that may roll back: not to be kept */
    if (!q->as_it_is || passing)
        st = recall_user_sync(r, u, db, error);
    if (st == OK) {
        filters_init(&f);
        f.spell.analyzer = analyzer_new();
        st = rank(&f, db, error);
        analyzer_free(f.spell.analyzer);
    }
    if (passing)
        recall_user_clear(r, u);
    pthread_mutex_unlock(&u->lock);
    return st == OK ? read_rows(&f, db, hits, count, error) : st;
}

const char *recall_excerpt(struct arena *arena, const char *text, const char *query, size_t bytes_max)
{
    if (strlen(text) <= bytes_max)
        return text;
    struct analyzer *a = analyzer_new();
    const char *excerpt = analyzer_excerpt(a, arena, text, query, bytes_max);
    analyzer_free(a);
    return excerpt;
}
