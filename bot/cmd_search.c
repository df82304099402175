/* SPDX-License-Identifier: MIT
 * cmd_search: see cmd_search.h.  The index is built once per run, on the same path that answers questions. */
#include "bot/cmd_search.h"
#include "base/json.h"
#include "base/text.h"
#include "bot/cmd_store.h"
#include "router/question_search.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT_DEFAULT = 10, LIMIT_MAX = 1000 };

static const char usage[] =
    "usage: steward search [--json] [--limit N] [--type tasks|notes|health] [--user TELEGRAM_ID] QUERY…\n"
    "       steward search --stdin   (one query a line, one JSON line each)\n";

struct arguments {
    bool json, from_stdin;
    int limit;
    unsigned mask;
    int64_t telegram_id;
    const char *query;
};

/* The value of "--name VALUE" or "--name=VALUE" at argv[*i]; NULL = another option. */
static const char *option_value(int argc, char **argv, int *i, const char *name)
{
    size_t n = strlen(name);
    if (strncmp(argv[*i], name, n) != 0)
        return NULL;
    if (argv[*i][n] == '=')
        return argv[*i] + n + 1;
    if (argv[*i][n] != '\0' || *i + 1 >= argc || !argv[*i + 1])
        return NULL;
    return argv[++*i];
}

static bool limit_read(const char *text, int *limit)
{
    char *end;
    long value = strtol(text, &end, 10);
    *limit = (int)value;
    return *text && *end == '\0' && value >= 1 && value <= LIMIT_MAX;
}

static bool option_read(int argc, char **argv, int *i, struct arguments *a)
{
    const char *value;
    if (strcmp(argv[*i], "--json") == 0)
        return a->json = true;
    if (strcmp(argv[*i], "--stdin") == 0)
        return a->from_stdin = true;
    if ((value = option_value(argc, argv, i, "--limit")))
        return limit_read(value, &a->limit);
    if ((value = option_value(argc, argv, i, "--type")))
        return (a->mask = recall_mask(value)) != 0;
    if ((value = option_value(argc, argv, i, "--user")))
        return cmd_telegram_id(value, &a->telegram_id);
    return false;
}

static bool arguments_read(int argc, char **argv, struct arena *arena, struct arguments *a)
{
    *a = (struct arguments){ .limit = LIMIT_DEFAULT, .mask = RECALL_ALL, .query = "" };
    bool options = true;
    for (int i = 1; i < argc; i++) {
        if (options && strcmp(argv[i], "--") == 0) {
            options = false;
        } else if (options && argv[i][0] == '-' && argv[i][1]) {
            int at = i;
            if (!option_read(argc, argv, &i, a)) {
                fprintf(stderr, "steward search: %s is not understood here\n%s", argv[at], usage);
                return false;
            }
        } else {
            a->query = arena_printf(arena, "%s%s%s", a->query, *a->query ? " " : "", argv[i]);
        }
    }
    if (!*a->query == !a->from_stdin) {
        fputs(usage, stderr);
        return false;
    }
    return true;
}

static void print_json(struct search *search, const struct arguments *a, const char *query)
{
    struct arena *arena = arena_new();
    struct search_filter filter = { .mask = a->mask };
    struct search_hit *hit;
    size_t count = search_find(search, arena, query, &filter, (size_t)a->limit, &hit);
    struct json_object *out = json_keep(arena, json_object_new_object()), *list = json_object_new_array();
    json_set_str(out, "query", query);
    for (size_t i = 0; i < count; i++)
        json_push(list, search_hit_json(arena, &hit[i], true));
    json_set(out, "results", list);
    puts(json_text(arena, out));
    arena_free(arena);
}

static void print_text(struct search *search, const struct arguments *a)
{
    struct arena *arena = arena_new();
    struct search_filter filter = { .mask = a->mask };
    struct search_hit *hit;
    size_t count = search_find(search, arena, a->query, &filter, (size_t)a->limit, &hit);
    for (size_t i = 0; i < count; i++) {
        const struct recall_row *row = hit[i].row;
        printf("%s_%lld  %.10s  %s%s%s%s\n", recall_type_name(row->type), (long long)row->id,
               row->date ? row->date : row->created_date, row->category ? "[" : "", row->category ? row->category : "",
               row->category ? "] " : "", hit[i].excerpt);
    }
    if (count == 0)
        fprintf(stderr, "nothing found for: %s\n", a->query);
    arena_free(arena);
}

static void serve_stdin(struct search *search, const struct arguments *a)
{
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) >= 0) {
        struct arena *arena = arena_new();
        const char *query = text_clean(arena, line, strcspn(line, "\r\n"));
        print_json(search, a, query);
        fflush(stdout);
        arena_free(arena);
    }
    free(line);
}

/* The rows are copied while the connection is held; queries need none. */
static enum status open_search(struct cmd_store *c, const struct arguments *a, struct search **search)
{
    int64_t user_id = 0;
    struct db *db;
    enum status st = cmd_store_user(c, a->telegram_id, false, &user_id);
    if (st == OK)
        st = store_read_begin(c->store, &db, &c->error);
    if (st != OK)
        return st;
    st = search_open(c->arena, db, user_id, a->mask, search, &c->error);
    store_read_end(c->store, db);
    return st;
}

int cmd_search(int argc, char **argv)
{
    struct arena *words = arena_new();
    struct arguments a;
    struct cmd_store c;
    struct search *search;
    int code = 1;
    if (!arguments_read(argc, argv, words, &a)) {
        code = 2;
    } else if (cmd_store_open(&c, "search")) {
        if (open_search(&c, &a, &search) != OK) {
            fprintf(stderr, "steward search: %s\n", c.error.text);
        } else {
            code = 0;
            if (a.from_stdin)
                serve_stdin(search, &a);
            else if (a.json)
                print_json(search, &a, a.query);
            else
                print_text(search, &a);
        }
        cmd_store_close(&c);
    }
    arena_free(words);
    return code;
}
