/* SPDX-License-Identifier: MIT
 * reply: the one writer of HTML and buttons.  Tool handlers, commands and the turn call it on a worker
 * thread; it only fills memory of the turn's arena.  No text reaches the buffer unescaped. */
#include "router/reply.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include <assert.h>
#include <string.h>

void reply_init(struct reply *r, struct arena *arena)
{
    memset(r, 0, sizeof *r);
    r->arena = arena;
    buf_init_in(&r->html, arena, REPLY_BYTES_MAX);
}

bool reply_empty(const struct reply *r)
{
    return r->html.len == 0 && r->button_count == 0;
}

void reply_text(struct reply *r, const char *s)
{
    while (s && *s) {
        size_t plain = strcspn(s, "&<>\"");
        buf_put(&r->html, s, plain);
        s += plain;
        if (*s)
            buf_puts(&r->html, *s == '&' ? "&amp;" : *s == '<' ? "&lt;" : *s == '>' ? "&gt;" : "&quot;");
        s += *s != '\0';
    }
}

void reply_printf(struct reply *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *s = arena_vprintf(r->arena, fmt, ap);
    va_end(ap);
    text_whole(s);
    reply_text(r, s);
}

static void put_element(struct reply *r, const char *open, const char *s, const char *close)
{
    if (!s || !*s)
        return;
    buf_puts(&r->html, open);
    reply_text(r, s);
    buf_puts(&r->html, close);
}

void reply_bold(struct reply *r, const char *s)
{
    put_element(r, "<b>", s, "</b>");
}

void reply_italic(struct reply *r, const char *s)
{
    put_element(r, "<i>", s, "</i>");
}

void reply_code(struct reply *r, const char *s)
{
    put_element(r, "<code>", s, "</code>");
}

void reply_pre(struct reply *r, const char *s)
{
    put_element(r, "<pre>", s, "</pre>");
}

void reply_quote(struct reply *r, const char *s, bool expandable)
{
    put_element(r, expandable ? "<blockquote expandable>" : "<blockquote>", s, "</blockquote>");
}

void reply_line(struct reply *r)
{
    buf_putc(&r->html, '\n');
}

void reply_gap(struct reply *r)
{
    const struct buf *b = &r->html;
    size_t ends = 0;
    while (ends < 2 && ends < b->len && b->data[b->len - 1 - ends] == '\n')
        ends++;
    for (; b->len > ends && ends < 2; ends++)
        reply_line(r);
}

static void add_button(struct reply *r, const struct button *button)
{
    size_t len = strlen(button->data);
    assert(r->button_count < REPLY_BUTTONS_MAX);
    assert(len >= 1 && len <= TELEGRAM_CALLBACK_BYTES_MAX);
    r->buttons[r->button_count++] = *button;
}

void reply_button(struct reply *r, bool same_row, const char *text, const char *data_fmt, ...)
{
    va_list ap;
    va_start(ap, data_fmt);
    const char *data = arena_vprintf(r->arena, data_fmt, ap);
    va_end(ap);
    add_button(r, &(struct button){ .text = arena_strdup(r->arena, text), .data = data, .same_row = same_row });
}

void reply_append(struct reply *to, const struct reply *from)
{
    if (from->html.len > 0) {
        reply_gap(to);
        buf_put(&to->html, from->html.data, from->html.len);
    }
    to->html.overflow = to->html.overflow || from->html.overflow;
    for (int i = 0; i < from->button_count; i++) {
        struct button b = from->buttons[i];
        b.text = arena_strdup(to->arena, b.text);
        b.data = arena_strdup(to->arena, b.data);
        b.same_row = b.same_row && i > 0;
        add_button(to, &b);
    }
}

static struct json_object *buttons_json(const struct reply *r)
{
    struct json_object *rows = json_object_new_array(), *row = NULL;
    for (int i = 0; i < r->button_count; i++) {
        if (!row || !r->buttons[i].same_row) {
            row = json_object_new_array();
            json_push(rows, row);
        }
        struct json_object *button = json_object_new_object();
        json_set_str(button, "text", r->buttons[i].text);
        json_set_str(button, "data", r->buttons[i].data);
        if (r->buttons[i].style)
            json_set_str(button, "style", r->buttons[i].style);
        json_push(row, button);
    }
    return rows;
}

struct json_object *reply_json(const struct reply *r)
{
    const char *html = buf_str(&r->html);
    if (r->html.overflow) { /* an element may have lost its end */
        html = html_tidy(r->arena, html);
        html = arena_printf(r->arena, "%s\n\n<i>The rest of this reply did not fit.</i>", html);
    }
    struct json_object *o = json_object_new_object();
    json_set_str(o, "html", html);
    json_set(o, "buttons", buttons_json(r));
    return o;
}
