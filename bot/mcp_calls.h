/* SPDX-License-Identifier: MIT
 * mcp_calls: the calls that are open: a thread for each, one lock for all of them and for the output, so that no line
 * about a call follows its answer.  Used by cmd_mcp.c, whose main thread reads; nothing here reads input. */
#ifndef BOT_MCP_CALLS_H
#define BOT_MCP_CALLS_H

#include "bot/agent_client.h"
#include "bot/mcp.h"

enum { MCP_CALLS_MAX = 32 }; /* a person answers one after the other; beyond it something runs wild */

struct mcp_calls;

struct mcp_calls_options {
    const struct agent *agent;  /* opened; each call works on a copy.  Unused when failure is set */
    const char *failure;        /* why the server cannot be asked at all: every call's result says it; NULL = it can */
    const char *project;        /* of the cards */
    int64_t patience_ms;        /* to reach the server for the first time in a call; afterwards there is no end */
    int64_t progress_ms;        /* between two signs of life of a waiting call */
    int input, output;          /* file descriptors; the input is only looked at for its end */
    const volatile bool *stop;  /* a signal came: nothing waits for a reader that does not read */
    const volatile bool *hurry; /* do not even withdraw */
};

struct mcp_calls *mcp_calls_new(const struct mcp_calls_options *);

/* Write one line.  false: nobody reads any more. */
bool mcp_calls_write(struct mcp_calls *, const char *line);

/* Begin a call; the arena, which holds it, belongs to the calls from here on.  Too many, or an id that is taken:
 * answered. */
void mcp_calls_begin(struct mcp_calls *, struct arena *, const struct mcp_call *);

/* The client wants no answer any more: the question is withdrawn.  Unknown ids are nothing. */
void mcp_calls_cancel(struct mcp_calls *, const char *id, const char *reason);

/* Signs of life that are due; false: nobody reads any more. */
bool mcp_calls_tick(struct mcp_calls *);

/* Withdraw all that is open and wait for it, bounded; frees when all ended.  false: some thread still runs: leave
 * with _exit(). */
bool mcp_calls_end(struct mcp_calls *, const char *reason);

#endif
