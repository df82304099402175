/* SPDX-License-Identifier: MIT
 * clock: the two clocks and what civil time means in a zone.
 * Instants are `int64_t` milliseconds since 1970-01-01T00:00:00Z ("_ms").  Zone rules
 * come from ICU (IANA data), never from arithmetic of ours.  Any thread. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

/* Local wall-clock time.  hour = -1 means "a whole day": no time of day was given. */
struct civil {
    int year, month, day;     /* month 1–12, day 1–31 */
    int hour, minute, second; /* hour 0–23 or -1 */
};

enum { CIVIL_TEXT_BYTES = 32, ZONE_NAME_BYTES_MAX = 64 };

int64_t clock_wall_ms(void); /* CLOCK_REALTIME: what time it is; it may step either way */
int64_t clock_mono_ms(void); /* CLOCK_MONOTONIC: for durations and deadlines */
int64_t clock_mono_us(void);
void clock_sleep_ms(int64_t ms);

/* --- civil arithmetic (proleptic Gregorian, no zone); results outside the years 1–9999 are not civil_valid() --- */
bool civil_valid(const struct civil *);  /* 2026-02-30 is not; the years are 1–9999 */
int civil_weekday(const struct civil *); /* 0 = Monday … 6 = Sunday */
void civil_add_days(struct civil *, int days);
void civil_add_months(struct civil *, int months);                        /* day clamped: Jan 31 + 1 = Feb 28 */
void civil_add_minutes(struct civil *, int64_t minutes);                  /* wall-clock minutes; needs hour >= 0 */
int civil_compare(const struct civil *, const struct civil *);            /* <0, 0, >0; whole day sorts first */
int civil_days_between(const struct civil *from, const struct civil *to); /* to - from, in days */
/* "2026-11-21" or "2026-11-21T17:00"; returns out. */
const char *civil_format(const struct civil *, char out[CIVIL_TEXT_BYTES]);
/* Parse exactly those two forms (a space for T and :SS are accepted); false = not one. */
bool civil_parse(const char *s, struct civil *out);
/* Seconds since 1970-01-01T00:00:00 of that wall clock, as if it were UTC (whole day = 00:00), and back. */
int64_t civil_seconds(const struct civil *);
void civil_from_seconds(int64_t seconds, struct civil *out);
extern const char *const civil_weekday_name[7]; /* "Monday" … */
extern const char *const civil_month_name[12];  /* "January" … */

/* --- zones (IANA names, ICU's data) --- */
/* An IANA name in its exact spelling, or a fixed "GMT+05:30". */
bool zone_valid(const char *name);
/* A zone_valid() name for what a person typed: a name in any letter case ("europe/berlin"), a city that IANA
 * has ("new york", "são paulo"), a UTC offset ("+2", "UTC+05:30"; whole hours become Etc/GMT-2), or a common
 * abbreviation, which means the place ("PST" is America/Los_Angeles).  false = unknown, or several different
 * zones share that name ("pacific").  out holds ZONE_NAME_BYTES_MAX and is untouched on false. */
bool zone_find(const char *name, char *out);
/* Wall-clock time in the zone at an instant.  ST_INVALID: unknown zone. */
enum status MUST_CHECK zone_to_civil(const char *zone, int64_t at_ms, struct civil *out, struct error *);
/* Instant of a wall-clock time (whole day = 00:00).  In the spring gap the time moves forward by
 * the gap (02:30 becomes 03:30); in the autumn overlap the first of the two is meant. */
enum status MUST_CHECK zone_to_instant(const char *zone, const struct civil *, int64_t *at_ms, struct error *);
/* For a time that is to come: of two in the autumn overlap the first that is behind after_ms. */
enum status MUST_CHECK zone_to_instant_after(const char *zone, const struct civil *, int64_t after_ms, int64_t *at_ms,
                                             struct error *);
/* "2026-11-20T09:14:05Z"; returns out. */
const char *clock_format_utc(int64_t at_ms, char out[CIVIL_TEXT_BYTES]);

#endif
