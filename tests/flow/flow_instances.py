#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Several instances on one PostgreSQL under load; one is killed, one is stopped and goes on later, at random instants.
Every message becomes one task and one answer, in the order of its chat; what an instance writes after its lease ended
changes nothing.  STEWARD_TEST_SECONDS makes the load longer."""
import contextlib
import os
import random
import re
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cluster import Cluster  # noqa: E402
from harness import OWNER, SECRET, flow, main, wait_until  # noqa: E402
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "fakes"))
from models import call, calls  # noqa: E402

CHATS = 6
SECONDS = float(os.environ.get("STEWARD_TEST_SECONDS", "6"))
HELD_MS = 1500  # a row that was claimed so long ago is in the hands of somebody who is stopped: the model takes 0.15 s
LEASE_MS = 240000


class Load:
    """One queue per chat, each message posted to some instance until a 200; what hangs is posted elsewhere too."""

    def __init__(self, w, instances, seed):
        self.w, self.instances, self.stopping = w, instances, False
        self.random = random.Random(seed)
        self.posted = {c: [] for c in range(CHATS)}
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.run, args=(c,), daemon=True) for c in range(CHATS)]
        for t in self.threads:
            t.start()

    def post(self, update):
        import json
        while True:
            with self.lock:
                p = self.random.choice(self.instances)
            with contextlib.suppress(OSError, EOFError, ValueError, Exception):  # refused, reset, silent, half an answer
                status = p.request("POST", "/telegram-webhook", json.dumps(update),
                                   {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": SECRET}, timeout=1)[0]
                if status == 200:
                    return
            time.sleep(0.02)

    def run(self, chat):
        while not self.stopping:
            words = f"buy item {chat}x{len(self.posted[chat]) + 1}"
            with self.lock:
                update = self.w.update(words, user=OWNER + chat)
            self.post(update)
            self.posted[chat].append(words)
            time.sleep(0.05)

    def stop(self):
        self.stopping = True
        for t in self.threads:
            t.join(60)
            assert not t.is_alive(), "an update was never accepted"


def rule(request):
    found = re.search(r"buy item \d+x\d+", str(request["body"]["messages"][-1]))
    return calls(call("add_task", content=found.group(0))) if found else None


def start(w, count):
    w.with_telegram()
    w.with_models()
    w.models.latency = 0.15
    w.models.script(rule)
    users = ",".join(str(OWNER + c) for c in range(CHATS))
    for c in range(CHATS):
        w.telegram.add_chat(OWNER + c)
    return [w.start(TELEGRAM_USER_ID=users) for _ in range(count)]


def end_leases_of_the_stopped(w):
    """As if the minutes of a lease were over for whoever has held a row so long."""
    soon = int(time.time() * 1000) + LEASE_MS - HELD_MS
    return sum(w.db.change(f"UPDATE {table} SET lease_until = 1 WHERE state = '{state}' AND lease_until < {soon}")
               for table, state in (("inbox", "running"), ("outbox", "sending")))


def trouble(w, instances, rnd, counts):
    p = rnd.choice(instances)
    if rnd.random() < 0.5:
        p.kill()
        counts["killed"] += 1
        time.sleep(rnd.random() * 0.3)
        p.start()
        return
    p.process.send_signal(signal.SIGSTOP)
    counts["stopped"] += 1
    try:
        time.sleep(rnd.random() * 2.5)
        counts["leases ended"] += end_leases_of_the_stopped(w)
        time.sleep(rnd.random())
    finally:
        p.process.send_signal(signal.SIGCONT)


def grade(w, load):
    w.wait_idle()
    w.db.change("UPDATE inbox SET run_at = 0 WHERE state = 'parked'")  # three deaths set it aside: hurry its last try
    wait_until(lambda: not w.db.rows("SELECT 1 FROM inbox WHERE state = 'parked' AND crashes = 3"), "the last tries")
    w.wait_idle()
    assert w.db.one("SELECT COUNT(*) FROM inbox WHERE state = 'parked'") == 0
    for chat, expected in load.posted.items():
        rows = w.db.rows("SELECT t.content, i.crashes FROM journal j JOIN inbox i ON i.id = j.inbox_id"
                         " JOIN tasks t ON t.id = j.row_id JOIN users u ON u.id = t.user_id WHERE u.telegram_id = ? ORDER BY t.id",
                         OWNER + chat)
        got = [c for c, _ in rows]
        assert sorted(got) == sorted(expected), (chat, [x for x in got if got.count(x) > 1], sorted(set(expected) - set(got)))
        late = {c for c, crashes in rows if crashes >= 3}
        assert [c for c in got if c not in late] == [c for c in expected if c not in late], (chat, got)
        shown = [m.text for m in w.sent(OWNER + chat)]
        for content in expected:
            mine = [t for t in shown if f"\n{content}\n" in t]
            assert mine and len([t for t in mine if "Sent again" not in t]) <= 1, (content, mine)
    total = sum(len(v) for v in load.posted.values())
    answers = w.db.one("SELECT COUNT(*) FROM outbox WHERE kind = 'message' AND dedupe_key LIKE 'turn:%'")  # besides, what is set aside is told
    assert w.db.one("SELECT COUNT(*) FROM tasks") == answers == total, (answers, total)
    return total


def under_load(w, count):
    seed = int(os.environ.get("STEWARD_TEST_SEED", str(int(time.time()))))
    print(f"seed {seed}")
    rnd = random.Random(seed)
    instances = start(w, count)
    load = Load(w, instances, seed)
    counts = {"killed": 0, "stopped": 0, "leases ended": 0}
    end = time.monotonic() + SECONDS
    while time.monotonic() < end or not counts["killed"] or not counts["stopped"]:
        time.sleep(rnd.random() * 0.4)
        trouble(w, instances, rnd, counts)
    load.stop()
    total = grade(w, load)
    for p in instances:
        p.stop()
    print(f"{total} messages, {counts}, {sum(p.log_text().count('lost the lease') for p in instances)} late turns refused")
    assert total > 20, "too little load to prove anything"
    assert not w.models.refused(), w.models.refused()[:2]


@flow(databases=("postgres",))
def two_under_load(w):
    with Cluster(w, PGTMP_CONNECTIONS=60) as pg:
        pg.use(w)
        under_load(w, 2)


@flow(databases=("postgres",))
def three_under_load(w):
    with Cluster(w, PGTMP_CONNECTIONS=80) as pg:
        pg.use(w)
        under_load(w, 3)


@flow(databases=("postgres",))
def a_late_turn_changes_nothing(w):
    """Stopped in a turn until its lease is over; the other instance has done it meanwhile."""
    a, = start(w, 1)
    w.models.script([{**calls(call("add_task", content="Buy bread")), "delay": 1}])
    message = w.telegram.user_says(OWNER, None, "bread")
    wait_until(lambda: w.models.requests, "the turn at the model")
    a.process.send_signal(signal.SIGSTOP)
    try:
        b = w.start(TELEGRAM_USER_ID=str(OWNER))
        w.models.script([calls(call("add_task", content="Buy bread"))])
        assert w.db.change("UPDATE inbox SET lease_until = 1 WHERE state = 'running'") == 1
        w.telegram.wait_for_reply(message, timeout=20)
        w.wait_idle()
    finally:
        a.process.send_signal(signal.SIGCONT)
    wait_until(lambda: "lost the lease" in a.log_text(), "the late turn's end")
    assert b.turns()[-1]["outcome"] == "ok", b.turns()
    w.wait_idle()
    assert w.db.rows("SELECT content FROM tasks") == [("Buy bread",)]
    assert w.db.rows("SELECT state, crashes FROM inbox") == [("done", 1)]
    assert len(w.sent()) == 1, [m.text for m in w.sent()]


@flow(databases=("postgres",))
def a_late_send_changes_nothing(w):
    """Stopped while Telegram was slow to answer: nobody can know, so the other instance sends once more and says so."""
    a, = start(w, 1)
    w.telegram.fail("sendMessage", delay=2)
    message = w.telegram.user_says(OWNER, None, "/help")
    wait_until(lambda: w.db.rows("SELECT 1 FROM outbox WHERE state = 'sending'"), "the send")
    time.sleep(0.5)
    a.process.send_signal(signal.SIGSTOP)
    try:
        w.start(TELEGRAM_USER_ID=str(OWNER))
        assert w.db.change("UPDATE outbox SET lease_until = 1 WHERE state = 'sending'") == 1
        w.telegram.wait_for_reply(message, timeout=20, contains="Sent again")
        w.wait_idle()
        settled = w.db.rows("SELECT state, message_id, token, unknowns FROM outbox WHERE kind = 'message'")
        assert [r[0] for r in settled] == ["sent"] and settled[0][3] == 1, settled
        wait_until(lambda: len(w.sent()) == 2, "the first send's arrival")
    finally:
        a.process.send_signal(signal.SIGCONT)
    wait_until(lambda: '"send_lost"' in a.log_text(), "the late settlement")
    assert w.db.rows("SELECT state, message_id, token, unknowns FROM outbox WHERE kind = 'message'") == settled
    assert len([m for m in w.sent() if "Sent again" not in m.text]) == 1


if __name__ == "__main__":
    sys.exit(main())
