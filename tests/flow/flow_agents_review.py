#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Agents' requests where things go wrong between the parts: sends without an answer, refused edits, words that come late,
people who may not any more, clients that leave at the wrong moment, a stop while many wait."""
import json
import os
import random
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from flow_agents import AGENT_SECRET, GROUP, Agent, card, in_group, start_agents  # noqa: E402
from flow_hooks import Hook, permission  # noqa: E402
from harness import OWNER, flow, main, wait_until  # noqa: E402


def cards(w, words, chat=OWNER):
    return [m for m in w.sent(chat) if words in (m.text or "")]


@flow
def a_card_whose_sends_got_no_answer_can_be_tapped(w):
    agent = start_agents(w)
    w.telegram.fail("sendMessage", times=2, close="after")
    request = agent.ask("Deploy?")
    first, second = wait_until(lambda: len(cards(w, "Deploy?")) == 2 and cards(w, "Deploy?"), "both sends", 30)
    assert "Sent again" in second.text and "Sent again" not in first.text
    w.wait_rows("SELECT state, unknowns FROM outbox WHERE channel = 'telegram' AND kind = 'message'", [("parked", 1)])
    w.taps(first, "Yes")
    assert agent.answered(request)["response"] == "Yes"
    wait_until(lambda: "✅ Yes" in first.text and not first.keyboard, "the tapped card to be brought to its end")
    w.taps(second, "No")  # the other copy hears who was first
    w.wait_idle()
    assert any("Already answered" in (c.params.get("text") or "") for c in w.telegram.calls_of("answerCallbackQuery"))
    assert agent.poll(request)["response"] == "Yes" and len(cards(w, "Deploy?")) == 2


@flow
def a_tap_before_the_second_send_makes_it_needless(w):
    agent = start_agents(w)
    w.telegram.fail("sendMessage", times=1, close="after")
    w.telegram.fail("getMe", times=-1, status=502)  # it looks whether Telegram is there before it sends again
    request = agent.ask("Deploy?")
    first = card(w)
    w.wait_rows("SELECT state, unknowns FROM outbox WHERE channel = 'telegram' AND kind = 'message'", [("available", 1)])
    w.telegram.user_taps(first, "Yes")
    assert agent.answered(request)["response"] == "Yes"
    w.telegram.clear_faults()
    wait_until(lambda: "✅ Yes" in first.text and not first.keyboard, "the card to be brought to its end")
    w.wait_idle()
    assert len(cards(w, "Deploy?")) == 1


@flow
def a_refused_edit_leaves_the_card_alive(w):
    agent = start_agents(w)
    request = agent.ask("Which?", buttons=["A", "B"], multi=True)
    m = card(w, contains="Which?")
    w.telegram.fail("editMessageText", times=1, status=400, description="Bad Request: a reason nobody has thought of")
    w.taps(m, "A")
    wait_until(lambda: w.db.rows("SELECT 1 FROM outbox WHERE kind = 'edit' AND state = 'parked'"), "the refusal")
    w.taps(m, "B")
    wait_until(lambda: m.buttons[:2] == ["☑ A", "☑ B"], "both ticks")
    w.taps(m, "Send")
    assert agent.answered(request)["responses"] == ["A", "B"]


@flow
def a_file_that_is_refused_is_told_of_on_the_card(w):
    agent = start_agents(w)
    huge = "\n".join(f"- line {i}" for i in range(2000))
    w.telegram.fail("sendDocument", times=2, status=400, description="Bad Request: a reason nobody has thought of")
    request = agent.ask("Apply it?", details=huge, details_name="change.diff")
    m = card(w, contains="Apply it?")
    assert "change.diff, but this file could not be sent here. Read it on the console page" in m.text, m.text
    agent.send("It failed", "error", details=huge, details_name="log.txt")
    assert "log.txt, but this file could not be sent here. Ask the agent for it." in card(w, contains="It failed").text
    assert w.db.one("SELECT COUNT(*) FROM audit WHERE event = 'file not shown'") == 2
    w.taps(m, "Yes")
    assert agent.answered(request)["response"] == "Yes"
    wait_until(lambda: "✅ Yes" in m.text and "could not be sent" in m.text, "the answered card")


@flow
def words_that_come_late_mean_nothing_newer(w):
    agent = in_group(w)
    request = agent.ask("Ship?", buttons=(), project="web")
    m = card(w, GROUP, "Ship?")
    w.wait_idle()
    w.telegram.user_says(GROUP, 43, "lunch?", thread_id=m.thread_id, date=int(time.time()) - 3600)  # delivered after an outage
    said = w.telegram.user_says(GROUP, 43, "have you seen this?", thread_id=m.thread_id, forwarded="Mallory")
    w.telegram.user_says(GROUP, 43, "no idea", thread_id=m.thread_id, reply_to=said)  # people talking to each other
    w.telegram.user_edits(said, "yes")
    w.wait_idle()
    assert agent.poll(request)["status"] == "waiting"
    w.telegram.user_says(GROUP, 43, "yes", thread_id=m.thread_id)
    assert agent.answered(request)["response"] == "yes"


@flow
def who_may_not_any_more_answers_nothing(w):
    agent = in_group(w, forum=False)
    request = agent.ask("Only Bob?", approvers=[43])
    m = card(w, GROUP, "Only Bob?")
    w.wait_idle()
    w.program.stop()
    agent = Agent(w.start(NOTIFY_SECRET=AGENT_SECRET, NOTIFY_CHAT_ID=GROUP, TELEGRAM_USER_ID=OWNER))
    w.taps(m, "Yes", user=43)
    w.telegram.user_replies(m, "yes", user=43)
    w.wait_idle()
    assert agent.poll(request)["status"] == "waiting"
    w.taps(m, "Yes", user=OWNER)  # allowed, but not asked
    assert agent.poll(request)["status"] == "waiting"


@flow
def a_button_works_where_it_stands_alone(w):
    agent = start_agents(w)
    request = agent.ask("Deploy?")
    m = card(w)
    w.wait_idle()
    data = m.keyboard[0][0]["callback_data"]
    person = {"id": OWNER, "is_bot": False, "first_name": "Ada", "language_code": "en"}
    for n, message in enumerate(({"message_id": m.id, "date": 1, "chat": {"id": -77, "type": "group"}},
                                 {"message_id": m.id + 1, "date": 1, "chat": {"id": OWNER, "type": "private"}}, None)):
        query = {"id": f"forged-{n}", "from": person, "chat_instance": "1", "data": data, **({"message": message} if message else {})}
        assert w.program.post_update({"update_id": 900000 + n, "callback_query": query})[0] == 200
    w.wait_idle()
    assert agent.poll(request)["status"] == "waiting"
    w.telegram.user_taps(m, "Yes", inaccessible=True)  # a card that is too old to be shown with its text
    assert agent.answered(request)["response"] == "Yes"


@flow
def every_answer_of_a_hook_counts_as_fetched(w):
    agent = start_agents(w)
    questions = [{"question": f"Question {i}?", "header": "Q", "multiSelect": False, "options": [{"label": "A"}, {"label": "B"}]} for i in range(3)]
    hook = Hook(agent, {"session_id": "s", "cwd": "/x/shop", "hook_event_name": "PreToolUse", "tool_name": "AskUserQuestion",
                        "tool_input": {"questions": questions}, "tool_use_id": "toolu_1"})
    for i in (2, 0, 1):
        w.taps(card(w, contains=f"Question {i}?"), "B")
    assert hook.decision()["hookSpecificOutput"]["updatedInput"]["answers"] == {f"Question {i}?": "B" for i in range(3)}
    w.wait_rows("SELECT COUNT(*) FROM requests WHERE state = 'responded' AND fetched_at IS NOT NULL", [(3,)])
    w.wait_rows("SELECT COUNT(*) FROM audit WHERE event = 'fetched'", [(3,)])


@flow
def a_withdrawal_may_say_anything(w):
    agent = start_agents(w)
    request = agent.ask("Deploy?")
    m = card(w)
    status, answer = agent.cancel(request, reason="x" + "\u00e4" * 600 + "\u202e<b>")
    assert (status, answer["reason"]) == (200, "x" + "\u00e4" * 299), (status, answer)
    wait_until(lambda: "Withdrawn" in m.text and not m.keyboard, "the card to say so")
    request = agent.ask("Again?")
    m = card(w, contains="Again?")
    assert agent.cancel(request, reason="\u202e<b>no")[0] == 200
    wait_until(lambda: "⟨U+202E⟩<b>no" in m.text, "the reason, made visible")
    request = agent.ask("Too late?")
    w.taps(card(w, contains="Too late?"), "Yes")
    assert agent.cancel(request)[1]["response"] == "Yes"  # the asking side has the answer now
    wait_until(lambda: w.db.one("SELECT fetched_at FROM requests WHERE request_id = ?", request), "the fetch to be noted")


@flow
def a_long_list_says_that_it_is_cut(w):
    agent = start_agents(w)
    agent.ask("Deploy?")
    w.wait_idle()
    assert agent.call("GET", "/requests")[1]["more"] is False
    columns = "content_hash, origin, project, type, message, state, created_at"
    w.db.change(f"INSERT INTO requests (request_id, {columns}) SELECT 'copy-' || n, {columns} FROM requests, "
                + ("generate_series(1, 200) n" if w.db.kind == "postgres" else
                   "(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 200) SELECT n FROM c)"))
    listed = agent.call("GET", "/requests")[1]
    assert len(listed["requests"]) == 200 and listed["more"] is True


def poll_by_hand(agent, request):
    s = socket.create_connection(("127.0.0.1", agent.program.port))
    s.sendall(f"GET /poll?request_id={request}&wait=60 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {AGENT_SECRET}\r\n\r\n".encode())
    return s


def held(agent):
    return next(int(line.split()[1]) for line in agent.program.get("/metrics")[1].splitlines() if line.startswith("steward_agents_held "))


@flow
def clients_leave_while_answers_come(w):
    """Whoever stays hears the answer; whoever leaves disturbs nobody."""
    agent = start_agents(w)
    rng = random.Random(4)
    for i in range(12):
        request = agent.ask(f"Round {i}?")
        m = card(w, contains=f"Round {i}?")
        staying = [agent.poll_later(request) for _ in range(3)]
        leaving = [poll_by_hand(agent, request) for _ in range(12)]
        hooks = [socket.create_connection(("127.0.0.1", agent.program.port)) for _ in range(2)]
        body = json.dumps(permission(f"step {i}")).encode()
        for s in hooks:
            s.sendall(b"POST /hooks/claude HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + AGENT_SECRET.encode() +
                      b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

        def leave():
            for s in leaving + hooks:
                time.sleep(rng.random() * 0.01)
                s.close()
        gone = threading.Thread(target=leave)
        gone.start()
        w.taps(m, "Yes" if i % 2 else "No")
        gone.join(30)
        for t in staying:
            t.join(60)
            assert t.answer["response"] == ("Yes" if i % 2 else "No"), t.answer
    wait_until(lambda: held(agent) == 0, "an empty waiting room")
    wait_until(lambda: not w.db.rows("SELECT 1 FROM requests WHERE state = 'open'"), "the cards of hooks that left to be withdrawn")


@flow
def a_stop_lets_everybody_go(w):
    agent = start_agents(w)
    request = agent.ask("Deploy?")
    card(w)
    polls = [agent.poll_later(request) for _ in range(20)]
    hooks = [Hook(agent, permission(f"command {i}")) for i in range(4)]
    keeping = Hook(agent, permission("command kept"), **{"X-Steward-Attach": "keep", "X-Steward-Request": "kept-1"})
    wait_until(lambda: held(agent) == 25, "everybody to wait")
    w.program.stop()
    for p in polls:
        p.join(30)
        assert p.answer == {"status": "waiting", "request_id": request}, p.answer
    for h in hooks:
        assert h.decision()["hookSpecificOutput"]["decision"]["behavior"] == "deny"
    keeping.thread.join(30)
    assert keeping.status == 503, (keeping.status, keeping.answer)
    assert w.db.rows("SELECT origin, COUNT(*) FROM requests WHERE state = 'open' GROUP BY origin ORDER BY origin")[-1][1] == 1
    assert w.db.one("SELECT COUNT(*) FROM requests WHERE state = 'cancelled'") == 4


if __name__ == "__main__":
    sys.exit(main())
