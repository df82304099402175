/* SPDX-License-Identifier: MIT
 * report: what the program tells about itself: the banner at start, the sections of /health, the numbers of /metrics.
 */
#ifndef BOT_REPORT_H
#define BOT_REPORT_H

#include "bot/program.h"

/* Before server_start: adds the sections and the collector. */
void report_register(struct program *);
/* After the start: the console page's address and what is and is not configured, for a person, on stdout. */
void report_banner(const struct program *, const char *mode);

#endif
