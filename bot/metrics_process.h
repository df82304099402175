/* SPDX-License-Identifier: MIT
 * metrics_process: what the system knows about this process, under the names that every Prometheus client uses.  From
 * procfs, which does not block; what cannot be read is left out. */
#ifndef BOT_METRICS_PROCESS_H
#define BOT_METRICS_PROCESS_H

#include "bot/metrics.h"

void metrics_process(struct metrics_page *);

#endif
