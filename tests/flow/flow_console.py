#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The console page's endpoints: the same pipeline without Telegram."""
import json
import os
import sys
import uuid

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import flow, main, wait_until  # noqa: E402


def post(p, path, body, **headers):
    host = f"127.0.0.1:{p.port}"
    return p.request("POST", path, json.dumps(body), {"Content-Type": "application/json", "Origin": f"http://{host}",
                                                      "Sec-Fetch-Site": "same-origin", **headers})


def say(p, text, message_id=None):
    status, body, _ = post(p, "/console/message", {"id": message_id or str(uuid.uuid4()), "text": text})
    assert status == 202, (status, body)


@flow
def a_message_becomes_a_row_and_a_reply(w):
    p = w.start()
    key = str(uuid.uuid4())
    say(p, "buy bread tomorrow", key)
    say(p, "buy bread tomorrow", key)  # the browser tries again
    w.wait_rows("SELECT content FROM tasks", [("buy bread",)])
    w.wait_rows("SELECT author FROM console_messages ORDER BY id", [("user",), ("bot",)])
    html = w.db.one("SELECT html FROM console_messages WHERE author = 'bot'")
    assert html.startswith("<b>✓ Task added to General</b>\nbuy bread\nDue: "), html
    assert "(tomorrow)" in html and "ID 1" in html, html


@flow
def the_browser_tells_its_zone(w):
    p = w.start()
    status, _, _ = post(p, "/console/message", {"id": str(uuid.uuid4()), "text": "/timezone", "time_zone": "Asia/Tokyo"})
    assert status == 202
    wait_until(lambda: w.db.one("SELECT html FROM console_messages WHERE author = 'bot'"), "the answer")
    assert "Asia/Tokyo" in w.db.one("SELECT html FROM console_messages WHERE author = 'bot'")
    post(p, "/console/message", {"id": str(uuid.uuid4()), "text": "hello", "time_zone": "Mars/Olympus"})
    w.wait_idle()
    assert w.db.rows("SELECT zone FROM users") == [("Asia/Tokyo",)]


@flow
def buttons_work_and_undo_survives_a_restart(w):
    p = w.start()
    say(p, "buy bread tomorrow")
    w.wait_rows("SELECT completed FROM tasks", [(0,)])
    w.wait_idle()
    message_id, buttons = w.db.rows("SELECT id, buttons FROM console_messages WHERE author = 'bot'")[0]
    data = {b["text"]: b["data"] for row in json.loads(buttons) for b in row}
    done = next(d for t, d in data.items() if "Done" in t)
    undo = next(d for t, d in data.items() if "Undo" in t)
    tap = str(uuid.uuid4())
    for _ in range(2):
        assert post(p, "/console/tap", {"id": tap, "message_id": message_id, "data": done})[0] == 202
    w.wait_rows("SELECT completed FROM tasks", [(1,)])
    w.wait_idle()
    p.stop()
    p = w.start()
    say(p, "undo")
    w.wait_rows("SELECT completed FROM tasks", [(0,)])
    assert post(p, "/console/tap", {"id": str(uuid.uuid4()), "message_id": message_id, "data": undo})[0] == 202
    w.wait_rows("SELECT deleted_at IS NOT NULL FROM tasks", [(True if w.db.kind == "postgres" else 1,)])


@flow(databases=("sqlite",))
def other_sites_are_kept_out(w):
    p = w.start()
    body = {"id": str(uuid.uuid4()), "text": "buy bread tomorrow"}
    good = {"Content-Type": "application/json", "Origin": f"http://127.0.0.1:{p.port}", "Sec-Fetch-Site": "same-origin"}
    for change in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Content-Type": "text/plain"},
                   {"Host": "evil.example"}, {"Host": f"evil.example:{p.port}"}):
        status, _, _ = p.request("POST", "/console/message", json.dumps(body), {**good, **change})
        assert status in (400, 403, 415, 421), (status, change)
    status, _, _ = p.get("/", {"Host": "rebound.example"})
    assert status in (400, 403, 421), status
    status, page, headers = p.get("/")
    assert status == 200 and "<html" in page
    assert "default-src 'none'" in headers["content-security-policy"], headers
    # Behind a proxy the peer is not this machine.
    assert p.get("/", {"X-Forwarded-For": "203.0.113.7"})[0] in (401, 403)
    assert w.db.one("SELECT COUNT(*) FROM inbox") == 0


@flow(databases=("sqlite",))
def a_password_opens_it_from_elsewhere(w):
    p = w.start(CONSOLE_PASSWORD="correct horse")
    elsewhere = {"X-Forwarded-For": "203.0.113.7", "Host": "steward.example"}
    status, page, _ = p.get("/", elsewhere)
    assert status in (200, 401) and "password" in page.lower(), (status, page[:200])
    origin = {"Origin": "http://steward.example", "Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
    status, body, _ = p.request("POST", "/console/login", json.dumps({"password": "wrong"}), {**elsewhere, **origin})
    assert status == 401, (status, body)
    status, body, headers = p.request("POST", "/console/login", json.dumps({"password": "correct horse"}), {**elsewhere, **origin})
    assert status in (200, 204, 303), (status, body)
    cookie = headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie, cookie
    logged_in = {**elsewhere, "Cookie": cookie.split(";")[0]}
    assert p.get("/", logged_in)[0] == 200
    status, _, _ = p.request("POST", "/console/message", json.dumps({"id": str(uuid.uuid4()), "text": "buy bread tomorrow"}),
                             {**logged_in, **origin})
    assert status == 202, status
    wait_until(lambda: w.db.one("SELECT COUNT(*) FROM tasks") == 1, "the task")


if __name__ == "__main__":
    sys.exit(main())
