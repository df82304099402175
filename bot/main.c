/* SPDX-License-Identifier: MIT
 * main: finds the command and runs it, or shows its help.  A new command is one file and one row. */
#include "bot/cmd_audit.h"
#include "bot/cmd_backup.h"
#include "bot/cmd_doctor.h"
#include "bot/cmd_exchange.h"
#include "bot/cmd_health.h"
#include "bot/cmd_heartbeat.h"
#include "bot/cmd_hook.h"
#include "bot/cmd_mcp.h"
#include "bot/cmd_notify.h"
#include "bot/cmd_parse.h"
#include "bot/cmd_reindex.h"
#include "bot/cmd_search.h"
#include "bot/cmd_setup.h"
#include "bot/command.h"
#include "bot/serve.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int cmd_help(int argc, char **argv);
static int cmd_version(int argc, char **argv);

static const char cmd_serve_help[] =
    "usage: steward [serve]\n"
    "Runs the program until SIGTERM or Ctrl-C.  Settings come from the environment; `steward doctor` shows and checks\n"
    "them.\n";
static const char cmd_help_help[] = "usage: steward help [COMMAND]\n"
                                    "Lists the commands, or shows the help of one; so does steward COMMAND --help.\n";
static const char cmd_version_help[] = "usage: steward version\n";

enum takes { ALONE, ARGUMENTS };

static const struct command {
    const char *name;
    enum takes takes;
    int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns the exit code */
    const char *help;                  /* see command.h */
    const char *does;
} command_table[] = {
    { "serve", ALONE, cmd_serve, cmd_serve_help, "run the program (also without a command)" },
    { "notify", ARGUMENTS, cmd_notify, cmd_notify_help, "ask or tell through a running steward, print the answer" },
    { "heartbeat", ARGUMENTS, cmd_heartbeat, cmd_heartbeat_help,
      "run a long command, tell that it goes on and how it ended" },
    { "mcp", ARGUMENTS, cmd_mcp, cmd_mcp_help,
      "serve coding agents on standard input and output (Model Context Protocol)" },
    { "hook", ARGUMENTS, cmd_hook, cmd_hook_help, "a coding agent's permission prompt: asks, prints the decision" },
    { "setup", ARGUMENTS, cmd_setup, cmd_setup_help, "the settings that make a coding agent ask through steward" },
    { "search", ARGUMENTS, cmd_search, cmd_search_help, "find rows by words and meaning" },
    { "parse", ARGUMENTS, cmd_parse, cmd_parse_help, "what the built-in parser makes of a sentence" },
    { "when", ARGUMENTS, cmd_when, cmd_when_help, "the date a phrase means" },
    { "reindex", ARGUMENTS, cmd_reindex, cmd_reindex_help, "embed what is missing or stale" },
    { "export", ARGUMENTS, cmd_export, cmd_export_help, "write a person's rows, or their vectors, to a file" },
    { "import", ARGUMENTS, cmd_import, cmd_import_help, "read such a file: all of it or nothing" },
    { "backup", ARGUMENTS, cmd_backup, cmd_backup_help, "a verified copy of the database, also while the server runs" },
    { "restore", ARGUMENTS, cmd_restore, cmd_restore_help,
      "put such a copy in the database's place; the server must be stopped" },
    { "audit", ARGUMENTS, cmd_audit, cmd_audit_help,
      "what happened to agents' requests: check the chain of the log, or show it" },
    { "doctor", ALONE, cmd_doctor, cmd_doctor_help, "check settings, database, disk, clock, Telegram, models" },
    { "health", ALONE, cmd_health, cmd_health_help, "ask the running program how it is" },
    { "help", ARGUMENTS, cmd_help, cmd_help_help, "this list" },
    { "version", ALONE, cmd_version, cmd_version_help, "the version" },
};
enum { COMMAND_COUNT = sizeof command_table / sizeof command_table[0] };

static const struct command *command_find(const char *name)
{
    for (int i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(command_table[i].name, name) == 0)
            return &command_table[i];
    return NULL;
}

static int unknown(const char *name)
{
    fprintf(stderr, "steward: there is no command \"%s\"; `steward help` lists them.\n", name);
    return COMMAND_MISUSED;
}

static int print(const char *text)
{
    return fputs(text, stdout) < 0 || fflush(stdout) != 0 ? COMMAND_FAILED : COMMAND_DONE;
}

static int cmd_help(int argc, char **argv)
{
    if (argc > 1) {
        const struct command *one = command_find(argv[1]);
        return one ? print(one->help) : unknown(argv[1]);
    }
    printf("usage: steward [COMMAND]\n\n");
    for (int i = 0; i < COMMAND_COUNT; i++) {
        const char *usage = command_table[i].help + strlen("usage: ");
        printf("  %.*s\n      %s\n", (int)strcspn(usage, "\n"), usage, command_table[i].does);
    }
    return print(
        "\n`steward COMMAND --help` tells more.  Settings come from the environment; `steward doctor` shows them "
        "all.\n");
}

static int cmd_version(int argc, char **argv)
{
    (void)argc, (void)argv;
    return print("steward " STEWARD_VERSION "\n");
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static int run(const struct command *c, int argc, char **argv)
{
    if (argc > 1 && is_help(argv[1]))
        return print(c->help);
    if (c->takes == ALONE && argc > 1)
        return command_misused(c->name, c->help, "takes no arguments (got \"%s\").", argv[1]);
    return c->run(argc, argv);
}

int main(int argc, char **argv)
{
    static char *serve[] = { "serve", NULL };
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    if (argc > 0 && strcmp(slash ? slash + 1 : argv[0], "claude-notify") == 0)
        return run(command_find("notify"), argc, argv);
    if (argc < 2)
        return cmd_serve(1, serve);
    const char *name = argv[1];
    if (is_help(name))
        name = "help";
    if (!strcmp(name, "--version") || !strcmp(name, "-V"))
        name = "version";
    const struct command *c = command_find(name);
    return c ? run(c, argc - 1, argv + 1) : unknown(name);
}
