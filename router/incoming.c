/* SPDX-License-Identifier: MIT
 * incoming: reads the JSON of an update.  Called by the turn on a worker thread; trusts nothing in it. */
#include "router/incoming.h"

#include "base/json.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>

/* Kinds of content without words, with what to call them. */
static const struct {
    const char *field, *name;
} media_table[] = {
    { "photo", "photo" },
    { "voice", "voice message" },
    { "audio", "audio file" },
    { "video", "video" },
    { "video_note", "video note" },
    { "animation", "GIF" },
    { "sticker", "sticker" },
    { "document", "document" },
    { "contact", "contact" },
    { "location", "location" },
    { "venue", "place" },
    { "poll", "poll" },
    { "dice", "dice" },
    { "game", "game" },
    { "story", "story" },
    { "checklist", "checklist" },
    { "invoice", "invoice" },
    { "paid_media", "paid media" },
    { "giveaway", "giveaway" },
};

static const char *media_name(struct json_object *message)
{
    for (size_t i = 0; i < sizeof media_table / sizeof media_table[0]; i++)
        if (json_has(message, media_table[i].field))
            return media_table[i].name;
    return NULL;
}

static const char *clean_text(struct arena *a, struct json_object *o, const char *key)
{
    struct json_object *s = json_at(o, key);
    if (!s || !json_object_is_type(s, json_type_string))
        return "";
    return text_trim((char *)text_clean(a, json_object_get_string(s), (size_t)json_object_get_string_len(s)));
}

static void read_sender(struct arena *a, struct json_object *from, struct incoming *in)
{
    in->from_id = json_int(from, "id", 0);
    in->from_name = clean_text(a, from, "first_name");
    in->language = clean_text(a, from, "language_code");
    in->zone = clean_text(a, from, "time_zone");
    in->from_person = from && !json_flag(from, "is_bot", false);
}

static void read_chat(struct json_object *message, struct incoming *in)
{
    in->chat_id = json_int(message, "chat.id", 0);
    const char *type = json_str(message, "chat.type", "private");
    in->group = strcmp(type, "private") != 0 && strcmp(type, "console") != 0;
    if (json_flag(message, "is_topic_message", false))
        in->thread_id = json_int(message, "message_thread_id", 0);
    in->message_id = json_int(message, "message_id", 0);
    in->forum = json_flag(message, "chat.is_forum", false);
}

/* The message a person replied to: its id, and a button of it, which names it even when the id is not known here yet.
 */
static void read_reply(struct arena *a, struct json_object *message, struct incoming *in)
{
    in->reply_to_id = json_int(message, "reply_to_message.message_id", 0);
    const char *data = json_str(message, "reply_to_message.reply_markup.inline_keyboard.0.0.callback_data", NULL);
    in->reply_callback = arena_strdup(a, data);
}

static void read_service(struct arena *a, struct json_object *m, struct incoming *in)
{
    const char *name = clean_text(a, m, "forum_topic_edited.name");
    in->topic_name = *name ? name : NULL;
    in->moved_to = json_int(m, "migrate_to_chat_id", 0);
    in->moved_from = in->moved_to ? in->chat_id : json_int(m, "migrate_from_chat_id", 0);
    if (in->moved_from && !in->moved_to)
        in->moved_to = in->chat_id;
}

/* Does "/cmd@name" at the start name another bot?  0 no, 1 ours, -1 another's. */
static int command_owner(const char *text, const char *username)
{
    if (*text != '/')
        return 0;
    size_t n = strcspn(text, " \t\r\n");
    const char *at = memchr(text, '@', n);
    if (!at)
        return 1;
    size_t len = n - (size_t)(at + 1 - text);
    return username && len == strlen(username) && strncasecmp(at + 1, username, len) == 0 ? 1 : -1;
}

static bool name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Does p stand in the command at the start ("/tasks@name")? */
static bool command_holds(const char *text, const char *p)
{
    return *text == '/' && (size_t)(p - text) < strcspn(text, " \t\r\n");
}

/* Remove every "@username" (also in "/cmd@username") that stands as a word; true when there was one. */
static bool strip_mention(char *text, const char *username)
{
    bool found = false;
    size_t n = strlen(username);
    for (char *p = strchr(text, '@'); p; p = strchr(p, '@')) {
        bool inside = p > text && name_char(p[-1]) && !command_holds(text, p); /* an address: "me@name.org" */
        if (strncasecmp(p + 1, username, n) != 0 || name_char(p[1 + n]) || inside) {
            p++;
            continue;
        }
        memmove(p, p + 1 + n, strlen(p + 1 + n) + 1);
        found = true;
    }
    return found;
}

static void read_addressing(struct arena *a, struct json_object *message, const char *username, int64_t bot_id,
                            struct incoming *in)
{
    char *text = arena_strdup(a, in->text);
    int owner = command_owner(text, username);
    bool mentioned = username && *username && strip_mention(text, username);
    int64_t replied_to = json_int(message, "reply_to_message.from.id", 0);
    bool topic_root =
        json_has(message, "reply_to_message.forum_topic_created"); /* every message of a topic points at it */
    bool replied = bot_id && replied_to == bot_id && !topic_root;
    in->addressed = !in->group || owner == 1 || mentioned || replied;
    if (owner == -1 && in->group)
        in->addressed = false;
    in->text = text_trim(text);
    if (!topic_root) {
        read_reply(a, message, in);
        const char *quoted = clean_text(a, message, "reply_to_message.text");
        if (!*quoted)
            quoted = clean_text(a, message, "reply_to_message.caption");
        in->quoted = *quoted ? quoted : NULL;
    }
}

/* Seconds since 1970; nonsense is "not told". */
static int64_t read_date(struct json_object *m)
{
    int64_t seconds = json_int(m, "date", 0);
    return seconds > 0 && seconds < INT64_MAX / 1000 ? seconds * 1000 : 0;
}

static void read_message(struct arena *a, struct json_object *m, const char *username, int64_t bot_id,
                         struct incoming *in)
{
    read_chat(m, in);
    read_sender(a, json_at(m, "from"), in);
    if (json_has(m, "sender_chat"))
        in->from_person = false;
    in->forwarded = json_has(m, "forward_origin") || json_has(m, "forward_from") || json_has(m, "forward_date") ||
                    json_has(m, "forward_sender_name");
    in->date_ms = read_date(m);
    in->text = clean_text(a, m, "text");
    in->media = media_name(m);
    in->album = clean_text(a, m, "media_group_id");
    if (!*in->text)
        in->text = clean_text(a, m, "caption");
    read_addressing(a, m, username, bot_id, in);
    read_service(a, m, in);
    if (in->kind == IN_EDIT)
        return;
    in->kind = *in->text ? IN_TEXT : in->media ? IN_MEDIA : IN_SERVICE;
}

/* What the bot may do in a chat has changed. */
static void read_membership(struct json_object *m, struct incoming *in)
{
    in->kind = IN_SERVICE;
    read_chat(m, in);
    in->may_make_topics = strcmp(json_str(m, "new_chat_member.status", ""), "administrator") == 0 &&
                          json_flag(m, "new_chat_member.can_manage_topics", false);
}

static void read_tap(struct arena *a, struct json_object *q, struct incoming *in)
{
    in->kind = IN_TAP;
    read_chat(json_at(q, "message"), in);
    read_sender(a, json_at(q, "from"), in);
    in->callback_id = arena_strdup(a, json_str(q, "id", ""));
    in->callback_data = clean_text(a, q, "data");
    in->text = "";
    in->addressed = true;
}

enum status incoming_read(struct arena *a, const char *channel, const char *body, const char *bot_username,
                          int64_t bot_id, struct incoming *in, struct error *e)
{
    struct json_object *root, *part;
    memset(in, 0, sizeof *in);
    in->channel = channel;
    if (json_parse_in(a, body, strlen(body), &root, e))
        return e->status;
    if ((part = json_at(root, "callback_query"))) {
        read_tap(a, part, in);
        return OK;
    }
    if ((part = json_at(root, "my_chat_member"))) {
        read_membership(part, in);
        return OK;
    }
    if ((part = json_at(root, "edited_message")))
        in->kind = IN_EDIT;
    else if (!(part = json_at(root, "message")))
        return fail(e, ST_INVALID, "not an update of a known kind");
    read_message(a, part, bot_username, bot_id, in);
    return OK;
}
