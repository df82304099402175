#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The fixed part of every request to a model: system prompt and tools, as they reach the fake model.

    tests/bench/bench_prompt.py --build DIR

Two estimates of their tokens.  "bytes / 4" is the usual rule.  "pieces" is stricter and closer to how tokenisers cut: words (each
further 8 letters one more), numbers in threes, each run of punctuation; spaces ride along.  The goal holds for the larger one."""
import argparse
import json
import os
import re
import sys
import uuid

from bench_program import ROOT, Database, Program, say, scratch, verdict, wait_until

sys.path.insert(0, str(ROOT / "tests" / "fakes"))
from models import FakeModels  # noqa: E402

TOKENS_MAX = 2500
PIECE = re.compile(r"([A-Za-z]+)|\d{1,3}|[^\sA-Za-z\d]+")


def pieces(text):
    return sum(1 + (len(m.group(1) or "") - 1) // 8 if m.group(1) else 1 for m in PIECE.finditer(text))


def fixed_part(build):
    """(system, tools) of the first request, as text."""
    with scratch() as folder, FakeModels() as models:
        db = Database("sqlite", folder)
        p = Program(os.path.join(build, "steward"), db.url, folder,
                    {"ANTHROPIC_API_KEY": "test-key-anthropic", "ANTHROPIC_BASE_URL": models.anthropic_url, "LOG_LEVEL": "warn"})
        p.start(healthy=False)
        try:
            wait_until(lambda: p.get("/health")[0] == 200, "a healthy start")
            p.request("POST", "/console/message", json.dumps({"id": str(uuid.uuid4()), "text": "Hmm, what do you make of all this?"}),
                      {"Content-Type": "application/json", "Origin": f"http://127.0.0.1:{p.port}"})
            wait_until(lambda: [r for r in models.requests if r["kind"] != "embeddings"], "a request to the model")
        finally:
            p.kill()
        body = next(r["body"] for r in models.requests if r["kind"] != "embeddings")
    system = body["system"]
    if not isinstance(system, str):
        system = "\n".join(part["text"] for part in system)
    return system, json.dumps(body["tools"], separators=(",", ":"), ensure_ascii=False), len(body["tools"])


def bench(build):
    say("\nfixed prompt (system and tools)")
    system, tools, count = fixed_part(build)
    size = len((system + tools).encode())
    quarter, cut = -(-size // 4), pieces(system) + pieces(tools)
    say(f"  system {len(system.encode())} bytes, {count} tools {len(tools.encode())} bytes: {quarter} tokens by bytes / 4, {cut} by pieces "
        f"(goal at most {TOKENS_MAX}: {verdict(max(quarter, cut) <= TOKENS_MAX)})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    o = parser.parse_args()
    bench(os.path.abspath(o.build))


if __name__ == "__main__":
    sys.exit(main())
