// SPDX-License-Identifier: MIT
// A grammY webhook that counts messages, in memory.     node intake.mjs MODULES PORT SECRET
// Counterpart of tests/bench/bench_intake.py.
import { createServer } from "node:http";
import { createRequire } from "node:module";

const [modules, port, secret] = process.argv.slice(2);
const require = createRequire(modules + "/");
const { Bot, webhookCallback } = require("grammy");

let messages = 0;
const bot = new Bot("123456:BENCH", { botInfo: { id: 1, is_bot: true, first_name: "Bench", username: "bench_bot" } });
bot.on("message", () => { messages++; });
createServer(webhookCallback(bot, "http", { secretToken: secret })).listen(Number(port), "127.0.0.1", () => console.log("ready"));
