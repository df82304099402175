/* SPDX-License-Identifier: MIT
 * agent_signal: how the commands of the agents' side are stopped.  SIGINT, SIGTERM and SIGHUP set flags that end a
 * call in progress (http_request.cancel); the command then withdraws its request and exits with 128 + the signal.
 * One per process; the main thread installs it, any thread reads. */
#ifndef BOT_AGENT_SIGNAL_H
#define BOT_AGENT_SIGNAL_H

#include <stdbool.h>

extern volatile bool agent_stop;       /* one signal came: end what is running, withdraw, exit */
extern volatile bool agent_stop_twice; /* a second one came: do not even withdraw */

/* Signals that the caller has set to be ignored (nohup) stay ignored.  A closed pipe is an error of the write. */
void agent_signal_catch(void);
/* Looks every two seconds whether the process that started us is still there; when it is gone, as SIGTERM. */
void agent_signal_watch_parent(void);
int agent_signal_exit_code(void); /* 128 + the signal that came first */

#endif
