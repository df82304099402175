/* SPDX-License-Identifier: MIT
 * words_lexicon: what single words mean.  The table is sorted by word and searched by halves; lexicon_sorted() is what
 * the unit test asks.  Called by words.c; pure. */
#include "router/words_lexicon.h"
#include "router/words.h"
#include <string.h>

struct lexeme {
    const char *word;
    enum word_class class;
    int value;
};

static const struct lexeme lexicon[] = {
    { "afternoon", CLASS_DAYPART, 1500 },
    { "afternoons", CLASS_DAYPART, 1500 },
    { "annually", CLASS_PERIODIC, UNIT_YEAR },
    { "apr", CLASS_MONTH, 4 },
    { "april", CLASS_MONTH, 4 },
    { "arvo", CLASS_DAYPART, 1500 },
    { "aug", CLASS_MONTH, 8 },
    { "august", CLASS_MONTH, 8 },
    { "biweekly", CLASS_PERIODIC, UNIT_FORTNIGHT },
    { "d", CLASS_UNIT, UNIT_DAY },
    { "daily", CLASS_PERIODIC, UNIT_DAY },
    { "day", CLASS_UNIT, UNIT_DAY },
    { "days", CLASS_UNIT, UNIT_DAY },
    { "dec", CLASS_MONTH, 12 },
    { "decade", CLASS_UNIT, UNIT_DECADE },
    { "decades", CLASS_UNIT, UNIT_DECADE },
    { "december", CLASS_MONTH, 12 },
    { "eight", CLASS_CARDINAL, 8 },
    { "eighteen", CLASS_CARDINAL, 18 },
    { "eighteenth", CLASS_ORDINAL, 18 },
    { "eighth", CLASS_ORDINAL, 8 },
    { "eighty", CLASS_CARDINAL, 80 },
    { "eleven", CLASS_CARDINAL, 11 },
    { "eleventh", CLASS_ORDINAL, 11 },
    { "evening", CLASS_DAYPART, 2000 },
    { "evenings", CLASS_DAYPART, 2000 },
    { "feb", CLASS_MONTH, 2 },
    { "febr", CLASS_MONTH, 2 },
    { "february", CLASS_MONTH, 2 },
    { "fifteen", CLASS_CARDINAL, 15 },
    { "fifteenth", CLASS_ORDINAL, 15 },
    { "fifth", CLASS_ORDINAL, 5 },
    { "fifty", CLASS_CARDINAL, 50 },
    { "first", CLASS_ORDINAL, 1 },
    { "five", CLASS_CARDINAL, 5 },
    { "fortnight", CLASS_UNIT, UNIT_FORTNIGHT },
    { "fortnightly", CLASS_PERIODIC, UNIT_FORTNIGHT },
    { "fortnights", CLASS_UNIT, UNIT_FORTNIGHT },
    { "forty", CLASS_CARDINAL, 40 },
    { "four", CLASS_CARDINAL, 4 },
    { "fourteen", CLASS_CARDINAL, 14 },
    { "fourteenth", CLASS_ORDINAL, 14 },
    { "fourth", CLASS_ORDINAL, 4 },
    { "fourty", CLASS_CARDINAL, 40 },
    { "fri", CLASS_WEEKDAY, 4 },
    { "friday", CLASS_WEEKDAY, 4 },
    { "fridays", CLASS_WEEKDAYS, 4 },
    { "h", CLASS_UNIT, UNIT_HOUR },
    { "hour", CLASS_UNIT, UNIT_HOUR },
    { "hourly", CLASS_PERIODIC, UNIT_HOUR },
    { "hours", CLASS_UNIT, UNIT_HOUR },
    { "hr", CLASS_UNIT, UNIT_HOUR },
    { "hrs", CLASS_UNIT, UNIT_HOUR },
    { "hs", CLASS_UNIT, UNIT_HOUR },
    { "hundred", CLASS_MULTIPLE, 100 },
    { "jan", CLASS_MONTH, 1 },
    { "january", CLASS_MONTH, 1 },
    { "jul", CLASS_MONTH, 7 },
    { "july", CLASS_MONTH, 7 },
    { "jun", CLASS_MONTH, 6 },
    { "june", CLASS_MONTH, 6 },
    { "lunchtime", CLASS_DAYPART, 1200 },
    { "m", CLASS_UNIT, UNIT_MINUTE },
    { "mar", CLASS_MONTH, 3 },
    { "march", CLASS_MONTH, 3 },
    { "may", CLASS_MONTH, 5 },
    { "midday", CLASS_DAYPART, 1200 },
    { "midnight", CLASS_DAYPART, 0 },
    { "min", CLASS_UNIT, UNIT_MINUTE },
    { "mins", CLASS_UNIT, UNIT_MINUTE },
    { "minute", CLASS_UNIT, UNIT_MINUTE },
    { "minutes", CLASS_UNIT, UNIT_MINUTE },
    { "minuts", CLASS_UNIT, UNIT_MINUTE },
    { "mn", CLASS_UNIT, UNIT_MINUTE },
    { "mo", CLASS_UNIT, UNIT_MONTH },
    { "mon", CLASS_UNIT, UNIT_MONTH },
    { "mon", CLASS_WEEKDAY, 0 },
    { "monday", CLASS_WEEKDAY, 0 },
    { "mondays", CLASS_WEEKDAYS, 0 },
    { "month", CLASS_UNIT, UNIT_MONTH },
    { "monthly", CLASS_PERIODIC, UNIT_MONTH },
    { "months", CLASS_UNIT, UNIT_MONTH },
    { "morning", CLASS_DAYPART, 600 },
    { "mornings", CLASS_DAYPART, 600 },
    { "mos", CLASS_UNIT, UNIT_MONTH },
    { "mth", CLASS_UNIT, UNIT_MONTH },
    { "mths", CLASS_UNIT, UNIT_MONTH },
    { "night", CLASS_DAYPART, 2200 },
    { "nightly", CLASS_PERIODIC, UNIT_DAY },
    { "nights", CLASS_DAYPART, 2200 },
    { "nine", CLASS_CARDINAL, 9 },
    { "nineteen", CLASS_CARDINAL, 19 },
    { "nineteenth", CLASS_ORDINAL, 19 },
    { "ninety", CLASS_CARDINAL, 90 },
    { "ninth", CLASS_ORDINAL, 9 },
    { "noon", CLASS_DAYPART, 1200 },
    { "noontime", CLASS_DAYPART, 1200 },
    { "nov", CLASS_MONTH, 11 },
    { "november", CLASS_MONTH, 11 },
    { "oct", CLASS_MONTH, 10 },
    { "october", CLASS_MONTH, 10 },
    { "one", CLASS_CARDINAL, 1 },
    { "overmorrow", CLASS_DAY, 2 },
    { "quarter", CLASS_UNIT, UNIT_QUARTER },
    { "quarterly", CLASS_PERIODIC, UNIT_QUARTER },
    { "quarters", CLASS_UNIT, UNIT_QUARTER },
    { "s", CLASS_UNIT, UNIT_SECOND },
    { "sat", CLASS_WEEKDAY, 5 },
    { "saturday", CLASS_WEEKDAY, 5 },
    { "saturdays", CLASS_WEEKDAYS, 5 },
    { "sec", CLASS_UNIT, UNIT_SECOND },
    { "second", CLASS_ORDINAL, 2 },
    { "second", CLASS_UNIT, UNIT_SECOND },
    { "seconds", CLASS_UNIT, UNIT_SECOND },
    { "secs", CLASS_UNIT, UNIT_SECOND },
    { "sep", CLASS_MONTH, 9 },
    { "sept", CLASS_MONTH, 9 },
    { "september", CLASS_MONTH, 9 },
    { "seven", CLASS_CARDINAL, 7 },
    { "seventeen", CLASS_CARDINAL, 17 },
    { "seventeenth", CLASS_ORDINAL, 17 },
    { "seventh", CLASS_ORDINAL, 7 },
    { "seventy", CLASS_CARDINAL, 70 },
    { "six", CLASS_CARDINAL, 6 },
    { "sixteen", CLASS_CARDINAL, 16 },
    { "sixteenth", CLASS_ORDINAL, 16 },
    { "sixth", CLASS_ORDINAL, 6 },
    { "sixty", CLASS_CARDINAL, 60 },
    { "sun", CLASS_WEEKDAY, 6 },
    { "sunday", CLASS_WEEKDAY, 6 },
    { "sundays", CLASS_WEEKDAYS, 6 },
    { "ten", CLASS_CARDINAL, 10 },
    { "tenth", CLASS_ORDINAL, 10 },
    { "third", CLASS_ORDINAL, 3 },
    { "thirteen", CLASS_CARDINAL, 13 },
    { "thirteenth", CLASS_ORDINAL, 13 },
    { "thirtieth", CLASS_ORDINAL, 30 },
    { "thirty", CLASS_CARDINAL, 30 },
    { "thousand", CLASS_MULTIPLE, 1000 },
    { "three", CLASS_CARDINAL, 3 },
    { "thu", CLASS_WEEKDAY, 3 },
    { "thur", CLASS_WEEKDAY, 3 },
    { "thurs", CLASS_WEEKDAY, 3 },
    { "thursday", CLASS_WEEKDAY, 3 },
    { "thursdays", CLASS_WEEKDAYS, 3 },
    { "tod", CLASS_DAY, 0 },
    { "today", CLASS_DAY, 0 },
    { "tomorrow", CLASS_DAY, 1 },
    { "tomorrows", CLASS_DAY, 1 },
    { "tonight", CLASS_DAY, 0 },
    { "tonight", CLASS_DAYPART, 2200 },
    { "tue", CLASS_WEEKDAY, 1 },
    { "tues", CLASS_WEEKDAY, 1 },
    { "tuesday", CLASS_WEEKDAY, 1 },
    { "tuesdays", CLASS_WEEKDAYS, 1 },
    { "twelfth", CLASS_ORDINAL, 12 },
    { "twelve", CLASS_CARDINAL, 12 },
    { "twentieth", CLASS_ORDINAL, 20 },
    { "twenty", CLASS_CARDINAL, 20 },
    { "two", CLASS_CARDINAL, 2 },
    { "w", CLASS_UNIT, UNIT_WEEK },
    { "wed", CLASS_WEEKDAY, 2 },
    { "wednes", CLASS_WEEKDAY, 2 },
    { "wednesday", CLASS_WEEKDAY, 2 },
    { "wednesdays", CLASS_WEEKDAYS, 2 },
    { "weds", CLASS_WEEKDAY, 2 },
    { "week", CLASS_UNIT, UNIT_WEEK },
    { "weekly", CLASS_PERIODIC, UNIT_WEEK },
    { "weeks", CLASS_UNIT, UNIT_WEEK },
    { "wk", CLASS_UNIT, UNIT_WEEK },
    { "wks", CLASS_UNIT, UNIT_WEEK },
    { "workday", CLASS_UNIT, UNIT_WORKDAY },
    { "workdays", CLASS_UNIT, UNIT_WORKDAY },
    { "y", CLASS_UNIT, UNIT_YEAR },
    { "year", CLASS_UNIT, UNIT_YEAR },
    { "yearly", CLASS_PERIODIC, UNIT_YEAR },
    { "years", CLASS_UNIT, UNIT_YEAR },
    { "yesterday", CLASS_DAY, -1 },
    { "yr", CLASS_UNIT, UNIT_YEAR },
    { "yrs", CLASS_UNIT, UNIT_YEAR },
    { "zero", CLASS_CARDINAL, 0 },
};

enum { LEXEMES = sizeof lexicon / sizeof *lexicon };

int lexicon_find(const char *word)
{
    int low = 0, high = LEXEMES;
    while (low < high) {
        int middle = (low + high) / 2;
        if (strcmp(lexicon[middle].word, word) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < LEXEMES && strcmp(lexicon[low].word, word) == 0 ? low : -1;
}

bool lexicon_sorted(void)
{
    bool sorted = true;
    for (int i = 1; i < LEXEMES; i++)
        sorted &= strcmp(lexicon[i - 1].word, lexicon[i].word) <= 0;
    return sorted;
}

bool token_class(const struct token *t, enum word_class class, int *value)
{
    if (t->lexeme < 0)
        return false;
    for (int i = t->lexeme; i < LEXEMES && strcmp(lexicon[i].word, lexicon[t->lexeme].word) == 0; i++)
        if (lexicon[i].class == class) {
            *value = lexicon[i].value;
            return true;
        }
    return false;
}
