/* SPDX-License-Identifier: MIT
 * turn_internal: the state of one turn, shared by turn*.c and commands.c only. */
#ifndef ROUTER_TURN_INTERNAL_H
#define ROUTER_TURN_INTERNAL_H

#include "base/limits.h"
#include "router/parse.h"
#include "router/tool.h"
#include "router/turn.h"
#include "store/history.h"
#include "store/pending.h"
#include "store/usage.h"

struct turn;
/* What a turn does inside its transaction: fills t->reply.  May run more than once: t->reply is reset before. */
typedef enum status (*turn_act)(struct turn *, struct tool_ctx *, struct error *);

enum { TURN_USAGE_MAX = (TURN_ROUNDS_MAX + 1) * MODEL_PROVIDERS_MAX + 2, TURN_DOCUMENT_MAX = 1 };

struct turn {
    struct turn_env *env;
    struct arena *arena;
    const struct inbox_row *row;
    struct turn_report *report;
    struct incoming in;
    struct user user;
    int64_t now_ms;
    struct civil now; /* the user's wall clock */
    const char *text; /* what is to be understood: in.text, or an answer to a pending question */
    struct history_key key;

    /* --- what the finishing transaction does --- */
    turn_act act;
    void *act_arg;
    const char *outcome;
    const char *head, *tail;                    /* HTML before and after what act renders; NULL = none */
    struct reply lead;                          /* already rendered in an earlier step: comes first, with its buttons */
    struct reply reply;                         /* the result */
    bool remember;                              /* keep the exchange in the history */
    bool clear_pending;                         /* an open question was answered or passed over */
    const char *pending_kind, *pending_payload; /* a question to remember; NULL = none */
    const char *document_name, *document;       /* a file to send after the reply; NULL = none */
    const char *toast;                          /* short text for a tap */
    enum tool_outcome worst;                    /* of the calls that ran */
    struct usage usage[TURN_USAGE_MAX];
    int usage_count;
    bool tells_limit; /* this reply says that the day's tokens are used up */

    /* --- the calls of this round --- */
    struct tool_args args[TURN_CALLS_MAX];
    struct json_object *data[TURN_CALLS_MAX]; /* what each call told, for the model */
    enum tool_outcome call_outcome[TURN_CALLS_MAX];
    int same_as[TURN_CALLS_MAX]; /* an earlier call of this answer that asks for the same and stands for both; -1 */
    int call_count, same_count;
    bool reads_only, has_question;
    bool skip_reads;       /* they ran before the transaction */
    struct reply listing;  /* what look-ups of earlier rounds rendered */
    struct reply fallback; /* the answer to a question without a model */

    /* --- the step to record with this commit --- */
    int round;
    const char *step; /* JSON; NULL = none */
};

/* turn.c */
bool turn_is_allowed(const struct turn *);                       /* may this person talk to us? */
bool turn_is_late(const struct turn *);                          /* was it said well before it came here? */
enum status MUST_CHECK turn_open(struct turn *, struct error *); /* who, and what time it is for them */
struct when_options turn_when_options(const struct turn *);      /* how this person means "tomorrow" and "3/4" */
enum status MUST_CHECK turn_ignore(struct turn *, const char *outcome, struct error *); /* done without a word */

/* turn_commit.c */
struct tool_ctx turn_tool_ctx(struct turn *, struct db *, struct journal *);
enum status MUST_CHECK turn_finish(struct turn *, struct error *); /* everything, and the row is done */
enum status MUST_CHECK turn_step(struct turn *, struct error *);   /* act and the recorded step; the row stays ours */
void turn_say(struct turn *, const char *fmt, ...) PRINTF(2, 3);   /* plain words become the whole reply (t->head) */
enum status MUST_CHECK turn_say_reply(struct turn *, const struct reply *, struct error *); /* so does this; finish */

/* turn_calls.c */
/* Validate a call and append it; ST_INVALID with the sentence, ST_LIMIT over TURN_CALLS_MAX. */
enum status MUST_CHECK turn_add_call(struct turn *, const char *tool, struct json_object *arguments, struct error *);
void turn_clear_calls(struct turn *);
enum status turn_act_calls(struct turn *, struct tool_ctx *, struct error *); /* a turn_act: runs them in order */
/* Run the reads on a read connection: what answers a question is rendered into *answers, the rest into t->lead. */
enum status MUST_CHECK turn_read_calls(struct turn *, struct reply *answers, struct error *);
enum status MUST_CHECK turn_run_calls(struct turn *, struct error *); /* run and finish, whichever way is right */
void turn_append_result(struct turn *, struct reply *to, struct tool_result *, bool only_one);

/* turn_model.c, turn_answer.c, turn_parser.c, commands.c */
enum status MUST_CHECK turn_by_model(struct turn *, struct error *);
enum status MUST_CHECK turn_answer(struct turn *, struct json_object *evidence, const char *query, struct error *);
enum status MUST_CHECK turn_by_parser(struct turn *, struct error *);
enum status MUST_CHECK turn_show_item(struct turn *, struct error *); /* /note_21: in.callback_data is "show:note:21" */
enum status MUST_CHECK turn_undo(struct turn *, struct error *);      /* "undo" in words: the newest turn */
bool turn_take_pending(struct turn *, enum status *, struct error *); /* the text answers a question: handled */
enum status MUST_CHECK turn_usage(struct turn *, struct error *);     /* /usage (command_usage.c) */
enum status MUST_CHECK turn_by_command(struct turn *, struct error *);
enum status MUST_CHECK turn_by_tap(struct turn *, struct error *);
/* commands_agents.c: /agents and /quiet */
enum status MUST_CHECK turn_agents(struct turn *, const char *rest, struct error *);
enum status MUST_CHECK turn_quiet(struct turn *, const char *rest, struct error *);
/* turn_ask.c: agents' requests.  true: the message was one of theirs (an answer, a service message) and is finished. */
bool turn_take_ask(struct turn *, enum status *, struct error *);
enum status MUST_CHECK turn_by_ask_tap(struct turn *, struct error *);
/* turn_tokens.c: what model calls cost */
void turn_note_usage(struct turn *, const struct model_reply *, const char *outcome);
enum status MUST_CHECK turn_put_usage(struct turn *, struct db *, struct error *); /* as rows, in the turn's commit */
/* Are the day's tokens used up, and is this the first reply to say so? */
enum status MUST_CHECK turn_over_limit(struct turn *, bool *over, bool *first, struct error *);

#endif
