/* SPDX-License-Identifier: MIT
 * cmd_audit: `steward audit verify|list`: the log of what happened to agents' requests. */
#ifndef BOT_CMD_AUDIT_H
#define BOT_CMD_AUDIT_H

extern const char cmd_audit_help[]; /* see command.h */
/* Exit 0: done, the chain is whole; 1: broken, or it cannot be read; 2: wrong arguments. */
int cmd_audit(int argc, char **argv);

#endif
