/* SPDX-License-Identifier: MIT
 * parse_pattern: see parse_pattern.h.  Called by the sentence rules; pure; any thread. */
#include "router/parse_pattern.h"
#include <string.h>

enum { MATCH_STEPS_MAX = 20000, LIST_MODIFIERS_MAX = 4 };

struct frame { /* where to go on when a group has ended */
    const char *resume;
    const struct frame *outer;
};

struct matcher {
    const struct words *words;
    int end, steps;
    struct match *out;
};

static bool step(struct matcher *, const char *p, int i, const struct frame *);

/* The character behind the group that opens at p; alternatives are separated by '/' at depth 0. */
static const char *group_end(const char *p)
{
    int depth = 0;
    for (; *p; p++) {
        depth += *p == '[' || *p == '(';
        depth -= *p == ']' || *p == ')';
        if (depth == 0)
            return p + 1;
    }
    return p;
}

static const char *next_alternative(const char *p)
{
    int depth = 0;
    for (; *p; p++) {
        if (depth == 0 && (*p == '/' || *p == ']' || *p == ')'))
            return *p == '/' ? p + 1 : NULL;
        depth += *p == '[' || *p == '(';
        depth -= *p == ']' || *p == ')';
    }
    return NULL;
}

static bool step_group(struct matcher *m, const char *p, int i, const struct frame *outer)
{
    struct frame frame = { group_end(p), outer };
    for (const char *alternative = p + 1; alternative; alternative = next_alternative(alternative))
        if (step(m, alternative, i, &frame))
            return true;
    return *p == '[' && step(m, frame.resume, i, outer);
}

static bool step_capture(struct matcher *m, const char *p, int i, const struct frame *outer)
{
    int slot = p[1] - '0', least = p[2] == '?' ? 0 : 1;
    const char *rest = strchr(p, '}') + 1;
    for (int end = i + least; end <= m->end; end++) {
        if (m->steps > MATCH_STEPS_MAX)
            return false;
        if (step(m, rest, end, outer)) {
            m->out->capture[slot] = (struct span){ i, end };
            return true;
        }
    }
    return false;
}

/* Names that mean a list without the word: more would be guessing ("add sugar to tea"). */
static int list_name(const struct words *w, int i, int end, struct span *category)
{
    if (i >= end || !token_any(words_at(w, i), "shopping|grocery|groceries|errands|chores|work|packing|wishlist"))
        return 0;
    *category = (struct span){ i, i + 1 };
    return 1;
}

static bool step_class(struct matcher *m, const char *p, int i, const struct frame *outer)
{
    bool list = strncmp(p, "@list", 5) == 0, name = strncmp(p, "@name", 5) == 0;
    struct span category = { 0, 0 };
    int64_t id = 0;
    int n = list   ? pattern_list(m->words, i, m->end, &category)
            : name ? list_name(m->words, i, m->end, &category)
                   : pattern_id(m->words, i, m->end, true, &id);
    if (!n || !step(m, p + strcspn(p, " )]/"), i + n, outer))
        return false;
    if (list || name) {
        m->out->list = true;
        m->out->category = category;
    } else {
        m->out->id = id;
    }
    return true;
}

/* Is the token one of the words at p?  The end of these words, NULL = no. */
static const char *words_match(const struct token *t, const char *p)
{
    static const bool ends[256] = {
        [0] = true,   [' '] = true, ['['] = true, [']'] = true, ['('] = true, [')'] = true,
        ['/'] = true, ['{'] = true, ['}'] = true, ['@'] = true, [':'] = true, [';'] = true
    };
    for (; t->kind == TOKEN_WORD; p++) {
        const char *rest = t->text;
        while (*rest && *p == *rest)
            p++, rest++;
        bool hit = !*rest && (*p == '|' || ends[(unsigned char)*p]);
        while (!ends[(unsigned char)*p] && (hit || *p != '|'))
            p++;
        if (hit)
            return p;
        if (*p != '|')
            return NULL;
    }
    return NULL;
}

/* "task - fix the tap": a dash between spaces stands for a colon. */
static bool mark_matches(const struct words *w, int i, char mark)
{
    const struct token *t = words_at(w, i);
    if (mark == ';')
        return token_punct(t, ";");
    return token_punct(t, ":") || (token_punct(t, "-") && !t->glued && !words_at(w, i + 1)->glued);
}

static int skip_commas(const struct matcher *m, int i)
{
    while (i < m->end && token_punct(words_at(m->words, i), ",\"'"))
        i++;
    return i;
}

static bool at_end(const struct matcher *m, int i)
{
    while (i < m->end && (words_at(m->words, i)->kind == TOKEN_PUNCT || words_at(m->words, i)->kind == TOKEN_NEWLINE ||
                          words_at(m->words, i)->kind == TOKEN_SYMBOL))
        i++;
    return i >= m->end;
}

static bool step(struct matcher *m, const char *p, int i, const struct frame *outer)
{
    if (m->steps++ > MATCH_STEPS_MAX)
        return false;
    while (*p == ' ')
        p++;
    if (*p == 0)
        return at_end(m, i);
    if ((*p == '/' || *p == ']' || *p == ')') && outer) /* only inside a group: patterns are ours */
        return step(m, outer->resume, i, outer->outer);
    if (*p == '[' || *p == '(')
        return step_group(m, p, i, outer);
    if (*p == '{')
        return step_capture(m, p, i, outer);
    i = skip_commas(m, i);
    if (*p == '@')
        return step_class(m, p, i, outer);
    if (i >= m->end)
        return false;
    if (*p == ':' || *p == ';')
        return mark_matches(m->words, i, *p) && step(m, p + 1, i + 1, outer);
    const char *rest = words_match(words_at(m->words, i), p);
    return rest && step(m, rest, i + 1, outer);
}

bool pattern_match(const struct words *words, struct span span, const char *pattern, struct match *out)
{
    *out = (struct match){ 0 };
    struct matcher m = { .words = words, .end = span.end, .out = out };
    return step(&m, pattern, span.begin, NULL);
}

/* "to do", "to-do", "todo", "to dos": the name of the list that is no category. */
static int todo_word(const struct words *w, int i)
{
    if (token_any(words_at(w, i), "todo|todos"))
        return 1;
    if (!token_is(words_at(w, i), "to"))
        return 0;
    int dash = token_punct(words_at(w, i + 1), "-");
    return token_any(words_at(w, i + 1 + dash), "do|dos|does|do's") ? 2 + dash : 0;
}

static bool plain_modifier(const struct token *t)
{
    return token_any(t,
                     "task|tasks|reminder|reminders|agenda|thing|things|item|items|whole|entire|complete|full|current|"
                     "main|own|personal|daily|new|pending|open|remaining|active|calendar");
}

static bool list_stop(const struct token *t)
{
    return t->kind != TOKEN_WORD ||
           token_any(t,
                     "to|on|from|off|of|for|in|at|and|or|the|my|a|an|is|are|was|it|that|this|i|you|me|list|lists|with|"
                     "have|add|put|remove|delete|called|named|as|by|do|does|did|be|not|if|please|what|which");
}

/* Behind "list": "of things to do", "of chores", "for shopping", "to do"; tokens used. */
static int list_tail(const struct words *w, int i, int end, struct span *category)
{
    int n = todo_word(w, i);
    if (n)
        return n;
    if (!token_any(words_at(w, i), "of|for") || i + 1 >= end)
        return 0;
    n = 1;
    n += token_any(words_at(w, i + n), "my|the|all");
    const struct token *t = words_at(w, i + n);
    int todo = todo_word(w, i + n);
    if (todo)
        return n + todo;
    if (plain_modifier(t)) {
        n++;
        n += token_any(words_at(w, i + n), "i|that");
        n += token_any(words_at(w, i + n), "have|need");
        int more = todo_word(w, i + n);
        if (!more && token_is(words_at(w, i + n), "to") &&
            token_any(words_at(w, i + n + 1), "complete|finish|remember|buy"))
            more = 2;
        return n + more;
    }
    int v;
    if (list_stop(t) || token_class(t, CLASS_DAY, &v) || token_class(t, CLASS_WEEKDAY, &v) ||
        token_class(t, CLASS_MONTH, &v) || token_any(t, "later|next|me|us|good"))
        return 0;
    if (category->begin == category->end)
        *category = (struct span){ i + n, i + n + 1 };
    return n + 1;
}

static int list_noun(const struct words *w, int i, bool named)
{
    const struct token *t = words_at(w, i);
    if (token_any(t, "list|lists|checklist|calendar"))
        return 1;
    return named && token_any(t, "calendar|agenda|schedule|planner|reminders|tasks") ? 1 : 0;
}

int pattern_list(const struct words *w, int i, int end, struct span *category)
{
    int n = token_any(words_at(w, i), "my|the|our|a|this|your|that|all|his|her");
    bool owned = n > 0;
    n += n && token_any(words_at(w, i + n), "my|the");
    *category = (struct span){ i + n, i + n };
    for (int k = 0; k < LIST_MODIFIERS_MAX && i + n < end; k++) {
        int noun = list_noun(w, i + n, owned);
        if (noun && !token_any(words_at(w, i + n), "list|lists") && token_any(words_at(w, i + n + 1), "list|lists"))
            noun = 0; /* "my agenda list" */
        if (noun) {
            n += noun;
            n += i + n < end ? list_tail(w, i + n, end, category) : 0;
            return i + n <= end ? n : 0;
        }
        int todo = todo_word(w, i + n);
        if (todo && token_any(words_at(w, i + n + todo), "list|lists")) {
            n += todo;
            continue;
        }
        if (todo && owned && token_any(words_at(w, i + n), "todo|todos|to"))
            return i + n + todo <= end ? n + todo : 0;
        if (token_is(words_at(w, i + n), "to") && token_any(words_at(w, i + n + 1), "list|lists"))
            n++; /* "my to list" */
        else if (list_stop(words_at(w, i + n)))
            return 0;
        else if (plain_modifier(words_at(w, i + n)))
            n++;
        else {
            if (category->begin == category->end)
                category->begin = i + n;
            category->end = i + ++n;
        }
    }
    return 0;
}

int pattern_id(const struct words *w, int i, int end, bool bare, int64_t *id)
{
    int n = token_is(words_at(w, i), "the");
    bool named = token_any(words_at(w, i + n), "task|todo|item|number|id|reminder|no");
    n += named;
    bool again = named && token_any(words_at(w, i + n), "number|id|no|nr");
    n += again;
    if ((named && token_punct(words_at(w, i + n), ".")) || token_punct(words_at(w, i + n), "#"))
        n++, named = true;
    const struct token *t = words_at(w, i + n);
    int v; /* "task four" */
    if (named && token_class(t, CLASS_CARDINAL, &v) && v >= 1 && i + n < end) {
        *id = v;
        return n + 1;
    }
    if (t->kind != TOKEN_NUMBER || t->digits > 9 || t->number < 1 || (!named && !bare) || i + n >= end)
        return 0;
    const struct token *next = words_at(w, i + n + 1);
    if (i + n + 1 < end && next->glued &&
        (next->kind == TOKEN_WORD || token_punct(next, "/:%-") ||
         (token_punct(next, ".,") && words_at(w, i + n + 2)->glued && words_at(w, i + n + 2)->kind == TOKEN_NUMBER)))
        return 0;
    *id = t->number;
    return n + 1;
}
