/* SPDX-License-Identifier: MIT
 * lexical: see lexical.h.  Terms live in an open hash with their postings; a removed document stays in
 * the postings, marked dead, until a quarter is dead and the index is written anew. */
#include "embeddings/lexical.h"
#include "base/hash.h"
#include "embeddings/analyzer.h"
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHAT_WORDS_MAX = 24,     /* mean length under which documents read like chat turns */
    DEAD_DOCUMENTS_MIN = 16, /* below it compaction is not worth a thought; each keeps its words until then */
    QUERY_TERMS_MAX = 256,   /* of one query: a whole note pasted as a question */
    TERM_BYTES = 192,
    ROWS_IMAGINED = 20, /* beside those there are, without the query's words, when coverage is reckoned */
};
/* Weights against BM25's 1 per query word. */
#define SURFACE_WEIGHT 0.3 /* the word as written, not only its stem */
#define JOINED_WEIGHT 1.5  /* 81.4, 2026-11-20 */
#define LABEL_WEIGHT 10.0  /* "task 83" means that one */

struct posting {
    uint32_t document, count;
};
struct term {
    char *text;
    struct posting *posting;
    uint32_t posting_count, posting_capacity, live;
};
struct document {
    int64_t key;
    uint32_t *term;
    uint32_t term_count, length;
    bool live;
};
struct lexical {
    struct lexical_options options;
    struct analyzer *analyzer;
    struct term *term;
    uint32_t term_count, term_capacity, *term_slot, term_slots;
    struct document *document;
    uint32_t document_count, document_capacity, live, *key_slot, key_slots;
    uint64_t length_sum;
};

/* --- hashes: slots hold index + 1, 0 = free --- */

static uint64_t hash_word(const char *s)
{
    uint64_t h = hash_bytes(s, strlen(s));
    return h ^ (h >> 29);
}

static uint64_t hash_key(int64_t key)
{
    uint64_t h = (uint64_t)key * 0x9E3779B97F4A7C15u;
    return h ^ (h >> 32);
}

static uint32_t *term_slot(const struct lexical *lx, const char *text)
{
    uint32_t mask = lx->term_slots - 1, i = (uint32_t)hash_word(text) & mask;
    while (lx->term_slot[i] && strcmp(lx->term[lx->term_slot[i] - 1].text, text) != 0)
        i = (i + 1) & mask;
    return &lx->term_slot[i];
}

static uint32_t *key_slot(const struct lexical *lx, int64_t key)
{
    uint32_t mask = lx->key_slots - 1, i = (uint32_t)hash_key(key) & mask;
    while (lx->key_slot[i] && lx->document[lx->key_slot[i] - 1].key != key)
        i = (i + 1) & mask;
    return &lx->key_slot[i];
}

static void terms_place(struct lexical *lx)
{
    for (uint32_t i = 0; i < lx->term_count; i++)
        *term_slot(lx, lx->term[i].text) = i + 1;
}

static void terms_rehash(struct lexical *lx)
{
    free(lx->term_slot);
    lx->term_slots = lx->term_slots ? lx->term_slots * 2 : 1024;
    lx->term_slot = xcalloc(lx->term_slots, sizeof *lx->term_slot);
    terms_place(lx);
}

static void keys_rehash(struct lexical *lx)
{
    free(lx->key_slot);
    lx->key_slots = lx->key_slots ? lx->key_slots * 2 : 256;
    lx->key_slot = xcalloc(lx->key_slots, sizeof *lx->key_slot);
    for (uint32_t i = 0; i < lx->document_count; i++) {
        uint32_t *slot = key_slot(lx, lx->document[i].key);
        if (*slot == 0 || lx->document[i].live)
            *slot = i + 1; /* the newest of a key that came again */
    }
}

/* --- building --- */

struct lexical *lexical_new(const struct lexical_options *options)
{
    struct lexical *lx = xcalloc(1, sizeof *lx);
    if (options)
        lx->options = *options;
    lx->analyzer = analyzer_new();
    terms_rehash(lx);
    keys_rehash(lx);
    return lx;
}

static void index_clear(struct lexical *lx)
{
    for (uint32_t i = 0; i < lx->term_count; i++) {
        free(lx->term[i].text);
        free(lx->term[i].posting);
    }
    for (uint32_t i = 0; i < lx->document_count; i++)
        free(lx->document[i].term);
    free(lx->term);
    free(lx->term_slot);
    free(lx->document);
    free(lx->key_slot);
}

void lexical_free(struct lexical *lx)
{
    if (!lx)
        return;
    index_clear(lx);
    analyzer_free(lx->analyzer);
    free(lx);
}

static void *grow(void *array, uint32_t count, uint32_t *capacity, size_t bytes)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity ? *capacity * 2 : 4;
    return xrealloc(array, *capacity * bytes);
}

static uint32_t term_of(struct lexical *lx, const char *text)
{
    uint32_t *slot = term_slot(lx, text);
    if (*slot)
        return *slot - 1;
    lx->term = grow(lx->term, lx->term_count, &lx->term_capacity, sizeof *lx->term);
    lx->term[lx->term_count] = (struct term){ .text = xstrdup(text) };
    *slot = ++lx->term_count;
    if (lx->term_count * 2 > lx->term_slots)
        terms_rehash(lx);
    return lx->term_count - 1;
}

static void post(struct lexical *lx, uint32_t document, uint32_t *capacity, const char *text)
{
    uint32_t id = term_of(lx, text);
    struct term *t = &lx->term[id];
    if (t->posting_count && t->posting[t->posting_count - 1].document == document) {
        t->posting[t->posting_count - 1].count++;
        return;
    }
    t->posting = grow(t->posting, t->posting_count, &t->posting_capacity, sizeof *t->posting);
    t->posting[t->posting_count++] = (struct posting){ document, 1 };
    t->live++;
    struct document *d = &lx->document[document];
    d->term = grow(d->term, d->term_count, capacity, sizeof *d->term);
    d->term[d->term_count++] = id;
}

/* Terms with a control character in front cannot meet a word: written forms (\1) and names (\2). */
static const char *marked(char out[TERM_BYTES], char mark, const char *a, const char *b)
{
    snprintf(out, TERM_BYTES, "%c%s%s", mark, a, b);
    return out;
}

static void post_label(struct lexical *lx, struct arena *arena, uint32_t document, uint32_t *capacity,
                       const char *label)
{
    struct word *word;
    char text[TERM_BYTES];
    size_t count = analyzer_split(lx->analyzer, arena, label, &word);
    for (size_t i = 0; i + 1 < count; i++)
        if (word[i + 1].number) {
            post(lx, document, capacity, marked(text, '\2', word[i].stem, word[i + 1].surface));
            post(lx, document, capacity, marked(text, '\2', "", word[i + 1].surface));
        }
}

void lexical_add(struct lexical *lx, int64_t key, const char *label, const char *text)
{
    (void)lexical_remove(lx, key);
    struct arena *arena = arena_new();
    struct word *word;
    char form[TERM_BYTES];
    uint32_t capacity = 0, id = lx->document_count;
    size_t count = analyzer_split(lx->analyzer, arena, text, &word);
    lx->document = grow(lx->document, id, &lx->document_capacity, sizeof *lx->document);
    lx->document[id] = (struct document){ .key = key, .live = true };
    lx->document_count++;
    for (size_t i = 0; i < count; i++) {
        post(lx, id, &capacity, word[i].stem);
        if (word[i].stem != word[i].surface)
            post(lx, id, &capacity, marked(form, '\1', word[i].surface, ""));
        lx->document[id].length += !word[i].joined;
    }
    if (label)
        post_label(lx, arena, id, &capacity, label);
    arena_free(arena);
    lx->length_sum += lx->document[id].length;
    lx->live++;
    *key_slot(lx, key) = id + 1;
    if (lx->document_count * 2 > lx->key_slots)
        keys_rehash(lx);
}

/* Drop the terms of dead documents alone (each has some, by its number) and number the others anew. */
static void terms_drop(struct lexical *lx)
{
    uint32_t *moved = xcalloc(lx->term_count + 1, sizeof *moved), kept = 0;
    for (uint32_t i = 0; i < lx->term_count; i++) {
        struct term *t = &lx->term[i];
        if (t->posting_count > 0) {
            moved[i] = kept;
            lx->term[kept++] = *t;
        } else {
            free(t->text);
            free(t->posting);
        }
    }
    lx->term_count = kept;
    for (uint32_t i = 0; i < lx->document_count; i++)
        for (uint32_t j = 0; j < lx->document[i].term_count; j++)
            lx->document[i].term[j] = moved[lx->document[i].term[j]];
    memset(lx->term_slot, 0, lx->term_slots * sizeof *lx->term_slot);
    terms_place(lx);
    free(moved);
}

/* Drop dead documents: number the living ones anew and write every posting list again. */
static void compact(struct lexical *lx)
{
    uint32_t *moved = xcalloc(lx->document_count, sizeof *moved), kept = 0;
    for (uint32_t i = 0; i < lx->document_count; i++) {
        moved[i] = kept;
        if (lx->document[i].live)
            lx->document[kept++] = lx->document[i];
        else
            moved[i] = UINT32_MAX;
    }
    for (uint32_t i = 0; i < lx->term_count; i++) {
        struct term *t = &lx->term[i];
        uint32_t n = 0;
        for (uint32_t j = 0; j < t->posting_count; j++)
            if (moved[t->posting[j].document] != UINT32_MAX)
                t->posting[n++] = (struct posting){ moved[t->posting[j].document], t->posting[j].count };
        t->posting_count = n;
    }
    lx->document_count = kept;
    memset(lx->key_slot, 0, lx->key_slots * sizeof *lx->key_slot);
    for (uint32_t i = 0; i < kept; i++)
        *key_slot(lx, lx->document[i].key) = i + 1;
    free(moved);
    terms_drop(lx);
}

bool lexical_remove(struct lexical *lx, int64_t key)
{
    uint32_t slot = *key_slot(lx, key);
    if (slot == 0 || !lx->document[slot - 1].live)
        return false;
    struct document *d = &lx->document[slot - 1];
    for (uint32_t i = 0; i < d->term_count; i++)
        lx->term[d->term[i]].live--;
    free(d->term);
    d->term = NULL;
    d->term_count = 0;
    d->live = false;
    lx->length_sum -= d->length;
    lx->live--;
    uint32_t dead = lx->document_count - lx->live;
    if (dead > DEAD_DOCUMENTS_MIN && dead > lx->document_count / 4)
        compact(lx);
    return true;
}

size_t lexical_count(const struct lexical *lx)
{
    return lx->live;
}

size_t lexical_terms(const struct lexical *lx)
{
    return lx->term_count;
}

/* --- searching --- */

struct query_term {
    const char *text;
    double weight;
    bool essential; /* counts for coverage */
    bool label;
};
struct query {
    struct query_term term[QUERY_TERMS_MAX];
    size_t count;
};

static void want(struct query *q, struct arena *arena, const char *text, double weight, bool essential, bool label)
{
    for (size_t i = 0; i < q->count; i++)
        if (strcmp(q->term[i].text, text) == 0) {
            q->term[i].weight += weight;
            return;
        }
    if (q->count < QUERY_TERMS_MAX)
        q->term[q->count++] = (struct query_term){ arena_strdup(arena, text), weight, essential, label };
}

/* "#83", "task 83", "note_21" */
static void want_label(struct query *q, struct arena *arena, const char *text, const struct word *word, size_t i)
{
    char form[TERM_BYTES];
    if (word[i].begin > 0 && text[word[i].begin - 1] == '#')
        want(q, arena, marked(form, '\2', "", word[i].surface), LABEL_WEIGHT, false, true);
    else if (i > 0 && !word[i - 1].number && word[i].begin - word[i - 1].end <= 2)
        want(q, arena, marked(form, '\2', word[i - 1].stem, word[i].surface), LABEL_WEIGHT, false, true);
}

static void query_read(struct lexical *lx, struct arena *arena, const char *text, struct query *q)
{
    struct word *word;
    char form[TERM_BYTES];
    size_t count = analyzer_split(lx->analyzer, arena, text, &word), kept = 0;
    q->count = 0;
    for (size_t i = 0; i < count; i++)
        kept += !word[i].stop;
    for (size_t i = 0; i < count; i++) {
        if (word[i].stop && kept > 0)
            continue; /* a query of stop words alone ("to be or not to be") keeps them */
        want(q, arena, word[i].stem, word[i].joined ? JOINED_WEIGHT : 1.0, !word[i].joined, false);
        if (word[i].stem != word[i].surface)
            want(q, arena, marked(form, '\1', word[i].surface, ""), SURFACE_WEIGHT, false, false);
        if (word[i].number)
            want_label(q, arena, text, word, i);
    }
}

struct scores {
    double *score, *covered;
    bool *named;
    double total; /* information of the whole query */
};

static void score_term(const struct lexical *lx, const struct query_term *q, double k1, double b, struct scores *s)
{
    uint32_t slot = *term_slot(lx, q->text), matching = slot ? lx->term[slot - 1].live : 0;
    double n = lx->live, mean = n > 0 ? (double)lx->length_sum / n : 1;
    double idf = log(1 + (n - matching + 0.5) / (matching + 0.5));
    /* What a word tells does not shrink to nothing because there are few rows yet. */
    double information = log(1 + (n + ROWS_IMAGINED - matching + 0.5) / (matching + 0.5));
    if (q->essential)
        s->total += information;
    if (mean <= 0)
        mean = 1;
    for (uint32_t i = 0; slot && i < lx->term[slot - 1].posting_count; i++) {
        struct posting p = lx->term[slot - 1].posting[i];
        const struct document *d = &lx->document[p.document];
        if (!d->live)
            continue;
        double tf = p.count, norm = q->label ? 0 : k1 * (1 - b + b * d->length / mean);
        s->score[p.document] += q->weight * idf * tf * (k1 + 1) / (tf + norm);
        if (q->essential)
            s->covered[p.document] += information;
        s->named[p.document] |= q->label;
    }
}

static bool better(const struct lexical_hit *a, const struct lexical_hit *b)
{
    return a->score != b->score ? a->score > b->score : a->key < b->key;
}

/* hits is sorted, best first. */
static size_t keep(struct lexical_hit *hits, size_t count, size_t limit, struct lexical_hit hit)
{
    if (count == limit && !better(&hit, &hits[count - 1]))
        return count;
    size_t at = count < limit ? count++ : limit - 1;
    while (at > 0 && better(&hit, &hits[at - 1])) {
        hits[at] = hits[at - 1];
        at--;
    }
    hits[at] = hit;
    return count;
}

size_t lexical_search(struct lexical *lx, struct arena *arena, const char *text, size_t limit,
                      bool (*allow)(int64_t key, void *arg), void *arg, struct lexical_hit **out)
{
    struct query *q = arena_alloc(arena, sizeof *q);
    size_t n = lx->document_count, count = 0;
    if (limit > n)
        limit = n;
    *out = arena_alloc(arena, (limit + 1) * sizeof **out);
    query_read(lx, arena, text, q);
    if (limit == 0 || q->count == 0)
        return 0;
    bool chat = lx->live == 0 || lx->length_sum / lx->live < CHAT_WORDS_MAX;
    double k1 = lx->options.k1 > 0 ? lx->options.k1 : chat ? 0.9 : 1.2;
    double b = lx->options.k1 > 0 ? lx->options.b : chat ? 0.4 : 0.75;
    struct scores s = { xcalloc(n, sizeof(double)), xcalloc(n, sizeof(double)), xcalloc(n, sizeof(bool)), 0 };
    for (size_t i = 0; i < q->count; i++)
        score_term(lx, &q->term[i], k1, b, &s);
    for (uint32_t i = 0; i < n; i++) {
        int64_t key = lx->document[i].key;
        if (s.score[i] > 0 && (!allow || allow(key, arg)))
            count = keep(*out, count, limit,
                         (struct lexical_hit){ key, s.score[i], s.total > 0 ? s.covered[i] / s.total : 0, s.named[i] });
    }
    free(s.score);
    free(s.covered);
    free(s.named);
    return count;
}

const char *lexical_excerpt(struct lexical *lx, struct arena *arena, const char *text, const char *query,
                            size_t bytes_max)
{
    return analyzer_excerpt(lx->analyzer, arena, text, query, bytes_max);
}
