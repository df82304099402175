/* SPDX-License-Identifier: MIT
 * tools_question: the row of ask_question; the answer is made in question.c.  Run by the turn on a read connection. */
#include "base/limits.h"
#include "router/question.h"
#include "router/tool_rows.h"

static struct tool_result *run_question(struct tool_ctx *ctx, const struct tool_args *args)
{
    const struct arg_value *from = arg_get(args, "date_from"), *to = arg_get(args, "date_to");
    struct question q = {
        .query = arg_text(args, "query"),
        .type = arg_text(args, "query_type"),
        .category = arg_text(args, "category"),
        .from = from->present ? &from->when : NULL,
        .to = to->present ? &to->when : NULL,
    };
    if (q.category && !*q.category)
        q.category = NULL;
    if (q.from && q.to && civil_compare(q.from, q.to) > 0)
        return tool_fail(ctx, "date_from lies after date_to.");
    return question_answer(ctx, &q);
}

const struct tool tool_ask_question = {
    "ask_question",
    TOOL_READS,
    "Answer a question about the person's own tasks, notes and health logs: figures (how much, how often, average, "
    "compared with), lists, full-text search. Not for general knowledge.",
    { { "query", ARG_TEXT, ARG_REQUIRED, 0, TASK_CONTENT_BYTES_MAX, NULL, NULL,
        "The question, in the person's words." },
      { "query_type", ARG_CHOICE, 0, 0, 0, NULL, "all|tasks|notes|health", "Default: all." },
      { "category", ARG_TEXT, 0, 0, CATEGORY_NAME_BYTES_MAX, NULL, NULL, "" },
      { "date_from", ARG_DATE, 0, 0, 0, NULL, NULL, "First day; leave out when the question says it." },
      { "date_to", ARG_DATE, 0, 0, 0, NULL, NULL, "Last day." } },
    run_question,
};
