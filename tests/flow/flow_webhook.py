#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The webhook's contract: who gets in, what is durable, what is told to come again."""
import json
import os
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import ROOT, SECRET, TOKEN, flow, main, wait_until  # noqa: E402


@flow
def checks_the_secret_first(w):
    p = w.start_assistant()
    update = w.update("buy bread tomorrow")
    for headers in ({}, {"X-Telegram-Bot-Api-Secret-Token": ""}, {"X-Telegram-Bot-Api-Secret-Token": SECRET + "x"},
                    {"X-Telegram-Bot-Api-Secret-Token": SECRET[:-1]}):
        status, body, _ = p.request("POST", "/telegram-webhook", json.dumps(update), {"Content-Type": "application/json", **headers})
        assert status == 401, (status, headers)
        assert "error" in json.loads(body)
    # Wrong secret and rubbish: still 401, the body was not looked at.
    assert p.request("POST", "/telegram-webhook", "rubbish", {"X-Telegram-Bot-Api-Secret-Token": "no"})[0] == 401
    assert w.db.one("SELECT COUNT(*) FROM inbox") == 0
    assert p.post_update(update)[0] == 200
    w.wait_rows("SELECT content, due_date IS NOT NULL FROM tasks", [("buy bread", True if w.db.kind == "postgres" else 1)])


@flow
def judges_bodies(w):
    p = w.start_assistant()
    for bad in (b"", b"rubbish", b"[]", b"{}", b'{"update_id":"7"}', b'{"update_id":-1}', b'{"update_id":1,"message":{}}',
                b'{"update_id":1,"message":{"text":"\xff"}}', b"{'update_id':1}", b'{"update_id":NaN}', b'{"update_id":1}x',
                b'{"update_id":1,"message":' + b"[" * 200 + b"]" * 200 + b"}"):
        status, body, _ = p.post_update(bad)
        assert status == 400, (status, bad)
        assert "error" in json.loads(body)
    for ignored in ({"update_id": 5, "poll": {"id": "1"}}, {"update_id": 6}, {"update_id": 7, "something_new": {"a": 1}}):
        assert p.post_update(ignored)[0] == 200
    assert w.db.one("SELECT COUNT(*) FROM inbox") == 0
    assert p.post_update(b"x" * (1024 * 1024 + 1))[0] == 413
    assert p.request("GET", "/telegram-webhook")[0] == 405
    assert p.request("POST", "/respond", json.dumps(w.update("buy milk")), {"X-Telegram-Bot-Api-Secret-Token": SECRET})[0] == 200
    w.wait_rows("SELECT content FROM tasks", [("buy milk",)])
    # A large but allowed body is an update like any other.
    assert p.post_update(w.update("note: " + "x" * 20000))[0] == 200
    w.wait_idle()


@flow
def a_duplicate_has_no_effect(w):
    p = w.start_assistant()
    update = w.update("buy bread tomorrow")
    for _ in range(5):
        assert p.post_update(update)[0] == 200
    w.wait_idle()
    assert p.post_update(update)[0] == 200
    w.wait_idle()
    assert w.db.rows("SELECT content FROM tasks") == [("buy bread",)]
    assert w.db.one("SELECT COUNT(*) FROM inbox") == 1
    assert len(w.sent()) == 1


@flow
def duplicates_at_the_same_instant(w):
    p = w.start_assistant()
    updates = [w.update(f"buy thing{i} tomorrow") for i in range(20)]
    codes = []

    def post(u):
        codes.append(p.post_update(u)[0])
    threads = [threading.Thread(target=post, args=(u,)) for u in updates for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert set(codes) == {200}
    w.wait_idle()
    assert w.db.one("SELECT COUNT(*) FROM tasks") == 20
    assert w.db.one("SELECT COUNT(*) FROM outbox WHERE kind = 'message'") == 20


@flow(databases=("postgres",))
def a_database_that_is_away_means_503(w):
    """A cluster of its own, stopped and started under the running program."""
    directory = os.path.join(w.scratch, "pg")
    os.chmod(w.scratch, 0o755)

    def pg(command):
        return subprocess.run(["sh", "tests/pgtmp", command, directory], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    url = pg("start").strip().splitlines()[-1]
    w.db.drop()
    w.db.kind, w.db.url, w.db.drop = "postgres", url, lambda: None
    try:
        p = w.start_assistant()
        assert p.post_update(w.update("buy bread tomorrow"))[0] == 200
        w.wait_rows("SELECT content FROM tasks", [("buy bread",)])
        pg("halt")
        update = w.update("buy milk tomorrow")
        status, body, headers = p.post_update(update)
        assert status == 503, status
        assert headers.get("retry-after") == "2", headers
        assert "error" in json.loads(body)
        wait_until(lambda: p.get("/health")[0] == 503, "an unhealthy answer")
        pg("resume")
        wait_until(lambda: p.post_update(update)[0] == 200, "recovery without a restart")
        w.wait_rows("SELECT content FROM tasks ORDER BY id", [("buy bread",), ("buy milk",)])
        wait_until(lambda: p.get("/health")[0] == 200, "a healthy answer")
        wait_until(lambda: len(w.sent()) == 2, "both replies")
        p.stop()
    finally:
        pg("stop")


@flow(databases=("sqlite",))
def a_full_disk_means_503_and_an_honest_health(w):
    """A file-size limit stands for the full disk: writes fail, the process must not."""
    w.with_telegram()
    env = w.environment(PUBLIC_URL="http://127.0.0.1:1")
    from harness import Program
    wrapper = os.path.join(w.scratch, "limited")
    with open(wrapper, "w") as f:
        f.write(f"#!/bin/sh\nulimit -f 3000\nexec {w.binary}\n")
    os.chmod(wrapper, 0o755)
    p = Program(wrapper, w.db.url, w.scratch, env)
    w.programs.append(p)
    p.start()
    big = "note: " + "x" * 30000
    statuses = []
    for _ in range(200):
        statuses.append(p.post_update(w.update(big))[0])
        if statuses[-1] != 200:
            break
    assert statuses[-1] == 503, statuses[-5:]
    wait_until(lambda: p.get("/health")[0] == 503, "an unhealthy answer")
    stored = statuses.count(200)
    assert w.db.one("SELECT COUNT(*) FROM inbox") == stored, "what was answered 200 is on disk"
    p.kill()
    w.start()
    w.wait_idle()
    assert w.db.one("SELECT COUNT(*) FROM notes") == stored


@flow
def without_a_token_there_is_no_webhook(w):
    p = w.start()
    status, body, _ = p.request("POST", "/telegram-webhook", json.dumps(w.update("x")), {"X-Telegram-Bot-Api-Secret-Token": SECRET})
    assert status in (404, 503), status
    assert "error" in json.loads(body)
    health = json.loads(p.get("/health")[1])
    assert health["status"] == "healthy" and health["mode"] == "console", health


@flow(databases=("sqlite",))
def bad_settings_stop_the_start(w):
    cases = [("PORT", "http"), ("PORT", "70000"), ("DATABASE_URL", "mysql://x"), ("TZ", "Mars/Olympus"), ("LOG_LEVEL", "loud"),
             ("TELEGRAM_BOT_TOKEN", "no token"), ("TELEGRAM_USER_ID", "me"), ("PUBLIC_URL", "steward.example"),
             ("WEBHOOK_SECRET_TOKEN", "a b"), ("EMBEDDING_DIMENSIONS", "7"), ("DAILY_TOKEN_LIMIT", "-1"),
             ("TELEGRAM_PACING", "fast"), ("SSL_CERT_FILE", "/nowhere/ca.pem")]
    for name, value in cases:
        done = subprocess.run([w.binary], env={"PATH": os.environ["PATH"], "DATABASE_URL": w.db.url, "PORT": "1", name: value},
                              cwd=w.scratch, capture_output=True, text=True, timeout=30)
        assert done.returncode == 1, (name, done)
        assert name in done.stderr and "cannot start" in done.stderr, (name, done.stderr)
    secret = "sk-very-secret-value-123"
    done = subprocess.run([w.binary, "doctor"], env={"PATH": os.environ["PATH"], "DATABASE_URL": w.db.url,
                                                     "ANTHROPIC_API_KEY": secret, "ANTHROPIC_BASE_URL": "http://127.0.0.1:1"},
                          cwd=w.scratch, capture_output=True, text=True, timeout=120)
    assert secret not in done.stdout + done.stderr
    assert done.returncode == 1 and "FAILURE" in done.stdout, done.stdout


@flow
def a_stop_is_clean_and_a_second_server_is_refused(w):
    p = w.start_assistant()
    if w.db.kind == "sqlite":
        second = subprocess.run([w.binary], env={"PATH": os.environ["PATH"], "DATABASE_URL": w.db.url, "PORT": str(p.port + 1)},
                                cwd=w.scratch, capture_output=True, text=True, timeout=30)
        assert second.returncode == 1 and "steward" in second.stderr, second
    taken = subprocess.run([w.binary], env={"PATH": os.environ["PATH"], "DATABASE_URL": "sqlite://other.db", "PORT": str(p.port)},
                           cwd=w.scratch, capture_output=True, text=True, timeout=30)
    assert taken.returncode == 1 and str(p.port) in taken.stderr, taken
    p.post_update(w.update("buy bread tomorrow"))
    p.stop()
    w.start()
    w.wait_rows("SELECT content FROM tasks", [("buy bread",)])
    w.wait_idle()
    text = "".join(x.log_text() for x in w.programs)
    assert TOKEN not in text and SECRET not in text, "a secret is in the log"
    assert "buy bread" not in text, "a message body is in the log"


@flow(databases=("postgres",))
def instances_share_a_database(w):
    w.with_telegram()
    a = w.start()
    b = w.start()
    for i in range(30):
        (a if i % 2 else b).post_update(w.update(f"buy thing{i} tomorrow"))
    w.wait_idle()
    assert w.db.one("SELECT COUNT(*) FROM tasks") == 30
    assert len(w.sent()) == 30
    # One stops answering (SIGSTOP keeps its locks), the other goes on with what comes in there.
    b.process.send_signal(signal.SIGSTOP)
    try:
        a.post_update(w.update("buy soap tomorrow"))
        wait_until(lambda: w.db.one("SELECT COUNT(*) FROM tasks WHERE content = 'buy soap'") == 1, "the living instance's work")
    finally:
        b.process.send_signal(signal.SIGCONT)
    w.wait_idle()
    # Killed in the middle, its rows are taken over.
    for i in range(20):
        b.post_update(w.update(f"buy more{i} tomorrow"))
    b.kill()
    w.wait_idle()
    assert w.db.one("SELECT COUNT(*) FROM tasks WHERE content LIKE 'buy more%'") == 20
    time.sleep(0)


@flow(databases=("sqlite",))
def a_contested_webhook_is_set_again_at_leisure(w):
    """Another program with the same token sets its own, again and again: twice at once, then with pauses that grow to a minute."""
    w.with_telegram()
    w.telegram.fail("getWebhookInfo", times=100000, status=200, body=json.dumps(
        {"ok": True, "result": {"url": "https://other.example/", "has_custom_certificate": False, "pending_update_count": 0}}))
    p = w.start()
    wait_until(lambda: len(w.telegram.calls_of("setWebhook")) >= 3, "the third setWebhook")
    for i in range(20):
        wait_until(lambda: p.post_update(w.update(f"buy bread {i} tomorrow"))[0] == 200, "an update")
    w.wait_idle()
    # Pauses of 4, 16 and then 60 s: six are minutes away.  Without a pause there are hundreds by now.
    assert len(w.telegram.calls_of("setWebhook")) < 6, len(w.telegram.calls_of("setWebhook"))


if __name__ == "__main__":
    sys.exit(main())
