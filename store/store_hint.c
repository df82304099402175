/* SPDX-License-Identifier: MIT
 * store_hint: wake-ups.  A hint reaches the listeners of this process at once, in the thread that gives it;
 * where several processes share the database, one thread per process carries it to the others by
 * LISTEN/NOTIFY.  That thread's connection also holds the lock that says "this owner lives".
 * Must never be relied on: a hint may be lost while the connection is away, polling is the truth. */
#include "store/store_internal.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/thread.h"
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const char *const channel_name[HINT_COUNT + 1] = {
    [HINT_INBOX] = "steward_inbox",       [HINT_TAPS] = "steward_taps", [HINT_OUTBOX] = "steward_outbox",
    [HINT_REQUESTS] = "steward_requests", [HINT_ROWS] = "steward_rows",
};

struct hints {
    struct store *store;
    pthread_rwlock_t lock; /* of the listeners: called under it, so that none is called after its owner left */
    struct listener {
        void (*fn)(enum hint, void *arg);
        void *arg;
    } listener[HINT_LISTENERS_MAX];
    int listeners;

    /* --- the thread's; absent without a driver for it --- */
    bool threaded;
    pthread_t thread;
    int wake_fd;
    atomic_bool stopping;
    atomic_bool wanted[HINT_COUNT]; /* a NOTIFY to be sent */
    int64_t sent_at_ms[HINT_COUNT];
    struct db *db;
};

static void hints_call(struct hints *h, enum hint topic)
{
    pthread_rwlock_rdlock(&h->lock);
    for (int i = 0; i < h->listeners; i++)
        h->listener[i].fn(topic, h->listener[i].arg);
    pthread_rwlock_unlock(&h->lock);
}

static void hints_wake(struct hints *h)
{
    uint64_t one = 1;
    while (write(h->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

/* --- the thread --- */

/* Connect and announce ourselves.  Afterwards every listener looks at its table: hints were lost meanwhile. */
static bool hints_connect(struct hints *h)
{
    struct error e;
    if (store_connect(h->store, true, &h->db, &e) == OK &&
        h->store->driver->hear(h->db, h->store->owner_id, channel_name, &e) == OK) {
        for (int topic = 0; topic < HINT_COUNT; topic++)
            hints_call(h, topic);
        return true;
    }
    db_close(h->db);
    h->db = NULL;
    return false;
}

/* Send what is wanted and due; the time until the next is due, -1 = nothing waits. */
static int hints_send(struct hints *h)
{
    int64_t wait_ms = -1;
    for (int topic = 0; topic < HINT_COUNT; topic++) {
        if (!atomic_load(&h->wanted[topic]))
            continue;
        int64_t left = h->sent_at_ms[topic] + HINT_INTERVAL_MS - clock_mono_ms();
        if (left > 0) {
            wait_ms = wait_ms < 0 || left < wait_ms ? left : wait_ms;
            continue;
        }
        atomic_store(&h->wanted[topic], false);
        h->sent_at_ms[topic] = clock_mono_ms();
        struct error e;
        if (db_run(h->db, &e, "SELECT pg_notify($1, '')", p_text(channel_name[topic])) != OK)
            h->db->broken = true;
    }
    return (int)wait_ms;
}

static void hints_hear(struct hints *h)
{
    char channel[64];
    while (h->store->driver->heard(h->db, channel, sizeof channel))
        for (int topic = 0; topic < HINT_COUNT; topic++)
            if (strcmp(channel, channel_name[topic]) == 0)
                hints_call(h, topic);
}

static void hints_poll(struct hints *h, int wait_ms)
{
    struct pollfd p[2] = { { .fd = h->wake_fd, .events = POLLIN } };
    int count = 1;
    if (h->db)
        p[count++] = (struct pollfd){ .fd = h->store->driver->hear_fd(h->db), .events = POLLIN };
    if (poll(p, (nfds_t)count, wait_ms) > 0 && p[0].revents) {
        uint64_t drop;
        (void)!read(h->wake_fd, &drop, sizeof drop);
    }
}

static void *hints_main(void *arg)
{
    struct hints *h = arg;
    int64_t pause_ms = STORE_AWAY_PAUSE_MS;
    while (!atomic_load(&h->stopping)) {
        if (!h->db && !hints_connect(h)) {
            hints_poll(h, (int)pause_ms);
            pause_ms = pause_ms * 2 < STORE_AWAY_PAUSE_MS_MAX ? pause_ms * 2 : STORE_AWAY_PAUSE_MS_MAX;
            continue;
        }
        pause_ms = STORE_AWAY_PAUSE_MS;
        int wait_ms = hints_send(h);
        hints_hear(h); /* an answer to hints_send() may have brought some along */
        if (!h->db->broken)
            hints_poll(h, wait_ms);
        if (h->db->broken) {
            db_close(h->db);
            h->db = NULL;
            atomic_fetch_add(&h->store->reconnects, 1);
        }
    }
    db_close(h->db);
    return NULL;
}

/* --- for the store --- */

struct hints *hints_start(struct store *store)
{
    struct hints *h = xcalloc(1, sizeof *h);
    h->store = store;
    h->wake_fd = -1;
    pthread_rwlock_init(&h->lock, NULL);
    if (!store->driver->hear)
        return h;
    h->threaded = true;
    h->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    (void)hints_connect(
        h); /* here, so that nothing is claimed before the lock says that we live; the thread tries again */
    if (h->wake_fd < 0 ||
        thread_start(&h->thread, &(struct thread_start){ .name = "listener", .run = hints_main, .arg = h }, NULL))
        abort(); /* no descriptor or thread at start: nothing would work */
    return h;
}

void hints_stop(struct hints *h)
{
    if (!h)
        return;
    if (h->threaded) {
        atomic_store(&h->stopping, true);
        hints_wake(h);
        pthread_join(h->thread, NULL);
        close(h->wake_fd);
    }
    pthread_rwlock_destroy(&h->lock);
    free(h);
}

void store_hint(struct store *s, enum hint topic)
{
    struct hints *h = s->hints;
    hints_call(h, topic);
    if (h->threaded && !atomic_exchange(&h->wanted[topic], true))
        hints_wake(h);
}

void store_on_hint(struct store *s, void (*fn)(enum hint, void *arg), void *arg)
{
    struct hints *h = s->hints;
    pthread_rwlock_wrlock(&h->lock);
    if (h->listeners == HINT_LISTENERS_MAX)
        abort(); /* a defect of the program's own start */
    h->listener[h->listeners++] = (struct listener){ .fn = fn, .arg = arg };
    pthread_rwlock_unlock(&h->lock);
}
