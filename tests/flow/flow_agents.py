#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Agents ask, people answer: the HTTP endpoints against the strict fake Telegram, graded by rows."""
import json
import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import OWNER, flow, main, wait_until  # noqa: E402

AGENT_SECRET = "agent-secret-0123456789"
BEARER = {"Authorization": "Bearer " + AGENT_SECRET, "Content-Type": "application/json"}


class Agent:
    """An asking side that speaks plain HTTP."""

    def __init__(self, program):
        self.program = program

    def call(self, method, path, body=None, headers=None, timeout=75):
        status, text, _ = self.program.request(method, path, None if body is None else json.dumps(body), headers or BEARER, timeout)
        return status, json.loads(text) if text else None

    def send(self, message="Deploy?", type="blocking", project="steward", **more):
        status, answer = self.call("POST", "/send", {"project": project, "type": type, "message": message, **more})
        assert status == 200, (status, answer)
        return answer

    def ask(self, message="Deploy?", buttons=("Yes", "No"), **more):
        return self.send(message, buttons=list(buttons), **more)["request_id"]

    def poll(self, request_id, wait=None):
        status, answer = self.call("GET", f"/poll?request_id={request_id}" + (f"&wait={wait}" if wait is not None else ""))
        assert status == 200, (status, answer)
        return answer

    def answered(self, request_id):
        return wait_until(lambda: (lambda a: a if a["status"] != "waiting" else None)(self.poll(request_id, wait=5)), "an answer")

    def cancel(self, request_id, **more):
        return self.call("POST", "/cancel", {"request_id": request_id, **more})

    def poll_later(self, request_id, wait=60):
        """A held poll in a thread; .join() and .answer."""
        t = threading.Thread(target=lambda: setattr(t, "answer", self.poll(request_id, wait=wait)))
        t.answer = None
        t.start()
        return t


def start_agents(w, **env):
    """steward with Telegram and agents; its Agent."""
    return Agent(w.start_assistant(NOTIFY_SECRET=AGENT_SECRET, **env))


def card(w, chat=OWNER, contains="Deploy?"):
    """The newest message of the bot with these words."""
    def look():
        found = [m for m in w.telegram.messages(chat, from_bot=True) if contains in (m.text or "")]
        return found[-1] if found else None
    return wait_until(look, f"a card with {contains!r}")


@flow
def a_tap_answers(w):
    agent = start_agents(w)
    sent = agent.send("Deploy?", buttons=["Yes", "No"], request_id="deploy-1")
    m = card(w)
    assert sent == {"message_id": f"tg-{m.id}", "request_id": "deploy-1"}, sent
    held = agent.poll_later("deploy-1")
    before = [row[:] for row in m.keyboard]
    assert "steward" in m.text and m.buttons == ["Yes", "No"] and not m.silent
    assert agent.poll("deploy-1") == {"status": "waiting", "request_id": "deploy-1"}
    w.taps(m, "Yes")
    held.join(30)
    a = held.answer
    assert (a["status"], a["response"], a["label"], a["by_id"], a["how"], a["free_text"]) == ("responded", "Yes", "Yes", OWNER, "tap", False), a
    wait_until(lambda: "✅ Yes — " in m.text, "the card to show the answer")
    old = m.edits and m.keyboard
    assert not old, "buttons are left on an answered card"
    assert agent.poll("deploy-1") == a
    m.keyboard = before  # a phone that has not seen the edit yet
    w.taps(m, "No")
    w.wait_idle()
    assert agent.poll("deploy-1") == a
    assert any("Already answered" in (c.params.get("text") or "") for c in w.telegram.calls_of("answerCallbackQuery"))
    w.wait_rows("SELECT state, response, answered_by, how FROM requests", [("responded", "Yes", OWNER, "tap")])


GROUP = -1001


def in_group(w, forum=True, **env):
    """Cards go to a group; the owner and Bob (43) are in it."""
    w.with_telegram()
    w.telegram.add_chat(GROUP, forum=forum)
    p = w.start(NOTIFY_SECRET=AGENT_SECRET, NOTIFY_CHAT_ID=GROUP, TELEGRAM_USER_ID=f"{OWNER},43", **env)
    wait_until(lambda: w.telegram.webhook["url"], "the webhook's registration")
    return Agent(p)


@flow
def words_answer_by_reply(w):
    agent = start_agents(w)
    first, second = agent.ask("Which host?", buttons=()), agent.ask("Which port?", buttons=("8080", "9090"))
    host, port = card(w, contains="Which host?"), card(w, contains="Which port?")
    w.telegram.user_replies(port, "9090")  # a label in words is that button
    a = agent.answered(second)
    assert (a["response"], a["label"], a["free_text"], a["how"]) == ("9090", "9090", False, "reply"), a
    edit = w.telegram.user_replies(host, "db1.example\nand db2")
    a = agent.answered(first)
    assert (a["response"], a["free_text"]) == ("db1.example\nand db2", True), a
    w.telegram.user_edits(edit, "db3.example")  # an edit never changes an answer
    w.wait_idle()
    assert agent.poll(first) == a
    wait_until(lambda: "💬" in host.text and "db1.example" in host.text, "the card to show the words")
    w.telegram.user_replies(host, "too late")
    wait_until(lambda: any("Already answered" in m.text for m in w.sent()), "a word about the late reply")
    assert w.db.one("SELECT COUNT(*) FROM tasks") == 0 and w.db.one("SELECT COUNT(*) FROM notes") == 0
    # A plain message in the private chat is for the assistant, as always.
    agent.ask("Anything else?", buttons=())
    card(w, contains="Anything else?")
    w.says("buy bread tomorrow")
    w.wait_rows("SELECT content FROM tasks", [("buy bread",)])


@flow
def a_reply_counts_before_the_card_is_settled(w):
    """The card's own id is not known yet: its button, quoted in the reply, names it."""
    agent = start_agents(w)
    request = agent.ask("Deploy?")
    m = card(w)
    w.wait_idle()
    w.db.change("UPDATE cards SET message_id = NULL WHERE channel = 'telegram'")
    w.telegram.user_replies(m, "not today")
    assert agent.answered(request)["response"] == "not today"


@flow
def a_reply_counts_when_no_id_and_no_button_names_the_card(w):
    """A question without buttons whose send got no answer: the words of the card name it."""
    agent = start_agents(w)
    request = agent.ask("Which host should I use?", buttons=())
    m = card(w, contains="Which host")
    w.wait_idle()
    w.db.change("UPDATE cards SET message_id = 999999, ambiguous = 1 WHERE channel = 'telegram'")
    w.telegram.user_replies(m, "db1.example")
    assert agent.answered(request)["response"] == "db1.example"
    assert w.db.one("SELECT COUNT(*) FROM audit WHERE detail LIKE '%db1.example%'") == 0  # the log holds its hash
    request = agent.ask("Which port should I use?", buttons=(), remind_every=60)
    card(w, contains="Which port")
    w.wait_idle()
    w.db.change("UPDATE requests SET next_remind_at = 1 WHERE next_remind_at IS NOT NULL")
    nag = card(w, contains="Still waiting")
    w.wait_idle()
    w.db.change("UPDATE cards SET message_id = NULL WHERE kind = 'notice'")  # a reply comes before the send's own answer
    w.telegram.user_replies(nag, "8443")
    assert agent.answered(request)["response"] == "8443"


@flow
def topics_hold_projects(w):
    agent = in_group(w)
    a, b = agent.ask("Ship web?", project="web"), agent.ask("Ship api?", project="api")
    web, api = card(w, GROUP, "Ship web?"), card(w, GROUP, "Ship api?")
    assert web.thread_id == w.telegram.topic_named(GROUP, "web") and api.thread_id == w.telegram.topic_named(GROUP, "api")
    w.telegram.user_says(GROUP, 99, "yes", thread_id=web.thread_id)           # a stranger in the group
    w.telegram.anonymous_says(GROUP, "yes", thread_id=web.thread_id)
    w.telegram.channel_says(GROUP, "yes", thread_id=web.thread_id)
    w.wait_idle()
    assert agent.poll(a)["status"] == "waiting"
    w.telegram.user_says(GROUP, 43, "@steward_test_bot buy bread tomorrow", thread_id=web.thread_id)  # said to the bot by name
    w.wait_rows("SELECT content FROM tasks", [("buy bread",)])
    assert agent.poll(a)["status"] == "waiting"
    w.telegram.user_says(GROUP, 43, "yes", thread_id=web.thread_id)           # one question is open here
    answer = agent.answered(a)
    assert (answer["response"], answer["how"], answer["by_id"]) == ("Yes", "text", 43), answer
    assert agent.poll(b)["status"] == "waiting"
    c = agent.ask("And the worker?", project="api")
    card(w, GROUP, "And the worker?")
    w.telegram.user_says(GROUP, 43, "go", thread_id=api.thread_id)            # two are open
    wait_until(lambda: any("Several questions" in m.text for m in w.sent(GROUP)), "a word about several questions")
    assert agent.poll(b)["status"] == agent.poll(c)["status"] == "waiting"
    w.telegram.user_replies(api, "go", user=43)
    assert agent.answered(b)["response"] == "go"
    w.program.kill()
    w.start(NOTIFY_SECRET=AGENT_SECRET, NOTIFY_CHAT_ID=GROUP, TELEGRAM_USER_ID=f"{OWNER},43")
    agent = Agent(w.program)
    agent.ask("After a restart?", project="web")
    assert card(w, GROUP, "After a restart?").thread_id == web.thread_id
    assert [call.params["name"] for call in w.telegram.calls_of("createForumTopic", 200)] == ["web", "api"]


@flow
def a_topic_may_be_renamed_closed_or_deleted(w):
    agent = in_group(w)
    agent.ask("One?", project="web")
    thread = card(w, GROUP, "One?").thread_id
    w.telegram.user_renames_topic(GROUP, thread, "Website", user=OWNER)
    w.wait_rows("SELECT project, name, thread_id FROM topics", [("web", "Website", thread)])
    w.telegram.user_closes_topic(GROUP, thread, user=OWNER)
    agent.ask("Two?", project="web")
    assert card(w, GROUP, "Two?").thread_id == thread
    w.telegram.user_deletes_topic(GROUP, thread)
    request = agent.ask("Three?", project="web")
    m = card(w, GROUP, "Three?")
    assert m.thread_id not in (None, thread)
    w.taps(m, "Yes", user=OWNER)
    assert agent.answered(request)["response"] == "Yes"


@flow
def a_right_that_comes_later_is_used(w):
    agent = in_group(w)
    w.telegram.demote_bot(GROUP, user=OWNER)
    agent.ask("One?", project="web")
    assert not card(w, GROUP, "One?").thread_id
    w.wait_rows("SELECT state FROM topics", [("none",)])
    w.telegram.promote_bot(GROUP, user=OWNER)
    w.wait_idle()
    wait_until(lambda: w.db.one("SELECT COUNT(*) FROM inbox WHERE body LIKE '%my_chat_member%' AND state = 'done'") == 2, "both changes")
    agent.ask("Two?", project="web")
    assert card(w, GROUP, "Two?").thread_id == w.telegram.topic_named(GROUP, "web")


@flow
def a_plain_group_names_the_project(w):
    agent = in_group(w, forum=False)
    request = agent.ask("Ship?", project="web")
    m = card(w, GROUP, "Ship?")
    assert "web" in m.text and not m.thread_id
    w.taps(m, "Yes", user=99)  # not one of ours
    assert agent.poll(request)["status"] == "waiting"
    w.taps(m, "No", user=43)
    assert agent.answered(request)["by_id"] == 43


@flow
def a_group_that_moves_or_refuses(w):
    agent = in_group(w, forum=False)
    agent.ask("One?")
    card(w, GROUP, "One?")
    w.wait_idle()
    w.telegram.migrate_group(GROUP, -1002002, user=OWNER, forum=True)
    moved = card(w, -1002002, "One?")  # what was open is shown again where people are now
    request = agent.ask("Two?")
    w.taps(card(w, -1002002, "Two?"), "Yes", user=43)
    assert agent.answered(request)["response"] == "Yes"
    assert moved.keyboard
    w.telegram.kick_bot(-1002002)
    agent.send("Disk full", "error")
    card(w, OWNER, "Disk full")  # an alarm is not swallowed either
    request = agent.ask("Three?")
    m = card(w, OWNER, "Three?")  # the owner's own chat
    assert any("could not write" in x.text for x in w.sent(OWNER))
    w.taps(m, "Yes")
    assert agent.answered(request)["response"] == "Yes"


@flow
def several_choices(w):
    agent = start_agents(w)
    request = agent.ask("Which?", buttons=[{"label": "SQLite", "value": "s"}, "Postgres", "Redis"], multi=True)
    m = card(w, contains="Which?")
    w.taps(m, "Send")  # nothing chosen yet
    assert agent.poll(request)["status"] == "waiting"
    w.taps(m, "SQLite")
    wait_until(lambda: "☑ SQLite" in m.buttons, "a tick")
    w.taps(m, "Redis")
    w.taps(m, "Postgres")
    wait_until(lambda: m.buttons[:3] == ["☑ SQLite", "☑ Postgres", "☑ Redis"], "ticks")
    w.taps(m, "Postgres")
    wait_until(lambda: m.buttons[:3] == ["☑ SQLite", "☐ Postgres", "☑ Redis"], "ticks")
    w.taps(m, "Send")
    a = agent.answered(request)
    assert (a["response"], a["responses"]) == ("s, Redis", ["s", "Redis"]), a
    wait_until(lambda: "SQLite, Redis" in m.text and not m.keyboard, "the card to show the answer")
    request = agent.ask("Again?", buttons=["A", "B", "C"], multi=True)
    w.telegram.user_replies(card(w, contains="Again?"), "a, C")
    assert agent.answered(request)["responses"] == ["A", "C"]


@flow
def a_high_risk_needs_its_number(w):
    agent = start_agents(w)
    sent = agent.send("Drop the database?", buttons=["Yes", "No"], risk="high", request_id="drop")
    assert sent["code"].isdigit() and len(sent["code"]) == 2
    assert agent.send("Drop the database?", buttons=["Yes", "No"], risk="high", request_id="drop") == sent
    m = card(w, contains="Drop")
    w.telegram.user_replies(m, "yes")  # words are no number
    wait_until(lambda: any("needs its number" in x.text for x in w.sent()), "a word about the number")
    w.taps(m, "Yes")
    wait_until(lambda: sent["code"] in m.buttons and len(m.buttons) == 5, "numbers")
    w.taps(m, "Back")
    wait_until(lambda: m.buttons == ["Yes", "No"], "the first buttons")
    w.taps(m, "Yes")
    wait_until(lambda: sent["code"] in m.buttons, "numbers")
    assert agent.poll("drop")["status"] == "waiting"
    w.taps(m, sent["code"])
    assert agent.answered("drop")["response"] == "Yes"
    # A wrong number ends it; a refusal needs none.
    sent = agent.send("Again?", buttons=["Yes", "No"], risk="high")
    m = card(w, contains="Again?")
    w.taps(m, "Yes")
    wait_until(lambda: sent["code"] in m.buttons, "numbers")
    w.taps(m, next(b for b in m.buttons if b.isdigit() and b != sent["code"]))
    a = agent.answered(sent["request_id"])
    assert (a["status"], a["reason"]) == ("cancelled", "wrong number"), a
    request = agent.ask("Third?", risk="high")
    w.taps(card(w, contains="Third?"), "No")
    assert agent.answered(request)["response"] == "No"


@flow
def several_people_decide(w):
    agent = in_group(w, forum=False)
    request = agent.ask("Release?", quorum=2)
    m = card(w, GROUP, "Release?")
    w.taps(m, "Yes", user=OWNER)
    wait_until(lambda: "Needs 2 people" in m.text and "Yes" in m.text.split("Needs")[1], "the vote on the card")
    w.taps(m, "Yes", user=OWNER)  # twice is once
    assert agent.poll(request)["status"] == "waiting"
    w.taps(m, "Yes", user=43)
    assert agent.answered(request)["response"] == "Yes"
    request = agent.ask("Once more?", quorum=2)
    w.taps(card(w, GROUP, "Once more?"), "No", user=43)  # one refusal is enough
    assert agent.answered(request)["response"] == "No"
    request = agent.ask("Only Bob?", approvers=[43])
    m = card(w, GROUP, "Only Bob?")
    w.taps(m, "Yes", user=OWNER)
    assert agent.poll(request)["status"] == "waiting"
    w.taps(m, "Yes", user=43)
    assert agent.answered(request)["by_id"] == 43


@flow
def the_first_of_two_taps_wins(w):
    agent = in_group(w, forum=False)
    for i in range(8):
        request = agent.ask(f"Race {i}?")
        m = card(w, GROUP, f"Race {i}?")
        held = [agent.poll_later(request) for _ in range(4)]
        taps = [threading.Thread(target=w.taps, args=(m, label, user)) for label, user in (("Yes", OWNER), ("No", 43))]
        for t in taps:
            t.start()
        for t in taps + held:
            t.join(60)
        answers = {h.answer["response"] for h in held}
        assert len(answers) == 1 and agent.poll(request)["response"] in answers, answers
        wait_until(lambda: not m.keyboard, "no buttons")
        assert f"✅ {answers.pop()}" in m.text


@flow
def time_ends_a_request(w):
    agent = start_agents(w)
    held = [agent.poll_later(agent.ask("Gone?", expires_in=1)),
            agent.poll_later(agent.ask("Default?", expires_in="1s", default="No"))]
    for h in held:
        h.join(60)
    assert held[0].answer["status"] == "expired", held[0].answer
    assert (held[1].answer["status"], held[1].answer["response"], held[1].answer["how"]) == ("responded", "No", "default")
    wait_until(lambda: "Expired" in card(w, contains="Gone?").text, "the card to say so")
    m = card(w, contains="Default?")
    wait_until(lambda: "No answer by then: No" in m.text and not m.keyboard, "the default on the card")
    # It also ends while the program is down.
    request = agent.ask("Later?", expires_in=1)
    m = card(w, contains="Later?")
    w.program.kill()
    agent = start_again(w)
    assert agent.answered(request)["status"] == "expired"
    wait_until(lambda: "Expired" in m.text, "the card to say so")


def start_again(w, **env):
    return Agent(w.start(NOTIFY_SECRET=AGENT_SECRET, **env))


@flow
def an_agent_may_withdraw(w):
    agent = start_agents(w)
    request = agent.ask("Deploy?")
    m = card(w)
    held = agent.poll_later(request)
    assert agent.cancel(request, reason="not needed") == (200, {"status": "cancelled", "request_id": request, "reason": "not needed"})
    held.join(30)
    assert held.answer["status"] == "cancelled"
    wait_until(lambda: "Withdrawn" in m.text and "not needed" in m.text and not m.keyboard, "the card to say so")
    assert agent.cancel(request)[1]["reason"] == "not needed"
    assert agent.cancel("unknown")[0] == 404 and agent.cancel("")[0] == 400
    done = agent.ask("Done?")
    w.taps(card(w, contains="Done?"), "Yes")
    agent.answered(done)
    assert agent.cancel(done)[1]["status"] == "responded"  # too late: it tells the answer


@flow
def the_same_request_twice_is_one(w):
    agent = start_agents(w)
    body = {"project": "p", "type": "blocking", "message": "Deploy?", "buttons": ["Yes", "No"], "request_id": "one"}
    answers, threads = [], []
    for _ in range(8):
        threads.append(threading.Thread(target=lambda: answers.append(agent.call("POST", "/send", body))))
        threads[-1].start()
    for t in threads:
        t.join(60)
    m = card(w)
    assert answers == [(200, {"message_id": f"tg-{m.id}", "request_id": "one"})] * 8, answers
    assert agent.call("POST", "/send", dict(reversed(body.items()))) == answers[0]  # the order of fields is nothing
    assert agent.call("POST", "/send", {**body, "message": "Destroy?"})[0] == 409
    w.taps(m, "Yes")
    agent.answered("one")
    assert agent.call("POST", "/send", body) == answers[0]
    w.wait_idle()
    assert len(w.sent()) == 1
    assert [r[0] for r in w.db.rows("SELECT event FROM audit ORDER BY seq")].count("asked") == 1


@flow
def refuses_what_it_cannot_ask(w):
    agent = start_agents(w)
    good = {"project": "p", "type": "blocking", "message": "Deploy?", "buttons": ["Yes", "No"]}
    for wrong, word in (({"type": "question"}, "type"), ({"type": None}, "type"), ({"message": ""}, "message"), ({"message": 7}, "message"),
                        ({"project": ""}, "project"), ({"project": "x" * 65}, "project"), ({"buttons": "Yes"}, "buttons"),
                        ({"buttons": ["x"] * 13}, "12 buttons"), ({"buttons": ["Yes", "Yes"]}, "buttons[1]"), ({"buttons": [""]}, "buttons[0]"),
                        ({"buttons": [{"value": "v"}]}, "buttons[0]"), ({"buttons": [{"label": "L", "style": "pink"}]}, "style"),
                        ({"buttons": ["x" * 65]}, "buttons[0]"), ({"request_id": "a b"}, "request_id"), ({"request_id": "x" * 129}, "request_id"),
                        ({"expires_in": "soon"}, "expires_in"), ({"expires_in": -1}, "expires_in"), ({"expires_in": 0}, "expires_in"),
                        ({"remind_every": 5}, "remind_every"), ({"risk": "low"}, "risk"), ({"buttons": [], "risk": "high"}, "risk"),
                        ({"approvers": [7]}, "approvers[0]"), ({"approvers": []}, "approvers"), ({"quorum": 2}, "quorum"), ({"quorum": 0}, "quorum"),
                        ({"buttons": [], "multi": True}, "multi"), ({"quiet": "late"}, "quiet"), ({"type": "milestone"}, "buttons"),
                        ({"message": "x" * 33000}, "message"), ({"multi": "yes"}, "multi")):
        status, answer = agent.call("POST", "/send", {**good, **wrong})
        assert status == 400 and word in answer["error"], (wrong, status, answer)
    for body in (b"", b"[]", b"{", b"null", b'{"a":1}x'):
        status, text, _ = agent.program.request("POST", "/send", body, BEARER)
        assert status == 400 and "error" in json.loads(text), (body, status)
    assert agent.call("GET", "/poll?request_id=none")[0] == 404 and agent.call("GET", "/poll")[0] == 400
    assert agent.call("GET", "/poll?request_id=x&wait=long")[0] == 400
    assert w.db.one("SELECT COUNT(*) FROM requests") == 0


@flow
def nobody_else_learns_anything(w):
    agent = start_agents(w)
    agent.ask("Deploy?", request_id="known")
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": AGENT_SECRET}, {"Authorization": "Basic " + AGENT_SECRET}):
        for method, path in (("GET", "/poll?request_id=known"), ("GET", "/poll?request_id=unknown"), ("GET", "/requests"),
                             ("POST", "/send"), ("POST", "/cancel"), ("POST", "/hooks/claude"), ("POST", "/hooks/codex")):
            status, text, _ = agent.program.request(method, path, "{}" if method == "POST" else None, headers)
            assert status in (401, 429), (path, status)
            assert "known" not in text if isinstance(text, str) else b"known" not in text
    w2 = w.start(NOTIFY_SECRET="") if w.db.kind == "postgres" else None
    if w2:
        status, answer = Agent(w2).call("GET", "/requests")
        assert status == 503 and "NOTIFY_SECRET" in answer["error"], (status, answer)


@flow
def tells_without_asking(w):
    agent = start_agents(w)
    told = agent.send("Tests pass", "milestone")
    assert told["message_id"].startswith("tg-")
    # Nothing was asked, so there is nothing to wait for, and no answer that could be mistaken for consent.
    assert agent.poll(told["request_id"], wait=60) == {"status": "told", "request_id": told["request_id"]}
    assert agent.send("Build broken", "error", details="line 1\n  line 2")["message_id"].startswith("tg-")
    error = card(w, contains="Build broken")
    assert not error.silent and "<pre>line 1\n  line 2</pre>" in error.html
    first = agent.send("1 of 10", "heartbeat")
    m = card(w, contains="1 of 10")
    assert m.silent
    for i in range(2, 6):
        assert agent.send(f"{i} of 10", "heartbeat")["message_id"] == first["message_id"]
    wait_until(lambda: "5 of 10" in m.text, "the heartbeat to be edited")
    agent.send("other", "heartbeat", project="other")
    assert card(w, contains="other").id != m.id
    assert len([x for x in w.sent() if "💓" in x.text]) == 2
    w.telegram.fail("sendMessage", status=429, description="Too Many Requests: retry after 3", parameters={"retry_after": 3}, times=1)
    steps = [threading.Thread(target=agent.send, args=(f"step {i}", "milestone")) for i in range(5)]
    for t in steps:
        t.start()
    for t in steps:
        t.join(30)
    for i in range(5):
        card(w, contains=f"step {i}")
    together = [x for x in w.sent() if "step" in x.text]
    assert len(together) < 5 and all(any(f"step {i}" in x.text for x in together) for i in range(5)), [x.text for x in together]


@flow
def details_come_whole(w):
    agent = start_agents(w)
    long, huge = "\n".join(f"+ line {i}" for i in range(200)), "\n".join(f"- line {i} <b>&amp;" for i in range(2000))
    agent.ask("Short?", details="if (a < b)\n\treturn &c;")
    assert card(w, contains="Short?").text.endswith("if (a < b)\n\treturn &c;") or "if (a < b)\n\treturn &c;" in card(w, contains="Short?").text
    agent.ask("Long?", details=long)
    m = card(w, contains="Long?")
    assert long in m.text and "<blockquote expandable>" in m.html
    request = agent.ask("Huge?", details=huge, details_name="change.diff")
    m = card(w, contains="Huge?")
    assert "change.diff" in m.text
    document = [x for x in w.sent() if x.document][-1]
    assert document.document["content"].decode() == huge and document.id < m.id
    w.taps(m, "Yes")
    assert agent.answered(request)["response"] == "Yes"
    message = "Why? " + "word " * 2000
    agent.ask(message)
    m = card(w, contains="Why?")
    assert [x for x in w.sent() if x.document][-1].document["content"].decode() == message.strip()
    agent.ask("rm \u202e/ \u200bnow?")
    assert "⟨U+202E⟩" in card(w, contains="now?").text and "\u202e" not in card(w, contains="now?").text


@flow
def quiet_hours_and_reminders(w):
    agent = start_agents(w)
    assert "22:30-07:00" in w.says("/quiet 22:30-7").text
    assert "look like" in w.says("/quiet at night").text
    w.says("/quiet 00:00-24:00")
    agent.ask("Quiet?")
    assert card(w, contains="Quiet?").silent
    agent.ask("Risky?", risk="high")
    assert not card(w, contains="Risky?").silent
    agent.ask("Loud?", quiet=False)
    assert not card(w, contains="Loud?").silent
    w.says("/quiet off")
    agent.ask("Soft?", quiet=True)
    assert card(w, contains="Soft?").silent
    request = agent.ask("Nag?", remind_every=60)
    m = card(w, contains="Nag?")
    w.wait_idle()
    w.db.change("UPDATE requests SET next_remind_at = 1 WHERE next_remind_at IS NOT NULL")
    nag = card(w, contains="Still waiting")
    assert nag.reply_to is m and not nag.silent and w.db.one("SELECT reminded FROM requests WHERE next_remind_at IS NOT NULL") == 1
    w.telegram.user_replies(nag, "yes")  # a reply to the reminder is an answer too
    assert agent.answered(request)["response"] == "Yes"
    w.says("/agents")
    assert "Loud?" in card(w, contains="Waiting for an answer").text


@flow
def survives_a_restart(w):
    agent = start_agents(w)
    request = agent.ask("Deploy?")
    m = card(w)
    w.program.kill()
    agent = start_again(w)
    held = agent.poll_later(request)
    w.taps(m, "Yes")
    held.join(60)
    assert held.answer["response"] == "Yes"


@flow
def says_when_taps_may_be_lost(w):
    agent = start_agents(w)
    request = agent.ask("Deploy?")
    m = card(w)
    w.wait_idle()
    w.program.kill()
    moment = int(__import__("time").time() * 1000) - 600000
    w.db.change(f"UPDATE requests SET created_at = {moment}")
    w.db.change("DELETE FROM settings WHERE name = 'alive_at'")
    w.db.change(f"INSERT INTO settings (name, value) VALUES ('alive_at', '{moment + 60000}')")
    agent = start_again(w)
    wait_until(lambda: "I was away" in m.text and m.keyboard, "the card to be shown anew")
    notice = card(w, contains="could not hear Telegram")
    assert "9 min" in notice.text and "Deploy?" in notice.text, notice.text
    w.taps(m, "Yes")
    assert agent.answered(request)["response"] == "Yes"
    assert w.db.one("SELECT COUNT(*) FROM audit WHERE event = 'rearmed'") == 1
    w.wait_idle()
    assert len([x for x in w.sent() if "could not hear" in x.text]) == 1


@flow
def the_audit_log_holds(w):
    agent = start_agents(w)
    request = agent.ask("Deploy?")
    m = card(w)
    w.taps(m, "Yes")
    agent.answered(request)
    w.wait_rows("SELECT event, actor FROM audit WHERE event <> 'shown' ORDER BY seq",
                [("asked", "agent"), ("tapped", f"telegram:{OWNER}"), ("answered", f"telegram:{OWNER}"), ("fetched", "agent")])
    code, out, err = w.command("audit", "verify")
    assert code == 0 and "every link holds" in out, (out, err)
    head = out.split("head ")[1].strip()
    code, out, err = w.command("audit", "list", "--request", request, "--json")
    assert [json.loads(line)["event"] for line in out.splitlines()].count("answered") == 1, out
    try:
        w.db.change("UPDATE audit SET actor = 'nobody' WHERE event = 'answered'")
        raise RuntimeError("the log could be changed")
    except RuntimeError:
        raise
    except Exception as e:  # noqa: BLE001  (each database has its own)
        assert "append-only" in str(e), e
    if w.db.kind == "sqlite":
        w.program.stop()
        w.db.change("DROP TRIGGER audit_no_update")
        w.db.change("DROP TRIGGER audit_no_delete")
    else:
        w.db.change("ALTER TABLE audit DISABLE TRIGGER audit_fixed")
    w.db.change("UPDATE audit SET actor = 'nobody' WHERE event = 'answered'")
    code, out, err = w.command("audit", "verify")
    assert code == 1 and "changed" in err, (out, err)
    w.db.change(f"UPDATE audit SET actor = 'telegram:{OWNER}' WHERE event = 'answered'")
    w.db.change("DELETE FROM audit WHERE event = 'fetched'")
    assert w.command("audit", "verify")[0] == 0  # a cut-off end shows only against a hash that was kept
    assert w.command("audit", "verify", "--head", head)[0] == 1


@flow
def an_answer_into_a_dead_socket_is_not_delivered(w):
    import socket
    agent = start_agents(w)
    request = agent.ask("Deploy?")
    m = card(w)
    s = socket.create_connection(("127.0.0.1", agent.program.port))
    s.sendall(f"GET /poll?request_id={request}&wait=60 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {AGENT_SECRET}\r\n\r\n".encode())
    wait_until(lambda: 'steward_agents_held 1' in agent.program.get("/metrics")[1], "the poll to be held")
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, __import__("struct").pack("ii", 1, 0))
    s.close()  # a reset: gone without a word of TCP's good manners
    wait_until(lambda: 'steward_agents_held 0' in agent.program.get("/metrics")[1], "the poll to be noticed as gone")
    w.taps(m, "Yes")
    w.wait_rows("SELECT state, fetched_at FROM requests", [("responded", None)])
    assert agent.answered(request)["response"] == "Yes"
    wait_until(lambda: w.db.one("SELECT fetched_at FROM requests"), "the fetch to be noted")


@flow(databases=("postgres",))
def any_instance_may_hear_the_tap(w):
    first = start_agents(w)
    port = w.program.port
    second = Agent(w.start(NOTIFY_SECRET=AGENT_SECRET, PUBLIC_URL=f"http://127.0.0.1:{port}"))
    for i in range(5):
        request = first.ask(f"Round {i}?")
        held = [first.poll_later(request), second.poll_later(request)]
        w.taps(card(w, contains=f"Round {i}?"), "Yes")  # arrives at the first
        for h in held:
            h.join(60)
            assert h.answer["response"] == "Yes"


if __name__ == "__main__":
    sys.exit(main())
