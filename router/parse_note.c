/* SPDX-License-Identifier: MIT
 * parse_note: sentences that ask to keep words as they are: "note: …", "remember that …", "make a note that …",
 * "idea: …".  Called by parse.c before every other family, because a note may contain anything; pure. */
#include "router/parse_scan.h"
#include "base/json.h"
#include <string.h>

static const char ask_note[] = "What should I note down?";

static enum route put_note(struct sentence *s, struct span span, struct span category)
{
    const char *content = parse_text(s, span);
    if (!*content ||
        parse_verb(s, span, "it|this|that|something|the following|it down|this down|that down|something down") ==
            span.end - span.begin)
        return parse_call(s, "add_note") ? parse_asks(s, ask_note, "content") : ROUTE_NEVER;
    struct json_object *arguments = parse_call(s, "add_note");
    if (!arguments)
        return ROUTE_NEVER;
    json_set_str(arguments, "content", content);
    const char *name = parse_category(s, category);
    if (name)
        json_set_str(arguments, "category", name);
    return ROUTE_DONE;
}

/* Prefixes; everything behind them is the note.  Those with a category keep the person's heading. */
static const struct {
    const char *pattern; /* must end where the note begins */
    bool category;       /* the first word names the category: "idea: …" */
    bool colon;          /* only with a colon or dash behind it */
} prefixes[] = {
    { "[quick / new / side / personal / another / a] note to self", false, false },
    { "[quick / new / side / personal / another / a] note", false, true },
    { "[quick / new / side / personal / another] notes", false, true },
    { "(idea / ideas / quote / thought / thoughts / journal / diary / recipe / observation / learning / til)", true,
      true },
    { "(fyi / nb / memo / remember / don't forget / save)", false, true },
    { "[i want|need to] (make / take / add / create / write / leave / save / record / log / put down / jot down / "
      "write down) [me] [a / an / another / this / the / my / new / as a] [new / quick / short / mental / little] "
      "(note / "
      "memo / notes) "
      "[that / of / saying / about / to self / down / on / with / called / for me / that says / this]",
      false, false },
    { "(note / take note / make note / notice / keep note) [down] (that / of)", false, false },
    { "note down", false, false },
    { "(new / quick) note", false, false },
    { "remember [for me] that", false, false },
    { "(keep in mind / bear in mind / for the record / for future reference / so you know) [that]", false, false },
    { "(write / jot / put) [this / that / it] down [that / this / the following / for me / as]", false, false },
    { "(write down / jot down / take down / scribble down) [that / this / the following]", false, false },
    { "(save / store / keep / record / log) (this / that) [as a note / for later / for me / down / note / info / idea "
      "/ thought]",
      false, true },
    { "save [a / the / my] (note / thought / idea / link / quote / info) [that / about / of]", false, false },
    { "don't forget that", false, false },
};

/* The longest token count n so that the first n tokens are the prefix. */
static int prefix_at(const struct sentence *s, struct span span, const char *pattern)
{
    struct match m;
    int best = 0;
    for (int n = 1; n <= 12 && span.begin + n <= span.end; n++)
        if (words_at(s->words, span.begin + n - 1)->kind == TOKEN_WORD &&
            pattern_match(s->words, (struct span){ span.begin, span.begin + n }, pattern, &m))
            best = n;
    return best;
}

/* "note in work: …", "add a note to my recipes: …": the place stands before the colon; tokens used. */
static int place(const struct words *w, struct span span, struct span *category)
{
    if (!token_any(words_at(w, span.begin), "to|in|under|into|for"))
        return 0;
    int i = span.begin + 1;
    i += token_any(words_at(w, i), "my|the|category");
    for (int n = 1; n <= 2 && i + n < span.end; n++)
        if (words_at(w, i + n - 1)->kind == TOKEN_WORD && token_punct(words_at(w, i + n), ":")) {
            *category = (struct span){ i, i + n };
            if (n == 2 && token_any(words_at(w, i + 1), "notes|category|folder"))
                category->end--;
            return i + n - span.begin;
        }
    return 0;
}

/* "recipes note: soak the beans". */
static enum route noted_under(struct sentence *s, struct span span)
{
    const struct words *w = s->words;
    if (words_at(w, span.begin)->kind != TOKEN_WORD || !token_any(words_at(w, span.begin + 1), "note|notes|idea") ||
        !token_punct(words_at(w, span.begin + 2), ":") ||
        token_any(words_at(w, span.begin),
                  "my|the|a|this|that|important|quick|new|short|another|any|no|some|his|her|sick|bank|foot|side|end"))
        return ROUTE_NO;
    return put_note(s, (struct span){ span.begin + 3, span.end }, (struct span){ span.begin, span.begin + 1 });
}

static bool separator(const struct token *t)
{
    return token_punct(t, ":-") || t->kind == TOKEN_NEWLINE;
}

/* "remember the wifi password is 1234", "remember my locker code 4411": a fact, no deed. */
static enum route remember_fact(struct sentence *s, struct span span)
{
    if (!token_is(words_at(s->words, span.begin), "remember") || s->question)
        return ROUTE_NO;
    struct span rest = { span.begin + 1, span.end };
    if (parse_verb(s, rest, "to|when|if|me|you|us|how|this|it|that time|the time|the day|what|who|where|why|don't"))
        return ROUTE_NO;
    if (!parse_has(s, rest,
                   "is|are|was|has|likes|hates|lives|parked|left|put|prefers|loves|wants|were|costs|works|starts|ends|="
                   "|have|born"))
        return ROUTE_NO;
    return put_note(s, rest, (struct span){ 0, 0 });
}

/* "note the wifi is slow", but not "note 5". */
static enum route bare_note(struct sentence *s, struct span span)
{
    if (token_is(words_at(s->words, span.begin), "note") && span.end - span.begin == 1)
        return put_note(s, (struct span){ span.end, span.end }, (struct span){ 0, 0 });
    if (!token_is(words_at(s->words, span.begin), "note") || span.end - span.begin < 3 || s->asked)
        return ROUTE_NO;
    if (words_at(s->words, span.begin + 1)->kind == TOKEN_NUMBER ||
        token_punct(words_at(s->words, span.begin + 1), "#"))
        return ROUTE_NO;
    struct span rest = { span.begin + 1, span.end }, category = { 0, 0 };
    rest.begin += place(s->words, rest, &category);
    return put_note(s, rest, category);
}

/* "the wifi password is 1234, make a note of that"; "… to my notes". */
static enum route suffix(struct sentence *s, struct span span)
{
    struct match m;
    static const char *const patterns[] = {
        "(add / put / save / write / store / append / jot) (in / to / into / under) my (notes / notebook) [that / :] "
        "{1}",
        "(add / put / save / write / store / append / jot) [down] {1} (to / in / into / as / on / under) [my / the / "
        "a] (notes / note / notebook / journal)",
        "{1} (make a note of that / make a note of it / make a note / note that down / note that / write that down / "
        "write it down / save that / remember that / save it as a note)",
    };
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        if (pattern_match(s->words, span, patterns[i], &m) && !parse_is_question(s, m.capture[1]))
            return put_note(s, m.capture[1], (struct span){ 0, 0 });
    return ROUTE_NO;
}

enum route parse_note(struct sentence *s, struct span span)
{
    const struct words *w = s->words;
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        int n = prefix_at(s, span, prefixes[i].pattern);
        const struct token *next = words_at(w, span.begin + n);
        if (!n || (prefixes[i].colon && !separator(next)))
            continue;
        struct span rest = { span.begin + n, span.end };
        if (!prefixes[i].colon && (parse_verb(s, rest, "on my|on the|to my|in my|about my") &&
                                   parse_has(s, rest, "list|calendar|todo|todos|agenda")))
            return ROUTE_NO;
        if (!separator(next) && (parse_has(s, rest, "calendar|agenda") || parse_names_list(s, rest)))
            return ROUTE_NO;
        struct span category = { 0, 0 };
        if (prefixes[i].category)
            category = (struct span){ span.begin, span.begin + 1 };
        else
            rest.begin += place(w, rest, &category);
        return put_note(s, rest, category);
    }
    enum route route = remember_fact(s, span);
    if (route == ROUTE_NO)
        route = bare_note(s, span);
    if (route == ROUTE_NO)
        route = noted_under(s, span);
    return route == ROUTE_NO && span.end - span.begin < ROUTE_TOKENS_MAX ? suffix(s, span) : route;
}
