/* SPDX-License-Identifier: MIT
 * typing: the "typing…" indicator of turns that wait for a model.  One thread with its own connection; best effort: it
 * never delays a turn and reports nothing. */
#ifndef BOT_TYPING_H
#define BOT_TYPING_H

#include "bot/messenger.h"

struct typing;

enum status MUST_CHECK typing_start(const struct messengers *, struct typing **, struct error *);
/* A turn begins / has ended to work for this chat.  Any thread, never blocks. */
void typing_set(struct typing *, const char *channel, int64_t chat_id, int64_t thread_id, bool on);
void typing_stop(struct typing *); /* joins, frees; NULL is fine */

#endif
