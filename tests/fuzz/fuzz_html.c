/* SPDX-License-Identifier: MIT
 * The writer's HTML and any other: splitting keeps the visible text, and the parts are whole. */
#include "base/text.h"
#include "router/reply.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* Without white space: cuts may eat it. */
static size_t visible(char *out, const char *s)
{
    size_t n = 0;
    for (; *s; s++)
        if (!strchr(" \t\r\n", *s))
            out[n++] = *s;
    return n;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    enum { UNITS = 40, PARTS = 2000 };
    struct arena *a = arena_new();
    struct error e;
    const char **part, *html = text_clean(a, (const char *)data, size);
    size_t parts;
    if (html_split(a, html, UNITS, PARTS, &part, &parts, &e) == OK) {
        const char *whole = html_to_plain(a, html);
        char *want = arena_alloc(a, strlen(whole) + 1), *got = arena_alloc(a, 4 * strlen(whole) + 64);
        size_t wanted = visible(want, whole), n = 0;
        for (size_t i = 0; i < parts; i++) {
            const char *plain = html_to_plain(a, part[i]);
            if (text_utf16_units(plain, strlen(plain)) > UNITS)
                abort();
            n += visible(got + n, plain);
        }
        if (n != wanted || memcmp(want, got, n) != 0)
            abort();
    }
    arena_free(a);
    return 0;
}
