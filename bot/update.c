/* SPDX-License-Identifier: MIT
 * update: the envelope of an update: its key and its lane.  Called by the webhook (loop thread) and the poller before
 * the row is written.  What the message means is router/incoming's business. */
#include "bot/update.h"

#include "base/json.h"

#include <string.h>

static const struct kind {
    const char *field;
    const char *lane; /* NULL: steward has no use for this kind */
    const char *id_path;
    bool tap;
} kind_table[] = {
    { "message", "chat", "chat.id", false },
    { "edited_message", "chat", "chat.id", false },
    { "my_chat_member", "chat", "chat.id", false }, /* the bot got a right, or lost it */
    { "callback_query", "tap", "from.id", true },   /* a lane of its own: a tap never waits behind a model call */
};
enum { KIND_COUNT = sizeof kind_table / sizeof kind_table[0] };

enum status update_envelope(struct arena *a, const char *body, size_t len, struct inbox_update *out, bool *wanted,
                            struct error *e)
{
    struct json_object *root, *id;
    *wanted = false;
    if (json_parse_in(a, body, len, &root, e))
        return fail_context(e, "the body is not an update");
    if (!json_object_is_type(root, json_type_object) || !json_object_object_get_ex(root, "update_id", &id) ||
        !json_object_is_type(id, json_type_int) || json_object_get_int64(id) < 0)
        return fail(e, ST_INVALID, "the body is not an update: it has no update_id");
    for (int i = 0; i < KIND_COUNT; i++) {
        const struct kind *k = &kind_table[i];
        struct json_object *content = json_at(root, k->field);
        if (!content)
            continue;
        struct json_object *lane_id = json_at(content, k->id_path);
        if (!lane_id || !json_object_is_type(lane_id, json_type_int))
            return fail(e, ST_INVALID, "the body is not an update: %s.%s is missing", k->field, k->id_path);
        out->channel = "telegram";
        out->update_key = arena_printf(a, "%lld", (long long)json_object_get_int64(id));
        out->lane = arena_printf(a, "%s:telegram:%lld", k->lane, (long long)json_object_get_int64(lane_id));
        out->body = arena_strndup(a, body, len);
        out->tap = k->tap;
        *wanted = true;
        return OK;
    }
    return OK;
}
