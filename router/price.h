/* SPDX-License-Identifier: MIT
 * price: what calls to models and embedding servers cost, by a small table of list prices with their dates.  An
 * estimate for people, never a bill.  Pure; any thread. */
#ifndef ROUTER_PRICE_H
#define ROUTER_PRICE_H

#include <stdbool.h>
#include <stdint.h>

/* US dollars per million tokens, from a day on; a change of price is one more row. */
struct price {
    const char *provider, *model; /* as in the ledger; a model id matches with anything behind a '-' or '@' too */
    const char *since;            /* "2026-10-07": list prices of that day's documentation */
    double input, cached, output; /* cached: input that came from the provider's cache */
};
extern const struct price price_table[]; /* ends with a NULL provider; newer rows first */
#define PRICE_TABLE_DATE "2026-11-20"    /* when the table was last compared with the vendors' pages */

struct price_tokens {
    int64_t input, cached, output; /* input includes cached */
};
/* Is the price of this model known on this day of the epoch?  *dollars is added to. */
bool price_add(const char *provider, const char *model, int64_t day, const struct price_tokens *, double *dollars);
/* A server of one's own costs nothing: its calls stand in the ledger under this provider. */
#define PRICE_LOCAL "local"

#endif
