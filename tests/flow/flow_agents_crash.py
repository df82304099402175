#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""kill -9 before every database statement and every send of a request's life, while updates come twice, late and out of
order: no answer is lost, none changes, no two pollers hear different ones, and a card that may stand there twice says so.

`make test` tries a sample that moves with the seed; STEWARD_TEST_FAULTS=all tries every call.  It drives
build/steward-faults (base/fault.h)."""
import contextlib
import json
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import flow_faults  # noqa: E402
from flow_faults import MARK, Plan  # noqa: E402
from harness import OWNER, flow, main, wait_until  # noqa: E402

flow_faults.KINDS.update(kill=6, kill_after=7)
SECRET = "agent-secret-0123456789"
SAMPLE = int(os.environ.get("STEWARD_TEST_FAULT_RUNS", "14"))


class Life:
    """The program under a keeper that starts it again whenever it is dead."""

    def __init__(self, w, **env):
        w.binary += "-faults"
        assert os.path.exists(w.binary), f"{w.binary} is missing: make build/steward-faults"
        w.with_telegram(delivery_scale=10, duplicate=0.3)
        self.w, self.plan, self.deaths = w, Plan(w.scratch), 0
        self.program = w.start(STEWARD_FAULT_FILE=self.plan.path, NOTIFY_SECRET=SECRET, **env)
        wait_until(lambda: w.telegram.webhook["url"], "the webhook's registration")
        self.ending = False
        self.keeper = threading.Thread(target=self.keep, daemon=True)
        self.keeper.start()

    def keep(self):
        while not self.ending:
            if not self.program.alive():
                self.deaths += 1
                self.program.start(healthy=False)
            time.sleep(0.01)

    def end(self):
        self.ending = True
        self.keeper.join(10)

    def insist(self, method, path, body=None):
        """As a careful client: again until there is an answer."""
        headers = {"Authorization": "Bearer " + SECRET, "Content-Type": "application/json"}

        def once():
            try:
                status, answer, _ = self.program.request(method, path, body and json.dumps(body), headers, timeout=10)
            except Exception:  # noqa: BLE001  (refused, reset, half an answer: the program has just died)
                return None
            assert status in (200, 429, 503), (status, answer)
            return json.loads(answer) if status == 200 else None
        return wait_until(once, f"{method} {path}", 60)

    def poll_until_over(self, name, heard):
        heard.append(wait_until(lambda: (lambda a: a["status"] != "waiting" and a)(self.insist("GET", f"/poll?request_id={name}&wait=2")),
                                "an answer", 60))


def tap_the_newest(w, words, label, count=1):
    """On the newest card with these words that has the button; None when there is no card yet."""
    found = [m for m in w.sent() if words in (m.text or "") and label in m.buttons]
    return w.telegram.user_taps(found[-1], label) if len(found) >= count else None


def one_life(life, number, name, rng):
    """One request from /send to its answer; what the program was killed at is in the plan.  Returns what two pollers heard."""
    w, words = life.w, f"Deploy {name}?"
    heard = []
    life.insist("POST", "/send", {"project": "steward", "type": "blocking", "message": words, "buttons": ["Yes", "No"], "request_id": name})
    pollers = [threading.Thread(target=life.poll_until_over, args=(name, heard)) for _ in range(2)]
    for p in pollers:
        p.start()
    w.telegram.hold("tap")  # taps come late, and after what was written later
    wait_until(lambda: tap_the_newest(w, words, "Yes"), "a card to tap", 60)
    w.telegram.user_says(OWNER, None, f"note: while {name} waits")
    time.sleep(rng.random() * 0.1)
    w.telegram.release("tap")

    def answered():
        return w.db.rows("SELECT 1 FROM requests WHERE request_id = ? AND state <> 'open'", name)
    deadline = time.monotonic() + 2
    while not answered() and time.monotonic() < deadline:
        time.sleep(0.02)
    if not answered():  # the first copy of a card may be one that the program does not know: a person taps the other
        wait_until(lambda: answered() or (tap_the_newest(w, words, "Yes") and time.sleep(0.5)), "an answer", 60)
    late = [m for m in w.sent() if words in (m.text or "") and "No" in m.buttons]
    with contextlib.suppress(LookupError):  # its buttons may just be going
        if late:
            w.telegram.user_taps(late[0], "No")  # a phone that has not heard of it yet
    for p in pollers:
        p.join(90)
        assert not p.is_alive(), "a poller never heard the end"
    return heard


def settled(w):
    try:
        return not w.telegram.pending and not w.unfinished("inbox") and not w.unfinished("outbox")
    except Exception:  # noqa: BLE001  (locked for a moment)
        return False


def judge(w, name, heard):
    """Every promise, by rows and by what stands on the phone."""
    row = w.db.rows("SELECT state, response, answered_by FROM requests WHERE request_id = ?", name)
    assert [tuple(r) for r in row] == [("responded", "Yes", OWNER)], row
    assert len(heard) == 2 and heard[0] == heard[1] and heard[0]["response"] == "Yes", heard
    assert w.db.one("SELECT COUNT(*) FROM audit WHERE request_id = ? AND event = 'answered'", name) == 1
    assert w.db.one("SELECT COUNT(*) FROM audit WHERE request_id = ? AND event = 'asked'", name) == 1
    cards = [m for m in w.sent() if f"Deploy {name}?" in (m.text or "")]
    unmarked = [m for m in cards if MARK not in (m.html or "") and not any(MARK in (e.get("text") or "") for e in m.edits)]
    assert cards and len(unmarked) <= 1, f"{len(unmarked)} cards stand there as if each were the only one"
    assert any("✅ Yes" in m.text for m in cards), [m.text for m in cards]
    notes = w.db.one("SELECT COUNT(*) FROM notes WHERE content LIKE ?", f"%while {name} waits%")
    assert notes == 1, f"{notes} notes of one message"


def numbers(counts):
    ways = (("database", "kill"), ("network", "kill"), ("network", "kill_after"))
    everything = [(b, kind, n) for b, kind in ways for n in range(1, counts[b] + 2)]
    if os.environ.get("STEWARD_TEST_FAULTS") == "all":
        return everything
    seed = int(os.environ.get("STEWARD_TEST_SEED", str(int(time.time()))))
    print(f"seed {seed}: {SAMPLE} of {len(everything)}")
    return random.Random(seed).sample(everything, min(SAMPLE, len(everything)))


def lives(life, places, rng, stop_at_first=True):
    """A life with a death at each of these places; the first broken promise is raised, or all are counted."""
    w, broken = life.w, 0
    for i, (border, kind, number) in enumerate(places):
        name = f"{border}-{number}-{i}x"
        life.plan.arm(border, kind, number)
        try:
            heard = one_life(life, number, name, rng)
            wait_until(lambda: settled(w), "the queues to be empty", 60)
            judge(w, name, heard)
        except AssertionError as e:
            _, fired, what = life.plan.disarm()
            if stop_at_first:
                raise AssertionError(f"{kind} at {border} call {number} ({what}, {fired}): {e}") from None
            broken += 1
        life.plan.disarm()
    return broken


def count_calls(life):
    counts = {}
    for border in ("database", "network"):
        life.plan.arm(border, "kill", 10 ** 9)
        heard = one_life(life, 0, f"count-{border}x", random.Random(1))
        wait_until(lambda: settled(life.w), "the queues to be empty", 60)
        judge(life.w, f"count-{border}x", heard)
        counts[border] = life.plan.disarm()[0]
    return counts


@flow
def killed_at_every_step(w):
    life = Life(w)
    try:
        counts = count_calls(life)
        print(f"calls: {counts}")
        lives(life, numbers(counts), random.Random(7))
        assert life.deaths, "the program never died: nothing was tried"
        print(f"{life.deaths} deaths")
        code, out, err = w.command("audit", "verify")
        assert code == 0, (out, err)
    finally:
        life.end()


@flow(databases=("sqlite",))
def a_send_that_is_not_recorded_first_is_noticed(w):
    """The same schedule against a program that forgets that a send had begun: it must fail."""
    life = Life(w, STEWARD_BROKEN_ORDER="1")
    try:
        counts = count_calls(life)
        broken = lives(life, [("network", "kill_after", n) for n in range(1, counts["network"] + 1)], random.Random(7), stop_at_first=False)
        assert broken, "cards stood there twice without a word, and nobody noticed"
        print(f"{broken} broken promises, as it must be")
    finally:
        life.end()


if __name__ == "__main__":
    sys.exit(main())
