/* SPDX-License-Identifier: MIT
 * parse_question: everything that asks becomes ask_question, with the period and the kind of rows it speaks of.  Reads
 * only.  Called by parse.c after the lists; pure. */
#include "router/parse_scan.h"
#include "base/json.h"
#include <string.h>

static const char *query_type(const struct sentence *s, struct span span)
{
    if (parse_has(s, span, "note|notes") || (parse_has(s, span, "wrote|noted") && parse_has(s, span, "i|i've")))
        return "notes";
    if (parse_has(s, span, "task|tasks|todo|todos|reminder|reminders"))
        return "tasks";
    static const char personal[] = "i|my|me|i've|i'm|mine|average|avg|last|this|week|month|total|longest|shortest|"
                                   "best|worst|most|least|highest|lowest|trend|history";
    static const char health[] = "sleep|slept|sleeping|ran|run|running|exercise|exercised|workout|workouts|worked|gym|"
                                 "swim|swam|walk|walked|walking|water|drink|drank|"
                                 "drunk|weight|weigh|weighed|sauna|saunas|fat|muscle|cycled|cycling|trained|training|"
                                 "yoga|hydration|bodyfat|biked|jog|jogged|hiked";
    return parse_has(s, span, health) && parse_has(s, span, personal) ? "health" : "all";
}

static enum route ask_rows(struct sentence *s, struct span span, struct span query)
{
    char iso[CIVIL_TEXT_BYTES];
    struct when_range range;
    struct json_object *arguments = parse_call(s, "ask_question");
    if (!arguments)
        return ROUTE_NEVER;
    const char *text = parse_text(s, query);
    json_set_str(arguments, "query", text);
    json_set_str(arguments, "query_type", query_type(s, span));
    if (when_find_range(s->arena, text, s->options, &range)) {
        json_set_str(arguments, "date_from", civil_format(&range.from, iso));
        json_set_str(arguments, "date_to", civil_format(&range.to, iso));
    }
    return ROUTE_DONE;
}

/* Requests to look something up; {1} is the query. */
static const char *const searches[] = {
    ("(search / look up / look for / search for / google / lookup) [in / through] [my / the] [notes / tasks / "
     "everything] [for / about] {1}"),
    "find [me] [my / the / any / all / all my] (notes / note / tasks / task) [about / on / with / for] {1}",
    "(find / show me / show) (everything / anything / all) [i have / i wrote / we have] (about / on / with / for) {1}",
    "find {1} in my notes|tasks|list",
};

/* "sleep this week", "my workouts last month": a topic and a period, no figures. */
static bool history(const struct sentence *s, struct span span)
{
    struct when_range range;
    if (span.end - span.begin > 7 ||
        !parse_verb(
            s, span,
            "my|sleep|weight|water|exercise|workouts|runs|sauna|saunas|steps|total|average|avg|running|training|"
            "walking|swimming|cycling|gym|yoga|hydration|longest|shortest|best|worst|most|least|highest|lowest") ||
        parse_has(s, span, "is|was|hurts|will|need|want|slept|ran|drank") || strcmp(query_type(s, span), "health") != 0)
        return false;
    if (!when_find_range(s->arena, parse_text(s, span), s->options, &range))
        return false;
    size_t start = words_at(s->words, span.begin)->begin;
    for (int i = span.begin; i < span.end; i++) { /* "sleep 7 last night" is a figure, "last 3 months" is none */
        const struct token *t = words_at(s->words, i);
        if (t->kind == TOKEN_NUMBER && (t->begin < start + range.begin || t->end > start + range.end))
            return false;
    }
    return true;
}

enum route parse_question(struct sentence *s, struct span span)
{
    struct match m;
    for (size_t i = 0; i < sizeof searches / sizeof *searches; i++)
        if (pattern_match(s->words, span, searches[i], &m))
            return ask_rows(s, span, m.capture[1]);
    bool asks = s->question || parse_is_question(s, span) ||
                parse_verb(s, span,
                           "tell me|describe|define|definition of|explain|calculate|answer|remind me what|remind me "
                           "what's|remind me who's|remind me "
                           "where's|remind me when's|remind me "
                           "who|remind me where|remind me when|remind me how|remind me why|remind me if|"
                           "remind me which|i wonder|i want to know|i'd like to know|do you know|give me a "
                           "summary|summarize|summarise|summary of|compare|show me how|show how|show my|show me my|"
                           "average|stats|statistics|health|my health|my sleep|sleep stats|total|"
                           "i need to know|let me know|tell us|explain to me|translate|spell|convert|how's") > 0;
    asks |= history(s, span);
    if (!asks || span.end - span.begin > ROUTE_TOKENS_MAX)
        return ROUTE_NO;
    if (parse_has(s, span, "joke|jokes") ||
        parse_verb(s, span, "can i have|may i have|could i have|can i get|would you like"))
        return ROUTE_NO;
    return ask_rows(s, span, span);
}
