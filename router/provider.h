/* SPDX-License-Identifier: MIT
 * provider: one dialect of the model APIs, as a table row of pure functions: a request in, an HTTP request out; an
 * HTTP answer in, a reply or a fault out.  A new provider is one file and one row of provider_table.
 * Nothing here touches the network, a clock or a global; any thread. */
#ifndef ROUTER_PROVIDER_H
#define ROUTER_PROVIDER_H

#include "router/model.h"

enum { PROVIDER_HEADERS_MAX = 8 };

/* What a server's 400 taught us: each bit turns one choice of the smallest request around. */
enum {
    QUIRK_MAX_TOKENS = 1 << 0,       /* max_tokens instead of max_completion_tokens, or the reverse */
    QUIRK_EFFORT = 1 << 1,           /* reasoning_effort "none" where it was not sent, or the reverse */
    QUIRK_PARALLEL = 1 << 2,         /* no parallel_tool_calls */
    QUIRK_CACHE = 1 << 3,            /* no cache_control: the system prompt is a plain string */
    QUIRK_THINKING = 1 << 4,         /* leave thinking blocks of earlier rounds out: they are bound to another prompt */
    QUIRK_ONE_STEP = QUIRK_THINKING, /* holds for this step only and is never remembered */
};

/* The first row whose `word` is the error's param, or stands in its message when it names no param. */
struct provider_quirk {
    const char *word;
    unsigned bit;
};

/* An HTTP POST.  The key stands in `headers` only (arena memory): never log or record them. */
struct provider_call {
    const char *url;
    const char *headers[PROVIDER_HEADERS_MAX]; /* NULL-terminated */
    const char *body;
    size_t body_len;
};

enum fault_kind {
    FAULT_PASSING,  /* the same request may work in a moment: 408, 409, 429, 5xx, no connection, a broken body */
    FAULT_REQUEST,  /* this request is refused; another provider may take it: 400, 413, 422, an answer too large */
    FAULT_STANDING, /* every request will be refused for now: key, payment, permission, unknown model, no credit */
};
struct provider_fault {
    enum fault_kind kind;
    int code; /* HTTP status, or the one an error body carries at HTTP 200; 0 = no answer */
    const char *type, *error_code, *param, *message; /* "" when the body does not say */
    const char *sentence;                            /* for a person: names provider and model, never a secret */
    int64_t retry_after_ms;                          /* -1 = not given */
    bool timed_out;                                  /* it took as long as it was allowed to: another try would too */
};

struct provider {
    const char *name;      /* "anthropic": recorded with a step, given back as model_step's `provider` */
    const char *title;     /* "Anthropic": for people */
    const char *home_host; /* "api.anthropic.com": elsewhere a person is told the host instead of the title */
    /* ST_INVALID: the conversation does not fit this dialect (a step of another provider, results without calls). */
    enum status (*build)(const struct model_endpoint *, const struct model_request *, unsigned quirks, struct arena *,
                         struct provider_call *, struct error *);
    /* A parsed body that carries no error.  ST_INVALID: it is not an answer of this API. */
    enum status (*parse)(struct arena *, const struct model_request *, struct json_object *body, struct model_reply *,
                         struct error *);
    const struct provider_quirk *quirks; /* ends with a NULL word */
};

extern const struct provider *const provider_table[];   /* NULL-terminated */
const struct provider *provider_find(const char *name); /* NULL = no such row */

/* A whole HTTP answer → OK and *reply, or ST_UNAVAILABLE and *fault.  An error is looked for before an answer, also
 * at HTTP 200; foreign bytes of any kind end in a fault. */
enum status MUST_CHECK provider_read(const struct model_endpoint *, struct arena *, const struct model_request *,
                                     int code, const char *body, size_t body_len, struct model_reply *,
                                     struct provider_fault *);
/* The bit that answers this fault, 0 = none. */
unsigned provider_quirk_for(const struct provider *, const struct provider_fault *);

/* "Anthropic", "OpenAI", or "the model server at localhost:11434". */
const char *provider_title(struct arena *, const struct model_endpoint *);
bool provider_at_home(const struct model_endpoint *); /* the base URL is the vendor's own host */
/* The base URL without white space and trailing slashes, and without the suffixes given (each cut once, in order). */
char *provider_base(struct arena *, const char *base_url, const char *const *suffixes);

/* --- for the rows' files (model_message.c, model_call.c) --- */

/* The conversation made regular: empty texts dropped, leading assistant turns dropped, neighbours of one role
 * joined by an empty line, results only after a step, a person's words or results last. */
enum status MUST_CHECK model_messages(struct arena *, const struct model_request *, struct model_message **out,
                                      int *count, struct error *);

/* Reasoning printed into the content (<think>…</think>) removed, white space trimmed; arena-owned. */
const char *model_text_visible(struct arena *, const char *text, size_t len);

/* A call's arguments from a string or an object, copied: "" and null are {}; one lenient pass escapes raw control
 * characters inside strings and nothing else; trailing newlines of string values are cut.  Anything that is no
 * object leaves call->arguments NULL.  Sets call->arguments_text too. */
void model_call_arguments(struct arena *, struct json_object *given, struct model_call *);

/* Add a call to the reply: an id that is missing or taken becomes "call_<n>", a name no API takes back is made
 * harmless.  NULL when the reply is full (reply->too_many_calls is then set).  `given` as above. */
struct model_call *model_call_add(struct arena *, struct model_reply *, const char *id, const char *name,
                                  struct json_object *given);

/* Calls printed as text: the whole text, after an optional code fence or <tool_call> tags, is one object or an array
 * of objects and every one names a tool of the request.  Adds them and returns true, or leaves the reply alone. */
bool model_call_recover(struct arena *, const struct model_request *, const char *text, struct model_reply *);

#endif
