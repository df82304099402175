#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A hundred thousand updates, worked off inside 512 MB and half a core: nothing lost, nothing that grows.

    tests/soak/soak.py --build DIR [--updates N] [--database sqlite|postgres] [--unlimited]

32 people live the same small day over and over, each with one thing under way: water, a task, done, a question, a note,
a search, undo, undo, delete; two agents ask in a group and wait for the tap.  The rows of the first days are kept and those of
later days are not, so what is indexed stays the same and memory has no reason to grow: the median of its samples at the end is
at most 2 MB above that after 10,000.  Open files and threads stay what they were.  At the end rows are counted: every
message was answered once, every row is there, the queues are empty.  Exit code 0 when all of it holds.  tests/flow/flow_soak.py runs a short form in `make test`."""
import argparse
import asyncio
import contextlib
import os
import re
import signal
import statistics
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tests", "soak"), os.path.join(ROOT, "tests", "bench")]
import limits  # noqa: E402
from bench_program import database, scratch  # noqa: E402
from harness import Program, wait_until  # noqa: E402
from quick_telegram import PATIENCE_S, Line, QuickTelegram  # noqa: E402

SECRET, AGENT_SECRET = "soak-secret_1", "soak-agent-secret-0123456789"
TOKEN = "123456:SOAK-token-abcdefghijklmnopqrstuvwxyz"
FIRST_USER, GROUP = 1001, -5001
AGENTS = 2
GROWTH_MB, FDS_GROWTH, THREADS_GROWTH = 2, 8, 2  # some connections and threads begin with the first need of them
SAMPLE_EVERY = 250  # updates


def process_state(pid):
    """Resident kB (all, anonymous), threads, open files."""
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        fields = dict(line.split(":", 1) for line in f)
    number = {name: int(fields[name].split()[0]) for name in ("VmRSS", "RssAnon", "VmHWM", "Threads")}
    return {**number, "fds": len(os.listdir(f"/proc/{pid}/fd"))}


class Soak:
    """What was done, and what was seen meanwhile."""

    def __init__(self, updates, people):
        self.updates, self.people = updates, people
        self.telegram = QuickTelegram(SECRET)
        self.program = None
        self.said = self.taps = self.asked = self.days = 0
        self.days_kept = updates // 200
        self.samples = []  # (updates, state)
        self.told = 0
        self.how, self.limits = "", None

    @property
    def done(self):
        return self.telegram.update_ids

    def over(self):
        return self.done >= self.updates

    # ---- people ----

    async def say(self, line, user, text, expect):
        self.said += 1
        reply = await self.telegram.says(line, user, text, int(time.time()))
        assert expect in reply.text, f"{text!r} was answered with {reply.text!r}"
        self.sample()
        return reply

    async def tap(self, line, user, message, label):
        self.taps += 1
        return await self.telegram.tap(line, user, message, label)

    async def day(self, line, user):
        self.days += 1
        n, keep = self.days, self.days <= self.days_kept
        water = await self.say(line, user, "drank 250 ml of water", "250 ml")
        task = await self.say(line, user, f"add task: call number {n} about the garden", f"call number {n} ")
        await self.tap(line, user, task, "Done")
        await self.say(line, user, "how much water did I drink today?", "Water: ")
        note = await self.say(line, user, f"note: key number {n} hangs behind the door", f"key number {n} ")
        await self.say(line, user, f"search for key number {n}", f"key number {n} ")
        if keep:
            return
        await self.tap(line, user, water, "Undo")
        await self.tap(line, user, note, "Undo")
        await self.say(line, user, "delete task " + re.search(r"ID (\d+)", task.text)[1], "call number")

    async def person(self, user):
        line = Line(self.program.port)
        self.telegram.inboxes[user] = asyncio.Queue()
        while not self.over():
            await self.day(line, user)
        line.close()

    # ---- agents ----

    async def agent(self, name, cards):
        line, tapper = Line(self.program.port), Line(self.program.port)
        headers = {"Authorization": "Bearer " + AGENT_SECRET}
        while not self.over():
            self.asked += 1
            request_id = f"{name}-{self.asked}"
            body = {"project": name, "type": "blocking", "message": f"May {request_id} go on?", "buttons": ["Yes", "No"], "request_id": request_id}
            cards[request_id] = asyncio.get_running_loop().create_future()
            status, text = await line.call("POST", "/send", body, headers)
            assert status == 200, text
            held = asyncio.ensure_future(line.call("GET", f"/poll?request_id={request_id}&wait=60", headers=headers))
            card = await asyncio.wait_for(cards.pop(request_id), PATIENCE_S)
            await self.tap(tapper, FIRST_USER, card, "Yes")
            status, text = await held
            assert status == 200 and b'"responded"' in text, text
            await asyncio.sleep(0.2)
        line.close()
        tapper.close()

    async def team(self, cards):
        """What comes into the group."""
        inbox = self.telegram.inboxes[GROUP] = asyncio.Queue()
        while True:
            message = await inbox.get()
            found = re.search(r"May (\S+) go on\?", message.text)
            if found and found[1] in cards and message.buttons:
                cards[found[1]].set_result(message)

    # ---- watching ----

    def sample(self):
        if self.done < len(self.samples) * SAMPLE_EVERY:
            return
        state = process_state(self.program.process.pid)
        self.samples.append((self.done, state))
        if self.done >= self.told * self.updates / 10:
            self.told += 1
            print(f"    {self.done:7,} updates: resident {state['VmRSS'] / 1024:.2f} MB, its own {state['RssAnon'] / 1024:.2f} MB, "
                  f"{state['fds']} open files, {state['Threads']} threads", flush=True)

    @property
    def warm(self):
        """The share after which nothing may grow: 10,000 updates of the long form, half of a short one."""
        return min(max(10000 / self.updates, 0.1), 0.5)

    def around(self, share, name):
        """The median of a figure's samples near this share of the updates: half a minute, since memory is given back twice a minute."""
        middle, width = self.updates * share, max(self.updates * 0.06, 3 * SAMPLE_EVERY)
        return statistics.median(s[name] for at, s in self.samples if middle - width <= at <= middle + width)

    # ---- the whole ----

    @staticmethod
    def zone():
        """Where it is noon: a midnight in between would end what was drunk "today".  Etc/GMT-2 is two hours ahead."""
        behind = time.gmtime().tm_hour - 12
        return f"Etc/GMT{behind:+d}" if behind else "UTC"

    def environment(self, url):
        users = ",".join(str(FIRST_USER + i) for i in range(self.people))
        return {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_USER_ID": users, "TELEGRAM_API_BASE": url, "TELEGRAM_PACING": "local", "TZ": self.zone(),
                "WEBHOOK_SECRET_TOKEN": SECRET, "NOTIFY_SECRET": AGENT_SECRET, "NOTIFY_CHAT_ID": GROUP, "LOG_LEVEL": "warn"}

    async def run(self, binary, db, folder, limited):
        base = await self.telegram.start()
        path, self.how = limits.wrapper(binary, folder) if limited else (binary, "no limits")
        p = self.program = Program(path, db.url, folder, self.environment(base))
        p.env["PUBLIC_URL"] = f"http://127.0.0.1:{p.port}"
        p.start(healthy=False)
        if not self.how:
            self.limits = limits.Limits(p.process.pid)
            self.how = self.limits.name
        cards = {}
        team = asyncio.ensure_future(self.team(cards))
        try:
            await asyncio.to_thread(wait_until, self.ready, "a healthy start with a webhook", PATIENCE_S)
            begin = time.monotonic()
            await asyncio.gather(*(self.person(FIRST_USER + i) for i in range(self.people)),
                                 *(self.agent(f"agent{i}", cards) for i in range(AGENTS)))
            self.seconds = time.monotonic() - begin
            self.end = process_state(p.process.pid)
            self.wrong = await asyncio.to_thread(self.expect_rows, db)  # Telegram answers until the last message is out
        finally:
            team.cancel()
            self.telegram.close()

    def ready(self):
        assert self.program.alive(), self.program.log_text()
        return self.telegram.webhook and self.program.get("/health")[0] == 200

    def expect_rows(self, db):
        """What must be in the database when nothing was lost and nothing done twice."""
        wanted = {
            "SELECT count(*) FROM inbox": self.done,
            "SELECT count(*) FROM inbox WHERE state = 'done'": self.done,
            "SELECT count(*) FROM outbox WHERE state <> 'sent'": 0,
            "SELECT count(*) FROM tasks WHERE completed = 1": self.days,
            **{f"SELECT count(*) FROM {table}": self.days for table in ("tasks", "notes", "water_logs")},
            **{f"SELECT count(*) FROM {table} WHERE deleted_at IS NULL": self.days_kept for table in ("tasks", "notes", "water_logs")},
            "SELECT count(*) FROM requests": self.asked,
            "SELECT count(*) FROM requests WHERE state = 'responded' AND fetched_at IS NOT NULL": self.asked,
        }

        def differences():
            return [f"{sql}: {got}, not {want}" for sql, want in wanted.items() if (got := db.one(sql)) != want]
        with contextlib.suppress(AssertionError):  # the last answers are on their way, and then they are counted
            wait_until(lambda: not differences(), "the last rows", 30)
        wrong = differences()
        if self.telegram.again:
            wrong.append(f"{self.telegram.again} messages were sent again")
        if self.said + self.taps != self.done:
            wrong.append(f"{self.said} messages and {self.taps} taps are not {self.done} updates")
        return wrong

    def expect_flat(self, memory=True):
        wrong = []
        for name, most in (("fds", FDS_GROWTH), ("Threads", THREADS_GROWTH)) + ((("VmRSS", GROWTH_MB * 1024),) if memory else ()):
            first, last = self.around(self.warm, name), self.around(1, name)
            if last - first > most:
                wrong.append(f"{name} grew from {first:.0f} to {last:.0f}")
        return wrong


def size_mb(db):
    if db.kind == "postgres":
        return db.one("SELECT pg_database_size(current_database())") / 1e6
    return sum(os.path.getsize(db.path + end) for end in ("", "-wal") if os.path.exists(db.path + end)) / 1e6


def run(binary, db, folder, updates, people=32, limited=True, memory=True):
    """(the soak, what is wrong)."""
    s = Soak(updates, people)
    try:
        asyncio.run(s.run(os.path.abspath(binary), db, folder, limited))
        wrong = s.wrong + s.expect_flat(memory)
        s.size = size_mb(db)
        s.program.stop()
    finally:
        if s.program and s.program.alive():
            s.program.kill()
        if s.limits:
            s.limits.close()
    return s, wrong


def report(s, kind):
    mb = {name: (s.around(s.warm, name) / 1024, s.around(1, name) / 1024) for name in ("VmRSS", "RssAnon")}
    print(f"{s.done:,} updates on {kind} in {s.seconds:.0f} s ({s.done / s.seconds:.0f}/s), {s.how}\n"
          f"  {s.said:,} messages, {s.taps:,} taps, {s.asked:,} requests of agents, {s.telegram.calls:,} calls of the Bot API\n"
          f"  resident: {mb['VmRSS'][0]:.1f} MB after {s.updates * s.warm:,.0f}, {mb['VmRSS'][1]:.1f} MB at the end ({mb['VmRSS'][1] - mb['VmRSS'][0]:+.2f}), "
          f"its own {mb['RssAnon'][0]:.1f} → {mb['RssAnon'][1]:.1f} MB, never above {s.end['VmHWM'] / 1024:.1f} MB\n"
          f"  open files {s.around(s.warm, 'fds'):.0f} → {s.around(1, 'fds'):.0f}, threads {s.around(s.warm, 'Threads'):.0f} → {s.around(1, 'Threads'):.0f}\n"
          f"  database {s.size:.1f} MB, {s.size * 1e6 / s.done:.0f} bytes an update", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--updates", type=int, default=100000)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--unlimited", action="store_true")
    o = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and clean up
    with scratch() as folder, database(o.database, folder) as db:
        if db is None:
            sys.exit("no PostgreSQL here")
        s, wrong = run(os.path.join(o.build, "steward"), db, folder, o.updates, limited=not o.unlimited)
        report(s, o.database)
    for line in wrong:
        print("  WRONG: " + line)
    print("soak: " + ("FAILED" if wrong else "ok"))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
