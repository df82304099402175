/* SPDX-License-Identifier: MIT
 * console_feed: pushes what is new to the open console pages (server-sent events).
 *
 * The loop keeps one cursor per page; a helper thread does all reading from the database.  A wake-up (delivery here, a
 * hint from another instance) makes it look at once; once a second it looks anyway.  A page that reads slowly keeps its
 * cursor and gets the rest later from the database: nothing is buffered for it.
 *
 * Events: `hello` {login, commands: [["/tasks", "…"], …]}; login: there is a password · `pending` {key,text,at}: said,
 * not yet answered · default {id,version,author,at,html,buttons,key} (event id = version) · `ready` after the first
 * batch · `reset`: forget what is shown · `typing` {on} · `toast` {callback_id,text} · `trouble` {error} / `fine`: the
 * database is away / back. */
#ifndef BOT_CONSOLE_FEED_H
#define BOT_CONSOLE_FEED_H

#include "bot/server.h"
#include "store/store.h"

struct console_feed;
struct console_reader;

enum status MUST_CHECK console_feed_start(struct server *, struct store *, bool login, struct console_feed **,
                                          struct error *);
void console_feed_stop(struct console_feed *); /* joins the thread */
void console_feed_free(struct console_feed *); /* after server_free */

/* Loop thread. */
void console_feed_open(struct console_feed *, struct request *); /* GET /console/events */
struct console_reader *console_feed_reader(struct console_feed *);

/* Any thread. */
void console_feed_changed(struct console_feed *); /* rows were committed here: look now, and tell other instances */
void console_feed_typing(struct console_feed *, bool on);

#endif
