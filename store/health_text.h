/* SPDX-License-Identifier: MIT
 * health_text: health figures as people read them: "7 h 30 min", "1.75 l", "81.4 kg".  Pure; any thread. */
#ifndef STORE_HEALTH_TEXT_H
#define STORE_HEALTH_TEXT_H

#include "base/arena.h"
#include "store/health.h"

/* At most `decimals` digits after the point, without trailing zeros, never "-0". */
const char *figure_number(struct arena *, double value, int decimals);
/* The shortest text that reads back as the same double: for files. */
const char *figure_exact(struct arena *, double value);
/* A value in the unit of a health_table: hours and minutes as durations, ml of a litre and more as litres. */
const char *figure_unit(struct arena *, double value, const char *unit);
/* The same with an explicit sign ("+0.6 kg", "−30 min", "no change"). */
const char *figure_change(struct arena *, double change, const char *unit);

/* One log as a phrase: "7 h 30 min", "running, 30 min", "15 min at 90 °C", "81.4 kg, 18.2 % fat, 38 kg muscle". */
const char *health_phrase(struct arena *, const struct health_log *);
/* One log as a sentence for search: "Sleep: 7 h 30 min (7.5 h). Woke up twice". */
const char *health_sentence(struct arena *, const struct health_log *);

#endif
