/* SPDX-License-Identifier: MIT
 * main: finds the command and runs it.  A new command is one file and one row. */
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
#include "bot/serve.h"

#include <stdio.h>
#include <string.h>

static int cmd_help(int argc, char **argv);
static int cmd_version(int argc, char **argv);

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns the exit code */
    const char *usage, *does;
} command_table[] = {
    { "serve", cmd_serve, "", "run the program (also without a command)" },
    { "notify", cmd_notify, "TYPE MESSAGE [BUTTON…]", "ask or tell through a running steward, print the answer" },
    { "heartbeat", cmd_heartbeat, "[--every 30m] -- COMMAND…",
      "run a long command, tell that it goes on and how it ended" },
    { "mcp", cmd_mcp, "[--patience 60s] [--progress 20s]",
      "serve coding agents on standard input and output (Model Context Protocol)" },
    { "hook", cmd_hook, "claude|codex", "a coding agent's permission prompt: asks, prints the decision" },
    { "setup", cmd_setup, "claude|codex [--write]", "the settings that make a coding agent ask through steward" },
    { "search", cmd_search, "[--json] [--limit N] [--type tasks|notes|health] [--user ID] QUERY…",
      "find rows; --stdin: a query a line" },
    { "parse", cmd_parse, "[--now YYYY-MM-DDTHH:MM] SENTENCE",
      "what the built-in parser makes of it; --stdin: JSON lines" },
    { "when", cmd_when, "[--now YYYY-MM-DDTHH:MM] PHRASE", "the date a phrase means; --stdin: JSON lines" },
    { "reindex", cmd_reindex, "[--force]", "embed what is missing or stale; --force: everything anew" },
    { "export", cmd_export, "[--user ID] [FILE]",
      "write a person's rows as JSON lines; --vectors FILE: their vectors" },
    { "import", cmd_import, "[--user ID] [FILE]", "read such a file: all of it or nothing; --vectors FILE: vectors" },
    { "backup", cmd_backup, "[--force] FILE", "a verified copy of the database, also while the server runs" },
    { "restore", cmd_restore, "FILE", "put such a copy in the database's place; the server must be stopped" },
    { "audit", cmd_audit, "verify [--head HASH] | list [--request ID] [--limit N] [--json]",
      "what happened to agents' requests: check the chain of the log, or show it" },
    { "doctor", cmd_doctor, "",
      "check settings, database, disk, clock, Telegram, models; exit 1 on a failure, 0 with warnings" },
    { "health", cmd_health, "", "ask the running program how it is; exit 0 when it can do its job" },
    { "help", cmd_help, "[COMMAND]", "this list" },
    { "version", cmd_version, "", "the version" },
};
enum { COMMAND_COUNT = sizeof command_table / sizeof command_table[0] };

static const struct command *command_find(const char *name)
{
    for (int i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(command_table[i].name, name) == 0)
            return &command_table[i];
    return NULL;
}

static int cmd_help(int argc, char **argv)
{
    const struct command *one = argc > 1 ? command_find(argv[1]) : NULL;
    if (argc > 1 && !one) {
        fprintf(stderr, "steward: there is no command \"%s\"; `steward help` lists them.\n", argv[1]);
        return 2;
    }
    if (one) {
        printf("usage: steward %s %s\n%s\n", one->name, one->usage, one->does);
        return 0;
    }
    printf("usage: steward [COMMAND]\n\n");
    for (int i = 0; i < COMMAND_COUNT; i++)
        printf("  steward %-9s %s\n      %s\n", command_table[i].name, command_table[i].usage, command_table[i].does);
    printf("\nSettings come from the environment; `steward doctor` shows them all.\n");
    return 0;
}

static int cmd_version(int argc, char **argv)
{
    (void)argc, (void)argv;
    printf("steward %s\n", STEWARD_VERSION);
    return 0;
}

int main(int argc, char **argv)
{
    static char *serve[] = { "serve", NULL };
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    if (argc > 0 && strcmp(slash ? slash + 1 : argv[0], "claude-notify") == 0)
        return cmd_notify(argc, argv);
    if (argc < 2)
        return cmd_serve(1, serve);
    const char *name = argv[1];
    if (!strcmp(name, "--help") || !strcmp(name, "-h"))
        name = "help";
    if (!strcmp(name, "--version") || !strcmp(name, "-V"))
        name = "version";
    const struct command *c = command_find(name);
    if (!c) {
        fprintf(stderr, "steward: there is no command \"%s\"; `steward help` lists them.\n", name);
        return 2;
    }
    return c->run(argc - 1, argv + 1);
}
