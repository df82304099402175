/* SPDX-License-Identifier: MIT
 * turn: opens one message (who, where, which clock), decides whether it is for us, and hands it to the path that
 * understands it: a tap, a command, a pending question, the model, the built-in parser. */
#include "router/turn.h"

#include "base/json.h"
#include "router/turn_internal.h"

#include <stdio.h>
#include <string.h>

size_t turn_text_units_max(const char *channel)
{
    return strcmp(channel, "console") == 0 ? 32000
                                           : TELEGRAM_TEXT_UNITS_MAX - 64 /* room for the sender's "sent again" line */;
}

/* --- who --- */

static bool from_console(const struct turn *t)
{
    return strcmp(t->in.channel, "console") == 0;
}

bool turn_is_allowed(const struct turn *t)
{
    if (from_console(t))
        return true;
    for (int i = 0; i < t->env->allowed_count; i++)
        if (t->in.from_person && t->env->allowed[i] == t->in.from_id)
            return true;
    return false;
}

/* The console's person; a browser knows the zone it is in, which serves until they set another. */
static enum status open_owner(struct turn *t, struct db *db, struct error *e)
{
    enum status s = user_owner(db, t->arena, t->env->zone, &t->user, e);
    if (s == OK && *t->in.zone)
        s = user_suggest_zone(db, t->user.id, t->in.zone, e);
    return s ? s : user_owner(db, t->arena, t->env->zone, &t->user, e);
}

static enum status open_user(struct db *db, void *arg, struct error *e)
{
    struct turn *t = arg;
    if (db_now_ms(db, &t->now_ms, e))
        return e->status;
    if (from_console(t))
        return open_owner(t, db, e);
    bool owner = t->env->allowed_count > 0 && t->env->allowed[0] == t->in.from_id;
    if (user_of_telegram(db, t->arena, t->in.from_id, owner, t->env->zone, &t->user, e))
        return e->status;
    return user_touch(db, &t->user, t->in.from_name, t->in.language, t->in.group ? 0 : t->in.chat_id, e);
}

/* The common case without a write: the person is known and nothing about them changed. */
static enum status find_user(struct turn *t, bool *found, struct error *e)
{
    struct db *db;
    *found = false;
    if (store_read_begin(t->env->store, &db, e))
        return e->status;
    struct stmt *s = from_console(t)
                         ? db_query(db, "SELECT id, zone FROM users WHERE id = 1")
                         : db_query(db, "SELECT id, name, language, private_chat_id FROM users WHERE telegram_id = $1",
                                    p_int(t->in.from_id));
    int64_t id = 0;
    while (db_step(s)) {
        bool same = from_console(t)
                        ? *db_text(s, 1) || !*t->in.zone
                        : (!strcmp(db_text(s, 1), t->in.from_name) && !strcmp(db_text(s, 2), t->in.language) &&
                           (t->in.group || db_int(s, 3) == t->in.chat_id));
        id = same ? db_int(s, 0) : 0;
    }
    if (db_done(s, e) || db_now_ms(db, &t->now_ms, e) ||
        (id && user_by_id(db, t->arena, id, t->env->zone, &t->user, e))) {
        store_read_end(t->env->store, db);
        return e->status;
    }
    *found = id != 0;
    store_read_end(t->env->store, db);
    return OK;
}

bool turn_is_late(const struct turn *t)
{
    enum { LATE_MS = 60 * 1000 }; /* younger than this, the clocks may just differ */
    return t->in.date_ms && t->now_ms - t->in.date_ms > LATE_MS;
}

/* "tomorrow" is counted from when it was said, not from when an outage was over. */
static int64_t said_at_ms(const struct turn *t)
{
    return turn_is_late(t) && t->now_ms - t->in.date_ms < INBOX_KEEP_MS ? t->in.date_ms : t->now_ms;
}

enum status turn_open(struct turn *t, struct error *e)
{
    bool found;
    if (find_user(t, &found, e))
        return e->status;
    if (!found && store_write_relaxed(t->env->store, open_user, t, e))
        return e->status;
    if (zone_to_civil(t->user.zone, said_at_ms(t), &t->now, e))
        return e->status;
    t->key = (struct history_key){ t->in.channel, t->in.chat_id, t->user.id };
    return OK;
}

struct when_options turn_when_options(const struct turn *t)
{
    return (struct when_options){ .now = t->now, .day_first = when_day_first(t->user.language) };
}

/* --- what is not for us, or not for now --- */

enum status turn_ignore(struct turn *t, const char *outcome, struct error *e)
{
    t->outcome = outcome;
    t->head = t->tail = NULL;
    t->act = NULL;
    return turn_finish(t, e);
}

static enum status act_stranger(struct turn *t, struct tool_ctx *ctx, struct error *e)
{
    bool first;
    if (stranger_first(ctx->db, t->in.from_id, t->now_ms, &first, e))
        return e->status;
    if (!first || !t->in.from_person)
        return OK;
    reply_text(&t->reply, "Sorry, you're not authorized to use this bot.");
    reply_gap(&t->reply);
    reply_text(&t->reply, "Your Telegram id is ");
    reply_code(&t->reply, arena_printf(t->arena, "%lld", (long long)t->in.from_id));
    reply_text(&t->reply, ". The owner can add it to TELEGRAM_USER_ID.");
    return OK;
}

static enum status turn_for_stranger(struct turn *t, struct error *e)
{
    t->outcome = "stranger";
    t->now_ms = clock_wall_ms();
    t->toast = "Sorry, you're not authorized.";
    t->act = t->in.addressed && t->in.kind != IN_TAP ? act_stranger : NULL;
    return turn_finish(t, e);
}

/* Telegram reports an edit also when only a preview changed. */
static enum status turn_for_edit(struct turn *t, bool *acted, struct error *e)
{
    struct db *db;
    const char *before;
    if (store_read_begin(t->env->store, &db, e))
        return e->status;
    enum status s = history_of_message(db, t->arena, &t->key, t->in.message_id, &before, e);
    store_read_end(t->env->store, db);
    *acted = s == OK && before;
    if (s || !before)
        return s;
    if (strcmp(before, t->in.text) == 0)
        return turn_ignore(t, "ignored", e);
    t->outcome = "edit";
    turn_say(t, "I acted on your first version already, so the edit changed nothing. Send the correction as a new "
                "message, or /undo what I did.");
    return turn_finish(t, e);
}

static enum status turn_for_media(struct turn *t, struct error *e)
{
    t->outcome = "media";
    turn_say(t, "I can't read a %s, only text. Tell me in words what to do with it, and I will.", t->in.media);
    return turn_finish(t, e);
}

/* Forwarded text is content: it is offered, never obeyed. */
static enum status act_forwarded(struct turn *t, struct tool_ctx *ctx, struct error *e)
{
    (void)ctx, (void)e;
    t->worst = TOOL_ASK;
    reply_text(&t->reply, "That is forwarded text, so I took nothing in it as an order. What should I do with it?");
    reply_button(&t->reply, false, "Save as note", "keep:note:%lld", (long long)t->row->id);
    reply_button(&t->reply, true, "Add as task", "keep:task:%lld", (long long)t->row->id);
    reply_button(&t->reply, true, "Search for it", "keep:find:%lld", (long long)t->row->id);
    return OK;
}

static enum status turn_for_text(struct turn *t, struct error *e)
{
    enum status s = OK;
    t->remember = true;
    if (strlen(t->in.text) > MESSAGE_BYTES_MAX) {
        t->remember = false;
        turn_say(t, "That message is too long for me (over %d KiB). Please send it in parts.", MESSAGE_BYTES_MAX / KIB);
        return turn_finish(t, e);
    }
    if (t->in.forwarded) {
        t->act = act_forwarded;
        t->outcome = "asked";
        return turn_finish(t, e);
    }
    if (*t->text == '/') {
        t->report->path = "command";
        return turn_by_command(t, e);
    }
    if (turn_take_pending(t, &s, e))
        return s;
    if (t->env->models->count > 0)
        return turn_by_model(t, e);
    t->report->path = "parser";
    return turn_by_parser(t, e);
}

static enum status turn_dispatch(struct turn *t, struct error *e)
{
    bool acted = false;
    enum status s = OK;
    if (turn_take_ask(t, &s, e))
        return s;
    if (t->in.kind == IN_SERVICE || (!t->in.addressed && t->in.kind != IN_TAP) ||
        (!t->in.from_person && !from_console(t)))
        return turn_ignore(t, "ignored", e);
    if (!turn_is_allowed(t))
        return turn_for_stranger(t, e);
    if (turn_open(t, e))
        return e->status;
    if (t->in.kind == IN_EDIT) {
        s = turn_for_edit(t, &acted, e);
        if (s || acted)
            return s;
        t->in.kind = *t->in.text ? IN_TEXT : t->in.media ? IN_MEDIA : IN_SERVICE;
        if (t->in.kind == IN_SERVICE)
            return turn_ignore(t, "ignored", e);
    }
    t->text = t->in.text;
    if (t->in.kind == IN_TAP) {
        t->report->path = "tap";
        return turn_by_tap(t, e);
    }
    if (t->in.kind == IN_MEDIA)
        return turn_for_media(t, e);
    return turn_for_text(t, e);
}

/* --- how it ends --- */

static enum status give_back_write(struct db *db, void *arg, struct error *e)
{
    struct turn *t = arg;
    int64_t now_ms, delay_ms = __atomic_load_n(t->env->cancel, __ATOMIC_RELAXED) ? 0 : 2000;
    if (db_now_ms(db, &now_ms, e))
        return e->status;
    if (inbox_give_back(db, t->row->id, t->row->token, now_ms + delay_ms, e))
        return e->status;
    t->tells_limit = false; /* nobody was told */
    return turn_put_usage(t, db, e);
}

/* Our claim is a live one, so nobody else takes the row before its lease ends: with the database away this insists. */
static void turn_give_back(struct turn *t)
{
    enum { PAUSE_MS_MAX = 1000 };
    struct error e = { 0 };
    int64_t until_ms = clock_mono_ms() + LEASE_MS, pause_ms = 50;
    enum status s;
    while ((s = store_write_relaxed(t->env->store, give_back_write, t, &e)) && s != ST_LOST &&
           !__atomic_load_n(t->env->cancel, __ATOMIC_RELAXED) && clock_mono_ms() < until_ms) {
        clock_sleep_ms(pause_ms);
        pause_ms = pause_ms * 2 < PAUSE_MS_MAX ? pause_ms * 2 : PAUSE_MS_MAX;
    }
    /* When even this failed the row stays claimed: its lease or our end returns it to the queue. */
    t->report->end = TURN_GIVEN_BACK;
    t->report->outcome = s ? "left to the rescue" : "gave back";
}

/* A failure that would repeat: nothing was changed; the person hears so, and the row is finished. */
static void turn_apologise(struct turn *t)
{
    struct error e = { 0 };
    t->act = NULL;
    t->tail = NULL;
    t->document = NULL;
    t->pending_kind = NULL;
    reply_init(&t->lead, t->arena);
    t->report->end = TURN_FAILED;
    t->outcome = t->report->outcome = "failed";
    t->toast = "Something went wrong; nothing was changed.";
    turn_say(t,
             "Something went wrong on my side, and nothing was changed. Please try again; if it happens again, tell "
             "the owner to look at the log for message %lld.",
             (long long)t->row->id);
    if (turn_finish(t, &e) && e.status != ST_LOST)
        turn_give_back(t);
}

static void turn_settle(struct turn *t, enum status s, const struct error *e)
{
    if (s == OK) {
        t->report->outcome = t->outcome ? t->outcome : "ok";
        return;
    }
    snprintf(t->report->error, sizeof t->report->error, "%s", e->text);
    if (s == ST_LOST) {
        t->report->end = TURN_LOST;
        t->report->outcome = "lost the lease";
    } else if (status_row(s)->retry || s == ST_SHUTDOWN || s == ST_UNKNOWN) {
        turn_give_back(t);
    } else {
        turn_apologise(t);
    }
}

void turn_run(struct turn_env *env, const struct inbox_row *row, struct turn_report *report)
{
    struct arena *arena = arena_new();
    struct error e = { 0 };
    struct turn *t = arena_alloc(arena, sizeof *t);
    int64_t begin_ms = clock_mono_ms();
    *report = (struct turn_report){ .path = "-", .outcome = "ok", .tap = row->tap };
    t->env = env;
    t->arena = arena;
    t->row = row;
    t->report = report;
    t->now_ms = clock_wall_ms();
    reply_init(&t->lead, arena);
    reply_init(&t->reply, arena);
    reply_init(&t->listing, arena);
    reply_init(&t->fallback, arena);
    enum status s =
        incoming_read(arena, row->channel, row->body, env->bot_username(env->arg), env->bot_id(env->arg), &t->in, &e);
    s = s == OK ? turn_dispatch(t, &e) : turn_ignore(t, "unreadable", &e);
    turn_settle(t, s, &e);
    report->total_ms = clock_mono_ms() - begin_ms;
    arena_free(arena);
}
