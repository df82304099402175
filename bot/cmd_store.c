/* SPDX-License-Identifier: MIT
 * cmd_store: see cmd_store.h. */
#include "bot/cmd_store.h"
#include "bot/command.h"
#include "store/users.h"
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum status cmd_store_exists(const struct config *config, struct error *e)
{
    const char *file = config_sqlite_file(config);
    char here[PATH_MAX] = "?";
    if (!file || !*file || access(file, F_OK) == 0)
        return OK; /* or another error than that, which opening it tells */
    if (*file != '/' && !getcwd(here, sizeof here))
        snprintf(here, sizeof here, "?");
    return fail(e, ST_NOT_FOUND,
                "there is no database %s%s%s: set DATABASE_URL to where it is; the first start of steward makes it",
                file, *file == '/' ? "" : " in ", *file == '/' ? "" : here);
}

bool cmd_store_open(struct cmd_store *c, const char *command, enum cmd_store_missing missing)
{
    *c = (struct cmd_store){ .arena = arena_new() };
    enum status st = config_load(&c->config, c->arena, &c->error);
    if (st == OK && missing == CMD_STORE_REFUSE)
        st = cmd_store_exists(&c->config, &c->error);
    signal(SIGXFSZ, SIG_IGN); /* a file-size limit is a full disk: an error of the write, not our end */
    if (st == OK) {
        struct store_options options = { .url = c->config.database_url, .exclusive = false };
        st = store_open(&options, &c->store, &c->error);
    }
    if (st == OK)
        return true;
    (void)command_failed(command, c->error.text);
    cmd_store_close(c);
    return false;
}

void cmd_store_close(struct cmd_store *c)
{
    store_close(c->store);
    arena_free(c->arena);
    c->store = NULL;
    c->arena = NULL;
}

bool cmd_telegram_id(const char *text, int64_t *id)
{
    char *end;
    errno = 0;
    *id = strtoll(text, &end, 10);
    return errno == 0 && end > text && *end == '\0' && *id > 0;
}

struct making {
    struct cmd_store *c;
    int64_t telegram_id, user_id;
    bool owner;
};

static enum status make_user(struct db *db, void *arg, struct error *error)
{
    struct making *m = arg;
    struct user user;
    const char *zone = m->c->config.zone;
    enum status st = m->telegram_id ? user_of_telegram(db, m->c->arena, m->telegram_id, m->owner, zone, &user, error)
                                    : user_owner(db, m->c->arena, zone, &user, error);
    m->user_id = st == OK ? user.id : 0;
    return st;
}

/* Without writing: the row of the Telegram id; for the owner also user 1 before they ever wrote on Telegram. */
static enum status look(struct cmd_store *c, const struct making *m, int64_t *user_id)
{
    struct db *db;
    bool found;
    enum status st = store_read_begin(c->store, &db, &c->error);
    if (st != OK)
        return st;
    st = db_get_int(db, user_id, &found, &c->error,
                    "SELECT id FROM users WHERE telegram_id = $1 OR (id = 1 AND telegram_id IS NULL AND $2 = 1)"
                    " ORDER BY telegram_id IS NULL LIMIT 1",
                    p_int(m->telegram_id), p_int(m->owner));
    if (st == OK && !found && m->owner && m->telegram_id == 0)
        st = db_get_int(db, user_id, &found, &c->error, "SELECT id FROM users WHERE id = 1");
    store_read_end(c->store, db);
    return st;
}

enum status cmd_store_user(struct cmd_store *c, int64_t telegram_id, bool make, int64_t *user_id)
{
    const struct config *config = &c->config;
    bool allowed = false;
    struct making m = { .c = c, .telegram_id = telegram_id };
    if (telegram_id == 0 && config->telegram_user_count > 0)
        m.telegram_id = config->telegram_user_id[0];
    for (int i = 0; i < config->telegram_user_count; i++)
        allowed |= config->telegram_user_id[i] == m.telegram_id;
    m.owner = m.telegram_id == 0 || (config->telegram_user_count > 0 && config->telegram_user_id[0] == m.telegram_id);
    enum status st = look(c, &m, user_id);
    if (st != OK || *user_id)
        return st;
    if (!m.owner && !allowed)
        return fail(&c->error, ST_NOT_FOUND, "There is no user with the Telegram id %lld.", (long long)m.telegram_id);
    if (!make)
        return OK;
    st = store_write(c->store, make_user, &m, &c->error);
    *user_id = m.user_id;
    return st;
}
