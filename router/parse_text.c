/* SPDX-License-Identifier: MIT
 * parse_text: politeness stripped, words looked for, the person's own words kept, calls made.  Shared by the sentence
 * rules; pure. */
#include "router/parse_scan.h"
#include "base/json.h"
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

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

/* Polite beginnings: each a sequence of words, "a|b" one of them; the longer ones first. */
static const char *const openings[] = {
    "hey|hi|hello there",
    "hang|hold on",
    "no wait|sorry|actually",
    "wait|sorry|oh no",
    "go ahead and",
    "i was wondering if you could",
    "do me a favor|favour and",
    "be so kind and",
    "be a dear|love|star and",
    "is it possible for you to",
    "it would be great|good|nice|lovely if you could",
    "it would be great|good|nice|lovely if you",
    "would be great|good|nice|lovely if you could",
    "would be great|good|nice|lovely if you",
    "there buddy|bot|steward",
    "buddy|mate|pal",
    ("hey|hi|hello|hiya|yo|ok|okay|alright|right|well|so|oh|ah|um|uh|uhm|hmm|ugh|argh|oops|whoops|damn|please|kindly|"
     "just|also|now|then|and|but|plus|anyway|steward|olly|bot|assistant|dear|actually|quickly|btw|again|yes|yeah|yep|"
     "yup|sure|sorry|wait|nvm|nevermind"),
};
/* Beginnings that hand the deed to somebody else: what follows is an order, no task of the person's own. */
static const char *const requests[] = {
    "can|could|would|will you possibly|maybe|perhaps",
    "can|could|would|will you",
    "can|could|may we|i",
    "would|do you mind",
    "are you able to",
    "let's go ahead and",
    "let's",
    "i want|need you to",
    "i would like|love you to",
    "i'd like|love you to",
    "i'd like|love|appreciate it if you could|would",
    "i'd like|love|appreciate it if you",
    "i would like|love|appreciate it if you could|would",
    "i'd be grateful if you could|would",
    "i need for you to",
    "you need|have|ought to",
    "you can|should|could|must|may",
    "any chance you can|could",
    "is there any chance you can|could",
    "if you can|could|would",
};

/* The phrase at the front of the span; tokens used. */
static int phrase_at(const struct words *w, struct span s, const char *phrase)
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
        int n = phrase_at(sentence->words, s, requests[i]);
        if (n && s.begin + n < s.end) {
            sentence->asked = true;
            return n;
        }
    }
    for (size_t i = 0; i < sizeof openings / sizeof *openings; i++) {
        int n = phrase_at(sentence->words, s, openings[i]);
        if (n && s.begin + n < s.end)
            return n;
    }
    return token_any(words_at(sentence->words, s.begin), "no|nope|nah") &&
           token_punct(words_at(sentence->words, s.begin + 1), ",");
}

/* Tokens of a polite ending that `s` closes with. */
static int closing(const struct words *w, struct span s)
{
    static const char *const closings[] = {
        "please|thanks|olly|steward|buddy|cheers|mate|ta",
        "can|could|will|would you",
        "if you can|could|would|please",
        "if you don't mind",
        "if possible",
        "when you can",
        "when you get a chance|moment|minute",
        "thank you",
        "thanks|cheers mate|buddy",
        "thanks in advance",
        "many thanks",
        "lol|haha|hehe|lmao",
    };
    int best = 0;
    for (size_t i = 0; i < sizeof closings / sizeof *closings; i++)
        for (int n = 1; n <= 6 && n < s.end - s.begin; n++)
            if (n > best && phrase_at(w, (struct span){ s.end - n, s.end }, closings[i]) == n)
                best = n;
    const struct token *last = words_at(w, s.end - 1), *before = words_at(w, s.end - 2);
    bool aside = (token_any(last, "ok|okay") && token_punct(before, ",")) ||
                 (last->kind == TOKEN_SYMBOL && s.end - s.begin > 40);
    return !best && aside ? 1 : best;
}

struct span parse_strip(struct sentence *sentence, struct span s)
{
    const struct words *w = sentence->words;
    s = parse_trim(w, s);
    for (int k = 0; k < LEAD_STRIP_MAX; k++) {
        int n = opening(sentence, s);
        if (!n)
            break;
        s.begin += n;
        s = parse_trim(w, s);
    }
    for (int k = 0; k < LEAD_STRIP_MAX && s.end - s.begin > 1; k++) {
        int n = closing(w, s);
        if (!n)
            break;
        sentence->please |= parse_has(sentence, (struct span){ s.end - n, s.end }, "please|you");
        s.end -= n;
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
        "what|what's|what've|who|who's|whose|whom|where|where's|when|when's|why|how|how's|which|is|are|am|was|"
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

/* "put down milk on my shopping list" is for the list. */
bool parse_names_list(const struct sentence *s, struct span span)
{
    struct span category;
    for (int i = span.begin; i + 1 < span.end; i++)
        if (span.end - i <= 8 && token_any(words_at(s->words, i), "on|to|onto|in") &&
            pattern_list(s->words, i + 1, span.end, &category) == span.end - i - 1)
            return true;
    return false;
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
        "wouldn't|shouldn't|won't|can't|mustn't|needn't|isn't|aren't|will|want|wanted|wants|need|needs|plan|planning|"
        "goal|target|"
        "going|gonna|hope|hoping|try|trying|tried|imagine|suppose|supposed|unless|maybe|perhaps|almost|nearly|"
        "barely|without|instead|tomorrow|tonight|recommend|recommended|ideally|i'd|i'll|we'll|let's|must|dream|dreamt|"
        "dreamed|usually|normally|always|typically|often|average|every|than|less|fewer";
    return parse_has(sentence, s, words);
}
