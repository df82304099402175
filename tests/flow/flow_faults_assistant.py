#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Fail at call N, the assistant's other flows: a question that needs an embedding server, long polling, the console page,
undo, an edited message, a snoozed reminder.  The frame is flow_faults.py."""
import contextlib
import http.client
import json
import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from flow_faults import ROWS, Message, Model, Tap, fail_at_each_call, plain  # noqa: E402
from harness import OWNER, flow, main, wait_until  # noqa: E402
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "fakes"))
from models import call, calls, text  # noqa: E402

WITHOUT_VECTOR = ("SELECT COUNT(*) FROM notes n WHERE n.deleted_at IS NULL AND NOT EXISTS (SELECT 1 FROM vectors v WHERE "
                  "v.item_type = 'note' AND v.item_id = n.id AND v.model LIKE 'text-embedding%')")


class Question(Model):
    """A note and a question: the query is embedded before it is searched for, the note in the lane of memory, and a second
    conversation phrases the answer."""
    asked = 0
    sample = 4

    @classmethod
    def environment(cls, w):
        return {"EMBEDDING_BASE_URL": w.models.openai_url, "EMBEDDING_API_KEY": "test-key-embeddings"}

    def __init__(self, w):
        super().__init__(w)
        w.says("and that one")  # among several rows words alone find the right one, too
        wait_until(lambda: w.db.one(WITHOUT_VECTOR) == 0, "the vectors of the notes")

    def trigger(self, run):
        self.asked += 1  # a query that was asked before is remembered
        asked = calls(call("add_note", content=f"Room {self.asked} is the quiet one"),
                      call("ask_question", query=f"wifi password {self.asked}"))
        self.w.models.script(lambda r: asked if r["body"].get("tools") else text("It is hunter2 [note 1].")
                             if "messages" in r["body"] else None)
        self.w.telegram.user_says(OWNER, None, f"what is wifi password {self.asked}? and room {self.asked} is the quiet one")

    def done(self, run):
        return super().done(run) and self.w.db.one(WITHOUT_VECTOR) == 0


class PolledTap(Tap):
    """A tap without a webhook: the offset moves only past what is stored, and a tap that comes again is the same one."""
    settings = {"PUBLIC_URL": None}
    sample = 4


class Undo(Tap):
    """The button of a card that was sent before; the answer is edited."""
    sample = 4

    def trigger(self, run):
        self.query = self.w.telegram.user_taps(self.card, "Undo")


class UndoInWords(Message):
    sample = 4

    def prepare(self):
        self.w.says("buy bread tomorrow")
        self.w.wait_idle()

    def trigger(self, run):
        self.w.telegram.user_says(OWNER, None, "undo")

    def done(self, run):
        return self.w.db.one("SELECT COUNT(*) FROM inbox WHERE id > ?", run.since["inbox"]) == 2


class Edit(UndoInWords):
    """A person corrects a message that was answered: it is not done again."""

    def prepare(self):
        self.said = self.w.telegram.user_says(OWNER, None, "buy bread tomorrow")
        self.w.telegram.wait_for_reply(self.said)
        self.w.wait_idle()

    def trigger(self, run):
        self.w.telegram.user_edits(self.said, "buy butter tomorrow")


class Snooze(Tap):
    """A reminder that has come shall come again in an hour."""
    sample = 3

    def prepare(self):
        card = self.w.says("remind me to water the plants in 90 minutes")
        self.w.wait_idle()
        task = self.w.db.one("SELECT MAX(id) FROM tasks")
        self.w.db.change(f"UPDATE tasks SET remind_at = {int(time.time() * 1000)} WHERE id = {task}")
        self.card = self.w.telegram.wait_for_reply(card, 30, "⏰ Reminder")
        self.w.wait_idle()

    def trigger(self, run):
        self.query = self.w.telegram.user_taps(self.card, "In 1 hour")


class Page(threading.Thread):
    """A console page that is open: what its event stream has told it; it comes back where it was cut off."""

    def __init__(self, program):
        super().__init__(daemon=True)
        self.program, self.cursor, self.rows, self.doubled, self.lock = program, None, {}, [], threading.Lock()
        self.start()

    def run(self):
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                self.listen()
            time.sleep(0.2)

    def listen(self):
        c = http.client.HTTPConnection("127.0.0.1", self.program.port, timeout=60)
        c.request("GET", "/console/events" + (f"?after={self.cursor}" if self.cursor else ""))
        with contextlib.closing(c.getresponse()) as answer:
            event = {}
            for line in iter(answer.readline, b""):
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    event[name] = value
                else:
                    self.take(event)
                    event = {}

    def take(self, event):
        with self.lock:
            if "id" in event:
                self.cursor = event["id"]
            if "event" in event or "data" not in event:  # hello, ready, typing, toasts: passing notices
                return
            row = json.loads(event["data"])
            if row["version"] <= self.rows.get(row["id"], {"version": 0})["version"]:
                self.doubled.append(row)
            self.rows[row["id"]] = row

    def shown(self, since):
        with self.lock:
            return [self.rows[i] for i in sorted(self.rows) if i > since]


class Console(Message):
    """A message and a tap on its answer, typed into the page; what the page is told comes in its event stream."""
    tables = {**ROWS, "console_messages": "SELECT author, html, buttons IS NULL, client_key IS NULL FROM console_messages WHERE id > ?"}
    borders = ("database",)
    sample = 6

    def __init__(self, w):
        super().__init__(w)
        self.page, self.posts = Page(w.program), 0

    def insist(self, path, body):
        """As the page does: the same id again until it is taken."""
        self.posts += 1
        body["id"] = f"00000000-0000-4000-8000-{self.posts:012d}"

        def once():
            host = f"127.0.0.1:{self.w.program.port}"
            status, answer, headers = self.w.program.request("POST", path, json.dumps(body), {
                "Content-Type": "application/json", "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"})
            assert status == 202 or (status == 503 and headers.get("retry-after")), (status, answer)
            return status == 202
        wait_until(once, path)

    def trigger(self, run):
        self.insist("/console/message", {"text": "buy bread tomorrow"})
        first = run.since["console_messages"]
        card = wait_until(lambda: [m for m in self.page.shown(first) if m["author"] == "bot"], "the answer in the event stream")[0]
        done = next(b["data"] for row in card["buttons"] for b in row if b["text"] == "Done")
        self.insist("/console/tap", {"message_id": card["id"], "data": done})

    def done(self, run):
        since = run.since["console_messages"]
        rows = self.w.db.rows("SELECT id, version FROM console_messages WHERE id > ? ORDER BY id", since)
        return (self.w.db.one("SELECT COUNT(*) FROM inbox WHERE id > ? AND state = 'done'", run.since["inbox"]) == 2
                and [(m["id"], m["version"]) for m in self.page.shown(since)] == rows)

    def messages(self, run, may_mark):
        assert not self.page.doubled, f"the page was told twice: {self.page.doubled}"
        return [(m["author"], plain(m["html"]), *[b["text"] for row in m.get("buttons") or [] for b in row])
                for m in self.page.shown(run.since["console_messages"])]


@flow
def a_question_with_an_embedding_server(w):
    fail_at_each_call(w, Question)


@flow
def a_tap_that_is_polled(w):
    fail_at_each_call(w, PolledTap)


@flow
def an_undo_by_button(w):
    fail_at_each_call(w, Undo)


@flow
def an_undo_in_words(w):
    fail_at_each_call(w, UndoInWords)


@flow
def an_edited_message(w):
    fail_at_each_call(w, Edit)


@flow
def a_snoozed_reminder(w):
    fail_at_each_call(w, Snooze)


@flow
def the_console_page(w):
    fail_at_each_call(w, Console)


if __name__ == "__main__":
    sys.exit(main())
