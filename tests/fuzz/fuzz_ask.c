/* SPDX-License-Identifier: MIT
 * fuzz_ask: any JSON as an agent's request.  What is taken is within its bounds, is the same question whatever the
 * order of its fields, and makes a card that Telegram takes and whose buttons steward knows again. */
#include "base/json.h"
#include "base/text.h"
#include "router/ask_token.h"
#include "router/card.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

enum { CARD_UNITS_MAX = 4096 - 64, NOW_S = 1795162440 };

static void must_be_text(const char *s)
{
    if (!s || !text_valid(s, strlen(s)))
        abort();
}

static void check_bounds(struct arena *a, const struct agent_request *r)
{
    struct ask_option option[ASK_BUTTONS_MAX];
    int count = ask_options(a, r, option), from, until;
    struct error e;
    must_be_text(r->project);
    must_be_text(r->message);
    must_be_text(r->request_id);
    if (!*r->message || !*r->request_id || strlen(r->request_id) > ASK_ID_BYTES_MAX ||
        text_utf16_units(r->project, strlen(r->project)) > ASK_PROJECT_UNITS_MAX || r->quorum < 1 ||
        (r->remind_every_ms && r->remind_every_ms < ASK_REMIND_MIN_MS))
        abort();
    for (int i = 0; i < count; i++) {
        must_be_text(option[i].label);
        must_be_text(option[i].value);
        if (!*option[i].label)
            abort();
    }
    if (!r->code != !r->numbers || (r->code && !strstr(r->numbers, r->code)))
        abort();
    if (r->quiet && strcmp(r->quiet, "on") != 0 && strcmp(r->quiet, "off") != 0 &&
        ask_quiet_parse(r->quiet, &from, &until, &e) != OK)
        abort();
}

static void check_same(struct arena *a, struct json_object *body, const struct agent_request *r)
{
    struct agent_request again;
    struct json_object *sorted;
    struct error e;
    const char *text = json_canonical(a, body);
    if (json_parse_in(a, text, strlen(text), &sorted, &e) != OK || ask_read(a, sorted, "fuzz", &again, &e) != OK ||
        strcmp(r->content_hash, again.content_hash) != 0)
        abort();
}

static void check_card(struct arena *a, struct agent_request *r)
{
    struct card card = { .kind = "request", .channel = "telegram", .nonce = "0123456789abcdef0123456789abcdef" };
    struct card_view view = { .request = r, .card = &card, .zone = "Europe/Berlin", .now_ms = NOW_S * 1000LL };
    struct reply reply;
    const char **part, *name, *file;
    size_t parts;
    struct error e;
    struct ask_token token;
    reply_init(&reply, a);
    card_render(a, &view, &reply);
    if (html_split(a, buf_str(&reply.html), CARD_UNITS_MAX, 2, &part, &parts, &e) != OK || parts != 1)
        abort();
    must_be_text(part[0]);
    for (int i = 0; i < reply.button_count; i++) {
        must_be_text(reply.buttons[i].text);
        if (!ask_token_read(ask_settings()->key, reply.buttons[i].data, &token) || strcmp(token.nonce, card.nonce) != 0)
            abort();
    }
    if ((file = card_file(a, r, &name)) != NULL)
        must_be_text(file);
    must_be_text(name);
    json_text(a, json_keep(a, ask_json(r)));
    json_text(a, json_keep(a, ask_list_json(r)));
}

/* The ways a request can end, as the row would say it. */
static void check_ends(struct arena *a, struct agent_request *r)
{
    r->finished_at_ms = NOW_S * 1000LL;
    r->reason = r->message;
    for (int state = REQUEST_EXPIRED; state <= REQUEST_TOLD; state++) {
        r->state = (enum request_state)state;
        check_card(a, r);
    }
    r->state = REQUEST_RESPONDED;
    r->response = r->label = r->message;
    r->free_text = true;
    r->answered_name = r->project;
    r->how = "reply";
    check_card(a, r);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static const int64_t allowed[] = { 42, 43, 44 };
    static const struct ask_settings settings = {
        .telegram = true, .allowed = allowed, .allowed_count = 3, .zone = "UTC"
    };
    struct arena *a = arena_new();
    struct json_object *body;
    struct agent_request r;
    struct error e;
    ask_setup(&settings);
    if (json_parse_in(a, (const char *)data, size, &body, &e) == OK) {
        if (ask_read(a, body, "fuzz", &r, &e) == OK) {
            check_bounds(a, &r);
            check_same(a, body, &r);
            check_card(a, &r);
            check_ends(a, &r);
        } else {
            must_be_text(e.text);
        }
    }
    arena_free(a);
    return 0;
}
