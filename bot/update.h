/* SPDX-License-Identifier: MIT
 * update: what Telegram's (and the console's) updates say, as far as steward uses it.  Pure. */
#ifndef BOT_UPDATE_H
#define BOT_UPDATE_H

#include "base/arena.h"
#include "store/inbox.h"
#include <json-c/json.h>

/* For the webhook, before the row is on disk: check that `body` is an update and work out its inbox key and lane.
 * ST_INVALID: not JSON or not an update (→ 400).  OK with *wanted false: a kind steward has no use for (→ 200,
 * ignored). Strings of *out are arena-owned (body included). */
enum status MUST_CHECK update_envelope(struct arena *, const char *body, size_t len, struct inbox_update *out,
                                       bool *wanted, struct error *);

#endif
