/* SPDX-License-Identifier: MIT
 * ask: agents' requests: taken in, answered once, expired, withdrawn, repeated.  Every function works inside a
 * transaction of its caller (the agents' endpoints, a turn, the scheduler) and leaves the row, its cards, its audit log
 * and the outbox consistent with each other; no network.  The first answer wins: a request changes only while it is
 * open, and requests_lock() makes changes one line. */
#ifndef ROUTER_ASK_H
#define ROUTER_ASK_H

#include "base/arena.h"
#include "store/requests.h"
#include "store/store.h"
#include <json-c/json.h>

enum {
    ASK_BUTTONS_MAX = 12, /* more do not fit on a phone's screen */
    ASK_LABEL_UNITS_MAX = 64,
    ASK_VALUE_BYTES_MAX = 512,
    ASK_ID_BYTES_MAX = 128, /* request_id */
    ASK_PROJECT_UNITS_MAX = 64,
    ASK_MESSAGE_BYTES_MAX = 32 * 1024,
    ASK_DETAILS_BYTES_MAX = 8 * 1024 * 1024, /* the largest body (1 MiB), with hidden characters spelt out */
    ASK_ANSWER_BYTES_MAX = 16 * 1024,
    ASK_OPEN_MAX = 20000, /* open requests of one steward */
    ASK_EXPIRES_DEFAULT_MS = 24 * 3600 * 1000,
    ASK_REMIND_MIN_MS = 60 * 1000,
    ASK_REMINDS_MAX = 48,     /* nagging ends; the card stays open */
    ASK_AWAY_MS = 150 * 1000, /* Telegram keeps a tap this long: after a longer absence taps may be lost */
    ASK_HEAL_FIRST_MS =
        300 * 1000, /* a card that may be on the phone is posted again if nobody has tapped it by then */
    ASK_HEAL_PAUSE_MAX_MS = 6 * 3600 * 1000,
    ASK_HEAL_TRIES_MAX = 10, /* the pauses double: these are about a day */
};

/* Where cards go, who may answer, and the key of the buttons.  Set once at the start, before threads; constant then. */
struct ask_settings {
    bool telegram;          /* cards go to Telegram; false: to the console page alone */
    int64_t notify_chat_id; /* 0 = the first allowed person's private chat */
    const int64_t *allowed; /* Telegram ids; the first is the owner */
    int allowed_count;
    const char *zone;      /* of times on cards when the owner has none */
    unsigned char key[32]; /* MAC of callback tokens */
};
void ask_setup(const struct ask_settings *);
const struct ask_settings *ask_settings(void);
bool ask_is_allowed(int64_t telegram_id); /* one of `allowed`? */
/* The key that this database's buttons are signed with, made at the first call (a write_fn's body). */
enum status MUST_CHECK ask_key(struct db *, unsigned char key[32], struct error *);

/* --- what the columns of a request hold --- */

/* A button. */
struct ask_option {
    const char *label, *value, *style; /* style NULL = none; arena-owned */
    bool safe;                         /* needs no number and no quorum: a refusal */
};
/* In the order in which they are shown; their number. */
int ask_options(struct arena *, const struct agent_request *, struct ask_option out[ASK_BUTTONS_MAX]);
bool ask_has(const char *list, int64_t n); /* ",1,2," holds 2; NULL holds nothing */

/* --- the asking side --- */

/* What a body of /send says, checked.  ST_INVALID names the field.  request_id is made when absent. */
enum status MUST_CHECK ask_read(struct arena *, struct json_object *body, const char *origin, struct agent_request *,
                                struct error *);
/* The content_hash of these words. */
const char *ask_hash(struct arena *, const char *text);
/* Insert the request with its cards, or find the one with the same id and content (*again true).  ST_CONFLICT: same id,
 * other content; ST_LIMIT: too many are open.  *r is what is stored. */
enum status MUST_CHECK ask_put(struct db *, struct arena *, struct agent_request *r, bool *again, int64_t now_ms,
                               struct error *);
/* Withdraw: *r is the request afterwards, however it ended.  ST_NOT_FOUND. */
enum status MUST_CHECK ask_cancel(struct db *, struct arena *, const char *request_id, const char *reason,
                                  const char *actor, int64_t now_ms, struct agent_request *r, struct error *);
/* The object that /poll answers.  Its status is final unless it is "waiting"; "told" is that of a message that asked
 * nothing (a milestone, an error, a heartbeat): whoever polls one by mistake neither waits for ever nor takes it for an
 * answer. */
struct json_object *ask_json(const struct agent_request *);
/* The row of GET /requests. */
struct json_object *ask_list_json(const struct agent_request *);
/* Telegram's id of its card, "tg-456", or NULL while it is not out. */
enum status MUST_CHECK ask_message_id(struct db *, struct arena *, const struct agent_request *, const char **,
                                      struct error *);
/* Its answer has reached the asking side (audit 'fetched', once). */
enum status MUST_CHECK ask_fetched(struct db *, int64_t id, int64_t now_ms, struct error *);

/* --- the answering side --- */

struct ask_voice {
    int64_t id; /* Telegram id; 0 = the console's person when nobody is allowed in Telegram */
    const char *name;
    const char *how;     /* "tap", "reply", "text", "console" */
    const char *channel; /* where the tap or the words came from */
    int64_t chat_id, message_id;
};
enum ask_outcome {
    ASK_ANSWERED, /* this was the answer */
    ASK_NOTED,    /* a vote, a tick, a number to pick: it is still open */
    ASK_OVER,     /* it was over before */
    ASK_REFUSED,  /* not theirs, not valid, not like that */
};
/* A button.  data is what the callback query carries, from outside: anything.  *says: a short sentence for the tap. */
enum status MUST_CHECK ask_tap(struct db *, struct arena *, const char *data, const struct ask_voice *, int64_t now_ms,
                               enum ask_outcome *, const char **says, struct agent_request *, struct error *);
/* Words for a request: a button's label or value means that button, anything else is free text. */
enum status MUST_CHECK ask_text(struct db *, struct arena *, int64_t id, const char *text, const struct ask_voice *,
                                int64_t now_ms, enum ask_outcome *, const char **says, struct agent_request *,
                                struct error *);
bool ask_is_tap(const char *data); /* does this callback data belong here? */

/* Which open request do these words answer?  By the message replied to (its id, or a button of it when the id is not
 * known yet), else by the topic they stand in when exactly one is open there.  *id 0: none.
 * *several: the topic has more than one. */
struct ask_words {
    const char *channel;
    int64_t chat_id, thread_id;
    int64_t reply_to_id;        /* 0 = not a reply */
    const char *reply_callback; /* callback data of the message replied to; NULL */
    const char *quoted;         /* its text; NULL */
    int64_t said_by_ms;         /* of words that come late: they mean nothing that was asked after this; 0 = just now */
};
enum status MUST_CHECK ask_find(struct db *, struct arena *, const struct ask_words *, int64_t *id, bool *several,
                                bool *over, struct error *);

/* --- the clock's side (jobs of the scheduler, each in a transaction of its own) --- */
enum status MUST_CHECK ask_expire(struct db *, struct arena *, int64_t now_ms, int *count, struct error *);
enum status MUST_CHECK ask_remind(struct db *, struct arena *, int64_t now_ms, int *count, struct error *);
/* Called often; remembers that the program lives.  When it was away for longer than ASK_AWAY_MS: one message says so,
 * and open cards are shown anew with a word about lost taps, a batch now and at each further call until all are.
 * *away_ms 0: it was not away just now; *cards: shown anew by this call. */
enum status MUST_CHECK ask_alive(struct db *, struct arena *, int64_t now_ms, int64_t *away_ms, int *cards,
                                 struct error *);

/* Cards of open requests that have neither a message nor a row on its way are posted again, with the same buttons: at
 * once when their group got a new id; when their sends got no answer, after ASK_HEAL_FIRST_MS and then after pauses
 * that double up to ASK_HEAL_PAUSE_MAX_MS, ASK_HEAL_TRIES_MAX tries in all.  After that the request stays open and
 * answerable on the console page, and the agent sees it in GET /requests. */
enum status MUST_CHECK ask_heal(struct db *, struct arena *, int64_t now_ms, int *count, struct error *);

/* "22:00-07:00" → minutes of the day; ST_INVALID with a sentence. */
enum status MUST_CHECK ask_quiet_parse(const char *text, int *from_minute, int *until_minute, struct error *);
/* The household's quiet hours: NULL text = none. */
enum status MUST_CHECK ask_quiet_get(struct db *, struct arena *, const char **text, struct error *);
enum status MUST_CHECK ask_quiet_set(struct db *, const char *text, struct error *);

#endif
