#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Agents ask, people answer: the HTTP endpoints against the strict fake Telegram, graded by rows."""
import json
import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import OWNER, flow, main, wait_until  # noqa: E402

AGENT_SECRET = "agent-secret-0123456789"
BEARER = {"Authorization": "Bearer " + AGENT_SECRET, "Content-Type": "application/json"}


class Agent:
    """An asking side that speaks plain HTTP."""

    def __init__(self, program):
        self.program = program

    def call(self, method, path, body=None, headers=None, timeout=75):
        status, text, _ = self.program.request(method, path, None if body is None else json.dumps(body), headers or BEARER, timeout)
        return status, json.loads(text) if text else None

    def send(self, message="Deploy?", type="blocking", project="steward", **more):
        status, answer = self.call("POST", "/send", {"project": project, "type": type, "message": message, **more})
        assert status == 200, (status, answer)
        return answer

    def ask(self, message="Deploy?", buttons=("Yes", "No"), **more):
        return self.send(message, buttons=list(buttons), **more)["request_id"]

    def poll(self, request_id, wait=None):
        status, answer = self.call("GET", f"/poll?request_id={request_id}" + (f"&wait={wait}" if wait is not None else ""))
        assert status == 200, (status, answer)
        return answer

    def answered(self, request_id):
        return wait_until(lambda: (lambda a: a if a["status"] != "waiting" else None)(self.poll(request_id, wait=5)), "an answer")

    def cancel(self, request_id, **more):
        return self.call("POST", "/cancel", {"request_id": request_id, **more})

    def poll_later(self, request_id, wait=60):
        """A held poll in a thread; .join() and .answer."""
        t = threading.Thread(target=lambda: setattr(t, "answer", self.poll(request_id, wait=wait)))
        t.answer = None
        t.start()
        return t


def start_agents(w, **env):
    """steward with Telegram and agents; its Agent."""
    return Agent(w.start_assistant(NOTIFY_SECRET=AGENT_SECRET, **env))


def card(w, chat=OWNER, contains="Deploy?"):
    """The newest message of the bot with these words."""
    def look():
        found = [m for m in w.telegram.messages(chat, from_bot=True) if contains in (m.text or "")]
        return found[-1] if found else None
    return wait_until(look, f"a card with {contains!r}")


@flow
def a_tap_answers(w):
    agent = start_agents(w)
    sent = agent.send("Deploy?", buttons=["Yes", "No"], request_id="deploy-1")
    m = card(w)
    assert sent == {"message_id": f"tg-{m.id}", "request_id": "deploy-1"}, sent
    held = agent.poll_later("deploy-1")
    before = [row[:] for row in m.keyboard]
    assert "steward" in m.text and m.buttons == ["Yes", "No"] and not m.silent
    assert agent.poll("deploy-1") == {"status": "waiting", "request_id": "deploy-1"}
    w.taps(m, "Yes")
    held.join(30)
    a = held.answer
    assert (a["status"], a["response"], a["label"], a["by_id"], a["how"], a["free_text"]) == ("responded", "Yes", "Yes", OWNER, "tap", False), a
    wait_until(lambda: "✅ Yes — " in m.text, "the card to show the answer")
    old = m.edits and m.keyboard
    assert not old, "buttons are left on an answered card"
    assert agent.poll("deploy-1") == a
    m.keyboard = before  # a phone that has not seen the edit yet
    w.taps(m, "No")
    w.wait_idle()
    assert agent.poll("deploy-1") == a
    assert any("Already answered" in (c.params.get("text") or "") for c in w.telegram.calls_of("answerCallbackQuery"))
    w.wait_rows("SELECT state, response, answered_by, how FROM requests", [("responded", "Yes", OWNER, "tap")])


if __name__ == "__main__":
    main()
