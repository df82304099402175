/* SPDX-License-Identifier: MIT
 * mcp_tools: what an agent can call: ask_human, notify_human, approve.  One table row per tool holds its words, its
 * arguments (which give the schema and the validation), what it asks of the server and what the answers mean.
 * Pure functions, called on the thread of the call; cmd_mcp.c does the talking. */
#ifndef BOT_MCP_TOOLS_H
#define BOT_MCP_TOOLS_H

#include "base/status.h"
#include "bot/mcp.h"
#include "router/hook.h"

/* What a call asks of the server: usually one request; approve of a tool that asks several questions makes several. */
struct mcp_plan {
    struct {
        const char *request_id;
        struct json_object *body; /* of POST /send, complete */
    } request[HOOK_QUESTIONS_MAX];
    int count;
    const struct hook *hook; /* approve: the tool call as it is shown; else NULL */
};

struct mcp_outcome {
    const char *failure; /* why it could not be asked or followed to its end, a sentence; NULL = it could */
    /* One per request, in order: the last answer of GET /poll (of POST /send where nothing is waited for). */
    struct json_object *state[HOOK_QUESTIONS_MAX];
};

enum mcp_type {
    MCP_TEXT,    /* a string that is not blank */
    MCP_SPAN,    /* "90s", "30m", "24h", "never", or seconds as a number */
    MCP_CHOICE,  /* one of .choices */
    MCP_FLAG,    /* true, false */
    MCP_OPTIONS, /* strings or {label, value?} */
    MCP_OBJECT,  /* any object */
};

enum { MCP_ARGS_MAX = 6, MCP_OPTIONS_MAX = 20 }; /* more options are a list to scroll, not a question */

struct mcp_arg {
    const char *name;
    enum mcp_type type;
    bool required;
    const char *choices; /* "normal|high" */
    const char *doc;     /* for the model */
};

struct mcp_tool {
    const char *name, *title, *doc;
    struct mcp_arg args[MCP_ARGS_MAX + 1]; /* ends with a NULL name */
    bool open;                             /* arguments that are not in the row are let through */
    bool waits;                            /* a question: its answer is waited for */
    struct json_object *(*output)(void);   /* schema of structuredContent; NULL = there is none */
    enum status (*plan)(struct arena *, const struct mcp_call *, const char *project, const char *fresh_id,
                        struct mcp_plan *, struct error *);
    struct json_object *(*result)(struct arena *, struct json_object *arguments, const struct mcp_plan *,
                                  const struct mcp_outcome *);
};

extern const struct mcp_tool mcp_tool_ask, mcp_tool_notify, mcp_tool_approve;

const struct mcp_tool *mcp_tool_find(const char *name); /* NULL: there is none */

/* The array of `tools/list`; the caller owns it. */
struct json_object *mcp_tool_list(void);

/* Check the arguments and say what to send.  `fresh_id` becomes the request's id unless the call brings a key of its
 * own. ST_INVALID, ST_LIMIT: the arguments are wrong, in a sentence for the model. */
enum status MUST_CHECK mcp_tool_plan(struct arena *, const struct mcp_call *, const char *project, const char *fresh_id,
                                     struct mcp_plan *, struct error *);

/* The result of `tools/call` without the parts that every result has; the caller owns it.  With a failure the plan may
 * be empty.  approve fails closed: whatever is not plainly the answer that allows denies. */
struct json_object *mcp_tool_result(struct arena *, const struct mcp_call *, const struct mcp_plan *,
                                    const struct mcp_outcome *);

/* For the tools: a result of one block of text. */
struct json_object *mcp_text_result(const char *text, bool is_error);

#endif
