/* SPDX-License-Identifier: MIT
 * auth: who is asking.  Comparisons of secrets take the same time whatever the input. */
#ifndef BOT_AUTH_H
#define BOT_AUTH_H

#include "bot/route.h"

/* Compare without telling by time where the two differ. */
bool secret_equal(const char *expected, const char *given);

/* A wrong secret was given: answers 401 with the sentence, or 429 when this address has given too many.  The right
 * secret is never asked about these counts: nobody can lock out its owner. */
void auth_refuse(struct request *, const char *sentence);

/* The `auth` column of a route. */
bool auth_none(struct request *, void *arg);
/* `Authorization: Bearer <NOTIFY_SECRET>`; 401, or 503 and why when no secret is set. */
bool auth_bearer(struct request *, void *arg);
/* A program on this machine, else as auth_bearer. */
bool auth_local_or_bearer(struct request *, void *arg);

/* Called for a request that is known to come from the internet (Telegram's, with the right secret).  When it looks as
 * if it came from this machine, a proxy stands between that names no clients: then nobody is from here any more. */
void auth_came_by_proxy(struct request *);
/* The peer of the connection is this machine and no proxy stands between (no forwarding header, not HTTP/1.0). */
bool request_from_here(struct request *);
/* Host names this machine: localhost, 127.0.0.1 or [::1], any port.  What a browser sends to a rebound DNS name does
 * not. */
bool request_host_is_local(struct request *);
/* The browser says that a page of this very origin made the request (Origin equals Host; Sec-Fetch-Site same-origin).
 */
bool request_same_origin(struct request *);
/* The address limits are counted by: the peer's, or, behind a proxy in a private network, the last X-Forwarded-For;
 * IPv6 by /64. */
const char *request_client(struct request *);
bool request_is_https(struct request *); /* by X-Forwarded-Proto */

#endif
