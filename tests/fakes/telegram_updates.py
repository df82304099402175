# SPDX-License-Identifier: MIT
"""People and deliveries: updates made from what people do, and their way to the bot's webhook (one queue per chat, another
per user for taps, one update at a time in each, again with back-off until a 2xx) or into the list getUpdates reads."""
import json
import random
import re
import socket
import threading
import time
from collections import deque
from urllib.parse import urlsplit

from telegram_html import utf16_units
from telegram_state import Chat, Message

KEEP_SECONDS = {"callback_query": 150, "inline_query": 30}  # everything else: a day
DAY = 24 * 3600


class Query:
    """A tap on a button, until it is answered."""

    def __init__(self, query_id, message, user, data):
        self.id, self.message, self.user, self.data = query_id, message, user, data
        self.at = time.monotonic()
        self.answered, self.answer, self.alert = False, None, False


class Lane:
    """One queue of the server's; a thread delivers it while it holds something."""

    def __init__(self, key):
        self.key = key
        self.queue = deque()  # (update, expires at)
        self.busy = False


class Link:
    """A kept connection to the webhook."""

    def __init__(self):
        self.sock, self.reader, self.where = None, None, None

    def close(self):
        if self.sock:
            self.reader.close()
            self.sock.close()
            self.sock = None

    def post(self, url, body, headers, timeout):
        """(status, headers); raises OSError.  A kept connection that turns out closed is tried once more, anew."""
        kept = self.sock is not None
        try:
            return self.post_once(url, body, headers, timeout)
        except OSError:
            self.close()
            if not kept:
                raise
        return self.post_once(url, body, headers, timeout)

    def post_once(self, url, body, headers, timeout):
        parts = urlsplit(url)
        where = (parts.hostname, parts.port or 80)
        if self.sock is None or self.where != where:
            self.close()
            self.sock = socket.create_connection(where, timeout=timeout)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.reader, self.where = self.sock.makefile("rb"), where
        self.sock.settimeout(timeout)
        head = "POST %s HTTP/1.1\r\nHost: %s:%d\r\nContent-Type: application/json\r\nContent-Length: %d\r\n" % (
            parts.path or "/", where[0], where[1], len(body))
        head += "".join("%s: %s\r\n" % pair for pair in headers.items())
        self.sock.sendall(head.encode() + b"\r\n" + body)
        status, fields = read_head(self.reader)
        code = int(status.split(" ", 2)[1])
        length = int(fields.get("content-length", "0"))
        if fields.get("transfer-encoding", "").lower() == "chunked":
            while True:
                size = int(self.reader.readline().split(b";")[0] or b"0", 16)
                self.reader.read(size + 2)
                if size == 0:
                    break
        elif length and len(self.reader.read(length)) < length:
            raise OSError("connection closed inside the answer")
        if fields.get("connection", "").lower() == "close":
            self.close()
        return code, fields


def read_head(reader):
    line = reader.readline(65536)
    if not line:
        raise OSError("connection closed without an answer")
    fields = {}
    while True:
        field = reader.readline(65536)
        if field in (b"\r\n", b"\n", b""):
            return line.decode("latin-1").rstrip("\r\n"), fields
        name, _, value = field.decode("latin-1").partition(":")
        fields[name.strip().lower()] = value.strip()


def auto_entities(text):
    """Commands, mentions and links, found as Telegram's clients find them."""
    out = []
    for kind, pattern in (("bot_command", r"(?<![\w/])/[A-Za-z0-9_]{1,64}(?:@\w+)?"), ("mention", r"(?<!\w)@[A-Za-z]\w{3,31}"),
                          ("url", r"https?://\S+")):
        for found in re.finditer(pattern, text):
            out.append({"type": kind, "offset": utf16_units(text[:found.start()]), "length": utf16_units(found.group())})
    return sorted(out, key=lambda entity: entity["offset"])


class Updates:
    """A mixin of FakeTelegram: what people do."""

    def add_chat(self, chat_id, kind=None, title="", forum=False):
        """A chat the bot is in.  Without `kind`: private for a positive id, else a supergroup."""
        with self.lock:
            chat = self.chats.get(chat_id)
            if chat is None:
                kind = kind or ("private" if chat_id > 0 else "supergroup")
                chat = self.chats[chat_id] = Chat(chat_id, kind, title, forum)
            chat.forum = chat.forum or forum
            return chat

    def person(self, user, language_code="en", **fields):
        if isinstance(user, dict):
            return user
        return dict({"id": user, "is_bot": False, "first_name": "Person %d" % user, "language_code": language_code}, **fields)

    def user_says(self, chat, user=None, text=None, *, reply_to=None, thread_id=None, entities=None, caption=None,
                  language_code="en", photo=False, sticker=False, voice=False, audio=False, video=False, video_note=False,
                  document=None, location=None, contact=None, poll=None, forwarded=None, sender_chat=None, date=None,
                  via_bot=None, extra=None):
        """A message of a person; returns it.  `chat` and `user` are ids (`user` defaults to the private chat's person).
        photo, voice, … : True; document: a file name or (name, bytes); forwarded: the original author's name.  `extra` is
        merged into the message of the update."""
        with self.lock:
            chat = self.add_chat(chat)
            user = chat.id if user is None else user
            message = Message(chat, next(chat.ids), self.person(user, language_code), thread_id=thread_id)
            message.date = int(date or time.time())
            message.reply_to = self.message(chat.id, reply_to) if isinstance(reply_to, int) else reply_to
            kinds = dict(photo=photo, sticker=sticker, voice=voice, audio=audio, video=video, video_note=video_note,
                         document=document, location=location, contact=contact, poll=poll)
            message.extra = self.attachments(kinds)
            words = caption if message.extra else text
            message.entities = auto_entities(words or "") if entities is None else entities
            if message.extra:
                message.caption = caption
            else:
                message.text = text
            if forwarded:
                message.extra.update(forward_date=message.date - 3600, forward_origin={
                    "type": "hidden_user", "sender_user_name": str(forwarded), "date": message.date - 3600})
            if sender_chat:
                message.extra["sender_chat"] = sender_chat
            if via_bot:
                message.extra["via_bot"] = via_bot
            message.extra.update(extra or {})
            chat.messages[message.id] = message
            self.touch(message, new=True)
            self.push("message", message.to_json(), ("chat", chat.id))
            return message

    def attachments(self, kinds):
        """The fields of an update for what is attached."""
        out = {}
        if kinds["photo"]:
            out["photo"] = [dict(self.file(b"jpeg"), width=w, height=w) for w in (90, 320)]
        for name, fields in (("sticker", {"width": 512, "height": 512, "type": "regular", "is_animated": False,
                                          "is_video": False, "emoji": "🙂"}),
                             ("voice", {"duration": 3, "mime_type": "audio/ogg"}),
                             ("audio", {"duration": 60, "mime_type": "audio/mpeg", "title": "Song"}),
                             ("video", {"duration": 5, "width": 640, "height": 480}),
                             ("video_note", {"duration": 5, "length": 240})):
            if kinds[name]:
                content = kinds[name] if isinstance(kinds[name], bytes) else name.encode()
                out[name] = dict(self.file(content), **fields)
        if kinds["document"]:
            name, content = kinds["document"] if isinstance(kinds["document"], tuple) else (kinds["document"], b"content")
            out["document"] = dict(self.file(content, name), file_name=name, mime_type="application/octet-stream")
        if kinds["location"]:
            out["location"] = kinds["location"] if isinstance(kinds["location"], dict) else {"latitude": 52.5, "longitude": 13.4}
        if kinds["contact"]:
            out["contact"] = {"phone_number": "+10000000000", "first_name": "Somebody"}
        if kinds["poll"]:
            out["poll"] = {"id": "1", "question": "?", "options": [], "total_voter_count": 0, "is_closed": False,
                           "is_anonymous": True, "type": "regular", "allows_multiple_answers": False}
        return out

    def file(self, content, name="file"):
        file_id = self.store_file(content, name)
        return {"file_id": file_id, "file_unique_id": "u" + file_id, "file_size": len(content)}

    def user_edits(self, message, text):
        with self.lock:
            message.edits.append({"text": message.text, "at": time.time()})
            if message.text is not None:
                message.text = text
            else:
                message.caption = text
            message.entities = auto_entities(text)
            self.touch(message, new=False)
            self.push("edited_message", message.to_json(), ("chat", message.chat.id))

    def user_taps(self, message, button=0, user=None, inaccessible=False):
        """A tap on a button: by its text, a part of it, its callback_data, or its index.  Returns the Query."""
        with self.lock:
            flat = [one for row in message.keyboard for one in row]
            data = self.button_data(flat, button)
            user = self.person(message.chat.id if user is None else user)
            query = Query(str(7000000000000000000 + next(self.query_ids)), message, user, data)
            self.queries[query.id] = query
            shown = message.to_json()
            if inaccessible:
                shown = {"message_id": message.id, "chat": message.chat.to_json(), "date": 0}
            self.push("callback_query", {"id": query.id, "from": user, "message": shown, "data": data,
                                         "chat_instance": str(message.chat.id * 7919)}, ("tap", user["id"]))
            return query

    @staticmethod
    def button_data(flat, button):
        if isinstance(button, int):
            return flat[button]["callback_data"]
        for test in (lambda one: one["text"] == button, lambda one: one.get("callback_data") == button,
                     lambda one: button in one["text"]):
            for one in flat:
                if test(one) and "callback_data" in one:
                    return one["callback_data"]
        raise LookupError("no button %r among %r" % (button, [one["text"] for one in flat]))

    def push(self, kind, content, key):
        """A new update of `kind`; nothing when the bot did not ask for that kind."""
        with self.lock:
            if not self.allowed(kind):
                return None
            update = {"update_id": next(self.update_ids), kind: content}
            self.push_update(update, key)
            return update

    # ---- the queues: ("chat", id) for messages, ("tap", user) for callbacks ----

    def hold(self, kind, key=None):
        """Queues of this kind ("chat" or "tap"; of one chat or user, or all) stand still until release()."""
        with self.lock:
            self.holds.add((kind, key))

    def release(self, kind, key=None):
        with self.lock:
            self.holds.discard((kind, key))
            self.changed.notify_all()

    def is_held(self, key):
        return (key[0], None) in self.holds or tuple(key) in self.holds

    def held(self, kind="tap"):
        """The updates that wait in held queues of this kind, in order."""
        with self.lock:
            return [update for update_id, update in self.pending.items()
                    if self.keys[update_id][0] == kind and self.is_held(self.keys[update_id])]

    def redeliver(self, update):
        """An update a second time, as Telegram does when it has lost our answer; beside the queues."""
        with self.lock:
            if not self.webhook["url"]:
                self.pending[update["update_id"]] = update
                self.changed.notify_all()
                return None
            url, secret = self.webhook["url"], self.webhook["secret"]
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret else {}
        body = json.dumps(update, ensure_ascii=False).encode("utf-8", "surrogatepass")
        return self.post_update(url, body, headers, update)[0]

    def ready_updates(self):
        return [update for update_id, update in self.pending.items() if not self.is_held(self.keys[update_id])]

    def push_update(self, update, key=("chat", 0)):
        """An update exactly as given."""
        with self.lock:
            kind = next((name for name in update if name != "update_id"), "")
            self.pushed.append(update)
            self.keys[update["update_id"]] = key
            self.pending[update["update_id"]] = update
            if self.webhook["url"]:
                self.enqueue(update, kind, key)
            else:
                self.unqueued.append((update, kind, key))
            self.changed.notify_all()

    # ---- delivery ----

    def enqueue(self, update, kind, key):
        expires = time.monotonic() + KEEP_SECONDS.get(kind, DAY) / self.delivery_scale
        lane = self.lanes.setdefault(key, Lane(key))
        lane.queue.append((update, expires))
        if not lane.busy:
            lane.busy = True
            self.pool.submit(self.deliver_lane, lane)

    def start_deliveries(self):
        waiting, self.unqueued = self.unqueued, []
        for update, kind, key in waiting:
            self.enqueue(update, kind, key)

    def stop_deliveries(self):
        for key, lane in self.lanes.items():
            self.unqueued.extend((update, "", key) for update, _ in lane.queue)
            lane.queue.clear()

    def drop_pending(self):
        self.pending.clear()
        self.unqueued.clear()
        for lane in self.lanes.values():
            lane.queue.clear()

    def pending_count(self):
        return len(self.pending)

    def deliver_lane(self, lane):
        if self.reorder:  # queues are independent: any of them may be the slow one
            time.sleep(random.random() * self.reorder)
        failures = 0
        while True:
            with self.lock:
                self.changed.wait_for(lambda: not self.is_held(lane.key) or self.stopping)
                if not lane.queue or self.stopping or not self.webhook["url"]:
                    lane.busy = False
                    return
                update, expires = lane.queue[0]
                if time.monotonic() > expires:  # it stood still for too long
                    lane.queue.popleft()
                    self.pending.pop(update["update_id"], None)
                    self.dropped.append(update)
                    self.changed.notify_all()
                    continue
                url, secret = self.webhook["url"], self.webhook["secret"]
            delay = self.delivery_delay + self.delays.get(lane.key[0], 0)
            if delay:
                time.sleep(delay)
            done, wait = self.attempt(url, secret, update, failures)
            if not done:
                failures += 1
                if time.monotonic() + wait < expires:
                    self.nap(wait)
                    continue
                self.dropped.append(update)
            failures = 0
            with self.lock:
                if lane.queue and lane.queue[0][0] is update:
                    lane.queue.popleft()
                self.pending.pop(update["update_id"], None)
                self.changed.notify_all()

    def nap(self, seconds):
        with self.lock:
            self.changed.wait_for(lambda: self.stopping, seconds)

    def attempt(self, url, secret, update, failures):
        """(taken, seconds until the next try)"""
        body = json.dumps(update, ensure_ascii=False).encode("utf-8", "surrogatepass")
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret else {}
        twice = random.random() < self.duplicate
        if twice and random.random() < 0.5:  # the copy travels beside the original
            self.pool.submit(self.post_update, url, body, headers, update)
            twice = False
        code, fields, error = self.post_update(url, body, headers, update)
        if 200 <= code < 300:
            if twice:
                self.post_update(url, body, headers, update)
            return True, 0
        with self.lock:
            self.webhook.update(error=error or "Wrong response from the webhook: %d" % code, error_at=time.time())
        back_off = 0 if failures == 0 else min(2 ** (failures - 1), 60 + 60 * random.random())
        after = fields.get("retry-after", "")
        if after.isdigit():
            back_off = min(int(after), 3600)
        return False, back_off / self.delivery_scale

    def post_update(self, url, body, headers, update):
        link = self.links.pop() if self.links else Link()
        error, code, fields = "", 0, {}
        try:
            code, fields = link.post(url, body, headers, self.delivery_timeout)
            self.links.append(link)
        except (OSError, ValueError, IndexError) as failure:
            link.close()
            error = "Connection failed: %s" % failure
        self.deliveries.append({"update_id": update["update_id"], "code": code, "at": time.time(), "error": error})
        return code, fields, error


class Pool:
    """Threads that come when needed, at most `size`, and end with stop()."""

    def __init__(self, size):
        self.size, self.idle = size, 0
        self.work, self.threads, self.stopped = deque(), [], False
        self.ready = threading.Condition()

    def submit(self, fn, *args):
        with self.ready:
            self.work.append((fn, args))
            if self.idle < len(self.work) and len(self.threads) < self.size:
                thread = threading.Thread(target=self.run, daemon=True)
                self.threads.append(thread)
                thread.start()
            self.ready.notify()

    def run(self):
        while True:
            with self.ready:
                self.idle += 1
                while not self.work and not self.stopped:
                    self.ready.wait()
                self.idle -= 1
                if self.stopped:
                    return
                fn, args = self.work.popleft()
            fn(*args)

    def stop(self):
        with self.ready:
            self.stopped = True
            self.ready.notify_all()
