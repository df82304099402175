/* SPDX-License-Identifier: MIT
 * turn_commit: the one transaction of a turn.  Runs on the store's writer (SQLite) or on a pooled connection
 * (PostgreSQL), possibly more than once: everything it computes is reset at its start.  No network here. */
#include "router/turn_internal.h"

#include "base/json.h"
#include "base/text.h"
#include "store/outbox.h"

#include <string.h>

enum {
    COMMIT_PATIENCE_MS = 60000, /* how long a turn keeps its result for a database that is away; a lease is longer */
    COMMIT_PAUSE_MS = 50,       /* first pause between two tries; doubles */
    COMMIT_PAUSE_MS_MAX = 1000,
};

struct tool_ctx turn_tool_ctx(struct turn *t, struct db *db, struct journal *journal)
{
    return (struct tool_ctx){
        .arena = t->arena,
        .db = db,
        .journal = journal,
        .user = &t->user,
        .channel = t->in.channel,
        .chat_id = t->in.chat_id,
        .now_ms = t->now_ms,
        .now = t->now,
        .question = t->text,
    };
}

void turn_say(struct turn *t, const char *fmt, ...)
{
    struct reply r;
    va_list ap;
    va_start(ap, fmt);
    char *s = arena_vprintf(t->arena, fmt, ap);
    va_end(ap);
    text_whole(s);
    reply_init(&r, t->arena);
    reply_text(&r, s);
    t->head = arena_strdup(t->arena, buf_str(&r.html));
}

enum status turn_say_reply(struct turn *t, const struct reply *r, struct error *e)
{
    t->head = arena_strdup(t->arena, buf_str(&r->html));
    return turn_finish(t, e);
}

static void html_paragraph(struct reply *r, const char *html)
{
    if (!html || !*html)
        return;
    reply_gap(r);
    buf_puts(&r->html, html);
}

static struct outbox_row outbox_row_of(struct turn *t, const char *kind, struct json_object *payload)
{
    return (struct outbox_row){
        .channel = t->in.channel,
        .chat_id = t->in.chat_id,
        .thread_id = t->in.thread_id,
        .kind = kind,
        .priority = t->row->tap ? 1 : 2,
        .payload = json_text(t->arena, json_keep(t->arena, payload)),
        .inbox_id = t->row->id,
    };
}

static enum status put_parts(struct turn *t, struct db *db, struct error *e)
{
    const char **part;
    size_t parts;
    if (html_split(t->arena, buf_str(&t->reply.html), turn_text_units_max(t->in.channel), REPLY_PARTS_MAX, &part,
                   &parts, e))
        return e->status;
    struct json_object *whole = json_keep(t->arena, reply_json(&t->reply));
    for (size_t i = 0; i < parts; i++) {
        struct json_object *payload = json_object_new_object(), *buttons = json_at(whole, "buttons");
        json_set_str(payload, "html", part[i]);
        if (i + 1 == parts && buttons)
            json_set(payload, "buttons", json_object_get(buttons));
        if (t->worst == TOOL_ASK)
            json_set_bool(payload, "question", true); /* its answer takes its place */
        if (i == 0 && t->in.group && t->in.kind != IN_TAP)
            json_set_int(payload, "reply_to", t->in.message_id);
        struct outbox_row row = outbox_row_of(t, "message", payload);
        row.dedupe_key = t->in.kind == IN_MEDIA && *t->in.album /* ten photos in one album are told once */
                             ? arena_printf(t->arena, "album:%lld:%.64s:%zu", (long long)t->in.chat_id, t->in.album, i)
                             : arena_printf(t->arena, "turn:%lld:%zu", (long long)t->row->id, i);
        if (outbox_put(db, &row, t->now_ms, NULL, e))
            return e->status;
    }
    return OK;
}

static enum status put_document(struct turn *t, struct db *db, struct error *e)
{
    if (!t->document)
        return OK;
    struct json_object *payload = json_object_new_object();
    json_set_str(payload, "filename", t->document_name);
    json_set_str(payload, "content", t->document);
    struct outbox_row row = outbox_row_of(t, "document", payload);
    row.dedupe_key = arena_printf(t->arena, "turn:%lld:document", (long long)t->row->id);
    return outbox_put(db, &row, t->now_ms, NULL, e);
}

/* The spinner on the button is answered in any case, ahead of everything else. */
static enum status put_tap_answer(struct turn *t, struct db *db, struct error *e)
{
    if (t->in.kind != IN_TAP || !*t->in.callback_id)
        return OK;
    struct json_object *payload = json_object_new_object();
    json_set_str(payload, "callback_id", t->in.callback_id);
    if (t->toast)
        json_set_str(payload, "text", t->toast);
    struct outbox_row row = outbox_row_of(t, "tap", payload);
    row.priority = 0;
    row.dedupe_key = arena_printf(t->arena, "turn:%lld:tap", (long long)t->row->id);
    return outbox_put(db, &row, t->now_ms, NULL, e);
}

/* A card with buttons of one subject is replaced by its result; a list (several subjects) stays, and the result
 * follows. */
static enum status tapped_card_is_single(struct turn *t, struct db *db, bool *single, struct error *e)
{
    struct stmt *s = db_query(db,
                              "SELECT payload FROM outbox WHERE channel = $1 AND chat_id = $2 AND message_id = $3"
                              " AND kind = 'message'",
                              p_text(t->in.channel), p_int(t->in.chat_id), p_int(t->in.message_id));
    const char *payload = NULL;
    while (db_step(s))
        payload = arena_strdup(t->arena, db_text(s, 0));
    if (db_done(s, e))
        return e->status;
    struct json_object *root = NULL;
    struct error ignored;
    int same = 0;
    const char *verb = t->in.callback_data;
    size_t n = strcspn(verb, ":");
    if (payload && json_parse_in(t->arena, payload, strlen(payload), &root, &ignored) == OK) {
        struct json_object *rows = json_at(root, "buttons");
        for (size_t i = 0; rows && i < json_object_array_length(rows); i++) {
            struct json_object *row = json_object_array_get_idx(rows, i);
            for (size_t j = 0; j < json_object_array_length(row); j++) {
                const char *data = json_str(json_object_array_get_idx(row, j), "data", "");
                same += strcspn(data, ":") == n && !strncmp(data, verb, n);
            }
        }
    }
    *single =
        same <= 1 || json_flag(root, "question", false) || !strncmp(verb, "setdate:", 8) || !strncmp(verb, "pick:", 5);
    return OK;
}

static bool fits_one_message(struct turn *t)
{
    const char *plain = html_to_plain(t->arena, buf_str(&t->reply.html));
    return text_utf16_units(plain, strlen(plain)) <= turn_text_units_max(t->in.channel);
}

static enum status put_tap_result(struct turn *t, struct db *db, struct error *e)
{
    bool single = false;
    if (reply_empty(&t->reply))
        return OK;
    if (t->in.message_id && t->worst == TOOL_OK && tapped_card_is_single(t, db, &single, e))
        return e->status;
    bool shows = !strncmp(t->in.callback_data, "show:", 5) || !strncmp(t->in.callback_data, "keep:find:", 10);
    if (!single || shows || !fits_one_message(t))
        return put_parts(t, db, e);
    struct json_object *payload = reply_json(&t->reply);
    json_set_int(payload, "message_id", t->in.message_id);
    if (!json_has(payload, "buttons"))
        json_set(payload, "buttons", json_object_new_array());
    struct outbox_row row = outbox_row_of(t, "edit", payload);
    row.dedupe_key = arena_printf(t->arena, "turn:%lld:edit", (long long)t->row->id);
    return outbox_put(db, &row, t->now_ms, NULL, e);
}

static enum status put_reply(struct turn *t, struct db *db, struct error *e)
{
    if (put_tap_answer(t, db, e))
        return e->status;
    if (t->in.kind == IN_TAP)
        return put_tap_result(t, db, e);
    if (!reply_empty(&t->reply) && put_parts(t, db, e))
        return e->status;
    return put_document(t, db, e);
}

static enum status put_memory(struct turn *t, struct db *db, struct error *e)
{
    struct pending_key key = { t->key.channel, t->key.chat_id, t->key.user_id };
    if (t->pending_kind && pending_put(db, &key, t->pending_kind, t->pending_payload, t->now_ms + PENDING_KEEP_MS, e))
        return e->status;
    if (!t->remember)
        return OK;
    if (history_add(db, &t->key, true, t->in.text, t->row->id, t->in.message_id, t->now_ms, e))
        return e->status;
    const char *answer = html_to_plain(t->arena, buf_str(&t->reply.html));
    if (*answer && history_add(db, &t->key, false, answer, t->row->id, 0, t->now_ms, e))
        return e->status;
    return OK;
}

/* Did this turn change rows, now or in a step that was recorded before? */
static enum status turn_wrote(struct turn *t, struct db *db, bool *wrote, struct error *e)
{
    int64_t one;
    return db_get_int(db, &one, wrote, e, "SELECT 1 FROM turns WHERE inbox_id = $1 AND undone_at IS NULL",
                      p_int(t->row->id));
}

/* Run the act with a fresh reply: head, what earlier steps rendered, what the act renders, tail, the undo button. */
static enum status run_act(struct turn *t, struct db *db, struct error *e)
{
    struct buf summary = BUF_INIT(4096);
    struct journal journal = {
        .db = db, .inbox_id = t->row->id, .user_id = t->user.id, .now_ms = t->now_ms, .summary = &summary
    };
    bool wrote = false;
    if (t->act && db_now_ms(db, &journal.now_ms, e)) /* undo goes by the order of commits: a slow turn began long ago */
        return e->status;
    struct tool_ctx ctx = turn_tool_ctx(t, db, &journal);
    reply_init(&t->reply, t->arena);
    html_paragraph(&t->reply, t->head);
    if (!reply_empty(&t->lead))
        reply_append(&t->reply, &t->lead);
    enum status s = t->act ? t->act(t, &ctx, e) : OK;
    if (s == OK)
        s = journal_close(&journal, e);
    html_paragraph(&t->reply, t->tail);
    if (s == OK && (journal.seq > 0 || t->round > 0))
        s = turn_wrote(t, db, &wrote, e);
    if (wrote)
        reply_button(&t->reply, t->reply.button_count > 0, "↩ Undo", "undo:%lld", (long long)t->row->id);
    buf_release(&summary);
    return s;
}

static enum status finish_write(struct db *db, void *arg, struct error *e)
{
    struct turn *t = arg;
    if (inbox_done(db, t->row->id, t->row->token, t->outcome, t->now_ms, e))
        return e->status;
    if (t->env->echo && t->in.kind != IN_TAP && t->env->echo(t->env->arg, db, t->arena, &t->in, t->row->update_key, e))
        return e->status;
    struct pending_key key = { t->key.channel, t->key.chat_id, t->key.user_id };
    if (t->clear_pending && pending_clear(db, &key, e)) /* before the act: it may ask something new */
        return e->status;
    if (run_act(t, db, e) || put_reply(t, db, e) || put_memory(t, db, e) || turn_put_usage(t, db, e))
        return e->status;
    return OK;
}

static enum status step_write(struct db *db, void *arg, struct error *e)
{
    struct turn *t = arg;
    int64_t now_ms; /* not t->now_ms: the lease is counted from this step, not from the start of the turn */
    if (db_now_ms(db, &now_ms, e) || inbox_hold(db, t->row->id, t->row->token, now_ms + LEASE_MS, e) ||
        run_act(t, db, e))
        return e->status;
    if (t->step && step_put(db, t->row->id, t->round, t->step, t->now_ms, e))
        return e->status;
    return turn_put_usage(t, db, e);
}

static enum status timed_write(struct turn *t, write_fn fn, struct error *e)
{
    int64_t begin_ms = clock_mono_ms();
    enum status s = store_write(t->env->store, fn, t, e);
    t->report->db_ms += clock_mono_ms() - begin_ms;
    return s;
}

/* While the database is away the worker has nothing better to do than to wait with its result: giving the message back
 * would mean asking the model again. */
static bool worth_waiting(struct turn *t, enum status s, int64_t until_ms, int64_t *pause_ms)
{
    if ((s != ST_UNAVAILABLE && s != ST_BUSY) || __atomic_load_n(t->env->cancel, __ATOMIC_RELAXED) ||
        clock_mono_ms() >= until_ms)
        return false;
    clock_sleep_ms(*pause_ms);
    *pause_ms = *pause_ms * 2 < COMMIT_PAUSE_MS_MAX ? *pause_ms * 2 : COMMIT_PAUSE_MS_MAX;
    return true;
}

enum status turn_finish(struct turn *t, struct error *e)
{
    if (!t->outcome)
        t->outcome = "ok";
    int64_t until_ms = clock_mono_ms() + COMMIT_PATIENCE_MS, pause_ms = COMMIT_PAUSE_MS;
    bool unknown = false;
    enum status s;
    do {
        s = timed_write(t, finish_write, e);
        if (s == ST_UNKNOWN && !unknown) { /* it may have happened: if it did, the token is used up: ST_LOST */
            unknown = true;
            s = timed_write(t, finish_write, e);
        }
    } while (worth_waiting(t, s, until_ms, &pause_ms));
    return unknown && s == ST_LOST ? OK : s;
}

enum status turn_step(struct turn *t, struct error *e)
{
    int64_t until_ms = clock_mono_ms() + COMMIT_PATIENCE_MS, pause_ms = COMMIT_PAUSE_MS;
    enum status s;
    do /* ST_UNKNOWN goes up: the next life of the turn sees whether the step is there */
        s = timed_write(t, step_write, e);
    while (worth_waiting(t, s, until_ms, &pause_ms));
    if (s == OK) {
        t->usage_count = 0;
        t->round++;
        t->step = NULL;
    }
    return s;
}
