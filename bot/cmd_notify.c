/* SPDX-License-Identifier: MIT
 * cmd_notify: see cmd_notify.h.  Asks, waits, prints, withdraws; its arguments are read by notify_arguments.c.  The
 * request's id is made before the first try: a server that restarts, or an answer that gets lost, never asks the person
 * twice. */
#include "bot/cmd_notify.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "bot/agent_client.h"
#include "bot/agent_signal.h"
#include "bot/command.h"
#include "bot/notify_arguments.h"
#include <stdio.h>
#include <string.h>

enum {
    EXIT_ANSWERED = COMMAND_DONE,
    EXIT_FAILED = COMMAND_FAILED,
    EXIT_EXPIRED = 3,
    EXIT_CANCELLED = 4,
    EXIT_UNREACHABLE = 5,
    EXIT_REFUSED = 6,

    PATIENCE_ASK_MS = 10 * 60000,
    PATIENCE_TELL_MS = 2 * 60000,
    PATIENCE_WAIT_MS = 24 * 3600 * 1000, /* the question is with the person already: an outage may last */
};

static bool is_blocking(const struct notify_arguments *o)
{
    return strcmp(o->type, "blocking") == 0;
}

/* --- asking --- */

struct notify {
    struct agent agent;
    struct arena *arena;
    const struct notify_arguments *arguments;
    struct error error;
};

static int complain(struct notify *n, enum status s)
{
    fprintf(stderr, "%s: %s%s\n", n->agent.who, n->error.text, s == ST_UNAVAILABLE ? " Gave up." : "");
    return s == ST_DENIED ? EXIT_REFUSED : s == ST_UNAVAILABLE || s == ST_BUSY ? EXIT_UNREACHABLE : EXIT_FAILED;
}

static int print_line(struct notify *n, const char *text, int code)
{
    if (puts(text) >= 0 && fflush(stdout) == 0)
        return code;
    fprintf(stderr, "%s: the answer cannot be written to standard output.\n", n->agent.who);
    return EXIT_FAILED;
}

static int end_words(struct notify *n, struct json_object *answer, const char *words, int code)
{
    const char *reason = json_str(answer, "reason", NULL);
    fprintf(stderr, "%s: %s%s%s.\n", n->agent.who, words, reason ? ": " : "",
            reason ? text_unspoof(n->arena, text_clean(n->arena, reason, strlen(reason))) : "");
    return n->arguments->json ? print_line(n, json_text(n->arena, answer), code) : code;
}

/* The request is over: say how. */
static int conclude(struct notify *n, struct json_object *answer)
{
    const char *status = json_str(answer, "status", "");
    if (strcmp(status, "responded") == 0)
        return print_line(n, n->arguments->json ? json_text(n->arena, answer) : json_str(answer, "response", ""),
                          EXIT_ANSWERED);
    if (strcmp(status, "expired") == 0)
        return end_words(n, answer, "expired without an answer", EXIT_EXPIRED);
    if (strcmp(status, "cancelled") == 0)
        return end_words(n, answer, "cancelled", EXIT_CANCELLED);
    fprintf(stderr, "%s: the server answers with a status that is not known here.\n", n->agent.who);
    return EXIT_FAILED;
}

/* After a signal: nothing but the withdrawal. */
static int stopped(struct notify *n)
{
    struct json_object *answer;
    if (!n->agent.perhaps_sent || !is_blocking(n->arguments))
        return agent_signal_exit_code();
    enum status s = agent_cancel(&n->agent, n->arena, n->arguments->request_id, "the asking program was stopped",
                                 &agent_stop_twice, &answer, &n->error);
    if (s != OK && s != ST_NOT_FOUND)
        fprintf(stderr, "%s: the request could not be withdrawn: %s\n", n->agent.who, n->error.text);
    return agent_signal_exit_code();
}

/* --timeout is over.  The withdrawal may find that the person was faster: then that is the answer. */
static int timed_out(struct notify *n)
{
    struct json_object *answer = NULL;
    const char *why = arena_strdup(n->arena, n->error.text);
    if (!n->agent.perhaps_sent || !is_blocking(n->arguments))
        return complain(n, ST_BUSY);
    if (agent_cancel(&n->agent, n->arena, n->arguments->request_id, "nobody answered in time", &agent_stop, &answer,
                     &n->error) != OK) {
        fprintf(stderr, "%s: no answer in time (%s), and the request could not be withdrawn: %s\n", n->agent.who, why,
                n->error.text);
        return EXIT_UNREACHABLE;
    }
    if (strcmp(json_str(answer, "status", ""), "cancelled") != 0)
        return conclude(n, answer);
    return end_words(n, answer, "no answer within the --timeout", EXIT_CANCELLED);
}

static int ended(struct notify *n, enum status s)
{
    if (s == ST_SHUTDOWN || agent_stop)
        return stopped(n);
    if (s == ST_BUSY)
        return timed_out(n);
    return complain(n, s);
}

static int ask(struct notify *n)
{
    const struct notify_arguments *o = n->arguments;
    struct json_object *answer = NULL;
    n->agent.patience_ms = o->patience_ms ? o->patience_ms : is_blocking(o) ? PATIENCE_ASK_MS : PATIENCE_TELL_MS;
    if (o->timeout_ms)
        n->agent.deadline_ms = clock_mono_ms() + o->timeout_ms;
    enum status s = agent_send(&n->agent, n->arena, o->body, &answer, &n->error);
    if (s != OK)
        return ended(n, s);
    const char *code = json_str(answer, "code", NULL);
    if (code)
        fprintf(stderr, "code: %s\n", text_clean(n->arena, code, strlen(code)));
    if (!is_blocking(o))
        return o->json ? print_line(n, json_text(n->arena, answer), EXIT_ANSWERED) : EXIT_ANSWERED;
    n->agent.patience_ms = o->patience_ms ? o->patience_ms : PATIENCE_WAIT_MS;
    s = agent_wait(&n->agent, n->arena, o->request_id, &answer, &n->error);
    return s == OK ? conclude(n, answer) : ended(n, s);
}

static int notify(struct arena *arena, const struct notify_arguments *o, const char *who)
{
    struct notify n = { .arena = arena, .arguments = o };
    enum status s = agent_open(&n.agent, who, arena, &n.error);
    if (s != OK)
        return complain(&n, s);
    const char *project = o->project ? o->project : n.agent.project ? n.agent.project : "unknown";
    json_set_str(o->body, "project", text_clean(arena, project, strlen(project)));
    n.agent.cancel = &agent_stop;
    agent_signal_catch();
    int code = ask(&n);
    agent_close(&n.agent);
    return code;
}

int cmd_notify(int argc, char **argv)
{
    struct arena *arena = arena_new();
    struct notify_arguments o;
    const char *who = strcmp(argv[0], "notify") == 0 ? "steward notify" : "claude-notify"; /* by that name */
    int code = notify_arguments_read(arena, who, argc, argv, &o) ? notify(arena, &o, who) : COMMAND_MISUSED;
    arena_free(arena);
    return code;
}
