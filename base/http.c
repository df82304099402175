/* SPDX-License-Identifier: MIT
 * http: one blocking HTTP/1.1 call at a time over a kept libcurl handle.
 * Worker and sender threads call it, each with a handle of its own.  What it must get right is whether
 * a failed request may have reached the other side: libcurl reports every byte it has written to
 * the debug callback, and that, not the error code, decides.  It must never print a URL. */
#include "base/http.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include <assert.h>
#include <curl/curl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECT_TIMEOUT_MS = 5000,
    RETRY_AFTER_S_MAX = 7 * 86400, /* longer is nonsense; keeps the milliseconds in range */
    WHERE_BYTES_MAX = 320          /* a host name has at most 253 */
};

struct http {
    CURL *curl;
    char error[CURL_ERROR_SIZE]; /* outlives the call: the handle points to it */
};

/* One http_call(). */
struct call {
    const struct http_request *request;
    struct curl_slist *headers;
    struct buf body; /* of the answer */
    bool idempotent; /* GET, HEAD: may go out twice */
    bool sent;       /* at least one byte of the request went to the connection */
    bool twice;      /* libcurl was stopped from sending it again */
    bool head_whole; /* the blank line after the last header has come */
    char where[WHERE_BYTES_MAX];
};

static char *ca_path;  /* NULL = libcurl's default */
static char *no_proxy; /* set once by http_global_init() */

void http_global_init(const char *ca_file)
{
    static const char loopback[] = "localhost,127.0.0.1,127.0.0.0/8,::1";
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
        fprintf(stderr, "steward: libcurl cannot start\n");
        abort();
    }
    const char *env = getenv("no_proxy");
    env = env ? env : getenv("NO_PROXY");
    struct buf list = BUF_INIT(64 * 1024);
    if (env && strcmp(env, "*") == 0)
        buf_puts(&list, env);
    else
        buf_printf(&list, "%s%s%s", env ? env : "", env && *env ? "," : "", loopback);
    free(no_proxy);
    no_proxy = buf_detach(&list);
    free(ca_path);
    ca_path = ca_file && *ca_file ? xstrdup(ca_file) : NULL;
}

struct http *http_new(void)
{
    struct http *h = xcalloc(1, sizeof *h);
    h->curl = curl_easy_init();
    if (!h->curl) {
        fprintf(stderr, "steward: libcurl cannot make a handle\n");
        abort();
    }
    return h;
}

void http_free(struct http *h)
{
    if (!h)
        return;
    curl_easy_cleanup(h->curl);
    free(h);
}

/* --- callbacks; each gets the struct call --- */

static size_t on_reply_bytes(char *bytes, size_t size, size_t count, void *p)
{
    struct call *c = p;
    buf_put(&c->body, bytes, size * count);
    return c->body.overflow ? 0 : size * count;
}

static size_t on_header_line(char *line, size_t size, size_t count, void *p)
{
    struct call *c = p;
    size_t len = size * count;
    /* An interim answer (1xx) has a head of its own before the real one; trailers come after it. */
    if (len >= 5 && memcmp(line, "HTTP/", 5) == 0)
        c->head_whole = false;
    else if (len > 0 && (line[0] == '\r' || line[0] == '\n'))
        c->head_whole = true;
    return len;
}

/* Connected, and about to send.  On a kept connection that dies without an answer libcurl would send the
 * request again by itself; the first may have been carried out. */
static int on_send(void *p, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
    struct call *c = p;
    (void)remote_ip, (void)local_ip, (void)remote_port, (void)local_port;
    c->twice = c->sent && !c->idempotent;
    return c->twice ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static int on_debug(CURL *curl, curl_infotype type, char *bytes, size_t len, void *p)
{
    struct call *c = p;
    (void)curl;
    /* The CONNECT that asks a proxy for a tunnel is not our request. */
    bool tunnel = type == CURLINFO_HEADER_OUT && len >= 8 && memcmp(bytes, "CONNECT ", 8) == 0;
    if ((type == CURLINFO_HEADER_OUT || type == CURLINFO_DATA_OUT) && len > 0 && !tunnel)
        c->sent = true;
    return 0;
}

static bool is_cancelled(const struct call *c)
{
    return c->request->cancel && __atomic_load_n(c->request->cancel, __ATOMIC_RELAXED);
}

static int on_progress(void *p, curl_off_t dl_total, curl_off_t dl_now, curl_off_t ul_total, curl_off_t ul_now)
{
    (void)dl_total, (void)dl_now, (void)ul_total, (void)ul_now;
    return is_cancelled(p);
}

/* --- the request --- */

/* "https://host:port (last step of the path)": all of a URL that may be told. */
static void describe(CURLU *url, char *out, size_t out_bytes)
{
    char *scheme = NULL, *host = NULL, *port = NULL, *path = NULL;
    curl_url_get(url, CURLUPART_SCHEME, &scheme, 0);
    curl_url_get(url, CURLUPART_HOST, &host, 0);
    curl_url_get(url, CURLUPART_PORT, &port, 0);
    curl_url_get(url, CURLUPART_PATH, &path, 0);
    const char *step = path ? strrchr(path, '/') : NULL;
    /* A path that ends at "/bot<token>" has its secret last. */
    bool tell = step && step[1] && strlen(step + 1) <= 40 && !strchr(step, ':') && !strstr(step, "%3");
    snprintf(out, out_bytes, "%s://%.255s%s%s%s%s%s", scheme ? scheme : "", host ? host : "", port ? ":" : "",
             port ? port : "", tell ? " (" : "", tell ? step + 1 : "", tell ? ")" : "");
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_free(path);
}

static enum status check_url(struct call *c, struct error *e)
{
    CURLU *url = curl_url();
    CURLUcode rc = url ? curl_url_set(url, CURLUPART_URL, c->request->url, 0) : CURLUE_OUT_OF_MEMORY;
    enum status s = OK;
    char *scheme = NULL;
    if (rc == CURLUE_OK)
        rc = curl_url_get(url, CURLUPART_SCHEME, &scheme, 0);
    if (rc != CURLUE_OK)
        s = fail(e, ST_INVALID, "The address of a service is not a valid URL: %s.", curl_url_strerror(rc));
    else if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
        s = fail(e, ST_INVALID, "The address of a service must start with http:// or https://.");
    else
        describe(url, c->where, sizeof c->where);
    curl_free(scheme);
    curl_url_cleanup(url);
    return s;
}

static enum status add_headers(struct call *c, struct error *e)
{
    /* Bodies are small: waiting for "100 Continue" would cost a round trip or a second. */
    c->headers = curl_slist_append(NULL, "Expect:");
    for (const char *const *h = c->request->headers; h && *h; h++) {
        /* Never print it: a key with a line end pasted in lands here. */
        if (strpbrk(*h, "\r\n"))
            return fail(e, ST_INVALID, "%s: a header has a line end in it; check the key in the settings.", c->where);
        struct curl_slist *longer = curl_slist_append(c->headers, *h);
        if (!longer)
            return fail(e, ST_INTERNAL, "%s: out of memory.", c->where);
        c->headers = longer;
    }
    return OK;
}

static void set_method(CURL *curl, struct call *c)
{
    const struct http_request *r = c->request;
    const char *method = r->method ? r->method : r->body ? "POST" : "GET";
    c->idempotent = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    if (r->body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_len);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, r->body);
    }
    if (strcmp(method, "HEAD") == 0)
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    else if (strcmp(method, r->body ? "POST" : "GET") != 0)
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, on_send);
    curl_easy_setopt(curl, CURLOPT_PREREQDATA, c);
}

static void set_bounds(CURL *curl, const struct http_request *r)
{
    int64_t connect_ms = r->connect_timeout_ms > 0 ? r->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
    curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)r->reply_bytes_max);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    /* A hanging name server must not hold the thread past its timeout. */
    curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
}

static void set_options(struct http *h, struct call *c)
{
    CURL *curl = h->curl;
    h->error[0] = '\0';
    curl_easy_setopt(curl, CURLOPT_URL, c->request->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "steward/" STEWARD_VERSION);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, c->headers);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, h->error);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_reply_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header_line);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, c);
    curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, on_debug);
    curl_easy_setopt(curl, CURLOPT_DEBUGDATA, c);
    curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L); /* without it the debug callback is not called */
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, c);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, no_proxy);
    if (ca_path) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, ca_path);
        curl_easy_setopt(curl, CURLOPT_PROXY_CAINFO, ca_path);
    }
    set_bounds(curl, c->request);
    set_method(curl, c);
}

/* --- the answer --- */

static const char *header(CURL *curl, const char *name)
{
    struct curl_header *h;
    return curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &h) == CURLHE_OK ? h->value : NULL;
}

/* A plain count of `unit_ms`; -1 = not a number of zero or more. */
static int64_t read_duration_ms(const char *s, double unit_ms)
{
    char *end;
    double n = strtod(s, &end);
    if (end == s || end[strspn(end, " \t")] != '\0' || !isfinite(n) || n < 0)
        return -1;
    const double most = RETRY_AFTER_S_MAX * 1000.0;
    return (int64_t)(n * unit_ms < most ? ceil(n * unit_ms) : most);
}

static int64_t retry_after_ms(CURL *curl)
{
    const char *s = header(curl, "retry-after-ms");
    int64_t ms = s ? read_duration_ms(s, 1) : -1;
    if (ms >= 0)
        return ms;
    s = header(curl, "retry-after");
    if (!s)
        return -1;
    ms = read_duration_ms(s, 1000);
    if (ms >= 0)
        return ms;
    time_t at = curl_getdate(s, NULL);
    if (at == (time_t)-1)
        return -1;
    ms = (int64_t)at * 1000 - clock_wall_ms();
    return ms < 0 ? 0 : ms < RETRY_AFTER_S_MAX * INT64_C(1000) ? ms : RETRY_AFTER_S_MAX * INT64_C(1000);
}

static void fill_reply(CURL *curl, struct arena *arena, struct call *c, struct http_reply *reply)
{
    long code = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    char *body = arena_alloc(arena, c->body.len + 1);
    if (c->body.len > 0)
        memcpy(body, c->body.data, c->body.len);
    const char *should = header(curl, "x-should-retry");
    const char *type = header(curl, "content-type");
    reply->code = (int)code;
    reply->body = body;
    reply->body_len = c->body.len;
    reply->retry_after_ms = retry_after_ms(curl);
    reply->should_retry = !should ? -1 : strcmp(should, "true") == 0 ? 1 : strcmp(should, "false") == 0 ? 0 : -1;
    reply->content_type = arena_strdup(arena, type ? type : "");
    const char *date = header(curl, "date");
    time_t at = date ? curl_getdate(date, NULL) : -1;
    reply->date_ms = at > 0 ? (int64_t)at * 1000 : 0;
}

static enum status judge(const struct http *h, const struct call *c, CURLcode rc, struct error *e)
{
    long code = 0;
    curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &code);
    if (rc == CURLE_OK && c->head_whole && code >= 200)
        return OK;
    if (rc == CURLE_FILESIZE_EXCEEDED || c->body.overflow)
        return fail(e, ST_LIMIT, "%s: the answer is larger than %zu bytes.", c->where, c->request->reply_bytes_max);
    if (rc == CURLE_ABORTED_BY_CALLBACK && is_cancelled(c))
        return fail(e, ST_SHUTDOWN, "%s: the call was cancelled.", c->where);
    if (c->sent && rc == CURLE_OPERATION_TIMEDOUT)
        return fail(e, ST_UNKNOWN, "%s did not answer within %lld ms.", c->where, (long long)c->request->timeout_ms);
    if (c->twice || rc == CURLE_OK) /* libcurl takes a head that breaks off for a whole one */
        return fail(e, ST_UNKNOWN, "%s did not answer: the connection ended too early.", c->where);
    char why[CURL_ERROR_SIZE];
    log_mask(h->error[0] ? h->error : curl_easy_strerror(rc), why, sizeof why);
    if (!c->sent)
        return fail(e, ST_UNAVAILABLE, "%s cannot be reached: %s.", c->where, why);
    return fail(e, ST_UNKNOWN, "%s did not answer: %s.", c->where, why);
}

/* The call itself; a test may make it fail here (base/fault.h). */
static CURLcode perform(struct http *h, struct call *c)
{
    enum fault_kind fault = fault_next(FAULT_NETWORK, c->where);
    c->sent = fault == FAULT_BEFORE || fault == FAULT_TIMEOUT;
    if (c->sent)
        return fault == FAULT_TIMEOUT ? CURLE_OPERATION_TIMEDOUT : CURLE_SEND_ERROR;
    if (fault == FAULT_ERROR || fault == FAULT_BUSY)
        return CURLE_COULDNT_CONNECT;
    CURLcode rc = curl_easy_perform(h->curl);
    fault_behind(fault);
    return fault == FAULT_AFTER ? CURLE_RECV_ERROR : rc;
}

enum status http_call(struct http *h, struct arena *arena, const struct http_request *request, struct http_reply *reply,
                      struct error *e)
{
    assert(request->timeout_ms > 0 && request->reply_bytes_max > 0 && (request->body || request->body_len == 0));
    struct call c = { .request = request, .body = BUF_INIT(request->reply_bytes_max) };
    int64_t start_ms = clock_mono_ms();
    memset(reply, 0, sizeof *reply);
    enum status s = check_url(&c, e);
    if (s == OK)
        s = add_headers(&c, e);
    if (s == OK && is_cancelled(&c))
        s = fail(e, ST_SHUTDOWN, "%s: the call was cancelled.", c.where);
    if (s == OK) {
        set_options(h, &c);
        s = judge(h, &c, perform(h, &c), e);
        if (s == OK)
            fill_reply(h->curl, arena, &c, reply);
        /* The handle keeps its connections, and none of the pointers into this frame. */
        curl_easy_reset(h->curl);
    }
    if (s == OK)
        reply->elapsed_ms = clock_mono_ms() - start_ms;
    curl_slist_free_all(c.headers);
    buf_release(&c.body);
    return s;
}
