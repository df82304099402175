/* SPDX-License-Identifier: MIT
 * turn_answer: a question phrased by a model from the person's own rows.  A conversation of its own, without any tool:
 * whatever a note says, nothing can be done here.  Only ids that were given may be cited; others are removed.  When no
 * model answers, the answer made from the rows alone is sent. */
#include "base/json.h"
#include "router/prompt.h"
#include "router/render.h"
#include "router/turn_internal.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { EVIDENCE_MAX = 64, CITED_MAX = 16 };

struct answer {
    struct prompt_evidence item[EVIDENCE_MAX];
    bool cited[EVIDENCE_MAX];
    int count;
};

/* "note_21" → "note 21" */
static const char *spoken_id(struct arena *a, const char *id)
{
    char *s = arena_strdup(a, id);
    for (char *p = s; *p; p++)
        *p = *p == '_' ? ' ' : *p;
    return s;
}

static void read_evidence(struct turn *t, struct json_object *evidence, struct answer *a)
{
    static const char *const counted[] = { "figures", "tasks", "notes", "count" };
    struct json_object *items = json_at(evidence, "evidence"), *facts = json_keep(t->arena, json_object_new_object());
    for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++)
        if (json_has(evidence, counted[i]))
            json_set(facts, counted[i], json_object_get(json_at(evidence, counted[i])));
    if (json_object_object_length(facts) > 0 && items && json_object_array_length(items) > 0)
        a->item[a->count++] = (struct prompt_evidence){ .id = "figures", .text = json_text(t->arena, facts) };
    for (size_t i = 0; items && i < json_object_array_length(items) && a->count < EVIDENCE_MAX; i++) {
        struct json_object *o = json_object_array_get_idx(items, i);
        const char *date = json_str(o, "date", json_str(o, "due_date", json_str(o, "created_date", NULL)));
        a->item[a->count++] = (struct prompt_evidence){ .id = spoken_id(t->arena, json_str(o, "id", "")),
                                                        .date = date ? arena_strndup(t->arena, date, 10) : NULL,
                                                        .text = json_str(o, "content", "") };
    }
}

static int find_item(const struct answer *a, const char *id, size_t len)
{
    for (int i = 0; i < a->count; i++)
        if (strlen(a->item[i].id) == len && strncasecmp(a->item[i].id, id, len) == 0)
            return i;
    return -1;
}

/* Does "[…" begin a citation?  Its length with the bracket, 0 = no. */
static size_t citation_length(const char *p)
{
    const char *q = p + 1;
    while (isalpha((unsigned char)*q))
        q++;
    if (q == p + 1 || *q != ' ' || !isdigit((unsigned char)q[1]))
        return 0;
    for (q++; isdigit((unsigned char)*q); q++)
        continue;
    return *q == ']' ? (size_t)(q + 1 - p) : 0;
}

/* The text without citations of what was not given; marks what is cited. */
static const char *check_citations(struct turn *t, struct answer *a, const char *text)
{
    struct buf out = BUF_INIT(REPLY_BYTES_MAX);
    for (const char *p = text; *p;) {
        size_t n = *p == '[' ? citation_length(p) : 0;
        int item = n ? find_item(a, p + 1, n - 2) : -1;
        if (item >= 0)
            a->cited[item] = true;
        if (n && item < 0) {
            while (out.len > 0 && out.data[out.len - 1] == ' ')
                out.data[--out.len] = '\0';
            p += n;
            continue;
        }
        buf_putc(&out, *p++);
    }
    const char *s = arena_strdup(t->arena, buf_str(&out));
    buf_release(&out);
    return s;
}

/* "/note_21 (Fri 14 Nov)": a command the chat makes tappable. */
static void write_sources(struct turn *t, struct reply *r, const struct answer *a)
{
    int n = 0;
    for (int i = 0; i < a->count && n < CITED_MAX; i++) {
        const char *space = strchr(a->item[i].id, ' ');
        if (!a->cited[i] || !space)
            continue;
        if (n++ == 0) {
            reply_gap(r);
            reply_text(r, "Sources: ");
        } else {
            reply_text(r, ", ");
        }
        bool opens = !strncmp(a->item[i].id, "note ", 5) || !strncmp(a->item[i].id, "task ", 5);
        reply_printf(r, opens ? "/%.*s_%s" : "%.*s %s", (int)(space - a->item[i].id), a->item[i].id, space + 1);
        if (a->item[i].date)
            reply_printf(r, " (%s)", render_day_text(t->arena, a->item[i].date, &t->now));
    }
}

static enum status ask_model(struct turn *t, const struct answer *a, const char *query, struct model_reply *out,
                             struct error *e)
{
    struct prompt_turn p = { .now = t->now, .zone = t->user.zone, .text = query };
    struct model_message m = { .role = MODEL_USER, .text = prompt_question(t->arena, &p, a->item, a->count, NULL) };
    struct model_request q = {
        .system = prompt_answer_system(),
        .messages = &m,
        .message_count = 1,
        .output_tokens_max = MODEL_OUTPUT_TOKENS_MAX,
    };
    enum status s = model_step(t->env->models, t->env->http, t->arena, &q, NULL, t->env->cancel, out, e);
    turn_note_usage(t, out, s == OK ? "ok" : "failed");
    t->report->rounds += s != ST_SHUTDOWN;
    return s;
}

enum status turn_answer(struct turn *t, struct json_object *evidence, const char *query, struct error *e)
{
    struct answer *a = arena_alloc(t->arena, sizeof *a);
    struct model_reply r = { 0 };
    turn_clear_calls(t);
    t->act = NULL;
    read_evidence(t, evidence, a);
    /* Without found rows there is nothing to phrase: what SQL has counted, or that nothing was found, is said as it is.
     */
    enum status s = a->count == 0 ? ST_NOT_FOUND : ask_model(t, a, query ? query : t->text, &r, e);
    if (s == ST_SHUTDOWN)
        return s;
    struct reply answer;
    reply_init(&answer, t->arena);
    if (s == OK && (r.stop == MODEL_STOP_END || r.stop == MODEL_STOP_TOOLS) && *r.text) {
        reply_text(&answer, check_citations(t, a, r.text));
        write_sources(t, &answer, a);
    } else {
        reply_append(&answer, &t->fallback);
    }
    reply_append(&t->lead, &answer);
    return turn_finish(t, e);
}
