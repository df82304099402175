/* SPDX-License-Identifier: MIT
 * webhook: checks the secret, reads the envelope, hands the bytes to the committer, answers when they are on disk.
 * Loop thread.  Never 410: Telegram would drop the webhook. */
#include "bot/webhook.h"

#include "base/limits.h"
#include "bot/auth.h"
#include "bot/submit.h"
#include "bot/update.h"

enum { ENVELOPE_BYTES = 320 }; /* key, lane and submission, beside the body */

static bool auth_telegram(struct request *r, void *arg)
{
    struct webhook *w = arg;
    if (!w->secret) {
        request_set_header(r, "retry-after", "60");
        request_error(r, 503, "TELEGRAM_BOT_TOKEN is not set on this server, so it takes no updates");
        return false;
    }
    const char *given = request_header(r, "x-telegram-bot-api-secret-token");
    if (given && secret_equal(w->secret, given)) {
        auth_came_by_proxy(r);
        return true;
    }
    if (given)
        auth_refuse(r, "The secret token is missing or wrong");
    else
        request_error(r, 401, "The secret token is missing or wrong");
    return false;
}

static void on_update(struct request *r, void *arg)
{
    struct webhook *w = arg;
    struct slice body = request_body(r);
    if (body.len > WEBHOOK_BODY_BYTES_MAX) {
        request_error(r, 413, "An update has at most %d bytes", WEBHOOK_BODY_BYTES_MAX);
        return;
    }
    struct error e;
    struct inbox_update update = { 0 };
    bool wanted = false;
    struct arena *a = arena_new_for(body.len + ENVELOPE_BYTES);
    if (update_envelope(a, body.data, body.len, &update, &wanted, &e) != OK) {
        request_error(r, 400, "%s", e.text);
        arena_free(a);
    } else if (!wanted) {
        w->ignored++;
        request_empty(r, 200);
        arena_free(a);
    } else {
        w->accepted++;
        request_submit(r, w->intake, a, &update, 200);
    }
}

void webhook_register(struct webhook *w, struct server *s)
{
    static const struct route rows[] = {
        { "POST", "/telegram-webhook", auth_telegram, on_update },
        { "POST", "/respond", auth_telegram, on_update },
        { 0 },
    };
    server_routes(s, rows, w);
}
