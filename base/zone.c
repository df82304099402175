/* SPDX-License-Identifier: MIT
 * zone: what wall-clock time means in a zone, from ICU's copy of the IANA database.
 * Called by the scheduler, the date parser and everything that shows a time, on any thread.
 * ICU calendars are costly to open, so each thread keeps the few it used last.  ICU silently
 * takes an unknown name for GMT: no calendar is opened for a name that zone_valid() refuses. */
#include "base/clock.h"
#include "base/arena.h"
#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unicode/ucal.h>
#include <unicode/uenum.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

enum {
    ZONE_CACHE_MAX = 8,            /* calendars per thread; the users of one turn share one or two zones */
    OFFSET_MINUTES_MIN = -12 * 60, /* what IANA and people use: UTC-12 … UTC+14 */
    OFFSET_MINUTES_MAX = 14 * 60
};

/* Beyond the year 9999 on one side and the year 1 on the other; keeps the sums in range. */
static const int64_t INSTANT_MS_MAX = INT64_C(300000000000000);

struct cache_entry {
    char name[ZONE_NAME_BYTES_MAX];
    UCalendar *calendar;
    uint64_t used; /* the cache's tick at the last use */
};

struct zone_cache {
    struct cache_entry entries[ZONE_CACHE_MAX];
    uint64_t tick;
};

static pthread_key_t cache_key;
static pthread_once_t cache_once = PTHREAD_ONCE_INIT;
static _Thread_local struct zone_cache *cache; /* the key exists for its destructor alone */

static void cache_free(void *p)
{
    struct zone_cache *c = p;
    for (int i = 0; i < ZONE_CACHE_MAX; i++) {
        if (c->entries[i].calendar)
            ucal_close(c->entries[i].calendar);
    }
    free(c);
    cache = NULL;
}

static void cache_key_init(void)
{
    if (pthread_key_create(&cache_key, cache_free) != 0)
        abort();
}

static struct zone_cache *cache_get(void)
{
    if (!cache) {
        pthread_once(&cache_once, cache_key_init);
        cache = xcalloc(1, sizeof *cache);
        pthread_setspecific(cache_key, cache);
    }
    return cache;
}

/* ICU's own three-letter ids, which IANA does not have and people mean otherwise (to ICU, BST is Dhaka). */
static const char icu_only_ids[] = " ACT AET AGT ART AST BET BST CAT CNT CST CTT EAT ECT IET IST JST MIT NET NST "
                                   "PLT PNT PRT PST SST VST Etc/Unknown US/Pacific-New Canada/East-Saskatchewan ";

static bool is_icu_only(const char *id)
{
    char padded[ZONE_NAME_BYTES_MAX + 2];
    snprintf(padded, sizeof padded, " %s ", id);
    return strncmp(id, "SystemV/", 8) == 0 || strstr(icu_only_ids, padded) != NULL;
}

/* Latin letters only: zone names are ASCII.  false = not, or too long. */
static bool to_uchar(const char *name, UChar out[ZONE_NAME_BYTES_MAX])
{
    size_t len = strlen(name);
    if (len == 0 || len >= ZONE_NAME_BYTES_MAX)
        return false;
    for (size_t i = 0; i <= len; i++) {
        if ((unsigned char)name[i] >= 0x80)
            return false;
        out[i] = (UChar)name[i];
    }
    return true;
}

bool zone_valid(const char *name)
{
    UChar id[ZONE_NAME_BYTES_MAX], canonical[ZONE_NAME_BYTES_MAX];
    UErrorCode err = U_ZERO_ERROR;
    UBool system = false;
    if (!name || !to_uchar(name, id) || is_icu_only(name))
        return false;
    ucal_getCanonicalTimeZoneID(id, -1, canonical, ZONE_NAME_BYTES_MAX, &system, &err);
    if (U_FAILURE(err))
        return false;
    /* Custom ids ("GMT+05:30") only in their canonical spelling: a zone has one name here. */
    return system || u_strcmp(id, canonical) == 0;
}

static UCalendar *calendar_open(const char *zone, struct error *e)
{
    UChar id[ZONE_NAME_BYTES_MAX];
    if (!zone_valid(zone) || !to_uchar(zone, id)) {
        fail(e, ST_INVALID, "\"%.60s\" is not a time zone I know.", zone ? zone : "");
        return NULL;
    }
    UErrorCode err = U_ZERO_ERROR;
    UCalendar *calendar = ucal_open(id, -1, "en_US", UCAL_GREGORIAN, &err);
    if (U_FAILURE(err)) {
        fail(e, ST_INTERNAL, "The time zone data cannot be read (%s).", u_errorName(err));
        return NULL;
    }
    return calendar;
}

/* The thread's calendar for the zone; owned by the cache.  NULL = unknown, *e says so. */
static UCalendar *calendar_get(const char *zone, struct error *e)
{
    struct zone_cache *c = cache_get();
    struct cache_entry *oldest = &c->entries[0];
    for (int i = 0; zone && i < ZONE_CACHE_MAX; i++) {
        struct cache_entry *entry = &c->entries[i];
        if (entry->calendar && strcmp(entry->name, zone) == 0) {
            entry->used = ++c->tick;
            return entry->calendar;
        }
        if (entry->used < oldest->used)
            oldest = entry;
    }
    UCalendar *calendar = calendar_open(zone, e);
    if (!calendar)
        return NULL;
    if (oldest->calendar)
        ucal_close(oldest->calendar);
    snprintf(oldest->name, sizeof oldest->name, "%s", zone);
    oldest->calendar = calendar;
    oldest->used = ++c->tick;
    return calendar;
}

enum status zone_to_civil(const char *zone, int64_t at_ms, struct civil *out, struct error *e)
{
    UCalendar *calendar = calendar_get(zone, e);
    if (!calendar)
        return e ? e->status : ST_INVALID;
    if (at_ms < -INSTANT_MS_MAX || at_ms > INSTANT_MS_MAX)
        return fail(e, ST_INVALID, "That instant is outside the years 1 to 9999.");
    UErrorCode err = U_ZERO_ERROR;
    ucal_setMillis(calendar, (UDate)at_ms, &err);
    int64_t offset_ms = (int64_t)ucal_get(calendar, UCAL_ZONE_OFFSET, &err) + ucal_get(calendar, UCAL_DST_OFFSET, &err);
    if (U_FAILURE(err))
        return fail(e, ST_INTERNAL, "The local time in %s cannot be found (%s).", zone, u_errorName(err));
    int64_t local_ms = at_ms + offset_ms;
    civil_from_seconds(local_ms / 1000 - (local_ms % 1000 < 0), out);
    if (!civil_valid(out))
        return fail(e, ST_INVALID, "That instant is outside the years 1 to 9999.");
    return OK;
}

/* which: the offset before or behind a change, for a time that the change skips or repeats. */
static enum status instant_of(const char *zone, const struct civil *c, UTimeZoneLocalOption which, int64_t *at_ms,
                              struct error *e)
{
    if (!civil_valid(c))
        return fail(e, ST_INVALID, "There is no such date or time.");
    UCalendar *calendar = calendar_get(zone, e);
    if (!calendar)
        return e ? e->status : ST_INVALID;
    UErrorCode err = U_ZERO_ERROR;
    int32_t standard_ms = 0, daylight_ms = 0;
    int64_t local_ms = civil_seconds(c) * 1000;
    ucal_setMillis(calendar, (UDate)local_ms, &err);
    ucal_getTimeZoneOffsetFromLocal(calendar, which, which, &standard_ms, &daylight_ms, &err);
    if (U_FAILURE(err))
        return fail(e, ST_INTERNAL, "That time in %s cannot be found (%s).", zone, u_errorName(err));
    *at_ms = local_ms - standard_ms - daylight_ms;
    return OK;
}

/* The offset before the change moves a skipped time forward by the gap and means the first of two repeated times. */
enum status zone_to_instant(const char *zone, const struct civil *c, int64_t *at_ms, struct error *e)
{
    return instant_of(zone, c, UCAL_TZ_LOCAL_FORMER, at_ms, e);
}

enum status zone_to_instant_after(const char *zone, const struct civil *c, int64_t after_ms, int64_t *at_ms,
                                  struct error *e)
{
    int64_t second_ms = 0;
    enum status st = zone_to_instant(zone, c, at_ms, e);
    if (st == OK && *at_ms <= after_ms)
        st = instant_of(zone, c, UCAL_TZ_LOCAL_LATTER, &second_ms, e);
    if (st == OK && second_ms > after_ms)
        *at_ms = second_ms;
    return st;
}

/* --- zone_find --- */

/* What people type when they mean a place, not a fixed offset. */
static const struct {
    const char *word, *zone;
} abbreviations[] = {
    { "utc", "UTC" },
    { "gmt", "Etc/GMT" },
    { "z", "UTC" },
    { "zulu", "UTC" },
    { "pst", "America/Los_Angeles" },
    { "pdt", "America/Los_Angeles" },
    { "mst", "America/Denver" },
    { "mdt", "America/Denver" },
    { "cst", "America/Chicago" },
    { "cdt", "America/Chicago" },
    { "est", "America/New_York" },
    { "edt", "America/New_York" },
    { "bst", "Europe/London" },
    { "cet", "Europe/Paris" },
    { "cest", "Europe/Paris" },
    { "msk", "Europe/Moscow" },
    { "ist", "Asia/Kolkata" },
    { "jst", "Asia/Tokyo" },
    { "kst", "Asia/Seoul" },
    { "aest", "Australia/Sydney" },
    { "aedt", "Australia/Sydney" },
    { "nzst", "Pacific/Auckland" },
    { "nzdt", "Pacific/Auckland" },
};

/* ASCII lower case, accents dropped, spaces as underscores, ends trimmed.  false = not a zone's name. */
static bool normalise(const char *name, char out[ZONE_NAME_BYTES_MAX])
{
    UErrorCode err = U_ZERO_ERROR;
    UChar wide[2 * ZONE_NAME_BYTES_MAX], plain[4 * ZONE_NAME_BYTES_MAX];
    int32_t wide_len = 0;
    if (strlen(name) >= ZONE_NAME_BYTES_MAX)
        return false;
    u_strFromUTF8(wide, 2 * ZONE_NAME_BYTES_MAX, &wide_len, name, -1, &err);
    const UNormalizer2 *nfkd = unorm2_getNFKDInstance(&err);
    int32_t len = U_FAILURE(err) ? 0 : unorm2_normalize(nfkd, wide, wide_len, plain, 4 * ZONE_NAME_BYTES_MAX, &err);
    if (U_FAILURE(err))
        return false;
    size_t used = 0;
    for (int32_t i = 0; i < len; i++) {
        UChar ch = plain[i] == 0x2212 ? '-' : plain[i];
        if (u_charType(ch) == U_NON_SPACING_MARK)
            continue;
        if (ch >= 0x80)
            return false;
        bool space = ch == ' ' || ch == '_' || ch == '\t';
        if (space && (used == 0 || out[used - 1] == '_'))
            continue;
        if (used + 1 >= ZONE_NAME_BYTES_MAX)
            return false;
        out[used++] = space ? '_' : (char)tolower(ch);
    }
    while (used > 0 && out[used - 1] == '_')
        used--;
    out[used] = '\0';
    return used > 0;
}

/* "+2", "-03:30", "utc+0200", "gmt_+2" → minutes east of UTC. */
static bool read_offset(const char *s, int *minutes)
{
    if (strncmp(s, "utc", 3) == 0 || strncmp(s, "gmt", 3) == 0)
        s += 3;
    s += *s == '_';
    int sign = *s == '-' ? -1 : 1;
    if (*s != '+' && *s != '-')
        return false;
    s++;
    s += *s == '_';
    size_t digits = strspn(s, "0123456789");
    int hours = atoi(s), rest = 0;
    if (digits == 0 || digits > 4)
        return false;
    if (digits > 2) {
        rest = hours % 100;
        hours /= 100;
    } else if (s[digits] == ':') {
        s += digits + 1;
        digits = strspn(s, "0123456789");
        if (digits != 2)
            return false;
        rest = atoi(s);
    }
    *minutes = sign * (hours * 60 + rest);
    return s[digits] == '\0' && rest < 60 && *minutes >= OFFSET_MINUTES_MIN && *minutes <= OFFSET_MINUTES_MAX;
}

static void offset_name(int minutes, char *out)
{
    int size = abs(minutes);
    if (minutes == 0)
        snprintf(out, ZONE_NAME_BYTES_MAX, "UTC");
    else if (size % 60 == 0) /* POSIX sign: Etc/GMT-2 is two hours *east* */
        snprintf(out, ZONE_NAME_BYTES_MAX, "Etc/GMT%c%d", minutes > 0 ? '-' : '+', size / 60);
    else
        snprintf(out, ZONE_NAME_BYTES_MAX, "GMT%c%02d:%02d", minutes > 0 ? '+' : '-', size / 60, size % 60);
}

static void canonical_id(const char *id, char out[ZONE_NAME_BYTES_MAX])
{
    UChar wide[ZONE_NAME_BYTES_MAX], canonical[ZONE_NAME_BYTES_MAX];
    UErrorCode err = U_ZERO_ERROR;
    out[0] = '\0';
    if (!to_uchar(id, wide))
        return;
    ucal_getCanonicalTimeZoneID(wide, -1, canonical, ZONE_NAME_BYTES_MAX, NULL, &err);
    if (U_SUCCESS(err))
        u_UCharsToChars(canonical, out, u_strlen(canonical) + 1);
}

/* How `wanted` (normalised) matches an id: 2 = whole name, 1 = its last part, 0 = not. */
static int match_id(const char *id, const char *wanted)
{
    const char *slash = strrchr(id, '/');
    if (strcasecmp(id, wanted) == 0)
        return 2;
    return slash && strcasecmp(slash + 1, wanted) == 0 ? 1 : 0;
}

/* Look through all ids.  A last part that several different zones share names none of them. */
static bool find_id(const char *wanted, char *out)
{
    UErrorCode err = U_ZERO_ERROR;
    UEnumeration *ids = ucal_openTimeZoneIDEnumeration(UCAL_ZONE_TYPE_ANY, NULL, NULL, &err);
    bool found = false, ambiguous = false, whole = false;
    char first[ZONE_NAME_BYTES_MAX] = "", other[ZONE_NAME_BYTES_MAX];
    const char *id;
    while (U_SUCCESS(err) && !whole && (id = uenum_next(ids, NULL, &err)) != NULL) {
        int match = strlen(id) < ZONE_NAME_BYTES_MAX && !is_icu_only(id) ? match_id(id, wanted) : 0;
        if (match == 0)
            continue;
        canonical_id(id, other);
        whole = match == 2;
        ambiguous = ambiguous || (found && strcmp(first, other) != 0);
        /* Among aliases of one zone ("America/Indianapolis"), the canonical spelling. */
        if (whole || !found || strcmp(id, other) == 0)
            snprintf(out, ZONE_NAME_BYTES_MAX, "%s", id);
        snprintf(first, sizeof first, "%s", other);
        found = true;
    }
    uenum_close(ids);
    return whole || (found && !ambiguous);
}

bool zone_find(const char *name, char *out)
{
    char wanted[ZONE_NAME_BYTES_MAX] = "", id[ZONE_NAME_BYTES_MAX];
    int minutes;
    if (!name || !normalise(name, wanted))
        return false;
    if (read_offset(wanted, &minutes)) {
        offset_name(minutes, out);
        return true;
    }
    for (size_t i = 0; i < sizeof abbreviations / sizeof *abbreviations; i++) {
        if (strcmp(wanted, abbreviations[i].word) == 0) {
            snprintf(out, ZONE_NAME_BYTES_MAX, "%s", abbreviations[i].zone);
            return true;
        }
    }
    if (!find_id(wanted, id) || !zone_valid(id))
        return false;
    snprintf(out, ZONE_NAME_BYTES_MAX, "%s", id);
    return true;
}
