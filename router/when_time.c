/* SPDX-License-Identifier: MIT
 * when_time: rules for times of day.  Called by when_phrase.c; pure.  A number alone is a time only behind "at" or
 * beside a part of the day; prices, phone numbers, percentages and sizes are not. */
#include "router/when_scan.h"
#include <string.h>

enum { MERIDIEM_NONE, MERIDIEM_AM, MERIDIEM_PM };

/* "pm", "p.m.", "p m", "a.m", "in the am"; tokens used. */
static int meridiem(const struct words *w, int i, int *which)
{
    int n = 0;
    if (token_is(words_at(w, i), "in") && token_is(words_at(w, i + 1), "the") && token_any(words_at(w, i + 2), "am|pm"))
        n = 2;
    const struct token *t = words_at(w, i + n);
    if (token_any(t, "am|pm")) {
        *which = t->text[0] == 'a' ? MERIDIEM_AM : MERIDIEM_PM;
        return n + 1;
    }
    if (!token_any(t, "a|p"))
        return 0;
    int which_letter = t->text[0] == 'a' ? MERIDIEM_AM : MERIDIEM_PM;
    int dot = token_punct(words_at(w, i + 1), ".") && words_at(w, i + 1)->glued;
    if (token_is(words_at(w, i + 1 + dot), "m")) {
        *which = which_letter;
        int last = i + 2 + dot;
        bool closing = dot && token_punct(words_at(w, last), ".") && words_at(w, last)->glued;
        return last - i + closing;
    }
    if (t->glued && words_at(w, i - 1)->kind == TOKEN_NUMBER && !words_at(w, i + 1)->glued) { /* "5p" */
        *which = which_letter;
        return 1;
    }
    return 0;
}

static bool apply_meridiem(int which, int *hour)
{
    if (which == MERIDIEM_NONE)
        return *hour <= 24;
    if (*hour > 12 && which == MERIDIEM_PM)
        return *hour < 24; /* "15:30 pm" happens */
    if (*hour < 1 || *hour > 12)
        return false;
    *hour = *hour % 12 + (which == MERIDIEM_PM ? 12 : 0);
    return true;
}

static void set_time(struct phrase *p, int hour, int minute, int second)
{
    p->has_time = true;
    p->hour = hour;
    p->minute = minute;
    p->second = second;
}

static bool two_digits(const struct token *t)
{
    return t->kind == TOKEN_NUMBER && t->digits == 2 && t->glued && t->number < 60;
}

/* ":30", ":30:15", ".30", "h30", "h" behind an hour; *minute = -1 when there is none.  Tokens used. */
static int minutes_glued(const struct words *w, int i, int *minute, int *second)
{
    const struct token *mark = words_at(w, i);
    *minute = -1;
    *second = 0;
    if (token_punct(mark, ":.") && mark->glued && two_digits(words_at(w, i + 1))) {
        *minute = (int)words_at(w, i + 1)->number;
        if (token_punct(words_at(w, i + 2), mark->punct == ':' ? ":" : "") && two_digits(words_at(w, i + 3))) {
            *second = (int)words_at(w, i + 3)->number;
            return 4;
        }
        return 2;
    }
    if (token_is(mark, "h") && mark->glued && two_digits(words_at(w, i + 1))) {
        *minute = (int)words_at(w, i + 1)->number;
        return 2;
    }
    if (token_is(mark, "h") && mark->glued && words_at(w, i + 1)->kind != TOKEN_NUMBER) {
        *minute = 0;
        return 1;
    }
    return 0;
}

/* What may follow a bare number that is meant as an hour ("at 5", "by 6"). */
static bool hour_may_end(const struct words *w, int i)
{
    const struct token *t = words_at(w, i);
    if (t->kind == TOKEN_END || t->kind == TOKEN_NEWLINE || t->kind == TOKEN_SYMBOL)
        return true;
    if (t->kind == TOKEN_PUNCT)
        return (strchr(",.!?;)\"'", t->punct) && !(t->glued && words_at(w, i + 1)->glued)) ||
               (t->punct == '-' && !t->glued);
    int v;
    return token_class(t, CLASS_DAY, &v) || token_class(t, CLASS_WEEKDAY, &v) || token_class(t, CLASS_MONTH, &v) ||
           token_class(t, CLASS_DAYPART, &v) || token_class(t, CLASS_WEEKDAYS, &v) ||
           token_any(t, "on|in|for|with|to|and|about|then|because|so|sharp|please|this|next|every|each|daily|the|that|"
                        "thanks|or|but|from|until|if|when|at|my|weekly|monthly|local|exactly");
}

/* Neither "$5" nor "1-5" nor "+49 5": what stands before a number that is meant as a time. */
static bool clean_before(const struct words *w, int i)
{
    const struct token *t = words_at(w, i), *before = words_at(w, i - 1);
    if (before->kind == TOKEN_SYMBOL && t->glued && before->end - before->begin <= 3)
        return false; /* € and £ */
    return !(t->glued && before->kind == TOKEN_PUNCT && !strchr("@(\"',;-*", before->punct)) &&
           !(t->glued && before->kind == TOKEN_NUMBER) &&
           !(t->glued && token_punct(before, "-") && words_at(w, i - 2)->kind == TOKEN_NUMBER && before->glued);
}

static bool clean_after(const struct words *w, int i)
{
    const struct token *t = words_at(w, i);
    if (!t->glued)
        return t->kind != TOKEN_PUNCT || !strchr("%$", t->punct);
    if (t->kind == TOKEN_NUMBER)
        return false;
    return t->kind != TOKEN_PUNCT || !strchr("/%$:-.,", t->punct) || words_at(w, i + 1)->kind != TOKEN_NUMBER ||
           !words_at(w, i + 1)->glued;
}

/* "o'clock", "o clock", "ish" behind an hour; tokens used. */
static int clock_mark(const struct words *w, int i, bool after_at)
{
    if (token_any(words_at(w, i), "o'clock|oclock"))
        return 1;
    if (token_is(words_at(w, i), "o") && token_is(words_at(w, i + 1), "clock"))
        return 2;
    return after_at && token_is(words_at(w, i), "ish") && words_at(w, i)->glued; /* "at 4ish", but "5ish" counts */
}

/* "5pm", "17:30", "5.30 pm", "17h30", "1030" behind at, "8 o'clock", "at 5". */
static int clock_digits(const struct scan *s, int i, bool after_at, struct phrase *p)
{
    const struct words *w = s->words;
    const struct token *t = words_at(w, i);
    if (t->kind != TOKEN_NUMBER || t->digits > 4 || !clean_before(w, i))
        return 0;
    int hour = (int)t->number, minute = -1, second = 0, which = MERIDIEM_NONE, n = 1;
    bool military = t->digits >= 3, dotted = false;
    if (military) {
        minute = hour % 100;
        hour /= 100;
    } else {
        dotted = token_punct(words_at(w, i + 1), ".");
        n += minutes_glued(w, i + 1, &minute, &second);
    }
    bool colon = n > 1;
    int clock = clock_mark(w, i + n, after_at);
    n += clock;
    int m = meridiem(w, i + n, &which);
    n += m;
    bool range =
        m && token_punct(words_at(w, i + n), "-") && words_at(w, i + n + 1)->kind == TOKEN_NUMBER; /* "2pm-4pm" */
    if ((!range && !clean_after(w, i + n)) || minute >= 60 || hour > 24 || (hour == 24 && minute > 0))
        return 0;
    if (colon && dotted && !m && !after_at)
        return 0; /* 5.30 alone is a price or a decimal */
    if (military && !m && !(after_at && hour_may_end(w, i + n)) && !token_any(words_at(w, i + n), "hours|hrs"))
        return 0;
    if (military && !m && token_any(words_at(w, i + n), "hours|hrs"))
        n++;
    if (!colon && !m && !clock && !military && !(after_at && hour_may_end(w, i + n)))
        return 0;
    if (!apply_meridiem(which, &hour))
        return 0;
    if (m || hour > 12 || hour == 0 || (t->digits >= 2 && t->text[0] == '0') || second)
        p->flags |= PHRASE_EXACT_HOUR;
    if (colon)
        p->flags |= PHRASE_COLON;
    if (hour == 24) {
        p->flags |= PHRASE_NEXT_MIDNIGHT;
        hour = 0;
    }
    set_time(p, hour, minute < 0 ? 0 : minute, second);
    return n;
}

static bool hour_word(const struct words *w, int i, int *hour)
{
    return token_class(words_at(w, i), CLASS_CARDINAL, hour) && *hour >= 1 && *hour <= 12;
}

/* "ten am", "five thirty pm", "at five", "at ten fifteen", "seven o'clock". */
static int clock_words(const struct scan *s, int i, bool after_at, struct phrase *p)
{
    const struct words *w = s->words;
    int hour, which = MERIDIEM_NONE, n = 1;
    int64_t minute = 0;
    if (!hour_word(w, i, &hour))
        return 0;
    n += token_punct(words_at(w, i + n), "-");
    int used = words_at(w, i + n)->kind == TOKEN_WORD ? words_cardinal(w, i + n, &minute) : 0;
    if (used && (minute < 10 || minute > 59))
        used = 0, minute = 0;
    n = used ? n + used : 1;
    bool clock = token_any(words_at(w, i + n), "o'clock|oclock");
    if (!clock && token_is(words_at(w, i + n), "o") && token_is(words_at(w, i + n + 1), "clock"))
        n++, clock = true;
    n += clock;
    int m = meridiem(w, i + n, &which);
    n += m;
    if (!m && !clock && !(after_at && hour_may_end(w, i + n)))
        return 0;
    if (!apply_meridiem(which, &hour))
        return 0;
    if (m)
        p->flags |= PHRASE_EXACT_HOUR;
    set_time(p, hour, (int)minute, 0);
    return n;
}

/* The hour of "half past X": digits or words with am/pm, or noon, midnight.  Tokens used; *exact when certain. */
static int full_hour(const struct words *w, int i, int *hour, bool *exact)
{
    int which = MERIDIEM_NONE, n = 1;
    const struct token *t = words_at(w, i);
    *exact = false;
    if (token_any(t, "noon|midday|midnight")) {
        *hour = token_is(t, "midnight") ? 24 : 12;
        *exact = true;
        return 1;
    }
    if (t->kind == TOKEN_NUMBER && t->digits <= 2 && t->number <= 23)
        *hour = (int)t->number;
    else if (!hour_word(w, i, hour))
        return 0;
    n += token_any(words_at(w, i + 1), "o'clock|oclock");
    int m = meridiem(w, i + n, &which);
    if (!apply_meridiem(which, hour))
        return 0;
    *exact = m > 0 || *hour > 12;
    return n + m;
}

/* "half past 3 pm", "a quarter to six", "twenty minutes past five", "10 to 8", "half five". */
static int clock_past(const struct scan *s, int i, bool after_at, struct phrase *p)
{
    const struct words *w = s->words;
    int64_t minutes = 0;
    int n = token_is(words_at(w, i), "a"), hour;
    bool exact, half = token_is(words_at(w, i + n), "half");
    if (half)
        minutes = 30, n++;
    else if (token_is(words_at(w, i + n), "quarter"))
        minutes = 15, n++;
    else {
        int used = n ? 0 : words_cardinal(w, i, &minutes);
        if (!used || minutes < 1 || minutes > 59 || !clean_before(w, i))
            return 0;
        n = used;
        bool unit = token_any(words_at(w, i + n), "minutes|minute|min|mins");
        n += unit;
        if (!unit && minutes % 5 != 0)
            return 0;
    }
    bool to = token_any(words_at(w, i + n), "to|before|till|of");
    if (!to && !token_any(words_at(w, i + n), "past|after")) {
        int used = half && n == 1 ? full_hour(w, i + n, &hour, &exact) : 0; /* British "half five" */
        if (!used || hour > 12 || !hour_may_end(w, i + n + used) || (!after_at && !exact && !s->whole))
            return 0;
        set_time(p, hour, 30, 0);
        p->flags |= exact ? PHRASE_EXACT_HOUR : 0;
        return n + used;
    }
    n++;
    int used = full_hour(w, i + n, &hour, &exact);
    if (!used)
        return 0;
    if (words_at(w, i)->kind == TOKEN_NUMBER && to && !after_at && !exact && !hour_may_end(w, i + n + used))
        return 0; /* "10 to 8 people" */
    int total = hour * 60 + (to ? -(int)minutes : (int)minutes);
    if (to && !exact && hour == 1)
        total += 12 * 60; /* "quarter to one" */
    total = (total + 24 * 60) % (24 * 60);
    set_time(p, total / 60, total % 60, 0);
    p->flags |= exact ? PHRASE_EXACT_HOUR : 0;
    return n + used;
}

/* "noon", "12 noon", "the midday", "midnight", "eod", "end of the day", "close of business". */
static int clock_named(const struct scan *s, int i, struct phrase *p)
{
    const struct words *w = s->words;
    int n = token_is(words_at(w, i), "the"), v;
    n += words_at(w, i + n)->kind == TOKEN_NUMBER && words_at(w, i + n)->number == 12 &&
         token_any(words_at(w, i + n + 1), "noon|midday|midnight");
    const struct token *t = words_at(w, i + n);
    if (token_any(t, "noon|midday|noontime|midnight|lunchtime") && token_class(t, CLASS_DAYPART, &v)) {
        set_time(p, v / 100, 0, 0);
        p->flags |= PHRASE_EXACT_HOUR | (v == 0 ? PHRASE_NEXT_MIDNIGHT : 0);
        return n + 1;
    }
    if (token_any(t, "eod|cob")) {
        set_time(p, 23, 59, 59);
        p->flags |= PHRASE_EXACT_HOUR;
        return n + 1;
    }
    int e = 0;
    if (token_any(t, "end|close") && token_is(words_at(w, i + n + 1), "of")) {
        e = 2 + token_any(words_at(w, i + n + 2), "the|my");
        if (token_any(words_at(w, i + n + e), "day|business"))
            e++;
        else if (!token_class(words_at(w, i + n + e), CLASS_DAY, &v) &&
                 !token_class(words_at(w, i + n + e), CLASS_WEEKDAY, &v))
            e = 0; /* "end of tomorrow": the day itself is the next part */
    }
    if (!e)
        return 0;
    set_time(p, 23, 59, 59);
    p->flags |= PHRASE_EXACT_HOUR;
    return n + e;
}

int when_rule_time(const struct scan *s, int i, struct phrase *p)
{
    const struct words *w = s->words;
    bool at = token_any(words_at(w, i - 1), "at|by|before|until|till|around|after|from|past") ||
              token_punct(words_at(w, i - 1), "@") ||
              (token_is(words_at(w, i - 1), "about") && token_is(words_at(w, i - 2), "at"));
    if (token_is(words_at(w, i - 1), "between") && token_is(words_at(w, i + 1), "and") &&
        words_at(w, i + 2)->kind == TOKEN_NUMBER)
        at = token_any(words_at(w, i + 3), "am|pm|a|p") ||
             token_punct(words_at(w, i + 3), ":"); /* "between 3 and 4pm" */
    bool after_at = at || p->has_date || p->has_daypart;
    int best = 0;
    struct phrase found = *p;
    for (int rule = 0; rule < 4; rule++) {
        struct phrase tried = *p;
        int n = rule == 0   ? clock_past(s, i, after_at, &tried)
                : rule == 1 ? clock_digits(s, i, after_at, &tried)
                : rule == 2 ? clock_words(s, i, after_at, &tried)
                            : clock_named(s, i, &tried);
        if (n > best) {
            best = n;
            found = tried;
        }
    }
    int v;
    const struct token *next = words_at(w, i + 1);
    if (!best && ((token_class(next, CLASS_DAY, &v) && v >= 0) || token_class(next, CLASS_DAYPART, &v) ||
                  (token_is(next, "in") && token_is(words_at(w, i + 2), "the") &&
                   token_class(words_at(w, i + 3), CLASS_DAYPART, &v)) ||
                  (token_is(next, "at") && token_any(words_at(w, i + 2), "night")) ||
                  (token_is(next, "this") && token_class(words_at(w, i + 2), CLASS_DAYPART, &v)))) {
        /* "8 tonight", "9 tomorrow morning", "6 in the afternoon", "11 at night" */
        bool strong = !token_class(next, CLASS_DAY, &v) || token_is(next, "tonight") ||
                      token_class(words_at(w, i + 2), CLASS_DAYPART, &v);
        struct phrase tried = *p;
        if (strong || s->whole)
            best = clock_digits(s, i, true, &tried);
        if (!best && strong)
            best = clock_words(s, i, true, &tried);
        if (best)
            found = tried;
    }
    if (best)
        *p = found;
    return best;
}

/* "this morning", "in the evening", "at night", "tonight" is a day (named there), "morning". */
int when_rule_daypart(const struct scan *s, int i, struct phrase *p)
{
    const struct words *w = s->words;
    int n = 0, v;
    bool today = false, placed = false;
    if (token_is(words_at(w, i), "this")) {
        n = 1, today = true;
    } else if (token_is(words_at(w, i), "later") && token_is(words_at(w, i + 1), "this")) {
        n = 2, today = true;
    } else if (token_any(words_at(w, i), "in|during") && token_any(words_at(w, i + 1), "the")) {
        n = 2, placed = true;
    } else if (token_is(words_at(w, i), "at") && token_any(words_at(w, i + 1), "night|nights")) {
        n = 1, placed = true;
    }
    n += (today || placed || p->has_date) && token_any(words_at(w, i + n), "early|late");
    if (!today && !placed && !p->has_date && !p->has_time && !p->repeat)
        return 0; /* "morning" alone is a greeting */
    const struct token *t = words_at(w, i + n);
    if (!token_class(t, CLASS_DAYPART, &v) || token_any(t, "noon|midday|midnight|noontime|lunchtime|tonight"))
        return 0;
    p->has_daypart = true;
    p->daypart = v;
    if (t->possessive)
        p->flags |= PHRASE_POSSESSIVE;
    if (today) {
        p->flags |= PHRASE_TODAY_PART;
        p->has_date = true;
        p->date = when_today(s);
    }
    if (token_is(words_at(w, i), "at"))
        p->flags |= PHRASE_AT_NIGHT;
    return n + 1;
}
