/* SPDX-License-Identifier: MIT
 * console_messages: rows of the console page's chat.  Written by the messenger and by turns, inside their transactions;
 * read by the page's feed thread. */
#include "store/console_messages.h"

#include "base/buf.h"
#include "base/limits.h"

/* On PostgreSQL several transactions may number at once: the lock is held until commit, so that version 7 is never
 * seen before version 6.  SQLite has one writer. */
static enum status next_version(struct db *db, int64_t *version, struct error *e)
{
    bool found;
    if (db_kind(db) == DB_POSTGRES) {
        enum status s = db_run_later(db, e, "SELECT pg_advisory_xact_lock(7310868735)");
        if (s != OK)
            return s;
    }
    enum status s = db_get_int(db, version, &found, e, "SELECT COALESCE(MAX(version), 0) + 1 FROM console_messages");
    return s;
}

static enum status insert(struct db *db, const char *author, const char *html, const char *buttons,
                          const char *client_key, int64_t now_ms, int64_t *id, struct error *e)
{
    int64_t version;
    bool found;
    enum status s = next_version(db, &version, e);
    if (s != OK)
        return s;
    return db_get_int(db, id, &found, e,
                      "INSERT INTO console_messages (version, author, html, buttons, client_key, created_at)"
                      " VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
                      p_int(version), p_text(author), p_text(html), p_text(buttons), p_text(client_key), p_int(now_ms));
}

enum status console_message_put(struct db *db, const char *html, const char *buttons, int64_t now_ms, int64_t *id,
                                struct error *e)
{
    return insert(db, "bot", html, buttons, NULL, now_ms, id, e);
}

static void put_escaped(struct buf *b, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            buf_puts(b, "&amp;");
            break;
        case '<':
            buf_puts(b, "&lt;");
            break;
        case '>':
            buf_puts(b, "&gt;");
            break;
        default:
            buf_putc(b, *text);
        }
    }
}

enum status console_message_echo(struct db *db, const char *update_key, const char *text, int64_t now_ms,
                                 struct error *e)
{
    struct buf html = BUF_INIT(5 * MESSAGE_BYTES_MAX); /* every byte may become an entity of five */
    int64_t id;
    put_escaped(&html, text);
    enum status s = html.overflow ? fail(e, ST_LIMIT, "the message is longer than %d bytes", MESSAGE_BYTES_MAX)
                                  : insert(db, "user", buf_str(&html), NULL, update_key, now_ms, &id, e);
    buf_release(&html);
    return s;
}

enum status console_message_edit(struct db *db, int64_t id, const char *html, const char *buttons, struct error *e)
{
    int64_t version;
    enum status s = next_version(db, &version, e);
    if (s != OK)
        return s;
    return db_run_later(db, e,
                        "UPDATE console_messages SET version = $1, html = COALESCE($2, html), buttons = $3 "
                        "WHERE id = $4 AND author = 'bot'",
                        p_int(version), p_text(html), p_text(buttons), p_int(id));
}

/* --- reading --- */

static enum status each_row(struct stmt *s, console_message_fn fn, void *arg, struct error *e)
{
    while (db_step(s)) {
        struct console_message m = { .id = db_int(s, 0), .version = db_int(s, 1), .created_at_ms = db_int(s, 5) };
        m.from_user = db_text(s, 2)[0] == 'u';
        m.html = db_text(s, 3);
        m.buttons = db_text_or_null(s, 4);
        m.key = db_text_or_null(s, 6);
        fn(&m, arg);
    }
    return db_done(s, e);
}

enum status console_message_since(struct db *db, int64_t after, int limit, console_message_fn fn, void *arg,
                                  struct error *e)
{
    return each_row(db_query(db,
                             "SELECT id, version, author, html, buttons, created_at, client_key FROM console_messages "
                             "WHERE version > $1 ORDER BY version LIMIT $2",
                             p_int(after), p_int(limit)),
                    fn, arg, e);
}

enum status console_message_version(struct db *db, int64_t *version, struct error *e)
{
    bool found;
    return db_get_int(db, version, &found, e, "SELECT COALESCE(MAX(version), 0) FROM console_messages");
}

enum status console_message_latest(struct db *db, int limit, int64_t *version, console_message_fn fn, void *arg,
                                   struct error *e)
{
    /* The version first: a row that comes in between is then sent twice rather than not at all. */
    enum status s = console_message_version(db, version, e);
    if (s != OK)
        return s;
    return each_row(db_query(db,
                             "SELECT id, version, author, html, buttons, created_at, client_key FROM "
                             "(SELECT * FROM console_messages ORDER BY id DESC LIMIT $1) AS newest ORDER BY id",
                             p_int(limit)),
                    fn, arg, e);
}

enum status console_message_waiting(struct db *db, int limit, console_waiting_fn fn, void *arg, struct error *e)
{
    struct stmt *s = db_query(db,
                              "SELECT update_key, body, received_at FROM inbox WHERE lane = 'chat:console:0' "
                              "AND channel = 'console' AND state IN ('available', 'running') ORDER BY id LIMIT $1",
                              p_int(limit));
    while (db_step(s))
        fn(db_text(s, 0), db_text(s, 1), db_int(s, 2), arg);
    return db_done(s, e);
}

enum status console_message_toasts(struct db *db, int64_t since_ms, console_toast_fn fn, void *arg, struct error *e)
{
    struct stmt *s = db_query(db,
                              /* "+": or SQLite walks the whole outbox in the order of ids, to be spared the sorting */
                              "SELECT id, payload FROM outbox WHERE finished_at IS NOT NULL AND finished_at > $1 "
                              "AND channel = 'console' AND kind = 'tap' AND state = 'sent' ORDER BY +id",
                              p_int(since_ms));
    while (db_step(s))
        fn(db_int(s, 0), db_text(s, 1), arg);
    return db_done(s, e);
}

enum status console_message_document(struct db *db, struct arena *a, int64_t outbox_id, const char **payload,
                                     struct error *e)
{
    struct stmt *s = db_query(
        db, "SELECT payload FROM outbox WHERE id = $1 AND channel = 'console' AND kind = 'document'", p_int(outbox_id));
    *payload = NULL;
    if (db_step(s))
        *payload = arena_strdup(a, db_text(s, 0));
    return db_done(s, e);
}
