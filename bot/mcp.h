/* SPDX-License-Identifier: MIT
 * mcp: the Model Context Protocol as pure functions: a line of the client in, what to do out.
 *
 * Both eras.  A request that names its protocol version in `_meta` is served by itself (2026-07-28); a client that
 * opens with `initialize` gets the handshake of 2025-11-25 and earlier for the life of the process.  cmd_mcp.c reads
 * the lines, runs the calls and writes; nothing here touches a socket, a clock or a thread. */
#ifndef BOT_MCP_H
#define BOT_MCP_H

#include "base/arena.h"
#include "base/limits.h"
#include <json-c/json.h>
#include <stdint.h>

enum {
    MCP_LINE_BYTES_MAX = 8 * MIB, /* a client's message: a permission request holds the whole input of a tool */
    MCP_ID_BYTES_MAX = 512,       /* a request id as JSON text; clients count or use UUIDs */
    MCP_CLIENT_UNITS_MAX = 48,    /* UTF-16 units of a client's name that are kept: it stands in the title of a card */
};

struct mcp_tool;

struct mcp_session {
    bool legacy; /* `initialize` was the opening: requests without a version in _meta are of that era */
    char client[3 * MCP_CLIENT_UNITS_MAX + 1]; /* what the client called itself there; "" = it did not */
};

struct mcp_call {
    const char *id;             /* of the request, as JSON text: 7 or "a" */
    const char *progress_token; /* as JSON text; NULL = the client wants no progress */
    bool modern;                /* the era of the answer */
    const char *client;         /* what the client calls itself, from outside; "" = it does not say */
    const struct mcp_tool *tool;
    struct json_object *arguments; /* an object; lives as long as the arena of the line */
};

enum mcp_act {
    MCP_NOTHING, /* a notification or a stray response */
    MCP_ANSWER,  /* write .answer */
    MCP_CALL,    /* run .call, then write mcp_result_line() */
    MCP_CANCEL,  /* the client no longer wants the call .cancel_id; it gets no answer */
};
struct mcp_action {
    enum mcp_act act;
    const char *answer; /* one line, without its end */
    struct mcp_call call;
    const char *cancel_id, *cancel_reason; /* the id as JSON text; the reason "" when none was given */
};

/* One message, without its line end.  Everything in *out belongs to the arena.  Never fails: what is wrong is answered.
 */
void mcp_line(struct mcp_session *, struct arena *, const char *line, size_t len, struct mcp_action *out);

/* The answer to a line over MCP_LINE_BYTES_MAX, of which only the beginning is known. */
const char *mcp_line_too_long(struct arena *, const char *begin, size_t len);

/* An error answer to a call that was not begun. */
const char *mcp_error_line(struct arena *, const char *id, int code, const char *message);

/* The answer to a call; takes the result (see mcp_tool_result()). */
const char *mcp_result_line(struct arena *, const struct mcp_call *, struct json_object *result);

/* A sign of life of a call that has a progress_token; `progress` must grow from one to the next. */
const char *mcp_progress_line(struct arena *, const struct mcp_call *, int64_t progress, const char *message);

/* The id of a request that is not JSON as we read it (a lone surrogate, an object too deep), so that the client's call
 * fails instead of waiting for ever: the value of the outermost "id", as JSON text; NULL = none could be made out. */
const char *mcp_salvage_id(struct arena *, const char *line, size_t len);

#endif
