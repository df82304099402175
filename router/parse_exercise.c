/* SPDX-License-Identifier: MIT
 * parse_exercise: sentences that report sport: "ran 5 km in 30 min", "30 minutes of yoga", "gym for an hour".  One
 * table of activities; called by parse.c; pure.  Without a length it asks. */
#include "router/parse_scan.h"
#include "base/json.h"
#include <string.h>

enum form { FORM_PAST, FORM_PLAIN, FORM_NOUN }; /* "ran" reports; "run" and "yoga" need a length to be a report */

static const struct activity {
    const char *words, *name;
    enum form form;
} activities[] = {
    { "ran", "running", FORM_PAST },
    { "jogged", "running", FORM_PAST },
    { "sprinted", "running", FORM_PAST },
    { "run|runs|jog|treadmill|parkrun", "running", FORM_PLAIN },
    { "running|jogging|sprints", "running", FORM_NOUN },
    { "walked|strolled", "walking", FORM_PAST },
    { "walk|stroll", "walking", FORM_PLAIN },
    { "walking|walks", "walking", FORM_NOUN },
    { "swam", "swimming", FORM_PAST },
    { "swim", "swimming", FORM_PLAIN },
    { "swimming|laps", "swimming", FORM_NOUN },
    { "cycled|biked|bicycled", "cycling", FORM_PAST },
    { "cycle|bike", "cycling", FORM_PLAIN },
    { "cycling|biking|peloton|spinning|spin", "cycling", FORM_NOUN },
    { "hiked|trekked", "hiking", FORM_PAST },
    { "hike", "hiking", FORM_PLAIN },
    { "hiking|trekking", "hiking", FORM_NOUN },
    { "rowed", "rowing", FORM_PAST },
    { "rowing", "rowing", FORM_NOUN },
    { "danced", "dancing", FORM_PAST },
    { "dancing|zumba", "dancing", FORM_NOUN },
    { "skied", "skiing", FORM_PAST },
    { "skiing|ski", "skiing", FORM_NOUN },
    { "snowboarding", "snowboarding", FORM_NOUN },
    { "skated", "skating", FORM_PAST },
    { "skating|rollerblading", "skating", FORM_NOUN },
    { "surfed", "surfing", FORM_PAST },
    { "surfing", "surfing", FORM_NOUN },
    { "climbed|bouldered", "climbing", FORM_PAST },
    { "climbing|bouldering", "climbing", FORM_NOUN },
    { "exercised", "workout", FORM_PAST },
    { "trained", "training", FORM_PAST },
    { "stretched", "stretching", FORM_PAST },
    { "stretching", "stretching", FORM_NOUN },
    { "workout|workouts|exercise|exercising", "workout", FORM_NOUN },
    { "training", "training", FORM_NOUN },
    { "gym", "gym", FORM_NOUN },
    { "yoga", "yoga", FORM_NOUN },
    { "pilates", "pilates", FORM_NOUN },
    { "crossfit", "crossfit", FORM_NOUN },
    { "hiit", "hiit", FORM_NOUN },
    { "cardio", "cardio", FORM_NOUN },
    { "aerobics", "aerobics", FORM_NOUN },
    { "elliptical", "elliptical", FORM_NOUN },
    { "calisthenics", "calisthenics", FORM_NOUN },
    { "weights|weightlifting|lifting|powerlifting", "weightlifting", FORM_NOUN },
    { "strength", "strength training", FORM_NOUN },
    { "pushups", "push-ups", FORM_NOUN },
    { "boxing|kickboxing|judo|karate|jiujitsu|bjj|taekwondo|wrestling|fencing|mma", NULL, FORM_NOUN },
    { "football|soccer|basketball|volleyball|tennis|badminton|squash|golf|padel|hockey|rugby|cricket|baseball|handball|"
      "pickleball|softball|"
      "floorball|frisbee|racquetball",
      NULL, FORM_NOUN },
};

enum { ACTIVITIES = sizeof activities / sizeof *activities };

static const double minutes_min = 1, minutes_max = 1440;

/* "did a 5k in 27 minutes": the distance alone names the sport. */
static const struct activity *race(const struct sentence *s, struct span span, struct span *at)
{
    static const struct activity running = { "5k", "running", FORM_NOUN };
    for (int i = span.begin + 1; i + 1 < span.end; i++)
        if (words_at(s->words, i)->kind == TOKEN_NUMBER && token_is(words_at(s->words, i + 1), "k") &&
            words_at(s->words, i + 1)->glued &&
            (i + 2 >= span.end || words_at(s->words, i + 2)->kind != TOKEN_WORD ||
             token_any(words_at(s->words, i + 2), "in|on|this|today|yesterday|race|at|with|and|last")) &&
            parse_has(s, (struct span){ span.begin, i }, "did|completed|finished|done"))
            return *at = (struct span){ i, i }, &running;
    return NULL;
}

/* The first activity of the span; "worked out" counts two tokens. */
static const struct activity *find_activity(const struct sentence *s, struct span span, struct span *at)
{
    static const struct activity workout = { "worked out", "workout", FORM_PAST },
                                 lifted = { "lifted", "weightlifting", FORM_PAST },
                                 rode = { "rode my bike", "cycling", FORM_PAST },
                                 push = { "push ups", "push-ups", FORM_NOUN };
    for (int i = span.begin; i < span.end; i++) {
        struct span rest = { i, span.end };
        int n;
        if ((n = parse_verb(s, rest, "worked out|working out|work out")))
            return *at = (struct span){ i, i + n }, &workout;
        if ((n = parse_verb(s, rest,
                            "lifted weights|lifted|weight lifting|weight training|strength training|lifting weights")))
            return *at = (struct span){ i, i + n }, &lifted;
        if ((n = parse_verb(s, rest,
                            "rode my bike|rode the bike|rode a bike|rode bike|bike ride|riding my bike|rode my "
                            "bicycle|bike riding|rode")))
            return *at = (struct span){ i, i + n }, n > 1 || parse_has(s, span, "bike|bicycle|horse") ? &rode : NULL;
        if ((n = parse_verb(s, rest, "push ups|pull ups|sit ups")))
            return *at = (struct span){ i, i + n }, &push;
        for (int k = 0; k < ACTIVITIES; k++)
            if (token_any(words_at(s->words, i), activities[k].words)) {
                struct span later;
                const struct activity *better = token_any(words_at(s->words, i), "exercise|workout|training")
                                                    ? find_activity(s, (struct span){ i + 1, span.end }, &later)
                                                    : NULL;
                if (better && token_punct(words_at(s->words, i + 1), ":"))
                    return *at = (struct span){ i, later.end }, better; /* "exercise: running 30 min" */
                return *at = (struct span){ i, i + 1 }, &activities[k];
            }
    }
    return NULL;
}

/* "28:30" behind "in": minutes and seconds; "1:05:20" hours too. */
static int stopwatch(const struct words *w, int i, double *minutes)
{
    const struct token *a = words_at(w, i), *b = words_at(w, i + 2), *c = words_at(w, i + 4);
    if (a->kind != TOKEN_NUMBER || !token_punct(words_at(w, i + 1), ":") || b->kind != TOKEN_NUMBER || b->digits != 2 ||
        !b->glued || token_any(words_at(w, i + 3), "am|pm"))
        return 0;
    if (token_punct(words_at(w, i + 3), ":") && c->kind == TOKEN_NUMBER && c->digits == 2) {
        *minutes = (double)a->number * 60 + (double)b->number + (double)c->number / 60;
        return 5;
    }
    if (!token_any(words_at(w, i - 1), "in|for|time") && !token_any(words_at(w, i - 1), "km|k|miles|mi"))
        return 0;
    *minutes = (double)a->number + (double)b->number / 60;
    return 3;
}

static bool find_minutes(const struct sentence *s, struct span span, double *minutes, struct span *used)
{
    for (int i = span.begin; i < span.end; i++) {
        int n = stopwatch(s->words, i, minutes);
        if (!n)
            n = parse_rounds(s, span, i, minutes);
        const struct token *after = words_at(s->words, i + n), *before = words_at(s->words, i - 1);
        if (!n || i + n > span.end || token_any(after, "ago|later|away|before|from|faster|slower|longer|per|early") ||
            token_punct(after, "/") || token_any(before, "every|after|within"))
            continue;
        *used = (struct span){ i, i + n };
        return true;
    }
    return false;
}

/* "5 km", "3 miles", "10k steps". */
static int distance(const struct words *w, int i)
{
    double v;
    int n = words_amount(w, i, &v);
    if (!n || token_any(words_at(w, i), "a|an"))
        return 0;
    if (token_any(words_at(w, i + n), "km|kms|k|kilometer|kilometers|kilometre|kilometres|mile|miles|mi|m|meter|meters|"
                                      "metre|metres|laps|lap|steps|yards|reps|sets|floors|kcal|calories|lengths"))
        return n + 1 + token_any(words_at(w, i + n + 1), "steps");
    return 0;
}

static bool in_span(struct span a, int i)
{
    return i >= a.begin && i < a.end;
}

/* What is left is the note: "5 km", "the dog", "with john". */
static const char *notes_of(const struct sentence *s, struct span span, struct span verb, struct span used,
                            const struct due *day)
{
    const char *out = "";
    static const char filler[] = "i|i've|have|had|just|did|do|done|went|go|for|a|an|of|in|to|my|at|today|and|then|log|"
                                 "logged|add|some|was|about|around|"
                                 "roughly|also|track|record|exercise|activity|session|this|on|the|played|took|been|got|"
                                 "another|minute|min|me|it|finished|completed|-|we|"
                                 "hit|only|quick|nice|good|total|please|doing|spent|hour|after|workout|class|practice|"
                                 "time|duration|minutes|like|so|non|back|from|played|play";
    int begin = -1;
    for (int i = span.begin; i <= span.end; i++) {
        const struct token *t = words_at(s->words, i);
        bool skip =
            i == span.end || in_span(verb, i) || in_span(used, i) || (day->cuts && in_span(day->cut[0], i)) ||
            (day->cuts > 1 && in_span(day->cut[1], i)) ||
            (begin < 0 && (token_any(t, filler) || t->kind == TOKEN_PUNCT) &&
             !(token_any(t, "the|my|at|on|to|around|in") && i >= verb.end && !in_span(used, i + 1) &&
               !(day->cuts && in_span(day->cut[0], i + 1)) && i + 1 < span.end &&
               !token_any(words_at(s->words, i + 1), "hit|gym|pool|treadmill|morning|session|workout|class|bike|"
                                                     "elliptical|my|the|a|total|run|of|minutes|about|for|and|today")));
        if (!skip && begin < 0)
            begin = i;
        if (!skip || begin < 0)
            continue;
        struct span part = { begin, i };
        while (part.end > part.begin &&
               token_any(words_at(s->words, part.end - 1), "in|for|at|on|and|of|about|around|a|to|with|was|took|i"))
            part.end--;
        const char *text = parse_text(s, part);
        if (*text)
            out = *out ? arena_printf(s->arena, "%s %s", out, text) : text;
        begin = -1;
    }
    return out;
}

static bool other_sense(const struct sentence *s, struct span span)
{
    return parse_has(s, span,
                     "out|into|late|away|over|script|query|test|tests|program|errand|errands|business|company|meeting|"
                     "bath|experiment|dishwasher|"
                     "machine|server|through|video|videos|article|dishes|code|election|computer|model|bus|train|car|"
                     "taxi|horse's|job|update|updates|"
                     "washing|water|guitar|piano|games|videogames|tv|watched|watching|watch|read|build|risk|project|"
                     "meal|tab|bill|clothes|shoes|shorts|"
                     "membership|buddy|teacher|mat|ball|tickets|ticket|gear|equipment|bag|plan|program|schedule|app|"
                     "coach|boss|employees|staff|team|course|is|are|makes|keeps|helps|takes") &&
           !parse_verb(s, span, "worked out|i worked out|just worked out|i've worked out|work out|working out") &&
           !(parse_has(s, span, "out") && parse_has(s, span, "worked|working") &&
             !parse_has(s, span, "plan|details|problem|well|fine|deal|how"));
}

/* A report without a length that is worth a question: "ran 5 km", "went for a run", "did yoga", "went to the gym". */
static bool worth_asking(const struct sentence *s, struct span span, struct span verb, const struct activity *a,
                         const struct due *day)
{
    bool known[ROUTE_TOKENS_MAX] = { false };
    static const char small[] = "i|i've|have|just|went|for|a|to|the|did|do|had|today|my|some|this|morning|evening|at|"
                                "played|in|with|friends|dog|quick|short|long|also|"
                                "finished|completed|log|add|been|gym|park|good|nice|great|was|then|on|and|session|"
                                "class|fast|hard|easy|home|outside|treadmill|practice";
    if (a->form != FORM_PAST &&
        !parse_has(s, (struct span){ span.begin, verb.begin },
                   "did|went|had|played|done|finished|completed|been|log|took|got") &&
        !(a->form == FORM_NOUN && verb.end == span.end && verb.begin == span.begin &&
          parse_has(s, span, "running|swimming|cycling|workout")) &&
        !(a->form == FORM_NOUN && verb.begin == span.begin && verb.end + 1 == span.end &&
          words_at(s->words, verb.end)->kind == TOKEN_NUMBER)) /* "yoga 25": of what? */
        return false;
    for (int i = span.begin; i < span.end; i++) {
        int n = distance(s->words, i);
        n += !n && i + 1 == span.end && words_at(s->words, i)->kind == TOKEN_NUMBER;
        parse_mark(known, span, (struct span){ i, i + n });
    }
    parse_mark(known, span, verb);
    return parse_all_known(s, span, known, day, small);
}

/* A clock time or a coming day makes "gym at 6pm" a plan. */
static bool planned(const struct sentence *s, struct span span, struct span used)
{
    struct scan scan = { .arena = s->arena, .words = s->words, .options = s->options };
    for (int i = span.begin; i < span.end; i++) {
        struct phrase p = { 0 };
        if (!in_span(used, i) && token_any(words_at(s->words, i - 1), "at|by|before") && i > span.begin &&
            when_rule_time(&scan, i, &p))
            return true;
    }
    return false;
}

enum route parse_exercise(struct sentence *s, struct span span)
{
    struct span verb = { 0, 0 }, used = { 0, 0 };
    struct due day;
    double minutes = 0;
    const struct activity *a = find_activity(s, span, &verb);
    if (!a)
        a = race(s, span, &verb);
    if (!a || parse_has(s, span, "sauna") || !parse_log_real(s, span) || !parse_log_day(s, span, &day) ||
        other_sense(s, span))
        return ROUTE_NO;
    if (!parse_log_lead(s, span, verb.begin, &day) && !parse_has(s, (struct span){ span.begin, verb.begin }, "played"))
        return ROUTE_NO;
    if (a->form == FORM_PAST && token_is(words_at(s->words, verb.begin), "trained") &&
        token_any(words_at(s->words, verb.end), "a|the|my|new|him|her|them|our"))
        return ROUTE_NO;
    bool timed = find_minutes(s, span, &minutes, &used);
    if (!timed && !worth_asking(s, span, verb, a, &day))
        return ROUTE_NO;
    if (a->form != FORM_PAST && planned(s, span, used) && !parse_has(s, span, "did|went|had"))
        return ROUTE_NO;
    if (a->form != FORM_PAST && timed && token_any(words_at(s->words, used.begin - 1), "in") &&
        !parse_has(s, span, "did|went|had|ran|finished|km|k|miles"))
        return ROUTE_NO; /* "yoga in 30 minutes" */
    const char *notes = notes_of(s, span, verb, used, &day);
    struct when left;
    if (when_find(s->arena, notes, s->options, &left) && left.has_date)
        return ROUTE_NO; /* a day that was not understood as one: the log would stand under the wrong date */
    struct json_object *arguments = parse_call(s, "log_exercise");
    if (!arguments)
        return ROUTE_NEVER;
    json_set_str(arguments, "activity_type", a->name ? a->name : words_at(s->words, verb.begin)->text);
    if (*notes && strlen(notes) < 300)
        json_set_str(arguments, "notes", notes);
    parse_set_due(s, arguments, &day, "date");
    if (!timed)
        return parse_asks(s, "How long, in minutes?", "duration_minutes");
    minutes = parse_round(minutes, 0);
    if (minutes < minutes_min || minutes > minutes_max)
        return parse_asks(s, "That must be between 1 minute and 24 hours. How long was it?", "duration_minutes");
    json_set_int(arguments, "duration_minutes", (int64_t)minutes);
    return ROUTE_DONE;
}
