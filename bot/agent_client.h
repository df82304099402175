/* SPDX-License-Identifier: MIT
 * agent_client: the asking side of the agents' endpoints, for notify, heartbeat, hook and mcp: another process than
 * the server, often on another machine.  A call blocks its thread and is repeated while the server is away; that is
 * safe because every request carries an id made before the first try.  Says on stderr what is wrong, one line for
 * a change of state; never prints the secret or more of the URL than scheme, host, port and last step. */
#ifndef BOT_AGENT_CLIENT_H
#define BOT_AGENT_CLIENT_H

#include "base/arena.h"
#include "base/http.h"
#include "base/json.h"
#include "base/status.h"
#include <stdint.h>

enum {
    AGENT_POLL_WAIT_S = 50,         /* how long the server holds a poll */
    AGENT_CANCEL_MS = 3000,         /* withdrawing never holds up an exit longer */
    AGENT_REPLY_BYTES_MAX = 1 << 20 /* a decision echoes the tool's input */
};
#define AGENT_NEVER INT64_MAX /* a deadline that does not come */

struct agent {
    const char *who;             /* "steward notify": begins every line on stderr */
    const char *url;             /* without a trailing slash */
    const char *project;         /* CLAUDE_PROJECT; NULL = not given */
    bool silent;                 /* no lines about trouble and recovery */
    int64_t patience_ms;         /* give up when the server was away this long without a break */
    int64_t deadline_ms;         /* clock_mono_ms() when waiting ends, or AGENT_NEVER */
    int64_t try_ms;              /* one try, without the time the server may hold it; 0 = 15 s */
    const volatile bool *cancel; /* ends a call in progress; NULL = never */
    const volatile bool *hurry;  /* ends the tries, not the one in progress; NULL = never */

    /* --- its own --- */
    const char *authorization; /* the header's line */
    struct http *http;
    bool reached;        /* steward has answered before: odd answers are a proxy's */
    bool perhaps_sent;   /* some try of this process may have reached the server */
    const char *trouble; /* what was told last; NULL = all is well */
};

/* Reads CLAUDE_NOTIFY_URL (else http://127.0.0.1:PORT), CLAUDE_NOTIFY_SECRET, CLAUDE_NOTIFY_SECRET_FILE or
 * NOTIFY_SECRET, CLAUDE_PROJECT, SSL_CERT_FILE, and starts libcurl.  Fields before "its own" may be set afterwards.
 * ST_DENIED: no secret; ST_INVALID: a setting is wrong. */
enum status MUST_CHECK agent_open(struct agent *, const char *who, struct arena *, struct error *);
void agent_close(struct agent *);
/* CLAUDE_NOTIFY_URL as agent_open() reads it, for settings that are written down. */
enum status MUST_CHECK agent_url(struct arena *, const char **url, struct error *);

/* All calls: OK, or
 * ST_DENIED (401, 403), ST_NOT_FOUND (404), ST_CONFLICT (409), ST_LIMIT (413), ST_INVALID (400, and what is not
 * steward's): final, the text says what the server said;
 * ST_UNAVAILABLE: gave up after patience_ms; ST_BUSY: deadline_ms came first; ST_SHUTDOWN: *cancel turned true.
 * Answers are owned by the arena. */

/* POST /send; body holds a request_id. */
enum status MUST_CHECK agent_send(struct agent *, struct arena *, struct json_object *body, struct json_object **answer,
                                  struct error *);
/* Held polls until the request is over: "status" of the answer is not "waiting". */
enum status MUST_CHECK agent_wait(struct agent *, struct arena *, const char *request_id, struct json_object **answer,
                                  struct error *);
/* One try of POST /cancel, AGENT_CANCEL_MS at most, also when *cancel is true; `cancel` ends this one. */
enum status MUST_CHECK agent_cancel(struct agent *, struct arena *, const char *request_id, const char *reason,
                                    const volatile bool *cancel, struct json_object **answer, struct error *);

struct agent_hook {
    const char *dialect; /* "claude", "codex": the last step of the path */
    const char *request_id;
    const char *body; /* the hook's JSON */
    size_t body_len;
    int64_t until_ms; /* clock_mono_ms(): what X-Steward-Timeout is counted to */
    bool next;        /* a Stop asks what to do next (X-Steward-Next) */
};
/* POST /hooks/<dialect> until it is decided: the decision's text, "" = none. */
enum status MUST_CHECK agent_hook_post(struct agent *, struct arena *, const struct agent_hook *, const char **decision,
                                       struct error *);

#endif
