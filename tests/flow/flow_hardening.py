#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The program as it was built: the compiler's and the linker's protections are in it (HARDEN in the Makefile); and as an
operator sees it from outside while it runs."""
import contextlib
import glob
import os
import platform
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import ROOT, flow, main, wait_until  # noqa: E402


def readelf(w, *options):
    return subprocess.run(["readelf", "-W", *options, w.binary], check=True, capture_output=True, text=True, env={"PATH": os.environ["PATH"], "LC_ALL": "C"}).stdout


@flow(databases=("sqlite",))
def the_file_is_hardened(w):
    header, segments, dynamic, symbols = (readelf(w, o) for o in ("-h", "-l", "-d", "--dyn-syms"))
    assert re.search(r"Type:\s+DYN", header) and re.search(r"FLAGS_1.*\bPIE\b", dynamic), "position-independent"
    assert "GNU_RELRO" in segments and re.search(r"FLAGS_1.*\bNOW\b", dynamic), "relocations are read-only before main()"
    stack = re.search(r"GNU_STACK\s+.*", segments).group()
    assert re.search(r"\bRW\b", stack) and "RWE" not in stack, "the stack is not executable"
    assert not re.search(r"LOAD.*\bRWE\b", segments), "nothing is writable and executable"
    assert not re.search(r"\((RPATH|RUNPATH|TEXTREL)\)", dynamic), "libraries come from the system's places"
    assert "__stack_chk_fail" in symbols, "the stack protector"
    if not re.search(r"__(asan|tsan)_init", symbols):
        checked = set(re.findall(r"\b__(\w+)_chk\b", symbols))
        assert {"snprintf", "memcpy"} & checked and len(checked) >= 3, f"FORTIFY; only {checked}"


@flow(databases=("sqlite",))
def the_code_is_hardened(w):
    """Stack probes and landing pads leave no other trace than instructions."""
    if platform.machine() != "x86_64":
        return
    code = subprocess.run(["objdump", "-d", "--no-show-raw-insn", w.binary], check=True, capture_output=True, text=True).stdout
    assert re.search(r"<main>:\n\s+[0-9a-f]+:\s+endbr64", code), "-fcf-protection"
    assert re.search(r"\bor[ql]\s+\$0x0,(0x[0-9a-f]+)?\(%rsp", code), "-fstack-clash-protection"


@flow(databases=("sqlite",))
def the_threat_model_names_tests_that_exist(w):
    """SECURITY.md ties its promises to cases; a renamed case must take its line along."""
    tests = ""
    for path in glob.glob(os.path.join(ROOT, "tests", "*", "*")):
        if path.endswith((".py", ".c", ".mjs")):
            tests += f"\nfile {os.path.basename(path)}\n"
            with open(path) as f:
                tests += f.read()
    with open(os.path.join(ROOT, "SECURITY.md")) as f:
        quoted = re.findall(r"`([^`]+)`", f.read().replace("\n", " "))
    cases = 0
    for words in quoted:
        file, _, case = words.rpartition(": ")
        if re.fullmatch(r"\w+\.(py|c|mjs)", file):
            assert f"\nfile {file}\n" in tests, file
        elif re.fullmatch(r"(flow|test)_\w+\.(py|c)", words):
            assert f"\nfile {words}\n" in tests, words
            continue
        elif not re.fullmatch(r"[a-z]+(_[a-z0-9]+){2,}", words) and len(words.split()) < 5:
            continue
        if re.fullmatch(r"[a-z0-9_]+", case):
            assert f"def {case}(" in tests or f"START_TEST({case})" in tests, case
            cases += 1
        else:
            assert f"'{case}'" in tests, case
            cases += 1
    assert cases > 30, cases


@flow
def every_thread_has_its_name(w):
    """`top -H` and gdb show who is busy.  A sanitizer's own threads are called like the program."""
    w.with_telegram()
    p = w.start(polling=True, TELEGRAM_PACING="cloud")

    def names():
        out = set()
        for path in glob.glob(f"/proc/{p.process.pid}/task/*/comm"):
            with contextlib.suppress(OSError):
                with open(path) as f:
                    out.add(f.read().strip())
        return out
    expected = {"loop", "committer", "writer" if w.db.kind == "sqlite" else "listener", "taps", "sender 1", "sender 4",
                "console sender", "desk 1", "desk 3", "waiting room", "scheduler", "embedder", "health", "typing", "registrar", "poller",
                "console reader", *(f"worker {i}" for i in range(1, 17))}
    wait_until(lambda: expected <= names(), f"threads called {expected - names()}")
    more = names() - expected - {"sender 2", "sender 3", "desk 2", "fold"} - {os.path.basename(w.binary)[:15]}
    assert not [name for name in more if not name.startswith("matrix ")], more
    with open(f"/proc/{p.process.pid}/comm") as f:
        assert f.read().strip() == os.path.basename(w.binary)[:15]


if __name__ == "__main__":
    sys.exit(main())
