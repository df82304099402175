/* SPDX-License-Identifier: MIT
 * cmd_store: what the commands that read or write a person's rows need first: the configuration, the database, the
 * person.  The commands' own thread; works beside a running server. */
#ifndef BOT_CMD_STORE_H
#define BOT_CMD_STORE_H

#include "bot/config.h"
#include "store/store.h"

struct cmd_store {
    struct arena *arena;
    struct config config;
    struct store *store;
    struct error error;
};
/* An SQLite database that is not there: a command that only reads would find nothing in an empty one and leave it
 * behind, wherever it was called. */
enum cmd_store_missing { CMD_STORE_MAKE, CMD_STORE_REFUSE };
/* Load the configuration and open the database; says what is wrong on stderr.  False = give up (exit 1): nothing is
 * open. */
bool cmd_store_open(struct cmd_store *, const char *command, enum cmd_store_missing);
void cmd_store_close(struct cmd_store *);
/* ST_NOT_FOUND, with what to do, when the settings name an SQLite database that is not there. */
enum status MUST_CHECK cmd_store_exists(const struct config *, struct error *);

/* The user with this Telegram id; 0 = the owner (the first of TELEGRAM_USER_ID, else the console's person).
 * make: create the row when it is missing and the id is one of TELEGRAM_USER_ID.  *user_id 0: a person
 * without rows so far.  ST_NOT_FOUND with a sentence for an id nobody knows. */
enum status MUST_CHECK cmd_store_user(struct cmd_store *, int64_t telegram_id, bool make, int64_t *user_id);

/* "--user 12345" and the like: a positive Telegram id; false = not one. */
bool cmd_telegram_id(const char *text, int64_t *id);

#endif
