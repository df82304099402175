/* SPDX-License-Identifier: MIT
 * cmd_backup: see cmd_backup.h.  The work is store/backup.h's. */
#include "bot/cmd_backup.h"
#include "base/limits.h"
#include "bot/cmd_store.h"
#include "bot/command.h"
#include "bot/config.h"
#include "store/backup.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char cmd_backup_help[] =
    "usage: steward backup [--force] FILE\n"
    "Writes the SQLite database as one file, verified after writing, also while the server runs.  With PostgreSQL it\n"
    "prints the lines of PostgreSQL's own tools, for you to run.\n"
    "\n"
    "  --force   replace FILE when it is there\n"
    "\n"
    "exit: 0 the file is written and verified, 1 it is not (with PostgreSQL always)\n";
const char cmd_restore_help[] = "usage: steward restore FILE\n"
                                "Puts a backup in the place of the SQLite database; the server must be stopped.  What "
                                "was there is kept beside it.\n"
                                "With PostgreSQL it prints the lines of PostgreSQL's own tools, for you to run.\n"
                                "exit: 0 restored, 1 not (with PostgreSQL always)\n";

enum { PERCENT_STEP = 10 }; /* between two lines where there is no terminal */

struct backup {
    struct arena *arena;
    struct config config;
    struct backup_options options;
    struct backup_report report;
    const char *name; /* the command's */
    int shown;
};

/* 0: read; else the exit code. */
static int arguments_read(struct backup *b, int argc, char **argv, bool forces)
{
    const char *help = forces ? cmd_backup_help : cmd_restore_help;
    for (int i = 1; i < argc; i++) {
        if (forces && strcmp(argv[i], "--force") == 0)
            b->options.force = true;
        else if (argv[i][0] == '-' || b->options.file)
            /* also "-": a pipe cannot be verified after writing */
            return command_misused(b->name, help, "%s is not understood here.", argv[i]);
        else
            b->options.file = argv[i];
    }
    return b->options.file && *b->options.file ? 0 : command_misused(b->name, help, NULL);
}

static void show_progress(void *arg, int percent)
{
    struct backup *b = arg;
    bool terminal = isatty(STDERR_FILENO);
    if (!terminal && percent < 100 && percent < b->shown + PERCENT_STEP)
        return;
    b->shown = percent;
    fprintf(stderr, "%s%d %% copied%s", terminal ? "\r" : "", percent, terminal ? "" : "\n");
}

/* PostgreSQL's own tools do it better than a second program could; we only know the words. */
static int say_lines(const struct backup *b, const char *lines)
{
    printf("%s\n", lines);
    fflush(stdout);
    fprintf(stderr,
            "steward %s: nothing was done: PostgreSQL has tools of its own for this. Run the lines above; the password "
            "comes from PGPASSWORD or the file that PGPASSFILE names (~/.pgpass), never from an argument.%s\n",
            b->name, strcmp(b->name, "restore") == 0 ? " Stop every steward on this database before." : "");
    return 1;
}

static void say_done(const struct backup *b)
{
    const struct backup_report *r = &b->report;
    bool restored = strcmp(b->name, "restore") == 0;
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\n");
    printf("%s: %lld rows in %d tables, %.1f MB, schema version %lld, integrity checked.\n",
           restored ? "restored" : b->options.file, (long long)r->rows, r->tables, (double)r->bytes / MIB,
           (long long)r->schema_version);
    if (restored && *r->kept)
        printf("The database from before is kept as %s; remove it when all is well.\n", r->kept);
    if (restored && r->inbox_waiting + r->outbox_waiting > 0)
        printf("When the backup was made, %lld received messages were not worked off and %lld were waiting to be sent: "
               "this happens at the next start.\n",
               (long long)r->inbox_waiting, (long long)r->outbox_waiting);
}

static int run(int argc, char **argv, bool forces,
               enum status (*work)(const struct backup_options *, struct backup_report *, struct error *))
{
    struct backup b = { .arena = arena_new(), .name = argv[0], .shown = -PERCENT_STEP };
    struct error e = { 0 };
    signal(SIGXFSZ, SIG_IGN); /* a file-size limit is a full disk: an error of the write, not our end */
    b.options.progress = show_progress;
    b.options.arg = &b;
    int code = arguments_read(&b, argc, argv, forces);
    if (code == 0 && (config_load(&b.config, b.arena, &e) || (forces && cmd_store_exists(&b.config, &e))))
        code = command_failed(b.name, e.text);
    if (code == 0) {
        b.options.url = b.config.database_url;
        const char *lines = store_backup_lines(b.arena, b.options.url, b.options.file, !forces);
        if (lines) {
            code = say_lines(&b, lines);
        } else if (work(&b.options, &b.report, &e) != OK) {
            code = command_failed(b.name, e.text);
        } else {
            say_done(&b);
        }
    }
    arena_free(b.arena);
    return code;
}

int cmd_backup(int argc, char **argv)
{
    return run(argc, argv, true, store_backup);
}

int cmd_restore(int argc, char **argv)
{
    return run(argc, argv, false, store_restore);
}
