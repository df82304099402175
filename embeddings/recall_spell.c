/* SPDX-License-Identifier: MIT
 * recall_spell: see recall_spell.h. */
#include "embeddings/recall_spell.h"
#include <string.h>

enum {
    WORD_BYTES_MAX = 40,
    FUZZY_BYTES_MIN = 4, /* "cat" and "car" are two words, not a slip */
    TWO_EDITS_BYTES_MIN = 8,
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: insert, delete, replace, swap neighbours. */
size_t spell_distance(const char *a, const char *b, size_t max)
{
    size_t n = strlen(a), m = strlen(b), row[3][WORD_BYTES_MAX + 1];
    if (n > WORD_BYTES_MAX || m > WORD_BYTES_MAX || (n > m ? n - m : m - n) > max)
        return max + 1;
    for (size_t j = 0; j <= m; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = row[i % 3], *before = row[(i + 2) % 3], *two = row[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            now[j] = least(least(before[j] + 1, now[j - 1] + 1), before[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], two[j - 2] + 1);
        }
    }
    return least(row[n % 3][m], max + 1);
}

static bool meant(const char *query, const char *word)
{
    size_t len = strlen(query), max = len >= TWO_EDITS_BYTES_MIN ? 2 : 1;
    return len >= FUZZY_BYTES_MIN && spell_distance(query, word, max) <= max;
}

double spell_match(const struct spell *s, struct arena *arena, const char *text, double *mended)
{
    struct word *word;
    size_t count = analyzer_split(s->analyzer, arena, text, &word), found = 0, guessed = 0;
    for (size_t q = 0; q < s->known_count; q++)
        for (size_t i = 0; i < count; i++)
            if (strcmp(word[i].stem, s->known[q]) == 0) {
                found++;
                break;
            }
    for (size_t q = 0; q < s->unknown_count; q++)
        for (size_t i = 0; i < count; i++)
            if (!word[i].number && meant(s->unknown[q], word[i].surface)) {
                guessed++;
                break;
            }
    size_t all = s->known_count + s->unknown_count;
    *mended = s->unknown_count > 0 ? (double)guessed / (double)s->unknown_count : 0;
    return all > 0 ? (double)(found + guessed) / (double)all : 0;
}
