/* SPDX-License-Identifier: MIT
 * cmd_health: GET /health of the program that runs with the same settings.  The command's own thread; opens neither the
 * database nor anything else. */
#include "bot/cmd_health.h"

#include "base/http.h"
#include "base/limits.h"
#include "bot/command.h"
#include "bot/config.h"
#include <stdio.h>
#include <string.h>

const char cmd_health_help[] =
    "usage: steward health\n"
    "Asks the program that runs with these settings (BIND, PORT) for /health and prints its answer.\n"
    "exit: 0 it can do its job, 1 it cannot, or does not answer\n";

enum { HEALTH_TIMEOUT_MS = 4000 }; /* below the patience of the usual 5 s probes */

/* BIND as an address one can connect to. */
static const char *health_url(struct arena *a, const struct config *c)
{
    const char *host = c->bind;
    if (strcmp(host, "0.0.0.0") == 0)
        host = "127.0.0.1";
    else if (strcmp(host, "::") == 0 || strcmp(host, "[::]") == 0)
        host = "[::1]";
    bool bare_six = strchr(host, ':') && host[0] != '[';
    return arena_printf(a, bare_six ? "http://[%s]:%d/health" : "http://%s:%d/health", host, c->port);
}

static int ask(struct arena *a, const char *url)
{
    struct error e = { 0 };
    struct http_reply reply;
    struct http_request q = { .url = url, .timeout_ms = HEALTH_TIMEOUT_MS, .reply_bytes_max = 64 * KIB };
    struct http *http = http_new();
    enum status s = http_call(http, a, &q, &reply, &e);
    http_free(http);
    if (s != OK) {
        return command_failed("health", arena_printf(a, "%s Is steward running with this BIND and PORT?", e.text));
    }
    printf("%s\n", reply.body);
    return reply.code == 200 ? 0 : 1;
}

int cmd_health(int argc, char **argv)
{
    struct error e = { 0 };
    struct config config;
    (void)argc, (void)argv;
    struct arena *a = arena_new();
    int code;
    if (config_load(&config, a, &e)) {
        code = command_failed("health", e.text);
    } else {
        http_global_init(config.ssl_cert_file);
        code = ask(a, health_url(a, &config));
    }
    arena_free(a);
    return code;
}
