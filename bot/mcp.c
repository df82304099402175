/* SPDX-License-Identifier: MIT
 * mcp: see mcp.h.  Called by the reader thread of `steward mcp` (lines) and by the threads of its calls (results);
 * keeps nothing but the session it is given.  A method is one row of the table below. */
#include "bot/mcp.h"

#include "base/json.h"
#include "base/text.h"
#include "bot/mcp_tools.h"
#include <stdio.h>
#include <string.h>

enum {
    PARSE_ERROR = -32700,
    INVALID_REQUEST = -32600,
    METHOD_NOT_FOUND = -32601,
    INVALID_PARAMS = -32602,
    UNSUPPORTED_VERSION = -32022,
    LIST_TTL_MS = 3600000, /* the tools change with the program, not while it runs */
};

#define META_VERSION "io.modelcontextprotocol/protocolVersion"
#define META_CAPABILITIES "io.modelcontextprotocol/clientCapabilities"
#define META_CLIENT "io.modelcontextprotocol/clientInfo"
#define META_SERVER "io.modelcontextprotocol/serverInfo"

static const char modern_version[] = "2026-07-28";
static const char *const legacy_versions[] = { "2025-11-25", "2025-06-18", "2025-03-26",
                                               "2024-11-05" }; /* latest first */

static const char instructions[] =
    "steward reaches a person on their phone. Use ask_human when you need a decision, a missing fact or a go-ahead "
    "that only the person can give; it waits, perhaps for hours, and the answer may be a button you offered or free "
    "text. Use notify_human to report a milestone or an error without waiting. approve answers the permission prompts "
    "of the agent's host; do not call it yourself. If an answer says that nobody answered, do not assume consent.";

struct request {
    struct mcp_session *session;
    struct arena *arena;
    struct json_object *params; /* NULL = none */
    const char *method;
    const char *id; /* JSON text; NULL = a notification */
    bool modern;
    struct mcp_action *out;
};

/* ---- lines out ---- */

static struct json_object *server_info(void)
{
    struct json_object *o = json_object_new_object();
    json_set_str(o, "name", "steward");
    json_set_str(o, "version", STEWARD_VERSION);
    return o;
}

/* What every result of the modern era carries. */
static void sign_modern(struct json_object *result)
{
    struct json_object *meta = json_object_new_object();
    json_set_str(result, "resultType", "complete");
    json_set(meta, META_SERVER, server_info());
    json_set(result, "_meta", meta);
}

static const char *result_line(struct arena *arena, const char *id, bool modern, struct json_object *result)
{
    json_keep(arena, result);
    if (modern)
        sign_modern(result);
    return arena_printf(arena, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":%s}", id, json_text(arena, result));
}

static const char *error_line(struct arena *arena, const char *id, int code, const char *message,
                              struct json_object *data)
{
    struct json_object *error = json_keep(arena, json_object_new_object());
    json_set_int(error, "code", code);
    json_set_str(error, "message", message);
    if (data)
        json_set(error, "data", data);
    const char *text = json_text(arena, error);
    /* An id that could not be read is left out: null is not one in this protocol. */
    if (!id)
        return arena_printf(arena, "{\"jsonrpc\":\"2.0\",\"error\":%s}", text);
    return arena_printf(arena, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":%s}", id, text);
}

const char *mcp_error_line(struct arena *arena, const char *id, int code, const char *message)
{
    return error_line(arena, id, code, message, NULL);
}

const char *mcp_result_line(struct arena *arena, const struct mcp_call *call, struct json_object *result)
{
    return result_line(arena, call->id, call->modern, result);
}

const char *mcp_progress_line(struct arena *arena, const struct mcp_call *call, int64_t progress, const char *message)
{
    struct json_object *words = json_keep(arena, json_object_new_string(message));
    return arena_printf(arena,
                        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":%s,"
                        "\"progress\":%lld,\"message\":%s}}",
                        call->progress_token, (long long)progress, json_text(arena, words));
}

static void answer_line(struct mcp_action *out, const char *line)
{
    out->act = MCP_ANSWER;
    out->answer = line;
}

static void answer(struct request *r, struct json_object *result)
{
    answer_line(r->out, result_line(r->arena, r->id, r->modern, result));
}

static void refuse(struct request *r, int code, const char *message)
{
    answer_line(r->out, error_line(r->arena, r->id, code, message, NULL));
}

/* ---- methods ---- */

/* A member of _meta; its names hold dots, so that paths do not reach them.  Present, even when null: true. */
static bool meta_get(struct request *r, const char *key, struct json_object **out)
{
    struct json_object *meta = json_at(r->params, "_meta");
    *out = NULL;
    return json_object_is_type(meta, json_type_object) && json_object_object_get_ex(meta, key, out);
}

static struct json_object *capabilities(void)
{
    struct json_object *o = json_object_new_object();
    json_set(o, "tools", json_object_new_object());
    return o;
}

/* How long and for whom an answer of the modern era may be kept. */
static void set_cache(struct json_object *result)
{
    json_set_int(result, "ttlMs", LIST_TTL_MS);
    json_set_str(result, "cacheScope", "public");
}

static struct json_object *modern_versions(void)
{
    struct json_object *list = json_object_new_array();
    json_push(list, json_object_new_string(modern_version));
    return list;
}

static void do_discover(struct request *r)
{
    struct json_object *o = json_object_new_object();
    json_set(o, "supportedVersions", modern_versions());
    json_set(o, "capabilities", capabilities());
    json_set_str(o, "instructions", instructions);
    set_cache(o);
    answer(r, o);
}

static const char *legacy_version(const char *wanted)
{
    for (size_t i = 0; i < sizeof legacy_versions / sizeof *legacy_versions; i++)
        if (strcmp(legacy_versions[i], wanted) == 0)
            return legacy_versions[i];
    return legacy_versions[0];
}

/* The title of a clientInfo is meant for people, its name for programs. */
static const char *client_name(struct arena *arena, struct json_object *info)
{
    const char *name = json_str(info, "title", "");
    if (!*name)
        name = json_str(info, "name", "");
    return arena_strndup(arena, name, text_prefix_utf16(name, strlen(name), MCP_CLIENT_UNITS_MAX));
}

static void do_initialize(struct request *r)
{
    const char *wanted = json_str(r->params, "protocolVersion", NULL);
    if (!wanted) {
        refuse(r, INVALID_PARAMS, "initialize needs params.protocolVersion, a string.");
        return;
    }
    struct json_object *o = json_object_new_object();
    json_set_str(o, "protocolVersion", legacy_version(wanted));
    json_set(o, "capabilities", capabilities());
    json_set(o, "serverInfo", server_info());
    json_set_str(o, "instructions", instructions);
    r->session->legacy = true;
    snprintf(r->session->client, sizeof r->session->client, "%s",
             client_name(r->arena, json_at(r->params, "clientInfo")));
    answer(r, o);
}

static void do_ping(struct request *r)
{
    answer(r, json_object_new_object());
}

static void do_tools_list(struct request *r)
{
    if (json_has(r->params, "cursor")) {
        refuse(r, INVALID_PARAMS, "There is no page with that cursor: the list has one page.");
        return;
    }
    struct json_object *o = json_object_new_object();
    json_set(o, "tools", mcp_tool_list());
    if (r->modern)
        set_cache(o);
    answer(r, o);
}

/* The value of a request id or a progress token as JSON text; NULL = it is neither a string nor an integer. */
static const char *token_text(struct arena *arena, struct json_object *o)
{
    if (!json_object_is_type(o, json_type_string) && !json_object_is_type(o, json_type_int))
        return NULL;
    const char *text = json_text(arena, o);
    return strlen(text) <= MCP_ID_BYTES_MAX ? text : NULL;
}

/* The client of a modern request says in each who it is, if it does. */
static const char *call_client(struct request *r)
{
    struct json_object *info;
    if (!r->modern)
        return arena_strdup(r->arena, r->session->client);
    return meta_get(r, META_CLIENT, &info) ? client_name(r->arena, info) : "";
}

static void do_tools_call(struct request *r)
{
    struct mcp_call *call = &r->out->call;
    const char *name = json_str(r->params, "name", NULL);
    struct json_object *arguments = json_at(r->params, "arguments");
    if (!name) {
        refuse(r, INVALID_PARAMS, "tools/call needs params.name, a string.");
        return;
    }
    if (arguments && !json_object_is_type(arguments, json_type_object)) {
        refuse(r, INVALID_PARAMS, "params.arguments must be an object.");
        return;
    }
    call->tool = mcp_tool_find(name);
    if (!call->tool) {
        refuse(r, INVALID_PARAMS, "Unknown tool: tools/list names those there are.");
        return;
    }
    call->id = r->id;
    call->modern = r->modern;
    call->client = call_client(r);
    call->arguments = arguments ? arguments : json_keep(r->arena, json_object_new_object());
    call->progress_token = token_text(r->arena, json_at(r->params, "_meta.progressToken"));
    r->out->act = MCP_CALL;
}

static const struct method {
    const char *name;
    bool legacy, modern; /* the eras that have it */
    bool opens;          /* may come before `initialize` */
    void (*run)(struct request *);
} method_table[] = {
    { "server/discover", false, true, false, do_discover },
    { "initialize", true, false, true, do_initialize },
    { "ping", true, false, true, do_ping },
    { "tools/list", true, true, false, do_tools_list },
    { "tools/call", true, true, false, do_tools_call },
};

static const struct method *method_find(const char *name, bool modern)
{
    for (size_t i = 0; i < sizeof method_table / sizeof *method_table; i++)
        if (strcmp(method_table[i].name, name) == 0)
            return (modern ? method_table[i].modern : method_table[i].legacy) ? &method_table[i] : NULL;
    return NULL;
}

/* ---- which era ---- */

static void refuse_version(struct request *r, const char *requested)
{
    struct json_object *data = json_object_new_object();
    json_set(data, "supported", modern_versions());
    json_set_str(data, "requested", requested);
    answer_line(r->out, error_line(r->arena, r->id, UNSUPPORTED_VERSION, "Unsupported protocol version", data));
}

/* false: the _meta of a modern request is wrong, and that is answered. */
static bool meta_fits(struct request *r, struct json_object *version)
{
    struct json_object *client;
    if (!json_object_is_type(version, json_type_string)) {
        refuse(r, INVALID_PARAMS, "params._meta[\"" META_VERSION "\"] must be a string.");
        return false;
    }
    if (strcmp(json_object_get_string(version), modern_version) != 0) {
        refuse_version(r, json_object_get_string(version));
        return false;
    }
    if (!meta_get(r, META_CAPABILITIES, &client) || !json_object_is_type(client, json_type_object)) {
        refuse(r, INVALID_PARAMS, "params._meta[\"" META_CAPABILITIES "\"] is missing: an object, perhaps empty.");
        return false;
    }
    return true;
}

static void run_request(struct request *r)
{
    struct json_object *version;
    r->modern = meta_get(r, META_VERSION, &version);
    if (r->modern && !meta_fits(r, version))
        return;
    const struct method *m = method_find(r->method, r->modern);
    if (!r->modern && !r->session->legacy && !(m && m->opens))
        refuse(r, INVALID_PARAMS,
               "params._meta[\"" META_VERSION "\"] is missing, and the client has not opened with initialize.");
    else if (!m)
        refuse(r, METHOD_NOT_FOUND, "There is no such method here.");
    else
        m->run(r);
}

/* ---- lines in ---- */

static void run_notification(struct request *r)
{
    if (strcmp(r->method, "notifications/cancelled") != 0)
        return;
    const char *id = token_text(r->arena, json_at(r->params, "requestId"));
    if (!id)
        return;
    r->out->act = MCP_CANCEL;
    r->out->cancel_id = id;
    r->out->cancel_reason = json_str(r->params, "reason", "");
}

static void run_message(struct request *r, struct json_object *message)
{
    struct json_object *id = NULL, *params = NULL;
    bool has_id = json_object_object_get_ex(message, "id", &id);
    bool has_params = json_object_object_get_ex(message, "params", &params);
    r->method = json_str(message, "method", NULL);
    r->id = token_text(r->arena, id);
    r->params = json_object_is_type(params, json_type_object) ? params : NULL;
    if (!has_id && r->method)
        run_notification(r);
    else if (!r->method && (json_has(message, "result") || json_has(message, "error")))
        return; /* we ask nothing of clients: a stray response */
    else if (strcmp(json_str(message, "jsonrpc", ""), "2.0") != 0)
        refuse(r, INVALID_REQUEST, "jsonrpc must be \"2.0\".");
    else if (!r->id)
        refuse(r, INVALID_REQUEST, "id must be a string or an integer.");
    else if (!r->method)
        refuse(r, INVALID_REQUEST, "method must be a string.");
    else if (has_params && !r->params)
        refuse(r, INVALID_PARAMS, "params must be an object.");
    else
        run_request(r);
}

void mcp_line(struct mcp_session *session, struct arena *arena, const char *line, size_t len, struct mcp_action *out)
{
    struct request r = { .session = session, .arena = arena, .out = out };
    struct json_object *message;
    struct error e = { 0 };
    *out = (struct mcp_action){ .act = MCP_NOTHING };
    if (json_parse_in(arena, line, len, &message, &e)) {
        r.id = mcp_salvage_id(arena, line, len);
        refuse(&r, PARSE_ERROR, e.text);
    } else if (json_object_is_type(message, json_type_array)) {
        refuse(&r, INVALID_REQUEST, "Batches are not part of this protocol: send one message a line.");
    } else if (!json_object_is_type(message, json_type_object)) {
        refuse(&r, INVALID_REQUEST, "A message is a JSON object.");
    } else {
        run_message(&r, message);
    }
}

const char *mcp_line_too_long(struct arena *arena, const char *begin, size_t len)
{
    return error_line(arena, mcp_salvage_id(arena, begin, len), INVALID_REQUEST,
                      "The message is too long: a line may have 8 MiB.", NULL);
}
