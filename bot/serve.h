/* SPDX-License-Identifier: MIT
 * serve: the program itself: builds its parts bottom-up, waits for a signal, takes them down in the reverse order. */
#ifndef BOT_SERVE_H
#define BOT_SERVE_H

#include "bot/config.h"
#include "router/model.h"

/* `steward [serve]`.  Exit 0 after SIGTERM or SIGINT, 1 when it cannot start (one sentence on stderr).  Arguments are
 * main.c's to refuse. */
int cmd_serve(int argc, char **argv);

/* The model endpoints a configuration names, in the order of failover. */
enum status MUST_CHECK models_from_config(const struct config *, struct model_set *, struct error *);

#endif
