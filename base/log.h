/* SPDX-License-Identifier: MIT
 * log: one JSON line per event on stderr.  Called at the top of a thread, never by
 * libraries.  Message bodies and secrets are not logged: log_secret() registers values that are
 * masked in every line should one slip in.  Any thread. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_set_level(enum log_level);
/* Where lines go: STDERR_FILENO at the start; -1 = nowhere (tests that provoke errors). */
void log_set_fd(int fd);
bool log_level_parse(const char *name, enum log_level *out); /* "debug" "info" "warn" "error" */
/* Any later line that contains `value` shows "***" in its place.  Values under 6 bytes are ignored. */
void log_secret(const char *value);
/* Copy s to out with every registered secret masked (for errors that leave the program); what does not
 * fit is cut at a UTF-8 border. */
void log_mask(const char *s, char *out, size_t out_bytes);

/* log_event(LOG_INFO, "turn", F_INT("update_id", 7), F_STR("outcome", "ok")).  A NULL string writes null; one
 * over 4 KiB ends in "…". */
enum field_type { FIELD_END, FIELD_STR, FIELD_INT, FIELD_NUM };
struct field {
    enum field_type type;
    const char *key;
    const char *str;
    int64_t integer;
    double num;
};
#define F_STR(k, v) ((struct field){ .type = FIELD_STR, .key = (k), .str = (v) })
#define F_INT(k, v) ((struct field){ .type = FIELD_INT, .key = (k), .integer = (v) })
#define F_NUM(k, v) ((struct field){ .type = FIELD_NUM, .key = (k), .num = (v) })
#define F_ERR(e) F_STR("error", (e)->text)

void log_fields(enum log_level, const char *event, const struct field *, size_t count);
#define log_event(level, event, ...)                                                                                   \
    log_fields((level), (event), (const struct field[]){ { 0 }, __VA_ARGS__ } + 1,                                     \
               sizeof((const struct field[]){ { 0 }, __VA_ARGS__ }) / sizeof(struct field) - 1)

#endif
