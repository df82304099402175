/* SPDX-License-Identifier: MIT
 * json: a strict front for json-c.  json-c accepts more than JSON (single quotes, NaN,
 * 1e999, trailing garbage without STRICT); json_parse() does not.  Any thread. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/arena.h"
#include "base/status.h"
#include <json-c/json.h>
#include <stdint.h>

/* Parse exactly one JSON value of len bytes: valid UTF-8, standard syntax, no lone surrogates, no key twice in
 * one object, numbers that fit (integers 64 bits, others finite).  The escape \u0000 becomes U+FFFD: C strings
 * and both databases would cut there, and refusing would block a queue on one character.
 * The caller owns *out (json_object_put); the value `null` gives OK and a NULL *out.
 * ST_INVALID names the byte; ST_LIMIT: containers nest deeper than JSON_DEPTH_MAX. */
enum status MUST_CHECK json_parse(const char *text, size_t len, struct json_object **out, struct error *);

/* As json_parse; the object is released with the arena. */
enum status MUST_CHECK json_parse_in(struct arena *, const char *text, size_t len, struct json_object **out,
                                     struct error *);

/* A new object / array / the object given, released with the arena (for top-level values only:
 * members belong to their parent). */
struct json_object *json_keep(struct arena *, struct json_object *);

/* Member lookups by dotted path; a number steps into an array ("choices.0.message").  NULL object, missing,
 * null or another type give the fallback (json_int: also doubles and what exceeds int64_t; json_num takes both
 * kinds of number).  Names with dots or over 127 bytes are not found.  Strings stay owned by the object. */
struct json_object *json_at(struct json_object *, const char *path);
const char *json_str(struct json_object *, const char *path, const char *fallback);
int64_t json_int(struct json_object *, const char *path, int64_t fallback);
double json_num(struct json_object *, const char *path, double fallback);
bool json_flag(struct json_object *, const char *path, bool fallback);
bool json_has(struct json_object *, const char *path); /* present and not null */

/* Compact text, "/" not escaped; owned by the arena.  NULL gives "null". */
const char *json_text(struct arena *, struct json_object *);

/* Compact text with the members of every object in the byte order of their names: equal values give equal text. */
const char *json_canonical(struct arena *, struct json_object *);

/* Setters that read well; s == NULL and numbers that are not finite write null. */
void json_set_str(struct json_object *, const char *key, const char *s);
void json_set_int(struct json_object *, const char *key, int64_t);
void json_set_num(struct json_object *, const char *key, double);
void json_set_bool(struct json_object *, const char *key, bool);
void json_set(struct json_object *, const char *key, struct json_object *value); /* takes ownership */
void json_push(struct json_object *array, struct json_object *value);            /* takes ownership */

#endif
