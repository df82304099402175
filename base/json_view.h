/* SPDX-License-Identifier: MIT
 * json_view: reading a few members of a JSON text where they stand, without a tree.  For envelopes: json.h is easier
 * to use and as strict.  Pure; any thread. */
#ifndef BASE_JSON_VIEW_H
#define BASE_JSON_VIEW_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

/* Where a value begins inside a text, and where the text ends: how long the value is costs a walk that few need.
 * Valid as long as the text.  at NULL = not there. */
struct json_view {
    const char *at, *end;
};

/* The whole of a text, which must be JSON as json_parse() takes it: ST_INVALID and ST_LIMIT with the same words. */
enum status MUST_CHECK json_view_open(const char *text, size_t len, struct json_view *, struct error *);

/* A member of an object by its name (without escapes); not there also when it is null, or when this is no object. */
struct json_view json_view_member(struct json_view, const char *name);
/* A whole number as json-c reads it, clamped to 64 bits; false for anything else. */
bool json_view_int(struct json_view, int64_t *);

#endif
