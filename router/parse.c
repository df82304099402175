/* SPDX-License-Identifier: MIT
 * parse: the door of the sentence parser: families in order, and compounds ("…, and …"); see parse.h for its promises.
 * Any thread; pure.  All or nothing: a compound writes only when every part of it is understood. */
#include "router/parse.h"
#include "router/parse_scan.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include <string.h>

enum { PIECES_MAX = 16 };

enum route parse_route_commands(struct sentence *s, struct span span)
{
    static enum route (*const families[])(struct sentence *, struct span) = { parse_note, parse_remind, parse_task,
                                                                              parse_list, parse_change };
    if (span.begin >= span.end)
        return ROUTE_NO;
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        int calls = s->parse->call_count;
        enum route route = families[i](s, span);
        if (route != ROUTE_NO)
            return route;
        s->parse->call_count = calls;
    }
    return ROUTE_NO;
}

static enum route route_logs(struct sentence *s, struct span span)
{
    static enum route (*const families[])(struct sentence *, struct span) = { parse_sauna, parse_sleep, parse_exercise,
                                                                              parse_water, parse_body };
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        enum route route = families[i](s, span);
        if (route != ROUTE_NO)
            return route;
    }
    return ROUTE_NO;
}

/* "i want to …", "i need to …" before a command: "i need to make a reminder". */
static enum route route_wanted(struct sentence *s, struct span span)
{
    int n = parse_verb(s, span,
                       "i want to|i need to|i would like to|i'd like to|i wanna|i have to|want to|need to|i'd love "
                       "to|i wish to|help me to|help me|i'm trying to|time to|can i|may i|we need to");
    if (!n)
        return ROUTE_NO;
    span.begin += n;
    return parse_route_commands(s, parse_trim(s->words, span));
}

/* `"delete all tasks" is what I said`: words that are talked about. */
static bool reports_speech(const struct sentence *s, struct span span)
{
    const struct token *open = words_at(s->words, span.begin);
    int close = span.begin + 1;
    while (close < span.end &&
           !(token_punct(words_at(s->words, close), "\"'") && words_at(s->words, close)->punct == open->punct))
        close++;
    return token_punct(open, "\"'") &&
           parse_has(s, (struct span){ close, span.end }, "is|was|said|says|told|means|mean|asked|were|wrote|sounds");
}

enum route parse_route(struct sentence *s, struct span span)
{
    enum route route = parse_chat(s, span);
    if (route != ROUTE_NO)
        return route;
    bool asked = s->asked, please = s->please;
    span = parse_strip(s, span);
    if (span.begin >= span.end)
        return ROUTE_NO;
    if (reports_speech(s, span))
        return ROUTE_NO;
    bool stripped_request = s->asked && !asked;
    if ((route = parse_chat(s, span)) == ROUTE_NO && (route = parse_route_commands(s, span)) == ROUTE_NO &&
        (route = route_wanted(s, span)) == ROUTE_NO &&
        (stripped_request || (route = route_logs(s, span)) == ROUTE_NO) &&
        (route = parse_question(s, span)) == ROUTE_NO)
        route = parse_plain(s, span);
    s->asked = asked;
    s->please = please;
    return route;
}

enum route parse_rehearse(const struct sentence *s, struct span span,
                          enum route (*family)(struct sentence *, struct span))
{
    struct parse scratch = *s->parse;
    struct sentence copy = *s;
    copy.parse = &scratch;
    return family(&copy, span);
}

static enum route commands_stripped(struct sentence *s, struct span span)
{
    span = parse_strip(s, span);
    enum route route = parse_route_commands(s, span);
    return route == ROUTE_NO ? route_logs(s, span) : route;
}

/* Words that begin a new clause behind "and", a comma or a full stop. */
static bool starts_clause(const struct sentence *s, struct span span)
{
    static const char first[] =
        "remind|add|put|delete|remove|mark|complete|move|rename|note|log|record|track|show|list|undo|set|create|cancel|"
        "schedule|reschedule|postpone|snooze|check|cross|scratch|"
        "slept|ran|drank|walked|swam|weighed|did|had|went|jogged|cycled|biked|worked|lifted|hiked|rowed|danced|played|"
        "sauna|weight|water|sleep|yoga|gym|i|i've|i'm|don't|"
        "remember|buy|call|phone|pay|pick|clean|wash|finish|submit|renew|return|fix|repair|feed|vacuum|mop|sweep|tidy|"
        "mow|iron|take|drop|write|prepare|study|pack|bake|cook|"
        "get|send|email|text|make|do|go|book|order|play|turn|switch|open|start|stop|find|search|tell|give|what|what's|"
        "how|when|where|who|is|are|can|could|please|meet|visit|read|"
        "ask|bring|change|update|review|plan|refill|replace|print|walk|run|swim|drink|work|help|wake|watch|listen|lock|"
        "unlock|mail|apply|register|transfer|reserve|download|clear|erase|"
        "muscle|body|bodyfat|pushed|need|have|must|gotta|mow|water|weigh|woke|stretched|trained|climbed|rode|meditate|"
        "also|then|dentist|doctor|finished|done|bought|paid|called";
    span = parse_trim(s->words, span);
    span.begin += token_is(words_at(s->words, span.begin), "to"); /* "… and to buy cat litter on sunday" */
    const struct token *t = words_at(s->words, span.begin);
    double v;
    if (t->kind == TOKEN_WORD && words_duration(s->words, span.begin, &v))
        return true; /* "… and a 20 minute walk", "… and half an hour of yoga" */
    int article = token_any(t, "a|an|another") && words_duration(s->words, span.begin + 1, &v);
    return token_any(t, first) || article || (t->kind == TOKEN_NUMBER && words_amount(s->words, span.begin, &v)) ||
           (t->kind == TOKEN_WORD && token_any(words_at(s->words, span.begin + 1),
                                               "glasses|glass|hours|minutes|min|bottles|litres|liters|rounds"));
}

static int split_pieces(const struct sentence *s, struct span span, struct span *piece)
{
    int count = 0, begin = span.begin;
    const struct words *w = s->words;
    for (int i = span.begin; i < span.end; i++) {
        const struct token *t = words_at(w, i), *next = words_at(w, i + 1);
        bool mark = (token_punct(t, ";.!,&+?") && !(next->glued && i + 1 < span.end)) || t->kind == TOKEN_NEWLINE;
        bool word = token_any(t, "and|then|also|plus");
        if ((!mark && !word) || !starts_clause(s, (struct span){ i + 1, span.end }))
            continue;
        if (i == begin) {
            begin = i + 1;
            continue;
        }
        if (count == PIECES_MAX - 1)
            return 0;
        piece[count++] = (struct span){ begin, i };
        begin = i + 1;
    }
    piece[count++] = (struct span){ begin, span.end };
    return count;
}

/* Heads whose content may go on behind "and": "remind me to buy milk and call mom" is one task. */
static bool absorbs(const struct sentence *s, struct span group)
{
    struct sentence copy = *s;
    struct span span = parse_strip(&copy, group);
    return parse_verb(
               s, span,
               "remind me|remind us|note|remember|write down|make a note|note to self|don't forget|don't let me "
               "forget|set a reminder|stick a reminder|put a reminder|i need to|i have to|i must|need to|have to|"
               "gotta|i gotta|make a reminder|add a reminder|create a reminder|make sure|tell me to|take a "
               "note|idea|add a task|new task|task|todo") > 0;
}

static bool has_due(const struct sentence *s, struct span span)
{
    struct due due;
    parse_due(s, span, false, &due);
    return due.found;
}

/* Join pieces to groups that each route; 0 = refused (a clause that must not be acted on). */
static int group_pieces(struct sentence *s, struct span *piece, int count)
{
    int groups = 1;
    for (int i = 1; i < count; i++) {
        struct span *current = &piece[groups - 1];
        bool absorbing = absorbs(s, *current);
        s->head = true;
        enum route command = parse_rehearse(s, piece[i], commands_stripped);
        enum route route = parse_rehearse(s, piece[i], parse_route);
        bool sure = command == ROUTE_DONE || command == ROUTE_ASK;
        bool plain = !sure && (route == ROUTE_DONE || route == ROUTE_ASK || route == ROUTE_CHAT);
        s->head = groups > 1;
        enum route head = parse_rehearse(s, *current, parse_route);
        if (head == ROUTE_NEVER && (sure || plain))
            return 0; /* "play some music and remind me …": nothing is done by halves */
        if (head == ROUTE_NO) {
            current->end = piece[i].end; /* "on my list, add …" */
            continue;
        }
        struct span joined = { current->begin, piece[i].end };
        bool refers =
            parse_has(s, piece[i], "it|that|them") ||
            parse_verb(s, piece[i], "please remind me|remind me|remind me please") == piece[i].end - piece[i].begin;
        if (absorbing && head == ROUTE_ASK && parse_rehearse(s, joined, parse_route) == ROUTE_DONE) {
            *current = joined; /* "set a reminder for thursday 2pm, call with ops" */
            continue;
        }
        if (refers && (route == ROUTE_ASK || command == ROUTE_ASK) &&
            parse_rehearse(s, joined, parse_route) == ROUTE_DONE) {
            *current = joined; /* "…, take it off my list": one command in two clauses */
            continue;
        }
        if (sure || (plain && (!absorbing || (has_due(s, piece[i]) && has_due(s, *current))))) {
            piece[groups++] = piece[i];
        } else if (absorbing) {
            current->end = piece[i].end;
        } else if (route == ROUTE_NEVER) {
            return 0;
        } else {
            /* not a clause of its own: part of the one before, unless it looks like a deed nobody understood */
            current->end = piece[i].end;
        }
    }
    return groups;
}

/* The unfinished call of a question goes first; the finished ones behind it wait for the answer. */
static void unfinished_first(struct parse *p, int index)
{
    struct parse_call call = p->calls[index];
    memmove(&p->calls[1], &p->calls[0], (size_t)index * sizeof call);
    p->calls[0] = call;
}

/* "tomorrow buy milk and call mom": the day in front holds for all. */
static void share_leading_day(struct sentence *s, struct span first)
{
    struct parse *p = s->parse;
    struct due due;
    struct sentence copy = *s;
    first = parse_strip(&copy, first);
    parse_due(s, first, false, &due);
    if (!due.found || due.cuts != 1 || due.cut[0].begin != first.begin || p->call_count < 2)
        return;
    for (int i = 0; i < p->call_count; i++)
        if (parse_calls_tool(&p->calls[i], &tool_add_task) && !json_has(p->calls[i].arguments, "due_date"))
            parse_set_due(s, p->calls[i].arguments, &due, "due_date");
}

enum route parse_groups(struct sentence *s, const struct span *group, int count)
{
    int asking = -1, chats = 0;
    const char *ask = NULL, *argument = NULL;
    for (int i = 0; i < count; i++) {
        int before = s->parse->call_count;
        s->head = i > 0;
        enum route route = parse_route(s, group[i]);
        if (route == ROUTE_CHAT) {
            chats++;
            continue;
        }
        if (route == ROUTE_ASK && asking < 0) {
            asking = before;
            ask = s->parse->ask;
            argument = s->parse->ask_argument;
            if (s->parse->call_count == before)
                asking = -2;
        } else if (route != ROUTE_DONE) {
            return ROUTE_NEVER;
        }
    }
    if (ask) {
        s->parse->ask = ask;
        s->parse->ask_argument = argument;
        if (asking > 0)
            unfinished_first(s->parse, asking);
        return ROUTE_ASK;
    }
    return chats == count ? ROUTE_CHAT : ROUTE_DONE;
}

static enum route route_compound(struct sentence *s, struct span span)
{
    struct span piece[PIECES_MAX];
    struct sentence copy = *s;
    struct span stripped = parse_strip(&copy, span);
    if (parse_is_question(s, stripped) && !parse_has(s, (struct span){ stripped.begin, stripped.begin + 1 }, "do|have"))
        return ROUTE_NO;
    int count = split_pieces(s, stripped, piece);
    static enum route (*const closed[])(struct sentence *, struct span) = { parse_body, parse_water, parse_sauna };
    for (size_t i = 0; i < sizeof closed / sizeof *closed && count > 1; i++) {
        enum route whole = parse_rehearse(s, stripped, closed[i]); /* "81 kg, 18 % fat": one measurement */
        if (whole == ROUTE_DONE || whole == ROUTE_ASK)
            return ROUTE_NO;
    }
    if (count < 2)
        return ROUTE_NO;
    bool asked = s->asked;
    s->asked = copy.asked; /* "could you …" holds for every part */
    /* A trailing "?" belongs to the last clause alone. */
    bool question = s->question;
    s->question = false;
    count = group_pieces(s, piece, count);
    s->head = false;
    enum route route = count == 0 ? ROUTE_NEVER : count == 1 ? ROUTE_NO : parse_groups(s, piece, count);
    if (route == ROUTE_DONE)
        share_leading_day(s, piece[0]);
    s->asked = asked;
    if (route == ROUTE_NO)
        s->question = question;
    return route;
}

static enum route route_all(struct sentence *s, struct span span)
{
    struct sentence copy = *s;
    struct span stripped = parse_strip(&copy, span);
    bool lines = false;
    for (int i = span.begin; i < span.end && !lines; i++)
        lines = words_at(s->words, i)->kind == TOKEN_NEWLINE;
    if (span.end - span.begin > ROUTE_TOKENS_MAX || lines) {
        enum route route = parse_note(s, stripped);
        if (route != ROUTE_NO)
            return route;
        if (span.end - span.begin > 2 * ROUTE_TOKENS_MAX || (span.end - span.begin > ROUTE_TOKENS_MAX && !lines))
            return ROUTE_NEVER;
        struct parse kept = *s->parse;
        route = lines ? parse_lines(s) : ROUTE_NO;
        if (route != ROUTE_NO && (route != ROUTE_NEVER || span.end - span.begin > ROUTE_TOKENS_MAX))
            return route;
        *s->parse = kept;
    }
    if (span.end - span.begin > ROUTE_TOKENS_MAX)
        return ROUTE_NEVER;
    struct parse kept = *s->parse;
    enum route route = route_compound(s, span);
    if (route != ROUTE_NO)
        return route;
    *s->parse = kept;
    return parse_route(s, span);
}

void parse_sentence(struct arena *arena, const char *text, const struct when_options *options, struct parse *out)
{
    struct words words;
    *out = (struct parse){ .kind = PARSE_NONE };
    if (strlen(text) > MESSAGE_BYTES_MAX || !text_valid(text, strlen(text)))
        return;
    words_split(arena, text, &words);
    struct span span = parse_trim(&words, (struct span){ 0, words.count });
    struct sentence s = { .arena = arena, .words = &words, .options = options, .parse = out };
    for (int i = span.end; i < words.count; i++)
        s.question |= token_punct(words_at(&words, i), "?");
    if (words.count == 0)
        return;
    enum route route = route_all(&s, span.begin < span.end ? span : (struct span){ 0, words.count });
    out->kind = route == ROUTE_DONE   ? PARSE_CALLS
                : route == ROUTE_ASK  ? PARSE_ASK
                : route == ROUTE_CHAT ? PARSE_CHAT
                                      : PARSE_NONE;
    if (out->kind != PARSE_ASK)
        out->ask = out->ask_argument = NULL;
    if (out->kind != PARSE_ASK && out->kind != PARSE_CALLS)
        out->call_count = 0;
}

struct json_object *parse_json(struct arena *arena, const struct parse *p)
{
    struct json_object *out = json_keep(arena, json_object_new_object());
    if (p->kind == PARSE_ASK) {
        json_set_str(out, "ask", p->ask);
    } else if (p->kind == PARSE_CALLS && p->call_count == 1) {
        json_set_str(out, "tool", p->calls[0].tool);
        json_set(out, "arguments", json_object_get(p->calls[0].arguments));
    } else if (p->kind == PARSE_CALLS) {
        struct json_object *calls = json_object_new_array();
        for (int i = 0; i < p->call_count; i++) {
            struct json_object *call = json_object_new_object();
            json_set_str(call, "tool", p->calls[i].tool);
            json_set(call, "arguments", json_object_get(p->calls[i].arguments));
            json_push(calls, call);
        }
        json_set(out, "calls", calls);
    } else {
        json_set_str(out, "tool", NULL);
    }
    return out;
}
