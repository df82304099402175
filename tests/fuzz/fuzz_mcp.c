/* SPDX-License-Identifier: MIT
 * A client's lines: every answer is one JSON message of one line, every call can be planned, and no outcome that is not
 * an answer lets a tool run. */
#include "base/json.h"
#include "bot/mcp_tools.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static struct json_object *check_line(struct arena *a, const char *line)
{
    struct json_object *o;
    struct error e;
    if (strchr(line, '\n') || json_parse_in(a, line, strlen(line), &o, &e) ||
        !json_object_is_type(o, json_type_object) || strcmp(json_str(o, "jsonrpc", ""), "2.0") != 0)
        abort();
    return o;
}

static void run_call(struct arena *a, const struct mcp_call *call)
{
    struct mcp_plan plan;
    struct mcp_outcome outcome = { .failure = NULL };
    struct error e;
    if (mcp_tool_plan(a, call, "fuzz", "r1", &plan, &e))
        outcome.failure = e.text;
    for (int i = 0; i < plan.count; i++)
        if (!json_str(plan.request[i].body, "message", NULL))
            abort();
    const char *line = mcp_result_line(a, call, mcp_tool_result(a, call, &plan, &outcome));
    struct json_object *o = check_line(a, line);
    if (call->tool == &mcp_tool_approve && !strstr(json_str(o, "result.content.0.text", ""), "\"behavior\":\"deny\""))
        abort();
    if (call->progress_token)
        check_line(a, mcp_progress_line(a, call, 1, "waiting"));
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct arena *a = arena_new();
    struct mcp_session session = { .legacy = false };
    const char *at = (const char *)data, *end = at + size;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at)), *stop = newline ? newline : end;
        struct mcp_action action;
        mcp_line(&session, a, at, (size_t)(stop - at), &action);
        if (action.act == MCP_ANSWER)
            check_line(a, action.answer);
        if (action.act == MCP_CALL)
            run_call(a, &action.call);
        check_line(a, mcp_line_too_long(a, at, (size_t)(stop - at)));
        at = stop + 1;
    }
    arena_free(a);
    return 0;
}
