#!/usr/bin/python3
"""Runs every test of a build and ends in one line `N passed, N failed`.

Unit tests are C programs (tests/unit), flows drive the real binary over sockets on SQLite and on PostgreSQL
(tests/flow), the console page is driven in a browser (tests/browser), fuzzers run briefly (tests/fuzz).
Everything it starts is ended by its own process id.
"""
import argparse
import concurrent.futures
import contextlib
import functools
import glob
import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests"))

RUNNING = set()  # process groups
CASE_SECONDS_MAX = 4 * 3600 if os.environ.get("STEWARD_TEST_FAULTS") == "all" else 240


class Totals:
    def __init__(self):
        self.passed = 0
        self.failed = 0

    def add(self, passed, failed, name, output=""):
        self.passed += passed
        self.failed += failed
        if failed:
            print(f"FAILED {name}", flush=True)
            if output:
                print("    " + output.strip()[-6000:].replace("\n", "\n    "), flush=True)


def run(command, env=None, timeout=CASE_SECONDS_MAX):
    """(exit code, output).  What takes too long ends with everything that it has started."""
    with subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          start_new_session=True) as p:
        RUNNING.add(p.pid)
        try:
            out = p.communicate(timeout=timeout)[0]
            return p.returncode, out
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            return -1, p.communicate()[0] + f"\ntook over {timeout} s"
        finally:
            RUNNING.discard(p.pid)


def signals_as_usual():
    """Whoever starts this in the background of a script has SIGINT ignored, and everything below it would have, too."""
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in (signal.SIGQUIT, signal.SIGALRM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, end_all)


def end_all(number, _):
    for group in list(RUNNING):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
    os._exit(128 + number)  # PostgreSQL ends by itself: PGTMP_PARENT


def start_postgres(scratch, jobs, at_end):
    directory = os.path.join(scratch, "pg")
    # Of a flow whose servers are killed again and again many connections are still on their way out.
    env = dict(os.environ, PGTMP_CONNECTIONS=str(100 * jobs), PGTMP_PARENT=str(os.getpid()))
    code, out = run(["sh", "tests/pgtmp", "start", directory], env=env, timeout=120)
    if code:
        sys.exit(f"PostgreSQL did not start:\n{out}")
    at_end.callback(run, ["sh", "tests/pgtmp", "stop", directory])
    return out.strip().splitlines()[-1]


# --- the work: each piece is a function that runs beside others and returns (name, passed, failed, output) ---

def unit_tests(build, env, only):
    def one(path):
        name = os.path.basename(path)
        code, out = run([path], env=env, timeout=600)
        checks = re.findall(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)", out, re.M)
        bad = sum(int(f) + int(x) for _, f, x in checks)
        good = sum(int(c) for c, _, _ in checks) - bad
        if code and not bad:
            bad = 1
        if not checks and not bad:
            bad, out = 1, out + "\nno check ran"
        return name, good, bad, out
    return [functools.partial(one, path) for path in sorted(glob.glob(os.path.join(build, "tests", "test_*")))
            if not path.endswith(".d") and (not only or only in os.path.basename(path))]


def flow_tests(build, env, only, jobs):
    slots = queue.SimpleQueue()  # see free_port() of the harness: a case's program must find its port free when it starts again
    for slot in range(jobs):
        slots.put(slot)

    def one(path, name, database):
        slot = slots.get()
        code, out = run(["/usr/bin/python3", path, "--case", name, "--database", database, "--binary", os.path.join(build, "steward")],
                        env=dict(env, STEWARD_TEST_SLOT=str(slot)))
        slots.put(slot)
        return f"{os.path.basename(path)[:-3]} {name} on {database}", int(code == 0), int(code != 0), out

    work = []
    for path in sorted(glob.glob(os.path.join(ROOT, "tests", "flow", "flow_*.py"))):
        code, out = run(["/usr/bin/python3", path, "--list"], timeout=60)
        if code:
            work.append(functools.partial(lambda *failure: failure, os.path.basename(path), 0, 1, out))
            continue
        for line in out.split("\n"):
            if line and (not only or only in f"{os.path.basename(path)} {line}"):
                work.append(functools.partial(one, path, *line.split()))
    return work


def counted(command, env, name, timeout=300):
    code, out = run(command, env=env, timeout=timeout)
    found = re.findall(r"(\d+) passed, (\d+) failed", out)
    ran = re.search(r"^Ran (\d+) tests? in", out, re.M)  # Python's unittest
    if found:
        good, bad = int(found[-1][0]), int(found[-1][1])
    elif ran:
        bad = sum(int(n) for n in re.findall(r"(?:failures|errors)=(\d+)", out))
        good = int(ran.group(1)) - bad
    else:
        good, bad = 0, 1
    if code and not bad:
        bad = 1
    return name, good, bad, out


def fake_tests(env):
    return [functools.partial(counted, ["/usr/bin/python3", path], env, os.path.basename(path))
            for path in sorted(glob.glob(os.path.join(ROOT, "tests", "fakes", "test_*.py")))]


def all_done(work, jobs, totals):
    def timed(piece):
        begin = time.time()
        return piece() + (time.time() - begin,)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for name, good, bad, out, seconds in pool.map(timed, work):
            totals.add(good, bad, name, out)
            print(f"{name}: {good} passed, {bad} failed ({seconds:.1f} s)", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--only", default="", help="run what has this in its name")
    parser.add_argument("--jobs", type=int, default=3 * (os.cpu_count() or 1), help="side by side; most of them wait most of the time")
    parser.add_argument("--no-browser", action="store_true")
    parser.add_argument("--kinds", default="unit,flow,browser,fakes,fuzz")
    o = parser.parse_args()
    build = os.path.join(ROOT, o.build) if not os.path.isabs(o.build) else o.build
    totals = Totals()
    signals_as_usual()
    with tempfile.TemporaryDirectory(prefix="steward-test-") as scratch, contextlib.ExitStack() as at_end:
        os.chmod(scratch, 0o755)
        # A busy machine must not fail a test: libcheck ends one after 4 s where it says nothing else.
        env = dict(os.environ, STEWARD_TEST_PG=start_postgres(scratch, o.jobs, at_end), PYTHONDONTWRITEBYTECODE="1",
                   CK_DEFAULT_TIMEOUT="60", CK_TIMEOUT_MULTIPLIER="3")
        for name in ("TELEGRAM_BOT_TOKEN", "ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENAI_BASE_URL", "DATABASE_URL", "PORT", "TZ"):
            env.pop(name, None)
        work = []
        if "unit" in o.kinds:
            work += unit_tests(build, env, o.only)
        if "fakes" in o.kinds and (not o.only or o.only in "fakes"):
            work += fake_tests(env)
        if "flow" in o.kinds:
            work += flow_tests(build, env, o.only, o.jobs)
        if "browser" in o.kinds and not o.no_browser and (not o.only or o.only in "browser"):
            work.append(functools.partial(counted, [os.path.join(ROOT, "tests", "browser", "run"), os.path.join(build, "steward")], env, "browser"))
        all_done(work, o.jobs, totals)
        if "fuzz" in o.kinds and not o.no_browser and (not o.only or o.only in "fuzz"):
            all_done([functools.partial(counted, ["sh", "tests/fuzz/run", "short"], env, "fuzz", 600)], 1, totals)
    print(f"{totals.passed} passed, {totals.failed} failed", flush=True)
    sys.exit(1 if totals.failed else 0)


if __name__ == "__main__":
    main()
