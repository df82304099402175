/* SPDX-License-Identifier: MIT
 * vectors_file: the JSON file of vectors: {"metadata":{…},"items":[{"id":"task_83",…,"embedding":[…]},…]}.  Items are
 * read one at a time, so that a file of any size needs little memory.  Numbers come back as the very same fp32.  Pure;
 * any thread. */
#ifndef STORE_VECTORS_FILE_H
#define STORE_VECTORS_FILE_H

#include "base/json.h"
#include "store/vectors.h"

struct vectors_file {
    const char *text; /* the caller's, as long as it is used */
    size_t len;
    const char *model, *provider, *created_at; /* arena-owned */
    size_t dimensions;
    /* --- its own --- */
    size_t items_at; /* of the "[" */
};
struct vectors_item {
    int type;
    int64_t id;
    struct json_object *json; /* content, category … */
    float *values;            /* dimensions of them, as they stand in the file */
    long line;
};

/* Read the frame and the metadata.  ST_INVALID says line and reason. */
enum status MUST_CHECK vectors_file_open(struct vectors_file *, struct arena *, const char *text, size_t len,
                                         struct error *);
/* Each item, checked: a known id, content, as many finite numbers as declared, not all zero.  The item lives until fn
 * returns; what fn returns other than OK ends the reading (the caller's error stands). */
enum status MUST_CHECK vectors_file_each(const struct vectors_file *,
                                         enum status (*fn)(struct vectors_item *, struct arena *, void *arg,
                                                           struct error *),
                                         void *arg, struct error *);

/* The shortest decimal that reads back as this float; out holds 32 bytes. */
const char *vectors_number(float value, char out[32]);

#endif
