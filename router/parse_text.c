/* SPDX-License-Identifier: MIT
 * parse_text: politeness stripped, dates cut out, the person's own words kept.  Shared by the sentence rules; pure. */
#include "router/parse_scan.h"
#include "base/json.h"
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

enum { PHRASES_MAX = 12 };

struct span parse_trim(const struct words *w, struct span s)
{
    while (s.begin < s.end &&
           (words_at(w, s.begin)->kind == TOKEN_NEWLINE || token_punct(words_at(w, s.begin), ".,;:!?-*>")) &&
           !(token_punct(words_at(w, s.begin), ".-") && words_at(w, s.begin + 1)->kind == TOKEN_NUMBER &&
             words_at(w, s.begin + 1)->glued))
        s.begin++;
    while (s.begin < s.end &&
           (words_at(w, s.end - 1)->kind == TOKEN_NEWLINE || token_punct(words_at(w, s.end - 1), ".,;:!?-*")))
        s.end--;
    return s;
}

/* Polite beginnings. */
static const char *const openings[] = {
    ("hey|hi|hello|hiya|yo|ok|okay|alright|right|well|so|oh|um|uh|uhm|hmm|please|kindly|just|also|now|then|and|but|"
     "plus|"
     "anyway|steward|olly|bot|assistant|dear|actually|quickly|btw|again|yes|yeah|yep|sure"),
    "go ahead and",
    "i was wondering if you could",
    "do me a favor and",
    "be so kind and",
    "is it possible for you to",
    "it would be great if you could",
    "there buddy|bot|steward",
    "buddy|mate|pal",
};
/* Beginnings that hand the deed to somebody else: what follows is an order, no task of the person's own. */
static const char *const requests[] = {
    "can|could|would|will you", "can|could|may we|i",       "would you mind",
    "are you able to",          "let's go ahead and",       "let's",
    "i want|need you to",       "i would like|love you to", "i'd like|love you to",
    "i need for you to",        "you need|have|ought to",   "you can|should|could|must|may",
};

static int opening_at(const struct words *w, struct span s, const char *phrase)
{
    int i = s.begin;
    for (const char *p = phrase; *p;) {
        char word[400];
        size_t len = strcspn(p, " ");
        if (i >= s.end || len >= sizeof word)
            return 0;
        memcpy(word, p, len);
        word[len] = 0;
        while (i < s.end && i > s.begin && token_punct(words_at(w, i), ","))
            i++;
        if (!token_any(words_at(w, i), word))
            return 0;
        i++;
        p += len + (p[len] == ' ');
    }
    return i - s.begin;
}

static int opening(struct sentence *sentence, struct span s)
{
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        int n = opening_at(sentence->words, s, requests[i]);
        if (n && s.begin + n < s.end) {
            sentence->asked = true;
            return n;
        }
    }
    for (size_t i = 0; i < sizeof openings / sizeof *openings; i++) {
        int n = opening_at(sentence->words, s, openings[i]);
        if (n && s.begin + n < s.end)
            return n;
    }
    return 0;
}

struct span parse_strip(struct sentence *sentence, struct span s)
{
    const struct words *w = sentence->words;
    s = parse_trim(w, s);
    for (int k = 0; k < LEAD_STRIP_MAX; k++) {
        /* "right now" and "so far" are no politeness, "note:" and "just" before a log are handled by their rules */
        int n = opening(sentence, s);
        if (!n)
            break;
        s.begin += n;
        s = parse_trim(w, s);
    }
    for (int k = 0; k < LEAD_STRIP_MAX && s.end - s.begin > 1; k++) {
        const struct token *last = words_at(w, s.end - 1), *before = words_at(w, s.end - 2);
        if (token_any(last, "please|thanks|olly|steward|buddy|cheers") ||
            (last->kind == TOKEN_SYMBOL && s.end - s.begin > 40))
            s.end--;
        else if (token_is(last, "you") && token_is(before, "thank"))
            s.end -= 2;
        else if (token_any(last, "ok|okay") && token_punct(before, ","))
            s.end--;
        else
            break;
        s = parse_trim(w, s);
    }
    return s;
}

bool parse_has(const struct sentence *sentence, struct span s, const char *words)
{
    return parse_find(sentence, s, words) >= 0;
}

int parse_find(const struct sentence *sentence, struct span s, const char *words)
{
    for (int i = s.begin; i < s.end; i++)
        if (token_any(words_at(sentence->words, i), words))
            return i;
    return -1;
}

int parse_verb(const struct sentence *sentence, struct span s, const char *phrases)
{
    int best = 0;
    for (const char *p = phrases; p && *p; p = strchr(p, '|')) {
        p += *p == '|';
        int n = 0;
        for (const char *q = p;;) {
            size_t len = strcspn(q, " |");
            const struct token *t = words_at(sentence->words, s.begin + n);
            if (s.begin + n >= s.end || (t->kind != TOKEN_WORD && t->kind != TOKEN_NUMBER) || strlen(t->text) != len ||
                strncmp(t->text, q, len) != 0) {
                n = 0;
                break;
            }
            n++;
            q += len;
            if (*q != ' ')
                break;
            q++;
        }
        if (n > best)
            best = n;
    }
    return best;
}

bool parse_is_question(const struct sentence *sentence, struct span s)
{
    static const char first[] =
        "what|what's|who|who's|whose|whom|where|where's|when|when's|why|how|how's|which|is|are|am|was|"
        "were|do|does|did|has|have|had|can|could|would|will|should|shall|may|isn't|aren't|don't|doesn't|"
        "didn't|haven't|hasn't|wasn't|couldn't|any|anything";
    static const char people[] = "i|you|we|they|he|she|it|anyone|anybody|someone|somebody|people";
    const struct token *t = words_at(sentence->words, s.begin), *next = words_at(sentence->words, s.begin + 1);
    struct span rest = { s.begin + 1, s.end };
    double v;
    if (token_any(t, "do|have|don't"))
        return token_any(next, people) ||
               (token_is(t, "do") && token_any(next, "my|the|any|cats|dogs") && sentence->question);
    if (token_any(t, "had|will|may"))
        return token_any(next, people) || (token_any(t, "will") && next->kind == TOKEN_WORD);
    if (token_is(t, "did")) /* "did yoga", "did 20 push-ups", "did the dishes" report */
        return !(
            words_amount(sentence->words, s.begin + 1, &v) || next->kind == TOKEN_END ||
            parse_verb(
                sentence, rest,
                "some|yoga|pilates|cardio|crossfit|hiit|stretching|exercise|laundry|dishes|a|an|my workout|my run|my "
                "yoga|my exercise|"
                "my exercises|my training|my homework|my taxes|my chores|my laundry|the dishes|the laundry|the "
                "shopping|the groceries|the taxes|"
                "the chores|the homework|the vacuuming|the ironing|the "
                "washing|weights|aerobics|zumba|push|pushups|sauna|calisthenics|boxing|karate|judo|running|swimming"));
    return token_any(t, first);
}

const char *parse_text(const struct sentence *sentence, struct span s)
{
    const struct words *w = sentence->words;
    s = parse_trim(w, s);
    if (s.begin >= s.end)
        return "";
    size_t from = words_at(w, s.begin)->begin;
    return arena_strndup(sentence->arena, w->source + from, words_at(w, s.end - 1)->end - from);
}

const char *parse_category(const struct sentence *sentence, struct span s)
{
    if (s.begin >= s.end)
        return NULL;
    const char *text = parse_text(sentence, s);
    int32_t i = 0, len = (int32_t)strlen(text);
    UChar32 c;
    U8_NEXT((const uint8_t *)text, i, len, c);
    if (c <= 0)
        return NULL;
    char first[5] = "";
    int32_t n = 0;
    UBool bad = 0;
    U8_APPEND((uint8_t *)first, n, 4, u_totitle(c), bad);
    (void)bad;
    return arena_printf(sentence->arena, "%s%s", first, text + i);
}

/* --- dates --- */

static struct words sub_words(const struct sentence *sentence, struct span s)
{
    return (struct words){ .source = sentence->words->source,
                           .token = sentence->words->token + s.begin,
                           .count = s.end - s.begin };
}

static void cut(const struct sentence *sentence, struct due *due, const struct phrase *p, int offset)
{
    struct span s = { p->begin + offset, p->end + offset };
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
               (token_any(words_at(w, part[k].end - 1), "at|on|by|the|for|to|and|before|until|of|from") ||
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

/* Quotation marks around a content go, and a lone one that lost its partner to the command. */
static struct span unquote(const struct words *w, struct span s)
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
    s = unquote(sentence->words, parse_trim(sentence->words, s));
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

/* --- calls --- */

struct json_object *parse_call(struct sentence *sentence, const char *tool)
{
    struct parse *p = sentence->parse;
    if (p->call_count >= PARSE_CALLS_MAX)
        return NULL;
    struct parse_call *call = &p->calls[p->call_count++];
    call->tool = tool;
    call->arguments = json_keep(sentence->arena, json_object_new_object());
    return call->arguments;
}

void parse_set_due(struct sentence *sentence, struct json_object *arguments, const struct due *due, const char *name)
{
    char iso[CIVIL_TEXT_BYTES];
    (void)sentence;
    if (!due->found)
        return;
    json_set_str(arguments, name, civil_format(&due->at, iso));
    if (due->repeat && strcmp(name, "due_date") == 0)
        json_set_str(arguments, "repeat", due->repeat);
}

enum route parse_asks(struct sentence *sentence, const char *question, const char *argument)
{
    sentence->parse->ask = question;
    sentence->parse->ask_argument = argument;
    return ROUTE_ASK;
}

enum route parse_apply(struct sentence *sentence, struct span span, const struct parse_rule *rule, size_t count)
{
    struct match m;
    for (size_t i = 0; i < count; i++) {
        int calls = sentence->parse->call_count;
        if (!pattern_match(sentence->words, span, rule[i].pattern, &m))
            continue;
        enum route route = rule[i].route(sentence, &m);
        if (route != ROUTE_NO)
            return route;
        sentence->parse->call_count = calls;
    }
    return ROUTE_NO;
}

bool parse_unreal(const struct sentence *sentence, struct span s)
{
    static const char words[] =
        "if|wish|should|would|could|might|may|never|not|didn't|don't|doesn't|haven't|hasn't|wasn't|couldn't|"
        "wouldn't|shouldn't|won't|can't|cannot|will|want|wanted|wants|need|needs|plan|planning|goal|target|"
        "going|gonna|hope|hoping|try|trying|tried|imagine|suppose|supposed|unless|maybe|perhaps|almost|nearly|"
        "barely|without|instead|tomorrow|tonight|recommend|recommended|ideally|i'd|i'll|we'll|let's|must|dream|dreamt|"
        "dreamed|usually|normally|always|typically|often|average|every|than|less|fewer";
    return parse_has(sentence, s, words);
}
