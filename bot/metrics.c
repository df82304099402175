/* SPDX-License-Identifier: MIT
 * metrics: the registry and the page.  Loop thread. */
#include "bot/metrics.h"

#include "base/buf.h"
#include "base/limits.h"
#include "bot/auth.h"
#include "bot/metrics_process.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { METRICS_PAGE_BYTES_MAX = 256 * KIB }; /* a few hundred rows of about 100 bytes */

struct metrics {
    struct server *server;
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

/* HELP and TYPE come once, before the first row of a name. */
static void put_head(struct metrics_page *p, const char *type, const char *name, const char *help)
{
    if (!p->name || strcmp(p->name, name) != 0)
        buf_printf(&p->text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
    p->name = name;
}

static void put_row(struct metrics_page *p, const char *type, const char *name, const char *help, const char *labels,
                    double value)
{
    put_head(p, type, name, help);
    buf_printf(&p->text, "%s%s%s%s %.17g\n", name, labels ? "{" : "", labels ? labels : "", labels ? "}" : "", value);
}

void metrics_histogram(struct metrics_page *p, const char *name, const char *help, const char *labels,
                       const struct histogram *h)
{
    const char *comma = labels ? "," : "";
    unsigned long long count = 0;
    put_head(p, "histogram", name, help);
    labels = labels ? labels : "";
    for (int i = 0; i <= HISTOGRAM_BOUNDS; i++) {
        count += atomic_load_explicit(&h->bucket[i], memory_order_relaxed);
        if (i < HISTOGRAM_BOUNDS)
            buf_printf(&p->text, "%s_bucket{%s%sle=\"%g\"} %llu\n", name, labels, comma,
                       (double)histogram_bound_us[i] / 1e6, count);
        else
            buf_printf(&p->text, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", name, labels, comma, count);
    }
    const char *open = *labels ? "{" : "", *close = *labels ? "}" : "";
    buf_printf(&p->text, "%s_sum%s%s%s %.17g\n", name, open, labels, close,
               (double)atomic_load_explicit(&h->sum_us, memory_order_relaxed) / 1e6);
    buf_printf(&p->text, "%s_count%s%s%s %llu\n", name, open, labels, close, count);
}

static void put_label(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, "%s%s=\"", out->len ? "," : "", name);
    for (const char *v = value; *v; v++) {
        if (*v == '"' || *v == '\\')
            buf_putc(out, '\\');
        buf_putc(out, (unsigned char)*v < ' ' ? ' ' : *v);
    }
    buf_putc(out, '"');
}

const char *metrics_labels_of(char out[METRICS_LABELS_BYTES], const char *const *names_and_values)
{
    out[0] = '\0';
    for (const char *const *l = names_and_values; l[0]; l += 2) {
        struct buf text = BUF_INIT(METRICS_LABELS_BYTES - 1);
        buf_puts(&text, out);
        put_label(&text, l[0], l[1]);
        if (!text.overflow)
            memcpy(out, buf_str(&text), text.len + 1);
        buf_release(&text);
    }
    return out;
}

void metrics_counter(struct metrics_page *p, const char *name, const char *help, const char *labels, double value)
{
    put_row(p, "counter", name, help, labels, value);
}

void metrics_gauge(struct metrics_page *p, const char *name, const char *help, const char *labels, double value)
{
    put_row(p, "gauge", name, help, labels, value);
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
    metrics_counter(p, "steward_http_shed_total", "Connections closed because unanswered input filled its memory", NULL,
                    (double)c.shed);
    metrics_counter(p, "steward_http_wrong_secrets_total", "Requests with a wrong bearer or webhook secret", NULL,
                    (double)c.wrong_secrets);
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
    metrics_process(&p);
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
