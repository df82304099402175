/* SPDX-License-Identifier: MIT
 * turn_talk: the conversation of one turn with its model: what the model is told, and the steps that are recorded of
 * it. A step holds an answer of the model and what its calls said; it is written in the transaction that ran them, so
 * that a turn which was interrupted goes on from its steps and asks nothing twice.  For turn_model.c alone; worker
 * threads; no network. */
#ifndef ROUTER_TURN_TALK_H
#define ROUTER_TURN_TALK_H

#include "router/turn_internal.h"

struct talk {
    struct model_message message[MODEL_MESSAGES_MAX];
    int count;
    int repairs;          /* answers that were refused */
    const char *provider; /* the one that began; NULL before the first answer */
    bool resume_answer;   /* the last step left evidence to answer from */
    struct json_object *evidence;
    const char *query;
};

/* From the database: the history, this message, and the steps of an earlier life of the turn, whose replies come into
 * t->lead and t->fallback and whose number into t->round. */
enum status MUST_CHECK talk_open(struct turn *, struct talk *, struct error *);

/* A step that begins with this answer; the turn's arena owns it. */
struct json_object *talk_step(struct turn *, const struct model_reply *);
/* Run the turn's calls (reads that ran before stand in t->lead) and record the step with what they said, in one
 * transaction; then the conversation holds it and t->lead what it rendered. */
enum status MUST_CHECK talk_record(struct turn *, struct talk *, struct json_object *step, const struct model_reply *,
                                   struct error *);
/* Nothing of this answer was done: record why for its call `bad`, so that the model may mend it. */
enum status MUST_CHECK talk_refuse(struct turn *, struct talk *, const struct model_reply *, int bad,
                                   const struct error *why, struct error *);

#endif
