# SPDX-License-Identifier: MIT
"""quick_telegram: a Bot API that answers at once and keeps nothing, and people and agents who use it; for soak.py.

The strict fake (tests/fakes/telegram.py) remembers every call; here a hundred thousand pass.  One thread, asyncio."""
import asyncio
import json

PATIENCE_S = 300  # half a core, and perhaps a busy machine: nothing here is timed, a lost answer ends the soak


async def read_message(reader):
    """(first line, headers, body) of an HTTP message; None at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    lines = head[:-4].decode("latin-1").split("\r\n")
    headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
    body = b""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        while True:
            size = int(await reader.readline(), 16)
            body += (await reader.readexactly(size + 2))[:-2]
            if size == 0:
                break
    elif "content-length" in headers:
        body = await reader.readexactly(int(headers["content-length"]))
    return lines[0], headers, body


class Line:
    """One kept-alive connection to steward."""

    def __init__(self, port):
        self.port, self.reader, self.writer = port, None, None

    async def call(self, method, path, body=None, headers=None):
        """(status, body).  A connection that steward closed while it was idle is opened again, once."""
        data = b"" if body is None else json.dumps(body).encode()
        head = "".join(f"{k}: {v}\r\n" for k, v in {"Host": "localhost", "Content-Type": "application/json",
                                                   "Content-Length": len(data), **(headers or {})}.items())
        for attempt in (0, 1):
            fresh = self.writer is None
            if fresh:
                self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
            try:
                self.writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + data)
                answer = await asyncio.wait_for(read_message(self.reader), PATIENCE_S)
            except ConnectionError:
                answer = None
            if answer:
                if answer[1].get("connection", "").lower() == "close":
                    self.close()
                return int(answer[0].split()[1]), answer[2]
            self.close()
            if fresh or attempt:
                raise ConnectionError(f"{method} {path}: no answer")

    def close(self):
        if self.writer:
            self.writer.close()
        self.reader = self.writer = None


class Message:
    """What a chat shows: enough to tap."""

    def __init__(self, message_id, chat, params):
        self.id, self.chat = message_id, chat
        self.show(params)

    def show(self, params):
        self.text = params.get("text", "")
        rows = (params.get("reply_markup") or {}).get("inline_keyboard") or []
        self.buttons = {b["text"]: b["callback_data"] for row in rows for b in row}

    def data(self, label):
        found = [d for text, d in self.buttons.items() if label in text]
        assert found, f"no button {label!r} in {self.buttons} of {self.text!r}"
        return found[0]


class QuickTelegram:
    def __init__(self, secret):
        self.secret = secret
        self.webhook, self.kinds = "", []
        self.inboxes = {}  # chat → queue of the bot's new messages
        self.taps = {}     # callback id → future
        self.edits = {}    # (chat, message id) → message whose edits matter
        self.message_ids, self.update_ids = 0, 0
        self.calls, self.again = 0, 0  # requests; messages that say they are sent again
        self.server, self.links = None, set()

    async def start(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

    def close(self):
        self.server.close()
        for link in self.links:
            link.cancel()

    async def serve(self, reader, writer):
        self.links.add(asyncio.current_task())
        try:
            while (request := await read_message(reader)) is not None:
                body = json.dumps(self.answer(request[0].split()[1].rsplit("/", 1)[1], json.loads(request[2] or b"{}"))).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        except ConnectionError:
            pass
        finally:
            self.links.discard(asyncio.current_task())
            writer.close()

    def answer(self, method, params):
        self.calls += 1
        if method == "createForumTopic":
            return {"ok": False, "error_code": 400, "description": "Bad Request: the chat is not a forum"}
        return {"ok": True, "result": getattr(self, method, lambda p: True)(params)}

    # ---- methods, by their names ----

    def getMe(self, params):
        return {"id": 1, "is_bot": True, "first_name": "Soak", "username": "soak_bot"}

    def getChat(self, params):
        return {"id": params["chat_id"], "type": "group" if int(params["chat_id"]) < 0 else "private", "title": "team"}

    def setWebhook(self, params):
        self.webhook, self.kinds = params["url"], params["allowed_updates"]
        return True

    def getWebhookInfo(self, params):
        return {"url": self.webhook, "has_custom_certificate": False, "pending_update_count": 0, "allowed_updates": self.kinds}

    def sendMessage(self, params):
        chat = int(params["chat_id"])
        self.message_ids += 1
        self.again += "Sent again" in params["text"]
        message = Message(self.message_ids, chat, params)
        if chat in self.inboxes:
            self.inboxes[chat].put_nowait(message)
        return {"message_id": message.id, "date": 0, "chat": {"id": chat, "type": "private"}, "text": "x"}

    def editMessageText(self, params):
        message = self.edits.get((int(params["chat_id"]), params["message_id"]))
        if message:
            message.show(params)
        return {"message_id": params["message_id"], "date": 0, "chat": {"id": params["chat_id"], "type": "private"}, "text": "x"}

    def answerCallbackQuery(self, params):
        waiting = self.taps.pop(params["callback_query_id"], None)
        if waiting and not waiting.done():
            waiting.set_result(params)
        return True

    # ---- updates ----

    async def deliver(self, line, **kind):
        """As Telegram does: again and again until it is taken."""
        self.update_ids += 1
        update = {"update_id": self.update_ids, **kind}
        while True:
            status, _ = await line.call("POST", "/telegram-webhook", update, {"X-Telegram-Bot-Api-Secret-Token": self.secret})
            if status == 200:
                return
            assert status == 503, f"the webhook answered {status}"
            await asyncio.sleep(0.5)

    @staticmethod
    def person(user):
        return {"id": user, "is_bot": False, "first_name": "Ada", "language_code": "en"}

    async def says(self, line, user, text, date):
        """A person writes in private; the bot's next message there."""
        self.message_ids += 1
        await self.deliver(line, message={"message_id": self.message_ids, "date": date, "text": text, "from": self.person(user),
                                          "chat": {"id": user, "type": "private", "first_name": "Ada"}})
        return await asyncio.wait_for(self.inboxes[user].get(), PATIENCE_S)

    async def tap(self, line, user, message, label):
        """A person taps a button; what the spinner's answer said."""
        query = f"q{self.update_ids + 1}"
        waiting = self.taps[query] = asyncio.get_running_loop().create_future()
        chat = {"id": message.chat, "type": "group" if message.chat < 0 else "private"}
        await self.deliver(line, callback_query={"id": query, "from": self.person(user), "chat_instance": "1", "data": message.data(label),
                                                 "message": {"message_id": message.id, "date": 1, "chat": chat, "text": "x",
                                                             "from": {"id": 1, "is_bot": True, "first_name": "Soak"}}})
        return await asyncio.wait_for(waiting, PATIENCE_S)
