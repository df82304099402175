/* SPDX-License-Identifier: MIT
 * tool_fixture: tools and taps run as a turn runs them: one transaction, a journal of its own, on a fresh database of
 * either kind.  It is Friday 2026-11-20 09:14 in Berlin. */
#ifndef TESTS_UNIT_TOOL_FIXTURE_H
#define TESTS_UNIT_TOOL_FIXTURE_H

#include "base/json.h"
#include "router/tap.h"
#include "router/tool.h"
#include "tests/unit/store_fixture.h"

#define SCENE_ZONE "Europe/Berlin"

struct scene {
    struct store *store;
    struct arena *arena;
    struct user user;
    int64_t now_ms, inbox_id;
    struct civil now;
    int64_t last_turn; /* the inbox id of the call before */
};

static UNUSED struct scene scene_open(int kind)
{
    struct scene s = { .store = fixture_open(kind), .arena = arena_new(), .inbox_id = 100 };
    s.user = (struct user){ .id = 1, .name = "", .language = "en", .zone = SCENE_ZONE };
    ck_assert(civil_parse("2026-11-20T09:14", &s.now));
    ck_ok(zone_to_instant(SCENE_ZONE, &s.now, &s.now_ms, e));
    return s;
}

static UNUSED void scene_close(struct scene *s)
{
    store_close(s->store);
    arena_free(s->arena);
}

/* Later the same way: now moves to a wall-clock moment. */
static UNUSED void scene_at(struct scene *s, const char *moment)
{
    ck_assert(civil_parse(moment, &s->now));
    ck_ok(zone_to_instant(SCENE_ZONE, &s->now, &s->now_ms, e));
}

struct scene_call {
    struct scene *scene;
    const char *tool, *text; /* arguments, or callback data when tool is NULL */
    struct tool_result *result;
};

static UNUSED struct tool_ctx scene_ctx(struct scene *s, struct db *db, struct journal *journal)
{
    return (struct tool_ctx){ .arena = s->arena,
                              .db = db,
                              .journal = journal,
                              .user = &s->user,
                              .channel = "telegram",
                              .chat_id = 7,
                              .now_ms = s->now_ms,
                              .now = s->now,
                              .question = "" };
}

static UNUSED enum status scene_run(struct db *db, void *arg, struct error *e)
{
    struct scene_call *c = arg;
    struct scene *s = c->scene;
    struct buf summary = BUF_INIT(4096);
    struct journal journal = {
        .db = db, .inbox_id = s->inbox_id, .user_id = s->user.id, .now_ms = s->now_ms, .summary = &summary
    };
    struct tool_ctx ctx = scene_ctx(s, db, &journal);
    struct tool_args args;
    struct json_object *o;
    enum status st = OK;
    if (!c->tool) {
        c->result = tap_run(&ctx, c->text);
    } else {
        ck_assert(json_parse_in(s->arena, c->text, strlen(c->text), &o, e) == OK);
        if (tool_validate(tool_find(c->tool), &ctx, o, &args, e))
            c->result = tool_fail(&ctx, "%s", e->text);
        else
            c->result = tool_find(c->tool)->run(&ctx, &args);
    }
    if (tool_outcome(c->result) == TOOL_ERROR) {
        *e = *tool_result_error(c->result);
        st = e->status;
    }
    if (st == OK)
        st = journal_close(&journal, e);
    buf_release(&summary);
    return st;
}

static UNUSED struct tool_result *scene_do(struct scene *s, const char *tool, const char *text)
{
    struct scene_call c = { .scene = s, .tool = tool, .text = text };
    s->last_turn = ++s->inbox_id;
    ck_ok(store_write(s->store, scene_run, &c, e));
    return c.result;
}

static UNUSED const char *plain(struct scene *s, struct tool_result *r)
{
    return html_to_plain(s->arena, buf_str(&tool_reply(r)->html));
}

static UNUSED struct tool_result *call(struct scene *s, const char *tool, const char *arguments)
{
    return scene_do(s, tool, arguments);
}
static UNUSED struct tool_result *tap(struct scene *s, const char *data)
{
    return scene_do(s, NULL, data);
}
static UNUSED int64_t id_of(struct tool_result *r, const char *path)
{
    return json_int(tool_data(r), path, -1);
}

/* The first column of a one-row query, as text. */
static UNUSED const char *row_text(struct scene *s, const char *sql)
{
    struct db *db;
    ck_ok(store_read_begin(s->store, &db, e));
    struct stmt *st = db_query(db, sql);
    const char *text = db_step(st) ? arena_strdup(s->arena, db_text_or_null(st, 0)) : NULL;
    text = text ? text : "(null)";
    ck_ok(db_done(st, e));
    store_read_end(s->store, db);
    return text;
}

static UNUSED bool has_button(struct tool_result *r, const char *data)
{
    struct reply *reply = tool_reply(r);
    for (int i = 0; i < reply->button_count; i++)
        if (!strcmp(reply->buttons[i].data, data))
            return true;
    return false;
}

#define ck_outcome(r, want)                                                                                            \
    ck_assert_msg(tool_outcome(r) == (want), "outcome %d: %s", (int)tool_outcome(r), buf_str(&tool_reply(r)->html))
#define ck_has(text, words)                                                                                            \
    do {                                                                                                               \
        const char *ck_text = (text);                                                                                  \
        ck_assert_msg(strstr(ck_text, (words)) != NULL, "no \"%s\" in: %s", (words), ck_text);                         \
    } while (0)
#define ck_lacks(text, words)                                                                                          \
    do {                                                                                                               \
        const char *ck_text = (text);                                                                                  \
        ck_assert_msg(strstr(ck_text, (words)) == NULL, "\"%s\" in: %s", (words), ck_text);                            \
    } while (0)

#endif
