/* SPDX-License-Identifier: MIT
 * telegram_messenger: outbox rows sent to Telegram.  Runs on sender threads (send) and on the turn's threads (typing);
 * never touches the database.
 *
 * After a call whose outcome is unknown the bot is "suspect": the next send first asks getMe, which may be repeated
 * freely.  So an outage costs one message an ambiguity, not every message that waits. */
#include "bot/telegram_client.h"

#include "base/clock.h"
#include "base/json.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
    FORMS_MAX = 5,           /* as it is, in a reopened topic, without thread, without reply, as a new message */
    DENIED_PAUSE_MS = 60000, /* a refused token: look again once a minute */
    OUTAGE_BASE_MS = 500,    /* Telegram cannot be reached: 0.5 s, 1 s, 2 s … */
    OUTAGE_CAP_MS = 30000,
    PROBE_TIMEOUT_MS = 10000,
};

static void say(struct telegram *t, struct send_result *out, const char *text)
{
    telegram_mask(t, text, out->error, sizeof out->error);
}

/* ---- trust ---- */

static void note_answer(struct telegram *t)
{
    pthread_mutex_lock(&t->lock);
    t->suspect = false;
    t->failures = 0;
    pthread_mutex_unlock(&t->lock);
}

static void note_silence(struct telegram *t)
{
    pthread_mutex_lock(&t->lock);
    t->suspect = true;
    pthread_mutex_unlock(&t->lock);
}

/* Telegram cannot be reached: everything waits, longer each time.  Returns for how long. */
static int64_t note_outage(struct telegram *t)
{
    pthread_mutex_lock(&t->lock);
    int64_t wait_ms = OUTAGE_BASE_MS << (t->failures < 6 ? t->failures : 6);
    if (wait_ms > OUTAGE_CAP_MS)
        wait_ms = OUTAGE_CAP_MS;
    bool counted = t->paused_until_ms > clock_mono_ms(); /* by another thread, just now */
    if (!counted)
        t->failures++;
    t->suspect = true;
    pthread_mutex_unlock(&t->lock);
    telegram_pause_all(t, wait_ms);
    return telegram_pause_ms(t, 0);
}

static void wait_blamelessly(struct send_result *out, int64_t wait_ms)
{
    out->outcome = SEND_RETRY;
    out->blameless = true;
    out->wait_ms = wait_ms;
}

static void deny(struct telegram *t, struct send_result *out)
{
    telegram_pause_all(t, DENIED_PAUSE_MS);
    out->outcome = SEND_DENIED;
    out->wait_ms = DENIED_PAUSE_MS;
}

/* May a message go out now?  false: *out says when to look again. */
static bool ready(struct telegram *t, struct http *http, struct arena *a, int64_t chat_id, struct send_result *out)
{
    int64_t wait_ms = telegram_pause_ms(t, chat_id);
    if (wait_ms > 0) {
        wait_blamelessly(out, wait_ms);
        snprintf(out->error, sizeof out->error, "waiting as Telegram asked");
        return false;
    }
    pthread_mutex_lock(&t->lock);
    bool suspect = t->suspect;
    pthread_mutex_unlock(&t->lock);
    if (!suspect)
        return true;
    struct telegram_request probe;
    struct telegram_answer answer;
    struct error e = { 0 };
    telegram_request_json(a, "getMe", json_keep(a, json_object_new_object()), true, &probe);
    enum status s = telegram_call(t, http, a, &probe, 0, PROBE_TIMEOUT_MS, &t->cancel, &answer, &e);
    enum telegram_verdict verdict = telegram_judge(s, &answer, true);
    if (verdict == TG_DONE) {
        note_answer(t);
        return true;
    }
    say(t, out, s ? e.text : answer.description);
    if (verdict == TG_DENIED)
        deny(t, out);
    else
        wait_blamelessly(out, verdict == TG_WAIT ? answer.retry_after_ms : note_outage(t));
    return false;
}

/* ---- one row ---- */

/* A refusal that another form of the same row may get around. */
static unsigned other_form(enum telegram_verdict verdict)
{
    switch (verdict) {
    case TG_AS_NEW:
        return TELEGRAM_AS_NEW;
    case TG_NO_THREAD:
    case TG_TOPIC_CLOSED:
        return TELEGRAM_NO_THREAD;
    case TG_NO_REPLY:
        return TELEGRAM_NO_REPLY;
    default:
        return 0;
    }
}

static void settle_wait(struct telegram *t, const struct telegram_answer *answer, int64_t chat_id,
                        struct send_result *out)
{
    wait_blamelessly(out, answer->retry_after_ms);
    out->flooded = true;
    out->wait_whole_channel = chat_id == 0;
    if (chat_id == 0 && telegram_pause_ms(t, 0) > out->wait_ms)
        out->wait_ms = telegram_pause_ms(t, 0);
}

/* What the verdict means for the row. */
static void conclude(struct telegram *t, enum telegram_verdict verdict, enum status call,
                     const struct telegram_answer *answer, int64_t chat_id, struct send_result *out)
{
    switch (verdict) {
    case TG_DONE:
        out->outcome = SEND_OK;
        out->message_id = json_int(answer->result, "message_id", 0);
        return;
    case TG_PLAIN:
        out->outcome = SEND_PLAIN;
        return;
    case TG_MIGRATED:
        out->outcome = SEND_RETRY;
        out->migrated_to_chat_id = answer->migrate_to_chat_id;
        return;
    case TG_WAIT:
        settle_wait(t, answer, chat_id, out);
        return;
    case TG_AGAIN:
        if (call == ST_UNAVAILABLE)
            wait_blamelessly(out, note_outage(t));
        else
            out->outcome = SEND_RETRY;
        return;
    case TG_UNKNOWN:
        out->outcome = SEND_UNKNOWN;
        return;
    case TG_DENIED:
        deny(t, out);
        return;
    case TG_AS_NEW:
    case TG_NO_THREAD:
    case TG_TOPIC_CLOSED:
    case TG_NO_FORUM:
    case TG_NO_RIGHTS:
    case TG_NO_REPLY:
    case TG_REJECTED:
        break;
    }
    out->outcome = SEND_REJECTED;
}

/* What the verdict means for a row of kind 'topic': that none can be made is an answer too. */
static void conclude_topic(enum telegram_verdict verdict, const struct telegram_answer *answer, struct send_result *out)
{
    if (verdict == TG_DONE) {
        out->message_id = json_int(answer->result, "message_thread_id", 0);
        out->topic_refused = out->message_id > 0 ? TOPIC_POSSIBLE : TOPIC_FAILED;
    } else if (verdict == TG_NO_FORUM || verdict == TG_NO_RIGHTS) {
        out->outcome = SEND_OK;
        out->topic_refused = verdict == TG_NO_FORUM ? TOPIC_NO_FORUM : TOPIC_NO_RIGHTS;
    }
}

/* The topic of the row is closed.  false: and stays so. */
static bool reopen(struct telegram *t, struct http *http, struct arena *a, const struct outbox_row *row)
{
    struct telegram_request request;
    struct telegram_answer answer;
    telegram_request_reopen(a, row, &request);
    enum status s =
        telegram_call(t, http, a, &request, row->chat_id, TELEGRAM_SEND_TIMEOUT_MS, &t->cancel, &answer, NULL);
    return telegram_judge(s, &answer, true) == TG_DONE;
}

/* One call for a row, in one of its forms. */
struct attempt {
    struct telegram_answer answer;
    enum status called;
    enum telegram_verdict verdict;
};

/* A tap's answer names no chat. */
static int64_t chat_of(const struct outbox_row *row)
{
    return strcmp(row->kind, "tap") == 0 ? 0 : row->chat_id;
}

/* false: there is nothing to call for, and *out says what becomes of the row. */
static bool attempt_make(struct telegram *t, struct http *http, struct arena *a, const struct outbox_row *row,
                         unsigned flags, struct attempt *at, struct send_result *out)
{
    struct telegram_request request;
    struct error e = { 0 };
    enum status s = telegram_request_for(a, row, flags, &request, &e);
    if (s) { /* NOT_FOUND: the message whose buttons should change is gone, and so is the reason to change them */
        say(t, out, e.text);
        out->outcome = s == ST_NOT_FOUND ? SEND_OK : SEND_REJECTED;
        return false;
    }
    at->called =
        telegram_call(t, http, a, &request, chat_of(row), TELEGRAM_SEND_TIMEOUT_MS, &t->cancel, &at->answer, &e);
    at->verdict = telegram_judge(at->called, &at->answer, request.repeatable);
    if (at->called == OK && at->answer.envelope && at->answer.code < 500)
        note_answer(t);
    else
        note_silence(t);
    say(t, out, at->called ? e.text : at->answer.description);
    return true;
}

static void telegram_send(void *self, struct http *http, struct arena *a, const struct outbox_row *row, bool plain,
                          struct send_result *out)
{
    struct telegram *t = self;
    struct attempt at;
    unsigned flags = plain ? TELEGRAM_PLAIN : 0;
    bool reopened = false;
    if (!ready(t, http, a, chat_of(row), out))
        return;
    for (int form = 0; form < FORMS_MAX; form++) {
        if (!attempt_make(t, http, a, row, flags, &at, out))
            return;
        if (at.verdict == TG_NO_THREAD && row->topic_id) { /* made anew, ahead of this row */
            out->outcome = SEND_RETRY;
            out->topic_lost = true;
            return;
        }
        if (at.verdict == TG_TOPIC_CLOSED && row->topic_id && !reopened) {
            if ((reopened = reopen(t, http, a, row)))
                continue;
            if (!ready(t, http, a, chat_of(row), out)) /* that was one call too many */
                return;
        }
        unsigned form_flag = other_form(at.verdict);
        if (form_flag && !(flags & form_flag)) {
            flags |= form_flag;
            continue;
        }
        conclude(t, at.verdict, at.called, &at.answer, chat_of(row), out);
        if (strcmp(row->kind, "topic") == 0)
            conclude_topic(at.verdict, &at.answer, out);
        return;
    }
    out->outcome = SEND_REJECTED;
}

static void telegram_typing(void *self, struct http *http, struct arena *a, int64_t chat_id, int64_t thread_id)
{
    struct telegram *t = self;
    pthread_mutex_lock(&t->lock);
    bool suspect = t->suspect;
    pthread_mutex_unlock(&t->lock);
    if (suspect || telegram_pause_ms(t, chat_id) > 0)
        return;
    struct json_object *params = json_keep(a, json_object_new_object());
    json_set_int(params, "chat_id", chat_id);
    if (thread_id > 0)
        json_set_int(params, "message_thread_id", thread_id);
    json_set_str(params, "action", "typing");
    struct telegram_request request;
    struct telegram_answer answer;
    telegram_request_json(a, "sendChatAction", params, true, &request);
    (void)telegram_call(t, http, a, &request, chat_id, TELEGRAM_TYPING_TIMEOUT_MS, &t->cancel, &answer, NULL);
}

static void telegram_hurry(void *self)
{
    struct telegram *t = self;
    __atomic_store_n(&t->cancel, true, __ATOMIC_RELAXED);
}

void telegram_messenger_init(struct telegram *t, struct messenger *m)
{
    *m = (struct messenger){ .channel = "telegram",
                             .text_units_max = TELEGRAM_PART_UNITS_MAX,
                             .paced = !t->unpaced,
                             .send = telegram_send,
                             .typing = telegram_typing,
                             .hurry = telegram_hurry,
                             .self = t };
}
