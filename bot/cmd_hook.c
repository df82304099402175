/* SPDX-License-Identifier: MIT
 * cmd_hook: see cmd_hook.h.  Fails closed: whatever goes wrong at a permission prompt ends in an explicit no that says
 * why, because an agent goes on when its hook just fails.  Events that decide nothing never hold the agent up. */
#include "bot/cmd_hook.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "bot/agent_client.h"
#include "bot/agent_option.h"
#include "bot/agent_signal.h"
#include "bot/command.h"
#include "router/hook.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    EXIT_DECIDED = 0,
    EXIT_BLOCK = 2,
    TIMEOUT_DEFAULT_MS = 590 * 1000, /* the agents' own is 600 s; withdrawing and printing fit in between */
    PATIENCE_ASK_MS = 2 * 60000,     /* longer than a restart of the server */
    PATIENCE_TELL_MS = 10000,
    LAST_LOOK_MS = 1500,
    INPUT_BYTES_MAX = 8 * MIB, /* more than the server takes: so that even that gets its no */
};

const char cmd_hook_help[] =
    "usage: steward hook claude|codex [OPTIONS] [JSON]\n"
    "Reads the hook's JSON from standard input (Codex notify: from the last argument), asks, prints the decision.\n"
    "\n"
    "  --timeout 590          seconds until no answer is a no; keep it below the timeout of the hook's settings\n"
    "  --patience 2m          how long the server may be away before that is a no\n"
    "  --on-failure deny|ask  ask: on failure decide nothing, the agent asks in its terminal\n"
    "  --next                 Stop: ask what to do next, the agent goes on with the words\n"
    "  --project NAME         instead of CLAUDE_PROJECT or the name of the working directory\n"
    "\n"
    "`steward setup claude` and `steward setup codex` print the settings that call it.\n";

static const struct dialect {
    const char *name;
    enum hook_dialect dialect;
} dialect_table[] = { { "claude", HOOK_CLAUDE }, { "codex", HOOK_CODEX } };

struct job {
    struct arena *arena;
    const struct dialect *dialect;
    bool ask_on_failure;
    bool by_argument;                /* the body */
    int64_t timeout_ms, patience_ms; /* patience 0 = by kind */
    const char *project;
    const char *body; /* NULL: on standard input */
    size_t body_len;
    bool next;
    struct hook hook;
    struct agent agent;
    struct agent_hook post;
    char request_id[AGENT_ID_BYTES];
    struct error error;
};

/* --- input --- */

static bool wrong(const char *word)
{
    command_misused("hook", cmd_hook_help, "%s is not understood here, or its value is wrong.", word);
    return false;
}

static bool failure_read(const char *value, bool *ask)
{
    *ask = strcmp(value, "ask") == 0;
    return *ask || strcmp(value, "deny") == 0;
}

static bool option_read(struct job *j, int argc, char **argv, int *i)
{
    const char *value, *option = argv[*i];
    bool good = true;
    if (strcmp(option, "--next") == 0)
        j->next = true;
    else if ((value = command_option(argc, argv, i, "--timeout")))
        good = agent_duration_read(value, &j->timeout_ms);
    else if ((value = command_option(argc, argv, i, "--patience")))
        good = agent_duration_read(value, &j->patience_ms);
    else if ((value = command_option(argc, argv, i, "--on-failure")))
        good = failure_read(value, &j->ask_on_failure);
    else if ((value = command_option(argc, argv, i, "--project")))
        j->project = value;
    else
        good = false;
    return good || wrong(option);
}

static bool word_read(struct job *j, const char *word)
{
    for (size_t k = 0; !j->dialect && k < sizeof dialect_table / sizeof dialect_table[0]; k++)
        if (strcmp(word, dialect_table[k].name) == 0) {
            j->dialect = &dialect_table[k];
            return true;
        }
    if (!j->dialect || j->body)
        return wrong(word);
    j->by_argument = true;
    j->body = word;
    j->body_len = strlen(word);
    return true;
}

static bool arguments_read(struct job *j, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (argv[i][0] == '-' ? !option_read(j, argc, argv, &i) : !word_read(j, argv[i]))
            return false;
    if (!j->dialect)
        command_usage(cmd_hook_help);
    return j->dialect;
}

static bool may_permit(const char *event)
{
    return strcmp(event, "PermissionRequest") == 0 || strcmp(event, "PreToolUse") == 0;
}

/* OK: the hook is read.  Otherwise *code is what to exit with. */
static enum status input_read(struct job *j, int *code)
{
    struct json_object *o = NULL;
    enum status s = OK;
    if (!j->body)
        s = agent_read_all(j->arena, STDIN_FILENO, INPUT_BYTES_MAX, "The hook's input", &j->body, &j->body_len,
                           &j->error);
    if (s == OK)
        s = json_parse_in(j->arena, j->body, j->body_len, &o, &j->error);
    if (s == OK)
        s = hook_read(j->arena, j->dialect->dialect, o, j->project, &j->hook, &j->error);
    if (s == OK) {
        j->next = j->next && hook_wait_for_next(j->arena, &j->hook);
        return OK;
    }
    fprintf(stderr, "steward hook: the event cannot be read: %s\n", j->error.text);
    const char *event = json_object_is_type(o, json_type_object) ? json_str(o, "hook_event_name", "") : "";
    bool harmless = *event && !may_permit(event);
    *code = j->ask_on_failure || harmless ? EXIT_DECIDED : EXIT_BLOCK;
    return s;
}

/* --- output --- */

static int print_decision(const char *text)
{
    if (!*text || (puts(text) >= 0 && fflush(stdout) == 0))
        return EXIT_DECIDED;
    fprintf(stderr, "steward hook: the decision cannot be written to standard output.\n");
    return EXIT_BLOCK;
}

/* What went wrong, and for a permission the agent's no; `why` is a sentence. */
static int no_decision(struct job *j, enum status s, const char *why)
{
    struct hook_answer answers[HOOK_QUESTIONS_MAX];
    fprintf(stderr, "steward hook: %s\n", why);
    if (j->hook.kind != HOOK_ASK || j->ask_on_failure)
        return EXIT_DECIDED;
    for (int i = 0; i < HOOK_QUESTIONS_MAX; i++)
        answers[i] = (struct hook_answer){ .outcome = s == ST_BUSY ? HOOK_TIMEOUT : HOOK_CANCELLED, .why = why };
    struct json_object *deny = hook_decide(j->arena, &j->hook, answers, j->hook.question_count);
    if (deny)
        return print_decision(json_text(j->arena, deny));
    return may_permit(j->hook.event) ? EXIT_BLOCK : EXIT_DECIDED;
}

/* --- asking --- */

/* The server names the questions of a hook so. */
static const char *question_id(struct job *j, int i)
{
    return arena_printf(j->arena, "hook:%s:%d", j->request_id, i + 1);
}

/* Take the cards back; *answered counts the ones that had been answered before.  Ends at the first that fails. */
static enum status cards_withdraw(struct job *j, const char *reason, const volatile bool *cancel, int *answered,
                                  struct error *e)
{
    int count = j->hook.kind == HOOK_ASK ? j->hook.question_count : 0;
    *answered = 0;
    for (int i = 0; i < count && j->agent.perhaps_sent; i++) {
        struct json_object *state = NULL;
        enum status s = agent_cancel(&j->agent, j->arena, question_id(j, i), reason, cancel, &state, e);
        if (s != OK && s != ST_NOT_FOUND)
            return s;
        *answered += s == OK && strcmp(json_str(state, "status", ""), "responded") == 0;
    }
    return OK;
}

/* Stopped by a signal: the agent was answered in its terminal, or ended. */
static int stopped(struct job *j)
{
    int answered;
    struct error e;
    if (cards_withdraw(j, "the agent is no longer waiting", &agent_stop_twice, &answered, &e) != OK)
        fprintf(stderr, "steward hook: the request could not be withdrawn: %s\n", e.text);
    return agent_signal_exit_code();
}

/* Out of time or out of reach.  True: the person had been faster, and *decision is theirs. */
static bool decided_after_all(struct job *j, const char **decision)
{
    int answered;
    struct error e;
    if (cards_withdraw(j, "no answer in time", &agent_stop, &answered, &e) != OK || answered == 0 ||
        answered < j->hook.question_count)
        return false;
    j->agent.silent = true;
    j->agent.deadline_ms = clock_mono_ms() + LAST_LOOK_MS;
    return agent_hook_post(&j->agent, j->arena, &j->post, decision, &e) == OK;
}

static const char *why_not(struct job *j, enum status s)
{
    if (s == ST_BUSY)
        return arena_printf(j->arena, "Nobody answered within %s.", agent_duration_text(j->arena, j->timeout_ms));
    if (s == ST_UNAVAILABLE)
        return arena_printf(j->arena, "steward cannot be asked: %s", j->error.text);
    return arena_printf(j->arena, "steward did not decide: %s", j->error.text);
}

static int ask(struct job *j)
{
    const char *decision = "";
    enum status s = OK;
    if (j->body_len > HTTP_BODY_BYTES_MAX)
        s = fail(&j->error, ST_LIMIT, "The call is larger than %d KiB, too large to be shown.",
                 HTTP_BODY_BYTES_MAX / 1024);
    if (s == OK)
        s = agent_hook_post(&j->agent, j->arena, &j->post, &decision, &j->error);
    if (s == OK)
        return print_decision(decision);
    if (agent_stop)
        return stopped(j);
    const char *why = why_not(j, s);
    if ((s == ST_BUSY || s == ST_UNAVAILABLE) && decided_after_all(j, &decision))
        return print_decision(decision);
    return no_decision(j, s, why);
}

static int run(struct job *j)
{
    int code;
    int64_t until_ms = clock_mono_ms() + j->timeout_ms;
    if (input_read(j, &code) != OK)
        return code;
    if (j->hook.kind == HOOK_NOTHING)
        return EXIT_DECIDED;
    enum status s = agent_open(&j->agent, "steward hook", j->arena, &j->error);
    if (s != OK)
        return no_decision(j, s, why_not(j, s));
    bool asks = j->hook.kind == HOOK_ASK;
    const char *project = j->project ? j->project : j->agent.project;
    j->agent.project = project ? text_clean(j->arena, project, strcspn(project, "\r\n")) : NULL;
    j->agent.cancel = &agent_stop;
    j->agent.deadline_ms = until_ms;
    j->agent.patience_ms = j->patience_ms ? j->patience_ms : asks ? PATIENCE_ASK_MS : PATIENCE_TELL_MS;
    j->post = (struct agent_hook){ .dialect = j->dialect->name,
                                   .request_id = agent_id_new(j->request_id),
                                   .body = j->body,
                                   .body_len = j->body_len,
                                   .until_ms = until_ms,
                                   .next = j->next };
    agent_signal_catch();
    if (!j->by_argument) /* Codex's notify goes out even when the agent has ended meanwhile */
        agent_signal_watch_parent();
    code = ask(j);
    agent_close(&j->agent);
    return code;
}

int cmd_hook(int argc, char **argv)
{
    struct job j = { .arena = arena_new(), .timeout_ms = TIMEOUT_DEFAULT_MS };
    int code = EXIT_BLOCK;
    if (arguments_read(&j, argc, argv))
        code = run(&j);
    arena_free(j.arena);
    return code;
}
