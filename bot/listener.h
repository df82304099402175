/* SPDX-License-Identifier: MIT
 * listener: a listening TCP socket from BIND and PORT, or a sentence that says why not. */
#ifndef BOT_LISTENER_H
#define BOT_LISTENER_H

#include "base/status.h"

/* Non-blocking, close-on-exec.  `bind` is an IPv4 or IPv6 address (brackets allowed) or a host name; "::" takes IPv4
 * too. port 0 = any; *port is what it became. */
enum status MUST_CHECK listener_open(const char *bind, int *port, int *fd, struct error *);

#endif
