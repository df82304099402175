/* SPDX-License-Identifier: MIT
 * console_messenger: delivery to the console page: a database write in the transaction that marks the row sent. */
#ifndef BOT_CONSOLE_MESSENGER_H
#define BOT_CONSOLE_MESSENGER_H

#include "bot/console_feed.h"
#include "bot/messenger.h"

/* The feed is woken after each commit. */
struct messenger console_messenger_make(struct console_feed *);

#endif
