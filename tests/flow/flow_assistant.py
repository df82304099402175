#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The assistant without a model: what a person writes in Telegram, the rows it becomes, what they see."""
import datetime
import json
import os
import sys
import time
from zoneinfo import ZoneInfo

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import OWNER, flow, main, wait_until  # noqa: E402

BERLIN = ZoneInfo("Europe/Berlin")


def day(offset):
    return (datetime.datetime.now(BERLIN).date() + datetime.timedelta(days=offset)).isoformat()


def texts(message):
    return [b["text"] for row in message.keyboard for b in row]


@flow
def a_task_from_message_to_reply(w):
    w.start_assistant()
    reply = w.says("buy bread tomorrow")
    lines = reply.text.split("\n")
    tomorrow = datetime.date.fromisoformat(day(1))
    assert lines[0] == "✓ Task added to General", lines
    assert lines[1] == "buy bread", lines
    assert lines[2] == f"Due: {tomorrow.strftime('%a')} {tomorrow} (tomorrow)", lines
    assert lines[-1] == "ID 1", lines
    assert w.db.rows("SELECT t.content, t.due_date, t.completed, c.name FROM tasks t JOIN categories c ON c.id = t.category_id") == [
        ("buy bread", day(1), 0, "General")]
    assert any("Done" in t for t in texts(reply)) and any("Undo" in t for t in texts(reply)), texts(reply)
    assert reply.entities[0]["type"] == "bold"
    assert not w.telegram.unknown_arguments, w.telegram.unknown_arguments


@flow
def buttons_done_edit_undo(w):
    w.start_assistant()
    reply = w.says("buy bread tomorrow")
    w.taps(reply, "Done")
    w.telegram.wait_for_edit(reply)
    assert w.db.rows("SELECT completed FROM tasks") == [(1,)]
    assert "Done" in reply.text and "buy bread" in reply.text, reply.text
    w.taps(reply, "Undo")
    w.wait_rows("SELECT completed FROM tasks", [(0,)])
    second = w.says("call mom friday")
    question = w.telegram.wait_for_reply(second_tap(w, second, "Edit date"))
    assert any("Tomorrow" in t for t in texts(question)), texts(question)
    w.taps(question, "Tomorrow")
    w.wait_rows("SELECT due_date FROM tasks WHERE content = 'call mom'", [(day(1),)])
    # The same by words: the question waits for a date.
    third = w.says("water plants friday")
    w.telegram.wait_for_reply(second_tap(w, third, "Edit date"))
    w.says("in 3 days")
    w.wait_rows("SELECT due_date FROM tasks WHERE content = 'water plants'", [(day(3),)])
    # A tap on a task that is gone says so.
    w.says("delete water plants")
    query = w.taps(third, "Done")
    assert query.answer, "a tap that does nothing says why"


def second_tap(w, message, button):
    """Tap, and return the bot's last message at that time, to wait for the next."""
    before = w.sent()[-1]
    w.taps(message, button)
    return before


@flow
def health_logs_and_one_sleep_a_day(w):
    w.start_assistant()
    w.says("slept 7h30")
    again = w.says("slept 8 hours")
    assert "7" in again.text and "replaced" in again.text.lower(), again.text
    assert w.db.rows("SELECT date, hours FROM sleep_logs WHERE deleted_at IS NULL") == [(day(0), 8.0)]
    w.taps(again, "Undo")
    w.wait_rows("SELECT hours FROM sleep_logs WHERE deleted_at IS NULL", [(7.5,)])
    w.says("ran 5 km in 30 min, drank 2 glasses of water and weight 81.4")
    assert w.db.rows("SELECT duration_minutes FROM exercise_logs") == [(30.0,)]
    assert w.db.rows("SELECT amount_ml FROM water_logs") == [(500.0,)]
    assert w.db.rows("SELECT weight_kg FROM inbody_measurements") == [(81.4,)]
    # One message is one step of undo.
    w.says("undo")
    for table in ("exercise_logs", "water_logs", "inbody_measurements"):
        assert w.db.one(f"SELECT COUNT(*) FROM {table} WHERE deleted_at IS NULL") == 0, table
    w.says("sauna 15 min at 90")
    assert w.db.rows("SELECT duration_minutes, temperature_c FROM sauna_logs WHERE deleted_at IS NULL") == [(15.0, 90.0)]
    answer = w.says("how much did I sleep this week?")
    assert "7" in answer.text, answer.text


@flow
def words_choose_and_ask(w):
    w.start_assistant()
    w.says("buy white bread tomorrow")
    w.says("buy dark bread tomorrow")
    choice = w.says("done with bread")
    assert len([t for t in texts(choice) if "bread" in t]) == 2, texts(choice)
    assert w.db.one("SELECT COUNT(*) FROM tasks WHERE completed = 1") == 0
    w.taps(choice, "dark")
    w.wait_rows("SELECT content FROM tasks WHERE completed = 1", [("buy dark bread",)])
    question = w.says("set a reminder")
    assert question.text.endswith("?"), question.text
    assert w.db.one("SELECT COUNT(*) FROM tasks") == 2
    w.says("feed the cat tomorrow")
    assert w.db.rows("SELECT content, due_date FROM tasks WHERE id = 3") == [("feed the cat", day(1))]
    # A message with one piece missing waits as a whole.
    asked = w.says("I ran 5 km and drank 2 glasses of water")
    assert "long" in asked.text and w.db.one("SELECT COUNT(*) FROM water_logs") == 0, asked.text
    w.says("30 minutes")
    assert w.db.rows("SELECT duration_minutes FROM exercise_logs") == [(30.0,)]
    assert w.db.rows("SELECT amount_ml FROM water_logs") == [(500.0,)]
    # Not understood: nothing is written, everything is offered.
    lost = w.says("blue seventeen the window of")
    assert w.db.one("SELECT COUNT(*) FROM notes") == 0
    w.taps(lost, "note")
    w.wait_rows("SELECT content FROM notes", [("blue seventeen the window of",)])


@flow
def commands(w):
    w.start_assistant()
    for text, expected in (("/start", "time zone"), ("/help", "/timezone"), ("/privacy", "stored"), ("/tasks", ""), ("/notes", ""),
                           ("/health", ""), ("/nonsense", "/help"), ("/search", "look for"), ("/undo", "")):
        reply = w.says(text)
        assert expected in reply.text, (text, reply.text)
    assert "Europe/Berlin" in w.says("/timezone").text
    assert "Asia/Tokyo" in w.says("/timezone tokyo").text
    assert w.db.one("SELECT zone FROM users") == "Asia/Tokyo"
    assert "don't know" in w.says("/timezone Nowhere/Land").text
    assert w.db.one("SELECT zone FROM users") == "Asia/Tokyo"
    w.says("/undo")
    assert w.db.one("SELECT zone FROM users") == ""
    w.says("add soap to my shopping list")
    for words, found in (("shopping", True), ("soap", True), ("nosuch", False), ("done", False), ("today", False)):
        assert ("soap" in w.says(f"/tasks {words}").text) == found, words
    w.says("undo")
    w.says("/task buy milk")
    w.says("/note the key is under the mat")
    w.says("/done 2")
    assert w.db.rows("SELECT completed FROM tasks WHERE id = 2") == [(1,)]
    assert "key" in w.says("/search key").text
    assert "mat" in w.says("/note_1").text
    w.says("/export")
    document = w.telegram.wait_for_call("sendDocument").params
    content = next(v["content"] for v in document.values() if isinstance(v, dict) and "content" in v)
    kinds = [json.loads(line)["type"] for line in content.decode().splitlines()]
    assert kinds.count("task") == 1 and kinds.count("note") == 1, kinds
    menu = [c["command"] for c in w.telegram.commands]
    for name in ("tasks", "notes", "health", "search", "undo", "timezone", "export", "privacy", "help"):
        assert name in menu, menu


@flow
def strangers_get_one_answer(w):
    w.start_assistant()
    reply = w.says("let me in", chat=77)
    assert reply.text.startswith("Sorry, you're not authorized") and "77" in reply.text, reply.text
    w.telegram.user_says(77, None, "hello?")
    w.telegram.user_says(77, None, "buy bread tomorrow")
    w.says("buy milk tomorrow")
    w.wait_idle()
    assert len(w.sent(77)) == 1
    assert w.db.rows("SELECT content FROM tasks") == [("buy milk",)]
    # A stranger's tap on the owner's button changes nothing.
    card = w.sent(OWNER)[-1]
    query = w.taps(card, "Done", user=77)
    assert "authorized" in (query.answer or ""), query.answer
    assert w.db.rows("SELECT completed FROM tasks") == [(0,)]


@flow
def an_empty_list_means_nobody(w):
    w.with_telegram()
    w.start(TELEGRAM_USER_ID="")
    wait_until(lambda: w.telegram.webhook["url"], "the webhook")
    assert "not authorized" in w.says("buy bread tomorrow").text
    assert w.db.one("SELECT COUNT(*) FROM tasks") == 0


@flow
def groups_only_when_addressed(w):
    w.with_telegram()
    w.start(TELEGRAM_USER_ID=f"{OWNER}, 43")
    wait_until(lambda: w.telegram.webhook["url"], "the webhook")
    w.says("/start")
    group = -1001234
    w.telegram.add_chat(group, title="Household")
    bot = w.telegram.username
    w.telegram.user_says(group, OWNER, "buy bread tomorrow")
    w.telegram.user_says(group, OWNER, "/tasks@another_bot")
    reply = w.says(f"@{bot} buy milk tomorrow", chat=group, user=OWNER)
    assert "buy milk" in reply.text
    assert w.db.rows("SELECT content FROM tasks") == [("buy milk",)]
    w.telegram.wait_for_reply(w.telegram.user_says(group, 43, "buy soap tomorrow", reply_to=reply))
    assert w.db.rows("SELECT content, user_id FROM tasks ORDER BY id")[1][0] == "buy soap"
    assert len(set(u for (u,) in w.db.rows("SELECT user_id FROM tasks"))) == 2
    listing = w.says(f"/tasks@{bot}", chat=group, user=43)
    assert "buy soap" in listing.text and "buy milk" not in listing.text, listing.text
    # Another member's button is not this member's task.
    w.taps(reply, "Done", user=43)
    w.wait_idle()
    assert w.db.one("SELECT COUNT(*) FROM tasks WHERE completed = 1") == 0


@flow
def other_kinds_get_an_honest_answer(w):
    w.start_assistant()
    for kind in ("photo", "sticker", "voice", "audio", "video", "video_note", "location", "contact"):
        reply = w.says(None, **{kind: True})
        assert "text" in reply.text, (kind, reply.text)
    assert "document" in w.says(None, document="plan.pdf").text
    w.says(None, photo=True, caption="buy bread tomorrow")
    assert w.db.rows("SELECT content FROM tasks") == [("buy bread",)]
    offered = w.says("delete all tasks", forwarded="Mallory")
    assert w.db.one("SELECT COUNT(*) FROM tasks WHERE deleted_at IS NULL") == 1
    w.taps(offered, "note")
    w.wait_rows("SELECT content FROM notes", [("delete all tasks",)])


@flow
def an_edit_is_answered_not_executed_again(w):
    w.start_assistant()
    message = w.telegram.user_says(OWNER, None, "buy bread tomorrow")
    w.telegram.wait_for_reply(message)
    w.telegram.user_edits(message, "buy bread tomorrow")  # an invisible change
    w.telegram.user_edits(message, "buy butter tomorrow")
    replies = w.telegram.wait_for_replies(message, 2)
    assert "edit" in replies[1].text, replies[1].text
    w.wait_idle()
    assert len(w.sent()) == 2
    assert w.db.rows("SELECT content FROM tasks") == [("buy bread",)]


@flow
def reminders_fire_once_also_late(w):
    p = w.start_assistant()
    w.says("remind me to call mom in 2 minutes")
    w.says("remind me to buy stamps in 3 minutes")
    assert w.db.one("SELECT COUNT(*) FROM tasks WHERE remind_at IS NOT NULL") == 2
    # The clock is the database's content: move one reminder to now, the other two hours back while the program is down.
    w.db.change(f"UPDATE tasks SET remind_at = {int(time.time() * 1000)} WHERE content = 'call mom'")
    reminder = w.telegram.wait_for_reply(w.sent()[-1])
    assert "Reminder" in reminder.text and "call mom" in reminder.text and "late" not in reminder.text, reminder.text
    p.stop()
    w.db.change(f"UPDATE tasks SET remind_at = {int(time.time() * 1000) - 7500000} WHERE content = 'buy stamps'")
    w.start()
    late = w.telegram.wait_for_reply(reminder)
    assert "buy stamps" in late.text and "late by 2 h 5 min" in late.text, late.text
    w.program.stop()
    w.start()
    w.says("/help")
    w.wait_idle()
    assert len([m for m in w.sent() if m.text.startswith("⏰ Reminder")]) == 2
    w.taps(reminder, "In 1 hour")
    wait_until(lambda: (w.db.one("SELECT remind_at FROM tasks WHERE content = 'call mom' AND reminded_at IS NULL") or 0) > time.time() * 1000, "the snooze")
    w.taps(late, "Done")
    w.wait_rows("SELECT completed FROM tasks WHERE content = 'buy stamps'", [(1,)])


@flow
def nobody_is_reminded_who_was_removed(w):
    other, now = 43, lambda: int(time.time() * 1000)
    w.with_telegram()
    w.telegram.add_chat(other)

    def start(people):
        w.start(TELEGRAM_USER_ID=people)
        wait_until(lambda: w.telegram.webhook["url"], "the webhook's registration")

    def overdue(content, hours):
        w.db.change(f"UPDATE tasks SET remind_at = {now() - hours * 3600000} WHERE content = '{content}'")

    def reminders(chat):
        return [m.text for m in w.sent(chat) if "⏰" in m.text]
    start(f"{OWNER},{other}")
    for what in ("call mom", "buy stamps", "pay rent", "water plants"):
        w.says(f"remind me to {what} in 3 days", chat=other)
    w.says("remind me to stretch in 3 days")
    w.program.stop()
    overdue("call mom", 50)
    overdue("buy stamps", 49)
    overdue("pay rent", 2)
    overdue("stretch", 1)
    start(OWNER)
    wait_until(lambda: reminders(OWNER), "the owner's reminder")
    w.wait_idle()
    assert not reminders(other), reminders(other)
    assert w.db.one("SELECT COUNT(*) FROM tasks WHERE reminded_at IS NULL") == 4
    assert w.db.one("SELECT COUNT(*) FROM outbox WHERE chat_id = 43 AND state <> 'sent'") == 0
    w.program.stop()
    # Back again: what is older than a day comes as one list, in order; the rest as ever; what is not due not at all.
    start(f"{OWNER},{other}")
    wait_until(lambda: len(reminders(other)) == 2, "the reminders")
    w.wait_idle()
    listed, single = reminders(other)
    assert "• call mom" in listed and listed.index("call mom") < listed.index("buy stamps"), listed
    assert "pay rent" not in listed and "/tasks" in listed, listed
    assert single.startswith("⏰ Reminder\npay rent") and "late by 2 h" in single, single
    assert w.db.rows("SELECT content FROM tasks WHERE reminded_at IS NULL") == [("water plants",)]
    assert len(reminders(OWNER)) == 1, reminders(OWNER)
    # A task that knows no chat, as from an import, is its person's all the same: the console page is the owner's.
    w.db.change("UPDATE tasks SET channel = NULL, chat_id = NULL WHERE content = 'water plants'")
    w.db.change("UPDATE users SET private_chat_id = NULL WHERE telegram_id = 43")
    overdue("water plants", 0)
    wait_until(lambda: len(reminders(other)) == 3, "the reminder")
    assert "water plants" in reminders(other)[-1] and w.db.one("SELECT COUNT(*) FROM console_messages") == 0


@flow
def one_old_reminder_keeps_its_buttons(w):
    p = w.start_assistant()
    w.says("remind me to call mom in 3 days")
    p.stop()
    w.db.change(f"UPDATE tasks SET remind_at = {int(time.time() * 1000) - 50 * 3600000}")
    w.start()
    late = w.telegram.wait_for_reply(w.sent()[-1])
    assert "late by 2 days" in late.text, late.text
    w.taps(late, "Done")
    w.wait_rows("SELECT completed FROM tasks", [(1,)])


@flow
def tomorrow_is_counted_from_when_it_was_said(w):
    p = w.start_assistant()
    said = datetime.datetime.now(BERLIN) - datetime.timedelta(days=2)
    p.post_update(w.update("buy bread tomorrow", date=int(said.timestamp())))
    w.wait_rows("SELECT due_date FROM tasks", [((said.date() + datetime.timedelta(days=1)).isoformat(),)])
    p.post_update(w.update("buy milk tomorrow", date=0))
    w.wait_rows("SELECT due_date FROM tasks WHERE id = 2", [(day(1),)])


@flow
def long_polling_into_the_same_inbox(w):
    w.with_telegram()
    p = w.start(polling=True)
    assert json.loads(p.get("/health")[1])["mode"] == "polling"
    assert "buy bread" in w.says("buy bread tomorrow").text
    w.taps(w.sent()[-1], "Done")
    w.wait_rows("SELECT completed FROM tasks", [(1,)])
    p.kill()
    message = w.telegram.user_says(OWNER, None, "buy milk tomorrow")
    w.start(polling=True)
    w.telegram.wait_for_reply(message)
    w.wait_idle()
    assert w.db.one("SELECT COUNT(*) FROM tasks") == 2


@flow(databases=("sqlite",))
def health_and_metrics_tell_how_polling_goes(w):
    w.with_telegram()
    p = w.start(polling=True)

    def telegram():
        return json.loads(p.get("/health")[1])["telegram"]
    w.says("buy bread tomorrow")
    assert telegram()["ok"] and "last_poll" in telegram() and "error" not in telegram(), telegram()
    assert 'steward_updates_total{source="polling",outcome="accepted"} 1\n' in p.get("/metrics")[1], p.get("/metrics")[1]
    w.telegram.fail("getUpdates", times=3, status=500, description="Internal Server Error")
    w.says("buy milk tomorrow")  # ends the call that is under way
    wait_until(lambda: "answered 500" in telegram().get("error", ""), "the trouble to be told")
    assert telegram()["ok"] is False and p.get("/health")[0] == 200, "a restart would not mend it"
    wait_until(lambda: telegram()["ok"] and "error" not in telegram(), "polling to go on")


@flow
def export_and_import_are_the_same_file(w):
    w.start_assistant()
    for text in ("buy bread tomorrow", "add milk to my shopping list", "note: the wifi password is 1234", "slept 7h30",
                 "ran 5 km in 30 min", "drank 500 ml water", "sauna 15 min at 90", "weight 81.4"):
        w.says(text)
    w.says("done with bread")
    w.wait_idle()
    code, first, err = w.command("export", "--user", str(OWNER))
    assert code == 0, err
    kinds = [json.loads(line)["type"] for line in first.splitlines()]
    assert set(kinds) >= {"category", "task", "note", "sleep", "exercise", "water", "sauna", "body"}, kinds
    other = "sqlite://" + os.path.join(w.scratch, "other.db")
    code, out, err = w.command("import", stdin=first, env={"DATABASE_URL": other})
    assert code == 0, (out, err)
    code, second, err = w.command("export", env={"DATABASE_URL": other})
    assert code == 0 and second == first, (err, first, second)
    bad = first + '{"type":"task","content":""}\n'
    third = "sqlite://" + os.path.join(w.scratch, "third.db")
    code, out, err = w.command("import", stdin=bad, env={"DATABASE_URL": third})
    assert code != 0 and str(len(first.splitlines()) + 1) in err, (code, err)
    assert w.command("export", env={"DATABASE_URL": third})[1] == ""


@flow
def long_lists_are_split(w):
    w.start_assistant()
    w.command("import", stdin="".join(json.dumps({"type": "note", "content": f"note {i} " + "lorem ipsum & <dolor> " * 12}) + "\n"
                                      for i in range(60)))
    w.says("note: " + "a <b> & long 👨‍👩‍👧 text. " * 260)
    w.wait_idle()
    assert "long 👨‍👩‍👧 text" in w.db.one("SELECT content FROM notes ORDER BY id DESC LIMIT 1")
    shown = [m for m in w.sent()]
    assert sum("👨‍👩‍👧" in m.text for m in shown) >= 1
    assert not w.telegram.calls_of("sendMessage", code=400), w.telegram.calls_of("sendMessage", code=400)


@flow
def quoted_words_are_cut_between_characters(w):
    w.start_assistant()
    for command, shown in (("/x" + "ä" * 60, "/x" + "ä" * 19 + "."), ("/timezone x" + "€" * 60, "“x" + "€" * 26 + "”")):
        text = w.says(command).text
        assert shown in text, text


if __name__ == "__main__":
    sys.exit(main())
