#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""agents: a strict fake of steward's own agents' endpoints, for the tests of the asking side.

    with FakeAgents(secret="s") as server:                       # .url is CLAUDE_NOTIFY_URL
        request = server.wait_for("r-1")                         # or server.wait_for_any(): the first blocking one
        server.answer(request.id, "Yes")                         # .expire(id), .withdraw(id, reason)
        server.fail("/send", code=503, headers={"Retry-After": "1"}, times=2)
        server.fail("/send", close="after")                      # done, but the answer is lost ("before": not done)
        server.stop(); server.start()                            # a restart: the requests are kept, the connections not
        server.calls_of("/send")                                 # what was asked: .method, .path, .query, .headers, .body, .code

It keeps the rules of the real one: bearer secret, an id is one request for ever (other content: 409), held polls, hooks that
attach again by X-Steward-Request.  What it does not know it refuses and notes in .violations.
"""
import json
import re
import socketserver
import threading
import time
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

TYPES = ("blocking", "milestone", "error", "heartbeat")
SEND_FIELDS = {"project", "type", "message", "buttons", "details", "details_name", "request_id", "expires_in", "default", "multi",
               "risk", "approvers", "quorum", "remind_every", "quiet"}
BODY_BYTES_MAX = 1024 * 1024
HOOK_HOLD_S = 55


class Refused(Exception):
    def __init__(self, code, words, headers=None):
        super().__init__(words)
        self.code, self.words, self.headers = code, words, headers or {}


class Call:
    def __init__(self, method, path, query, headers, body):
        self.method, self.path, self.query, self.headers, self.body = method, path, query, headers, body
        self.code, self.at = 0, time.monotonic()

    def __repr__(self):
        return f"<{self.method} {self.path} {self.query} {self.code} {self.body}>"


class Request:
    def __init__(self, request_id, content):
        self.id, self.content = request_id, content
        self.status, self.extra, self.decision, self.number = "waiting", {}, None, 0

    def poll(self):
        return {"status": self.status, "request_id": self.id, **self.extra}


class FakeAgents:
    def __init__(self, secret="agents-secret_1", port=0, hold_scale=1.0):
        self.secret, self.port, self.hold_scale = secret, port, hold_scale
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.requests, self.calls, self.faults, self.violations = {}, [], [], []
        self.server = None
        self.message_ids = iter(range(456, 10 ** 9))

    # ---- life ----

    def start(self):
        self.stopping = False
        self.server = Server(("127.0.0.1", self.port), Connection)
        self.server.fake, self.server.open = self, set()
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def stop(self):
        """Ends every connection, answered or not, as a process that dies does."""
        if not self.server:
            return
        with self.changed:
            self.stopping = True
            self.changed.notify_all()
        self.server.shutdown()
        self.server.server_close()
        for connection in list(self.server.open):
            try:
                connection.shutdown(2)
            except OSError:
                pass
        self.server = None

    def __enter__(self):
        return self if self.server else self.start()

    def __exit__(self, *_):
        self.stop()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    # ---- what a test does ----

    def fail(self, path, code=None, headers=None, body=None, close=None, delay=0.0, times=1):
        with self.lock:
            self.faults.append({"path": path, "code": code, "headers": headers or {}, "body": body, "close": close,
                                "delay": delay, "times": times})

    def answer(self, request_id, value, **extra):
        self._settle(request_id, "responded", response=value, **{"free_text": False, "by": "Ada", "how": "tap", **extra})

    def expire(self, request_id):
        self._settle(request_id, "expired")

    def withdraw(self, request_id, reason="wrong number"):
        self._settle(request_id, "cancelled", reason=reason)

    def decide(self, request_id, decision):
        """The answer of a hook: an object, or "" for no decision."""
        with self.changed:
            self.requests[request_id].decision = decision
        self._settle(request_id, "responded", response="decided")

    def _settle(self, request_id, status, **extra):
        with self.changed:
            request = self.requests[request_id]
            assert request.status == "waiting", request.status
            request.status, request.extra = status, extra
            self.changed.notify_all()

    def wait_for(self, question, what, seconds=30):
        """The first true answer of question(); asked whenever something happens."""
        end = time.monotonic() + seconds
        with self.changed:
            while True:
                answer = question()
                if answer:
                    return answer
                if time.monotonic() > end:
                    raise AssertionError(f"gave up waiting for {what}; calls: {self.calls}")
                self.changed.wait(0.1)

    def wait_for_request(self, seconds=30):
        return self.wait_for(lambda: next((r for r in self.requests.values() if r.status == "waiting"), None), "a request", seconds)

    def wait_for_calls(self, path, count=1, seconds=30):
        return self.wait_for(lambda: len(self.calls_of(path)) >= count and self.calls_of(path), f"{count} of {path}", seconds)

    def calls_of(self, path):
        with self.lock:
            return [c for c in self.calls if c.path == path]

    # ---- what the endpoints do ----

    def handle(self, call):
        fault = self._fault(call.path)
        if fault and fault["delay"]:
            time.sleep(fault["delay"])
        if fault and fault["close"] == "before":
            return None
        if fault and fault["code"]:
            raise Refused(fault["code"], fault["body"] or "Told to fail.", fault["headers"])
        if call.headers.get("authorization") != f"Bearer {self.secret}":
            raise Refused(401, "The secret is wrong.")
        for pattern, method, run in ROUTES:
            found = re.fullmatch(pattern, call.path)
            if found and method == call.method:
                result = run(self, call, *found.groups())
                return None if fault and fault["close"] else result
        raise Refused(404, "There is nothing here.")

    def _fault(self, path):
        with self.lock:
            for f in self.faults:
                if f["path"] == path and f["times"] > 0:
                    f["times"] -= 1
                    return f
        return None

    def send(self, call):
        body = parsed(call, "application/json")
        unknown = set(body) - SEND_FIELDS
        if unknown:
            self.violations.append(f"/send has no {sorted(unknown)}")
            raise Refused(400, f"There is no field {sorted(unknown)[0]}.")
        if body.get("type") not in TYPES or not body.get("message") or not isinstance(body.get("project"), str):
            raise Refused(400, "type, message and project are needed.")
        if not re.fullmatch(r"[A-Za-z0-9._:-]{1,128}", body.get("request_id", "")):
            raise Refused(400, "request_id is not one.")
        for name, kind in (("multi", bool), ("approvers", list), ("buttons", list), ("quorum", int)):
            if name in body and not isinstance(body[name], kind):
                raise Refused(400, f"{name} has the wrong type.")
        with self.changed:
            request = self.requests.get(body["request_id"])
            if request and request.content != body:
                raise Refused(409, "This request_id belongs to another request.")
            if not request:
                request = self.requests[body["request_id"]] = Request(body["request_id"], body)
                request.number = next(self.message_ids)
                if body["type"] != "blocking":
                    request.status = "sent"
                self.changed.notify_all()
            answer = {"message_id": f"tg-{request.number}", "request_id": request.id}
            if body.get("risk") == "high":
                answer["code"] = "47"
            return 200, answer

    def poll(self, call):
        request_id = call.query.get("request_id", "")
        wait = int(call.query.get("wait", "0"))
        if not 0 <= wait <= 60:
            raise Refused(400, "wait is 0 to 60.")
        request = self.known(request_id)
        self.hold(lambda: request.status != "waiting", wait)
        return 200, request.poll()

    def cancel(self, call):
        body = parsed(call, "application/json")
        request = self.known(body.get("request_id", ""))
        with self.changed:
            if request.status == "waiting":
                request.status, request.extra = "cancelled", {"reason": body["reason"]} if body.get("reason") else {}
                self.changed.notify_all()
            return 200, request.poll()

    def hook(self, call, dialect):
        parsed(call, "application/json")
        key, timeout = call.headers.get("x-steward-request", ""), call.headers.get("x-steward-timeout", "600")
        if not re.fullmatch(r"[A-Za-z0-9._:-]{1,128}", key) or not timeout.isdigit() or int(timeout) < 1:
            raise Refused(400, "The headers are wrong.")
        if call.headers.get("x-steward-attach") != "keep":
            raise Refused(400, "This fake holds only requests that are kept.")
        event = call.body.get("hook_event_name")
        asks = event in ("PermissionRequest", "PreToolUse") or (event == "Stop" and "x-steward-next" in call.headers)
        with self.changed:
            cards = []
            for i in range(len(call.body.get("tool_input", {}).get("questions", [0]))):  # a request per question
                name = f"hook:{key}:{i + 1}"
                cards.append(self.requests.setdefault(name, Request(name, call.body)))
                if cards[-1].content != call.body:
                    raise Refused(409, "This request belongs to another call.")
                if not asks:
                    cards[-1].status = "sent"
            self.changed.notify_all()
        self.hold(lambda: all(r.status != "waiting" for r in cards), HOOK_HOLD_S)
        if any(r.status == "waiting" for r in cards):
            return 202, {"status": "waiting"}
        return 200, cards[0].decision if cards[0].decision is not None else ""

    def known(self, request_id):
        with self.lock:
            if request_id not in self.requests:
                raise Refused(404, "There is no such request.")
            return self.requests[request_id]

    def hold(self, over, seconds):
        end = time.monotonic() + seconds * self.hold_scale
        with self.changed:
            while not over() and not self.stopping and time.monotonic() < end:
                self.changed.wait(0.05)


ROUTES = (("/send", "POST", FakeAgents.send), ("/poll", "GET", FakeAgents.poll), ("/cancel", "POST", FakeAgents.cancel),
          ("/hooks/(claude|codex)", "POST", FakeAgents.hook))


def parsed(call, content_type):
    if call.headers.get("content-type", "").split(";")[0] != content_type or not isinstance(call.body, dict):
        raise Refused(400, "The body is not a JSON object.")
    return call.body


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64


class Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.server.open.add(self.request)

    def finish(self):
        self.server.open.discard(self.request)
        try:
            super().finish()
        except OSError:
            pass

    def handle(self):
        try:
            super().handle()
        except OSError:
            pass

    def do_GET(self):
        self.serve()

    def do_POST(self):
        self.serve()

    def serve(self):
        fake = self.server.fake
        parts = urlsplit(self.path)
        length = int(self.headers.get("content-length") or 0)
        raw = self.rfile.read(length) if length <= BODY_BYTES_MAX else b""
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = raw
        call = Call(self.command, parts.path, {k: v[-1] for k, v in parse_qs(parts.query).items()},
                    {k.lower(): v for k, v in self.headers.items()}, body)
        with fake.changed:
            fake.calls.append(call)
            fake.changed.notify_all()
        headers = {}
        try:
            if length > BODY_BYTES_MAX:
                raise Refused(413, "The body is too large.")
            result = fake.handle(call)
        except Refused as refused:
            result, headers = (refused.code, {"error": refused.words}), refused.headers
        if result is None or fake.stopping:
            self.close_connection = True
            self.connection.close()
            return
        call.code, answer = result
        if isinstance(answer, dict) and isinstance(answer.get("error"), bytes):
            answer = answer["error"]
        text = answer if isinstance(answer, bytes) else (json.dumps(answer) if answer != "" else "").encode()
        self.send_response(call.code)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(text)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass
