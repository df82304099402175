/* SPDX-License-Identifier: MIT
 * telegram_client: see telegram_client.h.  The one place that puts the token into a URL, and the memory of every
 * retry_after, whichever call heard it: a typing indicator during a penalty would lengthen it. */
#include "bot/telegram_client.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include <stdlib.h>
#include <string.h>

struct telegram *telegram_new(const char *base, const char *token, bool unpaced)
{
    struct telegram *t = xcalloc(1, sizeof *t);
    t->base = xstrdup(base);
    t->token = xstrdup(token);
    t->unpaced = unpaced;
    pthread_mutex_init(&t->lock, NULL);
    log_secret(token);
    return t;
}

void telegram_free(struct telegram *t)
{
    if (!t)
        return;
    pthread_mutex_destroy(&t->lock);
    free(t->base);
    free(t->token);
    free(t);
}

void telegram_mask(const struct telegram *t, const char *s, char *out, size_t out_bytes)
{
    size_t token_len = strlen(t->token), n = 0;
    while (*s && n + 1 < out_bytes) {
        if (token_len && strncmp(s, t->token, token_len) == 0) {
            for (const char *star = "***"; *star && n + 1 < out_bytes; star++)
                out[n++] = *star;
            s += token_len;
        } else {
            out[n++] = *s++;
        }
    }
    while (n && (out[n - 1] & 0x80) && *s) /* a cut inside a UTF-8 sequence */
        n--;
    out[n] = '\0';
}

/* ---- pauses ---- */

static void pauses_expire(struct telegram *t, int64_t now_ms)
{
    for (int i = 0; i < t->pause_count;)
        if (t->pause[i].until_ms <= now_ms)
            t->pause[i] = t->pause[--t->pause_count];
        else
            i++;
}

/* Over the bound the whole bot waits: with so many chats refused it is the bot that is meant. */
static void pause_chat(struct telegram *t, int64_t chat_id, int64_t until_ms)
{
    pauses_expire(t, clock_mono_ms());
    for (int i = 0; i < t->pause_count; i++) {
        if (t->pause[i].chat_id != chat_id)
            continue;
        if (t->pause[i].until_ms < until_ms)
            t->pause[i].until_ms = until_ms;
        return;
    }
    if (t->pause_count < TELEGRAM_PAUSES_MAX)
        t->pause[t->pause_count++] = (struct telegram_pause){ chat_id, until_ms };
    else if (t->paused_until_ms < until_ms)
        t->paused_until_ms = until_ms;
}

int64_t telegram_pause_ms(struct telegram *t, int64_t chat_id)
{
    int64_t now_ms = clock_mono_ms(), until_ms;
    pthread_mutex_lock(&t->lock);
    until_ms = t->paused_until_ms;
    for (int i = 0; chat_id && i < t->pause_count; i++)
        if (t->pause[i].chat_id == chat_id && t->pause[i].until_ms > until_ms)
            until_ms = t->pause[i].until_ms;
    pthread_mutex_unlock(&t->lock);
    return until_ms > now_ms ? until_ms - now_ms : 0;
}

void telegram_pause_all(struct telegram *t, int64_t ms)
{
    int64_t until_ms = clock_mono_ms() + ms;
    pthread_mutex_lock(&t->lock);
    if (t->paused_until_ms < until_ms)
        t->paused_until_ms = until_ms;
    pthread_mutex_unlock(&t->lock);
}

static void remember_flood(struct telegram *t, int64_t chat_id, int64_t wait_ms)
{
    if (!chat_id) {
        telegram_pause_all(t, wait_ms);
        return;
    }
    pthread_mutex_lock(&t->lock);
    pause_chat(t, chat_id, clock_mono_ms() + wait_ms);
    pthread_mutex_unlock(&t->lock);
}

/* ---- calls ---- */

enum status telegram_call(struct telegram *t, struct http *http, struct arena *a,
                          const struct telegram_request *request, int64_t chat_id, int64_t timeout_ms,
                          const volatile bool *cancel, struct telegram_answer *answer, struct error *e)
{
    const char *headers[] = { arena_printf(a, "Content-Type: %s", request->content_type), NULL };
    struct http_request call = { .method = "POST",
                                 .url = arena_printf(a, "%s/bot%s/%s", t->base, t->token, request->method),
                                 .headers = headers,
                                 .body = request->body,
                                 .body_len = request->body_len,
                                 .timeout_ms = timeout_ms,
                                 .reply_bytes_max =
                                     request->reply_bytes_max ? request->reply_bytes_max : TELEGRAM_REPLY_BYTES_MAX,
                                 .cancel = cancel };
    struct http_reply reply = { 0 };
    struct error local = { 0 };
    e = e ? e : &local;
    memset(answer, 0, sizeof *answer);
    answer->description = "";
    answer->retry_after_ms = -1;
    enum status s = http_call(http, a, &call, &reply, e);
    if (s) {
        char masked[ERROR_TEXT_BYTES_MAX];
        telegram_mask(t, e->text, masked, sizeof masked);
        return fail(e, s, "%s: %s", request->method, masked);
    }
    telegram_answer_read(a, &reply, answer);
    if (!answer->ok && answer->code == 429)
        remember_flood(t, chat_id, answer->retry_after_ms);
    return OK;
}
