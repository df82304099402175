/* SPDX-License-Identifier: MIT
 * tool: what can be done to a person's rows.  One table row per tool drives four things: the schema sent
 * to the model, the validation before the handler, the policy, and the tests that walk the table.
 * Handlers run inside the turn's transaction on a worker thread; they never touch the network, a clock or a global. */
#ifndef ROUTER_TOOL_H
#define ROUTER_TOOL_H

#include "base/arena.h"
#include "base/clock.h"
#include "router/reply.h"
#include "store/journal.h"
#include "store/users.h"
#include <json-c/json.h>

enum arg_type {
    ARG_TEXT,   /* trimmed, cleaned; max = bytes */
    ARG_NUMBER, /* min..max; "7h30", "7h" and "2" are coerced when unit says so */
    ARG_INTEGER,
    ARG_DATE,   /* a day: YYYY-MM-DD or a phrase of when.h */
    ARG_WHEN,   /* a day or a moment: YYYY-MM-DD, YYYY-MM-DDTHH:MM or a phrase; from last year to ten years ahead */
    ARG_REPEAT, /* a recurrence: an RFC 5545 rule or a phrase ("every tuesday") */
    ARG_BOOL,
    ARG_CHOICE, /* one of choices */
};
enum {
    ARG_REQUIRED = 1,
    ARG_PAST = 2 /* a date must not lie in the future */,
    ARG_CLEARABLE = 4 /* "" or "none" clears */
};

struct arg {
    const char *name;
    enum arg_type type;
    unsigned flags;
    double min, max;     /* numbers: the bounds, inclusive; text: max bytes */
    const char *unit;    /* "hours", "minutes", "ml", "kg", "%", "°C": said in errors and used for coercion */
    const char *choices; /* "all|tasks|notes|health" */
    const char *doc;     /* for the model */
};

enum policy {
    TOOL_READS,       /* changes nothing; rendered from rows */
    TOOL_WRITES,      /* journaled, undoable; equal calls of one answer are one: nobody means the same task twice */
    TOOL_ADDS_UP,     /* as WRITES, but each call counts: two glasses of water are two */
    TOOL_DESTRUCTIVE, /* as WRITES, and over one row it needs a tap first */
};

enum { TOOL_ARGS_MAX = 10 };

struct tool;
struct arg_value {
    bool present, cleared;
    const char *text;   /* TEXT, CHOICE; also the source words of a date */
    double number;      /* NUMBER, INTEGER */
    struct civil when;  /* DATE (hour -1), WHEN; REPEAT: the first occurrence of a phrase, year 0 for a bare rule */
    const char *repeat; /* REPEAT; also WHEN, when its phrase repeats ("every tuesday"): an RFC 5545 rule, else NULL */
    bool boolean;
};
struct tool_args {
    const struct tool *tool;
    struct arg_value value[TOOL_ARGS_MAX];
};
/* By name; aborts when the tool has no such argument.  arg_get never gives NULL: look at ->present.  The others give
 * NULL or the fallback when the argument is absent. */
const struct arg_value *arg_get(const struct tool_args *, const char *name);
const char *arg_text(const struct tool_args *, const char *name);
double arg_number(const struct tool_args *, const char *name, double fallback);
int64_t arg_integer(const struct tool_args *, const char *name, int64_t fallback);
bool arg_flag(const struct tool_args *, const char *name, bool fallback);
bool arg_cleared(const struct tool_args *, const char *name); /* ARG_CLEARABLE and the caller wrote "" or "none" */

/* Where a handler works. */
struct tool_ctx {
    struct arena *arena;
    struct db *db;           /* the turn's transaction (READS may get a read-only connection) */
    struct journal *journal; /* NULL for READS */
    const struct user *user;
    const char *channel; /* where a reminder of a new task goes */
    int64_t chat_id;
    int64_t now_ms;
    struct civil now;       /* the user's wall clock */
    const char *question;   /* the person's own words of this message; for answers that quote them */
    int64_t rows_confirmed; /* a button confirmed a destructive call over this many rows; 0 = none did.  Never set from
                               a model's call or from text */
};

struct tool_result; /* opaque: only these can make one, so every path answers */
enum tool_outcome { TOOL_OK, TOOL_FAIL, TOOL_ASK, TOOL_ERROR };
/* Done: then write the confirmation into tool_reply() and the facts for the model into tool_data(). */
struct tool_result *tool_ok(struct tool_ctx *);
/* Nothing was done and why, in words for the person. */
struct tool_result *tool_fail(struct tool_ctx *, const char *fmt, ...) PRINTF(2, 3);
/* Nothing was done; a question (with buttons added through tool_reply()) goes to the person.  A handler that asks
 * may have stored a row of store/pending.h in the transaction: commit after a TOOL_ASK too. */
struct tool_result *tool_ask(struct tool_ctx *, const char *fmt, ...) PRINTF(2, 3);
/* The database failed: the whole turn rolls back and is tried again or reported. */
struct tool_result *tool_error(struct tool_ctx *, const struct error *);
/* A store call that did not return OK: what the person can mend (ST_INVALID, ST_NOT_FOUND, ST_EXISTS, ST_CONFLICT,
 * ST_LIMIT) is a TOOL_FAIL with the error's sentence, everything else a TOOL_ERROR. */
struct tool_result *tool_status(struct tool_ctx *, const struct error *);
enum tool_outcome tool_outcome(const struct tool_result *);
const struct error *tool_result_error(const struct tool_result *);
struct reply *tool_reply(struct tool_result *);
/* What a model is told: an object with "ok" (and "error" or "question" when not). */
struct json_object *tool_data(struct tool_result *);

struct tool {
    const char *name;
    enum policy policy;
    const char *doc;                    /* for the model: 1–4 sentences, when to use it and when not */
    struct arg args[TOOL_ARGS_MAX + 1]; /* ends with a NULL name */
    struct tool_result *(*run)(struct tool_ctx *, const struct tool_args *);
};

extern const struct tool *const tool_table[]; /* NULL-terminated */
const struct tool *tool_find(const char *name);

/* JSON schema of a tool's arguments (type object, additionalProperties false); the caller owns it. */
struct json_object *tool_schema(const struct tool *);

/* Check and coerce one call's arguments.  Null and missing are alike; unknown arguments are refused; text is
 * trimmed; dates and phrases are resolved against ctx->now with the user's language.  Nothing is
 * written.  ST_INVALID with a sentence that names the argument, its bound and its unit. */
enum status MUST_CHECK tool_validate(const struct tool *, struct tool_ctx *, struct json_object *arguments,
                                     struct tool_args *out, struct error *);
/* Do two validated calls ask for the same, in whatever words their dates were put? */
bool tool_args_equal(const struct tool_args *, const struct tool_args *);

#endif
