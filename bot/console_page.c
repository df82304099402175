/* SPDX-License-Identifier: MIT
 * console_page: the pages and their content security policy.  Pure after loading. */
#include "bot/console_page.h"

#include "base/asset.h"
#include <assert.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

static const struct asset *asset_find(const char *name)
{
    for (const struct asset *a = asset_table; a->name; a++)
        if (strcmp(a->name, name) == 0)
            return a;
    return NULL;
}

/* base64 of the SHA-256 of what stands between the tags */
static void hash_between(const char *html, const char *open, const char *close, char out[64])
{
    unsigned char sum[SHA256_DIGEST_LENGTH];
    const char *begin = strstr(html, open);
    const char *end = begin ? strstr(begin, close) : NULL;
    assert(begin && end);
    begin += strlen(open);
    SHA256((const unsigned char *)begin, (size_t)(end - begin), sum);
    EVP_EncodeBlock((unsigned char *)out, sum, sizeof sum);
}

void html_page_load(struct html_page *p, const char *asset_name)
{
    char script[64], style[64];
    const struct asset *a = asset_find(asset_name);
    assert(a);
    p->html = a->data;
    p->len = a->len;
    hash_between(p->html, "<script>", "</script>", script);
    hash_between(p->html, "<style>", "</style>", style);
    snprintf(p->policy, sizeof p->policy,
             "default-src 'none'; script-src 'sha256-%s'; style-src 'sha256-%s'; connect-src 'self'; img-src data:; "
             "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
             script, style);
}

void html_page_answer(const struct html_page *p, struct request *r, int code)
{
    request_set_header(r, "content-security-policy", p->policy);
    request_set_header(r, "referrer-policy", "no-referrer");
    request_set_header(r, "x-frame-options", "DENY");
    request_set_header(r, "cross-origin-opener-policy", "same-origin");
    request_set_header(r, "cross-origin-resource-policy", "same-origin");
    request_answer(r, code, "text/html; charset=utf-8", p->html, p->len);
}
