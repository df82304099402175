/* SPDX-License-Identifier: MIT
 * setup_file: see setup_file.h. */
#include "bot/setup_file.h"
#include "base/clock.h"
#include "bot/agent_option.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SETTINGS_BYTES_MAX = 4 * 1024 * 1024, BACKUPS_PER_SECOND_MAX = 100 };

enum status setup_file_read(struct arena *a, const char *path, struct setup_file *out, struct error *e)
{
    size_t len;
    char *real = realpath(path, NULL);
    *out = (struct setup_file){ .path = arena_strdup(a, real ? real : path), .text = "" };
    free(real);
    enum status s = agent_read_file(a, out->path, SETTINGS_BYTES_MAX, &out->text, &len, e);
    if (s == ST_NOT_FOUND)
        return OK;
    if (s == OK && strlen(out->text) != len)
        s = fail(e, ST_INVALID, "%s holds a zero byte: that is no settings file.", out->path);
    out->exists = s == OK;
    return s;
}

enum status setup_file_json(struct arena *a, const struct setup_file *f, struct json_object **out, struct error *e)
{
    *out = NULL;
    if (f->text[strspn(f->text, " \t\r\n")] == '\0')
        *out = json_keep(a, json_object_new_object());
    else if (json_parse_in(a, f->text, strlen(f->text), out, e))
        return fail_context(e, "%s is left as it is, it is not valid JSON", f->path);
    if (!json_object_is_type(*out, json_type_object))
        return fail(e, ST_INVALID, "%s is left as it is: it does not hold a JSON object.", f->path);
    return OK;
}

static enum status cannot(struct error *e, const char *path)
{
    return fail(e, ST_INTERNAL, "%s cannot be written: %s.", path, strerror(errno));
}

static void folders_make(struct arena *a, const char *path)
{
    char *part = arena_strdup(a, path);
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(part, 0777); /* what fails here is told by the open() that follows */
        *slash = '/';
    }
}

/* A new file with this content, on the disk before it returns. */
static enum status file_create(const char *path, const char *text, mode_t mode, struct error *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(e, errno == EEXIST ? ST_EXISTS : ST_INTERNAL, "%s cannot be written: %s.", path, strerror(errno));
    size_t len = strlen(text), done = 0;
    ssize_t n = 0;
    while (done < len && (n = write(fd, text + done, len - done)) > 0)
        done += (size_t)n;
    bool good = done == len && fchmod(fd, mode) == 0 && fsync(fd) == 0;
    enum status s = good ? OK : cannot(e, path);
    if (close(fd) != 0 && s == OK)
        s = cannot(e, path);
    if (s != OK)
        unlink(path);
    return s;
}

static enum status backup_make(struct arena *a, struct setup_file *f, mode_t mode, struct error *e)
{
    char when[32];
    time_t now = (time_t)(clock_wall_ms() / 1000);
    struct tm tm;
    strftime(when, sizeof when, "%Y%m%d-%H%M%S", localtime_r(&now, &tm));
    enum status s = ST_EXISTS;
    for (int i = 0; i < BACKUPS_PER_SECOND_MAX && s == ST_EXISTS; i++) {
        f->backup = arena_printf(a, i ? "%s.bak-%s-%d" : "%s.bak-%s", f->path, when, i);
        s = file_create(f->backup, f->text, mode, e);
    }
    return s;
}

static void folder_sync(struct arena *a, const char *path)
{
    char *folder = arena_strdup(a, path), *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

enum status setup_file_write(struct arena *a, struct setup_file *f, const char *text, struct error *e)
{
    struct stat st;
    mode_t mode = f->exists && stat(f->path, &st) == 0 ? st.st_mode & 07777 : 0600;
    const char *temporary = arena_printf(a, "%s.new-%ld", f->path, (long)getpid());
    folders_make(a, f->path);
    if (f->exists && backup_make(a, f, mode, e))
        return e->status;
    enum status s = file_create(temporary, text, mode, e);
    if (s != OK)
        return s;
    if (rename(temporary, f->path) != 0) {
        s = cannot(e, f->path);
        unlink(temporary);
        return s;
    }
    folder_sync(a, f->path);
    return OK;
}
