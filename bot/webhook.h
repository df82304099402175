/* SPDX-License-Identifier: MIT
 * webhook: where Telegram posts updates: POST /telegram-webhook, also /respond. */
#ifndef BOT_WEBHOOK_H
#define BOT_WEBHOOK_H

#include "bot/intake.h"
#include "bot/server.h"

struct webhook {
    const char *secret; /* of X-Telegram-Bot-Api-Secret-Token; NULL: no bot token is set and the route answers 503 */
    struct intake *intake;
    /* Counted on the loop thread, read by the metrics there. */
    int64_t accepted, ignored;
};

/* Before server_start; the struct must outlive the server. */
void webhook_register(struct webhook *, struct server *);

#endif
