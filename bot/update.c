/* SPDX-License-Identifier: MIT
 * update: the envelope of an update: its key and its lane.  Called by the webhook (loop thread) and the poller before
 * the row is written.  What the message means is router/incoming's business. */
#include "bot/update.h"

#include "base/decimal.h"
#include "base/json_view.h"

static const struct kind {
    const char *field;
    const char *lane;  /* before the id */
    const char *id_of; /* whose id makes the lane */
    bool tap;
} kind_table[] = {
    { "message", "chat:telegram:", "chat", false },
    { "edited_message", "chat:telegram:", "chat", false },
    { "my_chat_member", "chat:telegram:", "chat", false }, /* the bot got a right, or lost it */
    { "callback_query", "tap:telegram:", "from", true }, /* a lane of its own: a tap never waits behind a model call */
};
enum { KIND_COUNT = sizeof kind_table / sizeof kind_table[0] };

static char *numbered(struct arena *a, const char *before, int64_t number)
{
    char *text = arena_alloc(a, strlen(before) + DECIMAL_BYTES_MAX);
    decimal_put(stpcpy(text, before), number);
    return text;
}

enum status update_envelope(struct arena *a, const char *body, size_t len, struct inbox_update *out, bool *wanted,
                            struct error *e)
{
    struct json_view root;
    int64_t update_id, id;
    *wanted = false;
    if (json_view_open(body, len, &root, e))
        return fail_context(e, "the body is not an update");
    if (!json_view_int(json_view_member(root, "update_id"), &update_id) || update_id < 0)
        return fail(e, ST_INVALID, "the body is not an update: it has no update_id");
    for (int i = 0; i < KIND_COUNT; i++) {
        const struct kind *k = &kind_table[i];
        struct json_view content = json_view_member(root, k->field);
        if (!content.at)
            continue;
        if (!json_view_int(json_view_member(json_view_member(content, k->id_of), "id"), &id))
            return fail(e, ST_INVALID, "the body is not an update: %s.%s.id is missing", k->field, k->id_of);
        out->channel = "telegram";
        out->update_key = numbered(a, "", update_id);
        out->lane = numbered(a, k->lane, id);
        out->body = arena_strndup(a, body, len);
        out->tap = k->tap;
        *wanted = true;
        return OK;
    }
    return OK;
}
