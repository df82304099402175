/* SPDX-License-Identifier: MIT
 * parse_due: what a span says about when, and the person's words without it.  Between the sentence rules and the date
 * parser (when_all()); pure. */
#include "router/parse_scan.h"
#include <string.h>

enum { PHRASES_MAX = 12 };

static struct words sub_words(const struct sentence *sentence, struct span s)
{
    return (struct words){ .source = sentence->words->source,
                           .token = sentence->words->token + s.begin,
                           .count = s.end - s.begin };
}

/* "cook for Saturday dinner", "snacks for the friday movie night": the day is part of the thing, and tells when. */
static bool describes(const struct sentence *sentence, struct span s)
{
    const struct words *w = sentence->words;
    const struct token *next = words_at(w, s.end);
    return token_is(words_at(w, s.begin), "for") && words_at(w, s.begin - 1)->kind == TOKEN_WORD &&
           next->kind == TOKEN_WORD &&
           !token_any(next, "at|to|and|for|with|about|please|i|in|on|because|by|before|after|from|so|then|that|or|if|"
                            "as|when|but|until|till|remind|call|thanks|the|my|we|is|of|called|named|me|us");
}

static void cut(const struct sentence *sentence, struct due *due, const struct phrase *p, int offset)
{
    struct span s = { p->begin + offset, p->end + offset };
    if (describes(sentence, s))
        return;
    if (token_punct(words_at(sentence->words, s.begin - 1), "(") && token_punct(words_at(sentence->words, s.end), ")"))
        s.begin--, s.end++;
    due->cut[due->cuts++] = s;
}

static bool no_due(const struct phrase *p, bool past)
{
    if (past && (p->flags & PHRASE_MOMENT) && !(p->flags & PHRASE_OLD))
        return true; /* "in 30 min" is how long it took, not when it was */
    return p->score <= 0 || (p->flags & PHRASE_POSSESSIVE) || (!past && (p->flags & PHRASE_OLD));
}

/* The further times of a phrase, on the day that was found. */
static void also_due(struct due *due, const struct phrase *timed, bool apart)
{
    for (int k = 0; k < timed->more_count; k++) {
        struct civil day = apart ? due->at : timed->also[k], time = timed->also[k];
        due->also[due->also_count++] =
            (struct civil){ day.year, day.month, day.day, time.hour, time.minute, time.second };
    }
}

void parse_due(const struct sentence *sentence, struct span s, bool past, struct due *due)
{
    *due = (struct due){ 0 };
    if (s.begin >= s.end)
        return;
    struct when_options options = *sentence->options;
    options.past = past;
    struct words w = sub_words(sentence, s);
    struct scan scan = { .arena = sentence->arena, .words = &w, .options = &options };
    struct phrase phrase[PHRASES_MAX];
    int count = when_all(&scan, phrase, PHRASES_MAX), best = -1, other = -1;
    for (int i = 0; i < count; i++)
        if (!no_due(&phrase[i], past) && (best < 0 || phrase[i].score >= phrase[best].score))
            best = i;
    if (best < 0)
        return;
    bool dated = phrase[best].has_date || phrase[best].repeat;
    for (int i = 0; i < count; i++) {
        bool date = phrase[i].has_date, time = phrase[i].at.hour >= 0;
        if (i != best && !no_due(&phrase[i], past) && !phrase[i].repeat && other < 0 &&
            (dated ? phrase[best].at.hour < 0 && time && !date : date && !time))
            other = i;
    }
    due->found = true;
    due->dated = dated || other >= 0;
    due->at = phrase[best].at;
    due->repeat = phrase[best].repeat;
    cut(sentence, due, &phrase[best], s.begin);
    if (other >= 0) {
        struct civil day = dated ? phrase[best].at : phrase[other].at,
                     time = dated ? phrase[other].at : phrase[best].at;
        due->at = (struct civil){ day.year, day.month, day.day, time.hour, time.minute, time.second };
        cut(sentence, due, &phrase[other], s.begin);
    }
    bool timed_apart = other >= 0 && !phrase[best].more_count;
    also_due(due, timed_apart ? &phrase[other] : &phrase[best], other >= 0);
}

struct due parse_due_from(const struct due *due, int begin)
{
    struct due inside = *due;
    inside.cuts = 0;
    for (int k = 0; k < due->cuts; k++)
        if (due->cut[k].begin >= begin)
            inside.cut[inside.cuts++] = due->cut[k];
    return inside;
}

int parse_past_day(const struct sentence *sentence, struct span s)
{
    struct words w = sub_words(sentence, s);
    struct scan scan = { .arena = sentence->arena, .words = &w, .options = sentence->options };
    struct phrase p;
    int n = s.begin < s.end ? when_phrase(&scan, 0, &p) : 0;
    return n && (p.flags & PHRASE_OLD) && !(p.flags & PHRASE_POSSESSIVE) ? n : 0;
}

bool parse_all_date(const struct sentence *sentence, struct span s)
{
    struct words w = sub_words(sentence, parse_trim(sentence->words, s));
    struct scan scan = { .arena = sentence->arena, .words = &w, .options = sentence->options, .whole = true };
    struct phrase p;
    return w.count > 0 && when_phrase(&scan, 0, &p) == w.count;
}

/* Drop connectors left at the front ("to", "that", "about") and prepositions left at the end ("on", "at"). */
static void kept_edges(const struct sentence *sentence, struct span *part, int count)
{
    const struct words *w = sentence->words;
    for (int k = 0; k < count; k++) {
        while (part[k].begin < part[k].end &&
               (token_any(words_at(w, part[k].begin), "to|that|about|of|for|regarding|as|saying") ||
                token_punct(words_at(w, part[k].begin), ",:;-.!") || words_at(w, part[k].begin)->kind == TOKEN_NEWLINE))
            part[k].begin++;
        if (part[k].begin < part[k].end)
            break;
    }
    for (int k = count - 1; k >= 0; k--) {
        while (part[k].begin < part[k].end &&
               (token_any(words_at(w, part[k].end - 1), "at|on|by|the|for|to|and|before|until|of|from|please") ||
                (k < count - 1 && token_any(words_at(w, part[k].end - 1), "is|due")) || /* "the rent is due" + friday */
                token_punct(words_at(w, part[k].end - 1), ",:;-.!?") ||
                words_at(w, part[k].end - 1)->kind == TOKEN_NEWLINE))
            part[k].end--;
        if (part[k].begin < part[k].end)
            break;
    }
}

static bool is_quote(const struct token *t)
{
    return token_punct(t, "\"'");
}

struct span parse_unquote(const struct words *w, struct span s)
{
    int quotes = 0;
    for (int i = s.begin; i < s.end; i++)
        quotes += is_quote(words_at(w, i));
    bool first = s.begin < s.end && is_quote(words_at(w, s.begin)),
         last = s.begin < s.end && is_quote(words_at(w, s.end - 1));
    if (first && (quotes == 1 || (last && quotes == 2)))
        s.begin++;
    if (last && s.begin < s.end && (quotes == 1 || (first && quotes == 2)))
        s.end--;
    return s;
}

const char *parse_content(const struct sentence *sentence, struct span s, const struct due *due)
{
    struct span part[3];
    int count = 0;
    const char *out = "";
    s = parse_unquote(sentence->words, parse_trim(sentence->words, s));
    struct span left = s;
    for (int k = 0; due && k < due->cuts; k++) {
        struct span next = due->cut[k];
        if (due->cuts == 2 && due->cut[0].begin > due->cut[1].begin)
            next = due->cut[1 - k];
        part[count++] = (struct span){ left.begin, next.begin };
        left.begin = next.end;
    }
    part[count++] = left;
    kept_edges(sentence, part, count);
    for (int k = 0; k < count; k++) {
        if (part[k].begin >= part[k].end)
            continue;
        size_t from = words_at(sentence->words, part[k].begin)->begin;
        const char *text = arena_strndup(sentence->arena, sentence->words->source + from,
                                         words_at(sentence->words, part[k].end - 1)->end - from);
        out = *out ? arena_printf(sentence->arena, "%s %s", out, text) : text;
    }
    return out;
}
