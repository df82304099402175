-- Taking in a flood, SQLite dialect: posts that come faster than they are answered are written here, many to a row and without an index,
-- and become rows of the inbox when a worker comes to them (store/inbox_stage.c).  Empty otherwise.
CREATE TABLE inbox_staging (
  id INTEGER PRIMARY KEY,                -- in this order they become rows
  posts INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  updates TEXT NOT NULL                  -- the posts, one behind the other; last, for it is long
) STRICT;
