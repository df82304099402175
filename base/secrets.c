/* SPDX-License-Identifier: MIT
 * secrets: one walk over the text; at each byte the rules are asked in order.
 * Called for every text of an agent that is shown to a person, on any thread; pure.  It never hides what a shell would
 * run, and it would rather show an odd password than eat ordinary code.  Assignments and options: secrets_assign.c. */
#include "base/secrets.h"
#include "base/buf.h"
#include "base/secrets_internal.h"
#include <string.h>
#include <strings.h>

enum { SHOWN_BYTES_MAX = 4, PEM_LINE_BYTES_MIN = 40, PEM_TAIL_BYTES_MIN = 4 };

/* --- what the rules share --- */

bool secret_is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool secret_is_active(const struct secret_scan *scan, size_t i)
{
    char c = scan_byte(scan, i), next = scan_byte(scan, i + 1);
    if (c == '$')
        return (secret_is_alnum(next) && !is_digit(next)) || (next && strchr("_({'\"", next));
    return c && strchr(";|&<>()`", c);
}

size_t secret_run(const struct secret_scan *scan, size_t from, const char *more)
{
    size_t i = from;
    while (i < scan->len && (secret_is_alnum(scan->s[i]) || strchr(more, scan->s[i])))
        i++;
    return i;
}

bool secret_is_mixed(const struct secret_scan *scan, size_t start, size_t end, size_t bytes_min)
{
    size_t digits = 0;
    for (size_t i = start; i < end; i++)
        digits += is_digit(scan->s[i]);
    return end - start >= bytes_min && digits > 0 && digits < end - start;
}

struct secret_span secret_span_of(const struct secret_scan *scan, size_t start, size_t end)
{
    size_t keep = (end - start) / 4;
    if (keep > SHOWN_BYTES_MAX)
        keep = SHOWN_BYTES_MAX;
    while (keep > 0 && (scan->s[start + keep] & 0xC0) == 0x80)
        keep--; /* a character is shown whole or not at all */
    return (struct secret_span){ start, end, keep };
}

/* --- tokens that say by their first letters what they are --- */

struct token_row {
    const char *prefix;
    const char *more; /* bytes of the rest besides letters and digits */
    size_t min, max;  /* bytes of the rest; max 0 = any number */
    bool mixed;       /* words with hyphens begin like this too: ask for a digit */
};

/* Longer prefixes before shorter ones that begin the same. */
static const struct token_row token_table[] = {
    { "sk-ant-", "-_", 16, 0, false }, /* Anthropic */
    { "sk-proj-", "-_", 16, 0, false },
    { "sk-", "-_", 18, 0, true }, /* OpenAI and those who copied it */
    { "sk_live_", "_", 12, 0, false },
    { "sk_test_", "_", 12, 0, false },
    { "rk_live_", "_", 12, 0, false },
    { "whsec_", "+/=", 16, 0, false },
    { "ghp_", "_", 20, 0, false },
    { "gho_", "_", 20, 0, false },
    { "ghu_", "_", 20, 0, false },
    { "ghs_", "_", 20, 0, false },
    { "ghr_", "_", 20, 0, false },
    { "github_pat_", "_", 20, 0, false },
    { "glpat-", "-_.", 16, 0, false },
    { "gldt-", "-_.", 16, 0, false },
    { "glrt-", "-_.", 16, 0, false },
    { "xoxa-", "-", 10, 0, false },
    { "xoxb-", "-", 10, 0, false },
    { "xoxc-", "-", 10, 0, false },
    { "xoxe-", "-", 10, 0, false },
    { "xoxp-", "-", 10, 0, false },
    { "xoxr-", "-", 10, 0, false },
    { "xoxs-", "-", 10, 0, false },
    { "xapp-", "-", 10, 0, false },
    { "//hooks.slack.com/services/", "/", 20, 0, false },
    { "AKIA", "", 16, 16, false },
    { "ASIA", "", 16, 16, false },
    { "AIza", "-_", 35, 35, false }, /* Google */
    { "ya29.", "-_.", 20, 0, false },
    { "GOCSPX-", "-_", 20, 0, false },
    { "npm_", "", 36, 36, false },
    { "pypi-", "-_", 40, 0, false },
    { "hf_", "", 30, 0, false },
    { "gsk_", "", 30, 0, false },
    { "xai-", "", 40, 0, false },
    { "dop_v1_", "", 64, 64, false },
    { "shpat_", "", 32, 32, false },
    { "SG.", "-_.", 40, 0, false },
    { "AGE-SECRET-KEY-1", "", 40, 0, false },
};

static bool rule_token(struct secret_scan *scan, struct secret_span *out)
{
    const char *s = scan->s + scan->at;
    for (size_t i = 0; i < sizeof token_table / sizeof *token_table; i++) {
        const struct token_row *row = &token_table[i];
        if (*s != *row->prefix || strncmp(s, row->prefix, strlen(row->prefix)) != 0)
            continue;
        char before = scan_before(scan);
        if (before && (secret_is_alnum(before) || strchr(row->more, before)))
            continue; /* the run began earlier: each run is read once */
        size_t rest = scan->at + strlen(row->prefix), end = secret_run(scan, rest, row->more);
        if (end - rest < row->min || (row->max && end - rest > row->max) ||
            (row->mixed && !secret_is_mixed(scan, rest, end, row->min)))
            continue;
        *out = secret_span_of(scan, scan->at, end);
        out->keep = strlen(row->prefix) + (row->min >= 16 ? SHOWN_BYTES_MAX : 0);
        return true;
    }
    return false;
}

/* A signed (or encrypted) JSON token: base64url parts with dots, the first of which begins with `{"`. */
static bool rule_jwt(struct secret_scan *scan, struct secret_span *out)
{
    char before = scan_before(scan);
    if (strncmp(scan->s + scan->at, "eyJ", 3) != 0 || secret_is_alnum(before) || (before && strchr("-_.", before)))
        return false;
    size_t end = secret_run(scan, scan->at, "-_."), dots = 0;
    for (size_t i = scan->at; i < end; i++)
        dots += scan->s[i] == '.';
    if (dots < 2 || end - scan->at < 30)
        return false;
    *out = secret_span_of(scan, scan->at, end);
    return true;
}

/* 123456789:AA…: the number is the bot's public id. */
static bool rule_telegram(struct secret_scan *scan, struct secret_span *out)
{
    enum { ID_BYTES_MIN = 6, ID_BYTES_MAX = 12, KEY_BYTES = 35 };
    size_t colon = scan->at;
    if (!is_digit(scan->s[scan->at]) || is_digit(scan_before(scan)))
        return false;
    while (is_digit(scan_byte(scan, colon)) && colon - scan->at <= ID_BYTES_MAX)
        colon++;
    size_t id = colon - scan->at;
    if (id < ID_BYTES_MIN || id > ID_BYTES_MAX || scan_byte(scan, colon) != ':')
        return false;
    size_t end = colon + 1;
    while (end < scan->len && end - colon <= KEY_BYTES + 1 &&
           (secret_is_alnum(scan->s[end]) || strchr("-_", scan->s[end])))
        end++;
    if (end - colon - 1 != KEY_BYTES)
        return false;
    *out = (struct secret_span){ scan->at, end, id + 3 };
    return true;
}

/* Bearer and Basic, in headers or out of them; "Bearer authentication" is prose. */
static bool rule_scheme(struct secret_scan *scan, struct secret_span *out)
{
    enum { MIXED_BYTES_MIN = 8, WORD_BYTES_MIN = 24 };
    static const char *const schemes[] = { "bearer ", "basic ", "bearer%20", "bearer+" };
    if (secret_is_alnum(scan_before(scan)))
        return false;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t bytes = strlen(schemes[i]);
        if (strncasecmp(scan->s + scan->at, schemes[i], bytes) != 0)
            continue;
        size_t start = scan->at + bytes;
        while (scan_byte(scan, start) == ' ' && start < scan->at + bytes + 4)
            start++;
        size_t end = secret_run(scan, start, "-._~+/=");
        if (!secret_is_mixed(scan, start, end, MIXED_BYTES_MIN) && end - start < WORD_BYTES_MIN)
            continue;
        *out = secret_span_of(scan, start, end);
        return true;
    }
    return false;
}

/* scheme://user:password@host */
static bool rule_url(struct secret_scan *scan, struct secret_span *out)
{
    if (strncmp(scan->s + scan->at, "://", 3) != 0)
        return false;
    size_t start = scan->at + 3, colon = 0, sign = 0;
    for (size_t i = start; i < scan->len && !strchr("/?# \t\r\n\"'\\", scan->s[i]) && !secret_is_active(scan, i); i++) {
        if (scan->s[i] == ':' && !colon)
            colon = i;
        if (scan->s[i] == '@')
            sign = i;
    }
    if (!colon || sign <= colon + 1)
        return false;
    *out = (struct secret_span){ colon + 1, sign, 0 };
    return true;
}

/* --- PEM private keys --- */

/* Skip what stands between two lines of a key: a line break, written out or escaped, the sign of a diff, a blank. */
static size_t pem_gap(const struct secret_scan *scan, size_t i)
{
    while (i < scan->len) {
        if (strchr(" \t\r\n", scan->s[i]))
            i++;
        else if (scan->s[i] == '\\' && scan_byte(scan, i + 1) && strchr("nr\\", scan->s[i + 1]))
            i += 2;
        else if (scan->s[i] == '-' && scan_byte(scan, i + 1) != '-' && scan->s[i - 1] == '\n')
            i++;
        else
            break;
    }
    return i;
}

/* In a diff there is a sign before it. */
static bool pem_ends(const struct secret_scan *scan, size_t i)
{
    static const char mark[] = "-----END";
    if (strncmp(scan->s + i, mark, sizeof mark - 1) == 0)
        return true;
    return scan_byte(scan, i) && strchr("+-", scan->s[i]) && strncmp(scan->s + i + 1, mark, sizeof mark - 1) == 0;
}

/* End of the line of a key that begins at i; i itself when it is none.  Real lines have 64 or 70 bytes; a short one
 * counts only as the last of several, so that a command between the marks of a key stays visible. */
static size_t pem_line(const struct secret_scan *scan, size_t i, bool first)
{
    static const char *const headers[] = { "Proc-Type: ", "DEK-Info: ", "Comment: " };
    for (size_t h = 0; h < sizeof headers / sizeof *headers; h++) {
        if (strncmp(scan->s + i, headers[h], strlen(headers[h])) == 0)
            return secret_run(scan, i + strlen(headers[h]), ",-");
    }
    size_t end = secret_run(scan, i, "+/=");
    if (end - i >= PEM_LINE_BYTES_MIN ||
        (!first && end - i >= PEM_TAIL_BYTES_MIN && pem_ends(scan, pem_gap(scan, end))))
        return end;
    return i;
}

static bool rule_pem(struct secret_scan *scan, struct secret_span *out)
{
    enum { TITLE_BYTES_MAX = 64 };
    if (strncmp(scan->s + scan->at, "-----BEGIN ", 11) != 0)
        return false;
    size_t title = scan->at + 11, i = title;
    while (i < scan->len && i - title < TITLE_BYTES_MAX &&
           ((scan->s[i] >= 'A' && scan->s[i] <= 'Z') || scan->s[i] == ' '))
        i++;
    if (i - title < 11 || strncmp(scan->s + i - 11, "PRIVATE KEY", 11) != 0 || strncmp(scan->s + i, "-----", 5) != 0)
        return false;
    size_t start = pem_gap(scan, i + 5), end = start;
    for (size_t at = start, next; (next = pem_line(scan, at, at == start)) > at; at = pem_gap(scan, next))
        end = next;
    if (end == start)
        return false;
    *out = (struct secret_span){ start, end, 0 };
    return true;
}

/* --- the walk --- */

static secret_rule *const rules[] = { rule_pem, rule_token,  rule_jwt,          rule_telegram,
                                      rule_url, rule_scheme, secret_assignment, secret_option };

static bool find_secret(struct secret_scan *scan, struct secret_span *out)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (rules[i](scan, out))
            return true;
    }
    return false;
}

const char *text_mask_secrets(struct arena *arena, const char *s)
{
    struct secret_scan scan = { .s = s, .len = strlen(s) };
    struct buf out = BUF_INIT(scan.len * sizeof SECRET_MASK + 1); /* a masked value has at least one byte */
    struct secret_span span;
    size_t copied = 0;
    while (scan.at < scan.len) {
        if (!find_secret(&scan, &span)) {
            scan.at++;
            continue;
        }
        buf_put(&out, s + copied, span.start + span.keep - copied);
        buf_puts(&out, SECRET_MASK);
        copied = scan.at = span.end;
    }
    if (copied == 0) {
        buf_release(&out);
        return s;
    }
    buf_put(&out, s + copied, scan.len - copied);
    const char *masked = arena_strndup(arena, buf_str(&out), out.len);
    buf_release(&out);
    return masked;
}
