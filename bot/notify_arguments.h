/* SPDX-License-Identifier: MIT
 * notify_arguments: what the arguments of `steward notify` say: the body of its POST /send, and how long to wait.  For
 * cmd_notify.c; reads standard input and files where an argument says so, asks nobody. */
#ifndef BOT_NOTIFY_ARGUMENTS_H
#define BOT_NOTIFY_ARGUMENTS_H

#include "base/arena.h"
#include "base/json.h"
#include "bot/agent_option.h"

struct notify_arguments {
    struct json_object *body;                /* all but the project; owned by the arena */
    struct json_object *buttons, *approvers; /* members of body, made with their first element */
    const char *type, *message;
    const char *request_id;
    char new_id[AGENT_ID_BYTES];
    int64_t timeout_ms, patience_ms; /* 0 = not given */
    int64_t approver_count;
    bool json;           /* print the server's whole answer */
    const char *project; /* NULL = not given */
};

/* `who` begins the sentences ("steward notify", "claude-notify").  false: wrong usage, and said so on standard error.
 * The strings are the arena's or argv's; *arguments must stay where it is. */
bool notify_arguments_read(struct arena *, const char *who, int argc, char **argv, struct notify_arguments *);

#endif
