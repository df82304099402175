/* SPDX-License-Identifier: MIT
 * secrets_internal: what the rules of secrets.c and secrets_assign.c share. */
#ifndef BASE_SECRETS_INTERNAL_H
#define BASE_SECRETS_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

/* A text being read, and where. */
struct secret_scan {
    const char *s;
    size_t len, at;
    const char *program; /* the table's name of the command the current shell command began with, or NULL */
};

/* Bytes [start, end) of the text are a credential; the first `keep` of them may be shown. */
struct secret_span {
    size_t start, end, keep;
};

/* Is there a credential that begins to be recognised at scan->at?  A rule looks ahead only over bytes that no other
 * start of the same rule looks over again (or a bounded number of them). */
typedef bool secret_rule(struct secret_scan *, struct secret_span *out);

secret_rule secret_assignment; /* password=…, "token": "…", --api-key … */
secret_rule secret_option;     /* mysql -p…, curl -u user:… */

/* The byte at i, '\0' beyond either end. */
static inline char scan_byte(const struct secret_scan *scan, size_t i)
{
    return i < scan->len ? scan->s[i] : '\0';
}
static inline char scan_before(const struct secret_scan *scan)
{
    return scan->at > 0 ? scan->s[scan->at - 1] : '\0';
}

bool secret_is_alnum(char c);
/* Does the byte at i do something in a shell, so that it must stay visible? */
bool secret_is_active(const struct secret_scan *, size_t i);
/* End of the run from `from` of bytes that are alphanumeric or in `more`. */
size_t secret_run(const struct secret_scan *, size_t from, const char *more);
/* Letters (or signs) and digits together, at least `bytes_min`: no word of a language. */
bool secret_is_mixed(const struct secret_scan *, size_t start, size_t end, size_t bytes_min);
/* A span that shows up to four characters, a quarter at most. */
struct secret_span secret_span_of(const struct secret_scan *, size_t start, size_t end);

#endif
