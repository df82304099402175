/* SPDX-License-Identifier: MIT
 * reply_split: cuts a long reply into messages that the messenger accepts.
 * The sender calls it before the first part goes out; pure.  It works on the visible text as a list of
 * graphemes, so that no cut can fall inside one, and lets html_write() put the tags back around each part. */
#include "router/reply.h"
#include "router/html.h"
#include "base/graphemes.h"
#include "base/text.h"
#include <stdint.h>
#include <string.h>

/* What cannot be divided: a grapheme, or a code point of one that is longer than a part. */
struct cell {
    size_t end; /* byte offset behind it */
    size_t units;
};

struct splitter {
    struct html_doc doc;
    struct cell *cells;
    size_t cell_count;
};

const char *html_to_plain(struct arena *arena, const char *html)
{
    struct html_doc doc;
    html_read(arena, html, &doc);
    return doc.text;
}

const char *html_tidy(struct arena *arena, const char *html)
{
    struct html_doc doc;
    struct buf out;
    size_t run = 0;
    html_read(arena, html, &doc);
    /* Escaping makes six bytes of one at most; each element costs less than two of its open tag per run. */
    buf_init_in(&out, arena, SIZE_MAX / 4);
    html_write(&doc, 0, doc.text_len, &run, &out);
    return buf_str(&out);
}

static void add_cells(struct splitter *s, size_t from, size_t to, size_t units_max)
{
    const char *text = s->doc.text;
    size_t units = text_utf16_units(text + from, to - from);
    if (units <= units_max) {
        s->cells[s->cell_count++] = (struct cell){ .end = to, .units = units };
        return;
    }
    while (from < to) {
        size_t next = from + 1;
        while (next < to && ((unsigned char)text[next] & 0xC0) == 0x80)
            next++;
        s->cells[s->cell_count++] = (struct cell){ .end = next, .units = text_utf16_units(text + from, next - from) };
        from = next;
    }
}

static void find_cells(struct splitter *s, struct arena *arena, size_t units_max)
{
    struct graphemes g;
    size_t at = 0, next;
    s->cells = arena_alloc(arena, (s->doc.text_len + 1) * sizeof *s->cells);
    graphemes_open(&g, s->doc.text, s->doc.text_len);
    while ((next = graphemes_next(&g)) > at) {
        add_cells(s, at, next, units_max);
        at = next;
    }
    graphemes_close(&g);
}

static size_t cell_start(const struct splitter *s, size_t cell)
{
    return cell == 0 ? 0 : s->cells[cell - 1].end;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* How good a cut before byte `at` is: 3 paragraph, 2 line, 1 word, 0 inside a word. */
static int border_rank(const char *text, size_t at)
{
    if (text[at] == '\n')
        return text[at + 1] == '\n' ? 3 : 2;
    if (is_blank(text[at]))
        return 1;
    return at > 0 && is_blank(text[at - 1]) ? 1 : 0;
}

/* The cell to cut before, so that the cells from `first` on fill at most units_max. */
static size_t find_cut(const struct splitter *s, size_t first, size_t units_max)
{
    size_t best[4] = { 0 }; /* the last border of each rank; 0 = none */
    size_t units = 0, i = first;
    for (; i < s->cell_count && units + s->cells[i].units <= units_max; i++) {
        units += s->cells[i].units;
        if (units * 2 >= units_max && i + 1 < s->cell_count)
            best[border_rank(s->doc.text, s->cells[i].end)] = i + 1;
    }
    if (i == s->cell_count)
        return i;
    for (int rank = 3; rank > 0; rank--) {
        if (best[rank] > first)
            return best[rank];
    }
    return i;
}

/* A space that carries a combining mark shows something. */
static bool is_blank_cell(const struct splitter *s, size_t cell)
{
    size_t at = cell_start(s, cell);
    while (at < s->cells[cell].end && is_blank(s->doc.text[at]))
        at++;
    return at == s->cells[cell].end;
}

/* Where the part after a cut begins: behind blanks within the line, else behind the line ends; the
 * indentation of the next line stays. */
static size_t skip_border(const struct splitter *s, size_t cell)
{
    size_t line = cell, i = cell;
    for (; i < s->cell_count && is_blank_cell(s, i); i++) {
        if (s->doc.text[s->cells[i].end - 1] == '\n')
            line = i + 1;
    }
    return line > cell ? line : i;
}

/* Write cells [first, end) without the blanks at their end; false = too many bytes for one part. */
static bool write_part(const struct splitter *s, size_t first, size_t end, size_t *run, struct buf *out)
{
    size_t from = cell_start(s, first), to = cell_start(s, end);
    while (to > from && end < s->cell_count && is_blank(s->doc.text[to - 1]))
        to--;
    buf_clear(out);
    size_t blank = from;
    while (blank < to && is_blank(s->doc.text[blank]))
        blank++;
    if (blank < to)
        html_write(&s->doc, from, to, run, out);
    return !out->overflow;
}

enum status html_split(struct arena *arena, const char *html, size_t units_max, size_t parts_max, const char ***parts,
                       size_t *count, struct error *e)
{
    struct splitter s = { 0 };
    struct buf out = BUF_INIT(HTML_PART_BYTES_MAX);
    enum status st = OK;
    size_t run = 0;
    units_max = units_max < 2 ? 2 : units_max; /* a code point may need two */
    *count = 0;
    *parts = arena_alloc(arena, (parts_max + 1) * sizeof **parts);
    html_read(arena, html, &s.doc);
    find_cells(&s, arena, units_max);
    for (size_t first = 0; first < s.cell_count && st == OK;) {
        size_t units = units_max, end = find_cut(&s, first, units);
        bool written;
        while (!(written = write_part(&s, first, end, &run, &out)) && end - first > 1) {
            units = units / 2 > s.cells[first].units ? units / 2 : s.cells[first].units;
            end = find_cut(&s, first, units);
        }
        if (!written)
            st = fail(e, ST_LIMIT, "The formatting of the text is larger than one message can be.");
        else if (out.len > 0 && *count == parts_max)
            st = fail(e, ST_LIMIT, "The text is too long: it would need more than %zu messages.", parts_max);
        else if (out.len > 0)
            (*parts)[(*count)++] = arena_strndup(arena, out.data, out.len);
        first = skip_border(&s, end);
    }
    buf_release(&out);
    return st;
}
