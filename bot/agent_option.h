/* SPDX-License-Identifier: MIT
 * agent_option: what the values of commands' options say: numbers, durations, texts from files and standard
 * input, ids.  Pure but for reading the named file. */
#ifndef BOT_AGENT_OPTION_H
#define BOT_AGENT_OPTION_H

#include "base/arena.h"
#include "base/status.h"
#include <stdint.h>

enum { AGENT_ID_BYTES = 40 };

/* "90" (seconds), "90s", "30m", "24h", "7d" → milliseconds, more than 0, at most a year. */
bool agent_duration_read(const char *text, int64_t *ms);
/* "1 h 30 min", "45 s", "2 d 3 h"; owned by the arena. */
const char *agent_duration_text(struct arena *, int64_t ms);

/* A whole number from min to max, in decimal and nothing else. */
bool agent_number_read(const char *text, int64_t min, int64_t max, int64_t *out);

/* 1 to 128 of A-Z a-z 0-9 . _ : - */
bool agent_id_valid(const char *);
/* A random id, made before the first try, so that every further try is the same request. */
const char *agent_id_new(char out[AGENT_ID_BYTES]);

/* Everything that can be read from fd, up to bytes_max; ST_LIMIT beyond.  `what` names it in errors. */
enum status MUST_CHECK agent_read_all(struct arena *, int fd, size_t bytes_max, const char *what, const char **text,
                                      size_t *len, struct error *);
/* The same of a file; ST_NOT_FOUND when there is none. */
enum status MUST_CHECK agent_read_file(struct arena *, const char *path, size_t bytes_max, const char **text,
                                       size_t *len, struct error *);

#endif
