/* SPDX-License-Identifier: MIT
 * words_spelling: the word a person meant.  Chat spellings and short words stand in a table; the long words a date or a
 * reminder hangs on are recognised when one letter is wrong.  Called by words.c for every word; pure.  It never touches
 * what is stored: a person's own words are cut from the source. */
#include "router/words_lexicon.h"
#include <string.h>

struct slip {
    const char *typed, *meant;
};

static const struct slip slips[] = {
    { "2day", "today" },
    { "2moro", "tomorrow" },
    { "2morrow", "tomorrow" },
    { "2moz", "tomorrow" },
    { "2mrw", "tomorrow" },
    { "2nite", "tonight" },
    { "abt", "about" },
    { "aint", "ain't" },
    { "appt", "appointment" },
    { "arent", "aren't" },
    { "bc", "because" },
    { "cannot", "can't" },
    { "cant", "can't" },
    { "cnt", "can't" },
    { "compleet", "complete" },
    { "complet", "complete" },
    { "couldnt", "couldn't" },
    { "cud", "could" },
    { "cuz", "because" },
    { "deleet", "delete" },
    { "delet", "delete" },
    { "delte", "delete" },
    { "didint", "didn't" },
    { "didnt", "didn't" },
    { "dint", "didn't" },
    { "dlete", "delete" },
    { "dnt", "don't" },
    { "doesnt", "doesn't" },
    { "doin", "doing" },
    { "dont", "don't" },
    { "gimme", "give" },
    { "grocerys", "grocery" },
    { "grocey", "grocery" },
    { "grocry", "grocery" },
    { "hasnt", "hasn't" },
    { "havent", "haven't" },
    { "havnt", "haven't" },
    { "hows", "how's" },
    { "huors", "hours" },
    { "im", "i'm" },
    { "isnt", "isn't" },
    { "ive", "i've" },
    { "lets", "let's" },
    { "lits", "list" },
    { "lsit", "list" },
    { "mintues", "minutes" },
    { "minuets", "minutes" },
    { "minuts", "minutes" },
    { "msg", "message" },
    { "mustnt", "mustn't" },
    { "n", "and" },
    { "neednt", "needn't" },
    { "nite", "night" },
    { "nxt", "next" },
    { "plaese", "please" },
    { "pleaase", "please" },
    { "pleae", "please" },
    { "pleas", "please" },
    { "plese", "please" },
    { "pls", "please" },
    { "plz", "please" },
    { "rember", "remember" },
    { "remidn", "remind" },
    { "reminde", "remind" },
    { "reming", "remind" },
    { "removee", "remove" },
    { "remve", "remove" },
    { "rmd", "remind" },
    { "rmnd", "remind" },
    { "satur", "saturday" },
    { "shoping", "shopping" },
    { "shopppng", "shopping" },
    { "shouldnt", "shouldn't" },
    { "shouldve", "should've" },
    { "shud", "should" },
    { "sleept", "slept" },
    { "slpet", "slept" },
    { "tday", "today" },
    { "thats", "that's" },
    { "theres", "there's" },
    { "theyre", "they're" },
    { "thnx", "thanks" },
    { "thx", "thanks" },
    { "tmoro", "tomorrow" },
    { "tmr", "tomorrow" },
    { "tmrrw", "tomorrow" },
    { "tmrw", "tomorrow" },
    { "tmrw's", "tomorrow's" },
    { "tmw", "tomorrow" },
    { "tnx", "thanks" },
    { "toady", "today" },
    { "todday", "today" },
    { "todya", "today" },
    { "tomm", "tomorrow" },
    { "tommorow's", "tomorrow's" },
    { "tommorro", "tomorrow" },
    { "tommorw", "tomorrow" },
    { "tomo", "tomorrow" },
    { "tomoro", "tomorrow" },
    { "tomorro", "tomorrow" },
    { "tomorror", "tomorrow" },
    { "tomoz", "tomorrow" },
    { "tonigth", "tonight" },
    { "tonite", "tonight" },
    { "txt", "text" },
    { "u", "you" },
    { "ur", "your" },
    { "wasnt", "wasn't" },
    { "wats", "what's" },
    { "watter", "water" },
    { "wek", "week" },
    { "werent", "weren't" },
    { "whats", "what's" },
    { "whens", "when's" },
    { "wheres", "where's" },
    { "whos", "who's" },
    { "wkend", "weekend" },
    { "wkends", "weekends" },
    { "wknd", "weekend" },
    { "wont", "won't" },
    { "wouldnt", "wouldn't" },
    { "wud", "would" },
    { "wudnt", "wouldn't" },
    { "ya", "you" },
    { "yday", "yesterday" },
    { "yest", "yesterday" },
    { "youre", "you're" },
    { "youve", "you've" },
};

enum { SLIPS = sizeof slips / sizeof *slips };

static const char *slip_meant(const char *word)
{
    int low = 0, high = SLIPS;
    while (low < high) {
        int middle = (low + high) / 2;
        int order = strcmp(slips[middle].typed, word);
        if (order == 0)
            return slips[middle].meant;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* Words that are written wrong in more ways than a table can hold, and how many letters may be. */
static const struct {
    const char *word;
    int edits;
} keywords[] = {
    { "monday", 1 },      { "tuesday", 1 },  { "wednesday", 2 }, { "thursday", 1 },  { "friday", 1 },
    { "saturday", 1 },    { "sunday", 1 },   { "january", 1 },   { "february", 2 },  { "september", 1 },
    { "october", 1 },     { "november", 1 }, { "december", 1 },  { "tomorrow", 2 },  { "yesterday", 2 },
    { "tonight", 1 },     { "remind", 1 },   { "reminder", 1 },  { "reminders", 1 }, { "remember", 1 },
    { "appointment", 1 },
};
static const char *const innocent[] = { "rebind", "remainder", "remainders", "remand", "rewind" };

enum { TYPED_MIN = 5, TYPED_TWO_EDITS_MIN = 7, TYPED_MAX = 13 };

/* How many letters must be inserted, dropped, changed or swapped with their neighbour to get from a to b. */
static int edits(const char *a, const char *b)
{
    int row[3][TYPED_MAX + 1], la = (int)strlen(a), lb = (int)strlen(b);
    for (int j = 0; j <= lb; j++)
        row[0][j] = j;
    for (int i = 1; i <= la; i++) {
        int *now = row[i % 3];
        const int *above = row[(i + 2) % 3], *two_above = row[(i + 1) % 3];
        now[0] = i;
        for (int j = 1; j <= lb; j++) {
            int best = above[j - 1] + (a[i - 1] != b[j - 1]);
            best = above[j] + 1 < best ? above[j] + 1 : best;
            best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && two_above[j - 2] + 1 < best)
                best = two_above[j - 2] + 1;
            now[j] = best;
        }
    }
    return row[la % 3][lb];
}

/* The first and the last letter are hardly ever the wrong ones, and keep other words apart ("reminded"). */
static const char *keyword_meant(const char *word)
{
    size_t n = strlen(word);
    if (n < TYPED_MIN || n > TYPED_MAX)
        return NULL;
    for (size_t i = 0; i < sizeof innocent / sizeof *innocent; i++)
        if (strcmp(word, innocent[i]) == 0)
            return NULL;
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
        const char *key = keywords[i].word;
        if (key[0] == word[0] && key[strlen(key) - 1] == word[n - 1] &&
            edits(word, key) <= (n < TYPED_TWO_EDITS_MIN ? 1 : keywords[i].edits))
            return key;
    }
    return NULL;
}

const char *lexicon_correct(const char *word)
{
    const char *meant = slip_meant(word);
    if (!meant)
        meant = keyword_meant(word);
    return meant ? meant : word;
}

bool spelling_sorted(void)
{
    bool sorted = true;
    for (int i = 1; i < SLIPS; i++)
        sorted &= strcmp(slips[i - 1].typed, slips[i].typed) < 0;
    return sorted;
}
