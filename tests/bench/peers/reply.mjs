// SPDX-License-Identifier: MIT
// A minimal grammY bot with better-sqlite3, as its README writes one: a message becomes a task, the answer says so.
//   node reply.mjs MODULES PORT API_ROOT SECRET DATABASE JOURNAL
// Counterpart of tests/bench/bench_reply.py.  JOURNAL is "default" (a rollback journal and an fsync) or "WAL" (better-sqlite3
// then commits without fsync).
import { createServer } from "node:http";
import { createRequire } from "node:module";

const [modules, port, apiRoot, secret, file, journal] = process.argv.slice(2);
const require = createRequire(modules + "/");
const { Bot, webhookCallback } = require("grammy");
const Database = require("better-sqlite3");

const db = new Database(file);
if (journal !== "default") db.pragma(`journal_mode = ${journal}`);
db.exec("CREATE TABLE IF NOT EXISTS tasks (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, content TEXT NOT NULL, created INTEGER NOT NULL)");
const insert = db.prepare("INSERT INTO tasks (user_id, content, created) VALUES (?, ?, ?)");

const bot = new Bot("123456:BENCH", { client: { apiRoot } });
bot.hears(/^add task: (.+)$/, async (ctx) => {
  const { lastInsertRowid } = insert.run(ctx.from.id, ctx.match[1], Date.now());
  await ctx.reply(`Added task ${lastInsertRowid}: ${ctx.match[1]}`);
});
await bot.init();
// The benchmark stops the process between its rounds: the webhook's timeout must not count that.
createServer(webhookCallback(bot, "http", { secretToken: secret, timeoutMilliseconds: 3600000 })).listen(Number(port), "127.0.0.1", () => console.log("ready"));
