/* SPDX-License-Identifier: MIT
 * submit: from the loop to the committer and back.  The client may leave in between: the update is committed all the
 * same, and a repeated post finds it there. */
#include "bot/submit.h"

#include "bot/deferred.h"

struct submission {
    struct intake_item item; /* first: the committer hands it back */
    struct deferred *deferred;
    struct arena *arena; /* has this submission too */
    int code;
    enum intake_outcome outcome; /* written by the committer, read by the loop after the post */
};

/* Committer thread. */
static void on_committed(struct intake_item *item, enum intake_outcome outcome)
{
    struct submission *sub = (struct submission *)item;
    sub->outcome = outcome;
    deferred_finish(sub->deferred);
}

static void answer(struct request *r, enum deferred_why why, void *arg)
{
    const struct submission *sub = arg;
    if (why == DEFERRED_DONE && sub->outcome != INTAKE_FAILED) {
        request_empty(r, sub->code);
        return;
    }
    struct error e;
    if (why == DEFERRED_DONE)
        (void)fail(&e, ST_UNAVAILABLE, "The database is away or has too much to do; please send it again");
    else
        (void)fail(&e, ST_SHUTDOWN, "The server is stopping; please send it again");
    request_fail(r, &e);
}

static void release(void *arg)
{
    struct submission *sub = arg;
    arena_free(sub->arena);
}

void request_submit(struct request *r, struct intake *intake, struct arena *a, const struct inbox_update *update,
                    int code)
{
    static const struct deferred_ops ops = { answer, NULL, release };
    struct submission *sub = arena_alloc(a, sizeof *sub);
    sub->item.update = *update;
    sub->item.done = on_committed;
    sub->arena = a;
    sub->code = code;
    sub->deferred = request_defer(r, &ops, sub, DEFERRED_NO_TIMEOUT);
    if (!intake_submit(intake, &sub->item))
        on_committed(&sub->item, INTAKE_FAILED);
}
