/* SPDX-License-Identifier: MIT
 * doctor_system: the database, the disk under it, the clock.  See doctor.h. */
#include "bot/doctor.h"

#include "base/clock.h"
#include "base/limits.h"
#include "bot/serve.h"
#include "store/queue_depth.h"

#include <errno.h>
#include <libgen.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { CLOCK_TIMEOUT_MS = 5000 };

static const char *folder_of(const struct doctor *d, const char *path)
{
    return dirname(arena_strdup(d->arena, path));
}

/* --- database --- */

/* Nothing is made here: the doctor may run as another user than the server. */
static bool not_made_yet(struct doctor *d)
{
    const char *path = config_sqlite_file(&d->config);
    if (!path || access(path, F_OK) == 0)
        return false;
    const char *folder = folder_of(d, path);
    if (access(folder, W_OK | X_OK) == 0)
        doctor_ok(d, "database", "%s is made at the first start", path);
    else
        doctor_failure(d, "database", "%s cannot be made: its folder %s: make the folder, writable for this user", path,
                       errno == ENOENT ? "does not exist" : "is not writable");
    return true;
}

static enum status read_facts(struct db *db, int64_t *version, int64_t *bytes, int64_t *parked, struct error *e)
{
    if (db_get_int(db, version, NULL, e, "SELECT max(version) FROM schema_migrations") ||
        db_get_int(db, bytes, NULL, e,
                   db_dialect(db, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
                              "SELECT pg_database_size(current_database())")) ||
        inbox_parked(db, parked, e))
        return e->status;
    return OK;
}

static void tell_facts(struct doctor *d)
{
    struct error e = { 0 };
    struct db *db;
    int64_t version = 0, bytes = 0, parked = 0;
    enum status st = store_read_begin(d->store, &db, &e);
    if (st == OK) {
        st = read_facts(db, &version, &bytes, &parked, &e);
        store_read_end(d->store, db);
    }
    if (st != OK) {
        doctor_failure(d, "database", "%s", e.text);
        return;
    }
    doctor_ok(d, "database", "%s answers: schema version %lld, %.1f MB",
              store_kind(d->store) == DB_SQLITE ? "SQLite" : "PostgreSQL", (long long)version, (double)bytes / MIB);
    if (parked > 0)
        doctor_warning(d, "database",
                       "%lld messages are set aside because the program died over them; the log names them (parked)",
                       (long long)parked);
}

void doctor_database(struct doctor *d)
{
    struct error e = { 0 };
    struct store_options o = { .url = d->config.database_url };
    if (not_made_yet(d))
        return;
    signal(SIGXFSZ, SIG_IGN); /* a file-size limit is a full disk: an error of the write, not our end */
    if (store_open(&o, &d->store, &e) || store_check(d->store, &e))
        doctor_failure(d, "database", "%s", e.text);
    else
        tell_facts(d);
}

/* --- disk --- */

enum doctor_verdict doctor_judge_disk(int64_t free_bytes)
{
    int64_t mib = free_bytes / MIB;
    return mib < DOCTOR_DISK_FULL_MIB ? DOCTOR_FAILURE : mib < DOCTOR_DISK_LOW_MIB ? DOCTOR_WARNING : DOCTOR_OK;
}

void doctor_disk(struct doctor *d)
{
    struct statvfs fs;
    const char *path = config_sqlite_file(&d->config);
    if (!path) {
        doctor_ok(d, "disk", "the database's is its server's own matter");
        return;
    }
    const char *folder = folder_of(d, path);
    if (statvfs(folder, &fs) != 0) {
        doctor_warning(d, "disk", "%s cannot be looked at: %s", folder, strerror(errno));
        return;
    }
    int64_t free_bytes = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
    enum doctor_verdict v = doctor_judge_disk(free_bytes);
    long long mib = (long long)(free_bytes / MIB);
    if (v == DOCTOR_FAILURE)
        doctor_failure(d, "disk", "%lld MB are free in %s: messages are refused when it is full; free space", mib,
                       folder);
    else if (v == DOCTOR_WARNING)
        doctor_warning(d, "disk", "%lld MB are free in %s: less than %d; free space soon", mib, folder,
                       DOCTOR_DISK_LOW_MIB);
    else
        doctor_ok(d, "disk", "%lld MB are free in %s", mib, folder);
}

/* --- clock --- */

enum doctor_verdict doctor_judge_skew(int64_t skew_ms)
{
    return llabs(skew_ms) > DOCTOR_SKEW_MS_MAX ? DOCTOR_WARNING : DOCTOR_OK;
}

/* By the Date of an answer, whatever the answer is; a page without any key or token in its address. */
static bool skew_of_server(struct doctor *d, const char *base_url, int64_t *skew_ms)
{
    struct error e = { 0 };
    struct http_reply r;
    struct http_request q = { .url = arena_printf(d->arena, "%s/", base_url),
                              .timeout_ms = CLOCK_TIMEOUT_MS,
                              .reply_bytes_max = MIB };
    if (http_call(d->http, d->arena, &q, &r, &e) != OK || r.date_ms == 0)
        return false;
    *skew_ms = clock_wall_ms() - r.date_ms - 500; /* a Date has whole seconds: half of one on average */
    return true;
}

static bool skew_of_database(struct doctor *d, int64_t *skew_ms)
{
    struct error e = { 0 };
    struct db *db;
    int64_t now_ms;
    if (!d->store || store_kind(d->store) == DB_SQLITE || store_read_begin(d->store, &db, &e) != OK)
        return false;
    enum status st = db_now_ms(db, &now_ms, &e);
    store_read_end(d->store, db);
    *skew_ms = clock_wall_ms() - now_ms;
    return st == OK;
}

void doctor_clock(struct doctor *d)
{
    const struct config *c = &d->config;
    const char *who = NULL;
    int64_t skew_ms = 0;
    if (c->telegram_bot_token && skew_of_server(d, c->telegram_api_base, &skew_ms))
        who = "Telegram's";
    else if (skew_of_database(d, &skew_ms))
        who = "the database server's";
    if (!who)
        doctor_ok(d, "clock", "nobody to compare it with (Telegram's and PostgreSQL's would do)");
    else if (doctor_judge_skew(skew_ms) != DOCTOR_OK)
        doctor_warning(
            d, "clock",
            "%lld seconds %s %s: reminders and \"tomorrow\" go by it; turn on time synchronisation (timedatectl "
            "set-ntp true)",
            (long long)(llabs(skew_ms) / 1000), skew_ms > 0 ? "ahead of" : "behind", who);
    else
        doctor_ok(d, "clock", "within %d seconds of %s", DOCTOR_SKEW_MS_MAX / 1000, who);
}
