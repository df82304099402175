/* SPDX-License-Identifier: MIT
 * auth: secrets, this machine, same origin.  Loop thread (secret_equal: any). */
#include "bot/auth.h"

#include "base/clock.h"
#include "base/log.h"
#include "bot/loop.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { CLIENT_TEXT_BYTES = INET6_ADDRSTRLEN + 4 };

/* The time grows with the length of what was given, which its sender knows, and is the same wherever the two differ. */
bool secret_equal(const char *expected, const char *given)
{
    size_t length = strlen(expected), given_length = strlen(given);
    volatile unsigned differs = length != given_length;
    for (size_t i = 0, at = 0; i < given_length; i++, at = at + 1 < length ? at + 1 : 0)
        differs |= (unsigned char)given[i] ^ (unsigned)(unsigned char)expected[at];
    return !differs;
}

void auth_refuse(struct request *r, const char *sentence)
{
    char after[16];
    struct attempts *a = r->server->wrong_secrets;
    const char *client = request_client(r);
    int64_t now_ms = clock_mono_ms();
    int wait_s = attempts_wait_s(a, client, now_ms);
    atomic_fetch_add(&r->server->wrong_secrets_total, 1);
    if (!wait_s) {
        attempts_failed(a, client, now_ms);
        if (attempts_wait_s(a, client, now_ms)) /* one line each time the allowance is used up */
            log_event(LOG_WARN, "wrong secrets", F_STR("client", client));
        request_error(r, 401, "%s", sentence);
        return;
    }
    r->h2o->http1_is_persistent = 0; /* guessing on costs a connection each */
    snprintf(after, sizeof after, "%d", wait_s);
    request_set_header(r, "retry-after", after);
    request_error(r, 429, "Too many wrong secrets came from your address. The right one is taken at any time");
}

bool auth_none(struct request *r, void *arg)
{
    (void)r;
    (void)arg;
    return true;
}

bool auth_bearer(struct request *r, void *arg)
{
    const char *expected = r->server->options.notify_secret;
    const char *given = request_header(r, "authorization");
    (void)arg;
    if (!expected) {
        request_error(r, 503, "NOTIFY_SECRET is not set on the server, so this address is closed");
        return false;
    }
    if (given && strncasecmp(given, "Bearer ", 7) == 0 && secret_equal(expected, given + 7))
        return true;
    request_set_header(r, "www-authenticate", "Bearer");
    if (given)
        auth_refuse(r, "The bearer secret is missing or wrong");
    else
        request_error(r, 401, "The bearer secret is missing or wrong");
    return false;
}

bool auth_local_or_bearer(struct request *r, void *arg)
{
    return (request_from_here(r) && request_host_is_local(r)) || auth_bearer(r, arg);
}

/* --- addresses --- */

/* The peer; IPv4 inside IPv6 is unwrapped. */
static int request_peer(struct request *r, struct in6_addr *six, struct in_addr *four)
{
    struct sockaddr_storage ss = { 0 };
    h2o_conn_t *conn = r->h2o->conn;
    conn->callbacks->get_peername(conn, (struct sockaddr *)&ss);
    if (ss.ss_family == AF_INET) {
        *four = ((struct sockaddr_in *)&ss)->sin_addr;
        return AF_INET;
    }
    if (ss.ss_family != AF_INET6)
        return AF_UNSPEC;
    *six = ((struct sockaddr_in6 *)&ss)->sin6_addr;
    if (!IN6_IS_ADDR_V4MAPPED(six))
        return AF_INET6;
    memcpy(four, six->s6_addr + 12, sizeof *four);
    return AF_INET;
}

static bool is_loopback(int family, const struct in6_addr *six, const struct in_addr *four)
{
    if (family == AF_INET)
        return ntohl(four->s_addr) >> 24 == 127;
    return family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(six);
}

static bool is_private(int family, const struct in6_addr *six, const struct in_addr *four)
{
    uint32_t a = family == AF_INET ? ntohl(four->s_addr) : 0;
    if (family == AF_INET)
        return a >> 24 == 10 || a >> 20 == 0xac1 || a >> 16 == 0xc0a8 || a >> 22 == 0x64400000u >> 22;
    return family == AF_INET6 && ((six->s6_addr[0] & 0xfe) == 0xfc || IN6_IS_ADDR_LINKLOCAL(six));
}

static bool request_was_forwarded(struct request *r)
{
    static const char *const names[] = { "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
                                         "x-real-ip",       "forwarded",        "via",
                                         "cf-connecting-ip" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (request_header(r, names[i]))
            return true;
    return r->h2o->version < 0x101; /* nginx's default towards its backends, and nothing a browser sends */
}

bool request_from_here(struct request *r)
{
    struct in6_addr six;
    struct in_addr four;
    if (r->server->clients_hidden)
        return false;
    return is_loopback(request_peer(r, &six, &four), &six, &four) && !request_was_forwarded(r);
}

void auth_came_by_proxy(struct request *r)
{
    if (!r->server->options.public || !request_from_here(r))
        return;
    r->server->clients_hidden = true;
    log_event(LOG_WARN, "proxy hides its clients",
              F_STR("mend", "set X-Forwarded-For in the proxy (deploy/nginx.conf) and start again; until then the "
                            "console needs CONSOLE_PASSWORD and /metrics needs NOTIFY_SECRET"));
}

/* After the host name nothing or a port may follow. */
static bool host_is(const char *host, const char *name)
{
    size_t len = strlen(name);
    if (strncasecmp(host, name, len) != 0)
        return false;
    host += len;
    return *host == '\0' || (*host == ':' && strspn(host + 1, "0123456789") == strlen(host + 1));
}

bool request_host_is_local(struct request *r)
{
    const char *host = request_host(r);
    return host_is(host, "localhost") || host_is(host, "127.0.0.1") || host_is(host, "[::1]");
}

bool request_is_https(struct request *r)
{
    const char *proto = request_header_last(r, "x-forwarded-proto");
    return proto && strncasecmp(proto, "https", 5) == 0;
}

bool request_same_origin(struct request *r)
{
    const char *site = request_header(r, "sec-fetch-site"), *origin = request_header(r, "origin");
    if (site && strcmp(site, "same-origin") != 0)
        return false;
    if (!origin)
        return site != NULL;
    const char *host = strstr(origin, "://");
    return host && strcasecmp(host + 3, request_host(r)) == 0;
}

/* The last element of X-Forwarded-For: what the nearest proxy saw. */
static int forwarded_for(struct request *r, struct in6_addr *six, struct in_addr *four)
{
    const char *list = request_header_last(r, "x-forwarded-for"); /* some proxies add a line of their own */
    if (!list)
        return AF_UNSPEC;
    const char *last = strrchr(list, ',');
    char text[CLIENT_TEXT_BYTES];
    last = last ? last + 1 : list;
    last += strspn(last, " \t");
    snprintf(text, sizeof text, "%.*s", (int)strcspn(last, " \t"), last);
    if (inet_pton(AF_INET, text, four) == 1)
        return AF_INET;
    return inet_pton(AF_INET6, text, six) == 1 ? AF_INET6 : AF_UNSPEC;
}

const char *request_client(struct request *r)
{
    struct in6_addr six, via_six;
    struct in_addr four, via_four;
    int family = request_peer(r, &six, &four);
    if (is_loopback(family, &six, &four) || is_private(family, &six, &four)) {
        int via = forwarded_for(r, &via_six, &via_four);
        if (via != AF_UNSPEC) {
            family = via;
            six = via_six;
            four = via_four;
        }
    }
    char *out = h2o_mem_alloc_pool(&r->h2o->pool, CLIENT_TEXT_BYTES);
    if (family == AF_INET6)
        memset(six.s6_addr + 8, 0, 8);
    if (!inet_ntop(family, family == AF_INET6 ? (void *)&six : (void *)&four, out, CLIENT_TEXT_BYTES))
        snprintf(out, CLIENT_TEXT_BYTES, "unknown");
    return out;
}
