# SPDX-License-Identifier: MIT
"""limits: 512 MB and half a core around a running process, by the best means of the machine; for soak.py.

Memory: systemd's MemoryMax, else RLIMIT_DATA (heap, stacks and private writable maps; files that are mapped to be read
do not count).  CPU: systemd's CPUQuota, else a cgroup of its own (version 1, cpu), else one core and a stop after each
slice of work (SIGSTOP, SIGCONT)."""
import contextlib
import os
import resource
import shutil
import signal
import threading
import time

MEMORY_BYTES = 512 * 1024 * 1024
CPU_SHARE = 0.5
PERIOD_S = 0.1
CPU_GROUPS = "/sys/fs/cgroup/cpu"


def wrapper(binary, folder):
    """With systemd: a script that starts the program inside both limits.  Else the program itself."""
    if not (os.path.isdir("/run/systemd/system") and shutil.which("systemd-run")):
        return binary, None
    path = os.path.join(folder, "limited")
    bus = "" if os.getuid() == 0 else f"XDG_RUNTIME_DIR=/run/user/{os.getuid()} "
    user = "" if os.getuid() == 0 else " --user"
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"#!/bin/sh\n{bus}exec systemd-run --scope --quiet{user} -p MemoryMax={MEMORY_BYTES} -p MemorySwapMax=0 "
                f"-p CPUQuota={int(CPU_SHARE * 100)}% '{binary}'\n")
    os.chmod(path, 0o755)
    return path, "systemd-run: MemoryMax 512 MB, CPUQuota 50 %"


def group_make(pid):
    """A cgroup beside our own with a quota, or None."""
    with open("/proc/self/cgroup", encoding="ascii") as f:
        own = next((line.strip().split(":", 2)[2] for line in f if "cpu" in line.split(":")[1].split(",")), None)
    if own is None:
        return None
    path = f"{CPU_GROUPS}{own.rstrip('/')}/steward-soak-{os.getpid()}"
    try:
        os.mkdir(path)
        for name, value in (("cpu.cfs_period_us", PERIOD_S * 1e6), ("cpu.cfs_quota_us", PERIOD_S * CPU_SHARE * 1e6), ("cgroup.procs", pid)):
            with open(f"{path}/{name}", "w", encoding="ascii") as f:
                f.write(str(int(value)))
    except OSError:
        with contextlib.suppress(OSError):
            os.rmdir(path)
        return None
    return path


def half_time(pid, over):
    """One core, and of that half the time."""
    os.sched_setaffinity(pid, {min(os.sched_getaffinity(pid))})
    while not over.is_set():
        try:
            os.kill(pid, signal.SIGSTOP)
            time.sleep(PERIOD_S * (1 - CPU_SHARE))
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            break
        time.sleep(PERIOD_S * CPU_SHARE)


class Limits:
    """Put on a running process, which ends before close()."""

    def __init__(self, pid):
        resource.prlimit(pid, resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
        self.over, self.thread = threading.Event(), None
        self.group = group_make(pid)
        self.name = "RLIMIT_DATA 512 MB, cgroup v1 cpu.cfs_quota_us at half a core"
        if not self.group:
            self.name = "RLIMIT_DATA 512 MB, one core and SIGSTOP half the time"
            self.thread = threading.Thread(target=half_time, args=(pid, self.over), daemon=True)
            self.thread.start()

    def close(self):
        self.over.set()
        if self.thread:
            self.thread.join()
        if self.group:
            os.rmdir(self.group)
