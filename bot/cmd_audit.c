/* SPDX-License-Identifier: MIT
 * cmd_audit: see cmd_audit.h.  Reads only; works beside a running server.
 *
 * A chain shows rows that were changed or taken out.  What was cut off at its end shows only against a hash that was
 * kept elsewhere: --head says that this one must be among them. */
#include "bot/cmd_audit.h"
#include "base/clock.h"
#include "base/json.h"
#include "bot/agent_option.h"
#include "bot/cmd_store.h"
#include "bot/command.h"
#include "store/audit.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 500, LIMIT_DEFAULT = 100, LIMIT_MAX = 100000 };

struct options {
    const char *request, *head;
    int64_t limit;
    bool json;
};

const char cmd_audit_help[] =
    "usage: steward audit list [--request ID] [--limit N] [--json]\n"
    "       steward audit verify [--head HASH]\n"
    "What happened to agents' requests, from a log whose rows are chained by hashes.\n"
    "\n"
    "  list           the newest 100 events, oldest first\n"
    "  --request ID   only those of this request\n"
    "  --limit N      as many (1 to 100000)\n"
    "  --json         one JSON object a line\n"
    "  verify         follows the chain; exit 0 when it is whole, 1 when it is broken\n"
    "  --head HASH    a head that was printed before and kept elsewhere: it must still be in the log\n";

/* --- verify --- */

struct chain {
    char hash[AUDIT_HASH_CHARS + 1];
    int64_t count;
    bool head_seen;
};

/* What is wrong with the next row; NULL = it fits. */
static const char *link_error(const struct chain *c, const struct audit_row *r)
{
    char hash[AUDIT_HASH_CHARS + 1];
    static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
    audit_hash(r, hash);
    if (r->seq != c->count + 1)
        return "rows before it are missing";
    if (strcmp(r->previous, c->count ? c->hash : zeros) != 0)
        return "it does not follow from the row before it";
    return strcmp(hash, r->hash) != 0 ? "it was changed after it was written" : NULL;
}

static enum status verify_page(struct cmd_store *cs, struct chain *c, const char *head, int *count)
{
    struct arena *a = arena_new();
    struct audit_row *rows;
    struct db *db;
    enum status s = store_read_begin(cs->store, &db, &cs->error);
    if (s == OK) {
        s = audit_read(db, a, c->count, NULL, PAGE, &rows, count, &cs->error);
        store_read_end(cs->store, db);
    }
    for (int i = 0; s == OK && i < *count; i++) {
        const char *wrong = link_error(c, &rows[i]);
        if (wrong)
            s = fail(&cs->error, ST_CONFLICT, "broken at row %lld (%s, request %s): %s", (long long)rows[i].seq,
                     rows[i].event, rows[i].request_id, wrong);
        snprintf(c->hash, sizeof c->hash, "%s", rows[i].hash);
        c->head_seen |= head && strcmp(head, rows[i].hash) == 0;
        c->count++;
    }
    arena_free(a);
    return s;
}

static int verify(struct cmd_store *cs, const struct options *o)
{
    struct chain c = { 0 };
    int count = PAGE;
    while (count == PAGE)
        if (verify_page(cs, &c, o->head, &count))
            return command_failed("audit", cs->error.text);
    if (o->head && !c.head_seen)
        return command_failed("audit", "the hash that was kept is not in the log: rows at its end were cut off");
    printf("%lld events, every link holds\n", (long long)c.count);
    if (c.count)
        printf("head %s\n", c.hash);
    return 0;
}

/* --- list --- */

static void print_row(struct arena *a, const struct audit_row *r, bool json)
{
    char at[CIVIL_TEXT_BYTES];
    clock_format_utc(r->at_ms, at);
    if (!json) {
        printf("%6lld  %s  %-10s %-20s %s%s%s\n", (long long)r->seq, at, r->event, r->actor, r->request_id,
               strcmp(r->detail, "{}") ? "  " : "", strcmp(r->detail, "{}") ? r->detail : "");
        return;
    }
    struct json_object *o = json_keep(a, json_object_new_object()), *detail;
    json_set_int(o, "seq", r->seq);
    json_set_str(o, "at", at);
    json_set_str(o, "event", r->event);
    json_set_str(o, "actor", r->actor);
    json_set_str(o, "request_id", r->request_id);
    if (json_parse(r->detail, strlen(r->detail), &detail, NULL) == OK)
        json_set(o, "detail", detail);
    json_set_str(o, "hash", r->hash);
    printf("%s\n", json_text(a, o));
}

static enum status first_seq(struct db *db, const struct options *o, int64_t *after, struct error *e)
{
    bool found;
    return db_get_int(db, after, &found, e,
                      "SELECT COALESCE(MIN(seq), 1) - 1 FROM (SELECT seq FROM audit WHERE CAST($1 AS TEXT) IS NULL"
                      " OR request_id = $1 ORDER BY seq DESC LIMIT $2) newest",
                      p_text(o->request), p_int(o->limit));
}

static int list(struct cmd_store *cs, const struct options *o)
{
    struct audit_row *rows;
    struct db *db;
    int count = 0;
    int64_t after;
    enum status s = store_read_begin(cs->store, &db, &cs->error);
    if (s == OK) {
        s = first_seq(db, o, &after, &cs->error);
        if (s == OK)
            s = audit_read(db, cs->arena, after, o->request, (int)o->limit, &rows, &count, &cs->error);
        store_read_end(cs->store, db);
    }
    for (int i = 0; s == OK && i < count; i++)
        print_row(cs->arena, &rows[i], o->json);
    return s == OK ? COMMAND_DONE : command_failed("audit", cs->error.text);
}

/* --- the command --- */

static bool read_options(int argc, char **argv, struct options *o)
{
    for (int i = 2; i < argc; i++) {
        const char *value, *option = argv[i];
        bool good = true;
        if (strcmp(option, "--json") == 0)
            o->json = true;
        else if ((value = command_option(argc, argv, &i, "--request")))
            o->request = value;
        else if ((value = command_option(argc, argv, &i, "--head")))
            o->head = value;
        else if ((value = command_option(argc, argv, &i, "--limit")))
            good = agent_number_read(value, 1, LIMIT_MAX, &o->limit);
        else
            good = false;
        if (!good) {
            command_misused("audit", cmd_audit_help, "%s is not understood here, or its value is wrong.", option);
            return false;
        }
    }
    return true;
}

int cmd_audit(int argc, char **argv)
{
    struct options o = { .limit = LIMIT_DEFAULT };
    struct cmd_store cs;
    bool verifies = argc > 1 && strcmp(argv[1], "verify") == 0;
    if (argc < 2 || (!verifies && strcmp(argv[1], "list") != 0))
        return command_misused("audit", cmd_audit_help, "say list or verify.");
    if (!read_options(argc, argv, &o))
        return COMMAND_MISUSED;
    if (!cmd_store_open(&cs, "audit", CMD_STORE_REFUSE))
        return COMMAND_FAILED;
    int code = verifies ? verify(&cs, &o) : list(&cs, &o);
    cmd_store_close(&cs);
    return code;
}
