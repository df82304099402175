/* SPDX-License-Identifier: MIT
 * doctor_telegram: the bot, its webhook, who may talk to it, and the chat that agents' cards go to.  Changes nothing at
 * Telegram.  See doctor.h. */
#include "bot/doctor.h"

#include "base/clock.h"
#include "base/json.h"
#include "bot/telegram_client.h"

#include <stdlib.h>
#include <string.h>

enum {
    CALL_TIMEOUT_MS = 15000,
    PENDING_MANY = 100, /* Telegram keeps up to a day of them */
    OLD_ERROR_S = 3600, /* a delivery error from before, with nothing waiting, is history */
    SECRET_BYTES_MIN = 16,
};

struct bot {
    struct doctor *d;
    struct telegram *telegram;
    int64_t id;
    bool reads_groups; /* privacy mode is off */
};

/* Takes params over.  false: *why says what is wrong. */
static bool ask(struct bot *b, const char *method, struct json_object *params, struct telegram_answer *answer,
                const char **why)
{
    struct telegram_request request;
    struct error e = { 0 };
    telegram_request_json(b->d->arena, method, json_keep(b->d->arena, params), true, &request);
    if (telegram_call(b->telegram, b->d->http, b->d->arena, &request, 0, CALL_TIMEOUT_MS, NULL, answer, &e) != OK)
        *why = arena_strdup(b->d->arena, e.text);
    else if (!answer->ok)
        *why = arena_printf(b->d->arena, "Telegram says “%s” to %s", answer->description, method);
    else
        return true;
    return false;
}

/* --- the webhook --- */

struct mend {
    const char *words, *mend; /* in Telegram's error */
};
static const struct mend mend_table[] = {
    { "401", "WEBHOOK_SECRET_TOKEN changed since the webhook was registered: restart steward" },
    { "404", "another program answers at PUBLIC_URL, or its path is cut off on the way" },
    { "502", "the proxy in front of steward got no answer: is it running?" },
    { "503", "steward answered that it cannot take messages now: see /health" },
    { "SSL", "the certificate of PUBLIC_URL is not accepted: renew it, with its whole chain" },
    { "certificate", "the certificate of PUBLIC_URL is not accepted: renew it, with its whole chain" },
    { "resolve", "PUBLIC_URL's name is not known to the world: check it" },
    { "refused", "nothing listens at PUBLIC_URL: start steward, open the port" },
    { "timed out", "PUBLIC_URL cannot be reached from outside, or steward was not awake" },
    { "timeout", "PUBLIC_URL cannot be reached from outside, or steward was not awake" },
    { "", "see steward's log of that time" },
};

static const char *mend_of(const char *trouble)
{
    const struct mend *m = mend_table;
    while (!strstr(trouble, m->words))
        m++;
    return m->mend;
}

static void check_deliveries(struct bot *b, const struct telegram_answer *a)
{
    const char *trouble = json_str(a->result, "last_error_message", "");
    int64_t waiting = json_int(a->result, "pending_update_count", 0);
    int64_t ago_s = clock_wall_ms() / 1000 - json_int(a->result, "last_error_date", 0);
    if (*trouble && (waiting > 0 || ago_s < OLD_ERROR_S))
        doctor_warning(b->d, "webhook", "Telegram's last delivery failed %lld minutes ago: %s: %s",
                       (long long)(ago_s / 60), trouble, mend_of(trouble));
    if (waiting > PENDING_MANY)
        doctor_warning(b->d, "webhook", "%lld updates wait at Telegram: is steward running and reachable?",
                       (long long)waiting);
}

static void check_webhook(struct bot *b)
{
    struct doctor *d = b->d;
    struct telegram_answer a;
    const char *why;
    if (!ask(b, "getWebhookInfo", json_object_new_object(), &a, &why)) {
        doctor_warning(d, "webhook", "%s", why);
        return;
    }
    const char *url = json_str(a.result, "url", "");
    int64_t waiting = json_int(a.result, "pending_update_count", 0);
    const char *ours = d->config.public_url ? arena_printf(d->arena, "%s/telegram-webhook", d->config.public_url) : "";
    bool cloud = strcmp(d->config.telegram_api_base, "https://api.telegram.org") == 0;
    if (cloud && *ours && strncmp(ours, "https://", 8) != 0)
        doctor_failure(d, "webhook", "PUBLIC_URL must begin with https://: Telegram delivers nowhere else");
    else if (strcmp(url, ours) != 0)
        doctor_warning(d, "webhook", "Telegram knows %s, not %s: a steward that starts with these settings changes it",
                       *url ? "another address" : "no address", *ours ? "ours" : "that we fetch updates ourselves");
    else
        doctor_ok(d, "webhook", "%s, %lld updates waiting", *ours ? "registered" : "none: updates are fetched",
                  (long long)waiting);
    check_deliveries(b, &a);
}

/* --- where agents' cards go --- */

static void check_group(struct bot *b, struct json_object *chat, int64_t chat_id)
{
    struct doctor *d = b->d;
    struct telegram_answer a;
    const char *why, *title = json_str(chat, "title", "?");
    struct json_object *params = json_object_new_object();
    json_set_int(params, "chat_id", chat_id);
    json_set_int(params, "user_id", b->id);
    if (!ask(b, "getChatMember", params, &a, &why)) {
        doctor_failure(d, "group", "%s", why);
        return;
    }
    const char *status = json_str(a.result, "status", "");
    bool admin = strcmp(status, "administrator") == 0, forum = json_flag(chat, "is_forum", false);
    if (strcmp(status, "left") == 0 || strcmp(status, "kicked") == 0)
        doctor_failure(d, "group", "the bot is not a member of “%s” any more: add it again", title);
    else if (strcmp(status, "restricted") == 0 && !json_flag(a.result, "can_send_messages", true))
        doctor_failure(d, "group", "the bot may not write in “%s”: lift the restriction", title);
    else if (!forum)
        doctor_ok(d, "group", "“%s” has no topics: all projects share it (Topics in its settings give each its own)",
                  title);
    else if (!admin || !json_flag(a.result, "can_manage_topics", false))
        doctor_warning(d, "group",
                       "the bot cannot make topics in “%s”, so all projects share one: make it an administrator with "
                       "“Manage topics”",
                       title);
    else
        doctor_ok(d, "group", "“%s”: a topic per project", title);
    if (!admin && !b->reads_groups && strcmp(status, "left") != 0 && strcmp(status, "kicked") != 0)
        doctor_warning(
            d, "group",
            "privacy mode is on: in “%s” the bot sees replies to its cards and commands, nothing else; make it "
            "an administrator, or turn the mode off (@BotFather, /setprivacy) and add the bot anew",
            title);
}

static void check_cards(struct bot *b)
{
    struct doctor *d = b->d;
    struct telegram_answer a;
    const char *why;
    bool given = d->config.notify_chat_id != 0;
    int64_t chat_id = given                           ? d->config.notify_chat_id
                      : d->config.telegram_user_count ? d->config.telegram_user_id[0]
                                                      : 0;
    if (!d->config.notify_secret || chat_id == 0)
        return;
    struct json_object *params = json_object_new_object();
    json_set_int(params, "chat_id", chat_id);
    if (!ask(b, "getChat", params, &a, &why))
        doctor_failure(d, "cards", "%s: %s", why,
                       chat_id < 0 ? "add the bot to the group that NOTIFY_CHAT_ID names"
                                   : "that person must write /start to the bot first");
    else if (chat_id < 0) {
        check_group(b, a.result, chat_id);
    } else {
        doctor_ok(d, "cards", "agents' cards go to the private chat with %s%s", json_str(a.result, "first_name", "?"),
                  given ? "" : " (the first of TELEGRAM_USER_ID)");
    }
}

/* --- the bot --- */

static void check_agents(struct doctor *d)
{
    size_t n = d->config.notify_secret ? strlen(d->config.notify_secret) : 0;
    if (n == 0)
        doctor_ok(d, "agents",
                  "off: /send and the hooks answer 503; NOTIFY_SECRET (openssl rand -hex 24) lets coding "
                  "agents ask you");
    else if (n < SECRET_BYTES_MIN)
        doctor_warning(d, "agents",
                       "NOTIFY_SECRET has %zu characters: at least %d make it hard to guess (openssl rand "
                       "-hex 24)",
                       n, SECRET_BYTES_MIN);
    else
        doctor_ok(d, "agents", "NOTIFY_SECRET is set");
}

static void check_bot(struct bot *b)
{
    struct doctor *d = b->d;
    struct telegram_answer a;
    const char *why;
    if (!ask(b, "getMe", json_object_new_object(), &a, &why)) {
        bool refused = a.envelope && (a.code == 401 || a.code == 404);
        if (refused)
            why = "the bot token is refused: copy it again from @BotFather into TELEGRAM_BOT_TOKEN";
        else if (!a.envelope)
            why = arena_printf(d->arena, "%s (is the network there? is TELEGRAM_API_BASE right?)", why);
        doctor_failure(d, "Telegram", "%s", why);
        return;
    }
    b->id = json_int(a.result, "id", 0);
    b->reads_groups = json_flag(a.result, "can_read_all_group_messages", false);
    doctor_ok(d, "Telegram", "the bot is @%s", json_str(a.result, "username", "?"));
    if (d->config.telegram_user_count == 0)
        doctor_warning(d, "Telegram",
                       "nobody may talk to the bot: write to it, it tells your id; put that into TELEGRAM_USER_ID");
    check_webhook(b);
    check_cards(b);
}

void doctor_telegram(struct doctor *d)
{
    struct bot b = { .d = d };
    check_agents(d);
    if (!d->config.telegram_bot_token) {
        doctor_warning(d, "Telegram", "off: set TELEGRAM_BOT_TOKEN (from @BotFather) and TELEGRAM_USER_ID");
        return;
    }
    b.telegram = telegram_new(d->config.telegram_api_base, d->config.telegram_bot_token, true);
    check_bot(&b);
    telegram_free(b.telegram);
}
