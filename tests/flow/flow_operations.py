#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What an operator relies on: backup and restore, metrics, the ledger, the doctor."""
import contextlib
import glob
import json
import os
import re
import resource
import shlex
import shutil
import sqlite3
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import OWNER, ROOT, SECRET, TOKEN, flow, main, wait_until  # noqa: E402
sys.path.insert(0, os.path.join(ROOT, "tests", "fakes"))
from models import call, calls, status, text  # noqa: E402


# --- backup and restore ---

def dump(path, leave=("vector_state",)):
    """Every row of every table of a SQLite file."""
    with contextlib.closing(sqlite3.connect(path)) as c:
        names = [n for n, in c.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
        return {n: sorted(c.execute(f'SELECT * FROM "{n}"').fetchall(), key=repr) for n in names if n not in leave}


class Posting(threading.Thread):
    """Messages without a pause, until told otherwise; `posted` were acknowledged."""

    def __init__(self, w):
        super().__init__(daemon=True)
        self.w, self.posted, self.over = w, 0, False

    def run(self):
        while not self.over:
            if self.w.program.post_update(self.w.update(f"add task: errand number {self.posted}"))[0] == 200:
                self.posted += 1


@flow(databases=("sqlite",))
def a_backup_under_load_is_one_instant(w):
    w.start_assistant()
    big = "x" * 3000
    w.db.change("INSERT INTO notes (user_id, content, created_date) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
                f" WHERE i < 3000) SELECT 7, i || '{big}', '2026-01-01T00:00:00Z' FROM n")
    load = Posting(w)
    load.start()
    wait_until(lambda: load.posted > 50, "some load")
    before = load.posted
    backup = os.path.join(w.scratch, "backup.db")
    code, out, err = w.command("backup", backup)
    after = load.posted
    load.over = True
    load.join()
    assert code == 0 and "integrity checked" in out and "100 %" in err, (code, out, err)
    assert after > before, "the server went on meanwhile"
    assert os.stat(backup).st_mode & 0o777 == 0o600
    assert not glob.glob(backup + "?*"), "nothing beside it"
    rows = dump(backup)
    assert len(rows["notes"]) == 3000
    keys = {r[0]: r for r in rows["inbox"]}
    assert before <= len(keys) <= after + 1, (before, len(keys), after)
    with contextlib.closing(sqlite3.connect(backup)) as c:  # one instant: an answer never without its message, which is done
        answers, done = c.execute("SELECT count(*), count(i.id) FROM outbox o LEFT JOIN inbox i ON i.id = o.inbox_id AND i.state = 'done'").fetchone()
        assert answers == done > 0, (answers, done)
        assert c.execute("PRAGMA journal_mode").fetchone()[0] == "delete", "one file, complete in itself"


@flow(databases=("sqlite",))
def a_backup_that_does_not_fit_leaves_nothing(w):
    w.start_assistant()
    w.says("note: " + "a long note " * 300)
    w.wait_idle()
    backup, old = os.path.join(w.scratch, "backup.db"), b"the backup from yesterday"
    with open(backup, "wb") as f:
        f.write(old)
    env = {"PATH": os.environ["PATH"], "DATABASE_URL": w.db.url}

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (40960, 40960))
    for command in ("backup", "restore"):
        into = dict(env, DATABASE_URL=f"sqlite://{w.scratch}/fresh.db") if command == "restore" else env
        if command == "restore":
            assert w.command("backup", "--force", backup)[0] == 0
        done = subprocess.run([w.binary, command, *(["--force"] if command == "backup" else []), backup], env=into, capture_output=True,
                              text=True, cwd=w.scratch, preexec_fn=limit, timeout=60)
        assert done.returncode == 1 and "steward " + command in done.stderr, done
        assert not glob.glob(w.scratch + "/*.partial*") and not os.path.exists(w.scratch + "/fresh.db"), os.listdir(w.scratch)
        if command == "backup":
            with open(backup, "rb") as f:
                assert f.read() == old, "the old file is there until the new one is proved"


@flow(databases=("sqlite",))
def a_command_does_what_fits(w):
    """The database's log grows ahead of what is written: where that finds no room, the rows may still find it."""
    w.start_assistant()
    w.says("buy bread tomorrow")
    w.wait_idle()
    rows, env = os.path.join(w.scratch, "rows.jsonl"), {"PATH": os.environ["PATH"], "DATABASE_URL": w.db.url}
    with open(rows, "w", encoding="utf-8") as f:
        f.write('{"type": "note", "content": "the wifi password is hunter2"}\n')
    w.program.stop()

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (900000, 900000))
    for words in (("import", rows), ("doctor",)):
        done = subprocess.run([w.binary, *words], env=env, capture_output=True, text=True, cwd=w.scratch, preexec_fn=limit, timeout=60)
        assert done.returncode == 0, done
    assert w.db.one("SELECT count(*) FROM notes") == 1


@flow(databases=("sqlite",))
def a_backup_restored_elsewhere_has_the_same_rows(w):
    w.start_assistant()
    w.says("buy bread tomorrow")
    w.says("note: the wifi password is hunter2")
    w.wait_idle()
    backup = os.path.join(w.scratch, "backup.db")
    assert w.command("backup", backup)[0] == 0
    code, out, err = w.command("backup", backup)
    assert code == 1 and "--force" in err, (code, err)
    w.says("slept 7h30")
    assert w.command("backup", "--force", backup)[0] == 0
    assert w.command("backup", "--force", w.db.path)[0] == 1 and w.command("backup", "--force", w.db.path + "-wal")[0] == 1
    assert w.db.one("SELECT count(*) FROM tasks") == 1
    assert w.command("backup", "-")[0] == 2 and w.command("backup")[0] == 2 and w.command("restore", "--force", backup)[0] == 2
    code, _, err = w.command("backup", os.path.join(w.scratch, "nowhere", "x.db"))
    assert code == 1 and "nowhere" in err, err
    code, _, err = w.command("backup", os.path.join(w.scratch, "x.db"), env={"DATABASE_URL": f"sqlite://{w.scratch}/none.db"})
    assert code == 1 and "none.db" in err and not os.path.exists(os.path.join(w.scratch, "none.db")), err

    fresh = os.path.join(w.scratch, "fresh.db")
    code, out, err = w.command("restore", backup, env={"DATABASE_URL": f"sqlite://{fresh}"})
    assert code == 0 and "restored" in out and "kept" not in out, (code, out, err)
    assert dump(fresh) == dump(backup)
    ids = [sqlite3.connect(p).execute("SELECT database_id FROM vector_state").fetchone()[0] for p in (fresh, backup)]
    assert ids[0] != ids[1], "caches of the old database do not fit the restored one"
    code, out, _ = w.command("search", "wifi", env={"DATABASE_URL": f"sqlite://{fresh}", "TELEGRAM_USER_ID": str(OWNER)})
    assert code == 0 and "hunter2" in out, out


@flow(databases=("sqlite",))
def a_restore_replaces_and_keeps_what_was_there(w):
    w.start_assistant()
    w.says("buy bread tomorrow")
    w.wait_idle()
    backup = os.path.join(w.scratch, "backup.db")
    assert w.command("backup", backup)[0] == 0
    w.says("buy milk tomorrow")
    w.wait_idle()
    code, _, err = w.command("restore", backup)
    assert code == 1 and "another steward" in err and str(w.program.process.pid) in err, err
    w.program.kill()  # its log holds what is not in the file yet
    assert os.path.getsize(w.db.path + "-wal") > 0
    before = None
    with open(w.db.path, "rb") as f:
        before = f.read()
    for damage, words in ((b"no database at all, only text that is long enough " * 100, "not a database"), (None, "damaged"), ("other", "not a database of steward"),
                          ("newer", "schema version 9999")):
        bad = os.path.join(w.scratch, "bad.db")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(bad)
        if isinstance(damage, bytes):
            with open(bad, "wb") as f:
                f.write(damage)
        elif damage == "other":
            sqlite3.connect(bad).executescript("CREATE TABLE t (x); INSERT INTO t VALUES (1)")
        else:
            with open(backup, "rb") as f, open(bad, "wb") as g:
                image = bytearray(f.read())
                if damage is None:
                    image[len(image) // 2:len(image) // 2 + 4096 * 8] = b"\xa5" * (4096 * 8)
                g.write(image)
            if damage == "newer":
                with contextlib.closing(sqlite3.connect(bad)) as c, c:
                    c.execute("INSERT INTO schema_migrations VALUES (9999, 'later', 'x', 1)")
        code, _, err = w.command("restore", bad)
        assert code == 1 and (words in err or "malformed" in err), (words, code, err)
        with open(w.db.path, "rb") as f:
            assert f.read() == before and os.path.getsize(w.db.path + "-wal") > 0, f"{words}: untouched"
        assert not glob.glob(w.db.path + ".before*") and not glob.glob(w.db.path + ".partial*")
    reader = sqlite3.connect(w.db.path)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM tasks").fetchone()
    code, _, err = w.command("restore", backup)
    assert code == 1 and "another program" in err, err
    reader.close()
    assert w.db.one("SELECT count(*) FROM tasks") == 2
    code, out, err = w.command("restore", backup)
    assert code == 0 and "kept as" in out, (out, err)
    kept = glob.glob(w.db.path + ".before-restore-*")
    assert len(kept) == 1, kept
    assert len(dump(kept[0])["tasks"]) == 2 and len(dump(w.db.path)["tasks"]) == 1
    w.start()
    w.says("buy soap tomorrow")
    w.wait_idle()
    assert w.db.rows("SELECT content FROM tasks ORDER BY id") == [("buy bread",), ("buy soap",)]


@flow(databases=("sqlite",))
def a_damaged_database_is_replaced_and_its_log_goes_along(w):
    w.start_assistant()
    w.says("buy bread tomorrow")
    w.wait_idle()
    backup = os.path.join(w.scratch, "backup.db")
    assert w.command("backup", backup)[0] == 0
    w.says("buy milk tomorrow")
    w.wait_idle()
    w.program.kill()
    with open(w.db.path + "-wal", "rb") as f:
        log = f.read()
    with open(w.db.path, "r+b") as f:  # the first page is no SQLite header any more; the log does not hold all pages
        f.write(b"\xa5" * 100)
    os.truncate(w.db.path + "-wal", 0)
    with open(w.db.path + "-wal", "wb") as f:
        f.write(b"\x00" * 32 + log[32:])  # nor is it valid
    code, _, err = w.command("backup", "--force", backup + ".2")
    assert code == 1 and not os.path.exists(backup + ".2"), err
    code, out, err = w.command("restore", backup)
    assert code == 0, (out, err)
    kept = sorted(glob.glob(w.db.path + ".before-restore-*"))
    assert len(kept) == 2 and kept[1] == kept[0] + "-wal", kept
    assert not os.path.exists(w.db.path + "-wal"), "SQLite would play it back"
    assert [r[0] for r in w.db.rows("SELECT content FROM tasks")] == ["buy bread"]
    w.start()


@flow(databases=("postgres",))
def postgres_prints_its_own_lines(w):
    w.start_assistant()
    w.says("note: the wifi password is hunter2")
    w.wait_idle()
    url = re.sub(r"//([^@/]*@)?", r"//\1" if "@" in w.db.url else "//", w.db.url)
    secret = "s3cret'pass"
    with_password = re.sub(r"//(?:([^:@/]*)(?::[^@]*)?@)?", lambda m: f"//{m.group(1) or 'postgres'}:s3cret%27pass@", url)
    code, out, err = w.command("backup", "a file's name.dump", env={"DATABASE_URL": with_password})
    assert code == 1 and out.startswith("pg_dump ") and "PGPASSFILE" in err, (code, out, err)
    assert "s3cret" not in out + err and secret not in out + err
    code, out, err = w.command("backup", "a file's name.dump")
    lines = out.strip().split("\n")
    assert len(lines) == 2 and shlex.split(lines[0])[0] == "pg_dump", out
    for line in lines:  # as printed
        done = subprocess.run(["sh", "-c", line], cwd=w.scratch, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, (line, done.stderr)
    assert done.stdout == "verified\n" and os.path.exists(os.path.join(w.scratch, "a file's name.dump"))
    w.program.stop()
    w.programs.pop()
    before = w.db.rows("SELECT id, content FROM notes"), w.db.one("SELECT database_id FROM vector_state")
    w.db.change("DELETE FROM notes")
    code, out, _ = w.command("restore", "a file's name.dump")
    assert code == 1
    for line in out.strip().split("\n"):
        done = subprocess.run(["sh", "-c", line], cwd=w.scratch, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, (line, done.stderr)
    assert w.db.rows("SELECT id, content FROM notes") == before[0]
    assert w.db.one("SELECT database_id FROM vector_state") != before[1]
    w.start()


# --- metrics ---

SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')


def family_of(name, kinds):
    for suffix in ("_bucket", "_sum", "_count"):
        if name.endswith(suffix) and kinds.get(name[:-len(suffix)]) == "histogram":
            return name[:-len(suffix)]
    return name


def histogram_is_whole(name, rows):
    """Buckets ascend in bound and count, end in +Inf, and agree with the count."""
    series = {}
    for suffix, labels, value in rows:
        key = tuple(x for x in labels if x[0] != "le")
        one = series.setdefault(key, {"le": [], "sum": None, "count": None})
        if suffix == "_bucket":
            one["le"].append((float(dict(labels)["le"]), value))
        else:
            one[suffix[1:]] = value
    for key, one in series.items():
        bounds, counts = [b for b, _ in one["le"]], [c for _, c in one["le"]]
        assert bounds == sorted(set(bounds)) and bounds[-1] == float("inf"), (name, key, bounds)
        assert counts == sorted(counts) and counts[-1] == one["count"] and one["sum"] is not None, (name, key, one)


def parse_exposition(page):
    """Prometheus' text format 0.0.4, strictly: {name: {labels: value}} of all samples, and {family: type}."""
    assert page.endswith("\n") and "\r" not in page
    helps, kinds, families, samples, now = {}, {}, {}, {}, None
    for line in page[:-1].split("\n"):
        if line.startswith("# "):
            word, name, rest = line[2:].split(" ", 2)
            assert word in ("HELP", "TYPE") and rest, line
            target = helps if word == "HELP" else kinds
            assert name not in target and name not in families, f"{line}: twice, or after its samples"
            target[name] = rest
            if word == "TYPE":
                assert rest in ("counter", "gauge", "histogram") and name in helps, line
            continue
        m = SAMPLE.fullmatch(line)
        assert m, f"no sample: {line!r}"
        name, labels, value = m.group(1), m.group(2) or "", float(m.group(3))
        assert labels == "" or "".join(x.group(0) for x in LABEL.finditer(labels)) == labels, line
        pairs = tuple(sorted(LABEL.findall(labels)))
        assert len({k for k, _ in pairs}) == len(pairs), line
        family = family_of(name, kinds)
        assert family in kinds, f"{line}: no TYPE"
        if family != now:
            assert family not in families, f"{line}: the family is torn apart"
            now = family
        families.setdefault(family, []).append((name[len(family):], pairs, value))
        assert pairs not in samples.setdefault(name, {}), f"{line}: twice"
        assert value == value and (kinds[family] == "gauge" or value >= 0), line
        samples[name][pairs] = value
    for family, rows in families.items():
        kind = kinds[family]
        assert (kind == "counter") == family.endswith("_total"), f"{family} is a {kind}"
        assert not re.search(r"_(ms|milliseconds|kb|info_total|minutes)\b", family), family
        if kind == "histogram":
            histogram_is_whole(family, rows)
    assert set(helps) == set(kinds) == set(families)
    return samples, kinds


def metrics(p):
    status, page, headers = p.get("/metrics")
    assert status == 200 and headers["content-type"].startswith("text/plain; version=0.0.4"), (status, headers)
    return parse_exposition(page)[0]


def value(samples, name, **labels):
    found = [v for pairs, v in samples.get(name, {}).items() if set(labels.items()) <= set(pairs)]
    assert len(found) == 1, (name, labels, samples.get(name))
    return found[0]


def the_parser_is_strict():
    good = '# HELP a_total x\n# TYPE a_total counter\na_total{b="c\\"d"} 1\n'
    parse_exposition(good)
    for bad in (good + "a_total 2\nb 1\n", good.replace("counter", "summary"), good.replace('d"}', 'd}'), good.rstrip("\n"), good + good,
                good.replace(" 1\n", " one\n"), good.replace("a_total", "a"), good.replace("# HELP a_total x\n", ""), good + 'a_total{b="c\\"d"} 1\n',
                "# HELP h x\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n",
                "# HELP h x\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_sum 1\nh_count 1\n"):
        try:
            parse_exposition(bad)
        except (AssertionError, ValueError):
            continue
        raise AssertionError(f"accepted: {bad!r}")


SMALL = "text-embedding-3-small"


@flow
def metrics_tell_what_happened(w):
    the_parser_is_strict()
    w.with_telegram()
    w.with_models()
    w.start(EMBEDDING_BASE_URL=w.models.openai_url, EMBEDDING_API_KEY="test-key-embeddings")
    wait_until(lambda: w.telegram.webhook["url"], "the webhook")
    w.models.script([calls(call("add_task", content="Buy bread"))])
    w.says("bread please")
    w.says("/help")
    w.wait_idle()
    wait_until(lambda: value(metrics(w.program), "steward_index_vectors") == 1, "the vector")

    def empty_queues():
        m = metrics(w.program)
        empty = "steward_inbox_waiting" in m and value(m, "steward_inbox_waiting", lane="messages") == 0 == value(m, "steward_outbox_waiting", channel="telegram")
        return empty and m
    s = wait_until(empty_queues, "a sample of the queues after the work was done")
    assert value(s, "steward_turn_duration_seconds_count", path="model") == 1
    assert value(s, "steward_turn_duration_seconds_count", path="command") == 1
    assert value(s, "steward_turn_duration_seconds_count", path="parser") == 0
    assert value(s, "steward_tool_duration_seconds_count") == 1
    model = {"kind": "chat", "provider": "local", "model": "claude-haiku-5-5"}
    assert value(s, "steward_model_calls_total", outcome="ok", **model) == 1 == value(s, "steward_model_duration_seconds_count", **model)
    assert value(s, "steward_model_calls_total", outcome="failed", **model) == 0
    ledger = w.db.rows("SELECT sum(input_tokens - cached_tokens), sum(cached_tokens), sum(output_tokens) FROM usage WHERE model <> ?", SMALL)[0]
    assert tuple(value(s, "steward_model_tokens_total", type=t, **model) for t in ("input", "cached", "output")) == tuple(float(x) for x in ledger)
    assert value(s, "steward_model_cost_dollars_total", **model) == 0, "a server of one's own"
    assert value(s, "steward_model_calls_total", kind="embedding", outcome="ok") >= 1
    assert value(s, "steward_sends_total", channel="telegram", outcome="sent") == 2 <= value(s, "steward_send_duration_seconds_count")
    for kind in ("read", "write") + (("flush",) if w.db.kind == "sqlite" else ()):
        assert value(s, "steward_database_duration_seconds_count", kind=kind) > 0
    assert value(s, "steward_index_items") == 1 and value(s, "steward_index_waiting") == 0 and value(s, "steward_agents_waiting") == 0
    version = [dict(k)["version"] for k in s["steward_build_info"]]
    assert version == [w.command("version")[1].split()[1]]
    assert 0 < value(s, "process_open_fds") < value(s, "process_max_fds") and value(s, "process_resident_memory_bytes") > 1e6
    started = value(s, "process_start_time_seconds")
    assert abs(started - os.stat(f"/proc/{w.program.process.pid}").st_ctime) < 60 and value(s, "process_cpu_seconds_total") > 0
    if shutil.which("promtool"):
        done = subprocess.run(["promtool", "check", "metrics"], input=w.program.get("/metrics")[1], text=True, capture_output=True)
        assert done.returncode == 0 and not done.stdout + done.stderr, done


@flow
def queue_gauges_follow_the_rows(w):
    w.start_assistant()
    wait_until(lambda: "steward_inbox_waiting" in metrics(w.program), "a first sample")
    w.db.change("INSERT INTO outbox (channel, chat_id, kind, payload, run_at, created_at) VALUES ('telegram', 42, 'message', '{}', 32503680000000, 1)")
    w.db.change("INSERT INTO inbox (channel, update_key, lane, tap, body, state, run_at, received_at, owner_id, lease_until) VALUES"
                " ('telegram', 'x1', 'chat:telegram:9', 0, '{}', 'available', 32503680000000, 1, NULL, NULL)")
    w.db.change("INSERT INTO inbox (channel, update_key, lane, tap, body, state, run_at, received_at, finished_at, crashes) VALUES"
                " ('telegram', 'x2', 'chat:telegram:8', 0, '{}', 'parked', 32503680000000, 1, 1, 4)")

    def seen():
        s = metrics(w.program)
        return (value(s, "steward_inbox_waiting", lane="messages"), value(s, "steward_inbox_waiting", lane="taps"), value(s, "steward_inbox_parked"),
                value(s, "steward_outbox_waiting", channel="telegram"), value(s, "steward_outbox_waiting", channel="console"),
                value(s, "steward_inbox_overdue_seconds", lane="messages"), value(s, "steward_outbox_overdue_seconds", channel="telegram")) == (1, 0, 1, 1, 0, 0, 0)
    wait_until(seen, "the gauges of the rows")


@flow(databases=("sqlite",))
def queue_gauges_read_no_finished_rows(w):
    """Each of the sampler's questions goes by a partial index."""
    w.start_assistant()
    with open(os.path.join(ROOT, "store", "queue_depth.c")) as f:
        source = f.read()
    queries, last_end = [], 0
    for literal in re.finditer(r'"(?:[^"\\\n]|\\.)*"(?:\s*"(?:[^"\\\n]|\\.)*")*', source):
        sql = "".join(re.findall(r'"((?:[^"\\\n]|\\.)*)"', literal.group()))
        of_postgres = queries and re.fullmatch(r",\s*", source[last_end:literal.start()])  # the second text of a db_dialect()
        if sql.startswith("SELECT ") and not of_postgres:
            queries.append(sql)
            last_end = literal.end()
    with contextlib.closing(sqlite3.connect(w.db.path)) as c:
        for sql in queries:
            plan = " ".join(r[3] for r in c.execute("EXPLAIN QUERY PLAN " + sql, [None] * len(set(re.findall(r"\$\d", sql)))))
            if "FROM inbox_staging ORDER BY id LIMIT" in sql:  # empty but for a flood, and read up to a bound
                continue
            assert re.search(r"USING (COVERING )?INDEX (inbox|outbox|requests)_", plan) and not re.search(r"SCAN (inbox|outbox|requests)(?! USING)", plan), (sql, plan)
    assert len(queries) == 8, queries


@flow(databases=("sqlite",))
def the_dashboard_asks_for_metrics_that_exist(w):
    w.with_telegram()
    w.with_models()
    w.start(EMBEDDING_BASE_URL=w.models.openai_url, EMBEDDING_API_KEY="test-key-embeddings")
    wait_until(lambda: "steward_inbox_waiting" in metrics(w.program), "a first sample")
    samples = metrics(w.program)
    with open(os.path.join(ROOT, "deploy", "grafana.json")) as f:
        board = json.load(f)
    queries = [t["expr"] for p in board["panels"] for t in p.get("targets", [])]
    assert len(queries) > 10 and len({p["id"] for p in board["panels"]}) == len(board["panels"])
    for q in queries:
        names = set(re.findall(r"\b(?:steward|process)_[a-z0-9_]+", q))
        assert names and names <= set(samples), (q, names - set(samples))
        for name, labels in re.findall(r"((?:steward|process)_[a-z0-9_]+)\{([^}]*)\}", q):
            known = {k for pairs in samples[name] for k, _ in pairs} | {"instance", "job"}
            asked = set(re.findall(r"([a-z_]+)\s*(?:=~|!~|!=|=)", labels))
            assert asked <= known, (q, asked - known)
        for names in re.findall(r"\bby \(([^)]*)\)", q):
            everywhere = {k for n in samples for pairs in samples[n] for k, _ in pairs} | {"instance"}
            assert set(n.strip() for n in names.split(",")) <= everywhere, q


# --- the ledger ---

@flow
def every_call_is_a_row_of_the_ledger(w):
    w.with_telegram()
    w.with_models()
    w.start(EMBEDDING_BASE_URL=w.models.openai_url, EMBEDDING_API_KEY="test-key-embeddings", OPENAI_API_KEY="test-key-openai", OPENAI_BASE_URL=w.models.openai_url)
    wait_until(lambda: w.telegram.webhook["url"], "the webhook")
    w.models.script([calls(call("add_note", content="the sedan needs tyres"))])
    w.says("note the tyres")
    wait_until(lambda: w.db.one("SELECT count(*) FROM usage WHERE model = ?", SMALL) == 1, "the row's embedding")
    before = w.models.asked
    w.models.script([status(401, {"type": "error", "error": {"type": "authentication_error", "message": "no"}}), text("Hello!")])
    w.says("hello there")
    w.wait_idle()
    rows = w.db.rows("SELECT model, outcome, provider FROM usage WHERE model <> ? ORDER BY id", SMALL)
    assert rows == [("claude-haiku-5-5", "ok", "local"), ("claude-haiku-5-5", "failed", "local"), ("gpt-6-luna", "ok", "local")], rows
    w.says("/search automobile")  # one embedding of the question
    wait_until(lambda: w.db.one("SELECT count(*) FROM usage WHERE model = ?", SMALL) == 2, "the question's embedding")
    asked = [r for r in w.models.requests if r["path"].endswith("/embeddings")]
    assert len(asked) == 2 == w.db.one("SELECT count(*) FROM usage WHERE model = ? AND outcome = 'ok' AND input_tokens > 0", SMALL)
    w.program.stop()
    env = {"EMBEDDING_BASE_URL": w.models.openai_url, "EMBEDDING_API_KEY": "test-key-embeddings", "TELEGRAM_USER_ID": str(OWNER)}
    assert w.command("search", "vehicle", env=env)[0] == 0
    assert w.db.one("SELECT count(*) FROM usage WHERE model = ?", SMALL) == 3, "the command's too"


@flow
def a_call_cut_off_by_a_stop_is_a_row_too(w):
    w.start_assistant(models=True)
    w.models.script([{"hang": True}, calls(call("add_task", content="Buy bread"))])
    w.telegram.user_says(OWNER, None, "bread please")
    wait_until(lambda: w.models.asked("bread please"), "the call")
    w.program.stop()
    assert w.db.rows("SELECT model, outcome, input_tokens FROM usage") == [("claude-haiku-5-5", "failed", 0)]
    w.start()
    w.wait_rows("SELECT content FROM tasks", [("Buy bread",)])
    w.wait_idle()
    assert w.db.rows("SELECT outcome FROM usage ORDER BY id") == [("failed",), ("ok",)]


@flow
def usage_shows_today_week_and_month(w):
    w.start_assistant(models=True, DAILY_TOKEN_LIMIT=100000)
    hour, day = 3600000, 24 * 3600000
    now = int(time.time() * 1000)
    # Today is now, other days are far from their midnights in any zone of Europe.
    noon = now - now % day + 11 * hour
    def put(days, provider, model, i, c, o, ms=1000, outcome="ok"):
        at = now if days == 0 else noon - days * day
        w.db.change("INSERT INTO usage (at, provider, model, input_tokens, cached_tokens, output_tokens, elapsed_ms, outcome)"
                    f" VALUES ({at}, '{provider}', '{model}', {i}, {c}, {o}, {ms}, '{outcome}')")
    put(3, "anthropic", "claude-haiku-5-5", 1000000, 400000, 100000)
    put(3, "anthropic", "claude-haiku-5-5", 0, 0, 0, outcome="failed")
    put(20, "anthropic", "claude-sonnet-5-5", 100000, 0, 10000)
    put(10, "openai", SMALL, 5000, 0, 0)
    put(40, "anthropic", "claude-opus-5-5", 1000000, 0, 0)
    put(2, "local", "llama", 700, 0, 70)
    reply = w.says("/usage").text
    lines = reply.split("\n")
    assert lines[0] == "Today: no calls", reply
    assert lines[1] == "Last 7 days: 3 calls (1 failed), 1,000,700 tokens in (39 % cached), 100,070 out, $0.11", reply
    assert lines[2] == "Last 30 days: 5 calls (1 failed), 1,105,700 tokens in (36 % cached), 110,070 out, at least $0.41", reply
    assert "• claude-haiku-5-5 (anthropic): 2 calls (1 failed), 1,000,000 tokens in (40 % cached), 100,000 out, $0.11, 1.0 s a call" in lines, reply
    assert "• llama (local): 1 call, 700 tokens in, 70 out, free (a server of your own), 1.0 s a call" in lines, reply
    assert f"• {SMALL} (openai): 1 call, 5,000 tokens in, 0 out, no price known, 1.0 s a call" in lines, reply
    assert "opus" not in reply and "100,000 of 100,000 tokens are left until midnight (Europe/Berlin)." in reply, reply
    put(0, "anthropic", "claude-haiku-5-5", 100000, 0, 1)
    reply = w.says("/usage").text
    assert "Today: 1 call, 100,000 tokens in, 1 out, $0.01" in reply and "is used up until midnight" in reply, reply
    asked = len(w.models.requests)
    assert "limit" in w.says("buy milk tomorrow").text and w.db.one("SELECT count(*) FROM tasks") == 1
    assert len(w.models.requests) == asked, "no model is asked any more"


@flow(databases=("sqlite",))
def the_limit_holds_for_questions_too(w):
    """Nothing waits to be embedded, the limit is reached by a model: the next question goes by words alone."""
    w.with_telegram()
    w.with_models()
    w.start(DAILY_TOKEN_LIMIT=3000, ANTHROPIC_API_KEY=None, EMBEDDING_BASE_URL=w.models.openai_url, EMBEDDING_API_KEY="test-key-embeddings")
    wait_until(lambda: w.telegram.webhook["url"], "the webhook")
    w.says("note: the sedan needs new tyres")
    wait_until(lambda: w.db.one("SELECT count(*) FROM vectors") == 1, "the embedding")
    w.db.change(f"INSERT INTO usage (at, provider, model, input_tokens, cached_tokens, output_tokens, elapsed_ms, outcome) VALUES ({int(time.time() * 1000)}, 'x', 'y', 3000, 0, 0, 1, 'ok')")
    wait_until(lambda: value(metrics(w.program), "steward_token_limit_reached") == 1, "the lane's notice")
    asked = len(w.models.requests)
    assert "sedan" in w.says("/search tyres").text
    assert len(w.models.requests) == asked


# --- the doctor ---

def doctor(w, env=None, **more):
    """Exit code, {what: [(verdict, words)]} and all that was printed."""
    asked = {**{k: str(v) for k, v in w.environment().items() if v is not None}, **(env or {}), **more}
    code, out, err = w.command("doctor", env={k: v for k, v in asked.items() if v is not None})
    lines = {}
    for verdict, what, words in re.findall(r"^  (ok|warning|FAILURE) +(\S+) +(.*)$", out.split("\nChecks\n")[-1], re.M):
        lines.setdefault(what, []).append((verdict, words))
    failures = sum(v == "FAILURE" for found in lines.values() for v, _ in found)
    assert code == (1 if failures else 0), (code, out)
    warnings = sum(v == "warning" for found in lines.values() for v, _ in found)
    assert re.search(rf"\n{failures} failures?, {warnings} warnings?\.\n$", out), out
    for secret in ("test-key", TOKEN.split(":")[1], SECRET, "hush-hush"):
        assert secret not in out + err, secret
    return code, lines, out


def line(lines, what, verdict, *words):
    assert any(v == verdict and all(x in found for x in words) for v, found in lines.get(what, [])), (what, verdict, words, lines)


@flow
def the_doctor_finds_all_well(w):
    w.start_assistant(models=True)
    w.db.change("INSERT INTO inbox (channel, update_key, lane, tap, body, state, run_at, received_at, finished_at, crashes) VALUES"
                " ('telegram', 'x2', 'chat:telegram:8', 0, '{}', 'parked', 32503680000000, 1, 1, 4)")
    w.models.script([text("OK")])
    code, lines, out = doctor(w, PUBLIC_URL=w.program.env["PUBLIC_URL"], NOTIFY_SECRET="hush-hush-hush-hush", DAILY_TOKEN_LIMIT="1000000",
                              EMBEDDING_BASE_URL=w.models.openai_url, EMBEDDING_API_KEY="test-key-embeddings")
    assert code == 0, out
    line(lines, "database", "ok", "SQLite" if w.db.kind == "sqlite" else "PostgreSQL", "schema version", "MB")
    line(lines, "database", "warning", "1 messages are set aside")
    line(lines, "disk", "ok", "free in" if w.db.kind == "sqlite" else "server's own")
    line(lines, "clock", "ok", "Telegram's")
    line(lines, "agents", "ok", "is set")
    line(lines, "Telegram", "ok", "@steward_test_bot")
    line(lines, "webhook", "ok", "registered", "0 updates")
    line(lines, "cards", "ok", "private chat", "first of TELEGRAM_USER_ID")
    line(lines, "model", "ok", "claude-haiku-5-5", "answers")
    line(lines, "embeddings", "ok", "text-embedding-3-small", "384 dimensions")
    line(lines, "limit", "ok", "of 1000000 tokens used today")
    assert w.db.one("SELECT count(*) FROM usage WHERE outcome = 'ok'") == 2, "the doctor's calls are calls"


@flow
def the_doctor_names_what_is_wrong_and_the_mend(w):
    w.with_telegram()
    w.start()
    wait_until(lambda: w.telegram.webhook["url"], "the webhook")
    w.with_models()
    w.models.script([status(401, {"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key"}})])
    w.telegram.webhook.update(error="Wrong response from the webhook: 401 Unauthorized", error_at=int(time.time()) - 120)
    w.telegram.clock_ahead = 90
    code, lines, out = doctor(w, PUBLIC_URL="http://127.0.0.1:9", NOTIFY_SECRET="hush-hush", EMBEDDING_BASE_URL="http://127.0.0.1:9", NOTIFY_CHAT_ID="777", TELEGRAM_USER_ID="")
    assert code == 1
    line(lines, "clock", "warning", "behind Telegram's", "set-ntp")
    line(lines, "agents", "warning", "9 characters", "openssl rand")
    line(lines, "Telegram", "warning", "TELEGRAM_USER_ID")
    line(lines, "webhook", "warning", "another address")
    line(lines, "webhook", "warning", "2 minutes ago", "401", "WEBHOOK_SECRET_TOKEN")
    line(lines, "cards", "FAILURE", "chat not found", "/start")
    line(lines, "model", "FAILURE", "built-in parser")
    line(lines, "embeddings", "FAILURE", "words alone")
    w.telegram.clock_ahead = 0
    w.telegram.webhook.update(error_at=int(time.time()) - 7200)
    lines = doctor(w, TELEGRAM_BOT_TOKEN="123456:wrong-token", ANTHROPIC_API_KEY=None, DAILY_TOKEN_LIMIT="1")[1]
    line(lines, "Telegram", "FAILURE", "@BotFather")
    line(lines, "clock", "ok", "Telegram's")
    lines = doctor(w, ANTHROPIC_API_KEY=None)[1]
    line(lines, "webhook", "warning", "fetch updates ourselves")
    assert not any("delivery failed" in x for _, x in lines["webhook"]), "two hours old, and nothing waits"
    line(lines, "agents", "ok", "off", "503")
    line(lines, "model", "warning", "none")
    line(lines, "embeddings", "ok", "built in")
    lines = doctor(w, ANTHROPIC_API_KEY=None, TELEGRAM_API_BASE="http://127.0.0.1:9")[1]
    line(lines, "Telegram", "FAILURE", "127.0.0.1:9")
    line(lines, "clock", "ok", "nobody" if w.db.kind == "sqlite" else "database server's")
    away = "sqlite:///nowhere/at/all/x.db" if w.db.kind == "sqlite" else "postgres://nobody:hush-hush@127.0.0.1:9/x"
    code, lines, _ = doctor(w, ANTHROPIC_API_KEY=None, TELEGRAM_BOT_TOKEN=None, DATABASE_URL=away)
    line(lines, "database", "FAILURE", "does not exist" if w.db.kind == "sqlite" else "127.0.0.1")
    code, out, _ = w.command("doctor", env={"PORT": "99999"})
    assert code == 1 and "FAILURE" in out and "PORT" in out, out
    fresh = os.path.join(w.scratch, "fresh.db")
    code, lines, _ = doctor(w, ANTHROPIC_API_KEY=None, TELEGRAM_BOT_TOKEN=None, DATABASE_URL=f"sqlite://{fresh}")
    assert code == 0 and not os.path.exists(fresh), "the doctor makes nothing"
    line(lines, "database", "ok", "first start")


@flow(databases=("sqlite",))
def the_doctor_looks_at_the_group(w):
    w.with_telegram()
    env = dict(NOTIFY_SECRET="hush-hush-hush-hush", NOTIFY_CHAT_ID="-1001")
    line(doctor(w, env)[1], "cards", "FAILURE", "add the bot to the group")
    w.telegram.add_chat(-1001, "supergroup", "Agents")
    w.telegram.demote_bot(-1001)
    lines = doctor(w, env)[1]
    line(lines, "group", "ok", "has no topics")
    line(lines, "group", "warning", "privacy mode", "/setprivacy")
    w.telegram.user_makes_forum(-1001)
    line(doctor(w, env)[1], "group", "warning", "cannot make topics", "Manage topics")
    w.telegram.promote_bot(-1001, can_manage_topics=False)
    lines = doctor(w, env)[1]
    line(lines, "group", "warning", "cannot make topics")
    assert len(lines["group"]) == 1, "an administrator sees every message"
    w.telegram.promote_bot(-1001)
    code, lines, _ = doctor(w, env)
    assert code == 0 and lines["group"] == [("ok", "“Agents”: a topic per project")], lines
    w.telegram.kick_bot(-1001)
    code, lines, _ = doctor(w, env)
    assert code == 1 and "cards" in lines or "group" in lines, lines


if __name__ == "__main__":
    sys.exit(main())
