-- SPDX-License-Identifier: MIT
-- wrk's requests for tests/bench/bench_intake.py: updates with ids that never repeat, from 64 chats in turn.
--   wrk … -s updates.lua URL -- SECRET FIRST_ID
local threads = 0

function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

function init(args)
  secret, n = args[1], tonumber(args[2]) + id * 20000000
  head = { ["Content-Type"] = "application/json", ["X-Telegram-Bot-Api-Secret-Token"] = secret }
end

function request()
  n = n + 1
  local chat = 1001 + n % 64
  return wrk.format("POST", nil, head, string.format(
    '{"update_id":%d,"message":{"message_id":%d,"from":{"id":%d,"is_bot":false,"first_name":"Ada","last_name":"Lovelace",' ..
    '"username":"ada","language_code":"en"},"chat":{"id":%d,"first_name":"Ada","last_name":"Lovelace","username":"ada",' ..
    '"type":"private"},"date":1700000000,"text":"add task: call number %d about the flowers for Saturday"}}', n, n, chat, chat, n))
end

function done(summary, latency, requests)
  local e = summary.errors
  print(string.format("RESULT requests %d rate %.1f p50_ms %.3f p99_ms %.3f errors %d", summary.requests,
    summary.requests / summary.duration * 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    e.connect + e.read + e.write + e.status + e.timeout))
end
