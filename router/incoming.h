/* SPDX-License-Identifier: MIT
 * incoming: one update, read into what the turn needs to know.  Telegram's and the console's updates have the same
 * shape.  Pure. */
#ifndef ROUTER_INCOMING_H
#define ROUTER_INCOMING_H

#include "base/arena.h"
#include <stdint.h>

enum incoming_kind {
    IN_TEXT,    /* text, or the caption of a medium */
    IN_EDIT,    /* an edited message */
    IN_TAP,     /* a button */
    IN_MEDIA,   /* something without words: `media` names it */
    IN_SERVICE, /* joins, pins, topic changes: nothing to answer */
};

struct incoming {
    enum incoming_kind kind;
    const char *channel;
    int64_t chat_id, thread_id; /* thread 0 = none */
    bool group;                 /* more people than the sender */
    int64_t date_ms;            /* when it was sent; 0 = not told */
    int64_t message_id;         /* of the message, or of the one whose button was tapped */
    int64_t from_id;            /* 0 for the console */
    const char *from_name, *language;
    const char *zone;                        /* the browser's IANA zone; "" = not told */
    bool from_person;                        /* false: a channel, an anonymous admin, a bot */
    const char *text;                        /* cleaned, trimmed; "" when there is none; without the bot's @name */
    const char *media;                       /* "photo", "voice message" …; NULL */
    const char *album;                       /* the id that the parts of an album share; "" = none */
    bool forwarded;                          /* content, not commands */
    bool addressed;                          /* in a group: mentioned, replied to, or a command for this bot */
    const char *quoted;                      /* the text of the message replied to, NULL = none */
    int64_t reply_to_id;                     /* the message replied to; 0 = not a reply by a person */
    const char *reply_callback;              /* data of its first button; NULL */
    bool may_make_topics;                    /* IN_SERVICE: the bot has that right now */
    bool forum;                              /* the group has topics */
    const char *topic_name;                  /* IN_SERVICE: the topic has this name now; NULL = nothing of the kind */
    int64_t moved_from, moved_to;            /* IN_SERVICE: the group's old and new id; 0 */
    const char *callback_id, *callback_data; /* IN_TAP */
};

/* bot_username without @ (NULL = not known yet: then only replies and plain commands address the bot in a group);
 * bot_id 0 = not known.  ST_INVALID: not an update of a known kind. */
enum status MUST_CHECK incoming_read(struct arena *, const char *channel, const char *body, const char *bot_username,
                                     int64_t bot_id, struct incoming *, struct error *);

#endif
