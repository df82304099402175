/* SPDX-License-Identifier: MIT
 * cmd_exchange: see cmd_exchange.h.  An exported file is written beside its place, synced and renamed, readable by
 * its owner alone; an import is read whole and checked before the database is touched. */
#include "bot/cmd_exchange.h"
#include "base/clock.h"
#include "bot/cmd_store.h"
#include "bot/cmd_vectors.h"
#include "store/exchange.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROGRESS_ROWS = 20000 }; /* below it nobody waits long enough to wonder */

struct arguments {
    int64_t telegram_id;
    const char *file; /* NULL = stdin or stdout */
    bool vectors;
};

static bool arguments_read(int argc, char **argv, const char *usage, struct arguments *out)
{
    *out = (struct arguments){ 0 };
    bool options = true;
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i];
        if (options && strcmp(a, "--") == 0) {
            options = false;
        } else if (options && strcmp(a, "--vectors") == 0) {
            out->vectors = true;
        } else if (options && strcmp(a, "--user") == 0 && i + 1 < argc &&
                   cmd_telegram_id(argv[i + 1], &out->telegram_id)) {
            i++;
        } else if (options && strncmp(a, "--user=", 7) == 0 && cmd_telegram_id(a + 7, &out->telegram_id)) {
            continue;
        } else if ((options && a[0] == '-' && a[1]) || out->file) {
            fprintf(stderr, "steward %s: %s is not understood here\n%s", argv[0], a, usage);
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
    char text[ERROR_TEXT_BYTES_MAX];
    log_mask(c->error.text, text, sizeof text);
    fprintf(stderr, "steward %s: %s\n", command, text);
    cmd_store_close(c);
    return 1;
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
    errno = 0;
    st = exchange_stream(db, user_id, put_file, file, count, &c->error);
    store_read_end(c->store, db);
    if (st == OK && fflush(file) != 0)
        st = fail(&c->error, ST_INTERNAL, "The export could not be written: %s.", strerror(errno));
    return st;
}

/* Never leaves half a file under the name asked for. */
static enum status export_file(struct cmd_store *c, int64_t user_id, const char *name, struct exchange_count *count)
{
    const char *temporary = arena_printf(c->arena, "%s.%ld.tmp", name, (long)getpid());
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file)
        return fail(&c->error, ST_INTERNAL, "%s cannot be written: %s.", temporary, strerror(errno));
    enum status st = export_to(c, user_id, file, count);
    if (st == OK && fsync(fd) != 0)
        st = fail(&c->error, ST_INTERNAL, "%s cannot be written: %s.", temporary, strerror(errno));
    if (fclose(file) != 0 && st == OK)
        st = fail(&c->error, ST_INTERNAL, "%s cannot be written: %s.", temporary, strerror(errno));
    if (st == OK && rename(temporary, name) != 0)
        st = fail(&c->error, ST_INTERNAL, "%s cannot be put in place: %s.", name, strerror(errno));
    if (st != OK)
        unlink(temporary);
    return st;
}

int cmd_export(int argc, char **argv)
{
    static const char usage[] = "usage: steward export [--user TELEGRAM_ID] [--vectors] [FILE]\n";
    struct arguments a;
    struct cmd_store c;
    struct exchange_count count = { 0 };
    int64_t user_id = 0;
    if (!arguments_read(argc, argv, usage, &a))
        return 2;
    if (a.vectors)
        return cmd_vectors_export(a.telegram_id, a.file);
    if (!cmd_store_open(&c, "export"))
        return 1;
    enum status st = cmd_store_user(&c, a.telegram_id, false, &user_id);
    if (st == OK)
        st = a.file ? export_file(&c, user_id, a.file, &count) : export_to(&c, user_id, stdout, &count);
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

int cmd_import(int argc, char **argv)
{
    static const char usage[] = "usage: steward import [--user TELEGRAM_ID] [--vectors] [FILE]\n";
    struct arguments a;
    struct cmd_store c;
    struct import_result result;
    int64_t user_id = 0, shown = 0;
    if (!arguments_read(argc, argv, usage, &a))
        return 2;
    if (a.vectors)
        return cmd_vectors_import(a.telegram_id, a.file);
    if (!cmd_store_open(&c, "import"))
        return 1;
    struct import *im = import_new(clock_wall_ms());
    enum status st = read_file(im, a.file, &c.error);
    if (st == OK)
        st = cmd_store_user(&c, a.telegram_id, true, &user_id);
    if (st == OK)
        st = import_write(c.store, im, user_id, show_progress, &shown, &result, &c.error);
    import_free(im);
    if (st != OK) {
        fputs("nothing was imported\n", stderr);
        return give_up(&c, "import");
    }
    report(&result);
    cmd_store_close(&c);
    return 0;
}
