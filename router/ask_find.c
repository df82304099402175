/* SPDX-License-Identifier: MIT
 * ask_find: which open request do a person's words mean?  Reads only; called by turn_ask.c before its transaction. */
#include "router/ask.h"
#include "router/ask_token.h"
#include "router/card.h"

#include "store/cards.h"
#include <string.h>

static enum status found_card(struct db *db, struct arena *a, const struct card *c, int64_t *id, bool *over,
                              struct error *e)
{
    struct agent_request r;
    bool found;
    if (request_by_id(db, a, c->request_id, &r, &found, e))
        return e->status;
    if (found && strcmp(r.type, "blocking") == 0) {
        *id = r.id;
        *over = r.state != REQUEST_OPEN;
    }
    return OK;
}

static enum status find_in_topic(struct db *db, const struct ask_words *w, int64_t *id, bool *several, struct error *e)
{
    int64_t found[2], count = 0;
    struct stmt *s = db_query(db,
                              "SELECT DISTINCT r.id FROM requests r JOIN cards c ON c.request_id = r.id"
                              " AND c.retired = 0 AND c.kind = 'request' JOIN topics t ON t.id = c.topic_id"
                              " WHERE r.state = 'open' AND t.channel = $1 AND t.chat_id = $2 AND t.thread_id = $3"
                              " AND (CAST($4 AS BIGINT) = 0 OR r.created_at <= $4) ORDER BY r.id LIMIT 2",
                              p_text(w->channel), p_int(w->chat_id), p_int(w->thread_id), p_int(w->said_by_ms));
    while (db_step(s))
        if (count < 2)
            found[count++] = db_int(s, 0);
    if (db_done(s, e))
        return e->status;
    *several = count > 1;
    if (count == 1)
        *id = found[0];
    return OK;
}

/* Does the message show this request?  A card begins with a sign and a blank, a reminder with its lead. */
static bool quote_shows(const char *quoted, const char *head)
{
    enum { SIGN_BYTES = 8 };
    const char *at = strstr(quoted, head);
    return at && (at - quoted <= SIGN_BYTES ||
                  (at - quoted == sizeof CARD_NAG_LEAD - 1 && strncmp(quoted, CARD_NAG_LEAD, at - quoted) == 0));
}

/* A card or a reminder may stand there under an id that is not known here (its send got no answer, or none yet): then
 * its words name the request, if they name one alone. */
static enum status find_by_quote(struct db *db, struct arena *a, const struct ask_words *w, int64_t *id,
                                 struct error *e)
{
    enum { LOOKED_AT_MAX = 50, QUOTE_BYTES = 200 };
    int matches = 0;
    int64_t found = 0;
    struct stmt *s = db_query(db,
                              "SELECT DISTINCT r.id, r.project, r.message FROM requests r"
                              " JOIN cards c ON c.request_id = r.id AND c.kind IN ('request', 'notice')"
                              " AND c.retired = 0 WHERE r.type = 'blocking' AND r.state = 'open' AND c.channel = $1"
                              " AND c.chat_id = $2 AND (c.message_id IS NULL OR c.ambiguous = 1)"
                              " ORDER BY r.id DESC LIMIT $3",
                              p_text(w->channel), p_int(w->chat_id), p_int(LOOKED_AT_MAX));
    while (db_step(s)) {
        const char *head = arena_printf(a, "%s\n%.*s", db_text(s, 1), QUOTE_BYTES, db_text(s, 2));
        if (!quote_shows(w->quoted, head))
            continue;
        found = db_int(s, 0);
        matches++;
    }
    if (db_done(s, e))
        return e->status;
    *id = matches == 1 ? found : 0;
    return OK;
}

enum status ask_find(struct db *db, struct arena *a, const struct ask_words *w, int64_t *id, bool *several, bool *over,
                     struct error *e)
{
    struct card card;
    struct ask_token token;
    bool found = false;
    *id = 0;
    *several = *over = false;
    if (w->reply_to_id && card_by_message(db, a, w->channel, w->chat_id, w->reply_to_id, &card, &found, e))
        return e->status;
    if (!found && w->reply_to_id && w->reply_callback &&
        ask_token_read(ask_settings()->key, w->reply_callback, &token) &&
        card_by_nonce(db, a, token.nonce, &card, &found, e))
        return e->status;
    if (found && card.chat_id == w->chat_id && found_card(db, a, &card, id, over, e))
        return e->status;
    if (!found && w->reply_to_id && w->quoted)
        return find_by_quote(db, a, w, id, e);
    if (!*id && !w->reply_to_id && w->thread_id)
        return find_in_topic(db, w, id, several, e);
    return OK;
}
