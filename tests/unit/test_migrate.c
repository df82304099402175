/* SPDX-License-Identifier: MIT
 * Migrations: applied once, by several processes at once, refused when they do not fit, equal in both dialects. */
#include "base/asset.h"
#include "store/migrate.h"
#include "tests/unit/store_fixture.h"

#define FILE_ROW(n, text)                                                                                              \
    {                                                                                                                  \
        n, text, sizeof(text) - 1                                                                                      \
    }
static const struct asset first_two[] = {
    FILE_ROW("bot/assets/page.html", "<p>not a migration"),
    FILE_ROW("migrations/0001_one.postgres.sql", "CREATE TABLE one (id BIGINT); CREATE TABLE one_more (id BIGINT)"),
    FILE_ROW("migrations/0001_one.sqlite.sql", "CREATE TABLE one (id INTEGER); CREATE TABLE one_more (id INTEGER)"),
    FILE_ROW("migrations/0002_two.postgres.sql", "INSERT INTO one VALUES (2)"),
    FILE_ROW("migrations/0002_two.sqlite.sql", "INSERT INTO one VALUES (2)"),
    { NULL, NULL, 0 },
};
static const struct asset first_alone[] = {
    FILE_ROW("migrations/0001_one.postgres.sql", "CREATE TABLE one (id BIGINT); CREATE TABLE one_more (id BIGINT)"),
    FILE_ROW("migrations/0001_one.sqlite.sql", "CREATE TABLE one (id INTEGER); CREATE TABLE one_more (id INTEGER)"),
    { NULL, NULL, 0 },
};
static const struct asset first_changed[] = {
    FILE_ROW("migrations/0001_one.postgres.sql", "CREATE TABLE one (id BIGINT, n BIGINT)"),
    FILE_ROW("migrations/0001_one.sqlite.sql", "CREATE TABLE one (id INTEGER, n INTEGER)"),
    { NULL, NULL, 0 },
};
static const struct asset second_fails[] = {
    FILE_ROW("migrations/0001_one.postgres.sql", "CREATE TABLE one (id BIGINT); CREATE TABLE one_more (id BIGINT)"),
    FILE_ROW("migrations/0001_one.sqlite.sql", "CREATE TABLE one (id INTEGER); CREATE TABLE one_more (id INTEGER)"),
    FILE_ROW("migrations/0002_two.postgres.sql", "CREATE TABLE two (id BIGINT); INSERT INTO nowhere VALUES (1)"),
    FILE_ROW("migrations/0002_two.sqlite.sql", "CREATE TABLE two (id INTEGER); INSERT INTO nowhere VALUES (1)"),
    { NULL, NULL, 0 },
};
static const struct asset with_gap[] = {
    FILE_ROW("migrations/0001_one.postgres.sql", "SELECT 1"),
    FILE_ROW("migrations/0001_one.sqlite.sql", "SELECT 1"),
    FILE_ROW("migrations/0003_three.postgres.sql", "SELECT 1"),
    FILE_ROW("migrations/0003_three.sqlite.sql", "SELECT 1"),
    { NULL, NULL, 0 },
};

static struct db *fresh(int kind)
{
    char url[FIXTURE_URL_BYTES];
    struct db *db;
    fixture_url(kind, url);
    ck_ok(db_open(url, true, &db, e));
    return db;
}

static int64_t count(struct db *db, const char *sql)
{
    int64_t n = -1;
    ck_ok(db_get_int(db, &n, NULL, e, sql));
    return n;
}

START_TEST(applied_once)
{
    struct db *db = fresh(_i);
    for (int round = 0; round < 2; round++) {
        ck_ok(migrate_from(db, first_two, e));
        ck_assert_int_eq(count(db, "SELECT count(*) FROM one"), 1);
        ck_assert_int_eq(count(db, "SELECT count(*) FROM schema_migrations"), 2);
        ck_assert_int_eq(count(db,
                               "SELECT count(*) FROM schema_migrations WHERE name = 'two' AND length(checksum) = 64 "
                               "AND applied_at > 1700000000000"),
                         1);
    }
    db_close(db);
}
END_TEST

START_TEST(a_later_program_adds_its_own)
{
    struct db *db = fresh(_i);
    ck_ok(migrate_from(db, first_alone, e));
    ck_assert_int_eq(count(db, "SELECT count(*) FROM one"), 0);
    ck_ok(migrate_from(db, first_two, e));
    ck_assert_int_eq(count(db, "SELECT count(*) FROM one"), 1);
    ck_is(migrate_from(db, first_alone, e), ST_CONFLICT, "schema version 2");
    ck_is(migrate_from(db, first_alone, e), ST_CONFLICT, "newer steward");
    db_close(db);
}
END_TEST

START_TEST(a_changed_file_is_refused)
{
    struct db *db = fresh(_i);
    ck_ok(migrate_from(db, first_alone, e));
    ck_is(migrate_from(db, first_changed, e), ST_CONFLICT, "migration 1");
    ck_ok(migrate_from(db, first_alone, e));
    ck_ok(db_run(db, e, "UPDATE schema_migrations SET checksum = $1", p_text("0000")));
    ck_is(migrate_from(db, first_alone, e), ST_CONFLICT, "migration 1");
    ck_is(migrate_from(db, first_two, e), ST_CONFLICT, "migration 1");
    db_close(db);
}
END_TEST

START_TEST(a_failing_migration_leaves_nothing)
{
    struct db *db = fresh(_i);
    ck_is(migrate_from(db, second_fails, e), ST_INTERNAL, "migration 0002_two failed");
    ck_assert_int_eq(count(db, "SELECT count(*) FROM schema_migrations"), 1);
    ck_is(db_script(db, "SELECT id FROM two", e), ST_INTERNAL, "two");
    ck_ok(migrate_from(db, first_two, e));
    ck_is(migrate_from(db, with_gap, e), ST_INTERNAL, "number 2 was expected");
    db_close(db);
}
END_TEST

START_TEST(a_foreign_database_is_left_alone)
{
    struct db *db = fresh(_i);
    ck_ok(db_script(db, "CREATE TABLE users (name TEXT)", e));
    ck_is(migrate(db, e), ST_INTERNAL, "nothing was changed");
    ck_is(db_script(db, "SELECT 1 FROM schema_migrations", e), ST_INTERNAL, "schema_migrations");
    db_close(db);
}
END_TEST

enum { PROCESSES = 6 };

START_TEST(several_processes_at_once)
{
    char url[FIXTURE_URL_BYTES], go = 'x';
    int start[2], failed = 0;
    fixture_url(_i, url);
    ck_assert_int_eq(pipe(start), 0);
    for (int i = 0; i < PROCESSES; i++) {
        if (fork() != 0)
            continue;
        struct error e;
        struct store *store;
        struct store_options o = { .url = url };
        if (read(start[0], &go, 1) != 1 || store_open(&o, &store, &e) != OK) {
            fprintf(stderr, "%s\n", e.text);
            _exit(1);
        }
        store_close(store);
        _exit(0);
    }
    ck_assert_int_eq(write(start[1], "xxxxxx", PROCESSES), PROCESSES);
    for (int i = 0, code; i < PROCESSES; i++) {
        ck_assert_int_gt(wait(&code), 0);
        failed += code != 0;
    }
    ck_assert_int_eq(failed, 0);
    struct store *store = fixture_open_url(url);
    ck_assert_int_eq(read_int(store, "SELECT count(*) - max(version) FROM schema_migrations"), 0);
    ck_assert_int_eq(read_int(store, "SELECT count(*) FROM users"), 0);
    store_close(store);
}
END_TEST

/* Lines "table.column kind null" of the real schema, kinds by what both databases call alike. */
static char *schema_text(int kind)
{
    struct db *db = fresh(kind);
    ck_ok(migrate(db, e));
    struct stmt *s = db_query(
        db,
        db_dialect(db,
                   "SELECT m.name, c.name, c.type, c.\"notnull\" FROM sqlite_schema m, pragma_table_xinfo(m.name) c "
                   "WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND c.pk = 0 ORDER BY m.name, c.name",
                   "SELECT c.table_name, c.column_name, "
                   "CASE c.data_type WHEN 'bigint' THEN 'INTEGER' WHEN 'double precision' THEN 'REAL' "
                   "WHEN 'text' THEN 'TEXT' WHEN 'bytea' THEN 'BLOB' ELSE c.data_type END, "
                   "CASE c.is_nullable WHEN 'NO' THEN 1 ELSE 0 END FROM information_schema.columns c "
                   "LEFT JOIN (SELECT u.table_name, u.column_name FROM information_schema.table_constraints k "
                   "JOIN information_schema.key_column_usage u ON u.constraint_name = k.constraint_name "
                   "AND u.table_name = k.table_name WHERE k.constraint_type = 'PRIMARY KEY') AS p "
                   "ON p.table_name = c.table_name AND p.column_name = c.column_name "
                   "WHERE c.table_schema = 'public' AND p.column_name IS NULL "
                   "ORDER BY c.table_name COLLATE \"C\", c.column_name COLLATE \"C\""));
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    while (db_step(s))
        fprintf(out, "%s.%s %s %d\n", db_text(s, 0), db_text(s, 1), db_text(s, 2), (int)db_int(s, 3));
    fclose(out);
    ck_ok(db_done(s, e));
    db_close(db);
    return text;
}

START_TEST(both_dialects_have_the_same_columns)
{
    char *sqlite = schema_text(DB_SQLITE), *postgres = schema_text(DB_POSTGRES);
    ck_assert_ptr_nonnull(strstr(sqlite, "tasks.content TEXT 1\n"));
    ck_assert_str_eq(sqlite, postgres);
    free(sqlite);
    free(postgres);
}
END_TEST

/* Every file has its twin: "0003_x.sqlite.sql" and "0003_x.postgres.sql". */
START_TEST(every_migration_has_both_dialects)
{
    int files = 0, twins = 0;
    for (const struct asset *a = asset_table; a->name; a++) {
        const char *dialect = strstr(a->name, ".sqlite.sql");
        if (strncmp(a->name, "migrations/", 11) != 0)
            continue;
        files++;
        char twin[256];
        snprintf(twin, sizeof twin, "%.*s.postgres.sql", dialect ? (int)(dialect - a->name) : 0, a->name);
        for (const struct asset *b = asset_table; dialect && b->name; b++)
            twins += strcmp(b->name, twin) == 0;
    }
    ck_assert_int_gt(files, 0);
    ck_assert_int_eq(files, 2 * twins);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("migrate");
    TCase *both = tcase_create("both databases"), *once = tcase_create("once");
    tcase_set_timeout(both, FIXTURE_TEST_S);
    tcase_add_loop_test(both, applied_once, 0, 2);
    tcase_add_loop_test(both, a_later_program_adds_its_own, 0, 2);
    tcase_add_loop_test(both, a_changed_file_is_refused, 0, 2);
    tcase_add_loop_test(both, a_failing_migration_leaves_nothing, 0, 2);
    tcase_add_loop_test(both, a_foreign_database_is_left_alone, 0, 2);
    tcase_add_loop_test(both, several_processes_at_once, 0, 2);
    tcase_set_timeout(once, FIXTURE_TEST_S);
    tcase_add_test(once, both_dialects_have_the_same_columns);
    tcase_add_test(once, every_migration_has_both_dialects);
    suite_add_tcase(suite, both);
    suite_add_tcase(suite, once);
    return fixture_main(suite, false);
}
