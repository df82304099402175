/* SPDX-License-Identifier: MIT
 * unspoof: make visible what a text can hide.  Called for every foreign text that asks a person
 * for trust (approval cards), on any thread; pure.  Direction controls can show a command backwards and
 * invisible characters can smuggle words to a model; both are printed by their number. */
#include "base/text.h"
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

enum {
    ZERO_WIDTH_JOINER = 0x200D,
    VARIATION_15 = 0xFE0E, /* show the emoji before as text */
    VARIATION_16 = 0xFE0F, /* show it as a picture */
    BLACK_FLAG = 0x1F3F4,  /* opens England, Scotland and Wales */
    TAG_FIRST = 0xE0020,
    TAG_END = 0xE007F,
    BRAILLE_BLANK = 0x2800, /* a drawn character without ink */
    SHOWN_BYTES_MAX = 16    /* "⟨U+10FFFF⟩" */
};

struct walk {
    const uint8_t *s;
    int32_t len, at;
    UChar32 base;   /* the last character that is no modifier, joiner or selector; 0 at the start */
    UChar32 before; /* the character right before */
};

static UChar32 peek_next(const struct walk *w)
{
    int32_t at = w->at;
    UChar32 cp = 0;
    if (at < w->len)
        U8_NEXT(w->s, at, w->len, cp);
    return cp;
}

static bool is_hidden(UChar32 cp)
{
    if (cp == '\n' || cp == '\t')
        return false;
    return u_charType(cp) == U_CONTROL_CHAR || u_charType(cp) == U_LINE_SEPARATOR ||
           u_charType(cp) == U_PARAGRAPH_SEPARATOR || u_hasBinaryProperty(cp, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) ||
           u_hasBinaryProperty(cp, UCHAR_BIDI_CONTROL) || cp == BRAILLE_BLANK ||
           (cp >= 0xFFF9 && cp <= 0xFFFB); /* interlinear annotation */
}

/* A joiner or selector that only shapes the emoji it stands in. */
static bool is_emoji_glue(const struct walk *w, UChar32 cp)
{
    if (cp == ZERO_WIDTH_JOINER)
        return u_hasBinaryProperty(w->base, UCHAR_EXTENDED_PICTOGRAPHIC) && w->before != ZERO_WIDTH_JOINER &&
               u_hasBinaryProperty(peek_next(w), UCHAR_EXTENDED_PICTOGRAPHIC);
    if (cp == VARIATION_15 || cp == VARIATION_16)
        return w->before == w->base && u_hasBinaryProperty(w->base, UCHAR_EMOJI);
    return false;
}

/* Bytes of the tag characters after a black flag when they spell one of the flags that exist, else 0. */
static int32_t flag_tag_bytes(const struct walk *w)
{
    UChar flag[32];
    int32_t units = 0, at = w->at;
    UChar32 cp = BLACK_FLAG;
    UBool error = false;
    U16_APPEND(flag, units, 32, cp, error);
    while (at < w->len && units <= 28 && cp != TAG_END) {
        U8_NEXT(w->s, at, w->len, cp);
        if (cp < TAG_FIRST || cp > TAG_END)
            return 0;
        U16_APPEND(flag, units, 32, cp, error);
    }
    if (error || cp != TAG_END || !u_stringHasBinaryProperty(flag, units, UCHAR_RGI_EMOJI_TAG_SEQUENCE))
        return 0;
    return at - w->at;
}

static bool is_modifier(UChar32 cp)
{
    return cp == ZERO_WIDTH_JOINER || cp == VARIATION_15 || cp == VARIATION_16 ||
           u_hasBinaryProperty(cp, UCHAR_EMOJI_MODIFIER);
}

const char *text_unspoof(struct arena *arena, const char *s)
{
    size_t len = strlen(s);
    assert(len < INT32_MAX / SHOWN_BYTES_MAX); /* far above every bound of limits.h */
    struct buf out = BUF_INIT(len * SHOWN_BYTES_MAX + 1);
    struct walk w = { .s = (const uint8_t *)s, .len = (int32_t)len };
    while (w.at < w.len) {
        int32_t start = w.at;
        UChar32 cp;
        U8_NEXT(w.s, w.at, w.len, cp);
        if (cp == BLACK_FLAG)
            w.at += flag_tag_bytes(&w);
        if (cp < 0)
            buf_puts(&out, "\xEF\xBF\xBD");
        else if (is_hidden(cp) && !is_emoji_glue(&w, cp))
            buf_printf(&out, "⟨U+%04X⟩", (unsigned)cp);
        else
            buf_put(&out, s + start, (size_t)(w.at - start));
        w.before = cp < 0 ? 0 : cp;
        if (!is_modifier(cp) || w.base == 0)
            w.base = w.before;
    }
    const char *shown = arena_strndup(arena, buf_str(&out), out.len);
    buf_release(&out);
    return shown;
}
