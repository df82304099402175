#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Agents who wait: 10,000 held polls, what each of them costs, and how soon a tap reaches its poll.

    tests/bench/bench_agents.py --build DIR [--polls N] [--taps N] [--databases sqlite,postgres]

bench_polls is all of the agents (each on a connection of its own, polling again when a poll ends), the person who taps, and a
Telegram that answers at once.  1,000 questions are open; 300 have one agent each and are answered, the rest is shared by the others.
The memory of a waiting agent is the process' RSS with all of them waiting, less its RSS when the questions were there and nobody
waited, by their number: once with everybody's first poll held, and once after each has polled five times more, which is what stays.
The kernel's socket buffers belong to no process and are in none of the figures.  The counterparts hold the same polls in memory.
The time of a tap is from before the write of the webhook's POST to the read of the answer on the held poll, in one process by one clock;
in between the update is committed, taken up by a worker, and the decision is committed with an fsync (PostgreSQL too); meanwhile
the other polls are renewed.  Taps come one at a time, and ten at once from one person: those are worked on one after the other."""
import argparse
import contextlib
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import time

from bench_program import (SECRET, TOKEN, HERE, Program, database, free_port, middle, running, say, scratch, spread, verdict, wait_until)

BEARER = "bench-agents-secret-0123456789"
OWNER = 1001
QUESTIONS, CYCLES = 1000, 5
ROUNDS, PAUSE_MS = 4, 40  # of taps, after one that does not count
KB_GOAL, P99_GOAL_MS = 14, 25


def rss_kb(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("Rss:"))


class Agents:
    """bench_polls: commands and their figures."""

    def __init__(self, build, server_port, api_port=None):
        self.api_port = api_port or free_port()
        self.process = subprocess.Popen([str(pathlib.Path(build) / "bench" / "bench_polls"), str(self.api_port), str(server_port), SECRET,
                                         BEARER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def do(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        words = self.process.stdout.readline().split()
        if not words:
            raise OSError("the benchmark's agents have ended")
        r = dict(zip(words[::2], words[1::2]))
        if "gave_up" in r or r["wrong"] != "0":
            raise OSError(f"the benchmark's agents, {command}: {r}")
        return {k: [float(t) for t in v.split(",")] if k == "times" else float(v) for k, v in r.items()}

    def close(self):
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        self.process.wait()


def hold(agents, pid, polls, taps, held=None):
    """RSS in kB before, with everybody's first poll, after CYCLES more; everybody waits for the better part of a minute then."""
    kb = [rss_kb(pid)]
    began = agents.do(f"hold {polls} {taps} 15000 25000")
    if held:
        wait_until(lambda: held() == polls, "the polls to be held")
    else:
        time.sleep(2)
    kb.append(rss_kb(pid))
    agents.do(f"hold {polls} {taps} 2000 6000")
    wait_until(lambda: agents.do(f"hold {polls} {taps} 2000 6000")["renewed"] - began["renewed"] >= CYCLES * polls or time.sleep(0.5),
               "the polls to be renewed", 180)
    agents.do(f"hold {polls} {taps} 20000 60000")
    time.sleep(7)
    if held:
        wait_until(lambda: held() >= polls * 0.99, "the polls to be held")
    kb.append(rss_kb(pid))
    return kb


def say_memory(name, kb, polls, against=None):
    each = [(k - kb[0]) / polls for k in kb[1:]]
    say(f"  {name:<24} RSS {kb[0]:7,} kB idle, {kb[1]:8,} kB with {polls:,} first polls ({each[0]:5.2f} kB each), {kb[2]:8,} kB after "
        f"{CYCLES} more ({each[1]:5.2f} kB each)" + (f": {each[1] / against:.1f} ×" if against else
                                                    f"   goal {KB_GOAL} kB: {verdict(max(each) <= KB_GOAL)}"))
    return each[1]


def p(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def say_times(name, times, share):
    words = []
    for what, rounds in times.items():
        every = sorted(t for r in rounds for t in r)
        words.append(f"{what} p50 {middle(every):5.2f} p99 {p(every, .99):6.2f} max {every[-1]:6.2f} ms (rounds' p99: "
                     f"{spread([p(r, .99) for r in rounds], '{:.1f}')}; goal {P99_GOAL_MS}: {verdict(p(every, .99) <= P99_GOAL_MS)})")
    say(f"  {name:<24} tap → poll, {'; '.join(words)}")
    if share > 0.9:
        say(f"    the load itself used {share:.0%} of a core")


class Steward:
    def __init__(self, build, db, folder):
        api_port = free_port()
        self.program = Program(str(pathlib.Path(build) / "steward"), db.url, folder, {
            "TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_USER_ID": OWNER, "TELEGRAM_PACING": "local", "NOTIFY_SECRET": BEARER,
            "TELEGRAM_API_BASE": f"http://127.0.0.1:{api_port}", "WEBHOOK_SECRET_TOKEN": SECRET, "LOG_LEVEL": "warn"})
        self.program.env["PUBLIC_URL"] = f"http://127.0.0.1:{self.program.port}"
        self.agents = Agents(build, self.program.port, api_port)
        self.db = db

    def start(self):
        self.program.start(healthy=False)
        wait_until(self.healthy, "a healthy start")

    def healthy(self):
        if not self.program.alive():
            raise AssertionError(f"the program ended with {self.program.process.returncode}:\n{self.program.log_text()}")
        return self.program.get("/health")[0] == 200

    @property
    def pid(self):
        return self.program.process.pid

    def held(self):
        _, text, _ = self.program.get("/metrics", {"Authorization": "Bearer " + BEARER})
        return next(int(float(line.split()[1])) for line in text.splitlines() if line.startswith("steward_agents_held "))

    def idle(self):
        return not self.db.rows("SELECT 1 FROM outbox WHERE state IN ('available', 'sending') LIMIT 1")

    def close(self):
        if self.program.alive():
            self.program.kill()
        else:
            say(f"  the program ended with {self.program.process.returncode}: {self.program.log_text()[-1500:]}")
        self.agents.close()


def tap(s, taps):
    """Rounds of times, by how many taps come at once; and the load's share of a core.  The rows must say what the agents heard."""
    times, share, heard = {"one at a time": [], "ten at once": []}, 0, 0
    each = taps // (ROUNDS + 1) // 20 * 10
    for i in range(ROUNDS + 1):
        for rounds, burst in zip(times.values(), (1, 10)):
            r = s.agents.do(f"tap {each} {burst} {PAUSE_MS}")
            heard += len(r["times"])
            share = max(share, r["cpu_share"])
            if i > 0:  # in the first each connection to the database prepares its statements
                rounds.append(r["times"])
    answered = s.db.one("SELECT count(*) FROM requests WHERE state = 'responded' AND response = 'Yes' AND how = 'tap'")
    if answered != heard:
        say(f"    {heard} agents heard an answer, {answered} rows hold one")
    return times, share


def bench_steward(build, kind, polls, taps):
    """kB of a waiting agent; None without such a database."""
    name = "steward on SQLite" if kind == "sqlite" else "steward on PostgreSQL"
    with scratch() as folder, database(kind, folder) as db:
        if not db:
            return None
        s = Steward(build, db, folder)
        try:
            s.start()
            s.agents.do(f"ask {QUESTIONS}")
            wait_until(s.idle, "all cards to be out")
            time.sleep(1)
            each = say_memory(name, hold(s.agents, s.pid, polls, taps, s.held), polls)
            say_times(name, *tap(s, taps))
            return each
        finally:
            s.close()


def bench_peer(build, name, command, polls, against):
    port = free_port()
    with running([a if a != "PORT" else port for a in command]) as peer:
        agents = Agents(build, port)
        try:
            say_memory(name, hold(agents, peer.pid, polls, 0), polls, against)
        finally:
            agents.close()


def peers():
    out = {}
    if shutil.which("node"):
        out["Node's http"] = ["node", HERE / "peers" / "polls.mjs", "PORT"]
    else:
        say("  NOT COMPARED: Node cannot be had on this machine")
    if subprocess.run(["/usr/bin/python3", "-c", "import aiohttp"], capture_output=True, check=False).returncode == 0:
        out["aiohttp"] = ["/usr/bin/python3", HERE / "peers" / "polls_aiohttp.py", "PORT"]
    else:
        say("  NOT COMPARED: aiohttp is not installed (Debian: python3-aiohttp)")
    return out


def bench(build, polls=10000, taps=300, kinds=("sqlite", "postgres")):
    room = resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 1000
    if room < polls:
        say(f"\nonly {room} descriptors here")
        polls = room
    say(f"\nagents who wait: {polls:,} held polls, {taps} taps (load average {os.getloadavg()[0]:.1f})")
    each = [bench_steward(build, kind, polls, taps) for kind in kinds]
    for name, command in peers().items():
        with contextlib.suppress(OSError):
            bench_peer(build, name, command, polls, max(e for e in each if e))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--polls", type=int, default=10000)
    parser.add_argument("--taps", type=int, default=300)
    parser.add_argument("--databases", default="sqlite,postgres")
    o = parser.parse_args()
    bench(os.path.abspath(o.build), o.polls, o.taps, o.databases.split(","))


if __name__ == "__main__":
    sys.exit(main())
