/* SPDX-License-Identifier: MIT
 * turn_ask: messages that belong to agents' requests: a tap on a card, a reply to one, words in a project's topic, and
 * what a group says about its topics.  The answer and "this update is done" are one transaction.  Edits never answer.
 */
#include "base/json.h"
#include "router/ask.h"
#include "router/turn_internal.h"
#include "store/chats.h"
#include "store/topics.h"

#include <string.h>

/* Found by reading, carried out by the act. */
struct asked {
    int64_t request;
    bool several, over;
};

static struct ask_voice voice_of(struct turn *t)
{
    bool console = strcmp(t->in.channel, "console") == 0;
    int64_t owner = ask_settings()->allowed_count ? ask_settings()->allowed[0] : 0;
    const char *name = *t->user.name ? t->user.name : console ? "the owner" : t->in.from_name;
    return (struct ask_voice){
        .id = console ? owner : t->in.from_id,
        .name = *name ? name : arena_printf(t->arena, "%lld", (long long)t->in.from_id),
        .how = console                ? "console"
               : t->in.kind == IN_TAP ? "tap"
               : t->in.reply_to_id    ? "reply"
                                      : "text",
        .channel = t->in.channel,
        .chat_id = t->in.chat_id,
        .message_id = t->in.kind == IN_TAP ? t->in.message_id : 0,
    };
}

/* --- a tap --- */

static enum status act_tap(struct turn *t, struct tool_ctx *ctx, struct error *e)
{
    struct ask_voice voice = voice_of(t);
    struct agent_request r;
    enum ask_outcome outcome;
    return ask_tap(ctx->db, t->arena, t->in.callback_data, &voice, ctx->journal->now_ms, &outcome, &t->toast, &r, e);
}

enum status turn_by_ask_tap(struct turn *t, struct error *e)
{
    t->act = act_tap;
    t->outcome = "ask";
    t->report->asked = true;
    return turn_finish(t, e);
}

/* --- words --- */

static enum status act_words(struct turn *t, struct tool_ctx *ctx, struct error *e)
{
    const struct asked *asked = t->act_arg;
    struct ask_voice voice = voice_of(t);
    struct agent_request r;
    enum ask_outcome outcome;
    const char *says;
    if (asked->several) {
        reply_text(&t->reply, "Several questions are open here. Please reply to the one you mean, or use its buttons.");
        return OK;
    }
    if (ask_text(ctx->db, t->arena, asked->request, t->in.text, &voice, ctx->journal->now_ms, &outcome, &says, &r, e))
        return e->status;
    if (outcome == ASK_ANSWERED)
        reply_printf(&t->reply, "✓ Sent to %s", r.project);
    else
        reply_text(&t->reply, says);
    return OK;
}

static enum status find_asked(struct turn *t, struct asked *asked, struct error *e)
{
    struct ask_words words = { .channel = t->in.channel,
                               .chat_id = t->in.chat_id,
                               .thread_id = t->in.thread_id,
                               .reply_to_id = t->in.reply_to_id,
                               .reply_callback = t->in.reply_callback,
                               .quoted = t->in.quoted };
    if (turn_is_late(t))
        words.said_by_ms = t->in.date_ms + 999; /* dates are whole seconds */
    struct db *db;
    if (store_read_begin(t->env->store, &db, e))
        return e->status;
    enum status s = ask_find(db, t->arena, &words, &asked->request, &asked->several, &asked->over, e);
    store_read_end(t->env->store, db);
    return s;
}

/* In the console a tap on "Answer in words" makes the next message the answer. */
static enum status find_pending(struct turn *t, struct asked *asked, struct error *e)
{
    struct pending_key key = { t->in.channel, t->in.chat_id, 1 };
    struct pending pending;
    struct json_object *o;
    struct db *db;
    bool found = false;
    if (store_read_begin(t->env->store, &db, e))
        return e->status;
    enum status s = pending_get(db, t->arena, &key, t->now_ms, &pending, &found, e);
    store_read_end(t->env->store, db);
    if (s == OK && found && strcmp(pending.kind, "ask") == 0 &&
        json_parse_in(t->arena, pending.payload, strlen(pending.payload), &o, NULL) == OK)
        asked->request = json_int(o, "request", 0);
    t->clear_pending = asked->request != 0;
    return s;
}

/* In a topic bare words may answer; what is said to the bot by name, a command or a caption is none. */
static bool may_answer(const struct turn *t)
{
    bool words = t->in.kind == IN_TEXT && *t->in.text && !t->in.forwarded;
    bool bare = t->in.thread_id && !t->in.addressed && !t->in.media && *t->in.text != '/';
    if (strcmp(t->in.channel, "console") == 0)
        return words && *t->in.text != '/';
    return words && t->in.from_person && turn_is_allowed(t) && (t->in.reply_to_id || bare);
}

static bool take_words(struct turn *t, enum status *s, struct error *e)
{
    struct asked *asked = arena_alloc(t->arena, sizeof *asked);
    if (!may_answer(t))
        return false;
    *s = strcmp(t->in.channel, "console") == 0 ? find_pending(t, asked, e) : find_asked(t, asked, e);
    if (*s)
        return true;
    if (!asked->request && !asked->several)
        return false;
    *s = turn_open(t, e);
    if (*s)
        return true;
    t->act = act_words;
    t->act_arg = asked;
    t->outcome = "ask";
    t->report->path = "ask";
    t->report->asked = true;
    t->remember = true; /* so that an edit of it is recognised: an edit never changes an answer */
    *s = turn_finish(t, e);
    return true;
}

/* --- what a group says about itself --- */

static enum status act_service(struct turn *t, struct tool_ctx *ctx, struct error *e)
{
    const struct incoming *in = &t->in;
    if (in->moved_from && requests_lock(ctx->db, e)) /* cards move along */
        return e->status;
    if (in->moved_from && chat_moved(ctx->db, in->channel, in->moved_from, in->moved_to, e))
        return e->status;
    if (in->topic_name && topic_renamed(ctx->db, in->channel, in->chat_id, in->thread_id, in->topic_name, e))
        return e->status;
    if (in->forum && topic_chat_is_forum(ctx->db, in->channel, in->chat_id, e))
        return e->status;
    if (in->may_make_topics && topic_chat_rights(ctx->db, in->channel, in->chat_id, e))
        return e->status;
    return OK;
}

static bool take_service(struct turn *t, enum status *s, struct error *e)
{
    if (t->in.kind != IN_SERVICE || (!t->in.moved_from && !t->in.topic_name && !t->in.forum && !t->in.may_make_topics))
        return false;
    t->act = act_service;
    t->outcome = "service";
    *s = turn_finish(t, e);
    return true;
}

bool turn_take_ask(struct turn *t, enum status *s, struct error *e)
{
    return take_service(t, s, e) || take_words(t, s, e);
}
