/* SPDX-License-Identifier: MIT
 * route: what a handler sees of a request and how it answers.
 * Handlers run on the loop thread and never block: they answer before they return (request_json, request_error …), hand
 * the request to request_defer() (bot/deferred.h), or open a stream (bot/stream.h).  No handler sees the HTTP library.
 *
 *     static const struct route rows[] = {
 *         { "POST", "/send", auth_bearer, on_send },
 *         { 0 },
 *     };
 *     server_routes(server, rows, agents); */
#ifndef BOT_ROUTE_H
#define BOT_ROUTE_H

#include "base/arena.h"
#include "base/status.h"
#include <json-c/json.h>
#include <stddef.h>

struct request;
struct server;

/* Bytes inside a request: not NUL-terminated. */
struct slice {
    const char *data;
    size_t len;
};

struct route {
    const char *method; /* a GET row answers HEAD too */
    const char *path;   /* exact, as it was sent */
    /* Runs before anything else looks at the request.  false: refused, and it has answered. */
    bool (*auth)(struct request *, void *arg);
    void (*handle)(struct request *, void *arg);
};

/* --- what came in; everything lives as long as the request --- */
struct slice request_method(const struct request *);
struct slice request_body(const struct request *);
/* The first header of that (lower-case) name, NUL-terminated; NULL when absent. */
const char *request_header(struct request *, const char *name);
/* The last one: of a header that proxies add to, the line of the nearest. */
const char *request_header_last(struct request *, const char *name);
/* A query parameter, percent-decoded; NULL when absent. */
const char *request_query(struct request *, const char *name);
const char *request_host(struct request *); /* Host with port as sent; "" when absent */
struct server *request_server(const struct request *);
struct arena *request_arena(struct request *); /* freed with the request */
/* The body as a JSON object (arena-owned); otherwise answers 400 or 415 and returns NULL. */
struct json_object *request_json_body(struct request *);

/* --- the answer: exactly one per request --- */
/* Before the answer; a value with control characters is a defect of the caller: the header is left out. */
void request_set_header(struct request *, const char *name, const char *value);
/* Copies the bytes.  Every answer with a body carries nosniff and, unless set before, `cache-control: no-store`. */
void request_answer(struct request *, int code, const char *type, const void *bytes, size_t len);
void request_json(struct request *, int code, struct json_object *); /* takes ownership */
void request_empty(struct request *, int code);                      /* no body: nothing to sniff, nothing to keep */
/* {"error": "a sentence"} */
void request_error(struct request *, int code, const char *fmt, ...) PRINTF(3, 4);
/* After an answer: exactly one of the two is called on the loop thread, later: confirmed when the other end has
 * acknowledged every byte, dropped (which may free arg) when it will not or cannot be told. */
void request_confirm(struct request *, void (*confirmed)(void *arg), void (*dropped)(void *arg), void *arg);
/* The status's HTTP code and its text; ST_UNAVAILABLE and ST_BUSY carry Retry-After: 2. */
void request_fail(struct request *, const struct error *);

#endif
