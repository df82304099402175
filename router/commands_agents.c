/* SPDX-License-Identifier: MIT
 * commands_agents: /agents (what coding agents are waiting for) and /quiet (when their cards make no sound).  Worker
 * threads, called by commands.c. */
#include "base/clock.h"
#include "router/ask.h"
#include "router/render.h"
#include "router/turn_internal.h"

#include <strings.h>

enum { LISTED_MAX = 15 };

/* --- /agents --- */

static void put_request(struct turn *t, struct reply *out, const struct agent_request *r)
{
    struct civil at;
    reply_line(out);
    reply_text(out, "• ");
    reply_bold(out, r->project);
    reply_printf(out, ": %s", render_line(t->arena, r->message, 160));
    if (zone_to_civil(t->user.zone, r->created_at_ms, &at, NULL) == OK)
        reply_printf(out, " (since %02d:%02d)", at.hour, at.minute);
}

/* Open ones, and answers that their agent has not fetched. */
static enum status read_requests(struct turn *t, struct agent_request **open, int *open_count,
                                 struct agent_request **recent, int *recent_count, struct error *e)
{
    struct db *db;
    if (store_read_begin(t->env->store, &db, e))
        return e->status;
    enum status s = requests_list(db, t->arena, REQUESTS_OPEN, 0, LISTED_MAX + 1, open, open_count, e);
    if (s == OK)
        s = requests_list(db, t->arena, REQUESTS_ALL, 0, LISTED_MAX, recent, recent_count, e);
    store_read_end(t->env->store, db);
    return s;
}

enum status turn_agents(struct turn *t, const char *rest, struct error *e)
{
    struct agent_request *open = NULL, *recent = NULL;
    int open_count = 0, recent_count = 0, unfetched = 0;
    struct reply r;
    (void)rest;
    if (read_requests(t, &open, &open_count, &recent, &recent_count, e))
        return e->status;
    reply_init(&r, t->arena);
    reply_bold(&r, open_count ? "Waiting for an answer" : "No agent is waiting for an answer.");
    for (int i = 0; i < open_count && i < LISTED_MAX; i++)
        put_request(t, &r, &open[i]);
    if (open_count > LISTED_MAX) {
        reply_line(&r);
        reply_text(&r, "… and more");
    }
    for (int i = 0; i < recent_count; i++) {
        if (recent[i].state != REQUEST_RESPONDED || recent[i].fetched_at_ms ||
            t->now_ms - recent[i].finished_at_ms > UNDO_WINDOW_MS)
            continue;
        if (unfetched++ == 0) {
            reply_gap(&r);
            reply_bold(&r, "Answered, but not fetched by the agent");
        }
        put_request(t, &r, &recent[i]);
    }
    return turn_say_reply(t, &r, e);
}

/* --- /quiet --- */

static enum status act_quiet(struct turn *t, struct tool_ctx *ctx, struct error *e)
{
    const char *hours = t->act_arg;
    if (ask_quiet_set(ctx->db, hours, e))
        return e->status;
    if (hours)
        reply_printf(&t->reply,
                     "From %s agents' cards come without a sound, and nobody is reminded. High-risk questions "
                     "still ring.",
                     hours);
    else
        reply_text(&t->reply, "Agents' cards ring at any hour.");
    return OK;
}

static enum status show_quiet(struct turn *t, struct error *e)
{
    const char *hours = NULL;
    struct db *db;
    if (store_read_begin(t->env->store, &db, e))
        return e->status;
    enum status s = ask_quiet_get(db, t->arena, &hours, e);
    store_read_end(t->env->store, db);
    if (s)
        return s;
    turn_say(t, "Quiet hours: %s. Change them with /quiet 22:00-07:00 or /quiet off.", hours ? hours : "none");
    return turn_finish(t, e);
}

enum status turn_quiet(struct turn *t, const char *rest, struct error *e)
{
    int from, until;
    struct error why = { 0 };
    if (!*rest)
        return show_quiet(t, e);
    if (strcasecmp(rest, "off") != 0 && strcasecmp(rest, "none") != 0) {
        if (ask_quiet_parse(rest, &from, &until, &why)) {
            turn_say(t, "I did nothing: %s.", why.text);
            return turn_finish(t, e);
        }
        t->act_arg = arena_printf(t->arena, "%02d:%02d-%02d:%02d", from / 60, from % 60, until / 60, until % 60);
    }
    t->act = act_quiet;
    return turn_finish(t, e);
}
