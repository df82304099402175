/* SPDX-License-Identifier: MIT
 * history: the plain-text turns of a chat, per person, and what a turn did round by round.
 * All functions run inside a transaction of the caller. */
#ifndef STORE_HISTORY_H
#define STORE_HISTORY_H

#include "base/arena.h"
#include "store/db.h"

struct history_key {
    const char *channel;
    int64_t chat_id, user_id;
};
struct history_turn {
    bool from_user;
    const char *text; /* arena-owned */
};

/* message_id 0 = none (what the bot said). */
enum status MUST_CHECK history_add(struct db *, const struct history_key *, bool from_user, const char *text,
                                   int64_t inbox_id, int64_t message_id, int64_t now_ms, struct error *);
/* The newest turns, oldest first, at most turns_max and bytes_max of text; begins with a user turn. */
enum status MUST_CHECK history_recent(struct db *, struct arena *, const struct history_key *, int turns_max,
                                      size_t bytes_max, struct history_turn **, int *count, struct error *);
/* What the person wrote in the message that became inbox row / message id, in its newest wording; NULL when it was
 * never acted on.  Arena-owned. */
enum status MUST_CHECK history_of_inbox(struct db *, struct arena *, const struct history_key *, int64_t inbox_id,
                                        const char **text, struct error *);
enum status MUST_CHECK history_of_message(struct db *, struct arena *, const struct history_key *, int64_t message_id,
                                          const char **text, struct error *);
/* Forget what was said before the instant. */
enum status MUST_CHECK history_prune(struct db *, int64_t before_ms, struct error *);

/* --- recorded steps of a turn: round 0, 1, … --- */
enum status MUST_CHECK step_put(struct db *, int64_t inbox_id, int round, const char *content, int64_t now_ms,
                                struct error *);
enum status MUST_CHECK step_exists(struct db *, int64_t inbox_id, int round, bool *exists, struct error *);
/* content[] arena-owned, in order of rounds. */
enum status MUST_CHECK steps_load(struct db *, struct arena *, int64_t inbox_id, const char ***content, int *count,
                                  struct error *);

#endif
