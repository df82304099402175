#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Fail at call N: the Nth database statement or network call of a flow fails, for N = 1, 2, 3, … in every way it can.
The program goes on by itself, and the rows and the messages are those of a run without a fault; a send that may have
arrived says so.

`make test` tries a sample of the N that moves with the seed; STEWARD_TEST_FAULTS=all tries every one.  A failure names
the call; STEWARD_TEST_FAULT=database:after:17 repeats it alone.  It drives build/steward-faults (base/fault.h).

Here are the frame and the first flows; flow_faults_assistant.py, flow_faults_agents.py and flow_faults_start.py have the
others."""
import json
import mmap
import os
import random
import re
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import OWNER, flow, main, wait_until  # noqa: E402
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "fakes"))
from models import call, calls, text  # noqa: E402

BORDERS = {"database": 1, "network": 2}
KINDS = {"error": 1, "busy": 2, "timeout": 3, "before": 4, "after": 5}
WAYS = [("database", k) for k in KINDS] + [("network", k) for k in ("error", "timeout", "before", "after")]
AGAIN_MAX = 20  # runs of a sample, with those that came to no fault
SAMPLE = 6  # runs of one case in `make test`; STEWARD_TEST_FAULT_RUNS: another number
MARK = "↻ Sent again: the first attempt got no answer."


class Plan:
    """The file that the program and this test share: struct fault_plan of base/fault.h."""
    FORM = struct.Struct("=qqqqqq256s")

    def __init__(self, directory):
        self.path = os.path.join(directory, "fault-plan")
        with open(self.path, "wb") as f:
            f.write(b"\0" * self.FORM.size)
        self.file = open(self.path, "r+b")
        self.map = mmap.mmap(self.file.fileno(), self.FORM.size)

    def arm(self, border, kind, first, times=1):
        self.map[8:self.FORM.size] = self.FORM.pack(0, KINDS[kind], first, times, 0, 0, b"")[8:]
        self.map[0:8] = struct.pack("=q", BORDERS[border])

    def disarm(self):
        """(calls, calls that failed, the last of them)"""
        self.map[0:8] = struct.pack("=q", 0)
        _, _, _, _, count, fired, what = self.FORM.unpack(self.map[:])
        return count, fired, what.split(b"\0")[0].decode(errors="replace")


def plain(value):
    """Ids, times and dates differ from run to run."""
    return re.sub(r"\d+", "#", re.sub(r"\b[0-9a-f]{16,}\b", "#", str(value)))


ROWS = {  # those a run added: with an id above the mark
    "inbox": "SELECT channel, tap, state, outcome, crashes FROM inbox WHERE id > ?",
    "outbox": "SELECT channel, kind, priority, state, payload FROM outbox WHERE id > ?",
    "tasks": "SELECT content, due_date, completed, remind_at IS NULL, reminded_at IS NULL, deleted_at IS NULL FROM tasks WHERE id > ?",
    "notes": "SELECT content, deleted_at IS NULL FROM notes WHERE id > ?",
    "history": "SELECT role, content FROM history WHERE id > ?",
    "turns": "SELECT summary, undone_at IS NULL FROM turns WHERE inbox_id > ?",
    "journal": "SELECT seq, table_name, before IS NULL FROM journal WHERE inbox_id > ?",
    "turn_steps": "SELECT round FROM turn_steps WHERE inbox_id > ?",
}
MARK_OF = {"turns": "inbox", "journal": "inbox", "turn_steps": "inbox"}
# An edit of the card may find the next one in its place, and the console's copy is withdrawn when the answer is faster.
ROWS_OF_AGENTS = {
    "inbox": ROWS["inbox"],
    "outbox": "SELECT channel, kind, state FROM outbox WHERE id > ? AND kind <> 'edit' AND channel = 'telegram'",
    "requests": "SELECT project, type, message, state, response, label, how, answered_by FROM requests WHERE id > ?",
    "cards": "SELECT kind, sent_version = version, retired, message_id IS NULL FROM cards WHERE id > ? AND channel = 'telegram'",
    "audit": "SELECT DISTINCT event, actor FROM audit WHERE seq > ? AND event <> 'fetched'",
}


class Run:
    """One run of a flow: what was there before it, and what it left."""

    def __init__(self, w, steps):
        self.w, self.steps = w, steps
        self.since = {t: w.db.one(f"SELECT COALESCE(MAX({'seq' if t == 'audit' else 'id'}), 0) FROM {t}")
                      for t in set(steps.tables) - set(MARK_OF)}
        self.seen = len(w.sent(steps.chat))

    def rows(self):
        out = {}
        for table, sql in self.steps.tables.items():
            got = self.w.db.rows(sql, self.since[MARK_OF.get(table, table)])
            out[table] = sorted(tuple(plain(c).replace("True", "#").replace("False", "-") for c in r) for r in got)
        return out

    def settled(self):
        """Done, nothing under way, and still done: what it was looked at for may have changed in between."""
        w = self.w
        return (self.steps.done(self) and
                not w.unfinished("inbox") and not w.unfinished("outbox") and
                not w.telegram.pending and self.steps.done(self))


class Message:
    """What most flows do: a person writes, the bot answers."""
    models = False
    tables = ROWS
    settings = {}
    chat = OWNER
    borders = tuple(BORDERS)  # those that the flow has calls at
    sample = SAMPLE

    @classmethod
    def environment(cls, w):
        """The settings, when the fakes run and before the program starts."""
        return cls.settings

    def __init__(self, w):
        self.w = w

    def prepare(self):
        """What has to be there; nothing fails yet."""

    def trigger(self, run):
        self.w.telegram.user_says(OWNER, None, "buy bread tomorrow")

    def done(self, run):
        return self.w.db.one("SELECT COUNT(*) FROM inbox WHERE id > ?", run.since["inbox"]) >= 1

    def new(self, run):
        """What the bot has written since."""
        return self.w.sent(self.chat)[run.seen:]

    def messages(self, run, may_mark):
        """As the person sees them; a marked repetition of what is there counts as that."""
        out = []
        for m in self.new(run):
            words = m.text or m.caption or ""
            one = (plain(words.replace(MARK, "").strip()), *m.buttons, *([m.document["file_name"]] if m.document else []))
            marked = MARK in words
            assert may_mark or not marked, f"a send whose outcome was known is marked: {words!r}"
            if not (marked and one in out):
                out.append(one)
        return out

    def judge(self, messages, expected, may_mark):
        return messages == expected


class Model(Message):
    """A tool call and a question in one message: a step is recorded, then a second conversation."""
    models = True

    def __init__(self, w):
        super().__init__(w)
        w.models.script([calls(call("add_note", content="The wifi password is hunter2"))])
        w.says("note the wifi password")
        asked = calls(call("add_task", content="Buy bread"), call("ask_question", query="wifi password"))
        w.models.script(lambda r: asked if r["body"].get("tools") else text("It is hunter2 [note 1]."))

    def trigger(self, run):
        self.w.telegram.user_says(OWNER, None, "what is the wifi password? and bread")


class Tap(Message):
    """Done on a card that was sent before."""

    def prepare(self):
        self.card = self.w.says("buy bread tomorrow")
        self.w.wait_idle()

    def trigger(self, run):
        self.query = self.w.telegram.user_taps(self.card, "Done")

    def done(self, run):
        return self.query.answered and self.w.db.one("SELECT COUNT(*) FROM inbox WHERE id > ? AND tap = 1", run.since["inbox"]) == 1


class Reminder(Message):
    """A task whose time comes."""

    def prepare(self):
        self.w.says("remind me to water the plants in 90 minutes")
        self.w.wait_idle()

    def trigger(self, run):
        now = int(time.time() * 1000)
        self.w.db.change(f"UPDATE tasks SET remind_at = {now} WHERE id > {run.since['tasks']}")

    def done(self, run):
        return any("⏰ Reminder" in m.text for m in self.new(run))


class Polled(Message):
    """A person writes, and there is no webhook: the offset moves only past what is stored."""
    settings = {"PUBLIC_URL": None}


class Staged(Message):
    """What a flood has left: two messages that nobody has made rows of yet."""

    def trigger(self, run):
        w, staged = self.w, ""
        for words in ("buy bread tomorrow", "note the cellar key hangs behind the door"):
            update = w.update(words)
            body = json.dumps(update)
            staged += "\x1f".join(("telegram", str(update["update_id"]), f"chat:telegram:{OWNER}", str(len(body)), body))
        w.db.change(f"INSERT INTO inbox_staging (posts, received_at, updates) VALUES (2, {int(time.time() * 1000)}, '{staged}')")

    def done(self, run):
        return self.w.db.one("SELECT COUNT(*) FROM inbox WHERE id > ?", run.since["inbox"]) >= 2


class Agent(Message):
    """An agent asks, the card is tapped, the agent polls; what is refused for now it says again."""
    tables = ROWS_OF_AGENTS
    settings = {"NOTIFY_SECRET": "agent-secret-0123456789"}
    button = "Yes"
    asked, words = 0, ""

    def insist(self, method, path, body=None):
        headers = {"Authorization": "Bearer " + self.settings["NOTIFY_SECRET"], "Content-Type": "application/json"}

        def once():
            status, answer, _ = self.w.program.request(method, path, body and json.dumps(body), headers)
            assert status in (200, 429, 503), (status, answer)  # 429: the database was busy
            return json.loads(answer) if status == 200 else None
        return wait_until(once, f"{method} {path}")

    def ask(self, **more):
        """The id of a new request."""
        self.asked += 1
        self.words, name = f"Deploy number {self.asked}x?", f"request-{self.asked}"
        self.insist("POST", "/send", {"project": "steward", "type": "blocking", "message": self.words, "request_id": name,
                                      "buttons": ["Yes", "No"], **more})
        return name

    def card(self, run, chat=None):
        """A card that may stand there twice answers on the second, which the program knows."""
        chat = chat or self.chat
        known = wait_until(lambda: self.w.db.one("SELECT message_id FROM cards WHERE channel = 'telegram' AND chat_id = ? AND id > ?",
                                                 chat, run.since["cards"]), "the card")
        return self.w.telegram.message(chat, known)

    def tap(self, card):
        self.query = self.w.telegram.user_taps(card, self.button, OWNER)

    def answer(self, name, expected="Yes"):
        """What the agent hears in the end."""
        def ended():
            a = self.insist("GET", f"/poll?request_id={name}&wait=5")
            return a if a["status"] != "waiting" else None
        answer = wait_until(ended, "the answer")
        assert answer.get("response") == expected, answer

    def trigger(self, run):
        name = self.ask()
        self.tap(self.card(run))
        self.answer(name)

    def done(self, run):
        return self.query.answered and not any(self.button in m.buttons for m in self.new(run)[-1:])

    def chats(self):
        return [self.chat]

    def is_open(self, message):
        return self.button in message[1:]

    def judge(self, messages, expected, may_mark):
        """The copy of a card whose send got no answer stays as it was: nobody knows its id.  The second one says so."""
        for chat in self.chats():
            cards = [m for m in self.w.sent(chat) if self.words in (m.text or "")]
            said = [MARK in m.text or any(MARK in (e["text"] or "") for e in m.edits) for m in cards]
            assert said.count(False) <= 1, f"{len(cards)} cards stand there as if each were the only one"
        if may_mark and len(messages) == len(expected) + 1:
            copy = next((i for i, m in enumerate(messages) if plain(self.words) in m[0] and self.is_open(m)), len(messages))
            messages = messages[:copy] + messages[copy + 1:]
        return messages == expected


def one_run(w, plan, steps, border, kind, number):
    """(calls, failed calls, what failed, rows, messages)"""
    w.db.change("DELETE FROM pending")
    w.db.change("UPDATE tasks SET remind_at = NULL WHERE remind_at IS NOT NULL")
    run = Run(w, steps)
    steps.prepare()
    plan.arm(border, kind, number)
    steps.trigger(run)
    try:
        wait_until(run.settled, "the flow's end", 40)
    except AssertionError as e:
        raise AssertionError(f"{border} {kind} at call {number} ({plan.disarm()[2]}): {e}; {run.rows()}") from None
    count, fired, what = plan.disarm()
    where = f"{border} {kind} at call {number} of {count} ({what})"
    try:
        return count, fired, where, run.rows(), steps.messages(run, border == "network" and fired)
    except AssertionError as e:
        raise AssertionError(f"{where}: {e}") from None


def numbers(counts, sample, ways=tuple(WAYS)):
    """Every way to fail at every call; or a sample of them, or the one that is asked for."""
    only = os.environ.get("STEWARD_TEST_FAULT")
    if only:
        border, kind, number = only.split(":")
        return [(border, kind, int(number))]
    everything = [(b, k, n) for b, k in ways if b in counts for n in range(1, counts[b] + 3)]
    if os.environ.get("STEWARD_TEST_FAULTS") == "all":
        return everything
    seed = int(os.environ.get("STEWARD_TEST_SEED", str(int(time.time()))))
    sample = min(int(os.environ.get("STEWARD_TEST_FAULT_RUNS", sample)), len(everything))
    print(f"seed {seed}: {sample} of {len(everything)}")
    rng = random.Random(seed)
    of_network = [one for one in everything if one[0] == "network"]  # few among many statements
    some = rng.sample(of_network, min(len(of_network), (sample + 2) // 3))
    return some + rng.sample([one for one in everything if one not in some], sample - len(some))


def another(number, count, fired):
    """A sampled call that its run did not come to (how many there are differs from run to run): one that it did."""
    sampled = not os.environ.get("STEWARD_TEST_FAULT") and os.environ.get("STEWARD_TEST_FAULTS") != "all"
    return 1 + number % count if sampled and count and not fired else None


def fail_at_each_call(w, kind_of_flow):
    w.binary += "-faults"
    assert os.path.exists(w.binary), f"{w.binary} is missing: make build/steward-faults"
    w.with_telegram(delivery_scale=10)
    if kind_of_flow.models:
        w.with_models()
    plan = Plan(w.scratch)
    settings = kind_of_flow.environment(w)
    w.start(STEWARD_FAULT_FILE=plan.path, **settings)
    wait_until(lambda: w.telegram.webhook["url"] or "PUBLIC_URL" in settings, "the webhook's registration")
    steps = kind_of_flow(w)
    w.says("/help")
    w.wait_idle()
    counts, expected = {}, None
    for border in (steps.borders * 2)[:2]:  # without a fault, twice: what differs then is no finding
        counts[border], fired, _, rows, messages = one_run(w, plan, steps, border, "error", 10 ** 9)
        assert not fired and counts[border] > 0, (border, counts)
        assert expected in (None, (rows, messages)), (expected, rows, messages)
        expected = (rows, messages)
    print(f"calls: {counts}")
    tried = 0
    failures = []
    work = numbers(counts, steps.sample)
    for border, kind, number in work:
        try:
            count, fired, where, rows, messages = one_run(w, plan, steps, border, kind, number)
            tried += fired
            if len(work) < AGAIN_MAX and another(number, count, fired):
                work.append((border, kind, another(number, count, fired)))
            for table in expected[0]:
                assert rows[table] == expected[0][table], f"{where}: {table}\n  expected {expected[0][table]}\n  got      {rows[table]}"
            assert steps.judge(messages, expected[1], border == "network"), f"{where}: messages\n  expected {expected[1]}\n  got      {messages}"
        except AssertionError as e:
            if not os.environ.get("STEWARD_TEST_FAULTS"):
                raise
            failures.append(str(e))
            print(f"FAILED {e}", flush=True)
            w.program.kill()  # what is stuck must not fail the next run too
            w.program.start()
            w.wait_idle()
    print(f"{tried} calls failed")
    assert tried, "no call failed: nothing was tried"
    assert not failures, f"{len(failures)} of {tried} left something else behind"


@flow
def a_message(w):
    fail_at_each_call(w, Message)


@flow
def a_message_with_a_model(w):
    fail_at_each_call(w, Model)


@flow
def a_tap(w):
    fail_at_each_call(w, Tap)


@flow
def a_reminder(w):
    fail_at_each_call(w, Reminder)


@flow
def a_message_that_is_polled(w):
    fail_at_each_call(w, Polled)


@flow
def messages_that_were_staged(w):
    fail_at_each_call(w, Staged)


@flow
def an_agent_asks(w):
    fail_at_each_call(w, Agent)


@flow(databases=("sqlite",))
def the_program_for_people_has_no_faults(w):
    for path, expected in ((w.binary, False), (w.binary + "-faults", True)):
        with open(path, "rb") as f:
            assert (b"STEWARD_FAULT" in f.read()) is expected, path


if __name__ == "__main__":
    sys.exit(main())
