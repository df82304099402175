/* SPDX-License-Identifier: MIT
 * cmd_health: `steward health`: asks the running program of this environment whether it can do its job.  For a
 * container's health check and for scripts; exit 0 = yes. */
#ifndef BOT_CMD_HEALTH_H
#define BOT_CMD_HEALTH_H

extern const char cmd_health_help[]; /* see command.h */
int cmd_health(int argc, char **argv);

#endif
