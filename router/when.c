/* SPDX-License-Identifier: MIT
 * when: the door of the date parser; see when.h for its promises and when_scan.h for its inside.  Any thread; pure. */
#include "router/when.h"
#include "router/when_scan.h"
#include <string.h>

enum { PHRASES_MAX = 32, /* of one sentence; the surest of them is taken */ PHRASE_BYTES_MAX = 256 };

bool when_day_first(const char *language)
{
    return language && *language && strcmp(language, "en-US") != 0;
}

static void publish(const struct words *w, const struct phrase *p, struct when *out)
{
    *out = (struct when){
        .at = p->at,
        .begin = words_at(w, p->begin)->begin,
        .end = words_at(w, p->end - 1)->end,
        .has_date = p->has_date || p->repeat || (p->flags & PHRASE_MOMENT),
        .has_time = p->at.hour >= 0,
        .repeat = p->repeat,
        .approximate = p->flags & PHRASE_APPROXIMATE,
    };
}

/* The instant forms a program writes, with seconds. */
static bool parse_iso(const char *text, struct when *out)
{
    struct civil at;
    while (*text == ' ')
        text++;
    if (!civil_parse(text, &at) || at.year < WHEN_YEAR_MIN || at.year > WHEN_YEAR_MAX)
        return false;
    *out = (struct when){ .at = at, .end = strlen(text), .has_date = true, .has_time = at.hour >= 0 };
    return true;
}

bool when_parse(struct arena *arena, const char *text, const struct when_options *options, struct when *out)
{
    if (strlen(text) > PHRASE_BYTES_MAX)
        return false;
    if (parse_iso(text, out))
        return true;
    struct words w;
    words_split(arena, text, &w);
    struct scan s = { .arena = arena, .words = &w, .options = options, .whole = true };
    struct phrase p;
    int n = when_phrase(&s, 0, &p);
    while (n && n < w.count && token_punct(words_at(&w, n), ".,!?)"))
        n++;
    if (!n || n != w.count)
        return false;
    publish(&w, &p, out);
    return true;
}

bool when_find(struct arena *arena, const char *sentence, const struct when_options *options, struct when *out)
{
    struct words w;
    words_split(arena, sentence, &w);
    struct scan s = { .arena = arena, .words = &w, .options = options };
    struct phrase phrase[PHRASES_MAX];
    int count = when_all(&s, phrase, PHRASES_MAX), best = -1;
    for (int i = 0; i < count; i++)
        if (best < 0 || phrase[i].score >= phrase[best].score)
            best = i;
    if (best < 0)
        return false;
    publish(&w, &phrase[best], out);
    return true;
}
