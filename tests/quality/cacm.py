#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Retrieval quality of the lexical index on the CACM collection: MAP, nDCG@10, P@30.

cacm.py BENCH [DATA]: BENCH is the built tests/quality/cacm_bench.c, DATA the folder with docs.jsonl, queries.jsonl and
qrels.tsv (default ../shared/data/cacm).  Exit 0 when the goals are met or the data is absent, else 1.
"""
import math
import os
import subprocess
import sys

GOALS = {"MAP": 0.318, "nDCG@10": 0.460}  # SQLite FTS5 with the same query rules; Lucene has .3123 and .454


def read_judgements(path):
    relevant = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            query, document, grade = line.split()
            if int(grade) > 0:
                relevant.setdefault(query, set()).add(document)
    return relevant


def score(ranking, relevant):
    found, precision = 0, 0.0
    for rank, document in enumerate(ranking, 1):
        if document in relevant:
            found += 1
            precision += found / rank
    gain = sum(1 / math.log2(rank + 1) for rank, d in enumerate(ranking[:10], 1) if d in relevant)
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(10, len(relevant)) + 1))
    return {
        "MAP": precision / len(relevant),
        "nDCG@10": gain / ideal,
        "P@30": sum(d in relevant for d in ranking[:30]) / 30,
    }


def main():
    bench, extra = sys.argv[1], sys.argv[3:]
    data = sys.argv[2] if len(sys.argv) > 2 else os.path.join(os.path.dirname(__file__), "../../../shared/data/cacm")
    if not os.path.isdir(data):
        print("cacm: skipped, no data at", data)
        return 0
    files = [os.path.join(data, name) for name in ("docs.jsonl", "queries.jsonl")]
    out = subprocess.run([bench, *files, *extra], check=True, capture_output=True, text=True).stdout
    rankings = {}
    for line in out.splitlines():
        query, _, document, _ = line.split()
        rankings.setdefault(query, []).append(document)
    relevant = read_judgements(os.path.join(data, "qrels.tsv"))
    totals = {}
    for query, documents in relevant.items():
        for name, value in score(rankings.get(query, []), documents).items():
            totals[name] = totals.get(name, 0) + value
    means = {name: value / len(relevant) for name, value in totals.items()}
    print("cacm:", len(relevant), "queries,", ", ".join("%s %.4f" % item for item in means.items()))
    missed = [name for name, goal in GOALS.items() if round(means[name], 3) < goal]
    for name in missed:
        print("cacm: %s is below the goal %.3f" % (name, GOALS[name]))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
