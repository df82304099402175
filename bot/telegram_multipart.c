/* SPDX-License-Identifier: MIT
 * telegram_multipart: multipart/form-data bodies for uploads (sendDocument).  The HTTP client takes one body, so it is
 * put together here.  Pure but for the random boundary. */
#include "bot/telegram.h"

#include "base/hex.h"
#include "base/limits.h"
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BOUNDARY_RANDOM_BYTES = 16, BOUNDARY_BYTES = 2 * BOUNDARY_RANDOM_BYTES + 16 };

static void boundary_make(char out[BOUNDARY_BYTES])
{
    unsigned char random[BOUNDARY_RANDOM_BYTES];
    if (RAND_bytes(random, sizeof random) != 1)
        abort(); /* no randomness: the machine is broken */
    hex_put(stpcpy(out, "steward-"), random, sizeof random);
}

static bool boundary_occurs(const char *boundary, const struct multipart_field *field, size_t count,
                            const struct multipart_file *file)
{
    for (size_t i = 0; i < count; i++)
        if (strstr(field[i].value, boundary))
            return true;
    return file && memmem(file->content, file->content_len, boundary, strlen(boundary));
}

/* As browsers write names in Content-Disposition: a quote or a line break must not end the header. */
static void put_quoted(struct buf *b, const char *s)
{
    buf_putc(b, '"');
    for (; *s; s++) {
        if (*s == '"')
            buf_puts(b, "%22");
        else if (*s == '\r')
            buf_puts(b, "%0D");
        else if (*s == '\n')
            buf_puts(b, "%0A");
        else
            buf_putc(b, *s);
    }
    buf_putc(b, '"');
}

static void put_part(struct buf *b, const char *boundary, const char *name)
{
    buf_printf(b, "--%s\r\nContent-Disposition: form-data; name=", boundary);
    put_quoted(b, name);
}

static void release_buf(void *b)
{
    buf_release(b);
}

const char *multipart_body(struct arena *a, const struct multipart_field *field, size_t count,
                           const struct multipart_file *file, size_t *body_len, const char **content_type)
{
    char boundary[BOUNDARY_BYTES];
    do
        boundary_make(boundary);
    while (boundary_occurs(boundary, field, count, file));

    size_t bytes = KIB + (file ? file->content_len + 3 * strlen(file->filename) : 0);
    for (size_t i = 0; i < count; i++)
        bytes += strlen(field[i].name) * 3 + strlen(field[i].value) + 256;
    struct buf *b = arena_alloc(a, sizeof *b);
    buf_init(b, bytes);
    arena_defer(a, release_buf, b);
    for (size_t i = 0; i < count; i++) {
        put_part(b, boundary, field[i].name);
        buf_printf(b, "\r\n\r\n%s\r\n", field[i].value);
    }
    if (file) {
        put_part(b, boundary, file->name);
        buf_puts(b, "; filename=");
        put_quoted(b, file->filename);
        buf_printf(b, "\r\nContent-Type: %s\r\n\r\n", file->content_type);
        buf_put(b, file->content, file->content_len);
        buf_puts(b, "\r\n");
    }
    buf_printf(b, "--%s--\r\n", boundary);
    *body_len = b->len;
    *content_type = arena_printf(a, "multipart/form-data; boundary=%s", boundary);
    return buf_str(b);
}
