#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""numpy's exact search (matrix product, argpartition) on the files of bench_matrix; called by tests/bench/run.

    bench_numpy.py DIR N D Q K      "name value" lines; hits in DIR/numpy.ids
"""
import sys
import time

import numpy as np


def best(scores, k):
    top = np.argpartition(scores, -k)[-k:]
    return top[np.argsort(-scores[top], kind="stable")]


def main():
    folder, (n, d, q, k) = sys.argv[1], map(int, sys.argv[2:6])
    rows = np.fromfile(f"{folder}/rows.f32", dtype=np.float32).reshape(n, d)
    queries = np.fromfile(f"{folder}/queries.f32", dtype=np.float32).reshape(q, d)
    singles = min(q, 15 if n > 500000 else 40)
    ids, rounds = [], []
    for _ in range(3):
        ids, times = [], []
        for query in queries[:singles]:
            start = time.perf_counter()
            ids.append(best(rows @ query, k))
            times.append(time.perf_counter() - start)
        rounds.append(sorted(times)[len(times) // 2])
    np.array(ids, dtype=np.int32).tofile(f"{folder}/numpy.ids")
    print(f"single_ms {min(rounds) * 1e3:.4f}")


main()
