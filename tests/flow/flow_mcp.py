#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""steward mcp: both eras of the protocol, strictly, against a fake of the agents' endpoints; and once against the real one."""
import fcntl
import json
import os
import signal
import struct
import subprocess
import sys
import termios
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import PATIENCE, flow, main, wait_until  # noqa: E402
from agents import FakeAgents  # noqa: E402

MODERN, LEGACY = "2026-07-28", "2025-11-25"
META = "io.modelcontextprotocol/"
VERSION_KEY, CAPABILITIES_KEY, INFO_KEY = META + "protocolVersion", META + "clientCapabilities", META + "clientInfo"


def same_keys(o, required, optional=()):
    assert set(required) <= set(o) <= set(required) | set(optional), o


class Client:
    """A client that believes nothing: every line is judged by the shapes of its era."""

    def __init__(self, binary, scratch, server=None, era=MODERN, options=(), **env):
        base = {k: v for k, v in os.environ.items() if k in ("PATH", "ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS")}
        if server:
            base.update(CLAUDE_NOTIFY_URL=server.url, CLAUDE_NOTIFY_SECRET=server.secret)
        base.update(CLAUDE_PROJECT="shop", **env)
        self.era, self.version = era, era
        self.ids = iter(range(1, 10 ** 6))
        self.answers, self.progress, self.strays = {}, {}, []
        self.changed = threading.Condition()
        self.ended = self.stalled = False
        self.reading = threading.Event()
        self.reading.set()
        self.errors = open(os.path.join(scratch, f"mcp-{id(self)}"), "w+", encoding="utf-8")
        self.process = subprocess.Popen([binary, "mcp", *options], env={k: v for k, v in base.items() if v is not None},
                                        cwd=scratch, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    # --- lines ---

    def _read(self):
        for line in self.process.stdout:
            if not self.reading.is_set():
                with self.changed:
                    self.stalled = True
                    self.changed.notify_all()
                return
            with self.changed:
                try:
                    self._take(line)
                except Exception as e:  # noqa: BLE001 told by finish()
                    self.strays.append((repr(e), line))
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def _take(self, line):
        assert line.endswith(b"\n") and b"\r" not in line
        o = json.loads(line.decode("utf-8"), object_pairs_hook=unique)
        assert isinstance(o, dict) and o["jsonrpc"] == "2.0", o
        if "method" in o:
            self._take_progress(o)
            return
        if "error" in o:
            same_keys(o, ("jsonrpc", "error"), ("id",))
            same_keys(o["error"], ("code", "message"), ("data",))
            assert type(o["error"]["code"]) is int and isinstance(o["error"]["message"], str) and o["error"]["message"]
        else:
            same_keys(o, ("jsonrpc", "id", "result"))
            assert isinstance(o["result"], dict)
        key = json.dumps(o.get("id"))
        assert key == "null" and "id" not in o or key not in self.answers, "answered twice"
        self.answers.setdefault(key, []).append(o)

    def _take_progress(self, o):
        same_keys(o, ("jsonrpc", "method", "params"))
        assert o["method"] == "notifications/progress", o
        p = o["params"]
        same_keys(p, ("progressToken", "progress", "message"))
        seen = self.progress.setdefault(json.dumps(p["progressToken"]), [])
        assert not seen or p["progress"] > seen[-1]["progress"], "progress must grow"
        assert not any(json.dumps(p["progressToken"]) == f'"token-{k}"' for k in self.answers), "progress after the answer"
        seen.append(p)

    def raw(self, data):
        self.process.stdin.write(data if isinstance(data, bytes) else data.encode())
        self.process.stdin.flush()

    def line(self, o):
        self.raw(json.dumps(o) + "\n")

    # --- requests ---

    def ask(self, method, params=None, request_id=None, meta=True, progress=False):
        request_id = next(self.ids) if request_id is None else request_id
        params = dict(params or {})
        m = {}
        if self.era == MODERN and meta:
            m = {VERSION_KEY: self.version, INFO_KEY: {"name": "flow", "version": "1"}, CAPABILITIES_KEY: {}}
        if progress:
            m["progressToken"] = f"token-{json.dumps(request_id)}"
        if m:
            params["_meta"] = m
        self.line({"jsonrpc": "2.0", "id": request_id, "method": method, **({"params": params} if params else {})})
        return request_id

    def wait(self, question, what):
        with self.changed:
            assert self.changed.wait_for(lambda: question() or self.ended or self.strays, PATIENCE), f"gave up waiting for {what}"
            assert not self.strays, self.strays
            answer = question()
            assert answer, f"the output ended before {what}; {self.stderr()}"
            return answer

    def answer(self, request_id):
        """The whole answer to a request; its id comes back in its own type."""
        o = self.wait(lambda: self.answers.get(json.dumps(request_id)), f"the answer to {request_id!r}")[0]
        assert type(o["id"]) is type(request_id)
        return o

    def result(self, request_id):
        o = self.answer(request_id)
        assert "result" in o, o
        r = dict(o["result"])
        if self.era == MODERN:
            assert r.pop("resultType") == "complete"
            info = r.pop("_meta")
            same_keys(info, (META + "serverInfo",))
            same_keys(info[META + "serverInfo"], ("name", "version"))
            assert info[META + "serverInfo"]["name"] == "steward"
        else:
            assert not {"resultType", "_meta", "ttlMs", "cacheScope"} & set(r)
        return r

    def error(self, request_id):
        o = self.answer(request_id)
        assert "error" in o, o
        return o["error"]

    def unnamed_error(self):
        """The next error without an id."""
        o = self.wait(lambda: self.answers.get("null"), "an error without an id").pop(0)
        assert "id" not in o
        return o["error"]

    def initialize(self, version=LEGACY):
        r = self.result(self.ask("initialize", {"protocolVersion": version, "capabilities": {},
                                                "clientInfo": {"name": "flow", "version": "1"}}))
        same_keys(r, ("protocolVersion", "capabilities", "serverInfo", "instructions"))
        assert r["capabilities"] == {"tools": {}} and r["serverInfo"]["name"] == "steward" and r["instructions"]
        self.line({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return r["protocolVersion"]

    def call(self, tool, arguments, **more):
        return self.ask("tools/call", {"name": tool, "arguments": arguments}, **more)

    def tool_result(self, request_id):
        """(text, structuredContent, isError) of a call."""
        r = self.result(request_id)
        same_keys(r, ("content", "isError"), ("structuredContent",))
        assert len(r["content"]) == 1 and r["content"][0]["type"] == "text"
        same_keys(r["content"][0], ("type", "text"))
        return r["content"][0]["text"], r.get("structuredContent"), r["isError"]

    def decision(self, request_id):
        """What approve decided, judged as its host does."""
        text, structured, is_error = self.tool_result(request_id)
        assert structured is None and not is_error
        o = json.loads(text)
        if o["behavior"] == "allow":
            same_keys(o, ("behavior", "updatedInput"))
            assert isinstance(o["updatedInput"], dict)
        else:
            assert o["behavior"] == "deny"
            same_keys(o, ("behavior", "message"))
            assert o["message"]
        return o

    # --- a reader that does not read ---

    def stall(self):
        self.reading.clear()
        self.ask("tools/list", request_id="stall")  # wakes the reader, which then stops
        self.wait(lambda: self.stalled, "the reader to stop")

    def unread(self):
        time.sleep(0.05)
        return struct.unpack("i", fcntl.ioctl(self.process.stdout.fileno(), termios.FIONREAD, b"\0" * 4))[0]

    # --- the end ---

    def stderr(self):
        self.errors.flush()
        with open(self.errors.name, encoding="utf-8", errors="replace") as f:
            return f.read()

    def finish(self, code=0, stop=None):
        """End of input (or a signal); the program ends by itself and has said nothing but messages."""
        if stop:
            self.process.send_signal(stop)
        else:
            self.process.stdin.close()
        try:
            ended = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError("it did not end") from None
        self.reader.join(PATIENCE)
        errors = self.stderr()
        for word in ("AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:"):
            assert word not in errors, errors
        assert not self.strays, self.strays
        assert ended == code, (ended, errors)
        return errors


def unique(pairs):
    o = dict(pairs)
    assert len(o) == len(pairs), f"a key twice: {pairs}"
    return o


def start(w, server=None, era=MODERN, options=("--progress", "1s", "--patience", "3s"), **env):
    return Client(w.binary, w.scratch, server, era, options, **env)


def no_databases(fn):
    return flow(fn, databases=("sqlite",))


# --- the protocol ---

def check_tools(tools):
    assert [t["name"] for t in tools] == ["ask_human", "notify_human", "approve"]
    for t in tools:
        same_keys(t, ("name", "title", "description", "inputSchema", "annotations"), ("outputSchema",))
        s = t["inputSchema"]
        assert s["type"] == "object" and set(s["required"]) <= set(s["properties"])
        assert len(t["description"]) > 80 and all(p["description"] for p in s["properties"].values())
    ask, notify, approve = tools
    assert set(ask["inputSchema"]["properties"]) == {"question", "options", "details", "multi", "expires_in", "risk"}
    assert ask["inputSchema"]["required"] == ["question"] and ask["inputSchema"]["additionalProperties"] is False
    assert ask["outputSchema"]["required"] == ["status"]
    assert notify["inputSchema"]["properties"]["type"]["enum"] == ["milestone", "error"]
    assert approve["inputSchema"]["required"] == ["tool_name", "input"] and "additionalProperties" not in approve["inputSchema"]


@no_databases
def speaks_the_modern_era(w):
    c = start(w)
    r = c.result(c.ask("server/discover"))
    same_keys(r, ("supportedVersions", "capabilities", "instructions", "ttlMs", "cacheScope"))
    assert r["supportedVersions"] == [MODERN] and r["capabilities"] == {"tools": {}}
    assert type(r["ttlMs"]) is int and r["ttlMs"] >= 0 and r["cacheScope"] == "public"
    r = c.result(c.ask("tools/list"))
    same_keys(r, ("tools", "ttlMs", "cacheScope"))
    check_tools(r["tools"])
    assert c.error(c.ask("tools/list", {"cursor": "2"}))["code"] == -32602
    # Versions we do not speak, the legacy ones among them, and a request that is not complete.
    for c.version in ("2027-01-01", LEGACY, ""):
        e = c.error(c.ask("tools/list"))
        assert e["code"] == -32022 and e["data"] == {"supported": [MODERN], "requested": c.version}
    c.version = MODERN
    for meta in ({VERSION_KEY: MODERN}, {VERSION_KEY: MODERN, CAPABILITIES_KEY: None}, {VERSION_KEY: 7, CAPABILITIES_KEY: {}},
                 {CAPABILITIES_KEY: {}}, {}):
        assert c.error(c.ask("server/discover", {"_meta": meta}, meta=False))["code"] == -32602, meta
    assert c.error(c.ask("tools/list", meta=False))["code"] == -32602
    for gone in ("ping", "initialize", "logging/setLevel", "resources/list", "prompts/list", "tools/cal", ""):
        assert c.error(c.ask(gone))["code"] == -32601, gone
    c.finish()


@no_databases
def speaks_the_legacy_era(w):
    for wanted, got in ((LEGACY, LEGACY), ("2025-06-18", "2025-06-18"), ("2025-03-26", "2025-03-26"), ("2024-11-05", "2024-11-05"),
                        ("1999-01-01", LEGACY), (MODERN, LEGACY)):
        c = start(w, era=LEGACY)
        assert c.result(c.ask("ping")) == {}  # the one request that may come before
        assert c.error(c.ask("tools/list"))["code"] == -32602
        assert c.error(c.ask("initialize", {"capabilities": {}}))["code"] == -32602
        assert c.initialize(wanted) == got
        r = c.result(c.ask("tools/list"))
        same_keys(r, ("tools",))
        check_tools(r["tools"])
        assert c.result(c.ask("ping")) == {}
        assert c.error(c.ask("server/discover"))["code"] == -32601
        assert c.error(c.ask("resources/list"))["code"] == -32601
        c.finish()


@no_databases
def probes_first_and_mixes_eras(w):
    """A client that probes for a version of tomorrow, falls back, and a modern request beside a legacy session."""
    c = start(w, era=LEGACY)
    probe = {"_meta": {VERSION_KEY: "2030-01-01", CAPABILITIES_KEY: {}}}
    assert c.error(c.ask("server/discover", probe))["code"] == -32022
    assert c.initialize() == LEGACY
    c.era = c.version = MODERN
    check_tools(c.result(c.ask("tools/list"))["tools"])
    c.era = LEGACY
    check_tools(c.result(c.ask("tools/list"))["tools"])
    c.finish()


@no_databases
def refuses_what_is_no_message(w):
    c = start(w, era=LEGACY)
    c.initialize()
    for text, code in (("rubbish", -32700), ("{", -32700), ('{"jsonrpc":"2.0",}', -32700), ("\xff", -32700), ("NaN", -32700),
                       ("[]", -32600), ('[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600), ("7", -32600), ("null", -32600),
                       ('"ping"', -32600), ("{}", -32600), ('{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600),
                       ('{"jsonrpc":"2.0","id":1.5,"method":"ping"}', -32600), ('{"jsonrpc":"2.0","id":[1],"method":"ping"}', -32600)):
        c.raw(text.encode("latin-1") + b"\n")
        assert c.unnamed_error()["code"] == code, text
    for i, (o, code) in enumerate((({"jsonrpc": "1.0", "method": "ping"}, -32600), ({"method": "ping"}, -32600),
                                   ({"jsonrpc": "2.0"}, -32600), ({"jsonrpc": "2.0", "method": 7}, -32600),
                                   ({"jsonrpc": "2.0", "method": "ping", "params": []}, -32602),
                                   ({"jsonrpc": "2.0", "method": "tools/call"}, -32602),
                                   ({"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "rm"}}, -32602),
                                   ({"jsonrpc": "2.0", "method": "tools/call", "params": {"name": 7}}, -32602),
                                   ({"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "approve", "arguments": []}}, -32602))):
        c.line({"id": f"bad-{i}", **o})
        assert c.error(f"bad-{i}")["code"] == code, o
    # Not JSON as we read it, but the id can be made out: the client must not wait for ever.
    c.raw('{"jsonrpc":"2.0","method":"tools/call","params":{"name":"x","arguments":{"id":9,"a":"\\ud800"}},"id":"lone"}\n')
    assert c.error("lone")["code"] == -32700
    c.raw('{"id":77,"jsonrpc":"2.0","method":"ping","params":' + '{"a":' * 60 + "1" + "}" * 60 + "}\n")
    assert c.error(77)["code"] == -32700
    # Ids come back as they were; notifications and stray responses are met with silence.
    for request_id in (0, -7, 2 ** 53 + 1, "", "ä \" \\ \n", "7"):
        assert c.result(c.ask("ping", request_id=request_id)) == {}
    for o in ({"method": "notifications/unknown"}, {"method": "ping"}, {"method": "notifications/cancelled"},
              {"method": "notifications/cancelled", "params": {"requestId": 12345}}, {"method": "tools/call", "params": {"name": 1}},
              {"id": 5, "result": {}}, {"id": 6, "error": {"code": 1, "message": "x"}}):
        c.line({"jsonrpc": "2.0", **o})
    c.raw(b"\n  \r\n")
    c.raw(b'{"jsonrpc":"2.0","id":"crlf","method":"ping"}\r\n')
    assert c.result("crlf") == {}
    # A line in pieces; one that is too long does not take the next one with it.
    for piece in (b'{"jsonrpc":"2.0",', b'"id":"pieces",', b'"method":"ping"}\n{"jsonrpc":"2.0","id":"two","met', b'hod":"ping"}\n'):
        c.raw(piece)
    assert c.result("pieces") == {} and c.result("two") == {}
    c.raw(b'{"id":"long","jsonrpc":"2.0","method":"ping","params":{"x":"' + b"x" * (9 * 1024 * 1024) + b'"}}\n')
    assert c.error("long")["code"] == -32600
    # A last line without its end is a message too.
    c.raw(b'{"jsonrpc":"2.0","id":"last","method":"ping"}')
    c.finish()
    assert c.result("last") == {} and not c.answers.get("null")


# --- the tools ---

@no_databases
def asks_a_person(w):
    for era in (MODERN, LEGACY):
        with FakeAgents() as server:
            c = start(w, server, era)
            if era == LEGACY:
                c.initialize()
            i = c.call("ask_human", {"question": "Which database?", "options": ["SQLite", {"label": "Postgres", "value": "pg"}],
                                     "details": "a\nb", "expires_in": "24h"})
            request = server.wait_for_request()
            content = dict(request.content)
            assert len(content.pop("request_id")) > 20
            assert content == {"project": "shop", "type": "blocking", "message": "Which database?", "details": "a\nb",
                               "buttons": ["SQLite", {"label": "Postgres", "value": "pg"}], "expires_in": "24h"}
            server.answer(request.id, "pg", label="Postgres", at="2026-11-20T14:03:05Z")
            text, structured, is_error = c.tool_result(i)
            assert text == "pg" and not is_error
            assert structured == {"status": "responded", "answer": "pg", "free_text": False, "by": "Ada", "how": "tap",
                                  "at": "2026-11-20T14:03:05Z"}
            # Words of one's own; several at once.
            i = c.call("ask_human", {"question": "Name it"})
            server.answer(server.wait_for_request().id, "Ünïcode \"quoted\"\nline", free_text=True, how="reply")
            text, structured, is_error = c.tool_result(i)
            assert text == structured["answer"] == "Ünïcode \"quoted\"\nline" and structured["free_text"] is True and not is_error
            i = c.call("ask_human", {"question": "Which?", "options": ["a", "b", "c"], "multi": True})
            assert server.wait_for_request().content["multi"] is True
            server.answer(server.wait_for_request().id, "a, c", responses=["a", "c"])
            text, structured, _ = c.tool_result(i)
            assert text == "a, c" and structured["answers"] == ["a", "c"]
            # No answer is an error, with a sentence.
            i = c.call("ask_human", {"question": "Still there?", "expires_in": 60})
            server.expire(server.wait_for_request().id)
            text, structured, is_error = c.tool_result(i)
            assert is_error and structured == {"status": "expired"} and "Nobody answered" in text
            i = c.call("ask_human", {"question": "Still there?"})
            server.withdraw(server.wait_for_request().id, "wrong number")
            text, structured, is_error = c.tool_result(i)
            assert is_error and structured == {"status": "cancelled"} and "wrong number" in text
            assert not server.violations and not server.calls_of("/cancel")
            c.finish()


@no_databases
def judges_arguments(w):
    with FakeAgents() as server:
        c = start(w, server)
        for arguments, word in (({}, "question"), ({"question": " "}, "question"), ({"question": 7}, "question"),
                                ({"question": "a", "options": "b"}, "options"), ({"question": "a", "options": [1]}, "options"),
                                ({"question": "a", "options": [{"value": "x"}]}, "options"), ({"question": "a", "options": ["x"] * 21}, "options"),
                                ({"question": "a", "options": [{"label": "x", "value": 1}]}, "value"), ({"question": "a", "multi": True}, "multi"),
                                ({"question": "a", "multi": "yes"}, "multi"), ({"question": "a", "risk": "low"}, "risk"),
                                ({"question": "a", "expires_in": True}, "expires_in"), ({"question": "a", "urgent": True}, "urgent")):
            text, structured, is_error = c.tool_result(c.call("ask_human", arguments))
            assert is_error and word in text and structured == {"status": "failed"}, (arguments, text)
        for arguments, word in (({}, "message"), ({"message": "a", "type": "blocking"}, "type"), ({"message": "a", "buttons": []}, "buttons")):
            text, structured, is_error = c.tool_result(c.call("notify_human", arguments))
            assert is_error and word in text and structured is None, (arguments, text)
        assert not server.calls
        # What the server refuses comes back in its words.
        server.fail("/send", code=400, body="That is too much.")
        text, _, is_error = c.tool_result(c.call("ask_human", {"question": "a"}))
        assert is_error and "That is too much." in text
        c.finish()


@no_databases
def tells_a_person(w):
    with FakeAgents() as server:
        c = start(w, server)
        text, structured, is_error = c.tool_result(c.call("notify_human", {"message": "Done", "details": "log"}))
        assert not is_error and "sent" in text and structured is None
        text, _, is_error = c.tool_result(c.call("notify_human", {"message": "Broken", "type": "error"}))
        assert not is_error
        assert [(r.content["type"], r.content["message"], r.content.get("details")) for r in server.requests.values()] == [
            ("milestone", "Done", "log"), ("error", "Broken", None)]
        assert not server.violations
        c.finish()


@no_databases
def answers_permission_prompts(w):
    tool_input = {"command": "rm -rf node_modules", "description": "Remove", "n": 1.50, "deep": {"a": [None, True]}, "ü": "</x>"}
    with FakeAgents() as server:
        c = start(w, server, LEGACY)
        c.initialize()
        i = c.call("approve", {"tool_name": "Bash", "input": tool_input, "tool_use_id": "toolu_01"})
        request = server.wait_for_request()
        assert request.id.startswith("mcp:") and len(request.id) > 40
        assert "rm -rf node_modules" in request.content["message"] + request.content.get("details", "")
        assert request.content["message"].startswith("flow wants to run a command\n"), request.content["message"]
        assert [b["value"] for b in request.content["buttons"]] == ["allow", "deny"], request.content
        assert any(b.get("safe") for b in request.content["buttons"])
        server.answer(request.id, "allow")
        assert c.decision(i) == {"behavior": "allow", "updatedInput": tool_input}
        # The same call again is the same request: answered already, nobody is asked twice.
        i = c.call("approve", {"tool_name": "Bash", "input": tool_input, "tool_use_id": "toolu_01"})
        assert c.decision(i)["behavior"] == "allow" and len(server.requests) == 1
        # The same id for another command: refused by the server, so denied.
        i = c.call("approve", {"tool_name": "Bash", "input": {"command": "ls"}, "tool_use_id": "toolu_01"})
        assert c.decision(i)["behavior"] == "deny"

        def prompt(settle, **more):
            i = c.call("approve", {"tool_name": "Bash", "input": {"command": "ls"}, **more})
            settle(server.wait_for_request().id)
            return c.decision(i)
        assert prompt(lambda r: server.answer(r, "deny"), tool_use_id="t2")["behavior"] == "deny"
        d = prompt(lambda r: server.answer(r, "use git clean instead", free_text=True), new_field=[1])
        assert d["behavior"] == "deny" and "use git clean instead" in d["message"]
        assert prompt(lambda r: server.answer(r, "allow", free_text=True))["behavior"] == "deny"
        assert prompt(lambda r: server.answer(r, "perhaps"))["behavior"] == "deny"
        assert prompt(server.expire)["behavior"] == "deny"
        assert prompt(server.withdraw)["behavior"] == "deny"
        for arguments in ({}, {"tool_name": "Bash"}, {"tool_name": "Bash", "input": "ls"}, {"tool_name": "", "input": {}},
                          {"input": {}}, {"tool_name": "Bash", "input": {"command": "ls"}, "tool_use_id": 7}):
            assert c.decision(c.call("approve", arguments))["behavior"] == "deny", arguments
        # The card hides no character and shows no secret; what runs is what was asked for.
        command = "curl -H 'Authorization: Bearer ghp_16C7e42F292c6912E7710c838347Ae178B4a' \u202egnp.exe\u200b"
        i = c.call("approve", {"tool_name": "Bash", "input": {"command": command}, "tool_use_id": "t3"})
        shown = json.dumps(server.wait_for_request().content, ensure_ascii=False)
        assert "ghp_16C7e42F" not in shown and "\u202e" not in shown and "\u200b" not in shown and "U+202E" in shown, shown
        server.answer(server.wait_for_request().id, "allow")
        assert c.decision(i)["updatedInput"] == {"command": command}
        assert not server.violations
        assert "ghp_" not in c.finish()


@no_databases
def answers_questions_of_a_tool(w):
    """One prompt that holds two questions: two cards; one without an answer takes the other one back."""
    questions = [{"question": q, "header": "H", "multiSelect": multi, "options": [{"label": a, "description": "x"} for a in labels]}
                 for q, multi, labels in (("Which DB?", False, ("SQLite", "Postgres")), ("Which extras?", True, ("a", "b", "c")))]
    arguments = {"tool_name": "AskUserQuestion", "input": {"questions": questions}, "tool_use_id": "q1"}
    with FakeAgents() as server:
        c = start(w, server)
        i = c.call("approve", arguments)
        server.wait_for(lambda: len(server.requests) == 2, "two cards")
        first, second = server.requests.values()
        assert second.content["multi"] is True and "multi" not in first.content
        server.answer(second.id, ", ".join(b["value"] for b in second.content["buttons"][:2]))
        server.answer(first.id, first.content["buttons"][1]["value"])
        assert c.decision(i) == {"behavior": "allow", "updatedInput": {"questions": questions, "answers": {
            "Which DB?": "Postgres", "Which extras?": "a, b"}}}
        i = c.call("approve", {**arguments, "tool_use_id": "q2"})
        server.wait_for(lambda: len(server.requests) == 4, "two more")
        first, second = list(server.requests.values())[2:]
        server.expire(first.id)
        assert c.decision(i)["behavior"] == "deny"
        server.wait_for(lambda: second.status == "cancelled", "the withdrawal")
        assert not server.violations
        c.finish()


@no_databases
def fails_closed(w):
    arguments = {"tool_name": "Bash", "input": {"command": "ls"}}
    with FakeAgents() as server:
        c = start(w, server, CLAUDE_NOTIFY_SECRET="guess-4711")
        assert c.decision(c.call("approve", arguments))["behavior"] == "deny"
        text, structured, is_error = c.tool_result(c.call("ask_human", {"question": "a"}))
        assert is_error and structured == {"status": "failed"} and "secret" in text and "guess" not in text
        c.finish()
        c = start(w, server, CLAUDE_NOTIFY_SECRET=None)
        assert "CLAUDE_NOTIFY_SECRET" in c.decision(c.call("approve", arguments))["message"]
        assert "CLAUDE_NOTIFY_SECRET" in c.tool_result(c.call("notify_human", {"message": "a"}))[0]
        assert c.result(c.ask("tools/list"))["tools"]
        assert "CLAUDE_NOTIFY_SECRET" in c.finish()
        c = start(w, server)
        server.fail("/poll", code=404, body="There is no such request.")
        i = c.call("approve", arguments)
        assert c.decision(i)["behavior"] == "deny"
        server.wait_for_calls("/cancel")  # what nobody waits for is withdrawn
        server.stop()
        # Nobody there: told after the patience, never a crash.
        assert c.decision(c.call("approve", arguments))["behavior"] == "deny"
        text, _, is_error = c.tool_result(c.call("ask_human", {"question": "a"}))
        assert is_error and server.url.split("//")[1] in text
        c.finish()


@no_databases
def outlives_a_restart_of_the_server(w):
    with FakeAgents() as server:
        c = start(w, server)
        server.fail("/send", close="after")  # done, but the answer is lost
        i = c.call("ask_human", {"question": "Go?"})
        request = server.wait_for_request()
        server.wait_for_calls("/poll")
        assert len(server.requests) == 1
        server.stop()
        server.start()
        server.answer(request.id, "yes")
        assert c.tool_result(i)[0] == "yes"
        c.finish()


# --- many, progress, the end ---

@no_databases
def holds_many_calls_at_once(w):
    with FakeAgents() as server:
        c = start(w, server)
        ids = [c.call("ask_human", {"question": f"Question {n}"}) for n in range(32)]
        server.wait_for(lambda: len(server.requests) == 32, "32 requests")
        text, _, is_error = c.tool_result(c.call("ask_human", {"question": "One more"}))
        assert is_error and "32" in text
        assert c.decision(c.call("approve", {"tool_name": "Bash", "input": {}}))["behavior"] == "deny"
        assert c.result(c.ask("tools/list"))["tools"]  # the reader is not held up
        for r in reversed(list(server.requests.values())):
            server.answer(r.id, "answer to " + r.content["message"])
        for n, i in enumerate(ids):
            assert c.tool_result(i)[0] == f"answer to Question {n}"
        assert len({r.id for r in server.requests.values()}) == 32
        # An id that is in use names one call only.
        i = c.call("ask_human", {"question": "First"}, request_id="same")
        server.wait_for_request()
        c.call("ask_human", {"question": "Second"}, request_id="same")
        assert c.error("same")["code"] == -32600
        c.answers.clear()
        server.answer(server.wait_for_request().id, "1")
        assert c.tool_result(i)[0] == "1" and len(server.requests) == 33
        c.finish()


@no_databases
def gives_signs_of_life(w):
    with FakeAgents() as server:
        for era in (MODERN, LEGACY):
            c = start(w, server, era)
            if era == LEGACY:
                c.initialize()
            i = c.call("ask_human", {"question": "Go?", "risk": "high"}, progress=True)
            silent = c.call("ask_human", {"question": "Without a token"})
            token = json.dumps(f"token-{json.dumps(i)}")
            c.wait(lambda: len(c.progress.get(token, [])) >= 3, "three signs of life")  # noqa: B023
            assert all("waiting for an answer" in p["message"] for p in c.progress[token])
            assert "47" in c.progress[token][-1]["message"]  # the number that the phone asks for
            for r in [r for r in list(server.requests.values()) if r.status == "waiting"]:
                server.answer(r.id, "yes")
            assert c.tool_result(i)[0] == "yes" and c.tool_result(silent)[0] == "yes"
            assert list(c.progress) == [token]
            assert "47" in c.finish()


@no_databases
def withdraws_what_the_client_cancels(w):
    with FakeAgents() as server:
        for era in (MODERN, LEGACY):
            c = start(w, server, era)
            if era == LEGACY:
                c.initialize()
            for reason, told in (("answered in the terminal", "answered in the terminal"), (None, None), ("ö" * 5000, "ö" * 200)):
                i = c.call("ask_human", {"question": "Go?"}, progress=True)
                request = server.wait_for_request()
                params = {"requestId": i, **({"reason": reason} if reason else {})}
                c.line({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params})
                server.wait_for(lambda: request.status == "cancelled", "the withdrawal")  # noqa: B023
                assert request.extra["reason"] == told or told is None and request.extra["reason"]
                assert c.result(c.ask("tools/list"))
                assert json.dumps(i) not in c.answers
            # The server is away for a moment just then.
            i = c.call("ask_human", {"question": "Go?"})
            request = server.wait_for_request()
            server.fail("/cancel", code=503)
            c.line({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": i}})
            server.wait_for(lambda: request.status == "cancelled", "the withdrawal")  # noqa: B023
            # A cancelled id of a call that is over is nothing.
            i = c.call("notify_human", {"message": "a"})
            c.tool_result(i)
            c.line({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": i}})
            c.finish()
            assert all(a[0].get("result", {}).get("tools") or "content" not in a[0]["result"] or json.loads(k) == i
                       for k, a in c.answers.items())


@no_databases
def withdraws_everything_at_the_end(w):
    for stop, code in ((None, 0), (signal.SIGTERM, 128 + signal.SIGTERM)):
        with FakeAgents() as server:
            c = start(w, server)
            for n in range(5):
                c.call("ask_human", {"question": f"Question {n}"})
            server.wait_for(lambda: len(server.requests) == 5, "5 requests")
            c.finish(code, stop)
            assert {r.status for r in server.requests.values()} == {"cancelled"}
            assert not c.answers
    # Nobody empties the output: still an end, and the questions are withdrawn.
    with FakeAgents() as server:
        c = start(w, server)
        i = c.call("ask_human", {"question": "Question"})
        request = server.wait_for_request()
        c.stall()
        sizes = [-1]
        while len(sizes) < 200 and sizes[-1] != c.unread():  # until another answer does not fit
            sizes.append(c.unread())
            c.ask("tools/list", request_id="x")
        assert len(sizes) < 200, "the output has no end"
        c.process.stdin.close()
        assert c.process.wait(PATIENCE) in (0, 1)
        server.wait_for(lambda: request.status == "cancelled", "the withdrawal")
    # A server that takes everything and says nothing does not hold up the end.
    with FakeAgents() as server:
        c = start(w, server)
        c.call("ask_human", {"question": "a"})
        server.wait_for_request()
        server.fail("/cancel", delay=60, close="before", times=9)
        c.finish()
        assert server.wait_for_request().status == "waiting"


@no_databases
def ends_when_nobody_reads(w):
    with FakeAgents() as server:
        c = start(w, server)
        c.call("ask_human", {"question": "a"}, progress=True)
        server.wait_for_request()
        # The reader is gone, standard input stays open.
        os.dup2(os.open(os.devnull, os.O_RDONLY), c.process.stdout.fileno())
        assert c.process.wait(PATIENCE) == 0
        server.wait_for(lambda: [r.status for r in server.requests.values()] == ["cancelled"], "the withdrawal")


# --- the real server ---

class Steward:
    """What Client wants of a server."""

    def __init__(self, program, secret):
        self.url, self.secret = f"http://127.0.0.1:{program.port}", secret


@flow
def asks_through_the_real_server(w):
    server = Steward(w.start_assistant(NOTIFY_SECRET="real-secret_1"), "real-secret_1")
    c = start(w, server, LEGACY)
    c.initialize()

    def card(words):
        return wait_until(lambda: next((m for m in w.sent() if words in (m.text or "")), None), f"the card {words!r}")
    i = c.call("ask_human", {"question": "Which database?", "options": ["SQLite", {"label": "Postgres", "value": "pg"}]})
    w.taps(card("Which database?"), "Postgres")
    text, structured, is_error = c.tool_result(i)
    assert text == structured["answer"] == "pg" and structured["free_text"] is False and not is_error
    i = c.call("approve", {"tool_name": "Bash", "input": {"command": "make deploy"}, "tool_use_id": "toolu_1"})
    w.taps(card("make deploy"), "Allow")
    assert c.decision(i) == {"behavior": "allow", "updatedInput": {"command": "make deploy"}}
    i = c.call("approve", {"tool_name": "Bash", "input": {"command": "make clean"}, "tool_use_id": "toolu_2"})
    w.taps(card("make clean"), "Deny")
    assert c.decision(i)["behavior"] == "deny"
    assert c.tool_result(c.call("notify_human", {"message": "All done here"}))[2] is False
    card("All done here")
    # The card of a question that is taken back has no buttons any more.
    c.call("ask_human", {"question": "Still wanted?", "options": ["Yes", "No"]})
    card("Still wanted?")
    c.finish()
    wait_until(lambda: not card("Still wanted?").keyboard, "the card without buttons")


if __name__ == "__main__":
    sys.exit(main())
