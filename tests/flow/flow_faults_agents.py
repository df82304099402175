#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Fail at call N, the agents' other flows: a topic that must be made first, a file, a group that gets a new id, and the real
clients, whose own network calls fail too.  The frame is flow_faults.py."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from flow_clock import Clock  # noqa: E402
from flow_faults import ROWS_OF_AGENTS, Agent, fail_at_each_call  # noqa: E402
from harness import OWNER, PATIENCE, flow, main, wait_until  # noqa: E402

GROUP, BASIC_GROUP = -1001, -50


class Topic(Agent):
    """The project's topic is made first; words in it answer."""
    chat = GROUP
    sample = 4
    tables = {**ROWS_OF_AGENTS, "topics": "SELECT name, state, thread_id IS NULL, tries, lost FROM topics WHERE id > ?"}

    @classmethod
    def environment(cls, w):
        w.telegram.add_chat(GROUP, forum=True)
        return {**cls.settings, "NOTIFY_CHAT_ID": GROUP}

    def trigger(self, run):
        self.project = f"web{self.asked}"
        name = self.ask(project=self.project, buttons=[])
        self.shown = self.card(run)
        self.thread = self.shown.thread_id
        self.w.telegram.user_says(GROUP, OWNER, "staging", thread_id=self.thread)
        self.answer(name, "staging")

    def done(self, run):
        return not self.is_open([self.shown.text])

    def is_open(self, message):
        return "staging" not in message[0]

    def judge(self, messages, expected, may_mark):
        """A topic whose making got no answer may be there twice; the log says so."""
        threads = [thread for thread, name in self.w.telegram.topic_names(GROUP).items() if name == self.project]
        assert self.thread in threads and len(threads) <= 1 + may_mark, threads
        assert len(threads) == 1 or "topic_leak" in self.w.program.log_text(), "a topic that leaked is not told of"
        assert all(m.thread_id == self.thread for m in self.w.sent(GROUP)[-len(messages):]), "a card outside its topic"
        return super().judge(messages, expected, may_mark)


class File(Agent):
    """Details too long for a message go ahead of the card as a document."""
    sample = 4
    content = "\n".join(f"- line {i}" for i in range(2000))

    def trigger(self, run):
        name = self.ask(details=self.content, details_name="change.diff")
        self.tap(self.card(run))
        self.answer(name)
        assert all(m.document["content"].decode() == self.content for m in self.new(run) if m.document)


class Moved(Agent):
    """The group becomes a supergroup while a request is open: its card is shown again where people are now.
    The scheduler looks for such cards every ten seconds; some of them pass at once."""
    sample = 2
    chat = BASIC_GROUP

    @classmethod
    def environment(cls, w):
        w.telegram.add_chat(BASIC_GROUP, "group")
        cls.clock = Clock(w)
        faked = {k: v for k, v in (cls.clock.env or {}).items() if k != "FAKETIME_DONT_FAKE_MONOTONIC"}
        return {**cls.settings, **faked, "NOTIFY_CHAT_ID": BASIC_GROUP}

    def prepare(self):
        """The same group, as if it had never moved."""
        self.group = -10050 - self.asked
        self.w.telegram.chats[BASIC_GROUP].migrated_to = None
        self.w.db.change("DELETE FROM settings WHERE name LIKE 'chat_moved:%'")

    def trigger(self, run):
        name = self.ask(project=f"web{self.asked}")
        self.card(run)
        self.w.telegram.migrate_group(BASIC_GROUP, self.group, OWNER)
        self.clock.step(9)  # less than what counts as a clock that was set
        self.tap(self.card(run, self.group))
        self.answer(name)

    def chats(self):
        return [BASIC_GROUP, self.group]

    def new(self, run):
        return super().new(run) + self.w.sent(self.group)

    def judge(self, messages, expected, may_mark):
        moves = self.w.db.rows("SELECT name, value FROM settings WHERE name LIKE 'chat_moved:%'")
        assert [tuple(m) for m in moves] == [(f"chat_moved:telegram:{BASIC_GROUP}", str(self.group))], moves
        left = self.w.db.one("SELECT COUNT(*) FROM cards c JOIN topics t ON t.id = c.topic_id "
                             f"WHERE {BASIC_GROUP} IN (c.chat_id, t.chat_id)")
        assert left == 0, f"{left} cards or topics stayed in the old group"
        return super().judge(messages, expected, may_mark)


class Refused(Moved):
    """The same, and the refusal of a send is the first to say so; the group's own message comes late."""
    sample = 4

    def trigger(self, run):
        self.w.telegram.hold("chat")
        self.w.telegram.migrate_group(BASIC_GROUP, self.group, OWNER)
        name = self.ask(project=f"web{self.asked}")
        self.card(run, self.group)
        self.w.wait_idle()
        self.w.telegram.release("chat")
        wait_until(lambda: not self.w.telegram.pending, "the group's message")
        self.w.wait_idle()
        self.tap(self.card(run, self.group))
        self.answer(name)


class Client(Agent):
    """A command of the agent's side, which fails like the server: the same plan counts the calls of both."""
    sample = 3

    def command(self):
        """What to run, its input, and what it prints in the end."""
        raise NotImplementedError

    def trigger(self, run):
        self.asked += 1
        self.words = f"Deploy number {self.asked}x?"
        arguments, stdin, expected = self.command()
        env = {"PATH": os.environ["PATH"], "CLAUDE_NOTIFY_URL": f"http://127.0.0.1:{self.w.program.port}", "CLAUDE_PROJECT": "steward",
               "CLAUDE_NOTIFY_SECRET": self.settings["NOTIFY_SECRET"], "STEWARD_FAULT_FILE": self.w.program.env["STEWARD_FAULT_FILE"]}
        with subprocess.Popen([self.w.binary, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, env=env) as client:
            client.stdin.write(stdin)
            client.stdin.close()
            try:
                self.tap(self.card(run))
                code = client.wait(PATIENCE)
            finally:
                client.kill()
            out, err = client.stdout.read(), client.stderr.read()
        assert (code, out.strip()) == (0, expected), (code, out, err)


class Notify(Client):
    """`steward notify` asks and prints the answer."""

    def command(self):
        return ["notify", "blocking", self.words, "Yes", "No"], "", "Yes"


class Hook(Client):
    """Claude Code asks for a permission by `steward hook claude`."""
    button = "Allow"

    def command(self):
        body = {"session_id": "s-1", "transcript_path": "/t", "cwd": "/home/ada/webshop", "permission_mode": "default",
                "hook_event_name": "PermissionRequest", "tool_name": "Bash", "tool_input": {"command": self.words}}
        decision = {"hookSpecificOutput": {"hookEventName": "PermissionRequest", "decision": {"behavior": "allow"}}}
        return ["hook", "claude"], json.dumps(body), json.dumps(decision, separators=(",", ":"))


@flow
def a_topic_is_made_and_words_answer_in_it(w):
    fail_at_each_call(w, Topic)


@flow
def a_file_comes_with_the_question(w):
    fail_at_each_call(w, File)


@flow
def the_group_gets_a_new_id(w):
    fail_at_each_call(w, Moved)


@flow
def a_refusal_tells_of_the_new_id(w):
    fail_at_each_call(w, Refused)


@flow
def a_client_asks(w):
    fail_at_each_call(w, Notify)


@flow
def a_hook_of_claude_code(w):
    fail_at_each_call(w, Hook)


if __name__ == "__main__":
    sys.exit(main())
