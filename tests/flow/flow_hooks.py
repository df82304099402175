#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Claude Code's and Codex's hooks over HTTP: what the person sees, and what the agent gets, field for field."""
import json
import os
import socket
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from flow_agents import AGENT_SECRET, BEARER, Agent, card, start_agents  # noqa: E402
from harness import flow, main, wait_until  # noqa: E402


def permission(command="rm -rf node_modules", **more):
    return {"session_id": "s-1", "transcript_path": "/t", "cwd": "/home/ada/webshop", "permission_mode": "default",
            "hook_event_name": "PermissionRequest", "tool_name": "Bash",
            "tool_input": {"command": command, "description": "Remove node_modules"},
            "permission_suggestions": [{"type": "addRules", "rules": [{"toolName": "Bash", "ruleContent": command}],
                                        "behavior": "allow", "destination": "localSettings"}], **more}


class Hook:
    """A hook call under way."""

    def __init__(self, agent, body, dialect="claude", timeout=60, **headers):
        self.status = self.answer = None
        self.headers = {**BEARER, **headers}

        def run():
            status, text, _ = agent.program.request("POST", f"/hooks/{dialect}", json.dumps(body), self.headers, timeout)
            self.answer = json.loads(text) if text else None
            self.status = status
        self.thread = threading.Thread(target=run)
        self.thread.start()

    def decision(self):
        self.thread.join(60)
        assert self.status == 200, (self.status, self.answer)
        return self.answer


def claude(decision):
    return {"hookSpecificOutput": {"hookEventName": "PermissionRequest", "decision": decision}}


@flow
def a_permission_is_asked_and_given(w):
    agent = start_agents(w)
    hook = Hook(agent, permission())
    m = card(w, contains="rm -rf node_modules")
    assert "webshop" in m.text and "Remove node_modules" in m.text and "Bash" in m.text
    w.taps(m, "Allow")
    d = hook.decision()["hookSpecificOutput"]["decision"]
    assert d["behavior"] == "allow" and d.get("updatedInput", permission()["tool_input"]) == permission()["tool_input"], d
    hook = Hook(agent, permission("rm -rf build"))
    m = card(w, contains="rm -rf build")
    w.taps(m, "Deny")
    d = hook.decision()["hookSpecificOutput"]["decision"]
    assert d["behavior"] == "deny" and d["message"], d
    hook = Hook(agent, permission("rm -rf dist"))
    w.telegram.user_replies(card(w, contains="rm -rf dist"), "use make clean instead")
    d = hook.decision()["hookSpecificOutput"]["decision"]
    assert d["behavior"] == "deny" and "use make clean instead" in d["message"], d
    hook = Hook(agent, permission("npm test"))
    m = card(w, contains="npm test")
    w.taps(m, "Always")
    d = hook.decision()["hookSpecificOutput"]["decision"]
    assert d["behavior"] == "allow" and d["updatedPermissions"] == permission("npm test")["permission_suggestions"], d
    hook = Hook(agent, permission("npm run lint"))
    w.taps(card(w, contains="npm run lint"), "session")
    d = hook.decision()["hookSpecificOutput"]["decision"]
    assert [p["destination"] for p in d["updatedPermissions"]] == ["session"], d
    w.wait_rows("SELECT COUNT(*) FROM requests WHERE state = 'responded'", [(5,)])
    w.wait_rows("SELECT COUNT(*) FROM requests WHERE fetched_at IS NULL", [(0,)])


@flow
def the_whole_command_is_seen(w):
    agent = start_agents(w)
    command = "echo \u202egpj.exe && " + " && ".join(f"step_{i} --flag" for i in range(400)) + " && export API_KEY=sk-ant-api03-" + "a" * 60
    hook = Hook(agent, permission(command))
    wait_until(lambda: [x for x in w.sent() if x.document], "the whole command as a file")
    content = [x for x in w.sent() if x.document][-1].document["content"].decode()
    assert "step_399 --flag" in content and "⟨U+202E⟩" in content and "\u202e" not in content and "a" * 60 not in content
    m = card(w, contains="webshop")
    assert "⟨U+202E⟩" in m.text
    w.taps(m, "Allow")
    d = hook.decision()["hookSpecificOutput"]["decision"]
    assert d.get("updatedInput", {"command": command})["command"] == command  # what runs is what was asked, unmasked


@flow
def a_question_is_answered(w):
    agent = start_agents(w)
    questions = [{"question": "Which DB?", "header": "DB", "multiSelect": True, "options": [{"label": "SQLite"}, {"label": "Postgres"}]},
                 {"question": "Which port?", "header": "Port", "multiSelect": False, "options": [{"label": "80"}, {"label": "8080"}]}]
    body = {"session_id": "s", "cwd": "/x/shop", "hook_event_name": "PreToolUse", "tool_name": "AskUserQuestion",
            "tool_input": {"questions": questions}, "tool_use_id": "toolu_1"}
    hook = Hook(agent, body)
    port, db = card(w, contains="Which port?"), card(w, contains="Which DB?")
    w.telegram.user_replies(port, "9999")
    w.taps(db, "SQLite")
    w.taps(db, "Postgres")
    w.taps(db, "Send")
    out = hook.decision()["hookSpecificOutput"]
    assert out["permissionDecision"] == "allow" and out["updatedInput"]["questions"] == questions, out
    assert out["updatedInput"]["answers"] == {"Which DB?": "SQLite, Postgres", "Which port?": "9999"}, out
    # The same call again has its answer already.
    assert Hook(agent, body).decision()["hookSpecificOutput"]["updatedInput"]["answers"]["Which port?"] == "9999"
    assert w.db.one("SELECT COUNT(*) FROM requests") == 2


@flow
def a_hook_that_leaves_takes_its_card_along(w):
    agent = start_agents(w)
    body = json.dumps(permission()).encode()
    s = socket.create_connection(("127.0.0.1", agent.program.port))
    s.sendall(f"POST /hooks/claude HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {AGENT_SECRET}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    m = card(w, contains="rm -rf")
    w.wait_idle()
    s.close()  # answered in the terminal
    w.wait_rows("SELECT state, reason FROM requests", [("cancelled", "the agent is no longer waiting")])
    wait_until(lambda: "Withdrawn" in m.text and not m.keyboard, "the card to say so")


@flow
def silence_is_a_refusal(w):
    agent = start_agents(w)
    hook = Hook(agent, permission(), **{"X-Steward-Timeout": "2"})
    m = card(w, contains="rm -rf")
    d = hook.decision()["hookSpecificOutput"]["decision"]
    assert d["behavior"] == "deny" and d["message"], d
    wait_until(lambda: not m.keyboard, "the card to close")
    hook = Hook(agent, {**permission(), "hook_event_name": "PreToolUse", "tool_use_id": "t9"}, **{"X-Steward-Timeout": "2"})
    out = hook.decision()["hookSpecificOutput"]
    assert out["permissionDecision"] == "deny" and out["permissionDecisionReason"], out
    hook = Hook(agent, permission("make"), **{"X-Steward-Timeout": "60"})
    card(w, contains="make")
    w.program.stop()  # a restart denies in so many words, too
    d = hook.decision()["hookSpecificOutput"]["decision"]
    assert d["behavior"] == "deny", d


@flow
def a_hook_may_attach_again(w):
    agent = start_agents(w)
    keep = {"X-Steward-Attach": "keep", "X-Steward-Request": "h-77", "X-Steward-Timeout": "600"}
    body = json.dumps(permission()).encode()
    head = (f"POST /hooks/claude HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {AGENT_SECRET}\r\nX-Steward-Attach: keep\r\n"
            f"X-Steward-Request: h-77\r\nContent-Length: {len(body)}\r\n\r\n").encode()
    s = socket.create_connection(("127.0.0.1", agent.program.port))
    s.sendall(head + body)
    m = card(w, contains="rm -rf")
    w.wait_idle()
    s.close()
    w.program.kill()
    w.start(NOTIFY_SECRET=AGENT_SECRET)
    agent = Agent(w.program)
    hook = Hook(agent, permission(), **keep)
    wait_until(lambda: "steward_agents_held 1" in agent.program.get("/metrics")[1], "the hook to be held")
    w.taps(m, "Allow")
    assert hook.decision()["hookSpecificOutput"]["decision"]["behavior"] == "allow"
    assert w.db.one("SELECT COUNT(*) FROM requests") == 1 and len([x for x in w.sent() if x.keyboard is not None and "rm -rf" in x.text]) == 1
    assert Hook(agent, permission("other"), **keep).thread.join(60) is None
    assert agent.program.request("POST", "/hooks/claude", json.dumps(permission("other")), {**BEARER, **keep})[0] == 409


@flow
def codex_speaks_its_own_dialect(w):
    agent = start_agents(w)
    body = {"session_id": "s", "turn_id": "t", "transcript_path": None, "cwd": "/src/api", "hook_event_name": "PermissionRequest",
            "model": "gpt", "permission_mode": "default", "tool_name": "Bash", "tool_input": {"command": "git push"}}
    hook = Hook(agent, body, "codex")
    m = card(w, contains="git push")
    assert not any("Always" in b or "session" in b for b in m.buttons), m.buttons
    w.taps(m, "Allow")
    assert hook.decision() == claude({"behavior": "allow"})
    hook = Hook(agent, {**body, "tool_input": {"command": "git push -f"}}, "codex")
    w.taps(card(w, contains="git push -f"), "Deny")
    d = hook.decision()
    assert set(d["hookSpecificOutput"]["decision"]) == {"behavior", "message"} and set(d) == {"hookSpecificOutput"}, d
    assert Hook(agent, {"type": "agent-turn-complete", "thread-id": "th", "turn-id": "1", "cwd": "/src/api", "input-messages": ["x"],
                        "last-assistant-message": "All tests pass now."}, "codex").decision() is None
    assert "api" in card(w, contains="All tests pass now.").text


@flow
def tells_and_ignores(w):
    agent = start_agents(w)
    base = {"session_id": "s", "cwd": "/x/shop", "transcript_path": "/t"}
    assert Hook(agent, {**base, "hook_event_name": "Stop", "stop_hook_active": False, "last_assistant_message": "Refactored the cart."}).decision() is None
    card(w, contains="Refactored the cart.")
    assert Hook(agent, {**base, "hook_event_name": "Notification", "message": "Claude is waiting for your input", "notification_type": "idle_prompt"}).decision() is None
    card(w, contains="waiting for your input")
    assert Hook(agent, {**base, "hook_event_name": "SessionStart", "source": "startup"}).decision() is None
    hook = Hook(agent, {**base, "hook_event_name": "Stop", "stop_hook_active": False, "last_assistant_message": "Done with step 1."}, **{"X-Steward-Next": "1"})
    w.telegram.user_replies(card(w, contains="Done with step 1."), "now write the tests")
    d = hook.decision()
    assert d["decision"] == "block" and "now write the tests" in d["reason"], d
    for bad in ({}, {"hook_event_name": 7}, {**base, "hook_event_name": "PermissionRequest"}):
        status, text, _ = agent.program.request("POST", "/hooks/claude", json.dumps(bad), BEARER)
        assert status == 400 and json.loads(text)["error"], (bad, status, text)


if __name__ == "__main__":
    sys.exit(main())
