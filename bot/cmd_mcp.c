/* SPDX-License-Identifier: MIT
 * cmd_mcp: see cmd_mcp.h.  The main thread reads lines and answers what needs no waiting; calls run in mcp_calls.c.
 * Standard output carries the protocol and nothing else; what is to be told to people goes to standard error. */
#include "bot/cmd_mcp.h"

#include "base/buf.h"
#include "base/log.h"
#include "bot/agent_option.h"
#include "bot/agent_signal.h"
#include "bot/command.h"
#include "bot/mcp_calls.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    READ_BYTES = 64 * KIB,
    TICK_MS = 250,         /* how soon signals and due signs of life are seen */
    LINE_KEEP_BYTES = MIB, /* a larger buffer is given back after its line */
    PATIENCE_MS = 60000,   /* a host thinks the tool hangs after some minutes; a restart of the server takes seconds */
    PROGRESS_MS = 20000,   /* hosts give up after 5 to 30 silent minutes, some sooner */
};

const char cmd_mcp_help[] =
    "usage: steward mcp [--patience 60s] [--progress 20s]\n"
    "A Model Context Protocol server on standard input and output; an agent's host starts it.\n"
    "\n"
    "  --patience 60s   how long a call waits for a steward that cannot be reached\n"
    "  --progress 20s   how often a call that waits for a person gives a sign of life\n"
    "\n"
    "environment: CLAUDE_NOTIFY_URL (http://127.0.0.1:8080), CLAUDE_NOTIFY_SECRET or CLAUDE_NOTIFY_SECRET_FILE,\n"
    "      CLAUDE_PROJECT, LOG_LEVEL (warn)\n";

struct mcp {
    struct mcp_session session;
    struct mcp_calls *calls;
    struct buf line;
    bool skipping; /* the rest of a line that is too long */
    bool over;     /* nobody reads, or the input ended */
};

static void say(struct mcp *m, const char *line)
{
    if (!mcp_calls_write(m->calls, line))
        m->over = true;
}

static void take_line(struct mcp *m, const char *line, size_t len)
{
    struct arena *arena = arena_new();
    struct mcp_action action;
    mcp_line(&m->session, arena, line, len, &action);
    switch (action.act) {
    case MCP_CALL:
        mcp_calls_begin(m->calls, arena, &action.call);
        return; /* the arena went with it */
    case MCP_ANSWER:
        say(m, action.answer);
        break;
    case MCP_CANCEL:
        mcp_calls_cancel(m->calls, action.cancel_id, action.cancel_reason);
        break;
    case MCP_NOTHING:
        break;
    }
    arena_free(arena);
}

static void end_line(struct mcp *m)
{
    const char *line = buf_str(&m->line);
    if (!m->skipping && line[strspn(line, " \t\r")])
        take_line(m, line, m->line.len);
    m->skipping = false;
    if (m->line.capacity > LINE_KEEP_BYTES)
        buf_release(&m->line);
    buf_clear(&m->line);
}

static void put(struct mcp *m, const char *bytes, size_t len)
{
    if (m->skipping)
        return;
    buf_put(&m->line, bytes, len);
    if (!m->line.overflow)
        return;
    struct arena *arena = arena_new();
    say(m, mcp_line_too_long(arena, buf_str(&m->line), m->line.len));
    arena_free(arena);
    m->skipping = true;
}

static void feed(struct mcp *m, const char *bytes, size_t len)
{
    while (len > 0) {
        const char *end = memchr(bytes, '\n', len);
        size_t part = end ? (size_t)(end - bytes) : len;
        put(m, bytes, part);
        if (end)
            end_line(m);
        part += end != NULL;
        bytes += part;
        len -= part;
    }
}

/* Until the input ends, nobody reads the output, or a signal comes. */
static void serve(struct mcp *m)
{
    static char bytes[READ_BYTES];
    while (!m->over && !agent_stop) {
        struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
        if (poll(&p, 1, TICK_MS) > 0) {
            ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
            if (n > 0)
                feed(m, bytes, (size_t)n);
            else if (n == 0 || (errno != EINTR && errno != EAGAIN))
                break;
        }
        if (!mcp_calls_tick(m->calls))
            m->over = true;
    }
    if (!m->over && !agent_stop)
        end_line(m); /* a last line without its end */
}

static bool read_options(int argc, char **argv, struct mcp_calls_options *o)
{
    for (int i = 1; i < argc; i++) {
        int64_t *into = &o->patience_ms;
        const char *option = argv[i], *value = command_option(argc, argv, &i, "--patience");
        if (!value) {
            into = &o->progress_ms;
            value = command_option(argc, argv, &i, "--progress");
        }
        if (!value || !agent_duration_read(value, into)) {
            command_misused("mcp", cmd_mcp_help, "%s is not understood here, or its value is wrong.", option);
            return false;
        }
    }
    return true;
}

static void set_log_level(void)
{
    const char *name = getenv("LOG_LEVEL");
    enum log_level level;
    log_set_level(name && log_level_parse(name, &level) ? level : LOG_WARN);
}

int cmd_mcp(int argc, char **argv)
{
    struct mcp m = { .line = BUF_INIT(MCP_LINE_BYTES_MAX + 1) };
    struct arena *arena = arena_new();
    struct agent agent;
    struct error e = { 0 };
    struct mcp_calls_options o = { .agent = &agent,
                                   .patience_ms = PATIENCE_MS,
                                   .progress_ms = PROGRESS_MS,
                                   .input = STDIN_FILENO,
                                   .output = STDOUT_FILENO,
                                   .stop = &agent_stop,
                                   .hurry = &agent_stop_twice };
    if (!read_options(argc, argv, &o)) {
        arena_free(arena);
        return COMMAND_MISUSED;
    }
    set_log_level();
    agent_signal_catch();
    if (agent_open(&agent, "steward mcp", arena, &e)) {
        (void)command_failed("mcp", e.text);
        o.failure = e.text; /* a host hides this stream; the results of calls tell it as well */
    }
    o.project = agent.project ? agent.project : "unknown";
    m.calls = mcp_calls_new(&o);
    serve(&m);
    if (!mcp_calls_end(m.calls, agent_stop ? "The agent was stopped." : "The agent ended."))
        _exit(agent_stop ? agent_signal_exit_code() : 1);
    buf_release(&m.line);
    if (!o.failure)
        agent_close(&agent);
    arena_free(arena);
    return agent_stop ? agent_signal_exit_code() : 0;
}
