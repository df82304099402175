/* SPDX-License-Identifier: MIT
 * embed_builtin: an embedder without weights, so that the whole path runs with no key: feature hashing.  Any thread;
 * pure.
 *
 * The words of the text are folded and stemmed (analyzer.h); stop words are left out unless there are no others.
 * A distinct word that stands n times has the weight w = (1 + ln n) × (its length in bytes, 3 to 8, ÷ 8)^½.  It gives
 * its stem with the weight w, and its character n-grams (3, 4 and 5 bytes of "<word>") with the weight
 * w × GRAM_SHARE ÷ √(number of grams) each, so that a long word does not outshout a short one and a misspelt word
 * still shares most of them.  A feature adds its weight, with the sign of its hash's top bit, to the dimension
 * hash mod 384 (64-bit FNV-1a with a final mix).  The sum is brought to length one. */
#include "base/hash.h"
#include "embeddings/analyzer.h"
#include "embeddings/embedder.h"
#include <math.h>
#include <string.h>

#define GRAM_SHARE 3.0
#define HASH_BEGIN 1469598103934665603u /* FNV's own has one digit more; stored vectors were made with this one */
enum { GRAM_MIN = 3, GRAM_MAX = 5, WORD_BYTES_MAX = 48, WORD_WEIGHT_MIN = 3, WORD_WEIGHT_MAX = 8 };

static uint64_t hash(char kind, const char *s, size_t len)
{
    uint64_t h = hash_more(hash_more(HASH_BEGIN, &kind, 1), s, len);
    h ^= h >> 33;
    h *= 0xFF51AFD7ED558CCDu;
    return h ^ (h >> 33);
}

static void add(double *sum, uint64_t h, double weight)
{
    sum[(h & 0x7FFFFFFFFFFFFFFFu) % EMBED_BUILTIN_DIMENSIONS] += h >> 63 ? -weight : weight;
}

static void add_word(double *sum, const struct word *word, double weight)
{
    char form[WORD_BYTES_MAX + 3];
    size_t len = strnlen(word->surface, WORD_BYTES_MAX), grams = 0;
    form[0] = '<';
    memcpy(form + 1, word->surface, len);
    form[len + 1] = '>';
    len += 2;
    add(sum, hash('w', word->stem, strlen(word->stem)), weight);
    for (size_t n = GRAM_MIN; n <= GRAM_MAX; n++)
        grams += len >= n ? len - n + 1 : 0;
    double share = grams ? weight * GRAM_SHARE / sqrt((double)grams) : 0;
    for (size_t n = GRAM_MIN; n <= GRAM_MAX; n++)
        for (size_t i = 0; i + n <= len; i++)
            add(sum, hash('g', form + i, n), share);
}

/* The words of one form, counted at its first place. */
static void add_words(double *sum, const struct word *word, size_t count, bool stops)
{
    for (size_t i = 0; i < count; i++) {
        size_t times = 0, first = count;
        if (word[i].joined || (word[i].stop && !stops))
            continue;
        for (size_t j = 0; j < count; j++)
            if (!word[j].joined && strcmp(word[j].surface, word[i].surface) == 0) {
                first = first == count ? j : first;
                times++;
            }
        if (first != i)
            continue;
        size_t len = strlen(word[i].surface);
        len = len < WORD_WEIGHT_MIN ? WORD_WEIGHT_MIN : len > WORD_WEIGHT_MAX ? WORD_WEIGHT_MAX : len;
        add_word(sum, &word[i], (1 + log((double)times)) * sqrt((double)len / WORD_WEIGHT_MAX));
    }
}

void embed_builtin(const char *text, float out[EMBED_BUILTIN_DIMENSIONS])
{
    double sum[EMBED_BUILTIN_DIMENSIONS] = { 0 };
    struct arena *arena = arena_new();
    struct analyzer *analyzer = analyzer_new();
    struct word *word;
    size_t count = analyzer_split(analyzer, arena, text, &word), kept = 0;
    enum {
        WORDS_MAX = 4096
    }; /* the comparison of each with each stays in milliseconds; a note has some 6,000 at most */
    count = count < WORDS_MAX ? count : WORDS_MAX;
    for (size_t i = 0; i < count; i++)
        kept += !word[i].stop && !word[i].joined;
    add_words(sum, word, count, kept == 0);
    if (count == 0) /* "!!!", an emoji: by its bytes, so that even this is found again and never zero */
        add(sum, hash('b', text, strlen(text)), 1);
    double norm = 0;
    for (int i = 0; i < EMBED_BUILTIN_DIMENSIONS; i++)
        norm += sum[i] * sum[i];
    if (norm <= 0) { /* features that cancel each other out */
        sum[0] = 1;
        norm = 1;
    }
    for (int i = 0; i < EMBED_BUILTIN_DIMENSIONS; i++)
        out[i] = (float)(sum[i] / sqrt(norm));
    analyzer_free(analyzer);
    arena_free(arena);
}
