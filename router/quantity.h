/* SPDX-License-Identifier: MIT
 * quantity: amounts as people and models write them ("7h30", "450 min", "1.5 l", "180 lb") in the unit a tool wants.
 * Pure; any thread. */
#ifndef ROUTER_QUANTITY_H
#define ROUTER_QUANTITY_H

#include <stdbool.h>

/* The whole text is one amount.  unit: "hours", "minutes", "ml", "kg", "%", "°C", or NULL for a bare number.  A number
 * without a unit is in `unit` already; "7h30" and "7:30" are hours and minutes.  False: not an amount of that unit. */
bool quantity_parse(const char *text, const char *unit, double *out);

#endif
