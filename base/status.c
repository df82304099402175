/* SPDX-License-Identifier: MIT
 * status: the table that gives every status its name, HTTP code and sentence, and the
 * two functions that write a struct error.  Called by everybody on any thread; touches
 * nothing but its arguments and never logs. */
#include "base/status.h"
#include "base/text.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct status_row status_table[ST_COUNT] = {
    [OK] = { "ok", 200, false, "Done." },
    [ST_INVALID] = { "invalid", 400, false, "That input is not valid." },
    [ST_NOT_FOUND] = { "not_found", 404, false, "There is no such thing here." },
    [ST_EXISTS] = { "exists", 409, false, "That exists already." },
    [ST_CONFLICT] = { "conflict", 409, false, "That changed meanwhile." },
    [ST_DENIED] = { "denied", 401, false, "You are not allowed to do that." },
    [ST_LIMIT] = { "limit", 413, false, "That is too large." },
    [ST_BUSY] = { "busy", 429, true, "Too busy right now; please try again in a moment." },
    [ST_UNAVAILABLE] = { "unavailable", 503, true, "A service I need is away; please try again in a moment." },
    [ST_UNKNOWN] = { "unknown", 502, true, "A call was sent, but whether it took effect is not known." },
    [ST_LOST] = { "lost", 409, false, "Someone else has taken this over." },
    [ST_SHUTDOWN] = { "shutdown", 503, true, "The program is restarting; please try again in a moment." },
    [ST_INTERNAL] = { "internal", 500, false, "Something broke inside; it is in the log." },
};

const struct status_row *status_row(enum status s)
{
    if ((unsigned)s >= ST_COUNT)
        s = ST_INTERNAL;
    return &status_table[s];
}

PRINTF(2, 0) static void error_vset(struct error *e, const char *fmt, va_list ap)
{
    if (vsnprintf(e->text, sizeof e->text, fmt, ap) < 0)
        e->text[0] = '\0';
    text_whole(e->text);
}

enum status fail(struct error *e, enum status s, const char *fmt, ...)
{
    if (!e)
        return s;
    e->status = s;
    va_list ap;
    va_start(ap, fmt);
    error_vset(e, fmt, ap);
    va_end(ap);
    return s;
}

enum status fail_context(struct error *e, const char *fmt, ...)
{
    if (!e)
        return ST_INTERNAL;
    char was[ERROR_TEXT_BYTES_MAX];
    memcpy(was, e->text, sizeof was);
    va_list ap;
    va_start(ap, fmt);
    error_vset(e, fmt, ap);
    va_end(ap);
    size_t used = strlen(e->text);
    snprintf(e->text + used, sizeof e->text - used, ": %s", was);
    text_whole(e->text);
    return e->status;
}
