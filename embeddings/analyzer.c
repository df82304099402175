/* SPDX-License-Identifier: MIT
 * analyzer: see analyzer.h. */
#include "embeddings/analyzer.h"
#include "base/text.h"
#include <libstemmer.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

enum {
    STEM_BYTES_MIN = 3,   /* "is", "as" are words, not plurals */
    STEM_BYTES_MAX = 64,  /* longer runs are not English */
    WORD_BYTES_MAX = 128, /* a longer run is cut into pieces: nobody types it as a query */
};

struct analyzer {
    struct sb_stemmer *stemmer;
};

struct analyzer *analyzer_new(void)
{
    struct analyzer *w = xcalloc(1, sizeof *w);
    w->stemmer = sb_stemmer_new("porter", NULL);
    if (!w->stemmer)
        abort(); /* the algorithm is part of the library: only memory can be missing */
    return w;
}

void analyzer_free(struct analyzer *w)
{
    if (!w)
        return;
    sb_stemmer_delete(w->stemmer);
    free(w);
}

/* Sorted: dropped from queries, kept in documents. */
static const char *const stop_words[] = {
    "a",     "about",  "after",     "again",  "all",    "also",   "am",      "an",    "and",    "any",    "anything",
    "are",   "aren",   "arent",     "as",     "at",     "be",     "because", "been",  "before", "being",  "but",
    "by",    "can",    "cant",      "could",  "d",      "did",    "didnt",   "do",    "does",   "doesnt", "doing",
    "don",   "done",   "dont",      "each",   "ever",   "every",  "for",     "from",  "get",    "give",   "got",
    "had",   "has",    "hasnt",     "have",   "havent", "having", "he",      "her",   "here",   "hers",   "him",
    "his",   "how",    "i",         "if",     "im",     "in",     "into",    "is",    "isnt",   "it",     "its",
    "ive",   "just",   "ll",        "many",   "may",    "me",     "might",   "mine",  "more",   "most",   "much",
    "must",  "my",     "no",        "not",    "now",    "of",     "off",     "on",    "or",     "other",  "our",
    "ours",  "out",    "over",      "please", "re",     "s",      "say",     "shall", "she",    "should", "show",
    "so",    "some",   "something", "such",   "t",      "tell",   "than",    "that",  "thats",  "the",    "their",
    "them",  "then",   "there",     "these",  "they",   "this",   "those",   "to",    "too",    "u",      "up",
    "upon",  "us",     "ve",        "very",   "was",    "wasnt",  "we",      "were",  "what",   "whats",  "when",
    "whens", "where",  "wheres",    "which",  "while",  "who",    "whom",    "whos",  "whose",  "why",    "will",
    "with",  "within", "would",     "you",    "your",   "yours",
};

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_stop(const char *surface)
{
    return bsearch(&surface, stop_words, sizeof stop_words / sizeof *stop_words, sizeof *stop_words, compare_strings);
}

/* Drop combining marks of Latin, Greek and Cyrillic (U+0300–036F); marks of other scripts are letters. */
static const char *strip_accents(struct arena *arena, const char *s)
{
    UErrorCode e = U_ZERO_ERROR;
    UChar wide[WORD_BYTES_MAX * 4], parts[WORD_BYTES_MAX * 8];
    int32_t wide_len, parts_len, kept = 0, out_len;
    u_strFromUTF8(wide, (int32_t)(sizeof wide / sizeof *wide), &wide_len, s, -1, &e);
    const UNormalizer2 *nfd = unorm2_getNFDInstance(&e), *nfc = unorm2_getNFCInstance(&e);
    parts_len = unorm2_normalize(nfd, wide, wide_len, parts, (int32_t)(sizeof parts / sizeof *parts), &e);
    if (U_FAILURE(e))
        return s;
    for (int32_t i = 0; i < parts_len; i++)
        if (parts[i] < 0x300 || parts[i] > 0x36F)
            parts[kept++] = parts[i];
    wide_len = unorm2_normalize(nfc, parts, kept, wide, (int32_t)(sizeof wide / sizeof *wide), &e);
    char out[WORD_BYTES_MAX * 4];
    u_strToUTF8(out, (int32_t)sizeof out, &out_len, wide, wide_len, &e);
    return U_FAILURE(e) || out_len >= (int32_t)sizeof out ? s : arena_strdup(arena, out);
}

static const char *fold(struct arena *arena, const char *s, size_t len)
{
    char *copy = arena_strndup(arena, s, len);
    bool ascii = true;
    size_t kept = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)copy[i];
        ascii &= c < 0x80;
        copy[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    if (!ascii)
        copy = arena_strdup(arena, strip_accents(arena, text_fold(arena, copy)));
    /* The apostrophe of "don't", in either form. */
    for (const char *p = copy; *p; p++)
        if (strncmp(p, "\xE2\x80\x99", 3) == 0)
            p += 2;
        else if (*p != '\'')
            copy[kept++] = *p;
    copy[kept] = '\0';
    return copy;
}

static const char *stem(struct analyzer *w, struct arena *arena, const char *surface)
{
    size_t len = strlen(surface);
    if (len < STEM_BYTES_MIN || len > STEM_BYTES_MAX || strspn(surface, "abcdefghijklmnopqrstuvwxyz") != len)
        return surface;
    const sb_symbol *out = sb_stemmer_stem(w->stemmer, (const sb_symbol *)surface, (int)len);
    if (!out)
        abort();
    size_t out_len = (size_t)sb_stemmer_length(w->stemmer);
    if (out_len == len && memcmp(out, surface, len) == 0)
        return surface;
    return arena_strndup(arena, (const char *)out, out_len);
}

enum rune { RUNE_OTHER, RUNE_LETTER, RUNE_DENSE };

/* DENSE: scripts written without spaces between words. */
static enum rune rune_of(UChar32 c)
{
    if (c < 0x80)
        return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ? RUNE_LETTER : RUNE_OTHER;
    if (!u_isalnum(c) && !(U_GET_GC_MASK(c) & U_GC_M_MASK))
        return RUNE_OTHER;
    UErrorCode e = U_ZERO_ERROR;
    switch (uscript_getScript(c, &e)) {
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
    case USCRIPT_THAI:
    case USCRIPT_LAO:
    case USCRIPT_KHMER:
    case USCRIPT_MYANMAR:
        return RUNE_DENSE;
    default:
        return RUNE_LETTER;
    }
}

struct splitter {
    struct analyzer *analyzer;
    struct arena *arena;
    const char *text;
    size_t len;
    struct word *out;
    size_t count;
};

static struct word *push(struct splitter *s, size_t begin, size_t end)
{
    s->out = arena_room(s->arena, s->out, s->count, sizeof *s->out);
    struct word *w = &s->out[s->count++];
    *w = (struct word){ .begin = begin, .end = end };
    w->surface = fold(s->arena, s->text + begin, end - begin);
    return w;
}

static UChar32 rune_at(const struct splitter *s, size_t at, size_t *next)
{
    UChar32 c;
    int32_t i = 0, rest = (int32_t)(s->len - at > 8 ? 8 : s->len - at);
    U8_NEXT((const uint8_t *)s->text + at, i, rest, c);
    *next = at + (size_t)i;
    return c;
}

static bool is_apostrophe(UChar32 c)
{
    return c == '\'' || c == 0x2019;
}

/* The end of a word that begins at `at`: letters, digits, and an apostrophe between letters. */
static size_t letters_end(const struct splitter *s, size_t at)
{
    size_t end = at, next, after;
    while (end < s->len && end - at < WORD_BYTES_MAX) {
        UChar32 c = rune_at(s, end, &next);
        if (is_apostrophe(c) && end > at && next < s->len && rune_of(rune_at(s, next, &after)) == RUNE_LETTER)
            end = after;
        else if (rune_of(c) == RUNE_LETTER)
            end = next;
        else
            break;
    }
    return end;
}

static void push_plain(struct splitter *s, size_t begin, size_t end)
{
    struct word *w = push(s, begin, end);
    size_t len = strlen(w->surface), written = end - begin;
    /* "mom's" is mom */
    if (written > 2 && (s->text[end - 1] | 32) == 's' && len > 1 &&
        (s->text[end - 2] == '\'' || (written > 4 && memcmp(s->text + end - 4, "\xE2\x80\x99", 3) == 0)) &&
        !is_stop(w->surface))
        w->surface = arena_strndup(s->arena, w->surface, len - 1);
    w->number = len > 0 && strspn(w->surface, "0123456789") == len;
    w->stop = is_stop(w->surface);
    w->stem = stem(s->analyzer, s->arena, w->surface);
    if (!*w->surface)
        s->count--;
}

static size_t push_dense(struct splitter *s, size_t at)
{
    size_t begin = at, next, after;
    rune_at(s, begin, &next);
    bool pair = false;
    while (next < s->len && rune_of(rune_at(s, next, &after)) == RUNE_DENSE) {
        struct word *w = push(s, begin, after);
        w->stem = w->surface;
        begin = next;
        next = after;
        pair = true;
    }
    if (!pair) {
        struct word *w = push(s, begin, next);
        w->stem = w->surface;
    }
    return next;
}

/* "81", "4" with a point between them also become "81.4". */
static void push_joined(struct splitter *s)
{
    size_t last = s->count, first = last;
    while (first > 1 && s->out[first - 1].number && s->out[first - 2].number &&
           s->out[first - 1].begin == s->out[first - 2].end + 1 && strchr(".,:/-", s->text[s->out[first - 2].end]))
        first--;
    if (first == last)
        return;
    struct word *w = push(s, s->out[first - 1].begin, s->out[last - 1].end);
    char *comma = strchr(w->surface, ','), *copy = arena_strdup(s->arena, w->surface);
    if (comma)
        copy[comma - w->surface] = '.'; /* 7,5 is 7.5 */
    w->surface = w->stem = copy;
    w->joined = true;
}

size_t analyzer_split(struct analyzer *analyzer, struct arena *arena, const char *text, struct word **out)
{
    struct splitter s = { .analyzer = analyzer, .arena = arena, .text = text, .len = strlen(text) };
    size_t at = 0, next;
    while (at < s.len) {
        enum rune kind = rune_of(rune_at(&s, at, &next));
        if (kind == RUNE_LETTER) {
            next = letters_end(&s, at);
            push_plain(&s, at, next);
        } else if (kind == RUNE_DENSE) {
            next = push_dense(&s, at);
        }
        bool more = next + 1 < s.len && strchr(".,:/-", text[next]) && text[next + 1] >= '0' && text[next + 1] <= '9';
        if (kind == RUNE_LETTER && !more)
            push_joined(&s);
        at = next;
    }
    *out = s.out;
    return s.count;
}

/* --- excerpts --- */

static bool wanted(const struct word *query, size_t count, const char *stem_text)
{
    for (size_t i = 0; i < count; i++)
        if (!query[i].stop && strcmp(query[i].stem, stem_text) == 0)
            return true;
    return false;
}

/* The first word of the window of bytes_max bytes with most wanted words. */
static size_t best_window(const struct word *word, const bool *hit, size_t count, size_t bytes_max)
{
    size_t best = 0, best_hits = 0, hits = 0, last = 0;
    for (size_t first = 0; first < count; first++) {
        while (last < count && word[last].end - word[first].begin <= bytes_max)
            hits += hit[last++];
        if (hit[first] && hits > best_hits) {
            best_hits = hits;
            best = first;
        }
        if (last > first)
            hits -= hit[first];
        else
            last = first + 1;
    }
    return best;
}

const char *analyzer_excerpt(struct analyzer *analyzer, struct arena *arena, const char *text, const char *query,
                             size_t bytes_max)
{
    size_t len = strlen(text);
    if (len <= bytes_max)
        return text;
    struct word *word, *wants;
    size_t count = analyzer_split(analyzer, arena, text, &word),
           want_count = analyzer_split(analyzer, arena, query, &wants);
    if (count == 0)
        return arena_printf(arena, "%s…",
                            arena_strndup(arena, text, text_prefix_utf16(text, bytes_max, bytes_max / 4)));
    bool *hit = arena_alloc(arena, count);
    for (size_t i = 0; i < count; i++)
        hit[i] = !word[i].joined && wanted(wants, want_count, word[i].stem);
    size_t first = best_window(word, hit, count, bytes_max - bytes_max / 4), back = first;
    /* A quarter of the room goes to what stands before. */
    while (back > 0 && word[first].begin - word[back - 1].begin <= bytes_max / 4)
        back--;
    size_t begin = back == 0 ? 0 : word[back].begin, end = begin;
    for (size_t i = back; i < count && word[i].end - begin <= bytes_max; i++)
        end = word[i].end > end ? word[i].end : end;
    if (len - begin <= bytes_max)
        end = len;
    return arena_printf(arena, "%s%s%s", begin > 0 ? "…" : "", arena_strndup(arena, text + begin, end - begin),
                        end < len ? "…" : "");
}
