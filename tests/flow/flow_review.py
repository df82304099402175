#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a reviewer broke once: each case is the smallest conversation that showed the defect."""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import OWNER, ROOT, flow, main, wait_until  # noqa: E402
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "fakes"))
from models import call, calls, status, text  # noqa: E402


def labels(message):
    return [b["text"] for row in message.keyboard for b in row]


@flow
def a_model_lost_after_a_repair_leaves_the_message_to_the_parser(w):
    w.start_assistant(models=True)
    w.models.script([calls(call("log_sleep", hours=99)), {**status(400), "times": -1}])
    reply = w.says("buy rice tomorrow")
    assert w.db.rows("SELECT content FROM tasks") == [("buy rice",)], reply.text
    assert "built-in parser" in reply.text, reply.text


@flow
def a_model_lost_after_a_look_up_leaves_the_message_to_the_parser(w):
    w.start_assistant(models=True)
    w.models.script([calls(call("list_tasks")), calls(call("add_task", content="Buy r"), stop="max_tokens", times=-1)])
    reply = w.says("buy rice tomorrow")
    assert w.db.rows("SELECT content FROM tasks") == [("buy rice",)], reply.text


@flow
def a_write_beside_a_question_can_be_undone(w):
    w.start_assistant(models=True)
    w.models.script([calls(call("add_note", content="The wifi password is hunter2"))])
    w.says("note wifi")
    w.models.script([calls(call("ask_question", query="wifi password"), call("add_task", content="Change the wifi password")),
                     text("It is hunter2 [note 1].")])
    reply = w.says("what is the wifi? and remind me to change it")
    w.taps(reply, "Undo")
    wait_until(lambda: w.db.one("SELECT COUNT(*) FROM tasks WHERE deleted_at IS NULL") == 0, "the undo")


@flow
def two_questions_in_one_message_are_both_answered(w):
    w.start_assistant(models=True)
    w.models.script([calls(call("add_note", content="The wifi password is hunter2")), calls(call("add_note", content="Ann likes lilies"))])
    w.says("note wifi")
    w.says("note Ann")
    w.models.script([calls(call("ask_question", query="wifi password"), call("ask_question", query="Ann likes"), call("list_notes")),
                     text("hunter2 [note 1]; lilies [note 2].")])
    reply = w.says("what is the wifi password, what does Ann like, and show my notes")
    assert "[note 1]" in reply.text and "[note 2]" in reply.text, reply.text
    assert "2 notes" in reply.text, reply.text


@flow
def a_second_tap_keeps_nothing_twice(w):
    w.start_assistant()
    offered = w.says("blue seventeen the window of")
    queries = [w.telegram.user_taps(offered, "note") for _ in range(3)]
    for q in queries:
        w.telegram.wait_for_answer(q)
    w.wait_idle()
    assert w.db.one("SELECT COUNT(*) FROM notes") == 1
    assert labels(offered) == ["↩ Undo"], "the offer is replaced by what became of it"


@flow
def the_longest_task_can_be_reminded_of(w):
    w.start_assistant(models=True)
    w.models.script([calls(call("add_task", content=("word " * 812).strip(), due_date="tomorrow 9:00"))])
    card = w.says("please")
    w.wait_idle()
    before = len(w.sent())
    w.db.change(f"UPDATE tasks SET remind_at = {int(time.time() * 1000)}")
    wait_until(lambda: any("ID 1" in m.text for m in w.sent()[before:]), "the whole reminder")
    w.wait_idle()
    assert w.sent()[before].text.startswith("⏰ Reminder"), w.sent()[before].text[:40]
    assert "✓ Done" in labels(w.sent()[-1])
    assert w.db.one("SELECT COUNT(*) FROM outbox WHERE state = 'parked'") == 0, card.text[:40]


@flow
def a_reminder_does_not_make_up_an_outage(w):
    w.start_assistant()
    w.says("remind me to water the plants in 90 minutes")
    w.says("/timezone Asia/Tokyo")  # there that wall-clock time is long over
    wait_until(lambda: any(m.text.startswith("⏰") for m in w.sent()), "the reminder")
    reminder = [m for m in w.sent() if m.text.startswith("⏰")][0]
    assert "not running" not in reminder.text, reminder.text


@flow
def every_step_renews_the_lease(w):
    w.start_assistant(models=True)
    w.models.script([calls(call("list_tasks"), delay=3), {"hang": True}])
    w.telegram.user_says(OWNER, None, "think hard about it")
    first = wait_until(lambda: w.db.one("SELECT lease_until FROM inbox WHERE state = 'running'"), "the claim")
    wait_until(lambda: w.db.rows("SELECT 1 FROM turn_steps"), "the step")
    assert w.db.one("SELECT lease_until FROM inbox") - first > 2000


@flow(databases=("postgres",))
def an_outage_while_the_model_works_costs_no_lease(w):
    """The turn keeps its result until the database is back; nobody waits for the end of a lease of minutes."""
    directory = os.path.join(w.scratch, "pg")
    os.chmod(w.scratch, 0o755)

    def pg(command):
        return subprocess.run(["sh", "tests/pgtmp", command, directory], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    url = pg("start").strip().splitlines()[-1]
    w.db.drop()
    w.db.url, w.db.drop = url, lambda: None
    try:
        p = w.start_assistant(models=True)
        w.models.script([{**calls(call("add_task", content="Buy bread")), "delay": 2, "times": -1}])
        message = w.telegram.user_says(OWNER, None, "bread")
        wait_until(lambda: w.models.requests, "the model at work")
        pg("halt")
        wait_until(lambda: p.get("/health")[0] == 503, "an unhealthy answer")
        time.sleep(3)  # the answer comes meanwhile
        pg("resume")
        w.telegram.wait_for_reply(message, timeout=30)
        w.wait_idle()
        assert w.db.rows("SELECT content FROM tasks") == [("Buy bread",)]
        p.stop()
    finally:
        pg("stop")


@flow
def another_matter_is_no_answer(w):
    w.start_assistant()
    assert w.says("slept 25 hours").text.endswith("?")
    w.says("weight 80")
    w.says("slept 25 hours")
    w.says("ran 30 min")
    w.wait_idle()
    assert w.db.rows("SELECT hours FROM sleep_logs") == []
    assert w.db.rows("SELECT weight_kg FROM inbody_measurements") == [(80.0,)]
    assert w.db.rows("SELECT duration_minutes FROM exercise_logs") == [(30.0,)]
    w.says("slept 25 hours")
    w.says("7h30")
    w.wait_rows("SELECT hours FROM sleep_logs", [(7.5,)])


@flow
def a_mail_address_is_no_mention(w):
    w.start_assistant()
    w.says("/start")
    group = -1001234
    w.telegram.add_chat(group, title="Household")
    bot = w.telegram.username
    w.telegram.user_says(group, OWNER, f"write to ann@{bot}.org tomorrow")
    reply = w.says(f"/task@{bot} buy milk", chat=group, user=OWNER)
    w.wait_idle()
    assert "buy milk" in reply.text and len(w.sent(group)) == 1, [m.text for m in w.sent(group)]


@flow
def a_button_of_an_older_question_does_not_answer_the_new_one(w):
    w.start_assistant(models=True)
    for name in ("white", "dark"):
        w.models.script([calls(call("add_task", content=f"Buy {name} bread"))])
        w.says(f"{name} please")
    w.models.script([calls(call("update_task", content="bread", new_content="Bake a loaf"))])
    first = w.says("rename bread")
    w.models.script([calls(call("update_task", content="bread", due_date="2030-01-05"))])
    second = w.says("move bread to january")
    assert w.taps(first, "white").answer, "a tap that does nothing says why"
    w.wait_idle()
    assert w.db.one("SELECT COUNT(*) FROM tasks WHERE due_date IS NOT NULL OR content = 'Bake a loaf'") == 0
    w.taps(second, "dark")
    w.wait_rows("SELECT content FROM tasks WHERE due_date = '2030-01-05'", [("Buy dark bread",)])


@flow
def an_album_is_told_once(w):
    w.start_assistant()
    for _ in range(5):
        w.telegram.user_says(OWNER, None, None, photo=True, extra={"media_group_id": "77"})
    w.says("/help")
    w.wait_idle()
    assert len([m for m in w.sent() if "photo" in m.text]) == 1, [m.text for m in w.sent()]


@flow
def small_talk_is_met_in_kind(w):
    w.start_assistant()
    assert "nothing was changed" not in w.says("good afternoon").text


if __name__ == "__main__":
    sys.exit(main())
