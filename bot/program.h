/* SPDX-License-Identifier: MIT
 * program: the parts of a running steward, owned by the main thread (serve.c). */
#ifndef BOT_PROGRAM_H
#define BOT_PROGRAM_H

#include "bot/config.h"
#include "bot/messenger.h"
#include "bot/webhook.h"
#include "router/model.h"

struct program {
    struct config config;
    struct store *store;
    struct model_set models;
    struct telegram *telegram;
    struct messenger telegram_messenger;
    struct messengers messengers, telegram_only, console_only;
    struct intake *intake;
    struct server *server;
    struct webhook webhook;
    struct console *console;
    struct agents *agents;
    struct health *health;
    struct metrics *metrics;
    struct sampler *sampler;               /* gauges of the database */
    _Atomic(struct registrar *) registrar; /* set while threads run already: NULL at first */
    _Atomic(struct poller *) poller;       /* the same; stays NULL with a webhook */
    struct typing *typing;
    struct sender *sender; /* to Telegram; NULL without a token */
    struct sender *console_sender;
    struct workers *workers;
    struct scheduler *scheduler;
    struct lane *lane; /* of embeddings */
};

#endif
