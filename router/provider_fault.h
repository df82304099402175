/* SPDX-License-Identifier: MIT
 * provider_fault: what went wrong at a model provider: read from every error shape the servers use, sorted into the
 * three kinds of provider.h, and put into a sentence that names provider and model.  Pure; worker threads. */
#ifndef ROUTER_PROVIDER_FAULT_H
#define ROUTER_PROVIDER_FAULT_H

#include "router/provider.h"

/* True when a body says "error", whatever the HTTP status was. */
bool fault_in_body(struct json_object *body);
/* An HTTP answer that is an error; body NULL = it was not JSON. */
void fault_read(struct provider_fault *, struct arena *, const struct model_endpoint *, int code,
                struct json_object *body);
/* HTTP 200, but not an answer of the API; `why` from a parser. */
void fault_malformed(struct provider_fault *, struct arena *, const struct model_endpoint *, const char *why);
/* No whole HTTP answer: http_call() gave `st` and the error. */
void fault_network(struct provider_fault *, struct arena *, const struct model_endpoint *, enum status st,
                   const struct error *);

#endif
