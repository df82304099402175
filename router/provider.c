/* SPDX-License-Identifier: MIT
 * provider: the table of model providers, and what its rows share: base URLs, titles, and reading a whole HTTP answer
 * into a reply or a fault.  Pure; worker threads. */
#include "router/provider.h"
#include "router/provider_fault.h"
#include "base/json.h"
#include "base/text.h"
#include <string.h>
#include <strings.h>

extern const struct provider provider_anthropic, provider_openai;
const struct provider *const provider_table[] = { &provider_anthropic, &provider_openai, NULL };

const struct provider *provider_find(const char *name)
{
    for (const struct provider *const *p = provider_table; *p; p++)
        if (strcmp((*p)->name, name) == 0)
            return *p;
    return NULL;
}

/* --- base URLs --- */

char *provider_base(struct arena *arena, const char *base_url, const char *const *suffixes)
{
    char *base = text_trim(arena_strdup(arena, base_url));
    for (size_t len = strlen(base); len && base[len - 1] == '/'; len--)
        base[len - 1] = '\0';
    for (; *suffixes; suffixes++) {
        size_t len = strlen(base), cut = strlen(*suffixes);
        if (len > cut && strcmp(base + len - cut, *suffixes) == 0)
            base[len - cut] = '\0';
    }
    return base;
}

/* "localhost:11434" of "http://user@localhost:11434/v1". */
static const char *host_of(struct arena *arena, const char *url)
{
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    size_t len = strcspn(host, "/?#");
    char *copy = arena_strndup(arena, host, len);
    char *at = strrchr(copy, '@');
    return at ? at + 1 : copy;
}

bool provider_at_home(const struct model_endpoint *endpoint)
{
    const char *host = strstr(endpoint->base_url, "://");
    const char *home = endpoint->provider->home_host;
    size_t len = strlen(home);
    return host && strncasecmp(host + 3, home, len) == 0 && (host[3 + len] == '\0' || strchr(":/", host[3 + len]));
}

const char *provider_title(struct arena *arena, const struct model_endpoint *endpoint)
{
    if (provider_at_home(endpoint))
        return endpoint->provider->title;
    return arena_printf(arena, "the model server at %s", host_of(arena, endpoint->base_url));
}

/* --- reading an answer --- */

unsigned provider_quirk_for(const struct provider *provider, const struct provider_fault *fault)
{
    if (fault->code != 400 && fault->code != 422)
        return 0;
    for (const struct provider_quirk *q = provider->quirks; q->word; q++)
        if (*fault->param ? strcmp(fault->param, q->word) == 0 : strstr(fault->message, q->word) != NULL)
            return q->bit;
    return 0;
}

/* Only END and TOOLS may carry calls, and only whole lists of them. */
static void settle(struct model_reply *reply)
{
    bool usable = reply->stop == MODEL_STOP_END || reply->stop == MODEL_STOP_TOOLS;
    bool calls = usable && (reply->call_count > 0 || reply->too_many_calls);
    if (usable)
        reply->stop = calls ? MODEL_STOP_TOOLS : MODEL_STOP_END;
    if (!usable || reply->too_many_calls) {
        reply->call_count = 0;
        reply->raw = NULL;
    }
    if (!usable)
        reply->too_many_calls = false;
}

enum status provider_read(const struct model_endpoint *endpoint, struct arena *arena,
                          const struct model_request *request, int code, const char *body, size_t body_len,
                          struct model_reply *reply, struct provider_fault *fault)
{
    struct json_object *json = NULL;
    struct error e = { 0 };
    memset(reply, 0, sizeof *reply);
    reply->text = "";
    enum status st = json_parse_in(arena, body, body_len, &json, &e);
    if (st != OK)
        json = NULL;
    if (code != 200 || fault_in_body(json)) {
        fault_read(fault, arena, endpoint, code, json);
        return ST_UNAVAILABLE;
    }
    if (st == OK && !json_object_is_type(json, json_type_object))
        st = fail(&e, ST_INVALID, "not an object");
    if (st == OK)
        st = endpoint->provider->parse(arena, request, json, reply, &e);
    if (st != OK) {
        memset(reply, 0, sizeof *reply);
        reply->text = "";
        fault_malformed(fault, arena, endpoint, e.text);
        return ST_UNAVAILABLE;
    }
    settle(reply);
    reply->provider = endpoint->provider->name;
    reply->model = endpoint->model;
    return OK;
}
