/* SPDX-License-Identifier: MIT
 * json_lint: is this text JSON, to the letter of RFC 8259?  json-c alone lets through single
 * quotes, NaN, 1e999, lone surrogates, malformed UTF-8 and duplicate keys.  Used by json.c
 * and json_view.c alone; pure. */
#ifndef BASE_JSON_LINT_H
#define BASE_JSON_LINT_H

#include "base/status.h"
#include <stddef.h>

struct json_lint {
    size_t nul_escapes; /* \u0000 in strings and keys */
    bool keys_doubtful; /* an object may hold a key twice: json_lint_keys() tells; else none does */
};

/* OK; ST_INVALID with the byte offset; ST_LIMIT for nesting beyond JSON_DEPTH_MAX. */
enum status MUST_CHECK json_lint(const char *text, size_t len, struct json_lint *, struct error *);

/* A copy with every \u0000 escape replaced by \ufffd; the caller frees.  The text must have passed json_lint(). */
char *json_lint_without_nul(const char *text, size_t len);

/* ST_INVALID, naming the first key that repeats another of its object; OK when there is none.  The text must have
 * passed json_lint(). */
enum status MUST_CHECK json_lint_keys(const char *text, size_t len, const struct json_lint *, struct error *);

/* Is the key, given with its quotes and perhaps escapes, this name?  The key must have passed json_lint(). */
bool json_lint_key_is(const char *key, size_t len, const char *name);

#endif
