/* SPDX-License-Identifier: MIT
 * report_metrics: what the running parts count, for /metrics.  For report.c. */
#ifndef BOT_REPORT_METRICS_H
#define BOT_REPORT_METRICS_H

#include "bot/program.h"
#include "bot/sender.h"

void report_metrics(struct program *);                 /* before server_start */
struct sender_counters report_sends(struct program *); /* of both senders together; report.c */

#endif
