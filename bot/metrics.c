/* SPDX-License-Identifier: MIT
 * metrics: the registry and the page.  Loop thread. */
#include "bot/metrics.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "bot/auth.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { METRICS_PAGE_BYTES_MAX = 256 * KIB }; /* a few hundred rows of about 100 bytes */

struct metrics {
    struct server *server;
    int64_t started_ms;
    int count;
    struct {
        void (*fn)(void *, struct metrics_page *);
        void *arg;
    } collector[METRICS_COLLECTORS_MAX];
};

struct metrics_page {
    struct buf text;
    const char *name; /* of the row before */
};

static void put_row(struct metrics_page *p, const char *type, const char *name, const char *help, const char *labels,
                    double value)
{
    if (!p->name || strcmp(p->name, name) != 0)
        buf_printf(&p->text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
    p->name = name;
    buf_printf(&p->text, "%s%s%s%s %.17g\n", name, labels ? "{" : "", labels ? labels : "", labels ? "}" : "", value);
}

void metrics_counter(struct metrics_page *p, const char *name, const char *help, const char *labels, double value)
{
    put_row(p, "counter", name, help, labels, value);
}

void metrics_gauge(struct metrics_page *p, const char *name, const char *help, const char *labels, double value)
{
    put_row(p, "gauge", name, help, labels, value);
}

/* From procfs, which does not block. */
static double resident_bytes(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f)
        return 0;
    if (fscanf(f, "%*s %ld", &pages) != 1)
        pages = 0;
    fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void collect_process(struct metrics *m, struct metrics_page *p)
{
    metrics_gauge(p, "steward_info", "The version that runs", "version=\"" STEWARD_VERSION "\"", 1);
    metrics_gauge(p, "steward_uptime_seconds", "Since the start", NULL,
                  (double)(clock_mono_ms() - m->started_ms) / 1000);
    metrics_gauge(p, "process_resident_memory_bytes", "Memory held", NULL, resident_bytes());
}

static void collect_server(struct metrics *m, struct metrics_page *p)
{
    struct server_counters c;
    char label[32];
    server_count(m->server, &c);
    metrics_gauge(p, "steward_http_connections", "Open connections", NULL, (double)c.connections);
    metrics_counter(p, "steward_http_connections_total", "Accepted connections", NULL, (double)c.connections_total);
    metrics_counter(p, "steward_http_accept_errors_total", "Connections not accepted for lack of descriptors", NULL,
                    (double)c.accept_errors);
    metrics_gauge(p, "steward_http_requests", "Requests being answered", NULL, (double)c.requests);
    metrics_gauge(p, "steward_http_deferred", "Requests that wait for a commit or an event", NULL, (double)c.deferred);
    metrics_gauge(p, "steward_http_streams", "Open console pages", NULL, (double)c.streams);
    for (int i = 2; i < 6; i++) {
        snprintf(label, sizeof label, "code=\"%dxx\"", i);
        metrics_counter(p, "steward_http_answers_total", "Answers by status", label, (double)c.answers[i]);
    }
}

static void on_metrics(struct request *r, void *arg)
{
    struct metrics *m = arg;
    struct metrics_page p = { .text = BUF_INIT(METRICS_PAGE_BYTES_MAX) };
    collect_process(m, &p);
    collect_server(m, &p);
    for (int i = 0; i < m->count; i++)
        m->collector[i].fn(m->collector[i].arg, &p);
    if (p.text.overflow)
        request_error(r, 500, "The page of metrics grew over %d bytes", METRICS_PAGE_BYTES_MAX);
    else
        request_answer(r, 200, "text/plain; version=0.0.4; charset=utf-8", p.text.data, p.text.len);
    buf_release(&p.text);
}

struct metrics *metrics_new(struct server *s)
{
    static const struct route rows[] = {
        { "GET", "/metrics", auth_local_or_bearer, on_metrics },
        { 0 },
    };
    struct metrics *m = xcalloc(1, sizeof *m);
    m->server = s;
    m->started_ms = clock_mono_ms();
    server_routes(s, rows, m);
    return m;
}

void metrics_free(struct metrics *m)
{
    free(m);
}

void metrics_collect(struct metrics *m, void (*fn)(void *, struct metrics_page *), void *arg)
{
    assert(m->count < METRICS_COLLECTORS_MAX);
    m->collector[m->count].fn = fn;
    m->collector[m->count++].arg = arg;
}
