/* SPDX-License-Identifier: MIT
 * http: outgoing HTTP, the only user of libcurl.
 * One `struct http` per thread keeps its connections; calls block the calling thread and are
 * bounded in time and bytes.  HTTP/1.1; redirects are not followed; the proxy environment is honoured
 * except for loopback.  Errors name scheme, host, port and the last step of the path, never the rest of a URL
 * (Telegram's holds the bot token), a header or a body. */
#ifndef BASE_HTTP_H
#define BASE_HTTP_H

#include "base/arena.h"
#include "base/status.h"
#include <stdint.h>

struct http;

void http_global_init(const char *ca_file); /* once, before threads; reads no_proxy; ca_file NULL = the system's */
struct http *http_new(void);                /* one per thread */
void http_free(struct http *);

struct http_request {
    const char *method; /* "POST"; NULL = POST with a body, else GET */
    const char *url;
    const char *const *headers; /* "name: value", NULL-terminated; NULL = none; a body needs its content-type here */
    const char *body;           /* NULL = none */
    size_t body_len;
    int64_t timeout_ms;         /* whole call; > 0 */
    int64_t connect_timeout_ms; /* 0 = 5000 */
    size_t reply_bytes_max;
    /* When it turns true (set it with __atomic_store_n) the call ends within about a second with ST_SHUTDOWN; NULL =
     * never. */
    const volatile bool *cancel;
};

struct http_reply {
    int code;         /* HTTP status */
    const char *body; /* NUL-terminated, arena-owned */
    size_t body_len;
    int64_t retry_after_ms;   /* from retry-after-ms, retry-after (seconds or date); -1 = none */
    int should_retry;         /* x-should-retry: 1 true, 0 false, -1 absent */
    const char *content_type; /* "" when absent */
    int64_t date_ms;          /* the Date header: the server's clock, in whole seconds; 0 = absent */
    int64_t elapsed_ms;
};

/* OK: an HTTP answer of any code arrived whole.
 * ST_UNAVAILABLE: no byte of the request was sent (name, connect, TLS, proxy failure): safe to repeat.
 * ST_UNKNOWN: sent, or perhaps sent, and no whole answer came.  A request with another method than GET is put on the
 * wire once at most: libcurl's own second try on a stale connection is off for them.
 * ST_LIMIT: the answer is larger than reply_bytes_max.  ST_SHUTDOWN: cancelled (sent or not).
 * ST_INVALID: the URL or a header cannot be sent.  *reply is zeroed unless OK. */
enum status MUST_CHECK http_call(struct http *, struct arena *, const struct http_request *, struct http_reply *,
                                 struct error *);

#endif
