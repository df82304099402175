/* SPDX-License-Identifier: MIT
 * ask_again: open cards that are shown once more: all that were on a phone after the program was away, and single ones
 * that vanished.  Called by the scheduler, each function in a transaction of its own; several instances may run it at
 * once.  A card is never shown again without a bound on how often. */
#include "router/ask.h"
#include "router/card.h"
#include "router/render.h"

#include "base/json.h"
#include "store/audit.h"
#include <stdio.h>
#include <string.h>

enum {
    BATCH_MAX = 100,      /* vanished cards of one transaction; the next tick takes the rest */
    AWAY_BATCH_MAX = 200, /* the same after an absence; far more a tick than Telegram takes */
    NAMED_MAX = 10,       /* questions that the message about an absence names */
};

/* --- after an absence --- */

/* One of which not all cards speak yet: the row 'away' of settings.  When the next comes meanwhile, they are told
 * together. */
struct absence {
    int64_t from_ms;  /* the beginning of the first */
    int64_t last_ms;  /* … and of the last: what was asked before it was on a phone then */
    int64_t until_ms; /* 0 = there is none */
};

static enum status load(struct db *db, int64_t *alive_at_ms, struct absence *away, struct error *e)
{
    long long from, last, until, at;
    struct stmt *s = db_query(db, "SELECT name, value FROM settings WHERE name IN ('alive_at', 'away')");
    *away = (struct absence){ 0 };
    *alive_at_ms = 0;
    while (db_step(s)) {
        if (strcmp(db_text(s, 0), "away") == 0 && sscanf(db_text(s, 1), "%lld %lld %lld", &from, &last, &until) == 3)
            *away = (struct absence){ from, last, until };
        else if (strcmp(db_text(s, 0), "alive_at") == 0 && sscanf(db_text(s, 1), "%lld", &at) == 1)
            *alive_at_ms = at;
    }
    return db_done(s, e);
}

static enum status save(struct db *db, const char *name, const char *value, struct error *e)
{
    return db_run(db, e,
                  "INSERT INTO settings (name, value) VALUES ($1, $2)"
                  " ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value",
                  p_text(name), p_text(value));
}

/* Open cards that were on a phone when the absence began (asked by $1: what was asked later never met a lost tap) and
 * do not speak of it yet ($2: its end). */
#define UNTOLD                                                                                                         \
    " FROM requests r WHERE r.state = 'open' AND r.created_at <= $1 AND COALESCE(r.away_until, 0) < $2"                \
    " AND EXISTS (SELECT 1 FROM cards c WHERE c.request_id = r.id AND c.kind = 'request' AND c.retired = 0"            \
    " AND c.channel = 'telegram' AND c.message_id IS NOT NULL)"

static enum status name_some(struct db *db, struct reply *out, const struct absence *away, int64_t count,
                             struct error *e)
{
    struct stmt *s = db_query(db, "SELECT r.project, r.message" UNTOLD " ORDER BY r.id LIMIT $3",
                              p_int(away->last_ms + ASK_AWAY_MS), p_int(away->until_ms), p_int(NAMED_MAX));
    while (db_step(s)) {
        reply_line(out);
        reply_printf(out, "• %s: %s", db_text(s, 0), render_line(out->arena, db_text(s, 1), 120));
    }
    if (count > NAMED_MAX) {
        reply_line(out);
        reply_printf(out, "and %lld more", (long long)count - NAMED_MAX);
    }
    return db_done(s, e);
}

/* One message about all of them; *count: how many there are. */
static enum status tell(struct db *db, struct arena *a, const struct absence *away, int64_t *count, struct error *e)
{
    struct reply out;
    long long minutes = (away->until_ms - away->last_ms + 30000) / 60000;
    if (db_get_int(db, count, NULL, e, "SELECT COUNT(*)" UNTOLD, p_int(away->last_ms + ASK_AWAY_MS),
                   p_int(away->until_ms)))
        return e->status;
    if (*count == 0)
        return OK;
    reply_init(&out, a);
    reply_bold(&out, "↻ I was away");
    reply_line(&out);
    reply_printf(
        &out, "For about %lld min I could not hear Telegram. Taps in that time may be lost; please look again at %s:",
        minutes, *count == 1 ? "this question" : "these questions");
    if (name_some(db, &out, away, *count, e))
        return e->status;
    return card_tell(db, a, &out, arena_printf(a, "away:%lld", (long long)away->last_ms), away->until_ms, e);
}

static enum status begin(struct db *db, struct arena *a, struct absence *away, int64_t at_ms, int64_t now_ms,
                         struct error *e)
{
    int64_t count = 0;
    *away = (struct absence){ away->until_ms ? away->from_ms : at_ms, at_ms, now_ms };
    if (tell(db, a, away, &count, e))
        return e->status;
    if (count == 0) {
        away->until_ms = 0; /* nothing to show */
        return OK;
    }
    return save(db, "away",
                arena_printf(a, "%lld %lld %lld", (long long)away->from_ms, (long long)away->last_ms,
                             (long long)away->until_ms),
                e);
}

static enum status show_anew(struct db *db, struct arena *a, int64_t id, const struct absence *away, int64_t now_ms,
                             struct error *e)
{
    struct agent_request r;
    bool found;
    if (request_by_id(db, a, id, &r, &found, e) || !found)
        return e->status;
    struct json_object *detail = json_keep(a, json_object_new_object());
    json_set_int(detail, "away_from", away->from_ms);
    json_set_int(detail, "away_until", away->until_ms);
    r.away_from_ms = away->from_ms;
    r.away_until_ms = away->until_ms;
    if (request_update(db, &r, e) || audit_add(db, r.request_id, "rearmed", "steward", detail, now_ms, e))
        return e->status;
    return card_refresh(db, a, &r, now_ms, e);
}

static enum status show_batch(struct db *db, struct arena *a, const struct absence *away, int64_t now_ms, int *shown,
                              struct error *e)
{
    int64_t id[AWAY_BATCH_MAX];
    int count = 0;
    struct stmt *s = db_query(db, "SELECT r.id" UNTOLD " ORDER BY r.id LIMIT $3", p_int(away->last_ms + ASK_AWAY_MS),
                              p_int(away->until_ms), p_int(AWAY_BATCH_MAX));
    while (db_step(s))
        if (count < AWAY_BATCH_MAX)
            id[count++] = db_int(s, 0);
    if (db_done(s, e))
        return e->status;
    for (int i = 0; i < count; i++)
        if (show_anew(db, a, id[i], away, now_ms, e))
            return e->status;
    *shown = count;
    return count < AWAY_BATCH_MAX ? db_run(db, e, "DELETE FROM settings WHERE name = 'away'") : OK;
}

enum status ask_alive(struct db *db, struct arena *a, int64_t now_ms, int64_t *away_ms, int *cards, struct error *e)
{
    struct absence away;
    int64_t at_ms;
    *away_ms = 0;
    *cards = 0;
    if (requests_lock(db, e) || load(db, &at_ms, &away, e))
        return e->status;
    if (at_ms && now_ms - at_ms > ASK_AWAY_MS) {
        *away_ms = now_ms - at_ms;
        if (begin(db, a, &away, at_ms, now_ms, e))
            return e->status;
    }
    if (away.until_ms && show_batch(db, a, &away, now_ms, cards, e))
        return e->status;
    return save(db, "alive_at", arena_printf(a, "%lld", (long long)now_ms), e);
}

/* --- cards that vanished --- */

/* A card whose sends got no answer may stand there: it is waited for, longer each time.  `tries`: how often cards of
 * this request were given up by the sender. */
static bool is_due(int64_t parked_at_ms, int64_t tries, int64_t now_ms)
{
    int64_t pause_ms = ASK_HEAL_FIRST_MS;
    if (!parked_at_ms)
        return true;
    for (int64_t i = 1; i < tries && pause_ms < ASK_HEAL_PAUSE_MAX_MS; i++)
        pause_ms *= 2;
    if (pause_ms > ASK_HEAL_PAUSE_MAX_MS)
        pause_ms = ASK_HEAL_PAUSE_MAX_MS;
    return tries < ASK_HEAL_TRIES_MAX && now_ms - parked_at_ms >= pause_ms;
}

/* Requests with a card that has neither a message nor a row on its way; their ids, each once. */
static enum status find_vanished(struct db *db, int64_t now_ms, int64_t id[BATCH_MAX], int *count, struct error *e)
{
    struct stmt *s =
        db_query(db,
                 "SELECT r.id, CASE WHEN o.state = 'parked' THEN o.finished_at ELSE 0 END,"
                 " (SELECT COUNT(*) FROM audit a WHERE a.request_id = r.request_id AND a.event = 'not shown')"
                 " FROM requests r JOIN cards c ON c.request_id = r.id AND c.retired = 0 AND c.kind = 'request'"
                 " LEFT JOIN outbox o ON o.id = c.outbox_id WHERE r.state = 'open' AND c.message_id IS NULL"
                 " AND (o.id IS NULL OR o.state = 'sent' OR (o.state = 'parked' AND o.finished_at <= $1))"
                 " ORDER BY r.id",
                 p_int(now_ms - ASK_HEAL_FIRST_MS));
    *count = 0;
    while (db_step(s)) {
        bool again = *count > 0 && id[*count - 1] == db_int(s, 0);
        if (*count < BATCH_MAX && !again && is_due(db_int(s, 1), db_int(s, 2), now_ms))
            id[(*count)++] = db_int(s, 0);
    }
    return db_done(s, e);
}

enum status ask_heal(struct db *db, struct arena *a, int64_t now_ms, int *count, struct error *e)
{
    int64_t id[BATCH_MAX];
    int vanished;
    *count = 0;
    if (find_vanished(db, now_ms, id, &vanished, e) || (vanished && requests_lock(db, e)))
        return e->status;
    for (int i = 0; i < vanished; i++) {
        struct agent_request r;
        bool found;
        if (request_by_id(db, a, id[i], &r, &found, e))
            return e->status;
        if (!found || r.state != REQUEST_OPEN)
            continue;
        if (request_update(db, &r, e) || card_refresh(db, a, &r, now_ms, e))
            return e->status;
        ++*count;
    }
    return OK;
}
