/* SPDX-License-Identifier: MIT
 * html: a document read into visible text and the elements around it.  Used by the functions of reply.h
 * that take HTML; total: every sequence of bytes is a document.  Pure. */
#ifndef ROUTER_HTML_H
#define ROUTER_HTML_H

#include "base/arena.h"
#include "base/buf.h"

/* An open tag, and what it stands in. */
struct html_element {
    const struct html_element *parent; /* NULL = top */
    const char *open;                  /* "<a href=…>" in the source, open_len bytes */
    size_t open_len;
    size_t name_len; /* of the name behind the "<" */
    size_t depth;    /* 1 = top */
};

/* A stretch of visible text with the same elements around it. */
struct html_run {
    size_t start; /* byte offset in text; it ends where the next run starts */
    const struct html_element *element;
};

struct html_doc {
    const char *text; /* visible, entities decoded; valid UTF-8 */
    size_t text_len;
    struct html_run *runs;
    size_t run_count;
};

/* Everything in *doc is arena-owned and may point into html. */
void html_read(struct arena *, const char *html, struct html_doc *doc);

/* Write the visible bytes [from, to) with their elements, tidy; *run is the index of the run that holds
 * `from` or an earlier one, and is moved on to it. */
void html_write(const struct html_doc *, size_t from, size_t to, size_t *run, struct buf *out);

#endif
