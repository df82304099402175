/* SPDX-License-Identifier: MIT
 * cmd_doctor: runs beside a running server; changes nothing but the schema version of a database that is older, and the
 * ledger's rows of the calls it makes. */
#include "bot/cmd_doctor.h"

#include "bot/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char cmd_doctor_help[] =
    "usage: steward doctor\n"
    "Shows every setting with its value (secrets masked), then asks the real counterparts: the database, the disk, a\n"
    "clock, Telegram and its group, each model, the embedding server.  A line each: ok, warning or FAILURE, with the\n"
    "mend.\n"
    "exit: 0 no failure (there may be warnings), 1 a failure\n";

enum { LINE_BYTES_MAX = 2048 };

static void put_line(const char *verdict, const char *what, const char *fmt, va_list ap) PRINTF(3, 0);
static void put_line(const char *verdict, const char *what, const char *fmt, va_list ap)
{
    char words[LINE_BYTES_MAX], masked[LINE_BYTES_MAX];
    vsnprintf(words, sizeof words, fmt, ap);
    log_mask(words, masked, sizeof masked);
    printf("  %-8s %-10s %s\n", verdict, what, masked);
    fflush(stdout); /* the next check may take seconds */
}

void doctor_ok(struct doctor *d, const char *what, const char *fmt, ...)
{
    va_list ap;
    (void)d;
    va_start(ap, fmt);
    put_line("ok", what, fmt, ap);
    va_end(ap);
}

void doctor_warning(struct doctor *d, const char *what, const char *fmt, ...)
{
    va_list ap;
    d->warnings++;
    va_start(ap, fmt);
    put_line("warning", what, fmt, ap);
    va_end(ap);
}

void doctor_failure(struct doctor *d, const char *what, const char *fmt, ...)
{
    va_list ap;
    d->failures++;
    va_start(ap, fmt);
    put_line("FAILURE", what, fmt, ap);
    va_end(ap);
}

/* printf() pads by bytes; "–" has three. */
static int columns(const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static void print_setting(void *arg, const char *name, const char *value, const char *meaning)
{
    enum { VALUE_COLUMNS = 34 };
    int pad = VALUE_COLUMNS - columns(value);
    (void)arg;
    printf("  %-22s %s%*s %s\n", name, value, pad > 0 ? pad : 0, "", meaning);
}

static void (*const check_table[])(struct doctor *) = {
    doctor_database, /* first: it opens the store for the others */
    doctor_disk,     doctor_clock, doctor_telegram, doctor_models,
};

static void check_all(struct doctor *d)
{
    printf("Settings\n");
    config_describe(&d->config, print_setting, NULL);
    printf("\nChecks\n");
    http_global_init(d->config.ssl_cert_file);
    d->http = http_new();
    for (size_t i = 0; i < sizeof check_table / sizeof *check_table; i++)
        check_table[i](d);
    http_free(d->http);
    store_close(d->store);
}

int cmd_doctor(int argc, char **argv)
{
    struct error e = { 0 };
    (void)argc, (void)argv;
    struct doctor d = { .arena = arena_new() };
    if (config_load(&d.config, d.arena, &e))
        doctor_failure(&d, "settings", "%s", e.text);
    else
        check_all(&d);
    printf("\n%d %s, %d %s.\n", d.failures, d.failures == 1 ? "failure" : "failures", d.warnings,
           d.warnings == 1 ? "warning" : "warnings");
    arena_free(d.arena);
    return d.failures ? 1 : 0;
}
