/* SPDX-License-Identifier: MIT
 * question_intent: what a question asks for, read from its words: the subject (a table and column), the
 * figure (count, sum, average …), the periods, and what is left over for a search.  Pure; any thread. */
#ifndef ROUTER_QUESTION_INTENT_H
#define ROUTER_QUESTION_INTENT_H

#include "embeddings/analyzer.h"
#include "router/when.h"
#include "store/health.h"

enum subject {
    SUBJECT_NONE,
    SUBJECT_TASKS,
    SUBJECT_NOTES,
    SUBJECT_OVERVIEW, /* "my health": the latest of everything */
    SUBJECT_LOGS,     /* intent.kind and intent.column say which */
};
enum figure {
    FIGURE_NONE, /* the usual ones of the subject */
    FIGURE_COUNT,
    FIGURE_SUM,
    FIGURE_AVERAGE,
    FIGURE_MIN,
    FIGURE_MAX,
    FIGURE_LATEST,
    FIGURE_FIRST,
    FIGURE_CHANGE,
};

struct intent_vocabulary { /* the person's own names */
    const char *const *activity;
    size_t activity_count;
    const char *const *category; /* paths */
    size_t category_count;
};

struct intent {
    enum subject subject;
    enum health_kind kind;
    int column;           /* of health_tables[kind].value */
    const char *activity; /* a word of the question that names a kind of exercise: "running"; NULL = all */
    enum figure figure;
    struct when_range period[2];
    int period_count;
    bool compare;                /* two periods side by side */
    bool days;                   /* "how many days" counts days, not entries */
    bool done, overdue, undated; /* tasks */
    const char *category;        /* tasks and notes: a path of the vocabulary; NULL = any */
    bool personal;               /* says I, my, me */
    bool question;               /* begins like one */
    bool how_much;               /* "how much", "how many hours" */
    const char *rest;            /* the words that were not understood; "" = none */
    int rest_count;
    const char *content; /* all words of substance, understood or not: what to search for */
    bool sure;           /* the subject and figure can be answered from the rows alone */
};

/* query_type: "all" or NULL, "tasks", "notes", "health". */
void intent_read(struct analyzer *, struct arena *, const char *question, const char *query_type,
                 const struct when_options *, const struct intent_vocabulary *, struct intent *out);

/* Do two words mean the same activity ("ran", "running", "Run")? */
bool intent_same_activity(struct analyzer *, struct arena *, const char *a, const char *b);

#endif
