/* SPDX-License-Identifier: MIT
 * update: the envelope of an update: its key and its lane.  Called by the webhook (loop thread) and the poller before
 * the row is written.  What the message means is router/incoming's business. */
#include "bot/update.h"

#include "base/json_view.h"

static const struct kind {
    const char *field;
    const char *lane;  /* NULL: steward has no use for this kind */
    const char *id_of; /* whose id makes the lane */
    bool tap;
} kind_table[] = {
    { "message", "chat", "chat", false },
    { "edited_message", "chat", "chat", false },
    { "my_chat_member", "chat", "chat", false }, /* the bot got a right, or lost it */
    { "callback_query", "tap", "from", true },   /* a lane of its own: a tap never waits behind a model call */
};
enum { KIND_COUNT = sizeof kind_table / sizeof kind_table[0] };

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
        out->update_key = arena_printf(a, "%lld", (long long)update_id);
        out->lane = arena_printf(a, "%s:telegram:%lld", k->lane, (long long)id);
        out->body = arena_strndup(a, body, len);
        out->tap = k->tap;
        *wanted = true;
        return OK;
    }
    return OK;
}
