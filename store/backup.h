/* SPDX-License-Identifier: MIT
 * backup: the database as one file, verified after writing, and such a file put back in its place.  The commands
 * `steward backup` and `steward restore` call it, one thread; a backup runs beside a serving steward and never stops
 * it.  A database that has tools of its own for this (PostgreSQL) names their command lines instead. */
#ifndef STORE_BACKUP_H
#define STORE_BACKUP_H

#include "base/status.h"
#include <limits.h>
#include <stdint.h>

struct arena;

struct backup_options {
    const char *url;                          /* of the database */
    const char *file;                         /* a path */
    bool force;                               /* backup: replace the file when it is there */
    void (*progress)(void *arg, int percent); /* NULL = none */
    void *arg;
};
struct backup_report {
    int64_t bytes, rows; /* of the copy; rows of all tables */
    int tables;
    int64_t schema_version;
    int64_t inbox_waiting, outbox_waiting; /* not finished when the backup was made: they go on after a restore */
    char kept[PATH_MAX];                   /* restore: where the database from before lies; "" = there was none */
};

/* A copy of one instant, however much is written meanwhile.  Written beside its final name, checked (integrity, the
 * same rows in every table), on disk, then renamed.  ST_EXISTS: the file is there and force is not given; ST_NOT_FOUND:
 * no database; ST_INVALID: wrong kind of database or file; ST_BUSY: another backup writes the same file. */
enum status MUST_CHECK store_backup(const struct backup_options *, struct backup_report *, struct error *);
/* The file becomes the database; what was there is kept beside it.  ST_BUSY: a steward serves the database or another
 * program has it open; ST_INVALID: the file is damaged or no steward database; ST_CONFLICT: its schema is newer than
 * this program.  On any error the database is as it was. */
enum status MUST_CHECK store_restore(const struct backup_options *, struct backup_report *, struct error *);

/* The lines to run instead, without the password; NULL: store_backup() and store_restore() do it.  Arena-owned. */
const char *store_backup_lines(struct arena *, const char *url, const char *file, bool restore);

#endif
