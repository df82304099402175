/* SPDX-License-Identifier: MIT
 * attempts: how many wrong secrets each address may still give.  Loop thread.
 * A table of fixed size; what an address has used up comes back with time.  Nobody is limited by what others do. */
#ifndef BOT_ATTEMPTS_H
#define BOT_ATTEMPTS_H

#include <stdint.h>

struct attempts;

enum { ATTEMPTS_CLIENTS_MAX = 1024 }; /* remembered; the one idle longest is forgotten first */

/* `at_once` wrong ones, then one each `interval_ms`. */
struct attempts *attempts_new(int at_once, int interval_ms);
void attempts_free(struct attempts *); /* NULL is fine */
/* Seconds until this client may try again; 0 = now.  Changes nothing. */
int attempts_wait_s(const struct attempts *, const char *client, int64_t now_ms);
void attempts_failed(struct attempts *, const char *client, int64_t now_ms);

#endif
