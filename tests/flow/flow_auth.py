#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Wrong secrets: they are counted by address, guessing becomes slow, and the owner gets in at any time."""
import contextlib
import http.client
import itertools
import json
import os
import re
import sqlite3
import sys
import uuid

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import OWNER, SECRET, flow, main, wait_until  # noqa: E402

BEARER = "a-long-bearer-secret-of-an-agent"
ALLOWED = 10  # wrong ones at once


def from_address(address, **more):
    return {"X-Forwarded-For": address, **more}


def webhook(p, update, secret, address):
    return p.request("POST", "/telegram-webhook", json.dumps(update), from_address(
        address, **{"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": secret}))


def bearer(p, secret, address):
    return p.get("/metrics", from_address(address, Authorization=f"Bearer {secret}"))


@flow(databases=("sqlite",))
def telegram_is_never_locked_out(w):
    p = w.start_assistant()
    for i in range(ALLOWED):
        assert webhook(p, w.update("buy milk"), f"guess{i}", "203.0.113.7")[0] == 401, i
    status, body, headers = webhook(p, w.update("buy milk"), "guess", "203.0.113.7")
    assert status == 429 and int(headers["retry-after"]) >= 1 and "error" in json.loads(body), (status, body, headers)
    # The right secret from the very same address is taken at once, as often as it comes.
    for i in range(3 * ALLOWED):
        assert webhook(p, w.update(f"buy thing{i} tomorrow"), SECRET, "203.0.113.7")[0] == 200
    assert webhook(p, w.update("buy milk"), "guess", "203.0.113.7")[0] == 429
    assert webhook(p, w.update("buy milk"), "guess", "203.0.113.8")[0] == 401, "others are not concerned"
    w.wait_idle()
    assert w.db.one("SELECT COUNT(*) FROM tasks") == 3 * ALLOWED
    assert w.db.one("SELECT COUNT(*) FROM inbox") == 3 * ALLOWED
    assert '"event":"wrong secrets"' in p.log_text() and "203.0.113.7" in p.log_text()


@flow(databases=("sqlite",))
def the_agents_secret_is_never_locked_out(w):
    p = w.start(NOTIFY_SECRET=BEARER)
    for i in range(ALLOWED):
        status, _, headers = bearer(p, f"guess{i}", "203.0.113.7")
        assert status == 401 and headers["www-authenticate"] == "Bearer", i
    assert [bearer(p, "guess", "203.0.113.7")[0] for _ in range(3)] == [429] * 3
    assert bearer(p, BEARER, "203.0.113.7")[0] == 200
    assert bearer(p, "guess", "203.0.113.7")[0] == 429
    assert bearer(p, BEARER[:-1], "203.0.113.8")[0] == 401
    assert bearer(p, BEARER + "x", "203.0.113.8")[0] == 401
    # Nothing given is nothing guessed: it says what is missing for ever.
    assert {p.get("/metrics", from_address("203.0.113.9"))[0] for _ in range(3 * ALLOWED)} == {401}
    # The client's own word about its address does not count behind a proxy, whichever way the proxy adds its own.
    for i in range(ALLOWED):
        bearer(p, "guess", f"10.9.8.{i}, 203.0.113.20")
    assert bearer(p, "guess", "1.2.3.4, 203.0.113.20")[0] == 429
    c = http.client.HTTPConnection("127.0.0.1", p.port, timeout=20)
    c.putrequest("GET", "/metrics")
    for name, value in (("X-Forwarded-For", "1.2.3.5"), ("X-Forwarded-For", "203.0.113.20"), ("Authorization", "Bearer guess")):
        c.putheader(name, value)
    c.endheaders()
    assert c.getresponse().status == 429
    c.close()
    # One household of IPv6 is one address.
    for i in range(ALLOWED):
        bearer(p, "guess", f"2001:db8:1:2::{i}")
    assert bearer(p, "guess", "2001:db8:1:2:ffff::1")[0] == 429
    assert bearer(p, "guess", "2001:db8:1:3::1")[0] == 401
    metrics = bearer(p, BEARER, "203.0.113.7")[1]
    assert int(re.search(r"^steward_http_wrong_secrets_total (\d+)", metrics, re.M).group(1)) > 3 * ALLOWED


def log_in(p, password, cookies=(), address="203.0.113.7"):
    return p.request("POST", "/console/login", json.dumps({"password": password}), from_address(
        address, Host="steward.example", Origin="https://steward.example", **{"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin",
                                                                              "Cookie": "; ".join(cookies)}))


@flow(databases=("sqlite",))
def the_owners_browser_is_not_locked_out_of_the_console(w):
    """Behind a shared proxy everybody has one address; a browser that was in before is counted apart."""
    p = w.start(CONSOLE_PASSWORD="correct horse")
    status, _, headers = log_in(p, "correct horse")
    assert status == 200
    session = headers["set-cookie"].split(";")[0]
    page = from_address("203.0.113.7", Host="steward.example", Cookie=session)
    status, _, headers = p.get("/", page)
    device = headers["set-cookie"].split(";")[0]
    assert status == 200 and device.startswith("steward_device="), headers
    assert p.get("/", {**page, "Cookie": f"{session}; {device}"})[2].get("set-cookie") is None, "it has one already"
    # Strangers at the same address use up what is there.
    for i in range(5):
        assert log_in(p, f"guess{i}")[0] == 401
    assert log_in(p, "correct horse")[0] == 429
    assert log_in(p, "correct horse", [device])[0] == 200
    assert log_in(p, "correct horse", [session])[0] == 429, "the cookies are not each other's"
    # A device cookie opens nothing, a forged one counts as none, and a stolen one is slowed as well.
    assert p.get("/", {**page, "Cookie": device})[0] == 401
    assert p.get("/", {**page, "Cookie": device.replace("steward_device", "steward_session")})[0] == 401
    assert log_in(p, "correct horse", [device[:-1] + ("0" if device[-1] != "0" else "1")])[0] == 429
    for i in range(5):
        assert log_in(p, f"guess{i}", [device])[0] == 401
    assert log_in(p, "correct horse", [device])[0] == 429
    # The session that is open stays open, also over a restart.
    p.stop()
    p = w.start(CONSOLE_PASSWORD="correct horse")
    assert p.get("/", page)[0] == 200
    p.stop()
    p = w.start(CONSOLE_PASSWORD="another horse")
    assert p.get("/", page)[0] == 401, "a new password ends every session"


@flow(databases=("sqlite",))
def a_proxy_that_hides_its_clients_is_found_out(w):
    """Without X-Forwarded-For everybody would seem to sit at this machine.  Telegram's own posts give it away."""
    w.with_telegram()
    p = w.start(PUBLIC_URL="https://steward.example", NOTIFY_SECRET=BEARER)
    assert p.get("/")[0] == 200 and p.get("/metrics")[0] == 200
    assert webhook(p, w.update("buy bread tomorrow"), SECRET, "149.154.160.1")[0] == 200
    assert p.get("/")[0] == 200, "a proxy that names its clients"
    assert p.post_update(w.update("buy milk tomorrow"), secret="wrong")[0] == 401
    assert p.get("/")[0] == 200, "a stranger cannot bring it about"
    assert p.post_update(w.update("buy milk tomorrow"))[0] == 200
    assert p.get("/")[0] == 403 and p.get("/metrics")[0] == 401 and p.get("/console/events")[0] == 403
    assert p.get("/metrics", {"Authorization": f"Bearer {BEARER}"})[0] == 200
    status, _, _ = p.request("POST", "/console/message", json.dumps({"id": str(uuid.uuid4()), "text": "hi"}), {
        "Content-Type": "application/json", "Origin": f"http://127.0.0.1:{p.port}", "Sec-Fetch-Site": "same-origin"})
    assert status == 403
    assert "proxy hides its clients" in p.log_text()
    w.wait_idle()
    assert w.db.one("SELECT COUNT(*) FROM tasks") == 2


@flow(databases=("sqlite",))
def the_health_command_asks_the_running_program(w):
    p = w.start()
    env = {"PORT": str(p.port)}
    code, out, _ = w.command("health", env=env)
    assert code == 0 and json.loads(out)["status"] == "healthy", out
    assert w.command("health", env={**env, "BIND": "0.0.0.0"})[0] == 0
    # Not even a proxy of the environment comes between.
    assert w.command("health", env={**env, "http_proxy": "http://127.0.0.1:9"})[0] == 0
    p.stop()
    code, out, err = w.command("health", env=env)
    assert code == 1 and out == "" and "cannot be reached" in err and "PORT" in err, (code, out, err)
    assert w.command("health", "x", env=env)[0] == 2


@flow(databases=("sqlite",))
def strangers_hear_less_of_what_is_wrong(w):
    """A database's error names hosts, users and files."""
    p = w.start_assistant()
    with contextlib.closing(sqlite3.connect(w.db.path, isolation_level=None)) as shell:
        shell.execute("BEGIN IMMEDIATE")
        assert p.post_update(w.update("buy milk tomorrow"))[0] == 503
        wait_until(lambda: "another program holds" in p.get("/health")[1], "the reason")
        asked = {name: p.get("/health", headers) for name, headers in (
            ("here", {}), ("elsewhere", from_address("203.0.113.7")), ("another name", {"Host": "steward.example"}))}
        shell.execute("ROLLBACK")
    here = json.loads(asked.pop("here")[1])
    assert len(here["reason"]) > len("database") and here["database"]["error"] == here["reason"], here
    for status, body, _ in asked.values():
        there = json.loads(body)
        assert status == 503 and there["status"] == "unhealthy" and there["reason"] == "database", there
        assert "error" not in there["database"] and here["reason"] not in body and "another program" not in body, there


@flow(databases=("sqlite",))
def passwords_in_addresses_are_masked(w):
    for url, shown in (("postgres://ada:hunter22-x@127.0.0.1:9/db?sslmode=disable", "postgres://***@127.0.0.1:9/db?***"),
                       ("postgres://127.0.0.1:9/db?user=ada&password=hunter22-x", "postgres://127.0.0.1:9/db?***"),
                       ("postgres://ada:hunter22-x?/y@127.0.0.1:9/db", "postgres://***@127.0.0.1:9/db")):
        code, out, err = w.command("doctor", env={"DATABASE_URL": url, "OPENAI_BASE_URL": "http://ada:hunter22-x@127.0.0.1:9/v1"})
        assert code == 1 and shown in out, (url, out)
        assert "hunter22" not in out + err, (url, out, err)
        code, out, err = w.command("serve", env={"DATABASE_URL": url, "PORT": "1"})
        assert code == 1 and "hunter22" not in out + err, (out, err)


GROUP = -1001


def send(p, **fields):
    status, body, _ = p.request("POST", "/send", json.dumps({"project": "steward", "type": "blocking", "buttons": ["Yes", "No"], **fields}),
                                {"Authorization": f"Bearer {BEARER}", "Content-Type": "application/json"})
    assert status == 200, (status, body)
    return json.loads(body)["request_id"]


@flow
def a_card_obeys_its_people_and_its_own_button(w):
    """Taps of strangers, of placeholders, with another card's button, with made-up data, and once more afterwards."""
    w.with_telegram()
    w.telegram.add_chat(GROUP)
    p = w.start(NOTIFY_SECRET=BEARER, NOTIFY_CHAT_ID=GROUP)
    wait_until(lambda: w.telegram.webhook["url"], "the webhook")
    requests = [send(p, message="Deploy?"), send(p, message="Delete?")]
    cards = [wait_until(lambda t=text: next((m for m in w.sent(GROUP) if t in (m.text or "") and m.keyboard), None), text)
             for text in ("Deploy?", "Delete?")]
    data = [[b["callback_data"] for row in m.keyboard for b in row] for m in cards]
    taps = itertools.count(1)

    def tap(m, token, user):
        """As Telegram would post it, and done with when it returns."""
        number = next(taps)
        status, body, _ = p.post_update({"update_id": 500000 + number, "callback_query": {
            "id": str(number), "from": {"id": user, "is_bot": False, "first_name": "X"}, "chat_instance": "1", "data": token,
            "message": {"message_id": m.id, "date": 1, "chat": {"id": GROUP, "type": "supergroup", "title": "G"}, "text": "x"}}})
        assert status == 200, (status, body)
        wait_until(lambda: not w.unfinished("inbox"), "the tap's end")

    def states():
        return dict(w.db.rows("SELECT request_id, state FROM requests"))
    open_states = states()
    for user in (77, 1087968824, 136817688, 777000):  # a member; Telegram's stand-ins for anonymous admins and channels
        tap(cards[0], data[0][0], user)
    tap(cards[0], data[1][0], OWNER)  # the button of the other card
    tap(cards[1], data[0][0], OWNER)
    for made_up in (data[0][0][:-1] + ("A" if data[0][0][-1] != "A" else "B"), data[0][0][:-4], data[0][0] + "A", "ask:", "ask:" + "A" * 43, requests[0]):
        tap(cards[0], made_up, OWNER)
    assert states() == open_states, states()
    w.telegram.user_replies(cards[0], "yes", user=77)
    wait_until(lambda: not w.unfinished("inbox"), "the reply's end")
    assert states() == open_states, "a stranger's words"
    tap(cards[0], data[0][0], OWNER)
    tap(cards[0], data[0][1], OWNER)  # the first one counts
    assert w.db.rows("SELECT state, response, answered_by FROM requests WHERE request_id = ?", requests[0]) == [("responded", "Yes", OWNER)]
    assert states()[requests[1]] == open_states[requests[1]]
    # The secret of agents asks; it cannot answer.
    for path in ("/telegram-webhook", "/respond"):
        assert p.request("POST", path, "{}", {"Authorization": f"Bearer {BEARER}"})[0] == 401
        assert webhook(p, {"update_id": 1}, BEARER, "203.0.113.50")[0] == 401


if __name__ == "__main__":
    sys.exit(main())
