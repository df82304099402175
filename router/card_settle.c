/* SPDX-License-Identifier: MIT
 * card_settle: what became of a card's row: sent, refused, or nobody knows.  Called by the settling of outbox rows
 * (bot/sender_settle.c) in that transaction, and by a tap that teaches where a card stands. */
#include "router/card_internal.h"

#include "base/json.h"
#include "store/audit.h"
#include <string.h>

enum status carding_audit(struct carding *x, const struct card *c, const char *event, const char *why)
{
    struct json_object *detail = json_keep(x->a, json_object_new_object());
    json_set_str(detail, "channel", c->channel);
    json_set_int(detail, "chat_id", c->chat_id);
    if (c->message_id)
        json_set_int(detail, "message_id", c->message_id);
    if (why)
        json_set_str(detail, "why", why);
    return audit_add(x->db, x->r->request_id, event, "steward", detail, x->now_ms, x->e);
}

/* How a row ended, for each card that it shows. */
struct ending {
    const struct outbox_row *row;
    int64_t message_id; /* it was sent */
    bool ambiguous;
    const char *why; /* it was not */
};

/* Work for no request in particular becomes work for that of each card. */
static enum status each_card(const struct carding *work, const struct ending *end,
                             enum status (*one)(struct carding *, struct card *, const struct ending *))
{
    struct card card[CARDS_OF_ONE_MAX];
    int count;
    if (requests_lock(work->db, work->e) ||
        cards_of_outbox(work->db, work->a, end->row->id, CARDS_OF_ONE_MAX, card, &count, work->e))
        return work->e->status;
    for (int i = 0; i < count; i++) {
        struct agent_request r;
        struct carding x = *work;
        bool found;
        x.r = &r;
        if (request_by_id(x.db, x.a, card[i].request_id, &r, &found, x.e))
            return x.e->status;
        if (found && (carding_open(&x) || one(&x, &card[i], end)))
            return x.e->status;
    }
    return OK;
}

static enum status one_sent(struct carding *x, struct card *c, const struct ending *end)
{
    bool first = !c->message_id;
    if (end->message_id)
        c->message_id = end->message_id;
    c->ambiguous |= end->ambiguous && strcmp(end->row->kind, "message") == 0;
    c->sent_version = c->version;
    if (first && carding_audit(x, c, "shown", NULL))
        return x->e->status;
    if (strcmp(c->kind, "notice") != 0 && x->r->version > c->version)
        return carding_show(x, c);
    return card_update(x->db, c, x->e);
}

enum status card_sent(struct db *db, struct arena *a, const struct outbox_row *row, int64_t message_id, bool ambiguous,
                      int64_t now_ms, struct error *e)
{
    struct carding x = { .db = db, .a = a, .now_ms = now_ms, .e = e };
    struct ending end = { .row = row, .message_id = message_id, .ambiguous = ambiguous };
    return each_card(&x, &end, one_sent);
}

enum status card_seen(struct db *db, struct arena *a, const struct agent_request *r, struct card *c, int64_t message_id,
                      int64_t now_ms, struct error *e)
{
    struct carding x = { .db = db, .a = a, .r = r, .now_ms = now_ms, .e = e };
    struct outbox_row row = { .id = c->outbox_id };
    int64_t changed, unknowns;
    bool at_rest;
    if (c->message_id || !message_id || !c->outbox_id)
        return OK;
    if (outbox_sent_late(db, &row, message_id, now_ms, &changed, e) ||
        db_get_int(db, &unknowns, &at_rest, e, "SELECT unknowns FROM outbox WHERE id = $1 AND state <> 'sending'",
                   p_int(c->outbox_id)))
        return e->status;
    if (!at_rest)
        return OK; /* card_sent() will tell */
    c->message_id = message_id;
    c->ambiguous |= unknowns > 1; /* one send got no answer: this was it */
    return carding_audit(&x, c, "shown", NULL) ? e->status : card_update(db, c, e);
}

/* Is it on the owner's phone already, or on its way there? */
static enum status owner_has(struct carding *x, const struct place *owner, const char *kind, bool *has)
{
    int64_t one;
    return db_get_int(x->db, &one, has, x->e,
                      "SELECT 1 FROM cards WHERE request_id = $1 AND retired = 0 AND kind = $4 AND channel = $2"
                      " AND chat_id = $3 LIMIT 1",
                      p_int(x->r->id), p_text(owner->channel), p_int(owner->chat_id), p_text(kind));
}

/* A group that cannot be written to must not swallow a question or an alarm: it goes to the owner's private chat.  A
 * card that stands there (its edit was refused), or may (its sends got no answer), keeps its buttons. */
static enum status fall_back(struct carding *x, struct card *c, bool may_stand, const char *why)
{
    const struct ask_settings *s = ask_settings();
    struct reply note;
    struct place owner = { "telegram", s->allowed_count ? s->allowed[0] : 0 };
    bool has;
    c->retired = !may_stand;
    c->ambiguous |= may_stand && !c->message_id;
    if (card_update(x->db, c, x->e))
        return x->e->status;
    bool matters = x->r->state == REQUEST_OPEN || strcmp(x->r->type, "error") == 0;
    if (!matters || strcmp(c->channel, "telegram") != 0 || !owner.chat_id || c->chat_id == owner.chat_id)
        return OK;
    if (owner_has(x, &owner, c->kind, &has))
        return x->e->status;
    if (has)
        return OK;
    reply_init(&note, x->a);
    reply_printf(&note, "⚠ I could not write to the chat where agents' cards go (%s). The next one comes here instead.",
                 why);
    struct outbox_row row = { .channel = owner.channel,
                              .chat_id = owner.chat_id,
                              .kind = "message",
                              .priority = OUTBOX_BLOCKING,
                              .payload = json_text(x->a, json_keep(x->a, reply_json(&note))) };
    int64_t id;
    if (outbox_put(x->db, &row, x->now_ms, &id, x->e))
        return x->e->status;
    return carding_post(x, &owner, c->kind);
}

static enum status one_parked(struct carding *x, struct card *c, const struct ending *end)
{
    bool may_stand = c->message_id || end->row->unknowns > 0;
    bool goes_on = strcmp(c->kind, "request") == 0 || strcmp(x->r->type, "error") == 0;
    if (carding_audit(x, c, "not shown", end->why))
        return x->e->status;
    return goes_on ? fall_back(x, c, may_stand, end->why) : OK;
}

enum status card_parked(struct db *db, struct arena *a, const struct outbox_row *row, const char *why, int64_t now_ms,
                        struct error *e)
{
    struct carding x = { .db = db, .a = a, .now_ms = now_ms, .e = e };
    struct ending end = { .row = row, .why = why };
    if (each_card(&x, &end, one_parked))
        return e->status;
    return strcmp(row->kind, "document") == 0 ? card_file_parked(&x, row, why) : OK;
}
