/* SPDX-License-Identifier: MIT
 * price: see price.h. */
#include "router/price.h"

#include "base/clock.h"
#include <string.h>

const struct price price_table[] = {
    { "anthropic", "claude-haiku-5-5", "2026-10-07", 0.10, 0.01, 0.50 },
    { "anthropic", "claude-sonnet-5-5", "2026-09-28", 2.00, 0.20, 10.00 },
    { "anthropic", "claude-opus-5-5", "2026-09-22", 4.00, 0.40, 20.00 },
    { "anthropic", "claude-fable-5-1", "2026-01-01", 10.00, 1.00, 50.00 },
    { "openai", "gpt-6-luna", "2026-09-22", 0.10, 0.10, 0.50 }, /* no price of cached input was found */
    { 0 },
};

static int64_t day_of(const char *date)
{
    struct civil c;
    return civil_parse(date, &c) ? civil_seconds(&c) / 86400 : 0;
}

/* "claude-haiku-5-5-20261007" is claude-haiku-5-5; "gpt-6-lunatic" is not gpt-6-luna. */
static bool model_matches(const char *row, const char *model)
{
    size_t n = strlen(row);
    return strncmp(row, model, n) == 0 &&
           (model[n] == '\0' || model[n] == '@' || (model[n] == '-' && model[n + 1] >= '0' && model[n + 1] <= '9'));
}

bool price_add(const char *provider, const char *model, int64_t day, const struct price_tokens *t, double *dollars)
{
    if (strcmp(provider, PRICE_LOCAL) == 0)
        return true;
    const struct price *found = NULL; /* the newest that holds on this day, else the oldest there is */
    for (const struct price *p = price_table; p->provider; p++) {
        if (strcmp(p->provider, provider) != 0 || !model_matches(p->model, model))
            continue;
        found = p;
        if (day_of(p->since) <= day)
            break;
    }
    if (!found)
        return false;
    int64_t cached = t->cached < t->input ? t->cached : t->input;
    *dollars += ((double)(t->input - cached) * found->input + (double)cached * found->cached +
                 (double)t->output * found->output) /
                1e6;
    return true;
}
