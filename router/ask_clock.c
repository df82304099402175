/* SPDX-License-Identifier: MIT
 * ask_clock: what time does to requests: they expire, nag, and are shown anew after the program was away.  Called by
 * the scheduler, each function in a transaction of its own; several instances may run it at once. */
#include "router/ask.h"
#include "router/card.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "store/audit.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH_MAX = 100,             /* of one transaction; the next tick takes the rest */
    HEAL_PARKED_MS = 300 * 1000, /* a card that may be on the phone is posted again when nobody has tapped it by then */
};

/* --- expiry --- */

static const char *one_value(struct arena *a, const char *value)
{
    struct json_object *list = json_keep(a, json_object_new_array());
    json_push(list, json_object_new_string(value));
    return json_text(a, list);
}

static enum status expire_one(struct db *db, struct arena *a, struct agent_request *r, int64_t now_ms, struct error *e)
{
    struct json_object *detail = json_keep(a, json_object_new_object());
    r->finished_at_ms = now_ms;
    r->state = REQUEST_EXPIRED;
    if (r->default_answer) {
        struct ask_option option[ASK_BUTTONS_MAX];
        int count = ask_options(a, r, option);
        r->state = REQUEST_RESPONDED;
        r->response = r->default_answer;
        r->how = "default";
        r->answered_name = "nobody (default)";
        for (int i = 0; i < count; i++)
            if (strcmp(option[i].value, r->default_answer) == 0)
                r->label = option[i].label;
        if (r->multi)
            r->responses = one_value(a, r->default_answer);
        json_set_str(detail, "default", r->default_answer);
    }
    if (request_update(db, r, e) || audit_add(db, r->request_id, "expired", "steward", detail, now_ms, e))
        return e->status;
    return card_refresh(db, a, r, now_ms, e);
}

enum status ask_expire(struct db *db, struct arena *a, int64_t now_ms, int *count, struct error *e)
{
    struct agent_request *r;
    enum status s = requests_list(db, a, REQUESTS_EXPIRED, now_ms, BATCH_MAX, &r, count, e);
    if (s || *count == 0)
        return s;
    if (requests_lock(db, e) || requests_list(db, a, REQUESTS_EXPIRED, now_ms, BATCH_MAX, &r, count, e))
        return e->status;
    for (int i = 0; i < *count; i++)
        if (expire_one(db, a, &r[i], now_ms, e))
            return e->status;
    return OK;
}

/* --- quiet hours --- */

static bool minute_of_day(const char *s, size_t len, int *minute)
{
    int h, m = 0, used = 0;
    char text[8] = { 0 };
    if (len == 0 || len >= sizeof text)
        return false;
    memcpy(text, s, len);
    if (sscanf(text, "%2d:%2d%n", &h, &m, &used) != 2 && (sscanf(text, "%2d%n", &h, &used) != 1))
        return false;
    *minute = h * 60 + m;
    return (size_t)used == len && h >= 0 && h <= 24 && m >= 0 && m < 60 && *minute <= 24 * 60;
}

enum status ask_quiet_parse(const char *text, int *from_minute, int *until_minute, struct error *e)
{
    const char *dash = strchr(text, '-');
    if (!dash || !minute_of_day(text, (size_t)(dash - text), from_minute) ||
        !minute_of_day(dash + 1, strlen(dash + 1), until_minute) || *from_minute == *until_minute)
        return fail(e, ST_INVALID, "quiet hours look like 22:00-07:00");
    return OK;
}

enum status ask_quiet_get(struct db *db, struct arena *a, const char **text, struct error *e)
{
    *text = NULL;
    struct stmt *s = db_query(db, "SELECT value FROM settings WHERE name = 'quiet_hours'");
    while (db_step(s))
        *text = *db_text(s, 0) ? arena_strdup(a, db_text(s, 0)) : NULL;
    return db_done(s, e);
}

enum status ask_quiet_set(struct db *db, const char *text, struct error *e)
{
    return db_run(db, e,
                  "INSERT INTO settings (name, value) VALUES ('quiet_hours', $1)"
                  " ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value",
                  p_text(text ? text : ""));
}

/* --- nagging --- */

static enum status remind_one(struct db *db, struct arena *a, struct agent_request *r, int64_t now_ms, struct error *e)
{
    bool said;
    if (card_nag(db, a, r, now_ms, &said, e))
        return e->status;
    r->reminded += said; /* a quiet night uses none up */
    r->next_remind_at_ms = r->reminded < ASK_REMINDS_MAX ? now_ms + r->remind_every_ms : 0;
    if (request_update(db, r, e))
        return e->status;
    return said ? audit_add(db, r->request_id, "reminded", "steward", NULL, now_ms, e) : OK;
}

enum status ask_remind(struct db *db, struct arena *a, int64_t now_ms, int *count, struct error *e)
{
    struct agent_request *r;
    enum status s = requests_list(db, a, REQUESTS_REMIND, now_ms, BATCH_MAX, &r, count, e);
    if (s || *count == 0)
        return s;
    if (requests_lock(db, e) || requests_list(db, a, REQUESTS_REMIND, now_ms, BATCH_MAX, &r, count, e))
        return e->status;
    for (int i = 0; i < *count; i++)
        if (remind_one(db, a, &r[i], now_ms, e))
            return e->status;
    return OK;
}

/* --- after an absence --- */

static enum status alive_at(struct db *db, int64_t *at_ms, struct error *e)
{
    bool found;
    return db_get_int(db, at_ms, &found, e,
                      "SELECT COALESCE(MAX(CAST(value AS BIGINT)), 0) FROM settings WHERE name = 'alive_at'");
}

static enum status show_anew(struct db *db, struct arena *a, struct agent_request *r, int64_t from_ms, int64_t now_ms,
                             struct error *e)
{
    struct json_object *detail = json_keep(a, json_object_new_object());
    json_set_int(detail, "away_from", from_ms);
    json_set_int(detail, "away_until", now_ms);
    r->away_from_ms = from_ms;
    r->away_until_ms = now_ms;
    if (request_update(db, r, e) || audit_add(db, r->request_id, "rearmed", "steward", detail, now_ms, e))
        return e->status;
    return card_refresh(db, a, r, now_ms, e);
}

static enum status tell_absence(struct db *db, struct arena *a, const struct agent_request *r, int count,
                                int64_t from_ms, int64_t now_ms, struct error *e)
{
    enum { NAMED_MAX = 10 };
    struct reply out;
    int64_t minutes = (now_ms - from_ms + 30000) / 60000;
    reply_init(&out, a);
    reply_bold(&out, "↻ I was away");
    reply_line(&out);
    reply_printf(
        &out, "For about %lld min I could not hear Telegram. Taps in that time may be lost; please look again at %s:",
        (long long)minutes, count == 1 ? "this question" : "these questions");
    for (int i = 0; i < count && i < NAMED_MAX; i++) {
        const char *line = arena_strndup(a, r[i].message, strcspn(r[i].message, "\n"));
        size_t cut = text_prefix_utf16(line, strlen(line), 120);
        reply_line(&out);
        reply_printf(&out, "• %s: %.*s%s", r[i].project, (int)cut, line, line[cut] ? "…" : "");
    }
    if (count > NAMED_MAX) {
        reply_line(&out);
        reply_printf(&out, "and %d more", count - NAMED_MAX);
    }
    return card_tell(db, a, &out, arena_printf(a, "away:%lld", (long long)from_ms), now_ms, e);
}

/* Cards that were on a phone when the absence began; what was asked later never met a lost tap. */
static enum status rearm(struct db *db, struct arena *a, int64_t from_ms, int64_t now_ms, int *cards, struct error *e)
{
    enum { REARM_MAX = 1000 };
    struct agent_request *r, *shown;
    int count;
    *cards = 0;
    if (requests_list(db, a, REQUESTS_OPEN, 0, REARM_MAX, &r, &count, e))
        return e->status;
    shown = arena_alloc(a, (size_t)(count + 1) * sizeof *shown);
    for (int i = 0; i < count; i++) {
        const char *message_id;
        if (ask_message_id(db, a, &r[i], &message_id, e))
            return e->status;
        if (!message_id || strncmp(message_id, "tg-", 3) != 0 || r[i].created_at_ms > from_ms + ASK_AWAY_MS)
            continue;
        shown[(*cards)++] = r[i];
        if (show_anew(db, a, &r[i], from_ms, now_ms, e))
            return e->status;
    }
    return *cards ? tell_absence(db, a, shown, *cards, from_ms, now_ms, e) : OK;
}

enum status ask_alive(struct db *db, struct arena *a, int64_t now_ms, int64_t *away_ms, int *cards, struct error *e)
{
    int64_t at_ms;
    *away_ms = 0;
    *cards = 0;
    if (requests_lock(db, e) || alive_at(db, &at_ms, e))
        return e->status;
    if (at_ms && now_ms - at_ms > ASK_AWAY_MS) {
        *away_ms = now_ms - at_ms;
        if (rearm(db, a, at_ms, now_ms, cards, e))
            return e->status;
    }
    return db_run(db, e,
                  "INSERT INTO settings (name, value) VALUES ('alive_at', $1)"
                  " ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value",
                  p_text(arena_printf(a, "%lld", (long long)now_ms)));
}

/* --- cards that vanished --- */

/* A card without a message and without a row on its way: its group has a new id, or its row was lost.  It is posted
 * again; the buttons stay the same.  One whose sends got no answer may stand there: that is waited for. */
enum status ask_heal(struct db *db, struct arena *a, int64_t now_ms, int *count, struct error *e)
{
    int64_t id[BATCH_MAX];
    int found_count = 0;
    *count = 0;
    struct stmt *s =
        db_query(db,
                 "SELECT DISTINCT r.id FROM requests r JOIN cards c ON c.request_id = r.id"
                 " AND c.retired = 0 AND c.kind = 'request' WHERE r.state = 'open' AND c.message_id IS NULL"
                 " AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.id = c.outbox_id"
                 " AND (o.state IN ('available', 'sending') OR (o.state = 'parked' AND o.finished_at > $1)))",
                 p_int(now_ms - HEAL_PARKED_MS));
    while (db_step(s))
        if (found_count < BATCH_MAX)
            id[found_count++] = db_int(s, 0);
    if (db_done(s, e) || (found_count && requests_lock(db, e)))
        return e->status;
    for (int i = 0; i < found_count; i++) {
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
