/* SPDX-License-Identifier: MIT
 * words: the tokenizer.  Called by the parsers on any thread.  One pass over the bytes, no look-back beyond
 * the token before; it must never fail: whatever is not understood becomes a SYMBOL. */
#include "router/words.h"
#include "router/words_lexicon.h"
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

enum { NUMBER_DIGITS_MAX = 15 }; /* longer digit runs (card numbers) keep only this value; nobody counts with them */

struct splitter {
    struct arena *arena;
    const char *source;
    int32_t at, len;
    bool glued;
    struct token *token;
    int count, capacity;
};

static UChar32 next_code_point(struct splitter *s)
{
    UChar32 c;
    U8_NEXT((const uint8_t *)s->source, s->at, s->len, c);
    return c;
}

static UChar32 peek(const struct splitter *s, int32_t at)
{
    UChar32 c = 0;
    if (at < s->len)
        U8_NEXT((const uint8_t *)s->source, at, s->len, c);
    return c;
}

static struct token *push(struct splitter *s, enum token_kind kind, int32_t begin)
{
    if (s->count == s->capacity) {
        int capacity = s->capacity ? s->capacity * 2 : 32;
        struct token *grown = arena_alloc(s->arena, (size_t)capacity * sizeof *grown);
        if (s->count)
            memcpy(grown, s->token, (size_t)s->count * sizeof *grown);
        s->token = grown;
        s->capacity = capacity;
    }
    struct token *t = &s->token[s->count++];
    *t = (struct token){ .kind = kind,
                         .begin = (size_t)begin,
                         .end = (size_t)s->at,
                         .text = "",
                         .glued = s->glued && s->count > 1,
                         .lexeme = -1 };
    s->glued = true;
    return t;
}

static bool is_apostrophe(UChar32 c)
{
    return c == '\'' || c == 0x2019 || c == 0x2018 || c == 0x02BC;
}

static bool is_letter(UChar32 c)
{
    return c > 0 && (u_isalpha(c) || (c >= 0x300 && c <= 0x36F));
}

/* Copy the letters at begin … at in lower case. */
static const char *lower(struct splitter *s, int32_t begin)
{
    size_t bytes_max = (size_t)(s->at - begin) * 3 + 1; /* lower case may need more bytes than the original */
    char *out = arena_alloc(s->arena, bytes_max);
    int32_t n = 0;
    for (int32_t i = begin; i < s->at;) {
        UChar32 c;
        U8_NEXT((const uint8_t *)s->source, i, s->len, c);
        c = is_apostrophe(c) ? '\'' : u_tolower(c);
        UBool bad = 0;
        U8_APPEND((uint8_t *)out, n, (int32_t)bytes_max - 1, c, bad);
        (void)bad;
    }
    out[n] = 0;
    return out;
}

/* "do not" is "don't": the rules know negations by one word. */
static bool rejoin_not(struct splitter *s, const char *text)
{
    struct token *head = s->count ? &s->token[s->count - 1] : NULL;
    if (!head || strcmp(text, "not") != 0 || s->glued ||
        !token_any(head, "do|does|did|have|has|had|should|would|could|must|need|can|will"))
        return false;
    head->text = token_is(head, "can")    ? "can't"
                 : token_is(head, "will") ? "won't"
                                          : arena_printf(s->arena, "%sn't", head->text);
    head->end = (size_t)s->at;
    s->glued = true;
    return true;
}

/* "what s", "don t", "i m": dictation drops the apostrophe; glue the rest back on. */
static bool rejoin(struct splitter *s, const char *text)
{
    static const struct {
        const char *rest, *heads;
    } table[] = {
        { "s", "what|where|who|how|when|it|that|let|here|there|today|tomorrow" },
        { "m", "i" },
        { "ve", "i|we|you" },
        { "ll", "i|we|you|it" },
        { "d", "i" },
        { "re", "you|we|they" },
        { "t", "don|didn|doesn|won|isn|wasn|couldn|wouldn|shouldn|haven|hasn|can|aren" },
    };
    if (s->count == 0 || s->token[s->count - 1].kind != TOKEN_WORD)
        return false;
    struct token *head = &s->token[s->count - 1];
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strcmp(text, table[i].rest) != 0 || !token_any(head, table[i].heads))
            continue;
        head->text = arena_printf(s->arena, "%s'%s", head->text, text);
        head->end = (size_t)s->at;
        head->possessive = head->lexeme >= 0 && strcmp(text, "s") == 0;
        s->glued = true;
        return true;
    }
    return false;
}

/* "2moro", "2nite": the digit is the first letter of the word. */
static bool rejoin_digit(struct splitter *s, const char *text)
{
    struct token *digit = s->count ? &s->token[s->count - 1] : NULL;
    if (!digit || !s->glued || digit->kind != TOKEN_NUMBER || digit->digits != 1)
        return false;
    const char *typed = arena_printf(s->arena, "%s%s", digit->text, text), *meant = lexicon_correct(typed);
    if (meant == typed)
        return false;
    *digit = (struct token){ .kind = TOKEN_WORD,
                             .begin = digit->begin,
                             .end = (size_t)s->at,
                             .text = meant,
                             .glued = digit->glued,
                             .lexeme = lexicon_find(meant) };
    return true;
}

/* "remind me 2 call mom", but "remind me 2 days before". */
static void read_digit_as_to(struct splitter *s, int lexeme)
{
    struct token *digit = s->count >= 2 ? &s->token[s->count - 1] : NULL;
    if (!digit || s->glued || lexeme >= 0 || digit->kind != TOKEN_NUMBER || digit->digits != 1 || digit->number != 2 ||
        digit->glued || !token_any(digit - 1, "me|us|supposed|forget|remember"))
        return;
    digit->kind = TOKEN_WORD;
    digit->text = "to";
}

/* "to-do" is one word; "to do" is not. */
static bool rejoin_todo(struct splitter *s, const char *text)
{
    if (s->count < 2 || !s->glued || (strcmp(text, "do") != 0 && strcmp(text, "dos") != 0 && strcmp(text, "do's") != 0))
        return false;
    struct token *dash = &s->token[s->count - 1], *to = &s->token[s->count - 2];
    if (!token_punct(dash, "-") || !dash->glued || !token_is(to, "to"))
        return false;
    to->text = text[2] ? "todos" : "todo";
    to->end = (size_t)s->at;
    s->count--;
    return true;
}

static void split_word(struct splitter *s, int32_t begin)
{
    for (;;) {
        int32_t mark = s->at;
        UChar32 c = s->at < s->len ? next_code_point(s) : 0;
        if (is_letter(c))
            continue;
        if (is_apostrophe(c) && is_letter(peek(s, s->at)))
            continue;
        s->at = mark;
        break;
    }
    const char *text = lexicon_correct(lower(s, begin));
    if (rejoin(s, text) || rejoin_not(s, text) || rejoin_todo(s, text) || rejoin_digit(s, text))
        return;
    read_digit_as_to(s, lexicon_find(text));
    struct token *t = push(s, TOKEN_WORD, begin);
    t->text = text;
    t->lexeme = lexicon_find(text);
    size_t n = strlen(text);
    if (t->lexeme < 0 && n > 2 && strcmp(text + n - 2, "'s") == 0) {
        t->lexeme = lexicon_find(arena_strndup(s->arena, text, n - 2));
        t->possessive = t->lexeme >= 0;
    }
}

static void split_number(struct splitter *s, int32_t begin)
{
    while (s->at < s->len && s->source[s->at] >= '0' && s->source[s->at] <= '9')
        s->at++;
    struct token *t = push(s, TOKEN_NUMBER, begin);
    t->text = arena_strndup(s->arena, s->source + begin, (size_t)(s->at - begin));
    t->digits = (int)(s->at - begin);
    for (int i = 0; i < t->digits && i < NUMBER_DIGITS_MAX; i++)
        t->number = t->number * 10 + (t->text[i] - '0');
}

static void split_newline(struct splitter *s, int32_t begin)
{
    while (s->at < s->len && strchr("\r\n \t", s->source[s->at]))
        s->at++;
    push(s, TOKEN_NEWLINE, begin);
    s->glued = false;
}

static void split_other(struct splitter *s, int32_t begin, UChar32 c)
{
    static const struct {
        UChar32 from;
        double part;
    } parts[] = { { 0xBD, 0.5 }, { 0xBC, 0.25 }, { 0xBE, 0.75 }, { 0x2153, 1.0 / 3 }, { 0x2154, 2.0 / 3 } };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].from == c) {
            push(s, TOKEN_PART, begin)->part = parts[i].part;
            return;
        }
    char ascii = c > 0 && c < 128 ? (char)c : 0;
    if ((c >= 0x2010 && c <= 0x2015) || c == 0x2212)
        ascii = '-';
    if (c == 0x201C || c == 0x201D || c == 0x201E || c == 0xAB || c == 0xBB)
        ascii = '"';
    if (is_apostrophe(c))
        ascii = '\'';
    if (c == 0x2022 || c == 0x2023 || c == 0x25E6 || c == 0x25CF || c == 0xB7)
        ascii = '*'; /* bullets */
    if (c == 0xD7)
        ascii = 'x';
    struct token *t = push(s, ascii ? TOKEN_PUNCT : TOKEN_SYMBOL, begin);
    t->punct = ascii;
    if (ascii == 'x') {
        t->kind = TOKEN_WORD;
        t->punct = 0;
        t->text = "x";
    }
}

void words_split(struct arena *arena, const char *source, struct words *out)
{
    struct splitter s = { .arena = arena, .source = source, .len = (int32_t)strlen(source) };
    while (s.at < s.len) {
        int32_t begin = s.at;
        UChar32 c = next_code_point(&s);
        if (c == '\n' || c == '\r' || c == 0x2028 || c == 0x2029)
            split_newline(&s, begin);
        else if (c > 0 && (u_isUWhiteSpace(c) || c == 0x200B || c == 0xFEFF))
            s.glued = false;
        else if (c >= '0' && c <= '9')
            split_number(&s, begin);
        else if (is_letter(c))
            split_word(&s, begin);
        else if (c != 0xFE0F) /* the emoji presentation selector says nothing */
            split_other(&s, begin, c);
    }
    *out = (struct words){ .source = source, .token = s.token, .count = s.count };
}

const struct token *words_at(const struct words *w, int i)
{
    static const struct token end = { .kind = TOKEN_END, .text = "", .lexeme = -1 };
    return i >= 0 && i < w->count ? &w->token[i] : &end;
}

bool token_is(const struct token *t, const char *word)
{
    return t->kind == TOKEN_WORD && strcmp(t->text, word) == 0;
}

bool token_any(const struct token *t, const char *words)
{
    if (t->kind != TOKEN_WORD)
        return false;
    size_t n = strlen(t->text);
    for (const char *p = words; p; p = strchr(p, '|')) {
        p += *p == '|';
        if (strncmp(p, t->text, n) == 0 && (p[n] == 0 || p[n] == '|'))
            return true;
    }
    return false;
}

bool token_punct(const struct token *t, const char *chars)
{
    return t->kind == TOKEN_PUNCT && strchr(chars, t->punct);
}
