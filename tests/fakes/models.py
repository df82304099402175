#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""models: a strict fake of the model APIs: Anthropic Messages, OpenAI Chat Completions, OpenAI embeddings.

It refuses what the real servers refuse (models_strict), answers by a small deterministic brain (models_brain), and does
what a script says.  In a test:

    with FakeModels() as models:              # .url, .anthropic_url, .openai_url
        models.script([calls(call("add_task", content="Buy bread")), status(529), {"match": "milk", "hang": True}])
        …
        models.asked("buy bread")             # how many times the model was asked this sentence, later rounds aside

A behaviour is a dict; the first in the list whose "for" ("anthropic", "openai", "embeddings") and "match" (a regular expression
on the person's words) fit is taken and used up after "times" (default 1, -1 = never).  Its keys:
  text, calls: [{name, arguments | arguments_text, id?}]   an answer; both may stand together
  stop            the stop reason ("max_tokens" / "length", "refusal", "content_filter", …), translated between dialects
  thinking        false = no thinking block before Anthropic calls (default true)
  printed_call    calls are printed into the text as JSON instead (what small local models do)
  arguments_as    "object" (OpenAI dialect) or "string" (Anthropic dialect): the other form
  no_ids, duplicate_ids
  status, error: {type,message,param,code}, headers, body   an error answer; `body` is sent as it is
  delay           seconds before anything else happens
  hang            no answer until the client goes away
  close           "before" (without an answer), "mid" (half of it), "after" (whole answer, then closed)
  garbage, html, half, empty, huge                          bodies that are no answers; status stays 200 unless given
A callable gets the recorded request and returns a behaviour, or None for the brain.

Standalone: models.py --port N, with POST /__script (a JSON list), GET /__requests, POST /__reset.
"""
import argparse
import base64
import itertools
import json
import os
import re
import select
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import models_brain  # noqa: E402
import models_strict  # noqa: E402

KEEP_REQUESTS = 20000
HANG_SECONDS_MAX = 300


# --- behaviours that read well ------------------------------------------------------------------------------

def call(name, **arguments):
    return {"name": name, "arguments": arguments}


def calls(*list_of_calls, **more):
    return {"calls": list(list_of_calls), **more}


def text(words, **more):
    return {"text": words, **more}


def status(code, message="scripted", headers=None, **error):
    return {"status": code, "error": {"message": message, **error}, "headers": headers or {}}


# --- the two dialects ---------------------------------------------------------------------------------------

ERROR_TYPES = {400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error",
               404: "not_found_error", 409: "conflict_error", 413: "request_too_large", 429: "rate_limit_error",
               500: "api_error", 504: "timeout_error", 529: "overloaded_error"}
STOP_TO_OPENAI = {"max_tokens": "length", "end_turn": "stop", "tool_use": "tool_calls", "refusal": "content_filter"}
STOP_TO_ANTHROPIC = {v: k for k, v in STOP_TO_OPENAI.items()}
_numbers = itertools.count(1)


def anthropic_error(code, error):
    inner = {"type": error.get("type") or ERROR_TYPES.get(code, "api_error"), "message": error.get("message", "")}
    if "details" in error:
        inner["details"] = error["details"]
    return {"type": "error", "error": inner, "request_id": "req_%06d" % next(_numbers)}


def openai_error(code, error):
    return {"error": {"message": error.get("message", ""), "type": error.get("type") or ERROR_TYPES.get(code, "server_error"),
                      "param": error.get("param"), "code": error.get("code")}}


def call_ids(behaviour, prefix):
    ids = []
    for c in behaviour.get("calls", []):
        fresh = "%s%06d" % (prefix, next(_numbers))
        ids.append(c.get("id") or (ids[0] if ids and behaviour.get("duplicate_ids") else fresh))
    return ids


def printed(behaviour):
    return json.dumps([{"name": c["name"], "arguments": c.get("arguments", {})} for c in behaviour["calls"]])


def anthropic_answer(body, behaviour, tokens):
    content, made = [], [] if behaviour.get("printed_call") else behaviour.get("calls", [])
    if made and behaviour.get("thinking", True):
        content.append({"type": "thinking", "thinking": "", "signature": models_strict.sign_thinking(body, "")})
    words = printed(behaviour) if behaviour.get("printed_call") else behaviour.get("text")
    if words:
        content.append({"type": "text", "text": words})
    for c, id_ in zip(made, call_ids(behaviour, "toolu_")):
        given = c.get("arguments_text", c.get("arguments", {}))
        if behaviour.get("arguments_as") == "string" and not isinstance(given, str):
            given = json.dumps(given)
        block = {"type": "tool_use", "id": id_, "name": c["name"], "input": given}
        if behaviour.get("no_ids"):
            del block["id"]
        content.append(block)
    stop = behaviour.get("stop") or ("tool_use" if made else "end_turn")
    cached = tokens // 2 if isinstance(body.get("system"), list) and len(body["messages"]) > 1 else 0
    return {"id": "msg_%06d" % next(_numbers), "type": "message", "role": "assistant", "model": body["model"],
            "content": content, "stop_reason": STOP_TO_ANTHROPIC.get(stop, stop), "stop_sequence": None, "stop_details": None,
            "usage": {"input_tokens": tokens - cached, "cache_creation_input_tokens": 0, "cache_read_input_tokens": cached,
                      "output_tokens": len(json.dumps(content)) // 4, "service_tier": "standard"}}


def openai_answer(body, behaviour, tokens):
    made = [] if behaviour.get("printed_call") else behaviour.get("calls", [])
    if models_strict.is_local(body["model"]) and body.get("parallel_tool_calls") is not True:
        made = made[:1]  # llama.cpp: several calls only when asked for
    elif body.get("parallel_tool_calls") is False:
        made = made[:1]
    tool_calls = []
    for c, id_ in zip(made, call_ids(behaviour, "call_")):
        given = c.get("arguments_text")
        if given is None:
            given = c.get("arguments", {})
            given = given if behaviour.get("arguments_as") == "object" else json.dumps(given)
        made_call = {"id": id_, "type": "function", "function": {"name": c["name"], "arguments": given}}
        if behaviour.get("no_ids"):
            del made_call["id"]
        tool_calls.append(made_call)
    words = printed(behaviour) if behaviour.get("printed_call") else behaviour.get("text")
    message = {"role": "assistant", "content": words, "refusal": behaviour.get("refusal"), "annotations": []}
    if tool_calls:
        message["tool_calls"] = tool_calls
    stop = behaviour.get("stop") or ("tool_calls" if tool_calls else "stop")
    used = len(json.dumps(message)) // 4
    return {"id": "chatcmpl-%06d" % next(_numbers), "object": "chat.completion", "created": int(time.time()),
            "model": body["model"],
            "choices": [{"index": 0, "finish_reason": STOP_TO_OPENAI.get(stop, stop), "logprobs": None, "message": message}],
            "usage": {"prompt_tokens": tokens, "completion_tokens": used, "total_tokens": tokens + used,
                      "prompt_tokens_details": {"cached_tokens": 0}}}


def plain(content):
    """The text of a message's content, tool results aside."""
    if isinstance(content, str):
        return content
    return "\n".join(b.get("text", "") for b in content or [] if isinstance(b, dict) and b.get("type") == "text")


def anthropic_view(body):
    """(the last user turn with words, the tool results after it, tool names)"""
    turn, results = "", []
    for message in body["messages"]:
        content = message["content"]
        if message["role"] == "user" and plain(content):
            turn, results = plain(content), []
        if message["role"] == "user" and isinstance(content, list):
            results += [plain(b.get("content", "")) for b in content if b.get("type") == "tool_result"]
    return turn, results, {t["name"] for t in body.get("tools") or []}


def openai_view(body):
    turn, results = "", []
    for message in body["messages"]:
        if message["role"] == "user":
            turn, results = plain(message["content"]), []
        elif message["role"] == "tool":
            results.append(plain(message["content"]))
    return turn, results, {t["function"]["name"] for t in body.get("tools") or []}


def brain(turn, results, tools):
    made = [] if results else models_brain.calls_for(turn, tools)
    if made:
        return calls(*[call(name, **arguments) for name, arguments in made])
    return text(models_brain.answer_for(turn, results))


# --- the server ---------------------------------------------------------------------------------------------

class Server(ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request, client_address):
        kind = sys.exc_info()[0]
        if not issubclass(kind, (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *args):
        pass

    @property
    def fake(self):
        return self.server.fake

    def setup(self):
        super().setup()
        self.fake._connected(self.connection, True)

    def finish(self):
        self.fake._connected(self.connection, False)
        try:
            super().finish()
        except OSError:
            pass

    def answer(self, code, body, headers=None, close=None):
        data = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(code)
        headers = {"content-type": "application/json", **(headers or {})}
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[:len(data) // 2] if close == "mid" else data)
        self.wfile.flush()
        if close:
            self.close_connection = True

    def do_GET(self):
        if self.path == "/__requests":
            return self.answer(200, self.fake.report())
        return self.answer(404, openai_error(404, {"message": "Invalid URL (GET %s)" % self.path}))

    def do_POST(self):
        data = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.path == "/__script":
            self.fake.script(json.loads(data))
            return self.answer(200, {"ok": True})
        if self.path == "/__reset":
            self.fake.reset()
            return self.answer(200, {"ok": True})
        kind = {"/v1/messages": "anthropic", "/v1/chat/completions": "openai", "/v1/embeddings": "embeddings"}.get(self.path)
        if not kind:
            return self.answer(404, openai_error(404, {"message": "Invalid URL (POST %s)" % self.path}))
        headers = {k.lower(): v for k, v in self.headers.items()}
        self.fake._handle(self, kind, headers, data)

    def gone(self):
        """True when the client has closed its end."""
        try:
            ready, _, _ = select.select([self.connection], [], [], 0)
            return bool(ready) and self.connection.recv(1, 0x02) == b""  # MSG_PEEK
        except (OSError, ValueError):
            return True


class FakeModels:
    """A running fake; see the top of this file."""

    def __init__(self, port=0, host="127.0.0.1", keys=None, concepts=None, latency=0.0):
        self.host, self.port, self.keys, self.latency = host, port, keys, latency
        self.concepts = models_brain.concept_table(concepts)
        self.lock = threading.Lock()
        self.server, self.thread = None, None
        self.stopping = threading.Event()
        self.sockets = set()
        self.reset()

    # life
    def start(self):
        self.stopping.clear()
        self.server = Server((self.host, self.port), Handler)
        self.server.fake = self
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()
        return self

    def stop(self):
        """Close the port and every connection; the same object may start again on the same port."""
        self.stopping.set()
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None
        with self.lock:
            sockets, self.sockets = list(self.sockets), set()
        for s in sockets:
            try:
                s.shutdown(2)
            except OSError:
                pass

    __enter__ = start

    def __exit__(self, *exc):
        self.stop()

    def _connected(self, connection, yes):
        with self.lock:
            (self.sockets.add if yes else self.sockets.discard)(connection)

    @property
    def url(self):
        return "http://%s:%d" % (self.host, self.port)

    anthropic_url = url

    @property
    def openai_url(self):
        return self.url + "/v1"

    # scripts and records
    def script(self, what):
        """A list of behaviours, a callable, or None for the brain alone."""
        with self.lock:
            self.rule = what if callable(what) else None
            self.behaviours = [] if callable(what) or what is None else [dict(b) for b in what]

    def reset(self):
        with self.lock:
            self.rule, self.behaviours, self.requests = None, [], []
            self.first_rounds, self.all_rounds, self.count = {}, {}, 0

    def asked(self, words):
        """How often this sentence was brought to a model, later rounds of the same turn aside."""
        return self.first_rounds.get(words, 0)

    def called(self, words):
        """All accepted model calls of turns with this sentence."""
        return self.all_rounds.get(words, 0)

    def report(self):
        with self.lock:
            return {"requests": list(self.requests), "asked": dict(self.first_rounds), "called": dict(self.all_rounds),
                    "left": len(self.behaviours), "count": self.count}

    def refused(self):
        """Requests the strict checks turned away; a test of good clients asserts that it is empty."""
        return [r for r in self.requests if r.get("refused")]

    def _record(self, record):
        with self.lock:
            self.count += 1
            record["number"] = self.count
            self.requests.append(record)
            if len(self.requests) > KEEP_REQUESTS:
                del self.requests[:KEEP_REQUESTS // 10]

    def _count(self, record):
        with self.lock:
            words = record["text"]
            self.all_rounds[words] = self.all_rounds.get(words, 0) + 1
            if record["round"] == 1:
                self.first_rounds[words] = self.first_rounds.get(words, 0) + 1

    def _behaviour(self, record):
        with self.lock:
            rule = self.rule
            for b in self.behaviours:
                if b.get("for", record["kind"]) != record["kind"] or not re.search(b.get("match", ""), record["text"], re.I):
                    continue
                left = b.get("times", 1) - 1
                b["times"] = left
                if left == 0:
                    self.behaviours.remove(b)
                return b
        return rule(record) if rule else None

    # one request
    def _handle(self, handler, kind, headers, data):
        record = {"kind": kind, "path": handler.path, "headers": headers, "at": time.time(), "text": "", "round": 1}
        error_of = anthropic_error if kind == "anthropic" else openai_error
        try:
            try:
                body = json.loads(data)
            except ValueError:
                raise models_strict.bad("The request body is not valid JSON.") from None
            record["body"] = body
            check = {"anthropic": models_strict.check_anthropic, "openai": models_strict.check_openai,
                     "embeddings": models_strict.check_embeddings}[kind]
            inputs = check(headers, body, self.keys)
        except models_strict.Refusal as no:
            record["refused"], record["status"] = no.message, no.status
            self._record(record)
            return handler.answer(no.status, error_of(no.status, vars(no)), {"request-id": "req_refused"})
        if kind == "embeddings":
            record["text"] = "\n".join(inputs)
        else:
            turn, results, tools = (anthropic_view if kind == "anthropic" else openai_view)(body)
            record["text"] = models_brain.split_turn(turn)[1]
            record["round"] = 2 if results else 1
            self._count(record)
        behaviour = self._behaviour(record)
        self._record(record)
        if behaviour is None:
            behaviour = {} if kind == "embeddings" else brain(turn, results, tools)
        self._play(handler, kind, body, behaviour, record, len(data) // 4)

    def _wait(self, handler, seconds):
        """Sleep; False when the client went away or the fake stops meanwhile."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.stopping.wait(min(0.02, max(0.0, end - time.monotonic()))) or handler.gone():
                return False
        return True

    def _play(self, handler, kind, body, behaviour, record, tokens):
        pause = behaviour.get("delay", self.latency)
        if behaviour.get("hang"):
            pause = HANG_SECONDS_MAX
        if (pause and not self._wait(handler, pause)) or behaviour.get("hang") or behaviour.get("close") == "before":
            handler.close_connection = True
            return
        code = record["status"] = behaviour.get("status", 200)
        headers, close = behaviour.get("headers"), behaviour.get("close")
        odd = self._odd_body(behaviour)
        if odd is not None:
            kind_header = {"content-type": "text/html"} if behaviour.get("html") else {}
            handler.answer(code, odd, {**kind_header, **(headers or {})}, close)
        elif code != 200:
            error_of = anthropic_error if kind == "anthropic" else openai_error
            handler.answer(code, error_of(code, behaviour.get("error", {})), headers, close)
        elif kind == "embeddings":
            handler.answer(200, self._embeddings(body), headers, close)
        else:
            whole = (anthropic_answer if kind == "anthropic" else openai_answer)(body, behaviour, tokens)
            if behaviour.get("half"):
                handler.answer(200, json.dumps(whole)[:len(json.dumps(whole)) // 2], headers, close)
            else:
                handler.answer(200, whole, headers, close)

    @staticmethod
    def _odd_body(behaviour):
        if "body" in behaviour:
            return behaviour["body"] if isinstance(behaviour["body"], str) else json.dumps(behaviour["body"])
        if behaviour.get("garbage"):
            return b"\x00\xff\xfe{]garbage\x80" * 20
        if behaviour.get("html"):
            return "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>502</h1></body></html>"
        if behaviour.get("empty"):
            return ""
        if behaviour.get("huge"):
            return '{"content":[{"type":"text","text":"' + "x" * (10 << 20) + '"}]}'
        return None

    def _embeddings(self, body):
        inputs = [body["input"]] if isinstance(body["input"], str) else body["input"]
        size = body.get("dimensions") or models_strict.EMBEDDING_SIZES.get(body["model"], 384)
        data = []
        for i, words in enumerate(inputs):
            vector = models_brain.embedding(words, size, self.concepts)
            if body.get("encoding_format") == "base64":
                vector = base64.b64encode(struct.pack("<%df" % size, *vector)).decode()
            data.append({"object": "embedding", "index": i, "embedding": vector})
        tokens = sum(len(t) for t in inputs) // 4
        return {"object": "list", "data": data, "model": body["model"],
                "usage": {"prompt_tokens": tokens, "total_tokens": tokens}}


def main():
    options = argparse.ArgumentParser(description="A strict fake of the Anthropic and OpenAI APIs.")
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--latency", type=float, default=0.0, help="seconds before every answer")
    options.add_argument("--parent", action="store_true", help="end when standard input closes")
    given = options.parse_args()
    fake = FakeModels(given.port, given.host, latency=given.latency).start()
    print(fake.url, flush=True)
    try:
        if given.parent:
            sys.stdin.read()
        else:
            threading.Event().wait()
    except KeyboardInterrupt:
        pass
    fake.stop()


if __name__ == "__main__":
    main()
