/* SPDX-License-Identifier: MIT
 * notify_arguments: see notify_arguments.h.  An option with a value is a row of option_table. */
#include "bot/notify_arguments.h"

#include "base/text.h"
#include "bot/cmd_notify.h"
#include "bot/command.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    BUTTONS_MAX = 100, /* Telegram's keyboard holds 100 */
    APPROVERS_MAX = 64,
    DETAILS_BYTES_MAX = 512 * 1024, /* escaped as JSON it must fit HTTP_BODY_BYTES_MAX */
};

const char cmd_notify_help[] =
    "usage: steward notify [OPTIONS] TYPE MESSAGE [BUTTON…]     (also as claude-notify)\n"
    "\n"
    "TYPE      blocking (waits for the answer and prints it), milestone, error or heartbeat\n"
    "MESSAGE   what to say; \"-\" reads standard input\n"
    "BUTTON    the answers to choose from; without any, the person replies with words\n"
    "\n"
    "  --details TEXT|@FILE|-   a longer text below the message; a file is sent under its name\n"
    "  --multi                  several buttons may be chosen: printed with \", \" between them\n"
    "  --default VALUE          the answer when nobody answers before it expires\n"
    "  --expires 24h            90s, 30m, 24h, 7d or never\n"
    "  --timeout 10m            wait no longer; the request is cancelled then\n"
    "  --remind 10m             remind the person until it is answered\n"
    "  --quiet[=22:00-07:00]    no sound (in these hours)\n"
    "  --risk high              the person must pick the number that is shown here on stderr\n"
    "  --approver ID            who may answer (repeatable); --quorum N: how many must agree\n"
    "  --project NAME           instead of CLAUDE_PROJECT\n"
    "  --request-id ID          the same id again is the same request: continue a wait\n"
    "  --patience 10m           give up when the server cannot be reached for so long\n"
    "  --json                   print the server's whole answer\n"
    "\n"
    "exit: 0 answered (or sent), 1 failed, 2 wrong usage, 3 expired, 4 cancelled (also by --timeout),\n"
    "      5 server not reached or busy: gave up, 6 secret missing or refused, 130 and 143 by signal: cancelled\n"
    "environment: CLAUDE_NOTIFY_URL (http://127.0.0.1:8080), CLAUDE_NOTIFY_SECRET or CLAUDE_NOTIFY_SECRET_FILE,\n"
    "      CLAUDE_PROJECT\n";

/* --- options; each says false and a sentence when its value is wrong --- */

struct parser {
    struct arena *arena;
    struct notify_arguments *o;
    const char *who;
    bool stdin_taken;
};

static bool wrong(const struct parser *p, const char *option, const char *must)
{
    fprintf(stderr, "%s: %s %s\n", p->who, option, must);
    command_usage(cmd_notify_help);
    return false;
}

static const char *clean(const struct parser *p, const char *text)
{
    return text_clean(p->arena, text, strlen(text));
}

static bool read_stdin(struct parser *p, const char *what, const char **text)
{
    struct error e;
    size_t len;
    if (p->stdin_taken)
        return wrong(p, what, "and another argument both read standard input");
    p->stdin_taken = true;
    if (agent_read_all(p->arena, STDIN_FILENO, DETAILS_BYTES_MAX, "Standard input", text, &len, &e)) {
        fprintf(stderr, "%s: %s\n", p->who, e.text);
        return false;
    }
    *text = text_clean(p->arena, *text, len);
    return true;
}

static bool set_details(struct parser *p, const char *option, const char *value)
{
    struct error e;
    const char *text = value;
    size_t len;
    (void)option;
    if (strcmp(value, "-") == 0) {
        if (!read_stdin(p, "--details", &text))
            return false;
    } else if (*value == '@') {
        if (agent_read_file(p->arena, value + 1, DETAILS_BYTES_MAX, &text, &len, &e)) {
            fprintf(stderr, "%s: --details: %s\n", p->who, e.text);
            return false;
        }
        const char *slash = strrchr(value, '/');
        json_set_str(p->o->body, "details_name", clean(p, slash ? slash + 1 : value + 1));
        text = text_clean(p->arena, text, len);
    } else {
        text = clean(p, value);
    }
    json_set_str(p->o->body, "details", text);
    return true;
}

static bool set_expires(struct parser *p, const char *option, const char *value)
{
    int64_t ms;
    if (strcmp(value, "never") == 0)
        json_set_str(p->o->body, "expires_in", value);
    else if (agent_duration_read(value, &ms))
        json_set_int(p->o->body, "expires_in", ms / 1000);
    else
        return wrong(p, option, "takes 90s, 30m, 24h, 7d or never");
    return true;
}

static bool set_remind(struct parser *p, const char *option, const char *value)
{
    int64_t ms;
    if (!agent_duration_read(value, &ms))
        return wrong(p, option, "takes a duration: 90s, 30m, 24h");
    json_set_int(p->o->body, "remind_every", ms / 1000);
    return true;
}

static bool set_timeout(struct parser *p, const char *option, const char *value)
{
    return agent_duration_read(value, &p->o->timeout_ms) || wrong(p, option, "takes a duration: 90s, 30m, 24h");
}

static bool set_patience(struct parser *p, const char *option, const char *value)
{
    return agent_duration_read(value, &p->o->patience_ms) || wrong(p, option, "takes a duration: 90s, 30m, 24h");
}

static bool set_risk(struct parser *p, const char *option, const char *value)
{
    if (strcmp(value, "high") != 0 && strcmp(value, "normal") != 0)
        return wrong(p, option, "is normal or high");
    json_set_str(p->o->body, "risk", value);
    return true;
}

static bool set_default(struct parser *p, const char *option, const char *value)
{
    (void)option;
    json_set_str(p->o->body, "default", clean(p, value));
    return true;
}

static bool set_id(struct parser *p, const char *option, const char *value)
{
    p->o->request_id = value;
    return agent_id_valid(value) || wrong(p, option, "takes 1 to 128 of A-Z a-z 0-9 . _ : -");
}

static bool set_project(struct parser *p, const char *option, const char *value)
{
    p->o->project = clean(p, value);
    return *value || wrong(p, option, "takes a name");
}

static bool set_approver(struct parser *p, const char *option, const char *value)
{
    int64_t id;
    if (!agent_number_read(value, 1, INT64_MAX, &id) || p->o->approver_count++ == APPROVERS_MAX)
        return wrong(p, option, "takes a Telegram user id, 64 times at most");
    if (!p->o->approvers)
        json_set(p->o->body, "approvers", p->o->approvers = json_object_new_array());
    json_push(p->o->approvers, json_object_new_int64(id));
    return true;
}

static bool set_quorum(struct parser *p, const char *option, const char *value)
{
    int64_t n;
    if (!agent_number_read(value, 1, APPROVERS_MAX, &n))
        return wrong(p, option, "takes a number from 1 to 64");
    json_set_int(p->o->body, "quorum", n);
    return true;
}

static const struct {
    const char *name;
    bool (*set)(struct parser *, const char *option, const char *value);
} option_table[] = {
    { "--details", set_details },   { "--expires", set_expires },   { "--remind", set_remind },
    { "--timeout", set_timeout },   { "--patience", set_patience }, { "--risk", set_risk },
    { "--default", set_default },   { "--request-id", set_id },     { "--project", set_project },
    { "--approver", set_approver }, { "--quorum", set_quorum },
};

static bool option_read(struct parser *p, int argc, char **argv, int *i)
{
    const char *option = argv[*i];
    if (strcmp(option, "--json") == 0)
        return p->o->json = true;
    if (strcmp(option, "--multi") == 0 || strcmp(option, "--quiet") == 0) {
        json_set_bool(p->o->body, option + 2, true);
        return true;
    }
    if (strncmp(option, "--quiet=", 8) == 0) {
        json_set_str(p->o->body, "quiet", clean(p, option + 8));
        return true;
    }
    for (size_t k = 0; k < sizeof option_table / sizeof option_table[0]; k++) {
        const char *value = command_option(argc, argv, i, option_table[k].name);
        if (value)
            return option_table[k].set(p, option_table[k].name, value);
    }
    return wrong(p, option, "is not understood here, or its value is missing");
}

static bool word_read(struct parser *p, const char *word)
{
    struct notify_arguments *o = p->o;
    if (!o->type) {
        o->type = word;
    } else if (!o->message) {
        o->message = word;
        if (strcmp(word, "-") == 0)
            return read_stdin(p, "MESSAGE", &o->message);
    } else {
        if (!o->buttons)
            json_set(o->body, "buttons", o->buttons = json_object_new_array());
        if (json_object_array_length(o->buttons) == BUTTONS_MAX)
            return wrong(p, "BUTTON", "may be given 100 times at most");
        json_push(o->buttons, json_object_new_string(clean(p, word)));
    }
    return true;
}

static bool type_check(const struct parser *p)
{
    static const char *const type[] = { "blocking", "milestone", "error", "heartbeat" };
    for (size_t i = 0; i < sizeof type / sizeof type[0]; i++)
        if (strcmp(p->o->type, type[i]) == 0)
            return true;
    fprintf(stderr, "%s: \"%s\" is no TYPE: it is blocking, milestone, error or heartbeat.\n", p->who, p->o->type);
    return false;
}

static bool words_read(struct parser *p, int argc, char **argv)
{
    bool options = true;
    for (int i = 1; i < argc; i++) {
        if (options && strcmp(argv[i], "--") == 0)
            options = false;
        else if (options && strncmp(argv[i], "--", 2) == 0 ? !option_read(p, argc, argv, &i) : !word_read(p, argv[i]))
            return false;
    }
    return true;
}

bool notify_arguments_read(struct arena *arena, const char *who, int argc, char **argv, struct notify_arguments *o)
{
    struct parser p = { .arena = arena, .o = o, .who = who };
    *o = (struct notify_arguments){ .body = json_keep(arena, json_object_new_object()) };
    if (!words_read(&p, argc, argv) || (o->type && !type_check(&p)))
        return false;
    if (!o->message) {
        command_usage(cmd_notify_help);
        return false;
    }
    const char *message = text_trim(arena_strdup(arena, clean(&p, o->message)));
    if (!*message)
        return wrong(&p, "MESSAGE", "is empty");
    if (!o->request_id)
        o->request_id = agent_id_new(o->new_id);
    json_set_str(o->body, "type", o->type);
    json_set_str(o->body, "message", message);
    json_set_str(o->body, "request_id", o->request_id);
    return true;
}
