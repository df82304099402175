/* SPDX-License-Identifier: MIT
 * telegram: see telegram.h.  Requests from outbox rows and the table of what Telegram's answers mean.
 * Called by telegram_messenger.c and register.c; pure. */
#include "bot/telegram.h"

#include "base/json.h"
#include "base/text.h"
#include "router/reply.h"
#include <ctype.h>
#include <string.h>

#define SENT_AGAIN "↻ Sent again: the first attempt got no answer."

enum {
    TELEGRAM_GENERAL_THREAD = 1, /* the General topic is addressed by leaving the thread out */
    FLOOD_DEFAULT_MS = 5000,     /* a 429 that does not say how long */
    TELEGRAM_PLACEHOLDER_UNITS_MAX = 64,
};

/* ---- requests ---- */

void telegram_request_json(struct arena *a, const char *method, struct json_object *params, bool repeatable,
                           struct telegram_request *out)
{
    const char *body = json_text(a, params);
    *out = (struct telegram_request){ .method = method,
                                      .content_type = "application/json",
                                      .body = body,
                                      .body_len = strlen(body),
                                      .repeatable = repeatable };
}

/* [[{"text","data","style"?}]] → {"inline_keyboard": [[{"text","callback_data","style"?}]]} */
static struct json_object *keyboard(struct json_object *rows)
{
    struct json_object *markup = json_object_new_object(), *out_rows = json_object_new_array();
    size_t row_count = json_object_is_type(rows, json_type_array) ? json_object_array_length(rows) : 0;
    for (size_t i = 0; i < row_count; i++) {
        struct json_object *row = json_object_array_get_idx(rows, i), *out_row = json_object_new_array();
        size_t button_count = json_object_is_type(row, json_type_array) ? json_object_array_length(row) : 0;
        for (size_t j = 0; j < button_count; j++) {
            struct json_object *button = json_object_array_get_idx(row, j), *out = json_object_new_object();
            json_set_str(out, "text", json_str(button, "text", ""));
            if (json_has(button, "url"))
                json_set_str(out, "url", json_str(button, "url", ""));
            else
                json_set_str(out, "callback_data", json_str(button, "data", ""));
            if (json_has(button, "style"))
                json_set_str(out, "style", json_str(button, "style", ""));
            json_push(out_row, out);
        }
        if (json_object_array_length(out_row))
            json_push(out_rows, out_row);
        else
            json_object_put(out_row);
    }
    json_set(markup, "inline_keyboard", out_rows);
    return markup;
}

static int64_t thread_of(const struct outbox_row *row, unsigned flags)
{
    return row->thread_id == TELEGRAM_GENERAL_THREAD || (flags & TELEGRAM_NO_THREAD) ? 0 : row->thread_id;
}

static struct json_object *reply_parameters(int64_t message_id)
{
    struct json_object *reply = json_object_new_object();
    json_set_int(reply, "message_id", message_id);
    json_set_bool(reply, "allow_sending_without_reply", true);
    return reply;
}

/* Buttons, or the person's keyboard opened for a reply: one message cannot have both. */
static void put_markup(struct json_object *params, struct json_object *payload)
{
    if (json_has(payload, "buttons")) {
        json_set(params, "reply_markup", keyboard(json_at(payload, "buttons")));
        return;
    }
    if (!json_flag(payload, "force_reply", false))
        return;
    struct json_object *markup = json_object_new_object();
    const char *placeholder = json_str(payload, "placeholder", "");
    json_set_bool(markup, "force_reply", true);
    if (*placeholder && text_utf16_units(placeholder, strlen(placeholder)) <= TELEGRAM_PLACEHOLDER_UNITS_MAX)
        json_set_str(markup, "input_field_placeholder", placeholder);
    json_set(params, "reply_markup", markup);
}

/* Text and how it is written, under the names sendMessage and editMessageText share. */
static void put_text(struct arena *a, struct json_object *params, const char *html, unsigned flags)
{
    if (flags & TELEGRAM_PLAIN) {
        json_set_str(params, "text", html_to_plain(a, html));
    } else {
        json_set_str(params, "text", html);
        json_set_str(params, "parse_mode", "HTML");
    }
    struct json_object *preview = json_object_new_object();
    json_set_bool(preview, "is_disabled", true);
    json_set(params, "link_preview_options", preview);
}

/* What may stand there twice says so. */
static const char *marked(struct arena *a, const struct outbox_row *row, const char *html)
{
    if (row->unknowns == 0)
        return html;
    return arena_printf(a, "%s%s<i>%s</i>", html, *html ? "\n\n" : "", SENT_AGAIN);
}

static void request_message(struct arena *a, const struct outbox_row *row, struct json_object *payload, unsigned flags,
                            struct telegram_request *out)
{
    struct json_object *params = json_keep(a, json_object_new_object());
    json_set_int(params, "chat_id", row->chat_id);
    if (thread_of(row, flags))
        json_set_int(params, "message_thread_id", thread_of(row, flags));
    put_text(a, params, marked(a, row, json_str(payload, "html", "")), flags);
    put_markup(params, payload);
    if (json_int(payload, "reply_to", 0) && !(flags & TELEGRAM_NO_REPLY))
        json_set(params, "reply_parameters", reply_parameters(json_int(payload, "reply_to", 0)));
    if (json_flag(payload, "silent", false))
        json_set_bool(params, "disable_notification", true);
    telegram_request_json(a, "sendMessage", params, false, out);
}

static void request_edit(struct arena *a, const struct outbox_row *row, struct json_object *payload, unsigned flags,
                         struct telegram_request *out)
{
    struct json_object *params = json_keep(a, json_object_new_object());
    bool text = json_has(payload, "html");
    json_set_int(params, "chat_id", row->chat_id);
    json_set_int(params, "message_id", json_int(payload, "message_id", 0));
    if (text)
        put_text(a, params, json_str(payload, "html", ""), flags);
    /* Without reply_markup an edit of the text takes the buttons away; one of the buttons alone always names them. */
    if (json_has(payload, "buttons") || !text)
        json_set(params, "reply_markup", keyboard(json_at(payload, "buttons")));
    telegram_request_json(a, text ? "editMessageText" : "editMessageReplyMarkup", params, true, out);
}

static void request_tap(struct arena *a, struct json_object *payload, struct telegram_request *out)
{
    struct json_object *params = json_keep(a, json_object_new_object());
    const char *text = json_str(payload, "text", "");
    json_set_str(params, "callback_query_id", json_str(payload, "callback_id", ""));
    if (*text) /* 200 characters at most; UTF-16 units are never fewer than characters */
        json_set_str(params, "text", arena_strndup(a, text, text_prefix_utf16(text, strlen(text), 200)));
    if (json_flag(payload, "alert", false))
        json_set_bool(params, "show_alert", true);
    telegram_request_json(a, "answerCallbackQuery", params, true, out);
}

static void request_document(struct arena *a, const struct outbox_row *row, struct json_object *payload, unsigned flags,
                             struct telegram_request *out)
{
    struct multipart_field field[8];
    size_t n = 0;
    const char *caption = marked(a, row, json_str(payload, "caption_html", ""));
    const char *content = json_str(payload, "content", "");
    field[n++] = (struct multipart_field){ "chat_id", arena_printf(a, "%lld", (long long)row->chat_id) };
    if (thread_of(row, flags))
        field[n++] =
            (struct multipart_field){ "message_thread_id", arena_printf(a, "%lld", (long long)thread_of(row, flags)) };
    if (*caption) {
        field[n++] =
            (struct multipart_field){ "caption", flags & TELEGRAM_PLAIN ? html_to_plain(a, caption) : caption };
        if (!(flags & TELEGRAM_PLAIN))
            field[n++] = (struct multipart_field){ "parse_mode", "HTML" };
    }
    if (json_int(payload, "reply_to", 0) && !(flags & TELEGRAM_NO_REPLY)) {
        struct json_object *reply = json_keep(a, reply_parameters(json_int(payload, "reply_to", 0)));
        field[n++] = (struct multipart_field){ "reply_parameters", json_text(a, reply) };
    }
    if (json_flag(payload, "silent", false))
        field[n++] = (struct multipart_field){ "disable_notification", "true" };
    struct multipart_file file = { .name = "document",
                                   .filename = json_str(payload, "filename", "steward.txt"),
                                   .content_type = "application/octet-stream",
                                   .content = content,
                                   .content_len = strlen(content) };
    *out = (struct telegram_request){ .method = "sendDocument" };
    out->body = multipart_body(a, field, n, &file, &out->body_len, &out->content_type);
}

static void request_topic(struct arena *a, const struct outbox_row *row, struct json_object *payload,
                          struct telegram_request *out)
{
    struct json_object *params = json_keep(a, json_object_new_object());
    json_set_int(params, "chat_id", row->chat_id);
    json_set_str(params, "name", json_str(payload, "name", ""));
    telegram_request_json(a, "createForumTopic", params, false, out);
}

void telegram_request_reopen(struct arena *a, const struct outbox_row *row, struct telegram_request *out)
{
    struct json_object *params = json_keep(a, json_object_new_object());
    json_set_int(params, "chat_id", row->chat_id);
    json_set_int(params, "message_thread_id", row->thread_id);
    telegram_request_json(a, "reopenForumTopic", params, true, out);
}

enum status telegram_request_for(struct arena *a, const struct outbox_row *row, unsigned flags,
                                 struct telegram_request *out, struct error *e)
{
    struct json_object *payload;
    if (json_parse_in(a, row->payload, strlen(row->payload), &payload, e))
        return fail_context(e, "payload of a %s", row->kind);
    bool edit = strcmp(row->kind, "edit") == 0;
    if (strcmp(row->kind, "tap") == 0) {
        if (!*json_str(payload, "callback_id", ""))
            return fail(e, ST_INVALID, "an answer to a tap needs the callback query's id");
        request_tap(a, payload, out);
        return OK;
    }
    if (strcmp(row->kind, "document") == 0) {
        if (!*json_str(payload, "content", ""))
            return fail(e, ST_INVALID, "an empty document cannot be sent");
        request_document(a, row, payload, flags, out);
        return OK;
    }
    if (strcmp(row->kind, "topic") == 0) {
        if (!*json_str(payload, "name", ""))
            return fail(e, ST_INVALID, "a topic needs a name");
        request_topic(a, row, payload, out);
        return OK;
    }
    if (!edit && strcmp(row->kind, "message") != 0)
        return fail(e, ST_INVALID, "Telegram has no way to send a row of kind '%s'", row->kind);
    if (edit && !(flags & TELEGRAM_AS_NEW)) {
        if (json_int(payload, "message_id", 0) <= 0)
            return fail(e, ST_INVALID, "an edit needs the id of its message");
        request_edit(a, row, payload, flags, out);
        return OK;
    }
    if (!*json_str(payload, "html", ""))
        return fail(e, edit ? ST_NOT_FOUND : ST_INVALID, "there is no text to send");
    request_message(a, row, payload, flags, out);
    return OK;
}

struct json_object *telegram_allowed_updates(void)
{
    static const char *const kind[] = { "message", "edited_message", "my_chat_member",
                                        "callback_query" }; /* as in bot/update.c */
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < sizeof kind / sizeof *kind; i++)
        json_push(list, json_object_new_string(kind[i]));
    return list;
}

/* ---- answers ---- */

void telegram_answer_read(struct arena *a, const struct http_reply *reply, struct telegram_answer *out)
{
    *out = (struct telegram_answer){
        .code = reply->code, .description = "", .retry_after_ms = reply->retry_after_ms, .raw = reply->body
    };
    struct json_object *o;
    if (json_parse_in(a, reply->body, reply->body_len, &o, NULL) ||
        !json_object_is_type(json_at(o, "ok"), json_type_boolean))
        return;
    out->envelope = true;
    out->ok = json_flag(o, "ok", false);
    out->result = json_at(o, "result");
    out->description = json_str(o, "description", "");
    out->migrate_to_chat_id = json_int(o, "parameters.migrate_to_chat_id", 0);
    if (!out->ok)
        out->code = (int)json_int(o, "error_code", reply->code);
    double seconds = json_num(o, "parameters.retry_after", -1);
    if (seconds >= 0 && seconds < 1e7) /* the body's word goes before the header's, which a proxy may have written */
        out->retry_after_ms = (int64_t)(seconds * 1000 + 0.999);
    if (!out->ok && out->code == 429 && out->retry_after_ms < 0)
        out->retry_after_ms = FLOOD_DEFAULT_MS;
}

/* First match wins.  code 0 = any; fragment "" = any; fragments are lower case. */
static const struct answer_row {
    int code;
    const char *fragment;
    enum telegram_verdict verdict;
} answer_table[] = {
    { 400, "message is not modified", TG_DONE },
    { 400, "query is too old", TG_DONE }, /* the spinner on the phone is gone by itself */
    { 400, "query id is invalid", TG_DONE },
    { 400, "can't parse entities", TG_PLAIN },
    { 400, "can't parse message caption", TG_PLAIN },
    { 400, "entity_bounds_invalid", TG_PLAIN },
    { 400, "message to edit not found", TG_AS_NEW },
    { 400, "message can't be edited", TG_AS_NEW },
    { 400, "message_id_invalid", TG_AS_NEW },
    { 400, "message thread not found", TG_NO_THREAD },
    { 400, "topic_closed", TG_TOPIC_CLOSED },
    { 400, "topic_not_modified", TG_DONE },
    { 400, "topic_deleted", TG_NO_THREAD },
    { 400, "message to be replied not found", TG_NO_REPLY },
    { 400, "message to reply not found", TG_NO_REPLY },
    { 0, "upgraded to a supergroup", TG_MIGRATED },
    { 400, "not a forum", TG_NO_FORUM },
    { 400, "not a supergroup", TG_NO_FORUM },
    { 400, "not enough rights", TG_NO_RIGHTS },
    { 400, "chat_admin_required", TG_NO_RIGHTS },
    { 400, "", TG_REJECTED }, /* chat not found, message is too long, … */
    { 401, "", TG_DENIED },
    { 403, "", TG_REJECTED }, /* blocked by the user, kicked from the group */
    { 404, "", TG_DENIED },   /* every method we call exists: the token is not even shaped like one */
    { 413, "", TG_REJECTED },
    { 429, "", TG_WAIT },
};

static void lower_ascii(const char *s, char *out, size_t out_bytes)
{
    size_t i = 0;
    for (; s[i] && i + 1 < out_bytes; i++)
        out[i] = (char)tolower((unsigned char)s[i]);
    out[i] = '\0';
}

static enum telegram_verdict judge_refusal(const struct telegram_answer *answer)
{
    char text[512];
    lower_ascii(answer->description, text, sizeof text);
    for (size_t i = 0; i < sizeof answer_table / sizeof *answer_table; i++) {
        const struct answer_row *row = &answer_table[i];
        if ((row->code && row->code != answer->code) || !strstr(text, row->fragment))
            continue;
        if (row->verdict == TG_MIGRATED && !answer->migrate_to_chat_id)
            return TG_REJECTED;
        return row->verdict;
    }
    return TG_AGAIN;
}

enum telegram_verdict telegram_judge(enum status call, const struct telegram_answer *answer, bool repeatable)
{
    enum telegram_verdict unknown = repeatable ? TG_AGAIN : TG_UNKNOWN;
    if (call == ST_UNAVAILABLE)
        return TG_AGAIN;
    if (call != OK || answer->code >= 500)
        return unknown;
    if (answer->envelope)
        return answer->ok ? TG_DONE : judge_refusal(answer);
    /* Not Telegram's own words.  A proxy's refusal says nothing about the row, a 2xx without them nothing at all. */
    if (answer->code == 413)
        return TG_REJECTED;
    if (answer->code == 429)
        return TG_WAIT;
    return answer->code >= 400 ? TG_AGAIN : unknown;
}
