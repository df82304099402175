#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Telegram and models that answer late, twice, wrongly or not at all, and names that do not resolve: one table row each.
A message is answered once; where a send may have arrived the second says so; a lost model leaves the message to the
built-in parser."""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import OWNER, flow, main, wait_until  # noqa: E402
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "fakes"))
from models import call, calls, status  # noqa: E402

HTML = "<html><body>Bad gateway</body></html>"

# what one sendMessage meets; how its row ends; the messages people see, "marked" being one that says "Sent again"
SENDS = [
    ("late", {"delay": 2}, "sent", ["plain"]),
    ("cut off before it was done", {"close": "before"}, "sent", ["marked"]),
    ("done, and the answer lost", {"close": "after"}, "sent", ["plain", "marked"]),
    ("a server error of the server's", {"status": 500}, "sent", ["marked"]),
    ("a server error of a proxy's", {"status": 502, "body": HTML}, "sent", ["marked"]),
    ("done, and a proxy's page", {"status": 200, "body": HTML}, "sent", ["plain", "marked"]),
    ("done, and half an answer", {"status": 200, "body": '{"ok":true,"result":{"mess'}, "sent", ["plain", "marked"]),
    ("done, and an answer without a result", {"status": 200, "body": "[]"}, "sent", ["plain", "marked"]),
    ("a proxy that is asked to sign in", {"status": 407, "body": HTML}, "sent", ["plain"]),
    ("too fast", {"status": 429, "parameters": {"retry_after": 1}}, "sent", ["plain"]),
    ("too fast, by a proxy", {"status": 429, "body": HTML}, "sent", ["plain"]),
    ("a conflict", {"status": 409, "description": "Conflict: terminated by other request"}, "sent", ["plain"]),
    ("blocked", {"status": 403}, "parked", []),
    ("refused", {"status": 400, "description": "Bad Request: chat not found"}, "parked", []),
]


@flow
def telegram_answers_in_every_way(w):
    """Each way in a chat of its own, all at once: no chat waits for another's trouble."""
    w.with_telegram()
    chats = {OWNER + i: row for i, row in enumerate(SENDS)}
    p = w.start(TELEGRAM_USER_ID=",".join(map(str, chats)))
    wait_until(lambda: w.telegram.webhook["url"], "the webhook's registration")
    for chat, (_, fault, _, _) in chats.items():
        w.telegram.add_chat(chat)
        w.telegram.fail("sendMessage", chat_id=chat, **fault)
        w.telegram.user_says(chat, None, "buy bread tomorrow")
    w.telegram.wait_for(lambda: not w.telegram.pending, 30, "the deliveries")
    w.wait_idle()
    for chat, (what, _, state, seen) in chats.items():
        got = ["marked" if "Sent again" in m.text else "plain" for m in w.sent(chat)]
        row = w.db.rows("SELECT state FROM outbox WHERE chat_id = ? AND kind = 'message'", chat)
        assert row == [(state,)] and got == seen, (what, row, got)
    assert w.db.one("SELECT COUNT(*) FROM tasks") == len(SENDS)
    assert not w.telegram.violations, w.telegram.violations
    wait_until(lambda: p.get("/health")[0] == 200, "a healthy answer")


@flow
def a_refused_token_waits_and_says_so(w):
    p = w.start_assistant()
    w.says("buy bread tomorrow")
    w.telegram.fail("sendMessage", times=1, status=401)
    w.telegram.user_says(OWNER, None, "buy milk tomorrow")
    wait_until(lambda: p.get("/health")[0] == 503, "an unhealthy answer")
    assert "token" in json.loads(p.get("/health")[1])["reason"]
    w.wait_rows("SELECT state FROM outbox WHERE kind = 'message' ORDER BY id", [("sent",), ("available",)])
    assert p.post_update(w.update("buy soap tomorrow"))[0] == 200, "what comes in is kept"
    wait_until(lambda: w.db.one("SELECT COUNT(*) FROM tasks") == 3, "the work")
    p.stop()
    w.db.change("UPDATE outbox SET run_at = 0 WHERE state = 'available'")  # its next look would be a minute away
    w.start()
    w.telegram.wait_for_replies(OWNER, 3, 30)
    w.wait_idle()


@flow
def updates_that_come_twice(w):
    w.with_telegram(duplicate=1.0)
    w.start()
    wait_until(lambda: w.telegram.webhook["url"], "the webhook's registration")
    for i in range(10):
        w.says(f"buy item{i} tomorrow")
    w.wait_idle()
    assert [c for (c,) in w.db.rows("SELECT content FROM tasks ORDER BY id")] == [f"buy item{i}" for i in range(10)]
    assert len(w.sent()) == 10


POLLS = [
    ("another program polls too", {"status": 409, "description": "Conflict: terminated by other getUpdates request"}),
    ("a webhook is in the way", {"status": 409, "description": "Conflict: can't use getUpdates method while webhook is active"}),
    ("a server error", {"status": 500}), ("a proxy's page", {"status": 502, "body": HTML}), ("no answer", {"close": "before"}),
    ("an answer that is lost", {"close": "after"}), ("half an answer", {"status": 200, "body": '{"ok":true,"result":[{"upd'}),
    ("too fast", {"status": 429, "parameters": {"retry_after": 1}}),
]


@flow
def polling_meets_them_too(w):
    w.with_telegram()
    p = w.start(polling=True)
    w.says("buy item tomorrow")
    for i, (what, fault) in enumerate(POLLS):  # met by the call after the one that brings the message
        w.telegram.fail("getUpdates", **fault)
        w.says(f"buy item{i} tomorrow")
        w.telegram.wait_for(lambda: not w.telegram.faults, 30, what)
    w.says("buy the last item tomorrow")
    w.wait_idle()
    expected = ["buy item", *(f"buy item{i}" for i in range(len(POLLS))), "buy the last item"]
    assert [c for (c,) in w.db.rows("SELECT content FROM tasks ORDER BY id")] == expected
    assert len(w.sent()) == len(expected)
    assert p.get("/health")[0] == 200


# --- models; the usual odd bodies are in flow_model.py ---

GOOD = calls(call("add_task", content="Buy bread", due_date="tomorrow"))
NAMED_TWICE = json.dumps({
    "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "tool_use",
    "content": [{"type": "tool_use", "id": "toolu_1", "name": "delete_task", "input": {"content": "bread"}}],
    "usage": {"input_tokens": 1, "output_tokens": 1}}).replace('"name": "delete_task"', '"name": "delete_task", "name": "add_note"')
MODELS = [  # one odd answer, then a good one: how the message ends, and how often the model was asked
    ("overloaded", status(529), "Buy bread", 2),
    ("too fast", status(429, headers={"retry-after": "1"}), "Buy bread", 2),
    ("a server error", status(500), "Buy bread", 2),
    ("cut off in the middle", {**GOOD, "close": "mid"}, "Buy bread", 2),
    ("a wrong request", status(400), "buy bread", 1),
    ("not paid", status(402), "buy bread", 1),
    ("one id for two calls", {**calls(call("add_task", content="Buy bread"), call("add_note", content="rye")), "duplicate_ids": True},
     None, None),
    ("one call with two names", {"body": NAMED_TWICE}, None, None),
    ("calls without ids", {**GOOD, "no_ids": True}, None, None),
    ("arguments as a string", {**GOOD, "arguments_as": "string"}, None, None),
]


def after(w, what, odd):
    """The tasks that `odd`, then a good answer make of one message."""
    w.models.script([odd, {**GOOD, "times": -1}])
    asked = len(w.models.requests)
    before = w.db.one("SELECT COALESCE(MAX(id), 0) FROM tasks")
    reply = w.says("buy bread tomorrow")
    w.wait_idle()
    assert reply.text, what
    return [c for (c,) in w.db.rows("SELECT content FROM tasks WHERE id > ?", before)], len(w.models.requests) - asked


@flow
def a_model_answers_oddly_once(w):
    w.start_assistant(models=True)
    for what, odd, content, asked in MODELS:
        got = after(w, what, odd)
        assert len(got[0]) == 1 and got[0][0].lower() == "buy bread", (what, got)
        assert content is None or got == ([content], asked), (what, got)
        assert not w.models.refused(), (what, w.models.refused())
        if got[0] == ["buy bread"]:  # a model that failed for good is left alone for a while
            w.program.stop()
            w.start()


@flow(databases=("sqlite",))
def a_model_that_hangs(w):
    """The long form waits for its timeout; flow_model.py has what goes on meanwhile."""
    if os.environ.get("STEWARD_TEST_FAULTS") != "all":
        print("skipped: takes the minutes of a model's timeout; STEWARD_TEST_FAULTS=all runs it")
        return
    w.start_assistant(models=True)
    w.models.script([{"hang": True, "times": -1}])
    message = w.telegram.user_says(OWNER, None, "buy bread tomorrow")
    reply = w.telegram.wait_for_reply(message, timeout=225)
    assert "built-in parser" in reply.text, reply.text
    w.wait_rows("SELECT content FROM tasks", [("buy bread",)])


@flow
def names_that_do_not_resolve(w):
    """The model's: the parser takes over.  Telegram's: what is to be sent waits, however long."""
    w.with_telegram()
    nowhere = {"ANTHROPIC_API_KEY": "test-key", "ANTHROPIC_BASE_URL": "http://model.steward.invalid", "no_proxy": "*"}
    p = w.start(**nowhere)
    wait_until(lambda: w.telegram.webhook["url"], "the webhook's registration")
    reply = w.says("buy bread tomorrow")
    assert "built-in parser" in reply.text and "buy bread" in reply.text, reply.text
    p.stop()
    p = w.start(**nowhere, TELEGRAM_API_BASE="http://telegram.steward.invalid")
    assert p.post_update(w.update("buy milk tomorrow"))[0] == 200
    w.wait_rows("SELECT content FROM tasks ORDER BY id", [("buy bread",), ("buy milk",)])
    wait_until(lambda: "invalid" in (w.db.one("SELECT last_error FROM outbox WHERE state = 'available'") or ""), "a first try")
    row = w.db.rows("SELECT attempts, unknowns FROM outbox WHERE state = 'available'")
    assert row == [(0, 0)], f"nobody's fault, and nothing was sent: {row}"
    p.stop()
    w.start()
    w.telegram.wait_for_replies(OWNER, 2, 30)
    w.wait_idle()
    assert not [m for m in w.sent() if "Sent again" in m.text]


if __name__ == "__main__":
    sys.exit(main())
