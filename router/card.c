/* SPDX-License-Identifier: MIT
 * card: see card.h.  Called by ask*.c inside their transactions, and by the settling of outbox rows. */
#include "router/card_internal.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "store/audit.h"
#include "store/chats.h"
#include "store/topics.h"
#include "store/users.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHARED_UNITS_MAX = 3500 }; /* milestones share a message up to this */

int card_priority(const struct agent_request *r, bool is_edit)
{
    if (strcmp(r->type, "blocking") == 0)
        return is_edit ? OUTBOX_EDIT : OUTBOX_BLOCKING;
    if (strcmp(r->type, "error") == 0)
        return OUTBOX_REPLY;
    return strcmp(r->type, "milestone") == 0 ? OUTBOX_MILESTONE : OUTBOX_HEARTBEAT;
}

/* --- the owner's clock --- */

static enum status is_quiet(struct carding *x, bool *quiet)
{
    struct civil now;
    const char *hours = x->r ? x->r->quiet : NULL;
    int from, until;
    *quiet = hours && strcmp(hours, "on") == 0;
    if (*quiet || (hours && strcmp(hours, "off") == 0))
        return OK;
    if (!hours && ask_quiet_get(x->db, x->a, &hours, x->e))
        return x->e->status;
    if (!hours || ask_quiet_parse(hours, &from, &until, NULL) || zone_to_civil(x->zone, x->now_ms, &now, NULL))
        return OK;
    int minute = now.hour * 60 + now.minute;
    *quiet = from < until ? minute >= from && minute < until : minute >= from || minute < until;
    return OK;
}

enum status carding_open(struct carding *x)
{
    struct user owner;
    if (user_owner(x->db, x->a, ask_settings()->zone, &owner, x->e))
        return x->e->status;
    x->zone = owner.zone;
    x->silent = false;
    if (x->r && x->r->code)
        return OK; /* high risk is heard at night too */
    if (x->r && strcmp(x->r->type, "heartbeat") == 0) {
        x->silent = true;
        return OK;
    }
    return is_quiet(x, &x->silent);
}

/* --- places --- */

static enum status places(struct carding *x, struct place out[2], int *count)
{
    const struct ask_settings *s = ask_settings();
    int64_t chat_id = s->notify_chat_id ? s->notify_chat_id : s->allowed_count ? s->allowed[0] : 0;
    *count = 0;
    if (s->telegram && chat_id) {
        out[(*count)++] = (struct place){ "telegram", chat_id };
        if (chat_now(x->db, "telegram", chat_id, &out[0].chat_id, x->e))
            return x->e->status;
    }
    if (*count == 0 || (x->r && strcmp(x->r->type, "blocking") == 0))
        out[(*count)++] = (struct place){ "console", 0 };
    return OK;
}

/* --- into the outbox --- */

static enum status render(struct carding *x, const struct card *c, struct json_object **payload)
{
    struct reply reply;
    struct card_view v = { .request = x->r, .card = c, .zone = x->zone, .now_ms = x->now_ms };
    struct vote *votes;
    if (vote_list(x->db, x->a, x->r->id, &votes, &v.vote_count, x->e) || carding_look_at_file(x, c))
        return x->e->status;
    v.votes = votes;
    v.file = x->file;
    card_render(x->a, &v, &reply);
    *payload = json_keep(x->a, reply_json(&reply));
    if (c->message_id)
        json_set_int(*payload, "message_id", c->message_id);
    if (x->silent && !c->message_id)
        json_set_bool(*payload, "silent", true);
    bool words = x->r->state == REQUEST_OPEN && reply.button_count == 0 && strcmp(x->r->type, "blocking") == 0;
    if (words && !c->message_id && c->chat_id < 0) {
        json_object_object_del(*payload, "buttons");
        json_set_bool(*payload, "force_reply", true);
        json_set_str(*payload, "placeholder", "Your answer");
    }
    return OK;
}

static enum status put_row(struct carding *x, struct card *c, const char *kind, struct json_object *payload,
                           int64_t *id)
{
    struct outbox_row row = {
        .channel = c->channel,
        .chat_id = c->chat_id,
        .topic_id = c->topic_id,
        .kind = kind,
        .priority = card_priority(x->r, strcmp(kind, "edit") == 0),
        .payload = json_text(x->a, payload),
        .dedupe_key = arena_printf(x->a, "card:%lld:%lld:%lld:%s%s", (long long)c->id, (long long)x->r->id,
                                   (long long)x->r->version, kind, x->file == CARD_FILE_GOES ? "" : ":file"),
    };
    return outbox_put(x->db, &row, x->now_ms, id, x->e);
}

static enum status being_sent(struct carding *x, int64_t outbox_id, bool *sending)
{
    int64_t one;
    return db_get_int(x->db, &one, sending, x->e, "SELECT 1 FROM outbox WHERE id = $1 AND state = 'sending'",
                      p_int(outbox_id));
}

/* Bring one card after its request. */
enum status carding_show(struct carding *x, struct card *c)
{
    struct json_object *payload = NULL;
    int64_t changed = 0;
    bool sending = false;
    if (c->version >= x->r->version && c->request_id == x->r->id)
        return OK;
    c->request_id = x->r->id;
    if (render(x, c, &payload))
        return x->e->status;
    if (c->outbox_id && outbox_replace(x->db, c->outbox_id, json_text(x->a, payload),
                                       card_priority(x->r, c->message_id != 0), &changed, x->e))
        return x->e->status;
    if (!changed && c->outbox_id && being_sent(x, c->outbox_id, &sending))
        return x->e->status;
    if (sending) { /* card_sent() follows up */
        c->version = 0;
        return card_update(x->db, c, x->e);
    }
    if (!changed && !c->message_id && carding_put_file(x, c)) /* also when the card is posted again */
        return x->e->status;
    if (!changed && put_row(x, c, c->message_id ? "edit" : "message", payload, &c->outbox_id))
        return x->e->status;
    c->version = x->r->version;
    return card_update(x->db, c, x->e);
}

enum status carding_post(struct carding *x, const struct place *p, const char *kind)
{
    struct topic topic = { 0 };
    struct card c = { .kind = kind, .request_id = x->r->id, .project = x->r->project };
    if (topic_for(x->db, x->a, p->channel, p->chat_id, x->r->project, card_priority(x->r, false), x->now_ms, &topic,
                  x->e))
        return x->e->status;
    c.channel = p->channel;
    c.chat_id = p->chat_id;
    c.topic_id = topic.id;
    if (card_insert(x->db, x->a, &c, x->now_ms, x->e))
        return x->e->status;
    return carding_show(x, &c);
}

/* --- milestones share a message that waits --- */

/* The newest message that waits with milestones of this project: *payload, and c->outbox_id and topic_id; NULL = none.
 */
static enum status find_milestone(struct carding *x, struct card *c, struct json_object **payload)
{
    const char *text = NULL;
    *payload = NULL;
    struct stmt *s =
        db_query(x->db,
                 "SELECT o.id, o.payload, c.topic_id FROM outbox o JOIN cards c ON c.outbox_id = o.id"
                 " JOIN requests r ON r.id = c.request_id"
                 /* both states, as the index on lanes has them: without it SQLite reads all cards */
                 " WHERE o.state IN ('available', 'sending') AND o.state = 'available' AND o.unknowns = 0"
                 " AND o.kind = 'message' AND o.channel = $1 AND o.chat_id = $2 AND c.project = $3"
                 " AND r.type = 'milestone'"
                 " AND (SELECT COUNT(*) FROM cards k WHERE k.outbox_id = o.id) < $4"
                 /* One with a file may have to be shown anew, alone. */
                 " AND NOT EXISTS (SELECT 1 FROM outbox f WHERE f.dedupe_key = 'card:' || c.id || ':' || r.id ||"
                 " ':file')"
                 " ORDER BY o.id DESC LIMIT 1",
                 p_text(c->channel), p_int(c->chat_id), p_text(x->r->project), p_int(CARDS_OF_ONE_MAX));
    while (db_step(s)) {
        c->outbox_id = db_int(s, 0);
        text = arena_strdup(x->a, db_text(s, 1));
        c->topic_id = db_int(s, 2);
    }
    if (db_done(s, x->e))
        return x->e->status;
    if (text && json_parse_in(x->a, text, strlen(text), payload, NULL))
        *payload = NULL;
    return OK;
}

static enum status join_milestone(struct carding *x, const struct place *p, bool *joined)
{
    struct card c = { .kind = "notice", .request_id = x->r->id, .project = x->r->project, .version = 1 };
    const char *name;
    struct json_object *payload, *mine;
    int64_t changed = 0;
    *joined = false;
    if (strcmp(x->r->type, "milestone") != 0 || card_file(x->a, x->r, &name))
        return OK;
    c.channel = p->channel;
    c.chat_id = p->chat_id;
    if (find_milestone(x, &c, &payload))
        return x->e->status;
    if (!payload)
        return OK;
    if (render(x, &c, &mine))
        return x->e->status;
    const char *html = arena_printf(x->a, "%s\n\n%s", json_str(payload, "html", ""), json_str(mine, "html", ""));
    const char *plain = html_to_plain(x->a, html);
    if (text_utf16_units(plain, strlen(plain)) > SHARED_UNITS_MAX)
        return OK;
    json_set_str(payload, "html", html);
    if (outbox_replace(x->db, c.outbox_id, json_text(x->a, payload), OUTBOX_MILESTONE, &changed, x->e))
        return x->e->status;
    *joined = changed > 0;
    return *joined ? card_insert(x->db, x->a, &c, x->now_ms, x->e) : OK;
}

/* --- public --- */

static enum status post_heartbeat(struct carding *x, const struct place *p)
{
    struct card c;
    bool found;
    if (card_of_heartbeat(x->db, x->a, p->channel, p->chat_id, x->r->project, &c, &found, x->e))
        return x->e->status;
    return found ? carding_show(x, &c) : carding_post(x, p, "heartbeat");
}

enum status card_post(struct db *db, struct arena *a, const struct agent_request *r, int64_t now_ms, struct error *e)
{
    struct carding x = { .db = db, .a = a, .r = r, .now_ms = now_ms, .e = e };
    struct place place[2];
    int count;
    bool blocking = strcmp(r->type, "blocking") == 0, joined = false;
    if (carding_open(&x) || places(&x, place, &count))
        return e->status;
    if (strcmp(r->type, "heartbeat") == 0)
        return post_heartbeat(&x, &place[0]);
    if (join_milestone(&x, &place[0], &joined) || joined)
        return joined ? OK : e->status;
    for (int i = 0; i < count; i++)
        if (carding_post(&x, &place[i], blocking ? "request" : "notice"))
            return e->status;
    return OK;
}

/* A card that nobody has seen goes, and the file that waits to go ahead of it. */
static enum status withdraw(struct carding *x, const struct card *c)
{
    return carding_withdraw_file(x, c) ? x->e->status : card_update(x->db, c, x->e);
}

enum status card_refresh(struct db *db, struct arena *a, const struct agent_request *r, int64_t now_ms, struct error *e)
{
    struct carding x = { .db = db, .a = a, .r = r, .now_ms = now_ms, .e = e };
    struct card card[CARDS_OF_ONE_MAX];
    int count;
    if (carding_open(&x) || cards_of_request(db, a, r->id, CARDS_OF_ONE_MAX, card, &count, e))
        return e->status;
    for (int i = 0; i < count; i++) {
        int64_t withdrawn = 0;
        if (strcmp(card[i].kind, "request") != 0)
            continue;
        if (r->state != REQUEST_OPEN && !card[i].message_id && card[i].outbox_id &&
            outbox_withdraw(db, card[i].outbox_id, &withdrawn, e))
            return e->status;
        card[i].retired |= withdrawn > 0; /* nobody has seen it: nothing to show */
        if (withdrawn ? withdraw(&x, &card[i]) : carding_show(&x, &card[i]))
            return e->status;
    }
    return OK;
}

const struct card *card_main(const struct card *card, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(card[i].channel, "telegram") == 0)
            return &card[i];
    return count ? &card[0] : NULL;
}

enum status card_nag(struct db *db, struct arena *a, const struct agent_request *r, int64_t now_ms, bool *said,
                     struct error *e)
{
    struct carding x = { .db = db, .a = a, .r = r, .now_ms = now_ms, .e = e };
    struct card card[CARDS_OF_ONE_MAX];
    int count;
    *said = false;
    if (carding_open(&x) || cards_of_request(db, a, r->id, CARDS_OF_ONE_MAX, card, &count, e))
        return e->status;
    const struct card *c = card_main(card, count);
    bool left = c && strcmp(c->channel, "telegram") == 0 && c->chat_id > 0 && !ask_is_allowed(c->chat_id);
    if (x.silent || !c || left)
        return OK; /* at night, again in the morning; to the private chat of somebody who was removed, when they are
                      back */
    *said = true;
    struct reply reply;
    reply_init(&reply, a);
    reply_text(&reply, CARD_NAG_LEAD);
    reply_bold(&reply, r->project);
    reply_line(&reply);
    reply_printf(&reply, "%.*s", (int)text_prefix_utf16(r->message, strlen(r->message), 300), r->message);
    struct json_object *payload = json_keep(a, reply_json(&reply));
    if (c->message_id)
        json_set_int(payload, "reply_to", c->message_id);
    struct card nag = { .kind = "notice", .request_id = r->id, .project = r->project, .channel = c->channel };
    nag.chat_id = c->chat_id;
    nag.topic_id = c->topic_id;
    nag.version = r->version;
    if (card_insert(db, a, &nag, now_ms, e) || put_row(&x, &nag, "message", payload, &nag.outbox_id))
        return e->status;
    return card_update(db, &nag, e);
}

enum status card_tell(struct db *db, struct arena *a, const struct reply *reply, const char *dedupe_key, int64_t now_ms,
                      struct error *e)
{
    struct carding x = { .db = db, .a = a, .now_ms = now_ms, .e = e };
    struct place place[2];
    int count;
    int64_t id;
    if (carding_open(&x) || places(&x, place, &count))
        return e->status;
    struct outbox_row row = { .channel = place[0].channel,
                              .chat_id = place[0].chat_id,
                              .kind = "message",
                              .priority = OUTBOX_EDIT,
                              .payload = json_text(a, json_keep(a, reply_json(reply))),
                              .dedupe_key = dedupe_key };
    return outbox_put(db, &row, now_ms, &id, e);
}
