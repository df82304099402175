/* SPDX-License-Identifier: MIT
 * telegram: the Bot API as data: requests made from outbox rows, answers read and judged.  Pure, any thread; the
 * network is in telegram_client.c.  What the answers mean is one table in telegram.c. */
#ifndef BOT_TELEGRAM_H
#define BOT_TELEGRAM_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/http.h"
#include "store/outbox.h"
#include <json-c/json.h>

enum {
    /* Room for the "sent again" line, which is added after the turn has split its reply. */
    TELEGRAM_PART_UNITS_MAX = 4096 - 64,
};

/* One call, ready for the wire. */
struct telegram_request {
    const char *method;       /* "sendMessage" */
    const char *content_type; /* "application/json", or multipart with its boundary */
    const char *body;         /* arena-owned */
    size_t body_len;
    size_t reply_bytes_max; /* 0 = TELEGRAM_REPLY_BYTES_MAX */
    bool repeatable;        /* doing it twice is the same as once: an unknown outcome is simply tried again */
};

/* How a row is to be sent when its first form was refused. */
enum {
    TELEGRAM_PLAIN = 1,     /* no formatting */
    TELEGRAM_NO_THREAD = 2, /* the forum topic is gone */
    TELEGRAM_AS_NEW = 4,    /* the message to edit is gone */
    TELEGRAM_NO_REPLY = 8,  /* the message replied to is gone */
};

/* reopenForumTopic for the thread of a row. */
void telegram_request_reopen(struct arena *, const struct outbox_row *, struct telegram_request *);
/* A call with a JSON body. */
void telegram_request_json(struct arena *, const char *method, struct json_object *params, bool repeatable,
                           struct telegram_request *);
/* The call for an outbox row (payloads: store/outbox.h); flags are TELEGRAM_…  A message with row->unknowns > 0 says
 * that it is sent again.  ST_INVALID: the payload is not what its kind needs.  ST_NOT_FOUND: nothing is left to send
 * (an edit of buttons alone whose message is gone). */
enum status MUST_CHECK telegram_request_for(struct arena *, const struct outbox_row *, unsigned flags,
                                            struct telegram_request *, struct error *);

struct telegram_answer {
    bool envelope; /* Telegram's own {"ok": …}; false: a proxy's words, or none */
    bool ok;
    int code;                /* error_code, or the HTTP status */
    const char *description; /* "" when absent; arena-owned */
    struct json_object *result;
    int64_t retry_after_ms; /* -1 = none */
    int64_t migrate_to_chat_id;
    const char *raw; /* the body as it came; arena-owned, NULL = none */
};
void telegram_answer_read(struct arena *, const struct http_reply *, struct telegram_answer *);

enum telegram_verdict {
    TG_DONE,         /* it happened, or makes no difference any more */
    TG_PLAIN,        /* the formatting was refused */
    TG_AS_NEW,       /* the message to edit is gone: send a new one */
    TG_NO_THREAD,    /* the forum topic is gone */
    TG_TOPIC_CLOSED, /* … is closed: reopen it */
    TG_NO_FORUM,     /* the chat has no topics */
    TG_NO_RIGHTS,    /* the bot may not do this there */
    TG_NO_REPLY,
    TG_MIGRATED, /* answer->migrate_to_chat_id */
    TG_WAIT,     /* rate limit: answer->retry_after_ms */
    TG_AGAIN,    /* definitely did not happen; later */
    TG_UNKNOWN,  /* perhaps it happened */
    TG_REJECTED, /* did not happen and never will */
    TG_DENIED,   /* the token is refused */
};
/* What to make of a call: `call` is http_call()'s status (the answer counts when it is OK). */
enum telegram_verdict telegram_judge(enum status call, const struct telegram_answer *, bool repeatable);

/* The kinds of update steward uses, named one by one: an omitted list would keep whatever was set before.  The caller
 * owns the array. */
struct json_object *telegram_allowed_updates(void);

/* A multipart/form-data body.  Fields first, then at most one file. */
struct multipart_field {
    const char *name, *value;
};
struct multipart_file {
    const char *name, *filename, *content_type, *content;
    size_t content_len;
};
/* The body is arena-owned; *content_type carries the boundary, which is random and occurs nowhere in the values. */
const char *multipart_body(struct arena *, const struct multipart_field *, size_t count, const struct multipart_file *,
                           size_t *body_len, const char **content_type);

#endif
