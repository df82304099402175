#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Clocks that step, forward and backward, under the running program (libfaketime): leases, retries, reminders, pacing.
Only the wall clock steps, as when a wrong one is set right; on PostgreSQL the server's, which decides there, stays."""
import glob
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import OWNER, flow, main, wait_until  # noqa: E402
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "fakes"))
from models import call, calls  # noqa: E402

HOUR = 3600


class Clock:
    """What libfaketime tells the program."""

    def __init__(self, w):
        self.path = os.path.join(w.scratch, "clock")
        self.offset = 0
        self.step(0)
        libraries = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
        with open(w.binary, "rb") as f:
            sanitized = b"__asan_init" in (content := f.read()) or b"__tsan_init" in content
        # A sanitizer's runtime must be the first library; without the package the cases say so and prove nothing.
        self.env = None if sanitized or not libraries else {
            "LD_PRELOAD": libraries[0], "FAKETIME_TIMESTAMP_FILE": self.path, "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def step(self, seconds):
        self.offset += seconds
        with open(self.path + ".new", "w") as f:
            f.write(f"{self.offset:+d}\n")
        os.rename(self.path + ".new", self.path)

    def now(self):
        return time.time() + self.offset


def start(w, models=False, **env):
    """The clock, or None where it cannot be faked."""
    clock = Clock(w)
    if not clock.env:
        print("skipped: libfaketime is not installed, or the build has a sanitizer")
        return None
    w.start_assistant(models=models, **clock.env, **env)
    return clock


def by_the_database(w, clock):
    """Now, by the clock that decides about rows."""
    return clock.now() if w.db.kind == "sqlite" else time.time()


def card_of(w, clock, words):
    return w.telegram.wait_for_reply(w.telegram.user_says(OWNER, None, words, date=by_the_database(w, clock)), timeout=30)


@flow
def back_an_hour(w):
    """A retry is due after its second, and what is said now is dated by the clock that was set right."""
    clock = start(w, TELEGRAM_PACING=None)
    if not clock:
        return
    card_of(w, clock, "buy bread tomorrow")
    w.wait_idle()
    # Waiting to be sent when the clock steps: its time must not come an hour late.
    w.telegram.fail("sendMessage", status=429, parameters={"retry_after": 3})
    message = w.telegram.user_says(OWNER, None, "buy milk tomorrow")
    w.telegram.wait_for(lambda: w.telegram.calls_of("sendMessage", 429), what="the refusal")
    wait_until(lambda: w.db.rows("SELECT 1 FROM outbox WHERE state = 'available'"), "the retry")
    clock.step(-HOUR)
    w.telegram.wait_for_reply(message, timeout=30)
    w.telegram.fail("sendMessage", status=429, parameters={"retry_after": 1})
    card_of(w, clock, "remind me to stretch in 10 minutes")
    w.wait_idle()
    due = w.db.one("SELECT remind_at FROM tasks WHERE content LIKE '%stretch%'") / 1000 - by_the_database(w, clock)
    assert 500 < due < 700, due
    w.db.change(f"UPDATE tasks SET remind_at = {int(by_the_database(w, clock) * 1000)} + 1500 WHERE content LIKE '%stretch%'")
    wait_until(lambda: [m for m in w.sent() if "⏰ Reminder" in m.text], "the reminder")
    assert not w.telegram.violations, w.telegram.violations


@flow
def back_an_hour_while_it_was_stopped(w):
    clock = start(w)
    if not clock:
        return
    card_of(w, clock, "buy bread tomorrow")
    w.telegram.fail("sendMessage", status=429, parameters={"retry_after": 5})
    message = w.telegram.user_says(OWNER, None, "buy milk tomorrow")
    wait_until(lambda: w.telegram.calls_of("sendMessage", 429) and w.db.rows("SELECT 1 FROM outbox WHERE state = 'available'"), "the retry")
    w.program.stop()
    clock.step(-HOUR)
    w.program.start()
    w.telegram.wait_for_reply(message, timeout=30)
    w.wait_idle()


@flow
def forward_an_hour_ends_no_lease(w):
    """A turn at its model and a message on its way stay in the hands that hold them."""
    clock = start(w, models=True)
    if not clock:
        return
    w.models.script([{**calls(call("add_task", content="Buy bread")), "delay": 2}])
    w.telegram.fail("sendMessage", delay=3)
    message = w.telegram.user_says(OWNER, None, "bread")
    wait_until(lambda: w.models.requests, "the turn at the model")
    clock.step(HOUR)
    wait_until(lambda: w.db.rows("SELECT 1 FROM outbox WHERE state = 'sending'"), "the send")
    clock.step(HOUR)
    w.telegram.wait_for_reply(message, timeout=30)
    w.wait_idle()
    assert w.db.rows("SELECT content FROM tasks") == [("Buy bread",)]
    assert w.db.rows("SELECT state, crashes FROM inbox") == [("done", 0)]
    assert w.db.rows("SELECT state, unknowns FROM outbox WHERE kind = 'message'") == [("sent", 0)]
    assert [m.text.count("Sent again") for m in w.sent()] == [0]


@flow
def a_reminder_fires_once_however_the_clock_steps(w):
    clock = start(w)
    if not clock:
        return
    card_of(w, clock, "remind me to water the plants in 90 minutes")
    w.wait_idle()
    if w.db.kind == "postgres":  # there the server's clock decides
        w.db.change("UPDATE tasks SET remind_at = remind_at - 5400000")
    clock.step(2 * HOUR)

    def reminders():
        return [m for m in w.sent() if "⏰ Reminder" in m.text]
    wait_until(reminders, "the reminder")
    clock.step(-3 * HOUR)
    card_of(w, clock, "buy bread tomorrow")
    clock.step(3 * HOUR)
    card_of(w, clock, "buy milk tomorrow")
    w.wait_idle()
    assert len(reminders()) == 1, [m.text for m in w.sent()]


if __name__ == "__main__":
    sys.exit(main())
