/* SPDX-License-Identifier: MIT
 * turn: one message, from its inbox row to rows changed and a reply in the outbox.  A worker thread calls turn_run()
 * with a claimed row; it runs straight-line blocking code.  The database transaction that finishes the row holds
 * all of it: the tool effects, the recorded step, the reply, "this update is done".  No transaction spans a model call.
 */
#ifndef ROUTER_TURN_H
#define ROUTER_TURN_H

#include "router/incoming.h"
#include "router/model.h"
#include "store/inbox.h"
#include "store/store.h"

struct turn_env {
    struct store *store;
    struct model_set *models;
    struct http *http;      /* the calling thread's */
    const int64_t *allowed; /* Telegram ids; the first is the owner */
    int allowed_count;
    const char *zone;                       /* default zone of users */
    const char *embedding_url;              /* for /privacy; NULL = rows are embedded here */
    int64_t daily_token_limit;              /* 0 = none */
    const volatile bool *cancel;            /* turns true when the program stops */
    void *arg;                              /* for the functions below */
    const char *(*bot_username)(void *arg); /* NULL when not known yet */
    int64_t (*bot_id)(void *arg);           /* 0 when not known yet */
    /* Inside the turn's transaction: a messenger that shows the person's own words stores them here.  May be NULL. */
    enum status (*echo)(void *arg, struct db *, struct arena *, const struct incoming *, const char *update_key,
                        struct error *);
    void (*typing)(void *arg, const struct incoming *, bool on); /* while a model works; may be NULL */
};

/* For the log line of the turn. */
enum turn_end {
    TURN_SETTLED,
    TURN_FAILED,     /* an apology went out, nothing was changed */
    TURN_GIVEN_BACK, /* to be tried again */
    TURN_LOST,       /* another worker has the row */
};
struct turn_report {
    enum turn_end end;
    const char *outcome; /* "ok", "asked", "ignored", "stranger", "failed", "gave back" … */
    const char *path;    /* "model", "parser", "command", "tap", "-" */
    int64_t total_ms, model_ms, tool_ms, db_ms;
    int64_t input_tokens, output_tokens;
    int calls, rounds;
    bool tap;
    bool asked; /* it touched an agent's request: HINT_REQUESTS */
    char error[ERROR_TEXT_BYTES_MAX];
};

/* Always settles the row: done, given back for a retry (database away, shutdown), or left to its new owner (ST_LOST).
 */
void turn_run(struct turn_env *, const struct inbox_row *, struct turn_report *);

/* The slash commands, for the messenger's menu.  Ends with a NULL name. */
struct command_info {
    const char *name, *description;
};
const struct command_info *command_menu(void);

/* Visible UTF-16 units of one message of a channel: what its messenger takes, less what the sender may add. */
size_t turn_text_units_max(const char *channel);

#endif
