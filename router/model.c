/* SPDX-License-Identifier: MIT
 * model: one step over the configured providers: which to ask, failing over, and pausing those that fail so that the
 * next message does not wait for them again.  Called by the turn on worker threads.  The asking of one provider is in
 * model_ask.c; nothing here reads an answer. */
#include "router/model.h"
#include "router/model_ask.h"
#include "base/clock.h"
#include "base/limits.h"
#include <string.h>

enum status model_set_add(struct model_set *set, const char *provider, const char *base_url, const char *api_key,
                          const char *model, struct error *e)
{
    const struct provider *row = provider_find(provider);
    if (!row)
        return fail(e, ST_NOT_FOUND, "there is no model provider named %s", provider);
    if (set->count >= MODEL_PROVIDERS_MAX)
        return fail(e, ST_LIMIT, "at most %d model providers can be configured", MODEL_PROVIDERS_MAX);
    if (!base_url || (strncmp(base_url, "http://", 7) != 0 && strncmp(base_url, "https://", 8) != 0))
        return fail(e, ST_INVALID, "the base URL of %s must begin with http:// or https://", row->title);
    if (!model || !*model)
        return fail(e, ST_INVALID, "no model is named for %s", row->title);
    set->endpoint[set->count++] =
        (struct model_endpoint){ .provider = row, .base_url = base_url, .api_key = api_key, .model = model };
    return OK;
}

/* --- pausing --- */

static bool paused(struct model_set *set, int i)
{
    return atomic_load(&set->paused_until_ms[i]) > clock_mono_ms();
}

static int64_t pause_for(const struct provider_fault *fault, int failed_steps)
{
    if (fault->kind == FAULT_STANDING)
        return MODEL_PAUSE_LONG_MS;
    if (fault->retry_after_ms > MODEL_PAUSE_SHORT_MS)
        return fault->retry_after_ms < MODEL_PAUSE_LONG_MS ? fault->retry_after_ms : MODEL_PAUSE_LONG_MS;
    return fault->timed_out || failed_steps >= MODEL_PAUSE_AFTER ? MODEL_PAUSE_SHORT_MS : 0;
}

static void note_failure(struct model_set *set, int i, const struct provider_fault *fault)
{
    if (fault->kind == FAULT_REQUEST)
        return; /* it is the request that was refused: the provider works */
    int failed_steps = atomic_fetch_add(&set->failed_steps[i], 1) + 1;
    int64_t pause_ms = pause_for(fault, failed_steps);
    if (pause_ms > 0)
        atomic_store(&set->paused_until_ms[i], clock_mono_ms() + pause_ms);
}

static void note_success(struct model_set *set, int i)
{
    atomic_store(&set->failed_steps[i], 0);
    atomic_store(&set->paused_until_ms[i], 0);
}

/* --- one step --- */

struct step {
    struct model_set *set;
    struct ask ask;
    int failovers;
    const char *failed_provider, *failed_sentence;
    struct model_asked asked[MODEL_PROVIDERS_MAX];
    int asked_count;
    char said[ERROR_TEXT_BYTES_MAX]; /* what each provider said */
};

static void step_failed(struct step *s, int i, const char *sentence)
{
    if (s->failovers++ == 0) {
        s->failed_provider = provider_title(s->ask.arena, &s->set->endpoint[i]);
        s->failed_sentence = sentence;
    }
    if (!sentence)
        return;
    size_t used = strlen(s->said);
    struct error part;
    (void)fail(&part, ST_UNAVAILABLE, "%s%s", used ? "; " : "", sentence);
    size_t room = sizeof s->said - 1 - used;
    if (strlen(part.text) <= room)
        memcpy(s->said + used, part.text, strlen(part.text) + 1);
}

const char *model_owner(const struct model_endpoint *endpoint, char out[HOST_BYTES_MAX])
{
    return host_owner(endpoint->base_url, endpoint->provider->home_host, endpoint->provider->name, out);
}

/* For the ledger and for /metrics. */
static void note_asked(struct step *s, int i, enum status st, const struct model_reply *reply, int64_t elapsed_us)
{
    struct model_times *times = &s->set->times[i];
    const struct model_endpoint *endpoint = &s->set->endpoint[i];
    char owner[HOST_BYTES_MAX];
    struct model_asked *asked = &s->asked[s->asked_count];
    s->asked_count++;
    asked->provider = arena_strdup(s->ask.arena, model_owner(endpoint, owner));
    asked->model = endpoint->model;
    asked->answered = st == OK;
    asked->elapsed_ms = elapsed_us / 1000;
    asked->input_tokens = st == OK ? reply->input_tokens : 0;
    asked->cached_tokens = st == OK ? reply->cached_tokens : 0;
    asked->output_tokens = st == OK ? reply->output_tokens : 0;
    histogram_observe(&times->call, elapsed_us);
    atomic_fetch_add(st == OK ? &times->answered : &times->failed, 1);
    atomic_fetch_add(&times->input_tokens, asked->input_tokens);
    atomic_fetch_add(&times->cached_tokens, asked->cached_tokens);
    atomic_fetch_add(&times->output_tokens, asked->output_tokens);
}

static enum status step_ask(struct step *s, int i, bool probe, struct model_reply *reply, struct error *e)
{
    struct provider_fault fault;
    int64_t begin_us = clock_mono_us();
    enum status st = ask_provider(&s->ask, s->set, i, probe, reply, &fault, e);
    if (st != ST_INVALID) /* it never left */
        note_asked(s, i, st, reply, clock_mono_us() - begin_us);
    if (st == OK) {
        note_success(s->set, i);
        reply->failovers = s->failovers;
        reply->failed_provider = s->failed_provider;
        reply->failed_sentence = s->failed_sentence;
    } else if (st == ST_UNAVAILABLE) {
        note_failure(s->set, i, &fault);
        step_failed(s, i, fault.sentence);
    }
    return st;
}

static enum status step_named(struct step *s, const char *name, struct model_reply *reply, struct error *e)
{
    for (int i = 0; i < s->set->count; i++)
        if (strcmp(s->set->endpoint[i].provider->name, name) == 0)
            return step_ask(s, i, false, reply, e);
    return fail(e, ST_NOT_FOUND, "the model provider %s, which began this turn, is not configured", name);
}

static enum status step_any(struct step *s, struct model_reply *reply, struct error *e)
{
    bool all_paused = true;
    for (int i = 0; i < s->set->count; i++)
        all_paused = all_paused && paused(s->set, i);
    enum status st = ST_UNAVAILABLE;
    for (int i = 0; i < s->set->count && st == ST_UNAVAILABLE; i++) {
        if (!all_paused && paused(s->set, i))
            step_failed(s, i, NULL);
        else
            st = step_ask(s, i, all_paused, reply, e);
    }
    return st;
}

enum status model_step(struct model_set *set, struct http *http, struct arena *arena,
                       const struct model_request *request, const char *provider, const volatile bool *cancel,
                       struct model_reply *reply, struct error *e)
{
    struct step *s = arena_alloc(arena, sizeof *s);
    int64_t start_ms = clock_mono_ms();
    s->set = set;
    s->ask = (struct ask){ .http = http, .arena = arena, .request = request, .cancel = cancel };
    memset(reply, 0, sizeof *reply);
    reply->text = "";
    if (set->count == 0)
        return fail(e, ST_UNAVAILABLE, "no model provider is configured");
    enum status st = provider ? step_named(s, provider, reply, e) : step_any(s, reply, e);
    reply->elapsed_ms = clock_mono_ms() - start_ms;
    memcpy(reply->asked, s->asked, sizeof s->asked);
    reply->asked_count = s->asked_count;
    if (st == ST_UNAVAILABLE)
        return fail(e, st, "%s", *s->said ? s->said : "no model provider answered");
    return st;
}
