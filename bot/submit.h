/* SPDX-License-Identifier: MIT
 * submit: a request whose update goes through the intake into the inbox, and which is answered once it is on disk. */
#ifndef BOT_SUBMIT_H
#define BOT_SUBMIT_H

#include "bot/intake.h"
#include "bot/route.h"

/* In a handler, instead of an answer: `code` without a body after the commit (a duplicate too), else 503 with
 * Retry-After. Takes the arena, which owns the update's strings, and the submission from now on. */
void request_submit(struct request *, struct intake *, struct arena *, const struct inbox_update *, int code);

#endif
