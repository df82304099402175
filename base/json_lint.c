/* SPDX-License-Identifier: MIT
 * json_lint: a recursive descent over the JSON grammar that builds nothing.
 * It stops at the first byte that is not JSON and names it.  Depth is bounded by
 * JSON_DEPTH_MAX, so the stack is too.  Any thread; pure. */
#include "base/json_lint.h"
#include "base/arena.h"
#include "base/limits.h"
#include <json-c/json.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/utf8.h>

enum {
    NUMBER_BYTES_MAX = 512, /* the longest exact decimal of a double has 767 digits; nobody sends them */
    NUMBER_SURE_BYTES = 18, /* a whole number of so many bytes is in range */
    KEYS_MAX = 64           /* of all open objects together; an update has about 30.  More are compared by a table */
};

struct key {
    const char *text;
    size_t len;
};

struct scan {
    const char *text;
    size_t len, at;
    int depth;
    struct json_lint *found;
    struct error *e;
    struct key key[KEYS_MAX];
    int keys, first_key; /* of the innermost object: key[first_key] … key[keys - 1] */
};

static enum status scan_value(struct scan *);

static enum status bad(struct scan *s, const char *what)
{
    return fail(s->e, ST_INVALID, "Not valid JSON at byte %zu: %s.", s->at, what);
}

/* The byte at the position, -1 at the end. */
static int peek(const struct scan *s)
{
    return s->at < s->len ? (unsigned char)s->text[s->at] : -1;
}

static void skip_space(struct scan *s)
{
    for (; s->at < s->len; s->at++) {
        char c = s->text[s->at];
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
            return;
    }
}

static enum status scan_word(struct scan *s, const char *word)
{
    size_t len = strlen(word);
    if (s->len - s->at < len || memcmp(s->text + s->at, word, len) != 0)
        return bad(s, "a value is expected");
    s->at += len;
    return OK;
}

static size_t scan_digits(struct scan *s)
{
    size_t start = s->at;
    while (peek(s) >= '0' && peek(s) <= '9')
        s->at++;
    return s->at - start;
}

/* json-c clamps integers beyond 64 bits and turns 1e999 into infinity: both are other numbers. */
static enum status check_range(struct scan *s, size_t start, bool whole)
{
    char number[NUMBER_BYTES_MAX];
    size_t len = s->at - start;
    bool fits = len < sizeof number;
    if (whole && len <= NUMBER_SURE_BYTES)
        return OK;
    if (fits) {
        memcpy(number, s->text + start, len);
        number[len] = '\0';
        fits = isfinite(strtod(number, NULL));
        bool negative = number[0] == '-';
        const char *digits = number + negative, *most = negative ? "9223372036854775808" : "18446744073709551615";
        size_t count = strlen(digits), count_max = strlen(most);
        if (whole && (count > count_max || (count == count_max && strcmp(digits, most) > 0)))
            fits = false;
    }
    if (fits)
        return OK;
    s->at = start;
    return bad(s, "the number is out of range");
}

static enum status scan_number(struct scan *s)
{
    size_t start = s->at;
    bool whole = true;
    if (peek(s) == '-')
        s->at++;
    if (peek(s) == '0')
        s->at++;
    else if (scan_digits(s) == 0)
        return bad(s, "a digit is expected");
    if (peek(s) == '.') {
        whole = false;
        s->at++;
        if (scan_digits(s) == 0)
            return bad(s, "a digit is expected");
    }
    if (peek(s) == 'e' || peek(s) == 'E') {
        whole = false;
        s->at++;
        if (peek(s) == '+' || peek(s) == '-')
            s->at++;
        if (scan_digits(s) == 0)
            return bad(s, "a digit is expected");
    }
    return check_range(s, start, whole);
}

/* The four digits after \u, -1 = not four. */
static int read_hex4(const struct scan *s, size_t at)
{
    int value = 0;
    if (at > s->len || s->len - at < 4)
        return -1;
    for (size_t i = at; i < at + 4; i++) {
        char c = s->text[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* At the backslash. */
static enum status scan_escape(struct scan *s)
{
    int c = s->at + 1 < s->len ? (unsigned char)s->text[s->at + 1] : 0;
    if (c != 'u') {
        if (c == 0 || !strchr("\"\\/bfnrt", c))
            return bad(s, "unknown escape");
        s->at += 2;
        return OK;
    }
    int unit = read_hex4(s, s->at + 2);
    if (unit < 0)
        return bad(s, "four hex digits are expected after \\u");
    if (unit >= 0xDC00 && unit <= 0xDFFF)
        return bad(s, "a lone surrogate");
    if (unit >= 0xD800 && unit <= 0xDBFF) {
        size_t second = s->at + 6;
        int low = s->len - second >= 2 && memcmp(s->text + second, "\\u", 2) == 0 ? read_hex4(s, second + 2) : -1;
        if (low < 0xDC00 || low > 0xDFFF)
            return bad(s, "a lone surrogate");
        s->at += 6;
    }
    if (unit == 0)
        s->found->nul_escapes++;
    s->at += 6;
    return OK;
}

/* A character of a string that stands for itself: ASCII, and neither control, quote nor backslash. */
static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static enum status scan_string(struct scan *s)
{
    if (peek(s) != '"')
        return bad(s, "a string in double quotes is expected");
    s->at++;
    for (;;) {
        while (s->at < s->len && is_plain((unsigned char)s->text[s->at]))
            s->at++;
        int c = peek(s);
        if (c < 0)
            return bad(s, "the text ends inside a string");
        if (c == '"') {
            s->at++;
            return OK;
        }
        if (c < 0x20)
            return bad(s, "a control character inside a string");
        if (c == '\\') {
            enum status st = scan_escape(s);
            if (st != OK)
                return st;
        } else {
            /* ICU's macro counts in int32_t; a window of four bytes is all it can need. */
            const uint8_t *window = (const uint8_t *)s->text + s->at;
            int32_t used = 0, room = s->len - s->at < 4 ? (int32_t)(s->len - s->at) : 4;
            UChar32 cp;
            U8_NEXT(window, used, room, cp);
            if (cp < 0)
                return bad(s, "malformed UTF-8");
            s->at += (size_t)used;
        }
    }
}

/* Compare a key with those before it in its object.  Equal bytes are equal keys; with an escape in one of them, or too
 * many, only json_lint_keys() can say. */
static void note_key(struct scan *s, const char *text, size_t len)
{
    s->found->keys_doubtful |= s->keys == KEYS_MAX || memchr(text, '\\', len);
    if (s->found->keys_doubtful)
        return;
    for (int i = s->first_key; i < s->keys; i++)
        if (s->key[i].len == len && memcmp(s->key[i].text, text, len) == 0)
            s->found->keys_doubtful = true;
    s->key[s->keys++] = (struct key){ text, len };
}

static enum status scan_member(struct scan *s)
{
    skip_space(s);
    size_t start = s->at;
    enum status st = scan_string(s);
    if (st != OK)
        return st;
    note_key(s, s->text + start, s->at - start);
    skip_space(s);
    if (peek(s) != ':')
        return bad(s, "a colon is expected");
    s->at++;
    return scan_value(s);
}

/* At '{' or '['. */
static enum status scan_items(struct scan *s, char close, enum status (*item)(struct scan *))
{
    if (s->depth == JSON_DEPTH_MAX)
        return fail(s->e, ST_LIMIT, "The JSON is nested deeper than %d levels at byte %zu.", JSON_DEPTH_MAX, s->at);
    s->depth++;
    s->at++;
    skip_space(s);
    if (peek(s) == close) {
        s->at++;
        s->depth--;
        return OK;
    }
    for (;;) {
        enum status st = item(s);
        if (st != OK)
            return st;
        skip_space(s);
        int c = peek(s);
        if (c != ',' && c != close)
            return bad(s, close == '}' ? "a comma or } is expected" : "a comma or ] is expected");
        s->at++;
        if (c == close) {
            s->depth--;
            return OK;
        }
    }
}

static enum status scan_container(struct scan *s, char close, enum status (*item)(struct scan *))
{
    int first_key = s->first_key, keys = s->keys;
    s->first_key = keys;
    enum status st = scan_items(s, close, item);
    s->first_key = first_key;
    s->keys = keys;
    return st;
}

static enum status scan_value(struct scan *s)
{
    skip_space(s);
    int c = peek(s);
    switch (c) {
    case '{':
        return scan_container(s, '}', scan_member);
    case '[':
        return scan_container(s, ']', scan_value);
    case '"':
        return scan_string(s);
    case 't':
        return scan_word(s, "true");
    case 'f':
        return scan_word(s, "false");
    case 'n':
        return scan_word(s, "null");
    case -1:
        return bad(s, "the text ends where a value is expected");
    default:
        return c == '-' || (c >= '0' && c <= '9') ? scan_number(s) : bad(s, "a value is expected");
    }
}

enum status json_lint(const char *text, size_t len, struct json_lint *found, struct error *e)
{
    struct scan s; /* not cleared as a whole: the keys are many bytes */
    s.text = text;
    s.len = len;
    s.at = 0;
    s.depth = s.keys = s.first_key = 0;
    s.found = found;
    s.e = e;
    *found = (struct json_lint){ 0 };
    if (len > INT_MAX)
        return fail(e, ST_LIMIT, "The JSON is larger than 2 GiB.");
    enum status st = scan_value(&s);
    if (st != OK)
        return st;
    skip_space(&s);
    return s.at == len ? OK : bad(&s, "more text after the value");
}

char *json_lint_without_nul(const char *text, size_t len)
{
    char *copy = xmalloc(len + 1);
    memcpy(copy, text, len);
    copy[len] = '\0';
    /* Escapes are read from the left, so that the \\ of "\\u0000" is taken as a pair. */
    for (size_t i = 0; i + 1 < len; i++) {
        if (copy[i] != '\\')
            continue;
        if (len - i >= 6 && memcmp(copy + i, "\\u0000", 6) == 0)
            memcpy(copy + i, "\\ufffd", 6);
        i++;
    }
    return copy;
}

/* --- duplicate keys: only looked for when the walk could not say that there are none --- */

/* The key whose opening quote is at `at`, decoded; the caller puts it.  *end is set behind it. */
static struct json_object *decode_key(const char *text, size_t len, size_t at, size_t *end)
{
    size_t i = at + 1;
    while (i < len && text[i] != '"')
        i += text[i] == '\\' ? 2 : 1;
    *end = i + 1;
    struct json_tokener *tok = json_tokener_new();
    struct json_object *key = tok ? json_tokener_parse_ex(tok, text + at, (int)(*end - at)) : NULL;
    json_tokener_free(tok);
    return key;
}

static enum status find_duplicate(const char *text, size_t len, struct error *e)
{
    struct json_object *seen[JSON_DEPTH_MAX + 1] = { 0 }; /* per open container: its keys; arrays stay empty */
    int depth = 0;
    enum status st = OK;
    for (size_t at = 0; at < len && st == OK;) {
        char c = text[at];
        if (c == '{' || c == '[') {
            seen[++depth] = json_object_new_object();
        } else if (c == '}' || c == ']') {
            json_object_put(seen[depth]);
            seen[depth--] = NULL;
        } else if (c == '"') {
            size_t end, colon;
            struct json_object *key = decode_key(text, len, at, &end);
            for (colon = end; colon < len && strchr(" \t\n\r", text[colon]); colon++)
                ;
            if (key && colon < len && text[colon] == ':') {
                const char *name = json_object_get_string(key);
                if (json_object_object_get_ex(seen[depth], name, NULL))
                    st = fail(e, ST_INVALID, "The key \"%.60s\" at byte %zu is there twice.", name, at);
                else
                    json_object_object_add(seen[depth], name, NULL);
            }
            json_object_put(key);
            at = end;
            continue;
        }
        at++;
    }
    while (depth > 0)
        json_object_put(seen[depth--]);
    return st;
}

enum status json_lint_keys(const char *text, size_t len, const struct json_lint *found, struct error *e)
{
    char *patched = found->nul_escapes > 0 ? json_lint_without_nul(text, len) : NULL;
    enum status st = found->keys_doubtful ? find_duplicate(patched ? patched : text, len, e) : OK;
    free(patched);
    return st;
}

bool json_lint_key_is(const char *key, size_t len, const char *name)
{
    size_t end;
    struct json_object *plain = decode_key(key, len, 0, &end);
    bool same = plain && (size_t)json_object_get_string_len(plain) == strlen(name) &&
                strcmp(json_object_get_string(plain), name) == 0;
    json_object_put(plain);
    return same;
}
