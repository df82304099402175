#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Score the built-in parsers on the public sentences in ../shared/data.

usage: tests/score_parse.py [path of the steward binary] [--misses]

Prints the accuracy per intent and tier, and every false write (a sentence that must not write anything, but
would).  There is no threshold: read the misses.
"""
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DATA = os.path.join(ROOT, "..", "shared", "data")
NOW = "2026-11-20T09:30"
READS = {"list_tasks", "list_notes", "ask_question"}
SILENT = {"chat", "out_of_scope", "ask_question"}
TOOL = {"remove_task": "delete_task"}


def ask(binary, command, lines):
    text = "".join(json.dumps(line) + "\n" for line in lines)
    done = subprocess.run([binary, command, "--stdin"], input=text, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def rows(name):
    with open(os.path.join(DATA, name), encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def tools(answer):
    if "calls" in answer:
        return [call["tool"] for call in answer["calls"]]
    return [answer["tool"]] if answer.get("tool") else []


def date_right(row, answer):
    value = answer.get("datetime") or answer.get("date")
    expected = row["expected_date"]
    if expected is None or value is None:
        return expected is None and value is None
    if row["compare"] == "date":
        return value[:10] == expected[:10]
    return value == expected[:16]


def intent_right(row, answer):
    got = tools(answer)
    intent = row["intent"]
    if intent == "clarify":
        return "ask" in answer
    if intent == "multi":
        return sorted(got) == sorted(TOOL.get(call, call) for call in row["calls"])
    if intent in SILENT:
        return all(tool in READS for tool in got)
    return got == [TOOL.get(intent, intent)]


def report(title, table):
    print(title)
    for key in sorted(table):
        right, total = table[key]
        print(f"  {key:14} {right:4}/{total:<4} {100 * right / total:5.1f} %")


def score(kind, cases, answers, key, right, misses):
    table = {}
    for row, answer in zip(cases, answers):
        good = right(row, answer)
        entry = table.setdefault(row[key], [0, 0])
        entry[0] += good
        entry[1] += 1
        if not good and misses:
            wanted = row.get("expected_date", row.get("intent"))
            print(f"  miss {kind}: {row['text']!r} wanted {wanted} got {json.dumps(answer)}")
    report(kind, table)


def main():
    misses = "--misses" in sys.argv
    paths = [arg for arg in sys.argv[1:] if not arg.startswith("--")]
    binary = paths[0] if paths else os.path.join(ROOT, "build", "steward")
    if not os.path.exists(os.path.join(DATA, "dates.jsonl")):
        print("score_parse: ../shared/data is not here; nothing to score")
        return
    if not os.path.exists(binary):
        sys.exit(f"score_parse: {binary} is not built")
    dates = rows("dates.jsonl")
    answers = ask(binary, "when", [{"text": r["text"], "now": r["reference_time"][:16]} for r in dates])
    score("dates", dates, answers, "tier", date_right, misses)
    sentences = rows("utterances.jsonl")
    answers = ask(binary, "parse", [{"text": r["text"], "now": NOW} for r in sentences])
    score("sentences", sentences, answers, "intent", intent_right, misses)
    false_writes = [
        (row, answer)
        for row, answer in zip(sentences, answers)
        if row["intent"] in SILENT and any(tool not in READS for tool in tools(answer))
    ]
    print(f"false writes: {len(false_writes)}")
    for row, answer in false_writes:
        print(f"  {row['intent']}: {row['text']!r} -> {json.dumps(answer)}")


if __name__ == "__main__":
    main()
