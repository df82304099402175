#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Requests as no client library sends them, over raw sockets: what is answered, and whether what follows on the same
connection is taken for a request.  A proxy in front may read such a request differently; so it must end here."""
import json
import os
import re
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import PATIENCE, SECRET, flow, main, wait_until  # noqa: E402

HOST = b"Host: localhost\r\n"
TOKEN = b"X-Telegram-Bot-Api-Secret-Token: " + SECRET.encode() + b"\r\n"
SMUGGLED = b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n"


def talk(p, data, wait=PATIENCE):
    """What comes back until the program closes; a marker when it does not."""
    out = b""
    with socket.create_connection(("127.0.0.1", p.port), timeout=wait) as s:
        try:
            s.sendall(data)
            while True:
                part = s.recv(65536)
                if not part:
                    return out
                out += part
        except ConnectionResetError:
            return out
        except socket.timeout:
            return out + b"<open>"


def statuses(reply):
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3}) ", reply)]


def get(*headers, target=b"/health", version=b"HTTP/1.1", host=HOST, end=b"\r\n"):
    return b"GET " + target + b" " + version + b"\r\n" + host + b"".join(h + b"\r\n" for h in headers) + end


def post(body, *headers):
    return b"POST /telegram-webhook HTTP/1.1\r\n" + HOST + TOKEN + b"".join(h + b"\r\n" for h in headers) + b"\r\n" + body


# Refused with 400, and the connection ends: the request sent behind it is not answered.
AMBIGUOUS = {
    "two equal lengths": post(b"{}", b"Content-Length: 2", b"Content-Length: 2"),
    "two lengths": post(b"{}", b"Content-Length: 2", b"Content-Length: 40"),
    "a list of lengths": post(b"{}", b"Content-Length: 2, 2"),
    "a length with a sign": post(b"{}", b"Content-Length: +2"),
    "a negative length": post(b"{}", b"Content-Length: -2"),
    "a hexadecimal length": post(b"{}", b"Content-Length: 0x2"),
    "a length of spaces": post(b"{}", b"Content-Length:  "),
    "a length beyond numbers": post(b"{}", b"Content-Length: 99999999999999999999"),
    "length and chunks": post(b"2\r\n{}\r\n0\r\n\r\n", b"Content-Length: 40", b"Transfer-Encoding: chunked"),
    "chunks and length": post(b"2\r\n{}\r\n0\r\n\r\n", b"Transfer-Encoding: chunked", b"Content-Length: 2"),
    "two encodings": post(b"2\r\n{}\r\n0\r\n\r\n", b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"),
    "an unknown encoding": post(b"2\r\n{}\r\n0\r\n\r\n", b"Transfer-Encoding: xchunked"),
    "chunks twice over": post(b"2\r\n{}\r\n0\r\n\r\n", b"Transfer-Encoding: chunked, chunked"),
    "an encoding with a control character": post(b"2\r\n{}\r\n0\r\n\r\n", b"Transfer-Encoding: \x0bchunked"),
    "chunks in HTTP/1.0": post(b"2\r\n{}\r\n0\r\n\r\n", b"Transfer-Encoding: chunked").replace(b"HTTP/1.1", b"HTTP/1.0"),
    "a chunk that is too long": post(b"FFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n", b"Transfer-Encoding: chunked"),
    "a chunk with a sign": post(b"-2\r\n{}\r\n0\r\n\r\n", b"Transfer-Encoding: chunked"),
    "two hosts": get(b"Host: evil.example"),
    "no host": get(host=b""),
    "a host with a path": get(host=b"Host: localhost/x\r\n"),
    "a host with a user": get(host=b"Host: x@localhost\r\n"),
    "two hosts in one": get(host=b"Host: localhost, evil.example\r\n"),
    "two authorizations": get(b"Authorization: Bearer a", b"Authorization: Bearer b"),
    "two secrets": post(b"{}", b"X-Telegram-Bot-Api-Secret-Token: other", b"Content-Length: 2"),
    "two types": post(b"{}", b"Content-Type: text/plain", b"Content-Type: application/json", b"Content-Length: 2"),
    "a folded header": get(b"X-A: a\r\n b"),
    "a folded first line": get(host=b" Host: localhost\r\n"),
    "a space before the colon": get(b"X-A : a"),
    "a header without a colon": get(b"X-A"),
    "a header without a name": get(b": a"),
    "bare line feeds": b"GET /health HTTP/1.1\nHost: localhost\n\n",
    "one bare line feed": get(b"X-A: a\nX-B: b"),
    "a bare carriage return": get(b"X-A: a\rb"),
    "a zero byte in a header": get(b"X-A: a\0b"),
    "a control character in a header": get(b"X-A: a\x01b"),
    "a zero byte in the path": get(target=b"/health\0"),
    "HTTP/0.9": b"GET /health\r\n\r\n",
    "HTTP/2 without asking": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "two spaces in the first line": get(target=b" /health"),
    "a space after the version": get(version=b"HTTP/1.1 "),
    "too many headers": get(*[b"X-%d: a" % i for i in range(101)]),
    "a large head": get(b"X-A: " + b"a" * 70000),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}

# Every route is one spelling of one path: none of these reaches a route.
NO_ROUTE = [b"/health%00", b"/%68ealth", b"/x/../health", b"/x/%2e%2e/health", b"/x%2f..%2fhealth", b"//health", b"/health/", b"/./health",
            b"/health#x", b"/HEALTH", b"health", b"http://localhost/health", b"http://evil.example/", b"*", b"/he\xe4lth", b"/health;x", b"/..", b"/\\health"]


@flow(databases=("sqlite",))
def ambiguous_requests_end_the_connection(w):
    p = w.start_assistant()
    assert statuses(talk(p, get(b"Connection: close"))) == [200], "the table's plain request"
    for name, data in AMBIGUOUS.items():
        reply = talk(p, data + SMUGGLED)
        assert statuses(reply) in ([400], []) and not reply.endswith(b"<open>"), (name, reply[-300:])
        assert reply, name
    assert w.db.one("SELECT COUNT(*) FROM inbox") == 0
    assert p.get("/health")[0] == 200


@flow(databases=("sqlite",))
def a_body_in_chunks_is_the_last_of_its_connection(w):
    """How chunks are framed is judged leniently (extensions, bare line feeds): so nothing may follow them."""
    p = w.start_assistant()
    for i, (size, end) in enumerate(((b"%x\r\n", b"\r\n0\r\n\r\n"), (b"%x;a=b\r\n", b"\r\n0\r\n\r\n"), (b"%x\n", b"\n0\n\n"),
                                     (b"%x\r\n", b"\r\n0\r\nX-Trailer: a\r\n\r\n"))):
        update = json.dumps(w.update(f"buy thing{i} tomorrow")).encode()
        reply = talk(p, post(size % len(update) + update + end, b"Content-Type: application/json", b"Transfer-Encoding: chunked") + SMUGGLED)
        assert statuses(reply) == [200] and b"connection: close" in reply.lower(), reply
    w.wait_idle()
    assert w.db.one("SELECT COUNT(*) FROM tasks") == 4
    # With a length the next request on the same connection is one.
    update = json.dumps(w.update("buy milk tomorrow")).encode()
    reply = talk(p, post(update, b"Content-Length: %d" % len(update)) + get(b"Connection: close"))
    assert statuses(reply) == [200, 200], reply


@flow(databases=("sqlite",))
def an_acknowledgement_has_no_body(w):
    """As many answers as requests, each of them a head alone, on a connection that goes on."""
    p = w.start_assistant()
    message, useless = (json.dumps(u).encode() for u in (w.update("buy milk tomorrow"), {"update_id": 7, "poll": {"id": "1"}}))
    sent = b"".join(post(u, b"Content-Length: %d" % len(u)) for u in (message, useless, message))
    *heads, last = talk(p, sent + get(b"Connection: close")).split(b"\r\n\r\n", 3)
    assert len(heads) == 3 and statuses(last) == [200] and b'"status"' in last, (heads, last)
    for head in heads:
        lines = head.lower().split(b"\r\n")
        assert lines[0] == b"http/1.1 200 ok" and b"content-length: 0" in lines and b"connection: keep-alive" in lines, head
        assert not [line for line in lines if line.startswith((b"content-type", b"transfer-encoding"))], head
    w.wait_rows("SELECT content FROM tasks", [("buy milk",)])


@flow(databases=("sqlite",))
def a_path_has_one_spelling(w):
    p = w.start()
    for target in NO_ROUTE:
        reply = talk(p, get(b"Connection: close", target=target))
        assert statuses(reply) in ([404], [400]) and b'{"error":' in reply, (target, reply)
    for target in (b"/health", b"/health?x=%2f..%2f", b"/health?"):
        assert statuses(talk(p, get(b"Connection: close", target=target))) == [200], target
    # The page is for names of this machine, whatever the first line says.
    evil = talk(p, get(b"Connection: close", target=b"/", host=b"Host: evil.example\r\n"))
    assert statuses(evil) == [403], evil
    assert statuses(talk(p, get(b"Connection: close", target=b"/"))) == [200]


@flow(databases=("sqlite",))
def nothing_is_upgraded(w):
    p = w.start()
    for headers in ((b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"),
                    (b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")):
        assert statuses(talk(p, get(*headers))) == [200], headers
    assert statuses(talk(p, b"POST /telegram-webhook HTTP/1.1\r\n" + HOST + b"Expect: wonders\r\nContent-Length: 2\r\n\r\n{}")) == [417]
    for method in (b"TRACE", b"CONNECT", b"OPTIONS", b"PUT", b"DELETE", b"get"):
        reply = talk(p, get(b"Connection: close").replace(b"GET", method))
        assert statuses(reply) == [405] and b"allow: GET, HEAD" in reply, (method, reply)


@flow(databases=("sqlite",))
def bodies_that_never_end_are_bounded(w):
    """Before a secret can be compared a body is read: a crowd of large ones is cut, the small go through."""
    p = w.start_assistant()
    crowd = []
    head = b"POST /telegram-webhook HTTP/1.1\r\n" + HOST + b"Content-Length: 4000000\r\n\r\n"
    endless = b"POST /telegram-webhook HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n"
    try:
        for i in range(120):
            s = socket.create_connection(("127.0.0.1", p.port), timeout=PATIENCE)
            crowd.append(s)
            try:
                s.sendall((endless if i % 2 else head) + b"x" * 3900000)
            except OSError:
                pass  # it was cut
        wait_until(lambda: "too much input at once" in p.log_text(), "the cut")
        assert p.post_update(w.update("buy bread tomorrow"))[0] == 200
        w.wait_rows("SELECT content FROM tasks", [("buy bread",)])
        with open(f"/proc/{p.process.pid}/status") as f:
            resident = int(re.search(r"VmRSS:\s+(\d+) kB", f.read()).group(1))
        if not {"ASAN_OPTIONS", "TSAN_OPTIONS"} & set(p.env):
            assert resident < 360 * 1024, f"{resident} KiB resident; 470 MB were sent"
    finally:
        for s in crowd:
            s.close()
    # A body over what is read at all: told, then closed.
    reply = talk(p, b"POST /telegram-webhook HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999\r\n\r\n")
    assert statuses(reply) == [413] and not reply.endswith(b"<open>"), reply


@flow(databases=("sqlite",))
def slow_clients_do_not_hold_up_others(w):
    """Half a head on many connections; everybody else is served at once."""
    p = w.start_assistant()
    slow = [socket.create_connection(("127.0.0.1", p.port), timeout=PATIENCE) for _ in range(500)]
    try:
        for s in slow:
            s.sendall(b"POST /telegram-webhook HTTP/1.1\r\nHost: loc")
        for i in range(20):
            assert p.post_update(w.update(f"buy thing{i} tomorrow"))[0] == 200
    finally:
        for s in slow:
            s.close()
    w.wait_idle()
    assert w.db.one("SELECT COUNT(*) FROM tasks") == 20


if __name__ == "__main__":
    sys.exit(main())
