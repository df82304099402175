/* SPDX-License-Identifier: MIT
 * route: judges the head of a request, then finds its row: path, method, permission, size, handler, in this order.
 * The path is compared as it was sent: a proxy that closes an address cannot be talked past with %2f or dot segments.
 * Loop thread. */
#include "bot/loop.h"

#include "base/limits.h"
#include "bot/head.h"
#include <stdio.h>
#include <string.h>

static bool is(h2o_iovec_t v, const char *s)
{
    return v.len == strlen(s) && memcmp(v.base, s, v.len) == 0;
}

/* What stands before the question mark. */
static h2o_iovec_t request_path(const h2o_req_t *h2o)
{
    return h2o_iovec_init(h2o->path.base, h2o->query_at == SIZE_MAX ? h2o->path.len : h2o->query_at);
}

/* libh2o keeps the raw head at the beginning of the connection's input until the request is answered. */
static const char *raw_head_fault(h2o_req_t *h2o)
{
    h2o_buffer_t *in = h2o->conn->callbacks->get_socket(h2o->conn)->input;
    size_t skip = in->size && in->bytes[0] == '\r' ? 2 : 0;
    if (in->size < skip + h2o->method.len || memcmp(in->bytes + skip, h2o->method.base, h2o->method.len) != 0) {
        h2o->http1_is_persistent = 0;
        return "The request's head cannot be read";
    }
    bool chunked;
    const char *fault = head_fault(in->bytes, in->size, &chunked);
    if (fault || chunked)
        h2o->http1_is_persistent = 0;
    return fault;
}

static bool method_fits(const struct route *row, h2o_iovec_t method)
{
    return is(method, row->method) || (is(method, "HEAD") && strcmp(row->method, "GET") == 0);
}

/* "GET, HEAD, POST": false when no row has this path. */
static bool path_methods(const struct server *s, h2o_iovec_t path, char *out, size_t bytes)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < s->route_count; i++) {
        const struct route *row = s->routes[i].row;
        if (!is(path, row->path) || used >= bytes)
            continue;
        const char *head = strcmp(row->method, "GET") == 0 ? ", HEAD" : "";
        used += (size_t)snprintf(out + used, bytes - used, "%s%s%s", used ? ", " : "", row->method, head);
    }
    return used > 0;
}

static void route_missing(struct request *r)
{
    char allow[64];
    if (!path_methods(r->server, request_path(r->h2o), allow, sizeof allow)) {
        request_error(r, 404, "There is nothing at this address");
        return;
    }
    request_set_header(r, "allow", allow);
    request_error(r, 405, "This address answers %s only", allow);
}

int route_dispatch(h2o_handler_t *handler, h2o_req_t *h2o)
{
    struct server *s = H2O_STRUCT_FROM_MEMBER(struct server, ctx, h2o->conn->ctx);
    struct request *r = request_new(s, h2o);
    (void)handler;
    const char *fault = raw_head_fault(h2o);
    if (fault) {
        request_error(r, 400, "%s", fault);
        return 0;
    }
    for (size_t i = 0; i < s->route_count; i++) {
        const struct route_entry *entry = &s->routes[i];
        if (!is(request_path(h2o), entry->row->path) || !method_fits(entry->row, h2o->method))
            continue;
        if (!entry->row->auth(r, entry->arg))
            return 0;
        if (h2o->entity.len > HTTP_BODY_BYTES_MAX)
            request_error(r, 413, "The body has %zu bytes; at most %d are taken", h2o->entity.len, HTTP_BODY_BYTES_MAX);
        else
            entry->row->handle(r, entry->arg);
        return 0;
    }
    route_missing(r);
    return 0;
}

/* --- libh2o's own refusals: broken requests never reach a handler --- */

static h2o_iovec_t refusal_text(int status)
{
    switch (status) {
    case 413:
        return h2o_iovec_init(H2O_STRLIT("{\"error\":\"The body is too large\"}"));
    case 417:
        return h2o_iovec_init(H2O_STRLIT("{\"error\":\"Only the expectation 100-continue is known\"}"));
    default:
        return h2o_iovec_init(H2O_STRLIT("{\"error\":\"This is not a well-formed HTTP request\"}"));
    }
}

static void refusal_send(h2o_ostream_t *self, h2o_req_t *req, h2o_iovec_t *bufs, size_t count, h2o_send_state_t state)
{
    h2o_iovec_t text = refusal_text(req->res.status);
    h2o_ostream_send_next(self, req, count ? &text : bufs, count ? 1 : 0, state);
}

void route_error_filter(h2o_filter_t *self, h2o_req_t *req, h2o_ostream_t **slot)
{
    memset(&req->res.headers, 0, sizeof req->res.headers);
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL,
                   H2O_STRLIT("application/json; charset=utf-8"));
    h2o_add_header_by_str(&req->pool, &req->res.headers, H2O_STRLIT("x-content-type-options"), 1, NULL,
                          H2O_STRLIT("nosniff"));
    req->res.content_length = refusal_text(req->res.status).len;
    h2o_ostream_t *o = h2o_add_ostream(req, sizeof *o, slot);
    o->do_send = refusal_send;
    h2o_setup_next_ostream(req, &o->next);
    (void)self;
}
