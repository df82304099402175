/* SPDX-License-Identifier: MIT
 * health: the checking thread and the answer. */
#include "bot/health.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/thread.h"
#include "bot/auth.h"
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHECK_INTERVAL_MS = 1000,
    CHECK_STALE_MS = 5000, /* a check that has not come back for so long: the database hangs */
};

struct health {
    struct store *store;
    const char *mode;
    struct health_part part[HEALTH_PARTS_MAX];
    int part_count;
    pthread_t thread;
    bool joined;
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t wake;
    bool stopping;
    enum status database;
    char error[ERROR_TEXT_BYTES_MAX];
    int64_t checked_ms, elapsed_us; /* monotonic; of the last check that came back */
    void (*on_check)(void *arg);    /* NULL = nobody */
    void *on_check_arg;
};

static void check(struct health *h)
{
    struct error e = { 0 };
    int64_t begin_us = clock_mono_us();
    enum status s = store_check(h->store, &e);
    pthread_mutex_lock(&h->lock);
    h->database = s;
    log_mask(s == OK ? "" : e.text, h->error, sizeof h->error);
    h->checked_ms = clock_mono_ms();
    h->elapsed_us = clock_mono_us() - begin_us;
    void (*fn)(void *) = s == OK ? h->on_check : NULL;
    pthread_mutex_unlock(&h->lock);
    if (fn)
        fn(h->on_check_arg);
}

static void *check_main(void *arg)
{
    struct health *h = arg;
    pthread_mutex_lock(&h->lock);
    while (!h->stopping) {
        pthread_mutex_unlock(&h->lock);
        check(h);
        pthread_mutex_lock(&h->lock);
        int64_t next_ms = clock_mono_ms() + CHECK_INTERVAL_MS;
        while (!h->stopping && condition_wait_until(&h->wake, &h->lock, next_ms))
            continue;
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

/* true: the database answers. */
static bool report_database(void *arg, struct json_object *section, struct error *why)
{
    struct health *h = arg;
    pthread_mutex_lock(&h->lock);
    bool stale = clock_mono_ms() - h->checked_ms > CHECK_STALE_MS;
    bool ok = h->database == OK && !stale;
    if (stale)
        (void)fail(why, ST_UNAVAILABLE, "The database has not answered for %d seconds", CHECK_STALE_MS / 1000);
    else if (!ok)
        (void)fail(why, h->database, "The database is away: %s", h->error);
    json_set_str(section, "kind", store_kind(h->store) == DB_SQLITE ? "sqlite" : "postgres");
    json_set_bool(section, "ok", ok);
    if (ok)
        json_set_num(section, "ms", (double)h->elapsed_us / 1000);
    else
        json_set_str(section, "error", why->text);
    pthread_mutex_unlock(&h->lock);
    return ok;
}

/* An error's words name hosts, users and files: they are for who sits at this machine.  The log has them too. */
static void tell_less(struct json_object *o, struct json_object *section[], int count, const char *ill)
{
    for (int i = 0; i < count; i++) {
        json_object_object_del(section[i], "error");
        json_object_object_del(section[i], "last_delivery_error");
    }
    if (ill)
        json_object_object_add(o, "reason", json_object_new_string(ill));
}

static void on_health(struct request *r, void *arg)
{
    struct health *h = arg;
    struct json_object *o = json_object_new_object(), *section[HEALTH_PARTS_MAX];
    struct error why = { 0 };
    bool healthy = true;
    const char *ill = NULL;
    for (int i = 0; i < h->part_count; i++) {
        struct error other = { 0 };
        section[i] = json_object_new_object();
        if (!h->part[i].report(h->part[i].arg, section[i], &other) && healthy) {
            why = other;
            ill = h->part[i].name;
            healthy = false;
        }
    }
    json_set_str(o, "status", healthy ? "healthy" : "unhealthy");
    if (!healthy)
        json_set_str(o, "reason", why.text);
    json_set_str(o, "mode", h->mode);
    json_set_str(o, "version", STEWARD_VERSION);
    for (int i = 0; i < h->part_count; i++)
        json_set(o, h->part[i].name, section[i]);
    if (!request_from_here(r) || !request_host_is_local(r))
        tell_less(o, section, h->part_count, ill);
    request_json(r, healthy ? 200 : 503, o);
}

enum status health_start(struct server *s, struct store *store, const char *mode, struct health **out, struct error *e)
{
    static const struct route rows[] = {
        { "GET", "/health", auth_none, on_health },
        { 0 },
    };
    struct health *h = xcalloc(1, sizeof *h);
    h->store = store;
    h->mode = mode;
    pthread_mutex_init(&h->lock, NULL);
    condition_init(&h->wake);
    health_add(h, &(struct health_part){ "database", report_database, h });
    check(h); /* so that the first answer is true */
    if (thread_start(&h->thread, &(struct thread_start){ .name = "health", .run = check_main, .arg = h }, e)) {
        free(h);
        return e->status;
    }
    server_routes(s, rows, h);
    *out = h;
    return OK;
}

void health_add(struct health *h, const struct health_part *part)
{
    assert(h->part_count < HEALTH_PARTS_MAX);
    h->part[h->part_count++] = *part;
}

void health_on_check(struct health *h, void (*fn)(void *arg), void *arg)
{
    pthread_mutex_lock(&h->lock);
    h->on_check_arg = arg;
    h->on_check = fn;
    pthread_mutex_unlock(&h->lock);
}

void health_stop(struct health *h)
{
    if (!h || h->joined)
        return;
    pthread_mutex_lock(&h->lock);
    h->stopping = true;
    pthread_cond_signal(&h->wake);
    pthread_mutex_unlock(&h->lock);
    pthread_join(h->thread, NULL);
    h->joined = true;
}

void health_free(struct health *h)
{
    if (!h)
        return;
    health_stop(h);
    pthread_cond_destroy(&h->wake);
    pthread_mutex_destroy(&h->lock);
    free(h);
}
