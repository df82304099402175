#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Databases that go away under the running program, in every way they do: what is posted meanwhile gets 503 with Retry-After,
/health says in a sentence why, nothing is lost, and everything goes on by itself when the database is back."""
import contextlib
import json
import os
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cluster import Cluster  # noqa: E402
from harness import OWNER, ROOT, Program, flow, main, wait_until  # noqa: E402


def post_until_stored(p, update, on_refused=lambda: None):
    """As Telegram does."""
    end = time.monotonic() + 60
    while True:
        status, body, headers = p.post_update(update)
        if status == 200:
            return
        assert status == 503 and headers.get("retry-after") == "2" and json.loads(body)["error"], (status, headers, body)
        assert time.monotonic() < end, f"never stored: {body}"
        on_refused()
        time.sleep(0.05)


class Load(threading.Thread):
    """One message after the other, each posted until it is stored."""

    def __init__(self, w):
        super().__init__(daemon=True)
        self.w, self.stopping, self.posted, self.refused, self.error = w, False, [], 0, None
        self.start()

    def count(self):
        self.refused += 1

    def run(self):
        try:
            while not self.stopping:
                words = f"item{len(self.posted)}x"
                post_until_stored(self.w.program, self.w.update(f"buy {words} tomorrow"), self.count)
                self.posted.append(f"buy {words}")
                time.sleep(0.01)
        except BaseException as e:
            self.error = e

    def stop(self):
        self.stopping = True
        self.join(70)
        assert not self.is_alive() and not self.error, self.error


def answered_once(w, contents):
    """Every message became one task and one answer, in order."""
    w.wait_idle()
    assert [c for (c,) in w.db.rows("SELECT content FROM tasks ORDER BY id")] == contents
    shown = [m.text for m in w.sent()]
    for content in contents:
        mine = [t for t in shown if f"\n{content}\n" in t]
        assert mine and len([t for t in mine if "Sent again" not in t]) <= 1, (content, mine)


def sick(p):
    """The sentence of /health, once it is 503."""
    def look():
        status, body, _ = p.get("/health")
        return json.loads(body).get("reason") if status == 503 else None
    return wait_until(look, "an unhealthy answer")


def well(p):
    wait_until(lambda: p.get("/health")[0] == 200, "a healthy answer")


# --- PostgreSQL, in a cluster of one's own ---

@flow(databases=("postgres",))
def killed_and_restarted_under_load(w):
    """kill -9 of the server, an immediate stop, a fast restart, backends killed one by one: under a stream of messages."""
    with Cluster(w, FSYNC="on") as pg:
        pg.use(w)
        p = w.start_assistant()
        load = Load(w)
        wait_until(lambda: len(load.posted) > 10, "some load")
        os.kill(pg.pid(), signal.SIGKILL)
        reason = sick(p)
        assert "PostgreSQL" in reason or "database" in reason, reason
        wait_until(lambda: load.refused > 0, "a 503")
        # Its children end by themselves when they notice; until then the shared memory is theirs.
        wait_until(lambda: not subprocess.run(["sh", "tests/pgtmp", "resume", pg.directory], cwd=ROOT, capture_output=True).returncode,
                   "the server's start")
        well(p)
        pg.run("halt")
        sick(p)
        pg.run("resume")
        well(p)
        for _ in range(20):
            pg.sql(w, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'steward' ORDER BY random() LIMIT 3")
            time.sleep(0.05)
        load.stop()
        answered_once(w, load.posted)
        well(p)
        p.stop()


@flow(databases=("postgres",))
def failover_to_another_address(w):
    """DATABASE_URL with two hosts: the first dies, the second is a standby that is promoted a while later."""
    with Cluster(w, "a", FSYNC="on") as a:
        a.use(w)
        b = Cluster(w, "b")
        os.mkdir(b.directory)
        if os.getuid() == 0:
            shutil.chown(b.directory, "postgres")
        data = os.path.join(b.directory, "data")
        a.as_server_user("pg_basebackup", "-D", data, "-R", "-d", a.url, "-c", "fast")
        with open(os.path.join(data, "postgresql.conf"), "a") as f:
            f.write(f"\nunix_socket_directories = '{b.directory}'\n")
        try:
            b.run("resume")
            b.url = a.url.replace(a.host, a.host.replace("%2Fa", "%2Fb"))
            w.db.url = a.url.replace(a.host, f"{a.host},{b.host}") + "?target_session_attrs=read-write"
            p = w.start_assistant()
            for i in range(5):
                assert p.post_update(w.update(f"buy item{i}x tomorrow"))[0] == 200
            w.wait_idle()
            lsn = a.sql(w, "SELECT pg_current_wal_lsn()")[0][0]
            wait_until(lambda: b.sql(w, f"SELECT pg_last_wal_replay_lsn() >= '{lsn}'")[0][0], "the standby")
            a.run("halt")
            update = w.update("buy item5x tomorrow")
            status, _, headers = p.post_update(update)  # the standby answers, but takes no writes yet
            assert status == 503 and headers.get("retry-after") == "2", status
            sick(p)
            b.as_server_user("pg_ctl", "promote", "-w", "-D", data)
            post_until_stored(p, update)
            well(p)
            answered_once(w, [f"buy item{i}x" for i in range(6)])
            p.stop()
        finally:
            b.__exit__()


@contextlib.contextmanager
def small_disk(w, mebibytes):
    """A file system of its own; None where this user may not mount one."""
    at = os.path.join(w.scratch, "small")
    os.mkdir(at)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=0777", "tmpfs", at], capture_output=True)
    try:
        yield at if done.returncode == 0 else None
    finally:
        if done.returncode == 0:
            subprocess.run(["umount", "-l", at], check=True)


def fill(path):
    """Take what is left of a file system; the path to delete."""
    with open(path, "wb", buffering=0) as f, contextlib.suppress(OSError):
        while f.write(b"x" * 65536):
            pass
    return path


def refused_when_full(w, p):
    """Large messages until one is refused; how many were stored."""
    for stored in range(400):
        status, body, headers = p.post_update(w.update("note: " + "x" * 30000))
        if status != 200:
            assert status == 503 and headers.get("retry-after") == "2", (status, body)
            return stored
    raise AssertionError("the disk was never full")


@flow(databases=("postgres",))
def a_full_disk_of_the_server(w):
    with Cluster(w) as pg, small_disk(w, 48) as disk:
        if not disk:
            print("skipped: this user may not mount a file system")
            return
        pg.use(w)
        space = os.path.join(disk, "space")
        os.mkdir(space)
        if os.getuid() == 0:
            shutil.chown(space, "postgres")
        pg.sql(w, f"CREATE TABLESPACE small LOCATION '{space}'")
        pg.sql(w, "CREATE DATABASE small TABLESPACE small")
        w.db.url = pg.url.replace("/postgres", "/small") if pg.url.endswith("/postgres") else pg.url
        w.db.url = pg.url.rsplit("/", 1)[0] + "/small"
        p = w.start_assistant()
        filler = fill(os.path.join(disk, "filler"))
        stored = refused_when_full(w, p)
        reason = sick(p)
        assert "disk is full" in reason, reason
        os.unlink(filler)
        update = w.update("buy bread tomorrow")
        post_until_stored(p, update)
        well(p)
        w.wait_idle()
        assert w.db.one("SELECT COUNT(*) FROM notes") == stored
        w.wait_rows("SELECT content FROM tasks", [("buy bread",)])
        p.stop()


@flow(databases=("postgres",))
def no_connection_left(w):
    """Others hold every connection of a server that has fewer than the program would like."""
    with Cluster(w, PGTMP_CONNECTIONS=14) as pg:
        pg.use(w)
        p = w.start_assistant()
        load = Load(w)
        wait_until(lambda: len(load.posted) > 20, "some load")
        admin = w.db.psycopg2.connect(pg.url)
        admin.autocommit = True
        hogs = []

        def hog():
            admin.cursor().execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'steward'")
            with contextlib.suppress(w.db.psycopg2.OperationalError):
                while True:
                    hogs.append(w.db.psycopg2.connect(pg.url))
            return load.refused > 0 and p.get("/health")[0] == 503
        wait_until(hog, "no connection for the program")
        reason = sick(p)
        assert "clients" in reason or "connection" in reason, reason
        for c in (*hogs, admin):
            c.close()
        well(p)
        load.stop()
        answered_once(w, load.posted)
        p.stop()


class Cutter(threading.Thread):
    """Stands between the program and the server; cuts the program off while the server is at a slow COMMIT, which goes on."""

    def __init__(self, server_path, directory):
        super().__init__(daemon=True)
        self.server_path, self.left, self.cuts = server_path, 0, []
        os.mkdir(directory)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(os.path.join(directory, ".s.PGSQL.5432"))
        self.listener.listen(50)
        self.start()

    def run(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.server_path)
            threading.Thread(target=self.serve, args=(client, server), daemon=True).start()

    def serve(self, client, server):
        with contextlib.suppress(OSError), client, server:
            while True:
                readable, _, _ = select.select([client, server], [], [])
                for one, other in ((client, server), (server, client)):
                    data = one.recv(65536) if one in readable else None
                    if data == b"":
                        return
                    if data:
                        other.sendall(data)
                    if data and one is client and self.left > 0 and b"COMMIT\0" in data and not select.select([server], [], [], 0.15)[0]:
                        self.left -= 1
                        self.cuts.append(time.monotonic())
                        client.close()
                        while server.recv(65536):  # until the server is done; it never learns of the cut in time
                            pass
                        return


SLOW_COMMIT = """
CREATE SEQUENCE slow_ones;
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF nextval('slow_ones') = 1 THEN PERFORM pg_sleep(2.5); END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER slow AFTER UPDATE ON {table} DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.state = '{state}' AND OLD.state = 'available') EXECUTE FUNCTION slow()
"""


def cut_off_at_the_commit(w, table, state):
    """The claim is not there yet when the program looks for it, and is there a moment later: nobody would work on it."""
    with Cluster(w) as pg:
        pg.use(w)
        directory = os.path.join(w.scratch, "cut")
        cutter = Cutter(os.path.join(pg.directory, ".s.PGSQL.5432"), directory)
        w.db.url = pg.url.replace("%2Fpg", "%2Fcut")
        p = w.start_assistant()
        w.says("buy bread tomorrow")
        w.wait_idle()
        pg.sql(w, SLOW_COMMIT.format(table=table, state=state))
        cutter.left = 1
        message = w.telegram.user_says(OWNER, None, "buy milk tomorrow")
        wait_until(lambda: cutter.cuts, "the cut")
        w.telegram.wait_for_reply(message, timeout=60)  # far below a lease
        answered_once(w, ["buy bread", "buy milk"])
        assert not [m for m in w.sent() if "Sent again" in m.text]
        p.stop()


@flow(databases=("postgres",))
def cut_off_at_the_commit_of_a_turns_claim(w):
    cut_off_at_the_commit(w, "inbox", "running")


@flow(databases=("postgres",))
def cut_off_at_the_commit_of_a_sends_claim(w):
    cut_off_at_the_commit(w, "outbox", "sending")


# --- SQLite ---

AS_NOBODY = ["setpriv", "--reuid=nobody", "--clear-groups"] if os.getuid() == 0 else []  # root is stopped by no mode


def limit_files(p, bytes_max, how=()):
    """How large the program's files may grow, from now on; set by a process of its user."""
    subprocess.run([*how, "prlimit", f"--pid={p.process.pid}", f"--fsize={bytes_max}:unlimited"], check=True)


@flow(databases=("sqlite",))
def a_full_disk_gets_room_again(w):
    """A file-size limit stands for the full disk; it is raised under the running program."""
    p = w.start_assistant()
    limit_files(p, 1500 * 1024)
    stored = refused_when_full(w, p)
    reason = sick(p)
    assert "disk" in reason, reason
    update = w.update("buy bread tomorrow")
    limit_files(p, "unlimited")
    post_until_stored(p, update)
    well(p)
    w.wait_idle()
    assert w.db.one("SELECT COUNT(*) FROM notes") == stored, "what was answered 200 is on disk"
    w.wait_rows("SELECT content FROM tasks", [("buy bread",)])


@flow(databases=("sqlite",))
def a_file_locked_by_another_program(w):
    """Somebody's shell sits in a transaction, longer than the program's patience."""
    p = w.start_assistant()
    assert p.post_update(w.update("buy bread tomorrow"))[0] == 200
    w.wait_idle()
    with contextlib.closing(sqlite3.connect(w.db.path, isolation_level=None)) as shell:
        shell.execute("BEGIN IMMEDIATE")
        update = w.update("buy milk tomorrow")
        status, body, headers = p.post_update(update)
        assert status == 503 and headers.get("retry-after") == "2", (status, body)
        wait_until(lambda: "another program holds" in sick(p), "the reason")
        shell.execute("ROLLBACK")
    post_until_stored(p, update)
    well(p)
    answered_once(w, ["buy bread", "buy milk"])


@flow(databases=("sqlite",))
def a_file_that_became_read_only(w):
    """An open file stays writable whatever its mode becomes; the next start is refused with a sentence."""
    w.with_telegram()
    wrapper, directory = os.path.join(w.scratch, "as-nobody"), os.path.join(w.scratch, "own")
    os.mkdir(directory)
    os.chmod(w.scratch, 0o755)
    w.db.path = os.path.join(directory, "steward.db")
    w.db.url = "sqlite://" + w.db.path
    binary = shutil.copy(w.binary, os.path.join(directory, "steward"))
    if AS_NOBODY:
        shutil.chown(directory, "nobody")
    with open(wrapper, "w") as f:
        f.write(f"#!/bin/sh\nexec {' '.join(AS_NOBODY)} {binary}\n")
    os.chmod(wrapper, 0o755)
    p = Program(wrapper, w.db.url, w.scratch, w.environment(PUBLIC_URL="http://127.0.0.1:1"))
    w.programs.append(p)
    p.start()
    assert p.post_update(w.update("buy bread tomorrow"))[0] == 200
    w.wait_idle()
    os.chmod(w.db.path, 0o444)
    assert p.post_update(w.update("buy milk tomorrow"))[0] == 200

    def refused(path, mode, right):
        os.chmod(path, mode)
        p.start(healthy=False)
        assert p.process.wait(20) == 1, path
        words = p.log_text().splitlines()[-1]
        assert "cannot start" in words and "writable" in words and w.db.path in words, words
        os.chmod(path, right)
        p.start()
    p.kill()
    refused(w.db.path, 0o444, 0o600)
    answered_once(w, ["buy bread", "buy milk"])
    p.stop()  # SQLite's two files beside it are gone, and cannot be made again
    refused(directory, 0o555, 0o755)
    assert p.post_update(w.update("buy soap tomorrow"))[0] == 200
    answered_once(w, ["buy bread", "buy milk", "buy soap"])


if __name__ == "__main__":
    assert OWNER
    sys.exit(main())
