#!/usr/bin/python3
"""Runs every test of a build and ends in one line `N passed, N failed`.

Unit tests are C programs (tests/unit), flows drive the real binary over sockets on SQLite and on PostgreSQL
(tests/flow), the console page is driven in a browser (tests/browser), fuzzers run briefly (tests/fuzz).
Everything it starts is ended by its own process id.
"""
import argparse
import atexit
import concurrent.futures
import glob
import os
import re
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests"))

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
    try:
        done = subprocess.run(command, env=env, cwd=ROOT, timeout=timeout, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace")
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as e:
        out = e.stdout or b""
        return -1, (out.decode(errors="replace") if isinstance(out, bytes) else out) + f"\ntook over {timeout} s"


def start_postgres(scratch):
    directory = os.path.join(scratch, "pg")
    code, out = run(["sh", "tests/pgtmp", "start", directory], timeout=60)
    if code:
        sys.exit(f"PostgreSQL did not start:\n{out}")
    atexit.register(run, ["sh", "tests/pgtmp", "stop", directory])
    return out.strip().splitlines()[-1]


def unit_tests(build, env, totals, only):
    for path in sorted(glob.glob(os.path.join(build, "tests", "test_*"))):
        name = os.path.basename(path)
        if path.endswith(".d") or (only and only not in name):
            continue
        code, out = run([path], env=env, timeout=600)
        checks = re.findall(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)", out, re.M)
        bad = sum(int(f) + int(x) for _, f, x in checks)
        good = sum(int(c) for c, _, _ in checks) - bad
        if code and not bad:
            bad = 1
        if not checks and not bad:
            bad, out = 1, out + "\nno check ran"
        totals.add(good, bad, name, out)
        print(f"{name}: {good} passed, {bad} failed", flush=True)


def flow_cases(only):
    cases = []
    for path in sorted(glob.glob(os.path.join(ROOT, "tests", "flow", "flow_*.py"))):
        code, out = run(["/usr/bin/python3", path, "--list"], timeout=30)
        if code:
            cases.append((path, None, None, out))
            continue
        for line in out.split("\n"):
            if line and (not only or only in f"{os.path.basename(path)} {line}"):
                name, database = line.split()
                cases.append((path, name, database, ""))
    return cases


def flow_tests(build, env, totals, only, jobs):
    cases = flow_cases(only)

    def one(case):
        path, name, database, out = case
        if name is None:
            return case, 1, out, 0.0
        begin = time.time()
        code, out = run(["/usr/bin/python3", path, "--case", name, "--database", database, "--binary",
                         os.path.join(build, "steward")], env=env)
        return case, code, out, time.time() - begin

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for (path, name, database, _), code, out, seconds in pool.map(one, cases):
            label = f"{os.path.basename(path)[:-3]} {name} on {database}"
            totals.add(code == 0, code != 0, label, out)
            print(f"{label}: {'ok' if code == 0 else 'FAILED'} ({seconds:.1f} s)", flush=True)


def counted(command, env, totals, name, timeout=300):
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
    totals.add(good, bad, name, out)
    print(f"{name}: {good} passed, {bad} failed", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--only", default="", help="run what has this in its name")
    parser.add_argument("--jobs", type=int, default=3)
    parser.add_argument("--no-browser", action="store_true")
    parser.add_argument("--kinds", default="unit,flow,browser,fakes,fuzz")
    o = parser.parse_args()
    build = os.path.join(ROOT, o.build) if not os.path.isabs(o.build) else o.build
    totals = Totals()
    with tempfile.TemporaryDirectory(prefix="steward-test-") as scratch:
        os.chmod(scratch, 0o755)
        env = dict(os.environ, STEWARD_TEST_PG=start_postgres(scratch), PYTHONDONTWRITEBYTECODE="1")
        for name in ("TELEGRAM_BOT_TOKEN", "ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENAI_BASE_URL", "DATABASE_URL", "PORT", "TZ"):
            env.pop(name, None)
        if "unit" in o.kinds:
            unit_tests(build, env, totals, o.only)
        if "fakes" in o.kinds and (not o.only or o.only in "fakes"):
            for path in sorted(glob.glob(os.path.join(ROOT, "tests", "fakes", "test_*.py"))):
                counted(["/usr/bin/python3", path], env, totals, os.path.basename(path))
        if "flow" in o.kinds:
            flow_tests(build, env, totals, o.only, o.jobs)
        if "browser" in o.kinds and not o.no_browser and (not o.only or o.only in "browser"):
            counted([os.path.join(ROOT, "tests", "browser", "run"), os.path.join(build, "steward")], env, totals, "browser")
        if "fuzz" in o.kinds and not o.no_browser and (not o.only or o.only in "fuzz"):
            counted(["sh", "tests/fuzz/run", "short"], env, totals, "fuzz", timeout=600)
    print(f"{totals.passed} passed, {totals.failed} failed", flush=True)
    sys.exit(1 if totals.failed else 0)


if __name__ == "__main__":
    main()
