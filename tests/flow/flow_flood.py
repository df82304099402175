#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A flood: posts that come faster than they are answered are staged (store/inbox_stage.c).  Killed at random moments of
it, with what got no 200 posted again: nothing lost, nothing doubled, the order of each chat kept.

A flood is made while the program is stopped: every connection has its requests in the kernel's buffers when it goes on; and
somebody else holds the tables most of the time, so that commits are slow on every machine."""
import contextlib
import json
import os
import random
import signal
import socket
import sqlite3
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from flow_crash import restart, wait_answered, wait_drained  # noqa: E402
from harness import OWNER, SECRET, flow, main  # noqa: E402

CHATS = 64
AHEAD = 10  # posts of one chat in a flood
ROUNDS = int(os.environ.get("STEWARD_TEST_FLOODS", "8"))


class Chat:
    """One queue of one connection, as Telegram keeps it: what got no 200 comes again."""

    def __init__(self, w, number):
        self.w, self.user, self.written, self.waiting = w, OWNER + number, [], []
        self.socket, self.answers = None, b""

    def write(self, count):
        for _ in range(count):
            words = f"buy item {self.user}x{len(self.written) + 1} tomorrow"
            self.written.append(words.removesuffix(" tomorrow"))
            body = json.dumps(self.w.update(words, user=self.user)).encode()
            self.waiting.append(b"POST /telegram-webhook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                                b"X-Telegram-Bot-Api-Secret-Token: %s\r\nContent-Length: %d\r\n\r\n%s" % (SECRET.encode(), len(body), body))

    def connect(self, port):
        self.socket, self.answers = socket.create_connection(("127.0.0.1", port), 20), b""

    def post(self):
        self.socket.sendall(b"".join(self.waiting))

    def collect(self):
        """The answers that come, until the connection ends or all are there."""
        try:
            while self.answers.count(b"HTTP/1.1 ") < len(self.waiting):
                got = self.socket.recv(65536)
                if not got:
                    break
                self.answers += got
        except OSError:
            pass
        self.socket.close()
        heads = self.answers.split(b"HTTP/1.1 ")[1:]
        stored = [h.startswith(b"200 ") for h in heads]
        first_refused = stored.index(False) if False in stored else len(stored)
        del self.waiting[:first_refused]  # the rest comes again, some of it a second time


@contextlib.contextmanager
def slow_commits(db):
    over = threading.Event()

    def hold(run):
        while not over.wait(0.002):
            with contextlib.suppress(sqlite3.OperationalError):
                run("BEGIN IMMEDIATE" if db.kind == "sqlite" else "BEGIN; LOCK TABLE inbox, inbox_staging IN SHARE ROW EXCLUSIVE MODE")
                over.wait(0.015)
                run("ROLLBACK")

    def other():
        if db.kind == "sqlite":
            with contextlib.closing(sqlite3.connect(db.path, timeout=10, isolation_level=None)) as c:
                hold(c.execute)
        else:
            with contextlib.closing(db.psycopg2.connect(db.url)) as c:
                c.autocommit = True
                hold(c.cursor().execute)

    thread = threading.Thread(target=other)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class Flood:
    def __init__(self, w):
        self.w, self.staged = w, 0
        w.with_telegram()
        self.chats = [Chat(w, n) for n in range(CHATS)]
        for c in self.chats:
            w.telegram.add_chat(c.user)
        self.users = ",".join(str(c.user) for c in self.chats)

    def start(self):
        return self.w.start(TELEGRAM_USER_ID=self.users, TELEGRAM_PACING="local")

    def post(self, p, seconds=None):
        """seconds: killed so long after the flood began."""
        for c in self.chats:
            c.connect(p.port)
        time.sleep(0.05)  # accepted
        p.process.send_signal(signal.SIGSTOP)
        for c in self.chats:
            c.post()
        with slow_commits(self.w.db):
            p.process.send_signal(signal.SIGCONT)
            if seconds is not None:
                time.sleep(seconds)
                p.kill()
            for c in self.chats:
                c.collect()
        self.staged += self.w.db.one("SELECT count(*) FROM inbox_staging")

    def grade(self):
        for c in self.chats:
            assert not c.waiting, f"{len(c.waiting)} posts of {c.user} were never accepted"
        wait_drained(self.w)
        wait_answered(self.w)
        # What was the head of its lane in four deaths is parked for good: as a person would, it is brought back.
        for_good = "state = 'parked' AND crashes > 3"
        bodies = [r[0] for r in self.w.db.rows(f"SELECT body FROM inbox WHERE {for_good}")]
        self.w.db.change(f"UPDATE inbox SET state = 'available', crashes = 0, run_at = 0, outcome = NULL, finished_at = NULL WHERE {for_good}")
        wait_drained(self.w)
        assert self.staged, "nothing was ever staged: this was no flood"
        late = [r[0] for r in self.w.db.rows("SELECT body FROM inbox WHERE crashes >= 3")] + bodies  # set aside once, so out of order
        got = {}
        for user, content in self.w.db.rows("SELECT u.telegram_id, t.content FROM tasks t JOIN users u ON u.id = t.user_id ORDER BY t.id"):
            got.setdefault(user, []).append(content)
        for c in self.chats:
            assert sorted(got.get(c.user, [])) == sorted(c.written), (c.user, got.get(c.user), c.written)
            steady = [words for words in c.written if not any(words + " " in body for body in late)]
            assert [words for words in got[c.user] if words in set(steady)] == steady, (c.user, got[c.user])
        total = sum(len(c.written) for c in self.chats)
        assert self.w.db.one("SELECT count(*) FROM inbox") == total
        assert self.w.db.one("SELECT count(*) FROM outbox WHERE kind = 'message' AND dedupe_key NOT LIKE 'parked:%'") == total


@flow
def killed_in_a_flood(w):
    seed = int(os.environ.get("STEWARD_TEST_SEED", str(int(time.time()))))
    rnd, flood = random.Random(seed), Flood(w)
    print(f"seed {seed}")
    p = flood.start()
    for number in range(4 * ROUNDS):  # on a slow machine a moment may be too early each time
        for c in flood.chats:
            c.write(AHEAD - len(c.waiting))
        flood.post(p, rnd.random() * (0.2 + 0.02 * number))
        restart(w, p)
        if number + 1 >= ROUNDS and flood.staged:
            break
    flood.post(p)
    flood.grade()


@flow
def a_flood_is_answered_in_order(w):
    """Nobody is killed; it is stopped in the middle, as a deployment does, and a person taps meanwhile."""
    flood = Flood(w)
    p = flood.start()
    card = w.says("buy a card to tap")
    flood.chats[0].written.append("buy a card to tap")
    for c in flood.chats:
        c.write(3 * AHEAD)
    flood.post(p)
    w.taps(card, "Done")
    p.stop()
    flood.staged += w.db.one("SELECT count(*) FROM inbox_staging")
    restart(w, p)
    wait_drained(w)
    assert w.db.one("SELECT completed FROM tasks ORDER BY id LIMIT 1")
    w.db.change("DELETE FROM inbox WHERE tap = 1")
    flood.grade()


@flow(databases=("postgres",))
def another_instance_takes_over(w):
    flood = Flood(w)
    p, other = flood.start(), flood.start()
    for c in flood.chats:
        c.write(2 * AHEAD)
    flood.post(p, 0.15)
    for c in flood.chats:
        c.write(2)  # behind what the first one staged
    flood.post(other)
    flood.grade()


if __name__ == "__main__":
    sys.exit(main())
