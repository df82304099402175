/* SPDX-License-Identifier: MIT
 * register: makes the bot known to Telegram and keeps it so: who we are (getMe), where updates go (setWebhook, or
 * deleteWebhook when this program polls), the command menu.  A thread of its own: a start never waits for Telegram, and
 * once a minute getWebhookInfo tells whether somebody changed the webhook, and what Telegram's deliveries run into. */
#ifndef BOT_REGISTER_H
#define BOT_REGISTER_H

#include "bot/telegram_client.h"

struct registrar;

struct telegram_command {
    const char *name;        /* 1–32 of a–z 0–9 _ , without the slash */
    const char *description; /* 1–256 characters */
};

struct registrar_options {
    struct telegram *telegram;
    const char *public_url; /* webhook mode: <public_url>/telegram-webhook; NULL: polling, the webhook is removed */
    const char *secret;     /* of the webhook's header */
    const struct telegram_command *commands; /* the menu; constant while it runs */
    size_t command_count;
};

struct telegram_state {
    bool ok;                        /* the token is good, updates come to us, and the last check was answered */
    bool registered;                /* the webhook stands (or, polling, is gone) */
    int64_t bot_id;                 /* 0 = not known yet */
    char username[64];              /* without @; "" = not known yet */
    char webhook_url[512];          /* as Telegram has it; "" = none */
    char error[256];                /* what is in the way now; "" */
    char last_delivery_error[256];  /* Telegram's last trouble in reaching the webhook, if it is newer than our start */
    int64_t last_delivery_error_ms; /* wall clock; 0 = none */
    int64_t pending_updates;        /* waiting at Telegram */
    int64_t checked_ms;             /* wall clock of the last answered check; 0 = never */
};

enum status MUST_CHECK registrar_start(const struct registrar_options *, struct registrar **, struct error *);
/* Any thread. */
void registrar_state(struct registrar *, struct telegram_state *);
/* The bot's name without @, for messages that address it in a group; "" until Telegram has told it.  Constant once
 * known, valid until registrar_stop().  Any thread. */
const char *telegram_username(const struct registrar *);
int64_t telegram_bot_id(const struct registrar *); /* 0 until known */
void registrar_stop(struct registrar *); /* about a second at most; joins, frees; the webhook stays.  NULL is fine */

#endif
