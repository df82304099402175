/* SPDX-License-Identifier: MIT
 * host: see host.h. */
#include "base/host.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

bool host_of_url(const char *url, char out[HOST_BYTES_MAX])
{
    const char *begin = url ? strstr(url, "://") : NULL;
    out[0] = '\0';
    if (!begin)
        return false;
    begin += 3;
    const char *at = memrchr(begin, '@', strcspn(begin, "/"));
    begin = at ? at + 1 : begin;
    bool bracket = *begin == '[';
    begin += bracket;
    size_t n = strcspn(begin, bracket ? "]/" : ":/");
    if (n == 0 || n >= HOST_BYTES_MAX)
        return false;
    snprintf(out, HOST_BYTES_MAX, "%.*s", (int)n, begin);
    return true;
}

static bool ipv4_is_local(const unsigned char ip[4])
{
    return ip[0] == 127 || ip[0] == 10 || (ip[0] == 192 && ip[1] == 168) || (ip[0] == 172 && (ip[1] & 0xf0) == 16) ||
           (ip[0] == 169 && ip[1] == 254);
}

static bool ipv6_is_local(const unsigned char ip[16])
{
    static const unsigned char loopback[16] = { [15] = 1 };
    return memcmp(ip, loopback, 16) == 0 || (ip[0] & 0xfe) == 0xfc || (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80);
}

bool host_is_local(const char *host)
{
    static const char *const ends[] = { ".local", ".localhost", ".lan", ".internal", ".home.arpa" };
    unsigned char ip[16];
    size_t n = strlen(host);
    if (inet_pton(AF_INET, host, ip) == 1)
        return ipv4_is_local(ip);
    if (inet_pton(AF_INET6, host, ip) == 1)
        return ipv6_is_local(ip);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (n > strlen(ends[i]) && strcasecmp(host + n - strlen(ends[i]), ends[i]) == 0)
            return true;
    return n > 0 && !strpbrk(host, ".:");
}

const char *host_owner(const char *base_url, const char *vendor_host, const char *vendor, char out[HOST_BYTES_MAX])
{
    if (!host_of_url(base_url, out))
        snprintf(out, HOST_BYTES_MAX, "unknown");
    else if (strcasecmp(out, vendor_host) == 0)
        snprintf(out, HOST_BYTES_MAX, "%s", vendor);
    else if (host_is_local(out))
        snprintf(out, HOST_BYTES_MAX, "local");
    return out;
}
