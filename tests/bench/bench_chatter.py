#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Fifty agents at full chatter for an hour, in one group with topics, where Telegram takes 20 messages and edits a minute.

    tests/bench/bench_chatter.py --build DIR [--agents N] [--minutes M] [--speed X]

The program is the real one, on SQLite; bench_clock makes its clocks run X times faster and its waits as much shorter, and the strict
fake Telegram (limits on) counts in windows X times shorter, less 50 real milliseconds: by so much a busy machine may shift two requests.
All times below are the program's.  Each agent has a project and so a topic of its own, tells a heartbeat every 10 s and a milestone
every minute, and asks every 10 minutes; somebody answers within the minute after the card.  What is judged: no 429 at all, and that a
card waits at most 3 s while the group has room (fewer than 20 in the minute before, and its pace of a message a second).  What is
told: how many messages the heartbeats (one that is edited) and the milestones (which share messages) became, and how many rows waited.
The pace of the hour is that of bench_clock; --speed 1 is real time."""
import argparse
import concurrent.futures
import heapq
import http.client
import json
import os
import pathlib
import random
import re
import sys
import threading
import time

from bench_program import SECRET, TOKEN, ROOT, Database, Program, middle, say, scratch, verdict, wait_until

sys.path.insert(0, str(ROOT / "tests" / "fakes"))
from telegram import FakeTelegram  # noqa: E402
from telegram_limits import Limits  # noqa: E402

BEARER = "bench-agents-secret-0123456789"
OWNER, GROUP, PER_MINUTE = 42, -1001, 20
HEARTBEAT_S, MILESTONE_S, QUESTION_S = 10, 60, 600
ANSWER_S = (5, 60)
CARD_GOAL_S = 3
SENDS_AT_ONCE = 32
JITTER_S = 0.05  # real seconds: two requests may come this much closer together than they left


class FastLimits(Limits):
    """Limits by the program's clock.  A machine's hiccups grow with the speed: what they shift is no fault of the sender's."""

    def __init__(self, speed):
        begun = time.monotonic()
        super().__init__(on=True, clock=lambda: (time.monotonic() - begun) * speed, tolerance=0.1 + JITTER_S * speed)
        self.jitter, self.refused = JITTER_S * speed, []

    def check(self, chat_id, message):
        times = self.group.get(chat_id, ())
        while times and times[0] <= self.clock() - 60 + self.jitter:
            times.popleft()
        wait = super().check(chat_id, message)
        if wait:
            self.refused.append(f"at {self.clock():.1f} s: {len(times)} in the minute, {self.tokens.get(chat_id, (3,))[0]:.1f} tokens, wait {wait}")
        return wait


class Chatter:
    """The agents and the person; `now` is the program's clock in seconds."""

    def __init__(self, program, telegram, agents, speed):
        self.program, self.telegram, self.agents, self.speed = program, telegram, agents, speed
        self.begun = time.time()
        self.told = {"heartbeat": 0, "milestone": 0, "blocking": 0}
        self.asked, self.errors, self.taps = {}, [], []
        self.local, self.lock, self.random = threading.local(), threading.Lock(), random.Random(1)

    @property
    def now(self):
        return self.at(time.time())

    def at(self, wall):
        return (wall - self.begun) * self.speed

    def post(self, body):
        c = getattr(self.local, "connection", None)
        for fresh in (False, True):
            if c is None or fresh:
                c = self.local.connection = http.client.HTTPConnection("127.0.0.1", self.program.port, timeout=60)
            try:
                c.request("POST", "/send", json.dumps(body), {"Authorization": "Bearer " + BEARER})
                answer = c.getresponse()
                return answer.status, answer.read()
            except (http.client.HTTPException, OSError):
                if fresh:
                    raise

    def tell(self, agent, kind):
        body = {"project": f"project-{agent}", "type": kind}
        with self.lock:
            self.told[kind] += 1
            number = self.told[kind]
        body["message"] = f"{kind.capitalize()} #{number}#"
        if kind == "blocking":
            body["buttons"] = ["Yes", "No"]
            self.asked[number] = self.now
        body["request_id"] = f"{kind}-{number}"
        status, text = self.post(body)
        if status != 200:
            self.errors.append((status, text))

    def answer_some(self):
        """The person: every open card some time after it came."""
        for m in self.telegram.messages(GROUP, from_bot=True):
            if m.keyboard and m.id not in self.local.__dict__.setdefault("seen", set()):
                self.local.seen.add(m.id)
                heapq.heappush(self.taps, (self.now + self.random.uniform(*ANSWER_S), m.id, m))
        while self.taps and self.taps[0][0] <= self.now:
            m = heapq.heappop(self.taps)[2]
            if m.keyboard:
                self.telegram.user_taps(m, "Yes", OWNER)

    def run(self, seconds, every_minute):
        events, minute = [], 0
        for agent in range(self.agents):
            for kind, pause in (("heartbeat", HEARTBEAT_S), ("milestone", MILESTONE_S), ("blocking", QUESTION_S)):
                heapq.heappush(events, (self.random.uniform(0, pause), agent, kind, pause))
        with concurrent.futures.ThreadPoolExecutor(SENDS_AT_ONCE) as pool:
            while self.now < seconds:
                while events[0][0] <= self.now:
                    at, agent, kind, pause = heapq.heappop(events)
                    pool.submit(self.tell, agent, kind)
                    heapq.heappush(events, (at + pause, agent, kind, pause))
                self.answer_some()
                if self.now >= 60 * minute:
                    minute += 1
                    every_minute()
                time.sleep(0.25 / self.speed)


def group_calls(telegram, chatter):
    """[(when, text)] of what counted in the group's minute, in order; and the refusals for pace."""
    counted, refused = [], 0
    for call in list(telegram.calls):
        if str(call.params.get("chat_id")) != str(GROUP):
            continue
        refused += call.code == 429
        if call.code == 200 and call.method.lower() in ("sendmessage", "editmessagetext", "editmessagereplymarkup", "createforumtopic"):
            counted.append((chatter.at(call.at + call.elapsed), call.method, call.params))
    return sorted(counted, key=lambda c: c[0]), refused


def paced(calls):
    """The stretches in which the chat's pace (one message a second after a burst of three; edits are free) lets no message go."""
    out, due = [], 0
    for t, method, _ in calls:
        if not method.lower().startswith("edit"):
            due = max(due, t) + 1
            if due - 2 > t:
                out.append((t, due - 2))
    return out


def with_room(times, pauses, begin, end):
    """Seconds of begin..end in which both limits let a message go: fewer than PER_MINUTE in the minute before, and the pace."""
    points = sorted({begin, end, *(p for t in times for p in (t, t + 60) if begin < p < end),
                     *(p for pause in pauses for p in pause if begin < p < end)})
    return sum(b - a for a, b in zip(points, points[1:])
               if sum(1 for t in times if a - 60 < t <= a) < PER_MINUTE and not any(f <= a < u for f, u in pauses))


def report(telegram, chatter, seconds, depths, took_s):
    calls, refused = group_calls(telegram, chatter)
    times, pauses = [t for t, _, _ in calls], paced(calls)
    waited, roomy, shown, messages, number = [], [], 0, 0, re.compile(r"Blocking #(\d+)#")
    for t, method, params in calls:
        text = str(params.get("text", ""))
        blocking = number.search(text)
        if method == "sendMessage" and blocking:
            asked = chatter.asked[int(blocking[1])]
            waited.append(t - asked)
            roomy.append(with_room(times, pauses, asked, t))
        milestones = len(re.findall(r"Milestone #\d+#", text))
        shown, messages = shown + milestones, messages + (milestones > 0)
    late = [n for n, t in chatter.asked.items() if t < seconds - 60]
    out = {int(number.search(str(p.get("text", "")))[1]) for _, m, p in calls if m == "sendMessage" and number.search(str(p.get("text", "")))}
    never = [n for n in late if n not in out]
    beats = sum("Heartbeat #" in str(p.get("text", "")) for _, _, p in calls)
    beat_messages = sum(m == "sendMessage" and "Heartbeat #" in str(p.get("text", "")) for _, m, p in calls)
    fullest = max((sum(1 for x in times if t - 60 < x <= t) for t in times), default=0)
    say(f"  {seconds / 60:.0f} minutes in {took_s:.0f} s: {len(calls)} messages and edits in the group, {fullest} in the fullest minute; "
        f"429: {refused} (goal 0: {verdict(refused == 0)})")
    good = not never and (not roomy or max(roomy) <= CARD_GOAL_S)
    say(f"  {len(waited)} blocking cards: waited p50 {middle(waited or [0]):.1f} max {max(waited or [0]):.1f} s, of that with room in the group "
        f"p50 {middle(roomy or [0]):.2f} max {max(roomy or [0]):.2f} s, over the goal {sum(w > CARD_GOAL_S for w in roomy)}, never out {len(never)} (goal {CARD_GOAL_S} s: {verdict(good)})")
    say(f"  {chatter.told['heartbeat']} heartbeats became {beat_messages} messages and {beats - beat_messages} edits; {shown} of "
        f"{chatter.told['milestone']} milestones stood in {messages} messages; rows that waited: at most {max(depths)}, "
        f"in the last quarter {middle(depths[-len(depths) // 4:])}")
    if chatter.errors or telegram.violations or telegram.limits.refused:
        say(f"    refused by steward: {len(chatter.errors)} {chatter.errors[:2]}; by Telegram: {telegram.limits.refused[:3]}; "
            f"sends during an announced wait: {telegram.violations[:3]}")


def bench(build, agents=50, minutes=60, speed=15):
    say(f"\n{agents} agents at full chatter in one group, {minutes} minutes at {speed} × speed (load average {os.getloadavg()[0]:.1f})")
    with scratch() as folder, FakeTelegram(token=TOKEN) as telegram:
        telegram.limits = FastLimits(speed)
        telegram.add_chat(OWNER)
        telegram.add_chat(GROUP, forum=True)
        db = Database("sqlite", folder)
        program = Program(str(pathlib.Path(build) / "steward"), db.url, folder, {
            "TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_USER_ID": OWNER, "NOTIFY_CHAT_ID": GROUP, "NOTIFY_SECRET": BEARER,
            "TELEGRAM_API_BASE": telegram.url, "WEBHOOK_SECRET_TOKEN": SECRET, "LOG_LEVEL": "info",
            "BENCH_CLOCK_SPEED": speed, "LD_PRELOAD": str(pathlib.Path(build) / "bench" / "bench_clock.so")})
        program.env["PUBLIC_URL"] = f"http://127.0.0.1:{program.port}"
        program.start()
        try:
            wait_until(lambda: telegram.webhook["url"], "the webhook's registration")
            depths, begun = [], time.time()
            chatter = Chatter(program, telegram, agents, speed)
            chatter.run(minutes * 60, lambda: depths.append(db.one("SELECT count(*) FROM outbox WHERE state IN ('available', 'sending')")))
            report(telegram, chatter, minutes * 60, depths, time.time() - begun)
        finally:
            program.kill()
            telegram.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--agents", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--speed", type=int, default=15)
    o = parser.parse_args()
    bench(os.path.abspath(o.build), o.agents, o.minutes, o.speed)


if __name__ == "__main__":
    sys.exit(main())
