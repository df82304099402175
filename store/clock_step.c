/* SPDX-License-Identifier: MIT
 * clock_step: see clock_step.h.  The steps of a clock that is set right are minutes or hours; rows of the queues are
 * due within seconds.  Must never touch what a person has set: a reminder's instant is an instant. */
#include "store/clock_step.h"

#include "base/clock.h"
#include "base/limits.h"

static enum status newest_ms(struct db *db, int64_t *at_ms, struct error *e)
{
    bool found;
    return db_get_int(db, at_ms, &found, e, "SELECT received_at FROM inbox ORDER BY id DESC LIMIT 1");
}

static enum status step_apply(struct db *db, int64_t now_ms, int64_t step_ms, struct error *e)
{
    static const char *const due[] = {
        "UPDATE inbox SET run_at = run_at + $2 WHERE state = 'available' AND run_at > $1",
        "UPDATE inbox SET run_at = run_at + $2 WHERE state = 'parked' AND run_at > $1",
        "UPDATE outbox SET run_at = run_at + $2 WHERE state = 'available' AND run_at > $1",
    };
    static const char *const leases[] = {
        "UPDATE inbox SET lease_until = lease_until + $1 WHERE state = 'running'",
        "UPDATE outbox SET lease_until = lease_until + $1 WHERE state = 'sending'",
    };
    enum status s = OK;
    for (size_t i = 0; step_ms < 0 && s == OK && i < sizeof due / sizeof due[0]; i++)
        s = db_run(db, e, due[i], p_int(now_ms), p_int(step_ms));
    /* Several instances share a server's clock, and each would move the leases once. */
    for (size_t i = 0; db_kind(db) == DB_SQLITE && s == OK && i < sizeof leases / sizeof leases[0]; i++)
        s = db_run(db, e, leases[i], p_int(step_ms));
    return s;
}

enum status clock_follow(struct db *db, const struct clock_look *last, struct clock_look *now, struct error *e)
{
    int64_t step_ms;
    now->mono_ms = clock_mono_ms();
    if (db_now_ms(db, &now->now_ms, e))
        return e->status;
    if (last->now_ms) {
        step_ms = now->now_ms - last->now_ms - (now->mono_ms - last->mono_ms);
    } else {
        int64_t at_ms;
        if (newest_ms(db, &at_ms, e))
            return e->status;
        step_ms = now->now_ms < at_ms ? now->now_ms - at_ms : 0; /* forward, it may just have been long ago */
    }
    return step_ms > CLOCK_STEP_MS || step_ms < -CLOCK_STEP_MS ? step_apply(db, now->now_ms, step_ms, e) : OK;
}
