#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""test_models: the fake models refuse what they should, and play what a script says.  Run: /usr/bin/python3 tests/fakes/test_models.py"""
import copy
import http.client
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from models import FakeModels, call, calls, status, text  # noqa: E402

HEADER = ("[Now: Friday 2026-11-20 09:14 Europe/Berlin. Tomorrow is Saturday 2026-11-21. Yesterday was Thursday "
          "2026-11-19. Categories: General]\n")
SCHEMA = {"type": "object", "properties": {"content": {"type": "string"}}}
NAMES = ["add_task", "add_note", "ask_question", "log_sleep", "log_water"]
CLAUDE = {"model": "claude-haiku-5-5", "max_tokens": 100,
          "system": [{"type": "text", "text": "Rules.", "cache_control": {"type": "ephemeral"}}],
          "tools": [{"name": n, "description": "d", "input_schema": SCHEMA} for n in NAMES],
          "messages": [{"role": "user", "content": HEADER + "buy bread tomorrow"}]}
GPT = {"model": "gpt-6-luna", "max_completion_tokens": 100, "reasoning_effort": "none",
       "tools": [{"type": "function", "function": {"name": n, "description": "d", "parameters": SCHEMA}} for n in NAMES],
       "messages": [{"role": "system", "content": "Rules."}, {"role": "user", "content": HEADER + "buy bread tomorrow"}]}
CLAUDE_HEADERS = {"x-api-key": "k", "anthropic-version": "2023-06-01"}
GPT_HEADERS = {"authorization": "Bearer k"}


class Case(unittest.TestCase):
    def setUp(self):
        self.models = FakeModels().start()
        self.addCleanup(self.models.stop)

    def post(self, path, body, headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.models.port, timeout=10)
        self.addCleanup(connection.close)
        data = body if isinstance(body, (str, bytes)) else json.dumps(body)
        connection.request("POST", path, data, {"content-type": "application/json", **headers})
        answer = connection.getresponse()
        return answer.status, answer.read()

    def claude(self, change=None, headers=CLAUDE_HEADERS):
        body = copy.deepcopy(CLAUDE)
        if change:
            change(body)
        code, data = self.post("/v1/messages", body, headers)
        return code, json.loads(data)

    def gpt(self, change=None, headers=GPT_HEADERS):
        body = copy.deepcopy(GPT)
        if change:
            change(body)
        code, data = self.post("/v1/chat/completions", body, headers)
        return code, json.loads(data)

    def refused(self, answer, code, words):
        self.assertEqual(answer[0], code, answer)
        self.assertIn(words, answer[1]["error"]["message"])


def add(*messages):
    return lambda body: body["messages"].extend(messages)


def put(**fields):
    return lambda body: body.update(fields)


USE = {"type": "tool_use", "id": "toolu_1", "name": "add_task", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "ok"}


def step(*blocks):
    return {"role": "assistant", "content": list(blocks)}


def results(*blocks):
    return {"role": "user", "content": list(blocks)}


class Anthropic(Case):
    def test_answers(self):
        code, answer = self.claude()
        self.assertEqual(code, 200)
        use = [b for b in answer["content"] if b["type"] == "tool_use"]
        self.assertEqual(use[0]["input"], {"content": "Buy bread", "due_date": "2026-11-21"})
        self.assertEqual(self.models.asked("buy bread tomorrow"), 1)
        code, second = self.claude(add(step(*answer["content"]), results({**RESULT, "tool_use_id": use[0]["id"]})))
        self.assertEqual((code, second["stop_reason"]), (200, "end_turn"))
        self.assertEqual((self.models.asked("buy bread tomorrow"), self.models.called("buy bread tomorrow")), (1, 2))

    def test_refusals(self):
        for change, words in [
                (lambda b: b.pop("max_tokens"), "max_tokens: Field required"),
                (put(temperature=0), "temperature"), (put(top_p=1), "top_p"), (put(top_k=1), "top_k"),
                (put(tool_choice={"type": "any"}), "forced"), (put(tool_choice={"type": "tool", "name": "add_task"}), "forced"),
                (put(thinking={"type": "enabled", "budget_tokens": 1024}), "budget_tokens"), (put(extra=1), "extra: Extra"),
                (add({"role": "assistant", "content": "Sure"}), "prefill"),
                (add({"role": "user", "content": "x"}), "roles must alternate"),
                (put(messages=[{"role": "assistant", "content": "x"}]), "first message"), (put(messages=[]), "at least one"),
                (put(messages=[{"role": "user", "content": ""}]), "non-empty"),
                (put(messages=[{"role": "user", "content": [{"type": "text", "text": " "}]}]), "non-whitespace"),
                (put(system=[{"type": "text", "text": ""}]), "non-empty"),
                (lambda b: b["tools"][0].update(parameters={}), "tools.0.custom.parameters: Extra"),
                (lambda b: b["tools"][0].update(name="add task"), "pattern"),
                (lambda b: b["tools"][0].pop("input_schema"), "input_schema: Field required"),
                (lambda b: b["tools"][0].update(input_schema={"type": "string"}), "type"),
                (lambda b: b["tools"].append(b["tools"][0]), "unique"),
                (add(step(USE), {"role": "user", "content": "x"}), "without `tool_result` blocks immediately after: toolu_1"),
                (add(step(USE), results({"type": "text", "text": "x"}, RESULT)), "immediately after"),
                (add(step(USE), results({**RESULT, "tool_use_id": "toolu_9"})), "unexpected `tool_use_id`"),
                (add(step(USE), results(RESULT, RESULT)), "single result"),
                (add(step(USE, USE), results(RESULT)), "ids must be unique"),
                (add(step({**USE, "input": "{}"}), results(RESULT)), "valid dictionary"),
                (add(step(USE), results({**RESULT, "name": "x"})), "Extra inputs"),
                (lambda b: (add(step(USE), results(RESULT))(b), b.pop("tools")), "must define tools")]:
            self.refused(self.claude(change), 400, words)
        self.refused(self.claude(put(model="claude-3-haiku-20240307")), 404, "model: claude-3-haiku")
        self.assertEqual(len(self.models.refused()), len(self.models.requests))
        self.assertEqual(self.models.asked("buy bread tomorrow"), 0)

    def test_headers(self):
        self.refused(self.claude(headers={"x-api-key": "k"}), 400, "anthropic-version")
        self.refused(self.claude(headers={"anthropic-version": "2023-06-01"}), 401, "required")
        self.refused(self.claude(headers={**CLAUDE_HEADERS, "x-api-key": "wrong"}), 401, "invalid x-api-key")
        self.refused(self.claude(headers={**CLAUDE_HEADERS, "authorization": "Bearer k"}), 401, "both")

    def test_thinking_is_bound(self):
        _, answer = self.claude()
        use = [b for b in answer["content"] if b["type"] == "tool_use"][0]
        more = add(step(*answer["content"]), results({**RESULT, "tool_use_id": use["id"]}))
        self.assertEqual(self.claude(more)[0], 200)
        for change in (put(system="Other."), put(tools=CLAUDE["tools"][:1]), put(model="claude-sonnet-5-5"),
                       lambda b: b["messages"][0].update(content="other")):
            self.refused(self.claude(lambda b, c=change: (more(b), c(b))), 400, "bound to a different conversation")


class OpenAI(Case):
    CALLS = {"role": "assistant", "content": None, "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "add_task", "arguments": "{}"}}]}
    RESULT = {"role": "tool", "tool_call_id": "c1", "content": "ok"}

    def changed(self, **fields):
        calls_ = copy.deepcopy(self.CALLS)
        calls_["tool_calls"][0].update(fields)
        return calls_

    def test_answers(self):
        code, answer = self.gpt()
        self.assertEqual(code, 200)
        function = answer["choices"][0]["message"]["tool_calls"][0]["function"]
        self.assertEqual(json.loads(function["arguments"])["due_date"], "2026-11-21")
        self.assertEqual(self.gpt(add(self.CALLS, self.RESULT))[0], 200)

    def test_refusals(self):
        for change, words in [
                (lambda b: b.update(max_tokens=b.pop("max_completion_tokens")), "max_completion_tokens"),
                (lambda b: b.pop("reasoning_effort"), "set reasoning_effort to 'none'"),
                (put(temperature=0.2), "temperature"), (put(extra=1), "Unknown parameter: 'extra'"),
                (put(messages=[]), "empty array"), (put(tools=[]), "empty array"),
                (lambda b: (b.pop("tools"), b.update(parallel_tool_calls=True)), "only allowed when 'tools'"),
                (lambda b: b["tools"][0]["function"].update(name="add task"), "pattern"),
                (lambda b: b["tools"][0]["function"].update(input_schema={}), "Unknown parameter"),
                (add(self.RESULT), "must be a response to a preceeding message"),
                (add(self.CALLS), "did not have response messages: c1"),
                (add(self.CALLS, {"role": "user", "content": "x"}), "did not have response messages"),
                (add(self.CALLS, self.RESULT, self.CALLS, self.RESULT), "Duplicate"),
                (add(self.changed(id=""), self.RESULT), "id"),
                (add(self.changed(function={"name": "add_task", "arguments": {}}), self.RESULT), "expected a string"),
                (add(self.changed(function={"name": "add_task", "arguments": "{"}), self.RESULT), "not a JSON object"),
                (add({"role": "user", "content": None}), "expected a string, got null")]:
            self.refused(self.gpt(change), 400, words)
        self.refused(self.gpt(put(model="gpt-5")), 404, "does not exist")
        self.refused(self.gpt(headers={}), 401, "API key")
        self.assertEqual(self.gpt(lambda b: b.pop("reasoning_effort"))[1]["error"]["param"], "reasoning_effort")

    def test_local_servers(self):
        local = put(model="qwen3", messages=[{"role": "user", "content": "slept 7h and drank 500 ml of water"}])
        _, one = self.gpt(lambda b: (local(b), b.pop("reasoning_effort")), {})
        _, two = self.gpt(lambda b: (local(b), b.update(parallel_tool_calls=True)), {})
        self.assertEqual([len(a["choices"][0]["message"]["tool_calls"]) for a in (one, two)], [1, 2])


class Scripts(Case):
    def test_plays(self):
        self.models.script([{"match": "milk", **text("matched")}, status(529, "Overloaded", {"retry-after": "1"}),
                            calls(call("add_note", content="x"), stop="max_tokens"), {"html": True}, {"half": True}])
        self.assertEqual(self.claude()[0], 529)
        self.assertEqual(self.claude()[1]["stop_reason"], "max_tokens")
        self.assertIn(b"<html>", self.post("/v1/messages", CLAUDE, CLAUDE_HEADERS)[1])
        with self.assertRaises(ValueError):
            self.claude()
        self.assertEqual(self.claude()[1]["stop_reason"], "tool_use")  # the brain again
        answer = self.claude(put(messages=[{"role": "user", "content": "buy milk"}]))
        self.assertEqual(answer[1]["content"][0]["text"], "matched")
        self.models.script([{"close": "before"}])
        with self.assertRaises((http.client.HTTPException, ConnectionError)):
            self.claude()
        self.models.script(lambda record: text("called") if "bread" in record["text"] else None)
        self.assertEqual(self.claude()[1]["content"][0]["text"], "called")

    def test_control_routes(self):
        self.post("/__script", [{"text": "one", "times": 2}], {})
        self.assertEqual([self.gpt()[1]["choices"][0]["message"]["content"] for _ in range(3)], ["one", "one", None])
        self.post("/__reset", {}, {})
        self.assertEqual(self.models.requests, [])

    def test_brain(self):
        for words, want in [("slept 7h30 and drank 2 glasses of water", [("log_sleep", 7.5), ("log_water", 500)]),
                            ("buy milk and eggs", [("add_task", "Buy milk and eggs")]),
                            ("did I sleep 8h?", [("ask_question", "did I sleep 8h?")]),
                            ("hello", [])]:
            turn = "earlier words\n\n" + HEADER + '<replied_to by="steward">"buy x"</replied_to>\n' + words
            _, answer = self.claude(put(messages=[{"role": "user", "content": turn}]))
            got = [(b["name"], next(iter(b["input"].values()))) for b in answer["content"] if b["type"] == "tool_use"]
            self.assertEqual(got, want)
            self.assertEqual(self.models.asked(words), 1)

    def test_stops_and_starts_again(self):
        port = self.models.port
        self.claude()
        self.models.stop()
        with self.assertRaises(OSError):
            self.claude()
        self.models.start()
        self.assertEqual((self.models.port, self.claude()[0]), (port, 200))


class Embeddings(Case):
    def ask(self, inputs, **more):
        body = {"model": "text-embedding-3-small", "input": inputs, "dimensions": 384, **more}
        code, data = self.post("/v1/embeddings", body, GPT_HEADERS)
        return code, json.loads(data)

    def test_vectors(self):
        _, answer = self.ask(["go to the bakery", "get a loaf", "car mechanic", "go to the bakery"])
        v = [d["embedding"] for d in answer["data"]]
        dot = [sum(a * b for a, b in zip(v[0], x)) for x in v]
        self.assertEqual([len(x) for x in v], [384] * 4)
        self.assertAlmostEqual(dot[0], 1.0)
        self.assertAlmostEqual(dot[3], 1.0)
        self.assertGreater(dot[1], 0.5)
        self.assertLess(dot[2], 0.2)

    def test_refusals(self):
        for inputs, more in [("", {}), ([], {}), (["x", ""], {}), (["x"] * 2049, {}), ("x", {"dimensions": 1537}),
                             ("x", {"dimensions": 0}), ("x", {"encoding_format": "int8"}), ("x", {"truncate": True})]:
            self.assertEqual(self.ask(inputs, **more)[0], 400)
        self.assertEqual(self.ask("x", model="text-embedding-9")[0], 404)


if __name__ == "__main__":
    unittest.main()
