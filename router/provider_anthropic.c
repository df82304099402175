/* SPDX-License-Identifier: MIT
 * provider_anthropic: the Anthropic Messages API (also spoken by Ollama and llama.cpp).  The smallest request that
 * works on every current model: no sampling settings, no forced tool choice, no prefill, no thinking.  Pure; worker
 * threads. */
#include "router/provider.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/limits.h"
#include <string.h>

/* --- build --- */

static struct json_object *copy_of(struct json_object *value)
{
    struct json_object *copy = NULL;
    return value && json_object_deep_copy(value, &copy, NULL) == 0 ? copy : json_object_new_object();
}

static struct json_object *text_block(const char *text)
{
    struct json_object *block = json_object_new_object();
    json_set_str(block, "type", "text");
    json_set_str(block, "text", text);
    return block;
}

static struct json_object *message_of(const char *role, struct json_object *content)
{
    struct json_object *message = json_object_new_object();
    json_set_str(message, "role", role);
    json_set(message, "content", content);
    return message;
}

static void put_system(struct json_object *body, const char *system, unsigned quirks)
{
    if (!system || !*system)
        return;
    if (quirks & QUIRK_CACHE) {
        json_set_str(body, "system", system);
        return;
    }
    struct json_object *block = text_block(system), *cache = json_object_new_object(), *list = json_object_new_array();
    json_set_str(cache, "type", "ephemeral");
    json_set(block, "cache_control", cache);
    json_push(list, block);
    json_set(body, "system", list);
}

static void put_tools(struct json_object *body, const struct model_request *request)
{
    if (request->tool_count == 0)
        return;
    struct json_object *list = json_object_new_array();
    for (int i = 0; i < request->tool_count; i++) {
        struct json_object *tool = json_object_new_object();
        json_set_str(tool, "name", request->tools[i].name);
        json_set_str(tool, "description", request->tools[i].description);
        json_set(tool, "input_schema", copy_of(request->tools[i].schema));
        json_push(list, tool);
    }
    json_set(body, "tools", list);
}

static struct json_object *results_content(const struct model_message *m)
{
    struct json_object *content = json_object_new_array();
    for (int i = 0; i < m->result_count; i++) {
        const struct model_result *r = &m->results[i];
        struct json_object *block = json_object_new_object();
        json_set_str(block, "type", "tool_result");
        json_set_str(block, "tool_use_id", r->call_id);
        if (r->text && *r->text)
            json_set_str(block, "content", r->text);
        if (r->is_error)
            json_set_bool(block, "is_error", true);
        json_push(content, block);
    }
    return content;
}

static struct json_object *step_content(struct json_object *raw, unsigned quirks)
{
    struct json_object *content = json_object_new_array();
    for (size_t i = 0; i < json_object_array_length(raw); i++) {
        struct json_object *block = json_object_array_get_idx(raw, i);
        const char *type = json_str(block, "type", "");
        if ((quirks & QUIRK_THINKING) && strstr(type, "thinking"))
            continue;
        json_push(content, copy_of(block));
    }
    return content;
}

static enum status put_messages(struct json_object *body, struct arena *arena, const struct model_request *request,
                                unsigned quirks, struct error *e)
{
    struct model_message *list;
    int count;
    enum status st = model_messages(arena, request, &list, &count, e);
    if (st != OK)
        return st;
    struct json_object *out = json_object_new_array();
    json_set(body, "messages", out);
    for (int i = 0; i < count; i++) {
        const struct model_message *m = &list[i];
        if (m->role == MODEL_RESULTS) {
            struct json_object *content = results_content(m);
            if (i + 1 < count && list[i + 1].role == MODEL_USER)
                json_push(content, text_block(list[++i].text)); /* results first, words after, in one message */
            json_push(out, message_of("user", content));
        } else if (m->raw) {
            if (!json_object_is_type(m->raw, json_type_array))
                return fail(e, ST_INVALID, "the turn was begun by another model provider");
            json_push(out, message_of("assistant", step_content(m->raw, quirks)));
        } else {
            json_push(out, message_of(m->role == MODEL_USER ? "user" : "assistant", json_object_new_string(m->text)));
        }
    }
    return OK;
}

static enum status build(const struct model_endpoint *endpoint, const struct model_request *request, unsigned quirks,
                         struct arena *arena, struct provider_call *call, struct error *e)
{
    static const char *const suffixes[] = { "/messages", "/v1", NULL };
    struct json_object *body = json_keep(arena, json_object_new_object());
    json_set_str(body, "model", endpoint->model);
    json_set_int(body, "max_tokens",
                 request->output_tokens_max > 0 ? request->output_tokens_max : MODEL_OUTPUT_TOKENS_MAX);
    json_set_bool(body, "stream", false);
    put_system(body, request->system, quirks);
    put_tools(body, request);
    enum status st = put_messages(body, arena, request, quirks, e);
    if (st != OK)
        return st;
    int n = 0;
    call->url = arena_printf(arena, "%s/v1/messages", provider_base(arena, endpoint->base_url, suffixes));
    call->headers[n++] = "content-type: application/json";
    call->headers[n++] = "anthropic-version: 2023-06-01";
    if (endpoint->api_key && *endpoint->api_key)
        call->headers[n++] = arena_printf(arena, "x-api-key: %s", endpoint->api_key);
    call->headers[n] = NULL;
    call->body = json_text(arena, body);
    call->body_len = strlen(call->body);
    return OK;
}

/* --- parse --- */

static enum model_stop stop_of(const char *reason, bool *context_full)
{
    static const struct {
        const char *reason;
        enum model_stop stop;
    } table[] = {
        { "end_turn", MODEL_STOP_END },
        { "tool_use", MODEL_STOP_TOOLS },
        { "stop_sequence", MODEL_STOP_END },
        { "max_tokens", MODEL_STOP_TRUNCATED },
        { "model_context_window_exceeded", MODEL_STOP_TRUNCATED },
        { "refusal", MODEL_STOP_REFUSED },
    };
    *context_full = strcmp(reason, "model_context_window_exceeded") == 0;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(reason, table[i].reason) == 0)
            return table[i].stop;
    return MODEL_STOP_OTHER;
}

static enum status read_call(struct arena *arena, struct json_object *block, struct model_reply *reply, struct error *e)
{
    const char *name = json_str(block, "name", "");
    if (!*name)
        return fail(e, ST_INVALID, "a tool call without a name");
    struct model_call *call = model_call_add(arena, reply, json_str(block, "id", NULL), name, json_at(block, "input"));
    if (!call)
        return OK;
    json_set_str(block, "id", call->id);
    json_set_str(block, "name", call->name);
    if (!json_object_is_type(json_at(block, "input"), json_type_object))
        json_set(block, "input", copy_of(call->arguments));
    return OK;
}

static enum status read_content(struct arena *arena, struct json_object *content, struct model_reply *reply,
                                struct error *e)
{
    struct buf text = BUF_INIT(MODEL_REPLY_BYTES_MAX);
    enum status st = OK;
    for (size_t i = 0; st == OK && i < json_object_array_length(content); i++) {
        struct json_object *block = json_object_array_get_idx(content, i);
        const char *type = json_str(block, "type", "");
        if (strcmp(type, "text") == 0) {
            struct json_object *words = json_at(block, "text");
            buf_put(&text, json_str(block, "text", ""), words ? (size_t)json_object_get_string_len(words) : 0);
        } else if (strcmp(type, "tool_use") == 0) {
            st = read_call(arena, block, reply, e);
        }
    }
    reply->text = model_text_visible(arena, buf_str(&text), text.len);
    buf_release(&text);
    return st;
}

/* The step as it would have been, had the server understood its own model's call. */
static struct json_object *recovered_raw(struct arena *arena, const struct model_reply *reply)
{
    struct json_object *content = json_keep(arena, json_object_new_array());
    for (int i = 0; i < reply->call_count; i++) {
        struct json_object *block = json_object_new_object();
        json_set_str(block, "type", "tool_use");
        json_set_str(block, "id", reply->calls[i].id);
        json_set_str(block, "name", reply->calls[i].name);
        json_set(block, "input", copy_of(reply->calls[i].arguments));
        json_push(content, block);
    }
    return content;
}

static enum status parse(struct arena *arena, const struct model_request *request, struct json_object *body,
                         struct model_reply *reply, struct error *e)
{
    struct json_object *content = json_at(body, "content");
    if (!json_object_is_type(content, json_type_array))
        return fail(e, ST_INVALID, "no content");
    reply->stop = stop_of(json_str(body, "stop_reason", ""), &reply->context_full);
    enum status st = read_content(arena, content, reply, e);
    if (st != OK)
        return st;
    reply->raw = content;
    if (reply->stop == MODEL_STOP_END && reply->call_count == 0 &&
        model_call_recover(arena, request, reply->text, reply)) {
        reply->raw = recovered_raw(arena, reply);
        reply->text = "";
    }
    if (reply->stop == MODEL_STOP_REFUSED && !*reply->text)
        reply->text = arena_strdup(arena, json_str(body, "stop_details.explanation", ""));
    reply->cached_tokens = json_int(body, "usage.cache_read_input_tokens", 0);
    reply->input_tokens = json_int(body, "usage.input_tokens", 0) + reply->cached_tokens +
                          json_int(body, "usage.cache_creation_input_tokens", 0);
    reply->output_tokens = json_int(body, "usage.output_tokens", 0);
    return OK;
}

static const struct provider_quirk quirks_known[] = {
    { "cache_control", QUIRK_CACHE },
    { "bound to a different conversation", QUIRK_THINKING },
    { "`signature` in `thinking`", QUIRK_THINKING },
    { NULL, 0 },
};

extern const struct provider provider_anthropic;
const struct provider provider_anthropic = {
    .name = "anthropic",
    .title = "Anthropic",
    .home_host = "api.anthropic.com",
    .build = build,
    .parse = parse,
    .quirks = quirks_known,
};
