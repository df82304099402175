/* SPDX-License-Identifier: MIT
 * waiting: the waiting room of held polls.  Each waits for one request to end (or for its card to be out); a poll that
 * waits is a struct of some 200 bytes and a socket, no thread.  One thread looks into the database when something has
 * changed (HINT_REQUESTS, also from other instances), and once a second, because hints may be lost.
 *
 * A waiter is entered before its request is looked up, so no end falls between the two. */
#ifndef BOT_WAITING_H
#define BOT_WAITING_H

#include "store/requests.h"
#include "store/store.h"

struct waiting;

enum { WAITING_CARD_MS = 2000 }; /* CONTRACT: /send tells the message's id when the card went out within 2 s */
enum waiter_wants { WAIT_END, WAIT_CARD };

/* Embedded in whoever waits. */
struct waiter {
    const char *request_id; /* owned by the embedder */
    enum waiter_wants wants;
    /* It has happened: called once, on the room's thread, when the waiter is no longer in the room.  r lives during
     * the call and may lack the words of the question; WAIT_CARD: message_id, or r NULL when it took too long.
     * WAIT_END: r NULL when the room closes. */
    void (*ended)(struct waiter *, const struct agent_request *r, const char *message_id);
    struct waiter *next; /* private from here */
    int64_t entered_ms;
    bool inside;
};

enum status MUST_CHECK waiting_start(struct store *, struct waiting **, struct error *);
void waiting_stop(struct waiting *); /* whoever is inside is called; nobody after this; NULL is fine */
void waiting_free(struct waiting *); /* NULL is fine */

void waiting_enter(struct waiting *, struct waiter *); /* any thread */
/* false: it was not inside (its ended() has been or is being called). */
bool waiting_leave(struct waiting *, struct waiter *); /* any thread, does not block on the database */
int64_t waiting_count(struct waiting *);
/* Something about requests was committed (the store's hint). */
void waiting_wake(struct waiting *);

#endif
