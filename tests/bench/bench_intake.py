#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Webhook intake under load, beside a grammY and a python-telegram-bot webhook that keep nothing.

    tests/bench/bench_intake.py --build DIR [--rounds N] [--seconds S]

wrk posts updates with ids that never repeat over 64 connections.  steward answers when the row is on disk (an fsync, shared by
what came in meanwhile; PostgreSQL with fsync on); the counterparts answer from memory.  What is measured is the intake alone, but nothing
is switched off for it: all share the machine's cores with wrk, and steward's workers go on answering the updates that are there
(the share of them done by the end of the load is printed), on a fresh database in each round.  The counterparts' handlers
count, and are through with each update.  Rounds alternate; medians."""
import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import time

from bench_program import (SECRET, Steward, database, free_port, middle, peers_install, running, say, scratch, spread, verdict, HERE)

CONNECTIONS = 64
# At least × their updates a second; the p99 must be under theirs.
GOALS = {("sqlite", "grammY"): 2.5, ("postgres", "grammY"): 1.5, ("sqlite", "python-telegram-bot"): 10}


def load(port, path, seconds, first_id):
    """name → value of one run of wrk; None when it failed."""
    done = subprocess.run(["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(HERE / "updates.lua"),
                           f"http://127.0.0.1:{port}{path}", "--", SECRET, str(first_id)], capture_output=True, text=True,
                          timeout=seconds + 60, check=False)
    for line in done.stdout.splitlines():
        if line.startswith("RESULT"):
            words = line.split()[1:]
            return dict(zip(words[::2], map(float, words[1::2])))
    say(f"  wrk: {(done.stderr or done.stdout).strip()[-300:]}")
    return None


def taken_in(db):
    """Updates that are on disk: as rows, or staged in the flood."""
    return int(db.one("SELECT (SELECT count(*) FROM inbox) + (SELECT coalesce(sum(posts), 0) FROM inbox_staging)"))


def steward(build, kind, seconds):
    with scratch() as folder, database(kind, folder) as db:
        if not db:
            return None
        s = Steward(build, db, folder)
        try:
            s.start()
            load(s.port, "/telegram-webhook", 1, 1)
            before = taken_in(db)
            r = load(s.port, "/telegram-webhook", seconds, 100000000)
            if r:
                r["done"] = db.one("SELECT count(*) FROM inbox WHERE state = 'done'")
                r["lost"] = before + r["requests"] - taken_in(db)
            return r
        finally:
            s.close()


def peer(args, path, seconds):
    port = free_port()
    with running([a if a != "PORT" else port for a in args], env=dict(os.environ, NODE_ENV="production")):
        load(port, path, 1, 1)
        return load(port, path, seconds, 100000000)


def ptb_there():
    return subprocess.run(["/usr/bin/python3", "-c", "import telegram.ext"], capture_output=True, check=False).returncode == 0


def contestants(build, seconds):
    """name → function that runs one round."""
    out = {"sqlite": lambda: steward(build, "sqlite", seconds), "postgres": lambda: steward(build, "postgres", seconds)}
    modules = peers_install(build)
    if modules:
        out["grammY"] = lambda: peer(["node", HERE / "peers" / "intake.mjs", modules, "PORT", SECRET], "/", seconds)
    else:
        say("  NOT COMPARED: grammY cannot be had on this machine (see above)")
    if ptb_there():
        out["python-telegram-bot"] = lambda: peer(["/usr/bin/python3", HERE / "peers" / "intake_ptb.py", "PORT"], "/hook", seconds)
    else:
        say("  NOT COMPARED: python-telegram-bot is not installed (Debian: python3-python-telegram-bot)")
    return out


def report(rounds):
    names = {"sqlite": "steward on SQLite", "postgres": "steward on PostgreSQL"}
    rate = {k: middle([r["rate"] for r in v]) for k, v in rounds.items()}
    p99 = {k: middle([r["p99_ms"] for r in v]) for k, v in rounds.items()}
    for name, v in rounds.items():
        say(f"  {names.get(name, name):<24} {rate[name]:8.0f} updates/s  p50 {middle([r['p50_ms'] for r in v]):6.2f} ms  "
            f"p99 {p99[name]:7.2f} ms   (rounds: {spread([r['rate'] for r in v], '{:.0f}')})" +
            (f"; {middle([r['done'] for r in v]):.0f} answered meanwhile" if "done" in v[0] else ""))
        if any(r["errors"] or r.get("lost", 0) > CONNECTIONS for r in v):
            say(f"    errors {[r['errors'] for r in v]}, acknowledged and not there {[r.get('lost') for r in v]}")
    for mine in names:
        for name in ("grammY", "python-telegram-bot"):
            if mine in rounds and name in rounds:
                ratio, goal = rate[mine] / rate[name], GOALS.get((mine, name))
                say(f"  {names[mine]}, against {name}: {ratio:.2f} ×" + (f" (goal {goal:g}: {verdict(ratio >= goal)})" if goal else "") +
                    f", p99 {p99[mine] / p99[name]:.2f} × (goal under 1: {verdict(p99[mine] < p99[name])})")


def bench(build, rounds=3, seconds=4):
    say("\ndurable webhook intake, 64 connections")
    if not shutil.which("wrk"):
        say("  NOT MEASURED: wrk is not installed (Debian: wrk)")
        return
    who, results = contestants(build, seconds), {}
    for _ in range(rounds):
        for name, run in who.items():
            with contextlib.suppress(OSError):
                r = run()
                if r:
                    results.setdefault(name, []).append(r)
            time.sleep(0.5)
    report(results)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4)
    o = parser.parse_args()
    bench(os.path.abspath(o.build), o.rounds, o.seconds)


if __name__ == "__main__":
    sys.exit(main())
