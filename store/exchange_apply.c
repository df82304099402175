/* SPDX-License-Identifier: MIT
 * exchange_apply: writes the rows of an import file inside one transaction: what is there already is left out, ids are
 * kept where they are free, categories are made.  Runs as a store write, perhaps more than once. */
#include "base/clock.h"
#include "store/categories.h"
#include "store/exchange_import.h"
#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_ROWS = 500, KEY_BYTES = 16, SQL_BYTES = 1024 };

struct apply {
    struct db *db;
    struct import *im;
    int64_t user_id;
    struct import_result *result;
    struct error *error;
    struct arena *arena;
    void (*progress)(void *arg, int64_t done, int64_t total);
    void *arg;
    int64_t done;
};

/* --- rows that are there already --- */

/* An existing row under the digest of its line, with and without created_date. */
struct present {
    unsigned char key[KEY_BYTES];
    size_t row;
};
struct existing {
    struct arena *scratch;
    struct present *whole, *undated;
    bool *absorbed;
    size_t count, capacity;
    struct json_object *sleep_days; /* date → hours, for the one-a-day rule */
};

static void digest(const char *line, unsigned char key[KEY_BYTES])
{
    unsigned char full[EVP_MAX_MD_SIZE];
    unsigned bytes;
    if (!EVP_Digest(line, strlen(line), full, &bytes, EVP_sha256(), NULL))
        abort(); /* only memory can be missing */
    memcpy(key, full, KEY_BYTES);
}

static void row_digest(const struct exchange_row *row, int form, unsigned char key[KEY_BYTES])
{
    struct arena *scratch = arena_new();
    digest(exchange_line(scratch, row, form), key);
    arena_free(scratch);
}

static bool existing_add(const struct exchange_row *row, void *arg)
{
    struct existing *e = arg;
    if (e->count == e->capacity) {
        e->capacity = e->capacity ? e->capacity * 2 : 256;
        e->whole = xrealloc(e->whole, e->capacity * sizeof *e->whole);
        e->undated = xrealloc(e->undated, e->capacity * sizeof *e->undated);
    }
    e->whole[e->count].row = e->undated[e->count].row = e->count;
    row_digest(row, LINE_WITHOUT_ID, e->whole[e->count].key);
    row_digest(row, LINE_WITHOUT_ID_AND_CREATED, e->undated[e->count].key);
    e->count++;
    if (row->kind == EXCHANGE_SLEEP)
        json_set_num(e->sleep_days, row->value[0].text, row->value[1].number);
    return true;
}

static int compare_present(const void *a, const void *b)
{
    const struct present *x = a, *y = b;
    int order = memcmp(x->key, y->key, KEY_BYTES);
    return order ? order : (x->row > y->row) - (x->row < y->row);
}

/* Absorb one unused existing row that equals this one. */
static bool absorb(struct existing *e, const struct exchange_row *row)
{
    const struct exchange_table *t = &exchange_tables[row->kind];
    bool dated = row->value[t->created].given;
    const struct present *list = dated ? e->whole : e->undated;
    struct present wanted = { .row = 0 };
    row_digest(row, dated ? LINE_WITHOUT_ID : LINE_WITHOUT_ID_AND_CREATED, wanted.key);
    size_t low = 0, high = e->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare_present(&list[middle], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < e->count && memcmp(list[low].key, wanted.key, KEY_BYTES) == 0; low++)
        if (!e->absorbed[list[low].row])
            return e->absorbed[list[low].row] = true;
    return false;
}

static enum status refuse_sleep(struct apply *a, const struct import_row *r, const char *hours)
{
    return fail(a->error, ST_INVALID,
                "line %lld: there is already a sleep log for %s (%s h); a day has one. Remove the line or that log.",
                (long long)r->line, r->row.value[0].text, hours);
}

static enum status mark_rows(struct apply *a, enum exchange_kind kind, struct existing *e)
{
    for (size_t i = 0; i < a->im->count; i++) {
        struct import_row *r = &a->im->row[i];
        if (r->row.kind != kind)
            continue;
        r->present = e->count > 0 && absorb(e, &r->row);
        a->result->present += r->present;
        if (kind != EXCHANGE_SLEEP || r->present)
            continue;
        struct json_object *hours;
        if (json_object_object_get_ex(e->sleep_days, r->row.value[0].text, &hours))
            return refuse_sleep(a, r, json_text(e->scratch, hours));
        json_set_num(e->sleep_days, r->row.value[0].text, r->row.value[1].number);
    }
    return OK;
}

static enum status mark_present(struct apply *a, enum exchange_kind kind)
{
    struct existing e = { .scratch = arena_new(), .sleep_days = json_object_new_object() };
    enum status st = exchange_each(a->db, a->user_id, kind, existing_add, &e, a->error);
    if (st == OK) {
        e.absorbed = xcalloc(e.count + 1, sizeof *e.absorbed);
        if (e.count > 0) {
            qsort(e.whole, e.count, sizeof *e.whole, compare_present);
            qsort(e.undated, e.count, sizeof *e.undated, compare_present);
        }
        st = mark_rows(a, kind, &e);
    }
    free(e.whole);
    free(e.undated);
    free(e.absorbed);
    json_object_put(e.sleep_days);
    arena_free(e.scratch);
    return st;
}

/* --- ids --- */

struct numbered {
    int64_t id;
    struct import_row *row;
};

static int compare_numbered(const void *a, const void *b)
{
    const struct numbered *x = a, *y = b;
    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return (x->row->line > y->row->line) - (x->row->line < y->row->line);
}

static enum status refuse_twice(struct apply *a, const struct numbered *first, const struct numbered *second)
{
    return fail(a->error, ST_INVALID, "line %lld: %s %lld is already on line %lld", (long long)second->row->line,
                exchange_tables[first->row->row.kind].name, (long long)first->id, (long long)first->row->line);
}

/* Ids of the table, anybody's and deleted ones too, are not given twice. */
static enum status mark_taken(struct apply *a, enum exchange_kind kind)
{
    struct numbered *list = xmalloc((a->im->count + 1) * sizeof *list);
    size_t count = 0, at = 0;
    for (size_t i = 0; i < a->im->count; i++) {
        struct import_row *r = &a->im->row[i];
        r->id_taken = r->row.kind == kind ? false : r->id_taken;
        if (r->row.kind == kind && r->row.id)
            list[count++] = (struct numbered){ r->row.id, r };
    }
    qsort(list, count, sizeof *list, compare_numbered);
    enum status st = OK;
    for (size_t i = 1; i < count && st == OK; i++)
        if (list[i].id == list[i - 1].id)
            st = refuse_twice(a, &list[i - 1], &list[i]);
    if (st == OK && count > 0) {
        char sql[SQL_BYTES];
        snprintf(sql, sizeof sql, "SELECT id FROM %s WHERE id >= $1 AND id <= $2 ORDER BY id",
                 exchange_tables[kind].table);
        struct stmt *s = db_query(a->db, sql, p_int(list[0].id), p_int(list[count - 1].id));
        while (db_step(s)) {
            int64_t id = db_int(s, 0);
            while (at < count && list[at].id < id)
                at++;
            if (at < count && list[at].id == id) {
                list[at].row->id_taken = true;
                a->result->renumbered += !list[at].row->present;
            }
        }
        st = db_done(s, a->error);
    }
    free(list);
    return st;
}

/* --- categories --- */

static enum status category_row(struct apply *a, struct import_row *r, const char *path, int64_t created_ms)
{
    struct category category;
    enum status st = category_ensure(a->db, a->arena, a->user_id, path, created_ms, &category, a->error);
    if (st == ST_INVALID || st == ST_LIMIT)
        return fail_context(a->error, "line %lld", (long long)r->line);
    r->category_id = st == OK ? category.id : 0;
    r->path = st == OK ? category.path : NULL;
    return st;
}

static enum status category_total(struct apply *a, int64_t *total)
{
    bool found;
    return db_get_int(a->db, total, &found, a->error, "SELECT count(*) FROM categories WHERE user_id = $1",
                      p_int(a->user_id));
}

static enum status apply_categories(struct apply *a)
{
    int64_t before = 0, after = 0, lines = 0, created_ms;
    struct civil created;
    enum status st = category_total(a, &before);
    for (size_t i = 0; i < a->im->count && st == OK; i++) {
        struct import_row *r = &a->im->row[i];
        if (r->row.kind != EXCHANGE_CATEGORY)
            continue;
        const struct exchange_value *v = r->row.value;
        const char *path = v[1].null ? v[0].text : arena_printf(a->arena, "%s/%s", v[1].text, v[0].text);
        char head[20];
        snprintf(head, sizeof head, "%.19s", v[2].text);
        created_ms = a->im->now_ms;
        if (civil_parse(head, &created))
            st = zone_to_instant("UTC", &created, &created_ms, a->error);
        if (st == OK)
            st = category_row(a, r, path, created_ms);
        lines++;
    }
    if (st == OK)
        st = category_total(a, &after);
    a->done += lines;
    a->result->present = lines > after - before ? lines - (after - before) : 0; /* a line may make parents too */
    a->result->added[EXCHANGE_CATEGORY] = -before; /* the total at the end is added: see import_apply */
    return st;
}

/* The category of each task and note, made when missing and spelled as it is kept; each name is looked up once. */
static enum status resolve_categories(struct apply *a, enum exchange_kind kind)
{
    struct json_object *ids = json_keep(a->arena, json_object_new_object()), *id;
    struct json_object *paths = json_keep(a->arena, json_object_new_object());
    for (size_t i = 0; i < a->im->count; i++) {
        struct import_row *r = &a->im->row[i];
        struct exchange_value *v = &r->row.value[1]; /* category is column 1 of both */
        r->category_id = 0;
        if (r->row.kind != kind || v->null)
            continue;
        const char *name = v->text;
        if (json_object_object_get_ex(ids, name, &id)) {
            r->category_id = json_object_get_int64(id);
        } else {
            enum status st = category_row(a, r, name, a->im->now_ms);
            if (st != OK)
                return st;
            json_set_int(ids, name, r->category_id);
            json_set_str(paths, name, r->path);
        }
        v->text = arena_strdup(a->im->arena, json_object_get_string(json_object_object_get(paths, name)));
    }
    return OK;
}

/* --- rows --- */

static void insert_sql(const struct exchange_table *t, bool with_id, char sql[SQL_BYTES])
{
    char names[SQL_BYTES / 4], marks[SQL_BYTES / 2];
    int n = with_id ? 2 : 1;
    snprintf(names, sizeof names, "user_id%s", with_id ? ", id" : "");
    snprintf(marks, sizeof marks, "$1%s", with_id ? ", $2" : "");
    for (int i = 0; i < t->column_count; i++) {
        enum exchange_column_type type = t->column[i].type;
        const char *cast = type == COLUMN_NUMBER                                                 ? "DOUBLE PRECISION"
                           : type == COLUMN_CATEGORY || type == COLUMN_FLAG || type == COLUMN_MS ? "BIGINT"
                                                                                                 : "TEXT";
        size_t a = strlen(names), b = strlen(marks);
        snprintf(names + a, sizeof names - a, ", %s", type == COLUMN_CATEGORY ? "category_id" : t->column[i].name);
        snprintf(marks + b, sizeof marks - b, ", CAST($%d AS %s)", ++n, cast);
    }
    assert(strlen(names) < sizeof names - 1 && strlen(marks) < sizeof marks - 1); /* nothing was cut */
    snprintf(sql, SQL_BYTES, "INSERT INTO %s (%s) VALUES (%s)", t->table, names, marks);
}

static struct param value_param(const struct import_row *r, const struct exchange_column *c,
                                const struct exchange_value *v)
{
    if (c->type == COLUMN_CATEGORY)
        return r->category_id ? p_int(r->category_id) : p_null();
    if (c->type == COLUMN_FLAG)
        return p_int(v->null ? 0 : v->integer);
    if (v->null)
        return p_null();
    if (c->type == COLUMN_NUMBER)
        return p_real(v->number);
    return c->type == COLUMN_MS ? p_int(v->integer) : p_text(v->text);
}

struct batch {
    struct param param[BATCH_ROWS * (EXCHANGE_COLUMNS_MAX + 2)];
    size_t params, rows;
    bool with_id;
};

static enum status batch_flush(struct apply *a, enum exchange_kind kind, struct batch *b)
{
    if (b->rows == 0)
        return OK;
    char sql[SQL_BYTES];
    insert_sql(&exchange_tables[kind], b->with_id, sql);
    enum status st = db_run_many(a->db, sql, b->param, b->rows, b->params / b->rows, NULL, a->error);
    a->result->added[kind] += (int64_t)b->rows;
    b->rows = b->params = 0;
    if (a->progress && st == OK)
        a->progress(a->arg, a->done, (int64_t)a->im->count);
    return st;
}

/* PostgreSQL: explicit ids do not move the identity sequence; move it behind the largest one. */
static enum status advance_sequence(struct apply *a, enum exchange_kind kind)
{
    if (db_kind(a->db) != DB_POSTGRES)
        return OK; /* AUTOINCREMENT sees explicit ids */
    char sql[SQL_BYTES];
    int64_t value;
    bool found;
    const char *table = exchange_tables[kind].table;
    snprintf(sql, sizeof sql,
             "SELECT setval(pg_get_serial_sequence('%s', 'id'), GREATEST(max(id),"
             " COALESCE(pg_sequence_last_value(pg_get_serial_sequence('%s', 'id')::regclass), 1))) FROM %s"
             " HAVING max(id) IS NOT NULL",
             table, table, table);
    return db_get_int(a->db, &value, &found, a->error, sql);
}

/* Rows with ids first: the database then numbers the others behind them. */
static enum status insert_rows(struct apply *a, enum exchange_kind kind, bool with_id)
{
    const struct exchange_table *t = &exchange_tables[kind];
    struct batch *b = xcalloc(1, sizeof *b);
    enum status st = OK;
    b->with_id = with_id;
    for (size_t i = 0; i < a->im->count && st == OK; i++) {
        const struct import_row *r = &a->im->row[i];
        if (r->row.kind != kind || r->present || with_id != (r->row.id && !r->id_taken))
            continue;
        b->param[b->params++] = p_int(a->user_id);
        if (with_id)
            b->param[b->params++] = p_int(r->row.id);
        for (int c = 0; c < t->column_count; c++)
            b->param[b->params++] = value_param(r, &t->column[c], &r->row.value[c]);
        a->done++;
        if (++b->rows == BATCH_ROWS)
            st = batch_flush(a, kind, b);
    }
    if (st == OK)
        st = batch_flush(a, kind, b);
    free(b);
    return st;
}

static enum status apply_kind(struct apply *a, enum exchange_kind kind)
{
    bool any = false;
    for (size_t i = 0; i < a->im->count && !any; i++)
        any = a->im->row[i].row.kind == kind;
    if (!any)
        return OK;
    char lock[SQL_BYTES];
    /* Readers go on; other writers of this table wait, so that no id is taken between the look and the insert. */
    snprintf(lock, sizeof lock, "LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE", exchange_tables[kind].table);
    enum status st = db_kind(a->db) == DB_POSTGRES ? db_run(a->db, a->error, lock) : OK;
    if (st == OK && (kind == EXCHANGE_TASK || kind == EXCHANGE_NOTE))
        st = resolve_categories(a, kind);
    if (st == OK)
        st = mark_present(a, kind);
    if (st == OK)
        st = mark_taken(a, kind);
    if (st == OK)
        st = insert_rows(a, kind, true);
    if (st == OK)
        st = advance_sequence(a, kind);
    return st == OK ? insert_rows(a, kind, false) : st;
}

enum status import_apply(struct db *db, struct import *im, int64_t user_id,
                         void (*progress)(void *arg, int64_t done, int64_t total), void *arg,
                         struct import_result *result, struct error *error)
{
    *result = (struct import_result){ 0 };
    struct apply a = { .db = db,
                       .im = im,
                       .user_id = user_id,
                       .result = result,
                       .error = error,
                       .arena = arena_new(),
                       .progress = progress,
                       .arg = arg };
    enum status st = apply_categories(&a);
    for (int kind = EXCHANGE_TASK; kind < EXCHANGE_KINDS && st == OK; kind++)
        st = apply_kind(&a, (enum exchange_kind)kind);
    int64_t categories = 0;
    if (st == OK)
        st = category_total(&a, &categories);
    result->added[EXCHANGE_CATEGORY] += categories;
    arena_free(a.arena);
    return st;
}

struct write_call {
    struct import *im;
    int64_t user_id;
    void (*progress)(void *arg, int64_t done, int64_t total);
    void *arg;
    struct import_result *result;
};

static enum status write_all(struct db *db, void *arg, struct error *error)
{
    const struct write_call *w = arg;
    return import_apply(db, w->im, w->user_id, w->progress, w->arg, w->result, error);
}

enum status import_write(struct store *store, struct import *im, int64_t user_id,
                         void (*progress)(void *arg, int64_t done, int64_t total), void *arg,
                         struct import_result *result, struct error *error)
{
    struct write_call w = { im, user_id, progress, arg, result };
    return store_write(store, write_all, &w, error);
}
