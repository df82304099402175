/* SPDX-License-Identifier: MIT
 * agents_call: one request of an agent under way: its life between the loop, the desk and the waiting room, and its
 * answer.  For agents.c and agents_hook*.c only.
 *
 * It is made on the loop thread, worked on at the desk, perhaps parked in the waiting room, and finished exactly once.
 * While it is parked it has two holds: the room's (dropped by whoever takes it out: its end, its time, its client's
 * leaving) and the desk's, which looks once more after parking.  Dropping the last one goes on with it (`resume`). */
#ifndef BOT_AGENTS_CALL_H
#define BOT_AGENTS_CALL_H

#include "base/arena.h"
#include "bot/agents.h"
#include "bot/deferred.h"
#include "bot/desk.h"
#include "bot/route.h"
#include "bot/waiting.h"
#include <stdatomic.h>

struct agents {
    struct store *store;
    struct desk *desk;
    struct waiting *waiting;
};

enum { CALL_ANSWERS_MAX = 4 }; /* HOOK_QUESTIONS_MAX */

struct call {
    struct desk_job job;
    struct waiter waiter;
    struct agents *agents;
    struct deferred *deferred;
    atomic_bool gone; /* the client has left, or its time is up */
    atomic_int holds;
    void (*resume)(struct call *); /* when the last hold is dropped: the call is the caller's alone */
    char *name;                    /* request_id */
    char *body;                    /* what was posted, or NULL */
    bool held;                     /* /poll with wait: parks when there is nothing yet */
    bool all;                      /* /requests?all=1 */
    int code;                      /* the answer, set before deferred_finish() */
    char *text;                    /* JSON; "" = an empty body; NULL = the fallback of its kind */
    int64_t ids[CALL_ANSWERS_MAX]; /* of the finished requests whose answers this carries */
    int id_count;
    struct hook_call *hook;
};

/* --- from the loop to the desk --- */

/* Loop thread.  Copies both; name may be NULL, and so may body.data. */
struct call *call_new(struct agents *, const char *name, struct slice body);
/* Loop thread.  Puts the request aside and hands the call to the desk, where run() owns it; wait_ms as in
 * request_defer(). A full desk is answered with 503. */
void call_start(struct call *, struct request *, void (*run)(struct desk_job *), const struct deferred_ops *,
                int64_t wait_ms);
void call_free(void *call); /* deferred_ops.release */

/* --- the waiting room --- */

/* Desk thread.  Into the room with both holds; the desk's is dropped with call_drop() when it has looked. */
void call_park(struct call *, const char *request_id,
               void (*ended)(struct waiter *, const struct agent_request *, const char *message_id));
/* Any thread.  Out of the room, if it is still inside: true, and the room's hold is the caller's to drop. */
bool call_unpark(struct call *);
void call_drop(struct call *); /* any thread; the call may be gone afterwards */
struct call *call_of(struct waiter *);
void call_gone(void *call); /* deferred_ops.gone */

/* --- the answer --- */

/* One of these before deferred_finish(), by whoever owns the call; the JSON object is consumed. */
void call_set_json(struct call *, int code, struct json_object *);
void call_set_error(struct call *, const struct error *); /* the status says the code; the text is for a person */
/* The same, and deferred_finish(): the call is not the caller's any more. */
void call_finish_json(struct call *, int code, struct json_object *);
void call_finish_error(struct call *, const struct error *);
/* Loop thread, from deferred_ops.answer: writes what was set. */
void call_answer(struct request *, struct call *);

/* The answer holds the end of this request (its row's id). */
void call_carries(struct call *, int64_t id);
/* Loop thread, after call_answer(): when the other end has all of it, the audit log says so. */
void call_confirm(struct request *, struct call *);

/* --- agents.c --- */

/* Loop thread.  The body as a JSON object (the request's arena owns it); otherwise answers 400 and returns NULL. */
struct json_object *agents_body(struct request *);
/* Desk threads.  Withdraws a request by its name, durably; *request is what it is afterwards, and lives in the arena.
 */
enum status MUST_CHECK agents_cancel(struct agents *, struct arena *, const char *name, const char *reason,
                                     struct agent_request *request, struct error *);

/* --- agents_hook.c --- */

void agents_on_hook_claude(struct request *, void *agents); /* both are route handlers */
void agents_on_hook_codex(struct request *, void *agents);
void hook_call_free(struct hook_call *); /* NULL is fine */

#endif
