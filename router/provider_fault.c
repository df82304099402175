/* SPDX-License-Identifier: MIT
 * provider_fault: see provider_fault.h.  Called by provider_read() and the attempt loop; never sees a request, and
 * masks the endpoint's key should a server print it back. */
#include "router/provider_fault.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

enum { FAULT_WORDS_BYTES_MAX = 160 }; /* of the server's own message inside our sentence */

/* --- the shapes of error bodies --- */

/* {"error":{…}} of both vendors and most servers; {"error":"…"} of Ollama; {"object":"error","message":…} of vLLM. */
bool fault_in_body(struct json_object *body)
{
    struct json_object *error = json_at(body, "error");
    if (json_object_is_type(error, json_type_object))
        return json_object_object_length(error) > 0;
    if (json_object_is_type(error, json_type_string))
        return json_object_get_string_len(error) > 0;
    return strcmp(json_str(body, "type", ""), "error") == 0 || strcmp(json_str(body, "object", ""), "error") == 0;
}

static const char *word(struct arena *arena, struct json_object *object, const char *path)
{
    return arena_strdup(arena, json_str(object, path, ""));
}

/* One line of the server's message, our own key masked. */
static const char *message_of(struct arena *arena, const char *text, const char *key)
{
    char *copy = arena_strdup(arena, text_clean(arena, text, strlen(text)));
    for (char *p = copy; *p; p++)
        if (*p == '\n' || *p == '\t')
            *p = ' ';
    for (char *at = copy; key && *key && (at = strstr(at, key));)
        memset(at, '*', strlen(key));
    return copy;
}

static void read_body(struct provider_fault *f, struct arena *arena, struct json_object *body, const char *key)
{
    struct json_object *error = json_at(body, "error");
    const char *message = json_str(body, "error", NULL);
    if (!json_object_is_type(error, json_type_object))
        error = body;
    if (!message)
        message = json_str(error, "message", json_str(body, "detail", ""));
    f->message = message_of(arena, message, key);
    f->type = word(arena, error, "type");
    f->param = word(arena, error, "param");
    f->error_code = word(arena, error, "details.error_code");
    if (!*f->error_code)
        f->error_code = word(arena, error, "code");
    int64_t code = json_int(error, "code", 0);
    if (f->code == 200)
        f->code = code >= 400 && code <= 599 ? (int)code : 500;
}

/* --- kinds --- */

/* Refusals for want of money wear several codes; none of them passes by waiting. */
static bool out_of_credit(const struct provider_fault *f)
{
    static const char *const codes[] = { "insufficient_quota", "credit_balance_exhausted",
                                         "enforced_spend_limit_reached", "billing_hard_limit_reached" };
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strcmp(f->error_code, codes[i]) == 0 || strcmp(f->type, codes[i]) == 0)
            return true;
    return f->code == 400 && (strstr(f->message, "credit balance") || strstr(f->message, "spend limit") ||
                              strstr(f->message, "usage limits"));
}

static enum fault_kind kind_of(const struct provider_fault *f)
{
    if (out_of_credit(f))
        return FAULT_STANDING;
    switch (f->code) {
    case 401:
    case 402:
    case 403:
    case 404:
        return FAULT_STANDING;
    case 408:
    case 409:
    case 429:
        return FAULT_PASSING;
    default:
        return f->code >= 500 ? FAULT_PASSING : FAULT_REQUEST;
    }
}

/* --- sentences --- */

/* ": what it said" cut to a line, or "". */
static const char *words_of(struct arena *arena, const struct provider_fault *f)
{
    size_t len = text_prefix_utf16(f->message, strlen(f->message), FAULT_WORDS_BYTES_MAX);
    if (len == 0)
        return "";
    return arena_printf(arena, ": %.*s%s", (int)len, f->message, f->message[len] ? "…" : "");
}

static const char *sentence_of(struct arena *arena, const struct model_endpoint *endpoint,
                               const struct provider_fault *f)
{
    const char *who = provider_title(arena, endpoint), *model = endpoint->model, *words = words_of(arena, f);
    if (out_of_credit(f) || f->code == 402)
        return arena_printf(arena, "%s says the account has no credit left (%d)", who, f->code);
    if (strcmp(f->param, "reasoning_effort") == 0 || strstr(f->message, "reasoning_effort"))
        return arena_printf(
            arena, "%s offers tools for the model %s only through its Responses API, which is not used here (%d)", who,
            model, f->code);
    switch (f->code) {
    case 400:
    case 422:
        return arena_printf(arena, "%s refused the request for the model %s (%d)%s", who, model, f->code, words);
    case 401:
        return arena_printf(arena, "%s does not accept the API key (401)", who);
    case 403:
        return arena_printf(arena, "%s does not let this key use the model %s (403)%s", who, model, words);
    case 404:
        if (!*f->message)
            return arena_printf(arena, "%s has no such address (404): the base URL may be wrong", who);
        return arena_printf(arena, "%s says the model %s does not exist (404)", who, model);
    case 408:
        return arena_printf(arena, "%s gave up waiting for the request (408)", who);
    case 413:
        return arena_printf(arena, "%s finds the conversation too large (413)", who);
    case 429:
        return arena_printf(arena, "%s is limiting requests for the model %s (429)%s", who, model, words);
    default:
        return arena_printf(arena, "%s %s (%d)%s", who, f->code >= 500 ? "is in trouble" : "refused the request",
                            f->code, words);
    }
}

/* --- the three ways to fail --- */

static void fault_clear(struct provider_fault *f)
{
    *f = (struct provider_fault){
        .type = "", .error_code = "", .param = "", .message = "", .sentence = "", .retry_after_ms = -1
    };
}

void fault_read(struct provider_fault *f, struct arena *arena, const struct model_endpoint *endpoint, int code,
                struct json_object *body)
{
    fault_clear(f);
    f->code = code;
    if (json_object_is_type(body, json_type_object))
        read_body(f, arena, body, endpoint->api_key);
    f->kind = kind_of(f);
    f->sentence = sentence_of(arena, endpoint, f);
}

void fault_malformed(struct provider_fault *f, struct arena *arena, const struct model_endpoint *endpoint,
                     const char *why)
{
    fault_clear(f);
    f->code = 200;
    f->kind = FAULT_PASSING;
    f->sentence =
        arena_printf(arena, "%s sent something that is not an answer (%s)", provider_title(arena, endpoint), why);
}

void fault_network(struct provider_fault *f, struct arena *arena, const struct model_endpoint *endpoint, enum status st,
                   const struct error *e)
{
    fault_clear(f);
    f->kind = st == ST_UNAVAILABLE || st == ST_UNKNOWN ? FAULT_PASSING : FAULT_REQUEST;
    f->sentence = arena_printf(arena, "%s could not be asked: %s", provider_title(arena, endpoint),
                               message_of(arena, e->text, endpoint->api_key));
}
