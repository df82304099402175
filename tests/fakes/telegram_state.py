# SPDX-License-Identifier: MIT
"""What the fake Telegram knows: chats, messages as a person sees them, and the checks every argument goes through."""
import itertools
import json
import re
import time

import telegram_html
from telegram_html import utf16_units

TEXT_UNITS_MAX = 4096
TEXT_BYTES_MAX = 32768
CAPTION_UNITS_MAX = 1024


class Refused(Exception):
    """An error answer."""

    def __init__(self, code, description, **parameters):
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters


def bad(description, **parameters):
    return Refused(400, "Bad Request: " + description, **parameters)


class Message:
    """One message of a chat.  `text` is what the person reads; `html` is what was sent."""

    def __init__(self, chat, message_id, sender, **fields):
        self.chat, self.id, self.sender = chat, message_id, sender
        self.date = int(time.time())
        self.text = self.caption = self.html = None
        self.entities, self.keyboard, self.edits = [], [], []
        self.reply_to = self.thread_id = self.document = None
        self.silent = self.deleted = self.service = False
        self.force_reply = None  # the markup, when the bot asked for a reply
        self.extra = {}  # photo, voice, forward_origin … as they stand in an update
        self.seq = 0     # grows with everything that happens in any chat
        self.changed_seq = 0
        self.reaction = None
        self.__dict__.update(fields)

    @property
    def from_bot(self):
        return bool(self.sender.get("is_bot")) and "sender_chat" not in self.extra

    def topic_root(self):
        """What every message of a topic replies to when it replies to nothing."""
        thread = self.chat.threads.get(self.thread_id)
        return thread["root"] if thread and thread["root"] is not self else None

    @property
    def buttons(self):
        """Button texts, in reading order."""
        return [button["text"] for row in self.keyboard for button in row]

    def to_json(self, nested=True):
        out = {"message_id": self.id, "from": self.sender, "chat": self.chat.to_json(), "date": self.date}
        if self.thread_id:
            out.update(message_thread_id=self.thread_id, is_topic_message=True)
        if self.text is not None:
            out["text"] = self.text
            if self.entities:
                out["entities"] = self.entities
        if self.caption is not None:
            out["caption"] = self.caption
            if self.entities:
                out["caption_entities"] = self.entities
        if self.document:
            out["document"] = {k: v for k, v in self.document.items() if k != "content"}
        if self.keyboard:
            out["reply_markup"] = {"inline_keyboard": self.keyboard}
        if self.edits:
            out["edit_date"] = int(time.time())
        reply_to = self.reply_to or self.topic_root()
        if reply_to and nested:
            out["reply_to_message"] = reply_to.to_json(nested=False)
        out.update(self.extra)
        return out

    def summary(self):
        """For the control routes."""
        return {"message_id": self.id, "chat_id": self.chat.id, "from_bot": self.from_bot, "text": self.text,
                "caption": self.caption, "html": self.html, "entities": self.entities, "keyboard": self.keyboard,
                "buttons": self.buttons, "edits": len(self.edits), "thread_id": self.thread_id, "deleted": self.deleted,
                "silent": self.silent, "reply_to": self.reply_to.id if self.reply_to else None, "seq": self.seq,
                "document": self.document and self.document["file_name"]}

    def __repr__(self):
        return "<Message %s/%s %s: %r %s>" % (self.chat.id, self.id, "bot" if self.from_bot else "user",
                                              self.text if self.text is not None else self.caption, self.buttons)


class Chat:
    def __init__(self, chat_id, kind, title="", forum=False):
        self.id, self.type, self.title, self.forum = chat_id, kind, title, forum
        self.messages = {}
        self.threads = {}      # id → {"id", "name", "closed", "root"}
        self.blocked = False   # the person blocked the bot, or the group kicked it
        self.muted = False     # the bot may not write here
        self.bot_admin = kind != "private"
        self.rights = {"can_manage_topics": True, "can_delete_messages": True} if self.bot_admin else {}
        self.migrated_to = None
        self.ids = itertools.count(abs(chat_id) % 89 + 11)  # chats do not share message ids

    def to_json(self):
        if self.type == "private":
            return {"id": self.id, "type": "private", "first_name": self.title or "Person"}
        out = {"id": self.id, "type": self.type, "title": self.title or "Group"}
        if self.forum:
            out["is_forum"] = True
        return out


# ---- arguments ----

def integer(params, name, required=False):
    value = params.get(name)
    if isinstance(value, str) and re.fullmatch(r"-?\d+", value):
        value = int(value)
    if value is None or value == "":
        if required:
            raise bad("%s is not specified" % name)
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise bad('field "%s" must be a valid Number' % name)
    return value


def flag(params, name):
    value = params.get(name)
    if value in (None, False, True):
        return bool(value)
    if isinstance(value, str):
        return value.lower() in ("true", "yes", "1")
    raise bad('field "%s" must be of type Boolean' % name)


def structure(params, name, kind, what):
    """An object or array: as JSON, or as a string that holds it (forms)."""
    value = params.get(name)
    if isinstance(value, str) and value:
        try:
            value = json.loads(value)
        except ValueError:
            raise bad("can't parse %s JSON object" % what)
    if value in (None, ""):
        return None
    if not isinstance(value, kind):
        raise bad("%s expected for %s" % ("Object" if kind is dict else "Array", what))
    return value


def formatted(params, field, entities_field, units_max, empty_ok=False):
    """(plain text, entities, source) after Telegram's checks."""
    text = params.get(field)
    if text is not None and not isinstance(text, str):
        raise bad('field "%s" must be of type String' % field)
    text = text or ""
    try:
        raw = text.encode("utf-8")
    except UnicodeEncodeError:
        raise bad("strings must be encoded in UTF-8")
    if len(raw) > TEXT_BYTES_MAX:
        raise bad("text is too long" if field == "text" else "message caption is too long")
    mode = params.get("parse_mode") or ""
    entities = structure(params, entities_field, list, "entities") or []
    plain = text
    if mode.lower() == "html":
        try:
            plain, entities = telegram_html.parse(text)
        except telegram_html.Refused as refused:
            raise bad("can't parse entities: %s" % refused)
    elif mode:
        raise bad("unsupported parse_mode")
    check_entities(plain, entities)
    cleaned = plain.replace("\r", "").rstrip()
    lead = len(cleaned) - len(cleaned.lstrip())
    entities = shift(entities, lead, utf16_units(cleaned[lead:]))
    cleaned = cleaned[lead:]
    if not cleaned and not empty_ok:
        raise bad("message text is empty")
    if utf16_units(cleaned) > units_max:
        raise bad("message is too long" if field == "text" else "message caption is too long")
    return cleaned, entities, text


def check_entities(plain, entities):
    units = utf16_units(plain)
    for entity in entities:
        if not isinstance(entity, dict) or not isinstance(entity.get("offset"), int) or "type" not in entity:
            raise bad("can't parse entities: expected an Object with type, offset, length")
        if entity["offset"] < 0 or entity.get("length", 0) <= 0 or entity["offset"] + entity["length"] > units:
            raise bad("ENTITY_BOUNDS_INVALID")


def shift(entities, lead, units):
    """Entities after `lead` leading spaces and everything after `units` were cut away."""
    out = []
    for entity in entities:
        start = max(0, entity["offset"] - lead)
        end = min(units, entity["offset"] + entity["length"] - lead)
        if end > start:
            out.append(dict(entity, offset=start, length=end - start))
    return out


def keyboard(params):
    """The inline keyboard's rows; None when reply_markup is absent; [] for other markups."""
    markup = structure(params, "reply_markup", dict, "reply keyboard markup")
    if markup is None:
        return None
    if "inline_keyboard" not in markup:
        if not {"keyboard", "remove_keyboard", "force_reply"} & set(markup):
            raise bad("object expected as reply markup")
        return []
    rows = markup["inline_keyboard"]
    if not isinstance(rows, list):
        raise bad('field "inline_keyboard" must be of type Array')
    out = []
    for row in rows:
        if not isinstance(row, list):
            raise bad("can't parse inline keyboard: button rows must be Arrays")
        if row:
            out.append([button_checked(button) for button in row])
    if sum(map(len, out)) > 100:
        raise bad("reply markup is too long")
    return out


def force_reply(params):
    """The markup when it asks for a reply, else None."""
    markup = structure(params, "reply_markup", dict, "reply keyboard markup") or {}
    if not flag(markup, "force_reply"):
        return None
    if len(markup.get("input_field_placeholder") or "") > 64:
        raise bad("input field placeholder is too long")
    return markup


ACTIONS = ("url", "callback_data", "web_app", "login_url", "switch_inline_query", "switch_inline_query_current_chat",
           "switch_inline_query_chosen_chat", "copy_text", "callback_game", "pay")


def button_checked(button):
    where = "can't parse inline keyboard button: "
    if not isinstance(button, dict):
        raise bad(where + "expected an Object")
    if not isinstance(button.get("text"), str):
        raise bad(where + 'can\'t find field "text"')
    if not button["text"].strip():
        raise bad("inline keyboard button text must be non-empty")
    actions = [action for action in ACTIONS if action in button]
    if not actions:
        raise bad(where + "text buttons are unallowed in the inline keyboard")
    if len(actions) > 1:
        raise bad(where + "exactly one optional field must be used")
    if button.get("style") not in (None, "danger", "success", "primary"):
        raise bad(where + "invalid button style specified")
    if "callback_data" in button:
        data = button["callback_data"]
        if not isinstance(data, str) or not 1 <= len(data.encode("utf-8")) <= 64:
            raise bad("BUTTON_DATA_INVALID")
    return dict(button)


KNOWN_ARGUMENTS = {
    "sendmessage": "chat_id message_thread_id text parse_mode entities link_preview_options disable_notification "
                   "protect_content reply_parameters reply_markup message_effect_id",
    "editmessagetext": "chat_id message_id inline_message_id text parse_mode entities link_preview_options reply_markup",
    "editmessagereplymarkup": "chat_id message_id inline_message_id reply_markup",
    "answercallbackquery": "callback_query_id text show_alert url cache_time",
    "senddocument": "chat_id message_thread_id document thumbnail caption parse_mode caption_entities "
                    "disable_content_type_detection disable_notification protect_content reply_parameters reply_markup",
    "sendchataction": "chat_id message_thread_id action",
    "getupdates": "offset limit timeout allowed_updates",
    "setwebhook": "url certificate ip_address max_connections allowed_updates drop_pending_updates secret_token",
    "deletewebhook": "drop_pending_updates",
    "setmycommands": "commands scope language_code",
    "createforumtopic": "chat_id name icon_color icon_custom_emoji_id",
    "editforumtopic": "chat_id message_thread_id name icon_custom_emoji_id",
    "closeforumtopic": "chat_id message_thread_id",
    "reopenforumtopic": "chat_id message_thread_id",
    "deleteforumtopic": "chat_id message_thread_id",
}
