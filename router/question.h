/* SPDX-License-Identifier: MIT
 * question: answers about a person's own rows, without a model: figures and lists from SQL where the question is
 * understood, and the best matching rows otherwise; a mixed question gets both.  The reply is written for the person;
 * tool_data() carries the same evidence for a model to phrase.  Worker thread, read connection. */
#ifndef ROUTER_QUESTION_H
#define ROUTER_QUESTION_H

#include "router/question_intent.h"
#include "router/question_search.h"
#include "router/tool.h"

enum {
    EVIDENCE_TOKENS_MAX = 3000, /* of one answer, by evidence_tokens() */
    EVIDENCE_ITEMS_MAX = 10,
    QUESTION_ITEMS_SHOWN = 5, /* to the person */
    QUESTION_LIST_MAX = 20,   /* lines of a list; the rest is counted */
};
/* Least part of the query's information a row must hold to be shown as an answer: below it the match is a chance
 * word ("the largest ocean in the world" and a note that says "world"). */
#define EVIDENCE_COVERAGE_MIN 0.4

struct question {
    const char *query;
    const char *type;              /* "all", "tasks", "notes", "health"; NULL = all */
    const char *category;          /* NULL = any */
    const struct civil *from, *to; /* days, inclusive; NULL = what the words say */
};
struct tool_result *question_answer(struct tool_ctx *, const struct question *);

/* A stated estimate: a token per 4 ASCII bytes, one per other character. */
size_t evidence_tokens(const char *text);

/* --- the parts, each in its own file --- */

/* A period in words: "last week (Mon 2026-11-09 – Sun 2026-11-15)", "today (Fri 2026-11-20)". */
const char *question_period(struct tool_ctx *, const struct when_range *);

/* Figures of one kind of log (intent.subject LOGS) or the latest of each (OVERVIEW). */
enum status MUST_CHECK question_health(struct tool_ctx *, const struct intent *, struct reply *,
                                       struct json_object *data, struct error *);
/* Lists and counts of tasks or notes. */
enum status MUST_CHECK question_rows(struct tool_ctx *, const struct intent *, struct reply *, struct json_object *data,
                                     struct error *);
/* The rows that match q->query best; *found tells how many. */
enum status MUST_CHECK question_evidence(struct tool_ctx *, const struct question *, const struct intent *,
                                         struct reply *, struct json_object *data, size_t *found, struct error *);

#endif
