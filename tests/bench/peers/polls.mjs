// SPDX-License-Identifier: MIT
// Held polls in plain Node, in memory.     node polls.mjs PORT
// Counterpart of tests/bench/bench_agents.py: who polls waits for an answer or for its time.
import { createServer } from "node:http";

const waiting = new Map(); // request_id → Set of end functions
createServer((request, response) => {
  const url = new URL(request.url, "http://localhost"), id = url.searchParams.get("request_id");
  const end = (answer) => {
    clearTimeout(timer);
    waiting.get(id).delete(end);
    response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(answer));
  };
  const timer = setTimeout(end, url.searchParams.get("wait") * 1000, { status: "waiting", request_id: id });
  if (!waiting.has(id)) waiting.set(id, new Set());
  waiting.get(id).add(end);
}).listen(Number(process.argv[2]), "127.0.0.1", 4096, () => console.log("ready"));
