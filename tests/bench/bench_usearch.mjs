// SPDX-License-Identifier: MIT
// bench_usearch: usearch's exact search on the files of bench_matrix; called by tests/bench/run.
//   node bench_usearch.mjs MODULE_FOLDER DIR N D Q K THREADS     "name value" lines; hits in DIR/usearch.ids
import { createRequire } from "node:module";
import { closeSync, openSync, readSync, writeFileSync } from "node:fs";

const [folder, dir, ...numbers] = process.argv.slice(2);
const [n, d, q, k, threads] = numbers.map(Number);
const { exactSearch, MetricKind } = createRequire(`${folder}/`)("usearch");

function read(name, count) {
  const bytes = new Uint8Array(count * 4);
  const fd = openSync(`${dir}/${name}`, "r");
  for (let at = 0; at < bytes.length; ) at += readSync(fd, bytes, at, Math.min(1 << 28, bytes.length - at), at);
  closeSync(fd);
  return new Float32Array(bytes.buffer);
}

const rows = read("rows.f32", n * d);
const queries = read("queries.f32", q * d);
const singles = Math.min(q, n > 500000 ? 15 : 40);
const ids = new Int32Array(singles * k);
let best = Infinity;
for (let round = 0; round < 3; round++) {
  const times = [];
  for (let i = 0; i < singles; i++) {
    const query = queries.slice(i * d, (i + 1) * d);
    const start = process.hrtime.bigint();
    const found = exactSearch(rows, query, d, k, MetricKind.IP, threads);
    times.push(Number(process.hrtime.bigint() - start) / 1e6);
    for (let j = 0; j < k; j++) ids[i * k + j] = Number(found.keys[j]);
  }
  times.sort((a, b) => a - b);
  best = Math.min(best, times[times.length >> 1]);
}
writeFileSync(`${dir}/usearch.ids`, ids);
console.log(`single_ms ${best.toFixed(4)}`);
