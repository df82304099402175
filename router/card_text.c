/* SPDX-License-Identifier: MIT
 * card_text: what a card says.  Pure: rows in, HTML and buttons out.  The person decides by this text alone, so
 * whatever asks for trust is shown whole (or, when it is long, as a file beside the card), with hidden characters spelt
 * out. */
#include "router/ask_token.h"
#include "router/card.h"

#include "base/clock.h"
#include "base/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MESSAGE_UNITS_MAX = 2400, /* on the card; longer ones go into the file as well */
    INLINE_UNITS_MAX = 3300,  /* message and details together: room for head, votes and times in 4,032 */
    PRE_UNITS_MAX = 1500,     /* longer details are folded */
    TEASER_UNITS_MAX = 500,   /* of details that are in the file */
    ANSWER_UNITS_MAX = 600,
    DEFAULT_UNITS_MAX = 60,
    VOTES_SHOWN = 8, /* the newest: a name and a label may have 130 characters together */
};

static size_t units(const char *s)
{
    return s ? text_utf16_units(s, strlen(s)) : 0;
}

static const char *cut(struct arena *a, const char *s, size_t units_max)
{
    if (units(s) <= units_max)
        return s;
    return arena_printf(a, "%.*s…", (int)text_prefix_utf16(s, strlen(s), units_max), s);
}

/* --- details --- */

static bool message_is_cut(const struct agent_request *r)
{
    return units(r->message) > MESSAGE_UNITS_MAX;
}

static bool details_fit(const struct agent_request *r)
{
    size_t message = units(r->message);
    return units(r->details) + (message < MESSAGE_UNITS_MAX ? message : MESSAGE_UNITS_MAX) <= INLINE_UNITS_MAX;
}

const char *card_file(struct arena *a, const struct agent_request *r, const char **name)
{
    *name = r->details_name ? r->details_name : r->details ? "details.txt" : "message.txt";
    if (strcmp(r->type, "heartbeat") == 0 || (!message_is_cut(r) && details_fit(r)))
        return NULL;
    if (!r->details)
        return r->message;
    return message_is_cut(r) ? arena_printf(a, "%s\n\n%s", r->message, r->details) : r->details;
}

/* Where the rest is, and when it is not there: what to do. */
static void put_file(const struct card_view *v, const char *name, struct reply *out)
{
    const struct agent_request *r = v->request;
    bool elsewhere = strcmp(r->type, "blocking") == 0 && strcmp(v->card->channel, "console") != 0;
    reply_gap(out);
    reply_text(out, v->file == CARD_FILE_GOES ? "📎 Complete in " : "⚠ The complete text is in ");
    reply_code(out, name);
    if (v->file == CARD_FILE_GOES) {
        reply_text(out, ".");
        return;
    }
    reply_text(out, v->file == CARD_FILE_REFUSED ? ", but this file could not be sent here."
                                                 : ", but it is not known whether this file arrived here.");
    if (elsewhere) /* every question is on the page as well */
        reply_text(out, " Read it on the console page before you answer.");
    else
        reply_text(out, " Ask the agent for it.");
}

static void put_details(struct arena *a, const struct card_view *v, struct reply *out)
{
    const struct agent_request *r = v->request;
    const char *name;
    bool in_file = card_file(a, r, &name) != NULL;
    if (r->details) {
        reply_gap(out);
        if (in_file || !details_fit(r))
            reply_pre(out, cut(a, r->details, TEASER_UNITS_MAX));
        else if (units(r->details) <= PRE_UNITS_MAX)
            reply_pre(out, r->details);
        else
            reply_quote(out, r->details, true);
    }
    if (in_file)
        put_file(v, name, out);
}

/* --- times --- */

/* "14:03", or "Sat 21 Nov 14:03" on another day. */
static const char *time_text(struct arena *a, const struct card_view *v, int64_t at_ms)
{
    struct civil at, now;
    if (zone_to_civil(v->zone, at_ms, &at, NULL) || zone_to_civil(v->zone, v->now_ms, &now, NULL))
        return "?";
    if (civil_days_between(&now, &at) == 0)
        return arena_printf(a, "%02d:%02d", at.hour, at.minute);
    return arena_printf(a, "%.3s %d %.3s %02d:%02d", civil_weekday_name[civil_weekday(&at)], at.day,
                        civil_month_name[at.month - 1], at.hour, at.minute);
}

/* --- an open request --- */

static void put_votes(struct arena *a, const struct card_view *v, struct reply *out)
{
    struct ask_option option[ASK_BUTTONS_MAX];
    int count = ask_options(a, v->request, option);
    if (v->request->quorum < 2)
        return;
    reply_gap(out);
    reply_printf(out, "Needs %d people.", v->request->quorum);
    for (int i = v->vote_count > VOTES_SHOWN ? v->vote_count - VOTES_SHOWN : 0; i < v->vote_count; i++)
        if (v->votes[i].option < count) {
            reply_line(out);
            reply_printf(out, "• %s: %s", v->votes[i].name, option[v->votes[i].option].label);
        }
}

static bool picks_number(const struct agent_request *r)
{
    return r->code && r->chosen && r->state == REQUEST_OPEN;
}

static const char *default_text(struct arena *a, const struct agent_request *r, const struct ask_option *option,
                                int count)
{
    for (int i = 0; r->default_answer && i < count; i++)
        if (strcmp(option[i].value, r->default_answer) == 0)
            return option[i].label;
    return r->default_answer ? text_unspoof(a, cut(a, r->default_answer, DEFAULT_UNITS_MAX)) : "";
}

static void put_waiting(struct arena *a, const struct card_view *v, struct reply *out)
{
    const struct agent_request *r = v->request;
    struct ask_option option[ASK_BUTTONS_MAX];
    int count = ask_options(a, r, option);
    put_votes(a, v, out);
    if (picks_number(r) && atoi(r->chosen + 1) < count) {
        reply_gap(out);
        reply_printf(out, "For “%s”: pick the number that the asking side shows.", option[atoi(r->chosen + 1)].label);
    }
    if (r->away_until_ms) {
        reply_gap(out);
        reply_italic(out,
                     arena_printf(a, "↻ I was away from %s to %s. A tap in that time may be lost: please tap again.",
                                  time_text(a, v, r->away_from_ms), time_text(a, v, r->away_until_ms)));
    }
    if (v->card->ambiguous && !v->card->message_id) {
        reply_gap(out);
        reply_italic(out, "↻ Sent again: the first attempt got no answer.");
    }
    reply_gap(out);
    if (count == 0 && strcmp(v->card->channel, "telegram") == 0)
        reply_italic(out, "Reply to this message with your answer.");
    if (r->expires_at_ms) {
        if (count == 0 && strcmp(v->card->channel, "telegram") == 0)
            reply_line(out);
        reply_italic(out, arena_printf(a, "⏳ until %s%s%s", time_text(a, v, r->expires_at_ms),
                                       r->default_answer ? ", then " : "", default_text(a, r, option, count)));
    }
}

/* --- buttons --- */

static void put_button(const struct card_view *v, struct reply *out, bool same_row, const char *text, const char *style,
                       enum ask_verb verb, int a, int b)
{
    char data[ASK_TOKEN_BYTES];
    struct ask_token token = { .verb = verb, .a = a, .b = b };
    snprintf(token.nonce, sizeof token.nonce, "%s", v->card->nonce);
    ask_token_write(ask_settings()->key, &token, data);
    reply_button(out, same_row, text, "%s", data);
    out->buttons[out->button_count - 1].style = style;
}

static void put_numbers(const struct card_view *v, struct reply *out)
{
    const struct agent_request *r = v->request;
    int option = atoi(r->chosen + 1), shown = 0;
    for (const char *p = r->numbers + 1; *p; p = strchr(p, ',') + 1) {
        char text[8];
        snprintf(text, sizeof text, "%d", atoi(p));
        put_button(v, out, shown++ > 0, text, NULL, ASK_NUMBER, option, atoi(p));
    }
    put_button(v, out, false, "↩ Back", NULL, ASK_BACK, 0, 0);
}

/* Short labels stand two in a row. */
static void put_options(struct arena *a, const struct card_view *v, struct reply *out)
{
    enum { SHORT_UNITS = 14 };
    const struct agent_request *r = v->request;
    struct ask_option option[ASK_BUTTONS_MAX];
    int count = ask_options(a, r, option), in_row = 0;
    for (int i = 0; i < count; i++) {
        bool ticked = ask_has(r->chosen, i);
        bool beside = in_row == 1 && units(option[i].label) <= SHORT_UNITS && units(option[i - 1].label) <= SHORT_UNITS;
        if (r->multi)
            put_button(v, out, false, arena_printf(a, "%s %s", ticked ? "☑" : "☐", option[i].label), option[i].style,
                       ticked ? ASK_UNTICK : ASK_TICK, i, 0);
        else
            put_button(v, out, beside, option[i].label, option[i].style, ASK_CHOOSE, i, 0);
        in_row = beside ? 2 : 1;
    }
    if (r->multi)
        put_button(v, out, false, "Send ▸", "primary", ASK_SUBMIT, 0, 0);
    if (strcmp(v->card->channel, "console") == 0 && !r->code && r->quorum < 2)
        put_button(v, out, false, "✍ Answer in words", NULL, ASK_WRITE, 0, 0);
}

/* --- how it ended --- */

static void put_responded(struct arena *a, const struct card_view *v, struct reply *out)
{
    const struct agent_request *r = v->request;
    const char *when = time_text(a, v, r->finished_at_ms);
    if (strcmp(r->how, "default") == 0) {
        reply_text(out, "⌛ No answer by then: ");
        reply_bold(out, r->label ? r->label : r->response);
        reply_printf(out, ", %s", when);
        return;
    }
    if (!r->free_text) {
        reply_text(out, "✅ ");
        reply_bold(out, cut(a, r->label ? r->label : r->response, ANSWER_UNITS_MAX));
        reply_printf(out, " — %s, %s", r->answered_name, when);
        return;
    }
    reply_printf(out, "💬 %s, %s:", r->answered_name, when);
    reply_line(out);
    reply_quote(out, cut(a, r->response, ANSWER_UNITS_MAX), false);
}

static void put_end(struct arena *a, const struct card_view *v, struct reply *out)
{
    const struct agent_request *r = v->request;
    reply_gap(out);
    if (r->state == REQUEST_RESPONDED)
        put_responded(a, v, out);
    else if (r->state == REQUEST_EXPIRED)
        reply_printf(out, "⌛ Expired at %s without an answer", time_text(a, v, r->finished_at_ms));
    else
        reply_printf(out, "✖ Withdrawn at %s%s%s", time_text(a, v, r->finished_at_ms), r->reason ? ": " : "",
                     r->reason ? cut(a, r->reason, 200) : "");
}

/* --- the whole --- */

static const char *sign(const struct agent_request *r)
{
    if (strcmp(r->type, "error") == 0)
        return "⚠️ ";
    if (strcmp(r->type, "heartbeat") == 0)
        return "💓 ";
    if (strcmp(r->type, "milestone") == 0)
        return "🏁 ";
    return r->code ? "🔴 " : "❓ ";
}

void card_render(struct arena *a, const struct card_view *v, struct reply *out)
{
    const struct agent_request *r = v->request;
    bool blocking = strcmp(r->type, "blocking") == 0;
    reply_init(out, a);
    reply_text(out, sign(r));
    reply_bold(out, r->project);
    if (r->code)
        reply_text(out, " · high risk");
    if (strcmp(r->type, "heartbeat") == 0)
        reply_printf(out, " · %s", time_text(a, v, r->created_at_ms));
    reply_line(out);
    reply_text(out, cut(a, r->message, MESSAGE_UNITS_MAX));
    put_details(a, v, out);
    if (!blocking)
        return;
    if (r->state != REQUEST_OPEN) {
        put_end(a, v, out);
        return;
    }
    put_waiting(a, v, out);
    if (picks_number(r))
        put_numbers(v, out);
    else
        put_options(a, v, out);
}
