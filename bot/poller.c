/* SPDX-License-Identifier: MIT
 * poller: see poller.h.  One thread of its own; it never acknowledges (moves the offset past) an update that is not in
 * the inbox, except one that cannot be read at all, and then it says so. */
#include "bot/poller.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/thread.h"
#include "bot/update.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    POLL_TIMEOUT_S = 50,            /* Telegram holds the call this long; the usual maximum */
    POLL_ROOM_MS = 15000,           /* for the answer to travel */
    POLL_UPDATES_MAX = 100,         /* Telegram's own maximum per call */
    POLL_REPLY_BYTES_MAX = 8 * MIB, /* 100 updates of 64 KiB and room; more → fewer per call */
    BACKOFF_BASE_MS = 500,
    BACKOFF_CAP_MS = 30000,
    CONFLICT_PAUSE_MS = 3000, /* two pollers: take turns losing, slowly */
};

struct poller {
    struct poller_options options;
    pthread_t thread;
    pthread_mutex_t lock; /* guards state and stopping */
    pthread_cond_t change;
    struct poller_state state;
    bool stopping;
    volatile bool cancel; /* the same, for the call under way */
    /* the thread's own */
    struct http *http;
    int64_t offset;
    int limit;    /* updates per call */
    int failures; /* in a row */
};

/* ---- state ---- */

static void say(struct poller *p, bool ok, const char *error)
{
    pthread_mutex_lock(&p->lock);
    bool change = strcmp(p->state.error, error) != 0;
    p->state.ok = ok;
    if (ok)
        p->state.last_ok_ms = clock_wall_ms();
    snprintf(p->state.error, sizeof p->state.error, "%s", error);
    pthread_mutex_unlock(&p->lock);
    if (!ok && change)
        log_event(LOG_WARN, "poll_failed", F_STR("error", error));
}

/* false: stopping. */
static bool pause_ms(struct poller *p, int64_t ms)
{
    int64_t until_ms = clock_mono_ms() + ms;
    pthread_mutex_lock(&p->lock);
    while (!p->stopping && clock_mono_ms() < until_ms)
        condition_wait_until(&p->change, &p->lock, until_ms);
    bool go_on = !p->stopping;
    pthread_mutex_unlock(&p->lock);
    return go_on;
}

static void back_off(struct poller *p, const char *error, int64_t at_least_ms)
{
    int shift = p->failures < 6 ? p->failures : 6;
    int64_t wait_ms = (int64_t)BACKOFF_BASE_MS << shift;
    if (wait_ms > BACKOFF_CAP_MS)
        wait_ms = BACKOFF_CAP_MS;
    p->failures++;
    say(p, false, error);
    pause_ms(p, wait_ms > at_least_ms ? wait_ms : at_least_ms);
}

/* ---- one batch ---- */

struct batch {
    struct inbox_update *update;
    int64_t stored; /* of them, new */
    size_t count;
};

static enum status batch_write(struct db *db, void *arg, struct error *e)
{
    struct batch *b = arg;
    int64_t now_ms;
    if (db_now_ms(db, &now_ms, e))
        return e->status;
    return inbox_put(db, b->update, b->count, now_ms, &b->stored, e);
}

static void say_unreadable(int64_t update_id, const struct error *e)
{
    log_event(LOG_ERROR, "update_unreadable", F_INT("update_id", update_id), F_ERR(e));
}

/* Envelopes of the wanted ones into *b; returns the highest update_id seen. */
static int64_t batch_fill(struct arena *a, struct json_object *updates, struct batch *b)
{
    size_t count = json_object_array_length(updates);
    int64_t highest = 0;
    b->update = arena_alloc(a, (count + 1) * sizeof *b->update);
    for (size_t i = 0; i < count; i++) {
        struct json_object *one = json_object_array_get_idx(updates, i);
        int64_t update_id = json_int(one, "update_id", 0);
        const char *body = json_text(a, one);
        struct error e = { 0 };
        bool wanted;
        if (update_id > highest)
            highest = update_id;
        if (update_envelope(a, body, strlen(body), &b->update[b->count], &wanted, &e))
            say_unreadable(update_id, &e);
        else
            b->count += wanted;
    }
    return highest;
}

static void batch_announce(struct poller *p, const struct batch *b)
{
    bool there[2] = { false, false };
    for (size_t i = 0; i < b->count; i++)
        there[b->update[i].tap] = true;
    for (int tap = 0; tap < 2; tap++)
        if (there[tap] && b->stored && p->options.stored)
            p->options.stored(p->options.arg, tap);
}

/* Put a batch on disk, however long the database is away: Telegram keeps the updates meanwhile. */
static void take_updates(struct poller *p, struct arena *a, struct json_object *updates)
{
    struct batch b = { 0 };
    struct error e = { 0 };
    int64_t highest = batch_fill(a, updates, &b);
    if (b.count && store_write(p->options.store, batch_write, &b, &e)) {
        back_off(p, e.text, 0); /* the next call asks for the same ones again */
        return;
    }
    if (highest >= p->offset)
        p->offset = highest + 1;
    pthread_mutex_lock(&p->lock);
    p->state.accepted += (int64_t)b.count;
    p->state.ignored += (int64_t)(json_object_array_length(updates) - b.count);
    pthread_mutex_unlock(&p->lock);
    batch_announce(p, &b);
    p->failures = 0;
    p->limit = POLL_UPDATES_MAX;
    say(p, true, "");
}

/* ---- calls ---- */

static void delete_webhook(struct poller *p, struct arena *a)
{
    struct telegram_request request;
    struct telegram_answer answer;
    struct json_object *params = json_keep(a, json_object_new_object());
    json_set_bool(params, "drop_pending_updates", false);
    telegram_request_json(a, "deleteWebhook", params, true, &request);
    (void)telegram_call(p->options.telegram, p->http, a, &request, 0, TELEGRAM_SEND_TIMEOUT_MS, &p->cancel, &answer,
                        NULL);
}

/* The answer is too large or holds something that is not JSON by our rules.  Ask for fewer at a time; a single update
 * that cannot be read is passed over by the id found in its text, or nothing would ever come after it. */
static void narrow(struct poller *p, const struct telegram_answer *answer, const struct error *e)
{
    if (p->limit > 1) {
        p->limit = p->limit > 10 ? 10 : 1;
        return;
    }
    const char *id = answer->raw ? strstr(answer->raw, "\"update_id\":") : NULL;
    int64_t update_id = id ? strtoll(id + strlen("\"update_id\":"), NULL, 10) : 0;
    if (update_id <= 0) {
        back_off(p, "Telegram's answer to getUpdates cannot be read", 0);
        return;
    }
    say_unreadable(update_id, e);
    pthread_mutex_lock(&p->lock);
    p->state.ignored++;
    pthread_mutex_unlock(&p->lock);
    p->offset = update_id + 1;
}

static void handle_refusal(struct poller *p, struct arena *a, const struct telegram_answer *answer)
{
    char text[256];
    switch (answer->code) {
    case 409: /* "terminated by other getUpdates request" or "can't use getUpdates method while webhook is active" */
        if (strcasestr(answer->description, "webhook")) {
            say(p, false, "a webhook is set for this bot; deleting it, because this program polls");
            delete_webhook(p, a);
            pause_ms(p, BACKOFF_BASE_MS);
        } else {
            back_off(p, "another program is polling with the same bot token (409)", CONFLICT_PAUSE_MS);
        }
        return;
    case 401:
    case 404:
        back_off(p, "Telegram refuses the bot token", BACKOFF_CAP_MS);
        return;
    default:
        snprintf(text, sizeof text, "Telegram answered %d: %.200s", answer->code, answer->description);
        back_off(p, text, answer->retry_after_ms > 0 ? answer->retry_after_ms : 0);
    }
}

static void request_updates(struct poller *p, struct arena *a, struct telegram_request *request)
{
    struct json_object *params = json_keep(a, json_object_new_object());
    if (p->offset)
        json_set_int(params, "offset", p->offset);
    json_set_int(params, "limit", p->limit);
    /* The first one, and those after trouble, are answered at once: an empty answer says that all is well (again). */
    json_set_int(params, "timeout", p->state.ok ? POLL_TIMEOUT_S : 0);
    json_set(params, "allowed_updates", telegram_allowed_updates());
    telegram_request_json(a, "getUpdates", params, true, request);
}

static void poll_once(struct poller *p, struct arena *a)
{
    struct telegram_request request;
    struct telegram_answer answer;
    struct error e = { 0 };
    request_updates(p, a, &request);
    request.reply_bytes_max = POLL_REPLY_BYTES_MAX;
    enum status s = telegram_call(p->options.telegram, p->http, a, &request, 0, POLL_TIMEOUT_S * 1000 + POLL_ROOM_MS,
                                  &p->cancel, &answer, &e);
    if (s == ST_SHUTDOWN)
        return;
    if (s == ST_LIMIT && p->limit > 1)
        narrow(p, &answer, &e);
    else if (s)
        back_off(p, e.text, 0);
    else if (answer.ok && json_object_is_type(answer.result, json_type_array))
        take_updates(p, a, answer.result);
    else if (!answer.envelope && answer.code == 200) {
        (void)fail(&e, ST_INVALID, "Telegram's answer is not JSON we can read");
        narrow(p, &answer, &e);
    } else
        handle_refusal(p, a, &answer);
}

static void *poller_main(void *arg)
{
    struct poller *p = arg;
    while (pause_ms(p, 0)) {
        struct arena *a = arena_new();
        poll_once(p, a);
        arena_free(a);
    }
    return NULL;
}

/* ---- life ---- */

enum status poller_start(const struct poller_options *options, struct poller **out, struct error *e)
{
    struct poller *p = xcalloc(1, sizeof *p);
    condition_init(&p->change);
    pthread_mutex_init(&p->lock, NULL);
    p->options = *options;
    p->limit = POLL_UPDATES_MAX;
    p->http = http_new();
    if (thread_start(&p->thread, &(struct thread_start){ .name = "poller", .run = poller_main, .arg = p }, e) == OK) {
        *out = p;
        return OK;
    }
    http_free(p->http);
    free(p);
    return e->status;
}

void poller_state(struct poller *p, struct poller_state *out)
{
    pthread_mutex_lock(&p->lock);
    *out = p->state;
    pthread_mutex_unlock(&p->lock);
}

void poller_stop(struct poller *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    __atomic_store_n(&p->cancel, true, __ATOMIC_RELAXED);
    pthread_cond_broadcast(&p->change);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    http_free(p->http);
    pthread_cond_destroy(&p->change);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
