/* SPDX-License-Identifier: MIT
 * cmd_mcp: `steward mcp`: a Model Context Protocol server on standard input and output, started by an agent's host, a
 * process of its own that talks to the running steward over HTTP.  Its questions end with it: at the end of input or on
 * a signal the open ones are withdrawn. */
#ifndef BOT_CMD_MCP_H
#define BOT_CMD_MCP_H

extern const char cmd_mcp_help[]; /* see command.h */
int cmd_mcp(int argc, char **argv);

#endif
