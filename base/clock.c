/* SPDX-License-Identifier: MIT
 * clock: the two clocks of the machine and civil arithmetic.
 * Civil dates are computed by libc (timegm, gmtime_r) as if they were UTC; zones are in
 * zone.c.  Any thread; nothing here keeps state. */
#include "base/clock.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { SECONDS_PER_DAY = 86400, YEAR_MIN = 1, YEAR_MAX = 9999 };

const char *const civil_weekday_name[7] = {
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"
};
const char *const civil_month_name[12] = { "January", "February", "March",     "April",   "May",      "June",
                                           "July",    "August",   "September", "October", "November", "December" };

static int64_t clock_ns(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t clock_wall_ms(void)
{
    return clock_ns(CLOCK_REALTIME) / 1000000;
}

int64_t clock_mono_ms(void)
{
    return clock_ns(CLOCK_MONOTONIC) / 1000000;
}

int64_t clock_mono_us(void)
{
    return clock_ns(CLOCK_MONOTONIC) / 1000;
}

void clock_sleep_ms(int64_t ms)
{
    if (ms <= 0)
        return;
    struct timespec left = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000 };
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
        ;
}

/* Seconds since 1970 of the date (and time when it has one), read as if it were UTC. */
int64_t civil_seconds(const struct civil *c)
{
    struct tm t = { .tm_year = c->year - 1900, .tm_mon = c->month - 1, .tm_mday = c->day };
    int64_t midnight = (int64_t)timegm(&t);
    if (c->hour < 0)
        return midnight;
    return midnight + (int64_t)c->hour * 3600 + c->minute * 60 + c->second;
}

void civil_from_seconds(int64_t seconds, struct civil *out)
{
    struct tm t;
    time_t at = (time_t)seconds;
    memset(out, 0, sizeof *out);
    if (!gmtime_r(&at, &t))
        return; /* a year beyond int: month 0 is not civil_valid() */
    *out = (struct civil){ .year = t.tm_year + 1900,
                           .month = t.tm_mon + 1,
                           .day = t.tm_mday,
                           .hour = t.tm_hour,
                           .minute = t.tm_min,
                           .second = t.tm_sec };
}

static int days_in_month(int year, int month)
{
    /* Day 0 of the next month is the last of this one. */
    struct tm t = { .tm_year = year - 1900, .tm_mon = month, .tm_mday = 0 };
    timegm(&t);
    return t.tm_mday;
}

bool civil_valid(const struct civil *c)
{
    if (c->year < YEAR_MIN || c->year > YEAR_MAX || c->month < 1 || c->month > 12 || c->day < 1)
        return false;
    if (c->day > days_in_month(c->year, c->month))
        return false;
    if (c->hour == -1)
        return true;
    return c->hour >= 0 && c->hour <= 23 && c->minute >= 0 && c->minute <= 59 && c->second >= 0 && c->second <= 59;
}

int civil_weekday(const struct civil *c)
{
    struct tm t = { .tm_year = c->year - 1900, .tm_mon = c->month - 1, .tm_mday = c->day };
    timegm(&t);
    return (t.tm_wday + 6) % 7;
}

/* Put the date of the given second into c, keeping its time of day (or its lack of one). */
static void civil_set_date(struct civil *c, int64_t seconds)
{
    struct civil to;
    civil_from_seconds(seconds, &to);
    c->year = to.year;
    c->month = to.month;
    c->day = to.day;
}

void civil_add_days(struct civil *c, int days)
{
    civil_set_date(c, civil_seconds(c) + (int64_t)days * SECONDS_PER_DAY);
}

void civil_add_months(struct civil *c, int months)
{
    int64_t total = (int64_t)c->year * 12 + (c->month - 1) + months;
    int64_t year = total >= 0 ? total / 12 : -((11 - total) / 12);
    c->year = (int)year;
    c->month = (int)(total - year * 12) + 1;
    int last = days_in_month(c->year, c->month);
    if (c->day > last)
        c->day = last;
}

void civil_add_minutes(struct civil *c, int64_t minutes)
{
    /* About 19 million years: keeps the product in range; the sum is not civil_valid() anyway. */
    const int64_t most = INT64_C(10000000000000);
    minutes = minutes > most ? most : minutes < -most ? -most : minutes;
    civil_from_seconds(civil_seconds(c) + minutes * 60, c);
}

int civil_compare(const struct civil *a, const struct civil *b)
{
    int64_t x = civil_seconds(a), y = civil_seconds(b);
    if (x != y)
        return x < y ? -1 : 1;
    return (a->hour >= 0) - (b->hour >= 0);
}

int civil_days_between(const struct civil *from, const struct civil *to)
{
    struct civil a = *from, b = *to;
    a.hour = b.hour = -1;
    return (int)((civil_seconds(&b) - civil_seconds(&a)) / SECONDS_PER_DAY);
}

const char *civil_format(const struct civil *c, char out[CIVIL_TEXT_BYTES])
{
    if (c->hour < 0)
        snprintf(out, CIVIL_TEXT_BYTES, "%04d-%02d-%02d", c->year, c->month, c->day);
    else
        snprintf(out, CIVIL_TEXT_BYTES, "%04d-%02d-%02dT%02d:%02d", c->year, c->month, c->day, c->hour, c->minute);
    return out;
}

/* Exactly `digits` digits at *s; moves *s behind them. */
static bool read_digits(const char **s, int digits, int *out)
{
    int n = 0;
    for (int i = 0; i < digits; i++) {
        char ch = (*s)[i];
        if (ch < '0' || ch > '9')
            return false;
        n = n * 10 + (ch - '0');
    }
    *s += digits;
    *out = n;
    return true;
}

static bool read_char(const char **s, char ch)
{
    if (**s != ch)
        return false;
    ++*s;
    return true;
}

bool civil_parse(const char *s, struct civil *out)
{
    struct civil c = { .hour = -1 };
    if (!s || !read_digits(&s, 4, &c.year) || !read_char(&s, '-') || !read_digits(&s, 2, &c.month) ||
        !read_char(&s, '-') || !read_digits(&s, 2, &c.day))
        return false;
    if (*s) {
        if ((!read_char(&s, 'T') && !read_char(&s, ' ')) || !read_digits(&s, 2, &c.hour) || !read_char(&s, ':') ||
            !read_digits(&s, 2, &c.minute))
            return false;
        if (read_char(&s, ':') && !read_digits(&s, 2, &c.second))
            return false;
    }
    if (*s || !civil_valid(&c))
        return false;
    *out = c;
    return true;
}

const char *clock_format_utc(int64_t at_ms, char out[CIVIL_TEXT_BYTES])
{
    struct civil c;
    civil_from_seconds(at_ms / 1000 - (at_ms % 1000 < 0), &c);
    snprintf(out, CIVIL_TEXT_BYTES, "%04d-%02d-%02dT%02d:%02d:%02dZ", c.year, c.month, c.day, c.hour, c.minute,
             c.second);
    return out;
}
