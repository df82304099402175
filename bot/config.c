/* SPDX-License-Identifier: MIT
 * config: one table row per setting: name, type, where it goes, default, meaning.
 * Called once by every command before threads start.  Never prints a secret. */
#include "bot/config.h"

#include "base/clock.h"
#include "base/hex.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum setting_type {
    SET_TEXT,
    SET_URL,
    SET_SECRET,
    SET_INT,
    SET_IDS,
    SET_ZONE,
    SET_LEVEL,
    SET_DATABASE,
    SET_FILE,
    SET_HEADER_SECRET,
    SET_PACING
};

struct setting {
    const char *name;
    enum setting_type type;
    size_t offset;
    const char *fallback;
    int64_t min, max; /* SET_INT */
    const char *meaning;
};

#define AT(field) offsetof(struct config, field)
static const struct setting setting_table[] = {
    { "PORT", SET_INT, AT(port), "8080", 1, 65535, "HTTP port" },
    { "BIND", SET_TEXT, AT(bind), NULL, 0, 0, "address to listen on" },
    { "DATABASE_URL", SET_DATABASE, AT(database_url), "sqlite://steward.db", 0, 0, "sqlite:// or postgres:// URL" },
    { "TELEGRAM_BOT_TOKEN", SET_SECRET, AT(telegram_bot_token), NULL, 0, 0, "enables Telegram" },
    { "TELEGRAM_USER_ID", SET_IDS, AT(telegram_user_id), NULL, 0, 0, "who may talk to it: ids with commas" },
    { "TELEGRAM_API_BASE", SET_URL, AT(telegram_api_base), "https://api.telegram.org", 0, 0, "Bot API root" },
    { "TELEGRAM_PACING", SET_PACING, AT(local_bot_api), "cloud", 0, 0,
      "cloud: Telegram's rate limits; local: none (own Bot API server)" },
    { "WEBHOOK_SECRET_TOKEN", SET_HEADER_SECRET, AT(webhook_secret), NULL, 0, 0, "secret of the webhook's header" },
    { "PUBLIC_URL", SET_URL, AT(public_url), NULL, 0, 0, "public address; without one, long polling" },
    { "ANTHROPIC_API_KEY", SET_SECRET, AT(anthropic_api_key), NULL, 0, 0, "first model provider" },
    { "ANTHROPIC_BASE_URL", SET_URL, AT(anthropic_base_url), "https://api.anthropic.com", 0, 0, "without /v1" },
    { "ANTHROPIC_MODEL", SET_TEXT, AT(anthropic_model), "claude-haiku-5-5", 0, 0, "model id" },
    { "OPENAI_API_KEY", SET_SECRET, AT(openai_api_key), NULL, 0, 0, "second model provider" },
    { "OPENAI_BASE_URL", SET_URL, AT(openai_base_url), "https://api.openai.com/v1", 0, 0,
      "any compatible server, with /v1" },
    { "OPENAI_MODEL", SET_TEXT, AT(openai_model), "gpt-6-luna", 0, 0, "model id" },
    { "EMBEDDING_BASE_URL", SET_URL, AT(embedding_base_url), NULL, 0, 0,
      "embeddings endpoint; default OPENAI_BASE_URL" },
    { "EMBEDDING_API_KEY", SET_SECRET, AT(embedding_api_key), NULL, 0, 0, "default OPENAI_API_KEY" },
    { "EMBEDDING_MODEL", SET_TEXT, AT(embedding_model), "text-embedding-3-small", 0, 0, "model id" },
    { "EMBEDDING_DIMENSIONS", SET_INT, AT(embedding_dimensions), "384", 32, 4096, "vector length" },
    { "NOTIFY_SECRET", SET_SECRET, AT(notify_secret), NULL, 0, 0,
      "bearer secret of coding agents; unset: their endpoints answer 503" },
    { "NOTIFY_CHAT_ID", SET_INT, AT(notify_chat_id), "0", INT64_MIN, INT64_MAX,
      "where agents' cards go: a group with topics, a group, a private chat" },
    { "TZ", SET_ZONE, AT(zone), "UTC", 0, 0, "default time zone of users" },
    { "SSL_CERT_FILE", SET_FILE, AT(ssl_cert_file), NULL, 0, 0, "CA bundle for outgoing TLS" },
    { "CONSOLE_PASSWORD", SET_SECRET, AT(console_password), NULL, 0, 0, "opens the console page beyond loopback" },
    { "DAILY_TOKEN_LIMIT", SET_INT, AT(daily_token_limit), "0", 0, INT64_MAX, "stops model use for the day; 0 = none" },
    { "LOG_LEVEL", SET_LEVEL, AT(log_level), "info", 0, 0, "debug, info, warn or error" },
};
enum { SETTING_COUNT = sizeof setting_table / sizeof setting_table[0] };

static enum status bad(struct error *e, const struct setting *s, const char *why)
{
    return fail(e, ST_INVALID, "%s %s.", s->name, why);
}

static enum status set_int(struct config *c, const struct setting *s, const char *value, struct error *e)
{
    char *end;
    errno = 0;
    long long n = strtoll(value, &end, 10);
    if (*end || end == value || errno)
        return bad(e, s, "must be a whole number");
    if (n < s->min || n > s->max)
        return fail(e, ST_INVALID, "%s must be between %lld and %lld; got %lld.", s->name, (long long)s->min,
                    (long long)s->max, n);
    void *at = (char *)c + s->offset;
    if (s->offset == AT(port) || s->offset == AT(embedding_dimensions))
        *(int *)at = (int)n;
    else
        *(int64_t *)at = n;
    return OK;
}

static enum status set_ids(struct config *c, const struct setting *s, const char *value, struct error *e)
{
    const char *p = value;
    while (*p) {
        char *end;
        errno = 0;
        long long id = strtoll(p, &end, 10);
        if (end == p || errno || id <= 0)
            return bad(e, s,
                       "must be Telegram user ids (positive numbers) with commas, for example 123456789,987654321");
        if (c->telegram_user_count == CONFIG_USERS_MAX)
            return fail(e, ST_LIMIT, "%s names more than %d users.", s->name, CONFIG_USERS_MAX);
        c->telegram_user_id[c->telegram_user_count++] = id;
        p = end + strspn(end, " \t");
        if (*p == ',')
            p += 1 + strspn(p + 1, " \t");
        else if (*p)
            return bad(e, s, "must be Telegram user ids with commas between them");
    }
    return OK;
}

/* Scheme, host, no white space; the trailing slash is dropped so that paths can be appended. */
static enum status set_url(struct config *c, struct arena *a, const struct setting *s, const char *value,
                           struct error *e)
{
    const char *host = strstr(value, "://");
    if (!host || (strncmp(value, "http://", 7) != 0 && strncmp(value, "https://", 8) != 0) || !host[3] ||
        host[3] == '/')
        return bad(e, s, "must be an address that begins with https:// or http://");
    if (strpbrk(value, " \t\r\n\"<>?#"))
        return bad(e, s, "must be a plain address without spaces, quotes, '?' or '#'");
    char *url = arena_strdup(a, value);
    for (size_t n = strlen(url); n > 0 && url[n - 1] == '/'; n--)
        url[n - 1] = '\0';
    *(const char **)((char *)c + s->offset) = url;
    return OK;
}

static enum status set_database(struct config *c, const struct setting *s, const char *value, struct error *e)
{
    bool known =
        !strncmp(value, "sqlite://", 9) || !strncmp(value, "postgres://", 11) || !strncmp(value, "postgresql://", 13);
    if (!known)
        return bad(e, s, "must begin with sqlite://, postgres:// or postgresql://, for example sqlite://steward.db");
    *(const char **)((char *)c + s->offset) = value;
    return OK;
}

static enum status set_header_secret(struct config *c, const struct setting *s, const char *value, struct error *e)
{
    size_t n = strlen(value);
    if (n > 256 || strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != n)
        return bad(e, s, "may hold 1 to 256 of A-Z a-z 0-9 _ - only (Telegram's rule)");
    c->webhook_secret = value;
    return OK;
}

static enum status set_secret(struct config *c, const struct setting *s, const char *value, struct error *e)
{
    bool phrase = s->offset == AT(console_password); /* typed by people: spaces are theirs */
    for (const char *p = value; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 127 || (*p == ' ' && !phrase))
            return bad(e, s, "holds a space or control character; was a line break pasted with it?");
    if (s->offset == AT(telegram_bot_token)) {
        const char *colon = strchr(value, ':');
        if (!colon || colon == value || strspn(value, "0123456789") != (size_t)(colon - value) || strpbrk(value, "/?#"))
            return bad(e, s, "does not look like a bot token (123456:ABC…); copy it from @BotFather");
    }
    *(const char **)((char *)c + s->offset) = value;
    return OK;
}

static enum status setting_apply(struct config *c, struct arena *a, const struct setting *s, const char *value,
                                 struct error *e)
{
    char zone[ZONE_NAME_BYTES_MAX];
    switch (s->type) {
    case SET_INT:
        return set_int(c, s, value, e);
    case SET_IDS:
        return set_ids(c, s, value, e);
    case SET_URL:
        return set_url(c, a, s, value, e);
    case SET_DATABASE:
        return set_database(c, s, value, e);
    case SET_HEADER_SECRET:
        return set_header_secret(c, s, value, e);
    case SET_SECRET:
        return set_secret(c, s, value, e);
    case SET_ZONE:
        value += *value == ':'; /* POSIX writes TZ=:Europe/Berlin */
        if (!zone_find(value, zone))
            return bad(e, s, "is not a time zone; use an IANA name such as Europe/Berlin");
        c->zone = arena_strdup(a, zone);
        return OK;
    case SET_LEVEL:
        return log_level_parse(value, &c->log_level) ? OK : bad(e, s, "must be debug, info, warn or error");
    case SET_PACING:
        c->local_bot_api = strcmp(value, "local") == 0;
        return c->local_bot_api || !strcmp(value, "cloud") ? OK : bad(e, s, "must be cloud or local");
    case SET_FILE:
        if (access(value, R_OK) != 0)
            return bad(e, s, "names a file that cannot be read");
        break;
    case SET_TEXT:
        break;
    }
    *(const char **)((char *)c + s->offset) = value;
    return OK;
}

/* Without a secret of its own the webhook gets one that only the token's holder can compute. */
static const char *derived_secret(struct arena *a, const char *token)
{
    static const char label[] = "steward webhook secret v1";
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    HMAC(EVP_sha256(), token, (int)strlen(token), (const unsigned char *)label, sizeof label - 1, mac, &len);
    char *hex = arena_alloc(a, 2 * (size_t)len + 1);
    hex_put(hex, mac, len);
    return hex;
}

/* The passwords inside a database's or a server's address: no line may show them. */
static void secrets_of_url(struct arena *a, const char *url)
{
    const char *host = strstr(url, "://"), *at = host ? strrchr(host, '@') : NULL;
    const char *colon = at ? memchr(host + 3, ':', (size_t)(at - host - 3)) : NULL;
    const char *password = strstr(url, "password=");
    if (colon)
        log_secret(arena_printf(a, "%.*s", (int)(at - colon - 1), colon + 1));
    if (password)
        log_secret(arena_printf(a, "%.*s", (int)strcspn(password + 9, "&"), password + 9));
}

static void config_settle(struct config *c, struct arena *a)
{
    const char *port_given = getenv("PORT");
    if (!c->bind)
        c->bind = c->telegram_bot_token || (port_given && *port_given) ? "0.0.0.0" : "127.0.0.1";
    if (c->telegram_bot_token && !c->webhook_secret)
        c->webhook_secret = derived_secret(a, c->telegram_bot_token);
    const char *openai_url = getenv("OPENAI_BASE_URL");
    c->openai_base_url_given = openai_url && *openai_url;
    bool own_embedding_url = c->embedding_base_url != NULL;
    if (!own_embedding_url)
        c->embedding_base_url = c->openai_base_url;
    if (!c->embedding_api_key)
        c->embedding_api_key = c->openai_api_key;
    c->embedding_server = own_embedding_url || c->embedding_api_key || c->openai_base_url_given;
}

enum status config_load(struct config *c, struct arena *a, struct error *e)
{
    memset(c, 0, sizeof *c);
    for (int i = 0; i < SETTING_COUNT; i++) {
        const struct setting *s = &setting_table[i];
        const char *given = getenv(s->name);
        if ((!given || !*given) && s->offset == AT(public_url))
            given = getenv("RENDER_EXTERNAL_URL"); /* what the platform calls it */
        bool is_given = given && *given;
        const char *value = is_given ? given : s->fallback;
        if (!value)
            continue;
        if (setting_apply(c, a, s, arena_strdup(a, value), e))
            return e->status;
        if (is_given && (s->type == SET_SECRET || s->type == SET_HEADER_SECRET))
            log_secret(given);
        if (is_given && (s->type == SET_DATABASE || s->type == SET_URL))
            secrets_of_url(a, given);
    }
    config_settle(c, a);
    if (c->webhook_secret)
        log_secret(c->webhook_secret);
    log_set_level(c->log_level);
    return OK;
}

/* Without what may be secret: user, password and query. */
static const char *masked_url(struct arena *a, const char *url)
{
    const char *host = strstr(url, "://"), *at = host ? strrchr(host, '@') : NULL;
    const char *rest = at ? at : url;
    size_t query = strcspn(rest, "?");
    if (!at && !rest[query])
        return url;
    return arena_printf(a, "%.*s%s%.*s%s", at ? (int)(host - url) : 0, url, at ? "://***" : "", (int)query, rest,
                        rest[query] ? "?***" : "");
}

static const char *setting_text(const struct config *c, struct arena *a, const struct setting *s)
{
    const void *at = (const char *)c + s->offset;
    switch (s->type) {
    case SET_INT:
        if (s->offset == AT(port) || s->offset == AT(embedding_dimensions))
            return arena_printf(a, "%d", *(const int *)at);
        return *(const int64_t *)at ? arena_printf(a, "%lld", (long long)*(const int64_t *)at) : "–";
    case SET_IDS:
        return c->telegram_user_count ? arena_printf(a, "%d allowed", c->telegram_user_count) : "nobody";
    case SET_LEVEL:
        return (const char *[]){ "debug", "info", "warn", "error" }[c->log_level];
    case SET_PACING:
        return c->local_bot_api ? "local" : "cloud";
    case SET_SECRET:
    case SET_HEADER_SECRET:
        if (!*(const char *const *)at)
            return "–";
        return s->type == SET_HEADER_SECRET && !getenv(s->name) ? "set (derived from the bot token)" : "set";
    default:
        return *(const char *const *)at ? masked_url(a, *(const char *const *)at) : "–";
    }
}

void config_describe(const struct config *c, void (*print)(void *, const char *, const char *, const char *), void *arg)
{
    struct arena *a = arena_new();
    for (int i = 0; i < SETTING_COUNT; i++)
        print(arg, setting_table[i].name, setting_text(c, a, &setting_table[i]), setting_table[i].meaning);
    arena_free(a);
}

const char *config_sqlite_file(const struct config *c)
{
    static const char scheme[] = "sqlite://";
    bool is = strncmp(c->database_url, scheme, strlen(scheme)) == 0;
    return is ? c->database_url + strlen(scheme) : NULL;
}
