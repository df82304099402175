# SPDX-License-Identifier: MIT
"""models_brain: what the fake models answer when no test scripts them.

A small deterministic mind: simple sentences of the last user turn become tool calls by regular expressions; the rest becomes
a sentence.  And deterministic embeddings: words of one concept share a direction, other words have their own.
"""
import hashlib
import math
import random
import re

# --- what the person said -----------------------------------------------------------------------------------

HEADER = re.compile(r"^\[Now:(?P<header>[^\]]*)\]\s*", re.M)
BLOCK = re.compile(r"^\s*<(replied_to|forwarded|evidence)\b[^>]*>.*?</\1>\s*", re.S)


def split_turn(turn):
    """(header, the person's own words) of a user turn; an earlier message that got no answer may stand before it."""
    match = None
    for match in HEADER.finditer(turn):
        pass
    header, text = (match.group("header"), turn[match.end():]) if match else ("", turn)
    while BLOCK.match(text):
        text = text[BLOCK.match(text).end():]
    return header, text.strip()


def day_in(header, word):
    found = re.search({"today": r"^\s*\w+ (\d{4}-\d\d-\d\d)", "tomorrow": r"Tomorrow is \w+ (\d{4}-\d\d-\d\d)",
                       "yesterday": r"Yesterday was \w+ (\d{4}-\d\d-\d\d)"}[word], header)
    return found.group(1) if found else word


# --- sentences to calls -------------------------------------------------------------------------------------

WHEN = re.compile(r"\s+(?:(?:by|on|at|due|for)\s+)?(?P<when>today|tomorrow|yesterday|next \w+|in \d+ \w+|\d{4}-\d\d-\d\d(?:T\d\d:\d\d)?|"
                  r"(?:mon|tues|wednes|thurs|fri|satur|sun)day)(?P<time>(?: at)? \d{1,2}(?::\d\d)? ?(?:am|pm)?)?\s*$", re.I)


def take_when(text, header):
    found = WHEN.search(" " + text)
    if not found:
        return text, None
    word, time = found.group("when"), (found.group("time") or "").strip()
    rest = (" " + text)[:found.start()].strip()
    if word.lower() in ("today", "tomorrow", "yesterday") and not time:
        return rest, day_in(header, word.lower())
    return rest, (word + " " + time).strip()


def capital(text):
    return text[:1].upper() + text[1:]


def content_call(tool, date_field):
    def make(match, header):
        what, when = take_when(match.group("what").strip(" ."), header)
        arguments = {"content": capital(what)}
        if when and date_field:
            arguments[date_field] = when
        return tool, arguments
    return make


def number_call(tool, field, scale=lambda match: float(match.group("n").replace(",", "."))):
    def make(match, header):
        value = scale(match)
        arguments = {field: int(value) if value == int(value) else value}
        if "activity" in match.groupdict():
            arguments["activity_type"] = {"ran": "running", "walked": "walking", "swam": "swimming",
                                          "cycled": "cycling"}[match.group("activity").lower()]
        for word in ("yesterday", "today"):
            if re.search(r"\b%s\b" % word, match.string, re.I):
                arguments["date"] = day_in(header, word)
        return tool, arguments
    return make


def sleep_hours(match):
    return float(match.group("n").replace(",", ".")) + int(match.group("m") or 0) / 60


RULES = [(re.compile(pattern, re.I), make) for pattern, make in [
    (r"^(?P<what>.*\?)$", lambda m, h: ("ask_question", {"query": m.group("what")})),
    (r"^(?:add (?:a )?(?:task:? )?|todo:? |task:? |remind me to )(?P<what>.+)$", content_call("add_task", "due_date")),
    (r"^(?P<what>(?:buy|call|email|pay|book|fix|clean|write|send) .+)$", content_call("add_task", "due_date")),
    (r"^(?:note:? |note that |remember(?: that)?:? )(?P<what>.+)$", content_call("add_note", None)),
    (r"^(?:i )?slept (?:for )?(?P<n>\d+(?:[.,]\d+)?) ?h(?:ours?)? ?(?P<m>\d\d)?\b.*$",
     number_call("log_sleep", "hours", sleep_hours)),
    (r"^(?:i )?(?P<activity>ran|walked|swam|cycled) (?:for )?(?P<n>\d+) ?min\w*.*$",
     number_call("log_exercise", "duration_minutes")),
    (r"^(?:i )?(?:drank )?(?P<n>\d+) ?ml(?: of)?(?: water)?.*$", number_call("log_water", "amount_ml")),
    (r"^(?:i )?(?:drank )?(?P<n>\d+) glass(?:es)? of water.*$",
     number_call("log_water", "amount_ml", lambda m: 250 * int(m.group("n")))),
    (r"^sauna (?:for )?(?P<n>\d+) ?min\w*.*$", number_call("log_sauna", "duration_minutes")),
    (r"^(?:i )?weigh(?:t|ed)?:? (?P<n>\d+(?:[.,]\d+)?).*$", number_call("log_body", "weight_kg")),
    (r"^(?:done with|i finished|finished|complete) (?P<what>.+)$", content_call("complete_task", None)),
    (r"^delete (?:the )?(?:task )?(?P<what>.+)$", content_call("delete_task", None)),
    (r"^(?:list|show)(?: me)?(?: my)? tasks.*$", lambda m, h: ("list_tasks", {})),
]]


def call_for(sentence, header, tools):
    for pattern, make in RULES:
        match = pattern.match(sentence.strip().rstrip("."))
        if match:
            name, arguments = make(match, header)
            return (name, arguments) if name in tools else None
    return None


def calls_for(turn, tools):
    """[(name, arguments)] for a user turn; [] when nothing is to be done.  All parts must be understood, or the whole
    is one sentence ("buy milk and eggs")."""
    header, text = split_turn(turn)
    whole = call_for(text, header, tools)
    if text.endswith("?"):
        return [whole] if whole else []
    parts = [p for p in re.split(r"\s*(?:,? and |;|\n)\s*", text) if p]
    calls = [call_for(p, header, tools) for p in parts]
    if len(parts) > 1 and all(calls):
        return calls
    return [whole] if whole else []


def answer_for(turn, results):
    """The text of an answer: from tool results, from an evidence block, or small talk."""
    if results:
        return "Here is what I found: " + " ".join(" ".join(r.split())[:200] for r in results)
    found = re.search(r'<evidence>\[\{"id":"([^"]+)"', turn)
    if found:
        return "This is what your notes say [%s]." % found.group(1)
    if "<evidence>" in turn:
        return "Nothing in your notes answers that."
    return "Hello! Tell me what to remember."


# --- embeddings ---------------------------------------------------------------------------------------------

CONCEPTS = {
    "bread": "bread bakery loaf baguette toast bun rolls sourdough",
    "food": "food meal dinner lunch breakfast groceries eat cook recipe",
    "car": "car automobile vehicle sedan garage mechanic tyre tire",
    "dog": "dog puppy hound canine pet vet",
    "doctor": "doctor physician clinic medical appointment dentist hospital",
    "money": "money cash salary invoice bill payment bank rent",
    "sleep": "sleep slept nap bed insomnia rest tired",
    "run": "run ran running jog jogging marathon",
    "travel": "travel trip flight journey holiday vacation hotel",
    "water": "water hydration drink drank glass",
    "book": "book novel read reading author library",
    "phone": "phone call telephone ring dial mobile",
}
STOPWORDS = set("a an the of to in on at for and or is are was were be i my me you your it this that with by from as "
                "what when where how did do does have has about".split())
_directions = {}


def concept_table(extra=None):
    table = {}
    for concept, words in {**CONCEPTS, **(extra or {})}.items():
        for word in (words.split() if isinstance(words, str) else words):
            table[word.lower()] = concept
    return table


def direction(seed, size):
    """A fixed pseudo-random direction; a shorter one is a prefix of a longer one."""
    have = _directions.get(seed)
    if have is None or len(have) < size:
        source = random.Random(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big"))
        have = [source.gauss(0, 1) for _ in range(size)]
        _directions[seed] = have
    return have[:size]


def embedding(text, size, table):
    """A unit vector; texts with words of the same concepts are close without sharing a word."""
    vector = [0.0] * size
    words = [w for w in re.findall(r"[^\W_]+", text.lower()) if w not in STOPWORDS] or ["(nothing)"]
    for word in words:
        concept = table.get(word) or table.get(word.rstrip("s"))
        weight = 1.0 if concept else 0.6
        for i, x in enumerate(direction("concept " + concept if concept else "word " + word, size)):
            vector[i] += weight * x
    length = math.sqrt(sum(x * x for x in vector)) or 1.0
    return [x / length for x in vector]
