/* SPDX-License-Identifier: MIT
 * request: reading a request and answering it.  Loop thread; never blocks. */
#include "bot/loop.h"

#include "base/json.h"
#include "base/limits.h"
#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char answer_type[] = "application/json; charset=utf-8";

/* The request's memory is being cleared: answered, or the client is gone. */
static void request_gone(void *memory)
{
    struct request *r = memory;
    if (r->deferred)
        deferred_request_gone(r->deferred);
    if (r->stream)
        stream_request_gone(r->stream);
    arena_free(r->arena);
    atomic_fetch_sub(&r->server->requests_now, 1);
}

struct request *request_new(struct server *s, h2o_req_t *h2o)
{
    struct request *r = h2o_mem_alloc_shared(&h2o->pool, sizeof *r, request_gone);
    *r = (struct request){ .h2o = h2o, .server = s };
    atomic_fetch_add(&s->requests_now, 1);
    return r;
}

int request_fd(const struct request *r)
{
    return h2o_socket_get_fd(r->h2o->conn->callbacks->get_socket(r->h2o->conn));
}

/* --- reading --- */

struct slice request_method(const struct request *r)
{
    return (struct slice){ r->h2o->method.base, r->h2o->method.len };
}

struct slice request_body(const struct request *r)
{
    return (struct slice){ r->h2o->entity.base ? r->h2o->entity.base : "", r->h2o->entity.len };
}

static bool header_is(const h2o_header_t *h, const char *name)
{
    return h->name && h->name->len == strlen(name) && memcmp(h->name->base, name, h->name->len) == 0;
}

const char *request_header(struct request *r, const char *name)
{
    h2o_headers_t *h = &r->h2o->headers;
    for (size_t i = 0; i < h->size; i++)
        if (header_is(&h->entries[i], name))
            return h2o_strdup(&r->h2o->pool, h->entries[i].value.base, h->entries[i].value.len).base;
    return NULL;
}

const char *request_header_last(struct request *r, const char *name)
{
    h2o_headers_t *h = &r->h2o->headers;
    for (size_t i = h->size; i-- > 0;)
        if (header_is(&h->entries[i], name))
            return h2o_strdup(&r->h2o->pool, h->entries[i].value.base, h->entries[i].value.len).base;
    return NULL;
}

static const char *query_value(struct request *r, const char *value, size_t len)
{
    char *plain = h2o_mem_alloc_pool(&r->h2o->pool, len + 1), *out = plain;
    for (size_t i = 0; i < len; i++) {
        unsigned byte;
        if (value[i] == '%' && i + 2 < len && isxdigit((unsigned char)value[i + 1]) &&
            isxdigit((unsigned char)value[i + 2]) && sscanf(value + i + 1, "%2x", &byte) == 1 && byte != 0) {
            *out++ = (char)byte;
            i += 2;
        } else {
            *out++ = value[i] == '+' ? ' ' : value[i];
        }
    }
    *out = '\0';
    return plain;
}

const char *request_query(struct request *r, const char *name)
{
    if (r->h2o->query_at == SIZE_MAX)
        return NULL;
    const char *p = r->h2o->path.base + r->h2o->query_at + 1, *end = r->h2o->path.base + r->h2o->path.len;
    size_t name_len = strlen(name);
    while (p < end) {
        const char *stop = memchr(p, '&', (size_t)(end - p));
        if (!stop)
            stop = end;
        if ((size_t)(stop - p) > name_len && p[name_len] == '=' && memcmp(p, name, name_len) == 0)
            return query_value(r, p + name_len + 1, (size_t)(stop - p) - name_len - 1);
        p = stop + 1;
    }
    return NULL;
}

const char *request_host(struct request *r)
{
    return h2o_strdup(&r->h2o->pool, r->h2o->authority.base, r->h2o->authority.len).base;
}

struct server *request_server(const struct request *r)
{
    return r->server;
}

struct arena *request_arena(struct request *r)
{
    if (!r->arena)
        r->arena = arena_new();
    return r->arena;
}

struct json_object *request_json_body(struct request *r)
{
    static const char wanted[] = "application/json";
    const char *type = request_header(r, "content-type");
    if (!type || strncasecmp(type, wanted, sizeof wanted - 1) != 0 || isalnum((unsigned char)type[sizeof wanted - 1])) {
        request_error(r, 415, "The body must be JSON with Content-Type: application/json");
        return NULL;
    }
    struct error e;
    struct json_object *o = NULL;
    struct slice body = request_body(r);
    if (json_parse_in(request_arena(r), body.data, body.len, &o, &e) != OK) {
        request_error(r, 400, "%s", e.text);
        return NULL;
    }
    if (!json_object_is_type(o, json_type_object)) {
        request_error(r, 400, "The body must be a JSON object");
        return NULL;
    }
    return o;
}

/* --- answering --- */

const char *http_reason(int code)
{
    static const struct {
        int code;
        const char *reason;
    } rows[] = {
        { 200, "OK" },
        { 202, "Accepted" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 409, "Conflict" },
        { 413, "Content Too Large" },
        { 415, "Unsupported Media Type" },
        { 417, "Expectation Failed" },
        { 429, "Too Many Requests" },
        { 500, "Internal Server Error" },
        { 503, "Service Unavailable" },
        { 504, "Gateway Timeout" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].code == code)
            return rows[i].reason;
    return code < 400 ? "OK" : "Error";
}

static bool header_is_plain(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return false;
    return true;
}

void request_set_header(struct request *r, const char *name, const char *value)
{
    assert(!r->answered);
    if (!header_is_plain(value))
        return;
    h2o_iovec_t v = h2o_strdup(&r->h2o->pool, value, SIZE_MAX);
    h2o_iovec_t n = h2o_strdup(&r->h2o->pool, name, SIZE_MAX);
    if (strcmp(name, "cache-control") == 0)
        r->cache_control_set = true;
    h2o_add_header_by_str(&r->h2o->pool, &r->h2o->res.headers, n.base, n.len, 1, NULL, v.base, v.len);
}

static void begin(struct request *r, int code)
{
    assert(!r->answered);
    r->answered = true;
    r->h2o->res.status = code;
    r->h2o->res.reason = http_reason(code);
    if (r->server->draining)
        r->h2o->http1_is_persistent = 0;
    if (code >= 100 && code < 600)
        atomic_fetch_add(&r->server->answers[code / 100], 1);
}

void request_begin_answer(struct request *r, int code, const char *type)
{
    h2o_mem_pool_t *pool = &r->h2o->pool;
    h2o_headers_t *headers = &r->h2o->res.headers;
    if (strcmp(type, answer_type) == 0)
        h2o_add_header(pool, headers, H2O_TOKEN_CONTENT_TYPE, NULL, H2O_STRLIT(answer_type));
    else
        request_set_header(r, "content-type", type);
    h2o_add_header_by_str(pool, headers, H2O_STRLIT("x-content-type-options"), 0, NULL, H2O_STRLIT("nosniff"));
    if (!r->cache_control_set)
        h2o_add_header(pool, headers, H2O_TOKEN_CACHE_CONTROL, NULL, H2O_STRLIT("no-store"));
    begin(r, code);
}

void request_answer(struct request *r, int code, const char *type, const void *bytes, size_t len)
{
    request_begin_answer(r, code, type);
    r->h2o->res.content_length = len; /* without it libh2o closes the connection after anything but a 200 */
    h2o_send_inline(r->h2o, bytes, len);
}

void request_json(struct request *r, int code, struct json_object *o)
{
    size_t len;
    const char *text =
        json_object_to_json_string_length(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
    request_answer(r, code, answer_type, text, len);
    json_object_put(o);
}

void request_empty(struct request *r, int code)
{
    static h2o_generator_t nothing;
    begin(r, code);
    r->h2o->res.content_length = 0;
    h2o_start_response(r->h2o, &nothing);
    h2o_send(r->h2o, NULL, 0, H2O_SEND_STATE_FINAL); /* a buffer without bytes would be waited for as if it had some */
}

void request_error(struct request *r, int code, const char *fmt, ...)
{
    char text[ERROR_TEXT_BYTES_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    struct json_object *o = json_object_new_object();
    json_set_str(o, "error", text);
    request_json(r, code, o);
}

void request_fail(struct request *r, const struct error *e)
{
    const struct status_row *row = status_row(e->status);
    if (e->status == ST_UNAVAILABLE || e->status == ST_BUSY || e->status == ST_SHUTDOWN)
        request_set_header(r, "retry-after", "2");
    request_error(r, row->http, "%s", e->text[0] ? e->text : row->sentence);
}
