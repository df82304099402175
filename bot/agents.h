/* SPDX-License-Identifier: MIT
 * agents: the endpoints of coding agents and scripts: /send, /poll, /requests, /cancel, /hooks/claude, /hooks/codex.
 * Handlers run on the loop thread and wait for nothing: the database work is done at a desk (desk.h), held polls sit in
 * the waiting room (waiting.h). */
#ifndef BOT_AGENTS_H
#define BOT_AGENTS_H

#include "bot/server.h"
#include "store/store.h"

struct agents;

/* Adds the routes; before server_start(). */
enum status MUST_CHECK agents_start(struct store *, struct server *, struct agents **, struct error *);
int64_t agents_waiting(struct agents *); /* held polls and hooks */
void agents_stop(struct agents *);       /* after the server has drained, before store_close(); NULL is fine */
void agents_free(struct agents *);       /* after server_free(); NULL is fine */

#endif
