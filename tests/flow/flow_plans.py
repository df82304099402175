#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Every statement of the program, asked how it would be run: none may walk through a table that grows.

The statements are read from the binary itself, so that none is forgotten; those that are put together while the
program runs (they hold a %) are left out.  PostgreSQL is asked for the plan that a prepared statement keeps when it was
made in the first hour of a new database, where no table has been looked at yet; what claims read when their tables were
known to be empty is measured in tests/unit/test_backlog.c.
"""
import contextlib
import re
import sqlite3
import sys

from harness import flow, main

GROWING = {"inbox", "inbox_staging", "outbox", "tasks", "notes", "row_changes", "vectors", "usage", "audit", "console_messages",
           "turn_steps", "cards", "requests", "request_votes", "journal", "turns", "history", "sleep_logs",
           "exercise_logs", "water_logs", "sauna_logs", "inbody_measurements"}
# Indexes of what is at work at this moment: to walk through one is to look at little.
FEW = {"inbox_running", "inbox_parked", "outbox_running", "requests_open", "requests_expire", "requests_remind"}

# How a statement begins → why it may walk, and at most through what.
WALKS = {
    "DELETE FROM history": "stops at the first row that stays",
    "DELETE FROM turn_steps": "stops at the first row that stays",
    "WITH now AS MATERIALIZED (SELECT CASE WHEN $1 = -1": "asks whether anything is staged: the first row says so",
    "DELETE FROM vectors WHERE (item_type": "through an index without the vectors, every ten minutes",
    "SELECT id FROM outbox WHERE state = 'available' AND $1 LIKE": "what waits, after a COMMIT without an answer",
    "DELETE FROM outbox WHERE dedupe_key = $1 AND state": "what waits, on PostgreSQL, for a card with a file",
    "DELETE FROM outbox WHERE kind = 'topic'": "what waits, when a topic is asked for once more",
    "SELECT COALESCE(MIN(seq), 1) - 1 FROM (SELECT seq FROM audit": "a command of the shell",
    "SELECT count(*) FROM inbox WHERE state IN ('available', 'running')": "a backup's report",
    "SELECT coalesce(sum(posts), 0) FROM inbox_staging": "a backup's report",
    "SELECT count(*) FROM outbox WHERE state IN ('available', 'sending')": "a backup's report",
    "UPDATE inbox SET run_at = run_at + $2": "when somebody sets the clock",
    "UPDATE outbox SET run_at = run_at + $2": "when somebody sets the clock",
    "UPDATE cards SET chat_id = $3": "when a group becomes a supergroup",
}
# Texts of one dialect that the other understands too.
POSTGRES_ONLY = r"xact >= \$"
SQLITE_ONLY = r"max\(id\)|^WITH RECURSIVE (?!.*FOR UPDATE)|tap = \$1 ORDER BY id$|lease_until \+ \$1"


def statements(binary, other_dialect):
    with open(binary, "rb") as f:
        begin = rb"(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH) "
        found = re.findall(rb"(?<=\0)" + begin + rb"[\n\x20-\x7e\x80-\xff]+(?=\0)", f.read())
    texts = sorted({t.decode() for t in found})
    assert len(texts) > 150, f"{len(texts)} statements found: how does the binary keep them?"
    for begin in WALKS:
        assert any(t.startswith(begin) for t in texts), f"no longer in the program: {begin}"
    return [t for t in texts if not re.search(r"%[sw]|" + other_dialect, t)]


def table_of(name, text):
    """What a name in a plan stands for: a table, an alias of one, or something of the statement's own."""
    if name in GROWING:
        return name
    alias = re.search(rf"\b(\w+) (?:AS )?{name}\b", text)
    return alias.group(1) if alias and alias.group(1) in GROWING else None


def stops_early(text, name):
    """Through the table in the order of an index, up to a limit, with nothing but the limit to end it."""
    return re.search(rf"\bFROM \w+(?: {name})?(?: WHERE [^()]*)? ORDER BY [^()]* LIMIT ", text) is not None


def judge(explained, text, walks):
    if walks and not any(text.startswith(w) for w in WALKS):
        explained.append(f"{', '.join(walks)}: {text}")


def tell(bad, checked, least):
    assert checked >= least, f"only {checked} statements could be explained"
    assert not bad, "walks through what grows:\n" + "\n".join(bad)


@flow(databases=("sqlite",))
def no_statement_walks_through_what_grows(w):
    w.start().stop()
    bad, checked = [], 0
    with contextlib.closing(sqlite3.connect(w.db.path)) as c:
        for text in statements(w.binary, POSTGRES_ONLY):
            try:
                nulls = {n: None for n in re.findall(r"\$(\d+)", text)}
                plan = c.execute("EXPLAIN QUERY PLAN " + text, nulls).fetchall()
            except sqlite3.Error:
                continue  # of the other dialect
            checked += 1
            walks = []
            for line in plan:
                scan = re.match(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", line[3])
                if scan and table_of(scan[1], text) and scan[2] not in FEW and not stops_early(text, scan[1]):
                    walks.append(line[3])
            judge(bad, text, walks)
    tell(bad, checked, 150)


def full_walks(node, stopped=False):
    """Nodes of a plan that read a growing table, or an index of it, from one end to the other."""
    kind, table = node["Node Type"], node.get("Relation Name")
    if kind in ("Sort", "Aggregate", "Hash", "Unique", "WindowAgg"):
        stopped = False  # takes all before it gives any
    elif kind == "Limit":
        stopped = True
    if table in GROWING and kind != "ModifyTable":
        by_index = kind in ("Index Scan", "Index Only Scan", "Bitmap Heap Scan")
        narrowed = "Index Cond" in node or kind == "Bitmap Heap Scan"
        if not by_index or not (narrowed or stopped or node.get("Index Name") in FEW):
            yield f"{kind} of {table} by {node.get('Index Name')}"
    for child in node.get("Plans", []):
        yield from full_walks(child, stopped)


@flow(databases=("postgres",))
def no_plan_of_a_new_database_walks_through_what_grows(w):
    w.start().stop()
    bad, checked = [], 0
    with contextlib.closing(w.db.psycopg2.connect(w.db.url)) as c:
        c.autocommit = True
        k = c.cursor()
        # as link_setup() in store/db_postgres_link.c
        k.execute("SET enable_seqscan=off; SET enable_bitmapscan=off; SET jit=off")
        k.execute("SET plan_cache_mode=force_generic_plan")
        for text in statements(w.binary, SQLITE_ONLY):
            count = max([int(n) for n in re.findall(r"\$(\d+)", text)], default=0)
            try:
                k.execute("PREPARE p AS " + text)
            except w.db.psycopg2.Error:
                continue  # of the other dialect, or a parameter whose type nothing tells
            try:
                k.execute("EXPLAIN (FORMAT JSON) EXECUTE p" + (f"({','.join(['NULL'] * count)})" if count else ""))
                checked += 1
                judge(bad, text, list(full_walks(k.fetchone()[0][0]["Plan"])))
            finally:
                k.execute("DEALLOCATE p")
    tell(bad, checked, 150)


if __name__ == "__main__":
    sys.exit(main())
