/* SPDX-License-Identifier: MIT
 * hook: what a coding agent's hook asks, and its answer in the agent's own words.
 * The routes of the hooks read the body with hook_read(), put the questions on cards, and turn what came back
 * into the decision JSON with hook_decide().  Pure: no row, no socket, no clock; any thread.  The same body gives
 * the same hook again, so nothing of it needs to be kept but the body.  The dialects: hook_claude.c, hook_codex.c. */
#ifndef ROUTER_HOOK_H
#define ROUTER_HOOK_H

#include "base/arena.h"
#include "base/json.h"
#include "base/status.h"
#include <stdbool.h>

enum {
    HOOK_QUESTIONS_MAX = 4,   /* AskUserQuestion holds 1 to 4 */
    HOOK_SUGGESTIONS_MAX = 3, /* more "Always" buttons would push Allow and Deny off a phone's screen */
    HOOK_BUTTONS_MAX = 8,     /* Allow, Deny, session, 3 × always; or the options of a question (4 in the documents) */
    HOOK_LABEL_UNITS_MAX = 48, /* UTF-16 units of a button's label: beyond it phones show an ellipsis of their own */
    HOOK_MESSAGE_UNITS_MAX = 1500, /* title and reason: leaves room for details in one message of 4096 */
    HOOK_PROJECT_UNITS_MAX = 64,   /* a directory's name as the card's heading */
    HOOK_ID_BYTES_MAX = 512,       /* session_id, tool_use_id, tool_name: real ones are under 100 */
    HOOK_TEXT_BYTES_MAX =
        8 * 1024 * 1024 /* details: the largest body (1 MiB), indented and with hidden characters spelt out */
};

enum hook_dialect { HOOK_CLAUDE, HOOK_CODEX };

enum hook_kind {
    HOOK_NOTHING, /* answer 200 with an empty body at once */
    HOOK_ASK,     /* ask all `questions`; each is a card of its own */
    HOOK_TELL     /* send one message, answer 200 with an empty body at once */
};

struct hook_button {
    const char *label; /* masked, made visible, at most HOOK_LABEL_UNITS_MAX */
    const char *value; /* what comes back in hook_answer.value; [a-z0-9-], at most 16 bytes, unique in its question */
    const char *style; /* "primary", "success", "danger" or NULL */
    bool safe;         /* choosing it lets nothing happen */
};

struct hook_question {
    const char *message;      /* plain text: a title line, and the reason when the agent gave one */
    const char *details;      /* NULL, or the whole command, diff, plan…: never cut; show it as it is */
    const char *details_name; /* when details: a file name that fits ("command.sh", "edit.diff", "plan.md") */
    struct hook_button buttons[HOOK_BUTTONS_MAX];
    int button_count;
    bool multi;     /* several buttons may be chosen; hook_answer.value joins their values with ", " */
    bool free_text; /* a reply with words is an answer too */
};

/* Everything below lives as long as the arena and the body given to hook_read(). */
struct hook {
    enum hook_kind kind;
    enum hook_dialect dialect;
    const char *agent;   /* who asks, as a person knows it: "Claude", "Codex", or the name given to hook_read_as() */
    const char *project; /* the override, else the last part of cwd, else "unknown" */
    const char *session; /* session_id (Codex notify: thread-id); "" when there is none */
    const char *event;   /* hook_event_name; "agent-turn-complete" for Codex notify */
    const char *tool;    /* tool_name, or NULL */

    /* HOOK_ASK */
    struct hook_question questions[HOOK_QUESTIONS_MAX];
    int question_count;

    /* HOOK_TELL */
    const char *type;         /* "milestone" or "error" */
    const char *message;      /* plain text, at most HOOK_MESSAGE_UNITS_MAX */
    const char *details;      /* NULL, or the whole text when it did not fit into message */
    const char *details_name; /* when details */
    bool drop_if_asked;       /* says no more than an open request of the same session: drop it when there is one */

    struct json_object *body; /* borrowed; echoed into decisions unchanged and unmasked */
};

/* Read one hook's JSON.  `project` overrides the name from cwd (NULL: no override).
 * ST_INVALID says which field is missing or of the wrong type.  ST_LIMIT: over a bound above. */
enum status MUST_CHECK hook_read(struct arena *, enum hook_dialect, struct json_object *body, const char *project,
                                 struct hook *out, struct error *);

/* As hook_read, for another agent that speaks the dialect: `agent` is what it calls itself, from outside: it is cleaned
 * and cut to HOOK_LABEL_UNITS_MAX; NULL or "" makes it "An agent". */
enum status MUST_CHECK hook_read_as(struct arena *, enum hook_dialect, const char *agent, struct json_object *body,
                                    const char *project, struct hook *out, struct error *);

/* Turn a Stop that only tells into a question "what next?": button Done, or words that keep the agent going.
 * False, and nothing changed, when the hook is no Stop of a dialect that can go on. */
bool hook_wait_for_next(struct arena *, struct hook *);

/* An idempotency key for this call: [a-z0-9:], under 80 bytes.  Equal calls of one session that carry no tool_use_id
 * have equal keys: the caller adds a counter for these. */
const char *hook_key(struct arena *, const struct hook *);
bool hook_has_call_id(const struct hook *); /* the key names one call: no counter needed */

enum hook_outcome { HOOK_ANSWERED, HOOK_EXPIRED, HOOK_CANCELLED, HOOK_TIMEOUT };

struct hook_answer {
    enum hook_outcome outcome;
    const char *value; /* HOOK_ANSWERED: a button's value (multi: joined with ", "), or the words */
    bool free_text;    /* value is words a person wrote */
    const char *by;    /* the person's name, or NULL */
    const char *via;   /* where: NULL = "Telegram" */
    const char *why;   /* HOOK_CANCELLED: the reason, or NULL */
};

/* The decision in the hook's dialect for the answers, one per question in their order; the object belongs to the arena.
 * NULL = no decision (empty body).  Fails closed: an answer that is missing, unknown, expired, cancelled or timed out
 * becomes an explicit deny (for a Stop: no decision, the agent stops). */
struct json_object *hook_decide(struct arena *, const struct hook *, const struct hook_answer *answers, int count);

#endif
