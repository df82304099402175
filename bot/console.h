/* SPDX-License-Identifier: MIT
 * console: the page at GET /: the same chat as in Telegram, over the same inbox, turns and outbox.
 *
 * Order of life: console_new() → server_start() … server_drain() → workers and senders end → console_stop() →
 * store_close() → server_free() → console_free(). */
#ifndef BOT_CONSOLE_H
#define BOT_CONSOLE_H

#include "bot/intake.h"
#include "bot/messenger.h"
#include "bot/server.h"
#include "router/incoming.h"
#include "store/store.h"

struct console;

struct console_options {
    struct store *store;
    struct intake *intake;
    const char *password; /* CONSOLE_PASSWORD; NULL: only this machine gets in */
};

/* Before server_start: adds the routes and starts the thread that reads for the pages. */
enum status MUST_CHECK console_new(const struct console_options *, struct server *, struct console **, struct error *);
void console_stop(struct console *); /* joins the reading thread; NULL is fine */
void console_free(struct console *); /* after server_free */

/* The row for messenger_add(); lives as long as the console. */
const struct messenger *console_messenger(struct console *);

/* For turn_env.echo: stores the person's own words inside the turn's transaction, once; does nothing for other
 * channels. */
enum status MUST_CHECK console_echo(void *console, struct db *, struct arena *, const struct incoming *,
                                    const char *update_key, struct error *);
/* For turn_env.typing: shows or ends the typing indicator.  Any thread. */
void console_typing(void *console, const struct incoming *, bool on);

#endif
