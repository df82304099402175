/* SPDX-License-Identifier: MIT
 * when_calendar: rules for dates as a calendar writes them: nov 21st 2026, the third of march, the 21st, 2026-11-21,
 * 21.11., 21/11.  Called by when_phrase.c; pure.  Impossible dates, versions, phone numbers, fractions and sizes
 * are not dates. */
#include "router/when_scan.h"
#include <string.h>

/* A day of the month in any spelling; *bare when it is a plain number.  Tokens used. */
static int month_day_number(const struct words *w, int i, int *day, bool *bare)
{
    int64_t v;
    int n = words_ordinal(w, i, day);
    *bare = n == 0;
    if (!n) {
        const struct token *t = words_at(w, i);
        if (t->kind == TOKEN_NUMBER && t->digits > 2)
            return 0;
        n = words_cardinal(w, i, &v);
        *day = n && v <= 31 ? (int)v : 0;
    }
    return n && *day >= 1 && *day <= 31 ? n : 0;
}

/* The year behind a date, with its comma: ", 2027", "2027", "of 2027", "'27".  Tokens used. */
static int trailing_year(const struct words *w, int i, int *year)
{
    int n = token_punct(words_at(w, i), ",.-/") || token_any(words_at(w, i), "of|in");
    int used = when_year(w, i + n, year);
    const struct token *last = words_at(w, i + n + used - 1), *next = words_at(w, i + n + used);
    if (used && (token_punct(next, ":%") || (token_punct(next, "-/") && next->glued)))
        return 0;
    if (used && last->kind == TOKEN_NUMBER && token_any(next, "am|pm|hours|h|steps|kcal|calories|euros|dollars"))
        return 0;
    if (used)
        return n + used;
    const struct token *two = words_at(w, i + 1);
    if (token_punct(words_at(w, i), "'") && two->kind == TOKEN_NUMBER && two->digits == 2 && two->glued) {
        *year = 2000 + (int)two->number;
        return 2;
    }
    return 0;
}

static int finish(const struct scan *s, int i, int n, int month, int day, struct phrase *p)
{
    int year, used = trailing_year(s->words, i + n, &year);
    if (used)
        return when_set_date(p, year, month, day) ? n + used : 0;
    return when_pick_year(s, month, day, p) ? n : 0;
}

static int month_dot(const struct words *w, int i)
{
    return token_punct(words_at(w, i), ".") && words_at(w, i)->glued && strlen(words_at(w, i - 1)->text) <= 4;
}

/* "march 3 2015", "Nov 21st", "may twenty one", "april the 5th", "nov-21". */
static int month_first(const struct scan *s, int i, struct phrase *p)
{
    const struct words *w = s->words;
    int month, day, n = 1;
    bool bare;
    if (!token_class(words_at(w, i), CLASS_MONTH, &month))
        return 0;
    n += month_dot(w, i + n);
    n += token_punct(words_at(w, i + n), "-/") && words_at(w, i + n)->glued;
    n += token_is(words_at(w, i + n), "the");
    int used = month_day_number(w, i + n, &day, &bare);
    if (!used)
        return 0;
    const struct token *next = words_at(w, i + n + used);
    if (bare &&
        (token_punct(next, ":%") || (token_punct(next, ".") && next->glued && words_at(w, i + n + used + 1)->glued &&
                                     words_at(w, i + n + used + 1)->kind == TOKEN_NUMBER)))
        return 0; /* "march 5:30", "may 3.5" */
    if (bare && token_any(next, "am|pm|km|kg|min|minutes|hours|h|ml|%"))
        return 0;
    if (bare && token_any(words_at(w, i), "may|march|mar|sun|second") && token_any(next, "of|people|times|more"))
        return 0;
    n += used;
    return finish(s, i, n, month, day, p);
}

/* "21 nov", "the third of march", "14april 2015", "21-nov-2026". */
static int day_first(const struct scan *s, int i, struct phrase *p)
{
    const struct words *w = s->words;
    int month, day, n = token_is(words_at(w, i), "the");
    bool bare;
    int used = month_day_number(w, i + n, &day, &bare);
    if (!used || (words_at(w, i + n)->glued && words_at(w, i + n - 1)->kind == TOKEN_PUNCT &&
                  !token_punct(words_at(w, i + n - 1), "(\"'*,;@")))
        return 0;
    n += used;
    bool dotted = token_punct(words_at(w, i + n), ".") && words_at(w, i + n)->glued;
    n += dotted || (token_punct(words_at(w, i + n), "-/") && words_at(w, i + n)->glued);
    n += token_is(words_at(w, i + n), "day") && token_is(words_at(w, i + n + 1), "of"); /* "the 3rd day of may" */
    bool of = token_is(words_at(w, i + n), "of");
    n += of;
    if (!token_class(words_at(w, i + n), CLASS_MONTH, &month))
        return 0;
    if (bare && !of && token_any(words_at(w, i + n), "may|march|mar|mon") &&
        words_at(w, i + n + 1)->kind == TOKEN_WORD && !s->whole && words_at(w, i)->kind == TOKEN_WORD)
        return 0; /* "two may come" */
    n++;
    if (bare && !of && token_any(words_at(w, i + n - 1), "may|march") &&
        token_any(words_at(w, i + n), "be|have|not|need|want|come|go|also|still|get|on|into"))
        return 0; /* "buy 2 may be more" */
    n += month_dot(w, i + n) && words_at(w, i + n + 1)->kind == TOKEN_NUMBER;
    return finish(s, i, n, month, day, p);
}

int when_rule_month_day(const struct scan *s, int i, struct phrase *p)
{
    int n = month_first(s, i, p);
    return n ? n : day_first(s, i, p);
}

/* "next month", "this month", "the month", "every" is a repeat. */
static int month_reference(const struct words *w, int i, int *months)
{
    int n = token_any(words_at(w, i), "of|in");
    int the = token_is(words_at(w, i + n), "the");
    const struct token *t = words_at(w, i + n + the);
    if (token_any(t, "next|this|last|coming|following|current") && token_is(words_at(w, i + n + the + 1), "month")) {
        *months = token_any(t, "next|coming|following") ? 1 : token_is(t, "last") ? -1 : 0;
        return n + the + 2;
    }
    if (n && the && token_is(t, "month")) {
        *months = 0;
        return 3;
    }
    return 0;
}

/* The next (past: last) month that has such a day. */
static bool pick_month(const struct scan *s, int day, struct phrase *p)
{
    struct civil today = when_today(s), first = today;
    first.day = 1;
    int step = s->options->past ? -1 : 1;
    for (int k = 0; k < 4; k++) {
        struct civil c = first;
        civil_add_months(&c, k * step);
        c.day = day;
        if (!civil_valid(&c) || (step > 0 ? civil_compare(&c, &today) < 0 : civil_compare(&c, &today) > 0))
            continue;
        return when_set_date(p, c.year, c.month, c.day);
    }
    return false;
}

/* May a bare "the 21st" end here?  "the 1st episode", "the second book" are not dates. */
static bool ordinal_may_end(const struct words *w, int i)
{
    const struct token *t = words_at(w, i);
    if (t->kind != TOKEN_WORD && t->kind != TOKEN_NUMBER)
        return !(t->kind == TOKEN_PUNCT && t->glued && strchr("-/%", t->punct) && words_at(w, i + 1)->glued);
    int v;
    return token_any(t,
                     "at|in|by|before|after|around|and|or|for|to|from|with|about|because|so|please|noon|midnight|until|"
                     "is|as|i|we|he|she|it|they|that|if|when|with|my") ||
           token_class(t, CLASS_DAYPART, &v);
}

int when_rule_month_ordinal(const struct scan *s, int i, struct phrase *p)
{
    const struct words *w = s->words;
    bool the = token_is(words_at(w, i), "the"), bare,
         placed = token_any(words_at(w, i - 1), "on|by|before|until|till|for|from|since");
    int n = the, day, months;
    int used = month_day_number(w, i + n, &day, &bare);
    if (!used || (words_at(w, i + n)->glued && i + n > 0 && words_at(w, i + n - 1)->kind == TOKEN_PUNCT &&
                  token_punct(words_at(w, i + n - 1), "-./:$#+")))
        return 0;
    n += used;
    if (token_is(words_at(w, i + n), "day") && token_any(words_at(w, i + n + 1), "of"))
        n++;
    int behind = month_reference(w, i + n, &months);
    if (behind) {
        struct civil c = when_today(s);
        c.day = 1;
        civil_add_months(&c, months);
        return when_set_date(p, c.year, c.month, day) ? n + behind : 0;
    }
    const struct token *number = words_at(w, i + the);
    if (bare) { /* "on 15 at 8:00" */
        if (number->kind != TOKEN_NUMBER || !token_is(words_at(w, i - 1), "on") ||
            !token_is(words_at(w, i + n), "at") || words_at(w, i + n + 1)->kind != TOKEN_NUMBER)
            return 0;
    } else if (!ordinal_may_end(w, i + n) || (number->kind == TOKEN_WORD && !the && !placed)) {
        return 0;
    }
    if (!pick_month(s, day, p))
        return 0;
    if (!bare && (!placed || number->kind == TOKEN_WORD))
        p->flags |= PHRASE_WEAK;
    return n;
}

struct numbers {
    int part[3], digits[3], count, tokens;
    char mark;
    bool closing_dot;
};

/* "21.11.2026", "21/11", "2026-11-21": glued numbers with one kind of mark between them. */
static bool numbers_at(const struct words *w, int i, struct numbers *out)
{
    *out = (struct numbers){ 0 };
    const struct token *t = words_at(w, i);
    if (t->kind != TOKEN_NUMBER || t->digits > 4)
        return false;
    for (;;) {
        t = words_at(w, i + out->tokens);
        out->part[out->count] = (int)(t->digits > 4 ? 0 : t->number);
        out->digits[out->count++] = t->digits;
        out->tokens++;
        const struct token *mark = words_at(w, i + out->tokens), *next = words_at(w, i + out->tokens + 1);
        if (!token_punct(mark, "-./") || !mark->glued || (out->mark && mark->punct != out->mark))
            break;
        if (next->kind != TOKEN_NUMBER || !next->glued) {
            out->closing_dot = mark->punct == '.' && out->mark == '.';
            break;
        }
        if (out->count == 3)
            return false; /* 1.2.3.4 */
        out->mark = mark->punct;
        out->tokens++;
    }
    const struct token *before = words_at(w, i - 1), *after = words_at(w, i + out->tokens);
    if (words_at(w, i)->glued && (before->kind == TOKEN_NUMBER || before->kind == TOKEN_SYMBOL ||
                                  (before->kind == TOKEN_WORD) || token_punct(before, "-./:+$#_=&")))
        return false;
    if (after->glued && ((after->kind == TOKEN_WORD && !token_any(after, "t")) || token_punct(after, "-/:%$_=&+")))
        return false;
    return out->count >= 2;
}

static bool order_day_month(const struct scan *s, int a, int b, char mark, int *day, int *month)
{
    bool first = mark == '.' || s->options->day_first;
    if (a > 12 && b <= 12)
        first = true;
    else if (b > 12 && a <= 12)
        first = mark == '.';
    *day = first ? a : b;
    *month = first ? b : a;
    return *month >= 1 && *month <= 12;
}

static int three_numbers(const struct scan *s, const struct numbers *x, struct phrase *p)
{
    int day, month, year;
    if (x->digits[0] == 4 && x->digits[1] <= 2 && x->digits[2] <= 2) {
        p->flags |= PHRASE_EXACT_HOUR;
        return when_set_date(p, x->part[0], x->part[1], x->part[2]) ? x->tokens : 0;
    }
    if (x->digits[0] > 2 || x->digits[1] > 2 || !order_day_month(s, x->part[0], x->part[1], x->mark, &day, &month))
        return 0;
    year = x->part[2];
    if (x->digits[2] == 2) {
        if (x->mark == '-' || (x->mark == '.' && (x->digits[0] < 2 || x->digits[1] < 2)))
            return 0; /* 20-30-12, version 1.2.10 */
        year += year < 70 ? 2000 : 1900;
    } else if (x->digits[2] != 4) {
        return 0;
    }
    return when_set_date(p, year, month, day) ? x->tokens : 0;
}

int when_rule_numeric(const struct scan *s, int i, struct phrase *p)
{
    const struct words *w = s->words;
    struct numbers x;
    int day, month;
    if (!numbers_at(w, i, &x))
        return 0;
    if (x.count == 3)
        return three_numbers(s, &x, p);
    if (x.digits[0] > 2 || x.digits[1] > 2 || x.mark == '-' || x.part[0] == 0)
        return 0;
    bool placed = token_any(words_at(w, i - 1), "on|by|before|until|till|due|for|since|from|after");
    if (x.mark == '.') { /* 21.11. or "on 21.11" */
        if (!x.closing_dot && !(placed && x.digits[1] == 2))
            return 0;
        if (x.closing_dot && !placed && (x.digits[1] < 2 || x.part[0] < 1) && !s->whole)
            return 0;
    }
    if (x.mark == '/' && ((x.part[0] == 24 && x.part[1] == 7) || (x.part[0] == 50 && x.part[1] == 50)))
        return 0;
    if (!order_day_month(s, x.part[0], x.part[1], x.mark, &day, &month) || !when_pick_year(s, month, day, p))
        return 0;
    const struct token *next = words_at(w, i + x.tokens);
    if (x.mark == '/' && !placed) {
        int v;
        bool looks_small = x.part[0] < x.part[1] && x.part[1] <= 10; /* 1/2, 3/4, 5/8: as likely a fraction */
        if (next->kind == TOKEN_WORD && !token_any(next, "at|by|in|for|to|from|with|about|noon") &&
            !token_class(next, CLASS_DAYPART, &v))
            return 0;
        p->flags |= looks_small || next->kind == TOKEN_WORD ? PHRASE_WEAK : 0;
    }
    return x.tokens +
           (x.closing_dot && x.mark == '.' && (words_at(w, i + x.tokens + 1)->kind != TOKEN_END || s->whole));
}
