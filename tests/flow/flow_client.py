# SPDX-License-Identifier: MIT
"""The asking side: notify, heartbeat, hook and setup, each the real binary against a strict fake of the agents' endpoints.

Most cases have no database: what is graded is what the person was asked, what was printed, and the exit code.  The last ones
run against the server itself.
"""
import glob
import json
import os
import socket
import re
import signal
import stat
import subprocess
import sys
import types

from harness import OWNER, PATIENCE, flow, free_port, main, wait_until
from agents import FakeAgents

BASH_CALL = {"session_id": "s-1", "transcript_path": "/t.jsonl", "cwd": "/home/ada/shop", "permission_mode": "default",
             "hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": "npm test"}, "tool_use_id": "toolu_1"}
PERMISSION = {"session_id": "s-1", "transcript_path": "/t.jsonl", "cwd": "/home/ada/shop", "permission_mode": "default",
              "hook_event_name": "PermissionRequest", "tool_name": "Bash", "tool_input": {"command": "rm -rf node_modules"}}
NOTICE = {"session_id": "s-1", "transcript_path": "/t.jsonl", "cwd": "/home/ada/shop", "hook_event_name": "Notification",
          "message": "Claude is waiting for your input", "notification_type": "idle_prompt"}
ALLOW = {"hookSpecificOutput": {"hookEventName": "PreToolUse", "permissionDecision": "allow"}}


class Client:
    """One run of a command, beside the test."""

    def __init__(self, w, server, arguments, stdin=None, program=None, **env):
        full = {k: v for k, v in os.environ.items() if k in ("PATH", "ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS")}
        full.update(HOME=w.scratch, CLAUDE_NOTIFY_URL=server.url if server else "http://127.0.0.1:1",
                    CLAUDE_NOTIFY_SECRET="agents-secret_1")
        full.update(env)
        self.process = subprocess.Popen([program or w.binary, *arguments], env={k: v for k, v in full.items() if v is not None},
                                        cwd=w.scratch, stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
                                        stdout=open(os.path.join(w.scratch, "out"), "wb"),
                                        stderr=open(os.path.join(w.scratch, "err"), "wb"))
        self.scratch = w.scratch
        if stdin is not None:
            self.process.stdin.write(stdin.encode())
            self.process.stdin.close()

    def text(self, name):
        with open(os.path.join(self.scratch, name), errors="replace") as f:
            return f.read()

    @property
    def err(self):
        return self.text("err")

    def end(self):
        try:
            code = self.process.wait(PATIENCE + 30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"the command did not end; stderr: {self.err}")
        for line in re.findall(r".*(?:AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:).*", self.err):
            raise AssertionError(f"sanitizer: {line}\n{self.err}")
        return code, self.text("out"), self.err

    def ended(self, code, out=None):
        got = self.end()
        assert got[0] == code and (out is None or got[1] == out), f"expected {code} {out!r}, got {got}"
        return got[2]


def notify(w, server, *arguments, **more):
    return Client(w, server, ["notify", *arguments], **more)


def hook(w, server, body, *arguments, agent="claude", **more):
    return Client(w, server, ["hook", agent, *arguments], stdin=body if isinstance(body, str) else json.dumps(body), **more)


# --- notify ---

@flow(databases=("sqlite",))
def prints_the_answer_alone(w):
    with FakeAgents() as s:
        c = notify(w, s, "blocking", "Deploy?", "Yes", "No", CLAUDE_NOTIFY_URL=s.url + "/send", CLAUDE_PROJECT="shop")
        r = s.wait_for_request()
        s.answer(r.id, "Yes")
        assert c.ended(0, "Yes\n") == ""
        assert r.content == {"project": "shop", "type": "blocking", "message": "Deploy?", "buttons": ["Yes", "No"],
                             "request_id": r.id}, r.content
        c = notify(w, s, "blocking", "Which?", "--multi", "a", "b", "--", "--c", CLAUDE_NOTIFY_URL=s.url + "/")
        r = s.wait_for_request()
        s.answer(r.id, "a, b", responses=["a", "b"])
        c.ended(0, "a, b\n")
        assert r.content["multi"] is True and r.content["buttons"] == ["a", "b", "--c"] and r.content["project"] == "unknown"
        c = notify(w, s, "blocking", "-", "--json", stdin="a question\nof two lines\n")
        r = s.wait_for_request()
        s.answer(r.id, "use port 5433 \u2013 \u00fcber all", free_text=True, how="text")
        whole = json.loads(Client.end(c)[1])
        assert whole == r.poll() and r.content["message"] == "a question\nof two lines", (whole, r.content)
        assert s.violations == []


@flow(databases=("sqlite",))
def options_reach_the_server(w):
    with open(os.path.join(w.scratch, "plan.md"), "w") as f:
        f.write("# Plan\n1. drop it\n")
    with FakeAgents() as s:
        c = notify(w, s, "blocking", "Drop it?", "yes", "no", "--details", "@" + os.path.join(w.scratch, "plan.md"), "--expires=24h",
                   "--default", "no", "--risk", "high", "--remind", "10m", "--quiet=22:00-07:00", "--request-id", "deploy:7",
                   "--project", "db", "--approver", "42", "--approver", "43", "--quorum", "2")
        r = s.wait_for_request()
        assert r.content == {"project": "db", "type": "blocking", "message": "Drop it?", "buttons": ["yes", "no"],
                             "details": "# Plan\n1. drop it\n", "details_name": "plan.md", "expires_in": 86400, "default": "no",
                             "risk": "high", "remind_every": 600, "quiet": "22:00-07:00", "request_id": "deploy:7",
                             "approvers": [42, 43], "quorum": 2}, r.content
        s.answer("deploy:7", "no")
        assert c.ended(0, "no\n") == "code: 47\n"
        # What only tells does not wait.
        notify(w, s, "milestone", "built", "--quiet", "--expires", "never").ended(0, "")
        assert s.calls_of("/send")[-1].body["quiet"] is True and s.calls_of("/send")[-1].body["expires_in"] == "never"


@flow(databases=("sqlite",))
def expired_and_cancelled_have_codes(w):
    with FakeAgents() as s:
        c = notify(w, s, "blocking", "Deploy?")
        s.expire(s.wait_for_request().id)
        assert "expired" in c.ended(3, "")
        c = notify(w, s, "blocking", "Deploy?")
        s.withdraw(s.wait_for_request().id, "wrong \x1b[31mnumber")
        err = c.ended(4, "")
        assert "cancelled: wrong" in err and "\x1b" not in err, err


@flow(databases=("sqlite",))
def waits_for_a_server_that_is_away(w):
    s = FakeAgents(port=free_port())
    c = notify(w, s, "blocking", "Deploy?", "Yes")
    wait_until(lambda: "cannot be reached" in c.err, "the sentence on stderr")
    s.start()
    try:
        r = s.wait_for_request()
        s.answer(r.id, "Yes")
        err = c.ended(0, "Yes\n")
        assert err.count("Trying again") == 1 and err.count("answers again") == 1, err
        assert len(s.calls_of("/send")) == 1
    finally:
        s.stop()


@flow(databases=("sqlite",))
def gives_up_with_a_code_of_its_own(w):
    s = FakeAgents(port=free_port())
    with socket.socket() as deaf:  # bound, so that nobody else takes the port, and refusing
        deaf.bind(("127.0.0.1", 0))
        err = notify(w, s, "milestone", "built", "--patience", "1s",
                     CLAUDE_NOTIFY_URL=f"http://ada:pass-word@127.0.0.1:{deaf.getsockname()[1]}").ended(5, "")
    assert "cannot be reached" in err and "Gave up" in err and "pass-word" not in err, err
    assert err.count("Trying again") == 1, err  # two tries, one state
    with s.start():
        s.fail("/send", code=503, times=99)
        err = notify(w, s, "milestone", "built", "--patience", "1s").ended(5, "")
        assert "503: Told to fail." in err, err


@flow(databases=("sqlite",))
def a_restart_while_waiting_loses_nothing(w):
    with FakeAgents(port=free_port()) as s:
        c = notify(w, s, "blocking", "Deploy?", "Yes")
        r = s.wait_for_request()
        s.wait_for_calls("/poll")
        s.stop()
        wait_until(lambda: "Trying again" in c.err, "the sentence on stderr")
        s.start()
        s.answer(r.id, "Yes")
        c.ended(0, "Yes\n")
        assert len(s.calls_of("/send")) == 1 and list(s.requests) == [r.id]


@flow(databases=("sqlite",))
def a_lost_answer_asks_once(w):
    with FakeAgents() as s:
        s.fail("/send", close="after")
        s.fail("/send", code=503, headers={"Retry-After": "1"})
        s.fail("/send", code=429, headers={"Retry-After": "1"})
        c = notify(w, s, "blocking", "Deploy?", "Yes")
        sent = s.wait_for_calls("/send", 4)
        assert len({call.body["request_id"] for call in sent}) == 1 and len(s.requests) == 1, s.calls
        s.answer(sent[0].body["request_id"], "Yes")
        err = c.ended(0, "Yes\n")
        assert err.count("Trying again") == 3, err  # lost, 503, 429: three states


@flow(databases=("sqlite",))
def refusals_are_final_and_say_why(w):
    with FakeAgents() as s:
        err = notify(w, s, "milestone", "built", CLAUDE_NOTIFY_SECRET="other-secret").ended(6, "")
        assert "refused the secret" in err and "other-secret" not in err, err
        assert "CLAUDE_NOTIFY_SECRET" in notify(w, s, "milestone", "built", CLAUDE_NOTIFY_SECRET=None).ended(6, "")
        s.fail("/send", code=400, body="message is too long.")
        assert "message is too long." in notify(w, s, "milestone", "built").ended(1, "")
        notify(w, s, "milestone", "built", "--request-id", "r1").ended(0, "")
        assert "taken" in notify(w, s, "milestone", "something else", "--request-id", "r1").ended(1, "")
        s.fail("/send", code=404, body=b"<html>nothing here</html>")
        assert "not as steward" in notify(w, s, "milestone", "built").ended(1, "")
        assert len(s.calls_of("/send")) == 5
        # The secret may come from a file, or as the server has it.
        with open(os.path.join(w.scratch, "secret"), "w") as f:
            f.write(s.secret + "\n")
        notify(w, s, "milestone", "built", CLAUDE_NOTIFY_SECRET=None, CLAUDE_NOTIFY_SECRET_FILE="secret").ended(0, "")
        notify(w, s, "milestone", "built", CLAUDE_NOTIFY_SECRET=None, CLAUDE_NOTIFY_URL=None, NOTIFY_SECRET=s.secret,
               PORT=str(s.port)).ended(0, "")


@flow(databases=("sqlite",))
def every_command_shows_its_help(w):
    code, out, err = w.command("help")
    names = re.findall(r"^  steward \[?(\w+)", out, re.M)
    assert code == 0 and not err and len(names) >= 19 and len(set(names)) == len(names), (names, err)
    assert w.command("--help") == w.command("-h") == (0, out, "")
    for name in names:
        code, text, err = w.command(name, "--help")
        assert (code, err) == (0, "") and text.startswith("usage: steward") and name in text.splitlines()[0], (name, text, err)
        assert w.command("help", name) == w.command(name, "-h") == (0, text, ""), name
        if name == "help":
            continue
        code, out, err = w.command(name, "--nonsense")
        usage = "".join(line + "\n" for line in text.splitlines() if line.startswith(("usage: ", "       steward")))
        assert code == 2 and out == "" and err.endswith(usage) and err.count("\n") > usage.count("\n"), (name, err)
    code, out, err = w.command("nonsense")
    assert code == 2 and out == "" and "no command" in err, err
    assert not os.path.exists(w.db.path), "nobody opened a database"


@flow(databases=("sqlite",))
def reading_makes_no_database(w):
    for command in (["search", "bread"], ["export"], ["export", "--vectors"], ["audit", "list"], ["audit", "verify"], ["reindex"], ["backup", "copy.db"],
                    ["import", "no-such-file"], ["import", "--vectors", "no-such-file"]):
        code, out, err = w.command(*command, env={"DATABASE_URL": "sqlite://missing.db"})
        assert code == 1 and out == "" and ("there is no database missing.db in" in err or command[0] == "import"), (command, out, err)
        assert not os.path.exists(os.path.join(w.scratch, "missing.db")), command
    code, out, err = w.command("import", env={"DATABASE_URL": "sqlite://missing.db"}, stdin='{"type":"note","content":"x"}\n')
    assert code == 0 and os.path.exists(os.path.join(w.scratch, "missing.db")), err


@flow(databases=("sqlite",))
def wrong_usage_asks_nobody(w):
    with FakeAgents() as s:
        for arguments in (["question", "x"], ["blocking"], [], ["blocking", " "], ["blocking", "x", "--expires", "soon"],
                          ["blocking", "x", "--risk", "low"], ["blocking", "x", "--request-id", "a b"], ["blocking", "x", "--nonsense"],
                          ["blocking", "x", "--details", "@/does/not/exist"], ["blocking", "-", "--details", "-"]):
            err = notify(w, s, *arguments, stdin="text").ended(2, "")
            assert err, arguments
        assert "no TYPE" in notify(w, s, "question", "x").ended(2, "")
        assert s.calls == []
        c = notify(w, s, "--help")
        assert c.end()[0] == 0 and "exit:" in c.text("out")


@flow(databases=("sqlite",))
def a_signal_withdraws_the_request(w):
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        with FakeAgents() as s:
            c = notify(w, s, "blocking", "Deploy?", "Yes")
            r = s.wait_for_request()
            s.wait_for_calls("/poll")
            c.process.send_signal(number)
            c.ended(code, "")
            assert r.status == "cancelled", r.status
    # Nobody to withdraw it from: it ends all the same.
    s = FakeAgents(port=free_port())
    c = notify(w, s, "blocking", "Deploy?")
    wait_until(lambda: "Trying again" in c.err, "the sentence on stderr")
    c.process.send_signal(signal.SIGINT)
    c.ended(130, "")


@flow(databases=("sqlite",))
def a_timeout_withdraws_or_finds_the_answer(w):
    with FakeAgents() as s:
        c = notify(w, s, "blocking", "Deploy?", "--timeout", "1s")
        assert "--timeout" in c.ended(4, "")
        assert [r.status for r in s.requests.values()] == ["cancelled"]
        # The person was faster than the withdrawal, but no poll could tell.
        s.fail("/poll", code=503, times=99)
        c = notify(w, s, "blocking", "Deploy?", "Yes", "--timeout", "3s")
        s.answer(s.wait_for_request().id, "Yes")
        c.ended(0, "Yes\n")
        assert len(s.calls_of("/cancel")) == 2


@flow(databases=("sqlite",))
def claude_notify_is_a_name_of_it(w):
    link = os.path.join(w.scratch, "claude-notify")
    os.symlink(w.binary, link)
    with FakeAgents() as s:
        c = Client(w, s, ["-c", 'RESPONSE=$(claude-notify blocking "Question?" "Yes" "No"); echo "code $? <$RESPONSE>"'],
                   program="/bin/sh", PATH=w.scratch + ":" + os.environ["PATH"])
        r = s.wait_for_request()
        assert r.content["buttons"] == ["Yes", "No"] and r.content["message"] == "Question?"
        s.answer(r.id, "No")
        c.ended(0, "code 0 <No>\n")


# --- heartbeat ---

def messages(server):
    return [(c.body["type"], c.body["message"]) for c in server.calls_of("/send")]


@flow(databases=("sqlite",))
def heartbeat_tells_and_returns_the_exit_code(w):
    with FakeAgents() as s:
        c = Client(w, s, ["heartbeat", "--every", "1s", "--project", "shop", "--", "sh", "-c", "read x; echo got $x; sleep 2; exit 3"],
                   stdin="input\n")
        assert c.ended(3, "got input\n") == ""
        told = messages(s)
        assert told[0] == ("heartbeat", "started: sh -c read x; echo got $x; sleep 2; exit 3"), told
        assert ("heartbeat", "running for 1 s: sh -c read x; echo got $x; sleep 2; exit 3") in told, told
        assert told[-1][0] == "error" and told[-1][1].startswith("failed with exit code 3 after "), told
        assert {call.body["project"] for call in s.calls_of("/send")} == {"shop"}
        Client(w, s, ["heartbeat", "--name", "the build", "true"]).ended(0, "")
        assert messages(s)[-2:] == [("heartbeat", "started: the build"), ("milestone", "finished after 0 s: the build")]
        assert "no-such-command" in Client(w, s, ["heartbeat", "no-such-command"]).ended(127, "")
        Client(w, s, ["heartbeat", "--every", "often", "true"]).ended(2, "")
        assert s.violations == []


@flow(databases=("sqlite",))
def heartbeat_passes_signals_on(w):
    with FakeAgents() as s:
        c = Client(w, s, ["heartbeat", "sh", "-c", "trap 'echo got it; exit 7' USR1; echo ready; while :; do sleep 0.05; done"])
        wait_until(lambda: "ready" in c.text("out"), "the command")
        c.process.send_signal(signal.SIGUSR1)
        c.ended(7, "ready\ngot it\n")
        c = Client(w, s, ["heartbeat", "--name", "sleep", "sh", "-c", "echo ready; exec sleep 1000"])
        wait_until(lambda: "ready" in c.text("out"), "the command")
        c.process.send_signal(signal.SIGTERM)
        c.ended(143, "ready\n")
        assert messages(s)[-1][0] == "error" and "ended by signal 15" in messages(s)[-1][1], messages(s)


@flow(databases=("sqlite",))
def heartbeat_never_disturbs_the_command(w):
    s = FakeAgents(port=free_port())
    err = Client(w, s, ["heartbeat", "sh", "-c", "echo done; exit 4"]).ended(4, "done\n")
    assert "cannot be reached" in err, err
    err = Client(w, s, ["heartbeat", "sh", "-c", "exit 5"], CLAUDE_NOTIFY_SECRET=None).ended(5, "")
    assert "nothing will be told" in err, err


# --- hook ---

@flow(databases=("sqlite",))
def hook_prints_the_decision(w):
    with FakeAgents(hold_scale=0.03) as s:  # 202 after 1.7 s: the same call is posted again
        c = hook(w, s, BASH_CALL, "--timeout", "300")
        r = s.wait_for_request()
        calls = s.wait_for_calls("/hooks/claude", 2)
        assert [call.body for call in calls] == [BASH_CALL] * 2
        assert {f"hook:{call.headers['x-steward-request']}:1" for call in calls} == {r.id}
        assert all(290 <= int(call.headers["x-steward-timeout"]) <= 300 for call in calls), calls[0].headers
        assert "x-steward-project" not in calls[0].headers
        s.decide(r.id, ALLOW)
        c.end()
        assert c.process.returncode == 0 and json.loads(c.text("out")) == ALLOW and c.err == "", c.err
        c = hook(w, s, PERMISSION, agent="codex", CLAUDE_PROJECT="shop")
        r = s.wait_for_request()
        s.decide(r.id, "")  # no decision: the agent's own prompt
        c.ended(0, "")
        assert s.calls_of("/hooks/codex")[0].headers["x-steward-project"] == "shop"
        assert int(s.calls_of("/hooks/codex")[0].headers["x-steward-timeout"]) <= 590


def denied(c, event):
    code, out, err = c.end()
    assert code == 0, (code, out, err)
    o = json.loads(out)["hookSpecificOutput"]
    assert o["hookEventName"] == event, o
    if event == "PreToolUse":
        assert o["permissionDecision"] == "deny", o
        return o["permissionDecisionReason"], err
    assert o["decision"]["behavior"] == "deny", o
    return o["decision"]["message"], err


@flow(databases=("sqlite",))
def hook_fails_closed(w):
    s = FakeAgents(port=free_port())
    for agent, body in (("claude", PERMISSION), ("claude", BASH_CALL), ("codex", PERMISSION)):
        why, err = denied(hook(w, s, body, "--patience", "1s", agent=agent), body["hook_event_name"])
        assert "cannot be reached" in why and "cannot be reached" in err, (why, err)
    assert "cannot be reached" in hook(w, s, PERMISSION, "--patience", "1s", "--on-failure", "ask").ended(0, "")
    assert "cannot be reached" in hook(w, s, NOTICE, "--patience", "1s").ended(0, "")
    with s.start():
        why, err = denied(hook(w, s, PERMISSION, CLAUDE_NOTIFY_SECRET="other-secret"), "PermissionRequest")
        assert "refused the secret" in why and "other-secret" not in why + err, why
        why, _ = denied(hook(w, s, BASH_CALL, CLAUDE_NOTIFY_SECRET=None), "PreToolUse")
        assert "CLAUDE_NOTIFY_SECRET" in why, why
        large = dict(BASH_CALL, tool_input={"command": "x" * 1100000})
        why, _ = denied(hook(w, s, large), "PreToolUse")
        assert "too large" in why, why
        assert not s.requests
        for broken in ("not json", "[]", json.dumps(dict(PERMISSION, tool_name=7)), ""):
            assert "cannot be read" in hook(w, s, broken).ended(2, ""), broken
        assert "cannot be read" in hook(w, s, "not json", "--on-failure", "ask").ended(0, "")


@flow(databases=("sqlite",))
def hook_says_no_in_time(w):
    with FakeAgents() as s:
        denied(hook(w, s, PERMISSION, "--timeout", "2"), "PermissionRequest")
        assert [r.status for r in s.requests.values()] == ["cancelled"]
        # The person was faster than the withdrawal: theirs counts.
        s.requests.clear()
        s.fail("/hooks/claude", close="after")
        c = hook(w, s, BASH_CALL, "--timeout", "3")
        r = s.wait_for_request()
        s.decide(r.id, ALLOW)
        c.end()
        assert json.loads(c.text("out")) == ALLOW, c.text("out")


@flow(databases=("sqlite",))
def hook_that_is_ended_withdraws(w):
    with FakeAgents() as s:
        c = hook(w, s, PERMISSION)
        r = s.wait_for_request()
        c.process.send_signal(signal.SIGTERM)
        c.ended(143, "")
        assert r.status == "cancelled"
        # A call of several questions has several cards.
        c = hook(w, s, dict(BASH_CALL, tool_name="AskUserQuestion", tool_input={"questions": [
            {"question": q, "header": q, "multiSelect": False, "options": [{"label": "a"}, {"label": "b"}]} for q in ("One?", "Two?")]}))
        s.wait_for(lambda: len(s.requests) == 3, "two cards")
        c.process.send_signal(signal.SIGTERM)
        c.ended(143, "")
        assert [x.status for x in s.requests.values()] == ["cancelled"] * 3, s.requests
        # The agent dies without a word: nobody is left to answer to.
        body = os.path.join(w.scratch, "call.json")
        with open(body, "w") as f:
            json.dump(PERMISSION, f)
        c = Client(w, s, ["-c", f"{w.binary} hook claude < {body}; true"], program="/bin/sh")
        r = s.wait_for_request()
        c.process.kill()
        c.process.wait()
        s.wait_for(lambda: r.status == "cancelled", "the withdrawal")


@flow(databases=("sqlite",))
def hook_passes_notices_on(w):
    turn = {"type": "agent-turn-complete", "thread-id": "t-1", "turn-id": "1", "cwd": "/home/ada/shop", "input-messages": ["go"],
            "last-assistant-message": "Done."}
    with FakeAgents() as s:
        Client(w, s, ["hook", "codex", json.dumps(turn)]).ended(0, "")
        assert s.calls_of("/hooks/codex")[0].body == turn
        hook(w, s, NOTICE).ended(0, "")
        assert s.calls_of("/hooks/claude")[0].body == NOTICE
        Client(w, s, ["hook", "cursor"]).ended(2, "")
        stop = {"session_id": "s-1", "transcript_path": "/t.jsonl", "cwd": "/home/ada/shop", "hook_event_name": "Stop",
                "stop_hook_active": False, "last_assistant_message": "Done."}
        hook(w, s, stop).ended(0, "")
        assert "x-steward-next" not in s.calls_of("/hooks/claude")[-1].headers
        c = hook(w, s, stop, "--next")
        s.decide(s.wait_for_request().id, {"decision": "block", "reason": "now the tests"})
        assert json.loads(c.end()[1]) == {"decision": "block", "reason": "now the tests"}
        hook(w, s, stop, "--next", "--timeout", "1").ended(0, "")  # nobody says anything: the agent stops


# --- setup ---

def setup(w, *arguments, **env):
    c = Client(w, None, ["setup", *arguments], **env)
    return c.end()


@flow(databases=("sqlite",))
def setup_prints_what_fits(w):
    code, out, err = setup(w, "claude")
    hooks = json.loads(out)["hooks"]
    assert code == 0 and set(hooks) == {"PermissionRequest", "PreToolUse", "Notification", "Stop"}, out
    entry = hooks["PermissionRequest"][0]["hooks"][0]
    assert entry["type"] == "command" and entry["timeout"] == 86400, entry
    assert re.search(r"hook claude --timeout 86390$", entry["command"]), entry
    assert hooks["PreToolUse"][0]["matcher"] == "AskUserQuestion|ExitPlanMode"
    assert "claude mcp add" in err and not os.path.exists(os.path.join(w.scratch, ".claude"))
    # The printed command is one that works.
    with FakeAgents() as s:
        c = Client(w, s, ["-c", entry["command"]], program="/bin/sh", stdin=json.dumps(BASH_CALL))
        s.decide(s.wait_for_request().id, ALLOW)
        assert json.loads(c.end()[1]) == ALLOW
    code, out, _ = setup(w, "claude", "--http", CLAUDE_NOTIFY_URL="https://steward.example/")
    entry = json.loads(out)["hooks"]["PermissionRequest"][0]["hooks"][0]
    assert entry == {"type": "http", "url": "https://steward.example/hooks/claude", "timeout": 86400,
                     "headers": {"Authorization": "Bearer $CLAUDE_NOTIFY_SECRET", "X-Steward-Timeout": "86400"},
                     "allowedEnvVars": ["CLAUDE_NOTIFY_SECRET"]}, entry
    assert setup(w, "claude", "--http", CLAUDE_NOTIFY_URL="https://ada:pass-word@steward.example")[:2] == (1, "")
    code, out, _ = setup(w, "codex")
    assert code == 0 and '"hook", "codex"]' in out and "[mcp_servers.steward]" in out and "agents-secret_1" not in out, out
    assert setup(w, "cursor")[0] == 2 and setup(w, "codex", "--http")[0] == 1


@flow(databases=("sqlite",))
def setup_merges_once_and_keeps_the_rest(w):
    folder = os.path.join(w.scratch, ".claude")
    real, path = os.path.join(w.scratch, "dotfiles.json"), os.path.join(folder, "settings.json")
    own = {"model": "opus", "limit": 1.50, "hooks": {"Stop": [{"hooks": [{"type": "command", "command": "say done"}]}],
                                                    "PermissionRequest": [{"matcher": "Bash", "hooks": [
                                                        {"type": "command", "command": "/opt/steward hook claude --on-failure ask"}]}]}}
    before = json.dumps(own)
    os.mkdir(folder)
    with open(real, "w") as f:
        f.write(before)
    os.chmod(real, 0o640)
    os.symlink(real, path)
    code, _, err = setup(w, "claude", "--write")
    assert code == 0 and "Already there: PermissionRequest" in err and "Added: PreToolUse, Notification, Stop" in err, err
    now = json.load(open(path))
    assert now["model"] == "opus" and now["limit"] == 1.5 and list(now) == ["model", "limit", "hooks"]
    assert now["hooks"]["PermissionRequest"] == own["hooks"]["PermissionRequest"]
    assert now["hooks"]["Stop"][0] == own["hooks"]["Stop"][0] and len(now["hooks"]["Stop"]) == 2
    assert os.path.islink(path) and stat.S_IMODE(os.stat(real).st_mode) == 0o640
    backups = glob.glob(real + ".bak-*")
    assert len(backups) == 1 and re.search(r"\.bak-\d{8}-\d{6}$", backups[0]), backups
    assert open(backups[0]).read() == before and "agents-secret_1" not in open(path).read()
    text = open(path).read()
    assert setup(w, "claude", "--write")[0] == 0
    assert open(path).read() == text and len(glob.glob(real + "*")) == 2, os.listdir(w.scratch)
    # A file that no agent could read either is not touched.
    for broken in ('{"model": "opus",}', '{"hooks": []}', "[]", '{"hooks": {"Stop": {}}}'):
        with open(real, "w") as f:
            f.write(broken)
        code, _, err = setup(w, "claude", "--write")
        assert code == 1 and real in err and open(real).read() == broken, (broken, err)
    assert len(glob.glob(real + ".bak-*")) == 1


@flow(databases=("sqlite",))
def setup_merges_codex(w):
    folder = os.path.join(w.scratch, ".codex")
    toml, hooks = os.path.join(folder, "config.toml"), os.path.join(folder, "hooks.json")
    assert setup(w, "codex", "--write")[0] == 0  # nothing there: folders and files are made
    assert "PermissionRequest" in json.load(open(hooks))["hooks"] and stat.S_IMODE(os.stat(toml).st_mode) == 0o600
    with open(toml, "w") as f:
        f.write('model = "gpt"\n\n[tui]\nnotifications = true')
    assert setup(w, "codex", "--write")[0] == 0
    text = open(toml).read()
    try:
        import tomllib
        o = tomllib.loads(text)
        assert o["notify"][1:] == ["hook", "codex"] and o["model"] == "gpt" and o["tui"] == {"notifications": True}, o
        assert o["mcp_servers"]["steward"]["args"] == ["mcp"], o
    except ImportError:  # before Python 3.11
        assert text.startswith("notify = ") and "\n[mcp_servers.steward]\n" in text
    assert setup(w, "codex", "--write")[0] == 0 and open(toml).read() == text
    assert len(glob.glob(toml + ".bak-*")) == 1 and not glob.glob(hooks + ".bak-*")
    with open(toml, "w") as f:
        f.write('notify = ["say"]\n[mcp_servers.steward]\ncommand = "mine"\n')
    code, _, err = setup(w, "codex", "--write")
    assert code == 0 and 'now:  notify = ["say"]' in err and open(toml).read().count("notify") == 1, err


# --- against the server itself ---

def real(w):
    p = w.start_assistant(NOTIFY_SECRET="agents-secret_1")
    return p, types.SimpleNamespace(url=f"http://127.0.0.1:{p.port}")


def card(w, words):
    return wait_until(lambda: next((m for m in w.telegram.messages(OWNER, from_bot=True) if words in (m.text or "")), None),
                      f"a card with {words!r}")


@flow
def a_tap_reaches_the_shell(w):
    p, s = real(w)
    c = notify(w, s, "blocking", "Deploy the shop?", "Yes", "No", "--request-id", "deploy-1")
    message = card(w, "Deploy the shop?")
    p.stop()
    wait_until(lambda: "Trying again" in c.err, "the sentence on stderr")
    p.start()
    w.taps(message, "No")
    c.ended(0, "No\n")
    w.wait_rows("SELECT request_id, state, response FROM requests", [("deploy-1", "responded", "No")])
    notify(w, s, "blocking", "Deploy the shop?", "Yes", "No", "--request-id", "deploy-1").ended(0, "No\n")
    c = notify(w, s, "blocking", "Drop it?", "Yes", "--request-id", "drop-1")
    card(w, "Drop it?")
    c.process.send_signal(signal.SIGINT)
    c.ended(130, "")
    w.wait_rows("SELECT state FROM requests WHERE request_id = 'drop-1'", [("cancelled",)])
    notify(w, s, "blocking", "In a second?", "--expires", "1s").ended(3, "")
    Client(w, s, ["heartbeat", "--name", "the build", "false"]).ended(1, "")
    card(w, "failed with exit code 1")


@flow
def a_tap_decides_a_hook(w):
    _, s = real(w)
    c = hook(w, s, PERMISSION)
    w.taps(card(w, "rm -rf node_modules"), "Allow")
    code, out, err = c.end()
    assert code == 0 and json.loads(out)["hookSpecificOutput"]["decision"]["behavior"] == "allow", (code, out, err)
    two = {"questions": [{"question": q, "header": q, "multiSelect": False, "options": [{"label": "Left"}, {"label": "Right"}]}
                         for q in ("One?", "Two?")]}
    c = hook(w, s, dict(BASH_CALL, tool_name="AskUserQuestion", tool_input=two, tool_use_id="toolu_2"))
    w.taps(card(w, "One?"), "Left")
    card(w, "Two?")
    c.process.send_signal(signal.SIGTERM)
    c.ended(143, "")
    w.wait_rows("SELECT state FROM requests ORDER BY id", [("responded",), ("responded",), ("cancelled",)])


if __name__ == "__main__":
    sys.exit(main())
