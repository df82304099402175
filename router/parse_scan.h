/* SPDX-License-Identifier: MIT
 * parse_scan: the inside of the sentence parser, shared by parse*.c.
 *
 * A message becomes tokens; parse.c strips politeness, splits compounds and asks each family of rules in turn (notes,
 * tasks, changes, lists, health, questions, plain imperatives).  A family either routes the span, i.e. adds calls or a
 * question to struct parse, or leaves it untouched.  Pure; any thread; work is bounded by ROUTE_TOKENS_MAX. */
#ifndef ROUTER_PARSE_SCAN_H
#define ROUTER_PARSE_SCAN_H

#include "router/parse.h"
#include "router/parse_pattern.h"
#include "router/tool_rows.h"
#include "router/when_scan.h"

enum {
    ROUTE_TOKENS_MAX = 240, /* a longer span is prose, not a command */
    LEAD_STRIP_MAX = 6,     /* polite words in front */
};

enum route {
    ROUTE_NO,   /* not mine */
    ROUTE_DONE, /* a call was added */
    ROUTE_ASK,  /* something is missing: parse->ask */
    ROUTE_CHAT,
    ROUTE_NEVER, /* understood, and surely not to be acted on: ends the search */
};

struct sentence {
    struct arena *arena;
    const struct words *words;
    const struct when_options *options;
    struct parse *parse;
    bool asked;           /* "could you …": bare imperatives are orders to the world then */
    bool question;        /* ends in a question mark */
    bool please;          /* ends in "please" or "would you": what has no verb is a request too */
    struct span category; /* of the command before in a compound: "… and add carrots" */
    bool head;            /* the span is not the first of a compound */
};

enum route parse_route(struct sentence *, struct span);          /* all families in order */
enum route parse_route_commands(struct sentence *, struct span); /* the explicit ones only */

/* Clauses or lines, one after the other: ROUTE_DONE only when each is understood, ROUTE_ASK with the unfinished call
 * first when one lacks a piece. */
enum route parse_groups(struct sentence *, const struct span *group, int count);
enum route parse_lines(struct sentence *); /* of the whole message */

/* What a family would make of the span; nothing is kept. */
enum route parse_rehearse(const struct sentence *, struct span, enum route (*family)(struct sentence *, struct span));

/* --- families --- */
enum route parse_chat(struct sentence *, struct span);
enum route parse_note(struct sentence *, struct span);
enum route parse_remind(struct sentence *, struct span);
enum route parse_task(struct sentence *, struct span);
enum route parse_change(struct sentence *, struct span);
enum route parse_list(struct sentence *, struct span);
enum route parse_sleep(struct sentence *, struct span);
enum route parse_exercise(struct sentence *, struct span);
enum route parse_water(struct sentence *, struct span);
enum route parse_sauna(struct sentence *, struct span);
enum route parse_body(struct sentence *, struct span);
enum route parse_question(struct sentence *, struct span);
enum route parse_plain(struct sentence *, struct span);

/* --- parse_text.c: words of the person --- */
struct span parse_strip(struct sentence *, struct span);   /* politeness, closing punctuation */
struct span parse_trim(const struct words *, struct span); /* punctuation and newlines at both ends */
/* Without quotation marks around it, and without a lone one that lost its partner to the command. */
struct span parse_unquote(const struct words *, struct span);
bool parse_is_question(const struct sentence *, struct span);
const char *parse_text(const struct sentence *, struct span);     /* the person's own words, trimmed; "" when empty */
const char *parse_category(const struct sentence *, struct span); /* "shopping" → "Shopping"; NULL when empty */
bool parse_has(const struct sentence *, struct span, const char *words); /* any token out of "a|b|c" */
int parse_find(const struct sentence *, struct span, const char *words); /* its index, -1 */
int parse_verb(const struct sentence *, struct span,
               const char *phrases); /* leading words out of "pick up|buy"; tokens */

struct due {           /* what a span says about when */
    bool found, dated; /* dated: a day was said, not only a time */
    struct civil at;
    struct civil also[MORE_TIMES_MAX]; /* "at 8 and 20": each is a due date of its own */
    int also_count;
    const char *repeat;
    struct span cut[2]; /* tokens of the phrase (date and time may stand apart) */
    int cuts;
};
void parse_due(const struct sentence *, struct span, bool past, struct due *);
/* The same date with only those cuts that lie at `begin` or behind: what stood before is not in the content. */
struct due parse_due_from(const struct due *, int begin);
/* A day that has been, at the front of the span ("yesterday to call bob"); tokens, 0 = none. */
int parse_past_day(const struct sentence *, struct span);
/* The span's own words without the phrase, connectors at the front ("to", "that", ":") and loose prepositions at the
 * end. */
const char *parse_content(const struct sentence *, struct span, const struct due *);
bool parse_all_date(const struct sentence *, struct span);   /* nothing but a date phrase */
bool parse_names_list(const struct sentence *, struct span); /* ends in "on my list" */

/* --- parse_task.c: what the families of tasks share --- */
/* "", "it", "something": no content to write down. */
bool parse_is_nothing(const char *content);
/* "buy milk #shopping": a hashtag at the end names the category; the shortened span. */
struct span parse_hashtag(const struct sentence *, struct span, struct span *category);
/* Without words that only lead over to the thing: "for me to", "that i need to". */
struct span parse_skip_lead(const struct sentence *, struct span);
/* A task whose words and date stand in one span; `ask` when it names no thing. */
enum route parse_task_from(struct sentence *, struct span, struct span category, const char *ask);
/* add_task; one for each time of `due` ("at 8 and 20"). */
enum route parse_put_task(struct sentence *, const char *content, struct span category, const struct due *);

/* --- parse_change.c: which task is meant --- */
enum route parse_done(struct sentence *, struct span);
enum route parse_delete(struct sentence *, struct span);
enum route parse_update(struct sentence *, struct span);
bool parse_pronoun(const struct sentence *, struct span); /* "it", "that one": names nothing */
/* Set task_id or content; false: nothing to go by. */
bool parse_name_task(struct sentence *, struct json_object *arguments, struct span);
/* "5", "tasks 3, 5 and 8": how many numbers; 0 = the span says something else. */
int parse_ids(const struct sentence *, struct span, int64_t id[PARSE_CALLS_MAX]);
enum route parse_one_task(struct sentence *, const char *tool, struct span, const char *ask);
enum route parse_tasks_named(struct sentence *, const char *tool, struct span, const char *ask); /* "3, 5 and 8" too */
struct span parse_name_only(const struct sentence *, struct span); /* without "on my list" and a closing date */

/* --- tables --- */
struct parse_rule {
    const char *pattern;
    enum route (*route)(struct sentence *, const struct match *);
};
/* The first rule whose pattern matches and whose function does not decline. */
enum route parse_apply(struct sentence *, struct span, const struct parse_rule *, size_t count);

/* --- calls --- */
struct json_object *parse_call(struct sentence *, const char *tool); /* the arguments to fill; NULL when full */
void parse_set_due(struct sentence *, struct json_object *, const struct due *, const char *name);
enum route parse_asks(struct sentence *, const char *question, const char *argument);

/* --- parse_log.c: what the log families share --- */
/* Not asked, not wished, not denied, not about somebody else. */
bool parse_log_real(const struct sentence *, struct span);
/* The day of a log: false when it lies in the future.  Today leaves *out unset (found = false). */
bool parse_log_day(const struct sentence *, struct span, struct due *out);
/* Are all tokens before `until` (dates aside) words a person uses to report on themselves? */
bool parse_log_lead(const struct sentence *, struct span, int until, const struct due *);
/* Mark the tokens of a span as understood in a bitmap of ROUTE_TOKENS_MAX flags. */
void parse_mark(bool *known, struct span whole, struct span part);
/* Are all tokens known, punctuation, dates or one of `words`? */
bool parse_all_known(const struct sentence *, struct span, const bool *known, const struct due *, const char *words);
/* "2 x 10 min", "two rounds of 10 minutes", "45 min": minutes in all; tokens used. */
int parse_rounds(const struct sentence *, struct span, int i, double *minutes);
double parse_round(double value, int decimals);

/* A negation, wish, condition or plan: such sentences log nothing. */
bool parse_unreal(const struct sentence *, struct span);

/* Is this a call of that tool? */
static inline bool parse_calls_tool(const struct parse_call *call, const struct tool *tool)
{
    return tool_find(call->tool) == tool;
}

#endif
