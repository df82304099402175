/* SPDX-License-Identifier: MIT
 * html: reads Telegram's small HTML without ever failing, and writes it balanced.
 * Worker and sender threads call it through reply.h, with texts of ours and of models.  What is not a
 * known tag or entity is text: nothing a person wrote gets lost.  Never recurses. */
#include "router/html.h"
#include "base/text.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unicode/utf8.h>

enum {
    ENTITY_BYTES_MAX = 12, /* "&#x0010FFFF;" */
    DEPTH_MAX = 64         /* we nest 3 deep; deeper tags are text, so that a stray close is found in bounded time */
};

static const char *const tag_names[] = { "b",   "strong", "i",   "em", "u",          "ins",        "s",        "strike",
                                         "del", "code",   "pre", "a",  "blockquote", "tg-spoiler", "tg-emoji", "span" };

struct reader {
    struct arena *arena;
    const char *at;
    char *text; /* as long as the source at most */
    size_t text_len;
    const struct html_element *element; /* the innermost open one */
    struct html_doc *doc;
    size_t runs_max;
};

static bool is_tag_name(const char *s, size_t len)
{
    for (size_t i = 0; i < sizeof tag_names / sizeof *tag_names; i++) {
        if (strlen(tag_names[i]) == len && strncasecmp(tag_names[i], s, len) == 0)
            return true;
    }
    return false;
}

static size_t name_length(const char *s)
{
    return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-");
}

/* Length of the attributes at s up to and with the ">": ` name`, ` name=word`, ` name="…"`; 0 = malformed. */
static size_t attributes_length(const char *s)
{
    const char *start = s;
    for (;;) {
        size_t blanks = strspn(s, " \t\n");
        s += blanks;
        if (*s == '>')
            return (size_t)(s - start) + 1;
        size_t name = name_length(s);
        if (blanks == 0 || name == 0)
            return 0;
        s += name;
        if (*s != '=')
            continue;
        s++;
        if (*s == '"' || *s == '\'') {
            const char *end = strchr(s + 1, *s);
            if (!end)
                return 0;
            s = end + 1;
        } else {
            size_t word = strcspn(s, " \t\n\"'<>");
            if (word == 0)
                return 0;
            s += word;
        }
    }
}

/* At "<": an open tag; false = it is only text. */
static bool read_open(struct reader *r)
{
    size_t name = name_length(r->at + 1);
    if (!is_tag_name(r->at + 1, name) || (r->element && r->element->depth == DEPTH_MAX))
        return false;
    size_t rest = attributes_length(r->at + 1 + name);
    if (rest == 0)
        return false;
    struct html_element *e = arena_alloc(r->arena, sizeof *e);
    e->parent = r->element;
    e->open = r->at;
    e->open_len = 1 + name + rest;
    e->name_len = name;
    e->depth = r->element ? r->element->depth + 1 : 1;
    r->element = e;
    r->at += e->open_len;
    return true;
}

/* At "</": closes the nearest element of that name and all inside it; a stray one closes nothing. */
static bool read_close(struct reader *r)
{
    const char *s = r->at + 2;
    size_t name = name_length(s);
    size_t blanks = strspn(s + name, " \t\n");
    if (!is_tag_name(s, name) || s[name + blanks] != '>')
        return false;
    for (const struct html_element *e = r->element; e; e = e->parent) {
        if (e->name_len == name && strncasecmp(e->open + 1, s, name) == 0) {
            r->element = e->parent;
            break;
        }
    }
    r->at = s + name + blanks + 1;
    return true;
}

static void put_text(struct reader *r, const char *s, size_t len)
{
    struct html_doc *doc = r->doc;
    if (len == 0)
        return;
    if (doc->run_count == 0 || doc->runs[doc->run_count - 1].element != r->element) {
        if (doc->run_count == r->runs_max) {
            size_t more = r->runs_max ? 2 * r->runs_max : 32;
            struct html_run *runs = arena_alloc(r->arena, more * sizeof *runs);
            if (doc->run_count > 0)
                memcpy(runs, doc->runs, doc->run_count * sizeof *runs);
            doc->runs = runs;
            r->runs_max = more;
        }
        doc->runs[doc->run_count++] = (struct html_run){ .start = r->text_len, .element = r->element };
    }
    memcpy(r->text + r->text_len, s, len);
    r->text_len += len;
}

/* The code point of the entity at "&", its bytes in *used; 0 = only text. */
static UChar32 entity(const char *s, size_t *used)
{
    static const struct {
        const char *text;
        UChar32 cp;
    } named[] = { { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' }, { "&apos;", '\'' } };
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        *used = strlen(named[i].text);
        if (strncmp(s, named[i].text, *used) == 0)
            return named[i].cp;
    }
    if (s[1] != '#')
        return 0;
    bool hex = s[2] == 'x' || s[2] == 'X';
    const char *digits = s + (hex ? 3 : 2);
    size_t count = strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");
    *used = (size_t)(digits - s) + count + 1;
    if (count == 0 || digits[count] != ';' || *used > ENTITY_BYTES_MAX)
        return 0;
    long cp = strtol(digits, NULL, hex ? 16 : 10);
    bool printable = cp >= 0x20 || cp == '\n' || cp == '\t';
    return printable && cp <= 0x10FFFF && !U_IS_SURROGATE(cp) ? (UChar32)cp : 0;
}

static void read_entity(struct reader *r)
{
    size_t used;
    uint8_t utf8[4];
    int32_t len = 0;
    UChar32 cp = entity(r->at, &used);
    if (cp == 0) {
        put_text(r, r->at++, 1);
        return;
    }
    U8_APPEND_UNSAFE(utf8, len, cp);
    put_text(r, (const char *)utf8, (size_t)len);
    r->at += used;
}

void html_read(struct arena *arena, const char *html, struct html_doc *doc)
{
    size_t len = strlen(html);
    if (!text_valid(html, len)) {
        html = text_clean(arena, html, len);
        len = strlen(html);
    }
    *doc = (struct html_doc){ 0 };
    struct reader r = { .arena = arena, .at = html, .text = arena_alloc(arena, len + 1), .doc = doc };
    while (*r.at) {
        size_t plain = strcspn(r.at, "<&");
        put_text(&r, r.at, plain);
        r.at += plain;
        if (*r.at == '&') {
            read_entity(&r);
        } else if (*r.at == '<') {
            if (!(r.at[1] == '/' ? read_close(&r) : read_open(&r)))
                put_text(&r, r.at++, 1);
        }
    }
    doc->text = r.text;
    doc->text_len = r.text_len;
}

/* --- writing --- */

static void close_element(const struct html_element *e, struct buf *out)
{
    buf_puts(out, "</");
    buf_put(out, e->open + 1, e->name_len);
    buf_putc(out, '>');
}

/* Elements are linked from the inside out and opened from the outside in. */
static void open_elements(const struct html_element *from, const struct html_element *to, struct buf *out)
{
    const struct html_element *way[DEPTH_MAX];
    size_t count = 0;
    for (; to != from; to = to->parent)
        way[count++] = to;
    while (count-- > 0)
        buf_put(out, way[count]->open, way[count]->open_len);
}

/* Close and open what differs between the elements open now and those wanted. */
static void change_elements(const struct html_element *now, const struct html_element *wanted, struct buf *out)
{
    const struct html_element *common = wanted;
    while (common && (!now || common->depth > now->depth))
        common = common->parent;
    while (now != common) {
        close_element(now, out);
        now = now->parent;
        if (common && common->depth > (now ? now->depth : 0))
            common = common->parent;
    }
    open_elements(common, wanted, out);
}

static void put_escaped(struct buf *out, const char *s, size_t len)
{
    const char *end = s + len;
    while (s < end) {
        const char *plain = s;
        while (s < end && *s != '&' && *s != '<' && *s != '>' && *s != '"')
            s++;
        buf_put(out, plain, (size_t)(s - plain));
        if (s < end)
            buf_puts(out, *s == '&' ? "&amp;" : *s == '<' ? "&lt;" : *s == '>' ? "&gt;" : "&quot;");
        s += s < end;
    }
}

void html_write(const struct html_doc *doc, size_t from, size_t to, size_t *run, struct buf *out)
{
    const struct html_element *now = NULL;
    size_t i = *run;
    while (i + 1 < doc->run_count && doc->runs[i + 1].start <= from)
        i++;
    *run = i;
    for (; from < to && !out->overflow; i++) {
        size_t end = i + 1 < doc->run_count && doc->runs[i + 1].start < to ? doc->runs[i + 1].start : to;
        change_elements(now, doc->runs[i].element, out);
        now = doc->runs[i].element;
        put_escaped(out, doc->text + from, end - from);
        from = end;
    }
    change_elements(now, NULL, out);
}
