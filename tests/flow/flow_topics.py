#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Forum topics from the outbox's side: made once, found again, made anew, reopened, done without; a group that moves; the
share of a group's minute that is kept for questions.  Rows are put straight into the tables."""
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import flow, main, wait_until  # noqa: E402

GROUP = -1001


def start(w, group=GROUP, forum=True, kind=None, **env):
    w.with_telegram()
    w.telegram.add_chat(group, kind, forum=forum)
    w.start(**env)
    wait_until(lambda: w.telegram.webhook["url"], "the webhook's registration")


def put(w, text, topic=None, priority=2, chat=GROUP, kind="message", **payload):
    body = json.dumps(dict({"html": text} if kind == "message" else {}, **payload)).replace("'", "''")
    w.db.change("INSERT INTO outbox (channel, chat_id, kind, priority, payload, run_at, created_at, topic_id) VALUES "
                f"('telegram', {chat}, '{kind}', {priority}, '{body}', 0, 0, {topic or 'NULL'})")


def want(w, project, chat=GROUP, priority=2):
    """As store/topics.c does it."""
    w.db.change("INSERT INTO topics (channel, chat_id, project, name, state, tries, created_at) VALUES "
                f"('telegram', {chat}, '{project}', '{project}', 'wanted', 1, 0)")
    topic = w.db.one("SELECT MAX(id) FROM topics")
    w.db.change("INSERT INTO outbox (channel, chat_id, kind, priority, payload, dedupe_key, run_at, created_at, topic_id) VALUES "
                f"('telegram', {chat}, 'topic', {priority}, '{json.dumps({'name': project, 'topic': topic})}', "
                f"'topic:{topic}:1', 0, 0, {topic})")
    return topic


def where(w, text, chat=GROUP):
    """The thread in which the bot has said this; 0 = General."""
    found = wait_until(lambda: [m for m in w.sent(chat) if text in (m.text or m.caption or "")], f"{text!r} in {chat}")
    assert len(found) == 1, found
    return found[0].thread_id or 0


def creations(w):
    return [call.params["name"] for call in w.telegram.calls_of("createForumTopic", 200)]


@flow
def a_topic_is_made_once_and_found_again(w):
    start(w)
    topic = want(w, "web")
    put(w, "first", topic)
    put(w, "to all")
    put(w, "file", topic, kind="document", filename="a.diff", content="+1", caption_html="file")
    thread = w.telegram.wait_for(lambda: w.telegram.chats[GROUP].threads and w.telegram.topic_named(GROUP, "web"), 20)
    assert where(w, "first") == thread
    assert where(w, "file") == thread
    assert where(w, "to all") == 0
    w.wait_rows("SELECT state, thread_id FROM topics", [("open", thread)])
    w.program.kill()
    w.start()
    put(w, "after a crash", topic)
    assert where(w, "after a crash") == thread
    assert creations(w) == ["web"]


@flow
def a_deleted_topic_is_made_anew_but_not_for_ever(w):
    start(w)
    topic = want(w, "web")
    put(w, "number 0", topic)
    for i in range(4):
        thread = where(w, f"number {i}")
        assert thread == w.telegram.topic_named(GROUP, "web"), i
        w.telegram.user_deletes_topic(GROUP, thread)
        put(w, f"number {i + 1}", topic)
        put(w, f"beside {i + 1}", topic)
    assert where(w, "number 4") == 0
    assert where(w, "beside 4") == 0
    assert creations(w) == ["web"] * 4
    w.wait_rows("SELECT state, why FROM topics", [("none", "lost")])
    assert w.db.one("SELECT SUM(attempts) FROM outbox") == 0


@flow
def a_closed_topic_is_reopened_or_gone_without(w):
    start(w)
    topic = want(w, "web")
    put(w, "one", topic)
    thread = where(w, "one")
    w.telegram.user_closes_topic(GROUP, thread)
    put(w, "two", topic)
    assert where(w, "two") == thread
    assert not w.telegram.chats[GROUP].threads[thread]["closed"]
    w.telegram.user_closes_topic(GROUP, thread)
    w.telegram.demote_bot(GROUP, can_manage_topics=False)
    put(w, "three", topic)
    assert where(w, "three") == 0
    w.wait_rows("SELECT state FROM topics", [("open",)])


@flow
def groups_without_topics_and_without_rights(w):
    start(w, forum=False)
    w.program.kill()  # both are wanted before one is asked for
    topic, other = want(w, "web"), want(w, "api")
    put(w, "plain", topic)
    put(w, "bare", other)
    w.program.start()
    assert where(w, "plain") == where(w, "bare") == 0
    w.wait_rows("SELECT state, why FROM topics", [("none", "forum")] * 2)
    assert len(w.telegram.calls_of("createForumTopic")) == 1  # the other one would hear the same
    assert w.db.one("SELECT COUNT(*) FROM outbox WHERE state = 'parked'") == 0
    w.telegram.add_chat(-1002, forum=True)
    w.telegram.demote_bot(-1002)
    put(w, "no rights", want(w, "web", -1002), chat=-1002)
    assert where(w, "no rights", -1002) == 0
    w.wait_rows("SELECT why FROM topics WHERE chat_id = -1002", [("rights",)])


@flow
def a_topic_whose_making_got_no_answer(w):
    start(w)
    w.telegram.fail("createForumTopic", close="after")
    topic = want(w, "web")
    put(w, "waits", topic)
    thread = where(w, "waits")
    assert creations(w) == ["web", "web"]
    w.wait_rows("SELECT state, thread_id FROM topics", [("open", thread)])
    leaked = [one for one in w.telegram.topic_names(GROUP) if one != thread]
    assert len(leaked) == 1 and "topic_leak" in w.program.log_text()


@flow
def a_topic_that_cannot_be_made_holds_nothing_back(w):
    start(w)
    w.telegram.fail("createForumTopic", times=-1, status=400, description="Bad Request: TOPICS_TOO_MUCH")
    put(w, "goes without", want(w, "web"))
    assert where(w, "goes without") == 0
    w.wait_rows("SELECT state, why FROM topics", [("none", "failed")])
    w.telegram.kick_bot(GROUP)
    put(w, "unheard")
    w.wait_rows("SELECT state FROM outbox WHERE payload LIKE '%unheard%'", [("parked",)])


@flow
def a_flooded_group_waits_as_a_whole(w):
    start(w)
    topic = want(w, "web")
    put(w, "before", topic)
    thread = where(w, "before")
    w.telegram.fail("sendMessage", status=429, parameters={"retry_after": 2}, chat_id=GROUP)
    put(w, "refused", topic)
    put(w, "later", topic, priority=3)
    put(w, "urgent", topic, priority=0)
    assert where(w, "refused") == where(w, "later") == where(w, "urgent") == thread
    assert w.telegram.violations == [], w.telegram.violations


@flow
def a_group_that_becomes_a_supergroup(w):
    start(w, group=-50, forum=False, kind="group")
    put(w, "before", want(w, "web", -50), chat=-50)
    where(w, "before", -50)
    w.telegram.hold("chat")  # the refusal alone says so
    w.telegram.migrate_group(-50, -10050, forum=True)
    put(w, "after", chat=-50)
    put(w, "and more", chat=-50, priority=3)
    assert where(w, "after", -10050) == where(w, "and more", -10050) == 0
    w.wait_rows("SELECT value FROM settings WHERE name = 'chat_moved:telegram:-50'", [("-10050",)])
    w.wait_rows("SELECT chat_id, retry_at FROM topics", [(-10050, None)])


@flow
def a_question_finds_room_whatever_is_told(w):
    w.with_telegram(limits=True)
    w.telegram.add_chat(GROUP, forum=True)
    w.start(TELEGRAM_PACING=None)
    wait_until(lambda: w.telegram.webhook["url"], "the webhook's registration")
    topic = want(w, "web", priority=3)
    for i in range(30):
        put(w, f"milestone {i}", topic, priority=3)
    wait_until(lambda: len(w.sent(GROUP)) >= 11, "the share of what matters little")
    time.sleep(4)  # what is left of the minute is not theirs
    assert len(w.sent(GROUP)) == 11
    put(w, "may I?", topic, priority=0)
    put(w, "answered", topic, priority=1)
    where(w, "answered")
    texts = [m.text for m in w.sent(GROUP)]
    assert texts[:11] == [f"milestone {i}" for i in range(11)], texts  # and the topic itself is the twelfth
    assert texts[11:] == ["may I?", "answered"], texts
    assert not [call for call in w.telegram.calls_of("sendMessage") if call.code == 429]


if __name__ == "__main__":
    sys.exit(main())
