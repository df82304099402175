/* SPDX-License-Identifier: MIT
 * setup_hooks: the settings that make a coding agent call steward, as JSON and TOML, and how they go into settings that
 * are there already.  Pure; used by cmd_setup.  No text made here holds a secret. */
#ifndef BOT_SETUP_HOOKS_H
#define BOT_SETUP_HOOKS_H

#include "base/arena.h"
#include "base/json.h"
#include "base/status.h"

enum setup_agent { SETUP_CLAUDE, SETUP_CODEX };

struct setup_hooks {
    enum setup_agent agent;
    const char *program; /* how a shell calls steward: "steward", or a quoted path */
    const char *url;     /* NULL: command hooks; else HTTP hooks at this server (Claude Code alone has them) */
};

enum { SETUP_EVENTS_MAX = 4 };
struct setup_change {
    const char *added[SETUP_EVENTS_MAX], *kept[SETUP_EVENTS_MAX]; /* names of events */
    int added_count, kept_count;
};

/* Add to `settings` the hooks that are not there yet; everything else stays as it is.  ST_INVALID: "hooks" has a form
 * that no agent would read either. */
enum status MUST_CHECK setup_hooks_merge(const struct setup_hooks *, struct json_object *settings,
                                         struct setup_change *, struct error *);
const char *setup_json_text(struct arena *, struct json_object *); /* indented, with a line end */

/* Codex's config.toml: the line of `notify`, and the table of the MCP server. */
const char *setup_toml_notify(struct arena *, const char *program_path);
const char *setup_toml_mcp(struct arena *, const char *program_path);

struct setup_toml {
    const char *text; /* the new content; the old one when nothing was added */
    bool notify_added, mcp_added;
    const char *notify_by_hand, *mcp_by_hand; /* what a person has to look at; NULL = nothing */
};
void setup_toml_merge(struct arena *, const char *old, const char *program_path, struct setup_toml *);

#endif
