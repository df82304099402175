/* SPDX-License-Identifier: MIT
 * console_messenger: outbox rows become rows of the page's chat.  deliver() runs inside the sender's write, possibly
 * more than once; it does database work only. */
#include "bot/console_messenger.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/limits.h"
#include "store/console_messages.h"
#include <string.h>

enum { CONSOLE_TEXT_UNITS_MAX = 32000 }; /* a page of 10 screens; Telegram's cut at 4,096 is not needed here */

static const char *buttons_of(struct arena *a, struct json_object *payload)
{
    struct json_object *buttons = json_at(payload, "buttons");
    if (!buttons || !json_object_is_type(buttons, json_type_array) || json_object_array_length(buttons) == 0)
        return NULL;
    return json_text(a, buttons);
}

static enum status deliver_message(struct db *db, struct arena *a, struct json_object *payload, int64_t *id,
                                   struct error *e)
{
    int64_t now_ms;
    enum status s = db_now_ms(db, &now_ms, e);
    if (s != OK)
        return s;
    return console_message_put(db, json_str(payload, "html", ""), buttons_of(a, payload), now_ms, id, e);
}

/* The file stays in the outbox row; the page fetches it from there as long as it is kept. */
static enum status deliver_document(struct db *db, struct arena *a, const struct outbox_row *row,
                                    struct json_object *payload, int64_t *id, struct error *e)
{
    struct buf html = BUF_INIT(REPLY_BYTES_MAX);
    const char *caption = json_str(payload, "caption_html", "");
    int64_t now_ms;
    enum status s = db_now_ms(db, &now_ms, e);
    if (s != OK)
        return s;
    buf_printf(&html, "<a href=\"/console/file?id=%lld\">", (long long)row->id);
    for (const char *p = json_str(payload, "filename", "file.txt"); *p; p++)
        buf_putc(&html, strchr("<>&\"", *p) ? '_' : *p);
    buf_printf(&html, "</a>%s%s", *caption ? "\n" : "", caption);
    s = console_message_put(db, buf_str(&html), buttons_of(a, payload), now_ms, id, e);
    buf_release(&html);
    return s;
}

static enum status deliver(void *self, struct db *db, struct arena *a, const struct outbox_row *row,
                           int64_t *message_id, struct error *e)
{
    struct json_object *payload;
    (void)self;
    *message_id = 0;
    enum status s = json_parse_in(a, row->payload, strlen(row->payload), &payload, e);
    if (s != OK)
        return s;
    if (strcmp(row->kind, "message") == 0)
        return deliver_message(db, a, payload, message_id, e);
    if (strcmp(row->kind, "document") == 0)
        return deliver_document(db, a, row, payload, message_id, e);
    if (strcmp(row->kind, "edit") == 0) {
        *message_id = json_int(payload, "message_id", 0);
        return console_message_edit(db, *message_id, json_str(payload, "html", NULL), buttons_of(a, payload), e);
    }
    if (strcmp(row->kind, "tap") == 0)
        return OK; /* the feed shows its text straight from the outbox */
    return fail(e, ST_INVALID, "the console knows no outbox kind \"%s\"", row->kind);
}

static void delivered(void *self)
{
    console_feed_changed(self);
}

static void typing(void *self, struct http *http, struct arena *a, int64_t chat_id, int64_t thread_id)
{
    (void)http;
    (void)a;
    (void)chat_id;
    (void)thread_id;
    console_feed_typing(self, true);
}

struct messenger console_messenger_make(struct console_feed *feed)
{
    return (struct messenger){
        .channel = "console",
        .text_units_max = CONSOLE_TEXT_UNITS_MAX,
        .transactional = true,
        .deliver = deliver,
        .delivered = delivered,
        .typing = typing,
        .self = feed,
    };
}
