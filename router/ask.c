/* SPDX-License-Identifier: MIT
 * ask: the asking side of requests: taken in, looked at, withdrawn.  See ask.h; the answers are in ask_answer.c, the
 * clock in ask_clock.c and ask_again.c, reading bodies in ask_read.c. */
#include "router/ask.h"
#include "router/card.h"

#include "base/clock.h"
#include "base/hex.h"
#include "base/json.h"
#include "store/audit.h"
#include "store/queue_depth.h"
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct ask_settings settings;

void ask_setup(const struct ask_settings *s)
{
    settings = *s;
}

const struct ask_settings *ask_settings(void)
{
    return &settings;
}

enum status ask_key(struct db *db, unsigned char key[32], struct error *e)
{
    unsigned char fresh[32];
    char hex[65];
    if (RAND_bytes(fresh, sizeof fresh) != 1)
        return fail(e, ST_INTERNAL, "the system has no random numbers");
    hex_put(hex, fresh, sizeof fresh);
    if (db_run(db, e, "INSERT INTO settings (name, value) VALUES ('callback_key', $1) ON CONFLICT (name) DO NOTHING",
               p_text(hex)))
        return e->status;
    struct stmt *s = db_query(db, "SELECT value FROM settings WHERE name = 'callback_key'");
    while (db_step(s))
        for (size_t i = 0; i < 32; i++) {
            char pair[3] = { 0 };
            memcpy(pair, db_text(s, 0) + 2 * i, 2);
            key[i] = (unsigned char)strtol(pair, NULL, 16);
        }
    return db_done(s, e);
}

/* --- taken in --- */

static enum status audit_asked(struct db *db, struct arena *a, const struct agent_request *r, int64_t now_ms,
                               struct error *e)
{
    struct json_object *detail = json_keep(a, json_object_new_object());
    json_set_str(detail, "origin", r->origin);
    json_set_str(detail, "project", r->project);
    json_set_str(detail, "type", r->type);
    json_set_str(detail, "content_hash", r->content_hash);
    if (r->code)
        json_set_str(detail, "risk", "high");
    return audit_add(db, r->request_id, "asked", "agent", detail, now_ms, e);
}

static enum status insert_new(struct db *db, struct arena *a, struct agent_request *r, int64_t now_ms, struct error *e)
{
    int64_t open = 0;
    bool blocking = strcmp(r->type, "blocking") == 0;
    if (blocking && requests_open(db, &open, e))
        return e->status;
    if (open >= ASK_OPEN_MAX)
        return fail(e, ST_LIMIT, "%d requests are open already; answer or cancel some first", ASK_OPEN_MAX);
    r->state = blocking ? REQUEST_OPEN : REQUEST_TOLD;
    r->created_at_ms = now_ms;
    r->finished_at_ms = blocking ? 0 : now_ms;
    r->expires_at_ms = blocking && r->expires_at_ms > 0 ? now_ms + r->expires_at_ms : 0;
    r->next_remind_at_ms = blocking && r->remind_every_ms ? now_ms + r->remind_every_ms : 0;
    if (request_insert(db, r, e) || audit_asked(db, a, r, now_ms, e))
        return e->status;
    return card_post(db, a, r, now_ms, e);
}

enum status ask_put(struct db *db, struct arena *a, struct agent_request *r, bool *again, int64_t now_ms,
                    struct error *e)
{
    struct agent_request before;
    if (requests_lock(db, e) || request_by_name(db, a, r->request_id, &before, again, e))
        return e->status;
    if (!*again)
        return insert_new(db, a, r, now_ms, e);
    if (strcmp(before.content_hash, r->content_hash) != 0)
        return fail(e, ST_CONFLICT, "request_id \"%s\" was used before for something else", r->request_id);
    *r = before;
    return OK;
}

enum status ask_cancel(struct db *db, struct arena *a, const char *request_id, const char *reason, const char *actor,
                       int64_t now_ms, struct agent_request *r, struct error *e)
{
    bool found;
    if (requests_lock(db, e) || request_by_name(db, a, request_id, r, &found, e))
        return e->status;
    if (!found)
        return fail(e, ST_NOT_FOUND, "There is no request \"%s\"", request_id);
    if (r->state != REQUEST_OPEN)
        return OK;
    struct json_object *detail = json_keep(a, json_object_new_object());
    json_set_str(detail, "reason", reason);
    r->state = REQUEST_CANCELLED;
    r->reason = reason;
    r->finished_at_ms = now_ms;
    if (request_update(db, r, e) || audit_add(db, r->request_id, "cancelled", actor, detail, now_ms, e))
        return e->status;
    return card_refresh(db, a, r, now_ms, e);
}

/* --- looked at --- */

static void json_responded(struct json_object *o, const struct agent_request *r)
{
    char at[CIVIL_TEXT_BYTES];
    struct json_object *list = NULL;
    json_set_str(o, "response", r->response ? r->response : "");
    if (r->label)
        json_set_str(o, "label", r->label);
    if (r->responses && json_parse(r->responses, strlen(r->responses), &list, NULL) == OK)
        json_set(o, "responses", list);
    json_set_bool(o, "free_text", r->free_text);
    json_set_str(o, "by", r->answered_name);
    json_set(o, "by_id", r->answered_by ? json_object_new_int64(r->answered_by) : NULL);
    json_set_str(o, "at", clock_format_utc(r->finished_at_ms, at));
    json_set_str(o, "how", r->how);
}

struct json_object *ask_json(const struct agent_request *r)
{
    struct json_object *o = json_object_new_object();
    const char *status = r->state == REQUEST_OPEN   ? "waiting"
                         : r->state == REQUEST_TOLD ? "told"
                                                    : request_state_name(r->state);
    json_set_str(o, "status", status);
    json_set_str(o, "request_id", r->request_id);
    if (r->state == REQUEST_RESPONDED)
        json_responded(o, r);
    if (r->state == REQUEST_CANCELLED && r->reason)
        json_set_str(o, "reason", r->reason);
    return o;
}

struct json_object *ask_list_json(const struct agent_request *r)
{
    char at[CIVIL_TEXT_BYTES];
    struct json_object *o = ask_json(r);
    json_set_str(o, "project", r->project);
    json_set_str(o, "type", r->type);
    json_set_str(o, "message", r->message);
    json_set_str(o, "origin", r->origin);
    json_set_str(o, "created_at", clock_format_utc(r->created_at_ms, at));
    json_set_str(o, "expires_at", r->expires_at_ms ? clock_format_utc(r->expires_at_ms, at) : NULL);
    json_set_bool(o, "fetched", r->fetched_at_ms != 0);
    return o;
}

enum status ask_message_id(struct db *db, struct arena *a, const struct agent_request *r, const char **id,
                           struct error *e)
{
    struct card card[CARDS_OF_ONE_MAX];
    int count;
    *id = NULL;
    if (cards_of_request(db, a, r->id, CARDS_OF_ONE_MAX, card, &count, e))
        return e->status;
    const struct card *c = card_main(card, count); /* the console has a copy */
    if (c && c->message_id)
        *id = arena_printf(a, "%s-%lld", strcmp(c->channel, "telegram") == 0 ? "tg" : c->channel,
                           (long long)c->message_id);
    return OK;
}

enum status ask_fetched(struct db *db, int64_t id, int64_t now_ms, struct error *e)
{
    struct arena *a = arena_new();
    struct agent_request r;
    bool found, first = false;
    enum status s = requests_lock(db, e);
    if (s == OK)
        s = request_by_id(db, a, id, &r, &found, e);
    if (s == OK && found)
        s = request_fetched(db, id, now_ms, &first, e);
    if (s == OK && first)
        s = audit_add(db, r.request_id, "fetched", "agent", NULL, now_ms, e);
    arena_free(a);
    return s;
}
