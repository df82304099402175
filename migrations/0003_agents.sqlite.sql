-- What coding agents ask, the cards that show it, the forum topics they live in, and the audit log.  SQLite dialect.
CREATE TABLE requests (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  request_id TEXT NOT NULL UNIQUE,       -- the asking side's name for it: asking again is the same question
  content_hash TEXT NOT NULL,            -- SHA-256 of what was asked: the same id with other content is refused
  origin TEXT NOT NULL,                  -- 'send', 'claude:SESSION', 'codex:SESSION'
  project TEXT NOT NULL,
  type TEXT NOT NULL CHECK (type IN ('blocking','milestone','error','heartbeat')),
  message TEXT NOT NULL,
  details TEXT, details_name TEXT,
  buttons TEXT NOT NULL DEFAULT '[]',    -- JSON [{"label","value","style","safe"}]
  multi INTEGER NOT NULL DEFAULT 0,
  code TEXT,                             -- risk high: the two digits that the asking side shows
  numbers TEXT,                          -- … and what the phone offers: ',47,12,83,'
  approvers TEXT,                        -- ',id,id,': only these; null = every allowed person
  quorum INTEGER NOT NULL DEFAULT 1,
  quiet TEXT,                            -- 'on', 'off', '22:00-07:00'; null: the household's hours
  chosen TEXT,                           -- multi: ',0,2,' ticked so far; risk high: ',1,' the option that waits for its number
  remind_every_ms INTEGER, next_remind_at INTEGER, reminded INTEGER NOT NULL DEFAULT 0,
  expires_at INTEGER,                    -- null: never
  default_answer TEXT,                   -- what to answer then; null = nothing
  state TEXT NOT NULL CHECK (state IN ('open','responded','expired','cancelled','told')),
  response TEXT, responses TEXT,         -- responses: multi, JSON list of values
  label TEXT, free_text INTEGER NOT NULL DEFAULT 0,
  answered_by INTEGER, answered_name TEXT, how TEXT, -- how: 'tap', 'reply', 'text', 'console', 'default'
  reason TEXT,                           -- of a cancellation
  away_from INTEGER, away_until INTEGER, -- taps between these may be lost: the card says so
  version INTEGER NOT NULL DEFAULT 1,    -- grows with everything the card shows
  created_at INTEGER NOT NULL, finished_at INTEGER, fetched_at INTEGER -- fetched: an answer reached the asking side
) STRICT;
CREATE INDEX requests_open ON requests (id) WHERE state = 'open';
CREATE INDEX requests_expire ON requests (expires_at) WHERE state = 'open' AND expires_at IS NOT NULL;
CREATE INDEX requests_remind ON requests (next_remind_at) WHERE state = 'open' AND next_remind_at IS NOT NULL;
CREATE INDEX requests_finished ON requests (finished_at) WHERE finished_at IS NOT NULL;
CREATE TABLE request_votes (             -- quorum: who has said what
  request_id INTEGER NOT NULL REFERENCES requests (id), voter INTEGER NOT NULL, -- voter: Telegram id, 0 = the console
  name TEXT NOT NULL, option INTEGER NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (request_id, voter)
) STRICT;

CREATE TABLE topics (                    -- a project's forum topic in a group
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  channel TEXT NOT NULL, chat_id INTEGER NOT NULL, project TEXT NOT NULL,
  name TEXT NOT NULL,                    -- as the group calls it now
  thread_id INTEGER,                     -- null: not made yet
  state TEXT NOT NULL CHECK (state IN ('wanted','open','none')), -- wanted: a row of kind 'topic' is in the outbox; none: no topics here
  retry_at INTEGER,                      -- 'none': look again then
  why TEXT,                              -- 'none': 'forum', 'rights', 'lost', 'failed'
  tries INTEGER NOT NULL DEFAULT 0,      -- rows of kind 'topic' put for it
  lost INTEGER NOT NULL DEFAULT 0, lost_since INTEGER, -- times its thread was gone in the hour from then on
  created_at INTEGER NOT NULL,
  UNIQUE (channel, chat_id, project)
) STRICT;
CREATE INDEX topics_thread ON topics (channel, chat_id, thread_id) WHERE thread_id IS NOT NULL;
ALTER TABLE outbox ADD COLUMN topic_id INTEGER; -- goes into this topic, whose thread may not be known yet
CREATE INDEX outbox_topic ON outbox (topic_id) WHERE topic_id IS NOT NULL AND state IN ('available','sending');
-- Order inside a chat: what matters more, a new topic first, then age.
ALTER TABLE outbox ADD COLUMN rank INTEGER GENERATED ALWAYS AS (priority * 2 + CASE kind WHEN 'topic' THEN 0 ELSE 1 END) VIRTUAL;
DROP INDEX outbox_lane;
CREATE INDEX outbox_lane ON outbox (channel, chat_id, rank, id) WHERE state IN ('available','sending');

CREATE TABLE cards (                     -- a message that shows a request (or a project's heartbeat) and is edited with it
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('request','notice','heartbeat')),
  request_id INTEGER NOT NULL REFERENCES requests (id), -- heartbeat: the newest
  project TEXT NOT NULL,
  channel TEXT NOT NULL, chat_id INTEGER NOT NULL, topic_id INTEGER,
  nonce TEXT NOT NULL UNIQUE,            -- 16 random bytes in hex: what its buttons are bound to
  outbox_id INTEGER,                     -- the newest row that shows it
  message_id INTEGER,
  ambiguous INTEGER NOT NULL DEFAULT 0,  -- it may stand there twice: a send got no answer
  version INTEGER NOT NULL DEFAULT 0,    -- of the request, as put into the outbox
  sent_version INTEGER NOT NULL DEFAULT 0,
  retired INTEGER NOT NULL DEFAULT 0,    -- a newer card has taken its place
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX cards_request ON cards (request_id);
CREATE INDEX cards_outbox ON cards (outbox_id);
CREATE INDEX cards_message ON cards (channel, chat_id, message_id) WHERE message_id IS NOT NULL;
CREATE INDEX cards_heartbeat ON cards (channel, chat_id, project) WHERE kind = 'heartbeat';

CREATE TABLE audit (                     -- append-only, each row holds the hash of the one before
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  request_id TEXT NOT NULL,
  event TEXT NOT NULL,                   -- 'asked', 'shown', 'tapped', 'answered', 'expired', 'cancelled', 'fetched', …
  actor TEXT NOT NULL,                   -- 'agent', 'telegram:123', 'console', 'steward'
  detail TEXT NOT NULL,                  -- JSON
  previous TEXT NOT NULL, hash TEXT NOT NULL
) STRICT;
CREATE INDEX audit_request ON audit (request_id, seq);
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
