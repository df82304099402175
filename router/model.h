/* SPDX-License-Identifier: MIT
 * model: one conversation step with a language model: providers as table rows with pure build and parse, the
 * retry policy, the adaptive retry on 400, failover from the first configured provider to the next.  Worker threads;
 * the network lives in base/http. */
#ifndef ROUTER_MODEL_H
#define ROUTER_MODEL_H

#include "base/arena.h"
#include "base/histogram.h"
#include "base/host.h"
#include "base/http.h"
#include <json-c/json.h>
#include <stdatomic.h>

enum {
    MODEL_CALLS_MAX = 16,
    MODEL_MESSAGES_MAX = 64,
    MODEL_PROVIDERS_MAX = 2,
    MODEL_RETRY_BASE_MS = 500,       /* 0.5·2ⁿ s, up to 25 % less at random, as the vendors' SDKs do */
    MODEL_RETRY_PAUSE_MS_MAX = 8000, /* of one pause we choose ourselves */
    MODEL_RETRY_WINDOW_MS = 20000,   /* no new attempt at one provider begins later: a person is waiting */
    MODEL_PROBE_TIMEOUT_MS = 10000,  /* the one attempt a paused provider gets when every provider is paused */
    MODEL_PAUSE_SHORT_MS = 30000,    /* after 2 failed steps in a row, or one that hung until its time limit */
    MODEL_PAUSE_LONG_MS = 5 * 60000, /* after 401, 402, 403, 404 or "no credit left" */
    MODEL_PAUSE_AFTER = 2,           /* failed steps in a row */
};

struct model_tool {
    const char *name, *description;
    struct json_object *schema; /* read only: copied, its reference count is not touched */
};

/* A message of the conversation, provider-neutral.  An assistant step is kept verbatim in `raw` (the provider's own
 * content, echoed unchanged inside one turn); a step of another provider is never replayed. */
enum model_role { MODEL_USER, MODEL_ASSISTANT, MODEL_RESULTS };
struct model_result {
    const char *call_id, *text;
    bool is_error;
};
struct model_message {
    enum model_role role;
    const char *text;                   /* USER; ASSISTANT of history */
    struct json_object *raw;            /* ASSISTANT of this turn (model_reply.raw, or the same JSON read again) */
    const struct model_result *results; /* RESULTS: one per call of the step before, in its order */
    int result_count;
};
struct model_request {
    const char *system;             /* static: no clock in it */
    const struct model_tool *tools; /* frozen for the whole turn; NULL = none */
    int tool_count;
    const struct model_message *messages; /* ends with USER or RESULTS */
    int message_count;
    int output_tokens_max; /* 0 = MODEL_OUTPUT_TOKENS_MAX */
};

enum model_stop {
    MODEL_STOP_END,       /* text only; it may be "" */
    MODEL_STOP_TOOLS,     /* at least one call, or too_many_calls */
    MODEL_STOP_TRUNCATED, /* cut off, also after one retry with twice the room: `text` is a beginning */
    MODEL_STOP_REFUSED,   /* the model or its filter declined: `text` may say why */
    MODEL_STOP_OTHER,     /* a stop reason we do not know: do nothing with it */
};
struct model_call {
    const char *id, *name;         /* never NULL; the id is unique within the reply */
    struct json_object *arguments; /* an object, or NULL when it was not valid JSON */
    const char *arguments_text;    /* as it came, for the repair message */
};
/* One provider asked in a step, retries included: a row of the ledger. */
struct model_asked {
    const char *provider, *model; /* provider: whose server it is, see host_owner() */
    bool answered;
    int64_t input_tokens, cached_tokens, output_tokens, elapsed_ms;
};
struct model_reply {
    enum model_stop stop;
    const char *text; /* may be ""; reasoning removed */
    struct model_call calls[MODEL_CALLS_MAX];
    int call_count;               /* 0 unless stop is TOOLS: a truncated answer has no calls */
    bool too_many_calls;          /* more than MODEL_CALLS_MAX: none is given, and the step cannot be continued */
    bool context_full;            /* TRUNCATED because the conversation is too long: less history helps */
    struct json_object *raw;      /* the assistant content for the next round, arena-owned; NULL unless END or TOOLS */
    const char *provider, *model; /* which row answered: "anthropic" */
    int64_t input_tokens, cached_tokens, output_tokens; /* of all attempts; input includes what came from a cache */
    int64_t elapsed_ms;
    struct model_asked asked[MODEL_PROVIDERS_MAX]; /* filled also when the step fails */
    int asked_count;
    int failovers;               /* providers that failed, or are paused after failing, before this one */
    const char *failed_provider; /* the first of them for people: "Anthropic"; NULL */
    const char *failed_sentence; /* what it said: "Anthropic says the model claude-x does not exist (404)"; NULL */
};

struct model_endpoint {                     /* one configured provider */
    const struct provider *provider;        /* router/provider.h */
    const char *base_url, *api_key, *model; /* api_key NULL or "" = the server wants none */
};
/* Whose server it is, for the ledger: "anthropic", "openai", "local", or the host's name.  Returns out. */
const char *model_owner(const struct model_endpoint *, char out[HOST_BYTES_MAX]);
struct model_times {       /* of one endpoint, since the start */
    struct histogram call; /* a step at this provider, retries included */
    _Atomic int64_t answered, failed, input_tokens, cached_tokens, output_tokens;
};
struct model_set { /* the process's, shared by worker threads: endpoints are constant, the rest is atomic */
    struct model_endpoint endpoint[MODEL_PROVIDERS_MAX];
    int count;         /* 0: no model, the built-in parser works */
    int retry_base_ms; /* 0 = MODEL_RETRY_BASE_MS; tests make it short */
    int timeout_ms;    /* of one provider in one step, retries included; 0 = MODEL_TIMEOUT_MS */
    _Atomic unsigned quirks[MODEL_PROVIDERS_MAX];  /* what a 400 taught us, by bit (provider.h) */
    _Atomic int failed_steps[MODEL_PROVIDERS_MAX]; /* in a row */
    struct model_times times[MODEL_PROVIDERS_MAX];
    _Atomic int64_t paused_until_ms[MODEL_PROVIDERS_MAX]; /* monotonic: skip a failing provider for a while */
};

/* Add an endpoint at the start of the process; the strings must outlive the set.  ST_NOT_FOUND: no such provider
 * ("anthropic", "openai"); ST_INVALID: not an http(s) URL, or no model; ST_LIMIT: the set is full. */
enum status MUST_CHECK model_set_add(struct model_set *, const char *provider, const char *base_url,
                                     const char *api_key, const char *model, struct error *);

/* One step.  `provider` NULL = try endpoints in order with failover; else only the named one (a turn that began with it
 * cannot change).  At most MODEL_RETRIES_MAX retries, timeout_ms per provider and MODEL_RETRY_WINDOW_MS to the start of
 * its last attempt, so a step ends within timeout_ms × count.  A provider that is paused is skipped, unless all are:
 * then each gets one short attempt.  When *cancel (may be NULL; written with __atomic_store_n)
 * turns true it ends promptly with ST_SHUTDOWN.
 * ST_UNAVAILABLE: none answered usably (the error says what each said, without secrets).  ST_INVALID: the
 * conversation cannot be sent.  ST_NOT_FOUND: the named provider is not configured. */
enum status MUST_CHECK model_step(struct model_set *, struct http *, struct arena *, const struct model_request *,
                                  const char *provider, const volatile bool *cancel, struct model_reply *,
                                  struct error *);

#endif
