#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Memory at rest, the time to a healthy start, and memory after many updates, on SQLite.

    tests/bench/bench_memory.py --build DIR [--rounds N] [--updates N]

Idle: resident memory five seconds after the start, with Telegram by webhook, and what of it is the process's own (the rest
are clean pages of files, shared with the page cache; steward lets go of those that only its start touched): on a fresh
database, and on one with 10,000 rows.  Beside it, without a goal: the latter after the first message, when the rows stand in
the search index.  Start: from exec to the
first 200 of /health, on the database with 10,000 rows.  Growth: resident memory after 100,000 updates, all worked off and
answered, against that after 10,000; they come from 32 chats, one under way in each, and ask for the list of tasks: what
is written down besides would grow the index by about 2 KB a row, by design."""
import argparse
import contextlib
import os
import socket
import sqlite3
import sys
import time

from bench_program import Steward, database, middle, rss_kb, say, scratch, spread, verdict

IDLE_MB, START_MS, GROWTH_MB = 15, 100, 2
ROWS = 10000
CHATS_LOADED = 32
TEXT = "/tasks"


def resident(pid):
    """(all, own) megabytes."""
    own = 0
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        for line in f:
            if line.startswith(("Private_Dirty:", "Anonymous:")):
                own = max(own, int(line.split()[1]))
    return rss_kb(pid) / 1024, own / 1024


def healthy_ms(steward):
    """Start it; milliseconds until /health says 200.  Asked over a plain socket every millisecond."""
    request = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    begin = time.perf_counter()
    steward.program.start(healthy=False)
    while time.perf_counter() - begin < 30:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", steward.port), 1) as s:
            s.sendall(request)
            if s.recv(64).startswith(b"HTTP/1.1 200"):
                return (time.perf_counter() - begin) * 1000
        time.sleep(0.001)
    raise AssertionError("it does not become healthy")


def fill(path):
    """10,000 rows of what people keep."""
    with contextlib.closing(sqlite3.connect(path, timeout=10)) as c, c:
        user = c.execute("SELECT id FROM users ORDER BY id LIMIT 1").fetchone()[0]
        c.executemany("INSERT INTO tasks (user_id, content, created_date) VALUES (?, ?, '2026-01-05T08:00:00Z')",
                      [(user, f"call number {i} about the garden") for i in range(ROWS // 2)])
        c.executemany("INSERT INTO notes (user_id, content, created_date) VALUES (?, ?, '2026-01-05T08:00:00Z')",
                      [(user, f"the key number {i} hangs behind the door") for i in range(ROWS // 2)])


def start_and_idle(build, rounds):
    with scratch() as folder, database("sqlite", folder) as db:
        times, idle, filled = [], [], []
        s = Steward(build, db, folder)
        for _ in range(rounds):
            healthy_ms(s)
            time.sleep(5)
            idle.append(resident(s.pid))
            s.kill()
        healthy_ms(s)
        s.chats.round(1, 0, 0.3)
        s.kill()
        fill(db.path)
        healthy_ms(s)
        time.sleep(3)  # the built-in embedder goes through the rows once
        s.program.stop()  # and its snapshot is written
        for _ in range(rounds):
            times.append(healthy_ms(s))
            time.sleep(5)
            filled.append(resident(s.pid))
            s.program.stop()
        s.start()
        s.chats.round(1, 0, 0.1)
        time.sleep(5)
        used = resident(s.pid)
        s.close()
    for name, list_ in (("a fresh database", idle), (f"{ROWS:,} rows", filled)):
        mb, own = middle([i[0] for i in list_]), middle([i[1] for i in list_])
        say(f"  idle, {name}: {mb:.1f} MB resident, {own:.1f} MB of it its own (goal at most {IDLE_MB}: {verdict(mb <= IDLE_MB)})")
    ms = middle(times)
    say(f"  in use, {ROWS:,} rows in the index: {used[0]:.1f} MB, {used[1]:.1f} MB its own")
    say(f"  start to healthy with {ROWS:,} rows: {ms:.0f} ms (goal at most {START_MS}: {verdict(ms <= START_MS)})   "
        f"(rounds: {spread(times, '{:.0f}')})")


def growth(build, updates):
    with scratch() as folder, database("sqlite", folder) as db:
        s = Steward(build, db, folder)
        s.start()
        done, first = 0, 0
        while done < updates:
            r = s.chats.round(CHATS_LOADED, 0, 2, TEXT)
            if r["waiting"]:
                say(f"    {r['waiting']:.0f} updates were not answered")
            done = db.one("SELECT count(*) FROM inbox WHERE state = 'done'")
            if not first and done >= updates // 10:
                first, first_mb = done, rss_kb(s.pid) / 1024
        last_mb = rss_kb(s.pid) / 1024
        s.close()
    say(f"  after {first:,} updates {first_mb:.1f} MB, after {done:,} {last_mb:.1f} MB: {last_mb - first_mb:+.1f} MB "
        f"(goal within {GROWTH_MB}: {verdict(last_mb - first_mb <= GROWTH_MB)})")


def bench(build, rounds=5, updates=100000):
    say("\nmemory and start")
    start_and_idle(build, rounds)
    growth(build, updates)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--updates", type=int, default=100000)
    o = parser.parse_args()
    bench(os.path.abspath(o.build), o.rounds, o.updates)


if __name__ == "__main__":
    sys.exit(main())
