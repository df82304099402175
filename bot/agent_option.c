/* SPDX-License-Identifier: MIT
 * agent_option: see agent_option.h. */
#include "bot/agent_option.h"
#include "base/buf.h"
#include "base/hex.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { DURATION_S_MAX = 366 * 86400, ID_LEN_MAX = 128 };

bool agent_number_read(const char *text, int64_t min, int64_t max, int64_t *out)
{
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    *out = n;
    return *text && !*end && !errno && n >= min && n <= max;
}

bool agent_duration_read(const char *text, int64_t *ms)
{
    static const struct {
        const char *name;
        int seconds;
    } unit[] = { { "", 1 }, { "s", 1 }, { "m", 60 }, { "min", 60 }, { "h", 3600 }, { "d", 86400 } };
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 9)
        return false;
    for (size_t i = 0; i < sizeof unit / sizeof unit[0]; i++) {
        int64_t seconds = strtoll(text, NULL, 10) * unit[i].seconds;
        *ms = seconds * 1000;
        if (strcmp(text + digits, unit[i].name) == 0)
            return seconds > 0 && seconds <= DURATION_S_MAX;
    }
    return false;
}

const char *agent_duration_text(struct arena *a, int64_t ms)
{
    static const struct {
        const char *name;
        int64_t seconds;
    } unit[] = { { "d", 86400 }, { "h", 3600 }, { "min", 60 }, { "s", 1 } };
    enum { UNITS = sizeof unit / sizeof unit[0] };
    int64_t seconds = ms > 0 ? ms / 1000 : 0;
    int i = 0;
    while (i < UNITS - 1 && seconds < unit[i].seconds)
        i++;
    const char *text = arena_printf(a, "%lld %s", (long long)(seconds / unit[i].seconds), unit[i].name);
    /* Two units are enough; none of the second is not worth a word. */
    if (i + 1 < UNITS) {
        int64_t rest = seconds % unit[i].seconds / unit[i + 1].seconds;
        if (rest > 0)
            text = arena_printf(a, "%s %lld %s", text, (long long)rest, unit[i + 1].name);
    }
    return text;
}

bool agent_id_valid(const char *id)
{
    size_t n = strlen(id);
    return n >= 1 && n <= ID_LEN_MAX &&
           strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-") == n;
}

const char *agent_id_new(char out[AGENT_ID_BYTES])
{
    unsigned char random[16];
    /* At most 256 bytes: never short, and fails only where the kernel has no such call. */
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        fprintf(stderr, "steward: the system gives no random numbers: %s\n", strerror(errno));
        abort();
    }
    out[0] = 'r';
    hex_put(out + 1, random, sizeof random);
    return out;
}

enum status agent_read_all(struct arena *a, int fd, size_t bytes_max, const char *what, const char **text, size_t *len,
                           struct error *e)
{
    struct buf b;
    char part[16384];
    ssize_t n;
    buf_init_in(&b, a, bytes_max + 1);
    while ((n = read(fd, part, sizeof part)) > 0) {
        buf_put(&b, part, (size_t)n);
        if (b.overflow || b.len > bytes_max)
            return fail(e, ST_LIMIT, "%s is larger than %zu KiB.", what, bytes_max / 1024);
    }
    if (n < 0)
        return fail(e, ST_INVALID, "%s cannot be read: %s.", what, strerror(errno));
    *text = buf_str(&b);
    *len = b.len;
    return OK;
}

enum status agent_read_file(struct arena *a, const char *path, size_t bytes_max, const char **text, size_t *len,
                            struct error *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(e, errno == ENOENT ? ST_NOT_FOUND : ST_INVALID, "%s cannot be read: %s.", path, strerror(errno));
    enum status s = agent_read_all(a, fd, bytes_max, path, text, len, e);
    close(fd);
    return s;
}
