#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Fail at call N of a start, N = 1, 2, 3, …: an empty database is migrated, one with work in it is gone on with, the webhook
and the commands are registered.  The program comes up by itself, or ends with a sentence and comes up at the next start, with
nothing doubled.  And fail at call N of the scheduler's upkeep: pruning, and the rescue of what a dead process held.  The frame is
flow_faults.py."""
import contextlib
import json
import os
import re
import shutil
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import flow_faults  # noqa: E402
from flow_clock import Clock  # noqa: E402
from flow_faults import AGAIN_MAX, MARK, ROWS, WAYS, Message, Plan, Run, another, fail_at_each_call, numbers  # noqa: E402
from harness import OWNER, PATIENCE, Database, flow, main, wait_until  # noqa: E402

flow_faults.KINDS["kill"] = 6
STARTS = (*WAYS, ("database", "kill"), ("network", "kill"))

SENTENCE = re.compile(r"^steward: cannot start: [^\n]{20,}$", re.M)
DEAD = 7  # an owner that is nobody


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def put_update(w, key, words, state="available", crashes=0):
    """An update as a process left it in the inbox; 'running' is the state in which it died."""
    body = quoted(json.dumps(w.update(words)))
    w.db.change("INSERT INTO inbox (channel, update_key, lane, body, state, run_at, crashes, token, owner_id, lease_until, "
                f"received_at) VALUES ('telegram', '{key}', 'chat:telegram:{OWNER}', {body}, '{state}', 0, {crashes}, 1, {DEAD}, {10 ** 14}, 1)")


def put_outbox(w, words, state):
    payload = quoted(json.dumps({"html": words}))
    w.db.change("INSERT INTO outbox (channel, chat_id, kind, payload, state, run_at, token, owner_id, lease_until, created_at) VALUES "
                f"('telegram', {OWNER}, 'message', {payload}, '{state}', 0, 1, {DEAD}, {10 ** 14}, 1)")


# --- starts ---

class Copies:
    """A database to start on, the same for every start: empty, or as it was when keep() was called."""

    def __init__(self, w):
        self.w, self.original = w, None

    def keep(self):
        self.original = self.w.db
        if self.w.db.kind == "sqlite":
            self.original = os.path.join(self.w.scratch, "original.db")
            shutil.move(self.w.db.path, self.original)

    def take(self):
        w = self.w
        if w.db is not self.original:
            w.db.drop()
        if w.db.kind == "sqlite":
            for end in ("", "-wal", "-shm"):
                if os.path.exists(w.db.path + end):
                    os.unlink(w.db.path + end)
            if self.original:
                shutil.copy(self.original, w.db.path)
            return
        w.db = Database("postgres", w.scratch)
        if self.original:
            w.db.drop()
            w.db._admin(f"CREATE DATABASE {w.db.name} TEMPLATE {self.original.name}")

    def close(self):
        if self.original and self.w.db.kind == "postgres":
            self.original.drop()


class Start(Message):
    """On an empty database."""
    sample = 4
    tables = {**ROWS, "schema_migrations": "SELECT version, name FROM schema_migrations WHERE version > ?"}

    def fill(self):
        """Once: what is left in the database that a program has just been stopped on."""

    def prepare(self):
        """Before every start."""

    def done(self, run):
        """Everything that was left is done, and Telegram has been told everything."""
        return self.w.telegram.webhook["url"] and self.w.telegram.commands


class Restart(Start):
    """On a database with work in it: updates that wait, one that was being worked on, a message to be sent, a due reminder."""
    sample = 3

    def fill(self):
        w = self.w
        put_update(w, "left-1", "buy milk tomorrow", "running")
        put_update(w, "left-2", "buy soap tomorrow")
        put_outbox(w, "left behind", "available")

    def prepare(self):
        self.w.db.change(f"UPDATE tasks SET remind_at = {int(time.time() * 1000)} WHERE content LIKE '%plants%'")

    def done(self, run):
        return super().done(run) and self.w.db.one("SELECT COUNT(*) FROM tasks") >= 3 and any("⏰" in m.text for m in self.new(run))


    def judge(self, messages, expected, may_mark):
        """A reminder may come between; the chat's own order stays."""
        milk, soap = (next(i for i, m in enumerate(messages) if words in m[0]) for words in ("buy milk", "buy soap"))
        return milk < soap and sorted(messages) == sorted(expected)


class Beginning(Run):
    """All rows of a database count."""

    def __init__(self, w, steps):
        self.w, self.steps = w, steps
        self.since = {t: 0 for t in steps.tables}
        self.seen = len(w.sent())


def say_why(program, code):
    """How a start ended that was cut short."""
    if code != -9:
        said = SENTENCE.findall(program.log_text())
        assert code == 1 and len(said) == 1, f"the start ended with {code}, saying {program.log_text()[-2000:]!r}"


def come_up(w, plan, run, where):
    """Start, and once more if that was cut short; (calls, calls that failed) until all is settled."""
    program = w.program

    def up():
        with contextlib.suppress(AssertionError):  # it ended between the two looks
            return program.process.poll() is not None or (program.is_healthy() and run.settled())
    program.start(healthy=False)
    wait_until(up, f"the end of the start ({where})", 40)
    if program.process.poll() is not None:
        say_why(program, program.process.returncode)
        program.start()
        wait_until(up, f"the end of the next start ({where})", 40)
    count, fired, what = plan.disarm()
    if not program.alive():  # killed after all was settled
        program.start()
    return count, fired, f"{where} of {count} ({what})"


def one_start(w, plan, steps, copies, border, kind, number):
    """(calls, failed calls, what failed, rows, messages)"""
    copies.take()
    steps.prepare()
    w.telegram.webhook["url"], w.telegram.commands = "", []
    os.truncate(w.program.log_path, 0)
    w.program.env["DATABASE_URL"] = w.db.url
    run = Beginning(w, steps)
    plan.arm(border, kind, number)
    count, fired, where = come_up(w, plan, run, f"{border} {kind} at call {number}")
    w.says("buy bread tomorrow")
    wait_until(run.settled, f"an idle program ({where})")
    w.program.stop()
    return count, fired, where, run.rows(), steps.messages(run, fired and (border == "network" or kind == "kill"))


def compare(steps, one, expected, may_mark):
    _, _, where, rows, messages = one
    for table in rows:
        assert rows[table] == expected[0][table], f"{where}: {table}\n  expected {expected[0][table]}\n  got      {rows[table]}"
    assert steps.judge(messages, expected[1], may_mark), f"{where}: messages\n  expected {expected[1]}\n  got      {messages}"


def fail_at_each_call_of_the_start(w, kind_of_start):
    w.binary += "-faults"
    assert os.path.exists(w.binary), f"{w.binary} is missing: make build/steward-faults"
    w.with_telegram(delivery_scale=10)
    plan, steps, copies = Plan(w.scratch), kind_of_start(w), Copies(w)
    w.start(STEWARD_FAULT_FILE=plan.path)
    w.says("remind me to water the plants in 90 minutes")
    w.wait_idle()
    w.program.stop()
    if kind_of_start is not Start:
        steps.fill()
        copies.keep()
    counts, expected, tried, failures = {}, None, 0, []
    try:
        for border in steps.borders:
            counts[border], fired, where, rows, messages = one_start(w, plan, steps, copies, border, "error", 10 ** 9)
            assert not fired and expected in (None, (rows, messages)), (where, expected, rows, messages)
            expected = (rows, messages)
        print(f"calls: {counts}")
        work = numbers(counts, steps.sample, STARTS)
        for border, kind, number in work:
            try:
                one = one_start(w, plan, steps, copies, border, kind, number)
                tried += one[1]
                if len(work) < AGAIN_MAX and another(number, *one[:2]):
                    work.append((border, kind, another(number, *one[:2])))
                compare(steps, one, expected, border == "network" or kind == "kill")
            except AssertionError as e:
                if not os.environ.get("STEWARD_TEST_FAULTS"):
                    raise
                failures.append(str(e))
                print(f"FAILED {e}", flush=True)
                if w.program.alive():
                    w.program.kill()
    finally:
        copies.close()
    print(f"{tried} calls failed")
    assert tried, "no call failed: nothing was tried"
    assert not failures, f"{len(failures)} of {tried} left something else behind"


@flow
def a_start_on_an_empty_database(w):
    fail_at_each_call_of_the_start(w, Start)


@flow
def a_start_on_work_that_was_left(w):
    fail_at_each_call_of_the_start(w, Restart)


# --- upkeep ---

class Rescue(Message):
    """What a dead process held: an update is worked on, one that was cut off for the third time is set aside and gets its last
    try, a message that may have been sent goes out again and says so."""
    borders = ("database",)
    sample = 2

    def __init__(self, w):
        super().__init__(w)
        self.round = 0

    def trigger(self, run):
        self.round += 1
        put_outbox(self.w, "under way", "sending")
        put_update(self.w, f"first-{self.round}", "buy milk tomorrow", "running")
        put_update(self.w, f"third-{self.round}", "buy soap tomorrow", "running", crashes=2)
        parked = wait_until(lambda: self.w.db.one("SELECT id FROM inbox WHERE id > ? AND state = 'parked'", run.since["inbox"]),
                            "the third death")
        # Else its last try would be 20 seconds away.
        self.w.db.change(f"UPDATE inbox SET run_at = 0 WHERE id = {parked} AND state = 'parked'")

    def done(self, run):
        return self.w.db.one("SELECT COUNT(*) FROM tasks WHERE id > ?", run.since["tasks"]) == 2

    def messages(self, run, may_mark):
        return super().messages(run, True)

    def judge(self, messages, expected, may_mark):
        twice = [m for m in self.w.sent() if "under way" in m.text]
        assert all(MARK in m.text for m in twice), "a message that may be there twice does not say so"
        return sorted(messages) == sorted(expected)


OLD = {  # what is pruned: a row of each, long ago
    "inbox": "(channel, update_key, lane, body, state, run_at, received_at, finished_at) VALUES "
             "('telegram', 'old-{n}', 'x', '{{}}', 'done', 0, 1, 1)",
    "outbox": "(channel, chat_id, kind, payload, state, run_at, created_at, finished_at) VALUES "
              "('telegram', 1, 'message', '{{}}', 'sent', 0, 1, 1)",
    "history": "(id, channel, chat_id, user_id, role, content, created_at) VALUES (-{n}, 'telegram', 1, 1, 'user', 'old', 1)",
    "usage": "(at, provider, model, input_tokens, cached_tokens, output_tokens, elapsed_ms, outcome) VALUES "
             "(1, 'old', 'old', 1, 0, 1, 1, 'ok')",
    "requests": "(request_id, content_hash, origin, project, type, message, state, created_at, finished_at) VALUES "
                "('old-{n}', 'x', 'send', 'old', 'milestone', 'old', 'told', 1, 1)",
}


class Prune(Message):
    """Ten minutes pass by the clocks of the program: what is old goes, what is young stays; what failed is done ten minutes
    later."""
    borders = ("database",)
    sample = 3
    tables = {**ROWS, "requests": "SELECT request_id, project FROM requests WHERE id > ?",
              "usage": "SELECT provider FROM usage WHERE id > ?"}
    round = 0

    @classmethod
    def environment(cls, w):
        cls.clock = Clock(w)
        return {k: v for k, v in cls.clock.env.items() if k != "FAKETIME_DONT_FAKE_MONOTONIC"}

    def prepare(self):
        self.round += 1
        self.w.says("buy bread tomorrow")
        self.w.wait_idle()
        for table, values in OLD.items():
            self.w.db.change(f"INSERT INTO {table} {values.format(n=self.round)}")

    def old(self):
        return (sum(self.w.db.one(f"SELECT COUNT(*) FROM {t} WHERE created_at = 1") for t in ("outbox", "history", "requests"))
                + self.w.db.one("SELECT COUNT(*) FROM inbox WHERE received_at = 1") + self.w.db.one("SELECT COUNT(*) FROM usage WHERE at = 1"))

    def trigger(self, run):
        end = time.monotonic() + PATIENCE
        while self.old() and time.monotonic() < end:
            self.clock.step(601)
            deadline = time.monotonic() + 3
            while self.old() and time.monotonic() < deadline:
                time.sleep(0.02)

    def done(self, run):
        return self.old() == 0


@flow
def a_rescue(w):
    fail_at_each_call(w, Rescue)


@flow
def a_pruning(w):
    if not Clock(w).env:
        print("skipped: libfaketime is not installed, or the build has a sanitizer")
        return
    fail_at_each_call(w, Prune)


if __name__ == "__main__":
    sys.exit(main())
