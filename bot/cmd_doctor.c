/* SPDX-License-Identifier: MIT
 * cmd_doctor: runs beside a running server; changes nothing but the schema version of a database that is older. */
#include "bot/cmd_doctor.h"

#include "base/http.h"
#include "base/json.h"
#include "base/limits.h"
#include "bot/serve.h"
#include "bot/telegram_client.h"
#include "router/provider.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

struct doctor {
    struct config config;
    struct arena *arena;
    struct http *http;
    int failures, warnings;
};

static void ok(const char *what, const char *words)
{
    printf("  ok       %-10s %s\n", what, words);
}

static void warning(struct doctor *d, const char *what, const char *words)
{
    d->warnings++;
    printf("  warning  %-10s %s\n", what, words);
}

static void failure(struct doctor *d, const char *what, const char *words)
{
    d->failures++;
    printf("  FAILURE  %-10s %s\n", what, words);
}

static void print_setting(void *arg, const char *name, const char *value, const char *meaning)
{
    (void)arg;
    printf("  %-22s %-34s %s\n", name, value, meaning);
}

static void check_database(struct doctor *d)
{
    struct error e = { 0 };
    struct store *store;
    struct store_options o = { .url = d->config.database_url };
    if (store_open(&o, &store, &e)) {
        failure(d, "database", e.text);
        return;
    }
    if (store_check(store, &e))
        failure(d, "database", e.text);
    else
        ok("database", store_kind(store) == DB_SQLITE ? "SQLite answers" : "PostgreSQL answers");
    store_close(store);
}

static enum status ask_telegram(struct doctor *d, struct telegram *t, const char *method,
                                struct telegram_answer *answer, struct error *e)
{
    struct telegram_request request;
    telegram_request_json(d->arena, method, json_object_new_object(), true, &request);
    return telegram_call(t, d->http, d->arena, &request, 0, 15000, NULL, answer, e);
}

static void check_webhook(struct doctor *d, struct telegram *t)
{
    struct telegram_answer a;
    struct error e = { 0 };
    if (ask_telegram(d, t, "getWebhookInfo", &a, &e) || !a.ok) {
        warning(d, "webhook", *e.text ? e.text : a.description);
        return;
    }
    const char *url = json_str(a.result, "url", "");
    const char *trouble = json_str(a.result, "last_error_message", "");
    int64_t waiting = json_int(a.result, "pending_update_count", 0);
    if (*trouble)
        warning(d, "webhook", arena_printf(d->arena, "Telegram's last delivery failed: %s", trouble));
    if (d->config.public_url && strncmp(url, d->config.public_url, strlen(d->config.public_url)) != 0)
        warning(d, "webhook", "Telegram does not know our address yet; a running steward registers it at its start");
    else
        ok("webhook", arena_printf(d->arena, "%s, %lld updates waiting",
                                   d->config.public_url ? "registered" : "off: long polling", (long long)waiting));
}

static void check_telegram(struct doctor *d)
{
    struct telegram_answer a;
    struct error e = { 0 };
    if (!d->config.telegram_bot_token) {
        warning(d, "Telegram", "off: set TELEGRAM_BOT_TOKEN (from @BotFather) and TELEGRAM_USER_ID");
        return;
    }
    struct telegram *t = telegram_new(d->config.telegram_api_base, d->config.telegram_bot_token, true);
    if (ask_telegram(d, t, "getMe", &a, &e))
        failure(d, "Telegram", e.text);
    else if (!a.ok)
        failure(d, "Telegram",
                a.code == 401 || a.code == 404 ? "the bot token is refused: copy it again from @BotFather"
                                               : a.description);
    else {
        ok("Telegram", arena_printf(d->arena, "the bot is @%s", json_str(a.result, "username", "?")));
        check_webhook(d, t);
    }
    telegram_free(t);
    if (d->config.telegram_user_count == 0)
        warning(d, "Telegram", "TELEGRAM_USER_ID is empty: nobody may talk to the bot");
}

static void check_models(struct doctor *d)
{
    struct model_set set;
    struct error e = { 0 };
    if (models_from_config(&d->config, &set, &e)) {
        failure(d, "model", e.text);
        return;
    }
    if (set.count == 0)
        warning(d, "model", "none: the built-in parser reads messages; ANTHROPIC_API_KEY or OPENAI_API_KEY adds one");
    for (int i = 0; i < set.count; i++) {
        struct model_message m = { .role = MODEL_USER, .text = "Reply with the word OK." };
        struct model_request q = {
            .system = "Reply in one word.", .messages = &m, .message_count = 1, .output_tokens_max = 256
        };
        struct model_reply r;
        if (model_step(&set, d->http, d->arena, &q, set.endpoint[i].provider->name, NULL, &r, &e))
            failure(d, "model", e.text);
        else
            ok("model", arena_printf(d->arena, "%s answers (%lld ms)", set.endpoint[i].model, (long long)r.elapsed_ms));
    }
}

int cmd_doctor(int argc, char **argv)
{
    struct error e = { 0 };
    if (argc > 1) {
        fprintf(stderr, "steward: doctor takes no arguments (got \"%s\").\n", argv[1]);
        return 2;
    }
    struct doctor d = { .arena = arena_new() };
    if (config_load(&d.config, d.arena, &e)) {
        printf("  FAILURE  settings   %s\n", e.text);
        arena_free(d.arena);
        return 1;
    }
    printf("Settings\n");
    config_describe(&d.config, print_setting, NULL);
    printf("\nChecks\n");
    http_global_init(d.config.ssl_cert_file);
    d.http = http_new();
    check_database(&d);
    check_telegram(&d);
    check_models(&d);
    http_free(d.http);
    arena_free(d.arena);
    return d.failures ? 1 : d.warnings ? 3 : 0;
}
