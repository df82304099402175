/* SPDX-License-Identifier: MIT
 * cmd_heartbeat: `steward heartbeat [--every 30m] -- COMMAND…`: runs a long command and tells the person that it
 * goes on, and how it ended.  argv[0] is the command's name; the exit code is the command's. */
#ifndef BOT_CMD_HEARTBEAT_H
#define BOT_CMD_HEARTBEAT_H

extern const char cmd_heartbeat_help[]; /* see command.h */
int cmd_heartbeat(int argc, char **argv);

#endif
