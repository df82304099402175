#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The fake Telegram refuses what Telegram refuses, keeps chats as people see them, and delivers as the real server does."""
import http.client
import json
import os
import sys
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import telegram_html  # noqa: E402
from telegram import FakeTelegram  # noqa: E402

TOKEN = "123456:TEST"


class Bot:
    """A client as careless as a bot may be."""

    def __init__(self, fake, token=TOKEN):
        self.link, self.token = http.client.HTTPConnection(fake.host, fake.port, timeout=20), token

    def raw(self, method, body=None, kind="application/json"):
        self.link.request("POST", "/bot%s/%s" % (self.token, method), body, {"Content-Type": kind})
        answer = self.link.getresponse()
        text = answer.read()
        self.status, self.headers = answer.status, answer.headers
        return text

    def call(self, method, **params):
        return json.loads(self.raw(method, json.dumps(params)))

    def ok(self, method, **params):
        answer = self.call(method, **params)
        assert answer["ok"], answer
        return answer["result"]

    def refusal(self, method, **params):
        answer = self.call(method, **params)
        assert not answer["ok"] and self.status == answer["error_code"], answer
        return "%d %s" % (answer["error_code"], answer["description"])


class WithFake(unittest.TestCase):
    options = {}

    def setUp(self):
        self.fake = FakeTelegram(TOKEN, **self.options).start()
        self.addCleanup(self.fake.stop)
        self.fake.add_chat(42)
        self.bot = Bot(self.fake)
        self.addCleanup(self.bot.link.close)

    def refused(self, words, method, **params):
        self.assertIn(words, self.bot.refusal(method, **params))

    def say(self, text, chat=42, **params):
        return self.bot.ok("sendMessage", chat_id=chat, text=text, **params)

    def cannot_say(self, words, text, chat=42, **params):
        self.refused(words, "sendMessage", chat_id=chat, text=text, **params)


class Html(unittest.TestCase):
    def test_errors_name_the_byte(self):
        for html, words in (
                ("é<x>", 'Unsupported start tag "x" at byte offset 2'),
                ("a < b", 'Unsupported start tag "" at byte offset 2'),
                ("x <b", "Unclosed start tag at byte offset 2"),
                ("<b>x", "Can't find end tag corresponding to start tag \"b\""),
                ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
                ("x</b>", "Unexpected end tag at byte offset 1"),
                ("<b>x</b", "Unclosed end tag at byte offset 4"),
                ('<a =1>y</a>', 'Empty attribute name in the tag "a" at byte offset 0'),
                ("<a href=x/>y</a>", "Unexpected end of name token at byte offset 8"),
                ('<a href="x', "Unclosed start tag at byte offset 0"),
                ("<a href=", 'Unclosed start tag "a" at byte offset 0'),
                ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
                ("&#xDFDF;", "Text contains invalid Unicode characters"),
                ("<br>", 'Unsupported start tag "br"'), ("<p>x</p>", 'Unsupported start tag "p"')):
            with self.assertRaises(telegram_html.Refused, msg=html) as caught:
                telegram_html.parse(html)
            self.assertIn(words, str(caught.exception), html)

    def test_entities_in_utf16_units(self):
        text, entities = telegram_html.parse('😀<b>a<i>é</i></b> &lt;&amp;&gt;&quot;&laquo;&#128512; <a href="x&amp;y">z</a>'
                                             '<pre><code class="language-c">k</code></pre><blockquote expandable>q</blockquote>')
        self.assertEqual(text, '😀aé <&>"&laquo;😀 zkq')
        got = [(e["type"], telegram_html.utf16_slice(text, e["offset"], e["length"])) for e in entities]
        self.assertIn(("bold", "aé"), got)
        self.assertIn(("italic", "é"), got)
        self.assertIn(("text_link", "z"), got)
        self.assertIn(("expandable_blockquote", "q"), got)
        self.assertEqual(entities[0]["offset"], 2)
        self.assertEqual([e for e in entities if e["type"] == "text_link"][0]["url"], "x&y")
        self.assertEqual(telegram_html.parse("<B>x</>")[1], [{"type": "bold", "offset": 0, "length": 1}])


class Sending(WithFake):
    def test_tokens_and_methods(self):
        self.assertEqual(Bot(self.fake, "123456:NO").refusal("getMe"), "401 Unauthorized")
        self.assertEqual(Bot(self.fake, "nonsense").refusal("getMe"), "404 Not Found")
        self.refused("404 Not Found: method not found", "sendFax")
        self.assertEqual(self.bot.ok("GETME")["username"], self.fake.username)

    def test_text(self):
        self.cannot_say("400 Bad Request: message text is empty", " \n")
        self.cannot_say("message text is empty", "<b></b>", parse_mode="HTML")
        self.cannot_say("message is too long", "x" * 4097)
        self.cannot_say("message is too long", "😀" * 2049)
        self.cannot_say("text is too long", "<b></b>" * 5000, parse_mode="HTML")
        self.cannot_say("can't parse entities: Unsupported start tag \"x\" at byte offset 1", "a<x>", parse_mode="HTML")
        self.cannot_say("unsupported parse_mode", "a", parse_mode="Latex")
        self.cannot_say("chat not found", "a", chat=43)
        self.cannot_say("ENTITY_BOUNDS_INVALID", "ab", entities=[{"type": "bold", "offset": 1, "length": 2}])
        self.say("😀" * 2048)
        self.say("&amp;" * 4096, parse_mode="HTML")
        self.say("  <b>padded </b> \n", parse_mode="HTML")
        message = self.fake.messages(42)[-1]
        self.assertEqual((message.text, message.entities), ("padded", [{"type": "bold", "offset": 0, "length": 6}]))

    def test_keyboards(self):
        def markup(*buttons):
            return {"inline_keyboard": [list(buttons)]}
        good = {"text": "Done", "callback_data": "d" * 64}
        self.say("a", reply_markup=markup(good))
        self.assertEqual(self.fake.messages(42)[-1].buttons, ["Done"])
        self.say("a", reply_markup=json.dumps(markup(good)))
        for words, bad in (("BUTTON_DATA_INVALID", dict(good, callback_data="é" * 33)),
                           ("BUTTON_DATA_INVALID", dict(good, callback_data="")),
                           ("text buttons are unallowed", {"text": "x"}),
                           ("can't find field \"text\"", {"callback_data": "x"}),
                           ("must be non-empty", dict(good, text=" ")),
                           ("exactly one optional field", dict(good, url="https://x"))):
            self.cannot_say(words, "a", reply_markup=markup(bad))
        self.cannot_say("button rows must be Arrays", "a", reply_markup={"inline_keyboard": [good]})
        self.cannot_say("reply keyboard markup", "a", reply_markup="{")

    def test_replies_threads_and_refusing_chats(self):
        self.cannot_say("message to be replied not found", "a", reply_parameters={"message_id": 999})
        self.say("a", reply_parameters={"message_id": 999, "allow_sending_without_reply": True})
        self.cannot_say("message thread not found", "a", message_thread_id=5)
        thread = self.fake.add_thread(-100)
        self.say("a", chat=-100, message_thread_id=thread)
        self.assertEqual(self.fake.messages(-100)[-1].thread_id, thread)
        self.fake.chats[-100].threads[thread]["closed"] = True
        self.cannot_say("TOPIC_CLOSED", "a", chat=-100, message_thread_id=thread)
        self.fake.chats[42].blocked = True
        self.cannot_say("403 Forbidden: bot was blocked by the user", "a")
        self.fake.chats[-100].migrated_to = -200
        self.assertEqual(self.bot.call("sendMessage", chat_id=-100, text="a")["parameters"], {"migrate_to_chat_id": -200})

    def test_edits(self):
        sent = self.say("a", reply_markup={"inline_keyboard": [[{"text": "x", "callback_data": "y"}]]})["message_id"]
        self.refused("message to edit not found", "editMessageText", chat_id=42, message_id=9999, text="b")
        said = self.fake.user_says(42, text="mine")
        self.refused("message can't be edited", "editMessageText", chat_id=42, message_id=said.id, text="b")
        self.bot.ok("editMessageText", chat_id=42, message_id=sent, text="<b>b</b>", parse_mode="HTML")
        message = self.fake.message(42, sent)
        self.assertEqual((message.text, message.buttons, len(message.edits)), ("b", [], 1))
        self.refused("message is not modified", "editMessageText", chat_id=42, message_id=sent, text="<b>b</b>", parse_mode="HTML")
        self.refused("message is not modified", "editMessageReplyMarkup", chat_id=42, message_id=sent)

    def test_small_methods(self):
        self.bot.ok("sendChatAction", chat_id=42, action="typing")
        self.refused("wrong parameter action", "sendChatAction", chat_id=42, action="sleeping")
        self.bot.ok("setMyCommands", commands=[{"command": "start", "description": "Begin"}])
        self.refused("BOT_COMMAND_INVALID", "setMyCommands", commands=[{"command": "Start", "description": "x"}])
        self.refused("BOT_COMMAND_DESCRIPTION_INVALID", "setMyCommands", commands=[{"command": "a", "description": ""}])
        self.refused("BOT_COMMANDS_TOO_MUCH", "setMyCommands", commands=[{"command": "a", "description": "x"}] * 101)
        self.say("a", colour="red")
        self.assertEqual(self.fake.unknown_arguments, [("sendmessage", "colour")])

    def test_documents(self):
        def form(content, boundary="BB", close="--"):
            return ("--BB\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n42\r\n--BB\r\nContent-Disposition: form-data; "
                    "name=\"document\"; filename=\"a%22.txt\"\r\nContent-Type: text/plain\r\n\r\n" + content + "\r\n--" + boundary +
                    close + "\r\n").encode(), "multipart/form-data; boundary=BB"
        self.assertTrue(json.loads(self.bot.raw("sendDocument", *form("one\r\ntwo")))["ok"])
        document = self.fake.messages(42)[-1].document
        self.assertEqual((document["file_name"], document["content"]), ('a".txt', b"one\r\ntwo"))
        self.assertIn(b"file must be non-empty", self.bot.raw("sendDocument", *form("")))
        self.assertIn(b"does not keep to its boundary", self.bot.raw("sendDocument", *form("x", boundary="CC")))
        self.assertIn(b"there is no document", self.bot.raw("sendDocument", json.dumps({"chat_id": 42})))


class People(WithFake):
    def test_taps(self):
        self.say("a", reply_markup={"inline_keyboard": [[{"text": "Done ✓", "callback_data": "d:1"}]]})
        query = self.fake.user_taps(self.fake.messages(42)[-1], "Done")
        self.assertEqual(query.data, "d:1")
        too_old = "query is too old and response timeout expired or query ID is invalid"
        self.bot.ok("answerCallbackQuery", callback_query_id=query.id, text="Saved")
        self.assertEqual(self.fake.wait_for_answer(query).answer, "Saved")
        self.refused(too_old, "answerCallbackQuery", callback_query_id=query.id)
        self.refused(too_old, "answerCallbackQuery", callback_query_id="1")
        self.refused("MESSAGE_TOO_LONG", "answerCallbackQuery", callback_query_id=query.id, text="x" * 201)
        self.fake.query_seconds = 0
        query = self.fake.user_taps(self.fake.messages(42)[-1], 0)
        self.refused(too_old, "answerCallbackQuery", callback_query_id=query.id)
        with self.assertRaises(LookupError):
            self.fake.user_taps(self.fake.messages(42)[-1], "Nothing like it")

    def test_what_people_send(self):
        say = self.fake.user_says
        self.assertEqual(say(42, text="/start@bot hi").to_json()["entities"], [{"type": "bot_command", "offset": 0, "length": 10}])
        self.assertIn("photo", say(42, photo=True, caption="look").to_json())
        self.assertEqual(say(-7, 42, "in a group").to_json()["chat"]["type"], "supergroup")
        for kind in ("sticker", "voice", "video_note", "document", "location", "contact", "poll"):
            self.assertIn(kind, say(42, **{kind: True if kind != "document" else "x.pdf"}).to_json())
        self.assertIn("forward_origin", say(42, text="x", forwarded="Ann").to_json())
        message = say(42, text="x", reply_to=self.fake.messages(42)[0])
        self.assertIn("reply_to_message", message.to_json())
        self.fake.user_edits(message, "y")
        self.assertEqual([sorted(u)[0] for u in self.fake.pushed][-1], "edited_message")

    def test_waiting(self):
        said = self.fake.user_says(42, text="hi")
        threading.Timer(0.05, lambda: Bot(self.fake).ok("sendMessage", chat_id=42, text="hello")).start()
        self.assertEqual(self.fake.wait_for_reply(said).text, "hello")
        with self.assertRaises(AssertionError):
            self.fake.wait_for_reply(said, timeout=0.05, contains="bye")


class Polling(WithFake):
    def test_get_updates(self):
        self.fake.user_says(42, text="one")
        self.fake.user_says(42, text="two")
        got = self.bot.ok("getUpdates", limit=1)
        self.assertEqual([u["message"]["text"] for u in got], ["one"])
        self.assertEqual(len(self.bot.ok("getUpdates")), 2)
        rest = self.bot.ok("getUpdates", offset=got[0]["update_id"] + 1)
        self.assertEqual([u["message"]["text"] for u in rest], ["two"])
        threading.Timer(0.05, lambda: self.fake.user_says(42, text="three")).start()
        late = self.bot.ok("getUpdates", offset=rest[0]["update_id"] + 1, timeout=10)
        self.assertEqual(late[0]["message"]["text"], "three")

    def test_conflicts(self):
        self.bot.ok("setWebhook", url="http://127.0.0.1:1/x")
        self.refused("409 Conflict: can't use getUpdates method while webhook is active", "getUpdates")
        self.bot.ok("deleteWebhook")
        answers = []
        first = threading.Thread(target=lambda: answers.append(Bot(self.fake).refusal("getUpdates", timeout=10)))
        first.start()
        time.sleep(0.1)
        self.bot.ok("getUpdates")
        first.join()
        self.assertIn("409 Conflict: terminated by other getUpdates request", answers[0])

    def test_allowed_updates(self):
        self.bot.ok("getUpdates", allowed_updates=["callback_query"])
        self.fake.user_says(42, text="not asked for")
        self.assertEqual(self.bot.ok("getUpdates"), [])
        self.refused("can't parse allowed updates", "getUpdates", allowed_updates=["gossip"])

    def test_webhook_arguments(self):
        self.refused("secret token contains unallowed characters", "setWebhook", url="http://x/y", secret_token="a b")
        self.refused("secret token is too long", "setWebhook", url="http://x/y", secret_token="a" * 257)
        self.refused("bad webhook", "setWebhook", url="x/y")
        self.refused("max_connections", "setWebhook", url="http://x/y", max_connections=101)
        self.fake.require_https = True
        self.refused("An HTTPS URL must be provided", "setWebhook", url="http://x/y")


class Hook(BaseHTTPRequestHandler):
    """A bot's webhook that answers what its server was told to."""
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        update = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server = self.server
        with server.lock:
            server.got.append((update, self.headers.get("X-Telegram-Bot-Api-Secret-Token")))
            code = server.codes.pop(0) if server.codes else 200
        self.send_response(code)
        if code == 503:
            self.send_header("Retry-After", "1")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


class Webhook(WithFake):
    def setUp(self):
        super().setUp()
        self.hook = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
        self.hook.daemon_threads, self.hook.got, self.hook.codes, self.hook.lock = True, [], [], threading.Lock()
        threading.Thread(target=self.hook.serve_forever, daemon=True).start()
        self.addCleanup(self.hook.server_close)
        self.addCleanup(self.hook.shutdown)
        self.bot.ok("setWebhook", url="http://127.0.0.1:%d/telegram-webhook" % self.hook.server_address[1], secret_token="s-1")

    def texts(self, count):
        self.fake.wait_for(lambda: len(self.fake.deliveries) >= count and not self.fake.pending)
        return [u["message"]["text"] for u, _ in self.hook.got]

    def test_order_secret_and_retry(self):
        self.hook.codes = [500, 503]
        for text in ("one", "two", "three"):
            self.fake.user_says(42, text=text)
        self.assertEqual(self.texts(5), ["one", "one", "one", "two", "three"])
        self.assertEqual({secret for _, secret in self.hook.got}, {"s-1"})
        times = [d["at"] for d in self.fake.deliveries]
        self.assertLess(times[1] - times[0], 0.9)   # the first failure again at once
        self.assertGreater(times[2] - times[1], 0.95)  # Retry-After
        self.assertIn("503", self.bot.ok("getWebhookInfo")["last_error_message"])

    def test_a_late_tap_is_dropped(self):
        self.fake.delivery_scale = 1000  # 150 s become 0.15 s
        self.say("a", reply_markup={"inline_keyboard": [[{"text": "x", "callback_data": "y"}]]})
        self.hook.codes = [500] * 200
        self.fake.user_taps(self.fake.messages(42)[-1])
        self.fake.wait_for(lambda: self.fake.dropped)
        self.assertIn("callback_query", self.fake.dropped[0])

    def test_duplicates(self):
        self.fake.duplicate = 1.0
        for i in range(5):
            self.fake.user_says(42, text=str(i))
        self.fake.wait_for(lambda: len(self.fake.deliveries) >= 10 and not self.fake.pending)
        ids = [u["update_id"] for u, _ in self.hook.got]
        self.assertEqual(len(set(ids)), 5)
        self.assertGreaterEqual(len(ids), 10)

    def test_updates_wait_for_the_webhook(self):
        self.bot.ok("deleteWebhook")
        self.fake.user_says(42, text="early")
        self.assertEqual(self.hook.got, [])
        self.bot.ok("setWebhook", url="http://127.0.0.1:%d/telegram-webhook" % self.hook.server_address[1])
        self.assertEqual(self.texts(1), ["early"])


class RateLimits(WithFake):
    options = {"limits": True, "scale": 20}

    def flood(self, chat, count):
        answers = [self.bot.call("sendMessage", chat_id=chat, text=str(i)) for i in range(count)]
        return [a for a in answers if not a["ok"]]

    def test_chat(self):
        refusals = self.flood(42, 6)
        self.assertTrue(refusals)
        self.assertEqual(refusals[0]["parameters"]["retry_after"], 1)
        self.assertIn("Too Many Requests: retry after 1", refusals[0]["description"])
        self.assertEqual(self.bot.headers["Retry-After"], "1")
        self.assertEqual(self.fake.violations, [])  # they were on their way
        time.sleep(0.2)
        self.bot.call("sendMessage", chat_id=42, text="impatient")
        self.assertEqual(len(self.fake.violations), 1)
        time.sleep(0.9)
        self.say("patient")

    def test_group_and_all(self):
        self.fake.limits.chat_burst = 1000
        self.fake.add_chat(-5)
        self.assertEqual(len(self.flood(-5, 25)), 5)
        for chat in range(100, 140):
            self.fake.add_chat(chat)
        self.fake.limits.scale = 0.1
        refusals = [a for chat in range(100, 140) for a in [self.bot.call("sendMessage", chat_id=chat, text="x")] if not a["ok"]]
        self.assertTrue(refusals)


class Faults(WithFake):
    def test_faults(self):
        self.fake.fail("sendMessage", times=2, status=429, parameters={"retry_after": 3}, chat_id=42)
        self.assertEqual(self.bot.call("sendMessage", chat_id=42, text="a")["parameters"]["retry_after"], 3)
        self.fake.add_chat(43)
        self.say("b", chat=43)
        self.fake.clear_faults()
        self.fake.limits.penalty.clear()
        self.fake.fail("sendMessage", close="before")
        with self.assertRaises((ConnectionError, http.client.HTTPException)):
            self.say("c")
        self.assertEqual(self.fake.messages(42), [])
        self.bot = Bot(self.fake)
        self.fake.fail("sendMessage", close="after")
        with self.assertRaises((ConnectionError, http.client.HTTPException)):
            self.say("d")
        self.assertEqual(self.fake.messages(42)[-1].text, "d")
        self.bot = Bot(self.fake)
        self.fake.fail("getMe", status=502, body="<html>bad gateway</html>")
        self.assertEqual(self.bot.raw("getMe"), b"<html>bad gateway</html>")
        self.assertEqual(self.bot.status, 502)
        self.bot.ok("getMe")


class Control(WithFake):
    def http(self, verb, path, body=None):
        link = http.client.HTTPConnection(self.fake.host, self.fake.port, timeout=10)
        link.request(verb, path, json.dumps(body) if body is not None else None)
        answer = json.loads(link.getresponse().read())
        link.close()
        return answer

    def test_control_routes(self):
        said = self.http("POST", "/__say", {"chat": 42, "text": "hi"})["result"]
        self.say("hello", reply_markup={"inline_keyboard": [[{"text": "x", "callback_data": "y"}]]})
        reply = self.http("GET", "/__wait?chat=42&after=%d" % said["seq"])["result"][0]
        self.assertEqual(reply["text"], "hello")
        self.assertEqual(self.http("POST", "/__tap", {"chat": 42, "message_id": reply["message_id"], "button": "x"})["result"]["data"], "y")
        self.assertTrue(self.http("POST", "/__fail", {"method": "getMe", "status": 500})["ok"])
        self.refused("500 Internal Server Error", "getMe")
        self.assertEqual(len(self.http("GET", "/__messages?chat=42")["result"]), 2)
        self.assertEqual(self.http("GET", "/__calls?method=getMe")["result"][0]["code"], 500)
        self.http("POST", "/__options", {"duplicate": 0.5, "on": True})
        self.assertTrue(self.fake.duplicate == 0.5 and self.fake.limits.on)
        self.assertFalse(self.http("GET", "/__nonsense")["ok"])
        self.http("POST", "/__reset", {})
        self.assertEqual(self.http("GET", "/__state")["result"]["calls"], 0)


if __name__ == "__main__":
    unittest.main(warnings="ignore")
