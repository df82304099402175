/* SPDX-License-Identifier: MIT
 * when_phrase: parts joined into phrases, phrases resolved to one wall-clock time, and the search for phrases in a
 * sentence.  Called by when.c and parse*.c; pure.  A scan visits each token once and looks at most PHRASE_PARTS_MAX
 * parts ahead. */
#include "router/when_scan.h"
#include <string.h>

enum { PHRASE_PARTS_MAX = 6, LEAD_TOKENS_MAX = 4 };

static bool usable(const struct token *t)
{
    return t->kind == TOKEN_WORD || t->kind == TOKEN_NUMBER || t->kind == TOKEN_PART || token_punct(t, "+-@.");
}

static int longest(const struct scan *s, int i, int (*const *rules)(const struct scan *, int, struct phrase *),
                   struct phrase *p)
{
    int best = 0;
    struct phrase found = *p;
    for (; *rules; rules++) {
        struct phrase tried = *p;
        int n = (*rules)(s, i, &tried);
        if (n > best) {
            best = n;
            found = tried;
        }
    }
    *p = found;
    return best;
}

int when_date_part(const struct scan *s, int i, struct phrase *p)
{
    static int (*const rules[])(const struct scan *, int, struct phrase *) = {
        when_rule_named_day, when_rule_month_day, when_rule_numeric, when_rule_nth,           when_rule_relative,
        when_rule_holiday,   when_rule_period,    when_rule_weekday, when_rule_month_ordinal, NULL,
    };
    return usable(words_at(s->words, i)) ? longest(s, i, rules, p) : 0;
}

int when_anchor(const struct scan *s, int i, struct phrase *p)
{
    /* No relative rule here: anchors do not nest, so a chain of "a week after a week after …" stays linear. */
    static int (*const rules[])(const struct scan *, int, struct phrase *) = {
        when_rule_named_day, when_rule_month_day, when_rule_numeric,       when_rule_nth, when_rule_holiday,
        when_rule_period,    when_rule_weekday,   when_rule_month_ordinal, NULL,
    };
    return usable(words_at(s->words, i)) ? longest(s, i, rules, p) : 0;
}

/* "friday the 13th": the next month whose 13th is a Friday. */
static void match_weekday(int weekday, struct phrase *p)
{
    struct civil first = p->date;
    first.day = 1;
    for (int months = 0; months < 60; months++) {
        struct civil c = first;
        civil_add_months(&c, months);
        c.day = p->date.day;
        if (civil_valid(&c) && civil_weekday(&c) == weekday) {
            p->date = c;
            return;
        }
    }
}

/* A date explains a weekday that stands before or behind it: "Fri, Jul 18", "18 July, Friday". */
static int more_date(const struct scan *s, int i, struct phrase *p)
{
    struct phrase tried = *p;
    tried.has_date = false;
    tried.flags &= ~(unsigned)(PHRASE_VAGUE_WEEKDAY | PHRASE_WEAK);
    int n = when_date_part(s, i, &tried);
    if (!n)
        return 0;
    if ((p->flags & PHRASE_VAGUE_WEEKDAY) && !(tried.flags & (PHRASE_VAGUE_WEEKDAY | PHRASE_MOMENT | PHRASE_PERIOD))) {
        struct phrase named = { 0 };
        if (when_rule_named_day(s, i, &named))
            return 0;
        if (when_rule_month_ordinal(s, i, &named) == n)
            match_weekday(civil_weekday(&p->date), &tried);
        *p = tried;
        return n;
    }
    if ((tried.flags & PHRASE_VAGUE_WEEKDAY) && civil_weekday(&tried.date) == civil_weekday(&p->date))
        return n; /* "the 20th, friday" */
    return 0;
}

/* The longest part at i that adds something. */
static int part_at(const struct scan *s, int i, struct phrase *p)
{
    if (!usable(words_at(s->words, i)) || (p->flags & PHRASE_MOMENT && p->has_date))
        return 0;
    struct phrase tried[4] = { *p, *p, *p, *p };
    int n[4] = { 0 }, best = 0;
    if (!p->repeat)
        n[0] = when_rule_repeat(s, i, &tried[0]);
    n[1] = p->has_date ? more_date(s, i, &tried[1]) : when_date_part(s, i, &tried[1]);
    if (n[1] && p->has_time && (tried[1].flags & PHRASE_MOMENT))
        n[1] = 0; /* "at 5 in 2 hours" makes no sense */
    if (!p->has_time)
        n[2] = when_rule_time(s, i, &tried[2]);
    if (!p->has_daypart)
        n[3] = when_rule_daypart(s, i, &tried[3]);
    for (int k = 1; k < 4; k++)
        if (n[k] > n[best])
            best = k;
    if (n[best])
        *p = tried[best];
    return n[best];
}

/* Words that may stand before a phrase or between its parts; "in" belongs to its rules. */
static bool lead_word(const struct token *t)
{
    return token_any(t, "on|at|by|before|until|till|due|for|from|around|about|starting|beginning|sometime|the|since|"
                        "after|approximately|exactly|between") ||
           token_punct(t, "@");
}

static int glued_part(const struct scan *s, int i, struct phrase *p)
{
    int used = when_rule_repeat_end(s, i, p);
    if (!used && p->repeat && token_any(words_at(s->words, i), "until|till"))
        return 0; /* an end that is not understood is no beginning */
    if (!used)
        used = part_at(s, i, p);
    for (int skip = 1; !used && skip <= 3; skip++) {
        const struct token *t = words_at(s->words, i + skip - 1);
        bool glue = token_punct(t, ",-@") ||
                    token_any(t, "on|at|by|in|for|from|around|about|the|starting|due|t|sharp|of|before|until") ||
                    (skip == 1 && (token_punct(t, "(") || (token_is(t, "and") && p->has_date &&
                                                           token_is(words_at(s->words, i + skip), "at"))));
        if (!glue || (t->kind == TOKEN_PUNCT && t->punct == '-' && t->glued))
            return 0;
        used = part_at(s, i + skip, p);
        if (used)
            return skip + used;
    }
    return used;
}

/* "from 2 to 4 pm": the end of the stretch is read over. */
static int stretch_end(const struct scan *s, int i, const struct phrase *p)
{
    struct phrase other = { .has_date = true };
    bool between =
        token_is(words_at(s->words, p->begin), "between") || token_is(words_at(s->words, p->begin + 1), "between");
    if (!p->has_time ||
        !(token_any(words_at(s->words, i), "to|until|till") || token_punct(words_at(s->words, i), "-") ||
          (between && token_is(words_at(s->words, i), "and"))))
        return 0;
    int n = when_rule_time(s, i + 1, &other);
    return n ? n + 1 : 0;
}

/* "at 8 and 20", "8am, 2pm and 8pm": more times behind the first; tokens used. */
static int more_times(const struct scan *s, int i, struct phrase *p)
{
    int n = 0;
    while (p->has_time && !(p->flags & PHRASE_MOMENT) && p->more_count < MORE_TIMES_MAX) {
        int glue = token_punct(words_at(s->words, i + n), ",&/");
        glue += token_is(words_at(s->words, i + n + glue), "and");
        int at = glue && token_is(words_at(s->words, i + n + glue), "at");
        struct phrase other = { .has_date = true }, date = { 0 };
        int used = glue ? when_rule_time(s, i + n + glue + at, &other) : 0;
        if (!used || when_date_part(s, i + n + glue + at, &date) > used)
            break; /* "8pm, 1 jan" */
        p->more[p->more_count++] =
            (struct more_time){ other.hour, other.minute, (other.flags & PHRASE_EXACT_HOUR) != 0 };
        n += glue + at + used;
    }
    return n;
}

static bool small_hour(int hour)
{
    return hour >= 1 && hour <= 6;
}

/* Which of 5:00 and 17:00 is meant; p->date is today when none was said. */
static void guess_half(const struct scan *s, struct phrase *p, struct civil *at)
{
    bool future_taken = civil_compare(at, &s->options->now) > 0;
    if (p->hour > 12 || p->hour == 0)
        return;
    if (s->options->day_first && (p->flags & PHRASE_COLON))
        return; /* outside the US a colon means the 24 h clock */
    if (p->hour == 12)
        return;
    if (s->options->past)
        return;
    bool today = p->has_date && civil_days_between(&s->options->now, &p->date) == 0;
    if (small_hour(p->hour) && !(p->flags & PHRASE_AT_NIGHT))
        at->hour += 12;
    else if ((!p->has_date || today) && !future_taken) {
        struct civil later = *at;
        later.hour += 12;
        if (civil_compare(&later, &s->options->now) > 0)
            *at = later; /* "at 9" said at 11 in the morning */
    }
}

/* An hour beside "in the afternoon", "tonight", "in the morning". */
static void hour_in_daypart(struct phrase *p, struct civil *at)
{
    bool morning = p->daypart < 1200, night_only = p->flags & PHRASE_AT_NIGHT;
    if (p->flags & PHRASE_EXACT_HOUR)
        return;
    if (morning) {
        at->hour = p->hour == 12 ? 0 : p->hour;
    } else if (p->hour == 12) {
        if (p->daypart == 1500 && !(p->flags & PHRASE_TODAY_PART))
            return; /* "12 in the afternoon" is noon */
        at->hour = 0;
        p->flags |= PHRASE_NEXT_MIDNIGHT;
    } else if (p->hour < 12 && !(night_only && p->hour <= 4)) {
        at->hour += 12;
    }
}

static bool resolve_one(const struct scan *s, struct phrase *p)
{
    struct civil at = p->has_date ? p->date : when_today(s);
    if (p->repeat) {
        struct civil t = { .year = 2000, .month = 1, .day = 1, .hour = p->hour, .minute = p->minute };
        if (p->has_time && p->has_daypart)
            hour_in_daypart(p, &t);
        else if (p->has_time && !(p->flags & PHRASE_EXACT_HOUR) && small_hour(p->hour) &&
                 !(s->options->day_first && (p->flags & PHRASE_COLON)))
            t.hour += 12;
        p->hour = t.hour;
        return when_repeat_first(s, p);
    }
    if (!p->has_time && !p->has_daypart) {
        p->at = at;
        return p->has_date;
    }
    at.hour = p->has_time ? p->hour : p->daypart / 100;
    at.minute = p->has_time ? p->minute : p->daypart % 100;
    at.second = p->has_time ? p->second : 0;
    if (p->has_time && p->has_daypart)
        hour_in_daypart(p, &at);
    else if (p->has_time && !(p->flags & PHRASE_EXACT_HOUR))
        guess_half(s, p, &at);
    bool today = !p->has_date || civil_days_between(&s->options->now, &at) == 0;
    if ((p->flags & PHRASE_NEXT_MIDNIGHT) && today)
        civil_add_days(&at, 1);
    else if (!p->has_date && !s->options->past && civil_compare(&at, &s->options->now) <= 0)
        civil_add_days(&at, 1);
    else if (!p->has_date && s->options->past && civil_compare(&at, &s->options->now) > 0)
        civil_add_days(&at, -1);
    p->at = at;
    return true;
}

static bool resolve(const struct scan *s, struct phrase *p)
{
    for (int k = 0; k < p->more_count; k++) {
        struct phrase other = *p;
        other.hour = p->more[k].hour, other.minute = p->more[k].minute, other.second = 0;
        other.flags &= ~(unsigned)PHRASE_EXACT_HOUR;
        other.flags |= p->more[k].exact ? PHRASE_EXACT_HOUR : 0;
        if (!resolve_one(s, &other))
            return false;
        p->also[k] = other.at;
    }
    return resolve_one(s, p);
}

/* A phrase of one weak part needs a preposition, or an end of the sentence beside it. */
static bool strong_enough(const struct scan *s, const struct phrase *p, int parts)
{
    if (!(p->flags & PHRASE_WEAK) || s->whole || parts > 1)
        return true;
    const struct token *next = words_at(s->words, p->end);
    bool closed = next->kind == TOKEN_END || next->kind == TOKEN_NEWLINE || next->kind == TOKEN_SYMBOL ||
                  (next->kind == TOKEN_PUNCT && !next->glued) || token_punct(next, ",.!?;)") ||
                  token_any(next, "please|and|or|to|at|because|so|then|thanks|with|for|about|if|but|i|we");
    return closed && ((p->flags & PHRASE_LEAD) || p->begin == 0 || next->kind != TOKEN_WORD);
}

int when_phrase(const struct scan *s, int i, struct phrase *out)
{
    *out = (struct phrase){ .begin = i };
    int lead = 0, parts = 0;
    while (lead < LEAD_TOKENS_MAX && lead_word(words_at(s->words, i + lead)) &&
           !token_is(words_at(s->words, i + lead), "the") && !token_is(words_at(s->words, i + lead), "of"))
        lead++;
    int at = i + lead;
    int used = part_at(s, at, out);
    if (!used && lead && token_is(words_at(s->words, at), "the")) {
        at++;
        used = part_at(s, at, out);
    }
    if (!used && lead) { /* "before 2 days"; "after 10 minutes": the rule wants its preposition */
        at = i + lead - 1;
        used = part_at(s, at, out);
    }
    if (!used && !lead)
        return 0;
    if (lead || token_any(words_at(s->words, i), "in|every|within"))
        out->flags |= PHRASE_LEAD;
    for (int end = at + used; used && parts < PHRASE_PARTS_MAX; end += used) {
        end += stretch_end(s, end, out);
        end += more_times(s, end, out);
        out->end = end;
        parts++;
        used = glued_part(s, end, out);
    }
    if (!parts)
        return 0;
    if (!strong_enough(s, out, parts) || !resolve(s, out))
        return 0;
    return out->end - i;
}

/* How sure is it that this phrase says when, and not what? */
static int score(const struct scan *s, const struct phrase *p)
{
    const struct token *before = words_at(s->words, p->begin - 1), *next = words_at(s->words, p->end);
    int points = p->end - p->begin;
    bool end = next->kind == TOKEN_END || next->kind == TOKEN_NEWLINE || (next->kind == TOKEN_PUNCT && !next->glued) ||
               token_any(next, "please|thanks");
    points += end ? 4 : 0;
    points += p->begin == 0 ? 3 : 0;
    points += p->flags & PHRASE_LEAD ? 3 : 0;
    points += p->has_time && p->has_date ? 2 : 0;
    points += p->repeat ? 2 : 0;
    if (token_any(words_at(s->words, p->begin), "about|of") && !p->has_time)
        points -= 4;
    if (token_any(before, "about|regarding|re|of|called|named|titled|the|my|his|her|our|their|than|how|last") ||
        (p->flags & PHRASE_LEAD && token_any(words_at(s->words, p->begin), "about|from|of") && !p->has_time))
        points -= 6;
    if (p->flags & PHRASE_POSSESSIVE)
        points -= 6;
    if (!end && next->kind == TOKEN_WORD && !(p->flags & PHRASE_LEAD) &&
        !token_any(next, "at|to|and|for|with|about|please|i|in|on|because|by|before|from|so|then|that|or|if|as|when"))
        points -= 2; /* "friday meeting" */
    const struct token *last_lead = words_at(s->words, p->begin + 1);
    if (!end && next->kind == TOKEN_WORD && (token_is(before, "the") || token_is(last_lead, "the")) && p->has_time &&
        !p->has_date && !token_any(next, "at|to|and|on|about|please|because"))
        points -= 8; /* "for the 8pm show" */
    return points;
}

/* Phrases cannot begin at these: the common words of a sentence, skipped before any rule is tried. */
static bool can_begin(const struct token *t)
{
    if (t->kind == TOKEN_NUMBER || t->kind == TOKEN_PART || t->lexeme >= 0)
        return true;
    if (t->kind == TOKEN_PUNCT)
        return strchr("@+", t->punct);
    return t->kind == TOKEN_WORD && strlen(t->text) <= 14;
}

int when_all(const struct scan *s, struct phrase *out, int max)
{
    int count = 0;
    for (int i = 0; i < s->words->count && count < max;) {
        struct phrase p;
        int n = can_begin(words_at(s->words, i)) ? when_phrase(s, i, &p) : 0;
        if (!n) {
            i++;
            continue;
        }
        p.score = score(s, &p);
        out[count++] = p;
        i = p.end;
    }
    return count;
}
