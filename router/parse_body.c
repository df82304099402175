/* SPDX-License-Identifier: MIT
 * parse_body: sentences that report a body measurement: "weight 81.4", "I weigh 179 lbs", "81.4 kg, 18.2% body fat,
 * muscle 38 kg".  A closed grammar: one word that is not understood and nothing is written.  Called by parse.c; pure.
 */
#include "router/parse_scan.h"
#include "base/json.h"
#include <string.h>

static const double kg_per_lb = 0.45359237, kg_per_stone = 6.35029318, weight_min_kg = 20, weight_max_kg = 350,
                    fat_min = 2, fat_max = 75, muscle_min_kg = 5, muscle_max_kg = 150;

struct body {
    double weight_kg, fat_percent, muscle_kg; /* < 0: not said */
    bool unit;                                /* kg, lb or % was said */
};

static double unit_kg(const struct token *t)
{
    if (token_any(t, "kg|kgs|kilo|kilos|kilogram|kilograms|kilogramm"))
        return 1;
    if (token_any(t, "lb|lbs|pound|pounds"))
        return kg_per_lb;
    return token_any(t, "st|stone|stones") ? kg_per_stone : 0;
}

/* "12 st 4 lb", "81.4 kg", "81,4"; the value in kg when a unit is there; tokens used. */
static int mass(const struct words *w, int i, double *value, bool *unit)
{
    double pounds;
    int n = words_at(w, i)->kind == TOKEN_NUMBER || words_at(w, i)->kind == TOKEN_WORD ? words_amount(w, i, value) : 0;
    if (!n || token_any(words_at(w, i), "a|an"))
        return 0;
    double kg = unit_kg(words_at(w, i + n));
    *unit = kg > 0;
    if (!*unit)
        return n;
    *value *= kg;
    n++;
    if (kg == kg_per_stone) {
        int used = words_amount(w, i + n, &pounds);
        if (used && pounds < 14) {
            *value += pounds * kg_per_lb;
            n += used;
            n += token_any(words_at(w, i + n), "lb|lbs|pounds|pound");
        }
    }
    return n;
}

enum kind { KIND_NONE, KIND_WEIGHT, KIND_FAT, KIND_MUSCLE };

static enum kind keyword(const struct token *t)
{
    if (token_any(t, "weight|weigh|weighed|weighing|weighted|scale|scales|bw|bodyweight|weighs"))
        return KIND_WEIGHT;
    if (token_any(t, "fat|bf|bodyfat"))
        return KIND_FAT;
    return token_any(t, "muscle|muscles|smm") ? KIND_MUSCLE : KIND_NONE;
}

/* The nearest keyword behind (up to 3 tokens) or before (up to 5) the number at begin … end. */
static enum kind kind_of(const struct sentence *s, struct span span, int begin, int end)
{
    const struct words *w = s->words;
    if (token_punct(words_at(w, end), "%") || token_is(words_at(w, end), "percent"))
        return KIND_FAT;
    for (int i = end; i < end + 3 && i < span.end; i++) {
        enum kind kind = keyword(words_at(w, i));
        if (kind == KIND_MUSCLE || kind == KIND_FAT)
            return kind;
        if (words_at(w, i)->kind != TOKEN_WORD)
            break;
        if (kind != KIND_NONE || token_any(words_at(w, i), "and"))
            break;
    }
    for (int i = begin - 1; i >= span.begin && i > begin - 6; i--) {
        enum kind kind = keyword(words_at(w, i));
        if (kind != KIND_NONE)
            return kind;
        if (token_punct(words_at(w, i), ",;%") || words_at(w, i)->kind == TOKEN_NUMBER)
            break;
    }
    return KIND_NONE;
}

static const char ask_weight[] = "What is your weight, in kg?";

static enum route log_body(struct sentence *s, const struct body *b, const struct due *day)
{
    struct json_object *arguments = parse_call(s, "log_body");
    if (!arguments)
        return ROUTE_NEVER;
    parse_set_due(s, arguments, day, "date");
    if (b->weight_kg >= 0 && (b->weight_kg < weight_min_kg || b->weight_kg > weight_max_kg))
        return parse_asks(s, "A weight must be between 20 and 350 kg. What is your weight?", "weight_kg");
    if (b->fat_percent >= 0 && (b->fat_percent < fat_min || b->fat_percent > fat_max))
        return parse_asks(s, "Body fat must be between 2 and 75 %. What is it?", "body_fat_percent");
    if (b->muscle_kg >= 0 && (b->muscle_kg < muscle_min_kg || b->muscle_kg > muscle_max_kg))
        return parse_asks(s, "Muscle mass must be between 5 and 150 kg. What is it?", "muscle_kg");
    if (b->weight_kg >= 0)
        json_set_num(arguments, "weight_kg",
                     parse_round(b->weight_kg, b->weight_kg == parse_round(b->weight_kg, 1) ? 1 : 2));
    if (b->fat_percent >= 0)
        json_set_num(arguments, "body_fat_percent", parse_round(b->fat_percent, 2));
    if (b->muscle_kg >= 0)
        json_set_num(arguments, "muscle_kg", parse_round(b->muscle_kg, 2));
    return ROUTE_DONE;
}

/* Read every number of the span; false when one has no meaning here. */
static bool read_numbers(const struct sentence *s, struct span span, const struct due *day, bool *known, struct body *b,
                         int *numbers)
{
    for (int i = span.begin; i < span.end;) {
        double value;
        bool unit = false, dated = day->cuts && i >= day->cut[0].begin && i < day->cut[0].end;
        int n = dated ? 0 : mass(s->words, i, &value, &unit);
        if (!n) {
            i++;
            continue;
        }
        enum kind kind = kind_of(s, span, i, i + n);
        double *slot = kind == KIND_FAT ? &b->fat_percent : kind == KIND_MUSCLE ? &b->muscle_kg : &b->weight_kg;
        if (*slot >= 0 || (kind == KIND_FAT && unit))
            return false;
        *slot = value;
        b->unit |= unit || kind != KIND_NONE;
        int end = i + n + (kind == KIND_FAT && token_any(words_at(s->words, i + n), "percent"));
        parse_mark(known, span, (struct span){ i, end });
        (*numbers)++;
        i = end;
    }
    return true;
}

enum route parse_body(struct sentence *s, struct span span)
{
    static const char small[] = "i|i'm|am|my|is|was|now|weight|weigh|weighed|weighing|weighted|bw|bodyweight|"
                                "in|at|the|scale|scales|says|shows|said|body|fat|bf|bodyfat|"
                                "muscle|mass|muscles|smm|skeletal|and|with|of|today|this|morning|evening|log|logged|"
                                "record|track|add|me|currently|about|around|just|"
                                "percentage|percent|also|myself|to|inbody|measurement|current|new|a|kg|kgs|please|as|"
                                "on|after|before|breakfast|noon|got|it's|today's|have|down|exactly";
    bool known[ROUTE_TOKENS_MAX] = { false };
    struct body b = { -1, -1, -1, false };
    struct due day;
    int numbers = 0;
    if (!parse_log_real(s, span) && !(parse_verb(s, span, "the scale says|scale says") && !s->question))
        return ROUTE_NO;
    if (!parse_log_day(s, span, &day) || !read_numbers(s, span, &day, known, &b, &numbers) ||
        !parse_all_known(s, span, known, &day, small))
        return ROUTE_NO;
    bool keyed = false;
    for (int i = span.begin; i < span.end; i++)
        keyed |= keyword(words_at(s->words, i)) != KIND_NONE;
    if (numbers == 0) {
        bool log = parse_has(s, span, "log|record|track|add|weighed") || span.end - span.begin == 1;
        return keyed && log && parse_has(s, span, "weight|weighed") && !parse_has(s, span, "to|down")
                   ? log_body(s, &b, &day) == ROUTE_DONE ? parse_asks(s, ask_weight, "weight_kg") : ROUTE_ASK
                   : ROUTE_NO;
    }
    if (parse_has(s, span, "down|it's") && !keyed && !parse_verb(s, span, "down to|i'm down to|i am down to"))
        return ROUTE_NO;
    /* "81.4 kg" alone is a weight; "5 kg" and "300 lbs of rice" are not */
    if (!keyed && !(b.unit && b.weight_kg >= 30 && b.weight_kg <= 250))
        return ROUTE_NO;
    return log_body(s, &b, &day);
}
