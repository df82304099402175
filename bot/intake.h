/* SPDX-License-Identifier: MIT
 * intake: the committer between the web server and the inbox.  Updates of all connections wait in one bounded queue;
 * up to INTAKE_BATCH_MAX of them go into one transaction (group commit), and each is reported when it is on disk. While
 * it is pressed, large batches are staged instead of becoming rows (store/inbox_stage.c). */
#ifndef BOT_INTAKE_H
#define BOT_INTAKE_H

#include "base/status.h"
#include "store/inbox.h"

struct intake;
enum intake_outcome { INTAKE_STORED /* now or before */, INTAKE_FAILED /* not on disk: answer 503 */ };

struct intake_item {
    struct inbox_update update; /* the strings belong to the item's owner and live until done() was called */
    /* Called once, on the committer thread, after the commit (or its failure).  Must not block. */
    void (*done)(struct intake_item *, enum intake_outcome);
    struct intake_item *next; /* intake's own */
};

enum status MUST_CHECK intake_start(struct store *, struct intake **, struct error *);
/* Any thread; never blocks.  false: the queue is full or stopping, done() will not be called → 503.  The committer is
 * woken by the next intake_flush(), or when enough have come together to share a commit. */
bool intake_submit(struct intake *, struct intake_item *);
void intake_flush(void *intake); /* any thread, after one intake_submit() or many; the loop's, once a round */
/* Called (any thread) after each commit that stored something: wakes the workers. */
void intake_on_stored(struct intake *, void (*fn)(void *arg, bool tap), void *arg);
/* Posts arrive faster than single commits would take them, and than the workers take them up: whatever can wait should,
 * for taking in what was sent comes first.  Any thread. */
bool intake_pressed(struct intake *);
/* A worker has looked for a message; staged: when it found none, some may be staged all the same. */
void intake_claimed(struct intake *, bool found, bool staged);
int intake_depth(struct intake *);
/* Did the last batch reach the disk?  false for INTAKE_FAILED_MS after one that did not, with the reason: a disk may be
 * too full for an update and still take the few bytes of a health check. */
enum { INTAKE_FAILED_MS = 60000 };
bool intake_healthy(struct intake *, struct error *why);
void intake_stop(struct intake *); /* commits what is queued, joins.  NULL is fine, here and below */
void intake_free(struct intake *); /* once nobody asks for its pressure any more */

#endif
