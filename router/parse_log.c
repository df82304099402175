/* SPDX-License-Identifier: MIT
 * parse_log: what the families of health logs share: who is speaking, which day, which words are understood.  Called
 * by parse_sleep.c, parse_exercise.c, parse_intake.c, parse_body.c; pure. */
#include "router/parse_scan.h"
#include <math.h>
#include <string.h>

bool parse_log_real(const struct sentence *s, struct span span)
{
    static const char others[] =
        "he|she|they|you|who|sister|brother|wife|husband|mom|dad|mother|father|son|daughter|friend|baby|kid|kids|dog's|"
        "cat|"
        "boss|john|people|everyone|someone|nobody|doctor|coach|girlfriend|boyfriend|partner|uncle|aunt|neighbor|"
        "neighbour|his|her|their|your|"
        "he's|she's|they've|husband's|wife's|told|said|says|asked|saw|read|heard|article|movie|book|song";
    if (s->question || parse_is_question(s, span) || parse_unreal(s, span))
        return false;
    if (token_any(words_at(s->words, span.begin),
                  "remind|buy|order|set|call|book|get|find|show|schedule|plan|tell|ask|make|delete|remove|note|list"))
        return false;
    int other = parse_find(s, span, others);
    if (other < 0 || (token_is(words_at(s->words, other - 1), "a") && token_is(words_at(s->words, other - 2), "like")))
        return true; /* "slept like a baby" */
    /* "ran with my sister", "walked with john": company is fine */
    for (int i = span.begin; i < other; i++)
        if (token_is(words_at(s->words, i), "with"))
            return true;
    return false;
}

bool parse_log_day(const struct sentence *s, struct span span, struct due *out)
{
    struct scan scan = { .arena = s->arena, .words = s->words, .options = s->options };
    struct civil today = when_today(&scan);
    parse_due(s, span, true, out);
    if (!out->found || out->repeat)
        return !out->repeat;
    out->at.hour = -1;
    out->at.minute = out->at.second = 0;
    if (!out->dated || civil_compare(&out->at, &today) == 0)
        out->found = false;
    return !out->found || civil_compare(&out->at, &today) < 0;
}

static bool in_cut(const struct due *due, int i)
{
    for (int k = 0; due && k < due->cuts; k++)
        if (i >= due->cut[k].begin && i < due->cut[k].end)
            return true;
    return false;
}

bool parse_log_lead(const struct sentence *s, struct span span, int until, const struct due *due)
{
    static const char lead[] =
        "i|i've|i'm|have|has|had|just|also|then|only|finally|managed|to|log|logged|add|added|record|recorded|track|"
        "tracked|put|"
        "enter|my|me|for|and|so|today|today's|did|do|done|got|get|getting|went|was|am|about|around|roughly|"
        "approximately|approx|like|"
        "please|actually|now|already|a|an|the|of|in|on|at|we|another|it|morning|evening|afternoon|night|last|this|"
        "yesterday|after|before|"
        "took|take|spent|completed|finished|enjoyed|good|great|nice|solid|quick|short|long|easy|hard|some|probably|"
        "still|with|"
        "km|k|kms|mile|miles|mi|m|meter|meters|kilometer|kilometers|kilometre|kilometres|hit|minute|hour|"
        "bad|rubbish|terrible|awful|restless|rough|poor|crap|night|health|exercise|workout|sleep|entry|session|total|"
        "nearly|barely|yes|ok|well|fell|back|from|home|returned|came|"
        "big|"
        "little|proper|decent|lovely|cheeky|light|gentle|brisk|slow|fast|lunchtime|early|late|daily|usual";
    for (int i = span.begin; i < until; i++) {
        const struct token *t = words_at(s->words, i);
        double v;
        int unit;
        if (t->kind != TOKEN_WORD || in_cut(due, i) || token_any(t, lead) || token_class(t, CLASS_UNIT, &unit) ||
            words_amount(s->words, i, &v))
            continue;
        return false;
    }
    return true;
}

void parse_mark(bool *known, struct span whole, struct span part)
{
    for (int i = part.begin; i < part.end; i++)
        if (i >= whole.begin && i - whole.begin < ROUTE_TOKENS_MAX)
            known[i - whole.begin] = true;
}

bool parse_all_known(const struct sentence *s, struct span span, const bool *known, const struct due *due,
                     const char *words)
{
    for (int i = span.begin; i < span.end; i++) {
        const struct token *t = words_at(s->words, i);
        bool plain = t->kind == TOKEN_PUNCT || t->kind == TOKEN_NEWLINE || t->kind == TOKEN_SYMBOL;
        if (!plain && !(i - span.begin < ROUTE_TOKENS_MAX && known[i - span.begin]) && !in_cut(due, i) &&
            !token_any(t, words))
            return false;
    }
    return true;
}

int parse_rounds(const struct sentence *s, struct span span, int i, double *minutes)
{
    const struct words *w = s->words;
    int64_t count;
    int n = words_cardinal(w, i, &count);
    double each;
    if (n && count >= 1 && count <= 20) {
        int times = token_any(words_at(w, i + n), "x|times") ? 1
                    : token_any(words_at(w, i + n), "rounds|round|sessions|sets|visits")
                        ? 1 + token_any(words_at(w, i + n + 1), "of|at|for|a")
                        : 0;
        times += times && token_punct(words_at(w, i + n + times), ",:");
        int used = times ? words_duration(w, i + n + times, &each) : 0;
        if (used && i + n + times + used <= span.end) {
            *minutes = each * (double)count;
            int last = i + n + times + used;
            return last - i + token_any(words_at(w, last), "each|rounds|sessions");
        }
    }
    n = words_duration(w, i, minutes);
    if (!n || i + n > span.end)
        return 0;
    if (token_any(words_at(w, i + n), "x|times") && words_cardinal(w, i + n + 1, &count) && count >= 1 && count <= 20) {
        *minutes *= (double)count; /* "10 min x 2" */
        return n + 2;
    }
    return n;
}

double parse_round(double value, int decimals)
{
    double scale = decimals == 0 ? 1 : decimals == 1 ? 10 : 100;
    return round(value * scale) / scale;
}
