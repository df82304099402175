/* SPDX-License-Identifier: MIT
 * host: whose server an address names: the vendor's, one's own, or somebody else's.  Goes by the name alone, asks
 * nobody.  Any thread; pure. */
#ifndef BASE_HOST_H
#define BASE_HOST_H

#include <stdbool.h>

enum { HOST_BYTES_MAX = 256 };

/* "https://user@Example.com:8080/v1" → "Example.com"; an IPv6 address without its brackets.  false = none. */
bool host_of_url(const char *url, char out[HOST_BYTES_MAX]);
/* A server of one's own: loopback, a private or link-local address, a name without a dot or under .local, .localhost,
 * .lan, .internal or .home.arpa. */
bool host_is_local(const char *host);
/* What the ledger calls the server behind a base URL: `vendor` at the vendor's own host, "local" for one's own, else
 * the host's name.  Returns out. */
const char *host_owner(const char *base_url, const char *vendor_host, const char *vendor, char out[HOST_BYTES_MAX]);

#endif
