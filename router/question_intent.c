/* SPDX-License-Identifier: MIT
 * question_intent: see question_intent.h.  One table of words; a new word is one row. */
#include "router/question_intent.h"
#include "base/text.h"
#include <string.h>

enum meaning {
    MEANS_NOTHING, /* known, and of no weight */
    MEANS_TASKS,
    MEANS_NOTES,
    MEANS_OVERVIEW,
    MEANS_LOG,      /* value = kind * 8 + column */
    MEANS_COLUMN,   /* a column of the subject that stands beside it: "fat", "hot" */
    MEANS_ACTIVITY, /* a kind of exercise */
    MEANS_FIGURE,
    MEANS_COMPARE,
    MEANS_DAYS,
    MEANS_DONE,
    MEANS_OVERDUE,
    MEANS_UNDATED,
};
#define LOG(kind, column) ((kind)*8 + (column))

static const struct row {
    const char *words; /* "|" between them */
    enum meaning meaning;
    int value;
    bool strong; /* names its subject even among words we do not know */
} rows[] = {
    { "slept|sleep|sleeping|asleep", MEANS_LOG, LOG(HEALTH_SLEEP, 0), true },
    { "nap|naps|rest|rested", MEANS_LOG, LOG(HEALTH_SLEEP, 0), false },
    { "exercise|exercises|exercised|exercising|workout|workouts|train|trained|training|gym", MEANS_LOG,
      LOG(HEALTH_EXERCISE, 0), true },
    { "sport|sports|active|activity|activities", MEANS_LOG, LOG(HEALTH_EXERCISE, 0), false },
    { "drank|drink|drunk|hydration|hydrated", MEANS_LOG, LOG(HEALTH_WATER, 0), true },
    { "water", MEANS_LOG, LOG(HEALTH_WATER, 0), false },
    { "sauna|saunas", MEANS_LOG, LOG(HEALTH_SAUNA, 0), true },
    { "weight|weigh|weighed|weighing|weighs", MEANS_LOG, LOG(HEALTH_BODY, 0), true },
    { "fat", MEANS_COLUMN, LOG(HEALTH_BODY, 1), false },
    { "muscle|muscles", MEANS_COLUMN, LOG(HEALTH_BODY, 2), false },
    { "hot|temperature|degrees", MEANS_COLUMN, LOG(HEALTH_SAUNA, 1), false },
    { "run|runs|ran|running|jog|jogs|jogged|jogging|walk|walks|walked|walking|swim|swims|swam|swimming|cycle|cycled|"
      "cycling|bike|biked|biking|ride|rides|rode|riding|yoga|pilates|hike|hikes|hiked|hiking|row|rowed|rowing|lift|"
      "lifted|lifting|climb|climbed|climbing|dance|danced|dancing|football|tennis|basketball|stretching|skiing",
      MEANS_ACTIVITY, 0, false },
    { "task|tasks|todo|todos|reminder|reminders|due|errands", MEANS_TASKS, 0, true },
    { "list|agenda|schedule|plate", MEANS_TASKS, 0, false },
    { "overdue|late", MEANS_OVERDUE, 0, true },
    { "notes", MEANS_NOTES, 0, true },
    { "note", MEANS_NOTES, 0, false },
    { "health|overview", MEANS_OVERVIEW, 0, false },
    { "finish|finished|complete|completed|done|accomplish|accomplished|achieved", MEANS_DONE, 0, false },
    { "undated|dateless", MEANS_UNDATED, 0, false },
    { "average|avg|mean|usually|usual|typical|typically|normally", MEANS_FIGURE, FIGURE_AVERAGE, false },
    { "total|sum|altogether|overall|combined", MEANS_FIGURE, FIGURE_SUM, false },
    { "times|count|number|often|frequently", MEANS_FIGURE, FIGURE_COUNT, false },
    { "longest|most|max|maximum|highest|best|heaviest|biggest|largest|hottest|record|peak", MEANS_FIGURE, FIGURE_MAX,
      false },
    { "shortest|least|min|minimum|lowest|lightest|smallest|worst|fewest", MEANS_FIGURE, FIGURE_MIN, false },
    { "last|latest|recent|recently|newest|current|currently|now", MEANS_FIGURE, FIGURE_LATEST, false },
    { "first|earliest|oldest", MEANS_FIGURE, FIGURE_FIRST, false },
    { "change|changed|trend|progress|gained|lost|gain|lose|develop|developed", MEANS_FIGURE, FIGURE_CHANGE, false },
    { "than|compare|compared|comparison|comparing|versus|vs|difference", MEANS_COMPARE, 0, false },
    { "days|nights", MEANS_DAYS, 0, false },
    { "hours|hour|minutes|minute|min|mins|kg|kilos|kilo|kilograms|pounds|lbs|ml|liter|liters|litre|litres|glass|"
      "glasses|"
      "night|day|daily|nightly|weekly|per|session|sessions|entry|entries|log|logs|logged|data|figures|stats|"
      "statistics|summary|body|mass|percent|percentage|go|going|gone|went|visit|visited|take|taken|took|long|much|many|"
      "more|less|fewer|better|worse|same|amount|time|since|between|during|ago|need|needs|open|left|still|pending|"
      "upcoming|outstanding|coming|things|thing|stuff|item|items|work|worked|spend|spent|today|tonight|want|know|"
      "like|find|look|see|read|make|made|let|us|new|old|made|have|write|wrote|written|save|saved|add|added|keep|kept|"
      "say|"
      "said|mention|mentioned|remember|search|searching|enough|really|actually|exactly|roughly|far",
      MEANS_NOTHING, 0, false },
};

static const struct row *row_find(const char *surface)
{
    size_t len = strlen(surface);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (const char *p = rows[i].words; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL)
            if (strncmp(p, surface, len) == 0 && (p[len] == '|' || p[len] == '\0'))
                return &rows[i];
    return NULL;
}

/* Verbs whose past is another word; stems do the rest. */
static const char *base_form(const char *surface)
{
    static const char *const pairs[][2] = { { "ran", "run" },    { "swam", "swim" },   { "rode", "ride" },
                                            { "biked", "bike" }, { "biking", "bike" }, { "hiked", "hike" },
                                            { "hiking", "hike" } };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (strcmp(pairs[i][0], surface) == 0)
            return pairs[i][1];
    return surface;
}

bool intent_same_activity(struct analyzer *analyzer, struct arena *arena, const char *a, const char *b)
{
    struct word *x, *y;
    size_t n = analyzer_split(analyzer, arena, a, &x), m = analyzer_split(analyzer, arena, b, &y);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < m; j++) {
            struct word *p, *q;
            if (analyzer_split(analyzer, arena, base_form(x[i].surface), &p) &&
                analyzer_split(analyzer, arena, base_form(y[j].surface), &q) && strcmp(p->stem, q->stem) == 0)
                return true;
        }
    return false;
}

/* --- periods --- */

static void blank(char *text, size_t begin, size_t end)
{
    memset(text + begin, ' ', end - begin);
}

/* Up to two; their words are blanked out of text.  "last night" is the night that ended today. */
static void periods_read(struct arena *arena, char *text, const struct when_options *options, struct intent *out)
{
    char *night = strcasestr(text, "last night");
    struct when_range r;
    if (night) {
        r = (struct when_range){ .from = options->now, .to = options->now, .words = "last night" };
        r.from.hour = r.to.hour = -1;
        out->period[out->period_count++] = r;
        blank(text, (size_t)(night - text), (size_t)(night - text) + strlen("last night"));
    }
    while (out->period_count < 2 && when_find_range(arena, text, options, &r)) {
        blank(text, r.begin, r.end);
        out->period[out->period_count++] = r;
    }
}

/* --- words --- */

struct reading {
    struct intent *out;
    struct arena *arena;
    bool strong, how_many, number, did;
    int column; /* as LOG(), -1 = none: "how hot was the sauna" names it before its kind */
    const char *category_word;
};

static void take_log(struct reading *r, int value, bool strong)
{
    struct intent *q = r->out;
    bool better = q->subject != SUBJECT_LOGS || (strong && !r->strong);
    if (!better)
        return;
    q->subject = SUBJECT_LOGS;
    q->kind = (enum health_kind)(value / 8);
    q->column = value % 8;
}

static void take_subject(struct reading *r, enum subject subject, bool strong)
{
    if (r->out->subject == SUBJECT_NONE || r->out->subject == SUBJECT_OVERVIEW || (strong && !r->strong))
        r->out->subject = subject;
}

static void take(struct reading *r, const struct row *row, const struct word *word)
{
    struct intent *q = r->out;
    switch (row->meaning) {
    case MEANS_LOG:
        take_log(r, row->value, row->strong);
        break;
    case MEANS_COLUMN:
        if (q->subject == SUBJECT_NONE)
            take_log(r, row->value, false);
        r->column = row->value;
        break;
    case MEANS_ACTIVITY:
        q->activity = word->surface;
        take_log(r, LOG(HEALTH_EXERCISE, 0), false);
        break;
    case MEANS_TASKS:
    case MEANS_OVERDUE:
        q->overdue |= row->meaning == MEANS_OVERDUE;
        take_subject(r, SUBJECT_TASKS, row->strong);
        break;
    case MEANS_NOTES:
        take_subject(r, SUBJECT_NOTES, row->strong);
        break;
    case MEANS_OVERVIEW:
        take_subject(r, SUBJECT_OVERVIEW, false);
        break;
    case MEANS_FIGURE:
        /* "how often … last": the more telling figure came first, except that a change beats all */
        if (q->figure == FIGURE_NONE || row->value == FIGURE_CHANGE)
            q->figure = (enum figure)row->value;
        if (word && strcmp(word->surface, "hottest") == 0)
            r->column = LOG(HEALTH_SAUNA, 1);
        break;
    case MEANS_COMPARE:
        q->compare = true;
        break;
    case MEANS_DAYS:
        q->days = r->how_many;
        break;
    case MEANS_DONE:
        q->done = true;
        break;
    case MEANS_UNDATED:
        q->undated = true;
        break;
    case MEANS_NOTHING:
        break;
    }
    r->strong |= row->strong;
}

static bool is_one_of(const char *word, const char *list)
{
    size_t len = strlen(word);
    for (const char *p = list; p; p = strchr(p, ' ') ? strchr(p, ' ') + 1 : NULL)
        if (strncmp(p, word, len) == 0 && (p[len] == ' ' || p[len] == '\0'))
            return true;
    return false;
}

/* Two words that mean one thing; true = both are understood. */
static bool take_pair(struct reading *r, const char *a, const char *b, const char *c)
{
    static const struct row tasks = { "", MEANS_TASKS, 0, true }, count = { "", MEANS_FIGURE, FIGURE_COUNT, false },
                            exercise = { "", MEANS_LOG, LOG(HEALTH_EXERCISE, 0), true };
    if (strcmp(a, "to") == 0 && strcmp(b, "do") == 0)
        return take(r, &tasks, NULL), true;
    if (is_one_of(a, "work worked working") && strcmp(b, "out") == 0)
        return take(r, &exercise, NULL), true;
    if (strcmp(a, "how") == 0 &&
        (is_one_of(b, "much long") ||
         (strcmp(b, "many") == 0 && is_one_of(c, "hours minutes ml liters litres kg kilos kilograms pounds percent"))))
        return r->out->how_much = true;
    if (strcmp(a, "how") == 0 && strcmp(b, "many") == 0)
        return r->how_many = true, take(r, &count, NULL), true;
    if (strcmp(a, "how") == 0 && strcmp(b, "often") == 0)
        return take(r, &count, NULL), true;
    return false;
}

static const char *own_activity(struct analyzer *analyzer, struct arena *arena, const struct intent_vocabulary *own,
                                const struct word *word)
{
    for (size_t i = 0; i < own->activity_count && !word->stop; i++)
        if (intent_same_activity(analyzer, arena, own->activity[i], word->surface))
            return word->surface;
    return NULL;
}

/* The category whose last name is this word. */
static const char *own_category(const struct intent_vocabulary *own, const struct word *word)
{
    for (size_t i = 0; i < own->category_count; i++) {
        const char *slash = strrchr(own->category[i], '/');
        if (text_equal_fold(slash ? slash + 1 : own->category[i], word->surface))
            return own->category[i];
    }
    return NULL;
}

static const char *append(struct arena *arena, const char *list, const char *text, const struct word *word)
{
    return arena_printf(arena, "%s%s%.*s", list, *list ? " " : "", (int)(word->end - word->begin), text + word->begin);
}

static void add_rest(struct reading *r, const char *text, const struct word *word)
{
    r->out->rest = append(r->arena, r->out->rest, text, word);
    r->out->rest_count++;
    r->number |= word->number;
}

static void word_read(struct analyzer *analyzer, struct reading *r, const char *text, const struct word *word,
                      const struct intent_vocabulary *own)
{
    static const struct row named = { "", MEANS_ACTIVITY, 0, false };
    struct intent *q = r->out;
    const struct row *row = row_find(word->surface);
    bool plain = !row || row->meaning == MEANS_NOTHING || row->meaning == MEANS_OVERVIEW;
    if (!word->stop && (!row || row->meaning != MEANS_NOTHING))
        q->content = append(r->arena, q->content, text, word);
    const char *category = plain && !word->stop && !q->category ? own_category(own, word) : NULL;
    if (category) {
        q->category = category;
        r->category_word = arena_strndup(r->arena, text + word->begin, word->end - word->begin);
    } else if (!row && own_activity(analyzer, r->arena, own, word)) {
        take(r, &named, word);
    } else if (row) {
        take(r, row, word);
    } else if (!word->stop) {
        add_rest(r, text, word);
    }
}

static void words_read(struct analyzer *analyzer, struct reading *r, const char *text,
                       const struct intent_vocabulary *own)
{
    struct intent *q = r->out;
    struct word *word;
    size_t count = analyzer_split(analyzer, r->arena, text, &word);
    q->question = count > 0 && is_one_of(word[0].surface, "what whats how when which who where why did do does is are "
                                                          "was were have has show list tell give any am");
    for (size_t i = 0; i < count; i++) {
        q->personal |= is_one_of(word[i].surface, "i my me mine ive we our");
        r->did |= strcmp(word[i].surface, "did") == 0;
        if (word[i].joined)
            r->number = true;
        else if (i + 1 < count &&
                 take_pair(r, word[i].surface, word[i + 1].surface, i + 2 < count ? word[i + 2].surface : ""))
            i++;
        else
            word_read(analyzer, r, text, &word[i], own);
    }
}

/* --- putting it together --- */

/* The kind of rows asked for by the caller rules out the other subjects. */
static void apply_type(struct intent *q, const char *type)
{
    bool tasks = type && strcmp(type, "tasks") == 0, notes = type && strcmp(type, "notes") == 0;
    bool health = type && strcmp(type, "health") == 0;
    if (tasks && q->subject != SUBJECT_TASKS)
        q->subject = SUBJECT_TASKS;
    else if (notes && q->subject != SUBJECT_NOTES)
        q->subject = SUBJECT_NOTES;
    else if (health && q->subject != SUBJECT_LOGS)
        q->subject = SUBJECT_OVERVIEW;
}

static bool decide(const struct intent *q, const struct reading *r)
{
    if (q->subject == SUBJECT_NONE || r->number)
        return false; /* "more than 8 hours": a condition we do not understand */
    if (q->rest_count == 0)
        return true;
    if (q->subject != SUBJECT_LOGS)
        return false; /* "tasks about the garden": the search finds them */
    bool asks = q->figure != FIGURE_NONE || q->how_much || q->period_count > 0;
    return r->strong && asks && q->personal && q->rest_count <= 3;
}

void intent_read(struct analyzer *analyzer, struct arena *arena, const char *question, const char *query_type,
                 const struct when_options *options, const struct intent_vocabulary *own, struct intent *out)
{
    *out = (struct intent){ .rest = "", .content = "" };
    struct reading r = { .out = out, .arena = arena, .column = -1 };
    char *text = arena_strdup(arena, question);
    periods_read(arena, text, options, out);
    words_read(analyzer, &r, text, own);
    if (out->subject == SUBJECT_LOGS && r.column >= 0 && (int)out->kind == r.column / 8)
        out->column = r.column % 8;
    /* "what is on today", "anything for tomorrow": the day's tasks */
    if (out->subject == SUBJECT_NONE && out->rest_count == 0 && out->period_count > 0 && out->question) {
        out->subject = SUBJECT_TASKS;
        out->done |= r.did; /* "what did I do yesterday" */
    }
    if (out->subject == SUBJECT_NONE && out->done && out->personal && out->rest_count == 0)
        out->subject = SUBJECT_TASKS;
    apply_type(out, query_type);
    out->compare &= out->period_count > 0;
    out->compare |= out->period_count == 2;
    if (out->category && out->subject != SUBJECT_TASKS && out->subject != SUBJECT_NOTES) {
        out->rest = arena_printf(arena, "%s%s%s", out->rest, *out->rest ? " " : "", r.category_word);
        out->rest_count++;
        out->category = NULL;
    }
    out->sure = decide(out, &r);
}
