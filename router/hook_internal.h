/* SPDX-License-Identifier: MIT
 * hook_internal: what the files of hook share; nobody else includes it. */
#ifndef ROUTER_HOOK_INTERNAL_H
#define ROUTER_HOOK_INTERNAL_H

#include "router/hook.h"

/* One event of a dialect. */
struct hook_event {
    const char *name;
    const char *session_key; /* the body's member that names the session */
    bool session_required;
    enum status (*read)(struct arena *, struct hook *, struct error *);
    /* What the answers mean; NULL = no decision.  NULL function: the event only tells. */
    struct json_object *(*decide)(struct arena *, const struct hook *, const struct hook_answer *, int count);
    bool (*wait_for_next)(struct arena *, struct hook *); /* NULL: hook_wait_for_next() is no matter of this event */
};

/* Rows of each dialect, ended by a NULL name. */
extern const struct hook_event hook_claude_events[];
extern const struct hook_event hook_codex_events[];

/* --- showing (hook_show.c) --- */

/* A tool as a person sees it. */
struct hook_tool {
    const char *name;
    const char *title; /* "wants to run a command" */
    const char *details_name;
    const char *details; /* the member that is shown whole, or NULL */
    const char *why;     /* the member that says why, first line under the title, or NULL */
    /* Puts the details another way than as that member's text. */
    const char *(*render)(struct arena *, struct json_object *input);
    bool echo_input; /* an allow must carry updatedInput */
    bool questions;  /* asks questions of its own instead of a permission */
};

const struct hook_tool *hook_tool_find(const char *name); /* NULL: not in the table */

/* s without secrets and with everything visible that could hide. */
const char *hook_clean(struct arena *, const char *s);
/* As hook_clean, on one line, at most `units` UTF-16 units; what is cut leaves "…". */
const char *hook_label(struct arena *, const char *s, size_t units);
/* "Claude", or "Claude (reviewer)" for a subagent. */
const char *hook_agent(struct arena *, const struct hook *);

/* Fill message, details and details_name of q for the tool call in hook->body, with `note` (NULL: none) as the last
 * lines of the message. */
enum status hook_show_tool(struct arena *, const struct hook *, const char *note, struct hook_question *q,
                           struct error *);
/* Put title and text (foreign) into *message; what does not fit is cut there and whole in *details, before what these
 * hold. */
void hook_compose(struct arena *, const char *title, const char *text, const char **message, const char **details,
                  const char **details_name);
const char *hook_pretty(struct arena *, struct json_object *); /* JSON over several lines, as it is */

/* --- reading --- */

/* The member must be there, text and not empty (or: when it is there, text).  ST_INVALID names it. */
enum status hook_need_text(struct json_object *, const char *key, const char **out, struct error *);
enum status hook_may_text(struct json_object *, const char *key, const char **out, struct error *);
/* Require tool_name and tool_input. */
enum status hook_read_tool(struct hook *, struct error *);
void hook_add_button(struct hook_question *, const char *label, const char *value, const char *style, bool safe);

/* --- questions of a tool (hook_questions.c) --- */

enum status hook_read_questions(struct arena *, struct hook *, struct error *);
/* tool_input with "answers": a map from the question's text to labels or words.  NULL, and *why says so, when an answer
 * is missing or none of the options. */
struct json_object *hook_answered_input(struct arena *, const struct hook *, const struct hook_answer *, int count,
                                        const char **why);

/* --- deciding --- */

/* What the answers to a permission's one question mean. */
struct hook_verdict {
    bool allowed;         /* a button that is not safe was chosen */
    const char *value;    /* the button; NULL when there was no answer, or words */
    const char *sentence; /* who said what; words as they were written; or why there is no answer */
};

struct hook_verdict hook_judge(struct arena *, const struct hook *, const struct hook_answer *, int count);
/* A sentence when this is no answer, else NULL. */
const char *hook_no_answer(struct arena *, const struct hook_answer *);
const char *hook_by(struct arena *, const char *what, const struct hook_answer *); /* "approved by Anna in Telegram" */
/* {"hookSpecificOutput":{"hookEventName":…}} with *inner set to the inner object. */
struct json_object *hook_output(const struct hook *, struct json_object **inner);
struct json_object *hook_input_copy(const struct hook *); /* tool_input for an answer: a new reference */

#endif
