/* SPDX-License-Identifier: MIT
 * cards: see cards.h.  Called by router/card*.c and ask*.c. */
#include "store/cards.h"

#include "base/hex.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

static enum status nonce_new(char out[33], struct error *e)
{
    unsigned char random[16];
    if (RAND_bytes(random, sizeof random) != 1)
        return fail(e, ST_INTERNAL, "the system has no random numbers");
    hex_put(out, random, sizeof random);
    return OK;
}

enum status card_insert(struct db *db, struct arena *a, struct card *c, int64_t now_ms, struct error *e)
{
    char nonce[33];
    if (nonce_new(nonce, e))
        return e->status;
    c->nonce = arena_strdup(a, nonce);
    struct stmt *s =
        db_query(db,
                 "INSERT INTO cards (kind, request_id, project, channel, chat_id, topic_id, nonce,"
                 " outbox_id, message_id, version, created_at) VALUES ($1, $2, $3, $4, $5,"
                 " CAST($6 AS BIGINT), $7, CAST($8 AS BIGINT), CAST($9 AS BIGINT), $10, $11) RETURNING id",
                 p_text(c->kind), p_int(c->request_id), p_text(c->project), p_text(c->channel), p_int(c->chat_id),
                 p_int_or_null(c->topic_id), p_text(c->nonce), p_int_or_null(c->outbox_id),
                 p_int_or_null(c->message_id), p_int(c->version), p_int(now_ms));
    while (db_step(s))
        c->id = db_int(s, 0);
    return db_done(s, e);
}

enum status card_update(struct db *db, const struct card *c, struct error *e)
{
    return db_run_later(
        db, e,
        "UPDATE cards SET request_id = $2, outbox_id = CAST($3 AS BIGINT), message_id = CAST($4 AS BIGINT),"
        " ambiguous = $5, retired = $6, version = $7, sent_version = $8, topic_id = CAST($9 AS BIGINT)"
        " WHERE id = $1",
        p_int(c->id), p_int(c->request_id), p_int_or_null(c->outbox_id), p_int_or_null(c->message_id),
        p_int(c->ambiguous), p_int(c->retired), p_int(c->version), p_int(c->sent_version), p_int_or_null(c->topic_id));
}

#define COLUMNS                                                                                                        \
    "SELECT id, kind, request_id, project, channel, chat_id, topic_id, nonce, outbox_id, message_id, ambiguous, "      \
    "retired, version, sent_version FROM cards "

static void card_read(struct stmt *s, struct arena *a, struct card *c)
{
    *c = (struct card){
        .id = db_int(s, 0),
        .kind = arena_strdup(a, db_text(s, 1)),
        .request_id = db_int(s, 2),
        .project = arena_strdup(a, db_text(s, 3)),
        .channel = arena_strdup(a, db_text(s, 4)),
        .chat_id = db_int(s, 5),
        .topic_id = db_int(s, 6),
        .nonce = arena_strdup(a, db_text(s, 7)),
        .outbox_id = db_int(s, 8),
        .message_id = db_int(s, 9),
        .ambiguous = db_int(s, 10) != 0,
        .retired = db_int(s, 11) != 0,
        .version = db_int(s, 12),
        .sent_version = db_int(s, 13),
    };
}

static enum status cards_read(struct stmt *s, struct arena *a, int max, struct card *cards, int *count, struct error *e)
{
    *count = 0;
    while (db_step(s))
        if (*count < max)
            card_read(s, a, &cards[(*count)++]);
    return db_done(s, e);
}

static enum status card_one(struct stmt *s, struct arena *a, struct card *c, bool *found, struct error *e)
{
    int count;
    enum status st = cards_read(s, a, 1, c, &count, e);
    *found = count > 0;
    return st;
}

enum status cards_of_request(struct db *db, struct arena *a, int64_t request_id, int max, struct card *cards,
                             int *count, struct error *e)
{
    return cards_read(
        db_query(db, COLUMNS "WHERE request_id = $1 AND retired = 0 ORDER BY kind = 'notice', id", p_int(request_id)),
        a, max, cards, count, e);
}

enum status card_by_nonce(struct db *db, struct arena *a, const char *nonce, struct card *c, bool *found,
                          struct error *e)
{
    return card_one(db_query(db, COLUMNS "WHERE nonce = $1", p_text(nonce)), a, c, found, e);
}

enum status card_by_message(struct db *db, struct arena *a, const char *channel, int64_t chat_id, int64_t message_id,
                            struct card *c, bool *found, struct error *e)
{
    return card_one(db_query(db,
                             COLUMNS "WHERE channel = $1 AND chat_id = $2 AND message_id = $3"
                                     " ORDER BY kind = 'request' DESC, id DESC LIMIT 1",
                             p_text(channel), p_int(chat_id), p_int(message_id)),
                    a, c, found, e);
}

enum status card_of_heartbeat(struct db *db, struct arena *a, const char *channel, int64_t chat_id, const char *project,
                              struct card *c, bool *found, struct error *e)
{
    return card_one(db_query(db,
                             COLUMNS "WHERE channel = $1 AND chat_id = $2 AND project = $3 AND kind = 'heartbeat'"
                                     " AND retired = 0 ORDER BY id DESC LIMIT 1",
                             p_text(channel), p_int(chat_id), p_text(project)),
                    a, c, found, e);
}

enum status cards_of_outbox(struct db *db, struct arena *a, int64_t outbox_id, int max, struct card *cards, int *count,
                            struct error *e)
{
    return cards_read(db_query(db, COLUMNS "WHERE outbox_id = $1 ORDER BY id", p_int(outbox_id)), a, max, cards, count,
                      e);
}
