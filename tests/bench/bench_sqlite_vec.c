/* SPDX-License-Identifier: MIT
 * bench_sqlite_vec: sqlite-vec's vec0 table in memory, on the files of bench_matrix; called by tests/bench/run.
 *
 *   bench_sqlite_vec VEC0.SO DIR N D K QUERIES      "name value" lines; hits in DIR/sqlite-vec.ids
 *
 * L2 distance: for unit vectors the same order as the inner product, and the one of its metrics that has AVX code. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void must(int ok, sqlite3 *db)
{
    if (ok)
        return;
    fprintf(stderr, "bench_sqlite_vec: %s\n", db ? sqlite3_errmsg(db) : "a file or an argument is wrong");
    exit(1);
}

static FILE *open_in(const char *dir, const char *name, const char *mode)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, mode);
    must(f != NULL, NULL);
    return f;
}

static sqlite3 *table_open(const char *extension, size_t d)
{
    sqlite3 *db;
    char sql[128];
    must(sqlite3_open(":memory:", &db) == SQLITE_OK, db);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, NULL);
    must(sqlite3_load_extension(db, extension, "sqlite3_vec_init", NULL) == SQLITE_OK, db);
    snprintf(sql, sizeof sql, "CREATE VIRTUAL TABLE v USING vec0(e float[%zu])", d);
    must(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, db);
    return db;
}

static void table_fill(sqlite3 *db, const char *dir, long n, size_t d)
{
    sqlite3_stmt *insert;
    float *row = malloc(d * sizeof *row);
    FILE *f = open_in(dir, "rows.f32", "rb");
    must(sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK, db);
    must(sqlite3_prepare_v2(db, "INSERT INTO v(rowid, e) VALUES (?, ?)", -1, &insert, NULL) == SQLITE_OK, db);
    for (long i = 0; i < n; i++) {
        must(fread(row, sizeof *row, d, f) == d, NULL);
        sqlite3_bind_int64(insert, 1, i + 1);
        sqlite3_bind_blob(insert, 2, row, (int)(d * sizeof *row), SQLITE_TRANSIENT);
        must(sqlite3_step(insert) == SQLITE_DONE, db);
        sqlite3_reset(insert);
    }
    must(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK, db);
    sqlite3_finalize(insert);
    fclose(f);
    free(row);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    must(argc == 7, NULL);
    const char *dir = argv[2];
    long n = atol(argv[3]), queries = atol(argv[6]);
    size_t d = (size_t)atol(argv[4]);
    int k = atoi(argv[5]);
    sqlite3 *db = table_open(argv[1], d);
    sqlite3_stmt *select;
    float *query = malloc(d * sizeof *query);
    double *t = calloc((size_t)queries, sizeof *t);
    FILE *in = open_in(dir, "queries.f32", "rb"), *out = open_in(dir, "sqlite-vec.ids", "wb");
    table_fill(db, dir, n, d);
    must(sqlite3_prepare_v2(db, "SELECT rowid FROM v WHERE e MATCH ? AND k = ? ORDER BY distance", -1, &select, NULL) ==
             SQLITE_OK,
         db);
    for (long i = 0; i < queries; i++) {
        must(fread(query, sizeof *query, d, in) == d, NULL);
        double start = now_ms();
        sqlite3_bind_blob(select, 1, query, (int)(d * sizeof *query), SQLITE_STATIC);
        sqlite3_bind_int(select, 2, k);
        while (sqlite3_step(select) == SQLITE_ROW) {
            int id = sqlite3_column_int(select, 0) - 1;
            fwrite(&id, sizeof id, 1, out);
        }
        sqlite3_reset(select);
        t[i] = now_ms() - start;
    }
    qsort(t, (size_t)queries, sizeof *t, by_value);
    printf("single_ms %.4f\n", t[queries / 2]);
    sqlite3_finalize(select);
    sqlite3_close(db);
    fclose(in);
    fclose(out);
    free(query);
    free(t);
    return 0;
}
