# SPDX-License-Identifier: MIT
"""Telegram's rate limits, on the real clock: about 1 message/s in a chat with a short burst, 20 a minute in a group, 30 a
second over all.  `scale` makes the windows that many times shorter.  An announced retry_after is real seconds, and whatever
is sent during one is written down as a violation."""
import math
import time
from collections import deque

GRACE = 0.1  # seconds: a request that was on its way when the wait was announced


class Limits:
    def __init__(self, on=False, scale=1.0, chat_burst=3, per_group=20, overall=30, tolerance=0.1, clock=time.monotonic):
        self.clock = clock  # another one for simulated hours
        self.on, self.scale = on, scale
        self.chat_burst, self.per_group, self.overall = chat_burst, per_group, overall
        self.tolerance = tolerance  # share of a second: the network's doing, not the sender's
        self.tokens = {}      # chat → (tokens, when)
        self.group = {}       # chat → times of the last minute
        self.all = deque()
        self.penalty = {}     # chat, or None for the whole bot → (announced, until)
        self.violations = []  # {"method", "chat_id", "early": seconds}

    def announce(self, chat_id, seconds):
        now = self.clock()
        self.penalty[chat_id] = (now, now + seconds)
        return seconds

    def penalised(self, method, chat_id):
        """Seconds left of an announced wait, or 0; a violation is recorded."""
        if not self.penalty:
            return 0
        now = self.clock()
        for key in ((None, chat_id) if chat_id is not None else (None,)):
            announced, until = self.penalty.get(key, (0, 0))
            if now < until:
                if now > announced + GRACE:
                    self.violations.append({"method": method, "chat_id": chat_id, "early": round(until - now, 3)})
                return until - now
            self.penalty.pop(key, None)
        return 0

    def check(self, chat_id, message):
        """0, or how many seconds (whole, at least 1) the sender is told to wait."""
        if not self.on:
            return 0
        now = self.clock() * self.scale
        wait, scope = 0, chat_id
        while self.all and self.all[0] <= now - 1:
            self.all.popleft()
        if len(self.all) >= self.overall:
            wait, scope = self.all[0] + 1 - now, None
        if chat_id < 0:
            times = self.group.setdefault(chat_id, deque())
            while times and times[0] <= now - 60:
                times.popleft()
            if len(times) >= self.per_group:
                wait = max(wait, times[0] + 60 - now)
        tokens = self.chat_burst
        if message:
            had, when = self.tokens.get(chat_id, (self.chat_burst, now))
            tokens = min(self.chat_burst, had + now - when)
            if tokens < 1 - self.tolerance:
                wait = max(wait, 1 - tokens)
        if wait > 0:
            return self.announce(scope, max(1, math.ceil(wait / self.scale)))
        self.all.append(now)
        if chat_id < 0:
            self.group[chat_id].append(now)
        if message:
            self.tokens[chat_id] = (tokens - 1, now)
        return 0
