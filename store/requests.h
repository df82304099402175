/* SPDX-License-Identifier: MIT
 * requests: what an agent asked or told, one row each, and its end.  The answer is bound to the row, not to a message.
 * All functions run inside a transaction; writers take requests_lock() first, so that whatever a request goes through
 * is one line of events (and nobody waits for a row while holding the audit log). */
#ifndef STORE_REQUESTS_H
#define STORE_REQUESTS_H

#include "base/arena.h"
#include "store/db.h"

enum request_state { REQUEST_OPEN, REQUEST_RESPONDED, REQUEST_EXPIRED, REQUEST_CANCELLED, REQUEST_TOLD };
const char *request_state_name(enum request_state); /* "open", "responded" … as in the table */

struct agent_request {
    int64_t id;
    const char *request_id, *content_hash, *origin, *project, *type, *message;
    const char *details, *details_name; /* NULL = none */
    const char *buttons;                /* JSON list of {label, value, style?, safe?} */
    bool multi;
    const char *quiet;          /* "on", "off", "22:00-07:00"; NULL = the household's hours */
    const char *code, *numbers; /* risk high: "47", ",47,12,83,"; NULL = normal risk */
    const char *approvers;      /* ",1,2,"; NULL = every allowed person */
    int quorum;
    const char *chosen; /* ",0,2,"; NULL = nothing */
    int64_t remind_every_ms, next_remind_at_ms;
    int reminded;
    int64_t expires_at_ms;      /* 0 = never */
    const char *default_answer; /* NULL = none */
    enum request_state state;
    const char *response, *responses, *label; /* NULL until then */
    bool free_text;
    int64_t answered_by;
    const char *answered_name, *how, *reason;
    int64_t away_from_ms, away_until_ms; /* 0 = no doubt about taps */
    int64_t version, created_at_ms, finished_at_ms, fetched_at_ms;
};

/* Wait for the other writers of requests; until the end of the transaction nobody else changes one. */
enum status MUST_CHECK requests_lock(struct db *, struct error *);

/* Insert; r->id is set.  The request_id is new (look before). */
enum status MUST_CHECK request_insert(struct db *, struct agent_request *, struct error *);
/* *found false: none.  Arena-owned. */
enum status MUST_CHECK request_by_name(struct db *, struct arena *, const char *request_id, struct agent_request *,
                                       bool *found, struct error *);
enum status MUST_CHECK request_by_id(struct db *, struct arena *, int64_t id, struct agent_request *, bool *found,
                                     struct error *);
/* Write back what may change while it is open, version + 1: chosen, reminded, next_remind_at, away_*, state, response,
 * responses, label, free_text, answered_*, how, reason, finished_at. */
enum status MUST_CHECK request_update(struct db *, struct agent_request *, struct error *);
/* The asking side has it now; *first false when it had it before. */
enum status MUST_CHECK request_fetched(struct db *, int64_t id, int64_t now_ms, bool *first, struct error *);

enum request_list {
    REQUESTS_OPEN,     /* oldest first */
    REQUESTS_ALL,      /* newest first */
    REQUESTS_EXPIRED,  /* open, expires_at <= at */
    REQUESTS_REMIND,   /* open, next_remind_at <= at */
    REQUESTS_FINISHED, /* finished_at >= at, oldest first, without the words of the question: for those who wait */
};
/* Up to max rows, blocking ones only except for ALL. */
enum status MUST_CHECK requests_list(struct db *, struct arena *, enum request_list, int64_t at_ms, int max,
                                     struct agent_request **, int *count, struct error *);
/* Rows that were finished before, with their cards and votes; the audit log keeps their story. */
enum status MUST_CHECK requests_prune(struct db *, int64_t before_ms, struct error *);

/* --- votes --- */
struct vote {
    int64_t voter; /* Telegram id, 0 = the console */
    const char *name;
    int option;
};
/* One per person, who may change it: *added false when they had said the same before. */
enum status MUST_CHECK vote_add(struct db *, int64_t request_id, const struct vote *, int64_t now_ms, bool *added,
                                struct error *);
enum status MUST_CHECK vote_list(struct db *, struct arena *, int64_t request_id, struct vote **, int *count,
                                 struct error *);

#endif
