#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""telegram: a strict fake of the Telegram Bot API.

It refuses what the real server refuses, in the same words; keeps the chats as people see them; delivers updates to the
webhook or by getUpdates; and does what a script says.  In a test:

    with FakeTelegram(token="123456:TEST") as telegram:         # .url is TELEGRAM_API_BASE
        message = telegram.user_says(42, text="buy bread tomorrow")   # a private chat; (chat, user, text) in a group
        reply = telegram.wait_for_reply(message)                # the bot's next message in that chat, or AssertionError
        reply.text, reply.buttons, reply.entities, reply.keyboard, reply.edits
        query = telegram.user_taps(reply, "Done")               # .answered, .answer, .alert
        telegram.wait_for_answer(query); telegram.wait_for_edit(reply)
        telegram.calls_of("sendMessage")                        # what the bot asked: .params, .code, .result, .at

What it can be told:
    limits=True, scale=10      rate limits (chat 1/s, group 20/min, all 30/s), in windows ten times shorter
    duplicate=0.2              that share of updates is delivered twice, half of them at the same time
    reorder=0.05               every queue of updates starts up to that many seconds late
    telegram.hold("tap"); telegram.release("tap")  the two kinds of queues ("chat", "tap"; all, or of one chat or user)
    telegram.delays["chat"] = 0.2                  stand still or are slow, so that one overtakes the other
    telegram.redeliver(telegram.pushed[-1])        an update once more, whenever
    telegram.fail("sendMessage", times=2, status=429, parameters={"retry_after": 1}, chat_id=42)
    telegram.fail("sendMessage", close="after")                 # done, but the answer is lost ("before": not done)
    telegram.fail("sendMessage", delay=0.5)                     # late, otherwise as usual
    telegram.fail("getMe", body="<html>", status=502)           # a proxy's words
    telegram.chats[42].blocked = True; telegram.add_chat(-100, forum=True); telegram.add_thread(-100)
    user_renames_topic, user_closes_topic, user_deletes_topic, demote_bot, kick_bot, migrate_group …: telegram_forums.py
What it counts:
    telegram.violations        sends during an announced retry_after
    telegram.unknown_arguments arguments the method does not have
    telegram.deliveries, telegram.dropped, telegram.pending

Standalone: telegram.py --port N --token T [--limits] [--scale X] [--duplicate P], with GET /__state, /__calls?method=,
/__messages?chat=, /__wait?chat=&after=&timeout= and POST /__say, /__edit, /__tap, /__do, /__fail, /__options, /__chat, /__reset
(JSON, as the methods of the same names).
"""
import argparse
import itertools
import json
import os
import re
import socket
import socketserver
import sys
import threading
import time
from collections import deque
from email.utils import formatdate
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from telegram_forums import Forums  # noqa: E402
from telegram_limits import Limits  # noqa: E402
from telegram_methods import Methods  # noqa: E402
from telegram_state import KNOWN_ARGUMENTS, Refused, bad  # noqa: E402
from telegram_updates import Pool, Updates, read_head  # noqa: E402

BODY_BYTES_MAX = 60 * 1000 * 1000


class Call:
    """One request to the Bot API."""

    __slots__ = ("method", "params", "code", "description", "result", "at", "elapsed", "fault")

    def __init__(self, method, params):
        self.method, self.params = method, params
        self.code, self.description, self.result, self.fault = 0, "", None, None
        self.at, self.elapsed = time.time(), 0.0

    def to_json(self):
        params = {k: (v if not isinstance(v, dict) or "content" not in v else {"filename": v["filename"]})
                  for k, v in self.params.items()}
        return {"method": self.method, "params": params, "code": self.code, "description": self.description, "at": self.at,
                "fault": self.fault}

    def __repr__(self):
        return "<Call %s %s %s>" % (self.method, self.code, self.to_json()["params"])


class Closed(Exception):
    """The connection ends here, on purpose."""


class FakeTelegram(Methods, Forums, Updates):
    def __init__(self, token="123456:TEST", port=0, host="127.0.0.1", username="steward_test_bot", limits=False, scale=1.0,
                 duplicate=0.0, reorder=0.0, delivery_delay=0.0, delivery_scale=1.0, delivery_timeout=60.0,
                 query_seconds=15.0, require_https=False, update_id=None, **limit_options):
        self.token, self.host, self.port, self.username = token, host, port, username
        self.duplicate, self.reorder, self.delivery_delay = duplicate, reorder, delivery_delay
        self.delivery_scale, self.delivery_timeout = delivery_scale, delivery_timeout
        self.query_seconds, self.require_https = query_seconds, require_https
        self.clock_ahead = 0.0  # seconds of its Date header
        self.limit_options = dict(limit_options, on=limits, scale=scale)
        self.first_update_id = update_id or int(time.time()) % 100000 * 1000
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.server = None
        self.clear()

    def clear(self):
        """Forget everything; the server goes on."""
        self.calls = deque(maxlen=200000)
        self.chats, self.queries, self.files, self.commands = {}, {}, {}, []
        self.limits = Limits(**self.limit_options)
        self.actions, self.faults, self.unknown_arguments = [], [], []
        self.webhook = {"url": "", "secret": "", "max_connections": 40, "set_at": 0.0, "error": "", "error_at": 0}
        self.allowed_updates, self.pending, self.unqueued, self.pushed = [], {}, [], []
        self.lanes, self.links, self.deliveries, self.dropped = {}, [], [], []
        self.keys, self.holds, self.delays = {}, set(), {}
        self.update_ids, self.query_ids = itertools.count(self.first_update_id), itertools.count(1)
        self.poll_turn, self.seq, self.stopping = 0, 0, False

    # ---- life ----

    def start(self):
        self.stopping = False
        self.pool = Pool(100)
        self.server = Server((self.host, self.port), Connection)
        self.server.fake = self
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def stop(self):
        with self.lock:
            self.stopping = True
            self.changed.notify_all()
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server.close_all()
            self.server = None
            self.pool.stop()

    __enter__ = start

    def __exit__(self, *exc):
        self.stop()

    @property
    def url(self):
        return "http://%s:%d" % (self.host, self.port)

    @property
    def violations(self):
        return self.limits.violations

    def me(self):
        return {"id": int(self.token.split(":")[0]), "is_bot": True, "first_name": "steward", "username": self.username}

    # ---- bookkeeping for the methods ----

    def touch(self, message, new):
        self.seq += 1
        message.changed_seq = self.seq
        if new:
            message.seq = self.seq
        self.changed.notify_all()

    def limit(self, chat_id, message):
        wait = self.limits.check(chat_id, message)
        if wait:
            raise Refused(429, "Too Many Requests: retry after %d" % wait, retry_after=wait)

    def store_file(self, content, name):
        file_id = "F%06d" % len(self.files)
        self.files[file_id] = {"content": content, "path": "documents/file_%d" % len(self.files), "name": name}
        return file_id

    # ---- faults ----

    def fail(self, method="*", times=1, status=None, description=None, parameters=None, chat_id=None, close=None, delay=0,
             body=None, skip=0):
        """The next `times` calls of `method` (-1: all; after `skip` good ones) fail this way."""
        fault = {"method": method.lower(), "times": times, "status": status, "description": description,
                 "parameters": parameters, "chat_id": chat_id, "close": close, "delay": delay, "body": body, "skip": skip}
        with self.lock:
            self.faults.append(fault)
        return fault

    def clear_faults(self):
        with self.lock:
            self.faults.clear()

    def take_fault(self, method, params):
        for fault in self.faults:
            if fault["method"] not in ("*", method):
                continue
            if fault["chat_id"] is not None and str(params.get("chat_id")) != str(fault["chat_id"]):
                continue
            if fault["skip"]:
                fault["skip"] -= 1
                continue
            if fault["times"] > 0:
                fault["times"] -= 1
                if fault["times"] == 0:
                    self.faults.remove(fault)
            return fault
        return None

    # ---- one request ----

    def handle(self, name, params):
        """(HTTP status, answer as a dict or bytes); raises Closed."""
        method = name.lower()
        call = Call(name, params)
        began = time.monotonic()
        with self.lock:
            fault = self.take_fault(method, params)
        if fault and fault["delay"]:
            time.sleep(fault["delay"])
        if fault and fault["close"] == "before":
            self.note(call, 0, "closed before", fault)
            raise Closed
        try:
            with self.lock:
                answer = self.run(method, params, fault)
                code = 200
                call.result = answer.get("result")
        except Refused as refused:
            code = refused.code
            answer = {"ok": False, "error_code": code, "description": refused.description}
            if refused.parameters:
                answer["parameters"] = refused.parameters
        call.elapsed = time.monotonic() - began
        self.note(call, code, answer.get("description", ""), fault)
        if fault and fault["close"] == "after":
            raise Closed
        if fault and fault["body"] is not None:
            return fault["status"] or 200, fault["body"].encode()
        return code, answer

    def note(self, call, code, description, fault):
        call.code, call.description = code, description
        call.fault = fault and {k: v for k, v in fault.items() if v and k not in ("method", "times")}
        with self.lock:
            self.calls.append(call)
            self.changed.notify_all()

    def run(self, method, params, fault):
        function = getattr(self, "method_" + method, None)
        if function is None:
            raise Refused(404, "Not Found: method not found")
        known = KNOWN_ARGUMENTS.get(method)
        if known:
            self.unknown_arguments.extend((method, name) for name in params if name not in known.split())
        self.check_penalty(method, params)
        if fault and fault["status"] and fault["body"] is None:
            self.refuse_by_script(method, params, fault)
        if fault and fault["body"] is not None and (fault["status"] or 200) != 200:
            return {"ok": True}
        result = function(params)
        if isinstance(result, tuple):
            return {"ok": True, "result": result[1], "description": result[0]}
        return {"ok": True, "result": result}

    def check_penalty(self, method, params):
        if method.startswith(("get", "setwebhook", "deletewebhook", "setmycommands")):
            return
        chat_id = params.get("chat_id")
        chat_id = int(chat_id) if re.fullmatch(r"-?\d+", str(chat_id)) else None
        left = self.limits.penalised(method, chat_id)
        if left:
            seconds = max(1, int(left) + (left > int(left)))
            raise Refused(429, "Too Many Requests: retry after %d" % seconds, retry_after=seconds)

    def refuse_by_script(self, method, params, fault):
        parameters = dict(fault["parameters"] or {})
        wait = parameters.get("retry_after")
        if fault["status"] == 429 and wait:
            chat_id = params.get("chat_id")
            self.limits.announce(int(chat_id) if chat_id is not None else None, wait)
        words = {429: "Too Many Requests: retry after %s" % wait, 401: "Unauthorized", 403: "Forbidden: bot was blocked by the user",
                 500: "Internal Server Error", 502: "Bad Gateway", 400: "Bad Request"}
        raise Refused(fault["status"], fault["description"] or words.get(fault["status"], "Error"), **parameters)

    # ---- looking and waiting ----

    def calls_of(self, method, code=None):
        with self.lock:
            return [call for call in self.calls if call.method.lower() == method.lower() and code in (None, call.code)]

    def message(self, chat_id, message_id):
        return self.chats[chat_id].messages[message_id]

    def messages(self, chat_id, from_bot=None):
        """A chat's messages in order, as the person sees them now (deleted and service ones left out)."""
        with self.lock:
            chat = self.chats.get(chat_id)
            return [m for m in (chat.messages.values() if chat else ())
                    if not m.deleted and not m.service and from_bot in (None, m.from_bot)]

    def in_topic(self, chat_id, thread_id, from_bot=None):
        return [m for m in self.messages(chat_id, from_bot) if m.thread_id == thread_id]

    def wait_for(self, test, timeout=10.0, what="what was waited for"):
        """The first true value of test(), tried after every change; AssertionError after `timeout` seconds."""
        with self.lock:
            value = self.changed.wait_for(lambda: test() or False, timeout)
            if not value:
                raise AssertionError("%s did not happen within %g s" % (what, timeout))
            return value

    def wait_for_replies(self, after, count, timeout=10.0, contains=None):
        """The first `count` messages of the bot after message `after` (or in chat `after` from now's start on)."""
        chat_id, seq = (after, 0) if isinstance(after, int) else (after.chat.id, after.seq)

        def found():
            got = [m for m in self.messages(chat_id, from_bot=True) if m.seq > seq
                   and (contains is None or contains in (m.text or m.caption or ""))]
            return got[:count] if len(got) >= count else None
        return self.wait_for(found, timeout, "reply %d to %r%s in %r" % (
            count, after, " with %r" % contains if contains else "", self.messages(chat_id)[-5:]))

    def wait_for_reply(self, after, timeout=10.0, contains=None):
        return self.wait_for_replies(after, 1, timeout, contains)[0]

    def wait_for_edit(self, message, timeout=10.0, edits=1):
        self.wait_for(lambda: len(message.edits) >= edits, timeout, "edit %d of %r" % (edits, message))
        return message

    def wait_for_answer(self, query, timeout=10.0):
        self.wait_for(lambda: query.answered, timeout, "the answer to the tap on %r" % query.data)
        return query

    def wait_for_call(self, method, timeout=10.0, count=1):
        self.wait_for(lambda: len(self.calls_of(method)) >= count, timeout, "call %d of %s" % (count, method))
        return self.calls_of(method)[count - 1]

    # ---- control over HTTP ----

    def control(self, verb, name, query, body):
        if verb == "GET":
            return getattr(self, "control_get_" + name)(query)
        return getattr(self, "control_post_" + name)(body)

    def control_get_state(self, query):
        return {"webhook": {k: self.webhook[k] for k in ("url", "secret", "max_connections", "error")},
                "allowed_updates": self.allowed_updates, "commands": self.commands, "violations": self.violations,
                "unknown_arguments": self.unknown_arguments, "pending": len(self.pending), "calls": len(self.calls),
                "deliveries": len(self.deliveries), "dropped": len(self.dropped), "chats": sorted(self.chats),
                "actions": self.actions[-20:], "seq": self.seq}

    def control_get_calls(self, query):
        with self.lock:
            calls = list(self.calls)
        return [call.to_json() for call in calls if query.get("method", call.method).lower() == call.method.lower()]

    def control_get_messages(self, query):
        return [m.summary() for m in self.messages(int(query["chat"]))]

    def control_get_wait(self, query):
        chat_id, after = int(query["chat"]), int(query.get("after", 0))
        found = self.wait_for(lambda: [m for m in self.messages(chat_id, from_bot=True) if m.seq > after],
                              float(query.get("timeout", 10)), "a message in chat %d" % chat_id)
        return [m.summary() for m in found]

    def control_post_say(self, body):
        return self.user_says(body.pop("chat"), body.pop("user", None), body.pop("text", None), **body).summary()

    def control_post_edit(self, body):
        self.user_edits(self.message(body["chat"], body["message_id"]), body["text"])
        return True

    def control_post_tap(self, body):
        query = self.user_taps(self.message(body["chat"], body["message_id"]), body.get("button", 0), body.get("user"))
        return {"id": query.id, "data": query.data}

    def control_post_do(self, body):
        """A person's or the server's act by its name: {"do": "user_closes_topic", "chat_id": -5, "thread_id": 7}"""
        name = body.pop("do")
        if name.startswith(("user_", "demote_", "promote_", "kick_", "readmit_", "migrate_", "add_thread", "hold", "release",
                            "anonymous_", "channel_")):
            result = getattr(self, name)(**body)
            return result.summary() if hasattr(result, "summary") else result if isinstance(result, (int, str)) else True
        raise LookupError("no act %r" % name)

    def control_post_fail(self, body):
        self.fail(**body)
        return True

    def control_post_chat(self, body):
        chat = self.add_chat(body.pop("chat"), body.pop("kind", None), body.pop("title", ""), body.pop("forum", False))
        chat.__dict__.update(body)
        return chat.to_json()

    def control_post_options(self, body):
        for name, value in body.items():
            setattr(self.limits if hasattr(self.limits, name) else self, name, value)
        return True

    def control_post_reset(self, body):
        with self.lock:
            self.clear()
        return True


# ---- HTTP ----

class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 1024
    block_on_close = False

    def __init__(self, *args):
        self.open = set()
        super().__init__(*args)

    def close_all(self):
        for sock in list(self.open):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 409: "Conflict",
           413: "Request Entity Too Large", 429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway"}


class Connection(socketserver.BaseRequestHandler):
    """HTTP/1.1, keep-alive, as little of it as a Bot API needs: a thousand requests a second matter more than the rest."""

    def handle(self):
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server.open.add(self.request)
        reader = self.request.makefile("rb", 65536)
        try:
            while self.one(reader):
                pass
        except (OSError, Closed):
            pass
        finally:
            reader.close()
            self.server.open.discard(self.request)

    def one(self, reader):
        try:
            line, fields = read_head(reader)
        except OSError:
            return False
        verb, target, _ = line.split(" ", 2)
        if fields.get("expect", "").lower() == "100-continue":
            self.request.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = int(fields.get("content-length") or 0)
        if length > BODY_BYTES_MAX:
            self.answer(413, {"ok": False, "error_code": 413, "description": "Request Entity Too Large"})
            return False
        body = reader.read(length) if length else b""
        if len(body) < length:
            return False
        code, answer = self.route(verb, target, fields, body)
        self.answer(code, answer)
        return fields.get("connection", "").lower() != "close"

    def answer(self, code, answer):
        body = answer if isinstance(answer, bytes) else json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace")
        kind = "application/json" if not isinstance(answer, bytes) else "application/octet-stream"
        date = formatdate(time.time() + self.server.fake.clock_ahead, usegmt=True)
        head = "HTTP/1.1 %d %s\r\nServer: nginx\r\nDate: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n" % (
            code, REASONS.get(code, "Error"), date, kind, len(body))
        if isinstance(answer, dict) and "retry_after" in answer.get("parameters", {}):
            head += "Retry-After: %d\r\n" % answer["parameters"]["retry_after"]
        self.request.sendall(head.encode() + b"\r\n" + body)

    def route(self, verb, target, fields, body):
        fake = self.server.fake
        parts = urlsplit(target)
        if parts.path.startswith("/__"):
            return self.control(fake, verb, parts, body)
        found = re.fullmatch(r"/(file/)?bot([^/]*)/(.+)", unquote(parts.path))
        if not found:
            return 404, {"ok": False, "error_code": 404, "description": "Not Found"}
        if found[2] != fake.token:
            shaped = re.fullmatch(r"\d+:[A-Za-z0-9_-]+", found[2])
            code, words = (401, "Unauthorized") if shaped else (404, "Not Found")
            return code, {"ok": False, "error_code": code, "description": words}
        if found[1]:
            file = next((f for f in fake.files.values() if f["path"] == found[3]), None)
            return (200, file["content"]) if file else (404, {"ok": False, "error_code": 404, "description": "Not Found"})
        try:
            params = dict(parse_qsl(parts.query, keep_blank_values=True))
            params.update(arguments(fields.get("content-type", ""), body))
        except Refused as refused:
            return refused.code, {"ok": False, "error_code": refused.code, "description": refused.description}
        return fake.handle(found[3], params)

    def control(self, fake, verb, parts, body):
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        try:
            return 200, {"ok": True, "result": fake.control(verb, parts.path[3:], query, json.loads(body or b"{}"))}
        except Exception as error:  # the test's mistake: say which
            return 400, {"ok": False, "error_code": 400, "description": "%s: %s" % (type(error).__name__, error)}


def arguments(content_type, body):
    """A body's arguments: JSON, a form, or multipart; files become {"filename", "content_type", "content"}."""
    kind = content_type.split(";")[0].strip().lower()
    if not body:
        return {}
    if kind == "application/json":
        try:
            params = json.loads(body.decode("utf-8"))
        except ValueError:
            raise bad("can't parse request JSON object")
        if not isinstance(params, dict):
            raise bad("can't parse request JSON object")
        return {name: value for name, value in params.items() if value is not None}
    if kind == "application/x-www-form-urlencoded":
        return dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True))
    if kind == "multipart/form-data":
        return multipart(content_type, body)
    raise bad("unsupported content type %s" % kind)


def multipart(content_type, body):
    found = re.search(r'boundary="?([^";]+)"?', content_type)
    if not found:
        raise bad("multipart/form-data without a boundary")
    mark = b"--" + found[1].encode()
    if not body.startswith(mark) or not body.rstrip(b"\r\n").endswith(mark + b"--"):
        raise bad("multipart/form-data body does not keep to its boundary")
    params = {}
    for part in body.split(b"\r\n" + mark)[:-1]:
        part = part[len(mark):] if part.startswith(mark) else part
        head, separator, content = part.partition(b"\r\n\r\n")
        name = re.search(rb'name="([^"]*)"', head)
        if not separator or not name or b"content-disposition: form-data" not in head.lower():
            raise bad("multipart/form-data part without a name")
        filename = re.search(rb'filename="([^"]*)"', head)
        if filename:
            kind = re.search(rb"(?i)content-type: *([^\r\n]+)", head)
            params[name[1].decode()] = {"filename": unquote(filename[1].decode()), "content": content,
                                        "content_type": kind[1].decode() if kind else "application/octet-stream"}
        else:
            params[name[1].decode()] = content.decode("utf-8")
    return params


def main():
    options = argparse.ArgumentParser(description="a strict fake of the Telegram Bot API")
    options.add_argument("--port", type=int, default=8081)
    options.add_argument("--token", default="123456:TEST")
    options.add_argument("--limits", action="store_true", help="enforce Telegram's rate limits")
    options.add_argument("--scale", type=float, default=1.0, help="rate limit windows this many times shorter")
    options.add_argument("--duplicate", type=float, default=0.0, help="share of updates delivered twice")
    given = options.parse_args()
    fake = FakeTelegram(given.token, given.port, limits=given.limits, scale=given.scale, duplicate=given.duplicate).start()
    print(fake.url, flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        fake.stop()


if __name__ == "__main__":
    main()
