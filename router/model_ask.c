/* SPDX-License-Identifier: MIT
 * model_ask: see model_ask.h.  The retry policy is the vendors' own SDKs', with a person's patience: at most two
 * retries, none begun later than MODEL_RETRY_WINDOW_MS, all inside the set's timeout_ms. */
#include "router/model_ask.h"
#include "router/provider_fault.h"
#include "base/clock.h"
#include "base/limits.h"
#include <stdlib.h>
#include <string.h>

enum {
    WAIT_SLICE_MS = 50,             /* how late a cancelled wait may end */
    RETRY_AFTER_MS_MAX = 60 * 1000, /* longer advice is not waited for, as in the vendors' SDKs */
};

struct attempts {
    const struct ask *ask;
    struct model_set *set;
    int index;
    const struct model_endpoint *endpoint;
    bool probe;
    int64_t start_ms, deadline_ms;
    unsigned quirks, tried; /* in use; turned around in this step */
    int output_tokens, retries;
    bool advised; /* the last answer's x-should-retry: */
    bool advice;
    bool doubled;
    int64_t input_tokens, cached_tokens, used_tokens; /* of all attempts */
};

static bool cancelled(const struct ask *ask)
{
    return ask->cancel && __atomic_load_n(ask->cancel, __ATOMIC_RELAXED);
}

/* --- one attempt --- */

static void count_tokens(struct attempts *a, struct model_reply *reply)
{
    reply->input_tokens = a->input_tokens += reply->input_tokens;
    reply->cached_tokens = a->cached_tokens += reply->cached_tokens;
    reply->output_tokens = a->used_tokens += reply->output_tokens;
}

static enum status attempt(struct attempts *a, struct model_reply *reply, struct provider_fault *fault, struct error *e)
{
    struct arena *arena = a->ask->arena;
    struct model_request request = *a->ask->request;
    struct provider_call call = { 0 };
    struct http_reply http = { 0 };
    request.output_tokens_max = a->output_tokens;
    enum status st = a->endpoint->provider->build(a->endpoint, &request, a->quirks, arena, &call, e);
    if (st != OK)
        return st;
    int64_t left_ms = a->deadline_ms - clock_mono_ms();
    struct http_request out = { .method = "POST",
                                .url = call.url,
                                .headers = call.headers,
                                .body = call.body,
                                .body_len = call.body_len,
                                .timeout_ms = left_ms > 1 ? left_ms : 1,
                                .connect_timeout_ms = MODEL_CONNECT_TIMEOUT_MS,
                                .reply_bytes_max = MODEL_REPLY_BYTES_MAX,
                                .cancel = a->ask->cancel };
    st = http_call(a->ask->http, arena, &out, &http, e);
    a->advised = false;
    if (st == ST_SHUTDOWN)
        return st;
    if (st != OK) {
        fault_network(fault, arena, a->endpoint, st, e);
        fault->timed_out = clock_mono_ms() >= a->deadline_ms;
        return ST_UNAVAILABLE;
    }
    st = provider_read(a->endpoint, arena, &request, http.code, http.body, http.body_len, reply, fault);
    if (st == OK) {
        count_tokens(a, reply);
        return OK;
    }
    fault->retry_after_ms = http.retry_after_ms;
    a->advised = http.should_retry >= 0;
    a->advice = http.should_retry > 0;
    return st;
}

/* --- after an attempt --- */

/* A 400 that names one of our choices: turn it around, each at most once in a step.  What is refused either way will
 * be refused next time too. */
static bool adapt(struct attempts *a, struct provider_fault *fault)
{
    unsigned bit = provider_quirk_for(a->endpoint->provider, fault);
    if (bit & a->tried & ~(unsigned)QUIRK_ONE_STEP)
        fault->kind = FAULT_STANDING;
    if (!bit || (a->tried & bit) || clock_mono_ms() >= a->deadline_ms)
        return false;
    a->tried |= bit;
    a->quirks ^= bit;
    return true;
}

/* Only what led to an answer is worth remembering. */
static void remember(struct attempts *a)
{
    unsigned learned = a->tried & ~(unsigned)QUIRK_ONE_STEP;
    atomic_fetch_or(&a->set->quirks[a->index], learned & a->quirks);
    atomic_fetch_and(&a->set->quirks[a->index], ~(learned & ~a->quirks));
}

/* A truncated answer is asked for once more with twice the room; true = do so. */
static bool double_room(struct attempts *a, const struct model_reply *reply)
{
    bool helps = reply->stop == MODEL_STOP_TRUNCATED && !reply->context_full;
    if (!helps || a->doubled || clock_mono_ms() - a->start_ms >= MODEL_RETRY_WINDOW_MS)
        return false;
    a->doubled = true;
    a->output_tokens *= 2;
    return true;
}

static int64_t backoff_ms(const struct attempts *a)
{
    int64_t base_ms = a->set->retry_base_ms > 0 ? a->set->retry_base_ms : MODEL_RETRY_BASE_MS;
    int64_t pause_ms = base_ms << a->retries;
    if (pause_ms > MODEL_RETRY_PAUSE_MS_MAX)
        pause_ms = MODEL_RETRY_PAUSE_MS_MAX;
    return pause_ms - (int64_t)arc4random_uniform((uint32_t)(pause_ms / 4) + 1);
}

/* How long to wait before the next attempt; -1 = there is none. */
static int64_t retry_pause_ms(const struct attempts *a, const struct provider_fault *fault)
{
    bool may = fault->kind == FAULT_PASSING;
    if (a->advised && fault->kind != FAULT_STANDING)
        may = a->advice;
    if (!may || a->probe || a->retries >= MODEL_RETRIES_MAX)
        return -1;
    bool given = fault->retry_after_ms > 0;
    int64_t pause_ms = given ? fault->retry_after_ms : backoff_ms(a);
    int64_t begin_ms = clock_mono_ms() + pause_ms;
    bool late = begin_ms - a->start_ms > MODEL_RETRY_WINDOW_MS || begin_ms >= a->deadline_ms;
    return late || pause_ms > RETRY_AFTER_MS_MAX ? -1 : pause_ms;
}

/* False = cancelled meanwhile. */
static bool wait_ms(const struct ask *ask, int64_t ms)
{
    int64_t until_ms = clock_mono_ms() + ms;
    for (int64_t left = ms; left > 0 && !cancelled(ask); left = until_ms - clock_mono_ms())
        clock_sleep_ms(left < WAIT_SLICE_MS ? left : WAIT_SLICE_MS);
    return !cancelled(ask);
}

static struct attempts attempts_begin(const struct ask *ask, struct model_set *set, int index, bool probe)
{
    int64_t timeout_ms = set->timeout_ms > 0 ? set->timeout_ms : MODEL_TIMEOUT_MS;
    if (probe && timeout_ms > MODEL_PROBE_TIMEOUT_MS)
        timeout_ms = MODEL_PROBE_TIMEOUT_MS;
    int wanted = ask->request->output_tokens_max;
    struct attempts a = { .ask = ask,
                          .set = set,
                          .index = index,
                          .endpoint = &set->endpoint[index],
                          .probe = probe,
                          .start_ms = clock_mono_ms(),
                          .quirks = atomic_load(&set->quirks[index]),
                          .output_tokens = wanted > 0 ? wanted : MODEL_OUTPUT_TOKENS_MAX };
    a.deadline_ms = a.start_ms + timeout_ms;
    return a;
}

enum status ask_provider(const struct ask *ask, struct model_set *set, int index, bool probe, struct model_reply *reply,
                         struct provider_fault *fault, struct error *e)
{
    struct attempts a = attempts_begin(ask, set, index, probe);
    struct model_reply cut = { 0 };
    for (;;) {
        if (cancelled(ask))
            return fail(e, ST_SHUTDOWN, "the program is stopping");
        enum status st = attempt(&a, reply, fault, e);
        if (st == OK) {
            remember(&a);
            if (!double_room(&a, reply))
                return OK;
            cut = *reply;
            continue;
        }
        if (st != ST_UNAVAILABLE)
            return st;
        if (adapt(&a, fault))
            continue;
        int64_t pause_ms = cut.provider ? -1 : retry_pause_ms(&a, fault);
        if (pause_ms < 0)
            break;
        a.retries++;
        if (!wait_ms(ask, pause_ms))
            return fail(e, ST_SHUTDOWN, "the program is stopping");
    }
    if (!cut.provider)
        return ST_UNAVAILABLE;
    *reply = cut; /* the second try failed: the cut answer is still an answer */
    return OK;
}
