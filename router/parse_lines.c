/* SPDX-License-Identifier: MIT
 * parse_lines: messages of several lines: a list with or without bullets, or a heading ("tasks:") with a list below it.
 * Called by parse.c; pure. */
#include "router/parse_scan.h"
#include "base/json.h"

enum { LINES_MAX = PARSE_CALLS_MAX };

static int split_lines(const struct words *w, struct span *line)
{
    int count = 0, begin = 0;
    for (int i = 0; i <= w->count; i++) {
        if (i < w->count && words_at(w, i)->kind != TOKEN_NEWLINE)
            continue;
        if (i > begin) {
            if (count == LINES_MAX + 1)
                return 0;
            line[count++] = (struct span){ begin, i };
        }
        begin = i + 1;
    }
    return count;
}

/* "- milk", "* milk", "1. milk", "2) milk", "[ ] milk"; tokens used. */
static int bullet(const struct words *w, struct span line)
{
    const struct token *t = words_at(w, line.begin), *next = words_at(w, line.begin + 1);
    int n = 0;
    if (token_punct(t, "-*+>") && !next->glued)
        n = 1;
    else if (t->kind == TOKEN_NUMBER && t->digits <= 2 && token_punct(next, ".)") &&
             !words_at(w, line.begin + 2)->glued)
        n = 2;
    if (token_punct(words_at(w, line.begin + n), "[") && token_punct(words_at(w, line.begin + n + 1), "]"))
        n += 2;
    else if (token_punct(words_at(w, line.begin + n), "[") && token_punct(words_at(w, line.begin + n + 2), "]"))
        n += 3;
    return line.begin + n < line.end ? n : 0;
}

/* A first line that says what the others are: "tasks:", "add to my shopping list:", "remind me to". */
static bool task_header(struct sentence *s, struct span line, struct match *m, struct due *due)
{
    static const char *const headers[] = {
        ("[my / new / add / some / the / these / the following / add the following / add these / create] (tasks / "
         "todos "
         "/ todo / to do / things to do / reminders / to dos) {1?}"),
        "[add / put] [the following / these] [tasks / items / things] [to / on / for] @list {1?}",
        "[please] remind me (to / of / about) [the following] {1?}",
        "@list {1?}",
        "i need|have to [do the following] {1?}",
        "(add / add the following / add these / don't forget / things i need to do) {1?}",
    };
    struct sentence copy = *s;
    line = parse_strip(&copy, line);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        if (!pattern_match(s->words, line, headers[i], m))
            continue;
        *due = (struct due){ 0 };
        struct span tail = parse_trim(s->words, m->capture[1]);
        if (tail.begin < tail.end && !parse_all_date(s, tail))
            continue;
        parse_due(s, tail, false, due);
        return true;
    }
    return false;
}

static enum route route_headed(struct sentence *s, const struct span *line, int count, const struct match *m,
                               const struct due *day)
{
    for (int i = 1; i < count; i++) {
        struct span span = { line[i].begin + bullet(s->words, line[i]), line[i].end };
        struct due due;
        parse_due(s, span, false, &due);
        const char *content = parse_content(s, span, &due), *category = parse_category(s, m->category);
        struct json_object *arguments = *content ? parse_call(s, "add_task") : NULL;
        if (!arguments)
            return ROUTE_NEVER;
        json_set_str(arguments, "content", content);
        if (category)
            json_set_str(arguments, "category", category);
        parse_set_due(s, arguments, due.found ? &due : day, "due_date");
    }
    return ROUTE_DONE;
}

enum route parse_lines(struct sentence *s)
{
    struct span line[LINES_MAX + 1];
    struct match m;
    struct due due;
    int count = split_lines(s->words, line);
    if (count < 2)
        return ROUTE_NO;
    bool colon = token_punct(words_at(s->words, line[0].end - 1), ":"), bulleted = bullet(s->words, line[1]) > 0;
    if ((colon || bulleted) && !bullet(s->words, line[0]) && task_header(s, line[0], &m, &due))
        return count - 1 <= PARSE_CALLS_MAX ? route_headed(s, line, count, &m, &due) : ROUTE_NEVER;
    for (int i = 0; i < count; i++)
        line[i].begin += bullet(s->words, line[i]);
    if (count > PARSE_CALLS_MAX)
        return ROUTE_NEVER;
    return parse_groups(s, line, count);
}
