# SPDX-License-Identifier: MIT
"""The Bot API's methods, as the fake answers them.  A mixin of FakeTelegram: every method runs with its lock held, takes
the arguments as a dict and returns the result or raises Refused."""
import re
import time

from telegram_html import utf16_units
from telegram_state import (CAPTION_UNITS_MAX, TEXT_UNITS_MAX, Message, Refused, bad, flag, force_reply, formatted, integer,
                            keyboard, structure)

UPDATE_KINDS = ("message edited_message channel_post edited_channel_post business_connection business_message "
                "edited_business_message deleted_business_messages message_reaction message_reaction_count inline_query "
                "chosen_inline_result callback_query shipping_query pre_checkout_query purchased_paid_media poll poll_answer "
                "my_chat_member chat_member chat_join_request chat_boost removed_chat_boost "
                "stopped_message_generation").split()
NOT_BY_DEFAULT = {"chat_member", "message_reaction", "message_reaction_count"}
CHAT_ACTIONS = ("typing upload_photo record_video upload_video record_voice upload_voice upload_document choose_sticker "
                "find_location record_video_note upload_video_note").split()
REACTIONS = set("👍👎❤🔥🥰👏😁🤔🤯😱🤬😢🎉🤩🤮💩🙏👌🕊🤡🥱🥴😍🐳🌚🌭💯🤣⚡🍌🏆💔🤨😐🍓🍾💋🖕😈😴😭🤓👻👀🎃🙈😇😨🤝✍🤗🫡🎅🎄☃💅🤪🗿🆒💘🙉🦄😘💊🙊😎👾🤷😡")
QUERY_TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
DOCUMENT_BYTES_MAX = 50 * 1000 * 1000


class Methods:
    """method_<lower-case name>(params)"""

    # ---- finding things ----

    def chat_of(self, params):
        value = params.get("chat_id")
        if isinstance(value, str) and value.startswith("@"):
            raise bad("chat not found")
        if value in (None, ""):
            raise bad("chat_id is empty")
        chat = self.chats.get(integer(params, "chat_id"))
        if chat is None:
            raise bad("chat not found")
        if chat.migrated_to:
            raise bad("group chat was upgraded to a supergroup chat", migrate_to_chat_id=chat.migrated_to)
        if chat.blocked:
            raise Refused(403, "Forbidden: bot was blocked by the user" if chat.type == "private" else
                          "Forbidden: bot was kicked from the %s chat" % chat.type)
        return chat

    def thread_of(self, params, chat):
        thread_id = integer(params, "message_thread_id")
        if not thread_id:
            return None
        thread = chat.threads.get(thread_id)
        if thread is None:
            raise bad("message thread not found")
        if thread["closed"]:
            raise bad("TOPIC_CLOSED")
        return thread_id

    def reply_of(self, params, chat):
        reply = structure(params, "reply_parameters", dict, "reply parameters")
        if reply is None and params.get("reply_to_message_id"):
            reply = {"message_id": integer(params, "reply_to_message_id"),
                     "allow_sending_without_reply": flag(params, "allow_sending_without_reply")}
        if not reply:
            return None
        message = chat.messages.get(integer(reply, "message_id", required=True))
        if message is None or message.deleted:
            if not flag(reply, "allow_sending_without_reply"):
                raise bad("message to be replied not found")
            return None
        return message

    def own_message(self, params):
        chat = self.chat_of(params)
        message = chat.messages.get(integer(params, "message_id", required=True))
        if message is None or message.deleted:
            raise bad("message to edit not found")
        if not message.from_bot:
            raise bad("message can't be edited")
        return message

    # ---- messages ----

    def method_sendmessage(self, params):
        chat = self.chat_of(params)
        text, entities, source = formatted(params, "text", "entities", TEXT_UNITS_MAX)
        structure(params, "link_preview_options", dict, "link preview options")
        message = self.prepare(params, chat, text=text, entities=entities, html=source)
        return self.post(message)

    def prepare(self, params, chat, **fields):
        """A checked message of the bot that is not in its chat yet."""
        if chat.muted:
            raise bad("not enough rights to send text messages to the chat")
        return Message(chat, 0, self.me(), keyboard=keyboard(params) or [], thread_id=self.thread_of(params, chat),
                       force_reply=force_reply(params),
                       reply_to=self.reply_of(params, chat), silent=flag(params, "disable_notification"), **fields)

    def post(self, message):
        self.limit(message.chat.id, message=True)
        message.id = next(message.chat.ids)
        message.chat.messages[message.id] = message
        self.touch(message, new=True)
        return message.to_json()

    def method_senddocument(self, params):
        chat = self.chat_of(params)
        caption, entities, source = formatted(params, "caption", "caption_entities", CAPTION_UNITS_MAX, empty_ok=True)
        document = params.get("document")
        if not document:
            raise bad("there is no document in the request")
        if isinstance(document, str):
            raise bad("wrong file identifier/HTTP URL specified")
        if not document["content"]:
            raise bad("file must be non-empty")
        if len(document["content"]) > DOCUMENT_BYTES_MAX:
            raise Refused(413, "Request Entity Too Large")
        file_id = self.store_file(document["content"], document["filename"])
        message = self.prepare(params, chat, caption=caption or None, entities=entities, html=source, document={
            "file_id": file_id, "file_unique_id": "u" + file_id, "file_name": document["filename"],
            "mime_type": document["content_type"], "file_size": len(document["content"]), "content": document["content"]})
        return self.post(message)

    def method_editmessagetext(self, params):
        text, entities, source = formatted(params, "text", "entities", TEXT_UNITS_MAX)
        message = self.own_message(params)
        if message.text is None:
            raise bad("there is no text in the message to edit")
        rows = keyboard(params) or []
        return self.edit(message, text=text, entities=entities, html=source, keyboard=rows)

    def method_editmessagecaption(self, params):
        caption, entities, source = formatted(params, "caption", "caption_entities", CAPTION_UNITS_MAX, empty_ok=True)
        message = self.own_message(params)
        return self.edit(message, caption=caption or None, entities=entities, html=source,
                         keyboard=keyboard(params) or [])

    def method_editmessagereplymarkup(self, params):
        return self.edit(self.own_message(params), keyboard=keyboard(params) or [])

    def edit(self, message, **changes):
        now = {k: v for k, v in changes.items() if k != "html"}
        if all(getattr(message, name) == value for name, value in now.items()):
            raise bad("message is not modified: specified new message content and reply markup are exactly the same as a "
                      "current content and reply markup of the message")
        self.limit(message.chat.id, message=False)
        message.edits.append({"text": message.text, "caption": message.caption, "keyboard": message.keyboard,
                              "at": time.time()})
        message.__dict__.update(changes)
        self.touch(message, new=False)
        return message.to_json()

    def method_deletemessage(self, params):
        chat = self.chat_of(params)
        message = chat.messages.get(integer(params, "message_id", required=True))
        if message is None or message.deleted:
            raise bad("message to delete not found")
        message.deleted = True
        self.touch(message, new=False)
        return True

    def method_setmessagereaction(self, params):
        chat = self.chat_of(params)
        message = chat.messages.get(integer(params, "message_id", required=True))
        if message is None or message.deleted:
            raise bad("message to react not found")
        reactions = structure(params, "reaction", list, "reaction types") or []
        if len(reactions) > 1:
            raise bad("REACTIONS_TOO_MANY")
        if reactions and reactions[0].get("emoji", "").rstrip("\ufe0f") not in REACTIONS:
            raise bad("REACTION_INVALID")
        message.reaction = reactions[0]["emoji"] if reactions else None
        self.touch(message, new=False)
        return True

    def method_sendchataction(self, params):
        chat = self.chat_of(params)
        self.thread_of(params, chat)
        if params.get("action") not in CHAT_ACTIONS:
            raise bad("wrong parameter action in request")
        self.actions.append({"chat_id": chat.id, "action": params["action"], "at": time.time()})
        return True

    def method_answercallbackquery(self, params):
        query = self.queries.get(str(params.get("callback_query_id")))
        text = params.get("text") or ""
        if len(text) > 200:
            raise bad("MESSAGE_TOO_LONG")
        if query is None or query.answered or time.monotonic() - query.at > self.query_seconds:
            raise bad(QUERY_TOO_OLD)
        query.answered, query.answer, query.alert = True, text, flag(params, "show_alert")
        self.changed.notify_all()
        return True

    # ---- the bot and its updates ----

    def method_getme(self, params):
        return dict(self.me(), can_join_groups=True, can_read_all_group_messages=False, supports_inline_queries=False)

    def method_setwebhook(self, params):
        url = params.get("url") or ""
        if not url:
            return self.method_deletewebhook(params)
        if self.require_https and not url.startswith("https://"):
            raise bad("bad webhook: An HTTPS URL must be provided for webhook")
        if not re.match(r"https?://[^/\s]+", url):
            raise bad("bad webhook: invalid webhook URL specified")
        secret = params.get("secret_token") or ""
        if len(secret) > 256:
            raise bad("secret token is too long")
        if not re.fullmatch(r"[A-Za-z0-9_-]*", secret):
            raise bad("secret token contains unallowed characters")
        connections = integer(params, "max_connections")
        if connections is not None and not 1 <= connections <= 100:
            raise bad("max_connections must be 1 to 100")
        if self.limits.on and time.monotonic() - self.webhook["set_at"] < 1:
            raise Refused(429, "Too Many Requests: retry after 1", retry_after=1)
        self.set_allowed_updates(params)
        if flag(params, "drop_pending_updates"):
            self.drop_pending()
        same = url == self.webhook["url"]
        self.webhook.update(url=url, secret=secret, max_connections=connections or 40, set_at=time.monotonic())
        self.start_deliveries()
        self.changed.notify_all()
        return ("Webhook is already set" if same else "Webhook was set"), True

    def method_deletewebhook(self, params):
        had = bool(self.webhook["url"])
        if flag(params, "drop_pending_updates"):
            self.drop_pending()
        self.webhook.update(url="", secret="")
        self.stop_deliveries()
        self.changed.notify_all()
        return ("Webhook was deleted" if had else "Webhook is already deleted"), True

    def set_allowed_updates(self, params):
        kinds = structure(params, "allowed_updates", list, "allowed updates")
        if kinds is None:
            return
        unknown = [kind for kind in kinds if kind not in UPDATE_KINDS]
        if unknown:
            raise bad("can't parse allowed updates: %s" % unknown[0])
        self.allowed_updates = list(kinds)

    def allowed(self, kind):
        if not self.allowed_updates:
            return kind not in NOT_BY_DEFAULT
        return kind in self.allowed_updates

    def method_getwebhookinfo(self, params):
        info = {"url": self.webhook["url"], "has_custom_certificate": False, "pending_update_count": self.pending_count()}
        if self.webhook["url"]:
            info["max_connections"] = self.webhook["max_connections"]
            info["ip_address"] = "127.0.0.1"
        if self.webhook["error"]:
            info.update(last_error_date=int(self.webhook["error_at"]), last_error_message=self.webhook["error"])
        if self.allowed_updates:
            info["allowed_updates"] = self.allowed_updates
        return info

    def method_getupdates(self, params):
        offset = integer(params, "offset") or 0
        limit = integer(params, "limit")
        limit = 100 if limit is None else max(1, min(100, limit))
        timeout = min(50, integer(params, "timeout") or 0)
        if self.webhook["url"]:
            raise Refused(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the "
                               "webhook first")
        self.set_allowed_updates(params)
        self.poll_turn += 1
        turn = self.poll_turn
        self.changed.notify_all()  # a poll already waiting is terminated
        deadline = time.monotonic() + timeout
        if offset < 0:
            offset = min(list(self.pending)[offset:], default=0)
        for update_id in [one for one in self.pending if one < offset]:
            del self.pending[update_id]
        while True:
            if self.poll_turn != turn:
                raise Refused(409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is "
                                   "running")
            if self.webhook["url"]:
                raise Refused(409, "Conflict: terminated by setWebhook request")
            left = deadline - time.monotonic()
            ready = self.ready_updates()
            if ready or left <= 0 or self.stopping:
                return ready[:limit]
            self.changed.wait(left)

    def method_setmycommands(self, params):
        commands = structure(params, "commands", list, "commands")
        if commands is None:
            raise bad("parameter \"commands\" is required")
        if len(commands) > 100:
            raise bad("BOT_COMMANDS_TOO_MUCH")
        for command in commands:
            if not isinstance(command, dict) or not re.fullmatch(r"[a-z0-9_]{1,32}", str(command.get("command", ""))):
                raise bad("BOT_COMMAND_INVALID")
            if not 1 <= utf16_units(str(command.get("description", ""))) <= 256:
                raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
        self.commands = commands
        return True

    def method_getmycommands(self, params):
        return self.commands

    def method_deletemycommands(self, params):
        self.commands = []
        return True

    def method_getchat(self, params):
        return self.chat_of(params).to_json()

    # ---- files ----

    def method_getfile(self, params):
        file = self.files.get(params.get("file_id"))
        if file is None:
            raise bad("invalid file_id")
        if len(file["content"]) > 20 * 1000 * 1000:
            raise bad("file is too big")
        return {"file_id": params["file_id"], "file_unique_id": "u" + params["file_id"], "file_size": len(file["content"]),
                "file_path": file["path"]}
