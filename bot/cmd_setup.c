/* SPDX-License-Identifier: MIT
 * cmd_setup: see cmd_setup.h.  Settings go to stdout, words about them to stderr.  The secret stays in the
 * environment: what is written names the variable. */
#include "bot/cmd_setup.h"
#include "bot/agent_client.h"
#include "bot/command.h"
#include "bot/setup_file.h"
#include "bot/setup_hooks.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char cmd_setup_help[] =
    "usage: steward setup claude|codex [--write] [--http] [--file PATH]\n"
    "Prints the settings that make the agent ask through steward.\n"
    "\n"
    "  --write      merge them into the agent's files: what is there stays, a backup is left beside each\n"
    "  --file PATH  instead of ~/.claude/settings.json or ~/.codex/hooks.json (config.toml is looked for beside it)\n"
    "  --http       Claude Code: HTTP hooks at CLAUDE_NOTIFY_URL instead of commands\n";

struct setup {
    struct arena *arena;
    bool write, http, chosen;
    const char *file;
    const char *program_path; /* "steward" when the shell finds this very program by that name */
    struct setup_hooks hooks;
    struct error error;
};

/* --- where things are --- */

/* Does PATH lead from "steward" to this program? */
static bool on_path(const char *self)
{
    const char *path = getenv("PATH");
    char file[PATH_MAX];
    for (const char *p = path ? path : ""; *p;) {
        size_t n = strcspn(p, ":");
        snprintf(file, sizeof file, "%.*s/steward", (int)n, p);
        p += n + (p[n] == ':');
        if (access(file, X_OK) != 0)
            continue;
        char *real = realpath(file, NULL);
        bool same = real && strcmp(real, self) == 0;
        free(real);
        return same;
    }
    return false;
}

/* For sh: in single quotes when it is not plain. */
static const char *shell_quoted(struct arena *a, const char *word)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._+-";
    if (strspn(word, plain) == strlen(word))
        return word;
    const char *out = "'";
    for (; *word; word++)
        out = *word == '\'' ? arena_printf(a, "%s'\\''", out) : arena_printf(a, "%s%c", out, *word);
    return arena_printf(a, "%s'", out);
}

static void program_find(struct setup *s)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = '\0';
    bool named = n <= 0 || on_path(self);
    s->program_path = named ? "steward" : arena_strdup(s->arena, self);
    s->hooks.program = shell_quoted(s->arena, s->program_path);
}

/* "$VARIABLE/name", else "~/folder/name". */
static const char *home_file(struct setup *s, const char *variable, const char *folder, const char *name)
{
    const char *given = getenv(variable), *home = getenv("HOME");
    if (given && *given)
        return arena_printf(s->arena, "%s/%s", given, name);
    if (home && *home)
        return arena_printf(s->arena, "%s/%s/%s", home, folder, name);
    fail(&s->error, ST_INVALID, "HOME is not set: say with --file which file is meant.");
    return NULL;
}

/* --- doing it --- */

static void say_events(const char *words, const char *const *event, int count)
{
    for (int i = 0; i < count; i++)
        fprintf(stderr, "%s%s%s", i ? ", " : words, event[i], i + 1 == count ? "\n" : "");
}

static void say_written(const struct setup_file *f)
{
    fprintf(stderr, "Written: %s%s%s\n", f->path, f->backup ? "; before: " : "", f->backup ? f->backup : "");
}

static enum status hooks_write(struct setup *s, const char *path)
{
    struct setup_file f;
    struct setup_change change;
    struct json_object *settings;
    if (setup_file_read(s->arena, path, &f, &s->error) || setup_file_json(s->arena, &f, &settings, &s->error))
        return s->error.status;
    if (setup_hooks_merge(&s->hooks, settings, &change, &s->error))
        return fail_context(&s->error, "%s", f.path);
    say_events("Already there: ", change.kept, change.kept_count);
    if (change.added_count == 0)
        return OK;
    if (setup_file_write(s->arena, &f, setup_json_text(s->arena, settings), &s->error))
        return s->error.status;
    say_events("Added: ", change.added, change.added_count);
    say_written(&f);
    return OK;
}

static enum status toml_write(struct setup *s, const char *path)
{
    struct setup_file f;
    struct setup_toml t;
    if (setup_file_read(s->arena, path, &f, &s->error))
        return s->error.status;
    setup_toml_merge(s->arena, f.text, s->program_path, &t);
    if (t.notify_by_hand)
        fprintf(stderr, "%s has a notify of its own; replace it by hand if you want steward's:\n  %s  %s", f.path,
                arena_printf(s->arena, "now:  %s\n", t.notify_by_hand),
                arena_printf(s->arena, "then: %s", setup_toml_notify(s->arena, s->program_path)));
    if (t.mcp_by_hand)
        fprintf(stderr, "%s holds its MCP servers in another form; add by hand:\n%s", f.path, t.mcp_by_hand);
    if (!t.notify_added && !t.mcp_added)
        return OK;
    if (setup_file_write(s->arena, &f, t.text, &s->error))
        return s->error.status;
    say_written(&f);
    return OK;
}

static enum status hooks_print(struct setup *s)
{
    struct json_object *settings = json_keep(s->arena, json_object_new_object());
    struct setup_change change;
    enum status st = setup_hooks_merge(&s->hooks, settings, &change, &s->error);
    if (st == OK)
        fputs(setup_json_text(s->arena, settings), stdout);
    return st;
}

static enum status setup_claude(struct setup *s)
{
    const char *path = s->file ? s->file : home_file(s, "CLAUDE_CONFIG_DIR", ".claude", "settings.json");
    if (!path)
        return s->error.status;
    if (!s->write)
        fprintf(stderr, "For %s (--write merges it):\n", path);
    enum status st = s->write ? hooks_write(s, path) : hooks_print(s);
    if (st == OK)
        fprintf(stderr, "For questions from within a session: claude mcp add --scope user steward -- %s mcp\n",
                s->hooks.program);
    return st;
}

static enum status setup_codex(struct setup *s)
{
    const char *hooks = s->file ? s->file : home_file(s, "CODEX_HOME", ".codex", "hooks.json");
    if (!hooks)
        return s->error.status;
    const char *slash = strrchr(hooks, '/');
    int folder = slash ? (int)(slash - hooks) + 1 : 0;
    const char *toml = arena_printf(s->arena, "%.*sconfig.toml", folder, hooks);
    enum status st;
    if (s->write) {
        st = hooks_write(s, hooks);
        st = st == OK ? toml_write(s, toml) : st;
    } else {
        printf("# %s\n", hooks);
        st = hooks_print(s);
        printf("\n# %s (notify above the first [table])\n%s\n%s", toml, setup_toml_notify(s->arena, s->program_path),
               setup_toml_mcp(s->arena, s->program_path));
    }
    if (st == OK)
        fprintf(stderr, "Codex runs new hooks after you have trusted them: type /hooks in it.\n");
    return st;
}

static enum status run(struct setup *s)
{
    const char *url;
    program_find(s);
    if (s->http) {
        if (s->hooks.agent != SETUP_CLAUDE)
            return fail(&s->error, ST_INVALID, "Only Claude Code has HTTP hooks.");
        if (agent_url(s->arena, &url, &s->error))
            return s->error.status;
        if (strchr(url, '@')) /* user:password@: a secret that would end up in a file */
            return fail(&s->error, ST_INVALID, "CLAUDE_NOTIFY_URL holds a user name or password: not for a file.");
        s->hooks.url = url;
    }
    enum status st = s->hooks.agent == SETUP_CLAUDE ? setup_claude(s) : setup_codex(s);
    if (st == OK)
        fprintf(stderr, "The agent needs CLAUDE_NOTIFY_URL and CLAUDE_NOTIFY_SECRET in its environment.\n");
    return st;
}

static bool word_read(struct setup *s, int argc, char **argv, int *i)
{
    const char *word = argv[*i], *value = command_option(argc, argv, i, "--file");
    if (value)
        s->file = value;
    else if (strcmp(word, "--write") == 0)
        s->write = true;
    else if (strcmp(word, "--http") == 0)
        s->http = true;
    else if (!s->chosen && (strcmp(word, "claude") == 0 || strcmp(word, "codex") == 0))
        s->hooks.agent = strcmp(word, "codex") == 0 ? SETUP_CODEX : SETUP_CLAUDE, s->chosen = true;
    else
        return false;
    return true;
}

int cmd_setup(int argc, char **argv)
{
    struct setup s = { .arena = arena_new() };
    int code = COMMAND_DONE;
    for (int i = 1; i < argc && code == COMMAND_DONE; i++) {
        const char *word = argv[i];
        if (!word_read(&s, argc, argv, &i))
            code =
                command_misused("setup", cmd_setup_help, "%s is not understood here, or its value is missing.", word);
    }
    if (code == COMMAND_DONE && !s.chosen)
        code = command_misused("setup", cmd_setup_help, NULL);
    if (code == COMMAND_DONE && run(&s) != OK)
        code = command_failed("setup", s.error.text);
    arena_free(s.arena);
    return code;
}
