/* SPDX-License-Identifier: MIT
 * cmd_search: see cmd_search.h.  The index is built once per run, on the same path that answers questions. */
#include "bot/cmd_search.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "bot/agent_option.h"
#include "bot/cmd_store.h"
#include "bot/command.h"
#include "bot/embedder_memory.h"
#include "router/question_search.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LIMIT_DEFAULT = 10,
    LIMIT_MAX = 1000,
    FILL_MAX = 20000, /* vectors computed for one run: about two seconds; `steward reindex` keeps them */
};

const char cmd_search_help[] =
    "usage: steward search [--json] [--limit N] [--type tasks|notes|health] [--user TELEGRAM_ID] QUERY…\n"
    "       steward search [OPTIONS] --stdin\n"
    "Finds rows by words and meaning, the best first.\n"
    "\n"
    "  --stdin              a query a line; a JSON line for each\n"
    "  --json               the same for one query\n"
    "  --limit N            at most so many rows (10)\n"
    "  --type               only tasks, notes or health logs\n"
    "  --user TELEGRAM_ID   whose; without it the owner's: the first of TELEGRAM_USER_ID, else the console's person\n";

struct arguments {
    bool json, from_stdin;
    int64_t limit;
    unsigned mask;
    int64_t telegram_id;
    const char *query;
};

static bool option_read(int argc, char **argv, int *i, struct arguments *a)
{
    const char *value;
    if (strcmp(argv[*i], "--json") == 0)
        return a->json = true;
    if (strcmp(argv[*i], "--stdin") == 0)
        return a->from_stdin = true;
    if ((value = command_option(argc, argv, i, "--limit")))
        return agent_number_read(value, 1, LIMIT_MAX, &a->limit);
    if ((value = command_option(argc, argv, i, "--type")))
        return (a->mask = recall_mask(value)) != 0;
    if ((value = command_option(argc, argv, i, "--user")))
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
                command_misused("search", cmd_search_help, "%s is not understood here, or its value is wrong.",
                                argv[at]);
                return false;
            }
        } else {
            a->query = arena_printf(arena, "%s%s%s", a->query, *a->query ? " " : "", argv[i]);
        }
    }
    if (!*a->query == !a->from_stdin) {
        command_misused("search", cmd_search_help, NULL);
        return false;
    }
    return true;
}

struct searcher {
    struct cmd_store store;
    struct memory memory;
    const struct arguments *arguments;
    int64_t user_id;
};

static enum status find(struct searcher *s, struct arena *arena, const char *text, struct search_hit **hit,
                        size_t *count)
{
    struct db *db;
    struct search_query q = { .user_id = s->user_id,
                              .text = text,
                              .filter = { .mask = s->arguments->mask },
                              .limit = (size_t)s->arguments->limit,
                              .now_ms = clock_wall_ms() };
    *count = 0;
    search_prepare(arena, text);
    enum status st = store_read_begin(s->store.store, &db, &s->store.error);
    if (st != OK)
        return st;
    st = search_find(db, arena, &q, hit, count, &s->store.error);
    store_read_end(s->store.store, db);
    struct error e = { 0 };
    if (memory_account(&s->memory, s->store.store, &e) != OK)
        fprintf(stderr, "steward search: the call is missing in the ledger: %s\n", e.text);
    return st;
}

static enum status print_json(struct searcher *s, const char *query)
{
    struct arena *arena = arena_new();
    struct search_hit *hit;
    size_t count;
    enum status st = find(s, arena, query, &hit, &count);
    struct json_object *out = json_keep(arena, json_object_new_object()), *list = json_object_new_array();
    json_set_str(out, "query", query);
    for (size_t i = 0; i < count; i++)
        json_push(list, search_hit_json(arena, &hit[i], true));
    json_set(out, "results", list);
    if (st == OK)
        puts(json_text(arena, out));
    arena_free(arena);
    return st;
}

static enum status print_text(struct searcher *s)
{
    struct arena *arena = arena_new();
    struct search_hit *hit;
    size_t count;
    enum status st = find(s, arena, s->arguments->query, &hit, &count);
    for (size_t i = 0; i < count; i++) {
        const struct recall_row *row = hit[i].row;
        printf("%s_%lld  %.10s  %s%s%s%s\n", recall_type_name(row->type), (long long)row->id,
               row->date ? row->date : row->created_date, row->category ? "[" : "", row->category ? row->category : "",
               row->category ? "] " : "", hit[i].excerpt);
    }
    if (st == OK && count == 0)
        fprintf(stderr, "nothing found for: %s\n", s->arguments->query);
    arena_free(arena);
    return st;
}

static enum status serve_stdin(struct searcher *s)
{
    char *line = NULL;
    size_t room = 0;
    enum status st = OK;
    while (st == OK && getline(&line, &room, stdin) >= 0) {
        struct arena *arena = arena_new();
        const char *query = text_clean(arena, line, strcspn(line, "\r\n"));
        st = print_json(s, query);
        fflush(stdout);
        arena_free(arena);
    }
    free(line);
    return st;
}

/* The index is built here, once; queries find it ready. */
static enum status open_search(struct searcher *s)
{
    struct cmd_store *c = &s->store;
    struct db *db;
    enum status st = cmd_store_user(c, s->arguments->telegram_id, false, &s->user_id);
    if (st == OK)
        st = memory_open(&s->memory, &c->config, c->store, &c->error);
    if (st == OK)
        st = store_read_begin(c->store, &db, &c->error);
    if (st != OK)
        return st;
    st = recall_sync(s->memory.recall, db, s->user_id, &c->error);
    if (st == OK && embedder_local(s->memory.embedder)) /* rows that no server has embedded yet */
        st = recall_fill(s->memory.recall, db, s->user_id, FILL_MAX, &c->error);
    store_read_end(c->store, db);
    search_use(s->memory.recall, s->memory.vectors);
    return st;
}

static enum status search(struct searcher *s)
{
    const struct arguments *a = s->arguments;
    enum status st = open_search(s);
    if (st == OK)
        st = a->from_stdin ? serve_stdin(s) : a->json ? print_json(s, a->query) : print_text(s);
    search_use(NULL, NULL);
    memory_close(&s->memory);
    return st;
}

int cmd_search(int argc, char **argv)
{
    struct arena *words = arena_new();
    struct arguments a;
    struct searcher s = { .arguments = &a };
    int code = COMMAND_FAILED;
    if (!arguments_read(argc, argv, words, &a)) {
        code = COMMAND_MISUSED;
    } else if (cmd_store_open(&s.store, "search", CMD_STORE_REFUSE)) {
        http_global_init(s.store.config.ssl_cert_file);
        code = search(&s) == OK ? COMMAND_DONE : command_failed("search", s.store.error.text);
        cmd_store_close(&s.store);
    }
    arena_free(words);
    return code;
}
