/* SPDX-License-Identifier: MIT
 * text: lengths, folding and cleaning of UTF-8, with ICU's tables.
 * Called on any thread by everything that shows, compares or measures text.  ICU's break
 * iterators are costly to open, so each thread keeps one.  Pure otherwise. */
#include "base/text.h"
#include "base/graphemes.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

static const char replacement[] = "\xEF\xBF\xBD"; /* U+FFFD */

/* The code point at s (len bytes left, len > 0); -1 = malformed.  *used gets its bytes. */
static int32_t decode(const char *s, size_t len, size_t *used)
{
    int32_t at = 0, room = len < 4 ? (int32_t)len : 4;
    UChar32 cp;
    U8_NEXT((const uint8_t *)s, at, room, cp);
    *used = (size_t)at;
    return cp;
}

/* Eight bytes of plain ASCII without a NUL: most of what is ever checked. */
static bool ascii_eight(const char *s)
{
    uint64_t word;
    memcpy(&word, s, sizeof word);
    uint64_t borrows = word - 0x0101010101010101u; /* a byte that was 0 has its highest bit set now */
    return ((word | borrows) & 0x8080808080808080u) == 0;
}

bool text_valid(const char *s, size_t len)
{
    for (size_t i = 0, used; i < len; i += used) {
        used = 8;
        if (len - i >= 8 && ascii_eight(s + i))
            continue;
        if (decode(s + i, len - i, &used) <= 0)
            return false;
    }
    return true;
}

void text_whole(char *s)
{
    size_t len = strlen(s);
    char *to = s;
    for (size_t i = 0, used; i < len; i += used)
        if (decode(s + i, len - i, &used) > 0) {
            memmove(to, s + i, used);
            to += used;
        }
    *to = '\0';
}

size_t text_utf16_units(const char *s, size_t len)
{
    size_t units = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if ((c & 0xC0) != 0x80)
            units += c >= 0xF0 ? 2 : 1;
    }
    return units;
}

size_t text_prefix_utf16(const char *s, size_t len, size_t units)
{
    if (text_utf16_units(s, len) <= units)
        return len;
    /* Every unit takes at most 3 bytes, so the border lies in this window; the grapheme that
     * crosses it is cut there, which does not move the borders before it. */
    size_t window = units < len / 3 ? units * 3 + 4 : len;
    while (window < len && ((unsigned char)s[window] & 0xC0) == 0x80)
        window++;
    struct graphemes g;
    size_t end = 0, counted = 0, next;
    graphemes_open(&g, s, window);
    while ((next = graphemes_next(&g)) > end) {
        counted += text_utf16_units(s + end, next - end);
        if (counted > units)
            break;
        end = next;
    }
    graphemes_close(&g);
    return end;
}

char *text_trim(char *s)
{
    size_t len = strlen(s), used;
    while (len > 0) {
        int32_t cp = decode(s, len, &used);
        if (cp < 0 || !u_isUWhiteSpace(cp))
            break;
        s += used;
        len -= used;
    }
    while (len > 0) {
        int32_t at = (int32_t)(len < 4 ? len : 4), end = at;
        UChar32 cp;
        const uint8_t *tail = (const uint8_t *)s + len - at;
        U8_PREV(tail, 0, at, cp);
        if (cp < 0 || !u_isUWhiteSpace(cp))
            break;
        len -= (size_t)(end - at);
    }
    s[len] = '\0';
    return s;
}

const char *text_fold(struct arena *arena, const char *s)
{
    UErrorCode err = U_ZERO_ERROR;
    size_t len = strlen(s);
    if (len > INT32_MAX / 32) /* far above every bound of limits.h; keeps ICU's int32_t sizes in range */
        return arena_strdup(arena, s);
    int32_t wide_max = (int32_t)len + 1, wide_len = 0;
    UChar *wide = arena_alloc(arena, (size_t)wide_max * sizeof *wide);
    u_strFromUTF8WithSub(wide, wide_max, &wide_len, s, (int32_t)len, 0xFFFD, NULL, &err);
    const UNormalizer2 *fold = unorm2_getNFKCCasefoldInstance(&err);
    if (U_FAILURE(err))
        return arena_strdup(arena, s);
    int32_t need = unorm2_normalize(fold, wide, wide_len, NULL, 0, &err);
    err = U_ZERO_ERROR; /* "buffer overflow" is how ICU answers a question for the length */
    UChar *folded = arena_alloc(arena, ((size_t)need + 1) * sizeof *folded);
    unorm2_normalize(fold, wide, wide_len, folded, need + 1, &err);
    int32_t bytes = 0, out_max = need * 3 + 1;
    char *out = arena_alloc(arena, (size_t)out_max);
    u_strToUTF8(out, out_max, &bytes, folded, need, &err);
    return U_FAILURE(err) ? arena_strdup(arena, s) : out;
}

bool text_equal_fold(const char *a, const char *b)
{
    struct arena *arena = arena_new();
    bool same = strcmp(text_fold(arena, a), text_fold(arena, b)) == 0;
    arena_free(arena);
    return same;
}

const char *text_clean(struct arena *arena, const char *s, size_t len)
{
    /* One bad byte becomes the three of U+FFFD. */
    char *out = arena_alloc(arena, len * 3 + 1), *to = out;
    for (size_t i = 0, used; i < len; i += used) {
        int32_t cp = decode(s + i, len - i, &used);
        if (cp <= 0) {
            memcpy(to, replacement, 3);
            to += 3;
        } else if (cp == '\r') {
            if (i + 1 == len || s[i + 1] != '\n')
                *to++ = '\n';
        } else if ((cp >= 0x20 && cp != 0x7F) || cp == '\n' || cp == '\t') {
            memcpy(to, s + i, used);
            to += used;
        }
    }
    *to = '\0';
    return out;
}
