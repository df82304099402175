/* SPDX-License-Identifier: MIT
 * console: the page's addresses: who may use them, and how what is typed becomes an update in the inbox.
 * Loop thread, except console_echo() and console_typing(), which workers call. */
#include "bot/console.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "bot/auth.h"
#include "bot/console_feed.h"
#include "bot/console_file.h"
#include "bot/console_login.h"
#include "bot/console_messenger.h"
#include "bot/console_page.h"
#include "bot/submit.h"
#include "store/console_messages.h"
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_KEY_BYTES_MIN = 8, MESSAGE_KEY_BYTES_MAX = 64, LANGUAGE_BYTES_MAX = 35 };

struct console {
    struct console_options options;
    struct server *server;
    struct console_feed *feed;
    struct console_login *login; /* NULL without a password */
    struct html_page page, login_page;
    struct messenger messenger;
};

/* --- who may --- */

static bool refuse_stranger(struct request *r)
{
    request_error(r, 403,
                  "The console answers only on the machine it runs on, at http://127.0.0.1 or http://localhost. "
                  "To use it from elsewhere set CONSOLE_PASSWORD");
    return false;
}

/* Without a password: a program on this machine, talking to a name of this machine (a page of another site that had its
 * name rebound to 127.0.0.1 still sends its own name).  With one: whoever logged in. */
static bool allowed(struct console *c, struct request *r)
{
    if (c->login)
        return console_login_valid(c->login, r);
    return request_from_here(r) && request_host_is_local(r);
}

/* Reads: a page of another origin may not even start them. */
static bool auth_read(struct request *r, void *arg)
{
    struct console *c = arg;
    const char *site = request_header(r, "sec-fetch-site");
    if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0) {
        request_error(r, 403, "This address is for the console page only");
        return false;
    }
    if (allowed(c, r))
        return true;
    if (!c->login)
        return refuse_stranger(r);
    request_error(r, 401, "Please log in");
    return false;
}

static bool same_origin_only(struct request *r)
{
    if (request_same_origin(r))
        return true;
    request_error(r, 403, "Only the console page itself may post here");
    return false;
}

static bool auth_write(struct request *r, void *arg)
{
    return same_origin_only(r) && auth_read(r, arg);
}

static bool auth_login(struct request *r, void *arg)
{
    struct console *c = arg;
    if (!c->login)
        return refuse_stranger(r);
    return same_origin_only(r);
}

/* --- the page --- */

static void on_page(struct request *r, void *arg)
{
    struct console *c = arg;
    if (allowed(c, r)) {
        if (c->login)
            console_login_remember(c->login, r);
        html_page_answer(&c->page, r, 200);
    } else if (c->login)
        html_page_answer(&c->login_page, r, 401);
    else
        refuse_stranger(r);
}

static void on_login(struct request *r, void *arg)
{
    console_login_try(((struct console *)arg)->login, r);
}

static void on_logout(struct request *r, void *arg)
{
    (void)arg;
    console_login_end(r);
}

static void on_events(struct request *r, void *arg)
{
    console_feed_open(((struct console *)arg)->feed, r);
}

static void on_file(struct request *r, void *arg)
{
    console_file_send(console_feed_reader(((struct console *)arg)->feed), r);
}

/* --- what the page sends --- */

/* The id the page made up: the inbox takes each once.  NULL: it has answered. */
static const char *message_key(struct request *r, struct json_object *body)
{
    const char *key = json_str(body, "id", "");
    size_t len = strlen(key);
    if (len >= MESSAGE_KEY_BYTES_MIN && len <= MESSAGE_KEY_BYTES_MAX && strspn(key, "0123456789abcdefABCDEF-") == len)
        return key;
    request_error(r, 400, "\"id\" must be a UUID");
    return NULL;
}

static struct json_object *sender(struct json_object *body)
{
    struct json_object *from = json_object_new_object();
    const char *language = json_str(body, "language", ""), *zone = json_str(body, "time_zone", "");
    json_set_int(from, "id", 0);
    json_set_bool(from, "is_bot", false);
    json_set_str(from, "first_name", "Console");
    if (*language && strlen(language) <= LANGUAGE_BYTES_MAX)
        json_set_str(from, "language_code", language);
    if (zone_valid(zone))
        json_set_str(from, "time_zone", zone); /* Telegram tells none; a browser knows its own */
    return from;
}

/* Telegram's message ids are 31 bits: take them from the page's id, so that a repeated post is the same update. */
static int64_t id_of_key(const char *key)
{
    uint32_t h = 2166136261u; /* FNV-1a */
    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * 16777619u;
    return (h & 0x7fffffff) | 1;
}

static struct json_object *message_of(int64_t id)
{
    struct json_object *message = json_object_new_object(), *chat = json_object_new_object();
    json_set_int(message, "message_id", id);
    json_set_int(message, "date", clock_wall_ms() / 1000);
    json_set_int(chat, "id", 0);
    json_set_str(chat, "type", "console");
    json_set(message, "chat", chat);
    return message;
}

static void submit(struct console *c, struct request *r, const char *key, const char *lane, const char *kind,
                   struct json_object *content)
{
    struct arena *a = arena_new();
    struct json_object *update = json_keep(a, json_object_new_object());
    json_set_int(update, "update_id", 0);
    json_set(update, kind, content);
    struct inbox_update row = {
        .channel = "console",
        .update_key = arena_strdup(a, key),
        .lane = lane,
        .body = json_text(a, update),
        .tap = strcmp(kind, "callback_query") == 0,
    };
    request_submit(r, c->options.intake, a, &row, 202);
}

static void on_message(struct request *r, void *arg)
{
    struct json_object *body = request_json_body(r);
    const char *key = body ? message_key(r, body) : NULL;
    if (!key)
        return;
    const char *text = json_str(body, "text", "");
    size_t len = strlen(text);
    if (len > MESSAGE_BYTES_MAX) {
        request_error(r, 413, "A message has at most %d bytes; this one has %zu", MESSAGE_BYTES_MAX, len);
        return;
    }
    if (!text_valid(text, len) || !*text_trim(arena_strdup(request_arena(r), text))) {
        request_error(r, 400, "\"text\" must not be empty");
        return;
    }
    struct json_object *message = message_of(id_of_key(key));
    json_set(message, "from", sender(body));
    json_set_str(message, "text", text);
    submit(arg, r, key, "chat:console:0", "message", message);
}

static void on_tap(struct request *r, void *arg)
{
    struct json_object *body = request_json_body(r);
    const char *key = body ? message_key(r, body) : NULL;
    if (!key)
        return;
    const char *data = json_str(body, "data", "");
    int64_t message_id = json_int(body, "message_id", 0);
    if (!*data || strlen(data) > TELEGRAM_CALLBACK_BYTES_MAX || message_id <= 0) {
        request_error(r, 400, "\"message_id\" and \"data\" (1 to %d bytes) are needed", TELEGRAM_CALLBACK_BYTES_MAX);
        return;
    }
    struct json_object *query = json_object_new_object();
    json_set_str(query, "id", key);
    json_set(query, "from", sender(body));
    json_set(query, "message", message_of(message_id));
    json_set_str(query, "data", data);
    submit(arg, r, key, "tap:console:0", "callback_query", query);
}

/* --- life --- */

enum status console_new(const struct console_options *o, struct server *s, struct console **out, struct error *e)
{
    static const struct route rows[] = {
        { "GET", "/", auth_none, on_page },
        { "GET", "/console/events", auth_read, on_events },
        { "GET", "/console/file", auth_read, on_file },
        { "POST", "/console/message", auth_write, on_message },
        { "POST", "/console/tap", auth_write, on_tap },
        { "POST", "/console/login", auth_login, on_login },
        { "POST", "/console/logout", auth_login, on_logout },
        { 0 },
    };
    struct console *c = xcalloc(1, sizeof *c);
    enum status st = console_feed_start(s, o->store, o->password != NULL, &c->feed, e);
    if (st != OK) {
        free(c);
        return st;
    }
    c->options = *o;
    c->server = s;
    if (o->password)
        c->login = console_login_new(o->password);
    html_page_load(&c->page, "bot/assets/console.html");
    html_page_load(&c->login_page, "bot/assets/login.html");
    c->messenger = console_messenger_make(c->feed);
    server_routes(s, rows, c);
    *out = c;
    return OK;
}

void console_stop(struct console *c)
{
    if (c)
        console_feed_stop(c->feed);
}

void console_free(struct console *c)
{
    if (!c)
        return;
    console_feed_stop(c->feed);
    console_feed_free(c->feed);
    console_login_free(c->login);
    free(c);
}

const struct messenger *console_messenger(struct console *c)
{
    return &c->messenger;
}

enum status console_echo(void *console, struct db *db, struct arena *a, const struct incoming *in,
                         const char *update_key, struct error *e)
{
    int64_t now_ms;
    (void)console, (void)a;
    if (strcmp(in->channel, "console") != 0 || in->kind != IN_TEXT)
        return OK;
    enum status s = db_now_ms(db, &now_ms, e);
    if (s != OK)
        return s;
    return console_message_echo(db, update_key, in->text, now_ms, e);
}

void console_typing(void *console, const struct incoming *in, bool on)
{
    if (strcmp(in->channel, "console") == 0)
        console_feed_typing(((struct console *)console)->feed, on);
}
