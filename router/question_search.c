/* SPDX-License-Identifier: MIT
 * question_search: see question_search.h. */
#include "router/question_search.h"
#include "base/json.h"
#include "base/text.h"
#include "embeddings/lexical.h"
#include "store/categories.h"
#include <string.h>

struct search {
    struct recall_row *row;
    size_t count;
    struct lexical *lexical;
};

static void release(void *arg)
{
    lexical_free(arg);
}

/* What is indexed: the content, and what a person would name it by. */
static const char *document_text(struct arena *arena, const struct recall_row *row)
{
    return arena_printf(arena, "%s\n%s %s", row->content, row->category ? row->category : "",
                        row->date ? row->date : "");
}

/* "task 83", "note 21", "sleep log 4": "sleep 4 hours" names no row. */
static const char *row_label(struct arena *arena, const struct recall_row *row)
{
    return arena_printf(arena, "%s %s%lld", recall_type_name(row->type), row->type < RECALL_HEALTH ? "" : "log ",
                        (long long)row->id);
}

enum status search_open(struct arena *arena, struct db *db, int64_t user_id, unsigned mask, struct search **out,
                        struct error *error)
{
    struct search *s = *out = arena_alloc(arena, sizeof *s);
    enum status st = recall_rows(db, arena, user_id, mask, &s->row, &s->count, error);
    if (st != OK)
        return st;
    s->lexical = lexical_new(NULL);
    arena_defer(arena, release, s->lexical);
    for (size_t i = 0; i < s->count; i++) {
        struct arena *scratch = arena_new();
        lexical_add(s->lexical, (int64_t)i, row_label(scratch, &s->row[i]), document_text(scratch, &s->row[i]));
        arena_free(scratch);
    }
    return OK;
}

struct admission {
    const struct search *search;
    const struct search_filter *filter;
    const char *day_from, *day_to;         /* for rows with a day */
    const char *instant_from, *instant_to; /* for rows with an instant: UTC text, [from, to) */
};

/* The person's day borders as UTC text. */
static const char *border(struct arena *arena, const char *zone, const struct civil *day, int add_days)
{
    struct civil at = *day;
    int64_t ms;
    char text[CIVIL_TEXT_BYTES];
    struct error ignored;
    at.hour = -1;
    civil_add_days(&at, add_days);
    if (zone_to_instant(zone, &at, &ms, &ignored) != OK)
        return civil_format(&at, text), arena_strdup(arena, text);
    return arena_strdup(arena, clock_format_utc(ms, text));
}

static const char *day_text(struct arena *arena, const struct civil *day)
{
    struct civil at = *day;
    char text[CIVIL_TEXT_BYTES];
    at.hour = -1;
    return arena_strdup(arena, civil_format(&at, text));
}

static void admission_init(struct admission *a, struct arena *arena)
{
    const struct search_filter *f = a->filter;
    if (f->from) {
        a->day_from = day_text(arena, f->from);
        a->instant_from = border(arena, f->zone, f->from, 0);
    }
    if (f->to) {
        a->day_to = day_text(arena, f->to);
        a->instant_to = border(arena, f->zone, f->to, 1);
    }
}

/* The category itself, one below it, or its last name alone. */
static bool in_category(const char *path, const char *wanted)
{
    const char *last = strrchr(path, '/');
    size_t len = strlen(wanted);
    return text_equal_fold(path, wanted) || (last && text_equal_fold(last + 1, wanted)) ||
           (strncasecmp(path, wanted, len) == 0 && path[len] == '/');
}

static bool admit(int64_t key, void *arg)
{
    const struct admission *a = arg;
    const struct recall_row *row = &a->search->row[key];
    const struct search_filter *f = a->filter;
    if (f->mask && !(f->mask & RECALL_BIT(row->type)))
        return false;
    if (f->category && !in_category(row->category ? row->category : CATEGORY_DEFAULT, f->category))
        return false;
    if (row->date) /* a time of day after the date does not matter */
        return (!f->from || strncmp(row->date, a->day_from, 10) >= 0) &&
               (!f->to || strncmp(row->date, a->day_to, 10) <= 0);
    return (!f->from || strcmp(row->created_date, a->instant_from) >= 0) &&
           (!f->to || strcmp(row->created_date, a->instant_to) < 0);
}

size_t search_find(struct search *s, struct arena *arena, const char *query, const struct search_filter *filter,
                   size_t limit, struct search_hit **out)
{
    struct lexical_hit *found;
    struct admission a = { .search = s, .filter = filter };
    admission_init(&a, arena);
    size_t n = lexical_search(s->lexical, arena, query, limit, admit, &a, &found), count = 0;
    struct search_hit *hit = *out = arena_alloc(arena, (n + 1) * sizeof *hit);
    for (size_t i = 0; i < n; i++) {
        if (found[i].coverage < filter->floor && !found[i].named)
            continue;
        const struct recall_row *row = &s->row[found[i].key];
        hit[count++] = (struct search_hit){
            .row = row,
            .score = found[i].score,
            .coverage = found[i].coverage,
            .excerpt = lexical_excerpt(s->lexical, arena, row->content, query, SEARCH_EXCERPT_BYTES),
        };
    }
    return count;
}

struct json_object *search_hit_json(struct arena *arena, const struct search_hit *hit, bool whole_content)
{
    const struct recall_row *row = hit->row;
    struct json_object *o = json_object_new_object();
    json_set_str(o, "id", arena_printf(arena, "%s_%lld", recall_type_name(row->type), (long long)row->id));
    json_set_str(o, "type", recall_type_name(row->type));
    json_set(o, "score", json_object_new_double_s(hit->score, arena_printf(arena, "%.4f", hit->score)));
    json_set_str(o, "content", whole_content ? row->content : hit->excerpt);
    if (row->category)
        json_set_str(o, "category", row->category);
    if (row->date)
        json_set_str(o, row->type == RECALL_TASK ? "due_date" : "date", row->date);
    json_set_str(o, "created_date", row->created_date);
    if (row->type == RECALL_TASK)
        json_set_bool(o, "completed", row->completed);
    return o;
}
