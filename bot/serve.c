/* SPDX-License-Identifier: MIT
 * serve: main thread only.  It starts the threads, sleeps in sigwait(), and stops them: first nothing new comes in,
 * then what is queued reaches the disk, then turns end or are given back, then sends; the database closes last. */
#include "bot/serve.h"

#include "base/footprint.h"
#include "base/http.h"
#include "base/limits.h"
#include "bot/agents.h"
#include "bot/console.h"
#include "bot/embedder.h"
#include "bot/health.h"
#include "bot/metrics.h"
#include "bot/poller.h"
#include "bot/program.h"
#include "bot/register.h"
#include "bot/report.h"
#include "bot/sampler.h"
#include "bot/scheduler.h"
#include "bot/sender.h"
#include "bot/typing.h"
#include "bot/webhook.h"
#include "bot/worker.h"
#include "router/ask.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MENU_MAX = 32 };

static const char *mode_of(const struct config *c)
{
    return !c->telegram_bot_token ? "console" : c->public_url ? "webhook" : "polling";
}

enum status models_from_config(const struct config *c, struct model_set *set, struct error *e)
{
    memset(set, 0, sizeof *set);
    if (c->anthropic_api_key &&
        model_set_add(set, "anthropic", c->anthropic_base_url, c->anthropic_api_key, c->anthropic_model, e))
        return fail_context(e, "ANTHROPIC_*");
    if ((c->openai_api_key || c->openai_base_url_given) &&
        model_set_add(set, "openai", c->openai_base_url, c->openai_api_key, c->openai_model, e))
        return fail_context(e, "OPENAI_*");
    return OK;
}

/* --- what the parts call each other for --- */

static void on_stored(void *arg, bool tap)
{
    struct program *p = arg;
    store_hint(p->store, tap ? HINT_TAPS : HINT_INBOX); /* wakes our own workers too */
}

static void on_settled(void *arg, const struct turn_report *report)
{
    struct program *p = arg;
    if (report->asked) /* an agent may be waiting for this very moment: first */
        store_hint(p->store, HINT_REQUESTS);
    store_hint(p->store, HINT_OUTBOX);
}

static void on_clock(void *arg)
{
    struct program *p = arg;
    workers_wake(p->workers, false);
    workers_wake(p->workers, true);
    store_hint(p->store, HINT_REQUESTS);
    store_hint(p->store, HINT_OUTBOX);
}

static void on_hint(enum hint hint, void *arg)
{
    struct program *p = arg;
    if (hint == HINT_INBOX || hint == HINT_TAPS)
        workers_wake(p->workers, hint == HINT_TAPS);
    if (hint == HINT_OUTBOX || hint == HINT_ROWS) /* every turn that changes rows has something to say */
        lane_wake(p->lane);
}

static const char *bot_username(void *arg)
{
    struct program *p = arg;
    struct registrar *r = p->registrar;
    const char *name = r ? telegram_username(r) : "";
    return *name ? name : NULL;
}

static int64_t bot_id(void *arg)
{
    struct program *p = arg;
    return p->registrar ? telegram_bot_id(p->registrar) : 0;
}

static enum status echo(void *arg, struct db *db, struct arena *a, const struct incoming *in, const char *update_key,
                        struct error *e)
{
    struct program *p = arg;
    return console_echo(p->console, db, a, in, update_key, e);
}

static void typing(void *arg, const struct incoming *in, bool on)
{
    struct program *p = arg;
    if (strcmp(in->channel, "console") == 0)
        console_typing(p->console, in, on);
    else
        typing_set(p->typing, in->channel, in->chat_id, in->thread_id, on);
}

/* --- up --- */

/* Does the address lead to this machine through a proxy, and not straight to it? */
static bool is_elsewhere(const char *url)
{
    static const char *const own[] = { "127.", "localhost", "[::1]" };
    const char *host = url ? strstr(url, "://") : NULL;
    for (size_t i = 0; host && i < sizeof own / sizeof own[0]; i++)
        if (strncmp(host + 3, own[i], strlen(own[i])) == 0)
            return false;
    return host != NULL;
}

static enum status load_key(struct db *db, void *arg, struct error *e)
{
    return ask_key(db, arg, e);
}

/* Where agents' cards go, who may answer them, and what their buttons are signed with. */
static enum status setup_agents(struct program *p, struct error *e)
{
    struct ask_settings s = { .telegram = p->telegram != NULL,
                              .notify_chat_id = p->config.notify_chat_id,
                              .allowed = p->config.telegram_user_id,
                              .allowed_count = p->config.telegram_user_count,
                              .zone = p->config.zone };
    if (store_write(p->store, load_key, s.key, e))
        return e->status;
    ask_setup(&s);
    return OK;
}

static enum status start_web(struct program *p, struct error *e)
{
    struct server_options o = { .bind = p->config.bind,
                                .port = p->config.port,
                                .notify_secret = p->config.notify_secret,
                                .public = is_elsewhere(p->config.public_url) };
    p->server = server_new(&o);
    p->webhook = (struct webhook){ .secret = p->config.telegram_bot_token ? p->config.webhook_secret : NULL,
                                   .intake = p->intake };
    webhook_register(&p->webhook, p->server);
    struct console_options co = { .store = p->store, .intake = p->intake, .password = p->config.console_password };
    if (console_new(&co, p->server, &p->console, e))
        return e->status;
    messenger_add(&p->messengers, console_messenger(p->console));
    messenger_add(&p->console_only, console_messenger(p->console));
    if (agents_start(p->store, p->server, &p->agents, e))
        return e->status;
    if (health_start(p->server, p->store, mode_of(&p->config), &p->health, e))
        return e->status;
    p->metrics = metrics_new(p->server);
    p->sampler = sampler_new(p->store, p->health, p->metrics);
    report_register(p);
    return OK;
}

static enum status start_telegram(struct program *p, struct error *e)
{
    static struct telegram_command menu[MENU_MAX];
    size_t n = 0;
    if (!p->telegram)
        return OK;
    for (const struct command_info *c = command_menu(); c->name && n < MENU_MAX; c++)
        menu[n++] = (struct telegram_command){ c->name, c->description };
    struct registrar_options o = { .telegram = p->telegram,
                                   .public_url = p->config.public_url,
                                   .secret = p->config.webhook_secret,
                                   .commands = menu,
                                   .command_count = n };
    struct registrar *registrar;
    if (registrar_start(&o, &registrar, e))
        return e->status;
    p->registrar = registrar;
    if (p->config.public_url)
        return OK;
    struct poller_options po = { .telegram = p->telegram, .store = p->store, .stored = on_stored, .arg = p };
    struct poller *poller;
    if (poller_start(&po, &poller, e))
        return e->status;
    p->poller = poller;
    return OK;
}

static enum status start_pipeline(struct program *p, struct error *e)
{
    struct sender_options console = {
        .store = p->store, .messengers = &p->console_only, .threads = 1, .name = "console sender"
    };
    struct sender_options telegram = { .store = p->store,
                                       .messengers = &p->telegram_only,
                                       .threads = p->config.local_bot_api ? SENDER_THREADS : SENDER_THREADS_CLOUD,
                                       .name = "sender" };
    if (typing_start(&p->messengers, &p->typing, e) || sender_start(&console, &p->console_sender, e))
        return e->status;
    if (p->telegram && sender_start(&telegram, &p->sender, e))
        return e->status;
    struct worker_options wo = {
        .env = { .store = p->store,
                 .models = &p->models,
                 .allowed = p->config.telegram_user_id,
                 .allowed_count = p->config.telegram_user_count,
                 .zone = p->config.zone,
                 .embedding_url = p->config.embedding_server ? p->config.embedding_base_url : NULL,
                 .daily_token_limit = p->config.daily_token_limit,
                 .arg = p,
                 .bot_username = bot_username,
                 .bot_id = bot_id,
                 .echo = echo,
                 .typing = typing },
        .settled = on_settled,
        .settled_arg = p,
        .intake = p->intake,
    };
    if (workers_start(&wo, &p->workers, e))
        return e->status;
    struct scheduler_options sc = { .store = p->store,
                                    .zone = p->config.zone,
                                    .people = { .telegram = p->telegram != NULL,
                                                .telegram_ids = p->config.telegram_user_id,
                                                .count = p->config.telegram_user_count },
                                    .woke = on_clock,
                                    .arg = p };
    return scheduler_start(&sc, &p->scheduler, e);
}

static enum status program_start(struct program *p, struct error *e)
{
    struct store_options so = { .url = p->config.database_url, .exclusive = true };
    http_global_init(p->config.ssl_cert_file);
    if (models_from_config(&p->config, &p->models, e) || store_open(&so, &p->store, e))
        return e->status;
    if (p->config.telegram_bot_token) {
        p->telegram = telegram_new(p->config.telegram_api_base, p->config.telegram_bot_token, p->config.local_bot_api);
        telegram_messenger_init(p->telegram, &p->telegram_messenger);
        messenger_add(&p->messengers, &p->telegram_messenger);
        messenger_add(&p->telegram_only, &p->telegram_messenger);
    }
    if (setup_agents(p, e))
        return e->status;
    if (intake_start(p->store, &p->intake, e) || lane_start(p->store, &p->config, p->intake, &p->lane, e) ||
        start_web(p, e) || start_pipeline(p, e))
        return e->status;
    store_on_hint(p->store, on_hint, p); /* senders and the console listen for themselves */
    intake_on_stored(p->intake, on_stored, p);
    server_on_round(p->server, intake_flush, p->intake);
    if (server_start(p->server, e)) /* last: nothing comes in before everything stands */
        return e->status;
    return start_telegram(p, e);
}

/* --- down --- */

static void program_stop(struct program *p)
{
    if (p->server)
        server_drain(p->server, DRAIN_MS / 2);
    agents_stop(p->agents);
    poller_stop(p->poller);
    intake_stop(p->intake);
    scheduler_stop(p->scheduler);
    workers_stop(p->workers);
    lane_stop(p->lane);
    typing_stop(p->typing);
    if (p->console_sender)
        sender_stop(p->console_sender);
    if (p->sender)
        sender_stop(p->sender);
    registrar_stop(p->registrar);
    console_stop(p->console);
    health_stop(p->health);
    store_close(p->store);
    workers_free(p->workers);
    lane_free(p->lane);
    intake_free(p->intake);
    sender_free(p->console_sender);
    sender_free(p->sender);
    if (p->server)
        server_free(p->server);
    console_free(p->console);
    agents_free(p->agents);
    if (p->metrics)
        metrics_free(p->metrics);
    sampler_free(p->sampler);
    health_free(p->health);
    if (p->telegram)
        telegram_free(p->telegram);
}

static void block_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, set, NULL); /* inherited by every thread: only sigwait() below sees them */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file-size limit is a full disk: an error of the write, not our end */
}

static int wait_for_signal(const sigset_t *set)
{
    int sig = 0;
    do
        sigwait(set, &sig);
    while (sig == SIGHUP); /* a closed terminal is no reason to stop */
    return sig;
}

/* A stop that hangs (a dead file system, a stuck resolver) must not outlast the platform's patience: everything is on
 * disk. */
static void stop_at_the_latest(void)
{
    alarm(DRAIN_MS / 1000 + 4);
}

int cmd_serve(int argc, char **argv)
{
    sigset_t signals;
    struct error e = { 0 };
    (void)argc, (void)argv;
    struct arena *arena = arena_new();
    struct program *p = arena_alloc(arena, sizeof *p);
    footprint_init();
    block_signals(&signals);
    enum status s = config_load(&p->config, arena, &e);
    if (s == OK)
        s = program_start(p, &e);
    if (s) {
        fprintf(stderr, "steward: cannot start: %s\n", e.text);
    } else {
        report_banner(p, mode_of(&p->config));
        footprint_trim();
        int sig = wait_for_signal(&signals);
        log_event(LOG_INFO, "stopping", F_STR("signal", sig == SIGINT ? "SIGINT" : "SIGTERM"));
        stop_at_the_latest();
    }
    program_stop(p);
    if (s == OK)
        log_event(LOG_INFO, "stopped", F_STR("mode", "clean"));
    arena_free(arena);
    return s ? 1 : 0;
}
