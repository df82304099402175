/* SPDX-License-Identifier: MIT
 * fuzz_model: any bytes as a model server's answer, in both dialects and under any HTTP code.  What is read can go
 * back to the same server in the next round; what is refused has a sentence that holds no key. */
#include "base/json.h"
#include "base/text.h"
#include "router/provider.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

#define KEY "sk-fuzz-key-0123456789"

static void must_be_text(const char *s)
{
    if (!s || !text_valid(s, strlen(s)))
        abort();
}

static void check_calls(const struct model_reply *r)
{
    if (r->call_count > MODEL_CALLS_MAX || (r->call_count > 0 && r->too_many_calls) ||
        (r->stop == MODEL_STOP_TOOLS) != (r->call_count > 0 || r->too_many_calls))
        abort();
    for (int i = 0; i < r->call_count; i++) {
        must_be_text(r->calls[i].id);
        must_be_text(r->calls[i].name);
        must_be_text(r->calls[i].arguments_text);
        if (!*r->calls[i].id || !*r->calls[i].name ||
            (r->calls[i].arguments && !json_object_is_type(r->calls[i].arguments, json_type_object)))
            abort();
        for (int k = 0; k < i; k++)
            if (strcmp(r->calls[i].id, r->calls[k].id) == 0)
                abort();
    }
}

/* The next round: the step as it came, a result for each call. */
static void check_continues(const struct model_endpoint *endpoint, struct arena *a, struct model_request request,
                            const struct model_reply *r)
{
    struct model_result results[MODEL_CALLS_MAX];
    struct provider_call call;
    struct json_object *sent;
    struct error e;
    for (int i = 0; i < r->call_count; i++)
        results[i] = (struct model_result){ .call_id = r->calls[i].id, .text = "done" };
    struct model_message messages[] = {
        { .role = MODEL_USER, .text = "buy bread" },
        { .role = MODEL_ASSISTANT, .raw = r->raw },
        { .role = MODEL_RESULTS, .results = results, .result_count = r->call_count },
    };
    request.messages = messages;
    request.message_count = 3;
    if (!r->raw || endpoint->provider->build(endpoint, &request, 0, a, &call, &e) != OK ||
        json_parse_in(a, call.body, call.body_len, &sent, &e) != OK)
        abort();
}

static void check_fault(const struct model_endpoint *endpoint, const struct provider_fault *f)
{
    must_be_text(f->sentence);
    must_be_text(f->message);
    if (!*f->sentence || strstr(f->sentence, KEY) || strstr(f->message, KEY) || f->kind > FAULT_STANDING)
        abort();
    provider_quirk_for(endpoint->provider, f);
}

static void check_answer(const char *provider, const char *url, int code, const char *body, size_t len)
{
    struct arena *a = arena_new();
    struct model_endpoint endpoint = { provider_find(provider), url, KEY, "fuzz-1" };
    struct model_tool tool = { "add_task", "adds", json_keep(a, json_object_new_object()) };
    struct model_message message = { .role = MODEL_USER, .text = "buy bread" };
    struct model_request request = { .tools = &tool, .tool_count = 1, .messages = &message, .message_count = 1 };
    struct model_reply reply;
    struct provider_fault fault;
    if (provider_read(&endpoint, a, &request, code, body, len, &reply, &fault) == OK) {
        must_be_text(reply.text);
        check_calls(&reply);
        if (reply.call_count > 0)
            check_continues(&endpoint, a, request, &reply);
    } else {
        check_fault(&endpoint, &fault);
    }
    arena_free(a);
}

/* The first byte picks the HTTP code. */
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static const int codes[] = { 200, 400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502, 529, 302, 100, 0 };
    if (size < 1)
        return 0;
    int code = codes[data[0] % (sizeof codes / sizeof *codes)];
    const char *body = (const char *)data + 1;
    check_answer("anthropic", "https://api.anthropic.com", code, body, size - 1);
    check_answer("openai", "http://user@localhost:11434/v1", code, body, size - 1);
    return 0;
}
