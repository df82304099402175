/* SPDX-License-Identifier: MIT
 * out_file: see out_file.h. */
#include "bot/out_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static enum status cannot(const char *name, struct error *e)
{
    return fail(e, ST_INTERNAL, "%s cannot be written: %s.", name, strerror(errno));
}

enum status out_file_open(struct out_file *f, struct arena *a, const char *name, struct error *e)
{
    *f = (struct out_file){ .name = name, .stream = stdout };
    if (!name)
        return OK;
    f->temporary = arena_printf(a, "%s.%ld.tmp", name, (long)getpid());
    int fd = open(f->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    f->stream = fd < 0 ? NULL : fdopen(fd, "w");
    return f->stream ? OK : cannot(f->temporary, e);
}

enum status out_file_finish(struct out_file *f, enum status so_far, struct error *e)
{
    enum status s = so_far;
    if (s == OK && (fflush(f->stream) != 0 || ferror(f->stream)))
        s = cannot(f->name ? f->temporary : "Standard output", e);
    if (!f->name)
        return s;
    if (s == OK && fsync(fileno(f->stream)) != 0)
        s = cannot(f->temporary, e);
    if (fclose(f->stream) != 0 && s == OK)
        s = cannot(f->temporary, e);
    if (s == OK && rename(f->temporary, f->name) != 0)
        s = fail(e, ST_INTERNAL, "%s cannot be put in place: %s.", f->name, strerror(errno));
    if (s != OK)
        unlink(f->temporary);
    return s;
}
