-- The first schema, SQLite dialect.  Keep the column lists equal to 0001_start.postgres.sql (a test compares them).
CREATE TABLE users (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  telegram_id INTEGER UNIQUE,            -- null: the console's owner before a token was set
  name TEXT NOT NULL DEFAULT '',
  language TEXT NOT NULL DEFAULT '',     -- IETF tag as Telegram sends it; decides day-first or month-first
  zone TEXT NOT NULL DEFAULT '',         -- IANA name; '' = the server's TZ
  private_chat_id INTEGER,               -- where reminders go when the task has no chat of its own
  created_at INTEGER NOT NULL            -- all *_at columns: milliseconds since 1970 UTC
) STRICT;
CREATE TABLE strangers (                 -- who was told "not authorized", so that they are told once
  telegram_id INTEGER PRIMARY KEY, first_seen_at INTEGER NOT NULL
) STRICT;

CREATE TABLE inbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  channel TEXT NOT NULL,                 -- 'telegram', 'console'
  update_key TEXT NOT NULL,              -- Telegram's update_id, or the console's message id
  lane TEXT NOT NULL,                    -- order is kept inside: 'chat:<channel>:<id>' or 'tap:<channel>:<user>'
  tap INTEGER NOT NULL DEFAULT 0,        -- 1: a button, claimed by the tap worker
  body TEXT NOT NULL,                    -- the update as it came
  state TEXT NOT NULL DEFAULT 'available' CHECK (state IN ('available','running','done','parked')),
  run_at INTEGER NOT NULL,
  crashes INTEGER NOT NULL DEFAULT 0,
  token INTEGER NOT NULL DEFAULT 0,      -- fencing: +1 at every claim and every rescue
  owner_id INTEGER,
  lease_until INTEGER,
  outcome TEXT,                          -- 'ok', 'ignored', 'stranger', 'asked', 'failed' …
  received_at INTEGER NOT NULL,
  finished_at INTEGER,
  UNIQUE (channel, update_key)
) STRICT;
CREATE INDEX inbox_claim ON inbox (tap, run_at, id) WHERE state = 'available';
CREATE INDEX inbox_running ON inbox (id) WHERE state = 'running';
CREATE INDEX inbox_lane ON inbox (lane, id) WHERE state IN ('available','running');
CREATE INDEX inbox_parked ON inbox (run_at) WHERE state = 'parked';
CREATE INDEX inbox_prune ON inbox (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE turn_steps (                -- what a model answered and what its calls did, so that a turn resumes
  inbox_id INTEGER NOT NULL, round INTEGER NOT NULL,
  content TEXT NOT NULL,                 -- JSON
  created_at INTEGER NOT NULL,
  PRIMARY KEY (inbox_id, round)
) STRICT;

CREATE TABLE history (                   -- plain-text turns given to the model
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  channel TEXT NOT NULL, chat_id INTEGER NOT NULL, user_id INTEGER NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('user','assistant')),
  content TEXT NOT NULL, inbox_id INTEGER,
  message_id INTEGER,                     -- of the user's message: an edit of it is recognised
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX history_chat ON history (channel, chat_id, user_id, id);

CREATE TABLE pending (                   -- what the bot has asked and waits for, one per chat and user
  channel TEXT NOT NULL, chat_id INTEGER NOT NULL, user_id INTEGER NOT NULL,
  kind TEXT NOT NULL, payload TEXT NOT NULL, expires_at INTEGER NOT NULL,
  PRIMARY KEY (channel, chat_id, user_id)
) STRICT;

CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  channel TEXT NOT NULL,
  chat_id INTEGER NOT NULL,
  thread_id INTEGER,                     -- forum topic
  kind TEXT NOT NULL,                    -- 'message', 'edit', 'document', …
  priority INTEGER NOT NULL DEFAULT 2,   -- 0 taps and blocking cards, 2 replies, 5 heartbeats
  payload TEXT NOT NULL,                 -- JSON, see bot/messenger.h
  dedupe_key TEXT UNIQUE,                -- a second put of the same key is a no-op
  state TEXT NOT NULL DEFAULT 'available' CHECK (state IN ('available','sending','sent','parked')),
  run_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,   -- sends with a definite failure
  unknowns INTEGER NOT NULL DEFAULT 0,   -- sends whose outcome is not known
  token INTEGER NOT NULL DEFAULT 0,
  owner_id INTEGER,
  lease_until INTEGER,
  message_id INTEGER,                    -- the channel's id once sent
  inbox_id INTEGER,                      -- the message it answers
  last_error TEXT,
  created_at INTEGER NOT NULL,
  finished_at INTEGER
) STRICT;
CREATE INDEX outbox_claim ON outbox (priority, run_at, id) WHERE state = 'available';
CREATE INDEX outbox_lane ON outbox (channel, chat_id, id) WHERE state IN ('available','sending');
CREATE INDEX outbox_running ON outbox (id) WHERE state = 'sending';
CREATE INDEX outbox_prune ON outbox (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE console_messages (          -- the console page's chat; delivery to it is this insert
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  version INTEGER NOT NULL,              -- grows with every change of any row: the page asks for "after version N"
  author TEXT NOT NULL CHECK (author IN ('user','bot')),
  html TEXT NOT NULL, buttons TEXT,      -- buttons: JSON rows of {text, data}
  client_key TEXT,                       -- of the person's messages: the page's own id
  created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX console_version ON console_messages (version);

CREATE TABLE categories (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL, name TEXT NOT NULL, name_key TEXT NOT NULL, -- folded name
  parent_id INTEGER REFERENCES categories (id),
  created_at INTEGER NOT NULL,
  UNIQUE (user_id, name_key)
) STRICT;
CREATE TABLE tasks (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL, content TEXT NOT NULL,
  category_id INTEGER REFERENCES categories (id),
  due_date TEXT,                         -- local 'YYYY-MM-DD' or 'YYYY-MM-DDTHH:MM'
  created_date TEXT NOT NULL,            -- 'YYYY-MM-DDTHH:MM:SSZ'
  completed INTEGER NOT NULL DEFAULT 0 CHECK (completed IN (0, 1)),
  completed_date TEXT,
  repeat TEXT,                           -- RFC 5545 recurrence ("FREQ=WEEKLY;BYDAY=TU"); completing moves due_date to the next one
  remind_at INTEGER, reminded_at INTEGER,-- a reminder is due when remind_at <= now and reminded_at is null
  channel TEXT, chat_id INTEGER,         -- where the reminder goes
  deleted_at INTEGER
) STRICT;
CREATE INDEX tasks_user ON tasks (user_id, completed, due_date) WHERE deleted_at IS NULL;
CREATE INDEX tasks_remind ON tasks (remind_at) WHERE remind_at IS NOT NULL AND reminded_at IS NULL AND deleted_at IS NULL AND completed = 0;
CREATE TABLE notes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL, content TEXT NOT NULL,
  category_id INTEGER REFERENCES categories (id),
  created_date TEXT NOT NULL, deleted_at INTEGER
) STRICT;
CREATE INDEX notes_user ON notes (user_id, id) WHERE deleted_at IS NULL;
CREATE TABLE sleep_logs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL, date TEXT NOT NULL, hours REAL NOT NULL, notes TEXT,
  created_date TEXT NOT NULL, deleted_at INTEGER
) STRICT;
CREATE UNIQUE INDEX sleep_day ON sleep_logs (user_id, date) WHERE deleted_at IS NULL;
CREATE TABLE exercise_logs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL, date TEXT NOT NULL, activity_type TEXT NOT NULL, duration_minutes REAL NOT NULL, notes TEXT,
  created_date TEXT NOT NULL, deleted_at INTEGER
) STRICT;
CREATE INDEX exercise_day ON exercise_logs (user_id, date) WHERE deleted_at IS NULL;
CREATE TABLE water_logs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL, date TEXT NOT NULL, amount_ml REAL NOT NULL,
  created_date TEXT NOT NULL, deleted_at INTEGER
) STRICT;
CREATE INDEX water_day ON water_logs (user_id, date) WHERE deleted_at IS NULL;
CREATE TABLE sauna_logs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL, date TEXT NOT NULL, duration_minutes REAL NOT NULL, temperature_c REAL, notes TEXT,
  created_date TEXT NOT NULL, deleted_at INTEGER
) STRICT;
CREATE INDEX sauna_day ON sauna_logs (user_id, date) WHERE deleted_at IS NULL;
CREATE TABLE inbody_measurements (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL, date TEXT NOT NULL, weight_kg REAL, body_fat_percent REAL, muscle_kg REAL,
  created_date TEXT NOT NULL, deleted_at INTEGER
) STRICT;
CREATE INDEX inbody_day ON inbody_measurements (user_id, date) WHERE deleted_at IS NULL;

CREATE TABLE turns (                     -- one per message that changed rows: the unit of undo
  inbox_id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL,
  summary TEXT NOT NULL,                 -- 'added task 83', for "what did undo undo"
  created_at INTEGER NOT NULL, undone_at INTEGER
) STRICT;
CREATE INDEX turns_user ON turns (user_id, inbox_id);
CREATE TABLE journal (                   -- before-images, so that every write can be undone
  inbox_id INTEGER NOT NULL, seq INTEGER NOT NULL,
  table_name TEXT NOT NULL, row_id INTEGER NOT NULL,
  before TEXT,                           -- JSON of the changed columns before; null = the row was inserted
  PRIMARY KEY (inbox_id, seq)
) STRICT;

CREATE TABLE usage (                     -- every model call
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL, inbox_id INTEGER, provider TEXT NOT NULL, model TEXT NOT NULL,
  input_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
  elapsed_ms INTEGER NOT NULL, outcome TEXT NOT NULL
) STRICT;
CREATE INDEX usage_at ON usage (at);
CREATE TABLE settings (                  -- what must survive a restart and is not configuration: poll offset, webhook state
  name TEXT PRIMARY KEY, value TEXT NOT NULL
) STRICT;
