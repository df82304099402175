/* SPDX-License-Identifier: MIT
 * prompt: the words a model is given: two static system texts (never a clock or a name in them, so that they can be
 * cached) and the user turn with today's facts in a bracketed header.  Foreign text stands in delimited, JSON-escaped
 * blocks and cannot end its block.  Pure; worker threads; results are arena-owned. */
#ifndef ROUTER_PROMPT_H
#define ROUTER_PROMPT_H

#include "base/arena.h"
#include "base/clock.h"

enum {
    PROMPT_CATEGORIES_MAX = 40,            /* named in the header; "and 3 more" beyond */
    PROMPT_CONTEXT_BYTES_MAX = 4096,       /* of a replied-to text, forwarded text has the message's own bound */
    PROMPT_EVIDENCE_BYTES_MAX = 24 * 1024, /* all evidence of one question: about 6,000 tokens */
};

/* For the conversation with tools: a message becomes calls. */
const char *prompt_system(void);
/* For the second conversation, without tools: a question is answered from evidence. */
const char *prompt_answer_system(void);

/* What the header says.  Any pointer may be NULL or "" = not known. */
struct prompt_turn {
    struct civil now;              /* the user's wall clock, with hour and minute */
    const char *zone;              /* "Europe/Berlin" */
    const char *const *categories; /* existing names, the most used first; a child as "Health / Sport" */
    int category_count;
    const char *text;           /* the person's own words; may be empty beside forwarded text */
    const char *replied;        /* text of the message they reply to */
    bool replied_is_ours;       /* it was written by this assistant */
    const char *forwarded;      /* text somebody else wrote and the person forwarded */
    const char *forwarded_from; /* a name */
};

/* "[Now: Friday 2026-11-20 09:14 Europe/Berlin. Tomorrow is Saturday 2026-11-21. Yesterday was Thursday 2026-11-19.
 * Categories: General, Shopping]", the context blocks, then the person's words on lines of their own. */
const char *prompt_user(struct arena *, const struct prompt_turn *);

struct prompt_evidence {
    const char *id;   /* "note 21": cited as [note 21] */
    const char *date; /* "2026-11-14"; NULL */
    const char *text;
};
/* The user turn of the second conversation.  Evidence is taken in the order given until PROMPT_EVIDENCE_BYTES_MAX;
 * *used (may be NULL) says how many pieces went in, so that the caller can say that more was found. */
const char *prompt_question(struct arena *, const struct prompt_turn *, const struct prompt_evidence *, int count,
                            int *used);

#endif
