/* SPDX-License-Identifier: MIT
 * when_holiday: the few holidays people use as dates.  Called by when_phrase.c; pure.  Easter follows the
 * Gregorian computus; "mother's day" and the like are the widespread (US) ones. */
#include "router/when_scan.h"
#include <string.h>

enum rule { FIXED, NTH, LAST, EASTER };
struct holiday {
    const char *words; /* one word per space; tokens compared as text */
    enum rule rule;
    int a, b, c; /* FIXED month day; NTH month weekday k (+ offset in c / 10); LAST month weekday; EASTER offset */
};

static const struct holiday holidays[] = {
    { "christmas eve", FIXED, 12, 24, 0 },
    { "xmas eve", FIXED, 12, 24, 0 },
    { "christmas day", FIXED, 12, 25, 0 },
    { "christmas", FIXED, 12, 25, 0 },
    { "xmas day", FIXED, 12, 25, 0 },
    { "xmas", FIXED, 12, 25, 0 },
    { "boxing day", FIXED, 12, 26, 0 },
    { "new year's eve", FIXED, 12, 31, 0 },
    { "new years eve", FIXED, 12, 31, 0 },
    { "new year eve", FIXED, 12, 31, 0 },
    { "nye", FIXED, 12, 31, 0 },
    { "new year's day", FIXED, 1, 1, 0 },
    { "new years day", FIXED, 1, 1, 0 },
    { "new year's", FIXED, 1, 1, 0 },
    { "new years", FIXED, 1, 1, 0 },
    { "new year", FIXED, 1, 1, 0 },
    { "valentine's day", FIXED, 2, 14, 0 },
    { "valentines day", FIXED, 2, 14, 0 },
    { "valentine's", FIXED, 2, 14, 0 },
    { "valentines", FIXED, 2, 14, 0 },
    { "st patrick's day", FIXED, 3, 17, 0 },
    { "st patricks day", FIXED, 3, 17, 0 },
    { "april fools day", FIXED, 4, 1, 0 },
    { "april fool's day", FIXED, 4, 1, 0 },
    { "earth day", FIXED, 4, 22, 0 },
    { "may day", FIXED, 5, 1, 0 },
    { "cinco de mayo", FIXED, 5, 5, 0 },
    { "juneteenth", FIXED, 6, 19, 0 },
    { "independence day", FIXED, 7, 4, 0 },
    { "fourth of july", FIXED, 7, 4, 0 },
    { "bastille day", FIXED, 7, 14, 0 },
    { "halloween", FIXED, 10, 31, 0 },
    { "all saints day", FIXED, 11, 1, 0 },
    { "guy fawkes", FIXED, 11, 5, 0 },
    { "bonfire night", FIXED, 11, 5, 0 },
    { "veterans day", FIXED, 11, 11, 0 },
    { "groundhog day", FIXED, 2, 2, 0 },
    { "epiphany", FIXED, 1, 6, 0 },
    { "women's day", FIXED, 3, 8, 0 },
    { "labour day", FIXED, 5, 1, 0 },
    { "mlk day", NTH, 1, 0, 3 },
    { "martin luther king day", NTH, 1, 0, 3 },
    { "presidents day", NTH, 2, 0, 3 },
    { "president's day", NTH, 2, 0, 3 },
    { "mother's day", NTH, 5, 6, 2 },
    { "mothers day", NTH, 5, 6, 2 },
    { "father's day", NTH, 6, 6, 3 },
    { "fathers day", NTH, 6, 6, 3 },
    { "labor day", NTH, 9, 0, 1 },
    { "columbus day", NTH, 10, 0, 2 },
    { "thanksgiving day", NTH, 11, 3, 4 },
    { "thanksgiving", NTH, 11, 3, 4 },
    { "black friday", NTH, 11, 3, 14 },
    { "cyber monday", NTH, 11, 3, 44 },
    { "memorial day", LAST, 5, 0, 0 },
    { "easter sunday", EASTER, 0, 0, 0 },
    { "easter monday", EASTER, 1, 0, 0 },
    { "good friday", EASTER, -2, 0, 0 },
    { "easter", EASTER, 0, 0, 0 },
    { "ash wednesday", EASTER, -46, 0, 0 },
    { "palm sunday", EASTER, -7, 0, 0 },
    { "pentecost", EASTER, 49, 0, 0 },
    { "ascension day", EASTER, 39, 0, 0 },
    { "whit monday", EASTER, 50, 0, 0 },
};

static struct civil easter(int year)
{
    int a = year % 19, b = year / 100, c = year % 100;
    int d = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
    int e = (32 + 2 * (b % 4) + 2 * (c / 4) - d - c % 4) % 7;
    int f = d + e - 7 * ((a + 11 * d + 22 * e) / 451) + 114;
    return (struct civil){ .year = year, .month = f / 31, .day = f % 31 + 1, .hour = -1 };
}

static struct civil holiday_in(const struct holiday *h, int year)
{
    struct civil c = { .year = year, .month = h->a, .day = h->b, .hour = -1 };
    if (h->rule == FIXED)
        return c;
    if (h->rule == EASTER) {
        c = easter(year);
        civil_add_days(&c, h->a);
        return c;
    }
    c.day = h->rule == LAST ? 31 : 1;
    if (h->rule == LAST) {
        civil_add_days(&c, -((civil_weekday(&c) - h->b + 7) % 7));
        return c;
    }
    civil_add_days(&c, (h->b - civil_weekday(&c) + 7) % 7 + 7 * (h->c % 10 - 1));
    civil_add_days(&c, h->c / 10);
    return c;
}

/* Tokens of the name at i, 0 = another name. */
static int name_at(const struct words *w, int i, const char *name)
{
    int n = 0;
    for (const char *p = name; *p; n++) {
        size_t len = strcspn(p, " ");
        const struct token *t = words_at(w, i + n);
        n += token_punct(t, ".") && n > 0; /* "St. Patrick's" */
        t = words_at(w, i + n);
        if (t->kind != TOKEN_WORD || strlen(t->text) != len || strncmp(t->text, p, len) != 0)
            return 0;
        p += len + (p[len] == ' ');
    }
    return n;
}

int when_rule_holiday(const struct scan *s, int i, struct phrase *p)
{
    const struct words *w = s->words;
    if (words_at(w, i)->kind != TOKEN_WORD)
        return 0;
    int lead = token_any(words_at(w, i), "next|this|last|the"), best = 0;
    const struct holiday *found = NULL;
    for (size_t k = 0; k < sizeof holidays / sizeof *holidays; k++) {
        int n = name_at(w, i + lead, holidays[k].words);
        if (n > best) {
            best = n;
            found = &holidays[k];
        }
    }
    if (!found)
        return 0;
    int n = lead + best, year, comma = token_punct(words_at(w, i + n), ",");
    int used = when_year(w, i + n + comma, &year);
    if (used) {
        p->date = holiday_in(found, year);
        p->has_date = true;
        return n + comma + used;
    }
    struct civil today = when_today(s);
    bool back = s->options->past || token_is(words_at(w, i), "last");
    for (int step = 0; step < 2; step++) {
        p->date = holiday_in(found, today.year + (back ? -step : step));
        int order = civil_compare(&p->date, &today);
        if (back ? order <= 0 : order >= 0)
            break;
    }
    p->has_date = true;
    p->flags |= PHRASE_WEAK; /* "the christmas list" */
    return n;
}
