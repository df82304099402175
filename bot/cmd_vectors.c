/* SPDX-License-Identifier: MIT
 * cmd_vectors: see cmd_vectors.h.  Export: every row's vector that is not stale, one item a line.  Import: the file is
 * checked to its end before the database is touched; then tasks and notes it brings along are made where their number
 * is free, and vectors are written where the text is the same, in one transaction. */
#include "bot/cmd_vectors.h"
#include "base/clock.h"
#include "bot/cmd_store.h"
#include "bot/command.h"
#include "bot/embedder_memory.h"
#include "bot/out_file.h"
#include "store/exchange.h"
#include "store/vectors_file.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES_MAX = 2000000000 /* some 400,000 items of 384 numbers */ };

static int finish(struct cmd_store *c, const char *command, enum status st)
{
    int code = st == OK ? COMMAND_DONE : command_failed(command, c->error.text);
    cmd_store_close(c);
    return code;
}

/* --- export --- */

struct exporting {
    struct cmd_store *c;
    struct db *db;
    int64_t user_id;
    FILE *file; /* NULL: only count */
    const char *model, *provider;
    size_t dimensions;
    int64_t items;
    enum status status;
};

static void write_item(struct exporting *x, struct arena *arena, const struct recall_row *row, const struct vector *v)
{
    struct json_object *o = json_keep(arena, json_object_new_object());
    char number[32];
    json_set_str(o, "id", arena_printf(arena, "%s_%lld", v->type, (long long)v->id));
    json_set_str(o, "type", v->type);
    json_set_str(o, "category", row->category ? row->category : "");
    json_set_str(o, "content", row->content);
    if (row->date)
        json_set_str(o, row->type == RECALL_TASK ? "due_date" : "date", row->date);
    json_set_str(o, "created_date", row->created_date);
    if (row->type == RECALL_TASK)
        json_set_bool(o, "completed", row->completed);
    const char *text = json_text(arena, o);
    fprintf(x->file, "%s\n%.*s,\"embedding\":[", x->items ? "," : "", (int)strlen(text) - 1, text);
    for (size_t i = 0; i < v->dimensions; i++)
        fprintf(x->file, "%s%s", i ? "," : "", vectors_number(v->values[i], number));
    fputs("]}", x->file);
}

static bool export_one(const struct vector *v, void *arg)
{
    struct exporting *x = arg;
    struct arena *arena = arena_new();
    struct recall_row row;
    bool found = false;
    char hash[VECTOR_HASH_BYTES];
    int type = recall_type_find(v->type);
    if (type >= 0)
        x->status = recall_row_get(x->db, arena, x->user_id, type, v->id, &row, &found, &x->c->error);
    if (x->status == OK && found) {
        vector_hash(vector_text(arena, &row), hash);
        found = strcmp(hash, v->hash) == 0; /* a stale one speaks of another text */
        if (found && x->file)
            write_item(x, arena, &row, v);
        x->items += found;
    }
    arena_free(arena);
    return x->status == OK;
}

static enum status export_pass(struct exporting *x, FILE *file)
{
    x->file = file;
    x->items = 0;
    if (!x->model)
        return OK;
    enum status st = vector_each(x->db, x->user_id, x->model, x->dimensions, !file, export_one, x, &x->c->error);
    return st == OK ? x->status : st;
}

/* The model of a configured server; with the built-in embedder the one most vectors are of. */
static enum status choose_model(struct exporting *x, struct embedder *embedder)
{
    x->model = embedder_model(embedder);
    x->dimensions = embedder_dimensions(embedder);
    x->provider = embedder_provider(embedder);
    if (!embedder_local(embedder))
        return OK;
    const char *model;
    enum status st = vector_model(x->db, x->c->arena, x->user_id, &model, &x->dimensions, &x->c->error);
    if (st == OK && model && strcmp(model, x->model) != 0)
        x->provider = "openai";
    if (st == OK && model)
        x->model = model;
    return st;
}

static enum status export_all(struct exporting *x, FILE *file, struct embedder *embedder)
{
    struct cmd_store *c = x->c;
    char now[CIVIL_TEXT_BYTES];
    enum status st = store_read_begin(c->store, &x->db, &c->error);
    if (st != OK)
        return st;
    st = choose_model(x, embedder);
    if (st == OK)
        st = export_pass(x, NULL);
    if (st == OK) {
        struct json_object *m = json_keep(c->arena, json_object_new_object());
        json_set_str(m, "created_at", clock_format_utc(clock_wall_ms(), now));
        json_set_str(m, "model", x->model);
        json_set_str(m, "provider", x->provider);
        json_set_int(m, "dimensions", (int64_t)x->dimensions);
        json_set_int(m, "total_items", x->items);
        fprintf(file, "{\"metadata\":%s,\n\"items\":[", json_text(c->arena, m));
        st = export_pass(x, file);
        fputs("\n]}\n", file);
    }
    store_read_end(c->store, x->db);
    return st;
}

static enum status export_file(struct exporting *x, const char *name, struct embedder *embedder)
{
    struct out_file f;
    enum status st = out_file_open(&f, x->c->arena, name, &x->c->error);
    return st == OK ? out_file_finish(&f, export_all(x, f.stream, embedder), &x->c->error) : st;
}

int cmd_vectors_export(int64_t telegram_id, const char *name)
{
    struct cmd_store c;
    struct embedder *embedder = NULL;
    struct exporting x = { .c = &c };
    if (!cmd_store_open(&c, "export", CMD_STORE_REFUSE))
        return 1;
    enum status st = cmd_store_user(&c, telegram_id, false, &x.user_id);
    if (st == OK)
        st = memory_embedder(&c.config, &embedder, &c.error);
    if (st == OK)
        st = export_file(&x, name, embedder);
    if (st == OK)
        fprintf(stderr, "%lld vectors of %s written%s%s\n", (long long)x.items, x.model, name ? " to " : "",
                name ? name : "");
    embedder_free(embedder);
    return finish(&c, "export", st);
}

/* --- import --- */

struct importing {
    struct cmd_store *c;
    struct db *db;
    int64_t user_id, now_ms;
    struct vectors_file file;
    struct import *rows;
    int64_t items, written, skipped;
    struct import_result result;
};

static enum status check_item(struct vectors_item *item, struct arena *arena, void *arg, struct error *error)
{
    struct importing *m = arg;
    (void)item, (void)arena, (void)error;
    m->items++;
    return OK;
}

/* Dates of the first system: seconds, fractions, no zone. */
static const char *plain_date(struct arena *arena, const char *text, bool instant)
{
    struct civil at;
    char out[CIVIL_TEXT_BYTES];
    if (!text || !civil_parse(arena_strndup(arena, text, strlen(text) < 19 ? strlen(text) : 19), &at))
        return text;
    return arena_strdup(arena, instant ? clock_format_utc(civil_seconds(&at) * 1000, out) : civil_format(&at, out));
}

static enum status number_is_free(struct importing *m, const struct vectors_item *item, bool *free_,
                                  struct error *error)
{
    int64_t id;
    bool found;
    enum status st = db_get_int(m->db, &id, &found, error,
                                item->type == RECALL_TASK ? "SELECT id FROM tasks WHERE id = $1"
                                                          : "SELECT id FROM notes WHERE id = $1",
                                p_int(item->id));
    *free_ = !found;
    return st;
}

/* A line of the export file for a row that is not there. */
static enum status add_row(struct vectors_item *item, struct arena *arena, void *arg, struct error *error)
{
    static const char *const names[] = { "content", "category" };
    struct importing *m = arg;
    bool is_free = false;
    struct json_object *o = json_keep(arena, json_object_new_object());
    if (item->type >= RECALL_HEALTH)
        return OK; /* a log's numbers are not in the file */
    enum status st = number_is_free(m, item, &is_free, error);
    if (st != OK || !is_free)
        return st;
    json_set_str(o, "type", recall_type_name(item->type));
    json_set_int(o, "id", item->id);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (*json_str(item->json, names[i], ""))
            json_set_str(o, names[i], json_str(item->json, names[i], ""));
    if (json_has(item->json, "created_date"))
        json_set_str(o, "created_date", plain_date(arena, json_str(item->json, "created_date", ""), true));
    if (item->type == RECALL_TASK && *json_str(item->json, "due_date", ""))
        json_set_str(o, "due_date", plain_date(arena, json_str(item->json, "due_date", ""), false));
    if (item->type == RECALL_TASK)
        json_set_bool(o, "completed", json_flag(item->json, "completed", json_int(item->json, "completed", 0) != 0));
    const char *line = json_text(arena, o);
    if (import_line(m->rows, line, strlen(line), error) != OK)
        return fail(error, error->status, "line %ld: %s_%lld: %s", item->line, recall_type_name(item->type),
                    (long long)item->id, arena_strdup(arena, error->text));
    return OK;
}

static enum status put_vector(struct vectors_item *item, struct arena *arena, void *arg, struct error *error)
{
    struct importing *m = arg;
    struct recall_row row;
    bool found;
    char hash[VECTOR_HASH_BYTES];
    enum status st = recall_row_get(m->db, arena, m->user_id, item->type, item->id, &row, &found, error);
    if (st != OK)
        return st;
    if (!found || strcmp(row.content, json_str(item->json, "content", "")) != 0) {
        m->skipped++;
        return OK;
    }
    vector_hash(vector_text(arena, &row), hash);
    struct vector v = { .type = recall_type_name(item->type),
                        .id = item->id,
                        .user_id = m->user_id,
                        .hash = hash,
                        .values = item->values,
                        .dimensions = m->file.dimensions };
    m->written++;
    return vector_put(m->db, m->file.model, &v, m->now_ms, error);
}

static enum status write_all(struct db *db, void *arg, struct error *error)
{
    struct importing *m = arg;
    m->db = db;
    m->written = m->skipped = 0;
    enum status st = OK;
    if (import_rows(m->rows) > 0)
        st = import_apply(db, m->rows, m->user_id, NULL, NULL, &m->result, error);
    return st == OK ? vectors_file_each(&m->file, put_vector, m, error) : st;
}

static enum status read_whole(FILE *file, struct buf *out, struct error *error)
{
    char block[65536];
    size_t n;
    while (!out->overflow && (n = fread(block, 1, sizeof block, file)) > 0)
        buf_put(out, block, n);
    if (ferror(file))
        return fail(error, ST_INTERNAL, "The file cannot be read: %s.", strerror(errno));
    return out->overflow ? fail(error, ST_LIMIT, "The file is larger than %d bytes.", FILE_BYTES_MAX) : OK;
}

static enum status import_all(struct importing *m, const struct buf *text, int64_t telegram_id)
{
    struct cmd_store *c = m->c;
    enum status st = vectors_file_open(&m->file, c->arena, buf_str(text), text->len, &c->error);
    if (st == OK)
        st = vectors_file_each(&m->file, check_item, m, &c->error);
    if (st == OK)
        st = cmd_store_user(c, telegram_id, true, &m->user_id);
    if (st == OK)
        st = store_read_begin(c->store, &m->db, &c->error);
    if (st != OK)
        return st;
    st = vectors_file_each(&m->file, add_row, m, &c->error);
    store_read_end(c->store, m->db);
    return st == OK ? store_write(c->store, write_all, m, &c->error) : st;
}

static void say(struct importing *m, const char *model)
{
    fprintf(stderr, "imported %lld vectors of %s", (long long)m->written, m->file.model);
    if (m->result.added[EXCHANGE_TASK] + m->result.added[EXCHANGE_NOTE] > 0)
        fprintf(stderr, ", %lld tasks and %lld notes with them", (long long)m->result.added[EXCHANGE_TASK],
                (long long)m->result.added[EXCHANGE_NOTE]);
    if (m->skipped > 0)
        fprintf(stderr, "; %lld left out: their row is not here or says something else", (long long)m->skipped);
    fputc('\n', stderr);
    if (strcmp(model, m->file.model) != 0)
        fprintf(stderr, "the search uses %s: these vectors rest until EMBEDDING_MODEL names %s\n", model,
                m->file.model);
}

static enum status read_named(const char *name, struct buf *out, struct error *error)
{
    if (!name)
        return read_whole(stdin, out, error);
    FILE *file = fopen(name, "re");
    if (!file)
        return fail(error, ST_NOT_FOUND, "%s cannot be read: %s.", name, strerror(errno));
    enum status st = read_whole(file, out, error);
    fclose(file);
    return st;
}

static int import_text(const struct buf *text, int64_t telegram_id)
{
    struct cmd_store c;
    struct embedder *embedder = NULL;
    if (!cmd_store_open(&c, "import", CMD_STORE_MAKE))
        return COMMAND_FAILED;
    struct importing m = { .c = &c, .now_ms = clock_wall_ms(), .rows = import_new(clock_wall_ms()) };
    enum status st = memory_embedder(&c.config, &embedder, &c.error);
    if (st == OK)
        st = import_all(&m, text, telegram_id);
    if (st == OK)
        say(&m, embedder_model(embedder));
    embedder_free(embedder);
    import_free(m.rows);
    return finish(&c, "import", st);
}

int cmd_vectors_import(int64_t telegram_id, const char *name)
{
    struct error e = { 0 };
    struct buf text = BUF_INIT(FILE_BYTES_MAX);
    enum status st = read_named(name, &text, &e);
    int code = st == OK ? import_text(&text, telegram_id) : command_failed("import", e.text);
    if (code != COMMAND_DONE)
        fputs("nothing was imported\n", stderr);
    buf_release(&text);
    return code;
}
