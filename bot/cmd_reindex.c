/* SPDX-License-Identifier: MIT
 * cmd_reindex: see cmd_reindex.h.  A server at work on the same database holds the lease: then this waits for it. */
#include "bot/cmd_reindex.h"
#include "base/clock.h"
#include "base/http.h"
#include "bot/cmd_store.h"
#include "bot/command.h"
#include "bot/embedder_memory.h"
#include "embeddings/vectorizer.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char cmd_reindex_help[] = "usage: steward reindex [--force]\n"
                                "Embeds what is missing or stale, now, also beside a running server.\n"
                                "\n"
                                "  --force   everything anew\n";

enum {
    FAILURES_MAX = 8,          /* in a row; the pauses between them add up to a minute */
    PROGRESS_MS = 500,         /* between two writings of the line */
    PROGRESS_LINE_ROWS = 5000, /* into a file: a line for so many */
};

struct reindex {
    struct cmd_store store;
    struct memory memory;
    struct vectorizer vectorizer;
    uint64_t total, shown;
    int64_t shown_at_ms;
};

static enum status read_all(struct reindex *x)
{
    struct cmd_store *c = &x->store;
    int64_t *user, next;
    size_t count;
    struct db *db;
    enum status st = store_read_begin(c->store, &db, &c->error);
    if (st != OK)
        return st;
    st = feed_users(db, c->arena, 0, &user, &count, &next, &c->error);
    for (size_t i = 0; i < count && st == OK; i++)
        st = recall_sync(x->memory.recall, db, user[i], &c->error);
    store_read_end(c->store, db);
    return st;
}

static void show(struct reindex *x, bool last)
{
    uint64_t done = x->total - recall_wanted_count(x->memory.recall);
    bool terminal = isatty(STDERR_FILENO);
    int64_t now_ms = clock_mono_ms();
    if (!last && (terminal ? now_ms - x->shown_at_ms < PROGRESS_MS : done < x->shown + PROGRESS_LINE_ROWS))
        return;
    x->shown_at_ms = now_ms;
    x->shown = done;
    fprintf(stderr, "%s%llu of %llu items embedded with %s%s", terminal ? "\r" : "", (unsigned long long)done,
            (unsigned long long)x->total, embedder_model(x->memory.embedder), terminal && !last ? "" : "\n");
    fflush(stderr);
}

static enum status embed_all(struct reindex *x)
{
    struct cmd_store *c = &x->store;
    struct vectorizer_step step = { 0 };
    int failures = 0;
    bool told = false;
    while (!step.idle) {
        enum status st = vectorizer_run(&x->vectorizer, &step, &c->error);
        failures = st == OK ? 0 : failures + (step.wait_ms > 0);
        if (st == ST_INVALID && step.wait_ms > 0)
            return st; /* the settings do not fit the server */
        if (failures >= FAILURES_MAX)
            return st;
        if (step.limited)
            return fail(&c->error, ST_LIMIT, "today's DAILY_TOKEN_LIMIT is used up; run this again tomorrow");
        if (step.elsewhere && !told)
            fprintf(stderr, "another process embeds on this database; waiting for it\n");
        told |= step.elsewhere;
        show(x, false);
        if (step.wait_ms > 0)
            clock_sleep_ms(step.wait_ms);
    }
    return OK;
}

static enum status reindex(struct reindex *x, bool force)
{
    struct cmd_store *c = &x->store;
    struct recall_usage usage;
    enum status st = memory_open(&x->memory, &c->config, c->store, &c->error);
    if (st != OK)
        return st;
    x->vectorizer = (struct vectorizer){ .store = c->store,
                                         .recall = x->memory.recall,
                                         .embedder = x->memory.embedder,
                                         .http = http_new(),
                                         .zone = c->config.zone,
                                         .daily_token_limit = c->config.daily_token_limit };
    st = read_all(x);
    if (st == OK && force)
        recall_want_all(x->memory.recall);
    x->total = recall_wanted_count(x->memory.recall);
    if (st == OK)
        st = embed_all(x);
    vectorizer_rest(&x->vectorizer);
    http_free(x->vectorizer.http);
    recall_usage(x->memory.recall, &usage);
    if (st == OK) {
        show(x, true);
        fprintf(stderr, "%llu vectors of %llu items; %lld tokens\n", (unsigned long long)usage.vectors,
                (unsigned long long)usage.documents, (long long)x->vectorizer.tokens);
        if (usage.given_up > 0)
            fprintf(stderr, "%llu items could not be embedded: the server refused their text\n",
                    (unsigned long long)usage.given_up);
    }
    memory_close(&x->memory);
    return st;
}

int cmd_reindex(int argc, char **argv)
{
    struct reindex x = { 0 };
    bool force = argc == 2 && strcmp(argv[1], "--force") == 0;
    if (argc > 1 && !force)
        return command_misused("reindex", cmd_reindex_help, "%s is not understood here.",
                               argv[strcmp(argv[1], "--force") == 0 ? 2 : 1]);
    if (!cmd_store_open(&x.store, "reindex", CMD_STORE_REFUSE))
        return 1;
    http_global_init(x.store.config.ssl_cert_file);
    enum status st = reindex(&x, force);
    int code = st == OK ? COMMAND_DONE : command_failed("reindex", x.store.error.text);
    cmd_store_close(&x.store);
    return code;
}
