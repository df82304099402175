/* SPDX-License-Identifier: MIT
 * doctor: what the checks of `steward doctor` share: the lines they print and what they count.  Each check is a
 * function that asks one counterpart and prints a line or a few, with the mend where something is wrong.  One thread.
 */
#ifndef BOT_DOCTOR_H
#define BOT_DOCTOR_H

#include "base/http.h"
#include "bot/config.h"
#include "store/store.h"
#include "store/usage.h"

struct doctor {
    struct config config;
    struct arena *arena;
    struct http *http;
    struct store *store; /* NULL: the database did not open, or is not made yet */
    int failures, warnings;
};

/* One line: what, then words.  Secrets are masked. */
void doctor_ok(struct doctor *, const char *what, const char *fmt, ...) PRINTF(3, 4);
void doctor_warning(struct doctor *, const char *what, const char *fmt, ...) PRINTF(3, 4);
void doctor_failure(struct doctor *, const char *what, const char *fmt, ...) PRINTF(3, 4);

/* doctor_system.c; the database comes first: it opens d->store */
void doctor_database(struct doctor *);
void doctor_disk(struct doctor *);
void doctor_clock(struct doctor *);
/* doctor_telegram.c: the bot, its webhook, who may talk to it, and where agents' cards go */
void doctor_telegram(struct doctor *);
/* doctor_models.c: chat models, the embedding server, the day's limit */
void doctor_models(struct doctor *);

enum doctor_verdict { DOCTOR_OK, DOCTOR_WARNING, DOCTOR_FAILURE };
enum { DOCTOR_DISK_LOW_MIB = 200, DOCTOR_DISK_FULL_MIB = 10, DOCTOR_SKEW_MS_MAX = 30000 };
enum doctor_verdict doctor_judge_disk(int64_t free_bytes);
enum doctor_verdict doctor_judge_skew(int64_t skew_ms); /* ours minus theirs */

#endif
