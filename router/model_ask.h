/* SPDX-License-Identifier: MIT
 * model_ask: asking one provider within one step: attempts, pauses, what a 400 teaches, a second try with more room
 * when the answer was cut.  Worker threads; used by model.c only. */
#ifndef ROUTER_MODEL_ASK_H
#define ROUTER_MODEL_ASK_H

#include "router/provider.h"

struct ask { /* what stays the same for a whole step */
    struct http *http;
    struct arena *arena;
    const struct model_request *request;
    const volatile bool *cancel; /* may be NULL */
};

/* OK and *reply; ST_UNAVAILABLE and *fault; ST_SHUTDOWN or ST_INVALID / ST_LIMIT (the request cannot be built) and
 * *e.  probe: one attempt of at most MODEL_PROBE_TIMEOUT_MS. */
enum status MUST_CHECK ask_provider(const struct ask *, struct model_set *, int index, bool probe, struct model_reply *,
                                    struct provider_fault *, struct error *);

#endif
