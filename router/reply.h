/* SPDX-License-Identifier: MIT
 * reply: what goes back to the person: HTML from one escaping writer, and buttons.
 * Messengers turn it into their own form (Telegram: HTML parse mode, split at its limits; the console
 * page: the same HTML).  Tags used: b, i, code, pre, blockquote (optionally expandable), a. */
#ifndef ROUTER_REPLY_H
#define ROUTER_REPLY_H

#include "base/arena.h"
#include "base/buf.h"
#include <json-c/json.h>

enum {
    REPLY_BUTTONS_MAX = 24,
    HTML_PART_BYTES_MAX = 32768 /* Telegram refuses longer raw text before it parses the tags */
};

struct button {
    const char *text;  /* arena-owned */
    const char *data;  /* callback data, 1–64 bytes: "done:83" */
    bool same_row;     /* beside the previous button instead of below */
    const char *style; /* "primary", "success", "danger"; NULL = plain */
};

struct reply {
    struct arena *arena;
    struct buf html;
    struct button buttons[REPLY_BUTTONS_MAX];
    int button_count;
};

void reply_init(struct reply *, struct arena *); /* the buffer's memory is the arena's */
bool reply_empty(const struct reply *);
/* Writers: the text is escaped (& < > "); NULL writes nothing.  Beyond REPLY_BYTES_MAX nothing more is written
 * and the reply says so at its end. */
void reply_text(struct reply *, const char *s);
void reply_printf(struct reply *, const char *fmt, ...) PRINTF(2, 3);
void reply_bold(struct reply *, const char *s);
void reply_italic(struct reply *, const char *s);
void reply_code(struct reply *, const char *s);
void reply_pre(struct reply *, const char *s);
void reply_quote(struct reply *, const char *s, bool expandable);
void reply_line(struct reply *); /* end the line */
void reply_gap(struct reply *);  /* an empty line between paragraphs, unless at the start */
/* data over 64 bytes or more than REPLY_BUTTONS_MAX buttons is a defect: asserted. */
void reply_button(struct reply *, bool same_row, const char *text, const char *data_fmt, ...) PRINTF(4, 5);
void reply_append(struct reply *to, const struct reply *from); /* a gap, then text and buttons */
/* {"html": …, "buttons": [[{"text","data"}]]} ([] without buttons), the outbox payload; the caller owns it. */
struct json_object *reply_json(const struct reply *);

/* --- HTML of this kind, and any other bytes: what is not one of Telegram's tags or entities is text --- */

/* Plain text: tags dropped, entities decoded.  Arena-owned. */
const char *html_to_plain(struct arena *, const char *html);
/* The same document with every tag closed in order, every stray < > & escaped, empty elements left out. */
const char *html_tidy(struct arena *, const char *html);

/* Cut html into tidy parts of at most units_max UTF-16 units of *visible* text and HTML_PART_BYTES_MAX bytes each,
 * at a paragraph, line or word border where one exists in the last half of a part, never inside a grapheme (unless one
 * alone is longer than a part) or an entity; open tags are closed at the end of a part and opened again, attributes
 * included, in the next.  The parts' visible texts joined equal the source's up to white space at the cuts; parts of
 * white space alone are left out, so *count is 0 when nothing is visible.  Parts are arena-owned.
 * ST_LIMIT: more than parts_max would be needed, or one tag alone is longer than a part. */
enum status MUST_CHECK html_split(struct arena *, const char *html, size_t units_max, size_t parts_max,
                                  const char ***parts, size_t *count, struct error *);

#endif
