/* SPDX-License-Identifier: MIT
 * cmd_audit: `steward audit verify|list`: the log of what happened to agents' requests. */
#ifndef BOT_CMD_AUDIT_H
#define BOT_CMD_AUDIT_H

int cmd_audit(int argc, char **argv);

#endif
