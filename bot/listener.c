/* SPDX-License-Identifier: MIT
 * listener: binds the server's socket.  Called once, by server_start(), on the main thread. */
#include "bot/listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LISTEN_BACKLOG = 4096,    /* the kernel's own usual cap (somaxconn) */
    BIND_TEXT_BYTES_MAX = 256 /* a host name has at most 253 */
};

/* "[::1]" is "::1". */
static enum status bind_text(const char *bind, char out[BIND_TEXT_BYTES_MAX], struct error *e)
{
    size_t len = strlen(bind);
    if (len >= 2 && bind[0] == '[' && bind[len - 1] == ']') {
        bind++;
        len -= 2;
    }
    if (len == 0 || len >= BIND_TEXT_BYTES_MAX)
        return fail(e, ST_INVALID, "BIND must be an address such as 127.0.0.1, 0.0.0.0 or ::");
    memcpy(out, bind, len);
    out[len] = '\0';
    return OK;
}

static enum status bind_refused(struct error *e, const char *bind, int port, int error)
{
    switch (error) {
    case EADDRINUSE:
        return fail(e, ST_UNAVAILABLE,
                    "Port %d on %s is taken by another program. Stop it, or set PORT to another number", port, bind);
    case EACCES:
        return fail(e, ST_DENIED, "Port %d may not be opened without privileges. Set PORT to a number above 1023",
                    port);
    case EADDRNOTAVAIL:
        return fail(e, ST_INVALID, "BIND names %s, which is not an address of this machine", bind);
    default:
        return fail(e, ST_UNAVAILABLE, "Cannot listen on %s port %d: %s", bind, port, strerror(error));
    }
}

static int socket_listen(const struct addrinfo *a)
{
    int one = 1, zero = 0;
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (a->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, LISTEN_BACKLOG) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static int socket_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } a = { 0 };
    socklen_t len = sizeof a;
    if (getsockname(fd, &a.any, &len) != 0)
        return 0;
    return ntohs(a.any.sa_family == AF_INET6 ? a.six.sin6_port : a.four.sin_port);
}

enum status listener_open(const char *bind, int *port, int *fd, struct error *e)
{
    char host[BIND_TEXT_BYTES_MAX], service[16];
    enum status s = bind_text(bind, host, e);
    if (s != OK)
        return s;
    if (*port < 0 || *port > 65535)
        return fail(e, ST_INVALID, "PORT must be a number from 1 to 65535, not %d", *port);
    snprintf(service, sizeof service, "%d", *port);
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV }, *list = NULL;
    int rc = getaddrinfo(host, service, &hints, &list);
    if (rc != 0)
        return fail(e, ST_INVALID, "BIND is \"%s\", which is no address of this machine (%s)", bind, gai_strerror(rc));
    *fd = socket_listen(list);
    int error = errno;
    freeaddrinfo(list);
    if (*fd < 0)
        return bind_refused(e, bind, *port, error);
    *port = socket_port(*fd);
    return OK;
}
