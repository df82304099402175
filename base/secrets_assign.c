/* SPDX-License-Identifier: MIT
 * secrets_assign: values that are credentials because of the name before them: password=…, "token": "…", --api-key …,
 * and the options of known programs (mysql -p…).  Called by the walk of secrets.c.
 * Names occur in code all the time, so the value decides too: `password == NULL` and `token = next()` stay. */
#include "base/secrets.h"
#include "base/secrets_internal.h"
#include <string.h>
#include <strings.h>

enum {
    NAME_BYTES_MAX = 32, /* of the end of a name, which decides: "secretaccesskey" is the longest */
    BLANKS_MAX = 8,      /* around a sign of assignment; more is a table */
    MIXED_BYTES_MIN = 6,
    LONG_BYTES_MIN = 16, /* a token without a digit */
    WORD_BYTES_MIN = 4
};

struct name_row {
    const char *end; /* of the name, in small letters without _ and - */
    bool strong;     /* always a credential; else it is a word of parsers and protocols too */
};

static const struct name_row name_table[] = {
    { "password", true },       { "passwd", true },       { "passphrase", true },    { "apikey", true },
    { "accesskey", true },      { "secretkey", true },    { "privatekey", true },    { "secretaccesskey", true },
    { "clientsecret", true },   { "authkey", true },      { "encryptionkey", true }, { "signingkey", true },
    { "accesstoken", true },    { "authtoken", true },    { "refreshtoken", true },  { "bottoken", true },
    { "apitoken", true },       { "sharedsecret", true }, { "secret", false },       { "token", false },
    { "authorization", false }, { "pwd", false },         { "credential", false },
};

/* Values that are words of a language or stand for "put it here". */
static const char *const word_table[] = {
    "null",     "none",     "nil",      "true",   "false",    "undefined", "string", "str",     "text",     "int",
    "number",   "bool",     "boolean",  "any",    "char",     "bytes",     "object", "unknown", "required", "optional",
    "secret",   "token",    "password", "passwd", "prompt",   "hidden",    "void",   "auto",    "const",    "default",
    "redacted", "changeme", "example",  "xxxx",   "xxxxxxxx", "value",     "self",   "this",    "never",    "empty",
};

/* How a value was written. */
struct value {
    size_t start, end; /* without its quotes */
    char quote;        /* '\0' = none */
    bool closed;       /* the quote was */
    bool json;         /* the name is quoted too */
    bool colon;        /* name: value */
    bool tight;        /* no blank around '=' */
    bool option;       /* --name value, --name=value */
    bool query;        /* ?name=value&… */
    bool upper;        /* NAME=value */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_name_byte(char c)
{
    return secret_is_alnum(c) || c == '_' || c == '-';
}

static size_t skip_blanks(const struct secret_scan *scan, size_t i)
{
    size_t start = i;
    while (is_blank(scan_byte(scan, i)) && i - start < BLANKS_MAX)
        i++;
    return i;
}

/* Row of the name [start, end), or NULL. */
static const struct name_row *find_name(const struct secret_scan *scan, size_t start, size_t end)
{
    char name[NAME_BYTES_MAX];
    size_t len = 0; /* filled from the back */
    for (size_t i = end; i > start && len < sizeof name; i--) {
        char c = scan->s[i - 1];
        if (c == '_' || c == '-')
            continue;
        name[sizeof name - ++len] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    for (size_t i = 0; i < sizeof name_table / sizeof *name_table; i++) {
        size_t bytes = strlen(name_table[i].end);
        if (bytes <= len && memcmp(name + sizeof name - bytes, name_table[i].end, bytes) == 0)
            return &name_table[i];
    }
    return NULL;
}

static bool is_upper_name(const struct secret_scan *scan, size_t start, size_t end)
{
    for (size_t i = start; i < end; i++) {
        if (scan->s[i] >= 'a' && scan->s[i] <= 'z')
            return false;
    }
    return true;
}

/* Bytes of the sign of assignment at i: = := => : but not == =~ :: and no sign of comparison; 0 = none. */
static size_t assignment_bytes(const struct secret_scan *scan, size_t i)
{
    char c = scan_byte(scan, i), next = scan_byte(scan, i + 1);
    if (c == '=')
        return next == '=' || next == '~' ? 0 : next == '>' ? 2 : 1;
    if (c == ':')
        return next == ':' ? 0 : next == '=' ? 2 : 1;
    return 0;
}

/* --- values --- */

static bool ends_value(const struct secret_scan *scan, size_t i, const struct value *v)
{
    char c = scan_byte(scan, i);
    if (c == '\0' || c == '\n' || c == '\r')
        return true;
    if (v->quote) /* only expansions are run inside quotes */
        return c == v->quote || (is_blank(c) && !v->json) || c == '`' || (c == '$' && secret_is_active(scan, i));
    return secret_is_active(scan, i) || is_blank(c) || strchr("\"'\\,)[]}", c);
}

/* Read the value at i: in quotes (also escaped ones, in a JSON string) or a run of bytes. */
static void read_value(const struct secret_scan *scan, size_t i, struct value *v)
{
    bool escaped = scan_byte(scan, i) == '\\' && strchr("\"'", scan_byte(scan, i + 1)) && scan_byte(scan, i + 1);
    if (escaped)
        i++;
    char c = scan_byte(scan, i);
    if (c == '"' || c == '\'') {
        v->quote = c;
        i++;
    }
    v->start = i;
    while (!ends_value(scan, i, v))
        i += v->quote && !escaped && scan->s[i] == '\\' && scan_byte(scan, i + 1) ? 2 : 1;
    v->closed = v->quote && scan_byte(scan, i) == v->quote;
    if (escaped && v->closed && i > v->start && scan->s[i - 1] == '\\')
        i--;
    v->end = i;
}

static bool is_word(const struct secret_scan *scan, const struct value *v)
{
    size_t bytes = v->end - v->start;
    for (size_t i = 0; i < sizeof word_table / sizeof *word_table; i++) {
        if (strlen(word_table[i]) == bytes && strncasecmp(scan->s + v->start, word_table[i], bytes) == 0)
            return true;
    }
    return false;
}

/* Stands for a value that is elsewhere: a variable, a template, a path, an address. */
static bool is_reference(const struct secret_scan *scan, const struct value *v)
{
    static const char *const begins[] = { "/",  "./", "../", "~/",  "http://", "https://", "file:",
                                          "{{", "%",  "[",   "***", "•",       "…" };
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++) {
        if (strncmp(scan->s + v->start, begins[i], strlen(begins[i])) == 0)
            return v->end - v->start != 40; /* an AWS key may begin with a slash */
    }
    size_t mask = strlen(SECRET_MASK); /* masked once is masked */
    return v->end - v->start >= mask && memcmp(scan->s + v->end - mask, SECRET_MASK, mask) == 0;
}

/* Does the line, or what encloses the value, end after it?  Then it is no part of an expression. */
static bool ends_line(const struct secret_scan *scan, size_t i)
{
    i = skip_blanks(scan, i);
    char c = scan_byte(scan, i);
    return c == '\0' || strchr("\r\n\"'\\#", c);
}

static bool has_alnum(const struct secret_scan *scan, const struct value *v)
{
    for (size_t i = v->start; i < v->end; i++) {
        if (secret_is_alnum(scan->s[i]) || (scan->s[i] & 0x80))
            return true;
    }
    return false;
}

static bool is_number(const struct secret_scan *scan, const struct value *v)
{
    size_t i = v->start;
    while (i < v->end && scan->s[i] >= '0' && scan->s[i] <= '9')
        i++;
    return i == v->end;
}

/* Does an argument or an element end at i? */
static bool is_argument(const struct secret_scan *scan, size_t i)
{
    char c = scan_byte(scan, i);
    return c == ',' || c == ')' || c == ']' || c == '}';
}

static bool is_called(const struct secret_scan *scan, size_t i)
{
    char c = scan_byte(scan, i);
    return c == '(' || c == '[';
}

/* A value without quotes is a name of code as often as not. */
static bool bare_is_secret(const struct secret_scan *scan, const struct name_row *name, const struct value *v)
{
    bool mixed = secret_is_mixed(scan, v->start, v->end, MIXED_BYTES_MIN);
    size_t bytes = v->end - v->start;
    if (is_called(scan, v->end))
        return false;
    if (v->option || v->query || (v->upper && v->tight))
        return true;
    if (v->tight && name->strong)
        return mixed || (bytes >= WORD_BYTES_MIN && !is_argument(scan, v->end));
    if (v->tight)
        return mixed || bytes >= LONG_BYTES_MIN;
    /* `password: hunter` is a line of YAML; `password = user.password` is code. */
    bool plain = v->colon && !memchr(scan->s + v->start, '.', bytes);
    return ends_line(scan, v->end) && (mixed || (name->strong && plain && bytes >= WORD_BYTES_MIN));
}

static bool value_is_secret(const struct secret_scan *scan, const struct name_row *name, const struct value *v)
{
    size_t bytes = v->end - v->start;
    if (!has_alnum(scan, v) || is_word(scan, v) || is_reference(scan, v) || (!name->strong && is_number(scan, v)))
        return false;
    if (!v->quote)
        return bare_is_secret(scan, name, v);
    if (!v->closed && is_blank(scan_byte(scan, v->end)))
        return false; /* words, or the text between two strings */
    return name->strong || v->upper || v->option || bytes >= LONG_BYTES_MIN ||
           secret_is_mixed(scan, v->start, v->end, MIXED_BYTES_MIN);
}

/* --- the rules --- */

/* Where the value begins after the name that ends at i, and how it is assigned; 0 = it is not. */
static size_t find_value(const struct secret_scan *scan, size_t start, size_t i, struct value *v)
{
    char before = scan_before(scan);
    v->option = strncmp(scan->s + start, "--", 2) == 0;
    v->query = before == '?' || before == '&';
    v->upper = is_upper_name(scan, start, i);
    if (scan_byte(scan, i) == '\\')
        i++;
    if ((before == '"' || before == '\'') && scan_byte(scan, i) == before) {
        v->json = true;
        i++;
    }
    size_t sign = skip_blanks(scan, i), bytes = assignment_bytes(scan, sign);
    if (bytes == 0)
        return v->option && sign > i && scan_byte(scan, sign) != '-' ? sign : 0;
    size_t value = skip_blanks(scan, sign + bytes);
    if (!v->json && before && strchr("\"'", before) && scan_byte(scan, value) == before)
        return 0; /* closes what was opened before the name */
    v->colon = bytes == 1 && scan->s[sign] == ':';
    v->tight = sign == i && value == sign + bytes && !v->colon;
    return value;
}

bool secret_assignment(struct secret_scan *scan, struct secret_span *out)
{
    if (!is_name_byte(scan->s[scan->at]) || is_name_byte(scan_before(scan)))
        return false;
    size_t end = scan->at;
    while (is_name_byte(scan_byte(scan, end)))
        end++;
    const struct name_row *name = find_name(scan, scan->at, end);
    if (!name || strncmp(scan->s + scan->at, "--no-", 5) == 0)
        return false;
    struct value v = { 0 };
    size_t start = find_value(scan, scan->at, end, &v);
    if (start == 0)
        return false;
    read_value(scan, start, &v);
    if (!value_is_secret(scan, name, &v))
        return false;
    *out = secret_span_of(scan, v.start, v.end);
    return true;
}

struct option_row {
    const char *program, *option;
    bool attached;  /* -pSECRET */
    bool separate;  /* -p SECRET */
    bool user_pair; /* user:SECRET */
};

static const struct option_row option_table[] = {
    { "mysql", "-p", true, false, false },
    { "mysqldump", "-p", true, false, false },
    { "mysqladmin", "-p", true, false, false },
    { "mysqlimport", "-p", true, false, false },
    { "mariadb", "-p", true, false, false },
    { "mariadb-dump", "-p", true, false, false },
    { "mongosh", "-p", false, true, false },
    { "sshpass", "-p", true, true, false },
    { "docker login", "-p", false, true, false },
    { "podman login", "-p", false, true, false },
    { "helm registry login", "-p", false, true, false },
    { "az login", "-p", false, true, false },
    { "redis-cli", "-a", false, true, false },
    { "sqlcmd", "-P", true, true, false },
    { "ldapsearch", "-w", false, true, false },
    { "7z", "-p", true, false, false },
    { "zip", "-P", false, true, false },
    { "unzip", "-P", false, true, false },
    { "openssl", "pass:", true, false, false },
    { "curl", "-u", true, true, true },
    { "curl", "--user", false, true, true },
    { "curl", "--proxy-user", false, true, true },
    { "machine", "password", false, true, false }, /* .netrc */
};

/* Remember the program a shell command begins with; forget it where the next command begins. */
static void follow_command(struct secret_scan *scan)
{
    char c = scan->s[scan->at], before = scan_before(scan);
    if (strchr("\n;|&", c))
        scan->program = NULL;
    if (!secret_is_alnum(c) || is_name_byte(before) || (before && !strchr(" \t\n/;|&(`\"'", before)))
        return;
    for (size_t i = 0; i < sizeof option_table / sizeof *option_table; i++) {
        const char *program = option_table[i].program;
        size_t bytes = strlen(program);
        if (strncmp(scan->s + scan->at, program, bytes) == 0 && is_blank(scan_byte(scan, scan->at + bytes))) {
            scan->program = program;
            return;
        }
    }
}

static bool read_option(const struct secret_scan *scan, const struct option_row *row, struct secret_span *out)
{
    size_t end = scan->at + strlen(row->option), start = skip_blanks(scan, end);
    if (scan_byte(scan, end) == '=')
        start = ++end;
    else if (start == end ? !row->attached : !row->separate)
        return false;
    struct value v = { .option = true };
    read_value(scan, start, &v);
    if (row->user_pair) {
        while (v.start < v.end && scan->s[v.start] != ':')
            v.start++;
        v.start += v.start < v.end;
    }
    if (v.start == v.end || scan->s[v.start] == '-' || is_reference(scan, &v))
        return false;
    *out = secret_span_of(scan, v.start, v.end);
    return true;
}

bool secret_option(struct secret_scan *scan, struct secret_span *out)
{
    follow_command(scan);
    char before = scan_before(scan);
    if (!scan->program || !is_blank(before))
        return false;
    for (size_t i = 0; i < sizeof option_table / sizeof *option_table; i++) {
        const struct option_row *row = &option_table[i];
        if (strcmp(row->program, scan->program) == 0 &&
            strncmp(scan->s + scan->at, row->option, strlen(row->option)) == 0 && read_option(scan, row, out))
            return true;
    }
    return false;
}
