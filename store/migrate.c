/* SPDX-License-Identifier: MIT
 * migrate: see migrate.h.  Runs in the thread that opens the store.
 * Must never leave a migration half applied: both databases have transactional DDL, and the row in
 * schema_migrations is written in the same transaction. */
#include "store/migrate.h"
#include "base/arena.h"
#include "base/hex.h"
#include "base/limits.h"
#include "store/driver.h"
#include "store/store.h"
#include <ctype.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

enum { SHA256_HEX_BYTES = 65, MIGRATION_NAME_BYTES = 128 };

struct migration {
    int version;
    char name[MIGRATION_NAME_BYTES];
    char checksum[SHA256_HEX_BYTES];
    const char *sql;
};

struct migrations {
    int count;
    struct migration *list; /* list[i].version == i + 1 */
};

static void checksum_of(const struct asset *a, char out[SHA256_HEX_BYTES])
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned bytes = 0;
    if (EVP_Digest(a->data, a->len, sum, &bytes, EVP_sha256(), NULL) != 1)
        abort(); /* out of memory, or an OpenSSL without SHA-256 */
    hex_put(out, sum, bytes);
}

/* "migrations/0001_start.sqlite.sql" → 1, "start"; false: not a migration of this dialect. */
static bool name_parse(const char *path, const char *dialect, struct migration *out)
{
    static const char folder[] = "migrations/";
    char suffix[32];
    int suffix_bytes = snprintf(suffix, sizeof suffix, ".%s.sql", dialect);
    if (strncmp(path, folder, sizeof folder - 1) != 0)
        return false;
    const char *p = path + sizeof folder - 1;
    size_t len = strlen(p);
    for (int i = 0; i < 4; i++)
        if (!isdigit((unsigned char)p[i]))
            return false;
    if (p[4] != '_' || len <= 5 + (size_t)suffix_bytes || strcmp(p + len - (size_t)suffix_bytes, suffix) != 0)
        return false;
    out->version = atoi(p);
    snprintf(out->name, sizeof out->name, "%.*s", (int)(len - 5 - (size_t)suffix_bytes), p + 5);
    return true;
}

static enum status migrations_load(struct migrations *m, const struct asset *table, const char *dialect,
                                   struct error *e)
{
    size_t files = 0;
    while (table[files].name)
        files++;
    m->count = 0;
    m->list = xcalloc(files + 1, sizeof *m->list);
    for (const struct asset *a = table; a->name; a++) {
        struct migration *next = &m->list[m->count];
        if (!name_parse(a->name, dialect, next))
            continue;
        if (next->version != m->count + 1)
            return fail(e, ST_INTERNAL, "migration %s: number %d was expected", a->name, m->count + 1);
        checksum_of(a, next->checksum);
        next->sql = a->data;
        m->count++;
    }
    return OK;
}

static enum status applied_check(const struct migrations *m, int64_t version, const char *checksum, struct error *e)
{
    if (version > m->count)
        return fail(e, ST_CONFLICT,
                    "the database has schema version %lld, this steward knows versions up to %d: start the newer "
                    "steward that wrote it, or restore a backup from before",
                    (long long)version, m->count);
    if (version >= 1 && strcmp(m->list[version - 1].checksum, checksum) == 0)
        return OK;
    return fail(e, ST_CONFLICT,
                "migration %lld in the database is not the one this steward was built with: start the steward that "
                "wrote the database (released migrations never change), or restore a backup",
                (long long)version);
}

/* Versions applied so far, each checked; 0 = none.  The table must be there. */
static enum status applied_count(struct db *db, const struct migrations *m, int *count, struct error *e)
{
    *count = 0;
    enum status st = OK;
    struct stmt *s = db_query(db, "SELECT version, checksum FROM schema_migrations ORDER BY version DESC");
    while (st == OK && db_step(s)) {
        st = applied_check(m, db_int(s, 0), db_text(s, 1), e);
        (*count)++;
    }
    enum status read = db_done(s, st == OK ? e : NULL);
    return st != OK ? st : read;
}

static enum status table_exists(struct db *db, bool *exists, struct error *e)
{
    int64_t count = 0;
    enum status st = db_get_int(db, &count, NULL, e,
                                db_dialect(db,
                                           "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND "
                                           "name = 'schema_migrations'",
                                           "SELECT count(to_regclass('schema_migrations'))"));
    *exists = count > 0;
    return st;
}

static enum status migration_apply(struct db *db, const struct migration *m, struct error *e)
{
    int64_t now_ms = 0;
    enum status st = db_script(db, m->sql, e);
    if (st == OK)
        st = db_now_ms(db, &now_ms, e);
    if (st == OK)
        st =
            db_run(db, e, "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4)",
                   p_int(m->version), p_text(m->name), p_text(m->checksum), p_int(now_ms));
    if (st == OK)
        return OK;
    fail_context(e, "migration %04d_%s failed, nothing was changed", m->version, m->name);
    return st;
}

/* Under the lock: look again at what is applied, then apply the next one.  *more: there may be another. */
static enum status migrate_locked(struct db *db, const struct migrations *m, bool *more, struct error *e)
{
    int done = 0;
    enum status st = OK;
    if (db_kind(db) == DB_POSTGRES) /* on SQLite BEGIN IMMEDIATE was the lock */
        st = db_run(db, e, "SELECT pg_advisory_xact_lock(hashtext('steward schema_migrations'))");
    if (st == OK)
        st = db_script(db,
                       db_dialect(db,
                                  "CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY, "
                                  "name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT",
                                  "CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT PRIMARY KEY, "
                                  "name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)"),
                       e);
    if (st == OK)
        st = applied_count(db, m, &done, e);
    if (st == OK && done < m->count)
        st = migration_apply(db, &m->list[done], e);
    *more = done + 1 < m->count;
    return st;
}

static enum status migrate_next(struct db *db, const struct migrations *m, bool *more, struct error *e)
{
    enum status st = db_begin(db, e);
    if (st != OK)
        return st;
    st = migrate_locked(db, m, more, e);
    if (st != OK) {
        db_rollback(db);
        return st;
    }
    return db_commit(db, e);
}

static enum status migrate_all(struct db *db, const struct migrations *m, struct error *e)
{
    bool exists = false, more = true;
    int done = 0;
    enum status st = table_exists(db, &exists, e);
    if (st == OK && exists)
        st = applied_count(db, m, &done, e);
    if (st != OK || (exists && done == m->count)) /* the usual start takes no lock */
        return st;
    st = db->driver->set_timeout(db, DB_MIGRATION_MS, e);
    while (st == OK && more)
        st = migrate_next(db, m, &more, e);
    struct error late;
    enum status restored = db->driver->set_timeout(db, DB_STATEMENT_TIMEOUT_MS, st == OK ? e : &late);
    return st != OK ? st : restored;
}

enum status migrate_from(struct db *db, const struct asset *table, struct error *e)
{
    struct migrations m;
    enum status st = migrations_load(&m, table, db_dialect(db, "sqlite", "postgres"), e);
    if (st == OK)
        st = migrate_all(db, &m, e);
    free(m.list);
    return st;
}

enum status migrate(struct db *db, struct error *e)
{
    return migrate_from(db, asset_table, e);
}

enum status migrate_check(struct db *db, struct error *e)
{
    struct migrations m;
    bool exists = false;
    int done = 0;
    enum status st = migrations_load(&m, asset_table, db_dialect(db, "sqlite", "postgres"), e);
    if (st == OK)
        st = table_exists(db, &exists, e);
    if (st == OK && exists)
        st = applied_count(db, &m, &done, e);
    free(m.list);
    return st == OK && done == 0 ? fail(e, ST_INVALID, "it is not a database of steward") : st;
}
