/* SPDX-License-Identifier: MIT
 * ask_clock: what time does to requests: they expire and nag, though not in quiet hours.  Called by the scheduler, each
 * function in a transaction of its own; several instances may run it at once. */
#include "router/ask.h"
#include "router/card.h"

#include "base/json.h"
#include "store/audit.h"
#include <stdio.h>
#include <string.h>

enum { BATCH_MAX = 100 }; /* of one transaction; the next tick takes the rest */

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
