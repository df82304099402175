/* SPDX-License-Identifier: MIT
 * cmd_heartbeat: see cmd_heartbeat.h.  The main thread runs the command and passes signals on; a second thread tells.
 * What the second one meets never reaches the command: it holds the end up by END_MS at most. */
#include "bot/cmd_heartbeat.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/thread.h"
#include "bot/agent_client.h"
#include "bot/agent_option.h"
#include "bot/command.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    EVERY_DEFAULT_MS = 30 * 60000,
    NAME_UNITS_MAX = 200, /* of the command, as it is told */
    TRY_MS = 8000,
    BEAT_PATIENCE_MS = 60000,
    END_MS = 10000,
};

const char cmd_heartbeat_help[] =
    "usage: steward heartbeat [--every 30m] [--name TEXT] [--project NAME] -- COMMAND…\n"
    "Runs COMMAND, tells at its start, every 30 minutes and at its end; the exit code is COMMAND's.\n"
    "\n"
    "  --every 30m      90s, 30m, 2h\n"
    "  --name TEXT      told instead of the command line\n"
    "  --project NAME   instead of CLAUDE_PROJECT\n"
    "\n"
    "environment: CLAUDE_NOTIFY_URL (http://127.0.0.1:8080), CLAUDE_NOTIFY_SECRET or CLAUDE_NOTIFY_SECRET_FILE,\n"
    "      CLAUDE_PROJECT\n";

struct heartbeat {
    int64_t every_ms;
    const char *name, *project;
    char **command;
    struct arena *arena;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool ended;          /* the command; `code` and `signal` are set */
    bool told;           /* the thread is done */
    volatile bool hurry; /* the same as ended, for the client */
    volatile bool cancel;
    int code, signal;

    /* the thread's */
    struct agent agent;
    int64_t begin_ms;
    char last_error[ERROR_TEXT_BYTES_MAX];
};

/* --- telling (second thread) --- */

static void tell(struct heartbeat *h, const char *type, const char *message)
{
    struct arena *a = arena_new();
    struct json_object *body = json_keep(a, json_object_new_object()), *answer;
    struct error e = { 0 };
    char id[AGENT_ID_BYTES];
    json_set_str(body, "request_id", agent_id_new(id));
    json_set_str(body, "project", h->project);
    json_set_str(body, "type", type);
    json_set_str(body, "message", message);
    /* A failure is said once, not at every beat. */
    if (agent_send(&h->agent, a, body, &answer, &e) != OK && e.status != ST_SHUTDOWN &&
        strcmp(h->last_error, e.text) != 0) {
        fprintf(stderr, "steward heartbeat: not told: %s\n", e.text);
        snprintf(h->last_error, sizeof h->last_error, "%s", e.text);
    }
    arena_free(a);
}

static void tell_end(struct heartbeat *h)
{
    struct arena *a = arena_new();
    const char *took = agent_duration_text(a, clock_mono_ms() - h->begin_ms), *words;
    if (h->signal)
        words = arena_printf(a, "ended by signal %d (%s) after %s: %s", h->signal, strsignal(h->signal), took, h->name);
    else if (h->code)
        words = arena_printf(a, "failed with exit code %d after %s: %s", h->code, took, h->name);
    else
        words = arena_printf(a, "finished after %s: %s", took, h->name);
    h->agent.hurry = NULL;
    h->agent.patience_ms = END_MS;
    h->agent.deadline_ms = clock_mono_ms() + END_MS;
    tell(h, h->signal || h->code ? "error" : "milestone", words);
    arena_free(a);
}

/* True: the command ended before `at_ms`. */
static bool wait_until(struct heartbeat *h, int64_t at_ms)
{
    pthread_mutex_lock(&h->lock);
    while (!h->ended && clock_mono_ms() < at_ms)
        condition_wait_until(&h->changed, &h->lock, at_ms);
    bool ended = h->ended;
    pthread_mutex_unlock(&h->lock);
    return ended;
}

static void *teller(void *arg)
{
    struct heartbeat *h = arg;
    int64_t next_ms = h->begin_ms + h->every_ms;
    tell(h, "heartbeat", arena_printf(h->arena, "started: %s", h->name));
    while (!wait_until(h, next_ms)) {
        struct arena *a = arena_new();
        const char *took = agent_duration_text(a, clock_mono_ms() - h->begin_ms);
        tell(h, "heartbeat", arena_printf(a, "running for %s: %s", took, h->name));
        arena_free(a);
        while (next_ms <= clock_mono_ms()) /* the machine slept: what was missed is not made up for */
            next_ms += h->every_ms;
    }
    tell_end(h);
    pthread_mutex_lock(&h->lock);
    h->told = true;
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

static bool teller_start(struct heartbeat *h, pthread_t *thread)
{
    struct error e;
    if (agent_open(&h->agent, "steward heartbeat", h->arena, &e)) {
        fprintf(stderr, "steward heartbeat: nothing will be told: %s\n", e.text);
        return false;
    }
    if (!h->project)
        h->project = h->agent.project ? h->agent.project : "unknown";
    h->project = text_clean(h->arena, h->project, strlen(h->project));
    h->agent.try_ms = TRY_MS;
    h->agent.patience_ms = BEAT_PATIENCE_MS;
    h->agent.hurry = &h->hurry;
    h->agent.cancel = &h->cancel;
    if (thread_start(thread, &(struct thread_start){ .name = "teller", .run = teller, .arg = h }, &e) == OK)
        return true;
    fprintf(stderr, "steward heartbeat: nothing will be told: %s\n", e.text);
    agent_close(&h->agent);
    return false;
}

/* --- the command (main thread) --- */

static void signals_of_interest(sigset_t *set)
{
    static const int passed_on[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };
    sigemptyset(set);
    for (size_t i = 0; i < sizeof passed_on / sizeof passed_on[0]; i++)
        sigaddset(set, passed_on[i]);
}

static pid_t command_start(const struct heartbeat *h, const sigset_t *mask)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    sigprocmask(SIG_SETMASK, mask, NULL);
    execvp(h->command[0], h->command);
    int why = errno;
    fprintf(stderr, "steward heartbeat: %s cannot be run: %s\n", h->command[0], strerror(why));
    _exit(why == ENOENT ? 127 : 126);
}

/* What a terminal sends goes to the whole group, the command included; what a process sends comes to us alone. */
static void pass_on(pid_t child, const siginfo_t *info)
{
    if (info->si_code <= 0)
        kill(child, info->si_signo);
}

static void command_wait(struct heartbeat *h, pid_t child, const sigset_t *set)
{
    siginfo_t info;
    int status;
    pid_t ended;
    while ((ended = waitpid(child, &status, WNOHANG)) == 0 || (ended < 0 && errno == EINTR))
        if (sigwaitinfo(set, &info) > 0 && info.si_signo != SIGCHLD)
            pass_on(child, &info);
    pthread_mutex_lock(&h->lock);
    if (ended < 0)
        h->code = 1;
    else if (WIFSIGNALED(status))
        h->signal = WTERMSIG(status);
    else
        h->code = WEXITSTATUS(status);
    h->ended = true;
    __atomic_store_n(&h->hurry, true, __ATOMIC_RELAXED);
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->lock);
}

/* The last message is on its way; who does not want to wait for it presses Ctrl-C. */
static void teller_wait(struct heartbeat *h, pthread_t thread, const sigset_t *set)
{
    const struct timespec slice = { .tv_nsec = 50 * 1000000 };
    for (bool told = false; !told;) {
        int signal = sigtimedwait(set, NULL, &slice);
        if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT)
            __atomic_store_n(&h->cancel, true, __ATOMIC_RELAXED);
        pthread_mutex_lock(&h->lock);
        told = h->told;
        pthread_mutex_unlock(&h->lock);
    }
    pthread_join(thread, NULL);
    agent_close(&h->agent);
}

static int run(struct heartbeat *h)
{
    sigset_t set, before;
    pthread_t thread;
    signal(SIGCHLD, SIG_DFL); /* ignored, as some parents leave it, there would be no exit code */
    signals_of_interest(&set);
    sigprocmask(SIG_BLOCK, &set, &before);
    pid_t child = command_start(h, &before);
    if (child < 0) {
        fprintf(stderr, "steward heartbeat: no process can be started: %s\n", strerror(errno));
        return 126;
    }
    signal(SIGPIPE, SIG_IGN); /* after the fork: the command keeps its own */
    h->begin_ms = clock_mono_ms();
    bool telling = teller_start(h, &thread);
    command_wait(h, child, &set);
    if (telling)
        teller_wait(h, thread, &set);
    return h->signal ? 128 + h->signal : h->code;
}

/* --- arguments --- */

static const char *command_text(struct arena *a, char **command)
{
    const char *text = "";
    for (int i = 0; command[i]; i++)
        text = arena_printf(a, "%s%s%s", text, i ? " " : "", command[i]);
    char *clean = arena_strdup(a, text_clean(a, text, strlen(text)));
    size_t fits = text_prefix_utf16(clean, strlen(clean), NAME_UNITS_MAX);
    if (!clean[fits])
        return clean;
    clean[fits] = '\0';
    return arena_printf(a, "%s…", clean);
}

/* The index of the command's first word; 0 = wrong usage, and said so. */
static int arguments_read(int argc, char **argv, struct heartbeat *h)
{
    int i = 1;
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        const char *value, *option = argv[i];
        bool good = true;
        if (strcmp(option, "--") == 0) {
            i++;
            break;
        }
        if ((value = command_option(argc, argv, &i, "--every"))) {
            good = agent_duration_read(value, &h->every_ms);
        } else if ((value = command_option(argc, argv, &i, "--name"))) {
            h->name = text_clean(h->arena, value, strlen(value));
        } else if ((value = command_option(argc, argv, &i, "--project"))) {
            h->project = value;
        } else {
            good = false;
        }
        if (!good) {
            command_misused("heartbeat", cmd_heartbeat_help, "%s is not understood here, or its value is wrong.",
                            option);
            return 0;
        }
    }
    if (i == argc)
        command_misused("heartbeat", cmd_heartbeat_help, "say which COMMAND to run.");
    return i < argc ? i : 0;
}

int cmd_heartbeat(int argc, char **argv)
{
    struct heartbeat h = { .every_ms = EVERY_DEFAULT_MS, .arena = arena_new() };
    int first = arguments_read(argc, argv, &h), code = COMMAND_MISUSED;
    if (first > 0) {
        pthread_mutex_init(&h.lock, NULL);
        condition_init(&h.changed);
        h.command = argv + first;
        if (!h.name)
            h.name = command_text(h.arena, h.command);
        code = run(&h);
        pthread_cond_destroy(&h.changed);
        pthread_mutex_destroy(&h.lock);
    }
    arena_free(h.arena);
    return code;
}
