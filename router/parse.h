/* SPDX-License-Identifier: MIT
 * parse: the built-in parser: slash commands aside, plain English sentences → tool calls, without a model.
 * It writes only when sure, asks when a required piece is missing, and otherwise searches (a question) or
 * says that it did not understand.  Pure: no database, no clock; any thread. */
#ifndef ROUTER_PARSE_H
#define ROUTER_PARSE_H

#include "base/arena.h"
#include "router/when.h"
#include <json-c/json.h>

enum parse_kind {
    PARSE_NONE,  /* not for us ("play some music"); nothing is done */
    PARSE_CALLS, /* one or more calls, all sure */
    PARSE_ASK,   /* a required piece is missing: `ask` says which; calls[0] is the unfinished call, if any, and those
                  * behind it are complete: nothing is written before the answer (all or nothing) */
    PARSE_CHAT,  /* greetings, thanks, yes/no: `ask` is NULL, a short friendly answer fits */
};
enum { PARSE_CALLS_MAX = 10 };
struct parse_call {
    const char *tool;              /* a name of the tool table */
    struct json_object *arguments; /* arena-owned */
};
struct parse {
    enum parse_kind kind;
    struct parse_call calls[PARSE_CALLS_MAX];
    int call_count;
    const char *ask;          /* "What should I remind you of?" */
    const char *ask_argument; /* the argument of calls[0] that the person's next message fills, or NULL */
};

/* options->past is chosen by the parser per tool; the rest (now, day_first) is the caller's. */
void parse_sentence(struct arena *, const char *text, const struct when_options *, struct parse *out);
/* The person answers an earlier PARSE_ASK: fill `argument` of the unfinished call from their words.  False when the
 * words do not fit (the caller then parses them as a new sentence).  `argument` is one of content, due_date, hours,
 * duration_minutes, amount_ml, temperature_c, weight_kg, body_fat_percent, muscle_kg; a content of
 * complete/update/delete may become task_id. */
bool parse_answer(struct arena *, const char *text, const struct when_options *, struct parse_call *unfinished,
                  const char *argument);
/* The output of `steward parse`: {"tool":…,"arguments":{…}}, {"calls":[…]}, {"tool":null} or {"ask":"…"}. */
struct json_object *parse_json(struct arena *, const struct parse *);

#endif
