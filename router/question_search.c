/* SPDX-License-Identifier: MIT
 * question_search: see question_search.h. */
#include "router/question_search.h"
#include "base/json.h"
#include <string.h>

/* Of the process, set at its start: a tool's context carries the connection and the person, not the indexes. */
static struct recall *live_recall;
static struct query_vectors *live_vectors;

void search_use(struct recall *recall, struct query_vectors *vectors)
{
    live_recall = recall;
    live_vectors = vectors;
}

static void release(void *arg)
{
    recall_free(arg);
}

static struct recall *recall_for(struct arena *arena)
{
    if (live_recall)
        return live_recall;
    struct recall_options words_alone = { 0 };
    struct recall *r = recall_new(&words_alone);
    arena_defer(arena, release, r);
    return r;
}

void search_prepare(struct arena *arena, const char *sentence)
{
    if (live_recall && live_vectors && query_vector_calls(live_vectors, sentence))
        (void)query_vector(live_vectors, arena, sentence, true);
}

/* The built-in embedder gets the words that are looked for, a server the whole sentence: search_prepare() has asked it.
 */
static const float *find_vector(struct arena *arena, const struct search_query *q)
{
    const char *sentence = q->meaning ? q->meaning : q->text;
    if (!live_recall || !live_vectors)
        return NULL;
    return query_vector(live_vectors, arena, query_vectors_local(live_vectors) ? q->text : sentence, false);
}

static bool asks_for_latest(const char *text)
{
    static const char *const words[] = { "latest", "last time", "most recent", "newest", "recently", "lately" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasestr(text, words[i]))
            return true;
    return false;
}

enum status search_find(struct db *db, struct arena *arena, const struct search_query *q, struct search_hit **out,
                        size_t *count, struct error *error)
{
    struct recall_query rq = { .user_id = q->user_id,
                               .zone = q->zone,
                               .text = q->text,
                               .filter = q->filter,
                               .limit = q->limit,
                               .floor = q->floor,
                               .as_it_is = q->writing,
                               .now_ms = asks_for_latest(q->meaning ? q->meaning : q->text) ? q->now_ms : 0 };
    struct recall_hit *found;
    *count = 0;
    rq.vector = find_vector(arena, q);
    enum status st = recall_find(recall_for(arena), db, arena, &rq, &found, count, error);
    if (st != OK)
        return st;
    struct search_hit *hit = *out = arena_alloc(arena, (*count + 1) * sizeof *hit);
    for (size_t i = 0; i < *count; i++)
        hit[i] = (struct search_hit){ .row = &found[i].row,
                                      .score = found[i].score,
                                      .coverage = found[i].coverage,
                                      .excerpt =
                                          recall_excerpt(arena, found[i].row.content, q->text, SEARCH_EXCERPT_BYTES) };
    return OK;
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
