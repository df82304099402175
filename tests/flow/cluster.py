# SPDX-License-Identifier: MIT
"""A PostgreSQL cluster of one flow's own: to be stopped, filled, or crowded."""
import contextlib
import os
import subprocess

from harness import ROOT


class Cluster:
    def __init__(self, w, name="pg", **env):
        self.directory = os.path.join(w.scratch, name)
        self.env = {**os.environ, **{k: str(v) for k, v in env.items()}}
        os.chmod(w.scratch, 0o755)
        self.url = None

    def run(self, command):
        done = subprocess.run(["sh", "tests/pgtmp", command, self.directory], cwd=ROOT, capture_output=True, text=True, env=self.env)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    def __enter__(self):
        self.url = self.run("start").strip().splitlines()[-1]
        return self

    def __exit__(self, *exc):
        subprocess.run(["sh", "tests/pgtmp", "stop", self.directory], cwd=ROOT, capture_output=True)

    @property
    def host(self):
        return self.url.split("@")[1].split("/")[0]

    def pid(self):
        with open(os.path.join(self.directory, "data", "postmaster.pid")) as f:
            return int(f.readline())

    def as_server_user(self, *command):
        """A program of the server's version, run by the user the server runs as."""
        bin_directory = os.path.dirname(os.path.realpath(f"/proc/{self.pid()}/exe"))
        words = [os.path.join(bin_directory, command[0]), *command[1:]]
        if os.getuid() == 0:
            words = ["runuser", "-u", "postgres", "--", *words]
        done = subprocess.run(words, cwd="/", capture_output=True, text=True)
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout

    def sql(self, w, words):
        with contextlib.closing(w.db.psycopg2.connect(self.url)) as c:
            c.autocommit = True
            k = c.cursor()
            k.execute(words)
            return k.fetchall() if k.description else None

    def use(self, w):
        """Let the world live here."""
        w.db.drop()
        w.db.url, w.db.drop = self.url, lambda: None
