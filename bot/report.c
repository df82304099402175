/* SPDX-License-Identifier: MIT
 * report: reads counters of the parts; called on the loop thread (health, metrics) and once by main (banner). */
#include "bot/report.h"

#include "base/clock.h"
#include "base/json.h"
#include "bot/embedder.h"
#include "bot/health.h"
#include "bot/poller.h"
#include "bot/register.h"
#include "bot/report_metrics.h"
#include "bot/sender.h"

#include <stdio.h>
#include <string.h>

struct sender_counters report_sends(struct program *p)
{
    struct sender_counters c, t = { 0 };
    sender_count(p->console_sender, &c);
    if (p->sender)
        sender_count(p->sender, &t);
    c.sent += t.sent;
    c.retried += t.retried;
    c.unknown += t.unknown;
    c.parked += t.parked;
    c.floods += t.floods;
    c.lost += t.lost;
    return c;
}

static bool health_sender(void *arg, struct json_object *section, struct error *why)
{
    struct program *p = arg;
    struct sender_counters c = report_sends(p);
    bool ok = sender_healthy(p->console_sender, why) && (!p->sender || sender_healthy(p->sender, why));
    json_set_bool(section, "ok", ok);
    json_set_int(section, "sent", c.sent);
    json_set_int(section, "unknown", c.unknown);
    json_set_int(section, "parked", c.parked);
    return ok;
}

/* Without a public address: how the fetching of updates goes; its trouble, or "". */
static void health_polling(struct poller *poller, struct json_object *section, char *error, size_t error_bytes)
{
    struct poller_state s;
    char at[CIVIL_TEXT_BYTES];
    poller_state(poller, &s);
    if (s.last_ok_ms)
        json_set_str(section, "last_poll", clock_format_utc(s.last_ok_ms, at));
    snprintf(error, error_bytes, "%s", s.error);
}

static bool health_telegram(void *arg, struct json_object *section, struct error *why)
{
    struct program *p = arg;
    struct telegram_state s;
    struct poller *poller = p->poller;
    char error[ERROR_TEXT_BYTES_MAX] = "";
    (void)why;
    if (!p->registrar) {
        json_set_str(section, "state", "starting");
        return true;
    }
    registrar_state(p->registrar, &s);
    if (poller)
        health_polling(poller, section, error, sizeof error);
    json_set_bool(section, "ok", s.ok && !*error);
    json_set_bool(section, "registered", s.registered);
    json_set_str(section, "username", *s.username ? s.username : NULL);
    json_set_int(section, "pending_updates", s.pending_updates);
    if (*s.error || *error)
        json_set_str(section, "error", *s.error ? s.error : error);
    if (*s.last_delivery_error)
        json_set_str(section, "last_delivery_error", s.last_delivery_error);
    return true; /* Telegram being away is told, but a restart by the platform would not bring it back */
}

static bool health_queues(void *arg, struct json_object *section, struct error *why)
{
    struct program *p = arg;
    bool ok = intake_healthy(p->intake, why);
    json_set_bool(section, "ok", ok);
    json_set_int(section, "intake", intake_depth(p->intake));
    return ok;
}

static bool health_memory(void *arg, struct json_object *section, struct error *why)
{
    struct program *p = arg;
    struct lane_counters c;
    (void)why;
    lane_count(p->lane, &c);
    json_set_str(section, "model", c.model);
    json_set_int(section, "items", (int64_t)c.recall.documents);
    json_set_int(section, "vectors", (int64_t)c.recall.vectors);
    json_set_int(section, "waiting", (int64_t)c.recall.wanted);
    json_set_bool(section, "limited", c.limited);
    if (*c.error)
        json_set_str(section, "error", c.error);
    return true; /* without an embedder words still find rows */
}

void report_register(struct program *p)
{
    struct health_part sender = { "sender", health_sender, p }, queues = { "queues", health_queues, p };
    health_add(p->health, &sender);
    if (p->telegram) {
        struct health_part telegram = { "telegram", health_telegram, p };
        health_add(p->health, &telegram);
    }
    struct health_part memory = { "memory", health_memory, p };
    health_add(p->health, &queues);
    health_add(p->health, &memory);
    report_metrics(p);
}

static void say_embedder(const struct program *p)
{
    struct lane_counters c;
    lane_count(p->lane, &c);
    if (c.builtin)
        printf("  search     words and the built-in embedder (EMBEDDING_API_KEY or EMBEDDING_BASE_URL adds one that "
               "knows meaning)\n");
    else
        printf("  search     words and %s at %s\n", c.model, p->config.embedding_base_url);
}

static void say_models(const struct program *p)
{
    if (p->models.count == 0) {
        printf(
            "  model      none; the built-in parser reads messages (ANTHROPIC_API_KEY or OPENAI_API_KEY adds one)\n");
        return;
    }
    for (int i = 0; i < p->models.count; i++)
        printf("  model      %s at %s\n", p->models.endpoint[i].model, p->models.endpoint[i].base_url);
}

void report_banner(const struct program *p, const char *mode)
{
    const struct config *c = &p->config;
    const char *shown = strchr(c->bind, ':') || !strcmp(c->bind, "0.0.0.0") ? "127.0.0.1" : c->bind;
    printf("steward %s is running.\n\n  open       http://%s:%d/\n\n", STEWARD_VERSION, shown, server_port(p->server));
    if (store_kind(p->store) == DB_SQLITE)
        printf("  database   %s\n", c->database_url);
    else
        printf("  database   PostgreSQL\n");
    if (!c->telegram_bot_token)
        printf("  Telegram   off (TELEGRAM_BOT_TOKEN and TELEGRAM_USER_ID turn it on)\n");
    else
        printf("  Telegram   %s, %d allowed %s\n", mode, c->telegram_user_count,
               c->telegram_user_count == 1 ? "user" : "users");
    if (c->telegram_bot_token && c->telegram_user_count == 0)
        printf("             nobody may talk to it yet: write to the bot, it tells your id; put that into "
               "TELEGRAM_USER_ID\n");
    say_models(p);
    say_embedder(p);
    printf("  agents     %s\n", c->notify_secret ? "may ask (steward setup claude, steward notify)"
                                                 : "off (NOTIFY_SECRET lets coding agents ask for permission)");
    printf("  time zone  %s\n", c->zone);
    printf("\n");
    printf("`steward doctor` checks all settings. Ctrl-C stops.\n");
    fflush(stdout);
    log_event(LOG_INFO, "started", F_STR("version", STEWARD_VERSION), F_STR("mode", mode),
              F_INT("port", server_port(p->server)));
}
