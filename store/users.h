/* SPDX-License-Identifier: MIT
 * users: who owns rows.  A user is a person; a Telegram id is one of their addresses.
 * The console's person is the owner: the first allowed Telegram user, or user 1 without Telegram.
 * Every function runs inside a transaction of the caller; those that make or change a row inside a write. */
#ifndef STORE_USERS_H
#define STORE_USERS_H

#include "base/arena.h"
#include "store/db.h"

struct user {
    int64_t id;
    int64_t telegram_id;     /* 0 = none */
    const char *name;        /* "" = not known */
    const char *language;    /* IETF tag, "" = not known */
    const char *zone;        /* IANA name; the server's default already filled in */
    int64_t private_chat_id; /* 0 = none */
};

/* The row for a Telegram id, made when missing.  The owner row (id 1) without a Telegram id is adopted when
 * `owner` is true, so that what was written in the console stays theirs.  Strings are arena-owned. */
enum status MUST_CHECK user_of_telegram(struct db *, struct arena *, int64_t telegram_id, bool owner,
                                        const char *default_zone, struct user *, struct error *);
/* The console's owner (user 1), made when missing. */
enum status MUST_CHECK user_owner(struct db *, struct arena *, const char *default_zone, struct user *, struct error *);
enum status MUST_CHECK user_by_id(struct db *, struct arena *, int64_t id, const char *default_zone, struct user *,
                                  struct error *);
/* Remember name, language and private chat when they changed. */
enum status MUST_CHECK user_touch(struct db *, const struct user *before, const char *name, const char *language,
                                  int64_t private_chat_id, struct error *);
/* Set the zone if the person has none yet. */
enum status MUST_CHECK user_suggest_zone(struct db *, int64_t id, const char *zone, struct error *);
enum status MUST_CHECK user_set_zone(struct db *, int64_t id, const char *zone, struct error *);
/* True the first time a stranger writes: they get one answer, then silence. */
enum status MUST_CHECK stranger_first(struct db *, int64_t telegram_id, int64_t now_ms, bool *first, struct error *);

#endif
