/* SPDX-License-Identifier: MIT
 * register: see register.h.  Steps run in order, each again with back-off until it is done; the check starts over at
 * the step whose result was lost. */
#include "bot/register.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/thread.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHECK_INTERVAL_MS = 60000, /* a webhook somebody removed is back within a minute */
    CALL_TIMEOUT_MS = 20000,
    BACKOFF_BASE_MS = 1000,
    BACKOFF_CAP_MS = 60000,
    WEBHOOK_CONNECTIONS_MAX = 40, /* Telegram's default; far below what the server takes */
};

/* What is left to do, in this order. */
enum step { STEP_IDENTITY, STEP_WEBHOOK, STEP_COMMANDS, STEP_CHECK };

struct registrar {
    struct registrar_options options;
    char webhook_url[512]; /* wanted; "" = polling */
    pthread_t thread;
    pthread_mutex_t lock; /* guards state and stopping */
    pthread_cond_t change;
    struct telegram_state state;
    bool stopping;
    volatile bool cancel;
    char username[64]; /* written once, before username_known */
    int64_t bot_id;
    bool username_known; /* atomic */
    /* the thread's own */
    struct http *http;
    int failures;
    int contested; /* checks in a row that found another webhook than we had just set */
    int64_t started_ms;
};

/* What a step's call came to. */
struct outcome {
    bool ok;
    struct telegram_answer answer;
    char error[256];
    int64_t wait_ms; /* from retry_after; 0 */
    bool rejected;   /* asking again would not help */
};

static void call(struct registrar *r, struct arena *a, const char *method, struct json_object *params,
                 struct outcome *out)
{
    struct telegram_request request;
    struct error e = { 0 };
    memset(out, 0, sizeof *out);
    telegram_request_json(a, method, params, true, &request);
    enum status s =
        telegram_call(r->options.telegram, r->http, a, &request, 0, CALL_TIMEOUT_MS, &r->cancel, &out->answer, &e);
    enum telegram_verdict verdict = telegram_judge(s, &out->answer, true);
    out->ok = verdict == TG_DONE;
    if (out->ok)
        return;
    char text[ERROR_TEXT_BYTES_MAX];
    if (s)
        snprintf(text, sizeof text, "%.*s", (int)sizeof text - 1, e.text);
    else if (verdict == TG_DENIED)
        snprintf(text, sizeof text, "Telegram refuses the bot token (%d %s)", out->answer.code,
                 out->answer.description);
    else
        snprintf(text, sizeof text, "%s: Telegram answered %d %s", method, out->answer.code, out->answer.description);
    telegram_mask(r->options.telegram, text, out->error, sizeof out->error);
    out->rejected = verdict == TG_REJECTED;
    if (verdict == TG_WAIT)
        out->wait_ms = out->answer.retry_after_ms;
}

static struct json_object *object(struct arena *a)
{
    return json_keep(a, json_object_new_object());
}

/* ---- steps ---- */

static void learn_identity(struct registrar *r, struct arena *a, struct outcome *out)
{
    call(r, a, "getMe", object(a), out);
    if (!out->ok)
        return;
    const char *username = json_str(out->answer.result, "username", "");
    pthread_mutex_lock(&r->lock);
    r->state.bot_id = json_int(out->answer.result, "id", 0);
    snprintf(r->state.username, sizeof r->state.username, "%s", username);
    pthread_mutex_unlock(&r->lock);
    if (__atomic_load_n(&r->username_known, __ATOMIC_ACQUIRE))
        return;
    snprintf(r->username, sizeof r->username, "%s", username);
    r->bot_id = json_int(out->answer.result, "id", 0);
    __atomic_store_n(&r->username_known, true, __ATOMIC_RELEASE);
    log_event(LOG_INFO, "telegram", F_STR("username", username), F_INT("bot_id", r->bot_id),
              F_STR("mode", *r->webhook_url ? "webhook" : "polling"));
}

static void place_webhook(struct registrar *r, struct arena *a, struct outcome *out)
{
    struct json_object *params = object(a);
    if (*r->webhook_url) {
        json_set_str(params, "url", r->webhook_url);
        json_set_str(params, "secret_token", r->options.secret);
        json_set(params, "allowed_updates", telegram_allowed_updates());
        json_set_int(params, "max_connections", WEBHOOK_CONNECTIONS_MAX);
        call(r, a, "setWebhook", params, out);
    } else {
        json_set_bool(params, "drop_pending_updates", false);
        call(r, a, "deleteWebhook", params, out);
    }
    pthread_mutex_lock(&r->lock);
    r->state.registered = out->ok;
    pthread_mutex_unlock(&r->lock);
    if (out->ok)
        log_event(LOG_INFO, "webhook", F_STR("url", *r->webhook_url ? r->webhook_url : "none, polling"));
}

static void place_commands(struct registrar *r, struct arena *a, struct outcome *out)
{
    struct json_object *params = object(a), *list = json_object_new_array();
    for (size_t i = 0; i < r->options.command_count; i++) {
        struct json_object *one = json_object_new_object();
        json_set_str(one, "command", r->options.commands[i].name);
        json_set_str(one, "description", r->options.commands[i].description);
        json_push(list, one);
    }
    json_set(params, "commands", list);
    call(r, a, "setMyCommands", params, out);
}

static bool same_kinds(struct json_object *given, struct json_object *wanted)
{
    size_t count = json_object_is_type(given, json_type_array) ? json_object_array_length(given) : 0;
    if (count != json_object_array_length(wanted))
        return false;
    for (size_t i = 0; i < count; i++) {
        bool found = false;
        for (size_t j = 0; j < count && !found; j++)
            found = json_object_equal(json_object_array_get_idx(given, i), json_object_array_get_idx(wanted, j));
        if (!found)
            return false;
    }
    return true;
}

/* Does Telegram still have what we set?  Notes what it says about its deliveries. */
static bool check(struct registrar *r, struct arena *a, struct outcome *out)
{
    call(r, a, "getWebhookInfo", object(a), out);
    if (!out->ok)
        return true;
    struct json_object *info = out->answer.result;
    const char *url = json_str(info, "url", "");
    int64_t error_ms = json_int(info, "last_error_date", 0) * 1000;
    bool stands = strcmp(url, r->webhook_url) == 0;
    if (stands && *url)
        stands = same_kinds(json_at(info, "allowed_updates"), json_keep(a, telegram_allowed_updates()));
    pthread_mutex_lock(&r->lock);
    struct telegram_state *state = &r->state;
    state->registered = stands;
    state->pending_updates = json_int(info, "pending_update_count", 0);
    state->checked_ms = clock_wall_ms();
    snprintf(state->webhook_url, sizeof state->webhook_url, "%s", url);
    if (*url && error_ms >= r->started_ms) {
        snprintf(state->last_delivery_error, sizeof state->last_delivery_error, "%s",
                 json_str(info, "last_error_message", ""));
        state->last_delivery_error_ms = error_ms;
    }
    pthread_mutex_unlock(&r->lock);
    return stands;
}

/* ---- the thread ---- */

static void say(struct registrar *r, const struct outcome *outcome, enum step step)
{
    pthread_mutex_lock(&r->lock);
    bool news = strcmp(r->state.error, outcome->error) != 0;
    snprintf(r->state.error, sizeof r->state.error, "%s", outcome->error);
    r->state.ok = outcome->ok && r->state.registered && step > STEP_WEBHOOK;
    pthread_mutex_unlock(&r->lock);
    if (!outcome->ok && news && !__atomic_load_n(&r->cancel, __ATOMIC_RELAXED))
        log_event(LOG_WARN, "telegram_registration", F_STR("error", outcome->error));
}

static int64_t back_off_ms(int *failures, int64_t at_least_ms)
{
    int64_t wait_ms = (int64_t)BACKOFF_BASE_MS << (*failures < 6 ? *failures : 6);
    ++*failures;
    if (wait_ms > BACKOFF_CAP_MS)
        wait_ms = BACKOFF_CAP_MS;
    return wait_ms > at_least_ms ? wait_ms : at_least_ms;
}

/* Do one step; returns how long to wait before the next. */
static int64_t advance(struct registrar *r, enum step *step)
{
    struct arena *a = arena_new();
    struct outcome outcome = { 0 };
    bool stands = true;
    switch (*step) {
    case STEP_IDENTITY:
        learn_identity(r, a, &outcome);
        break;
    case STEP_WEBHOOK:
        place_webhook(r, a, &outcome);
        break;
    case STEP_COMMANDS:
        place_commands(r, a, &outcome);
        break;
    case STEP_CHECK:
        stands = check(r, a, &outcome);
        break;
    }
    arena_free(a);
    say(r, &outcome, *step);
    if (*step == STEP_COMMANDS && outcome.rejected) /* said once; a menu is no reason to leave the webhook unwatched */
        outcome.ok = true;
    if (!outcome.ok)
        return back_off_ms(&r->failures, outcome.wait_ms);
    r->failures = 0;
    if (*step < STEP_CHECK) {
        ++*step;
        return 0;
    }
    if (stands) {
        r->contested = 0;
        return CHECK_INTERVAL_MS;
    }
    log_event(LOG_WARN, "webhook_changed", F_STR("now", "somebody else set or removed it; setting it again"));
    *step = STEP_WEBHOOK;
    return r->contested++ ? back_off_ms(&r->contested, 0) : 0; /* another program with our token may do the same */
}

static bool pause_ms(struct registrar *r, int64_t ms)
{
    int64_t until_ms = clock_mono_ms() + ms;
    pthread_mutex_lock(&r->lock);
    while (!r->stopping && clock_mono_ms() < until_ms)
        condition_wait_until(&r->change, &r->lock, until_ms);
    bool go_on = !r->stopping;
    pthread_mutex_unlock(&r->lock);
    return go_on;
}

static void *registrar_main(void *arg)
{
    struct registrar *r = arg;
    enum step step = STEP_IDENTITY;
    int64_t wait_ms = 0;
    while (pause_ms(r, wait_ms))
        wait_ms = advance(r, &step);
    return NULL;
}

/* ---- life ---- */

enum status registrar_start(const struct registrar_options *options, struct registrar **out, struct error *e)
{
    struct registrar *r = xcalloc(1, sizeof *r);
    condition_init(&r->change);
    pthread_mutex_init(&r->lock, NULL);
    r->options = *options;
    r->started_ms = clock_wall_ms() / 1000 * 1000;
    if (options->public_url)
        snprintf(r->webhook_url, sizeof r->webhook_url, "%s/telegram-webhook", options->public_url);
    r->http = http_new();
    if (thread_start(&r->thread, &(struct thread_start){ .name = "registrar", .run = registrar_main, .arg = r }, e) ==
        OK) {
        *out = r;
        return OK;
    }
    http_free(r->http);
    free(r);
    return e->status;
}

void registrar_state(struct registrar *r, struct telegram_state *out)
{
    pthread_mutex_lock(&r->lock);
    *out = r->state;
    pthread_mutex_unlock(&r->lock);
}

const char *telegram_username(const struct registrar *r)
{
    return __atomic_load_n(&r->username_known, __ATOMIC_ACQUIRE) ? r->username : "";
}

int64_t telegram_bot_id(const struct registrar *r)
{
    return __atomic_load_n(&r->username_known, __ATOMIC_ACQUIRE) ? r->bot_id : 0;
}

void registrar_stop(struct registrar *r)
{
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    r->stopping = true;
    __atomic_store_n(&r->cancel, true, __ATOMIC_RELAXED);
    pthread_cond_broadcast(&r->change);
    pthread_mutex_unlock(&r->lock);
    pthread_join(r->thread, NULL);
    http_free(r->http);
    pthread_cond_destroy(&r->change);
    pthread_mutex_destroy(&r->lock);
    free(r);
}
