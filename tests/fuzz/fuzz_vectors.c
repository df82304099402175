/* SPDX-License-Identifier: MIT
 * fuzz_vectors: any bytes as a file of vectors: every item that is given has a known name and finite numbers, and the
 * numbers survive being written. */
#include "base/text.h"
#include "store/vectors_file.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static enum status check_item(struct vectors_item *item, struct arena *a, void *arg, struct error *e)
{
    const struct vectors_file *f = arg;
    char number[32];
    bool zero = true;
    (void)a;
    if (item->type < 0 || item->id <= 0 || item->line < 1 || !json_object_is_type(item->json, json_type_object))
        abort();
    for (size_t i = 0; i < f->dimensions; i++) {
        float v = item->values[i];
        zero &= v == 0;
        if (!isfinite(v) || (float)strtod(vectors_number(v, number), NULL) != v)
            abort();
    }
    if (zero)
        abort();
    return item->id == 666 ? fail(e, ST_CONFLICT, "stop here") : OK;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct arena *a = arena_new();
    struct vectors_file f;
    struct error e = { OK, "" };
    char *exact = malloc(size ? size : 1); /* no byte behind the last one */
    if (!exact)
        abort();
    memcpy(exact, data, size);
    if (vectors_file_open(&f, a, exact, size, &e) == OK) {
        if (f.dimensions < 1 || f.dimensions > VECTOR_DIMENSIONS_MAX || !*f.model)
            abort();
        if (vectors_file_each(&f, check_item, &f, &e) == OK)
            e.status = OK;
    }
    if (e.status != OK && (!*e.text || !text_valid(e.text, strlen(e.text))))
        abort();
    free(exact);
    arena_free(a);
    return 0;
}
