/* SPDX-License-Identifier: MIT
 * parse_intake: sentences that report water ("2 glasses of water", "drank half a litre") and saunas ("sauna 15 min at
 * 90").  Both are closed grammars: one word that is not understood and nothing is written.  Called by parse.c; pure. */
#include "router/parse_scan.h"
#include "base/json.h"
#include <string.h>

static const double water_min_ml = 1, water_max_ml = 10000, sauna_min = 1, sauna_max = 240, temperature_min_c = 30,
                    temperature_max_c = 130, imperial_pint_ml = 568;

#define ML "ml|milliliter|milliliters|millilitre|millilitres|mls|cc"
#define CL "cl|centiliter|centiliters|centilitre|centilitres"
#define DL "dl|deciliter|deciliters|decilitre|decilitres"
#define LITRE "l|liter|liters|litre|litres|lt|ltr|ltrs"
#define METRIC ML "|" CL "|" DL "|" LITRE
static const struct {
    const char *words;
    double ml;
} vessels[] = {
    { ML, 1 },
    { CL, 10 },
    { DL, 100 },
    { LITRE, 1000 },
    { "oz|ounce|ounces|floz", 29.57 },
    { "glass|glasses|glas", 250 },
    { "cup|cups", 240 },
    { "mug|mugs", 300 },
    { "bottle|bottles", 500 },
    { "pint|pints", 473 },
    { "gallon|gallons", 3785 },
    { "can|cans", 330 },
};

static bool vessel(const struct token *t, double *ml)
{
    for (size_t i = 0; i < sizeof vessels / sizeof *vessels; i++)
        if (token_any(t, vessels[i].words)) {
            *ml = vessels[i].ml;
            return true;
        }
    return false;
}

/* "2 glasses", "half a litre", "500ml bottle", "3 x 330 ml", "a big glass"; tokens used. */
static int portion(const struct sentence *s, struct span span, int i, double *ml)
{
    const struct words *w = s->words;
    double count = 1, unit, again;
    int n = words_amount(w, i, &count);
    if (n && token_is(words_at(w, i + n), "x")) {
        int used = words_amount(w, i + n + 1, &again);
        if (used)
            n += 1 + used, count *= again;
    }
    n += n && token_is(words_at(w, i + n), "of");
    n += n && token_any(words_at(w, i + n), "big|large|small|full|tall|more|whole|fl|fluid|-|good|huge|little");
    if (!n && !token_any(words_at(w, i), "glass|bottle|cup|mug|pint|litre|liter"))
        return 0;
    if (i + n >= span.end || !vessel(words_at(w, i + n), &unit))
        return 0;
    n++;
    if (s->options->day_first && token_any(words_at(w, i + n - 1), "pint|pints"))
        unit = imperial_pint_ml;
    *ml = count * unit;
    if (unit < 100 && token_any(words_at(w, i + n), "glass|bottle|cup|glasses|bottles|cups|can|mug"))
        n++; /* "a 500 ml bottle" */
    return n;
}

/* All portions of the span.  "a bottle of water (0.5 l)", "a big glass, 400 ml": a measure behind one vessel says how
 * much that was.  *loose: a vessel that may hold anything. */
static bool sum_portions(const struct sentence *s, struct span span, bool *known, double *total, bool *loose)
{
    double ml, vessel_ml = 0;
    bool measured = false;
    for (int i = span.begin; i < span.end;) {
        const struct token *first = words_at(s->words, i), *before = words_at(s->words, i - 1);
        int n = portion(s, span, i, &ml);
        if (!n) {
            i++;
            continue;
        }
        bool exact = token_any(words_at(s->words, i + n - 1), METRIC);
        if (exact && vessel_ml > 0 && token_punct(before, "(,-"))
            *total -= vessel_ml;
        vessel_ml = !exact && token_any(first, "a|an|one|glass|bottle") ? ml : 0;
        *loose |= token_any(words_at(s->words, i + n - 1), "cup|cups|mug|mugs|bottle|bottles|can|cans|pint|pints");
        parse_mark(known, span, (struct span){ i, i + n });
        *total += ml;
        measured = true;
        i += n;
    }
    return measured;
}

static const char ask_water[] = "How much water, in ml or glasses?";

static enum route log_water(struct sentence *s, double ml, const struct due *day)
{
    struct json_object *arguments = parse_call(s, "log_water");
    if (!arguments)
        return ROUTE_NEVER;
    parse_set_due(s, arguments, day, "date");
    if (ml < 0)
        return parse_asks(s, ask_water, "amount_ml");
    ml = parse_round(ml, 0);
    if (ml < water_min_ml || ml > water_max_ml)
        return parse_asks(s, "That must be between 1 ml and 10 litres. How much water was it?", "amount_ml");
    json_set_int(arguments, "amount_ml", (int64_t)ml);
    return ROUTE_DONE;
}

enum route parse_water(struct sentence *s, struct span span)
{
    static const char small[] =
        "i|i've|have|had|has|just|drank|drunk|drink|drinking|about|around|roughly|approximately|approx|of|water|more|"
        "another|a|an|some|still|"
        "sparkling|mineral|tap|cold|warm|fresh|today|so|far|the|and|log|logged|add|added|record|recorded|track|tracked|"
        "put|for|me|please|my|this|"
        "with|already|finished|chugged|downed|consumed|intake|in|total|also|now|then|to|morning|afternoon|evening|only|"
        "like|got|ok|waters|h2o|"
        "lemon|run|gym|workout|breakfast|lunch|dinner|after|before|during|at|yes|hydration|drinks|took|gulped|sipped|"
        "full|first|second|third|fourth|fifth|last";
    bool known[ROUTE_TOKENS_MAX] = { false };
    struct due day;
    int water = parse_find(s, span, "water|waters|h2o|hydration"),
        verb = parse_find(s, span, "drank|drunk|drink|chugged|downed|gulped|sipped");
    bool told = token_any(words_at(s->words, span.begin), "log|logged|add|track|record");
    if ((water < 0 && verb < 0 && !told) || !parse_log_real(s, span) || !parse_log_day(s, span, &day))
        return ROUTE_NO;
    double total = 0;
    bool loose = false, measured = sum_portions(s, span, known, &total, &loose);
    double bare;
    int n = !measured && water >= 0
                ? words_amount(s->words, water + 1 + token_punct(words_at(s->words, water + 1), ":=+"), &bare)
                : 0;
    if (n && bare >= 50 && verb < 0) { /* "water 500" */
        int begin = water + 1 + token_punct(words_at(s->words, water + 1), ":=+");
        parse_mark(known, span, (struct span){ begin, begin + n });
        total = bare;
        measured = true;
    }
    if (!parse_all_known(s, span, known, &day, small))
        return ROUTE_NO;
    bool order = token_is(words_at(s->words, span.begin), "drink") || parse_verb(s, span, "i drink") > 0;
    if (measured && order)
        return parse_asks(s, "Have you drunk it? Then say, for example, \"drank 500 ml\".", NULL);
    if (measured && water < 0 && loose)
        return log_water(s, -1, &day); /* a bottle of what? */
    if (measured)
        return log_water(s, total, &day);
    bool report = verb >= 0 ? !order : parse_has(s, span, "had|log|add|track|record|logged");
    if (water >= 0 && report && span.end - span.begin <= 8)
        return log_water(s, -1, &day);
    return ROUTE_NO;
}

/* "at 90", "90°C", "85 degrees", "190F" → Celsius; tokens used. */
static int temperature(const struct sentence *s, int i, double *celsius)
{
    const struct words *w = s->words;
    double v;
    int n = words_at(w, i)->kind == TOKEN_NUMBER ? words_amount(w, i, &v) : 0;
    if (!n || token_punct(words_at(w, i + n), ":/"))
        return 0;
    const struct token *next = words_at(w, i + n);
    int unit = next->kind == TOKEN_SYMBOL && next->glued; /* ° */
    unit += token_any(words_at(w, i + n + unit), "degrees|degree|deg|grad");
    const struct token *scale = words_at(w, i + n + unit);
    bool fahrenheit = token_any(scale, "f|fahrenheit"), c = token_any(scale, "c|celsius");
    unit += fahrenheit || c;
    if (!unit && !(token_any(words_at(w, i - 1), "at|@") || token_punct(words_at(w, i - 1), "@")))
        return 0;
    if (!unit && (token_any(next, "am|pm|o'clock|min|mins|minutes|h|hours") || v < temperature_min_c))
        return 0;
    *celsius = fahrenheit || (!c && v > 150) ? (v - 32) * 5 / 9 : v;
    return n + unit;
}

/* "3x15" in minutes, or "2 rounds" whose length stands elsewhere (minutes 0, *rounds set); tokens used. */
static int bare_rounds(const struct words *w, int i, double *rounds, double *minutes)
{
    int64_t count, each;
    int n = words_cardinal(w, i, &count);
    *minutes = 0;
    if (!n || count < 1 || count > 20)
        return 0;
    if (token_any(words_at(w, i + n), "rounds|round|sessions")) {
        *rounds = (double)count;
        return n + 1;
    }
    int used = token_is(words_at(w, i + n), "x") ? words_cardinal(w, i + n + 1, &each) : 0;
    if (!used || each < 1 || each > 60)
        return 0;
    *minutes = (double)(count * each);
    return n + 1 + used;
}

static enum route log_sauna(struct sentence *s, double minutes, double celsius, const struct due *day)
{
    struct json_object *arguments = parse_call(s, "log_sauna");
    if (!arguments)
        return ROUTE_NEVER;
    parse_set_due(s, arguments, day, "date");
    if (celsius > -999) {
        celsius = parse_round(celsius, 0);
        if (celsius < temperature_min_c || celsius > temperature_max_c)
            return parse_asks(s, "A sauna has between 30 and 130 °C. How hot was it?", "temperature_c");
        json_set_int(arguments, "temperature_c", (int64_t)celsius);
    }
    if (minutes < 0)
        return parse_asks(s, "How long were you in the sauna, in minutes?", "duration_minutes");
    minutes = parse_round(minutes, 0);
    if (minutes < sauna_min || minutes > sauna_max)
        return parse_asks(s, "A sauna lasts between 1 and 240 minutes. How long was it?", "duration_minutes");
    json_set_int(arguments, "duration_minutes", (int64_t)minutes);
    return ROUTE_DONE;
}

enum route parse_sauna(struct sentence *s, struct span span)
{
    static const char small[] = "i|i've|have|had|did|done|do|just|was|were|went|to|in|the|a|an|of|for|sauna|saunas|"
                                "session|sessions|at|with|and|today|log|logged|add|"
                                "record|track|me|my|some|about|around|roughly|this|morning|evening|afternoon|then|also|"
                                "took|spent|sat|total|each|rounds|round|good|nice|after|"
                                "before|gym|workout|finnish|infrared|steam|dry|hot|on|please|another|now|finished|we|"
                                "got|temperature|temp|used|enjoyed|degrees|x|swim|training|plus";
    bool known[ROUTE_TOKENS_MAX] = { false };
    struct due day;
    int at = parse_find(s, span, "sauna|saunas");
    if (at < 0 || !parse_log_real(s, span) || !parse_log_day(s, span, &day))
        return ROUTE_NO;
    double total = 0, minutes, celsius = -1000, v, rounds = 1;
    bool measured = false, each = false;
    for (int i = span.begin; i < span.end;) {
        int n = parse_rounds(s, span, i, &minutes);
        if (n) {
            total += minutes;
            measured = true;
            each |= token_any(words_at(s->words, i + n), "each");
        } else if ((n = bare_rounds(s->words, i, &rounds, &minutes))) {
            total += minutes;
            measured |= minutes > 0;
        } else if (celsius < -999 && (n = temperature(s, i, &v))) {
            celsius = v;
        }
        parse_mark(known, span, (struct span){ i, i + n });
        i += n ? n : 1;
    }
    if (!parse_all_known(s, span, known, &day, small))
        return ROUTE_NO;
    if (!measured && !parse_has(s, span, "had|did|went|was|took|log|done|used|enjoyed|been|finished|got|spent") &&
        span.end - span.begin > 2)
        return ROUTE_NO;
    if (rounds > 1 && each)
        total *= rounds; /* "2 rounds of sauna, 15 min each" */
    return log_sauna(s, measured ? total : -1, celsius, &day);
}
