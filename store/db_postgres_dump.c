/* SPDX-License-Identifier: MIT
 * db_postgres_dump: the exact lines of PostgreSQL's own tools for a backup.  The connection is told as libpq reads it,
 * without the password: an argument can be seen by everybody on the machine.  Pure; the commands' thread. */
#include "store/db_postgres.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include <stdlib.h>

/* 'it'\''s': one word for a shell. */
static void put_quoted(struct buf *out, const char *s)
{
    buf_putc(out, '\'');
    for (; *s; s++)
        buf_puts(out, *s == '\'' ? "'\\''" : (const char[]){ *s, '\0' });
    buf_putc(out, '\'');
}

/* "host='db' port='5432' …" of what the URL gives, as one word; secrets left out. */
static bool put_connection(struct buf *out, struct arena *arena, const char *url)
{
    PQconninfoOption *options = PQconninfoParse(url, NULL);
    struct buf info;
    buf_init_in(&info, arena, 64 * KIB);
    for (PQconninfoOption *o = options; o && o->keyword; o++) {
        if (!o->val || !*o->val || strchr(o->dispchar, '*')) /* '*': libpq calls it a secret */
            continue;
        buf_printf(&info, "%s%s='", info.len ? " " : "", o->keyword);
        for (const char *p = o->val; *p; p++) {
            if (*p == '\'' || *p == '\\')
                buf_putc(&info, '\\');
            buf_putc(&info, *p);
        }
        buf_putc(&info, '\'');
    }
    bool known = options != NULL;
    PQconninfoFree(options);
    put_quoted(out, buf_str(&info));
    return known && !info.overflow;
}

const char *pg_backup_lines(struct arena *arena, const char *url, const char *file, bool restore)
{
    struct buf out;
    buf_init_in(&out, arena, 128 * KIB);
    buf_puts(&out, restore ? "pg_restore --clean --if-exists --no-owner --single-transaction --dbname="
                           : "pg_dump --format=custom --no-owner --file=");
    if (!restore) {
        put_quoted(&out, file);
        buf_puts(&out, " --dbname=");
    }
    bool known = put_connection(&out, arena, url);
    if (restore) { /* caches of vectors name the database they were made from; the restored one is another */
        buf_putc(&out, ' ');
        put_quoted(&out, file);
        buf_puts(&out, "\npsql --dbname=");
        known = put_connection(&out, arena, url) && known;
        buf_puts(&out, " --command=\"UPDATE vector_state SET database_id = left(md5(random()::text), 16)\"");
    } else {
        buf_puts(&out, "\npg_restore --list ");
        put_quoted(&out, file);
        buf_puts(&out, " >/dev/null && echo verified");
    }
    return known && !out.overflow ? buf_str(&out) : NULL;
}
