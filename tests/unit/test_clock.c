/* SPDX-License-Identifier: MIT
 * test_clock: civil arithmetic, and what local time means in every IANA zone. */
#include "base/clock.h"
#include <check.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/ucal.h>
#include <unicode/uenum.h>
#include <unicode/ustring.h>

static struct civil at(const char *s)
{
    struct civil c = { 0 };
    ck_assert_msg(civil_parse(s, &c), "%s", s);
    return c;
}

static const char *shown(const struct civil *c)
{
    static char out[4][CIVIL_TEXT_BYTES];
    static int turn;
    return civil_format(c, out[turn++ % 4]);
}

START_TEST(civil_parse_takes_two_forms_only)
{
    static const char *const bad[] = { "",
                                       "2026-11",
                                       "2026-02-30",
                                       "2026-13-01",
                                       "2026-00-01",
                                       "2026-01-00",
                                       "2026-1-1",
                                       "26-11-21",
                                       "2026/11/21",
                                       "2026-11-21T",
                                       "2026-11-21T5:00",
                                       "2026-11-21T24:00",
                                       " 2026-11-21",
                                       "2026-11-21 ",
                                       "2026-11-21T10:60",
                                       "2026-11-21T10:00:60",
                                       "0000-01-01",
                                       "2026-11-21T10:00Z",
                                       "2026-11-21t10:00",
                                       "2025-02-29",
                                       "2026-11-21T10:00:5",
                                       "-026-11-21",
                                       "2026-11-21T+1:00" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct civil c = { .year = 7 };
        ck_assert_msg(!civil_parse(bad[i], &c), "accepted %s", bad[i]);
        ck_assert_int_eq(c.year, 7);
    }
    ck_assert(!civil_parse(NULL, &(struct civil){ 0 }));
    struct civil c = at("2026-11-21");
    ck_assert_int_eq(c.hour, -1);
    c = at("2026-11-21 17:05:09");
    ck_assert_int_eq(c.hour * 10000 + c.minute * 100 + c.second, 170509);
    ck_assert_str_eq(shown(&c), "2026-11-21T17:05");
    c = at("2024-02-29");
    ck_assert_str_eq(shown(&c), "2024-02-29");
}
END_TEST

START_TEST(civil_arithmetic)
{
    struct civil c = at("2026-01-31");
    civil_add_months(&c, 1);
    ck_assert_str_eq(shown(&c), "2026-02-28");
    civil_add_months(&c, -14);
    ck_assert_str_eq(shown(&c), "2024-12-28");
    c = at("2023-12-31T08:00");
    civil_add_months(&c, 2);
    ck_assert_str_eq(shown(&c), "2024-02-29T08:00");
    civil_add_days(&c, 366);
    ck_assert_str_eq(shown(&c), "2025-03-01T08:00");
    civil_add_days(&c, -366);
    ck_assert_str_eq(shown(&c), "2024-02-29T08:00");
    c = at("2026-12-31T23:50");
    civil_add_minutes(&c, 15);
    ck_assert_str_eq(shown(&c), "2027-01-01T00:05");
    civil_add_minutes(&c, -10);
    ck_assert_str_eq(shown(&c), "2026-12-31T23:55");
    c = at("1900-02-28");
    civil_add_days(&c, 1);
    ck_assert_str_eq(shown(&c), "1900-03-01");
    c = at("1582-10-04"); /* proleptic: no ten days are missing */
    civil_add_days(&c, 1);
    ck_assert_str_eq(shown(&c), "1582-10-05");
}
END_TEST

START_TEST(civil_arithmetic_beyond_the_years_is_not_valid)
{
    static const int days[] = { INT32_MAX, INT32_MIN, 3000000, -3000000 };
    for (size_t i = 0; i < 4; i++) {
        struct civil c = at("2026-11-20"), d = at("2026-11-20T10:00"), m = at("2026-11-20");
        civil_add_days(&c, days[i]);
        ck_assert(!civil_valid(&c));
        civil_add_months(&m, days[i]);
        ck_assert(!civil_valid(&m));
        civil_add_minutes(&d, (int64_t)days[i] * INT32_MAX);
        ck_assert(!civil_valid(&d));
    }
}
END_TEST

START_TEST(civil_weekdays_and_days_between)
{
    struct civil friday = at("2026-11-20"), c = friday, first = at("0001-01-01");
    ck_assert_str_eq(civil_weekday_name[civil_weekday(&friday)], "Friday");
    ck_assert_str_eq(civil_weekday_name[civil_weekday(&first)], "Monday");
    ck_assert_str_eq(civil_month_name[friday.month - 1], "November");
    for (int i = 0; i < 3000; i++) {
        ck_assert_int_eq(civil_weekday(&c), (4 + i) % 7);
        ck_assert_int_eq(civil_days_between(&friday, &c), i);
        ck_assert_int_eq(civil_days_between(&c, &friday), -i);
        civil_add_days(&c, 1);
    }
    struct civil late = at("2026-11-20T23:59"), early = at("2026-11-21T00:01");
    ck_assert_int_eq(civil_days_between(&late, &early), 1);
}
END_TEST

START_TEST(civil_order)
{
    static const char *const sorted[] = { "2026-11-20", "2026-11-20T00:00", "2026-11-20T00:00:01", "2026-11-20T17:00",
                                          "2026-11-21" };
    for (int i = 0; i < 5; i++) {
        for (int j = 0; j < 5; j++) {
            struct civil a = at(sorted[i]), b = at(sorted[j]);
            int order = civil_compare(&a, &b);
            ck_assert_int_eq((order > 0) - (order < 0), (i > j) - (i < j));
        }
    }
}
END_TEST

START_TEST(clock_formats_utc)
{
    char out[CIVIL_TEXT_BYTES];
    ck_assert_str_eq(clock_format_utc(0, out), "1970-01-01T00:00:00Z");
    ck_assert_str_eq(clock_format_utc(1795166045999, out), "2026-11-20T09:14:05Z");
    ck_assert_str_eq(clock_format_utc(-1, out), "1969-12-31T23:59:59Z");
    clock_format_utc(INT64_MAX, out); /* any number fits the buffer */
    clock_format_utc(INT64_MIN, out);
    int64_t mono = clock_mono_us();
    clock_sleep_ms(2);
    clock_sleep_ms(-5);
    ck_assert_int_ge(clock_mono_us() - mono, 2000);
    ck_assert_int_gt(clock_wall_ms(), 1700000000000);
}
END_TEST

/* --- zones --- */

static int64_t instant(const char *zone, const char *local)
{
    struct civil c = at(local);
    struct error e = { 0 };
    int64_t ms = 0;
    ck_assert_msg(zone_to_instant(zone, &c, &ms, &e) == OK, "%s: %s", zone, e.text);
    return ms;
}

static const char *utc(const char *zone, const char *local)
{
    static char out[CIVIL_TEXT_BYTES];
    return clock_format_utc(instant(zone, local), out);
}

static const char *local(const char *zone, int64_t at_ms)
{
    struct civil c;
    struct error e = { 0 };
    ck_assert_msg(zone_to_civil(zone, at_ms, &c, &e) == OK, "%s: %s", zone, e.text);
    return shown(&c);
}

START_TEST(zone_known_times)
{
    ck_assert_str_eq(utc("Europe/Berlin", "2026-11-20T10:00"), "2026-11-20T09:00:00Z");
    ck_assert_str_eq(utc("Europe/Berlin", "2026-07-01"), "2026-06-30T22:00:00Z");
    ck_assert_str_eq(utc("UTC", "2026-07-01T12:00"), "2026-07-01T12:00:00Z");
    ck_assert_str_eq(utc("Asia/Kathmandu", "2026-07-01T12:00"), "2026-07-01T06:15:00Z");
    ck_assert_str_eq(utc("GMT+05:30", "2026-07-01T12:00"), "2026-07-01T06:30:00Z");
    ck_assert_str_eq(utc("Etc/GMT-2", "2026-07-01T12:00"), "2026-07-01T10:00:00Z");
    /* Spring: 02:30 does not exist and moves forward by the gap. */
    ck_assert_str_eq(utc("Europe/Berlin", "2026-03-29T01:59"), "2026-03-29T00:59:00Z");
    ck_assert_str_eq(utc("Europe/Berlin", "2026-03-29T02:30"), "2026-03-29T01:30:00Z");
    ck_assert_str_eq(local("Europe/Berlin", instant("Europe/Berlin", "2026-03-29T02:30")), "2026-03-29T03:30");
    ck_assert_str_eq(local("America/New_York", instant("America/New_York", "2026-03-08T02:30")), "2026-03-08T03:30");
    /* Autumn: 02:30 is there twice; the first is meant. */
    ck_assert_str_eq(utc("Europe/Berlin", "2026-10-25T02:30"), "2026-10-25T00:30:00Z");
    ck_assert_str_eq(utc("Europe/Berlin", "2026-10-25T03:00"), "2026-10-25T02:00:00Z");
    ck_assert_str_eq(utc("Australia/Lord_Howe", "2026-04-05T01:45"), "2026-04-04T14:45:00Z"); /* by half an hour */
    struct civil half;
    int64_t first = instant("Europe/Berlin", "2026-10-25T02:30"), at = 0;
    ck_assert(civil_parse("2026-10-25T02:30", &half));
    ck_assert_int_eq(zone_to_instant_after("Europe/Berlin", &half, first - 1, &at, NULL), OK);
    ck_assert_int_eq(at, first);
    ck_assert_int_eq(zone_to_instant_after("Europe/Berlin", &half, first, &at, NULL),
                     OK); /* when the first has passed: the second */
    ck_assert_int_eq(at, first + 3600000);
    ck_assert_int_eq(zone_to_instant_after("Europe/Berlin", &half, first + 3600000, &at, NULL), OK); /* both have */
    ck_assert_int_eq(at, first);
    ck_assert(civil_parse("2026-03-29T02:30", &half)); /* the gap has no second */
    ck_assert_int_eq(zone_to_instant_after("Europe/Berlin", &half, first, &at, NULL), OK);
    ck_assert_int_eq(at, instant("Europe/Berlin", "2026-03-29T02:30"));
    /* Dublin's summer time is its standard time, its winter time a negative one. */
    ck_assert_str_eq(utc("Europe/Dublin", "2026-10-25T01:30"), "2026-10-25T00:30:00Z");
    ck_assert_str_eq(local("Europe/Dublin", instant("Europe/Dublin", "2026-03-29T01:30")), "2026-03-29T02:30");
    /* A whole day that Samoa skipped. */
    ck_assert_str_eq(local("Pacific/Apia", instant("Pacific/Apia", "2011-12-30T12:00")), "2011-12-31T12:00");
    /* Before 1582 the calendar stays Gregorian. */
    ck_assert_str_eq(local("UTC", instant("UTC", "1500-03-01T00:00")), "1500-03-01T00:00");
}
END_TEST

START_TEST(zone_unknown_is_refused)
{
    static const char *const bad[] = { "",
                                       "Europe/Berlln",
                                       "europe/berlin",
                                       "Mars/Phobos",
                                       "GMT+25:00",
                                       "GMT+5",
                                       "PST",
                                       "BST",
                                       "Etc/Unknown",
                                       "SystemV/EST5",
                                       "+02:00",
                                       "Europe",
                                       "Europe/",
                                       "Zürich",
                                       "GMT+05:30x",
                                       "America/Argentina/ComodRivadaviaAmerica/Argentina/ComodRivadaviaXXXXXXXXX" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct civil c = at("2026-11-20");
        struct error e = { 0 };
        int64_t ms = 77;
        ck_assert_msg(!zone_valid(bad[i]), "accepted %s", bad[i]);
        ck_assert_int_eq(zone_to_instant(bad[i], &c, &ms, &e), ST_INVALID);
        ck_assert_int_eq(zone_to_civil(bad[i], 0, &c, NULL), ST_INVALID);
        ck_assert_int_eq(ms, 77);
        ck_assert_int_eq(e.status, ST_INVALID);
    }
    ck_assert(!zone_valid(NULL));
    struct civil never = { .year = 2026, .month = 2, .day = 30, .hour = -1 };
    int64_t ms;
    ck_assert_int_eq(zone_to_instant("UTC", &never, &ms, NULL), ST_INVALID);
    ck_assert_int_eq(zone_to_civil("UTC", INT64_MAX, &never, NULL), ST_INVALID);
}
END_TEST

static const struct {
    const char *typed, *zone; /* NULL = unknown or ambiguous */
} finds[] = {
    { "Europe/Berlin", "Europe/Berlin" },
    { "europe/BERLIN", "Europe/Berlin" },
    { "berlin", "Europe/Berlin" },
    { "  New   York ", "America/New_York" },
    { "america/new york", "America/New_York" },
    { "São Paulo", "America/Sao_Paulo" },
    { "kyiv", "Europe/Kyiv" },
    { "calcutta", "Asia/Calcutta" },
    { "Kolkata", "Asia/Kolkata" },
    { "Indianapolis", "America/Indianapolis" },
    { "utc", "UTC" },
    { "GMT", "Etc/GMT" },
    { "+2", "Etc/GMT-2" },
    { "+02:00", "Etc/GMT-2" },
    { "UTC+2", "Etc/GMT-2" },
    { "utc -3", "Etc/GMT+3" },
    { "GMT +05:30", "GMT+05:30" },
    { "UTC+0545", "GMT+05:45" },
    { "-03:30", "GMT-03:30" },
    { "−3", "Etc/GMT+3" },
    { "+0", "UTC" },
    { "+14", "Etc/GMT-14" },
    { "+15", NULL },
    { "-13", NULL },
    { "+2:5", NULL },
    { "+1:60", NULL },
    { "+", NULL },
    { "2", NULL },
    { "PST", "America/Los_Angeles" },
    { "BST", "Europe/London" },
    { "EST", "America/New_York" },
    { "US/Pacific", "US/Pacific" },
    { "pacific", NULL }, /* of the US, or of Canada? */
    { "Atlantis", NULL },
    { "", NULL },
    { "   ", NULL },
    { "Etc/Unknown", NULL },
    { "unknown", NULL },
    { "東京", NULL },
    { "Europe/Berlin/Europe/Berlin/Europe/Berlin/Europe/Berlin/Europe/Berlin", NULL },
};

START_TEST(zone_find_what_people_type)
{
    char out[ZONE_NAME_BYTES_MAX] = "untouched";
    bool found = zone_find(finds[_i].typed, out);
    ck_assert_str_eq(out, finds[_i].zone ? finds[_i].zone : "untouched");
    ck_assert(found == (finds[_i].zone != NULL));
    ck_assert(!found || zone_valid(out));
}
END_TEST

/* Check the wall clock around one change of offset at change_ms. */
static void check_change(const char *zone, int64_t change_ms)
{
    struct civil before, after;
    int64_t back;
    ck_assert_int_eq(zone_to_civil(zone, change_ms - 1000, &before, NULL), OK);
    ck_assert_int_eq(zone_to_civil(zone, change_ms, &after, NULL), OK);
    int64_t jump = civil_seconds(&after) - civil_seconds(&before) - 1; /* > 0 gap, < 0 overlap */
    for (int64_t step = -7200; step <= 7200; step += 450) {
        struct civil c;
        int64_t ms = change_ms + step * 1000;
        ck_assert_int_eq(zone_to_civil(zone, ms, &c, NULL), OK);
        ck_assert_int_eq(zone_to_instant(zone, &c, &back, NULL), OK);
        /* The second pass of a repeated hour means the first. */
        bool repeated = jump < 0 && step >= 0 && step < -jump;
        ck_assert_msg(back == (repeated ? ms + jump * 1000 : ms), "%s %lld%+lld", zone, (long long)change_ms,
                      (long long)step);
    }
    for (int64_t into = 0; into < jump; into += 300) {
        struct civil c, moved;
        civil_from_seconds(civil_seconds(&before) + 1 + into, &c);
        ck_assert_int_eq(zone_to_instant(zone, &c, &back, NULL), OK);
        ck_assert_int_eq(zone_to_civil(zone, back, &moved, NULL), OK);
        ck_assert_msg(civil_seconds(&moved) == civil_seconds(&c) + jump, "%s: gap of %lld s, %lld s into it", zone,
                      (long long)jump, (long long)into);
    }
}

/* Both changes of 2026; the number found. */
static int check_zone(const char *zone)
{
    UChar id[ZONE_NAME_BYTES_MAX];
    UErrorCode err = U_ZERO_ERROR;
    u_uastrcpy(id, zone);
    UCalendar *calendar = ucal_open(id, -1, "en_US", UCAL_GREGORIAN, &err);
    UDate when = (UDate)instant("UTC", "2026-01-01"), end = (UDate)instant("UTC", "2027-01-01");
    int changes = 0;
    for (int64_t ms = (int64_t)when; ms < (int64_t)end; ms += 30 * INT64_C(86400000) + 12345000) {
        struct civil c;
        int64_t back;
        ck_assert_int_eq(zone_to_civil(zone, ms, &c, NULL), OK);
        ck_assert_int_eq(zone_to_instant(zone, &c, &back, NULL), OK);
        ck_assert_int_eq(back, ms);
    }
    for (;;) {
        ucal_setMillis(calendar, when, &err);
        if (!ucal_getTimeZoneTransitionDate(calendar, UCAL_TZ_TRANSITION_NEXT, &when, &err) || when >= end)
            break;
        check_change(zone, (int64_t)when);
        changes++;
    }
    ck_assert(U_SUCCESS(err));
    ucal_close(calendar);
    return changes;
}

START_TEST(zone_every_one_keeps_time_through_2026)
{
    UErrorCode err = U_ZERO_ERROR;
    UEnumeration *ids = ucal_openTimeZoneIDEnumeration(UCAL_ZONE_TYPE_ANY, NULL, NULL, &err);
    int zones = 0, changes = 0, refused = 0;
    const char *id;
    while ((id = uenum_next(ids, NULL, &err)) != NULL) {
        char found[ZONE_NAME_BYTES_MAX];
        if (!zone_valid(id)) {
            refused++;
            continue;
        }
        zones++;
        changes += check_zone(id);
        if (strchr(id, '/')) {
            ck_assert_msg(zone_find(id, found), "%s", id);
            ck_assert_str_eq(found, id);
        }
    }
    uenum_close(ids);
    ck_assert_int_gt(zones, 590);
    ck_assert_int_gt(changes, 300);
    ck_assert_int_lt(refused, 50);
}
END_TEST

START_TEST(zone_every_iana_name_is_valid)
{
    /* The system's own list, when it has one. */
    FILE *f = fopen("/usr/share/zoneinfo/tzdata.zi", "r");
    char line[512], name[256];
    int names = 0;
    if (!f) {
        puts("skipped: no /usr/share/zoneinfo/tzdata.zi here");
        return;
    }
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "Z %255s", name) != 1 && sscanf(line, "L %*s %255s", name) != 1)
            continue;
        /* IANA's placeholder for "no zone set", and names newer than ICU's data may be missing. */
        if (strcmp(name, "Factory") == 0)
            continue;
        names += zone_valid(name);
        if (!zone_valid(name))
            printf("ICU does not know %s\n", name);
    }
    fclose(f);
    ck_assert_int_gt(names, 590);
}
END_TEST

static void *use_zones(void *p)
{
    /* More zones than the cache holds, again and again; minutes east of UTC in November 2026. */
    static const struct {
        const char *name;
        int minutes;
    } zones[] = { { "Europe/Berlin", 60 },      { "Asia/Tokyo", 540 },   { "UTC", 0 },
                  { "America/New_York", -300 }, { "Asia/Kolkata", 330 }, { "Europe/Lisbon", 0 },
                  { "Asia/Dubai", 240 },        { "Asia/Seoul", 540 },   { "Asia/Kathmandu", 345 },
                  { "Pacific/Apia", 780 },      { "Etc/GMT+5", -300 },   { "Asia/Manila", 480 } };
    for (int i = 0; i < 600; i++) {
        struct civil c;
        int64_t back, now_ms = 1795166040000;
        const char *zone = zones[i * 7 % 12].name;
        if (zone_to_civil(zone, now_ms, &c, NULL) != OK || zone_to_instant(zone, &c, &back, NULL) != OK)
            return NULL;
        if (back != now_ms || civil_seconds(&c) != now_ms / 1000 + zones[i * 7 % 12].minutes * 60)
            return NULL;
    }
    return p;
}

START_TEST(zone_from_many_threads)
{
    pthread_t thread[4];
    int done = 0;
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, use_zones, &done), 0);
    for (int i = 0; i < 4; i++) {
        void *result;
        pthread_join(thread[i], &result);
        ck_assert_ptr_eq(result, &done);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("clock");
    TCase *tcase = tcase_create("clock");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, civil_parse_takes_two_forms_only);
    tcase_add_test(tcase, civil_arithmetic);
    tcase_add_test(tcase, civil_arithmetic_beyond_the_years_is_not_valid);
    tcase_add_test(tcase, civil_weekdays_and_days_between);
    tcase_add_test(tcase, civil_order);
    tcase_add_test(tcase, clock_formats_utc);
    tcase_add_test(tcase, zone_known_times);
    tcase_add_test(tcase, zone_unknown_is_refused);
    tcase_add_loop_test(tcase, zone_find_what_people_type, 0, sizeof finds / sizeof *finds);
    tcase_add_test(tcase, zone_every_one_keeps_time_through_2026);
    tcase_add_test(tcase, zone_every_iana_name_is_valid);
    tcase_add_test(tcase, zone_from_many_threads);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
