#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Message → sendMessage, beside a minimal grammY + better-sqlite3 bot that does the same job in the same run.

    tests/bench/bench_reply.py --build DIR [--rounds N] [--seconds S]

The job: "add task: …" becomes a row, the answer tells it.  Telegram is bench_chats, which answers at once; steward's pace is
TELEGRAM_PACING=local, as for a local Bot API server.  The time of a message is from the write of its POST to the arrival of its
sendMessage: with one chat (latency) and with 32 chats (throughput), each chat one message at a time.  Rounds alternate, and who is
not measured stands still; medians.  When its sendMessage arrives steward has committed the update, the task with the reply,
and the claim of the reply, each with an fsync, on PostgreSQL too.  The counterpart commits its task with an fsync (SQLite's
defaults); nothing else of it is durable.  In WAL mode better-sqlite3 commits without an fsync and loses what it has answered
when the power fails: shown, without a goal."""
import argparse
import contextlib
import os
import sys

from bench_program import (SECRET, Chats, Steward, database, free_port, freeze, middle, peers_install, running, say, scratch,
                           spread, verdict, HERE)

CHATS_LOADED = 32
P50_GOAL, RATE_GOAL = 1.5, 2.0  # at most × the counterpart's p50, at least × its messages a second; on SQLite
PEERS = {"grammY + better-sqlite3": "default", "the same in WAL mode": "WAL"}


@contextlib.contextmanager
def counterpart(build, modules, journal):
    """grammY + better-sqlite3 with a Telegram of its own: (chats, pid)."""
    port = free_port()
    chats = Chats(build, port, "/")
    try:
        with scratch() as folder, running(["node", HERE / "peers" / "reply.mjs", modules, port, chats.url, SECRET,
                                           os.path.join(folder, "peer.db"), journal],
                                          env=dict(os.environ, NODE_ENV="production")) as p:
            yield chats, p.pid
    finally:
        chats.close()


def measure(bots, rounds, seconds):
    """name → (rounds with one chat, rounds with 32); while one is measured the others stand still."""
    out = {name: ([], []) for name in bots}
    for _, pid in bots.values():
        freeze(pid, True)
    for _ in range(rounds):
        for name, (chats, pid) in bots.items():
            freeze(pid, False)
            out[name][0].append(chats.round(1, 0.3, seconds))
            out[name][1].append(chats.round(CHATS_LOADED, 0.5, seconds))
            freeze(pid, True)
    for _, pid in bots.values():
        freeze(pid, False)
    return out


def report(out):
    figures = {}
    for name, (one, many) in out.items():
        figures[name] = middle([r["p50_ms"] for r in one]), middle([r["rate"] for r in many])
        say(f"  {name:<24} one chat: p50 {figures[name][0]:6.2f} ms  p99 {middle([r['p99_ms'] for r in one]):6.2f} ms   "
            f"{CHATS_LOADED} chats: {figures[name][1]:7.0f} messages/s  p50 {middle([r['p50_ms'] for r in many]):6.1f} ms  "
            f"p99 {middle([r['p99_ms'] for r in many]):6.1f} ms   (rounds: {spread([r['rate'] for r in many], '{:.0f}')})")
        lost = sum(r["waiting"] for r in one + many)
        share = max(r["cpu_share"] for r in one + many)
        if lost or share > 0.9:
            say(f"    {lost:.0f} messages without an answer; the load itself used {share:.0%} of a core")
    for peer, journal in PEERS.items():
        if peer not in figures:
            continue
        p50, rate = figures[peer]
        for name in ("steward on SQLite", "steward on PostgreSQL"):
            if name in figures:
                mine, speed = figures[name]
                goal = journal == "default" and name == "steward on SQLite"
                say(f"  {name}, against {peer}: p50 {mine / p50:.2f} ×" +
                    (f" (goal at most {P50_GOAL}: {verdict(mine <= P50_GOAL * p50)})" if goal else "") +
                    f", messages/s {speed / rate:.2f} ×" +
                    (f" (goal at least {RATE_GOAL:g}: {verdict(speed >= RATE_GOAL * rate)})" if goal else ""))


def bench(build, rounds=5, seconds=2.0):
    say("\nmessage → sendMessage")
    with contextlib.ExitStack() as stack:
        bots = {}
        for kind, name in (("sqlite", "steward on SQLite"), ("postgres", "steward on PostgreSQL")):
            folder = stack.enter_context(scratch())
            db = stack.enter_context(database(kind, folder))
            if db:
                s = Steward(build, db, folder)
                stack.callback(s.close)
                s.start()
                bots[name] = s.chats, s.pid
        modules = peers_install(build)
        for name, journal in PEERS.items():
            try:
                bots[name] = stack.enter_context(counterpart(build, modules, journal)) if modules else None
            except OSError as e:
                say(f"  {e}")
            if not bots.get(name):
                bots.pop(name, None)
                say(f"  NOT COMPARED: {name} cannot be had on this machine (see above)")
        report(measure(bots, rounds, seconds))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    o = parser.parse_args()
    bench(os.path.abspath(o.build), o.rounds, o.seconds)


if __name__ == "__main__":
    sys.exit(main())
