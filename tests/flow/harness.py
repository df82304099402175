# SPDX-License-Identifier: MIT
"""What flows stand on: the real binary, a real database, strict fakes, and questions to the rows.

    @flow
    def buys_bread(w):
        w.start()
        w.says("buy bread tomorrow")
        w.wait_rows("SELECT content FROM tasks", [("buy bread",)])

Each case runs in its own process with its own database; `w` is a World.  A case fails by an exception.
"""
import argparse
import contextlib
import http.client
import itertools
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "fakes"))

OWNER = 42
TOKEN = "123456:TEST-token-abcdefghijklmnopqrstuvwxyz"
SECRET = "flow-secret_1"
# Slow builds (sanitizers) get more patience; nothing here asserts a time.
PATIENCE = float(os.environ.get("STEWARD_TEST_PATIENCE", "30"))

CASES = {}
PORTS = itertools.count(os.getpid())


def flow(fn=None, databases=("sqlite", "postgres")):
    def register(f):
        if f.__module__ == "__main__":  # not those of a file that is imported for what it has besides
            CASES[f.__name__] = (f, databases)
        return f
    return register(fn) if fn else register


def free_port():
    """A port nobody uses now; cases that run side by side draw from stretches of their own, below the system's range."""
    slot = int(os.environ.get("STEWARD_TEST_SLOT", os.getpid())) % 110
    for port in itertools.chain((10240 + slot * 200 + next(PORTS) % 200 for _ in range(200)), (0,)):
        with contextlib.suppress(OSError), socket.socket() as s:
            s.bind(("127.0.0.1", port))
            return s.getsockname()[1]
    raise OSError("no free port")


def wait_until(question, what, patience=None):
    """The first true answer of question(), asked again and again."""
    end = time.monotonic() + (patience or PATIENCE)
    last = None
    while time.monotonic() < end:
        try:
            answer = question()
            if answer:
                return answer
            last = answer
        except (OSError, sqlite3.OperationalError) as e:
            last = e
        time.sleep(0.01)
    raise AssertionError(f"gave up waiting for {what}; last: {last!r}")


class Database:
    """The rows, asked from outside the program."""

    def __init__(self, kind, scratch):
        self.kind = kind
        self.name = None
        if kind == "sqlite":
            self.path = os.path.join(scratch, "steward.db")
            self.url = "sqlite://" + self.path
        else:
            import psycopg2
            self.psycopg2 = psycopg2
            self.admin = os.environ["STEWARD_TEST_PG"]
            self.name = f"flow_{os.getpid()}_{int(time.time() * 1000) % 100000000}"
            self._admin(f"CREATE DATABASE {self.name}")
            self.url = re.sub(r"/[^/]*$", "/" + self.name, self.admin)

    def _admin(self, sql):
        c = self.psycopg2.connect(self.admin)
        c.autocommit = True
        c.cursor().execute(sql)
        c.close()

    def rows(self, sql, *params):
        if self.kind == "sqlite":
            with contextlib.closing(sqlite3.connect(self.path, timeout=10)) as c:
                return c.execute(sql, params).fetchall()
        with contextlib.closing(self.psycopg2.connect(self.url)) as c:
            c.autocommit = True
            k = c.cursor()
            k.execute(sql.replace("%", "%%").replace("?", "%s") if params else sql, params or None)
            return k.fetchall()

    def change(self, sql):
        if self.kind == "sqlite":
            with contextlib.closing(sqlite3.connect(self.path, timeout=10)) as c, c:
                return c.execute(sql).rowcount
        with contextlib.closing(self.psycopg2.connect(self.url)) as c:
            c.autocommit = True
            k = c.cursor()
            k.execute(sql)
            return k.rowcount

    def one(self, sql, *params):
        rows = self.rows(sql, *params)
        return rows[0][0] if rows else None

    def drop(self):
        if self.kind == "postgres":
            self._admin(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")


class Program:
    """One process of steward."""

    def __init__(self, binary, url, scratch, env):
        self.port = free_port()
        self.log_path = os.path.join(scratch, f"log-{self.port}")
        self.env = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS")}
        self.env.update(DATABASE_URL=url, PORT=str(self.port), BIND="127.0.0.1", TZ="Europe/Berlin", LOG_LEVEL="info")
        self.env.update({k: str(v) for k, v in env.items() if v is not None})
        self.binary, self.scratch = binary, scratch
        self.process = None

    def start(self, healthy=True):
        with open(self.log_path, "ab") as log:
            self.starts = self.log_text().count('"event":"started"')
            self.process = subprocess.Popen([self.binary], env=self.env, cwd=self.scratch, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        if healthy:
            wait_until(self.is_healthy, "a healthy start")
        return self

    def is_healthy(self):
        """It is this process that answers: another case may have taken the port in the meantime."""
        if self.process.poll() is not None:
            raise AssertionError(f"the program ended with {self.process.returncode}:\n{self.log_text()}")
        return self.log_text().count('"event":"started"') > self.starts and self.get("/health")[0] == 200

    def request(self, method, path, body=None, headers=None, timeout=20):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            c.request(method, path, body, headers or {})
            r = c.getresponse()
            return r.status, r.read().decode(errors="replace"), dict((k.lower(), v) for k, v in r.getheaders())
        finally:
            c.close()

    def get(self, path, headers=None):
        return self.request("GET", path, headers=headers)

    def post_update(self, update, secret=SECRET):
        body = update if isinstance(update, (bytes, str)) else json.dumps(update)
        return self.request("POST", "/telegram-webhook", body,
                            {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": secret})

    def log_text(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def turns(self):
        """The log lines of turns."""
        out = []
        for line in self.log_text().splitlines():
            if line.startswith("{"):
                try:
                    o = json.loads(line)
                except ValueError:
                    continue
                if o.get("event") == "turn":
                    out.append(o)
        return out

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(25)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError("the program did not stop within 25 s of SIGTERM")
        if code != 0:
            raise AssertionError(f"the program ended with {code} after SIGTERM:\n{self.log_text()[-6000:]}")

    def alive(self):
        return self.process is not None and self.process.poll() is None


class World:
    def __init__(self, binary, database):
        self.binary = os.path.abspath(binary)
        self.scratch = tempfile.mkdtemp(prefix="steward-flow-")
        self.db = Database(database, self.scratch)
        self.telegram = None
        self.models = None
        self.programs = []
        self.update_ids = iter(range(1000, 10 ** 9))
        self.message_ids = iter(range(1, 10 ** 9))

    # --- starting ---

    def with_telegram(self, **options):
        from telegram import FakeTelegram
        self.telegram = FakeTelegram(token=TOKEN, **options)
        self.telegram.start()
        self.telegram.add_chat(OWNER)
        return self.telegram

    def with_models(self, **options):
        from models import FakeModels
        self.models = FakeModels(**options)
        self.models.start()
        return self.models

    def environment(self, **more):
        env = {"WEBHOOK_SECRET_TOKEN": None}
        if self.telegram:
            env.update(TELEGRAM_BOT_TOKEN=TOKEN, TELEGRAM_USER_ID=OWNER, TELEGRAM_API_BASE=self.telegram.url,
                       WEBHOOK_SECRET_TOKEN=SECRET, TELEGRAM_PACING="local")
        if self.models:
            env.update(ANTHROPIC_API_KEY="test-key-anthropic", ANTHROPIC_BASE_URL=self.models.anthropic_url)
        env.update(more)
        return env

    def start(self, healthy=True, **env):
        p = Program(self.binary, self.db.url, self.scratch, self.environment(**env))
        if self.telegram and "PUBLIC_URL" not in env and not env.get("polling"):
            p.env["PUBLIC_URL"] = f"http://127.0.0.1:{p.port}"
        p.env.pop("polling", None)
        self.programs.append(p)
        try:
            return p.start(healthy)
        except AssertionError:
            if "is taken" not in p.log_text() and "in use" not in p.log_text():
                raise
        self.programs.remove(p)  # another case was faster with this port
        return self.start(healthy, **env)

    def start_assistant(self, models=False, **env):
        """Telegram by webhook, the parser or a model."""
        self.with_telegram()
        if models:
            self.with_models()
        p = self.start(**env)
        wait_until(lambda: self.telegram.webhook["url"], "the webhook's registration")
        return p

    @property
    def program(self):
        return self.programs[-1]

    def command(self, *arguments, stdin=None, env=None):
        p = subprocess.run([self.binary, *arguments], input=stdin, cwd=self.scratch, text=True, capture_output=True,
                           timeout=60, env={**{k: v for k, v in os.environ.items() if k in ("PATH", "ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS")},
                                            "DATABASE_URL": self.db.url, "TZ": "Europe/Berlin", **(env or {})})
        return p.returncode, p.stdout, p.stderr

    # --- grading ---

    def wait_rows(self, sql, expected, *params):
        got = [None]

        def same():
            got[0] = [tuple(r) for r in self.db.rows(sql, *params)]
            return got[0] == expected
        try:
            wait_until(same, sql)
        except AssertionError:
            raise AssertionError(f"{sql}\n  expected {expected}\n  got      {got[0]}") from None

    def wait_idle(self):
        """Everything that came in is worked off and everything that goes out is out."""
        wait_until(lambda: not self.unfinished("inbox") and not self.unfinished("outbox"), "idle queues")

    def unfinished(self, queue):
        """How many rows of the inbox or the outbox wait or are at work; what a flood has left counts by its rows."""
        return int(self.db.one({
            "inbox": "SELECT (SELECT count(*) FROM inbox WHERE state IN ('available', 'running')) + (SELECT count(*) FROM inbox_staging)",
            "outbox": "SELECT count(*) FROM outbox WHERE state IN ('available', 'sending')"}[queue]))

    def sent(self, chat=OWNER):
        """What the bot has written in a chat, as the person sees it now."""
        return self.telegram.messages(chat, from_bot=True)

    def says(self, text=None, chat=OWNER, user=None, **more):
        """A person writes; the bot's next message in that chat."""
        return self.telegram.wait_for_reply(self.telegram.user_says(chat, user, text, **more), timeout=PATIENCE)

    def taps(self, message, button, user=None):
        """A person taps; returns when the spinner is gone."""
        return self.telegram.wait_for_answer(self.telegram.user_taps(message, button, user), timeout=PATIENCE)

    # --- a message without the fake's delivery: straight to the webhook ---

    def update(self, text, user=OWNER, chat=None, **fields):
        message = {"message_id": next(self.message_ids), "date": int(time.time()), "text": text,
                   "chat": {"id": chat or user, "type": "private"},
                   "from": {"id": user, "is_bot": False, "first_name": "Ada", "language_code": "en"}}
        message.update(fields)
        return {"update_id": next(self.update_ids), "message": message}

    def close(self, failed):
        for p in self.programs:
            if p.alive():
                if failed:
                    p.process.kill()
                    p.process.wait()
                else:
                    p.stop()
            for line in re.findall(r".*(?:ERROR: AddressSanitizer|ERROR: LeakSanitizer|WARNING: ThreadSanitizer|runtime error:).*", p.log_text()):
                if not failed:
                    raise AssertionError(f"sanitizer: {line}\n{p.log_text()[-8000:]}")
        for fake in (self.telegram, self.models):
            if fake:
                fake.stop()
        if not (failed and os.environ.get("STEWARD_TEST_KEEP")):
            self.db.drop()
        if failed:
            for p in self.programs:
                print(f"--- log of {p.port}\n{p.log_text()[-4000:]}")
        if failed and os.environ.get("STEWARD_TEST_KEEP"):
            print(f"kept {self.scratch} {self.db.url}")
        else:
            shutil.rmtree(self.scratch, ignore_errors=True)


def run_case(name, database, binary):
    world = World(binary, database)
    try:
        CASES[name][0](world)
    except BaseException:
        traceback.print_exc(file=sys.stdout)
        with contextlib.suppress(BaseException):
            world.close(True)
        return 1
    try:
        world.close(False)
    except BaseException:
        traceback.print_exc(file=sys.stdout)
        with contextlib.suppress(BaseException):
            world.close(True)
        return 1
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--case")
    parser.add_argument("--database", default="sqlite")
    parser.add_argument("--binary", default=os.path.join(ROOT, "build", "steward"))
    o = parser.parse_args()
    if o.list:
        for name, (_, databases) in CASES.items():
            for database in databases:
                print(name, database)
        return 0
    return run_case(o.case, o.database, o.binary)
