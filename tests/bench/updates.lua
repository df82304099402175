-- SPDX-License-Identifier: MIT
-- wrk's requests for tests/bench/bench_intake.py: updates with ids that never repeat, from 64 chats in turn.
--   wrk … -s updates.lua URL -- SECRET FIRST_ID
-- Numbers keep their count of digits, so that every request has the same length and its head is made once: wrk shares the
-- machine with whom it measures, and wrk.format() for each request takes as long as all else that it does.
local threads, format = 0, string.format

function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

function init(args)
  n = 1000000000 + tonumber(args[2]) + id * 20000000
  local update =
    '{"update_id":%d,"message":{"message_id":%d,"from":{"id":%d,"is_bot":false,"first_name":"Ada","last_name":"Lovelace",' ..
    '"username":"ada","language_code":"en"},"chat":{"id":%d,"first_name":"Ada","last_name":"Lovelace","username":"ada",' ..
    '"type":"private"},"date":1700000000,"text":"add task: call number %d about the flowers for Saturday"}}'
  local head = wrk.format("POST", nil, { ["Content-Type"] = "application/json", ["X-Telegram-Bot-Api-Secret-Token"] = args[1] },
    format(update, n, n, 1001, 1001, n))
  request_format = head:match("^(.-\r\n\r\n)"):gsub("%%", "%%%%") .. update
end

function request()
  n = n + 1
  local chat = 1001 + n % 64
  return format(request_format, n, n, chat, chat, n)
end

function done(summary, latency, requests)
  local e = summary.errors
  print(format("RESULT requests %d rate %.1f p50_ms %.3f p99_ms %.3f errors %d", summary.requests,
    summary.requests / summary.duration * 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    e.connect + e.read + e.write + e.status + e.timeout))
end
