# SPDX-License-Identifier: MIT
"""What the benchmarks of the program stand on: steward, its counterparts and a Telegram that answers at once.

Used by bench_intake.py, bench_reply.py and bench_memory.py; each runs alone as `bench_X.py --build DIR` and inside tests/bench/run.
Loopback only.  What cannot be had on this machine is named by its caller and left out."""
import contextlib
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "bench"
sys.path.insert(0, str(ROOT / "tests" / "flow"))
from harness import Database, Program, free_port, wait_until  # noqa: E402

SECRET = "bench-secret_1"
TOKEN = "123456:BENCH-token-abcdefghijklmnopqrstuvwxyz"
FIRST_CHAT = 1001
CHATS = 64


def say(text):
    print(text, flush=True)


def verdict(reached):
    return "reached" if reached else "MISSED"


def middle(values):
    return statistics.median(values)


def spread(values, form):
    return " ".join(form.format(v) for v in values)


def peers_install(build):
    """npm's counterparts in the build directory, from the committed lock; the folder, or None when they cannot be had."""
    folder = pathlib.Path(build) / "bench" / "peers"
    if not (shutil.which("node") and shutil.which("npm")):
        say("  no node or npm here")
        return None
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / "peers" / name, folder / name)
    if not (folder / "node_modules" / "grammy").is_dir():
        done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder, text=True,
                              capture_output=True, timeout=600, check=False)
        if done.returncode:
            say(f"  npm ci: {(done.stderr or done.stdout).strip().splitlines()[-1:]}")
            shutil.rmtree(folder / "node_modules", ignore_errors=True)
            return None
    return folder


@contextlib.contextmanager
def scratch():
    folder = tempfile.mkdtemp(prefix="steward-bench-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def running(args, **more):
    """A process that says "ready" and ends with the block."""
    with subprocess.Popen([str(a) for a in args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more) as p:
        try:
            if p.stdout.readline().strip() != "ready":
                p.kill()
                raise OSError(f"{pathlib.Path(str(args[1])).name} does not start: {p.stderr.read().strip()[-300:]}")
            yield p
        finally:
            p.kill()


@contextlib.contextmanager
def database(kind, folder):
    """A fresh database: a SQLite file, or one in a private PostgreSQL with fsync on.  None when there is no PostgreSQL."""
    if kind == "sqlite":
        yield Database("sqlite", folder)
        return
    with tempfile.TemporaryDirectory(prefix="steward-pg-", dir="/tmp") as cluster:
        os.chmod(cluster, 0o755)
        at = os.path.join(cluster, "c")
        # Its server keeps the pipe's other end open for ever: a file instead.
        with open(os.path.join(folder, "pg.url"), "w+", encoding="utf-8") as out:
            done = subprocess.run(["sh", str(ROOT / "tests" / "pgtmp"), "start", at], stdout=out, stderr=subprocess.STDOUT,
                                  env=dict(os.environ, FSYNC="on", PGTMP_PARENT=str(os.getpid())), check=False)
            out.seek(0)
            words = out.read().strip()
        if done.returncode:
            say(f"  {words}")
            yield None
            return
        try:
            os.environ["STEWARD_TEST_PG"] = words.splitlines()[-1]
            yield Database("postgres", folder)
        finally:
            subprocess.run(["sh", str(ROOT / "tests" / "pgtmp"), "stop", at], check=False)


class Chats:
    """bench_chats: the Bot API of one bot, and people who write to it."""

    def __init__(self, build, hook_port, hook_path, secret=SECRET):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen([str(pathlib.Path(build) / "bench" / "bench_chats"), str(self.port), str(hook_port), hook_path, secret],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        wait_until(self.answers, "the benchmark's Bot API")

    def answers(self):
        with contextlib.closing(socket.create_connection(("127.0.0.1", self.port), 1)):
            return True

    def round(self, chats, warm_s, run_s, text="add task: call number #"):
        """name → value of one round."""
        self.process.stdin.write(f"{chats} {int(warm_s * 1000)} {int(run_s * 1000)} {text}\n")
        self.process.stdin.flush()
        words = self.process.stdout.readline().split()
        if not words:
            raise OSError("the benchmark's Bot API has ended")
        return dict(zip(words[::2], map(float, words[1::2])))

    def close(self):
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        self.process.wait()


class Steward:
    """The program on a database, with Telegram by webhook and the pace of a local Bot API server."""

    def __init__(self, build, db, folder, port=None, **env):
        self.port = port or free_port()
        self.chats = Chats(build, self.port, "/telegram-webhook")
        allowed = ",".join(str(FIRST_CHAT + i) for i in range(CHATS))
        self.program = Program(str(pathlib.Path(build) / "steward"), db.url, folder, {
            "PORT": self.port, "TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_USER_ID": allowed, "TELEGRAM_PACING": "local",
            "TELEGRAM_API_BASE": self.chats.url, "WEBHOOK_SECRET_TOKEN": SECRET, "PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "LOG_LEVEL": "warn", **env})
        self.program.port = self.port

    def start(self):
        self.program.start(healthy=False)
        wait_until(self.healthy, "a healthy start")
        return self

    def healthy(self):
        if self.program.process.poll() is not None:
            raise AssertionError(f"the program ended with {self.program.process.returncode}:\n{self.program.log_text()}")
        return self.program.get("/health")[0] == 200

    @property
    def pid(self):
        return self.program.process.pid

    def kill(self):
        self.program.process.send_signal(signal.SIGKILL)
        self.program.process.wait()

    def close(self):
        if self.program.alive():
            self.kill()  # a backlog of a benchmark is of no use to anybody
        else:
            say(f"  the program ended with {self.program.process.returncode}: {self.program.log_text()[-1500:]}")
        self.chats.close()


def rss_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:"))


def freeze(pid, on):
    """Who is not being measured must not take the cores.  Stopped in the middle of a request it would time out."""
    if on:
        time.sleep(0.3)
    os.kill(pid, signal.SIGSTOP if on else signal.SIGCONT)
