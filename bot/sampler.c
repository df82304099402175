/* SPDX-License-Identifier: MIT
 * sampler: see sampler.h. */
#include "bot/sampler.h"

#include "base/arena.h"
#include "base/clock.h"
#include "store/queue_depth.h"
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    WANTED_MS = 5 * 60000, /* after the last scrape: Prometheus asks every 15 s to 2 min */
    STALE_MS = 10000,      /* older figures are not shown: the database is away */
};

struct sampler {
    struct store *store;
    const struct sampler_row *row[SAMPLER_ROWS_MAX];
    _Atomic int count;                   /* grows while the thread reads */
    pthread_mutex_t lock;                /* guards what follows */
    int64_t wanted_until_ms, read_at_ms; /* monotonic; read_at 0 = never */
    double value[SAMPLER_ROWS_MAX];
    int known; /* rows that were read: all, unless one of them failed */
};

/* --- the rows --- */

static enum status read_inbox(struct db *db, const char *lane, int64_t now_ms, double *value, struct error *e)
{
    int64_t rows = 0;
    (void)now_ms;
    enum status st = inbox_depth(db, strcmp(lane, "taps") == 0, &rows, e);
    *value = (double)rows;
    return st;
}

static enum status read_inbox_age(struct db *db, const char *lane, int64_t now_ms, double *value, struct error *e)
{
    int64_t ms = 0;
    enum status st = inbox_overdue_ms(db, strcmp(lane, "taps") == 0, now_ms, &ms, e);
    *value = (double)ms / 1000;
    return st;
}

static enum status read_parked(struct db *db, const char *arg, int64_t now_ms, double *value, struct error *e)
{
    int64_t rows = 0;
    (void)arg, (void)now_ms;
    enum status st = inbox_parked(db, &rows, e);
    *value = (double)rows;
    return st;
}

static enum status read_outbox(struct db *db, const char *channel, int64_t now_ms, double *value, struct error *e)
{
    int64_t rows = 0;
    (void)now_ms;
    enum status st = outbox_depth(db, channel, &rows, e);
    *value = (double)rows;
    return st;
}

static enum status read_outbox_age(struct db *db, const char *channel, int64_t now_ms, double *value, struct error *e)
{
    int64_t ms = 0;
    enum status st = outbox_overdue_ms(db, channel, now_ms, &ms, e);
    *value = (double)ms / 1000;
    return st;
}

static enum status read_agents(struct db *db, const char *arg, int64_t now_ms, double *value, struct error *e)
{
    int64_t rows = 0;
    (void)arg, (void)now_ms;
    enum status st = requests_open(db, &rows, e);
    *value = (double)rows;
    return st;
}

static const char inbox_help[] = "Messages received and not done with (counted up to 10000)";
static const char inbox_age_help[] = "How long the received message that waits longest is overdue";
static const char outbox_help[] = "Messages to send (counted up to 10000)";
static const char outbox_age_help[] = "How long the message to send that waits longest is overdue";
static const struct sampler_row queue_rows[] = {
    { "steward_inbox_waiting", inbox_help, "lane=\"messages\"", read_inbox, "messages" },
    { "steward_inbox_waiting", inbox_help, "lane=\"taps\"", read_inbox, "taps" },
    { "steward_inbox_overdue_seconds", inbox_age_help, "lane=\"messages\"", read_inbox_age, "messages" },
    { "steward_inbox_overdue_seconds", inbox_age_help, "lane=\"taps\"", read_inbox_age, "taps" },
    { "steward_inbox_parked", "Messages set aside after repeated crashes", NULL, read_parked, NULL },
    { "steward_outbox_waiting", outbox_help, "channel=\"telegram\"", read_outbox, "telegram" },
    { "steward_outbox_waiting", outbox_help, "channel=\"console\"", read_outbox, "console" },
    { "steward_outbox_overdue_seconds", outbox_age_help, "channel=\"telegram\"", read_outbox_age, "telegram" },
    { "steward_outbox_overdue_seconds", outbox_age_help, "channel=\"console\"", read_outbox_age, "console" },
    { "steward_agents_waiting", "Questions of agents that nobody has answered yet", NULL, read_agents, NULL },
};

/* --- reading: the health check's thread --- */

static int read_rows(struct sampler *s, struct db *db, double *value)
{
    struct error e = { 0 };
    int64_t now_ms;
    int i = 0;
    if (db_now_ms(db, &now_ms, &e) != OK)
        return 0;
    while (i < s->count && s->row[i]->read(db, s->row[i]->arg, now_ms, &value[i], &e) == OK)
        i++;
    return i;
}

static void sample(void *arg)
{
    struct sampler *s = arg;
    double value[SAMPLER_ROWS_MAX];
    struct error e = { 0 };
    struct db *db;
    pthread_mutex_lock(&s->lock);
    bool wanted = clock_mono_ms() < s->wanted_until_ms;
    pthread_mutex_unlock(&s->lock);
    if (!wanted || store_read_begin(s->store, &db, &e) != OK)
        return; /* an outage is the health check's story */
    int known = read_rows(s, db, value);
    store_read_end(s->store, db);
    pthread_mutex_lock(&s->lock);
    s->known = known;
    s->read_at_ms = clock_mono_ms();
    memcpy(s->value, value, sizeof *value * (size_t)known);
    pthread_mutex_unlock(&s->lock);
}

/* --- showing: the loop thread --- */

static void collect(void *arg, struct metrics_page *p)
{
    struct sampler *s = arg;
    int64_t now_ms = clock_mono_ms();
    pthread_mutex_lock(&s->lock);
    s->wanted_until_ms = now_ms + WANTED_MS;
    bool fresh = s->read_at_ms && now_ms - s->read_at_ms < STALE_MS;
    for (int i = 0; fresh && i < s->known; i++)
        metrics_gauge(p, s->row[i]->name, s->row[i]->help, s->row[i]->labels, s->value[i]);
    pthread_mutex_unlock(&s->lock);
}

struct sampler *sampler_new(struct store *store, struct health *health, struct metrics *metrics)
{
    struct sampler *s = xcalloc(1, sizeof *s);
    s->store = store;
    s->wanted_until_ms = clock_mono_ms() + WANTED_MS; /* so that a first scrape finds figures */
    pthread_mutex_init(&s->lock, NULL);
    sampler_add(s, queue_rows, sizeof queue_rows / sizeof *queue_rows);
    health_on_check(health, sample, s);
    metrics_collect(metrics, collect, s);
    return s;
}

void sampler_add(struct sampler *s, const struct sampler_row *rows, int count)
{
    assert(s->count + count <= SAMPLER_ROWS_MAX);
    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < count; i++)
        s->row[s->count + i] = &rows[i];
    s->count += count;
    pthread_mutex_unlock(&s->lock);
}

void sampler_free(struct sampler *s)
{
    if (!s)
        return;
    pthread_mutex_destroy(&s->lock);
    free(s);
}
