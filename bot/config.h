/* SPDX-License-Identifier: MIT
 * config: the settings of CONTRACT ("Environment"), read once at start from the environment through one table, which
 * also drives `steward doctor`, the masked summary at start and the README's table.  Constant after config_load(). */
#ifndef BOT_CONFIG_H
#define BOT_CONFIG_H

#include "base/arena.h"
#include "base/log.h"
#include "base/status.h"
#include <stdint.h>

enum { CONFIG_USERS_MAX = 64 };

struct config {
    int port;
    const char *bind;
    const char *database_url;
    const char *telegram_bot_token;             /* NULL = Telegram is off */
    int64_t telegram_user_id[CONFIG_USERS_MAX]; /* who may talk to it; the first is the owner */
    int telegram_user_count;
    const char *telegram_api_base; /* no trailing slash */
    const char *webhook_secret;    /* given, or derived from the token; NULL without a token */
    const char *public_url;        /* NULL: long polling; no trailing slash */
    const char *anthropic_api_key, *anthropic_base_url, *anthropic_model;
    const char *openai_api_key, *openai_base_url, *openai_model;
    bool openai_base_url_given; /* enables a server without keys */
    const char *embedding_base_url, *embedding_api_key, *embedding_model;
    int embedding_dimensions;
    bool embedding_server; /* rows are embedded by embedding_base_url; false: by the built-in embedder */
    const char *notify_secret;
    int64_t notify_chat_id;
    const char *zone; /* TZ */
    const char *ssl_cert_file;
    const char *console_password;
    int64_t daily_token_limit; /* 0 = none */
    enum log_level log_level;
    bool local_bot_api; /* TELEGRAM_PACING=local: the cloud's rate limits do not apply */
};

/* Fill *c from the environment; strings are arena-owned.  ST_INVALID names the setting and what is wrong with it. */
enum status MUST_CHECK config_load(struct config *, struct arena *, struct error *);
/* The file that database_url names, borrowed; NULL = it is no SQLite database. */
const char *config_sqlite_file(const struct config *);
/* One line per setting, secrets masked, to `print`. */
void config_describe(const struct config *,
                     void (*print)(void *arg, const char *name, const char *value, const char *meaning), void *arg);

#endif
