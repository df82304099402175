/* SPDX-License-Identifier: MIT
 * console_messages: the chat of the console page, as rows.  Every change of any row takes the next version, and
 * versions become visible in their order, so a reader that has seen version N misses nothing by asking for what is
 * above N. */
#ifndef STORE_CONSOLE_MESSAGES_H
#define STORE_CONSOLE_MESSAGES_H

#include "base/arena.h"
#include "store/db.h"

/* --- inside a write --- */
/* A message of the bot; buttons: JSON rows of {text, data}, NULL = none. */
enum status MUST_CHECK console_message_put(struct db *, const char *html, const char *buttons, int64_t now_ms,
                                           int64_t *id, struct error *);
/* What the person said (plain text), with the id the page gave it, so that the page recognises its own. */
enum status MUST_CHECK console_message_echo(struct db *, const char *update_key, const char *text, int64_t now_ms,
                                            struct error *);
/* html NULL keeps the text; buttons NULL removes them.  A row that is not there is no error. */
enum status MUST_CHECK console_message_edit(struct db *, int64_t id, const char *html, const char *buttons,
                                            struct error *);

/* --- reading --- */
struct console_message {
    int64_t id, version, created_at_ms;
    bool from_user;
    const char *html;
    const char *buttons; /* JSON; NULL = none */
    const char *key;     /* of the person's messages: the page's own id; NULL */
};
typedef void (*console_message_fn)(const struct console_message *, void *arg); /* the strings live during the call */

/* Versions above `after`, in their order, at most `limit`. */
enum status MUST_CHECK console_message_since(struct db *, int64_t after, int limit, console_message_fn, void *arg,
                                             struct error *);
/* The newest `limit` rows in the order of the chat, and the newest version of all. */
enum status MUST_CHECK console_message_latest(struct db *, int limit, int64_t *version, console_message_fn, void *arg,
                                              struct error *);
enum status MUST_CHECK console_message_version(struct db *, int64_t *version,
                                               struct error *); /* the newest; 0 = no rows */
/* Messages of the page that wait for their turn and are no rows yet: `body` is the update. */
typedef void (*console_waiting_fn)(const char *update_key, const char *body, int64_t received_at_ms, void *arg);
enum status MUST_CHECK console_message_waiting(struct db *, int limit, console_waiting_fn, void *arg, struct error *);
/* Answers to taps (outbox kind 'tap') sent since then: short texts that the page shows once. */
typedef void (*console_toast_fn)(int64_t outbox_id, const char *payload, void *arg);
enum status MUST_CHECK console_message_toasts(struct db *, int64_t since_ms, console_toast_fn, void *arg,
                                              struct error *);
/* The payload of a document that was sent to the console (outbox id), or NULL when it is no longer kept. */
enum status MUST_CHECK console_message_document(struct db *, struct arena *, int64_t outbox_id, const char **payload,
                                                struct error *);

#endif
