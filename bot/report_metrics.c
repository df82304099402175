/* SPDX-License-Identifier: MIT
 * report_metrics: reads counters of the parts, on the loop thread, when somebody asks; nothing here blocks.  No label
 * takes its values from messages: channels, paths, outcomes and the configured models are all there are. */
#include "bot/report_metrics.h"

#include "base/clock.h"
#include "bot/agents.h"
#include "bot/embedder.h"
#include "bot/metrics.h"
#include "bot/poller.h"
#include "bot/scheduler.h"
#include "bot/worker.h"
#include "router/price.h"

#include <stdio.h>

/* --- messages --- */

static void put_updates(struct metrics_page *m, const char *source, const char *outcome, int64_t count)
{
    char labels[METRICS_LABELS_BYTES];
    metrics_counter(m, "steward_updates_total", "Updates from Telegram; ignored: of no use to steward, or unreadable",
                    metrics_labels(labels, "source", source, "outcome", outcome), (double)count);
}

static void collect_updates(struct program *p, struct metrics_page *m)
{
    struct poller_state polled = { 0 };
    struct poller *poller = p->poller;
    if (poller)
        poller_state(poller, &polled);
    put_updates(m, "webhook", "accepted", p->webhook.accepted);
    put_updates(m, "webhook", "ignored", p->webhook.ignored);
    put_updates(m, "polling", "accepted", polled.accepted);
    put_updates(m, "polling", "ignored", polled.ignored);
}

static void collect_turns(struct program *p, struct metrics_page *m)
{
    static const char help[] = "How long messages were worked on, by what understood them";
    struct worker_counters w;
    const struct worker_times *times = workers_times(p->workers);
    char labels[METRICS_LABELS_BYTES];
    workers_count(p->workers, &w);
    for (int i = 0; i < WORKER_PATHS; i++)
        metrics_histogram(m, "steward_turn_duration_seconds", help, metrics_labels(labels, "path", worker_path_name[i]),
                          &times->turn[i]);
    metrics_histogram(m, "steward_tool_duration_seconds", "How long the tools of one message took", NULL,
                      &times->tools);
    metrics_counter(m, "steward_turn_failures_total", "Messages that ended in an apology", NULL, (double)w.failed);
    metrics_counter(m, "steward_turn_given_back_total", "Messages given back for a retry", NULL, (double)w.given_back);
    metrics_gauge(m, "steward_intake_queue", "Updates waiting for their commit", NULL, intake_depth(p->intake));
}

static void collect_clockwork(struct program *p, struct metrics_page *m)
{
    struct worker_counters w;
    struct scheduler_counters c;
    workers_count(p->workers, &w);
    scheduler_count(p->scheduler, &c);
    metrics_counter(m, "steward_stale_writes_total", "Late writes refused by the fencing token", NULL,
                    (double)(report_sends(p).lost + w.lost));
    metrics_counter(m, "steward_rescued_total", "Rows of dead workers given back", NULL, (double)c.rescued);
    metrics_counter(m, "steward_parked_total", "Messages set aside after repeated crashes", NULL, (double)c.parked);
    metrics_counter(m, "steward_reminders_total", "Reminders fired", NULL, (double)c.reminders);
    metrics_counter(m, "steward_job_failures_total", "Failed jobs of the scheduler; each is tried again", NULL,
                    (double)c.errors);
}

/* --- sending --- */

static void put_sends(struct metrics_page *m, const char *channel, const struct sender_counters *c)
{
    const struct {
        const char *outcome;
        int64_t count;
    } row[] = { { "sent", c->sent }, { "retried", c->retried }, { "unknown", c->unknown }, { "parked", c->parked } };
    char labels[METRICS_LABELS_BYTES];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        metrics_counter(m, "steward_sends_total", "Messages by what became of an attempt to send them",
                        metrics_labels(labels, "channel", channel, "outcome", row[i].outcome), (double)row[i].count);
}

static void collect_sends(struct program *p, struct metrics_page *m)
{
    struct sender_counters console, telegram = { 0 };
    sender_count(p->console_sender, &console);
    if (p->sender)
        sender_count(p->sender, &telegram);
    put_sends(m, "telegram", &telegram);
    put_sends(m, "console", &console);
    metrics_counter(m, "steward_telegram_floods_total", "429 answers of Telegram", NULL, (double)telegram.floods);
    metrics_counter(m, "steward_telegram_denied_total", "Refusals of the bot token", NULL, (double)telegram.denied);
    metrics_counter(m, "steward_telegram_plain_total", "Messages sent without their formatting, which was refused",
                    NULL, (double)telegram.plain);
    metrics_counter(m, "steward_telegram_migrated_total", "Groups that got a new id", NULL, (double)telegram.migrated);
    metrics_counter(m, "steward_settle_retries_total", "Writes of a send's result that had to be tried again", NULL,
                    (double)(telegram.settle_retries + console.settle_retries));
    if (p->sender)
        metrics_histogram(m, "steward_send_duration_seconds", "How long calls that send took", "channel=\"telegram\"",
                          sender_times(p->sender));
}

/* --- models --- */

/* One endpoint, or the embedding server, as the rows below see it. */
struct served {
    char labels[METRICS_LABELS_BYTES], owner[HOST_BYTES_MAX];
    const char *kind, *model;
    const struct histogram *call;
    int64_t answered, failed;
    struct price_tokens tokens;
};
enum { SERVED_MAX = MODEL_PROVIDERS_MAX + 1 };

static int list_served(struct program *p, struct served out[SERVED_MAX])
{
    int n = 0;
    for (int i = 0; i < p->models.count; i++) {
        struct model_times *t = &p->models.times[i];
        struct served *s = &out[n++];
        *s = (struct served){ .kind = "chat", .model = p->models.endpoint[i].model, .call = &t->call };
        model_owner(&p->models.endpoint[i], s->owner);
        s->answered = t->answered;
        s->failed = t->failed;
        s->tokens = (struct price_tokens){ t->input_tokens, t->cached_tokens, t->output_tokens };
    }
    struct lane_counters c;
    lane_count(p->lane, &c);
    if (!c.builtin) {
        struct served *s = &out[n++];
        *s = (struct served){ .kind = "embedding", .model = c.model, .call = &c.times->call };
        snprintf(s->owner, sizeof s->owner, "%s", c.provider);
        s->answered = c.times->answered;
        s->failed = c.times->failed;
        s->tokens.input = c.times->tokens;
    }
    for (int i = 0; i < n; i++)
        metrics_labels(out[i].labels, "kind", out[i].kind, "provider", out[i].owner, "model", out[i].model);
    return n;
}

static void put_with(struct metrics_page *m, const char *name, const char *help, const struct served *s,
                     const char *label, const char *value, int64_t count)
{
    char labels[METRICS_LABELS_BYTES];
    metrics_counter(m, name, help,
                    metrics_labels(labels, "kind", s->kind, "provider", s->owner, "model", s->model, label, value),
                    (double)count);
}

static void collect_models(struct program *p, struct metrics_page *m)
{
    static const char calls[] = "steward_model_calls_total", tokens[] = "steward_model_tokens_total";
    static const char calls_help[] = "Calls to models and embedding servers, retries within one counted once";
    static const char tokens_help[] = "Tokens of calls; input is what did not come from the provider's cache";
    struct served list[SERVED_MAX];
    int n = list_served(p, list);
    int64_t today = clock_wall_ms() / 86400000;
    for (int i = 0; i < n; i++) {
        put_with(m, calls, calls_help, &list[i], "outcome", "ok", list[i].answered);
        put_with(m, calls, calls_help, &list[i], "outcome", "failed", list[i].failed);
    }
    for (int i = 0; i < n; i++) {
        put_with(m, tokens, tokens_help, &list[i], "type", "input", list[i].tokens.input - list[i].tokens.cached);
        put_with(m, tokens, tokens_help, &list[i], "type", "cached", list[i].tokens.cached);
        put_with(m, tokens, tokens_help, &list[i], "type", "output", list[i].tokens.output);
    }
    for (int i = 0; i < n; i++) {
        double dollars = 0;
        if (price_add(list[i].owner, list[i].model, today, &list[i].tokens, &dollars))
            metrics_counter(m, "steward_model_cost_dollars_total", "Cost of calls by list prices; absent when unknown",
                            list[i].labels, dollars);
    }
    for (int i = 0; i < n; i++)
        metrics_histogram(m, "steward_model_duration_seconds", "How long calls took, retries included", list[i].labels,
                          list[i].call);
}

/* --- rows --- */

static void collect_database(struct program *p, struct metrics_page *m)
{
    static const char help[] =
        "How long a write took to its end, a read to its end, and a flush of SQLite's log to the disk";
    struct store_counters d;
    const struct store_times *times = store_times(p->store);
    store_count(p->store, &d);
    metrics_histogram(m, "steward_database_duration_seconds", help, "kind=\"write\"", &times->write);
    metrics_histogram(m, "steward_database_duration_seconds", help, "kind=\"read\"", &times->read);
    metrics_histogram(m, "steward_database_duration_seconds", help, "kind=\"flush\"", &times->flush);
    metrics_counter(m, "steward_database_commits_total", "Commits; several writes may share one", NULL,
                    (double)d.commits);
    metrics_counter(m, "steward_database_errors_total", "Failed writes, and reads that got no connection", NULL,
                    (double)d.errors);
    metrics_counter(m, "steward_database_reconnects_total", "Connections opened anew after one broke", NULL,
                    (double)d.reconnects);
    metrics_gauge(m, "steward_database_queue", "Writes that wait for SQLite's writer", NULL, (double)d.queue_depth);
}

static void collect_memory(struct program *p, struct metrics_page *m)
{
    struct lane_counters c;
    lane_count(p->lane, &c);
    metrics_gauge(m, "steward_index_items",
                  "Rows in the search index; after a quiet start it is loaded with the first message", NULL,
                  (double)c.recall.documents);
    metrics_gauge(m, "steward_index_vectors", "Vectors in memory", NULL, (double)c.recall.vectors);
    metrics_gauge(m, "steward_index_waiting", "Rows whose vector is missing or stale", NULL, (double)c.recall.wanted);
    metrics_gauge(m, "steward_index_lag_seconds", "How long the row that waits longest for its vector has waited", NULL,
                  (double)c.lag_ms / 1000);
    metrics_gauge(m, "steward_token_limit_reached", "1: DAILY_TOKEN_LIMIT holds models back until midnight", NULL,
                  c.limited);
    metrics_counter(m, "steward_index_embedded_total", "Rows embedded", NULL, (double)c.embedded);
    metrics_counter(m, "steward_index_failures_total", "Failed steps of the embedder", NULL, (double)c.failures);
}

static void collect(void *arg, struct metrics_page *m)
{
    struct program *p = arg;
    collect_updates(p, m);
    collect_turns(p, m);
    collect_clockwork(p, m);
    collect_sends(p, m);
    collect_models(p, m);
    collect_database(p, m);
    collect_memory(p, m);
    metrics_gauge(m, "steward_agents_held", "Polls and hooks of agents that are held", NULL,
                  (double)agents_waiting(p->agents));
}

void report_metrics(struct program *p)
{
    metrics_collect(p->metrics, collect, p);
}
