/* SPDX-License-Identifier: MIT
 * log: formats one event as one JSON line, masks the registered secrets in it and writes it
 * to the log's file descriptor with a single write(2).  Called at the top of threads, from
 * any of them.  It must never wait for anything but that write and never fail its caller. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum {
    LOG_LINE_BYTES_MAX = 32 * 1024, /* an event is a summary, not a document */
    LOG_STR_BYTES_MAX = 4 * 1024,   /* one field; longer ones end in "…" */
    SECRETS_MAX = 32,               /* one per secret setting and its URL parts */
    SECRET_BYTES_MIN = 6            /* shorter values would blank out ordinary words */
};

static atomic_int level_min = LOG_INFO;
static atomic_int log_fd = STDERR_FILENO;

/* Secrets are only ever added, and never freed: readers see a count that covers whole entries. */
static pthread_mutex_t secret_lock = PTHREAD_MUTEX_INITIALIZER;
static char *secrets[SECRETS_MAX];
static atomic_int secret_count;

static const char *const level_names[] = { "debug", "info", "warn", "error" };

void log_set_level(enum log_level level)
{
    atomic_store(&level_min, (int)level);
}

void log_set_fd(int fd)
{
    atomic_store(&log_fd, fd);
}

bool log_level_parse(const char *name, enum log_level *out)
{
    for (int i = LOG_DEBUG; name && i <= LOG_ERROR; i++) {
        if (strcasecmp(name, level_names[i]) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

void log_secret(const char *value)
{
    if (!value || strlen(value) < SECRET_BYTES_MIN)
        return;
    pthread_mutex_lock(&secret_lock);
    int count = atomic_load(&secret_count);
    bool known = false;
    for (int i = 0; i < count; i++)
        known = known || strcmp(secrets[i], value) == 0;
    if (!known) {
        /* A secret that would not be masked must not run: too many is a defect of the settings table. */
        if (count == SECRETS_MAX) {
            fprintf(stderr, "steward: more than %d secrets\n", SECRETS_MAX);
            abort();
        }
        secrets[count] = xstrdup(value);
        atomic_store(&secret_count, count + 1);
    }
    pthread_mutex_unlock(&secret_lock);
}

/* Length of the longest registered secret at s, 0 = none starts here. */
static size_t secret_at(const char *s, int count)
{
    size_t longest = 0;
    for (int i = 0; i < count; i++) {
        size_t len = strlen(secrets[i]);
        if (len > longest && strncmp(s, secrets[i], len) == 0)
            longest = len;
    }
    return longest;
}

void log_mask(const char *s, char *out, size_t out_bytes)
{
    if (out_bytes == 0)
        return;
    int count = atomic_load(&secret_count);
    size_t used = 0;
    while (*s) {
        size_t skip = secret_at(s, count);
        size_t put = skip ? 3 : 1;
        if (used + put >= out_bytes)
            break;
        memcpy(out + used, skip ? "***" : s, put);
        used += put;
        s += skip ? skip : 1;
    }
    /* Cut at a UTF-8 border: drop a sequence whose rest did not fit. */
    if (*s) {
        while (used > 0 && ((unsigned char)*s & 0xC0) == 0x80)
            s--, used--;
    }
    out[used] = '\0';
}

static size_t utf8_length(const char *s)
{
    unsigned char c = (unsigned char)s[0];
    size_t len = c < 0x80 ? 1 : c >= 0xC2 && c < 0xE0 ? 2 : c >= 0xE0 && c < 0xF0 ? 3 : c >= 0xF0 && c < 0xF5 ? 4 : 0;
    for (size_t i = 1; i < len; i++) {
        if (((unsigned char)s[i] & 0xC0) != 0x80)
            return 0;
    }
    return len;
}

/* A JSON string; secrets are masked before escaping, so that a quote inside one hides nothing. */
static void put_string(struct buf *b, const char *s)
{
    int count = atomic_load(&secret_count);
    size_t start = b->len;
    buf_putc(b, '"');
    while (*s && b->len - start < LOG_STR_BYTES_MAX) {
        size_t secret = secret_at(s, count);
        size_t len = utf8_length(s);
        if (secret)
            buf_puts(b, "***");
        else if (*s == '"' || *s == '\\')
            buf_printf(b, "\\%c", *s);
        else if (*s == '\n')
            buf_puts(b, "\\n");
        else if ((unsigned char)*s < 0x20 || *s == 0x7F)
            buf_printf(b, "\\u%04x", (unsigned)(unsigned char)*s);
        else if (len == 0)
            buf_puts(b, "\\ufffd");
        else
            buf_put(b, s, len);
        s += secret ? secret : len ? len : 1;
    }
    buf_puts(b, *s ? "…\"" : "\"");
}

static void put_field(struct buf *b, const struct field *f)
{
    buf_putc(b, ',');
    put_string(b, f->key);
    buf_putc(b, ':');
    if (f->type == FIELD_INT)
        buf_printf(b, "%lld", (long long)f->integer);
    else if (f->type == FIELD_NUM && isfinite(f->num))
        buf_printf(b, "%.6g", f->num);
    else if (f->type == FIELD_STR && f->str)
        put_string(b, f->str);
    else
        buf_puts(b, "null");
}

void log_fields(enum log_level level, const char *event, const struct field *fields, size_t count)
{
    int fd = atomic_load(&log_fd);
    if ((int)level < atomic_load(&level_min) || fd < 0)
        return;
    struct buf b = BUF_INIT(LOG_LINE_BYTES_MAX);
    int64_t now_ms = clock_wall_ms();
    char ts[CIVIL_TEXT_BYTES];
    clock_format_utc(now_ms, ts);
    ts[strlen(ts) - 1] = '\0'; /* the Z comes after the milliseconds */
    buf_printf(&b, "{\"ts\":\"%s.%03dZ\",\"level\":\"%s\",\"event\":", ts, (int)(now_ms % 1000), level_names[level]);
    put_string(&b, event);
    for (size_t i = 0; i < count && fields[i].type != FIELD_END; i++)
        put_field(&b, &fields[i]);
    buf_puts(&b, "}\n");
    if (b.overflow) { /* still one valid line that says what happened */
        buf_clear(&b);
        buf_printf(&b, "{\"ts\":\"%s.%03dZ\",\"level\":\"%s\",\"event\":\"log_line_too_long\"}\n", ts,
                   (int)(now_ms % 1000), level_names[level]);
    }
    while (write(fd, b.data, b.len) < 0 && errno == EINTR)
        ;
    buf_release(&b);
}
