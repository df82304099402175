/* SPDX-License-Identifier: MIT
 * provider_openai: OpenAI Chat Completions and the servers that speak it (OpenRouter, Ollama, llama.cpp, vLLM).  The
 * smallest request all of them take; where they differ, the host decides and a 400 corrects (provider.h, quirks).
 * Pure; worker threads. */
#include "router/provider.h"
#include "base/json.h"
#include "base/limits.h"
#include <string.h>

/* --- build --- */

static struct json_object *copy_of(struct json_object *value)
{
    struct json_object *copy = NULL;
    return value && json_object_deep_copy(value, &copy, NULL) == 0 ? copy : json_object_new_object();
}

static bool flipped(bool usual, unsigned quirks, unsigned bit)
{
    return usual != ((quirks & bit) != 0);
}

/* Function calling on Chat Completions works with gpt-5.x and gpt-6 only when reasoning is off. */
static bool wants_effort_none(const struct model_endpoint *endpoint)
{
    return provider_at_home(endpoint) &&
           (strncmp(endpoint->model, "gpt-5.", 6) == 0 || strncmp(endpoint->model, "gpt-6", 5) == 0);
}

static void put_settings(struct json_object *body, const struct model_endpoint *endpoint,
                         const struct model_request *request, unsigned quirks)
{
    int limit = request->output_tokens_max > 0 ? request->output_tokens_max : MODEL_OUTPUT_TOKENS_MAX;
    bool completion = flipped(provider_at_home(endpoint), quirks, QUIRK_MAX_TOKENS);
    json_set_str(body, "model", endpoint->model);
    json_set_int(body, completion ? "max_completion_tokens" : "max_tokens", limit);
    json_set_bool(body, "stream", false);
    if (flipped(wants_effort_none(endpoint), quirks, QUIRK_EFFORT))
        json_set_str(body, "reasoning_effort", "none");
    if (request->tool_count > 0 && !provider_at_home(endpoint) && !(quirks & QUIRK_PARALLEL))
        json_set_bool(body, "parallel_tool_calls", true); /* llama.cpp: off unless set; OpenAI: on by itself */
}

static void put_tools(struct json_object *body, const struct model_request *request)
{
    if (request->tool_count == 0)
        return;
    struct json_object *list = json_object_new_array();
    for (int i = 0; i < request->tool_count; i++) {
        struct json_object *tool = json_object_new_object(), *function = json_object_new_object();
        json_set_str(function, "name", request->tools[i].name);
        json_set_str(function, "description", request->tools[i].description);
        json_set(function, "parameters", copy_of(request->tools[i].schema));
        json_set_str(tool, "type", "function");
        json_set(tool, "function", function);
        json_push(list, tool);
    }
    json_set(body, "tools", list);
}

static struct json_object *message_of(const char *role, const char *text)
{
    struct json_object *message = json_object_new_object();
    json_set_str(message, "role", role);
    json_set_str(message, "content", text);
    return message;
}

static void push_results(struct json_object *out, struct arena *arena, const struct model_message *m)
{
    for (int i = 0; i < m->result_count; i++) {
        const struct model_result *r = &m->results[i];
        const char *text = r->text && *r->text ? r->text : "(empty)";
        struct json_object *message = message_of("tool", r->is_error ? arena_printf(arena, "Error: %s", text) : text);
        json_set_str(message, "tool_call_id", r->call_id);
        json_push(out, message);
    }
}

static enum status put_messages(struct json_object *body, struct arena *arena, const struct model_request *request,
                                struct error *e)
{
    struct model_message *list;
    int count;
    enum status st = model_messages(arena, request, &list, &count, e);
    if (st != OK)
        return st;
    struct json_object *out = json_object_new_array();
    json_set(body, "messages", out);
    if (request->system && *request->system)
        json_push(out, message_of("system", request->system));
    for (int i = 0; i < count; i++) {
        const struct model_message *m = &list[i];
        if (m->role == MODEL_RESULTS) {
            push_results(out, arena, m);
        } else if (m->raw) {
            if (!json_object_is_type(m->raw, json_type_object))
                return fail(e, ST_INVALID, "the turn was begun by another model provider");
            json_push(out, copy_of(m->raw));
        } else {
            json_push(out, message_of(m->role == MODEL_USER ? "user" : "assistant", m->text));
        }
    }
    return OK;
}

/* The base URL carries /v1; a bare host is given it. */
static const char *chat_url(struct arena *arena, const char *base_url)
{
    static const char *const suffixes[] = { "/chat/completions", NULL };
    const char *base = provider_base(arena, base_url, suffixes);
    const char *host = strstr(base, "://");
    bool bare = host && !strchr(host + 3, '/');
    return arena_printf(arena, "%s%s/chat/completions", base, bare ? "/v1" : "");
}

static enum status build(const struct model_endpoint *endpoint, const struct model_request *request, unsigned quirks,
                         struct arena *arena, struct provider_call *call, struct error *e)
{
    struct json_object *body = json_keep(arena, json_object_new_object());
    put_settings(body, endpoint, request, quirks);
    put_tools(body, request);
    enum status st = put_messages(body, arena, request, e);
    if (st != OK)
        return st;
    int n = 0;
    call->url = chat_url(arena, endpoint->base_url);
    call->headers[n++] = "content-type: application/json";
    if (endpoint->api_key && *endpoint->api_key)
        call->headers[n++] = arena_printf(arena, "authorization: Bearer %s", endpoint->api_key);
    call->headers[n] = NULL;
    call->body = json_text(arena, body);
    call->body_len = strlen(call->body);
    return OK;
}

/* --- parse --- */

static enum model_stop stop_of(const char *reason)
{
    static const struct {
        const char *reason;
        enum model_stop stop;
    } table[] = {
        { "stop", MODEL_STOP_END },
        { "tool_calls", MODEL_STOP_TOOLS },
        { "length", MODEL_STOP_TRUNCATED },
        { "content_filter", MODEL_STOP_REFUSED },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(reason, table[i].reason) == 0)
            return table[i].stop;
    return MODEL_STOP_OTHER;
}

/* Content is a string, or (some servers) an array of text parts. */
static const char *content_text(struct arena *arena, struct json_object *content)
{
    if (json_object_is_type(content, json_type_string))
        return model_text_visible(arena, json_object_get_string(content), (size_t)json_object_get_string_len(content));
    const char *text = "";
    if (json_object_is_type(content, json_type_array))
        for (size_t i = 0; i < json_object_array_length(content); i++) {
            const char *part = json_str(json_object_array_get_idx(content, i), "text", "");
            text = arena_printf(arena, "%s%s", text, part);
        }
    return model_text_visible(arena, text, strlen(text));
}

/* Servers parse the arguments of earlier steps again, so only an object's text may go back. */
static void mend_call(struct json_object *raw, struct arena *arena, const struct model_call *call)
{
    struct json_object *function = json_at(raw, "function");
    json_set_str(raw, "id", call->id);
    json_set_str(raw, "type", "function");
    json_set_str(function, "name", call->name);
    const char *given = json_str(function, "arguments", "");
    struct json_object *value = NULL;
    if (json_parse_in(arena, given, strlen(given), &value, NULL) == OK && json_object_is_type(value, json_type_object))
        return;
    json_set_str(function, "arguments", call->arguments ? json_text(arena, call->arguments) : "{}");
}

static enum status read_calls(struct arena *arena, struct json_object *calls, struct model_reply *reply,
                              struct error *e)
{
    size_t n = json_object_is_type(calls, json_type_array) ? json_object_array_length(calls) : 0;
    for (size_t i = 0; i < n; i++) {
        struct json_object *raw = json_object_array_get_idx(calls, i);
        const char *name = json_str(raw, "function.name", "");
        if (!*name)
            return fail(e, ST_INVALID, "a tool call without a name");
        struct model_call *call =
            model_call_add(arena, reply, json_str(raw, "id", NULL), name, json_at(raw, "function.arguments"));
        if (call)
            mend_call(raw, arena, call);
    }
    return OK;
}

static struct json_object *recovered_calls(struct arena *arena, const struct model_reply *reply)
{
    struct json_object *list = json_object_new_array();
    for (int i = 0; i < reply->call_count; i++) {
        struct json_object *call = json_object_new_object(), *function = json_object_new_object();
        json_set_str(call, "id", reply->calls[i].id);
        json_set_str(call, "type", "function");
        json_set_str(function, "name", reply->calls[i].name);
        json_set_str(function, "arguments", json_text(arena, reply->calls[i].arguments));
        json_set(call, "function", function);
        json_push(list, call);
    }
    return list;
}

/* What goes back in the next round: the fields every server takes, and the two kinds of reasoning that some want
 * back unchanged. */
static struct json_object *raw_of(struct arena *arena, struct json_object *message)
{
    static const char *const kept[] = { "content", "tool_calls", "reasoning_content", "reasoning_details" };
    struct json_object *raw = json_keep(arena, json_object_new_object());
    json_set_str(raw, "role", "assistant");
    json_set_str(raw, "content", NULL);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        struct json_object *value = json_at(message, kept[i]);
        bool empty = json_object_is_type(value, json_type_array) && json_object_array_length(value) == 0;
        if (value && !empty)
            json_set(raw, kept[i], copy_of(value));
    }
    return raw;
}

static void read_usage(struct json_object *body, struct model_reply *reply)
{
    reply->input_tokens = json_int(body, "usage.prompt_tokens", 0);
    reply->cached_tokens = json_int(body, "usage.prompt_tokens_details.cached_tokens", 0);
    reply->output_tokens = json_int(body, "usage.completion_tokens", 0);
}

static enum status parse(struct arena *arena, const struct model_request *request, struct json_object *body,
                         struct model_reply *reply, struct error *e)
{
    struct json_object *choices = json_at(body, "choices");
    bool some = json_object_is_type(choices, json_type_array) && json_object_array_length(choices) > 0;
    struct json_object *choice = some ? json_object_array_get_idx(choices, 0) : NULL;
    struct json_object *message = json_at(choice, "message");
    if (!json_object_is_type(message, json_type_object))
        return fail(e, ST_INVALID, "no choices");
    const char *reason = json_str(choice, "finish_reason", "");
    if (strcmp(reason, "error") == 0)
        return fail(e, ST_INVALID, "finish_reason \"error\"");
    reply->stop = stop_of(reason);
    enum status st = read_calls(arena, json_at(message, "tool_calls"), reply, e);
    if (st != OK)
        return st;
    reply->text = content_text(arena, json_at(message, "content"));
    if (*json_str(message, "refusal", "")) {
        reply->stop = MODEL_STOP_REFUSED;
        reply->text = arena_strdup(arena, json_str(message, "refusal", ""));
    }
    if (reply->stop == MODEL_STOP_END && reply->call_count == 0 &&
        model_call_recover(arena, request, reply->text, reply)) {
        json_set(message, "tool_calls", recovered_calls(arena, reply));
        json_set(message, "content", NULL);
        reply->text = "";
    }
    reply->raw = raw_of(arena, message);
    read_usage(body, reply);
    return OK;
}

static const struct provider_quirk quirks_known[] = {
    { "reasoning_effort", QUIRK_EFFORT },
    { "max_completion_tokens", QUIRK_MAX_TOKENS },
    { "max_tokens", QUIRK_MAX_TOKENS },
    { "parallel_tool_calls", QUIRK_PARALLEL },
    { NULL, 0 },
};

extern const struct provider provider_openai;
const struct provider provider_openai = {
    .name = "openai",
    .title = "OpenAI",
    .home_host = "api.openai.com",
    .build = build,
    .parse = parse,
    .quirks = quirks_known,
};
