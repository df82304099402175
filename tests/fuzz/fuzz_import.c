/* SPDX-License-Identifier: MIT
 * fuzz_import: any bytes as an import file.  A row that is taken writes a line that is taken again and says the same;
 * a file that is taken goes into a database (or is refused in words), and an export of it adds nothing. */
#include "base/text.h"
#include "store/driver.h"
#include "store/exchange_import.h"
#include "store/migrate.h"
#include "store/users.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

#define NOW_MS 1795162440000LL /* 2026-11-20T08:14:00Z */
enum { EXPORT_BYTES_MAX = 16 * 1024 * 1024 };

static struct db *db;
static char folder[] = "/tmp/steward-fuzz-XXXXXX", path[64];

/* Nothing of an input stays: each one's transaction is rolled back. */
static void database_remove(void)
{
    static const char *const names[] = { "", "-wal", "-shm" };
    char file[80];
    db_close(db);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(file, sizeof file, "%s%s", path, names[i]);
        unlink(file);
    }
    rmdir(folder);
}

static void database_open(void)
{
    struct error e;
    char url[80];
    struct arena *a = arena_new();
    struct user user;
    if (!mkdtemp(folder))
        abort();
    snprintf(path, sizeof path, "%s/f.db", folder);
    snprintf(url, sizeof url, "sqlite://%s", path);
    if (db_open(url, true, &db, &e) || migrate(db, &e) || db_begin(db, &e) || user_owner(db, a, "UTC", &user, &e) ||
        db_commit(db, &e))
        abort();
    arena_free(a);
    atexit(database_remove);
}

static enum status lines_read(struct import *im, const char *at, const char *end, struct error *e)
{
    enum status st = OK;
    while (at < end && st == OK) {
        const char *newline = memchr(at, '\n', (size_t)(end - at)), *stop = newline ? newline : end;
        st = import_line(im, at, (size_t)(stop - at), e);
        at = stop + 1;
    }
    return st;
}

static void check_row(const struct exchange_row *row)
{
    struct arena *a = arena_new();
    struct import *again = import_new(NOW_MS);
    struct error e;
    const char *line = exchange_line(a, row, LINE_WHOLE);
    if (import_line(again, line, strlen(line), &e) != OK || again->count != 1 ||
        strcmp(line, exchange_line(a, &again->row[0].row, LINE_WHOLE)) != 0)
        abort();
    import_free(again);
    arena_free(a);
}

static int64_t rows_added(const struct import_result *r)
{
    int64_t rows = 0;
    for (int k = 0; k < EXCHANGE_KINDS; k++)
        rows += r->added[k];
    return rows;
}

static void check_export(void)
{
    struct buf out = BUF_INIT(EXPORT_BYTES_MAX);
    struct exchange_count count;
    struct import_result r;
    struct import *again = import_new(NOW_MS);
    struct error e;
    if (exchange_export(db, 1, &out, &count, &e) != OK ||
        lines_read(again, buf_str(&out), buf_str(&out) + out.len, &e) != OK ||
        import_apply(db, again, 1, NULL, NULL, &r, &e) != OK || rows_added(&r) != 0)
        abort();
    import_free(again);
    buf_release(&out);
}

static void check_file(struct import *im)
{
    struct import_result r;
    struct error e;
    if (db_begin(db, &e))
        abort();
    if (import_apply(db, im, 1, NULL, NULL, &r, &e) == OK)
        check_export();
    else if ((e.status != ST_INVALID && e.status != ST_LIMIT) || !text_valid(e.text, strlen(e.text)))
        abort();
    db_rollback(db);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct import *im = import_new(NOW_MS);
    struct error e;
    if (!db)
        database_open();
    enum status st = lines_read(im, (const char *)data, (const char *)data + size, &e);
    if (st != OK && (!*e.text || !text_valid(e.text, strlen(e.text))))
        abort();
    for (size_t i = 0; i < im->count; i++)
        check_row(&im->row[i].row);
    if (st == OK && im->count > 0)
        check_file(im);
    import_free(im);
    return 0;
}
