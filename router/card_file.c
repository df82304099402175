/* SPDX-License-Identifier: MIT
 * card_file: the file that goes ahead of a card and holds what the card cannot.  Called by card.c (putting it, taking
 * it back, saying what became of it) and by card_settle.c (it could not be sent).  No card may say that something
 * can be read where it cannot. */
#include "router/card_internal.h"

#include "base/json.h"
#include <stdio.h>
#include <string.h>

/* Begins like the key of every row of a card, so that bot/sender_settle.c tells card_parked() of it. */
static const char *key_of(struct carding *x, const struct card *c)
{
    return arena_printf(x->a, "card:%lld:%lld:file", (long long)c->id, (long long)x->r->id);
}

static bool key_read(const char *key, int64_t *card_id, int64_t *request_id)
{
    long long card, request;
    int used = 0;
    if (!key || sscanf(key, "card:%lld:%lld:file%n", &card, &request, &used) != 2 || !used)
        return false;
    *card_id = card;
    *request_id = request;
    return true;
}

enum status carding_put_file(struct carding *x, const struct card *c)
{
    const char *name, *content = card_file(x->a, x->r, &name);
    if (!content)
        return OK;
    struct json_object *payload = json_keep(x->a, json_object_new_object());
    json_set_str(payload, "filename", name);
    json_set_str(payload, "content", content);
    json_set_bool(payload, "silent", true);
    struct outbox_row row = {
        .channel = c->channel,
        .chat_id = c->chat_id,
        .topic_id = c->topic_id,
        .kind = "document",
        .priority = card_priority(x->r, false),
        .payload = json_text(x->a, payload),
        .dedupe_key = key_of(x, c),
    };
    return outbox_put(x->db, &row, x->now_ms, NULL, x->e);
}

enum status carding_withdraw_file(struct carding *x, const struct card *c)
{
    return db_run(x->db, x->e, "DELETE FROM outbox WHERE dedupe_key = $1 AND state = 'available' AND unknowns = 0",
                  p_text(key_of(x, c)));
}

enum status carding_look_at_file(struct carding *x, const struct card *c)
{
    const char *name;
    int64_t unknowns = 0;
    bool parked;
    x->file = CARD_FILE_GOES;
    if (!card_file(x->a, x->r, &name))
        return OK;
    if (db_get_int(x->db, &unknowns, &parked, x->e,
                   "SELECT unknowns FROM outbox WHERE dedupe_key = $1 AND state = 'parked'", p_text(key_of(x, c))))
        return x->e->status;
    if (parked)
        x->file = unknowns ? CARD_FILE_UNSURE : CARD_FILE_REFUSED;
    return OK;
}

static enum status card_of_key(struct carding *x, const struct outbox_row *row, struct agent_request *r, struct card *c,
                               bool *found)
{
    struct card card[CARDS_OF_ONE_MAX];
    int64_t card_id, request_id;
    int count;
    *found = key_read(row->dedupe_key, &card_id, &request_id);
    if (!*found || request_by_id(x->db, x->a, request_id, r, found, x->e) || !*found)
        return x->e->status;
    *found = false; /* retired, or a heartbeat that shows something newer by now */
    if (cards_of_request(x->db, x->a, request_id, CARDS_OF_ONE_MAX, card, &count, x->e))
        return x->e->status;
    for (int i = 0; i < count; i++)
        if (card[i].id == card_id) {
            *c = card[i];
            *found = true;
        }
    return OK;
}

enum status card_file_parked(const struct carding *work, const struct outbox_row *row, const char *why)
{
    struct agent_request r;
    struct carding x = *work;
    struct card c;
    bool found = false;
    x.r = &r;
    if (card_of_key(&x, row, &r, &c, &found) || !found)
        return x.e->status;
    if (carding_open(&x) || carding_audit(&x, &c, "file not shown", why))
        return x.e->status;
    if (r.state == REQUEST_OPEN)
        return request_update(x.db, &r, x.e) ? x.e->status : card_refresh(x.db, x.a, &r, x.now_ms, x.e);
    c.version = 0; /* what was told, or is over, gets no new version; the card is shown anew all the same */
    return carding_show(&x, &c);
}
