/* SPDX-License-Identifier: MIT
 * words_number: whole numbers, ordinals, amounts and lengths of time, in digits and in words.  Called by both parsers
 * on any thread.  Every look-ahead is bounded by the grammar: no loop runs further than a number can. */
#include "router/words.h"
#include <math.h>
#include <string.h>

enum { CARDINAL_DIGITS_MAX = 12 };

/* "twenty one", "seven": below a hundred. */
static int small_cardinal(const struct words *w, int i, int64_t *value)
{
    int v, unit;
    if (!token_class(words_at(w, i), CLASS_CARDINAL, &v))
        return 0;
    *value = v;
    if (v < 20)
        return 1;
    int n = 1 + token_punct(words_at(w, i + 1), "-");
    if (token_class(words_at(w, i + n), CLASS_CARDINAL, &unit) && unit > 0 && unit < 10) {
        *value = v + unit;
        return n + 1;
    }
    return 1;
}

/* After "two hundred": "and five", "five". */
static int add_small(const struct words *w, int i, int64_t *value)
{
    int64_t more = 0;
    int n = token_is(words_at(w, i), "and");
    int used = small_cardinal(w, i + n, &more);
    if (!used)
        return 0;
    *value += more;
    return n + used;
}

static int scaled(const struct words *w, int i, int multiple, int64_t *value)
{
    int v;
    if (!token_class(words_at(w, i), CLASS_MULTIPLE, &v) || v != multiple)
        return 0;
    *value *= v;
    return 1;
}

int words_cardinal(const struct words *w, int i, int64_t *value)
{
    const struct token *t = words_at(w, i);
    int64_t v = 0;
    if (t->kind == TOKEN_NUMBER && t->digits <= CARDINAL_DIGITS_MAX) {
        *value = t->number;
        return 1;
    }
    int n = small_cardinal(w, i, &v), used, m;
    if (!n && token_is(t, "a") && token_class(words_at(w, i + 1), CLASS_MULTIPLE, &m))
        n = 1, v = 1;
    if (!n)
        return 0;
    if ((used = scaled(w, i + n, 1000, &v))) {
        n += used;
        int64_t hundreds = 0;
        int h = small_cardinal(w, i + n, &hundreds), s = h ? scaled(w, i + n + h, 100, &hundreds) : 0;
        if (s) {
            v += hundreds;
            n += h + s;
        }
        n += add_small(w, i + n, &v);
    } else if ((used = scaled(w, i + n, 100, &v))) {
        n += used;
        n += add_small(w, i + n, &v);
    }
    *value = v;
    return n;
}

int words_ordinal(const struct words *w, int i, int *value)
{
    const struct token *t = words_at(w, i);
    int v, unit;
    if (t->kind == TOKEN_NUMBER && t->digits <= 3 && token_any(words_at(w, i + 1), "st|nd|rd|th")) {
        *value = (int)t->number;
        return 2;
    }
    if (token_class(t, CLASS_ORDINAL, value))
        return 1;
    if (token_class(t, CLASS_CARDINAL, &v) && (v == 20 || v == 30)) {
        int n = 1 + token_punct(words_at(w, i + 1), "-");
        if (token_class(words_at(w, i + n), CLASS_ORDINAL, &unit) && unit < 10) {
            *value = v + unit;
            return n + 1;
        }
    }
    return 0;
}

static double power_of_ten(int n)
{
    return n > 0 ? 10 * power_of_ten(n - 1) : 1;
}

/* ".5" or ",5" glued behind digits; "1,500" is a thousand and a half thousand. */
static int decimals(const struct words *w, int i, double *value)
{
    const struct token *whole = words_at(w, i), *mark = words_at(w, i + 1), *rest = words_at(w, i + 2);
    if (!token_punct(mark, ".,") || !mark->glued || rest->kind != TOKEN_NUMBER || !rest->glued || rest->digits > 6)
        return 0;
    const struct token *next = words_at(w, i + 3);
    if (token_punct(next, ".,") && next->glued && words_at(w, i + 4)->kind == TOKEN_NUMBER && words_at(w, i + 4)->glued)
        return 0; /* 1.2.3 is a version or a date */
    if (mark->punct == ',' && rest->digits == 3 && whole->digits <= 3 && whole->number > 0)
        *value = (double)whole->number * 1000 + (double)rest->number;
    else
        *value = (double)whole->number + (double)rest->number / power_of_ten(rest->digits);
    return 3;
}

/* "1/2", "3/4" (glued, a proper fraction). */
static int fraction(const struct words *w, int i, double *value)
{
    const struct token *a = words_at(w, i), *slash = words_at(w, i + 1), *b = words_at(w, i + 2);
    if (a->kind != TOKEN_NUMBER || !token_punct(slash, "/") || b->kind != TOKEN_NUMBER || !b->glued)
        return 0;
    if (a->digits != 1 || b->digits != 1 || b->number < 2 || a->number >= b->number || a->number < 1)
        return 0;
    *value = (double)a->number / (double)b->number;
    return 3;
}

/* The fraction behind a whole number: "7 1/2", "7½", "seven and a half", "one and three quarters". */
static int mixed(const struct words *w, int i, double *value)
{
    double part;
    if (words_at(w, i)->kind == TOKEN_PART) {
        *value += words_at(w, i)->part;
        return 1;
    }
    int n = fraction(w, i, &part);
    if (n) {
        *value += part;
        return n;
    }
    n = token_is(words_at(w, i), "and");
    if (!n)
        return 0;
    n += token_any(words_at(w, i + n), "a|one");
    if (token_is(words_at(w, i + n), "half")) {
        *value += 0.5;
        return n + 1;
    }
    if (n == 2 && token_is(words_at(w, i + n), "quarter")) {
        *value += 0.25;
        return n + 1;
    }
    if (token_is(words_at(w, i + n), "three") && token_any(words_at(w, i + n + 1), "quarters|quarter")) {
        *value += 0.75;
        return n + 2;
    }
    if (words_at(w, i + n)->kind == TOKEN_PART) {
        *value += words_at(w, i + n)->part;
        return n + 1;
    }
    return 0;
}

/* "half a", "a half", "a quarter of an", "three quarters of an", "three-quarters of an". */
static int part_words(const struct words *w, int i, double *value)
{
    int n = token_any(words_at(w, i), "a|one");
    if (token_is(words_at(w, i + n), "half")) {
        n++;
        n += token_is(words_at(w, i + n), "of") && token_any(words_at(w, i + n + 1), "a|an");
        *value = 0.5;
        return n + token_any(words_at(w, i + n), "a|an");
    }
    int64_t count = 1;
    if (token_any(words_at(w, i), "three|3") || (words_at(w, i)->kind == TOKEN_NUMBER && words_at(w, i)->number == 3))
        n = 1, count = 3;
    n += n && token_punct(words_at(w, i + n), "-");
    if (!n || !token_any(words_at(w, i + n), "quarter|quarters"))
        return 0;
    n++;
    if (!token_is(words_at(w, i + n), "of") || !token_any(words_at(w, i + n + 1), "a|an"))
        return 0;
    *value = 0.25 * (double)count;
    return n + 2;
}

/* "a couple of", "a few", "several", "a", "an", "one and only" */
static int vague(const struct words *w, int i, double *value)
{
    int n = token_is(words_at(w, i), "a");
    if (token_is(words_at(w, i + n), "couple")) {
        *value = 2;
        return n + 1 + token_is(words_at(w, i + n + 1), "of");
    }
    if (token_is(words_at(w, i + n), "few")) {
        *value = 3;
        return n + 1;
    }
    if (token_is(words_at(w, i), "several")) {
        *value = 3;
        return 1;
    }
    if (token_any(words_at(w, i), "a|an")) {
        *value = 1;
        return 1;
    }
    return 0;
}

int words_amount(const struct words *w, int i, double *value)
{
    const struct token *t = words_at(w, i);
    int n;
    if (t->kind == TOKEN_NUMBER && ((n = decimals(w, i, value)) || (n = fraction(w, i, value))))
        return n;
    if (token_punct(t, ".") && words_at(w, i + 1)->kind == TOKEN_NUMBER && words_at(w, i + 1)->glued) {
        *value = (double)words_at(w, i + 1)->number / power_of_ten(words_at(w, i + 1)->digits); /* ".5" */
        return words_at(w, i + 1)->digits <= 4 ? 2 : 0;
    }
    if (t->kind == TOKEN_PART) {
        *value = t->part;
        n = 1 + token_is(words_at(w, i + 1), "of");
        return n + token_any(words_at(w, i + n), "a|an");
    }
    if ((n = part_words(w, i, value)))
        return n;
    int64_t whole;
    if ((n = words_cardinal(w, i, &whole))) {
        *value = (double)whole;
        if (token_is(words_at(w, i + n), "point")) {
            int64_t tenths;
            int used = words_cardinal(w, i + n + 1, &tenths); /* "seven point five" */
            if (used && tenths < 10) {
                *value += (double)tenths / 10;
                return n + 1 + used;
            }
        }
        return n + mixed(w, i + n, value);
    }
    return vague(w, i, value);
}

static double unit_minutes(int unit)
{
    return unit == UNIT_SECOND ? 1.0 / 60 : unit == UNIT_MINUTE ? 1 : unit == UNIT_HOUR ? 60 : 0;
}

/* Behind "7h" or "7 hours": "30", "and 30 minutes", "20m", "and a half". */
static int duration_rest(const struct words *w, int i, double *minutes)
{
    double v = 0, part = 0;
    int n = token_is(words_at(w, i), "and") || token_punct(words_at(w, i), ","), unit;
    int half = mixed(w, i, &part);
    if (half && !token_class(words_at(w, i + half), CLASS_UNIT, &unit)) {
        *minutes += part * 60;
        return half;
    }
    int used = words_amount(w, i + n, &v);
    if (!used)
        return 0;
    if (token_class(words_at(w, i + n + used), CLASS_UNIT, &unit) && unit == UNIT_MINUTE) {
        *minutes += v;
        return n + used + 1;
    }
    const struct token *bare = words_at(w, i);
    if (n == 0 && used == 1 && bare->kind == TOKEN_NUMBER && bare->number < 60 && bare->digits <= 2 &&
        words_at(w, i + 1)->kind != TOKEN_NUMBER && !token_punct(words_at(w, i + 1), ":/") &&
        (bare->glued || words_at(w, i + 1)->kind != TOKEN_WORD ||
         token_any(words_at(w, i + 1), "and|of|last|today|yesterday|this|in|at"))) {
        *minutes += v; /* "7h30", "7 hours 30" */
        return 1;
    }
    return 0;
}

int words_duration(const struct words *w, int i, double *minutes)
{
    double v;
    int unit, n = words_amount(w, i, &v);
    if (!n && token_is(words_at(w, i), "hour")) /* "hour and a half" */
        n = 0, v = 1;
    else if (!n)
        return 0;
    n += n && token_punct(words_at(w, i + n), "-"); /* "30-minute" */
    n += n && token_is(words_at(w, i + n), "full");
    if (!token_class(words_at(w, i + n), CLASS_UNIT, &unit) || unit > UNIT_HOUR)
        return 0;
    n++;
    if (token_punct(words_at(w, i + n), ".") && words_at(w, i + n)->glued &&
        token_any(words_at(w, i + n + 1), "of|at|in|with|on"))
        n++; /* "30 min. of yoga" */
    *minutes = v * unit_minutes(unit);
    if (unit == UNIT_HOUR)
        n += duration_rest(w, i + n, minutes);
    return n > 0 && isfinite(*minutes) ? n : 0;
}
