# SPDX-License-Identifier: MIT
"""Forums: topics as the Bot API makes them and as people change them, the bot's rights, groups that become supergroups.  A
mixin of FakeTelegram.  A topic's id is the id of its first message, a service message to which every other message of the
topic is an implicit reply.  What people do to topics arrives as service messages; what the bot does itself does not."""
import time

from telegram_state import Message, bad, integer

ICON_COLORS = (7322096, 16766590, 13338331, 9367192, 16749490, 16478047)
ANONYMOUS = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
CHANNEL_BOT = {"id": 136817688, "is_bot": True, "first_name": "Channel", "username": "Channel_Bot"}
ADMIN_RIGHTS = {"can_manage_topics": True, "can_delete_messages": True, "can_pin_messages": True, "can_manage_chat": True}


class Forums:

    # ---- the bot's methods ----

    def forum_of(self, params, right=None, what=""):
        chat = self.chat_of(params)
        if not chat.forum:
            raise bad("the chat is not a forum")
        if right and not (chat.bot_admin and chat.rights.get(right)):
            raise bad("not enough rights to %s" % what)
        return chat

    def topic_of(self, params, what="edit the topic", right="can_manage_topics"):
        chat = self.forum_of(params, right, what)
        thread = chat.threads.get(integer(params, "message_thread_id", required=True))
        if thread is None:
            raise bad("message thread not found")
        return chat, thread

    def method_createforumtopic(self, params):
        chat = self.forum_of(params, "can_manage_topics", "create a topic")
        name = (params.get("name") or "").strip()
        if not 1 <= len(name) <= 128:
            raise bad("TOPIC_TITLE_EMPTY" if not name else "topic name is too long")
        color = integer(params, "icon_color")
        if color is not None and color not in ICON_COLORS:
            raise bad("invalid icon color specified")
        self.limit(chat.id, message=True)
        thread_id = self.new_topic(chat, name, self.me(), color or ICON_COLORS[0])
        return {"message_thread_id": thread_id, "name": name, "icon_color": color or ICON_COLORS[0]}

    def method_editforumtopic(self, params):
        chat, thread = self.topic_of(params)
        name = params.get("name")
        if not name or name == thread["name"]:
            raise bad("TOPIC_NOT_MODIFIED")
        self.limit(chat.id, message=True)
        thread["name"] = name
        return True

    def method_closeforumtopic(self, params):
        return self.set_closed(params, True)

    def method_reopenforumtopic(self, params):
        return self.set_closed(params, False)

    def set_closed(self, params, closed):
        chat, thread = self.topic_of(params)
        if thread["closed"] == closed:
            raise bad("TOPIC_NOT_MODIFIED")
        self.limit(chat.id, message=True)
        thread["closed"] = closed
        return True

    def method_deleteforumtopic(self, params):
        chat, thread = self.topic_of(params, "delete the topic", "can_delete_messages")
        self.drop_topic(chat, thread)
        return True

    def method_getchatmember(self, params):
        chat = self.chat_of(params)
        if integer(params, "user_id", required=True) != self.me()["id"]:
            raise bad("PARTICIPANT_ID_INVALID")
        return self.membership(chat)

    def membership(self, chat):
        if chat.blocked:
            return {"status": "kicked", "user": self.me(), "until_date": 0}
        if not chat.bot_admin:
            return {"status": "member", "user": self.me()}
        return dict({"status": "administrator", "user": self.me()}, **chat.rights)

    # ---- topics ----

    def new_topic(self, chat, name, by, color=ICON_COLORS[0]):
        root = self.service(chat, by, {"forum_topic_created": {"name": name, "icon_color": color}})
        root.thread_id = root.id
        chat.threads[root.id] = {"id": root.id, "name": name, "closed": False, "root": root}
        return root.id

    def drop_topic(self, chat, thread):
        del chat.threads[thread["id"]]
        for message in chat.messages.values():
            if message.thread_id == thread["id"]:
                message.deleted = True
        self.changed.notify_all()

    def service(self, chat, by, fields, thread_id=None):
        """A service message; it stands in the chat but is nobody's words."""
        message = Message(chat, next(chat.ids), by, thread_id=thread_id, service=True)
        message.extra = fields
        chat.messages[message.id] = message
        self.touch(message, new=True)
        return message

    def say_service(self, chat, user, fields, thread_id=None):
        message = self.service(chat, self.person(user), fields, thread_id)
        self.push("message", message.to_json(), ("chat", chat.id))
        return message

    # ---- what people do ----

    def add_thread(self, chat_id, name="Topic", user=None):
        """A forum topic made by a person; its message_thread_id.  With `user` the bot hears of it."""
        with self.lock:
            chat = self.add_chat(chat_id)
            chat.forum = True
            thread_id = self.new_topic(chat, name, self.person(user or 777000))
            if user is not None:
                self.push("message", chat.threads[thread_id]["root"].to_json(), ("chat", chat.id))
            return thread_id

    def topic_names(self, chat_id):
        """{thread id: name} of what is there now."""
        with self.lock:
            return {thread_id: thread["name"] for thread_id, thread in self.chats[chat_id].threads.items()}

    def topic_named(self, chat_id, name):
        """The thread id of the topic with this name; LookupError when there is none or more than one."""
        found = [thread_id for thread_id, own in self.topic_names(chat_id).items() if own == name]
        if len(found) != 1:
            raise LookupError("%d topics named %r in %r" % (len(found), name, self.topic_names(chat_id)))
        return found[0]

    def user_renames_topic(self, chat_id, thread_id, name, user=1):
        with self.lock:
            chat = self.chats[chat_id]
            chat.threads[thread_id]["name"] = name
            return self.say_service(chat, user, {"forum_topic_edited": {"name": name}}, thread_id)

    def user_closes_topic(self, chat_id, thread_id, user=1):
        with self.lock:
            self.chats[chat_id].threads[thread_id]["closed"] = True
            return self.say_service(self.chats[chat_id], user, {"forum_topic_closed": {}}, thread_id)

    def user_reopens_topic(self, chat_id, thread_id, user=1):
        with self.lock:
            self.chats[chat_id].threads[thread_id]["closed"] = False
            return self.say_service(self.chats[chat_id], user, {"forum_topic_reopened": {}}, thread_id)

    def user_deletes_topic(self, chat_id, thread_id):
        """Telegram says nothing of it; the next message there is refused."""
        with self.lock:
            chat = self.chats[chat_id]
            self.drop_topic(chat, chat.threads[thread_id])

    def user_replies(self, message, text, user=None, **more):
        """A reply to a message, in its chat and topic."""
        return self.user_says(message.chat.id, user, text, reply_to=message, thread_id=message.thread_id, **more)

    def anonymous_says(self, chat_id, text, **more):
        """An admin who hides behind the group."""
        chat = self.add_chat(chat_id)
        return self.user_says(chat_id, ANONYMOUS, text, sender_chat=chat.to_json(), **more)

    def channel_says(self, chat_id, text, channel_id=-1009999, **more):
        """A message in the name of a channel."""
        channel = {"id": channel_id, "type": "channel", "title": "Channel"}
        return self.user_says(chat_id, CHANNEL_BOT, text, sender_chat=channel, **more)

    # ---- what becomes of the bot ----

    def membership_changes(self, chat, user, change):
        with self.lock:
            old = self.membership(chat)
            change()
            new = self.membership(chat)
            if old != new:
                self.push("my_chat_member", {"chat": chat.to_json(), "from": self.person(user), "date": int(time.time()),
                                             "old_chat_member": old, "new_chat_member": new}, ("chat", chat.id))

    def demote_bot(self, chat_id, user=1, **rights):
        """No administrator any more; or with e.g. can_manage_topics=False one with less rights."""
        chat = self.chats[chat_id]
        self.membership_changes(chat, user, lambda: chat.__dict__.update(
            bot_admin=bool(rights), rights=dict(chat.rights, **rights) if rights else {}))

    def promote_bot(self, chat_id, user=1, **rights):
        chat = self.chats[chat_id]
        self.membership_changes(chat, user, lambda: chat.__dict__.update(bot_admin=True, rights=dict(ADMIN_RIGHTS, **rights)))

    def kick_bot(self, chat_id, user=1):
        chat = self.chats[chat_id]
        self.membership_changes(chat, user, lambda: chat.__dict__.update(blocked=True, bot_admin=False, rights={}))

    def readmit_bot(self, chat_id, user=1):
        chat = self.chats[chat_id]
        self.membership_changes(chat, user, lambda: chat.__dict__.update(blocked=False))

    def migrate_group(self, old_id, new_id, user=1, forum=False):
        """The group becomes a supergroup: a new chat with message ids of its own; the old one refuses."""
        with self.lock:
            old = self.chats[old_id]
            new = self.add_chat(new_id, "supergroup", old.title, forum)
            new.bot_admin, new.rights = old.bot_admin, dict(old.rights)
            old.migrated_to = new_id
            self.say_service(old, user, {"migrate_to_chat_id": new_id})
            self.say_service(new, user, {"migrate_from_chat_id": old_id})
            return new

    def user_makes_forum(self, chat_id, forum=True):
        """Topics switched on or off; Telegram says nothing, but chats in updates have is_forum from now on."""
        with self.lock:
            self.chats[chat_id].forum = forum
