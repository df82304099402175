/* SPDX-License-Identifier: MIT
 * head: reads the raw lines of a request head once more, strictly.
 * libh2o 2.2 takes two lengths, a length beside chunks, two hosts, folded lines and bare line feeds, and hides the
 * first three from handlers; a proxy in front that chooses otherwise would see other requests than we do. */
#include "bot/head.h"

#include "base/limits.h"
#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Headers whose second occurrence would leave open which one counts. */
enum single { HOST, CONTENT_LENGTH, TRANSFER_ENCODING, FIRST_OTHER };
static const char *const singles[] = {
    [HOST] = "host",
    [CONTENT_LENGTH] = "content-length",
    [TRANSFER_ENCODING] = "transfer-encoding",
    [FIRST_OTHER] = "authorization",
    "x-telegram-bot-api-secret-token",
    "content-type",
    "origin",
    "sec-fetch-site",
};
enum { SINGLE_COUNT = sizeof singles / sizeof singles[0] };

struct line {
    const char *text;
    size_t len; /* without its CR LF */
};

/* The next line; *fault when it does not end in CR LF. */
static bool line_next(const char **p, const char *end, struct line *out, const char **fault)
{
    const char *lf = memchr(*p, '\n', (size_t)(end - *p));
    if (!lf) {
        *fault = "The request's head does not end";
        return false;
    }
    if (lf == *p || lf[-1] != '\r') {
        *fault = "A line of the request's head ends in a bare line feed";
        return false;
    }
    *out = (struct line){ *p, (size_t)(lf - 1 - *p) };
    *p = lf + 1;
    return true;
}

static bool host_is_plain(const char *s, size_t len)
{
    while (len && (*s == ' ' || *s == '\t'))
        s++, len--;
    while (len && (s[len - 1] == ' ' || s[len - 1] == '\t'))
        len--;
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)s[i]) && !strchr("-._:[]", s[i]))
            return false;
    return true;
}

static const char *header_fault(const struct line *l, bool seen[SINGLE_COUNT])
{
    if (l->text[0] == ' ' || l->text[0] == '\t')
        return "A header is folded over several lines";
    const char *colon = memchr(l->text, ':', l->len);
    if (!colon)
        return "A header has no colon";
    size_t name_len = (size_t)(colon - l->text);
    for (int i = 0; i < SINGLE_COUNT; i++) {
        if (strlen(singles[i]) != name_len || strncasecmp(singles[i], l->text, name_len) != 0)
            continue;
        if (seen[i])
            return "A header that may come once came twice";
        seen[i] = true;
        if (i == HOST && !host_is_plain(colon + 1, l->len - name_len - 1))
            return "Host is not the name of a host";
    }
    return NULL;
}

/* `request_line` ends in HTTP/1.x: the library saw to that. */
static const char *framing_fault(const struct line *request_line, const bool seen[SINGLE_COUNT])
{
    bool http_1_0 = request_line->len && request_line->text[request_line->len - 1] == '0';
    if (seen[CONTENT_LENGTH] && seen[TRANSFER_ENCODING])
        return "A request may have Content-Length or Transfer-Encoding, not both";
    if (seen[TRANSFER_ENCODING] && http_1_0)
        return "HTTP/1.0 knows no Transfer-Encoding";
    if (!seen[HOST] && !http_1_0)
        return "The Host header is missing";
    return NULL;
}

const char *head_fault(const char *bytes, size_t len, bool *chunked)
{
    const char *p = bytes, *fault = NULL;
    const char *end = bytes + (len < HTTP_HEAD_BYTES_MAX ? len : HTTP_HEAD_BYTES_MAX);
    bool seen[SINGLE_COUNT] = { false };
    *chunked = false;
    struct line request_line, line;
    if (!line_next(&p, end, &request_line, &fault))
        return fault;
    if (request_line.len == 0 && !line_next(&p, end, &request_line, &fault)) /* one empty line may come before */
        return fault;
    while (line_next(&p, end, &line, &fault) && line.len > 0)
        if ((fault = header_fault(&line, seen)))
            return fault;
    if (fault)
        return end < bytes + len ? "The request's head is too large" : fault;
    *chunked = seen[TRANSFER_ENCODING];
    return framing_fault(&request_line, seen);
}
