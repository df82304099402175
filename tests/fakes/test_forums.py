#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The fake Telegram's forums, rights, moves and queues behave as the real server's."""
import json
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from test_fakes import Webhook, WithFake  # noqa: E402

GROUP = -1001


class WithForum(WithFake):
    def setUp(self):
        super().setUp()
        self.fake.add_chat(GROUP, forum=True)

    def topic(self, name="web"):
        return self.bot.ok("createForumTopic", chat_id=GROUP, name=name)["message_thread_id"]

    def updates(self, kind="message"):
        return [u[kind] for u in self.fake.pushed if kind in u]


class Topics(WithForum):
    def test_making(self):
        thread = self.topic("a" * 128)
        self.assertEqual(self.fake.topic_names(GROUP), {thread: "a" * 128})
        self.refused("TOPIC_TITLE_EMPTY", "createForumTopic", chat_id=GROUP, name=" ")
        self.refused("topic name is too long", "createForumTopic", chat_id=GROUP, name="a" * 129)
        self.refused("invalid icon color specified", "createForumTopic", chat_id=GROUP, name="a", icon_color=1)
        self.refused("400 Bad Request: the chat is not a forum", "createForumTopic", chat_id=42, name="a")
        self.fake.add_chat(-7)
        self.refused("the chat is not a forum", "createForumTopic", chat_id=-7, name="a")
        self.assertEqual(self.updates(), [])  # the bot does not hear of what it did itself
        self.assertEqual(self.fake.messages(GROUP), [])

    def test_writing(self):
        thread = self.topic()
        sent = self.say("in it", GROUP, message_thread_id=thread)
        self.assertTrue(sent["is_topic_message"])
        self.assertEqual(sent["message_thread_id"], thread)
        self.assertIn("forum_topic_created", sent["reply_to_message"])
        self.assertNotIn("message_thread_id", self.say("General", GROUP))
        self.cannot_say("400 Bad Request: message thread not found", "x", GROUP, message_thread_id=1)
        self.refused("message thread not found", "sendChatAction", chat_id=GROUP, action="typing", message_thread_id=1)
        self.assertEqual([m.text for m in self.fake.in_topic(GROUP, thread)], ["in it"])

    def test_changing(self):
        thread = self.topic()
        self.refused("TOPIC_NOT_MODIFIED", "editForumTopic", chat_id=GROUP, message_thread_id=thread, name="web")
        self.refused("TOPIC_NOT_MODIFIED", "reopenForumTopic", chat_id=GROUP, message_thread_id=thread)
        self.bot.ok("closeForumTopic", chat_id=GROUP, message_thread_id=thread)
        self.cannot_say("400 Bad Request: TOPIC_CLOSED", "x", GROUP, message_thread_id=thread)
        self.bot.ok("reopenForumTopic", chat_id=GROUP, message_thread_id=thread)
        sent = self.say("x", GROUP, message_thread_id=thread)["message_id"]
        self.bot.ok("editForumTopic", chat_id=GROUP, message_thread_id=thread, name="api")
        self.assertEqual(self.fake.topic_named(GROUP, "api"), thread)
        self.bot.ok("deleteForumTopic", chat_id=GROUP, message_thread_id=thread)
        self.cannot_say("message thread not found", "x", GROUP, message_thread_id=thread)
        self.refused("message to edit not found", "editMessageText", chat_id=GROUP, message_id=sent, text="y")
        self.refused("message thread not found", "closeForumTopic", chat_id=GROUP, message_thread_id=thread)
        self.assertEqual(self.fake.unknown_arguments, [])

    def test_rights(self):
        thread = self.topic()
        self.fake.demote_bot(GROUP, can_manage_topics=False)
        self.refused("400 Bad Request: not enough rights to create a topic", "createForumTopic", chat_id=GROUP, name="a")
        self.refused("not enough rights to edit the topic", "reopenForumTopic", chat_id=GROUP, message_thread_id=thread)
        self.say("still", GROUP, message_thread_id=thread)
        self.assertEqual(self.updates("my_chat_member")[-1]["new_chat_member"]["can_manage_topics"], False)
        self.fake.demote_bot(GROUP)
        self.assertEqual(self.updates("my_chat_member")[-1]["new_chat_member"]["status"], "member")
        self.refused("not enough rights to delete the topic", "deleteForumTopic", chat_id=GROUP, message_thread_id=thread)
        self.fake.promote_bot(GROUP)
        self.topic("b")
        self.fake.chats[GROUP].muted = True
        self.cannot_say("not enough rights to send text messages to the chat", "x", GROUP)
        self.fake.kick_bot(GROUP)
        self.cannot_say("403 Forbidden: bot was kicked from the supergroup chat", "x", GROUP)
        self.refused("403", "createForumTopic", chat_id=GROUP, name="a")
        self.assertEqual(self.updates("my_chat_member")[-1]["new_chat_member"]["status"], "kicked")

    def test_people(self):
        thread = self.topic()
        said = self.fake.user_says(GROUP, 42, "hi", thread_id=thread).to_json()
        self.assertTrue(said["is_topic_message"])
        self.assertEqual(said["reply_to_message"]["forum_topic_created"]["name"], "web")  # nobody replied to anything
        card = self.say("ok?", GROUP, message_thread_id=thread,
                        reply_markup={"inline_keyboard": [[{"text": "Yes", "callback_data": "y", "style": "success"}]]})
        card = self.fake.message(GROUP, card["message_id"])
        reply = self.fake.user_replies(card, "no", 42).to_json()
        self.assertEqual(reply["reply_to_message"]["message_id"], card.id)
        self.assertIn("inline_keyboard", reply["reply_to_message"]["reply_markup"])
        self.assertEqual(reply["message_thread_id"], thread)
        self.assertTrue(self.fake.user_taps(card, "Yes", 42).message.to_json()["is_topic_message"])
        self.fake.user_renames_topic(GROUP, thread, "The web", 42)
        self.fake.user_closes_topic(GROUP, thread, 42)
        self.fake.user_reopens_topic(GROUP, thread, 42)
        kinds = [next(k for k in m if k.startswith("forum_topic")) for m in self.updates()[-3:]]
        self.assertEqual(kinds, ["forum_topic_edited", "forum_topic_closed", "forum_topic_reopened"])
        self.assertEqual({m["message_thread_id"] for m in self.updates()[-3:]}, {thread})
        mine = self.fake.add_thread(GROUP, "By hand", user=42)
        self.assertEqual(self.updates()[-1]["forum_topic_created"]["name"], "By hand")
        self.assertEqual(self.updates()[-1]["message_thread_id"], mine)
        count = len(self.fake.pushed)
        self.fake.user_deletes_topic(GROUP, thread)
        self.assertEqual(len(self.fake.pushed), count)
        self.cannot_say("message thread not found", "x", GROUP, message_thread_id=thread)

    def test_nobody_in_particular(self):
        thread = self.topic()
        hidden = self.fake.anonymous_says(GROUP, "yes", thread_id=thread)
        self.assertEqual(hidden.to_json()["from"]["username"], "GroupAnonymousBot")
        self.assertEqual(hidden.to_json()["sender_chat"]["id"], GROUP)
        self.assertFalse(hidden.from_bot)
        channel = self.fake.channel_says(GROUP, "yes").to_json()
        self.assertEqual((channel["from"]["id"], channel["sender_chat"]["type"]), (136817688, "channel"))

    def test_markup(self):
        self.say("?", GROUP, reply_markup={"force_reply": True, "input_field_placeholder": "x" * 64})
        self.assertTrue(self.fake.messages(GROUP)[-1].force_reply["force_reply"])
        self.cannot_say("placeholder is too long", "?", GROUP, reply_markup={"force_reply": True,
                                                                             "input_field_placeholder": "x" * 65})
        self.cannot_say("invalid button style", "?", GROUP,
                        reply_markup={"inline_keyboard": [[{"text": "a", "callback_data": "b", "style": "blue"}]]})

    def test_a_group_moves(self):
        self.fake.add_chat(-50, "group")
        old = self.say("before", -50)["message_id"]
        self.fake.migrate_group(-50, -10050, 42, forum=True)
        answer = self.bot.call("sendMessage", chat_id=-50, text="x")
        self.assertEqual(answer["description"], "Bad Request: group chat was upgraded to a supergroup chat")
        self.assertEqual(answer["parameters"], {"migrate_to_chat_id": -10050})
        self.refused("message to edit not found", "editMessageText", chat_id=-10050, message_id=old, text="y")
        self.assertEqual([(m["chat"]["id"], m.get("migrate_to_chat_id"), m.get("migrate_from_chat_id")) for m in self.updates()],
                         [(-50, -10050, None), (-10050, None, -50)])
        self.bot.ok("createForumTopic", chat_id=-10050, name="a")


class Minute(WithForum):
    options = {"limits": True, "chat_burst": 1000}

    def test_twenty_a_minute_over_all_topics(self):
        now = [0.0]
        self.fake.limits.clock = lambda: now[0]
        threads = [self.topic("a"), self.topic("b")]
        sent = [self.say(str(i), GROUP, message_thread_id=threads[i % 2])["message_id"] for i in range(17)]
        self.bot.ok("editMessageText", chat_id=GROUP, message_id=sent[0], text="edited")
        answer = self.bot.call("sendMessage", chat_id=GROUP, text="one too many", message_thread_id=threads[0])
        self.assertEqual((answer["error_code"], answer["parameters"]), (429, {"retry_after": 60}))
        now[0] = 59.0
        self.refused("429", "createForumTopic", chat_id=GROUP, name="c")
        self.assertEqual(len(self.fake.violations), 1)
        now[0] = 60.5
        self.say("later", GROUP)
        self.say("elsewhere", 42)


class Queues(Webhook):
    """The two kinds of queues: what one of them does is nothing to the other."""

    def card(self):
        self.say("a", reply_markup={"inline_keyboard": [[{"text": "x", "callback_data": "y"}]]})
        return self.fake.messages(42)[-1]

    def got(self):
        return ["tap" if "callback_query" in u else u["message"]["text"] for u, _ in self.hook.got]

    def test_a_tap_overtakes_a_message_and_the_other_way_round(self):
        card = self.card()
        self.fake.hold("chat")
        self.fake.user_says(42, text="one")
        self.fake.user_says(42, text="two")
        self.fake.user_taps(card)
        self.fake.wait_for(lambda: self.got() == ["tap"])
        self.assertEqual(len(self.fake.held("chat")), 2)
        self.fake.hold("tap")
        self.fake.release("chat")
        self.fake.user_taps(card)
        self.fake.wait_for(lambda: self.got() == ["tap", "one", "two"])
        self.fake.release("tap")
        self.fake.wait_for(lambda: self.got() == ["tap", "one", "two", "tap"])
        self.assertEqual(self.fake.held("chat") + self.fake.held("tap"), [])

    def test_one_chat_may_stand_still(self):
        self.fake.add_chat(43)
        self.fake.hold("chat", 42)
        self.fake.user_says(42, text="held")
        self.fake.user_says(43, text="free")
        self.fake.wait_for(lambda: self.got() == ["free"])
        self.fake.release("chat", 42)
        self.fake.wait_for(lambda: self.got() == ["free", "held"])

    def test_a_tap_held_too_long_is_dropped(self):
        self.fake.delivery_scale = 1500  # 150 s become 0.1 s
        card = self.card()
        self.fake.hold("tap")
        self.fake.user_taps(card)
        time.sleep(0.15)
        self.fake.release("tap")
        self.fake.wait_for(lambda: self.fake.dropped)
        self.assertEqual(self.got(), [])

    def test_once_more(self):
        self.fake.user_says(42, text="one")
        self.fake.wait_for(lambda: self.got() == ["one"])
        self.assertEqual(self.fake.redeliver(self.fake.pushed[-1]), 200)
        self.assertEqual(self.got(), ["one", "one"])

    def test_late(self):
        self.fake.delays["chat"] = 0.2
        card = self.card()
        self.fake.user_says(42, text="one")
        self.fake.user_taps(card)
        self.fake.wait_for(lambda: self.got() == ["tap", "one"])

    # inherited tests run in test_fakes.py
    test_order_secret_and_retry = test_a_late_tap_is_dropped = test_duplicates = test_updates_wait_for_the_webhook = None


class Polled(WithForum):
    def test_held_updates_are_not_polled(self):
        self.fake.hold("chat")
        self.fake.user_says(GROUP, 42, "later")
        self.assertEqual(self.bot.ok("getUpdates"), [])
        self.fake.release("chat")
        self.assertEqual(len(self.bot.ok("getUpdates")), 1)


class Control(WithForum):
    def test_acts(self):
        thread = self.topic()
        body = json.dumps({"do": "user_renames_topic", "chat_id": GROUP, "thread_id": thread, "name": "new"})
        self.bot.link.request("POST", "/__do", body)
        self.assertTrue(json.loads(self.bot.link.getresponse().read())["ok"])
        self.assertEqual(self.fake.topic_names(GROUP), {thread: "new"})
        self.bot.link.request("POST", "/__do", json.dumps({"do": "stop"}))
        self.assertFalse(json.loads(self.bot.link.getresponse().read())["ok"])


if __name__ == "__main__":
    del WithFake, WithForum, Webhook
    unittest.main(warnings="ignore")
