/* SPDX-License-Identifier: MIT
 * question: see question.h.  Reads the intent, asks the parts that can answer it, and says honestly when nothing
 * was found and what was looked for. */
#include "router/question.h"
#include "base/json.h"
#include "base/text.h"
#include "store/categories.h"
#include <string.h>

enum { ACTIVITIES_MAX = 64 /* distinct kinds of exercise one person names */ };

size_t evidence_tokens(const char *text)
{
    size_t ascii = 0, other = 0;
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        ascii += *p < 0x80;
        other += *p >= 0xC0; /* first bytes only */
    }
    return (ascii + 3) / 4 + other;
}

/* --- evidence by search --- */

/* "(Work) Fri 2026-11-20 (today)" */
static const char *hit_place(struct tool_ctx *ctx, const struct recall_row *row)
{
    struct civil day = { 0 };
    bool known = row->date && civil_parse(row->date, &day);
    const char *verb = row->type == RECALL_TASK ? known ? "due " : "added " : "";
    if (!known) {
        /* created_date is UTC: show the person's day */
        struct civil utc;
        int64_t at_ms;
        struct error ignored;
        char head[20];
        memcpy(head, row->created_date, strnlen(row->created_date, 19));
        head[strnlen(row->created_date, 19)] = '\0';
        if (!civil_parse(head, &utc) || zone_to_instant("UTC", &utc, &at_ms, &ignored) != OK ||
            zone_to_civil(ctx->user->zone, at_ms, &day, &ignored) != OK)
            return row->created_date;
        day.hour = -1;
    }
    return arena_printf(ctx->arena, "%s%s%s%s%s", verb, when_describe(ctx->arena, &day, &ctx->now),
                        row->category ? " · " : "", row->category ? row->category : "",
                        row->completed ? " · done" : "");
}

static void show_hit(struct tool_ctx *ctx, const struct search_hit *hit, struct reply *r, bool first)
{
    const struct recall_row *row = hit->row;
    const char *type = recall_type_name(row->type);
    reply_code(r, arena_printf(ctx->arena, "[%s %lld]", type, (long long)row->id));
    reply_printf(r, " %s", hit_place(ctx, row));
    reply_line(r);
    reply_quote(r, hit->excerpt, strlen(hit->excerpt) > SEARCH_EXCERPT_BYTES / 3);
    if (row->type == RECALL_TASK || row->type == RECALL_NOTE)
        reply_button(r, !first, arena_printf(ctx->arena, "%s %lld", type, (long long)row->id), "show:%s:%lld", type,
                     (long long)row->id);
}

static unsigned search_mask(const struct question *q, const struct intent *intent)
{
    unsigned mask = q->type && *q->type ? recall_mask(q->type) : RECALL_ALL;
    if (mask == RECALL_ALL && intent->subject == SUBJECT_TASKS)
        mask = RECALL_TASKS;
    return mask ? mask : RECALL_ALL;
}

/* The words to look for.  "notes about orchids": orchids; "the water bill": water too, for it names no log here. */
static const char *search_words(const struct question *q, const struct intent *intent)
{
    bool unnamed = intent->subject == SUBJECT_NONE || (intent->subject == SUBJECT_LOGS && !intent->sure);
    const char *words = unnamed ? intent->content : intent->rest;
    return *words ? words : q->query;
}

enum status question_evidence(struct tool_ctx *ctx, const struct question *q, const struct intent *intent,
                              struct reply *r, struct json_object *data, size_t *found, struct error *error)
{
    struct search_hit *hit;
    struct search_query search = { .user_id = ctx->user->id,
                                   .zone = ctx->user->zone,
                                   .text = search_words(q, intent),
                                   .meaning = q->query,
                                   .filter = { .mask = search_mask(q, intent),
                                               .category = q->category ? q->category : intent->category },
                                   .floor = EVIDENCE_COVERAGE_MIN,
                                   .limit = EVIDENCE_ITEMS_MAX,
                                   .writing = ctx->journal != NULL,
                                   .now_ms = ctx->now_ms };
    if (intent->period_count > 0) {
        search.filter.from = &intent->period[0].from;
        search.filter.to = &intent->period[0].to;
    }
    enum status st = search_find(ctx->db, ctx->arena, &search, &hit, found, error);
    search.text = q->query; /* the full question may name what the words alone do not ("task 83") */
    if (st == OK && *found == 0)
        st = search_find(ctx->db, ctx->arena, &search, &hit, found, error);
    if (st != OK)
        return st;
    struct json_object *list = json_object_new_array();
    size_t tokens = 0, given = 0;
    for (size_t i = 0; i < *found; i++) {
        struct json_object *o = search_hit_json(ctx->arena, &hit[i], false);
        tokens += evidence_tokens(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
        if (tokens > EVIDENCE_TOKENS_MAX) {
            json_object_put(o);
            break;
        }
        json_push(list, o);
        if (given++ < QUESTION_ITEMS_SHOWN)
            show_hit(ctx, &hit[i], r, i == 0);
    }
    json_set(data, "evidence", list);
    json_set_int(data, "evidence_left_out", (int64_t)(*found - given));
    if (given > QUESTION_ITEMS_SHOWN) {
        reply_printf(r, "… and %zu more", given - QUESTION_ITEMS_SHOWN);
        reply_line(r);
    }
    return OK;
}

/* --- the whole answer --- */

static enum status read_intent(struct tool_ctx *ctx, const struct question *q, struct intent *intent,
                               struct error *error)
{
    const char *activity[ACTIVITIES_MAX], **path;
    struct category *categories;
    size_t activities;
    int count;
    enum status st =
        health_activities(ctx->db, ctx->arena, ctx->user->id, activity, ACTIVITIES_MAX, &activities, error);
    if (st == OK)
        st = category_list(ctx->db, ctx->arena, ctx->user->id, &categories, &count, error);
    if (st != OK)
        return st;
    path = arena_alloc(ctx->arena, ((size_t)count + 1) * sizeof *path);
    for (int i = 0; i < count; i++)
        path[i] = categories[i].path;
    struct intent_vocabulary own = { activity, activities, path, (size_t)count };
    struct when_options options = { .now = ctx->now, .day_first = when_day_first(ctx->user->language), .past = true };
    struct analyzer *analyzer = analyzer_new();
    intent_read(analyzer, ctx->arena, q->query, q->type, &options, &own, intent);
    analyzer_free(analyzer);
    return OK;
}

/* Dates given as arguments stand above the words. */
static void apply_arguments(struct tool_ctx *ctx, const struct question *q, struct intent *intent)
{
    if (q->category)
        intent->category = q->category;
    if (!q->from && !q->to)
        return;
    struct civil today = ctx->now, first = { .year = 1900, .month = 1, .day = 1, .hour = -1 };
    struct when_range *p = &intent->period[0];
    today.hour = -1;
    today.minute = today.second = 0;
    if (intent->period_count == 2)
        return; /* a comparison in words: one range cannot stand for two */
    *p = (struct when_range){ .from = q->from ? *q->from : first, .to = q->to ? *q->to : today, .words = "" };
    p->from.hour = p->to.hour = -1;
    if (!q->to && civil_compare(&p->from, &today) > 0)
        p->to = (struct civil){ .year = 9999, .month = 12, .day = 31, .hour = -1 };
    intent->period_count = 1;
}

static void say_nothing_found(struct tool_ctx *ctx, const struct question *q, const struct intent *intent,
                              struct reply *r)
{
    const char *type = q->type && *q->type && strcmp(q->type, "all") != 0 ? q->type : "tasks, notes and health logs";
    size_t cut = text_prefix_utf16(search_words(q, intent), strlen(search_words(q, intent)), 200);
    reply_printf(r, "I found nothing about “%.*s” in your %s", (int)cut, search_words(q, intent), type);
    if (q->category || intent->category)
        reply_printf(r, " in %s", q->category ? q->category : intent->category);
    if (intent->period_count > 0)
        reply_printf(r, ", %s", question_period(ctx, &intent->period[0]));
    reply_text(r, ".");
    reply_line(r);
}

struct tool_result *question_answer(struct tool_ctx *ctx, const struct question *q)
{
    struct intent intent;
    struct error error = { 0 };
    size_t found = 0;
    if (read_intent(ctx, q, &intent, &error) != OK)
        return tool_error(ctx, &error);
    apply_arguments(ctx, q, &intent);
    struct tool_result *result = tool_ok(ctx);
    struct reply *r = tool_reply(result);
    struct json_object *data = tool_data(result);
    json_set_str(data, "question", q->query);
    enum status st = OK;
    if (intent.sure && (intent.subject == SUBJECT_LOGS || intent.subject == SUBJECT_OVERVIEW))
        st = question_health(ctx, &intent, r, data, &error);
    else if (intent.sure)
        st = question_rows(ctx, &intent, r, data, &error);
    if (st == OK && (!intent.sure || intent.rest_count > 0)) {
        struct reply found_rows;
        reply_init(&found_rows, ctx->arena);
        st = question_evidence(ctx, q, &intent, &found_rows, data, &found, &error);
        if (found > 0)
            reply_append(r, &found_rows);
    }
    if (st != OK)
        return tool_error(ctx, &error);
    json_set_bool(data, "answered", intent.sure || found > 0);
    if (!intent.sure && found == 0)
        say_nothing_found(ctx, q, &intent, r);
    return result;
}
