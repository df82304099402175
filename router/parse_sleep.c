/* SPDX-License-Identifier: MIT
 * parse_sleep: sentences that report a night: "slept 7h30", "7 hours of sleep", "from 11pm to 7am", "went to bed at
 * 23:00 and woke up at 6:30".  Naps are none: a day has one row of sleep.  Called by parse.c; pure. */
#include "router/parse_scan.h"
#include "base/json.h"
#include <math.h>
#include <string.h>

static const double hours_min = 0.25, hours_max = 24;

static const char ask_hours[] = "How many hours did you sleep?";

static bool last_night(const struct sentence *s, struct span span)
{
    for (int i = span.begin; i + 1 < span.end; i++)
        if (token_any(words_at(s->words, i), "last|yesterday") && token_is(words_at(s->words, i + 1), "night"))
            return true;
    return false;
}

struct clock_time {
    int minutes;
    bool exact;
};

/* "23:30-7:00": the date rules take no time with a glued dash; tokens used. */
static int glued_clock(const struct words *w, int i, int *hour, int *minute)
{
    const struct token *h = words_at(w, i), *m = words_at(w, i + 2);
    if (h->digits > 2 || h->number > 24 || !token_punct(words_at(w, i + 1), ":") || m->kind != TOKEN_NUMBER ||
        m->digits != 2 || m->number > 59)
        return 0;
    *hour = (int)h->number % 24;
    *minute = (int)m->number;
    return 3;
}

/* Up to two times of day in the span; *known marks their tokens. */
static int clock_times(const struct sentence *s, struct span span, struct clock_time out[2], bool *known)
{
    struct scan scan = { .arena = s->arena, .words = s->words, .options = s->options };
    int count = 0;
    for (int i = span.begin; i < span.end && count < 2;) {
        struct phrase p = { .has_daypart = true };
        const struct token *before = words_at(s->words, i - 1), *t = words_at(s->words, i);
        bool placed =
            token_any(before,
                      "from|to|at|until|till|around|by|between|and|about|bed|asleep|up|slept|sleep|past|woke") ||
            token_punct(before, "-@");
        const struct token *to = words_at(s->words, i + 1);
        bool span_of_hours = token_is(before, "from") && t->kind == TOKEN_NUMBER && token_is(to, "till");
        int n = placed && t->kind != TOKEN_PUNCT && !span_of_hours ? when_rule_time(&scan, i, &p) : 0;
        if (!n && placed && t->kind == TOKEN_NUMBER && t->digits <= 2 && t->number <= 24 &&
            (token_punct(words_at(s->words, i + 1), "-") || token_any(words_at(s->words, i + 1), "to|until|till"))) {
            p.hour = (int)t->number % 24, p.minute = 0, n = 1; /* "from 11 to 7", "11-7" */
        }
        if (!n && placed && t->kind == TOKEN_NUMBER && (n = glued_clock(s->words, i, &p.hour, &p.minute)))
            p.flags = PHRASE_EXACT_HOUR * (p.hour > 12);
        if (!n && token_punct(before, "-") && t->kind == TOKEN_NUMBER && t->digits <= 2 && t->number <= 24 &&
            count == 1)
            p.hour = (int)t->number % 24, p.minute = 0, n = 1;
        if (!n || i + n > span.end) {
            i++;
            continue;
        }
        out[count++] = (struct clock_time){ p.hour * 60 + p.minute, (p.flags & PHRASE_EXACT_HOUR) != 0 || p.hour > 12 };
        parse_mark(known, span, (struct span){ i, i + n });
        i += n;
    }
    return count;
}

/* Of the readings that am and pm allow, the one nearest to eight hours. */
static double night_hours(const struct clock_time t[2])
{
    double best = -1;
    for (int a = 0; a < (t[0].exact ? 1 : 2); a++)
        for (int b = 0; b < (t[1].exact ? 1 : 2); b++) {
            int from = (t[0].minutes + a * 720) % 1440, to = (t[1].minutes + b * 720) % 1440;
            double hours = ((to - from + 1440) % 1440) / 60.0;
            if (best < 0 || fabs(hours - 8) < fabs(best - 8))
                best = hours;
        }
    return best;
}

/* "slept 7:30", "slept 7", "sleep: 7.5", "7.5h". */
static int bare_hours(const struct sentence *s, struct span span, int i, double *hours)
{
    const struct words *w = s->words;
    const struct token *before = words_at(w, i - 1), *t = words_at(w, i);
    if (!token_any(before, "slept|sleep|for|about|only|around|like|roughly|approximately|was|of|is|hours|logged|just|"
                           "log|duration|time") &&
        !token_punct(before, ":=~"))
        return 0;
    if (t->kind == TOKEN_NUMBER && t->digits <= 2 && token_punct(words_at(w, i + 1), ":") &&
        words_at(w, i + 2)->kind == TOKEN_NUMBER && words_at(w, i + 2)->digits == 2 && words_at(w, i + 2)->glued &&
        words_at(w, i + 2)->number < 60) {
        *hours = (double)t->number + (double)words_at(w, i + 2)->number / 60;
        return token_any(words_at(w, i + 3), "am|pm|a|p|to") || token_punct(words_at(w, i + 3), "-:")
                   ? 0
                   : 3 + token_any(words_at(w, i + 3), "hours|h|hrs");
    }
    int n = token_any(t, "a|an") ? 0 : words_amount(w, i, hours);
    const struct token *next = words_at(w, i + n);
    if (!n || token_punct(next, ":%") || token_any(next, "am|pm|o'clock|to|times|times|days|nights|people") ||
        (token_punct(next, "-") && next->glued))
        return 0;
    bool end = i + n >= span.end || next->kind != TOKEN_WORD ||
               token_any(next, "last|today|yesterday|this|on|and|but|tonight|straight|solid");
    return end ? n : 0;
}

static bool find_hours(const struct sentence *s, struct span span, double *hours, struct span *used)
{
    double minutes;
    for (int i = span.begin; i < span.end; i++) {
        int n = words_duration(s->words, i, &minutes);
        if (n && i + n <= span.end &&
            !token_any(words_at(s->words, i + n), "ago|later|longer|more|extra|before|late|early|after|from") &&
            (!token_any(words_at(s->words, i - 1), "in|after|every|within|extra|another") ||
             parse_verb(s, (struct span){ i + n, span.end }, "sleep|of sleep|kip|of kip") > 0)) {
            *hours = minutes / 60;
            *used = (struct span){ i, i + n };
            return true;
        }
        if (words_at(s->words, i)->kind == TOKEN_WORD || !n)
            n = n ? 0 : bare_hours(s, span, i, hours);
        if (n) {
            *used = (struct span){ i, i + n };
            return true;
        }
    }
    return false;
}

/* Words left over become the note: "slept 6 hours, woke up twice" → "woke up twice". */
static const char *leftover(const struct sentence *s, struct span span, int from)
{
    static const char filler[] = "of|sleep|slept|last|night|today|yesterday|and|but|hours|h|this|morning|in|total|on|i|"
                                 "for|straight|solid|the|at|only|just|about|a";
    struct span rest = parse_trim(s->words, (struct span){ from, span.end });
    struct due due;
    parse_due(s, rest, true, &due);
    for (int k = 0; k < 12 && rest.begin < rest.end; k++) {
        bool dated = due.cuts && rest.begin >= due.cut[0].begin && rest.begin < due.cut[0].end;
        if (!dated && !token_any(words_at(s->words, rest.begin), filler) &&
            words_at(s->words, rest.begin)->kind != TOKEN_PUNCT)
            break;
        rest.begin++;
    }
    if (due.cuts && due.cut[0].begin > rest.begin && due.cut[0].end == rest.end)
        rest.end = due.cut[0].begin;
    return rest.end - rest.begin <= 20 ? parse_text(s, rest) : "";
}

static enum route log_sleep(struct sentence *s, double hours, const struct due *day, bool night, const char *notes)
{
    struct json_object *arguments = parse_call(s, "log_sleep");
    if (!arguments)
        return ROUTE_NEVER;
    if (!night)
        parse_set_due(s, arguments, day, "date");
    if (hours < 0)
        return parse_asks(s, ask_hours, "hours");
    struct when left;
    if (notes && when_find(s->arena, notes, s->options, &left) && left.has_date)
        return s->parse->call_count--, ROUTE_NO; /* a day that was not understood as one */
    hours = parse_round(hours, 2);
    if (hours < hours_min || hours > hours_max)
        return parse_asks(s, "A night has between a quarter of an hour and 24 hours. How many hours did you sleep?",
                          "hours");
    json_set_num(arguments, "hours", hours);
    if (notes && *notes)
        json_set_str(arguments, "notes", notes);
    return ROUTE_DONE;
}

/* "slept well", "i slept until 10": a night without a length. */
static bool bare_report(const struct sentence *s, struct span span, int verb)
{
    const struct token *next = words_at(s->words, verb + 1);
    return token_is(words_at(s->words, verb), "slept") && span.end - span.begin <= 10 &&
           (verb + 1 >= span.end || next->kind != TOKEN_WORD ||
            token_any(next, "well|badly|good|great|bad|poorly|late|until|till|at|ok|okay|fine|terribly|terrible|"
                            "really|very|last|pretty|so|today|yesterday|better"));
}

/* "6-7 hours": which of them? */
static bool hours_range(const struct sentence *s, struct span span)
{
    for (int i = span.begin; i + 3 < span.end; i++)
        if (words_at(s->words, i)->kind == TOKEN_NUMBER &&
            (token_punct(words_at(s->words, i + 1), "-") || token_any(words_at(s->words, i + 1), "to|or")) &&
            words_at(s->words, i + 2)->kind == TOKEN_NUMBER && token_any(words_at(s->words, i + 3), "hours|hrs|h"))
            return true;
    return false;
}

enum route parse_sleep(struct sentence *s, struct span span)
{
    bool known[ROUTE_TOKENS_MAX] = { false };
    int verb = parse_find(s, span, "slept|sleep|asleep|sleeping|kip|shuteye|slumber"),
        bed = parse_find(s, span, "bed|woke|asleep|awake");
    struct due day;
    struct clock_time clock[2];
    if ((verb < 0 && bed < 0) || parse_has(s, span, "nap|napped|naps|sleepy|sleepover|insomnia"))
        return ROUTE_NO;
    if (!parse_log_real(s, span) || !parse_log_day(s, span, &day))
        return ROUTE_NO;
    int first = verb >= 0 && (bed < 0 || verb < bed) ? verb : bed;
    if (!parse_log_lead(s, span, first, &day) || parse_verb(s, span, "go to|going to|get|put|bed time|i am|i'm") > 0)
        return ROUTE_NO;
    bool night = last_night(s, span);
    int count = clock_times(s, span, clock, known);
    bool report = verb >= 0 || (parse_has(s, span, "woke|up|awake|wake") && bed >= 0);
    int woke = parse_find(s, span, "woke|awake"), lay = parse_find(s, span, "bed|asleep");
    if (count == 2 && woke >= 0 && woke < lay) { /* "woke at 6, went to bed at 10:30" */
        struct clock_time up = clock[0];
        clock[0] = clock[1];
        clock[1] = up;
    }
    if (hours_range(s, span))
        return log_sleep(s, -1, &day, night, NULL);
    if (count == 2 && report)
        return log_sleep(s, night_hours(clock), &day, night, NULL);
    double hours = -1;
    struct span used;
    if (verb < 0)
        return ROUTE_NO;
    if (find_hours(s, span, &hours, &used)) {
        int from = used.end > verb ? used.end : verb + 1;
        if (token_any(words_at(s->words, from), "is|are|makes|helps|seems|sounds"))
            return ROUTE_NO; /* "sleeping 8 hours is healthy" */
        return log_sleep(s, hours, &day, night, leftover(s, span, from));
    }
    return bare_report(s, span, verb) ? log_sleep(s, -1, &day, night, NULL) : ROUTE_NO;
}
