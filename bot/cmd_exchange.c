/* SPDX-License-Identifier: MIT
 * cmd_exchange: see cmd_exchange.h.  An import is read whole and checked before the database is touched. */
#include "bot/cmd_exchange.h"
#include "base/clock.h"
#include "bot/cmd_store.h"
#include "bot/cmd_vectors.h"
#include "bot/command.h"
#include "bot/out_file.h"
#include "store/exchange.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char cmd_export_help[] =
    "usage: steward export [--user TELEGRAM_ID] [--vectors] [FILE]\n"
    "Writes a person's rows as JSON lines, to standard output without FILE.\n"
    "\n"
    "  --user TELEGRAM_ID   whose; without it the owner's: the first of TELEGRAM_USER_ID, else the console's person\n"
    "  --vectors            their vectors instead, in the JSON of the first system\n";
const char cmd_import_help[] =
    "usage: steward import [--user TELEGRAM_ID] [--vectors] [FILE]\n"
    "Reads such a file, from standard input without FILE: all of it, or nothing and the number of the line that is\n"
    "wrong.  What is there already is not made twice.\n"
    "\n"
    "  --user TELEGRAM_ID   whose rows they become; without it the owner's\n"
    "  --vectors            a file of vectors: for rows with the same text; tasks and notes that are missing are "
    "made\n";

enum { PROGRESS_ROWS = 20000 }; /* below it nobody waits long enough to wonder */

struct arguments {
    int64_t telegram_id;
    const char *file; /* NULL = stdin or stdout */
    bool vectors;
};

static bool arguments_read(int argc, char **argv, const char *help, struct arguments *out)
{
    *out = (struct arguments){ 0 };
    bool options = true;
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i], *value;
        if (options && strcmp(a, "--") == 0) {
            options = false;
        } else if (options && strcmp(a, "--vectors") == 0) {
            out->vectors = true;
        } else if (options && (value = command_option(argc, argv, &i, "--user")) &&
                   cmd_telegram_id(value, &out->telegram_id)) {
            continue;
        } else if ((options && a[0] == '-' && a[1]) || out->file) {
            command_misused(argv[0], help, "%s is not understood here, or its value is wrong.", a);
            return false;
        } else {
            out->file = a;
        }
    }
    if (out->file && strcmp(out->file, "-") == 0)
        out->file = NULL;
    return true;
}

static int give_up(struct cmd_store *c, const char *command)
{
    (void)command_failed(command, c->error.text);
    cmd_store_close(c);
    return COMMAND_FAILED;
}

/* --- export --- */

static bool put_file(void *arg, const char *line, size_t bytes)
{
    return fwrite(line, 1, bytes, arg) == bytes;
}

static enum status export_to(struct cmd_store *c, int64_t user_id, FILE *file, struct exchange_count *count)
{
    struct db *db;
    enum status st = store_read_begin(c->store, &db, &c->error);
    if (st != OK)
        return st;
    st = exchange_stream(db, user_id, put_file, file, count, &c->error);
    store_read_end(c->store, db);
    return st;
}

static enum status export_file(struct cmd_store *c, int64_t user_id, const char *name, struct exchange_count *count)
{
    struct out_file f;
    enum status st = out_file_open(&f, c->arena, name, &c->error);
    return st == OK ? out_file_finish(&f, export_to(c, user_id, f.stream, count), &c->error) : st;
}

int cmd_export(int argc, char **argv)
{
    struct arguments a;
    struct cmd_store c;
    struct exchange_count count = { 0 };
    int64_t user_id = 0;
    if (!arguments_read(argc, argv, cmd_export_help, &a))
        return COMMAND_MISUSED;
    if (a.vectors)
        return cmd_vectors_export(a.telegram_id, a.file);
    if (!cmd_store_open(&c, "export", CMD_STORE_REFUSE))
        return 1;
    enum status st = cmd_store_user(&c, a.telegram_id, false, &user_id);
    if (st == OK)
        st = export_file(&c, user_id, a.file, &count);
    if (st != OK)
        return give_up(&c, "export");
    if (a.file)
        fprintf(stderr, "%lld rows written to %s\n", (long long)count.rows, a.file);
    cmd_store_close(&c);
    return 0;
}

/* --- import --- */

static void show_progress(void *arg, int64_t done, int64_t total)
{
    int64_t *shown = arg;
    if (total < PROGRESS_ROWS || done < *shown + PROGRESS_ROWS)
        return;
    *shown = done;
    fprintf(stderr, "%lld of %lld rows\n", (long long)done, (long long)total);
}

static enum status read_lines(struct import *im, FILE *file, struct error *error)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n = 0;
    enum status st = OK;
    errno = 0;
    while (st == OK && (n = getline(&line, &room, file)) >= 0)
        st = import_line(im, line, (size_t)n, error);
    free(line);
    if (st == OK && ferror(file))
        return fail(error, ST_INTERNAL, "The file cannot be read: %s.", strerror(errno));
    return st;
}

static enum status read_file(struct import *im, const char *name, struct error *error)
{
    if (!name)
        return read_lines(im, stdin, error);
    FILE *file = fopen(name, "re");
    if (!file)
        return fail(error, ST_NOT_FOUND, "%s cannot be read: %s.", name, strerror(errno));
    enum status st = read_lines(im, file, error);
    fclose(file);
    return st;
}

static void report(const struct import_result *r)
{
    static const char *const words[EXCHANGE_KINDS][2] = {
        { "category", "categories" }, { "task", "tasks" },   { "note", "notes" },   { "night", "nights" },
        { "workout", "workouts" },    { "drink", "drinks" }, { "sauna", "saunas" }, { "measurement", "measurements" },
    };
    const char *joint = "imported ";
    int64_t total = 0;
    for (int k = 0; k < EXCHANGE_KINDS; k++) {
        if (r->added[k] == 0)
            continue;
        fprintf(stderr, "%s%lld %s", joint, (long long)r->added[k], words[k][r->added[k] != 1]);
        joint = ", ";
        total += r->added[k];
    }
    fputs(total ? "" : "imported nothing new", stderr);
    if (r->present)
        fprintf(stderr, "; %lld already there", (long long)r->present);
    if (r->renumbered)
        fprintf(stderr, "; %lld got a new ID because theirs was taken", (long long)r->renumbered);
    fputc('\n', stderr);
}

static int import_into(struct import *im, int64_t telegram_id)
{
    struct cmd_store c;
    struct import_result result = { 0 };
    int64_t user_id = 0, shown = 0;
    if (!cmd_store_open(&c, "import", CMD_STORE_MAKE))
        return COMMAND_FAILED;
    enum status st = cmd_store_user(&c, telegram_id, true, &user_id);
    if (st == OK)
        st = import_write(c.store, im, user_id, show_progress, &shown, &result, &c.error);
    if (st != OK)
        return give_up(&c, "import");
    report(&result);
    cmd_store_close(&c);
    return COMMAND_DONE;
}

int cmd_import(int argc, char **argv)
{
    struct arguments a;
    struct error e = { 0 };
    if (!arguments_read(argc, argv, cmd_import_help, &a))
        return COMMAND_MISUSED;
    if (a.vectors)
        return cmd_vectors_import(a.telegram_id, a.file);
    struct import *im = import_new(clock_wall_ms());
    enum status st = read_file(im, a.file, &e);
    int code = st == OK ? import_into(im, a.telegram_id) : command_failed("import", e.text);
    if (code != COMMAND_DONE)
        fputs("nothing was imported\n", stderr);
    import_free(im);
    return code;
}
