/* SPDX-License-Identifier: MIT
 * match: words against texts.  Called by the tools that find a row by words, on worker threads.  Characters are ICU's,
 * English endings libstemmer's.  It knows no rows: ids, users and states are the caller's. */
#include "router/match.h"
#include "base/text.h"
#include <libstemmer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

enum {
    WORDS_MAX = 64,   /* of a text: a task's first 64 words tell it apart */
    TRIPLES_MAX = 32, /* letter triples compared of one word */
};

struct words {
    const char *whole; /* folded */
    const char *word[WORDS_MAX];
    const char *stem[WORDS_MAX];
    int count;
};
struct match {
    struct arena *arena;
    struct sb_stemmer *stemmer;
    struct words words; /* without filler, unless there is nothing else */
};

static const char *const filler[] = { "the",  "a",   "an",   "my",   "to",   "of",   "for",
                                      "with", "and", "task", "todo", "that", "this", "please" };

static bool is_filler(const char *word)
{
    for (size_t i = 0; i < sizeof filler / sizeof *filler; i++)
        if (!strcmp(filler[i], word))
            return true;
    return false;
}

static const char *stem_of(struct match *m, const char *word)
{
    const sb_symbol *stem = sb_stemmer_stem(m->stemmer, (const sb_symbol *)word, (int)strlen(word));
    return stem ? arena_strndup(m->arena, (const char *)stem, (size_t)sb_stemmer_length(m->stemmer)) : word;
}

static void word_add(struct match *m, struct words *w, const char *s, size_t len)
{
    if (!len || w->count == WORDS_MAX)
        return;
    w->word[w->count] = arena_strndup(m->arena, s, len);
    w->stem[w->count] = stem_of(m, w->word[w->count]);
    w->count++;
}

static UChar32 next_char(const char *s, int32_t *at, int32_t len)
{
    UChar32 c;
    U8_NEXT((const uint8_t *)s, *at, len, c);
    return c;
}

static bool in_word(UChar32 c)
{
    return c >= 0 && (u_isalnum(c) || (U_GET_GC_MASK(c) & U_GC_M_MASK));
}

static void words_split(struct match *m, const char *text, struct words *w)
{
    *w = (struct words){ .whole = text_trim(arena_strdup(m->arena, text_fold(m->arena, text))) };
    int32_t len = (int32_t)strlen(w->whole), at = 0, begin = 0;
    while (at < len) {
        int32_t here = at;
        if (in_word(next_char(w->whole, &at, len)))
            continue;
        word_add(m, w, w->whole + begin, (size_t)(here - begin));
        begin = at;
    }
    word_add(m, w, w->whole + begin, (size_t)(len - begin));
}

static void filler_drop(struct words *w)
{
    int kept = 0;
    for (int i = 0; i < w->count; i++)
        kept += !is_filler(w->word[i]);
    if (!kept)
        return;
    int n = 0;
    for (int i = 0; i < w->count; i++) {
        if (is_filler(w->word[i]))
            continue;
        w->word[n] = w->word[i];
        w->stem[n++] = w->stem[i];
    }
    w->count = n;
}

static void stemmer_release(void *stemmer)
{
    sb_stemmer_delete(stemmer);
}

struct match *match_new(struct arena *arena, const char *words)
{
    struct match *m = arena_alloc(arena, sizeof *m);
    m->arena = arena;
    m->stemmer = sb_stemmer_new("english", "UTF_8");
    if (!m->stemmer)
        abort(); /* out of memory: the algorithm is always built in */
    arena_defer(arena, stemmer_release, m->stemmer);
    words_split(m, words, &m->words);
    filler_drop(&m->words);
    return m;
}

static bool has_stem(const struct words *text, const char *stem)
{
    for (int i = 0; i < text->count; i++)
        if (!strcmp(text->stem[i], stem))
            return true;
    return false;
}

static bool has_prefix(const struct words *text, const char *word)
{
    size_t len = strlen(word);
    for (int i = 0; len > 1 && i < text->count; i++)
        if (!strncmp(text->word[i], word, len))
            return true;
    return false;
}

enum match_grade match_grade(struct match *m, const char *text)
{
    struct words t;
    bool all = m->words.count > 0, prefixes = all;
    words_split(m, text, &t);
    if (*m->words.whole && !strcmp(t.whole, m->words.whole))
        return MATCH_EXACT;
    for (int i = 0; i < m->words.count; i++) {
        all = all && has_stem(&t, m->words.stem[i]);
        prefixes = prefixes && has_prefix(&t, m->words.word[i]);
    }
    if (all)
        return MATCH_WORDS;
    bool part = strlen(m->words.whole) > 2 && strstr(t.whole, m->words.whole);
    return prefixes || part ? MATCH_PART : MATCH_NONE;
}

/* Do both words have this triple of bytes? */
static bool has_triple(const char *word, const char *triple)
{
    for (; word[0] && word[1] && word[2]; word++)
        if (!memcmp(word, triple, 3))
            return true;
    return false;
}

/* Dice's coefficient over byte triples of the words set between blanks; of long words the beginning counts. */
static double word_nearness(const char *a, const char *b)
{
    char x[TRIPLES_MAX + 3], y[TRIPLES_MAX + 3];
    size_t nx = (size_t)snprintf(x, sizeof x, " %.*s ", TRIPLES_MAX, a);
    size_t ny = (size_t)snprintf(y, sizeof y, " %.*s ", TRIPLES_MAX, b), shared = 0;
    for (size_t i = 0; i + 2 < nx; i++)
        shared += has_triple(y, x + i);
    return nx < 3 || ny < 3 ? 0 : 2.0 * (double)shared / (double)(nx - 2 + ny - 2);
}

double match_nearness(struct match *m, const char *text)
{
    struct words t;
    double sum = 0;
    words_split(m, text, &t);
    for (int i = 0; i < m->words.count; i++) {
        double best = has_stem(&t, m->words.stem[i]) ? 1 : 0;
        for (int k = 0; best < 1 && k < t.count; k++) {
            double near = word_nearness(m->words.word[i], t.word[k]);
            best = near > best ? near : best;
        }
        sum += best;
    }
    return m->words.count ? sum / m->words.count : 0;
}

int64_t match_id(const char *words)
{
    if (!strncasecmp(words, "task ", 5) || !strncasecmp(words, "note ", 5))
        words += 5;
    words += *words == '#';
    size_t digits = strspn(words, "0123456789");
    if (!digits || digits > 15 || words[digits])
        return 0;
    return strtoll(words, NULL, 10);
}
