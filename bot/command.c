/* SPDX-License-Identifier: MIT
 * command: see command.h. */
#include "bot/command.h"

#include "base/log.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *command_option(int argc, char **argv, int *i, const char *name)
{
    size_t n = strlen(name);
    if (strncmp(argv[*i], name, n) != 0)
        return NULL;
    if (argv[*i][n] == '=')
        return argv[*i] + n + 1;
    if (argv[*i][n] != '\0' || *i + 1 >= argc || !argv[*i + 1])
        return NULL;
    return argv[++*i];
}

void command_usage(const char *help)
{
    static const char first[] = "usage: ", further[] = "       ";
    for (const char *line = help; strncmp(line, line == help ? first : further, strlen(first)) == 0;) {
        size_t n = strcspn(line, "\n");
        fprintf(stderr, "%.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
}

int command_failed(const char *name, const char *text)
{
    char masked[ERROR_TEXT_BYTES_MAX];
    log_mask(text, masked, sizeof masked);
    fprintf(stderr, "steward %s: %s\n", name, masked);
    return COMMAND_FAILED;
}

int command_misused(const char *name, const char *help, const char *fmt, ...)
{
    if (fmt) {
        char text[ERROR_TEXT_BYTES_MAX];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(text, sizeof text, fmt, ap);
        va_end(ap);
        (void)command_failed(name, text);
    }
    command_usage(help);
    return COMMAND_MISUSED;
}
